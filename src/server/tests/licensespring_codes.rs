//! Every code of the table in `docs/licensespring.md`, provoked for real, with its status: a code that is told there and cannot come,
//! or comes with another status, fails here, and so does one that is provoked here and not told there.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use super::{
    Licensed, Machine, Reply, TestApp,
    app::device,
    foreign::ForeignApp,
    licensespring::{OPERATOR, refused, seats},
    licensespring_oauth::{call, client, token},
    licensespring_sso::Provider,
    licensespring_tpm::Tpm,
};
use crate::{
    desk::{Issue, ProductEdit, UserPassword},
    licensing::{
        Email, ProductCode,
        license::{Entitlement, Expiry, Floating, LicenseType, Limit, Maintenance, Meter, Terms, TransferLimit},
        product::{Authorization, FeatureKind, ProductRules, ProductState},
        scope::Scope,
    },
};

tests! {
    both: ;
    once:
        every_code_that_is_told_is_met_and_every_one_that_is_met_is_told;
}

/// What came of every call that was refused.
struct Met {
    app: TestApp,
    foreign: ForeignApp,
    codes: BTreeMap<String, u16>,
}

impl Met {
    fn take(&mut self, expected: &str, reply: &Reply) {
        let (status, code) = refused(reply);
        assert_eq!(code, expected, "{}", reply.text());
        let before = self.codes.insert(code, status);
        assert!(before.is_none_or(|before| before == status), "{expected} comes with two statuses");
    }

    async fn post(&mut self, expected: &str, path: &str, body: Value) {
        let reply = self.foreign.post(&self.app, path, body).await;
        self.take(expected, &reply);
    }

    async fn get(&mut self, expected: &str, path: &str, query: &[(&str, &str)]) {
        let reply = self.foreign.get(&self.app, path, query).await;
        self.take(expected, &reply);
    }

    async fn tell(&mut self, expected: &str, path: &str, license: &Licensed, machine: &str, more: Value) {
        let reply = self.foreign.tell(&self.app, path, license, machine, more).await;
        self.take(expected, &reply);
    }

    async fn ask(&mut self, expected: &str, path: &str, license: &Licensed, machine: &str, more: &[(&str, &str)]) {
        let reply = self.foreign.ask(&self.app, path, license, machine, more).await;
        self.take(expected, &reply);
    }

