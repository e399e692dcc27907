//! Staff, products, orders, customers, credentials; how every command answers.

use std::fs;

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
        "--url",
        "https://x.example/a",
    ]);
    let shown = portal.done(&["product", "show", "SCANLAB"]);
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
