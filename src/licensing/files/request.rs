//! The request file: made by the app on the customer's machine, signed with the device's own key, carried to the portal.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use serde_json::{Map, Value};

use super::{
    claims::{Claims, check_text, is_uuid4, put},
    jws::{self, Jws, KeyPair, SignedBy, Typ},
    key_proof::KeyProof,
    problem::{Code, Problem},
};
use crate::licensing::{
    ActivationKey, DeviceId, DeviceName, Email, LicenseId, ProductCode, Timestamp,
    key::{KeyError, MAX_KEY_CHARS, name_groups},
    usage::Usage,
};

const MAX_VARIABLES: usize = 64;
const MAX_VARIABLE_CHARS: usize = 1024;
const MAX_DETAIL_CHARS: usize = 256;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Activate,
    Refresh,
    Release,
}

impl Act {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Refresh => "refresh",
            Self::Release => "release",
        }
    }
}

/// What a request relies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// `activate`: the key itself.
    Key(ActivationKey),
    /// `activate`: a proof that the app knows the key.
    KeyProof(KeyProof),
    /// `activate`: an address, which proves nothing.
    User(Email),
    /// `refresh`, `release`: the license file answered for.
    License(LicenseId),
}

/// The machine, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestDevice {
    pub id: DeviceId,
    pub name: Option<DeviceName>,
    pub os: Option<String>,
    pub app: Option<String>,
    pub sdk: Option<String>,
    pub vm: Option<bool>,
}

impl RequestDevice {
    #[must_use]
    pub const fn new(id: DeviceId) -> Self {
        Self { id, name: None, os: None, app: None, sdk: None, vm: None }
    }
}

/// The claims of a request file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub act: Act,
    pub product: ProductCode,
    /// A UUID of version 4, chosen by the app.
    pub id: String,
    /// The device's clock: never a reason to refuse.
    pub made_at: Timestamp,
    pub grounds: Grounds,
    pub device: RequestDevice,
    pub usage: Option<Usage>,
    pub variables: Vec<(String, String)>,
}

/// A request whose signature holds: it was made by whoever has the device key, and no more is known than that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    pub request: Request,
    pub device_key: [u8; 32],
    /// RFC 7638 thumbprint of the device key.
    pub thumbprint: String,
    /// SHA-256 of the signing input: which bytes were asked.
    pub hash: [u8; 32],
}

impl SignedRequest {
    /// Reads a request file's text, white space already stripped. Signature first, claims after.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let jws = Jws::parse(text, Some(Typ::Request))?;
        let SignedBy::Device(device_key) = jws.signed_by else { return Err(Problem::new(Code::UnexpectedHeader).naming("kid")) };
        jws.verify(&device_key)?;
        let request = Request::read(&jws.claims()?)?;
        Ok(Self { request, device_key, thumbprint: jws::thumbprint(&device_key), hash: jws.hash() })
    }
}

impl Request {
    /// Signs the request with the device's key. Refuses what a reader would refuse.
    pub fn sign(&self, key: &KeyPair) -> Result<String, Problem> {
        let claims = self.claims();
        Self::read(&claims)?;
        jws::sign_with_device_key(&claims, key)
    }

    fn claims(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("v".into(), 1.into());
        map.insert("act".into(), self.act.as_str().into());
        map.insert("aud".into(), self.product.as_str().into());
        map.insert("jti".into(), self.id.as_str().into());
        map.insert("iat".into(), self.made_at.seconds().into());
        let (name, value): (&str, Value) = match &self.grounds {
            Grounds::Key(key) => ("key", key.text().into()),
            Grounds::KeyProof(proof) => ("key_proof", proof.value()),
            Grounds::User(email) => ("user", email.as_str().into()),
            Grounds::License(id) => ("lic", alloc::format!("{id}").into()),
        };
        map.insert(name.into(), value);
        map.insert("dev".into(), self.device.value());
        if let Some(usage) = &self.usage {
            let mut used = Map::new();
            used.insert("seq".into(), usage.seq.into());
            used.insert("license".into(), usage.license.into());
            used.insert(
                "features".into(),
                usage.features.iter().map(|(code, total)| (code.clone(), Value::from(*total))).collect(),
            );
            map.insert("use".into(), Value::Object(used));
        }
        if !self.variables.is_empty() {
            let all = self.variables.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
            map.insert("vars".into(), all.collect());
        }
        map
    }

    fn read(map: &Map<String, Value>) -> Result<Self, Problem> {
        let claims = Claims::new(map);
        claims.version_1()?;
        let act = match claims.required("act", 16)? {
            "activate" => Act::Activate,
            "refresh" => Act::Refresh,
            "release" => Act::Release,
            _ => return Err(claims.wrong("act")),
        };
        let product = ProductCode::parse(claims.required("aud", 64)?).map_err(|error| claims.refused("aud", error))?;
        let id = claims.required("jti", 36)?;
        if !is_uuid4(id) {
            return Err(claims.wrong("jti"));
        }
        let made_at = claims.seconds("iat")?.ok_or_else(|| claims.wrong("iat"))?;
        let grounds = read_grounds(claims, act)?;
        let device = claims.object("dev")?.ok_or_else(|| Problem::new(Code::DeviceIdMissing))?;
        let device = RequestDevice::read(device)?;
        let usage = claims.object("use")?.map(read_usage).transpose()?;
        let variables = claims.object("vars")?.map(read_variables).transpose()?.unwrap_or_default();
        Ok(Self { act, product, id: id.to_owned(), made_at, grounds, device, usage, variables })
    }
}

