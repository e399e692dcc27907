//! Quick License Manager's HTTP methods, called as shops and apps call them.

use axum::{
    body::Body,
    http::{Request, header},
};

use super::{Reply, TestApp, app::urlencoded, licensespring::OPERATOR, qlm_signed::is_signed_by};
use crate::{
    desk::{NewExtension, ProductEdit},
    licensing::{
        license::{LicenseType, Maintenance},
        product::{Authorization, ProductRules},
    },
};

tests! {
    both:
        a_shop_has_keys_made_and_the_same_order_again_is_the_same_keys,
        an_app_activates_validates_and_gives_its_seat_back;
    once:
        a_server_answers_wherever_it_was_looked_for,
        nothing_is_made_until_it_is_switched_on_and_who_asks_has_shown_who_it_is,
        the_quantities_of_the_documentation_make_its_keys,
        what_stands_in_the_way_is_told_by_its_number,
        keys_nobody_has_cannot_be_guessed_at,
        a_customer_is_told_only_to_the_computer_that_shows_its_key,
        a_shop_changes_what_it_sold_by_the_names_it_has_for_it,
        the_newest_version_is_told_where_the_vendor_lets_it,
        what_is_known_of_customers_follows_the_shop;
}

pub(super) const PASSWORD: &str = "a password of the shop";

/// A product with QLM's number 1, and a shop.
pub(super) struct House {
    pub(super) app: TestApp,
}

impl House {
    pub(super) async fn new(app: TestApp) -> Self {
        app.secret(PASSWORD);
        let code =
            app.product_by("press", Authorization::Key, ProductRules { min_hold_hours: 0, ..ProductRules::default() }).await;
        let edit = ProductEdit { number: Some(Some(1)), ..ProductEdit::default() };
        app.desk().edit_product(&OPERATOR, &code, edit).await.unwrap();
        for (name, class) in [("WooCommerce", "woocommerce"), ("Portal", "qlmauthenticationprovider")] {
            let new = NewExtension {
                name: name.to_owned(),
                class: class.to_owned(),
                user: "shop".to_owned(),
                password: Some(PASSWORD.to_owned()),
                api_key: None,
                shared_key: None,
            };
            app.desk().add_extension(&OPERATOR, new).await.unwrap();
        }
        let house = Self { app };
        house.set("enableGetActivationKey", "true").await;
        house.set("enableReleaseKeyHttp", "true").await;
        house
    }

    pub(super) async fn set(&self, name: &str, value: &str) {
        self.app.desk().set_settings(&OPERATOR, vec![(name.to_owned(), value.to_owned())]).await.unwrap();
    }

    pub(super) async fn get(&self, method: &str, query: &[(&str, &str)]) -> Reply {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        self.app.get(&format!("/qlm/qlmservice.asmx/{method}?{query}")).await
    }

    /// As a shop calls: arguments in the address, the order in the body.
    pub(super) async fn ordered(&self, vendor: &str, arguments: &str, order: &[(&str, &str)]) -> Reply {
        let product = "is_productid=1&is_majorversion=1&is_minorversion=0&is_user=shop&is_pwd=a%20password%20of%20the%20shop";
        let path = format!("/qlm/QlmService.asmx/GetActivationKeyWithExpiryDate?{product}&is_vendor={vendor}&{arguments}");
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.app.send(request.body(urlencoded(order)).unwrap()).await
    }

    /// The keys of an order, each with how often it can be activated.
    pub(super) async fn keys(&self, arguments: &str, number: &str) -> Vec<(String, u32)> {
        let reply = self.ordered("woocommerce", arguments, &[("OrderId", number)]).await;
        let text = reply.text();
        assert!(reply.status == 200 && !text.to_lowercase().contains("error"), "{text}");
        let mut keys = Vec::new();
        for key in text.split('\n') {
            self.app.secret(key);
            let licenses = self.app.desk().read().await.unwrap().licenses_with_key(&key.parse_key()).await.unwrap();
            keys.push((key.to_owned(), licenses[0].0.terms.seats.most().unwrap()));
        }
        keys
    }

    pub(super) async fn validate(&self, key: &str, computer: &str, more: &[(&str, &str)]) -> Reply {
        self.get("ValidateLicenseHttp", &[&[("is_avkey", key), ("is_pcid", computer)], more].concat()).await
    }
}

pub(super) trait ParseKey {
    fn parse_key(&self) -> crate::licensing::ActivationKey;
}

impl ParseKey for str {
    fn parse_key(&self) -> crate::licensing::ActivationKey {
        crate::licensing::ActivationKey::parse(self).unwrap()
    }
}

/// The text of an element.
pub(super) fn of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(value, _)| value)
}

pub(super) fn failure(reply: &Reply) -> (u16, String) {
    let text = reply.text();
    assert!(reply.status == 200 && !of(&text, "error").unwrap_or_default().is_empty(), "{text}");
    (of(&text, "errorCode").unwrap().parse().unwrap(), of(&text, "error").unwrap().to_owned())
}

