//! An activation: a license on a device. One row for each pair, whatever happens to it; its state carries the facts.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    ActivationId, DeviceId, DeviceName, LicenseId, Timestamp, license::Actor, license::TransitionError, tpm::TpmKey,
    usage::Totals,
};

/// How the activation reached the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Online,
    Offline,
    AirGapped,
}

impl How {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::AirGapped => "air_gapped",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Online, Self::Offline, Self::AirGapped].into_iter().find(|how| how.as_str() == text)
    }
}

/// The RFC 7638 thumbprint of a device's own Ed25519 key, base64url: 43 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceKey(pub String);

/// What a machine says of itself. Shown, never trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    pub name: Option<DeviceName>,
    pub os: Option<String>,
    pub app: Option<String>,
    pub sdk: Option<String>,
    pub virtual_machine: Option<bool>,
}

impl Device {
    /// A device of which nothing but its id is known.
    #[must_use]
    pub const fn bare(id: DeviceId) -> Self {
        Self { id, name: None, os: None, app: None, sdk: None, virtual_machine: None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActivationState {
    Active {
        since: Timestamp,
    },
    /// The seat was given back. `counted`: another device that takes it is a transfer; `replaced_by`: the one that did.
    Released {
        at: Timestamp,
        by: Actor,
        counted: bool,
        replaced_by: Option<ActivationId>,
    },
    /// The seat was taken away and the device is barred until it is allowed again.
    Revoked {
        at: Timestamp,
        by: Actor,
        reason: String,
    },
}

impl ActivationState {
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Active { .. } => "active",
            Self::Released { .. } => "released",
            Self::Revoked { .. } => "revoked",
        }
    }

    /// The instant it entered this state.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        match self {
            Self::Active { since } => *since,
            Self::Released { at, .. } | Self::Revoked { at, .. } => *at,
        }
    }

    #[must_use]
    pub const fn holds_seat(&self) -> bool {
        matches!(self, Self::Active { .. })
    }

    /// Gives the seat back. Refuses when it holds none.
    pub fn release(self, by: Actor, counted: bool, at: Timestamp) -> Result<Self, TransitionError> {
        match self {
            Self::Active { .. } => Ok(Self::Released { at, by, counted, replaced_by: None }),
            Self::Released { .. } | Self::Revoked { .. } => Err(TransitionError::NotActive),
        }
    }

    /// Takes the seat away and bars the device; a device that holds no seat can be barred too.
    #[must_use]
    pub fn revoke(self, by: Actor, reason: String, at: Timestamp) -> Self {
        Self::Revoked { at, by, reason }
    }

    /// Lets a barred device come back: it holds no seat until it activates. Refuses when it is not barred.
    pub fn allow(self, by: Actor, at: Timestamp) -> Result<Self, TransitionError> {
        match self {
            Self::Revoked { .. } => Ok(Self::Released { at, by, counted: false, replaced_by: None }),
            Self::Active { .. } | Self::Released { .. } => Err(TransitionError::NotRevoked),
        }
    }
}

/// An activation as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    pub id: ActivationId,
    pub license: LicenseId,
    pub device: Device,
    pub state: ActivationState,
    pub how: How,
    pub device_key: Option<DeviceKey>,
    /// The named user the seat belongs to, where licenses are by user.
    pub user: Option<String>,
    pub first_activated: Timestamp,
    pub last_seen: Timestamp,
    /// Rebinds in the running year, and when that year began.
    pub rebinds: Counted,
    /// Releases by file in the running year, and when that year began.
    pub offline_releases: Counted,
    /// The highest `use.seq` seen, so that an older report changes nothing.
    pub use_seq: i64,
    /// The running totals that report told.
    pub use_totals: Totals,
    /// The LicenseSpring API key the activation was made under.
    pub api_key: Option<String>,
    /// The ids of the keys that signed its newest file.
    pub file_keys: Option<String>,
    /// When its device key last became another one.
    pub bound: Option<Timestamp>,
    /// An address given with the activation, which proves nothing.
    pub contact: Option<String>,
    /// A key in its TPM, without whose signature nothing of it counts.
    pub tpm_key: Option<TpmKey>,
}

