//! A LicenseSpring request file, in any dialect: v1 (flat), v2 (an envelope around the signed text), and the Node client's
//! deactivation without `request` and `request_id`.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Hidden, LicenseSpringLicense};
use crate::licensing::{
    ActivationKey, DeviceId, ProductCode, Timestamp,
    files::{
        claims::{Claims, check_text},
        json::{self, Limits},
        jws::{Typ, wrong_kind},
        problem::{Code, Problem},
        request::read_key,
    },
    key::MAX_KEY_CHARS,
    tpm::{TpmKey, read_signature},
};

const MAX_FEATURES: usize = 256;
const MAX_VARIABLES: usize = 64;
const MAX_VARIABLE_NAME: usize = 256;
const MAX_VARIABLE: usize = 1024;

/// Plain values by name, as texts. What is no plain value, too long, or hidden is left out.
#[must_use]
pub fn plain_variables(members: &Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(alloc::format!("{value}")),
        _ => None,
    };
    let held = |(name, value): &(String, String)| {
        check_text(name, MAX_VARIABLE_NAME, false).and_then(|()| check_text(value, MAX_VARIABLE, true)).is_ok()
    };
    members.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).filter(held).take(MAX_VARIABLES).collect()
}

/// Where the signature stands, and what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Flat; the signature covers date, key or user, hardware id and API key only.
    V1,
    /// An envelope; the signature covers the request's whole text.
    V2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LicenseSpringAct {
    Activation,
    Deactivation,
}

impl LicenseSpringAct {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Deactivation => "deactivation",
        }
    }
}

/// Who may have signed: an app by its API key, or an OAuth client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    ApiKey(String),
    Client(String),
}

impl Caller {
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::ApiKey(id) | Self::Client(id) => id,
        }
    }
}

/// A request, read and not yet believed: [`LicenseSpringRequest::check`] says what its signature is worth.
#[derive(Clone, Debug)]
pub struct LicenseSpringRequest {
    pub dialect: Dialect,
    /// `None` in the dialect without a `request` member: a release, after asking.
    pub act: Option<LicenseSpringAct>,
    pub request_id: Option<String>,
    pub product: ProductCode,
    pub hardware_id: DeviceId,
    /// With the spaces around it, if any: what is signed and echoed.
    pub hardware_id_as_sent: String,
    /// Where both a key and a user come, the key counts.
    pub key: Option<ActivationKey>,
    /// The key as it was sent: what is signed and echoed.
    pub key_as_sent: Option<Hidden>,
    /// May carry a customer account: `user@x.com|ACCOUNT`.
    pub username: Option<Hidden>,
    pub password: Option<Hidden>,
    pub caller: Caller,
    /// Verbatim, as it is signed.
    pub date: String,
    pub made_at: Option<Timestamp>,
    pub license_id: Option<i64>,
    pub bundle_code: Option<String>,
    pub sdk: Option<String>,
    pub app: Option<String>,
    pub os: Option<String>,
    pub hostname: Option<String>,
    pub is_vm: Option<bool>,
    /// To be applied only where the signature covers them (v2).
    pub consumptions: Option<i64>,
    pub product_features: Option<Value>,
    variables: Map<String, Value>,
    /// The key in the machine's TPM that is to speak for it.
    pub tpm_enrollment: Option<TpmKey>,
    /// The machine's TPM over the inner signature.
    tpm_signature: Option<[u8; 64]>,
    /// The v1 signature: the only one of a flat file, the inner one of an envelope.
    pub(super) inner_signature: Option<String>,
    pub(super) outer_signature: Option<String>,
    /// The exact text of the `request` value of an envelope; the whole text of a flat file.
    text: Vec<u8>,
    hash: [u8; 32],
}

impl LicenseSpringRequest {
    /// The same request, for one product of the bundle it names. What was signed stays what was signed.
    #[must_use]
    pub fn for_part(&self, product: ProductCode) -> Self {
        Self { product, license_id: None, ..self.clone() }
    }

