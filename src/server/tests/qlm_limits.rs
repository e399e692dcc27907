//! What a vendor limits of Quick License Manager's methods: where they are called from, how often computers are activated and seats given
//! back, and what of the refusals is kept.

use axum::{body::Body, extract::ConnectInfo, http::Request};

use super::{
    Reply, TestApp,
    app::{device, urlencoded},
    licensespring::OPERATOR,
    qlm::{House, PASSWORD, ParseKey as _, failure, of},
};

tests! {
    both:
        a_computer_is_activated_so_often_and_no_more,
        seats_are_given_back_so_often_and_no_more,
        a_day_has_so_many_keys_and_so_many_activations;
    once:
        only_some_addresses_call_at_all,
        a_blocked_computer_is_blocked_at_every_door,
        a_computer_has_its_trials_and_no_more,
        another_computers_key_is_noted_or_refused,
        a_refusal_is_kept_once_a_day;
}

const SHOP: [(&str, &str); 3] = [("is_vendor", "woocommerce"), ("is_user", "shop"), ("is_pwd", PASSWORD)];

impl House {
    async fn release(&self, key: &str, computer: &str, more: &[(&str, &str)]) -> Reply {
        self.get("ReleaseLicenseHttp", &[&[("is_avkey", key), ("is_pcid", computer)], &SHOP[..], more].concat()).await
    }

    async fn from(&self, address: &str, path: &str) -> Reply {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::new(address.parse().unwrap(), 9)));
        self.app.send(request).await
    }

    /// The codes of the refusals that are kept of a license, newest first.
    async fn kept(&self, key: &str) -> Vec<String> {
        let license = self.app.desk().license_id(&key.parse_key()).await.unwrap();
        let kept = self.app.desk().read().await.unwrap().attempts_of_license(license, 100).await.unwrap();
        kept.into_iter().map(|one| one.what.code).collect()
    }
}

fn good(reply: &Reply) -> String {
    let text = reply.text();
    assert!(of(&text, "error").is_none() && matches!(of(&text, "status"), Some("2" | "4")), "{text}");
    of(&text, "pckey").unwrap().to_owned()
}

async fn only_some_addresses_call_at_all(app: TestApp) {
    let house = House::new(app).await;
    let ping = "/qlm/qlmservice.asmx/PingHttp";
    house.set("blockIPAddresses", "203.0.113.0/24; 2001:db8::/32").await;
    for (address, answered) in
        [("203.0.113.7", false), ("2001:db8::5", false), ("::ffff:203.0.113.7", false), ("198.51.100.1", true)]
    {
        let reply = house.from(address, ping).await;
        assert_eq!(reply.text().contains("Successfully connected"), answered, "{address}");
        if !answered {
            assert_eq!(failure(&reply).0, 3);
        }
    }
    // Neither does a shop tell of orders from there, nor has a customer a file by the page.
    for path in ["/qlm/qlmservice.asmx/QlmWebHookHandler?is_vendor=WooCommerce", "/qlm/qlmpaypalipn.aspx"] {
        assert_eq!(house.from("203.0.113.7", path).await.status, 403, "{path}");
    }
    let (key, _) = house.keys("", "1").await.remove(0);
    for (path, fields) in [
        ("/activate/file", vec![("key", key.as_str()), ("device_id", "PC-1")]),
        ("/api/shops/0123456789abcdef0123456789abcdef", vec![("order", "1")]),
    ] {
        let mut request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        request = request.header("origin", "http://127.0.0.1:3000");
        let mut request = request.body(urlencoded(&fields)).unwrap();
        request.extensions_mut().insert(ConnectInfo("203.0.113.7:9".parse::<std::net::SocketAddr>().unwrap()));
        let reply = house.app.send(request).await;
        assert!(reply.text().contains("answers nothing from this network address"), "{path}: {}", reply.text());
    }
    house.set("blockIPAddresses", "").await;
    // Methods that only the vendor's own machines call; without any of those, nobody.
    house.set("httpAdminMethods", "GetActivationKeyWithExpiryDate, PINGHTTP").await;
    assert_eq!(failure(&house.from("198.51.100.1", ping).await).0, 3);
    house.set("httpAdminMethodsAllowedIPAddresses", "10.1.0.0/16").await;
    assert_eq!(failure(&house.from("198.51.100.1", ping).await).0, 3);
    assert!(house.from("10.1.2.3", ping).await.text().contains("Successfully connected"));
    let newer = "/x/QlmLicenseServerNetCore/api/v1/QlmApi/pinghttp";
    assert_eq!(failure(&house.from("198.51.100.1", newer).await).0, 3, "by any of its addresses");
    assert_eq!(failure(&house.ordered("woocommerce", "", &[("OrderId", "2")]).await).0, 3);
    good(&house.validate(&key, "PC-1", &[]).await);
    // The pages that do the same are no way around it.
    house.set("httpAdminMethods", "ValidateLicenseHttp,ReleaseLicenseHttp,Register").await;
    house.set("enableTrialRegistration", "true").await;
    house.set("communicationEncryptionKey", "the key of the apps").await;
    house.set("releaseLicenseRequiresAuthentication", "false").await;
    for secret in ["the key of the apps", "ann@customer.example"] {
        house.app.secret(secret);
    }
    for (path, fields) in [
        ("/activate/file", vec![("key", key.as_str()), ("device_id", "PC-2")]),
        ("/release", vec![("key", key.as_str()), ("device_id", "PC-1"), ("code", "0")]),
        ("/trial", vec![("product", "1"), ("email", "ann@customer.example")]),
    ] {
        for (address, refused) in [("198.51.100.1", true), ("10.1.2.3", false)] {
            let mut request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
            request = request.header("origin", "http://127.0.0.1:3000");
            let mut request = request.body(urlencoded(&fields)).unwrap();
            request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::new(address.parse().unwrap(), 9)));
            let text = house.app.send(request).await.text();
            assert_eq!(text.contains("is not called from this network address"), refused, "{path} {address}: {text}");
        }
    }
}

