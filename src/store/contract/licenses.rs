//! Licenses and the devices that hold their seats.

use super::{
    bench::Bench,
    samples::{self, NOW},
};
use crate::{
    licensing::{
        ActivationId, ActivationKey, DeviceId, DeviceName, Email, LicenseId, OrderId, ProductId, Timestamp,
        usage::{Told, Totals},
        activation::{Activation, ActivationState, Counted, Device, DeviceKey, How},
        airgap::{CodePurpose, CodeUse, OneTimeCode},
        floating::{Hold, InUse},
        license::{Actor, Expiry, License, LicenseState, Limit, Maintenance, Terms},
    },
    store::{Conn, NewAirGapCode, NewLicense, NewOrder},
};

fn actors() -> Vec<Actor> {
    vec![
        Actor::Customer,
        Actor::Staff { id: 9_007_199_254_740_991, email: "jürgen@press.example".to_owned() },
        Actor::Operator,
        Actor::ApiKey { name: "Key \"1\" 😀".to_owned() },
        Actor::System,
    ]
}

pub async fn a_license_comes_back_as_it_was_saved(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let customer = conn.customer_for(&Email::parse("ann@press.example").unwrap(), "Ann", "", NOW).await.unwrap();
    let new_order = NewOrder { provider: "shop".to_owned(), reference: "R-1".to_owned(), customer: Some(customer), ordered: NOW };
    let order = conn.add_order(&new_order, NOW).await.unwrap().unwrap();
    let policy = conn.add_policy(product, "standard", "Standard", &samples::full_terms()).await.unwrap().unwrap();
    let new = NewLicense {
        key: Some(ActivationKey::parse("abcd-EFGH-ügh-\"1\"").unwrap()),
        key_id: Some("digest".to_owned()),
        terms: samples::full_terms(),
        customer: Some(customer),
        order: Some(order),
        policy: Some(policy),
        subscription: Some(("shop".to_owned(), "S-1".to_owned())),
        note: "Note ü 😀 \\ ' \" \n".to_owned(),
        ..samples::new_license(product, 1)
    };
    let id = samples::license(&mut conn, &new).await;
    bench.commit(conn).await;

    let expected = License {
        id,
        product,
        key: new.key.clone(),
        state: LicenseState::Enabled,
        terms: new.terms.clone(),
        seats_taken: 0,
        transfers_used: 0,
        first_activated: None,
        customer: new.customer,
        order: new.order,
        policy: new.policy,
        subscription: new.subscription.clone(),
        note: new.note.clone(),
        created: NOW,
        revision: 1,
    };
    let mut conn = bench.read().await;
    let (found, its_product, head) = conn.license(id).await.unwrap().unwrap();
    assert_eq!(found, expected);
    let order_of = |terms: &Terms| terms.metadata.keys().cloned().collect::<Vec<_>>();
    assert_eq!(order_of(&found.terms), ["z", "a", "m", ""]);
    assert_eq!((its_product.id, head), (product, None));
    assert_eq!(conn.license_by_key_id(product, "digest").await.unwrap(), Some((id, new.key.clone().unwrap())));
    assert_eq!(conn.license_by_key_id(product, "other").await.unwrap(), None);
    assert_eq!(conn.license_by_key_id(ProductId(404), "digest").await.unwrap(), None);
    assert_eq!(conn.licenses_of_order(order).await.unwrap().len(), 1);
    assert!(conn.licenses_of_order(OrderId(404)).await.unwrap().is_empty());
    assert!(conn.license(LicenseId(404)).await.unwrap().is_none());
    drop(conn);
    // Spelled as a customer might: without case and dashes.
    let typed = ActivationKey::parse("ABCDefgh ÜGH \"1\"").unwrap();
    let with_key = bench.read().await.licenses_with_key(&typed).await.unwrap();
    assert_eq!(with_key.into_iter().map(|(license, _)| license).collect::<Vec<_>>(), [expected]);
    assert!(bench.read().await.licenses_with_key(&samples::key(404)).await.unwrap().is_empty());
}

