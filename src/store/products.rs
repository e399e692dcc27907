//! Products, their versions, features and policies.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{
    FeatureId, PolicyId, ProductCode, ProductId, Timestamp,
    license::Terms,
    product::{Authorization, Feature, FeatureKind, Installation, Policy, Product, ProductRules, ProductState, Release, Version},
};

macro_rules! product_columns {
    () => {
        "p.id as p_id, p.code as p_code, p.number as p_number, p.name as p_name, p.authorized_by as p_authorized_by, \
         p.state as p_state, p.rules as p_rules, p.created_at as p_created_at, p.revision as p_revision"
    };
}
pub(super) use product_columns;

/// A product to be added.
#[derive(Clone, Debug)]
pub struct NewProduct {
    pub code: ProductCode,
    pub number: Option<i64>,
    pub name: String,
    pub authorization: Authorization,
    pub rules: ProductRules,
}

/// A version to be added, with what is downloaded for it.
#[derive(Clone, Debug)]
pub struct NewRelease {
    pub version: Version,
    pub channel: String,
    pub env: String,
    pub file: Installation,
}

pub(super) fn product(row: &AnyRow) -> Result<Product, StoreError> {
    let id = row.int("p_id")?;
    let bad = |column| StoreError::inconsistent("product", column, id);
    Ok(Product {
        id: ProductId(id),
        code: ProductCode::parse(&row.string("p_code")?).map_err(|_| bad("code"))?,
        number: row.maybe_int("p_number")?,
        name: row.string("p_name")?,
        authorization: Authorization::parse(&row.string("p_authorized_by")?).ok_or_else(|| bad("authorized_by"))?,
        state: ProductState::parse(&row.string("p_state")?).ok_or_else(|| bad("state"))?,
        rules: serde_json::from_str(&row.string("p_rules")?).map_err(|_| bad("rules"))?,
        created: Timestamp::from_millis(row.int("p_created_at")?),
        revision: row.int("p_revision")?,
    })
}

impl Conn {
    pub async fn product(&mut self, code: &ProductCode) -> Result<Option<Product>, StoreError> {
        let sql = concat!("select ", product_columns!(), " from product p where p.code_folded = $1");
        let row = sqlx::query(sql).bind(code.folded()).fetch_optional(self.db()).await?;
        row.as_ref().map(product).transpose()
    }

    pub async fn product_by_id(&mut self, id: ProductId) -> Result<Option<Product>, StoreError> {
        let sql = concat!("select ", product_columns!(), " from product p where p.id = $1");
        let row = sqlx::query(sql).bind(id.0).fetch_optional(self.db()).await?;
        row.as_ref().map(product).transpose()
    }

    /// All products by name; a vendor has tens of them. Sorted here, because every server sorts texts in its own way.
    pub async fn products(&mut self) -> Result<Vec<Product>, StoreError> {
        let sql = concat!("select ", product_columns!(), " from product p order by p.id");
        let rows = sqlx::query(sql).fetch_all(self.db()).await?;
        let mut all: Vec<Product> = rows.iter().map(product).collect::<Result<_, _>>()?;
        all.sort_by_cached_key(|product| product.name.to_lowercase());
        Ok(all)
    }

    /// Adds a product. `None` when its code or number is taken.
    pub async fn add_product(&mut self, new: &NewProduct, now: Timestamp) -> Result<Option<ProductId>, StoreError> {
        let sql = "insert into product (code, code_folded, number, name, authorized_by, state, rules, created_at, revision) \
                   values ($1, $2, $3, $4, $5, 'enabled', $6, $7, 1) on conflict do nothing returning id";
        let row = sqlx::query(sql)
            .bind(new.code.as_str().to_owned())
            .bind(new.code.folded())
            .bind(new.number)
            .bind(plain(&new.name))
            .bind(new.authorization.as_str())
            .bind(rules_text(&new.rules))
            .bind(now.millis())
            .fetch_optional(self.db())
            .await?;
        row.map(|row| row.int("id").map(ProductId)).transpose()
    }

