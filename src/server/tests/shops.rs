//! Shops, told by what they send: each signs its samples (`tests/shops`) as it does, and what becomes of them is looked at.

use std::{fs, path::Path};

use axum::{body::Body, http::Request};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Reply, TestApp, licensespring::OPERATOR};
use crate::{
    desk::{ExtensionEdit, NewExtension, ProductEdit, PropertyEdit},
    licensing::{
        Email,
        files::base64,
        license::{License, LicenseState},
        product::{Authorization, ProductRules},
    },
    store::EventState,
};

tests! {
    both:
        an_event_is_acted_on_once_however_often_it_comes,
        what_could_not_be_acted_on_is_kept_and_acted_on_again,
        a_plan_or_an_upgrade_is_bought_by_the_key_the_buyer_typed;
    once:
        who_does_not_sign_or_show_a_password_tells_nothing,
        a_map_is_edited_and_tried_out_before_it_is_used,
        a_shop_that_cannot_be_asked_is_asked_again,
        a_refund_of_a_part_revokes_nothing,
        whoever_renews_is_told_where_the_vendor_says_so,
        properties_are_named_by_calls_only_where_they_may_be;
}

pub(super) const SHARED: &str = "a key that the shop and the vendor share";
pub(super) const ANN: &str = "ann@customer.example";
pub(super) const TERMS: &str = "is_productid=1&is_majorversion=1&is_minorversion=0";

pub(super) struct House {
    pub app: TestApp,
}

pub(super) fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shops").join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(super) fn mark(parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SHARED.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl House {
    /// With a product by number, and an extension that is called as its class.
    pub async fn new(app: TestApp, class: &str, properties: &[(&str, &str)]) -> Self {
        for secret in [SHARED, ANN, "+491701234567"] {
            app.secret(secret);
        }
        let rules = ProductRules { min_hold_hours: 0, ..ProductRules::default() };
        let code = app.product_by("press", Authorization::Key, rules).await;
        let edit = ProductEdit { number: Some(Some(1)), ..ProductEdit::default() };
        app.desk().edit_product(&OPERATOR, &code, edit).await.unwrap();
        let new = NewExtension {
            name: class.to_owned(),
            class: class.to_owned(),
            user: if class == "paypal" { "seller@vendor.example".to_owned() } else { "shop".to_owned() },
            password: Some("a password of the shop".to_owned()),
            api_key: None,
            shared_key: Some(SHARED.to_owned()),
        };
        app.desk().add_extension(&OPERATOR, new).await.unwrap();
        let house = Self { app };
        for (name, more) in properties {
            let value = format!("{TERMS}{more}");
            house.property(name, &value).await;
        }
        house
    }

    /// A shop of a class that signs nothing and shows its password.
    pub async fn with_cart(&self) {
        let new = NewExtension {
            name: "cart".to_owned(),
            class: "bluesnap".to_owned(),
            user: "shop".to_owned(),
            password: Some("a password of the cart".to_owned()),
            api_key: None,
            shared_key: None,
        };
        self.app.secret("a password of the cart");
        self.app.desk().add_extension(&OPERATOR, new).await.unwrap();
    }

    pub async fn property(&self, name: &str, value: &str) {
        let edit = PropertyEdit { name: name.to_owned(), value: value.to_owned(), for_calls: false };
        self.app.desk().put_property(&OPERATOR, edit).await.unwrap();
    }

    pub async fn tell(&self, class: &str, body: &[u8], headers: &[(&str, String)]) -> Reply {
        let mut request = Request::post(format!("/qlm/qlmservice.asmx/QlmWebHookHandler?is_vendor={class}"));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        self.app.send(request.body(Body::from(body.to_vec())).unwrap()).await
    }

    pub async fn stripe(&self, body: &[u8]) -> Reply {
        let at = self.app.now().seconds().to_string();
        let signature = format!("t={at},v1={}", hex(&mark(&[at.as_bytes(), b".", body])));
        self.tell("stripe", body, &[("stripe-signature", signature)]).await
    }

    pub async fn licenses(&self) -> Vec<License> {
        let mut conn = self.app.desk().read().await.unwrap();
        let Some(customer) = conn.customer_by_email(&Email::parse(ANN).unwrap()).await.unwrap() else { return Vec::new() };
        let mut found: Vec<License> =
            conn.newest_licenses_of(customer.id, 100).await.unwrap().into_iter().map(|(license, _)| license).collect();
        found.reverse();
        for license in &found {
            self.app.secret(license.key.as_ref().unwrap().text());
        }
        found
    }

    pub async fn last(&self) -> (EventState, String) {
        let (events, _) = self.app.desk().shop_events(&OPERATOR, None, None).await.unwrap();
        (events[0].state, events[0].said.clone())
    }

    pub async fn count(&self) -> usize {
        self.app.desk().shop_events(&OPERATOR, None, None).await.unwrap().0.len()
    }
}

