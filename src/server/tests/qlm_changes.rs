//! Orders and what becomes of them: upgraded, renewed, sent twice, sold by a reseller, named as each shop names them.

use super::{
    TestApp,
    licensespring::OPERATOR,
    qlm_clients::{House, PASSWORD, PRODUCT, SHOWN, of, taken},
};
use crate::{
    desk::{ExtensionEdit, NewExtension, PropertyEdit},
    licensing::license::LicenseState,
};

tests! {
    both:
        an_upgrade_takes_the_place_of_what_it_was,
        what_a_shop_sends_twice_is_done_once,
        an_upgrade_and_a_renewal_at_one_moment_lose_nothing,
        a_reseller_sees_and_changes_what_it_sold;
    once:
        an_upgrade_makes_its_buyer_the_customer_of_what_was_nobodys,
        shops_name_the_parts_of_an_order_as_the_vendor_says,
        an_order_counts_from_the_day_it_was_placed;
}

async fn an_upgrade_takes_the_place_of_what_it_was(app: TestApp) {
    let house = House::new(app).await;
    let base = format!("is_vendor=woocommerce&{SHOWN}");
    let order = |id: &'static str| [("OrderId", id), ("SubscriptionId", "S-1"), ("is_quantity", "1")];
    let key =
        taken(&house.post("GetActivationKey", &format!("{base}&{PRODUCT}&is_numberofactivationsperkey=5"), &order("100")).await);
    let key = key.unwrap();
    assert_eq!(house.license(&key).await.terms.seats.most(), Some(5));
    let to = |key: &str, product: u8| format!("{base}&is_avkey={key}&is_productid={product}&is_majorversion=2&is_minorversion=0");
    // A shop says with every order how many were bought: that is one upgrade, not one computer.
    let (one, two) = (order("102"), order("102"));
    let (first, second) = (to(&key, 2), to(&key, 2));
    let (one, two) = tokio::join!(house.post("UpgradeLicense", &first, &one), house.post("UpgradeLicense", &second, &two));
    let (one, two) = (taken(&one).unwrap(), taken(&two).unwrap());
    assert_eq!(one, two, "twice at one time is one upgrade");
    // The order that sold the old one is answered with what it became.
    let bought = format!("{base}&{PRODUCT}&is_numberofactivationsperkey=5");
    assert_eq!(taken(&house.post("GetActivationKey", &bought, &order("100")).await).unwrap(), one);
    let better = house.license(&one).await;
    assert_eq!((better.terms.seats.most(), better.seats_taken), (Some(5), 0));
    // Another wish for the old key is not answered with what the first one made.
    let refused = taken(&house.post("UpgradeLicense", &to(&key, 1), &order("103")).await).unwrap_err();
    assert!(refused.contains("by its new key"), "{refused}");
    // Refunded, by the number of the upgrade or of what was bought first, it is the new key that ends; and comes back, alone.
    for number in ["102", "100"] {
        let named = [("OrderId", number)];
        assert!(taken(&house.post("RevokeLicenseHttp", &base, &named).await).unwrap().contains(&one));
        assert!(matches!(house.license(&one).await.state, LicenseState::Disabled { .. }), "{number}");
        assert!(taken(&house.post("RevokeLicenseHttp", &format!("{base}&is_revoke=false"), &named).await).is_ok());
        assert!(matches!(house.license(&one).await.state, LicenseState::Enabled), "{number}");
    }
    let by_subscription = [("SubscriptionId", "S-1")];
    assert!(taken(&house.post("RevokeLicenseHttp", &base, &by_subscription).await).is_ok());
    assert!(taken(&house.post("RevokeLicenseHttp", &format!("{base}&is_revoke=false"), &by_subscription).await).is_ok());
    assert!(matches!(house.license(&key).await.state, LicenseState::Disabled { .. }), "what was upgraded stays so");
    let by_old_key = format!("{base}&is_avkey={key}&is_expdate=2030-01-31");
    house.post("UpdateLicenseHttp", &by_old_key, &[]).await;
    assert_eq!(house.license(&one).await.terms.expiry.on.unwrap().plus_seconds(-1).date().to_string(), "2030-01-31");
    // A fixed address of the shop goes on to name the product that was sold first, or names the one it became.
    for number in [1, 2] {
        let named = format!("{base}&is_productid={number}&is_majorversion=1&is_minorversion=0");
        for more in ["", "&is_revoke=false"] {
            let text = taken(&house.post("RevokeLicenseHttp", &format!("{named}{more}"), &[("OrderId", "100")]).await).unwrap();
            assert!(text.contains(&one), "{number}: {text}");
        }
    }
    // Upgraded once more, by its own key.
    let best = taken(&house.post("UpgradeLicense", &to(&one, 1), &order("104")).await).unwrap();
    assert!(taken(&house.post("RevokeLicenseHttp", &base, &[("OrderId", "100")]).await).unwrap().contains(&best));
    // A version the product does not have is no license.
    house.license(&best).await;
    house.post("RevokeLicenseHttp", &format!("{base}&is_revoke=false"), &[("OrderId", "104")]).await;
    house.app.release("press", "1.0", house.app.now(), "", "https://example.com").await;
    let refused = taken(&house.post("UpgradeLicense", &to(&best, 1), &order("105")).await).unwrap_err();
    assert!(refused.contains("has no version 2.0"), "{refused}");
    // To an XML caller it is told as XML.
    let xml = format!("is_vendor=qlmauthenticationprovider&{SHOWN}&is_avkey={best}&is_features=0:3");
    let text = house.post("UpgradeLicense", &xml, &[]).await.text();
    house.app.secret(of(&text, "activationKey").unwrap());
    assert!(of(&text, "result").unwrap().starts_with("Successfully upgraded"), "{text}");
}

