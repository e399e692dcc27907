//! Activation keys. Those made here carry a check symbol in every group, so that a typing mistake is caught, and named,
//! before anything is sent. Keys of any other shape are foreign: kept and matched, never judged.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::fmt;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUPS: usize = 4;
const GROUP: usize = 5;
/// Ours are 23 characters with their dashes; foreign keys may be longer.
pub const MAX_KEY_CHARS: usize = 128;

/// An activation key: the text a customer types to be granted a license.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum ActivationKey {
    /// Made here: four groups of four random symbols and a check symbol, upper-case Crockford base 32.
    Own([u8; GROUPS * GROUP]),
    /// Imported, QLM-shaped or LicenseSpring's: kept as given.
    Foreign(String),
}

/// Why a text is no activation key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the key is empty")]
    Empty,
    #[error("the key is longer than {MAX_KEY_CHARS} characters")]
    TooLong,
    #[error("the key contains characters that cannot be seen")]
    HiddenCharacters,
    /// It has the shape of our keys, but these groups (counted from 1) do not hold together.
    #[error("a group of the key does not hold together")]
    Checksum { groups: Vec<u8> },
}

impl KeyError {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "key_missing",
            Self::TooLong => "claim_too_long",
            Self::HiddenCharacters => "hidden_characters",
            Self::Checksum { .. } => "bad_key_checksum",
        }
    }
}

impl ActivationKey {
    /// Makes a key of 80 random bits.
    #[must_use]
    pub fn from_random(random: [u8; 10]) -> Self {
        let bits = random.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let mut symbols = [0_u8; GROUPS * GROUP];
        let mut place = 0;
        for group in 0..GROUPS {
            for at in 0..GROUP - 1 {
                let shift = 5 * (GROUPS * (GROUP - 1) - 1 - place);
                symbols[group * GROUP + at] = (bits >> shift & 31) as u8;
                place += 1;
            }
            symbols[group * GROUP + GROUP - 1] = check_symbol(group, &symbols[group * GROUP..group * GROUP + GROUP - 1]);
        }
        Self::Own(symbols.map(|symbol| ALPHABET[usize::from(symbol)]))
    }

    /// Reads what a person typed or pasted. Forgives case, spaces, dashes, and O/0, I/L/1 in our own shape.
    ///
    /// Refuses an empty or overlong text, hidden characters, and a key of our shape whose check symbols do not hold.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.chars().count() > MAX_KEY_CHARS {
            return Err(KeyError::TooLong);
        }
        if text.chars().any(super::text::is_hidden) {
            return Err(KeyError::HiddenCharacters);
        }
        let Some(symbols) = own_symbols(text) else {
            return if text.chars().any(char::is_alphanumeric) {
                Ok(Self::Foreign(text.to_owned()))
            } else {
                Err(KeyError::Empty)
            };
        };
        let groups = wrong_groups(&symbols);
        if groups.is_empty() {
            Ok(Self::Own(symbols.map(|symbol| ALPHABET[usize::from(symbol)])))
        } else {
            Err(KeyError::Checksum { groups })
        }
    }

    /// The text with its dashes, as it is shown and printed.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Own(symbols) => {
                let groups: Vec<&str> =
                    symbols.chunks(GROUP).map(|group| core::str::from_utf8(group).unwrap_or_default()).collect();
                groups.join("-")
            }
            Self::Foreign(text) => text.clone(),
        }
    }

    /// What two spellings of one key share: upper case, without spaces and dashes. Unique within a product.
    #[must_use]
    pub fn folded(&self) -> String {
        match self {
            Self::Own(symbols) => symbols.iter().map(|byte| char::from(*byte)).collect(),
            Self::Foreign(text) => {
                text.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_uppercase).collect()
            }
        }
    }

    /// The last group: what a page, a log of ours or a license file may show of a key.
    #[must_use]
    pub fn last_group(&self) -> String {
        let text = self.text();
        let last = text.rsplit('-').next().unwrap_or_default();
        if last.len() == text.len() || last.chars().count() > 8 {
            let count = text.chars().count();
            return text.chars().skip(count.saturating_sub(4.min(count / 2))).collect();
        }
        last.to_owned()
    }

    #[must_use]
    pub const fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }
}

impl fmt::Debug for ActivationKey {
    /// Keys never reach a log, not even by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActivationKey(…)")
    }
}

