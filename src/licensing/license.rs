//! A license: what was sold, its limits, and the states it can be in. Limits and states live apart, so that editing a limit
//! cannot change a state.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    ActivationKey, CustomerId, LicenseId, OrderId, PolicyId, ProductId, Timestamp,
    product::{FeatureKind, Version},
};

/// How many of a thing there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    Unlimited,
    AtMost(u32),
}

impl Limit {
    /// Whether one more fits beside `taken`.
    #[must_use]
    pub const fn allows_one_more(self, taken: u32) -> bool {
        match self {
            Self::Unlimited => true,
            Self::AtMost(most) => taken < most,
        }
    }

    #[must_use]
    pub const fn tighter(self, other: Self) -> Self {
        match (self, other) {
            (Self::AtMost(one), Self::AtMost(two)) => Self::AtMost(if one < two { one } else { two }),
            (Self::Unlimited, limit) | (limit, Self::Unlimited) => limit,
        }
    }

    #[must_use]
    pub const fn most(self) -> Option<u32> {
        match self {
            Self::Unlimited => None,
            Self::AtMost(most) => Some(most),
        }
    }
}

/// How often a freed seat may be taken by another device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferLimit {
    Unlimited,
    Forbidden,
    AtMost(u32),
}

impl TransferLimit {
    #[must_use]
    pub const fn allows_one_more(self, used: u32) -> bool {
        match self {
            Self::Unlimited => true,
            Self::Forbidden => false,
            Self::AtMost(most) => used < most,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LicenseType {
    Perpetual,
    TimeLimited,
    Subscription,
    Consumption,
}

impl LicenseType {
    pub const ALL: [Self; 4] = [Self::Perpetual, Self::TimeLimited, Self::Subscription, Self::Consumption];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Perpetual => "perpetual",
            Self::TimeLimited => "time-limited",
            Self::Subscription => "subscription",
            Self::Consumption => "consumption",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// When a license ends: the earliest of what is set; nothing set is never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// Good until this instant, exclusive.
    pub on: Option<Timestamp>,
    /// Days counted from the first activation.
    pub days_after_first_activation: Option<u32>,
    /// Those days end with a day (UTC), as days that count from an order do.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub ends_with_day: bool,
    /// Days the app itself counts from its first run: never known here, told in the file.
    pub days_counted_by_client: Option<u32>,
    /// Days counted from the day a license is issued. Only a policy holds them: a license has the day they make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_after_issue: Option<u32>,
}

impl Expiry {
    pub const NEVER: Self = Self {
        on: None,
        days_after_first_activation: None,
        ends_with_day: false,
        days_counted_by_client: None,
        days_after_issue: None,
    };

    #[must_use]
    pub const fn on(instant: Timestamp) -> Self {
        Self { on: Some(instant), ..Self::NEVER }
    }

    /// The expiry of a license that is issued at this instant: days from its issue become the end of a day.
    #[must_use]
    pub fn issued(self, at: Timestamp) -> Self {
        let Some(days) = self.days_after_issue else { return self };
        let counted = at.plus_days(i64::from(days)).plus_millis(-1).next_midnight();
        Self { on: Some(self.on.map_or(counted, |on| on.min(counted))), days_after_issue: None, ..self }
    }

    /// The instant from which the license is expired, as far as it is known.
    #[must_use]
    pub fn instant(self, first_activated: Option<Timestamp>) -> Option<Timestamp> {
        let counted = self.days_after_first_activation.zip(first_activated).map(|(days, first)| {
            let from = if self.ends_with_day { first.date().end() } else { first };
            from.plus_days(i64::from(days))
        });
        match (self.on, counted) {
            (Some(on), Some(counted)) => Some(on.min(counted)),
            (on, counted) => on.or(counted),
        }
    }
}

/// For how long new versions are included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Maintenance {
    /// Every version is covered.
    #[default]
    None,
    Until(Timestamp),
    DaysAfterFirstActivation(u32),
    /// The same, through the last of them (UTC).
    WholeDaysAfterFirstActivation(u32),
}

impl Maintenance {
    /// The instant from which released versions are no longer covered.
    #[must_use]
    pub fn instant(self, first_activated: Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::None => None,
            Self::Until(instant) => Some(instant),
            Self::DaysAfterFirstActivation(days) => first_activated.map(|first| first.plus_days(i64::from(days))),
            Self::WholeDaysAfterFirstActivation(days) => {
                first_activated.map(|first| first.date().end().plus_days(i64::from(days)))
            }
        }
    }

    /// Whether a version released at `version.released` is covered.
    #[must_use]
    pub fn covers(self, version: &Version, first_activated: Option<Timestamp>) -> bool {
        self.instant(first_activated).is_none_or(|until| version.released < until)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    Daily,
    Weekly,
    Monthly,
    Annually,
}

impl Period {
    pub const ALL: [Self; 4] = [Self::Daily, Self::Weekly, Self::Monthly, Self::Annually];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Annually => "annually",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.as_str() == text)
    }
}

