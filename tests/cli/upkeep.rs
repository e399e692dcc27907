//! Backups, restoring them, and the doctor.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::Duration,
};

use crate::{
    serving::Served,
    support::{self, OWNER, Portal, Ran, run, sql},
};

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

/// From SQLite to PostgreSQL and back.
#[test]
fn a_backup_moves_between_the_engines() {
    let own = support::postgres();
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
    unwell(&[("COUNTERSIGN_PUBLIC_URL", "http://localhost.example.com")], "public URL", "https://");
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

#[test]
fn what_is_only_looked_at_stays_as_it_is() {
    // An empty PostgreSQL database is no installation, and no command makes one of it in passing.
    let portal = Portal::empty();
    let own = support::postgres();
    let postgres = [("DATABASE_URL", own.as_str())];
    fs::write(portal.path("some.lic"), "hello").unwrap();
    for arguments in [&["license", "list"][..], &["setting", "list"], &["audit", "verify"], &["backup", "x.backup"]] {
        assert_eq!(with(&portal, arguments, &postgres).value()["error"]["code"], "no_data", "{arguments:?}");
    }
    assert_eq!(with(&portal, &["doctor"], &postgres).code, 1);
    assert_eq!(with(&portal, &["verify", "some.lic"], &postgres).code, 1);
    assert!(sql(&own, &["select cast(tablename as text) from pg_tables where schemaname = 'public'"]).is_empty());
    assert!(!portal.data().exists());
    let added = with(&portal, &["product", "add", "press-4", "--name", "Press"], &postgres);
    assert_eq!(added.code, 0, "{}", added.err);
    looked_at(&portal, &own, &postgres);

    let portal = Portal::new();
    looked_at(&portal, &portal.database(), &[]);
}

/// `doctor` and `verify` on data whose keys are missing, and whose schema is behind.
fn looked_at(portal: &Portal, url: &str, more: &[(&str, &str)]) {
    let issued = with(portal, &["license", "issue", "--product", "press-4", "--key", "ABCD-EFGH-1"], more);
    assert_eq!(issued.code, 0, "{}", issued.err);
    fs::write(portal.path("some.lic"), "hello").unwrap();
    let failing = |name: &str| {
        let value = with(portal, &["doctor"], more).value();
        let check = value["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).cloned().unwrap_or_default();
        assert_eq!(check["ok"], false, "{value}");
        check["message"].as_str().unwrap().to_owned()
    };
    let count = |table: &str| sql(url, &[&format!("select cast(count(*) as text) from {table}")]);
    sql(url, &["delete from seal"]);
    assert!(failing("keys").contains("press-4"));
    with(portal, &["verify", "some.lic"], more);
    assert_eq!(count("seal"), ["0"], "nothing was made");
    sql(url, &["delete from _sqlx_migrations where version > 1"]);
    assert!(failing("database").contains("schema 1"));
    let verified = with(portal, &["verify", "some.lic"], more);
    assert!(verified.err.contains("The data folder was not used"), "{}", verified.err);
    assert_eq!(count("_sqlx_migrations"), ["1"], "nothing was migrated");
}

#[test]
fn a_database_that_cannot_be_used_says_why() {
    let portal = Portal::new();
    for arguments in [&["license", "list"][..], &["backup", "x"], &["user", "list"]] {
        let ran = with(&portal, arguments, &[("DATABASE_URL", "postgres://nobody:hidden@127.0.0.1:1/none")]);
        let error = ran.value()["error"].clone();
        assert_eq!((ran.code, &error["code"]), (1, &"database_unreachable".into()), "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("running") && !message.contains("hidden"), "{message}");
    }
    fs::write(portal.path("none.db"), "this is no database at all, but a text that is long enough to be looked at").unwrap();
    let ran = with(&portal, &["license", "list"], &[("DATABASE_URL", "sqlite:none.db")]);
    assert_eq!((ran.code, &ran.value()["error"]["code"]), (1, &"database_unreachable".into()), "{}", ran.err);
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 select 20991231, 'later', success, checksum, 0 from _sqlx_migrations where version = 1";
    sql(&portal.database(), &[newer]);
    let ran = with(&portal, &["license", "list"], &[]);
    let error = ran.value()["error"].clone();
    assert_eq!((ran.code, &error["code"]), (1, &"schema_newer".into()), "{error}");
    assert!(error["message"].as_str().unwrap().contains("run the newer one"), "{error}");
}

#[test]
fn a_backup_of_another_schema_is_refused_before_anything_is_made() {
    let (portal, _) = full();
    portal.done(&["backup", "a.backup", "--with-master-key"]);
    let text = portal.read("a.backup");
    let (head, rest) = text.split_once('\n').unwrap();
    let mut head: serde_json::Value = serde_json::from_str(head).unwrap();
    head["schema"] = 1.into();
    let body = format!("{head}\n{}\n", rest.trim_end().rsplit_once('\n').unwrap().0);
    use sha2::Digest as _;
    let sha256 = countersign::licensing::files::base64::url(&sha2::Sha256::digest(&body));
    let end = serde_json::json!({ "rows": body.lines().count() - 1, "sha256": sha256 });
    let other = Portal::empty();
    fs::write(other.path("a.backup"), format!("{body}{end}\n")).unwrap();
    assert_eq!(other.refused(&["restore", "a.backup"]), "other_schema");
    assert!(!other.data().exists(), "nothing was made");
}

#[test]
fn a_backup_made_under_load_is_one_moment() {
    let portal = Portal::new();
    let key = portal.issue(&["--seats", "unlimited"]);
    let served = Served::on(&portal);
    let (over, number, answered) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    let halfway = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let device = format!("HW-{:06}", number.fetch_add(1, Ordering::Relaxed));
                    if served.activate(&key, &device) == Some(303) {
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        while answered.load(Ordering::Relaxed) < 30 {
            thread::sleep(Duration::from_millis(10));
        }
        let before = answered.load(Ordering::Relaxed);
        portal.done(&["backup", "a.backup", "--with-master-key"]);
        let after = answered.load(Ordering::Relaxed);
        over.store(true, Ordering::Relaxed);
        assert!(after > before, "it went on while the backup was made");
        before
    });
    served.stop();
    let other = Portal::empty();
    fs::copy(portal.path("a.backup"), other.path("a.backup")).unwrap();
    other.done(&["restore", "a.backup"]);
    let count = |what: &str| -> u32 { sql(&other.database(), &[&format!("select cast({what} as text)")])[0].parse().unwrap() };
    let seats = count("(select seats_taken from license)");
    assert!(seats >= halfway, "{seats} of {halfway}");
    assert_eq!(count("(select count(*) from activation where state = 'active')"), seats);
    assert_eq!(count("(select count(*) from audit where act = 'license.activated')"), seats);
    assert_eq!(other.done(&["audit", "verify"])["whole"], true);
}

#[test]
fn the_doctor_sees_that_the_audit_log_is_not_sealed_any_more() {
    let portal = Portal::new();
    let served = Served::on(&portal);
    for _ in 0..100 {
        if sql(&portal.database(), &["select cast(count(*) as text) from audit_checkpoint"]) == ["1"] {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    served.stop();
    assert_eq!(portal.done(&["audit", "verify"])["checkpoints"]["count"], 1);
    assert_eq!(portal.done(&["doctor"])["ok"], true);
    // Whoever rewrites the log takes the checkpoints away with it; what is older than two days should have one over it.
    sql(&portal.database(), &["delete from audit_checkpoint"]);
    assert_eq!(portal.done(&["doctor"])["ok"], true, "nothing is that old");
    sql(&portal.database(), &["update audit set at = at - 51 * 3600000"]);
    assert_eq!(portal.refused(&["doctor"]), "unwell");
    let value = portal.run(&["doctor", "--json"]).value();
    let check = value["checks"].as_array().unwrap().iter().find(|check| check["name"] == "audit log").unwrap().clone();
    assert_eq!(check["ok"], false, "{value}");
}
