//! LicenseSpring credentials: the API key names an app, the shared key is kept encrypted.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::Timestamp;

#[derive(Clone)]
pub struct ApiKey {
    pub id: i64,
    pub name: String,
    pub api_key: String,
    /// Encrypted by the vault.
    pub shared_key: Vec<u8>,
    /// Product codes it may act on; none is all.
    pub products: Option<Vec<String>>,
    pub read_only: bool,
    pub revoked: Option<Timestamp>,
    pub created: Timestamp,
}

#[derive(Clone)]
pub struct NewApiKey {
    pub name: String,
    pub api_key: String,
    pub shared_key: Vec<u8>,
    pub products: Option<Vec<String>>,
    pub read_only: bool,
}

fn api_key(row: &AnyRow) -> Result<ApiKey, StoreError> {
    let id = row.int("id")?;
    let products = row.maybe_string("products")?.map(|text| serde_json::from_str(&text));
    Ok(ApiKey {
        id,
        name: row.string("name")?,
        api_key: row.string("api_key")?,
        shared_key: row.bytes("shared_key")?,
        products: products.transpose().map_err(|_| StoreError::inconsistent("api_key", "products", id))?,
        read_only: row.int("read_only")? != 0,
        revoked: row.maybe_int("revoked_at")?.map(Timestamp::from_millis),
        created: Timestamp::from_millis(row.int("created_at")?),
    })
}

impl Conn {
    /// Adds an API key. `None` when it exists.
    pub async fn add_api_key(&mut self, new: &NewApiKey, now: Timestamp) -> Result<Option<i64>, StoreError> {
        let sql = "insert into api_key (name, api_key, shared_key, products, read_only, created_at) values ($1, $2, $3, $4, $5, $6) \
                   on conflict do nothing returning id";
        let products = new.products.as_ref().map(|codes| serde_json::to_string(codes).expect("codes are plain data"));
        let query = sqlx::query(sql)
            .bind(plain(&new.name))
            .bind(plain(&new.api_key))
            .bind(new.shared_key.clone())
            .bind(products)
            .bind(i64::from(new.read_only))
            .bind(now.millis());
        query.fetch_optional(self.db()).await?.map(|row| row.int("id")).transpose()
    }

    pub async fn api_key(&mut self, key: &str) -> Result<Option<ApiKey>, StoreError> {
        let sql =
            "select id, name, api_key, shared_key, products, read_only, revoked_at, created_at from api_key where api_key = $1";
        sqlx::query(sql).bind(plain(key)).fetch_optional(self.db()).await?.as_ref().map(api_key).transpose()
    }

    pub async fn api_keys(&mut self) -> Result<Vec<ApiKey>, StoreError> {
        let sql = "select id, name, api_key, shared_key, products, read_only, revoked_at, created_at from api_key order by id";
        sqlx::query(sql).fetch_all(self.db()).await?.iter().map(api_key).collect()
    }

    /// Revokes an API key. `false` when there is none, or it was revoked before.
    pub async fn revoke_api_key(&mut self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "update api_key set revoked_at = $2 where id = $1 and revoked_at is null";
        Ok(sqlx::query(sql).bind(id).bind(now.millis()).execute(self.db()).await?.rows_affected() == 1)
    }
}
