//! What a call that makes keys orders (§4): quantities, model, end, maintenance, features.

use super::{ArgError, Args, ComputerType, DateFormat, FeatureMasks, LicenseModel, Property, QlmTerms};
use crate::licensing::{
    Date, Timestamp,
    issue::{Quantities, QuantitySettings},
    license::{Expiry, LicenseType, Limit, Maintenance, Terms},
};

/// What the vendor has said about keys that shops order, under QLM's own names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSettings {
    /// `useDurationToSetExpiryDate`: a duration becomes a date.
    pub duration_sets_date: bool,
    /// `useDurationToSetExpiryDateWhenActivating`: on the first activation; else the app counts.
    pub duration_sets_date_when_activating: bool,
    /// `numberOfActivationsAppliesToMultiKey`, `additionalActivationsWhenSeparateKeys`.
    pub quantities: QuantitySettings,
    /// `defaultLicenseModelWhenDurationSet`, `defaultLicenseModelWhenExpiryDateSet`.
    pub model_with_duration: LicenseModel,
    pub model_with_date: LicenseModel,
    /// `maintenancePlanPeriodInDays`.
    pub maintenance_days: u32,
    /// `dateFormat`.
    pub dates: DateFormat,
}

impl Default for OrderSettings {
    fn default() -> Self {
        Self {
            duration_sets_date: true,
            duration_sets_date_when_activating: false,
            quantities: QuantitySettings::default(),
            model_with_duration: LicenseModel::Subscription,
            model_with_date: LicenseModel::Subscription,
            maintenance_days: 365,
            dates: DateFormat::default(),
        }
    }
}

/// What is to be issued.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyOrder {
    /// The product's number, and its version.
    pub product: (i64, u32, u32),
    pub quantities: Quantities,
    pub settings: QuantitySettings,
    pub terms: Terms,
}

/// As long as a license may last by a duration, in days.
const MOST_DAYS: i64 = 36_500;

impl KeyOrder {
    /// Reads an order. `quantity` is what the shop says itself, where `is_quantity` does not; days count from the day of the order.
    ///
    /// # Errors
    /// Names the argument that is missing, or is not what it should be.
    pub fn read(args: &Args, settings: &OrderSettings, ordered: Date, quantity: Option<u32>) -> Result<Self, ArgError> {
        let product = args.product()?;
        let quantity = args.count("is_quantity", 0)?.filter(|quantity| *quantity > 0).or(quantity).unwrap_or(1).max(1);
        let ordered_quantities = Quantities {
            quantity,
            separate_keys: args.flag("is_usemultipleactivationskey")? == Some(false),
            activations_per_key: args.count("is_numberofactivationsperkey", 1)?,
            additional_activations: args.count("is_additionalactivations", 0)?.unwrap_or(0),
        };
        let (expiry, by_default) = end(args, settings, ordered)?;
        let model = match args.text("is_licensemodel") {
            Some(text) => LicenseModel::parse("is_licensemodel", text)?,
            None => by_default,
        };
        let (model, floating_seats, quantities) = floating(args, model, ordered_quantities)?;
        let maintenance = match args.flag("is_maintenance_plan")?.or(args.flag("yearly_maintenance_plan")?) {
            Some(true) => {
                let days = days(args, "is_maintduration")?.unwrap_or(settings.maintenance_days);
                if in_progress(args) {
                    Maintenance::WholeDaysAfterFirstActivation(days)
                } else {
                    Maintenance::Until(day_after(ordered, days))
                }
            }
            _ => Maintenance::None,
        };
        let qlm = QlmTerms {
            major: product.1,
            minor: product.2,
            model,
            features: args
                .text("is_features")
                .map_or(Ok(FeatureMasks::default()), |text| FeatureMasks::parse("is_features", text))?,
            floating_seats,
            computer_type: args
                .text("is_computertype")
                .map_or(Ok(ComputerType::Any), |text| ComputerType::parse("is_computertype", text))?,
            user_data: args.text("is_userdata1").unwrap_or_default().into(),
            properties: args
                .text("is_pp")
                .map_or(Ok(alloc::vec::Vec::new()), |text| Property::parse_all("is_pp", text, &settings.dates))?,
            affiliate: args.text("is_affiliateid").unwrap_or_default().into(),
            legacy_key: args.text("is_legacykey").unwrap_or_default().into(),
            max_releases: None,
            release_days: None,
            sold_days: match (days(args, "is_expduration")?, expiry.on) {
                (Some(days), _) => Some(days),
                (None, Some(end)) => u32::try_from(end.since(ordered.end()) / 86_400_000).ok().filter(|days| *days > 0),
                (None, None) => None,
            },
        };
        let terms = Terms {
            kind: kind(model, expiry),
            trial: model.is_trial(),
            seats: Limit::AtMost(1),
            expiry,
            maintenance,
            qlm: Some(qlm),
            ..Terms::default()
        };
        Ok(Self { product, quantities, settings: settings.quantities, terms })
    }
}

