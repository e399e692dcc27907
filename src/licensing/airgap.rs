//! Air-gapped activation (`licensespring-v4.md` §9): for machines that no file may be carried from, a handful of letters go across
//! instead. The portal gives out an initialization code, which is a private key for one use; the app answers with a signature by it;
//! the portal confirms with a signature of its own. What the license allows, the app reads from the policy file it was shipped with,
//! so neither a policy of this kind nor a license of it ever changes.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    ActivationId, DeviceId, PolicyId, Timestamp,
    activation::{Activation, How},
    decide::{ActivationRefusal, ReleaseRefusal},
    files::base64,
    license::{LicenseType, Maintenance, Terms},
};

/// How long an initialization code can be answered.
pub const CODE_DAYS: i64 = 7;
/// The most codes of one license that wait for an answer.
pub const OPEN_CODES: usize = 20;

/// What an initialization code was given out for. The app's answer looks the same for both, so only the code tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodePurpose {
    Activation,
    Deactivation,
}

impl CodePurpose {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Deactivation => "deactivation",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Activation, Self::Deactivation].into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// An initialization code as the portal keeps it: the public half, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeCode {
    pub id: i64,
    pub purpose: CodePurpose,
    /// The uncompressed P-256 point: 65 bytes.
    pub point: Vec<u8>,
    /// Staff gave it out, and answers for whom it went to.
    pub by_staff: bool,
    /// The machine it was given out for or that used it; none: whichever uses it.
    pub machine: Option<ActivationId>,
    pub expires: Timestamp,
    pub used: Option<CodeUse>,
}

/// What a code was used for. What it did is said again to whoever shows the same answer, until something else has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeUse {
    pub activation: ActivationId,
    /// When the activation entered the state in which the code left it.
    pub since: Timestamp,
}

/// What the app shows: 64 bytes, r and s, in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownCode(pub [u8; 64]);

/// A text that is no code of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an activation code has 88 characters: letters, digits, +, / and = at the end; check that it was copied whole")]
pub struct NotACode;

impl ShownCode {
    /// Reads a code as people paste it: spaces and line ends mean nothing.
    pub fn parse(text: &str) -> Result<Self, NotACode> {
        let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let bytes = base64::from_standard(&text).map_err(|_| NotACode)?;
        bytes.try_into().map(Self).map_err(|_| NotACode)
    }
}

/// What the app signs: computer id and activation key, nothing between them.
#[must_use]
pub fn asked(device: &DeviceId, key: &str) -> Vec<u8> {
    [device.as_str(), key].concat().into_bytes()
}

/// What the portal signs: the same, and the policy's number.
#[must_use]
pub fn confirmed(device: &DeviceId, key: &str, policy: PolicyId) -> Vec<u8> {
    [device.as_str(), key, &policy.0.to_string()].concat().into_bytes()
}

/// Why a code was not given out or not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(untagged)]
pub enum AirGapRefusal {
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    #[error(transparent)]
    License(#[from] ActivationRefusal),
    #[error(transparent)]
    Release(#[from] ReleaseRefusal),
}

/// What is wrong with a code itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum CodeRefusal {
    /// None of the license's initialization codes made it, for this computer id and key.
    #[error("code_does_not_fit")]
    DoesNotFit,
    #[error("code_expired")]
    Expired { since: Timestamp },
    #[error("code_spent")]
    Spent,
    #[error("too_many_codes")]
    TooMany,
}

impl CodeRefusal {
    /// One of each, for tables and tests.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        alloc::vec![Self::DoesNotFit, Self::Expired { since: Timestamp::from_millis(0) }, Self::Spent, Self::TooMany]
    }

    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DoesNotFit => "code_does_not_fit",
            Self::Expired { .. } => "code_expired",
            Self::Spent => "code_spent",
            Self::TooMany => "too_many_codes",
        }
    }
}

impl AirGapRefusal {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Code(refusal) => refusal.code(),
            Self::License(refusal) => refusal.code(),
            Self::Release(refusal) => refusal.code(),
        }
    }
}

/// Whether one more initialization code may be given out beside these.
pub fn may_give_out(codes: &[OneTimeCode], now: Timestamp) -> Result<(), CodeRefusal> {
    let open = codes.iter().filter(|code| code.used.is_none() && now < code.expires).count();
    if open < OPEN_CODES { Ok(()) } else { Err(CodeRefusal::TooMany) }
}

/// The initialization code that a machine's code was made with; `made_with` checks a signature by a code's point. One that was used
/// before is found too: what it did may still be true, and then it may be said again.
pub fn answered(
    codes: &[OneTimeCode],
    purpose: CodePurpose,
    machine: Option<ActivationId>,
    made_with: impl Fn(&OneTimeCode) -> bool,
    now: Timestamp,
) -> Result<&OneTimeCode, CodeRefusal> {
    let is_meant = |code: &&OneTimeCode| code.purpose == purpose && (code.machine.is_none() || code.machine == machine);
    let code = codes.iter().find(|code| is_meant(code) && made_with(code)).ok_or(CodeRefusal::DoesNotFit)?;
    if code.used.is_none() && code.expires <= now {
        return Err(CodeRefusal::Expired { since: code.expires });
    }
    Ok(code)
}

