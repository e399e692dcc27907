//! The yardstick of `script/bench activations`: the rows of an activation written through sqlx in batches of 64, with nothing else
//! (no HTTP, no decisions, no signatures), on a file set up as the store sets it up and by statements like the store's: a seat at a
//! time, what no act reads back in runs of 32. Prints activations a second.

use std::time::{Duration, Instant};

use countersign::store::{Location, Store, WRITER_SETUP};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Executor};

const BATCH: i64 = 64;
/// Rows to a statement.
const RUN: usize = 32;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("a folder to write in is missing")?;
    let path = std::path::Path::new(&folder).join("rows.db");
    Store::open(&Location::Sqlite(path.clone())).await?.close().await;
    let pool = AnyPool::connect(&format!("sqlite:{}?mode=rw", path.display())).await?;
    let mut conn = pool.acquire().await?;
    conn.execute(sqlx::raw_sql(WRITER_SETUP)).await?;
    conn.execute(sqlx::raw_sql(
        "insert into product (id, code, code_folded, name, authorized_by, state, rules, created_at, revision) \
           values (1, 'p', 'p', 'P', 'key', 'enabled', '{}', 0, 1); \
         insert into license (id, product_id, state, state_facts, terms, kind, trial, seats_taken, transfers_used, note, created_at, revision) \
           values (1, 1, 'enabled', '{}', '{}', 'perpetual', 0, 0, 0, '', 0, 1);",
    ))
    .await?;
    let audits = many("audit (at, subject_kind, subject_id, act, actor, before, after, prev, hash)", 9);
    let pages = many("result_page (token_hash, kind, content, created_at, expires_at)", 5);
    let content = "x".repeat(1_200);
    let began = Instant::now();
    let mut written = 0_i64;
    while began.elapsed() < Duration::from_secs(5) {
        conn.execute(sqlx::raw_sql("begin immediate")).await?;
        let first = written + 1;
        for number in first..first + BATCH {
            seat(&mut conn, number).await?;
        }
        written += BATCH;
        let numbers: Vec<i64> = (first..=written).collect();
        for run in numbers.chunks(RUN) {
            let mut query = sqlx::query(AssertSqlSafe(audits.clone()));
            for number in run {
                query = query
                    .bind(*number)
                    .bind("license")
                    .bind(1_i64)
                    .bind("license.activated")
                    .bind("{\"kind\":\"customer\"}")
                    .bind(None::<String>)
                    .bind(format!("{{\"device\":\"device-{number}\",\"how\":\"online\",\"seats_taken\":{number}}}"))
                    .bind(vec![0_u8; 32])
                    .bind(vec![0_u8; 32]);
            }
            query.execute(&mut *conn).await?;
        }
        for run in numbers.chunks(RUN) {
            let mut query = sqlx::query(AssertSqlSafe(pages.clone()));
            for number in run {
                // Spread as hashes are, so that the index is written all over.
                let mut hash = vec![0_u8; 32];
                hash[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64).to_be_bytes());
                query = query.bind(hash).bind("activation").bind(content.clone()).bind(0_i64).bind(*number);
            }
            query.execute(&mut *conn).await?;
        }
        conn.execute(sqlx::raw_sql("commit")).await?;
    }
    println!("{:.0}", written as f64 / began.elapsed().as_secs_f64());
    Ok(())
}

/// An insert of as many rows as make a run.
fn many(into: &str, columns: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", places.join(", "))
    };
    format!("insert into {into} values {}", (0..RUN).map(row).collect::<Vec<_>>().join(", "))
}

/// What an act reads back is written by itself.
async fn seat(conn: &mut AnyConnection, number: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into activation (license_id, device_id, device_name, device_name_folded, state, state_at, counted, how, first_activated_at, \
         last_seen_at, rebinds, offline_releases, use_seq) values (1, $1, 'bench', 'bench', 'active', $2, 0, 'online', $2, $2, 0, 0, 0) \
         returning id",
    )
    .bind(format!("device-{number}"))
    .bind(number)
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query("update license set seats_taken = $1, audit_head = $2 where id = 1")
        .bind(number)
        .bind(vec![0_u8; 32])
        .execute(&mut *conn)
        .await?;
    Ok(())
}
