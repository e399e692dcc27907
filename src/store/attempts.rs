//! Refusals, under the reference their page shows, for the person who is asked about it.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Bound, Columns, maybe_plain, plain},
};
use crate::licensing::{LicenseId, Timestamp};

/// A refusal to be kept. Of a key only its last group, of a file nothing.
#[derive(Clone, Debug)]
pub struct NewAttempt {
    pub reference: String,
    pub at: Timestamp,
    /// Where it was asked: `form`, `file`, `cli`, `api`.
    pub door: String,
    pub code: String,
    pub product_code: Option<String>,
    pub license: Option<LicenseId>,
    pub key_ends: Option<String>,
    pub device_id: Option<String>,
    pub device_name: Option<String>,
    /// The refusal as data, JSON.
    pub detail: String,
}

/// A refusal as it is kept.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub id: i64,
    pub what: NewAttempt,
}

impl NewAttempt {
    pub(super) fn bind(&self, query: Bound) -> Bound {
        query
            .bind(plain(&self.reference))
            .bind(self.at.millis())
            .bind(plain(&self.door))
            .bind(plain(&self.code))
            .bind(maybe_plain(self.product_code.as_deref()))
            .bind(self.license.map(|id| id.0))
            .bind(maybe_plain(self.key_ends.as_deref()))
            .bind(maybe_plain(self.device_id.as_deref()))
            .bind(maybe_plain(self.device_name.as_deref()))
            .bind(plain(&self.detail))
    }
}

macro_rules! attempt_columns {
    () => {
        "id, reference, at, door, code, product_code, license_id, key_ends, device_id, device_name, detail"
    };
}
pub(super) use attempt_columns;

pub(super) fn attempt(row: &AnyRow) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        id: row.int("id")?,
        what: NewAttempt {
            reference: row.string("reference")?,
            at: Timestamp::from_millis(row.int("at")?),
            door: row.string("door")?,
            code: row.string("code")?,
            product_code: row.maybe_string("product_code")?,
            license: row.maybe_int("license_id")?.map(LicenseId),
            key_ends: row.maybe_string("key_ends")?,
            device_id: row.maybe_string("device_id")?,
            device_name: row.maybe_string("device_name")?,
            detail: row.string("detail")?,
        },
    })
}

impl Conn {
    /// Keeps a refusal; it is written with the commit.
    pub fn note_attempt(&mut self, attempt: NewAttempt) {
        self.attempts.push(attempt);
    }

    pub async fn attempt(&mut self, reference: &str) -> Result<Option<Attempt>, StoreError> {
        let sql = concat!("select ", attempt_columns!(), " from attempt where reference = $1");
        let row = sqlx::query(sql).bind(plain(reference)).fetch_optional(self.db()).await?;
        row.as_ref().map(attempt).transpose()
    }

    pub async fn attempts_of_license(&mut self, license: LicenseId, most: i64) -> Result<Vec<Attempt>, StoreError> {
        let sql = concat!("select ", attempt_columns!(), " from attempt where license_id = $1 order by id desc limit $2");
        let rows = sqlx::query(sql).bind(license.0).bind(most).fetch_all(self.db()).await?;
        rows.iter().map(attempt).collect()
    }
}
