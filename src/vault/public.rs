//! Public halves, as checkers want them: JWK sets (RFC 7517, 8037), PEM, raw bytes. A key that is retired or compromised is not
//! among them.

use aws_lc_rs::{digest, rsa};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value, json};

use super::legacy_rsa::{self, PublicNumbers};
use crate::licensing::{
    Timestamp,
    files::{KeyState, TrustedKey, TrustedKeys},
    seal::{Seal, SealUse},
};

/// `SubjectPublicKeyInfo` of an Ed25519 key (RFC 8410), up to its 32 bytes.
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// `SubjectPublicKeyInfo` of a P-256 key (RFC 5480), up to x and y.
const P256_SPKI: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
    0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// The key set checkers are given at `now`: `{"keys":[…]}`, in the order of the seals.
///
/// The files of `/.well-known/` are this over all seals, or over those of one product.
#[must_use]
pub fn jwks<'a>(seals: impl IntoIterator<Item = &'a Seal>, now: Timestamp) -> Value {
    let published = seals.into_iter().filter(|seal| seal.is_published(now));
    json!({ "keys": published.filter_map(jwk).collect::<Vec<Value>>() })
}

/// One public key with what a checker needs to know of it. None for bytes that are no key.
///
/// `cs_aud` lists the product it signs for; `cs_use` is there where it doesn't sign our own files.
#[must_use]
pub fn jwk(seal: &Seal) -> Option<Value> {
    // Whoever checks by a key set takes none that is so short; its clients were built with it.
    if is_short(seal) {
        return None;
    }
    let mut jwk = Map::new();
    jwk.insert("kid".into(), seal.kid.as_str().into());
    jwk.extend(match seal.purpose {
        SealUse::License => okp_members(&seal.public),
        SealUse::LicenseSpring | SealUse::Qlm => rsa_members(&seal.public)?,
        SealUse::AirGap => p256_members(&seal.public)?,
    });
    let alg = match seal.purpose {
        SealUse::License => "EdDSA",
        SealUse::LicenseSpring | SealUse::Qlm => "RS256",
        SealUse::AirGap => "ES256",
    };
    jwk.insert("alg".into(), alg.into());
    jwk.insert("use".into(), "sig".into());
    if seal.purpose != SealUse::License {
        jwk.insert("cs_use".into(), seal.purpose.text().into());
    }
    if let Some(product) = &seal.product {
        jwk.insert("cs_aud".into(), json!([product.code.as_str()]));
    }
    jwk.insert("cs_state".into(), seal.state.text().into());
    jwk.insert("nbf".into(), seal.created_at.seconds().into());
    if let Some(until) = seal.state.until() {
        jwk.insert("exp".into(), until.seconds().into());
    }
    Some(Value::Object(jwk))
}

/// Whether a key is of fewer bits than any that is made here: one that was brought along for clients of old.
#[must_use]
pub fn is_short(seal: &Seal) -> bool {
    seal.purpose == SealUse::Qlm && rsa_numbers(&seal.public).is_some_and(|numbers| legacy_rsa::bits(&numbers.modulus) < 2_048)
}

/// The keys of our own files, for the server's own checker: also those no longer published, so that it can say why.
#[must_use]
pub fn trusted_keys<'a>(seals: impl IntoIterator<Item = &'a Seal>) -> TrustedKeys {
    let ours = seals.into_iter().filter(|seal| seal.purpose == SealUse::License);
    let keys = ours.filter_map(|seal| {
        let products = seal.product.iter().map(|product| product.code.clone()).collect();
        let key = TrustedKey::new(seal.public.as_slice().try_into().ok()?, products, KeyState::parse(seal.state.text())?);
        Some(TrustedKey { not_before: Some(seal.created_at), expires: seal.state.until(), ..key })
    });
    TrustedKeys::new(keys.collect())
}