async fn a_server_answers_wherever_it_was_looked_for(app: TestApp) {
    for path in [
        "/qlm/qlmservice.asmx/PingHttp",
        "/a/b/QLMSERVICE.ASMX/pinghttp?is_format=xml",
        "/x/QlmLicenseServerNetCore/api/v1/QlmApi/PingHttp",
    ] {
        let reply = app.get(path).await;
        let text = reply.text();
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "text/xml; charset=utf-8"));
        assert!(
            text.starts_with("<?xml version='1.0' encoding='UTF-8'?><QuickLicenseManager><result>Successfully connected"),
            "{text}"
        );
        assert_eq!(text.matches("<serverDate").count(), 2, "{text}");
        assert!(of(&text, "serverVersion").is_some());
    }
    let reply = app.get("/qlm/qlmservice.asmx/PingHttp?is_writebom=true").await;
    assert!(reply.body.starts_with(b"\xef\xbb\xbf<?xml"));
    assert_eq!(app.get("/qlm/qlmservice.asmx/Nothing").await.status, 404);
    let put = Request::put("/qlm/qlmservice.asmx/PingHttp").body(Body::empty()).unwrap();
    assert_eq!(app.send(put).await.status, 405);
    let ahead =
        Request::get("/qlm/qlmservice.asmx/PingHttp").header("sec-purpose", "prefetch;prerender").body(Body::empty()).unwrap();
    assert_eq!(app.send(ahead).await.status, 403);
    let long = Request::post("/qlm/qlmservice.asmx/PingHttp").body(Body::from(vec![b'a'; 300_000])).unwrap();
    assert_eq!(app.send(long).await.status, 413);
    // Another site's page may post here, because cookies mean nothing; a page of ours may not be posted to from there.
    let posted =
        Request::post("/qlm/qlmservice.asmx/PingHttp").header("sec-fetch-site", "cross-site").body(Body::empty()).unwrap();
    assert_eq!(app.send(posted).await.status, 200);
}

async fn a_shop_has_keys_made_and_the_same_order_again_is_the_same_keys(app: TestApp) {
    let house = House::new(app).await;
    house.app.secret("ann@customer.example");
    let order = [
        ("OrderId", "4711"),
        ("Customer_Email", "ann@customer.example"),
        ("Customer_Name", "Ann Löwe"),
        ("is_quantity", "3"),
        ("SubscriptionId", "S-7"),
    ];
    let first = house.ordered("WOOCOMMERCE", "is_expduration=30&is_features=0:7;1:2&is_userdata1=u", &order).await;
    let key = first.text();
    house.app.secret(key.clone());
    assert_eq!((first.status.as_u16(), first.header("content-type")), (200, "text/plain; charset=utf-8"));
    let (license, _) = house.app.desk().read().await.unwrap().licenses_with_key(&key.parse_key()).await.unwrap().remove(0);
    let qlm = license.terms.qlm.clone().unwrap();
    assert_eq!(
        (license.terms.seats.most(), license.terms.kind, qlm.features.text().as_str()),
        (Some(3), LicenseType::Subscription, "0:7;1:2;")
    );
    let ends = license.terms.expiry.on.unwrap();
    assert_eq!(ends, house.app.now().date().end().plus_days(30));
    assert_eq!(license.subscription, Some(("woocommerce".to_owned(), "S-7".to_owned())));
    let view = house.app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    assert_eq!(view.customer.unwrap().name, "Ann Löwe");
    // Delivered once more, in another spelling of the same; then with other arguments, and as another order.
    let arguments = "IS_EXPDURATION=30&is_userdata1=u&is_features=0:7;1:2&is_locale=fr";
    assert_eq!(house.ordered("woocommerce", arguments, &order).await.text(), key);
    let other = house.ordered("woocommerce", "is_expduration=60", &order).await.text();
    assert_ne!(other, key);
    let again = house.ordered("woocommerce", "is_expduration=60", &[("OrderId", "4712")]).await.text();
    assert!(again != other && again != key);
    for key in [other, again] {
        house.app.secret(key);
    }
    // Two deliveries at one time are one order.
    let both = [("OrderId", "4800"), ("is_quantity", "2")];
    let (one, two) = tokio::join!(
        house.ordered("woocommerce", "is_usemultipleactivationskey=false", &both),
        house.ordered("woocommerce", "is_usemultipleactivationskey=false", &both),
    );
    assert_eq!(one.text(), two.text());
    assert_eq!(one.text().lines().count(), 2);
    // The same number at another shop is another order; that one takes XML.
    let xml = house.ordered("portal", "", &[("orderNumber", "4711")]).await.text();
    assert_eq!(xml.matches("<license><activationKey>").count(), 1, "{xml}");
    let of_portal = of(&xml, "activationKey").unwrap();
    house.app.secret(of_portal);
    assert_ne!(of_portal, key);
    for key in one.text().lines() {
        house.app.secret(key);
    }
    // What a shop says beside the order is no other order.
    let later = [&order[..], &[("time", "later"), ("Customer_Email", "other@customer.example")]].concat();
    house.app.secret("other@customer.example");
    assert_eq!(house.ordered("woocommerce", "is_expduration=30&is_features=0:7;1:2&is_userdata1=u", &later).await.text(), key);
    // A mistyped address costs nobody their key.
    let mistyped = house.ordered("woocommerce", "", &[("OrderId", "4713"), ("Customer_Email", "ann at customer")]).await.text();
    let (license, _) = house.app.desk().read().await.unwrap().licenses_with_key(&mistyped.parse_key()).await.unwrap().remove(0);
    assert!(license.customer.is_none() && license.note.contains("ann at customer"));
}

