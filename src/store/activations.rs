//! Activations, and the one joined read that an activation decision needs.

use sqlx::any::AnyRow;

use super::{
    Conn, Customer, StoreError,
    conn::{Columns, maybe_plain, plain},
    licenses::{bind_seats, license, license_columns, save_seats},
    orders::{customer, customer_columns},
    products::{product, product_columns},
};
use crate::licensing::{
    ActivationId, ActivationKey, DeviceId, DeviceName, LicenseId, ProductId, Timestamp,
    activation::{Activation, ActivationState, Counted, Device, DeviceKey, How},
    decide::Holder,
    license::{Actor, License},
    product::Product,
    tpm::TpmKey,
};

macro_rules! activation_columns {
    () => {
        "a.id as a_id, a.license_id as a_license_id, a.device_id as a_device_id, a.device_name as a_device_name, a.device_os as a_device_os, \
         a.device_app as a_device_app, a.device_sdk as a_device_sdk, a.device_vm as a_device_vm, a.state as a_state, a.state_at as a_state_at, \
         a.state_by as a_state_by, a.state_reason as a_state_reason, a.counted as a_counted, a.replaced_by as a_replaced_by, a.how as a_how, \
         a.device_key as a_device_key, a.user_email as a_user_email, a.first_activated_at as a_first_activated_at, \
         a.last_seen_at as a_last_seen_at, a.rebinds as a_rebinds, a.rebinds_since as a_rebinds_since, \
         a.offline_releases as a_offline_releases, a.offline_releases_since as a_offline_releases_since, a.use_seq as a_use_seq, \
         a.use_totals as a_use_totals, a.api_key as a_api_key, a.file_keys as a_file_keys, \
         a.bound_at as a_bound_at, a.contact as a_contact, a.tpm_key as a_tpm_key"
    };
}

pub(super) use activation_columns;

/// What is read before deciding about a device on a license.
#[derive(Clone, Debug)]
pub struct ActivationFactsRow {
    pub license: License,
    pub product: Product,
    pub audit_head: Option<Vec<u8>>,
    pub known: Option<Activation>,
    /// The oldest seat another device gave back and none has retaken.
    pub vacated: Option<ActivationId>,
    /// How many such seats there are.
    pub vacated_seats: u32,
    pub blocked: bool,
    /// The key that signs the product's files now.
    pub signing_key: Option<String>,
    /// The key that signs for LicenseSpring's clients now.
    pub app_key: Option<String>,
    /// Whose license it is.
    pub customer: Option<Customer>,
    /// What the shop calls the order it was sold in.
    pub order: Option<String>,
}

fn activation(row: &AnyRow) -> Result<Activation, StoreError> {
    let id = row.int("a_id")?;
    let bad = |column| StoreError::inconsistent("activation", column, id);
    let at = Timestamp::from_millis(row.int("a_state_at")?);
    let by = || -> Result<Actor, StoreError> {
        let text = row.maybe_string("a_state_by")?.ok_or_else(|| bad("state_by"))?;
        serde_json::from_str(&text).map_err(|_| bad("state_by"))
    };
    let state = match row.string("a_state")?.as_str() {
        "active" => ActivationState::Active { since: at },
        "released" => ActivationState::Released {
            at,
            by: by()?,
            counted: row.int("a_counted")? != 0,
            replaced_by: row.maybe_int("a_replaced_by")?.map(ActivationId),
        },
        "revoked" => ActivationState::Revoked { at, by: by()?, reason: row.maybe_string("a_state_reason")?.unwrap_or_default() },
        _ => return Err(bad("state")),
    };
    let counted = |times: &str, since: &str| -> Result<Counted, StoreError> {
        Ok(Counted {
            times: u32::try_from(row.int(times)?).map_err(|_| bad("rebinds"))?,
            since: row.maybe_int(since)?.map(Timestamp::from_millis),
        })
    };
    let name = row.maybe_string("a_device_name")?;
    let tpm_key = row.maybe_string("a_tpm_key")?;
    Ok(Activation {
        id: ActivationId(id),
        license: LicenseId(row.int("a_license_id")?),
        device: Device {
            id: DeviceId::parse(&row.string("a_device_id")?).map_err(|_| bad("device_id"))?,
            name: name.map(|name| DeviceName::parse(&name).map_err(|_| bad("device_name"))).transpose()?,
            os: row.maybe_string("a_device_os")?,
            app: row.maybe_string("a_device_app")?,
            sdk: row.maybe_string("a_device_sdk")?,
            virtual_machine: row.maybe_int("a_device_vm")?.map(|vm| vm != 0),
        },
        state,
        how: How::parse(&row.string("a_how")?).ok_or_else(|| bad("how"))?,
        device_key: row.maybe_string("a_device_key")?.map(DeviceKey),
        user: row.maybe_string("a_user_email")?,
        first_activated: Timestamp::from_millis(row.int("a_first_activated_at")?),
        last_seen: Timestamp::from_millis(row.int("a_last_seen_at")?),
        rebinds: counted("a_rebinds", "a_rebinds_since")?,
        offline_releases: counted("a_offline_releases", "a_offline_releases_since")?,
        use_seq: row.int("a_use_seq")?,
        use_totals: serde_json::from_str(&row.string("a_use_totals")?).map_err(|_| bad("use_totals"))?,
        api_key: row.maybe_string("a_api_key")?,
        file_keys: row.maybe_string("a_file_keys")?,
        bound: row.maybe_int("a_bound_at")?.map(Timestamp::from_millis),
        contact: row.maybe_string("a_contact")?,
        tpm_key: tpm_key.map(|text| TpmKey::parse(&text).map_err(|_| bad("tpm_key"))).transpose()?,
    })
}

