//! Extensions: who calls by Quick License Manager's methods. Passwords are kept as marks, keys encrypted.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{LicenseId, OrderId, Timestamp};

#[derive(Clone)]
pub struct Extension {
    pub id: i64,
    pub name: String,
    /// What kind of shop or site it is, which says how it is answered.
    pub class: String,
    pub enabled: bool,
    /// Empty: calls carry none.
    pub user: String,
    pub password_mark: Option<Vec<u8>>,
    /// Encrypted by the vault, as the next.
    pub api_key: Option<Vec<u8>>,
    pub shared_key: Option<Vec<u8>>,
    /// How its words are read, where the vendor has changed it.
    pub map: Option<String>,
    /// Whether it has a secret address to call.
    pub has_hook: bool,
    /// The reseller it calls for; empty: the vendor.
    pub affiliate: String,
    pub created: Timestamp,
}

/// An extension to be added.
#[derive(Clone)]
pub struct NewExtension {
    pub name: String,
    pub class: String,
    pub user: String,
    pub password_mark: Option<Vec<u8>>,
    pub api_key: Option<Vec<u8>>,
    pub shared_key: Option<Vec<u8>>,
}

macro_rules! extension_columns {
    () => {
        "id, name, class, enabled, user_name, password_mark, api_key, shared_key, map, affiliate, \
         case when hook_mark is null then 0 else 1 end as has_hook, created_at"
    };
}

fn extension(row: &AnyRow) -> Result<Extension, StoreError> {
    Ok(Extension {
        id: row.int("id")?,
        name: row.string("name")?,
        class: row.string("class")?,
        enabled: row.int("enabled")? != 0,
        user: row.string("user_name")?,
        password_mark: row.maybe_bytes("password_mark")?,
        api_key: row.maybe_bytes("api_key")?,
        shared_key: row.maybe_bytes("shared_key")?,
        map: row.maybe_string("map")?,
        has_hook: row.int("has_hook")? != 0,
        affiliate: row.string("affiliate")?,
        created: Timestamp::from_millis(row.int("created_at")?),
    })
}

impl Conn {
    /// Adds an extension. `None` when its name is taken, in whatever case.
    pub async fn add_extension(&mut self, new: &NewExtension, now: Timestamp) -> Result<Option<i64>, StoreError> {
        let sql = "insert into extension (name, name_folded, class, enabled, user_name, password_mark, api_key, shared_key, created_at) \
                   values ($1, $2, $3, 1, $4, $5, $6, $7, $8) on conflict do nothing returning id";
        let query = sqlx::query(sql).bind(plain(&new.name)).bind(new.name.to_lowercase()).bind(plain(&new.class));
        let query = query.bind(plain(&new.user)).bind(new.password_mark.clone()).bind(new.api_key.clone());
        let query = query.bind(new.shared_key.clone()).bind(now.millis());
        query.fetch_optional(self.db()).await?.map(|row| row.int("id")).transpose()
    }

    pub async fn extension(&mut self, name: &str) -> Result<Option<Extension>, StoreError> {
        let sql = concat!("select ", extension_columns!(), " from extension where name_folded = $1");
        sqlx::query(sql).bind(plain(&name.to_lowercase())).fetch_optional(self.db()).await?.as_ref().map(extension).transpose()
    }

    /// The extension whose secret address has this mark.
    pub async fn extension_by_hook(&mut self, mark: &[u8]) -> Result<Option<Extension>, StoreError> {
        let sql = concat!("select ", extension_columns!(), " from extension where hook_mark = $1");
        sqlx::query(sql).bind(mark.to_vec()).fetch_optional(self.db()).await?.as_ref().map(extension).transpose()
    }

    /// Gives an extension a secret address in place of the one it has, or takes it away.
    pub async fn set_hook(&mut self, id: i64, mark: Option<&[u8]>) -> Result<(), StoreError> {
        let query = sqlx::query("update extension set hook_mark = $2 where id = $1").bind(id).bind(mark.map(<[u8]>::to_vec));
        query.execute(self.db()).await?;
        Ok(())
    }

    /// Keeps how an extension's words are read; none: as its class is.
    pub async fn set_map(&mut self, id: i64, map: Option<&str>) -> Result<(), StoreError> {
        sqlx::query("update extension set map = $2 where id = $1").bind(id).bind(map.map(plain)).execute(self.db()).await?;
        Ok(())
    }

    /// Keeps an extension's keys and password; none stays as it is.
    pub async fn set_extension_secrets(
        &mut self,
        id: i64,
        password_mark: Option<&[u8]>,
        api_key: Option<&[u8]>,
        shared_key: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let sql = "update extension set password_mark = coalesce($2, password_mark), api_key = coalesce($3, api_key), \
                   shared_key = coalesce($4, shared_key) where id = $1";
        let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
        let query = sqlx::query(sql).bind(id).bind(owned(password_mark)).bind(owned(api_key)).bind(owned(shared_key));
        query.execute(self.db()).await?;
        Ok(())
    }

