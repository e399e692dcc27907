use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::licensing::files::{
    Grounds, Request, Signer, TrustedKey, mirror,
    tests::{device_id, device_key, forge, key, license, product, receipt, request, signing_key, trusted},
};

const SHARED_KEY: &[u8] = b"kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja";

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/samples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn codes(report: &Report) -> Vec<(&'static str, Verdict)> {
    report.checks.iter().map(|check| (check.code, check.verdict)).collect()
}

fn failed(bytes: &[u8], context: &Context<'_>) -> &'static str {
    inspect(bytes, context).error().map_or("none", |check| check.code)
}

#[test]
fn every_broken_sample_has_its_code_and_its_place() {
    for (name, code) in [
        ("empty", "empty"),
        ("utf16", "utf16_text"),
        ("zip", "zip_archive"),
        ("pdf", "pdf_document"),
        ("html_error_page", "html_page"),
        ("truncated", "truncated"),
        ("not_base64_inside", "not_base64"),
        ("base64_of_garbage", "binary"),
        ("json_array", "unknown_format"),
        ("deep_nesting", "too_deep"),
    ] {
        let report = inspect(&sample(&format!("broken/{name}.req")), &Context::default());
        assert_eq!(report.error().map(|check| check.code), Some(code), "{name}");
        assert_eq!((report.checks.len(), report.genuine), (1, None), "{name}");
    }
    let said = |name: &str| inspect(&sample(name), &Context::default()).checks[0].message.clone();
    let bytes = sample("broken/not_base64_inside.req");
    let place = bytes.iter().position(|byte| *byte == b'*').unwrap() + 1;
    assert!(said("broken/not_base64_inside.req").contains(&format!("Character {place} of this file (\"*\")")));
    assert!(said("broken/truncated.req").starts_with("This file was cut off after 200 characters."));
}

#[test]
fn wrapped_lines_are_good_and_a_tampered_request_depends_on_who_asks() {
    let good = inspect(&sample("broken/wrapped_lines.req"), &Context::default());
    assert_eq!((good.kind, good.error()), (Kind::LicensespringRequest, None));
    let tampered = sample("broken/tampered_hardware_id.req");
    let report = inspect(&tampered, &Context::default());
    assert_eq!((report.genuine, codes(&report)), (None, vec![("complete", Verdict::Pass), ("hmac_unchecked", Verdict::Note)]));
    let find = |_: &str| Some(SHARED_KEY.to_vec());
    let on_server = Context { shared_key: Some(&find), ..Context::default() };
    assert_eq!(failed(&tampered, &on_server), "bad_signature");
    assert_eq!(inspect(&tampered, &on_server).genuine, Some(false));
}

#[test]
fn every_dialect_is_recognised_and_its_hmac_checked_where_the_key_is_known() {
    let find = |id: &str| (id == "11abafc3-10b2-474a-b818-aaaf97c7512e").then(|| SHARED_KEY.to_vec());
    let products = [ProductCode::parse("TP").unwrap()];
    let now = Timestamp::from_rfc3339("2026-11-21T10:00:00Z").ok();
    let context = Context { shared_key: Some(&find), products: Some(&products), now, ..Context::default() };
    for (name, row) in [
        ("v1_activation_key", "hmac_valid_in_part"),
        ("v1_activation_user", "hmac_valid_in_part"),
        ("v1_deactivation_key", "hmac_valid_in_part"),
        ("v2_activation_compact", "hmac_valid"),
        ("v2_activation_spaced_escaped", "hmac_valid"),
        ("v2_deactivation_spaced_utf8", "hmac_valid"),
        ("deactivate_offline", "hmac_valid"),
    ] {
        let report = inspect(&sample(&format!("licensespring/{name}.req")), &context);
        let expected = ["complete", row, "product_known", "clock_right"].map(|code| (code, Verdict::Pass));
        assert_eq!((report.genuine, codes(&report)), (Some(true), expected.to_vec()), "{name}");
    }
    let old = inspect(&sample("licensespring/documented_payload.req"), &Context { shared_key: None, ..context });
    assert_eq!(codes(&old).last(), Some(&("clock_off", Verdict::Warn)));
    assert!(!serde_json::to_string(&old).unwrap().contains("FUH3-4E7A"), "only the last group of a key is shown");
}

#[test]
fn a_request_of_ours_shows_what_it_asks_and_passes_its_checks() {
    let text = request().sign(&device_key()).unwrap();
    let products = [product()];
    let context = Context { products: Some(&products), now: Some(Timestamp::from_seconds(1_795_003_000)), ..Context::default() };
    let report = inspect(text.as_bytes(), &context);
    let expected =
        ["complete", "signed_by_device", "key_well_formed", "product_known", "clock_right"].map(|code| (code, Verdict::Pass));
    assert_eq!((report.kind, report.genuine, codes(&report)), (Kind::CountersignRequest, Some(true), expected.to_vec()));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["kind"], "countersign_request");
    assert_eq!(json["content"]["made_at"], "2026-11-18T11:06:40.000Z");
    assert_eq!(json["content"]["act"], "activate");
    assert_eq!(json["content"]["device_id"], "HW-1");
    assert_eq!(json["checks"][1]["verdict"], "pass");
    assert!(!json.to_string().contains(&key().text()));
    assert!(json["content"]["key"].as_str().unwrap().starts_with('…'));
}