/// A server that answers with a sample, and tells what it was asked.
pub(super) async fn server(path: &'static str, answer: &'static str) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    use axum::{Router, http::HeaderMap, routing::get};
    let (told, heard) = tokio::sync::mpsc::unbounded_channel();
    let routes = Router::new().route(
        path,
        get(move |headers: HeaderMap| async move {
            told.send(headers["authorization"].to_str().unwrap().to_owned()).unwrap();
            (axum::http::StatusCode::OK, [("content-type", "application/json")], sample(answer))
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, heard)
}

pub(super) fn ends(license: &License) -> String {
    license.terms.expiry.on.unwrap().plus_seconds(-1).date().to_string()
}

async fn an_event_is_acted_on_once_however_often_it_comes(app: TestApp) {
    let house = House::new(app, "woocommerce", &[("woocommerce_93", "")]).await;
    let body = sample("woocommerce/order.updated.json");
    let headers = |delivery: &str| {
        [
            ("x-wc-webhook-topic", "order.updated".to_owned()),
            ("x-wc-webhook-delivery-id", delivery.to_owned()),
            ("x-wc-webhook-signature", base64::standard(&mark(&[&body]))),
        ]
    };
    let (one, two) = {
        let (first, second) = (headers("d1"), headers("d1"));
        tokio::join!(house.tell("woocommerce", &body, &first), house.tell("woocommerce", &body, &second))
    };
    // Whoever comes while the other is at it comes again.
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert!(statuses == [200, 200] || statuses == [200, 503], "{statuses:?}");
    assert_eq!(house.tell("woocommerce", &body, &headers("d1")).await.status, 200);
    assert_eq!((house.licenses().await.len(), house.count().await), (1, 1));
    // The order in an event of its own is the same order.
    assert_eq!(house.tell("woocommerce", &body, &headers("d2")).await.status, 200);
    assert_eq!((house.licenses().await.len(), house.count().await), (1, 2));
    let license = &house.licenses().await[0];
    assert_eq!(license.terms.seats.most(), Some(2));
    let refunded = sample("woocommerce/order.refunded.json");
    let mut signed = headers("d3");
    signed[2].1 = base64::standard(&mark(&[&refunded]));
    assert_eq!(house.tell("woocommerce", &refunded, &signed).await.status, 200);
    assert!(matches!(house.licenses().await[0].state, LicenseState::Disabled { .. }));
}

async fn what_could_not_be_acted_on_is_kept_and_acted_on_again(app: TestApp) {
    let house = House::new(app, "shopify", &[]).await;
    let body = sample("shopify/orders-paid.json");
    let headers = [
        ("x-shopify-topic", "orders/paid".to_owned()),
        ("x-shopify-webhook-id", "w1".to_owned()),
        ("x-shopify-hmac-sha256", base64::standard(&mark(&[&body]))),
        ("cookie", "secret=1".to_owned()),
    ];
    let reply = house.tell("shopify", &body, &headers).await;
    assert!(reply.status == 200 && reply.text().starts_with("Kept."), "{}", reply.text());
    let (state, said) = house.last().await;
    assert!(state == EventState::Failed && said.contains("shopify_variant_9001, shopify_801, PRESS-STD"), "{said}");
    let (events, _) = house.app.desk().shop_events(&OPERATOR, None, Some("failed")).await.unwrap();
    let view = house.app.desk().shop_event(&OPERATOR, events[0].id).await.unwrap();
    assert_eq!(view.body.as_bytes(), body, "as it came");
    assert!(view.headers.iter().all(|(name, _)| name.starts_with("x-shopify")), "and no cookie");
    assert!(!String::from_utf8_lossy(&events[0].content).contains("Löwe"), "and encrypted");
    house.property("shopify_801", &format!("{TERMS}&is_features=0:7")).await;
    assert_eq!(house.app.desk().replay_shop_event(&OPERATOR, events[0].id).await.unwrap(), EventState::Done);
    let license = house.licenses().await.remove(0);
    assert_eq!((license.terms.seats.most(), license.terms.qlm.unwrap().features.text()), (Some(3), "0:7;".to_owned()));
    // Once more, and nothing is made twice, whatever the product is now.
    house.property("shopify_801", &format!("{TERMS}&is_features=0:1")).await;
    assert_eq!(house.app.desk().replay_shop_event(&OPERATOR, events[0].id).await.unwrap(), EventState::Done);
    assert_eq!(house.tell("shopify", &body, &headers).await.text(), "Taken.");
    assert_eq!((house.licenses().await.len(), house.count().await), (1, 1));
    assert!(house.app.desk().replay_shop_event(&OPERATOR, 999).await.is_err());
}

impl House {
    /// Whether the first license that was sold is good.
    pub async fn enabled(&self) -> bool {
        matches!(self.licenses().await[0].state, LicenseState::Enabled)
    }

    /// As a process leaves an event that stopped while it acted on it.
    pub async fn stopped(&self, event: i64) {
        let began = crate::licensing::Timestamp::from_millis(0);
        let stopped = self
            .app
            .desk()
            .store()
            .write(move |conn| Box::pin(async move { conn.event_ended(event, EventState::Running, "", None, began).await }));
        stopped.await.unwrap();
    }

    /// A map as no vendor can type it, for servers of the test.
    pub async fn raw_map(&self, name: &str, map: &str) {
        let (name, map) = (name.to_owned(), map.to_owned());
        let written = self.app.desk().store().write(move |conn| {
            let (name, map) = (name.clone(), map.clone());
            Box::pin(async move {
                let extension = conn.extension(&name).await?.unwrap();
                conn.set_map(extension.id, Some(&map)).await
            })
        });
        written.await.unwrap();
    }
}

async fn a_plan_or_an_upgrade_is_bought_by_the_key_the_buyer_typed(app: TestApp) {
    let house = House::new(app, "fastspring", &[("fastspring_press", "&is_expduration=365")]).await;
    let tell = async |body: &str| {
        let signature = base64::standard(&mark(&[body.as_bytes()]));
        house.tell("fastspring", body.as_bytes(), &[("x-fs-signature", signature)]).await.text()
    };
    let first = String::from_utf8(sample("fastspring/events.json")).unwrap();
    assert_eq!(tell(&first).await, "Taken.");
    let license = house.licenses().await.remove(0);
    let key = license.key.as_ref().unwrap().text();
    assert_eq!(license.customer.is_some().then_some(()), Some(()));
    let event = |id: &str, typed: &str, attributes: &str| {
        format!(
            r#"{{"events":[{{"id":"{id}","type":"order.completed","live":true,"data":{{"reference":"ORDER-{id}","changed":1794990000000,
               "customer":{{"first":"Ann","last":"Löwe","email":"ann@customer.example"}},
               "items":[{{"product":{{"product":"plan","attributes":{attributes}}},"quantity":1,"attributes":{{"custom_referrer":"{typed}"}}}},
                        {{"product":{{"product":"plan","attributes":{attributes}}},"quantity":1,"attributes":{{"custom_referrer":"{typed}"}}}}]}}}}]}}"#
        )
    };
    let plan = r#"{"webhook_action":"RenewMaintenancePlan","is_productid":"1","is_majorversion":"1","is_minorversion":"0","is_maintduration":"100"}"#;
    let until = async || house.licenses().await[0].terms.maintenance.instant(None);
    assert_eq!(tell(&event("p0", "AAAAA-BBBBB-CCCCC-DDDDX", plan)).await.get(..5), Some("Kept."));
    assert!(house.last().await.1.contains("no license with this activation key"), "{:?}", house.last().await);
    assert_eq!(until().await, None);
    assert_eq!(tell(&event("p1", &key, plan)).await, "Taken.", "{:?}", house.last().await);
    let after = until().await.unwrap();
    assert_eq!(
        (after.plus_seconds(-1).date(), house.licenses().await.len()),
        (house.app.now().plus_days(200).date(), 1),
        "two were bought"
    );
    // A process that stopped before it could say that it was done has done it all the same.
    let (events, _) = house.app.desk().shop_events(&OPERATOR, None, Some("done")).await.unwrap();
    house.stopped(events[0].id).await;
    house.app.desk().finish_shop_events().await.unwrap();
    assert_eq!((house.last().await.0, until().await), (EventState::Done, Some(after)));
    // Nor is it done again days later, when what calls have said has been forgotten.
    house.app.pass_days(3);
    house.app.desk().housekeeping().await.unwrap();
    house.stopped(events[0].id).await;
    house.app.desk().finish_shop_events().await.unwrap();
    house.app.desk().replay_shop_event(&OPERATOR, events[0].id).await.unwrap();
    assert_eq!(until().await, Some(after));
    // What a product asks for that is none of these is told.
    assert_eq!(tell(&event("x1", &key, &plan.replace("RenewMaintenancePlan", "Explode"))).await.get(..5), Some("Kept."));
    assert!(house.last().await.1.contains("webhook_action is one of"), "{:?}", house.last().await);
    let upgrade = r#"{"webhook_action":"upgradelicense","is_productid":"1","is_majorversion":"2","is_minorversion":"0","is_features":"0:7"}"#;
    let one = event("u1", &key, upgrade);
    // Of two upgrades of one key the second has nothing to upgrade; neither is done twice.
    assert_eq!(tell(&one).await.get(..5), Some("Kept."));
    assert!(house.last().await.1.contains("by its new key"), "{:?}", house.last().await);
    let all = house.licenses().await;
    let qlm = all[1].terms.qlm.clone().unwrap();
    assert_eq!((all.len(), qlm.major, qlm.features.text().as_str()), (2, 2, "0:7;"));
    assert!(matches!(all[0].state, LicenseState::Disabled { .. }) && matches!(all[1].state, LicenseState::Enabled));
    let (mail, _) = house.app.desk().messages(&OPERATOR, None, Some(ANN)).await.unwrap();
    assert_eq!(mail.len(), 2, "the new key goes to the customer");
    // What a buyer writes elsewhere chooses nothing.
    let tags = first
        .replace("\"fs1\"", "\"fs9\"")
        .replace("YES261110-1", "YES261110-9")
        .replace("\"is_quantity\": \"999\"", "\"webhook_action\": \"RenewMaintenancePlan\"");
    assert_eq!(tell(&tags).await, "Taken.");
    assert_eq!(house.licenses().await.len(), 3, "it is an order");
}

