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

/// The totals a machine has reported so far, by the installation that told them: each counts its own use, from zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    pub license: u64,
    pub features: BTreeMap<String, u64>,
    /// The thumbprint of the device key that told them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What other installations on the machine told before, so that one that comes back goes on where it was.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, Told>,
}

/// What one installation told last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    pub seq: i64,
    pub license: u64,
    pub features: BTreeMap<String, u64>,
}

/// Installations remembered beside the one that tells; a machine is set up anew a few times a year at the most.
const REMEMBERED: usize = 8;

impl Totals {
    /// Turns to the totals of the installation with this device key.
    pub fn turn_to(&mut self, seq: &mut i64, key: &str) {
        if self.by.as_deref() == Some(key) {
            return;
        }
        let now = self.others.remove(key).unwrap_or_default();
        let (license, features) =
            (core::mem::replace(&mut self.license, now.license), core::mem::replace(&mut self.features, now.features));
        let before = Told { seq: core::mem::replace(seq, now.seq), license, features };
        if let Some(by) = self.by.replace(key.to_string())
            && self.others.len() < REMEMBERED
        {
            self.others.insert(by, before);
        }
    }
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
        count(meter, amount);
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
                count(meter, *amount);
                reported.added.push(Added { feature: feature.clone(), amount: *amount });
            }
            None => reported.ignored.push(feature.clone()),
        }
    }
    reported
}

/// Files hold no number beyond 2^53: a counter that was told nonsense stays one that can be written.
pub(super) fn count(meter: &mut Meter, amount: i64) {
    const LIMIT: i64 = MOST as i64;
    meter.used = meter.used.saturating_add(amount).clamp(-LIMIT, LIMIT);
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
    fn a_counter_stays_within_what_a_file_can_hold() {
        let mut terms = terms();
        for _ in 0..3 {
            report(&mut Totals::default(), &mut 0, &mut terms, &usage(1, u64::MAX, MOST));
        }
        assert_eq!(used(&terms), (MOST as i64, MOST as i64));
    }

    #[test]
    fn an_installation_that_comes_back_goes_on_where_it_was() {
        let (mut totals, mut seq, mut terms) = (Totals::default(), 0, terms());
        let mut tell = |key: &str, number, license| {
            totals.turn_to(&mut seq, key);
            report(&mut totals, &mut seq, &mut terms, &usage(number, license, 0));
            terms.meter.unwrap().used
        };
        assert_eq!(tell("a", 5, 10), 10);
        assert_eq!(tell("b", 1, 3), 13, "another installation counts from zero");
        assert_eq!(tell("a", 5, 10), 13, "what it told before is not counted twice");
        assert_eq!(tell("a", 6, 12), 15);
        assert_eq!(tell("b", 2, 4), 16);
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
