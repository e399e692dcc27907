//! Keys for an order (`GetActivationKey`, `GetActivationKeyWithExpiryDate`, §4): one act for both, as the documentation uses them.

use sha2::{Digest, Sha256};

use super::{QlmCall, QlmRefused, product_numbered, switched};
use crate::{
    desk::{ActError, Desk, Fault, Issue, KeyShape, Visitor},
    licensing::{
        Email,
        files::base64,
        product::VersionNumber,
        qlm::{
            Args, ErrorCode,
            order::KeyOrder,
            providers::{self, Fields},
        },
    },
};

/// What an order made, or had made before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeKeys {
    /// With their dashes.
    pub keys: Vec<String>,
    /// The caller takes XML; others take one key a line.
    pub as_xml: bool,
}

/// Credentials say nothing of what is ordered, and neither does how the answer is wanted.
const NOT_ORDERED: [&str; 7] = ["is_user", "is_pwd", "is_vendor", "is_locale", "is_format", "is_writebom", "is_sign"];

impl Desk {
    /// Makes the keys an order asks for, or finds those it made before: the same order of the same shop, with the same arguments, is the
    /// same keys.
    pub async fn qlm_create_keys(&self, call: &QlmCall) -> Result<Result<MadeKeys, QlmRefused>, Fault> {
        let settings = self.settings();
        if let Err(refused) = switched(settings.qlm.create, "enableGetActivationKey") {
            return Ok(Err(refused));
        }
        let extension = match self.caller(call).await? {
            Ok(extension) => extension,
            Err(refused) => return Ok(Err(refused)),
        };
        let class = extension.as_ref().map_or("", |extension| extension.class.as_str());
        let name = extension.as_ref().map_or("qlm", |extension| extension.name.as_str());
        let fields = providers::fields(class);
        let quantity = match call.args.first(&fields.quantity).map(providers::quantity) {
            Some(None) => {
                let message = format!("The quantity {} is no whole number.", fields.quantity[0]);
                return Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, message)));
            }
            quantity => quantity.flatten(),
        };
        let ordered = match KeyOrder::read(&call.args, &settings.qlm.orders, self.now().date(), quantity) {
            Ok(ordered) => ordered,
            Err(error) => return Ok(Err(error.into())),
        };
        let mut conn = self.read().await?;
        let product = match product_numbered(&mut conn, ordered.product.0).await? {
            Ok(product) => product,
            Err(refused) => return Ok(Err(refused)),
        };
        let known = conn.releases(product.id).await?;
        drop(conn);
        let wanted = VersionNumber { major: ordered.product.1, minor: ordered.product.2 };
        if !known.is_empty() && !known.iter().any(|release| release.version.number() == wanted) {
            let message = format!("{} has no version {wanted}. Its vendor adds versions.", product.name);
            return Ok(Err(QlmRefused::new(ErrorCode::NoProduct, message)));
        }
        if !product.authorization.by_key() {
            let message = "Licenses of this product are for users, and have no keys to answer with.";
            return Ok(Err(QlmRefused::new(ErrorCode::NotValid, message).of(&product)));
        }
        let order = call.args.first(&fields.order);
        let (customer, note) = customer(&call.args, &fields);
        let letter =
            crate::licensing::qlm::key::activation_letter(ordered.terms.qlm.as_ref().map(|qlm| qlm.model).unwrap_or_default());
        let issue = Issue {
            quantities: ordered.quantities,
            quantity_settings: ordered.settings,
            customer,
            customer_name: named(&call.args, &fields),
            order: order.map(str::to_owned),
            provider: name.to_lowercase(),
            // Without a number an order cannot be told from the next.
            item: order.map(|_| {
                base64::url(&Sha256::digest(
                    call.args.fingerprint(&[&fields.quantity[..], &fields.subscription].concat(), &NOT_ORDERED),
                ))
            }),
            keys: if product.rules.qlm_keys { KeyShape::Qlm { letter, groups: settings.qlm.groups } } else { KeyShape::Own },
            subscription: call.args.first(&fields.subscription).map(|id| (name.to_lowercase(), id.to_owned())),
            note,
            ..Issue::one(product.code.clone(), ordered.terms)
        };
        match self.issue(&Visitor::Extension { name: name.to_owned() }, issue).await {
            Ok(issued) => {
                let keys = issued.licenses.iter().filter_map(|license| license.key.as_ref()).map(|key| key.text()).collect();
                Ok(Ok(MadeKeys { keys, as_xml: class == "qlmauthenticationprovider" }))
            }
            Err(ActError::Fault(fault)) => Err(fault),
            Err(ActError::Field { message, .. }) => Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, message).of(&product))),
            Err(error) => Ok(Err(QlmRefused::new(ErrorCode::License, error.to_string()).of(&product))),
        }
    }
}

/// What the customer is called, as one name.
fn named(args: &Args, fields: &Fields) -> String {
    let name = [args.first(&fields.name), args.first(&fields.last_name)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    if name.chars().any(crate::licensing::text::is_hidden) { String::new() } else { name.chars().take(200).collect() }
}

/// Whose order it is. An address that cannot be one costs nobody their key: it is noted as it came.
fn customer(args: &Args, fields: &Fields) -> (Option<Email>, String) {
    match args.first(&fields.email).map(|text| (text, Email::parse(text))) {
        Some((_, Ok(email))) => (Some(email), String::new()),
        Some((text, Err(_))) => {
            let text: String = text.chars().filter(|c| !crate::licensing::text::is_hidden(*c)).take(200).collect();
            (None, format!("The shop named this address, which is none: {text}"))
        }
        None => (None, String::new()),
    }
}
