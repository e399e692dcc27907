//! What an order's items are: keys to be made, or something for a license that is there. Nothing is written here.

use sha2::{Digest, Sha256};

use super::day_of;
use crate::{
    desk::{
        Desk, Fault, QlmRefused,
        qlm::{LicensesNamed, Ordered, Planned, is_of, newest_of, no_quantity},
    },
    licensing::{
        ActivationKey,
        files::base64,
        license::License,
        product::Product,
        qlm::{Args, ErrorCode, providers},
        shops::{ShopItem, ShopMap, ShopOrder, ShopReply, Signing, cents},
    },
    store::Extension,
};

/// Arguments that no buyer says: for how many computers it is, who sells it, and what is done.
const COUNTS: [&str; 7] = [
    "is_quantity",
    "is_numberofactivationsperkey",
    "is_additionalactivations",
    "is_usemultipleactivationskey",
    "is_floating",
    "is_affiliateid",
    "webhook_action",
];

/// Arguments that a shop's product never says: who calls, and by which password.
const NEVER: [&str; 4] = ["is_user", "is_pwd", "is_vendor", "is_args"];

/// What an item of an order asks for (`webhook_action`).
pub(super) enum Item {
    Keys(Box<Planned>),
    Maintenance,
    Upgrade,
    Customer,
}

const ACTIONS: [&str; 5] =
    ["GetActivationKey", "GetActivationKeyWithExpiryDate", "RenewMaintenancePlan", "UpgradeLicense", "UpdateUserInformation"];

impl Desk {
    /// The arguments of an item: the vendor's own property first, then what the shop's product carries.
    pub(super) async fn item_args(&self, map: &ShopMap, item: &ShopItem) -> Result<Result<Args, QlmRefused>, Fault> {
        let mut args = Args::default();
        let mut property = None;
        let mut conn = self.read().await?;
        for name in &item.names {
            if let Some(found) = conn.property(name).await? {
                property = Some(found.value);
                break;
            }
        }
        drop(conn);
        let is_property = property.is_some();
        // A SKU may hold the arguments themselves, where the map says so.
        let literal = item.literal.clone().filter(|text| text.starts_with('&') && !is_property);
        if let Some(fragment) = property {
            args.expand(fragment_pairs(&fragment), |name| !NEVER.contains(&name));
        }
        // What is due is said by the vendor's property alone.
        let of_shop = |name: &str| !NEVER.contains(&name) && !["is_price", "is_currency"].contains(&name);
        if let Some(fragment) = literal {
            args.expand(fragment_pairs(&fragment), of_shop);
        }
        args.expand(item.arguments.clone(), of_shop);
        if let Some(data) = &item.user_data {
            args.expand(vec![("is_userdata1".to_owned(), data.clone())], of_shop);
        }
        if let (Some(fragment), false) = (&item.passed_on, self.settings().qlm.rules.ignores_custom) {
            args.expand(fragment_pairs(fragment), |name| of_shop(name) && !COUNTS.contains(&name));
        }
        if args.text("is_productid").is_none() && args.text("webhook_action").is_none() {
            let names = if item.names.is_empty() { "no name".to_owned() } else { item.names.join(", ") };
            let message = format!("What was bought is no product here yet. Add a property for it: {names}.");
            return Ok(Err(QlmRefused::new(ErrorCode::NoProduct, message)));
        }
        let mismatch = |message: String| Ok(Err(QlmRefused::new(ErrorCode::NotValid, message)));
        match (args.text("is_price"), args.text("is_currency")) {
            (Some(price), Some(currency)) => {
                let quantity = item.quantity.as_deref().and_then(providers::quantity).unwrap_or(1).max(1);
                let paid = item.amount.as_deref().and_then(cents);
                let due = cents(price).and_then(|price| price.checked_mul(i64::from(quantity)));
                if due.is_none() || paid < due || !item.currency.as_deref().unwrap_or_default().eq_ignore_ascii_case(currency) {
                    let paid = item.amount.clone().unwrap_or_else(|| "nothing".to_owned());
                    let in_currency = item.currency.clone().unwrap_or_default();
                    return mismatch(format!("{paid} {in_currency} was paid, and {price} {currency} for each is due."));
                }
            }
            (None, None) if map.signing != Signing::PayPal => {}
            // Whoever pays chooses the amount: only the vendor knows what is due.
            _ => {
                let message = "Say in this product’s property what is due for one: is_price=49.00&is_currency=EUR.";
                return mismatch(message.to_owned());
            }
        }
        Ok(Ok(args))
    }

