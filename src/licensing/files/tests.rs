//! Every MUST and NEVER of the format, one test each. Forged files are made with real keys: nothing here is refused by accident.

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::licensing::{ActivationKey, DeviceId, DeviceName, Email, LicenseId, ProductCode, Timestamp};

pub(super) const UUID: &str = "7f1d0c1e-2b0a-4c59-9a53-0f6f3f0c9b11";

pub(super) fn device_key() -> KeyPair {
    KeyPair::from_seed(&[7; 32])
}

pub(super) fn signing_key() -> KeyPair {
    KeyPair::from_seed(&[9; 32])
}

pub(super) fn product() -> ProductCode {
    ProductCode::parse("press-4").unwrap()
}

pub(super) fn trusted() -> TrustedKeys {
    TrustedKeys::new(vec![TrustedKey::new(signing_key().public(), vec![product()], KeyState::Active)])
}

pub(super) fn key() -> ActivationKey {
    ActivationKey::from_random([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
}

pub(super) fn request() -> Request {
    Request {
        act: Act::Activate,
        product: product(),
        id: UUID.into(),
        made_at: Timestamp::from_seconds(1_795_000_000),
        grounds: Grounds::Key(key()),
        device: RequestDevice {
            name: Some(DeviceName::parse("press-7").unwrap()),
            vm: Some(false),
            ..RequestDevice::new(device_id())
        },
        usage: None,
        variables: [("colour".to_string(), "grün".to_string())].into(),
    }
}

pub(super) fn device_id() -> DeviceId {
    DeviceId::parse("HW-1").unwrap()
}

pub(super) fn license() -> LicenseFile {
    LicenseFile {
        issuer: "https://portal.example".into(),
        product: product(),
        license: LicenseId(42),
        id: Some("file-1".into()),
        request: Some(RequestRef { id: UUID.into(), hash: [3; 32] }),
        made_at: Timestamp::from_seconds(1_795_000_100),
        not_before: None,
        expires: None,
        device_clock: Some(Timestamp::from_seconds(1_795_000_000)),
        device: FileDevice { id: device_id(), name: None },
        device_key: Some(device_key().kid().to_string()),
        terms: Terms::perpetual("V7JTP"),
    }
}

pub(super) fn receipt() -> Receipt {
    Receipt {
        issuer: "https://portal.example".into(),
        product: product(),
        license: LicenseId(42),
        id: "receipt-1".into(),
        request: Some(RequestRef { id: UUID.into(), hash: [3; 32] }),
        made_at: Timestamp::from_seconds(1_795_000_100),
        device: FileDevice { id: device_id(), name: None },
        device_key: Some(device_key().kid().to_string()),
        released_at: Timestamp::from_seconds(1_795_000_099),
    }
}

/// A compact JWS of any header and payload, signed with a real key.
pub(super) fn forge(header: &str, payload: &str, key: &KeyPair) -> String {
    let input = format!("{}.{}", base64::url(header.as_bytes()), base64::url(payload.as_bytes()));
    format!("{input}.{}", base64::url(&key.sign(input.as_bytes())))
}

fn parts(text: &str) -> (Map<String, Value>, Map<String, Value>) {
    let mut parts = text.split('.').map(|part| base64::from_url(part).unwrap());
    (serde_json::from_slice(&parts.next().unwrap()).unwrap(), serde_json::from_slice(&parts.next().unwrap()).unwrap())
}

/// The request with its claims changed, signed again.
fn with_claims(change: impl Fn(&mut Map<String, Value>)) -> Result<SignedRequest, Problem> {
    let (header, mut claims) = parts(&request().sign(&device_key()).unwrap());
    change(&mut claims);
    SignedRequest::parse(&forge(&json!(header).to_string(), &json!(claims).to_string(), &device_key()))
}

fn with_header(change: impl Fn(&mut Map<String, Value>)) -> Code {
    let (mut header, claims) = parts(&request().sign(&device_key()).unwrap());
    change(&mut header);
    SignedRequest::parse(&forge(&json!(header).to_string(), &json!(claims).to_string(), &device_key())).unwrap_err().code
}

pub(super) fn code<T: core::fmt::Debug>(result: Result<T, Problem>) -> Code {
    result.unwrap_err().code
}

#[test]
fn a_request_comes_back_as_it_was_signed() {
    let text = request().sign(&device_key()).unwrap();
    let read = SignedRequest::parse(&text).unwrap();
    assert_eq!(read.request, request());
    assert_eq!(read.device_key, device_key().public());
    assert_eq!(read.thumbprint, device_key().kid());
    let (header, _) = parts(&text);
    assert_eq!(header.keys().collect::<Vec<_>>(), ["alg", "typ", "jwk"]);
}

#[test]
fn every_ground_and_act_comes_back() {
    let proof = KeyProof::new(&key(), device_key().kid(), UUID, &product());
    for (act, grounds) in [
        (Act::Activate, Grounds::Key(ActivationKey::parse("FUH3-4E7A-LZJL-7JTP").unwrap())),
        (Act::Activate, Grounds::KeyProof(proof)),
        (Act::Activate, Grounds::User(Email::parse("ann@press.example").unwrap())),
        (Act::Refresh, Grounds::License(LicenseId(42))),
        (Act::Release, Grounds::License(LicenseId(42))),
    ] {
        let usage = Some(Usage { seq: 3, license: 12, features: [("jobs".to_string(), 7)].into() });
        let request = Request { act, grounds, usage, ..request() };
        assert_eq!(SignedRequest::parse(&request.sign(&device_key()).unwrap()).unwrap().request, request);
    }
}

#[test]
fn ed25519_is_read_as_another_name_of_eddsa() {
    let (mut header, claims) = parts(&request().sign(&device_key()).unwrap());
    header.insert("alg".into(), "Ed25519".into());
    assert!(SignedRequest::parse(&forge(&json!(header).to_string(), &json!(claims).to_string(), &device_key())).is_ok());
}

#[test]
fn any_other_algorithm_or_curve_is_refused() {
    for alg in ["none", "HS256", "ES256", "RS256", "eddsa", "EdDSA ", "Ed448", ""] {
        assert_eq!(with_header(|header| drop(header.insert("alg".into(), alg.into()))), Code::UnsupportedAlgorithm, "{alg}");
    }
    assert_eq!(with_header(|header| drop(header.shift_remove("alg"))), Code::UnsupportedAlgorithm);
    for (name, value) in [("crv", "X25519"), ("crv", "Ed448"), ("kty", "EC"), ("x", "AAAA")] {
        assert_eq!(with_header(|header| header["jwk"][name] = value.into()), Code::UnsupportedAlgorithm, "{name} {value}");
    }
}

#[test]
fn any_other_header_member_is_refused() {
    for name in ["crit", "b64", "jku", "x5u", "x5c", "zip", "kid", "cty", "x5t", "enc"] {
        assert_eq!(with_header(|header| drop(header.insert(name.into(), json!(["exp"])))), Code::UnexpectedHeader, "{name}");
    }
    assert_eq!(with_header(|header| drop(header.shift_remove("jwk"))), Code::UnexpectedHeader);
    assert_eq!(with_header(|header| header["jwk"]["use"] = "sig".into()), Code::UnexpectedHeader);
    assert_eq!(with_header(|header| drop(header.insert("x".repeat(1100), 1.into()))), Code::UnexpectedHeader, "over 1 KiB");
}

#[test]
fn a_license_header_has_a_kid_and_nothing_else() {
    let (header, claims) = parts(&license().sign(&signing_key()).unwrap());
    assert_eq!(header.keys().collect::<Vec<_>>(), ["alg", "typ", "kid"]);
    let jwk: Value = serde_json::from_str(&jws::jwk(&signing_key().public())).unwrap();
    for change in [json!({"jwk": jwk}), json!({"jku": "https://evil.example/jwks"})] {
        let mut header = header.clone();
        header.extend(change.as_object().unwrap().clone());
        let text = forge(&json!(header).to_string(), &json!(claims).to_string(), &signing_key());
        assert_eq!(code(LicenseFile::verify(&text, &trusted())), Code::UnexpectedHeader);
    }
    let text =
        forge(&json!({"alg": "EdDSA", "typ": "cs-lic+jwt", "jwk": jwk}).to_string(), &json!(claims).to_string(), &signing_key());
    assert_eq!(code(LicenseFile::verify(&text, &trusted())), Code::UnexpectedHeader, "its own key is no reason to trust it");
}

#[test]
fn a_private_key_in_a_file_is_refused() {
    assert_eq!(with_header(|header| header["jwk"]["d"] = base64::url(&[7; 32]).into()), Code::PrivateKeyInFile);
}

#[test]
fn a_signature_is_checked_over_the_bytes_as_they_came() {
    let text = request().sign(&device_key()).unwrap();
    let (start, signature) = text.rsplit_once('.').unwrap();
    let other = KeyPair::from_seed(&[8; 32]);
    assert_eq!(
        code(SignedRequest::parse(&format!("{start}.{}", base64::url(&other.sign(start.as_bytes()))))),
        Code::BadSignature
    );
    assert_eq!(code(SignedRequest::parse(&format!("{start}.{signature}AA"))), Code::BadSignature);
    assert_eq!(code(SignedRequest::parse(&format!("{start}.{}", base64::url(&[1; 66])))), Code::BadSignature);
    // The same claims in another spelling are other bytes.
    let (header, claims) = parts(&text);
    let respelled = forge(&json!(header).to_string(), &serde_json::to_string_pretty(&claims).unwrap(), &device_key());
    assert!(SignedRequest::parse(&respelled).is_ok());
    let (respelled, _) = respelled.rsplit_once('.').unwrap();
    assert_eq!(code(SignedRequest::parse(&format!("{respelled}.{signature}"))), Code::BadSignature);
}

#[test]
fn the_payload_is_read_only_after_the_signature_held() {
    let (header, _) = parts(&request().sign(&device_key()).unwrap());
    let text = forge(&json!(header).to_string(), "no JSON at all", &KeyPair::from_seed(&[8; 32]));
    assert_eq!(code(SignedRequest::parse(&text)), Code::BadSignature);
    let text = forge(&json!(header).to_string(), "no JSON at all", &device_key());
    assert_eq!(code(SignedRequest::parse(&text)), Code::NotJson);
}

#[test]
fn small_order_and_non_canonical_keys_verify_nothing() {
    // The identity and the other points of small order verify anything under a lax verifier.
    let points = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];
    for point in points {
        let bytes: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&point[at * 2..at * 2 + 2], 16).unwrap()).collect();
        let x: [u8; 32] = bytes.try_into().unwrap();
        let header = format!("{{\"alg\":\"EdDSA\",\"typ\":\"cs-req+jwt\",\"jwk\":{}}}", jws::jwk(&x));
        let (_, claims) = parts(&request().sign(&device_key()).unwrap());
        let input = format!("{}.{}", base64::url(header.as_bytes()), base64::url(json!(claims).to_string().as_bytes()));
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&x);
        assert_eq!(code(SignedRequest::parse(&format!("{input}.{}", base64::url(&signature)))), Code::BadSignature, "{point}");
    }
}

