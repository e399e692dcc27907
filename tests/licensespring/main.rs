//! LicenseSpring's License API as a client sees it that was written from the description of the wire alone (`client.rs`), against the
//! built binary: every answer's signatures, the order of its members (`order.rs`), and its bytes (`golden`).
//!
//! After a change that is meant: `COUNTERSIGN_BLESS=1 cargo test --features ssr --test licensespring` writes the golden answers anew.
//! The answers as they came lie in the target folder afterwards, where `script/test` lets Node print each of them again.
#![cfg(feature = "ssr")]

mod canonical;
mod client;
mod order;
#[path = "../cli/serving.rs"]
#[allow(dead_code)]
mod serving;
#[path = "../cli/support.rs"]
#[allow(dead_code)]
mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use client::{Answer, Client, Ident, Who};
use serde_json::{Value, json};
use serving::Served;
use support::Portal;

const PRODUCT: &str = "golden";
const CUSTOMER: &str = "ann@customer.example";
const PASSWORD: &str = "the first password";
const METADATA: &str = r#"{"10":"ten","2":"two","plan":"größer","nested":{"1":[null,true,7]}}"#;

const fn ident(hardware_id: &'static str, key: &'static str) -> Ident {
    Ident { product: PRODUCT, hardware_id, who: Who::Key(key) }
}

/// A portal with everything the answers can tell of, all of it given: its answers differ from run to run only in what
/// [`Golden::normal`] names.
fn portal() -> (Portal, Served, Client) {
    let portal = Portal::new();
    let done = |arguments: &str| {
        portal.done(&arguments.split(' ').collect::<Vec<_>>());
    };
    done("product add golden --name Golden --number 77 --auth both --trial-days 14 --floating-timeout 30");
    done("product add silver --name Silver");
    done("version add golden 4.1 --released 2026-01-15 --url https://golden.example/4.1");
    done("version add golden 4.2 --released 2026-02-15");
    done(
        "installation add golden 4.2 --env win64 --url https://golden.example/golden-4.2.exe --hash \
         9e107d9d372bb6826bd81d3542a419d6 --size 48234496 --requires 4.0 --notes https://golden.example/4.2 --eula \
         https://golden.example/eula",
    );
    done("feature add golden export --name Export --type activation");
    done("feature add golden jobs --name Jobs --type consumption");
    done("feature add golden render --name Render --type activation");
    done("bundle add metals --name Metals --product golden --product silver");
    let issue = |arguments: &str| {
        portal.done_with(&[&["license", "issue", "--product"], &*arguments.split(' ').collect::<Vec<_>>()].concat(), PASSWORD);
    };
    issue(&format!(
        "golden --key GOLD-0001 --id 5001 --seats 3 --customer {CUSTOMER} --order A-1001 --feature export --feature jobs=5@2031-01-31 \
         --field edition=Größe --metadata {METADATA} --maintenance-until 2030-06-30 --transfers 4"
    ));
    issue(&format!(
        "golden --id 5002 --seats 2 --type subscription --valid-until 2030-12-31 --grace-hours 48 --customer {CUSTOMER} --order \
         A-1002 --user {CUSTOMER} --user-password-stdin"
    ));
    done("customer-account add acme --name ACME");
    done(&format!("customer account {CUSTOMER} acme"));
    issue("golden --key GOLD-0003 --id 5003 --seats 5 --floating 2 --borrow-hours 48 --floating-feature render=1 --order A-1003");
    issue(
        "golden --key GOLD-0004 --id 5004 --type consumption --max-consumption 100 --overage 10 --consumption-period monthly --order A-1004",
    );
    issue("metals --key GOLD-0005 --order A-1005");
    for setting in ["customerLicenseUsers", "deviceLicenses", "exposeCustomer"] {
        done(&format!("setting set {setting} true"));
    }
    let key = portal.done(&["api-key", "add", "Golden"]);
    let seals = portal.done(&["keys", "export", "--use", "licensespring", "--format", "pem"]);
    let pem: String = seals[0]["pem"].as_str().unwrap().lines().filter(|line| !line.starts_with('-')).collect();
    let text = |name: &str| key[name].as_str().unwrap().to_owned();
    let served = Served::on(&portal);
    let client = Client {
        addr: served.addr,
        api_key: text("api_key"),
        shared_key: text("shared_key"),
        public_key: STANDARD.decode(pem).unwrap(),
    };
    (portal, served, client)
}

/// The answers that are kept, and the folder for those of this run.
struct Golden<'a> {
    client: &'a Client,
    kept: PathBuf,
    came: PathBuf,
    differing: Vec<String>,
}

