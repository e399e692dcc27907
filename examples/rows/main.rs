//! The yardstick of `script/bench activations`: the rows of an activation written through sqlx in batches of 64, with nothing else
//! (no HTTP, no decisions, no signatures), on a file set up as the store sets it up. Prints activations a second.

use std::time::{Duration, Instant};

use countersign::store::{Location, Store};
use sqlx::{AnyPool, Executor};

const BATCH: i64 = 64;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("a folder to write in is missing")?;
    let path = std::path::Path::new(&folder).join("rows.db");
    Store::open(&Location::Sqlite(path.clone())).await?.close().await;
    let pool = AnyPool::connect(&format!("sqlite:{}?mode=rw", path.display())).await?;
    let mut conn = pool.acquire().await?;
    conn.execute(sqlx::raw_sql(
        "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma cache_size = -16000;",
    ))
    .await?;
    conn.execute(sqlx::raw_sql(
        "insert into product (id, code, code_folded, name, authorized_by, state, rules, created_at, revision) \
           values (1, 'p', 'p', 'P', 'key', 'enabled', '{}', 0, 1); \
         insert into license (id, product_id, state, state_facts, terms, kind, trial, seats_taken, transfers_used, note, created_at, revision) \
           values (1, 1, 'enabled', '{}', '{}', 'perpetual', 0, 0, 0, '', 0, 1);",
    ))
    .await?;
    let content = "x".repeat(1_200);
    let began = Instant::now();
    let mut written = 0_i64;
    while began.elapsed() < Duration::from_secs(5) {
        conn.execute(sqlx::raw_sql("begin immediate")).await?;
        for _ in 0..BATCH {
            written += 1;
            sqlx::query(
                "insert into activation (license_id, device_id, device_name, state, state_at, counted, how, first_activated_at, last_seen_at, \
                 rebinds, offline_releases, use_seq) values (1, $1, 'bench', 'active', $2, 0, 'online', $2, $2, 0, 0, 0)",
            )
            .bind(format!("device-{written}"))
            .bind(written)
            .execute(&mut *conn)
            .await?;
            sqlx::query("update license set seats_taken = $1, audit_head = $2 where id = 1")
                .bind(written)
                .bind(vec![0_u8; 32])
                .execute(&mut *conn)
                .await?;
            sqlx::query(
                "insert into audit (at, subject_kind, subject_id, act, actor, after, prev, hash) \
                 values ($1, 'license', 1, 'license.activated', '{\"kind\":\"customer\"}', $2, $3, $3)",
            )
            .bind(written)
            .bind(format!("{{\"device\":\"device-{written}\",\"how\":\"online\",\"seats_taken\":{written}}}"))
            .bind(vec![0_u8; 32])
            .execute(&mut *conn)
            .await?;
            let mut hash = vec![0_u8; 32];
            hash[..8].copy_from_slice(&written.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64).to_be_bytes());
            sqlx::query("insert into result_page (token_hash, kind, content, created_at, expires_at) values ($1, 'activation', $2, 0, $3)")
                .bind(hash)
                .bind(content.clone())
                .bind(written)
                .execute(&mut *conn)
                .await?;
        }
        conn.execute(sqlx::raw_sql("commit")).await?;
    }
    println!("{:.0}", written as f64 / began.elapsed().as_secs_f64());
    Ok(())
}
