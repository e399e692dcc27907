//! Settings, signing keys, audit, refusals, exports, the checker, the demo.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

use serde_json::Value;

use crate::support::{Portal, samples};

#[test]
fn settings_are_set_read_and_refused() {
    let portal = Portal::new();
    assert_eq!(
        portal.done(&["setting", "set", "portalname", "Press Works"]),
        serde_json::json!({ "name": "portalName", "value": "Press Works" })
    );
    assert_eq!(portal.done_with(&["setting", "set", "accent", "-"], "#AA3300\n")["value"], "#aa3300");
    assert_eq!(portal.done(&["setting", "get", "portalName"])["value"], "Press Works");
    assert_eq!(portal.run(&["setting", "get", "portalName"]).out, "Press Works\n");
    let names: Vec<_> = portal.done(&["setting", "list"]).as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
    assert!(names.contains(&"supportAddress".into()), "{names:?}");
    assert_eq!(portal.refused(&["setting", "set", "accent", "red"]), "bad_field");
    assert_eq!(portal.refused(&["setting", "set", "supportAddress", "nobody"]), "bad_field");
    assert_eq!(portal.refused(&["setting", "set", "nothing", "x"]), "bad_setting");
    assert_eq!(portal.refused(&["setting", "get", "nothing"]), "bad_setting");
    // Not a setting, but in the same table.
    assert_eq!(portal.refused(&["setting", "get", "masterKeyCheck"]), "bad_setting");
    assert_eq!(portal.refused(&["setting", "set", "masterKeyCheck", "x"]), "bad_setting");
}

#[test]
fn keys_are_listed_rotated_imported_and_exported() {
    let portal = Portal::new();
    let states = |portal: &Portal| -> Vec<(String, String)> {
        let rows = portal.done(&["keys", "list"]);
        let of = |row: &Value| (row["use"].as_str().unwrap().to_owned(), row["state"].as_str().unwrap().to_owned());
        let mut all: Vec<_> = rows.as_array().unwrap().iter().map(of).collect();
        all.sort();
        all
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        states(&portal),
        [pair("airgap", "active"), pair("license", "active"), pair("license", "standby"), pair("licensespring", "active")]
    );
    assert_eq!(portal.refused(&["keys", "rotate", "--product", "press-4"]), "not_rotated");
    assert_eq!(portal.refused(&["keys", "rotate", "--product", "other"]), "not_found");
    let before = portal.done(&["keys", "list"])[1]["kid"].clone();
    let rotated = portal.done(&["keys", "rotate", "--product", "press-4", "--now"]);
    assert_eq!(rotated[0]["product"], "press-4");
    let active = rotated[0]["active"].clone();
    assert!(
        portal.done(&["keys", "list"]).as_array().unwrap().iter().any(|row| row["kid"] == active && row["state"] == "active")
    );
    assert_ne!(before, rotated[0]["standby"]);

    let jwks = portal.done(&["keys", "export", "--product", "press-4"]);
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3, "active, standby and retiring");
    assert!(keys.iter().all(|key| key.get("d").is_none() && key["cs_aud"][0] == "press-4"));
    let pem = portal.run(&["keys", "export", "--use", "licensespring", "--format", "pem"]).out;
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{pem}");
    assert_eq!(portal.done(&["keys", "export", "--format", "raw"])[0]["raw"].as_str().unwrap().len(), 43);

    let secret = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    let import = ["keys", "import", "--product", "press-4"];
    let imported = portal.done_with(&import, secret);
    assert_eq!(imported["state"], "standby");
    assert_eq!(portal.refused_with(&import, secret), "taken");
    assert_eq!(portal.refused_with(&import, "not a key"), "bad_field");
    portal.misused(&["keys", "import", "--use", "licensespring", "--product", "press-4"]);
    portal.misused(&["keys", "export", "--format", "private"]);
    let rotated = portal.done(&["keys", "rotate", "--product", "press-4", "--now"]);
    assert_eq!(rotated[0]["active"], imported["kid"]);
    let key = portal.issue(&[]);
    let file = portal.request(&key, "pc", "activate");
    let answered = portal.done(&["answer", &file]);
    assert_eq!(portal.done(&["verify", answered["file"].as_str().unwrap()])["content"]["signing_key"], imported["kid"]);
    // LicenseSpring's has no standby until one is asked for; it signs a day later.
    assert_eq!(portal.done(&["keys", "rotate", "--use", "licensespring"])[0]["rotated"], false);
    assert_eq!(portal.refused(&["keys", "rotate", "--use", "licensespring"]), "not_rotated");
    assert!(states(&portal).contains(&pair("licensespring", "standby")));
    portal.done(&["keys", "rotate", "--use", "licensespring", "--now"]);
    assert!(states(&portal).contains(&pair("licensespring", "retiring")));
}

