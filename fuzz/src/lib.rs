//! What is tried with bytes of chance, and with every text that was once found to matter: `tests/corpus.rs` runs these over
//! `fuzz/corpus` as ordinary tests. Each must never panic, and holds what it asserts.

use countersign::licensing::{
    ProductId, Timestamp,
    files::{
        Context, SignedRequest, base64, inspect,
        licensespring::{Authorization, LicenseSpringLicense, LicenseSpringRequest},
        text::{Carried, unwrap},
    },
    qlm::{
        Args, DateFormat, FeatureMasks, Property, PropertyDefinition,
        document::{Element, ascii},
        filter::{Filter, Value},
        order::{KeyOrder, OrderSettings},
        strict::StrictToken,
    },
    shops::{KNOWN, Payload, ShopMap, Signing, signature},
    tpm::{TpmKey, read_signature},
};

pub type Target = fn(&[u8]);

/// Every target, by the name of its corpus.
pub const TARGETS: [(&str, Target); 7] = [
    ("authorization", authorization),
    ("countersign_request", countersign_request),
    ("license_filter", license_filter),
    ("licensespring_request", licensespring_request),
    ("qlm_arguments", qlm_arguments),
    ("refresh_file", refresh_file),
    ("shop_payload", shop_payload),
];

/// A header of an API call, whatever stands in it.
pub fn authorization(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(parts) = Authorization::parse(text) {
        assert!(![&parts.algorithm, &parts.signature, &parts.api_key].iter().any(|part| part.is_empty()));
        let again = format!(
            r#"algorithm="{}",headers="date",signature="{}",apiKey="{}""#,
            parts.algorithm, parts.signature, parts.api_key
        );
        // What was read is written and read again as it was.
        assert_eq!(Authorization::parse(&again).as_ref(), Ok(&parts), "{again}");
    }
    if let Some(signature) = read_signature(text) {
        let again = format!("algorithm=\"ES256\"signature=\"{}\"", base64::standard(&signature));
        assert_eq!(read_signature(&again), Some(signature));
    }
    if let Ok(key) = TpmKey::parse(text) {
        assert_eq!(TpmKey::parse(key.text()).as_ref(), Ok(&key));
        assert_eq!(key.point().len(), 65);
    }
}

/// A request of ours. One that is taken is genuine, and says the same when it is read again.
pub fn countersign_request(data: &[u8]) {
    look(data);
    if let Ok(Carried::Jws(text)) = unwrap(data)
        && let Ok(signed) = SignedRequest::parse(&text)
    {
        let again = SignedRequest::parse(&text).expect("it was read before");
        assert_eq!(signed.request, again.request);
    }
}

/// A request of LicenseSpring's clients, in either dialect.
pub fn licensespring_request(data: &[u8]) {
    look(data);
    let json = match unwrap(data) {
        Ok(Carried::Json(json)) => json,
        _ => data.to_vec(),
    };
    if let Ok(request) = LicenseSpringRequest::parse(&json) {
        assert!(request.key.is_some() || request.username.is_some());
        assert!(request.variables().len() <= 64 && request.consumed().len() <= 257);
        // A key of chance never fits.
        assert!(!request.check(Some(b"\x01\x02\x03 no shared key of anybody")).is_valid());
        assert!(!request.check(None).is_valid());
    }
}

/// A `.lic` of LicenseSpring's, as an activation or a refresh gives it.
pub fn refresh_file(data: &[u8]) {
    look(data);
    let json = match unwrap(data) {
        Ok(Carried::Json(json)) => json,
        _ => data.to_vec(),
    };
    if let Ok(file) = LicenseSpringLicense::parse(&json) {
        for check in &file.rsa {
            assert!(!check.any_of.is_empty(), "{} covers something", check.name);
        }
    }
}

/// What the inspector says of it: whatever it is, there is something to say, and nothing here is genuine by chance.
fn look(data: &[u8]) {
    let report = inspect(data, &Context { now: Some(Timestamp::from_seconds(1_795_000_000)), ..Context::default() });
    assert!(!report.checks.is_empty());
}

