//! What a license is beside our own terms: model, features, version, properties.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{ArgError, FeatureMasks, Property, protect::OwnLimit};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LicenseModel {
    #[default]
    Permanent,
    Trial,
    Subscription,
    PermanentFloating,
    TrialFloating,
    SubscriptionFloating,
    PermanentCloud,
    TrialCloud,
    SubscriptionCloud,
}

impl LicenseModel {
    const ALL: [(&'static str, Self); 9] = [
        ("permanent", Self::Permanent),
        ("trial", Self::Trial),
        ("subscription", Self::Subscription),
        ("permanent_floating", Self::PermanentFloating),
        ("trial_floating", Self::TrialFloating),
        ("subscription_floating", Self::SubscriptionFloating),
        ("permanent_cloud", Self::PermanentCloud),
        ("trial_cloud", Self::TrialCloud),
        ("subscription_cloud", Self::SubscriptionCloud),
    ];

    /// As calls and documents spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, model)| *model == self).map_or("", |(text, _)| text)
    }

    pub fn parse(name: &'static str, text: &str) -> Result<Self, ArgError> {
        let found = Self::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(text.trim()));
        found
            .map(|(_, model)| *model)
            .ok_or_else(|| ArgError::kind(name, "permanent, trial or subscription, each also with _floating or _cloud", text))
    }

    #[must_use]
    pub const fn is_trial(self) -> bool {
        matches!(self, Self::Trial | Self::TrialFloating | Self::TrialCloud)
    }

    #[must_use]
    pub const fn is_permanent(self) -> bool {
        matches!(self, Self::Permanent | Self::PermanentFloating | Self::PermanentCloud)
    }

    /// Seats are shared in the customer's own network; the server knows only how many there are.
    #[must_use]
    pub const fn is_floating(self) -> bool {
        matches!(self, Self::PermanentFloating | Self::TrialFloating | Self::SubscriptionFloating)
    }

    /// Seats are taken when an app starts and given back when it ends.
    #[must_use]
    pub const fn is_cloud(self) -> bool {
        matches!(self, Self::PermanentCloud | Self::TrialCloud | Self::SubscriptionCloud)
    }

    /// `LicenseInfo.LicenseModel` of events (§11).
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Permanent => 1,
            Self::Trial => 2,
            Self::Subscription => 3,
            Self::PermanentFloating => 4,
            Self::TrialFloating => 5,
            Self::SubscriptionFloating => 6,
            Self::PermanentCloud => 7,
            Self::TrialCloud => 8,
            Self::SubscriptionCloud => 9,
        }
    }
}

/// Which kind of machine may activate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComputerType {
    #[default]
    Any,
    Physical,
    Virtual,
}

impl ComputerType {
    pub fn parse(name: &'static str, text: &str) -> Result<Self, ArgError> {
        match text.trim() {
            "0" => Ok(Self::Any),
            "1" => Ok(Self::Physical),
            "2" => Ok(Self::Virtual),
            _ => Err(ArgError::kind(name, "0 for any machine, 1 for a PC, 2 for a virtual machine", text)),
        }
    }

    /// As documents spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "None",
            Self::Physical => "PC",
            Self::Virtual => "VM",
        }
    }

    /// Whether a machine that says of itself what it is may have the license. One that says nothing may.
    #[must_use]
    pub const fn admits(self, virtual_machine: Option<bool>) -> bool {
        !matches!((self, virtual_machine), (Self::Physical, Some(true)) | (Self::Virtual, Some(false)))
    }
}

/// What a license made through QLM's methods holds beside our own terms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QlmTerms {
    pub major: u32,
    pub minor: u32,
    #[serde(default)]
    pub model: LicenseModel,
    #[serde(default)]
    pub features: FeatureMasks,
    /// Seats of a license that floats in the customer's own network.
    #[serde(default)]
    pub floating_seats: u32,
    #[serde(default)]
    pub computer_type: ComputerType,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_data: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Property>,
    /// The reseller who owns license and customer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub affiliate: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub legacy_key: String,
    /// For how many days it was sold: a renewal that says nothing is for as long again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sold_days: Option<u32>,
    /// How often its seats are given back, and within how many days that is counted; as the server says where none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_releases: OwnLimit,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_days: OwnLimit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_read_in_any_case_and_no_other_word_is_one() {
        for (text, model) in LicenseModel::ALL {
            assert_eq!(LicenseModel::parse("is_licensemodel", &text.to_uppercase()), Ok(model));
            assert_eq!(model.as_str(), text);
            assert_eq!(model.is_trial() as u8 + model.is_permanent() as u8 + text.starts_with("sub") as u8, 1);
        }
        assert!(LicenseModel::parse("is_licensemodel", "perpetual").is_err());
    }

    #[test]
    fn a_kind_of_machine_refuses_the_other_and_none_that_says_nothing() {
        for (text, physical, virtual_machine) in [("0", true, true), ("1", true, false), ("2", false, true)] {
            let kind = ComputerType::parse("is_computertype", text).unwrap();
            assert_eq!((kind.admits(Some(false)), kind.admits(Some(true)), kind.admits(None)), (physical, virtual_machine, true));
        }
        assert!(ComputerType::parse("is_computertype", "3").is_err());
    }
}