/// Whether an order is not completed yet: then its maintenance plan begins with the first activation (§4.3).
fn in_progress(args: &Args) -> bool {
    let status = args.text("is_orderstatus").or_else(|| args.text("orderstatus")).unwrap_or_default();
    // By its number as well (§11).
    status == "1" || status.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).eq("inprogress".chars())
}

/// Our own type of a license of this model: it is what the rules of every door go by.
#[must_use]
pub fn kind(model: LicenseModel, expiry: Expiry) -> LicenseType {
    match (model.is_permanent() || model.is_trial(), expiry == Expiry::NEVER) {
        (true, true) => LicenseType::Perpetual,
        (true, false) => LicenseType::TimeLimited,
        (false, _) => LicenseType::Subscription,
    }
}

/// When a license ends, and the model it has unless the call says one.
fn end(args: &Args, settings: &OrderSettings, ordered: Date) -> Result<(Expiry, LicenseModel), ArgError> {
    let date = args.text("is_expdate").map(|text| date("is_expdate", text, &settings.dates)).transpose()?;
    let duration = days(args, "is_expduration")?;
    let mut expiry = Expiry { on: date.map(Date::end), ..Expiry::NEVER };
    if let Some(days) = duration {
        if settings.duration_sets_date {
            let counted = day_after(ordered, days);
            // Both: whichever comes first.
            expiry.on = Some(expiry.on.map_or(counted, |on| on.min(counted)));
        } else if settings.duration_sets_date_when_activating {
            (expiry.days_after_first_activation, expiry.ends_with_day) = (Some(days), true);
        } else {
            expiry.days_counted_by_client = Some(days);
        }
    }
    let model = match (duration, date) {
        (Some(_), _) => settings.model_with_duration,
        (None, Some(_)) => settings.model_with_date,
        (None, None) => LicenseModel::Permanent,
    };
    Ok((expiry, model))
}

/// A day as the vendor or a shop writes it.
pub fn date(name: &'static str, text: &str, dates: &DateFormat) -> Result<Date, ArgError> {
    dates.read(text).ok_or_else(|| ArgError::kind(name, "a date, such as 2027-03-01", text))
}

/// A number of days; 0 is none.
pub fn days(args: &Args, name: &'static str) -> Result<Option<u32>, ArgError> {
    match args.number(name)? {
        None | Some(0) => Ok(None),
        Some(days) if (1..=MOST_DAYS).contains(&days) => Ok(u32::try_from(days).ok()),
        Some(_) => Err(ArgError::kind(name, "a number of days from 1 to 36500", args.text(name).unwrap_or_default())),
    }
}

/// The end of the day that comes so many days after another.
#[must_use]
pub fn day_after(day: Date, days: u32) -> Timestamp {
    day.end().plus_days(i64::from(days))
}

