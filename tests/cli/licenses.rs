//! Issuing, showing, changing; request files and their answers.

use std::{fs, thread};

use serde_json::Value;

use crate::support::{self, Portal, samples, sql};

#[test]
fn a_license_is_issued_shown_listed_and_changed() {
    let portal = Portal::new();
    let issued = portal.done(&[
        "license",
        "issue",
        "--product",
        "PRESS-4",
        "--seats",
        "2",
        "--quantity",
        "2",
        "--customer",
        "ann@shop.example",
        "--order",
        "A-1",
    ]);
    assert_eq!(issued["order"], "A-1");
    assert_eq!(issued["licenses"][0]["seats"], 4);
    let key = issued["licenses"][0]["key"].as_str().unwrap();
    let shown = portal.done(&["license", "show", &key.to_lowercase().replace('-', " ")]);
    for (member, value) in [
        ("key", Value::from(key)),
        ("product", "press-4".into()),
        ("type", "perpetual".into()),
        ("trial", false.into()),
        ("state", "enabled".into()),
        ("seats", 4.into()),
        ("seats_taken", 0.into()),
        ("transfers_used", 0.into()),
        ("total_consumption", 0.into()),
        ("valid_until", Value::Null),
        ("maintenance_until", Value::Null),
        ("start", Value::Null),
        ("floating", Value::Null),
        ("features", Value::Array(vec![])),
        ("users", Value::Array(vec![])),
        ("order", "A-1".into()),
        ("customer", "ann@shop.example".into()),
        ("activations", Value::Array(vec![])),
    ] {
        assert_eq!(shown[member], value, "{member}");
    }

    let edited = portal.done(&["license", "edit", key, "--seats", "unlimited", "--valid-until", "2030-03-12", "--note", "VIP"]);
    assert_eq!((&edited["seats"], &edited["note"]), (&Value::Null, &"VIP".into()));
    assert_eq!(edited["valid_until"], "2030-03-13T00:00:00.000Z");
    assert_eq!(edited["type"], "time-limited");
    let renewed = portal.done(&["license", "renew", key, "--valid-until", "2031-01-01"]);
    assert_eq!(renewed["valid_until"], "2031-01-02T00:00:00.000Z");
    let longer = portal.done(&["license", "renew", key, "--valid-days", "10"]);
    assert_eq!(longer["valid_until"], "2031-01-12T00:00:00.000Z");

    let listed = portal.done(&["license", "list", "--search", "ann@shop", "--product", "press-4"]);
    assert_eq!(listed["licenses"].as_array().unwrap().len(), 1);
    assert_eq!(portal.done(&["license", "list", "--state", "disabled"])["licenses"], Value::Array(vec![]));
}

#[test]
fn quantities_become_keys_and_seats() {
    let portal = Portal::new();
    for (options, keys, seats) in [
        (vec!["--quantity", "3"], 1, 3),
        (vec!["--quantity", "3", "--separate-keys"], 3, 1),
        (vec!["--quantity", "3", "--activations-per-key", "2"], 1, 6),
        (vec!["--quantity", "3", "--activations-per-key", "2", "--separate-keys"], 3, 2),
        (vec!["--quantity", "3", "--activations-per-key", "2", "--additional-activations", "5"], 1, 11),
        (vec!["--seats", "5"], 1, 5),
    ] {
        let issued = portal.done(&[vec!["license", "issue", "--product", "press-4"], options.clone()].concat());
        let licenses = issued["licenses"].as_array().unwrap();
        assert_eq!((licenses.len(), &licenses[0]["seats"]), (keys, &Value::from(seats)), "{options:?}");
    }
}

