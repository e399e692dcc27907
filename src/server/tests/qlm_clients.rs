//! Clients that talk to a Quick License Manager server, each behaving as its public code does; and the methods that systems of the
//! vendor's own read by.

use axum::http::{Request, header};
use md5::{Digest, Md5};

use super::{Reply, TestApp, app::urlencoded, licensespring::OPERATOR};
use crate::{
    desk::{NewExtension, ProductEdit},
    licensing::{
        ActivationKey,
        license::{License, LicenseState},
        product::{Authorization, ProductRules},
    },
};

tests! {
    both:
        a_woocommerce_plugin_sells_renews_upgrades_and_revokes,
        licenses_are_read_by_a_filter_and_by_nothing_else,
        a_validation_is_answered_from_before_only_while_nothing_has_changed;
    once:
        a_javascript_app_takes_what_it_checks,
        an_android_app_posts_a_form_and_throws_at_what_is_not_signed,
        a_php_portal_makes_a_site_license,
        a_link_from_an_app_downloads_its_license_file,
        a_customer_looks_at_a_license_and_changes_nothing,
        a_computer_is_released_by_the_code_of_its_app,
        orders_of_late_are_polled_for,
        installs_are_told_of_to_the_day,
        a_client_follows_a_redirect_of_the_server_that_was_there_before;
}

pub(super) const PASSWORD: &str = "a password of the shop";
pub(super) const PRODUCT: &str = "is_productid=1&is_majorversion=1&is_minorversion=0";
pub(super) const SHOWN: &str = "is_user=shop&is_pwd=a%20password%20of%20the%20shop";

pub(super) struct House {
    pub(super) app: TestApp,
}

impl House {
    pub(super) async fn new(app: TestApp) -> Self {
        for secret in [PASSWORD, "ann@customer.example", "the key of the apps"] {
            app.secret(secret);
        }
        let rules = ProductRules { min_hold_hours: 0, ..ProductRules::default() };
        for (code, number) in [("press", 1), ("press-pro", 2)] {
            let code = app.product_by(code, Authorization::Key, rules.clone()).await;
            let edit = ProductEdit { number: Some(Some(number)), ..ProductEdit::default() };
            app.desk().edit_product(&OPERATOR, &code, edit).await.unwrap();
        }
        for name in ["woocommerce", "zapier", "qlmauthenticationprovider"] {
            let new = NewExtension {
                name: name.to_owned(),
                class: name.to_owned(),
                user: "shop".to_owned(),
                password: Some(PASSWORD.to_owned()),
                api_key: None,
                shared_key: None,
            };
            app.desk().add_extension(&OPERATOR, new).await.unwrap();
        }
        let house = Self { app };
        for name in [
            "enableGetActivationKey",
            "enableRenewSubscriptionHttp",
            "enableRevokeLicense",
            "enableUpgradeLicense",
            "enableReleaseKeyHttp",
        ] {
            house.set(name, "true").await;
        }
        house
    }

    pub(super) async fn set(&self, name: &str, value: &str) {
        self.app.desk().set_settings(&OPERATOR, vec![(name.to_owned(), value.to_owned())]).await.unwrap();
    }

    /// Arguments in the address, fields of the order in the body.
    pub(super) async fn post(&self, method: &str, arguments: &str, fields: &[(&str, &str)]) -> Reply {
        let request = Request::post(format!("/qlm/QlmLicenseServer/qlmservice.asmx/{method}?{arguments}"));
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.app.send(request.body(urlencoded(fields)).unwrap()).await
    }

    pub(super) async fn get(&self, method: &str, arguments: &str) -> String {
        self.app.get(&format!("/qlm/qlmservice.asmx/{method}?{arguments}")).await.text()
    }

    pub(super) async fn license(&self, key: &str) -> License {
        let key = ActivationKey::parse(key).unwrap();
        self.app.secret(key.text());
        self.app.desk().read().await.unwrap().licenses_with_key(&key).await.unwrap().remove(0).0
    }

    pub(super) async fn key(&self, more: &str, order: &str) -> String {
        let reply = self
            .post("GetActivationKey", &format!("is_vendor=woocommerce&{SHOWN}&{PRODUCT}&{more}"), &[("OrderId", order)])
            .await;
        let key = reply.text();
        self.app.secret(key.clone());
        key
    }
}