async fn a_reseller_sees_and_changes_what_it_sold(app: TestApp) {
    let house = House::new(app).await;
    for name in
        ["enableGetLicensesHttp", "enableGetRecentOrders", "enableRetrieveActivationKeyHttp", "enableGetActivationLogHttp"]
    {
        house.set(name, "true").await;
    }
    house.set("getLicensesHttpRequiresStrictAuthentication", "false").await;
    house.set("strictAuthenticationHttpMethods", "").await;
    let edit = ExtensionEdit { affiliate: Some("Nord GmbH".to_owned()), ..ExtensionEdit::default() };
    house.app.desk().edit_extension(&OPERATOR, "zapier", edit).await.unwrap();
    let own = house.key("is_affiliateid=someone", "V-1").await;
    let arguments = format!("is_vendor=zapier&{SHOWN}&{PRODUCT}&is_affiliateid=another");
    let sold = taken(&house.post("GetActivationKey", &arguments, &[("OrderId", "N-1")]).await).unwrap();
    assert_eq!(house.license(&sold).await.terms.qlm.unwrap().affiliate, "Nord GmbH", "it sells in its own name alone");
    let reseller = format!("is_vendor=zapier&{SHOWN}");
    let all = house.get("GetLicensesHttp", &reseller).await;
    assert!(all.contains(&sold) && !all.contains(&own), "{all}");
    assert_eq!(house.get("GetLicensesHttp", &format!("is_vendor=woocommerce&{SHOWN}")).await.matches("<license>").count(), 2);
    let late = house.get("GetRecentOrdersHttp", &reseller).await;
    assert!(late.contains(&sold) && !late.contains(&own), "{late}");
    for (method, more) in [
        ("RetrieveActivationKeyHttp", "is_orderid=V-1".to_owned()),
        ("GetActivationLogHttp", format!("is_avkey={own}")),
        ("RenewSubscriptionHttp", format!("is_avkey={own}&is_expdate=2030-01-01")),
        ("RevokeLicenseHttp", format!("is_avkey={own}")),
        ("UpdateLicenseHttp", format!("is_avkey={own}&is_features=0:1")),
        ("UpgradeLicense", format!("is_avkey={own}&is_features=0:1")),
        ("UpdateUserInformation", format!("is_avkey={own}&email=ann%40customer.example")),
    ] {
        let text = house.get(method, &format!("{reseller}&{more}")).await;
        assert_eq!(of(&text, "errorCode"), Some("203"), "{method}: {text}");
    }
    assert!(house.get("RevokeLicenseHttp", &format!("{reseller}&is_avkey={sold}")).await.contains("<result>"));
    assert!(matches!(house.license(&own).await.state, LicenseState::Enabled));
}

