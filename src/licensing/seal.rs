//! Seals: the keys the portal signs with, and their lives. A key is published before it signs, signs alone, and is believed for
//! as long as anything it signed is good: so apps can be built with the next key, and a file never outlives the key it needs.
//! Only public halves are read here; the secret half is carried as the ciphertext the vault made.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

use super::{ProductCode, ProductId, Timestamp};

/// A key is published this long before it signs: longer than any cache of the published keys, and a day for people to notice.
pub const STANDBY_HOURS: i64 = 24;
/// Checkers forgive a clock this much after a file's end, so its key is published that much longer.
pub const LEEWAY_HOURS: i64 = 24;
/// The recorded end of what a key signed is rounded up this far, so that it is written now and then, not with every signature.
const RECORD_DAYS: i64 = 30;

/// What a key signs. A key serves one use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SealUse {
    /// Our own files: Ed25519, a key for each product.
    License,
    /// Replies and files for LicenseSpring's clients: RSA, one key for the installation.
    LicenseSpring,
    /// Confirmation codes for air-gapped machines: P-256, one key for the installation.
    AirGap,
    /// Documents for Quick License Manager's clients: RSA, a key for each product.
    Qlm,
}

/// The life of a key. `since` is the instant it entered the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealState {
    /// Published, and signs nothing yet.
    Standby { since: Timestamp },
    /// Signs.
    Active { since: Timestamp },
    /// Signs nothing new, and still verifies; without `until` for good, because it signed something that never expires.
    Retiring { since: Timestamp, until: Option<Timestamp> },
    /// Nothing it signed is good any more; it is no longer published.
    Retired { at: Timestamp },
    /// Someone else may have it: no longer published, and everything it signed must be signed again.
    Compromised { at: Timestamp },
}

/// A step a key's life does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key that is {from} cannot become {to}")]
pub struct TransitionError {
    pub from: &'static str,
    pub to: &'static str,
}

/// What a new key is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealFor {
    /// The files of one product.
    License(SealProduct),
    /// LicenseSpring's clients of every product.
    LicenseSpring,
    /// Air-gapped machines of every product.
    AirGap,
    /// Quick License Manager's clients of one product.
    Qlm(SealProduct),
}

/// The product a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealProduct {
    pub id: ProductId,
    pub code: ProductCode,
}

/// A signing key as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Seal {
    /// None until it is stored.
    pub id: Option<i64>,
    /// RFC 7638 thumbprint of the public key.
    pub kid: String,
    pub purpose: SealUse,
    /// None: a key of the whole installation.
    pub product: Option<SealProduct>,
    /// Ed25519: the 32 bytes. P-256: x and y, 64 bytes. RSA: the `SubjectPublicKeyInfo` in DER.
    pub public: Vec<u8>,
    /// PKCS#8, encrypted by the vault; empty once the key can never sign again.
    pub secret: Vec<u8>,
    pub state: SealState,
    pub created_at: Timestamp,
    /// Never before the last `exp` of anything it signed.
    pub last_exp: Option<Timestamp>,
    /// It signed something without an end.
    pub signed_without_exp: bool,
    /// It was made elsewhere.
    pub imported: bool,
}

/// All keys ever of one use and product, oldest first: exactly one is active, at most one on standby.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    seals: Vec<Seal>,
}

/// Keys that make no ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    #[error("the keys belong to different products or uses")]
    Mixed,
    #[error("one key is there twice")]
    Twice,
    #[error("no key is active: one must be")]
    NoActive,
    #[error("more than one key is active")]
    ManyActive,
    #[error("more than one key is on standby")]
    ManyStandby,
    #[error("the new key is not on standby")]
    NotStandby,
    #[error("a fresh key is needed for the place of the next one")]
    FreshMissing,
    #[error(transparent)]
    Transition(#[from] TransitionError),
}

