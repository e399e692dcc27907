//! Each shop of the first class: it signs its samples as it does, sells, renews and takes back.

use axum::{body::Body, http::Request};

use super::{
    TestApp,
    licensespring::OPERATOR,
    shops::{ANN, House, TERMS, ends, hex, mark, sample, server},
};
use crate::{
    desk::ExtensionEdit,
    licensing::{files::base64, license::LicenseState},
    store::EventState,
};

tests! {
    both: ;
    once:
        stripe_sells_renews_and_ends_a_subscription,
        shopify_sells_by_json_and_by_xml_and_cancels,
        paddle_sells_renews_and_refunds,
        lemon_squeezy_sells_renews_and_refunds,
        gumroad_signs_nothing_and_calls_a_secret_address,
        fastspring_tells_several_events_at_once,
        woocommerce_tells_of_orders_without_its_plugin,
        two_checkout_waits_for_a_receipt;
}

async fn stripe_sells_renews_and_ends_a_subscription(app: TestApp) {
    let house = House::new(app, "stripe", &[]).await;
    let (address, mut heard) = server("/v1/checkout/sessions/{id}/line_items", "stripe/line_items.json").await;
    let mut map = house.app.desk().extension_view(&OPERATOR, "stripe").await.unwrap().map;
    // The sample's own address, which a map of the vendor's could not name: it is no https.
    assert!(map.contains("https://api.stripe.com/v1/checkout/sessions/{data.object.id}/line_items"));
    map = map.replace("\"fetch\": \"https://api.stripe.com", &format!("\"fetch\": \"{address}"));
    house.raw_map("stripe", &map).await;
    let secret = ExtensionEdit { api_key: Some("sk_test_key".to_owned()), ..ExtensionEdit::default() };
    house.app.secret("sk_test_key");
    house.app.desk().edit_extension(&OPERATOR, "stripe", secret).await.unwrap();
    let reply = house.stripe(&sample("stripe/checkout.session.completed.json")).await;
    assert_eq!(reply.text(), "Taken.", "{:?}", house.last().await);
    assert_eq!(heard.recv().await.unwrap(), "Bearer sk_test_key");
    let license = house.licenses().await.remove(0);
    assert_eq!(license.subscription, Some(("stripe".to_owned(), "sub_7".to_owned())));
    assert_eq!((license.terms.seats.most(), license.terms.qlm.as_ref().unwrap().features.text()), (Some(2), "0:3;".to_owned()));
    assert_eq!(ends(&license), "2026-12-19", "31 days from the order");
    // The keys went to the customer.
    let (mail, _) = house.app.desk().messages(&OPERATOR, None, Some(ANN)).await.unwrap();
    assert!(mail.len() == 1 && mail[0].subject == "Your license of Product press");
    house.stripe(&sample("stripe/invoice.payment_succeeded.json")).await;
    assert_eq!(ends(&house.licenses().await[0]), "2027-01-18", "{:?}", house.last().await);
    // An older one that comes late takes nothing away.
    let older = String::from_utf8(sample("stripe/invoice.payment_succeeded.json")).unwrap();
    let older = older.replace("1800278400", "1797600000").replace("evt_2", "evt_1b");
    house.stripe(older.as_bytes()).await;
    assert_eq!(ends(&house.licenses().await[0]), "2027-01-18");
    // A change in the middle is a line of its own, which ends with the period before.
    let prorated = String::from_utf8(sample("stripe/invoice.payment_succeeded.json")).unwrap();
    let prorated = prorated
        .replace("evt_2", "evt_2b")
        .replace("1800278400", "1802956800")
        .replace("\"data\": [", "\"data\": [{ \"id\": \"il_0\", \"period\": { \"start\": 1797600000, \"end\": 1800278400 } },");
    house.stripe(prorated.as_bytes()).await;
    assert_eq!(ends(&house.licenses().await[0]), "2027-02-18", "{:?}", house.last().await);
    // Where the vendor keeps it so, what is over lasts through the day it is paid for; the event can be acted on later.
    let set = async |value: &str| {
        let settings = vec![("revokeLicenseWhenSubscriptionCanceled".to_owned(), value.to_owned())];
        house.app.desk().set_settings(&OPERATOR, settings).await.unwrap();
    };
    set("false").await;
    house.stripe(&sample("stripe/customer.subscription.deleted.json")).await;
    assert_eq!((house.last().await.0, house.enabled().await), (EventState::Failed, true), "it waits for staff");
    set("true").await;
    let (events, _) = house.app.desk().shop_events(&OPERATOR, None, None).await.unwrap();
    let (over, renewal) = (events[0].id, events.iter().find(|event| event.name.contains("evt_2b")).unwrap().id);
    house.app.pass_seconds(60);
    house.app.desk().replay_shop_event(&OPERATOR, over).await.unwrap();
    assert!(!house.enabled().await, "{:?}", house.last().await);
    // A payment of before that is acted on late gives nothing back; one of after does.
    house.stopped(renewal).await;
    house.app.desk().finish_shop_events().await.unwrap();
    assert!(!house.enabled().await);
    let later = prorated.replace("evt_2b", "evt_9").replace("1802956800", "1805548800");
    house.stripe(later.as_bytes()).await;
    assert!(house.enabled().await, "{:?}", house.last().await);
}

