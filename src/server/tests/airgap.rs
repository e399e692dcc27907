//! Air-gapped machines, from the policy to the confirmation code: with an app of another implementation, and with whoever would like
//! to have a seat, or another's.

use p256::ecdsa::{
    Signature, SigningKey, VerifyingKey,
    signature::{Verifier as _, hazmat::PrehashSigner as _},
};
use serde_json::Value;

use super::{
    Licensed, Refused, TestApp,
    app::{code, device},
    licensespring::OPERATOR,
};
use crate::{
    desk::{ActError, AirGapCode, AirGapCodes, Area, Confirmed, Edit, Issue, Level, Renewal, Role, Visitor},
    licensing::{
        ActivationKey, ProductCode,
        activation::{Device, How},
        airgap::{CodePurpose, OPEN_CODES, ShownCode},
        files::base64,
        license::{Expiry, LicenseType, Limit, Terms},
        product::ProductRules,
        seal::SealUse,
    },
    vault::verify_rsa,
};

tests! {
    both:
        a_machine_is_activated_and_released_by_codes,
        many_at_once_take_no_more_seats_than_there_are;
    once:
        the_same_code_again_is_confirmed_again_while_it_is_so,
        a_code_serves_its_machine_license_and_purpose_alone,
        a_code_lasts_a_week,
        whoever_has_the_key_releases_nothing,
        staff_begins_a_release_and_viewers_may_not,
        no_other_door_lets_an_air_gapped_license_in,
        what_a_machine_has_read_never_changes,
        a_license_of_the_policy_has_its_terms,
        a_policy_file_is_signed_and_says_what_was_sold,
        codes_are_kept_nowhere,
        staff_adds_policies_issues_from_them_and_takes_their_file,
        a_key_typed_otherwise_is_confirmed_as_it_was_typed;
}

async fn staff_adds_policies_issues_from_them_and_takes_their_file(app: TestApp) {
    app.product("press").await;
    let owner = app.staff("ann@vendor.example", Role::Owner).await;
    let path = "/vendor/products/press";
    let add = async |fields: &[(&str, &str)]| app.post_as(&owner, &format!("{path}/policies"), fields).await;
    for (fields, told) in [
        (vec![("name", "I"), ("code", "island"), ("seats", "none"), ("air_gapped", "1")], "Type a number"),
        (vec![("name", "I"), ("code", "island"), ("seats", "1"), ("ends", "soon")], "Type a day"),
        (vec![("name", "I"), ("code", "is land"), ("seats", "1")], "letters, digits, dashes"),
    ] {
        let reply = add(&fields).await;
        assert_eq!(reply.status, axum::http::StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(reply.text().contains(told), "{told}");
    }
    let island = [("name", "Mine"), ("code", "island"), ("seats", "2"), ("ends", "2031-12-31"), ("air_gapped", "1")];
    assert_eq!(add(&island).await.location(), format!("{path}?tab=policies&said=added"));
    assert_eq!(add(&island).await.status, axum::http::StatusCode::CONFLICT);
    add(&[("name", "Plain"), ("code", "plain"), ("seats", "1")]).await;
    let page = app.get_as(&owner, &format!("{path}?tab=policies")).await.text();
    assert!(page.contains("air-gapped, number") && page.contains("island.lic") && !page.contains("plain.lic"));

    let file = app.get_as(&owner, &format!("{path}/policies/island.lic")).await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"island.lic\"");
    assert_eq!(file.text(), app.desk().policy_file(&OPERATOR, &press(), "island").await.unwrap());
    for none in ["plain.lic", "none.lic", "island"] {
        let reply = app.get_as(&owner, &format!("{path}/policies/{none}")).await;
        assert_eq!(reply.status, axum::http::StatusCode::NOT_FOUND, "{none}");
    }

    let issued = app.post_as(&owner, &format!("{path}/policies/island/issue"), &[]).await;
    let page = app.get_as(&owner, issued.location()).await.text();
    assert!(page.contains("31 Dec 2031"), "{page}");
    let viewer = app.staff("viewer@vendor.example", Role::Viewer).await;
    for path in [format!("{path}/policies"), format!("{path}/policies/island/issue")] {
        assert_eq!(app.post_as(&viewer, &path, &island).await.status, axum::http::StatusCode::FORBIDDEN, "{path}");
    }
}

/// An app on an air-gapped machine.
struct Island {
    id: &'static str,
}

