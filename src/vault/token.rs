//! Tokens: 256 bits that open a session or a result page to whoever holds them. Stored only as their hash.

use std::fmt;

use aws_lc_rs::{digest, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::random_bytes;

const LENGTH: usize = 32;

/// A secret of 256 bits, carried as 43 characters of base64url.
#[derive(Clone)]
pub struct Token(Zeroizing<[u8; LENGTH]>);

/// What is stored of a token: its SHA-256. Not secret, but of no interest to a log either.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// Derives tokens from ids: HMAC-SHA-256 under a subkey of the master key.
pub struct TokenKey(hmac::Key);

impl Token {
    #[must_use]
    pub fn random() -> Self {
        Self(Zeroizing::new(random_bytes()))
    }

    /// Reads a token from a cookie or an address. None for anything that can't be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice()).ok()?;
        (length == LENGTH).then_some(Self(bytes))
    }

    /// The text to hand out.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_slice())
    }

    /// What to store, and to look it up by.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, self.0.as_slice()).as_ref());
        TokenHash(hash)
    }
}

impl TokenKey {
    pub(super) fn new(subkey: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, subkey))
    }

    /// The token of an id: the same each time, and a guess for everyone else.
    #[must_use]
    pub fn token(&self, id: i64) -> Token {
        self.token_for(&id.to_be_bytes())
    }

    /// The token of whatever these bytes name.
    #[must_use]
    pub fn token_for(&self, name: &[u8]) -> Token {
        let tag = hmac::sign(&self.0, name);
        let mut bytes = Zeroizing::new([0; LENGTH]);
        bytes.copy_from_slice(tag.as_ref());
        Token(bytes)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::{MasterKey, Purpose};

    #[test]
    fn a_token_reads_back_and_hashes_alike() {
        let token = Token::random();
        assert_eq!(token.text().len(), 43);
        assert_eq!(Token::parse(&token.text()).unwrap().hash(), token.hash());
        assert_ne!(Token::random().text(), token.text());
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        let text = Token::random().text();
        for text in
            ["", "x", &text[1..], &format!("{text}A"), &format!("{text}="), &text.replacen(&text[..1], "+", 1), &"é".repeat(43)]
        {
            assert!(Token::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_token_has_one_spelling() {
        // The last character carries two bits that mean nothing; they must be zero.
        let text = format!("{}B", "A".repeat(42));
        assert!(Token::parse(&text).is_none());
    }

    #[test]
    fn derived_tokens_differ_by_id_purpose_and_installation() {
        let master = MasterKey::for_testing();
        let key = master.token_key(Purpose::ACTIVATION_TOKEN);
        assert_eq!(key.token(7).text(), master.token_key(Purpose::ACTIVATION_TOKEN).token(7).text());
        assert_ne!(key.token(7).text(), key.token(8).text());
        assert_ne!(key.token(7).text(), master.token_key(Purpose::SHARED_KEY).token(7).text());
    }

    #[test]
    fn debug_shows_only_names() {
        let token = Token::random();
        let key = MasterKey::for_testing().token_key(Purpose::ACTIVATION_TOKEN);
        assert_eq!(format!("{token:?} {:?} {key:?}", token.hash()), "Token(…) TokenHash(…) TokenKey(…)");
    }
}
