//! Every refusal of an activation, provoked at the doors that can meet it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Licensed, Machine, TestApp, app::device, foreign::ForeignApp};
use crate::{
    desk::{Edit, Issue, ProductEdit, UserPassword, Visitor},
    licensing::{
        ActivationKey, Email, ProductCode,
        decide::ActivationRefusal,
        files::{Act, Grounds},
        license::{Expiry, Floating, LicenseType, Limit, Maintenance, Terms, TransferLimit},
        product::{DeviceKeyRule, Installation, ProductState, Version},
        qlm::{ComputerType, QlmTerms},
    },
    store::NewRelease,
    vault::random_bytes,
};

tests! {
    both:
        every_refusal_is_met_at_every_door_that_can_meet_it;
    once:
        a_refusal_says_what_happened_why_and_what_next_and_is_found_by_its_reference,
        a_refusal_is_not_remembered,
        a_key_of_several_products_asks_which;
}

const OPERATOR: Visitor = Visitor::Operator;

/// What stands at each door: codes that came, by door.
#[derive(Default)]
struct Met(BTreeMap<String, BTreeSet<&'static str>>);

impl Met {
    fn note(&mut self, expected: &str, door: &'static str, came: &str) {
        assert_eq!(came, expected, "at the door {door}");
        self.0.entry(expected.to_owned()).or_default().insert(door);
    }
}

/// A machine that is new to the license, at the form, with a file of ours and with one of the foreign kind.
async fn at_all_doors(app: &TestApp, foreign: &ForeignApp, met: &mut Met, code: &str, license: &Licensed) {
    at_doors(app, foreign, met, code, license, "HW-new").await;
}

async fn at_doors(app: &TestApp, foreign: &ForeignApp, met: &mut Met, code: &str, license: &Licensed, hardware: &str) {
    let by_form = app.activate_by_form(&license.key, hardware, &[("product", &license.product)]).await;
    met.note(code, "form", &by_form.unwrap_err().code);
    met.note(code, "file", &app.bring(Machine::new(hardware).activate(license)).await.unwrap_err().code);
    let file = foreign.v2("activation", &license.product, hardware, json!({ "license_key": license.key.text() }));
    met.note(code, "licensespring", &app.bring(file).await.unwrap_err().code);
}

fn perpetual() -> Terms {
    Terms { seats: Limit::AtMost(3), ..Terms::default() }
}

async fn every_refusal_is_met_at_every_door_that_can_meet_it(app: TestApp) {
    let mut met = Met::default();
    let met = &mut met;
    app.product("press").await;
    app.product("other").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let now = app.now();
    let issue = async |terms: Terms| app.issue("press", terms).await;

    let unknown = Licensed { key: ActivationKey::from_random(random_bytes()), ..issue(perpetual()).await };
    at_all_doors(&app, &foreign, met, "unknown_key", &unknown).await;

    let elsewhere = Licensed { product: "other".to_owned(), ..issue(perpetual()).await };
    at_all_doors(&app, &foreign, met, "wrong_product", &elsewhere).await;

    let license = issue(perpetual()).await;
    app.desk().disable_license(&OPERATOR, license.id, "chargeback".to_owned()).await.unwrap();
    at_all_doors(&app, &foreign, met, "license_disabled", &license).await;
    app.desk().archive_license(&OPERATOR, license.id, "replaced".to_owned()).await.unwrap();
    at_all_doors(&app, &foreign, met, "license_archived", &license).await;

    let license = issue(Terms { start: Some(now.plus_days(3)), ..perpetual() }).await;
    at_all_doors(&app, &foreign, met, "not_started", &license).await;

    let license = issue(Terms { expiry: Expiry::on(now), ..perpetual() }).await;
    at_all_doors(&app, &foreign, met, "license_expired", &license).await;
    let license = issue(Terms { expiry: Expiry::on(now), trial: true, ..perpetual() }).await;
    at_all_doors(&app, &foreign, met, "trial_expired", &license).await;

    let license = issue(Terms::default()).await;
    app.activate_by_form(&license.key, "HW-first", &[]).await.unwrap();
    at_all_doors(&app, &foreign, met, "seats_exhausted", &license).await;

    let license = issue(Terms { transfers: TransferLimit::Forbidden, ..Terms::default() }).await;
    app.activate_by_form(&license.key, "HW-first", &[]).await.unwrap();
    app.desk().release_device(&OPERATOR, license.id, &device("HW-first")).await.unwrap();
    at_all_doors(&app, &foreign, met, "transfer_limit", &license).await;

    let license = issue(perpetual()).await;
    app.desk().block_device(&OPERATOR, license.id, &device("HW-new")).await.unwrap();
    at_all_doors(&app, &foreign, met, "device_blocked", &license).await;

    let license = issue(perpetual()).await;
    app.activate_by_form(&license.key, "HW-new", &[]).await.unwrap();
    app.desk().revoke_device(&OPERATOR, license.id, &device("HW-new"), "stolen".to_owned()).await.unwrap();
    at_all_doors(&app, &foreign, met, "device_revoked", &license).await;

    let floating = Some(Floating { slots: 1, borrow_hours: 0 });
    let license = issue(Terms { seats: Limit::Unlimited, floating, ..Terms::default() }).await;
    app.activate_by_form(&license.key, "HW-first", &[]).await.unwrap();
    at_all_doors(&app, &foreign, met, "floating_full", &license).await;

    // A version that came out after maintenance ended.
    let press = ProductCode::parse("press").unwrap();
    for (major, released) in [(4, now.plus_days(-100)), (5, now.plus_days(-1))] {
        let version = Version { major, minor: 0, released };
        let new = NewRelease { version, channel: "stable".into(), env: String::new(), file: Installation::default() };
        app.desk().add_release(&OPERATOR, &press, new).await.unwrap();
    }
    let license = issue(Terms { maintenance: Maintenance::Until(now.plus_days(-10)), ..perpetual() }).await;
    let by_form = app.activate_by_form(&license.key, "HW-new", &[("version", "5.0")]).await;
    met.note("version_not_covered", "form", &by_form.unwrap_err().code);
    let machine = Machine { app: Some("Press Designer 5.0".to_owned()), ..Machine::new("HW-new") };
    met.note("version_not_covered", "file", &app.bring(machine.activate(&license)).await.unwrap_err().code);
    let members = json!({ "license_key": license.key.text(), "app_ver": "Press 5.0" });
    let file = foreign.v2("activation", "press", "HW-new", members);
    met.note("version_not_covered", "licensespring", &app.bring(file).await.unwrap_err().code);
    app.activate_by_form(&license.key, "HW-new", &[("version", "4.0")]).await.expect("an older version is covered");

    // What only a file can ask for, or only another door.
    let license = issue(Terms { offline_allowed: false, ..perpetual() }).await;
    met.note("offline_not_allowed", "file", &app.bring(Machine::new("HW-new").activate(&license)).await.unwrap_err().code);
    let file = foreign.v2("activation", "press", "HW-new", json!({ "license_key": license.key.text() }));
    met.note("offline_not_allowed", "licensespring", &app.bring(file).await.unwrap_err().code);
    app.activate_by_form(&license.key, "HW-new", &[]).await.expect("the form is online");

    let license = issue(Terms { kind: LicenseType::Subscription, ..perpetual() }).await;
    let file = foreign.v2("activation", "press", "HW-new", json!({ "license_key": license.key.text() }));
    met.note("offline_not_for_this_type", "licensespring", &app.bring(file).await.unwrap_err().code);
    app.bring(Machine::new("HW-new").activate(&license)).await.expect("our own files serve every type");

    app.rules("press", |rules| rules.refuse_virtual_machines = true).await;
    let license = issue(perpetual()).await;
    let machine = Machine { vm: Some(true), ..Machine::new("HW-vm") };
    met.note("virtual_machine", "file", &app.bring(machine.activate(&license)).await.unwrap_err().code);
    let members = json!({ "license_key": license.key.text(), "is_vm": true });
    let file = foreign.v2("activation", "press", "HW-vm", members);
    met.note("virtual_machine", "licensespring", &app.bring(file).await.unwrap_err().code);

    // Sold for virtual machines alone: a machine that says it is none.
    let virtual_only = QlmTerms { computer_type: ComputerType::Virtual, ..QlmTerms::default() };
    let license = issue(Terms { qlm: Some(virtual_only), ..perpetual() }).await;
    let by_form = app.activate_by_form(&license.key, "HW-metal", &[("vm", "0")]).await;
    met.note("other_kind_of_computer", "form", &by_form.unwrap_err().code);
    let machine = Machine { vm: Some(false), ..Machine::new("HW-metal") };
    met.note("other_kind_of_computer", "file", &app.bring(machine.activate(&license)).await.unwrap_err().code);
    let members = json!({ "license_key": license.key.text(), "is_vm": false });
    let file = foreign.v2("activation", "press", "HW-metal", members);
    met.note("other_kind_of_computer", "licensespring", &app.bring(file).await.unwrap_err().code);

    let license = issue(perpetual()).await;
    app.bring(Machine::new("HW-key").activate(&license)).await.unwrap();
    let by_form = app.activate_by_form(&license.key, "HW-key", &[]).await;
    met.note("device_key_required", "form", &by_form.unwrap_err().code);
    let file = foreign.v2("activation", "press", "HW-key", json!({ "license_key": license.key.text() }));
    met.note("device_key_required", "licensespring", &app.bring(file).await.unwrap_err().code);
    for _ in 0..3 {
        app.bring(Machine::new("HW-key").activate(&license)).await.expect("three times a year");
    }
    met.note("rebind_limit", "file", &app.bring(Machine::new("HW-key").activate(&license)).await.unwrap_err().code);

    let sold = || Terms { air_gapped: true, ..perpetual() };
    app.desk().add_policy(&OPERATOR, &press, "island", "", sold()).await.unwrap();
    let issued = Issue { policy: Some("island".to_owned()), ..Issue::one(press.clone(), sold()) };
    let license = app.issue_as(issued).await;
    at_all_doors(&app, &foreign, met, "air_gapped_only", &license).await;
    let plain = issue(perpetual()).await;
    let given = app.desk().give_out_code(Some(&OPERATOR), &plain.key, None, None, "cli").await;
    met.note("not_air_gapped", "codes", given.err().unwrap().code());

    let machine = Machine::new("HW-new");
    let by_user = Grounds::User(Email::parse("ann@example.com").unwrap());
    let file = machine.sign(&machine.request(Act::Activate, "press", by_user));
    met.note("user_proof_required", "file", &app.bring(file).await.unwrap_err().code);
    let file = foreign.v1("activation", "press", "HW-new", json!({ "username": "ann@example.com" }));
    met.note("user_proof_required", "licensespring", &app.bring(file).await.unwrap_err().code);
    let users = vec![Email::parse("ann@example.com").unwrap()];
    let user_password = UserPassword::Given("the right password".to_owned());
    app.secret("the right password");
    app.issue_as(Issue { users, user_password, ..Issue::one(press.clone(), perpetual()) }).await;
    let with = |password: &str| json!({ "username": "ann@example.com", "password": password });
    let file = foreign.v1("activation", "press", "HW-new", with("a wrong password"));
    met.note("user_credentials_invalid", "licensespring", &app.bring(file).await.unwrap_err().code);
    let file = foreign.v1("activation", "press", "HW-new", with("the right password"));
    app.bring(file).await.expect("the right password opens");

    let users = vec![Email::parse("eve@example.com").unwrap()];
    let user_password = UserPassword::Given("the right password".to_owned());
    app.issue_as(Issue { users, user_password, user_seats: Some(1), ..Issue::one(press.clone(), perpetual()) }).await;
    let by = |hardware: &str| {
        foreign.v1("activation", "press", hardware, json!({ "username": "eve@example.com", "password": "the right password" }))
    };
    app.bring(by("HW-1")).await.expect("the one that is theirs");
    met.note("user_seats_exhausted", "licensespring", &app.bring(by("HW-2")).await.unwrap_err().code);

    app.rules("press", |rules| rules.device_key = DeviceKeyRule::Required).await;
    let license = issue(perpetual()).await;
    let by_form = app.activate_by_form(&license.key, "HW-plain", &[]).await;
    met.note("device_key_required", "form", &by_form.unwrap_err().code);

    let paused = ProductEdit { state: Some(ProductState::Disabled), ..ProductEdit::default() };
    app.desk().edit_product(&OPERATOR, &press, paused).await.unwrap();
    at_all_doors(&app, &foreign, met, "product_disabled", &license).await;

    let all: BTreeSet<String> = ActivationRefusal::examples().iter().map(|refusal| refusal.code().to_owned()).collect();
    let seen: BTreeSet<String> = met.0.keys().cloned().collect();
    assert_eq!(seen, all, "every refusal, and nothing else");
}

async fn a_refusal_says_what_happened_why_and_what_next_and_is_found_by_its_reference(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", Terms::default()).await;
    app.activate_by_form(&license.key, "A53F-0CBC-15FC", &[("device_name", "Ann’s <b>laptop</b>")]).await.unwrap();
    let refused = app.bring(Machine::named("HW-new", "press-8").activate(&license)).await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.holders.len()), ("seats_exhausted", 1));
    assert_eq!(refused.holders[0], (Some("Ann’s <b>laptop</b>".to_owned()), "…C-15FC".to_owned()));
    assert!(!refused.what.is_empty() && refused.why.ends_with('.') && refused.next.ends_with('.'));
    let found = app.desk().refusal(&OPERATOR, &refused.reference.to_lowercase()).await.unwrap();
    let what = found.attempt.what;
    assert_eq!((what.code.as_str(), what.license), ("seats_exhausted", Some(license.id)));
    assert_eq!((what.device_id.as_deref(), what.device_name.as_deref()), (Some("HW-new"), Some("press-8")));
    assert_eq!(what.key_ends, Some(license.key.last_group()));

    let page = app.post("/activate", &[("key", &license.key.text()), ("device_id", "HW-9")]).await;
    assert_eq!(page.status, 409);
    let text = page.text();
    assert!(text.contains("Ann’s &lt;b&gt;laptop&lt;/b&gt;") && text.contains(">C-15FC<"), "{text}");
    assert!(!text.contains("A53F-0CBC-15FC"), "a stranger sees only the end of an id");
}