/// `-----BEGIN PUBLIC KEY-----`: the `SubjectPublicKeyInfo` of either kind of key, as OpenSSL reads it.
#[must_use]
pub fn pem(seal: &Seal) -> String {
    let der = match seal.purpose {
        SealUse::License => [ED25519_SPKI.as_slice(), &seal.public].concat(),
        SealUse::LicenseSpring | SealUse::Qlm => seal.public.clone(),
        SealUse::AirGap => [P256_SPKI.as_slice(), &seal.public].concat(),
    };
    let text = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    pem
}

/// The bytes of the public key: an Ed25519 key's 32 and an RSA key's DER in base64url, a P-256 key's x and y in base64 as its clients
/// take them.
#[must_use]
pub fn raw(seal: &Seal) -> String {
    match seal.purpose {
        SealUse::License | SealUse::LicenseSpring | SealUse::Qlm => URL_SAFE_NO_PAD.encode(&seal.public),
        SealUse::AirGap => STANDARD.encode(&seal.public),
    }
}

/// `<RSAKeyValue>` (XML Signature 1.1 §4.4.2), as Quick License Manager's clients carry a key. None for a key of another kind.
#[must_use]
pub fn xml(seal: &Seal) -> Option<String> {
    let members = match seal.purpose {
        SealUse::LicenseSpring | SealUse::Qlm => rsa_members(&seal.public)?,
        SealUse::License | SealUse::AirGap => return None,
    };
    let number = |name: &str| Some(STANDARD.encode(URL_SAFE_NO_PAD.decode(members.get(name)?.as_str()?).ok()?));
    let (modulus, exponent) = (number("n")?, number("e")?);
    Some(format!("<RSAKeyValue><Modulus>{modulus}</Modulus><Exponent>{exponent}</Exponent></RSAKeyValue>"))
}

/// RFC 7638: SHA-256 over the members a key of this kind must have, in alphabetical order. None for bytes that are no key.
#[must_use]
pub fn thumbprint(purpose: SealUse, public: &[u8]) -> Option<String> {
    let mut members = match purpose {
        SealUse::License => okp_members(public),
        SealUse::LicenseSpring | SealUse::Qlm => rsa_members(public)?,
        SealUse::AirGap => p256_members(public)?,
    };
    members.sort_keys();
    let hash = digest::digest(&digest::SHA256, Value::Object(members).to_string().as_bytes());
    Some(URL_SAFE_NO_PAD.encode(hash))
}

/// The RSA keys of a key set, each as `SubjectPublicKeyInfo`. What is no such key is passed over.
#[must_use]
pub fn rsa_keys(jwks: &str) -> Vec<Vec<u8>> {
    let set: Value = serde_json::from_str(jwks).unwrap_or_default();
    let keys = set["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    keys.iter().filter(|key| key["kty"] == "RSA").filter_map(rsa_spki).collect()
}

fn rsa_spki(jwk: &Value) -> Option<Vec<u8>> {
    const RSA: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let number = |name: &str| -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok()?;
        bytes.first()?;
        Some(der_number(&bytes))
    };
    let key = der(0x30, &[number("n")?, number("e")?].concat());
    let spki = der(0x30, &[RSA.as_slice(), &der(0x03, &[&[0], key.as_slice()].concat())].concat());
    rsa::PublicKey::from_der(&spki).ok().map(|_| spki)
}

/// A number from its bytes, most significant first.
pub(super) fn der_number(bytes: &[u8]) -> Vec<u8> {
    let at = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let significant = &bytes[at..];
    // One whose first bit is set would be negative, and zero has a byte too.
    let is_bare = significant.first().is_some_and(|first| first & 0x80 == 0);
    if is_bare { der(0x02, significant) } else { der(0x02, &[&[0], significant].concat()) }
}

/// X.690 §8, as far as keys and signatures need it.
pub(super) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![tag];
    match (length.as_slice(), content.len()) {
        (_, 0) => out.push(0),
        ([short], 1..128) => out.push(*short),
        (long, _) => {
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(content);
    out
}

fn okp_members(public: &[u8]) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("kty".into(), "OKP".into());
    members.insert("crv".into(), "Ed25519".into());
    members.insert("x".into(), URL_SAFE_NO_PAD.encode(public).into());
    members
}