async fn a_blocked_computer_is_blocked_at_every_door(app: TestApp) {
    let house = House::new(app).await;
    let (key, _) = house.keys("is_quantity=5", "1").await.remove(0);
    good(&house.validate(&key, "PC-1", &[]).await);
    // Answered from before, until it is blocked.
    good(&house.validate(&key, "PC-1", &[]).await);
    house.set("blockComputerIDs", "PC-1 || PC-2").await;
    for computer in ["PC-1", "PC-2"] {
        assert_eq!(failure(&house.validate(&key, computer, &[]).await).0, 202, "{computer}");
        let refused = house.app.activate_by_form(&key.parse_key(), computer, &[]).await.unwrap_err();
        assert_eq!(refused.code, "device_blocked");
    }
    good(&house.validate(&key, "PC-3", &[]).await);
    // What staff blocked on one license is another thing, and stays.
    let license = house.app.desk().license_id(&key.parse_key()).await.unwrap();
    house.app.desk().block_device(&OPERATOR, license, &device("PC-4")).await.unwrap();
    house.set("blockComputerIDs", "PC-2").await;
    good(&house.validate(&key, "PC-1", &[]).await);
    for computer in ["PC-2", "PC-4"] {
        assert_eq!(failure(&house.validate(&key, computer, &[]).await).0, 202, "{computer}");
    }
    house.set("blockComputerIDs", "").await;
    good(&house.validate(&key, "PC-2", &[]).await);
    assert_eq!(failure(&house.validate(&key, "PC-4", &[]).await).0, 202);
}

async fn a_computer_is_activated_so_often_and_no_more(app: TestApp) {
    let house = House::new(app).await;
    house.set("maxActivationsPerSystem", "2").await;
    let (key, _) = house.keys("is_quantity=5", "1").await.remove(0);
    let own = good(&house.validate(&key, "VM-1", &[]).await);
    // An app that has its key looks as often as it likes, and so does one that only looks.
    for _ in 0..3 {
        assert_eq!(good(&house.validate(&key, "VM-1", &[("is_pckey", &own)]).await), own);
        good(&house.validate(&key, "VM-1", &[("is_activate", "false")]).await);
    }
    // A clone has none.
    assert_eq!(good(&house.validate(&key, "VM-1", &[]).await), own);
    let reply = house.validate(&key, "VM-1", &[]).await;
    let (number, message) = failure(&reply);
    assert!(number == 214 && message.contains("can be activated twice by a license"), "{message}");
    assert!(reply.text().contains("<Signature "));
    assert_eq!(failure(&house.validate(&key, "VM-1", &[("is_pckey", "J00000")]).await).0, 214, "a key that is none is none");
    good(&house.validate(&key, "VM-1", &[("is_pckey", &own)]).await);
    good(&house.validate(&key, "VM-2", &[]).await);
    assert_eq!(house.kept(&key).await, ["too_many_on_system"]);
    // Giving the seat back in between changes nothing.
    assert!(house.release(&key, "VM-2", &[]).await.text().contains("<result>"));
    good(&house.validate(&key, "VM-2", &[]).await);
    assert!(house.release(&key, "VM-2", &[]).await.text().contains("<result>"));
    assert_eq!(failure(&house.validate(&key, "VM-2", &[]).await).0, 214);
    // Staff sets a computer free for good.
    let license = house.app.desk().license_id(&key.parse_key()).await.unwrap();
    house.app.desk().release_device(&OPERATOR, license, &device("VM-1")).await.unwrap();
    good(&house.validate(&key, "VM-1", &[]).await);
    house.set("maxActivationsEnforcedOnVMsOnly", "true").await;
    good(&house.validate(&key, "VM-2", &[]).await);
    assert_eq!(failure(&house.validate(&key, "VM-2", &[("is_computertype", "2")]).await).0, 214);
    // At the same time as well: of ten who come at once as many get it as may.
    house.set("maxActivationsEnforcedOnVMsOnly", "false").await;
    let at_once = (0..10).map(|_| house.validate(&key, "VM-9", &[]));
    let replies = futures::future::join_all(at_once).await;
    assert_eq!(replies.iter().filter(|reply| of(&reply.text(), "error").is_none()).count(), 2);
}