    /// The arguments of every item.
    pub(super) async fn all_args(&self, map: &ShopMap, order: &ShopOrder) -> Result<Result<Vec<Args>, QlmRefused>, Fault> {
        let mut all = Vec::with_capacity(order.items.len());
        for item in &order.items {
            match self.item_args(map, item).await? {
                Ok(args) => all.push(args),
                Err(refused) => return Ok(Err(refused)),
            }
        }
        Ok(Ok(all))
    }

    /// The arguments of items, of those that have any: what of them is no product here is passed over.
    pub(super) async fn some_args(&self, map: &ShopMap, order: &ShopOrder) -> Result<Vec<Args>, Fault> {
        let mut all = Vec::with_capacity(order.items.len());
        for item in &order.items {
            all.extend(self.item_args(map, item).await?.ok());
        }
        Ok(all)
    }

    /// Whether an order does something to licenses that are there.
    pub(super) async fn changes_licenses(&self, map: &ShopMap, order: &ShopOrder) -> Result<bool, Fault> {
        let changes = |args: &Args| {
            let action = args.text("webhook_action").unwrap_or(ACTIONS[0]);
            !ACTIONS[..2].iter().any(|known| known.eq_ignore_ascii_case(action))
        };
        Ok(self.some_args(map, order).await?.iter().any(changes))
    }

    /// The keys an item of an order has, which was acted on: those that were made for it, or of the license that is there.
    pub(super) async fn keys_of_item(
        &self,
        extension: &Extension,
        map: &ShopMap,
        order: &ShopOrder,
        place: usize,
    ) -> Result<Vec<String>, Fault> {
        let item = &order.items[place];
        let action = self.item_args(map, item).await?.ok().and_then(|args| args.text("webhook_action").map(str::to_owned));
        if action.is_some_and(|action| ACTIONS[2..4].iter().any(|known| known.eq_ignore_ascii_case(&action))) {
            let found = self.license_of_item(extension, order, item, true).await?.unwrap_or_default();
            return Ok(found.into_iter().filter_map(|(license, _)| license.key).map(|key| key.text()).collect());
        }
        let mut conn = self.read().await?;
        let number = order.number.as_deref().unwrap_or_default();
        let Some(order) = conn.order_of(&extension.name.to_lowercase(), number).await? else { return Ok(Vec::new()) };
        let mut keys = Vec::new();
        for id in conn.licenses_of_item(order.id, &base64::url(&Sha256::digest(fingerprint(item, place)))).await? {
            let Some((license, product, _)) = conn.license(id).await? else { continue };
            let (license, _) = newest_of(&mut conn, license, product).await?;
            keys.extend(license.key.as_ref().map(ActivationKey::text));
        }
        Ok(keys)
    }

    /// Whether the buyer gets the key by mail.
    pub(super) fn mails_order(&self, map: &ShopMap, args: &Args) -> bool {
        // A shop that is answered with the keys hands them over itself.
        let by_us = map.answer == ShopReply::Taken && self.settings().qlm.rules.mails_orders;
        args.flag("is_send_mail").ok().flatten().unwrap_or(by_us)
    }

