//! A license that becomes another (`UpgradeLicense`, §7): a new key takes the old one's place, and computers activate once more.

use sha2::{Digest, Sha256};

use super::{
    NOT_ORDERED, QlmCall, QlmRefused, call_fields, change::Edits, is_of, product_numbered, protect::protected, switched,
};
use crate::{
    desk::{
        Desk, Fault, Issue, KeyShape, Visitor,
        issue::{Drawn, Outcome, is_day_full, issue_in},
        licenses::change_in,
    },
    licensing::{
        ActivationKey, Email, LicenseId, Timestamp,
        files::base64,
        issue::Quantities,
        license::{Actor, Expiry, License, LicenseState, Limit, Maintenance, Terms},
        qlm::{Args, ErrorCode, QlmTerms, document, key::activation_letter, protect::Protection},
    },
    store::{Conn, Extension, StoreError},
};

/// How the reason begins for which a license is disabled that became another.
const UPGRADED: &str = "Upgraded";

/// Whether a license is disabled because it became another. Staff may have decided otherwise since: then it is meant itself.
pub(in crate::desk) fn is_upgraded(license: &License) -> bool {
    matches!(&license.state, LicenseState::Disabled { reason, .. } if reason.starts_with(UPGRADED))
}

/// What an upgrade came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    pub before: String,
    pub key: String,
    pub as_xml: bool,
}

/// An upgrade, whoever brought it.
pub(in crate::desk) struct Upgrade {
    /// Of the license that is upgraded.
    pub key: String,
    /// What it becomes.
    pub args: Args,
    /// The shop's number for it.
    pub order: Option<String>,
    /// What tells one item of an order from another.
    pub item: String,
    pub mails_keys: bool,
    /// Who bought it, where the license is nobody's yet.
    pub email: Option<String>,
    /// What was paid for the whole order, in hundredths.
    pub paid: Option<i64>,
}

/// What stands in the way once the license is held.
#[derive(Clone, Copy)]
enum Barred {
    Disabled,
    UpgradedBefore,
    /// Its terms are others than those that were read.
    Changed,
    NotIssued,
}

impl Desk {
    /// Replaces a license by another with a new key. The same call again finds the key it made.
    pub async fn qlm_upgrade(&self, call: &QlmCall) -> Result<Result<Upgraded, QlmRefused>, Fault> {
        if let Err(refused) = switched(self.settings().qlm.update, "enableUpgradeLicense") {
            return Ok(Err(refused));
        }
        let extension = match self.caller(call).await? {
            Ok(extension) => extension,
            Err(refused) => return Ok(Err(refused)),
        };
        let fields = call_fields(extension.as_ref());
        // A shop sends what the buyer typed into a field of its own.
        let Some(key) = call.args.text("is_avkey").or_else(|| call.args.first_of(&fields.key)) else {
            return Ok(Err(QlmRefused::new(ErrorCode::NotProvided, "Say which license is upgraded: is_avkey.")));
        };
        let wish = Upgrade {
            key: key.to_owned(),
            order: call.args.first_of(&fields.order).map(str::to_owned),
            item: call.args.fingerprint_as_sent(&[], &NOT_ORDERED),
            args: call.args.clone(),
            mails_keys: false,
            email: call.args.first_of(&fields.email).map(str::to_owned),
            paid: None,
        };
        self.upgrade_license(extension.as_ref(), wish).await
    }

