//! Dates as a server is told to write them (`dateFormat`, .NET's letters), and as shops send them.

use alloc::{format, string::String, vec::Vec};

use super::super::{Date, Timestamp};

/// How dates are written: `yyyy-MM-dd` unless the vendor says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFormat(Vec<Part>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    ShortYear,
    Month(bool),
    Day(bool),
    Hour(bool),
    Minute(bool),
    Second(bool),
    Literal(char),
}

/// A text that is no format: it has to name year, month and day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a date format has yyyy, MM and dd, such as yyyy-MM-dd or dd/MM/yyyy HH:mm:ss")]
pub struct NoDateFormat;

/// What shops send, whatever the vendor's own format is (`eCommerceProviderDateFormat`).
const OF_SHOPS: [&str; 4] = ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-dd"];

impl Default for DateFormat {
    fn default() -> Self {
        Self::parse("yyyy-MM-dd").expect("this is a format")
    }
}

impl DateFormat {
    /// Reads a format. `YYYY` and `DD` are taken for `yyyy` and `dd`, which the documentation itself mistakes.
    pub fn parse(text: &str) -> Result<Self, NoDateFormat> {
        let mut parts = Vec::new();
        let mut chars = text.trim().chars().peekable();
        while let Some(letter) = chars.next() {
            let mut count = 1;
            while letter.is_ascii_alphabetic() && chars.peek() == Some(&letter) {
                chars.next();
                count += 1;
            }
            parts.push(match (letter, count) {
                ('y' | 'Y', 4) => Part::Year,
                ('y' | 'Y', 2) => Part::ShortYear,
                ('M', 1 | 2) => Part::Month(count == 2),
                ('d' | 'D', 1 | 2) => Part::Day(count == 2),
                ('H' | 'h', 1 | 2) => Part::Hour(count == 2),
                ('m', 1 | 2) => Part::Minute(count == 2),
                ('s', 1 | 2) => Part::Second(count == 2),
                ('T', 1) | ('-' | '/' | '.' | ' ' | ':' | ',', _) => Part::Literal(letter),
                _ => return Err(NoDateFormat),
            });
        }
        let has = |wanted: fn(&Part) -> bool| parts.iter().filter(|part| wanted(part)).count() == 1;
        let whole = has(|part| matches!(part, Part::Year | Part::ShortYear))
            && has(|part| matches!(part, Part::Month(_)))
            && has(|part| matches!(part, Part::Day(_)));
        // One or two digits, and another number right behind: nobody could tell where one ends.
        let narrow = |part: &Part| {
            matches!(part, Part::Month(false) | Part::Day(false) | Part::Hour(false) | Part::Minute(false) | Part::Second(false))
        };
        let blurred = parts.windows(2).any(|two| narrow(&two[0]) && !matches!(two[1], Part::Literal(_)));
        if whole && !blurred && parts.len() <= 32 { Ok(Self(parts)) } else { Err(NoDateFormat) }
    }

    /// Writes an instant, in UTC.
    #[must_use]
    pub fn write(&self, at: Timestamp) -> String {
        let date = at.date();
        let (year, month, of_month) = date.parts();
        let day = at.seconds().rem_euclid(86_400);
        let mut text = String::new();
        for part in &self.0 {
            text.push_str(&match *part {
                Part::Year => format!("{year:04}"),
                Part::ShortYear => format!("{:02}", year.rem_euclid(100)),
                Part::Month(wide) => number(i64::from(month), wide),
                Part::Day(wide) => number(i64::from(of_month), wide),
                Part::Hour(wide) => number(day / 3_600, wide),
                Part::Minute(wide) => number(day / 60 % 60, wide),
                Part::Second(wide) => number(day % 60, wide),
                Part::Literal(letter) => String::from(letter),
            });
        }
        text
    }

