//! Tokens that other sign-in providers sign (RFC 7519, RFC 7515): whether one is signed by a key of its provider. What it says is not
//! looked at here.

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse},
};
use serde_json::{Map, Value};

/// As long as a token may be, in bytes.
const MOST: usize = 16 * 1024;

/// Public-key signatures alone: with the others a provider's public key would be a secret.
const ACCEPTED: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// The public keys of a provider.
#[derive(Clone)]
pub struct ProviderKeys(JwkSet);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    #[error("no token in the form of RFC 7515")]
    Malformed,
    #[error("signed by an algorithm that is not accepted")]
    Algorithm,
    #[error("signed by a key that is not known")]
    UnknownKey,
    #[error("the signature does not fit")]
    Signature,
}

impl ProviderKeys {
    /// A JWK set (RFC 7517 §5). Keys of kinds that are not known are left out; none for what is no set.
    #[must_use]
    pub fn read(set: &Value) -> Option<Self> {
        let keys = set.get("keys")?.as_array()?;
        let keys = keys.iter().take(64).filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
        Some(Self(JwkSet { keys: keys.collect() }))
    }

    /// The claims of a token that one of these keys has signed.
    pub fn open(&self, token: &str) -> Result<Map<String, Value>, IdTokenError> {
        if token.len() > MOST {
            return Err(IdTokenError::Malformed);
        }
        let header = match decode_header(token) {
            Ok(header) => header,
            Err(error) => return Err(refused(&error)),
        };
        if !ACCEPTED.contains(&header.alg) {
            return Err(IdTokenError::Algorithm);
        }
        let fits = |key: &&Jwk| {
            let named = header.kid.is_none() || key.common.key_id == header.kid;
            named
                && signs(key)
                && of_kind(key, header.alg)
                && key.common.key_algorithm.is_none_or(|known| known == header.alg.into())
        };
        // When, by whom and for whom is not asked here: the desk has a clock of its own.
        let mut rules = Validation::new(header.alg);
        rules.validate_exp = false;
        rules.validate_nbf = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        let mut last = IdTokenError::UnknownKey;
        for key in self.0.keys.iter().filter(fits) {
            let Ok(key) = DecodingKey::from_jwk(key) else { continue };
            match decode::<Map<String, Value>>(token, &key, &rules) {
                Ok(opened) => return Ok(opened.claims),
                Err(error) => last = refused(&error),
            }
        }
        Err(last)
    }
}

fn signs(key: &Jwk) -> bool {
    key.common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature)
}

fn of_kind(key: &Jwk, algorithm: Algorithm) -> bool {
    use Algorithm::{ES256, ES384, EdDSA};
    match &key.algorithm {
        AlgorithmParameters::RSA(_) => !matches!(algorithm, ES256 | ES384 | EdDSA),
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => algorithm == ES256,
            EllipticCurve::P384 => algorithm == ES384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(key) => key.curve == EllipticCurve::Ed25519 && algorithm == EdDSA,
        _ => false,
    }
}

fn refused(error: &jsonwebtoken::errors::Error) -> IdTokenError {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidSignature => IdTokenError::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => IdTokenError::Algorithm,
        _ => IdTokenError::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        rsa::KeySize,
        signature::{self, KeyPair as _, RsaKeyPair},
    };
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    fn url(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn jwk(key: &RsaKeyPair, more: &Value) -> Value {
        let public = key.public_key();
        let (n, e) = (public.modulus().big_endian_without_leading_zero(), public.exponent().big_endian_without_leading_zero());
        let mut jwk = json!({ "kty": "RSA", "n": url(n), "e": url(e) });
        jwk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        jwk
    }

    fn signed(head: &Value, key: &RsaKeyPair, how: &'static dyn signature::RsaEncoding) -> String {
        let text = format!("{}.{}", url(head.to_string().as_bytes()), url(br#"{"iss":"here","exp":"no number","aud":7}"#));
        let mut mark = vec![0; key.public_modulus_len()];
        key.sign(how, &SystemRandom::new(), text.as_bytes(), &mut mark).unwrap();
        format!("{text}.{}", url(&mark))
    }

    #[test]
    fn a_token_opens_with_the_key_that_signed_it_and_with_no_other() {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let other = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let set = |keys: &[Value]| ProviderKeys::read(&json!({ "keys": keys })).unwrap();
        let (rs, ps) = (&signature::RSA_PKCS1_SHA256, &signature::RSA_PSS_SHA256);
        let token = signed(&json!({ "alg": "RS256", "kid": "a" }), &key, rs);
        let good = [jwk(&other, &json!({ "kid": "b" })), jwk(&key, &json!({ "kid": "a", "use": "sig", "alg": "RS256" }))];
        // What it says is not looked at: neither its end nor for whom it is.
        assert_eq!(set(&good).open(&token).unwrap()["iss"], "here");
        let unnamed = signed(&json!({ "alg": "RS256" }), &key, rs);
        assert!(set(&good).open(&unnamed).is_ok(), "every key is tried for a token that names none");
        let pss = signed(&json!({ "alg": "PS256", "kid": "a" }), &key, ps);
        assert!(set(&[jwk(&key, &json!({ "kid": "a" }))]).open(&pss).is_ok());
        use IdTokenError::{Algorithm as Alg, Malformed, Signature as Sig, UnknownKey};
        let text = token.rsplit_once('.').unwrap().0;
        for (keys, token, expected) in [
            (vec![], token.clone(), UnknownKey),
            (vec![jwk(&other, &json!({ "kid": "a" }))], token.clone(), Sig),
            (vec![jwk(&key, &json!({ "kid": "b" }))], token.clone(), UnknownKey),
            (vec![jwk(&key, &json!({ "kid": "a", "use": "enc" }))], token.clone(), UnknownKey),
            (vec![jwk(&key, &json!({ "kid": "a", "alg": "RS512" }))], token.clone(), UnknownKey),
            (good.to_vec(), pss, UnknownKey),
            (good.to_vec(), format!("{text}."), Sig),
            (good.to_vec(), signed(&json!({ "alg": "ES256", "kid": "a" }), &key, rs), UnknownKey),
            (good.to_vec(), signed(&json!({ "alg": "HS256", "kid": "a" }), &key, rs), Alg),
            (good.to_vec(), signed(&json!({ "alg": "none" }), &key, rs), Malformed),
            (good.to_vec(), String::new(), Malformed),
            (good.to_vec(), "a.b.c".to_owned(), Malformed),
            (good.to_vec(), format!("{token}{}", "A".repeat(MOST)), Malformed),
        ] {
            assert_eq!(set(&keys).open(&token).unwrap_err(), expected, "{token}");
        }
        assert!(ProviderKeys::read(&json!({ "keys": 7 })).is_none() && ProviderKeys::read(&json!([])).is_none());
    }
}
