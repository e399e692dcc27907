//! Every MUST and NEVER of the format, one test each. Forged files are made with real keys: nothing here is refused by accident.

mod keyset;
mod license;
mod property;
mod request;

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use serde_json::{Map, Value, json};

use super::*;
use crate::licensing::{ActivationKey, DeviceId, DeviceName, Email, LicenseId, ProductCode, Timestamp};

pub(in crate::licensing::files) const UUID: &str = "7f1d0c1e-2b0a-4c59-9a53-0f6f3f0c9b11";

pub(in crate::licensing::files) fn device_key() -> KeyPair {
    KeyPair::from_seed(&[7; 32])
}

pub(in crate::licensing::files) fn signing_key() -> KeyPair {
    KeyPair::from_seed(&[9; 32])
}

pub(in crate::licensing::files) fn product() -> ProductCode {
    ProductCode::parse("press-4").unwrap()
}

pub(in crate::licensing::files) fn trusted() -> TrustedKeys {
    TrustedKeys::new(vec![TrustedKey::new(signing_key().public(), vec![product()], KeyState::Active)])
}

pub(in crate::licensing::files) fn key() -> ActivationKey {
    ActivationKey::from_random([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
}

pub(in crate::licensing::files) fn request() -> Request {
    Request {
        act: Act::Activate,
        product: product(),
        id: UUID.into(),
        made_at: Timestamp::from_seconds(1_795_000_000),
        grounds: Grounds::Key(key()),
        device: RequestDevice {
            name: Some(DeviceName::parse("press-7").unwrap()),
            vm: Some(false),
            ..RequestDevice::new(device_id())
        },
        usage: None,
        variables: [("colour".to_string(), "grün".to_string())].into(),
    }
}

pub(in crate::licensing::files) fn device_id() -> DeviceId {
    DeviceId::parse("HW-1").unwrap()
}

pub(in crate::licensing::files) fn license() -> LicenseFile {
    LicenseFile {
        issuer: "https://portal.example".into(),
        product: product(),
        license: LicenseId(42),
        id: Some("file-1".into()),
        request: Some(RequestRef { id: UUID.into(), hash: [3; 32] }),
        made_at: Timestamp::from_seconds(1_795_000_100),
        not_before: None,
        expires: None,
        device_clock: Some(Timestamp::from_seconds(1_795_000_000)),
        device: FileDevice { id: device_id(), name: None },
        device_key: Some(device_key().kid().to_string()),
        terms: Terms::perpetual("V7JTP"),
    }
}

pub(in crate::licensing::files) fn receipt() -> Receipt {
    Receipt {
        issuer: "https://portal.example".into(),
        product: product(),
        license: LicenseId(42),
        id: "receipt-1".into(),
        request: Some(RequestRef { id: UUID.into(), hash: [3; 32] }),
        made_at: Timestamp::from_seconds(1_795_000_100),
        device: FileDevice { id: device_id(), name: None },
        device_key: Some(device_key().kid().to_string()),
        released_at: Timestamp::from_seconds(1_795_000_099),
    }
}

/// A compact JWS of any header and payload, signed with a real key.
pub(in crate::licensing::files) fn forge(header: &str, payload: &str, key: &KeyPair) -> String {
    let input = format!("{}.{}", base64::url(header.as_bytes()), base64::url(payload.as_bytes()));
    format!("{input}.{}", base64::url(&key.sign(input.as_bytes())))
}

fn parts(text: &str) -> (Map<String, Value>, Map<String, Value>) {
    let mut parts = text.split('.').map(|part| base64::from_url(part).unwrap());
    (serde_json::from_slice(&parts.next().unwrap()).unwrap(), serde_json::from_slice(&parts.next().unwrap()).unwrap())
}

/// The request with its claims changed, signed again.
fn with_claims(change: impl Fn(&mut Map<String, Value>)) -> Result<SignedRequest, Problem> {
    let (header, mut claims) = parts(&request().sign(&device_key()).unwrap());
    change(&mut claims);
    SignedRequest::parse(&forge(&json!(header).to_string(), &json!(claims).to_string(), &device_key()))
}

fn with_header(change: impl Fn(&mut Map<String, Value>)) -> Code {
    let (mut header, claims) = parts(&request().sign(&device_key()).unwrap());
    change(&mut header);
    SignedRequest::parse(&forge(&json!(header).to_string(), &json!(claims).to_string(), &device_key())).unwrap_err().code
}

pub(in crate::licensing::files) fn code<T: core::fmt::Debug>(result: Result<T, Problem>) -> Code {
    result.unwrap_err().code
}
