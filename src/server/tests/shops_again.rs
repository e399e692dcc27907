//! What is told once more, later, or under another name; what a part of an order is worth; and how far a shop that shows a password reaches.

use axum::{body::Body, http::Request};

use super::{
    TestApp,
    licensespring::OPERATOR,
    shops::{ANN, House, TERMS, ends, hex, mark, sample},
};
use crate::{
    desk::NewExtension,
    licensing::{files::base64, license::LicenseState},
    store::EventState,
};

tests! {
    both:
        an_event_with_a_number_that_was_given_before_is_another_event,
        a_part_of_an_upgraded_order_is_a_part_of_what_was_paid_for_it;
    once:
        what_was_revoked_and_is_paid_again_is_good_again,
        what_is_over_is_not_given_back_with_a_dispute,
        a_subscription_that_changes_gives_back_nothing,
        a_password_does_no_more_here_than_by_the_methods,
        a_generator_of_keys_is_answered_with_keys,
        what_proves_who_sent_an_event_is_not_kept;
}

fn text(name: &str) -> String {
    String::from_utf8(sample(name)).unwrap()
}

impl House {
    async fn set(&self, name: &str, value: &str) {
        self.app.desk().set_settings(&OPERATOR, vec![(name.to_owned(), value.to_owned())]).await.unwrap();
    }

    async fn woo(&self, body: &str) {
        let topic = ("x-wc-webhook-topic", "order.updated".to_owned());
        let headers = [topic, ("x-wc-webhook-signature", base64::standard(&mark(&[body.as_bytes()])))];
        assert_eq!(self.tell("woocommerce", body.as_bytes(), &headers).await.status, 200);
    }
}

async fn an_event_with_a_number_that_was_given_before_is_another_event(app: TestApp) {
    let house = House::new(app, "gumroad", &[("gumroad_press", "&is_expduration=3650")]).await;
    let token = house.app.desk().new_shop_address(&OPERATOR, "gumroad").await.unwrap();
    house.app.secret(token.text());
    let tell = async |body: String| {
        let request = Request::post(format!("/api/shops/{}", token.text())).body(Body::from(body)).unwrap();
        assert_eq!(house.app.send(request).await.text(), "Taken.", "{:?}", house.last().await);
    };
    tell(text("gumroad/sale.form")).await;
    tell(text("gumroad/recurring.form")).await;
    let first = ends(&house.licenses().await[0]);
    // Years later events are forgotten, and a database gives their numbers once more.
    house.app.pass_days(1_000);
    house.app.desk().housekeeping().await.unwrap();
    assert_eq!(house.count().await, 0);
    // As the second again, which the first payment was.
    tell(text("gumroad/sale.form")).await;
    tell(text("gumroad/recurring.form").replace("sale2", "sale3")).await;
    let second = ends(&house.licenses().await[0]);
    assert!(second > first, "{first} {second}");
}

