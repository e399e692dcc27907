//! What Quick License Manager's wire allows and this server does not, until its vendor says so: the lines of `spec/defaults.md` that have no
//! test beside the method they are about.

use axum::{
    body::Body,
    http::{Request, header},
};

use super::{
    Reply, TestApp,
    licensespring::OPERATOR,
    qlm::{House, PASSWORD, ParseKey as _, failure, of},
};
use crate::{
    desk::NewExtension,
    licensing::{license::Terms, qlm::DateFormat},
};

tests! {
    both:
        what_an_app_says_of_its_user_is_kept_only_where_nothing_was;
    once:
        every_method_that_makes_changes_or_tells_is_off,
        the_urls_of_the_documentation_work_with_a_password_and_not_without,
        an_extension_without_a_password_does_nothing,
        no_page_of_another_site_reads_an_answer,
        an_answer_is_kept_by_nobody_and_a_page_tells_nobody_where_it_was,
        pages_that_are_opened_do_nothing,
        a_filter_reads_no_more_than_a_thousand_licenses,
        a_duration_counts_from_the_first_activation_for_good,
        a_deactivation_code_is_made_with_pipes,
        an_app_is_told_in_its_users_language,
        who_names_no_vendor_is_the_one_that_is_the_default;
}

const PRODUCT: [(&str, &str); 3] = [("is_productid", "1"), ("is_majorversion", "1"), ("is_minorversion", "0")];

/// A shop with its password.
const SHOP: [(&str, &str); 3] = [("is_vendor", "woocommerce"), ("is_user", "shop"), ("is_pwd", PASSWORD)];

async fn call(house: &House, method: &str, more: &[(&str, &str)]) -> Reply {
    house.get(method, &[&SHOP[..], &PRODUCT[..], more].concat()).await
}

async fn who_names_no_vendor_is_the_one_that_is_the_default(app: TestApp) {
    let house = House::new(app).await;
    house.set("enableGetRecentOrders", "true").await;
    let key = house.keys("", "1").await.remove(0).0;
    let ask = [("is_user", "shop"), ("is_pwd", PASSWORD), ("is_period", "60")];
    assert_eq!(failure(&house.get("GetRecentOrdersHttp", &ask).await).0, 8);
    house.set("defaultCommerceProvider", "WooCommerce").await;
    assert!(house.get("GetRecentOrdersHttp", &ask).await.text().contains(&key), "as Zapier asks");
    let wrong = [("is_user", "shop"), ("is_pwd", "a guess"), ("is_period", "60")];
    assert_eq!(failure(&house.get("GetRecentOrdersHttp", &wrong).await).0, 8, "by its password all the same");
}

