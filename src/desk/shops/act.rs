//! One event, acted on: read by the shop's map, its products found among the vendor's properties, and done by the acts of every door.

use super::{Ended, day_of, shop_map};
use crate::{
    desk::{
        ActError, Area, Desk, Fault, Level, QlmRefused, Visitor,
        licenses::Once,
        qlm::{LicensesNamed, NewEnd, Ordered, Plan, Planned, Renewal, Upgrade, is_of, no_quantity},
    },
    licensing::{
        Email, OrderId,
        issue::batch,
        license::{License, Limit},
        product::Product,
        qlm::{Args, ErrorCode, providers},
        shops::{Payload, ShopAct, ShopCustomer, ShopItem, ShopMap, ShopOrder, Signing, cents},
    },
    store::{CustomerSaid, EventState, Extension, NAMES_OF_EVENTS, ShopEvent},
};

/// What would come of a payload: a sentence for each thing that would be done, or why it would not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried(pub Vec<Result<String, String>>);

/// Arguments that no buyer says: for how many computers it is, and who sells it.
const COUNTS: [&str; 5] =
    ["is_quantity", "is_numberofactivationsperkey", "is_additionalactivations", "is_usemultipleactivationskey", "is_affiliateid"];

/// Arguments that a shop's product never says: who calls, and by which password.
const NEVER: [&str; 4] = ["is_user", "is_pwd", "is_vendor", "is_args"];