#[test]
fn what_happened_is_on_record_and_a_change_shows() {
    let portal = Portal::new();
    let key = portal.issue(&["--note", "first"]);
    portal.done(&["license", "disable", &key, "--reason", "refund"]);
    let id = portal.done(&["license", "show", &key])["id"].clone();
    let entries = portal.done(&["audit", "list", "--subject", &format!("license:{id}")]);
    let acts: Vec<_> = entries.as_array().unwrap().iter().map(|entry| entry["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["license.disabled", "license.issued"]);
    assert_eq!(entries[0]["actor"]["kind"], "operator");
    assert_eq!(entries[0]["after"]["state"]["reason"], "refund");
    assert_eq!(portal.done(&["audit", "list", "--limit", "1"]).as_array().unwrap().len(), 1);
    portal.misused(&["audit", "list", "--subject", "nothing"]);
    portal.misused(&["audit", "list", "--subject", "license:x"]);
    let whole = portal.done(&["audit", "verify"]);
    assert_eq!(whole["whole"], true);

    // Rewritten behind the portal's back: same length, so that the file stays a database.
    let database = portal.data().join("countersign.db");
    let mut bytes = fs::read(&database).unwrap();
    let wal = portal.data().join("countersign.db-wal");
    assert!(fs::metadata(&wal).map_or(0, |wal| wal.len()) == 0, "a closed database has no log");
    let places: Vec<_> = (0..bytes.len() - 6).filter(|at| &bytes[*at..*at + 6] == b"refund").collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + 6].copy_from_slice(b"forged");
    }
    fs::write(&database, bytes).unwrap();
    let ran = portal.run(&["audit", "verify", "--json"]);
    let value = ran.value();
    assert_eq!((ran.code, &value["error"]["code"], &value["whole"]), (1, &"audit_broken".into(), &false.into()));
    assert_eq!(value["broken"][0]["subject"]["kind"], "license");
}

#[test]
fn a_refusal_is_found_under_its_reference() {
    let portal = Portal::new();
    let key = portal.issue(&["--seats", "1"]);
    portal.activate(&key, "pc-1");
    let second = portal.request(&key, "pc-2", "activate");
    let ran = portal.run(&["answer", &second, "--json"]);
    let reference = ran.value()["error"]["reference"].as_str().unwrap().to_owned();
    let shown = portal.done(&["refusal", "show", &reference.to_lowercase()]);
    assert_eq!((&shown["code"], &shown["device_id"]), (&"seats_exhausted".into(), &"pc-2".into()));
    assert_eq!((&shown["key"], &shown["door"]), (&key.as_str().into(), &"cli".into()));
    assert_eq!(portal.refused(&["refusal", "show", "R-00000000"]), "not_found");
}