async fn a_computer_has_its_trials_and_no_more(app: TestApp) {
    let house = House::new(app).await;
    let (mut trials, mut others) = (Vec::new(), Vec::new());
    for n in 0..4 {
        let arguments = "is_licensemodel=trial&is_expdate=2090-01-01&is_quantity=3";
        trials.push(house.keys(arguments, &format!("trial {n}")).await.remove(0).0);
        others.push(house.keys("is_quantity=3", &format!("sold {n}")).await.remove(0).0);
    }
    // A number that is not enforced limits nothing.
    house.set("numberOfTrialLicensesAllowedPerClient", "1").await;
    good(&house.validate(&trials[0], "PC-1", &[("is_computer_name", "Anna")]).await);
    good(&house.validate(&trials[1], "PC-1", &[("is_computer_name", "Anna")]).await);
    house.set("enforceMaxTrialsWhenActivating", "true").await;
    let (number, message) = failure(&house.validate(&trials[2], "PC-1", &[("is_computer_name", "Anna")]).await);
    assert!(number == 213 && message.contains("can have 1 trial license of this product"), "{message}");
    good(&house.validate(&others[0], "PC-1", &[]).await);
    good(&house.validate(&trials[0], "PC-1", &[]).await);
    good(&house.validate(&trials[2], "PC-2", &[]).await);
    // Under another name it is another computer, unless ids alone count.
    good(&house.validate(&trials[3], "PC-1", &[("is_computer_name", "Berta")]).await);
    assert!(house.release(&trials[3], "PC-1", &[]).await.text().contains("<result>"));
    house.set("enforceMaxTrialsMatchComputerIDOnly", "true").await;
    assert_eq!(failure(&house.validate(&trials[3], "PC-1", &[("is_computer_name", "Clara")]).await).0, 213);
    // A trial that was disabled counts only where the vendor says so.
    let license = house.app.desk().license_id(&trials[2].parse_key()).await.unwrap();
    house.app.desk().disable_license(&OPERATOR, license, "tried enough".to_owned()).await.unwrap();
    house.set("countRevokedTrials", "true").await;
    assert_eq!(failure(&house.validate(&trials[0], "PC-2", &[]).await).0, 213);
    house.set("countRevokedTrials", "false").await;
    good(&house.validate(&trials[0], "PC-2", &[]).await);
}

async fn another_computers_key_is_noted_or_refused(app: TestApp) {
    let house = House::new(app).await;
    let (key, _) = house.keys("is_quantity=5", "1").await.remove(0);
    let one = good(&house.validate(&key, "PC-1", &[]).await);
    let two = good(&house.validate(&key, "PC-2", &[]).await);
    assert_eq!(house.kept(&key).await, [""; 0]);
    // It is let pass and noted, also where a free computer comes with it.
    assert_eq!(good(&house.validate(&key, "PC-2", &[("is_pckey", &one)]).await), two);
    good(&house.validate(&key, "PC-3", &[("is_pckey", &one)]).await);
    assert_eq!(house.kept(&key).await, ["illegal_computer", "illegal_computer"]);
    house.app.pass_days(1);
    house.set("requireComputerKeyMatchWhenValidatingOnServer", "true").await;
    assert_eq!(failure(&house.validate(&key, "PC-2", &[("is_pckey", &one)]).await).0, 225);
    assert_eq!(house.kept(&key).await, ["computer_key_mismatch", "illegal_computer", "illegal_computer"]);
    // As it was given, with dashes or without.
    let dashed = format!("{}-{}", &two[..5], &two[5..]);
    assert_eq!(good(&house.validate(&key, "PC-2", &[("is_pckey", &dashed)]).await), two);
    good(&house.validate(&key, "PC-2", &[]).await);
}

