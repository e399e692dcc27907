//! What whoever has a key is told of its license (`QlmLicenseInfo.aspx`, §6), without anything being done.

use super::{QlmCall, QlmRefused};
use crate::{
    desk::{Desk, Fault, activate::HOLDERS_NAMED},
    licensing::{
        ActivationKey, Timestamp,
        decide::Holder,
        license::LicenseState,
        product::Product,
        qlm::{ErrorCode, document},
    },
};

/// A license as its customer may see it.
#[derive(Clone, Debug)]
pub struct LicenseInfo {
    pub product: Product,
    /// `permanent`, `trial`, …
    pub model: &'static str,
    /// None while it is good.
    pub ended: Option<Ended>,
    /// Exclusive.
    pub valid_until: Option<Timestamp>,
    pub maintenance_until: Option<Timestamp>,
    pub seats_taken: u32,
    pub seats: Option<u32>,
    pub computers: Vec<Holder>,
    /// `0:7;`, as its documents say them.
    pub features: String,
    /// Name and value.
    pub properties: Vec<(String, String)>,
}

/// Why a license is not good now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Disabled,
    Expired,
}

impl Desk {
    /// The licenses of a key, one a product. Refuses a key nobody has, and whoever asks for many of those.
    pub async fn license_info(&self, call: &QlmCall) -> Result<Result<Vec<LicenseInfo>, QlmRefused>, Fault> {
        if let Err(refused) = self.guesses(call, "key", false).await? {
            return Ok(Err(refused));
        }
        let key = call.args.text("is_avkey").and_then(|text| ActivationKey::parse(text).ok());
        let mut conn = self.read().await?;
        let found = match key {
            Some(key) => conn.licenses_with_key(&key).await?,
            None => Vec::new(),
        };
        if found.is_empty() {
            drop(conn);
            drop(self.guesses(call, "key", true).await?);
            let message = "There is no license with this activation key. Compare it with the original.";
            return Ok(Err(QlmRefused::new(ErrorCode::LicenseNotFound, message)));
        }
        let now = self.now();
        let mut told = Vec::with_capacity(found.len());
        for (license, product) in found {
            let valid_until = license.valid_until();
            let ended = match license.state {
                LicenseState::Enabled if valid_until.is_some_and(|end| end <= now) => Some(Ended::Expired),
                LicenseState::Enabled => None,
                LicenseState::Disabled { .. } | LicenseState::Archived { .. } => Some(Ended::Disabled),
            };
            let qlm = license.terms.qlm.clone().unwrap_or_default();
            told.push(LicenseInfo {
                model: document::model(&license, &qlm).as_str(),
                features: qlm.features.text(),
                properties: qlm.properties.into_iter().map(|property| (property.full_name(), property.value)).collect(),
                ended,
                valid_until,
                maintenance_until: license.terms.maintenance.instant(license.first_activated),
                seats_taken: license.seats_taken,
                seats: license.terms.seats.most(),
                computers: conn.holders(license.id, HOLDERS_NAMED).await?,
                product,
            });
        }
        Ok(Ok(told))
    }
}