pub async fn a_license_is_saved_in_each_state(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let id = samples::license_for(&mut conn, product, 3).await;
    let (mut license, _, _) = conn.lock_license(id).await.unwrap().unwrap();
    let mut states = vec![LicenseState::Enabled];
    for by in actors() {
        let (at, reason) = (Timestamp::from_millis(i64::MAX), "chargeback „ü“\n".to_owned());
        states.push(LicenseState::Disabled { at, by: by.clone(), reason: reason.clone() });
        states.push(LicenseState::Archived { at: Timestamp::from_millis(-1), by, reason });
    }
    for (number, state) in (1..).zip(states) {
        license.state = state;
        license.terms = if number % 2 == 0 { Terms::default() } else { samples::full_terms() };
        (license.seats_taken, license.transfers_used) = (u32::MAX, u32::MAX - 1);
        license.first_activated = (number % 3 == 0).then_some(NOW);
        license.note = format!("note {number}");
        license.subscription = (number % 2 == 0).then(|| ("p".to_owned(), "r".to_owned()));
        conn.save_license(&license, Some(&[number, 0, 255])).await.unwrap();
        license.revision += 1;
        let (found, _, head) = conn.lock_license(id).await.unwrap().unwrap();
        assert_eq!(found, license);
        assert_eq!(head, Some(vec![number, 0, 255]));
    }
    bench.commit(conn).await;
    assert!(bench.begin().await.lock_license(LicenseId(404)).await.unwrap().is_none());
}

pub async fn taking_a_seat_is_no_edit(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let terms = Terms {
        expiry: Expiry { days_after_first_activation: Some(30), ..Expiry::NEVER },
        maintenance: Maintenance::DaysAfterFirstActivation(10),
        seats: Limit::Unlimited,
        ..Terms::default()
    };
    let id = samples::license(&mut conn, &NewLicense { terms, ..samples::new_license(product, 1) }).await;
    let (before, _, _) = conn.lock_license(id).await.unwrap().unwrap();
    let mut after = before.clone();
    (after.seats_taken, after.transfers_used, after.first_activated) = (7, 2, Some(NOW));
    after.note = "not saved by this".to_owned();
    conn.save_seats(&after, &[1, 2]).await.unwrap();
    let (found, _, head) = conn.license(id).await.unwrap().unwrap();
    assert_eq!(found, License { seats_taken: 7, transfers_used: 2, first_activated: Some(NOW), ..before });
    assert_eq!(head.as_deref(), Some(&[1, 2][..]));
    conn.set_audit_head(id, &[3]).await.unwrap();
    assert_eq!(conn.license(id).await.unwrap().unwrap().2.as_deref(), Some(&[3][..]));
    let [ann, bob] = ["ann@press.example", "bob@press.example"].map(|email| Email::parse(email).unwrap());
    let (ann, bob) = (conn.customer_for(&ann, "", "", NOW).await.unwrap(), conn.customer_for(&bob, "", "", NOW).await.unwrap());
    for who in [ann, bob] {
        conn.set_license_customer(id, who).await.unwrap();
    }
    assert_eq!(conn.license(id).await.unwrap().unwrap().0.customer, Some(ann));
    bench.commit(conn).await;
    // The column that lists sort and filter by followed the first activation.
    let until = bench.ask("select cast(valid_until as text) from license").await;
    assert_eq!(until, [NOW.plus_days(30).millis().to_string()]);
}

