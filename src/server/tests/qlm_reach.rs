//! How far a call reaches: not to what others sold, not to what staff decided, and no further by another door or another name.

use super::{
    Reply, TestApp,
    licensespring::OPERATOR,
    post_office::PostOffice,
    qlm::{House, ParseKey as _, failure, of},
};
use crate::{
    desk::{ExtensionEdit, NewExtension},
    licensing::{
        Email,
        license::{License, LicenseState},
    },
};

tests! {
    both:
        a_reseller_reaches_nothing_that_others_sold,
        codes_of_apps_are_counted_by_the_license_and_by_the_address;
    once:
        an_address_is_moved_only_where_licenses_are_changed,
        the_key_a_buyer_typed_neither_renews_nor_revokes,
        nobody_gives_back_what_staff_took,
        an_order_is_read_by_the_shop_that_sold_it,
        one_act_is_limited_under_both_its_names,
        what_is_blocked_is_blocked_at_every_door,
        a_license_for_virtual_machines_is_for_them_at_every_door,
        an_address_that_is_no_method_fails_as_one,
        what_others_are_called_is_no_failure,
        a_code_without_a_computer_is_for_computers_that_are_there,
        consent_is_taken_back_by_a_button,
        a_stranger_puts_no_words_into_a_trials_letter,
        links_of_old_lead_to_our_pages;
}

const ANN: &str = "ann@customer.example";

impl House {
    /// A call of a vendor's, with its password.
    async fn by(&self, vendor: &str, method: &str, more: &[(&str, &str)]) -> Reply {
        let shown = [("is_vendor", vendor), ("is_user", "shop"), ("is_pwd", super::qlm::PASSWORD)];
        self.get(method, &[&shown[..], more].concat()).await
    }

    async fn license_of(&self, key: &str) -> License {
        self.app.desk().read().await.unwrap().licenses_with_key(&key.parse_key()).await.unwrap().remove(0).0
    }

    async fn is_enabled(&self, key: &str) -> bool {
        matches!(self.license_of(key).await.state, LicenseState::Enabled)
    }

    async fn reseller(&self, name: &str, affiliate: &str) {
        let new = NewExtension {
            name: name.to_owned(),
            class: "zapier".to_owned(),
            user: "shop".to_owned(),
            password: Some(super::qlm::PASSWORD.to_owned()),
            api_key: None,
            shared_key: None,
        };
        self.app.desk().add_extension(&OPERATOR, new).await.unwrap();
        let edit = ExtensionEdit { affiliate: Some(affiliate.to_owned()), ..ExtensionEdit::default() };
        self.app.desk().edit_extension(&OPERATOR, name, edit).await.unwrap();
    }

    async fn name_of(&self, email: &str) -> Option<String> {
        let email = Email::parse(email).unwrap();
        self.app.desk().customer(&OPERATOR, &email).await.ok().map(|(customer, _)| customer.name)
    }
}

