//! Lists: what a search finds, in which order, and page after page without a gap or a double.

use super::{
    bench::Bench,
    samples::{self, NOW},
};
use crate::{
    licensing::{
        ActivationKey, DeviceId, DeviceName, Email, LicenseId, ProductId, Timestamp,
        activation::{Activation, Device},
        license::{Actor, Expiry, LicenseState, Limit, Terms},
    },
    store::{
        Attempt, AttemptFilter, AuditEntry, AuditFilter, LicenseFilter, LicenseSort, NewAttempt, NewAudit, NewLicense, NewOrder, NewProduct, OrderFilter, OrderRow, Page, Subject,
    },
};

fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

/// Seven licenses, each with something of its own to be found by.
async fn shelf(bench: &Bench) -> (ProductId, ProductId, Vec<LicenseId>) {
    let mut conn = bench.begin().await;
    let press = samples::product(&mut conn, "press").await;
    let other = samples::product(&mut conn, "other").await;
    let ann = conn.customer_for(&email("Ann.Müller@Press.Example"), "Ann", "", NOW).await.unwrap();
    let bob = conn.customer_for(&email("bob_x@press.example"), "Bob", "", NOW).await.unwrap();
    let mut orders = Vec::new();
    for reference in ["HTMG-100%", "HTMG-1000", "other_1"] {
        let new = NewOrder { provider: "shop".to_owned(), reference: reference.to_owned(), customer: Some(ann), ordered: NOW };
        orders.push(conn.add_order(&new, NOW).await.unwrap().unwrap());
    }
    let foreign = |text: &str| Some(ActivationKey::parse(text).unwrap());
    let base = |number| samples::new_license(press, number);
    let news = [
        NewLicense { key: foreign("KEY-one-1111"), customer: Some(ann), ..base(1) },
        NewLicense { key: foreign("k%y_two-2222"), customer: Some(bob), order: Some(orders[0]), ..base(2) },
        NewLicense { key: None, order: Some(orders[1]), ..base(3) },
        NewLicense { order: Some(orders[2]), ..base(4) },
        NewLicense { product: other, ..base(5) },
        NewLicense { terms: Terms { trial: true, seats: Limit::Unlimited, ..Terms::default() }, ..base(6) },
        NewLicense {
            terms: Terms {
                seats: Limit::AtMost(9),
                start: Some(NOW.plus_days(3)),
                expiry: Expiry { days_after_first_activation: Some(30), ..Expiry::NEVER },
                ..Terms::default()
            },
            ..base(7)
        },
    ];
    let mut ids = Vec::new();
    for new in &news {
        ids.push(samples::license(&mut conn, new).await);
    }
    conn.add_license_user(ids[5], &email("Zoë@users.example"), "hash", None).await.unwrap();
    for (license, device, name) in
        [(ids[4], "Device-A_1", "BÜRO-PC"), (ids[4], "device-b%2", "Labor 2"), (ids[6], "Deviceless\\3", "büro 100% \"x\"")]
    {
        let device = Device { name: Some(DeviceName::parse(name).unwrap()), ..samples::device(device) };
        samples::add(&mut conn, &Activation { device, ..samples::new_activation(license, "x") }, NOW.plus_days(1)).await.unwrap();
    }
    bench.commit(conn).await;
    (press, other, ids)
}

async fn found(bench: &Bench, filter: LicenseFilter) -> Vec<i64> {
    let mut conn = bench.read().await;
    let filter = LicenseFilter { limit: 100, sort: LicenseSort::OldestFirst, ..filter };
    let page = conn.list_licenses(&filter, NOW).await.unwrap();
    assert_eq!(page.next, None);
    assert_eq!(conn.count_licenses(&filter, NOW).await.unwrap(), i64::try_from(page.rows.len()).unwrap(), "{filter:?}");
    page.rows.into_iter().map(|row| row.id.0).collect()
}

