use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::convert::Infallible;

use serde_json::{Value, json};

use super::*;
use crate::licensing::{
    DeviceId, LicenseId,
    files::{
        Act, Grounds, Request, Signer, base64,
        licensespring::{Recipient, activation_file},
        tests::{code, device_id, device_key, forge, license, product, receipt, request, signing_key, trusted},
    },
};

/// A request and the license that answers it.
fn pair() -> (String, LicenseFile) {
    let text = request().sign(&device_key()).unwrap();
    let asked = Asked::read(text.as_bytes()).unwrap();
    let answer = LicenseFile { request: Some(RequestRef { id: asked.id().to_string(), hash: asked.hash() }), ..license() };
    (text, answer)
}

fn refused(request: &str, answer: &str) -> Code {
    code(verify_answer(request.as_bytes(), answer.as_bytes(), &trusted(), None))
}

#[test]
fn an_answer_to_this_request_is_taken() {
    let (request, answer) = pair();
    let answer = answer.sign(&signing_key()).unwrap();
    assert!(matches!(verify_answer(request.as_bytes(), answer.as_bytes(), &trusted(), None), Ok(Verified::License(_))));
}

#[test]
fn each_alteration_has_its_own_reason() {
    let (request, answer) = pair();
    let signed = |change: &dyn Fn(&mut LicenseFile)| {
        let mut answer = answer.clone();
        change(&mut answer);
        answer.sign(&signing_key()).unwrap()
    };
    let other = DeviceId::parse("HW-2").unwrap();
    assert_eq!(refused(&request, &signed(&|a| a.device.id = other.clone())), Code::OtherDevice);
    assert_eq!(refused(&request, &signed(&|a| a.device_key = None)), Code::NotThisDevice, "cnf taken away");
    assert_eq!(refused(&request, &signed(&|a| a.device_key = Some(signing_key().kid().to_string()))), Code::NotThisDevice);
    assert_eq!(refused(&request, &signed(&|a| a.request = None)), Code::OtherRequest);
    assert_eq!(refused(&request, &signed(&|a| a.request.as_mut().unwrap().id = "x".into())), Code::OtherRequest);
    assert_eq!(refused(&request, &signed(&|a| a.request.as_mut().unwrap().hash = [0; 32])), Code::OtherRequest);
    assert_eq!(refused(&request, &signed(&|a| a.product = ProductCode::parse("other").unwrap())), Code::WrongProductKey);
    let other_product = signed(&|a| a.product = ProductCode::parse("other").unwrap());
    assert_eq!(code(verify_answer(request.as_bytes(), other_product.as_bytes(), &any_keys(), None)), Code::WrongProduct);
    assert_eq!(refused(&request, &answer.sign(&device_key()).unwrap()), Code::UnknownSigningKey);
    let genuine = answer.sign(&signing_key()).unwrap();
    let mut changed = genuine.clone().into_bytes();
    let at = genuine.find('.').unwrap() + 8;
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    assert_eq!(refused(&request, core::str::from_utf8(&changed).unwrap()), Code::BadSignature);
    assert_eq!(refused(&request, &genuine[..genuine.len() - 9]), Code::Truncated);
    assert_eq!(refused(&request, "<html>502"), Code::HtmlPage);
}

#[test]
fn an_answer_that_ended_is_refused_a_day_later() {
    let (request, mut answer) = pair();
    let end = Timestamp::from_seconds(1_795_000_200);
    answer.expires = Some(end);
    let answer = answer.sign(&signing_key()).unwrap();
    let at = |now| verify_answer(request.as_bytes(), answer.as_bytes(), &trusted(), Some(now));
    assert!(at(end.plus_hours(24)).is_ok());
    assert_eq!(code(at(end.plus_hours(24).plus_seconds(1))), Code::Expired);
}