pub(super) fn of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(value, _)| value)
}

/// As the plugin takes an answer: by its letters, whatever the status.
pub(super) fn taken(reply: &Reply) -> Result<String, String> {
    let text = reply.text();
    if text.to_lowercase().contains("error") { Err(text) } else { Ok(text) }
}

async fn a_woocommerce_plugin_sells_renews_upgrades_and_revokes(app: TestApp) {
    let house = House::new(app).await;
    let base = format!("is_vendor=woocommerce&{SHOWN}&is_qlmversion=5.0.00");
    let order = |id: &'static str| {
        [
            ("OrderId", id),
            ("SubscriptionId", "S-1"),
            ("Customer_Email", "ann@customer.example"),
            ("Customer_Name", "Ann Löwe"),
            ("Customer_Company", "Löwe GmbH"),
            ("is_quantity", "2"),
        ]
    };
    // Fields of a product that say nothing are sent empty.
    let arguments = format!(
        "{base}&{PRODUCT}&is_expduration=30&is_expdate=&is_features=&is_licensemodel=subscription&is_additionalactivations=1&is_numberofactivationsperkey=2"
    );
    let key = taken(&house.post("GetActivationKeyWithExpiryDate", &arguments, &order("100")).await).unwrap();
    let license = house.license(&key).await;
    assert_eq!(license.terms.seats.most(), Some(5), "2 × 2 and 1 more");
    // A renewal names the subscription and no key.
    let renewal = [("OrderId", "101"), ("SubscriptionId", "S-1")];
    assert!(taken(&house.post("RenewSubscriptionHttp", &format!("{base}&is_expdate=2027-06-30"), &renewal).await).is_ok());
    assert_eq!(house.license(&key).await.terms.expiry.on.unwrap().plus_seconds(-1).date().to_string(), "2027-06-30");
    // An upgrade is answered with the new key.
    let upgrade = format!("{base}&is_avkey={key}&is_productid=2&is_majorversion=2&is_minorversion=0&is_features=0:3");
    let better = taken(&house.post("UpgradeLicense", &upgrade, &[("OrderId", "102")]).await).unwrap();
    let new = house.license(&better).await;
    assert!(better != key && matches!(house.license(&key).await.state, LicenseState::Disabled { .. }));
    let qlm = new.terms.qlm.clone().unwrap();
    assert_eq!((qlm.major, qlm.features.text().as_str(), new.terms.seats.most()), (2, "0:3;", Some(5)));
    assert_eq!(new.terms.expiry, house.license(&key).await.terms.expiry, "what is not said stays");
    assert_eq!(new.customer, license.customer);
    // Once more, and it is the same key.
    assert_eq!(taken(&house.post("UpgradeLicense", &upgrade, &[("OrderId", "102")]).await).unwrap(), better);
    // A cancelled order names no key either, and does not say what is to be done.
    assert!(taken(&house.post("RevokeLicenseHttp", &base, &[("SubscriptionId", "S-1")]).await).is_ok());
    assert!(matches!(house.license(&better).await.state, LicenseState::Disabled { .. }));
    // What fails says so, and comes with 200 all the same.
    let wrong = house.post("GetActivationKeyWithExpiryDate", &arguments.replace("the%20shop", "the%20ship"), &order("103")).await;
    assert!(wrong.status == 200 && taken(&wrong).is_err());
    assert!(taken(&house.post("RenewSubscriptionHttp", &base, &[("SubscriptionId", "S-9")]).await).is_err());
    let revoked = format!("{base}&is_avkey={better}&is_features=0:7");
    assert!(taken(&house.post("UpgradeLicense", &revoked, &[]).await).unwrap_err().contains("<errorCode>201</errorCode>"));
}