impl Desk {
    /// What would come of a payload, by a map as it is typed. Nothing is written, and no signature asked for.
    pub async fn try_shop_payload(
        &self,
        visitor: &Visitor,
        extension: &str,
        map: Option<&str>,
        headers: &[(String, String)],
        body: &str,
    ) -> Result<Tried, ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let extension = self.read().await?.extension(extension).await?.ok_or(ActError::NotFound)?;
        let map = match map {
            Some(text) => ShopMap::parse(text).map_err(|error| ActError::field("map", error.to_string()))?,
            None => shop_map(&extension),
        };
        let payload =
            Payload::read(body.as_bytes(), headers.to_vec()).map_err(|error| ActError::field("payload", error.to_string()))?;
        let mut lines = Vec::new();
        // By a map that is not saved, the shop is not asked for more: the key is for the host of the one that is.
        let mut asked = extension.clone();
        if map != shop_map(&extension) {
            asked.api_key = None;
        }
        for event in payload.events(&map.events) {
            lines.extend(self.try_event(&asked, &map, event).await?);
        }
        Ok(Tried(lines))
    }

    async fn try_event(
        &self,
        extension: &Extension,
        map: &ShopMap,
        payload: Payload,
    ) -> Result<Vec<Result<String, String>>, Fault> {
        let payload = match self.completed(extension, map, payload).await? {
            Ok(payload) => payload,
            Err(message) => return Ok(vec![Err(message)]),
        };
        let read = map.read(&payload);
        let is_end = matches!(read, Ok(ShopAct::End(_)));
        let (order, what) = match read {
            Err(error) => return Ok(vec![Err(error.to_string())]),
            Ok(ShopAct::Nothing) => {
                return Ok(vec![Ok("This event is none of ours: nothing would be done.".to_owned())]);
            }
            Ok(ShopAct::Customer(customer)) => {
                let email = customer.email.unwrap_or_else(|| "nobody".to_owned());
                return Ok(vec![Ok(format!("What is known of the customer {email} would be brought up to date."))]);
            }
            Ok(ShopAct::Order(order) | ShopAct::SubscriptionPayment(order)) => (order, "order"),
            Ok(ShopAct::Renew(order)) => (order, "extended"),
            Ok(ShopAct::Maintain(order)) => (order, "maintained"),
            Ok(ShopAct::Revoke(order) | ShopAct::End(order)) => (order, "revoked"),
        };
        let change = match what {
            "revoked" => Some(if is_end { Change::End } else { Change::Revoke }),
            _ => None,
        };
        if what != "order" {
            let names = LicensesNamed {
                subscription: order.subscription.as_deref(),
                order: order.number.as_deref(),
                ..LicensesNamed::default()
            };
            let found = self.licenses_of(&extension.name.to_lowercase(), &names).await?;
            let until = order.until.map(|until| format!(" through {}", until.date())).unwrap_or_default();
            return Ok(vec![match found {
                Ok(_) if change.is_some_and(|change| !self.revokes(change, &order)) => {
                    Ok("Nothing would be revoked, by the settings: it would wait for staff.".to_owned())
                }
                Ok(found) => Ok(format!("{} would be {what}{until}.", licenses(found.len()))),
                Err(refused) => Err(refused.message),
            }]);
        }
        let mut lines = Vec::new();
        for place in 0..order.items.len() {
            lines.push(match self.plan_item(extension, map, &order, place).await? {
                Ok(Item::Keys(planned)) => Ok(told(&planned, &order)),
                Ok(Item::Maintenance) => {
                    Ok("The maintenance plan of the license with the buyer’s key would be extended.".to_owned())
                }
                Ok(Item::Upgrade) => Ok("The license with the buyer’s key would be upgraded, and have a new key.".to_owned()),
                Ok(Item::Customer) => Ok("What is known of the customer would be brought up to date.".to_owned()),
                Err(refused) => Err(refused.message),
            });
        }
        Ok(lines)
    }

    /// Acts on an event.
    ///
    /// `done` says that it was acted on before: what would count twice is not done again. Neither is it where two act on it at one time, or
    /// one stopped before it could say that it was done.
    pub(super) async fn act_on(
        &self,
        extension: &Extension,
        map: &ShopMap,
        payload: Payload,
        event: &ShopEvent,
        done: bool,
    ) -> Result<Ended, Fault> {
        let payload = match self.completed(extension, map, payload).await? {
            Ok(payload) => payload,
            Err(message) => return Ok(Ended::later(message)),
        };
        match map.read(&payload) {
            Err(error) => Ok(Ended::failed(error.to_string())),
            Ok(ShopAct::Renew(order) | ShopAct::SubscriptionPayment(order)) if done && order.until.is_none() => {
                Ok(Ended::done("It was acted on before, and doing it again would give more time again.".to_owned(), None))
            }
            Ok(ShopAct::Maintain(_)) if done => {
                Ok(Ended::done("It was acted on before, and doing it again would give more time again.".to_owned(), None))
            }
            Ok(ShopAct::Nothing) => {
                Ok(Ended { state: EventState::Ignored, said: "This event is none of ours.".to_owned(), order: None })
            }
            Ok(ShopAct::Customer(customer)) => self.known_customer(&customer).await,
            Ok(ShopAct::Order(order)) => self.order_items(extension, map, &order, event, done).await,
            Ok(ShopAct::SubscriptionPayment(order)) => {
                if self.is_renewal(extension, &order).await? {
                    // What is paid later is looked at as what was paid first.
                    for item in &order.items {
                        if let Err(refused) = self.item_args(map, item).await? {
                            return Ok(Ended::failed(refused.message));
                        }
                    }
                    self.change_of(extension, &order, Change::Renew, event).await
                } else {
                    self.order_items(extension, map, &order, event, done).await
                }
            }
            Ok(ShopAct::Renew(order)) => self.change_of(extension, &order, Change::Renew, event).await,
            Ok(ShopAct::Maintain(order)) => self.change_of(extension, &order, Change::Maintain, event).await,
            Ok(ShopAct::Revoke(order)) => self.change_of(extension, &order, Change::Revoke, event).await,
            Ok(ShopAct::End(order)) => self.change_of(extension, &order, Change::End, event).await,
        }
    }

    /// A payload with what its form gathers and what its shop is asked for besides.
    async fn completed(
        &self,
        extension: &Extension,
        map: &ShopMap,
        mut payload: Payload,
    ) -> Result<Result<Payload, String>, Fault> {
        if matches!(map.signing, Signing::TwoCheckout | Signing::PayPal) {
            payload.gather();
        }
        if let (Some(address), Some(key)) =
            (map.fetch_address(&payload), self.extension_secret(extension, "api", extension.api_key.as_deref())?)
        {
            match self.outbound.get_as(&address, &String::from_utf8_lossy(key.as_slice())).await {
                Ok(answer) => payload.add("fetched", answer),
                Err(error) => return Ok(Err(format!("The shop was asked for more, and {error}."))),
            }
        }
        Ok(Ok(payload))
    }

    /// Whether a subscription's payment is for licenses that are there: not the first, and not the first once more.
    async fn is_renewal(&self, extension: &Extension, order: &ShopOrder) -> Result<bool, Fault> {
        let provider = extension.name.to_lowercase();
        let mut conn = self.read().await?;
        if let Some(number) = &order.number
            && conn.order_of(&provider, number).await?.is_some()
        {
            return Ok(false);
        }
        Ok(match &order.subscription {
            Some(subscription) => !conn.licenses_of_subscription(&provider, subscription).await?.is_empty(),
            None => false,
        })
    }

    async fn order_items(
        &self,
        extension: &Extension,
        map: &ShopMap,
        order: &ShopOrder,
        event: &ShopEvent,
        done: bool,
    ) -> Result<Ended, Fault> {
        // All are looked at before any is made: half an order is worse than none.
        let (mut planned, mut others) = (Vec::new(), Vec::new());
        for place in 0..order.items.len() {
            match self.plan_item(extension, map, order, place).await? {
                Ok(Item::Keys(plan)) => planned.push(*plan),
                Ok(other) => others.push((place, other)),
                Err(refused) => return Ok(Ended::failed(refused.message)),
            }
        }
        let (mut made, mut of) = (0, None);
        for plan in planned {
            match self.make_keys(plan).await? {
                Ok(issued) => {
                    made += issued.licenses.len();
                    of = Some(issued.order);
                }
                Err(refused) => return Ok(Ended::failed(refused.message)),
            }
        }
        let mut said = if made > 0 { vec![format!("{} issued.", licenses(made))] } else { Vec::new() };
        for (place, item) in others {
            let done = match item {
                Item::Keys(_) => continue,
                // It would give more time again.
                Item::Maintenance if done => continue,
                Item::Maintenance => self.maintain_item(extension, map, order, place, event.id).await?,
                Item::Upgrade => self.upgrade_item(extension, map, order, place).await?,
                Item::Customer => Ok(self.known_customer(&order.customer).await?.said),
            };
            match done {
                Ok(message) => said.push(message),
                Err(refused) => return Ok(Ended::failed(refused.message)),
            }
        }
        Ok(Ended::done(said.join(" "), of))
    }

    /// The arguments of an item: the vendor's own property first, then what the shop's product carries.
    async fn item_args(&self, map: &ShopMap, item: &ShopItem) -> Result<Result<Args, QlmRefused>, Fault> {
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

    /// What an item is: keys, or something for a license that is there.
    async fn plan_item(
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
        let mails = args.flag("is_send_mail").ok().flatten().unwrap_or(true);
        // By its place in the order: what the product is called or says may be another when the same order comes again.
        let fingerprint = format!("item {place}");
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
    async fn license_of_item(
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

    /// A maintenance plan that was bought for the license whose key the buyer typed.
    async fn maintain_item(
        &self,
        extension: &Extension,
        map: &ShopMap,
        order: &ShopOrder,
        place: usize,
        event: i64,
    ) -> Result<Result<String, QlmRefused>, Fault> {
        let item = &order.items[place];
        let args = match self.item_args(map, item).await? {
            Ok(args) => args,
            Err(refused) => return Ok(Err(refused)),
        };
        let found = match self.license_of_item(extension, order, item, false).await? {
            Ok(found) => found,
            Err(refused) => return Ok(Err(refused)),
        };
        let plan = match Plan::read(&args, &self.settings().qlm.orders, true) {
            Ok(plan) => plan,
            Err(refused) => return Ok(Err(refused)),
        };
        let visitor = Visitor::Extension { name: extension.name.clone() };
        self.maintain_licenses(&visitor, found, plan, Some(once(event, place))).await
    }

    /// An upgrade of the license whose key the buyer typed.
    async fn upgrade_item(
        &self,
        extension: &Extension,
        map: &ShopMap,
        order: &ShopOrder,
        place: usize,
    ) -> Result<Result<String, QlmRefused>, Fault> {
        let item = &order.items[place];
        let args = match self.item_args(map, item).await? {
            Ok(args) => args,
            Err(refused) => return Ok(Err(refused)),
        };
        let Some(key) = item.key.clone() else {
            let message = "The buyer typed no key of the license to be upgraded, where the map looks for it.";
            return Ok(Err(QlmRefused::new(ErrorCode::NotProvided, message)));
        };
        let mails_keys = args.flag("is_send_mail").ok().flatten().unwrap_or(true);
        let wish = Upgrade {
            key,
            args,
            order: order.number.clone(),
            item: format!("upgrade {place}"),
            mails_keys,
            email: order.customer.email.clone(),
            paid: paid(order),
        };
        let upgraded = self.upgrade_license(Some(extension), wish).await?;
        Ok(upgraded.map(|_| "One license upgraded.".to_owned()))
    }

    async fn change_of(
        &self,
        extension: &Extension,
        order: &ShopOrder,
        change: Change,
        event: &ShopEvent,
    ) -> Result<Ended, Fault> {
        let mut found = None;
        // A refund may name an order by another of its numbers.
        for number in order.number.iter().chain(&order.others).map(Some).chain(order.number.is_none().then_some(None)) {
            let names = LicensesNamed {
                subscription: order.subscription.as_deref(),
                order: number.map(String::as_str),
                ..LicensesNamed::default()
            };
            let these = self.licenses_of(&extension.name.to_lowercase(), &names).await?;
            let is_found = these.is_ok();
            found = Some(these);
            if is_found {
                break;
            }
        }
        let found = match found.map(|found| found.and_then(|found| of_extension(extension, found))) {
            Some(Ok(found)) => found,
            Some(Err(refused)) => return Ok(Ended::failed(refused.message)),
            None => return Ok(Ended::failed("The event names no order.".to_owned())),
        };
        let (count, of) = (found.len(), found.first().and_then(|(license, _)| license.order));
        let visitor = Visitor::Extension { name: extension.name.clone() };
        let (done, what) = match change {
            Change::Renew => {
                let end = order.until.map_or(NewEnd::AsBefore, |until| NewEnd::NotBefore(until.date()));
                // A day that is said is the same however often it is set.
                let once = order.until.is_none().then(|| once(event.id, 0));
                let renewal = Renewal { end, properties: Vec::new(), once, paid: event.received };
                (self.renew_licenses(&visitor, found, renewal).await?, "extended")
            }
            Change::Maintain => {
                let plan = match Plan::read(&Args::default(), &self.settings().qlm.orders, true) {
                    Ok(plan) => plan,
                    Err(refused) => return Ok(Ended::failed(refused.message)),
                };
                (self.maintain_licenses(&visitor, found, plan, Some(once(event.id, 0))).await?, "maintained")
            }
            Change::Revoke | Change::End => {
                match self.refund_of_part(of, order, event).await? {
                    Ok(false) => {}
                    Ok(true) => {
                        let said = "A part of what was paid was given back, so nothing was revoked.".to_owned();
                        return Ok(Ended { state: EventState::Ignored, said, order: of });
                    }
                    Err(said) => return Ok(Ended { order: of, ..Ended::failed(said) }),
                }
                // Counted all the same, and staff sees that it waits.
                if !self.revokes(change, order) {
                    let said = "By the settings, nothing is revoked for this. Disable the licenses, or let them be.".to_owned();
                    return Ok(Ended { order: of, ..Ended::failed(said) });
                }
                let reason = format!("Refunded or cancelled at {}.", extension.name);
                (self.revoke_licenses(&visitor, found, true, reason).await?, "revoked")
            }
        };
        Ok(match done {
            Ok(_) => Ended::done(format!("{} {what}.", licenses(count)), of),
            Err(refused) => Ended::failed(refused.message),
        })
    }

    /// Whether what is refunded, or what is over, loses its licenses.
    fn revokes(&self, change: Change, order: &ShopOrder) -> bool {
        let settings = self.settings();
        let rules = &settings.qlm.rules;
        // What names its subscription alone is over, and was not given back.
        let is_refund = matches!(change, Change::Revoke) && order.number.is_some();
        if is_refund { rules.revokes_refunded } else { rules.revokes_canceled }
    }

    /// Whether less was given back so far than was paid; it was not where what was paid is not known. Says what is no amount.
    async fn refund_of_part(
        &self,
        of: Option<OrderId>,
        order: &ShopOrder,
        event: &ShopEvent,
    ) -> Result<Result<bool, String>, Fault> {
        let (Some(refunded), Some(of)) = (order.refunded.as_deref(), of) else { return Ok(Ok(false)) };
        let Some(refunded) = cents(refunded.trim_start_matches('-')) else {
            let text: String = refunded.chars().take(40).collect();
            return Ok(Err(format!(
                "What was given back is no amount: {text:?}. Revoke the licenses, or mend the map’s amount."
            )));
        };
        let Some(paid) = self.read().await?.order_paid(of).await? else { return Ok(Ok(false)) };
        let (name, now) = (format!("refund-{}", event.id), self.now());
        let so_far = self.store.write(move |conn| {
            let name = name.clone();
            Box::pin(async move {
                // An event counts once, however often it is acted on.
                let more = if conn.keep_form_result(&name, NAMES_OF_EVENTS, "", now).await? { refunded } else { 0 };
                conn.add_refund(of, more).await
            })
        });
        Ok(Ok(so_far.await? < paid))
    }

    /// What a shop says of somebody who is a customer already.
    async fn known_customer(&self, said: &ShopCustomer) -> Result<Ended, Fault> {
        let Some(Ok(email)) = said.email.as_deref().map(Email::parse) else {
            return Ok(Ended::failed("The event names no customer’s address.".to_owned()));
        };
        let said = said.clone();
        let known = self.store.write(move |conn| {
            let (email, said) = (email.clone(), said.clone());
            Box::pin(async move {
                let Some(customer) = conn.customer_by_email(&email).await? else { return Ok(false) };
                let plain = |text: &Option<String>| text.clone().filter(|text| text.chars().count() <= 200);
                let (name, company) = (plain(&said.name), plain(&said.company));
                // A phone gets codes: no shop says whose it is.
                let said = CustomerSaid { name: name.as_deref(), company: company.as_deref(), phone: None };
                conn.update_customer(customer.id, &customer.email, &said).await
            })
        });
        Ok(if known.await? {
            Ended::done("The customer’s name and company were brought up to date.".to_owned(), None)
        } else {
            Ended { state: EventState::Ignored, said: "They are no customer here.".to_owned(), order: None }
        })
    }
}

/// What an item of an order asks for (`webhook_action`).
enum Item {
    Keys(Box<Planned>),
    Maintenance,
    Upgrade,
    Customer,
}

const ACTIONS: [&str; 5] =
    ["GetActivationKey", "GetActivationKeyWithExpiryDate", "RenewMaintenancePlan", "UpgradeLicense", "UpdateUserInformation"];

/// The name of what an event does to what is there already.
fn once(event: i64, place: usize) -> Once {
    Once::event(format!("event-{event}/{place}"))
}

/// What was paid for an order, in hundredths, where every item says it.
fn paid(order: &ShopOrder) -> Option<i64> {
    order.items.iter().map(|item| item.amount.as_deref().and_then(cents)).sum()
}

/// Those a shop may change: a reseller's only what it sold.
fn of_extension(extension: &Extension, mut found: Vec<(License, Product)>) -> Result<Vec<(License, Product)>, QlmRefused> {
    found.retain(|(license, _)| is_of(extension, license));
    let none = || QlmRefused::new(ErrorCode::LicenseNotFound, "There is no license of this shop with this name.");
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

#[derive(Clone, Copy)]
enum Change {
    Renew,
    Maintain,
    Revoke,
    End,
}

fn licenses(count: usize) -> String {
    if count == 1 { "One license".to_owned() } else { format!("{count} licenses") }
}

/// What would be issued, as one sentence.
fn told(planned: &Planned, order: &ShopOrder) -> String {
    let issue = &planned.issue;
    let made = batch(issue.quantities, issue.quantity_settings).ok();
    let (keys, seats) = made.map_or((1, 1), |made| (made.keys, made.seats_each));
    let qlm = issue.terms.qlm.clone().unwrap_or_default();
    let seats = match issue.terms.seats {
        Limit::Unlimited => "any number of computers".to_owned(),
        Limit::AtMost(_) if seats == 1 => "one computer".to_owned(),
        Limit::AtMost(_) => format!("{seats} computers"),
    };
    let keys = if keys == 1 { "One key".to_owned() } else { format!("{keys} keys, each") };
    let expiry = issue.terms.expiry;
    let end = match (expiry.on, expiry.days_after_first_activation, expiry.days_counted_by_client) {
        (Some(end), ..) => format!("good through {}", end.plus_seconds(-1).date()),
        (None, Some(days), _) => format!("good for {days} days from its first activation"),
        (None, None, Some(days)) => format!("good for {days} days from its first start"),
        (None, None, None) => "without an end".to_owned(),
    };
    let features = qlm.features.text();
    let features = if features.is_empty() { String::new() } else { format!(", features {features}") };
    let whom = issue.customer.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
    let number = order.number.as_deref().unwrap_or("without a number");
    let mail = if issue.mails_keys && issue.customer.is_some() { " They would get it by mail." } else { "" };
    format!(
        "{keys} of {} {}.{}, for {seats}, {}, {end}{features}; order {number} of {whom}.{mail}",
        planned.product.name,
        qlm.major,
        qlm.minor,
        qlm.model.as_str()
    )
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