/// Why the keys were not rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotationRefusal {
    /// The next key was published too recently: apps and caches may not know it yet.
    #[error("the standby key was published less than 24 hours ago; rotation is possible from {}", possible_at.to_rfc3339())]
    StandbyTooYoung { possible_at: Timestamp },
    #[error("no key is on standby; one is published first, and signs a day later")]
    NoStandby,
    #[error(transparent)]
    Ring(#[from] RingError),
}

/// What became of a ring: the rows to write (a new one has no id), by their place in the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub ring: KeyRing,
    /// Every key that changed or is new.
    pub changed: Vec<Seal>,
}

impl SealUse {
    pub const ALL: [Self; 4] = [Self::License, Self::LicenseSpring, Self::AirGap, Self::Qlm];

    /// As stored, and as the command line says it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::License => "license",
            Self::LicenseSpring => "licensespring",
            Self::AirGap => "airgap",
            Self::Qlm => "qlm",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.text() == text)
    }

    /// Whether the next key is always kept ready. The key of a foreign client is built into apps that fetch no other, so its successor
    /// is made when asked for.
    #[must_use]
    pub const fn keeps_standby(self) -> bool {
        matches!(self, Self::License)
    }

    /// Whether what it signs is believed without end: LicenseSpring's clients carry the key and never ask how old a signature is.
    #[must_use]
    pub const fn signs_without_end(self) -> bool {
        matches!(self, Self::LicenseSpring | Self::AirGap | Self::Qlm)
    }
}

impl SealFor {
    /// What the keys of the installation are for, whatever the product.
    pub const SHARED: [Self; 2] = [Self::LicenseSpring, Self::AirGap];

    /// None: a use whose keys belong to a product each, and no product.
    #[must_use]
    pub fn of(purpose: SealUse, product: Option<SealProduct>) -> Option<Self> {
        match purpose {
            SealUse::License => product.map(Self::License),
            SealUse::LicenseSpring => Some(Self::LicenseSpring),
            SealUse::AirGap => Some(Self::AirGap),
            SealUse::Qlm => product.map(Self::Qlm),
        }
    }

    #[must_use]
    pub const fn purpose(&self) -> SealUse {
        match self {
            Self::License(_) => SealUse::License,
            Self::LicenseSpring => SealUse::LicenseSpring,
            Self::AirGap => SealUse::AirGap,
            Self::Qlm(_) => SealUse::Qlm,
        }
    }

    #[must_use]
    pub fn product(self) -> Option<SealProduct> {
        match self {
            Self::License(product) | Self::Qlm(product) => Some(product),
            Self::LicenseSpring | Self::AirGap => None,
        }
    }
}