/// The license, its product and customer, this device's activation, an open transfer, a block and the keys that sign, in one trip. The
/// keys are asked for by the expression of their index: their rows carry the secret, and a scan would read every one.
macro_rules! facts_query {
    ($where:literal) => {
        concat!(
            "select ",
            license_columns!(),
            ", ",
            product_columns!(),
            ", ",
            activation_columns!(),
            ", (select min(v.id) from activation v where v.license_id = l.id and v.state = 'released' and v.counted = 1 \
               and v.replaced_by is null and v.device_id <> $1) as vacated, \
             (select count(*) from activation v where v.license_id = l.id and v.state = 'released' and v.counted = 1 \
               and v.replaced_by is null and v.device_id <> $1) as vacated_seats, \
             (select min(b.id) from device_block b where b.device_id = $1 and (b.product_id is null or b.product_id = l.product_id) \
               and (b.license_id is null or b.license_id = l.id)) as blocked, \
             (select s.kid from seal s where s.purpose = 'license' and coalesce(s.product_id, 0) = l.product_id and s.state = 'active') as signing_key, \
             (select s.kid from seal s where s.purpose = 'licensespring' and coalesce(s.product_id, 0) = 0 and s.state = 'active') as app_key, \
             (select o.reference from orders o where o.id = l.order_id) as order_reference, ",
            customer_columns!(),
            " from license l join product p on p.id = l.product_id left join customer c on c.id = l.customer_id \
             left join activation a on a.license_id = l.id and a.device_id = $1 where ",
            $where
        )
    };
}

impl Conn {
    /// The facts about a device on each license with this key, one a product at the most, locked.
    pub async fn facts_with_key(&mut self, key_folded: &str, device: &DeviceId) -> Result<Vec<ActivationFactsRow>, StoreError> {
        if self.locks_rows() {
            let sql = "select id from license where key_folded = $1 order by id for update";
            sqlx::query(sql).bind(plain(key_folded)).fetch_all(self.db()).await?;
        }
        let sql = facts_query!("l.key_folded = $2 order by l.id");
        let query = sqlx::query(sql).bind(device.as_str().to_owned()).bind(plain(key_folded));
        query.fetch_all(self.db()).await?.iter().map(facts).collect()
    }

    /// The facts about a device on a license, locked. They are read by a statement of their own: on PostgreSQL one that waits for a
    /// lock sees the row it waited for as it is now, but what it joins as it was before, and would miss the seat this device took.
    pub async fn facts_by_license(
        &mut self,
        license: LicenseId,
        device: &DeviceId,
    ) -> Result<Option<ActivationFactsRow>, StoreError> {
        if self.locks_rows() {
            sqlx::query("select id from license where id = $1 for update").bind(license.0).fetch_optional(self.db()).await?;
        }
        let sql = facts_query!("l.id = $2");
        let query = sqlx::query(sql).bind(device.as_str().to_owned()).bind(license.0);
        query.fetch_optional(self.db()).await?.as_ref().map(facts).transpose()
    }