async fn a_part_of_an_upgraded_order_is_a_part_of_what_was_paid_for_it(app: TestApp) {
    let house = House::new(app, "woocommerce", &[("PRESS", "")]).await;
    house.set("enableUpgradeLicense", "true").await;
    // A shop that tells what was paid, and what is given back.
    let map = r#"{"signing":{"kind":"base64","header":"x-wc-webhook-signature"},"event":["id"],"email":["email"],"rules":[
        {"when":[{"path":"act","is":["sale"]}],"act":"order","order":["number"],"items":["items"],"product":["{sku}"],"key":["key"],"amount":["paid"]},
        {"when":[{"path":"act","is":["refund"]}],"act":"revoke","order":["number"],"amount":["back"]}]}"#;
    house.raw_map("woocommerce", map).await;
    house.property("BETTER", &format!("{TERMS}&webhook_action=UpgradeLicense&is_features=0:7")).await;
    let sale = |id: &str, number: &str, sku: &str, key: &str, paid: &str| {
        format!(
            r#"{{"id":"{id}","act":"sale","number":"{number}","email":"{ANN}","items":[{{"sku":"{sku}","key":"{key}","paid":"{paid}"}}]}}"#
        )
    };
    let refund =
        |id: &str, number: &str, back: &str| format!(r#"{{"id":"{id}","act":"refund","number":"{number}","back":"{back}"}}"#);
    house.woo(&sale("e1", "100", "PRESS", "", "200.00")).await;
    let key = house.licenses().await[0].key.as_ref().unwrap().text();
    house.woo(&sale("e2", "101", "BETTER", &key, "30.00")).await;
    let good = async || house.licenses().await.iter().map(|one| matches!(one.state, LicenseState::Enabled)).collect::<Vec<_>>();
    assert_eq!(good().await, [false, true], "{:?}", house.last().await);
    // One euro of two hundred is a part, whatever the license has become since.
    house.woo(&refund("r1", "100", "1.00")).await;
    assert_eq!(house.last().await.1, "A part of what was paid was given back, so nothing was revoked.");
    assert_eq!(good().await, [false, true]);
    // Who takes the upgrade back has paid for what there was before: which of the two is good, somebody decides.
    house.woo(&refund("r2", "101", "30.00")).await;
    let (state, said) = house.last().await;
    assert!(state == EventState::Failed && said.contains("Decide which of the two is good"), "{said}");
    assert_eq!(good().await, [false, true]);
    // Of one that was upgraded once more it waits as well.
    let better = house.licenses().await[1].key.as_ref().unwrap().text();
    house.woo(&sale("e3", "102", "BETTER", &better, "10.00")).await;
    assert_eq!(good().await, [false, false, true], "{:?}", house.last().await);
    house.woo(&refund("r4", "101", "30.00")).await;
    assert_eq!((house.last().await.0, good().await), (EventState::Failed, vec![false, false, true]));
    // Where staff makes the first good again, what follows is for that one.
    let all = house.licenses().await;
    house.app.desk().disable_license(&OPERATOR, all[2].id, String::new()).await.unwrap();
    house.app.desk().enable_license(&OPERATOR, all[0].id).await.unwrap();
    house.woo(&refund("r3", "100", "199.00")).await;
    assert_eq!(good().await, [false, false, false], "{:?}", house.last().await);
}

async fn what_is_over_is_not_given_back_with_a_dispute(app: TestApp) {
    let house = House::new(app, "gumroad", &[("gumroad_press", "&is_expduration=365")]).await;
    let token = house.app.desk().new_shop_address(&OPERATOR, "gumroad").await.unwrap();
    house.app.secret(token.text());
    let tell = async |body: String| {
        let request = Request::post(format!("/api/shops/{}", token.text())).body(Body::from(body)).unwrap();
        house.app.send(request).await.text()
    };
    let dispute = |what: &str| {
        text("gumroad/refund.form").replace("refunded=true&resource_name=refund", &format!("refunded=false&resource_name={what}"))
    };
    tell(text("gumroad/sale.form")).await;
    house.app.pass_seconds(60);
    tell(dispute("dispute")).await;
    assert!(!house.enabled().await);
    tell(dispute("dispute_won")).await;
    assert!(house.enabled().await, "{:?}", house.last().await);
    // Another order of the same kind, whose subscription ends while it is disputed.
    let other = |body: String| body.replace("sale%3D%3D", "sale-two").replace("gsub", "gsub-two");
    tell(other(text("gumroad/sale.form"))).await;
    house.app.pass_seconds(60);
    tell(other(dispute("dispute"))).await;
    tell(other(text("gumroad/subscription_ended.form"))).await;
    tell(other(dispute("dispute_won"))).await;
    assert!(matches!(house.licenses().await[1].state, LicenseState::Disabled { .. }), "{:?}", house.last().await);
    // And the other way round.
    let third = |body: String| body.replace("sale%3D%3D", "sale-three").replace("gsub", "gsub-three");
    tell(third(text("gumroad/sale.form"))).await;
    house.app.pass_seconds(60);
    tell(third(text("gumroad/subscription_ended.form"))).await;
    tell(third(dispute("dispute"))).await;
    tell(third(dispute("dispute_won"))).await;
    assert!(matches!(house.licenses().await[2].state, LicenseState::Disabled { .. }), "{:?}", house.last().await);
}

