//! What a vendor limits beside the license itself (§3, §6): how often a machine is activated, how many trials it has, how often seats are
//! given back. Each limit is off until it is set.

use serde::{Deserialize, Serialize};

use super::{ErrorCode, QlmTerms};
use crate::licensing::{Timestamp, license::Limit};

/// Limits on activations, as the server's properties set them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActivationLimits {
    /// How often one machine may be activated by one license (`maxActivationsPerSystem`): a machine that was cloned is activated again by
    /// each of its clones.
    pub per_system: Option<u32>,
    /// Only machines that say that they are virtual are counted (`maxActivationsEnforcedOnVMsOnly`).
    pub virtual_machines_only: bool,
    /// How many trial licenses of a product a machine may have (`numberOfTrialLicensesAllowedPerClient`).
    pub trials: Option<u32>,
    /// How many seats are taken in a day (`maxActivationsPerDay`), over all licenses.
    pub per_day: Option<u32>,
}

impl ActivationLimits {
    /// Whether activations of such a machine are counted.
    #[must_use]
    pub fn counts(&self, virtual_machine: Option<bool>) -> bool {
        self.per_system.is_some() && (!self.virtual_machines_only || virtual_machine == Some(true))
    }

    /// Refuses one activation more of a machine that was activated so often.
    pub fn again(&self, virtual_machine: Option<bool>, before: u32) -> Result<(), Protection> {
        match self.per_system {
            Some(most) if self.counts(virtual_machine) && before >= most => Err(Protection::System { most }),
            _ => Ok(()),
        }
    }

    /// Refuses a trial to a machine that had so many others.
    pub const fn trial(&self, others: u32) -> Result<(), Protection> {
        match self.trials {
            Some(most) if others >= most => Err(Protection::Trials { most }),
            _ => Ok(()),
        }
    }
}

/// Limits on seats that are given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReleaseLimits {
    /// How often seats of a license are given back (`maxReleaseCount`).
    pub most: Option<u32>,
    /// That is for the whole license; otherwise for each of its seats (`maxReleaseCountAbsolute`).
    pub absolute: bool,
    /// How often one machine gives back its seat (`maxReleasePerClient`).
    pub per_client: Option<u32>,
    /// Only releases of so many days are counted (`maxReleasePeriodInDays`).
    pub days: Option<u32>,
    /// How long a seat is held at least, in minutes (`preventDeactivationPeriod`).
    pub hold_minutes: u32,
}

/// A license's own limit: as the server says where there is none.
pub type OwnLimit = Option<Limit>;

impl ReleaseLimits {
    /// The limits of a license: its own, where it has some.
    #[must_use]
    pub fn of(self, terms: Option<&QlmTerms>) -> Self {
        let own = |of: fn(&QlmTerms) -> OwnLimit, server| terms.and_then(of).map_or(server, Limit::most);
        Self { most: own(|terms| terms.max_releases, self.most), days: own(|terms| terms.release_days, self.days), ..self }
    }

    /// Since when releases count.
    #[must_use]
    pub fn since(&self, now: Timestamp) -> Timestamp {
        self.days.map_or(Timestamp::from_millis(0), |days| now.plus_days(-i64::from(days)))
    }

    /// Refuses a seat that is held too short, and one release too many. `of_license` and `of_client` are those since [`Self::since`].
    pub fn release(
        &self,
        seats: Limit,
        held_since: Timestamp,
        of_license: u32,
        of_client: u32,
        now: Timestamp,
    ) -> Result<(), Protection> {
        let until = held_since.plus_seconds(60 * i64::from(self.hold_minutes));
        if now < until {
            return Err(Protection::Held { until });
        }
        let seats = if self.absolute { 1 } else { seats.most().unwrap_or(u32::MAX).max(1) };
        let over = |made: u32, most: Option<u32>| most.filter(|most| made >= *most);
        let of_license = over(of_license, self.most.map(|most| most.saturating_mul(seats)));
        match of_license.or(over(of_client, self.per_client)) {
            Some(most) => Err(Protection::Releases { most, days: self.days }),
            None => Ok(()),
        }
    }
}

/// What such a limit, or a mark of misuse, stands in the way of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Protection {
    System {
        most: u32,
    },
    Trials {
        most: u32,
    },
    Day,
    /// As many keys were made today as may be.
    Keys,
    /// As many licenses are on this server as may be.
    Records {
        most: u32,
    },
    /// The key of the computer is not the one it was given.
    ComputerKey,
    /// The same, where that is only noted.
    IllegalComputer,
    Held {
        until: Timestamp,
    },
    Releases {
        most: u32,
        days: Option<u32>,
    },
}

impl Protection {
    #[must_use]
    pub fn examples() -> [Self; 9] {
        [
            Self::System { most: 3 },
            Self::Trials { most: 1 },
            Self::Day,
            Self::Keys,
            Self::Records { most: 10_000 },
            Self::ComputerKey,
            Self::IllegalComputer,
            Self::Held { until: Timestamp::from_millis(0) },
            Self::Releases { most: 2, days: Some(30) },
        ]
    }

