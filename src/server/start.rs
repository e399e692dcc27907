//! Opening the house: master key, store, vault, desk. The server and every command come through here.

use std::{path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::config::DataConfig;
use crate::{
    desk::{ActError, Clock, Desk},
    licensing::seal::SealFor,
    store::{Location, Store, StoreError},
    vault::{MasterError, MasterKey, MasterSource, RsaSize, Vault, VaultError},
};

pub(crate) const CHECK_SETTING: &str = "masterKeyCheck";

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("The data folder {path} cannot be used: {source}. Make it writable for the user the server runs as.")]
    DataDir { path: String, source: std::io::Error },
    #[error("The database could not be opened: {0}. Check its address, that it is running, and that this user may use it.")]
    Store(#[source] StoreError),
    #[error("{0}")]
    Master(#[from] MasterError),
    #[error("{0}")]
    Vault(#[from] VaultError),
    #[error("The master key check in the database is damaged. Restore the database from a backup.")]
    DamagedCheck,
    #[error("The first start could not be finished: {0}")]
    Act(#[from] ActError),
}

/// What was opened, and what happened for the first time.
pub struct Opened {
    pub desk: Desk,
    /// The master key was made just now: it has to be backed up.
    pub made_master_key: bool,
    pub master: String,
}

/// Opens the data, making what a first start needs. `issuer` is the portal's public URL.
pub async fn open(config: &DataConfig, issuer: &str, clock: Arc<dyn Clock>) -> Result<Opened, StartError> {
    make_private_dir(&config.data_dir)?;
    let store = Store::open(&config.database).await.map_err(StartError::Store)?;
    if let Location::Sqlite(path) = &config.database {
        make_private_file(path);
    }
    let (check, seals) = {
        let mut conn = store.read().await.map_err(StartError::Store)?;
        (conn.setting(CHECK_SETTING).await.map_err(StartError::Store)?, conn.seals().await.map_err(StartError::Store)?)
    };
    let (master, made_master_key) =
        MasterKey::load_or_make(&MasterSource::from_env(&config.data_dir), check.is_none() && seals.is_empty())?;
    let origin = master.origin().to_string();
    let now = clock.now();
    match check {
        Some(text) => master.verify(&STANDARD.decode(text).map_err(|_| StartError::DamagedCheck)?)?,
        None => {
            let value = STANDARD.encode(master.check_value());
            store
                .write(move |conn| {
                    let value = value.clone();
                    Box::pin(async move { conn.set(CHECK_SETTING, &value, now).await })
                })
                .await
                .map_err(StartError::Store)?;
        }
    }
    let vault = Vault::open_with(master, &seals, rsa_size())?;
    let desk = Desk::new(store, vault, clock, issuer);
    if !seals.iter().any(|seal| seal.product.is_none()) {
        desk.begin_ring(SealFor::LicenseSpring).await?;
    }
    desk.complete_rings().await?;
    desk.notice_changes().await?;
    Ok(Opened { desk, made_master_key, master: origin })
}

/// 4096 bits. Tests that start many processes may ask for 2048, the least LicenseSpring's clients take.
fn rsa_size() -> RsaSize {
    match std::env::var("COUNTERSIGN_RSA_BITS").as_deref() {
        Ok("2048") => RsaSize::Rsa2048,
        _ => RsaSize::Rsa4096,
    }
}

pub(crate) fn make_private_dir(path: &Path) -> Result<(), StartError> {
    let failed = |source| StartError::DataDir { path: path.display().to_string(), source };
    if !path.exists() {
        std::fs::create_dir_all(path).map_err(failed)?;
        #[cfg(unix)]
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

/// The database holds customers' addresses: nobody else on the machine needs to read it.
pub(crate) fn make_private_file(path: &Path) {
    #[cfg(unix)]
    if let Err(error) = std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)) {
        tracing::warn!(error = %error, "The database file could not be made private.");
    }
}
