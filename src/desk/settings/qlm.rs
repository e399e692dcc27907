//! Server properties of Quick License Manager, under its own names. What creates or changes licenses is off until the vendor switches it on.

use super::{Known, SettingError, flag, number, protect::ProtectSettings, rules::RuleSettings};
use crate::licensing::qlm::{DateFormat, LicenseModel, key::Groups, order::OrderSettings};

/// What shops and apps may do by its methods, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QlmSettings {
    pub create: bool,
    pub renew: bool,
    pub revoke: bool,
    pub update: bool,
    pub latest_version: bool,
    pub retrieve: bool,
    pub activation_log: bool,
    /// Methods whose calls are signed, by name.
    pub strict_methods: Vec<String>,
    /// How far the time of a signature may be off, in seconds.
    pub strict_tolerance: i64,
    pub strict_version: u32,
    pub release: bool,
    pub release_requires_authentication: bool,
    /// `releaseLicenseRequiresVerificationCode`.
    pub release_requires_code: bool,
    /// `communicationEncryptionKey`, as it is kept.
    pub communication_key: Option<super::mail::Sealed>,
    pub unauthenticated: bool,
    pub default_provider: String,
    pub orders: OrderSettings,
    pub groups: Groups,
    pub write_bom: bool,
    pub licenses: bool,
    /// `getLicensesHttpRequiresStrictAuthentication`.
    pub licenses_are_strict: bool,
    pub recent_orders: bool,
    pub analytics: bool,
    /// `paypalUrl`.
    pub paypal_url: String,
    /// `enableCustomUrlArgs`.
    pub custom_args: bool,
    pub register_trials: bool,
    /// `trialDuration`, in days.
    pub trial_days: u32,
    /// `maxRegistrationsPerUser`.
    pub trials_each: u32,
    /// `updateExistingUserInformation`.
    pub updates_customers: bool,
    pub protect: ProtectSettings,
    pub rules: RuleSettings,
    /// `dateFormat` as it was typed.
    date_format: String,
}

const PAYPAL: &str = "https://ipnpb.paypal.com/cgi-bin/webscr";

impl Default for QlmSettings {
    fn default() -> Self {
        Self {
            create: false,
            renew: false,
            revoke: false,
            update: false,
            latest_version: false,
            retrieve: false,
            activation_log: false,
            strict_methods: vec!["RetrieveActivationKeyHttp".to_owned()],
            strict_tolerance: 300,
            strict_version: 2,
            release: false,
            release_requires_authentication: true,
            release_requires_code: false,
            communication_key: None,
            unauthenticated: false,
            default_provider: String::new(),
            orders: OrderSettings::default(),
            groups: Groups::default(),
            write_bom: false,
            licenses: false,
            licenses_are_strict: true,
            recent_orders: false,
            analytics: false,
            paypal_url: PAYPAL.to_owned(),
            custom_args: false,
            register_trials: false,
            trial_days: 30,
            trials_each: 1,
            updates_customers: false,
            protect: ProtectSettings::default(),
            rules: RuleSettings::default(),
            date_format: "yyyy-MM-dd".to_owned(),
        }
    }
}

