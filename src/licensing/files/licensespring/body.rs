//! A license as LicenseSpring's clients read it after an activation: members, order and spellings of `licensespring-v4.md` §6 and §7.1.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Map, Value, json};

use crate::licensing::{
    Timestamp,
    activation::Activation,
    license::{Entitlement, License, LicenseState, Limit, Meter, Period, TransferLimit},
    product::{FeatureKind, Product, Release},
};

/// Who the license belongs to, as far as a client may know: the address alone.
#[derive(Clone, Debug, Default)]
pub struct BodyUser {
    pub id: i64,
    pub email: String,
    pub is_initial_password: bool,
    /// How many machines the user may have; what the license has where none.
    pub seats: Option<u32>,
    pub seats_taken: u32,
}

/// Whose license it is. Name and company are empty where apps are told the address alone.
#[derive(Clone, Debug, Default)]
pub struct BodyCustomer {
    pub email: String,
    pub name: String,
    pub company: String,
    /// Id, name and code of the account the customer is in.
    pub account: Option<(i64, String, String)>,
}

/// What an activation answer is made of.
#[derive(Clone, Debug)]
pub struct BodyFacts<'a> {
    pub product: &'a Product,
    pub license: &'a License,
    /// The machine; none where a license is shown to its user.
    pub activation: Option<&'a Activation>,
    /// The product code as the request spelt it: clients compare it to the letter.
    pub short_code: &'a str,
    pub customer: Option<&'a BodyCustomer>,
    pub user: Option<&'a BodyUser>,
    /// The reference of the order it was sold in: what the shop calls it.
    pub order: &'a str,
    pub now: Timestamp,
}

/// LicenseSpring knows one company; this installation is it.
const COMPANY: i64 = 1;

/// As every answer names it.
#[must_use]
pub fn company() -> Value {
    json!({ "id": COMPANY })
}

/// The body of an activation answer, without the members a response adds (`request`, `hardware_id`, signatures).
#[must_use]
pub fn activation_body(facts: &BodyFacts<'_>) -> Map<String, Value> {
    let BodyFacts { product, license, activation, now, .. } = facts;
    let terms = &license.terms;
    let meter = terms.meter.as_ref();
    let instant = |at: Option<Timestamp>| at.map_or(Value::Null, |at| at.to_rfc3339().into());
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_string(), value);
    };
    put("id", license.id.0.into());
    put("active", true.into());
    put("allow_grace_period", (terms.grace_hours > 0).into());
    put("allow_overages", meter.is_some_and(allows_overages).into());
    put("allow_unlimited_activations", (terms.seats == Limit::Unlimited).into());
    put("allow_offline_activation", terms.offline_allowed.into());
    put("can_borrow", terms.floating.is_some_and(|floating| floating.borrow_hours > 0).into());
    let fields = terms.fields.iter().map(|(name, value)| json!({ "name": name, "data_type": "text", "value": value }));
    put("custom_fields", Value::Array(fields.collect()));
    put("customer", customer_value(facts.customer));
    put("company", company());
    if let Some(activation) = activation {
        put("device_id", activation.id.0.into());
    }
    let maintenance = terms.maintenance.instant(license.first_activated);
    put("enable_maintenance_period", maintenance.is_some().into());
    put("floating_timeout", product.rules.floating_timeout_minutes.into());
    put("grace_period", terms.grace_hours.into());
    put("is_air_gapped", terms.air_gapped.into());
    put("is_expired", license.use_ends().is_some_and(|end| end <= *now).into());
    put("is_floating_cloud", terms.floating.is_some().into());
    put("is_floating", false.into());
    let tpm_key = activation.and_then(|activation| activation.tpm_key.as_ref());
    put("is_hardware_key_auth", tpm_key.is_some().into());
    if let Some(key) = tpm_key {
        put("is_tpm_auth", true.into());
        put("tpm_signing_public_key", key.text().into());
    }
    put("is_trial", terms.trial.into());
    if let (Some(key), None) = (&license.key, facts.user) {
        put("license_key", key.text().into());
    }
    put("license_type", terms.kind.as_str().into());
    put("license_template_id", license.policy.map_or(Value::Null, |id| id.0.into()));
    put("maintenance_period", instant(maintenance));
    put("max_activations", terms.seats.most().unwrap_or(0).into());
    put("max_borrow_time", terms.floating.map_or(0, |floating| floating.borrow_hours).into());
    put("max_overages", meter.map_or(0, max_overages).into());
    put("max_transfers", max_transfers(terms.transfers));
    put("metadata", Value::Object(terms.metadata.clone()));
    put("prevent_vm", product.rules.refuse_virtual_machines.into());
    put("product_details", product_details(product, facts.short_code));
    put(
        "product_features",
        Value::Array(terms.entitlements.iter().enumerate().map(|feature| feature_value(product, feature)).collect()),
    );
    put("start_date", instant(terms.start));
    put("times_activated", license.seats_taken.into());
    put("transfer_count", license.transfers_used.into());
    put("validity_period", instant(license.valid_until()));
    if let Some(meter) = meter {
        for (name, value) in meter_members(meter, "max_consumptions") {
            put(name, value);
        }
    }
    if let Some(user) = facts.user {
        put("max_license_users", 1.into());
        put("user", user_value(user, license));
    }
    body
}