pub async fn a_key_is_unique_within_its_product(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let other = samples::product(&mut conn, "other").await;
    let foreign = |text: &str, product| NewLicense { key: Some(ActivationKey::parse(text).unwrap()), ..samples::new_license(product, 1) };
    let first = samples::license(&mut conn, &foreign("abc-def", product)).await;
    assert_eq!(conn.add_license(&foreign("ABC DEF", product), NOW).await.unwrap(), None);
    let second = samples::license(&mut conn, &foreign("ABC-DEF", other)).await;
    let found = conn.licenses_with_key(&ActivationKey::parse("abcdef").unwrap()).await.unwrap();
    assert_eq!(found.iter().map(|(license, product)| (license.id, product.id)).collect::<Vec<_>>(), [(first, product), (second, other)]);
    // Licenses without a key are not in each other's way.
    for _ in 0..2 {
        let id = samples::license(&mut conn, &NewLicense { key: None, ..samples::new_license(product, 1) }).await;
        assert_eq!(conn.license(id).await.unwrap().unwrap().0.key, None);
    }
    bench.commit(conn).await;
}

pub async fn imported_ids_are_not_given_again(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let with_id = |id, number| NewLicense { id: Some(LicenseId(id)), ..samples::new_license(product, number) };
    for (number, id) in [(0, 1), (1, 5), (2, 3), (3, 4_000_000_000)] {
        assert_eq!(conn.add_license(&with_id(id, number), NOW).await.unwrap(), Some(LicenseId(id)));
    }
    assert_eq!(conn.add_license(&with_id(5, 99), NOW).await.unwrap(), None);
    for number in 10..13 {
        let id = samples::license(&mut conn, &samples::new_license(product, number)).await;
        assert_eq!(id.0, 4_000_000_000 + i64::from(number) - 9);
    }
    bench.commit(conn).await;
}

fn full_device(id: &str) -> Device {
    Device {
        id: DeviceId::parse(id).unwrap(),
        name: Some(DeviceName::parse("Büro-PC 😀 \"7\"").unwrap()),
        os: Some("Windows 11".to_owned()),
        app: Some("Press 4.2".to_owned()),
        sdk: Some(String::new()),
        virtual_machine: Some(true),
    }
}

pub async fn an_activation_comes_back_in_each_state(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let license = samples::license_for(&mut conn, product, 9).await;
    let mut expected = Activation {
        device_key: Some(DeviceKey("thumb".to_owned())),
        user: Some("ann@press.example".to_owned()),
        file_keys: Some("kid-1 kid-2".to_owned()),
        contact: Some("ann@customer.example".to_owned()),
        api_key: Some("api".to_owned()),
        ..Activation::new(license, full_device("Device 😀/%_\\"), How::AirGapped, NOW)
    };
    let id = samples::add(&mut conn, &expected, NOW).await.unwrap();
    expected.id = id;
    assert_eq!(conn.activation(id).await.unwrap().as_ref(), Some(&expected));
    let bare = samples::add(&mut conn, &samples::new_activation(license, "bare"), NOW).await.unwrap();
    let found = conn.activation(bare).await.unwrap().unwrap();
    assert_eq!((found.device, found.device_key, found.user, found.api_key), (samples::device("bare"), None, None, None));
    assert_eq!(conn.activation(ActivationId(404)).await.unwrap(), None);

    let mut states = vec![];
    for by in actors() {
        states.push(ActivationState::Released { at: NOW.plus_days(1), by: by.clone(), counted: true, replaced_by: Some(bare) });
        states.push(ActivationState::Released { at: NOW.plus_days(1), by: by.clone(), counted: false, replaced_by: None });
        states.push(ActivationState::Revoked { at: NOW.plus_days(2), by: by.clone(), reason: "ü \"lost\"".to_owned() });
        states.push(ActivationState::Revoked { at: NOW.plus_days(2), by, reason: String::new() });
    }
    states.push(ActivationState::Active { since: NOW.plus_days(3) });
    for (number, state) in (0_u32..).zip(states) {
        expected.state = state;
        expected.how = [How::Online, How::Offline, How::AirGapped][number as usize % 3];
        expected.last_seen = NOW.plus_days(i64::from(number));
        expected.device.name = (number % 2 == 0).then(|| DeviceName::parse("New").unwrap());
        expected.device.virtual_machine = [None, Some(false), Some(true)][number as usize % 3];
        expected.device_key = (number % 2 == 1).then(|| DeviceKey(format!("key {number}")));
        expected.rebinds = Counted { times: u32::MAX, since: Some(NOW) };
        expected.offline_releases = Counted { times: number, since: (number % 2 == 0).then_some(NOW) };
        expected.use_seq = i64::MAX;
        expected.bound = Some(NOW.plus_days(i64::from(number)));
        expected.contact = (number % 2 == 0).then(|| "bob@customer.example".to_owned());
        expected.file_keys = Some(format!("kid-{number}"));
        expected.use_totals = Totals {
            license: u64::MAX,
            features: [("jöbs".to_owned(), 7)].into(),
            by: Some(format!("key {number}")),
            others: [("other".to_owned(), Told { seq: 3, ..Told::default() })].into(),
        };
        conn.save_activation(&expected).await.unwrap();
        assert_eq!(conn.activation(id).await.unwrap().as_ref(), Some(&expected));
    }
    bench.commit(conn).await;
    // One row for a license on a device, whatever happens to it.
    assert!(samples::add(&mut bench.begin().await, &expected, NOW).await.is_err());
}

