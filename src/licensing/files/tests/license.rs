use super::*;

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
