//! The shops that are known from the start, as data. Written from the providers' public lists of fields.

use alloc::borrow::ToOwned;

use super::{Condition, Rule, RuleAct, ShopMap};
use crate::licensing::qlm::providers;

/// Class and map.
pub const KNOWN: [(&str, &str); 10] = [
    ("avangate", include_str!("known/avangate.json")),
    ("chargify", include_str!("known/chargify.json")),
    ("fastspring", include_str!("known/fastspring.json")),
    ("gumroad", include_str!("known/gumroad.json")),
    ("lemonsqueezy", include_str!("known/lemonsqueezy.json")),
    ("paddle", include_str!("known/paddle.json")),
    ("paypal", include_str!("known/paypal.json")),
    ("shopify", include_str!("known/shopify.json")),
    ("stripe", include_str!("known/stripe.json")),
    ("woocommerce", include_str!("known/woocommerce.json")),
];

/// The map of a class; of one that has none of its own, one that reads an order by the names of the class (§5).
#[must_use]
pub fn default_map(class: &str) -> ShopMap {
    let known = KNOWN.iter().find(|(name, _)| *name == class).and_then(|(_, text)| ShopMap::parse(text).ok());
    known.unwrap_or_else(|| {
        let fields = providers::fields(class);
        let owned = |names: &[&str]| names.iter().filter(|name| !name.is_empty()).map(|name| (*name).to_owned()).collect();
        let order: alloc::vec::Vec<_> = owned(&fields.order);
        ShopMap {
            email: owned(&fields.email),
            name: owned(&fields.name),
            last_name: owned(&fields.last_name),
            company: owned(&fields.company),
            phone: owned(&fields.phone),
            rules: order
                .iter()
                .map(|path| Rule {
                    when: [Condition { path: path.clone(), is: alloc::vec::Vec::new() }].to_vec(),
                    act: RuleAct::Order,
                    order: [path.clone()].to_vec(),
                    subscription: owned(&fields.subscription),
                    ordered: alloc::vec::Vec::new(),
                    until: alloc::vec::Vec::new(),
                    items: [alloc::string::String::new()].to_vec(),
                    product: owned(&["pid_{productid}", "pid_{product_id}", "{sku}"]),
                    literal: alloc::vec::Vec::new(),
                    arguments: [alloc::string::String::new()].to_vec(),
                    quantity: owned(&fields.quantity),
                    amount: alloc::vec::Vec::new(),
                    currency: alloc::vec::Vec::new(),
                })
                .collect(),
            ..ShopMap::default()
        }
    })
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
        for class in ["bluesnap", "zapier", "another"] {
            assert!(!default_map(class).rules.is_empty(), "{class}");
        }
    }
}
