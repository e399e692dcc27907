//! A trial as LicenseSpring's clients read it: members, order and spellings of `licensespring-v4.md` §7.7.

use alloc::{
    format,
    string::{String, ToString},
};

use serde_json::{Map, Value, json};

use super::body::{company, feature_value, max_transfers};
use crate::licensing::{
    license::{License, Limit},
    product::Product,
};

/// What the answer to a request for a trial is made of.
#[derive(Clone, Copy, Debug)]
pub struct TrialFacts<'a> {
    pub product: &'a Product,
    pub license: &'a License,
    /// The named user's id and address, where licenses are by user.
    pub user: Option<(i64, &'a str)>,
    /// Of a trial that is made now, where no password was given; empty otherwise.
    pub initial_password: &'a str,
}

/// A trial that was made now.
#[must_use]
pub fn trial_body(facts: &TrialFacts<'_>) -> Map<String, Value> {
    let TrialFacts { product, license, user, .. } = facts;
    let terms = &license.terms;
    let meter = terms.meter.as_ref();
    let days = terms.expiry.days_after_first_activation;
    let fields = terms.fields.values().enumerate();
    let fields = fields.map(|(place, value)| json!({ "product_custom_field_id": place + 1, "value": value }));
    let mut body = Map::new();
    for (name, value) in [
        ("id", Value::from(license.id.0)),
        ("order_id", license.order.map_or(Value::Null, |order| order.0.into())),
        ("product_id", product.id.0.into()),
        ("created_at", license.created.millis().into()),
        ("updated_at", license.created.millis().into()),
        ("times_activated", 0.into()),
        ("is_trial", true.into()),
        ("active", false.into()),
        ("enabled", true.into()),
        ("is_floating", false.into()),
        ("max_activations", terms.seats.most().unwrap_or(0).into()),
        ("trial_days", days.unwrap_or(product.rules.trial_days).into()),
        ("license_type", terms.kind.as_str().into()),
        ("max_transfers", max_transfers(terms.transfers)),
        ("prevent_vm", product.rules.refuse_virtual_machines.into()),
        ("enable_maintenance_period", terms.maintenance.instant(None).is_some().into()),
        ("maintenance_duration", Value::Null),
        ("metadata", Value::Object(terms.metadata.clone())),
        ("is_hardware_key_auth", false.into()),
        ("company", company()),
        (
            "LicenseProductFeatures",
            Value::Array(terms.entitlements.iter().enumerate().map(|feature| feature_value(product, feature)).collect()),
        ),
        ("LicenseCustomFields", Value::Array(fields.collect())),
    ] {
        body.insert(name.to_string(), value);
    }
    if user.is_none() {
        body.insert("license_key".to_string(), license.key.as_ref().map(|key| key.text()).into());
    }
    for (name, value) in [
        ("allow_overages", meter.is_some_and(|meter| meter.overage != Limit::AtMost(0)).into()),
        ("max_overages", meter.and_then(|meter| meter.overage.most()).unwrap_or(0).into()),
        ("max_consumptions", meter.and_then(|meter| meter.max.most()).unwrap_or(0).into()),
        ("valid_duration", days.map_or(Value::Null, |days| format!("{days}d").into())),
        ("consumption_period", meter.and_then(|meter| meter.period).map_or(Value::Null, |period| period.as_str().into())),
        ("reset_consumption", meter.is_some_and(|meter| meter.period.is_some()).into()),
    ] {
        body.insert(name.to_string(), value);
    }
    if let Some((id, _)) = user {
        body.insert("license_user_id".to_string(), (*id).into());
        body.insert("max_license_users".to_string(), 1.into());
    }
    who(&mut body, facts);
    body
}

/// A trial that was begun before. A client in Python fails where a user's has no password, so it is there and empty.
#[must_use]
pub fn trial_again_body(facts: &TrialFacts<'_>) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("license_type".to_string(), facts.license.terms.kind.as_str().into());
    body.insert("is_trial".to_string(), true.into());
    who(&mut body, facts);
    body
}

/// What the client activates with.
fn who(body: &mut Map<String, Value>, facts: &TrialFacts<'_>) {
    match facts.user {
        Some((_, email)) => {
            body.insert("license_user".to_string(), email.into());
            body.insert("initial_password".to_string(), facts.initial_password.into());
        }
        None => {
            body.insert("license".to_string(), facts.license.key.as_ref().map(|key| key.text()).into());
        }
    }
}
