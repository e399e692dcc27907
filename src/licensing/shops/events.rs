//! What each sample in `tests/shops` says, read by the map of its class as the desk reads it: a line for each, and lines for what is a word
//! away from one and means something else.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use super::{Payload, ShopAct, ShopCustomer, ShopItem, ShopOrder, Signing, default_map};
use crate::licensing::Timestamp;

macro_rules! body {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shops/", $path))
    };
}

/// A sample: its folder is its class, and its topic is what its shop names in a header, where it does.
#[derive(Clone, Copy)]
struct Sample {
    path: &'static str,
    body: &'static str,
    topic: &'static str,
}

macro_rules! sample {
    ($path:literal) => {
        sample!($path, "")
    };
    ($path:literal, $topic:literal) => {
        Sample { path: $path, body: body!($path), topic: $topic }
    };
}

/// Shops whose words have a map of their own.
const OWN_MAPS: &[(Sample, &str)] = &[
    (
        sample!("avangate/complete.form"),
        "subscription payment; number 1002003; subscription LIC1; ordered 2026-11-10T08:00:00.000Z; until 2027-11-10T23:59:59.000Z; \
         email ann@customer.example; name Ann Löwe; company Löwe GmbH; item pid_4|PRESS; quantity 2",
    ),
    (sample!("avangate/refund.form"), "revoke; number 1002003; email ann@customer.example; name Ann Löwe; company Löwe GmbH"),
    (
        sample!("chargify/signup_success.form"),
        "order; number 33421031; subscription 33421031; email ann@customer.example; name Ann Löwe; company Löwe GmbH; \
         item pid_4662940|press-yearly",
    ),
    // Of another zone the day counts.
    (
        sample!("chargify/renewal_success.form"),
        "renew; subscription 33421031; until 2028-11-10T00:00:00.000Z; email ann@customer.example; name Ann Löwe; \
         company Löwe GmbH; item pid_4662940|press-yearly",
    ),
    (
        sample!("chargify/subscription_state_change.form"),
        "end; subscription 33421031; email ann@customer.example; name Ann Löwe; company Löwe GmbH",
    ),
    // Two at once, of which the other says nothing of an order.
    (
        sample!("fastspring/events.json"),
        "order; number YES261110-1; or oid1; subscription fssub; ordered 2026-11-18T08:20:00.000Z; email ann@customer.example; \
         name Ann Löwe; company Löwe GmbH; item fastspring_press; is_features=0:1; quantity 2 / nothing",
    ),
    (sample!("fastspring/subscription.charge.completed.json"), "renew; subscription fssub; until 2028-01-02T00:00:00.000Z; item"),
    (
        sample!("fastspring/subscription.deactivated.json"),
        "end; subscription fssub; email ann@customer.example; name Ann Löwe; company Löwe GmbH",
    ),
    (sample!("fastspring/return.created.json"), "revoke; number YES261110-1; or oid1; or oid1"),
    (sample!("fastspring/account.updated.json"), "customer; email ann@customer.example; name Ann Löwe; company Löwe GmbH"),
    (
        sample!("gumroad/sale.form"),
        "order; number sale==; subscription gsub; ordered 2026-11-10T08:00:00.000Z; email ann@customer.example; name Ann Löwe; \
         item gumroad_prd==|gumroad_press|gumroad_abcde; quantity 1",
    ),
    (sample!("gumroad/recurring.form"), "renew; subscription gsub; email ann@customer.example; item gumroad_prd=="),
    (sample!("gumroad/refund.form"), "revoke; number sale==; email ann@customer.example"),
    (sample!("gumroad/subscription_ended.form"), "end; subscription gsub; email ann@customer.example"),
    (
        sample!("lemonsqueezy/order_created.json"),
        "order; number 3001; ordered 2026-11-10T08:00:00.000Z; email ann@customer.example; name Ann Löwe; \
         item lemonsqueezy_variant_62|lemonsqueezy_61; quantity 1",
    ),
    (
        sample!("lemonsqueezy/subscription_updated.json"),
        "extend; number 3001; until 2027-12-10T08:00:00.000Z; email ann@customer.example; \
         item lemonsqueezy_variant_62|lemonsqueezy_61",
    ),
    (sample!("lemonsqueezy/subscription_expired.json"), "end; number 3001; email ann@customer.example; name Ann Löwe"),
    (sample!("lemonsqueezy/order_refunded.json"), "revoke; number 3001; email ann@customer.example"),
    (
        sample!("paddle/transaction.completed.json"),
        "order; number txn_01; subscription sub_01; ordered 2026-11-10T08:00:00.000Z; item paddle_pri_01|paddle_pro_01; quantity 2",
    ),
    (
        sample!("paddle/transaction.completed.renewal.json"),
        "renew; subscription sub_01; until 2028-11-10T08:00:00.000Z; item paddle_pri_01",
    ),
    (sample!("paddle/subscription.canceled.json"), "end; subscription sub_01"),
    (sample!("paddle/adjustment.created.json"), "revoke; number txn_01"),
    (sample!("paddle/customer.updated.json"), "customer; email ann@customer.example; name Ann Löwe"),
    (
        sample!("paypal/web_accept.form"),
        "order; number 61E67681CH3238416; email ann@customer.example; name Ann Löwe; item PRESS-1|Press; \
         passed on is_quantity=999; quantity 2; amount 98.00; currency EUR",
    ),
    (
        sample!("paypal/cart.form"),
        "order; number 8TX; email ann@customer.example; name Ann Löwe; item PRESS-1; quantity 1; amount 49.00; currency EUR; \
         item PRESS-1; quantity 3; amount 147.00; currency EUR",
    ),
    (
        sample!("paypal/subscr_payment.form"),
        "subscription payment; number SP1; subscription I-1; email ann@customer.example; name Ann Löwe; item PRESS-SUB; \
         amount 5.00; currency EUR",
    ),
    (
        sample!("paypal/recurring_payment.form"),
        "subscription payment; number RP1; subscription I-2; email ann@customer.example; name Ann Löwe; company Löwe GmbH; \
         item PRESS-SUB; amount 5.00; currency EUR",
    ),
    (sample!("paypal/subscr_eot.form"), "end; subscription I-1; email ann@customer.example; name Ann Löwe"),
    (sample!("paypal/refunded.form"), "revoke; number 61E67681CH3238416; refunded -98.00; email ann@customer.example"),
    (
        sample!("paypal/reversed.form"),
        "revoke; number 61E67681CH3238416; refunded -98.00; email ann@customer.example; name Ann Löwe",
    ),
    (
        sample!("paypal/canceled_reversal.form"),
        "restore; number 61E67681CH3238416; refunded 98.00; email ann@customer.example; name Ann Löwe",
    ),
    (
        sample!("shopify/orders-paid.json", "orders/paid"),
        "order; number 5500000001; ordered 2026-11-10T00:00:00.000Z; email ann@customer.example; name Ann Löwe; \
         company Löwe GmbH; item shopify_variant_9001|shopify_801|PRESS-STD; literal PRESS-STD; quantity 3",
    ),
    (
        sample!("shopify/orders-paid.xml", "orders/paid"),
        "order; number 5500000002; ordered 2026-11-10T00:00:00.000Z; email ann@customer.example; name Ann Löwe; \
         item shopify_variant_9001|shopify_801|PRESS-STD; literal PRESS-STD; quantity 1",
    ),
    (sample!("shopify/orders-cancelled.json", "orders/cancelled"), "revoke; number 5500000001; email ann@customer.example"),
    (
        sample!("shopify/orders-updated.json", "orders/updated"),
        "revoke; number 5500000001; email ann@customer.example; name Ann Löwe; company Löwe GmbH",
    ),
    (
        sample!("shopify/orders-updated.xml", "orders/updated"),
        "revoke; number 5500000002; email ann@customer.example; name Ann Löwe",
    ),
    (
        sample!("shopify/customers-update.json", "customers/update"),
        "customer; email ann@customer.example; name Ann Löwe; company Löwe GmbH",
    ),
    (
        sample!("stripe/invoice.payment_succeeded.json"),
        "renew; subscription sub_7; until 2027-01-18T13:20:00.000Z; email ann@customer.example; item",
    ),
    (sample!("stripe/customer.subscription.deleted.json"), "end; subscription sub_7"),
    // The sale went by its invoice.
    (sample!("stripe/charge.refunded.json"), "revoke; number pi_1; or in_1"),
    (sample!("stripe/charge.refunded.part.json"), "nothing"),
    (sample!("stripe/customer.updated.json"), "customer; email ann@customer.example; name Ann Löwe; company Löwe GmbH"),
    (
        sample!("ultracart/order.xml"),
        "order; number SHOP-0009000001; email ann@customer.example; name Ann Löwe; company Löwe GmbH; \
         item ultracart_PRESS|PRESS; id PRESS; quantity 2",
    ),
    (
        sample!("woocommerce/order.updated.json", "order.updated"),
        "order; number 727; ordered 2026-11-10T08:01:00.000Z; email ann@customer.example; name Ann Löwe; company Löwe GmbH; \
         item woocommerce_0|woocommerce_93|PRESS; quantity 2",
    ),
    (
        sample!("woocommerce/order.updated.cancelled.json", "order.updated"),
        "revoke; number 727; email ann@customer.example; name Ann Löwe; company Löwe GmbH",
    ),
    (sample!("woocommerce/order.refunded.json", "order.updated"), "revoke; number 727; email ann@customer.example"),
];

