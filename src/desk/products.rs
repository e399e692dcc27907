//! Products, their versions, features and policies.

use super::{ActError, Area, Desk, Level, Visitor, licenses::difference};
use crate::{
    licensing::{
        FeatureId, PolicyId, ProductCode, ProductId,
        airgap::may_be_air_gapped,
        license::{Actor, Terms},
        product::{
            Authorization, Feature, FeatureKind, Installation, Policy, Product, ProductRules, ProductState, Release,
            VersionNumber,
        },
        seal::{Seal, SealFor, SealProduct, SealUse},
        words::sentence,
    },
    store::{Conn, NewAudit, NewProduct, NewRelease, StoreError, Subject},
};

/// What may be edited; what is not given stays. The code stays always: it is inside every file.
#[derive(Clone, Debug, Default)]
pub struct ProductEdit {
    pub name: Option<String>,
    pub number: Option<Option<i64>>,
    pub authorization: Option<Authorization>,
    pub state: Option<ProductState>,
    pub rules: Option<ProductRules>,
}

/// A product with what belongs to it.
#[derive(Clone, Debug)]
pub struct ProductView {
    pub product: Product,
    pub releases: Vec<Release>,
    pub features: Vec<Feature>,
    pub policies: Vec<Policy>,
}

impl Desk {
    pub async fn products(&self) -> Result<Vec<Product>, ActError> {
        Ok(self.read().await?.products().await?)
    }

    pub async fn product(&self, code: &ProductCode) -> Result<ProductView, ActError> {
        let mut conn = self.read().await?;
        let product = conn.product(code).await?.ok_or(ActError::NotFound)?;
        let releases = conn.releases(product.id).await?;
        let features = conn.features(product.id).await?;
        let policies = conn.policies(product.id).await?;
        Ok(ProductView { product, releases, features, policies })
    }

    /// Adds a product and the signing keys of its files. Refuses a taken code or number.
    pub async fn add_product(&self, visitor: &Visitor, new: NewProduct) -> Result<ProductId, ActError> {
        visitor.needs(Area::Products, Level::Manage)?;
        check_name(&new.name)?;
        let (now, actor) = (self.now(), visitor.actor());
        let added = self
            .store
            .write(move |conn| {
                let (new, actor) = (new.clone(), actor.clone());
                Box::pin(async move {
                    // A call names a product or a bundle by one code.
                    if conn.bundle(&new.code).await?.is_some() {
                        return Ok(None);
                    }
                    let Some(id) = conn.add_product(&new, now).await? else { return Ok(None) };
                    let after = serde_json::json!({ "code": new.code.as_str(), "name": new.name, "authorization": new.authorization.as_str() });
                    let subject = Subject::of("product", id.0);
                    conn.audit_apart(&NewAudit { at: now, subject, act: "product.added", actor, before: None, after: Some(after) }).await?;
                    Ok(Some((id, new.code)))
                })
            })
            .await?;
        let Some((id, code)) = added else { return Err(ActError::Taken("code or number")) };
        self.begin_product_ring(id, code).await?;
        Ok(id)
    }

    /// Makes sure that every product has its signing keys: a crash between adding a product and its keys is mended at the next start.
    pub async fn complete_rings(&self) -> Result<(), ActError> {
        let mut conn = self.read().await?;
        let seals = conn.seals().await?;
        let products = conn.products().await?;
        drop(conn);
        for product in products {
            if !seals.iter().any(|seal| seal.purpose == SealUse::License && seal.product_id() == Some(product.id)) {
                self.begin_product_ring(product.id, product.code).await?;
            }
        }
        Ok(())
    }

    async fn begin_product_ring(&self, id: ProductId, code: ProductCode) -> Result<(), ActError> {
        self.begin_ring(SealFor::License(SealProduct { id, code })).await
    }

    /// The same where there are none yet: some uses begin with the first who asks.
    pub async fn ready_ring(&self, what: &SealFor) -> Result<(), ActError> {
        let (purpose, product) = (what.purpose(), what.clone().product().map(|product| product.id));
        let there = self.seals().await?.iter().any(|seal| seal.purpose == purpose && seal.product_id() == product);
        if there { Ok(()) } else { self.begin_ring(what.clone()).await }
    }