async fn a_shop_that_cannot_be_asked_is_asked_again(app: TestApp) {
    let house = House::new(app, "stripe", &[]).await;
    let map = house.app.desk().extension_view(&OPERATOR, "stripe").await.unwrap().map;
    // Nobody is there.
    let nowhere = map.replace("\"fetch\": \"https://api.stripe.com", "\"fetch\": \"http://127.0.0.1:9");
    house.raw_map("stripe", &nowhere).await;
    house.app.secret("sk_test_key");
    let secret = ExtensionEdit { api_key: Some("sk_test_key".to_owned()), ..ExtensionEdit::default() };
    house.app.desk().edit_extension(&OPERATOR, "stripe", secret).await.unwrap();
    let body = sample("stripe/checkout.session.completed.json");
    assert_eq!(house.stripe(&body).await.status, 503, "the shop sends it again");
    assert_eq!(house.last().await.0, EventState::New);
    assert!(house.last().await.1.starts_with("The shop was asked for more, and"), "{:?}", house.last().await);
    // So does a job, where the shop does not.
    house.app.pass_seconds(660);
    house.app.desk().finish_shop_events().await.unwrap();
    assert_eq!(house.last().await.0, EventState::New);
    let (address, mut heard) = server("/v1/checkout/sessions/{id}/line_items", "stripe/line_items.json").await;
    house.raw_map("stripe", &map.replace("\"fetch\": \"https://api.stripe.com", &format!("\"fetch\": \"{address}"))).await;
    house.app.pass_seconds(660);
    house.app.desk().finish_shop_events().await.unwrap();
    heard.recv().await.unwrap();
    assert_eq!((house.last().await.0, house.licenses().await.len()), (EventState::Done, 1), "{:?}", house.last().await);
    // For days, and then staff looks.
    house.raw_map("stripe", &nowhere).await;
    let other = String::from_utf8(body).unwrap().replace("evt_1", "evt_9");
    house.stripe(other.as_bytes()).await;
    house.app.pass_days(4);
    house.app.desk().finish_shop_events().await.unwrap();
    assert_eq!(house.last().await.0, EventState::Failed, "{:?}", house.last().await);
    // It waits for that as long as it takes.
    house.app.pass_days(500);
    house.app.desk().housekeeping().await.unwrap();
    assert_eq!((house.last().await.0, house.count().await), (EventState::Failed, 1));
}

