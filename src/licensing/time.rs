//! Instants and calendar days, all in UTC. Nothing here reads a clock: `now` is always an argument.

use alloc::{format, string::String};
use core::fmt;

use serde::{Deserialize, Serialize};

const DAY_MILLIS: i64 = 86_400_000;
const HOUR_MILLIS: i64 = 3_600_000;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A calendar day in UTC, between the years 1 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(time::Date);

/// A text that is not a date or an instant in the form asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("dates are written as 2027-03-12")]
pub struct InvalidDate;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Timestamp {
    /// The first instant of year 1 and the last of year 9999: anything outside is clamped when it is written as text.
    const MIN_MILLIS: i64 = -62_135_596_800_000;
    const MAX_MILLIS: i64 = 253_402_300_799_999;

    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_millis(seconds.saturating_mul(1000))
    }

    #[must_use]
    pub const fn plus_hours(self, hours: i64) -> Self {
        self.plus_millis(hours.saturating_mul(HOUR_MILLIS))
    }

    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_millis(days.saturating_mul(DAY_MILLIS))
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is in fact later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same time of the same day so many calendar months later, or of the last day of a month without such a day.
    #[must_use]
    pub fn plus_months(self, months: i64) -> Self {
        let t = self.civil();
        let counted = calendar_months(t).saturating_add(months).clamp(12, 9999 * 12 + 11);
        // In range by the clamp.
        let year = i32::try_from(counted.div_euclid(12)).unwrap_or(1);
        let month = u8::try_from(counted.rem_euclid(12) + 1).ok().and_then(|month| time::Month::try_from(month).ok());
        let month = month.unwrap_or(time::Month::January);
        let day = t.day().min(month.length(year));
        let date = time::Date::from_calendar_date(year, month, day).unwrap_or(time::Date::MIN);
        Date(date).midnight().plus_millis(self.0.rem_euclid(DAY_MILLIS))
    }

    /// How many times the calendar month changed between `earlier` and this instant.
    #[must_use]
    pub fn months_since(self, earlier: Self) -> i64 {
        calendar_months(self.civil()) - calendar_months(earlier.civil())
    }

    /// The UTC day this instant falls on.
    #[must_use]
    pub fn date(self) -> Date {
        Date(self.civil().date())
    }

    /// The midnight that begins the next UTC day.
    #[must_use]
    pub fn next_midnight(self) -> Self {
        Self((self.0.div_euclid(DAY_MILLIS) + 1) * DAY_MILLIS)
    }

    fn civil(self) -> time::OffsetDateTime {
        let millis = self.0.clamp(Self::MIN_MILLIS, Self::MAX_MILLIS);
        time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
            .unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
    }

    /// `2026-06-18T00:00:00.000Z`, with exactly three fraction digits (LicenseSpring's clients need them; RFC 3339 allows them).
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let t = self.civil();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.millisecond()
        )
    }

    /// Reads RFC 3339 in UTC (`Z` or `+00:00`), with or without a fraction of a second.
    pub fn from_rfc3339(text: &str) -> Result<Self, InvalidDate> {
        let (date, clock) = text.split_once(['T', 't', ' ']).ok_or(InvalidDate)?;
        let date: Date = date.parse()?;
        let clock = clock.strip_suffix(['Z', 'z']).or_else(|| clock.strip_suffix("+00:00")).ok_or(InvalidDate)?;
        let (hms, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        if fraction.len() > 9 || (clock.contains('.') && fraction.is_empty()) {
            return Err(InvalidDate);
        }
        let mut parts = hms.split(':').map(|part| digits(part, 2));
        let (Some(h), Some(m), Some(s), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidDate);
        };
        let (h, m, s) = (h?, m?, s?);
        if h > 23 || m > 59 || s > 59 {
            return Err(InvalidDate);
        }
        let mut millis = 0;
        for (place, byte) in fraction.bytes().enumerate() {
            let digit = i64::from(byte.wrapping_sub(b'0'));
            if !byte.is_ascii_digit() {
                return Err(InvalidDate);
            }
            millis += match place {
                0 => digit * 100,
                1 => digit * 10,
                2 => digit,
                _ => 0,
            };
        }
        Ok(date.midnight().plus_millis(((h * 60 + m) * 60 + s) * 1000 + millis))
    }

    /// Reads a time in UTC as people and clients write one: RFC 3339, with or without its zone, its seconds, or its time of day.
    pub fn from_utc_text(text: &str) -> Result<Self, InvalidDate> {
        let text = text.trim();
        let Some((date, clock)) = text.split_once(['T', 't', ' ']) else {
            return Ok(text.parse::<Date>()?.midnight());
        };
        let clock = clock.strip_suffix(['Z', 'z']).or_else(|| clock.strip_suffix("+00:00")).unwrap_or(clock);
        let seconds = if clock.matches(':').count() == 1 { ":00" } else { "" };
        Self::from_rfc3339(&format!("{date}T{clock}{seconds}Z"))
    }

    /// `Fri, 20 Nov 2026 20:00:00 GMT` (IMF-fixdate, RFC 9110 §5.6.7).
    #[must_use]
    pub fn to_http_date(self) -> String {
        let t = self.civil();
        format!(
            "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
            WEEKDAYS[usize::from(t.weekday().number_days_from_monday()) % 7],
            t.day(),
            MONTHS[usize::from(u8::from(t.month()) - 1) % 12],
            t.year(),
            t.hour(),
            t.minute(),
            t.second()
        )
    }

    /// `Fri Nov 20 2026 20:00:00 GMT+0000`, as LicenseSpring's Node client and its offline files write it.
    #[must_use]
    pub fn to_js_date(self) -> String {
        let t = self.civil();
        format!(
            "{} {} {:02} {:04} {:02}:{:02}:{:02} GMT+0000",
            WEEKDAYS[usize::from(t.weekday().number_days_from_monday()) % 7],
            MONTHS[usize::from(u8::from(t.month()) - 1) % 12],
            t.day(),
            t.year(),
            t.hour(),
            t.minute(),
            t.second()
        )
    }

    /// Reads the date of a LicenseSpring request in any form its clients write: IMF-fixdate (the day may lack its zero),
    /// the Node client's `Fri Nov 20 2026 20:00:00 GMT+0000`, or RFC 3339.
    pub fn from_any_client_date(text: &str) -> Result<Self, InvalidDate> {
        let text = text.trim();
        if text.as_bytes().first().is_some_and(u8::is_ascii_digit) {
            return Self::from_rfc3339(text);
        }
        let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
        let mut next = || words.next().ok_or(InvalidDate);
        let weekday = next()?;
        if !WEEKDAYS.contains(&weekday) {
            return Err(InvalidDate);
        }
        let (second, third, year, clock, zone) = (next()?, next()?, next()?, next()?, next()?);
        let (day, month) = if second.as_bytes()[0].is_ascii_digit() { (second, third) } else { (third, second) };
        let month = MONTHS.iter().position(|name| *name == month).ok_or(InvalidDate)?;
        if !matches!(zone, "GMT" | "UTC" | "GMT+0000" | "+0000") {
            return Err(InvalidDate);
        }
        let day: u8 = day.parse().map_err(|_| InvalidDate)?;
        Self::from_rfc3339(&format!("{year}-{:02}-{day:02}T{clock}Z", month + 1))
    }
}

