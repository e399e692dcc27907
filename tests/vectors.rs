//! Golden files: what version 1 of every format looks like, byte for byte, and what the inspector says of them and of the
//! sample files. The same tests run natively and as WebAssembly on Node; version 1 must be read for ever.
//!
//! `COUNTERSIGN_BLESS=1 cargo test --test vectors` writes `reports.json` anew after a wording has changed. The files of `v1/`
//! are never written again.

use std::{cell::RefCell, collections::BTreeMap};

use countersign::licensing::{
    ActivationKey, DeviceId, DeviceName, Email, LicenseId, ProductCode, Timestamp,
    files::{
        Act, Asked, Context, FileDevice, FileFeature, FileLicenseType, Grounds, KeyPair, KeyProof, KeyState, LicenseFile,
        Receipt, Request, RequestDevice, RequestRef, SignedRequest, Signer, Terms, TrustedKey, TrustedKeys, Verified, base64,
        inspect,
        licensespring::{AnswerFile, LicenseSpringRequest, Recipient, RsaSigner, activation_file, refresh_file},
        mirror, text, verify_answer,
    },
    usage::Usage,
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

macro_rules! files {
    ($($path:literal),* $(,)?) => { &[$(($path, include_bytes!($path).as_slice())),*] };
}

const SAMPLES: &[(&str, &[u8])] = files![
    "samples/licensespring/deactivate_offline.req",
    "samples/licensespring/documented_payload.req",
    "samples/licensespring/v1_activation_key.req",
    "samples/licensespring/v1_activation_user.req",
    "samples/licensespring/v1_deactivation_key.req",
    "samples/licensespring/v2_activation_compact.req",
    "samples/licensespring/v2_activation_spaced_escaped.req",
    "samples/licensespring/v2_deactivation_spaced_utf8.req",
    "samples/broken/base64_of_garbage.req",
    "samples/broken/deep_nesting.req",
    "samples/broken/empty.req",
    "samples/broken/html_error_page.req",
    "samples/broken/json_array.req",
    "samples/broken/not_base64_inside.req",
    "samples/broken/pdf.req",
    "samples/broken/tampered_hardware_id.req",
    "samples/broken/truncated.req",
    "samples/broken/utf16.req",
    "samples/broken/wrapped_lines.req",
    "samples/broken/zip.req",
];

const GOLDEN: &[(&str, &[u8])] = files![
    "vectors/v1/activate_key.req",
    "vectors/v1/activate_proof.req",
    "vectors/v1/activate_user.req",
    "vectors/v1/refresh.req",
    "vectors/v1/release.req",
    "vectors/v1/license.lic",
    "vectors/v1/subscription.lic",
    "vectors/v1/computer_key.txt",
    "vectors/v1/receipt.lic",
    "vectors/v1/mirror.txt",
    "vectors/v1/jwks.json",
    "vectors/v1/ls_activation.lic",
    "vectors/v1/ls_activation_python3.lic",
    "vectors/v1/license_refresh.lic",
];

const SIGNATURES: &str = include_str!("vectors/rsa_signatures.json");
const REPORTS: &str = include_str!("vectors/reports.json");
const SHARED_KEY: &[u8] = b"kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja";
const REQUEST_ID: &str = "7f1d0c1e-2b0a-4c59-9a53-0f6f3f0c9b11";

fn device_key() -> KeyPair {
    KeyPair::from_seed(&[1; 32])
}

fn vendor_key() -> KeyPair {
    KeyPair::from_seed(&[2; 32])
}

fn at(text: &str) -> Timestamp {
    Timestamp::from_rfc3339(text).expect("a date")
}

fn product() -> ProductCode {
    ProductCode::parse("press-4").expect("a code")
}

fn key() -> ActivationKey {
    ActivationKey::from_random(*b"countersig")
}

fn request(act: Act, grounds: Grounds) -> Request {
    Request {
        act,
        product: product(),
        id: REQUEST_ID.into(),
        made_at: at("2026-11-20T20:00:00Z"),
        grounds,
        device: RequestDevice {
            id: DeviceId::parse("A53F-0CBC-15FC-7E81").expect("an id"),
            name: DeviceName::parse("press-7.örebro.example").ok(),
            os: Some("Debian 12".into()),
            app: Some("Press Designer 4.1".into()),
            sdk: Some("countersign 1".into()),
            vm: Some(false),
        },
        usage: Some(Usage { seq: 3, license: 12, features: [("jobs".to_owned(), 7)].into() }),
        variables: [("colour".to_owned(), "grün".to_owned())].into(),
    }
}

fn license(asked: Option<&SignedRequest>, terms: Terms) -> LicenseFile {
    LicenseFile {
        issuer: "https://portal.example".into(),
        product: product(),
        license: LicenseId(42),
        id: asked.map(|_| "file-1".into()),
        request: asked.map(|asked| RequestRef { id: asked.request.id.clone(), hash: asked.hash }),
        made_at: at("2026-11-20T20:05:00Z"),
        not_before: None,
        expires: LicenseFile::end_of_use(None, terms.valid_until, terms.grace_hours),
        device_clock: asked.map(|asked| asked.request.made_at),
        device: FileDevice {
            id: DeviceId::parse("A53F-0CBC-15FC-7E81").expect("an id"),
            name: DeviceName::parse("press-7").ok(),
        },
        device_key: asked.map(|asked| asked.thumbprint.clone()),
        terms,
    }
}

fn subscription() -> Terms {
    Terms {
        kind: FileLicenseType::Subscription,
        user: Email::parse("ann@press.example").ok(),
        seats: None,
        valid_until: Some(at("2027-03-13T00:00:00Z")),
        maintenance_until: Some(at("2027-01-01T00:00:00Z")),
        grace_hours: 48,
        transfers_max: Some(3),
        transfers_used: 1,
        features: vec![FileFeature {
            code: "jobs".into(),
            consumption: true,
            valid_until: Some(at("2027-01-01T00:00:00Z")),
            max: Some(100),
            used: Some(7),
        }],
        fields: json!({"colour": "grün"}).as_object().cloned().unwrap_or_default(),
        meta: json!({"tier": {"level": [1, null, true]}}).as_object().cloned().unwrap_or_default(),
        ..Terms::perpetual(&key().last_group())
    }
}

fn keys() -> TrustedKeys {
    let tp = ProductCode::parse("tp").expect("a code");
    let mut active = TrustedKey::new(vendor_key().public(), vec![product(), tp], KeyState::Active);
    active.not_before = Some(at("2026-01-01T00:00:00Z"));
    TrustedKeys::new(vec![active, TrustedKey::new(KeyPair::from_seed(&[3; 32]).public(), vec![product()], KeyState::Standby)])
}

/// An answer to a LicenseSpring request, as the portal makes it. `rsa` signs.
fn licensespring(sample: &str, refresh: bool, rsa: RsaSigner<'_, String>) -> Result<AnswerFile, String> {
    let bytes = find(SAMPLES, sample);
    let Ok(Asked::LicenseSpring(asked)) = Asked::read(bytes) else { panic!("{sample} is a request") };
    let reference = RequestRef { id: asked.request_id.clone().unwrap_or_default(), hash: asked.hash() };
    let facts = LicenseFile {
        product: asked.product.clone(),
        device: FileDevice { id: asked.hardware_id.clone(), name: None },
        request: Some(reference),
        id: Some("file-2".into()),
        ..license(None, Terms::perpetual("7JTP"))
    };
    let mirror = mirror::sign(&facts, &vendor_key()).expect("signs");
    let body = json!({
        "id": 42, "active": true, "customer": {"email": "ann@press.example", "company_name": "Örebro Tryck"},
        "license_key": "FUH3-4E7A-LZJL-7JTP", "license_type": "perpetual", "metadata": {"7": "seven", "tier": 1.0},
        "product_details": {"product_id": 1, "product_name": "Press", "short_code": "tp", "prevent_vm": false}, "validity_period": null,
    });
    let body = body.as_object().cloned().unwrap_or_default();
    let to = Recipient::of(&asked, SHARED_KEY);
    let make = if refresh { refresh_file } else { activation_file };
    make(body, &to, at("2026-11-21T09:00:00Z"), Some(&mirror), rsa)
}

/// Every golden file, made anew.
fn made() -> Vec<(&'static str, String)> {
    let signed = |request: Request| request.sign(&device_key()).expect("signs");
    let proof = KeyProof::new(&key(), device_key().kid(), REQUEST_ID, &product());
    let activate = signed(request(Act::Activate, Grounds::Key(key())));
    let release = signed(request(Act::Release, Grounds::License(LicenseId(42))));
    let asked = SignedRequest::parse(&activate).expect("our own");
    let released = SignedRequest::parse(&release).expect("our own");
    let perpetual = || Terms::perpetual(&key().last_group());
    let receipt = Receipt {
        issuer: "https://portal.example".into(),
        product: product(),
        license: LicenseId(42),
        id: "receipt-1".into(),
        request: Some(RequestRef { id: released.request.id.clone(), hash: released.hash }),
        made_at: at("2026-11-20T20:05:00Z"),
        device: FileDevice { id: released.request.device.id.clone(), name: None },
        device_key: Some(released.thumbprint.clone()),
        released_at: at("2026-11-20T20:04:59.250Z"),
    };
    let recorded: BTreeMap<String, String> = serde_json::from_str(SIGNATURES).expect("a map");
    let rsa = |message: &[u8]| -> Result<Vec<u8>, String> {
        let name = base64::url(&Sha256::digest(message));
        let signature =
            recorded.get(&name).ok_or_else(|| format!("no signature was recorded for {}", String::from_utf8_lossy(message)))?;
        Ok(base64::from_standard(signature).expect("base64"))
    };
    let licensespring = |sample, refresh| licensespring(sample, refresh, &rsa).map_or_else(|error| error, |made| made.file);
    vec![
        ("vectors/v1/activate_proof.req", signed(request(Act::Activate, Grounds::KeyProof(proof)))),
        (
            "vectors/v1/activate_user.req",
            signed(request(Act::Activate, Grounds::User(Email::parse("ann@press.example").expect("an address")))),
        ),
        ("vectors/v1/refresh.req", signed(request(Act::Refresh, Grounds::License(LicenseId(42))))),
        ("vectors/v1/license.lic", license(Some(&asked), perpetual()).sign(&vendor_key()).expect("signs")),
        ("vectors/v1/subscription.lic", license(Some(&asked), subscription()).sign(&vendor_key()).expect("signs")),
        ("vectors/v1/computer_key.txt", license(None, perpetual()).sign(&vendor_key()).expect("signs")),
        ("vectors/v1/receipt.lic", receipt.sign(&vendor_key()).expect("signs")),
        ("vectors/v1/mirror.txt", mirror::sign(&license(None, perpetual()), &vendor_key()).expect("signs")),
        ("vectors/v1/jwks.json", keys().to_jwks()),
        ("vectors/v1/ls_activation.lic", licensespring("samples/licensespring/v2_activation_compact.req", false)),
        ("vectors/v1/ls_activation_python3.lic", licensespring("samples/licensespring/v1_activation_key.req", false)),
        ("vectors/v1/license_refresh.lic", licensespring("samples/licensespring/v2_activation_compact.req", true)),
        ("vectors/v1/activate_key.req", activate),
        ("vectors/v1/release.req", release),
    ]
}

fn find(files: &[(&str, &'static [u8])], name: &str) -> &'static [u8] {
    files.iter().find(|(path, _)| *path == name).map(|(_, bytes)| *bytes).expect("a file of the list")
}

/// What the inspector says of every file: bare, as the command line without keys, and as the portal.
fn reports() -> Value {
    let keys =
        TrustedKeys::from_jwks(core::str::from_utf8(find(GOLDEN, "vectors/v1/jwks.json")).expect("text")).expect("our own");
    let shared_key = |id: &str| (id == "11abafc3-10b2-474a-b818-aaaf97c7512e").then(|| SHARED_KEY.to_vec());
    let products = [product(), ProductCode::parse("tp").expect("a code")];
    let portal = Context {
        keys: Some(&keys),
        products: Some(&products),
        shared_key: Some(&shared_key),
        now: Some(at("2026-11-21T10:00:00Z")),
        ..Context::default()
    };
    let mut all = Map::new();
    for (name, bytes) in SAMPLES.iter().chain(GOLDEN) {
        let of = |context: &Context<'_>| serde_json::to_value(inspect(bytes, context)).expect("serialises");
        all.insert((*name).to_owned(), json!({"bare": of(&Context::default()), "portal": of(&portal)}));
    }
    Value::Object(all)
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn version_1_is_written_byte_for_byte_as_ever() {
    let made = made();
    assert_eq!(made.len(), GOLDEN.len());
    for (name, text) in made {
        assert_eq!(text.as_bytes(), find(GOLDEN, name).trim_ascii_end(), "{name}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_inspector_says_of_every_file_what_it_said_before() {
    let said = reports();
    #[cfg(not(target_arch = "wasm32"))]
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/reports.json");
        std::fs::write(path, format!("{said:#}\n")).expect("written");
        return;
    }
    let before: Value = serde_json::from_str(REPORTS).expect("JSON");
    for (name, report) in said.as_object().expect("an object") {
        assert_eq!(before.get(name), Some(report), "{name}");
    }
    assert_eq!(before.as_object().map(Map::len), said.as_object().map(Map::len));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_golden_answer_answers_its_request_and_no_other() {
    let keys = keys();
    let requests = [
        "vectors/v1/activate_key.req",
        "vectors/v1/release.req",
        "samples/licensespring/v2_activation_compact.req",
        "samples/licensespring/v1_activation_key.req",
    ];
    let answers = [
        "vectors/v1/license.lic",
        "vectors/v1/receipt.lic",
        "vectors/v1/ls_activation.lic",
        "vectors/v1/ls_activation_python3.lic",
    ];
    let any = |name: &str| if name.starts_with("samples") { find(SAMPLES, name) } else { find(GOLDEN, name) };
    for (asked, request) in requests.iter().enumerate() {
        for (answered, answer) in answers.iter().enumerate() {
            let verified = verify_answer(any(request), any(answer), &keys, Some(at("2026-11-21T10:00:00Z")));
            assert_eq!(verified.is_ok(), asked == answered, "{request} {answer}: {verified:?}");
        }
    }
}

/// Runs on whatever is there: bytes as a random generator, a mutated golden file, a tower of brackets.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn no_input_makes_a_checker_panic() {
    let keys = keys();
    let context = Context { keys: Some(&keys), now: Some(at("2026-11-21T10:00:00Z")), ..Context::default() };
    let state = RefCell::new(0x2545_f491_4f6c_dd1d_u64);
    let random = |below: usize| {
        let mut state = state.borrow_mut();
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) as usize % below
    };
    for (_, bytes) in SAMPLES.iter().chain(GOLDEN).filter(|(_, bytes)| !bytes.is_empty() && bytes.len() < 8_000) {
        for _ in 0..12 {
            let mut bytes = bytes.to_vec();
            let (place, byte) = (random(bytes.len()), random(256) as u8);
            match random(4) {
                0 => bytes[place] = byte,
                1 => bytes.truncate(place),
                2 => bytes.insert(place, byte),
                _ => drop(bytes.remove(place)),
            }
            let _ = inspect(&bytes, &context);
        }
    }
    for length in [text::MAX_BYTES, text::MAX_BYTES + 1] {
        let noise: Vec<u8> = (0..length).map(|_| random(256) as u8).collect();
        let _ = inspect(&noise, &context);
        assert!(inspect("{\"a\":[".repeat(length).get(..length).unwrap_or_default().as_bytes(), &context).error().is_some());
    }
}

/// The RSA signatures of the golden files, checked with the server's own library.
#[cfg(feature = "ssr")]
#[test]
fn both_rsa_signatures_of_licensespring_files_hold_and_break() {
    use countersign::licensing::files::licensespring::LicenseSpringLicense;

    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    let der = base64::from_standard(include_str!("vectors/rsa_public_key.txt").trim()).expect("base64");
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der);
    for name in ["ls_activation.lic", "ls_activation_python3.lic", "license_refresh.lic"] {
        let Ok(text::Carried::Json(json)) = text::unwrap(find(GOLDEN, &format!("vectors/v1/{name}"))) else {
            panic!("{name} holds JSON")
        };
        for check in LicenseSpringLicense::parse(&json).expect(name).rsa {
            assert!(check.any_of.iter().any(|text| public.verify(text, &check.signature).is_ok()), "{name} {}", check.name);
        }
        let changed = String::from_utf8(json).expect("UTF-8").replace("\"id\":42", "\"id\":43");
        for check in LicenseSpringLicense::parse(changed.as_bytes()).expect(name).rsa {
            let holds = check.any_of.iter().any(|text| public.verify(text, &check.signature).is_ok());
            assert_eq!(holds, check.name == "license_signature", "only v2 covers everything: {name}");
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn licensespring_requests_verify_everywhere_alike() {
    for (name, bytes) in SAMPLES.iter().filter(|(name, _)| name.starts_with("samples/licensespring/")) {
        let Ok(text::Carried::Json(json)) = text::unwrap(bytes) else { panic!("{name} holds JSON") };
        let verdict = LicenseSpringRequest::parse(&json).expect(name).check(Some(SHARED_KEY));
        assert_eq!(verdict.is_valid(), !name.contains("documented"), "{name}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_golden_proof_holds_for_its_key_only() {
    let Ok(Asked::Countersign(asked)) = Asked::read(find(GOLDEN, "vectors/v1/activate_proof.req")) else { panic!("ours") };
    let Grounds::KeyProof(proof) = &asked.request.grounds else { panic!("a proof") };
    assert!(proof.proves(&key(), &asked.thumbprint, &asked.request.id, &asked.request.product));
    assert!(!proof.proves(&ActivationKey::from_random([0; 10]), &asked.thumbprint, &asked.request.id, &asked.request.product));
    assert!(matches!(
        verify_answer(
            find(SAMPLES, "samples/licensespring/v2_activation_compact.req"),
            find(GOLDEN, "vectors/v1/ls_activation.lic"),
            &keys(),
            None
        ),
        Ok(Verified::LicenseSpring { .. })
    ));
}