    /// The product with Quick License Manager's number.
    pub async fn product_numbered(&mut self, number: i64) -> Result<Option<Product>, StoreError> {
        let sql = concat!("select ", product_columns!(), " from product p where p.number = $1");
        sqlx::query(sql).bind(number).fetch_optional(self.db()).await?.as_ref().map(product).transpose()
    }

    /// Saves what may be edited; the code stays. `None` when the number is another product's.
    pub async fn save_product(&mut self, product: &Product) -> Result<Option<()>, StoreError> {
        if let Some(number) = product.number {
            let taken = sqlx::query("select id from product where number = $1 and id <> $2");
            if taken.bind(number).bind(product.id.0).fetch_optional(self.db()).await?.is_some() {
                return Ok(None);
            }
        }
        sqlx::query(
            "update product set number = $2, name = $3, authorized_by = $4, state = $5, rules = $6, revision = revision + 1 where id = $1",
        )
        .bind(product.id.0)
        .bind(product.number)
        .bind(plain(&product.name))
        .bind(product.authorization.as_str())
        .bind(product.state.as_str())
        .bind(rules_text(&product.rules))
        .execute(self.db())
        .await?;
        Ok(Some(()))
    }

    /// Adds a version. `None` when this number exists for the channel and environment.
    pub async fn add_release(&mut self, product: ProductId, new: &NewRelease) -> Result<Option<i64>, StoreError> {
        let sql = "insert into version \
                   (product_id, major, minor, released_at, channel, env, url, hash, size, requires, eula, notes) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing returning id";
        let row = sqlx::query(sql)
            .bind(product.0)
            .bind(i64::from(new.version.major))
            .bind(i64::from(new.version.minor))
            .bind(new.version.released.millis())
            .bind(plain(&new.channel))
            .bind(plain(&new.env))
            .bind(plain(&new.file.url))
            .bind(plain(&new.file.hash))
            .bind(new.file.size.map(|size| size as i64))
            .bind(requires(&new.file))
            .bind(plain(&new.file.eula))
            .bind(plain(&new.file.notes))
            .fetch_optional(self.db())
            .await?;
        let Some(row) = row else { return Ok(None) };
        self.versions_changed(product).await?;
        Ok(Some(row.int("id")?))
    }

    /// Tells another file for a version, its channel and its environment.
    pub async fn set_installation(&mut self, release: &Release, file: &Installation) -> Result<(), StoreError> {
        let sql = "update version set url = $2, hash = $3, size = $4, requires = $5, eula = $6, notes = $7 where id = $1";
        sqlx::query(sql)
            .bind(release.id)
            .bind(plain(&file.url))
            .bind(plain(&file.hash))
            .bind(file.size.map(|size| size as i64))
            .bind(requires(file))
            .bind(plain(&file.eula))
            .bind(plain(&file.notes))
            .execute(self.db())
            .await?;
        self.versions_changed(release.product).await
    }

    /// Whoever keeps a product's versions sees by its revision that they are others.
    async fn versions_changed(&mut self, product: ProductId) -> Result<(), StoreError> {
        let sql = "update product set revision = revision + 1 where id = $1";
        sqlx::query(sql).bind(product.0).execute(self.db()).await?;
        Ok(())
    }

