//! The terms of a license as options, for issuing, for editing and for policies.

use clap::Args;

use super::parse::{self, Day};
use crate::{
    desk::{ActError, FeatureWish, merge_entitlements},
    licensing::{
        license::{Expiry, Floating, LicenseType, Limit, Maintenance, Meter, Period, Terms, TransferLimit},
        product::Feature,
    },
};

#[derive(Args, Clone, Default)]
pub(super) struct TermOptions {
    /// perpetual, time-limited, subscription or consumption
    #[arg(long = "type", value_name = "TYPE", value_parser = kind)]
    kind: Option<LicenseType>,
    /// A trial
    #[arg(long)]
    trial: bool,
    /// Good through this day; `never` takes an end away
    #[arg(long, value_name = "DATE", value_parser = parse::day)]
    valid_until: Option<Day>,
    /// Good for so many days
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    valid_days: Option<u32>,
    /// What the days count from: issue, activation, or client (the app's first run)
    #[arg(long, value_name = "FROM", value_parser = ["issue", "activation", "client"], requires = "valid_days")]
    valid_days_from: Option<String>,
    /// Running copies go on for so long after the end
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=8_784))]
    grace_hours: Option<u32>,
    /// Versions released through this day are covered; `none` covers all
    #[arg(long, value_name = "DATE", value_parser = parse::day)]
    maintenance_until: Option<Day>,
    /// How often a freed seat may be taken by another machine: a number, `none` or `unlimited`
    #[arg(long, value_name = "N", value_parser = parse::transfers)]
    transfers: Option<TransferLimit>,
    /// Not usable before this day
    #[arg(long, value_name = "DATE", value_parser = parse::day)]
    start: Option<Day>,
    /// No activation by file
    #[arg(long)]
    no_offline: bool,
    /// Seats shared by more machines than may use them at once; 0 takes it away
    #[arg(long, value_name = "N")]
    floating: Option<u32>,
    /// How long a shared seat may be borrowed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=87_840))]
    borrow_hours: Option<u32>,
    /// What may be consumed: a number or `unlimited`
    #[arg(long, value_name = "N", value_parser = parse::limit)]
    max_consumption: Option<Limit>,
    /// What may be consumed beyond the maximum: a number or `unlimited`
    #[arg(long, value_name = "N", value_parser = parse::limit)]
    overage: Option<Limit>,
    /// daily, weekly, monthly or annually
    #[arg(long, value_name = "PERIOD", value_parser = period)]
    consumption_period: Option<Period>,
    /// Consumption may be given back
    #[arg(long)]
    negative_consumption: bool,
    /// A feature: CODE, with a maximum CODE=MAX, with an end CODE@DATE; may be repeated
    #[arg(long = "feature", value_name = "CODE[=MAX][@DATE]", value_parser = wish)]
    features: Vec<FeatureWish>,
    /// A feature shared by N machines at once; may be repeated
    #[arg(long = "floating-feature", value_name = "CODE=N", value_parser = parse::counted)]
    floating_features: Vec<(String, u32)>,
    /// A custom field; may be repeated
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = parse::pair)]
    fields: Vec<(String, String)>,
    /// A JSON object kept with the license
    #[arg(long, value_name = "JSON", value_parser = metadata)]
    metadata: Option<Metadata>,
}

/// In a type of its own, or clap would take the map for repeated values.
#[derive(Clone, Debug)]
struct Metadata(serde_json::Map<String, serde_json::Value>);

fn metadata(text: &str) -> Result<Metadata, String> {
    parse::json_object(text).map(Metadata)
}

fn kind(text: &str) -> Result<LicenseType, String> {
    LicenseType::parse(text).ok_or_else(|| "a type is perpetual, time-limited, subscription or consumption".to_owned())
}

fn period(text: &str) -> Result<Period, String> {
    Period::parse(text).ok_or_else(|| "a period is daily, weekly, monthly or annually".to_owned())
}

fn wish(text: &str) -> Result<FeatureWish, String> {
    let (rest, valid_until) = match text.rsplit_once('@') {
        Some((rest, day)) => (rest, Some(parse::date(day)?.end())),
        None => (text, None),
    };
    let (code, max) = match rest.split_once('=') {
        Some((code, max)) => (code, Some(parse::limit(max)?)),
        None => (rest, None),
    };
    if code.is_empty() {
        return Err("a feature is written as CODE, CODE=MAX or CODE@DATE".to_owned());
    }
    Ok(FeatureWish { code: code.to_owned(), max, valid_until, floating: None })
}

impl TermOptions {
    /// Whether any feature of the product is spoken of.
    pub(super) fn names_features(&self) -> bool {
        !self.features.is_empty() || !self.floating_features.is_empty()
    }

