//! Codes by which a computer is activated without a key. Whoever asks for one or shows one does so in an act of its own.

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{AuthorizationCode, Email, ProductId, Timestamp};

impl Conn {
    /// Keeps a code in place of the one before: an address has one a product.
    pub async fn keep_code(
        &mut self,
        email: &Email,
        product: ProductId,
        code: &AuthorizationCode,
        mark: &[u8],
    ) -> Result<(), StoreError> {
        let sql = "insert into authorization_code (email_folded, product_id, computer, mark, tries, created_at, expires_at, properties) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (email_folded, product_id) do update set \
                   computer = excluded.computer, mark = excluded.mark, tries = excluded.tries, created_at = excluded.created_at, \
                   expires_at = excluded.expires_at, properties = excluded.properties";
        let query = sqlx::query(sql).bind(email.folded()).bind(product.0).bind(plain(&code.computer)).bind(mark.to_vec());
        let query = query.bind(i64::from(code.tries)).bind(code.made.millis()).bind(code.expires.millis());
        let properties = serde_json::to_string(&code.properties).expect("properties are plain data");
        let query = query.bind(properties);
        query.execute(self.db()).await?;
        Ok(())
    }

    /// The code of an address and its mark, locked until the act ends.
    pub async fn lock_code(
        &mut self,
        email: &Email,
        product: ProductId,
    ) -> Result<Option<(AuthorizationCode, Vec<u8>)>, StoreError> {
        const Q: &str = "select computer, mark, tries, created_at, expires_at, properties from authorization_code \
                         where email_folded = $1 and product_id = $2";
        const LOCKED: &str = "select computer, mark, tries, created_at, expires_at, properties from authorization_code \
                              where email_folded = $1 and product_id = $2 for update";
        let sql = if self.locks_rows() { LOCKED } else { Q };
        let row = sqlx::query(sql).bind(email.folded()).bind(product.0).fetch_optional(self.db()).await?;
        row.map(|row| {
            let code = AuthorizationCode {
                computer: row.string("computer")?,
                properties: match row.string("properties")? {
                    text if text.is_empty() => Vec::new(),
                    text => serde_json::from_str(&text)
                        .map_err(|_| StoreError::inconsistent("authorization_code", "properties", product.0))?,
                },
                tries: u32::try_from(row.int("tries")?).unwrap_or(u32::MAX),
                made: Timestamp::from_millis(row.int("created_at")?),
                expires: Timestamp::from_millis(row.int("expires_at")?),
            };
            Ok((code, row.bytes("mark")?))
        })
        .transpose()
    }

    /// The addresses that have a code for a computer, for callers that do not say whose it is.
    pub async fn addresses_with_code(&mut self, product: ProductId, computer: &str) -> Result<Vec<String>, StoreError> {
        let sql = "select email_folded from authorization_code where product_id = $1 and computer = $2 order by created_at desc limit 5";
        let rows = sqlx::query(sql).bind(product.0).bind(plain(computer)).fetch_all(self.db()).await?;
        rows.iter().map(|row| row.string("email_folded")).collect()
    }

    /// Counts a wrong try.
    pub async fn count_code_try(&mut self, email: &Email, product: ProductId) -> Result<(), StoreError> {
        let sql = "update authorization_code set tries = tries + 1 where email_folded = $1 and product_id = $2";
        sqlx::query(sql).bind(email.folded()).bind(product.0).execute(self.db()).await?;
        Ok(())
    }

    /// Forgets a code: it was used.
    pub async fn drop_code(&mut self, email: &Email, product: ProductId) -> Result<(), StoreError> {
        let sql = "delete from authorization_code where email_folded = $1 and product_id = $2";
        sqlx::query(sql).bind(email.folded()).bind(product.0).execute(self.db()).await?;
        Ok(())
    }
}