    /// Makes and keeps the first signing keys of a product, or of LicenseSpring's files.
    pub async fn begin_ring(&self, what: SealFor) -> Result<(), ActError> {
        let (purpose, product) = (what.purpose(), what.clone().product().map(|product| product.id));
        let ring = self.vault.begin_ring_aside(what, self.now()).await?;
        let saved = self.save_first_seals(ring.seals().to_vec(), product).await;
        if saved.is_err() {
            // Another process started at the same moment and was first: its keys are as good.
            self.reload_seals().await?;
            let there = self.seals().await?.iter().any(|seal| seal.purpose == purpose && seal.product_id() == product);
            return if there { Ok(()) } else { saved };
        }
        Ok(())
    }

    async fn save_first_seals(&self, seals: Vec<Seal>, product: Option<ProductId>) -> Result<(), ActError> {
        let now = self.now();
        self.store
            .write(move |conn| {
                let seals = seals.clone();
                Box::pin(async move {
                    for seal in &seals {
                        conn.save_seal(seal).await?;
                    }
                    let states = seals.iter().map(|seal| serde_json::json!({ "kid": seal.kid, "state": seal.state.text() }));
                    let subject = Subject::of("seal", product.map_or(0, |product| product.0));
                    let (after, actor) = (Some(states.collect()), Actor::System);
                    conn.audit_apart(&NewAudit { at: now, subject, act: "keys.made", actor, before: None, after }).await
                })
            })
            .await?;
        self.reload_seals().await
    }

    /// Edits a product. Refuses a number that is taken.
    pub async fn edit_product(&self, visitor: &Visitor, code: &ProductCode, edit: ProductEdit) -> Result<(), ActError> {
        visitor.needs(Area::Products, Level::Manage)?;
        if let Some(name) = &edit.name {
            check_name(name)?;
        }
        let (now, actor, code) = (self.now(), visitor.actor(), code.clone());
        self.store
            .write(move |conn| {
                let (edit, actor, code) = (edit.clone(), actor.clone(), code.clone());
                Box::pin(async move {
                    let Some(mut product) = conn.product(&code).await? else { return Ok(Err(ActError::NotFound)) };
                    let before = facts_of(&product);
                    product.name = edit.name.unwrap_or(product.name);
                    product.number = edit.number.unwrap_or(product.number);
                    product.authorization = edit.authorization.unwrap_or(product.authorization);
                    product.state = edit.state.unwrap_or(product.state);
                    product.rules = edit.rules.unwrap_or(product.rules);
                    let (old, new) = difference(&before, &facts_of(&product));
                    if old == new {
                        return Ok(Ok(()));
                    }
                    if conn.save_product(&product).await?.is_none() {
                        return Ok(Err(ActError::Taken("number")));
                    }
                    let subject = Subject::of("product", product.id.0);
                    let entry = NewAudit { at: now, subject, act: "product.edited", actor, before: Some(old), after: Some(new) };
                    conn.audit_apart(&entry).await?;
                    Ok(Ok(()))
                })
            })
            .await?
    }

    /// Adds a version for a channel and an environment. Where no channel is named it is `stable`; one without an environment is for
    /// each.
    pub async fn add_release(&self, visitor: &Visitor, code: &ProductCode, mut new: NewRelease) -> Result<i64, ActError> {
        let number = new.version.number();
        new.file = checked(new.file)?;
        check_names(&new.channel, &new.env)?;
        new.channel = channel_name(&new.channel);
        self.add_to_product(
            visitor,
            code,
            "version.added",
            "version",
            serde_json::json!({ "version": number.to_string(), "url": new.file.url }),
            move |conn, product| {
                let new = new.clone();
                Box::pin(async move { conn.add_release(product, &new).await })
            },
        )
        .await
    }