fn calendar_months(t: time::OffsetDateTime) -> i64 {
    i64::from(t.year()) * 12 + i64::from(u8::from(t.month())) - 1
}

impl Date {
    /// Year, month and day of the month, as people count them.
    #[must_use]
    pub fn parts(self) -> (i32, u8, u8) {
        (self.0.year(), self.0.month().into(), self.0.day())
    }

    /// The midnight that begins this day.
    #[must_use]
    pub fn midnight(self) -> Timestamp {
        Timestamp::from_seconds(self.0.midnight().assume_utc().unix_timestamp())
    }

    /// The first instant after this day: a license that is "valid until" a date is good through that day.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.midnight().plus_days(1)
    }

    /// `12 Mar 2027`, as people read it.
    #[must_use]
    pub fn for_people(self) -> String {
        format!("{} {} {}", self.0.day(), MONTHS[usize::from(u8::from(self.0.month()) - 1) % 12], self.0.year())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), u8::from(self.0.month()), self.0.day())
    }
}

impl core::str::FromStr for Date {
    type Err = InvalidDate;

    /// `2027-03-12` (RFC 3339 full-date).
    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let mut parts = text.split('-');
        let (Some(y), Some(m), Some(d), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidDate);
        };
        let year = i32::try_from(digits(y, 4)?).map_err(|_| InvalidDate)?;
        let month = u8::try_from(digits(m, 2)?).map_err(|_| InvalidDate)?;
        let day = u8::try_from(digits(d, 2)?).map_err(|_| InvalidDate)?;
        let month = time::Month::try_from(month).map_err(|_| InvalidDate)?;
        if year == 0 {
            return Err(InvalidDate);
        }
        time::Date::from_calendar_date(year, month, day).map(Date).map_err(|_| InvalidDate)
    }
}

fn digits(text: &str, count: usize) -> Result<i64, InvalidDate> {
    if text.len() != count || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidDate);
    }
    text.parse().map_err(|_| InvalidDate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_typed_date_is_good_through_that_day() {
        let day: Date = "2027-03-12".parse().unwrap();
        assert_eq!(day.end().to_rfc3339(), "2027-03-13T00:00:00.000Z");
        assert_eq!(day.for_people(), "12 Mar 2027");
    }

    #[test]
    fn every_client_form_of_one_instant_reads_alike() {
        let expected = Timestamp::from_rfc3339("2026-11-20T20:00:00Z").unwrap();
        for text in ["Fri, 20 Nov 2026 20:00:00 GMT", "Fri Nov 20 2026 20:00:00 GMT+0000", "2026-11-20T20:00:00.000Z"] {
            assert_eq!(Timestamp::from_any_client_date(text), Ok(expected), "{text}");
        }
        assert_eq!(
            Timestamp::from_any_client_date("Tue, 7 Jun 2011 20:51:35 GMT").unwrap().to_http_date(),
            "Tue, 07 Jun 2011 20:51:35 GMT"
        );
        assert_eq!(expected.to_js_date(), "Fri Nov 20 2026 20:00:00 GMT+0000");
    }

    #[test]
    fn nonsense_is_not_a_date() {
        for text in
            ["", "2027-02-30", "2027-3-12", "12.03.2027", "+027-03-12", "2027-03-12-01", "Fri", "Fri, ", "2026-11-20T25:00:00Z"]
        {
            assert!(text.parse::<Date>().is_err(), "{text}");
            assert!(Timestamp::from_any_client_date(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_an_instant_is_the_identity(millis in Timestamp::MIN_MILLIS..=Timestamp::MAX_MILLIS) {
            let instant = Timestamp::from_millis(millis);
            prop_assert_eq!(Timestamp::from_rfc3339(&instant.to_rfc3339()), Ok(instant));
        }

        #[test]
        fn no_text_makes_the_date_readers_panic(text in "\\PC{0,60}") {
            let _ = Timestamp::from_any_client_date(&text);
            let _ = text.parse::<Date>();
        }
    }
}