async fn every_method_that_makes_changes_or_tells_is_off(app: TestApp) {
    let house = House::new(app).await;
    let (key, _) = house.keys("", "1").await.remove(0);
    // As on a server that was set up now.
    let off = crate::desk::Settings::default();
    for (name, value, _) in off.list().into_iter().filter(|(name, ..)| name.starts_with("enable")) {
        assert_eq!(value, "false", "{name}");
        house.set(name, "false").await;
    }
    house.set("strictAuthenticationHttpMethods", "").await;
    house.set("getLicensesHttpRequiresStrictAuthentication", "false").await;
    for (method, property) in [
        ("GetActivationKey", "enableGetActivationKey"),
        ("GetActivationKeyWithExpiryDate", "enableGetActivationKey"),
        ("RenewSubscriptionHttp", "enableRenewSubscriptionHttp"),
        ("RevokeLicenseHttp", "enableRevokeLicense"),
        ("UpdateLicenseHttp", "enableUpgradeLicense"),
        ("UpgradeLicense", "enableUpgradeLicense"),
        ("RenewMaintenancePlan", "enableUpgradeLicense"),
        ("EnableMaintenancePlan", "enableUpgradeLicense"),
        ("ReleaseLicenseHttp", "enableReleaseKeyHttp"),
        ("RetrieveActivationKeyHttp", "enableRetrieveActivationKeyHttp"),
        ("GetActivationLogHttp", "enableGetActivationLogHttp"),
        ("GetLicensesHttp", "enableGetLicensesHttp"),
        ("GetRecentOrdersHttp", "enableGetRecentOrders"),
        ("GetLatestVersionHttp", "enableGetLatestVersionHttp"),
        ("AnalyticsAddInstallHttp", "enablePublishAnalyticsApi"),
        ("AnalyticsUpdateInstallHttp", "enablePublishAnalyticsApi"),
        ("AnalyticsUpdateLastAccessedDateHttp", "enablePublishAnalyticsApi"),
        ("AnalyticsRemoveInstallHttp", "enablePublishAnalyticsApi"),
    ] {
        let (number, message) = failure(&call(&house, method, &[("is_avkey", &key), ("is_pcid", "PC-1")]).await);
        assert!(number == 7 && message.contains(property), "{method}: {number} {message}");
    }
    let register = house.app.get("/qlm/QlmCustomerSite/qlmregistration.asmx/Register?is_email=a%40customer.example").await;
    assert_eq!(failure(&register).0, 7);
    // Every other default of these settings that takes something away from whoever calls.
    let value = |name: &str| off.list().into_iter().find(|(known, ..)| *known == name).map(|(_, value, _)| value);
    for (name, expected) in [
        ("allowUnauthenticatedVendor", "false"),
        ("releaseLicenseRequiresAuthentication", "true"),
        ("getLicensesHttpRequiresStrictAuthentication", "true"),
        ("strictAuthenticationHttpMethods", "RetrieveActivationKeyHttp"),
        ("strictAuthenticationMinimumVersion", "2"),
        ("strictAuthenticationTimestampTolerance", "300"),
        ("useDurationToSetExpiryDate", "true"),
        ("useDurationToSetExpiryDateWhenActivating", "false"),
        ("updateExistingUserInformation", "false"),
    ] {
        assert_eq!(value(name).as_deref(), Some(expected), "{name}");
    }
    // And each says what it costs, or what it is for.
    assert!(off.list().iter().all(|(_, _, about)| about.split_whitespace().count() >= 4));
}

async fn the_urls_of_the_documentation_work_with_a_password_and_not_without(app: TestApp) {
    let house = House::new(app).await;
    for name in ["enableRenewSubscriptionHttp", "enableRevokeLicense", "enableUpgradeLicense"] {
        house.set(name, "true").await;
    }
    let base = "/demo/qlmservice.asmx";
    let shown = "is_user=shop&is_pwd=a%20password%20of%20the%20shop";
    let new = "is_productid=1&is_majorversion=1&is_minorversion=0&is_vendor=woocommerce";
    let mut key = String::new();
    for (place, url) in [
        format!("GetActivationKey?{new}"),
        format!("GetActivationKey?{new}&is_quantity=3&is_usemultipleactivationskey=true"),
        format!("GetActivationKeyWithExpiryDate?{new}&is_expduration=30&is_features=0:3;1:255"),
        format!("GetActivationKeyWithExpiryDate?{new}&is_expdate=2035-03-01&is_qlmversion=5.0.00"),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(failure(&house.app.get(&format!("{base}/{url}")).await).0, 8, "{url}");
        let text = house.app.get(&format!("{base}/{url}&{shown}&OrderId=doc-{place}")).await.text();
        assert!(!text.to_lowercase().contains("error"), "{url}: {text}");
        house.app.secret(text.clone());
        key = text;
    }
    for url in [
        format!("RenewSubscriptionHttp?is_avkey={key}&is_vendor=woocommerce&is_expdate=2036-03-01"),
        format!("UpdateLicenseHttp?is_avkey={key}&is_vendor=woocommerce&is_features=0:1"),
        format!("EnableMaintenancePlan?is_avkey={key}&is_vendor=woocommerce&is_maintplan=1"),
        format!("RevokeLicenseHttp?is_avkey={key}&is_vendor=woocommerce&is_revoke=true"),
    ] {
        assert_eq!(failure(&house.app.get(&format!("{base}/{url}")).await).0, 8, "{url}");
        let text = house.app.get(&format!("{base}/{url}&{shown}")).await.text();
        assert!(of(&text, "result").is_some(), "{url}: {text}");
    }
}