async fn a_reseller_reaches_nothing_that_others_sold(app: TestApp) {
    let house = House::new(app).await;
    for secret in [ANN, "mallory@reseller.example", "carl@customer.example"] {
        house.app.secret(secret);
    }
    house.set("enableUpgradeLicense", "true").await;
    house.reseller("Nord", "Nord GmbH").await;
    let own =
        house.ordered("woocommerce", "", &[("OrderId", "1"), ("Customer_Email", ANN), ("Customer_Name", "Ann")]).await.text();
    let product = [("is_productid", "1"), ("is_majorversion", "1"), ("is_minorversion", "0")];
    let sold = house.by("Nord", "GetActivationKey", &[&product[..], &[("email", "carl@customer.example")]].concat()).await.text();
    for key in [&own, &sold] {
        house.app.secret(key.as_str());
        house.validate(key, "PC-1", &[]).await;
    }
    let seat = |key: &str| [("is_avkey", key.to_owned()), ("is_pcid", "PC-1".to_owned())];
    let release = async |key: &str| {
        let seat = seat(key);
        let seat: Vec<(&str, &str)> = seat.iter().map(|(name, value)| (*name, value.as_str())).collect();
        house.by("Nord", "ReleaseLicenseHttp", &seat).await
    };
    // A seat of what another sold is not freed, nor is told whether it is taken.
    assert_eq!(failure(&release(&own).await).0, 203);
    assert_eq!(house.license_of(&own).await.seats_taken, 1);
    assert!(of(&release(&sold).await.text(), "result").is_some());
    assert_eq!(house.license_of(&sold).await.seats_taken, 0);
    // A customer of others' keeps address and name.
    let taken = [("email", "mallory@reseller.example"), ("is_previousemail", ANN)];
    assert_eq!(failure(&house.by("Nord", "UpdateUserInformation", &taken).await).0, 1900);
    let renamed = [("email", ANN), ("name", "Mallory")];
    assert_eq!(failure(&house.by("Nord", "UpdateUserInformation", &renamed).await).0, 1900);
    assert_eq!((house.name_of(ANN).await.as_deref(), house.name_of("mallory@reseller.example").await), (Some("Ann"), None));
    let own_customer = [("email", "carl@customer.example"), ("name", "Carl")];
    assert!(of(&house.by("Nord", "UpdateUserInformation", &own_customer).await.text(), "result").is_some());
    assert_eq!(house.name_of("carl@customer.example").await.as_deref(), Some("Carl"));
    // What it sells stays its own.
    let moved = [("is_avkey", sold.as_str()), ("is_affiliateid", "Süd GmbH"), ("is_features", "0:1")];
    assert!(of(&house.by("Nord", "UpdateLicenseHttp", &moved).await.text(), "result").is_some());
    let qlm = house.license_of(&sold).await.terms.qlm.unwrap();
    assert_eq!((qlm.affiliate.as_str(), qlm.features.text().as_str()), ("Nord GmbH", "0:1;"));
}

async fn codes_of_apps_are_counted_by_the_license_and_by_the_address(app: TestApp) {
    let house = House::new(app).await;
    house.set("releaseLicenseRequiresAuthentication", "false").await;
    house.set("communicationEncryptionKey", "a secret that ships in apps").await;
    let key = house.keys("", "1").await.remove(0).0;
    house.validate(&key, "PC-1", &[]).await;
    let wrong = async |key: &str| {
        let shown = [("is_avkey", key), ("is_pcid", "PC-1"), ("is_deactivation_code", "0123456789abcdef0123456789abcdef")];
        failure(&house.get("ReleaseLicenseHttp", &shown).await)
    };
    // However the key is spelt it is the one license; of many at one time no more count than one after the other.
    let spelt = key.replace('-', "").to_lowercase();
    let all = tokio::join!(wrong(&key), wrong(&spelt), wrong(&key), wrong(&spelt), wrong(&key), wrong(&spelt), wrong(&key));
    let all = [all.0, all.1, all.2, all.3, all.4, all.5, all.6];
    let spent = all.iter().filter(|(_, message)| message.starts_with("Too many wrong codes")).count();
    assert!(all.iter().all(|(code, _)| *code == 224) && spent == 2, "{all:?}");
    // A key that nobody has is guessed at, and a wrong code as well: five of each are ten.
    for _ in 0..5 {
        assert_eq!(wrong("UNKNOWN-KEY-1").await.0, 203);
    }
    assert_eq!(wrong("UNKNOWN-KEY-1").await.0, 1);
}

async fn an_address_is_moved_only_where_licenses_are_changed(app: TestApp) {
    let house = House::new(app).await;
    house.app.secret(ANN);
    house.app.secret("mallory@elsewhere.example");
    house.ordered("woocommerce", "", &[("OrderId", "1"), ("Customer_Email", ANN)]).await;
    let moved = [("Customer_Email", "mallory@elsewhere.example"), ("is_previousemail", ANN)];
    // Who is mailed a key is decided by the address.
    let (code, message) = failure(&house.by("woocommerce", "UpdateUserInformation", &moved).await);
    assert!(code == 7 && message.contains("enableUpgradeLicense"), "{message}");
    assert!(house.name_of(ANN).await.is_some());
    house.set("enableUpgradeLicense", "true").await;
    assert!(of(&house.by("woocommerce", "UpdateUserInformation", &moved).await.text(), "result").is_some());
    assert!(house.name_of(ANN).await.is_none());
}