    /// Reads the JSON text a request file carries.
    ///
    /// Refuses what the strict scanner refuses (depth ≤ 16), `unknown_format` for JSON that is no request, `device_id_missing`,
    /// `hidden_characters`, `claim_too_long`, and a mistyped key of our own shape.
    pub fn parse(json_text: &[u8]) -> Result<Self, Problem> {
        let (outer, members) = json::object(json_text, Limits::LICENSESPRING)?;
        if LicenseSpringLicense::is_license(&outer) {
            return Err(wrong_kind(Typ::Request.name(), Typ::License.name()));
        }
        if !Self::is_request(&outer) {
            return Err(Code::UnknownFormat.into());
        }
        let (dialect, map, text) = match outer.get("request") {
            Some(Value::Object(inner)) => {
                let place = members.iter().find(|member| member.name == "request").map(|member| member.value.clone());
                (Dialect::V2, inner, json_text[place.unwrap_or(0..0)].to_vec())
            }
            _ => (Dialect::V1, &outer, json_text.to_vec()),
        };
        let claims = Claims::new(map);
        let act = match claims.text("request", 32)? {
            None => None,
            Some("activation") => Some(LicenseSpringAct::Activation),
            Some("deactivation") => Some(LicenseSpringAct::Deactivation),
            Some(_) => return Err(claims.wrong("request")),
        };
        let key_as_sent = claims.text("license_key", MAX_KEY_CHARS)?.filter(|key| !key.trim().is_empty());
        let username = claims.text("username", 254)?.filter(|name| !name.trim().is_empty());
        if key_as_sent.is_none() && username.is_none() {
            return Err(claims.wrong("license_key"));
        }
        let hardware_id = claims.text("hardware_id", 256)?.filter(|id| !id.trim().is_empty());
        let hardware_id = hardware_id.ok_or_else(|| Problem::new(Code::DeviceIdMissing))?;
        let caller = match (claims.owned("api_key", 128)?, claims.owned("client_id", 128)?) {
            (Some(id), _) => Caller::ApiKey(id),
            (None, Some(id)) => Caller::Client(id),
            (None, None) => return Err(claims.wrong("api_key")),
        };
        let date = claims.required("date", 64)?;
        let detail = |name: &str| claims.owned(name, 256);
        Ok(Self {
            dialect,
            act,
            request_id: claims.owned("request_id", 64)?,
            product: ProductCode::parse(claims.required("product", 64)?).map_err(|error| claims.refused("product", error))?,
            hardware_id: DeviceId::parse(hardware_id).map_err(|error| claims.refused("hardware_id", error))?,
            hardware_id_as_sent: hardware_id.to_owned(),
            key: key_as_sent.map(read_key).transpose()?,
            key_as_sent: key_as_sent.map(|key| Hidden(key.to_owned())),
            username: username.map(|name| Hidden(name.to_owned())),
            password: claims.get("password").and_then(Value::as_str).map(|password| Hidden(password.to_owned())),
            caller,
            date: date.to_owned(),
            made_at: Timestamp::from_any_client_date(date).ok(),
            license_id: claims.get("license_id").and_then(Value::as_i64),
            bundle_code: detail("bundle_code")?,
            sdk: detail("sdk_ver")?,
            app: detail("app_ver")?,
            os: detail("os_ver")?,
            hostname: match detail("hostname")? {
                None => detail("os_hostname")?,
                name => name,
            },
            is_vm: claims.get("is_vm").and_then(Value::as_bool),
            consumptions: claims.get("consumptions").and_then(Value::as_i64),
            product_features: claims.get("product_features").cloned(),
            variables: claims.get("variables").and_then(Value::as_object).cloned().unwrap_or_default(),
            tpm_enrollment: match claims.get("tpm_enrollment").filter(|value| !value.is_null()) {
                Some(enrollment) => {
                    let text = enrollment.get("signing_public_key").and_then(Value::as_str);
                    let key = text.and_then(|text| TpmKey::parse(text).ok());
                    Some(key.ok_or_else(|| claims.wrong("tpm_enrollment"))?)
                }
                None => None,
            },
            tpm_signature: claims.get("licensespring-tpm-signature").and_then(Value::as_str).and_then(read_signature),
            inner_signature: signature(map),
            outer_signature: if dialect == Dialect::V2 { signature(&outer) } else { None },
            text,
            hash: Sha256::digest(json_text).into(),
        })
    }

