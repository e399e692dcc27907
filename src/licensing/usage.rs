//! Use that a machine counted while nobody saw it: running totals in our own files, amounts in LicenseSpring's. What was used
//! was used: it is added even past the allowance, and never taken back by an older or a smaller report.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::license::{Meter, Terms};

/// Numbers in files stay below this, so that every JSON reader keeps them whole (RFC 8259 §6).
const MOST: u64 = (1 << 53) - 1;

/// Running totals of one machine; `seq` orders its reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub seq: u64,
    pub license: u64,
    pub features: Vec<(String, u64)>,
}

/// The totals a machine has reported so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    pub license: u64,
    pub features: BTreeMap<String, u64>,
}

/// A total that is smaller than one reported before: a restored image, a second copy, or a forgery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WentBack {
    /// None: the license's own counter.
    pub feature: Option<String>,
    pub was: u64,
    pub now: u64,
}

impl WentBack {
    pub const CODE: &'static str = "counter_went_back";
}

/// An amount that was added to a counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Added {
    /// None: the license's own counter.
    pub feature: Option<String>,
    pub amount: i64,
}

/// What a report changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    pub added: Vec<Added>,
    pub went_back: Vec<WentBack>,
    /// Amounts below zero where the counter takes none, and features that the license does not count.
    pub ignored: Vec<Option<String>>,
}

impl Reported {
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.added.is_empty() && self.went_back.is_empty() && self.ignored.is_empty()
    }
}

/// Takes a machine's running totals: what is more than it reported before is added to the license's counters. A report that is not
/// newer than the last one changes nothing; a smaller total is told, and not taken.
pub fn report(totals: &mut Totals, seq: &mut i64, terms: &mut Terms, usage: &Usage) -> Reported {
    let mut reported = Reported::default();
    let newest = i64::try_from(usage.seq.min(MOST)).unwrap_or(i64::MAX);
    if newest <= *seq {
        return reported;
    }
    *seq = newest;
    // A license without a counter of its own still remembers, so that one added later starts from what is known.
    take(None, &mut totals.license, usage.license, terms.meter.as_mut(), &mut reported);
    for (code, total) in &usage.features {
        match counted(terms, code) {
            Some(meter) => {
                let before = totals.features.entry(code.clone()).or_default();
                take(Some(code), before, *total, Some(meter), &mut reported);
            }
            None if *total > 0 => reported.ignored.push(Some(code.clone())),
            None => {}
        }
    }
    reported
}

fn take(feature: Option<&str>, before: &mut u64, total: u64, meter: Option<&mut Meter>, reported: &mut Reported) {
    let total = total.min(MOST);
    let feature = feature.map(ToString::to_string);
    if total < *before {
        reported.went_back.push(WentBack { feature, was: *before, now: total });
        return;
    }
    let amount = i64::try_from(total - *before).unwrap_or(i64::MAX);
    *before = total;
    if let Some(meter) = meter
        && amount > 0
    {
        meter.used = meter.used.saturating_add(amount);
        reported.added.push(Added { feature, amount });
    }
}

/// Takes amounts that a machine used since it last told: of the license (`None`) or of a feature. An amount below zero is given back
/// only where the counter allows that.
pub fn add(terms: &mut Terms, amounts: &[(Option<String>, i64)]) -> Reported {
    let mut reported = Reported::default();
    for (feature, amount) in amounts.iter().filter(|(_, amount)| *amount != 0) {
        let meter = match feature {
            None => terms.meter.as_mut(),
            Some(code) => counted(terms, code),
        };
        match meter.filter(|meter| *amount > 0 || meter.negatives) {
            Some(meter) => {
                meter.used = meter.used.saturating_add(*amount);
                reported.added.push(Added { feature: feature.clone(), amount: *amount });
            }
            None => reported.ignored.push(feature.clone()),
        }
    }
    reported
}

