//! Initialization codes for air-gapped machines. Whoever gives one out or uses one holds the lock of the license.

use sqlx::any::AnyRow;

use super::{Conn, StoreError, conn::Columns};
use crate::licensing::{
    ActivationId, LicenseId, Timestamp,
    airgap::{CodePurpose, CodeUse, OneTimeCode},
};

/// The most codes of a license that are looked through: those that wait, and some that were used or ran out lately.
const MOST_CODES: i64 = 64;

/// A code to be given out.
#[derive(Clone, Debug)]
pub struct NewAirGapCode {
    pub license: LicenseId,
    pub purpose: CodePurpose,
    pub point: Vec<u8>,
    pub by_staff: bool,
    /// The machine it is for; none: whichever uses it.
    pub machine: Option<ActivationId>,
    pub expires: Timestamp,
}

fn code(row: &AnyRow) -> Result<OneTimeCode, StoreError> {
    let id = row.int("id")?;
    let machine = row.maybe_int("activation_id")?.map(ActivationId);
    let since = row.maybe_int("used_since")?.map(Timestamp::from_millis);
    let bad = |column| StoreError::inconsistent("airgap_code", column, id);
    let used = match (machine, since) {
        (_, None) => None,
        (Some(activation), Some(since)) => Some(CodeUse { activation, since }),
        (None, Some(_)) => return Err(bad("activation_id")),
    };
    Ok(OneTimeCode {
        id,
        purpose: CodePurpose::parse(&row.string("purpose")?).ok_or_else(|| bad("purpose"))?,
        point: row.bytes("point")?,
        by_staff: row.int("by_staff")? != 0,
        machine,
        expires: Timestamp::from_millis(row.int("expires_at")?),
        used,
    })
}

impl Conn {
    /// The codes of a license: those that were not used, then the others, newest first.
    pub async fn airgap_codes(&mut self, license: LicenseId) -> Result<Vec<OneTimeCode>, StoreError> {
        let sql = "select id, purpose, point, by_staff, expires_at, activation_id, used_since from airgap_code \
                   where license_id = $1 \
                   order by case when used_since is null then 0 else 1 end, id desc limit $2";
        let rows = sqlx::query(sql).bind(license.0).bind(MOST_CODES).fetch_all(self.db()).await?;
        rows.iter().map(code).collect()
    }

    pub async fn add_airgap_code(&mut self, new: &NewAirGapCode, now: Timestamp) -> Result<(), StoreError> {
        let sql = "insert into airgap_code (license_id, purpose, point, by_staff, created_at, expires_at, activation_id) \
                   values ($1, $2, $3, $4, $5, $6, $7)";
        sqlx::query(sql)
            .bind(new.license.0)
            .bind(new.purpose.as_str())
            .bind(new.point.clone())
            .bind(i64::from(new.by_staff))
            .bind(now.millis())
            .bind(new.expires.millis())
            .bind(new.machine.map(|id| id.0))
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// Notes what a code was used for.
    pub async fn use_airgap_code(&mut self, id: i64, used: &CodeUse) -> Result<(), StoreError> {
        let sql = "update airgap_code set activation_id = $2, used_since = $3 where id = $1";
        sqlx::query(sql).bind(id).bind(used.activation.0).bind(used.since.millis()).execute(self.db()).await?;
        Ok(())
    }
}