#[test]
fn a_scalar_beyond_the_group_order_is_refused() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let text = request().sign(&device_key()).unwrap();
    let (input, signature) = text.rsplit_once('.').unwrap();
    let mut signature: [u8; 64] = base64::from_url_exact(signature).unwrap();
    let mut carry = 0;
    for at in 0..32 {
        let sum = u16::from(signature[32 + at]) + u16::from(ORDER[at]) + carry;
        signature[32 + at] = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    assert_eq!(code(SignedRequest::parse(&format!("{input}.{}", base64::url(&signature)))), Code::BadSignature);
}

#[test]
fn a_file_that_lost_its_end_was_cut_off() {
    let text = request().sign(&device_key()).unwrap();
    for end in [text.len() - 1, text.len() - 20, text.rfind('.').unwrap() + 1, text.rfind('.').unwrap()] {
        assert_eq!(code(SignedRequest::parse(&text[..end])), Code::Truncated, "{end}");
    }
    assert_eq!(code(SignedRequest::parse(&format!("{text}.AAAA"))), Code::UnknownFormat);
}

#[test]
fn every_required_claim_is_asked_for_by_name() {
    for name in ["v", "act", "aud", "jti", "iat", "key"] {
        let problem = with_claims(|claims| drop(claims.shift_remove(name))).unwrap_err();
        assert_eq!((problem.code, problem.details.name.as_deref()), (Code::UnknownFormat, Some(name)));
    }
    assert_eq!(code(with_claims(|claims| drop(claims.shift_remove("dev")))), Code::DeviceIdMissing);
    assert_eq!(code(with_claims(|claims| claims["dev"] = json!({"name": "x"}))), Code::DeviceIdMissing);
    assert_eq!(code(with_claims(|claims| claims["dev"]["id"] = "".into())), Code::DeviceIdMissing);
    assert_eq!(code(with_claims(|claims| claims["v"] = 2.into())), Code::UnsupportedVersion);
    assert_eq!(code(with_claims(|claims| claims["act"] = "trial".into())), Code::UnknownFormat);
    assert_eq!(
        code(with_claims(|claims| claims["jti"] = "7f1d0c1e-2b0a-1c59-9a53-0f6f3f0c9b11".into())),
        Code::UnknownFormat,
        "uuid1"
    );
}

