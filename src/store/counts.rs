//! Figures beside things: how many licenses a product has, when someone last signed in.

use std::collections::BTreeMap;

use super::{Conn, StoreError, conn::Columns};
use crate::licensing::{ProductId, Timestamp, UserId};

impl Conn {
    /// Licenses and taken seats of each product that has any.
    pub async fn product_counts(&mut self) -> Result<BTreeMap<i64, (i64, i64)>, StoreError> {
        let sql =
            "select product_id, count(*) as licenses, cast(sum(seats_taken) as bigint) as seats from license group by product_id";
        let rows = sqlx::query(sql).fetch_all(self.db()).await?;
        rows.iter().map(|row| Ok((row.int("product_id")?, (row.int("licenses")?, row.int("seats")?)))).collect()
    }

    /// How many licenses there are, of whatever state.
    pub async fn license_count(&mut self) -> Result<u64, StoreError> {
        let row = sqlx::query("select count(*) as found from license").fetch_one(self.db()).await?;
        Ok(row.int("found")?.unsigned_abs())
    }

    /// Licenses of a product that include a feature. Terms are JSON of this program's own making, so the code stands there as written.
    pub async fn licenses_with_feature(&mut self, product: ProductId, code: &str) -> Result<i64, StoreError> {
        let escaped = code.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let sql = "select count(*) as found from license where product_id = $1 and terms like $2 escape '\\'";
        let query = sqlx::query(sql).bind(product.0).bind(format!("%\"entitlements\":[%\"code\":\"{escaped}\"%"));
        query.fetch_one(self.db()).await?.int("found")
    }

    /// When each member last signed in.
    pub async fn last_sign_ins(&mut self) -> Result<BTreeMap<i64, Timestamp>, StoreError> {
        let sql = "select subject_id, max(at) as at from audit where subject_kind = 'staff' and act = 'staff.signed_in' group by subject_id";
        let rows = sqlx::query(sql).fetch_all(self.db()).await?;
        rows.iter().map(|row| Ok((row.int("subject_id")?, Timestamp::from_millis(row.int("at")?)))).collect()
    }

    pub async fn session_count(&mut self, staff: UserId, now: Timestamp) -> Result<i64, StoreError> {
        let sql = "select count(*) as found from session where staff_id = $1 and expires_at > $2";
        sqlx::query(sql).bind(staff.0).bind(now.millis()).fetch_one(self.db()).await?.int("found")
    }

    /// Refusals since an instant.
    pub async fn attempts_since(&mut self, since: Timestamp) -> Result<i64, StoreError> {
        let row =
            sqlx::query("select count(*) as found from attempt where at >= $1").bind(since.millis()).fetch_one(self.db()).await?;
        row.int("found")
    }

    /// Licenses that end within a span of time.
    pub async fn ending_between(&mut self, from: Timestamp, until: Timestamp) -> Result<i64, StoreError> {
        let sql = "select count(*) as found from license where state = 'enabled' and valid_until > $1 and valid_until <= $2";
        sqlx::query(sql).bind(from.millis()).bind(until.millis()).fetch_one(self.db()).await?.int("found")
    }
}