/// Floating seats are as many as were ordered. In the customer's own network one machine shares them out, so a key is activated once; in
/// the cloud activations are the seats.
fn floating(args: &Args, model: LicenseModel, ordered: Quantities) -> Result<(LicenseModel, u32, Quantities), ArgError> {
    // Some callers give the number of seats under the same name.
    let seats = match args.text("is_floating") {
        Some(text) if text.parse::<u32>().is_ok_and(|seats| seats > 1) => args.count("is_floating", 0)?,
        _ => args.flag("is_floating")?.filter(|on| *on).map(|_| ordered.quantity),
    };
    if model.is_cloud() {
        return Ok((model, seats.unwrap_or(0), ordered));
    }
    if seats.is_none() && !model.is_floating() {
        return Ok((model, 0, ordered));
    }
    let seats = seats.unwrap_or(ordered.quantity);
    let model = match model {
        LicenseModel::Permanent => LicenseModel::PermanentFloating,
        LicenseModel::Trial => LicenseModel::TrialFloating,
        LicenseModel::Subscription => LicenseModel::SubscriptionFloating,
        other => other,
    };
    if ordered.separate_keys {
        return Ok((model, 1, ordered));
    }
    Ok((model, seats, Quantities { quantity: 1, ..ordered }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{borrow::ToOwned, format, string::ToString, vec::Vec};

    fn order(text: &str, settings: &OrderSettings) -> Result<KeyOrder, ArgError> {
        let pairs: Vec<_> =
            text.split('&').filter_map(|pair| pair.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        let product = [("is_productid", "1"), ("is_majorversion", "2"), ("is_minorversion", "3")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()));
        let ordered = "2021-01-01".parse().unwrap();
        KeyOrder::read(&Args::merge(pairs, product.to_vec()), settings, ordered, None)
    }

    fn ends(text: &str, settings: &OrderSettings) -> (Option<alloc::string::String>, Option<u32>, Option<u32>) {
        let expiry = order(text, settings).unwrap().terms.expiry;
        let on = expiry.on.map(|end| end.plus_seconds(-1).date().to_string());
        (on, expiry.days_after_first_activation, expiry.days_counted_by_client)
    }

    #[test]
    fn a_duration_ends_on_a_day_or_is_counted_as_the_settings_say() {
        let day = |text: &str| Some(text.to_string());
        let plain = OrderSettings::default();
        let when_activating =
            OrderSettings { duration_sets_date: false, duration_sets_date_when_activating: true, ..plain.clone() };
        let by_client = OrderSettings { duration_sets_date: false, ..plain.clone() };
        assert_eq!(ends("is_expdate=2015-03-01", &plain), (day("2015-03-01"), None, None), "a day in the past is a day");
        assert_eq!(ends("is_expduration=30", &plain), (day("2021-01-31"), None, None));
        assert_eq!(ends("is_expduration=30", &when_activating), (None, Some(30), None));
        assert_eq!(ends("is_expduration=30", &by_client), (None, None, Some(30)));
        assert_eq!(ends("is_expduration=30&is_expdate=2021-01-10", &plain), (day("2021-01-10"), None, None));
        assert_eq!(ends("is_expduration=30&is_expdate=2021-06-30", &plain), (day("2021-01-31"), None, None));
        assert_eq!(ends("is_expduration=30&is_expdate=2021-06-30", &by_client), (day("2021-06-30"), None, Some(30)));
        for nothing in ["", "is_expduration=0", "is_expduration=-1", "is_expduration=&is_expdate="] {
            assert_eq!(ends(nothing, &plain), (None, None, None), "{nothing}");
        }
        let turned = OrderSettings { dates: DateFormat::parse("dd/MM/YYYY").unwrap(), ..plain };
        assert_eq!(ends("is_expdate=10/01/2021", &turned), (day("2021-01-10"), None, None));
    }

    #[test]
    fn a_model_follows_the_end_unless_it_is_said() {
        let settings = OrderSettings { model_with_date: LicenseModel::Trial, ..OrderSettings::default() };
        for (text, model, kind, trial) in [
            ("", "permanent", LicenseType::Perpetual, false),
            ("is_expduration=30", "subscription", LicenseType::Subscription, false),
            ("is_expdate=2030-01-01", "trial", LicenseType::TimeLimited, true),
            ("is_expdate=2030-01-01&is_licensemodel=permanent", "permanent", LicenseType::TimeLimited, false),
            ("is_licensemodel=Trial", "trial", LicenseType::Perpetual, true),
            ("is_licensemodel=subscription_cloud", "subscription_cloud", LicenseType::Subscription, false),
        ] {
            let terms = order(text, &settings).unwrap().terms;
            assert_eq!((terms.qlm.unwrap().model.as_str(), terms.kind, terms.trial), (model, kind, trial), "{text}");
        }
    }

    #[test]
    fn quantities_and_floating_seats_are_those_of_the_documentation() {
        use crate::licensing::issue::batch;
        for (text, keys, seats, floating, model) in [
            ("is_quantity=3", 1, 3, 0, "permanent"),
            ("is_quantity=3&is_additionalactivations=2", 1, 5, 0, "permanent"),
            ("is_quantity=3&is_numberofactivationsperkey=2", 1, 6, 0, "permanent"),
            ("is_quantity=3&is_usemultipleactivationskey=false&is_numberofactivationsperkey=2", 3, 2, 0, "permanent"),
            ("is_usemultipleactivationskey=false&is_numberofactivationsperkey=10000", 1, 10_000, 0, "permanent"),
            ("is_quantity=0&is_numberofactivationsperkey=0&is_additionalactivations=-5", 1, 1, 0, "permanent"),
            ("is_quantity=3&is_floating=true", 1, 1, 3, "permanent_floating"),
            (
                "is_quantity=3&is_floating=1&is_numberofactivationsperkey=2&is_additionalactivations=1",
                1,
                3,
                3,
                "permanent_floating",
            ),
            ("is_quantity=3&is_floating=yes&is_usemultipleactivationskey=false", 3, 1, 1, "permanent_floating"),
            ("is_floating=7", 1, 1, 7, "permanent_floating"),
            ("is_quantity=4&is_licensemodel=subscription_floating", 1, 1, 4, "subscription_floating"),
            ("is_quantity=4&is_licensemodel=subscription_cloud", 1, 4, 0, "subscription_cloud"),
            ("is_quantity=4&is_licensemodel=trial_cloud&is_floating=true", 1, 4, 4, "trial_cloud"),
        ] {
            let order = order(text, &OrderSettings::default()).unwrap();
            // As `desk` issues them: where nothing says how often a key may be used, the terms do.
            let quantities =
                Quantities { activations_per_key: order.quantities.activations_per_key.or(Some(1)), ..order.quantities };
            let made = batch(quantities, order.settings).unwrap();
            let qlm = order.terms.qlm.unwrap();
            assert_eq!(
                (made.keys, made.seats_each, qlm.floating_seats, qlm.model.as_str()),
                (keys, seats, floating, model),
                "{text}"
            );
        }
    }

    #[test]
    fn a_maintenance_plan_lasts_as_long_as_is_said() {
        let until = |text: &str| match order(text, &OrderSettings::default()).unwrap().terms.maintenance {
            Maintenance::Until(end) => Some(end.plus_seconds(-1).date().to_string()),
            _ => None,
        };
        assert_eq!(until("is_maintenance_plan=1").as_deref(), Some("2022-01-01"));
        assert_eq!(until("is_maintplan=true&is_mainduration=30").as_deref(), Some("2021-01-31"));
        assert_eq!(until("yearly_maintenance_plan=1").as_deref(), Some("2022-01-01"));
        assert_eq!(until("is_maintduration=30"), None, "without the plan it has no effect");
        for status in ["is_orderstatus=InProgress", "OrderStatus=in progress", "IS_ORDERSTATUS=in_progress", "is_orderstatus=1"] {
            let terms = order(&format!("is_maintplan=1&is_maintduration=90&{status}"), &OrderSettings::default()).unwrap().terms;
            assert_eq!(terms.maintenance, Maintenance::WholeDaysAfterFirstActivation(90), "{status}");
        }
        assert_eq!(until("is_maintplan=1&is_orderstatus=Completed").as_deref(), Some("2022-01-01"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, name) in [
            ("is_licensemodel=perpetual", "is_licensemodel"),
            ("is_computertype=9", "is_computertype"),
            ("is_features=9:1", "is_features"),
            ("is_expdate=31.12.2021", "is_expdate"),
            ("is_expduration=forever", "is_expduration"),
            ("is_expduration=-30", "is_expduration"),
            ("is_quantity=some", "is_quantity"),
            ("is_pp=x", "is_pp"),
            ("is_floating=sometimes", "is_floating"),
        ] {
            let error = order(text, &OrderSettings::default()).unwrap_err();
            assert!(error.to_string().contains(name) && error.code().number() == 208, "{text}: {error}");
        }
    }
}
