//! The installation a command is for.

use std::{path::PathBuf, sync::Arc};

use super::{
    Place,
    outcome::{CliError, sentence},
};
use crate::{
    desk::{Clock as _, Desk},
    licensing::Timestamp,
    server::{
        clock::SystemClock,
        config::{ConfigError, DataConfig},
        start::{self, Opened, StartError},
    },
    store::Location,
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
        Ok(DataConfig::new(self.data_dir.clone(), self.database_url.as_deref())?)
    }

    /// The SQLite file, where the data is in one.
    pub(super) fn sqlite_file(&self) -> Result<Option<PathBuf>, CliError> {
        Ok(match self.config()?.database {
            Location::Sqlite(file) => Some(file),
            Location::Postgres(_) => None,
        })
    }

    /// Whether something was ever kept here.
    pub(super) fn exists(&self) -> bool {
        self.sqlite_file().is_ok_and(|file| file.is_none_or(|file| file.exists()))
    }

    /// Opens what is there. Refuses where nothing is: a mistyped data directory shall not become a new one.
    pub(super) async fn open(&self) -> Result<Desk, CliError> {
        self.config()?;
        if !self.exists() {
            return Err(self.no_data());
        }
        self.open_or_make().await
    }

    pub(super) fn no_data(&self) -> CliError {
        let folder = self.data_dir.display();
        CliError::refused(
            "no_data",
            format!(
                "There is no Countersign data in {folder}. Name its folder with --data-dir, or start with `countersign serve`."
            ),
        )
    }

    /// Opens the installation, and makes it where there is none.
    pub(super) async fn open_or_make(&self) -> Result<Desk, CliError> {
        let issuer = std::env::var("COUNTERSIGN_PUBLIC_URL").ok().filter(|url| !url.is_empty());
        let issuer = issuer.unwrap_or_else(|| DEFAULT_URL.to_owned());
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
