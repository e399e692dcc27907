//! Reading a file for whoever has it: what it says, and whether it is genuine. Nothing is kept.

use super::{Desk, Fault};
use crate::{
    licensing::{
        ProductCode,
        files::{
            Asked,
            check::{Context, Report, inspect},
        },
        product::ProductState,
        seal::SealUse,
    },
    vault::{Purpose, Subject, public, verify_rsa},
};

/// What the browser needs to check files by itself: all of it public.
#[derive(Clone, Debug)]
pub struct Checking {
    pub products: Vec<(String, String)>,
    pub jwks: serde_json::Value,
    /// The RSA keys of LicenseSpring's files, PEM.
    pub licensespring: Vec<String>,
}

impl Desk {
    /// Reads and checks any file with everything this portal knows.
    pub async fn inspect(&self, bytes: &[u8]) -> Result<Report, Fault> {
        let mut conn = self.read().await?;
        let seals = conn.seals().await?;
        let keys = public::trusted_keys(&seals);
        let products: Vec<ProductCode> = conn.products().await?.into_iter().map(|product| product.code).collect();
        let shared = match Asked::read(bytes) {
            Ok(Asked::LicenseSpring(request)) => match conn.api_key(request.caller.id()).await? {
                Some(row) => Some((
                    row.api_key.clone(),
                    self.vault
                        .decrypt_secret(Purpose::SHARED_KEY, Subject::named(&row.api_key), &row.shared_key)?
                        .as_slice()
                        .to_vec(),
                )),
                None => None,
            },
            _ => None,
        };
        let shared_key = |api_key: &str| shared.as_ref().filter(|(known, _)| known == api_key).map(|(_, key)| key.clone());
        let context = Context {
            keys: Some(&keys),
            products: Some(&products),
            shared_key: Some(&shared_key),
            now: Some(self.now()),
            ..Context::default()
        };
        let mut report = inspect(bytes, &context);
        let rsa: Vec<&[u8]> =
            seals.iter().filter(|seal| seal.purpose == SealUse::LicenseSpring).map(|seal| seal.public.as_slice()).collect();
        for check in report.rsa.clone() {
            let holds = |text: &Vec<u8>| rsa.iter().any(|public| verify_rsa(public, text, &check.signature));
            report.rsa_checked(check.name, check.any_of.iter().any(holds));
        }
        Ok(report)
    }

    /// What a browser needs to check files before they are sent and after they come back.
    pub async fn checking(&self) -> Result<Checking, Fault> {
        let mut conn = self.read().await?;
        let seals = conn.seals().await?;
        let products = conn.products().await?.into_iter().filter(|product| product.state == ProductState::Enabled);
        let products = products.map(|product| (product.code.to_string(), product.name)).collect();
        let published = |purpose| seals.iter().filter(move |seal| seal.purpose == purpose && seal.is_published(self.now()));
        Ok(Checking {
            products,
            jwks: public::jwks(&published(SealUse::License).cloned().collect::<Vec<_>>(), self.now()),
            licensespring: published(SealUse::LicenseSpring).map(public::pem).collect(),
        })
    }
}