impl RequestDevice {
    fn value(&self) -> Value {
        let mut map = Map::new();
        map.insert("id".into(), self.id.as_str().into());
        put(&mut map, "name", self.name.as_ref().map(DeviceName::as_str));
        put(&mut map, "os", self.os.as_deref());
        put(&mut map, "app", self.app.as_deref());
        put(&mut map, "sdk", self.sdk.as_deref());
        put(&mut map, "vm", self.vm);
        Value::Object(map)
    }

    fn read(claims: Claims<'_>) -> Result<Self, Problem> {
        let id = claims.text("id", 256)?.filter(|id| !id.trim().is_empty()).ok_or_else(|| Problem::new(Code::DeviceIdMissing))?;
        let name = claims.text("name", 128)?.filter(|name| !name.trim().is_empty());
        Ok(Self {
            id: DeviceId::parse(id).map_err(|error| claims.refused("id", error))?,
            name: name.map(DeviceName::parse).transpose().map_err(|error| claims.refused("name", error))?,
            os: claims.owned("os", MAX_DETAIL_CHARS)?,
            app: claims.owned("app", MAX_DETAIL_CHARS)?,
            sdk: claims.owned("sdk", MAX_DETAIL_CHARS)?,
            vm: claims.flag("vm")?,
        })
    }
}

/// Exactly one ground, and one that fits the act.
fn read_grounds(claims: Claims<'_>, act: Act) -> Result<Grounds, Problem> {
    const ALL: [&str; 4] = ["key", "key_proof", "user", "lic"];
    let mut there = ALL.into_iter().filter(|name| claims.has(name));
    let (Some(name), None) = (there.next(), there.next()) else { return Err(claims.wrong("key")) };
    match (act, name) {
        (Act::Activate, "key") => read_key(claims.required("key", MAX_KEY_CHARS)?).map(Grounds::Key),
        (Act::Activate, "key_proof") => {
            KeyProof::read(claims.object("key_proof")?.ok_or_else(|| claims.wrong(name))?).map(Grounds::KeyProof)
        }
        (Act::Activate, "user") => {
            Email::parse(claims.required("user", 254)?).map(Grounds::User).map_err(|error| claims.refused("user", error))
        }
        (Act::Refresh | Act::Release, "lic") => read_license_id(claims, "lic").map(Grounds::License),
        _ => Err(claims.wrong(name)),
    }
}

pub(super) fn read_key(text: &str) -> Result<ActivationKey, Problem> {
    ActivationKey::parse(text).map_err(|error| match error {
        KeyError::Empty => Problem::new(Code::UnknownFormat).naming("key"),
        KeyError::TooLong => Problem::new(Code::ClaimTooLong).naming("key"),
        KeyError::HiddenCharacters => Problem::new(Code::HiddenCharacters).naming("key"),
        KeyError::Checksum { groups } => Problem::new(Code::BadKeyChecksum).naming(&name_groups(&groups)),
    })
}

/// A license id is decimal text, written one way.
pub(super) fn read_license_id(claims: Claims<'_>, name: &str) -> Result<LicenseId, Problem> {
    let text = claims.required(name, 16)?;
    let id: i64 = text.parse().map_err(|_| claims.wrong(name))?;
    if id < 0 || alloc::format!("{id}") != text { Err(claims.wrong(name)) } else { Ok(LicenseId(id)) }
}

fn read_usage(claims: Claims<'_>) -> Result<Usage, Problem> {
    let mut features = Vec::new();
    if let Some(all) = claims.object("features")? {
        for code in all.map().keys() {
            check_text(code, 128, false).map_err(|code| Problem::new(code).naming("use.features"))?;
            features.push((code.clone(), all.count(code)?.ok_or_else(|| all.wrong(code))?));
        }
    }
    Ok(Usage {
        seq: claims.count("seq")?.ok_or_else(|| claims.wrong("seq"))?,
        license: claims.count("license")?.unwrap_or(0),
        features,
    })
}

fn read_variables(claims: Claims<'_>) -> Result<Vec<(String, String)>, Problem> {
    if claims.map().len() > MAX_VARIABLES {
        return Err(Problem::new(Code::ClaimTooLong).naming("vars"));
    }
    let mut variables = Vec::new();
    for (name, value) in claims.map() {
        let value = value.as_str().ok_or_else(|| claims.wrong(name))?;
        let held = check_text(name, MAX_DETAIL_CHARS, false).and_then(|()| check_text(value, MAX_VARIABLE_CHARS, true));
        held.map_err(|code| Problem::new(code).naming(&alloc::format!("vars.{name}")))?;
        variables.push((name.clone(), value.to_owned()));
    }
    Ok(variables)
}
