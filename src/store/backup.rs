//! Everything in one file that either engine can write and read: a line of JSON a row, tables in the order their references
//! need. Written from one snapshot, read back in one transaction.

use std::io::{self, BufRead};

use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use sqlx::{
    AssertSqlSafe, Column, Row as _, ValueRef,
    any::{AnyRow, AnyTypeInfoKind},
};

use super::{Conn, Engine, StoreError, conn::Columns};
use crate::licensing::files::base64;

/// Every table, those that are referred to first.
const TABLES: [&str; 41] = [
    "product",
    "version",
    "feature",
    "policy",
    "bundle",
    "bundle_product",
    "extension",
    "customer_account",
    "sso_provider",
    "customer",
    "orders",
    "license",
    "license_user",
    "activation",
    "device_variable",
    "device_block",
    "slot",
    "airgap_code",
    "trial_claim",
    "answer",
    "result_page",
    "attempt",
    "audit",
    "audit_head",
    "audit_checkpoint",
    "staff",
    "session",
    "api_key",
    "oauth_client",
    "oauth_secret",
    "seal",
    "setting",
    "form_request",
    "outbox",
    "message",
    "authorization_code",
    "property",
    "mail_template",
    "shop_event",
    "install",
    "release_log",
];
/// What means nothing elsewhere or later: counted tries and leases on jobs.
const PASSING: [&str; 2] = ["rate", "lease"];
/// Tables whose key is not a number the database gives.
const WITHOUT_ID: [&str; 9] = [
    "sso_provider",
    "bundle_product",
    "slot",
    "result_page",
    "audit_head",
    "session",
    "setting",
    "form_request",
    "authorization_code",
];
/// References within a table, which may point forward: set once all rows are there.
const FORWARD: [(&str, &str, &str); 2] = [
    ("activation", "replaced_by", "update activation set replaced_by = $2 where id = $1"),
    ("license", "upgraded_to", "update license set upgraded_to = $2 where id = $1"),
];

const FORMAT: i64 = 1;

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Backup {
    /// The format's version.
    pub countersign_backup: i64,
    pub engine: String,
    pub made_at: String,
    /// The last migration the data had.
    pub schema: i64,
    /// Under which the secrets inside rest; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_key: Option<String>,
}

/// A line in between.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row(pub String, pub Map<String, Value>);

/// The last line: what tells a whole file from one cut off or changed on its way.
#[derive(Serialize, Deserialize)]
struct End {
    rows: u64,
    sha256: String,
}

/// Why a backup was not written or not taken.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the file could not be written or read")]
    Io(#[from] io::Error),
    #[error("the database failed")]
    Store(#[from] StoreError),
    #[error("this is no backup of Countersign")]
    NotABackup,
    #[error("the backup is damaged at line {line}: it was cut off or changed")]
    Damaged { line: u64 },
    #[error(
        "the backup has schema {found}, this program has {known}: restore it with the version that made it, and upgrade after"
    )]
    OtherSchema { found: i64, known: i64 },
    #[error("the database holds data already")]
    NotEmpty,
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Writes lines and keeps count of them.
struct Lines<'a> {
    out: &'a mut (dyn io::Write + Send),
    hash: Sha256,
}

impl Lines<'_> {
    fn line(&mut self, value: &impl Serialize) -> Result<(), BackupError> {
        let mut text = serde_json::to_vec(value).map_err(io::Error::from)?;
        text.push(b'\n');
        self.hash.update(&text);
        Ok(self.out.write_all(&text)?)
    }
}

impl Backup {
    /// Reads a backup to its end, telling each row. Refuses what is none, and one that is not whole.
    pub fn read(from: impl BufRead, mut tell: impl FnMut(&Row)) -> Result<Self, BackupError> {
        let mut rows = Rows::open(from)?;
        while let Some(row) = rows.next()? {
            tell(&row);
        }
        Ok(rows.head)
    }
}

/// The rows of a backup, one by one.
struct Rows<R> {
    head: Backup,
    from: R,
    hash: Sha256,
    line: u64,
}

impl<R: BufRead> Rows<R> {
    fn open(mut from: R) -> Result<Self, BackupError> {
        let mut first = Vec::new();
        io::Read::take(&mut from, 64 * 1024).read_until(b'\n', &mut first)?;
        let head: Backup = serde_json::from_slice(&first).map_err(|_| BackupError::NotABackup)?;
        if head.countersign_backup != FORMAT {
            return Err(BackupError::NotABackup);
        }
        Ok(Self { head, from, hash: Sha256::new_with_prefix(&first), line: 1 })
    }