/// Shops that are read by the names of their class.
const BY_NAMES: &[(Sample, &str)] = &[
    (
        sample!("bluesnap/order.form"),
        "order; number 38401999; email ann@customer.example; name Ann Löwe; company Löwe GmbH; \
         item bluesnap_2151234|pid_2151234; quantity 2",
    ),
    (
        sample!("cleverbridge/order.form"),
        "order; number 62000001; email ann@customer.example; name Ann Löwe; item cleverbridge_84711|pid_84711; id 1; quantity 2",
    ),
    (
        sample!("digibuy/order.form"),
        "order; number 4400123; email ann@customer.example; name Ann Löwe; company Löwe GmbH; item digibuy_1301|pid_1301; quantity 1",
    ),
    (
        sample!("magento/order.form"),
        "order; number 100000042; email ann@customer.example; name Ann Löwe; company Löwe GmbH; item PRESS; quantity 2",
    ),
    (
        sample!("paymotion/order.form"),
        "order; number PM-20261110-1; email ann@customer.example; name Ann Löwe; company Löwe GmbH; \
         item paymotion_501|pid_501; quantity 1",
    ),
    (
        sample!("quickbooks/order.form"),
        "order; number 1037; email ann@customer.example; name Ann Löwe; company Löwe GmbH; item PRESS; quantity 2",
    ),
    (
        sample!("regnow/order.form"),
        "order; number RN-1201-7788; email ann@customer.example; name Ann Löwe; company Löwe GmbH; \
         item regnow_12345-1|pid_12345-1; quantity 2",
    ),
    (
        sample!("salesforce/order.form"),
        "order; number 801Dn000000AbCd; email ann@customer.example; name Ann Löwe; company Löwe GmbH; \
         item salesforce_PRESS|pid_PRESS|salesforce_pid_PRESS; quantity 2",
    ),
    (
        sample!("shareit/order.form"),
        "order; number 700000001; email ann@customer.example; name Ann Löwe; company Löwe GmbH; \
         item shareit_300810470|pid_300810470; id 1; user data ORDER-DESK-7; quantity 2",
    ),
    // It calls for keys, and only its call unpacks which product `t` names.
    (sample!("swreg/order.form"), "order; number 700001; email ann@customer.example; name Löwe; item"),
    (
        sample!("zapier/order.form"),
        "order; number Z-1001; email ann@customer.example; name Ann Löwe; company Löwe GmbH; \
         item; is_productid=1; is_majorversion=1; is_minorversion=0; quantity 1",
    ),
];

