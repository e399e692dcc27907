//! Things to keep, plain and extreme.

use crate::{
    licensing::{
        ActivationId, ActivationKey, DeviceId, LicenseId, ProductCode, ProductId, Timestamp,
        activation::{Activation, Device, How},
        license::{Actor, Entitlement, Expiry, Floating, LicenseType, Limit, Maintenance, Meter, Period, Terms, TransferLimit},
        product::{Authorization, FeatureKind, ProductRules},
        qlm::{FeatureMasks, Property, QlmTerms},
    },
    store::{Conn, NewAttempt, NewAudit, NewLicense, NewProduct, ResultPage, StoreError, Subject},
};

pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_123);

pub fn new_product(code: &str) -> NewProduct {
    NewProduct {
        code: ProductCode::parse(code).expect("a code"),
        number: None,
        name: format!("Product {code}"),
        authorization: Authorization::Key,
        rules: ProductRules::default(),
    }
}

pub async fn product(conn: &mut Conn, code: &str) -> ProductId {
    conn.add_product(&new_product(code), NOW).await.expect("the store").expect("the code is free")
}

/// A key of our own shape, each number another.
pub fn key(number: u32) -> ActivationKey {
    let [a, b, c, d] = number.to_be_bytes();
    ActivationKey::from_random([a, b, c, d, 0x5a, 0xa5, d, c, b, a])
}

pub fn new_license(product: ProductId, number: u32) -> NewLicense {
    NewLicense {
        id: None,
        product,
        key: Some(key(number)),
        key_id: None,
        terms: Terms::default(),
        customer: None,
        order: None,
        policy: None,
        subscription: None,
        note: String::new(),
    }
}

pub async fn license(conn: &mut Conn, new: &NewLicense) -> LicenseId {
    conn.add_license(new, NOW).await.expect("the store").expect("the key is free")
}

/// Terms in which everything is set, and to its extremes.
pub fn full_terms() -> Terms {
    let meter = Meter {
        used: i64::MIN,
        max: Limit::AtMost(u32::MAX),
        overage: Limit::Unlimited,
        period: Some(Period::Annually),
        negatives: true,
        resets_at: Some(NOW.plus_days(365)),
    };
    let metadata = "{\"z\": 1, \"a\": [null, true, -9007199254740993, 18446744073709551615, 0.1, \"\\u0000\\ud83d\\ude00\"], \
                    \"m\": {\"b\": {}, \"a\": \"</script>'--\"}, \"\": \"\"}";
    Terms {
        kind: LicenseType::Consumption,
        trial: true,
        seats: Limit::AtMost(u32::MAX),
        start: Some(NOW.plus_days(-1)),
        expiry: Expiry {
            on: Some(NOW.plus_days(100)),
            days_after_first_activation: Some(u32::MAX),
            ends_with_day: true,
            days_counted_by_client: Some(0),
            days_after_issue: Some(7),
        },
        grace_hours: u32::MAX,
        maintenance: Maintenance::Until(NOW.plus_days(50)),
        transfers: TransferLimit::AtMost(3),
        offline_allowed: false,
        air_gapped: true,
        floating: Some(Floating { slots: 5, borrow_hours: 72 }),
        meter: Some(meter),
        entitlements: vec![
            Entitlement {
                code: "z".to_owned(),
                name: "Größe 😀 \"\\".to_owned(),
                kind: FeatureKind::Consumption,
                valid_until: Some(Timestamp::from_millis(i64::MAX)),
                meter: Some(Meter { used: i64::MAX, max: Limit::Unlimited, period: None, resets_at: None, ..meter }),
                floating: Some(0),
            },
            Entitlement {
                code: "a".to_owned(),
                name: String::new(),
                kind: FeatureKind::Activation,
                valid_until: None,
                meter: None,
                floating: None,
            },
        ],
        fields: [("ß", "ẞ"), ("", ""), ("a", "\u{1}\n\t")].map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        metadata: serde_json::from_str(metadata).expect("it is JSON"),
        qlm: Some(QlmTerms {
            major: u32::MAX,
            features: FeatureMasks([255, 0, 1, 128]),
            user_data: "\u{1}'😀".to_owned(),
            properties: vec![Property {
                category: String::new(),
                name: "n".to_owned(),
                value: "<v>".to_owned(),
                expires: Some(NOW),
            }],
            ..QlmTerms::default()
        }),
    }
}

/// A license with that many seats.
pub async fn license_for(conn: &mut Conn, product: ProductId, seats: u32) -> LicenseId {
    let terms = Terms { seats: Limit::AtMost(seats), ..Terms::default() };
    license(conn, &NewLicense { terms, ..new_license(product, seats) }).await
}

pub fn device(id: &str) -> Device {
    Device::bare(DeviceId::parse(id).expect("an id"))
}

pub fn new_activation(license: LicenseId, id: &str) -> Activation {
    Activation::new(license, device(id), How::Online, NOW)
}

/// Adds it since an instant, and leaves the license as it is.
pub async fn add(conn: &mut Conn, new: &Activation, at: Timestamp) -> Result<ActivationId, StoreError> {
    let (license, _, head) = conn.license(new.license).await?.expect("the license is there");
    conn.take_seat(&Activation { first_activated: at, ..new.clone() }, &license, &head.unwrap_or_default()).await
}

pub fn new_audit(subject: Subject, act: &'static str) -> NewAudit {
    NewAudit { at: NOW, subject, act, actor: Actor::Customer, before: None, after: Some(serde_json::json!({ "act": act })) }
}

pub fn new_attempt(reference: &str) -> NewAttempt {
    NewAttempt {
        reference: reference.to_owned(),
        at: NOW,
        door: "form".to_owned(),
        code: "seats_exhausted".to_owned(),
        product_code: None,
        license: None,
        key_ends: None,
        device_id: None,
        device_name: None,
        detail: "{}".to_owned(),
    }
}

pub fn page(token: &[u8], expires: Timestamp) -> ResultPage {
    ResultPage { token_hash: token.to_vec(), kind: "license".to_owned(), content: "{}".to_owned(), created: NOW, expires }
}
