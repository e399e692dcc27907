//! Policy files (§9): what an air-gapped app is shipped with and reads its license from. It never changes, so nothing in it depends
//! on the day it was made.

use alloc::{borrow::ToOwned, string::String};

use serde_json::{Map, Value};

use super::{
    body::{BodyFacts, check_body},
    response::{AnswerFile, RsaSigner, canonical_members, finished, signature_v2},
};
use crate::licensing::{
    LicenseId, Timestamp,
    license::{License, LicenseState},
    product::{Policy, Product},
};

/// Members of a license that a policy has no word on: whose it is, and what became of it.
const OF_A_LICENSE: [&str; 14] = [
    "id",
    "license_active",
    "license_enabled",
    "license_type",
    "license_template_id",
    "order_store_id",
    "times_activated",
    "transfer_count",
    "customer",
    "is_expired",
    "is_borrowed",
    "borrowed_until",
    "is_hardware_key_auth",
    "max_license_users",
];

/// The file of a policy. `id`, `code`, `product` and `default_license_type` are what clients look for; the rest are the members of a
/// license with these terms. `license_signature_v2` is ours, over everything before it, for apps that want to check.
pub fn policy_file<E>(policy: &Policy, product: &Product, rsa: RsaSigner<'_, E>) -> Result<AnswerFile, E> {
    let license = License {
        id: LicenseId(0),
        product: product.id,
        key: None,
        state: LicenseState::Enabled,
        terms: policy.terms.clone(),
        seats_taken: 0,
        transfers_used: 0,
        first_activated: None,
        customer: None,
        order: None,
        policy: Some(policy.id),
        subscription: None,
        note: String::new(),
        created: Timestamp::from_millis(0),
        revision: 0,
    };
    let facts = BodyFacts {
        product,
        license: &license,
        activation: None,
        short_code: product.code.as_str(),
        customer: None,
        user: None,
        order: "",
        now: Timestamp::from_millis(0),
    };
    let mut file = Map::new();
    for (name, value) in [
        ("id", Value::from(policy.id.0)),
        ("code", policy.code.clone().into()),
        ("product", product.code.as_str().into()),
        ("default_license_type", policy.terms.kind.as_str().into()),
    ] {
        file.insert(name.to_owned(), value);
    }
    let members = check_body(&facts, true, None, None);
    file.extend(members.into_iter().filter(|(name, _)| !OF_A_LICENSE.contains(&name.as_str()) && !is_of_a_release(name)));
    canonical_members(&mut file);
    let signature = signature_v2(&file, false, rsa)?;
    file.insert("license_signature_v2".to_owned(), signature.into());
    Ok(finished(&file))
}

fn is_of_a_release(name: &str) -> bool {
    super::body::release_members(None).iter().any(|(member, _)| *member == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::{
        PolicyId, ProductCode, ProductId,
        files::base64,
        license::{Expiry, LicenseType, Terms},
        product::{Authorization, ProductRules, ProductState},
    };
    use alloc::vec::Vec;

    #[test]
    fn a_policy_file_holds_what_clients_look_for_and_nothing_of_a_license() {
        let product = Product {
            id: ProductId(7),
            code: ProductCode::parse("press-4").unwrap(),
            number: None,
            name: "Press Designer 4".to_owned(),
            authorization: Authorization::Key,
            state: ProductState::Enabled,
            rules: ProductRules::default(),
            created: Timestamp::from_millis(0),
            revision: 1,
        };
        let terms = Terms {
            kind: LicenseType::TimeLimited,
            air_gapped: true,
            expiry: Expiry::on(Timestamp::from_rfc3339("2027-03-02T00:00:00Z").unwrap()),
            ..Terms::default()
        };
        let policy =
            Policy { id: PolicyId(998), product: product.id, code: "island".to_owned(), name: "Island".to_owned(), terms };
        let signed = core::cell::RefCell::new(Vec::new());
        let rsa = |message: &[u8]| {
            signed.borrow_mut().extend_from_slice(message);
            Ok::<_, core::convert::Infallible>(alloc::vec![1, 2, 3])
        };
        let made = policy_file(&policy, &product, &rsa).unwrap();
        assert_eq!(base64::from_standard(&made.file).unwrap(), made.json.as_bytes());
        let text = core::str::from_utf8(&signed.borrow()).unwrap().to_owned();
        assert_eq!(made.json, alloc::format!("{},\"license_signature_v2\":\"AQID\"}}", text.strip_suffix('}').unwrap()));
        let head = r#"{"id":998,"code":"island","product":"press-4","default_license_type":"time-limited","#;
        assert!(made.json.starts_with(head), "{}", made.json);
        let file: Map<String, Value> = serde_json::from_str(&made.json).unwrap();
        assert_eq!(file["product_details"]["short_code"], "press-4");
        assert_eq!(file["validity_period"], "2027-03-02T00:00:00.000Z");
        assert_eq!(file["is_air_gapped"], true);
        for name in ["license_key", "license_type", "customer", "times_activated", "is_expired", "version", "device_id"] {
            assert!(!file.contains_key(name), "{name}");
        }
    }
}
