//! Keys in the shape of QLM's (§4.4): a letter that tells the model, then chance. They carry nothing else: what a license holds is asked
//! of the server, and stands in signed documents.

use alloc::{string::String, vec::Vec};

use super::LicenseModel;

/// Crockford's alphabet: no two of its symbols are taken for each other.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Symbols of a key, with its letter.
pub const LENGTH: usize = 26;

/// Where dashes go (`licenseKeyFormatGroupSize`, `licenseKeyFormatMaxGroupSize`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    pub size: usize,
    /// What is left at the end may be as long as this.
    pub most: usize,
}

impl Default for Groups {
    fn default() -> Self {
        Self { size: 5, most: 9 }
    }
}

/// A key with this first letter from 16 random bytes. The alphabet has no O, so none spells what shops take for a failure.
#[must_use]
pub fn from_random(letter: char, random: [u8; 16]) -> String {
    let mut bits = u128::from_be_bytes(random);
    let mut key = String::from(letter);
    while key.len() < LENGTH {
        key.push(char::from(ALPHABET[(bits & 31) as usize]));
        bits >>= 5;
    }
    key
}

/// The first letter of an activation key.
#[must_use]
pub const fn activation_letter(model: LicenseModel) -> char {
    match model {
        LicenseModel::Permanent => 'A',
        LicenseModel::Trial => 'B',
        LicenseModel::Subscription => 'F',
        LicenseModel::PermanentFloating => 'K',
        LicenseModel::TrialFloating => 'L',
        LicenseModel::SubscriptionFloating => 'M',
        LicenseModel::PermanentCloud => 'R',
        LicenseModel::TrialCloud => 'S',
        LicenseModel::SubscriptionCloud => 'T',
    }
}

/// The first letter of a computer key.
#[must_use]
pub const fn computer_letter(model: LicenseModel) -> char {
    match model {
        LicenseModel::Permanent => 'U',
        LicenseModel::Trial => 'V',
        LicenseModel::Subscription => 'J',
        LicenseModel::PermanentFloating => 'N',
        LicenseModel::TrialFloating => 'P',
        LicenseModel::SubscriptionFloating => 'Q',
        LicenseModel::PermanentCloud => 'W',
        LicenseModel::TrialCloud => 'X',
        LicenseModel::SubscriptionCloud => 'Y',
    }
}

/// With dashes: groups are cut off the front while the rest is longer than it may be.
#[must_use]
pub fn dashed(key: &str, groups: Groups) -> String {
    let symbols: Vec<char> = key.chars().filter(|c| *c != '-').collect();
    let mut rest = symbols.as_slice();
    let mut text = String::new();
    while groups.size > 0 && rest.len() > groups.most.max(groups.size) {
        let (group, after) = rest.split_at(groups.size);
        text.extend(group);
        text.push('-');
        rest = after;
    }
    text.extend(rest);
    text
}

/// Without dashes and spaces.
#[must_use]
pub fn plain(key: &str) -> String {
    key.chars().filter(|c| *c != '-' && !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_stand_as_in_the_published_keys() {
        // 42, 29, 31 and 26 symbols, group size 5, at most 9 in the last.
        for (length, groups) in
            [(42, &[5, 5, 5, 5, 5, 5, 5, 7][..]), (29, &[5, 5, 5, 5, 9]), (31, &[5, 5, 5, 5, 5, 6]), (26, &[5, 5, 5, 5, 6])]
        {
            let text = dashed(&"A".repeat(length), Groups::default());
            let found: Vec<usize> = text.split('-').map(str::len).collect();
            assert_eq!(found, groups, "{text}");
            assert_eq!(plain(&text).len(), length);
        }
        assert_eq!(dashed("ABC", Groups { size: 0, most: 9 }), "ABC");
        assert_eq!(dashed("ABCDEF", Groups { size: 3, most: 0 }), "ABC-DEF");
    }

    #[test]
    fn a_key_tells_its_model_and_never_spells_a_failure() {
        let key = from_random(activation_letter(LicenseModel::Subscription), [7; 16]);
        assert!(key.starts_with('F') && key.len() == LENGTH && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()));
        assert!(!ALPHABET.contains(&b'O'));
        assert_ne!(key, from_random('F', [8; 16]));
    }
}