/// RFC 7518 §6.2.
fn p256_members(public: &[u8]) -> Option<Map<String, Value>> {
    let (x, y) = public.split_at_checked(32).filter(|(_, y)| y.len() == 32)?;
    let mut members = Map::new();
    members.insert("kty".into(), "EC".into());
    members.insert("crv".into(), "P-256".into());
    members.insert("x".into(), URL_SAFE_NO_PAD.encode(x).into());
    members.insert("y".into(), URL_SAFE_NO_PAD.encode(y).into());
    Some(members)
}

/// Modulus and exponent, also of a key that is shorter than any made here.
fn rsa_numbers(spki: &[u8]) -> Option<PublicNumbers> {
    let Ok(key) = rsa::PublicKey::from_der(spki) else { return legacy_rsa::public_numbers(spki) };
    let (modulus, exponent) = (key.modulus(), key.exponent());
    Some(PublicNumbers {
        modulus: modulus.big_endian_without_leading_zero().into(),
        exponent: exponent.big_endian_without_leading_zero().into(),
    })
}

fn rsa_members(spki: &[u8]) -> Option<Map<String, Value>> {
    let PublicNumbers { modulus, exponent } = rsa_numbers(spki)?;
    let number = |bytes: &[u8]| Value::from(URL_SAFE_NO_PAD.encode(bytes));
    let mut members = Map::new();
    members.insert("kty".into(), "RSA".into());
    members.insert("n".into(), number(&modulus));
    members.insert("e".into(), number(&exponent));
    Some(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        licensing::{
            ProductCode, ProductId,
            seal::{SealFor, SealProduct, SealState},
        },
        vault::Vault,
    };

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn seals() -> Vec<Seal> {
        let product = |id, code| SealProduct { id: ProductId(id), code: ProductCode::parse(code).unwrap() };
        let (_, rings) = Vault::for_testing(&[product(1, "PRESS"), product(2, "LATHE")], NOW);
        rings.iter().flat_map(|ring| ring.seals().to_vec()).collect()
    }

    fn kids(jwks: &Value) -> Vec<&str> {
        jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect()
    }

    #[test]
    fn the_thumbprint_of_rfc_8037_comes_out() {
        let public = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        let kid = thumbprint(SealUse::License, &public);
        assert_eq!(kid.as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    }

    #[test]
    fn the_thumbprint_of_rfc_7638_comes_out() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64t\
                 Z_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbO\
                 pbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let (n, e) = (URL_SAFE_NO_PAD.decode(n).unwrap(), URL_SAFE_NO_PAD.decode("AQAB").unwrap());
        // RSAPublicKey ::= SEQUENCE { INTEGER n, INTEGER e }, which from_der reads beside the SPKI.
        let der = [&[0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00], n.as_slice(), &[0x02, 0x03], &e].concat();
        let kid = thumbprint(SealUse::LicenseSpring, &der);
        assert_eq!(kid.as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
        assert_eq!(thumbprint(SealUse::LicenseSpring, b"no key"), None);
    }

    #[test]
    fn a_key_set_names_state_product_and_use() {
        let seals = seals();
        let set = jwks(&seals, NOW);
        let keys = set["keys"].as_array().unwrap();
        assert_eq!(keys.len(), seals.len());
        let members = |key: &Value| key.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(members(&keys[0]), "kid kty crv x alg use cs_aud cs_state nbf");
        assert_eq!(keys[0]["cs_aud"], json!(["PRESS"]));
        assert_eq!(keys[0]["cs_state"], "active");
        assert_eq!(keys[1]["cs_state"], "standby");
        assert_eq!(keys[0]["nbf"], NOW.seconds());
        let rsa = keys.iter().find(|key| key["kty"] == "RSA").unwrap();
        assert_eq!(members(rsa), "kid kty n e alg use cs_use cs_state nbf");
        assert_eq!((&rsa["alg"], &rsa["e"]), (&"RS256".into(), &"AQAB".into()));
        assert!(!set.to_string().contains("\"d\""));
    }

    #[test]
    fn an_rsa_key_comes_back_out_of_a_key_set() {
        let seals = seals();
        let rsa = seals.iter().find(|seal| seal.purpose == SealUse::LicenseSpring).unwrap();
        assert_eq!(rsa_keys(&jwks(&seals, NOW).to_string()), std::slice::from_ref(&rsa.public));
        for text in ["", "[]", r#"{"keys":[{"kty":"RSA"}]}"#, r#"{"keys":[{"kty":"RSA","n":"","e":"AQAB"}]}"#] {
            assert!(rsa_keys(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_compromised_key_and_a_retired_one_leave_at_once() {
        let mut seals = seals();
        let (lost, retired, retiring) = (seals[0].kid.clone(), seals[1].kid.clone(), seals[2].kid.clone());
        seals[0].state = SealState::Compromised { at: NOW };
        seals[1].state = SealState::Retired { at: NOW };
        seals[2].state = SealState::Retiring { since: NOW, until: Some(NOW.plus_days(1)) };
        let set = jwks(&seals, NOW);
        assert!(!kids(&set).contains(&lost.as_str()) && !kids(&set).contains(&retired.as_str()));
        let key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == retiring).unwrap();
        assert_eq!(key["exp"], NOW.plus_days(1).seconds());
        // Even where no one has tidied up yet.
        assert!(!kids(&jwks(&seals, NOW.plus_days(1))).contains(&retiring.as_str()));
    }

    #[test]
    fn our_checker_reads_the_set_and_believes_what_the_active_key_signed() {
        use crate::licensing::files::jws::{Jws, Typ, sign_with_kid};
        let product = |id, code| SealProduct { id: ProductId(id), code: ProductCode::parse(code).unwrap() };
        let (vault, rings) = Vault::for_testing(&[product(1, "PRESS"), product(2, "LATHE")], NOW);
        let mut seals: Vec<Seal> = rings.iter().flat_map(|ring| ring.seals().to_vec()).collect();
        let signer = vault.license_signer(ProductId(1)).unwrap();
        let claims = json!({"v": 1}).as_object().unwrap().clone();
        let file = Jws::parse(&sign_with_kid(Typ::License, &claims, &signer).unwrap(), Some(Typ::License)).unwrap();

        let published = TrustedKeys::from_jwks(&jwks(&seals, NOW).to_string()).unwrap();
        assert_eq!(published, trusted_keys(&seals));
        assert_eq!(published.keys().len(), 4);
        let key = published.verify(&file).unwrap();
        assert!(key.may_sign_for(&product(1, "press").code).is_ok());
        assert!(key.may_sign_for(&product(2, "LATHE").code).is_err());

        seals[0].state = SealState::Compromised { at: NOW };
        let published = TrustedKeys::from_jwks(&jwks(&seals, NOW).to_string()).unwrap();
        assert_eq!(published.verify(&file).unwrap_err().code.as_str(), "unknown_signing_key");
        assert_eq!(trusted_keys(&seals).verify(&file).unwrap_err().code.as_str(), "key_compromised");
    }

    #[test]
    fn the_key_pair_of_rfc_8410_is_read_and_printed_as_there() {
        let secret = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        let (vault, _) = Vault::for_testing(&[], NOW);
        let product = SealProduct { id: ProductId(1), code: ProductCode::parse("PRESS").unwrap() };
        let seal = vault.import_seal(SealFor::License(product), secret.as_bytes(), NOW).unwrap();
        assert_eq!(pem(&seal), public);
        assert_eq!(raw(&seal), "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE");
    }

    #[test]
    fn an_rsa_pem_is_the_stored_key_in_short_lines() {
        let seal = seals().into_iter().find(|seal| seal.purpose == SealUse::LicenseSpring).unwrap();
        let pem = pem(&seal);
        assert!(pem.lines().all(|line| line.len() <= 64));
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(STANDARD.decode(body).unwrap(), seal.public);
    }
}