impl SealState {
    /// As stored, and as `cs_state` says it.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        match self {
            Self::Standby { .. } => "standby",
            Self::Active { .. } => "active",
            Self::Retiring { .. } => "retiring",
            Self::Retired { .. } => "retired",
            Self::Compromised { .. } => "compromised",
        }
    }

    /// The instant it entered this state.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        match self {
            Self::Standby { since } | Self::Active { since } | Self::Retiring { since, .. } => *since,
            Self::Retired { at } | Self::Compromised { at } => *at,
        }
    }

    /// When a retiring key will be retired.
    #[must_use]
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Retiring { until, .. } => *until,
            _ => None,
        }
    }

    /// Reads what `text`, `since` and `until` wrote.
    #[must_use]
    pub fn from_parts(text: &str, since: Timestamp, until: Option<Timestamp>) -> Option<Self> {
        Some(match (text, until) {
            ("standby", None) => Self::Standby { since },
            ("active", None) => Self::Active { since },
            ("retiring", until) => Self::Retiring { since, until },
            ("retired", None) => Self::Retired { at: since },
            ("compromised", None) => Self::Compromised { at: since },
            _ => return None,
        })
    }

    /// Refuses unless the key is on standby.
    pub fn activate(self, now: Timestamp) -> Result<Self, TransitionError> {
        match self {
            Self::Standby { .. } => Ok(Self::Active { since: now }),
            _ => Err(self.cannot_become("active")),
        }
    }

    /// Refuses unless the key is active.
    pub fn retire(self, until: Option<Timestamp>, now: Timestamp) -> Result<Self, TransitionError> {
        match self {
            Self::Active { .. } => Ok(Self::Retiring { since: now, until }),
            _ => Err(self.cannot_become("retiring")),
        }
    }

    /// Refuses unless the key is retiring and its time has come.
    pub fn finish(self, now: Timestamp) -> Result<Self, TransitionError> {
        match self {
            Self::Retiring { until: Some(until), .. } if until <= now => Ok(Self::Retired { at: now }),
            _ => Err(self.cannot_become("retired")),
        }
    }

    /// Refuses unless the key is on standby: it never signed anything that would miss it.
    pub fn withdraw(self, now: Timestamp) -> Result<Self, TransitionError> {
        match self {
            Self::Standby { .. } => Ok(Self::Retired { at: now }),
            _ => Err(self.cannot_become("retired")),
        }
    }

    /// Refuses only a key that is compromised already.
    pub fn compromise(self, now: Timestamp) -> Result<Self, TransitionError> {
        match self {
            Self::Compromised { .. } => Err(self.cannot_become("compromised")),
            _ => Ok(Self::Compromised { at: now }),
        }
    }

    const fn cannot_become(&self, to: &'static str) -> TransitionError {
        TransitionError { from: self.text(), to }
    }
}

impl Seal {
    /// Whether it may make a signature.
    #[must_use]
    pub const fn signs(&self) -> bool {
        matches!(self.state, SealState::Active { .. })
    }

    /// Whether its public half is among those checkers are given.
    #[must_use]
    pub fn is_published(&self, now: Timestamp) -> bool {
        match self.state {
            SealState::Standby { .. } | SealState::Active { .. } | SealState::Retiring { until: None, .. } => true,
            SealState::Retiring { until: Some(until), .. } => now < until,
            SealState::Retired { .. } | SealState::Compromised { .. } => false,
        }
    }

    /// Whether what is recorded already covers a file with this end (None: without one): then nothing needs to be written.
    #[must_use]
    pub fn covers(&self, exp: Option<Timestamp>) -> bool {
        match exp {
            _ if self.purpose.signs_without_end() => true,
            None => self.signed_without_exp,
            Some(exp) => self.last_exp.is_some_and(|last| last >= exp),
        }
    }

    /// Records that it signed something that ends at `exp`, rounded up; a retiring key is kept accordingly, because another
    /// node may have signed while it was being rotated. Refuses for a key that can't have signed.
    pub fn record_signed(mut self, exp: Option<Timestamp>) -> Result<Self, TransitionError> {
        if !matches!(self.state, SealState::Active { .. } | SealState::Retiring { .. }) {
            return Err(TransitionError { from: self.state.text(), to: "one that signed" });
        }
        if !self.covers(exp) {
            match exp {
                None => self.signed_without_exp = true,
                Some(exp) => self.last_exp = Some(rounded_up(exp)),
            }
        }
        if let SealState::Retiring { since, .. } = self.state {
            self.state = SealState::Retiring { since, until: self.verifies_until(since) };
        }
        Ok(self)
    }

    /// Until when a key that stops signing at `now` must be published: past everything it signed and every cached key set.
    #[must_use]
    pub fn verifies_until(&self, now: Timestamp) -> Option<Timestamp> {
        if self.signed_without_exp || self.purpose.signs_without_end() {
            return None;
        }
        let last = self.last_exp.unwrap_or(now).max(now);
        Some(last.plus_hours(LEEWAY_HOURS))
    }

    /// A key of no further use keeps no secret.
    fn entered(mut self, state: SealState) -> Self {
        if matches!(state, SealState::Retired { .. } | SealState::Compromised { .. }) {
            self.secret = Vec::new();
        }
        self.state = state;
        self
    }