#[test]
fn a_clock_is_worth_a_warning_and_says_by_how_much() {
    let made = 1_795_000_000;
    let row = |made: i64, now: i64| {
        let text = Request { made_at: Timestamp::from_seconds(made), ..request() }.sign(&device_key()).unwrap();
        let report = inspect(text.as_bytes(), &Context { now: Some(Timestamp::from_seconds(now)), ..Context::default() });
        assert_eq!(report.error(), None);
        report.checks.last().map(|check| (check.code, check.message.clone())).unwrap()
    };
    assert_eq!(row(made, made + 86_400 * 6).0, "clock_right");
    assert_eq!(row(made, made - 80_000).0, "clock_right");
    let (code, said) = row(made + 86_400 * 9, made);
    assert!(code == "clock_off" && said.contains("9 days ahead"), "{said}");
    let (code, said) = row(5, made);
    assert!(code == "clock_off" && said.contains("56 years behind"), "{said}");
    let (code, said) = row(made, made + 86_400 * 30);
    assert!(code == "stale" && said.contains("30 days ago"), "{said}");
}

#[test]
fn a_license_is_genuine_only_by_keys_that_were_given() {
    let text = license().sign(&signing_key()).unwrap();
    let keys = trusted();
    let unknown = inspect(text.as_bytes(), &Context::default());
    assert_eq!((unknown.genuine, codes(&unknown)[1]), (None, ("unknown_signing_key", Verdict::Note)));
    assert!(matches!(unknown.content, Content::License(_)), "what it says is shown all the same");
    let known = inspect(text.as_bytes(), &Context { keys: Some(&keys), ..Context::default() });
    assert_eq!((known.genuine, known.error()), (Some(true), None));
    let none = TrustedKeys::default();
    let other = inspect(text.as_bytes(), &Context { keys: Some(&none), ..Context::default() });
    assert_eq!((other.genuine, other.error().unwrap().code), (Some(false), "unknown_signing_key"));
    assert!(matches!(other.content, Content::Unknown {}), "nothing of it is shown");
}