async fn the_quantities_of_the_documentation_make_its_keys(app: TestApp) {
    let house = House::new(app).await;
    for (place, (arguments, count, seats)) in [
        ("is_quantity=3", 1, 3),
        ("is_quantity=3&is_usemultipleactivationskey=false&is_numberofactivationsperkey=2", 3, 2),
        ("is_quantity=3&is_numberofactivationsperkey=2", 1, 6),
        ("is_quantity=3&is_additionalactivations=2", 1, 5),
        ("is_usemultipleactivationskey=0&is_numberofactivationsperkey=10000", 1, 10_000),
        ("is_quantity=3&is_expduration=-1&is_expdate=&is_features=", 1, 3),
    ]
    .into_iter()
    .enumerate()
    {
        let keys = house.keys(arguments, &format!("N-{place}")).await;
        assert_eq!((keys.len(), keys[0].1), (count, seats), "{arguments}");
    }
    house.set("numberOfActivationsAppliesToMultiKey", "false").await;
    house.set("additionalActivationsWhenSeparateKeys", "each").await;
    assert_eq!(house.keys("is_quantity=3&is_numberofactivationsperkey=2", "N-a").await[0].1, 3);
    let separate = house.keys("is_quantity=2&is_usemultipleactivationskey=false&is_additionalactivations=3", "N-b").await;
    assert_eq!((separate.len(), separate[0].1), (2, 4));
    // Bought on a day, good through the thirtieth after it; or counted, as the vendor says.
    house.set("useDurationToSetExpiryDate", "false").await;
    let counted = house.keys("is_expduration=30", "N-c").await.remove(0).0;
    let license = |key: &str| {
        let (key, desk) = (key.parse_key(), house.app.desk().clone());
        async move { desk.read().await.unwrap().licenses_with_key(&key).await.unwrap().remove(0).0 }
    };
    assert_eq!(license(&counted).await.terms.expiry.days_counted_by_client, Some(30));
    house.set("useDurationToSetExpiryDateWhenActivating", "true").await;
    let activated = house.keys("is_expduration=30", "N-d").await.remove(0).0;
    assert_eq!(license(&activated).await.terms.expiry.days_after_first_activation, Some(30));
    // Dates as the vendor writes them.
    house.set("dateFormat", "dd/MM/YYYY").await;
    let dated = house.keys("is_expdate=01/03/2015&is_maintenance_plan=1&is_maintduration=10", "N-e").await.remove(0).0;
    let terms = license(&dated).await.terms;
    assert_eq!(
        terms.expiry.on.unwrap().to_rfc3339(),
        "2015-03-02T00:00:00.000Z",
        "a day in the past makes a key that has expired"
    );
    assert_eq!(terms.maintenance, Maintenance::Until(house.app.now().date().end().plus_days(10)));
    // Keys in QLM's shape, where the product has them.
    house.app.rules("press", |rules| rules.qlm_keys = true).await;
    let shaped = house.keys("is_licensemodel=subscription", "N-f").await.remove(0).0;
    assert!(shaped.starts_with('F') && shaped.split('-').map(str::len).eq([5, 5, 5, 5, 6]), "{shaped}");
    assert_eq!(
        of(&house.validate(&shaped.replace('-', "").to_lowercase(), "PC-1", &[]).await.text(), "activationKey"),
        Some(&*shaped.replace('-', ""))
    );
}

async fn nothing_is_made_until_it_is_switched_on_and_who_asks_has_shown_who_it_is(app: TestApp) {
    let house = House::new(app).await;
    let product = [("is_productid", "1"), ("is_majorversion", "1"), ("is_minorversion", "0")];
    let asked = async |more: &[(&str, &str)]| failure(&house.get("GetActivationKey", &[&product[..], more].concat()).await).0;
    // The documentation's own addresses carry no credentials.
    assert_eq!(asked(&[]).await, 8);
    assert_eq!(asked(&[("is_vendor", "woocommerce")]).await, 8);
    assert_eq!(asked(&[("is_vendor", "woocommerce"), ("is_user", "shop"), ("is_pwd", "a password of the ship")]).await, 8);
    assert_eq!(asked(&[("is_vendor", "woocommerce"), ("is_user", "ship"), ("is_pwd", PASSWORD)]).await, 8);
    assert_eq!(asked(&[("is_vendor", "nobody"), ("is_user", "shop"), ("is_pwd", PASSWORD)]).await, 8);
    // Guessed at too often, from this address.
    for _ in 0..20 {
        asked(&[("is_vendor", "woocommerce"), ("is_user", "shop"), ("is_pwd", "another guess")]).await;
    }
    assert_eq!(asked(&[("is_vendor", "woocommerce"), ("is_user", "shop"), ("is_pwd", PASSWORD)]).await, 1);
    house.app.pass_seconds(1_200);
    house.app.desk().switch_extension(&OPERATOR, "WOOCOMMERCE", false).await.unwrap();
    assert_eq!(failure(&house.ordered("woocommerce", "", &[]).await).0, 8);
    house.app.desk().switch_extension(&OPERATOR, "woocommerce", true).await.unwrap();
    for (arguments, code) in [
        ("is_licensemodel=perpetual", 208),
        ("is_features=9:1", 208),
        ("is_computertype=7", 208),
        ("is_expdate=soon", 208),
        ("is_quantity=100000&is_usemultipleactivationskey=false", 208),
    ] {
        let (number, message) = failure(&house.ordered("woocommerce", arguments, &[("OrderId", "1")]).await);
        assert_eq!(number, code, "{arguments}: {message}");
    }
    let other = [
        ("is_productid", "2"),
        ("is_majorversion", "1"),
        ("is_minorversion", "0"),
        ("is_vendor", "woocommerce"),
        ("is_user", "shop"),
        ("is_pwd", PASSWORD),
    ];
    assert_eq!(failure(&house.get("GetActivationKey", &other).await).0, 204);
    assert_eq!(
        failure(&house.get("GetActivationKey", &other[1..]).await),
        (208, "The argument is_productid is missing.".to_owned())
    );
    house.set("enableGetActivationKey", "false").await;
    let (number, message) = failure(&house.ordered("woocommerce", "", &[]).await);
    assert!(number == 7 && message.contains("enableGetActivationKey"), "{message}");
    // Let in by the vendor's own word.
    house.set("enableGetActivationKey", "true").await;
    house.set("allowUnauthenticatedVendor", "true").await;
    let key = house.get("GetActivationKey", &product).await.text();
    house.app.secret(key.clone());
    assert!(house.validate(&key, "PC-1", &[]).await.text().contains("<status>2</status>"));
    // A version that the product does not have, once it has some.
    house.app.release("press", "1.0", house.app.now(), "", "https://example.com").await;
    let version = [("is_productid", "1"), ("is_majorversion", "9"), ("is_minorversion", "0")];
    assert_eq!(failure(&house.get("GetActivationKey", &version).await).0, 204);
}

