//! Trials and lists through LicenseSpring's API.

use serde_json::{Value, json};

use super::{
    TestApp,
    foreign::ForeignApp,
    licensespring::{OPERATOR, code, seats, signed},
};
use crate::{
    desk::{Issue, UserPassword},
    licensing::{
        Email, ProductCode,
        license::{Expiry, LicenseType, Limit, Terms},
        product::{Authorization, ProductRules},
    },
};

tests! {
    both:
        a_machine_has_one_trial_however_often_it_asks,
        sixteen_calls_of_one_machine_end_in_one_trial;
    once:
        a_trial_lasts_from_its_first_activation,
        a_user_has_one_trial_and_a_machine_too,
        a_policy_says_what_a_trial_is,
        products_are_listed_as_far_as_an_app_reaches,
        a_list_of_others_is_off_until_it_is_switched_on;
}

fn trials(days: u32) -> ProductRules {
    ProductRules { trial_days: days, ..ProductRules::default() }
}

impl ForeignApp {
    async fn trial(&self, app: &TestApp, product: &str, hardware: &str, more: &[(&str, &str)]) -> super::Reply {
        let mut query = vec![("product", product), ("hardware_id", hardware)];
        query.extend_from_slice(more);
        self.get(app, "/trial_key", &query).await
    }
}

async fn a_machine_has_one_trial_however_often_it_asks(app: TestApp) {
    app.product_with("press", trials(30)).await;
    app.product("cut").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let made = signed(&app, &foreign.trial(&app, "press", "HW-1", &[]).await).await;
    let names: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert_eq!(
        names[..9],
        ["id", "order_id", "product_id", "created_at", "updated_at", "times_activated", "is_trial", "active", "enabled"]
    );
    assert_eq!(*names.last().unwrap(), "license");
    assert_eq!(made["license"], made["license_key"]);
    assert_eq!((&made["trial_days"], &made["created_at"]), (&json!(30), &json!(app.now().millis())));
    for _ in 0..2 {
        let again = signed(&app, &foreign.trial(&app, "PRESS", "HW-1", &[]).await).await;
        assert_eq!(again, json!({ "license_type": "time-limited", "is_trial": true, "license": made["license"] }));
    }
    let other = signed(&app, &foreign.trial(&app, "press", "HW-2", &[]).await).await;
    assert_ne!(other["license"], made["license"]);
    for (product, hardware, more, expected) in [
        ("cut", "HW-1", &[][..], "trial_not_allowed"),
        ("none", "HW-1", &[], "unknown_product"),
        ("press", "", &[], "missing_hardware_id"),
        ("press", "HW-3", &[("email", "nobody")], "validation_error"),
        ("press", "HW-3", &[("license_policy", "none")], "validation_error"),
    ] {
        assert_eq!(code(&foreign.trial(&app, product, hardware, more).await), expected, "{product} {hardware} {more:?}");
    }
    let reader = ForeignApp::new(&app, None, true).await;
    assert_eq!(code(&reader.trial(&app, "press", "HW-4", &[]).await), "read_only_api_key");
    // The vendor may let machines begin again.
    app.desk().set_settings(&OPERATOR, vec![("severalTrials".to_owned(), "true".to_owned())]).await.unwrap();
    assert_ne!(signed(&app, &foreign.trial(&app, "press", "HW-1", &[]).await).await["license"], made["license"]);
}