async fn a_client_follows_a_redirect_of_the_server_that_was_there_before(app: TestApp) {
    let house = House::new(app).await;
    let key = house.key("is_quantity=2", "1").await;
    // As documented: a script in front answers 302 with the same path and query at the new host. Clients follow by GET, so what stood in
    // the body is lost.
    let front = axum::Router::new().fallback(|uri: axum::http::Uri| async move {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let moved = format!("http://127.0.0.1:3000{}{query}", uri.path().replacen("/old", "/qlm", 1));
        (axum::http::StatusCode::FOUND, [(header::LOCATION, moved)])
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let old = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, front).await });
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let follow = async |address: &str| {
        let sent = client.post(format!("{old}{address}")).body("is_avkey=lost&is_pcid=lost").send().await.unwrap();
        assert_eq!(sent.status(), 302);
        let location = sent.headers()["location"].to_str().unwrap().to_owned();
        house.app.get(location.strip_prefix("http://127.0.0.1:3000").unwrap()).await
    };
    let query = format!("is_avkey={key}&is_pcid=PC-1&{PRODUCT}");
    let text = follow(&format!("/old/qlmservice.asmx/ValidateLicenseHttp?{query}")).await.text();
    assert_eq!((of(&text, "status"), of(&text, "computerID")), (Some("2"), Some("PC-1")));
    let text = follow("/old/qlmservice.asmx/ValidateLicenseHttp").await.text();
    assert_eq!(of(&text, "errorCode"), Some("208"), "{text}");
    assert!(of(&text, "error").unwrap().contains("is_avkey is missing"), "what was lost is named");
    // A page behind it leads on once more, with what the link said.
    let page = follow(&format!("/old/QlmCustomerSite/QlmWebActivation.aspx?is_file=1&is_pcid=PC-2&is_avkey={key}")).await;
    assert!(page.status.is_redirection());
    let form = house.app.get(page.location()).await;
    assert!(form.status == 200 && form.text().contains("value=\"PC-2\""), "{}", form.text());
}

async fn a_javascript_app_takes_what_it_checks(app: TestApp) {
    let house = House::new(app).await;
    for (more, status) in [("", "2"), ("is_expduration=30", "4")] {
        let key = house.key(more, &format!("js-{status}")).await;
        let computer = "Pc-1_äö";
        let arguments = format!(
            "is_avkey={}&is_pcid={}&is_sign=true&is_qlmversion=5.0.00",
            key.replace('-', ""),
            crate::server::forms::encode(computer)
        );
        let text = house.get("ValidateLicenseHttp", &arguments).await;
        assert!(text.is_ascii() && text.starts_with("<QuickLicenseManager>"), "{text}");
        assert_eq!((text.matches("<Signature ").count(), text.matches("</Signature></QuickLicenseManager>").count()), (1, 1));
        assert_eq!(of(&text, "status"), Some(status));
        assert_eq!(of(&text, "computerID"), Some("Pc-1_&#228;&#246;"), "to the letter");
        assert_eq!(of(&text, "error"), None);
        let features = of(&text, "features").unwrap();
        assert!(features.is_empty() || features.ends_with(';'));
    }
    // Expired, it is exactly one of the others.
    let key = house.key("is_expdate=2020-01-01", "js-old").await;
    let text = house.get("ValidateLicenseHttp", &format!("is_avkey={key}&is_pcid=pc")).await;
    assert_eq!((of(&text, "status"), of(&text, "errorCode")), (Some("64"), Some("209")));
    assert!(text.contains("</Signature></QuickLicenseManager>"));
}

async fn an_android_app_posts_a_form_and_throws_at_what_is_not_signed(app: TestApp) {
    let house = House::new(app).await;
    let key = house.key("", "android").await;
    let validate = async |computer_key: &str, key: &str| {
        let fields = [("is_avkey", key), ("is_pckey", computer_key), ("is_pcid", "android-7")];
        house.post("ValidateLicenseHttp", "", &fields).await.text()
    };
    let first = validate("", &key).await;
    // It reads `yyyy-MM-dd hh:mm` whatever the license.
    let expiry = of(&first, "expiryDate").unwrap();
    assert!(expiry.len() == 16 && expiry.as_bytes()[10] == b' ', "{expiry}");
    let computer_key = of(&first, "pckey").unwrap().to_owned();
    house.app.secret(computer_key.clone());
    let again = validate(&computer_key, &key).await;
    assert_eq!((of(&again, "pckey"), of(&again, "status")), (Some(&*computer_key), Some("2")));
    // What is refused is signed, wherever the product is known.
    house.post("RevokeLicenseHttp", &format!("is_vendor=woocommerce&{SHOWN}&is_avkey={key}"), &[]).await;
    let revoked = validate(&computer_key, &key).await;
    assert!(of(&revoked, "status") == Some("2048") && revoked.contains("<SignatureValue>"), "{revoked}");
}

