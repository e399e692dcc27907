//! What is remembered beside the things themselves: answers, refusals, the audit log, result pages, forms, rates, settings, leases.

use futures::future::join_all;

use super::{
    bench::{Bench, act},
    samples::{self, NOW},
};
use crate::{
    licensing::{
        DeviceId, Email, ProductId, Timestamp,
        activation::{Activation, ActivationState, Device},
        license::Actor,
        seal::{Seal, SealState, SealUse},
    },
    store::{Answer, Broken, NewAttempt, NewAudit, NewLicense, Subject},
};

pub async fn an_answer_is_remembered_and_replaced_whole(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let license = samples::license_for(&mut conn, product, 3).await;
    let first = samples::add(&mut conn, &samples::new_activation(license, "one"), NOW).await.unwrap();
    let second = samples::add(&mut conn, &samples::new_activation(license, "two"), NOW).await.unwrap();
    let answer = Answer {
        product,
        asked_by: "thumbprint".to_owned(),
        request_id: "request \"ü\"".to_owned(),
        request_hash: vec![0, 1, 255],
        activation: first,
        license_revision: 1,
        kind: "license".to_owned(),
        body: "{\"a\": \"😀\"}\r\n".to_owned(),
        made: NOW,
    };
    assert!(conn.answer(product, &answer.asked_by, &answer.request_id).await.unwrap().is_none());
    conn.remember(&answer).await.unwrap();
    let later = Answer {
        request_hash: vec![9],
        activation: second,
        license_revision: 2,
        kind: "receipt".to_owned(),
        body: String::new(),
        made: NOW.plus_days(1),
        ..answer.clone()
    };
    for kept in [&answer, &later] {
        conn.remember(kept).await.unwrap();
        let found = conn.answer(product, &kept.asked_by, &kept.request_id).await.unwrap().unwrap();
        assert_eq!(format!("{found:?}"), format!("{kept:?}"));
    }
    for (product, asked_by, request) in [(ProductId(404), "thumbprint", "request \"ü\""), (product, "x", "request \"ü\""), (product, "thumbprint", "x")] {
        assert!(conn.answer(product, asked_by, request).await.unwrap().is_none());
    }
    bench.commit(conn).await;
    assert_eq!(bench.ask("select cast(count(*) as text) from answer").await, ["1"]);
}

/// PostgreSQL refuses it; SQLite would keep it, and some of what reads it would stop there.
pub async fn a_nul_is_in_no_text_that_is_kept(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let new = NewLicense { note: "no\0te".to_owned(), ..samples::new_license(product, 1) };
    let license = samples::license(&mut conn, &new).await;
    let (mut kept, _, _) = conn.license(license).await.unwrap().unwrap();
    assert_eq!(kept.note, "note");
    kept.note.push_str("\0!");
    conn.save_license(&kept, None).await.unwrap();
    assert_eq!(conn.license(license).await.unwrap().unwrap().0.note, "note!");
    let device = Device { os: Some("Win\0dows".to_owned()), ..samples::device("device") };
    let id = samples::add(&mut conn, &Activation { device, ..samples::new_activation(license, "device") }, NOW).await.unwrap();
    assert_eq!(conn.activation(id).await.unwrap().unwrap().device.os.as_deref(), Some("Windows"));
    // A reason is what someone in support pasted.
    let mut barred = conn.activation(id).await.unwrap().unwrap();
    barred.state = barred.state.revoke(Actor::Operator, "charge\0back".to_owned(), NOW);
    conn.save_activation(&barred).await.unwrap();
    let ActivationState::Revoked { reason, .. } = conn.activation(id).await.unwrap().unwrap().state else { panic!("revoked") };
    assert_eq!(reason, "chargeback");
    conn.note_attempt(NewAttempt {
        key_ends: Some("A\0B".to_owned()),
        device_name: Some("\0".to_owned()),
        ..samples::new_attempt("REF-\u{0}1")
    });
    bench.commit(conn).await;
    let mut conn = bench.begin().await;
    let found = conn.attempt("REF\0-1").await.unwrap().unwrap().what;
    assert_eq!((found.key_ends.as_deref(), found.device_name.as_deref()), (Some("AB"), Some("")));
    assert!(conn.answer(product, "\0", "\0").await.unwrap().is_none());
    assert!(conn.api_key("\0").await.unwrap().is_none());
    assert!(conn.order_by_reference("\0").await.unwrap().is_none());
    assert!(conn.license_by_key_id(product, "\0").await.unwrap().is_none());
    assert!(conn.users_in_product("press", "\0").await.unwrap().is_empty());
    assert!(conn.seal_by_kid("\0").await.unwrap().is_none());
    assert!(conn.facts_with_key("\0", &DeviceId::parse("x").unwrap()).await.unwrap().is_empty());
    assert!(conn.form_result("\0", "ann").await.unwrap().is_none());
    assert!(conn.keep_form_result("i\0d", "ann", "/", NOW).await.unwrap());
    assert_eq!(conn.count_try("a\0nn", 60, NOW).await.unwrap(), 1);
    assert_eq!(conn.tries("ann", 60, NOW).await.unwrap(), 1);
    conn.set("name", "a\0b", NOW).await.unwrap();
    assert_eq!(conn.setting("na\0me").await.unwrap().as_deref(), Some("ab"));
    bench.commit(conn).await;
}

