//! The public keys a checker already trusts, read from our JWKS and written to it. A file's `kid` chooses among them; nothing in
//! a file can add one.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use serde_json::{Map, Value};

use super::{
    base64,
    claims::{Claims, put},
    json,
    jws::{self, Jws},
    license::named_key,
    problem::{Code, Problem},
};
use crate::licensing::{ProductCode, Timestamp};

/// Where a signing key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// Published and signing nothing yet. It verifies: apps built with it meet it as the active key later.
    Standby,
    Active,
    /// Signs nothing new, still verifies.
    Retiring,
    Retired,
    Compromised,
}

impl KeyState {
    const ALL: [Self; 5] = [Self::Standby, Self::Active, Self::Retiring, Self::Retired, Self::Compromised];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standby => "standby",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Compromised => "compromised",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the key belongs in a published set.
    #[must_use]
    pub const fn is_published(self) -> bool {
        matches!(self, Self::Standby | Self::Active | Self::Retiring)
    }
}

/// The public half of a signing key, and what it may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// RFC 7638 thumbprint of `public`.
    pub kid: String,
    pub public: [u8; 32],
    /// The products it signs for. Empty means any: a set written by hand, without `cs_aud`.
    pub products: Vec<ProductCode>,
    pub state: KeyState,
    pub not_before: Option<Timestamp>,
    pub expires: Option<Timestamp>,
}

impl TrustedKey {
    #[must_use]
    pub fn new(public: [u8; 32], products: Vec<ProductCode>, state: KeyState) -> Self {
        Self { kid: jws::thumbprint(&public), public, products, state, not_before: None, expires: None }
    }

    /// Refuses a file for a product this key was not published for.
    pub fn may_sign_for(&self, product: &ProductCode) -> Result<(), Problem> {
        if self.products.is_empty() || self.products.contains(product) {
            Ok(())
        } else {
            Err(Problem::new(Code::WrongProductKey).found(product.as_str()))
        }
    }

    fn jwk(&self) -> Value {
        let mut map = Map::new();
        for (name, value) in [("kid", self.kid.as_str()), ("kty", "OKP"), ("crv", "Ed25519")] {
            map.insert(name.into(), value.into());
        }
        map.insert("x".into(), base64::url(&self.public).into());
        map.insert("alg".into(), "EdDSA".into());
        map.insert("use".into(), "sig".into());
        if !self.products.is_empty() {
            map.insert("cs_aud".into(), self.products.iter().map(|product| Value::from(product.as_str())).collect());
        }
        map.insert("cs_state".into(), self.state.as_str().into());
        put(&mut map, "nbf", self.not_before.map(Timestamp::seconds));
        put(&mut map, "exp", self.expires.map(Timestamp::seconds));
        Value::Object(map)
    }

    fn read(map: &Map<String, Value>) -> Result<Option<Self>, Problem> {
        let claims = Claims::new(map);
        if claims.has("d") {
            return Err(Code::PrivateKeyInFile.into());
        }
        // Keys of other types and uses stand in the same set (RFC 7517 §5: those not understood are passed over).
        let is = |name: &str, expected: &str| claims.get(name).is_none_or(|value| value.as_str() == Some(expected));
        if claims.text("kty", 16)? != Some("OKP") || claims.text("crv", 16)? != Some("Ed25519") || !is("use", "sig") {
            return Ok(None);
        }
        if !is("alg", "EdDSA") && !is("alg", "Ed25519") {
            return Ok(None);
        }
        let public = claims.bytes32("x")?;
        let kid = jws::thumbprint(&public);
        if claims.text("kid", 64)?.is_some_and(|named| named != kid) {
            return Err(claims.wrong("kid"));
        }
        let products = match claims.get("cs_aud") {
            None => Vec::new(),
            Some(value) => read_products(value).filter(|all| !all.is_empty()).ok_or_else(|| claims.wrong("cs_aud"))?,
        };
        let state = match claims.text("cs_state", 16)? {
            None => KeyState::Active,
            Some(text) => KeyState::parse(text).ok_or_else(|| claims.wrong("cs_state"))?,
        };
        let (not_before, expires) = (claims.seconds("nbf")?, claims.seconds("exp")?);
        Ok(Some(Self { kid, public, products, state, not_before, expires }))
    }
}

fn read_products(value: &Value) -> Option<Vec<ProductCode>> {
    let parse = |value: &Value| value.as_str().and_then(|text| ProductCode::parse(text).ok());
    match value {
        Value::Array(all) => all.iter().map(parse).collect(),
        one => parse(one).map(|product| [product].into()),
    }
}

/// The keys a checker trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedKeys(Vec<TrustedKey>);

impl TrustedKeys {
    #[must_use]
    pub const fn new(keys: Vec<TrustedKey>) -> Self {
        Self(keys)
    }

    /// Reads a JWK set. Refuses a private key in it, a `kid` that is not the key's thumbprint, and members of the wrong type.
    pub fn from_jwks(text: &str) -> Result<Self, Problem> {
        let (map, _) = json::object(text.as_bytes(), json::Limits::OURS)?;
        let claims = Claims::new(&map);
        let keys = claims.get("keys").and_then(Value::as_array).ok_or_else(|| claims.wrong("keys"))?;
        let mut trusted = Vec::new();
        for key in keys {
            trusted.extend(TrustedKey::read(key.as_object().ok_or_else(|| claims.wrong("keys"))?)?);
        }
        Ok(Self(trusted))
    }

    /// The set as it is published: compromised and retired keys are left out.
    #[must_use]
    pub fn to_jwks(&self) -> String {
        let keys: Vec<String> =
            self.0.iter().filter(|key| key.state.is_published()).map(|key| format!("{}", key.jwk())).collect();
        format!("{{\"keys\":[{}]}}", keys.join(","))
    }

    /// Only the keys that sign for `product`.
    #[must_use]
    pub fn of_product(&self, product: &ProductCode) -> Self {
        Self(self.0.iter().filter(|key| key.may_sign_for(product).is_ok()).cloned().collect())
    }

    #[must_use]
    pub fn keys(&self) -> &[TrustedKey] {
        &self.0
    }

    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&TrustedKey> {
        self.0.iter().find(|key| key.kid == kid)
    }

    /// The key a file names, if it is trusted and the signature holds.
    ///
    /// Refuses `unknown_signing_key` (also for a retired key), `key_compromised`, `bad_signature`.
    pub fn verify(&self, jws: &Jws) -> Result<&TrustedKey, Problem> {
        let kid = named_key(jws)?;
        let unknown = || Problem::new(Code::UnknownSigningKey).found(&shown_kid(kid));
        let key = self.find(kid).ok_or_else(unknown)?;
        match key.state {
            KeyState::Compromised => return Err(Problem::new(Code::KeyCompromised).found(&shown_kid(kid))),
            KeyState::Retired => return Err(unknown()),
            KeyState::Standby | KeyState::Active | KeyState::Retiring => {}
        }
        jws.verify(&key.public)?;
        Ok(key)
    }
}

/// The first characters of a thumbprint tell keys apart well enough for a person.
fn shown_kid(kid: &str) -> String {
    let start: String = kid.chars().take(8).collect();
    if start.len() < kid.len() { format!("{start}…") } else { start.to_owned() }
}
