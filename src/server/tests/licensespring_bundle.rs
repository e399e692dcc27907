//! Bundles through LicenseSpring's API: several products under one key, activated together or not at all.

use serde_json::{Value, json};

use super::{
    Reply, TestApp,
    foreign::ForeignApp,
    licensespring::{OPERATOR, code, public_key, seats, signed},
};
use crate::{
    desk::{Issue, Issued, UserPassword},
    licensing::{
        ActivationKey, DeviceId, Email, ProductCode,
        files::{base64, licensespring::response::v1_message},
        license::{Floating, Limit, Terms},
    },
    vault::verify_rsa,
};

tests! {
    both:
        a_bundle_is_activated_together_or_not_at_all,
        a_request_file_of_a_bundle_is_answered_with_every_license_or_none,
        a_floating_part_takes_its_slot_with_the_check;
    once:
        every_part_is_signed_by_itself_and_all_of_them_together,
        a_bundle_is_given_back_as_far_as_it_is_held,
        a_user_has_a_bundle_too,
        a_code_is_a_products_or_a_bundles;
}

fn parsed(code: &str) -> ProductCode {
    ProductCode::parse(code).unwrap()
}

/// "office", of "write" and "count".
async fn office(app: &TestApp) {
    app.product("write").await;
    app.product("count").await;
    let products = [parsed("write"), parsed("count")];
    app.desk().add_bundle(&OPERATOR, &parsed("office"), "Office", &products).await.unwrap();
}

async fn issued(app: &TestApp, terms: Terms) -> (Issued, ActivationKey) {
    let issued = app.desk().issue(&OPERATOR, Issue::one(parsed("office"), terms)).await.unwrap();
    let key = issued.licenses[0].key.clone().unwrap();
    app.secret(key.text());
    (issued, key)
}

fn about(key: &ActivationKey, hardware: &str) -> Value {
    json!({ "product": "office", "hardware_id": hardware, "license_key": key.text() })
}

async fn check(app: &TestApp, foreign: &ForeignApp, key: &ActivationKey, hardware: &str) -> Reply {
    let text = key.text();
    let query = [("product", "office"), ("hardware_id", hardware), ("license_key", text.as_str())];
    foreign.get(app, "/check_bundle", &query).await
}

