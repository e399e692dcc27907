//! JWS in compact form (RFC 7515) with Ed25519 (RFC 8037): three parts of base64url. The header is a closed set, and the
//! signature is checked over the bytes as they came, before the payload is read.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    base64::{self, NotBase64},
    json::{self, Limits},
    problem::{Code, Problem},
    text::MAX_BYTES,
};

const MAX_HEADER_BYTES: usize = 1024;
const SIGNATURE_CHARS: usize = 86;

/// Signs our files. The key vault is one, a device's own key another.
pub trait Signer {
    /// The RFC 7638 thumbprint of the public half.
    fn kid(&self) -> &str;
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// An Ed25519 key pair in memory.
pub struct KeyPair {
    key: SigningKey,
    kid: String,
}

impl KeyPair {
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let kid = thumbprint(key.verifying_key().as_bytes());
        Self { key, kid }
    }

    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }
}

impl Signer for KeyPair {
    fn kid(&self) -> &str {
        &self.kid
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.kid)
    }
}

/// What a file is, by its `typ`. One never stands for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Typ {
    Request,
    License,
    Receipt,
    Mirror,
}

impl Typ {
    pub const ALL: [Self; 4] = [Self::Request, Self::License, Self::Receipt, Self::Mirror];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "cs-req+jwt",
            Self::License => "cs-lic+jwt",
            Self::Receipt => "cs-receipt+jwt",
            Self::Mirror => "cs-mirror+jwt",
        }
    }

    /// As people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request file",
            Self::License => "license file",
            Self::Receipt => "release receipt",
            Self::Mirror => "mirror of a license",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|typ| typ.as_str() == text)
    }
}

/// Who signed, as the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// A request carries the device's own public key: what it is checked with, never a reason to trust it.
    Device([u8; 32]),
    /// Anything of ours names a key the checker must already trust.
    Kid(String),
}

/// A JWS taken apart, its header held to the closed set, its signature not yet checked.
#[derive(Clone, Debug)]
pub struct Jws {
    pub typ: Typ,
    pub signed_by: SignedBy,
    text: String,
    input_len: usize,
    payload_at: usize,
    signature: [u8; 64],
}

impl Jws {
    /// Takes a text without white space apart.
    ///
    /// Refuses in this order: size, parts, spelling, the header's JSON, its `typ` (`unknown_format`; `wrong_kind` where it is not
    /// the `expected` one), members that do not belong, algorithm and curve, a private key, the signature's length.
    pub fn parse(text: &str, expected: Option<Typ>) -> Result<Self, Problem> {
        if text.len() > MAX_BYTES {
            return Err(Problem::new(Code::TooLarge).at(text.len()));
        }
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Problem::new(Code::Truncated).at(text.len()));
        };
        if parts.next().is_some() {
            return Err(Code::UnknownFormat.into());
        }
        let payload_at = header.len() + 1;
        let input_len = payload_at + payload.len();
        let spelled = |part: &str, at: usize| {
            base64::from_url(part).map_err(|error| match error {
                NotBase64::At(place) => Problem::new(Code::NotBase64).at(at + place + 1),
                NotBase64::CutOff => Problem::new(Code::Truncated).at(text.len()),
            })
        };
        let header = spelled(header, 0)?;
        spelled(payload, payload_at)?;
        // A signature that ends early may end in the middle of a byte: cut off, not misspelt.
        let signature = match spelled(signature, input_len + 1) {
            Err(problem) if problem.details.position != Some(text.len() as u64) || signature.len() >= SIGNATURE_CHARS => {
                return Err(problem);
            }
            read => read.unwrap_or_default(),
        };
        if header.len() > MAX_HEADER_BYTES {
            return Err(Problem::new(Code::UnexpectedHeader).naming("header"));
        }
        let (typ, signed_by) = read_header(&inside(json::object(&header, Limits::OURS))?.0, expected)?;
        let signature: [u8; 64] = signature.try_into().map_err(|bytes: Vec<u8>| {
            if bytes.len() < 64 { Problem::new(Code::Truncated).at(text.len()) } else { Code::BadSignature.into() }
        })?;
        Ok(Self { typ, signed_by, text: text.to_owned(), input_len, payload_at, signature })
    }

    /// The bytes that were signed.
    #[must_use]
    pub fn signing_input(&self) -> &str {
        &self.text[..self.input_len]
    }

    /// SHA-256 of the signing input.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.signing_input()).into()
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks the signature with `key`, strictly: one encoding of the key, no small-order points, a canonical scalar.
    pub fn verify(&self, key: &[u8; 32]) -> Result<(), Problem> {
        let verified = is_canonical(key)
            && VerifyingKey::from_bytes(key)
                .and_then(|key| key.verify_strict(self.signing_input().as_bytes(), &Signature::from_bytes(&self.signature)))
                .is_ok();
        if verified { Ok(()) } else { Err(Code::BadSignature.into()) }
    }

    /// The payload's claims. To be called after `verify`, and to be believed only then.
    pub fn claims(&self) -> Result<Map<String, Value>, Problem> {
        let payload = base64::from_url(&self.text[self.payload_at..self.input_len]).map_err(|_| Problem::new(Code::NotBase64))?;
        Ok(inside(json::object(&payload, Limits::OURS))?.0)
    }
}

