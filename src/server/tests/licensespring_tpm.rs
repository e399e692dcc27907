//! Machines that keep a key in their TPM: once it was enrolled, nothing of the machine counts without its signature.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use super::{
    Licensed, Machine, Reply, TestApp,
    app::device,
    foreign::ForeignApp,
    licensespring::{OPERATOR, code, seats, signed},
};
use crate::licensing::files::base64;

tests! {
    both:
        a_key_that_was_enrolled_signs_every_call;
    once:
        a_key_is_enrolled_by_who_has_it,
        no_other_door_lets_such_a_machine_in,
        a_file_carries_the_signature_too;
}

/// A key in a machine's TPM.
pub(super) struct Tpm(EcdsaKeyPair);

impl Tpm {
    pub(super) fn new() -> Self {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap())
    }

    pub(super) fn enrollment(&self) -> Value {
        let mut der = base64::from_standard("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=").unwrap();
        der.extend(self.0.public_key().as_ref());
        json!({ "signing_public_key": base64::standard(&der) })
    }

    pub(super) fn sign(&self, message: &str) -> String {
        base64::standard(self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref())
    }
}

/// A call with what the TPM signed of it.
pub(super) async fn call(
    app: &TestApp,
    foreign: &ForeignApp,
    path: &str,
    body: Value,
    sign: impl FnOnce(&str) -> Option<String>,
) -> Reply {
    let date = app.now().to_http_date();
    let authorization = foreign.headers(&date);
    let signature = authorization.split("signature=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let mut request =
        Request::post(format!("/api/v4{path}")).header(header::DATE, &date).header(header::AUTHORIZATION, &authorization);
    if let Some(by_tpm) = sign(&signature) {
        request = request.header("licensespring-tpm-signature", format!("algorithm=\"ES256\",signature=\"{by_tpm}\""));
    }
    app.send(request.body(Body::from(body.to_string())).unwrap()).await
}

fn about(license: &Licensed, enrolls: Option<&Tpm>) -> Value {
    let mut body = json!({ "product": license.product, "hardware_id": "HW-1", "license_key": license.key.text() });
    if let Some(tpm) = enrolls {
        body["tpm_enrollment"] = tpm.enrollment();
    }
    body
}

async fn a_key_that_was_enrolled_signs_every_call(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(2)).await;
    let (tpm, other) = (Tpm::new(), Tpm::new());
    let by = |tpm: &Tpm, text: &str| Some(tpm.sign(text));
    let made = call(&app, &foreign, "/activate_license", about(&license, Some(&tpm)), |text| by(&tpm, text)).await;
    let body = signed(&app, &made).await;
    assert_eq!((&body["is_tpm_auth"], &body["is_hardware_key_auth"]), (&json!(true), &json!(true)));
    assert_eq!(body["tpm_signing_public_key"], tpm.enrollment()["signing_public_key"]);
    for (path, more) in [
        ("/activate_license", json!({})),
        ("/track_device_variables", json!({ "variables": { "a": "1" } })),
        ("/floating/release", json!({})),
        ("/deactivate_license", json!({})),
    ] {
        let mut body = about(&license, None);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        for (sign, expected) in [
            (None, "tpm_signature_required"),
            (Some("not a signature".to_owned()), "tpm_signature_required"),
            (Some(base64::standard(&[7; 64])), "tpm_signature_invalid"),
            (Some(other.sign("anything")), "tpm_signature_invalid"),
        ] {
            let reply = call(&app, &foreign, path, body.clone(), |_| sign.clone()).await;
            assert_eq!(code(&reply), expected, "{path} {sign:?}");
        }
    }
    assert_eq!(code(&foreign.check(&app, &license, "HW-1").await), "tpm_signature_required");
    // Another machine has no key and needs none.
    assert_eq!(foreign.activate(&app, &license, "HW-2").await.status, 200);
    let mine = call(&app, &foreign, "/deactivate_license", about(&license, None), |text| by(&tpm, text)).await;
    assert_eq!(mine.text(), "license_deactivated");
    // It speaks for the machine still.
    assert_eq!(code(&foreign.activate(&app, &license, "HW-1").await), "tpm_signature_required");
    let again = call(&app, &foreign, "/activate_license", about(&license, None), |text| by(&tpm, text)).await;
    assert_eq!(again.status, 200);
}