    /// A product's versions, newest first.
    pub async fn releases(&mut self, product: ProductId) -> Result<Vec<Release>, StoreError> {
        let sql = "select id, major, minor, released_at, channel, env, url, hash, size, requires, eula, notes \
                   from version where product_id = $1 order by major desc, minor desc, id desc";
        let rows = sqlx::query(sql).bind(product.0).fetch_all(self.db()).await?;
        rows.iter()
            .map(|row| {
                let id = row.int("id")?;
                let number = |column: &'static str| {
                    u32::try_from(row.int(column)?).map_err(|_| StoreError::inconsistent("version", column, id))
                };
                Ok(Release {
                    id,
                    product,
                    version: Version {
                        major: number("major")?,
                        minor: number("minor")?,
                        released: Timestamp::from_millis(row.int("released_at")?),
                    },
                    channel: row.string("channel")?,
                    env: row.string("env")?,
                    file: Installation {
                        url: row.string("url")?,
                        hash: row.string("hash")?,
                        size: row.maybe_int("size")?.map(|size| size.unsigned_abs()),
                        requires: row.string("requires")?.parse().ok(),
                        eula: row.string("eula")?,
                        notes: row.string("notes")?,
                    },
                })
            })
            .collect()
    }

    /// Adds a feature. `None` when its code is taken within the product.
    pub async fn add_feature(
        &mut self,
        product: ProductId,
        code: &str,
        name: &str,
        kind: FeatureKind,
    ) -> Result<Option<FeatureId>, StoreError> {
        let sql =
            "insert into feature (product_id, code, name, kind) values ($1, $2, $3, $4) on conflict do nothing returning id";
        let query = sqlx::query(sql).bind(product.0).bind(plain(code)).bind(plain(name)).bind(kind.as_str());
        query.fetch_optional(self.db()).await?.map(|row| row.int("id").map(FeatureId)).transpose()
    }

    /// A product's features by code.
    pub async fn features(&mut self, product: ProductId) -> Result<Vec<Feature>, StoreError> {
        let sql = "select id, code, name, kind, bit_set, bit_mask from feature where product_id = $1 order by id";
        let rows = sqlx::query(sql).bind(product.0).fetch_all(self.db()).await?;
        let all = rows.iter().map(|row| {
            let id = row.int("id")?;
            let small = |value: Option<i64>| value.and_then(|value| u8::try_from(value).ok());
            Ok(Feature {
                id: FeatureId(id),
                product,
                code: row.string("code")?,
                name: row.string("name")?,
                kind: FeatureKind::parse(&row.string("kind")?).ok_or(StoreError::inconsistent("feature", "kind", id))?,
                bit: small(row.maybe_int("bit_set")?).zip(small(row.maybe_int("bit_mask")?)),
            })
        });
        let mut all: Vec<Feature> = all.collect::<Result<_, StoreError>>()?;
        all.sort_by(|one, other| one.code.cmp(&other.code));
        Ok(all)
    }

    /// Adds a policy. `None` when its code is taken within the product.
    pub async fn add_policy(
        &mut self,
        product: ProductId,
        code: &str,
        name: &str,
        terms: &Terms,
    ) -> Result<Option<PolicyId>, StoreError> {
        let sql =
            "insert into policy (product_id, code, name, terms) values ($1, $2, $3, $4) on conflict do nothing returning id";
        let terms = serde_json::to_string(terms).expect("terms are plain data");
        let query = sqlx::query(sql).bind(product.0).bind(plain(code)).bind(plain(name)).bind(terms);
        query.fetch_optional(self.db()).await?.map(|row| row.int("id").map(PolicyId)).transpose()
    }

    /// A product's policies by code.
    pub async fn policies(&mut self, product: ProductId) -> Result<Vec<Policy>, StoreError> {
        let rows = sqlx::query("select id, code, name, terms from policy where product_id = $1 order by id")
            .bind(product.0)
            .fetch_all(self.db())
            .await?;
        let all = rows.iter().map(|row| {
            let id = row.int("id")?;
            let terms =
                serde_json::from_str(&row.string("terms")?).map_err(|_| StoreError::inconsistent("policy", "terms", id))?;
            Ok(Policy { id: PolicyId(id), product, code: row.string("code")?, name: row.string("name")?, terms })
        });
        let mut all: Vec<Policy> = all.collect::<Result<_, StoreError>>()?;
        all.sort_by(|one, other| one.code.cmp(&other.code));
        Ok(all)
    }
}

fn rules_text(rules: &ProductRules) -> String {
    serde_json::to_string(rules).expect("rules are plain data")
}

fn requires(file: &Installation) -> String {
    file.requires.map(|number| number.to_string()).unwrap_or_default()
}