impl Island {
    /// What it shows once the initialization code was typed in.
    fn answer(&self, initialization: &str, key: &str) -> ShownCode {
        let signing = SigningKey::from_slice(&base64::from_standard(initialization).unwrap()).unwrap();
        let message = format!("{}{key}", self.id);
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, message.as_bytes());
        let signature: Signature = signing.sign_prehash(hash.as_ref()).unwrap();
        ShownCode::parse(&base64::standard(&signature.to_bytes())).unwrap()
    }

    fn codes(&self, license: &Licensed, purpose: CodePurpose, shown: ShownCode) -> AirGapCodes {
        AirGapCodes {
            key: license.key.clone(),
            key_as_typed: None,
            product: None,
            device: Device::bare(device(self.id)),
            purpose,
            shown,
            door: "test",
        }
    }

    async fn activate(&self, app: &TestApp, license: &Licensed) -> Result<Confirmed, ActError> {
        let given = begin(app, license).await?;
        let shown = self.answer(&given.initialization_code, &license.key.text());
        app.desk().confirm_code(self.codes(license, CodePurpose::Activation, shown)).await
    }

    async fn release(&self, app: &TestApp, license: &Licensed, visitor: Option<&Visitor>) -> Result<Confirmed, ActError> {
        let id = device(self.id);
        let given = app.desk().give_out_code(visitor, &license.key, None, Some(&id), "test").await?;
        let shown = self.answer(&given.initialization_code, &license.key.text());
        app.desk().confirm_code(self.codes(license, CodePurpose::Deactivation, shown)).await
    }

    /// As the app checks what it is told to end with.
    async fn believes(&self, app: &TestApp, key: &str, confirmed: &Confirmed) -> bool {
        let seals = app.desk().seals().await.unwrap();
        let raw = seals.iter().find(|seal| seal.purpose == SealUse::AirGap && seal.signs()).unwrap().public.clone();
        let vendor = VerifyingKey::from_sec1_bytes(&[&[4], raw.as_slice()].concat()).unwrap();
        let signature = Signature::from_slice(&base64::from_standard(&confirmed.confirmation_code).unwrap()).unwrap();
        let message = format!("{}{key}{}", self.id, confirmed.policy.0);
        vendor.verify(message.as_bytes(), &signature).is_ok()
    }
}

const ONE: Island = Island { id: "island-1" };
const TWO: Island = Island { id: "island-2" };

async fn begin(app: &TestApp, license: &Licensed) -> Result<AirGapCode, ActError> {
    app.desk().give_out_code(None, &license.key, None, None, "test").await
}

fn terms() -> Terms {
    Terms { air_gapped: true, kind: LicenseType::Perpetual, ..Terms::default() }
}

fn press() -> ProductCode {
    ProductCode::parse("press").unwrap()
}

/// A product with an air-gapped policy, and a license of it for so many machines.
async fn sold(app: &TestApp, seats: u32) -> Licensed {
    if app.desk().product(&press()).await.is_err() {
        app.product("press").await;
        app.desk().add_policy(&OPERATOR, &press(), "island", "Island", terms()).await.unwrap();
    }
    let terms = Terms { seats: Limit::AtMost(seats), ..terms() };
    app.issue_as(Issue { policy: Some("island".to_owned()), ..Issue::one(press(), terms) }).await
}

async fn a_machine_is_activated_and_released_by_codes(app: TestApp) {
    let license = sold(&app, 1).await;
    let confirmed = ONE.activate(&app, &license).await.unwrap();
    assert!(ONE.believes(&app, &license.key.text(), &confirmed).await);
    assert!(!TWO.believes(&app, &license.key.text(), &confirmed).await);
    assert_eq!(app.seats_taken(&license).await, 1);
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    assert_eq!(view.activations[0].activation.how, How::AirGapped);
    assert_eq!(view.history[0].act, "license.activated");

    assert_eq!(code(TWO.activate(&app, &license).await), "seats_exhausted");
    let released = ONE.release(&app, &license, Some(&OPERATOR)).await.unwrap();
    assert!(ONE.believes(&app, &license.key.text(), &released).await);
    assert_eq!(app.seats_taken(&license).await, 0);
    assert!(TWO.activate(&app, &license).await.is_ok());
    assert_eq!(app.license(&license).await.transfers_used, 1);
    assert_eq!(code(ONE.release(&app, &license, Some(&OPERATOR)).await), "not_activated");
}

