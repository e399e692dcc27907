//! What a file says and what became of its checks, in the words of the pages. The server's pages and the islands both read from
//! here, so that a file is spoken of alike whether it was sent or not.

use super::signs::Tone;
use crate::licensing::{
    Timestamp,
    files::{
        Act,
        check::{Check, Content, Kind, LicenseContent, Report, Verdict},
        licensespring::LicenseSpringAct,
    },
};

/// A verdict row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub tone: Tone,
    pub text: String,
}

impl Row {
    #[must_use]
    pub fn new(tone: Tone, text: &str) -> Self {
        Self { tone, text: text.to_owned() }
    }
}

impl From<&Check> for Row {
    fn from(check: &Check) -> Self {
        let tone = match check.verdict {
            Verdict::Pass => Tone::Good,
            Verdict::Note => Tone::Info,
            Verdict::Warn => Tone::Caution,
            Verdict::Fail => Tone::Refused,
        };
        Self::new(tone, &check.message)
    }
}

#[must_use]
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::CountersignRequest => "Request file",
        Kind::License => "License file",
        Kind::Receipt => "Receipt of a release",
        Kind::Mirror => "The portal’s own part of a license file",
        Kind::LicensespringRequest => "Request file, compatible with LicenseSpring",
        Kind::LicensespringLicense => "License file, compatible with LicenseSpring",
        Kind::Unknown => "Not a request or license file",
    }
}

/// Whether it is genuine, in a word or two.
#[must_use]
pub fn verdict(report: &Report) -> (Tone, &'static str) {
    match (report.genuine, report.error().is_some()) {
        (Some(false), _) => (Tone::Refused, "Not genuine"),
        (_, true) => (Tone::Refused, "Not as it should be"),
        (Some(true), false) => (Tone::Good, "Genuine"),
        (None, false) => (Tone::Info, "Cannot be said here"),
    }
}

/// How products and instants are written for this reader.
pub struct Style<'a> {
    pub product: &'a dyn Fn(&str) -> String,
    pub instant: &'a dyn Fn(Timestamp) -> String,
}

/// What the file says, as pairs.
#[must_use]
pub fn facts(content: &Content, style: &Style<'_>) -> Vec<(String, String)> {
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: Option<String>| facts.extend(value.map(|value| (name.to_owned(), value)));
    let product = |code: &str| Some((style.product)(code));
    match content {
        Content::CountersignRequest(request) => {
            put("Asks to", asks_to(content, style));
            put("Key ending", request.key.clone());
            put("Key", request.key_proof.then(|| "proved, and not in the file".to_owned()));
            put("User", request.user.clone());
            put("License", request.license.clone());
            put("Computer", request.device_name.clone());
            put("Computer id", Some(request.device_id.clone()));
            put("Made", Some((style.instant)(request.made_at)));
        }
        Content::LicenseSpringRequest(request) => {
            put("Asks to", asks_to(content, style));
            put("Key ending", request.key.clone());
            put("User", request.user.clone());
            put("Computer", request.device_name.clone());
            put("Computer id", Some(request.device_id.clone()));
            put("Made", request.made_at.map(style.instant));
        }
        Content::License(license) => terms(&mut put, license, style),
        Content::LicenseSpringLicense(license) => {
            if let Some(mirror) = &license.mirror {
                terms(&mut put, mirror, style);
            } else {
                put("Product", product(&license.product));
                put("Key ending", license.key.clone());
                put("User", license.user.clone());
                put("Type", license.r#type.clone());
                put("Valid until", license.valid_until.clone());
                put("Computer id", Some(license.device_id.clone()));
            }
        }
        Content::Receipt(receipt) => {
            put("Product", product(&receipt.product));
            put("License", Some(receipt.license.clone()));
            put("Computer", receipt.device_name.clone());
            put("Computer id", Some(receipt.device_id.clone()));
            put("Released", Some((style.instant)(receipt.released_at)));
            put("From", Some(receipt.issuer.clone()));
        }
        Content::Unknown {} => {}
    }
    facts
}

fn terms(put: &mut dyn FnMut(&str, Option<String>), license: &LicenseContent, style: &Style<'_>) {
    put("Product", Some((style.product)(&license.product)));
    put("Key ending", Some(license.key.clone()));
    put("User", license.user.clone());
    put("Type", Some(license.r#type.to_owned()));
    put("Seats", license.seats.map(crate::licensing::files::words::grouped));
    put("Good through", license.valid_until.map(|until| until.plus_millis(-1).date().for_people()));
    put("Computer", license.device_name.clone());
    put("Computer id", Some(license.device_id.clone()));
    put("Made", Some((style.instant)(license.made_at)));
    put("From", Some(license.issuer.clone()));
}

/// "Activate Press Designer 4"; nothing for what is no request.
#[must_use]
pub fn asks_to(content: &Content, style: &Style<'_>) -> Option<String> {
    let (act, product) = match content {
        Content::CountersignRequest(request) => match request.act {
            Act::Activate => ("Activate ", &request.product),
            Act::Refresh => ("Renew the license file of ", &request.product),
            Act::Release => ("Release ", &request.product),
        },
        Content::LicenseSpringRequest(request) => match request.act {
            Some(LicenseSpringAct::Activation) => ("Activate ", &request.product),
            Some(LicenseSpringAct::Deactivation) | None => ("Release ", &request.product),
        },
        _ => return None,
    };
    Some([act, &(style.product)(product)].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::files::check::{Context, inspect};

    #[test]
    fn a_sample_is_told_in_words() {
        let file =
            std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/licensespring/v1_activation_key.req")).unwrap();
        let report = inspect(&file, &Context::default());
        let style = Style { product: &|_| "Press".to_owned(), instant: &|at| at.date().for_people() };
        let facts = facts(&report.content, &style);
        assert_eq!(facts[0], ("Asks to".to_owned(), "Activate Press".to_owned()));
        assert_eq!(facts[1], ("Key ending".to_owned(), "…7JTP".to_owned()));
        assert_eq!(verdict(&report), (Tone::Info, "Cannot be said here"), "the shared key is not known");
        let torn = inspect(b"eyJ", &Context::default());
        assert_eq!(verdict(&torn).0, Tone::Refused);
    }
}
