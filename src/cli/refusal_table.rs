//! `docs/refusals.md`: every refusal through every door, each cell provoked for real: at the form's own route, at the route that
//! files are brought to, and by the command that answers them.
//!
//! `COUNTERSIGN_BLESS=1` writes the page anew.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::json;

use super::answer;
use crate::{
    desk::{Issue, ProductEdit, Refusal, UserPassword, Visitor},
    licensing::{
        ActivationKey, Email, ProductCode, Timestamp,
        airgap::{AirGapRefusal, CodeRefusal},
        decide::{ActivationRefusal, ReleaseRefusal},
        files::{Act, Grounds},
        license::{Expiry, Floating, LicenseType, Limit, Maintenance, Terms, TransferLimit},
        product::{Installation, ProductRules, ProductState, Version},
        qlm::{ComputerType, QlmTerms, protect::Protection},
    },
    server::tests::{Licensed, Machine, TestApp, app, foreign::ForeignApp},
    store::{Engine, NewRelease},
    vault::random_bytes,
};

const OPERATOR: Visitor = Visitor::Operator;
const ACTIVATED: &str = "activated";

/// What a door said, and why where that is not the row's own code.
struct Cell {
    came: String,
    note: &'static str,
}

/// A refusal's row: form, file, command line.
type Row = [Cell; 3];

struct Doors {
    app: TestApp,
    foreign: ForeignApp,
    rows: BTreeMap<&'static str, Row>,
}

/// What is said where a door answers otherwise, or needs more than one of our own files.
#[derive(Default)]
struct Notes {
    form: &'static str,
    file: &'static str,
}