    /// Replaces a license by another, in one act.
    pub(in crate::desk) async fn upgrade_license(
        &self,
        extension: Option<&Extension>,
        wish: Upgrade,
    ) -> Result<Result<Upgraded, QlmRefused>, Fault> {
        let settings = self.settings();
        let Upgrade { key, args, order, item, mails_keys, email, paid } = wish;
        let edits = match Edits::read(&args, &settings.qlm.orders) {
            // How many computers it is for was bought before. A shop says with each order how many of the upgrade were bought.
            Ok(edits) => edits.without_seats().by(extension),
            Err(refused) => return Ok(Err(refused)),
        };
        let wanted = match args.product_if_any() {
            Ok(wanted) => wanted,
            Err(error) => return Ok(Err(error.into())),
        };
        let mut conn = self.read().await?;
        let mut found = match ActivationKey::parse(&key) {
            Ok(key) => conn.licenses_with_key(&key).await?,
            Err(_) => Vec::new(),
        };
        if found.len() > 1 {
            let message = "Several products have a license with this key. Upgrade it on the vendor’s site.";
            return Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, message)));
        }
        found.retain(|(license, _)| extension.is_none_or(|extension| is_of(extension, license)));
        let Some((license, product)) = found.pop() else {
            return Ok(Err(QlmRefused::new(ErrorCode::LicenseNotFound, "There is no license with this activation key.")));
        };
        let before = license.key.as_ref().map(ActivationKey::text).unwrap_or_default();
        // The product that is named is the one that is wanted, not the one there is.
        let target = match wanted {
            Some((number, ..)) if product.number != Some(number) => match product_numbered(&mut conn, number).await? {
                Ok(product) => product,
                Err(refused) => return Ok(Err(refused)),
            },
            _ => product.clone(),
        };
        if let Some((_, major, minor)) = wanted {
            let known = conn.releases(target.id).await?;
            if !known.is_empty() && !known.iter().any(|release| (release.version.major, release.version.minor) == (major, minor))
            {
                let message = format!("{} has no version {major}.{minor}. Its vendor adds versions.", target.name);
                return Ok(Err(QlmRefused::new(ErrorCode::NoProduct, message)));
            }
        }
        if !target.authorization.by_key() {
            return Ok(Err(QlmRefused::new(ErrorCode::NotValid, "Licenses of this product have no keys.").of(&target)));
        }
        if let Err(refused) = edits.fits([&target]) {
            return Ok(Err(refused));
        }
        let email = match license.customer {
            Some(customer) => conn.customer(customer).await?.map(|customer| customer.email),
            None => email.and_then(|text| Email::parse(&text).ok()),
        };
        drop(conn);
        let mut terms = license.terms.clone();
        let model = document::model(&license, &terms.qlm.clone().unwrap_or_default());
        let qlm = terms.qlm.get_or_insert_with(|| QlmTerms { model, ..QlmTerms::default() });
        if let Some((_, major, minor)) = wanted {
            (qlm.major, qlm.minor) = (major, minor);
        }
        // What runs goes on to run: the new one is activated anew, and counts from nothing by itself.
        if let Some(end) = terms.expiry.instant(license.first_activated) {
            terms.expiry = Expiry::on(end);
        }
        if let Some(end) = terms.maintenance.instant(license.first_activated) {
            terms.maintenance = Maintenance::Until(end);
        }
        edits.apply(&mut terms, &target.rules.properties, self.now());
        let (model, seats) = (terms.qlm.as_ref().map(|qlm| qlm.model).unwrap_or_default(), terms.seats);
        let name = extension.map_or("qlm", |extension| extension.name.as_str());
        let issue = Issue {
            quantities: Quantities { activations_per_key: seats.most(), ..Quantities::default() },
            customer: email,
            order: Some(order.unwrap_or_else(|| format!("upgrade-{}", license.id))),
            provider: name.to_lowercase(),
            // An order may upgrade several.
            item: Some(base64::url(&Sha256::digest(format!("upgrade\n{}\n{item}", license.id)))),
            keys: if target.rules.qlm_keys {
                KeyShape::Qlm { letter: activation_letter(model), groups: settings.qlm.groups }
            } else {
                KeyShape::Own
            },
            subscription: license.subscription.clone(),
            mails_keys,
            template: args.text("is_emailtemplate").map(str::to_owned),
            paid,
            keys_per_day: settings.qlm.protect.keys_per_day,
            ..Issue::one(target.code.clone(), terms)
        };
        let drawn = self.draw(&issue, 1).await?;
        let actor = Visitor::Extension { name: name.to_owned() }.actor();
        let (now, id) = (self.now(), license.id);
        let mails = issue.mails_keys;
        let given = std::sync::Arc::new((issue, drawn, license.terms.clone()));
        let done = self.store.write(move |conn| {
            let (given, actor) = (given.clone(), actor.clone());
            Box::pin(async move {
                let (issue, drawn, read) = &*given;
                let by = Replacement { read, issue, drawn, seats };
                let (old, new) = match replace(conn, id, &by, &actor, now).await? {
                    Ok(pair) => pair,
                    Err(barred) => return Ok(Err(barred)),
                };
                if let Some(reason) = old {
                    let disable = |license: &mut License| {
                        license.state = license.state.clone().disable(actor.clone(), reason.clone(), now)?;
                        Ok(())
                    };
                    change_in(conn, id, "license.disabled", &actor, &disable, now).await?;
                }
                Ok(Ok(new))
            })
        });
        let new = match done.await {
            Ok(Ok(new)) => new,
            Ok(Err(barred)) => {
                let (code, message) = match barred {
                    Barred::Disabled => (ErrorCode::Revoked, "This license is disabled, so there is nothing to upgrade."),
                    Barred::UpgradedBefore => (
                        ErrorCode::Revoked,
                        "This license was upgraded before. Upgrade the one that took its place, by its new key.",
                    ),
                    Barred::Changed => {
                        (ErrorCode::License, "The license was changed at the same moment. Nothing was done; send it again.")
                    }
                    Barred::NotIssued => (ErrorCode::License, "The upgraded license could not be issued. Nothing was changed."),
                };
                return Ok(Err(QlmRefused::new(code, message).of(&product)));
            }
            // What it wrote is taken back.
            Err(StoreError::GaveUp(why)) if is_day_full(&*why) => return Ok(Err(protected(Protection::Keys).of(&product))),
            Err(StoreError::GaveUp(_)) => {
                let message = "The upgraded license could not be issued. Nothing was changed; send it again.";
                return Ok(Err(QlmRefused::new(ErrorCode::License, message).of(&product)));
            }
            Err(error) => return Err(error.into()),
        };
        if mails {
            self.message_waits();
        }
        let key = self.read().await?.license(new).await?.and_then(|(license, ..)| license.key).map(|key| key.text());
        let as_xml = extension.is_some_and(|extension| extension.class == "qlmauthenticationprovider");
        Ok(Ok(Upgraded { before, key: key.unwrap_or_default(), as_xml }))
    }
}

