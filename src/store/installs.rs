//! Installs that apps tell of.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::Timestamp;

/// An install, as its app says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Install {
    pub token: String,
    pub product_name: String,
    pub version: String,
    pub computer_name: String,
    pub computer_id: String,
    /// The end of its activation key.
    pub key_ends: String,
    pub os: String,
    pub trial: bool,
    /// Up to three texts of the app's own, one a line.
    pub custom: String,
}

/// With the days it was seen on.
#[derive(Clone, Debug)]
pub struct SeenInstall {
    pub install: Install,
    pub installed: Timestamp,
    pub last: Timestamp,
    pub removed: Option<Timestamp>,
}

fn seen(row: &AnyRow) -> Result<SeenInstall, StoreError> {
    Ok(SeenInstall {
        install: Install {
            token: row.string("token")?,
            product_name: row.string("product_name")?,
            version: row.string("version")?,
            computer_name: row.string("computer_name")?,
            computer_id: row.string("computer_id")?,
            key_ends: row.string("key_ends")?,
            os: row.string("os")?,
            trial: row.int("trial")? != 0,
            custom: row.string("custom")?,
        },
        installed: Timestamp::from_millis(row.int("installed_on")?),
        last: Timestamp::from_millis(row.int("last_on")?),
        removed: row.maybe_int("removed_on")?.map(Timestamp::from_millis),
    })
}

impl Conn {
    pub async fn add_install(&mut self, new: &Install, day: Timestamp) -> Result<(), StoreError> {
        let sql = "insert into install (token, product_name, version, computer_name, computer_id, key_ends, os, trial, custom, \
                   installed_on, last_on) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)";
        let query = sqlx::query(sql).bind(plain(&new.token)).bind(plain(&new.product_name)).bind(plain(&new.version));
        let query = query.bind(plain(&new.computer_name)).bind(plain(&new.computer_id)).bind(plain(&new.key_ends));
        let query = query.bind(plain(&new.os)).bind(i64::from(new.trial)).bind(plain(&new.custom)).bind(day.millis());
        query.execute(self.db()).await?;
        Ok(())
    }

    /// Keeps what an app says of its install now. `false` when there is none by this name.
    pub async fn update_install(&mut self, new: &Install, day: Timestamp) -> Result<bool, StoreError> {
        let sql = "update install set product_name = $2, version = $3, computer_name = $4, computer_id = $5, key_ends = $6, os = $7, \
                   trial = $8, custom = $9, last_on = $10, removed_on = null where token = $1";
        let query = sqlx::query(sql).bind(plain(&new.token)).bind(plain(&new.product_name)).bind(plain(&new.version));
        let query = query.bind(plain(&new.computer_name)).bind(plain(&new.computer_id)).bind(plain(&new.key_ends));
        let query = query.bind(plain(&new.os)).bind(i64::from(new.trial)).bind(plain(&new.custom)).bind(day.millis());
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }

    /// Notes the day an install was used on, or that it was removed. `false` when there is none by this name.
    pub async fn install_seen(&mut self, token: &str, day: Timestamp, removed: bool) -> Result<bool, StoreError> {
        let sql = "update install set last_on = $2, removed_on = $3 where token = $1";
        let query = sqlx::query(sql).bind(plain(token)).bind(day.millis()).bind(removed.then_some(day.millis()));
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }

    /// Installs, newest first.
    pub async fn installs(&mut self, most: i64) -> Result<Vec<SeenInstall>, StoreError> {
        let sql = "select token, product_name, version, computer_name, computer_id, key_ends, os, trial, custom, installed_on, \
                   last_on, removed_on from install order by id desc limit $1";
        sqlx::query(sql).bind(most).fetch_all(self.db()).await?.iter().map(seen).collect()
    }
}