    /// What was used since the app last told: of the license (`None`), and of its features, each by the code it goes by.
    #[must_use]
    pub fn consumed(&self) -> Vec<(Option<String>, i64)> {
        let mut consumed = Vec::new();
        consumed.extend(self.consumptions.map(|amount| (None, amount)));
        let features = self.product_features.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for feature in features.iter().take(MAX_FEATURES) {
            let code = ["feature", "code", "product_feature"].iter().find_map(|name| feature.get(*name).and_then(Value::as_str));
            let amount = ["consumptions", "consumption"].iter().find_map(|name| feature.get(*name).and_then(Value::as_i64));
            consumed.extend(code.zip(amount).map(|(code, amount)| (Some(code.to_owned()), amount)));
        }
        consumed
    }

    /// What the app tells of its machine, as text. What is no plain value, too long, or hidden is left out.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        plain_variables(&self.variables)
    }

    /// Whether an object looks like a LicenseSpring request, right or wrong.
    pub(in crate::licensing::files) fn is_request(map: &Map<String, Value>) -> bool {
        let flat =
            ["hardware_id", "api_key", "client_id", "license_key", "username"].iter().filter(|name| map.contains_key(**name));
        matches!(map.get("request"), Some(Value::Object(_))) || flat.count() >= 2
    }

    /// The bytes the outermost signature covers: of an envelope, the exact text of its `request`; of a flat file, its string to sign.
    #[must_use]
    pub fn signed_text(&self) -> Vec<u8> {
        match self.dialect {
            Dialect::V2 => self.text.clone(),
            Dialect::V1 => self.string_to_sign(&self.date).into_bytes(),
        }
    }

    pub(super) fn envelope_text(&self) -> &[u8] {
        &self.text
    }

    /// SHA-256 of the whole JSON text of the file: which bytes were asked.
    #[must_use]
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The v1 signature, of a flat file or inside an envelope: neither act nor request id is under it, so another file can carry
    /// it as well.
    #[must_use]
    pub fn v1_signature(&self) -> Option<&str> {
        self.inner_signature.as_deref()
    }

    /// What the machine's TPM signed, and its signature.
    #[must_use]
    pub fn tpm_signed(&self) -> Option<(&[u8], &[u8; 64])> {
        Some((self.inner_signature.as_ref()?.as_bytes(), self.tpm_signature.as_ref()?))
    }

    /// The outermost signature.
    #[must_use]
    pub fn signature(&self) -> Option<&str> {
        self.outer_signature.as_deref().or(self.inner_signature.as_deref())
    }

    /// The license key as sent, else the user name as sent.
    #[must_use]
    pub fn principal(&self) -> &str {
        self.key_as_sent.as_ref().or(self.username.as_ref()).map_or("", |principal| principal.0.as_str())
    }

    /// Whether the client verifies over text with `\uXXXX` escapes (the Python client before version 4).
    #[must_use]
    pub fn wants_escaped_text(&self) -> bool {
        self.sdk.as_deref().is_some_and(wants_escaped_text)
    }
}

/// Whether a client that calls itself so verifies over text with `\uXXXX` escapes.
#[must_use]
pub fn wants_escaped_text(sdk: &str) -> bool {
    ["PythonSDK 1", "PythonSDK 2", "PythonSDK 3"]
        .iter()
        .any(|start| sdk.strip_prefix(start).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit())))
}

