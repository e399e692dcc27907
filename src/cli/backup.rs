//! `backup` and `restore`: one file, either engine.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    Place, files,
    open::now,
    outcome::{CliError, Done, say, sentence},
};
use crate::{
    licensing::files::base64,
    server::{serve, start},
    store::{Backup, BackupError, Location, Store, StoreError},
    vault::{MasterError, MasterKey, MasterSource, Origin},
};

#[derive(Args)]
pub(super) struct BackupOptions {
    /// Where to write it
    file: PathBuf,
    /// Include the master key: whoever has the file then has everything
    #[arg(long)]
    with_master_key: bool,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

#[derive(Args)]
pub(super) struct RestoreOptions {
    /// A backup
    file: PathBuf,
    /// Replace the data that is there
    #[arg(long)]
    force: bool,
}

fn backup_error(error: BackupError, file: &Path) -> CliError {
    let code = match &error {
        BackupError::Io(error) => return CliError::io("written or read", file, error),
        BackupError::Store(error) => return CliError::fault(error),
        BackupError::NotABackup => "not_a_backup",
        BackupError::Damaged { .. } => "backup_damaged",
        BackupError::OtherSchema { .. } => "other_schema",
        BackupError::NotEmpty => {
            let message = "There is data here already. Restore into another data folder, or replace what is here with --force.";
            return CliError::refused("not_empty", message);
        }
    };
    CliError::refused(code, format!("{} was not restored: {error}.", file.display()))
}

pub(super) async fn backup(place: &Place, options: BackupOptions) -> Result<Done, CliError> {
    let desk = place.open().await?;
    let file = &options.file;
    if file.exists() && !options.force {
        return Err(CliError::refused(
            "file_exists",
            format!("{} is there already. Choose another name, or add --force.", file.display()),
        ));
    }
    let master = match options.with_master_key {
        true => {
            let key = MasterKey::load(&place.config()?.master).map_err(master_error)?;
            Some(key.export_text().to_string())
        }
        false => None,
    };
    // Written beside it and put in its place when it is whole.
    let part = PathBuf::from(format!("{}.part", file.display()));
    let written = async {
        let mut out = BufWriter::new(private(&part)?);
        let mut conn = desk.store().read().await.map_err(BackupError::from)?;
        let rows = conn.back_up(&now().to_rfc3339(), master, &mut out).await?;
        let out = out.into_inner().map_err(|error| error.into_error())?;
        out.sync_all()?;
        fs::rename(&part, file)?;
        Ok(rows)
    };
    let rows = match written.await {
        Ok(rows) => rows,
        Err(error) => {
            let _ = fs::remove_file(&part);
            return Err(backup_error(error, file));
        }
    };
    let included = options.with_master_key;
    let value =
        json!({ "file": file.to_string_lossy(), "rows": rows, "master_key": if included { "included" } else { "not included" } });
    let said = if included {
        "The master key is included: keep the file as you would keep the key."
    } else {
        "The master key is NOT included: without the master.key of this installation the backup cannot be used. Keep a copy of it \
         somewhere else, or add --with-master-key."
    };
    Ok(Done::new(value, format!("{} holds {rows} rows.\n{said}", file.display())))
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn master_error(error: MasterError) -> CliError {
    CliError::refused(error.code(), sentence(&error.to_string()))
}

/// How the master key stands after a restore.
enum Master {
    /// The one here opens the backup.
    Fits,
    /// The backup's own has to be put in place.
    ToWrite(Zeroizing<String>),
    Missing,
    Wrong,
}

pub(super) async fn restore(place: &Place, options: RestoreOptions) -> Result<Done, CliError> {
    let config = place.config()?;
    let (head, check) = look(&options.file)?;
    // Before anything is opened or made: a backup that cannot be taken leaves no trace.
    let (found, known) = (head.schema, Store::known_schema(config.database.engine()));
    if found != known {
        return Err(backup_error(BackupError::OtherSchema { found, known }, &options.file));
    }
    let source = config.master.clone();
    let master = master(&head, check.as_deref(), &source, options.force)?;

    start::make_private_dir(&config.data_dir)?;
    let sqlite = matches!(config.database, Location::Sqlite(_));
    let _lock = if sqlite { Some(serve::lock(&config.data_dir)?) } else { None };
    let store = Store::open(&config.database).await.map_err(start::StartError::Store)?;
    let _ = place.opened.set(store.clone());
    if let Location::Sqlite(file) = &config.database {
        start::make_private_file(file);
    }
    let rows = load(&store, &options).await?;
    let stand = match &master {
        Master::Fits => "present",
        Master::ToWrite(text) => {
            put(text, &source.file)?;
            "restored"
        }
        Master::Missing => "missing",
        Master::Wrong => "wrong",
    };
    let file = source.file.display();
    let said = match master {
        Master::Fits => format!("{rows} rows are back. The master key here is the one that belongs to them."),
        Master::ToWrite(_) => format!("{rows} rows are back, and the master key is in {file}."),
        Master::Missing => format!(
            "{rows} rows are back, but the backup came WITHOUT its master key and there is none at {file}. Nothing can be signed or \
             opened, and the server will not start, until the master.key that belongs to this backup is there."
        ),
        Master::Wrong => format!(
            "{rows} rows are back, but the backup came WITHOUT its master key, and the one here ({file}, or COUNTERSIGN_MASTER_KEY) is \
             ANOTHER. The server will not start until the master.key that belongs to this backup is there."
        ),
    };
    if matches!(stand, "missing" | "wrong") {
        say(&said);
    }
    let value = json!({ "rows": rows, "made_at": head.made_at, "from": head.engine, "master_key": stand });
    Ok(Done::new(value, said))
}

/// Reads the backup to its end before anything is touched. Tells its head and the value its master key is checked with.
fn look(file: &Path) -> Result<(Backup, Option<String>), CliError> {
    let open = File::open(file).map_err(|error| CliError::io("read", file, &error))?;
    let mut check = None;
    let head = Backup::read(BufReader::new(open), |row| {
        if row.0 == "setting" && row.1.get("name").is_some_and(|name| name == start::CHECK_SETTING) {
            check = row.1.get("value").and_then(serde_json::Value::as_str).map(str::to_owned);
        }
    });
    Ok((head.map_err(|error| backup_error(error, file))?, check))
}

fn master(head: &Backup, check: Option<&str>, source: &MasterSource, force: bool) -> Result<Master, CliError> {
    let check = check.map(|text| base64::from_standard(text).unwrap_or_default());
    let fits = |key: &MasterKey| check.as_ref().is_none_or(|check| key.verify(check).is_ok());
    let here = match MasterKey::load(source) {
        Ok(key) => Some(key),
        Err(MasterError::Missing { .. }) => None,
        Err(error) => return Err(master_error(error)),
    };
    if here.as_ref().is_some_and(fits) {
        return Ok(Master::Fits);
    }
    let Some(text) = head.master_key.clone().map(Zeroizing::new) else {
        return Ok(if here.is_some() { Master::Wrong } else { Master::Missing });
    };
    let own = MasterSource { value: Some(text.clone()), file: source.file.clone() };
    if !MasterKey::load(&own).is_ok_and(|key| fits(&key)) {
        return Err(CliError::refused("backup_damaged", "The master key inside the backup does not open the data inside it."));
    }
    match here.as_ref().map(MasterKey::origin) {
        Some(Origin::Variable) => Err(CliError::refused(
            "master_key_wrong",
            "COUNTERSIGN_MASTER_KEY holds another key than the backup. Unset it, and the backup's own is written to the master key file.",
        )),
        Some(Origin::File(file)) if !force => Err(CliError::refused(
            "master_key_wrong",
            format!("{} holds another key than the backup. With --force it is kept beside and replaced.", file.display()),
        )),
        _ => Ok(Master::ToWrite(text)),
    }
}

/// A key that is there is kept beside: data elsewhere may rest under it.
fn put(text: &str, file: &Path) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::io("written", file, &error);
    let mut number = 1;
    while file.exists() {
        let aside = PathBuf::from(format!("{}.before-restore-{number}", file.display()));
        number += 1;
        if !aside.exists() {
            fs::rename(file, &aside).map_err(failed)?;
            say(&format!("The master key that was here is in {} now.", aside.display()));
        }
    }
    files::write_new(file, format!("{text}\n").as_bytes(), true).map_err(failed)
}

async fn load(store: &Store, options: &RestoreOptions) -> Result<u64, CliError> {
    let (file, force) = (options.file.clone(), options.force);
    // The act's own words: rolled back, the store only says that nothing was committed.
    let why: Arc<Mutex<Option<BackupError>>> = Arc::default();
    let told = why.clone();
    let loaded = store.write(move |conn| {
        let (file, told) = (file.clone(), told.clone());
        Box::pin(async move {
            let restored = match File::open(&file) {
                Ok(open) => conn.restore(BufReader::new(open), force).await,
                Err(error) => Err(error.into()),
            };
            match restored {
                Ok(rows) => Ok(rows),
                Err(BackupError::Store(error)) => Err(error),
                Err(error) => {
                    *told.lock().expect("no holder of this lock panics") = Some(error);
                    Err(StoreError::NotCommitted)
                }
            }
        })
    });
    loaded.await.map_err(|error| match why.lock().expect("no holder of this lock panics").take() {
        Some(why) => backup_error(why, &options.file),
        None => CliError::fault(&error),
    })
}