    /// The day a text names, in this format or in one of the shops'.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Date> {
        let text = text.trim();
        self.read_exact(text).or_else(|| OF_SHOPS.iter().find_map(|shop| Self::parse(shop).ok()?.read_exact(text)))
    }

    fn read_exact(&self, text: &str) -> Option<Date> {
        let mut rest = text;
        let (mut year, mut month, mut day) = (None, None, None);
        for (at, part) in self.0.iter().enumerate() {
            let Part::Literal(letter) = *part else {
                // As many digits as there are, but where another number follows at once.
                let most = if *part == Part::Year { 4 } else { 2 };
                let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
                let exact = matches!(part, Part::Year) && digits != 4;
                let runs_on = matches!(self.0.get(at + 1), Some(next) if !matches!(next, Part::Literal(_))) && digits != most;
                if digits == 0 || exact || runs_on {
                    return None;
                }
                let value: i64 = rest[..digits].parse().ok()?;
                rest = &rest[digits..];
                match part {
                    Part::Year => year = Some(value),
                    Part::ShortYear => year = Some(2_000 + value),
                    Part::Month(_) => month = Some(value),
                    Part::Day(_) => day = Some(value),
                    Part::Hour(_) if value > 23 => return None,
                    Part::Minute(_) | Part::Second(_) if value > 59 => return None,
                    _ => {}
                }
                continue;
            };
            rest = rest.strip_prefix(letter)?;
        }
        if !rest.is_empty() {
            return None;
        }
        let (year, month, day) = (year?, month?, day?);
        format!("{year:04}-{month:02}-{day:02}").parse().ok()
    }
}

fn number(value: i64, wide: bool) -> String {
    if wide { format!("{value:02}") } else { format!("{value}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn read(format: &str, text: &str) -> Option<String> {
        DateFormat::parse(format).unwrap().read(text).map(|date| date.to_string())
    }

    #[test]
    fn dates_are_read_as_the_vendor_writes_them_and_as_shops_do() {
        let day = Some("2015-03-01".to_string());
        for (format, text) in [
            ("yyyy-MM-dd", "2015-03-01"),
            ("YYYY-MM-dd", "2015-03-01"),
            ("yyyy-MM-dd", "2015-3-1"),
            ("dd/MM/yyyy", "01/03/2015"),
            ("M/d/yyyy", "3/1/2015"),
            ("dd.MM.yy", "01.03.15"),
            ("yyyyMMdd", "20150301"),
            ("dd/MM/yyyy", "2015-03-01"),
            ("dd/MM/yyyy", "2015-03-01 23:59:59"),
            ("yyyy-MM-dd", "2015-03-01 10:00"),
            ("yyyy-MM-dd", "2015-03-01T10:00:00"),
            ("yyyy-MM-dd HH:mm:ss", "2015-03-01"),
        ] {
            assert_eq!(read(format, text), day, "{format} {text}");
        }
        for text in
            ["", "tomorrow", "2015-13-01", "2015-02-29", "2015-03-01x", "01-03-2015", "2015-03-01 25:00:00", "15-03-01", "201503"]
        {
            assert_eq!(read("yyyy-MM-dd", text), None, "{text}");
        }
        assert_eq!(read("yyyyMMdd", "2015301"), None);
    }

    #[test]
    fn what_names_no_day_is_no_format() {
        for text in ["", "yyyy-MM", "yyyy-yyyy-MM-dd", "yyy-MM-dd", "yyyy-MMM-dd", "yyyy-MM-dd'x'", "<b>yyyy-MM-dd", "yyyyMd"] {
            assert!(DateFormat::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_instant_is_written_with_and_without_its_time() {
        let at = Timestamp::from_rfc3339("2023-09-04T03:05:09Z").unwrap();
        let write = |format: &str| DateFormat::parse(format).unwrap().write(at);
        assert_eq!(write("yyyy-MM-dd HH:mm:ss"), "2023-09-04 03:05:09");
        assert_eq!(write("d/M/yy H:m"), "4/9/23 3:5");
    }
}