/// The arguments of a call by Quick License Manager's methods, and each text that is a language of its own: features, properties, dates.
pub fn qlm_arguments(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let pairs = |text: &str| -> Vec<(String, String)> {
        text.split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .collect()
    };
    let (query, body) = text.split_once('\n').unwrap_or((text, ""));
    let args = Args::merge(pairs(query), pairs(body));
    let today = Timestamp::from_seconds(1_790_000_000).date();
    for duration_sets_date in [true, false] {
        let settings = OrderSettings { duration_sets_date, ..OrderSettings::default() };
        if let Ok(order) = KeyOrder::read(&args, &settings, today, None) {
            let qlm = order.terms.qlm.as_ref().expect("an order says what it is");
            let kept = serde_json::to_string(&order.terms).expect("terms are plain data");
            assert_eq!(
                serde_json::from_str::<countersign::licensing::license::Terms>(&kept).expect("it was written"),
                order.terms
            );
            assert_eq!(FeatureMasks::parse("", &qlm.features.text()), Ok(qlm.features));
            if let Some(document) = Property::document(&qlm.properties, ProductId(1), &[]) {
                assert!(ascii(&Element::text("a", document).canonical()).is_ascii());
            }
        }
    }
    if let Ok(masks) = FeatureMasks::parse("", text) {
        assert_eq!(FeatureMasks::parse("", &masks.text()), Ok(masks));
    }
    // What a license has is a document, whatever its properties say.
    if let Ok(properties) = Property::parse_all("is_pp", text, &DateFormat::default())
        && let Some(document) = Property::document(&properties, ProductId(1), &[])
    {
        assert_eq!(document.matches("<Property ").count(), properties.len());
        assert!(ascii(&Element::text("a", document).canonical()).is_ascii());
    }
    // Definitions are written as they are read, and what they say fits them.
    if let Ok(defined) = PropertyDefinition::parse_all(text) {
        let written = PropertyDefinition::text(&defined);
        assert_eq!(PropertyDefinition::parse_all(&written).as_ref(), Ok(&defined), "{written}");
        let given = args.text("is_pp").and_then(|pp| Property::parse_all("is_pp", pp, &DateFormat::default()).ok());
        let set = PropertyDefinition::of_client(&defined, given.unwrap_or_default());
        assert!(defined.is_empty() || PropertyDefinition::check(&defined, &set).is_ok());
        if let Some(document) = Property::document(&set, ProductId(1), &defined) {
            assert_eq!(document.matches("<Property ").count(), defined.len());
        }
    }
    // Whatever it holds, the canonical form ends where it should.
    let element = Element::text("a", text).with("b", text).canonical();
    assert!(element.starts_with("<a b=\"") && element.ends_with("</a>") && element.matches('<').count() == 2, "{element}");
    if let Ok(format) = DateFormat::parse(query) {
        let written = format.write(Timestamp::from_seconds(1_790_000_000));
        // Two digits of a year are this century's; whatever was written is read as the same day.
        assert_eq!(format.read(&written), Some(today), "{query}: {written}");
    }
    let headers: Vec<(String, String)> = pairs(body).into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
    if let Some(token) = StrictToken::read(&headers, vec![query.to_owned()]) {
        assert!(token.check(b"a key nobody fuzzes", Timestamp::from_seconds(1_790_000_000), 300, 1).is_err());
    }
}

/// A filter of licenses. What is one asks about known columns alone, and about nothing the same as about something that fits nothing.
pub fn license_filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(filter) = Filter::parse(text) else { return };
    let asked = std::cell::RefCell::new(Vec::new());
    let number = |name: &str| {
        asked.borrow_mut().push(name.to_owned());
        Some(Value::Number(1))
    };
    let by_number = filter.fits(&number);
    assert_eq!(filter.fits(&number), by_number);
    let _ = filter.fits(&|_| Some(Value::Text("Ann@example.com".to_owned())));
    let _ = filter.fits(&|_| None);
    assert!(asked.borrow().iter().all(|name| countersign::licensing::qlm::filter::COLUMNS.contains(&name.as_str())));
}

/// What a shop may send, read by every map that is known, and as a map.
pub fn shop_payload(data: &[u8]) {
    let headers = vec![("x-shopify-topic".to_owned(), "orders/paid".to_owned()), ("x-signature".to_owned(), "00".to_owned())];
    if let Ok(mut payload) = Payload::read(data, headers.clone()) {
        payload.gather();
        for (_, text) in KNOWN {
            let map = ShopMap::parse(text).expect("it is known");
            for event in payload.events(&map.events, 100).unwrap_or_default() {
                let _ = (map.read(&event), map.event_name(&event));
                // Whatever a payload says, the shop it is asked of is the same.
                if let Some(address) = map.fetch_address(&event) {
                    let host = |address: &str| address.split('/').nth(2).map(str::to_owned);
                    assert_eq!(host(&address), host(&map.fetch), "{address}");
                }
            }
            assert!(
                matches!(map.signing, Signing::None | Signing::PayPal)
                    || signature::check(&map.signing, &headers, data, b"key", Timestamp::from_seconds(0)).is_err()
            );
        }
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(map) = ShopMap::parse(text)
    {
        assert_eq!(ShopMap::parse(&map.text()).as_ref(), Ok(&map));
    }
}