async fn what_was_revoked_and_is_paid_again_is_good_again(app: TestApp) {
    let house = House::new(app, "woocommerce", &[("PRESS", "")]).await;
    let paid = text("woocommerce/order.updated.json");
    let cancelled = text("woocommerce/order.refunded.json");
    house.woo(&paid).await;
    assert!(house.enabled().await);
    house.app.pass_seconds(60);
    house.woo(&cancelled).await;
    assert!(!house.enabled().await, "{:?}", house.last().await);
    // The first event once more is of before that.
    let (events, _) = house.app.desk().shop_events(&OPERATOR, None, None).await.unwrap();
    house.app.desk().replay_shop_event(&OPERATOR, events[1].id).await.unwrap();
    assert!(!house.enabled().await);
    // Told anew, later, it is paid after all.
    house.app.pass_seconds(60);
    house.woo(&paid.replacen('{', "{ \"note\": 2,", 1)).await;
    assert!(house.enabled().await, "{:?}", house.last().await);
    assert!(house.last().await.1.contains("One license given back."));
    // What staff disabled waits for staff.
    let id = house.licenses().await[0].id;
    house.app.desk().disable_license(&OPERATOR, id, "Shared".to_owned()).await.unwrap();
    house.app.pass_seconds(60);
    house.woo(&paid.replacen('{', "{ \"note\": 3,", 1)).await;
    assert_eq!((house.last().await.0, house.enabled().await), (EventState::Failed, false));
    assert_eq!(house.licenses().await.len(), 1);
}

async fn a_subscription_that_changes_gives_back_nothing(app: TestApp) {
    let house = House::new(app, "lemonsqueezy", &[("lemonsqueezy_variant_62", "&is_expduration=365")]).await;
    let tell = async |body: String| {
        let reply = house.tell("lemonsqueezy", body.as_bytes(), &[("x-signature", hex(&mark(&[body.as_bytes()])))]).await;
        assert_eq!(reply.text(), "Taken.", "{:?}", house.last().await);
    };
    tell(text("lemonsqueezy/order_created.json")).await;
    tell(text("lemonsqueezy/order_refunded.json")).await;
    assert!(!house.enabled().await);
    // Another card is no payment.
    house.app.pass_seconds(60);
    tell(text("lemonsqueezy/subscription_updated.json")).await;
    assert!(!house.enabled().await, "{:?}", house.last().await);
    assert_eq!(ends(&house.licenses().await[0]), "2027-12-10", "its end is what the shop says");
}

