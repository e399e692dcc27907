//! What LicenseSpring's clients list: products, a machine's licenses, the users of a customer (`licensespring-v4.md` §7.11, §7.13).

use alloc::{string::ToString, vec::Vec};

use serde_json::{Map, Value, json};

use super::body::{BodyCustomer, BodyFacts, account_value, check_body, company, release_members, told, user_seats};
use crate::licensing::{
    license::{License, LicenseState, Limit},
    product::{Feature, Product, ProductState},
};

/// A product, as the list of all of them shows it.
#[must_use]
pub fn product_row(product: &Product, features: &[Feature]) -> Value {
    let rules = &product.rules;
    let by_key = product.authorization.by_key();
    let features = features.iter().map(|feature| {
        json!({
            "id": feature.id.0, "code": feature.code, "feature_type": feature.kind.as_str(), "max_consumption": 0, "metadata": {},
        })
    });
    json!({
        "created_at": product.created.to_rfc3339(), "updated_at": product.created.to_rfc3339(), "id": product.id.0,
        "product_name": product.name, "short_code": product.code.as_str(), "active": product.state == ProductState::Enabled,
        "valid_duration": "", "trial_days": rules.trial_days, "max_activations": 1, "hardware_id_required": true, "is_upgrade": false,
        "company_id": company()["id"], "allow_trial": rules.trial_days > 0, "enable_maintenance_period": false, "floating_users": 0,
        "is_floating": false, "is_node_locked": true, "is_user_locked": !by_key, "maintenance_duration": "", "subscription_duration": "",
        "default_license_type": "perpetual", "max_consumptions": 0, "authorization_method": if by_key { "license-key" } else { "user" },
        "prevent_vm": rules.refuse_virtual_machines, "allow_overages": false, "consumption_period": null, "max_overages": 0,
        "reset_consumption": false, "is_archived": product.state == ProductState::Archived, "is_floating_cloud": false,
        "floating_timeout": rules.floating_timeout_minutes, "is_bundle": false, "metadata": {}, "features": features.collect::<Vec<_>>(),
    })
}

/// A license of a machine, whatever state it is in. Days stand as days here.
#[must_use]
pub fn device_license_row(facts: &BodyFacts<'_>) -> Value {
    const FIRST: [&str; 14] = [
        "id",
        "order_store_id",
        "license_active",
        "license_enabled",
        "license_type",
        "license_key",
        "is_trial",
        "max_license_users",
        "validity_period",
        "enable_maintenance_period",
        "maintenance_period",
        "allow_grace_period",
        "grace_period",
        "max_activations",
    ];
    let mut license = check_body(facts, true, None, None);
    for (name, _) in release_members(None) {
        license.shift_remove(name);
    }
    for name in ["is_borrowed", "borrowed_until", "floating_in_use_devices"] {
        license.shift_remove(name);
    }
    license.insert("license_enabled".to_string(), (facts.license.state == LicenseState::Enabled).into());
    let active = facts.activation.is_some_and(|activation| activation.state.holds_seat());
    license.insert("license_active".to_string(), active.into());
    for name in ["validity_period", "maintenance_period"] {
        if let Some(Value::String(instant)) = license.get_mut(name) {
            instant.truncate("2026-05-15".len());
        }
    }
    let mut row = Map::new();
    for name in FIRST {
        row.extend(license.shift_remove(name).map(|value| (name.to_string(), value)));
    }
    row.extend(license);
    Value::Object(row)
}

/// A user of a customer's license. The first password is never told: it is kept hashed.
#[derive(Clone, Debug)]
pub struct ListedUser<'a> {
    pub email: &'a str,
    pub is_initial_password: bool,
    pub seats: Option<u32>,
    pub seats_taken: u32,
    pub license: &'a License,
    pub order_reference: &'a str,
}

#[must_use]
pub fn customer_users_body(customer: &BodyCustomer, users: &[ListedUser<'_>]) -> Map<String, Value> {
    let (email, company_name, first, last) = told(Some(customer));
    let account = account_value(Some(customer));
    // In an order of this call's own.
    let customer = json!({
        "email": email, "first_name": first, "last_name": last, "company_name": company_name, "phone": "", "reference": "", "address": "",
        "postcode": "", "city": "", "country": "", "state": "", "customer_account": account, "metadata": {},
    });
    let users = users.iter().map(|user| {
        let license = user.license;
        json!({
            "email": user.email, "is_active": user.seats_taken > 0, "first_name": "", "last_name": "", "phone_number": "",
            "is_initial_password": user.is_initial_password, "initial_password": "",
            "max_activations": user_seats(user.seats, license), "total_activations": user.seats_taken,
            "allow_unlimited_activations": user.seats.is_none() && license.terms.seats == Limit::Unlimited,
            "license_id": license.id.0,
            "order_store_id": user.order_reference, "order_id": license.order.map_or(Value::Null, |order| order.0.into()),
        })
    });
    Map::from_iter([
        ("company".to_string(), company()),
        ("customer".to_string(), customer),
        ("users".to_string(), Value::Array(users.collect())),
    ])
}
