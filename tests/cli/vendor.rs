//! Staff, products, orders, customers, credentials; how every command answers.

use std::{
    fs,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::support::{OWNER, PASSWORD, Portal};

#[test]
fn every_command_prints_one_value_or_one_error() {
    let portal = Portal::new();
    for arguments in [vec!["user", "list"], vec!["product", "list"], vec!["license", "list"], vec!["order", "list"]] {
        let ran = portal.run(&[arguments.as_slice(), &["--json"]].concat());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}");
        ran.value();
        let people = portal.run(&arguments);
        assert_eq!(people.code, 0);
        assert!(serde_json::from_str::<Value>(&people.out).is_err(), "{arguments:?} is for people without --json");
    }
    assert!(portal.misused(&["license"]).contains("subcommand"));
    portal.misused(&["nothing"]);
    portal.misused(&["--database-url", "mysql://a/b", "user", "list"]);
    let help = portal.run(&["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.out.contains("license") && help.err.is_empty());
    assert!(portal.run(&["--version"]).out.starts_with("countersign "));
}

#[test]
fn a_mistyped_data_folder_does_not_become_a_new_one() {
    let portal = Portal::empty();
    for arguments in [vec!["user", "list"], vec!["license", "show", "ABCD-1234"], vec!["answer", "x.req"]] {
        assert_eq!(portal.refused(&arguments), "no_data");
    }
    assert!(!portal.data().exists());
}

#[test]
fn secrets_come_by_stdin_and_are_not_shown_again() {
    let portal = Portal::new();
    assert_eq!(portal.done(&["user", "list"])[0]["email"], OWNER);
    assert!(!portal.done(&["user", "list"]).to_string().contains("argon2"));
    portal.misused(&["user", "add", "b@x.example", "--role", "owner", "--password", "hunter2hunter2"]);
    portal.misused(&["api-key", "add", "x", "--shared-key", "0123456789abcdef0123"]);
    portal.misused(&["api-key", "add", "x", "--api-key", "id-without-secret"]);
    let made = portal.done(&["api-key", "add", "Shop", "--product", "press-4", "--read-only"]);
    assert_eq!(made["shared_key"].as_str().unwrap().len(), 40);
    let listed = portal.done(&["api-key", "list"]);
    assert_eq!(listed[0]["products"], serde_json::json!(["press-4"]));
    assert!(!listed.to_string().contains(made["shared_key"].as_str().unwrap()));
    for file in fs::read_dir(portal.data()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        for secret in [PASSWORD, made["shared_key"].as_str().unwrap()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
    assert_eq!(portal.refused(&["api-key", "add", "x", "--product", "other"]), "not_found");
    assert_eq!(portal.refused(&["api-key", "add", " "]), "bad_field");
    let again = ["api-key", "add", "x", "--api-key", made["api_key"].as_str().unwrap(), "--shared-key-stdin"];
    assert_eq!(portal.refused_with(&again, "0123456789abcdef0123"), "taken");
    let id = made["id"].to_string();
    assert_eq!(portal.done(&["api-key", "revoke", &id])["revoked"], true);
    assert_eq!(portal.refused(&["api-key", "revoke", &id]), "already_revoked");
    assert_eq!(portal.refused(&["api-key", "revoke", "99"]), "not_found");
}

/// At a terminal, which `script` makes.
#[cfg(target_os = "linux")]
#[test]
fn a_password_is_not_shown_while_it_is_typed() {
    let portal = Portal::new();
    let binary = env!("CARGO_BIN_EXE_countersign");
    let typed = format!("'{binary}' user add sue@vendor.example --role support");
    let mut command = Command::new("script");
    command.args(["-qfec", &typed, "/dev/null"]).env("COUNTERSIGN_DATA_DIR", portal.data());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b": ") && screen.read(&mut byte).unwrap() == 1 {
        seen.push(byte[0]);
    }
    // A person sees the question first; by then the terminal has been told to show nothing.
    std::thread::sleep(std::time::Duration::from_millis(500));
    keyboard.write_all(b"long enough word\n").unwrap();
    screen.read_to_end(&mut seen).unwrap();
    assert!(child.wait().unwrap().success(), "{}", String::from_utf8_lossy(&seen));
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.contains("assword: ") && !seen.contains("long enough word"), "{seen}");
    assert_eq!(portal.done(&["user", "list"])[1]["email"], "sue@vendor.example");
}

#[test]
fn a_logo_of_any_size_that_is_allowed_comes_by_stdin() {
    let portal = Portal::new();
    let base64 = |size: usize| {
        let mut picture = vec![7_u8; size];
        picture[..8].copy_from_slice(&[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a]);
        countersign::licensing::files::base64::standard(&picture)
    };
    // In lines, as `base64` prints it.
    let largest = base64(64 * 1024);
    let lines: Vec<&str> = largest.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let set = ["setting", "set", "logo", "-"];
    assert_eq!(portal.done_with(&set, &(lines.join("\r\n") + "\n"))["value"], largest.as_str());
    assert_eq!(portal.done(&["setting", "get", "logo"])["value"], largest.as_str());
    assert_eq!(portal.refused_with(&set, &base64(64 * 1024 + 1)), "bad_field");
    assert_eq!(portal.refused_with(&set, &"A".repeat(128 * 1024 + 1)), "too_large");
    assert_eq!(portal.done(&["setting", "get", "logo"])["value"], largest.as_str());
    assert_eq!(portal.done_with(&["setting", "set", "portalName", "-"], "Press\n")["value"], "Press");
}

#[test]
fn a_full_disk_is_a_fault_and_a_reader_who_left_is_none() {
    let portal = Portal::new();
    let ended = |out: Stdio| {
        let mut command = portal.command(&["product", "list", "--json"]);
        command.stdin(Stdio::null()).stdout(out).stderr(Stdio::piped()).output().unwrap()
    };
    if cfg!(target_os = "linux") {
        let full = ended(fs::File::options().write(true).open("/dev/full").unwrap().into());
        assert_eq!(full.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&full.stderr).contains("stdout"));
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(ended(writer.into()).status.code(), Some(0));
}

#[test]
fn the_public_url_of_a_command_is_held_to_the_servers_rule() {
    let portal = Portal::new();
    let key = portal.issue(&[]);
    portal.activate(&key, "pc-1");
    let issuer = |url: &str| {
        let mut command = portal.command(&["license", "refresh-file", &key, "pc-1", "--json"]);
        command.env("COUNTERSIGN_PUBLIC_URL", url);
        let ran = crate::support::run(command, "");
        (ran.code, ran.value())
    };
    let (code, made) = issuer("https://activate.example.com/");
    assert_eq!(code, 0, "{made}");
    let claims = made["license"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&countersign::licensing::files::base64::from_url(claims).unwrap()).unwrap();
    assert_eq!(claims["iss"], "https://activate.example.com");
    assert_eq!(issuer("https://a.example/path").1["error"]["code"], "bad_usage");
}

#[test]
fn the_team_is_managed_and_keeps_an_owner() {
    let portal = Portal::new();
    let add = |email, role| vec!["user", "add", email, "--role", role];
    assert_eq!(portal.done_with(&add("sue@vendor.example", "support"), "long enough word")["role"], "support");
    assert_eq!(portal.refused_with(&add("SUE@vendor.example", "viewer"), "long enough word"), "taken");
    assert_eq!(portal.refused_with(&add("bob@vendor.example", "viewer"), "short"), "bad_field");
    portal.misused(&add("bob@vendor.example", "king"));
    portal.misused(&add("bob", "viewer"));
    portal.misused(&add("bob@vendor.example", "viewer"));
    assert_eq!(portal.refused(&["user", "disable", OWNER]), "bad_field");
    assert_eq!(portal.done(&["user", "disable", "sue@vendor.example"])["disabled"], true);
    assert_eq!(portal.refused(&["user", "disable", "nobody@vendor.example"]), "not_found");
    assert_eq!(portal.done_with(&["user", "password", OWNER], "another long word")["email"], OWNER);
    assert_eq!(portal.refused_with(&["user", "password", OWNER], "short"), "bad_field");
    assert_eq!(portal.refused_with(&["user", "password", "nobody@vendor.example"], "another long word"), "not_found");
    let roles: Vec<_> = portal.done(&["user", "list"]).as_array().unwrap().iter().map(|user| user["role"].clone()).collect();
    assert_eq!(roles, ["owner", "support"]);
}

#[test]
fn products_have_versions_and_rules() {
    let portal = Portal::new();
    let added = portal.done(&[
        "product",
        "add",
        "ScanLab",
        "--name",
        "ScanLab",
        "--vm",
        "refuse",
        "--version",
        "2.1",
        "--legacy-clients",
    ]);
    assert_eq!(added["code"], "ScanLab");
    portal.done(&[
        "version",
        "add",
        "scanlab",
        "2.2",
        "--released",
        "2026-05-01",
        "--channel",
        "beta",
        "--env",
        "windows",
        "--url",
        "https://x.example/a",
        "--hash",
        "9e107d9d372bb6826bd81d3542a419d6",
    ]);
    let shown = portal.done(&["product", "show", "SCANLAB"]);
    let versions = shown["versions"].as_array().unwrap();
    let added = versions.iter().find(|version| version["version"] == "2.2").unwrap();
    let told = ["channel", "env", "url", "hash"].map(|member| added[member].as_str().unwrap());
    assert_eq!(told, ["beta", "windows", "https://x.example/a", "9e107d9d372bb6826bd81d3542a419d6"]);
    portal.done(&["product", "add", "floaty", "--name", "Floaty", "--floating-timeout", "15"]);
    assert_eq!(portal.done(&["product", "show", "floaty"])["floating_timeout_minutes"], 15);
    let edited = portal.done(&["product", "edit", "floaty", "--floating-timeout", "45"]);
    assert_eq!(edited["floating_timeout_minutes"], 45);
    assert_eq!((&shown["vm"], &shown["legacy_clients"], &shown["auth"]), (&"refuse".into(), &true.into(), &"key".into()));
    let versions: Vec<_> = shown["versions"].as_array().unwrap().iter().map(|version| version["version"].clone()).collect();
    assert!(versions.contains(&"2.1".into()) && versions.contains(&"2.2".into()), "{versions:?}");
    let edited = portal.done(&[
        "product",
        "edit",
        "scanlab",
        "--name",
        "ScanLab Pro",
        "--vm",
        "allow",
        "--trial-days",
        "14",
        "--state",
        "disabled",
    ]);
    assert_eq!((&edited["name"], &edited["vm"], &edited["trial_days"]), (&"ScanLab Pro".into(), &"allow".into(), &14.into()));
    assert_eq!((&edited["state"], &edited["legacy_clients"]), (&"disabled".into(), &true.into()));
    for (arguments, code) in [
        (vec!["product", "add", "PRESS-4", "--name", "Again"], "taken"),
        (vec!["product", "add", "new", "--name", "New", "--number", "4"], "taken"),
        (vec!["product", "add", "new", "--name", " "], "bad_field"),
        (vec!["product", "show", "other"], "not_found"),
        (vec!["product", "edit", "other", "--name", "X"], "not_found"),
        (vec!["product", "edit", "scanlab", "--number", "4"], "taken"),
        (vec!["version", "add", "other", "1.0", "--released", "2026-01-01"], "not_found"),
        (vec!["version", "add", "scanlab", "2.1", "--released", "2026-01-01"], "taken"),
    ] {
        assert_eq!(portal.refused(&arguments), code, "{arguments:?}");
    }
    portal.misused(&["product", "add", "a/b", "--name", "X"]);
    portal.misused(&["product", "add", "new"]);
    portal.misused(&["product", "add", "new", "--name", "X", "--auth", "magic"]);
    portal.misused(&["version", "add", "scanlab", "two", "--released", "2026-01-01"]);
    portal.misused(&["version", "add", "scanlab", "3.0"]);
}

#[test]
fn orders_and_customers_are_found() {
    let portal = Portal::new();
    portal.issue(&["--customer", "ann@shop.example", "--order", "A-1"]);
    portal.issue(&["--customer", "ANN@shop.example", "--order", "A-1"]);
    portal.issue(&[]);
    let orders = portal.done(&["order", "list"]);
    assert_eq!(orders.as_array().unwrap().len(), 2);
    assert_eq!(portal.done(&["order", "list", "--limit", "1"]).as_array().unwrap().len(), 1);
    assert_eq!(portal.done(&["order", "show", "A-1"])["licenses"].as_array().unwrap().len(), 2);
    assert_eq!(portal.refused(&["order", "show", "A-9"]), "not_found");
    assert_eq!(portal.done(&["customer", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(portal.done(&["customer", "show", "ann@SHOP.example"])["licenses"].as_array().unwrap().len(), 2);
    assert_eq!(portal.refused(&["customer", "show", "bob@shop.example"]), "not_found");
    portal.misused(&["customer", "show", "bob"]);
}

#[test]
fn customers_belong_to_accounts() {
    let portal = Portal::new();
    portal.issue(&["--customer", "ann@shop.example"]);
    assert_eq!(portal.done(&["customer-account", "add", "acme", "--name", "ACME Inc."])["code"], "acme");
    assert_eq!(portal.refused(&["customer-account", "add", "ACME", "--name", "Again"]), "taken");
    assert_eq!(portal.done(&["customer", "account", "ANN@shop.example", "acme"])["account"], "acme");
    assert_eq!(portal.done(&["customer", "show", "ann@shop.example"])["account"], "acme");
    assert_eq!(portal.done(&["customer-account", "list"])[0]["customers"], 1);
    let client = portal.done(&["oauth-client", "add", "ACME", "--account", "ACME"]);
    assert!(client["client_id"].as_str().unwrap().starts_with("auth_customeraccount_"), "{client}");
    assert_eq!(portal.done(&["customer", "account", "ann@shop.example", "none"])["account"], serde_json::Value::Null);
    assert_eq!(portal.done(&["customer-account", "list"])[0]["customers"], 0);
    for (arguments, code) in [
        (vec!["customer", "account", "bob@shop.example", "acme"], "not_found"),
        (vec!["customer", "account", "ann@shop.example", "other"], "bad_field"),
        (vec!["oauth-client", "add", "Other", "--account", "other"], "not_found"),
        (vec!["customer-account", "add", "new", "--name", " "], "bad_field"),
    ] {
        assert_eq!(portal.refused(&arguments), code, "{arguments:?}");
    }
    let sso = ["customer-account", "sso", "acme", "--client-id", "press", "--redirect-uri", "press://back", "--issuer"];
    for (issuer, told) in [("https://127.0.0.1:9", "private network"), ("http://id.example", "begins with https")] {
        let ran = portal.run(&[&sso[..], &[issuer, "--json"]].concat());
        let error = ran.value()["error"].clone();
        assert_eq!((ran.code, &error["code"]), (1, &"bad_field".into()));
        assert!(error["message"].as_str().unwrap().contains(told), "{error}");
    }
    assert_eq!(portal.refused(&["customer-account", "sso", "acme", "--off"]), "not_found");
    portal.misused(&["customer-account", "sso", "acme"]);
    portal.misused(&["customer-account", "sso", "acme", "--off", "--issuer", "https://id.example"]);
    portal.misused(&["oauth-client", "add", "Both", "--account", "acme", "--customer", "ann@shop.example"]);
}

#[test]
fn shops_have_credentials_that_are_not_shown_again() {
    let portal = Portal::new();
    let add = ["extension", "add", "WooCommerce", "--user", "shop", "--password-stdin"];
    let added = portal.done_with(&add, "a password of the shop\n");
    assert_eq!(
        (&added["class"], &added["has_password"], &added["api_key"]),
        (&"woocommerce".into(), &true.into(), &serde_json::Value::Null)
    );
    assert_eq!(portal.refused_with(&add, "a password of the shop\n"), "taken");
    assert_eq!(portal.refused_with(&["extension", "add", "Stripe", "--password-stdin"], "too short\n"), "bad_field");
    let made = portal.done(&["extension", "add", "Portal", "--class", "qlmauthenticationprovider", "--api-key"]);
    let api_key = made["api_key"].as_str().unwrap();
    assert_eq!(api_key.len(), 43);
    let listed = portal.done(&["extension", "list"]);
    assert!(!listed.to_string().contains(api_key) && listed[0]["name"] == "Portal" && listed[1]["enabled"] == true, "{listed}");
    assert_eq!(portal.done(&["extension", "disable", "woocommerce"])["enabled"], false);
    assert_eq!(portal.done(&["extension", "list"])[1]["enabled"], false);
    assert_eq!(portal.done(&["extension", "enable", "WOOCOMMERCE"])["enabled"], true);
    for (arguments, code) in [
        (vec!["extension", "disable", "nobody"], "not_found"),
        (vec!["extension", "add", "Shop", "--class", "market"], "bad_field"),
        (vec!["extension", "add", "manual", "--class", "stripe"], "bad_field"),
        (vec!["extension", "add", "Shop of ours"], "bad_field"),
    ] {
        assert_eq!(portal.refused(&arguments), code, "{arguments:?}");
    }
    // The key that apps carry, in the form they carry it.
    portal.done(&["product", "edit", "press-4", "--number", "4"]);
    let exported = portal.done(&["keys", "export", "--use", "qlm", "--product", "press-4", "--format", "xml"]);
    assert!(exported[0]["xml"].as_str().unwrap().starts_with("<RSAKeyValue><Modulus>"), "{exported}");
    assert_eq!(portal.done(&["keys", "export", "--use", "qlm", "--format", "xml"]), exported, "and no other");
}
