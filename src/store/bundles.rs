//! Bundles: products sold as one.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
    products::{product, product_columns},
};
use crate::licensing::{ProductCode, ProductId, Timestamp, product::Product};

#[derive(Clone, Debug)]
pub struct Bundle {
    pub id: i64,
    pub code: ProductCode,
    pub name: String,
    pub created: Timestamp,
}

fn bundle(row: &AnyRow) -> Result<Bundle, StoreError> {
    let id = row.int("id")?;
    Ok(Bundle {
        id,
        code: ProductCode::parse(&row.string("code")?).map_err(|_| StoreError::inconsistent("bundle", "code", id))?,
        name: row.string("name")?,
        created: Timestamp::from_millis(row.int("created_at")?),
    })
}

impl Conn {
    /// Adds a bundle of these products, in their order. `None` when its code is taken by another.
    pub async fn add_bundle(
        &mut self,
        code: &ProductCode,
        name: &str,
        products: &[ProductId],
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let sql = "insert into bundle (code, code_folded, name, created_at) values ($1, $2, $3, $4) on conflict do nothing returning id";
        let query = sqlx::query(sql).bind(code.as_str().to_owned()).bind(code.folded()).bind(plain(name)).bind(now.millis());
        let Some(row) = query.fetch_optional(self.db()).await? else { return Ok(None) };
        let id = row.int("id")?;
        for (place, product) in (1_i64..).zip(products) {
            let sql = "insert into bundle_product (bundle_id, product_id, place) values ($1, $2, $3)";
            sqlx::query(sql).bind(id).bind(product.0).bind(place).execute(self.db()).await?;
        }
        Ok(Some(id))
    }

    pub async fn bundle(&mut self, code: &ProductCode) -> Result<Option<Bundle>, StoreError> {
        let sql = "select id, code, name, created_at from bundle where code_folded = $1";
        sqlx::query(sql).bind(code.folded()).fetch_optional(self.db()).await?.as_ref().map(bundle).transpose()
    }

    pub async fn bundles(&mut self) -> Result<Vec<Bundle>, StoreError> {
        let sql = "select id, code, name, created_at from bundle order by id";
        sqlx::query(sql).fetch_all(self.db()).await?.iter().map(bundle).collect()
    }

    /// The products of a bundle, in its order.
    pub async fn bundle_products(&mut self, bundle: i64) -> Result<Vec<Product>, StoreError> {
        let sql = concat!(
            "select ",
            product_columns!(),
            " from bundle_product b join product p on p.id = b.product_id where b.bundle_id = $1 order by b.place"
        );
        sqlx::query(sql).bind(bundle).fetch_all(self.db()).await?.iter().map(product).collect()
    }
}