pub async fn a_search_finds_licenses_by_what_people_know_of_them(bench: Bench) {
    let (_, _, ids) = shelf(&bench).await;
    let own = samples::key(6).text();
    let cases: Vec<(&str, Vec<usize>)> = vec![
        // A key or part of it, however it is written.
        ("KEY-one-1111", vec![1]),
        ("eyone 11", vec![1]),
        (&own, vec![6]),
        (&own[6..], vec![6]),
        // An address, or part of it.
        ("ann.müller@press.example", vec![1]),
        ("MÜLLER@", vec![1]),
        ("@press", vec![1, 2]),
        ("müller", vec![1]),
        ("ZOË@users", vec![6]),
        // The beginning of an order's reference.
        ("htmg-100", vec![2, 3]),
        ("HTMG-1000", vec![3]),
        ("TMG-1", vec![]),
        // The beginning of a device's id, any part of its name.
        ("device-a", vec![5]),
        ("DEVICE", vec![5, 7]),
        ("evice", vec![]),
        ("büro", vec![5, 7]),
        ("BÜRO-PC", vec![5]),
        ("labor", vec![5]),
        // Blanks around do not matter, and nothing asked is nothing left out.
        ("  labor ", vec![5]),
        ("   ", vec![1, 2, 3, 4, 5, 6, 7]),
        ("", vec![1, 2, 3, 4, 5, 6, 7]),
        ("nowhere", vec![]),
    ];
    for (search, expected) in cases {
        let expected: Vec<i64> = expected.into_iter().map(|number: usize| ids[number - 1].0).collect();
        assert_eq!(found(&bench, LicenseFilter { search: Some(search.to_owned()), ..LicenseFilter::default() }).await, expected, "{search:?}");
    }
}

pub async fn wildcards_in_a_search_stand_for_themselves(bench: Bench) {
    let (_, _, ids) = shelf(&bench).await;
    let cases = [
        ("%", vec![2, 7]),
        ("100%", vec![7]),
        ("HTMG-100%", vec![2]),
        ("k%y_", vec![2]),
        ("b_x", vec![2]),
        ("device-a_", vec![5]),
        ("device-b%", vec![5]),
        ("device-%", vec![]),
        ("Deviceless\\", vec![7]),
        ("\\", vec![]),
        ("'", vec![]),
        ("\"x\"", vec![7]),
        ("Büro 100% \"", vec![7]),
        ("-", vec![]),
        ("- -", vec![]),
        ("lab\0or", vec![5]),
        ("\0", vec![1, 2, 3, 4, 5, 6, 7]),
    ];
    for (search, expected) in cases {
        let expected: Vec<i64> = expected.into_iter().map(|number: usize| ids[number - 1].0).collect();
        let mut all = found(&bench, LicenseFilter { search: Some(search.to_owned()), ..LicenseFilter::default() }).await;
        if search == "-" {
            // Alone it is looked for in names and addresses, never in keys, which do not keep it.
            all.retain(|id| *id != ids[4].0);
        }
        assert_eq!(all, expected, "{search:?}");
    }
}

pub async fn a_row_of_the_license_list_shows_what_it_should(bench: Bench) {
    let (press, other, ids) = shelf(&bench).await;
    let mut conn = bench.read().await;
    let filter = LicenseFilter { limit: 100, sort: LicenseSort::OldestFirst, ..LicenseFilter::default() };
    let rows = conn.list_licenses(&filter, NOW).await.unwrap().rows;
    assert_eq!(rows.len(), ids.len());
    let row = &rows[1];
    assert_eq!((row.key.as_deref(), row.order.as_deref()), (Some("k%y_two-2222"), Some("HTMG-100%")));
    assert_eq!((row.customer.as_deref(), row.product_code.as_str(), row.product_name.as_str()), (Some("bob_x@press.example"), "press", "Product press"));
    assert_eq!((row.kind.as_str(), row.state.as_str(), row.trial), ("perpetual", "enabled", false));
    assert_eq!((row.seats, row.seats_taken, row.valid_until, row.last_seen, row.created), (Some(1), 0, None, None, NOW));
    assert_eq!((rows[2].key.as_deref(), rows[2].customer.as_deref()), (None, None));
    assert_eq!((rows[4].product_code.as_str(), rows[4].last_seen), ("other", Some(NOW.plus_days(1))));
    assert_eq!((rows[5].trial, rows[5].seats), (true, None));
    // The rule of an end that is not known yet, and a start to come.
    assert_eq!((rows[0].expiry.days_after_first_activation, rows[0].start), (None, None));
    assert_eq!((rows[6].expiry.days_after_first_activation, rows[6].start), (Some(30), Some(NOW.plus_days(3))));
    drop(conn);
    assert_eq!(found(&bench, LicenseFilter { product: Some(other), ..LicenseFilter::default() }).await, [ids[4].0]);
    let both = LicenseFilter { product: Some(press), search: Some("büro".to_owned()), ..LicenseFilter::default() };
    assert_eq!(found(&bench, both).await, [ids[6].0]);
    assert!(found(&bench, LicenseFilter { product: Some(ProductId(404)), ..LicenseFilter::default() }).await.is_empty());
}

