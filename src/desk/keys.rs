//! Signing keys: listed, published, rotated, given up.

use super::{ActError, Area, Desk, Level, Visitor};
use crate::{
    licensing::{
        ProductCode, Timestamp,
        activation::Activation,
        files::{self, TrustedKeys, base64},
        license::Actor,
        seal::{KeyRing, RingError, Rotation, RotationRefusal, Seal, SealFor, SealState, SealUse},
        words::sentence,
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

/// More machines than anyone looks through; the export has them too.
const MACHINES_LISTED: i64 = 5000;

/// How a rotation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// Another key signs from now on.
    Rotated,
    /// There was no next key: one is published now, and can sign a day from now.
    Published,
}

/// A machine whose newest file must be signed again.
#[derive(Clone, Debug)]
pub struct ToRefresh {
    pub activation: Activation,
    pub license_key: Option<String>,
}

impl Desk {
    /// Takes over the signing keys as they are in the store.
    pub(super) async fn reload_seals(&self) -> Result<(), ActError> {
        let mut conn = self.read().await?;
        // The revision first: what changes after it is seen by the next look. And seen is only what the vault has taken over.
        let revision = conn.revision().await?.1;
        self.vault.reload(&conn.seals().await?)?;
        self.seals_seen.store(revision, std::sync::atomic::Ordering::Release);
        Ok(())
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
        Ok(self.seals().await?.iter().map(seal_row).collect())
    }

    /// Products whose documents for Quick License Manager's clients whoever pays for it could forge, each with the reason.
    pub async fn weak_documents(&self) -> Result<Vec<(ProductCode, &'static str)>, ActError> {
        let mut conn = self.read().await?;
        let (seals, products) = (conn.seals().await?, conn.products().await?);
        drop(conn);
        let signs =
            |seal: &&Seal| seal.purpose == SealUse::Qlm && seal.imported && matches!(seal.state, SealState::Active { .. });
        let reason = |seal: &Seal| {
            let of = products.iter().find(|product| Some(product.id) == seal.product_id())?;
            let why = match (public::is_short(seal), of.rules.legacy_clients) {
                (true, true) => "with SHA-1, and by a key of less than 2048 bits",
                (true, false) => "by a key of less than 2048 bits",
                (false, true) => "with SHA-1",
                (false, false) => return None,
            };
            Some((of.code.clone(), why))
        };
        Ok(seals.iter().filter(signs).filter_map(reason).collect())
    }

    /// Lets the standby key sign, and publishes a new one behind it. Refuses while the standby is younger than a day, unless `at_once`.
    ///
    /// LicenseSpring's key has no standby until someone asks: then one is published, and signs at the next rotation.
    pub async fn rotate(&self, visitor: &Visitor, what: SealFor, at_once: bool) -> Result<Turned, ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let now = self.now();
        let there = self.ring(&what).await?;
        // Asked now, before a key is made that may take seconds, and again inside the act.
        let is_first = match there.may_rotate(now, at_once) {
            Ok(()) => false,
            Err(RotationRefusal::NoStandby) => true,
            Err(refusal) => return Err(refused(&refusal)),
        };
        let fresh = if is_first || what.purpose().keeps_standby() {
            Some(self.vault.make_seal_aside(what.clone(), now).await?)
        } else {
            None
        };
        if is_first {
            let publish = move |ring: KeyRing| {
                let fresh = fresh.clone().ok_or(super::Fault::Kept("a key ring"))?;
                let added = ring.add_standby(fresh).map_err(|error| refused(&error))?;
                if at_once { added.ring.rotate(None, now, true).map_err(|refusal| refused(&refusal)) } else { Ok(added) }
            };
            self.turn(visitor, what, if at_once { "keys.rotated" } else { "keys.standby_added" }, publish).await?;
            return Ok(if at_once { Turned::Rotated } else { Turned::Published });
        }
        let rotate = move |ring: KeyRing| ring.rotate(fresh.clone(), now, at_once).map_err(|refusal| refused(&refusal));
        self.turn(visitor, what, "keys.rotated", rotate).await?;
        Ok(Turned::Rotated)
    }

    /// Takes a key made elsewhere (PKCS#8) as the next one of a ring: it is published now and signs after a rotation.
    /// Refuses what is no such key, and one the ring has.
    pub async fn import_key(&self, visitor: &Visitor, what: SealFor, pkcs8: &[u8]) -> Result<String, ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let now = self.now();
        let fresh = match self.vault.import_seal(what.clone(), pkcs8, now) {
            Ok(fresh) => fresh,
            Err(error @ VaultError::NotAKey { .. }) => return Err(ActError::field("key", format!("{error}."))),
            Err(error) => return Err(error.into()),
        };
        if what.purpose() == SealUse::Qlm {
            // Its ring begins with the first document, which may be yet to come.
            self.ready_ring(&what).await?;
        }
        let kid = fresh.kid.clone();
        let import = move |ring: KeyRing| {
            ring.replace_standby(fresh.clone(), now).map_err(|error| match error {
                RingError::Twice => ActError::Taken("signing key"),
                _ => super::Fault::Kept("a key ring").into(),
            })
        };
        self.turn(visitor, what, "keys.imported", import).await?;
        Ok(kid)
    }

    /// Marks a key as known to others: it leaves the published keys at once, and if it was the one that signs, the next one signs.
    /// What it signed has to be signed again: `machines_to_refresh` tells whose files those are. Refuses a key that is marked already.
    pub async fn compromise(&self, visitor: &Visitor, kid: &str) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let (now, kid) = (self.now(), kid.to_owned());
        let seal = self.seals().await?.into_iter().find(|seal| seal.kid == kid).ok_or(ActError::NotFound)?;
        let what = SealFor::of(seal.purpose, seal.product).ok_or(super::Fault::Kept("a signing key"))?;
        let needs_fresh = self.ring(&what).await?.needs_fresh_for(&kid);
        let fresh = if needs_fresh { Some(self.vault.make_seal_aside(what.clone(), now).await?) } else { None };
        let mark = move |ring: KeyRing| {
            let marked = ring.compromise(&kid, fresh.clone(), now).ok_or(ActError::NotFound)?;
            marked.map_err(|error| match error {
                // The keys were turned over beside: what is needed now is another than a moment ago.
                RingError::FreshMissing => ActError::field("keys", "The keys were changed at the same moment. Do it once more."),
                error => refused(&error),
            })
        };
        self.turn(visitor, what, "keys.compromised", mark).await
    }

    /// The machines whose newest file a key signed, as far as that is known: what must be signed again when it is lost.
    pub async fn machines_to_refresh(&self, visitor: &Visitor, kid: &str) -> Result<(SealRow, Vec<ToRefresh>), ActError> {
        visitor.needs(Area::Settings, Level::Read)?;
        let mut conn = self.read().await?;
        let seal = conn.seals().await?.into_iter().find(|seal| seal.kid == kid).ok_or(ActError::NotFound)?;
        let found = conn.machines_with_files_by(kid, seal.product_id(), MACHINES_LISTED).await?;
        let machine = |(activation, key): (Activation, Option<String>)| ToRefresh { activation, license_key: key };
        Ok((seal_row(&seal), found.into_iter().map(machine).collect()))
    }

    /// Takes keys whose overlap is over out of use. Run daily.
    pub async fn tidy_keys(&self) -> Result<(), ActError> {
        let now = self.now();
        let due = |seal: &Seal| seal.state.until().is_some_and(|until| until <= now);
        let mut groups: Vec<SealFor> = Vec::new();
        for seal in self.seals().await?.into_iter().filter(due) {
            let what = SealFor::of(seal.purpose, seal.product).ok_or(super::Fault::Kept("a signing key"))?;
            if !groups.contains(&what) {
                groups.push(what);
            }
        }
        for what in groups {
            self.turn_as(Actor::System, what, "keys.retired", move |ring| Ok(ring.tidy(now))).await?;
        }
        Ok(())
    }

    async fn ring(&self, what: &SealFor) -> Result<KeyRing, ActError> {
        ring_of(self.seals().await?, what)
    }

    async fn turn(
        &self,
        visitor: &Visitor,
        what: SealFor,
        act: &'static str,
        step: impl Fn(KeyRing) -> Result<Rotation, ActError> + Clone + Send + Sync + 'static,
    ) -> Result<(), ActError> {
        self.turn_as(visitor.actor(), what, act, step).await
    }

    /// Changes a ring as it is now, the keys locked: two who turn it at the same moment do so one after the other.
    async fn turn_as(
        &self,
        actor: Actor,
        what: SealFor,
        act: &'static str,
        step: impl Fn(KeyRing) -> Result<Rotation, ActError> + Clone + Send + Sync + 'static,
    ) -> Result<(), ActError> {
        let now = self.now();
        let turned = self.store.write(move |conn| {
            let (what, actor, step) = (what.clone(), actor.clone(), step.clone());
            Box::pin(async move {
                let seals = conn.lock_seals().await?;
                let rotation = match ring_of(seals.clone(), &what).and_then(step) {
                    Ok(rotation) => rotation,
                    Err(error) => return Ok(Err(error)),
                };
                // A key serves one use and product: one that is in another ring is no key for this one.
                let elsewhere = |seal: &Seal| {
                    let same_ring = |other: &Seal| other.purpose == seal.purpose && other.product_id() == seal.product_id();
                    seals.iter().any(|other| other.kid == seal.kid && !same_ring(other))
                };
                if rotation.changed.iter().any(elsewhere) {
                    return Ok(Err(ActError::Taken("signing key")));
                }
                if rotation.changed.is_empty() {
                    return Ok(Ok(()));
                }
                for seal in in_saving_order(&rotation.changed) {
                    conn.save_seal(seal).await?;
                    // One on standby has signed nothing.
                    let signed = |before: &Seal| before.kid == seal.kid && !matches!(before.state, SealState::Standby { .. });
                    if matches!(seal.state, SealState::Compromised { .. }) && seals.iter().any(signed) {
                        // The same request gets a new file, and no page offers one that is refused everywhere.
                        conn.outdate_answers_by(&seal.kid, seal.product_id()).await?;
                        if let Some(beginning) = file_beginning(seal) {
                            for kind in ["activation", "batch"] {
                                conn.drop_pages_with(kind, &beginning).await?;
                            }
                        }
                    }
                }
                let states =
                    rotation.changed.iter().map(|seal| serde_json::json!({ "kid": seal.kid, "state": seal.state.text() }));
                let subject = Subject::of("seal", what.product().map_or(0, |product| product.id.0));
                let after = Some(states.collect());
                conn.audit_apart(&NewAudit { at: now, subject, act, actor, before: None, after }).await?;
                Ok(Ok(()))
            })
        });
        turned.await??;
        self.reload_seals().await
    }
}

