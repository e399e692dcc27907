//! How Quick License Manager's methods decide where the vendor has a choice: until when a renewal is taken, what an activation may do
//! beside taking a seat, which properties a product has.

use axum::{body::Body, extract::ConnectInfo, http::Request};

use super::{
    Reply, TestApp,
    app::device,
    licensespring::OPERATOR,
    qlm::{House, PASSWORD, ParseKey as _, failure, of},
    qlm_signed::is_signed_by,
};
use crate::{
    desk::Role,
    licensing::license::{License, Maintenance},
    server::config::ServeConfig,
};

tests! {
    both:
        a_server_holds_so_many_licenses_and_no_more,
        a_product_has_the_properties_its_vendor_defined;
    once:
        a_renewal_comes_within_its_grace_or_not_at_all,
        a_plan_ends_with_its_subscription_where_the_vendor_says_so,
        a_plan_of_an_order_in_progress_begins_with_the_first_activation,
        an_older_version_is_activated_where_the_vendor_lets_it,
        a_computer_keeps_its_name_unless_the_vendor_lets_apps_change_it,
        the_address_an_app_says_is_a_customer_only_where_the_vendor_takes_it_for_one,
        nobody_activates_from_a_country_that_is_blocked,
        failures_have_a_status_where_the_vendor_wants_one,
        a_file_is_called_as_the_vendor_says;
}

const SHOP: [(&str, &str); 3] = [("is_vendor", "woocommerce"), ("is_user", "shop"), ("is_pwd", PASSWORD)];

impl House {
    async fn by_shop(&self, method: &str, more: &[(&str, &str)]) -> Reply {
        self.get(method, &[&SHOP[..], more].concat()).await
    }

    async fn changes(self) -> Self {
        for property in ["enableRenewSubscriptionHttp", "enableUpgradeLicense"] {
            self.set(property, "true").await;
        }
        self
    }

    async fn one(&self, key: &str) -> License {
        self.app.desk().read().await.unwrap().licenses_with_key(&key.parse_key()).await.unwrap().remove(0).0
    }
}

fn done(reply: &Reply) {
    let text = reply.text();
    assert!(of(&text, "error").is_none() && (of(&text, "result").is_some()), "{text}");
}

async fn a_renewal_comes_within_its_grace_or_not_at_all(app: TestApp) {
    let house = House::new(app).await.changes().await;
    let arguments = "is_expduration=30&is_maintplan=1&is_maintduration=30";
    let mut keys = Vec::new();
    for number in ["1", "2", "3"] {
        keys.push(house.keys(arguments, number).await.remove(0).0);
    }
    house.set("subscriptionGracePeriod", "5").await;
    house.set("maintenancePlanGracePeriod", "5").await;
    // Both were over with the thirtieth day; of the fifth day after it the last moment counts.
    house.app.pass_days(35);
    let renew = async |key: &str| house.by_shop("RenewSubscriptionHttp", &[("is_avkey", key), ("is_expduration", "30")]).await;
    let maintain = async |key: &str| house.by_shop("RenewMaintenancePlan", &[("is_avkey", key)]).await;
    done(&renew(&keys[0]).await);
    done(&maintain(&keys[0]).await);
    house.app.pass_days(1);
    for (reply, property) in
        [(renew(&keys[1]).await, "subscriptionGracePeriod"), (maintain(&keys[1]).await, "maintenancePlanGracePeriod")]
    {
        let (number, message) = failure(&reply);
        assert!(number == 209 && message.contains("over for more than 5 days") && message.contains(property), "{message}");
    }
    let before = house.one(&keys[1]).await;
    // Of several all are renewed, or none.
    let order = house.ordered(
        "woocommerce",
        "is_quantity=2&is_usemultipleactivationskey=false&is_expdate=2090-01-01",
        &[("OrderId", "9")],
    );
    let mut both: Vec<String> = order.await.text().lines().map(str::to_owned).collect();
    both.iter().for_each(|key| house.app.secret(key.clone()));
    done(&house.by_shop("UpdateLicenseHttp", &[("is_avkey", &both[0]), ("is_expdate", "2020-01-01")]).await);
    assert_eq!(failure(&house.by_shop("RenewSubscriptionHttp", &[("OrderId", "9"), ("is_expdate", "2091-01-01")]).await).0, 209);
    assert!(house.one(&both.remove(1)).await.terms.expiry.on.unwrap().to_rfc3339().starts_with("2090-01-02"));
    // A plan that is begun anew is no renewal, and without a limit everything is renewed.
    done(&house.by_shop("EnableMaintenancePlan", &[("is_avkey", &keys[1]), ("is_maintplan", "1")]).await);
    house.set("subscriptionGracePeriod", "-1").await;
    assert_eq!(house.one(&keys[1]).await.terms.expiry, before.terms.expiry);
    done(&renew(&keys[1]).await);
    // No day of grace is none.
    house.set("subscriptionGracePeriod", "0").await;
    assert_eq!(failure(&renew(&keys[2]).await).0, 209);
    done(&renew(&keys[1]).await);
}