async fn the_key_a_buyer_typed_neither_renews_nor_revokes(app: TestApp) {
    let house = House::new(app).await;
    for name in ["enableRenewSubscriptionHttp", "enableRevokeLicense", "enableUpgradeLicense"] {
        house.set(name, "true").await;
    }
    let mine = house.keys("is_expduration=30", "1").await.remove(0).0;
    let theirs = house.keys("is_expduration=30", "2").await.remove(0).0;
    let before = house.license_of(&theirs).await.terms;
    let typed = [("custom_referrer", theirs.as_str())];
    // Alone it names nothing; beside an order it is passed over.
    for method in ["RenewSubscriptionHttp", "RevokeLicenseHttp", "UpdateLicenseHttp"] {
        assert_eq!(failure(&house.by("woocommerce", method, &typed).await).0, 206, "{method}");
    }
    let with_order = [("custom_referrer", theirs.as_str()), ("OrderId", "1")];
    assert!(of(&house.by("woocommerce", "RevokeLicenseHttp", &with_order).await.text(), "result").is_some());
    assert_eq!((house.is_enabled(&mine).await, house.is_enabled(&theirs).await), (false, true));
    assert_eq!(house.license_of(&theirs).await.terms, before);
    // More maintenance is anybody's to buy for any license.
    assert!(of(&house.by("woocommerce", "RenewMaintenancePlan", &typed).await.text(), "result").is_some());
    assert_ne!(house.license_of(&theirs).await.terms.maintenance, before.maintenance);
}

async fn nobody_gives_back_what_staff_took(app: TestApp) {
    let house = House::new(app).await;
    house.set("enableUpgradeLicense", "true").await;
    let key = house.keys("", "1").await.remove(0).0;
    let license = house.license_of(&key).await.id;
    // Revoking has a switch of its own, by whichever method it is said.
    let revoke = [("is_avkey", key.as_str()), ("is_revoke", "true")];
    let (code, message) = failure(&house.by("woocommerce", "UpdateLicenseHttp", &revoke).await);
    assert!(code == 7 && message.contains("enableRevokeLicense"), "{message}");
    // What is so already needs none.
    let as_it_is = [("is_avkey", key.as_str()), ("is_revoke", "false")];
    assert!(of(&house.by("woocommerce", "UpdateLicenseHttp", &as_it_is).await.text(), "result").is_some());
    house.set("enableRevokeLicense", "true").await;
    house.app.desk().disable_license(&OPERATOR, license, "Shared on a forum".to_owned()).await.unwrap();
    for method in ["RevokeLicenseHttp", "UpdateLicenseHttp"] {
        let back = house.by("woocommerce", method, &[("is_avkey", &key), ("is_revoke", "false")]).await;
        assert!(failure(&back).1.contains("who alone gives it back"), "{method}");
        assert!(!house.is_enabled(&key).await, "{method}");
    }
    // What one shop took, it gives back, and no other does.
    house.app.desk().enable_license(&OPERATOR, license).await.unwrap();
    house.by("woocommerce", "RevokeLicenseHttp", &[("is_avkey", &key)]).await;
    house.by("Portal", "RevokeLicenseHttp", &[("is_avkey", &key), ("is_revoke", "false")]).await;
    assert!(!house.is_enabled(&key).await);
    house.by("woocommerce", "UpdateLicenseHttp", &[("is_avkey", &key), ("is_revoke", "false")]).await;
    assert!(house.is_enabled(&key).await);
}

async fn an_order_is_read_by_the_shop_that_sold_it(app: TestApp) {
    let house = House::new(app).await;
    house.set("enableRetrieveActivationKeyHttp", "true").await;
    house.set("strictAuthenticationHttpMethods", "").await;
    house.reseller("OtherShop", "").await;
    let key = house.keys("", "1001").await.remove(0).0;
    let ask = [("is_orderid", "1001")];
    // Two shops count their orders alike: one of the other's is not told as one's own.
    assert_eq!(failure(&house.by("OtherShop", "RetrieveActivationKeyHttp", &ask).await).0, 203);
    for reader in ["woocommerce", "Portal"] {
        assert_eq!(
            of(&house.by(reader, "RetrieveActivationKeyHttp", &ask).await.text(), "avkey"),
            Some(key.as_str()),
            "{reader}"
        );
    }
}