/// The members of a check, in their order (§7.3): those an activation has too are written alike.
const CHECK: [&str; 51] = [
    "id",
    "allow_grace_period",
    "allow_offline_activation",
    "allow_overages",
    "allow_unlimited_activations",
    "can_borrow",
    "enable_maintenance_period",
    "floating_timeout",
    "grace_period",
    "is_air_gapped",
    "is_floating",
    "is_floating_cloud",
    "is_hardware_key_auth",
    "is_tpm_auth",
    "tpm_signing_public_key",
    "is_trial",
    "license_active",
    "license_enabled",
    "license_key",
    "license_template_id",
    "license_type",
    "maintenance_period",
    "max_activations",
    "max_borrow_time",
    "max_license_users",
    "max_overages",
    "max_transfers",
    "order_store_id",
    "prevent_vm",
    "start_date",
    "times_activated",
    "transfer_count",
    "validity_period",
    "metadata",
    "custom_fields",
    "product_features",
    "customer",
    "company",
    "product_details",
    "max_consumptions",
    "total_consumptions",
    "allow_unlimited_consumptions",
    "reset_consumption",
    "consumption_period",
    "allow_negative_consumptions",
    "is_expired",
    "device_id",
    "is_borrowed",
    "borrowed_until",
    // The newest file to install stands between.
    "floating_in_use_devices",
    "floating_users",
];

/// The slots of a floating license, as a machine that has one sees them.
#[derive(Clone, Copy, Debug)]
pub struct BodySlot {
    /// With its own.
    pub in_use: u32,
    pub borrowed_until: Option<Timestamp>,
}

/// The body of a license check, without its signature. Features whose own end is past are left out unless asked for; `newest` is the
/// version to install.
#[must_use]
pub fn check_body(
    facts: &BodyFacts<'_>,
    include_expired_features: bool,
    newest: Option<&Release>,
    slot: Option<BodySlot>,
) -> Map<String, Value> {
    let terms = &facts.license.terms;
    let mut values = activation_body(facts);
    let borrowed_until = slot.and_then(|slot| slot.borrowed_until);
    let features = terms.entitlements.iter().enumerate();
    let lasts = |entitlement: &Entitlement| entitlement.valid_until.is_none_or(|until| facts.now < until);
    let features = features
        .filter(|(_, entitlement)| include_expired_features || lasts(entitlement))
        .map(|feature| feature_value(facts.product, feature));
    let details = json!({
        "product_id": facts.product.id.0, "product_name": facts.product.name, "short_code": facts.short_code,
        "authorization_method": if facts.product.authorization.by_key() { "license-key" } else { "user" }, "metadata": {},
    });
    for (name, value) in [
        ("license_active", Value::from(true)),
        ("license_enabled", true.into()),
        ("max_license_users", 1.into()),
        ("order_store_id", facts.order.into()),
        ("product_features", Value::Array(features.collect())),
        ("product_details", details),
        ("is_borrowed", borrowed_until.is_some().into()),
        ("borrowed_until", borrowed_until.map_or(Value::Null, |until| until.to_rfc3339().into())),
    ] {
        values.insert(name.to_string(), value);
    }
    if let Some(floating) = terms.floating {
        values.insert("floating_in_use_devices".to_string(), slot.map_or(0, |slot| slot.in_use).into());
        values.insert("floating_users".to_string(), floating.slots.into());
    }
    let mut body = Map::new();
    for name in CHECK {
        if name == "floating_in_use_devices" {
            body.extend(release_members(newest).map(|(name, value)| (name.to_string(), value)));
        }
        if let Some(value) = values.shift_remove(name) {
            body.insert(name.to_string(), value);
        }
    }
    if let Some(user) = values.shift_remove("user") {
        body.insert("user".to_string(), user);
    }
    body
}

