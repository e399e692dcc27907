//! What a page shows of a file: facts as they stand in it, keys never beyond their last group.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde::{Serialize, Serializer};

use crate::licensing::{
    Timestamp,
    files::{
        license::LicenseFile,
        licensespring::{Caller, Dialect, HmacVerdict, LicenseSpringAct, LicenseSpringLicense, LicenseSpringRequest},
        receipt::Receipt,
        request::{Act, Grounds, Request},
    },
};

/// The content of a file, by its kind. In JSON only the facts: the kind stands beside it in the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Content {
    CountersignRequest(RequestContent),
    License(LicenseContent),
    Receipt(ReceiptContent),
    LicenseSpringRequest(LicenseSpringRequestContent),
    LicenseSpringLicense(LicenseSpringLicenseContent),
    Unknown {},
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestContent {
    pub act: Act,
    pub product: String,
    /// The key's last group.
    pub key: Option<String>,
    /// The file proves that the app knows the key, without holding it.
    pub key_proof: bool,
    pub user: Option<String>,
    pub license: Option<String>,
    pub device_id: String,
    pub device_name: Option<String>,
    pub os: Option<String>,
    pub app: Option<String>,
    pub vm: Option<bool>,
    #[serde(serialize_with = "rfc3339")]
    pub made_at: Timestamp,
    pub request_id: String,
    /// Thumbprint of the machine's own key.
    pub device_key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LicenseContent {
    pub issuer: String,
    pub product: String,
    pub license: String,
    pub r#type: &'static str,
    pub trial: bool,
    pub key: String,
    pub user: Option<String>,
    /// `None`: unlimited.
    pub seats: Option<u64>,
    #[serde(serialize_with = "rfc3339_or_null")]
    pub valid_until: Option<Timestamp>,
    #[serde(serialize_with = "rfc3339_or_null")]
    pub maintenance_until: Option<Timestamp>,
    /// When this file ends.
    #[serde(serialize_with = "rfc3339_or_null")]
    pub expires: Option<Timestamp>,
    pub features: Vec<String>,
    pub device_id: String,
    pub device_name: Option<String>,
    /// Whether it is bound to a key of the machine; a computer key is not.
    pub bound: bool,
    #[serde(serialize_with = "rfc3339")]
    pub made_at: Timestamp,
    pub request_id: Option<String>,
    pub signing_key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiptContent {
    pub issuer: String,
    pub product: String,
    pub license: String,
    pub device_id: String,
    pub device_name: Option<String>,
    #[serde(serialize_with = "rfc3339")]
    pub released_at: Timestamp,
    pub request_id: Option<String>,
    pub signing_key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LicenseSpringRequestContent {
    pub dialect: Dialect,
    /// `None` in the dialect that does not say: a release, after asking.
    pub act: Option<LicenseSpringAct>,
    pub product: String,
    pub key: Option<String>,
    pub user: Option<String>,
    pub device_id: String,
    pub device_name: Option<String>,
    pub os: Option<String>,
    pub app: Option<String>,
    pub vm: Option<bool>,
    #[serde(serialize_with = "rfc3339_or_null")]
    pub made_at: Option<Timestamp>,
    pub request_id: Option<String>,
    pub api_key: Option<String>,
    pub hmac: HmacVerdict,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LicenseSpringLicenseContent {
    pub product: String,
    pub key: Option<String>,
    pub user: Option<String>,
    pub device_id: String,
    pub r#type: Option<String>,
    pub valid_until: Option<String>,
    pub made_at: Option<String>,
    pub request_id: Option<String>,
    /// The facts our own signature vouches for, where the file has them.
    pub mirror: Option<LicenseContent>,
}

impl RequestContent {
    pub(super) fn of(request: &Request, thumbprint: &str) -> Self {
        let device = &request.device;
        Self {
            act: request.act,
            product: request.product.as_str().into(),
            key: if let Grounds::Key(key) = &request.grounds { Some(super::shown_key(key)) } else { None },
            key_proof: matches!(request.grounds, Grounds::KeyProof(_)),
            user: if let Grounds::User(user) = &request.grounds { Some(user.as_str().into()) } else { None },
            license: if let Grounds::License(id) = &request.grounds { Some(id.to_string()) } else { None },
            device_id: device.id.as_str().into(),
            device_name: device.name.as_ref().map(ToString::to_string),
            os: device.os.clone(),
            app: device.app.clone(),
            vm: device.vm,
            made_at: request.made_at,
            request_id: request.id.clone(),
            device_key: thumbprint.into(),
        }
    }
}

impl LicenseContent {
    pub(super) fn of(license: &LicenseFile, kid: &str) -> Self {
        let terms = &license.terms;
        Self {
            issuer: license.issuer.clone(),
            product: license.product.as_str().into(),
            license: license.license.to_string(),
            r#type: terms.kind.as_str(),
            trial: terms.trial,
            key: alloc::format!("…{}", terms.key_last_group),
            user: terms.user.as_ref().map(|user| user.as_str().into()),
            seats: terms.seats,
            valid_until: terms.valid_until,
            maintenance_until: terms.maintenance_until,
            expires: license.expires,
            features: terms.features.iter().map(|feature| feature.code.clone()).collect(),
            device_id: license.device.id.as_str().into(),
            device_name: license.device.name.as_ref().map(ToString::to_string),
            bound: license.device_key.is_some(),
            made_at: license.made_at,
            request_id: license.request.as_ref().map(|request| request.id.clone()),
            signing_key: kid.into(),
        }
    }
}

impl ReceiptContent {
    pub(super) fn of(receipt: &Receipt, kid: &str) -> Self {
        Self {
            issuer: receipt.issuer.clone(),
            product: receipt.product.as_str().into(),
            license: receipt.license.to_string(),
            device_id: receipt.device.id.as_str().into(),
            device_name: receipt.device.name.as_ref().map(ToString::to_string),
            released_at: receipt.released_at,
            request_id: receipt.request.as_ref().map(|request| request.id.clone()),
            signing_key: kid.into(),
        }
    }
}

impl LicenseSpringRequestContent {
    pub(super) fn of(request: &LicenseSpringRequest, hmac: HmacVerdict) -> Self {
        Self {
            dialect: request.dialect,
            act: request.act,
            product: request.product.as_str().into(),
            key: request.key.as_ref().map(super::shown_key),
            user: request.username.as_ref().map(|name| name.0.clone()),
            device_id: request.hardware_id.as_str().into(),
            device_name: request.hostname.clone(),
            os: request.os.clone(),
            app: request.app.clone(),
            vm: request.is_vm,
            made_at: request.made_at,
            request_id: request.request_id.clone(),
            api_key: if let Caller::ApiKey(id) = &request.caller { Some(id.clone()) } else { None },
            hmac,
        }
    }
}

impl LicenseSpringLicenseContent {
    pub(super) fn of(file: &LicenseSpringLicense, mirror: Option<LicenseContent>) -> Self {
        let key = file.license_key.as_ref().and_then(|key| crate::licensing::ActivationKey::parse(&key.0).ok());
        Self {
            product: file.product.clone(),
            key: key.as_ref().map(super::shown_key),
            user: file.username.as_ref().map(|name| name.0.clone()),
            device_id: file.hardware_id.clone(),
            r#type: file.license_type.clone(),
            valid_until: file.validity_period.clone(),
            made_at: file.date.clone(),
            request_id: file.request_id.clone(),
            mirror,
        }
    }
}

fn rfc3339<S: Serializer>(instant: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&instant.to_rfc3339())
}

#[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
fn rfc3339_or_null<S: Serializer>(instant: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match instant {
        Some(instant) => rfc3339(instant, serializer),
        None => serializer.serialize_none(),
    }
}