impl Doors {
    /// Brings the same wish to each door: the form with `fields`, the two others with `file`.
    async fn try_all(&mut self, code: &'static str, fields: &[(&str, &str)], file: impl AsRef<[u8]>, notes: Notes) {
        let by_form = self.by_form(fields).await;
        let by_file = self.app.bring(&file).await.map_or_else(|refused| refused.code, |_| ACTIVATED.to_owned());
        let by_command = answer::refusal_of(self.app.desk(), file.as_ref()).await.unwrap_or_else(|| ACTIVATED.to_owned());
        let cell = |came: String, note: &'static str| {
            assert!(came == code || !note.is_empty(), "{came} came for {code}, and nothing says why");
            Cell { came, note }
        };
        let row = [cell(by_form, notes.form), cell(by_file, notes.file), cell(by_command, notes.file)];
        assert!(row.iter().any(|cell| cell.came == code), "{code} was met at no door");
        assert!(self.rows.insert(code, row).is_none(), "{code} was tried before");
    }

    async fn by_form(&self, fields: &[(&str, &str)]) -> String {
        let reply = self.app.post("/activate", fields).await;
        if reply.status == axum::http::StatusCode::SEE_OTHER {
            return ACTIVATED.to_owned();
        }
        assert_eq!(reply.status, axum::http::StatusCode::CONFLICT, "{}", reply.text());
        self.app.refusal_on(&reply).await.code
    }

    /// The form as a link from the app opens it: everything in it, hidden or not.
    async fn opened_by(&self, link: &[(&str, &str)]) -> Vec<(String, String)> {
        let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(link).finish();
        let page = self.app.get(&format!("/activate?{query}")).await.text();
        let inputs = page.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
        let told = |input: &str, name: &str| Some(input.split_once(&format!(" {name}=\""))?.1.split('"').next()?.to_owned());
        inputs.filter_map(|input| Some((told(input, "name")?, told(input, "value").unwrap_or_default()))).collect()
    }

    /// A machine new to the license, with the key alone.
    async fn try_with_key(&mut self, code: &'static str, license: &Licensed) {
        let fields = [("key", license.key.text()), ("device_id", "HW-new".to_owned()), ("product", license.product.clone())];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let file = Machine::new("HW-new").activate(license);
        self.try_all(code, &fields, file, Notes::default()).await;
    }

    async fn issue(&self, terms: Terms) -> Licensed {
        self.app.issue("press", terms).await
    }

    fn licensespring(&self, license: &Licensed, device: &str) -> Vec<u8> {
        self.foreign.v2("activation", &license.product, device, json!({ "license_key": license.key.text() }))
    }

    async fn what_the_license_says(&mut self) {
        let now = self.app.now();
        let many = || Terms { seats: Limit::AtMost(3), ..Terms::default() };
        let unknown = Licensed { key: ActivationKey::from_random(random_bytes()), ..self.issue(many()).await };
        self.try_with_key("unknown_key", &unknown).await;
        self.app.product("other").await;
        let elsewhere = Licensed { product: "other".to_owned(), ..self.issue(many()).await };
        self.try_with_key("wrong_product", &elsewhere).await;

        let license = self.issue(many()).await;
        self.app.desk().disable_license(&OPERATOR, license.id, "chargeback".to_owned()).await.unwrap();
        self.try_with_key("license_disabled", &license).await;
        self.app.desk().archive_license(&OPERATOR, license.id, "replaced".to_owned()).await.unwrap();
        self.try_with_key("license_archived", &license).await;

        let license = self.issue(Terms { start: Some(now.plus_days(3)), ..many() }).await;
        self.try_with_key("not_started", &license).await;
        let license = self.issue(Terms { expiry: Expiry::on(now), ..many() }).await;
        self.try_with_key("license_expired", &license).await;
        let license = self.issue(Terms { expiry: Expiry::on(now), trial: true, ..many() }).await;
        self.try_with_key("trial_expired", &license).await;

        let paused = self.app.product("paused").await;
        let license = self.app.issue("paused", many()).await;
        let edit = ProductEdit { state: Some(ProductState::Disabled), ..ProductEdit::default() };
        self.app.desk().edit_product(&OPERATOR, &paused, edit).await.unwrap();
        self.try_with_key("product_disabled", &license).await;
    }

    async fn seats(&mut self) {
        let taken = async |doors: &Self, terms: Terms| {
            let license = doors.issue(terms).await;
            doors.app.activate_by_form(&license.key, "HW-first", &[]).await.unwrap();
            license
        };
        let license = taken(self, Terms::default()).await;
        self.try_with_key("seats_exhausted", &license).await;
        let license = taken(self, Terms { transfers: TransferLimit::Forbidden, ..Terms::default() }).await;
        self.app.desk().release_device(&OPERATOR, license.id, &app::device("HW-first")).await.unwrap();
        self.try_with_key("transfer_limit", &license).await;
        let floating = Some(Floating { slots: 1, borrow_hours: 0 });
        let license = taken(self, Terms { seats: Limit::Unlimited, floating, ..Terms::default() }).await;
        self.try_with_key("floating_full", &license).await;
    }

    async fn machines(&mut self) {
        let new = app::device("HW-new");
        let license = self.issue(Terms::default()).await;
        self.app.desk().block_device(&OPERATOR, license.id, &new).await.unwrap();
        self.try_with_key("device_blocked", &license).await;
        let license = self.issue(Terms::default()).await;
        self.app.activate_by_form(&license.key, "HW-new", &[]).await.unwrap();
        self.app.desk().revoke_device(&OPERATOR, license.id, &new, "stolen".to_owned()).await.unwrap();
        self.try_with_key("device_revoked", &license).await;

        let rules = ProductRules { refuse_virtual_machines: true, ..ProductRules::default() };
        self.app.product_with("real", rules).await;
        let license = self.app.issue("real", Terms::default()).await;
        let form =
            self.opened_by(&[("key", &license.key.text()), ("device_id", "HW-new"), ("product", "real"), ("vm", "1")]).await;
        let file = Machine { vm: Some(true), ..Machine::new("HW-new") }.activate(&license);
        let notes = Notes { form: "opened by the app with `vm=1`; the form itself does not ask", ..Notes::default() };
        self.try_all("virtual_machine", &borrowed(&form), file, notes).await;

        let virtual_only = QlmTerms { computer_type: ComputerType::Virtual, ..QlmTerms::default() };
        let license = self.issue(Terms { qlm: Some(virtual_only), ..Terms::default() }).await;
        let form = self.opened_by(&[("key", &license.key.text()), ("device_id", "HW-new"), ("vm", "0")]).await;
        let file = Machine { vm: Some(false), ..Machine::new("HW-new") }.activate(&license);
        let notes = Notes { form: "opened by the app with `vm=0`; the form itself does not ask", ..Notes::default() };
        self.try_all("other_kind_of_computer", &borrowed(&form), file, notes).await;

        let press = ProductCode::parse("press").unwrap();
        let version = Version { major: 5, minor: 0, released: self.app.now().plus_days(-1) };
        let new = NewRelease { version, channel: String::new(), env: String::new(), file: Installation::default() };
        self.app.desk().add_release(&OPERATOR, &press, new).await.unwrap();
        let maintenance = Maintenance::Until(self.app.now().plus_days(-10));
        let license = self.issue(Terms { maintenance, ..Terms::default() }).await;
        let form = self.opened_by(&[("key", &license.key.text()), ("device_id", "HW-new"), ("version", "5.0")]).await;
        let file = Machine { app: Some("Press 5.0".to_owned()), ..Machine::new("HW-new") }.activate(&license);
        let notes = Notes { form: "opened by the app with `version=5.0`; the form itself does not ask", ..Notes::default() };
        self.try_all("version_not_covered", &borrowed(&form), file, notes).await;
    }

    async fn ways_to_activate(&mut self) {
        let many = || Terms { seats: Limit::AtMost(3), ..Terms::default() };
        let form_is_online = "the form is an online activation";
        let licensespring = "a LicenseSpring file; our own serve every type";
        let license = self.issue(Terms { offline_allowed: false, ..many() }).await;
        let fields = [("key", &*license.key.text()), ("device_id", "HW-form")];
        let file = Machine::new("HW-new").activate(&license);
        let notes = Notes { form: form_is_online, ..Notes::default() };
        self.try_all("offline_not_allowed", &fields, file, notes).await;

        let license = self.issue(Terms { kind: LicenseType::Subscription, ..many() }).await;
        let fields = [("key", &*license.key.text()), ("device_id", "HW-form")];
        let file = self.licensespring(&license, "HW-new");
        self.try_all("offline_not_for_this_type", &fields, file, Notes { form: form_is_online, file: licensespring }).await;

        let license = self.issue(Terms::default()).await;
        self.app.bring(Machine::new("HW-key").activate(&license)).await.unwrap();
        let fields = [("key", &*license.key.text()), ("device_id", "HW-key")];
        let file = self.licensespring(&license, "HW-key");
        let notes = Notes { form: "", file: "a LicenseSpring file; our own always show a device key" };
        self.try_all("device_key_required", &fields, file, notes).await;
        for _ in 0..3 {
            self.app.bring(Machine::new("HW-key").activate(&license)).await.expect("three times a year");
        }
        let file = Machine::new("HW-key").activate(&license);
        let notes = Notes { form: "the form shows no device key, so none can change there", ..Notes::default() };
        self.try_all("rebind_limit", &fields, file, notes).await;
    }

    async fn air_gapped(&mut self) {
        let press = ProductCode::parse("press").unwrap();
        let terms = || Terms { air_gapped: true, seats: Limit::AtMost(3), ..Terms::default() };
        self.app.desk().add_policy(&OPERATOR, &press, "island", "", terms()).await.unwrap();
        let issue = Issue { policy: Some("island".to_owned()), ..Issue::one(press, terms()) };
        let license = self.app.issue_as(issue).await;
        self.try_with_key("air_gapped_only", &license).await;

        let plain = self.issue(Terms { seats: Limit::AtMost(3), ..Terms::default() }).await;
        let by_form = self.by_form(&[("key", &plain.key.text()), ("device_id", "HW-form")]).await;
        let by_file = self.app.bring(Machine::new("HW-new").activate(&plain)).await;
        let given = self.app.desk().give_out_code(Some(&OPERATOR), &plain.key, None, None, "cli").await;
        let cell = |came: String, note: &'static str| Cell { came, note };
        let row = [
            cell(by_form, "no code is asked for there"),
            cell(by_file.map_or_else(|refused| refused.code, |_| ACTIVATED.to_owned()), "no code is asked for there"),
            cell(given.err().map_or("a code", |error| error.code()).to_owned(), "`airgap begin`"),
        ];
        assert!(row.iter().any(|cell| cell.came == "not_air_gapped"));
        assert!(self.rows.insert("not_air_gapped", row).is_none());
    }

    async fn users(&mut self) {
        let form = "the form asks for a key, and an e-mail address is none";
        let email = || Email::parse("ann@example.com").unwrap();
        let fields = [("key", "ann@example.com"), ("device_id", "HW-new")];
        let machine = Machine::new("HW-new");
        let file = machine.sign(&machine.request(Act::Activate, "press", Grounds::User(email())));
        self.try_all("user_proof_required", &fields, file, Notes { form, ..Notes::default() }).await;

        self.app.secret("the right password");
        let user_password = UserPassword::Given("the right password".to_owned());
        let one = Issue::one(ProductCode::parse("press").unwrap(), Terms::default());
        self.app.issue_as(Issue { users: vec![email()], user_password, ..one }).await;
        let members = json!({ "username": "ann@example.com", "password": "a wrong password" });
        let file = self.foreign.v1("activation", "press", "HW-new", members);
        let notes = Notes { form, file: "a LicenseSpring file with a wrong password; our own carry none" };
        self.try_all("user_credentials_invalid", &fields, file, notes).await;

        let eve = Email::parse("eve@example.com").unwrap();
        let user_password = UserPassword::Given("the right password".to_owned());
        let one = Issue::one(ProductCode::parse("press").unwrap(), Terms { seats: Limit::AtMost(3), ..Terms::default() });
        self.app.issue_as(Issue { users: vec![eve], user_password, user_seats: Some(1), ..one }).await;
        let by = |doors: &Self, device: &str| {
            let members = json!({ "username": "eve@example.com", "password": "the right password" });
            doors.foreign.v1("activation", "press", device, members)
        };
        self.app.bring(by(self, "HW-hers")).await.expect("the one that is hers");
        let fields = [("key", "eve@example.com"), ("device_id", "HW-new")];
        let notes = Notes { form, file: "a LicenseSpring file with name and password; our own carry none" };
        self.try_all("user_seats_exhausted", &fields, by(self, "HW-new"), notes).await;
    }
}