/// A license as it is shown to its user, who has named no machine (§7.11).
#[must_use]
pub fn user_license_body(facts: &BodyFacts<'_>) -> Map<String, Value> {
    let mut license = check_body(facts, true, None, None);
    for (name, _) in release_members(None) {
        license.shift_remove(name);
    }
    for name in ["license_key", "is_borrowed", "borrowed_until", "floating_in_use_devices"] {
        license.shift_remove(name);
    }
    license.insert("license_enabled".to_string(), (facts.license.state == LicenseState::Enabled).into());
    license.insert("license_active".to_string(), (facts.license.seats_taken > 0).into());
    if facts.license.terms.trial {
        license.insert("trial_days".to_string(), facts.product.rules.trial_days.into());
    }
    let user = license.shift_remove("user").unwrap_or_default();
    Map::from_iter([("license".to_string(), Value::Object(license)), ("user".to_string(), user)])
}

/// The answer to a consumption of the license itself (§7.5): members of its counter, in the order of this call.
#[must_use]
pub fn consumption_body(license: &License) -> Map<String, Value> {
    const AFTER_ID: [&str; 8] = [
        "max_consumptions",
        "allow_unlimited_consumptions",
        "allow_negative_consumptions",
        "allow_overages",
        "max_overages",
        "reset_consumption",
        "consumption_period",
        "total_consumptions",
    ];
    let mut body = Map::from_iter([("id".to_string(), license.id.0.into())]);
    body.extend(picked(license.terms.meter.as_ref(), "max_consumptions", &AFTER_ID));
    body.insert("company".to_string(), company());
    body
}

/// The answer to a consumption of a feature. Its allowance is spelt as a license's here, and nowhere else.
#[must_use]
pub fn feature_consumption_body(product: &Product, license: &License, code: &str) -> Option<Map<String, Value>> {
    const AFTER_COMPANY: [&str; 8] = [
        "total_consumptions",
        "max_consumptions",
        "allow_negative_consumptions",
        "allow_unlimited_consumptions",
        "allow_overages",
        "max_overages",
        "reset_consumption",
        "consumption_period",
    ];
    let (place, entitlement) = license.entitlement(code)?;
    let mut body = feature_head(place, license);
    body.insert("company".to_string(), company());
    body.extend(picked(entitlement.meter.as_ref(), "max_consumptions", &AFTER_COMPANY));
    body.insert("is_floating".to_string(), false.into());
    body.insert("is_floating_cloud".to_string(), entitlement.floating.is_some().into());
    if let Some(slots) = entitlement.floating {
        body.insert("floating_timeout".to_string(), product.rules.floating_timeout_minutes.into());
        body.insert("floating_users".to_string(), slots.into());
    }
    Some(body)
}

/// The answer to a check of one feature (§7.4); of a floating one with how many machines use it.
#[must_use]
pub fn feature_body(
    license: &License,
    code: &str,
    metadata_string: bool,
    slots_in_use: Option<u32>,
) -> Option<Map<String, Value>> {
    const AFTER_EXPIRY: [&str; 8] = [
        "consumption_period",
        "allow_negative_consumptions",
        "allow_overages",
        "allow_unlimited_consumptions",
        "max_consumption",
        "max_overages",
        "reset_consumption",
        "total_consumptions",
    ];
    let (place, entitlement) = license.entitlement(code)?;
    let mut body = feature_head(place, license);
    for (name, value) in [
        ("code", Value::from(entitlement.code.clone())),
        ("name", entitlement.name.clone().into()),
        ("feature_type", entitlement.kind.as_str().into()),
        ("company", company()),
        ("metadata", json!({})),
        ("is_floating", false.into()),
        ("is_floating_cloud", entitlement.floating.is_some().into()),
        ("expiry_date", entitlement.valid_until.map_or(Value::Null, |at| at.to_rfc3339().into())),
    ] {
        body.insert(name.to_string(), value);
    }
    if entitlement.kind == FeatureKind::Consumption {
        body.extend(picked(entitlement.meter.as_ref(), "max_consumption", &AFTER_EXPIRY));
    }
    if let Some(in_use) = slots_in_use {
        body.insert("floating_in_use_devices".to_string(), in_use.into());
    }
    if metadata_string {
        body.insert("metadata_string".to_string(), "{}".into());
    }
    Some(body)
}

