//! What limits count: how often a machine was activated, which trials it had, when seats were given back.

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{ActivationId, DeviceId, DeviceName, LicenseId, ProductId, Timestamp};

impl Conn {
    /// How often a machine was activated by a license.
    pub async fn activation_count(&mut self, activation: ActivationId) -> Result<u32, StoreError> {
        let row = sqlx::query("select activation_count from activation where id = $1").bind(activation.0);
        let count = row.fetch_optional(self.db()).await?.map_or(Ok(0), |row| row.int("activation_count"))?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Counts one activation more.
    pub async fn count_activation(&mut self, activation: ActivationId) -> Result<(), StoreError> {
        let sql = "update activation set activation_count = activation_count + 1 where id = $1";
        sqlx::query(sql).bind(activation.0).execute(self.db()).await?;
        Ok(())
    }

    /// Forgets how often a machine was activated: staff set it free.
    pub async fn forget_activations(&mut self, activation: ActivationId) -> Result<(), StoreError> {
        sqlx::query("update activation set activation_count = 0 where id = $1").bind(activation.0).execute(self.db()).await?;
        Ok(())
    }

    /// How many trial licenses of a product a machine had beside this one; machines under the same name alone, where one is told that is
    /// to count, and disabled licenses only with `revoked`.
    pub async fn other_trials(
        &mut self,
        product: ProductId,
        but: LicenseId,
        device: &DeviceId,
        name: Option<&DeviceName>,
        revoked: bool,
    ) -> Result<u32, StoreError> {
        let sql = "select count(distinct l.id) as found from activation a join license l on l.id = a.license_id \
                   where a.device_id = $1 and l.product_id = $2 and l.id <> $3 and l.trial = 1 \
                   and ($4 = '' or coalesce(a.device_name, $4) = $4) and ($5 = 1 or l.state = 'enabled')";
        let row = sqlx::query(sql)
            .bind(device.as_str().to_owned())
            .bind(product.0)
            .bind(but.0)
            .bind(name.map_or("", DeviceName::as_str).to_owned())
            .bind(i64::from(revoked))
            .fetch_one(self.db())
            .await?;
        Ok(u32::try_from(row.int("found")?).unwrap_or(u32::MAX))
    }

    /// Notes that a machine gave a license's seat back.
    pub async fn log_release(&mut self, license: LicenseId, device: &DeviceId, now: Timestamp) -> Result<(), StoreError> {
        let sql = "insert into release_log (license_id, device_id, at) values ($1, $2, $3)";
        sqlx::query(sql).bind(license.0).bind(device.as_str().to_owned()).bind(now.millis()).execute(self.db()).await?;
        Ok(())
    }

    /// How often a license's seats were given back since an instant, and how often by this machine.
    pub async fn releases_since(
        &mut self,
        license: LicenseId,
        device: &DeviceId,
        since: Timestamp,
    ) -> Result<(u32, u32), StoreError> {
        let sql = "select count(*) as made, cast(coalesce(sum(case when device_id = $2 then 1 else 0 end), 0) as bigint) as own \
                   from release_log where license_id = $1 and at >= $3";
        let query = sqlx::query(sql).bind(license.0).bind(device.as_str().to_owned()).bind(since.millis());
        let row = query.fetch_one(self.db()).await?;
        let count = |column| Ok::<_, StoreError>(u32::try_from(row.int(column)?).unwrap_or(u32::MAX));
        Ok((count("made")?, count("own")?))
    }

    /// Blocks these machines on every license, and those no more that were blocked so before.
    pub async fn block_everywhere(&mut self, devices: &[DeviceId], now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("delete from device_block where product_id is null and license_id is null").execute(self.db()).await?;
        for device in devices {
            let sql = "insert into device_block (device_id, created_at) values ($1, $2)";
            sqlx::query(sql).bind(plain(device.as_str())).bind(now.millis()).execute(self.db()).await?;
        }
        Ok(())
    }
}
