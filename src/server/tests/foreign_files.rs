//! LicenseSpring's request files: every sample answered, both RSA signatures checked, and what a signature does not cover.

use serde_json::json;

use super::{
    Brought, Licensed, Machine, Refused, TestApp,
    foreign::{ForeignApp, flat},
};
use crate::{
    desk::{Issue, UserPassword, Visitor},
    licensing::{
        ActivationKey, Email, ProductCode,
        files::{base64, licensespring::LicenseSpringLicense, mirror, text::Carried, text::unwrap, verify_answer},
        license::{Limit, Terms},
        seal::SealUse,
    },
    vault::verify_rsa,
};

tests! {
    both:
        every_sample_is_answered_in_its_own_dialect,
        the_same_foreign_file_gets_the_same_bytes_even_at_once;
    once:
        a_question_to_a_plain_form_is_answered_by_bringing_the_file_again,
        a_users_password_releases_nothing,
        an_old_client_with_a_customer_beyond_ascii_gets_signatures_it_can_check,
        a_v1_signature_opens_nothing_a_second_time,
        an_envelope_with_a_broken_outer_signature_is_worth_what_v1_is,
        an_app_reaches_only_what_it_may,
        a_foreign_release_frees_only_what_the_same_app_took,
        passwords_cannot_be_tried_by_file_without_end;
}

const OPERATOR: Visitor = Visitor::Operator;

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/samples/licensespring/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The product, key and user of the samples.
async fn samples(app: &TestApp) -> Licensed {
    app.product("tp").await;
    ForeignApp::of_the_samples(app).await;
    let key = ActivationKey::parse("FUH3-4E7A-LZJL-7JTP").unwrap();
    let issue = Issue {
        key: Some(key),
        customer: Some(Email::parse("zoë@exämple.com").unwrap()),
        users: vec![Email::parse("test@example.com").unwrap()],
        user_password: UserPassword::Given("S3cret-ü".to_owned()),
        ..Issue::one(ProductCode::parse("tp").unwrap(), Terms { seats: Limit::AtMost(9), ..Terms::default() })
    };
    app.secret("S3cret-ü");
    app.secret("test@example.com");
    app.issue_as(issue).await
}

/// Both RSA signatures, the mirror, and whether it answers this request.
async fn assert_signed(app: &TestApp, request: &[u8], answer: &Brought) -> serde_json::Value {
    let Carried::Json(json) = unwrap(answer.body.as_bytes()).unwrap() else { panic!("in LicenseSpring's form") };
    let file = LicenseSpringLicense::parse(&json).unwrap();
    let public = app.desk().seals().await.unwrap();
    let public = &public.iter().find(|seal| seal.purpose == SealUse::LicenseSpring).unwrap().public;
    assert_eq!(file.rsa.len(), 2);
    for check in &file.rsa {
        assert!(check.any_of.iter().any(|text| verify_rsa(public, text, &check.signature)), "{}", check.name);
        assert!(!verify_rsa(public, b"something else", &check.signature));
    }
    let keys = app.trusted_keys().await;
    mirror::verify(file.mirror.as_deref().unwrap(), &keys).unwrap();
    verify_answer(request, answer.body.as_bytes(), &keys, Some(app.now())).unwrap();
    serde_json::from_slice(&json).unwrap()
}

