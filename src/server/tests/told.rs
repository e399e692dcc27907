//! What files tell beside what they ask: use, variables, and what a machine says of itself.

use serde_json::json;

use super::{Licensed, Machine, TestApp, foreign::ForeignApp};
use crate::{
    desk::Visitor,
    licensing::{
        files::{Act, Grounds, LicenseFile},
        license::{Entitlement, Limit, Meter, Terms},
        product::{DeviceDetails, FeatureKind, ProductRules},
        usage::Usage,
    },
};

tests! {
    both:
        use_is_added_up_over_machines_and_never_taken_back,
        variables_are_kept_and_replaced_by_name;
    once:
        a_release_tells_its_last_use,
        a_signed_foreign_release_counts_and_an_unsigned_member_does_not,
        a_product_keeps_no_more_of_a_machine_than_it_says;
}

const OPERATOR: Visitor = Visitor::Operator;

fn meter() -> Meter {
    Meter { used: 0, max: Limit::AtMost(100), overage: Limit::AtMost(0), period: None, negatives: false, resets_at: None }
}

fn counted(seats: u32) -> Terms {
    let jobs = Entitlement {
        code: "jobs".to_owned(),
        name: "Jobs".to_owned(),
        kind: FeatureKind::Consumption,
        valid_until: None,
        meter: Some(meter()),
        floating: None,
    };
    Terms { seats: Limit::AtMost(seats), meter: Some(meter()), entitlements: vec![jobs], ..Terms::default() }
}

fn with_use(machine: &Machine, license: &Licensed, act: Act, seq: u64, used: u64, jobs: u64) -> String {
    let grounds = if act == Act::Activate { Grounds::Key(license.key.clone()) } else { Grounds::License(license.id) };
    let mut request = machine.request(act, &license.product, grounds);
    request.usage = Some(Usage { seq, license: used, features: vec![("jobs".to_owned(), jobs)] });
    machine.sign(&request)
}

async fn used(app: &TestApp, license: &Licensed) -> (i64, i64) {
    let terms = app.license(license).await.terms;
    (terms.meter.unwrap().used, terms.entitlements[0].meter.unwrap().used)
}

async fn last_entry(app: &TestApp, license: &Licensed) -> (String, String) {
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    (view.history[0].act.clone(), view.history[0].after.clone().unwrap_or_default())
}

async fn use_is_added_up_over_machines_and_never_taken_back(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", counted(3)).await;
    let [one, other] = ["HW-0001", "HW-0002"].map(Machine::new);
    let first = with_use(&one, &license, Act::Activate, 1, 5, 2);
    let file = app.bring(&first).await.unwrap().body;
    let told = LicenseFile::verify(&file, &app.trusted_keys().await).unwrap().license;
    assert_eq!(told.terms.features[0].used, Some(2), "the file says what was told with the request");
    app.bring(with_use(&other, &license, Act::Activate, 7, 10, 0)).await.unwrap();
    assert_eq!(used(&app, &license).await, (15, 2));
    // The same request again changes nothing, and gets the same bytes although other machines told of more use.
    assert_eq!(app.bring(&first).await.unwrap().body, file);
    assert_eq!(used(&app, &license).await, (15, 2));
    // Totals run on; an older report is passed over, a smaller total is told and not taken.
    app.bring(with_use(&one, &license, Act::Refresh, 3, 8, 2)).await.unwrap();
    app.bring(with_use(&one, &license, Act::Refresh, 2, 90, 90)).await.unwrap();
    assert_eq!(used(&app, &license).await, (18, 2));
    app.bring(with_use(&one, &license, Act::Refresh, 4, 1, 6)).await.unwrap();
    assert_eq!(used(&app, &license).await, (18, 6));
    let (act, after) = last_entry(&app, &license).await;
    assert_eq!(act, "license.used");
    assert!(after.contains("counter_went_back") && after.contains("\"was\":8"), "{after}");
    // Who reads the file of a stranger tells nothing in their name.
    let refused = app.bring(with_use(&Machine::new("HW-0001"), &license, Act::Refresh, 9, 99, 99)).await.unwrap_err();
    assert_eq!((refused.code.as_str(), used(&app, &license).await), ("not_this_device", (18, 6)));
    let (_, broken) = app.desk().read().await.unwrap().verify_audit().await.unwrap();
    assert!(broken.is_empty(), "{broken:?}");
}

