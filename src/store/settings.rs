//! Settings by name, and leases on jobs.

use std::collections::BTreeMap;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::Timestamp;

impl Conn {
    pub async fn settings(&mut self) -> Result<BTreeMap<String, String>, StoreError> {
        let rows = sqlx::query("select name, value from setting").fetch_all(self.db()).await?;
        rows.iter().map(|row| Ok((row.string("name")?, row.string("value")?))).collect()
    }

    pub async fn setting(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("select value from setting where name = $1").bind(plain(name)).fetch_optional(self.db()).await?;
        row.map(|row| row.string("value")).transpose()
    }

    /// Sets a value. Its instant always rises, whatever the clock of this process says, so that others notice.
    pub async fn set(&mut self, name: &str, value: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql = "insert into setting (name, value, changed_at) values ($1, $2, $3) on conflict (name) do update set value = $2, \
                   changed_at = case when setting.changed_at < $3 then $3 else setting.changed_at + 1 end";
        sqlx::query(sql).bind(plain(name)).bind(plain(value)).bind(now.millis()).execute(self.db()).await?;
        Ok(())
    }

    /// Two numbers, for settings and for signing keys: one changes whenever any of them does, so that a running server notices
    /// what another process did, even one whose clock is behind.
    pub async fn revision(&mut self) -> Result<(i64, i64), StoreError> {
        let sql = "select cast(coalesce((select sum(changed_at) from setting), 0) as bigint) as settings, \
                   cast(coalesce((select sum(since + length(state)) from seal), 0) as bigint) as seals";
        let row = sqlx::query(sql).fetch_one(self.db()).await?;
        Ok((row.int("settings")?, row.int("seals")?))
    }

    /// Takes or keeps a lease. `false` when another holds it.
    pub async fn take_lease(&mut self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        let sql = "insert into lease (name, holder, until) values ($1, $2, $4) \
                   on conflict (name) do update set holder = $2, until = $4 where lease.holder = $2 or lease.until <= $3";
        let query = sqlx::query(sql).bind(plain(name)).bind(plain(holder)).bind(now.millis()).bind(until.millis());
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }
}