/// A counter with an allowance, of a license or of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    pub used: i64,
    pub max: Limit,
    pub overage: Limit,
    pub period: Option<Period>,
    pub negatives: bool,
    pub resets_at: Option<Timestamp>,
}

/// A feature a license includes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entitlement {
    pub code: String,
    pub name: String,
    pub kind: FeatureKind,
    pub valid_until: Option<Timestamp>,
    pub meter: Option<Meter>,
    pub floating: Option<u32>,
}

/// Slots shared by more devices than may use them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floating {
    pub slots: u32,
    pub borrow_hours: u32,
}

/// What staff may edit: none of it says which state the license is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub kind: LicenseType,
    pub trial: bool,
    pub seats: Limit,
    pub start: Option<Timestamp>,
    pub expiry: Expiry,
    /// Hours after expiry in which running copies go on; nothing new is granted in them.
    pub grace_hours: u32,
    pub maintenance: Maintenance,
    pub transfers: TransferLimit,
    pub offline_allowed: bool,
    /// Activated by codes alone, under a policy whose file the app was shipped with: such terms never change.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub air_gapped: bool,
    pub floating: Option<Floating>,
    pub meter: Option<Meter>,
    pub entitlements: Vec<Entitlement>,
    pub fields: BTreeMap<String, String>,
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// Of a license that was made through Quick License Manager's methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qlm: Option<super::qlm::QlmTerms>,
}

impl Default for Terms {
    /// A perpetual license for one device, without extras.
    fn default() -> Self {
        Self {
            kind: LicenseType::Perpetual,
            trial: false,
            seats: Limit::AtMost(1),
            start: None,
            expiry: Expiry::NEVER,
            grace_hours: 0,
            maintenance: Maintenance::None,
            transfers: TransferLimit::Unlimited,
            offline_allowed: true,
            air_gapped: false,
            floating: None,
            meter: None,
            entitlements: Vec::new(),
            fields: BTreeMap::new(),
            metadata: serde_json::Map::new(),
            qlm: None,
        }
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// The holder of the license, through a page, a file or an app.
    Customer,
    Staff {
        id: i64,
        email: String,
    },
    /// Someone at the command line of the server.
    Operator,
    ApiKey {
        name: String,
    },
    /// A shop or site, by Quick License Manager's methods.
    Extension {
        name: String,
    },
    System,
}

/// Whether staff lets the license be used. Expired is not a state: it is a question asked with `now`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LicenseState {
    Enabled,
    Disabled { at: Timestamp, by: Actor, reason: String },
    Archived { at: Timestamp, by: Actor, reason: String },
}

/// A change of state that makes no sense from where the thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum TransitionError {
    #[error("it is enabled already")]
    AlreadyEnabled,
    #[error("it is disabled already")]
    AlreadyDisabled,
    #[error("it is archived already")]
    AlreadyArchived,
    #[error("the seat is not taken")]
    NotActive,
    #[error("the device is not barred")]
    NotRevoked,
}

impl TransitionError {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlreadyEnabled => "already_enabled",
            Self::AlreadyDisabled => "already_disabled",
            Self::AlreadyArchived => "already_archived",
            Self::NotActive => "not_active",
            Self::NotRevoked => "not_revoked",
        }
    }
}