async fn a_release_tells_its_last_use(app: TestApp) {
    app.product_with("press", ProductRules { min_hold_hours: 0, ..ProductRules::default() }).await;
    let license = app.issue("press", counted(1)).await;
    let machine = Machine::new("HW-0001");
    app.bring(with_use(&machine, &license, Act::Activate, 1, 1, 0)).await.unwrap();
    let release = with_use(&machine, &license, Act::Release, 2, 4, 3);
    assert!(app.bring(&release).await.unwrap().receipt);
    app.bring(&release).await.unwrap();
    assert_eq!((used(&app, &license).await, app.seats_taken(&license).await), ((4, 3), 0));
    // Another installation on the same machine counts from zero.
    app.bring(with_use(&Machine::new("HW-0001"), &license, Act::Activate, 1, 2, 0)).await.unwrap();
    assert_eq!(used(&app, &license).await, (6, 3));
}

async fn a_signed_foreign_release_counts_and_an_unsigned_member_does_not(app: TestApp) {
    let rules = ProductRules { min_hold_hours: 0, trust_v1_deactivation: true, ..ProductRules::default() };
    app.product_with("press", rules).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", counted(3)).await;
    let key = license.key.text();
    let told = json!({
        "license_key": key, "consumptions": 3, "variables": { "colour": "grün", "cores": 8, "list": [1], "hidden": "a\u{202e}b" },
        "product_features": [{ "feature": "jobs", "consumptions": 2 }, { "feature": "nobody", "consumptions": 9 }],
    });
    app.bring(foreign.v2("activation", "press", "HW-1", json!({ "license_key": key }))).await.unwrap();
    app.bring_confirmed(foreign.v2("deactivation", "press", "HW-1", told.clone())).await.unwrap();
    assert_eq!(used(&app, &license).await, (3, 2));
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    let kept: Vec<_> = view.activations[0].variables.iter().map(|kept| (kept.name.as_str(), kept.value.as_str())).collect();
    assert_eq!(kept, [("colour", "grün"), ("cores", "8")]);
    // The signature of the flat form covers none of it.
    app.bring(foreign.v2("activation", "press", "HW-2", json!({ "license_key": key }))).await.unwrap();
    app.bring_confirmed(foreign.v1("deactivation", "press", "HW-2", told)).await.unwrap();
    assert_eq!((used(&app, &license).await, app.seats_taken(&license).await), ((3, 2), 0));
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    assert!(view.activations.iter().any(|shown| shown.activation.device.id.as_str() == "HW-2" && shown.variables.is_empty()));
}

async fn variables_are_kept_and_replaced_by_name(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", counted(3)).await;
    let machine = Machine::new("HW-0001");
    let mut request = machine.request(Act::Activate, "press", Grounds::Key(license.key.clone()));
    request.variables = vec![("colour".to_owned(), "red".to_owned()), ("größe".to_owned(), "7\nzwei Zeilen".to_owned())];
    app.bring(machine.sign(&request)).await.unwrap();
    let mut request = machine.request(Act::Refresh, "press", Grounds::License(license.id));
    request.variables = vec![("colour".to_owned(), "blue".to_owned())];
    app.bring(machine.sign(&request)).await.unwrap();
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    let kept: Vec<_> = view.activations[0].variables.iter().map(|kept| (kept.name.as_str(), kept.value.as_str())).collect();
    assert_eq!(kept, [("colour", "blue"), ("größe", "7\nzwei Zeilen")]);
}

async fn a_product_keeps_no_more_of_a_machine_than_it_says(app: TestApp) {
    for (details, name, os) in
        [(DeviceDetails::Id, false, false), (DeviceDetails::Names, true, false), (DeviceDetails::All, true, true)]
    {
        let code = format!("{details:?}").to_lowercase();
        app.product_with(&code, ProductRules { device_details: details, ..ProductRules::default() }).await;
        let license = app.issue(&code, counted(1)).await;
        for id in ["HW-0001", "HW-0002"] {
            let mut request = Machine::named(id, "Ann's press").request(Act::Activate, &code, Grounds::Key(license.key.clone()));
            (request.device.os, request.device.vm) = (Some("Windows 11".to_owned()), Some(true));
            // The second is refused, and what is kept of a refusal is held to the same.
            let _ = app.bring(Machine::new(id).sign(&request)).await;
        }
        let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
        let kept = &view.activations[0].activation.device;
        assert_eq!((kept.name.is_some(), kept.os.is_some(), kept.virtual_machine.is_some()), (name, os, os), "{code}");
        assert_eq!(view.refusals[0].what.device_name.is_some(), name, "{code}");
    }
}