async fn a_php_portal_makes_a_site_license(app: TestApp) {
    let house = House::new(app).await;
    let base = format!("is_vendor=zapier&{SHOWN}");
    let person = [("email", "ann@customer.example"), ("name", "Ann"), ("company", "Site GmbH"), ("is_externaluserid", "77")];
    assert!(house.post("UpdateUserInformation", &base, &person).await.text().contains("was added successfully"));
    let arguments = format!(
        "{base}&{PRODUCT}&is_usemultipleactivationskey=0&is_numberofactivationsperkey=10000&is_floating=0&is_maintenance_plan=1"
    );
    let reply = house.post("GetActivationKey", &arguments, &person).await;
    let key = reply.text();
    assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    let license = house.license(&key).await;
    assert_eq!(license.terms.seats.most(), Some(10_000));
    assert!(license.customer.is_some());
    assert!(house.post("UpdateUserInformation", &base, &person).await.text().contains("was updated successfully"));
}

async fn a_link_from_an_app_downloads_its_license_file(app: TestApp) {
    let house = House::new(app).await;
    let key = house.key("", "link").await;
    let computer = format!("{}-8.12.7-docker", "a".repeat(86));
    assert_eq!(computer.len(), 100);
    let link = format!("/x/QlmCustomerSite/QlmWebActivation.aspx?is_file=1&is_pcid={computer}&is_avkey={key}");
    let there = house.app.get(&link).await;
    assert_eq!(there.status, 303);
    let form = house.app.get(there.location()).await;
    assert!(form.status == 200 && form.text().contains(&format!("value=\"{computer}\"")) && form.text().contains(&key));
    assert_eq!(house.license(&key).await.seats_taken, 0, "opening a link activates nothing");
    let file = house.app.post("/activate/file", &[("key", &key), ("device_id", &computer)]).await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"LicenseFile.xml\"");
    let text = file.text();
    assert!(of(&text, "computerID") == Some(&*computer) && text.contains("</Signature></QuickLicenseManager>"));
    assert_eq!(house.license(&key).await.seats_taken, 1);
    let full = house.app.post("/activate/file", &[("key", &key), ("device_id", "another")]).await;
    assert!(full.status == 409 && full.text().contains("has already been activated"), "{}", full.text());
    assert_eq!(house.app.post("/activate/file", &[("key", "FFFFF-FFFFF"), ("device_id", "another")]).await.status, 409);
    assert_eq!(house.app.post("/activate/file", &[("key", ""), ("device_id", "another")]).await.status, 422);
    for (page, ours) in [
        ("QlmReleaseLicense.aspx?is_avkey=K", "/release?key=K"),
        ("qlmemaillicense.aspx?is_email=a%40b.example", "/lost-key?email=a%40b.example"),
        ("QlmLicenseInfo.aspx?is_avkey=K", "/license?key=K"),
        ("QlmRegistrationForm.aspx?is_productid=1", "/trial?product=1"),
    ] {
        assert_eq!(house.app.get(&format!("/QlmCustomerSiteNetCore/{page}")).await.location(), ours);
    }
    assert_eq!(house.app.get("/trial").await.status, 404, "until the vendor lets everybody have trials");
}

