//! Licenses that are changed (§7): renewed, revoked, edited, given a maintenance plan. A call names them by key, or by the number of their
//! order or subscription, which is all that a shop has.

use sha2::{Digest, Sha256};

use super::{NOT_ORDERED, QlmCall, QlmRefused, call_fields, is_of, spoken, switched, upgrade::is_upgraded};
use crate::{
    desk::{
        ActError, Desk, Fault, Visitor,
        letters::RenewalLetter,
        licenses::{Change, Once},
    },
    licensing::{
        ActivationKey, Date, LicenseId, ProductId, Timestamp,
        files::base64,
        license::{Actor, Expiry, License, LicenseState, Limit, Maintenance},
        product::Product,
        qlm::{
            ArgError, Args, ComputerType, ErrorCode, FeatureMasks, LicenseModel, Property, PropertyDefinition, QlmTerms,
            document,
            order::{self, OrderSettings},
            protect::OwnLimit,
        },
    },
    store::{Conn, Extension, StoreError},
};

/// As many upgrades as are followed from one license.
const MOST_UPGRADES: usize = 100;

/// As many licenses as one order or subscription is changed of at once.
const MOST: usize = 1_000;

/// A new end, as a call says it.
#[derive(Clone, Copy)]
pub(in crate::desk) enum NewEnd {
    On(Date),
    /// Nothing is taken from what lasts longer.
    NotBefore(Date),
    Days(u32),
    /// As long again as before.
    AsBefore,
}

/// A renewal, whoever brought it.
pub(in crate::desk) struct Renewal {
    pub end: NewEnd,
    /// What is set together with it.
    pub properties: Vec<Property>,
    /// What tells it from the next.
    pub once: Option<Once>,
    /// When it was paid: what was revoked before that is good again. None: nothing was.
    pub paid: Option<Timestamp>,
    /// What its customer is told.
    pub letter: Option<RenewalLetter>,
}

/// What names the licenses an act is about; the first of them that is given counts.
#[derive(Clone, Copy, Default)]
pub(in crate::desk) struct LicensesNamed<'a> {
    pub key: Option<&'a str>,
    pub subscription: Option<&'a str>,
    pub order: Option<&'a str>,
    /// The number of their product.
    pub number: Option<i64>,
}

/// A maintenance plan, as a call says it.
#[derive(Clone, Copy)]
pub(in crate::desk) struct Plan {
    on: bool,
    date: Option<Date>,
    days: u32,
    /// What runs is extended.
    renews: bool,
}

impl Plan {
    pub fn read(args: &Args, settings: &OrderSettings, renews: bool) -> Result<Self, QlmRefused> {
        let on = if renews { true } else { args.flag("is_maintenance_plan")?.ok_or_else(|| missing("is_maintplan"))? };
        let date = args.text("is_maintdate").map(|text| order::date("is_maintdate", text, &settings.dates)).transpose()?;
        let days = order::days(args, "is_maintduration")?.unwrap_or(settings.maintenance_days);
        Ok(Self { on, date, days, renews })
    }
}

impl Desk {
    /// Extends licenses. Refuses an end that is past.
    pub async fn qlm_renew(&self, call: &QlmCall) -> Result<Result<String, QlmRefused>, Fault> {
        let settings = self.settings();
        let (extension, found) = match self.changeable(call, settings.qlm.renew, "enableRenewSubscriptionHttp", false).await? {
            Ok(opened) => opened,
            Err(refused) => return Ok(Err(refused)),
        };
        let end = match new_end(&call.args, &settings.qlm.orders) {
            Ok(end) => end,
            Err(refused) => return Ok(Err(refused)),
        };
        let ended = |license: &License| license.valid_until();
        if let Err(refused) = within_grace(&found, settings.qlm.rules.renewal_grace, ended, self.now(), "subscriptionGracePeriod")
        {
            return Ok(Err(refused));
        }
        let properties = match properties(&call.args, &settings.qlm.orders) {
            Ok(properties) => properties,
            Err(error) => return Ok(Err(error.into())),
        };
        if let Err(refused) = properties_fit(found.iter().map(|(_, product)| product), &properties) {
            return Ok(Err(refused));
        }
        let once = once("renew", &call.args, extension.as_ref());
        let renewal = Renewal { end, properties, once, paid: Some(self.now()), letter: None };
        self.renew_licenses(&visitor(extension.as_ref()), found, renewal).await
    }

