use proptest::prelude::*;

use super::*;

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
            usage: usage.map(|(seq, license, features)| crate::licensing::usage::Usage {
                seq,
                license,
                features: features.into_iter().collect(),
            }),
            variables: variables.into_iter().collect(),
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

    #[test]
    fn a_header_with_any_other_value_is_refused(
        name in prop::sample::select(vec!["alg", "typ", "kid"]), value in "\\PC{0,24}", license_file in any::<bool>(),
    ) {
        let (text, key) = if license_file { (license().sign(&signing_key()), signing_key()) } else { (request().sign(&device_key()), device_key()) };
        let (mut header, claims) = parts(&text.unwrap());
        prop_assume!(header.get(name).and_then(Value::as_str) != Some(&value) && value != "Ed25519");
        header.insert(name.into(), value.into());
        let text = forge(&json!(header).to_string(), &json!(claims).to_string(), &key);
        prop_assert!(SignedRequest::parse(&text).is_err());
        prop_assert!(LicenseFile::verify(&text, &trusted()).is_err());
    }

    #[test]
    fn a_device_key_in_any_other_words_is_refused(name in prop::sample::select(vec!["kty", "crv", "x", "d", "kid", "use", "key_ops"]), value in "[A-Za-z0-9_-]{0,44}") {
        let (mut header, claims) = parts(&request().sign(&device_key()).unwrap());
        prop_assume!(header["jwk"].get(name).and_then(Value::as_str) != Some(&value));
        header["jwk"][name] = value.into();
        prop_assert!(SignedRequest::parse(&forge(&json!(header).to_string(), &json!(claims).to_string(), &device_key())).is_err());
    }

    #[test]
    fn header_values_of_another_type_are_refused(name in prop::sample::select(vec!["alg", "typ", "kid", "jwk"]), which in 0_usize..6) {
        let value = [json!(null), json!(1), json!(true), json!([]), json!({}), json!(["EdDSA"])][which].clone();
        for (text, key) in [(license().sign(&signing_key()), signing_key()), (request().sign(&device_key()), device_key())] {
            let (mut header, claims) = parts(&text.unwrap());
            header.insert(name.into(), value.clone());
            let text = forge(&json!(header).to_string(), &json!(claims).to_string(), &key);
            prop_assert!(SignedRequest::parse(&text).is_err() && LicenseFile::verify(&text, &trusted()).is_err());
        }
    }

    #[test]
    fn printing_and_reading_a_license_is_the_identity(
        id in 0..1_i64 << 53, seconds in 0..253_402_300_799_i64, valid_for in prop::option::of(0..1_000_000_000_i64), grace in 0..10_000_u32,
        name in prop::option::of(visible(30)), user in prop::option::of("[a-z]{1,9}@[a-z]{1,9}\\.example"), seats in prop::option::of(0..1_u64 << 53),
        codes in prop::collection::vec("[a-z]{1,8}", 0..4), meta in prop::collection::btree_map(visible(8), visible(8), 0..4),
    ) {
        let made_at = Timestamp::from_seconds(seconds / 2);
        let terms = Terms {
            user: user.map(|user| Email::parse(&user).unwrap()),
            seats,
            valid_until: valid_for.map(|length| made_at.plus_seconds(length)),
            grace_hours: grace,
            features: codes
                .into_iter()
                .map(|code| FileFeature { code, consumption: seats.is_some(), valid_until: Some(made_at), max: seats, used: None })
                .collect(),
            meta: meta.into_iter().map(|(name, value)| (name, Value::from(value))).collect(),
            ..Terms::perpetual("7JTP")
        };
        let device = FileDevice { id: device_id(), name: name.map(|name| DeviceName::parse(&name).unwrap()) };
        let expires = LicenseFile::end_of_use(None, terms.valid_until, grace);
        let file = LicenseFile { license: LicenseId(id), made_at, device, expires, terms, ..license() };
        prop_assert_eq!(LicenseFile::verify(&file.sign(&signing_key()).unwrap(), &trusted()).unwrap().license, file);
    }

    #[test]
    fn printing_and_reading_a_receipt_or_a_mirror_is_the_identity(
        id in 0..1_i64 << 53, seconds in 0..253_402_300_799_i64, held in 0..1_000_000_000_i64, name in prop::option::of(visible(30)),
        device in visible(60), asked in any::<bool>(), bound in any::<bool>(),
    ) {
        let made_at = Timestamp::from_seconds(seconds);
        let device = FileDevice { id: DeviceId::parse(&device).unwrap(), name: name.map(|name| DeviceName::parse(&name).unwrap()) };
        let request = asked.then(|| RequestRef { id: UUID.into(), hash: [5; 32] });
        let device_key = (bound && asked).then(|| device_key().kid().to_string());
        let released_at = made_at.plus_seconds(-held);
        let file = Receipt { license: LicenseId(id), made_at, released_at, device: device.clone(), request: request.clone(), device_key: device_key.clone(), ..receipt() };
        prop_assert_eq!(&Receipt::verify(&file.sign(&signing_key()).unwrap(), &trusted()).unwrap().receipt, &file);
        let claims = LicenseFile { license: LicenseId(id), made_at, device, request, device_key, ..license() };
        let mirrored = mirror::sign(&claims, &signing_key()).unwrap();
        prop_assert_eq!(mirror::verify(&mirrored, &trusted()).unwrap().license, claims);
        prop_assert!(LicenseFile::verify(&mirrored, &trusted()).is_err());
    }
}