async fn every_sample_is_answered_in_its_own_dialect(app: TestApp) {
    let license = samples(&app).await;
    for name in ["v1_activation_key.req", "v2_activation_compact.req", "v2_activation_spaced_escaped.req"] {
        let request = sample(name);
        let answer = app.bring(&request).await.unwrap_or_else(|refused| panic!("{name}: {}", refused.code));
        assert!(!answer.receipt);
        let json = assert_signed(&app, &request, &answer).await;
        assert_eq!(json["license_key"], "FUH3-4E7A-LZJL-7JTP", "{name}");
        assert_eq!(app.bring(&request).await.unwrap(), answer, "{name}");
    }
    assert_eq!(app.seats_taken(&license).await, 3);
    // The user's own machine is the one the key's sample names as well: one machine, one seat.
    let by_user = app.bring(sample("v1_activation_user.req")).await.unwrap();
    assert_eq!(assert_signed(&app, &sample("v1_activation_user.req"), &by_user).await["username"], "test@example.com");
    assert_eq!(app.seats_taken(&license).await, 3);
    // The documented payload was signed with a key nobody knows.
    assert_eq!(app.bring(sample("documented_payload.req")).await.unwrap_err().code, "bad_signature");

    app.pass_days(2);
    let release = sample("v2_deactivation_spaced_utf8.req");
    assert_eq!(app.bring(&release).await.unwrap_err().code, "confirm_release");
    let receipt = app.bring_confirmed(&release).await.unwrap();
    assert!(receipt.receipt);
    verify_answer(&release, receipt.body.as_bytes(), &app.trusted_keys().await, Some(app.now())).unwrap();
    assert_eq!(app.bring_confirmed(&release).await.unwrap(), receipt);
    assert_eq!(app.seats_taken(&license).await, 2);
    let released = app.bring(sample("v2_activation_spaced_escaped.req")).await.unwrap_err();
    assert_eq!(released.code, "request_spent", "the machine was released since");
    // Without `request`: a release, after the question. It names another license than this one.
    assert_eq!(app.bring_confirmed(sample("deactivate_offline.req")).await.unwrap_err().code, "unknown_key");
    // v1 proves no release.
    assert_eq!(app.bring_confirmed(sample("v1_deactivation_key.req")).await.unwrap_err().code, "request_spent");
}

async fn the_same_foreign_file_gets_the_same_bytes_even_at_once(app: TestApp) {
    let license = samples(&app).await;
    let request = sample("v2_activation_compact.req");
    let answers = futures::future::join_all((0..8).map(|_| app.bring(&request))).await;
    let bodies: std::collections::HashSet<String> = answers.into_iter().map(|answer| answer.unwrap().body).collect();
    assert_eq!(bodies.len(), 1);
    assert_eq!(app.seats_taken(&license).await, 1);
}

async fn an_old_client_with_a_customer_beyond_ascii_gets_signatures_it_can_check(app: TestApp) {
    samples(&app).await;
    let request = sample("v1_activation_key.req");
    let answer = app.bring(&request).await.unwrap();
    assert_signed(&app, &request, &answer).await;
    let Carried::Json(json) = unwrap(answer.body.as_bytes()).unwrap() else { panic!() };
    let file = LicenseSpringLicense::parse(&json).unwrap();
    let public = app.desk().seals().await.unwrap();
    let public = &public.iter().find(|seal| seal.purpose == SealUse::LicenseSpring).unwrap().public;
    // The Python client before version 4 signs over text with escapes: that spelling must be the signed one.
    let v2 = file.rsa.iter().find(|check| check.name == "license_signature_v2").unwrap();
    let signed: Vec<&Vec<u8>> = v2.any_of.iter().filter(|text| verify_rsa(public, text, &v2.signature)).collect();
    assert!(!signed.is_empty() && signed.iter().all(|text| text.is_ascii()), "escaped");
}

async fn a_v1_signature_opens_nothing_a_second_time(app: TestApp) {
    app.product_with("tp", crate::licensing::product::ProductRules { min_hold_hours: 0, ..Default::default() }).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("tp", Terms::default()).await;
    let with = |id: &str| json!({ "license_key": license.key.text(), "request_id": id });
    let file = |act: &str, id: &str| foreign.v1(act, "tp", "HW-1", with(id));
    let activation = file("activation", "one");
    let first = app.bring(&activation).await.unwrap();
    assert_eq!(app.bring(&activation).await.unwrap(), first);
    // Under another id it is the same signature again, also with its date a second off or spelt another way.
    assert_eq!(app.bring(file("activation", "two")).await.unwrap_err().code, "request_spent");
    let mut altered = foreign.v1_members("activation", "tp", "HW-1", with("three"));
    altered["date"] = json!("Sat, 21 Nov 2026 00:02:04 GMT");
    assert_eq!(app.bring(flat(&altered)).await.unwrap_err().code, "request_spent");
    // Nor does it release, even where such files are trusted.
    app.rules("tp", |rules| rules.trust_v1_deactivation = true).await;
    assert_eq!(app.bring_confirmed(file("deactivation", "four")).await.unwrap_err().code, "request_spent");
    // A signature of its own does, once.
    let later = |id: &str| {
        let mut more = with(id);
        more["date"] = json!("Sat, 21 Nov 2026 10:00:00 GMT");
        foreign.v1("deactivation", "tp", "HW-1", more)
    };
    app.bring_confirmed(later("five")).await.unwrap();
    app.pass_seconds(1);
    let mut again = with("six");
    again["date"] = json!("Sat, 21 Nov 2026 11:00:00 GMT");
    app.bring(foreign.v1("activation", "tp", "HW-1", again)).await.unwrap();
    assert_eq!(app.bring_confirmed(later("seven")).await.unwrap_err().code, "request_spent");
    assert_eq!(app.bring(&activation).await.unwrap_err().code, "request_spent");
    assert_eq!(app.seats_taken(&license).await, 1);
}