#[test]
fn a_request_has_one_ground_and_one_that_fits_its_act() {
    assert_eq!(code(with_claims(|claims| drop(claims.insert("user".into(), "a@b.c".into())))), Code::UnknownFormat);
    assert_eq!(code(with_claims(|claims| claims["act"] = "release".into())), Code::UnknownFormat, "a key releases nothing");
    assert_eq!(code(with_claims(|claims| claims["act"] = "refresh".into())), Code::UnknownFormat);
    let lic = |claims: &mut Map<String, Value>| {
        claims.shift_remove("key");
        claims.insert("lic".into(), "42".into());
    };
    assert_eq!(code(with_claims(lic)), Code::UnknownFormat, "a license id activates nothing");
    for id in ["-1", "042", "4.2", "x", "", "99999999999999999"] {
        let odd = |claims: &mut Map<String, Value>| {
            lic(claims);
            claims["act"] = "release".into();
            claims["lic"] = id.into();
        };
        assert!(with_claims(odd).is_err(), "{id}");
    }
}

#[test]
fn texts_are_held_to_length_and_visibility() {
    assert_eq!(code(with_claims(|claims| claims["key"] = "x".repeat(129).into())), Code::ClaimTooLong);
    assert_eq!(code(with_claims(|claims| claims["aud"] = "x".repeat(65).into())), Code::ClaimTooLong);
    assert_eq!(code(with_claims(|claims| claims["dev"]["id"] = "x".repeat(257).into())), Code::ClaimTooLong);
    assert_eq!(code(with_claims(|claims| claims["dev"]["name"] = "x".repeat(129).into())), Code::ClaimTooLong);
    for hidden in ["a\u{202e}b", "a\u{0}b", "a\nb", "a\u{200b}b"] {
        for name in ["id", "name", "os", "app", "sdk"] {
            assert_eq!(code(with_claims(|claims| claims["dev"][name] = hidden.into())), Code::HiddenCharacters, "{name}");
        }
    }
    assert_eq!(code(with_claims(|claims| claims["vars"]["colour"] = "x".repeat(1025).into())), Code::ClaimTooLong);
    let many: Map<String, Value> = (0..65).map(|n| (format!("v{n}"), Value::from("x"))).collect();
    assert_eq!(code(with_claims(|claims| claims["vars"] = many.clone().into())), Code::ClaimTooLong);
}