pub async fn licenses_are_filtered_by_state_as_of_now(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let mut ids = Vec::new();
    let ends = [
        None,
        Some(NOW.plus_millis(1)),
        Some(NOW),
        Some(NOW.plus_days(-1)),
        Some(NOW.plus_days(-1)),
        None,
        Some(NOW.plus_days(30)),
        Some(NOW.plus_days(30).plus_millis(1)),
    ];
    for (number, until) in (0..).zip(ends) {
        let terms = Terms { expiry: until.map_or(Expiry::NEVER, Expiry::on), ..Terms::default() };
        ids.push(samples::license(&mut conn, &NewLicense { terms, ..samples::new_license(product, number) }).await);
    }
    let (by, reason) = (Actor::System, String::new());
    for (id, state) in [
        (ids[4], LicenseState::Disabled { at: NOW, by: by.clone(), reason: reason.clone() }),
        (ids[5], LicenseState::Archived { at: NOW, by, reason }),
    ] {
        let (mut license, _, head) = conn.lock_license(id).await.unwrap().unwrap();
        license.state = state;
        conn.save_license(&license, head.as_deref()).await.unwrap();
    }
    bench.commit(conn).await;
    let cases = [
        ("enabled", vec![0, 1, 6, 7]),
        ("expired", vec![2, 3]),
        ("disabled", vec![4]),
        ("archived", vec![5]),
        ("ending", vec![1, 6]),
        ("nonsense' or 1=1 --", vec![]),
    ];
    for (state, expected) in cases {
        let expected: Vec<i64> = expected.into_iter().map(|number: usize| ids[number].0).collect();
        assert_eq!(found(&bench, LicenseFilter { state: Some(state.to_owned()), ..LicenseFilter::default() }).await, expected, "{state}");
    }
}

/// What a license is sorted by.
#[derive(Clone)]
struct Sorted {
    id: i64,
    until: Option<i64>,
    seats: i64,
    seen: i64,
    product: &'static str,
    customer: &'static str,
}