/// How every file a key signed begins, as result pages keep it: our own with its header; LicenseSpring's, which one key signs for every
/// product, with the member `id`. None where a key signs no files.
fn file_beginning(seal: &Seal) -> Option<String> {
    match seal.purpose {
        SealUse::License => Some(format!("{}.", base64::url(files::jws::header(files::Typ::License, &seal.kid).as_bytes()))),
        SealUse::LicenseSpring => Some(format!("\"body\":\"{}", base64::standard(b"{\"id\":"))),
        SealUse::AirGap | SealUse::Qlm => None,
    }
}

/// A place has one key that signs and one that comes next: who leaves it is saved before who takes it.
fn in_saving_order(changed: &[Seal]) -> impl Iterator<Item = &Seal> {
    let place = |seal: &&Seal| match seal.state {
        SealState::Retiring { .. } | SealState::Retired { .. } | SealState::Compromised { .. } => 0,
        SealState::Active { .. } => 1,
        SealState::Standby { .. } => 2,
    };
    let mut ordered: Vec<&Seal> = changed.iter().collect();
    ordered.sort_by_key(place);
    ordered.into_iter()
}

fn ring_of(seals: Vec<Seal>, what: &SealFor) -> Result<KeyRing, ActError> {
    let product = what.clone().product().map(|product| product.id);
    let of = seals.into_iter().filter(|seal| seal.purpose == what.purpose() && seal.product_id() == product).collect();
    KeyRing::of(of).map_err(|_| ActError::NotFound)
}

fn refused(refusal: &impl std::fmt::Display) -> ActError {
    ActError::field("keys", sentence(refusal))
}

fn seal_row(seal: &Seal) -> SealRow {
    SealRow {
        kid: seal.kid.clone(),
        purpose: seal.purpose,
        product_code: seal.product.as_ref().map(|product| product.code.to_string()),
        state: seal.state.text(),
        since: seal.state.since(),
        until: seal.state.until(),
        created: seal.created_at,
    }
}
