//! Opening the house: master key, store, vault, desk. The server and every command come through here.

use std::{path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::config::DataConfig;
use crate::{
    desk::{ActError, Clock, Desk},
    licensing::seal::SealFor,
    outbound::{Outbound, Reach},
    store::{Location, Standing, Store, StoreError},
    vault::{MasterError, MasterKey, RsaSize, Vault, VaultError},
};

pub(crate) const CHECK_SETTING: &str = "masterKeyCheck";

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("There is no Countersign data in this database.")]
    NoData,
    #[error(
        "The database has schema {found}, this program {known}: make a backup with the version that ran so far, then start `countersign serve`, which brings it up to date."
    )]
    Behind { found: i64, known: i64 },
    #[error("The data folder {path} cannot be used: {source}. Make it writable for the user the server runs as.")]
    DataDir { path: String, source: std::io::Error },
    #[error("The database could not be opened: {}. Check its address, that it is running, and that this user may use it.", why(.0))]
    Store(#[source] StoreError),
    #[error("{0}")]
    Master(#[from] MasterError),
    #[error("{0}")]
    Vault(#[from] VaultError),
    #[error("The master key check in the database is damaged. Restore the database from a backup.")]
    DamagedCheck,
    #[error("{name} is {text:?}. Set it to {known}, or leave it out.")]
    Variable { name: &'static str, text: String, known: String },
    #[error("The first start could not be finished: {0}")]
    Act(#[from] ActError),
}

/// Why there is no talking to a database, which only its driver knows.
fn why(error: &StoreError) -> String {
    match error {
        StoreError::Unreachable(cause) => cause.to_string(),
        other => other.to_string(),
    }
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
    let (master, made_master_key) = MasterKey::load_or_make(&config.master, check.is_none() && seals.is_empty())?;
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
    let vault = Vault::open_with(master, &seals, rsa_size()?)?;
    let desk = Desk::new(store, vault, clock, issuer, Outbound::new(reach()?));
    for shared in SealFor::SHARED {
        if !seals.iter().any(|seal| seal.purpose == shared.purpose()) {
            desk.begin_ring(shared).await?;
        }
    }
    desk.complete_rings().await?;
    desk.notice_changes().await?;
    Ok(Opened { desk, made_master_key, master: origin })
}

/// Opens the data as it is, to be looked at: nothing is made, migrated or written, and what is missing stays missing.
pub async fn open_as_it_is(config: &DataConfig, issuer: &str, clock: Arc<dyn Clock>) -> Result<Desk, StartError> {
    match Store::look(&config.database).await.map_err(StartError::Store)? {
        Standing::Current => {}
        Standing::Empty => return Err(StartError::NoData),
        Standing::Behind { found, known } => return Err(StartError::Behind { found, known }),
        Standing::Newer { found, known } => return Err(StartError::Store(StoreError::Newer { found, known })),
    }
    let store = Store::open_to_read(&config.database).await.map_err(StartError::Store)?;
    let opened = async {
        let mut conn = store.read().await.map_err(StartError::Store)?;
        let check = conn.setting(CHECK_SETTING).await.map_err(StartError::Store)?;
        let seals = conn.seals().await.map_err(StartError::Store)?;
        let master = MasterKey::load(&config.master)?;
        if let Some(text) = check {
            master.verify(&STANDARD.decode(text).map_err(|_| StartError::DamagedCheck)?)?;
        }
        let vault = Vault::open_with(master, &seals, rsa_size()?)?;
        drop(conn);
        let desk = Desk::new(store.clone(), vault, clock, issuer, Outbound::new(reach()?));
        desk.notice_changes().await?;
        Ok(desk)
    };
    let opened = opened.await;
    if opened.is_err() {
        store.close().await;
    }
    opened
}

/// 4096 bits, or 2048 where the operator says so: the least LicenseSpring's clients take, and six times as fast to sign with.
fn rsa_size() -> Result<RsaSize, StartError> {
    chosen("COUNTERSIGN_RSA_BITS", &[("4096", RsaSize::Rsa4096), ("2048", RsaSize::Rsa2048)])
}

/// Public addresses, or every one where the operator says so: a sign-in provider may stand in the company's own network.
fn reach() -> Result<Reach, StartError> {
    chosen("COUNTERSIGN_PRIVATE_NETWORKS", &[("refuse", Reach::Public), ("allow", Reach::Everywhere)])
}

/// What a variable chooses; the first where it is not set.
fn chosen<T: Copy>(name: &'static str, choices: &[(&'static str, T)]) -> Result<T, StartError> {
    let Some(text) = std::env::var(name).ok().filter(|text| !text.trim().is_empty()) else { return Ok(choices[0].1) };
    let found = choices.iter().find(|(known, _)| *known == text.trim());
    let known = || choices.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(" or ");
    found.map(|(_, choice)| *choice).ok_or_else(|| StartError::Variable { name, text, known: known() })
}

/// Makes the folder where it is not there, for the user the program runs as and nobody else. One that is there stays as it is.
pub(crate) fn make_private_dir(path: &Path) -> Result<(), StartError> {
    let failed = |source| StartError::DataDir { path: path.display().to_string(), source };
    if path.exists() {
        return Ok(());
    }
    // Private from its first moment on; what it lies in is the operator's own.
    if let Some(above) = path.parent() {
        std::fs::create_dir_all(above).map_err(failed)?;
    }
    let mut folder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    match folder.create(path) {
        // A server and a command may start at the same moment.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(failed),
    }
}

/// The database holds customers' addresses: nobody else on the machine needs to read it.
pub(crate) fn make_private_file(path: &Path) {
    #[cfg(unix)]
    if let Err(error) = std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)) {
        tracing::warn!(error = %error, "The database file could not be made private.");
    }
}