pub async fn every_sort_pages_without_gap_or_double(bench: Bench) {
    let mut conn = bench.begin().await;
    let mut products = Vec::new();
    for (code, name) in [("a", "press"), ("b", "a-b"), ("c", "AB"), ("d", "Äther")] {
        let new = NewProduct { name: name.to_owned(), ..samples::new_product(code) };
        products.push((conn.add_product(&new, NOW).await.unwrap().unwrap(), name));
    }
    let mut customers = vec![(None, "")];
    for address in ["Bob@press.example", "ann-x@press.example", "annb@press.example", "älter@press.example"] {
        customers.push((Some(conn.customer_for(&email(address), "", "", NOW).await.unwrap()), address));
    }
    let mut expected = Vec::new();
    // Of every value several, and of most also none at all.
    for number in 0..23_u32 {
        let until = match number % 5 {
            0 => None,
            2 => Some(NOW.plus_days(2)),
            3 => Some(NOW.plus_days(i64::from(number))),
            _ => Some(NOW.plus_days(1)),
        };
        let (product, product_name) = products[number as usize % products.len()];
        let (customer, address) = customers[number as usize % customers.len()];
        let terms = Terms { expiry: until.map_or(Expiry::NEVER, Expiry::on), ..Terms::default() };
        let new = NewLicense { terms, customer, ..samples::new_license(product, number) };
        let id = samples::license(&mut conn, &new).await;
        let (mut license, _, _) = conn.lock_license(id).await.unwrap().unwrap();
        license.seats_taken = number % 3;
        conn.save_seats(&license, &[]).await.unwrap();
        let mut seen = 0;
        for device in 0..number % 4 {
            let at = NOW.plus_days(i64::from(device));
            samples::add(&mut conn, &samples::new_activation(id, &format!("device-{device}")), at).await.unwrap();
            seen = at.millis();
        }
        let seats = i64::from(license.seats_taken);
        let until = until.map(Timestamp::millis);
        expected.push(Sorted { id: id.0, until, seats, seen, product: product_name, customer: address });
    }
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    for (name, sort) in LicenseSort::ALL {
        assert_eq!((LicenseSort::parse(name), sort.as_str()), (Some(sort), name));
        let mut sorted = expected.clone();
        let product = |row: &Sorted| row.product.to_ascii_lowercase();
        let customer = |row: &Sorted| row.customer.to_lowercase();
        match sort {
            LicenseSort::NewestFirst | LicenseSort::OldestFirst => {}
            LicenseSort::ExpiresFirst => sorted.sort_by_key(|row| (row.until.unwrap_or(i64::MAX), row.id)),
            LicenseSort::ExpiresLast => sorted.sort_by_key(|row| (row.until.unwrap_or(0), row.id)),
            LicenseSort::SeatsTakenLeast | LicenseSort::SeatsTakenMost => sorted.sort_by_key(|row| (row.seats, row.id)),
            LicenseSort::SeenFirst | LicenseSort::SeenLast => sorted.sort_by_key(|row| (row.seen, row.id)),
            LicenseSort::ProductUp | LicenseSort::ProductDown => sorted.sort_by_key(|row| (product(row), row.id)),
            LicenseSort::CustomerUp | LicenseSort::CustomerDown => sorted.sort_by_key(|row| (customer(row), row.id)),
        }
        if name == "newest" || name.starts_with('-') {
            sorted.reverse();
        }
        let sorted: Vec<i64> = sorted.into_iter().map(|row| row.id).collect();
        for limit in [4, 7, 22, 23, 1000] {
            let (mut pages, mut after) = (Vec::new(), None);
            let mut previous = loop {
                let filter = LicenseFilter { sort, limit, after, ..LicenseFilter::default() };
                let page = conn.list_licenses(&filter, NOW).await.unwrap();
                assert_eq!(page.previous.is_some(), !pages.is_empty(), "{name} by {limit}");
                pages.push(page.rows.iter().map(|row| row.id.0).collect::<Vec<_>>());
                after = page.next;
                if after.is_none() {
                    break page.previous;
                }
            };
            assert_eq!(pages.concat(), sorted, "{name} by {limit}");
            assert_eq!(pages.len() as i64, (23 + limit - 1) / limit, "{name} by {limit}");
            // And back, over the same pages, until there is none before.
            for expected in pages.iter().rev().skip(1) {
                let filter = LicenseFilter { sort, limit, before: previous.clone(), ..LicenseFilter::default() };
                let page = conn.list_licenses(&filter, NOW).await.unwrap();
                assert_eq!(page.rows.iter().map(|row| row.id.0).collect::<Vec<_>>(), *expected, "{name} by {limit}, back");
                assert!(page.next.is_some(), "{name} by {limit}: whoever came back can go on");
                previous = page.previous;
            }
            assert_eq!(previous, None, "{name} by {limit}");
        }
    }
    assert_eq!(LicenseSort::parse("nonsense"), None);
}

