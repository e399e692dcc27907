//! Trials that were claimed: one a machine, and one an address where licenses are by user.

use super::{Conn, StoreError, conn::Columns};
use crate::licensing::{DeviceId, Email, LicenseId, ProductId, Timestamp};

impl Conn {
    /// Lets one act at a time look for a trial of a product and claim one.
    pub async fn lock_trials(&mut self, product: ProductId) -> Result<(), StoreError> {
        if self.locks_rows() {
            sqlx::query("select id from product where id = $1 for update").bind(product.0).fetch_optional(self.db()).await?;
        }
        Ok(())
    }

    /// The newest trial of a product that a machine claimed, with the address it was for.
    pub async fn trial_of_device(
        &mut self,
        product: ProductId,
        device: &DeviceId,
    ) -> Result<Option<(LicenseId, Option<String>)>, StoreError> {
        let sql =
            "select license_id, email_folded from trial_claim where product_id = $1 and device_id = $2 order by id desc limit 1";
        let row = sqlx::query(sql).bind(product.0).bind(device.as_str().to_owned()).fetch_optional(self.db()).await?;
        row.map(|row| Ok((LicenseId(row.int("license_id")?), row.maybe_string("email_folded")?))).transpose()
    }

    /// The newest trial of a product for an address.
    pub async fn trial_of_address(&mut self, product: ProductId, email: &Email) -> Result<Option<LicenseId>, StoreError> {
        let sql = "select license_id from trial_claim where product_id = $1 and email_folded = $2 order by id desc limit 1";
        let row = sqlx::query(sql).bind(product.0).bind(email.folded()).fetch_optional(self.db()).await?;
        row.map(|row| row.int("license_id").map(LicenseId)).transpose()
    }

    pub async fn claim_trial(
        &mut self,
        product: ProductId,
        device: &DeviceId,
        email: Option<&Email>,
        license: LicenseId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql =
            "insert into trial_claim (product_id, device_id, email_folded, license_id, created_at) values ($1, $2, $3, $4, $5)";
        sqlx::query(sql)
            .bind(product.0)
            .bind(device.as_str().to_owned())
            .bind(email.map(Email::folded))
            .bind(license.0)
            .bind(now.millis())
            .execute(self.db())
            .await?;
        Ok(())
    }
}
