//! What each shop that calls names the parts of an order (§5), as data: a vendor edits it with the shop's map. Names in lower case; where
//! several are given, the first that has a value counts.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

/// The names of an order's parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fields {
    pub order: Vec<String>,
    pub quantity: Vec<String>,
    pub subscription: Vec<String>,
    /// When it was ordered.
    pub ordered: Vec<String>,
    /// The key a buyer typed, of shops that have a field of their own for it.
    pub key: Vec<String>,
    pub email: Vec<String>,
    pub name: Vec<String>,
    /// Of shops that send it apart.
    pub last_name: Vec<String>,
    pub company: Vec<String>,
}

impl Fields {
    /// The same with names as calls have them: in lower case.
    #[must_use]
    pub fn folded(mut self) -> Self {
        let all = [
            &mut self.order,
            &mut self.quantity,
            &mut self.subscription,
            &mut self.ordered,
            &mut self.key,
            &mut self.email,
            &mut self.name,
            &mut self.last_name,
            &mut self.company,
        ];
        for name in all.into_iter().flatten() {
            *name = name.trim().to_ascii_lowercase();
        }
        self
    }
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Those of a kind of extension; of one that is not known, the plain names.
#[must_use]
pub fn fields(class: &str) -> Fields {
    let plain = Fields {
        order: named(&["orderid", "ordernumber"]),
        quantity: named(&["quantity"]),
        subscription: named(&["subscriptionid", "subscription_id"]),
        ordered: named(&["orderdate", "order_date"]),
        key: named(&["custom_referrer"]),
        email: named(&["email", "is_email"]),
        name: named(&["name", "fullname"]),
        last_name: Vec::new(),
        company: named(&["company", "compay"]),
    };
    match class {
        "avangate" => Fields {
            order: named(&["refno", "orderno"]),
            subscription: named(&["ipn_license_ref[]", "ipn_license_ref"]),
            email: named(&["email", "customeremail"]),
            name: named(&["name", "firstname"]),
            last_name: named(&["lastname"]),
            ..plain
        },
        "bluesnap" | "plimus" | "regnow" | "digibuy" => Fields { order: named(&["order_id", "orderid"]), ..plain },
        "chargify" => Fields { name: named(&["fullname", "name"]), ..plain },
        // `reg_name` is the company's, where there is one.
        "cleverbridge" => Fields {
            order: named(&["purchase_id", "orderid"]),
            name: named(&["firstname", "reg_name", "name"]),
            last_name: named(&["lastname"]),
            ..plain
        },
        "fastspring" => Fields {
            order: named(&["reference", "orderid"]),
            subscription: named(&["subscriptionreference", "subscription"]),
            company: named(&["customercompany", "company"]),
            ..plain
        },
        "stripe" => {
            Fields { order: named(&["ordernumber", "orderid"]), company: named(&["customercompany", "company"]), ..plain }
        }
        "paymotion" => Fields { order: named(&["ordernumber", "orderid"]), ..plain },
        "shopify" => Fields { order: named(&["ordernumber", "orderid"]), ..plain },
        "paypal" => Fields {
            order: named(&["txn_id", "parent_txn_id"]),
            subscription: named(&["subscr_id", "recurring_payment_id"]),
            email: named(&["payer_email", "email"]),
            name: named(&["first_name", "address_name"]),
            last_name: named(&["last_name"]),
            company: named(&["payer_business_name", "company"]),
            ..plain
        },
        "shareit" => Fields {
            order: named(&["purchase_id", "orderid"]),
            name: named(&["name", "firstname"]),
            last_name: named(&["lastname"]),
            ..plain
        },
        "woocommerce" | "magento" => Fields {
            email: named(&["customer_email", "email"]),
            name: named(&["customer_name", "name"]),
            company: named(&["customer_company", "company"]),
            ..plain
        },
        "swreg" => Fields { order: named(&["o_no", "orderid"]), ..plain },
        "salesforce" => Fields { order: named(&["id", "ordernumber", "orderid"]), ..plain },
        "qlmauthenticationprovider" => Fields { order: named(&["ordernumber", "orderid"]), ..plain },
        _ => plain,
    }
}

/// What SWREG packs into one argument (`t`), as arguments of their own (§5).
#[must_use]
pub fn unpacked(packed: &str) -> Vec<(String, String)> {
    const NAMES: [(&str, &str); 7] = [
        ("pid", "is_productid"),
        ("mj", "is_majorversion"),
        ("mn", "is_minorversion"),
        ("vn", "is_vendor"),
        ("fe", "is_features"),
        ("ur", "is_user"),
        ("pw", "is_pwd"),
    ];
    let parts = packed.trim().trim_start_matches(['&', '?']).split(['&', '|', ',']);
    let pairs = parts.filter_map(|part| part.split_once('='));
    let known = pairs.filter_map(|(short, value)| {
        let name = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(short.trim()))?.1;
        Some((name.to_owned(), value.to_owned()))
    });
    known.collect()
}

/// A quantity as shops write it: `3`, and `3.0000` as well. None for what is no whole number.
#[must_use]
pub fn quantity(text: &str) -> Option<u32> {
    let (whole, rest) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    rest.bytes().all(|b| b == b'0').then(|| whole.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_into_one_argument_is_unpacked() {
        let pairs = unpacked("pid=3&mj=1&MN=0|vn=swreg,fe=0:1;1:2&ur=me&pw=p=w&other=x");
        let shown: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("is_productid", "3"),
            ("is_majorversion", "1"),
            ("is_minorversion", "0"),
            ("is_vendor", "swreg"),
            ("is_features", "0:1;1:2"),
            ("is_user", "me"),
            ("is_pwd", "p=w"),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_quantity_is_a_whole_number_however_it_is_written() {
        for (text, expected) in [("3", Some(3)), (" 3.0000 ", Some(3)), ("3.5", None), ("three", None), ("", None), ("-1", None)]
        {
            assert_eq!(quantity(text), expected, "{text}");
        }
    }
}