    /// Extends licenses that were found. What the same shop revoked before it was paid is good again.
    pub(in crate::desk) async fn renew_licenses(
        &self,
        visitor: &Visitor,
        found: Vec<(License, Product)>,
        renewal: Renewal,
    ) -> Result<Result<String, QlmRefused>, Fault> {
        let Renewal { end, properties, once, paid, letter } = renewal;
        // An order may hold licenses without an end beside those that are renewed: an end would take something from them.
        let (found, endless): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(license, _)| license.terms.expiry != Expiry::NEVER);
        if let (true, Some((_, product))) = (found.is_empty(), endless.first()) {
            let message = "This license has no end, so there is nothing to renew.";
            return Ok(Err(QlmRefused::new(ErrorCode::NotValid, message).of(product)));
        }
        let (now, actor) = (self.now(), visitor.actor());
        let renews_maintenance = self.settings().qlm.rules.renews_maintenance;
        let defined = Defined::of(&found);
        let renew = move |license: &mut License| {
            let until = match end {
                NewEnd::On(date) => date.end(),
                NewEnd::NotBefore(date) => {
                    let present = license.terms.expiry.instant(license.first_activated);
                    present.map_or(date.end(), |present| present.max(date.end()))
                }
                NewEnd::Days(days) => renewed(license, days, now)?,
                NewEnd::AsBefore => match period(license) {
                    Some(days) => renewed(license, days, now)?,
                    None => {
                        return Err(ActError::field(
                            "is_expdate",
                            "How long this license was sold for is not known. Say its last day: is_expdate.",
                        ));
                    }
                },
            };
            // A plan that lasts longer was bought apart.
            let plan = license.terms.maintenance.instant(license.first_activated).filter(|_| renews_maintenance);
            if !properties.is_empty() {
                let definitions = defined.of_product(license.product);
                let qlm = own_terms(license);
                properties.iter().for_each(|property| property.clone().set_on(&mut qlm.properties, definitions));
            }
            license
                .renew(until, plan.map(|plan| plan.max(until)), now)
                .map_err(|past| ActError::field("is_expdate", past.to_string()))?;
            if matches!(&license.state, LicenseState::Disabled { by, at, .. } if *by == actor && paid.is_some_and(|paid| *at <= paid))
            {
                set_revoked(license, false, "", &actor, now)?;
            }
            Ok(())
        };
        if let Err(error) =
            self.change_all_once(visitor, Change { act: "license.renewed", once, letter }, ids(&found), renew).await
        {
            return Ok(Err(told(error, &found[0].1)?));
        }
        Ok(Ok(updated(&found)))
    }

    /// Revokes licenses, or gives them back with `is_revoke=false`. One that is so already stays so.
    pub async fn qlm_revoke(&self, call: &QlmCall) -> Result<Result<String, QlmRefused>, Fault> {
        let (extension, found) = match self.changeable(call, self.settings().qlm.revoke, "enableRevokeLicense", false).await? {
            Ok(opened) => opened,
            Err(refused) => return Ok(Err(refused)),
        };
        let revokes = match call.args.flag("is_revoke") {
            Ok(flag) => flag.unwrap_or(true),
            Err(error) => return Ok(Err(error.into())),
        };
        self.revoke_licenses(&visitor(extension.as_ref()), found, revokes, revoker(extension.as_ref())).await
    }

    /// Revokes licenses that were found, for a reason that staff reads, or gives them back.
    pub(in crate::desk) async fn revoke_licenses(
        &self,
        visitor: &Visitor,
        found: Vec<(License, Product)>,
        revokes: bool,
        by: String,
    ) -> Result<Result<String, QlmRefused>, Fault> {
        let act = if revokes { "license.disabled" } else { "license.enabled" };
        let (now, actor) = (self.now(), visitor.actor());
        let change = move |license: &mut License| set_revoked(license, revokes, &by, &actor, now);
        if let Err(error) = self.change_all_once(visitor, Change::of(act), ids(&found), change).await {
            return Ok(Err(told(error, &found[0].1)?));
        }
        Ok(Ok(updated(&found)))
    }

    /// Disables licenses whose subscription is over, for good: also those that the same shop has revoked, which is then no longer undone
    /// with a refund.
    pub(in crate::desk) async fn end_licenses(
        &self,
        visitor: &Visitor,
        found: Vec<(License, Product)>,
        reason: String,
    ) -> Result<Result<String, QlmRefused>, Fault> {
        let (now, actor) = (self.now(), visitor.actor());
        let change = move |license: &mut License| {
            if is_disabled_by(license, &actor) && !is_upgraded(license) {
                license.state = LicenseState::Enabled;
            }
            set_revoked(license, true, &reason, &actor, now)
        };
        if let Err(error) = self.change_all_once(visitor, Change::of("license.disabled"), ids(&found), change).await {
            return Ok(Err(told(error, &found[0].1)?));
        }
        Ok(Ok(updated(&found)))
    }

    /// Gives back what the same shop revoked for this reason, and nothing else.
    pub(in crate::desk) async fn restore_licenses(
        &self,
        visitor: &Visitor,
        found: Vec<(License, Product)>,
        once: Once,
        reason: String,
    ) -> Result<Result<String, QlmRefused>, Fault> {
        let (now, actor) = (self.now(), visitor.actor());
        let change = move |license: &mut License| {
            let is_why = matches!(&license.state, LicenseState::Disabled { reason: why, .. } if *why == reason);
            if is_disabled_by(license, &actor) && is_why {
                set_revoked(license, false, "", &actor, now)?;
            }
            Ok(())
        };
        if let Err(error) =
            self.change_all_once(visitor, Change::of("license.enabled").once(Some(once)), ids(&found), change).await
        {
            return Ok(Err(told(error, &found[0].1)?));
        }
        Ok(Ok(updated(&found)))
    }

    /// Edits licenses in place; their keys stay.
    pub async fn qlm_update(&self, call: &QlmCall) -> Result<Result<String, QlmRefused>, Fault> {
        let settings = self.settings();
        let (extension, found) = match self.changeable(call, settings.qlm.update, "enableUpgradeLicense", false).await? {
            Ok(opened) => opened,
            Err(refused) => return Ok(Err(refused)),
        };
        let (edit, revokes) = match (Edits::read(&call.args, &settings.qlm.orders), call.args.flag("is_revoke")) {
            (Ok(edit), Ok(revokes)) => (edit.by(extension.as_ref()), revokes),
            (Err(refused), _) => return Ok(Err(refused)),
            (_, Err(error)) => return Ok(Err(error.into())),
        };
        // What is so already needs no switch to stay so.
        let turns = |revokes: bool| found.iter().any(|(license, _)| matches!(license.state, LicenseState::Enabled) == revokes);
        if revokes.is_some_and(turns)
            && let Err(refused) = switched(settings.qlm.revoke, "enableRevokeLicense")
        {
            return Ok(Err(refused));
        }
        let revokes = revokes.filter(|_| settings.qlm.revoke);
        if let Err(refused) = edit.fits(found.iter().map(|(_, product)| product)) {
            return Ok(Err(refused));
        }
        let (visitor, now, by) = (visitor(extension.as_ref()), self.now(), revoker(extension.as_ref()));
        let (actor, defined) = (visitor.actor(), Defined::of(&found));
        let change = move |license: &mut License| {
            own_terms(license);
            edit.apply(&mut license.terms, defined.of_product(license.product), now);
            match revokes {
                Some(revokes) => set_revoked(license, revokes, &by, &actor, now),
                None => Ok(()),
            }
        };
        if let Err(error) = self.change_all_once(&visitor, Change::of("license.edited"), ids(&found), change).await {
            return Ok(Err(told(error, &found[0].1)?));
        }
        Ok(Ok(updated(&found)))
    }

    /// Gives licenses a maintenance plan, or extends the one they have (`renews`).
    pub async fn qlm_maintain(&self, call: &QlmCall, renews: bool) -> Result<Result<String, QlmRefused>, Fault> {
        let settings = self.settings();
        let (extension, found) = match self.changeable(call, settings.qlm.update, "enableUpgradeLicense", true).await? {
            Ok(opened) => opened,
            Err(refused) => return Ok(Err(refused)),
        };
        let ended = |license: &License| license.terms.maintenance.instant(license.first_activated).filter(|_| renews);
        if let Err(refused) =
            within_grace(&found, settings.qlm.rules.maintenance_grace, ended, self.now(), "maintenancePlanGracePeriod")
        {
            return Ok(Err(refused));
        }
        match Plan::read(&call.args, &settings.qlm.orders, renews) {
            Ok(plan) => {
                let once = once("maintain", &call.args, extension.as_ref());
                self.maintain_licenses(&visitor(extension.as_ref()), found, plan, once).await
            }
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Gives licenses that were found a maintenance plan, or extends it.
    pub(in crate::desk) async fn maintain_licenses(
        &self,
        visitor: &Visitor,
        found: Vec<(License, Product)>,
        plan: Plan,
        once: Option<Once>,
    ) -> Result<Result<String, QlmRefused>, Fault> {
        let (Plan { on, date, days, renews }, now) = (plan, self.now());
        let change = move |license: &mut License| {
            // A plan that still runs is extended from its end, one that is over or new from today.
            let known = license.terms.maintenance.instant(license.first_activated);
            let from = known.filter(|end| renews && *end > now).map_or(now, |end| end.plus_millis(-1));
            license.terms.maintenance = match (on, date) {
                (false, _) => Maintenance::None,
                (true, Some(date)) => Maintenance::Until(date.end()),
                (true, None) => Maintenance::Until(order::day_after(from.date(), days)),
            };
            Ok(())
        };
        if let Err(error) = self.change_all_once(visitor, Change::of("license.edited").once(once), ids(&found), change).await {
            return Ok(Err(told(error, &found[0].1)?));
        }
        Ok(Ok(updated(&found)))
    }

    /// Who calls, and the licenses the call names, where the method is on. `typed`: by the key that a buyer typed as well.
    async fn changeable(
        &self,
        call: &QlmCall,
        on: bool,
        property: &str,
        typed: bool,
    ) -> Result<Result<(Option<Extension>, Vec<(License, Product)>), QlmRefused>, Fault> {
        if let Err(refused) = switched(on, property) {
            return Ok(Err(refused));
        }
        let extension = match self.caller(call).await? {
            Ok(extension) => extension,
            Err(refused) => return Ok(Err(refused)),
        };
        let found = self.licenses_named(&call.args, extension.as_ref(), typed).await?;
        Ok(found.map(|found| (extension, found)))
    }

    async fn licenses_named(
        &self,
        args: &Args,
        extension: Option<&Extension>,
        typed: bool,
    ) -> Result<Result<Vec<(License, Product)>, QlmRefused>, Fault> {
        let number = match args.product_if_any() {
            Ok(product) => product.map(|(number, ..)| number),
            // A shop names a product without its version where the key says it all.
            Err(_) => args.text("is_productid").and_then(|text| text.parse().ok()),
        };
        let fields = call_fields(extension);
        let provider = extension.map_or_else(|| "qlm".to_owned(), |extension| extension.name.to_lowercase());
        let names = LicensesNamed {
            // A shop sends the key a buyer typed under a name of its own. More maintenance is theirs to give to any license; to renew or to
            // revoke one that they merely know is not.
            key: args.text("is_avkey").or_else(|| args.first_of(&fields.key).filter(|_| typed)),
            order: args.first_of(&fields.order),
            subscription: args.first_of(&fields.subscription),
            number,
        };
        let mut found = match self.licenses_of(&provider, &names).await? {
            Ok(found) => found,
            Err(refused) => return Ok(Err(refused)),
        };
        found.retain(|(license, _)| extension.is_none_or(|extension| is_of(extension, license)));
        if found.is_empty() {
            return Ok(Err(QlmRefused::new(ErrorCode::LicenseNotFound, "There is no license of yours with this name.")));
        }
        Ok(Ok(found))
    }

    /// The licenses that are named by key, subscription or order of a provider.
    pub(in crate::desk) async fn licenses_of(
        &self,
        provider: &str,
        names: &LicensesNamed<'_>,
    ) -> Result<Result<Vec<(License, Product)>, QlmRefused>, Fault> {
        let mut conn = self.read().await?;
        let (found, named) = if let Some(text) = names.key {
            let found = match ActivationKey::parse(text) {
                Ok(key) => conn.licenses_with_key(&key).await?,
                Err(_) => Vec::new(),
            };
            (found, "this activation key")
        } else {
            let (order, subscription) = (names.order, names.subscription);
            if (order, subscription) == (None, None) {
                let message = "Say which license: is_avkey, or the number of its order or of its subscription.";
                return Ok(Err(QlmRefused::new(ErrorCode::NotProvided, message)));
            }
            // A renewal comes with an order of its own: what it renews is the subscription's.
            let mut found = match subscription {
                Some(reference) => conn.licenses_of_subscription(provider, reference).await?,
                None => Vec::new(),
            };
            if let (true, Some(reference)) = (found.is_empty(), order)
                && let Some(order) = conn.order_of(provider, reference).await?
            {
                found = conn.licenses_of_order(order.id).await?;
            }
            (found, "this order or subscription number")
        };
        // One that was upgraded is meant as what it is now. A shop may name the product that was sold, or the one it became.
        let is_named = |product: &Product| names.number.is_none_or(|number| product.number == Some(number));
        let mut newest: Vec<(License, Product)> = Vec::with_capacity(found.len());
        let mut left = Vec::new();
        for (license, product) in found {
            let (was_named, id) = (is_named(&product), license.id);
            let (license, product) = newest_of(&mut conn, license, product).await?;
            // Of one that staff made good again, what took its place is meant no more.
            if license.id == id {
                left.extend(conn.upgraded_to(id).await?);
            }
            if (was_named || is_named(&product)) && !newest.iter().any(|(known, _)| known.id == license.id) {
                newest.push((license, product));
            }
        }
        newest.retain(|(license, _)| !left.contains(&license.id));
        let found = newest;
        if found.len() > MOST {
            let message = "More than a thousand licenses would be changed by one call. Change them on the vendor’s site. Nothing was changed.";
            return Ok(Err(QlmRefused::new(ErrorCode::License, message)));
        }
        if found.is_empty() {
            return Ok(Err(QlmRefused::new(ErrorCode::LicenseNotFound, format!("There is no license with {named}."))));
        }
        Ok(Ok(found))
    }
}

/// What a license is by these methods. One that was made by other means begins as what it is.
pub(in crate::desk) fn own_terms(license: &mut License) -> &mut QlmTerms {
    let model = document::model(license, &license.terms.qlm.clone().unwrap_or_default());
    license.terms.qlm.get_or_insert_with(|| QlmTerms { model, ..QlmTerms::default() })
}

/// What properties the products of licenses have, for an act on all of them.
#[derive(Clone)]
struct Defined(std::sync::Arc<Vec<(ProductId, Vec<PropertyDefinition>)>>);

impl Defined {
    fn of(found: &[(License, Product)]) -> Self {
        Self(std::sync::Arc::new(found.iter().map(|(_, product)| (product.id, product.rules.properties.clone())).collect()))
    }

    fn of_product(&self, id: ProductId) -> &[PropertyDefinition] {
        self.0.iter().find(|(product, _)| *product == id).map(|(_, defined)| defined.as_slice()).unwrap_or_default()
    }
}

/// Refuses properties that products of these licenses do not have.
pub(super) fn properties_fit<'a>(products: impl IntoIterator<Item = &'a Product>, given: &[Property]) -> Result<(), QlmRefused> {
    for product in products {
        PropertyDefinition::check(&product.rules.properties, given).map_err(|error| QlmRefused::from(error).of(product))?;
    }
    Ok(())
}