impl LicenseState {
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled { .. } => "disabled",
            Self::Archived { .. } => "archived",
        }
    }

    /// Nothing new is granted; activations stay as they are and come back with it. Refuses when it is not enabled.
    pub fn disable(self, by: Actor, reason: String, at: Timestamp) -> Result<Self, TransitionError> {
        match self {
            Self::Enabled => Ok(Self::Disabled { at, by, reason }),
            Self::Disabled { .. } => Err(TransitionError::AlreadyDisabled),
            Self::Archived { .. } => Err(TransitionError::AlreadyArchived),
        }
    }

    /// Back to enabled, from disabled or archived.
    pub fn enable(self) -> Result<Self, TransitionError> {
        match self {
            Self::Enabled => Err(TransitionError::AlreadyEnabled),
            Self::Disabled { .. } | Self::Archived { .. } => Ok(Self::Enabled),
        }
    }

    /// Put away: like disabled, and out of the usual lists.
    pub fn archive(self, by: Actor, reason: String, at: Timestamp) -> Result<Self, TransitionError> {
        match self {
            Self::Archived { .. } => Err(TransitionError::AlreadyArchived),
            Self::Enabled | Self::Disabled { .. } => Ok(Self::Archived { at, by, reason }),
        }
    }
}

/// A renewal until a day that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("This day is past. Choose a day to come; to end a license early, disable it or edit its end.")]
pub struct PastEnd;

/// A license as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    pub id: LicenseId,
    pub product: ProductId,
    /// Absent on licenses that are used by named users alone.
    pub key: Option<ActivationKey>,
    pub state: LicenseState,
    pub terms: Terms,
    pub seats_taken: u32,
    pub transfers_used: u32,
    pub first_activated: Option<Timestamp>,
    pub customer: Option<CustomerId>,
    pub order: Option<OrderId>,
    pub policy: Option<PolicyId>,
    /// The shop's subscription this license follows: provider and reference.
    pub subscription: Option<(String, String)>,
    pub note: String,
    pub created: Timestamp,
    /// Raised by every change; an answer given under an older revision is not given again.
    pub revision: i64,
}