async fn shopify_sells_by_json_and_by_xml_and_cancels(app: TestApp) {
    let house = House::new(app, "shopify", &[("shopify_variant_9001", "&is_expduration=30")]).await;
    let tell = async |body: &[u8], topic: &str, id: &str| {
        let headers = [
            ("x-shopify-topic", topic.to_owned()),
            ("x-shopify-webhook-id", id.to_owned()),
            ("x-shopify-hmac-sha256", base64::standard(&mark(&[body]))),
        ];
        assert_eq!(house.tell("shopify", body, &headers).await.text(), "Taken.", "{:?}", house.last().await);
    };
    tell(&sample("shopify/orders-paid.json"), "orders/paid", "w1").await;
    tell(&sample("shopify/orders-paid.xml"), "orders/paid", "w2").await;
    tell(b"{\"id\":1}", "products/update", "w3").await;
    assert_eq!(house.last().await.0, EventState::Ignored);
    let all = house.licenses().await;
    assert_eq!(all.iter().map(|license| license.terms.seats.most()).collect::<Vec<_>>(), [Some(3), Some(1)]);
    assert_eq!(ends(&all[0]), "2026-12-10", "counted from the day of the order, not of the call");
    tell(&sample("shopify/orders-cancelled.json"), "orders/cancelled", "w4").await;
    let all = house.licenses().await;
    assert!(matches!(all[0].state, LicenseState::Disabled { .. }) && matches!(all[1].state, LicenseState::Enabled));
    // Arguments that a product's number at the shop holds itself, with a property's own beside.
    let body = String::from_utf8(sample("shopify/orders-paid.json")).unwrap();
    let literal = body
        .replace("PRESS-STD", &format!("&{TERMS}&is_features=1:4"))
        .replace("9001", "9002")
        .replace("5500000001", "5500000009");
    tell(literal.as_bytes(), "orders/paid", "w5").await;
    assert_eq!(house.licenses().await[2].terms.qlm.as_ref().unwrap().features.text(), "1:4;");
}

async fn paddle_sells_renews_and_refunds(app: TestApp) {
    let house = House::new(app, "paddle", &[("paddle_pri_01", "&is_expduration=365")]).await;
    let (address, mut heard) = server("/customers/{id}", "paddle/customer.json").await;
    let map = house.app.desk().extension_view(&OPERATOR, "paddle").await.unwrap().map;
    house.raw_map("paddle", &map.replace("https://api.paddle.com", &address)).await;
    house.app.secret("pdl_key");
    let secret = ExtensionEdit { api_key: Some("pdl_key".to_owned()), ..ExtensionEdit::default() };
    house.app.desk().edit_extension(&OPERATOR, "paddle", secret).await.unwrap();
    let tell = async |name: &str| {
        let (body, at) = (sample(name), house.app.now().seconds().to_string());
        let signature = format!("ts={at};h1={}", hex(&mark(&[at.as_bytes(), b":", &body])));
        let reply = house.tell("paddle", &body, &[("paddle-signature", signature)]).await;
        assert_eq!(reply.text(), "Taken.", "{name}: {:?}", house.last().await);
    };
    tell("paddle/transaction.completed.json").await;
    assert_eq!(heard.recv().await.unwrap(), "Bearer pdl_key");
    let license = house.licenses().await.remove(0);
    assert_eq!(
        (license.terms.seats.most(), ends(&license)),
        (Some(2), "2027-11-10".to_owned()),
        "what the buyer says counts for nothing"
    );
    tell("paddle/transaction.completed.renewal.json").await;
    assert_eq!(ends(&house.licenses().await[0]), "2028-11-10");
    tell("paddle/adjustment.created.json").await;
    assert!(matches!(house.licenses().await[0].state, LicenseState::Disabled { .. }));
}

async fn lemon_squeezy_sells_renews_and_refunds(app: TestApp) {
    let house = House::new(app, "lemonsqueezy", &[("lemonsqueezy_variant_62", "&is_expduration=365")]).await;
    let tell = async |name: &str| {
        let body = sample(name);
        let reply = house.tell("lemonsqueezy", &body, &[("x-signature", hex(&mark(&[&body])))]).await;
        assert_eq!(reply.text(), "Taken.", "{name}: {:?}", house.last().await);
    };
    tell("lemonsqueezy/order_created.json").await;
    let license = house.licenses().await.remove(0);
    assert_eq!((ends(&license), license.terms.qlm.as_ref().unwrap().features.text()), ("2027-11-10".to_owned(), String::new()));
    tell("lemonsqueezy/subscription_updated.json").await;
    assert_eq!(ends(&house.licenses().await[0]), "2027-12-10");
    tell("lemonsqueezy/order_refunded.json").await;
    assert!(matches!(house.licenses().await[0].state, LicenseState::Disabled { .. }));
}