async fn many_at_once_take_no_more_seats_than_there_are(app: TestApp) {
    const IDS: [&str; 8] = ["m-0", "m-1", "m-2", "m-3", "m-4", "m-5", "m-6", "m-7"];
    let license = sold(&app, 3).await;
    let tries = IDS.map(|id| {
        let (app, license) = (app.clone(), license.clone());
        async move { code(Island { id }.activate(&app, &license).await) }
    });
    let ended = futures::future::join_all(tries).await;
    assert_eq!(ended.iter().filter(|end| **end == "done").count(), 3, "{ended:?}");
    assert_eq!(ended.iter().filter(|end| **end == "seats_exhausted").count(), 5, "{ended:?}");
    assert_eq!(app.seats_taken(&license).await, 3);

    // One code, brought many times at once, is one seat.
    let license = sold(&app, 3).await;
    let given = begin(&app, &license).await.unwrap();
    let shown = ONE.answer(&given.initialization_code, &license.key.text());
    let codes = ONE.codes(&license, CodePurpose::Activation, shown);
    let ended = futures::future::join_all((0..8).map(|_| app.desk().confirm_code(codes.clone()))).await;
    assert!(ended.iter().all(Result::is_ok));
    assert_eq!(app.seats_taken(&license).await, 1);
}

async fn the_same_code_again_is_confirmed_again_while_it_is_so(app: TestApp) {
    let license = sold(&app, 1).await;
    let given = begin(&app, &license).await.unwrap();
    let shown = ONE.answer(&given.initialization_code, &license.key.text());
    let activation = ONE.codes(&license, CodePurpose::Activation, shown);
    for _ in 0..2 {
        let confirmed = app.desk().confirm_code(activation.clone()).await.unwrap();
        assert!(ONE.believes(&app, &license.key.text(), &confirmed).await);
    }
    assert_eq!(app.seats_taken(&license).await, 1);
    // Long after the initialization code ran out, too: what it did is still so.
    app.pass_days(20);
    assert!(app.desk().confirm_code(activation.clone()).await.is_ok());

    let id = device(ONE.id);
    let given = app.desk().give_out_code(Some(&OPERATOR), &license.key, None, Some(&id), "test").await.unwrap();
    let shown = ONE.answer(&given.initialization_code, &license.key.text());
    let release = ONE.codes(&license, CodePurpose::Deactivation, shown);
    for _ in 0..2 {
        assert!(app.desk().confirm_code(release.clone()).await.is_ok());
    }
    // Nobody gets the seat back by showing the old code.
    assert_eq!(code(app.desk().confirm_code(activation.clone()).await), "code_spent");
    assert_eq!(app.seats_taken(&license).await, 0);
    ONE.activate(&app, &license).await.unwrap();
    assert_eq!(code(app.desk().confirm_code(release).await), "code_spent");
    assert_eq!(app.seats_taken(&license).await, 1);
}

async fn a_code_serves_its_machine_license_and_purpose_alone(app: TestApp) {
    let (license, other) = (sold(&app, 5).await, sold(&app, 5).await);
    let given = begin(&app, &license).await.unwrap();
    let key = license.key.text();
    let shown = ONE.answer(&given.initialization_code, &key);
    let misfits = [
        ("another machine", TWO.codes(&license, CodePurpose::Activation, shown.clone())),
        ("another license", ONE.codes(&other, CodePurpose::Activation, shown.clone())),
        ("another act", ONE.codes(&license, CodePurpose::Deactivation, shown.clone())),
        ("another key", ONE.codes(&license, CodePurpose::Activation, ONE.answer(&given.initialization_code, &other.key.text()))),
        ("no signature", ONE.codes(&license, CodePurpose::Activation, ShownCode([7; 64]))),
    ];
    for (what, codes) in misfits {
        assert_eq!(code(app.desk().confirm_code(codes).await), "code_does_not_fit", "{what}");
    }
    assert_eq!((app.seats_taken(&license).await, app.seats_taken(&other).await), (0, 0));
    assert!(app.desk().confirm_code(ONE.codes(&license, CodePurpose::Activation, shown)).await.is_ok(), "nothing was used up");

    // A code to release one machine releases no other.
    TWO.activate(&app, &license).await.unwrap();
    let one = device(ONE.id);
    let given = app.desk().give_out_code(Some(&OPERATOR), &license.key, None, Some(&one), "test").await.unwrap();
    let shown = TWO.answer(&given.initialization_code, &key);
    assert_eq!(code(app.desk().confirm_code(TWO.codes(&license, CodePurpose::Deactivation, shown)).await), "code_does_not_fit");

    let unknown = Licensed { key: ActivationKey::from_random([3; 10]), ..license.clone() };
    assert_eq!(code(begin(&app, &unknown).await), "unknown_key");
    let plain = app.issue("press", Terms::default()).await;
    assert_eq!(code(begin(&app, &plain).await), "not_air_gapped");
    assert_eq!(
        code(app.desk().confirm_code(ONE.codes(&plain, CodePurpose::Activation, ShownCode([7; 64]))).await),
        "not_air_gapped"
    );
    app.desk().disable_license(&OPERATOR, license.id, String::new()).await.unwrap();
    assert_eq!(code(begin(&app, &license).await), "license_disabled");
}