async fn a_computer_is_released_by_the_code_of_its_app(app: TestApp) {
    let house = House::new(app).await;
    let key = house.key("", "dvc").await;
    house.get("ValidateLicenseHttp", &format!("is_avkey={key}&is_pcid=PC-1")).await;
    let code = |computer: &str, days: i64| {
        let day = house.app.now().plus_days(days).date();
        let text = format!("{}|{computer}|the key of the apps|{day}", key.replace('-', ""));
        Md5::digest(text).iter().map(|byte| format!("{byte:02X}")).collect::<String>()
    };
    let release = async |code: &str| house.app.post("/release", &[("key", &key), ("device_id", "PC-1"), ("code", code)]).await;
    let right = code("PC-1", 0);
    assert_eq!(release(&right).await.status, 409, "no key of the apps is known yet");
    house.set("communicationEncryptionKey", "the key of the apps").await;
    assert_eq!(release(&right).await.status, 409, "only an extension's password releases");
    house.set("releaseLicenseRequiresAuthentication", "false").await;
    for wrong in [code("PC-2", 0), code("PC-1", 2), code("PC-1", -2), "0".repeat(32)] {
        assert_eq!(release(&wrong).await.status, 409);
    }
    assert_eq!(house.license(&key).await.seats_taken, 1);
    assert_eq!(release(&code("PC-1", -1)).await.status, 200);
    assert_eq!(house.license(&key).await.seats_taken, 0);
    // The fifth wrong one of a day ends the tries.
    house.get("ValidateLicenseHttp", &format!("is_avkey={key}&is_pcid=PC-1")).await;
    assert_eq!(release(&"1".repeat(32)).await.status, 409);
    assert_eq!(release(&right).await.status, 409, "too many wrong ones");
    let again = house.get("ReleaseLicenseHttp", &format!("is_avkey={key}&is_pcid=PC-1&is_deacivation_code={right}")).await;
    assert_eq!(of(&again, "errorCode"), Some("224"));
    house.app.pass_days(1);
    assert_eq!(release(&right).await.status, 200, "yesterday's, tomorrow");
    // Where every release needs one, a password alone is not enough.
    house.get("ValidateLicenseHttp", &format!("is_avkey={key}&is_pcid=PC-1")).await;
    house.set("releaseLicenseRequiresVerificationCode", "true").await;
    let by_password = format!("is_vendor=zapier&{SHOWN}&is_avkey={key}&is_pcid=PC-1");
    assert_eq!(of(&house.get("ReleaseLicenseHttp", &by_password).await, "errorCode"), Some("224"));
    let both = format!("{by_password}&is_deactcode={}", code("PC-1", 0));
    assert!(house.get("ReleaseLicenseHttp", &both).await.contains("has been released"));
}

async fn a_customer_looks_at_a_license_and_changes_nothing(app: TestApp) {
    let house = House::new(app).await;
    let key = house
        .key("is_quantity=3&is_expdate=2035-01-31&is_licensemodel=subscription&is_features=0:3&is_pp=quality.rows::100", "1")
        .await;
    house.get("ValidateLicenseHttp", &format!("is_avkey={key}&is_pcid=HW-office-1234&is_computer_name=Office")).await;
    let link = house.app.get(&format!("/x/QlmCustomerSite/QlmLicenseInfo.aspx?is_avkey={key}&is_pcid=HW-office-1234")).await;
    let form = house.app.get(link.location()).await.text();
    assert!(form.contains(&format!("value=\"{key}\"")) && !form.contains("Office"), "opening it tells nothing yet");
    let page = house.app.post("/license", &[("key", &key)]).await;
    let text = page.text();
    for part in
        ["Product press", "subscription", "31 Jan 2035", "1 of 3 seats taken", "Office", "…e-1234", "0:3;", "quality.rows"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("HW-office-1234"), "whoever has the key is not told a whole computer id");
    assert_eq!(house.license(&key).await.seats_taken, 1);
    let license = house.license(&key).await.id;
    house.app.desk().disable_license(&OPERATOR, license, "chargeback by the bank".to_owned()).await.unwrap();
    let text = house.app.post("/license", &[("key", &key)]).await.text();
    assert!(text.contains("not good now") && text.contains("Ask support") && !text.contains("chargeback"));
    assert_eq!(house.app.post("/license", &[("key", " ")]).await.status, 422);
    for _ in 0..10 {
        let guess = house.app.post("/license", &[("key", "AAAAA-BBBBB-CCCCC-DDDDX")]).await;
        assert!(guess.status == 409 && guess.text().contains("Compare it with the original"), "{}", guess.text());
    }
    assert!(house.app.post("/license", &[("key", &key)]).await.text().contains("Try again in ten minutes"));
    // Where no code alone releases, the page says so at once.
    assert!(house.app.get("/release").await.text().contains("This portal takes no codes of apps"));
}