async fn what_a_shop_sends_twice_is_done_once(app: TestApp) {
    let house = House::new(app).await;
    let base = format!("is_vendor=woocommerce&{SHOWN}");
    let key = house.key("is_expdate=2027-01-01&is_licensemodel=subscription", "1").await;
    let end = async || house.license(&key).await.terms.expiry.on.unwrap().plus_seconds(-1).date().to_string();
    let renew = |order: &'static str| {
        let arguments = format!("{base}&is_avkey={key}&is_expduration=31");
        let house = &house;
        async move { taken(&house.post("RenewSubscriptionHttp", &arguments, &[("OrderId", order)]).await).unwrap() }
    };
    let (one, two) = tokio::join!(renew("R-1"), renew("R-1"));
    assert_eq!((one, end().await.as_str()), (two, "2027-02-01"), "the answer was lost, and the shop sent it again");
    renew("R-2").await;
    assert_eq!(end().await, "2027-03-04");
    // Later, the same number is another payment: some shops have one number for all of them.
    house.app.pass_days(2);
    house.app.desk().housekeeping().await.unwrap();
    renew("R-2").await;
    assert_eq!(end().await, "2027-04-04");
    // What says no order may be meant each time.
    for expected in ["2027-05-05", "2027-06-05"] {
        house.post("RenewSubscriptionHttp", &format!("{base}&is_avkey={key}&is_expduration=31"), &[]).await;
        assert_eq!(end().await, expected);
    }
    let plan = async || house.license(&key).await.terms.maintenance.instant(None).unwrap();
    let maintain = async |order: &str| {
        let arguments = format!("{base}&is_avkey={key}&is_maintduration=100");
        taken(&house.post("RenewMaintenancePlan", &arguments, &[("OrderId", order)]).await).unwrap();
        plan().await
    };
    let once = maintain("M-1").await;
    assert_eq!((maintain("M-1").await, maintain("M-2").await), (once, once.plus_days(100)));
    // Of two licenses in one order each is meant, also where the buyer's own field names them.
    let other = house.key("is_expdate=2027-01-01&is_licensemodel=subscription", "2").await;
    let before = plan().await;
    for typed in [&key, &other, &key] {
        let arguments = format!("{base}&is_maintduration=10");
        let fields = [("OrderId", "M-3"), ("custom_referrer", typed.as_str())];
        taken(&house.post("RenewMaintenancePlan", &arguments, &fields).await).unwrap();
    }
    assert_eq!(plan().await, before.plus_days(10));
    assert!(house.license(&other).await.terms.maintenance.instant(None).is_some());
    // What runs goes on to run in what a license becomes.
    house.set("useDurationToSetExpiryDate", "false").await;
    house.set("useDurationToSetExpiryDateWhenActivating", "true").await;
    let runs = house.key("is_expduration=30&is_licensemodel=subscription", "3").await;
    house.get("ValidateLicenseHttp", &format!("is_avkey={runs}&is_pcid=PC-1")).await;
    let ends = house.license(&runs).await.valid_until();
    house.app.pass_days(20);
    let better =
        taken(&house.post("UpgradeLicense", &format!("{base}&is_avkey={runs}&is_features=0:1"), &[("OrderId", "U-1")]).await);
    assert!(
        ends.is_some() && house.license(&better.unwrap()).await.valid_until() == ends,
        "an upgrade begins no new thirty days"
    );
    // Revoked for not paying and paid for after all: it is good again; not so what staff disabled.
    assert!(taken(&house.post("RevokeLicenseHttp", &format!("{base}&is_avkey={key}"), &[]).await).is_ok());
    renew("R-3").await;
    assert!(matches!(house.license(&key).await.state, LicenseState::Enabled));
    let license = house.license(&key).await.id;
    house.app.desk().disable_license(&OPERATOR, license, "chargeback".to_owned()).await.unwrap();
    renew("R-4").await;
    assert!(matches!(house.license(&key).await.state, LicenseState::Disabled { .. }));
    // What a name stands for may change, and the order is the same order.
    house.set("enableCustomUrlArgs", "true").await;
    let property = async |features: &str| {
        let value = format!("{PRODUCT}&is_features={features}");
        let edit = PropertyEdit { name: "STD".to_owned(), value, for_calls: true };
        house.app.desk().put_property(&OPERATOR, edit).await.unwrap();
    };
    property("0:1").await;
    let order =
        async || taken(&house.post("GetActivationKey", &format!("{base}&is_args=STD"), &[("OrderId", "9")]).await).unwrap();
    let made = order().await;
    house.app.secret(made.clone());
    property("0:7").await;
    assert_eq!(order().await, made);
}