async fn an_app_activates_validates_and_gives_its_seat_back(app: TestApp) {
    let house = House::new(app).await;
    let (key, _) =
        house.keys("is_quantity=2&is_expdate=2030-01-31&is_features=0:7;&is_licensemodel=subscription", "1").await.remove(0);
    let product = [("is_productid", "1"), ("is_majorversion", "1"), ("is_minorversion", "0")];
    // Only looked at.
    assert_eq!(failure(&house.validate(&key, "PC 1|ä", &[("is_activate", "false")]).await).0, 219);
    let reply = house.validate(&key, "PC 1|ä", &[&product[..], &[("is_computer_name", "Büro-7")]].concat()).await;
    let text = reply.text();
    assert!(text.is_ascii() && text.starts_with("<QuickLicenseManager><creationDateUtc>"), "{text}");
    assert!(text.ends_with("</SignatureValue></Signature></QuickLicenseManager>") && text.matches("<Signature ").count() == 1);
    // In the order of the published sample (§2.4), for apps that read by place.
    let names = text.split('<').skip(2).filter(|part| !part.starts_with('/'));
    let names: Vec<&str> = names.map(|part| part.split(['>', ' ', '/']).next().unwrap()).take(28).collect();
    assert_eq!(
        names.join(" "),
        "creationDateUtc pckey computerName computerID userCompany userFullName userEmail productID productName majorVersion minorVersion \
         licenseModel maintenanceRenewalDate result status features duration floatingSeats numActivationsAllowed availableLicenses \
         expiryDate activationKey userData productProperties activationDate serverDate computerType Signature"
    );
    for (name, value) in [
        ("computerID", "PC 1|&#228;"),
        ("computerName", "B&#252;ro-7"),
        ("status", "4"),
        ("licenseModel", "subscription"),
        ("expiryDate", "2030-01-31 23:59"),
        ("features", "0:7;"),
        ("duration", "-1"),
        ("numActivationsAllowed", "2"),
        ("availableLicenses", "1"),
        ("majorVersion", "1"),
        ("productID", "1"),
        ("userEmail", ""),
        ("maintenanceRenewalDate", "0001-01-01 00:00:00"),
    ] {
        assert_eq!(of(&text, name), Some(value), "{name}: {text}");
    }
    let computer_key = of(&text, "pckey").unwrap().to_owned();
    assert!(computer_key.starts_with('J') && computer_key.len() == 26);
    // Again: the same seat, the same key, by a form as well.
    let body = [("is_avkey", key.as_str()), ("is_pckey", &computer_key), ("is_pcid", "PC 1|ä")];
    let request = Request::post("/qlm/qlmservice.asmx/ValidateLicenseHttp")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let again = house.app.send(request.body(urlencoded(&body)).unwrap()).await.text();
    assert_eq!((of(&again, "pckey"), of(&again, "availableLicenses")), (Some(&*computer_key), Some("1")));
    assert!(
        house
            .get("ActivateKey", &[&product[..], &[("is_avkey", &key), ("is_pcid", "PC-2")]].concat())
            .await
            .text()
            .contains("<status>4<")
    );
    assert_eq!(failure(&house.validate(&key, "PC-3", &[]).await).0, 210);
    // Given back by the shop; by the computer only where the vendor lets it, and then with its own key.
    let ask = [("is_avkey", key.as_str()), ("is_pcid", "PC 1|ä")];
    assert_eq!(failure(&house.get("ReleaseLicenseHttp", &ask).await).0, 8);
    house.set("releaseLicenseRequiresAuthentication", "false").await;
    assert_eq!(failure(&house.get("ReleaseLicenseHttp", &ask).await).0, 8);
    assert_eq!(failure(&house.get("ReleaseLicenseHttp", &[&ask[..], &[("is_pckey", "J000")]].concat()).await).0, 8);
    let released = house.get("ReleaseLicenseHttp", &[&ask[..], &[("is_pckey", &computer_key)]].concat()).await.text();
    assert_eq!(of(&released, "result").unwrap(), format!("Activation Key {key} has been released from computer PC 1|&#228;."));
    assert!(house.validate(&key, "PC-3", &[]).await.text().contains("<status>4<"), "the seat is free");
    let shop = [("is_vendor", "woocommerce"), ("is_user", "shop"), ("is_pwd", PASSWORD)];
    assert_eq!(failure(&house.get("ReleaseLicenseHttp", &[&ask[..], &shop[..]].concat()).await).0, 216);
    let by_shop = [&[("is_avkey", key.as_str()), ("is_pcid", "PC-2")], &shop[..]].concat();
    assert!(house.get("ReleaseLicenseHttp", &by_shop).await.text().contains("<result>"));
    // Taken again it is called otherwise.
    let back = house.validate(&key, "PC 1|ä", &[]).await.text();
    assert_ne!(of(&back, "pckey"), Some(&*computer_key));
}