async fn licenses_are_read_by_a_filter_and_by_nothing_else(app: TestApp) {
    let house = House::new(app).await;
    let base = format!("is_vendor=qlmauthenticationprovider&{SHOWN}");
    for (place, features) in ["0:1", "0:2", "0:4"].iter().enumerate() {
        house.key(&format!("is_features={features}&is_userdata1=u{place}"), &format!("F-{place}")).await;
    }
    let number = |text: &str| of(text, "errorCode").map(str::to_owned);
    assert_eq!(number(&house.get("GetLicensesHttp", &base).await).as_deref(), Some("8"), "not signed");
    house.set("getLicensesHttpRequiresStrictAuthentication", "false").await;
    assert_eq!(number(&house.get("GetLicensesHttp", &base).await).as_deref(), Some("7"), "off");
    house.set("enableGetLicensesHttp", "true").await;
    assert_eq!(number(&house.get("GetLicensesHttp", "").await).as_deref(), Some("8"));
    let ask = async |filter: &str, more: &str| {
        let filter = crate::server::forms::encode(filter);
        house.get("GetLicensesHttp", &format!("{base}&is_filter={filter}{more}")).await
    };
    let all = house.get("GetLicensesHttp", &base).await;
    assert_eq!(all.matches("<license>").count(), 3, "{all}");
    let one = ask("ProductID=1 and UserData1='U1'", "").await;
    assert!(
        one.matches("<license>").count() == 1 && of(&one, "orderID") == Some("F-1") && of(&one, "features") == Some("0:2;"),
        "{one}"
    );
    assert_eq!(ask("UserData1 like 'u%' and not (UserData1='u0')", "").await.matches("<license>").count(), 2);
    let page = ask("ProductID=1", "&is_batchsize=1&is_offset=2").await;
    assert!(page.matches("<license>").count() == 1 && of(&page, "orderID") == Some("F-2"), "{page}");
    assert_eq!(ask("ProductID=2", "").await.matches("<license>").count(), 0);
    for wrong in ["1=1", "ProductID=1; drop table license", "Password='x'", "ProductID=1 or (select 1)=1", &"(".repeat(600)] {
        assert_eq!(number(&ask(wrong, "").await).as_deref(), Some("208"), "{wrong}");
    }
    // What has no end is neither before nor after a day.
    house.key("is_expdate=2026-12-31&is_userdata1=ends", "F-4").await;
    for (filter, expected) in [
        ("SubscriptionExpiryDate < '2027-01-01'", 1),
        ("SubscriptionExpiryDate > '2000-01-01'", 1),
        ("SubscriptionExpiryDate = ''", 3),
        ("SubscriptionExpiryDate <> ''", 1),
    ] {
        assert_eq!(ask(filter, "").await.matches("<license>").count(), expected, "{filter}");
    }
    let json: serde_json::Value = serde_json::from_str(&ask("Password='x'", "&is_format=json").await).unwrap();
    assert!(json["errorCode"] == 208 && json["error"].as_str().unwrap().contains("no column password"), "{json}");
    let json: serde_json::Value = serde_json::from_str(&ask("UserData1='u2'", "&is_format=json").await).unwrap();
    assert_eq!(json["licenses"][0]["orderID"], "F-2");
}

async fn orders_of_late_are_polled_for(app: TestApp) {
    let house = House::new(app).await;
    let base = format!("is_vendor=zapier&{SHOWN}&is_period=10");
    assert_eq!(of(&house.get("GetRecentOrdersHttp", &base).await, "errorCode"), Some("7"));
    house.set("enableGetRecentOrders", "true").await;
    house.key("", "early").await;
    house.app.pass_seconds(601);
    let late = house.key("", "late").await;
    let rows: serde_json::Value = serde_json::from_str(&house.get("GetRecentOrdersHttp", &base).await).unwrap();
    assert_eq!(
        (rows.as_array().unwrap().len(), &rows[0]["orderID"], &rows[0]["activationKey"]),
        (1, &"late".into(), &late.into())
    );
    assert!(rows[0]["id"].is_string());
    assert_eq!(of(&house.get("GetRecentOrdersHttp", "is_period=10").await, "errorCode"), Some("8"));
    assert!(house.get("GetRecentOrdersHttp", &format!("{base}&is_format=xml")).await.contains("<orders><order><id>"));
}