async fn an_envelope_with_a_broken_outer_signature_is_worth_what_v1_is(app: TestApp) {
    let rules = crate::licensing::product::ProductRules { min_hold_hours: 0, trust_v1_deactivation: true, ..Default::default() };
    app.product_with("tp", rules).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("tp", Terms::default()).await;
    let members =
        foreign.v1_members("activation", "tp", "HW-1", json!({ "license_key": license.key.text(), "request_id": "one" }));
    let text = json!(members).to_string();
    let signed = crate::licensing::files::licensespring::hmac::sign(foreign.shared_key.as_bytes(), text.as_bytes());
    app.bring(foreign.envelope(&text, &signed)).await.unwrap();
    // Someone who has that file changes what it asks for: the inner signature still holds, and was seen.
    for (number, outer) in ["", "AAAA", "not base64"].into_iter().enumerate() {
        let mut altered = members.clone();
        altered["request"] = "deactivation".into();
        altered["request_id"] = format!("altered-{number}").into();
        let file = foreign.envelope(&json!(altered).to_string(), outer);
        assert_eq!(app.bring_confirmed(file).await.unwrap_err().code, "request_spent", "{outer}");
    }
    assert_eq!(app.seats_taken(&license).await, 1);
}

async fn an_app_reaches_only_what_it_may(app: TestApp) {
    app.product("tp").await;
    app.product("other").await;
    let license = app.issue("tp", Terms::default()).await;
    let members = || json!({ "license_key": license.key.text() });
    let code = async |foreign: &ForeignApp| match app.bring(foreign.v2("activation", "tp", "HW-1", members())).await {
        Ok(_) => "answered".to_owned(),
        Err(Refused { code, .. }) => code,
    };
    let elsewhere = ForeignApp::new(&app, Some(vec!["other".to_owned()]), false).await;
    let reader = ForeignApp::new(&app, None, true).await;
    let gone = ForeignApp::new(&app, None, false).await;
    app.desk().revoke_api_key(&OPERATOR, gone.id).await.unwrap();
    let mut unknown = ForeignApp::new(&app, None, false).await;
    for refused in [&elsewhere, &reader, &gone] {
        assert_eq!(code(refused).await, "invalid_api_key");
    }
    unknown.api_key = "00000000-0000-4000-8000-000000000000".to_owned();
    assert_eq!(code(&unknown).await, "invalid_api_key");
    let mut wrong = ForeignApp::new(&app, None, false).await;
    wrong.shared_key = "another shared key, forty symbols long..".to_owned();
    assert_eq!(code(&wrong).await, "bad_signature");
    assert_eq!(app.count("activation").await, 0);
    let right = ForeignApp::new(&app, Some(vec!["TP".to_owned()]), false).await;
    assert_eq!(code(&right).await, "answered");
}

