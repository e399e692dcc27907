//! Customer accounts, and where their people sign in.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{AccountId, CustomerId, ProductCode, Timestamp, sso::SsoProvider};

/// Customers that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub code: ProductCode,
    pub name: String,
}

/// The sign-in provider of an account.
#[derive(Clone)]
pub struct SsoRow {
    pub provider: SsoProvider,
    /// Encrypted by the vault; none for a public client.
    pub client_secret: Option<Vec<u8>>,
}

fn account(row: &AnyRow) -> Result<Account, StoreError> {
    let id = row.int("id")?;
    Ok(Account {
        id: AccountId(id),
        code: ProductCode::parse(&row.string("code")?).map_err(|_| StoreError::inconsistent("customer_account", "code", id))?,
        name: row.string("name")?,
    })
}

fn provider(row: &AnyRow) -> Result<SsoRow, StoreError> {
    let id = row.int("account_id")?;
    let uris = serde_json::from_str(&row.string("redirect_uris")?);
    let provider = SsoProvider {
        issuer: row.string("issuer")?,
        client_id: row.string("client_id")?,
        redirect_uris: uris.map_err(|_| StoreError::inconsistent("sso_provider", "redirect_uris", id))?,
        trusts_addresses: row.int("trusts_addresses")? != 0,
    };
    Ok(SsoRow { provider, client_secret: row.maybe_bytes("client_secret")? })
}

impl Conn {
    /// Puts a customer into an account, or out of any.
    pub async fn set_account(&mut self, customer: CustomerId, account: Option<AccountId>) -> Result<(), StoreError> {
        let sql = "update customer set account_id = $2 where id = $1";
        sqlx::query(sql).bind(customer.0).bind(account.map(|id| id.0)).execute(self.db()).await?;
        Ok(())
    }

    /// Adds an account. `None` when its code is taken.
    pub async fn add_account(&mut self, code: &ProductCode, name: &str, now: Timestamp) -> Result<Option<AccountId>, StoreError> {
        let sql = "insert into customer_account (code, code_folded, name, created_at) values ($1, $2, $3, $4) \
                   on conflict do nothing returning id";
        let query = sqlx::query(sql).bind(code.as_str().to_owned()).bind(code.folded()).bind(plain(name)).bind(now.millis());
        query.fetch_optional(self.db()).await?.map(|row| row.int("id").map(AccountId)).transpose()
    }

    pub async fn account(&mut self, code: &ProductCode) -> Result<Option<Account>, StoreError> {
        let sql = "select id, code, name from customer_account where code_folded = $1";
        sqlx::query(sql).bind(code.folded()).fetch_optional(self.db()).await?.as_ref().map(account).transpose()
    }

    pub async fn account_by_id(&mut self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let sql = "select id, code, name from customer_account where id = $1";
        sqlx::query(sql).bind(id.0).fetch_optional(self.db()).await?.as_ref().map(account).transpose()
    }

    /// The accounts with how many customers each has, by code.
    pub async fn accounts(&mut self) -> Result<Vec<(Account, u64)>, StoreError> {
        let sql = "select g.id, g.code, g.name, (select count(*) from customer c where c.account_id = g.id) as customers \
                   from customer_account g order by g.code_folded";
        let rows = sqlx::query(sql).fetch_all(self.db()).await?;
        rows.iter().map(|row| Ok((account(row)?, row.int("customers")?.unsigned_abs()))).collect()
    }

    /// Where the people of an account sign in.
    pub async fn sso(&mut self, account: AccountId) -> Result<Option<SsoRow>, StoreError> {
        let sql = "select account_id, issuer, client_id, client_secret, redirect_uris, trusts_addresses from sso_provider \
                   where account_id = $1";
        sqlx::query(sql).bind(account.0).fetch_optional(self.db()).await?.as_ref().map(provider).transpose()
    }

    /// Says where the people of an account sign in, in place of what was said before.
    pub async fn set_sso(&mut self, account: AccountId, row: &SsoRow, now: Timestamp) -> Result<(), StoreError> {
        let sql = "insert into sso_provider (account_id, issuer, client_id, client_secret, redirect_uris, trusts_addresses, changed_at) \
                   values ($1, $2, $3, $4, $5, $6, $7) on conflict (account_id) do update set issuer = excluded.issuer, \
                   client_id = excluded.client_id, client_secret = excluded.client_secret, redirect_uris = excluded.redirect_uris, \
                   trusts_addresses = excluded.trusts_addresses, changed_at = excluded.changed_at";
        let provider = &row.provider;
        let uris = serde_json::to_string(&provider.redirect_uris).expect("texts are plain data");
        let query = sqlx::query(sql).bind(account.0).bind(plain(&provider.issuer)).bind(plain(&provider.client_id));
        let query = query.bind(row.client_secret.clone()).bind(plain(&uris)).bind(i64::from(provider.trusts_addresses));
        query.bind(now.millis()).execute(self.db()).await?;
        Ok(())
    }

    /// The people of an account sign in nowhere any more. `false` where they did not before.
    pub async fn remove_sso(&mut self, account: AccountId) -> Result<bool, StoreError> {
        let sql = "delete from sso_provider where account_id = $1";
        Ok(sqlx::query(sql).bind(account.0).execute(self.db()).await?.rows_affected() == 1)
    }
}
