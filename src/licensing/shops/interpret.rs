//! What an event means, read by a map.

use alloc::{string::String, vec::Vec};

use serde_json::Value;

use super::{Condition, Payload, Rule, RuleAct, ShopMap, payload::text};
use crate::licensing::{Timestamp, qlm::DateFormat};

/// As many items as one order may have.
const MOST_ITEMS: usize = 200;

/// What an event asks to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum ShopAct {
    Order(ShopOrder),
    SubscriptionPayment(ShopOrder),
    Renew(ShopOrder),
    /// The same without a payment.
    Extend(ShopOrder),
    Maintain(ShopOrder),
    /// It was refunded.
    Revoke(ShopOrder),
    /// Its subscription is over.
    End(ShopOrder),
    /// What was refunded is paid after all.
    Restore(ShopOrder),
    Customer(ShopCustomer),
    /// It is none of ours.
    Nothing,
}

/// An order, or what is said of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShopOrder {
    pub number: Option<String>,
    /// Other numbers it may have been ordered under.
    pub others: Vec<String>,
    pub subscription: Option<String>,
    pub ordered: Option<Timestamp>,
    /// Until when it is paid for.
    pub until: Option<Timestamp>,
    /// What was given back of it, or paid after all, as it was written.
    pub refunded: Option<String>,
    pub customer: ShopCustomer,
    pub items: Vec<ShopItem>,
}

/// Something that was bought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShopItem {
    /// Names its product may be known by here, the most particular first.
    pub names: Vec<String>,
    /// What tells it from others of its order; none: its place.
    pub id: Option<String>,
    /// The key of the license that a buyer typed.
    pub key: Option<String>,
    /// What may be arguments itself.
    pub literal: Option<String>,
    /// Arguments that a buyer may have changed.
    pub passed_on: Option<String>,
    /// What is kept with the license as it is.
    pub user_data: Option<String>,
    /// Arguments the shop carries itself: names in lower case.
    pub arguments: Vec<(String, String)>,
    /// As they were written.
    pub quantity: Option<String>,
    pub amount: Option<String>,
    pub currency: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShopCustomer {
    pub email: Option<String>,
    pub name: Option<String>,
    pub company: Option<String>,
}

/// Why an event could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    #[error("No rule of the map fits this event.")]
    NoRule,
    #[error("The event names neither an order nor a subscription, where its rule looks: {0}.")]
    NoOrder(String),
    #[error("The event holds no list of what was bought, where its rule looks: {0}.")]
    NoItems(String),
    #[error("More than 200 items are in one order.")]
    TooMany,
    #[error("{path} is {text:?}, which is no date.")]
    Date { path: String, text: String },
}

impl ShopMap {
    /// What tells this event from others; none where the shop says nothing of the kind.
    #[must_use]
    pub fn event_name(&self, payload: &Payload) -> Option<String> {
        let parts: Vec<String> = self.event.iter().filter_map(|path| payload.text(path)).collect();
        (!parts.is_empty() && parts.len() == self.event.len()).then(|| parts.join("/"))
    }

    /// The address to ask for more of this event.
    #[must_use]
    pub fn fetch_address(&self, payload: &Payload) -> Option<String> {
        if self.fetch.is_empty()
            || !matches!(self.rule(payload), Some(rule) if matches!(rule.act, RuleAct::Order | RuleAct::SubscriptionPayment))
        {
            return None;
        }
        filled(&self.fetch, |path| {
            // Whatever a payload says, it stays one part of the address.
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            payload.text(path).filter(|text| text.chars().all(plain))
        })
    }

    fn rule(&self, payload: &Payload) -> Option<&Rule> {
        let holds = |condition: &Condition| match payload.text(&condition.path) {
            Some(text) if !condition.less_than.is_empty() => {
                let amount = |text: &str| cents(text.trim_start_matches('-'));
                let other = payload.text(&condition.less_than).and_then(|other| amount(&other));
                amount(&text).zip(other).is_some_and(|(amount, other)| amount < other)
            }
            Some(text) => condition.is.is_empty() || condition.is.iter().any(|is| is.eq_ignore_ascii_case(&text)),
            None => false,
        };
        self.rules.iter().find(|rule| rule.when.iter().all(holds))
    }