    /// What an item is: keys, or something for a license that is there.
    pub(super) async fn plan_item(
        &self,
        extension: &Extension,
        map: &ShopMap,
        order: &ShopOrder,
        place: usize,
    ) -> Result<Result<Item, QlmRefused>, Fault> {
        let item = &order.items[place];
        let args = match self.item_args(map, item).await? {
            Ok(args) => args,
            Err(refused) => return Ok(Err(refused)),
        };
        let action = args.text("webhook_action").unwrap_or(ACTIONS[0]);
        let upgrades = action.eq_ignore_ascii_case(ACTIONS[3]);
        if (upgrades || action.eq_ignore_ascii_case(ACTIONS[2]))
            && let Err(refused) = self.license_of_item(extension, order, item, upgrades).await?
        {
            return Ok(Err(refused));
        }
        match ACTIONS.iter().position(|known| known.eq_ignore_ascii_case(action)) {
            Some(0 | 1) => {}
            Some(2) => return Ok(Ok(Item::Maintenance)),
            Some(3) => return Ok(Ok(Item::Upgrade)),
            Some(_) => return Ok(Ok(Item::Customer)),
            None => {
                let message = format!("The product’s webhook_action is one of {}.", ACTIONS.join(", "));
                return Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, message)));
            }
        }
        let quantity = match item.quantity.as_deref().map(providers::quantity) {
            Some(None) => return Ok(Err(no_quantity("of this item"))),
            quantity => quantity.flatten(),
        };
        let mut args = args;
        if let Some(until) = order.until {
            let until = self.settings().qlm.orders.dates.write(until);
            args.expand(vec![("is_expdate".to_owned(), until)], |_| true);
        }
        let mails = self.mails_order(map, &args);
        // By its place in the order: what the product is called or says may be another when the same order comes again.
        let fingerprint = fingerprint(item, place);
        let ordered = Ordered {
            caller: extension.name.clone(),
            number: order.number.clone(),
            subscription: order.subscription.clone(),
            quantity,
            email: order.customer.email.clone(),
            name: order.customer.name.clone().unwrap_or_default(),
            company: order.customer.company.clone().unwrap_or_default(),
            affiliate: extension.affiliate.clone(),
            paid: paid(order),
            day: day_of(order.ordered, self.now()),
            item: order.number.as_ref().map(|_| fingerprint),
            mails_keys: mails,
            args,
        };
        Ok(self.plan_keys(ordered).await?.map(|planned| Item::Keys(Box::new(planned))))
    }

    /// The licenses an item is for, which its buyer named by a key, or a plan's by the subscription.
    pub(super) async fn license_of_item(
        &self,
        extension: &Extension,
        order: &ShopOrder,
        item: &ShopItem,
        by_key_alone: bool,
    ) -> Result<Result<Vec<(License, Product)>, QlmRefused>, Fault> {
        if by_key_alone && item.key.is_none() {
            let message = "The buyer typed no key of the license this is for, where the map looks for it.";
            return Ok(Err(QlmRefused::new(ErrorCode::NotProvided, message)));
        }
        let names =
            LicensesNamed { key: item.key.as_deref(), subscription: order.subscription.as_deref(), ..LicensesNamed::default() };
        let found = self.licenses_of(&extension.name.to_lowercase(), &names).await?;
        Ok(found.and_then(|found| of_extension(extension, found)))
    }
}

/// What tells an item from the others of its order. The first is the same whether it has a number or a place.
fn fingerprint(item: &ShopItem, place: usize) -> String {
    match item.id.as_deref().filter(|id| *id != "1") {
        Some(id) => format!("item {id:?}"),
        None => format!("item {place}"),
    }
}

/// What was paid for an order, in hundredths, where every item says it.
pub(super) fn paid(order: &ShopOrder) -> Option<i64> {
    order.items.iter().map(|item| item.amount.as_deref().and_then(cents)).sum()
}

/// Those a shop may change: a reseller's only what it sold.
pub(super) fn of_extension(
    extension: &Extension,
    mut found: Vec<(License, Product)>,
) -> Result<Vec<(License, Product)>, QlmRefused> {
    found.retain(|(license, _)| is_of(extension, license));
    let none = || QlmRefused::new(ErrorCode::LicenseNotFound, "There is no license of this shop with this name.");
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

pub(super) fn licenses(count: usize) -> String {
    if count == 1 { "One license".to_owned() } else { format!("{count} licenses") }
}

/// `&is_productid=1&…` as pairs.
pub(super) fn fragment_pairs(fragment: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(fragment.trim().trim_start_matches(['&', '?']).as_bytes()).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_begins_with_a_sign_or_without_one() {
        let expected = vec![("is_productid".to_owned(), "1".to_owned()), ("is_features".to_owned(), "0:1;1:2".to_owned())];
        for text in ["&is_productid=1&is_features=0:1%3B1:2", "is_productid=1&is_features=0:1;1:2"] {
            assert_eq!(fragment_pairs(text), expected, "{text}");
        }
    }
}