pub async fn a_refusal_is_found_under_its_reference(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let license = samples::license_for(&mut conn, product, 3).await;
    let full = NewAttempt {
        product_code: Some("press".to_owned()),
        license: Some(license),
        key_ends: Some("ABCDE".to_owned()),
        device_id: Some("device/ü".to_owned()),
        device_name: Some("Büro 😀".to_owned()),
        detail: "{\"code\": \"seats_exhausted\"}".to_owned(),
        ..samples::new_attempt("REF-1")
    };
    conn.note_attempt(full.clone());
    conn.note_attempt(samples::new_attempt("REF-2"));
    for number in 3..6 {
        conn.note_attempt(NewAttempt { license: Some(license), ..samples::new_attempt(&format!("REF-{number}")) });
    }
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    for expected in [full, samples::new_attempt("REF-2")] {
        let found = conn.attempt(&expected.reference).await.unwrap().unwrap();
        assert_eq!(format!("{:?}", found.what), format!("{expected:?}"));
    }
    assert!(conn.attempt("REF-9").await.unwrap().is_none());
    let references = |all: Vec<crate::store::Attempt>| all.into_iter().map(|attempt| attempt.what.reference).collect::<Vec<_>>();
    assert_eq!(references(conn.attempts_of_license(license, 9).await.unwrap()), ["REF-5", "REF-4", "REF-3", "REF-1"]);
    assert_eq!(references(conn.attempts_of_license(license, 2).await.unwrap()), ["REF-5", "REF-4"]);
}

/// Chains about a license, two kept apart, and one of a single entry; the ids of their entries, in the order they were written.
async fn chains(bench: &Bench) -> Vec<i64> {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let license = samples::license_for(&mut conn, product, 3).await;
    let about = Subject::license(license.0);
    let mut head: Option<Vec<u8>> = None;
    for number in 0..4 {
        let entry = NewAudit {
            actor: Actor::Staff { id: 1, email: "ann@press.example".to_owned() },
            before: (number > 1).then(|| serde_json::json!({"z": number, "a": "ü \u{0} 😀"})),
            after: (number > 0).then(|| serde_json::json!([null, 0.5])),
            at: NOW.plus_days(number),
            ..samples::new_audit(about, "edited")
        };
        head = Some(conn.audit(&entry, head.as_deref()));
    }
    conn.set_audit_head(license, &head.unwrap()).await.unwrap();
    for _ in 0..3 {
        conn.audit_apart(&samples::new_audit(Subject::of("product", 1), "edited")).await.unwrap();
        conn.audit_apart(&samples::new_audit(Subject::of("staff", 1), "edited")).await.unwrap();
    }
    conn.audit_apart(&samples::new_audit(Subject::of("setting", 0), "edited")).await.unwrap();
    bench.commit(conn).await;
    bench.ask("select cast(id as text) from audit order by audit.id").await.into_iter().map(|id| id.parse().unwrap()).collect()
}