async fn what_stands_in_the_way_is_told_by_its_number(app: TestApp) {
    let house = House::new(app).await;
    let app = &house.app;
    let (one, _) = house.keys("", "1").await.remove(0);
    let version = |major: &'static str| [("is_productid", "1"), ("is_majorversion", major), ("is_minorversion", "0")];
    assert!(house.validate(&one, "PC-1", &[("is_computer_name", "Anna")]).await.text().contains("<status>2<"));
    let (number, message) = failure(&house.validate(&one, "PC-2", &[]).await);
    assert!(number == 207 && message.contains("has already been activated on a system called Anna on"), "{message}");
    assert_eq!(failure(&house.validate(&one, "PC-1", &version("2")).await).0, 211);
    assert_eq!(
        failure(
            &house.validate(&one, "PC-1", &[("is_productid", "7"), ("is_majorversion", "1"), ("is_minorversion", "0")]).await
        )
        .0,
        220
    );
    // A refusal is under the key of the product that was asked for: it is the one the app has.
    let other = app.product_by("other", Authorization::Key, ProductRules::default()).await;
    app.desk().edit_product(&OPERATOR, &other, ProductEdit { number: Some(Some(7)), ..ProductEdit::default() }).await.unwrap();
    let ask = [("is_productid", "7"), ("is_majorversion", "1"), ("is_minorversion", "0")];
    let text = house.validate(&one, "PC-1", &ask).await.text();
    assert!(
        text.contains("<errorCode>220<") && is_signed_by(app, &text, "other").await && !is_signed_by(app, &text, "press").await
    );
    assert_eq!(failure(&house.get("ValidateLicenseHttp", &[("is_avkey", &one)]).await).0, 208);
    let long = "x".repeat(20_000);
    let body = [("is_avkey", one.as_str()), ("is_pcid", &long)];
    let request = Request::post("/qlm/qlmservice.asmx/ValidateLicenseHttp")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let (number, message) = failure(&app.send(request.body(urlencoded(&body)).unwrap()).await);
    assert!(number == 208 && message.contains("is_pcid is longer than 16 KB"), "{message}");
    assert_eq!(failure(&house.get("ActivateKey", &[("is_avkey", &one), ("is_pcid", "PC-1")]).await).0, 208);
    // Known to the product, the refusal is signed; clients look at the signature first.
    let text = house.validate(&one, "PC-2", &[]).await.text();
    assert!(text.contains("<Signature ") && text.contains("<status>256</status>"), "{text}");
    let license = app.desk().license_id(&one.parse_key()).await.unwrap();
    app.desk().disable_license(&OPERATOR, license, "refund".to_owned()).await.unwrap();
    assert_eq!(failure(&house.validate(&one, "PC-1", &[]).await).0, 201);
    assert_eq!(failure(&house.validate(&one, "PC-1", &version("2")).await).0, 201, "whichever version asks");
    // A machine that has a key of its own by now is spoken for by that key alone, whether it asks or only looks.
    let (bound, _) = house.keys("", "1b").await.remove(0);
    assert!(house.validate(&bound, "PC-1", &[]).await.text().contains("<status>2<"));
    let id = app.desk().license_id(&bound.parse_key()).await.unwrap();
    let write = app.desk().store().write(move |conn| {
        Box::pin(async move {
            let mut activation = conn.activations(id, 1).await?.remove(0);
            activation.device_key = Some(crate::licensing::activation::DeviceKey("k".repeat(43)));
            conn.save_activation(&activation).await
        })
    });
    write.await.unwrap();
    for looks in ["true", "false"] {
        let reply = house.validate(&bound, "PC-1", &[("is_activate", looks)]).await;
        assert_eq!(failure(&reply).0, 205, "{looks}");
        assert!(!reply.text().contains("<pckey>"));
    }
    let (ended, _) = house.keys("is_expdate=2020-01-01", "2").await.remove(0);
    assert_eq!(failure(&house.validate(&ended, "PC-1", &[]).await).0, 209);
    let (physical, _) = house.keys("is_computertype=1", "3").await.remove(0);
    assert_eq!(failure(&house.validate(&physical, "VM-1", &[("is_computertype", "2")]).await).0, 205);
    assert!(house.validate(&physical, "PC-1", &[("is_computertype", "1")]).await.text().contains("<computerType>PC<"));
    // With a maintenance plan a newer version that came out in time is covered, and no later one.
    for (name, days) in [("1.0", -100), ("2.0", 10), ("3.0", 40)] {
        app.release("press", name, app.now().plus_days(days), "", "https://example.com").await;
    }
    let (kept, _) = house.keys("is_maintenance_plan=1&is_maintduration=30", "4").await.remove(0);
    assert!(house.validate(&kept, "PC-1", &version("2")).await.text().contains("<status>2<"));
    assert_eq!(failure(&house.validate(&kept, "PC-1", &version("3")).await).0, 211);
    // So with a license that staff made, activated or not.
    let terms = crate::licensing::license::Terms {
        maintenance: Maintenance::Until(app.now().plus_days(30)),
        ..crate::licensing::license::Terms::default()
    };
    let by_staff = app.issue("press", terms).await.key.text();
    assert!(house.validate(&by_staff, "PC-1", &version("2")).await.text().contains("<status>2<"));
    assert_eq!(failure(&house.validate(&by_staff, "PC-1", &version("3")).await).0, 211);
}

