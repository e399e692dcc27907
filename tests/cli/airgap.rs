//! Machines that nothing but codes reaches, with an app of another implementation.

use std::fs;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use p256::ecdsa::{
    Signature, SigningKey, VerifyingKey,
    signature::{Verifier as _, hazmat::PrehashSigner as _},
};
use serde_json::Value;

use crate::support::Portal;

#[test]
fn an_air_gapped_machine_is_activated_and_released_by_codes() {
    let portal = Portal::new();
    let policy = portal.done(&["airgap-policy", "add", "press-4", "island", "--valid-until", "2031-12-31"]);
    assert_eq!(portal.refused(&["airgap-policy", "add", "press-4", "counted", "--valid-days", "30"]), "bad_field");
    assert_eq!(portal.refused(&["airgap-policy", "add", "press-4", "shared", "--floating", "3"]), "bad_field");
    portal.done(&["policy", "add", "press-4", "plain"]);
    let listed = portal.done(&["airgap-policy", "list", "press-4"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &policy["id"]));

    let file = portal.path("island.lic");
    portal.done(&["airgap-policy", "file", "press-4", "island", "-o", file.to_str().unwrap()]);
    let content = portal.done(&["airgap-policy", "file", "press-4", "island"]);
    assert_eq!(content["content"], fs::read_to_string(&file).unwrap());
    let json: Value = serde_json::from_slice(&STANDARD.decode(fs::read(&file).unwrap()).unwrap()).unwrap();
    assert_eq!((&json["id"], &json["product_details"]["short_code"]), (&policy["id"], &"press-4".into()));
    assert_eq!(portal.refused(&["airgap-policy", "file", "press-4", "plain"]), "bad_field");

    let key = portal.issue(&["--policy", "island"]);
    assert_eq!(
        portal.refused(&["license", "issue", "--product", "press-4", "--policy", "island", "--grace-hours", "5"]),
        "bad_field"
    );
    assert_eq!(portal.refused(&["license", "edit", &key, "--valid-until", "2032-01-01"]), "bad_field");
    let exported = portal.done(&["keys", "export", "--use", "airgap", "--format", "raw"]);
    let public = STANDARD.decode(exported[0]["raw"].as_str().unwrap()).unwrap();
    let vendor = VerifyingKey::from_sec1_bytes(&[&[4], public.as_slice()].concat()).unwrap();

    let answer = |given: &Value| -> String {
        let scalar = STANDARD.decode(given["initialization_code"].as_str().unwrap()).unwrap();
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("HW-island{key}").as_bytes());
        let signature: Signature = SigningKey::from_slice(&scalar).unwrap().sign_prehash(hash.as_ref()).unwrap();
        STANDARD.encode(signature.to_bytes())
    };
    let ends = |confirmed: &Value| {
        let signature = STANDARD.decode(confirmed["confirmation_code"].as_str().unwrap()).unwrap();
        let message = format!("HW-island{key}{}", policy["id"]);
        vendor.verify(message.as_bytes(), &Signature::from_slice(&signature).unwrap()).unwrap();
    };
    let given = portal.done(&["airgap", "begin", &key]);
    assert_eq!((&given["license_key"], &given["policy_id"]), (&Value::from(key.as_str()), &policy["id"]));
    let code = answer(&given);
    assert_eq!(portal.refused(&["airgap", "confirm", &key, "HW-other", &code]), "code_does_not_fit");
    assert_eq!(portal.refused(&["airgap", "confirm", &key, "HW-island", "a typing mistake"]), "not_a_code");
    ends(&portal.done(&["airgap", "confirm", &key, "HW-island", &code, "--device-name", "Mill 3"]));
    let shown = portal.done(&["license", "show", &key]);
    assert_eq!((&shown["activations"][0]["how"], &shown["activations"][0]["name"]), (&"air_gapped".into(), &"Mill 3".into()));

    assert_eq!(portal.refused(&["airgap", "confirm", &key, "HW-island", &code, "--release"]), "code_does_not_fit");
    let given = portal.done(&["airgap", "begin", &key, "--release", "HW-island"]);
    ends(&portal.done(&["airgap", "confirm", &key, "HW-island", &answer(&given), "--release"]));
    assert_eq!(portal.done(&["license", "show", &key])["seats_taken"], 0);
    let plain = portal.issue(&[]);
    assert_eq!(portal.refused(&["airgap", "begin", &plain]), "not_air_gapped");
}