async fn breaks(bench: &Bench) -> Vec<(i64, String, &'static str)> {
    let (_, broken) = bench.read().await.verify_audit().await.unwrap();
    broken.into_iter().map(|Broken { entry, subject_kind, why, .. }| (entry, subject_kind, why)).collect()
}

pub async fn an_untouched_audit_log_holds(bench: Bench) {
    assert_eq!(bench.read().await.verify_audit().await.unwrap(), (0, Vec::new()));
    chains(&bench).await;
    assert_eq!(bench.read().await.verify_audit().await.unwrap(), (11, Vec::new()));
    // Under the writer too, and with acts being saved meanwhile: they are seen whole or not at all.
    let store = bench.store.clone();
    let writing = tokio::spawn(async move {
        for _ in 0..40 {
            act!(store, |c| c.audit_apart(&samples::new_audit(Subject::of("product", 1), "edited")).await).await.unwrap();
        }
    });
    while !writing.is_finished() {
        assert_eq!(bench.read().await.verify_audit().await.unwrap().1, Vec::new());
    }
    writing.await.unwrap();
    assert_eq!(act!(bench.store, |c| c.verify_audit().await).await.unwrap(), (51, Vec::new()));
}

pub async fn an_audit_entry_comes_back_as_it_was_written(bench: Bench) {
    let ids = chains(&bench).await;
    let entries = bench.read().await.audit_of(Subject::license(1), 3).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), [ids[3], ids[2], ids[1]]);
    let entry = &entries[0];
    assert_eq!((entry.at, entry.act.as_str()), (NOW.plus_days(3), "edited"));
    assert_eq!((entry.subject_kind.as_str(), entry.subject_id), ("license", 1));
    assert_eq!(entry.actor, Actor::Staff { id: 1, email: "ann@press.example".to_owned() });
    assert_eq!(entry.before.as_deref(), Some("{\"z\":3,\"a\":\"ü \\u0000 😀\"}"));
    assert_eq!(entry.after.as_deref(), Some("[null,0.5]"));
    let first = &bench.read().await.audit_of(Subject::license(1), 9).await.unwrap()[3];
    assert_eq!((&first.before, &first.after, first.hash.len()), (&None, &None, 32));
}

pub async fn a_changed_audit_entry_is_found(bench: Bench) {
    let ids = chains(&bench).await;
    let changes = [
        "at = at + 1",
        "act = 'made'",
        "actor = '{\"kind\":\"system\"}'",
        "before = null",
        "before = after, after = before",
        "after = coalesce(after, '') || ' '",
    ];
    for change in changes {
        let kept = "create table kept as select * from audit";
        bench.tamper(kept).await;
        bench.tamper(&format!("update audit set {change} where id = {}", ids[2])).await;
        let license = || "license".to_owned();
        assert_eq!(breaks(&bench).await, [(ids[2], license(), "the entry itself was changed")], "{change}");
        bench.tamper("delete from audit").await;
        bench.tamper("insert into audit select * from kept").await;
        bench.tamper("drop table kept").await;
        assert_eq!(breaks(&bench).await, []);
    }
    // Rewritten with a hash that fits: the next one no longer does.
    bench.tamper(&format!("update audit set hash = (select hash from audit where id = {}) where id = {}", ids[0], ids[2])).await;
    assert_eq!(breaks(&bench).await.len(), 2);
}

pub async fn an_audit_entry_moved_to_another_subject_is_found(bench: Bench) {
    let ids = chains(&bench).await;
    bench.tamper(&format!("update audit set subject_id = 2 where id = {}", ids[3])).await;
    let found: Vec<_> = breaks(&bench).await.into_iter().map(|(_, _, why)| why).collect();
    assert!(found.contains(&"the entry itself was changed"), "{found:?}");
    assert!(found.contains(&"entries after it are missing"), "{found:?}");
}

