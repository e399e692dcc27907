//! Slots of floating licenses and features: more machines may have a license than may use it at once. One that gives signs of life
//! holds a slot for as long as they come; one that borrowed a slot has it until an agreed time, with a network or without.

use super::{ActivationId, Timestamp, license::License};

/// How long a machine has a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Until then, unless it gives another sign of life.
    Floating { until: Timestamp },
    /// Until then, whether it gives one or not.
    Borrowed { until: Timestamp },
    /// For as long as it is activated: it came by a page or a file, from where no sign of life comes.
    Kept,
}

impl Hold {
    #[must_use]
    pub const fn until(self) -> Option<Timestamp> {
        match self {
            Self::Floating { until } | Self::Borrowed { until } => Some(until),
            Self::Kept => None,
        }
    }

    #[must_use]
    pub fn is_live(self, now: Timestamp) -> bool {
        self.until().is_none_or(|until| now < until)
    }

    #[must_use]
    pub const fn borrowed_until(self) -> Option<Timestamp> {
        match self {
            Self::Borrowed { until } => Some(until),
            Self::Floating { .. } | Self::Kept => None,
        }
    }
}

/// A slot that a machine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub activation: ActivationId,
    /// None: of the license itself.
    pub feature: Option<alloc::string::String>,
    pub hold: Hold,
}

/// The slots there are of a license or of one of its features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    pub slots: u32,
    /// For how many hours one may be borrowed; 0 for not at all.
    pub borrow_hours: u32,
}

/// What is known of a pool when a machine asks for a slot of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InUse {
    /// How many slots other machines have now.
    pub others: u32,
    /// The machine's own.
    pub own: Option<Hold>,
}

impl InUse {
    /// How many are in use once the machine has this one.
    #[must_use]
    pub const fn with(self) -> u32 {
        self.others.saturating_add(1)
    }
}

/// Why a machine got no slot, or gave none back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotRefusal {
    #[error("no_such_feature")]
    NoSuchFeature,
    #[error("not_floating")]
    NotFloating,
    #[error("floating_full")]
    Full { slots: u32 },
    #[error("borrowing_not_allowed")]
    BorrowingNotAllowed,
    /// Past, or further away than may be.
    #[error("borrow_time")]
    BorrowTime { most: Timestamp },
}

impl License {
    /// The slots of the license itself, or of a feature. Refuses what it does not have, what has ended, and what does not float.
    pub fn pool(&self, feature: Option<&str>, now: Timestamp) -> Result<Pool, SlotRefusal> {
        let borrow_hours = self.terms.floating.map_or(0, |floating| floating.borrow_hours);
        let slots = match feature {
            None => self.terms.floating.map(|floating| floating.slots),
            Some(code) => {
                let (_, feature) = self.entitlement(code).ok_or(SlotRefusal::NoSuchFeature)?;
                if feature.valid_until.is_some_and(|until| until <= now) {
                    return Err(SlotRefusal::NoSuchFeature);
                }
                feature.floating
            }
        };
        let slots = slots.ok_or(SlotRefusal::NotFloating)?;
        Ok(Pool { slots, borrow_hours })
    }
}

impl Pool {
    /// Whether there is one for this machine: it has one, or not all are in use.
    #[must_use]
    pub const fn has_room(self, in_use: InUse) -> bool {
        in_use.own.is_some() || in_use.others < self.slots
    }

    const fn room(self, in_use: InUse) -> Result<(), SlotRefusal> {
        if self.has_room(in_use) { Ok(()) } else { Err(SlotRefusal::Full { slots: self.slots }) }
    }

    /// A sign of life: the machine has a slot for so many minutes from now. One that it has for longer stays as it is.
    pub fn take(self, in_use: InUse, timeout_minutes: u32, now: Timestamp) -> Result<Hold, SlotRefusal> {
        self.room(in_use)?;
        Ok(match in_use.own {
            Some(longer @ (Hold::Borrowed { .. } | Hold::Kept)) => longer,
            Some(Hold::Floating { .. }) | None => {
                Hold::Floating { until: now.plus_seconds(i64::from(timeout_minutes).saturating_mul(60)) }
            }
        })
    }

