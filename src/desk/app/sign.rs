//! The RSA signatures of LicenseSpring's clients. They cost milliseconds: one over the same bytes is made once, and never on the
//! threads that answer.

use std::sync::{MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::{
    desk::{Desk, Fault, Signatures},
    vault::{AppSigner, VaultError},
};

type Place = (String, [u8; 32]);

fn place(signer: &AppSigner, message: &[u8]) -> Place {
    (signer.kid().to_owned(), Sha256::digest(message).into())
}

impl Desk {
    /// A signature under the key that signs now: `key`, where it was read with what is signed.
    pub async fn sign_for_apps(&self, key: Option<&str>, message: Vec<u8>) -> Result<String, Fault> {
        let signer = self.signer_for_apps(key).await?;
        self.sign_with(signer, message).await
    }

    pub(in crate::desk) async fn sign_with(&self, signer: AppSigner, message: Vec<u8>) -> Result<String, Fault> {
        let place = place(&signer, &message);
        if let Some(made) = self.signatures().get(&place) {
            return Ok(made.clone());
        }
        let made = self.vault.licensespring_sign_with(signer, message).await?;
        self.signatures().put(place, made.clone());
        Ok(made)
    }

    /// The same with SHA-1, for clients of old.
    pub(in crate::desk) async fn sign_sha1_with(&self, signer: AppSigner, message: Vec<u8>) -> Result<String, Fault> {
        let place = place(&signer, &[b"sha1 ".as_slice(), &message].concat());
        if let Some(made) = self.signatures().get(&place) {
            return Ok(made.clone());
        }
        let made = self.vault.sign_sha1_with(signer, message).await?;
        self.signatures().put(place, made.clone());
        Ok(made)
    }

    /// A text that holds a signature of its own, over `inner`, and the signature over the whole; `finish` makes the text. Both are made
    /// on one thread, one after the other.
    pub async fn sign_twice_for_apps(
        &self,
        key: Option<&str>,
        inner: Vec<u8>,
        finish: impl FnOnce(&str) -> String + Send + 'static,
    ) -> Result<(String, String), Fault> {
        let signer = self.signer_for_apps(key).await?;
        let inner_place = place(&signer, &inner);
        let made = self.signatures().get(&inner_place).cloned();
        if let Some(first) = made {
            let text = finish(&first);
            let signature = self.sign_with(signer, text.clone().into_bytes()).await?;
            return Ok((text, signature));
        }
        let slot = self.vault.rsa_slot().await?;
        let signing = signer.clone();
        let signed = tokio::task::spawn_blocking(move || -> Result<_, VaultError> {
            // Held until the work is done, even if no one waits for it any more.
            let _slot = slot;
            let first = signing.sign(&inner)?;
            let text = finish(&first);
            let second = signing.sign(text.as_bytes())?;
            Ok((first, text, second))
        });
        let (first, text, second) = signed.await.map_err(|_| Fault::Kept("the signing task"))??;
        let mut signatures = self.signatures();
        signatures.put(inner_place, first);
        signatures.put(place(&signer, text.as_bytes()), second.clone());
        Ok((text, second))
    }

    async fn signer_for_apps(&self, key: Option<&str>) -> Result<AppSigner, Fault> {
        match self.vault.licensespring_signer().ok().filter(|signer| key == Some(signer.kid())) {
            Some(signer) => Ok(signer),
            None => self.app_signer().await,
        }
    }

    fn signatures(&self) -> MutexGuard<'_, Signatures> {
        self.signatures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