async fn a_refund_of_a_part_revokes_nothing(app: TestApp) {
    let house = House::new(app, "fastspring", &[("fastspring_press", "")]).await;
    let tell = async |body: &str| {
        let signature = base64::standard(&mark(&[body.as_bytes()]));
        let reply = house.tell("fastspring", body.as_bytes(), &[("x-fs-signature", signature)]).await;
        assert_eq!(reply.text(), "Taken.", "{:?}", house.last().await);
    };
    tell(&String::from_utf8(sample("fastspring/events.json")).unwrap()).await;
    let refund = String::from_utf8(sample("fastspring/return.created.json")).unwrap();
    let part = refund
        .replace("\"fs4\"", "\"fs3\"")
        .replace("\"reference\": \"YES-R1\",", "\"reference\": \"YES-R1\", \"totalReturn\": 49.5,")
        .replace("\"order\": \"oid1\",", "\"order\": \"oid1\", \"total\": 98.0,");
    tell(&part).await;
    assert_eq!(house.last().await.0, EventState::Ignored);
    assert!(matches!(house.licenses().await[0].state, LicenseState::Enabled));
    let whole = part.replace("\"fs3\"", "\"fs4\"").replace("49.5", "98");
    let set = async |value: &str| {
        house.app.desk().set_settings(&OPERATOR, vec![("revokeLicenseOnRefund".to_owned(), value.to_owned())]).await.unwrap();
    };
    set("false").await;
    let signature = base64::standard(&mark(&[whole.as_bytes()]));
    house.tell("fastspring", whole.as_bytes(), &[("x-fs-signature", signature)]).await;
    assert_eq!((house.last().await.0, house.enabled().await), (EventState::Failed, true), "it waits for staff");
    set("true").await;
    tell(&whole.replace("\"fs4\"", "\"fs5\"")).await;
    assert!(matches!(house.licenses().await[0].state, LicenseState::Disabled { .. }));
}