#[test]
fn what_cannot_be_issued_is_refused_and_leaves_nothing() {
    let portal = Portal::new();
    let issue = |options: &[&'static str]| [&["license", "issue", "--product", "press-4"], options].concat();
    let taken = portal.issue(&["--key", "FUH3-4E7A-LZJL-7JTP"]);
    assert_eq!(taken, "FUH3-4E7A-LZJL-7JTP");
    for (options, code) in [
        (issue(&["--key", "fuh34e7alzjl7jtp"]), "taken"),
        (issue(&["--id", "1"]), "taken"),
        (issue(&["--key", "MY-KEY", "--quantity", "2", "--separate-keys"]), "bad_field"),
        (issue(&["--id", "77", "--quantity", "2", "--separate-keys", "--customer", "new@x.example"]), "bad_field"),
        (issue(&["--key", "00000-00000-00000-00000"]), "bad_key_checksum"),
        (issue(&["--feature", "nothing"]), "bad_field"),
        (issue(&["--policy", "nothing"]), "not_found"),
        (issue(&["--max-consumption", "5"]), "bad_field"),
        (issue(&["--borrow-hours", "5"]), "bad_field"),
        (issue(&["--quantity", "10001", "--separate-keys"]), "bad_field"),
        (issue(&["--quantity", "1000000", "--seats", "2"]), "bad_field"),
        (vec!["license", "issue", "--product", "other"], "not_found"),
    ] {
        assert_eq!(portal.refused(&options), code, "{options:?}");
    }
    for options in [
        issue(&["--seats", "2", "--activations-per-key", "2"]),
        issue(&["--seats", "0"]),
        issue(&["--seats", "-1"]),
        issue(&["--type", "rented"]),
        issue(&["--valid-until", "12.3.2027"]),
        issue(&["--valid-days-from", "issue"]),
        issue(&["--customer", "nobody"]),
        issue(&["--user-password-stdin"]),
        issue(&["--feature", "=3"]),
        issue(&["--field", "x"]),
        issue(&["--metadata", "[]"]),
        issue(&["--transfers", "some"]),
        issue(&["--id", "0"]),
        vec!["license", "issue"],
    ] {
        portal.misused(&options);
    }
    assert_eq!(portal.done(&["license", "list"])["licenses"].as_array().unwrap().len(), 1);
    assert_eq!(portal.done(&["order", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(portal.done(&["customer", "list"]), Value::Array(vec![]));
}

/// On PostgreSQL, where another may take the key between the look and the insert: here it does, and holds it until the command waits.
#[test]
fn a_key_lost_in_a_race_leaves_nothing_behind() {
    let portal = Portal::empty();
    let url = support::postgres();
    let command = |arguments: &[&str]| {
        let mut command = portal.command(&[arguments, &["--json"]].concat());
        command.env("DATABASE_URL", &url);
        command
    };
    let done = |arguments: &[&str]| {
        let ran = support::run(command(arguments), "");
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
        ran.value()
    };
    let issue = ["license", "issue", "--product", "press-4", "--key", "SAME-KEY-SAME-KEY"];
    done(&["product", "add", "press-4", "--name", "Press"]);
    done(&issue);
    let folded = sql(&url, &["select key_folded from license"]).remove(0);
    sql(&url, &["update license set key_folded = 'another'"]);

    let lost = tokio::runtime::Runtime::new().unwrap().block_on(async {
        use sqlx::{AssertSqlSafe, Connection as _};
        let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
        let mut taking = other.begin().await.unwrap();
        let take = format!("update license set key_folded = '{folded}'");
        sqlx::query(AssertSqlSafe(take)).execute(&mut *taking).await.unwrap();
        let losing = command(&[&issue[..], &["--order", "A-2", "--customer", "ann@x.example"]].concat());
        let losing = thread::spawn(move || support::run(losing, ""));
        let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        while !losing.is_finished() && sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut *taking).await.unwrap() == 0 {
            // What a transaction sees of the others' doings is otherwise what it saw first.
            sqlx::query("select pg_stat_clear_snapshot()").execute(&mut *taking).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert!(!losing.is_finished(), "it waits for the other");
        taking.commit().await.unwrap();
        losing.join().unwrap()
    });
    assert_eq!((lost.code, &lost.value()["error"]["code"]), (1, &"taken".into()), "{}", lost.err);
    assert_eq!(done(&["order", "list"]).as_array().unwrap().len(), 1, "no order without a license");
    assert_eq!(done(&["customer", "list"]), Value::Array(vec![]));
}

#[test]
fn days_from_the_issue_count_from_the_issue() {
    let portal = Portal::new();
    let day = |value: &Value| value.as_str().unwrap()[..10].to_owned();
    portal.done(&["policy", "add", "press-4", "year", "--valid-days", "365", "--valid-days-from", "issue"]);
    let policy = portal.done(&["policy", "list", "press-4"])[0].clone();
    assert_eq!((&policy["valid_until"], &policy["terms"]["expiry"]["days_after_issue"]), (&Value::Null, &365.into()));
    let by_policy = portal.issue(&["--policy", "year"]);
    let by_option = portal.issue(&["--valid-days", "365", "--valid-days-from", "issue"]);
    let (by_policy, by_option) = (portal.done(&["license", "show", &by_policy]), portal.done(&["license", "show", &by_option]));
    assert_eq!((day(&by_policy["valid_until"]), &by_policy["type"]), (day(&by_option["valid_until"]), &"time-limited".into()));

    // Long after: a license that was issued a hundred days ago, changed today.
    let key = by_option["key"].as_str().unwrap();
    let (id, hundred) = (by_option["id"].as_i64().unwrap(), 100 * 86_400_000_i64);
    sql(&portal.database(), &[&format!("update license set created_at = created_at - {hundred} where id = {id}")]);
    let edited = portal.done(&["license", "edit", key, "--valid-days", "465", "--valid-days-from", "issue"]);
    assert_eq!(day(&edited["valid_until"]), day(&by_policy["valid_until"]));
    // And a policy that is a hundred days old gives a whole year.
    let later = portal.issue(&["--policy", "year"]);
    assert_eq!(portal.done(&["license", "show", &later])["valid_until"], by_policy["valid_until"]);
}

#[test]
fn changing_one_feature_keeps_the_others_and_what_was_used() {
    let portal = Portal::new();
    portal.done(&["feature", "add", "press-4", "export", "--name", "Export", "--type", "activation"]);
    portal.done(&["feature", "add", "press-4", "pages", "--name", "Pages", "--type", "consumption"]);
    let key = portal.issue(&["--feature", "export", "--feature", "pages=100"]);
    sql(&portal.database(), &["update license set terms = replace(terms, '\"used\":0', '\"used\":42')"]);
    let edited = portal.done(&["license", "edit", &key, "--feature", "pages=200"]);
    let features = edited["features"].as_array().unwrap();
    assert_eq!(features.len(), 2, "{edited}");
    assert_eq!((&features[1]["max"], &features[1]["used"]), (&200.into(), &42.into()));
    let edited = portal.done(&["license", "edit", &key, "--without-feature", "EXPORT"]);
    assert_eq!((edited["features"].as_array().unwrap().len(), &edited["features"][0]["used"]), (1, &42.into()));
    assert_eq!(portal.refused(&["license", "edit", &key, "--without-feature", "export"]), "bad_field");
}

#[test]
fn a_license_without_an_end_is_not_shortened_by_more_days() {
    let portal = Portal::new();
    let key = portal.issue(&[]);
    assert_eq!(portal.refused(&["license", "renew", &key, "--valid-days", "30"]), "bad_field");
    assert_eq!(portal.done(&["license", "show", &key])["valid_until"], Value::Null);
    portal.done(&["license", "renew", &key, "--valid-until", "2030-01-01"]);
    portal.done(&["license", "renew", &key, "--valid-days", "30"]);
}

#[test]
fn a_license_without_a_key_is_reached_by_its_id() {
    let portal = Portal::new();
    portal.done(&["product", "add", "team", "--name", "Team", "--auth", "user"]);
    let issued = portal.done(&["license", "issue", "--product", "team", "--user", "ann@x.example"]);
    let license = &issued["licenses"][0];
    assert_eq!(license["key"], Value::Null);
    let id = license["id"].to_string();
    for text in [id.clone(), format!("#{id}")] {
        assert_eq!(portal.done(&["license", "show", &text])["id"], license["id"], "{text}");
        assert_eq!(portal.refused(&["license", "show", &text, "--product", "press-4"]), "not_found");
    }
    portal.done(&["license", "edit", &format!("#{id}"), "--seats", "4"]);
    portal.done(&["license", "disable", &id]);
    assert_eq!(portal.refused(&["device", "allow", &id, "pc-1"]), "not_revoked");
    assert_eq!(portal.refused(&["license", "show", "#404"]), "not_found");
    portal.misused(&["license", "show", "#x"]);
    // A key of digits alone is that key, whatever id there is.
    let own = portal.done(&["license", "issue", "--product", "press-4", "--key", &format!("000{id}")]);
    assert_eq!(portal.done(&["license", "show", &format!("000{id}")])["id"], own["licenses"][0]["id"]);
}

/// Every option of `license issue` and the member of `license show` it sets: none is taken and forgotten.
#[test]
fn every_option_of_issue_is_shown() {
    let portal = Portal::new();
    portal.done(&["feature", "add", "press-4", "export", "--name", "Export", "--type", "activation"]);
    portal.done(&["feature", "add", "press-4", "pages", "--name", "Pages", "--type", "consumption"]);
    portal.done(&["policy", "add", "press-4", "team", "--seats", "10"]);
    portal.done(&["policy", "add", "press-4", "site", "--seats", "unlimited"]);
    portal.done(&["product", "edit", "press-4", "--auth", "both"]);
    let consumption = ["--type", "consumption"];
    let unit = Value::Null;
    let table: Vec<(Vec<&str>, &str, Value)> = vec![
        (vec!["--key", "MY-OWN-KEY-1"], "/key", "MY-OWN-KEY-1".into()),
        (vec!["--id", "4711"], "/id", 4711.into()),
        (vec!["--type", "subscription"], "/type", "subscription".into()),
        (vec!["--trial"], "/trial", true.into()),
        (vec!["--seats", "7"], "/seats", 7.into()),
        (vec!["--seats", "unlimited"], "/seats", unit.clone()),
        (vec!["--valid-until", "2031-02-03"], "/valid_until", "2031-02-04T00:00:00.000Z".into()),
        (vec!["--valid-days", "30"], "/valid_days_from_activation", 30.into()),
        (vec!["--valid-days", "30", "--valid-days-from", "activation"], "/valid_days_from_activation", 30.into()),
        (vec!["--valid-days", "30", "--valid-days-from", "client"], "/valid_days_from_client", 30.into()),
        (vec!["--grace-hours", "48"], "/grace_hours", 48.into()),
        (vec!["--maintenance-until", "2031-02-03"], "/maintenance_until", "2031-02-04T00:00:00.000Z".into()),
        (vec!["--transfers", "3"], "/transfers", 3.into()),
        (vec!["--transfers", "none"], "/transfers", "none".into()),
        (vec![], "/transfers", "unlimited".into()),
        (vec!["--start", "2031-02-03"], "/start", "2031-02-03T00:00:00.000Z".into()),
        (vec!["--no-offline"], "/offline", false.into()),
        (vec![], "/offline", true.into()),
        (vec!["--floating", "5"], "/floating", 5.into()),
        (vec!["--floating", "5", "--borrow-hours", "72"], "/borrow_hours", 72.into()),
        ([&consumption[..], &["--max-consumption", "9"]].concat(), "/max_consumption", 9.into()),
        ([&consumption[..], &["--max-consumption", "unlimited"]].concat(), "/max_consumption", "unlimited".into()),
        ([&consumption[..], &["--overage", "4"]].concat(), "/overage", 4.into()),
        ([&consumption[..], &["--consumption-period", "weekly"]].concat(), "/consumption_period", "weekly".into()),
        ([&consumption[..], &["--negative-consumption"]].concat(), "/negative_consumption", true.into()),
        (vec!["--feature", "export"], "/features/0/code", "export".into()),
        (vec!["--feature", "pages=100"], "/features/0/max", 100.into()),
        (vec!["--feature", "pages=100"], "/features/0/used", 0.into()),
        (vec!["--feature", "export@2031-02-03"], "/features/0/valid_until", "2031-02-04T00:00:00.000Z".into()),
        (vec!["--floating-feature", "export=2"], "/features/0/floating", 2.into()),
        (vec!["--field", "seat=front"], "/fields/seat", "front".into()),
        (vec!["--metadata", "{\"a\": [1]}"], "/metadata/a/0", 1.into()),
        (vec!["--customer", "ann@x.example"], "/customer", "ann@x.example".into()),
        (vec!["--user", "bob@x.example"], "/users/0/email", "bob@x.example".into()),
        (vec!["--user", "eve@x.example", "--user-seats", "2"], "/users/0/seats", 2.into()),
        (vec!["--order", "A-77"], "/order", "A-77".into()),
        (vec!["--quantity", "3"], "/seats", 3.into()),
        (vec!["--activations-per-key", "4"], "/seats", 4.into()),
        (vec!["--additional-activations", "2"], "/seats", 3.into()),
        (vec!["--quantity", "3", "--separate-keys"], "/seats", 1.into()),
        (vec!["--policy", "team"], "/seats", 10.into()),
        (vec!["--policy", "team", "--activations-per-key", "4"], "/seats", 4.into()),
        (vec!["--policy", "site"], "/seats", unit.clone()),
        (vec!["--policy", "site", "--activations-per-key", "4"], "/seats", 4.into()),
        (vec!["--policy", "site", "--quantity", "3", "--activations-per-key", "2"], "/seats", 6.into()),
        (vec!["--note", "VIP"], "/note", "VIP".into()),
    ];
    for (options, member, expected) in &table {
        let issued = portal.done(&[&["license", "issue", "--product", "press-4"][..], options].concat());
        let id = issued["licenses"][0]["id"].to_string();
        let shown = portal.done(&["license", "show", &format!("#{id}")]);
        assert_eq!(shown.pointer(member), Some(expected), "{options:?} {member}: {shown}");
    }
    // No option is left out of the table, except what says how another one is read.
    let help = portal.run(&["license", "issue", "--help"]).out;
    let words = help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter(|word| word.starts_with("--"));
    let elsewhere = ["--product", "--user-password-stdin", "--help", "--json", "--data-dir", "--database-url"];
    for option in words.filter(|word| !elsewhere.contains(word)) {
        assert!(table.iter().any(|(options, ..)| options.contains(&option)), "{option} is not in the table");
    }
    let text = portal
        .run(&[
            "license",
            "show",
            &portal.issue(&[
                "--type",
                "consumption",
                "--max-consumption",
                "9",
                "--overage",
                "4",
                "--consumption-period",
                "weekly",
                "--grace-hours",
                "48",
                "--transfers",
                "3",
                "--no-offline",
                "--floating",
                "5",
                "--borrow-hours",
                "72",
                "--feature",
                "pages=100",
                "--field",
                "seat=front",
                "--metadata",
                "{\"a\": 1}",
                "--valid-days",
                "30",
            ]),
        ])
        .out;
    for told in [
        "0 of 9 and 4 more, weekly",
        "48 hours",
        "0 used of 3",
        "not allowed",
        "5 at once, borrowed for 72 hours",
        "pages 0 of 100",
        "seat=front",
        "{\"a\":1}",
        "30 days from the first activation",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
}

#[test]
fn a_policy_and_features_become_terms() {
    let portal = Portal::new();
    portal.done(&["feature", "add", "press-4", "export", "--name", "Export", "--type", "activation"]);
    portal.done(&["feature", "add", "press-4", "pages", "--name", "Pages", "--type", "consumption"]);
    portal.done(&[
        "policy",
        "add",
        "press-4",
        "pro",
        "--type",
        "subscription",
        "--valid-days",
        "365",
        "--seats",
        "3",
        "--feature",
        "export",
    ]);
    assert_eq!(portal.done(&["policy", "list", "press-4"])[0]["seats"], 3);
    let key = portal.issue(&["--policy", "pro", "--feature", "pages=100@2030-01-01", "--floating-feature", "export=2"]);
    let shown = portal.done(&["license", "show", &key]);
    assert_eq!((&shown["type"], &shown["seats"]), (&"subscription".into(), &3.into()));
    // What is named is added to what the policy has.
    assert_eq!((&shown["features"][0]["code"], &shown["features"][0]["floating"]), (&"export".into(), &2.into()));
    assert_eq!((&shown["features"][1]["code"], &shown["features"][1]["max"]), (&"pages".into(), &100.into()));
    assert_eq!(portal.done(&["license", "show", &portal.issue(&["--policy", "PRO"])])["seats"], 3, "however it is spelled");
    let key = portal.issue(&["--type", "consumption", "--max-consumption", "10", "--consumption-period", "monthly"]);
    assert_eq!(portal.done(&["license", "show", &key])["type"], "consumption");
    assert_eq!(portal.refused(&["feature", "add", "press-4", "EXPORT x", "--name", "E", "--type", "activation"]), "bad_field");
    assert_eq!(portal.refused(&["feature", "add", "press-4", "export", "--name", "E", "--type", "activation"]), "taken");
    assert_eq!(portal.refused(&["policy", "add", "press-4", "pro"]), "taken");
    assert_eq!(portal.refused(&["policy", "add", "press-4", "PRO"]), "taken");
    assert_eq!(portal.refused(&["policy", "add", "other", "pro"]), "not_found");
}

#[test]
fn named_users_get_a_password_that_is_shown_once() {
    let portal = Portal::new();
    portal.done(&["product", "edit", "press-4", "--auth", "both"]);
    let issue = ["license", "issue", "--product", "press-4", "--user", "ann@x.example"];
    let made = portal.done(&issue);
    let user = &made["licenses"][0]["users"][0];
    assert_eq!(user["email"], "ann@x.example");
    assert!(user["initial_password"].as_str().unwrap().len() >= 12);
    let given = portal.done_with(&[issue.as_slice(), &["--user-password-stdin"]].concat(), "S3cret-ü\n");
    assert_eq!(given["licenses"][0]["users"][0], serde_json::json!({ "email": "ann@x.example" }));
    let key = given["licenses"][0]["key"].as_str().unwrap();
    assert!(!portal.done(&["license", "show", key]).to_string().contains("S3cret"));
    portal.misused(&[issue.as_slice(), &["--user-password-stdin"]].concat());
}

#[test]
fn states_are_left_only_by_steps_that_make_sense() {
    let portal = Portal::new();
    let key = portal.issue(&[]);
    assert_eq!(portal.refused(&["license", "enable", &key]), "already_enabled");
    assert_eq!(portal.done(&["license", "disable", &key, "--reason", "refund"])["state"], "disabled");
    assert_eq!(portal.refused(&["license", "disable", &key]), "already_disabled");
    assert_eq!(portal.done(&["license", "archive", &key])["state"], "archived");
    assert_eq!(portal.refused(&["license", "archive", &key]), "already_archived");
    assert_eq!(portal.done(&["license", "enable", &key])["state"], "enabled");
    for act in ["show", "disable", "enable", "archive", "reset"] {
        assert_eq!(portal.refused(&["license", act, "NO-SUCH-KEY-1234"]), "not_found");
    }
    let wrong = format!("{}{}", if key.starts_with('0') { "2" } else { "0" }, &key[1..]);
    assert_eq!(portal.refused(&["license", "show", &wrong]), "bad_key_checksum");
    portal.misused(&["license", "renew", &key]);
    portal.misused(&["license", "renew", &key, "--valid-days", "0"]);
}

#[test]
fn a_key_of_several_products_needs_the_product() {
    let portal = Portal::new();
    portal.done(&["product", "add", "scanlab", "--name", "ScanLab"]);
    portal.issue(&["--key", "SAME-KEY-SAME-KEY"]);
    portal.done(&["license", "issue", "--product", "scanlab", "--key", "SAME-KEY-SAME-KEY"]);
    let ran = portal.run(&["license", "show", "same-key same-key", "--json"]);
    let error = ran.value()["error"].clone();
    assert_eq!((ran.code, &error["code"]), (1, &"which_product".into()));
    assert!(error["message"].as_str().unwrap().contains("--product"), "{error}");
    assert_eq!(portal.done(&["license", "show", "same-key same-key", "--product", "SCANLAB"])["product"], "scanlab");
    assert_eq!(portal.refused(&["license", "show", "same-key same-key", "--product", "other"]), "not_found");
}

#[test]
fn a_request_is_answered_refreshed_and_released() {
    let portal = Portal::new();
    let key = portal.issue(&["--seats", "1"]);
    let activate = portal.request(&key, "pc-1", "activate");
    assert!(!portal.read(&activate).contains(&key), "the key itself is not in the file");
    let answered = portal.done(&["answer", &activate, "-o", "out"]);
    assert_eq!(answered["kind"], "license");
    let file = answered["file"].as_str().unwrap().to_owned();
    let first = portal.read(&file);
    assert_eq!(portal.done(&["answer", &activate, "-o", "out"])["file"], file.as_str(), "the same answer is the same file");
    let shown = portal.done(&["license", "show", &key]);
    assert_eq!((&shown["seats_taken"], &shown["activations"][0]["how"]), (&1.into(), &"offline".into()));

    let second = portal.request(&key, "pc-2", "activate");
    assert_eq!(portal.refused(&["answer", &second]), "seats_exhausted");

    let refresh = portal.request(&key, "pc-1", "refresh");
    let again = portal.done(&["answer", &refresh, "-o", "out"]);
    assert_ne!(portal.read(again["file"].as_str().unwrap()), first);
    let by_staff = portal.done(&["license", "refresh-file", &key, "pc-1", "-o", "staff.lic"]);
    assert_eq!(by_staff["file"], "staff.lic");
    assert_eq!(portal.refused(&["license", "refresh-file", &key, "pc-9"]), "not_active");

    // The license file tells the id where no data is at hand.
    let args = ["request", "--product", "press-4", "--license", &file, "--device-id", "pc-1", "--device-key", "pc-1.key"];
    let elsewhere = [&["--data-dir", "nowhere"], args.as_slice(), &["--act", "release", "-o", "release.req"]].concat();
    portal.done(&elsewhere);
    let stranger = portal.request(&key, "pc-2", "activate");
    assert_eq!(portal.refused(&["answer", &stranger]), "seats_exhausted");
    assert_eq!(portal.done(&["answer", "release.req"])["kind"], "receipt");
    assert_eq!(portal.done(&["answer", &second])["kind"], "license", "a refusal is not remembered");
    assert_eq!(portal.refused(&["answer", &activate]), "request_spent");

    let many = portal.run(&["answer", &second, &activate, "--json"]);
    let rows = many.value();
    assert_eq!((many.code, &rows[0]["kind"], &rows[1]["error"]["code"]), (1, &"license".into(), &"request_spent".into()));
}

#[test]
fn a_request_without_what_it_needs_is_not_made() {
    let portal = Portal::new();
    let key = portal.issue(&[]);
    let request =
        |options: &[&'static str]| [&["request", "--product", "press-4", "--device-id", "pc", "-o", "x.req"], options].concat();
    portal.misused(&request(&[]));
    portal.misused(&request(&["--license", "3"]));
    portal.misused(&request(&["--key", "ABCD", "--act", "steal"]));
    portal.misused(&["request", "--product", "press-4", "--key", &key, "--device-id", ""]);
    portal.misused(&[
        "--data-dir",
        "nowhere",
        "request",
        "--product",
        "p",
        "--key",
        &key,
        "--device-id",
        "d",
        "--act",
        "release",
    ]);
    assert_eq!(portal.refused(&request(&["--key", "00000-00000-00000-00000"])), "bad_key_checksum");
    assert_eq!(portal.refused(&request(&["--key", "NO-SUCH-KEY-1234", "--act", "release"])), "not_found");
    fs::write(portal.path("bad.key"), "not a key").unwrap();
    assert_eq!(portal.refused(&request(&["--key", "ABCD-EFGH", "--device-key", "bad.key"])), "bad_device_key");
    fs::write(portal.path("some.lic"), "hello").unwrap();
    assert_eq!(portal.refused(&request(&["--act", "release", "--license", "some.lic"])), "wrong_kind");
    assert!(!portal.path("x.req").exists());
}

#[test]
fn a_device_key_is_private_and_may_be_pkcs8() {
    let portal = Portal::new();
    let key = portal.issue(&[]);
    portal.request(&key, "pc", "activate");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(portal.path("pc.key")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // The key pair of RFC 8410.
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    fs::write(portal.path("pkcs8.key"), pem).unwrap();
    let args = ["request", "--product", "press-4", "--key", &key, "--device-id", "pc-8", "--device-key", "pkcs8.key"];
    let made = portal.done(&args);
    assert_eq!(made["act"], "activate");
    assert_eq!(made["request"].as_str().unwrap().split('.').count(), 3);
    fs::write(portal.path("seed.key"), "1O5y2/kTWErVttjx92n4rTr+fCjL8dT74Jeoj0R1WEI=\n").unwrap();
    let seed = portal.done(&[&args[..8], &["seed.key"]].concat());
    assert_eq!(seed["device_key"], made["device_key"]);
}

#[test]
fn staff_releases_blocks_and_allows_machines() {
    let portal = Portal::new();
    let key = portal.issue(&["--seats", "2"]);
    portal.activate(&key, "pc-1");
    portal.activate(&key, "pc-2");
    assert_eq!(portal.done(&["license", "release", &key, "pc-1"])["state"], "released");
    assert_eq!(portal.refused(&["license", "release", &key, "pc-1"]), "not_active");
    assert_eq!(portal.refused(&["license", "release", &key, "pc-9"]), "not_found");
    assert_eq!(portal.done(&["device", "block", &key, "pc-1"])["state"], "blocked");
    let again = portal.request(&key, "pc-1", "activate");
    assert_eq!(portal.refused(&["answer", &again]), "device_blocked");
    assert_eq!(portal.done(&["device", "allow", &key, "pc-1"])["state"], "allowed");
    assert_eq!(portal.refused(&["device", "allow", &key, "pc-1"]), "not_revoked");
    assert_eq!(portal.done(&["answer", &again])["kind"], "license");
    assert_eq!(portal.done(&["license", "reset", &key])["released"], 2);
    assert_eq!(portal.done(&["license", "show", &key])["seats_taken"], 0);
}

#[test]
fn every_broken_sample_is_refused_with_its_code() {
    let portal = Portal::new();
    let credentials = ["api-key", "add", "Samples", "--api-key", "11abafc3-10b2-474a-b818-aaaf97c7512e", "--shared-key-stdin"];
    portal.done_with(&credentials, "kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja");
    portal.done(&["product", "add", "tp", "--name", "Test product", "--auth", "both"]);
    portal.done(&["license", "issue", "--product", "tp", "--key", "FUH3-4E7A-LZJL-7JTP", "--seats", "9"]);
    let readme = fs::read_to_string(samples("README.md")).unwrap();
    let mut rows = 0;
    for line in readme.lines().filter(|line| line.starts_with("| `")) {
        let quoted: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        // The last code is the server's: it knows the shared key.
        let (file, code) = (quoted[0], quoted[quoted.len() - 1]);
        let path = samples("broken").join(file);
        assert_eq!(portal.refused(&["answer", path.to_str().unwrap()]), code, "{file}");
        rows += 1;
    }
    assert_eq!(rows, 11);
    assert_eq!(portal.done(&["license", "show", "FUH3-4E7A-LZJL-7JTP"])["seats_taken"], 0);
    let wrapped = samples("broken").join("wrapped_lines.req");
    assert_eq!(portal.done(&["answer", wrapped.to_str().unwrap()])["kind"], "license");
    assert_eq!(portal.refused(&["answer", "no-such-file.req"]), "file_error");
    fs::write(portal.path("big.req"), "A".repeat(70_000)).unwrap();
    assert_eq!(portal.refused(&["answer", "big.req"]), "too_large");
}

#[test]
fn licensespring_requests_are_answered() {
    let portal = Portal::new();
    let credentials = ["api-key", "add", "Samples", "--api-key", "11abafc3-10b2-474a-b818-aaaf97c7512e", "--shared-key-stdin"];
    portal.done_with(&credentials, "kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja");
    portal.done(&["product", "add", "tp", "--name", "Test product", "--auth", "both", "--min-hold-hours", "0"]);
    let issue = ["license", "issue", "--product", "tp", "--key", "FUH3-4E7A-LZJL-7JTP", "--seats", "9"];
    portal.done_with(&[issue.as_slice(), &["--user", "test@example.com", "--user-password-stdin"]].concat(), "S3cret-ü\n");
    let sample = |name: &str| samples("licensespring").join(name).to_str().unwrap().to_owned();
    for name in
        ["v1_activation_key.req", "v1_activation_user.req", "v2_activation_compact.req", "v2_activation_spaced_escaped.req"]
    {
        assert_eq!(portal.done(&["answer", &sample(name)])["kind"], "license", "{name}");
    }
    let release = sample("v2_deactivation_spaced_utf8.req");
    assert_eq!(portal.refused(&["answer", &release]), "confirm_release");
    assert_eq!(portal.done(&["answer", &release, "--release"])["kind"], "receipt");
    // Its signature was seen on the activation: it covers neither which act is asked nor the product.
    assert_eq!(portal.refused(&["answer", &sample("v1_deactivation_key.req"), "--release"]), "request_spent");
    assert_eq!(portal.refused(&["answer", &sample("documented_payload.req")]), "bad_signature");
    let id = portal.done(&["api-key", "list"])[0]["id"].to_string();
    portal.done(&["api-key", "revoke", &id]);
    assert_eq!(portal.refused(&["answer", &sample("v1_activation_key.req")]), "invalid_api_key");
}
