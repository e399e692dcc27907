//! Counters with an allowance: spending from them while an app is online, and the periods after which they begin anew.

use super::{
    Timestamp,
    license::{License, Limit, Meter, Period},
    usage,
};

/// Why an amount was not spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpendRefusal {
    #[error("not_counted")]
    NotCounted,
    #[error("not_enough")]
    NotEnough,
    #[error("negatives_not_allowed")]
    NegativesNotAllowed,
}

impl Period {
    /// The first end of a period after `now`, where the first began at `anchor`. Months end on the day they began on, or on their
    /// last where they have no such day.
    #[must_use]
    pub fn next_end(self, anchor: Timestamp, now: Timestamp) -> Timestamp {
        let days = |length: i64| {
            let length = length * 86_400_000;
            let whole = now.since(anchor).div_euclid(length);
            anchor.plus_millis(length.saturating_mul(whole.saturating_add(1)))
        };
        let months = |length: i64| {
            // A month more or less is found by looking: they differ in length.
            let near = now.months_since(anchor).div_euclid(length);
            let ends = (-1..=2).map(|step| anchor.plus_months(near.saturating_add(step).saturating_mul(length)));
            ends.into_iter().find(|end| *end > now).unwrap_or(now)
        };
        match self {
            Self::Daily => days(1),
            Self::Weekly => days(7),
            Self::Monthly => months(1),
            Self::Annually => months(12),
        }
    }
}

impl Meter {
    /// Begins anew where a period is over, and knows when the present one is.
    pub fn turn(&mut self, anchor: Timestamp, now: Timestamp) {
        let Some(period) = self.period else { return };
        if self.resets_at.is_some_and(|at| at <= now) {
            self.used = 0;
            self.resets_at = None;
        }
        self.resets_at.get_or_insert_with(|| period.next_end(anchor, now));
    }

    /// Spends an amount, or gives one back where the counter allows amounts below zero. A caller may hold itself to less overage than
    /// there is, never to more. Refuses what goes beyond the allowance and leaves the counter as it was.
    pub fn spend(&mut self, amount: i64, overage: Option<Limit>) -> Result<(), SpendRefusal> {
        if amount < 0 && !self.negatives {
            return Err(SpendRefusal::NegativesNotAllowed);
        }
        let overage = overage.map_or(self.overage, |overage| overage.tighter(self.overage));
        let most = self.max.most().zip(overage.most()).map(|(max, over)| i64::from(max) + i64::from(over));
        let after = self.used.saturating_add(amount);
        if amount > 0 && most.is_some_and(|most| after > most) {
            return Err(SpendRefusal::NotEnough);
        }
        usage::count(self, amount);
        Ok(())
    }
}

impl License {
    /// Begins every counter anew whose period is over: read so, a license shows what is true now.
    pub fn turn_meters(&mut self, now: Timestamp) {
        let anchor = self.terms.start.unwrap_or(self.created);
        let features = self.terms.entitlements.iter_mut().filter_map(|entitlement| entitlement.meter.as_mut());
        for meter in self.terms.meter.iter_mut().chain(features) {
            meter.turn(anchor, now);
        }
    }

    /// The counter of the license itself, or of a feature. Refuses what the license does not have or whose end is past.
    pub fn meter_mut(&mut self, feature: Option<&str>, now: Timestamp) -> Result<&mut Meter, SpendRefusal> {
        let meter = match feature {
            None => self.terms.meter.as_mut(),
            Some(code) => {
                let mut features = self.terms.entitlements.iter_mut();
                let feature = features.find(|entitlement| entitlement.code.eq_ignore_ascii_case(code));
                let lasts = feature.filter(|entitlement| entitlement.valid_until.is_none_or(|until| now < until));
                lasts.and_then(|entitlement| entitlement.meter.as_mut())
            }
        };
        meter.ok_or(SpendRefusal::NotCounted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).unwrap()
    }

    fn meter(max: Limit, overage: Limit) -> Meter {
        Meter { used: 0, max, overage, period: None, negatives: false, resets_at: None }
    }

    #[test]
    fn a_period_ends_where_it_began() {
        let anchor = at("2026-01-31T10:00:00Z");
        for (period, now, end) in [
            (Period::Daily, "2026-01-31T10:00:00Z", "2026-02-01T10:00:00Z"),
            (Period::Daily, "2026-03-05T09:59:59Z", "2026-03-05T10:00:00Z"),
            (Period::Weekly, "2026-02-07T10:00:00Z", "2026-02-14T10:00:00Z"),
            (Period::Monthly, "2026-02-01T00:00:00Z", "2026-02-28T10:00:00Z"),
            (Period::Monthly, "2026-02-28T10:00:00Z", "2026-03-31T10:00:00Z"),
            (Period::Monthly, "2028-02-29T09:00:00Z", "2028-02-29T10:00:00Z"),
            (Period::Annually, "2026-06-01T00:00:00Z", "2027-01-31T10:00:00Z"),
            // A license that starts later counts from there.
            (Period::Monthly, "2025-12-31T09:00:00Z", "2025-12-31T10:00:00Z"),
        ] {
            assert_eq!(period.next_end(anchor, at(now)).to_rfc3339(), at(end).to_rfc3339(), "{period:?} {now}");
        }
    }