async fn who_does_not_sign_or_show_a_password_tells_nothing(app: TestApp) {
    let house = House::new(app, "shopify", &[("shopify_801", "")]).await;
    let body = sample("shopify/orders-paid.json");
    let right = base64::standard(&mark(&[&body]));
    let topic = ("x-shopify-topic", "orders/paid".to_owned());
    for signature in [None, Some(String::new()), Some(right.replace(right.chars().next().unwrap(), "B")), Some("%%%".to_owned())]
    {
        let mut headers = vec![topic.clone()];
        headers.extend(signature.map(|signature| ("x-shopify-hmac-sha256", signature)));
        assert_eq!(house.tell("shopify", &body, &headers).await.status, 401);
    }
    let other = String::from_utf8(body.clone()).unwrap().replace("\"quantity\": 3", "\"quantity\": 300");
    let headers = [topic.clone(), ("x-shopify-hmac-sha256", right.clone())];
    assert_eq!(house.tell("shopify", other.as_bytes(), &headers).await.status, 401);
    assert_eq!(house.tell("nobody", &body, &headers).await.status, 401);
    house.app.desk().switch_extension(&OPERATOR, "shopify", false).await.unwrap();
    assert_eq!(house.tell("shopify", &body, &headers).await.status, 401);
    house.app.desk().switch_extension(&OPERATOR, "shopify", true).await.unwrap();
    assert_eq!((house.count().await, house.licenses().await.len()), (0, 0));
    // A body that is none, rightly signed.
    let broken = b"{\"id\":";
    let signed = [topic, ("x-shopify-hmac-sha256", base64::standard(&mark(&[broken])))];
    assert_eq!(house.tell("shopify", broken, &signed).await.status, 400);
    // A shop of a class that signs nothing shows its password.
    house.with_cart().await;
    let order = format!("order_id=7&email=ann%40customer.example&quantity=2&{TERMS}");
    let shown = "cart&is_user=shop&is_pwd=a%20password%20of%20the%20cart";
    assert_eq!(house.tell("cart", order.as_bytes(), &[]).await.status, 401);
    assert_eq!(
        house
            .tell(&shown.replace("cart&", "cart&is_x=&").replace("the%20cart", "the%20card"), order.as_bytes(), &[])
            .await
            .status,
        401
    );
    // By a password no more is done than by the method of that name.
    house.app.desk().set_settings(&OPERATOR, vec![("enableGetActivationKey".to_owned(), "true".to_owned())]).await.unwrap();
    assert_eq!(house.tell(shown, order.as_bytes(), &[]).await.text(), "Taken.", "{:?}", house.last().await);
    assert_eq!(house.licenses().await[0].terms.seats.most(), Some(2));
}