pub async fn a_removed_audit_entry_is_found_wherever_it_was(bench: Bench) {
    let ids = chains(&bench).await;
    let license = || "license".to_owned();
    // At the end.
    bench.tamper(&format!("delete from audit where id = {}", ids[3])).await;
    assert_eq!(breaks(&bench).await, [(ids[2], license(), "entries after it are missing")]);
    // In the middle.
    bench.tamper(&format!("delete from audit where id = {}", ids[1])).await;
    assert!(breaks(&bench).await.contains(&(ids[2], license(), "an entry before it is missing or was changed")));
    // At the beginning.
    bench.tamper(&format!("delete from audit where id = {}", ids[0])).await;
    assert!(breaks(&bench).await.contains(&(ids[2], license(), "an entry before it is missing or was changed")));
    // Every one, of a license and of a subject whose head is kept apart.
    bench.tamper("delete from audit where subject_kind in ('license', 'setting')").await;
    assert_eq!(breaks(&bench).await, [(0, license(), "every entry is missing"), (0, "setting".to_owned(), "every entry is missing")]);
}

pub async fn a_removed_audit_head_is_found(bench: Bench) {
    let ids = chains(&bench).await;
    bench.tamper("update license set audit_head = null").await;
    bench.tamper("delete from audit_head where subject_kind = 'staff'").await;
    let why = "the head of its chain is missing";
    assert_eq!(breaks(&bench).await, [(ids[3], "license".to_owned(), why), (ids[9], "staff".to_owned(), why)]);
}

pub async fn acts_about_one_subject_form_one_chain(bench: Bench) {
    let acts = (0..24).map(|_| {
        let store = bench.store.clone();
        async move { act!(store, |c| c.audit_apart(&samples::new_audit(Subject::of("product", 7), "edited")).await).await }
    });
    for ended in join_all(acts).await {
        ended.unwrap();
    }
    assert_eq!(bench.read().await.verify_audit().await.unwrap(), (24, Vec::new()));
}

pub async fn a_result_page_is_there_until_its_end(bench: Bench) {
    let end = NOW.plus_hours(1);
    let mut conn = bench.begin().await;
    let page = crate::store::ResultPage { content: "{\"ü\": \"😀\"}".to_owned(), ..samples::page(&[0, 255, 1], end) };
    conn.keep_page(page.clone());
    // Seen by the act that keeps it, before it is written.
    assert_eq!(format!("{:?}", conn.page(&[0, 255, 1], NOW).await.unwrap().unwrap()), format!("{page:?}"));
    assert!(conn.page(&[0, 255, 1], end).await.unwrap().is_none());
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    let found = conn.page(&[0, 255, 1], end.plus_millis(-1)).await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{page:?}"));
    assert!(conn.page(&[0, 255, 1], end).await.unwrap().is_none());
    assert!(conn.page(&[0, 255], NOW).await.unwrap().is_none());
    drop(conn);
    // In place of one under the same link, or as the first.
    for token in [&[0, 255, 1][..], &[9]] {
        let other = crate::store::ResultPage { kind: "receipt".to_owned(), ..samples::page(token, end.plus_days(1)) };
        let mut conn = bench.begin().await;
        conn.keep_page(samples::page(token, end));
        conn.keep_page(other.clone());
        assert_eq!(format!("{:?}", conn.page(token, end).await.unwrap().unwrap()), format!("{other:?}"));
        bench.commit(conn).await;
    }
}