async fn a_foreign_release_frees_only_what_the_same_app_took(app: TestApp) {
    app.product("tp").await;
    app.rules("tp", |rules| rules.min_hold_hours = 0).await;
    let (one, other) = (ForeignApp::new(&app, None, false).await, ForeignApp::new(&app, None, false).await);
    let license = app.issue("tp", Terms { seats: Limit::AtMost(5), ..Terms::default() }).await;
    let members = |id: &str| json!({ "license_key": license.key.text(), "request_id": id });
    app.bring(one.v2("activation", "tp", "HW-1", members("a"))).await.unwrap();
    app.activate_by_form(&license.key, "HW-2", &[]).await.unwrap();
    app.bring(Machine::new("HW-3").activate(&license)).await.unwrap();
    assert_eq!(
        app.bring_confirmed(other.v2("deactivation", "tp", "HW-1", members("b"))).await.unwrap_err().code,
        "not_this_device"
    );
    for hardware in ["HW-2", "HW-3"] {
        let release = one.v2("deactivation", "tp", hardware, members("c"));
        assert_eq!(app.bring_confirmed(release).await.unwrap_err().code, "not_this_device", "{hardware}");
    }
    assert_eq!(app.bring_confirmed(one.v2("deactivation", "tp", "HW-9", members("d"))).await.unwrap_err().code, "not_activated");
    // A flat file proves no release while the vendor does not say so.
    let v1 = one.v1(
        "deactivation",
        "tp",
        "HW-1",
        json!({ "license_key": license.key.text(), "date": "Sat, 21 Nov 2026 09:00:00 GMT" }),
    );
    assert_eq!(app.bring_confirmed(v1).await.unwrap_err().code, "release_not_proved");
    app.bring_confirmed(one.v2("deactivation", "tp", "HW-1", members("e"))).await.unwrap();
    assert_eq!(app.seats_taken(&license).await, 2);
}

async fn passwords_cannot_be_tried_by_file_without_end(app: TestApp) {
    samples(&app).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let file = |number: u32, password: &str| {
        let members = json!({ "username": "Test@example.com", "password": password, "request_id": format!("{number}") });
        foreign.v1("activation", "tp", &format!("HW-{number}"), members)
    };
    for number in 0..20 {
        assert_eq!(app.bring(file(number, "a guess")).await.unwrap_err().code, "user_credentials_invalid");
    }
    assert_eq!(app.bring(file(99, "S3cret-ü")).await.unwrap_err().code, "too_many_tries");
    app.pass_seconds(900);
    app.bring(file(99, "S3cret-ü")).await.unwrap();
    let _ = base64::standard(b"");
}

async fn a_question_to_a_plain_form_is_answered_by_bringing_the_file_again(app: TestApp) {
    app.product_with("tp", crate::licensing::product::ProductRules { min_hold_hours: 0, ..Default::default() }).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("tp", Terms::default()).await;
    let members = |id: &str| json!({ "license_key": license.key.text(), "request_id": id });
    let (activation, release) =
        (foreign.v2("activation", "tp", "HW-1", members("a")), foreign.v2("deactivation", "tp", "HW-1", members("b")));
    // One file that can be answered and one that asks back: both are on a page that can be opened again.
    let (link, page) = app.bring_plainly(&[("a.req", &activation), ("b.req", &release)]).await;
    assert_eq!(page.rows.len(), 2);
    let html = app.get(&format!("/offline/{link}")).await.text();
    assert!(html.contains("Release this machine") && html.contains("type=\"file\"") && html.contains("name=\"confirmed\""));
    assert!(!html.contains(std::str::from_utf8(&release).unwrap()), "files are not kept");
    assert_eq!(app.seats_taken(&license).await, 1);
    let reply = app.post_files("/offline", "files", &[("b.req", &release)], &[("confirmed", "1")]).await;
    assert_eq!(reply.status, 303);
    app.secret(reply.location().trim_start_matches("/offline/"));
    assert_eq!(app.seats_taken(&license).await, 0);
    let html = app.get(reply.location()).await.text();
    assert!(html.contains("The machine is released"));
}

async fn a_users_password_releases_nothing(app: TestApp) {
    app.product_with("tp", crate::licensing::product::ProductRules { min_hold_hours: 0, ..Default::default() }).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let users = vec![crate::licensing::Email::parse("bob@customer.example").unwrap()];
    let user_password = crate::desk::UserPassword::Given("bob's own password".to_owned());
    let issue = crate::desk::Issue::one(ProductCode::parse("tp").unwrap(), Terms::default());
    let license = app.issue_as(crate::desk::Issue { users, user_password, ..issue }).await;
    let members = json!({ "username": "bob@customer.example", "password": "bob's own password" });
    app.bring(foreign.v2("activation", "tp", "HW-1", members.clone())).await.unwrap();
    let refused = app.bring_confirmed(foreign.v2("deactivation", "tp", "HW-1", members)).await.unwrap_err();
    assert_eq!((refused.code.as_str(), app.seats_taken(&license).await), ("user_proof_required", 1));
}