async fn a_code_lasts_a_week(app: TestApp) {
    let license = sold(&app, 30).await;
    let given = begin(&app, &license).await.unwrap();
    let shown = ONE.answer(&given.initialization_code, &license.key.text());
    app.pass_days(7);
    assert_eq!(code(app.desk().confirm_code(ONE.codes(&license, CodePurpose::Activation, shown.clone())).await), "code_expired");
    // A month later nothing is known of it any more.
    app.pass_days(31);
    app.desk().housekeeping().await.unwrap();
    assert_eq!(code(app.desk().confirm_code(ONE.codes(&license, CodePurpose::Activation, shown)).await), "code_does_not_fit");

    for _ in 0..OPEN_CODES {
        begin(&app, &license).await.unwrap();
    }
    assert_eq!(code(begin(&app, &license).await), "too_many_codes");
    app.pass_days(7);
    assert!(begin(&app, &license).await.is_ok());
}

async fn whoever_has_the_key_releases_nothing(app: TestApp) {
    let license = sold(&app, 1).await;
    ONE.activate(&app, &license).await.unwrap();
    app.pass_days(2);
    assert_eq!(code(ONE.release(&app, &license, None).await), "release_not_proved");
    assert_eq!(app.seats_taken(&license).await, 1);
    // A product may trust them; then the limits of releases by file hold.
    app.rules("press", |rules| rules.trust_airgap_deactivation = true).await;
    assert!(ONE.release(&app, &license, None).await.is_ok());
    ONE.activate(&app, &license).await.unwrap();
    assert_eq!(code(ONE.release(&app, &license, None).await), "held_too_short");
    assert_eq!(app.seats_taken(&license).await, 1);
}

async fn staff_begins_a_release_and_viewers_may_not(app: TestApp) {
    let license = sold(&app, 1).await;
    ONE.activate(&app, &license).await.unwrap();
    let viewer = app.staff("viewer@vendor.example", Role::Viewer).await;
    let viewer = app.desk().visitor(&viewer).await.unwrap().unwrap();
    assert!(viewer.needs(Area::Licenses, Level::Manage).is_err());
    assert_eq!(code(ONE.release(&app, &license, Some(&viewer)).await), "forbidden");
    assert_eq!(app.seats_taken(&license).await, 1);
    // On staff's word at once, however short it was held.
    assert!(ONE.release(&app, &license, Some(&OPERATOR)).await.is_ok());
}

async fn no_other_door_lets_an_air_gapped_license_in(app: TestApp) {
    let license = sold(&app, 2).await;
    let refused: Refused = app.activate_by_form(&license.key, ONE.id, &[]).await.unwrap_err();
    assert_eq!(refused.code, "air_gapped_only");
    let file = super::Machine::new(ONE.id).activate(&license);
    assert_eq!(app.bring(file).await.unwrap_err().code, "air_gapped_only");
    assert_eq!(app.seats_taken(&license).await, 0);
}

async fn what_a_machine_has_read_never_changes(app: TestApp) {
    let license = sold(&app, 1).await;
    let more = Edit { seats: Some(Limit::AtMost(9)), ..Edit::default() };
    assert_eq!(code(app.desk().edit_license(&OPERATOR, license.id, more).await), "bad_field");
    let away = |terms: &mut Terms| {
        terms.air_gapped = false;
        Ok(())
    };
    assert_eq!(code(app.desk().edit_terms(&OPERATOR, license.id, None, away).await), "bad_field");
    let day = "2031-01-01".parse().unwrap();
    assert_eq!(code(app.desk().renew_license(&OPERATOR, license.id, Renewal::Until(day), None).await), "bad_field");
    let note = Edit { note: Some("sold at the fair".to_owned()), ..Edit::default() };
    app.desk().edit_license(&OPERATOR, license.id, note).await.unwrap();
    app.desk().disable_license(&OPERATOR, license.id, "chargeback".to_owned()).await.unwrap();
    // And no license becomes one.
    let plain = app.issue("press", Terms::default()).await;
    let into = |terms: &mut Terms| {
        terms.air_gapped = true;
        Ok(())
    };
    assert_eq!(code(app.desk().edit_terms(&OPERATOR, plain.id, None, into).await), "bad_field");
}