pub async fn a_form_sent_twice_ends_in_its_first_result(bench: Bench) {
    let mut conn = bench.begin().await;
    assert_eq!(conn.form_result("id", "ann").await.unwrap(), None);
    assert!(conn.keep_form_result("id", "ann", "/licenses/1", NOW).await.unwrap());
    assert!(!conn.keep_form_result("id", "ann", "/licenses/2", NOW).await.unwrap());
    // Someone else's id opens nothing, and takes nothing over.
    assert!(!conn.keep_form_result("id", "bob", "/licenses/3", NOW).await.unwrap());
    assert_eq!(conn.form_result("id", "ann").await.unwrap().as_deref(), Some("/licenses/1"));
    assert_eq!(conn.form_result("id", "bob").await.unwrap(), None);
    bench.commit(conn).await;
    // Sent twice at the same moment.
    let acts = (0..16).map(|number| {
        let store = bench.store.clone();
        async move { act!(store, |c| c.keep_form_result("race", "ann", &number.to_string(), NOW).await).await.unwrap() }
    });
    assert_eq!(join_all(acts).await.into_iter().filter(|first| *first).count(), 1);
}

pub async fn tries_are_counted_within_their_window(bench: Bench) {
    let start = Timestamp::from_millis(1_790_000_040_000 / 60_000 * 60_000);
    let mut conn = bench.begin().await;
    assert_eq!(conn.tries("ann", 60, start).await.unwrap(), 0);
    for expected in 1..=3 {
        assert_eq!(conn.count_try("ann", 60, start.plus_seconds(expected)).await.unwrap(), expected);
    }
    assert_eq!(conn.count_try("bob", 60, start).await.unwrap(), 1);
    assert_eq!(conn.tries("ann", 60, start.plus_millis(59_999)).await.unwrap(), 3);
    assert_eq!(conn.tries("ann", 60, start.plus_seconds(60)).await.unwrap(), 0);
    assert_eq!(conn.tries("ann", 60, start.plus_millis(-1)).await.unwrap(), 0);
    // A longer window that began at the same instant counts for itself.
    let day = Timestamp::from_millis(start.millis() / 86_400_000 * 86_400_000);
    assert_eq!(conn.count_try("ann", 60, day).await.unwrap(), 1);
    assert_eq!(conn.count_try("ann", 86_400, day).await.unwrap(), 1);
    assert_eq!(conn.count_try("ann", 0, day).await.unwrap(), 1);
    assert_eq!(conn.count_try("ann", i64::MAX, Timestamp::from_millis(-5)).await.unwrap(), 1);
    bench.commit(conn).await;
    let acts = (0..24).map(|_| {
        let store = bench.store.clone();
        async move { act!(store, |c| c.count_try("race", 60, NOW).await).await.unwrap() }
    });
    let mut counts = join_all(acts).await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=24).collect::<Vec<_>>());
}

pub async fn sweeping_forgets_what_nobody_can_read_any_more(bench: Bench) {
    let week = 7 * 86_400;
    let begun = Timestamp::from_millis(NOW.millis().div_euclid(week * 1000) * week * 1000);
    let mut conn = bench.begin().await;
    let ann = conn.add_staff(&Email::parse("ann@press.example").unwrap(), "hash", "owner", NOW).await.unwrap().unwrap();
    for (token, end) in [(1, NOW), (2, NOW.plus_millis(1))] {
        conn.keep_page(samples::page(&[token], end));
        conn.add_session(&[token], ann, NOW.plus_days(-1), end).await.unwrap();
    }
    conn.keep_form_result("old", "ann", "", NOW.plus_days(-1)).await.unwrap();
    conn.keep_form_result("new", "ann", "", NOW.plus_days(-1).plus_millis(1)).await.unwrap();
    conn.count_try("minute", 60, NOW.plus_seconds(-60)).await.unwrap();
    conn.count_try("minute", 60, NOW).await.unwrap();
    conn.count_try("week", week, begun).await.unwrap();
    bench.commit(conn).await;
    act!(bench.store, |c| c.sweep(NOW, NOW.plus_days(-30)).await).await.unwrap();
    for (table, left) in [("result_page", "1"), ("session", "1"), ("form_request", "1"), ("rate", "2")] {
        let sql = match table {
            "result_page" => "select cast(count(*) as text) from result_page",
            "session" => "select cast(count(*) as text) from session",
            "form_request" => "select cast(count(*) as text) from form_request",
            _ => "select cast(count(*) as text) from rate",
        };
        assert_eq!(bench.ask(sql).await, [left], "{table}");
    }
    let mut conn = bench.read().await;
    assert!(conn.page(&[2], NOW).await.unwrap().is_some());
    assert!(conn.session(&[2], NOW).await.unwrap().is_some());
    assert!(conn.form_result("new", "ann").await.unwrap().is_some());
    assert_eq!(conn.tries("minute", 60, NOW).await.unwrap(), 1);
    assert_eq!(conn.tries("week", week, NOW).await.unwrap(), 1);
}

