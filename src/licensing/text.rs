//! Names and codes as people and machines write them, each parsed once into a type.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
};
use core::fmt;

use serde::{Deserialize, Serialize};

/// Whether a character hides something from the reader of a page: control, bidi and zero-width formatting characters,
/// line and paragraph separators, and what is left over where a lone surrogate was.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffd}' | '\u{e0000}'..='\u{e007f}')
}

/// Why a text was not taken: which limit it broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("it is empty")]
    Empty,
    #[error("it is too long")]
    TooLong,
    #[error("it contains characters that cannot be seen")]
    HiddenCharacters,
    #[error("it contains a character that is not allowed here")]
    NotAllowed,
}

fn visible(text: &str, max_chars: usize) -> Result<&str, TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    // A character is at most four bytes: cheap to refuse before counting.
    if text.len() > max_chars * 4 || text.chars().count() > max_chars {
        return Err(TextError::TooLong);
    }
    if text.chars().any(is_hidden) {
        return Err(TextError::HiddenCharacters);
    }
    Ok(text)
}

/// A computer id (hardware id): chosen by the app on the machine, compared byte for byte. 1 to 256 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceId(String);

impl DeviceId {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        visible(text.trim_matches([' ', '\t', '\r', '\n']), 256).map(|text| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a refusal may show of someone's machine: its last six characters, at most half of it.
    #[must_use]
    pub fn last_part(&self) -> String {
        let count = self.0.chars().count();
        let shown = 6.min(count.div_ceil(2));
        let tail: String = self.0.chars().skip(count - shown).collect();
        if shown == count { tail } else { alloc::format!("…{tail}") }
    }
}

/// A name a machine gives itself; up to 128 characters. Shown, never trusted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceName(String);

impl DeviceName {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        visible(text.trim(), 128).map(|text| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A product's code: 1 to 64 letters, digits, `-`, `_`, `.`; compared without case.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProductCode(String);

impl ProductCode {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = visible(text.trim(), 64)?;
        if text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError::NotAllowed)
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for ProductCode {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for ProductCode {}

/// A phone number with its country, as services that send short messages take it (E.164): `+` and 7 to 15 digits. None for what is none,
/// and for a number without its country.
#[must_use]
pub fn phone(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '(' | ')' | '/')).collect();
    let digits = text.strip_prefix('+').or_else(|| text.strip_prefix("00"))?;
    let fits = (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| ["+", digits].concat())
}

/// An e-mail address, as far as a form can tell: one `@` with something before it and a domain after. At most 254 characters.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = visible(text.trim(), 254)?;
        let (local, domain) = text.rsplit_once('@').ok_or(TextError::NotAllowed)?;
        let plain = |c: char| !c.is_whitespace() && !matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | ':' | '\\' | '"');
        let domain_ok = !domain.is_empty()
            && !domain.starts_with(['.', '-'])
            && !domain.ends_with(['.', '-'])
            && !domain.contains("..")
            && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
        if local.is_empty() || local.contains('@') || !local.chars().all(plain) || !domain_ok {
            return Err(TextError::NotAllowed);
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two spellings of one mailbox share here: lower case.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Debug for Email {
    /// Addresses never reach a log, not even by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email(…)")
    }
}

/// One line that people write for people: a note, a reason, an order's reference. 1 to `MOST` characters, all of them visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<const MOST: usize>(String);

/// Why something was done, for the history.
pub type Reason = Line<200>;
/// What colleagues should know of a license.
pub type Note = Line<500>;
/// An order, as the shop or the vendor's books call it.
pub type OrderReference = Line<64>;
/// What a customer is called.
pub type CustomerName = Line<128>;

impl<const MOST: usize> Line<MOST> {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        visible(text.trim(), MOST).map(|text| Self(text.to_owned()))
    }
}

impl<const MOST: usize> From<Line<MOST>> for String {
    fn from(line: Line<MOST>) -> Self {
        line.0
    }
}

macro_rules! text_conversions {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, TextError> { Self::parse(&text) }
        }
        impl From<$name> for String {
            fn from(value: $name) -> Self { value.0 }
        }
    )*};
}
text_conversions!(DeviceId, DeviceName, ProductCode, Email);

macro_rules! shown {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0.to_string()) }
        }
    )*};
}
shown!(DeviceId, DeviceName, ProductCode, Email);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}", self.0) }
        }
    )*};
}
ids! {
    /// Ids are given by the database and stay below 2^53, so that every JSON reader keeps them exact.
    ProductId, PolicyId, LicenseId, OrderId, CustomerId, AccountId, ActivationId, FeatureId, UserId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_refused_everywhere() {
        for text in ["a\u{202e}b", "a\u{0}b", "a\u{200b}b", "a\u{2028}b", "a\nb"] {
            assert_eq!(DeviceId::parse(text), Err(TextError::HiddenCharacters), "{text:?}");
            assert_eq!(DeviceName::parse(text), Err(TextError::HiddenCharacters), "{text:?}");
        }
    }

    #[test]
    fn a_line_is_one_visible_line_of_a_certain_length() {
        assert_eq!(Line::<4>::parse("  né 4 ").map(String::from).as_deref(), Ok("né 4"));
        assert_eq!(Line::<4>::parse("12345"), Err(TextError::TooLong));
        assert_eq!(Line::<4>::parse(" \n "), Err(TextError::Empty));
        for text in ["a\nb", "a\u{202e}b", "a\0b", "\u{feff}"] {
            assert_eq!(Line::<9>::parse(text), Err(TextError::HiddenCharacters), "{text:?}");
        }
    }

    #[test]
    fn a_refusal_shows_at_most_half_of_a_computer_id() {
        assert_eq!(DeviceId::parse("press-7-A53F0CBC").unwrap().last_part(), "…3F0CBC");
        assert_eq!(DeviceId::parse("abcd").unwrap().last_part(), "…cd");
        assert_eq!(DeviceId::parse("a").unwrap().last_part(), "a");
    }

    #[test]
    fn product_codes_compare_without_case() {
        assert_eq!(ProductCode::parse("TP").unwrap(), ProductCode::parse("tp").unwrap());
        assert!(ProductCode::parse("press/4").is_err());
    }

    #[test]
    fn addresses_that_could_steer_a_mail_are_refused() {
        for text in ["a", "@b.c", "a@", "a@b@c.d", "a b@c.d", "a@b.c\r\nbcc: x@y.z", "<a@b.c>", "a@-b.c", "a@b..c"] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
        assert!(Email::parse("ann.o'neil+x@press.example").is_ok());
    }

    #[test]
    fn a_phone_number_has_its_country() {
        for text in ["+49 170 1234567", "0049-170-1234567", "+49 (170) 123.4567"] {
            assert_eq!(phone(text).as_deref(), Some("+491701234567"), "{text}");
        }
        for text in ["", "0170 1234567", "+0170 1234567", "+49", "+49 170 12345678901", "+49x1701234567", "+４９1701234567"] {
            assert_eq!(phone(text), None, "{text}");
        }
    }
}