#[test]
fn an_unpaired_surrogate_is_hidden() {
    let (header, claims) = parts(&request().sign(&device_key()).unwrap());
    let payload = json!(claims).to_string().replace("press-7", "press\\ud800");
    assert_eq!(code(SignedRequest::parse(&forge(&json!(header).to_string(), &payload, &device_key()))), Code::HiddenCharacters);
}

#[test]
fn duplicate_members_are_refused_in_header_and_payload() {
    let text = request().sign(&device_key()).unwrap();
    let (header, claims) = parts(&text);
    let (header, claims) = (json!(header).to_string(), json!(claims).to_string());
    let twice = header.replacen('{', "{\"alg\":\"none\",", 1);
    assert_eq!(code(SignedRequest::parse(&forge(&twice, &claims, &device_key()))), Code::DuplicateMember);
    let twice = claims.replace("\"id\":\"HW-1\"", "\"id\":\"HW-2\",\"\\u0069d\":\"HW-1\"");
    assert_eq!(code(SignedRequest::parse(&forge(&header, &twice, &device_key()))), Code::DuplicateMember);
}

#[test]
fn totals_are_counts() {
    for bad in
        [json!({"license": 1}), json!({"seq": -1}), json!({"seq": 1, "license": -1}), json!({"seq": 1, "features": {"a": -1}})]
    {
        assert!(with_claims(|claims| drop(claims.insert("use".into(), bad.clone()))).is_err(), "{bad}");
    }
    assert_eq!(code(with_claims(|claims| drop(claims.insert("use".into(), json!({"seq": 1.5}))))), Code::NotJson);
}

