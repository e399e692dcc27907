//! Bundles: products sold as one, under one key.

use super::{ActError, Area, Desk, Level, Visitor};
use crate::{
    licensing::{ProductCode, product::Product},
    store::{Bundle, NewAudit, Subject},
};

/// The most products of a bundle: an answer about one tells of each of them.
const MOST_PRODUCTS: usize = 32;

/// A bundle and its products, in its order.
#[derive(Clone)]
pub struct BundleView {
    pub bundle: Bundle,
    pub products: Vec<Product>,
}

impl Desk {
    /// Adds a bundle. Refuses a code that is a product's or another bundle's, and products that are not there.
    pub async fn add_bundle(
        &self,
        visitor: &Visitor,
        code: &ProductCode,
        name: &str,
        products: &[ProductCode],
    ) -> Result<i64, ActError> {
        visitor.needs(Area::Products, Level::Manage)?;
        super::products::check_name(name)?;
        let mut conn = self.read().await?;
        let mut ids = Vec::new();
        for product in products {
            let Some(found) = conn.product(product).await? else {
                return Err(ActError::field("products", format!("There is no product with the code {product}.")));
            };
            if !ids.contains(&found.id) {
                ids.push(found.id);
            }
        }
        drop(conn);
        if ids.len() < 2 || ids.len() > MOST_PRODUCTS {
            return Err(ActError::field("products", format!("A bundle has 2 to {MOST_PRODUCTS} products.")));
        }
        let (now, actor, code, name) = (self.now(), visitor.actor(), code.clone(), name.to_owned());
        let codes: Vec<String> = products.iter().map(ToString::to_string).collect();
        let added = self.store.write(move |conn| {
            let (ids, actor, code, name, codes) = (ids.clone(), actor.clone(), code.clone(), name.clone(), codes.clone());
            Box::pin(async move {
                if conn.product(&code).await?.is_some() {
                    return Ok(None);
                }
                let Some(id) = conn.add_bundle(&code, &name, &ids, now).await? else { return Ok(None) };
                let after = serde_json::json!({ "code": code.as_str(), "name": name, "products": codes });
                let subject = Subject::of("bundle", id);
                let act = "bundle.added";
                conn.audit_apart(&NewAudit { at: now, subject, act, actor, before: None, after: Some(after) }).await?;
                Ok(Some(id))
            })
        });
        added.await?.ok_or(ActError::Taken("code"))
    }

    /// A bundle. Refuses where there is none.
    pub async fn bundle(&self, code: &ProductCode) -> Result<BundleView, ActError> {
        let mut conn = self.read().await?;
        let bundle = conn.bundle(code).await?.ok_or(ActError::NotFound)?;
        let products = conn.bundle_products(bundle.id).await?;
        Ok(BundleView { bundle, products })
    }

    pub async fn bundles(&self, visitor: &Visitor) -> Result<Vec<BundleView>, ActError> {
        visitor.needs(Area::Products, Level::Read)?;
        let mut conn = self.read().await?;
        let mut all = Vec::new();
        for bundle in conn.bundles().await? {
            let products = conn.bundle_products(bundle.id).await?;
            all.push(BundleView { bundle, products });
        }
        Ok(all)
    }
}
