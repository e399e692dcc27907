//! Secrets at rest: AES-256-GCM under a subkey of the master key, bound to what they are and whose they are, so that a row
//! moved to another product, key or column does not open.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use super::{MasterKey, Vault};
use crate::licensing::ProductId;

/// Version 1: this byte, 12 bytes of nonce, the ciphertext, 16 bytes of tag.
const VERSION: u8 = 1;

/// What a secret is for. Each purpose has its own subkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Purpose(&'static str);

/// Whose secret it is: part of what is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    product: Option<ProductId>,
    name: &'a str,
}

/// Encrypts and opens the secrets of one purpose.
pub struct Cipher {
    key: RandomizedNonceKey,
    purpose: Purpose,
}

/// Secret bytes: wiped when dropped, never printed.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

/// Why stored bytes did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    #[error("the stored secret is in a form this version does not know")]
    UnknownVersion,
    #[error("the stored secret does not open: it was altered or moved, or the master key is another")]
    DoesNotOpen,
}

impl Purpose {
    pub const MASTER_CHECK: Self = Self::new("master-check");
    pub const LICENSE_SEAL: Self = Self::new("seal/license");
    pub const LICENSESPRING_SEAL: Self = Self::new("seal/licensespring");
    pub const AIRGAP_SEAL: Self = Self::new("seal/airgap");
    pub const QLM_SEAL: Self = Self::new("seal/qlm");
    /// The keys that shops sign with, of extensions.
    pub const EXTENSION_KEY: Self = Self::new("extension-key");
    /// What is kept of the passwords of extensions.
    pub const EXTENSION_PASSWORD: Self = Self::new("extension-password");
    /// The shared keys of LicenseSpring API keys.
    pub const SHARED_KEY: Self = Self::new("shared-key");
    /// The secrets of OAuth clients.
    pub const CLIENT_SECRET: Self = Self::new("client-secret");
    /// What OAuth clients show after they showed their secret.
    pub const CLIENT_TOKEN: Self = Self::new("client-token");
    /// What this installation is called by with the sign-in providers of customer accounts.
    pub const SSO_SECRET: Self = Self::new("sso-secret");
    /// What a sign-in begins with.
    pub const SSO_NONCE: Self = Self::new("sso-nonce");
    /// Passwords among the settings.
    pub const SETTING: Self = Self::new("setting");
    /// The texts of mail and short messages.
    pub const MESSAGE: Self = Self::new("message");
    /// What is kept of codes that were sent by mail.
    pub const AUTHORIZATION_CODE: Self = Self::new("authorization-code");
    /// What shops told.
    pub const SHOP_EVENT: Self = Self::new("shop-event");
    /// Links in mail, by which a recipient agrees to something.
    pub const MAIL_LINK: Self = Self::new("mail-link");
    /// Result pages of `/activations/{token}`.
    pub const ACTIVATION_TOKEN: Self = Self::new("activation-token");

    /// `name` is part of what is derived and must never change.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    #[must_use]
    pub const fn text(self) -> &'static str {
        self.0
    }
}

impl<'a> Subject<'a> {
    /// A secret of a product, told apart from its others by `name` (a `kid`, an id).
    #[must_use]
    pub const fn of_product(product: ProductId, name: &'a str) -> Self {
        Self { product: Some(product), name }
    }

    /// A secret of the installation.
    #[must_use]
    pub const fn named(name: &'a str) -> Self {
        Self { product: None, name }
    }

    /// The only secret of its purpose.
    #[must_use]
    pub const fn none() -> Self {
        Self::named("")
    }
}

impl Cipher {
    pub(super) fn new(subkey: &[u8; 32], purpose: Purpose) -> Self {
        let key = RandomizedNonceKey::new(&AES_256_GCM, subkey).expect("the key is as long as AES-256 wants it");
        Self { key, purpose }
    }

