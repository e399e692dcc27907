//! Floating licenses and features through LicenseSpring's API: more machines are activated than may work at once.

use serde_json::{Value, json};

use super::{
    Licensed, Machine, TestApp,
    app::device,
    foreign::ForeignApp,
    licensespring::{OPERATOR, code, seats, signed},
};
use crate::{
    desk::{Edit, Issue, UserPassword},
    licensing::{
        Email, ProductCode,
        license::{Entitlement, Floating, Limit, Terms},
        product::FeatureKind,
    },
};

tests! {
    both:
        more_machines_are_activated_than_may_work_at_once,
        sixteen_machines_race_for_two_slots;
    once:
        a_machine_that_falls_silent_loses_its_slot,
        a_slot_is_borrowed_and_taken_along,
        a_floating_feature_has_slots_of_its_own,
        a_machine_that_gives_no_sign_keeps_its_slot,
        a_license_that_becomes_floating_counts_the_machines_it_has,
        a_user_shows_the_password_to_take_a_slot_along;
}

fn floating(slots: u32, borrow_hours: u32) -> Terms {
    Terms { seats: Limit::Unlimited, floating: Some(Floating { slots, borrow_hours }), ..Terms::default() }
}

async fn activated(app: &TestApp, foreign: &ForeignApp, license: &Licensed, machines: &[&str]) {
    for machine in machines {
        assert_eq!(foreign.activate(app, license, machine).await.status, 200, "{machine}");
    }
}

async fn more_machines_are_activated_than_may_work_at_once(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", floating(2, 0)).await;
    activated(&app, &foreign, &license, &["HW-1", "HW-2", "HW-3"]).await;
    let check = async |machine: &str| foreign.check(&app, &license, machine).await;
    let release = async |machine: &str| foreign.tell(&app, "/floating/release", &license, machine, json!({})).await;
    for (machine, in_use) in [("HW-1", 1), ("HW-2", 2), ("HW-1", 2)] {
        let body = signed(&app, &check(machine).await).await;
        assert_eq!(body["floating_in_use_devices"], in_use, "{machine}");
        assert_eq!((&body["floating_users"], &body["is_floating_cloud"]), (&json!(2), &json!(true)));
        assert_eq!((&body["is_borrowed"], &body["borrowed_until"]), (&json!(false), &Value::Null));
        // The flag for servers on a customer's own network, from which clients would go and look for one.
        assert_eq!(body["is_floating"], false);
    }
    assert_eq!(code(&check("HW-3").await), "floating_not_available");
    let given = release("HW-1").await;
    assert_eq!((given.status.as_u16(), given.text().as_str()), (200, ""));
    assert_eq!(check("HW-3").await.status, 200);
    assert_eq!(code(&check("HW-1").await), "floating_not_available");
    // To give back what one does not have changes nothing.
    assert_eq!(release("HW-1").await.status, 200);
    assert_eq!(code(&check("HW-1").await), "floating_not_available");
    // A machine that gives its seat back has no slot either.
    foreign.deactivate(&app, &license, "HW-3").await;
    assert_eq!(check("HW-1").await.status, 200);
    assert_eq!(code(&release("HW-3").await), "device_not_found");
    let plain = app.issue("press", seats(1)).await;
    activated(&app, &foreign, &plain, &["HW-1"]).await;
    let refused = foreign.tell(&app, "/floating/release", &plain, "HW-1", json!({})).await;
    assert_eq!(code(&refused), "floating_not_available");
    // A key that may only read takes no slot.
    let reader = ForeignApp::new(&app, None, true).await;
    assert_eq!(code(&reader.check(&app, &license, "HW-1").await), "read_only_api_key");
}

async fn sixteen_machines_race_for_two_slots(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", floating(2, 0)).await;
    let machines: Vec<String> = (0..16).map(|number| format!("HW-{number}")).collect();
    let names: Vec<&str> = machines.iter().map(String::as_str).collect();
    activated(&app, &foreign, &license, &names).await;
    let calls = futures::future::join_all(names.iter().map(|machine| foreign.check(&app, &license, machine))).await;
    assert_eq!(calls.iter().filter(|reply| reply.status == 200).count(), 2);
    for refused in calls.iter().filter(|reply| reply.status != 200) {
        assert_eq!(code(refused), "floating_not_available");
    }
}

