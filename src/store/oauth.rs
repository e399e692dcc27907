//! OAuth clients and their secrets, which are kept encrypted.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{Timestamp, scope::Scope};

#[derive(Clone)]
pub struct OauthClient {
    pub id: i64,
    pub name: String,
    pub client_id: String,
    pub scope: Scope,
    pub revoked: Option<Timestamp>,
    pub created: Timestamp,
}

#[derive(Clone)]
pub struct OauthSecret {
    pub id: i64,
    /// Encrypted by the vault.
    pub secret: Vec<u8>,
    /// None: until it is replaced.
    pub expires: Option<Timestamp>,
    pub created: Timestamp,
}

impl OauthSecret {
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

fn client(row: &AnyRow) -> Result<OauthClient, StoreError> {
    let id = row.int("id")?;
    let scope = Scope::of(&row.string("scope")?, row.maybe_int("scope_id")?);
    Ok(OauthClient {
        id,
        name: row.string("name")?,
        client_id: row.string("client_id")?,
        scope: scope.ok_or_else(|| StoreError::inconsistent("oauth_client", "scope", id))?,
        revoked: row.maybe_int("revoked_at")?.map(Timestamp::from_millis),
        created: Timestamp::from_millis(row.int("created_at")?),
    })
}

fn secret(row: &AnyRow) -> Result<OauthSecret, StoreError> {
    Ok(OauthSecret {
        id: row.int("id")?,
        secret: row.bytes("secret")?,
        expires: row.maybe_int("expires_at")?.map(Timestamp::from_millis),
        created: Timestamp::from_millis(row.int("created_at")?),
    })
}

impl Conn {
    /// Adds a client. `None` when its name is taken.
    pub async fn add_oauth_client(
        &mut self,
        name: &str,
        client_id: &str,
        scope: Scope,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let sql = "insert into oauth_client (name, client_id, scope, scope_id, created_at) values ($1, $2, $3, $4, $5) \
                   on conflict do nothing returning id";
        let query =
            sqlx::query(sql).bind(plain(name)).bind(plain(client_id)).bind(scope.as_str()).bind(scope.id()).bind(now.millis());
        query.fetch_optional(self.db()).await?.map(|row| row.int("id")).transpose()
    }

    pub async fn oauth_client(&mut self, client_id: &str) -> Result<Option<OauthClient>, StoreError> {
        let sql = "select id, name, client_id, scope, scope_id, revoked_at, created_at from oauth_client where client_id = $1";
        sqlx::query(sql).bind(plain(client_id)).fetch_optional(self.db()).await?.as_ref().map(client).transpose()
    }

    pub async fn oauth_clients(&mut self) -> Result<Vec<OauthClient>, StoreError> {
        let sql = "select id, name, client_id, scope, scope_id, revoked_at, created_at from oauth_client order by id";
        sqlx::query(sql).fetch_all(self.db()).await?.iter().map(client).collect()
    }

    /// Revokes a client. `false` when there is none, or it was revoked before.
    pub async fn revoke_oauth_client(&mut self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "update oauth_client set revoked_at = $2 where id = $1 and revoked_at is null";
        Ok(sqlx::query(sql).bind(id).bind(now.millis()).execute(self.db()).await?.rows_affected() == 1)
    }

    /// The secrets of a client, the newest first.
    pub async fn oauth_secrets(&mut self, client: i64) -> Result<Vec<OauthSecret>, StoreError> {
        let sql = "select id, secret, expires_at, created_at from oauth_secret where oauth_client_id = $1 order by id desc";
        sqlx::query(sql).bind(client).fetch_all(self.db()).await?.iter().map(secret).collect()
    }

    /// Adds a secret; those before it are good until `others_end` at the most, and those that ended are deleted.
    pub async fn add_oauth_secret(
        &mut self,
        client: i64,
        secret: &[u8],
        expires: Option<Timestamp>,
        others_end: Timestamp,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let sql =
            "update oauth_secret set expires_at = $2 where oauth_client_id = $1 and (expires_at is null or expires_at > $2)";
        sqlx::query(sql).bind(client).bind(others_end.millis()).execute(self.db()).await?;
        let sql =
            "insert into oauth_secret (oauth_client_id, secret, expires_at, created_at) values ($1, $2, $3, $4) returning id";
        let query = sqlx::query(sql).bind(client).bind(secret.to_vec()).bind(expires.map(Timestamp::millis)).bind(now.millis());
        let id = query.fetch_one(self.db()).await?.int("id")?;
        // Only after it: SQLite gives the number of the last row again once that is gone, and a token names its secret by it.
        let sql = "delete from oauth_secret where oauth_client_id = $1 and id < $2 and expires_at <= $3";
        sqlx::query(sql).bind(client).bind(id).bind(now.millis()).execute(self.db()).await?;
        Ok(id)
    }
}