    fn same_ring(&self, other: &Self) -> bool {
        self.purpose == other.purpose && self.product_id() == other.product_id()
    }

    #[must_use]
    pub fn product_id(&self) -> Option<ProductId> {
        self.product.as_ref().map(|product| product.id)
    }
}

impl fmt::Debug for Seal {
    /// Without the keys, not even the encrypted one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal")
            .field("kid", &self.kid)
            .field("purpose", &self.purpose)
            .field("product", &self.product_id())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl KeyRing {
    /// Reads a ring back. Refuses keys of several rings, and any number of active keys but one.
    pub fn of(seals: Vec<Seal>) -> Result<Self, RingError> {
        let Some(first) = seals.first() else { return Err(RingError::NoActive) };
        if !seals.iter().all(|seal| seal.same_ring(first)) {
            return Err(RingError::Mixed);
        }
        if seals.iter().enumerate().any(|(at, seal)| seals[..at].iter().any(|other| other.kid == seal.kid)) {
            return Err(RingError::Twice);
        }
        match seals.iter().filter(|seal| seal.signs()).count() {
            0 => return Err(RingError::NoActive),
            1 => {}
            _ => return Err(RingError::ManyActive),
        }
        if seals.iter().filter(|seal| is_standby(seal)).count() > 1 {
            return Err(RingError::ManyStandby);
        }
        Ok(Self { seals })
    }

    /// Begins a ring with a new key, which signs from now on, and for uses that keep one the next key.
    pub fn begin(first: Seal, standby: Option<Seal>, now: Timestamp) -> Result<Self, RingError> {
        let state = first.state.activate(now)?;
        let mut seals = alloc::vec![first.entered(state)];
        seals.extend(standby);
        if seals[1..].iter().any(|seal| !is_standby(seal)) {
            return Err(RingError::NotStandby);
        }
        Self::of(seals)
    }

    #[must_use]
    pub fn seals(&self) -> &[Seal] {
        &self.seals
    }

    /// The one key that signs.
    #[must_use]
    pub fn active(&self) -> &Seal {
        let active = self.seals.iter().find(|seal| seal.signs());
        active.expect("a ring is only made and changed with one active key")
    }

    #[must_use]
    pub fn standby(&self) -> Option<&Seal> {
        self.seals.iter().find(|seal| is_standby(seal))
    }

    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&Seal> {
        self.seals.iter().find(|seal| seal.kid == kid)
    }

    /// Publishes the next key. Refuses when there is one.
    pub fn add_standby(mut self, fresh: Seal) -> Result<Rotation, RingError> {
        if !is_standby(&fresh) {
            return Err(RingError::NotStandby);
        }
        self.seals.push(fresh.clone());
        Ok(Rotation { ring: Self::of(self.seals)?, changed: alloc::vec![fresh] })
    }

    /// Publishes this key as the next one; the one on standby, which never signed, is withdrawn.
    pub fn replace_standby(self, fresh: Seal, now: Timestamp) -> Result<Rotation, RingError> {
        if !is_standby(&fresh) {
            return Err(RingError::NotStandby);
        }
        if self.find(&fresh.kid).is_some() {
            return Err(RingError::Twice);
        }
        let kid = fresh.kid.clone();
        self.step(
            Some(fresh),
            |seal| {
                if is_standby(seal) && seal.kid != kid { seal.state.withdraw(now).map(Some) } else { Ok(None) }
            },
        )
    }

    /// Whether the keys may be rotated now; asked before a fresh key is made, which may take seconds.
    /// `at_once` waives the day a key has to be published before it signs.
    pub fn may_rotate(&self, now: Timestamp, at_once: bool) -> Result<(), RotationRefusal> {
        let standby = self.standby().ok_or(RotationRefusal::NoStandby)?;
        let possible_at = standby.state.since().plus_hours(STANDBY_HOURS);
        if !at_once && now < possible_at {
            return Err(RotationRefusal::StandbyTooYoung { possible_at });
        }
        Ok(())
    }

    /// The standby key signs from now on, the active one retires, and `fresh` is the next standby key
    /// (needed where the use keeps one). Refuses while the standby key is young, unless `at_once`.
    pub fn rotate(self, fresh: Option<Seal>, now: Timestamp, at_once: bool) -> Result<Rotation, RotationRefusal> {
        self.may_rotate(now, at_once)?;
        self.check_fresh(fresh.as_ref(), self.active().purpose.keeps_standby())?;
        let next = self.standby().map(|seal| seal.kid.clone());
        let rotation = self.step(fresh, |seal| {
            if seal.signs() {
                seal.state.retire(seal.verifies_until(now), now).map(Some)
            } else if Some(&seal.kid) == next.as_ref() {
                seal.state.activate(now).map(Some)
            } else {
                Ok(None)
            }
        });
        rotation.map_err(RotationRefusal::Ring)
    }

    /// Whether a fresh key is needed should this one be found compromised.
    #[must_use]
    pub fn needs_fresh_for(&self, kid: &str) -> bool {
        let Some(seal) = self.find(kid) else { return false };
        match seal.state {
            SealState::Active { .. } => self.standby().is_none() || seal.purpose.keeps_standby(),
            SealState::Standby { .. } => seal.purpose.keeps_standby(),
            _ => false,
        }
    }

    /// Marks a key as known to others. If it was the active one, the standby key signs from now on, or else the fresh one.
    /// None when the ring has no such key. Refuses a key that is compromised already, and without the fresh key it needs.
    pub fn compromise(self, kid: &str, fresh: Option<Seal>, now: Timestamp) -> Option<Result<Rotation, RingError>> {
        let was_active = self.find(kid)?.signs();
        let needed = self.needs_fresh_for(kid);
        let fresh = fresh.filter(|_| needed);
        let promoted = if was_active { self.standby().or(fresh.as_ref()).map(|seal| seal.kid.clone()) } else { None };
        Some(self.check_fresh(fresh.as_ref(), needed).and_then(|()| {
            self.step(fresh, |seal| {
                if seal.kid == kid {
                    seal.state.compromise(now).map(Some)
                } else if Some(&seal.kid) == promoted.as_ref() {
                    seal.state.activate(now).map(Some)
                } else {
                    Ok(None)
                }
            })
        }))
    }

    /// Retires every key whose time has come. `changed` is empty when none has.
    #[must_use]
    pub fn tidy(self, now: Timestamp) -> Rotation {
        let mut changed = Vec::new();
        let seals = self.seals.into_iter().map(|seal| match seal.state.finish(now) {
            Ok(state) => {
                let seal = seal.entered(state);
                changed.push(seal.clone());
                seal
            }
            Err(_) => seal,
        });
        let ring = Self { seals: seals.collect() };
        Rotation { ring, changed }
    }

    fn check_fresh(&self, fresh: Option<&Seal>, needed: bool) -> Result<(), RingError> {
        match fresh {
            Some(seal) if !is_standby(seal) => Err(RingError::NotStandby),
            None if needed => Err(RingError::FreshMissing),
            _ => Ok(()),
        }
    }

    fn step(
        self,
        fresh: Option<Seal>,
        next: impl Fn(&Seal) -> Result<Option<SealState>, TransitionError>,
    ) -> Result<Rotation, RingError> {
        let (mut seals, mut changed) = (Vec::new(), Vec::new());
        let fresh_kid = fresh.as_ref().map(|seal| seal.kid.to_owned());
        for seal in self.seals.into_iter().chain(fresh) {
            let is_fresh = fresh_kid.as_ref() == Some(&seal.kid);
            // A fresh key joins as it is, unless it has to sign at once.
            let state = next(&seal)?;
            let untouched = state.is_none() && !is_fresh;
            let seal = match state {
                Some(state) => seal.entered(state),
                None => seal,
            };
            if !untouched {
                changed.push(seal.clone());
            }
            seals.push(seal);
        }
        Ok(Rotation { ring: Self::of(seals)?, changed })
    }
}

const fn is_standby(seal: &Seal) -> bool {
    matches!(seal.state, SealState::Standby { .. })
}

fn rounded_up(exp: Timestamp) -> Timestamp {
    exp.plus_days(RECORD_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};
    use proptest::prelude::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000).plus_hours(hours)
    }

    fn seal(purpose: SealUse, number: usize, now: Timestamp) -> Seal {
        Seal {
            id: None,
            kid: format!("key-{number}"),
            purpose,
            product: Some(SealProduct { id: ProductId(7), code: ProductCode::parse("PRESS").unwrap() }),
            public: vec![1; 32],
            secret: vec![2; 64],
            state: SealState::Standby { since: now },
            created_at: now,
            last_exp: None,
            signed_without_exp: false,
            imported: false,
        }
    }

    fn ring() -> KeyRing {
        KeyRing::begin(seal(SealUse::License, 0, at(0)), Some(seal(SealUse::License, 1, at(0))), at(0)).unwrap()
    }

    fn fresh(number: usize, now: Timestamp) -> Option<Seal> {
        Some(seal(SealUse::License, number, now))
    }

    #[test]
    fn rotation_waits_until_the_standby_key_was_published_for_a_day_and_says_when() {
        let early = ring().rotate(fresh(2, at(23)), at(23), false);
        assert_eq!(early, Err(RotationRefusal::StandbyTooYoung { possible_at: at(24) }));
        assert!(format!("{}", early.unwrap_err()).contains(&at(24).to_rfc3339()));
        let now = ring().rotate(fresh(2, at(23)), at(23), true).unwrap();
        let in_time = ring().rotate(fresh(2, at(24)), at(24), false).unwrap();
        for rotation in [now, in_time] {
            assert_eq!(rotation.ring.active().kid, "key-1");
            assert_eq!(rotation.ring.standby().unwrap().kid, "key-2");
            assert_eq!(rotation.changed.len(), 3);
        }
    }

    #[test]
    fn a_retiring_key_is_published_past_the_last_end_it_signed() {
        let mut ring = ring();
        let exp = at(24 * 365);
        ring.seals[0] = ring.seals[0].clone().record_signed(Some(exp)).unwrap();
        let ring = ring.rotate(fresh(2, at(30)), at(30), false).unwrap().ring;
        let until = ring.find("key-0").unwrap().state.until().unwrap();
        assert!(until >= exp.plus_hours(LEEWAY_HOURS));
        assert!(ring.find("key-0").unwrap().is_published(exp));
        assert!(!ring.find("key-0").unwrap().is_published(until));
    }

    #[test]
    fn a_key_that_signed_a_file_without_end_stays() {
        let mut ring = ring();
        ring.seals[0] = ring.seals[0].clone().record_signed(None).unwrap();
        let ring = ring.rotate(fresh(2, at(30)), at(30), false).unwrap().ring;
        let far = at(24 * 365 * 100);
        let tidied = ring.tidy(far);
        assert!(tidied.changed.is_empty());
        assert!(tidied.ring.find("key-0").unwrap().is_published(far));
    }

    #[test]
    fn a_signature_made_while_the_key_was_rotated_keeps_it_longer() {
        let ring = ring().rotate(fresh(2, at(30)), at(30), false).unwrap().ring;
        let late = ring.find("key-0").unwrap().clone().record_signed(Some(at(5000))).unwrap();
        assert!(late.state.until().unwrap() >= at(5000));
        let forever = late.record_signed(None).unwrap();
        assert_eq!(forever.state.until(), None);
    }

    #[test]
    fn a_key_that_cannot_have_signed_records_nothing() {
        for state in [SealState::Standby { since: at(0) }, SealState::Retired { at: at(0) }, SealState::Compromised { at: at(0) }]
        {
            let unused = Seal { state, ..seal(SealUse::License, 0, at(0)) };
            assert!(unused.record_signed(None).is_err());
        }
    }

    #[test]
    fn a_compromised_key_leaves_at_once_and_the_next_signs() {
        let rotation = ring().compromise("key-0", fresh(2, at(1)), at(1)).unwrap().unwrap();
        let lost = rotation.ring.find("key-0").unwrap();
        assert!(!lost.is_published(at(1)));
        assert!(lost.secret.is_empty());
        assert_eq!(rotation.ring.active().kid, "key-1");
        assert_eq!(rotation.ring.standby().unwrap().kid, "key-2");
        assert_eq!(rotation.ring.clone().compromise("key-9", None, at(1)), None);
        assert!(rotation.ring.compromise("key-0", None, at(2)).unwrap().is_err());
    }

    #[test]
    fn a_compromised_key_without_successor_is_replaced_by_the_fresh_one() {
        let ring = KeyRing::begin(seal(SealUse::LicenseSpring, 0, at(0)), None, at(0)).unwrap();
        assert_eq!(ring.clone().compromise("key-0", None, at(1)), Some(Err(RingError::FreshMissing)));
        let rotation = ring.compromise("key-0", Some(seal(SealUse::LicenseSpring, 1, at(1))), at(1)).unwrap().unwrap();
        assert_eq!(rotation.ring.active().kid, "key-1");
    }

    #[test]
    fn a_ring_without_standby_key_publishes_one_before_it_rotates() {
        let ring = KeyRing::begin(seal(SealUse::LicenseSpring, 0, at(0)), None, at(0)).unwrap();
        assert_eq!(ring.clone().rotate(None, at(100), true), Err(RotationRefusal::NoStandby));
        let ring = ring.add_standby(seal(SealUse::LicenseSpring, 1, at(100))).unwrap().ring;
        assert!(ring.clone().rotate(None, at(101), false).is_err());
        let ring = ring.rotate(None, at(124), false).unwrap().ring;
        assert_eq!(ring.active().kid, "key-1");
        assert_eq!(ring.find("key-0").unwrap().state, SealState::Retiring { since: at(124), until: None });
    }

    #[test]
    fn keys_that_make_no_ring_are_refused() {
        let active = |number| Seal { state: SealState::Active { since: at(0) }, ..seal(SealUse::License, number, at(0)) };
        let other = Seal { product: None, ..seal(SealUse::License, 5, at(0)) };
        assert_eq!(KeyRing::of(vec![]), Err(RingError::NoActive));
        assert_eq!(KeyRing::of(vec![active(0), active(1)]), Err(RingError::ManyActive));
        assert_eq!(KeyRing::of(vec![active(0), active(0)]), Err(RingError::Twice));
        assert_eq!(KeyRing::of(vec![active(0), other]), Err(RingError::Mixed));
        assert_eq!(KeyRing::of(vec![seal(SealUse::License, 0, at(0))]), Err(RingError::NoActive));
        assert_eq!(ring().rotate(None, at(30), false), Err(RotationRefusal::Ring(RingError::FreshMissing)));
        assert_eq!(ring().rotate(Some(active(2)), at(30), false), Err(RotationRefusal::Ring(RingError::NotStandby)));
        assert_eq!(ring().rotate(fresh(0, at(30)), at(30), false), Err(RotationRefusal::Ring(RingError::Twice)));
    }

    #[test]
    fn no_debug_shows_a_key() {
        let text = format!("{:?}", seal(SealUse::License, 0, at(0)));
        assert!(!text.contains("[1") && !text.contains("[2") && !text.contains("secret"), "{text}");
    }

    #[test]
    fn a_state_is_read_back_as_it_was_written() {
        let states = [
            SealState::Standby { since: at(1) },
            SealState::Active { since: at(1) },
            SealState::Retiring { since: at(1), until: None },
            SealState::Retiring { since: at(1), until: Some(at(2)) },
            SealState::Retired { at: at(1) },
            SealState::Compromised { at: at(1) },
        ];
        for state in states {
            assert_eq!(SealState::from_parts(state.text(), state.since(), state.until()), Some(state));
        }
        assert_eq!(SealState::from_parts("active", at(1), Some(at(2))), None);
        assert_eq!(SealState::from_parts("Active", at(1), None), None);
    }

    #[derive(Clone, Debug)]
    enum Act {
        Sign(Option<i64>),
        Rotate(bool),
        Compromise(usize),
        Tidy,
        Wait(i64),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            prop::option::weighted(0.9, 0_i64..4000).prop_map(Act::Sign),
            any::<bool>().prop_map(Act::Rotate),
            (0_usize..6).prop_map(Act::Compromise),
            Just(Act::Tidy),
            (1_i64..2000).prop_map(Act::Wait),
        ]
    }

    proptest! {
        #[test]
        fn one_key_always_signs_and_none_is_forgotten_before_what_it_signed(acts in prop::collection::vec(act(), 0..60)) {
            let (mut ring, mut hour, mut made) = (ring(), 0, 2);
            // What each key really signed, kept apart from what the ring recorded.
            let mut signed: Vec<(String, Option<Timestamp>)> = Vec::new();
            for act in acts {
                let now = at(hour);
                let before = ring.clone();
                match act {
                    Act::Sign(hours) => {
                        let exp = hours.map(|hours| at(hour + hours));
                        let place = ring.seals.iter().position(Seal::signs).unwrap();
                        ring.seals[place] = ring.seals[place].clone().record_signed(exp).unwrap();
                        signed.push((ring.seals[place].kid.clone(), exp));
                        prop_assert!(ring.seals[place].covers(exp));
                    }
                    Act::Rotate(at_once) => {
                        made += 1;
                        let young = now < before.standby().unwrap().state.since().plus_hours(STANDBY_HOURS);
                        match ring.clone().rotate(fresh(made, now), now, at_once) {
                            Ok(rotation) => {
                                prop_assert!(at_once || !young);
                                prop_assert_eq!(&rotation.ring.active().kid, &before.standby().unwrap().kid);
                                ring = rotation.ring;
                            }
                            Err(_) => prop_assert!(young && !at_once),
                        }
                    }
                    Act::Compromise(number) => {
                        made += 1;
                        let kid = format!("key-{number}");
                        if let Some(Ok(rotation)) = ring.clone().compromise(&kid, fresh(made, now), now) {
                            ring = rotation.ring;
                            prop_assert!(!ring.find(&kid).unwrap().is_published(now));
                        }
                    }
                    Act::Tidy => {
                        ring = ring.tidy(now).ring;
                    }
                    Act::Wait(hours) => hour += hours,
                }
                let now = at(hour);
                prop_assert_eq!(ring.seals.iter().filter(|seal| seal.signs()).count(), 1);
                prop_assert!(ring.standby().is_some());
                prop_assert_eq!(KeyRing::of(ring.seals.clone()), Ok(ring.clone()));
                for seal in &ring.seals {
                    if matches!(seal.state, SealState::Retired { .. } | SealState::Compromised { .. }) {
                        prop_assert!(!seal.signs() && seal.secret.is_empty());
                        prop_assert!(seal.state.activate(now).is_err());
                    }
                    for (_, exp) in signed.iter().filter(|(kid, _)| *kid == seal.kid) {
                        let good_still = exp.is_none_or(|exp| now <= exp);
                        let compromised = matches!(seal.state, SealState::Compromised { .. });
                        prop_assert!(!good_still || compromised || seal.is_published(now), "{:?} {:?}", seal, exp);
                        if let (Some(until), Some(exp)) = (seal.state.until(), exp) {
                            prop_assert!(until >= *exp);
                        }
                    }
                }
            }
        }
    }
}