async fn keys_nobody_has_cannot_be_guessed_at(app: TestApp) {
    let house = House::new(app).await;
    let (key, _) = house.keys("", "1").await.remove(0);
    for n in 0..10 {
        let guess = format!("AAAAA-BBBBB-CCCCC-DDDD{n}X");
        let reply = house.validate(&guess, "PC-1", &[]).await;
        assert_eq!(failure(&reply).0, 203);
        assert!(!reply.text().contains("<Signature"), "no signature is spent on it");
    }
    assert_eq!(failure(&house.validate(&key, "PC-1", &[]).await).0, 1);
    // An app checks the signature before it reads the words: where it names its product it has one, and it is the same each time.
    let product = [("is_productid", "1"), ("is_majorversion", "1"), ("is_minorversion", "0")];
    let told = async |key: &str, more: &[(&str, &str)]| house.validate(key, "PC-1", &[&product[..], more].concat()).await.text();
    let blocked = told(&key, &[]).await;
    assert!(blocked.contains("<errorCode>1<") && is_signed_by(&house.app, &blocked, "press").await, "{blocked}");
    house.app.pass_seconds(1_200);
    let unknown = told("AAAAA-BBBBB-CCCCC-DDDD1X", &[]).await;
    assert!(unknown.contains("<errorCode>203<") && is_signed_by(&house.app, &unknown, "press").await, "{unknown}");
    assert_eq!(told("AAAAA-BBBBB-CCCCC-DDDD2X", &[]).await, unknown, "one answer for all of them");
    let missing = house.get("ValidateLicenseHttp", &[&product[..], &[("is_avkey", &key)]].concat()).await.text();
    assert!(missing.contains("<errorCode>208<") && is_signed_by(&house.app, &missing, "press").await, "{missing}");
    // What says something of the caller's own has none.
    let wrong = told(&key, &[("is_activate", "perhaps")]).await;
    assert!(wrong.contains("<errorCode>208<") && !wrong.contains("<Signature"), "{wrong}");
    assert!(house.validate(&key, "PC-1", &[]).await.text().contains("<status>2<"));
}

async fn a_customer_is_told_only_to_the_computer_that_shows_its_key(app: TestApp) {
    let house = House::new(app).await;
    house.app.secret("ann@customer.example");
    let order = [("OrderId", "1"), ("Customer_Email", "ann@customer.example"), ("Customer_Name", "Ann")];
    let key = house.ordered("woocommerce", "is_quantity=2", &order).await.text();
    house.app.secret(key.clone());
    let first = house.validate(&key, "PC-1", &[]).await.text();
    let other = house.validate(&key, "PC-2", &[]).await.text();
    let (mine, theirs) = (of(&first, "pckey").unwrap(), of(&other, "pckey").unwrap());
    assert_eq!((of(&first, "userEmail"), of(&first, "userFullName")), (Some(""), Some("")));
    let shown = house.validate(&key, "PC-1", &[("is_pckey", mine)]).await.text();
    assert_eq!((of(&shown, "userEmail"), of(&shown, "userFullName")), (Some("ann@customer.example"), Some("Ann")));
    let crossed = house.validate(&key, "PC-1", &[("is_pckey", theirs)]).await.text();
    assert_eq!(of(&crossed, "userEmail"), Some(""));
}

/// Changes by a shop: arguments in the address, what it calls its order in the body, as WooCommerce does.
async fn change(house: &House, method: &str, arguments: &str, body: &[(&str, &str)]) -> Reply {
    let path = format!(
        "/qlm/qlmservice.asmx/{method}?is_vendor=woocommerce&is_user=shop&is_pwd=a%20password%20of%20the%20shop&{arguments}"
    );
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    house.app.send(request.body(urlencoded(body)).unwrap()).await
}

async fn license(house: &House, key: &str) -> crate::licensing::license::License {
    house.app.desk().read().await.unwrap().licenses_with_key(&key.parse_key()).await.unwrap().remove(0).0
}

