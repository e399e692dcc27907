//! Six digits, sent to the address of a license's customer: who has them activates a computer without the key. A code is for one address
//! and product, works once, and is over after a few wrong tries or some minutes.

use alloc::{format, string::String, vec::Vec};

use super::{
    DeviceId, LicenseId, Timestamp,
    license::{License, LicenseState},
    product::{Product, ProductState},
    qlm::Property,
};

/// How long a code is, in digits.
pub const DIGITS: usize = 6;

/// A code that was sent, without the digits: those are kept as a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// The computer it was asked for, as its id or its name, in lower case; empty: none was named.
    pub computer: String,
    /// What the app asks to set by itself once the code is shown.
    pub properties: Vec<Property>,
    pub tries: u32,
    pub made: Timestamp,
    pub expires: Timestamp,
}

/// Why a code does not count. Whoever shows it is told one and the same: which of them it was says whether there is a code at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeFault {
    Wrong,
    Over,
    OtherComputer,
}

impl AuthorizationCode {
    /// Whether what is shown counts: `matches` says whether the digits are those that were sent, `computers` are the names of the computer
    /// it is shown for.
    ///
    /// # Errors
    /// Over comes first: the digits of a code whose time or tries are over are not looked at.
    pub fn prove(&self, matches: bool, computers: &[&str], most_tries: u32, now: Timestamp) -> Result<(), CodeFault> {
        if self.tries >= most_tries || now >= self.expires {
            return Err(CodeFault::Over);
        }
        if !matches {
            return Err(CodeFault::Wrong);
        }
        let same = |computer: &&str| computer.to_lowercase() == self.computer;
        if self.computer.is_empty() || computers.iter().any(same) { Ok(()) } else { Err(CodeFault::OtherComputer) }
    }
}

/// Six digits from a random number.
#[must_use]
pub fn digits(random: [u8; 16]) -> String {
    // Of 128 bits, so that no digit is likelier than another by more than one in 10^32.
    format!("{:06}", u128::from_be_bytes(random) % 1_000_000)
}

/// What people type for a code: `123 456` and `123-456` as well. None for what is no code.
#[must_use]
pub fn read(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    (digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// Why none of a customer's licenses can be had by a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLicense {
    /// They have none of the product, or it is not sold.
    None,
    /// All are disabled or at their end.
    Over,
    /// All seats are taken.
    Full,
}

/// The license a code activates: one the computer is active on already, else one with a free seat; of several the one that lasts longest,
/// of those the oldest. `holds` says whether the computer has a seat of a license.
///
/// # Errors
/// Says why there is none.
pub fn license_for(
    product: &Product,
    licenses: &[License],
    holds: impl Fn(LicenseId) -> bool,
    now: Timestamp,
) -> Result<LicenseId, NoLicense> {
    if product.state != ProductState::Enabled || licenses.is_empty() {
        return Err(NoLicense::None);
    }
    let end = |license: &License| license.terms.expiry.instant(license.first_activated);
    let good = |license: &&License| matches!(license.state, LicenseState::Enabled) && end(license).is_none_or(|end| now < end);
    let mut open: alloc::vec::Vec<&License> = licenses.iter().filter(good).collect();
    if open.is_empty() {
        return Err(NoLicense::Over);
    }
    open.retain(|license| holds(license.id) || license.terms.seats.allows_one_more(license.seats_taken));
    let lasts = |license: &License| end(license).map_or(i64::MAX, Timestamp::millis);
    let best = open.into_iter().max_by_key(|license| (holds(license.id), lasts(license), core::cmp::Reverse(license.id.0)));
    best.map(|license| license.id).ok_or(NoLicense::Full)
}

/// How a computer is named where a code is bound to it.
#[must_use]
pub fn computer(device: Option<&DeviceId>) -> String {
    device.map(|device| device.as_str().to_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn code() -> AuthorizationCode {
        AuthorizationCode { computer: "hw-1".into(), properties: Vec::new(), tries: 0, made: NOW, expires: NOW.plus_seconds(600) }
    }

    #[test]
    fn a_code_counts_for_its_computer_until_it_is_over() {
        assert_eq!(code().prove(true, &["HW-1"], 5, NOW), Ok(()));
        assert_eq!(code().prove(true, &["other", "Hw-1"], 5, NOW.plus_seconds(599)), Ok(()), "its id or its name");
        assert_eq!(AuthorizationCode { computer: String::new(), ..code() }.prove(true, &["other"], 5, NOW), Ok(()));
        assert_eq!(code().prove(true, &["other"], 5, NOW), Err(CodeFault::OtherComputer));
        assert_eq!(code().prove(false, &["HW-1"], 5, NOW), Err(CodeFault::Wrong));
        assert_eq!(code().prove(true, &["HW-1"], 5, NOW.plus_seconds(600)), Err(CodeFault::Over));
        assert_eq!(AuthorizationCode { tries: 5, ..code() }.prove(true, &["HW-1"], 5, NOW), Err(CodeFault::Over));
    }

    #[test]
    fn codes_have_six_digits_and_are_read_as_people_type_them() {
        assert_eq!(digits([0; 16]), "000000");
        assert_eq!(digits([255; 16]).len(), 6);
        for (text, expected) in [("123456", Some("123456")), (" 123 456 ", Some("123456")), ("123-456", Some("123456"))] {
            assert_eq!(read(text).as_deref(), expected);
        }
        for text in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