async fn a_map_is_edited_and_tried_out_before_it_is_used(app: TestApp) {
    let house = House::new(app, "zapier", &[("book", "&is_expduration=10&is_features=0:1")]).await;
    let map = r#"{"email":["who"],"rules":[{"when":[{"path":"kind","is":["sale"]}],"act":"order","order":["no"],
        "items":["lines"],"product":["{what}"],"quantity":["count"]},{"act":"nothing"}]}"#;
    let tried = async |map: Option<&str>, body: &str| {
        house.app.desk().try_shop_payload(&OPERATOR, "zapier", map, &[], body).await.map(|tried| tried.0)
    };
    let sale =
        r#"{"kind":"sale","no":7,"who":"ann@customer.example","lines":[{"what":"book","count":3},{"what":"pen","count":1}]}"#;
    let lines = tried(Some(map), sale).await.unwrap();
    assert_eq!(
        lines[0].as_deref(),
        Ok(
            "One key of Product press 1.0, for 3 computers, subscription, good through 2026-11-28, features 0:1;; order 7 of ann@customer.example. They would get it by mail."
        )
    );
    assert!(lines[1].as_ref().unwrap_err().contains("Add a property for it: pen."), "{lines:?}");
    assert_eq!(
        tried(Some(map), "{\"kind\":\"other\"}").await.unwrap()[0].as_deref(),
        Ok("This event is none of ours: nothing would be done.")
    );
    assert!(tried(Some("{\"rules\":[{\"act\":\"explode\"}]}"), sale).await.is_err());
    assert!(tried(None, "{").await.is_err());
    assert!(house.licenses().await.is_empty() && house.count().await == 0, "nothing was written");
    for wrong in [
        "{",
        "[]",
        "{\"unknown\":1}",
        "{\"rules\":[]}",
        "{\"fetch\":\"http://x.example/\",\"rules\":[{\"act\":\"nothing\"}]}",
        "{\"signing\":{\"kind\":\"hex\",\"header\":\"X y\"},\"rules\":[{\"act\":\"nothing\"}]}",
    ] {
        let edit = ExtensionEdit { map: Some(wrong.to_owned()), ..ExtensionEdit::default() };
        assert!(house.app.desk().edit_extension(&OPERATOR, "zapier", edit).await.is_err(), "{wrong}");
    }
    let edit = |map: &str| ExtensionEdit { map: Some(map.to_owned()), ..ExtensionEdit::default() };
    house.app.desk().edit_extension(&OPERATOR, "zapier", edit(map)).await.unwrap();
    assert!(house.app.desk().extension_view(&OPERATOR, "zapier").await.unwrap().own_map);
    house.app.desk().edit_extension(&OPERATOR, "zapier", edit("")).await.unwrap();
    assert!(!house.app.desk().extension_view(&OPERATOR, "zapier").await.unwrap().own_map);
}