async fn one_act_is_limited_under_both_its_names(app: TestApp) {
    let house = House::new(app).await;
    house.set("strictAuthenticationHttpMethods", "GetActivationKey").await;
    for method in ["GetActivationKey", "GetActivationKeyWithExpiryDate"] {
        let order = [("is_productid", "1"), ("is_majorversion", "1"), ("is_minorversion", "0"), ("OrderId", "1")];
        assert_eq!(failure(&house.by("woocommerce", method, &order).await).0, 8, "{method}");
    }
    house.set("strictAuthenticationHttpMethods", "").await;
    house.set("httpAdminMethods", "ActivateKey").await;
    for method in ["ActivateKey", "ValidateLicenseHttp"] {
        assert_eq!(failure(&house.get(method, &[("is_avkey", "X"), ("is_pcid", "PC-1")]).await).0, 3, "{method}");
    }
    // A refusal of an address is signed as well, where the call names the product.
    let named = [("is_productid", "1"), ("is_avkey", "X"), ("is_pcid", "PC-1")];
    assert!(house.get("ValidateLicenseHttp", &named).await.text().contains("<Signature "));
}

async fn what_is_blocked_is_blocked_at_every_door(app: TestApp) {
    let house = House::new(app).await;
    house.app.secret(ANN);
    let key = house.keys("", "1").await.remove(0).0;
    house.set("blockIPAddresses", "192.0.2.0/24").await;
    let by_code = [("email", ANN), ("product", "press"), ("device_id", "PC-1"), ("code", "123456")];
    for (path, fields) in [
        ("/activate", &[("key", key.as_str()), ("device_id", "PC-1"), ("request_id", "r")][..]),
        ("/activate/code", &by_code[..3]),
        ("/activate/code/confirm", &by_code),
        ("/lost-key", &[("email", ANN)]),
        ("/offline", &[("file", "x")]),
    ] {
        let reply = house.app.post(path, fields).await;
        assert!(reply.status == 403 && reply.text().contains("from this network address"), "{path}: {}", reply.status);
    }
    assert_eq!(house.app.get("/activate").await.status, 200, "pages are shown to anybody");
    assert_eq!(house.license_of(&key).await.seats_taken, 0);
    house.set("blockIPAddresses", "").await;
    house.set("httpAdminMethods", "RequestAuthorizationCodeForActivationHttp").await;
    assert_eq!(house.app.post("/activate/code", &by_code[..3]).await.status, 403);
}

async fn a_license_for_virtual_machines_is_for_them_at_every_door(app: TestApp) {
    let house = House::new(app).await;
    let key = house.keys("is_computertype=1&is_numberofactivationsperkey=9", "1").await.remove(0).0;
    let post = async |computer: &str, vm: &str| {
        let fields = [("key", key.as_str()), ("device_id", computer), ("vm", vm), ("request_id", computer)];
        house.app.post("/activate", &fields).await
    };
    let refused = post("VM-1", "1").await;
    assert!(refused.status == 409 && refused.text().contains("another kind of computer"), "{}", refused.text());
    assert_eq!(house.license_of(&key).await.seats_taken, 0);
    assert_eq!(post("PC-1", "0").await.status, 303);
    let (code, _) = failure(&house.validate(&key, "VM-2", &[("is_computertype", "2")]).await);
    assert_eq!(code, 205);
}

async fn an_address_that_is_no_method_fails_as_one(app: TestApp) {
    let house = House::new(app).await;
    for path in [
        "/qlm/qlmservice.asmx",
        "/qlm/qlmservice.asmx/",
        "/QLMSERVICE.ASMX/a/b",
        "/qlm/qlmservice.asmx/a%20b",
        "/x/qlmregistration.asmx/Other",
    ] {
        let reply = house.app.get(path).await;
        let text = reply.text();
        assert!(reply.status == 404 && text.contains("<error>") && text.contains("PingHttp"), "{path}: {text}");
    }
    // One sign too many is none too few.
    assert!(house.app.get("/qlm/qlmservice.asmx/PingHttp/").await.text().contains("Successfully connected"));
    for (name, value) in
        [("is_features", "-1"), ("is_floating", "-1"), ("is_licensemodel", "-1"), ("is_expdate", "-1"), ("is_computertype", "-1")]
    {
        assert_eq!(house.keys(&format!("{name}={value}"), name).await.len(), 1, "{name}: -1 is absent");
    }
}