impl<'a> Golden<'a> {
    fn new(client: &'a Client) -> Self {
        let came = Path::new(env!("CARGO_TARGET_TMPDIR")).join("licensespring");
        let _ = fs::remove_dir_all(&came);
        fs::create_dir_all(&came).unwrap();
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/licensespring/golden");
        Self { client, kept, came, differing: Vec::new() }
    }

    /// A signed answer: its bytes against those that are kept.
    #[track_caller]
    fn signed(&mut self, name: &str, answer: &Answer) -> Value {
        let value = self.client.believed(answer);
        self.compare(name, &answer.body, &value);
        value
    }

    fn compare(&mut self, name: &str, body: &str, value: &Value) {
        fs::write(self.came.join(format!("{name}.json")), body).unwrap();
        let normal = Self::normal(value.clone()).to_string();
        let file = self.kept.join(format!("{name}.json"));
        if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
            fs::create_dir_all(&self.kept).unwrap();
            fs::write(&file, &normal).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        if kept != normal {
            self.differing.push(format!("{name}\n  kept {kept}\n  came {normal}"));
        }
    }

    /// What no two runs have alike: signatures, which were verified before, the time of the run, and what is drawn by chance. The
    /// value stays in its place and keeps its kind.
    fn normal(value: Value) -> Value {
        const SIGNATURES: [&str; 5] =
            ["license_signature", "license_signature_v2", "offline_signature", "countersign", "bundle_signature_v2"];
        const TIMES: [&str; 3] = ["created_at", "updated_at", "borrowed_until"];
        let blank =
            |text: &str, of: fn(char) -> bool, with| text.chars().map(|c| if of(c) { with } else { c }).collect::<String>();
        match value {
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| {
                    let is_now = TIMES.contains(&name.as_str());
                    let value = match value {
                        Value::String(text) if SIGNATURES.contains(&name.as_str()) && !text.is_empty() => "<signature>".into(),
                        // The form counts, the instant does not.
                        Value::String(text) if is_now => blank(&text, |c| c.is_ascii_digit(), '0').into(),
                        Value::Number(_) if is_now => 0.into(),
                        Value::String(_) if name == "date" => "<date>".into(),
                        Value::String(key) if name.starts_with("license") && key.len() == 23 => {
                            blank(&key, |c| c.is_ascii_alphanumeric(), 'X').into()
                        }
                        other => Self::normal(other),
                    };
                    (name, value)
                })
                .collect(),
            Value::Array(all) => all.into_iter().map(Self::normal).collect(),
            other => other,
        }
    }
}

#[test]
fn answers_are_those_that_are_kept() {
    let (_portal, served, client) = portal();
    let mut golden = Golden::new(&client);
    the_product(&client, &mut golden);
    a_license_by_key(&client, &mut golden);
    a_license_by_user(&client, &mut golden);
    slots(&client, &mut golden);
    counters(&client, &mut golden);
    a_bundle(&client, &mut golden);
    files(&client, &mut golden);
    let Golden { differing, kept, came, .. } = golden;
    served.stop();
    assert!(differing.is_empty(), "{} answers differ:\n{}", differing.len(), differing.join("\n"));
    let names = |folder: &Path| {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&kept), names(&came), "an answer that is kept did not come");
}

fn the_product(client: &Client, golden: &mut Golden<'_>) {
    let product = golden.signed("product_details", &client.get("/product_details", &[("product", PRODUCT)]));
    order::check(&product, order::PRODUCT);
    let all = [("product", PRODUCT), ("include_latest_version", "true"), ("include_custom_fields", "true"), ("env", "win64")];
    let product = golden.signed("product_details_all", &client.get("/product_details", &all));
    order::check(&product, order::PRODUCT);
    order::check(&product["latest_version"], order::LATEST_VERSION);
    golden.signed("products", &client.get("/products", &[]));
    let trial = [("product", PRODUCT), ("hardware_id", "HW-trial"), ("email", "eve@customer.example"), ("first_name", "Ève")];
    let trial = golden.signed("trial_key", &client.get("/trial_key", &trial));
    order::check(&trial, order::TRIAL);
    assert_eq!(trial["license_key"], trial["license"], "clients read the second");
    let again = golden.signed(
        "trial_key_again",
        &client.get("/trial_key", &[("product", PRODUCT), ("hardware_id", "HW-trial"), ("email", "eve@customer.example")]),
    );
    order::check(&again, "license_type is_trial license");
    assert_eq!(again["license"], trial["license"]);
    let users = [("product", PRODUCT), ("customer", CUSTOMER)];
    let users = golden.signed("customer_license_users", &client.get("/customer_license_users", &users));
    order::check(&users, order::CUSTOMER_USERS);
    order::check(&users["customer"], order::CUSTOMER_OF_USERS);
    order::check(&users["users"][0], order::CUSTOMER_USER);
}