async fn seats_are_given_back_so_often_and_no_more(app: TestApp) {
    let house = House::new(app).await;
    house.set("enableUpgradeLicense", "true").await;
    let (key, _) = house.keys("is_quantity=2", "1").await.remove(0);
    house.set("preventDeactivationPeriod", "10").await;
    good(&house.validate(&key, "PC-1", &[]).await);
    let (number, message) = failure(&house.release(&key, "PC-1", &[]).await);
    assert!(number == 212 && message.contains("Release it after"), "{message}");
    house.app.pass_seconds(600);
    assert!(house.release(&key, "PC-1", &[]).await.text().contains("<result>"));
    house.set("preventDeactivationPeriod", "0").await;
    // One for each of two seats: one is used up.
    house.set("maxReleaseCount", "1").await;
    good(&house.validate(&key, "PC-2", &[]).await);
    assert!(house.release(&key, "PC-2", &[]).await.text().contains("<result>"));
    good(&house.validate(&key, "PC-2", &[]).await);
    let (number, message) = failure(&house.release(&key, "PC-2", &[]).await);
    assert!(number == 212 && message.contains("That can be done twice."), "{message}");
    // Saying that it is not to be counted is for apps that float.
    assert!(house.release(&key, "PC-2", &[("is_logRelease", "maybe")]).await.text().contains("is_logrelease"));
    // Only the last days count.
    house.set("maxReleasePeriodInDays", "30").await;
    house.app.pass_days(31);
    assert!(house.release(&key, "PC-2", &[]).await.text().contains("<result>"));
    // A license has limits of its own.
    let edit = async |more: &[(&str, &str)]| {
        let reply = house.get("UpdateLicenseHttp", &[&[("is_avkey", key.as_str())], &SHOP[..], more].concat()).await;
        reply.text()
    };
    assert!(edit(&[("is_maxreleasecount", "0")]).await.contains("Successfully updated"));
    good(&house.validate(&key, "PC-3", &[]).await);
    assert_eq!(failure(&house.release(&key, "PC-3", &[]).await).0, 212);
    assert!(edit(&[("is_maxreleasecount", "-3")]).await.contains("-2 for the server"));
    assert!(edit(&[("is_maxreleasecount", "-1")]).await.contains("Successfully updated"));
    assert!(house.release(&key, "PC-3", &[]).await.text().contains("<result>"));
    // And a computer so many.
    house.set("maxReleasePerClient", "1").await;
    good(&house.validate(&key, "PC-3", &[]).await);
    assert_eq!(failure(&house.release(&key, "PC-3", &[]).await).0, 212);
    house.set("historyTableLogRelease", "false").await;
    assert!(house.release(&key, "PC-3", &[]).await.text().contains("<result>"));
    // What floats takes and gives all day, and says so.
    house.set("historyTableLogRelease", "true").await;
    let (floats, _) = house.keys("is_licensemodel=permanent_cloud&is_quantity=2", "2").await.remove(0);
    for _ in 0..3 {
        good(&house.validate(&floats, "PC-1", &[]).await);
        let text = house.release(&floats, "PC-1", &[("is_logRelease", "false")]).await.text();
        assert!(text.contains("<result>"), "{text}");
    }
    // Of one's own days as well, whatever the server counts.
    house.set("maxReleasePerClient", "-1").await;
    let (own, _) = house.keys("", "3").await.remove(0);
    let limits = [("is_avkey", own.as_str()), ("is_maxreleasecount", "1"), ("is_maxreleaseperiod", "5")];
    let edited = house.get("UpdateLicenseHttp", &[&limits[..], &SHOP[..]].concat()).await.text();
    assert!(edited.contains("Successfully updated"), "{edited}");
    good(&house.validate(&own, "PC-1", &[]).await);
    assert!(house.release(&own, "PC-1", &[]).await.text().contains("<result>"));
    good(&house.validate(&own, "PC-1", &[]).await);
    assert_eq!(failure(&house.release(&own, "PC-1", &[]).await).0, 212);
    house.app.pass_days(6);
    assert!(house.release(&own, "PC-1", &[]).await.text().contains("<result>"));
    house.set("maxReleasePerClient", "1").await;
    // Staff is not limited.
    let license = house.app.desk().license_id(&key.parse_key()).await.unwrap();
    good(&house.validate(&key, "PC-3", &[]).await);
    assert_eq!(failure(&house.release(&key, "PC-3", &[]).await).0, 212);
    house.app.desk().release_device(&OPERATOR, license, &device("PC-3")).await.unwrap();
}

