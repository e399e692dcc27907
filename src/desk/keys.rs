//! Signing keys: listed, published, rotated, given up.

use super::{ActError, Area, Desk, Level, Visitor};
use crate::{
    licensing::{
        Timestamp,
        files::TrustedKeys,
        seal::{KeyRing, RingError, RotationRefusal, Seal, SealFor, SealUse},
    },
    store::{NewAudit, Subject},
    vault::{VaultError, public},
};

/// A signing key as staff sees it.
#[derive(Clone, Debug)]
pub struct SealRow {
    pub kid: String,
    pub purpose: SealUse,
    pub product_code: Option<String>,
    pub state: &'static str,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
    pub created: Timestamp,
}

impl Desk {
    /// Takes over the signing keys as they are in the store.
    pub(super) async fn reload_seals(&self) -> Result<(), ActError> {
        let mut conn = self.read().await?;
        let seals = conn.seals().await?;
        self.seals_seen.store(conn.revision().await?.1, std::sync::atomic::Ordering::Release);
        Ok(self.vault.reload(&seals)?)
    }

    /// The public halves: all, or those of one product.
    pub async fn jwks(&self, product: Option<&crate::licensing::ProductCode>) -> Result<serde_json::Value, ActError> {
        let mut seals = self.read().await?.seals().await?;
        if let Some(code) = product {
            seals.retain(|seal| seal.product.as_ref().is_some_and(|product| product.code == *code));
            if seals.is_empty() {
                return Err(ActError::NotFound);
            }
        }
        Ok(public::jwks(&seals, self.now()))
    }

    /// The keys that license files are checked with.
    pub async fn trusted_keys(&self) -> Result<TrustedKeys, ActError> {
        Ok(public::trusted_keys(&self.read().await?.seals().await?))
    }

    /// The seals themselves, their secrets encrypted: for exporting public halves.
    pub async fn seals(&self) -> Result<Vec<Seal>, ActError> {
        Ok(self.read().await?.seals().await?)
    }

    pub async fn seal_rows(&self, visitor: &Visitor) -> Result<Vec<SealRow>, ActError> {
        visitor.needs(Area::Settings, Level::Read)?;
        let row = |seal: &Seal| SealRow {
            kid: seal.kid.clone(),
            purpose: seal.purpose,
            product_code: seal.product.as_ref().map(|product| product.code.to_string()),
            state: seal.state.text(),
            since: seal.state.since(),
            until: seal.state.until(),
            created: seal.created_at,
        };
        Ok(self.seals().await?.iter().map(row).collect())
    }

    /// Lets the standby key sign, and publishes a new one behind it. Refuses while the standby is younger than a day, unless `at_once`.
    pub async fn rotate(&self, visitor: &Visitor, what: SealFor, at_once: bool) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let now = self.now();
        let ring = self.ring(&what).await?;
        if let Err(refusal) = ring.may_rotate(now, at_once) {
            if matches!(refusal, RotationRefusal::NoStandby) {
                // LicenseSpring's key has no standby until someone asks: publish one now, let it sign a day later.
                let fresh = self.vault.make_seal_aside(what, now).await?;
                let added = ring.add_standby(fresh).map_err(|_| super::Fault::Kept("a key ring"))?;
                self.save_rotation(visitor, "keys.standby_added", added.changed).await?;
                if at_once {
                    let rotation =
                        added.ring.rotate(None, now, true).map_err(|refusal| ActError::field("keys", refusal.to_string()))?;
                    return self.save_rotation(visitor, "keys.rotated", rotation.changed).await;
                }
                return Err(ActError::field(
                    "keys",
                    "A new key was published. It can sign a day from now, when apps have had time to learn it.",
                ));
            }
            return Err(ActError::field("keys", refusal.to_string()));
        }
        let fresh = if what.purpose().keeps_standby() { Some(self.vault.make_seal_aside(what, now).await?) } else { None };
        let rotation = ring.rotate(fresh, now, at_once).map_err(|refusal| ActError::field("keys", refusal.to_string()))?;
        self.save_rotation(visitor, "keys.rotated", rotation.changed).await
    }

    /// Takes a key made elsewhere (PKCS#8) as the next one of a ring: it is published now and signs after a rotation.
    /// Refuses what is no such key, and one the ring has.
    pub async fn import_key(&self, visitor: &Visitor, what: SealFor, pkcs8: &[u8]) -> Result<String, ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let now = self.now();
        let ring = self.ring(&what).await?;
        let fresh = match self.vault.import_seal(what, pkcs8, now) {
            Ok(fresh) => fresh,
            Err(error @ VaultError::NotAKey { .. }) => return Err(ActError::field("key", format!("{error}."))),
            Err(error) => return Err(error.into()),
        };
        let kid = fresh.kid.clone();
        let rotation = ring.replace_standby(fresh, now).map_err(|error| match error {
            RingError::Twice => ActError::Taken("signing key"),
            _ => super::Fault::Kept("a key ring").into(),
        })?;
        self.save_rotation(visitor, "keys.imported", rotation.changed).await?;
        Ok(kid)
    }

    /// Takes keys whose overlap is over out of use. Run daily.
    pub async fn tidy_keys(&self) -> Result<(), ActError> {
        let now = self.now();
        let mut changed = Vec::new();
        let seals = self.seals().await?;
        let mut groups: Vec<(SealUse, Option<crate::licensing::ProductId>)> =
            seals.iter().map(|seal| (seal.purpose, seal.product_id())).collect();
        groups.sort_by_key(|(purpose, product)| (purpose.text(), *product));
        groups.dedup();
        for (purpose, product) in groups {
            let of = seals.iter().filter(|seal| seal.purpose == purpose && seal.product_id() == product).cloned().collect();
            if let Ok(ring) = KeyRing::of(of) {
                changed.extend(ring.tidy(now).changed);
            }
        }
        if changed.is_empty() { Ok(()) } else { self.save_seals(changed).await }
    }

    async fn ring(&self, what: &SealFor) -> Result<KeyRing, ActError> {
        let product = what.clone().product().map(|product| product.id);
        let seals = self.seals().await?;
        let of = seals.into_iter().filter(|seal| seal.purpose == what.purpose() && seal.product_id() == product).collect();
        KeyRing::of(of).map_err(|_| ActError::NotFound)
    }

    async fn save_rotation(&self, visitor: &Visitor, act: &'static str, changed: Vec<Seal>) -> Result<(), ActError> {
        let (now, actor) = (self.now(), visitor.actor());
        let states: Vec<_> =
            changed.iter().map(|seal| serde_json::json!({ "kid": seal.kid, "state": seal.state.text() })).collect();
        let after = Some(serde_json::Value::Array(states));
        self.store
            .write(move |conn| {
                let (changed, actor, after) = (changed.clone(), actor.clone(), after.clone());
                Box::pin(async move {
                    for seal in &changed {
                        conn.save_seal(seal).await?;
                    }
                    let subject = Subject::of("seal", 0);
                    conn.audit_apart(&NewAudit { at: now, subject, act, actor, before: None, after }).await
                })
            })
            .await?;
        self.reload_seals().await
    }
}
