//! The vault: private keys are made here, kept encrypted, and signed with; passwords and tokens are hashed here.
//! Nothing leaves it but signatures, public halves, hashes and ciphertext. It never touches the database: rows come in and go
//! out as values, and whoever holds them decides when to write.

pub mod airgap;
pub mod audit;
pub mod cipher;
pub mod id_token;
pub mod keys;
mod legacy_rsa;
pub mod master;
pub mod password;
pub mod public;
pub mod token;

pub use airgap::{AirGapSigner, InitializationCode};
pub use audit::AuditKey;
pub use cipher::{Cipher, CipherError, Purpose, SecretBytes, Subject};
pub use id_token::{IdTokenError, ProviderKeys};
pub use keys::{AppSigner, LicenseSigner, RsaSize, Vault, VaultError, verify_p256, verify_rsa};
pub use legacy_rsa::sha1;
pub use master::{MasterError, MasterKey, MasterSource, Origin};
pub use password::{Password, PasswordError, Passwords};
pub use token::{Token, TokenHash, TokenKey};

/// Random bytes from the operating system's generator.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's generator answers, or the process must not go on");
    bytes
}