fn a_license_by_key(client: &Client, golden: &mut Golden<'_>) {
    let machine = ident("HW-1", "GOLD-0001");
    let (status, code) = client.ask(&machine, "/check_license", &[]).refused();
    assert_eq!((status, code.as_str()), (400, "license_not_active"));
    let device = json!({ "hostname": "größe-7", "os_ver": "Debian 12", "app_ver": "4.1", "variables": { "colour": "grün" } });
    let license = golden.signed("activate_license", &client.tell(&machine, "/activate_license", device));
    order::check(&license, order::ACTIVATION);
    order::check(&license["customer"], order::CUSTOMER);
    order::check(&license["product_details"], order::PRODUCT_LONG);
    license["product_features"].as_array().unwrap().iter().for_each(|feature| order::check(feature, order::FEATURE));
    client.check_inner(&machine, &license);

    let license = golden.signed("check_license", &client.ask(&machine, "/check_license", &[("env", "win64")]));
    order::check(&license, order::CHECK);
    order::check(&license["product_details"], order::PRODUCT_SHORT);
    client.check_inner(&machine, &license);
    let feature =
        golden.signed("check_license_feature", &client.ask(&machine, "/check_license_feature", &[("feature", "export")]));
    order::check(&feature, order::CHECK_FEATURE);
    let feature =
        golden.signed("check_license_feature_counted", &client.ask(&machine, "/check_license_feature", &[("feature", "jobs")]));
    order::check(&feature, order::CHECK_FEATURE);
    let spent = client.tell(&machine, "/add_feature_consumption", json!({ "feature": "jobs", "consumptions": 2 }));
    order::check(&golden.signed("add_feature_consumption", &spent), order::FEATURE_CONSUMPTION);

    golden.signed("versions", &client.ask(&machine, "/versions", &[]));
    let file = golden.signed("installation_file", &client.ask(&machine, "/installation_file", &[("env", "win64")]));
    order::check(&file, order::INSTALLATION_FILE);
    let tracked = client.tell(&machine, "/track_device_variables", json!({ "variables": { "colour": "blau", "cores": 8 } }));
    order::check(&golden.signed("track_device_variables", &tracked)[0], order::VARIABLE_TRACKED);
    let variables = golden.signed("get_device_variables", &client.ask(&machine, "/get_device_variables", &[]));
    order::check(&variables[0], order::VARIABLE);
    golden.signed("device_licenses", &client.get("/device_licenses", &[("hardware_id", "HW-1")]));

    let released = client.tell(&machine, "/deactivate_license", json!({}));
    assert_eq!((released.status, released.body.as_str()), (200, "license_deactivated"));
    assert_eq!(client.tell(&machine, "/deactivate_license", json!({})).refused().1, "license_not_active");
}

fn a_license_by_user(client: &Client, golden: &mut Golden<'_>) {
    let user = |password| Ident { product: PRODUCT, hardware_id: "HW-2", who: Who::User { name: CUSTOMER, password } };
    assert_eq!(client.tell(&user(Some("a guess")), "/activate_license", json!({})).refused().1, "user_credentials_invalid");
    let license = golden.signed("activate_license_user", &client.tell(&user(Some(PASSWORD)), "/activate_license", json!({})));
    order::check(&license, order::ACTIVATION);
    order::check(&license["user"], order::USER);
    client.check_inner(&user(None), &license);
    let license = golden.signed("check_license_user", &client.ask(&user(None), "/check_license", &[("license_id", "5002")]));
    order::check(&license, order::CHECK);
    client.check_inner(&user(None), &license);
    let licenses = golden.signed("user_licenses", &client.ask(&user(Some(PASSWORD)), "/user_licenses", &[]));
    order::check(&licenses[0], "license user");
    let change = json!({ "username": CUSTOMER, "password": PASSWORD, "new_password": "another password" });
    let changed = client.post("/change_password", &change);
    assert_eq!((changed.status, changed.body.as_str()), (200, "password_changed"));
}