impl Activation {
    /// A seat that a device takes now. The store gives it its id.
    #[must_use]
    pub fn new(license: LicenseId, device: Device, how: How, now: Timestamp) -> Self {
        Self {
            id: ActivationId(0),
            license,
            device,
            state: ActivationState::Active { since: now },
            how,
            device_key: None,
            user: None,
            first_activated: now,
            last_seen: now,
            rebinds: Counted::default(),
            offline_releases: Counted::default(),
            use_seq: 0,
            use_totals: Totals::default(),
            api_key: None,
            file_keys: None,
            bound: None,
            contact: None,
            tpm_key: None,
        }
    }

    /// Takes another device key.
    pub fn rebind(&mut self, now: Timestamp) {
        self.rebinds = self.rebinds.once_more(now);
        self.bound = Some(now);
    }

    /// Lets the machine start afresh, as one that was never bound: whoever may decide that has decided it.
    pub fn unbind(&mut self) {
        self.device_key = None;
        self.tpm_key = None;
        self.rebinds = Counted::default();
        self.bound = None;
    }
}

/// The most variables a machine keeps; a file carries up to 64.
pub const VARIABLES_KEPT: usize = 256;

/// Which of the variables a machine sends are kept: those it has, and new ones while there is room.
#[must_use]
pub fn kept_variables(there: &[String], sent: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut room = VARIABLES_KEPT.saturating_sub(there.len());
    let fits = |(name, _): &(String, String)| {
        there.contains(name) || {
            let fits = room > 0;
            room = room.saturating_sub(1);
            fits
        }
    };
    sent.into_iter().filter(fits).collect()
}

/// How often something happened within a year that starts with its first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub times: u32,
    pub since: Option<Timestamp>,
}

impl Counted {
    const YEAR_DAYS: i64 = 365;

    /// How often it happened in the year that runs at `now`.
    #[must_use]
    pub fn at(self, now: Timestamp) -> u32 {
        match self.since {
            Some(since) if now < since.plus_days(Self::YEAR_DAYS) => self.times,
            _ => 0,
        }
    }

    #[must_use]
    pub fn once_more(self, now: Timestamp) -> Self {
        match self.since {
            Some(since) if now < since.plus_days(Self::YEAR_DAYS) => {
                Self { times: self.times.saturating_add(1), since: Some(since) }
            }
            _ => Self { times: 1, since: Some(now) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    #[test]
    fn a_seat_is_given_back_once() {
        let released = ActivationState::Active { since: NOW }.release(Actor::Customer, true, NOW).unwrap();
        assert_eq!(released.clone().release(Actor::Customer, true, NOW), Err(TransitionError::NotActive));
        assert_eq!(released.allow(Actor::Operator, NOW), Err(TransitionError::NotRevoked));
    }

    #[test]
    fn a_revoked_device_that_is_allowed_again_holds_no_seat() {
        let revoked = ActivationState::Active { since: NOW }.revoke(Actor::Operator, "chargeback".to_owned(), NOW);
        assert!(!revoked.holds_seat());
        assert_eq!(revoked.clone().release(Actor::Customer, true, NOW), Err(TransitionError::NotActive));
        assert!(!revoked.allow(Actor::Operator, NOW).unwrap().holds_seat());
    }

    #[test]
    fn a_machine_keeps_a_bounded_number_of_variables() {
        let there: Vec<String> = (0..VARIABLES_KEPT - 1).map(|number| alloc::format!("v{number}")).collect();
        let sent = ["new", "v3", "too many"].map(|name| (name.to_owned(), "1".to_owned())).to_vec();
        let kept = kept_variables(&there, sent);
        assert_eq!(kept.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["new", "v3"]);
    }

    #[test]
    fn a_year_of_counting_starts_with_the_first_time() {
        let mut counted = Counted::default();
        for _ in 0..3 {
            counted = counted.once_more(NOW);
        }
        assert_eq!(counted.at(NOW.plus_days(364)), 3);
        assert_eq!(counted.at(NOW.plus_days(365)), 0);
        assert_eq!(counted.once_more(NOW.plus_days(365)).at(NOW.plus_days(365)), 1);
    }
}
