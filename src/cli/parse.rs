//! What is typed at the command line, each parsed once into a type.

use std::io::{self, BufRead as _, Read as _};

use super::outcome::CliError;
use crate::licensing::{
    ActivationKey, Date, DeviceId, Email, ProductCode, Timestamp,
    key::name_groups,
    license::{Limit, TransferLimit},
    text::TextError,
};

pub(super) fn code(text: &str) -> Result<ProductCode, String> {
    ProductCode::parse(text).map_err(|_| "a code is 1 to 64 letters, digits, dashes, dots or underscores".to_owned())
}

pub(super) fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|_| "this is not an e-mail address".to_owned())
}

pub(super) fn device(text: &str) -> Result<DeviceId, String> {
    DeviceId::parse(text).map_err(|error: TextError| format!("a computer id has 1 to 256 characters: {error}"))
}

pub(super) fn date(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "dates are written as 2027-03-12".to_owned())
}

/// A day, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    Never,
    On(Date),
}

impl Day {
    pub(super) fn begins(self) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::On(date) => Some(date.midnight()),
        }
    }

    /// A typed date is good through that day.
    pub(super) fn ends(self) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::On(date) => Some(date.end()),
        }
    }
}

pub(super) fn day(text: &str) -> Result<Day, String> {
    match text {
        "never" | "none" => Ok(Day::Never),
        text => date(text).map(Day::On),
    }
}

pub(super) fn limit(text: &str) -> Result<Limit, String> {
    match text {
        "unlimited" => Ok(Limit::Unlimited),
        text => text.parse().map(Limit::AtMost).map_err(|_| "this is a whole number, or `unlimited`".to_owned()),
    }
}

/// Seats: at least one.
pub(super) fn seats(text: &str) -> Result<Limit, String> {
    match limit(text)? {
        Limit::AtMost(0) => Err("a license has at least one seat".to_owned()),
        limit => Ok(limit),
    }
}

pub(super) fn transfers(text: &str) -> Result<TransferLimit, String> {
    match text {
        "none" => Ok(TransferLimit::Forbidden),
        "unlimited" => Ok(TransferLimit::Unlimited),
        text => match text.parse() {
            Ok(0) => Ok(TransferLimit::Forbidden),
            Ok(most) => Ok(TransferLimit::AtMost(most)),
            Err(_) => Err("this is a whole number, `none` or `unlimited`".to_owned()),
        },
    }
}

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "this is written as NAME=VALUE".to_owned())?;
    if name.is_empty() {
        return Err("this is written as NAME=VALUE, and the name may not be empty".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// `CODE=NUMBER`.
pub(super) fn counted(text: &str) -> Result<(String, u32), String> {
    let (code, number) = pair(text)?;
    let number = number.parse().map_err(|_| "this is written as CODE=NUMBER".to_owned())?;
    Ok((code, number))
}

pub(super) fn json_object(text: &str) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    serde_json::from_str(text).map_err(|_| "this is a JSON object, such as '{\"seat\": 4}'".to_owned())
}

/// An activation key as typed. A typing mistake is named.
pub(super) fn key(text: &str) -> Result<ActivationKey, CliError> {
    ActivationKey::parse(text).map_err(|error| {
        let message = match &error {
            crate::licensing::key::KeyError::Checksum { groups } => {
                format!("There is a typing mistake in {} of this key. Compare it with the original.", name_groups(groups))
            }
            other => format!("This is no activation key: {other}."),
        };
        CliError::refused(error.code(), message)
    })
}

/// A secret from stdin: the first line, without its end. At a terminal it is asked for, and not shown while it is typed.
pub(super) fn secret(what: &str) -> Result<String, CliError> {
    let stdin = io::stdin();
    let unread = |_| CliError::usage(format!("{what} is read from stdin as UTF-8."));
    let line = if io::IsTerminal::is_terminal(&stdin) {
        rpassword::prompt_password(format!("{what}: ")).map_err(unread)?
    } else {
        let mut line = String::new();
        stdin.lock().take(64 * 1024).read_line(&mut line).map_err(unread)?;
        line
    };
    let line = line.strip_suffix('\n').unwrap_or(&line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(CliError::usage(format!("{what} is read from stdin, and nothing came.")));
    }
    Ok(line.to_owned())
}

/// Everything on stdin. Refuses more than `most` bytes: half of a value is another value.
pub(super) fn all_of_stdin(most: u64) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| CliError::io("read", std::path::Path::new("stdin"), &error))?;
    if bytes.len() as u64 > most {
        return Err(CliError::refused("too_large", format!("More than {} KiB came on stdin.", most / 1024)));
    }
    Ok(bytes)
}

/// Everything on stdin as text, without the end of its last line.
pub(super) fn text_of_stdin(what: &str, most: u64) -> Result<String, CliError> {
    let text =
        String::from_utf8(all_of_stdin(most)?).map_err(|_| CliError::usage(format!("{what} is read from stdin as UTF-8.")))?;
    if text.trim().is_empty() {
        return Err(CliError::usage(format!("{what} is read from stdin, and nothing came.")));
    }
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_parse_says_how_it_is_written() {
        assert!(date("12.3.2027").unwrap_err().contains("2027-03-12"));
        assert!(day("2027-02-30").is_err());
        assert_eq!(day("never"), Ok(Day::Never));
        assert!(seats("0").is_err() && seats("-1").is_err() && seats("many").is_err());
        assert_eq!(seats("unlimited"), Ok(Limit::Unlimited));
        assert_eq!(transfers("none"), Ok(TransferLimit::Forbidden));
        assert!(transfers("-1").is_err());
        assert!(pair("=x").is_err() && pair("x").is_err());
        assert!(counted("scan=x").is_err());
        assert!(json_object("[1]").is_err());
    }

    #[test]
    fn a_mistyped_key_names_its_group() {
        let text = ActivationKey::from_random([7; 10]).text();
        let wrong = format!("{}{}", if text.starts_with('0') { '2' } else { '0' }, &text[1..]);
        let CliError::Refused { code, message, .. } = key(&wrong).unwrap_err() else { panic!("refused") };
        assert_eq!(code, "bad_key_checksum");
        assert!(message.contains("the first group"), "{message}");
    }
}
