//! The proof that an app knows an activation key, which cannot be turned back into the key: a request file that carries it
//! is worth nothing to whoever finds it.

use alloc::{format, string::String};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{base64, claims::Claims, problem::Problem};
use crate::licensing::{ActivationKey, ProductCode};

/// `key_proof` of a request: which key, and that it was known when the request was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProof {
    /// SHA-256 of the key: what the key is found by.
    pub id: [u8; 32],
    /// HMAC over device key, request id and product.
    pub mac: [u8; 32],
}

impl KeyProof {
    /// Proves `key` for the request `request_id` of the device key with thumbprint `jkt`. `product` as the request's `aud` spells it.
    #[must_use]
    pub fn new(key: &ActivationKey, jkt: &str, request_id: &str, product: &ProductCode) -> Self {
        let mac = mac(key, jkt, request_id, product).finalize().into_bytes().into();
        Self { id: Self::key_id(key), mac }
    }

    /// What a key is found by: SHA-256 over `countersign/key-id/1` and the key as it is printed, dashes and all.
    #[must_use]
    pub fn key_id(key: &ActivationKey) -> [u8; 32] {
        Sha256::digest(format!("countersign/key-id/1{}", key.text())).into()
    }

    /// Whether this proves `key` for that request. In constant time.
    #[must_use]
    pub fn proves(&self, key: &ActivationKey, jkt: &str, request_id: &str, product: &ProductCode) -> bool {
        Self::key_id(key) == self.id && mac(key, jkt, request_id, product).verify_slice(&self.mac).is_ok()
    }

    pub(super) fn read(claims: Claims<'_>) -> Result<Self, Problem> {
        Ok(Self { id: claims.bytes32("id")?, mac: claims.bytes32("mac")? })
    }

    pub(super) fn value(&self) -> Value {
        let mut map = Map::new();
        map.insert("id".into(), base64::url(&self.id).into());
        map.insert("mac".into(), base64::url(&self.mac).into());
        Value::Object(map)
    }
}

fn mac(key: &ActivationKey, jkt: &str, request_id: &str, product: &ProductCode) -> Hmac<Sha256> {
    let key: String = key.text();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(format!("countersign/key-proof/1{jkt}{request_id}{}", product.as_str()).as_bytes());
    mac
}