async fn a_plan_ends_with_its_subscription_where_the_vendor_says_so(app: TestApp) {
    let house = House::new(app).await.changes().await;
    let short = house.keys("is_expduration=30&is_maintplan=1&is_maintduration=10", "1").await.remove(0).0;
    let long = house.keys("is_expduration=30&is_maintplan=1&is_maintduration=999", "2").await.remove(0).0;
    let none = house.keys("is_expduration=30", "3").await.remove(0).0;
    let renew =
        async |key: &str| done(&house.by_shop("RenewSubscriptionHttp", &[("is_avkey", key), ("is_expduration", "30")]).await);
    let plan = async |key: &str| house.one(key).await.terms.maintenance;
    let before = plan(&short).await;
    renew(&short).await;
    assert_eq!(plan(&short).await, before);
    house.set("renewMaintenancePlanWhenSubscriptionRenewed", "true").await;
    let lasting = plan(&long).await;
    for key in [&short, &long, &none] {
        renew(key).await;
    }
    let end = house.one(&short).await.terms.expiry.on.unwrap();
    assert_eq!(plan(&short).await, Maintenance::Until(end));
    assert_eq!((plan(&long).await, plan(&none).await), (lasting, Maintenance::None), "nothing is taken away, and nothing given");
}

async fn a_plan_of_an_order_in_progress_begins_with_the_first_activation(app: TestApp) {
    let house = House::new(app).await;
    let key = house.keys("is_maintplan=1&is_maintduration=30&is_orderstatus=InProgress", "1").await.remove(0).0;
    house.app.pass_days(100);
    let version = [("is_productid", "1"), ("is_majorversion", "2"), ("is_minorversion", "0")];
    house.app.release("press", "1.0", house.app.now().plus_days(-200), "", "").await;
    house.app.release("press", "2.0", house.app.now().plus_days(-1), "", "").await;
    let text = house.validate(&key, "PC-1", &version).await.text();
    let last = format!("{} 23:59:59", house.app.now().plus_days(30).date());
    assert_eq!(of(&text, "maintenanceRenewalDate"), Some(last.as_str()));
    // What came out after it is not covered.
    house.app.pass_days(40);
    house.app.release("press", "3.0", house.app.now().plus_days(-1), "", "").await;
    let third = [("is_productid", "1"), ("is_majorversion", "3"), ("is_minorversion", "0")];
    assert_eq!(failure(&house.validate(&key, "PC-1", &third).await).0, 211);
}

