use super::*;

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
        let usage = Some(crate::licensing::usage::Usage { seq: 3, license: 12, features: [("jobs".to_string(), 7)].into() });
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
