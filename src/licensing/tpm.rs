//! Keys that a machine keeps in its TPM or secure enclave (LicenseSpring's clients, `licensespring-v4.md` §2.3). One that was enrolled
//! speaks for the machine: no call and no file of it counts without its signature.

use alloc::string::{String, ToString};

use super::files::base64;

/// The `SubjectPublicKeyInfo` of a P-256 key up to its point (RFC 5480): everything but 65 bytes is always the same.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
    0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A public P-256 key: base64 of its `SubjectPublicKeyInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TpmKey(String);

/// A text that is no P-256 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a P-256 public key in base64 of its DER form")]
pub struct NotATpmKey;

impl TpmKey {
    /// Refuses every other kind of key. Whether the point is on its curve is found out when it is first used.
    pub fn parse(text: &str) -> Result<Self, NotATpmKey> {
        let der = base64::from_standard(text.trim()).map_err(|_| NotATpmKey)?;
        let point = der.strip_prefix(&SPKI).ok_or(NotATpmKey)?;
        if point.len() == 65 && point.first() == Some(&4) { Ok(Self(base64::standard(&der))) } else { Err(NotATpmKey) }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The uncompressed point: 65 bytes.
    #[must_use]
    pub fn point(&self) -> alloc::vec::Vec<u8> {
        base64::from_standard(&self.0).ok().and_then(|der| der.strip_prefix(&SPKI).map(<[u8]>::to_vec)).unwrap_or_default()
    }
}

/// Reads `algorithm="ES256",signature="…"`: 64 bytes, r and s. Offline files leave the comma out. None for anything else.
#[must_use]
pub fn read_signature(text: &str) -> Option<[u8; 64]> {
    let of = |name: &str| {
        let (_, rest) = text.split_once(&alloc::format!("{name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_string())
    };
    if !of("algorithm")?.eq_ignore_ascii_case("ES256") {
        return None;
    }
    base64::from_standard(of("signature")?.trim()).ok()?.try_into().ok()
}

/// Why a machine is not believed to be itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TpmRefusal {
    #[error("tpm_signature_required")]
    SignatureRequired,
    #[error("tpm_signature_invalid")]
    SignatureInvalid,
    /// Another key speaks for this machine. Staff can set it free.
    #[error("tpm_key_differs")]
    OtherKey,
}

/// May whoever asks speak for the machine? `holds` is asked whether the signature shown is of a key; none was shown where it says so.
/// Returns the key that speaks for the machine from now on.
pub fn speaks(
    enrolled: Option<&TpmKey>,
    enrolls: Option<TpmKey>,
    holds: impl Fn(&TpmKey) -> Option<bool>,
) -> Result<Option<TpmKey>, TpmRefusal> {
    let Some(key) = enrolled.or(enrolls.as_ref()) else { return Ok(None) };
    if enrolls.as_ref().is_some_and(|enrolls| enrolls != key) {
        return Err(TpmRefusal::OtherKey);
    }
    match holds(key) {
        Some(true) => Ok(Some(key.clone())),
        Some(false) => Err(TpmRefusal::SignatureInvalid),
        None => Err(TpmRefusal::SignatureRequired),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec::Vec};

    fn key(first: u8) -> TpmKey {
        let mut der = SPKI.to_vec();
        der.push(4);
        der.extend([first; 64]);
        TpmKey::parse(&base64::standard(&der)).unwrap()
    }

    #[test]
    fn a_key_is_of_one_kind_alone() {
        let der = base64::from_standard(key(7).text()).unwrap();
        assert_eq!(key(7).point().len(), 65);
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut der = der.clone();
            change(&mut der);
            TpmKey::parse(&base64::standard(&der))
        };
        assert!(with(&|_| {}).is_ok());
        for wrong in [
            with(&|der| der.push(0)),
            with(&|der| der.truncate(90)),
            with(&|der| der[26] = 2),
            // P-384's curve.
            with(&|der| der[22] = 0x22),
        ] {
            assert_eq!(wrong, Err(NotATpmKey));
        }
        assert_eq!(TpmKey::parse("not base64!"), Err(NotATpmKey));
    }

    #[test]
    fn a_signature_is_read_with_its_comma_and_without() {
        let raw = base64::standard(&[9; 64]);
        for text in [
            format!("algorithm=\"ES256\",signature=\"{raw}\""),
            format!("algorithm=\"ES256\", signature=\"{raw}\""),
            format!("algorithm=\"ES256\"signature=\"{raw}\""),
            format!("signature=\"{raw}\",algorithm=\"es256\""),
        ] {
            assert_eq!(read_signature(&text), Some([9; 64]), "{text}");
        }
        let short = base64::standard(&[9; 63]);
        for text in [
            String::new(),
            raw.clone(),
            format!("signature=\"{raw}\""),
            format!("algorithm=\"HS256\",signature=\"{raw}\""),
            format!("algorithm=\"ES256\",signature=\"{short}\""),
            format!("algorithm=\"ES256\",signature=\"{raw}"),
        ] {
            assert_eq!(read_signature(&text), None, "{text}");
        }
    }

    #[test]
    fn a_key_that_was_enrolled_speaks_for_its_machine_and_no_other_does() {
        let (one, two) = (key(1), key(2));
        let by = |signer: u8| move |asked: &TpmKey| Some(*asked == key(signer));
        let none = |_: &TpmKey| None;
        assert_eq!(speaks(None, None, none), Ok(None));
        assert_eq!(speaks(None, Some(one.clone()), by(1)), Ok(Some(one.clone())));
        // Whoever enrols a key shows that they have it.
        assert_eq!(speaks(None, Some(one.clone()), none), Err(TpmRefusal::SignatureRequired));
        assert_eq!(speaks(None, Some(one.clone()), by(2)), Err(TpmRefusal::SignatureInvalid));
        assert_eq!(speaks(Some(&one), None, by(1)), Ok(Some(one.clone())));
        assert_eq!(speaks(Some(&one), None, none), Err(TpmRefusal::SignatureRequired));
        assert_eq!(speaks(Some(&one), None, by(2)), Err(TpmRefusal::SignatureInvalid));
        assert_eq!(speaks(Some(&one), Some(one.clone()), by(1)), Ok(Some(one.clone())));
        assert_eq!(speaks(Some(&one), Some(two), by(2)), Err(TpmRefusal::OtherKey));
    }
}