/// The counter of a feature, where the license counts it.
fn counted<'a>(terms: &'a mut Terms, code: &str) -> Option<&'a mut Meter> {
    terms.entitlements.iter_mut().find(|entitlement| entitlement.code == code).and_then(|entitlement| entitlement.meter.as_mut())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::{
        license::{Entitlement, Limit},
        product::FeatureKind,
    };
    use alloc::vec;
    use proptest::prelude::*;

    fn meter() -> Meter {
        Meter { used: 0, max: Limit::AtMost(10), overage: Limit::AtMost(0), period: None, negatives: false, resets_at: None }
    }

    fn terms() -> Terms {
        let jobs = Entitlement {
            code: "jobs".into(),
            name: "Jobs".into(),
            kind: FeatureKind::Consumption,
            valid_until: None,
            meter: Some(meter()),
            floating: None,
        };
        let plain = Entitlement { code: "export".into(), meter: None, kind: FeatureKind::Activation, ..jobs.clone() };
        Terms { meter: Some(meter()), entitlements: vec![jobs, plain], ..Terms::default() }
    }

    fn usage(seq: u64, license: u64, jobs: u64) -> Usage {
        Usage { seq, license, features: vec![("jobs".into(), jobs)] }
    }

    fn used(terms: &Terms) -> (i64, i64) {
        (terms.meter.unwrap().used, terms.entitlements[0].meter.unwrap().used)
    }

    #[test]
    fn only_what_is_more_than_before_is_added() {
        let (mut totals, mut seq, mut terms) = (Totals::default(), 0, terms());
        assert_eq!(report(&mut totals, &mut seq, &mut terms, &usage(1, 4, 2)).added.len(), 2);
        let again = report(&mut totals, &mut seq, &mut terms, &usage(2, 7, 2));
        assert_eq!(again.added, [Added { feature: None, amount: 3 }]);
        assert_eq!((used(&terms), seq), ((7, 2), 2));
    }

    #[test]
    fn a_report_that_is_not_newer_changes_nothing() {
        let (mut totals, mut seq, mut terms) = (Totals::default(), 0, terms());
        report(&mut totals, &mut seq, &mut terms, &usage(5, 4, 2));
        for old in [usage(5, 9, 9), usage(4, 9, 9), usage(0, 0, 0)] {
            assert!(report(&mut totals, &mut seq, &mut terms, &old).is_nothing());
        }
        assert_eq!((used(&terms), seq), ((4, 2), 5));
    }

    #[test]
    fn a_smaller_total_is_told_and_not_taken_while_the_others_count() {
        let (mut totals, mut seq, mut terms) = (Totals::default(), 0, terms());
        report(&mut totals, &mut seq, &mut terms, &usage(1, 8, 2));
        let back = report(&mut totals, &mut seq, &mut terms, &usage(2, 3, 6));
        assert_eq!(back.went_back, [WentBack { feature: None, was: 8, now: 3 }]);
        assert_eq!(used(&terms), (8, 6));
        // It goes on from the highest total ever told.
        report(&mut totals, &mut seq, &mut terms, &usage(3, 9, 6));
        assert_eq!(used(&terms), (9, 6));
    }

    #[test]
    fn two_machines_count_side_by_side() {
        let mut terms = terms();
        for _ in 0..2 {
            report(&mut Totals::default(), &mut 0, &mut terms, &usage(1, 6, 1));
        }
        assert_eq!(used(&terms), (12, 2), "what was used was used, also past the allowance");
    }

    #[test]
    fn what_the_license_does_not_count_is_ignored() {
        let (mut totals, mut terms) = (Totals::default(), terms());
        let odd = Usage { seq: 1, license: 0, features: vec![("export".into(), 3), ("nobody".into(), 4), ("zero".into(), 0)] };
        let reported = report(&mut totals, &mut 0, &mut terms, &odd);
        assert_eq!(reported.ignored, [Some("export".into()), Some("nobody".into())]);
        assert!(totals.features.is_empty(), "nothing is kept of it");
    }

    #[test]
    fn amounts_below_zero_need_a_counter_that_takes_them() {
        let mut terms = terms();
        let reported = add(&mut terms, &[(None, -2), (Some("jobs".into()), 3), (Some("nobody".into()), 1), (None, 0)]);
        assert_eq!((used(&terms), reported.ignored.len()), ((0, 3), 2));
        terms.meter.as_mut().unwrap().negatives = true;
        add(&mut terms, &[(None, -2)]);
        assert_eq!(used(&terms), (-2, 3));
    }

    proptest! {
        /// Whatever a machine reports, in whatever order: what is counted is the highest total of those that were newer.
        #[test]
        fn a_counter_never_goes_down(reports in prop::collection::vec((any::<u64>(), any::<u64>()), 0..20)) {
            let (mut totals, mut seq, mut terms) = (Totals::default(), 0, terms());
            let (mut highest, mut newest) = (0, 0);
            for (number, total) in reports {
                let before = used(&terms).0;
                report(&mut totals, &mut seq, &mut terms, &usage(number, total, 0));
                if number.min(MOST) > newest {
                    newest = number.min(MOST);
                    highest = highest.max(total.min(MOST));
                }
                prop_assert!(used(&terms).0 >= before);
                prop_assert_eq!(used(&terms).0, i64::try_from(highest).unwrap());
            }
        }
    }
}
