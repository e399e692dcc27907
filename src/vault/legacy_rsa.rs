//! RSA as clients of old check it: keys of less than 2048 bits, and SHA-1. aws-lc, which makes every other signature, does neither. Such keys
//! are never made here; a vendor brings them along from the server that was there before.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use rsa::{
    BoxedUint, Pkcs1v15Sign, PrivateKey, PublicKey,
    pkcs1::DecodeRsaPrivateKey as _,
    pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _},
    traits::PublicKeyParts as _,
};
use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

/// The shortest key there is, in bits.
const LEAST_BITS: usize = 1_024;
/// The longest, which a signature takes seconds with.
const MOST_BITS: usize = 8_192;

/// A key as a vendor brings it along.
pub(super) struct LegacyKey(PrivateKey);

impl LegacyKey {
    /// Reads PKCS#8. None for anything else, and for keys that are too short or too long.
    pub(super) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        PrivateKey::from_pkcs8_der(der).ok().and_then(Self::checked)
    }

    /// Reads what other systems keep: PKCS#1 as PEM, or .NET's `RSAKeyValue` with its private members.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.starts_with("-----BEGIN RSA PRIVATE KEY-----") {
            return PrivateKey::from_pkcs1_pem(text).ok().and_then(Self::checked);
        }
        let document = roxmltree::Document::parse(text).ok()?;
        let root = document.root_element();
        if root.tag_name().name() != "RSAKeyValue" {
            return None;
        }
        let number = |name: &str| -> Option<BoxedUint> {
            let member = root.children().find(|child| child.tag_name().name() == name)?;
            let plain: Zeroizing<String> = Zeroizing::new(member.text()?.split_ascii_whitespace().collect());
            let bytes = Zeroizing::new(STANDARD.decode(plain.as_bytes()).ok()?);
            let bits = u32::try_from(bytes.len()).ok()?.checked_mul(8)?;
            (bytes.len() <= MOST_BITS / 8).then(|| BoxedUint::from_be_slice(&bytes, bits).ok()).flatten()
        };
        let key = PrivateKey::from_p_q(number("P")?, number("Q")?, number("Exponent")?).ok()?;
        // The halves must be of one key.
        let modulus = number("Modulus")?;
        let same = key.n_bytes() == modulus.to_be_bytes_trimmed_vartime();
        same.then_some(key).and_then(Self::checked)
    }

    fn checked(key: PrivateKey) -> Option<Self> {
        (LEAST_BITS..=MOST_BITS).contains(&bits(&key.n_bytes())).then_some(Self(key))
    }

    /// PKCS#8, as it is kept.
    pub(super) fn pkcs8(&self) -> Option<Zeroizing<Vec<u8>>> {
        Some(Zeroizing::new(self.0.to_pkcs8_der().ok()?.as_bytes().to_vec()))
    }

    /// Its public half, as `SubjectPublicKeyInfo` in DER.
    pub(super) fn spki(&self) -> Option<Vec<u8>> {
        Some(self.0.to_public_key().to_public_key_der().ok()?.as_bytes().to_vec())
    }

    /// RSASSA-PKCS1-v1_5 with SHA-1, in base64.
    pub(super) fn sign_sha1(&self, message: &[u8]) -> Option<String> {
        let signed = self.0.sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(message)).ok()?;
        Some(STANDARD.encode(signed))
    }

    /// The same with SHA-256.
    pub(super) fn sign_sha256(&self, message: &[u8]) -> Option<String> {
        let signed = self.0.sign(Pkcs1v15Sign::new::<rsa::sha2::Sha256>(), &rsa::sha2::Sha256::digest(message)).ok()?;
        Some(STANDARD.encode(signed))
    }
}

impl fmt::Debug for LegacyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LegacyKey(…)")
    }
}

/// A public half, its numbers with the most significant byte first.
pub(super) struct PublicNumbers {
    pub modulus: Box<[u8]>,
    pub exponent: Box<[u8]>,
}

/// The numbers of a public half of any length from 1024 bits.
pub(super) fn public_numbers(spki: &[u8]) -> Option<PublicNumbers> {
    let key = PublicKey::from_public_key_der(spki).ok()?;
    Some(PublicNumbers { modulus: key.n_bytes(), exponent: key.e_bytes() })
}

/// How long a number is.
pub(super) fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

/// The SHA-1 of a document, in base64.
#[must_use]
pub fn sha1(bytes: &[u8]) -> String {
    STANDARD.encode(Sha1::digest(bytes))
}
