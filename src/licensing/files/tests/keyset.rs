use super::*;

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