/// A sample with one thing in another's place.
const A_WORD_AWAY: &[(Sample, &str, &str, &str)] = &[
    (
        sample!("avangate/refund.form"),
        "ORDERSTATUS=REFUND",
        "ORDERSTATUS=REVERSED",
        "revoke; number 1002003; email ann@customer.example; name Ann Löwe; company Löwe GmbH",
    ),
    (sample!("avangate/refund.form"), "REFUND_TYPE=TOTAL", "REFUND_TYPE=PARTIAL", "nothing"),
    (sample!("avangate/complete.form"), "ORDERSTATUS=COMPLETE", "ORDERSTATUS=PENDING", "nothing"),
    (
        sample!("chargify/subscription_state_change.form"),
        "=canceled",
        "=expired",
        "end; subscription 33421031; email ann@customer.example; name Ann Löwe; company Löwe GmbH",
    ),
    (sample!("chargify/subscription_state_change.form"), "=canceled", "=past_due", "nothing"),
    (sample!("chargify/renewal_success.form"), "renewal_success", "renewal_failure", "nothing"),
    (sample!("fastspring/events.json"), "\"live\": true", "\"live\": false", "nothing / nothing"),
    (sample!("fastspring/subscription.deactivated.json"), "subscription.deactivated", "subscription.canceled", "nothing"),
    (
        sample!("fastspring/return.created.json"),
        "\"original\": {",
        "\"totalReturn\": 49.5, \"original\": { \"total\": 98.0,",
        "nothing",
    ),
    (sample!("gumroad/subscription_ended.form"), "subscription_ended", "cancellation", "nothing"),
    // Where a part is given back, `refunded` stays as it was, and the name of the resource alone tells it from the sale.
    (sample!("gumroad/refund.form"), "refunded=true", "refunded=false", "nothing"),
    (sample!("gumroad/refund.form"), "refunded=true", "is_recurring_charge=true&refunded=false", "nothing"),
    (
        sample!("gumroad/refund.form"),
        "refunded=true&resource_name=refund",
        "refunded=false&resource_name=dispute",
        "revoke; number sale==; email ann@customer.example",
    ),
    (sample!("lemonsqueezy/order_created.json"), "\"paid\"", "\"pending\"", "nothing"),
    (sample!("lemonsqueezy/order_refunded.json"), "\"status\": \"refunded\"", "\"status\": \"partial_refund\"", "nothing"),
    (sample!("lemonsqueezy/subscription_updated.json"), "\"active\"", "\"cancelled\"", "nothing"),
    (sample!("lemonsqueezy/subscription_expired.json"), "subscription_expired", "subscription_cancelled", "nothing"),
    (sample!("paddle/adjustment.created.json"), "\"refund\"", "\"chargeback\"", "revoke; number txn_01"),
    (sample!("paddle/adjustment.created.json"), "\"refund\"", "\"credit\"", "nothing"),
    (sample!("paddle/adjustment.created.json"), "\"refund\"", "\"chargeback_reverse\"", "restore; number txn_01"),
    (sample!("paddle/adjustment.created.json"), "\"full\"", "\"partial\"", "nothing"),
    (sample!("paddle/adjustment.created.json"), "\"approved\"", "\"pending_approval\"", "nothing"),
    (sample!("paddle/subscription.canceled.json"), "subscription.canceled", "subscription.paused", "nothing"),
    (sample!("paypal/recurring_payment.form"), "payment_status=Completed", "payment_status=Pending", "nothing"),
    (sample!("paypal/subscr_eot.form"), "subscr_eot", "subscr_cancel", "nothing"),
    // PayPal writes so unless its seller chose another encoding.
    (
        sample!("paypal/subscr_eot.form"),
        "last_name=L%C3%B6we&payer_status=verified&charset=UTF-8",
        "last_name=L%F6we&payer_status=verified&charset=windows-1252",
        "end; subscription I-1; email ann@customer.example; name Ann Löwe",
    ),
    (sample!("shopify/orders-updated.json", "orders/updated"), "\"refunded\"", "\"partially_refunded\"", "nothing"),
    (
        sample!("shopify/orders-updated.json", "orders/updated"),
        "\"refunded\"",
        "\"voided\"",
        "revoke; number 5500000001; email ann@customer.example; name Ann Löwe; company Löwe GmbH",
    ),
    (sample!("stripe/checkout.session.completed.json"), "\"paid\"", "\"unpaid\"", "nothing"),
    (sample!("stripe/invoice.payment_succeeded.json"), "subscription_cycle", "subscription_create", "nothing"),
    (sample!("stripe/customer.subscription.deleted.json"), "subscription.deleted", "subscription.updated", "nothing"),
    (sample!("woocommerce/order.updated.json", "order.updated"), "\"processing\"", "\"on-hold\"", "nothing"),
    (
        sample!("woocommerce/order.updated.json", "order.updated"),
        "\"date_paid_gmt\": \"2026-11-10T08:01:00\"",
        "\"date_paid_gmt\": null",
        "nothing",
    ),
];

