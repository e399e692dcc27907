//! The two base64 alphabets files are written in. Ours is base64url without padding, read only in its one canonical spelling.

use alloc::{string::String, vec::Vec};

use ::base64::{
    DecodeError, Engine,
    alphabet::STANDARD,
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD as PADDED, URL_SAFE_NO_PAD},
    },
};

const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(false),
);

/// Why a text is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotBase64 {
    /// The character at this place (from 0) does not belong.
    At(usize),
    /// Whole characters are missing at the end.
    CutOff,
}

#[must_use]
pub fn url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url without padding. Refuses any other spelling of the same bytes.
pub fn from_url(text: &str) -> Result<Vec<u8>, NotBase64> {
    URL_SAFE_NO_PAD.decode(text).map_err(|error| place(error, text.len()))
}

/// Reads base64url of exactly `N` bytes.
#[must_use]
pub fn from_url_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    from_url(text).ok()?.try_into().ok()
}

#[must_use]
pub fn standard(bytes: &[u8]) -> String {
    PADDED.encode(bytes)
}

/// Reads standard base64, with its padding or without.
pub fn from_standard(text: &str) -> Result<Vec<u8>, NotBase64> {
    FORGIVING.decode(text).map_err(|error| place(error, text.len()))
}

fn place(error: DecodeError, length: usize) -> NotBase64 {
    match error {
        DecodeError::InvalidByte(at, _) => NotBase64::At(at),
        DecodeError::InvalidLastSymbol(..) => NotBase64::At(length.saturating_sub(1)),
        DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => NotBase64::CutOff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_of_base64url_is_read() {
        assert_eq!(from_url("AQ").unwrap(), [1]);
        assert_eq!(from_url("AR"), Err(NotBase64::At(1)), "trailing bits");
        assert!(from_url("AQ==").is_err(), "padding");
        assert_eq!(from_url("A+8"), Err(NotBase64::At(1)), "the other alphabet");
        assert_eq!(from_url("AQIDB"), Err(NotBase64::CutOff));
    }

    #[test]
    fn standard_base64_may_lack_its_padding() {
        assert_eq!(from_standard("AQ==").unwrap(), [1]);
        assert_eq!(from_standard("AQ").unwrap(), [1]);
        assert_eq!(from_standard("AQ*="), Err(NotBase64::At(2)));
    }
}