async fn an_extension_without_a_password_does_nothing(app: TestApp) {
    let house = House::new(app).await;
    let new = NewExtension {
        name: "open".to_owned(),
        class: "zapier".to_owned(),
        user: String::new(),
        password: None,
        api_key: None,
        shared_key: None,
    };
    house.app.desk().add_extension(&OPERATOR, new).await.unwrap();
    let ask = [&PRODUCT[..], &[("is_vendor", "open")]].concat();
    assert_eq!(failure(&house.get("GetActivationKey", &ask).await).0, 8);
    assert_eq!(failure(&house.get("GetActivationKey", &[&ask[..], &[("is_user", ""), ("is_pwd", "")]].concat()).await).0, 8);
    house.set("allowUnauthenticatedVendor", "true").await;
    let key = house.get("GetActivationKey", &ask).await.text();
    house.app.secret(key.clone());
    assert!(!key.to_lowercase().contains("error"), "{key}");
    // What reads all there is needs one all the same.
    house.set("enableGetActivationLogHttp", "true").await;
    assert_eq!(failure(&house.get("GetActivationLogHttp", &[&ask[..], &[("is_avkey", &key)]].concat()).await).0, 8);
}

async fn no_page_of_another_site_reads_an_answer(app: TestApp) {
    let house = House::new(app).await;
    for path in ["/qlm/qlmservice.asmx/PingHttp", "/x/QlmLicenseServerNetCore/api/v1/QlmApi/PingHttp"] {
        for method in ["GET", "POST", "OPTIONS"] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::ORIGIN, "https://elsewhere.example")
                .header("access-control-request-method", "POST");
            let reply = house.app.send(request.body(Body::empty()).unwrap()).await;
            assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{method} {path}");
            assert_eq!(reply.status.as_u16(), if method == "OPTIONS" { 405 } else { 200 }, "{method} {path}");
        }
    }
    // It says what clients want to hear of its age.
    let text = house.app.get("/qlm/qlmservice.asmx/PingHttp").await.text();
    assert_eq!(of(&text, "serverVersion"), Some("20.0.0.0"));
}

async fn an_answer_is_kept_by_nobody_and_a_page_tells_nobody_where_it_was(app: TestApp) {
    let house = House::new(app).await;
    house.set("enableTrialRegistration", "true").await;
    let (key, _) = house.keys("", "1").await.remove(0);
    for path in [
        "/qlm/qlmservice.asmx/PingHttp".to_owned(),
        format!("/qlm/qlmservice.asmx/ValidateLicenseHttp?is_avkey={key}&is_pcid=PC-1"),
        "/qlm/qlmservice.asmx/ValidateLicenseHttp".to_owned(),
        "/qlm/qlmservice.asmx/GetActivationKey".to_owned(),
        "/activate/file".to_owned(),
        "/activate/code".to_owned(),
        "/release".to_owned(),
        "/license".to_owned(),
        "/trial".to_owned(),
        "/lost-key".to_owned(),
    ] {
        let reply = house.app.get(&path).await;
        assert!(reply.header("cache-control").contains("no-store"), "{path}: {}", reply.header("cache-control"));
        assert_eq!(reply.header("referrer-policy"), "same-origin", "{path}");
    }
}

async fn pages_that_are_opened_do_nothing(app: TestApp) {
    let house = House::new(app).await;
    house.set("enableTrialRegistration", "true").await;
    house.app.secret("ann@customer.example");
    let (key, _) = house.keys("is_quantity=2", "1").await.remove(0);
    house.validate(&key, "PC-1", &[]).await;
    let license = house.app.desk().license_id(&key.parse_key()).await.unwrap();
    for path in [
        format!("/activate?key={key}&device_id=PC-2"),
        format!("/activate/file?key={key}&device_id=PC-2"),
        "/activate/code?email=ann%40customer.example&product=press&device_id=PC-2".to_owned(),
        format!("/release?key={key}&device_id=PC-1&code=0123456789abcdef0123456789abcdef"),
        format!("/license?key={key}"),
        "/trial?email=ann%40customer.example&product=1&name=Ann".to_owned(),
        "/lost-key?email=ann%40customer.example".to_owned(),
        format!("/x/QlmCustomerSite/QlmWebActivation.aspx?is_avkey={key}&is_pcid=PC-2"),
        format!("/x/QlmCustomerSite/QlmReleaseLicense.aspx?is_avkey={key}&is_pcid=PC-1"),
    ] {
        let reply = house.app.get(&path).await;
        assert!(reply.status == 200 || reply.status.is_redirection(), "{path}: {}", reply.status);
    }
    let mut conn = house.app.desk().read().await.unwrap();
    let computers: Vec<String> =
        conn.activations(license, 9).await.unwrap().into_iter().map(|one| one.device.id.to_string()).collect();
    assert_eq!(computers, ["PC-1"]);
    drop(conn);
    assert!(house.app.desk().messages(&OPERATOR, None, None).await.unwrap().0.is_empty(), "and no letter was written");
}