async fn a_license_of_the_policy_has_its_terms(app: TestApp) {
    sold(&app, 1).await;
    let issue = async |policy: Option<&str>, terms: Terms| {
        let issue = Issue { policy: policy.map(str::to_owned), ..Issue::one(press(), terms) };
        code(app.desk().issue(&OPERATOR, issue).await)
    };
    assert_eq!(issue(Some("island"), terms()).await, "done");
    let ends = Terms { expiry: Expiry::on(app.now().plus_days(9)), ..terms() };
    assert_eq!(issue(Some("island"), ends.clone()).await, "bad_field");
    assert_eq!(issue(Some("island"), Terms::default()).await, "bad_field");
    assert_eq!(issue(None, terms()).await, "bad_field");
    let counted = Terms { expiry: Expiry { days_after_first_activation: Some(30), ..Expiry::NEVER }, ..terms() };
    assert_eq!(code(app.desk().add_policy(&OPERATOR, &press(), "counted", "", counted).await), "bad_field");
    app.product_by("users", crate::licensing::product::Authorization::User, ProductRules::default()).await;
    let users = ProductCode::parse("users").unwrap();
    assert_eq!(code(app.desk().add_policy(&OPERATOR, &users, "island", "", terms()).await), "bad_field");
    assert_eq!(code(app.desk().add_policy(&OPERATOR, &press(), "fair", "", ends).await), "done");
}

async fn a_policy_file_is_signed_and_says_what_was_sold(app: TestApp) {
    sold(&app, 1).await;
    let file = app.desk().policy_file(&OPERATOR, &press(), "ISLAND").await.unwrap();
    let json = String::from_utf8(base64::from_standard(&file).unwrap()).unwrap();
    let mut members: serde_json::Map<String, Value> = serde_json::from_str(&json).unwrap();
    let policy = app.desk().product(&press()).await.unwrap().policies.remove(0);
    assert_eq!(members["id"], policy.id.0);
    assert_eq!(members["default_license_type"], "perpetual");
    let signature = members.shift_remove("license_signature_v2").unwrap();
    let text = serde_json::to_string(&members).unwrap();
    let seals = app.desk().seals().await.unwrap();
    let key = &seals.iter().find(|seal| seal.purpose == SealUse::LicenseSpring).unwrap().public;
    assert!(verify_rsa(key, text.as_bytes(), &base64::from_standard(signature.as_str().unwrap()).unwrap()));
    assert_eq!(app.desk().policy_file(&OPERATOR, &press(), "island").await.unwrap(), file, "it never changes");
    app.desk().add_policy(&OPERATOR, &press(), "plain", "", Terms::default()).await.unwrap();
    assert_eq!(code(app.desk().policy_file(&OPERATOR, &press(), "plain").await), "bad_field");
    assert_eq!(code(app.desk().policy_file(&OPERATOR, &press(), "none").await), "not_found");
}

async fn codes_are_kept_nowhere(app: TestApp) {
    let license = sold(&app, 1).await;
    let given = begin(&app, &license).await.unwrap();
    let secret = given.initialization_code.to_string();
    app.secret(secret.clone());
    app.assert_not_kept("an initialization code", secret.as_bytes()).await;
    app.assert_not_kept("its key", &base64::from_standard(&secret).unwrap()).await;
}

async fn a_key_typed_otherwise_is_confirmed_as_it_was_typed(app: TestApp) {
    let license = sold(&app, 1).await;
    let typed = license.key.text().to_lowercase();
    let given = begin(&app, &license).await.unwrap();
    let shown = ONE.answer(&given.initialization_code, &typed);
    let codes = ONE.codes(&license, CodePurpose::Activation, shown);
    assert_eq!(code(app.desk().confirm_code(codes.clone()).await), "code_does_not_fit");
    let confirmed = app.desk().confirm_code(AirGapCodes { key_as_typed: Some(format!(" {typed} ")), ..codes }).await.unwrap();
    assert!(ONE.believes(&app, &typed, &confirmed).await);
}