async fn every_refusal_is_provoked_at_every_door(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let mut doors = Doors { app, foreign, rows: BTreeMap::new() };
    doors.what_the_license_says().await;
    doors.seats().await;
    doors.machines().await;
    doors.ways_to_activate().await;
    doors.air_gapped().await;
    doors.users().await;

    let mut table = "| code | form | file | command line |\n|---|---|---|---|\n".to_owned();
    let examples = ActivationRefusal::examples();
    for refusal in &examples {
        let row = doors.rows.remove(refusal.code()).unwrap_or_else(|| panic!("{refusal} was not provoked"));
        let [form, file, command] = row.map(|cell| shown(&cell));
        writeln!(table, "| `{refusal}` | {form} | {file} | {command} |").unwrap();
    }
    assert!(doors.rows.is_empty(), "no refusal: {:?}", doors.rows.keys());
    hold("doors", &table);
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn shown(cell: &Cell) -> String {
    let came = if cell.came == ACTIVATED { ACTIVATED.to_owned() } else { format!("`{}`", cell.came) };
    if cell.note.is_empty() { came } else { format!("{came} ({})", cell.note) }
}

#[test]
fn the_page_of_refusals_tells_what_every_door_says() {
    app::run(Engine::Sqlite, every_refusal_is_provoked_at_every_door);
}

#[test]
fn the_page_of_refusals_has_the_words_of_each() {
    let at = Timestamp::from_rfc3339("2027-03-02T00:00:00Z").unwrap();
    let activation = ActivationRefusal::examples().into_iter().map(|refusal| match refusal {
        ActivationRefusal::VersionNotCovered { .. } => ActivationRefusal::VersionNotCovered { maintenance_until: at },
        ActivationRefusal::NotStarted { .. } => ActivationRefusal::NotStarted { start: at },
        ActivationRefusal::Expired { .. } => ActivationRefusal::Expired { since: at },
        ActivationRefusal::TrialExpired { .. } => ActivationRefusal::TrialExpired { since: at },
        other => other,
    });
    let release = [
        ReleaseRefusal::NotActivated,
        ReleaseRefusal::NotThisDevice,
        ReleaseRefusal::HeldTooShort { until: at },
        ReleaseRefusal::ReleaseLimit { times: 3 },
        ReleaseRefusal::ConfirmRelease,
        ReleaseRefusal::NotProved,
    ];
    let asked = [Refusal::RequestSpent, Refusal::RequestIdReused, Refusal::ApiKey, Refusal::TooMany { seconds: 900 }];
    let table = |refusals: &mut dyn Iterator<Item = Refusal>| {
        let mut table = "| code | what | why | what next |\n|---|---|---|---|\n".to_owned();
        for refusal in refusals {
            let words = refusal.words();
            writeln!(table, "| `{}` | {} | {} | {} |", refusal.code(), words.what, words.why, words.next).unwrap();
        }
        table
    };
    hold("activation", &table(&mut activation.map(Refusal::from)));
    hold("release", &table(&mut release.into_iter().map(Refusal::from)));
    hold("request", &table(&mut asked.into_iter()));
    let codes = CodeRefusal::examples().into_iter().map(|refusal| match refusal {
        CodeRefusal::Expired { .. } => CodeRefusal::Expired { since: at },
        other => other,
    });
    let codes = codes.map(AirGapRefusal::from).chain([AirGapRefusal::Release(ReleaseRefusal::NotProved)]);
    let limits = Protection::examples().into_iter().map(|refusal| match refusal {
        Protection::Held { .. } => Protection::Held { until: at },
        other => other,
    });
    hold("limits", &table(&mut limits.map(Refusal::Qlm)));
    hold("codes", &table(&mut codes.map(Refusal::from)));
}

/// Compares what stands between two comments of the page with `generated`, or writes it there.
fn hold(mark: &str, generated: &str) {
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _held = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/refusals.md");
    let page = std::fs::read_to_string(path).unwrap();
    let opening = format!("<!-- {mark}:begin -->\n");
    let begin = page.find(&opening).expect("the table has a beginning") + opening.len();
    let end = page.find(&format!("<!-- {mark}:end -->")).expect("the table has an end");
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        std::fs::write(path, format!("{}{generated}{}", &page[..begin], &page[end..])).unwrap();
    } else {
        assert_eq!(&page[begin..end], generated, "docs/refusals.md is behind: COUNTERSIGN_BLESS=1 cargo test refusal_table");
    }
}