    /// What an event asks to be done.
    ///
    /// # Errors
    /// Says what is missing where the map looks for it.
    pub fn read(&self, payload: &Payload) -> Result<ShopAct, Unread> {
        let rule = self.rule(payload).ok_or(Unread::NoRule)?;
        if rule.act == RuleAct::Nothing {
            return Ok(ShopAct::Nothing);
        }
        let customer = self.customer(payload);
        if rule.act == RuleAct::Customer {
            return Ok(ShopAct::Customer(customer));
        }
        let order = ShopOrder {
            number: first(payload, payload.body(), &rule.order),
            others: rule.order.iter().filter_map(|path| payload.text(path)).skip(1).collect(),
            subscription: first(payload, payload.body(), &rule.subscription),
            ordered: instant(payload, &rule.ordered)?,
            until: instant(payload, &rule.until)?,
            refunded: match rule.act {
                RuleAct::Revoke | RuleAct::Restore => first(payload, payload.body(), &rule.amount),
                _ => None,
            },
            customer,
            items: match rule.act {
                RuleAct::Order | RuleAct::SubscriptionPayment => items(payload, rule)?,
                // They say what its customer is told, and a renewal without them is one.
                RuleAct::Renew | RuleAct::Extend => items(payload, rule).unwrap_or_default(),
                _ => Vec::new(),
            },
        };
        if order.number.is_none() && order.subscription.is_none() {
            return Err(Unread::NoOrder([&rule.order[..], &rule.subscription].concat().join(", ")));
        }
        Ok(match rule.act {
            RuleAct::SubscriptionPayment => ShopAct::SubscriptionPayment(order),
            RuleAct::Renew => ShopAct::Renew(order),
            RuleAct::Extend => ShopAct::Extend(order),
            RuleAct::Maintain => ShopAct::Maintain(order),
            RuleAct::Revoke => ShopAct::Revoke(order),
            RuleAct::End => ShopAct::End(order),
            RuleAct::Restore => ShopAct::Restore(order),
            RuleAct::Order | RuleAct::Customer | RuleAct::Nothing => ShopAct::Order(order),
        })
    }

    fn customer(&self, payload: &Payload) -> ShopCustomer {
        let of = |paths: &[String]| first(payload, payload.body(), paths);
        let name = [of(&self.name), of(&self.last_name)].into_iter().flatten().collect::<Vec<_>>().join(" ");
        ShopCustomer { email: of(&self.email), name: Some(name).filter(|name| !name.is_empty()), company: of(&self.company) }
    }
}

fn first(payload: &Payload, part: &Value, paths: &[String]) -> Option<String> {
    paths.iter().find_map(|path| payload.text_of(part, path))
}

fn items(payload: &Payload, rule: &Rule) -> Result<Vec<ShopItem>, Unread> {
    let none = || Unread::NoItems(rule.items.join(", "));
    let found = rule.items.iter().find_map(|path| payload.part(path).filter(|part| !part.is_null()));
    let parts: Vec<&Value> = match found.ok_or_else(none)? {
        Value::Array(parts) => parts.iter().collect(),
        one => Vec::from([one]),
    };
    if parts.len() > MOST_ITEMS {
        return Err(Unread::TooMany);
    }
    if parts.is_empty() {
        return Err(none());
    }
    Ok(parts.into_iter().map(|part| item(payload, part, rule)).collect())
}