#[test]
fn the_devices_clock_is_never_a_reason_to_refuse() {
    for seconds in [0, -62_000_000_000_i64, 253_402_300_799] {
        assert!(with_claims(|claims| claims["iat"] = seconds.into()).is_ok(), "{seconds}");
    }
}

#[test]
fn a_mistyped_key_names_its_group() {
    let mut typed = key().text();
    typed.replace_range(12..13, if &typed[12..13] == "A" { "B" } else { "A" });
    let problem = with_claims(|claims| claims["key"] = typed.clone().into()).unwrap_err();
    assert_eq!((problem.code, problem.details.name.as_deref()), (Code::BadKeyChecksum, Some("the third group")));
}

#[test]
fn a_key_proof_holds_for_its_key_device_request_and_product_only() {
    let (jkt, other) = (device_key().kid().to_string(), signing_key().kid().to_string());
    let proof = KeyProof::new(&key(), &jkt, UUID, &product());
    assert!(proof.proves(&key(), &jkt, UUID, &product()));
    assert!(!proof.proves(&ActivationKey::from_random([0; 10]), &jkt, UUID, &product()));
    assert!(!proof.proves(&key(), &other, UUID, &product()));
    assert!(!proof.proves(&key(), &jkt, "7f1d0c1e-2b0a-4c59-9a53-0f6f3f0c9b12", &product()));
    assert!(!proof.proves(&key(), &jkt, UUID, &ProductCode::parse("press-5").unwrap()));
    let text = Request { grounds: Grounds::KeyProof(proof), ..request() }.sign(&device_key()).unwrap();
    let payload = String::from_utf8(base64::from_url(text.split('.').nth(1).unwrap()).unwrap()).unwrap();
    assert!(!payload.contains(&key().text()) && !payload.contains(&key().folded()), "the file does not hold the key");
}