#[test]
fn lists_are_exported_and_no_cell_is_a_formula() {
    let portal = Portal::new();
    let key = portal.issue(&["--customer", "ann@shop.example", "--order", "=cmd()"]);
    portal.done(&["request", "--product", "press-4", "--key", &key, "--device-id", "pc", "--device-name", "=1+1", "-o", "a.req"]);
    portal.done(&["answer", "a.req"]);
    for (what, needle) in [
        ("licenses", key.as_str()),
        ("licenses", "'=cmd()"),
        ("orders", "'=cmd()"),
        ("customers", "ann@shop.example"),
        ("devices", "'=1+1"),
    ] {
        let csv = portal.run(&["export", what]).out;
        assert!(csv.lines().count() == 2 && csv.contains(needle), "{what}: {csv}");
    }
    let rows = portal.done(&["export", "devices"]);
    assert_eq!(rows[0]["name"], "=1+1");
    let printed = portal.run(&["export", "devices", "--format", "json"]).out;
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), rows);
    portal.misused(&["export", "passwords"]);
    portal.misused(&["export", "orders", "--format", "xml"]);
}

#[test]
fn the_checker_says_what_a_file_is_worth() {
    let portal = Portal::new();
    let key = portal.issue(&[]);
    let file = portal.request(&key, "pc", "activate");
    let request = portal.done(&["verify", &file]);
    assert_eq!((&request["kind"], &request["genuine"]), (&"countersign_request".into(), &true.into()));
    assert_eq!(request["content"]["device_id"], "pc");
    portal.done(&["answer", &file]);
    let license = portal.done(&["verify", "pc-activate.lic", "--product", "press-4", "--device-id", "pc"]);
    assert_eq!((&license["kind"], &license["genuine"]), (&"license".into(), &true.into()));

    fs::write(portal.path("jwks.json"), portal.done(&["keys", "export"]).to_string()).unwrap();
    fs::write(portal.path("none.json"), r#"{"keys":[]}"#).unwrap();
    fs::write(portal.path("bad.json"), "hello").unwrap();
    let bare = |more: &[&str]| portal.run(&[&["--data-dir", "nowhere", "verify", "pc-activate.lic", "--json"], more].concat());
    let unchecked = bare(&[]);
    assert_eq!((unchecked.code, &unchecked.value()["genuine"]), (0, &Value::Null));
    let checked = bare(&["--jwks", "jwks.json"]);
    assert_eq!((checked.code, &checked.value()["genuine"]), (0, &true.into()));
    for (options, code) in [
        (vec!["--jwks", "none.json"], "unknown_signing_key"),
        (vec!["--jwks", "bad.json"], "bad_jwks"),
        (vec!["--jwks", "missing.json"], "file_error"),
        (vec!["--jwks", "http://127.0.0.1:9/jwks.json"], "fetch_failed"),
        (vec!["--jwks", "jwks.json", "--product", "scanlab"], "wrong_product"),
        (vec!["--jwks", "jwks.json", "--device-id", "other"], "other_device"),
    ] {
        let ran = bare(&options);
        assert_eq!((ran.code, &ran.value()["error"]["code"]), (1, &code.into()), "{options:?}");
    }
    assert_eq!(bare(&["--jwks", "http://keys.example/jwks.json"]).code, 2);
    assert!(!portal.path("nowhere").exists(), "looking at a file makes no data");

    let text = portal.read("pc-activate.lic");
    let (head, signature) = text.rsplit_once('.').unwrap();
    let swapped = if signature.starts_with('A') { "B" } else { "A" };
    fs::write(portal.path("forged.lic"), format!("{head}.{swapped}{}", &signature[1..])).unwrap();
    let forged = portal.run(&["verify", "forged.lic", "--json"]);
    assert_eq!((forged.code, &forged.value()["genuine"]), (1, &false.into()));
    assert_eq!(forged.value()["error"]["code"], "bad_signature");
}

#[test]
fn every_sample_is_read_by_the_checker() {
    let portal = Portal::new();
    let verify = |file: &str, shared: Option<&str>| {
        let mut command = portal.command(&["--data-dir", "nowhere", "verify", file, "--json"]);
        if let Some(shared) = shared {
            command.env("COUNTERSIGN_SHARED_KEY", shared);
        }
        crate::support::run(command, "")
    };
    let mut seen = 0;
    for entry in fs::read_dir(samples("licensespring")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let path = path.to_str().unwrap().to_owned();
        let unchecked = verify(&path, None);
        assert_eq!((unchecked.code, &unchecked.value()["kind"]), (0, &"licensespring_request".into()), "{name}");
        assert!(unchecked.value()["checks"].as_array().unwrap().iter().any(|check| check["code"] == "hmac_unchecked"), "{name}");
        let right = verify(&path, Some("kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja"));
        assert_eq!(right.code, i32::from(name == "documented_payload.req"), "{name}: {}", right.out);
        let wrong = verify(&path, Some("another shared key, of another app"));
        assert_eq!((wrong.code, &wrong.value()["error"]["code"]), (1, &"bad_signature".into()), "{name}");
        seen += 1;
    }
    assert!(seen >= 8);
    let readme = fs::read_to_string(samples("README.md")).unwrap();
    for line in readme.lines().filter(|line| line.starts_with("| `")) {
        let quoted: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        let ran = verify(samples("broken").join(quoted[0]).to_str().unwrap(), None);
        // The first code is what is said where the shared key is not known.
        let codes: Vec<_> = ran.value()["checks"].as_array().unwrap().iter().map(|check| check["code"].clone()).collect();
        assert!(codes.contains(&quoted[1].into()), "{}: {codes:?}", quoted[0]);
        assert_eq!(ran.code, i32::from(quoted[1] != "hmac_unchecked"), "{}", quoted[0]);
    }
}

#[test]
fn the_demo_runs_on_a_folder_of_its_own_and_leaves_nothing() {
    let portal = Portal::empty();
    let mut command = portal.command(&["demo", "--addr", "127.0.0.1:0", "--json"]);
    // What the environment says of the real portal is not meant for it.
    command.env("COUNTERSIGN_PUBLIC_URL", "https://real.example").env("COUNTERSIGN_MASTER_KEY_FILE", portal.path("real.key"));
    command.env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        panic!("{line}{err}")
    });
    assert_eq!(told["keys"].as_array().unwrap().len(), 2);
    assert!(told["sign_in"]["password"].as_str().unwrap().len() > 10);
    let data = told["data_dir"].as_str().unwrap().to_owned();
    assert!(told["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{told}");
    assert!(std::path::Path::new(&data).join("master.key").is_file() && !portal.path("real.key").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let answer = |name: &str, more: &[&str]| {
        let file = format!("{}/{name}", told["requests"].as_str().unwrap());
        portal.run(&[&["--data-dir", &data, "answer", &file, "--json"], more].concat())
    };
    // Beside the running server.
    assert_eq!(answer("activate.req", &[]).value()["kind"], "license");
    assert_eq!(answer("release.req", &[]).value()["kind"], "receipt");
    assert_eq!(answer("refused.req", &[]).value()["error"]["code"], "seats_exhausted");
    assert_eq!(answer("licensespring-activate.req", &[]).value()["kind"], "license");
    assert_eq!(answer("licensespring-release.req", &["--release"]).value()["kind"], "receipt");
    let states = portal.done(&["--data-dir", &data, "license", "list", "--limit", "100"]);
    for state in ["enabled", "disabled", "archived"] {
        assert!(states["licenses"].as_array().unwrap().iter().any(|license| license["state"] == state), "{state}");
    }
    let port = told["url"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let second = portal.run(&["--data-dir", &data, "serve", "--addr", "127.0.0.1:0", "--json"]);
    assert_eq!((second.code, &second.value()["error"]["code"]), (1, &"already_running".into()));
    let taken = portal.run(&["serve", "--addr", &format!("127.0.0.1:{port}"), "--json"]);
    assert_eq!((taken.code, &taken.value()["error"]["code"]), (1, &"address_in_use".into()));
    let jwks = format!("{}/.well-known/jwks.json", told["url"].as_str().unwrap());
    let checked = portal.run(&["--data-dir", "nowhere", "verify", "activate.lic", "--jwks", &jwks, "--json"]);
    assert_eq!((checked.code, &checked.value()["genuine"]), (0, &true.into()), "{}", checked.out);

    let stopped = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(stopped.success());
    assert_eq!(child.wait().unwrap().code(), Some(0), "SIGTERM is a normal end");
    assert!(!std::path::Path::new(&data).exists());
}