#[test]
fn a_license_that_does_not_fit_says_why() {
    let keys = trusted();
    let with_keys = Context { keys: Some(&keys), ..Context::default() };
    let file = license().sign(&signing_key()).unwrap();
    let other_product = ProductCode::parse("press-5").unwrap();
    assert_eq!(failed(file.as_bytes(), &Context { product: Some(&other_product), ..with_keys }), "wrong_product");
    assert_eq!(failed(file.as_bytes(), &Context { products: Some(&[]), ..with_keys }), "wrong_product");
    let other_device = crate::licensing::DeviceId::parse("HW-2").unwrap();
    assert_eq!(failed(file.as_bytes(), &Context { device: Some(&other_device), ..with_keys }), "other_device");
    let other_request = RequestRef { id: "x".into(), hash: [3; 32] };
    assert_eq!(failed(file.as_bytes(), &Context { request: Some(&other_request), ..with_keys }), "other_request");
    let (product, device, license_made) = (product(), device_id(), license());
    let right = Context { product: Some(&product), device: Some(&device), request: license_made.request.as_ref(), ..with_keys };
    let report = inspect(file.as_bytes(), &right);
    let expected = ["complete", "signed_by_vendor", "for_this_device", "answers_request"].map(|code| (code, Verdict::Pass));
    assert_eq!(codes(&report), expected);

    let mut ending = license();
    ending.expires = Some(Timestamp::from_seconds(1_796_000_000));
    ending.not_before = Some(Timestamp::from_seconds(1_795_500_000));
    let ending = ending.sign(&signing_key()).unwrap();
    let at = |seconds| Context { now: Some(Timestamp::from_seconds(seconds)), ..with_keys };
    assert_eq!(failed(ending.as_bytes(), &at(1_796_000_000 + 86_401)), "expired");
    assert_eq!(failed(ending.as_bytes(), &at(1_796_000_000 + 86_400)), "none", "a day is forgiven");
    assert_eq!(failed(ending.as_bytes(), &at(1_795_500_000 - 86_401)), "not_started");
    let early = inspect(ending.as_bytes(), &at(1_700_000_000));
    assert!(codes(&early).contains(&("clock_back", Verdict::Warn)));
}

#[test]
fn a_receipt_and_a_mirror_are_known_for_what_they_are() {
    let keys = trusted();
    let context = Context { keys: Some(&keys), ..Context::default() };
    let report = inspect(receipt().sign(&signing_key()).unwrap().as_bytes(), &context);
    assert_eq!((report.kind, report.genuine, report.error()), (Kind::Receipt, Some(true), None));
    let report = inspect(mirror::sign(&license(), &signing_key()).unwrap().as_bytes(), &context);
    assert_eq!((report.kind, report.genuine), (Kind::Mirror, Some(true)));
}

#[test]
fn a_forged_file_is_never_genuine() {
    let keys = trusted();
    let context = Context { keys: Some(&keys), ..Context::default() };
    let text = license().sign(&signing_key()).unwrap();
    let (start, _) = text.rsplit_once('.').unwrap();
    let forged = format!("{start}.{}", crate::licensing::files::base64::url(&device_key().sign(start.as_bytes())));
    let report = inspect(forged.as_bytes(), &context);
    assert_eq!((report.kind, report.genuine, report.error().unwrap().code), (Kind::License, Some(false), "bad_signature"));
    let header = json!({"alg": "none", "typ": "cs-req+jwt"}).to_string();
    let report = inspect(forge(&header, "{}", &device_key()).as_bytes(), &context);
    assert_eq!(
        (report.kind, report.genuine, report.error().unwrap().code),
        (Kind::CountersignRequest, Some(false), "unsupported_algorithm")
    );
}

#[test]
fn a_licensespring_file_is_genuine_once_rsa_holds_and_wrong_where_it_differs_from_its_mirror() {
    let keys =
        TrustedKeys::new(vec![TrustedKey::new(signing_key().public(), Vec::new(), crate::licensing::files::KeyState::Active)]);
    let context = Context { keys: Some(&keys), ..Context::default() };
    let mirror = mirror::sign(&license(), &signing_key()).unwrap();
    let request_id = license().request.unwrap().id;
    let file = json!({
        "license_key": "FUH3-4E7A-LZJL-7JTP", "hardware_id": "HW-1", "product_details": {"short_code": "press-4"}, "request_id": request_id,
        "countersign": mirror, "license_signature": "cnNh", "license_signature_v2": "cnNh",
    });
    let mut report = inspect(file.to_string().as_bytes(), &context);
    assert_eq!(
        (report.kind, report.genuine, report.error()),
        (Kind::LicensespringLicense, None, None),
        "apps read the rest of it"
    );
    assert_eq!(report.rsa.len(), 2);
    report.rsa_checked("license_signature", true);
    report.rsa_checked("license_signature_v2", false);
    assert_eq!((report.genuine, report.error().unwrap().code), (Some(false), "bad_signature"));
    for (name, value, code) in [
        ("hardware_id", "HW-2", "other_device"),
        ("request_id", "x", "other_request"),
        ("validity_period", "2099-01-01T00:00:00.000Z", "bad_signature"),
        ("validity_period", "soon", "bad_signature"),
        ("license_type", "consumption", "bad_signature"),
    ] {
        let mut changed = file.clone();
        changed[name] = value.into();
        let report = inspect(changed.to_string().as_bytes(), &context);
        assert_eq!((report.genuine, report.error().unwrap().code), (Some(false), code));
    }
    let mut foreign: Value = file;
    foreign.as_object_mut().unwrap().shift_remove("countersign");
    let mut report = inspect(foreign.to_string().as_bytes(), &context);
    assert_eq!(report.genuine, None, "nothing of ours vouches for it");
    for name in ["license_signature", "license_signature_v2"] {
        report.rsa_checked(name, true);
    }
    assert_eq!(report.genuine, Some(true));
}