/// What took a license's place, or itself.
pub(in crate::desk) async fn newest_of(
    conn: &mut Conn,
    license: License,
    product: Product,
) -> Result<(License, Product), StoreError> {
    let mut newest = (license, product);
    // As many as a license is upgraded in its life, and no circle.
    for _ in 0..MOST_UPGRADES {
        if !is_upgraded(&newest.0) {
            break;
        }
        let Some(to) = conn.upgraded_to(newest.0.id).await? else { break };
        let Some((license, product, _)) = conn.license(to).await? else { break };
        newest = (license, product);
    }
    Ok(newest)
}

/// The name of an act that is told with an order's number: a shop that had no answer sends the same once more. What says no order may be
/// meant each time.
fn once(act: &str, args: &Args, extension: Option<&Extension>) -> Option<Once> {
    let fields = call_fields(extension);
    args.first_of(&fields.order)?;
    let with: Vec<&str> = fields.order.iter().chain(&fields.subscription).chain(&fields.key).map(String::as_str).collect();
    let said = args.fingerprint_as_sent(&with, &NOT_ORDERED);
    let name = extension.map_or("qlm", |extension| extension.name.as_str()).to_lowercase();
    Some(Once::call(base64::url(&Sha256::digest(format!("{act}\n{name}\n{said}")))))
}