#[test]
fn each_event_is_read_for_what_it_says() {
    for (sample, expected) in [OWN_MAPS, BY_NAMES].concat() {
        assert_eq!(read(sample, sample.body, None), expected, "{}", sample.path);
    }
}

#[test]
fn what_is_a_word_away_is_something_else() {
    for (sample, from, to, expected) in A_WORD_AWAY {
        assert!(sample.body.contains(from), "{}: {from}", sample.path);
        assert_eq!(read(*sample, &sample.body.replace(from, to), None), *expected, "{}: {to}", sample.path);
    }
}

#[test]
fn what_a_shop_was_asked_for_is_read_beside_what_it_told() {
    let stripe = sample!("stripe/checkout.session.completed.json");
    let order = "order; number in_1; or cs_test_a1B2; subscription sub_7; ordered 2026-11-18T11:05:40.000Z; \
                 email ann@customer.example; name Ann Löwe; item";
    let lines = " stripe_price_42|stripe_prod_5; is_features=0:3; is_productid=1; is_majorversion=1; is_minorversion=0; \
                 is_expduration=31; is_licensemodel=subscription; is_vendor=other; quantity 2";
    assert_eq!(read(stripe, stripe.body, Some(body!("stripe/line_items.json"))), [order, lines].concat());
    assert_eq!(read(stripe, stripe.body, None), order, "which names no product");
    let paddle = sample!("paddle/transaction.completed.json");
    assert_eq!(
        read(paddle, paddle.body, Some(body!("paddle/customer.json"))),
        "order; number txn_01; subscription sub_01; ordered 2026-11-10T08:00:00.000Z; email ann@customer.example; name Ann Löwe; \
         item paddle_pri_01|paddle_pro_01; quantity 2"
    );
}