async fn a_shop_changes_what_it_sold_by_the_names_it_has_for_it(app: TestApp) {
    let house = House::new(app).await;
    for property in ["enableRenewSubscriptionHttp", "enableRevokeLicense", "enableUpgradeLicense"] {
        house.set(property, "true").await;
    }
    let order = [("OrderId", "4711"), ("SubscriptionId", "S-7")];
    let key = house.ordered("woocommerce", "is_expduration=30", &order).await.text();
    house.app.secret(key.clone());
    let last = async || license(&house, &key).await.terms.expiry.on.unwrap().plus_seconds(-1).date().to_string();
    let day = |days: i64| house.app.now().plus_days(days).date().to_string();
    assert_eq!(last().await, day(30));
    // By the subscription alone, with neither key nor end: as long again.
    let reply = change(&house, "RenewSubscriptionHttp", "", &[("SubscriptionId", "S-7")]).await.text();
    assert_eq!(of(&reply, "result").unwrap(), format!("Successfully updated license information for ActivationKey={key}."));
    assert!(!reply.to_lowercase().contains("error"), "{reply}");
    assert_eq!(last().await, day(60));
    change(&house, "RenewSubscriptionHttp", "", &[("SubscriptionId", "S-7"), ("OrderId", "a renewal's own")]).await;
    assert_eq!(last().await, day(90), "as long as it was sold for, not as long as it has lasted");
    change(&house, "RenewSubscriptionHttp", "is_expduration=10", &[("OrderId", "4711")]).await;
    assert_eq!(last().await, day(100));
    change(&house, "RenewSubscriptionHttp", &format!("is_expdate={}&is_avkey={key}", day(365)), &[]).await;
    assert_eq!(last().await, day(365));
    // Machines learn of it with their next question.
    assert!(house.validate(&key, "PC-1", &[]).await.text().contains(&format!("<expiryDate>{} 23:59<", day(365))));
    for (arguments, code) in [
        (format!("is_avkey={key}&is_expdate=2020-01-01"), 208),
        (format!("is_avkey={key}&is_expdate=2030-01-01&is_expduration=5"), 208),
        (format!("is_avkey={key}&is_expdate=then"), 208),
        ("is_avkey=AAAAA-BBBBB-CCCCC-DDDDX".to_owned(), 203),
        (String::new(), 206),
    ] {
        assert_eq!(failure(&change(&house, "RenewSubscriptionHttp", &arguments, &[]).await).0, code, "{arguments}");
    }
    // What has no end in the same order keeps having none.
    let endless = house.ordered("woocommerce", "", &[("OrderId", "4711")]).await.text();
    house.app.secret(endless.clone());
    change(&house, "RenewSubscriptionHttp", &format!("is_expdate={}", day(366)), &[("OrderId", "4711")]).await;
    assert_eq!(
        (last().await, license(&house, &endless).await.terms.expiry),
        (day(366), crate::licensing::license::Expiry::NEVER)
    );
    assert_eq!(
        failure(&change(&house, "RenewSubscriptionHttp", &format!("is_expduration=5&is_avkey={endless}"), &[]).await).0,
        205
    );
    // Of several licenses all are renewed or none: the second's length is not known.
    let pair = house
        .ordered("woocommerce", "is_expduration=30&is_quantity=2&is_usemultipleactivationskey=false", &[("OrderId", "4900")])
        .await
        .text();
    let pair: Vec<String> = pair.lines().map(str::to_owned).collect();
    for key in &pair {
        house.app.secret(key.clone());
    }
    let second = license(&house, &pair[1]).await;
    let today = house.app.now().date().end();
    let shortened = house.app.desk().edit_terms(&OPERATOR, second.id, None, move |terms| {
        terms.qlm.as_mut().unwrap().sold_days = None;
        terms.expiry = crate::licensing::license::Expiry::on(today);
        Ok(())
    });
    shortened.await.unwrap();
    let (code, message) = failure(&change(&house, "RenewSubscriptionHttp", "", &[("OrderId", "4900")]).await);
    assert!(code == 208 && message.contains("is_expdate"), "{message}");
    assert_eq!(license(&house, &pair[0]).await.terms.expiry.on.unwrap(), today.plus_days(30), "the first is as it was");
    change(&house, "RenewSubscriptionHttp", "is_expduration=5", &[("OrderId", "4900")]).await;
    assert_eq!(license(&house, &pair[0]).await.terms.expiry.on.unwrap(), today.plus_days(35));
    assert_eq!(license(&house, &pair[1]).await.terms.expiry.on.unwrap(), today.plus_days(5));
    // Revoked by the order, as a shop cancels; twice is once.
    for _ in 0..2 {
        assert!(change(&house, "RevokeLicenseHttp", "", &[("OrderId", "4711")]).await.text().contains("<result>"));
    }
    assert_eq!(failure(&house.validate(&key, "PC-1", &[]).await).0, 201);
    assert!(
        change(&house, "RevokeLicenseHttp", "is_revoke=false", &[("SubscriptionId", "S-7")]).await.text().contains("<result>")
    );
    assert!(house.validate(&key, "PC-1", &[]).await.text().contains("<status>4<"));
    // Edited in place.
    let edit = format!("is_avkey={key}&is_features=0:3&is_quantity=5&is_pp=a.b::1||a.c::2&is_userdata1=x&is_licensemodel=trial");
    change(&house, "UpdateLicenseHttp", &edit, &[]).await;
    change(&house, "UpdateLicenseHttp", &format!("is_avkey={key}&is_pp=a.b::%2B4"), &[]).await;
    let changed = license(&house, &key).await;
    let qlm = changed.terms.qlm.clone().unwrap();
    assert_eq!((qlm.features.text().as_str(), changed.terms.seats.most(), qlm.user_data.as_str()), ("0:3;", Some(5), "x"));
    assert_eq!(qlm.properties.iter().map(|one| one.value.as_str()).collect::<Vec<_>>(), ["5", "2"]);
    assert!(changed.terms.trial && changed.seats_taken == 1);
    let text = house.validate(&key, "PC-1", &[]).await.text();
    assert!(of(&text, "productProperties").unwrap().contains("&lt;Property category=\"a\""), "{text}");
    // One that staff made stays what it is.
    let terms = crate::licensing::license::Terms {
        kind: LicenseType::Subscription,
        expiry: crate::licensing::license::Expiry::on(house.app.now().plus_days(9)),
        ..crate::licensing::license::Terms::default()
    };
    let by_staff = house.app.issue("press", terms).await.key.text();
    change(&house, "UpdateLicenseHttp", &format!("is_avkey={by_staff}&is_userdata1=x"), &[]).await;
    let text = house
        .validate(&by_staff, "PC-1", &[("is_productid", "1"), ("is_majorversion", "1"), ("is_minorversion", "0")])
        .await
        .text();
    assert_eq!((of(&text, "licenseModel"), of(&text, "userData")), (Some("subscription"), Some("x")), "{text}");
    // Maintenance: switched on, extended from its end, switched off.
    assert_eq!(failure(&change(&house, "EnableMaintenancePlan", &format!("is_avkey={key}"), &[]).await).0, 208);
    let plan = async || match license(&house, &key).await.terms.maintenance {
        Maintenance::Until(end) => Some(end.plus_seconds(-1).date().to_string()),
        _ => None,
    };
    for (method, arguments, expected) in [
        ("EnableMaintenancePlan", "is_maintplan=1&is_maintduration=10", Some(day(10))),
        ("RenewMaintenancePlan", "is_mainduration=10", Some(day(20))),
        ("RenewMaintenancePlan", "is_maintdate=2031-01-01", Some("2031-01-01".to_owned())),
        ("EnableMaintenancePlan", "is_maintenance_plan=0", None),
    ] {
        change(&house, method, &format!("is_avkey={key}&{arguments}"), &[]).await;
        assert_eq!(plan().await, expected, "{method} {arguments}");
    }
    // Another shop's numbers are another's; and each method has its switch.
    let new = NewExtension {
        name: "Other".to_owned(),
        class: "woocommerce".to_owned(),
        user: "shop".to_owned(),
        password: Some(PASSWORD.to_owned()),
        api_key: None,
        shared_key: None,
    };
    house.app.desk().add_extension(&OPERATOR, new).await.unwrap();
    let other = format!(
        "/qlm/qlmservice.asmx/RevokeLicenseHttp?is_vendor=other&is_user=shop&is_pwd={}&orderid=4711",
        PASSWORD.replace(' ', "+")
    );
    assert_eq!(failure(&house.app.get(&other).await).0, 203);
    for (method, property) in [
        ("RenewSubscriptionHttp", "enableRenewSubscriptionHttp"),
        ("RevokeLicenseHttp", "enableRevokeLicense"),
        ("UpdateLicenseHttp", "enableUpgradeLicense"),
        ("EnableMaintenancePlan", "enableUpgradeLicense"),
        ("RenewMaintenancePlan", "enableUpgradeLicense"),
    ] {
        house.set(property, "false").await;
        let (code, message) = failure(&change(&house, method, &format!("is_avkey={key}"), &[]).await);
        assert!(code == 7 && message.contains(property), "{message}");
        // Without credentials it is no different.
        house.set(property, "true").await;
        assert_eq!(failure(&house.get(method, &[("is_avkey", &key)]).await).0, 8);
    }
}