async fn a_password_does_no_more_here_than_by_the_methods(app: TestApp) {
    let house = House::new(app, "shopify", &[]).await;
    house.with_cart().await;
    let order = format!("order_id=7&email=ann%40customer.example&{TERMS}");
    let shown = "cart&is_user=shop&is_pwd=a%20password%20of%20the%20cart";
    let kept = async |body: &str, property: &str| {
        assert!(house.tell(shown, body.as_bytes(), &[]).await.text().starts_with("Kept."));
        let (state, said) = house.last().await;
        assert!(state == EventState::Failed && said.contains(property), "{said}");
    };
    // What was paid is not lost: it waits until that is switched on.
    kept(&order, "enableGetActivationKey").await;
    assert!(house.licenses().await.is_empty());
    house.set("enableGetActivationKey", "true").await;
    assert_eq!(house.tell(shown, order.as_bytes(), &[]).await.text(), "Taken.", "{:?}", house.last().await);
    assert_eq!(house.count().await, 1);
    // Nor is more done to a license that is there, whatever an order calls itself.
    let key = house.licenses().await[0].key.as_ref().unwrap().text();
    for action in ["UpgradeLicense", "RenewMaintenancePlan"] {
        let order = format!("order_id={action}&webhook_action={action}&custom_referrer={key}&is_features=0:255&{TERMS}");
        kept(&order, "enableUpgradeLicense").await;
    }
    assert_eq!(house.licenses().await.len(), 1);
    // A name that a database would not keep as it is stands for nothing.
    let map = r#"{"event":["id"],"rules":[{"when":[{"path":"id"}],"act":"nothing"}]}"#;
    house.raw_map("cart", map).await;
    for name in ["a\\u0000", &"x".repeat(5_000)] {
        let odd = format!(r#"{{"id":"{name}"}}"#);
        assert_eq!(house.tell(shown, odd.as_bytes(), &[]).await.text(), "Taken.");
        let (events, _) = house.app.desk().shop_events(&OPERATOR, None, None).await.unwrap();
        assert!(house.app.desk().shop_event(&OPERATOR, events[0].id).await.is_ok());
    }
}

async fn a_generator_of_keys_is_answered_with_keys(app: TestApp) {
    let house = House::new(app, "shareit", &[]).await;
    house.set("enableGetActivationKey", "true").await;
    let shown = "shareit&is_user=shop&is_pwd=a%20password%20of%20the%20shop";
    let order = format!("PURCHASE_ID=77&email=ann%40customer.example&QUANTITY=2&ADDITIONAL1=device+9&{TERMS}");
    let keys = house.tell(shown, order.as_bytes(), &[]).await.text();
    house.app.secret(keys.as_str());
    let license = house.licenses().await.remove(0);
    assert_eq!(keys, license.key.as_ref().unwrap().text(), "{:?}", house.last().await);
    assert_eq!((license.terms.seats.most(), license.terms.qlm.unwrap().user_data), (Some(2), "device 9".to_owned()));
    assert_eq!(house.tell(shown, order.as_bytes(), &[]).await.text(), keys, "the same order is the same keys");
    // It is called for each item, and told of that one alone.
    let second = format!("PURCHASE_ID=77&RUNNING_NO=2&email=ann%40customer.example&{TERMS}&is_features=0:7");
    let other = house.tell(shown, second.as_bytes(), &[]).await.text();
    house.app.secret(other.as_str());
    assert!(other != keys && !other.contains(&keys) && house.licenses().await.len() == 2, "{other}");
    // What an upgrade made is handed over as well.
    house.set("enableUpgradeLicense", "true").await;
    let upgrade =
        format!("PURCHASE_ID=79&email=ann%40customer.example&webhook_action=UpgradeLicense&custom_referrer={other}&{TERMS}");
    let better = house.tell(shown, upgrade.as_bytes(), &[]).await.text();
    house.app.secret(better.as_str());
    assert_eq!(house.licenses().await[2].key.as_ref().unwrap().text(), better, "{:?}", house.last().await);
    // The shop hands them over, so they are not mailed as well.
    assert!(house.app.desk().messages(&OPERATOR, None, Some(ANN)).await.unwrap().0.is_empty());
    // Told once more when the product was renamed since, or while the method is off: never a sentence that looks like a key.
    house.set("enableGetActivationKey", "false").await;
    assert!(house.tell(shown, order.as_bytes(), &[]).await.text().starts_with("Error: This method is switched off"));
    house.set("enableGetActivationKey", "true").await;
    assert_eq!(house.tell(shown, order.as_bytes(), &[]).await.text(), keys);
    let failed = house.tell(shown, b"PURCHASE_ID=78&email=ann%40customer.example", &[]).await.text();
    assert!(failed.starts_with("Error: "), "what is no key does not look like one: {failed}");
}

async fn what_proves_who_sent_an_event_is_not_kept(app: TestApp) {
    let house = House::new(app, "shopify", &[("shopify_variant_9001", "")]).await;
    let body = sample("shopify/orders-paid.json");
    let headers = [("x-shopify-topic", "orders/paid".to_owned()), ("x-shopify-hmac-sha256", base64::standard(&mark(&[&body])))];
    assert_eq!(house.tell("shopify", &body, &headers).await.text(), "Taken.");
    let (events, _) = house.app.desk().shop_events(&OPERATOR, None, None).await.unwrap();
    let kept = house.app.desk().shop_event(&OPERATOR, events[0].id).await.unwrap();
    assert_eq!(kept.headers, [("x-shopify-topic".to_owned(), "orders/paid".to_owned())]);
    let house = House { app: house.app };
    let new = NewExtension {
        name: "ultracart".to_owned(),
        class: "ultracart".to_owned(),
        user: String::new(),
        password: None,
        api_key: None,
        shared_key: None,
    };
    house.app.desk().add_extension(&OPERATOR, new).await.unwrap();
    let token = house.app.desk().new_shop_address(&OPERATOR, "ultracart").await.unwrap();
    house.app.secret(token.text());
    let order = "<activationCodeRequest><MD5Secret>5ebe2294ecd0e0f08eab7690d2a6ee69</MD5Secret><orderId>U-1</orderId></activationCodeRequest>";
    house.app.send(Request::post(format!("/api/shops/{}", token.text())).body(Body::from(order)).unwrap()).await;
    let (events, _) = house.app.desk().shop_events(&OPERATOR, None, None).await.unwrap();
    let kept = house.app.desk().shop_event(&OPERATOR, events[0].id).await.unwrap();
    assert!(kept.body.contains("<MD5Secret>…</MD5Secret><orderId>U-1") && !kept.body.contains("5ebe"), "{}", kept.body);
}
