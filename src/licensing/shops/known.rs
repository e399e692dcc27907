//! The shops that are known from the start, as data. Written from the providers' public lists of fields.

use alloc::{borrow::ToOwned, format, string::String, vec, vec::Vec};

use super::{Condition, Rule, RuleAct, ShopMap, ShopReply};
use crate::licensing::qlm::providers;

/// Class and map.
pub const KNOWN: [(&str, &str); 11] = [
    ("avangate", include_str!("known/avangate.json")),
    ("chargify", include_str!("known/chargify.json")),
    ("fastspring", include_str!("known/fastspring.json")),
    ("gumroad", include_str!("known/gumroad.json")),
    ("lemonsqueezy", include_str!("known/lemonsqueezy.json")),
    ("paddle", include_str!("known/paddle.json")),
    ("paypal", include_str!("known/paypal.json")),
    ("shopify", include_str!("known/shopify.json")),
    ("stripe", include_str!("known/stripe.json")),
    ("ultracart", include_str!("known/ultracart.json")),
    ("woocommerce", include_str!("known/woocommerce.json")),
];

/// The map of a class; of one that has none of its own, one that reads an order by the names of the class (§5).
#[must_use]
pub fn default_map(class: &str) -> ShopMap {
    let fields = providers::fields(class);
    let known = KNOWN.iter().find(|(name, _)| *name == class).and_then(|(_, text)| ShopMap::parse(text).ok());
    if let Some(known) = known {
        return ShopMap { call: known.call.or(Some(fields)), ..known };
    }
    let rule = |path: &String| Rule {
        when: vec![Condition { path: path.clone(), is: Vec::new(), less_than: String::new() }],
        act: RuleAct::Order,
        order: vec![path.clone()],
        subscription: fields.subscription.clone(),
        ordered: Vec::new(),
        until: Vec::new(),
        items: vec![String::new()],
        product: [class, "pid"]
            .iter()
            .flat_map(|begin| ["productid", "product_id"].map(|path| format!("{begin}_{{{path}}}")))
            .chain(["{sku}".to_owned()])
            // As QLM's properties are called.
            .chain((class == "salesforce").then(|| "salesforce_pid_{productid}".to_owned()))
            .collect(),
        // A generator of keys is called for each item of an order, by its number in it.
        item: vec!["running_no".to_owned()],
        key: fields.key.clone(),
        literal: Vec::new(),
        passed_on: Vec::new(),
        arguments: vec![String::new()],
        // MyCommerce's field for what an app passes along.
        user_data: if class == "shareit" { vec!["additional1".to_owned()] } else { Vec::new() },
        quantity: fields.quantity.clone(),
        amount: Vec::new(),
        currency: Vec::new(),
    };
    ShopMap {
        email: fields.email.clone(),
        name: fields.name.clone(),
        last_name: fields.last_name.clone(),
        company: fields.company.clone(),
        rules: fields.order.iter().map(rule).collect(),
        call: Some(fields.clone()),
        // A generator of keys: what it is answered goes to the buyer.
        answer: if class == "shareit" { ShopReply::Keys } else { ShopReply::Taken },
        ..ShopMap::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_map_reads_and_is_written_as_it_reads() {
        for (class, text) in KNOWN {
            let map = ShopMap::parse(text).unwrap_or_else(|error| panic!("{class}: {error}"));
            assert_eq!(ShopMap::parse(&map.text()).as_ref(), Ok(&map), "{class}");
            assert!(!map.rules.is_empty(), "{class}");
        }
        // Maps of before said where a phone is.
        let with_phone = r#"{"phone":["a.phone"],"rules":[{"act":"nothing"}]}"#;
        assert!(ShopMap::kept(with_phone).is_some_and(|map| !map.text().contains("phone")));
        for class in ["bluesnap", "zapier", "another"] {
            assert!(!default_map(class).rules.is_empty(), "{class}");
        }
    }
}