async fn an_older_version_is_activated_where_the_vendor_lets_it(app: TestApp) {
    let house = House::new(app).await;
    let key = house.keys("is_quantity=5", "1").await.remove(0).0;
    let version = |major, minor| [("is_productid", "1"), ("is_majorversion", major), ("is_minorversion", minor)];
    assert_eq!(failure(&house.validate(&key, "PC-1", &version("0", "9")).await).0, 211);
    house.set("allowActivatingOlderVersion", "true").await;
    assert_eq!(of(&house.validate(&key, "PC-1", &version("0", "9")).await.text(), "status"), Some("2"));
    assert_eq!(failure(&house.validate(&key, "PC-1", &version("1", "1")).await).0, 211, "a newer one is another matter");
    house.set("allowActivatingOlderVersion", "false").await;
    assert_eq!(failure(&house.validate(&key, "PC-1", &version("0", "9")).await).0, 211);
}

async fn a_computer_keeps_its_name_unless_the_vendor_lets_apps_change_it(app: TestApp) {
    let house = House::new(app).await;
    let key = house.keys("", "1").await.remove(0).0;
    let named = async |name: &str| {
        let text = house.validate(&key, "PC-1", &[("is_computer_name", name)]).await.text();
        of(&text, "computerName").unwrap_or_default().to_owned()
    };
    assert_eq!(named("Anna").await, "Anna");
    assert_eq!(named("Berta").await, "Anna");
    done(&house.by_shop("ReleaseLicenseHttp", &[("is_avkey", &key), ("is_pcid", "PC-1")]).await);
    assert_eq!(named("Berta").await, "Anna", "also when it comes back");
    house.set("updateComputerNameWhenReactivating", "true").await;
    assert_eq!(named("Berta").await, "Berta");
    let looks = house.validate(&key, "PC-1", &[("is_computer_name", "Clara"), ("is_activate", "false")]).await.text();
    assert_eq!(of(&looks, "computerName"), Some("Berta"), "what only looks changes nothing");
    assert_eq!(named("Berta").await, "Berta");
    // Another computer's key renames nothing where it is refused.
    house.set("requireComputerKeyMatchWhenValidatingOnServer", "true").await;
    let wrong = house.validate(&key, "PC-1", &[("is_computer_name", "Eve"), ("is_pckey", "UWRONG")]).await;
    assert_eq!(failure(&wrong).0, 225);
    house.set("requireComputerKeyMatchWhenValidatingOnServer", "false").await;
    assert_eq!(named("Berta").await, "Berta");
    // Where no names are kept nothing is written for one.
    house.app.rules("press", |rules| rules.device_details = crate::licensing::product::DeviceDetails::Id).await;
    let seen = async || {
        let mut conn = house.app.desk().read().await.unwrap();
        let facts = conn.facts_with_key(&key.parse_key().folded(), &device("PC-1")).await.unwrap().remove(0);
        facts.known.unwrap().last_seen
    };
    let before = seen().await;
    house.app.pass_seconds(5);
    named("Dora").await;
    assert_eq!(seen().await, before, "it is answered from what is read");
}

