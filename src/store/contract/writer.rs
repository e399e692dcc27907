//! Writing: what is answered is saved, and what fails is gone, whoever else writes at the same moment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use tokio::sync::{Barrier, Notify};

use super::{
    bench::{Bench, act},
    samples::{self, NOW},
};
use crate::{
    licensing::{
        ActivationId, DeviceId, LicenseId,
        activation::{Activation, How},
        decide::{self, ActivationAsk, ActivationFacts},
        floating::InUse,
    },
    store::{Conn, Engine, Location, Store, StoreError, Subject},
};

/// How many transactions stay open: a connection is given back a moment after its act was answered.
async fn transactions_left_open(bench: &Bench) -> usize {
    if bench.engine() == Engine::Sqlite {
        // One that stays open holds the write lock.
        bench.tamper("begin immediate; rollback").await;
        return 0;
    }
    let sql = "select cast(pid as text) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'";
    let mut left = bench.ask(sql).await.len();
    for _ in 0..100 {
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
        left = bench.ask(sql).await.len();
    }
    left
}

pub async fn an_answered_write_is_seen_by_readers(bench: Bench) {
    for number in 0..20 {
        let name = format!("name-{number}");
        let written = name.clone();
        act!(bench.store, [written], |c| c.set(&written, "there", NOW).await).await.unwrap();
        assert_eq!(bench.read().await.setting(&name).await.unwrap().as_deref(), Some("there"));
    }
}

