//! Backups, restoring them, and the doctor.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::support::{OWNER, Portal, Ran, run};

/// An installation with something of everything in it.
fn full() -> (Portal, String) {
    let portal = Portal::new();
    let key = portal.issue(&["--seats", "1", "--customer", "ann@shop.example", "--order", "A-1", "--transfers", "2"]);
    portal.activate(&key, "pc-1");
    portal.done(&["license", "release", &key, "pc-1"]);
    portal.activate(&key, "pc-2");
    portal.done(&["api-key", "add", "Shop"]);
    portal.done(&["feature", "add", "press-4", "export", "--name", "Export", "--type", "activation"]);
    portal.done(&["policy", "add", "press-4", "pro", "--feature", "export"]);
    portal.done(&["version", "add", "press-4", "4.0", "--released", "2026-01-01"]);
    portal.done(&["setting", "set", "portalName", "Press Würks"]);
    (portal, key)
}

/// What must be the same on both sides.
fn picture(portal: &Portal, key: &str, more: &[(&str, &str)]) -> Vec<String> {
    let asked: [&[&str]; 8] = [
        &["license", "show", key],
        &["product", "show", "press-4"],
        &["policy", "list", "press-4"],
        &["order", "list"],
        &["user", "list"],
        &["api-key", "list"],
        &["setting", "list"],
        &["audit", "list"],
    ];
    let ask = |arguments: &&[&str]| {
        let ran = with(portal, arguments, more);
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
        ran.out
    };
    asked.iter().map(ask).collect()
}

fn with(portal: &Portal, arguments: &[&str], more: &[(&str, &str)]) -> Ran {
    let mut command = portal.command(&[arguments, &["--json"]].concat());
    command.envs(more.iter().copied());
    run(command, "")
}