/// What takes a license's place.
struct Replacement<'a> {
    /// The terms of the old one that the new ones were made from.
    read: &'a Terms,
    issue: &'a Issue,
    drawn: &'a Drawn,
    seats: Limit,
}

/// Issues what takes a license's place, unless that was done before; why the old one is disabled now, and the new one.
async fn replace(
    conn: &mut Conn,
    old: LicenseId,
    by: &Replacement<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Result<(Option<String>, LicenseId), Barred>, StoreError> {
    let Replacement { read, issue, drawn, seats } = *by;
    let Some((license, ..)) = conn.lock_license(old).await? else { return Ok(Err(Barred::Disabled)) };
    if let Some(before) = conn.upgraded_to(old).await? {
        let order = conn.order_of(&issue.provider, issue.order.as_deref().unwrap_or_default()).await?;
        let made = match order {
            Some(order) => conn.licenses_of_item(order.id, issue.item.as_deref().unwrap_or_default()).await?,
            None => Vec::new(),
        };
        return Ok(if made.contains(&before) { Ok((None, before)) } else { Err(Barred::UpgradedBefore) });
    }
    // One that was revoked is not had back by an upgrade.
    if !matches!(license.state, LicenseState::Enabled) {
        return Ok(Err(Barred::Disabled));
    }
    if license.terms != *read {
        return Ok(Err(Barred::Changed));
    }
    let Outcome::Issued(issued) = issue_in(conn, issue, drawn, seats, actor, now).await? else {
        return Ok(Err(Barred::NotIssued));
    };
    let Some(new) = issued.licenses.first() else { return Ok(Err(Barred::NotIssued)) };
    conn.set_upgraded_to(old, new.id).await?;
    let ends = new.key.as_ref().map(ActivationKey::last_group).unwrap_or_default();
    Ok(Ok((Some(format!("{UPGRADED}: its key is now …{ends}.")), new.id)))
}