#[test]
fn a_license_and_a_receipt_come_back_as_they_were_signed() {
    let mut terms = Terms::perpetual("7JTP");
    terms.kind = FileLicenseType::Subscription;
    terms.user = Some(Email::parse("ann@press.example").unwrap());
    terms.seats = None;
    terms.valid_until = Some(Timestamp::from_rfc3339("2027-03-13T00:00:00Z").unwrap());
    terms.grace_hours = 48;
    terms.features =
        vec![FileFeature { code: "jobs".into(), consumption: true, valid_until: None, max: Some(10), used: Some(3) }];
    terms.meta = json!({"tier": [1, {"a": null}]}).as_object().unwrap().clone();
    let expires = LicenseFile::end_of_use(None, terms.valid_until, terms.grace_hours);
    for license in [
        license(),
        LicenseFile { id: None, device_key: None, request: None, ..license() },
        LicenseFile { terms, expires, ..license() },
    ] {
        let read = LicenseFile::verify(&license.sign(&signing_key()).unwrap(), &trusted()).unwrap();
        assert_eq!((read.license, read.kid.as_str()), (license.clone(), signing_key().kid()));
        let read = mirror::verify(&mirror::sign(&license, &signing_key()).unwrap(), &trusted()).unwrap();
        assert_eq!(read.license, license);
    }
    assert_eq!(Receipt::verify(&receipt().sign(&signing_key()).unwrap(), &trusted()).unwrap().receipt, receipt());
}

#[test]
fn a_file_must_not_outlive_its_license() {
    let valid_until = Some(Timestamp::from_seconds(1_800_000_000));
    let mut terms = Terms::perpetual("7JTP");
    terms.valid_until = valid_until;
    terms.grace_hours = 1;
    let of = |expires| LicenseFile { terms: terms.clone(), expires, ..license() };
    assert!(of(None).sign(&signing_key()).is_err(), "exp must be there whenever use ends");
    assert!(of(Some(Timestamp::from_seconds(1_800_003_601))).sign(&signing_key()).is_err());
    assert!(of(Some(Timestamp::from_seconds(1_800_003_600))).sign(&signing_key()).is_ok());
    assert!(of(Some(Timestamp::from_seconds(1_790_000_000))).sign(&signing_key()).is_ok(), "a lease may end earlier");
    assert_eq!(LicenseFile::end_of_use(None, None, 24), None);
    assert_eq!(LicenseFile::end_of_use(Some(Timestamp::from_seconds(5)), None, 24), Some(Timestamp::from_seconds(5)));
}

#[test]
fn numbers_no_reader_agrees_on_cannot_be_signed() {
    for number in [json!(1.5), json!(9_007_199_254_740_992_u64)] {
        let mut license = license();
        license.terms.meta.insert("n".into(), number);
        assert_eq!(code(license.sign(&signing_key())), Code::NotJson);
    }
}

#[test]
fn one_kind_never_stands_for_another() {
    let files = [
        (Typ::Request, request().sign(&device_key()).unwrap()),
        (Typ::License, license().sign(&signing_key()).unwrap()),
        (Typ::Receipt, receipt().sign(&signing_key()).unwrap()),
        (Typ::Mirror, mirror::sign(&license(), &signing_key()).unwrap()),
    ];
    for (typ, text) in &files {
        let checkers: [(Typ, Option<Problem>); 4] = [
            (Typ::Request, SignedRequest::parse(text).err()),
            (Typ::License, LicenseFile::verify(text, &trusted()).err()),
            (Typ::Receipt, Receipt::verify(text, &trusted()).err()),
            (Typ::Mirror, mirror::verify(text, &trusted()).err()),
        ];
        for (checker, problem) in checkers {
            let expected = if checker == *typ { None } else { Some(Code::WrongKind) };
            assert_eq!(problem.map(|problem| problem.code), expected, "{typ:?} to {checker:?}");
        }
    }
    for typ in ["JWT", "cs-lic", "CS-LIC+JWT", "application/cs-lic+jwt", ""] {
        assert_eq!(with_header(|header| header["typ"] = typ.into()), Code::UnknownFormat, "{typ}");
    }
    assert_eq!(with_header(|header| header["typ"] = "cs-lic+jwt".into()), Code::WrongKind);
}