    fn next(&mut self) -> Result<Option<Row>, BackupError> {
        self.line += 1;
        let damaged = BackupError::Damaged { line: self.line };
        let mut text = Vec::new();
        self.from.read_until(b'\n', &mut text)?;
        if let Ok(row) = serde_json::from_slice::<Row>(&text) {
            if !TABLES.contains(&row.0.as_str()) || !row.1.keys().all(|name| is_name(name)) {
                return Err(damaged);
            }
            self.hash.update(&text);
            return Ok(Some(row));
        }
        let end: End = serde_json::from_slice(&text).map_err(|_| BackupError::Damaged { line: self.line })?;
        let hash = base64::url(&self.hash.clone().finalize());
        if end.rows == self.line - 2 && end.sha256 == hash { Ok(None) } else { Err(damaged) }
    }
}

/// What may stand in a statement as a column's name.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn values(row: &AnyRow, table: &'static str) -> Result<Map<String, Value>, BackupError> {
    let mut members = Map::new();
    for (at, column) in row.columns().iter().enumerate() {
        let raw = row.try_get_raw(at)?;
        if raw.is_null() {
            continue;
        }
        let value = match raw.type_info().kind() {
            AnyTypeInfoKind::SmallInt | AnyTypeInfoKind::Integer | AnyTypeInfoKind::BigInt => row.try_get::<i64, _>(at)?.into(),
            AnyTypeInfoKind::Text => row.try_get::<String, _>(at)?.into(),
            AnyTypeInfoKind::Blob => serde_json::json!({ "base64": base64::url(&row.try_get::<Vec<u8>, _>(at)?) }),
            _ => return Err(StoreError::inconsistent(table, "column", 0).into()),
        };
        members.insert(column.name().to_owned(), value);
    }
    Ok(members)
}

impl Conn {
    /// The last migration that was applied.
    pub async fn schema(&mut self) -> Result<i64, StoreError> {
        let sql = "select cast(max(version) as bigint) as version from _sqlx_migrations";
        sqlx::query(sql).fetch_one(self.db()).await?.int("version")
    }

    /// Writes everything, as it is at one instant, while others go on writing.
    pub async fn back_up(
        &mut self,
        made_at: &str,
        master_key: Option<String>,
        out: &mut (dyn io::Write + Send),
    ) -> Result<u64, BackupError> {
        let begin = self.engine().pick("begin", "begin isolation level repeatable read read only");
        self.execute(begin).await?;
        let written = self.back_up_all(made_at, master_key, out).await;
        self.execute("rollback").await?;
        written
    }

    async fn back_up_all(
        &mut self,
        made_at: &str,
        master_key: Option<String>,
        out: &mut (dyn io::Write + Send),
    ) -> Result<u64, BackupError> {
        let head = Backup {
            countersign_backup: FORMAT,
            engine: self.engine().name().to_owned(),
            made_at: made_at.to_owned(),
            schema: self.schema().await?,
            master_key,
        };
        let mut lines = Lines { out, hash: Sha256::new() };
        lines.line(&head)?;
        let mut count = 0;
        for table in TABLES {
            // Safe: the names are constants of this file.
            let mut rows = sqlx::query(AssertSqlSafe(format!("select * from {table} order by 1"))).fetch(self.db());
            while let Some(row) = rows.try_next().await? {
                lines.line(&Row(table.to_owned(), values(&row, table)?))?;
                count += 1;
            }
        }
        let sha256 = base64::url(&lines.hash.clone().finalize());
        lines.line(&End { rows: count, sha256 })?;
        out.flush()?;
        Ok(count)
    }

