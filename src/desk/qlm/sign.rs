//! The signature of a document: RSA under the product's own key, made where none is there yet. The same bytes are signed once: a document
//! holds the time to the minute, so that a license that is asked for again and again costs one signature a minute.

use aws_lc_rs::digest;

use crate::{
    desk::{Desk, Fault},
    licensing::{
        ProductId,
        files::base64,
        qlm::document::SignatureAlgorithm,
        seal::{SealFor, SealProduct},
    },
    vault::{AppSigner, sha1},
};

impl Desk {
    pub(super) async fn sign_document(&self, product: ProductId, canonical: String) -> Result<String, Fault> {
        let signer = self.document_signer(product).await?;
        if signer.is_imported() && self.checks_sha1(product).await? {
            let (algorithm, digest) = (SignatureAlgorithm::RsaSha1, sha1(canonical.as_bytes()));
            let signature = self.sign_sha1_with(signer, algorithm.signed_info(&digest).into_bytes()).await?;
            return Ok(algorithm.signed(&canonical, &digest, &signature));
        }
        let algorithm = SignatureAlgorithm::RsaSha256;
        let digest = base64::standard(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let signature = self.sign_with(signer, algorithm.signed_info(&digest).into_bytes()).await?;
        Ok(algorithm.signed(&canonical, &digest, &signature))
    }

    /// Whether a product's apps know no better hash.
    async fn checks_sha1(&self, product: ProductId) -> Result<bool, Fault> {
        let products = self.read().await?.products().await?;
        Ok(products.into_iter().any(|one| one.id == product && one.rules.legacy_clients))
    }

    async fn document_signer(&self, product: ProductId) -> Result<AppSigner, Fault> {
        if let Some(signer) = self.vault.document_signer(product) {
            return Ok(signer);
        }
        let code = self.read().await?.products().await?.into_iter().find(|one| one.id == product).map(|one| one.code);
        let code = code.ok_or(Fault::Kept("the product of a document"))?;
        let ring = SealFor::Qlm(SealProduct { id: product, code });
        self.ready_ring(&ring).await.map_err(|_| Fault::Kept("the key of a product’s documents"))?;
        // Another process may have made it.
        self.reload_seals().await.map_err(|_| Fault::Kept("the signing keys"))?;
        self.vault.document_signer(product).ok_or(Fault::Kept("the key of a product’s documents"))
    }
}