/// Whether a used code may be answered once more: nothing has happened since to the activation it made, or ended.
pub fn again(code: &OneTimeCode, known: Option<&Activation>) -> Result<(), CodeRefusal> {
    let Some(used) = &code.used else { return Ok(()) };
    let holds = known.is_some_and(|known| known.state.holds_seat());
    let same = known
        .is_some_and(|known| known.id == used.activation && known.how == How::AirGapped && known.state.since() == used.since);
    let as_it_left = match code.purpose {
        CodePurpose::Activation => holds,
        CodePurpose::Deactivation => !holds,
    };
    if same && as_it_left { Ok(()) } else { Err(CodeRefusal::Spent) }
}

/// What a policy for air-gapped machines can't have, because a machine that is told once could not follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotForAirGap {
    #[error("an air-gapped machine can't take and give back floating slots: leave out --floating and --floating-feature")]
    Floating,
    #[error(
        "an air-gapped machine can't be told an end that is counted from its activation: name the last day with --valid-until, or give none"
    )]
    CountedEnd,
    #[error("an air-gapped machine never asks for a new end, as a subscription does: make it time-limited or perpetual")]
    Subscription,
    #[error("an air-gapped license is activated by codes: --no-offline would forbid them")]
    NoOffline,
}

/// Whether these terms can stand in a policy file that is never replaced.
pub fn may_be_air_gapped(terms: &Terms) -> Result<(), NotForAirGap> {
    let expiry = &terms.expiry;
    let counted = expiry.days_after_first_activation.or(expiry.days_counted_by_client).or(expiry.days_after_issue).is_some();
    if terms.floating.is_some() || terms.entitlements.iter().any(|entitlement| entitlement.floating.is_some()) {
        return Err(NotForAirGap::Floating);
    }
    let counts_days =
        matches!(terms.maintenance, Maintenance::DaysAfterFirstActivation(_) | Maintenance::WholeDaysAfterFirstActivation(_));
    if counted || counts_days {
        return Err(NotForAirGap::CountedEnd);
    }
    if terms.kind == LicenseType::Subscription {
        return Err(NotForAirGap::Subscription);
    }
    if terms.offline_allowed { Ok(()) } else { Err(NotForAirGap::NoOffline) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::{
        LicenseId,
        activation::{ActivationState, Device},
        license::{Actor, Expiry, Floating},
    };
    use alloc::{format, vec};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn device(id: &str) -> DeviceId {
        DeviceId::parse(id).unwrap()
    }

    fn code(id: i64, purpose: CodePurpose) -> OneTimeCode {
        OneTimeCode {
            id,
            purpose,
            point: vec![4; 65],
            by_staff: false,
            machine: None,
            expires: NOW.plus_days(CODE_DAYS),
            used: None,
        }
    }

    #[test]
    fn a_code_is_read_as_it_is_pasted() {
        let text = base64::standard(&[7; 64]);
        assert_eq!(text.len(), 88);
        assert_eq!(ShownCode::parse(&text), Ok(ShownCode([7; 64])));
        let (one, two) = text.split_at(40);
        assert_eq!(ShownCode::parse(&format!(" {one}\r\n  {two}\n")), Ok(ShownCode([7; 64])));
        for wrong in ["", &text[..80], &format!("{text}AA"), &base64::standard(&[7; 63]), &text.replace('B', "-")] {
            assert_eq!(ShownCode::parse(wrong), Err(NotACode), "{wrong}");
        }
    }

    #[test]
    fn what_is_signed_has_nothing_between() {
        let device = device("machine-1");
        assert_eq!(asked(&device, "UFF3-E9GA-VUJQ-GMLK"), b"machine-1UFF3-E9GA-VUJQ-GMLK");
        assert_eq!(confirmed(&device, "UFF3-E9GA-VUJQ-GMLK", PolicyId(998)), b"machine-1UFF3-E9GA-VUJQ-GMLK998");
    }

    #[test]
    fn a_code_answers_for_its_own_purpose_and_time_alone() {
        let codes = [code(1, CodePurpose::Activation), code(2, CodePurpose::Deactivation)];
        let by = |id: i64| move |code: &OneTimeCode| code.id == id;
        assert_eq!(answered(&codes, CodePurpose::Activation, None, by(1), NOW).unwrap().id, 1);
        assert_eq!(answered(&codes, CodePurpose::Deactivation, None, by(2), NOW).unwrap().id, 2);
        // An activation's code gives no seat back.
        assert_eq!(answered(&codes, CodePurpose::Deactivation, None, by(1), NOW), Err(CodeRefusal::DoesNotFit));
        assert_eq!(answered(&codes, CodePurpose::Activation, None, by(3), NOW), Err(CodeRefusal::DoesNotFit));
        let end = NOW.plus_days(CODE_DAYS);
        assert!(answered(&codes, CodePurpose::Activation, None, by(1), end.plus_millis(-1)).is_ok());
        assert_eq!(answered(&codes, CodePurpose::Activation, None, by(1), end), Err(CodeRefusal::Expired { since: end }));

        let bound = [OneTimeCode { machine: Some(ActivationId(5)), ..code(1, CodePurpose::Deactivation) }];
        let of = |machine| answered(&bound, CodePurpose::Deactivation, machine, by(1), NOW);
        assert!(of(Some(ActivationId(5))).is_ok());
        for other in [None, Some(ActivationId(6))] {
            assert_eq!(of(other), Err(CodeRefusal::DoesNotFit), "given out for another machine");
        }
    }

    #[test]
    fn a_used_code_says_again_only_what_is_still_so() {
        let mut known = Activation::new(LicenseId(1), Device::bare(device("machine-1")), How::AirGapped, NOW);
        known.id = ActivationId(5);
        let used =
            |purpose, since| OneTimeCode { used: Some(CodeUse { activation: ActivationId(5), since }), ..code(1, purpose) };
        let activation = used(CodePurpose::Activation, NOW);
        assert_eq!(again(&code(1, CodePurpose::Activation), None), Ok(()), "a fresh one");
        assert_eq!(again(&activation, Some(&known)), Ok(()));
        assert_eq!(again(&activation, None), Err(CodeRefusal::Spent));
        let other = Activation { id: ActivationId(6), ..known.clone() };
        assert_eq!(again(&activation, Some(&other)), Err(CodeRefusal::Spent));
        let by_file = Activation { how: How::Offline, ..known.clone() };
        assert_eq!(again(&activation, Some(&by_file)), Err(CodeRefusal::Spent));

        let later = NOW.plus_days(1);
        let state = known.state.clone().release(Actor::Customer, true, later).unwrap();
        let released = Activation { state, ..known.clone() };
        assert_eq!(again(&activation, Some(&released)), Err(CodeRefusal::Spent), "a seat that was given back is not had again");
        let deactivation = used(CodePurpose::Deactivation, later);
        assert_eq!(again(&deactivation, Some(&released)), Ok(()));
        assert_eq!(again(&deactivation, Some(&known)), Err(CodeRefusal::Spent));
        let back = Activation { state: ActivationState::Active { since: later.plus_days(1) }, ..released };
        assert_eq!(again(&activation, Some(&back)), Err(CodeRefusal::Spent), "activated since by another code");
    }

    #[test]
    fn no_more_codes_wait_than_a_license_has_use_for() {
        let mut codes: Vec<OneTimeCode> = (0..OPEN_CODES as i64).map(|id| code(id, CodePurpose::Activation)).collect();
        assert_eq!(may_give_out(&codes, NOW), Err(CodeRefusal::TooMany));
        assert_eq!(may_give_out(&codes, NOW.plus_days(CODE_DAYS)), Ok(()), "those that ran out wait for nothing");
        codes[0].used = Some(CodeUse { activation: ActivationId(1), since: NOW });
        assert_eq!(may_give_out(&codes, NOW), Ok(()));
    }

    #[test]
    fn a_policy_file_can_say_only_what_never_changes() {
        assert_eq!(may_be_air_gapped(&Terms::default()), Ok(()));
        let limited = Terms { kind: LicenseType::TimeLimited, expiry: Expiry::on(NOW), ..Terms::default() };
        assert_eq!(may_be_air_gapped(&limited), Ok(()));
        let with = |change: fn(&mut Terms)| {
            let mut terms = Terms::default();
            change(&mut terms);
            may_be_air_gapped(&terms)
        };
        assert_eq!(with(|terms| terms.floating = Some(Floating { slots: 2, borrow_hours: 0 })), Err(NotForAirGap::Floating));
        assert_eq!(with(|terms| terms.expiry.days_after_first_activation = Some(1)), Err(NotForAirGap::CountedEnd));
        assert_eq!(with(|terms| terms.expiry.days_counted_by_client = Some(1)), Err(NotForAirGap::CountedEnd));
        assert_eq!(with(|terms| terms.expiry.days_after_issue = Some(1)), Err(NotForAirGap::CountedEnd));
        assert_eq!(with(|terms| terms.maintenance = Maintenance::DaysAfterFirstActivation(1)), Err(NotForAirGap::CountedEnd));
        let whole = with(|terms| terms.maintenance = Maintenance::WholeDaysAfterFirstActivation(1));
        assert_eq!(whole, Err(NotForAirGap::CountedEnd));
        assert_eq!(with(|terms| terms.kind = LicenseType::Subscription), Err(NotForAirGap::Subscription));
        assert_eq!(with(|terms| terms.offline_allowed = false), Err(NotForAirGap::NoOffline));
    }
}