/// Refuses to renew what is over for longer than the vendor lets it be. All of several are renewed, or none.
fn within_grace(
    found: &[(License, Product)],
    days: Option<u32>,
    ended: impl Fn(&License) -> Option<Timestamp>,
    now: Timestamp,
    property: &str,
) -> Result<(), QlmRefused> {
    let Some(days) = days else { return Ok(()) };
    for (license, product) in found {
        if let Some(end) = ended(license).filter(|end| end.plus_days(i64::from(days)) <= now) {
            let last = end.plus_millis(-1).date();
            let within = match days {
                0 => "once it is over".to_owned(),
                1 => "when it is over for more than a day".to_owned(),
                days => format!("when it is over for more than {days} days"),
            };
            let message = format!("This ended with {last}, and is not renewed {within}. Its vendor can allow it: {property}.");
            return Err(QlmRefused::new(ErrorCode::Expired, message).of(product));
        }
    }
    Ok(())
}

fn visitor(extension: Option<&Extension>) -> Visitor {
    Visitor::Extension { name: extension.map_or_else(|| "qlm".to_owned(), |extension| extension.name.clone()) }
}

fn ids(found: &[(License, Product)]) -> Vec<LicenseId> {
    found.iter().map(|(license, _)| license.id).collect()
}

/// Who revokes, as staff reads it.
fn revoker(extension: Option<&Extension>) -> String {
    format!("Revoked by {}.", extension.map_or("a call without a password", |extension| extension.name.as_str()))
}

