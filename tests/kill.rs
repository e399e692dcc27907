//! A server killed under load, again and again: what was answered is there, and nothing is half there.
#![cfg(all(feature = "ssr", unix))]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use countersign::store::{Location, Store};
use serde_json::Value;
use tempfile::TempDir;

const ROUNDS: u64 = 25;
const CUSTOMERS: usize = 8;

/// An activation that was answered: its machine, and where its page is.
type Answered = (String, String);

fn command(dir: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("COUNTERSIGN_") || name == "DATABASE_URL" || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.env("COUNTERSIGN_DATA_DIR", dir.path().join("data")).env("COUNTERSIGN_RSA_BITS", "2048");
    command.args(arguments).stdin(Stdio::null());
    command
}

fn done(dir: &TempDir, arguments: &[&str]) -> Value {
    let ran = command(dir, &[arguments, &["--json"]].concat()).output().unwrap();
    let out = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{arguments:?}: {out}{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_str(&out).unwrap()
}

/// A server that is ready, and where it listens.
fn serve(dir: &TempDir) -> (Child, SocketAddr) {
    let mut child = command(dir, &["serve", "--addr", "127.0.0.1:0", "--trusted-proxies", "127.0.0.1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("Countersign is ready on"));
    let ready = ready.expect("it starts again after every kill");
    // What it says later must not fill the pipe.
    thread::spawn(move || lines.for_each(drop));
    (child, ready.rsplit("http://").next().unwrap().trim().parse().unwrap())
}

/// The status and the `location` of an answer, if there was a whole one.
fn ask(addr: SocketAddr, request: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&addr, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, _) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let location = head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or_default();
    Some((status, location.to_owned()))
}

fn activate(addr: SocketAddr, key: &str, device: &str) -> Option<(u16, String)> {
    let body = format!("key={key}&device_id={device}");
    let length = body.len();
    // Each from an address of its own, so that none is told to wait.
    let digits: u32 = device.bytes().filter(u8::is_ascii_digit).fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    let [_, a, b, c] = digits.to_be_bytes();
    ask(
        addr,
        &format!(
            "POST /activate HTTP/1.1\r\nhost: {addr}\r\nsec-fetch-site: same-origin\r\nx-forwarded-for: 10.{a}.{b}.{c}\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
    )
}

#[test]
fn a_killed_server_loses_nothing_it_answered_and_leaves_nothing_half_done() {
    let dir = tempfile::tempdir().unwrap();
    done(&dir, &["product", "add", "press-4", "--name", "Press Designer 4"]);
    let issued = done(&dir, &["license", "issue", "--product", "press-4", "--seats", "unlimited"]);
    let key = issued["licenses"][0]["key"].as_str().unwrap().to_owned();

    let answered: Mutex<Vec<Answered>> = Mutex::default();
    let number = AtomicU32::new(0);
    for round in 0..ROUNDS {
        let (mut server, addr) = serve(&dir);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..CUSTOMERS {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        let device = format!("HW-{:06}", number.fetch_add(1, Ordering::Relaxed));
                        if let Some((303, location)) = activate(addr, &key, &device) {
                            answered.lock().unwrap().push((device, location));
                        }
                    }
                });
            }
            // Each time at another moment.
            thread::sleep(Duration::from_millis(120 + round * 37 % 170));
            server.kill().unwrap();
            server.wait().unwrap();
            over.store(true, Ordering::Relaxed);
        });
    }

    let answered = answered.into_inner().unwrap();
    assert!(answered.len() >= 200, "only {} were answered: this proves nothing", answered.len());
    assert!(number.load(Ordering::Relaxed) as usize > answered.len(), "some were killed before their answer");

    let (mut server, addr) = serve(&dir);
    for (device, location) in answered.iter().rev().take(400) {
        let page = ask(addr, &format!("GET {location} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n"));
        assert_eq!(page.expect("it answers").0, 200, "the page of {device}");
    }
    let last = answered.last().unwrap();
    assert_eq!(activate(addr, &key, &last.0).expect("it answers").0, 303, "and the machine gets its key again");
    server.kill().unwrap();
    server.wait().unwrap();

    let kept = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(kept(&dir));
    let machines: BTreeSet<&str> = kept.machines.iter().map(String::as_str).collect();
    for (device, _) in &answered {
        assert!(machines.contains(device.as_str()), "{device} was answered and is gone");
    }
    assert_eq!(kept.seats_taken as usize, kept.machines.len(), "every seat that is counted has its machine");
    assert_eq!(kept.recorded as usize, kept.machines.len(), "every machine has its entry in the audit log");
    assert_eq!(kept.pages as usize, kept.machines.len() + 1, "every machine has its page");
    assert_eq!(kept.integrity, "ok");
    assert_eq!(kept.broken, 0, "the chain of the audit log holds");
}

struct Kept {
    machines: Vec<String>,
    seats_taken: i64,
    recorded: i64,
    pages: i64,
    integrity: String,
    broken: usize,
}

/// What is in the database.
async fn kept(dir: &TempDir) -> Kept {
    use sqlx::Connection;
    sqlx::any::install_default_drivers();
    let path = dir.path().join("data/countersign.db");
    let url = format!("sqlite:{}", path.display());
    let mut conn = sqlx::AnyConnection::connect(&url).await.unwrap();
    let machines =
        sqlx::query_scalar("select device_id from activation where state = 'active'").fetch_all(&mut conn).await.unwrap();
    let mut number = async |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut conn).await.unwrap();
    let seats_taken = number("select seats_taken from license").await;
    let recorded = number("select count(*) from audit where act = 'license.activated'").await;
    let pages = number("select count(*) from result_page where kind = 'activation'").await;
    let integrity = sqlx::query_scalar("select integrity_check from pragma_integrity_check").fetch_one(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let store = Store::open(&Location::Sqlite(path)).await.unwrap();
    let (_, broken) = store.read().await.unwrap().verify_audit().await.unwrap();
    store.close().await;
    Kept { machines, seats_taken, recorded, pages, integrity, broken: broken.len() }
}