    /// The devices that hold a seat, oldest first, at most `most`.
    pub async fn holders(&mut self, license: LicenseId, most: i64) -> Result<Vec<Holder>, StoreError> {
        let sql = concat!(
            "select ",
            activation_columns!(),
            " from activation a where a.license_id = $1 and a.state = 'active' order by a.state_at, a.id limit $2"
        );
        let rows = sqlx::query(sql).bind(license.0).bind(most).fetch_all(self.db()).await?;
        rows.iter()
            .map(|row| {
                let held = activation(row)?;
                let since = Timestamp::from_millis(row.int("a_state_at")?);
                Ok(Holder::new(&held.device.id, held.device.name, since))
            })
            .collect()
    }

    /// A license's activations in whatever state, those that hold a seat first, at most `most`.
    pub async fn activations(&mut self, license: LicenseId, most: i64) -> Result<Vec<Activation>, StoreError> {
        let sql = concat!(
            "select ",
            activation_columns!(),
            " from activation a where a.license_id = $1 \
              order by case a.state when 'active' then 0 when 'revoked' then 1 else 2 end, a.state_at desc, a.id limit $2"
        );
        let rows = sqlx::query(sql).bind(license.0).bind(most).fetch_all(self.db()).await?;
        rows.iter().map(activation).collect()
    }

    /// A machine's activations on whatever license, the newest first, at most `most`.
    pub async fn activations_of_device(&mut self, device: &DeviceId, most: i64) -> Result<Vec<Activation>, StoreError> {
        let sql = concat!(
            "select ",
            activation_columns!(),
            " from activation a where a.device_id = $1 order by a.state_at desc, a.id limit $2"
        );
        let rows = sqlx::query(sql).bind(device.as_str().to_owned()).bind(most).fetch_all(self.db()).await?;
        rows.iter().map(activation).collect()
    }

    pub async fn activation(&mut self, id: ActivationId) -> Result<Option<Activation>, StoreError> {
        let sql = concat!("select ", activation_columns!(), " from activation a where a.id = $1");
        let row = sqlx::query(sql).bind(id.0).fetch_optional(self.db()).await?;
        row.as_ref().map(activation).transpose()
    }

    /// Adds an activation that holds a seat since now, whatever id it bears, and saves the license that counts it: in one trip, because
    /// an activation makes few of them, and each is two threads that wake each other.
    pub async fn take_seat(
        &mut self,
        new: &Activation,
        license: &License,
        audit_head: &[u8],
    ) -> Result<ActivationId, StoreError> {
        macro_rules! add_activation {
            () => {
                "insert into activation (license_id, device_id, device_name, device_name_folded, device_os, device_app, device_sdk, device_vm, state, \
                 state_at, counted, how, device_key, user_email, first_activated_at, last_seen_at, rebinds, offline_releases, use_seq, api_key, \
                 file_keys, contact, tpm_key) values ($1, $7, $8, $9, $10, $11, $12, $13, 'active', $14, 0, $15, $16, $17, $14, $14, 0, 0, 0, $18, $19, $20, $21) \
                 returning id"
            };
        }
        let sql = self.engine().pick(
            concat!(save_seats!(), "; ", add_activation!()),
            concat!("with counted as (", save_seats!(), ") ", add_activation!()),
        );
        let device = &new.device;
        // Of two statements `fetch_one` would look at the first alone.
        let rows = bind_seats(sqlx::query(sql), license, audit_head)
            .bind(device.id.as_str().to_owned())
            .bind(device.name.as_ref().map(|name| name.as_str().to_owned()))
            .bind(folded(device))
            .bind(maybe_plain(device.os.as_deref()))
            .bind(maybe_plain(device.app.as_deref()))
            .bind(maybe_plain(device.sdk.as_deref()))
            .bind(device.virtual_machine.map(i64::from))
            .bind(new.first_activated.millis())
            .bind(new.how.as_str())
            .bind(new.device_key.as_ref().map(|key| key.0.clone()))
            .bind(maybe_plain(new.user.as_deref()))
            .bind(maybe_plain(new.api_key.as_deref()))
            .bind(new.file_keys.clone())
            .bind(maybe_plain(new.contact.as_deref()))
            .bind(new.tpm_key.as_ref().map(|key| key.text().to_owned()))
            .fetch_all(self.db())
            .await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        row.int("id").map(ActivationId)
    }

