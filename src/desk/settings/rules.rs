//! Server properties of Quick License Manager that say how its methods decide, under its own names: until when a renewal is taken, what an
//! activation may do beside taking a seat, what of a shop's words counts. -1 is no limit.

use super::{
    Known, SettingError, flag,
    protect::{limit, limited},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSettings {
    /// `subscriptionGracePeriod`, in days.
    pub renewal_grace: Option<u32>,
    /// `maintenancePlanGracePeriod`, in days.
    pub maintenance_grace: Option<u32>,
    /// `renewMaintenancePlanWhenSubscriptionRenewed`.
    pub renews_maintenance: bool,
    /// `allowActivatingOlderVersion`.
    pub older_versions: bool,
    /// `updateComputerNameWhenReactivating`.
    pub renames_computers: bool,
    /// `autoCreateCustomerDuringActivation`.
    pub creates_customers: bool,
    /// `dbMaxRecords`: licenses there may be.
    pub licenses: Option<u32>,
    /// `revokeLicenseOnRefund`.
    pub revokes_refunded: bool,
    /// `revokeLicenseWhenSubscriptionCanceled`.
    pub revokes_canceled: bool,
    /// `ignoreCustomArgument`.
    pub ignores_custom: bool,
    /// `blockActivationByCountry`: codes of two letters, in capitals.
    pub blocked_countries: Vec<String>,
    /// `countryHeader`, in lower case; empty: nobody says where a call comes from.
    pub country_header: String,
    /// `licenseFileName`.
    pub license_file: String,
    /// `failuresHaveHttpStatus`.
    pub failures_have_status: bool,
    /// `sendMailForInitialOrder`.
    pub mails_orders: bool,
    /// `sendMailForSubscriptionRenewal`.
    pub mails_renewals: bool,
}

impl Default for RuleSettings {
    fn default() -> Self {
        Self {
            renewal_grace: None,
            maintenance_grace: None,
            renews_maintenance: false,
            older_versions: false,
            renames_computers: false,
            creates_customers: false,
            licenses: None,
            revokes_refunded: true,
            revokes_canceled: true,
            ignores_custom: true,
            blocked_countries: Vec::new(),
            country_header: String::new(),
            license_file: "LicenseFile.xml".to_owned(),
            failures_have_status: false,
            mails_orders: true,
            mails_renewals: false,
        }
    }
}

macro_rules! limit {
    ($name:literal, $about:literal, $field:ident) => {
        Known {
            name: $name,
            about: $about,
            read: |settings, text| limit(text).map(|most| settings.qlm.rules.$field = most),
            write: |settings| limited(settings.qlm.rules.$field),
        }
    };
}

macro_rules! switch {
    ($name:literal, $about:literal, $field:ident) => {
        Known {
            name: $name,
            about: $about,
            read: |settings, text| flag(text).map(|on| settings.qlm.rules.$field = on),
            write: |settings| settings.qlm.rules.$field.to_string(),
        }
    };
}

/// ISO 3166's codes of two letters.
fn countries(text: &str) -> Result<Vec<String>, SettingError> {
    let codes: Vec<String> = text.split([',', ';', ' ']).filter(|code| !code.is_empty()).map(str::to_ascii_uppercase).collect();
    if codes.len() > 300 || codes.iter().any(|code| code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase())) {
        return Err(SettingError::Value("Name countries by their codes of two letters, such as KP, separated by commas."));
    }
    Ok(codes)
}