async fn shops_name_the_parts_of_an_order_as_the_vendor_says(app: TestApp) {
    let house = House::new(app).await;
    house.app.secret("bob@customer.example");
    for (name, class) in [("cart", "paymotion"), ("swreg", "swreg"), ("crm", "salesforce"), ("share", "shareit")] {
        let new = NewExtension {
            name: name.to_owned(),
            class: class.to_owned(),
            user: "shop".to_owned(),
            password: Some(PASSWORD.to_owned()),
            api_key: None,
            shared_key: None,
        };
        house.app.desk().add_extension(&OPERATOR, new).await.unwrap();
    }
    let sold = async |vendor: &str, fields: &[(&str, &str)]| {
        let arguments = format!("is_vendor={vendor}&{SHOWN}&{PRODUCT}");
        let key = taken(&house.post("GetActivationKey", &arguments, fields).await).unwrap();
        let license = house.license(&key).await;
        let mut conn = house.app.desk().read().await.unwrap();
        let order = conn.order(license.order.unwrap()).await.unwrap().unwrap().reference;
        let customer = conn.customer(license.customer.unwrap()).await.unwrap().unwrap();
        (order, license.terms.seats.most().unwrap(), customer.name, customer.company)
    };
    // As the class does, in any case.
    let said =
        [("orderNumber", "P-1"), ("Quantity", "3"), ("email", "bob@customer.example"), ("Name", "Bob"), ("company", "Bob & Co")];
    assert_eq!(sold("cart", &said).await, ("P-1".to_owned(), 3, "Bob".to_owned(), "Bob & Co".to_owned()));
    let said = [("ID", "SF-1"), ("email", "bob@customer.example"), ("name", "Robert"), ("company", "Else")];
    assert_eq!(
        sold("crm", &said).await,
        ("SF-1".to_owned(), 1, "Bob".to_owned(), "Bob & Co".to_owned()),
        "a customer who is known is called what they were"
    );
    house.set("updateExistingUserInformation", "true").await;
    let said = [
        ("PURCHASE_ID", "SI-1"),
        ("QUANTITY", "2"),
        ("email", "bob@customer.example"),
        ("firstname", "Bob"),
        ("lastname", "Lee"),
    ];
    assert_eq!(sold("share", &said).await, ("SI-1".to_owned(), 2, "Bob Lee".to_owned(), "Bob & Co".to_owned()));
    // As the vendor says instead.
    let map = house.app.desk().extension_view(&OPERATOR, "cart").await.unwrap().map;
    let mut map: serde_json::Value = serde_json::from_str(&map).unwrap();
    assert_eq!(map["call"]["order"][0], "ordernumber", "it is there to be edited");
    map["call"]["order"] = serde_json::json!(["Belegnummer"]);
    map["call"]["quantity"] = serde_json::json!(["Menge"]);
    let edit = ExtensionEdit { map: Some(map.to_string()), ..ExtensionEdit::default() };
    house.app.desk().edit_extension(&OPERATOR, "cart", edit).await.unwrap();
    let said =
        [("belegNummer", "P-2"), ("MENGE", "4"), ("quantity", "9"), ("orderNumber", "x"), ("email", "bob@customer.example")];
    let (order, seats, ..) = sold("cart", &said).await;
    assert_eq!((order.as_str(), seats), ("P-2", 4));
    let renewed = house.post("RevokeLicenseHttp", &format!("is_vendor=cart&{SHOWN}"), &[("Belegnummer", "P-2")]).await;
    assert!(taken(&renewed).is_ok());
    // SWREG packs it all into one argument, and takes keys between two marks.
    let packed = "pid=1&mj=1&mn=0&vn=swreg&fe=0:3&ur=shop&pw=a password of the shop";
    let reply = house.post("GetActivationKey", "", &[("t", packed), ("o_no", "SW-1"), ("email", "bob@customer.example")]).await;
    let text = reply.text();
    let key = text.strip_prefix("<softshop>").and_then(|rest| rest.strip_suffix("</softshop>")).unwrap();
    assert_eq!(house.license(key).await.terms.qlm.unwrap().features.text(), "0:3;");
    let many = house
        .post("GetActivationKey", "is_quantity=40&is_usemultipleactivationskey=false", &[("t", packed), ("o_no", "SW-2")])
        .await;
    assert!(taken(&many).unwrap_err().contains("more than this shop takes"), "{}", many.text());
    let wrong = house.post("GetActivationKey", "", &[("t", &packed.replace("the shop", "the ship")), ("o_no", "SW-3")]).await;
    assert!(taken(&wrong).is_err());
}