async fn whoever_renews_is_told_where_the_vendor_says_so(app: TestApp) {
    let house = House::new(app, "lemonsqueezy", &[("lemonsqueezy_variant_62", "&is_expduration=31")]).await;
    let property =
        async |more: &str| house.property("lemonsqueezy_variant_62", &format!("{TERMS}&is_expduration=31{more}")).await;
    let set = async |name: &str, value: &str| {
        house.app.desk().set_settings(&OPERATOR, vec![(name.to_owned(), value.to_owned())]).await.unwrap();
    };
    let tell = async |body: String| {
        let reply = house.tell("lemonsqueezy", body.as_bytes(), &[("x-signature", hex(&mark(&[body.as_bytes()])))]).await;
        assert_eq!(reply.text(), "Taken.", "{:?}", house.last().await);
    };
    // The letters to the customer, newest first: what they are called, and what they say.
    let letters = async || {
        let (listed, _) = house.app.desk().messages(&OPERATOR, None, Some(ANN)).await.unwrap();
        let mut letters = Vec::new();
        for message in listed {
            let text = house.app.desk().message(&OPERATOR, &message.token).await.unwrap().text.unwrap();
            letters.push((message.subject, text));
        }
        letters
    };
    let order = String::from_utf8(sample("lemonsqueezy/order_created.json")).unwrap();
    let renewal = String::from_utf8(sample("lemonsqueezy/subscription_updated.json")).unwrap();
    // Each renewal is another event, of another year.
    let renewed = async |year: u16| {
        tell(renewal.replace("2026-11-10T09", &format!("{year}-11-10T09")).replace("2027-12-10", &format!("{year}-12-10"))).await
    };
    let template = async |name: &str, text: &str| house.app.desk().put_template(&OPERATOR, name, name, text).await.unwrap();

    // An order's letter knows its number, which the shop gave it.
    template("NewOrder", "%ActivationKey% of %OrderID%").await;
    tell(order.clone()).await;
    let key = house.licenses().await[0].key.as_ref().unwrap().text();
    assert_eq!(letters().await[0].1, format!("{key} of 3001"));
    renewed(2027).await;
    assert_eq!(letters().await.len(), 1, "nobody is told unless the vendor says so");

    set("sendMailForSubscriptionRenewal", "true").await;
    renewed(2028).await;
    let (subject, text) = letters().await.remove(0);
    assert_eq!(subject, "Your license of Product press was renewed");
    assert!(text.contains("is good through 2028-12-10") && text.contains(&key), "{text}");
    // The same event acted on once more, and one that changes no end, are no news.
    let (events, _) = house.app.desk().shop_events(&OPERATOR, None, None).await.unwrap();
    house.app.desk().replay_shop_event(&OPERATOR, events[0].id).await.unwrap();
    tell(renewal.replace("2026-11-10T09", "2028-11-11T09").replace("2027-12-10", "2028-12-10")).await;
    assert_eq!(letters().await.len(), 2);
    // A product has its own word, whatever the settings say.
    property("&is_send_renewal_mail=false").await;
    renewed(2029).await;
    assert_eq!(letters().await.len(), 2);
    set("sendMailForSubscriptionRenewal", "false").await;
    template("Studio", "%ActivationKey%: until %ExpiryDate%").await;
    property("&is_renewal_emailtemplate=Studio").await;
    renewed(2030).await;
    assert_eq!(letters().await[0], ("Studio".to_owned(), format!("{key}: until 2030-12-10")));
    // What is no letter about a renewal stands for none.
    template("RenewSubscription", "On until %ExpiryDate%").await;
    property("&is_emailtemplate_renew=RequestKeys").await;
    renewed(2031).await;
    assert_eq!(letters().await[0].1, "On until 2031-12-10");
    assert_eq!(letters().await.len(), 4);

    // The first letter is a setting as well, and the product's word again.
    set("sendMailForInitialOrder", "false").await;
    tell(order.replace("\"3001\"", "\"3002\"").replace("order_id\": 3001", "order_id\": 3002")).await;
    assert_eq!((letters().await.len(), house.licenses().await.len()), (4, 2));
    property("&is_send_mail=true").await;
    tell(order.replace("\"3001\"", "\"3003\"").replace("order_id\": 3001", "order_id\": 3003")).await;
    assert_eq!((letters().await.len(), house.licenses().await.len()), (5, 3));
}