pub async fn what_a_visitor_puts_into_a_page_key_is_harmless(bench: Bench) {
    shelf(&bench).await;
    let mut conn = bench.read().await;
    for after in ["", ".", "x.y", "1", "1.", "99999999999999999999.1", "1.1' or 1=1", "-1.-1", "AA.1", "_w.1", "YW5u.1"] {
        for (_, sort) in LicenseSort::ALL {
            let filter = LicenseFilter { after: Some(after.to_owned()), limit: 3, sort, ..LicenseFilter::default() };
            conn.list_licenses(&filter, NOW).await.unwrap();
            let filter = LicenseFilter { before: Some(after.to_owned()), limit: 3, sort, ..LicenseFilter::default() };
            conn.list_licenses(&filter, NOW).await.unwrap();
        }
    }
    for limit in [0, -1, -5, i64::MIN, i64::MAX] {
        let expected = if limit > 0 { 7 } else { 0 };
        let filter = LicenseFilter { limit, ..LicenseFilter::default() };
        assert_eq!(conn.list_licenses(&filter, NOW).await.unwrap().rows.len(), expected, "{limit}");
        let expected = if limit > 0 { 3 } else { 0 };
        assert_eq!(conn.list_orders(&OrderFilter { limit, ..OrderFilter::default() }).await.unwrap().rows.len(), expected, "{limit}");
        conn.list_attempts(&AttemptFilter { limit, ..AttemptFilter::default() }).await.unwrap();
        conn.list_audit(&AuditFilter { limit, ..AuditFilter::default() }).await.unwrap();
    }
}

pub async fn orders_are_listed_newest_first(bench: Bench) {
    let (press, _, _) = shelf(&bench).await;
    let mut conn = bench.begin().await;
    for number in 0..7 {
        let new = NewOrder { provider: "shop".to_owned(), reference: format!("more-{number}"), customer: None, ordered: NOW };
        let order = conn.add_order(&new, NOW).await.unwrap().unwrap();
        for copy in 0..number % 3 {
            samples::license(&mut conn, &NewLicense { order: Some(order), ..samples::new_license(press, 100 + number * 10 + copy) }).await;
        }
    }
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = conn.list_orders(&OrderFilter { after, limit: 3, ..OrderFilter::default() }).await.unwrap();
        all.extend(page.rows);
        let Some(next) = page.next else { break };
        after = Some(next.parse().unwrap());
    }
    let references: Vec<&str> = all.iter().map(|row| row.reference.as_str()).collect();
    assert_eq!(
        references,
        ["more-6", "more-5", "more-4", "more-3", "more-2", "more-1", "more-0", "other_1", "HTMG-1000", "HTMG-100%"]
    );
    let row = &all[9];
    assert_eq!((row.provider.as_str(), row.status.as_str(), row.licenses, row.ordered), ("shop", "completed", 1, NOW));
    assert_eq!((row.customer.as_deref(), all[0].customer.as_deref()), (Some("Ann.Müller@Press.Example"), None));
    assert_eq!(all.iter().take(7).map(|row| row.licenses).collect::<Vec<_>>(), [0, 2, 1, 0, 2, 1, 0]);
    for (search, count) in
        [("htmg-100", 2), ("HTMG-100%", 1), ("other_", 1), ("otherx", 0), ("MORE-", 7), ("MÜLLER", 3), ("%", 0), (" ", 10), ("a\0nn", 3)]
    {
        let filter = OrderFilter { search: Some(search.to_owned()), limit: 100, ..OrderFilter::default() };
        assert_eq!(conn.list_orders(&filter).await.unwrap().rows.len(), count, "{search:?}");
    }
}

pub async fn refusals_are_listed_newest_first(bench: Bench) {
    let mut conn = bench.begin().await;
    for number in 0..7 {
        conn.note_attempt(NewAttempt {
            code: ["seats_exhausted", "seatsXexhausted"][number % 2].to_owned(),
            key_ends: (number == 3).then(|| "Ab%de".to_owned()),
            device_id: (number == 4).then(|| "Device_4".to_owned()),
            device_name: (number == 5).then(|| "Labor".to_owned()),
            ..samples::new_attempt(&format!("REF-{number}"))
        });
    }
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = conn.list_attempts(&AttemptFilter { after, limit: 2, ..AttemptFilter::default() }).await.unwrap();
        all.extend(page.rows.into_iter().map(|row| row.what.reference));
        let Some(next) = page.next else { break };
        after = Some(next.parse().unwrap());
    }
    assert_eq!(all, ["REF-6", "REF-5", "REF-4", "REF-3", "REF-2", "REF-1", "REF-0"]);
    let cases = [
        ("ref-3", vec!["REF-3"]),
        ("REF", vec![]),
        ("aB%DE", vec!["REF-3"]),
        ("Ab", vec![]),
        ("device_", vec!["REF-4"]),
        ("LABOR", vec!["REF-5"]),
        ("seats_e", vec!["REF-6", "REF-4", "REF-2", "REF-0"]),
        ("%", vec![]),
    ];
    for (search, expected) in cases {
        let filter = AttemptFilter { search: Some(search.to_owned()), limit: 9, ..AttemptFilter::default() };
        let rows = conn.list_attempts(&filter).await.unwrap().rows;
        assert_eq!(rows.into_iter().map(|row| row.what.reference).collect::<Vec<_>>(), expected, "{search:?}");
    }
}

