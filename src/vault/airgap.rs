//! Codes for air-gapped machines (`licensespring-v4.md` §9): keys for one use, the app's signatures by them, and the portal's own.
//! P-256 throughout.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::{AsBigEndian, EcPrivateKeyBin},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA1_ASN1, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{VaultError, public};
use crate::licensing::seal::Seal;

/// Signs confirmation codes with the installation's active key.
#[derive(Clone)]
pub struct AirGapSigner {
    kid: Arc<str>,
    key: Arc<EcdsaKeyPair>,
}

/// A private key for one use, to be typed into an app.
pub struct InitializationCode {
    /// The private scalar in base64: 44 characters.
    pub text: Zeroizing<String>,
    /// The uncompressed point it belongs to: 65 bytes. All that is kept.
    pub point: Vec<u8>,
}

impl InitializationCode {
    pub fn draw() -> Result<Self, VaultError> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| VaultError::Fault)?;
        let scalar: EcPrivateKeyBin<'_> = key.private_key().as_be_bytes().map_err(|_| VaultError::Fault)?;
        Ok(Self { text: Zeroizing::new(STANDARD.encode(scalar.as_ref())), point: key.public_key().as_ref().to_vec() })
    }
}

/// Whether 64 bytes, r and s, are a signature over `message` with SHA-1 by the key of an initialization code. The apps fix the
/// hash; to forge one, a second message for a given hash would have to be found, and that is not what SHA-1 is broken for.
#[must_use]
pub fn made_with(point: &[u8], message: &[u8], signature: &[u8; 64]) -> bool {
    let (r, s) = signature.split_at(32);
    let signature = public::der(0x30, &[public::der_number(r), public::der_number(s)].concat());
    UnparsedPublicKey::new(&ECDSA_P256_SHA1_ASN1, point).verify(message, &signature).is_ok()
}

impl AirGapSigner {
    pub(super) fn read(seal: &Seal, pkcs8: &[u8]) -> Option<Self> {
        let key = read(pkcs8).filter(|key| public_of(key) == Some(&seal.public[..]))?;
        Some(Self { kid: seal.kid.as_str().into(), key: Arc::new(key) })
    }

    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// ECDSA with SHA-256: r and s in base64, 88 characters.
    pub fn sign(&self, message: &[u8]) -> Result<String, VaultError> {
        let signed = self.key.sign(&SystemRandom::new(), message).map_err(|_| VaultError::Fault)?;
        Ok(STANDARD.encode(signed))
    }
}

impl fmt::Debug for AirGapSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AirGapSigner({})", self.kid)
    }
}

impl fmt::Debug for InitializationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InitializationCode(…)")
    }
}

/// A new private key.
pub(super) fn pkcs8() -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    made.map(|der| Zeroizing::new(der.as_ref().to_vec())).map_err(|_| VaultError::Fault)
}

/// x and y of a private key's point: 64 bytes. None for another kind of key.
pub(super) fn public_half(pkcs8: &[u8]) -> Option<Vec<u8>> {
    public_of(&read(pkcs8)?).map(<[u8]>::to_vec)
}

fn read(pkcs8: &[u8]) -> Option<EcdsaKeyPair> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()
}

