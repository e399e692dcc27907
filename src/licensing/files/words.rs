//! What every code says to a person: what happened and why, then what to do next. The browser, the pages, the APIs and the
//! command line all read from here.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};
use core::{fmt, iter};

use super::problem::{Code, Details};

/// What happened, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Sentence {
    pub what: String,
    pub next: String,
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        if self.next.is_empty() { Ok(()) } else { write!(f, " {}", self.next) }
    }
}

const COPY_AGAIN: &str = "Copy it again from the machine, and send the file itself rather than its text.";
const MAKE_AGAIN: &str = "Make a new request file in the app and bring that one.";
const RIGHT_FILE: &str = "Choose the request file the app saved; its name usually ends in .req.";
const FROM_PORTAL: &str = "Download the file again from the portal it came from.";

/// The sentence for a code.
#[must_use]
pub fn sentence(code: Code, details: &Details) -> Sentence {
    let (what, next) = match code {
        Code::TooLarge | Code::Empty | Code::Utf16Text | Code::ZipArchive | Code::PdfDocument | Code::HtmlPage | Code::Binary => {
            wrong_file(code, details)
        }
        Code::Truncated | Code::NotBase64 | Code::TooDeep | Code::NotJson | Code::DuplicateMember | Code::UnknownFormat => {
            unreadable(code, details)
        }
        Code::WrongKind
        | Code::UnexpectedHeader
        | Code::UnsupportedAlgorithm
        | Code::PrivateKeyInFile
        | Code::UnsupportedVersion => not_ours(code, details),
        Code::UnknownSigningKey | Code::KeyCompromised | Code::WrongProductKey | Code::BadSignature => signature(code, details),
        Code::ClaimTooLong | Code::HiddenCharacters | Code::BadKeyChecksum | Code::DeviceIdMissing => content(code, details),
        Code::WrongProduct | Code::OtherDevice | Code::NotThisDevice | Code::OtherRequest | Code::Expired | Code::NotStarted => {
            fit(code, details)
        }
        Code::ClockOff | Code::ClockBack | Code::Stale | Code::HmacUnchecked => worth_knowing(code, details),
    };
    Sentence { what, next: next.to_owned() }
}

fn wrong_file(code: Code, details: &Details) -> (String, &'static str) {
    match code {
        Code::TooLarge => {
            let size =
                details.position.map_or_else(|| "more than 64 KiB".to_owned(), |bytes| format!("{} bytes", grouped(bytes)));
            (format!("This file has {size}; request and license files have at most 65,536."), RIGHT_FILE)
        }
        Code::Empty => ("This file is empty.".to_owned(), COPY_AGAIN),
        Code::Utf16Text => (
            "This file was saved as UTF-16 (\"Unicode\") text by an editor, which changed it.".to_owned(),
            "Send the file the app saved, without opening it in an editor first.",
        ),
        Code::ZipArchive => ("This is a zip archive.".to_owned(), "Unpack it and choose the files inside."),
        Code::PdfDocument => ("This is a PDF document, not a request or license file.".to_owned(), RIGHT_FILE),
        Code::HtmlPage => (
            "This is a web page, most likely an error page saved in place of the file.".to_owned(),
            "Open it in a browser to read what went wrong, then download or copy the file once more.",
        ),
        _ => ("This file holds binary data, not the text of a request or license file.".to_owned(), RIGHT_FILE),
    }
}

fn unreadable(code: Code, details: &Details) -> (String, &'static str) {
    let place = details.position.map_or_else(String::new, grouped);
    match code {
        Code::Truncated => (format!("This file was cut off after {place} characters."), COPY_AGAIN),
        Code::NotBase64 => {
            let found = details.found.as_ref().map_or_else(String::new, |found| format!(" (\"{found}\")"));
            (format!("Character {place} of this file{found} does not belong there: the file was changed on its way."), COPY_AGAIN)
        }
        Code::TooDeep => ("The data in this file is nested deeper than any request or license needs.".to_owned(), MAKE_AGAIN),
        Code::NotJson => (
            format!("The data in this file breaks at character {place}: the file was changed, or made by something else."),
            COPY_AGAIN,
        ),
        Code::DuplicateMember => (
            format!("The data in this file says {} twice, and two readers could understand it differently.", named(details)),
            MAKE_AGAIN,
        ),
        _ => match &details.name {
            Some(name) => (format!("This file lacks \"{name}\", or says it in a way that is not known here."), MAKE_AGAIN),
            None => ("This is neither a request, a license nor a receipt in any format known here.".to_owned(), RIGHT_FILE),
        },
    }
}