/// Names of methods, separated by commas.
pub(super) fn methods(text: &str) -> Result<Vec<String>, SettingError> {
    let names: Vec<String> = text.split([',', ';', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if names.len() > 64 || names.iter().any(|name| name.len() > 64 || !name.bytes().all(|b| b.is_ascii_alphanumeric())) {
        return Err(SettingError::Value("Name methods, such as RetrieveActivationKeyHttp, separated by commas."));
    }
    Ok(names)
}

fn model(text: &str) -> Result<LicenseModel, SettingError> {
    LicenseModel::parse("", text)
        .map_err(|_| SettingError::Value("Say permanent, trial or subscription, each also with _floating or _cloud."))
}

fn count(text: &str, most: i64, wrong: &'static str) -> Result<u32, SettingError> {
    let mut counted = 0;
    number(text, 1, most, wrong).map(|number| counted = number)?;
    u32::try_from(counted).map_err(|_| SettingError::Value(wrong))
}

fn group(text: &str, least: i64) -> Result<usize, SettingError> {
    let wrong = "Type a whole number from 1 to 64.";
    let mut size = 0;
    number(text, least, 64, wrong).map(|number| size = number)?;
    usize::try_from(size).map_err(|_| SettingError::Value(wrong))
}

pub(super) static KNOWN: [Known; 37] = [
    Known {
        name: "enableGetActivationKey",
        about: "QLM: shops may have keys made (GetActivationKey). Whoever has an extension’s password makes as many as they like",
        read: |settings, text| flag(text).map(|on| settings.qlm.create = on),
        write: |settings| settings.qlm.create.to_string(),
    },
    Known {
        name: "enableRenewSubscriptionHttp",
        about: "QLM: shops may extend licenses (RenewSubscriptionHttp). Whoever has an extension’s password extends any for as long as they like",
        read: |settings, text| flag(text).map(|on| settings.qlm.renew = on),
        write: |settings| settings.qlm.renew.to_string(),
    },
    Known {
        name: "enableRevokeLicense",
        about: "QLM: shops may revoke licenses and give them back (RevokeLicenseHttp). Whoever has an extension’s password can stop every customer",
        read: |settings, text| flag(text).map(|on| settings.qlm.revoke = on),
        write: |settings| settings.qlm.revoke.to_string(),
    },
    Known {
        name: "enableUpgradeLicense",
        about: "QLM: shops may edit licenses and their maintenance plans (UpdateLicenseHttp and its like). Whoever has an extension’s password edits any",
        read: |settings, text| flag(text).map(|on| settings.qlm.update = on),
        write: |settings| settings.qlm.update.to_string(),
    },
    Known {
        name: "enableGetLatestVersionHttp",
        about: "QLM: everybody may ask for a product’s newest version and its address (GetLatestVersionHttp). Whoever knows a product’s number learns where it is downloaded",
        read: |settings, text| flag(text).map(|on| settings.qlm.latest_version = on),
        write: |settings| settings.qlm.latest_version.to_string(),
    },
    Known {
        name: "enableTrialRegistration",
        about: "QLM: everybody may have a trial key sent to an address (qlmregistration.asmx/Register). Whoever has many addresses has many trials",
        read: |settings, text| flag(text).map(|on| settings.qlm.register_trials = on),
        write: |settings| settings.qlm.register_trials.to_string(),
    },
    Known {
        name: "trialDuration",
        about: "QLM: days of a trial that is asked for so, where its product does not say",
        read: |settings, text| {
            let wrong = "Type a whole number of days from 1 to 3,650.";
            count(text, 3_650, wrong).map(|days| settings.qlm.trial_days = days)
        },
        write: |settings| settings.qlm.trial_days.to_string(),
    },
    Known {
        name: "maxRegistrationsPerUser",
        about: "QLM: trials of a product that one address may have",
        read: |settings, text| {
            let wrong = "Type a whole number from 1 to 100.";
            count(text, 100, wrong).map(|trials| settings.qlm.trials_each = trials)
        },
        write: |settings| settings.qlm.trials_each.to_string(),
    },
    Known {
        name: "paypalUrl",
        about: "QLM: where PayPal is asked whether it sent a notification; its sandbox is another",
        read: |settings, text| {
            let text = text.trim();
            if text.len() > 200 || !(text.starts_with("https://") || text.starts_with("http://")) {
                return Err(SettingError::Value("Type an address such as https://ipnpb.paypal.com/cgi-bin/webscr."));
            }
            settings.qlm.paypal_url = text.to_owned();
            Ok(())
        },
        write: |settings| settings.qlm.paypal_url.clone(),
    },
    Known {
        name: "enableCustomUrlArgs",
        about: "QLM: calls may name a property whose arguments are theirs (is_args). Whoever has an extension’s password orders by any property that lets itself be named",
        read: |settings, text| flag(text).map(|on| settings.qlm.custom_args = on),
        write: |settings| settings.qlm.custom_args.to_string(),
    },
    Known {
        name: "enableRetrieveActivationKeyHttp",
        about: "QLM: shops may read the keys of an order (RetrieveActivationKeyHttp). Whoever has an extension’s password and API key reads any",
        read: |settings, text| flag(text).map(|on| settings.qlm.retrieve = on),
        write: |settings| settings.qlm.retrieve.to_string(),
    },
    Known {
        name: "enableGetActivationLogHttp",
        about: "QLM: shops may list the computers of a license (GetActivationLogHttp). Whoever has an extension’s password reads their names",
        read: |settings, text| flag(text).map(|on| settings.qlm.activation_log = on),
        write: |settings| settings.qlm.activation_log.to_string(),
    },
    Known {
        name: "enableGetLicensesHttp",
        about: "QLM: systems of yours may read licenses by a filter (GetLicensesHttp). Whoever has an extension’s password and API key reads all",
        read: |settings, text| flag(text).map(|on| settings.qlm.licenses = on),
        write: |settings| settings.qlm.licenses.to_string(),
    },
    Known {
        name: "getLicensesHttpRequiresStrictAuthentication",
        about: "QLM: those calls are signed; without, whoever reads one in a log reads all licenses",
        read: |settings, text| flag(text).map(|on| settings.qlm.licenses_are_strict = on),
        write: |settings| settings.qlm.licenses_are_strict.to_string(),
    },
    Known {
        name: "enableGetRecentOrders",
        about: "QLM: systems of yours may poll for orders (GetRecentOrdersHttp). Whoever has an extension’s password reads them",
        read: |settings, text| flag(text).map(|on| settings.qlm.recent_orders = on),
        write: |settings| settings.qlm.recent_orders.to_string(),
    },
    Known {
        name: "enablePublishAnalyticsApi",
        about: "QLM: apps may tell of their installs. Whoever knows this server’s address can tell of some that are none",
        read: |settings, text| flag(text).map(|on| settings.qlm.analytics = on),
        write: |settings| settings.qlm.analytics.to_string(),
    },
    Known {
        name: "strictAuthenticationHttpMethods",
        about: "QLM: methods whose calls are signed with the extension’s API key, separated by commas",
        read: |settings, text| {
            settings.qlm.strict_methods = methods(text)?;
            Ok(())
        },
        write: |settings| settings.qlm.strict_methods.join(","),
    },
    Known {
        name: "strictAuthenticationTimestampTolerance",
        about: "QLM: seconds that the time of such a signature may be off",
        read: |settings, text| {
            let wrong = "Type a whole number of seconds from 30 to 3,600.";
            number(text, 30, 3_600, wrong).map(|seconds| settings.qlm.strict_tolerance = seconds)
        },
        write: |settings| settings.qlm.strict_tolerance.to_string(),
    },
    Known {
        name: "strictAuthenticationMinimumVersion",
        about: "QLM: 2, or 1 for callers who sign the address alone: whoever reads such a call can make it again for ever",
        read: |settings, text| {
            settings.qlm.strict_version = match text.trim() {
                "1" => 1,
                "2" => 2,
                _ => return Err(SettingError::Value("Say 1 or 2.")),
            };
            Ok(())
        },
        write: |settings| settings.qlm.strict_version.to_string(),
    },
    Known {
        name: "enableReleaseKeyHttp",
        about: "QLM: seats may be given back (ReleaseLicenseHttp). Whoever is let do so can pass one license around",
        read: |settings, text| flag(text).map(|on| settings.qlm.release = on),
        write: |settings| settings.qlm.release.to_string(),
    },
    Known {
        name: "releaseLicenseRequiresAuthentication",
        about: "QLM: only an extension’s password releases; otherwise the computer’s own key does, which whoever knows activation key and computer id is told",
        read: |settings, text| flag(text).map(|on| settings.qlm.release_requires_authentication = on),
        write: |settings| settings.qlm.release_requires_authentication.to_string(),
    },
    Known {
        name: "releaseLicenseRequiresVerificationCode",
        about: "QLM: a release also shows the code that the app made when it was deactivated (is_deactivation_code)",
        read: |settings, text| flag(text).map(|on| settings.qlm.release_requires_code = on),
        write: |settings| settings.qlm.release_requires_code.to_string(),
    },
    Known {
        name: "communicationEncryptionKey",
        about: "QLM: the key that apps make such codes with. It ships in every app, so a code proves little; it is kept encrypted and never shown",
        read: |settings, text| super::mail::sealed(text).map(|key| settings.qlm.communication_key = key),
        write: |settings| super::mail::unsealed(settings.qlm.communication_key.as_ref()),
    },
    Known {
        name: "allowUnauthenticatedVendor",
        about: "QLM: calls need no password. Whoever knows this server’s address makes and changes licenses, as far as methods are on",
        read: |settings, text| flag(text).map(|on| settings.qlm.unauthenticated = on),
        write: |settings| settings.qlm.unauthenticated.to_string(),
    },
    Known {
        name: "defaultCommerceProvider",
        about: "QLM: the extension of calls that name none",
        read: |settings, text| {
            let text = text.trim();
            if text.chars().count() > 128 || text.chars().any(crate::licensing::text::is_hidden) {
                return Err(SettingError::Value("Name an extension, or none."));
            }
            settings.qlm.default_provider = text.to_owned();
            Ok(())
        },
        write: |settings| settings.qlm.default_provider.clone(),
    },
    Known {
        name: "useDurationToSetExpiryDate",
        about: "QLM: a duration that is ordered becomes a date when the key is made. Without, and without the next, no server knows when a license ends",
        read: |settings, text| flag(text).map(|on| settings.qlm.orders.duration_sets_date = on),
        write: |settings| settings.qlm.orders.duration_sets_date.to_string(),
    },
    Known {
        name: "useDurationToSetExpiryDateWhenActivating",
        about: "QLM: or when it is activated first; with neither, the app counts from its first run, which is less safe",
        read: |settings, text| flag(text).map(|on| settings.qlm.orders.duration_sets_date_when_activating = on),
        write: |settings| settings.qlm.orders.duration_sets_date_when_activating.to_string(),
    },
    Known {
        name: "numberOfActivationsAppliesToMultiKey",
        about: "QLM: is_numberofactivationsperkey also multiplies one key for the whole quantity",
        read: |settings, text| flag(text).map(|on| settings.qlm.orders.quantities.per_key_applies_to_shared = on),
        write: |settings| settings.qlm.orders.quantities.per_key_applies_to_shared.to_string(),
    },
    Known {
        name: "additionalActivationsWhenSeparateKeys",
        about: "QLM: is_additionalactivations with a key for each unit: ignore, or each",
        read: |settings, text| {
            settings.qlm.orders.quantities.additional_on_each = match text.trim().to_ascii_lowercase().as_str() {
                "ignore" => false,
                "each" => true,
                _ => return Err(SettingError::Value("Say ignore or each.")),
            };
            Ok(())
        },
        write: |settings| if settings.qlm.orders.quantities.additional_on_each { "each" } else { "ignore" }.to_owned(),
    },
    Known {
        name: "updateExistingUserInformation",
        about: "QLM: an order calls a customer who is known what it says, never the address; otherwise UpdateUserInformation alone does. Whoever orders types it",
        read: |settings, text| flag(text).map(|on| settings.qlm.updates_customers = on),
        write: |settings| settings.qlm.updates_customers.to_string(),
    },
    Known {
        name: "writeBOM",
        about: "QLM: answers begin with a byte order mark, unless a call says otherwise (is_writebom)",
        read: |settings, text| flag(text).map(|on| settings.qlm.write_bom = on),
        write: |settings| settings.qlm.write_bom.to_string(),
    },
    Known {
        name: "defaultLicenseModelWhenDurationSet",
        about: "QLM: the model of keys with a duration that name none",
        read: |settings, text| model(text).map(|model| settings.qlm.orders.model_with_duration = model),
        write: |settings| settings.qlm.orders.model_with_duration.as_str().to_owned(),
    },
    Known {
        name: "defaultLicenseModelWhenExpiryDateSet",
        about: "QLM: the model of keys with an expiry date that name none",
        read: |settings, text| model(text).map(|model| settings.qlm.orders.model_with_date = model),
        write: |settings| settings.qlm.orders.model_with_date.as_str().to_owned(),
    },
    Known {
        name: "maintenancePlanPeriodInDays",
        about: "QLM: how long a maintenance plan lasts that says nothing of it",
        read: |settings, text| {
            let wrong = "Type a whole number of days from 1 to 36,500.";
            count(text, 36_500, wrong).map(|days| settings.qlm.orders.maintenance_days = days)
        },
        write: |settings| settings.qlm.orders.maintenance_days.to_string(),
    },
    Known {
        name: "dateFormat",
        about: "QLM: how dates are written in calls and answers, in .NET’s letters; what shops send is understood as well. With another than apps expect they misread the end of a license",
        read: |settings, text| {
            let wrong = SettingError::Value("A date format has yyyy, MM and dd, such as yyyy-MM-dd or dd/MM/yyyy.");
            settings.qlm.orders.dates = DateFormat::parse(text).map_err(|_| wrong)?;
            text.trim().clone_into(&mut settings.qlm.date_format);
            Ok(())
        },
        write: |settings| settings.qlm.date_format.clone(),
    },
    Known {
        name: "licenseKeyFormatGroupSize",
        about: "QLM: symbols between two dashes of a key of its shape",
        read: |settings, text| group(text, 1).map(|size| settings.qlm.groups.size = size),
        write: |settings| settings.qlm.groups.size.to_string(),
    },
    Known {
        name: "licenseKeyFormatMaxGroupSize",
        about: "QLM: symbols in the last group, at most",
        read: |settings, text| group(text, 1).map(|size| settings.qlm.groups.most = size),
        write: |settings| settings.qlm.groups.most.to_string(),
    },
];
