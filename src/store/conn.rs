//! A connection in the hands of an act. Rows that no act reads back (audit entries, result pages, refusals) are gathered and
//! written by a few many-row statements just before the commit.

use std::collections::HashSet;

use sqlx::{Any, AnyConnection, AssertSqlSafe, Executor, any::AnyRow, pool::PoolConnection, query::Query};

use super::{Engine, StoreError, attempts::NewAttempt, audit::AuditRow, pages::ResultPage};

pub struct Conn {
    inner: PoolConnection<Any>,
    engine: Engine,
    /// Whether rows that are read are locked for an act. Readers hold nothing.
    locks: bool,
    pub(super) audits: Vec<AuditRow>,
    pub(super) pages: Vec<ResultPage>,
    pub(super) attempts: Vec<NewAttempt>,
}

/// How much was gathered at some point, to be written with the act.
#[derive(Clone, Copy)]
pub struct Mark(usize, usize, usize);

impl Conn {
    pub(super) const fn new(inner: PoolConnection<Any>, engine: Engine) -> Self {
        Self { inner, engine, locks: true, audits: Vec::new(), pages: Vec::new(), attempts: Vec::new() }
    }

    pub(super) fn for_reading(inner: PoolConnection<Any>, engine: Engine) -> Self {
        let mut conn = Self::new(inner, engine);
        conn.locks = false;
        conn
    }

    /// Whether an act on PostgreSQL must lock what it reads: SQLite has one writer, who holds every lock.
    pub(super) fn locks_rows(&self) -> bool {
        self.locks && self.engine == Engine::Postgres
    }

    /// Whether all it sees is committed: it reads, and writes nothing.
    pub const fn reads_committed(&self) -> bool {
        !self.locks
    }

    /// Closes the connection instead of giving it back.
    pub(super) fn give_up(mut self) {
        self.inner.close_on_drop();
    }

    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    pub(super) fn db(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    pub(super) async fn execute(&mut self, sql: &'static str) -> Result<(), StoreError> {
        self.inner.execute(sqlx::raw_sql(sql)).await?;
        Ok(())
    }

    /// Closes a connection whose state is unknown instead of giving it back.
    pub(super) async fn discard(self) {
        let _ = self.inner.close().await;
    }

    #[must_use]
    pub const fn mark(&self) -> Mark {
        Mark(self.audits.len(), self.pages.len(), self.attempts.len())
    }

    /// What was gathered since is not written.
    pub fn forget_after(&mut self, mark: Mark) {
        self.audits.truncate(mark.0);
        self.pages.truncate(mark.1);
        self.attempts.truncate(mark.2);
    }

    /// Writes what was gathered.
    pub(super) async fn flush(&mut self) -> Result<(), StoreError> {
        let audits = std::mem::take(&mut self.audits);
        insert_all(
            self,
            "audit (at, subject_kind, subject_id, act, actor, before, after, prev, hash)",
            9,
            &audits,
            AuditRow::bind,
            "",
        )
        .await?;
        let mut pages = std::mem::take(&mut self.pages);
        // The last page under a link stands; one statement cannot write a row twice.
        let mut links = HashSet::new();
        pages.reverse();
        pages.retain(|page| links.insert(page.token_hash.clone()));
        let into = "result_page (token_hash, kind, content, created_at, expires_at)";
        let in_place = " on conflict (token_hash) do update set kind = excluded.kind, content = excluded.content, \
                        created_at = excluded.created_at, expires_at = excluded.expires_at";
        insert_all(self, into, 5, &pages, ResultPage::bind, in_place).await?;
        let attempts = std::mem::take(&mut self.attempts);
        let into = "attempt (reference, at, door, code, product_code, license_id, key_ends, device_id, device_name, detail)";
        insert_all(self, into, 10, &attempts, NewAttempt::bind, "").await
    }

    /// The database's own view of a setting of the writing connection, for `doctor` and tests.
    pub async fn pragma(&mut self, name: &'static str) -> Result<String, StoreError> {
        let sql = match name {
            "synchronous" => "select cast(synchronous as text) from pragma_synchronous",
            "journal_mode" => "select cast(journal_mode as text) from pragma_journal_mode",
            _ => "select cast(foreign_keys as text) from pragma_foreign_keys",
        };
        Ok(sqlx::query_scalar::<_, String>(sql).fetch_one(self.db()).await?)
    }
}

pub(super) type Bound = Query<'static, Any, sqlx::any::AnyArguments>;

/// Inserts in runs of 32, 8 and 1 rows, so that only three statements a table are ever prepared.
async fn insert_all<T>(
    conn: &mut Conn,
    into: &'static str,
    columns: usize,
    rows: &[T],
    bind: fn(&T, Bound) -> Bound,
    on_conflict: &'static str,
) -> Result<(), StoreError> {
    let mut rest = rows;
    while !rest.is_empty() {
        let count = [32, 8, 1].into_iter().find(|count| *count <= rest.len()).unwrap_or(1);
        let (now, later) = rest.split_at(count);
        let mut sql = format!("insert into {into} values ");
        for row in 0..count {
            let places: Vec<String> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
            sql.push_str(if row == 0 { "(" } else { ", (" });
            sql.push_str(&places.join(", "));
            sql.push(')');
        }
        sql.push_str(on_conflict);
        // Safe: made of the constants of this file and of numbers; every value is bound.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for row in now {
            query = bind(row, query);
        }
        query.execute(conn.db()).await?;
        rest = later;
    }
    Ok(())
}

/// A text as it is kept: without NUL, which PostgreSQL refuses. No text that was parsed holds one; what an app or a visitor sends
/// may, and must be answered, not fail.
pub(super) fn plain(text: &str) -> String {
    text.replace('\0', "")
}

pub(super) fn maybe_plain(text: Option<&str>) -> Option<String> {
    text.map(plain)
}

/// Columns by name, with the errors of this room.
pub(super) trait Columns {
    fn int(&self, column: &str) -> Result<i64, StoreError>;
    fn maybe_int(&self, column: &str) -> Result<Option<i64>, StoreError>;
    fn string(&self, column: &str) -> Result<String, StoreError>;
    fn maybe_string(&self, column: &str) -> Result<Option<String>, StoreError>;
    fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError>;
    fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError>;
}

impl Columns for AnyRow {
    fn int(&self, column: &str) -> Result<i64, StoreError> {
        Ok(sqlx::Row::try_get(self, column)?)
    }
    fn maybe_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::Row::try_get(self, column)?)
    }
    fn string(&self, column: &str) -> Result<String, StoreError> {
        Ok(sqlx::Row::try_get(self, column)?)
    }
    fn maybe_string(&self, column: &str) -> Result<Option<String>, StoreError> {
        Ok(sqlx::Row::try_get(self, column)?)
    }
    fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        Ok(sqlx::Row::try_get(self, column)?)
    }
    fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::Row::try_get(self, column)?)
    }
}