async fn sixteen_calls_of_one_machine_end_in_one_trial(app: TestApp) {
    app.product_with("press", trials(30)).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let calls = futures::future::join_all((0..16).map(|_| foreign.trial(&app, "press", "HW-1", &[]))).await;
    for reply in &calls {
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let mut keys: Vec<String> = calls.iter().map(|reply| reply.json()["license"].as_str().unwrap().to_owned()).collect();
    assert_eq!(calls.iter().filter(|reply| reply.json().get("id").is_some()).count(), 1, "one made it");
    keys.dedup();
    assert_eq!(keys.len(), 1);
}

async fn a_trial_lasts_from_its_first_activation(app: TestApp) {
    app.product_with("press", trials(14)).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    app.secret("ann@customer.example");
    let more = [("email", "ann@customer.example"), ("first_name", "Ann"), ("last_name", "Example")];
    let made = signed(&app, &foreign.trial(&app, "press", "HW-1", &more).await).await;
    let key = made["license"].as_str().unwrap().to_owned();
    app.pass_days(30);
    let call = async |path: &str| {
        let query = [("product", "press"), ("hardware_id", "HW-1"), ("license_key", key.as_str())];
        foreign.get(&app, path, &query).await
    };
    let body = json!({ "product": "press", "hardware_id": "HW-1", "license_key": key });
    let activated = signed(&app, &foreign.post(&app, "/activate_license", body).await).await;
    assert_eq!((&activated["is_trial"], &activated["license_type"]), (&json!(true), &json!("time-limited")));
    assert_eq!(activated["validity_period"], app.now().plus_days(14).to_rfc3339());
    assert_eq!(
        (&activated["customer"]["email"], &activated["customer"]["first_name"]),
        (&json!("ann@customer.example"), &json!(""))
    );
    app.pass_days(14);
    assert_eq!(code(&call("/check_license").await), "trial_expired");
    // It is over, and no other begins.
    assert_eq!(foreign.trial(&app, "press", "HW-1", &more).await.json()["license"], key.as_str());
    // An existing customer stays as they are, whoever names them.
    let renamed = [("email", "Ann@customer.example"), ("first_name", "Mallory")];
    foreign.trial(&app, "press", "HW-2", &renamed).await;
    let (customer, licenses) = app.desk().customer(&OPERATOR, &Email::parse("ann@customer.example").unwrap()).await.unwrap();
    assert_eq!((customer.name.as_str(), licenses.len()), ("Ann Example", 2));
}

async fn a_user_has_one_trial_and_a_machine_too(app: TestApp) {
    app.product_by("press", Authorization::User, trials(30)).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    for secret in ["ann@customer.example", "bob@customer.example", "password of bob's own"] {
        app.secret(secret);
    }
    assert_eq!(code(&foreign.trial(&app, "press", "HW-1", &[]).await), "email_missing");
    let made = signed(&app, &foreign.trial(&app, "press", "HW-1", &[("email", "ann@customer.example")]).await).await;
    let names: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert_eq!(names[names.len() - 4..], ["license_user_id", "max_license_users", "license_user", "initial_password"]);
    assert!(!names.iter().any(|name| name.contains("license_key")));
    let password = made["initial_password"].as_str().unwrap().to_owned();
    app.secret(password.clone());
    let body = json!({
        "product": "press", "hardware_id": "HW-1", "username": made["license_user"], "password": password,
    });
    assert_eq!(foreign.post(&app, "/activate_license", body).await.status, 200);
    // The password is told once; a client in Python reads the member all the same.
    for hardware in ["HW-1", "HW-2"] {
        let again = signed(&app, &foreign.trial(&app, "press", hardware, &[("email", "ANN@customer.example")]).await).await;
        let expected = json!({
            "license_type": "time-limited", "is_trial": true, "license_user": "ann@customer.example", "initial_password": "",
        });
        assert_eq!(again, expected, "{hardware}");
    }
    // Another address is no new trial for the machine.
    let another = [("email", "bob@customer.example")];
    assert_eq!(code(&foreign.trial(&app, "press", "HW-1", &another).await), "trial_not_allowed");
    assert_eq!(code(&foreign.trial(&app, "press", "HW-9", &[another[0], ("password", "short")]).await), "validation_error");
    let own = [another[0], ("password", "password of bob's own")];
    let made = signed(&app, &foreign.trial(&app, "press", "HW-9", &own).await).await;
    assert_eq!(made["initial_password"], "", "it was given, and is not repeated");
    let body = json!({
        "product": "press", "hardware_id": "HW-9", "username": "bob@customer.example", "password": "password of bob's own",
    });
    assert_eq!(foreign.post(&app, "/activate_license", body).await.status, 200);
}

async fn a_policy_says_what_a_trial_is(app: TestApp) {
    let press = app.product_with("press", trials(30)).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let terms = Terms {
        kind: LicenseType::Subscription,
        seats: Limit::AtMost(3),
        expiry: Expiry { days_after_issue: Some(7), ..Expiry::NEVER },
        ..Terms::default()
    };
    app.desk().add_policy(&OPERATOR, &press, "class", "", terms).await.unwrap();
    let made = signed(&app, &foreign.trial(&app, "press", "HW-1", &[("license_policy", "CLASS")]).await).await;
    assert_eq!((&made["max_activations"], &made["license_type"]), (&json!(3), &json!("subscription")));
    let key = made["license"].as_str().unwrap();
    let license = app.desk().license_id(&crate::licensing::ActivationKey::parse(key).unwrap()).await.unwrap();
    let view = app.desk().license_view(&OPERATOR, license).await.unwrap();
    assert!(view.license.terms.trial && view.license.policy.is_some());
    assert_eq!(view.license.valid_until(), Some(app.now().plus_days(7).plus_millis(-1).next_midnight()));
    assert_eq!(view.order.unwrap().provider, "trial");
}

async fn products_are_listed_as_far_as_an_app_reaches(app: TestApp) {
    app.product_with("press", trials(30)).await;
    app.product("cut").await;
    let all = ForeignApp::new(&app, None, false).await;
    let one = ForeignApp::new(&app, Some(vec!["press".to_owned()]), true).await;
    let codes = async |foreign: &ForeignApp| {
        let rows = signed(&app, &foreign.get(&app, "/products", &[]).await).await;
        rows.as_array().unwrap().iter().map(|row| row["short_code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut both = codes(&all).await;
    both.sort_unstable();
    assert_eq!(both, ["cut", "press"]);
    assert_eq!(codes(&one).await, ["press"]);
    let rows = one.get(&app, "/products", &[]).await.json();
    assert_eq!((&rows[0]["allow_trial"], &rows[0]["is_bundle"]), (&json!(true), &json!(false)));
}

async fn a_list_of_others_is_off_until_it_is_switched_on(app: TestApp) {
    app.product("press").await;
    app.product_by("cut", Authorization::Key, ProductRules::default()).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    for secret in ["first password of bob", "bob@customer.example", "ann@customer.example"] {
        app.secret(secret);
    }
    let license = app.issue("press", seats(1)).await;
    foreign.activate(&app, &license, "HW-1").await;
    let issue = Issue::one(ProductCode::parse("press").unwrap(), seats(2));
    app.issue_as(Issue {
        users: vec![Email::parse("bob@customer.example").unwrap()],
        user_password: UserPassword::Given("first password of bob".to_owned()),
        customer: Some(Email::parse("ann@customer.example").unwrap()),
        customer_name: "Ann von Example".to_owned(),
        ..issue
    })
    .await;
    let users = async |product: &str, customer: &str| {
        foreign.get(&app, "/customer_license_users", &[("product", product), ("customer", customer)]).await
    };
    let devices = async || foreign.get(&app, "/device_licenses", &[("hardware_id", "HW-1")]).await;
    assert_eq!(code(&users("press", "ann@customer.example").await), "not_switched_on");
    assert_eq!(code(&devices().await), "not_switched_on");
    let on = ["customerLicenseUsers", "deviceLicenses", "exposeCustomer"];
    let on = on.map(|name| (name.to_owned(), "true".to_owned())).to_vec();
    app.desk().set_settings(&OPERATOR, on).await.unwrap();
    let body = signed(&app, &users("press", "ann@customer.example").await).await;
    let names: Vec<&String> = body["customer"].as_object().unwrap().keys().collect();
    assert_eq!(names[..4], ["email", "first_name", "last_name", "company_name"]);
    assert_eq!((&body["customer"]["first_name"], &body["customer"]["last_name"]), (&json!("Ann von"), &json!("Example")));
    assert_eq!((&body["users"][0]["email"], &body["users"][0]["initial_password"]), (&json!("bob@customer.example"), &json!("")));
    for (product, customer, expected) in [
        ("press", "nobody@customer.example", "customer_does_not_exist"),
        ("press", "nobody", "validation_error"),
        ("cut", "ann@customer.example", "invalid_product_auth_method"),
        ("none", "ann@customer.example", "unknown_product"),
    ] {
        assert_eq!(code(&users(product, customer).await), expected, "{product} {customer}");
    }
    let rows = signed(&app, &devices().await).await;
    let names: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    assert_eq!(names[..6], ["id", "order_store_id", "license_active", "license_enabled", "license_type", "license_key"]);
    assert_eq!((&rows[0]["license_active"], &rows[0]["license_key"]), (&json!(true), &json!(license.key.text())));
    foreign.deactivate(&app, &license, "HW-1").await;
    assert_eq!(devices().await.json()[0]["license_active"], false);
    assert_eq!(foreign.get(&app, "/device_licenses", &[("hardware_id", "HW-2")]).await.json(), Value::Array(Vec::new()));
    // Another app's product is not among them.
    let other = ForeignApp::new(&app, Some(vec!["cut".to_owned()]), false).await;
    assert_eq!(other.get(&app, "/device_licenses", &[("hardware_id", "HW-1")]).await.json(), json!([]));
}
