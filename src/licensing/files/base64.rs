//! The two base64 alphabets files are written in. Ours is base64url without padding, read only in its one canonical spelling.

use alloc::{string::String, vec::Vec};

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

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
    write(bytes, *b"-_")
}

/// Reads base64url without padding. Refuses any other spelling of the same bytes.
pub fn from_url(text: &str) -> Result<Vec<u8>, NotBase64> {
    read(text.as_bytes(), *b"-_")
}

/// Reads base64url of exactly `N` bytes.
#[must_use]
pub fn from_url_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    from_url(text).ok()?.try_into().ok()
}

#[must_use]
pub fn standard(bytes: &[u8]) -> String {
    let mut text = write(bytes, *b"+/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// Reads standard base64, with its padding or without.
pub fn from_standard(text: &str) -> Result<Vec<u8>, NotBase64> {
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    let bytes = read(bare.as_bytes(), *b"+/")?;
    // Padding fills the last four characters, or is left out.
    if padding == 0 || (padding <= 2 && text.len().is_multiple_of(4)) { Ok(bytes) } else { Err(NotBase64::At(bare.len())) }
}

fn write(bytes: &[u8], last: [u8; 2]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            let value = (bits >> (18 - 6 * place) & 63) as usize;
            text.push(char::from(if value < 62 { LETTERS[value] } else { last[value - 62] }));
        }
    }
    text
}

/// Four characters are three bytes; two or three at the end are one or two, and the bits left over must be zero.
fn read(text: &[u8], last: [u8; 2]) -> Result<Vec<u8>, NotBase64> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut held) = (0_u32, 0);
    for (at, letter) in text.iter().enumerate() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            letter if *letter == last[0] => 62,
            letter if *letter == last[1] => 63,
            _ => return Err(NotBase64::At(at)),
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    if held == 6 {
        Err(NotBase64::CutOff)
    } else if bits != 0 {
        Err(NotBase64::At(text.len() - 1))
    } else {
        Ok(bytes)
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

    proptest::proptest! {
        /// The crate everyone uses reads and writes the same, in both alphabets.
        #[test]
        fn the_base64_crate_agrees(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64), text in "[A-Da-d0-1+/_=-]{0,9}") {
            use ::base64::{Engine, alphabet, engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose}};
            proptest::prop_assert_eq!(url(&bytes), general_purpose::URL_SAFE_NO_PAD.encode(&bytes));
            proptest::prop_assert_eq!(standard(&bytes), general_purpose::STANDARD.encode(&bytes));
            proptest::prop_assert_eq!(from_url(&url(&bytes)).unwrap(), bytes.clone());
            proptest::prop_assert_eq!(from_standard(&standard(&bytes)).unwrap(), bytes);
            let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
            let forgiving = GeneralPurpose::new(&alphabet::STANDARD, config);
            proptest::prop_assert_eq!(from_url(&text).ok(), general_purpose::URL_SAFE_NO_PAD.decode(&text).ok());
            // Half a padding is neither with nor without, though the crate lets it pass.
            let half = text.ends_with('=') && !text.len().is_multiple_of(4);
            proptest::prop_assert_eq!(from_standard(&text).ok(), forgiving.decode(&text).ok().filter(|_| !half));
        }
    }
}
