//! Signing keys, their secret halves encrypted by the vault.

use sqlx::any::AnyRow;

use super::{
    Conn, Engine, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{
    ProductCode, ProductId, Timestamp,
    seal::{Seal, SealProduct, SealState, SealUse},
};

fn seal(row: &AnyRow) -> Result<Seal, StoreError> {
    let id = row.int("id")?;
    let bad = |column| StoreError::inconsistent("seal", column, id);
    let product = match (row.maybe_int("product_id")?, row.maybe_string("product_code")?) {
        (Some(product), Some(code)) => {
            Some(SealProduct { id: ProductId(product), code: ProductCode::parse(&code).map_err(|_| bad("product_id"))? })
        }
        _ => None,
    };
    let since = Timestamp::from_millis(row.int("since")?);
    let until = row.maybe_int("until")?.map(Timestamp::from_millis);
    Ok(Seal {
        id: Some(id),
        kid: row.string("kid")?,
        purpose: SealUse::parse(&row.string("purpose")?).ok_or_else(|| bad("purpose"))?,
        product,
        public: row.bytes("public")?,
        secret: row.bytes("secret")?,
        state: SealState::from_parts(&row.string("state")?, since, until).ok_or_else(|| bad("state"))?,
        created_at: Timestamp::from_millis(row.int("created_at")?),
        last_exp: row.maybe_int("last_exp")?.map(Timestamp::from_millis),
        signed_without_exp: row.int("signed_without_exp")? != 0,
        imported: row.int("imported")? != 0,
    })
}

impl Conn {
    /// Every key, oldest first.
    pub async fn seals(&mut self) -> Result<Vec<Seal>, StoreError> {
        let sql = "select s.id, s.kid, s.purpose, s.product_id, p.code as product_code, s.public, s.secret, s.state, s.since, s.until, \
                   s.created_at, s.last_exp, s.signed_without_exp, s.imported from seal s left join product p on p.id = s.product_id order by s.id";
        sqlx::query(sql).fetch_all(self.db()).await?.iter().map(seal).collect()
    }

    /// The same, locked until the act ends, so that none signs or changes between reading and saving.
    pub async fn lock_seals(&mut self) -> Result<Vec<Seal>, StoreError> {
        if self.engine() == Engine::Postgres {
            sqlx::query("select id from seal order by id for update").fetch_all(self.db()).await?;
        }
        self.seals().await
    }

    /// Adds a key, or saves the state of one that is there, and its secret, which is emptied when it can never sign again. What it
    /// has promised is only ever raised: a signature may have been recorded since the key was read. A compromised key stays
    /// as it is, and a key of another ring keeps its place.
    pub async fn save_seal(&mut self, seal: &Seal) -> Result<(), StoreError> {
        sqlx::query(
            "insert into seal (kid, purpose, product_id, public, secret, state, since, until, created_at, last_exp, signed_without_exp, imported) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             on conflict (kid) do update set secret = $5, state = $6, since = $7, until = $8, \
             last_exp = case when seal.last_exp is null or $10 > seal.last_exp then $10 else seal.last_exp end, \
             signed_without_exp = case when seal.signed_without_exp = 1 then 1 else $11 end where seal.state <> 'compromised' \
             and seal.purpose = $2 and coalesce(seal.product_id, 0) = coalesce($3, 0)",
        )
        .bind(seal.kid.clone())
        .bind(seal.purpose.text())
        .bind(seal.product.as_ref().map(|product| product.id.0))
        .bind(seal.public.clone())
        .bind(seal.secret.clone())
        .bind(seal.state.text())
        .bind(seal.state.since().millis())
        .bind(seal.state.until().map(Timestamp::millis))
        .bind(seal.created_at.millis())
        .bind(seal.last_exp.map(Timestamp::millis))
        .bind(i64::from(seal.signed_without_exp))
        .bind(i64::from(seal.imported))
        .execute(self.db())
        .await?;
        Ok(())
    }

    /// The id of the key of the whole installation that signs for a use now.
    pub async fn signing_key(&mut self, purpose: SealUse) -> Result<Option<String>, StoreError> {
        let sql = "select kid from seal where purpose = $1 and coalesce(product_id, 0) = 0 and state = 'active'";
        let row = sqlx::query(sql).bind(purpose.text()).fetch_optional(self.db()).await?;
        row.map(|row| row.string("kid")).transpose()
    }

    /// A key by its id, locked until the act ends.
    pub async fn seal_by_kid(&mut self, kid: &str) -> Result<Option<Seal>, StoreError> {
        const Q: &str = "select s.id, s.kid, s.purpose, s.product_id, p.code as product_code, s.public, s.secret, s.state, s.since, s.until, \
             s.created_at, s.last_exp, s.signed_without_exp, s.imported from seal s left join product p on p.id = s.product_id where s.kid = $1";
        const LOCKED: &str = "select s.id, s.kid, s.purpose, s.product_id, p.code as product_code, s.public, s.secret, s.state, s.since, \
             s.until, s.created_at, s.last_exp, s.signed_without_exp, s.imported from seal s left join product p on p.id = s.product_id \
             where s.kid = $1 for update of s";
        let sql = self.engine().pick(Q, LOCKED);
        sqlx::query(sql).bind(plain(kid)).fetch_optional(self.db()).await?.as_ref().map(seal).transpose()
    }
}
