//! What each shop calls the parts of an order (§5). Names in lower case; where several are given, the first that has a value counts.

/// The names of an order's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    pub order: [&'static str; 2],
    pub quantity: [&'static str; 1],
    pub subscription: [&'static str; 2],
    pub email: [&'static str; 2],
    pub name: [&'static str; 2],
    /// Of shops that send it apart.
    pub last_name: [&'static str; 1],
    pub company: [&'static str; 2],
    pub phone: [&'static str; 2],
}

/// Those of a kind of extension; of one that is not known, the plain names.
#[must_use]
pub fn fields(class: &str) -> Fields {
    let plain = Fields {
        order: ["orderid", "ordernumber"],
        quantity: ["quantity"],
        subscription: ["subscriptionid", "subscription_id"],
        email: ["email", "is_email"],
        name: ["name", "fullname"],
        last_name: [""],
        company: ["company", "compay"],
        phone: ["phone", "is_phone"],
    };
    match class {
        "avangate" => Fields {
            order: ["refno", "orderno"],
            subscription: ["ipn_license_ref[]", "ipn_license_ref"],
            email: ["email", "customeremail"],
            name: ["name", "firstname"],
            last_name: ["lastname"],
            ..plain
        },
        "bluesnap" | "regnow" => Fields { order: ["order_id", "orderid"], ..plain },
        "chargify" => Fields { name: ["fullname", "name"], ..plain },
        "cleverbridge" => Fields { order: ["purchase_id", "orderid"], name: ["reg_name", "name"], ..plain },
        "fastspring" => Fields {
            order: ["reference", "orderid"],
            subscription: ["subscriptionreference", "subscription"],
            company: ["customercompany", "company"],
            phone: ["customerphone", "phone"],
            ..plain
        },
        "stripe" => Fields {
            order: ["ordernumber", "orderid"],
            company: ["customercompany", "company"],
            phone: ["customerphone", "phone"],
            ..plain
        },
        "paymotion" => Fields { order: ["ordernumber", "orderid"], phone: ["phone_number", "phone"], ..plain },
        "shopify" => Fields { order: ["ordernumber", "orderid"], ..plain },
        "paypal" => Fields {
            order: ["txn_id", "parent_txn_id"],
            subscription: ["subscr_id", "recurring_payment_id"],
            email: ["payer_email", "email"],
            name: ["first_name", "address_name"],
            last_name: ["last_name"],
            company: ["payer_business_name", "company"],
            phone: ["cust_phone", "contact_phone"],
            ..plain
        },
        "shareit" => Fields { order: ["purchase_id", "orderid"], name: ["name", "firstname"], last_name: ["lastname"], ..plain },
        "woocommerce" | "magento" => Fields {
            email: ["customer_email", "email"],
            name: ["customer_name", "name"],
            company: ["customer_company", "company"],
            phone: ["customer_phone", "phone"],
            ..plain
        },
        "qlmauthenticationprovider" => Fields { order: ["ordernumber", "orderid"], ..plain },
        _ => plain,
    }
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
    fn a_quantity_is_a_whole_number_however_it_is_written() {
        for (text, expected) in [("3", Some(3)), (" 3.0000 ", Some(3)), ("3.5", None), ("three", None), ("", None), ("-1", None)]
        {
            assert_eq!(quantity(text), expected, "{text}");
        }
    }
}