async fn what_others_are_called_is_no_failure(app: TestApp) {
    let house = House::new(app).await;
    house.set("enableRevokeLicense", "true").await;
    let press = crate::licensing::ProductCode::parse("press").unwrap();
    let issue = crate::desk::Issue {
        key: Some("TERROR-2041-OLD".parse_key()),
        ..crate::desk::Issue::one(press, crate::licensing::license::Terms::default())
    };
    house.app.desk().issue(&OPERATOR, issue).await.unwrap();
    let key = ("is_avkey", "TERROR-2041-OLD");
    let revoked = house.by("woocommerce", "RevokeLicenseHttp", &[key]).await.text();
    assert!(of(&revoked, "result").is_some() && !revoked.to_lowercase().contains("error"), "{revoked}");
    house.by("woocommerce", "RevokeLicenseHttp", &[key, ("is_revoke", "false")]).await;
    let other = house.keys("", "1").await.remove(0).0;
    for (key, computer) in [("TERROR-2041-OLD", "PC-1"), (other.as_str(), "TERROR-PC")] {
        house.validate(key, computer, &[]).await;
        let freed = house.by("woocommerce", "ReleaseLicenseHttp", &[("is_avkey", key), ("is_pcid", computer)]).await.text();
        assert!(of(&freed, "result").is_some() && !freed.to_lowercase().contains("error"), "{freed}");
    }
}

async fn a_code_without_a_computer_is_for_computers_that_are_there(app: TestApp) {
    let house = House::new(app).await;
    house.app.secret(ANN);
    let key =
        house.ordered("woocommerce", "is_numberofactivationsperkey=3", &[("OrderId", "1"), ("Customer_Email", ANN)]).await.text();
    house.app.secret(key.as_str());
    let ask = async |more: &[(&str, &str)]| {
        let product = [("is_productid", "1"), ("is_majorversion", "1"), ("is_minorversion", "0"), ("is_email", ANN)];
        let said = house.get("RequestAuthorizationCodeForActivationHttp", &[&product[..], more].concat()).await.text();
        house.app.pass_seconds(120);
        said.replace(|c: char| c.is_ascii_digit(), "")
    };
    let codes = async || house.app.desk().messages(&OPERATOR, None, Some(ANN)).await.unwrap().0.len();
    let unknown = ask(&[]).await;
    assert_eq!(codes().await, 0, "it was never on a computer");
    house.validate(&key, "PC-1", &[]).await;
    ask(&[]).await;
    assert_eq!(codes().await, 1);
    // Another license that is on no computer yet changes nothing of that.
    let fresh = house.ordered("woocommerce", "is_features=0:1", &[("OrderId", "2"), ("Customer_Email", ANN)]).await.text();
    house.app.secret(fresh.as_str());
    house.app.pass_seconds(3_700);
    ask(&[]).await;
    assert_eq!(codes().await, 2);
    assert!(unknown.contains("<result>"), "answered alike: {unknown}");
    // A wrong property quotes the caller: no signature is spent on it.
    let odd = ask(&[("is_pcid", "PC-2"), ("is_pp", "no property")]).await;
    assert!(odd.contains("<error>") && !odd.contains("<Signature "), "{odd}");
}

async fn consent_is_taken_back_by_a_button(app: TestApp) {
    let house = House::new(app).await;
    house.app.secret(ANN);
    let key = house.ordered("woocommerce", "", &[("OrderId", "1"), ("Customer_Email", ANN)]).await.text();
    house.app.secret(key.as_str());
    let email = Email::parse(ANN).unwrap();
    house.app.desk().set_agreement(email.clone(), crate::store::Agreement::Consent, true).await.unwrap();
    let consents = async || house.app.desk().customer(&OPERATOR, &email).await.unwrap().0.consent.is_some();
    let withdraw = [("is_avkey", key.as_str()), ("is_email", ANN), ("is_consent", "0")];
    let opened = house.get("UpdatePrivacyConsentHttp", &withdraw).await;
    assert_eq!(
        (opened.status.as_u16(), opened.header("location")),
        (303, format!("/mail/withdraw?email=ann%40customer.example&key={key}").as_str())
    );
    assert!(house.app.get(opened.header("location")).await.text().contains("Take it back") && consents().await);
    // As the method itself asks for a key of theirs, so does the page.
    for other in ["", "UNKNOWN-KEY-1"] {
        assert_eq!(house.app.post("/mail/withdraw", &[("email", ANN), ("key", other)]).await.status, 404);
        assert!(consents().await);
    }
    assert!(house.app.post("/mail/withdraw", &[("email", ANN), ("key", &key)]).await.text().contains("Done"));
    assert!(!consents().await);
    assert_eq!(house.app.get("/mail/withdraw?email=nobody").await.status, 404);
}