fn feature_head(place: usize, license: &License) -> Map<String, Value> {
    Map::from_iter([("id".to_string(), (place as u64 + 1).into()), ("license_id".to_string(), license.id.0.into())])
}

/// A meter's members in another order.
fn picked(meter: Option<&Meter>, max: &'static str, order: &[&'static str]) -> Vec<(String, Value)> {
    let members = meter.map(|meter| meter_members(meter, max)).unwrap_or_default();
    let find = |name: &&'static str| members.iter().find(|(known, _)| known == name);
    order.iter().filter_map(find).map(|(name, value)| (name.to_string(), value.clone())).collect()
}

/// The members that describe a version to install, or that there is none.
#[must_use]
pub fn release_members(release: Option<&Release>) -> [(&'static str, Value); 10] {
    let text = |of: fn(&Release) -> &String| Value::from(release.map(of).cloned().unwrap_or_default());
    let file = release.map(|release| &release.file);
    let size = file.and_then(|file| file.size).map(|size| size.to_string());
    let requires = file.and_then(|file| file.requires).map(|number| number.to_string());
    let version = release.map(|release| format!("{}.{}", release.version.major, release.version.minor));
    [
        ("version", version.unwrap_or_default().into()),
        ("installation_file", text(|release| &release.file.url)),
        ("release_date", release.map_or(Value::Null, |release| release.version.released.to_rfc3339().into())),
        ("hash_md5", text(|release| &release.file.hash)),
        ("requires_version", requires.unwrap_or_default().into()),
        ("environment", text(|release| &release.env)),
        ("eula_link", text(|release| &release.file.eula)),
        ("release_notes_link", text(|release| &release.file.notes)),
        ("size", size.unwrap_or_default().into()),
        ("channel", text(|release| &release.channel)),
    ]
}

pub(super) fn max_transfers(limit: TransferLimit) -> Value {
    match limit {
        TransferLimit::Unlimited => 0.into(),
        TransferLimit::Forbidden => (-1).into(),
        TransferLimit::AtMost(most) => most.into(),
    }
}

/// How many machines a user may have: no more than the license has. 0 where there is no limit.
pub(super) fn user_seats(seats: Option<u32>, license: &License) -> u32 {
    seats.into_iter().chain(license.terms.seats.most()).min().unwrap_or(0)
}

fn user_value(user: &BodyUser, license: &License) -> Value {
    json!({
        "id": user.id, "email": user.email, "first_name": "", "last_name": "", "phone_number": "",
        "is_initial_password": user.is_initial_password,
        "max_activations": user_seats(user.seats, license),
        "allow_unlimited_activations": user.seats.is_none() && license.terms.seats == Limit::Unlimited,
        "total_activations": user.seats_taken,
    })
}

/// In the order of §6.
fn customer_value(customer: Option<&BodyCustomer>) -> Value {
    let (email, company, first, last) = told(customer);
    json!({
        "email": email, "company_name": company, "reference": "", "phone": "", "first_name": first, "last_name": last, "city": "",
        "postcode": "", "state": "", "country": "", "address": "",
        "customer_account": account_value(customer), "metadata": {},
    })
}

/// The account of a customer, as every answer names it.
pub(super) fn account_value(customer: Option<&BodyCustomer>) -> Value {
    let account = customer.and_then(|customer| customer.account.as_ref());
    account.map_or(Value::Null, |(id, name, code)| json!({ "id": id, "name": name, "code": code }))
}

/// The address, the company, and the name as a given and a family name: it is kept as one.
pub(super) fn told(customer: Option<&BodyCustomer>) -> (&str, &str, &str, &str) {
    let Some(customer) = customer else { return ("", "", "", "") };
    let (first, last) = customer.name.trim().rsplit_once(' ').unwrap_or((customer.name.trim(), ""));
    (&customer.email, &customer.company, first.trim_end(), last)
}

fn product_details(product: &Product, short_code: &str) -> Value {
    json!({
        "product_id": product.id.0, "product_name": product.name, "short_code": short_code,
        "allow_trial": product.rules.trial_days > 0, "trial_days": product.rules.trial_days,
        "authorization_method": if product.authorization.by_key() { "license-key" } else { "user" },
        "allow_overages": false, "max_overages": 0, "prevent_vm": product.rules.refuse_virtual_machines, "validity_period": null,
        "floating_timeout": product.rules.floating_timeout_minutes, "company_id": COMPANY, "metadata": {},
    })
}

pub(super) fn feature_value(product: &Product, (place, entitlement): (usize, &Entitlement)) -> Value {
    let mut members = Map::new();
    members.insert("id".into(), (place as u64 + 1).into());
    members.insert("code".into(), entitlement.code.clone().into());
    members.insert("name".into(), entitlement.name.clone().into());
    members.insert("feature_type".into(), entitlement.kind.as_str().into());
    members.insert("expiry_date".into(), entitlement.valid_until.map_or(Value::Null, |at| at.to_rfc3339().into()));
    members.insert("metadata".into(), json!({}));
    if let (FeatureKind::Consumption, Some(meter)) = (entitlement.kind, &entitlement.meter) {
        members.extend(meter_members(meter, "max_consumption").into_iter().map(|(name, value)| (name.to_string(), value)));
    }
    members.insert("is_floating".into(), false.into());
    members.insert("is_floating_cloud".into(), entitlement.floating.is_some().into());
    if let Some(slots) = entitlement.floating {
        members.insert("floating_timeout".into(), product.rules.floating_timeout_minutes.into());
        members.insert("floating_users".into(), slots.into());
    }
    Value::Object(members)
}

/// A meter's members; the allowance is spelt `max_consumption` in a feature and `max_consumptions` in a license.
fn meter_members(meter: &Meter, max: &'static str) -> Vec<(&'static str, Value)> {
    Vec::from([
        (max, meter.max.most().unwrap_or(0).into()),
        ("allow_unlimited_consumptions", (meter.max == Limit::Unlimited).into()),
        ("total_consumptions", meter.used.into()),
        ("allow_overages", allows_overages(meter).into()),
        ("max_overages", max_overages(meter).into()),
        ("reset_consumption", meter.period.is_some().into()),
        ("consumption_period", meter.period.map_or(Value::Null, |period: Period| period.as_str().into())),
        ("allow_negative_consumptions", meter.negatives.into()),
    ])
}

const fn allows_overages(meter: &Meter) -> bool {
    !matches!(meter.overage, Limit::AtMost(0))
}

/// 0 beside `allow_overages` means unlimited.
fn max_overages(meter: &Meter) -> u32 {
    meter.overage.most().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::{
        ActivationId, ActivationKey, DeviceId, LicenseId, PolicyId, ProductCode, ProductId,
        activation::{Device, How},
        license::{Expiry, Floating, LicenseState, LicenseType, Maintenance, Terms},
        product::{Authorization, ProductRules, ProductState},
    };
    use alloc::borrow::ToOwned;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn product() -> Product {
        Product {
            id: ProductId(7),
            code: ProductCode::parse("Press").unwrap(),
            number: None,
            name: "Press Ünïcode".to_owned(),
            authorization: Authorization::Both,
            state: ProductState::Enabled,
            rules: ProductRules { trial_days: 5, ..ProductRules::default() },
            created: NOW,
            revision: 1,
        }
    }

    fn license() -> License {
        let meter = Meter {
            used: 3,
            max: Limit::AtMost(10),
            overage: Limit::Unlimited,
            period: Some(Period::Monthly),
            negatives: true,
            resets_at: None,
        };
        let jobs = Entitlement {
            code: "jobs".to_owned(),
            name: "Jobs".to_owned(),
            kind: FeatureKind::Consumption,
            valid_until: Some(NOW),
            meter: Some(meter),
            floating: None,
        };
        let export = Entitlement {
            code: "export".to_owned(),
            kind: FeatureKind::Activation,
            valid_until: None,
            meter: None,
            ..jobs.clone()
        };
        License {
            id: LicenseId(1_744_810_240_166_049),
            product: ProductId(7),
            key: Some(ActivationKey::parse("FUH3-4E7A-LZJL-7JTP").unwrap()),
            state: LicenseState::Enabled,
            terms: Terms {
                kind: LicenseType::Consumption,
                seats: Limit::AtMost(2),
                expiry: Expiry { on: Some(Timestamp::from_seconds(1_800_057_600)), ..Expiry::NEVER },
                grace_hours: 48,
                maintenance: Maintenance::Until(Timestamp::from_seconds(1_800_057_600)),
                transfers: TransferLimit::Forbidden,
                floating: Some(Floating { slots: 4, borrow_hours: 24 }),
                meter: Some(meter),
                entitlements: Vec::from([jobs, export]),
                fields: [("site".to_owned(), "Örebro".to_owned())].into(),
                ..Terms::default()
            },
            seats_taken: 1,
            transfers_used: 0,
            first_activated: Some(NOW),
            customer: None,
            order: None,
            policy: Some(PolicyId(1125)),
            subscription: None,
            note: String::new(),
            created: NOW,
            revision: 1,
        }
    }

    fn body(user: Option<&BodyUser>) -> String {
        let (product, license) = (product(), license());
        let device = Device::bare(DeviceId::parse("HW-1").unwrap());
        let activation = Activation { id: ActivationId(55), ..Activation::new(license.id, device, How::Offline, NOW) };
        let facts = BodyFacts {
            product: &product,
            license: &license,
            activation: Some(&activation),
            short_code: "press",
            customer: Some(&BodyCustomer { email: "ann@customer.example".to_owned(), ..BodyCustomer::default() }),
            user,
            order: "A-1001",
            now: NOW,
        };
        Value::Object(activation_body(&facts)).to_string()
    }

    /// Members, order, dates and the long `product_details` of §6 and §7.1, byte for byte: clients verify these bytes.
    #[test]
    fn an_activation_is_written_as_clients_read_it() {
        assert_eq!(
            body(None),
            concat!(
                r#"{"id":1744810240166049,"active":true,"allow_grace_period":true,"allow_overages":true,"allow_unlimited_activations":false,"#,
                r#""allow_offline_activation":true,"can_borrow":true,"custom_fields":[{"name":"site","data_type":"text","value":"Örebro"}],"#,
                r#""customer":{"email":"ann@customer.example","company_name":"","reference":"","phone":"","first_name":"","last_name":"","#,
                r#""city":"","postcode":"","state":"","country":"","address":"","customer_account":null,"metadata":{}},"company":{"id":1},"#,
                r#""device_id":55,"enable_maintenance_period":true,"floating_timeout":120,"grace_period":48,"is_air_gapped":false,"#,
                r#""is_expired":false,"is_floating_cloud":true,"is_floating":false,"is_hardware_key_auth":false,"is_trial":false,"#,
                r#""license_key":"FUH3-4E7A-LZJL-7JTP","license_type":"consumption","license_template_id":1125,"#,
                r#""maintenance_period":"2027-01-16T00:00:00.000Z","max_activations":2,"max_borrow_time":24,"max_overages":0,"#,
                r#""max_transfers":-1,"metadata":{},"prevent_vm":false,"product_details":{"product_id":7,"product_name":"Press Ünïcode","#,
                r#""short_code":"press","allow_trial":true,"trial_days":5,"authorization_method":"license-key","allow_overages":false,"#,
                r#""max_overages":0,"prevent_vm":false,"validity_period":null,"floating_timeout":120,"company_id":1,"metadata":{}},"#,
                r#""product_features":[{"id":1,"code":"jobs","name":"Jobs","feature_type":"consumption","#,
                r#""expiry_date":"2026-11-18T11:06:40.000Z","metadata":{},"max_consumption":10,"allow_unlimited_consumptions":false,"#,
                r#""total_consumptions":3,"allow_overages":true,"max_overages":0,"reset_consumption":true,"consumption_period":"monthly","#,
                r#""allow_negative_consumptions":true,"is_floating":false,"is_floating_cloud":false},{"id":2,"code":"export","name":"Jobs","#,
                r#""feature_type":"activation","expiry_date":null,"metadata":{},"is_floating":false,"is_floating_cloud":false}],"#,
                r#""start_date":null,"times_activated":1,"transfer_count":0,"validity_period":"2027-01-16T00:00:00.000Z","#,
                r#""max_consumptions":10,"allow_unlimited_consumptions":false,"total_consumptions":3,"#,
                r#""reset_consumption":true,"consumption_period":"monthly","allow_negative_consumptions":true}"#,
            )
        );
    }

    /// A user's body has no key, and the user before the signatures.
    #[test]
    fn a_users_activation_names_the_user_and_no_key() {
        let user = BodyUser {
            id: 3469,
            email: "bob@customer.example".to_owned(),
            is_initial_password: true,
            seats: None,
            seats_taken: 1,
        };
        let body = body(Some(&user));
        assert!(!body.contains("license_key\":\"FUH3"));
        let tail = r#""max_license_users":1,"user":{"id":3469,"email":"bob@customer.example","first_name":"","last_name":"","phone_number":"","is_initial_password":true,"max_activations":2,"allow_unlimited_activations":false,"total_activations":1}}"#;
        assert!(body.ends_with(tail), "{body}");
    }
}