    /// A call with headers of its own.
    async fn bare(&mut self, expected: &str, date: Option<&str>, authorization: Option<&str>, body: &str) {
        let mut request = Request::post("/api/v4/activate_license");
        for (name, value) in [(header::DATE, date), (header::AUTHORIZATION, authorization)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let reply = self.app.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        self.take(expected, &reply);
    }

    async fn issue(&self, terms: Terms) -> Licensed {
        self.app.issue("press", terms).await
    }

    /// A license that this machine has activated.
    async fn active(&self, terms: Terms) -> Licensed {
        let license = self.issue(terms).await;
        let reply = self.foreign.activate(&self.app, &license, "HW-1").await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        license
    }

    async fn refuses(&mut self, expected: &str, terms: Terms) {
        let license = self.issue(terms).await;
        self.tell(expected, "/activate_license", &license, "HW-1", json!({})).await;
    }

    async fn headers_and_bodies(&mut self) {
        let now = self.app.now().to_http_date();
        let right = self.foreign.headers(&now);
        let old = self.app.now().plus_seconds(-901).to_http_date();
        let of_old = self.foreign.headers(&old);
        let of_other = self.foreign.headers("Thu, 01 Jan 1970 00:00:00 GMT");
        self.bare("missing_headers", None, Some(&right), "{}").await;
        self.bare("authorization_invalid_headers", Some(&now), Some("nonsense"), "{}").await;
        self.bare("authorization_missing_params", Some(&now), Some(r#"algorithm="hmac-sha256",signature="x""#), "{}").await;
        self.bare("hmac_required", Some(&now), Some(&right.replace("hmac-sha256", "hmac-sha1")), "{}").await;
        self.bare("date_header_diff", Some(&old), Some(&of_old), "{}").await;
        let unknown = right.replace(&self.foreign.api_key, "00000000-0000-4000-8000-000000000000");
        self.bare("invalid_api_key", Some(&now), Some(&unknown), "{}").await;
        self.bare("signature_mismatch", Some(&now), Some(&of_other), "{}").await;
        self.bare("invalid_json", Some(&now), Some(&right), "{\"product\":").await;
        self.bare("payload_too_large", Some(&now), Some(&right), &" ".repeat(70_000)).await;
        self.post("missing_parameters", "/activate_license", json!({})).await;
        self.post("missing_hardware_id", "/activate_license", json!({ "product": "press" })).await;
        self.post("license_key_required", "/activate_license", json!({ "product": "press", "hardware_id": "H" })).await;
        let wrong = json!({ "product": "press", "hardware_id": 7, "license_key": "X-1" });
        self.post("validation_error", "/activate_license", wrong).await;
        let reply = self.app.get("/api/v4/nowhere").await;
        self.take("not_found", &reply);
    }

    async fn api_keys(&mut self) {
        let license = self.issue(seats(1)).await;
        for (expected, products, read_only) in
            [("api_key_product_not_allowed", Some(vec!["cut".to_owned()]), false), ("read_only_api_key", None, true)]
        {
            let other = ForeignApp::new(&self.app, products, read_only).await;
            let reply = other.activate(&self.app, &license, "HW-1").await;
            self.take(expected, &reply);
        }
        let gone = ForeignApp::new(&self.app, None, false).await;
        self.app.desk().revoke_api_key(&OPERATOR, gone.id).await.unwrap();
        let reply = gone.activate(&self.app, &license, "HW-1").await;
        self.take("revoked_api_key", &reply);
    }

    async fn accounts(&mut self) {
        let acme = ProductCode::parse("acme").unwrap();
        let desk = self.app.desk().clone();
        let call_for = json!({ "product": "press", "hardware_id": "HW-1", "customer_account_code": "acme", "id_token": "x" });
        self.post("customer_account_not_found", "/activate_license", call_for.clone()).await;
        desk.add_account(&OPERATOR, &acme, "ACME Inc.").await.unwrap();
        self.post("sso_not_enabled", "/activate_license", call_for.clone()).await;
        let provider = Provider::start().await;
        desk.set_sso(&OPERATOR, &acme, Some(provider.settings())).await.unwrap();
        self.post("sso_token_invalid", "/activate_license", call_for.clone()).await;
        let query = [("product", "press"), ("customer_account_code", "acme"), ("redirect_uri", "https://elsewhere.example")];
        self.get("redirect_uri_not_allowed", "/sso_url", &query).await;
        let other = desk.add_account(&OPERATOR, &ProductCode::parse("other").unwrap(), "Other").await.unwrap();
        let held = token(&self.app, &client(&self.app, Scope::Account(other)).await).await;
        let reply = call(&self.app, &held, "/activate_license", call_for.clone()).await;
        self.take("customer_account_id_mismatch", &reply);
        provider.set_silent(true);
        self.app.pass_days(2);
        self.post("sso_provider_unreachable", "/activate_license", call_for).await;
    }

    async fn oauth(&mut self) {
        let license = self.issue(seats(1)).await;
        let made = client(&self.app, Scope::License(license.id)).await;
        let given = token(&self.app, &made).await;
        let reply = call(&self.app, "no token of ours", "/activate_license", json!({})).await;
        self.take("oauth_token_malformed", &reply);
        let request = Request::get("/api/v4/trial_key?product=press&hardware_id=HW-1")
            .header(header::DATE, self.app.now().to_http_date())
            .header(header::AUTHORIZATION, format!("Bearer {given}"));
        let reply = self.app.send(request.body(Body::empty()).unwrap()).await;
        self.take("oauth_scope_not_allowed", &reply);
        self.app.pass_seconds(480);
        let reply = call(&self.app, &given, "/activate_license", json!({})).await;
        self.take("oauth_token_expired", &reply);
        let given = token(&self.app, &made).await;
        self.app.desk().revoke_oauth_client(&OPERATOR, made.id).await.unwrap();
        let reply = call(&self.app, &given, "/activate_license", json!({})).await;
        self.take("invalid_client", &reply);
        let set = async |on: &str| {
            let setting = vec![("oauthRequired".to_owned(), on.to_owned())];
            self.app.desk().set_settings(&OPERATOR, setting).await.unwrap();
        };
        set("true").await;
        let reply = self.foreign.activate(&self.app, &license, "HW-1").await;
        set("false").await;
        self.take("oauth_required", &reply);
    }

    async fn products_and_lists(&mut self) {
        for (code, state, expected) in
            [("paused", ProductState::Disabled, "disabled_product"), ("old", ProductState::Archived, "archived_product")]
        {
            let product = self.app.product(code).await;
            let license = self.app.issue(code, seats(1)).await;
            let edit = ProductEdit { state: Some(state), ..ProductEdit::default() };
            self.app.desk().edit_product(&OPERATOR, &product, edit).await.unwrap();
            self.tell(expected, "/activate_license", &license, "HW-1", json!({})).await;
        }
        self.get("unknown_product", "/product_details", &[("product", "nothing")]).await;
        self.get("trial_not_allowed", "/trial_key", &[("product", "press"), ("hardware_id", "HW-1")]).await;
        let rules = ProductRules { trial_days: 30, ..ProductRules::default() };
        self.app.product_by("users", Authorization::User, rules).await;
        self.get("email_missing", "/trial_key", &[("product", "users"), ("hardware_id", "HW-1")]).await;
        let of_customer = [("product", "press"), ("customer", "nobody@customer.example")];
        self.get("not_switched_on", "/customer_license_users", &of_customer).await;
        let setting = vec![("customerLicenseUsers".to_owned(), "true".to_owned())];
        self.app.desk().set_settings(&OPERATOR, setting).await.unwrap();
        self.get("invalid_product_auth_method", "/customer_license_users", &[("product", "keys"), of_customer[1]]).await;
        self.get("customer_does_not_exist", "/customer_license_users", &[("product", "users"), of_customer[1]]).await;
    }

    async fn what_a_license_says(&mut self) {
        let now = self.app.now();
        let nobody = json!({ "product": "press", "hardware_id": "H", "license_key": "ABCD-EFGH" });
        self.post("license_not_found", "/activate_license", nobody).await;
        let license = self.issue(seats(2)).await;
        self.ask("license_not_active", "/check_license", &license, "HW-1", &[]).await;
        self.foreign.activate(&self.app, &license, "HW-1").await;
        self.ask("device_not_found", "/check_license", &license, "HW-2", &[]).await;
        self.app.desk().block_device(&OPERATOR, license.id, &device("HW-1")).await.unwrap();
        self.ask("blacklisted", "/check_license", &license, "HW-1", &[]).await;
        self.app.desk().disable_license(&OPERATOR, license.id, String::new()).await.unwrap();
        self.ask("license_not_enabled", "/check_license", &license, "HW-1", &[]).await;

        self.refuses("license_expired", Terms { expiry: Expiry::on(now), ..seats(1) }).await;
        self.refuses("trial_expired", Terms { expiry: Expiry::on(now), trial: true, ..seats(1) }).await;
        self.refuses("license_start_date_not_reached", Terms { start: Some(now.plus_days(2)), ..seats(1) }).await;
        self.app.release("press", "5.0", now.plus_days(-1), "", "https://acme.example/5").await;
        let license = self.issue(Terms { maintenance: Maintenance::Until(now.plus_days(-10)), ..seats(1) }).await;
        self.tell("version_not_covered", "/activate_license", &license, "HW-1", json!({ "app_ver": "5.0" })).await;
        let island = Terms { air_gapped: true, ..seats(1) };
        let press = ProductCode::parse("press").unwrap();
        self.app.desk().add_policy(&OPERATOR, &press, "island", "", island.clone()).await.unwrap();
        let island = Issue { policy: Some("island".to_owned()), ..Issue::one(press, island) };
        let island = self.app.issue_as(island).await;
        self.tell("air_gapped_license", "/activate_license", &island, "HW-1", json!({})).await;

        let license = self.active(Terms { transfers: TransferLimit::Forbidden, ..seats(1) }).await;
        self.tell("license_activated_max_times", "/activate_license", &license, "HW-2", json!({})).await;
        self.foreign.deactivate(&self.app, &license, "HW-1").await;
        self.tell("license_transferred_max_times", "/activate_license", &license, "HW-2", json!({})).await;

        self.app.rules("press", |rules| rules.refuse_virtual_machines = true).await;
        let license = self.issue(seats(1)).await;
        self.tell("vm_not_allowed", "/activate_license", &license, "HW-1", json!({ "is_vm": true })).await;
        self.app.rules("press", |rules| rules.refuse_virtual_machines = false).await;

        self.ask("active_license_required", "/versions", &license, "HW-1", &[]).await;
        self.foreign.activate(&self.app, &license, "HW-1").await;
        self.ask("version_not_found", "/installation_file", &license, "HW-1", &[("version", "9.9")]).await;
    }

    async fn slots_and_counters(&mut self) {
        let feature = |code: &str, kind: FeatureKind, meter: Option<Meter>, floating: Option<u32>| Entitlement {
            code: code.to_owned(),
            name: code.to_owned(),
            kind,
            valid_until: None,
            meter,
            floating,
        };
        let meter =
            Meter { used: 0, max: Limit::AtMost(1), overage: Limit::AtMost(0), period: None, negatives: false, resets_at: None };
        let entitlements = vec![
            feature("render", FeatureKind::Activation, None, Some(1)),
            feature("plain", FeatureKind::Activation, None, None),
            feature("pages", FeatureKind::Consumption, Some(meter), None),
        ];
        let floating = Some(Floating { slots: 1, borrow_hours: 0 });
        let terms = Terms { seats: Limit::Unlimited, floating, entitlements: entitlements.clone(), ..Terms::default() };
        let license = self.active(terms).await;
        self.foreign.activate(&self.app, &license, "HW-2").await;
        self.foreign.check(&self.app, &license, "HW-1").await;
        self.ask("floating_not_available", "/check_license", &license, "HW-2", &[]).await;
        let until = json!({ "borrowed_until": null });
        self.tell("license_borrow_not_allowed", "/floating/borrow", &license, "HW-1", until.clone()).await;
        let render = json!({ "feature": "render", "borrowed_until": null });
        self.tell("feature_borrow_not_allowed", "/floating/feature_borrow", &license, "HW-1", render).await;
        self.tell("feature_not_floating", "/floating/feature_release", &license, "HW-1", json!({ "feature": "plain" })).await;
        let render = json!({ "feature": "render" });
        self.tell("floating_feature_device_not_in_use", "/floating/feature_release", &license, "HW-1", render).await;
        self.ask("invalid_license_feature_code", "/check_license_feature", &license, "HW-1", &[("feature", "none")]).await;
        let lent = Terms { floating: Some(Floating { slots: 1, borrow_hours: 5 }), ..seats(1) };
        let lent = self.active(lent).await;
        let wrong = json!({ "borrowed_until": "tomorrow" });
        self.tell("borrow_until_not_valid", "/floating/borrow", &lent, "HW-1", wrong).await;

        let pages = |count: i64| json!({ "feature": "pages", "consumptions": count });
        self.tell("feature_not_enough_consumptions", "/add_feature_consumption", &license, "HW-1", pages(2)).await;
        self.tell("negative_consumptions_not_allowed", "/add_feature_consumption", &license, "HW-1", pages(-1)).await;
        let none = json!({ "feature": "none", "consumptions": 1 });
        self.tell("unsupported_product_feature", "/add_feature_consumption", &license, "HW-1", none).await;
        self.tell("license_not_consumption", "/add_consumption", &license, "HW-1", json!({})).await;
        let counted = self.active(Terms { kind: LicenseType::Consumption, meter: Some(meter), ..seats(1) }).await;
        let two = json!({ "consumptions": 2 });
        self.tell("license_not_enough_consumptions", "/add_consumption", &counted, "HW-1", two).await;
    }

    async fn tpm(&mut self) {
        let license = self.issue(seats(3)).await;
        let (tpm, other) = (Tpm::new(), Tpm::new());
        let enroll = async |met: &Self, enrolls: &Tpm, signer: Option<&Tpm>| {
            let more = json!({ "tpm_enrollment": enrolls.enrollment() });
            let key = license.key.text();
            let mut body = json!({ "product": "press", "hardware_id": "HW-T", "license_key": key });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let sign = |text: &str| signer.map(|signer| signer.sign(text));
            super::licensespring_tpm::call(&met.app, &met.foreign, "/activate_license", body, sign).await
        };
        let reply = enroll(self, &tpm, None).await;
        self.take("tpm_signature_required", &reply);
        let reply = enroll(self, &tpm, Some(&other)).await;
        self.take("tpm_signature_invalid", &reply);
        assert_eq!(enroll(self, &tpm, Some(&tpm)).await.status, 200);
        let reply = enroll(self, &other, Some(&other)).await;
        self.take("tpm_key_differs", &reply);
    }

    /// Files an app carries for a machine without network.
    async fn files(&mut self) {
        let file = |met: &Self, act: &str, license: &Licensed, machine: &str, id: &str| {
            let more = json!({ "license_key": license.key.text(), "request_id": id });
            String::from_utf8(met.foreign.v2(act, "press", machine, more)).unwrap()
        };
        let carry =
            async |met: &Self, path: &str, file: String| met.foreign.post(&met.app, path, json!({ "Payload": file })).await;
        for (expected, terms) in [
            ("offline_activation_not_allowed", Terms { offline_allowed: false, ..seats(1) }),
            ("offline_not_for_this_type", Terms { kind: LicenseType::Subscription, ..seats(1) }),
        ] {
            let license = self.issue(terms).await;
            let reply = carry(self, "/activate_offline", file(self, "activation", &license, "HW-F", "r-1")).await;
            self.take(expected, &reply);
        }
        let license = self.issue(seats(2)).await;
        self.app.bring(Machine::new("HW-K").activate(&license)).await.unwrap();
        let reply = carry(self, "/activate_offline", file(self, "activation", &license, "HW-K", "r-2")).await;
        self.take("device_key_required", &reply);

        let activation = file(self, "activation", &license, "HW-F", "r-3");
        assert_eq!(carry(self, "/activate_offline", activation.clone()).await.status, 200);
        let members = json!({ "license_key": license.key.text(), "request_id": "r-3", "hostname": "Another" });
        let other = String::from_utf8(self.foreign.v2("activation", "press", "HW-F", members)).unwrap();
        let reply = carry(self, "/activate_offline", other).await;
        self.take("request_id_reused", &reply);
        let reply = carry(self, "/deactivate_offline", file(self, "deactivation", &license, "HW-F", "r-4")).await;
        self.take("held_too_short", &reply);
        self.app.pass_days(2);
        let members = json!({ "license_key": license.key.text() });
        let weak = String::from_utf8(self.foreign.v1("deactivation", "press", "HW-F", members)).unwrap();
        let reply = carry(self, "/deactivate_offline", weak).await;
        self.take("release_not_proved", &reply);
        for year in 0..3 {
            let id = format!("r-5-{year}");
            let release = file(self, "deactivation", &license, "HW-F", &id);
            assert_eq!(carry(self, "/deactivate_offline", release).await.status, 200, "{id}");
            if year == 0 {
                let reply = carry(self, "/activate_offline", activation.clone()).await;
                self.take("request_spent", &reply);
            }
            let again = file(self, "activation", &license, "HW-F", &format!("r-6-{year}"));
            assert_eq!(carry(self, "/activate_offline", again).await.status, 200, "{id}");
            self.app.pass_days(2);
        }
        let reply = carry(self, "/deactivate_offline", file(self, "deactivation", &license, "HW-F", "r-7")).await;
        self.take("release_limit", &reply);
    }

    async fn users(&mut self) {
        self.app.secret("the right password");
        self.app.secret("ann@customer.example");
        let user_password = UserPassword::Given("the right password".to_owned());
        let users = vec![Email::parse("ann@customer.example").unwrap()];
        let issue = Issue { users, user_password, ..Issue::one(ProductCode::parse("press").unwrap(), seats(1)) };
        self.app.issue_as(issue).await;
        let body = json!({ "product": "press", "hardware_id": "H", "username": "ann@customer.example", "password": "wrong" });
        self.post("user_credentials_invalid", "/activate_license", body.clone()).await;
        for _ in 0..30 {
            let reply = self.foreign.post(&self.app, "/activate_license", body.clone()).await;
            if reply.status == 429 {
                return self.take("too_many_requests", &reply);
            }
        }
        panic!("a password can be tried for ever");
    }
}

async fn every_code_that_is_told_is_met_and_every_one_that_is_met_is_told(app: TestApp) {
    app.product("press").await;
    app.product_by("keys", Authorization::Key, ProductRules::default()).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let mut met = Met { app, foreign, codes: BTreeMap::new() };
    met.headers_and_bodies().await;
    met.api_keys().await;
    met.accounts().await;
    met.oauth().await;
    met.products_and_lists().await;
    met.what_a_license_says().await;
    met.slots_and_counters().await;
    met.tpm().await;
    met.files().await;
    met.users().await;

    let mut told = told();
    // A fault of ours is no refusal: nobody can provoke it.
    assert_eq!(told.remove("internal_error"), Some(500));
    assert_eq!(met.codes, told, "what was met, and the table of docs/licensespring.md");
}

/// The table's codes with their statuses, 400 where it says none.
fn told() -> BTreeMap<String, u16> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/licensespring.md")).unwrap();
    let table = page.split("\n## Errors\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.flat_map(|row| row.split('|').nth(1).unwrap().split(','));
    let code = |cell: &str| {
        let (_, rest) = cell.split_once('`').unwrap();
        let (code, after) = rest.split_once('`').unwrap();
        let status = after.trim().strip_prefix('(').and_then(|after| after.strip_suffix(')'));
        (code.to_owned(), status.map_or(400, |status| status.parse().unwrap()))
    };
    cells.map(code).collect()
}