async fn a_filter_reads_no_more_than_a_thousand_licenses(app: TestApp) {
    let house = House::new(app).await;
    house.set("enableGetLicensesHttp", "true").await;
    house.set("getLicensesHttpRequiresStrictAuthentication", "false").await;
    let reply = house.ordered("woocommerce", "is_quantity=1001&is_usemultipleactivationskey=false", &[("OrderId", "1")]).await;
    let keys = reply.text();
    assert_eq!(keys.lines().count(), 1_001);
    keys.lines().for_each(|key| house.app.secret(key));
    for (more, expected) in [
        (&[][..], 1_000),
        (&[("is_batchsize", "5000")], 1_000),
        (&[("is_batchsize", "-1")], 1_000),
        (&[("is_batchsize", "7")], 7),
        (&[("is_offset", "1000")], 1),
        (&[("is_offset", "1001")], 0),
    ] {
        let text = call(&house, "GetLicensesHttp", more).await.text();
        assert_eq!(text.matches("<license>").count(), expected, "{more:?}");
    }
    let nested = |depth: usize| format!("{}ProductID=1{}", "(".repeat(depth), ")".repeat(depth));
    let asked = async |filter: &str| call(&house, "GetLicensesHttp", &[("is_batchsize", "1"), ("is_filter", filter)]).await;
    assert_eq!(asked(&nested(4)).await.text().matches("<license>").count(), 1);
    assert_eq!(failure(&asked(&nested(5)).await).0, 208);
    let long = |bytes: usize| format!("UserData1<>'{}'", "x".repeat(bytes - 13));
    assert_eq!(asked(&long(512)).await.text().matches("<license>").count(), 1);
    assert_eq!(failure(&asked(&long(513)).await).0, 208);
}

async fn a_duration_counts_from_the_first_activation_for_good(app: TestApp) {
    let house = House::new(app).await;
    house.set("useDurationToSetExpiryDate", "false").await;
    house.set("useDurationToSetExpiryDateWhenActivating", "true").await;
    let (key, _) = house.keys("is_expduration=30", "1").await.remove(0);
    house.app.pass_days(14);
    let first = house.validate(&key, "PC-1", &[]).await.text();
    let end = of(&first, "expiryDate").unwrap().to_owned();
    let expected = DateFormat::parse("yyyy-MM-dd").unwrap().write(house.app.now().plus_days(30));
    assert!(end.starts_with(&expected), "{end}: thirty days from the first activation, not from the order");
    house.app.pass_days(10);
    assert!(call(&house, "ReleaseLicenseHttp", &[("is_avkey", &key), ("is_pcid", "PC-1")]).await.text().contains("<result>"));
    let again = house.validate(&key, "PC-2", &[]).await.text();
    assert_eq!(of(&again, "expiryDate"), Some(&*end), "another computer begins no new thirty days");
    // Where the app counts by itself the document says so, and the server knows no end.
    house.set("useDurationToSetExpiryDateWhenActivating", "false").await;
    let (key, _) = house.keys("is_expduration=30", "2").await.remove(0);
    let text = house.validate(&key, "PC-1", &[]).await.text();
    assert_eq!((of(&text, "duration"), of(&text, "expiryDate")), (Some("30"), Some("0001-01-01 00:00")));
}

