//! The installation a command is for.

use std::sync::Arc;

use super::{
    Place,
    outcome::{CliError, sentence},
};
use crate::{
    desk::{Clock as _, Desk},
    licensing::Timestamp,
    server::{
        clock::SystemClock,
        config::{ConfigError, DataConfig, public_url},
        start::{self, Opened, StartError},
    },
    store::{Standing, Store, StoreError},
};

/// What files made here say of where they come from, unless the operator says otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:3000";

pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        match &error {
            StartError::Store(cause @ StoreError::Newer { .. }) => Self::refused("schema_newer", sentence(&cause.to_string())),
            StartError::Store(StoreError::Unreachable(_)) => Self::refused("database_unreachable", error.to_string()),
            StartError::Behind { .. } => Self::refused("schema_behind", error.to_string()),
            StartError::NoData => Self::refused("no_data", error.to_string()),
            StartError::DataDir { .. } => Self::refused("data_dir", error.to_string()),
            StartError::Master(cause) => Self::refused(cause.code(), sentence(&error.to_string())),
            StartError::Vault(cause) if cause.code() != "internal" => Self::refused(cause.code(), sentence(&error.to_string())),
            StartError::DamagedCheck => Self::refused("master_key_check_damaged", error.to_string()),
            _ => Self::fault(&error),
        }
    }
}

impl Place {
    pub(super) fn config(&self) -> Result<DataConfig, CliError> {
        if self.apart {
            return Ok(DataConfig::apart(self.data_dir.clone()));
        }
        Ok(DataConfig::new(self.data_dir.clone(), self.database_url.as_deref())?)
    }

    /// What is kept here, found without changing anything.
    pub(super) async fn look(&self) -> Result<Standing, CliError> {
        Ok(Store::look(&self.config()?.database).await.map_err(StartError::Store)?)
    }

    /// Opens what is there. Refuses where nothing is: a mistyped data directory shall not become a new one.
    pub(super) async fn open(&self) -> Result<Desk, CliError> {
        if self.look().await? == Standing::Empty {
            return Err(self.no_data());
        }
        self.open_or_make().await
    }

    /// Opens what is there to be looked at, and changes nothing of it.
    pub(super) async fn open_as_it_is(&self) -> Result<Desk, CliError> {
        let desk = start::open_as_it_is(&self.config()?, DEFAULT_URL, Arc::new(SystemClock)).await?;
        let _ = self.opened.set(desk.store().clone());
        Ok(desk)
    }

    pub(super) fn no_data(&self) -> CliError {
        let place = match self.database_url {
            Some(_) => "the database of DATABASE_URL".to_owned(),
            None => self.data_dir.display().to_string(),
        };
        CliError::refused(
            "no_data",
            format!(
                "There is no Countersign data in {place}. Name its folder with --data-dir, or start with `countersign serve`."
            ),
        )
    }

    /// Opens the installation, and makes it where there is none.
    pub(super) async fn open_or_make(&self) -> Result<Desk, CliError> {
        let issuer = match std::env::var("COUNTERSIGN_PUBLIC_URL").ok().filter(|url| !url.trim().is_empty()) {
            Some(url) => public_url(&url)?,
            None => DEFAULT_URL.to_owned(),
        };
        let Opened { desk, made_master_key, master } = start::open(&self.config()?, &issuer, Arc::new(SystemClock)).await?;
        let _ = self.opened.set(desk.store().clone());
        if made_master_key {
            super::outcome::say(&format!(
                "A new installation was made. Its master key is {master}: keep a copy of it apart from the database, which is \
                 worth nothing without it."
            ));
        }
        Ok(desk)
    }
}