/// How a typed text looks while it is still being typed: the groups that are complete and wrong, counted from 1.
/// Empty for a foreign shape, which is never judged.
#[must_use]
pub fn wrong_groups_so_far(text: &str) -> Vec<u8> {
    let mut groups: Vec<Vec<u8>> = Vec::new();
    for part in text.trim().split(['-', ' ']).filter(|part| !part.is_empty()) {
        let Some(symbols) = part.chars().map(symbol).collect::<Option<Vec<u8>>>() else { return Vec::new() };
        groups.push(symbols);
    }
    if groups.len() > GROUPS || groups.iter().any(|group| group.len() > GROUP) {
        return Vec::new();
    }
    let complete_before_last = groups.iter().rev().skip(1).all(|group| group.len() == GROUP);
    if !complete_before_last {
        return Vec::new();
    }
    let wrong = groups
        .iter()
        .enumerate()
        .filter(|(place, group)| group.len() == GROUP && check_symbol(*place, &group[..GROUP - 1]) != group[GROUP - 1]);
    wrong.map(|(place, _)| place as u8 + 1).collect()
}

/// "the third group", "the first and second groups".
#[must_use]
pub fn name_groups(groups: &[u8]) -> String {
    const NAMES: [&str; GROUPS] = ["first", "second", "third", "fourth"];
    let names: Vec<&str> = groups.iter().filter_map(|group| NAMES.get(usize::from(*group).wrapping_sub(1)).copied()).collect();
    match names.as_slice() {
        [] => "a group".to_owned(),
        [one] => format!("the {one} group"),
        [all @ .., last] => format!("the {} and {last} groups", all.join(", ")),
    }
}

fn own_symbols(text: &str) -> Option<[u8; GROUPS * GROUP]> {
    let mut symbols = [0_u8; GROUPS * GROUP];
    let mut filled = 0;
    for c in text.chars().filter(|c| !matches!(c, '-' | ' ' | '\u{2010}'..='\u{2014}')) {
        *symbols.get_mut(filled)? = symbol(c)?;
        filled += 1;
    }
    (filled == symbols.len()).then_some(symbols)
}

fn symbol(c: char) -> Option<u8> {
    let byte = match c.to_ascii_uppercase() {
        'O' => b'0',
        'I' | 'L' => b'1',
        upper => u8::try_from(upper).ok()?,
    };
    ALPHABET.iter().position(|symbol| *symbol == byte).map(|at| at as u8)
}

fn wrong_groups(symbols: &[u8; GROUPS * GROUP]) -> Vec<u8> {
    let wrong =
        symbols.chunks(GROUP).enumerate().filter(|(place, group)| check_symbol(*place, &group[..GROUP - 1]) != group[GROUP - 1]);
    wrong.map(|(place, _)| place as u8 + 1).collect()
}

/// A weighted sum in GF(2^5). The weights are distinct and none is zero or one, so every single mistake and every swap of two
/// symbols of a group changes it; the seeds differ, so every group out of place changes it too.
fn check_symbol(place: usize, symbols: &[u8]) -> u8 {
    const WEIGHTS: [u8; GROUP - 1] = [2, 4, 8, 16];
    const SEEDS: [u8; GROUPS] = [7, 11, 19, 29];
    let sum = symbols.iter().zip(WEIGHTS).fold(0, |sum, (symbol, weight)| sum ^ multiply(*symbol, weight));
    sum ^ SEEDS[place % GROUPS]
}