async fn released(conn: &mut Conn, license: LicenseId, device: &str, counted: bool) -> ActivationId {
    let id = samples::add(conn, &samples::new_activation(license, device), NOW).await.unwrap();
    let mut activation = conn.activation(id).await.unwrap().unwrap();
    activation.state = ActivationState::Released { at: NOW, by: Actor::Customer, counted, replaced_by: None };
    conn.save_activation(&activation).await.unwrap();
    id
}

pub async fn the_facts_about_a_device_are_all_that_a_decision_needs(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let other = samples::product(&mut conn, "other").await;
    let license = samples::license(&mut conn, &samples::new_license(product, 1)).await;
    let twin = samples::license(&mut conn, &samples::new_license(other, 1)).await;
    let device = DeviceId::parse("device").unwrap();

    let facts = conn.facts_by_license(license, &device).await.unwrap().unwrap();
    assert_eq!((facts.license.id, facts.product.id, facts.audit_head), (license, product, None));
    assert_eq!((facts.known, facts.vacated, facts.blocked), (None, None, false));
    assert!(conn.facts_by_license(LicenseId(404), &device).await.unwrap().is_none());

    // Given back without counting, or by the device itself: nothing that another takes over.
    released(&mut conn, license, "uncounted", false).await;
    let own = released(&mut conn, license, "device", true).await;
    let facts = conn.facts_by_license(license, &device).await.unwrap().unwrap();
    assert_eq!((facts.known.map(|known| known.id), facts.vacated), (Some(own), None));
    let oldest = released(&mut conn, license, "oldest", true).await;
    let newer = released(&mut conn, license, "newer", true).await;
    let facts = conn.facts_by_license(license, &device).await.unwrap().unwrap();
    assert_eq!((facts.vacated, facts.vacated_seats), (Some(oldest), 2));
    conn.replace_activation(oldest, own).await.unwrap();
    let facts = conn.facts_by_license(license, &device).await.unwrap().unwrap();
    assert_eq!((facts.vacated, facts.vacated_seats), (Some(newer), 1));
    let replaced = conn.activation(oldest).await.unwrap().unwrap().state;
    assert!(matches!(replaced, ActivationState::Released { replaced_by: Some(by), .. } if by == own));
    // A seat that is held is not taken over.
    let held = samples::add(&mut conn, &samples::new_activation(license, "held"), NOW).await.unwrap();
    conn.replace_activation(held, own).await.unwrap();
    assert_eq!(conn.activation(held).await.unwrap().unwrap().state, ActivationState::Active { since: NOW });

    conn.block_device(license, &device, NOW).await.unwrap();
    conn.block_device(license, &device, NOW).await.unwrap();
    assert!(conn.facts_by_license(license, &device).await.unwrap().unwrap().blocked);
    let elsewhere = DeviceId::parse("elsewhere").unwrap();
    assert!(!conn.facts_by_license(license, &elsewhere).await.unwrap().unwrap().blocked);
    assert!(!conn.facts_by_license(twin, &device).await.unwrap().unwrap().blocked);

    let with_key = conn.facts_with_key(&samples::key(1).folded(), &device).await.unwrap();
    let shown: Vec<_> = with_key.iter().map(|facts| (facts.license.id, facts.product.id, facts.known.is_some(), facts.blocked)).collect();
    assert_eq!(shown, [(license, product, true, true), (twin, other, false, false)]);
    assert!(conn.facts_with_key("NONE", &device).await.unwrap().is_empty());

    assert!(conn.allow_device(license, &device).await.unwrap());
    assert!(!conn.allow_device(license, &device).await.unwrap());
    assert!(!conn.facts_by_license(license, &device).await.unwrap().unwrap().blocked);
    bench.commit(conn).await;

    // Blocks of a whole product, and of every product.
    bench.tamper(&format!("insert into device_block (device_id, product_id, created_at) values ('device', {}, 0)", other.0)).await;
    bench.tamper("insert into device_block (device_id, created_at) values ('everywhere', 0)").await;
    let mut conn = bench.begin().await;
    for (license, device, blocked) in [(license, "device", false), (twin, "device", true), (license, "everywhere", true)] {
        let device = DeviceId::parse(device).unwrap();
        assert_eq!(conn.facts_by_license(license, &device).await.unwrap().unwrap().blocked, blocked);
    }
}