/// One that is so already stays so. Nobody gives back what another took away.
fn set_revoked(license: &mut License, revoked: bool, reason: &str, by: &Actor, now: Timestamp) -> Result<(), ActError> {
    let state = license.state.clone();
    if !revoked && !matches!(state, LicenseState::Enabled) && !is_disabled_by(license, by) {
        let message = "This license was disabled by its vendor, who alone gives it back. Nothing was changed.";
        return Err(ActError::field("is_revoke", message));
    }
    let turned = if revoked { state.disable(by.clone(), reason.to_owned(), now) } else { state.enable() };
    if let Ok(state) = turned {
        license.state = state;
    }
    Ok(())
}

fn is_disabled_by(license: &License, actor: &Actor) -> bool {
    matches!(&license.state, LicenseState::Disabled { by, .. } if by == actor)
}

/// Days more: from the present end, or from now where that is past.
fn renewed(license: &License, days: u32, now: Timestamp) -> Result<Timestamp, ActError> {
    let none = || ActError::field("is_expduration", "This license has no end to count days from. Say its last day: is_expdate.");
    license.renewed_end(days, now).ok_or_else(none)
}

fn missing(name: &str) -> QlmRefused {
    QlmRefused::new(ErrorCode::MissingArgument, format!("The argument {name} is missing."))
}