fn public_of(key: &EcdsaKeyPair) -> Option<&[u8]> {
    key.public_key().as_ref().strip_prefix(&[4]).filter(|point| point.len() == 64)
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::{
        Signature, SigningKey, VerifyingKey,
        signature::{Verifier as _, hazmat::PrehashSigner as _},
    };

    use super::*;
    use crate::{
        licensing::{
            Timestamp,
            seal::{KeyRing, SealFor, SealUse},
        },
        vault::{MasterKey, Vault},
    };

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    /// As an app does it, by another implementation.
    fn app(code: &str, message: &[u8]) -> [u8; 64] {
        let key = SigningKey::from_slice(&STANDARD.decode(code).unwrap()).unwrap();
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, message);
        let signature: Signature = key.sign_prehash(hash.as_ref()).unwrap();
        signature.to_bytes().into()
    }

    #[test]
    fn an_apps_code_is_known_by_its_initialization_code_and_message() {
        for _ in 0..50 {
            let code = InitializationCode::draw().unwrap();
            assert_eq!((code.text.len(), code.point.len()), (44, 65));
            let mut signature = app(&code.text, b"machine-1UFF3-E9GA-VUJQ-GMLK");
            assert!(made_with(&code.point, b"machine-1UFF3-E9GA-VUJQ-GMLK", &signature));
            assert!(!made_with(&code.point, b"machine-2UFF3-E9GA-VUJQ-GMLK", &signature));
            assert!(!made_with(&InitializationCode::draw().unwrap().point, b"machine-1UFF3-E9GA-VUJQ-GMLK", &signature));
            signature[40] ^= 1;
            assert!(!made_with(&code.point, b"machine-1UFF3-E9GA-VUJQ-GMLK", &signature));
        }
    }

    #[test]
    fn nonsense_is_no_signature() {
        let code = InitializationCode::draw().unwrap();
        for bytes in [[0; 64], [0xff; 64], [1; 64]] {
            assert!(!made_with(&code.point, b"message", &bytes));
        }
        assert!(!made_with(&[], b"message", &[1; 64]));
        assert!(!made_with(&[4; 65], b"message", &[1; 64]));
    }

    #[test]
    fn the_published_initialization_code_is_read_and_answers() {
        // A sample of the documentation: its scalar is one that can be used.
        let text = "Q/MWfwp1NWAYARl8Q7KSo5Cg2YKqS2QLlnQ3nEeSBsk=";
        let key = SigningKey::from_slice(&STANDARD.decode(text).unwrap()).unwrap();
        let point = key.verifying_key().to_sec1_point(false);
        assert!(made_with(point.as_bytes(), b"message", &app(text, b"message")));
    }

    #[test]
    fn a_confirmation_is_the_installations_and_survives_a_restart() {
        let vault = Vault::open(MasterKey::for_testing(), &[]).unwrap();
        assert_eq!(vault.airgap_signer().unwrap_err(), VaultError::NoAirGapKey);
        let ring = vault.begin_ring(SealFor::AirGap, NOW).unwrap();
        assert!(ring.standby().is_none());
        vault.reload(ring.seals()).unwrap();
        let again = Vault::open(MasterKey::for_testing(), ring.seals()).unwrap();
        let raw = STANDARD.decode(public::raw(ring.active())).unwrap();
        assert_eq!(raw.len(), 64);
        let key = VerifyingKey::from_sec1_bytes(&[&[4], raw.as_slice()].concat()).unwrap();
        for vault in [&vault, &again] {
            let signer = vault.airgap_signer().unwrap();
            assert_eq!(signer.kid(), ring.active().kid);
            let text = signer.sign(b"machine-1KEY998").unwrap();
            assert_eq!(text.len(), 88);
            let signature = Signature::from_slice(&STANDARD.decode(text).unwrap()).unwrap();
            assert!(key.verify(b"machine-1KEY998", &signature).is_ok());
            assert!(key.verify(b"machine-1KEY999", &signature).is_err());
        }
    }

    #[test]
    fn its_key_is_taken_from_elsewhere_and_serves_no_other_use() {
        let vault = Vault::open(MasterKey::for_testing(), &[]).unwrap();
        let der = pkcs8().unwrap();
        let one = vault.import_seal(SealFor::AirGap, &der, NOW).unwrap();
        assert!(KeyRing::begin(one.clone(), None, NOW).is_ok());
        assert_eq!(vault.import_seal(SealFor::LicenseSpring, &der, NOW).unwrap_err().code(), "seal_not_a_key");
        assert_eq!(vault.import_seal(SealFor::AirGap, &[7; 90], NOW).unwrap_err().code(), "seal_not_a_key");
        let p384 = EcdsaKeyPair::generate_pkcs8(&aws_lc_rs::signature::ECDSA_P384_SHA384_FIXED_SIGNING, &SystemRandom::new());
        assert_eq!(vault.import_seal(SealFor::AirGap, p384.unwrap().as_ref(), NOW).unwrap_err().code(), "seal_not_a_key");
        let mut moved = one;
        moved.purpose = SealUse::LicenseSpring;
        assert_eq!(Vault::open(MasterKey::for_testing(), &[moved]).unwrap_err().code(), "seal_does_not_open");
    }

    #[test]
    fn nothing_secret_is_printed() {
        let code = InitializationCode::draw().unwrap();
        assert_eq!(format!("{code:?}"), "InitializationCode(…)");
    }
}