    /// Takes a slot along until `until`, or for as long as may be; never beyond `ends`, where use of the license ends.
    pub fn borrow(
        self,
        in_use: InUse,
        until: Option<Timestamp>,
        ends: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Timestamp, SlotRefusal> {
        if self.borrow_hours == 0 {
            return Err(SlotRefusal::BorrowingNotAllowed);
        }
        let most = now.plus_hours(i64::from(self.borrow_hours));
        let until = until.unwrap_or(most);
        if until <= now || most < until {
            return Err(SlotRefusal::BorrowTime { most });
        }
        self.room(in_use)?;
        Ok(ends.map_or(until, |ends| until.min(ends)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{collections::BTreeMap, vec::Vec};
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);
    const POOL: Pool = Pool { slots: 2, borrow_hours: 24 };

    fn others(others: u32) -> InUse {
        InUse { others, own: None }
    }

    #[test]
    fn a_sign_of_life_takes_a_slot_and_keeps_it() {
        let until = NOW.plus_seconds(7200);
        assert_eq!(POOL.take(others(1), 120, NOW), Ok(Hold::Floating { until }));
        assert_eq!(POOL.take(others(2), 120, NOW), Err(SlotRefusal::Full { slots: 2 }));
        // Who has one keeps it, even where there are fewer than there were.
        let own = InUse { others: 2, own: Some(Hold::Floating { until: NOW.plus_millis(1) }) };
        assert_eq!(POOL.take(own, 120, NOW), Ok(Hold::Floating { until }));
    }

    #[test]
    fn a_sign_of_life_shortens_nothing() {
        let borrowed = Hold::Borrowed { until: NOW.plus_hours(20) };
        for longer in [borrowed, Hold::Kept] {
            assert_eq!(POOL.take(InUse { others: 1, own: Some(longer) }, 1, NOW), Ok(longer));
        }
    }

    #[test]
    fn a_slot_is_borrowed_for_as_long_as_may_be_and_no_longer() {
        let day = NOW.plus_hours(24);
        assert_eq!(POOL.borrow(others(0), None, None, NOW), Ok(day));
        assert_eq!(POOL.borrow(others(1), Some(NOW.plus_hours(5)), None, NOW), Ok(NOW.plus_hours(5)));
        let ends = NOW.plus_hours(3);
        assert_eq!(POOL.borrow(others(1), None, Some(ends), NOW), Ok(ends));
        for wrong in [NOW, NOW.plus_millis(-1), day.plus_millis(1)] {
            assert_eq!(POOL.borrow(others(0), Some(wrong), None, NOW), Err(SlotRefusal::BorrowTime { most: day }));
        }
        assert_eq!(POOL.borrow(others(2), None, None, NOW), Err(SlotRefusal::Full { slots: 2 }));
        let none = Pool { borrow_hours: 0, ..POOL };
        assert_eq!(none.borrow(others(0), None, None, NOW), Err(SlotRefusal::BorrowingNotAllowed));
    }

    #[test]
    fn a_hold_is_over_at_its_end() {
        let until = NOW.plus_millis(1);
        for hold in [Hold::Floating { until }, Hold::Borrowed { until }] {
            assert!(hold.is_live(NOW) && !hold.is_live(until));
        }
        assert!(Hold::Kept.is_live(Timestamp::from_millis(i64::MAX)));
    }

    proptest! {
        /// However machines come, borrow, go and fall silent, no more of them have a slot at once than there are.
        #[test]
        fn no_more_have_a_slot_than_there_are(acts in prop::collection::vec((0u8..5, 0u8..4, 0i64..200), 0..60)) {
            let mut holds: BTreeMap<u8, Hold> = BTreeMap::new();
            let mut now = NOW;
            for (machine, act, minutes) in acts {
                now = now.plus_seconds(minutes * 60);
                holds.retain(|_, hold| hold.is_live(now));
                let own = holds.get(&machine).copied();
                let in_use = InUse { others: (holds.len() - usize::from(own.is_some())) as u32, own };
                let taken = match act {
                    0 => { holds.remove(&machine); continue }
                    1 => POOL.take(in_use, 60, now),
                    2 => POOL.borrow(in_use, Some(now.plus_hours(2)), None, now).map(|until| Hold::Borrowed { until }),
                    _ => POOL.borrow(in_use, None, None, now).map(|until| Hold::Borrowed { until }),
                };
                if let Ok(hold) = taken {
                    holds.insert(machine, hold);
                }
                let live: Vec<_> = holds.values().filter(|hold| hold.is_live(now)).collect();
                prop_assert!(live.len() <= 2, "{:?}", holds);
            }
        }
    }
}
