//! `demo`: the portal on a temporary folder, filled with what a vendor's day is made of.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use super::{
    Place, files,
    outcome::{CliError, Done, print_now},
    serve,
};
use crate::{
    desk::{
        Desk, FeatureWish, FileRequest, Issue, NewExtension, OnlineActivation, PropertyEdit, QlmCall, Role, ShopCall,
        UserPassword, Visitor, entitlements,
    },
    licensing::{
        ActivationKey, Date, DeviceId, DeviceName, Email, LicenseId, ProductCode, Timestamp,
        activation::Device,
        files::{Act, Grounds, KeyPair, KeyProof, Request, RequestDevice, Signer as _, base64},
        issue::Quantities,
        license::{Expiry, Floating, LicenseType, Limit, Maintenance, Meter, Period, Terms, TransferLimit},
        product::{Authorization, DeviceDetails, FeatureKind, Installation, ProductRules, Version},
        qlm,
    },
    store::{NewProduct, NewRelease},
    vault::random_bytes,
};

const STAFF: Visitor = Visitor::Operator;
const OWNER: &str = "owner@demo.example";

/// LicenseSpring's own sample credentials, which the sample files were made with.
const API_KEY: &str = "11abafc3-10b2-474a-b818-aaaf97c7512e";
const SHARED_KEY: &str = "kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja";
const LICENSESPRING_KEY: &str = "FUH3-4E7A-LZJL-7JTP";
const USER: &str = "test@example.com";
const USER_PASSWORD: &str = "S3cret-ü";
const LICENSESPRING_ACTIVATE: &[u8] = include_bytes!("../../tests/samples/licensespring/v2_activation_spaced_escaped.req");
const LICENSESPRING_RELEASE: &[u8] = include_bytes!("../../tests/samples/licensespring/v2_deactivation_spaced_utf8.req");