async fn the_address_an_app_says_is_a_customer_only_where_the_vendor_takes_it_for_one(app: TestApp) {
    let house = House::new(app).await;
    for address in ["ann@customer.example", "eve@elsewhere.example", "sold@customer.example"] {
        house.app.secret(address);
    }
    let key = house.keys("is_quantity=5", "1").await.remove(0).0;
    let said = async |key: &str, computer: &str, email: &str| house.validate(key, computer, &[("is_email", email)]).await.text();
    said(&key, "PC-1", "ann@customer.example").await;
    assert_eq!(house.one(&key).await.customer, None);
    house.set("autoCreateCustomerDuringActivation", "true").await;
    // A computer that is active tells nothing new; the next one does, and after it nobody.
    said(&key, "PC-1", "ann@customer.example").await;
    assert_eq!(house.one(&key).await.customer, None);
    said(&key, "PC-2", "ann@customer.example").await;
    let customer = house.one(&key).await.customer.unwrap();
    said(&key, "PC-3", "eve@elsewhere.example").await;
    assert_eq!(house.one(&key).await.customer, Some(customer));
    let known = house.app.desk().read().await.unwrap().customer(customer).await.unwrap().unwrap();
    assert_eq!(known.email.as_str(), "ann@customer.example");
    // Whose address is known is nobody an app could say: it would be told their name.
    let other = house.keys("is_quantity=5", "9").await.remove(0).0;
    let text = said(&other, "PC-1", "ann@customer.example").await;
    let own = of(&text, "pckey").unwrap().to_owned();
    let text = house.validate(&other, "PC-1", &[("is_pckey", &own)]).await.text();
    assert_eq!((house.one(&other).await.customer, of(&text, "userEmail")), (None, Some("")));
    // Whose license was sold to somebody is theirs.
    let sold = house.ordered("woocommerce", "", &[("OrderId", "2"), ("Customer_Email", "sold@customer.example")]).await.text();
    house.app.secret(sold.clone());
    let before = house.one(&sold).await.customer;
    said(&sold, "PC-9", "eve@elsewhere.example").await;
    assert_eq!(house.one(&sold).await.customer, before);
    assert!(house.app.desk().verify_audit(&OPERATOR).await.unwrap().broken.is_empty());
}

async fn a_server_holds_so_many_licenses_and_no_more(app: TestApp) {
    let house = House::new(app).await;
    let first = house.keys("", "1").await.remove(0).0;
    house.set("dbMaxRecords", "3").await;
    let three = "is_quantity=3&is_usemultipleactivationskey=false";
    let (number, message) = failure(&house.ordered("woocommerce", three, &[("OrderId", "2")]).await);
    assert!(number == 1 && message.contains("on this server (3)") && message.contains("dbMaxRecords"), "{message}");
    // Nothing of it is there, and what was made before is told again.
    assert_eq!(house.app.desk().read().await.unwrap().license_count().await.unwrap(), 1);
    // Of two that would both be the last, one is.
    let (one, two) = ([("OrderId", "3a")], [("OrderId", "3b")]);
    let pair = "is_quantity=2&is_usemultipleactivationskey=false";
    let (one, two) = tokio::join!(house.ordered("woocommerce", pair, &one), house.ordered("woocommerce", pair, &two));
    let made = [one.text(), two.text()].into_iter().filter(|text| !text.contains("error")).collect::<Vec<_>>();
    assert_eq!(made.len(), 1);
    made.iter().flat_map(|text| text.lines()).for_each(|key| house.app.secret(key));
    assert_eq!(failure(&house.ordered("woocommerce", "", &[("OrderId", "4")]).await).0, 1);
    assert_eq!(house.keys("", "1").await.remove(0).0, first);
    house.set("dbMaxRecords", "-1").await;
    house.keys(three, "2").await;
    assert_eq!(house.app.desk().read().await.unwrap().license_count().await.unwrap(), 6);
}