#[test]
fn a_backup_comes_back_as_it_was() {
    let (portal, key) = full();
    let made = portal.done(&["backup", "all.backup", "--with-master-key"]);
    assert_eq!(made["master_key"], "included");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(portal.path("all.backup")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let other = Portal::empty();
    fs::copy(portal.path("all.backup"), other.path("all.backup")).unwrap();
    let restored = other.done(&["restore", "all.backup"]);
    assert_eq!((&restored["master_key"], &restored["rows"]), (&"restored".into(), &made["rows"]));
    assert_eq!(picture(&other, &key, &[]), picture(&portal, &key, &[]));
    assert_eq!(other.done(&["audit", "verify"])["whole"], true);
    // And it goes on: keys sign, seats count, ids rise.
    assert_eq!(other.done(&["license", "show", &key])["transfers_used"], 1);
    let next = other.issue(&[]);
    other.activate(&next, "pc-3");
}

#[test]
fn a_backup_without_its_master_key_says_so() {
    let (portal, key) = full();
    let ran = portal.run(&["backup", "bare.backup"]);
    assert!(ran.code == 0 && ran.out.contains("NOT included"), "{}", ran.out);
    let master = portal.read("data/master.key");
    assert!(!portal.read("bare.backup").contains(master.trim()));

    let other = Portal::empty();
    fs::copy(portal.path("bare.backup"), other.path("bare.backup")).unwrap();
    let ran = other.run(&["restore", "bare.backup", "--json"]);
    assert_eq!((ran.code, &ran.value()["master_key"]), (0, &"missing".into()));
    assert!(ran.err.contains("WITHOUT"), "{}", ran.err);
    assert_eq!(other.refused(&["license", "show", &key]), "master_key_missing");
    assert_eq!(other.refused(&["doctor"]), "unwell");
    fs::write(other.path("data/master.key"), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(other.path("data/master.key"), fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(other.refused(&["license", "show", &key]), "master_key_wrong");
    fs::write(other.path("data/master.key"), master).unwrap();
    assert_eq!(picture(&other, &key, &[]), picture(&portal, &key, &[]));
}

#[test]
fn nothing_is_overwritten_unless_forced() {
    let (portal, key) = full();
    portal.done(&["backup", "a.backup", "--with-master-key"]);
    let first = fs::read(portal.path("a.backup")).unwrap();
    assert_eq!(portal.refused(&["backup", "a.backup"]), "file_exists");
    assert_eq!(fs::read(portal.path("a.backup")).unwrap(), first);
    assert_eq!(portal.refused(&["restore", "a.backup"]), "not_empty");
    portal.done(&["license", "disable", &key]);
    assert_eq!(portal.done(&["restore", "a.backup", "--force"])["master_key"], "present");
    assert_eq!(portal.done(&["license", "show", &key])["state"], "enabled");
    portal.done(&["backup", "a.backup", "--force"]);
    assert_ne!(fs::read(portal.path("a.backup")).unwrap(), first);
    assert!(!portal.path("a.backup.part").exists());

    // Another installation's key is not replaced in passing either.
    let other = Portal::empty();
    other.done_with(&["user", "add", "me@x.example", "--role", "owner"], "long enough word");
    fs::write(other.path("a.backup"), &first).unwrap();
    let own = other.read("data/master.key");
    assert_eq!(other.refused(&["restore", "a.backup"]), "master_key_wrong");
    assert_eq!(other.read("data/master.key"), own);
    assert_eq!(other.done(&["user", "list"])[0]["email"], "me@x.example");
    assert_eq!(other.done(&["restore", "a.backup", "--force"])["master_key"], "restored");
    assert_eq!(other.done(&["user", "list"])[0]["email"], OWNER);
    assert_eq!(other.read("data/master.key.before-restore-1"), own);
}

#[test]
fn what_is_no_whole_backup_changes_nothing() {
    let (portal, key) = full();
    portal.done(&["backup", "a.backup"]);
    let text = portal.read("a.backup");
    let lines: Vec<&str> = text.lines().collect();
    for (name, content, code) in [
        ("cut.backup", lines[..lines.len() - 1].join("\n"), "backup_damaged"),
        ("changed.backup", text.replace("ann@shop.example", "eve@shop.example"), "backup_damaged"),
        ("other.backup", "hello\n".to_owned(), "not_a_backup"),
        ("empty.backup", String::new(), "not_a_backup"),
    ] {
        fs::write(portal.path(name), content).unwrap();
        assert_eq!(portal.refused(&["restore", name, "--force"]), code, "{name}");
        let empty = Portal::empty();
        fs::copy(portal.path(name), empty.path(name)).unwrap();
        assert_eq!(empty.refused(&["restore", name]), code, "{name}");
        assert!(!empty.data().exists(), "{name}");
    }
    assert_eq!(portal.refused(&["restore", "missing.backup"]), "file_error");
    assert_eq!(portal.refused(&["backup", "no/such/folder/a.backup"]), "file_error");
    assert_eq!(portal.done(&["license", "show", &key])["customer"], "ann@shop.example");
}

/// From SQLite to PostgreSQL and back. Needs the server that `script/postgres` starts.
#[test]
fn a_backup_moves_between_the_engines() {
    let Ok(url) = std::env::var("COUNTERSIGN_TEST_POSTGRES_URL") else {
        eprintln!("not run: there is no COUNTERSIGN_TEST_POSTGRES_URL; script/postgres sets it");
        return;
    };
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("cli_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let made = Command::new("psql").args([&url, "-qc", &format!("create database {name}")]).status().unwrap();
    assert!(made.success());
    let own = format!("{}/{name}", url.rsplit_once('/').unwrap().0);
    let postgres = [("DATABASE_URL", own.as_str())];

    let (portal, key) = full();
    portal.done(&["backup", "a.backup", "--with-master-key"]);
    let other = Portal::empty();
    fs::copy(portal.path("a.backup"), other.path("a.backup")).unwrap();
    let restored = with(&other, &["restore", "a.backup"], &postgres);
    assert_eq!(restored.code, 0, "{}{}", restored.out, restored.err);
    assert_eq!(picture(&other, &key, &postgres), picture(&portal, &key, &[]));
    assert_eq!(with(&other, &["restore", "a.backup"], &postgres).value()["error"]["code"], "not_empty");
    let issued = with(&other, &["license", "issue", "--product", "press-4"], &postgres);
    assert_eq!((issued.code, &issued.value()["licenses"][0]["id"]), (0, &2.into()), "{}", issued.err);
    assert_eq!(with(&other, &["restore", "a.backup", "--force"], &postgres).code, 0);
    assert_eq!(with(&other, &["audit", "verify"], &postgres).value()["whole"], true);
    assert_eq!(with(&other, &["backup", "b.backup"], &postgres).code, 0);

    let back = Portal::empty();
    fs::copy(other.path("b.backup"), back.path("b.backup")).unwrap();
    fs::create_dir(back.data()).unwrap();
    fs::copy(other.path("data/master.key"), back.path("data/master.key")).unwrap();
    assert_eq!(back.done(&["restore", "b.backup"])["master_key"], "present");
    assert_eq!(picture(&back, &key, &[]), picture(&portal, &key, &[]));
}

#[test]
fn the_doctor_names_what_is_wrong_and_the_mend() {
    let portal = Portal::new();
    let well = portal.done(&["doctor"]);
    assert_eq!(well["ok"], true);
    let names: Vec<_> = well["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    for name in ["data", "master key", "database", "keys", "clock", "mail", "public URL"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(portal.run(&["doctor"]).out.lines().all(|line| line.starts_with("ok  ")));
    let unwell = |more: &[(&str, &str)], name: &str, mend: &str| {
        let ran = with(&portal, &["doctor"], more);
        let value = ran.value();
        let check = value["checks"].as_array().unwrap().iter().find(|check| check["ok"] == false).cloned().unwrap_or_default();
        assert_eq!((ran.code, &check["name"], &value["error"]["code"]), (1, &name.into(), &"unwell".into()), "{value}");
        assert!(check["message"].as_str().unwrap().contains(mend), "{check}");
    };
    unwell(&[("COUNTERSIGN_PUBLIC_URL", "http://activate.example.com")], "public URL", "https://");
    unwell(&[("COUNTERSIGN_PUBLIC_URL", "nonsense")], "public URL", "COUNTERSIGN_PUBLIC_URL");
    unwell(&[("COUNTERSIGN_DATA_DIR", "nowhere")], "data", "--data-dir");
    unwell(&[("COUNTERSIGN_MASTER_KEY", "short")], "master key", "openssl rand");
    unwell(&[("COUNTERSIGN_MASTER_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")], "database", "backup");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(portal.data(), fs::Permissions::from_mode(0o755)).unwrap();
        unwell(&[], "data", "chmod 700");
        fs::set_permissions(portal.data(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(portal.path("data/master.key"), fs::Permissions::from_mode(0o644)).unwrap();
        unwell(&[], "master key", "chmod 600");
    }
    assert!(!portal.path("nowhere").exists(), "the doctor makes nothing");
}
