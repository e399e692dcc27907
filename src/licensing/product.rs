//! Products and what belongs to them: versions, features, and the rules a vendor sets once for all their licenses.

use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    FeatureId, PolicyId, ProductCode, ProductId, Timestamp,
    license::{LicenseType, Terms},
    qlm::PropertyDefinition,
};

/// What a customer shows to be granted a license.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorization {
    Key,
    User,
    Both,
}

impl Authorization {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::User => "user",
            Self::Both => "both",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Key, Self::User, Self::Both].into_iter().find(|kind| kind.as_str() == text)
    }

    #[must_use]
    pub const fn by_key(self) -> bool {
        matches!(self, Self::Key | Self::Both)
    }

    #[must_use]
    pub const fn by_user(self) -> bool {
        matches!(self, Self::User | Self::Both)
    }
}

/// Whether activations need a key held by the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKeyRule {
    Optional,
    Required,
}

/// How much of a device's self-description is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceDetails {
    Id,
    Names,
    All,
}

/// A product's rules, each with its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductRules {
    /// 0: no trials.
    pub trial_days: u32,
    pub floating_timeout_minutes: u32,
    pub refuse_virtual_machines: bool,
    pub device_key: DeviceKeyRule,
    pub rebinds_per_year: u32,
    pub offline_releases_per_year: u32,
    pub min_hold_hours: u32,
    /// Days after which a license file must be refreshed; none: it lasts as long as the license.
    pub offline_lease_days: Option<u32>,
    pub device_details: DeviceDetails,
    /// License types that LicenseSpring's offline requests may activate.
    pub offline_types: Vec<LicenseType>,
    /// Lets LicenseSpring's v1 deactivation files release a seat although their signature does not cover the request.
    pub trust_v1_deactivation: bool,
    /// Lets whoever has an air-gapped license's key give back its seats by codes, which prove nothing of the machine.
    pub trust_airgap_deactivation: bool,
    /// Apps of before 2016 that check SHA-1.
    pub legacy_clients: bool,
    /// Keys that shops order by Quick License Manager's methods have its shape.
    pub qlm_keys: bool,
    /// What properties its licenses have by those methods; none: whatever a call says.
    pub properties: Vec<PropertyDefinition>,
    /// Custom fields that go into license files.
    pub file_fields: Vec<String>,
    /// Members of the metadata that go into license files.
    pub file_metadata: Vec<String>,
}

impl Default for ProductRules {
    fn default() -> Self {
        Self {
            trial_days: 0,
            floating_timeout_minutes: 120,
            refuse_virtual_machines: false,
            device_key: DeviceKeyRule::Optional,
            rebinds_per_year: 3,
            offline_releases_per_year: 3,
            min_hold_hours: 24,
            offline_lease_days: None,
            device_details: DeviceDetails::Names,
            offline_types: alloc::vec![LicenseType::Perpetual, LicenseType::Consumption],
            trust_v1_deactivation: false,
            trust_airgap_deactivation: false,
            legacy_clients: false,
            qlm_keys: false,
            properties: Vec::new(),
            file_fields: Vec::new(),
            file_metadata: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductState {
    Enabled,
    Disabled,
    Archived,
}

impl ProductState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Archived => "archived",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled, Self::Archived].into_iter().find(|state| state.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub id: ProductId,
    pub code: ProductCode,
    /// QLM's numeric product id.
    pub number: Option<i64>,
    pub name: String,
    pub authorization: Authorization,
    pub state: ProductState,
    pub rules: ProductRules,
    pub created: Timestamp,
    pub revision: i64,
}

/// What a license covers or not: a numbered version and the instant it was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub released: Timestamp,
}

impl Version {
    #[must_use]
    pub const fn number(&self) -> VersionNumber {
        VersionNumber { major: self.major, minor: self.minor }
    }
}

/// A version's number as it is written: `4.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionNumber {
    pub major: u32,
    pub minor: u32,
}

impl FromStr for VersionNumber {
    type Err = super::TextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (major, minor) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        let number = |part: &str| {
            let plain = !part.is_empty() && part.len() <= 6 && part.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| part.parse().ok()).flatten().ok_or(super::TextError::NotAllowed)
        };
        Ok(Self { major: number(major)?, minor: number(minor)? })
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What is downloaded: a version for an environment and a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    pub id: i64,
    pub product: ProductId,
    pub version: Version,
    pub channel: String,
    pub env: String,
    pub file: Installation,
}

/// The file that installs a version, which is kept elsewhere: what is told of it. Texts are empty where nothing was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installation {
    /// Where it is downloaded: http or https.
    pub url: String,
    /// MD5 or SHA-256, in hexadecimal digits.
    pub hash: String,
    /// In bytes.
    pub size: Option<u64>,
    /// The oldest version it updates.
    pub requires: Option<VersionNumber>,
    /// The license agreement's address.
    pub eula: String,
    /// The address of the release notes.
    pub notes: String,
}

impl Installation {
    /// The first member that cannot be, by its name, and what to do about it.
    ///
    /// # Errors
    /// Apps follow these addresses, so nothing but http and https passes.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let is_address = |text: &str| {
            let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            text.is_empty()
                || rest.is_some_and(|rest| {
                    !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control() || "\"<>\\".contains(c))
                })
        };
        let is_hash = |text: &str| matches!(text.len(), 32 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_address(&self.url) {
            return Err(("url", "A download address begins with https:// and has no spaces."));
        }
        if !self.hash.is_empty() && !is_hash(&self.hash) {
            return Err(("hash", "An MD5 is 32 hexadecimal digits, a SHA-256 64."));
        }
        if self.size.is_some_and(|size| size > 1 << 50) {
            return Err(("size", "A size is a number of bytes."));
        }
        if !is_address(&self.eula) {
            return Err(("eula", "The address of the license agreement begins with https:// and has no spaces."));
        }
        if !is_address(&self.notes) {
            return Err(("notes", "The address of the release notes begins with https:// and has no spaces."));
        }
        Ok(())
    }
}

impl Release {
    /// Whether it is for an environment and a channel, where some are named. One that names no environment is for each.
    #[must_use]
    pub fn is_for(&self, env: Option<&str>, channel: Option<&str>) -> bool {
        env.is_none_or(|env| self.env.is_empty() || self.env.eq_ignore_ascii_case(env))
            && channel.is_none_or(|channel| self.channel.eq_ignore_ascii_case(channel))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureKind {
    Activation,
    Consumption,
}

impl FeatureKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Consumption => "consumption",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Activation, Self::Consumption].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A feature a product can have; licenses include it or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    pub id: FeatureId,
    pub product: ProductId,
    pub code: String,
    pub name: String,
    pub kind: FeatureKind,
    /// QLM's feature set and mask.
    pub bit: Option<(u8, u8)>,
}

/// A named template for licenses of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub id: PolicyId,
    pub product: ProductId,
    pub code: String,
    pub name: String,
    pub terms: Terms,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_version_is_one_or_two_numbers() {
        assert_eq!("4.2".parse::<VersionNumber>().unwrap().to_string(), "4.2");
        assert_eq!("4".parse::<VersionNumber>().unwrap().to_string(), "4.0");
        for text in ["", ".", "4.", "v4", "4.2.1", "-1.0", "99999999.0"] {
            assert!(text.parse::<VersionNumber>().is_err(), "{text}");
        }
    }

    #[test]
    fn rules_saved_before_a_rule_existed_read_with_its_default() {
        let rules: ProductRules = serde_json::from_str(r#"{"trial_days":14}"#).unwrap();
        assert_eq!(rules, ProductRules { trial_days: 14, ..ProductRules::default() });
    }
}