#[test]
fn a_file_is_believed_by_a_trusted_key_of_its_product_only() {
    let text = license().sign(&signing_key()).unwrap();
    let with = |state, product: &str| {
        let product = ProductCode::parse(product).unwrap();
        TrustedKeys::new(vec![TrustedKey::new(signing_key().public(), vec![product], state)])
    };
    assert_eq!(code(LicenseFile::verify(&text, &TrustedKeys::default())), Code::UnknownSigningKey);
    assert_eq!(code(LicenseFile::verify(&text, &with(KeyState::Active, "other"))), Code::WrongProductKey);
    assert_eq!(code(LicenseFile::verify(&text, &with(KeyState::Compromised, "press-4"))), Code::KeyCompromised);
    assert_eq!(code(LicenseFile::verify(&text, &with(KeyState::Retired, "press-4"))), Code::UnknownSigningKey);
    for state in [KeyState::Standby, KeyState::Active, KeyState::Retiring] {
        assert!(LicenseFile::verify(&text, &with(state, "PRESS-4")).is_ok(), "{state:?}");
    }
    let receipt = receipt().sign(&signing_key()).unwrap();
    assert_eq!(code(Receipt::verify(&receipt, &with(KeyState::Active, "other"))), Code::WrongProductKey);
    // Another key under the trusted one's name.
    let (header, claims) = parts(&text);
    let forged = forge(&json!(header).to_string(), &json!(claims).to_string(), &KeyPair::from_seed(&[8; 32]));
    assert_eq!(code(LicenseFile::verify(&forged, &trusted())), Code::BadSignature);
}

#[test]
fn a_key_set_a_year_old_reads_what_the_standby_signs_later() {
    let (old, standby) = (signing_key(), KeyPair::from_seed(&[10; 32]));
    let shipped = TrustedKeys::new(vec![
        TrustedKey::new(old.public(), vec![product()], KeyState::Active),
        TrustedKey::new(standby.public(), vec![product()], KeyState::Standby),
    ]);
    assert!(LicenseFile::verify(&license().sign(&standby).unwrap(), &shipped).is_ok());
    let unseen = KeyPair::from_seed(&[11; 32]);
    assert_eq!(code(LicenseFile::verify(&license().sign(&unseen).unwrap(), &shipped)), Code::UnknownSigningKey);
}

#[test]
fn a_published_set_is_read_as_it_was_written() {
    let mut retiring = TrustedKey::new([1; 32], vec![product(), ProductCode::parse("other").unwrap()], KeyState::Retiring);
    retiring.not_before = Some(Timestamp::from_seconds(1_700_000_000));
    retiring.expires = Some(Timestamp::from_seconds(1_800_000_000));
    let kept = [TrustedKey::new(signing_key().public(), vec![product()], KeyState::Active), retiring];
    let gone = [KeyState::Retired, KeyState::Compromised].map(|state| TrustedKey::new([state as u8; 32], vec![product()], state));
    let jwks = TrustedKeys::new([kept.as_slice(), gone.as_slice()].concat()).to_jwks();
    assert_eq!(TrustedKeys::from_jwks(&jwks).unwrap().keys(), kept);
    let first: Value = serde_json::from_str::<Value>(&jwks).unwrap()["keys"][0].clone();
    let members: Vec<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["kid", "kty", "crv", "x", "alg", "use", "cs_aud", "cs_state"]);
}

#[test]
fn a_key_set_with_something_wrong_in_it_is_refused() {
    let good = trusted().to_jwks();
    assert_eq!(code(TrustedKeys::from_jwks(&good.replace("\"kty\"", "\"d\":\"AA\",\"kty\""))), Code::PrivateKeyInFile);
    assert_eq!(code(TrustedKeys::from_jwks(&good.replace(signing_key().kid(), device_key().kid()))), Code::UnknownFormat);
    assert_eq!(
        code(TrustedKeys::from_jwks(&good.replace("[\"press-4\"]", "[]"))),
        Code::UnknownFormat,
        "no product is not any product"
    );
    assert_eq!(code(TrustedKeys::from_jwks(&good.replace("active", "sleeping"))), Code::UnknownFormat);
    let other_kinds = good.replace("{\"kid\"", "{\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQAB\"},{\"kid\"");
    assert_eq!(TrustedKeys::from_jwks(&other_kinds).unwrap(), trusted());
    assert_eq!(TrustedKeys::from_jwks(&good.replace("\"use\":\"sig\"", "\"use\":\"enc\"")).unwrap(), TrustedKeys::default());
}

