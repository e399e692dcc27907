//! Signing keys, their secret halves encrypted by the vault.

use sqlx::any::AnyRow;

use super::{Conn, StoreError, conn::Columns};
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
    })
}

impl Conn {
    pub async fn seals(&mut self) -> Result<Vec<Seal>, StoreError> {
        let sql = "select s.id, s.kid, s.purpose, s.product_id, p.code as product_code, s.public, s.secret, s.state, s.since, s.until, \
                   s.created_at, s.last_exp, s.signed_without_exp from seal s left join product p on p.id = s.product_id order by s.id";
        sqlx::query(sql).fetch_all(self.db()).await?.iter().map(seal).collect()
    }

    /// Adds a key, or saves the state of one that is there.
    pub async fn save_seal(&mut self, seal: &Seal) -> Result<(), StoreError> {
        sqlx::query(
            "insert into seal (kid, purpose, product_id, public, secret, state, since, until, created_at, last_exp, signed_without_exp) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             on conflict (kid) do update set state = $6, since = $7, until = $8, last_exp = $10, signed_without_exp = $11",
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
        .execute(self.db())
        .await?;
        Ok(())
    }

    /// Raises what a key has promised: the last end it signed, or that it signed a file without one.
    pub async fn record_signed(&mut self, kid: &str, exp: Option<Timestamp>) -> Result<(), StoreError> {
        match exp {
            Some(exp) => {
                let sql = "update seal set last_exp = $2 where kid = $1 and (last_exp is null or last_exp < $2)";
                sqlx::query(sql).bind(kid.to_owned()).bind(exp.millis()).execute(self.db()).await?;
            }
            None => {
                let sql = "update seal set signed_without_exp = 1 where kid = $1 and signed_without_exp = 0";
                sqlx::query(sql).bind(kid.to_owned()).execute(self.db()).await?;
            }
        }
        Ok(())
    }
}