async fn nobody_activates_from_a_country_that_is_blocked(app: TestApp) {
    let house = House::new(app).await;
    let key = house.keys("", "1").await.remove(0).0;
    house.set("blockActivationByCountry", "KP, IR").await;
    let trusting = ServeConfig { trusted_proxies: vec!["10.0.0.1".parse().unwrap()], ..ServeConfig::for_testing() };
    let behind = house.app.behind(trusting);
    let from = async |proxy: &str, country: &str, path: String| {
        let mut request = Request::get(path).header("cf-ipcountry", country).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::new(proxy.parse().unwrap(), 9)));
        behind.send(request).await
    };
    let validate = format!("/qlm/qlmservice.asmx/ValidateLicenseHttp?is_avkey={key}&is_pcid=PC-1");
    // Nobody says it until the vendor says which header does.
    assert_eq!(of(&from("10.0.0.1", "KP", validate.clone()).await.text(), "status"), Some("2"));
    house.set("countryHeader", "CF-IPCountry").await;
    for method in
        ["ValidateLicenseHttp", "ActivateKey", "RequestAuthorizationCodeForActivationHttp", "activatekeybyauthorizationcodehttp"]
    {
        let path = format!("/qlm/qlmservice.asmx/{method}?is_avkey={key}&is_pcid=PC-1");
        let (number, message) = failure(&from("10.0.0.1", "ir", path).await);
        assert!(number == 3 && message.contains("from this country"), "{method}: {message}");
    }
    assert_eq!(of(&from("10.0.0.1", "DE", validate.clone()).await.text(), "status"), Some("2"));
    // Anybody can write a header; and what activates nothing is answered.
    assert_eq!(of(&from("198.51.100.1", "KP", validate).await.text(), "status"), Some("2"));
    assert!(from("10.0.0.1", "KP", "/qlm/qlmservice.asmx/PingHttp".to_owned()).await.text().contains("Successfully"));
}

async fn failures_have_a_status_where_the_vendor_wants_one(app: TestApp) {
    let house = House::new(app).await;
    let key = house.keys("", "1").await.remove(0).0;
    house.validate(&key, "PC-1", &[]).await;
    type Arguments<'a> = &'a [(&'a str, &'a str)];
    let calls: [(&str, Arguments<'_>, u16); 6] = [
        (
            "GetActivationKey",
            &[("is_vendor", "nobody"), ("is_productid", "1"), ("is_majorversion", "1"), ("is_minorversion", "0")],
            401,
        ),
        ("RevokeLicenseHttp", &[("is_avkey", &key)], 403),
        ("ValidateLicenseHttp", &[("is_avkey", "AAAAA-BBBBB-CCCCC"), ("is_pcid", "PC-1")], 404),
        ("ValidateLicenseHttp", &[("is_avkey", &key)], 400),
        ("ValidateLicenseHttp", &[("is_avkey", &key), ("is_pcid", "PC-2")], 409),
        ("GetActivationLogHttp", &[("is_avkey", &key), ("is_format", "json")], 403),
    ];
    for (method, arguments, status) in &calls {
        let plain = house.get(method, arguments).await;
        house.set("failuresHaveHttpStatus", "true").await;
        let told = house.get(method, arguments).await;
        house.set("failuresHaveHttpStatus", "false").await;
        assert_eq!((plain.status.as_u16(), told.status.as_u16()), (200, *status), "{method}");
        assert_eq!(plain.text(), told.text(), "the body says the same");
    }
}

async fn a_file_is_called_as_the_vendor_says(app: TestApp) {
    let house = House::new(app).await;
    let key = house.keys("is_pp=quality.rows::100", "1").await.remove(0).0;
    house.set("licenseFileName", "Press-Designer.xml").await;
    let file = house.app.post("/activate/file", &[("key", &key), ("device_id", "PC-1")]).await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"Press-Designer.xml\"");
    // The properties apart, signed as well.
    let link = house.app.get(&format!("/x/QlmWebActivation.aspx?is_pp=1&is_avkey={key}&is_pcid=PC-1")).await;
    let form = house.app.get(link.location()).await.text();
    assert!(form.contains("The product properties") && form.contains("value=\"properties\""), "{form}");
    assert!(!house.app.get("/activate/file").await.text().contains("product properties"), "nobody else is asked");
    let fields = [("key", key.as_str()), ("device_id", "PC-1"), ("what", "properties")];
    let file = house.app.post("/activate/file", &fields).await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"QlmProductProperties.xml\"");
    let text = file.text();
    let plain_key = key.replace('-', "");
    let root = format!("<ProductProperties activationKey=\"{plain_key}\" computerID=\"PC-1\"><Property ");
    assert!(text.starts_with(&root) && text.ends_with("</Signature></ProductProperties>"), "{text}");
    assert!(is_signed_by(&house.app, &text, "press").await);
    assert!(!is_signed_by(&house.app, &text.replace("value=\"100\"", "value=\"999\""), "press").await);
    let plain = house.keys("", "2").await.remove(0).0;
    let none = house.app.post("/activate/file", &[("key", &plain), ("device_id", "PC-1"), ("what", "properties")]).await;
    assert!(none.status == 409 && none.text().contains("has no properties"), "{}", none.text());
}