async fn a_stranger_puts_no_words_into_a_trials_letter(app: TestApp) {
    let house = House::new(app).await;
    house.app.secret(ANN);
    let (office, port) = PostOffice::open().await;
    for (name, value) in [
        ("smtpServer", format!("127.0.0.1:{port}").as_str()),
        ("smtpSecurity", "none"),
        ("mailFrom", "shop@vendor.example"),
        ("enableTrialRegistration", "true"),
    ] {
        house.set(name, value).await;
    }
    house.app.secret("shop@vendor.example");
    house.app.desk().put_template(&OPERATOR, "NewOrder", "Hello %FullName%", "Dear %FullName%, %ActivationKey%").await.unwrap();
    let asked = [
        ("is_productid", "1"),
        ("is_majorversion", "1"),
        ("is_minorversion", "0"),
        ("is_email", ANN),
        ("is_fullname", "win a prize at https://evil.example"),
    ];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish();
    let said = house.app.get(&format!("/qlm/QlmCustomerSite/qlmregistration.asmx/Register?{query}")).await.text();
    assert!(of(&said, "result").is_some(), "{said}");
    house.app.desk().send_messages().await.unwrap();
    let letter = office.letters().pop().unwrap();
    assert!(letter.text.starts_with("Dear , ") && !letter.headers.contains("prize"), "{} {}", letter.headers, letter.text);
    let key = letter.text.trim_start_matches("Dear , ").trim().to_owned();
    house.app.secret(key.as_str());
    // Nor into the next one; staff reads who asked.
    house
        .app
        .desk()
        .put_template(&OPERATOR, "RequestKeys", "Keys of %FullName%", "Dear %FullName%, %ActivationKey%")
        .await
        .unwrap();
    house.app.post("/lost-key", &[("email", ANN)]).await;
    house.app.desk().send_messages().await.unwrap();
    let letter = office.letters().pop().unwrap();
    assert!(letter.text.starts_with("Dear , ") && !letter.headers.contains("prize"), "{} {}", letter.headers, letter.text);
    assert!(house.license_of(&key).await.note.contains("Asked for in the name of win a prize"));
}

async fn links_of_old_lead_to_our_pages(app: TestApp) {
    let house = House::new(app).await;
    for (path, page) in [
        ("/qlm/QlmCustomerSite/default.aspx", "/"),
        ("/qlm/QlmCustomerSiteNetCore/index.html", "/"),
        ("/qlm/QlmCustomerSite/QlmResetPassword.aspx", "/lost-key"),
        ("/qlm/QlmPortal/QlmPortal.aspx", "/vendor"),
        ("/x/QlmPortalNetCore/QlmPortal", "/vendor"),
        ("/x/qlmcustomerportal/qlm-portal-app", "/"),
        (
            "/qlm/qlmcustomersite/qlmwebactivation.aspx?is_file=1&is_avkey=K&is_pcid=PC-1&is_productid=1&is_majorversion=2&is_minorversion=0",
            "/activate/file?key=K&device_id=PC-1&product=1&major=2&minor=0",
        ),
    ] {
        let reply = house.app.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, page), "{path}");
    }
    // PayPal's addresses, all of which it may have been told.
    for path in [
        "/q/qlmpaypalipn.aspx",
        "/q/QlmLicenseServerNetCore/api/PayPalIpn/notify",
        "/q/QlmLicenseServerNetCore/api/v1/PayPalIpn/notify",
    ] {
        assert_eq!(house.app.post(path, &[("txn_type", "x")]).await.status, 401, "{path}: there is no extension for it");
    }
}
