//! What was answered to request files, so that the same request gets the same bytes.

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{ActivationId, ProductId, Timestamp};

/// A remembered answer. Refusals are never remembered: a seat may be free now.
#[derive(Clone, Debug)]
pub struct Answer {
    pub product: ProductId,
    /// The thumbprint of the device key, or for foreign files the API key, act, license and device.
    pub asked_by: String,
    pub request_id: String,
    pub request_hash: Vec<u8>,
    pub activation: ActivationId,
    pub license_revision: i64,
    /// `license` or `receipt`, in which dialect.
    pub kind: String,
    pub body: String,
    pub made: Timestamp,
}

impl Conn {
    pub async fn answer(&mut self, product: ProductId, asked_by: &str, request_id: &str) -> Result<Option<Answer>, StoreError> {
        let sql = "select request_hash, activation_id, license_revision, kind, body, made_at from answer \
                   where product_id = $1 and asked_by = $2 and request_id = $3";
        let query = sqlx::query(sql).bind(product.0).bind(plain(asked_by)).bind(plain(request_id));
        let row = query.fetch_optional(self.db()).await?;
        row.map(|row| {
            Ok(Answer {
                product,
                asked_by: asked_by.to_owned(),
                request_id: request_id.to_owned(),
                request_hash: row.bytes("request_hash")?,
                activation: ActivationId(row.int("activation_id")?),
                license_revision: row.int("license_revision")?,
                kind: row.string("kind")?,
                body: row.string("body")?,
                made: Timestamp::from_millis(row.int("made_at")?),
            })
        })
        .transpose()
    }

    /// Remembers an answer, in place of an older one to the same request.
    pub async fn remember(&mut self, answer: &Answer) -> Result<(), StoreError> {
        sqlx::query(
            "insert into answer (product_id, asked_by, request_id, request_hash, activation_id, license_revision, kind, body, made_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             on conflict (product_id, asked_by, request_id) do update set request_hash = $4, activation_id = $5, \
             license_revision = $6, kind = $7, body = $8, made_at = $9",
        )
        .bind(answer.product.0)
        .bind(plain(&answer.asked_by))
        .bind(plain(&answer.request_id))
        .bind(answer.request_hash.clone())
        .bind(answer.activation.0)
        .bind(answer.license_revision)
        .bind(answer.kind.clone())
        .bind(answer.body.clone())
        .bind(answer.made.millis())
        .execute(self.db())
        .await?;
        Ok(())
    }
}