    /// Encrypts under a fresh random nonce.
    #[must_use]
    pub fn seal_bytes(&self, subject: Subject<'_>, bytes: &[u8]) -> Vec<u8> {
        // Encrypted in place with room for the tag, so that no copy of the plain bytes is left behind.
        let mut sealed = Vec::with_capacity(bytes.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(bytes);
        let nonce = self.key.seal_in_place_append_tag(Aad::from(self.authenticated(subject)), &mut sealed);
        let nonce = nonce.expect("the bytes are far shorter than AES-GCM's limit");
        let mut blob = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        blob.push(VERSION);
        blob.extend_from_slice(nonce.as_ref());
        blob.append(&mut sealed);
        blob
    }

    /// Opens what `seal_bytes` made for the same purpose and subject. Refuses anything else.
    pub fn open_bytes(&self, subject: Subject<'_>, blob: &[u8]) -> Result<SecretBytes, CipherError> {
        let (version, rest) = blob.split_first().ok_or(CipherError::DoesNotOpen)?;
        if *version != VERSION {
            return Err(CipherError::UnknownVersion);
        }
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or(CipherError::DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CipherError::DoesNotOpen)?;
        let mut bytes = Zeroizing::new(sealed.to_vec());
        let opened = self.key.open_in_place(nonce, Aad::from(self.authenticated(subject)), &mut bytes);
        let length = opened.map_err(|_| CipherError::DoesNotOpen)?.len();
        bytes.truncate(length);
        Ok(SecretBytes(bytes))
    }

    /// Purpose, product and name, each with its length before it, so that no two differ only in where one ends.
    fn authenticated(&self, subject: Subject<'_>) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        let product = subject.product.map(|product| product.0.to_be_bytes());
        let parts = [self.purpose.0.as_bytes(), product.as_ref().map_or(&[], |id| id.as_slice()), subject.name.as_bytes()];
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

impl MasterKey {
    /// Encrypts one secret for storage.
    #[must_use]
    pub fn encrypt_secret(&self, purpose: Purpose, subject: Subject<'_>, bytes: &[u8]) -> Vec<u8> {
        self.cipher(purpose).seal_bytes(subject, bytes)
    }

    /// Opens one stored secret. Refuses one of another purpose or subject.
    pub fn decrypt_secret(&self, purpose: Purpose, subject: Subject<'_>, blob: &[u8]) -> Result<SecretBytes, CipherError> {
        self.cipher(purpose).open_bytes(subject, blob)
    }
}

impl Vault {
    /// See [`MasterKey::encrypt_secret`].
    #[must_use]
    pub fn encrypt_secret(&self, purpose: Purpose, subject: Subject<'_>, bytes: &[u8]) -> Vec<u8> {
        self.master().encrypt_secret(purpose, subject, bytes)
    }

    /// See [`MasterKey::decrypt_secret`].
    pub fn decrypt_secret(&self, purpose: Purpose, subject: Subject<'_>, blob: &[u8]) -> Result<SecretBytes, CipherError> {
        self.master().decrypt_secret(purpose, subject, blob)
    }
}

impl SecretBytes {
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(…)")
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"shared key of an app";

    fn opens(purpose: Purpose, subject: Subject<'_>, blob: &[u8]) -> bool {
        MasterKey::for_testing().decrypt_secret(purpose, subject, blob).is_ok_and(|bytes| bytes.as_slice() == PLAIN)
    }

    #[test]
    fn a_secret_opens_only_where_it_belongs() {
        let (one, other) = (ProductId(1), ProductId(2));
        let home = Subject::of_product(one, "kid");
        let blob = MasterKey::for_testing().encrypt_secret(Purpose::SHARED_KEY, home, PLAIN);
        assert!(opens(Purpose::SHARED_KEY, home, &blob));
        assert!(!opens(Purpose::LICENSE_SEAL, home, &blob));
        for subject in
            [Subject::of_product(other, "kid"), Subject::of_product(one, "kie"), Subject::named("kid"), Subject::none()]
        {
            assert!(!opens(Purpose::SHARED_KEY, subject, &blob), "{subject:?}");
        }
    }

    #[test]
    fn bytes_cannot_slide_from_one_part_of_the_subject_into_the_next() {
        let product = ProductId(i64::from_be_bytes(*b"abcdefgh"));
        let blob = MasterKey::for_testing().encrypt_secret(Purpose::SHARED_KEY, Subject::of_product(product, "kid"), PLAIN);
        assert!(!opens(Purpose::SHARED_KEY, Subject::named("abcdefghkid"), &blob));
        assert!(!opens(Purpose::new("shared-keyabcdefgh"), Subject::named("kid"), &blob));
    }

    #[test]
    fn a_flipped_bit_anywhere_does_not_open() {
        let blob = MasterKey::for_testing().encrypt_secret(Purpose::SHARED_KEY, Subject::none(), PLAIN);
        for at in 0..blob.len() {
            let mut broken = blob.clone();
            broken[at] ^= 1;
            assert!(!opens(Purpose::SHARED_KEY, Subject::none(), &broken), "byte {at}");
        }
        for length in 0..blob.len() {
            assert!(!opens(Purpose::SHARED_KEY, Subject::none(), &blob[..length]), "{length} bytes");
        }
    }

    #[test]
    fn the_subkey_alone_keeps_purposes_apart() {
        // The same authenticated bytes under another subkey: only the derivation differs.
        let master = MasterKey::for_testing();
        let honest = master.cipher(Purpose::SHARED_KEY);
        let crossed = Cipher { purpose: Purpose::SHARED_KEY, ..master.cipher(Purpose::LICENSE_SEAL) };
        assert!(crossed.open_bytes(Subject::none(), &honest.seal_bytes(Subject::none(), PLAIN)).is_err());
    }

    #[test]
    fn the_same_secret_is_never_stored_alike_twice() {
        let seal = || MasterKey::for_testing().encrypt_secret(Purpose::SHARED_KEY, Subject::none(), PLAIN);
        let (one, two) = (seal(), seal());
        assert_ne!(one[1..13], two[1..13]);
        assert_ne!(one[13..], two[13..]);
        assert!(!one.windows(6).any(|part| PLAIN.windows(6).any(|plain| plain == part)));
    }

    #[test]
    fn an_unknown_version_is_named() {
        let result = MasterKey::for_testing().decrypt_secret(Purpose::SHARED_KEY, Subject::none(), &[9; 64]);
        assert_eq!(result.map(|_| ()), Err(CipherError::UnknownVersion));
    }

    #[test]
    fn debug_shows_only_names() {
        let cipher = MasterKey::for_testing().cipher(Purpose::SHARED_KEY);
        let bytes = cipher.open_bytes(Subject::none(), &cipher.seal_bytes(Subject::none(), PLAIN)).unwrap();
        assert_eq!(format!("{cipher:?} {bytes:?}"), "Cipher(…) SecretBytes(…)");
    }
}
