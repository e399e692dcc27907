//! The license file: signed with the product's key, bound to a device, carried back to the machine. Without `cnf` and `jti`
//! it is the computer key of `/activate`. Any JOSE library verifies it.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use serde_json::{Map, Value};

use super::{
    base64,
    claims::{Claims, put},
    jws::{self, Jws, SignedBy, Signer, Typ},
    keyset::TrustedKeys,
    problem::{Code, Problem},
    request::read_license_id,
    terms::Terms,
};
use crate::licensing::{DeviceId, DeviceName, LicenseId, ProductCode, Timestamp};

/// Which request a file answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRef {
    /// The request's id; empty where a LicenseSpring dialect has none.
    pub id: String,
    /// SHA-256 of what was asked: the signing input of our request, the JSON text of LicenseSpring's.
    pub hash: [u8; 32],
}

/// The machine a file is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDevice {
    pub id: DeviceId,
    pub name: Option<DeviceName>,
}

/// The claims of a license file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseFile {
    /// The portal's public URL: informative.
    pub issuer: String,
    pub product: ProductCode,
    pub license: LicenseId,
    /// This file's id; the computer key of `/activate` has none.
    pub id: Option<String>,
    /// Absent where there was no request file.
    pub request: Option<RequestRef>,
    pub made_at: Timestamp,
    pub not_before: Option<Timestamp>,
    /// Must be there whenever use ends: see [`LicenseFile::end_of_use`].
    pub expires: Option<Timestamp>,
    /// The request's own clock, so that the app learns its error.
    pub device_clock: Option<Timestamp>,
    pub device: FileDevice,
    /// Thumbprint of the device key, exactly when the request had one.
    pub device_key: Option<String>,
    pub terms: Terms,
}

/// A license file whose signature holds, by a trusted key of its product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedLicense {
    pub license: LicenseFile,
    pub kid: String,
    /// SHA-256 of the signing input.
    pub hash: [u8; 32],
}

impl LicenseFile {
    /// When use ends: the earlier of the lease and the license's end with its grace. `None` means never.
    #[must_use]
    pub fn end_of_use(lease: Option<Timestamp>, valid_until: Option<Timestamp>, grace_hours: u32) -> Option<Timestamp> {
        let end = valid_until.map(|end| end.plus_hours(i64::from(grace_hours)));
        match (lease, end) {
            (Some(lease), Some(end)) => Some(lease.min(end)),
            (lease, end) => lease.or(end),
        }
    }

    /// Signs the file. Refuses claims a reader would refuse, and a file that would outlive its license: a checker that knows
    /// only RFC 7519 must be safe with it.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, Problem> {
        self.sign_as(Typ::License, signer)
    }

    pub(super) fn sign_as(&self, typ: Typ, signer: &dyn Signer) -> Result<String, Problem> {
        let end = Self::end_of_use(self.expires, self.terms.valid_until, self.terms.grace_hours);
        // A file holds whole seconds, rounded down.
        if end.map(Timestamp::seconds) != self.expires.map(Timestamp::seconds) {
            return Err(Problem::new(Code::UnknownFormat).naming("exp"));
        }
        let claims = self.claims();
        Self::read(&claims)?;
        jws::sign_with_kid(typ, &claims, signer)
    }

    /// Reads a license file's text, white space already stripped: signature by a trusted key first, claims after.
    pub fn verify(text: &str, keys: &TrustedKeys) -> Result<SignedLicense, Problem> {
        Self::verify_as(Typ::License, text, keys)
    }

    pub(super) fn verify_as(typ: Typ, text: &str, keys: &TrustedKeys) -> Result<SignedLicense, Problem> {
        let jws = Jws::parse(text, Some(typ))?;
        let key = keys.verify(&jws)?;
        let license = Self::read(&jws.claims()?)?;
        key.may_sign_for(&license.product)?;
        Ok(SignedLicense { license, kid: key.kid.clone(), hash: jws.hash() })
    }

    /// Reads the claims without asking who signed: for showing what a file says, never for believing it.
    pub fn read_unverified(jws: &Jws) -> Result<Self, Problem> {
        Self::read(&jws.claims()?)
    }

    fn claims(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("v".into(), 1.into());
        map.insert("iss".into(), self.issuer.as_str().into());
        map.insert("aud".into(), self.product.as_str().into());
        map.insert("sub".into(), alloc::format!("{}", self.license).into());
        put(&mut map, "jti", self.id.as_deref());
        put(&mut map, "req", self.request.as_ref().map(RequestRef::value));
        map.insert("iat".into(), self.made_at.seconds().into());
        put(&mut map, "nbf", self.not_before.map(Timestamp::seconds));
        put(&mut map, "exp", self.expires.map(Timestamp::seconds));
        put(&mut map, "clk", self.device_clock.map(Timestamp::seconds));
        map.insert("dev".into(), self.device.value());
        put(&mut map, "cnf", self.device_key.as_deref().map(confirmation));
        map.insert("lic".into(), self.terms.value());
        map
    }

    fn read(map: &Map<String, Value>) -> Result<Self, Problem> {
        let claims = Claims::new(map);
        claims.version_1()?;
        Ok(Self {
            issuer: claims.required("iss", 512)?.to_owned(),
            product: read_product(claims)?,
            license: read_license_id(claims, "sub")?,
            id: claims.owned("jti", 64)?,
            request: claims.object("req")?.map(RequestRef::read).transpose()?,
            made_at: claims.seconds("iat")?.ok_or_else(|| claims.wrong("iat"))?,
            not_before: claims.seconds("nbf")?,
            expires: claims.seconds("exp")?,
            device_clock: claims.seconds("clk")?,
            device: FileDevice::read(claims)?,
            device_key: read_confirmation(claims)?,
            terms: Terms::read(claims.object("lic")?.ok_or_else(|| claims.wrong("lic"))?)?,
        })
    }
}

