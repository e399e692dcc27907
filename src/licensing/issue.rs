//! From what was ordered to keys and seats: quantity × activations per key × additional activations.
//! The cells are those of QLM's documentation; the two disputed ones follow the settings below.

/// What an order says about quantities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantities {
    pub quantity: u32,
    /// One key for each unit instead of one key for all.
    pub separate_keys: bool,
    pub activations_per_key: Option<u32>,
    pub additional_activations: u32,
}

impl Default for Quantities {
    fn default() -> Self {
        Self { quantity: 1, separate_keys: false, activations_per_key: None, additional_activations: 0 }
    }
}

/// How the two cells are read on which QLM's own sources disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuantitySettings {
    /// `numberOfActivationsAppliesToMultiKey`: activations per key multiply one key for all, too.
    pub per_key_applies_to_shared: bool,
    /// `additionalActivationsWhenSeparateKeys` = each: every separate key gets them, instead of none.
    pub additional_on_each: bool,
}

impl Default for QuantitySettings {
    fn default() -> Self {
        Self { per_key_applies_to_shared: true, additional_on_each: false }
    }
}

/// Keys to make and the seats on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    pub keys: u32,
    pub seats_each: u32,
}

/// More than anyone orders by purpose.
pub const MAX_KEYS: u32 = 10_000;
pub const MAX_SEATS: u32 = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("more than {MAX_KEYS} keys at once")]
    TooManyKeys,
    #[error("more than {MAX_SEATS} seats on one key")]
    TooManySeats,
}

/// How many keys and seats an order makes. A quantity or a number per key below one counts as one.
///
/// Refuses more than [`MAX_KEYS`] keys or [`MAX_SEATS`] seats on one of them.
pub fn batch(ordered: Quantities, settings: QuantitySettings) -> Result<Batch, BatchError> {
    let quantity = u64::from(ordered.quantity.max(1));
    let per_key = u64::from(ordered.activations_per_key.unwrap_or(1).max(1));
    let additional = u64::from(ordered.additional_activations);
    let (keys, seats) = if ordered.separate_keys {
        (quantity, per_key + if settings.additional_on_each { additional } else { 0 })
    } else {
        (1, quantity * if settings.per_key_applies_to_shared { per_key } else { 1 } + additional)
    };
    let keys = u32::try_from(keys).ok().filter(|keys| *keys <= MAX_KEYS).ok_or(BatchError::TooManyKeys)?;
    let seats_each = u32::try_from(seats).ok().filter(|seats| *seats <= MAX_SEATS).ok_or(BatchError::TooManySeats)?;
    Ok(Batch { keys, seats_each })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Q, separate keys, N, A → keys × seats: the rows of the table in the order of the documentation.
    const CELLS: [(u32, bool, Option<u32>, u32, u32, u32); 11] = [
        (3, false, None, 0, 1, 3),
        (3, false, None, 2, 1, 5),
        (3, false, None, 3, 1, 6),
        (3, false, Some(2), 0, 1, 6),
        (3, false, Some(2), 3, 1, 9),
        (3, true, None, 0, 3, 1),
        (3, true, Some(2), 0, 3, 2),
        (3, true, None, 2, 3, 1),
        (3, true, Some(2), 3, 3, 2),
        (1, false, None, 0, 1, 1),
        (1, true, Some(10_000), 0, 1, 10_000),
    ];

    #[test]
    fn every_cell_of_the_table_holds() {
        for (quantity, separate_keys, activations_per_key, additional_activations, keys, seats_each) in CELLS {
            let ordered = Quantities { quantity, separate_keys, activations_per_key, additional_activations };
            assert_eq!(batch(ordered, QuantitySettings::default()), Ok(Batch { keys, seats_each }), "{ordered:?}");
        }
    }

    #[test]
    fn the_disputed_cells_follow_their_settings() {
        let settings = QuantitySettings { per_key_applies_to_shared: false, additional_on_each: true };
        let shared = Quantities { quantity: 3, activations_per_key: Some(2), ..Quantities::default() };
        assert_eq!(batch(shared, settings), Ok(Batch { keys: 1, seats_each: 3 }));
        let separate = Quantities { quantity: 3, separate_keys: true, additional_activations: 2, ..Quantities::default() };
        assert_eq!(batch(separate, settings), Ok(Batch { keys: 3, seats_each: 3 }));
    }

    #[test]
    fn a_batch_beyond_the_caps_is_refused() {
        let many = Quantities { quantity: 10_001, separate_keys: true, ..Quantities::default() };
        assert_eq!(batch(many, QuantitySettings::default()), Err(BatchError::TooManyKeys));
        let wide = Quantities { quantity: u32::MAX, activations_per_key: Some(u32::MAX), ..Quantities::default() };
        assert_eq!(batch(wide, QuantitySettings::default()), Err(BatchError::TooManySeats));
        let none = Quantities { quantity: 0, activations_per_key: Some(0), ..Quantities::default() };
        assert_eq!(batch(none, QuantitySettings::default()), Ok(Batch { keys: 1, seats_each: 1 }));
    }
}