async fn properties_are_named_by_calls_only_where_they_may_be(app: TestApp) {
    let house = House::new(app, "woocommerce", &[]).await;
    let desk = house.app.desk().clone();
    let put = async |name: &str, value: &str, for_calls: bool| {
        let edit = PropertyEdit { name: name.to_owned(), value: value.to_owned(), for_calls };
        desk.put_property(&OPERATOR, edit).await
    };
    for (name, value) in
        [("", TERMS), ("a b", TERMS), ("x", ""), ("x", "is_pwd=1"), ("x", "IS_VENDOR=a"), ("x", "quantity=3"), ("x", "is_args=y")]
    {
        assert!(put(name, value, true).await.is_err(), "{name} {value}");
    }
    put("STD", &format!("{TERMS}&is_features=0:1"), true).await.unwrap();
    put("shop_only", &format!("{TERMS}&is_features=0:255"), false).await.unwrap();
    house.app.desk().set_settings(&OPERATOR, vec![("enableGetActivationKey".to_owned(), "true".to_owned())]).await.unwrap();
    house.app.secret("a password of the shop");
    let get = async |arguments: &str| {
        let path =
            "/qlm/qlmservice.asmx/GetActivationKey?is_vendor=woocommerce&is_user=shop&is_pwd=a%20password%20of%20the%20shop";
        house.app.get(&format!("{path}&{arguments}")).await.text()
    };
    assert!(get("is_args=std").await.contains("<errorCode>7</errorCode>"), "it is off, and something else would be made");
    house.app.desk().set_settings(&OPERATOR, vec![("enableCustomUrlArgs".to_owned(), "true".to_owned())]).await.unwrap();
    let key = get("is_args=std&is_features=").await;
    house.app.secret(key.clone());
    let found =
        desk.read().await.unwrap().licenses_with_key(&crate::licensing::ActivationKey::parse(&key).unwrap()).await.unwrap();
    assert_eq!(found[0].0.terms.qlm.as_ref().unwrap().features.text(), "0:1;");
    assert!(get("is_args=shop_only").await.contains("<errorCode>208</errorCode>"), "no call may name it");
    let plain = get(&format!("is_args=A-NUMBER-OF-THE-SHOP&{TERMS}")).await;
    house.app.secret(plain.clone());
    assert!(!plain.to_lowercase().contains("error"), "{plain}");
}
