//! What can be wrong with a file. One closed list of codes; the sentences are in `words`.

use alloc::{
    borrow::ToOwned,
    boxed::Box,
    string::{String, ToString},
};
use core::fmt;

use super::words;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal),* $(,)?) => {
        /// Why a file was not taken, or what is worth knowing about it. The text of a code never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $name),* }

        impl Code {
            /// Every code, in the order a checker finds them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

codes! {
    TooLarge = "too_large",
    Empty = "empty",
    Utf16Text = "utf16_text",
    ZipArchive = "zip_archive",
    PdfDocument = "pdf_document",
    HtmlPage = "html_page",
    Binary = "binary",
    Truncated = "truncated",
    NotBase64 = "not_base64",
    TooDeep = "too_deep",
    NotJson = "not_json",
    DuplicateMember = "duplicate_member",
    UnknownFormat = "unknown_format",
    WrongKind = "wrong_kind",
    UnexpectedHeader = "unexpected_header",
    UnsupportedAlgorithm = "unsupported_algorithm",
    PrivateKeyInFile = "private_key_in_file",
    UnknownSigningKey = "unknown_signing_key",
    KeyCompromised = "key_compromised",
    WrongProductKey = "wrong_product_key",
    BadSignature = "bad_signature",
    UnsupportedVersion = "unsupported_version",
    ClaimTooLong = "claim_too_long",
    HiddenCharacters = "hidden_characters",
    WrongProduct = "wrong_product",
    BadKeyChecksum = "bad_key_checksum",
    DeviceIdMissing = "device_id_missing",
    OtherDevice = "other_device",
    /// The license is bound to another device key than the one that signed the request, or to none.
    NotThisDevice = "not_this_device",
    OtherRequest = "other_request",
    Expired = "expired",
    /// The license begins later (`nbf`).
    NotStarted = "not_started",
    ClockOff = "clock_off",
    ClockBack = "clock_back",
    Stale = "stale",
    HmacUnchecked = "hmac_unchecked",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a sentence needs beside its code. Never holds a key, a password or an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Where in the file, in characters counted from 1; the number of characters for a file cut off; bytes for one too large.
    pub position: Option<u64>,
    /// A number of seconds or days, by code.
    pub amount: Option<i64>,
    /// The claim, member or group spoken of.
    pub name: Option<String>,
    pub found: Option<String>,
    pub expected: Option<String>,
}

/// A refusal of a file: its code, and what its sentence needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    /// Boxed: results carry problems through every reader, and a pointer keeps those small, in the browser above all.
    pub details: Box<Details>,
}

impl Problem {
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, details: Box::default() }
    }

    #[must_use]
    pub fn at(mut self, position: usize) -> Self {
        self.details.position = Some(position as u64);
        self
    }

    #[must_use]
    pub fn amount(mut self, amount: i64) -> Self {
        self.details.amount = Some(amount);
        self
    }

    /// Names the claim or member. What came from the file is cut to a length that fits a sentence, and shows nothing hidden.
    #[must_use]
    pub fn naming(mut self, name: &str) -> Self {
        self.details.name = Some(tame(name));
        self
    }

    #[must_use]
    pub fn found(mut self, found: &str) -> Self {
        self.details.found = Some(tame(found));
        self
    }

    #[must_use]
    pub fn expected(mut self, expected: &str) -> Self {
        self.details.expected = Some(tame(expected));
        self
    }

    /// The stable text of the code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code.as_str()
    }

    /// What happened, and what to do next.
    #[must_use]
    pub fn sentence(&self) -> words::Sentence {
        words::sentence(self.code, &self.details)
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence().to_string())
    }
}

impl core::error::Error for Problem {}

fn tame(text: &str) -> String {
    const SHOWN: usize = 48;
    let mut shown: String =
        text.chars().take(SHOWN).map(|c| if crate::licensing::text::is_hidden(c) { '·' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    if shown.is_empty() { "\"\"".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn codes_are_distinct_snake_case() {
        let texts: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        assert!(texts.iter().all(|text| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')));
    }

    #[test]
    fn what_came_from_a_file_cannot_hide_in_a_sentence() {
        let problem = Problem::new(Code::UnexpectedHeader).naming(&alloc::format!("a\u{202e}b{}", "x".repeat(200)));
        let name = problem.details.name.unwrap();
        assert!(name.starts_with("a·b") && name.chars().count() == 49);
    }
}