async fn a_machine_that_falls_silent_loses_its_slot(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", floating(1, 0)).await;
    activated(&app, &foreign, &license, &["HW-1", "HW-2"]).await;
    let check = async |machine: &str| foreign.check(&app, &license, machine).await;
    let timeout = signed(&app, &check("HW-1").await).await["floating_timeout"].as_i64().unwrap();
    assert_eq!(timeout, 120);
    // A sign of life begins the time anew.
    app.pass_seconds(timeout * 60 - 1);
    assert_eq!(check("HW-1").await.status, 200);
    app.pass_seconds(timeout * 60 - 1);
    assert_eq!(code(&check("HW-2").await), "floating_not_available");
    app.pass_seconds(1);
    let body = signed(&app, &check("HW-2").await).await;
    assert_eq!(body["floating_in_use_devices"], 1);
    assert_eq!(code(&check("HW-1").await), "floating_not_available");
}

async fn a_slot_is_borrowed_and_taken_along(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", floating(1, 48)).await;
    activated(&app, &foreign, &license, &["HW-1", "HW-2"]).await;
    let check = async |machine: &str| foreign.check(&app, &license, machine).await;
    let borrow = async |machine: &str, until: Value| {
        foreign.tell(&app, "/floating/borrow", &license, machine, json!({ "borrowed_until": until })).await
    };
    let now = app.now();
    let body = signed(&app, &borrow("HW-1", Value::Null).await).await;
    let names: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(names, ["borrowed_until", "max_borrow_time", "device_id", "license_id", "company"]);
    assert_eq!((&body["borrowed_until"], &body["max_borrow_time"]), (&json!(now.plus_hours(48).to_rfc3339()), &json!(48)));
    let at = |hours: i64| now.plus_hours(hours).to_rfc3339();
    // Every spelling the documentation has, and what is none of them.
    let day = now.plus_days(1).date().to_string();
    let minute = format!("{day} 00:30");
    for (until, expected) in [
        (at(5), at(5)),
        (at(5).replace('T', " ").replace('Z', ""), at(5)),
        (format!("{day} 00:30:00"), format!("{day}T00:30:00.000Z")),
        (minute, format!("{day}T00:30:00.000Z")),
        (day.clone(), format!("{day}T00:00:00.000Z")),
    ] {
        let body = signed(&app, &borrow("HW-1", until.clone().into()).await).await;
        assert_eq!(body["borrowed_until"], expected, "{until}");
    }
    for wrong in [json!("tomorrow"), json!(""), json!(7), json!(at(-1)), json!(at(49))] {
        assert_eq!(code(&borrow("HW-1", wrong.clone()).await), "borrow_until_not_valid", "{wrong}");
    }
    let nothing = foreign.tell(&app, "/floating/borrow", &license, "HW-1", json!({})).await;
    assert_eq!(code(&nothing), "missing_parameters");
    assert_eq!(code(&borrow("HW-2", Value::Null).await), "floating_not_available");
    // It is had without a sign of life, and one does not shorten it.
    let body = signed(&app, &borrow("HW-1", at(40).into()).await).await;
    app.pass_seconds(39 * 3600);
    assert_eq!(code(&check("HW-2").await), "floating_not_available");
    let seen = signed(&app, &check("HW-1").await).await;
    assert_eq!((&seen["is_borrowed"], &seen["borrowed_until"]), (&json!(true), &body["borrowed_until"]));
    assert_eq!((&seen["can_borrow"], &seen["max_borrow_time"]), (&json!(true), &json!(48)));
    app.pass_seconds(3600);
    assert_eq!(check("HW-2").await.status, 200);
    // Given back before its time, another has it at once.
    assert_eq!(borrow("HW-2", Value::Null).await.status, 200);
    assert_eq!(foreign.tell(&app, "/floating/release", &license, "HW-2", json!({})).await.status, 200);
    assert_eq!(check("HW-1").await.status, 200);
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    let acts: Vec<&str> = view.history.iter().map(|entry| entry.act.as_str()).collect();
    assert_eq!(acts.iter().filter(|act| **act == "license.slot_borrowed").count(), 8, "{acts:?}");
    assert_eq!(acts.iter().filter(|act| **act == "license.slot_returned").count(), 1, "{acts:?}");
    // Where there is no borrowing, and never beyond the license's own end.
    let plain = app.issue("press", floating(1, 0)).await;
    activated(&app, &foreign, &plain, &["HW-1"]).await;
    let refused = foreign.tell(&app, "/floating/borrow", &plain, "HW-1", json!({ "borrowed_until": null })).await;
    assert_eq!(code(&refused), "license_borrow_not_allowed");
    let ends = app.now().plus_hours(3);
    let expiry = crate::licensing::license::Expiry::on(ends);
    let short = app.issue("press", Terms { expiry, ..floating(1, 48) }).await;
    activated(&app, &foreign, &short, &["HW-1"]).await;
    let body = foreign.tell(&app, "/floating/borrow", &short, "HW-1", json!({ "borrowed_until": null })).await;
    assert_eq!(signed(&app, &body).await["borrowed_until"], ends.to_rfc3339());
}