#[test]
fn the_rfc_8037_thumbprint_and_signature_hold() {
    // RFC 8037, appendix A.
    let seed = base64::from_url_exact("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let key = KeyPair::from_seed(&seed);
    assert_eq!(base64::url(&key.public()), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let signed = forge("{\"alg\":\"EdDSA\"}", "Example of Ed25519 signing", &key);
    assert_eq!(
        signed,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}

fn visible(max: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 1..max).prop_map(|all| {
        let text: String = all.into_iter().filter(|c| !crate::licensing::text::is_hidden(*c)).collect();
        format!("x{}", text.trim())
    })
}

fn any_request() -> impl Strategy<Value = Request> {
    let grounds = prop_oneof![
        any::<[u8; 10]>().prop_map(|random| (Act::Activate, Grounds::Key(ActivationKey::from_random(random)))),
        "[A-Z0-9]{4}(-[A-Z0-9]{4}){3}".prop_map(|key| (Act::Activate, Grounds::Key(ActivationKey::parse(&key).unwrap()))),
        any::<([u8; 32], [u8; 32])>().prop_map(|(id, mac)| (Act::Activate, Grounds::KeyProof(KeyProof { id, mac }))),
        "[a-z]{1,9}@[a-z]{1,9}\\.example".prop_map(|user| (Act::Activate, Grounds::User(Email::parse(&user).unwrap()))),
        (0..1_i64 << 53, any::<bool>())
            .prop_map(|(id, release)| (if release { Act::Release } else { Act::Refresh }, Grounds::License(LicenseId(id)))),
    ];
    let usage =
        prop::option::of((0..1_u64 << 53, 0..1_u64 << 53, prop::collection::btree_map("[a-z]{1,5}", 0..1_u64 << 53, 0..4)));
    let device = (visible(60), prop::option::of(visible(30)), prop::option::of(visible(30)), prop::option::of(any::<bool>()));
    (
        grounds,
        "[A-Za-z0-9._-]{1,64}",
        -62_000_000_000..253_402_300_799_i64,
        device,
        usage,
        prop::collection::btree_map(visible(9), visible(40), 0..5),
    )
        .prop_map(|((act, grounds), product, seconds, (id, name, os, vm), usage, variables)| Request {
            act,
            product: ProductCode::parse(&product).unwrap(),
            id: UUID.into(),
            made_at: Timestamp::from_seconds(seconds),
            grounds,
            device: RequestDevice {
                name: name.map(|name| DeviceName::parse(&name).unwrap()),
                os,
                vm,
                ..RequestDevice::new(DeviceId::parse(&id).unwrap())
            },
            usage: usage.map(|(seq, license, features)| Usage { seq, license, features }),
            variables,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn printing_and_reading_a_request_is_the_identity(request in any_request(), seed in any::<[u8; 32]>()) {
        let key = KeyPair::from_seed(&seed);
        let read = SignedRequest::parse(&request.sign(&key).unwrap()).unwrap();
        prop_assert_eq!(read.request, request);
    }

    #[test]
    fn a_license_changed_in_any_character_is_refused(at in any::<prop::sample::Index>(), to in 0_usize..64) {
        let text = license().sign(&signing_key()).unwrap();
        let at = at.index(text.len());
        let mut changed = text.clone().into_bytes();
        changed[at] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[to];
        let changed = String::from_utf8(changed).unwrap();
        prop_assume!(changed != text);
        prop_assert!(LicenseFile::verify(&changed, &trusted()).is_err());
    }
}