async fn a_bundle_is_activated_together_or_not_at_all(app: TestApp) {
    office(&app).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let (issued, key) = issued(&app, seats(2)).await;
    assert_eq!(issued.licenses.len(), 2);
    assert!(issued.licenses.iter().all(|license| license.key.as_ref() == Some(&key)), "one key");
    assert_eq!(code(&check(&app, &foreign, &key, "HW-1").await), "license_not_active");
    for _ in 0..2 {
        let rows = signed(&app, &foreign.post(&app, "/activate_bundle", about(&key, "HW-1")).await).await;
        let codes: Vec<&str> =
            rows.as_array().unwrap().iter().map(|row| row["product_details"]["short_code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["write", "count"], "in the bundle's order");
        assert!(rows.as_array().unwrap().iter().all(|row| row["times_activated"] == 1));
    }
    assert_eq!(signed(&app, &check(&app, &foreign, &key, "HW-1").await).await.as_array().unwrap().len(), 2);
    // Of the second product no seat is left: the first is not taken either.
    let second = issued.licenses[1].id;
    let one = json!({ "product": "count", "hardware_id": "HW-2", "license_key": key.text(), "bundle_code": "office" });
    assert_eq!(foreign.post(&app, "/activate_license", one).await.status, 200);
    assert_eq!(code(&foreign.post(&app, "/activate_bundle", about(&key, "HW-3")).await), "license_activated_max_times");
    let taken = async |id| app.desk().license_view(&OPERATOR, id).await.unwrap().license.seats_taken;
    assert_eq!((taken(issued.licenses[0].id).await, taken(second).await), (1, 2));
    // One part that is not good makes the whole not good.
    app.desk().disable_license(&OPERATOR, second, "asked for".to_owned()).await.unwrap();
    assert_eq!(code(&check(&app, &foreign, &key, "HW-1").await), "license_not_enabled");
    for (body, expected) in [
        (json!({ "product": "write", "hardware_id": "HW-1", "license_key": key.text() }), "unknown_product"),
        (json!({ "product": "office", "hardware_id": "HW-1", "license_key": "00000-00000-00000-00000" }), "license_not_found"),
        (json!({ "product": "office", "license_key": key.text() }), "missing_hardware_id"),
    ] {
        assert_eq!(code(&foreign.post(&app, "/activate_bundle", body.clone()).await), expected, "{body}");
    }
    let one = ForeignApp::new(&app, Some(vec!["write".to_owned()]), false).await;
    assert_eq!(code(&check(&app, &one, &key, "HW-1").await), "api_key_product_not_allowed");
}

async fn a_floating_part_takes_its_slot_with_the_check(app: TestApp) {
    office(&app).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let floating = Terms { seats: Limit::Unlimited, floating: Some(Floating { slots: 1, borrow_hours: 0 }), ..Terms::default() };
    let (_, key) = issued(&app, floating).await;
    for hardware in ["HW-1", "HW-2"] {
        assert_eq!(foreign.post(&app, "/activate_bundle", about(&key, hardware)).await.status, 200);
    }
    let rows = signed(&app, &check(&app, &foreign, &key, "HW-1").await).await;
    assert!(rows.as_array().unwrap().iter().all(|row| row["floating_in_use_devices"] == 1), "{rows}");
    assert_eq!(code(&check(&app, &foreign, &key, "HW-2").await), "floating_not_available");
}

async fn every_part_is_signed_by_itself_and_all_of_them_together(app: TestApp) {
    office(&app).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let (_, key) = issued(&app, seats(1)).await;
    let activated = foreign.post(&app, "/activate_bundle", about(&key, "HW-1")).await;
    let checked = check(&app, &foreign, &key, "HW-1").await;
    let public = public_key(&app).await;
    for reply in [activated, checked] {
        // Over the whole array: `signed` checks the header.
        for row in signed(&app, &reply).await.as_array().unwrap() {
            let validity = row["validity_period"].as_str().unwrap_or_default();
            let signature = base64::from_standard(row["license_signature"].as_str().unwrap()).unwrap();
            assert!(verify_rsa(&public, v1_message("HW-1", &key.text(), validity).as_bytes(), &signature));
        }
    }
}

async fn a_bundle_is_given_back_as_far_as_it_is_held(app: TestApp) {
    office(&app).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let (issued, key) = issued(&app, seats(1)).await;
    foreign.post(&app, "/activate_bundle", about(&key, "HW-1")).await;
    let device = DeviceId::parse("HW-1").unwrap();
    app.desk().release_device(&OPERATOR, issued.licenses[0].id, &device).await.unwrap();
    let given = foreign.post(&app, "/deactivate_bundle", about(&key, "HW-1")).await;
    assert_eq!((given.status.as_u16(), given.text().as_str()), (200, "license_deactivated"));
    assert_eq!(app.desk().license_view(&OPERATOR, issued.licenses[1].id).await.unwrap().license.seats_taken, 0);
    assert_eq!(code(&foreign.post(&app, "/deactivate_bundle", about(&key, "HW-1")).await), "license_not_active");
}

async fn a_user_has_a_bundle_too(app: TestApp) {
    office(&app).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    for secret in ["bob@customer.example", "first password of bob"] {
        app.secret(secret);
    }
    let issue = Issue::one(parsed("office"), seats(1));
    let users = vec![Email::parse("bob@customer.example").unwrap()];
    let user_password = UserPassword::Given("first password of bob".to_owned());
    let issued = app.desk().issue(&OPERATOR, Issue { users, user_password, ..issue }).await.unwrap();
    app.secret(issued.licenses[0].key.as_ref().unwrap().text());
    let body = |password: &str| json!({ "product": "office", "hardware_id": "HW-1", "username": "bob@customer.example", "password": password });
    assert_eq!(code(&foreign.post(&app, "/activate_bundle", body("a guess")).await), "user_credentials_invalid");
    let rows = signed(&app, &foreign.post(&app, "/activate_bundle", body("first password of bob")).await).await;
    assert!(
        rows.as_array().unwrap().iter().all(|row| row["user"]["email"] == "bob@customer.example" && row["username"].is_string())
    );
}

async fn a_code_is_a_products_or_a_bundles(app: TestApp) {
    office(&app).await;
    let products = [parsed("write"), parsed("count")];
    let add = async |code: &str, products: &[ProductCode]| {
        super::app::code(app.desk().add_bundle(&OPERATOR, &parsed(code), "Another", products).await)
    };
    assert_eq!(add("Office", &products).await, "taken");
    assert_eq!(add("write", &products).await, "taken");
    assert_eq!(add("new", &products[..1]).await, "bad_field");
    assert_eq!(add("new", &[parsed("write"), parsed("Write")]).await, "bad_field");
    assert_eq!(add("new", &[parsed("write"), parsed("none")]).await, "bad_field");
    let new = crate::store::NewProduct {
        code: parsed("OFFICE"),
        number: None,
        name: "Office".to_owned(),
        authorization: crate::licensing::product::Authorization::Key,
        rules: crate::licensing::product::ProductRules::default(),
    };
    assert_eq!(super::app::code(app.desk().add_product(&OPERATOR, new).await), "taken");
    // Terms that belong to one product belong to no bundle.
    let with_policy = Issue { policy: Some("class".to_owned()), ..Issue::one(parsed("office"), seats(1)) };
    assert_eq!(super::app::code(app.desk().issue(&OPERATOR, with_policy).await), "bad_field");
    let with_id = Issue { id: Some(crate::licensing::LicenseId(7)), ..Issue::one(parsed("office"), seats(1)) };
    assert_eq!(super::app::code(app.desk().issue(&OPERATOR, with_id).await), "bad_field");
}

/// The file of an app on a machine without network, for the whole bundle.
fn file(foreign: &ForeignApp, act: &str, key: &ActivationKey, hardware: &str, id: &str) -> Value {
    let more = json!({ "license_key": key.text(), "request_id": id, "bundle_code": "office" });
    json!({ "Payload": String::from_utf8(foreign.v2(act, "write", hardware, more)).unwrap() })
}

async fn a_request_file_of_a_bundle_is_answered_with_every_license_or_none(app: TestApp) {
    office(&app).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let (issued, key) = issued(&app, seats(1)).await;
    let bring = async |act: &str, hardware: &str, id: &str| {
        let path = format!("/{}_bundle_offline", if act == "activation" { "activate" } else { "deactivate" });
        foreign.post(&app, &path, file(&foreign, act, &key, hardware, id)).await
    };
    let taken = async || {
        let mut taken = Vec::new();
        for license in &issued.licenses {
            taken.push(app.desk().license_view(&OPERATOR, license.id).await.unwrap().license.seats_taken);
        }
        taken
    };
    let first = bring("activation", "HW-1", "r-1").await;
    let body = signed(&app, &first).await;
    let public = public_key(&app).await;
    let licenses = body["licenses"].as_array().unwrap();
    let codes: Vec<&str> = licenses.iter().map(|row| row["product_details"]["short_code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["write", "count"], "in the bundle's order");
    for license in licenses {
        assert_eq!((&license["request_id"], &license["hardware_id"]), (&json!("r-1"), &json!("HW-1")));
        assert_eq!(license["product_details"]["prevent_vm"], false, "clients read the long form");
        let text = license.to_string();
        let (before, _) = text.split_once(",\"license_signature\":").unwrap();
        let signature = base64::from_standard(license["license_signature_v2"].as_str().unwrap()).unwrap();
        assert!(verify_rsa(&public, format!("{before}}}").as_bytes(), &signature));
    }
    let text = first.text();
    let (before, _) = text.split_once(",\"bundle_signature_v2\":").unwrap();
    let signature = base64::from_standard(body["bundle_signature_v2"].as_str().unwrap()).unwrap();
    assert!(verify_rsa(&public, format!("{before}}}").as_bytes(), &signature));
    assert_eq!(taken().await, [1, 1]);
    // The same file again is the same answer; another machine finds no seat, and takes none.
    assert_eq!(bring("activation", "HW-1", "r-1").await.text(), text);
    assert_eq!(code(&bring("activation", "HW-2", "r-2").await), "license_activated_max_times");
    assert_eq!(taken().await, [1, 1]);
    let released = bring("deactivation", "HW-1", "r-3").await;
    assert_eq!(code(&released), "held_too_short");
    assert_eq!(taken().await, [1, 1]);
    app.pass_days(2);
    assert_eq!(bring("deactivation", "HW-1", "r-4").await.text(), "license_deactivated");
    assert_eq!(taken().await, [0, 0]);
    assert_eq!(code(&bring("activation", "HW-1", "r-1").await), "request_spent");
    // Where a part has no seat, none is taken of the others.
    let one = json!({ "product": "count", "hardware_id": "HW-9", "license_key": key.text(), "bundle_code": "office" });
    assert_eq!(foreign.post(&app, "/activate_license", one).await.status, 200);
    assert_eq!(code(&bring("activation", "HW-3", "r-5").await), "license_activated_max_times");
    assert_eq!(taken().await, [0, 1]);
    // What the machine holds of it is given back, and of the rest nothing is on record: nobody was refused.
    app.pass_days(2);
    let refusals = async || app.desk().read().await.unwrap().attempts_of_license(issued.licenses[0].id, 100).await.unwrap().len();
    let before = refusals().await;
    assert_eq!(bring("deactivation", "HW-9", "r-9").await.text(), "license_deactivated");
    assert_eq!((taken().await, refusals().await), (vec![0, 0], before));
    assert_eq!(code(&bring("deactivation", "HW-9", "r-10").await), "device_not_found");
    // A file of no bundle, of an app without the products, and one that was altered.
    let more = json!({ "license_key": key.text(), "request_id": "r-6" });
    let single = String::from_utf8(foreign.v2("activation", "write", "HW-3", more)).unwrap();
    assert_eq!(code(&foreign.post(&app, "/activate_bundle_offline", json!({ "Payload": single })).await), "unknown_product");
    let elsewhere = ForeignApp::new(&app, Some(vec!["write".to_owned()]), false).await;
    let theirs = file(&elsewhere, "activation", &key, "HW-3", "r-7");
    assert_eq!(code(&foreign.post(&app, "/activate_bundle_offline", theirs).await), "invalid_api_key");
    let mut altered = file(&foreign, "activation", &key, "HW-3", "r-8");
    let inner = String::from_utf8(base64::from_standard(altered["Payload"].as_str().unwrap()).unwrap()).unwrap();
    altered["Payload"] = base64::standard(inner.replace("HW-3", "HW-4").as_bytes()).into();
    assert_eq!(code(&foreign.post(&app, "/activate_bundle_offline", altered).await), "signature_mismatch");
}