pub async fn the_audit_log_is_listed_newest_first(bench: Bench) {
    let mut conn = bench.begin().await;
    for number in 0..7 {
        let subject = Subject::of(["product", "staff"][number % 2], i64::try_from(number / 2).unwrap());
        conn.audit_apart(&samples::new_audit(subject, "edited")).await.unwrap();
    }
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = conn.list_audit(&AuditFilter { after, limit: 3, ..AuditFilter::default() }).await.unwrap();
        all.extend(page.rows.into_iter().map(|row| (row.subject_kind, row.subject_id)));
        let Some(next) = page.next else { break };
        after = Some(next.parse().unwrap());
    }
    let expected = [("product", 3), ("staff", 2), ("product", 2), ("staff", 1), ("product", 1), ("staff", 0), ("product", 0)];
    assert_eq!(all, expected.map(|(kind, id)| (kind.to_owned(), id)));
    for (kind, id, count) in [("staff", None, 3), ("product", Some(2), 1), ("product", Some(9), 0), ("license", None, 0), ("nonsense", None, 0)] {
        let filter = AuditFilter { subject: Some((kind.to_owned(), id)), limit: 9, ..AuditFilter::default() };
        assert_eq!(conn.list_audit(&filter).await.unwrap().rows.len(), count, "{kind} {id:?}");
    }
    drop(conn);
    let mut conn = bench.begin().await;
    let actor = Actor::Staff { id: 1, email: "ann_x@press.example".to_owned() };
    conn.audit_apart(&NewAudit { actor, ..samples::new_audit(Subject::of("order", 900), "edited") }).await.unwrap();
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    for (search, count) in [("ANN_X@", 1), ("annxx", 0), ("%", 0), ("900", 1), ("2", 2), (" 2\0 ", 2), ("nobody", 0), (" ", 8)] {
        let filter = AuditFilter { search: Some(search.to_owned()), limit: 9, ..AuditFilter::default() };
        assert_eq!(conn.list_audit(&filter).await.unwrap().rows.len(), count, "{search:?}");
    }
}

/// A page of any list newest first: its ids, and the keys beside it.
struct Turned {
    ids: Vec<i64>,
    next: Option<i64>,
    previous: Option<i64>,
}

impl<T> From<(Page<T>, fn(&T) -> i64)> for Turned {
    fn from((page, id): (Page<T>, fn(&T) -> i64)) -> Self {
        let key = |key: Option<String>| key.map(|text| text.parse().expect("a key is an id"));
        Self { ids: page.rows.iter().map(id).collect(), next: key(page.next), previous: key(page.previous) }
    }
}