#[test]
fn a_release_is_answered_by_a_receipt_and_nothing_else() {
    let release =
        Request { act: Act::Release, grounds: Grounds::License(LicenseId(42)), ..request() }.sign(&device_key()).unwrap();
    let asked = Asked::read(release.as_bytes()).unwrap();
    let reference = Some(RequestRef { id: asked.id().to_string(), hash: asked.hash() });
    let answer = Receipt { request: reference.clone(), ..receipt() };
    let signed = answer.sign(&signing_key()).unwrap();
    assert!(matches!(verify_answer(release.as_bytes(), signed.as_bytes(), &trusted(), None), Ok(Verified::Receipt(_))));
    let license = LicenseFile { request: reference, ..license() }.sign(&signing_key()).unwrap();
    assert_eq!(refused(&release, &license), Code::WrongKind);
    assert_eq!(refused(&request().sign(&device_key()).unwrap(), &signed), Code::WrongKind);
    let other = Receipt { device_key: None, ..answer }.sign(&signing_key()).unwrap();
    assert_eq!(refused(&release, &other), Code::NotThisDevice);
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(alloc::format!("{}/tests/samples/licensespring/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The portal's answer to a LicenseSpring request, changed on its way or not.
fn licensespring_answer(bytes: &[u8], change: impl Fn(&mut LicenseFile), change_file: impl Fn(&mut Value)) -> String {
    let Ok(Asked::LicenseSpring(request)) = Asked::read(bytes) else { panic!("not LicenseSpring's") };
    let reference = RequestRef { id: request.request_id.clone().unwrap_or_default(), hash: request.hash() };
    let mut facts = LicenseFile {
        product: request.product.clone(),
        device: FileDevice { id: request.hardware_id.clone(), name: None },
        request: Some(reference),
        device_key: None,
        ..license()
    };
    change(&mut facts);
    let mirror = mirror::sign(&facts, &signing_key()).unwrap();
    let body = json!({"license_key": "x", "validity_period": null, "product_details": {"short_code": request.product.as_str()}});
    let rsa = |_: &[u8]| -> Result<Vec<u8>, Infallible> { Ok(b"rsa".to_vec()) };
    let to = Recipient::of(&request, b"shared");
    let Ok(file) = activation_file(body.as_object().unwrap().clone(), &to, Timestamp::from_seconds(0), Some(&mirror), &rsa);
    let mut json: Value = serde_json::from_str(&file.json).unwrap();
    change_file(&mut json);
    base64::standard(json.to_string().as_bytes())
}

fn any_keys() -> TrustedKeys {
    TrustedKeys::new(alloc::vec![crate::licensing::files::TrustedKey::new(
        signing_key().public(),
        Vec::new(),
        crate::licensing::files::KeyState::Active
    )])
}

#[test]
fn a_licensespring_answer_is_checked_by_its_mirror_and_hands_out_both_rsa_signatures() {
    for name in
        ["v1_activation_key.req", "v1_activation_user.req", "v2_activation_compact.req", "v2_activation_spaced_escaped.req"]
    {
        let request = sample(name);
        let answer = licensespring_answer(&request, |_| (), |_| ());
        match verify_answer(&request, answer.as_bytes(), &any_keys(), None) {
            Ok(Verified::LicenseSpring { rsa, .. }) => {
                assert_eq!(rsa.iter().map(|check| check.name).collect::<Vec<_>>(), ["license_signature", "license_signature_v2"]);
            }
            other => panic!("{name}: {other:?}"),
        }
        let other =
            sample(if name == "v2_activation_compact.req" { "v1_activation_key.req" } else { "v2_activation_compact.req" });
        assert!(verify_answer(&other, answer.as_bytes(), &any_keys(), None).is_err());
    }
}

#[test]
fn a_licensespring_answer_altered_in_file_or_mirror_is_refused() {
    let request = sample("v2_activation_compact.req");
    let refused = |change: &dyn Fn(&mut LicenseFile), change_file: &dyn Fn(&mut Value)| {
        code(verify_answer(&request, licensespring_answer(&request, change, change_file).as_bytes(), &any_keys(), None))
    };
    let same = |_: &mut LicenseFile| ();
    assert_eq!(refused(&same, &|file| drop(file.as_object_mut().unwrap().shift_remove("countersign"))), Code::UnknownFormat);
    assert_eq!(refused(&same, &|file| file["hardware_id"] = "other".into()), Code::OtherDevice);
    assert_eq!(refused(&same, &|file| file["request_id"] = "other".into()), Code::OtherRequest);
    assert_eq!(refused(&same, &|file| file["license_key"] = "other".into()), Code::OtherRequest);
    assert_eq!(refused(&same, &|file| file["product_details"]["short_code"] = "other".into()), Code::WrongProduct);
    assert_eq!(refused(&|facts| facts.device.id = device_id(), &|_| ()), Code::OtherDevice);
    assert_eq!(refused(&|facts| facts.request.as_mut().unwrap().hash = [0; 32], &|_| ()), Code::OtherRequest);
    assert_eq!(refused(&|facts| facts.device_key = Some(device_key().kid().to_string()), &|_| ()), Code::NotThisDevice);
    assert_eq!(refused(&|facts| facts.product = product(), &|_| ()), Code::WrongProduct);
    let plain_license = license().sign(&signing_key()).unwrap();
    assert_eq!(refused(&same, &|file| file["countersign"] = plain_license.as_str().into()), Code::WrongKind);
    assert_eq!(code(verify_answer(&request, plain_license.as_bytes(), &any_keys(), None)), Code::WrongKind);
}

#[test]
fn a_licensespring_release_is_answered_by_our_receipt() {
    for name in ["v2_deactivation_spaced_utf8.req", "v1_deactivation_key.req", "deactivate_offline.req"] {
        let request = sample(name);
        let asked = Asked::read(&request).unwrap();
        assert!(asked.is_release());
        let answer = Receipt {
            product: asked.product().clone(),
            device: FileDevice { id: asked.device().clone(), name: None },
            request: Some(RequestRef { id: asked.id().to_string(), hash: asked.hash() }),
            device_key: None,
            ..receipt()
        };
        let answer = answer.sign(&signing_key()).unwrap();
        assert!(matches!(verify_answer(&request, answer.as_bytes(), &any_keys(), None), Ok(Verified::Receipt(_))), "{name}");
        assert_eq!(code(verify_answer(&sample("v1_activation_key.req"), answer.as_bytes(), &any_keys(), None)), Code::WrongKind);
    }
}

#[test]
fn every_kind_of_file_is_refused_as_a_request() {
    for file in [
        license().sign(&signing_key()).unwrap(),
        receipt().sign(&signing_key()).unwrap(),
        mirror::sign(&license(), &signing_key()).unwrap(),
    ] {
        assert_eq!(code(Asked::read(file.as_bytes())), Code::WrongKind);
    }
    let licensespring = licensespring_answer(&sample("v2_activation_compact.req"), |_| (), |_| ());
    assert_eq!(code(Asked::read(licensespring.as_bytes())), Code::WrongKind);
    let (request, _) = pair();
    let ls_request = sample("v2_activation_compact.req");
    assert_eq!(refused(&request, &request), Code::WrongKind);
    assert_eq!(code(verify_answer(request.as_bytes(), &ls_request, &trusted(), None)), Code::WrongKind);
    assert_eq!(code(verify_answer(&ls_request, &ls_request, &trusted(), None)), Code::WrongKind);
}

#[test]
fn a_request_without_a_name_for_its_device_has_no_answer() {
    let header = json!({"alg": "EdDSA", "typ": "cs-req+jwt", "jwk": serde_json::from_str::<Value>(&crate::licensing::files::jws::jwk(&device_key().public())).unwrap()});
    let claims = json!({"v": 1, "act": "activate", "aud": "press-4", "jti": crate::licensing::files::tests::UUID, "iat": 1, "key": "K-1", "dev": {}});
    assert_eq!(refused(&forge(&header.to_string(), &claims.to_string(), &device_key()), "x"), Code::DeviceIdMissing);
}