/// What stands in the way of an act, by number.
fn told(error: ActError, product: &Product) -> Result<QlmRefused, Fault> {
    match error {
        ActError::Fault(fault) => Err(fault),
        ActError::Field { message, .. } => Ok(QlmRefused::new(ErrorCode::MissingArgument, message).of(product)),
        other => Ok(QlmRefused::new(ErrorCode::License, other.to_string()).of(product)),
    }
}

fn updated(found: &[(License, Product)]) -> String {
    let keys: Vec<String> = found.iter().filter_map(|(license, _)| license.key.as_ref()).map(ActivationKey::text).collect();
    match spoken(&keys.join(", ")) {
        Some(keys) => format!("Successfully updated license information for ActivationKey={keys}."),
        None => "Successfully updated license information.".to_owned(),
    }
}

fn new_end(args: &Args, settings: &OrderSettings) -> Result<NewEnd, QlmRefused> {
    let date = args.text("is_expdate").map(|text| order::date("is_expdate", text, &settings.dates)).transpose()?;
    match (date, order::days(args, "is_expduration")?) {
        (Some(_), Some(_)) => Err(QlmRefused::new(
            ErrorCode::MissingArgument,
            "Say is_expdate or is_expduration, not both: one is a day, the other days more.",
        )),
        (Some(date), None) => Ok(NewEnd::On(date)),
        (None, Some(days)) => Ok(NewEnd::Days(days)),
        (None, None) => Ok(NewEnd::AsBefore),
    }
}