async fn a_key_is_enrolled_by_who_has_it(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(2)).await;
    let (tpm, other) = (Tpm::new(), Tpm::new());
    let enroll = async |tpm: &Tpm, signer: Option<&Tpm>| {
        let body = about(&license, Some(tpm));
        call(&app, &foreign, "/activate_license", body, |text| signer.map(|signer| signer.sign(text))).await
    };
    assert_eq!(code(&enroll(&tpm, None).await), "tpm_signature_required");
    assert_eq!(code(&enroll(&tpm, Some(&other)).await), "tpm_signature_invalid");
    assert_eq!(app.seats_taken(&license).await, 0);
    for wrong in [json!({ "signing_public_key": "AAAA" }), json!({}), json!("key")] {
        let mut body = about(&license, None);
        body["tpm_enrollment"] = wrong.clone();
        let reply = call(&app, &foreign, "/activate_license", body, |text| Some(tpm.sign(text))).await;
        assert_eq!(code(&reply), "validation_error", "{wrong}");
    }
    // A machine that was activated without one may enrol one later, and then no other.
    assert_eq!(foreign.activate(&app, &license, "HW-1").await.status, 200);
    assert_eq!(enroll(&tpm, Some(&tpm)).await.status, 200);
    assert_eq!(code(&enroll(&other, Some(&other)).await), "tpm_key_differs");
    assert_eq!(code(&enroll(&other, Some(&tpm)).await), "tpm_key_differs");
    assert_eq!(enroll(&tpm, Some(&tpm)).await.status, 200);
    // Staff sets it free, for a machine whose board was replaced.
    app.desk().release_device(&OPERATOR, license.id, &device("HW-1")).await.unwrap();
    assert_eq!(enroll(&other, Some(&other)).await.status, 200);
}

async fn no_other_door_lets_such_a_machine_in(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(2)).await;
    let tpm = Tpm::new();
    let made = call(&app, &foreign, "/activate_license", about(&license, Some(&tpm)), |text| Some(tpm.sign(text))).await;
    assert_eq!(made.status, 200);
    let by_form = app.activate_by_form(&license.key, "HW-1", &[]).await;
    assert_eq!(by_form.unwrap_err().code, "device_key_required");
    let machine = Machine::new("HW-1");
    assert_eq!(app.bring(machine.activate(&license)).await.unwrap_err().code, "device_key_required");
    assert_eq!(app.bring(machine.release(&license)).await.unwrap_err().code, "not_this_device");
    let more = json!({ "license_key": license.key.text(), "request_id": "r-1" });
    let file = foreign.v2("activation", "press", "HW-1", more.clone());
    assert_eq!(app.bring(file).await.unwrap_err().code, "device_key_required");
    let file = foreign.v2("deactivation", "press", "HW-1", more);
    assert_eq!(app.bring_confirmed(file).await.unwrap_err().code, "not_this_device");
}

async fn a_file_carries_the_signature_too(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(2)).await;
    let (tpm, other) = (Tpm::new(), Tpm::new());
    let file = |act: &str, id: &str, hardware: &str, enrolls: Option<&Tpm>, signer: Option<&Tpm>| {
        let mut more = json!({ "license_key": license.key.text(), "request_id": id });
        let members = foreign.v1_members(act, "press", hardware, more.clone());
        more["signature"] = members["signature"].clone();
        if let Some(tpm) = enrolls {
            more["tpm_enrollment"] = tpm.enrollment();
        }
        if let Some(signer) = signer {
            // Without a comma between the two: as the client writes it.
            let by_tpm = signer.sign(members["signature"].as_str().unwrap());
            more["licensespring-tpm-signature"] = format!("algorithm=\"ES256\"signature=\"{by_tpm}\"").into();
        }
        foreign.v2(act, "press", hardware, more)
    };
    let refused = async |file: Vec<u8>| app.bring_confirmed(file).await.unwrap_err().code;
    assert_eq!(refused(file("activation", "r-1", "HW-1", Some(&tpm), None)).await, "device_key_required");
    assert_eq!(refused(file("activation", "r-2", "HW-1", Some(&tpm), Some(&other))).await, "device_key_required");
    app.bring(file("activation", "r-3", "HW-1", Some(&tpm), Some(&tpm))).await.unwrap();
    assert_eq!(code(&foreign.check(&app, &license, "HW-1").await), "tpm_signature_required");
    app.pass_days(2);
    assert_eq!(refused(file("deactivation", "r-4", "HW-1", None, Some(&other))).await, "not_this_device");
    app.bring_confirmed(file("deactivation", "r-5", "HW-1", None, Some(&tpm))).await.unwrap();
    assert_eq!(app.seats_taken(&license).await, 0);
    // A flat file's signature covers no enrollment, so none is taken from it.
    let mut members =
        foreign.v1_members("activation", "press", "HW-2", json!({ "license_key": license.key.text(), "request_id": "r-6" }));
    members.insert("tpm_enrollment".into(), other.enrollment());
    let by_tpm = other.sign(members["signature"].as_str().unwrap());
    members.insert("licensespring-tpm-signature".into(), format!("algorithm=\"ES256\"signature=\"{by_tpm}\"").into());
    app.bring(super::foreign::flat(&members)).await.unwrap();
    assert_eq!(foreign.check(&app, &license, "HW-2").await.status, 200);
    // One that cannot be read is no request.
    let broken = json!({ "license_key": license.key.text(), "tpm_enrollment": { "signing_public_key": "AAAA" } });
    assert_eq!(refused(foreign.v2("activation", "press", "HW-3", broken)).await, "unknown_format");
}