fn signature(map: &Map<String, Value>) -> Option<String> {
    map.get("signature").and_then(Value::as_str).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn read(name: &str) -> LicenseSpringRequest {
        let path = format!("{}/tests/samples/licensespring/{name}", env!("CARGO_MANIFEST_DIR"));
        match crate::licensing::files::text::unwrap(&std::fs::read(path).unwrap()).unwrap() {
            crate::licensing::files::text::Carried::Json(json) => LicenseSpringRequest::parse(&json).unwrap(),
            crate::licensing::files::text::Carried::Jws(_) => panic!("not a JWS"),
        }
    }

    #[test]
    fn every_dialect_is_read() {
        let key = read("v1_activation_key.req");
        assert_eq!((key.dialect, key.act), (Dialect::V1, Some(LicenseSpringAct::Activation)));
        assert_eq!((key.principal(), key.hostname.as_deref()), ("FUH3-4E7A-LZJL-7JTP", Some("press-7.örebro.example")));
        assert!(key.wants_escaped_text());

        let user = read("v1_activation_user.req");
        assert_eq!((user.principal(), user.is_vm), ("test@example.com", Some(true)));
        assert_eq!(user.password, Some(Hidden("S3cret-ü".into())));

        let spaced = read("v2_deactivation_spaced_utf8.req");
        assert_eq!(
            (spaced.dialect, spaced.act, spaced.consumptions),
            (Dialect::V2, Some(LicenseSpringAct::Deactivation), Some(3))
        );
        assert!(
            core::str::from_utf8(&spaced.signed_text()).unwrap().contains("\"colour\": \"grün\""),
            "the text is kept exactly"
        );
        let escaped = read("v2_activation_spaced_escaped.req");
        assert!(core::str::from_utf8(&escaped.signed_text()).unwrap().contains(r"HW-v2-\u00f6rebro"));
        assert_eq!(escaped.hardware_id, spaced.hardware_id);

        let node = read("deactivate_offline.req");
        assert_eq!((node.dialect, node.act, node.request_id.as_deref()), (Dialect::V2, None, None));
        assert_eq!(node.license_id, Some(1_744_810_240_166_049));

        let documented = read("documented_payload.req");
        assert_eq!(documented.signature(), Some("/cK16QtcRBIPRMyy2igaIUJVCNa2lz2ZazjaaHD/BRw="));
        assert_eq!(documented.principal(), "FUH3-4E7A-LZJL-7JTP", "where both come, the key counts");
    }

    #[test]
    fn a_request_without_what_it_needs_is_refused_by_name() {
        let all = r#"{"request":"activation","product":"tp","hardware_id":"hw","license_key":"K-1","api_key":"a","date":"d"}"#;
        assert!(LicenseSpringRequest::parse(all.as_bytes()).is_ok());
        for (gone, code, name) in [
            ("hardware_id", Code::DeviceIdMissing, None),
            ("product", Code::UnknownFormat, Some("product")),
            ("license_key", Code::UnknownFormat, Some("license_key")),
            ("api_key", Code::UnknownFormat, Some("api_key")),
            ("date", Code::UnknownFormat, Some("date")),
        ] {
            let problem = LicenseSpringRequest::parse(all.replace(gone, "x").as_bytes()).unwrap_err();
            assert_eq!((problem.code, problem.details.name.as_deref()), (code, name), "{gone}");
        }
        let hidden = all.replace("\"hw\"", "\"h\\u202ew\"");
        assert_eq!(LicenseSpringRequest::parse(hidden.as_bytes()).unwrap_err().code, Code::HiddenCharacters);
        assert_eq!(LicenseSpringRequest::parse(br#"{"license":1}"#).unwrap_err().code, Code::UnknownFormat);
        assert_eq!(
            LicenseSpringRequest::parse(br#"{"license_key":"K","api_key":"a","request":"x"}"#).unwrap_err().code,
            Code::UnknownFormat
        );
    }

    #[test]
    fn nothing_secret_is_printed() {
        let printed = format!("{:?}", read("v1_activation_user.req"));
        assert!(!printed.contains("S3cret") && !printed.contains("test@example.com"));
        assert!(!format!("{:?}", read("v1_activation_key.req")).contains("FUH3"));
    }

    #[test]
    fn only_old_python_clients_want_escapes() {
        let mut request = read("v1_activation_key.req");
        for (sdk, expected) in [
            ("PythonSDK 3.1.7", true),
            ("PythonSDK 2.0", true),
            ("PythonSDK 4.0.0", false),
            ("PythonSDK 30", false),
            ("JavascriptSDK 1", false),
        ] {
            request.sdk = Some(sdk.into());
            assert_eq!(request.wants_escaped_text(), expected, "{sdk}");
        }
    }
}
