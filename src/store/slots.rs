//! Slots of floating licenses and features. Whoever takes one has read, under the lock of the license, how many are in use.

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{
    ActivationId, LicenseId, Timestamp,
    floating::{Hold, InUse, Slot},
};

/// The code of a feature as slots are kept under it; none for the license itself.
fn place(feature: Option<&str>) -> String {
    feature.map_or_else(String::new, |code| plain(code).to_ascii_lowercase())
}

const fn kind(hold: Hold) -> &'static str {
    match hold {
        Hold::Floating { .. } => "floating",
        Hold::Borrowed { .. } => "borrowed",
        Hold::Kept => "kept",
    }
}

fn hold(row: &sqlx::any::AnyRow) -> Result<Option<Hold>, StoreError> {
    let until = row.maybe_int("until")?.map(Timestamp::from_millis);
    Ok(match (row.maybe_string("kind")?.as_deref(), until) {
        (None, _) => None,
        (Some("floating"), Some(until)) => Some(Hold::Floating { until }),
        (Some("borrowed"), Some(until)) => Some(Hold::Borrowed { until }),
        (Some("kept"), None) => Some(Hold::Kept),
        (Some(_), _) => {
            return Err(StoreError::inconsistent("slot", "kind", row.maybe_int("activation_id")?.unwrap_or_default()));
        }
    })
}

impl Conn {
    /// How many slots other machines have now, and this one's own.
    pub async fn slots_in_use(
        &mut self,
        license: LicenseId,
        feature: Option<&str>,
        activation: Option<ActivationId>,
        now: Timestamp,
    ) -> Result<InUse, StoreError> {
        let sql = "select (select count(*) from slot o where o.license_id = $1 and o.feature = $2 and o.activation_id <> $3 \
                   and (o.until is null or o.until > $4)) as others, s.activation_id, s.kind, s.until \
                   from (select 1 as one) x left join slot s on s.license_id = $1 and s.feature = $2 and s.activation_id = $3 \
                   and (s.until is null or s.until > $4)";
        let query =
            sqlx::query(sql).bind(license.0).bind(place(feature)).bind(activation.map_or(-1, |id| id.0)).bind(now.millis());
        let row = query.fetch_one(self.db()).await?;
        Ok(InUse { others: u32::try_from(row.int("others")?).unwrap_or(u32::MAX), own: hold(&row)? })
    }

    /// Gives a machine a slot, in place of the one it may have. Those of machines that fell silent go.
    pub async fn take_slot(
        &mut self,
        license: LicenseId,
        feature: Option<&str>,
        activation: ActivationId,
        hold: Hold,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        macro_rules! sweep {
            () => {
                "delete from slot where license_id = $1 and feature = $2 and activation_id <> $3 and until <= $6"
            };
        }
        macro_rules! take {
            () => {
                "insert into slot (license_id, feature, activation_id, kind, until) values ($1, $2, $3, $4, $5) \
                 on conflict (license_id, feature, activation_id) do update set kind = excluded.kind, until = excluded.until"
            };
        }
        let sql = self.engine().pick(concat!(sweep!(), "; ", take!()), concat!("with silent as (", sweep!(), ") ", take!()));
        sqlx::query(sql)
            .bind(license.0)
            .bind(place(feature))
            .bind(activation.0)
            .bind(kind(hold))
            .bind(hold.until().map(Timestamp::millis))
            .bind(now.millis())
            .fetch_all(self.db())
            .await?;
        Ok(())
    }

    /// Takes a machine's slot back, and says which it had, whether it still counted or not.
    pub async fn free_slot(
        &mut self,
        license: LicenseId,
        feature: Option<&str>,
        activation: ActivationId,
    ) -> Result<Option<Hold>, StoreError> {
        let sql =
            "delete from slot where license_id = $1 and feature = $2 and activation_id = $3 returning activation_id, kind, until";
        let rows = sqlx::query(sql).bind(license.0).bind(place(feature)).bind(activation.0).fetch_all(self.db()).await?;
        Ok(rows.first().map(hold).transpose()?.flatten())
    }

    /// Takes every slot of a machine back: it holds no seat any more.
    pub(super) async fn free_slots_of(&mut self, activation: ActivationId) -> Result<(), StoreError> {
        sqlx::query("delete from slot where activation_id = $1").bind(activation.0).execute(self.db()).await?;
        Ok(())
    }

    /// Gives a slot to every machine that is activated by a page or a file and has none: their license has become a floating one.
    pub async fn keep_slots_of_silent(&mut self, license: LicenseId) -> Result<(), StoreError> {
        let sql = "insert into slot (license_id, feature, activation_id, kind, until) \
                   select a.license_id, '', a.id, 'kept', null from activation a \
                   where a.license_id = $1 and a.state = 'active' and (a.how <> 'online' or a.api_key is null) \
                   on conflict (license_id, feature, activation_id) do nothing";
        sqlx::query(sql).bind(license.0).execute(self.db()).await?;
        Ok(())
    }

    /// The slots of a license and its features that are in use now, at most `most`.
    pub async fn slots(&mut self, license: LicenseId, now: Timestamp, most: i64) -> Result<Vec<Slot>, StoreError> {
        let sql = "select feature, activation_id, kind, until from slot where license_id = $1 and (until is null or until > $2) \
                   order by feature, activation_id limit $3";
        let rows = sqlx::query(sql).bind(license.0).bind(now.millis()).bind(most).fetch_all(self.db()).await?;
        let slot = |row: &sqlx::any::AnyRow| -> Result<Option<Slot>, StoreError> {
            let feature = Some(row.string("feature")?).filter(|code| !code.is_empty());
            let activation = ActivationId(row.int("activation_id")?);
            Ok(hold(row)?.map(|hold| Slot { activation, feature, hold }))
        };
        rows.iter().filter_map(|row| slot(row).transpose()).collect()
    }
}