    /// Whether anything at all is kept here.
    pub async fn is_empty(&mut self) -> Result<bool, StoreError> {
        for table in TABLES {
            let sql = format!("select 1 as found from {table} limit 1");
            if sqlx::query(AssertSqlSafe(sql)).fetch_optional(self.db()).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Replaces everything by what a backup holds. Refuses another schema and, unless told to `replace`, data that is there.
    pub async fn restore(&mut self, from: impl BufRead, replace: bool) -> Result<u64, BackupError> {
        let mut rows = Rows::open(from)?;
        let (found, known) = (rows.head.schema, self.schema().await?);
        if found != known {
            return Err(BackupError::OtherSchema { found, known });
        }
        if !self.is_empty().await? {
            if !replace {
                return Err(BackupError::NotEmpty);
            }
            self.empty().await?;
        }
        let (mut count, mut forward) = (0, Vec::new());
        while let Some(mut row) = rows.next()? {
            if let Some((_, column, set)) = FORWARD.iter().find(|(table, ..)| row.0 == *table)
                && let (Some(to), Some(id)) = (row.1.remove(*column), row.1.get("id"))
                && !to.is_null()
            {
                forward.push((id.as_i64(), to.as_i64(), *set));
            }
            self.insert(&row, rows.line).await?;
            count += 1;
        }
        for (id, to, set) in forward {
            sqlx::query(set).bind(id.unwrap_or(0)).bind(to).execute(self.db()).await?;
        }
        if self.engine() == Engine::Postgres {
            self.set_sequences().await?;
        }
        Ok(count)
    }

    async fn insert(&mut self, Row(table, members): &Row, line: u64) -> Result<(), BackupError> {
        let names: Vec<&str> = members.keys().map(String::as_str).collect();
        let places: Vec<String> = (1..=names.len()).map(|place| format!("${place}")).collect();
        // Safe: the table is one of this file's, the names are lower-case letters; every value is bound.
        let sql = format!("insert into {table} ({}) values ({})", names.join(", "), places.join(", "));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in members.values() {
            query = match value {
                Value::Number(number) => query.bind(number.as_i64().ok_or(BackupError::Damaged { line })?),
                Value::String(text) => query.bind(text.clone()),
                Value::Object(blob) => {
                    let bytes = blob.get("base64").and_then(Value::as_str).and_then(|text| base64::from_url(text).ok());
                    query.bind(bytes.ok_or(BackupError::Damaged { line })?)
                }
                _ => return Err(BackupError::Damaged { line }),
            };
        }
        query.execute(self.db()).await?;
        Ok(())
    }

    async fn empty(&mut self) -> Result<(), StoreError> {
        sqlx::query("update activation set replaced_by = null where replaced_by is not null").execute(self.db()).await?;
        for table in TABLES.into_iter().rev().chain(PASSING) {
            sqlx::query(AssertSqlSafe(format!("delete from {table}"))).execute(self.db()).await?;
        }
        Ok(())
    }

    /// PostgreSQL gives the next id after the highest that was brought along.
    async fn set_sequences(&mut self) -> Result<(), StoreError> {
        for table in TABLES.into_iter().filter(|table| !WITHOUT_ID.contains(table)) {
            let sql = format!(
                "select setval(pg_get_serial_sequence('{table}', 'id'), coalesce((select max(id) from {table}), 0) + 1, false)"
            );
            sqlx::query(AssertSqlSafe(sql)).execute(self.db()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Location, Store};

    async fn store(dir: &tempfile::TempDir, name: &str) -> Store {
        Store::open(&Location::Sqlite(dir.path().join(name))).await.unwrap()
    }

    #[tokio::test]
    async fn every_table_is_backed_up_or_passing() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir, "a.db").await;
        let mut conn = store.read().await.unwrap();
        let sql =
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name <> '_sqlx_migrations'";
        let mut found: Vec<String> = Vec::new();
        for row in sqlx::query(sql).fetch_all(conn.db()).await.unwrap() {
            found.push(row.string("name").unwrap());
        }
        found.sort();
        let mut known: Vec<&str> = TABLES.into_iter().chain(PASSING).collect();
        known.sort_unstable();
        assert_eq!(found, known);
    }

    #[tokio::test]
    async fn a_backup_that_is_not_whole_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir, "a.db").await;
        let at = crate::licensing::Timestamp::from_millis(5);
        store.write(move |conn| Box::pin(async move { conn.set("portalName", "Press", at).await })).await.unwrap();
        let mut file = Vec::new();
        let rows = store.read().await.unwrap().back_up("now", None, &mut file).await.unwrap();
        assert_eq!(rows, 1);
        let mut seen = Vec::new();
        let head = Backup::read(file.as_slice(), |row| seen.push(row.0.clone())).unwrap();
        assert_eq!((head.engine.as_str(), seen), ("SQLite", vec!["setting".to_owned()]));

        let text = String::from_utf8(file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let damaged = [
            lines[..2].join("\n"),
            [lines[0], lines[2]].join("\n"),
            [lines[0], lines[1], lines[1], lines[2]].join("\n"),
            text.replace("Press", "Crate"),
            text.replace("\"setting\"", "\"sqlite_master\""),
            text.replace("\"value\"", "\"value) values (1); --\""),
        ];
        for (at, text) in damaged.iter().enumerate() {
            assert!(matches!(Backup::read(text.as_bytes(), |_| {}), Err(BackupError::Damaged { .. })), "{at}");
        }
        for text in ["", "{}", "hello", "{\"countersign_backup\":2,\"engine\":\"\",\"made_at\":\"\",\"schema\":1}"] {
            assert!(matches!(Backup::read(text.as_bytes(), |_| {}), Err(BackupError::NotABackup)), "{text}");
        }
    }
}