async fn the_newest_version_is_told_where_the_vendor_lets_it(app: TestApp) {
    let house = House::new(app).await;
    let product = [("is_productid", "1"), ("is_majorversion", "1"), ("is_minorversion", "0")];
    assert_eq!(failure(&house.get("GetLatestVersionHttp", &product).await).0, 7);
    house.set("enableGetLatestVersionHttp", "true").await;
    assert_eq!(failure(&house.get("GetLatestVersionHttp", &product).await).0, 204);
    for (name, days) in [("1.9", -2), ("1.10", -1), ("2.0", 7)] {
        house.app.release("press", name, house.app.now().plus_days(days), "", &format!("https://example.com/{name}?a&b")).await;
    }
    // What is tried out in a channel of its own is not told to everybody.
    let beta = crate::store::NewRelease {
        version: crate::licensing::product::Version { major: 3, minor: 0, released: house.app.now().plus_days(-1) },
        channel: "beta".to_owned(),
        env: String::new(),
        file: crate::licensing::product::Installation {
            url: "https://example.com/beta".to_owned(),
            ..crate::licensing::product::Installation::default()
        },
    };
    let press = crate::licensing::ProductCode::parse("press").unwrap();
    house.app.desk().add_release(&OPERATOR, &press, beta).await.unwrap();
    let text = house.get("GetLatestVersionHttp", &product).await.text();
    assert_eq!(
        (of(&text, "latestVersion"), of(&text, "latestVersionUrl")),
        (Some("1.10"), Some("https://example.com/1.10?a&amp;b"))
    );
    assert_eq!(of(&text, "result"), Some("The latest version is 1.10"));
}

async fn what_is_known_of_customers_follows_the_shop(app: TestApp) {
    let house = House::new(app).await;
    for secret in ["ann@customer.example", "ann@new.example", "bob@customer.example"] {
        house.app.secret(secret);
    }
    let (key, _) = house.keys("", "1").await.remove(0);
    assert_eq!(
        failure(
            &change(&house, "UpdateUserInformation", &format!("is_avkey={key}"), &[("Customer_Email", "ann@customer.example")])
                .await
        )
        .0,
        7,
        "whose a license is changes only where licenses are changed"
    );
    house.set("enableUpgradeLicense", "true").await;
    let said = async |fields: &[(&str, &str)], arguments: &str| change(&house, "UpdateUserInformation", arguments, fields).await;
    let customer = async |email: &str| {
        let email = crate::licensing::Email::parse(email).unwrap();
        house
            .app
            .desk()
            .customer(&OPERATOR, &email)
            .await
            .ok()
            .map(|(customer, licenses)| (customer.name, customer.company, licenses.len()))
    };
    let ann = [("Customer_Email", "ann@customer.example"), ("Customer_Name", "Ann Löwe"), ("Customer_Company", "ACME")];
    assert_eq!(of(&said(&ann, "").await.text(), "result"), Some("Customer Ann L&#246;we was added successfully."));
    let terror = [("Customer_Email", "bob@customer.example"), ("Customer_Name", "Terror Films")];
    assert!(!said(&terror, "").await.text().to_lowercase().contains("error"), "a name is no failure");
    assert_eq!(
        of(&said(&ann[..1], &format!("is_avkey={key}")).await.text(), "result"),
        Some("Customer ann@customer.example was updated successfully.")
    );
    assert_eq!(
        customer("ann@customer.example").await,
        Some(("Ann Löwe".to_owned(), "ACME".to_owned(), 1)),
        "what is not said is not forgotten"
    );
    let moved = [("Customer_Email", "ann@new.example")];
    assert!(said(&moved, "is_previousemail=ann@customer.example").await.text().contains("updated"));
    assert_eq!(customer("ann@customer.example").await, None);
    assert_eq!(customer("ann@new.example").await, Some(("Ann Löwe".to_owned(), "ACME".to_owned(), 1)));
    said(&[("Customer_Email", "bob@customer.example")], "").await;
    for (fields, arguments, code) in [
        (&[][..], "", 208),
        (&[("Customer_Email", "nobody")], "", 208),
        (&moved, "is_previousemail=none@customer.example", 1904),
        (&moved, "is_previousemail=bob@customer.example", 1901),
        (&moved, "is_avkey=AAAAA-BBBBB-CCCCC-DDDDX", 203),
    ] {
        assert_eq!(failure(&said(fields, arguments).await).0, code, "{arguments}");
    }
    assert_eq!(failure(&house.get("UpdateUserInformation", &moved).await).0, 8, "not without a password");
}