fn slots(client: &Client, golden: &mut Golden<'_>) {
    let machines = ["HW-3", "HW-4", "HW-5"].map(|id| ident(id, "GOLD-0003"));
    golden.signed("activate_license_floating", &client.tell(&machines[0], "/activate_license", json!({})));
    for machine in &machines[1..] {
        client.believed(&client.tell(machine, "/activate_license", json!({})));
    }
    let license = golden.signed("check_license_floating", &client.ask(&machines[0], "/check_license", &[]));
    order::check(&license, order::CHECK);
    client.believed(&client.ask(&machines[1], "/check_license", &[]));
    assert_eq!(client.ask(&machines[2], "/check_license", &[]).refused().1, "floating_not_available");
    let until = client::iso_date(client::now() + std::time::Duration::from_secs(24 * 3_600));
    let borrowed = client.tell(&machines[0], "/floating/borrow", json!({ "borrowed_until": until }));
    order::check(&golden.signed("floating_borrow", &borrowed), order::BORROW);
    golden.signed("check_license_borrowed", &client.ask(&machines[0], "/check_license", &[]));
    let feature = golden
        .signed("check_license_feature_floating", &client.ask(&machines[0], "/check_license_feature", &[("feature", "render")]));
    order::check(&feature, order::CHECK_FEATURE);
    assert_eq!(
        client.ask(&machines[1], "/check_license_feature", &[("feature", "render")]).refused().1,
        "floating_not_available"
    );
    let borrow = json!({ "borrowed_until": until, "feature": "render" });
    golden.signed("feature_borrow", &client.tell(&machines[0], "/floating/feature_borrow", borrow));
    assert_eq!(client.tell(&machines[0], "/floating/feature_release", json!({ "feature": "render" })).status, 200);
    let released = client.tell(&machines[1], "/floating/release", json!({}));
    assert_eq!((released.status, released.body.as_str()), (200, ""));
    client.believed(&client.ask(&machines[2], "/check_license", &[]));
}

fn counters(client: &Client, golden: &mut Golden<'_>) {
    let machine = ident("HW-6", "GOLD-0004");
    let license = golden.signed("activate_license_consumption", &client.tell(&machine, "/activate_license", json!({})));
    order::check(&license, order::ACTIVATION);
    order::check(&golden.signed("check_license_consumption", &client.ask(&machine, "/check_license", &[])), order::CHECK);
    let spent = golden.signed("add_consumption", &client.tell(&machine, "/add_consumption", json!({ "consumptions": 108 })));
    order::check(&spent, order::CONSUMPTION);
    let refused = client.tell(&machine, "/add_consumption", json!({ "consumptions": 3 })).refused();
    assert_eq!(refused, (400, "license_not_enough_consumptions".to_owned()));
}

fn a_bundle(client: &Client, golden: &mut Golden<'_>) {
    let machine = Ident { product: "metals", hardware_id: "HW-7", who: Who::Key("GOLD-0005") };
    for (name, answer) in [
        ("activate_bundle", client.tell(&machine, "/activate_bundle", json!({}))),
        ("check_bundle", client.ask(&machine, "/check_bundle", &[])),
    ] {
        let licenses = golden.signed(name, &answer);
        assert_eq!(licenses.as_array().unwrap().len(), 2, "{name}");
        for license in licenses.as_array().unwrap() {
            order::check(license, if name == "activate_bundle" { order::ACTIVATION } else { order::CHECK });
            client.check_inner(&machine, license);
        }
    }
    let released = client.tell(&machine, "/deactivate_bundle", json!({}));
    assert_eq!((released.status, released.body.as_str()), (200, "license_deactivated"));
}

/// §8.3 and §8.6.
fn files(client: &Client, golden: &mut Golden<'_>) {
    let machine = ident("HW-8", "GOLD-0001");
    let request = client.request_file(&machine, "activation", "6f1f5a4e-0f5c-4a5e-9d55-000000000001", json!({}));
    let answer = client.post_text("/activate_offline", &request);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let file: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(file.to_string(), answer.body);
    let text = |name: &str| file[name].as_str().unwrap();
    assert_eq!(text("request_id"), "6f1f5a4e-0f5c-4a5e-9d55-000000000001");
    order::check(&file["product_details"], order::PRODUCT_LONG);
    client.check_inner(&machine, &file);
    let signed = format!("licenseSpring\ndate: {}\nGOLD-0001\nHW-8\n{}", text("date"), client.api_key);
    assert_eq!(client.sign(&signed), text("offline_signature"));
    let (before, _) = answer.body.split_once(",\"license_signature\":").unwrap();
    assert!(client.verifies(&format!("{before}}}"), text("license_signature_v2")));
    let names: Vec<&String> = file.as_object().unwrap().keys().collect();
    assert_eq!(names[names.len() - 2..], ["license_signature", "license_signature_v2"]);
    golden.compare("activate_offline", &answer.body, &file);

    // A file somebody has altered is refused, and nothing is released by it.
    let release = client.request_file(&machine, "deactivation", "6f1f5a4e-0f5c-4a5e-9d55-000000000002", json!({}));
    let inner = String::from_utf8(STANDARD.decode(&release).unwrap()).unwrap();
    let altered = STANDARD.encode(inner.replace("HW-8", "HW-1"));
    assert_eq!(client.post_text("/deactivate_offline", &altered).refused(), (400, "signature_mismatch".to_owned()));
    client.believed(&client.ask(&machine, "/check_license", &[]));
}