/// How long a license was sold for, in days.
fn period(license: &License) -> Option<u32> {
    let expiry = license.terms.expiry;
    if let Some(days) = license.terms.qlm.as_ref().and_then(|qlm| qlm.sold_days) {
        return Some(days);
    }
    if let Some(days) = expiry.days_counted_by_client.or(expiry.days_after_first_activation) {
        return Some(days);
    }
    let end = expiry.on?;
    let days = (end.millis() - license.created.date().midnight().millis()) / 86_400_000 - 1;
    u32::try_from(days).ok().filter(|days| *days > 0)
}

fn properties(args: &Args, settings: &OrderSettings) -> Result<Vec<Property>, ArgError> {
    args.text("is_pp").map_or(Ok(Vec::new()), |text| Property::parse_all("is_pp", text, &settings.dates))
}

/// What an edit changes; what is not given stays.
#[derive(Clone)]
pub(super) struct Edits {
    features: Option<FeatureMasks>,
    date: Option<Date>,
    days: Option<u32>,
    model: Option<LicenseModel>,
    seats: Option<u32>,
    computer_type: Option<ComputerType>,
    properties: Vec<Property>,
    affiliate: Option<String>,
    user_data: Option<String>,
    max_releases: OwnLimit,
    release_days: OwnLimit,
    /// Back to what the server says.
    server_releases: (bool, bool),
}