    #[test]
    fn a_counter_begins_anew_when_its_period_is_over() {
        let anchor = at("2026-01-01T00:00:00Z");
        let mut jobs = Meter { period: Some(Period::Monthly), ..meter(Limit::AtMost(10), Limit::AtMost(0)) };
        jobs.turn(anchor, at("2026-01-10T00:00:00Z"));
        jobs.spend(10, None).unwrap();
        jobs.turn(anchor, at("2026-01-31T23:59:59Z"));
        assert_eq!(jobs.spend(1, None), Err(SpendRefusal::NotEnough));
        jobs.turn(anchor, at("2026-02-01T00:00:00Z"));
        assert_eq!((jobs.used, jobs.resets_at), (0, Some(at("2026-03-01T00:00:00Z"))));
        // Periods in which nobody asked are passed over.
        jobs.spend(3, None).unwrap();
        jobs.turn(anchor, at("2026-07-15T00:00:00Z"));
        assert_eq!((jobs.used, jobs.resets_at), (0, Some(at("2026-08-01T00:00:00Z"))));
        // One without a period goes on.
        let mut whole = Meter { used: 7, ..meter(Limit::AtMost(10), Limit::AtMost(0)) };
        whole.turn(anchor, at("2036-07-15T00:00:00Z"));
        assert_eq!((whole.used, whole.resets_at), (7, None));
    }

    #[test]
    fn an_allowance_and_its_overage_are_spent_and_no_more() {
        let mut jobs = meter(Limit::AtMost(10), Limit::AtMost(2));
        jobs.spend(12, None).unwrap();
        assert_eq!(jobs.spend(1, None), Err(SpendRefusal::NotEnough));
        assert_eq!(jobs.used, 12, "a refusal changes nothing");
        assert_eq!(jobs.spend(-1, None), Err(SpendRefusal::NegativesNotAllowed));
        // A caller holds itself to less, never to more.
        let mut jobs = meter(Limit::AtMost(10), Limit::AtMost(2));
        assert_eq!(jobs.spend(12, Some(Limit::AtMost(1))), Err(SpendRefusal::NotEnough));
        assert_eq!(jobs.spend(13, Some(Limit::Unlimited)), Err(SpendRefusal::NotEnough));
        jobs.spend(11, Some(Limit::AtMost(1))).unwrap();
        for (max, overage) in [(Limit::Unlimited, Limit::AtMost(0)), (Limit::AtMost(1), Limit::Unlimited)] {
            meter(max, overage).spend(i64::MAX, None).unwrap();
        }
        let mut back = Meter { negatives: true, used: 5, ..meter(Limit::AtMost(4), Limit::AtMost(0)) };
        back.spend(-2, None).unwrap();
        assert_eq!((back.used, back.spend(2, None)), (3, Err(SpendRefusal::NotEnough)));
    }

    proptest! {
        /// No sequence of amounts gets beyond the allowance, and a refused one changes nothing.
        #[test]
        fn nothing_spends_more_than_there_is(max in 0u32..100, over in 0u32..100, amounts in prop::collection::vec(any::<i64>(), 0..30)) {
            let mut jobs = Meter { negatives: true, ..meter(Limit::AtMost(max), Limit::AtMost(over)) };
            for amount in amounts {
                let before = jobs;
                if jobs.spend(amount, None).is_err() {
                    prop_assert_eq!(jobs, before);
                }
                prop_assert!(jobs.used <= i64::from(max) + i64::from(over));
            }
        }

        /// The end of a period is after now, and no whole period away.
        #[test]
        fn a_period_ends_after_now(anchor in 0i64..4_000_000_000, now in 0i64..4_000_000_000) {
            let (anchor, now) = (Timestamp::from_seconds(anchor), Timestamp::from_seconds(now));
            for (period, days) in [(Period::Daily, 1), (Period::Weekly, 7), (Period::Monthly, 31), (Period::Annually, 366)] {
                let end = period.next_end(anchor, now);
                prop_assert!(now < end && end <= now.plus_days(days), "{:?} {:?}", period, end);
            }
        }
    }
}