async fn a_product_has_the_properties_its_vendor_defined(app: TestApp) {
    let house = House::new(app).await.changes().await;
    let keeper = house.app.staff("keeper@vendor.example", Role::Admin).await;
    house.app.secret("keeper@vendor.example");
    let page = "/vendor/products/press?tab=rules";
    let rules = async |lines: &str| {
        let form = [("name", "Press"), ("number", "1"), ("floating_timeout_minutes", "120"), ("properties", lines)];
        house.app.post_as(&keeper, "/vendor/products/press/edit", &form).await
    };
    // Before there are definitions a call names any.
    let before = house.keys("is_pp=any.thing::goes&is_expduration=30", "1").await.remove(0).0;
    let wrong = rules("quality.rows: int = 100\nquality.module: yesno").await;
    assert!(wrong.status == 422 && wrong.text().contains("Line 2 says a type that is none"), "{}", wrong.text());
    let lines = "quality.rows: int = 100 # Rows of a report\nuser.nick: string app\n";
    assert_eq!(rules(lines).await.status, 303);
    assert!(house.app.get_as(&keeper, page).await.text().contains("quality.rows: int = 100 # Rows of a report"));
    // What is misspelt, or cannot be, is refused by every method that sets one, and nothing is made of it.
    for wrong in ["quality.row::5", "quality.rows::many"] {
        let (number, message) = failure(&house.ordered("woocommerce", &format!("is_pp={wrong}"), &[("OrderId", "2")]).await);
        assert!(number == 2200 && message.contains("quality.row"), "{message}");
        for method in ["UpdateLicenseHttp", "RenewSubscriptionHttp", "UpgradeLicense"] {
            let more = [("is_avkey", before.as_str()), ("is_pp", wrong), ("is_expdate", "2090-01-01")];
            assert_eq!(failure(&house.by_shop(method, &more).await).0, 2200, "{method}");
        }
    }
    let key = house.keys("is_expduration=30", "2").await.remove(0).0;
    let told = async || {
        let text = house.validate(&key, "PC-1", &[]).await.text();
        of(&text, "productProperties").unwrap().replace("&lt;", "<")
    };
    let text = told().await;
    for part in [r#"name="rows""#, r#"value="100""#, r#"type="int""#, r#"help="Rows of a report""#, r#"name="nick""#] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // A number that the license does not say is counted on from its default, also by an order.
    let counted = house.keys("is_pp=quality.rows::%2B7", "4").await.remove(0).0;
    assert_eq!(house.one(&counted).await.terms.qlm.unwrap().properties[0].value, "107");
    // A renewal sets properties as well.
    let more = [("is_avkey", key.as_str()), ("is_expduration", "30"), ("is_pp", "quality.rows::+50||user.nick::Ann")];
    done(&house.by_shop("RenewSubscriptionHttp", &more).await);
    done(&house.by_shop("UpdateLicenseHttp", &[("is_avkey", &key), ("is_pp", "quality.rows::+50")]).await);
    let text = told().await;
    assert!(text.contains(r#"value="200""#) && text.contains(r#"value="Ann""#), "{text}");
    // What an app says of them is passed over.
    house.validate(&key, "PC-1", &[("is_pp", "user.nick::Eve")]).await;
    assert!(told().await.contains(r#"value="Ann""#));
    // Taken away again, any is taken once more.
    assert_eq!(rules("").await.status, 303);
    house.keys("is_pp=any.thing::goes", "3").await;
}