pub async fn an_initialization_code_comes_back_as_it_was_given_out_and_used(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let license = samples::license_for(&mut conn, product, 9).await;
    let other = samples::license_for(&mut conn, product, 8).await;
    let machine = samples::add(&mut conn, &samples::new_activation(license, "one"), NOW).await.unwrap();
    let plain = NewAirGapCode {
        license,
        purpose: CodePurpose::Activation,
        point: vec![0, 4, 255],
        by_staff: false,
        machine: None,
        expires: NOW.plus_days(7),
    };
    let bound =
        NewAirGapCode { purpose: CodePurpose::Deactivation, by_staff: true, machine: Some(machine), point: vec![9], ..plain.clone() };
    for new in [&plain, &bound, &NewAirGapCode { license: other, ..plain.clone() }] {
        conn.add_airgap_code(new, NOW).await.unwrap();
    }
    let read = |codes: &[OneTimeCode]| -> Vec<_> {
        codes
            .iter()
            .map(|code| (code.purpose, code.point.clone(), code.by_staff, code.machine, code.expires, code.used.clone()))
            .collect()
    };
    let codes = conn.airgap_codes(license).await.unwrap();
    let expected = |new: &NewAirGapCode, used: Option<CodeUse>| {
        let machine = used.as_ref().map_or(new.machine, |used| Some(used.activation));
        (new.purpose, new.point.clone(), new.by_staff, machine, new.expires, used)
    };
    assert_eq!(read(&codes), [expected(&bound, None), expected(&plain, None)]);
    // Those that wait come first, however old they are.
    let used = CodeUse { activation: machine, since: NOW.plus_hours(1) };
    conn.use_airgap_code(codes[0].id, &used).await.unwrap();
    let codes = conn.airgap_codes(license).await.unwrap();
    assert_eq!(read(&codes), [expected(&plain, None), expected(&bound, Some(used))]);
    bench.commit(conn).await;
    let count = "select cast(count(*) as text) from airgap_code";
    for (now, left) in [(plain.expires.plus_days(30), "3"), (plain.expires.plus_days(31), "0")] {
        let mut conn = bench.begin().await;
        conn.sweep(now, NOW).await.unwrap();
        bench.commit(conn).await;
        assert_eq!(bench.ask(count).await, [left]);
    }
}