async fn an_order_counts_from_the_day_it_was_placed(app: TestApp) {
    let house = House::new(app).await;
    let day = |days: i64| house.app.now().plus_days(days).date();
    for (order, said, counted_from) in [
        ("1", day(-10).to_string(), day(-10)),
        ("2", format!("{} 23:59:01", day(-3)), day(-3)),
        // None of these is a day that an order was placed on.
        ("3", day(5).to_string(), day(0)),
        ("4", "yesterday".to_owned(), day(0)),
    ] {
        let arguments = format!("is_vendor=woocommerce&{SHOWN}&{PRODUCT}&is_expduration=30");
        let reply = house.post("GetActivationKey", &arguments, &[("OrderId", order), ("OrderDate", &said)]).await;
        let license = house.license(&taken(&reply).unwrap()).await;
        assert_eq!(
            license.terms.expiry.on.unwrap().plus_seconds(-1).date().to_string(),
            counted_from.midnight().plus_days(30).date().to_string(),
            "{said}"
        );
        let kept = house.app.desk().read().await.unwrap().order(license.order.unwrap()).await.unwrap().unwrap();
        assert_eq!(kept.ordered.date(), counted_from, "{said}");
    }
}

async fn an_upgrade_and_a_renewal_at_one_moment_lose_nothing(app: TestApp) {
    let house = House::new(app).await;
    let base = format!("is_vendor=woocommerce&{SHOWN}");
    for round in 0..4 {
        let key = house.key("is_expdate=2027-01-01&is_licensemodel=subscription", &format!("B-{round}")).await;
        let (paid, upgrade) = (format!("R-{round}"), format!("U-{round}"));
        let renewal = format!("{base}&is_avkey={key}&is_expdate=2029-12-31");
        let wish = format!("{base}&is_avkey={key}&is_features=0:1");
        let (paid, upgrade) = ([("OrderId", paid.as_str())], [("OrderId", upgrade.as_str())]);
        let (renewed, upgraded) =
            tokio::join!(house.post("RenewSubscriptionHttp", &renewal, &paid), house.post("UpgradeLicense", &wish, &upgrade));
        // Whichever was too late is told to come again, and does.
        for (told, wanted) in [(&renewed, "upgraded at the same moment"), (&upgraded, "changed at the same moment")] {
            if let Err(refused) = taken(told) {
                assert!(refused.contains(wanted), "{refused}");
            }
        }
        if taken(&renewed).is_err() {
            taken(&house.post("RenewSubscriptionHttp", &renewal, &paid).await).unwrap();
        }
        let newest = taken(&house.post("UpgradeLicense", &wish, &upgrade).await).unwrap();
        assert_ne!(newest, key);
        let license = house.license(&newest).await;
        let last = license.terms.expiry.on.unwrap().plus_seconds(-1).date().to_string();
        assert_eq!(
            (last.as_str(), matches!(license.state, LicenseState::Enabled)),
            ("2029-12-31", true),
            "what was paid is on the key the customer has"
        );
    }
}

async fn an_upgrade_makes_its_buyer_the_customer_of_what_was_nobodys(app: TestApp) {
    let house = House::new(app).await;
    let base = format!("is_vendor=woocommerce&{SHOWN}");
    for address in ["ann@customer.example", "eve@elsewhere.example"] {
        house.app.secret(address);
    }
    let customer = async |key: &str| {
        let id = house.license(key).await.customer?;
        house.app.desk().read().await.unwrap().customer(id).await.unwrap().map(|customer| customer.email.to_string())
    };
    let upgrade = async |key: &str, order: &str, email: &str| {
        let wish = format!("{base}&is_avkey={key}&is_features=0:1");
        taken(&house.post("UpgradeLicense", &wish, &[("OrderId", order), ("Customer_Email", email)]).await).unwrap()
    };
    let key = house.key("", "1").await;
    assert_eq!(customer(&key).await, None);
    let better = upgrade(&key, "U-1", "ann@customer.example").await;
    assert_eq!(customer(&better).await.as_deref(), Some("ann@customer.example"));
    // What is somebody's stays theirs, whoever pays for more.
    let best = upgrade(&better, "U-2", "eve@elsewhere.example").await;
    assert_eq!(customer(&best).await.as_deref(), Some("ann@customer.example"));
    // What is no address costs nobody the upgrade.
    let other = house.key("", "2").await;
    let better = upgrade(&other, "U-3", "nobody").await;
    assert_eq!(customer(&better).await, None);
}