/// Multiplication modulo x^5 + x^2 + 1.
const fn multiply(a: u8, b: u8) -> u8 {
    let (mut a, mut b, mut product) = (a, b, 0);
    while b != 0 {
        if b & 1 == 1 {
            product ^= a;
        }
        a <<= 1;
        if a & 32 != 0 {
            a ^= 0b10_0101;
        }
        b >>= 1;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec};
    use proptest::prelude::*;

    #[test]
    fn a_key_of_another_shape_is_kept_as_given() {
        for text in ["FUH3-4E7A-LZJL-7JTP", "AAAAA-BBBBB-CCCCC", "UFF3E9GAVUJQGMLK", "A1B2C-D3E4F-G5H6J-K7L8M-N9P0Q"] {
            let key = ActivationKey::parse(text).unwrap();
            assert_eq!(key.text(), text);
            assert!(!key.is_own());
        }
        assert_eq!(ActivationKey::parse("fuh3 4e7a lzjl-7jtp").unwrap().folded(), "FUH34E7ALZJL7JTP");
    }

    #[test]
    fn nothing_is_no_key() {
        for text in ["", "  ", "----", "- -"] {
            assert_eq!(ActivationKey::parse(text), Err(KeyError::Empty));
        }
        assert_eq!(ActivationKey::parse(&"x".repeat(129)), Err(KeyError::TooLong));
        assert_eq!(ActivationKey::parse("FUH3\u{202e}-4E7A"), Err(KeyError::HiddenCharacters));
    }

    #[test]
    fn groups_are_named_as_people_say_them() {
        assert_eq!(name_groups(&[3]), "the third group");
        assert_eq!(name_groups(&[1, 2]), "the first and second groups");
        assert_eq!(name_groups(&[1, 2, 4]), "the first, second and fourth groups");
    }

    fn own() -> impl Strategy<Value = ActivationKey> {
        any::<[u8; 10]>().prop_map(ActivationKey::from_random)
    }

    proptest! {
        #[test]
        fn printing_and_reading_a_key_is_the_identity(key in own()) {
            prop_assert_eq!(ActivationKey::parse(&key.text()).unwrap(), key.clone());
            prop_assert_eq!(ActivationKey::parse(&key.folded()).unwrap(), key);
        }

        #[test]
        fn case_spaces_and_lookalikes_are_forgiven(key in own()) {
            let typed = key.text().to_lowercase().replace('-', "  ").replace('0', "o").replace('1', "l");
            prop_assert_eq!(ActivationKey::parse(&typed).unwrap(), key);
        }

        #[test]
        fn every_single_mistake_is_caught_and_its_group_named(key in own(), at in 0_usize..20, other in 0_usize..32) {
            let mut folded = key.folded().into_bytes();
            prop_assume!(folded[at] != ALPHABET[other]);
            folded[at] = ALPHABET[other];
            let typed = String::from_utf8(folded).unwrap();
            prop_assert_eq!(ActivationKey::parse(&typed), Err(KeyError::Checksum { groups: vec![(at / 5) as u8 + 1] }));
        }

        #[test]
        fn two_swapped_symbols_of_a_group_are_caught(key in own(), group in 0_usize..4, a in 0_usize..5, b in 0_usize..5) {
            let mut folded = key.folded().into_bytes();
            prop_assume!(folded[group * 5 + a] != folded[group * 5 + b]);
            folded.swap(group * 5 + a, group * 5 + b);
            prop_assert!(ActivationKey::parse(core::str::from_utf8(&folded).unwrap()).is_err());
        }

        #[test]
        fn two_swapped_groups_are_caught_and_both_named(key in own(), a in 0_usize..4, b in 0_usize..4) {
            let text = key.text();
            let mut groups: Vec<&str> = text.split('-').collect();
            prop_assume!(a < b);
            groups.swap(a, b);
            prop_assert_eq!(ActivationKey::parse(&groups.join("-")), Err(KeyError::Checksum { groups: vec![a as u8 + 1, b as u8 + 1] }));
        }

        #[test]
        fn a_key_half_typed_is_judged_by_its_complete_groups(key in own(), count in 1_usize..24) {
            let typed: String = key.text().chars().take(count).collect();
            prop_assert_eq!(wrong_groups_so_far(&typed), Vec::<u8>::new());
        }

        #[test]
        fn a_mistake_is_named_as_soon_as_its_group_is_complete(key in own(), group in 0_usize..4, other in 0_usize..32) {
            let mut typed: Vec<u8> = key.text().bytes().take(group * 6 + 5).collect();
            let last = typed.last_mut().unwrap();
            prop_assume!(*last != ALPHABET[other]);
            *last = ALPHABET[other];
            prop_assert_eq!(wrong_groups_so_far(core::str::from_utf8(&typed).unwrap()), vec![group as u8 + 1]);
        }

        #[test]
        fn the_last_group_never_shows_more_than_half_of_a_key(text in "[A-Z0-9-]{2,60}") {
            if let Ok(key) = ActivationKey::parse(&text) {
                prop_assert!(key.last_group().chars().count() <= 8);
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>()) {
            let _ = ActivationKey::parse(&text).map(|key| (key.text(), key.folded(), key.last_group(), format!("{key:?}").to_string()));
            let _ = wrong_groups_so_far(&text);
        }
    }
}