pub async fn a_slot_is_had_until_its_end_and_by_nobody_without_a_seat(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let license = samples::license_for(&mut conn, product, 9).await;
    let other = samples::license_for(&mut conn, product, 8).await;
    let add = async |conn: &mut Conn, license: LicenseId, device: &str| {
        samples::add(conn, &samples::new_activation(license, device), NOW).await.unwrap()
    };
    let (one, two) = (add(&mut conn, license, "one").await, add(&mut conn, license, "two").await);
    let elsewhere = add(&mut conn, other, "one").await;
    let until = NOW.plus_hours(1);
    let nothing = InUse::default();
    assert_eq!(conn.slots_in_use(license, None, Some(one), NOW).await.unwrap(), nothing);
    conn.take_slot(license, None, one, Hold::Floating { until }, NOW).await.unwrap();
    conn.take_slot(license, None, one, Hold::Borrowed { until }, NOW).await.unwrap();
    conn.take_slot(license, None, two, Hold::Kept, NOW).await.unwrap();
    conn.take_slot(license, Some("Render"), one, Hold::Floating { until }, NOW).await.unwrap();
    conn.take_slot(other, None, elsewhere, Hold::Kept, NOW).await.unwrap();
    for (feature, activation, now, expected) in [
        (None, Some(one), NOW, InUse { others: 1, own: Some(Hold::Borrowed { until }) }),
        (None, Some(two), NOW, InUse { others: 1, own: Some(Hold::Kept) }),
        (None, None, NOW, InUse { others: 2, own: None }),
        (None, Some(two), until, InUse { others: 0, own: Some(Hold::Kept) }),
        (None, Some(one), until, InUse { others: 1, own: None }),
        (Some("rendeR"), Some(two), NOW, InUse { others: 1, own: None }),
        (Some("export"), Some(one), NOW, nothing),
    ] {
        let found = conn.slots_in_use(license, feature, activation, now).await.unwrap();
        assert_eq!(found, expected, "{feature:?} {activation:?}");
    }
    let all = conn.slots(license, NOW, 10).await.unwrap();
    let shown: Vec<_> = all.iter().map(|slot| (slot.feature.as_deref(), slot.activation)).collect();
    assert!(shown.len() == 3 && shown.contains(&(Some("render"), one)) && shown.contains(&(None, two)), "{shown:?}");
    assert_eq!(conn.slots(license, until, 10).await.unwrap().len(), 1);
    assert_eq!(conn.free_slot(license, None, one).await.unwrap(), Some(Hold::Borrowed { until }));
    assert_eq!(conn.free_slot(license, None, one).await.unwrap(), None);
    // Whoever gives the seat back, or loses it, has no slot either.
    let mut activation = conn.activation(one).await.unwrap().unwrap();
    activation.state = ActivationState::Released { at: NOW, by: Actor::Customer, counted: true, replaced_by: None };
    conn.save_activation(&activation).await.unwrap();
    assert_eq!(conn.slots_in_use(license, Some("render"), None, NOW).await.unwrap(), nothing);
    assert_eq!(conn.slots_in_use(other, None, None, NOW).await.unwrap().others, 1);
    // A license that becomes floating: of those with a seat, the ones from which no sign of life will come.
    conn.free_slot(license, None, two).await.unwrap();
    let calls = Activation { api_key: Some("an app".to_owned()), ..samples::new_activation(license, "calls") };
    let calls = samples::add(&mut conn, &calls, NOW).await.unwrap();
    conn.keep_slots_of_silent(license).await.unwrap();
    conn.keep_slots_of_silent(license).await.unwrap();
    assert_eq!(conn.slots_in_use(license, None, Some(calls), NOW).await.unwrap(), InUse { others: 1, own: None });
    assert_eq!(conn.slots_in_use(license, None, Some(two), NOW).await.unwrap().own, Some(Hold::Kept));
}