    /// Notes when machines called last. What is known later already stays.
    pub async fn machines_were_seen(&mut self, seen: &[(ActivationId, Timestamp)]) -> Result<(), StoreError> {
        const ROWS: usize = 128;
        for part in seen.chunks(ROWS) {
            // Few statements, so that each is prepared once.
            let count = part.len().next_power_of_two();
            let row = |n: usize| format!("(cast(${} as bigint), cast(${} as bigint))", 2 * n + 1, 2 * n + 2);
            let sql = format!(
                "update activation set last_seen_at = seen.column2 from (values {}) as seen \
                 where activation.id = seen.column1 and activation.last_seen_at < seen.column2",
                (0..count).map(row).collect::<Vec<_>>().join(", ")
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql));
            let nobody = std::iter::repeat((-1, 0));
            let rows = part.iter().map(|(id, at)| (id.0, at.millis())).chain(nobody).take(count);
            rows.fold(query, |query, (id, at)| query.bind(id).bind(at)).execute(self.db()).await?;
        }
        Ok(())
    }

    /// Saves an activation after an act. One that holds no seat has no slot of a floating license either.
    pub async fn save_activation(&mut self, activation: &Activation) -> Result<(), StoreError> {
        let (at, by, reason, counted, replaced_by) = match &activation.state {
            ActivationState::Active { since } => (*since, None, None, false, None),
            ActivationState::Released { at, by, counted, replaced_by } => (*at, Some(by), None, *counted, *replaced_by),
            ActivationState::Revoked { at, by, reason } => (*at, Some(by), maybe_plain(Some(reason)), false, None),
        };
        let device = &activation.device;
        sqlx::query(
            "update activation set device_name = $2, device_os = $3, device_app = $4, device_sdk = $5, device_vm = $6, state = $7, \
             state_at = $8, state_by = $9, state_reason = $10, counted = $11, replaced_by = $12, how = $13, device_key = $14, \
             user_email = $15, last_seen_at = $16, rebinds = $17, rebinds_since = $18, offline_releases = $19, \
             offline_releases_since = $20, use_seq = $21, api_key = $22, device_name_folded = $23, use_totals = $24, file_keys = $25, bound_at = $26, contact = $27, tpm_key = $28 where id = $1",
        )
        .bind(activation.id.0)
        .bind(device.name.as_ref().map(|name| name.as_str().to_owned()))
        .bind(maybe_plain(device.os.as_deref()))
        .bind(maybe_plain(device.app.as_deref()))
        .bind(maybe_plain(device.sdk.as_deref()))
        .bind(device.virtual_machine.map(i64::from))
        .bind(activation.state.as_str())
        .bind(at.millis())
        .bind(by.map(|by| serde_json::to_string(by).expect("actors are plain data")))
        .bind(reason)
        .bind(i64::from(counted))
        .bind(replaced_by.map(|id| id.0))
        .bind(activation.how.as_str())
        .bind(activation.device_key.as_ref().map(|key| key.0.clone()))
        .bind(maybe_plain(activation.user.as_deref()))
        .bind(activation.last_seen.millis())
        .bind(i64::from(activation.rebinds.times))
        .bind(activation.rebinds.since.map(Timestamp::millis))
        .bind(i64::from(activation.offline_releases.times))
        .bind(activation.offline_releases.since.map(Timestamp::millis))
        .bind(activation.use_seq)
        .bind(maybe_plain(activation.api_key.as_deref()))
        .bind(folded(device))
        .bind(serde_json::to_string(&activation.use_totals).expect("totals are plain data"))
        .bind(activation.file_keys.clone())
        .bind(activation.bound.map(Timestamp::millis))
        .bind(maybe_plain(activation.contact.as_deref()))
        .bind(activation.tpm_key.as_ref().map(|key| key.text().to_owned()))
        .execute(self.db())
        .await?;
        if !activation.state.holds_seat() {
            self.free_slots_of(activation.id).await?;
        }
        Ok(())
    }

    /// The key of the license on which a machine has this computer key and a seat.
    pub async fn key_of_computer(
        &mut self,
        product: ProductId,
        device: &DeviceId,
        computer_key: &str,
    ) -> Result<Option<ActivationKey>, StoreError> {
        let sql = "select l.key_text from activation a join license l on l.id = a.license_id \
                   where a.device_id = $1 and l.product_id = $2 and a.computer_key = $3 and a.state = 'active' and l.key_text is not null order by a.id limit 1";
        let query = sqlx::query(sql).bind(device.as_str().to_owned()).bind(product.0).bind(plain(computer_key));
        let row = query.fetch_optional(self.db()).await?;
        Ok(row.map(|row| row.string("key_text")).transpose()?.and_then(|text| ActivationKey::parse(&text).ok()))
    }

    /// Notes which device took over a vacated seat.
    pub async fn replace_activation(&mut self, vacated: ActivationId, by: ActivationId) -> Result<(), StoreError> {
        sqlx::query("update activation set replaced_by = $2 where id = $1 and state = 'released'")
            .bind(vacated.0)
            .bind(by.0)
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// Notes which keys signed the newest file of a machine.
    pub async fn set_file_keys(&mut self, activation: ActivationId, keys: &str) -> Result<(), StoreError> {
        let sql = "update activation set file_keys = $2 where id = $1";
        sqlx::query(sql).bind(activation.0).bind(plain(keys)).execute(self.db()).await?;
        Ok(())
    }

    /// The machines that hold a seat and whose newest file a key signed, or may have signed where that was not noted: those of one
    /// product, or of every license of LicenseSpring's clients. At most `most`.
    pub async fn machines_with_files_by(
        &mut self,
        kid: &str,
        product: Option<ProductId>,
        most: i64,
    ) -> Result<Vec<(Activation, Option<String>)>, StoreError> {
        let sql = concat!(
            "select ",
            activation_columns!(),
            ", l.key_text as key_text from activation a join license l on l.id = a.license_id where a.state = 'active' \
              and (l.product_id = $2 or ($2 is null and a.api_key is not null)) \
              and (a.file_keys is null or ' ' || a.file_keys || ' ' like '% ' || $1 || ' %') order by a.license_id, a.id limit $3"
        );
        let query = sqlx::query(sql).bind(plain(kid)).bind(product.map(|product| product.0)).bind(most);
        let rows = query.fetch_all(self.db()).await?;
        rows.iter().map(|row| Ok((activation(row)?, row.maybe_string("key_text")?))).collect()
    }

    /// Raises the revision of every license with a machine whose newest file this key signed: what was answered under it is not
    /// given again.
    pub async fn outdate_answers_by(&mut self, kid: &str, product: Option<ProductId>) -> Result<(), StoreError> {
        let sql = "update license set revision = revision + 1 where ($2 is null or product_id = $2) and id in \
                   (select a.license_id from activation a where ($2 is not null or a.api_key is not null) \
                   and (a.file_keys is null or ' ' || a.file_keys || ' ' like '% ' || $1 || ' %'))";
        let query = sqlx::query(sql).bind(plain(kid)).bind(product.map(|product| product.0));
        query.execute(self.db()).await?;
        Ok(())
    }

    /// Blocks a device on one license.
    pub async fn block_device(&mut self, license: LicenseId, device: &DeviceId, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("insert into device_block (device_id, license_id, created_at) values ($1, $2, $3)")
            .bind(device.as_str().to_owned())
            .bind(license.0)
            .bind(now.millis())
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// Lifts every block of a device on one license.
    pub async fn allow_device(&mut self, license: LicenseId, device: &DeviceId) -> Result<bool, StoreError> {
        let lifted = sqlx::query("delete from device_block where device_id = $1 and license_id = $2")
            .bind(device.as_str().to_owned())
            .bind(license.0)
            .execute(self.db())
            .await?;
        Ok(lifted.rows_affected() > 0)
    }
}

/// The name as searches compare it.
fn folded(device: &Device) -> Option<String> {
    device.name.as_ref().map(|name| name.as_str().to_lowercase())
}

fn facts(row: &AnyRow) -> Result<ActivationFactsRow, StoreError> {
    Ok(ActivationFactsRow {
        license: license(row)?,
        product: product(row)?,
        audit_head: row.maybe_bytes("l_audit_head")?,
        known: row.maybe_int("a_id")?.map(|_| activation(row)).transpose()?,
        vacated: row.maybe_int("vacated")?.map(ActivationId),
        vacated_seats: u32::try_from(row.int("vacated_seats")?).unwrap_or(u32::MAX),
        blocked: row.maybe_int("blocked")?.is_some(),
        signing_key: row.maybe_string("signing_key")?,
        app_key: row.maybe_string("app_key")?,
        order: row.maybe_string("order_reference")?,
        customer: row.maybe_int("c_id")?.map(|_| customer(row)).transpose()?,
    })
}