fn not_ours(code: Code, details: &Details) -> (String, &'static str) {
    match code {
        Code::WrongKind => (
            format!(
                "This is a {}; a {} is needed here.",
                details.found.as_deref().unwrap_or("file of another kind"),
                details.expected.as_deref().unwrap_or("different one")
            ),
            "Choose the other file.",
        ),
        Code::UnexpectedHeader => (
            format!("The header of this file does not have the one form it may have: {} is missing or does not belong.", named(details)),
            MAKE_AGAIN,
        ),
        Code::UnsupportedAlgorithm => (
            format!(
                "This file is signed with {}; only Ed25519 signatures are accepted.",
                details.found.as_deref().unwrap_or("something unknown")
            ),
            MAKE_AGAIN,
        ),
        Code::PrivateKeyInFile => (
            "This file contains the private key of the machine that made it, so anyone who saw the file could sign as that machine.".to_owned(),
            "Throw that key and this file away, let the app make a new key, and tell the app's vendor.",
        ),
        _ => (
            format!(
                "This file has format version {}; version 1 is known here.",
                details.found.as_deref().unwrap_or("unknown")
            ),
            "Use the version of the app or of the portal that the file was made with.",
        ),
    }
}

fn signature(code: Code, details: &Details) -> (String, &'static str) {
    let key = details.found.as_deref().unwrap_or("unknown");
    match code {
        Code::UnknownSigningKey => (
            format!("This file is signed with a key that is not known here ({key})."),
            "Check that it comes from this portal; if it does, fetch the portal's current keys and try again.",
        ),
        Code::KeyCompromised => (
            format!("This file is signed with a key that was withdrawn because it fell into other hands ({key})."),
            "Ask the vendor for a new file.",
        ),
        Code::WrongProductKey => (
            format!("This file speaks for product {key}, but its key signs for other products."),
            "Ask the vendor for a new file.",
        ),
        _ => match &details.name {
            Some(name) => {
                (format!("The signature {name} does not match what this file says: the file was changed."), FROM_PORTAL)
            }
            None => (
                "The signature does not match what this file says: the file was changed after it was signed.".to_owned(),
                "Copy it again from where it was made; if that does not help, make a new one.",
            ),
        },
    }
}

fn content(code: Code, details: &Details) -> (String, &'static str) {
    match code {
        Code::ClaimTooLong => (format!("{} in this file is longer than it may be.", capital(&named(details))), MAKE_AGAIN),
        Code::HiddenCharacters => match &details.name {
            Some(name) => (format!("\"{name}\" in this file contains characters that cannot be seen."), MAKE_AGAIN),
            None => ("This file contains characters that cannot be seen.".to_owned(), MAKE_AGAIN),
        },
        Code::BadKeyChecksum => (
            format!(
                "The activation key in this file was mistyped: {} does not hold together.",
                details.name.as_deref().unwrap_or("a group")
            ),
            "Enter the key again in the app, compare that group, and make a new request file.",
        ),
        _ => ("This file does not say which computer it is for.".to_owned(), MAKE_AGAIN),
    }
}