pub async fn a_change_of_settings_or_keys_is_noticed(bench: Bench) {
    let mut conn = bench.begin().await;
    assert_eq!(conn.revision().await.unwrap(), (0, 0));
    assert_eq!(conn.setting("name").await.unwrap(), None);
    assert!(conn.settings().await.unwrap().is_empty());
    let mut last = 0;
    // By a clock that goes, one that stands still, and one that is behind.
    for (number, days) in [(1, 0), (2, 1), (3, 1), (4, -10)] {
        conn.set("name", &format!("value {number} ü"), NOW.plus_days(days)).await.unwrap();
        assert_eq!(conn.setting("name").await.unwrap(), Some(format!("value {number} ü")));
        let now = conn.revision().await.unwrap().0;
        assert!(now > last);
        last = now;
    }
    conn.set("other", "", NOW.plus_days(-20)).await.unwrap();
    assert!(conn.revision().await.unwrap().0 > last);
    let settings = conn.settings().await.unwrap();
    assert_eq!(settings.into_iter().collect::<Vec<_>>(), [("name".to_owned(), "value 4 ü".to_owned()), ("other".to_owned(), String::new())]);

    let mut key = Seal {
        id: None,
        kid: "key".to_owned(),
        purpose: SealUse::LicenseSpring,
        product: None,
        public: vec![1],
        secret: vec![2],
        state: SealState::Standby { since: NOW },
        created_at: NOW,
        last_exp: None,
        signed_without_exp: false,
        imported: false,
    };
    let mut last = 0;
    let states = [
        SealState::Standby { since: NOW },
        SealState::Active { since: NOW },
        SealState::Retiring { since: NOW.plus_days(1), until: None },
        SealState::Compromised { at: NOW.plus_days(-1) },
    ];
    for state in states {
        key.state = state;
        conn.save_seal(&key).await.unwrap();
        let now = conn.revision().await.unwrap().1;
        assert_ne!(now, last, "{state:?}");
        last = now;
    }
    bench.commit(conn).await;
}

pub async fn a_lease_has_one_holder_at_a_time(bench: Bench) {
    let mut conn = bench.begin().await;
    let until = NOW.plus_seconds(60);
    assert!(conn.take_lease("job", "one", NOW, until).await.unwrap());
    assert!(!conn.take_lease("job", "two", NOW, until).await.unwrap());
    assert!(conn.take_lease("other job", "two", NOW, until).await.unwrap());
    // Kept by its holder, lost when its time is over.
    assert!(conn.take_lease("job", "one", NOW.plus_seconds(59), until.plus_seconds(60)).await.unwrap());
    assert!(!conn.take_lease("job", "two", until.plus_seconds(59), until).await.unwrap());
    assert!(conn.take_lease("job", "two", until.plus_seconds(60), until.plus_seconds(120)).await.unwrap());
    assert!(!conn.take_lease("job", "one", until.plus_seconds(61), until.plus_seconds(180)).await.unwrap());
    bench.commit(conn).await;
    let acts = (0..16).map(|number| {
        let store = bench.store.clone();
        async move { act!(store, |c| c.take_lease("race", &number.to_string(), NOW, NOW.plus_days(1)).await).await.unwrap() }
    });
    assert_eq!(join_all(acts).await.into_iter().filter(|taken| *taken).count(), 1);
}