/// A license's own limit on releases: −1 is none, −2 the server's (none here, and true).
fn own_limit(args: &Args, name: &'static str) -> Result<(OwnLimit, bool), QlmRefused> {
    let Some(text) = args.text(name) else { return Ok((None, false)) };
    match text.parse::<i64>().map(|number| (number, u32::try_from(number))) {
        Ok((_, Ok(most))) => Ok((Some(Limit::AtMost(most)), false)),
        Ok((-1, _)) => Ok((Some(Limit::Unlimited), false)),
        Ok((-2, _)) => Ok((None, true)),
        _ => Err(ArgError::kind(name, "a whole number, -1 for no limit, or -2 for the server’s", text).into()),
    }
}

impl Edits {
    pub fn read(args: &Args, settings: &OrderSettings) -> Result<Self, QlmRefused> {
        let (max_releases, count_of_server) = own_limit(args, "is_maxreleasecount")?;
        let (release_days, days_of_server) = own_limit(args, "is_maxreleaseperiod")?;
        Ok(Self {
            max_releases,
            release_days,
            server_releases: (count_of_server, days_of_server),
            features: args.text("is_features").map(|text| FeatureMasks::parse("is_features", text)).transpose()?,
            date: args.text("is_expdate").map(|text| order::date("is_expdate", text, &settings.dates)).transpose()?,
            days: order::days(args, "is_expduration")?,
            model: args.text("is_licensemodel").map(|text| LicenseModel::parse("is_licensemodel", text)).transpose()?,
            seats: args.count("is_quantity", 1)?,
            computer_type: args.text("is_computertype").map(|text| ComputerType::parse("is_computertype", text)).transpose()?,
            properties: properties(args, settings)?,
            affiliate: args.text("is_affiliateid").map(str::to_owned),
            user_data: args.text("is_userdata1").map(str::to_owned),
        })
    }

    /// Refuses what products do not have.
    pub fn fits<'a>(&self, products: impl IntoIterator<Item = &'a Product>) -> Result<(), QlmRefused> {
        properties_fit(products, &self.properties)
    }

    /// The same as an extension may say it: a reseller's licenses stay in its own group.
    pub fn by(self, extension: Option<&Extension>) -> Self {
        let affiliate = self.affiliate.filter(|_| extension.is_none_or(|extension| extension.affiliate.is_empty()));
        Self { affiliate, ..self }
    }

    /// The same that leaves seats as they are.
    pub fn without_seats(self) -> Self {
        Self { seats: None, ..self }
    }

    pub fn apply(&self, terms: &mut crate::licensing::license::Terms, definitions: &[PropertyDefinition], now: Timestamp) {
        let Some(qlm) = &mut terms.qlm else { return };
        qlm.features = self.features.unwrap_or(qlm.features);
        qlm.model = self.model.unwrap_or(qlm.model);
        qlm.computer_type = self.computer_type.unwrap_or(qlm.computer_type);
        for property in &self.properties {
            property.clone().set_on(&mut qlm.properties, definitions);
        }
        if let Some(affiliate) = &self.affiliate {
            qlm.affiliate.clone_from(affiliate);
        }
        if let Some(data) = &self.user_data {
            qlm.user_data.clone_from(data);
        }
        for (kept, new, of_server) in [
            (&mut qlm.max_releases, self.max_releases, self.server_releases.0),
            (&mut qlm.release_days, self.release_days, self.server_releases.1),
        ] {
            *kept = if of_server { None } else { new.or(*kept) };
        }
        let model = qlm.model;
        if let Some(days) = self.days {
            terms.expiry = Expiry::on(order::day_after(now.date(), days));
        }
        if let Some(date) = self.date {
            terms.expiry = Expiry::on(date.end());
        }
        if self.model.is_some() || self.days.is_some() || self.date.is_some() {
            terms.kind = order::kind(model, terms.expiry);
            terms.trial = model.is_trial();
        }
        if let Some(seats) = self.seats {
            terms.seats = Limit::AtMost(seats);
        }
    }
}