pub async fn lists_newest_first_are_turned_both_ways(bench: Bench) {
    let mut conn = bench.begin().await;
    for number in 0..7 {
        let new = NewOrder { provider: "shop".to_owned(), reference: format!("order-{number}"), customer: None, ordered: NOW };
        conn.add_order(&new, NOW).await.unwrap().unwrap();
        conn.note_attempt(samples::new_attempt(&format!("REF-{number}")));
        conn.audit_apart(&samples::new_audit(Subject::of("product", number), "edited")).await.unwrap();
    }
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    for list in ["orders", "refusals", "audit"] {
        let mut turn = async |after: Option<i64>, before: Option<i64>| -> Turned {
            let limit = 3;
            match list {
                "orders" => {
                    let filter = OrderFilter { after, before, limit, search: None };
                    (conn.list_orders(&filter).await.unwrap(), (|row: &OrderRow| row.id.0) as fn(&_) -> i64).into()
                }
                "refusals" => {
                    let filter = AttemptFilter { after, before, limit, search: None };
                    (conn.list_attempts(&filter).await.unwrap(), (|row: &Attempt| row.id) as fn(&_) -> i64).into()
                }
                _ => {
                    let filter = AuditFilter { after, before, limit, ..AuditFilter::default() };
                    (conn.list_audit(&filter).await.unwrap(), (|row: &AuditEntry| row.id) as fn(&_) -> i64).into()
                }
            }
        };
        let first = turn(None, None).await;
        assert_eq!((first.ids.len(), first.previous), (3, None), "{list}");
        let second = turn(first.next, None).await;
        let last = turn(second.next, None).await;
        assert_eq!((last.ids.len(), last.next), (1, None), "{list}");
        // The pages before are the ones that were seen, and the first has none before it.
        let back = turn(None, last.previous).await;
        assert_eq!((&back.ids, back.next), (&second.ids, second.next), "{list}");
        let back = turn(None, back.previous).await;
        assert_eq!((&back.ids, back.next, back.previous), (&first.ids, first.next, None), "{list}");
        let all: Vec<i64> = [first.ids, second.ids, last.ids].concat();
        assert!(all.is_sorted_by(|newer, older| newer > older) && all.len() == 7, "{list}: {all:?}");
    }
}

pub async fn the_subjects_of_audit_entries_have_names(bench: Bench) {
    let (press, _, ids) = shelf(&bench).await;
    let mut conn = bench.begin().await;
    let order = conn.order_by_reference("HTMG-1000").await.unwrap().unwrap().id;
    let staff = conn.add_staff(&email("eve@press.example"), "hash", "owner", NOW).await.unwrap().unwrap();
    let subjects = [
        ("license", ids[0].0),
        ("license", ids[2].0),
        ("license", 404),
        ("product", press.0),
        ("order", order.0),
        ("staff", staff.0),
        ("seal", press.0),
        ("seal", 0),
        ("setting", 0),
    ];
    for (kind, id) in subjects {
        conn.audit_apart(&samples::new_audit(Subject::of(kind, id), "edited")).await.unwrap();
    }
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    let entries = conn.list_audit(&AuditFilter { limit: 50, ..AuditFilter::default() }).await.unwrap().rows;
    let names = conn.subject_names(&entries).await.unwrap();
    let name = |kind: &str, id: i64| names.get(&(kind.to_owned(), id)).map(|found| (found.name.as_deref(), found.code.as_deref()));
    assert_eq!(name("license", ids[0].0), Some((Some("KEY-one-1111"), None)));
    assert_eq!(name("license", ids[2].0), Some((None, None)), "it has users and no key");
    assert_eq!(name("license", 404), None);
    assert_eq!(name("product", press.0), Some((Some("Product press"), Some("press"))));
    assert_eq!(name("order", order.0), Some((Some("HTMG-1000"), None)));
    assert_eq!(name("staff", staff.0), Some((Some("eve@press.example"), None)));
    assert_eq!(name("seal", press.0), Some((Some("Product press"), Some("press"))));
    assert_eq!((name("seal", 0), name("setting", 0)), (None, None));
    assert!(conn.subject_names(&[]).await.unwrap().is_empty());
}

pub async fn a_device_that_was_renamed_is_found_by_its_new_name(bench: Bench) {
    let (_, _, ids) = shelf(&bench).await;
    let mut conn = bench.begin().await;
    let device = DeviceId::parse("device-b%2").unwrap();
    let mut activation = conn.facts_by_license(ids[4], &device).await.unwrap().unwrap().known.unwrap();
    activation.device.name = Some(DeviceName::parse("ÄÖÜ").unwrap());
    conn.save_activation(&activation).await.unwrap();
    bench.commit(conn).await;
    let search = |text: &str| LicenseFilter { search: Some(text.to_owned()), ..LicenseFilter::default() };
    assert_eq!(found(&bench, search("äöü")).await, [ids[4].0]);
    assert!(found(&bench, search("labor")).await.is_empty());
}