impl License {
    /// The instant from which the license is expired, as far as it is known here.
    #[must_use]
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.terms.expiry.instant(self.first_activated)
    }

    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.valid_until().is_some_and(|until| until <= now)
    }

    /// The next instant at which something said of the license may become different by itself: it begins, it or a feature ends, a
    /// counter begins anew.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let features = self.terms.entitlements.iter();
        let meters = self.terms.meter.iter().chain(features.clone().filter_map(|feature| feature.meter.as_ref()));
        let instants = [self.terms.start, self.valid_until(), self.use_ends()].into_iter().flatten();
        let instants = instants.chain(features.filter_map(|feature| feature.valid_until));
        instants.chain(meters.filter_map(|meter| meter.resets_at)).filter(|instant| *instant > now).min()
    }

    /// Whether a version may be installed under this license: it came out within the maintenance and before the license ended.
    #[must_use]
    pub fn covers(&self, version: &Version) -> bool {
        self.terms.maintenance.covers(version, self.first_activated)
            && self.valid_until().is_none_or(|until| version.released < until)
    }

    /// A feature by its code, and the place it has.
    #[must_use]
    pub fn entitlement(&self, code: &str) -> Option<(usize, &Entitlement)> {
        self.terms.entitlements.iter().enumerate().find(|(_, entitlement)| entitlement.code.eq_ignore_ascii_case(code))
    }

    /// The instant use ends: the grace included.
    #[must_use]
    pub fn use_ends(&self) -> Option<Timestamp> {
        self.valid_until().map(|until| until.plus_hours(i64::from(self.terms.grace_hours)))
    }

    /// The end so many days after the present one, or after now where that is past; none for a license that never ends, which such
    /// an end would shorten. Days that count from a first activation or the app's first run still to come are an end.
    #[must_use]
    pub fn renewed_end(&self, days: u32, now: Timestamp) -> Option<Timestamp> {
        if self.terms.expiry == Expiry::NEVER {
            return None;
        }
        let from = self.valid_until().filter(|until| *until > now).unwrap_or(now);
        Some(from.plus_days(i64::from(days)).plus_millis(-1).next_midnight())
    }

    /// Extends the license: a new end, which replaces every rule that would end it earlier. The state stays as it is.
    /// Refuses an end that is past: it would take away what a renewal gives.
    pub fn renew(&mut self, valid_until: Timestamp, maintenance: Option<Timestamp>, now: Timestamp) -> Result<(), PastEnd> {
        if valid_until <= now {
            return Err(PastEnd);
        }
        self.terms.expiry = Expiry { on: Some(valid_until), ..Expiry::NEVER };
        if let Some(until) = maintenance {
            self.terms.maintenance = Maintenance::Until(until);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{borrow::ToOwned, vec};
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn disabled() -> LicenseState {
        LicenseState::Enabled.disable(Actor::Operator, "refund".to_owned(), NOW).unwrap()
    }

    #[test]
    fn the_next_change_is_the_first_instant_still_to_come() {
        let at = |days: i64| NOW.plus_days(days);
        let meter = |resets: i64| Meter {
            used: 0,
            max: Limit::AtMost(9),
            overage: Limit::AtMost(0),
            period: Some(Period::Daily),
            negatives: false,
            resets_at: Some(at(resets)),
        };
        let feature = |until: i64, resets: i64| Entitlement {
            code: "f".to_owned(),
            name: "F".to_owned(),
            kind: FeatureKind::Consumption,
            valid_until: Some(at(until)),
            meter: Some(meter(resets)),
            floating: None,
        };
        let terms = Terms {
            start: Some(at(1)),
            expiry: Expiry { on: Some(at(6)), ..Expiry::NEVER },
            grace_hours: 24,
            meter: Some(meter(2)),
            entitlements: vec![feature(3, 4), feature(5, 2)],
            ..Terms::default()
        };
        let license = License {
            id: LicenseId(1),
            product: ProductId(1),
            key: None,
            state: LicenseState::Enabled,
            terms,
            seats_taken: 0,
            transfers_used: 0,
            first_activated: None,
            customer: None,
            order: None,
            policy: None,
            subscription: None,
            note: String::new(),
            created: NOW,
            revision: 1,
        };
        for day in 0..7 {
            assert_eq!(license.next_change(at(day)), Some(at(day + 1)), "{day}");
            assert_eq!(license.next_change(at(day).plus_millis(1)), Some(at(day + 1)), "{day}");
        }
        assert_eq!(license.next_change(at(7)), None);
    }

    #[test]
    fn the_earliest_of_several_expiries_holds() {
        let expiry = Expiry { on: Some(NOW.plus_days(30)), days_after_first_activation: Some(14), ..Expiry::NEVER };
        assert_eq!(expiry.instant(None), Some(NOW.plus_days(30)));
        assert_eq!(expiry.instant(Some(NOW)), Some(NOW.plus_days(14)));
        assert_eq!(expiry.instant(Some(NOW.plus_days(20))), Some(NOW.plus_days(30)));
        assert_eq!(Expiry { days_counted_by_client: Some(3), ..Expiry::NEVER }.instant(Some(NOW)), None);
        let by_day = Expiry { days_after_first_activation: Some(30), ends_with_day: true, ..Expiry::NEVER };
        let day = |text: &str| text.parse::<crate::licensing::Date>().unwrap();
        for millis in [0, 40_000_000, 86_399_999] {
            let first = day("2021-01-15").midnight().plus_millis(millis);
            assert_eq!(by_day.instant(Some(first)), Some(day("2021-02-14").end()), "{millis}");
        }
    }

    #[test]
    fn days_from_issue_become_the_end_of_a_day() {
        let at = Timestamp::from_rfc3339("2026-11-20T15:00:00Z").unwrap();
        let policy = Expiry { days_after_issue: Some(30), ..Expiry::NEVER };
        assert_eq!(policy.issued(at).on.unwrap().to_rfc3339(), "2026-12-21T00:00:00.000Z");
        assert_eq!(policy.issued(at.plus_days(365)).on.unwrap().to_rfc3339(), "2027-12-21T00:00:00.000Z");
        assert_eq!(policy.issued(at).days_after_issue, None);
        let sooner = Expiry { on: Some(at.plus_days(2)), ..policy };
        assert_eq!(sooner.issued(at).on, Some(at.plus_days(2)), "the earliest holds");
        // A policy of before there were such days is read as it was.
        let kept = r#"{"on":null,"days_after_first_activation":7,"days_counted_by_client":null}"#;
        let read: Expiry = serde_json::from_str(kept).unwrap();
        assert_eq!(read, Expiry { days_after_first_activation: Some(7), ..Expiry::NEVER });
        assert_eq!(serde_json::to_string(&read).unwrap(), kept);
    }

    #[test]
    fn a_state_is_left_only_by_a_transition_that_makes_sense() {
        assert_eq!(LicenseState::Enabled.enable(), Err(TransitionError::AlreadyEnabled));
        assert_eq!(disabled().disable(Actor::Operator, String::new(), NOW), Err(TransitionError::AlreadyDisabled));
        assert_eq!(disabled().enable(), Ok(LicenseState::Enabled));
        let archived = disabled().archive(Actor::Operator, String::new(), NOW).unwrap();
        assert_eq!(archived.clone().disable(Actor::Operator, String::new(), NOW), Err(TransitionError::AlreadyArchived));
        assert_eq!(archived.clone().archive(Actor::Operator, String::new(), NOW), Err(TransitionError::AlreadyArchived));
        assert_eq!(archived.enable(), Ok(LicenseState::Enabled));
    }

    #[test]
    fn maintenance_covers_what_was_released_before_it_ended() {
        let version = |released| Version { major: 5, minor: 0, released };
        assert!(Maintenance::None.covers(&version(NOW), None));
        assert!(Maintenance::Until(NOW).covers(&version(NOW.plus_millis(-1)), None));
        assert!(!Maintenance::Until(NOW).covers(&version(NOW), None));
        assert!(Maintenance::DaysAfterFirstActivation(10).covers(&version(NOW.plus_days(99)), None));
        assert!(!Maintenance::DaysAfterFirstActivation(10).covers(&version(NOW.plus_days(99)), Some(NOW)));
        let whole = Maintenance::WholeDaysAfterFirstActivation(10);
        assert_eq!(whole.instant(Some(NOW)), Some(NOW.date().end().plus_days(10)));
        assert_eq!(whole.instant(None), None);
    }

    proptest! {
        #[test]
        fn editing_a_limit_never_changes_a_state(seats in 0_u32..9, transfers in 0_u32..9, days in 0_i64..900, which in 0_usize..3) {
            let archived = LicenseState::Enabled.archive(Actor::System, String::new(), NOW).unwrap();
            let state = vec![LicenseState::Enabled, disabled(), archived].swap_remove(which);
            let mut license = License {
                id: LicenseId(1), product: ProductId(1), key: None, state: state.clone(), terms: Terms::default(), seats_taken: 3,
                transfers_used: 1, first_activated: Some(NOW), customer: None, order: None, policy: None, subscription: None,
                note: String::new(), created: NOW, revision: 1,
            };
            license.terms.seats = Limit::AtMost(seats);
            license.terms.transfers = TransferLimit::AtMost(transfers);
            license.terms.start = Some(NOW.plus_days(days));
            prop_assert_eq!(license.renewed_end(30, NOW), None, "no end to count from");
            prop_assert_eq!(license.renew(NOW.plus_days(-days), None, NOW), Err(PastEnd));
            license.renew(NOW.plus_days(days + 1), Some(NOW), NOW).unwrap();
            prop_assert!(license.renewed_end(30, NOW).is_some_and(|until| until >= NOW.plus_days(days + 31)));
            prop_assert_eq!(license.state, state);
            prop_assert_eq!((license.seats_taken, license.transfers_used), (3, 1));
        }
    }
}
