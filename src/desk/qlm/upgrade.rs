//! A license replaced by one with a new key (`UpgradeLicense`, §7): of another version or product, with more features. The old one is
//! disabled, and computers are activated again.

use super::{
    QlmCall, QlmRefused,
    change::{Edits, LicensesNamed},
    product_numbered, switched,
};
use crate::{
    desk::{ActError, Desk, Fault, Issue, KeyShape, Visitor},
    licensing::{
        ActivationKey,
        issue::Quantities,
        license::LicenseState,
        qlm::{ErrorCode, QlmTerms, document, key::activation_letter},
    },
};

/// The keys of an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    pub before: String,
    pub key: String,
    pub as_xml: bool,
}

impl Desk {
    /// Replaces a license by another with a new key. The same call again finds the key it made.
    pub async fn qlm_upgrade(&self, call: &QlmCall) -> Result<Result<Upgraded, QlmRefused>, Fault> {
        let settings = self.settings();
        if let Err(refused) = switched(settings.qlm.update, "enableUpgradeLicense") {
            return Ok(Err(refused));
        }
        let extension = match self.caller(call).await? {
            Ok(extension) => extension,
            Err(refused) => return Ok(Err(refused)),
        };
        // A shop sends what the buyer typed into a field of its own. The product is the one that is wanted, not the one there is.
        let Some(key) = call.args.first(&["is_avkey", "custom_referrer"]) else {
            return Ok(Err(QlmRefused::new(ErrorCode::NotProvided, "Say which license is upgraded: is_avkey.")));
        };
        let names = LicensesNamed { key: Some(key), ..LicensesNamed::default() };
        let mut found = match self.licenses_of("", &names).await? {
            Ok(found) => found,
            Err(refused) => return Ok(Err(refused)),
        };
        let edits = match Edits::read(&call.args, &settings.qlm.orders) {
            Ok(edits) => edits,
            Err(refused) => return Ok(Err(refused)),
        };
        if found.len() > 1 {
            let message = "Several products have a license with this key. Upgrade it on the vendor’s site.";
            return Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, message)));
        }
        let Some((license, product)) = found.pop() else {
            return Ok(Err(QlmRefused::new(ErrorCode::LicenseNotFound, "There is no license with this activation key.")));
        };
        let before = license.key.as_ref().map(ActivationKey::text).unwrap_or_default();
        let wanted = match call.args.product_if_any() {
            Ok(wanted) => wanted,
            Err(error) => return Ok(Err(error.into())),
        };
        let target = match wanted {
            Some((number, ..)) if product.number != Some(number) => {
                match product_numbered(&mut self.read().await?, number).await? {
                    Ok(product) => product,
                    Err(refused) => return Ok(Err(refused)),
                }
            }
            _ => product.clone(),
        };
        let name = extension.as_ref().map_or("qlm", |extension| extension.name.as_str());
        let provider = name.to_lowercase();
        let order = format!("upgrade-{}", license.id);
        let mut conn = self.read().await?;
        let upgraded_before = conn.order_of(&provider, &order).await?.is_some();
        let email = match license.customer {
            Some(customer) => conn.customer(customer).await?.map(|customer| customer.email),
            None => None,
        };
        drop(conn);
        // One that was revoked is not had back by an upgrade.
        if !upgraded_before && !matches!(license.state, LicenseState::Enabled) {
            let message = "This license is disabled, so there is nothing to upgrade.";
            return Ok(Err(QlmRefused::new(ErrorCode::Revoked, message).of(&product)));
        }
        let mut terms = license.terms.clone();
        let model = document::model(&license, &terms.qlm.clone().unwrap_or_default());
        let qlm = terms.qlm.get_or_insert_with(|| QlmTerms { model, ..QlmTerms::default() });
        if let Some((_, major, minor)) = wanted {
            (qlm.major, qlm.minor) = (major, minor);
        }
        edits.apply(&mut terms, self.now());
        let model = terms.qlm.as_ref().map(|qlm| qlm.model).unwrap_or_default();
        let issue = Issue {
            quantities: Quantities { activations_per_key: terms.seats.most(), ..Quantities::default() },
            customer: email,
            order: Some(order),
            provider,
            item: Some("upgrade".to_owned()),
            keys: if target.rules.qlm_keys {
                KeyShape::Qlm { letter: activation_letter(model), groups: settings.qlm.groups }
            } else {
                KeyShape::Own
            },
            subscription: license.subscription.clone(),
            ..Issue::one(target.code.clone(), terms)
        };
        let visitor = Visitor::Extension { name: name.to_owned() };
        let issued = match self.issue(&visitor, issue).await {
            Ok(issued) => issued,
            Err(ActError::Fault(fault)) => return Err(fault),
            Err(error) => return Ok(Err(QlmRefused::new(ErrorCode::License, error.to_string()).of(&target))),
        };
        let Some(key) = issued.licenses.first().and_then(|license| license.key.clone()) else {
            return Ok(Err(QlmRefused::new(ErrorCode::NotValid, "Licenses of this product have no keys.").of(&target)));
        };
        // A subscription pays for the new one alone: the old one is told apart by its state.
        let reason = format!("Upgraded: its key is now …{}.", key.last_group());
        if let Err(refused) = self.revoke_licenses(&visitor, vec![(license, product)], true, reason).await? {
            return Ok(Err(refused));
        }
        let as_xml = extension.is_some_and(|extension| extension.class == "qlmauthenticationprovider");
        Ok(Ok(Upgraded { before, key: key.text(), as_xml }))
    }
}
