//! The key that signs checkpoints over the audit log. It is derived from the master key: whoever has the database alone can
//! rewrite the log, and cannot sign what came of it.

use aws_lc_rs::digest;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::{Purpose, Vault, public};
use crate::licensing::{Timestamp, seal::SealUse};

/// Signs checkpoints, and tells whether it signed one.
pub struct AuditKey(SigningKey);

impl Vault {
    #[must_use]
    pub fn audit_key(&self) -> AuditKey {
        AuditKey(SigningKey::from_bytes(&self.master().subkey("sign", Purpose::new("audit-checkpoint"))))
    }
}

impl AuditKey {
    /// RFC 7638 thumbprint of the public half.
    #[must_use]
    pub fn kid(&self) -> String {
        public::thumbprint(SealUse::License, self.public().as_bytes()).unwrap_or_default()
    }

    #[must_use]
    pub fn public(&self) -> VerifyingKey {
        self.0.verifying_key()
    }

    /// Signs that the heads of all chains had this hash when `last_entry` was the newest entry.
    #[must_use]
    pub fn sign(&self, at: Timestamp, last_entry: i64, heads: &[u8]) -> Vec<u8> {
        self.0.sign(&message(at, last_entry, heads)).to_bytes().to_vec()
    }

    #[must_use]
    pub fn signed(&self, at: Timestamp, last_entry: i64, heads: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else { return false };
        self.public().verify_strict(&message(at, last_entry, heads), &signature).is_ok()
    }
}

fn message(at: Timestamp, last_entry: i64, heads: &[u8]) -> Vec<u8> {
    let heads = digest::digest(&digest::SHA256, heads);
    [b"countersign/audit-checkpoint/1".as_slice(), &at.millis().to_be_bytes(), &last_entry.to_be_bytes(), heads.as_ref()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::MasterKey;

    const AT: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn key(master: MasterKey) -> AuditKey {
        Vault::open(master, &[]).unwrap().audit_key()
    }

    #[test]
    fn a_checkpoint_is_signed_for_its_moment_entry_and_heads_alone() {
        let key = key(MasterKey::for_testing());
        let signature = key.sign(AT, 7, b"heads");
        assert!(key.signed(AT, 7, b"heads", &signature));
        assert!(!key.signed(AT.plus_millis(1), 7, b"heads", &signature));
        assert!(!key.signed(AT, 8, b"heads", &signature));
        assert!(!key.signed(AT, 7, b"other", &signature));
        assert!(!key.signed(AT, 7, b"heads", &signature[1..]));
        let mut altered = signature;
        altered[40] ^= 1;
        assert!(!key.signed(AT, 7, b"heads", &altered));
    }

    #[test]
    fn another_master_key_signs_with_another_key() {
        let folder = tempfile::tempdir().unwrap();
        let source = crate::vault::MasterSource { value: None, file: folder.path().join("master.key") };
        let (other, _) = MasterKey::load_or_make(&source, true).unwrap();
        let (mine, other) = (key(MasterKey::for_testing()), key(other));
        assert_ne!(mine.kid(), other.kid());
        assert!(!other.signed(AT, 7, b"heads", &mine.sign(AT, 7, b"heads")));
    }
}