pub(super) static KNOWN: [Known; 16] = [
    limit!(
        "subscriptionGracePeriod",
        "QLM: days after its end within which RenewSubscriptionHttp renews a license; later it refuses. What webhooks tell is paid, and renewed",
        renewal_grace
    ),
    limit!(
        "maintenancePlanGracePeriod",
        "QLM: days after its end within which RenewMaintenancePlan renews a plan; later it refuses",
        maintenance_grace
    ),
    switch!(
        "renewMaintenancePlanWhenSubscriptionRenewed",
        "QLM: a maintenance plan ends with the subscription whenever that is renewed; one that lasts longer stays",
        renews_maintenance
    ),
    switch!(
        "allowActivatingOlderVersion",
        "QLM: a key activates versions older than its own as well. Whoever bought the new one uses both",
        older_versions
    ),
    switch!(
        "updateComputerNameWhenReactivating",
        "QLM: a computer that is activated again is called what the call says; otherwise it keeps its first name. Apps choose it",
        renames_computers
    ),
    switch!(
        "autoCreateCustomerDuringActivation",
        "QLM: the address an app says (is_email) becomes the customer of a license that has none, if nobody is known by it. Apps may say anybody’s, and whoever has that mailbox can ask for the key",
        creates_customers
    ),
    limit!("dbMaxRecords", "QLM: how many licenses this server holds before shops and trials get no more keys", licenses),
    switch!(
        "revokeLicenseOnRefund",
        "QLM: an order that is refunded in full is revoked; otherwise the event waits for staff",
        revokes_refunded
    ),
    switch!(
        "revokeLicenseWhenSubscriptionCanceled",
        "QLM: a subscription that a shop says is over is revoked; otherwise it lasts through the day it is paid for, and the event waits for staff",
        revokes_canceled
    ),
    switch!(
        "ignoreCustomArgument",
        "QLM: what PayPal sends as custom is passed over. Otherwise it is read as arguments that a product’s property leaves open, but for how many and for whom: buyers can change it",
        ignores_custom
    ),
    switch!(
        "sendMailForInitialOrder",
        "QLM: whoever bought by a shop’s webhook gets the key by mail, unless the product says otherwise (is_send_mail). Without it only the shop’s own mail is left, which has no key",
        mails_orders
    ),
    switch!(
        "sendMailForSubscriptionRenewal",
        "QLM: whoever renewed by a shop’s webhook is told by mail, unless the product says otherwise (is_send_renewal_mail). Shops send a receipt of their own as well",
        mails_renewals
    ),
    Known {
        name: "blockActivationByCountry",
        about: "QLM: countries from which neither its methods nor the customers’ pages activate or validate anything, by codes of two letters, separated by commas; the next setting says how they are known. Addresses can be borrowed elsewhere",
        read: |settings, text| countries(text).map(|codes| settings.qlm.rules.blocked_countries = codes),
        write: |settings| settings.qlm.rules.blocked_countries.join(","),
    },
    Known {
        name: "countryHeader",
        about: "QLM: the header in which your proxy says the country a call comes from, such as CF-IPCountry; it counts only from a trusted proxy",
        read: |settings, text| {
            let text = text.trim();
            if text.len() > 64 || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                return Err(SettingError::Value("Name a header, such as CF-IPCountry, or none."));
            }
            settings.qlm.rules.country_header = text.to_ascii_lowercase();
            Ok(())
        },
        write: |settings| settings.qlm.rules.country_header.clone(),
    },
    Known {
        name: "licenseFileName",
        about: "QLM: what the license file is called that customers download",
        read: |settings, text| {
            let text = text.trim();
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if text.is_empty() || text.len() > 100 || text.starts_with('.') || !text.chars().all(plain) {
                let wrong =
                    "A file is called by up to 100 letters, digits, points, dashes and underscores, such as LicenseFile.xml.";
                return Err(SettingError::Value(wrong));
            }
            settings.qlm.rules.license_file = text.to_owned();
            Ok(())
        },
        write: |settings| settings.qlm.rules.license_file.clone(),
    },
    Known {
        name: "failuresHaveHttpStatus",
        about: "QLM: calls that fail are answered with a status of 400 and more. Clients made for QLM read the body alone, and some read none then",
        read: |settings, text| flag(text).map(|on| settings.qlm.rules.failures_have_status = on),
        write: |settings| settings.qlm.rules.failures_have_status.to_string(),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::settings::Settings;

    #[test]
    fn what_would_break_a_download_or_name_no_country_is_not_taken() {
        let set = |name: &str, value: &str| {
            let mut settings = Settings::default();
            let known = KNOWN.iter().find(|known| known.name == name).unwrap();
            (known.read)(&mut settings, value).map(|()| (known.write)(&settings))
        };
        for (name, value) in [
            ("licenseFileName", "../x.xml"),
            ("licenseFileName", "a\"b.xml"),
            ("licenseFileName", ""),
            ("licenseFileName", ".hidden"),
            ("licenseFileName", "Press Designer.xml"),
            ("blockActivationByCountry", "Germany"),
            ("blockActivationByCountry", "D1"),
            ("countryHeader", "CF IPCountry"),
            ("subscriptionGracePeriod", "-2"),
            ("dbMaxRecords", "many"),
            ("ignoreCustomArgument", "maybe"),
        ] {
            assert!(set(name, value).is_err(), "{name}={value}");
        }
        assert_eq!(set("blockActivationByCountry", "kp; ir").as_deref(), Ok("KP,IR"));
        assert_eq!(set("countryHeader", " CF-IPCountry ").as_deref(), Ok("cf-ipcountry"));
        assert_eq!(set("licenseFileName", "Press-Designer.xml").as_deref(), Ok("Press-Designer.xml"));
        assert_eq!(set("subscriptionGracePeriod", "0").as_deref(), Ok("0"));
    }
}
