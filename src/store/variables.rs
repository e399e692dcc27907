//! Device variables: what an app tells of the machine it runs on, name by name.

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{ActivationId, LicenseId, Timestamp};

/// A variable as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceVariable {
    pub id: i64,
    pub activation: ActivationId,
    pub name: String,
    pub value: String,
    pub changed: Timestamp,
}

impl Conn {
    /// Sets variables of one machine; those not named stay. One statement a variable: files carry few, and no act carries many.
    pub async fn set_variables(
        &mut self,
        activation: ActivationId,
        variables: &[(String, String)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "insert into device_variable (activation_id, name, value, changed_at) values ($1, $2, $3, $4) \
                   on conflict (activation_id, name) do update set value = $3, changed_at = $4 where device_variable.value <> $3";
        for (name, value) in variables {
            let query = sqlx::query(sql).bind(activation.0).bind(plain(name)).bind(plain(value)).bind(now.millis());
            query.execute(self.db()).await?;
        }
        Ok(())
    }

    /// The variables of one machine, by name.
    pub async fn variables(&mut self, activation: ActivationId) -> Result<Vec<DeviceVariable>, StoreError> {
        let sql =
            "select id, activation_id, name, value, changed_at from device_variable where activation_id = $1 order by name, id";
        let rows = sqlx::query(sql).bind(activation.0).fetch_all(self.db()).await?;
        rows.iter().map(variable).collect()
    }

    /// The variables of every machine of a license, for its page.
    pub async fn variables_of_license(&mut self, license: LicenseId) -> Result<Vec<DeviceVariable>, StoreError> {
        let sql = "select v.id, v.activation_id, v.name, v.value, v.changed_at from device_variable v \
                   join activation a on a.id = v.activation_id where a.license_id = $1 order by v.activation_id, v.name, v.id limit 2000";
        let rows = sqlx::query(sql).bind(license.0).fetch_all(self.db()).await?;
        rows.iter().map(variable).collect()
    }
}

fn variable(row: &sqlx::any::AnyRow) -> Result<DeviceVariable, StoreError> {
    Ok(DeviceVariable {
        id: row.int("id")?,
        activation: ActivationId(row.int("activation_id")?),
        name: row.string("name")?,
        value: row.string("value")?,
        changed: Timestamp::from_millis(row.int("changed_at")?),
    })
}