    /// Says for which reseller an extension calls.
    pub async fn set_extension_affiliate(&mut self, id: i64, affiliate: &str) -> Result<(), StoreError> {
        sqlx::query("update extension set affiliate = $2 where id = $1")
            .bind(id)
            .bind(plain(affiliate))
            .execute(self.db())
            .await?;
        Ok(())
    }

    pub async fn extensions(&mut self) -> Result<Vec<Extension>, StoreError> {
        let sql = concat!("select ", extension_columns!(), " from extension order by name_folded");
        sqlx::query(sql).fetch_all(self.db()).await?.iter().map(extension).collect()
    }

    /// Switches an extension on or off. `false` when there is none with this name.
    pub async fn switch_extension(&mut self, name: &str, enabled: bool) -> Result<bool, StoreError> {
        let sql = "update extension set enabled = $2 where name_folded = $1";
        let query = sqlx::query(sql).bind(plain(&name.to_lowercase())).bind(i64::from(enabled));
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }

    /// Notes the licenses that one item of an order made.
    pub async fn set_order_item(&mut self, license: LicenseId, item: &str) -> Result<(), StoreError> {
        let sql = "update license set order_item = $2 where id = $1";
        sqlx::query(sql).bind(license.0).bind(plain(item)).execute(self.db()).await?;
        Ok(())
    }

    /// The licenses that one item of an order made before, in the order they were made. The order is locked until the act ends,
    /// so that the same call twice at one time makes them once.
    pub async fn licenses_of_item(&mut self, order: OrderId, item: &str) -> Result<Vec<LicenseId>, StoreError> {
        if self.locks_rows() {
            sqlx::query("select id from orders where id = $1 for update").bind(order.0).fetch_optional(self.db()).await?;
        }
        let sql = "select id from license where order_id = $1 and order_item = $2 order by id";
        let rows = sqlx::query(sql).bind(order.0).bind(plain(item)).fetch_all(self.db()).await?;
        rows.iter().map(|row| row.int("id").map(LicenseId)).collect()
    }

    /// The license that took this one's place.
    pub async fn upgraded_to(&mut self, license: LicenseId) -> Result<Option<LicenseId>, StoreError> {
        let row = sqlx::query("select upgraded_to from license where id = $1").bind(license.0).fetch_optional(self.db()).await?;
        Ok(row.map_or(Ok(None), |row| row.maybe_int("upgraded_to"))?.map(LicenseId))
    }

    /// Whether it took another's place.
    pub async fn took_a_place(&mut self, license: LicenseId) -> Result<bool, StoreError> {
        let sql = "select 1 from license where upgraded_to = $1 limit 1";
        Ok(sqlx::query(sql).bind(license.0).fetch_optional(self.db()).await?.is_some())
    }

    pub async fn set_upgraded_to(&mut self, license: LicenseId, to: LicenseId) -> Result<(), StoreError> {
        sqlx::query("update license set upgraded_to = $2 where id = $1").bind(license.0).bind(to.0).execute(self.db()).await?;
        Ok(())
    }

    /// Notes what was paid for an order, in hundredths.
    pub async fn set_order_paid(&mut self, order: OrderId, paid: i64) -> Result<(), StoreError> {
        sqlx::query("update orders set paid = $2 where id = $1").bind(order.0).bind(paid).execute(self.db()).await?;
        Ok(())
    }

    /// Adds what was given back of an order, in hundredths; all of it so far.
    pub async fn add_refund(&mut self, order: OrderId, refunded: i64) -> Result<i64, StoreError> {
        let sql = "update orders set refunded = refunded + $2 where id = $1 returning refunded";
        let row = sqlx::query(sql).bind(order.0).bind(refunded).fetch_optional(self.db()).await?;
        row.map_or(Ok(0), |row| row.int("refunded"))
    }

    /// What was paid for an order, in hundredths; none where its shop did not say.
    pub async fn order_paid(&mut self, order: OrderId) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query("select paid from orders where id = $1").bind(order.0).fetch_optional(self.db()).await?;
        row.map_or(Ok(None), |row| row.maybe_int("paid"))
    }

    /// What a machine's activation is called by clients that keep a computer key.
    pub async fn computer_key(&mut self, activation: crate::licensing::ActivationId) -> Result<Option<String>, StoreError> {
        let sql = "select computer_key from activation where id = $1";
        let row = sqlx::query(sql).bind(activation.0).fetch_optional(self.db()).await?;
        row.map_or(Ok(None), |row| row.maybe_string("computer_key"))
    }

    pub async fn set_computer_key(
        &mut self,
        activation: crate::licensing::ActivationId,
        key: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql = "update activation set computer_key = $2 where id = $1";
        sqlx::query(sql).bind(activation.0).bind(key.map(plain)).execute(self.db()).await?;
        Ok(())
    }
}