pub async fn seats_are_listed_with_those_who_hold_them_first(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let license = samples::license_for(&mut conn, product, 9).await;
    let other = samples::license_for(&mut conn, product, 8).await;
    released(&mut conn, license, "released", false).await;
    let revoked = released(&mut conn, license, "revoked", false).await;
    let mut activation = conn.activation(revoked).await.unwrap().unwrap();
    activation.state = ActivationState::Revoked { at: NOW, by: Actor::Operator, reason: "lost".to_owned() };
    conn.save_activation(&activation).await.unwrap();
    for (device, days) in [("second", 2), ("first-0A53F0", 1), ("third", 3), ("third-too", 3)] {
        let new = Activation { device: full_device(device), ..samples::new_activation(license, device) };
        samples::add(&mut conn, &new, NOW.plus_days(days)).await.unwrap();
    }
    samples::add(&mut conn, &samples::new_activation(other, "of another"), NOW).await.unwrap();
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    let names = |all: Vec<Activation>| all.into_iter().map(|a| a.device.id.as_str().to_owned()).collect::<Vec<_>>();
    let all = names(conn.activations(license, 100).await.unwrap());
    assert_eq!(all, ["third", "third-too", "second", "first-0A53F0", "revoked", "released"]);
    assert_eq!(names(conn.activations(license, 2).await.unwrap()), all[..2]);
    let holders = conn.holders(license, 3).await.unwrap();
    assert_eq!(holders.iter().map(|holder| holder.since).collect::<Vec<_>>(), [1, 2, 3].map(|days| NOW.plus_days(days)));
    assert_eq!(holders[0].id_ends, "…0A53F0");
    assert_eq!(holders[0].name, full_device("x").name);
    assert_eq!(conn.holders(license, 100).await.unwrap().len(), 4);
    assert!(conn.holders(LicenseId(404), 100).await.unwrap().is_empty());
}

pub async fn when_machines_called_last_is_written_together_and_never_goes_back(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let license = samples::license_for(&mut conn, product, 9).await;
    let mut ids = Vec::new();
    // More than one statement takes.
    for n in 0..450 {
        ids.push(samples::add(&mut conn, &samples::new_activation(license, &format!("d-{n}")), NOW).await.unwrap());
    }
    let later = |n: usize| NOW.plus_days(1 + n as i64);
    let seen: Vec<_> = ids.iter().enumerate().skip(1).map(|(n, id)| (*id, later(n))).collect();
    conn.machines_were_seen(&seen).await.unwrap();
    conn.machines_were_seen(&[(ids[7], NOW), (ActivationId(404_404), NOW)]).await.unwrap();
    conn.machines_were_seen(&[]).await.unwrap();
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    assert_eq!(conn.activation(ids[0]).await.unwrap().unwrap().last_seen, NOW);
    for (n, id) in ids.iter().enumerate().skip(1) {
        assert_eq!(conn.activation(*id).await.unwrap().unwrap().last_seen, later(n));
    }
}

pub async fn a_row_that_this_program_did_not_write_is_named(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let license = samples::license_for(&mut conn, product, 1).await;
    let activation = samples::add(&mut conn, &samples::new_activation(license, "device"), NOW).await.unwrap();
    bench.commit(conn).await;
    bench.tamper("update activation set state = 'lost'").await;
    let error = bench.read().await.activation(activation).await.unwrap_err();
    assert_eq!(error.to_string(), format!("activation.state of row {activation} holds something this program did not write"));
    bench.tamper("update license set seats_taken = -1").await;
    let error = bench.read().await.license(license).await.unwrap_err();
    assert_eq!(error.to_string(), format!("license.seats_taken of row {license} holds something this program did not write"));
    bench.tamper("update product set rules = 'null'").await;
    assert!(bench.read().await.products().await.is_err());
}