async fn a_deactivation_code_is_made_with_pipes(app: TestApp) {
    use md5::{Digest, Md5};
    let house = House::new(app).await;
    house.app.secret("the key of the apps");
    house.set("communicationEncryptionKey", "the key of the apps").await;
    house.set("releaseLicenseRequiresAuthentication", "false").await;
    let (key, _) = house.keys("", "1").await.remove(0);
    house.validate(&key, "PC-1", &[]).await;
    let (plain, day) = (key.replace('-', ""), house.app.now().date());
    let code = |text: String| Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let release = async |code: &str| {
        house.get("ReleaseLicenseHttp", &[("is_avkey", &key), ("is_pcid", "PC-1"), ("is_deacivation_code", code)]).await
    };
    assert_eq!(failure(&release(&code(format!("{plain}PC-1the key of the apps{day}"))).await).0, 224);
    assert!(release(&code(format!("{plain}|PC-1|the key of the apps|{day}"))).await.text().contains("<result>"));
}

async fn what_an_app_says_of_its_user_is_kept_only_where_nothing_was(app: TestApp) {
    let house = House::new(app).await;
    let said = [
        ("is_userdata1", "from the app"),
        ("is_email", "eve@elsewhere.example"),
        ("is_affiliateid", "a reseller"),
        ("is_pp", "quality.rows::999"),
        ("is_features", "0:255"),
        ("is_quantity", "99"),
    ];
    house.app.secret("eve@elsewhere.example");
    let license =
        async |key: &str| house.app.desk().read().await.unwrap().licenses_with_key(&key.parse_key()).await.unwrap().remove(0).0;
    let (key, _) = house.keys("is_quantity=3&is_pp=quality.rows::1&is_userdata1=sold", "1").await.remove(0);
    let before = license(&key).await;
    house.validate(&key, "PC-1", &said).await;
    let after = license(&key).await;
    assert_eq!((after.terms, after.customer), (before.terms, before.customer), "what was sold is what it is");
    let (key, _) = house.keys("is_quantity=3&is_pp=quality.rows::1", "2").await.remove(0);
    let before = license(&key).await;
    // What only looks changes nothing.
    house.validate(&key, "PC-1", &[&said[..], &[("is_activate", "false")]].concat()).await;
    assert_eq!(license(&key).await.terms, before.terms);
    house.validate(&key, "PC-1", &said).await;
    let after = license(&key).await;
    let mut expected = before.terms.clone();
    expected.qlm.as_mut().unwrap().user_data = "from the app".to_owned();
    assert_eq!((&after.terms, after.customer), (&expected, None), "and an address that proves nothing is no customer");
    house.validate(&key, "PC-2", &[("is_userdata1", "another")]).await;
    assert_eq!(license(&key).await.terms, expected);
    // A license that staff issued has no such thing.
    let own = house.app.issue("press", Terms::default()).await;
    assert!(house.validate(&own.key.text(), "PC-1", &said).await.text().contains("<status>2<"));
    assert_eq!(license(&own.key.text()).await.terms.qlm, None);
    assert!(house.app.desk().verify_audit(&OPERATOR).await.unwrap().broken.is_empty());
}

async fn an_app_is_told_in_its_users_language(app: TestApp) {
    let house = House::new(app).await;
    let (key, _) = house.keys("", "1").await.remove(0);
    let told = async |computer: &str, locale: &str, name: &str| {
        let text = house.validate(&key, computer, &[("is_locale", locale)]).await.text();
        assert!(text.is_ascii(), "{text}");
        of(&text, name).map(str::to_owned)
    };
    assert_eq!(told("PC-1", "fr-CA", "result").await.as_deref(), Some("La licence est valide."));
    assert_eq!(told("PC-1", "de", "result").await.as_deref(), Some("Die Lizenz ist g&#252;ltig."));
    assert_eq!(told("PC-1", "ja", "result").await.as_deref(), Some("The license is valid."));
    let french =
        "Cette licence est d&#233;j&#224; activ&#233;e sur un autre ordinateur. D&#233;sactivez-la d&#8217;abord sur celui-ci.";
    assert_eq!(told("PC-2", "FR", "error").await.as_deref(), Some(french));
    assert!(told("PC-2", "", "error").await.unwrap().contains("has already been activated on a system called"));
}