async fn a_floating_feature_has_slots_of_its_own(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let feature = |code: &str, floating: Option<u32>| Entitlement {
        code: code.to_owned(),
        name: code.to_uppercase(),
        kind: FeatureKind::Activation,
        valid_until: None,
        meter: None,
        floating,
    };
    let ended = Entitlement { valid_until: Some(app.now().plus_days(1)), ..feature("ended", Some(1)) };
    let entitlements = vec![feature("render", Some(1)), feature("export", None), ended];
    let license = app.issue("press", Terms { entitlements, ..floating(2, 24) }).await;
    activated(&app, &foreign, &license, &["HW-1", "HW-2"]).await;
    let check = async |machine: &str, code: &str| {
        foreign.ask(&app, "/check_license_feature", &license, machine, &[("feature", code)]).await
    };
    let tell = async |path: &str, machine: &str, feature: &str| {
        let more = json!({ "feature": feature, "borrowed_until": null });
        foreign.tell(&app, path, &license, machine, more).await
    };
    let body = signed(&app, &check("HW-1", "Render").await).await;
    assert_eq!((&body["is_floating_cloud"], &body["floating_in_use_devices"]), (&json!(true), &json!(1)));
    assert_eq!(code(&check("HW-2", "render").await), "floating_not_available");
    // The license's own slots are others, and what does not float is had by everybody.
    for machine in ["HW-1", "HW-2"] {
        assert_eq!(foreign.check(&app, &license, machine).await.status, 200, "{machine}");
        assert!(signed(&app, &check(machine, "export").await).await.get("floating_in_use_devices").is_none());
    }
    let released = tell("/floating/feature_release", "HW-1", "RENDER").await;
    assert_eq!((released.status.as_u16(), released.text().as_str()), (200, "feature_released"));
    assert_eq!(code(&tell("/floating/feature_release", "HW-1", "render").await), "floating_feature_device_not_in_use");
    let body = signed(&app, &tell("/floating/feature_borrow", "HW-2", "render").await).await;
    assert_eq!(body["borrowed_until"], app.now().plus_hours(24).to_rfc3339());
    assert_eq!(code(&check("HW-1", "render").await), "floating_not_available");
    app.pass_days(2);
    for path in ["/floating/feature_release", "/floating/feature_borrow"] {
        for (feature, expected) in [
            ("export", "feature_not_floating"),
            ("nothing", "invalid_license_feature_code"),
            ("ended", "invalid_license_feature_code"),
            ("", "missing_parameters"),
        ] {
            assert_eq!(code(&tell(path, "HW-1", feature).await), expected, "{path} {feature}");
        }
    }
    assert_eq!(check("HW-1", "render").await.status, 200);
    let listed = signed(&app, &foreign.check(&app, &license, "HW-1").await).await;
    assert_eq!(
        (&listed["product_features"][0]["floating_users"], &listed["product_features"][0]["floating_timeout"]),
        (&json!(1), &json!(120))
    );
}

