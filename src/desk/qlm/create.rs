//! Keys for an order (`GetActivationKey`, `GetActivationKeyWithExpiryDate`, §4): one act for both, as the documentation uses them.

use sha2::{Digest, Sha256};

use super::{
    NOT_ORDERED, QlmCall, QlmRefused, call_fields,
    change::{newest_of, properties_fit},
    product_numbered,
    protect::protected,
    switched,
};
use crate::{
    desk::{ActError, Desk, Fault, Issue, Issued, KeyShape, Refusal, Visitor},
    licensing::{
        ActivationKey, Date, Email, LicenseId,
        files::base64,
        product::{Product, VersionNumber},
        qlm::{Args, ErrorCode, key::activation_letter, order::KeyOrder, providers},
        text::is_hidden,
    },
};

/// What an order made, or had made before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeKeys {
    /// With their dashes.
    pub keys: Vec<String>,
    pub form: KeyForm,
}

/// How a shop takes keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// One a line.
    Lines,
    Xml,
    /// As text between two marks, of up to 600 characters (SWREG).
    SoftShop,
}

/// An order, whoever brought it.
pub(in crate::desk) struct Ordered {
    pub args: Args,
    /// The extension, or what stands for calls without one.
    pub caller: String,
    pub number: Option<String>,
    pub subscription: Option<String>,
    /// What the shop says itself, where `is_quantity` does not.
    pub quantity: Option<u32>,
    pub email: Option<String>,
    pub name: String,
    pub company: String,
    /// The day it was ordered on.
    pub day: Date,
    /// What tells one item of an order from another.
    pub item: Option<String>,
    pub mails_keys: bool,
    /// What was paid for the whole order, in hundredths.
    pub paid: Option<i64>,
    /// The reseller who sells, whatever the order says.
    pub affiliate: String,
}

impl Desk {
    /// Makes the keys an order asks for, or finds those it made before: the same order of the same shop, with the same arguments, is the
    /// same keys.
    pub async fn qlm_create_keys(&self, call: &QlmCall) -> Result<Result<MadeKeys, QlmRefused>, Fault> {
        if let Err(refused) = switched(self.settings().qlm.create, "enableGetActivationKey") {
            return Ok(Err(refused));
        }
        let extension = match self.caller(call).await? {
            Ok(extension) => extension,
            Err(refused) => return Ok(Err(refused)),
        };
        let fields = call_fields(extension.as_ref());
        let quantity = match call.args.first_of(&fields.quantity).map(providers::quantity) {
            Some(None) => return Ok(Err(no_quantity(fields.quantity.first().map_or("", String::as_str)))),
            quantity => quantity.flatten(),
        };
        let number = call.args.first_of(&fields.order).map(str::to_owned);
        let settings = self.settings();
        // A shop that says when it was ordered may say it long after.
        let ordered_on = call.args.first_of(&fields.ordered).and_then(|text| settings.qlm.orders.dates.read(text));
        let said = |names: &[String]| call.args.first_of(names).map(str::to_owned);
        let with: Vec<&str> = fields.quantity.iter().chain(&fields.subscription).map(String::as_str).collect();
        let ordered = Ordered {
            caller: extension.as_ref().map_or("qlm", |extension| extension.name.as_str()).to_owned(),
            subscription: said(&fields.subscription),
            quantity,
            email: said(&fields.email),
            name: [said(&fields.name), said(&fields.last_name)].into_iter().flatten().collect::<Vec<_>>().join(" "),
            company: said(&fields.company).unwrap_or_default(),
            day: ordered_on.filter(|day| *day <= self.now().date()).unwrap_or_else(|| self.now().date()),
            // Without a number an order cannot be told from the next.
            item: number.as_ref().map(|_| call.args.fingerprint_as_sent(&with, &NOT_ORDERED)),
            mails_keys: false,
            paid: None,
            affiliate: extension.as_ref().map(|extension| extension.affiliate.clone()).unwrap_or_default(),
            number,
            args: call.args.clone(),
        };
        let made = match self.plan_keys(ordered).await? {
            Ok(planned) => self.make_keys(planned).await?,
            Err(refused) => return Ok(Err(refused)),
        };
        let issued = match made {
            Ok(issued) => issued,
            Err(refused) => return Ok(Err(refused)),
        };
        let mut keys = Vec::with_capacity(issued.licenses.len());
        for license in issued.licenses {
            // What was ordered before may have been upgraded since: its key is the new one's, by every method.
            let key = if issued.before { self.newest_key(license.id).await? } else { license.key };
            keys.extend(key.as_ref().map(ActivationKey::text));
        }
        Ok(Ok(MadeKeys {
            keys,
            form: match extension.as_ref().map_or("", |extension| extension.class.as_str()) {
                "qlmauthenticationprovider" => KeyForm::Xml,
                "swreg" => KeyForm::SoftShop,
                _ => KeyForm::Lines,
            },
        }))
    }

    /// The key of a license, or of what took its place.
    async fn newest_key(&self, id: LicenseId) -> Result<Option<ActivationKey>, Fault> {
        let mut conn = self.read().await?;
        let Some((license, product, _)) = conn.license(id).await? else { return Ok(None) };
        Ok(newest_of(&mut conn, license, product).await?.0.key)
    }