/// The address of the real portal, which the environment may hold, is not the demo's.
#[derive(Args)]
pub(super) struct Options {
    /// Where to listen
    #[arg(long, value_name = "ADDR", env = "COUNTERSIGN_ADDR", default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    /// The address the demo is opened at
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

/// What a visitor of the demo needs to know.
struct Filled {
    password: String,
    keys: Vec<(ActivationKey, &'static str)>,
    requests: PathBuf,
}

/// Removes the folder when the demo ends.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) async fn run(place: &Place, options: Options) -> Result<Done, CliError> {
    let name = format!("countersign-demo-{}", base64::url(&random_bytes::<9>()));
    let folder = Temporary(std::env::temp_dir().join(name));
    // Its own data, whatever the environment says of the real one.
    let place = Place { data_dir: folder.0.clone(), database_url: None, apart: true, ..place.clone() };
    let ready = serve::prepare(&place, options.addr, options.public_url.as_deref(), None).await?;
    let filled = fill(&ready.opened.desk, &folder.0).await?;
    let url = ready.public_url().to_owned();
    let keys: Vec<_> = filled.keys.iter().map(|(key, about)| json!({ "key": key.text(), "about": about })).collect();
    let value = json!({
        "url": url,
        "sign_in": { "url": format!("{url}/vendor"), "email": OWNER, "password": filled.password },
        "keys": keys,
        "requests": filled.requests.to_string_lossy(),
        "data_dir": folder.0.to_string_lossy(),
    });
    let mut text = format!(
        "A portal with sample data runs on {url}\n\nVendor sign-in  {url}/vendor\n  e-mail        {OWNER}\n  password      {}\n\n",
        filled.password
    );
    text.push_str(&format!("Keys to try on {url}/activate\n"));
    for (key, about) in &filled.keys {
        text.push_str(&format!("  {}  {about}\n", key.text()));
    }
    text.push_str(&format!("\nRequest files to try on {url}/offline\n  {}\n", filled.requests.display()));
    text.push_str("\nIt is gone when it is stopped (Ctrl-C).");
    print_now(&Done::new(value, text), place.json);
    ready.run().await?;
    Ok(Done::silent())
}

fn code(text: &str) -> ProductCode {
    ProductCode::parse(text).expect("the codes of the demo are codes")
}

fn email(text: &str) -> Email {
    Email::parse(text).expect("the addresses of the demo are addresses")
}

fn day(text: &str) -> Date {
    text.parse().expect("the days of the demo are days")
}

fn device(id: &str, name: &str) -> Device {
    let known = |text| DeviceName::parse(text).expect("the names of the demo are names");
    let id = DeviceId::parse(id).expect("the ids of the demo are ids");
    Device { name: Some(known(name)), os: Some("Windows 11".to_owned()), ..Device::bare(id) }
}

async fn fill(desk: &Desk, folder: &Path) -> Result<Filled, CliError> {
    let password = format!("demo-{}", base64::url(&random_bytes::<9>()));
    desk.add_member(&STAFF, &email(OWNER), &password, Role::Owner).await?;
    desk.set_settings(&STAFF, vec![("supportAddress".to_owned(), "support@demo.example".to_owned())]).await?;
    products(desk).await?;
    let (open, full) = press_licenses(desk).await?;
    other_licenses(desk).await?;
    licensespring(desk).await?;
    shop(desk).await?;
    let requests = folder.join("requests");
    sample_requests(desk, &requests, &open, &full).await?;
    let keys = vec![
        (open, "Press Designer 4, two of five seats taken"),
        (full, "Press Designer 4, its only seat is taken: shows a refusal"),
    ];
    Ok(Filled { password, keys, requests })
}

/// A shop that signs nothing, and one of its products; the other is not mapped yet.
async fn shop(desk: &Desk) -> Result<(), CliError> {
    let shop = NewExtension {
        name: "Gumroad".to_owned(),
        class: "gumroad".to_owned(),
        user: String::new(),
        password: None,
        api_key: None,
        shared_key: None,
    };
    desk.add_extension(&STAFF, shop).await?;
    let value = "is_productid=4&is_majorversion=4&is_minorversion=2&is_expduration=365".to_owned();
    desk.put_property(&STAFF, PropertyEdit { name: "gumroad_press".to_owned(), value, for_calls: false }).await?;
    let hook = desk.new_shop_address(&STAFF, "Gumroad").await?.text();
    for (sale, product) in [("sale-1", "press"), ("sale-2", "press-templates")] {
        let body = format!(
            "sale_id={sale}&product_id=p-{product}&permalink={product}&email=robin%40studio.example&full_name=Robin&quantity=1&refunded=false"
        );
        let call = QlmCall { args: qlm::Args::default(), from: None, by_get: false, strict: None };
        let told = ShopCall { call, hook: Some(hook.clone()), from_paypal: false, headers: Vec::new(), body: body.into_bytes() };
        desk.shop_told(told)
            .await
            .map_err(|fault| CliError::fault(&fault))?
            .map_err(|refused| CliError::Fault(format!("the demo's shop was refused: {refused:?}")))?;
    }
    Ok(())
}

async fn products(desk: &Desk) -> Result<(), CliError> {
    let product = |code_text: &str, number, name: &str, authorization, rules| NewProduct {
        code: code(code_text),
        number,
        name: name.to_owned(),
        authorization,
        rules,
    };
    // The demo's machines may leave as soon as they have come.
    let rules = ProductRules { min_hold_hours: 0, device_details: DeviceDetails::All, ..ProductRules::default() };
    let lab = ProductRules { offline_lease_days: Some(30), refuse_virtual_machines: true, trial_days: 14, ..rules.clone() };
    desk.add_product(&STAFF, product("press-4", Some(4), "Press Designer 4", Authorization::Key, rules.clone())).await?;
    desk.add_product(&STAFF, product("scanlab", Some(7), "ScanLab", Authorization::Key, lab)).await?;
    desk.add_product(&STAFF, product("tp", None, "LicenseSpring sample", Authorization::Both, rules)).await?;
    for (product, major, minor, released) in
        [("press-4", 4, 0, "2025-03-01"), ("press-4", 4, 2, "2026-06-15"), ("scanlab", 2, 1, "2026-02-10")]
    {
        let version = Version { major, minor, released: day(released).midnight() };
        let release = NewRelease { version, channel: String::new(), env: String::new(), file: Installation::default() };
        desk.add_release(&STAFF, &code(product), release).await?;
    }
    desk.add_feature(&STAFF, &code("press-4"), "export", "Export for print", FeatureKind::Activation).await?;
    desk.add_feature(&STAFF, &code("press-4"), "pages", "Rendered pages", FeatureKind::Consumption).await?;
    let studio = Terms { seats: Limit::AtMost(5), maintenance: Maintenance::Until(day("2027-06-30").end()), ..Terms::default() };
    desk.add_policy(&STAFF, &code("press-4"), "studio", "Studio, five seats", studio).await?;
    Ok(())
}

/// Issues one license and returns its key.
async fn issue(desk: &Desk, issue: Issue) -> Result<(LicenseId, ActivationKey), CliError> {
    let quantities = Quantities { activations_per_key: issue.terms.seats.most(), ..Quantities::default() };
    let issued = desk.issue(&STAFF, Issue { quantities, ..issue }).await?;
    let license = issued.licenses.into_iter().next();
    license
        .and_then(|license| license.key.map(|key| (license.id, key)))
        .ok_or_else(|| CliError::Fault("the demo's license has no key".to_owned()))
}

fn sold(product: &str, customer: &str, order: &str, terms: Terms) -> Issue {
    Issue { customer: Some(email(customer)), order: Some(order.to_owned()), ..Issue::one(code(product), terms) }
}

/// Activates as a customer does. A refusal is part of the picture.
async fn activate(desk: &Desk, key: &ActivationKey, machine: Device) -> Result<(), CliError> {
    let ask = OnlineActivation {
        key: key.clone(),
        product: None,
        device: machine,
        email: None,
        version: None,
        request_id: base64::url(&random_bytes::<16>()),
        door: "form",
    };
    match desk.activate_online(ask).await {
        Ok(_) | Err(crate::desk::ActError::Refused(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn press_licenses(desk: &Desk) -> Result<(ActivationKey, ActivationKey), CliError> {
    let features = desk.product(&code("press-4")).await?.features;
    let wish = |code: &str, max| FeatureWish { code: code.to_owned(), max, valid_until: None, floating: None };
    let included = entitlements(&features, &[wish("export", None), wish("pages", Some(Limit::AtMost(5_000)))])?;
    let studio = Terms {
        seats: Limit::AtMost(5),
        maintenance: Maintenance::Until(day("2027-06-30").end()),
        entitlements: included,
        ..Terms::default()
    };
    let policy = Some("studio".to_owned());
    let (_, open) = issue(desk, Issue { policy, ..sold("press-4", "ann@kettle.example", "A-1001", studio) }).await?;
    activate(desk, &open, device("press-7-A53F0CBC", "Press 7")).await?;
    activate(desk, &open, device("press-8-0B11D2F4", "Press 8")).await?;

    let (_, full) = issue(desk, sold("press-4", "ben@quarry.example", "A-1002", Terms::default())).await?;
    activate(desk, &full, device("laptop-51C9E0A2", "Ben's laptop")).await?;
    activate(desk, &full, device("desktop-77AC31BE", "Ben's new desktop")).await?;

    let ended = Terms {
        kind: LicenseType::TimeLimited,
        expiry: Expiry::on(desk.now().plus_days(-12).next_midnight()),
        grace_hours: 48,
        ..Terms::default()
    };
    let (_, key) = issue(desk, sold("press-4", "cleo@orchard.example", "A-1003", ended)).await?;
    activate(desk, &key, device("studio-E4410D37", "Studio")).await?;

    let later = Terms { start: Some(desk.now().plus_days(20).next_midnight()), ..Terms::default() };
    issue(desk, sold("press-4", "dov@harbor.example", "A-1004", later)).await?;

    let (id, key) = issue(desk, sold("press-4", "eva@mill.example", "A-1005", Terms::default())).await?;
    activate(desk, &key, device("mill-2C70BB19", "Mill office")).await?;
    desk.disable_license(&STAFF, id, "Refunded on request of the customer".to_owned()).await?;
    activate(desk, &key, device("mill-9911AF02", "Mill workshop")).await?;

    let (id, _) = issue(desk, sold("press-4", "finn@tower.example", "A-1006", Terms::default())).await?;
    desk.archive_license(&STAFF, id, "Replaced by a studio license".to_owned()).await?;

    let fixed = Terms { transfers: TransferLimit::Forbidden, offline_allowed: false, ..Terms::default() };
    let (id, key) = issue(desk, sold("press-4", "gil@lantern.example", "A-1007", fixed)).await?;
    activate(desk, &key, device("lantern-5D02", "Lantern")).await?;
    let blocked = DeviceId::parse("lantern-copy-6E13").map_err(|error| CliError::Fault(error.to_string()))?;
    desk.block_device(&STAFF, id, &blocked).await?;
    activate(desk, &key, device("lantern-copy-6E13", "Lantern copy")).await?;
    Ok((open, full))
}

async fn other_licenses(desk: &Desk) -> Result<(), CliError> {
    let now: Timestamp = desk.now();
    let yearly = Terms {
        kind: LicenseType::Subscription,
        seats: Limit::AtMost(3),
        expiry: Expiry::on(now.plus_days(200).next_midnight()),
        ..Terms::default()
    };
    let (_, key) = issue(desk, sold("scanlab", "hana@clinic.example", "S-2001", yearly)).await?;
    activate(desk, &key, device("scan-01", "Scanner room")).await?;
    let virtual_one = Device { virtual_machine: Some(true), ..device("vm-77", "Build machine") };
    activate(desk, &key, virtual_one).await?;

    let trial =
        Terms { trial: true, expiry: Expiry { days_after_first_activation: Some(14), ..Expiry::NEVER }, ..Terms::default() };
    let (_, key) = issue(desk, sold("scanlab", "ivo@school.example", "S-2002", trial)).await?;
    activate(desk, &key, device("school-lab-3", "Lab 3")).await?;
    let over = Terms { trial: true, expiry: Expiry::on(now.plus_days(-3).next_midnight()), ..Terms::default() };
    issue(desk, sold("scanlab", "jo@garage.example", "S-2003", over)).await?;

    let counted = Terms {
        kind: LicenseType::Consumption,
        meter: Some(Meter {
            used: 0,
            max: Limit::AtMost(1_000),
            overage: Limit::AtMost(100),
            period: Some(Period::Monthly),
            negatives: false,
            resets_at: None,
        }),
        ..Terms::default()
    };
    issue(desk, sold("scanlab", "kim@archive.example", "S-2004", counted)).await?;

    let shared = Terms { seats: Limit::Unlimited, floating: Some(Floating { slots: 2, borrow_hours: 72 }), ..Terms::default() };
    let (_, key) = issue(desk, sold("scanlab", "lea@campus.example", "S-2005", shared)).await?;
    for (id, name) in [("campus-a", "Campus A"), ("campus-b", "Campus B"), ("campus-c", "Campus C")] {
        activate(desk, &key, device(id, name)).await?;
    }
    Ok(())
}

async fn licensespring(desk: &Desk) -> Result<(), CliError> {
    let given = Some((API_KEY.to_owned(), SHARED_KEY.to_owned()));
    desk.add_api_key(&STAFF, "LicenseSpring sample app", None, false, given).await?;
    let key = ActivationKey::parse(LICENSESPRING_KEY).map_err(|error| CliError::Fault(error.to_string()))?;
    let terms = Terms { seats: Limit::AtMost(25), ..Terms::default() };
    let sample = Issue {
        key: Some(key),
        users: vec![email(USER)],
        user_password: UserPassword::Given(USER_PASSWORD.to_owned()),
        ..sold("tp", USER, "L-3001", terms)
    };
    issue(desk, sample).await?;
    Ok(())
}

async fn sample_requests(desk: &Desk, folder: &Path, open: &ActivationKey, full: &ActivationKey) -> Result<(), CliError> {
    fs::create_dir_all(folder).map_err(|error| CliError::io("made", folder, &error))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        files::write_new(&path, bytes, false).map_err(|error| CliError::io("written", &path, &error))
    };
    write("activate.req", ask(desk, open, "airgap-3F0C21D8", "Air-gapped press")?.0.as_bytes())?;
    write("refused.req", ask(desk, full, "airgap-9B77E5A0", "Second machine of Ben")?.0.as_bytes())?;
    write("licensespring-activate.req", LICENSESPRING_ACTIVATE)?;
    write("licensespring-release.req", LICENSESPRING_RELEASE)?;

    // A machine that came by file wants to leave by file.
    let (first, pair) = ask(desk, open, "airgap-D4E81B66", "Retiring press")?;
    let answered = desk.answer_file(FileRequest { bytes: first.into_bytes(), door: "file", confirmed: false }).await?;
    if let Err(refused) = answered {
        return Err(CliError::Fault(format!("the demo's machine was refused: {}", refused.refusal.code())));
    }
    let id = desk.license_id(open).await?;
    let machine = RequestDevice::new(device("airgap-D4E81B66", "Retiring press").id);
    let release = request(desk, Act::Release, Grounds::License(id), machine, new_id());
    write("release.req", sign(&release, &pair)?.as_bytes())
}

fn new_id() -> String {
    uuid::Builder::from_random_bytes(random_bytes()).into_uuid().to_string()
}

fn request(desk: &Desk, act: Act, grounds: Grounds, device: RequestDevice, id: String) -> Request {
    let app = Some("Press Designer 4.2".to_owned());
    Request {
        act,
        product: code("press-4"),
        id,
        made_at: desk.now(),
        grounds,
        device: RequestDevice { app, ..device },
        usage: None,
        variables: Default::default(),
    }
}

/// A request of a machine with a new key of its own.
fn ask(desk: &Desk, key: &ActivationKey, id: &str, name: &str) -> Result<(String, KeyPair), CliError> {
    let pair = KeyPair::from_seed(&random_bytes());
    let request_id = new_id();
    let proof = KeyProof::new(key, pair.kid(), &request_id, &code("press-4"));
    let machine = device(id, name);
    let machine = RequestDevice { name: machine.name, os: machine.os, ..RequestDevice::new(machine.id) };
    let request = request(desk, Act::Activate, Grounds::KeyProof(proof), machine, request_id);
    Ok((sign(&request, &pair)?, pair))
}

fn sign(request: &Request, pair: &KeyPair) -> Result<String, CliError> {
    request.sign(pair).map_err(|problem| CliError::Fault(problem.to_string()))
}