fn fit(code: Code, details: &Details) -> (String, &'static str) {
    let found = details.found.as_deref().unwrap_or("another");
    match code {
        Code::WrongProduct => match &details.expected {
            Some(expected) => {
                (format!("This file is for product {found}, not for {expected}."), "Choose the file made for this product.")
            }
            None => (
                format!("This file is for product {found}, which is not sold here."),
                "Check which app made the file, and go to the portal of that app's vendor.",
            ),
        },
        Code::OtherDevice => match &details.expected {
            Some(expected) => (
                format!("This file is for computer {found}, not for {expected}."),
                "Use the file on the computer it was made for.",
            ),
            None => ("This file is for another computer.".to_owned(), "Use the file on the computer it was made for."),
        },
        Code::NotThisDevice => (
            "This file is not bound to the key of the machine that made the request.".to_owned(),
            "Send the request again; if it happens twice, tell the vendor.",
        ),
        Code::OtherRequest => (
            "This file answers another request.".to_owned(),
            "Take the answer to the request you brought, or send that request again.",
        ),
        Code::NotStarted => (
            match &details.found {
                Some(day) => format!("This license begins on {day}."),
                None => "This license has not begun yet.".to_owned(),
            },
            "Use it from that day on; if that day has come, set the clock of this computer right.",
        ),
        _ => (
            match &details.found {
                Some(day) => format!("This license ended on {day}."),
                None => "This license has ended.".to_owned(),
            },
            "Renew the license with the vendor, then bring a new request file.",
        ),
    }
}

fn worth_knowing(code: Code, details: &Details) -> (String, &'static str) {
    let amount = details.amount.unwrap_or(0);
    match code {
        Code::ClockOff => (
            format!(
                "The clock of the machine that made this file is {} {}.",
                span(amount),
                if amount < 0 { "behind" } else { "ahead" }
            ),
            "It still works; setting that clock right avoids trouble with licenses that end.",
        ),
        Code::ClockBack => (
            format!("This file was made {} after the time this computer's clock shows.", span(amount)),
            "Set the clock of this computer right.",
        ),
        Code::Stale => (
            format!("This file was made {} ago.", span(amount)),
            "It may no longer say how things are; make a new one if it is refused.",
        ),
        _ => (
            "The sender's signature on this file can only be checked by the portal.".to_owned(),
            "It is checked when the file is sent.",
        ),
    }
}

fn named(details: &Details) -> String {
    details.name.as_ref().map_or_else(|| "a member".to_owned(), |name| format!("\"{name}\""))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| iter::once(first.to_ascii_uppercase()).chain(chars).collect())
}

/// A number of seconds as a person would say it: "3 hours", "12 days", "56 years".
#[must_use]
pub fn span(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    let (count, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7_199 => (seconds / 60, "minute"),
        7_200..=172_799 => (seconds / 3_600, "hour"),
        172_800..=63_071_999 => (seconds / 86_400, "day"),
        _ => (seconds / 31_536_000, "year"),
    };
    format!("{} {unit}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A count with separators: 65,536.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_what_happened_and_what_to_do_in_our_tone() {
        let full = Details {
            position: Some(1200),
            amount: Some(-90_000),
            name: Some("dev.name".into()),
            found: Some("x".into()),
            expected: Some("y".into()),
        };
        for code in Code::ALL {
            for details in [&Details::default(), &full] {
                let said = sentence(*code, details);
                assert!(said.what.ends_with('.') && said.next.ends_with('.'), "{code}: {said}");
                let text = said.to_string().to_lowercase();
                assert!(!["please", "invalid", "sorry", "!", "error:"].iter().any(|word| text.contains(word)), "{code}: {text}");
            }
        }
    }

    #[test]
    fn codes_do_not_share_a_sentence() {
        let all: alloc::collections::BTreeSet<String> =
            Code::ALL.iter().map(|code| sentence(*code, &Details::default()).to_string()).collect();
        assert_eq!(all.len(), Code::ALL.len());
    }

    #[test]
    fn the_house_example_is_said_word_for_word() {
        let details = Details { position: Some(200), ..Details::default() };
        assert_eq!(sentence(Code::Truncated, &details).what, "This file was cut off after 200 characters.");
    }

    #[test]
    fn spans_and_counts_read_as_people_say_them() {
        let said = [0, 1, 119, 7_300, -90_000, 864_000, 1_780_000_000].map(span);
        assert_eq!(said, ["0 seconds", "1 second", "119 seconds", "2 hours", "25 hours", "10 days", "56 years"]);
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