    /// Tells where a version's file is, for a channel and an environment: that of the version itself, or one more. A file that is
    /// told already is kept unless `replace` says otherwise.
    pub async fn add_installation(
        &self,
        visitor: &Visitor,
        code: &ProductCode,
        number: VersionNumber,
        at: &ReleaseFor,
        file: Installation,
        replace: bool,
    ) -> Result<i64, ActError> {
        visitor.needs(Area::Products, Level::Manage)?;
        let file = checked(file)?;
        check_names(&at.channel, &at.env)?;
        if file.url.is_empty() {
            return Err(ActError::field("url", "Say where the file is downloaded."));
        }
        let (now, actor, code) = (self.now(), visitor.actor(), code.clone());
        let at = ReleaseFor { channel: channel_name(&at.channel), env: at.env.clone() };
        self.store
            .write(move |conn| {
                let (actor, code, at, file) = (actor.clone(), code.clone(), at.clone(), file.clone());
                Box::pin(async move {
                    let Some(product) = conn.product(&code).await? else { return Ok(Err(ActError::NotFound)) };
                    let releases = conn.releases(product.id).await?;
                    let of_version = || releases.iter().filter(|release| release.version.number() == number);
                    // The day it came out in this channel; else the first it came out at all.
                    let day = |release: &&Release| (release.channel != at.channel, release.version.released);
                    let Some(version) = of_version().min_by_key(day).map(|release| release.version) else {
                        let told = format!("There is no version {number} of {code}. Add it first, with the day it came out.");
                        return Ok(Err(ActError::field("version", told)));
                    };
                    let is_there = |release: &&Release| {
                        release.channel.eq_ignore_ascii_case(&at.channel) && release.env.eq_ignore_ascii_case(&at.env)
                    };
                    let told = serde_json::json!({
                        "version": number.to_string(), "channel": at.channel, "env": at.env, "url": file.url, "hash": file.hash,
                    });
                    let (id, before) = match of_version().find(is_there) {
                        Some(there) if !there.file.url.is_empty() && !replace => {
                            return Ok(Err(ActError::Taken("installation file")));
                        }
                        Some(there) => {
                            conn.set_installation(there, &file).await?;
                            (there.id, Some(serde_json::json!({ "url": there.file.url, "hash": there.file.hash })))
                        }
                        None => {
                            let new =
                                NewRelease { version, channel: at.channel.clone(), env: at.env.clone(), file: file.clone() };
                            let Some(id) = conn.add_release(product.id, &new).await? else {
                                return Ok(Err(ActError::Taken("installation file")));
                            };
                            (id, None)
                        }
                    };
                    let subject = Subject::of("product", product.id.0);
                    let act = "installation.added";
                    conn.audit_apart(&NewAudit { at: now, subject, act, actor, before, after: Some(told) }).await?;
                    Ok(Ok(id))
                })
            })
            .await?
    }

    pub async fn add_feature(
        &self,
        visitor: &Visitor,
        code: &ProductCode,
        feature: &str,
        name: &str,
        kind: FeatureKind,
    ) -> Result<FeatureId, ActError> {
        let feature = ProductCode::parse(feature)
            .map_err(|_| ActError::field("code", "A feature's code is 1 to 64 letters, digits, dashes, dots or underscores."))?;
        check_name(name)?;
        let after = serde_json::json!({ "feature": feature.as_str(), "name": name, "type": kind.as_str() });
        let name = name.to_owned();
        let id = self
            .add_to_product(visitor, code, "feature.added", "code", after, move |conn, product| {
                let (feature, name) = (feature.clone(), name.clone());
                Box::pin(async move { Ok(conn.add_feature(product, feature.as_str(), &name, kind).await?.map(|id| id.0)) })
            })
            .await?;
        Ok(FeatureId(id))
    }