async fn a_refusal_is_not_remembered(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", Terms::default()).await;
    app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap();
    let request = Machine::new("HW-0002").activate(&license);
    assert_eq!(app.bring(&request).await.unwrap_err().code, "seats_exhausted");
    let more = Edit { seats: Some(Limit::AtMost(2)), ..Edit::default() };
    app.desk().edit_license(&OPERATOR, license.id, more).await.unwrap();
    app.bring(&request).await.expect("there is a seat now");
}

async fn a_key_of_several_products_asks_which(app: TestApp) {
    app.product("press").await;
    app.product("cut").await;
    let key = ActivationKey::parse("BUNDLE-2026-0001").unwrap();
    for code in ["press", "cut"] {
        let issue = Issue { key: Some(key.clone()), ..Issue::one(ProductCode::parse(code).unwrap(), Terms::default()) };
        app.issue_as(issue).await;
    }
    let asked = app.post("/activate", &[("key", "bundle 2026 0001"), ("device_id", "HW-0001")]).await;
    assert_eq!(asked.status, 409);
    let text = asked.text();
    assert!(text.contains("Product press") && text.contains("Product cut"), "{text}");
    app.activate_by_form(&key, "HW-0001", &[("product", "CUT")]).await.unwrap();
    assert_eq!(app.count("activation").await, 1);
}