async fn a_machine_that_gives_no_sign_keeps_its_slot(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", floating(2, 0)).await;
    let offline = Machine::new("HW-1");
    app.bring(offline.activate(&license)).await.unwrap();
    let file = foreign.v2("activation", "press", "HW-2", json!({ "license_key": license.key.text(), "request_id": "r-1" }));
    let answered = foreign.post(&app, "/activate_offline", json!({ "Payload": String::from_utf8(file).unwrap() })).await;
    assert_eq!(answered.status, 200, "{}", answered.text());
    // Years later they still work, and so nobody else can; a seat is another thing.
    app.pass_days(3);
    assert_eq!(foreign.activate(&app, &license, "HW-3").await.status, 200);
    assert_eq!(code(&foreign.check(&app, &license, "HW-3").await), "floating_not_available");
    // A machine that has a seat and no slot is given no file that would do without.
    let file = foreign.v2("activation", "press", "HW-3", json!({ "license_key": license.key.text(), "request_id": "r-2" }));
    let refused = foreign.post(&app, "/activate_offline", json!({ "Payload": String::from_utf8(file).unwrap() })).await;
    assert_eq!(code(&refused), "floating_not_available");
    app.desk().release_device(&OPERATOR, license.id, &device("HW-1")).await.unwrap();
    assert_eq!(foreign.check(&app, &license, "HW-3").await.status, 200);
    // One that came by file and then calls keeps what it has.
    let body = signed(&app, &foreign.check(&app, &license, "HW-2").await).await;
    assert_eq!(body["floating_in_use_devices"], 2);
}

async fn a_license_that_becomes_floating_counts_the_machines_it_has(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", Terms { seats: Limit::Unlimited, ..Terms::default() }).await;
    app.bring(Machine::new("HW-1").activate(&license)).await.unwrap();
    activated(&app, &foreign, &license, &["HW-2", "HW-3"]).await;
    let edit = Edit { terms: Some(floating(2, 0)), ..Edit::default() };
    app.desk().edit_license(&OPERATOR, license.id, edit).await.unwrap();
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    assert_eq!(view.slots_in_use, 1, "the machine of the file");
    assert_eq!(foreign.check(&app, &license, "HW-2").await.status, 200);
    assert_eq!(code(&foreign.check(&app, &license, "HW-3").await), "floating_not_available");
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    assert_eq!(view.availability.unwrap_err().code(), "floating_full");
    // Fewer slots than are in use take none away.
    let edit = Edit { terms: Some(floating(1, 0)), ..Edit::default() };
    app.desk().edit_license(&OPERATOR, license.id, edit).await.unwrap();
    assert_eq!(foreign.check(&app, &license, "HW-2").await.status, 200);
}

async fn a_user_shows_the_password_to_take_a_slot_along(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let password = "first password of bob";
    app.secret(password);
    app.secret("bob@customer.example");
    let users = vec![Email::parse("bob@customer.example").unwrap()];
    let issue = Issue::one(ProductCode::parse("press").unwrap(), floating(1, 24));
    app.issue_as(Issue { users, user_password: UserPassword::Given(password.to_owned()), ..issue }).await;
    let call = async |path: &str, more: Value| {
        let mut body = json!({ "product": "press", "hardware_id": "HW-1", "username": "bob@customer.example" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        foreign.post(&app, path, body).await
    };
    assert_eq!(call("/activate_license", json!({ "password": password })).await.status, 200);
    let until = json!({ "borrowed_until": null });
    assert_eq!(code(&call("/floating/borrow", until.clone()).await), "user_credentials_invalid");
    assert_eq!(call("/floating/borrow", json!({ "borrowed_until": null, "password": password })).await.status, 200);
    // To give it back the name is enough, of a machine that the user activated.
    assert_eq!(call("/floating/release", json!({})).await.status, 200);
}