/// What a sample's events mean, one after the other.
fn read(sample: Sample, body: &str, fetched: Option<&str>) -> String {
    let Sample { path, topic, .. } = sample;
    let class = path.split('/').next().unwrap_or_default();
    let header = if class == "shopify" { "X-Shopify-Topic" } else { "X-WC-Webhook-Topic" };
    let headers = if topic.is_empty() { Vec::new() } else { vec![(header.to_owned(), topic.to_owned())] };
    let map = default_map(class);
    let payload = Payload::read(body.as_bytes(), headers).unwrap_or_else(|error| panic!("{path}: {error}"));
    let events = payload.events(&map.events, 10).unwrap_or_default().into_iter().map(|mut event| {
        if matches!(map.signing, Signing::TwoCheckout | Signing::PayPal) {
            event.gather();
        }
        if let Some(fetched) = fetched {
            event.add("fetched", serde_json::from_str(fetched).unwrap());
        }
        map.read(&event).map_or_else(|unread| unread.to_string(), |act| said(&act))
    });
    events.collect::<Vec<_>>().join(" / ")
}

/// An act with all that it holds, in one line.
fn said(act: &ShopAct) -> String {
    let (what, order) = match act {
        ShopAct::Order(order) => ("order", order),
        ShopAct::SubscriptionPayment(order) => ("subscription payment", order),
        ShopAct::Renew(order) => ("renew", order),
        ShopAct::Extend(order) => ("extend", order),
        ShopAct::Maintain(order) => ("maintain", order),
        ShopAct::Revoke(order) => ("revoke", order),
        ShopAct::End(order) => ("end", order),
        ShopAct::Restore(order) => ("restore", order),
        ShopAct::Customer(customer) => return [vec!["customer".to_owned()], person(customer)].concat().join("; "),
        ShopAct::Nothing => return "nothing".to_owned(),
    };
    let ShopOrder { number, others, subscription, ordered, until, refunded, customer, items } = order;
    let mut parts = vec![what.to_owned()];
    parts.extend(named([("number", number)]));
    parts.extend(others.iter().map(|other| format!("or {other}")));
    let (ordered, until) = (ordered.map(Timestamp::to_rfc3339), until.map(Timestamp::to_rfc3339));
    parts.extend(named([("subscription", subscription), ("ordered", &ordered), ("until", &until), ("refunded", refunded)]));
    parts.extend(person(customer));
    parts.extend(items.iter().flat_map(item));
    parts.join("; ")
}

fn person(customer: &ShopCustomer) -> Vec<String> {
    let ShopCustomer { email, name, company } = customer;
    named([("email", email), ("name", name), ("company", company)])
}

fn item(item: &ShopItem) -> Vec<String> {
    let ShopItem { names, id, key, literal, passed_on, user_data, arguments, quantity, amount, currency } = item;
    let mut parts = vec![format!("item {}", names.join("|")).trim_end().to_owned()];
    parts.extend(named([("id", id), ("key", key), ("literal", literal), ("passed on", passed_on), ("user data", user_data)]));
    parts.extend(arguments.iter().map(|(name, value)| format!("{name}={value}")));
    parts.extend(named([("quantity", quantity), ("amount", amount), ("currency", currency)]));
    parts
}

/// Those that are there, each by its name.
fn named<const N: usize>(parts: [(&str, &Option<String>); N]) -> Vec<String> {
    parts.into_iter().filter_map(|(name, text)| text.as_ref().map(|text| format!("{name} {text}"))).collect()
}