fn item(payload: &Payload, part: &Value, rule: &Rule) -> ShopItem {
    let mut arguments: Vec<(String, String)> = Vec::new();
    for path in &rule.arguments {
        let (from, path) = path.strip_prefix('/').map_or((part, path.as_str()), |path| (payload.body(), path));
        let Some(Value::Object(members)) = inner(from, path) else { continue };
        for (name, value) in members {
            let name = name.to_ascii_lowercase();
            // The particular comes first, and stays.
            let new = (name.starts_with("is_") || name == "webhook_action") && !arguments.iter().any(|(known, _)| *known == name);
            if let (true, Some(value)) = (new, text(value)) {
                arguments.push((name, value));
            }
        }
    }
    let names = rule.product.iter().filter_map(|template| filled(template, |path| payload.text_of(part, path)));
    ShopItem {
        names: names.collect(),
        id: first(payload, part, &rule.item),
        key: first(payload, part, &rule.key),
        literal: first(payload, part, &rule.literal),
        user_data: first(payload, part, &rule.user_data),
        passed_on: first(payload, part, &rule.passed_on),
        arguments,
        quantity: first(payload, part, &rule.quantity),
        amount: first(payload, part, &rule.amount),
        currency: first(payload, part, &rule.currency),
    }
}

fn inner<'a>(from: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(from);
    }
    path.split('.').try_fold(from, |value, name| match value {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A template with its braces filled; none where one has nothing to be filled with.
fn filled(template: &str, of: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (path, next) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(&of(path)?);
        rest = next;
    }
    out.push_str(rest);
    Some(out)
}

/// An amount as shops write one, in hundredths: `49`, `49.9`, `49.00`.
#[must_use]
pub fn cents(text: &str) -> Option<i64> {
    let (whole, rest) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(rest) || rest.len() > 2 {
        return None;
    }
    let rest: i64 = if rest.is_empty() { 0 } else { format!("{rest:0<2}").parse().ok()? };
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(rest)
}

/// A date as shops write it: seconds since 1970, RFC 3339, or a day with or without a time.
fn instant(payload: &Payload, paths: &[String]) -> Result<Option<Timestamp>, Unread> {
    for path in paths {
        // Of a list, as `lines.*.end` names it, the latest counts.
        let texts = match path.split_once(".*.") {
            Some((list, rest)) => match payload.part(list) {
                Some(Value::Array(parts)) => parts.iter().filter_map(|part| payload.text_of(part, rest)).collect(),
                _ => Vec::new(),
            },
            None => payload.text(path).into_iter().collect::<Vec<_>>(),
        };
        let read = texts.iter().map(|text| one_instant(path, text)).collect::<Result<Vec<_>, _>>()?;
        if let Some(latest) = read.into_iter().max() {
            return Ok(Some(latest));
        }
    }
    Ok(None)
}

fn one_instant(path: &str, text: &str) -> Result<Timestamp, Unread> {
    let wrong = || Unread::Date { path: path.into(), text: text.chars().take(60).collect() };
    if let Ok(seconds) = text.parse::<i64>() {
        // Some count milliseconds.
        let at = if seconds > 100_000_000_000 { Timestamp::from_millis(seconds) } else { Timestamp::from_seconds(seconds) };
        return if (0..=253_402_300_799).contains(&at.seconds()) { Ok(at) } else { Err(wrong()) };
    }
    if let Ok(at) = Timestamp::from_utc_text(text) {
        return Ok(at);
    }
    // Of other zones the day counts.
    match DateFormat::default().read(text.get(..10).unwrap_or(text)) {
        Some(date) => Ok(date.midnight()),
        None => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(text: &str) -> Payload {
        Payload::read(text.as_bytes(), Vec::new()).unwrap()
    }

    fn map(text: &str) -> ShopMap {
        ShopMap::parse(text).unwrap()
    }

    const SIMPLE: &str = r#"{"event":["id"],"email":["who.email"],"name":["who.first"],"last_name":["who.last"],"rules":[
        {"when":[{"path":"kind","is":["refund"]}],"act":"revoke","order":["order"]},
        {"when":[{"path":"kind","is":["renewal"]}],"act":"renew","subscription":["sub"],"until":["until"]},
        {"when":[{"path":"kind","is":["sale"]},{"path":"paid","is":["true"]}],"act":"order","order":["order"],"items":["lines"],
         "product":["shop_{sku}","{sku}"],"arguments":["meta","/meta"],"quantity":["count"]},
        {"when":[{"path":"kind"}],"act":"nothing"}]}"#;

    #[test]
    fn an_event_means_what_the_first_rule_that_fits_says() {
        let map = map(SIMPLE);
        let sale = payload(
            r#"{"id":"e1","kind":"SALE","paid":true,"order":4711,"who":{"email":"a@b.example","first":"Ann","last":"Lee"},
               "meta":{"is_features":"0:1","IS_QUANTITY":"9","other":"x"},
               "lines":[{"sku":"P","count":2,"meta":{"is_features":"0:2"}},{"count":"1.0"}]}"#,
        );
        let ShopAct::Order(order) = map.read(&sale).unwrap() else { panic!("an order") };
        assert_eq!((order.number.as_deref(), order.customer.name.as_deref()), (Some("4711"), Some("Ann Lee")));
        assert_eq!(order.items[0].names, ["shop_P", "P"]);
        assert!(order.items[1].names.is_empty());
        assert_eq!(order.items[0].arguments, [("is_features", "0:2"), ("is_quantity", "9")].map(|(a, b)| (a.into(), b.into())));
        assert_eq!(order.items[1].quantity.as_deref(), Some("1.0"));
        assert_eq!(map.event_name(&sale).as_deref(), Some("e1"));
        for (text, until) in [
            ("1795000000", 1_795_000_000),
            ("\"2026-11-18T11:06:40Z\"", 1_795_000_000),
            ("\"2026-11-18 11:06:40\"", 1_795_000_000),
            ("\"2026-11-18T01:06:40+02:00\"", 1_794_960_000),
        ] {
            let renewal = payload(&["{\"kind\":\"renewal\",\"sub\":\"s1\",\"until\":", text, "}"].concat());
            let ShopAct::Renew(order) = map.read(&renewal).unwrap() else { panic!("a renewal") };
            assert_eq!(order.until.map(Timestamp::seconds), Some(until), "{text}");
        }
        assert_eq!(map.read(&payload(r#"{"kind":"sale","paid":false}"#)), Ok(ShopAct::Nothing));
    }

    #[test]
    fn amounts_are_read_to_the_hundredth_and_nothing_else_is_one() {
        for (text, expected) in [("49", Some(4_900)), ("49.9", Some(4_990)), ("49.90", Some(4_990)), ("0.01", Some(1))] {
            assert_eq!(cents(text), expected, "{text}");
        }
        for text in ["", ".5", "-1", "49,90", "1e3", "49.900", "99999999999999999999"] {
            assert_eq!(cents(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let map = map(SIMPLE);
        assert_eq!(map.read(&payload("{}")), Err(Unread::NoRule));
        assert_eq!(map.read(&payload(r#"{"kind":"refund"}"#)), Err(Unread::NoOrder("order".into())));
        assert_eq!(map.read(&payload(r#"{"kind":"sale","paid":true,"order":1}"#)), Err(Unread::NoItems("lines".into())));
        let bad = map.read(&payload(r#"{"kind":"renewal","sub":"s","until":"soon"}"#));
        assert_eq!(bad, Err(Unread::Date { path: "until".into(), text: "soon".into() }));
        let many = ["{\"kind\":\"sale\",\"paid\":true,\"order\":1,\"lines\":[", &"{},".repeat(200), "{}]}"].concat();
        assert_eq!(map.read(&payload(&many)), Err(Unread::TooMany));
    }

    #[test]
    fn an_address_is_asked_that_no_payload_chooses() {
        let text = |fetch: &str| ["{\"fetch\":\"", fetch, "\",\"rules\":[{\"act\":\"order\",\"order\":[\"id\"]}]}"].concat();
        for wrong in ["http://api.shop.example/x", "https://{host}/x", "https://a@b.example/", "https://", "ftp://x"] {
            assert!(ShopMap::parse(&text(wrong)).is_err(), "{wrong}");
        }
        let map = map(&text("https://api.shop.example/orders/{id}/lines"));
        let of = |id: &str| map.fetch_address(&payload(&["{\"id\":\"", id, "\"}"].concat()));
        assert_eq!(of("cs_1-a").as_deref(), Some("https://api.shop.example/orders/cs_1-a/lines"));
        for wrong in ["../x", "a?b", "a/b", "%2e"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