async fn installs_are_told_of_to_the_day(app: TestApp) {
    let house = House::new(app).await;
    let said = "is_productname=Press&is_majorversion=1&is_minorversion=2&is_computer_name=Desk&is_computerID=PC-1&is_osversion=Windows&is_trial=1&is_customdata1=a";
    assert_eq!(of(&house.get("AnalyticsAddInstallHttp", said).await, "errorCode"), Some("7"));
    house.set("enablePublishAnalyticsApi", "true").await;
    let added = house.get("AnalyticsAddInstallHttp", said).await;
    let id = of(&added, "installID").unwrap().to_owned();
    assert_eq!(id.len(), 36);
    house.app.pass_days(3);
    assert!(
        house
            .get("AnalyticsUpdateLastAccessedDateHttp", &format!("is_installid={}", id.to_uppercase()))
            .await
            .contains("<result>")
    );
    let seen = house.app.desk().installs(&OPERATOR).await.unwrap().remove(0);
    assert_eq!((seen.install.version.as_str(), seen.install.trial), ("1.2", true));
    assert_eq!(seen.last, house.app.now().date().midnight());
    assert_eq!(seen.installed, house.app.now().plus_days(-3).date().midnight());
    house.get("AnalyticsUpdateInstallHttp", &format!("{said}&is_swversion=2.0&is_installid={id}")).await;
    house.get("AnalyticsRemoveInstallHttp", &format!("is_installid={id}")).await;
    let seen = house.app.desk().installs(&OPERATOR).await.unwrap().remove(0);
    assert!(seen.install.version == "2.0" && seen.removed.is_some());
    assert_eq!(of(&house.get("AnalyticsRemoveInstallHttp", "is_installid=nobody").await, "errorCode"), Some("6"));
    assert_eq!(of(&house.get("AnalyticsUpdateInstallHttp", said).await, "errorCode"), Some("208"));
}

async fn a_validation_is_answered_from_before_only_while_nothing_has_changed(app: TestApp) {
    let house = House::new(app).await;
    let key = house.key("is_quantity=3&is_expduration=30", "again").await;
    let id = house.license(&key).await.id;
    let other = house.app.other_process().await;
    let base = format!("is_avkey={key}&is_pcid=PC-1");
    let ask = async || house.get("ValidateLicenseHttp", &base).await;
    let mut turn = 0;
    let mut last = String::new();
    for act in 0..9 {
        // Made anew, made anew under marks, and from before.
        for _ in 0..3 {
            last = ask().await;
        }
        assert_eq!(last, ask().await);
        let desk = house.app.desk();
        let differs = match act {
            // Another computer takes a seat.
            0 => {
                house.get("ValidateLicenseHttp", &format!("is_avkey={key}&is_pcid=PC-2")).await;
                true
            }
            // By another process.
            1 => {
                let update = format!("is_vendor=woocommerce&{SHOWN}&is_avkey={key}&is_features=0:5");
                other.get(&format!("/qlm/qlmservice.asmx/UpdateLicenseHttp?{update}")).await;
                true
            }
            // The minute that stands in it.
            2 => {
                house.app.pass_seconds(60);
                true
            }
            3 => {
                desk.disable_license(&OPERATOR, id, String::new()).await.unwrap();
                true
            }
            4 => {
                desk.enable_license(&OPERATOR, id).await.unwrap();
                true
            }
            5 => {
                let edit = ProductEdit { name: Some("Press 2".to_owned()), ..ProductEdit::default() };
                desk.edit_product(&OPERATOR, &crate::licensing::ProductCode::parse("press").unwrap(), edit).await.unwrap();
                true
            }
            // Its seat is given back, and taken again under another key of its own.
            6 => {
                house.get("ReleaseLicenseHttp", &format!("is_vendor=zapier&{SHOWN}&is_avkey={key}&is_pcid=PC-1")).await;
                true
            }
            7 => {
                house.set("portalName", "Another").await;
                false
            }
            // Its end comes.
            _ => {
                house.app.pass_days(31);
                true
            }
        };
        let again = ask().await;
        assert_eq!(again != last, differs, "act {act}: {again}");
        // As it is told who never asked before.
        turn += 1;
        assert_eq!(again, house.get("ValidateLicenseHttp", &format!("{base}&is_turn={turn}")).await, "act {act}");
    }
    assert_eq!(of(&last, "status"), Some("4"));
    assert_eq!(of(&ask().await, "errorCode"), Some("209"));
    other.desk().store().close().await;
}