fn genuine_files() -> Vec<Vec<u8>> {
    let proof = crate::licensing::files::KeyProof { id: [1; 32], mac: [2; 32] };
    let mut files: Vec<Vec<u8>> = [
        request().sign(&device_key()),
        Request { grounds: Grounds::KeyProof(proof), ..request() }.sign(&device_key()),
        license().sign(&signing_key()),
        receipt().sign(&signing_key()),
        mirror::sign(&license(), &signing_key()),
    ]
    .into_iter()
    .map(|file| file.unwrap().into_bytes())
    .collect();
    for name in ["v1_activation_user", "v2_activation_compact", "deactivate_offline"] {
        files.push(sample(&format!("licensespring/{name}.req")));
    }
    files
}

/// Runs everything that reads a file on bytes of any origin.
fn read_every_way(bytes: &[u8]) -> String {
    let keys = trusted();
    let find = |_: &str| Some(SHARED_KEY.to_vec());
    let context =
        Context { keys: Some(&keys), shared_key: Some(&find), now: Some(Timestamp::from_seconds(0)), ..Context::default() };
    let report = inspect(bytes, &context);
    let _ = inspect(bytes, &Context::default());
    let _ = crate::licensing::files::verify_answer(&genuine_files()[0], bytes, &keys, None);
    let _ = crate::licensing::files::verify_answer(bytes, bytes, &keys, None);
    if let Ok(text) = core::str::from_utf8(bytes) {
        let _ = TrustedKeys::from_jwks(text);
    }
    serde_json::to_string(&report).unwrap().to_string()
}

#[test]
fn nesting_of_any_depth_exhausts_no_stack() {
    for text in ["[".repeat(65_000), "{\"a\":".repeat(12_000), format!("{{\"request\":{}", "[".repeat(60_000))] {
        let _ = read_every_way(text.as_bytes());
        let _ = read_every_way(crate::licensing::files::base64::standard(&text.as_bytes()[..49_000]).as_bytes());
        let header = json!({"alg": "EdDSA", "typ": "cs-lic+jwt", "kid": signing_key().kid()}).to_string();
        let deep = forge(&header, &text[..40_000], &signing_key());
        assert_eq!(failed(deep.as_bytes(), &Context::default()), "too_deep");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_a_checker_panic(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
        read_every_way(&bytes);
    }

    #[test]
    fn no_large_file_makes_a_checker_panic(seed in any::<u64>(), length in 60_000_usize..=65_600, alphabet in 0_usize..3) {
        let alphabet: &[u8] = [b"ABab01+/=.-_ey".as_slice(), b"{}[]\",:\\ud80e1", b"\x00\xff\xfe<%PK e.{"][alphabet];
        let mut state = seed;
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                alphabet[(state >> 33) as usize % alphabet.len()]
            })
            .collect();
        read_every_way(&bytes);
    }

    #[test]
    fn a_genuine_file_damaged_anywhere_never_panics_and_is_never_believed(
        which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let files = genuine_files();
        let mut bytes = files[which.index(files.len())].clone();
        let original = bytes.clone();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        read_every_way(&bytes);
        // White space is nothing; LicenseSpring's v1 signature does not cover all of its file.
        let stripped = |bytes: &[u8]| bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>();
        if which.index(files.len()) < 5 && stripped(&bytes) != stripped(&original) {
            let keys = trusted();
            let report = inspect(&bytes, &Context { keys: Some(&keys), ..Context::default() });
            prop_assert_ne!(report.genuine, Some(true));
            prop_assert!(report.error().is_some());
        }
    }
}