    /// What an order would issue. Nothing is written.
    pub(in crate::desk) async fn plan_keys(&self, ordered: Ordered) -> Result<Result<Planned, QlmRefused>, Fault> {
        let settings = self.settings();
        let Ordered {
            args,
            caller,
            number,
            subscription,
            quantity,
            email,
            name,
            company,
            day,
            item,
            mails_keys,
            paid,
            affiliate,
        } = ordered;
        let mut order = match KeyOrder::read(&args, &settings.qlm.orders, day, quantity) {
            Ok(order) => order,
            Err(error) => return Ok(Err(error.into())),
        };
        let by_reseller = !affiliate.is_empty();
        if let Some(qlm) = order.terms.qlm.as_mut().filter(|_| by_reseller) {
            qlm.affiliate = affiliate;
        }
        let mut conn = self.read().await?;
        let product = match product_numbered(&mut conn, order.product.0).await? {
            Ok(product) => product,
            Err(refused) => return Ok(Err(refused)),
        };
        let known = conn.releases(product.id).await?;
        drop(conn);
        let properties = order.terms.qlm.as_ref().map(|qlm| qlm.properties.as_slice()).unwrap_or_default();
        if let Err(refused) = properties_fit([&product], properties) {
            return Ok(Err(refused));
        }
        if let Some(qlm) = &mut order.terms.qlm {
            let mut set = Vec::with_capacity(qlm.properties.len());
            for property in std::mem::take(&mut qlm.properties) {
                property.set_on(&mut set, &product.rules.properties);
            }
            qlm.properties = set;
        }
        let wanted = VersionNumber { major: order.product.1, minor: order.product.2 };
        if !known.is_empty() && !known.iter().any(|release| release.version.number() == wanted) {
            let message = format!("{} has no version {wanted}. Its vendor adds versions.", product.name);
            return Ok(Err(QlmRefused::new(ErrorCode::NoProduct, message)));
        }
        if !product.authorization.by_key() {
            let message = "Licenses of this product are for users, and have no keys to answer with.";
            return Ok(Err(QlmRefused::new(ErrorCode::NotValid, message).of(&product)));
        }
        let (customer, note) = customer(email.as_deref());
        let model = order.terms.qlm.as_ref().map(|qlm| qlm.model).unwrap_or_default();
        let issue = Issue {
            quantities: order.quantities,
            quantity_settings: order.settings,
            customer,
            customer_name: named(&name),
            customer_company: named(&company),
            // A reseller says nothing of whoever bought from others.
            updates_customer: settings.qlm.updates_customers && !by_reseller,
            ordered: Some(day.midnight()),
            paid,
            order: number,
            provider: caller.to_lowercase(),
            item: item.map(|item| base64::url(&Sha256::digest(item))),
            keys: if product.rules.qlm_keys {
                KeyShape::Qlm { letter: activation_letter(model), groups: settings.qlm.groups }
            } else {
                KeyShape::Own
            },
            subscription: subscription.map(|id| (caller.to_lowercase(), id)),
            note,
            mails_keys,
            template: args.text("is_emailtemplate").map(str::to_owned),
            keys_per_day: settings.qlm.protect.keys_per_day,
            licenses_most: settings.qlm.rules.licenses,
            ..Issue::one(product.code.clone(), order.terms)
        };
        Ok(Ok(Planned { visitor: Visitor::Extension { name: caller }, product, issue }))
    }

    pub(in crate::desk) async fn make_keys(&self, planned: Planned) -> Result<Result<Issued, QlmRefused>, Fault> {
        let Planned { visitor, product, issue } = planned;
        Ok(match self.issue(&visitor, issue).await {
            Ok(issued) => Ok(issued),
            Err(ActError::Fault(fault)) => return Err(fault),
            Err(ActError::Refused(refused)) => match refused.refusal {
                Refusal::Qlm(refusal) => Err(protected(refusal).of(&product)),
                other => Err(QlmRefused::new(ErrorCode::License, other.words().sentence()).of(&product)),
            },
            Err(ActError::Field { message, .. }) => Err(QlmRefused::new(ErrorCode::MissingArgument, message).of(&product)),
            Err(error) => Err(QlmRefused::new(ErrorCode::License, error.to_string()).of(&product)),
        })
    }
}

/// What an order comes to, before anything is written.
pub(in crate::desk) struct Planned {
    visitor: Visitor,
    pub product: Product,
    pub issue: Issue,
}

pub(in crate::desk) fn no_quantity(name: &str) -> QlmRefused {
    QlmRefused::new(ErrorCode::MissingArgument, format!("The quantity {name} is no whole number."))
}

/// What the customer is called.
fn named(name: &str) -> String {
    if name.chars().any(is_hidden) { String::new() } else { name.chars().take(200).collect() }
}

/// Whose order it is. An address that cannot be one costs nobody their key: it is noted as it came.
fn customer(email: Option<&str>) -> (Option<Email>, String) {
    match email.map(|text| (text, Email::parse(text))) {
        Some((_, Ok(email))) => (Some(email), String::new()),
        Some((text, Err(_))) => {
            let text: String = text.chars().filter(|c| !is_hidden(*c)).take(200).collect();
            (None, format!("The shop named this address, which is none: {text}"))
        }
        None => (None, String::new()),
    }
}