/// Inside a JWS, JSON that ends early was written so: the file itself was not cut off.
fn inside<T>(read: Result<T, Problem>) -> Result<T, Problem> {
    read.map_err(|problem| if problem.code == Code::Truncated { Problem { code: Code::NotJson, ..problem } } else { problem })
}

fn read_header(header: &Map<String, Value>, expected: Option<Typ>) -> Result<(Typ, SignedBy), Problem> {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let typ = text("typ").and_then(Typ::parse).ok_or_else(|| Problem::new(Code::UnknownFormat).naming("typ"))?;
    if let Some(expected) = expected
        && expected != typ
    {
        return Err(wrong_kind(expected.name(), typ.name()));
    }
    let by = if typ == Typ::Request { "jwk" } else { "kid" };
    if let Some(name) = header.keys().find(|name| !["alg", "typ", by].contains(&name.as_str())) {
        return Err(Problem::new(Code::UnexpectedHeader).naming(name));
    }
    if !matches!(text("alg"), Some("EdDSA" | "Ed25519")) {
        return Err(Problem::new(Code::UnsupportedAlgorithm).found(text("alg").unwrap_or("none")));
    }
    let missing = || Problem::new(Code::UnexpectedHeader).naming(by);
    if by == "kid" {
        return Ok((typ, SignedBy::Kid(text("kid").ok_or_else(missing)?.to_owned())));
    }
    let jwk = header.get("jwk").and_then(Value::as_object).ok_or_else(missing)?;
    public_key(jwk, &["kty", "crv", "x"]).map(|key| (typ, SignedBy::Device(key)))
}

/// The Ed25519 public key of a JWK with no other members than `allowed`.
///
/// Refuses a private key (`d`) before anything else about it, then members that do not belong, then another type of key or curve.
pub(super) fn public_key(jwk: &Map<String, Value>, allowed: &[&str]) -> Result<[u8; 32], Problem> {
    if jwk.contains_key("d") {
        return Err(Code::PrivateKeyInFile.into());
    }
    if let Some(name) = jwk.keys().find(|name| !allowed.contains(&name.as_str())) {
        return Err(Problem::new(Code::UnexpectedHeader).naming(&format!("jwk.{name}")));
    }
    let text = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("kty") != "OKP" || text("crv") != "Ed25519" {
        return Err(Problem::new(Code::UnsupportedAlgorithm).found(&format!("{} {}", text("kty"), text("crv"))));
    }
    base64::from_url_exact(text("x")).ok_or_else(|| Problem::new(Code::UnsupportedAlgorithm).found("a key that is not 32 bytes"))
}

pub(super) fn wrong_kind(expected: &str, found: &str) -> Problem {
    Problem::new(Code::WrongKind).expected(expected).found(found)
}

/// Signs `claims` as one of our files.
///
/// Refuses what our own reader would refuse: numbers that are no safe integers, too deep a nesting, 64 KiB and more.
pub fn sign_with_kid(typ: Typ, claims: &Map<String, Value>, signer: &dyn Signer) -> Result<String, Problem> {
    sign(&header(typ, signer.kid()), claims, signer)
}

/// The header of every file of a kind that a key signs: always these bytes.
#[must_use]
pub fn header(typ: Typ, kid: &str) -> String {
    format!("{{\"alg\":\"EdDSA\",\"typ\":\"{}\",\"kid\":\"{kid}\"}}", typ.as_str())
}

/// Signs `claims` as a request, with the public half of the device's key in the header.
pub fn sign_with_device_key(claims: &Map<String, Value>, key: &KeyPair) -> Result<String, Problem> {
    let header = format!("{{\"alg\":\"EdDSA\",\"typ\":\"{}\",\"jwk\":{}}}", Typ::Request.as_str(), jwk(&key.public()));
    sign(&header, claims, key)
}

fn sign(header: &str, claims: &Map<String, Value>, signer: &dyn Signer) -> Result<String, Problem> {
    let payload = serde_json::to_string(claims).map_err(|_| Problem::new(Code::NotJson))?;
    json::object(payload.as_bytes(), Limits::OURS)?;
    let mut text = format!("{}.{}", base64::url(header.as_bytes()), base64::url(payload.as_bytes()));
    let signature = signer.sign(text.as_bytes());
    text.push('.');
    text.push_str(&base64::url(&signature));
    if text.len() > MAX_BYTES { Err(Problem::new(Code::TooLarge).at(text.len())) } else { Ok(text) }
}

/// A public key as a JWK with the members RFC 7638 asks for, in its order.
#[must_use]
pub fn jwk(public: &[u8; 32]) -> String {
    format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{}\"}}", base64::url(public))
}

/// The RFC 7638 thumbprint (SHA-256, base64url) of an Ed25519 public key.
#[must_use]
pub fn thumbprint(public: &[u8; 32]) -> String {
    base64::url(&Sha256::digest(jwk(public)))
}

/// Whether 32 bytes are the one canonical encoding of a point: y below 2^255 - 19.
fn is_canonical(key: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = key;
    !(*last & 0x7f == 0x7f && middle.iter().all(|byte| *byte == 0xff) && *first >= 0xed)
}