impl RequestRef {
    pub(super) fn value(&self) -> Value {
        let mut map = Map::new();
        map.insert("jti".into(), self.id.as_str().into());
        map.insert("h".into(), base64::url(&self.hash).into());
        Value::Object(map)
    }

    pub(super) fn read(claims: Claims<'_>) -> Result<Self, Problem> {
        Ok(Self { id: claims.required("jti", 64)?.to_owned(), hash: claims.bytes32("h")? })
    }
}

impl FileDevice {
    pub(super) fn value(&self) -> Value {
        let mut map = Map::new();
        map.insert("id".into(), self.id.as_str().into());
        put(&mut map, "name", self.name.as_ref().map(DeviceName::as_str));
        Value::Object(map)
    }

    pub(super) fn read(claims: Claims<'_>) -> Result<Self, Problem> {
        let device = claims.object("dev")?.ok_or_else(|| Problem::new(Code::DeviceIdMissing))?;
        let id = device.text("id", 256)?.ok_or_else(|| Problem::new(Code::DeviceIdMissing))?;
        let name = device.text("name", 128)?;
        Ok(Self {
            id: DeviceId::parse(id).map_err(|error| device.refused("id", error))?,
            name: name.map(DeviceName::parse).transpose().map_err(|error| device.refused("name", error))?,
        })
    }
}

pub(super) fn read_product(claims: Claims<'_>) -> Result<ProductCode, Problem> {
    ProductCode::parse(claims.required("aud", 64)?).map_err(|error| claims.refused("aud", error))
}

pub(super) fn confirmation(thumbprint: &str) -> Value {
    let mut map = Map::new();
    map.insert("jkt".into(), thumbprint.into());
    Value::Object(map)
}

pub(super) fn read_confirmation(claims: Claims<'_>) -> Result<Option<String>, Problem> {
    let Some(cnf) = claims.object("cnf")? else { return Ok(None) };
    cnf.bytes32("jkt")?;
    cnf.owned("jkt", 43)
}

/// What several readers need: a list of objects.
pub(super) fn read_list<'a, T>(
    claims: Claims<'a>,
    name: &'static str,
    read: impl Fn(&'a Map<String, Value>) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    let Some(value) = claims.get(name) else { return Ok(Vec::new()) };
    let list = value.as_array().ok_or_else(|| claims.wrong(name))?;
    list.iter().map(|item| item.as_object().ok_or_else(|| claims.wrong(name)).and_then(&read)).collect()
}

/// Takes the key a header names apart from a device's own.
pub(super) fn named_key(jws: &Jws) -> Result<&str, Problem> {
    match &jws.signed_by {
        SignedBy::Kid(kid) => Ok(kid),
        SignedBy::Device(_) => Err(Problem::new(Code::UnexpectedHeader).naming("jwk")),
    }
}