    /// Changes what was named. Refuses a feature the product does not have and consumption of a license that has none.
    pub(super) fn apply(&self, terms: &mut Terms, features: &[Feature]) -> Result<(), ActError> {
        terms.trial |= self.trial;
        self.apply_end(terms);
        terms.kind = self.kind.unwrap_or_else(|| {
            let ends = terms.expiry != Expiry::NEVER && !terms.trial;
            if ends && terms.kind == LicenseType::Perpetual { LicenseType::TimeLimited } else { terms.kind }
        });
        terms.grace_hours = self.grace_hours.unwrap_or(terms.grace_hours);
        if let Some(day) = self.maintenance_until {
            terms.maintenance = day.ends().map_or(Maintenance::None, Maintenance::Until);
        }
        terms.transfers = self.transfers.unwrap_or(terms.transfers);
        if let Some(day) = self.start {
            terms.start = day.begins();
        }
        terms.offline_allowed &= !self.no_offline;
        self.apply_floating(terms)?;
        self.apply_meter(terms)?;
        if self.names_features() {
            merge_entitlements(&mut terms.entitlements, features, &self.wishes()?)?;
        }
        for (name, value) in &self.fields {
            terms.fields.insert(name.clone(), value.clone());
        }
        if let Some(Metadata(metadata)) = &self.metadata {
            terms.metadata.clone_from(metadata);
        }
        Ok(())
    }

    fn apply_end(&self, terms: &mut Terms) {
        if self.valid_until.is_none() && self.valid_days.is_none() {
            return;
        }
        let mut expiry = Expiry { on: self.valid_until.and_then(Day::ends), ..Expiry::NEVER };
        match (self.valid_days, self.valid_days_from.as_deref()) {
            (Some(days), Some("issue")) => expiry.days_after_issue = Some(days),
            (Some(days), Some("client")) => expiry.days_counted_by_client = Some(days),
            (Some(days), _) => expiry.days_after_first_activation = Some(days),
            (None, _) => {}
        }
        terms.expiry = expiry;
    }

    fn apply_floating(&self, terms: &mut Terms) -> Result<(), ActError> {
        match self.floating {
            Some(0) => terms.floating = None,
            Some(slots) => {
                let borrow_hours = terms.floating.map_or(0, |floating| floating.borrow_hours);
                terms.floating = Some(Floating { slots, borrow_hours });
            }
            None => {}
        }
        match (self.borrow_hours, &mut terms.floating) {
            (Some(hours), Some(floating)) => floating.borrow_hours = hours,
            (Some(_), None) => {
                return Err(ActError::field("borrow_hours", "Only floating licenses can be borrowed. Add --floating N."));
            }
            (None, _) => {}
        }
        Ok(())
    }

    fn apply_meter(&self, terms: &mut Terms) -> Result<(), ActError> {
        let named = self.max_consumption.is_some()
            || self.overage.is_some()
            || self.consumption_period.is_some()
            || self.negative_consumption;
        if terms.kind != LicenseType::Consumption {
            if named {
                return Err(ActError::field("type", "Only consumption licenses count what is consumed. Add --type consumption."));
            }
            terms.meter = None;
            return Ok(());
        }
        let meter = terms.meter.get_or_insert(Meter {
            used: 0,
            max: Limit::Unlimited,
            overage: Limit::AtMost(0),
            period: None,
            negatives: false,
            resets_at: None,
        });
        meter.max = self.max_consumption.unwrap_or(meter.max);
        meter.overage = self.overage.unwrap_or(meter.overage);
        meter.period = self.consumption_period.or(meter.period);
        meter.negatives |= self.negative_consumption;
        Ok(())
    }

    fn wishes(&self) -> Result<Vec<FeatureWish>, ActError> {
        let mut wishes = self.features.clone();
        for (code, slots) in &self.floating_features {
            if *slots == 0 {
                return Err(ActError::field("feature", format!("{code} is shared by at least one machine.")));
            }
            match wishes.iter_mut().find(|wish| wish.code.eq_ignore_ascii_case(code)) {
                Some(wish) => wish.floating = Some(*slots),
                None => {
                    wishes.push(FeatureWish { code: code.clone(), max: None, valid_until: None, floating: Some(*slots) });
                }
            }
        }
        Ok(wishes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_written_with_its_maximum_and_its_end() {
        let wished = wish("pages=100@2027-03-12").unwrap();
        assert_eq!((wished.code.as_str(), wished.max), ("pages", Some(Limit::AtMost(100))));
        assert_eq!(wished.valid_until.unwrap().to_rfc3339(), "2027-03-13T00:00:00.000Z");
        assert_eq!(wish("pages").unwrap().max, None);
        for wrong in ["", "=3", "pages=", "pages=x", "pages@soon", "@2027-01-01"] {
            assert!(wish(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn consumption_needs_a_consumption_license() {
        let options = TermOptions { max_consumption: Some(Limit::AtMost(5)), ..TermOptions::default() };
        assert!(options.apply(&mut Terms::default(), &[]).is_err());
        let mut terms = Terms { kind: LicenseType::Consumption, ..Terms::default() };
        options.apply(&mut terms, &[]).unwrap();
        assert_eq!(terms.meter.unwrap().max, Limit::AtMost(5));
    }

    #[test]
    fn days_count_from_what_was_said() {
        let end = |from: Option<&str>| {
            let options =
                TermOptions { valid_days: Some(30), valid_days_from: from.map(str::to_owned), ..TermOptions::default() };
            let mut terms = Terms::default();
            options.apply(&mut terms, &[]).unwrap();
            assert_eq!(terms.kind, LicenseType::TimeLimited);
            terms.expiry
        };
        assert_eq!(end(None).days_after_first_activation, Some(30));
        assert_eq!(end(Some("client")).days_counted_by_client, Some(30));
        assert_eq!(end(Some("issue")).days_after_issue, Some(30));
    }
}