    pub async fn add_policy(
        &self,
        visitor: &Visitor,
        code: &ProductCode,
        policy: &str,
        name: &str,
        terms: Terms,
    ) -> Result<PolicyId, ActError> {
        let policy = ProductCode::parse(policy)
            .map_err(|_| ActError::field("code", "A policy's code is 1 to 64 letters, digits, dashes, dots or underscores."))?;
        if terms.air_gapped {
            may_be_air_gapped(&terms).map_err(|reason| ActError::field("terms", sentence(&reason)))?;
            if !self.product(code).await?.product.authorization.by_key() {
                return Err(ActError::field(
                    "product",
                    "Air-gapped licenses have keys, and this product's licenses belong to users.",
                ));
            }
        }
        let after = serde_json::json!({ "policy": policy.as_str(), "terms": terms });
        let name = if name.is_empty() { policy.to_string() } else { name.to_owned() };
        let id = self
            .add_to_product(visitor, code, "policy.added", "code", after, move |conn, product| {
                let (policy, name, terms) = (policy.clone(), name.clone(), terms.clone());
                Box::pin(async move {
                    // Codes are compared without case: two that differ in nothing else could not be told apart.
                    if conn.policies(product).await?.iter().any(|there| there.code.eq_ignore_ascii_case(policy.as_str())) {
                        return Ok(None);
                    }
                    Ok(conn.add_policy(product, policy.as_str(), &name, &terms).await?.map(|id| id.0))
                })
            })
            .await?;
        Ok(PolicyId(id))
    }

    async fn add_to_product(
        &self,
        visitor: &Visitor,
        code: &ProductCode,
        act: &'static str,
        taken: &'static str,
        after: serde_json::Value,
        add: impl for<'c> Fn(&'c mut Conn, ProductId) -> futures::future::BoxFuture<'c, Result<Option<i64>, StoreError>>
        + Clone
        + Send
        + Sync
        + 'static,
    ) -> Result<i64, ActError> {
        visitor.needs(Area::Products, Level::Manage)?;
        let (now, actor, code) = (self.now(), visitor.actor(), code.clone());
        self.store
            .write(move |conn| {
                let (actor, code, after, add) = (actor.clone(), code.clone(), after.clone(), add.clone());
                Box::pin(async move {
                    let Some(product) = conn.product(&code).await? else { return Ok(Err(ActError::NotFound)) };
                    let Some(id) = add(conn, product.id).await? else { return Ok(Err(ActError::Taken(taken))) };
                    let subject = Subject::of("product", product.id.0);
                    conn.audit_apart(&NewAudit { at: now, subject, act, actor, before: None, after: Some(after) }).await?;
                    Ok(Ok(id))
                })
            })
            .await?
    }
}

/// For whom a version's file is.
#[derive(Clone, Debug, Default)]
pub struct ReleaseFor {
    /// `stable` when empty.
    pub channel: String,
    /// Such as `win64`; each when empty.
    pub env: String,
}

fn channel_name(channel: &str) -> String {
    if channel.is_empty() { "stable".to_owned() } else { channel.to_owned() }
}

fn checked(mut file: Installation) -> Result<Installation, ActError> {
    file.hash.make_ascii_lowercase();
    file.check().map_err(|(field, told)| ActError::field(field, told))?;
    Ok(file)
}

fn check_names(channel: &str, env: &str) -> Result<(), ActError> {
    let is_name = |text: &str| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_. ".contains(&b));
    for (field, text) in [("channel", channel), ("env", env)] {
        if !is_name(text) {
            return Err(ActError::field(field, "Letters, digits, dashes, dots, underscores and spaces, at most 64 of them."));
        }
    }
    Ok(())
}

pub(super) fn check_name(name: &str) -> Result<(), ActError> {
    let shown = !name.trim().is_empty() && name.chars().count() <= 128 && !name.chars().any(crate::licensing::text::is_hidden);
    if shown { Ok(()) } else { Err(ActError::field("name", "A name has 1 to 128 characters, all of them visible.")) }
}

fn facts_of(product: &Product) -> serde_json::Value {
    let mut facts = serde_json::to_value(&product.rules).unwrap_or_default();
    if let Some(members) = facts.as_object_mut() {
        members.insert("name".to_owned(), product.name.clone().into());
        members.insert("number".to_owned(), product.number.into());
        members.insert("authorization".to_owned(), product.authorization.as_str().into());
        members.insert("state".to_owned(), product.state.as_str().into());
    }
    facts
}