pub async fn an_act_that_fails_takes_back_only_itself(bench: Bench) {
    // Held back by the first, so that the others wait and come together.
    let gate = Arc::new(Notify::new());
    let held = gate.clone();
    let store = bench.store.clone();
    let first = tokio::spawn(async move {
        act!(store, [held], |c| {
            held.notified().await;
            c.set("first", "1", NOW).await
        })
        .await
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let others: Vec<_> = (0..9)
        .map(|number: u32| {
            let store = bench.store.clone();
            tokio::spawn(async move { one_of_nine(&store, number).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    gate.notify_one();
    first.await.unwrap().unwrap();
    for (number, ended) in join_all(others).await.into_iter().enumerate() {
        let ended = ended.unwrap();
        if number % 3 == 1 {
            assert!(matches!(ended, Err(StoreError::Inconsistent { table: "test", .. })), "{ended:?}");
        } else {
            ended.unwrap();
        }
    }
    let mut conn = bench.read().await;
    for number in 0..9 {
        let saved = number % 3 != 1;
        assert_eq!(conn.setting(&format!("name-{number}")).await.unwrap().is_some(), saved, "{number}");
        assert_eq!(conn.attempt(&format!("REF-{number}")).await.unwrap().is_some(), saved, "{number}");
        assert_eq!(conn.page(&[u8::try_from(number).unwrap()], NOW).await.unwrap().is_some(), saved, "{number}");
        assert_eq!(conn.audit_of(Subject::of("order", number), 9).await.unwrap().len(), usize::from(saved), "{number}");
    }
}

async fn one_of_nine(store: &Store, number: u32) -> Result<(), StoreError> {
    act!(store, |c| {
        c.set(&format!("name-{number}"), "there", NOW).await?;
        c.note_attempt(samples::new_attempt(&format!("REF-{number}")));
        c.keep_page(samples::page(&[u8::try_from(number).unwrap()], NOW.plus_days(1)));
        c.audit(&samples::new_audit(Subject::of("order", i64::from(number)), "made"), None);
        if number % 3 == 1 {
            return Err(StoreError::inconsistent("test", "column", 1));
        }
        Ok(())
    })
    .await
}

pub async fn an_act_that_panics_does_not_end_the_writer(bench: Bench) {
    for _ in 0..3 {
        let ended: Result<(), _> = act!(bench.store, |c| {
            c.set("name", "half", NOW).await?;
            c.note_attempt(samples::new_attempt("REF"));
            panic!("part of the test")
        })
        .await;
        assert!(matches!(ended, Err(StoreError::NotCommitted)), "{ended:?}");
    }
    let at_once: Result<(), _> = bench.store.write(|_| panic!("part of the test")).await;
    assert!(matches!(at_once, Err(StoreError::NotCommitted)), "{at_once:?}");
    act!(bench.store, |c| c.set("other", "whole", NOW).await).await.unwrap();
    let mut conn = bench.read().await;
    assert_eq!(conn.setting("name").await.unwrap(), None);
    assert!(conn.attempt("REF").await.unwrap().is_none());
    assert_eq!(conn.setting("other").await.unwrap().as_deref(), Some("whole"));
    assert_eq!(transactions_left_open(&bench).await, 0);
}

pub async fn an_act_that_goes_on_after_an_error_saves_nothing_it_did_not_do(bench: Bench) {
    // A session of nobody: refused by its foreign key. PostgreSQL then undoes the whole transaction, SQLite the statement.
    let ended = act!(bench.store, |c| {
        c.set("name", "there", NOW).await?;
        let _ = c.add_session(&[1], crate::licensing::UserId(404), NOW, NOW.plus_days(1)).await;
        Ok(())
    })
    .await;
    let saved = bench.read().await.setting("name").await.unwrap().is_some();
    assert_eq!(ended.is_ok(), saved, "{ended:?}");
}

pub async fn a_gathered_row_that_is_refused_fails_only_its_own_act(bench: Bench) {
    act!(bench.store, |c| {
        c.note_attempt(samples::new_attempt("TWICE"));
        Ok(())
    })
    .await
    .unwrap();
    let acts = (0..12).map(|number| {
        let store = bench.store.clone();
        async move {
            act!(store, |c| {
                c.set(&format!("name-{number}"), "there", NOW).await?;
                c.note_attempt(samples::new_attempt(&if number == 5 { "TWICE".to_owned() } else { format!("REF-{number}") }));
                Ok(number)
            })
            .await
        }
    });
    let ended = join_all(acts).await;
    let mut conn = bench.read().await;
    for (number, ended) in ended.into_iter().enumerate() {
        let good = number != 5;
        assert_eq!(ended.is_ok(), good, "{number}: {ended:?}");
        assert_eq!(conn.setting(&format!("name-{number}")).await.unwrap().is_some(), good, "{number}");
    }
    assert_eq!(transactions_left_open(&bench).await, 0);
}

pub async fn gathered_rows_of_any_number_are_written_in_order(bench: Bench) {
    for count in [1_usize, 7, 8, 9, 31, 32, 33, 73] {
        let subject = Subject::of("product", i64::try_from(count).unwrap());
        act!(bench.store, |c| {
            let mut head = None;
            for number in 0..count {
                let audit = samples::new_audit(subject, if number % 2 == 0 { "even" } else { "odd" });
                head = Some(c.audit(&audit, head.as_deref()));
            }
            Ok(())
        })
        .await
        .unwrap();
        let entries = bench.read().await.audit_of(subject, 100).await.unwrap();
        assert_eq!(entries.len(), count);
        for (number, entry) in entries.iter().rev().enumerate() {
            assert_eq!(entry.act, if number % 2 == 0 { "even" } else { "odd" });
        }
    }
}

pub async fn a_caller_who_goes_away_leaves_no_transaction_open(bench: Bench) {
    let started = Arc::new(Notify::new());
    for _ in 0..4 {
        let (store, begun) = (bench.store.clone(), started.clone());
        let caller = tokio::spawn(async move {
            act!(store, [begun], |c| {
                c.set("name", "there", NOW).await?;
                begun.notify_one();
                tokio::time::sleep(Duration::from_millis(20)).await;
                c.set("other", "there", NOW).await
            })
            .await
        });
        started.notified().await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
    }
    act!(bench.store, |c| c.set("last", "there", NOW).await).await.unwrap();
    assert_eq!(transactions_left_open(&bench).await, 0);
    // What was begun is all there or not at all.
    let mut conn = bench.read().await;
    assert_eq!(conn.setting("name").await.unwrap(), conn.setting("other").await.unwrap());
}

pub async fn a_failed_act_leaves_no_transaction_open(bench: Bench) {
    for _ in 0..3 {
        let ended = act!(bench.store, |c| c.add_session(&[1], crate::licensing::UserId(404), NOW, NOW).await).await;
        assert!(matches!(ended, Err(StoreError::Database(_))), "{ended:?}");
        let ended = act!(bench.store, |c| {
            c.keep_page(samples::page(&[7], NOW));
            c.note_attempt(samples::new_attempt("REF-1"));
            c.note_attempt(samples::new_attempt("REF-1"));
            Ok(())
        })
        .await;
        assert!(matches!(ended, Err(StoreError::Database(_))), "{ended:?}");
    }
    assert_eq!(transactions_left_open(&bench).await, 0);
    assert!(bench.read().await.page(&[7], NOW.plus_days(-1)).await.unwrap().is_none());
}

pub async fn closing_finishes_what_was_accepted(bench: Bench) {
    let acts: Vec<_> = (0..100)
        .map(|number| {
            let store = bench.store.clone();
            tokio::spawn(async move {
                act!(store, |c| {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    c.set(&format!("name-{number}"), "there", NOW).await
                })
                .await
            })
        })
        .collect();
    let one_saved = async {
        while bench.read().await.settings().await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), one_saved).await.expect("an act is saved");
    tokio::time::timeout(Duration::from_secs(20), bench.store.close()).await.expect("it ends");
    let mut saved = 0;
    for ended in join_all(acts).await {
        match ended.unwrap() {
            Ok(()) => saved += 1,
            // Not accepted any more: it came after the store was told to close.
            Err(error) => assert!(matches!(error, StoreError::Closed), "{error:?}"),
        }
    }
    assert!(saved > 1, "{saved}");
    let store = Store::open(&bench.location).await.unwrap();
    assert_eq!(store.read().await.unwrap().settings().await.unwrap().len(), saved);
    store.close().await;
}

pub async fn a_closed_store_says_so(bench: Bench) {
    bench.store.close().await;
    tokio::time::timeout(Duration::from_secs(5), bench.store.close()).await.expect("closing twice is fine");
    assert!(matches!(bench.store.read().await.err(), Some(StoreError::Closed)));
    let ended = act!(bench.store, |c| c.set("name", "there", NOW).await).await;
    assert!(matches!(ended, Err(StoreError::Closed)), "{ended:?}");
}

pub async fn a_reader_who_goes_away_leaves_a_usable_connection(bench: Bench) {
    let mut conn = bench.begin().await;
    for number in 0..300 {
        conn.set(&format!("name-{number}"), &"x".repeat(200), NOW).await.unwrap();
    }
    bench.commit(conn).await;
    for round in 0..60_u64 {
        let store = bench.store.clone();
        let reading = tokio::spawn(async move { store.read().await?.settings().await });
        tokio::time::sleep(Duration::from_micros(40 * (round % 20))).await;
        reading.abort();
        let _ = reading.await;
    }
    let readings = (0..12).map(|_| async { bench.read().await.settings().await.unwrap().len() });
    assert!(join_all(readings).await.into_iter().all(|count| count == 300));
    act!(bench.store, |c| c.set("last", "there", NOW).await).await.unwrap();
    for _ in 0..12 {
        assert!(bench.read().await.setting("last").await.unwrap().is_some());
    }
}

pub async fn two_processes_write_side_by_side(bench: Bench) {
    let other = Store::open(&bench.location).await.unwrap();
    let acts = (0..60).map(|number| {
        let store = if number % 2 == 0 { bench.store.clone() } else { other.clone() };
        tokio::spawn(async move { act!(store, |c| c.audit_apart(&samples::new_audit(Subject::of("product", number % 3), "edited")).await).await })
    });
    for ended in join_all(acts.collect::<Vec<_>>()).await {
        ended.unwrap().unwrap();
    }
    other.close().await;
    assert_eq!(bench.read().await.verify_audit().await.unwrap(), (60, Vec::new()));
}

/// On PostgreSQL a reader is an ordinary connection, and only commits at once what a caller should not have written.
pub async fn readers_of_a_file_cannot_write(bench: Bench) {
    for _ in 0..8 {
        let ended = bench.read().await.set("name", "there", NOW).await;
        assert_eq!(ended.is_err(), bench.engine() == Engine::Sqlite);
    }
    assert_eq!(bench.read().await.setting("name").await.unwrap().is_some(), bench.engine() == Engine::Postgres);
}

pub async fn the_writing_connection_waits_for_the_disk(bench: Bench) {
    let (synchronous, journal, keys) = match bench.engine() {
        Engine::Sqlite => act!(bench.store, |c| {
            Ok((c.pragma("synchronous").await?, c.pragma("journal_mode").await?, c.pragma("foreign_keys").await?))
        })
        .await
        .unwrap(),
        Engine::Postgres => {
            let set = bench.ask("select current_setting('synchronous_commit')").await.remove(0);
            assert_eq!(set, "on");
            return;
        }
    };
    assert_eq!((synchronous.as_str(), journal.as_str(), keys.as_str()), ("2", "wal", "1"));
}

/// On SQLite; far fewer pages are written here than the writer would copy by itself.
pub async fn the_log_is_copied_back_beside_the_writer(bench: Bench) {
    let Location::Sqlite(file) = &bench.location else { return };
    let on_disk = || std::fs::metadata(file).unwrap().len();
    let pages = "select cast(page_count as text) from pragma_page_count";
    let before: u64 = bench.ask(pages).await.remove(0).parse().unwrap();
    for number in 0..40 {
        act!(bench.store, |c| c.set(&format!("name-{number}"), &"x".repeat(4000), NOW).await).await.unwrap();
    }
    let after: u64 = bench.ask(pages).await.remove(0).parse().unwrap();
    assert!(after >= before + 40, "{before}, {after}");
    for _ in 0..100 {
        if on_disk() >= after * 4096 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    panic!("the file has {} bytes of {after} pages", on_disk());
}

/// Two acts that read and then write what the other has read: under a stricter isolation PostgreSQL lets one of them fail, and when
/// they lock in opposite order it ends one. Neither is told.
pub async fn acts_in_each_others_way_are_run_again(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let pair = [samples::license_for(&mut conn, product, 1).await, samples::license_for(&mut conn, product, 2).await];
    bench.commit(conn).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let meet = Arc::new(Barrier::new(2));
    let postgres = bench.engine() == Engine::Postgres;
    let acts = [[pair[0], pair[1]], [pair[1], pair[0]]].map(|order| {
        let (store, runs, meet) = (bench.store.clone(), runs.clone(), meet.clone());
        async move {
            act!(store, [runs, meet], |c| {
                let run = runs.fetch_add(1, Ordering::SeqCst);
                for id in order {
                    let (mut license, _, _) = c.lock_license(id).await?.expect("it is there");
                    if postgres && run < 2 && id == order[0] {
                        meet.wait().await;
                    }
                    license.transfers_used += 1;
                    c.save_license(&license, None).await?;
                }
                Ok(())
            })
            .await
        }
    });
    for ended in join_all(acts).await {
        ended.unwrap();
    }
    if postgres {
        assert!(runs.load(Ordering::SeqCst) > 2, "one of them was to be ended by a deadlock");
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        act!(bench.store, [counted], |c| {
            if counted.fetch_add(1, Ordering::SeqCst) < 3 {
                c.execute("do $$ begin raise exception 'part of the test' using errcode = '40001'; end $$").await?;
            }
            c.set("name", "there", NOW).await
        })
        .await
        .unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 4);
    }
    for id in pair {
        let (license, _, _) = bench.read().await.license(id).await.unwrap().unwrap();
        assert_eq!((license.transfers_used, license.revision), (2, 3));
    }
    assert_eq!(transactions_left_open(&bench).await, 0);
}

/// Takes a seat for a device as the desk does: facts under the lock, the decision, what it changes. `None` when it was refused.
async fn take_seat(conn: &mut Conn, license: LicenseId, device: &DeviceId) -> Result<Option<ActivationId>, StoreError> {
    let facts = conn.facts_by_license(license, device).await?.expect("the license is there");
    let asked = ActivationFacts {
        product: &facts.product,
        license: &facts.license,
        known: facts.known.as_ref(),
        vacated: facts.vacated,
        vacated_seats: facts.vacated_seats,
        blocked: facts.blocked,
        slots: InUse::default(),
        holders: &[],
        user: None,
    };
    let ask =
        ActivationAsk { how: How::Online, licensespring_file: false, device_key: None, virtual_machine: None, keeps_slot: false, by_tpm: false, version: None };
    let Ok(grant) = decide::activate(&asked, &ask, NOW) else { return Ok(None) };
    let mut license = facts.license;
    license.seats_taken += u32::from(grant.takes_seat);
    let audit = samples::new_audit(Subject::license(license.id.0), "activated");
    let head = conn.audit(&audit, facts.audit_head.as_deref());
    if let Some(known) = facts.known {
        conn.save_seats(&license, &head).await?;
        return Ok(Some(known.id));
    }
    let new = Activation::new(license.id, samples::device(device.as_str()), How::Online, NOW);
    conn.take_seat(&new, &license, &head).await.map(Some)
}

async fn race(bench: &Bench, seats: u32, devices: Vec<String>) -> (LicenseId, Vec<Option<ActivationId>>) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let license = samples::license_for(&mut conn, product, seats).await;
    bench.commit(conn).await;
    let acts = devices.into_iter().map(|device| {
        let store = bench.store.clone();
        tokio::spawn(async move {
            let device = DeviceId::parse(&device).expect("an id");
            store.write(move |c| {
                let device = device.clone();
                Box::pin(async move { take_seat(c, license, &device).await })
            })
            .await
        })
    });
    let ended = join_all(acts).await.into_iter().map(|ended| ended.unwrap().unwrap()).collect();
    (license, ended)
}

pub async fn sixty_four_devices_race_for_five_seats(bench: Bench) {
    let (license, ended) = race(&bench, 5, (0..64).map(|number| format!("device-{number}")).collect()).await;
    assert_eq!(ended.iter().flatten().count(), 5);
    let mut conn = bench.read().await;
    assert_eq!(conn.license(license).await.unwrap().unwrap().0.seats_taken, 5);
    assert_eq!(conn.holders(license, 100).await.unwrap().len(), 5);
    assert_eq!(conn.verify_audit().await.unwrap(), (5, Vec::new()));
}

pub async fn one_device_asking_many_times_at_once_takes_one_seat(bench: Bench) {
    let (license, ended) = race(&bench, 5, vec!["the-same".to_owned(); 32]).await;
    let first = ended[0].expect("granted");
    assert!(ended.iter().all(|id| *id == Some(first)), "{ended:?}");
    let mut conn = bench.read().await;
    assert_eq!(conn.license(license).await.unwrap().unwrap().0.seats_taken, 1);
    assert_eq!(conn.activations(license, 100).await.unwrap().len(), 1);
}