async fn gumroad_signs_nothing_and_calls_a_secret_address(app: TestApp) {
    let house = House::new(app, "gumroad", &[("gumroad_press", "&is_expduration=365")]).await;
    let sale = sample("gumroad/sale.form");
    assert_eq!(house.tell("gumroad", &sale, &[]).await.status, 401, "a name alone proves nothing");
    let token = house.app.desk().new_shop_address(&OPERATOR, "gumroad").await.unwrap();
    house.app.secret(token.text());
    let tell = async |token: &str, body: &[u8]| {
        house.app.send(Request::post(format!("/api/shops/{token}")).body(Body::from(body.to_vec())).unwrap()).await
    };
    assert_eq!(tell("guess", &sale).await.status, 401);
    assert_eq!(tell(&"A".repeat(43), &sale).await.status, 401);
    assert_eq!(house.count().await, 0);
    assert_eq!(tell(&token.text(), &sale).await.text(), "Taken.", "{:?}", house.last().await);
    assert_eq!(ends(&house.licenses().await[0]), "2027-11-10");
    let recurring = sample("gumroad/recurring.form");
    for _ in 0..2 {
        assert_eq!(tell(&token.text(), &recurring).await.text(), "Taken.", "{:?}", house.last().await);
    }
    assert_eq!(ends(&house.licenses().await[0]), "2028-11-09", "for as long again, once");
    assert_eq!(tell(&token.text(), &sample("gumroad/refund.form")).await.text(), "Taken.");
    assert!(matches!(house.licenses().await[0].state, LicenseState::Disabled { .. }));
    // A new address, and the one before is nobody's.
    house.app.secret(house.app.desk().new_shop_address(&OPERATOR, "gumroad").await.unwrap().text());
    assert_eq!(tell(&token.text(), &recurring).await.status, 401);
}

async fn fastspring_tells_several_events_at_once(app: TestApp) {
    let house = House::new(app, "fastspring", &[("fastspring_press", "&is_expduration=365")]).await;
    let tell = async |name: &str| {
        let body = sample(name);
        let reply = house.tell("fastspring", &body, &[("x-fs-signature", base64::standard(&mark(&[&body])))]).await;
        assert_eq!(reply.text(), "Taken.", "{name}: {:?}", house.last().await);
    };
    tell("fastspring/events.json").await;
    assert_eq!(house.count().await, 2);
    let license = house.licenses().await.remove(0);
    assert_eq!((license.terms.seats.most(), license.terms.qlm.as_ref().unwrap().features.text()), (Some(2), "0:1;".to_owned()));
    tell("fastspring/events.json").await;
    assert_eq!((house.count().await, house.licenses().await.len()), (2, 1));
    tell("fastspring/subscription.charge.completed.json").await;
    assert_eq!(ends(&house.licenses().await[0]), "2028-01-02");
    tell("fastspring/return.created.json").await;
    assert!(matches!(house.licenses().await[0].state, LicenseState::Disabled { .. }));
}

async fn woocommerce_tells_of_orders_without_its_plugin(app: TestApp) {
    let house = House::new(app, "woocommerce", &[("PRESS", "&is_numberofactivationsperkey=2")]).await;
    let body = sample("woocommerce/order.updated.json");
    let headers = [
        ("x-wc-webhook-topic", "order.updated".to_owned()),
        ("x-wc-webhook-delivery-id", "d1".to_owned()),
        ("x-wc-webhook-signature", base64::standard(&mark(&[&body]))),
    ];
    assert_eq!(house.tell("woocommerce", &body, &headers).await.text(), "Taken.", "{:?}", house.last().await);
    let license = house.licenses().await.remove(0);
    assert_eq!(license.terms.seats.most(), Some(4));
    // What the shop sends when the webhook is set up.
    let ping = b"webhook_id=7";
    let signature = base64::standard(&mark(&[ping]));
    assert_eq!(house.tell("woocommerce", ping, &[("x-wc-webhook-signature", signature)]).await.text(), "Taken.");
}

async fn two_checkout_waits_for_a_receipt(app: TestApp) {
    let house = House::new(app, "avangate", &[("pid_4", "")]).await;
    let text = String::from_utf8(sample("avangate/complete.form")).unwrap();
    let signed = crate::licensing::shops::signature::two_checkout(text.as_bytes());
    let body = format!("{text}&SIGNATURE_SHA2_256={}", hex(&mark(&[signed.as_bytes()])));
    let reply = house.tell("avangate", body.as_bytes(), &[]).await;
    assert!(reply.status == 200 && reply.text().starts_with("<sig algo=\"sha256\" date=\"2026"), "{}", reply.text());
    let license = house.licenses().await.remove(0);
    assert_eq!((license.terms.seats.most(), ends(&license)), (Some(2), "2027-11-10".to_owned()));
    assert_eq!(house.tell("avangate", text.as_bytes(), &[]).await.status, 401);
    let later = body.replace("1002003", "1002004");
    assert_eq!(house.tell("avangate", later.as_bytes(), &[]).await.status, 401);
}