async fn a_day_has_so_many_keys_and_so_many_activations(app: TestApp) {
    let house = House::new(app).await;
    house.set("maxNewKeysPerDay", "5").await;
    let order = [("OrderId", "1")];
    let separate = "is_usemultipleactivationskey=false&is_quantity=3";
    let keys = house.keys(separate, "1").await;
    assert_eq!(keys.len(), 3);
    let (number, message) = failure(&house.ordered("woocommerce", separate, &[("OrderId", "2")]).await);
    assert!(number == 1 && message.contains("Nothing was made"), "{message}");
    // The same order again makes none, and a smaller one has room.
    assert_eq!(house.ordered("woocommerce", separate, &order).await.text().lines().count(), 3);
    house.keys("is_quantity=9", "3").await;
    let at_once = (10..15).map(|n| house_keys(&house, n));
    let made = futures::future::join_all(at_once).await;
    assert_eq!(made.into_iter().filter(|made| *made).count(), 1, "of five at once the last key of the day");
    house.app.issue("press", crate::licensing::license::Terms::default()).await;
    house.app.pass_days(1);
    house.keys(separate, "2").await;

    house.set("maxActivationsPerDay", "3").await;
    let key = &keys[0].0;
    house.set("enableUpgradeLicense", "true").await;
    let more = [&[("is_avkey", key.as_str()), ("is_quantity", "50")], &SHOP[..]].concat();
    assert!(house.get("UpdateLicenseHttp", &more).await.text().contains("Successfully"));
    good(&house.validate(key, "PC-1", &[]).await);
    for _ in 0..5 {
        good(&house.validate(key, "PC-1", &[]).await);
    }
    let names: Vec<String> = (2..12).map(|n| format!("PC-{n}")).collect();
    let replies = futures::future::join_all(names.iter().map(|name| house.validate(key, name, &[]))).await;
    let (given, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| of(&reply.text(), "error").is_none());
    assert_eq!((given.len(), refused.len()), (2, 8));
    let (number, message) = failure(refused[0]);
    assert!(number == 1 && message.contains("No more activations today"), "{message}");
    // Nothing of it stays: the seats are free, and a computer that was refused is none of the license's.
    let license = house.app.desk().license_id(&key.parse_key()).await.unwrap();
    assert_eq!(house.app.desk().read().await.unwrap().activations(license, 100).await.unwrap().len(), 3);
    house.app.pass_days(1);
    good(&house.validate(key, "PC-99", &[]).await);
}

async fn house_keys(house: &House, order: u32) -> bool {
    let reply = house.ordered("woocommerce", "", &[("OrderId", &order.to_string())]).await;
    let text = reply.text();
    house.app.secret(text.clone());
    !text.contains("<error>")
}

async fn a_refusal_is_kept_once_a_day(app: TestApp) {
    let house = House::new(app).await;
    let (key, _) = house.keys("", "1").await.remove(0);
    good(&house.validate(&key, "PC-1", &[]).await);
    assert_eq!(house.kept(&key).await, [""; 0]);
    for _ in 0..3 {
        assert_eq!(failure(&house.validate(&key, "PC-2", &[]).await).0, 207);
    }
    assert_eq!(failure(&house.validate(&key, "PC-3", &[]).await).0, 207);
    assert_eq!(house.kept(&key).await, ["seats_exhausted", "seats_exhausted"], "one a computer");
    // What only looks is told, and nothing is kept of it.
    assert_eq!(failure(&house.validate(&key, "PC-4", &[("is_activate", "false")]).await).0, 219);
    assert_eq!(house.kept(&key).await.len(), 2);
    house.app.pass_days(1);
    let license = house.app.desk().license_id(&key.parse_key()).await.unwrap();
    house.app.desk().disable_license(&OPERATOR, license, "refund".to_owned()).await.unwrap();
    for computer in ["PC-1", "PC-1", "PC-2"] {
        assert_eq!(failure(&house.validate(&key, computer, &[]).await).0, 201);
    }
    assert_eq!(house.kept(&key).await[..2], ["license_disabled", "license_disabled"]);
    // Whoever knows the key can make up computers, and fills no table.
    for n in 0..60 {
        assert_eq!(failure(&house.validate(&key, &format!("made-up-{n}"), &[]).await).0, 201);
    }
    assert_eq!(house.kept(&key).await.len(), 2 + 50);
    // Staff reads through which door it came.
    let page = house.app.desk().read().await.unwrap().attempts_of_license(license, 1).await.unwrap().remove(0);
    assert_eq!((page.what.door.as_str(), page.what.product_code.as_deref()), ("qlm", Some("press")));
}