    /// The stable code, the same in every list and log.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::System { .. } => "too_many_on_system",
            Self::Trials { .. } => "too_many_trials",
            Self::Day => "too_many_today",
            Self::Keys => "too_many_keys_today",
            Self::Records { .. } => "too_many_licenses",
            Self::ComputerKey => "computer_key_mismatch",
            Self::IllegalComputer => "illegal_computer",
            Self::Held { .. } => "seat_held_too_short",
            Self::Releases { .. } => "too_many_releases",
        }
    }

    /// By number (§2.6).
    #[must_use]
    pub const fn error(&self) -> ErrorCode {
        match self {
            Self::System { .. } => ErrorCode::TooManyActivationsPerSystem,
            Self::Trials { .. } => ErrorCode::TooManyTrials,
            Self::Day | Self::Keys | Self::Records { .. } => ErrorCode::Blocked,
            Self::ComputerKey => ErrorCode::ComputerKeyMismatch,
            Self::IllegalComputer => ErrorCode::Illegal,
            Self::Held { .. } | Self::Releases { .. } => ErrorCode::TooManyReleases,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn what_is_not_limited_is_let_pass() {
        let none = ActivationLimits::default();
        assert_eq!((none.again(Some(true), u32::MAX), none.trial(u32::MAX)), (Ok(()), Ok(())));
        let none = ReleaseLimits::default();
        assert_eq!(none.release(Limit::AtMost(1), NOW, u32::MAX, u32::MAX, NOW), Ok(()));
    }

    #[test]
    fn a_machine_is_activated_so_often_and_no_more() {
        let limits = ActivationLimits { per_system: Some(2), ..ActivationLimits::default() };
        assert_eq!((limits.again(None, 1), limits.again(None, 2)), (Ok(()), Err(Protection::System { most: 2 })));
        let limits = ActivationLimits { virtual_machines_only: true, ..limits };
        for (machine, refused) in [(None, false), (Some(false), false), (Some(true), true)] {
            assert_eq!(limits.again(machine, 2).is_err(), refused, "{machine:?}");
        }
        let limits = ActivationLimits { trials: Some(1), ..limits };
        assert_eq!((limits.trial(0), limits.trial(1)), (Ok(()), Err(Protection::Trials { most: 1 })));
    }

    #[test]
    fn seats_are_given_back_so_often_for_each_seat_or_for_the_license() {
        let each = ReleaseLimits { most: Some(2), ..ReleaseLimits::default() };
        let made = |limits: ReleaseLimits, count| limits.release(Limit::AtMost(3), NOW, count, 0, NOW);
        assert_eq!((made(each, 5), made(each, 6)), (Ok(()), Err(Protection::Releases { most: 6, days: None })));
        let whole = ReleaseLimits { absolute: true, days: Some(30), ..each };
        assert_eq!((made(whole, 1), made(whole, 2)), (Ok(()), Err(Protection::Releases { most: 2, days: Some(30) })));
        assert_eq!(whole.since(NOW), NOW.plus_days(-30));
        assert_eq!(each.release(Limit::Unlimited, NOW, 1_000_000, 0, NOW), Ok(()));
        let client = ReleaseLimits { per_client: Some(1), ..ReleaseLimits::default() };
        assert_eq!(client.release(Limit::AtMost(3), NOW, 9, 0, NOW), Ok(()));
        assert_eq!(client.release(Limit::AtMost(3), NOW, 0, 1, NOW), Err(Protection::Releases { most: 1, days: None }));
    }

    #[test]
    fn a_license_has_limits_of_its_own() {
        let server = ReleaseLimits { most: Some(2), days: Some(30), ..ReleaseLimits::default() };
        let terms = |max_releases, release_days| QlmTerms { max_releases, release_days, ..QlmTerms::default() };
        for (own, most, days) in [
            (terms(None, None), Some(2), Some(30)),
            (terms(Some(Limit::AtMost(5)), None), Some(5), Some(30)),
            (terms(Some(Limit::Unlimited), Some(Limit::AtMost(7))), None, Some(7)),
            (terms(Some(Limit::AtMost(0)), Some(Limit::Unlimited)), Some(0), None),
        ] {
            let limits = server.of(Some(&own));
            assert_eq!((limits.most, limits.days), (most, days));
        }
        assert_eq!(server.of(None), server);
        let never = server.of(Some(&terms(Some(Limit::AtMost(0)), None)));
        assert!(never.release(Limit::AtMost(3), NOW, 0, 0, NOW).is_err());
    }

    #[test]
    fn a_seat_is_held_for_a_while() {
        let limits = ReleaseLimits { hold_minutes: 10, ..ReleaseLimits::default() };
        let until = NOW.plus_seconds(600);
        for (at, let_go) in [(NOW, false), (until.plus_millis(-1), false), (until, true)] {
            assert_eq!(limits.release(Limit::AtMost(1), NOW, 0, 0, at).is_ok(), let_go);
        }
    }

    #[test]
    fn words_name_the_limit_and_no_two_codes_are_the_same() {
        let mut codes = Protection::examples().map(|one| one.code());
        codes.sort_unstable();
        assert!(codes.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(Protection::System { most: 3 }.words().why.contains("3 times"));
        assert!(Protection::Releases { most: 1, days: Some(1) }.words().why.contains("once in 1 day."));
    }
}
