//! Reading a file for whoever has it: what it says, and whether it is genuine. Nothing is kept.

use super::{Desk, Fault};
use crate::{
    licensing::{
        DeviceId, ProductCode, Timestamp,
        files::{
            Asked, Problem, TrustedKeys,
            check::{Context, Report, inspect},
        },
        seal::{Seal, SealState, SealUse},
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

/// What whoever asks knows beside the data, or instead of it.
#[derive(Default)]
pub struct Given {
    pub product: Option<ProductCode>,
    pub device: Option<DeviceId>,
    /// Keys to believe in place of the portal's own.
    pub keys: Option<GivenKeys>,
    /// A shared key, for apps whose own is not known here.
    pub shared_key: Option<Vec<u8>>,
}

/// Public keys from a key set.
pub struct GivenKeys {
    pub ours: TrustedKeys,
    /// The RSA keys of LicenseSpring's files, as `SubjectPublicKeyInfo`.
    pub licensespring: Vec<Vec<u8>>,
}

impl GivenKeys {
    /// Reads a JWKS. Refuses what is none.
    pub fn from_jwks(text: &str) -> Result<Self, Problem> {
        Ok(Self { ours: TrustedKeys::from_jwks(text)?, licensespring: public::rsa_keys(text) })
    }
}

/// Reads and checks any file with nothing but what was given.
#[must_use]
pub fn inspect_alone(bytes: &[u8], given: &Given, now: Timestamp) -> Report {
    read(bytes, given, None, now)
}

fn read(bytes: &[u8], given: &Given, products: Option<&[ProductCode]>, now: Timestamp) -> Report {
    let shared_key = |_: &str| given.shared_key.clone();
    let context = Context {
        keys: given.keys.as_ref().map(|keys| &keys.ours),
        product: given.product.as_ref(),
        device: given.device.as_ref(),
        products,
        shared_key: Some(&shared_key),
        now: Some(now),
        ..Context::default()
    };
    let mut report = inspect(bytes, &context);
    if let Some(keys) = &given.keys {
        // Without a single RSA key nothing is known of an RSA signature: it is unchecked, not wrong.
        let checks = if keys.licensespring.is_empty() { Vec::new() } else { report.rsa.clone() };
        for check in checks {
            let holds = |text: &Vec<u8>| keys.licensespring.iter().any(|public| verify_rsa(public, text, &check.signature));
            report.rsa_checked(check.name, check.any_of.iter().any(holds));
        }
    }
    report
}

impl Desk {
    /// Reads and checks any file with everything this portal knows.
    pub async fn inspect(&self, bytes: &[u8]) -> Result<Report, Fault> {
        self.inspect_with(bytes, Given::default()).await
    }

    /// As `inspect`; what was given goes before what is known here.
    pub async fn inspect_with(&self, bytes: &[u8], mut given: Given) -> Result<Report, Fault> {
        let mut conn = self.read().await?;
        if given.keys.is_none() {
            let seals = conn.seals().await?;
            // What a lost key signed is nobody's word any more.
            let believed =
                |seal: &&Seal| seal.purpose == SealUse::LicenseSpring && !matches!(seal.state, SealState::Compromised { .. });
            let rsa = seals.iter().filter(believed).map(|seal| seal.public.clone());
            given.keys = Some(GivenKeys { ours: public::trusted_keys(&seals), licensespring: rsa.collect() });
        }
        if let Ok(Asked::LicenseSpring(request)) = Asked::read(bytes)
            && let Some(row) = conn.api_key(request.caller.id()).await?
        {
            let subject = Subject::named(&row.api_key);
            let secret = self.vault.decrypt_secret(Purpose::SHARED_KEY, subject, &row.shared_key)?;
            given.shared_key = Some(secret.as_slice().to_vec());
        }
        let products: Vec<ProductCode> = conn.products().await?.into_iter().map(|product| product.code).collect();
        Ok(read(bytes, &given, Some(&products), self.now()))
    }

    /// What a browser needs to check files before they are sent and after they come back.
    pub async fn checking(&self) -> Result<Checking, Fault> {
        let mut conn = self.read().await?;
        let seals = conn.seals().await?;
        // Paused products too: their machines may be released, and why they are not activated the server says.
        let products = conn.products().await?.into_iter();
        let products = products.map(|product| (product.code.to_string(), product.name)).collect();
        let published = seals.iter().filter(|seal| seal.purpose == SealUse::LicenseSpring && seal.is_published(self.now()));
        let licensespring = published.map(public::pem).collect();
        // Lost keys too, so that a file they signed is refused for that and not as one of an unknown key.
        let ours = seals.iter().filter(|seal| seal.purpose == SealUse::License);
        let lost = |seal: &Seal| matches!(seal.state, SealState::Compromised { .. });
        let ours = ours.filter(|seal| seal.is_published(self.now()) || lost(seal)).filter_map(public::jwk);
        let jwks = serde_json::json!({ "keys": ours.collect::<Vec<_>>() });
        Ok(Checking { products, jwks, licensespring })
    }
}
