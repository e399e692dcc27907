//! The inspector: says of any file what it is, what it says, and which checks it passes. It never stops at what a person can
//! still use, and never calls genuine what it could not check.

mod content;
mod license;
mod request;

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{
    answer,
    jws::{Jws, Typ},
    keyset::TrustedKeys,
    license::RequestRef,
    licensespring::{LicenseSpringLicense, LicenseSpringRequest, RsaCheck},
    problem::{Code, Problem},
    text::{Carried, cut_off_in, unwrap},
    words,
};
use crate::licensing::{DeviceId, ProductCode, Timestamp};

pub use content::{
    Content, LicenseContent, LicenseSpringLicenseContent, LicenseSpringRequestContent, ReceiptContent, RequestContent,
};

/// Finds the shared key of an API key (or the secret of a client id).
pub type SharedKeys<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// What the one who asks knows. Whatever is `None` is not checked.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    pub keys: Option<&'a TrustedKeys>,
    pub product: Option<&'a ProductCode>,
    pub device: Option<&'a DeviceId>,
    pub request: Option<&'a RequestRef>,
    /// The products sold here.
    pub products: Option<&'a [ProductCode]>,
    pub shared_key: Option<SharedKeys<'a>>,
    pub now: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Note,
    Warn,
    Fail,
}

/// One row of the list of checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub code: &'static str,
    pub verdict: Verdict,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    CountersignRequest,
    License,
    Receipt,
    Mirror,
    LicensespringRequest,
    LicensespringLicense,
    Unknown,
}

/// What `verify` prints and the pages draw.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub kind: Kind,
    /// Whether who should have signed did. `None`: it could not be checked.
    pub genuine: Option<bool>,
    pub checks: Vec<Check>,
    pub content: Content,
    /// RSA signatures the caller may check, and tell of with [`Report::rsa_checked`].
    #[serde(skip)]
    pub rsa: Vec<RsaCheck>,
}

impl Report {
    const fn new(kind: Kind) -> Self {
        Self { kind, genuine: None, checks: Vec::new(), content: Content::Unknown {}, rsa: Vec::new() }
    }

    fn failed(kind: Kind, problem: &Problem) -> Self {
        let mut report = Self::new(kind);
        report.fail(problem);
        report
    }

    /// The first check that failed.
    #[must_use]
    pub fn error(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.verdict == Verdict::Fail)
    }

    /// Records what became of one of the `rsa` signatures.
    pub fn rsa_checked(&mut self, name: &str, holds: bool) {
        if holds {
            self.pass("rsa_signature", &alloc::format!("The signature {name} holds."));
            if self.rsa.last().is_some_and(|check| check.name == name) && self.genuine.is_none() {
                self.genuine = Some(true);
            }
        } else {
            self.fail(&answer::rsa_problem(name));
        }
    }

    fn pass(&mut self, code: &'static str, message: &str) {
        self.checks.push(Check { code, verdict: Verdict::Pass, message: message.to_owned() });
    }

    fn say(&mut self, verdict: Verdict, problem: &Problem) {
        self.checks.push(Check { code: problem.code(), verdict, message: problem.sentence().to_string() });
    }

    fn fail(&mut self, problem: &Problem) {
        if is_about_genuineness(problem.code) {
            self.genuine = Some(false);
        }
        self.say(Verdict::Fail, problem);
    }

    fn product(&mut self, product: &ProductCode, context: &Context<'_>) {
        if let Some(expected) = context.product
            && let Err(problem) = answer::same_product(product.as_str(), expected)
        {
            return self.fail(&problem);
        }
        match context.products {
            Some(known) if !known.contains(product) => self.fail(&Problem::new(Code::WrongProduct).found(product.as_str())),
            Some(_) => self.pass("product_known", "The product is one of those sold here."),
            None => {}
        }
    }

    fn device(&mut self, device: &DeviceId, context: &Context<'_>) {
        match context.device {
            Some(expected) if expected != device => self.fail(&answer::other_device(&device.last_part(), &expected.last_part())),
            Some(_) => self.pass("for_this_device", "It is for this computer."),
            None => {}
        }
    }
}

/// Codes that say the file is not what it pretends to be, where others say it does not fit or cannot be read.
const fn is_about_genuineness(code: Code) -> bool {
    matches!(
        code,
        Code::UnexpectedHeader
            | Code::UnsupportedAlgorithm
            | Code::PrivateKeyInFile
            | Code::UnknownSigningKey
            | Code::KeyCompromised
            | Code::WrongProductKey
            | Code::BadSignature
    )
}

/// Reads any file and says what there is to say about it. Never fails: what cannot be read is a report with one failed check.
#[must_use]
pub fn inspect(bytes: &[u8], context: &Context<'_>) -> Report {
    match unwrap(bytes) {
        Err(problem) => Report::failed(Kind::Unknown, &problem),
        Ok(Carried::Jws(text)) => match Jws::parse(&text, None) {
            Err(problem) => Report::failed(kind_of_broken(&text), &problem),
            Ok(jws) => match jws.typ {
                Typ::Request => request::countersign(&jws, context),
                Typ::License => license::license(&jws, Kind::License, context),
                Typ::Mirror => license::license(&jws, Kind::Mirror, context),
                Typ::Receipt => license::receipt(&jws, context),
            },
        },
        Ok(Carried::Json(json)) => licensespring(bytes, &json, context),
    }
}

fn licensespring(bytes: &[u8], json: &[u8], context: &Context<'_>) -> Report {
    match LicenseSpringRequest::parse(json).map_err(|problem| cut_off_in(bytes, problem)) {
        Ok(request) => request::licensespring(&request, context),
        Err(problem) if problem.code == Code::WrongKind => match LicenseSpringLicense::parse(json) {
            Ok(file) => license::licensespring(file, context),
            Err(problem) => Report::failed(Kind::LicensespringLicense, &problem),
        },
        Err(problem) => {
            // Only a request can be refused for what a request says.
            let reached_claims = problem.details.name.is_some() || matches!(problem.code, Code::DeviceIdMissing);
            let is_request = reached_claims && problem.code != Code::DuplicateMember;
            Report::failed(if is_request { Kind::LicensespringRequest } else { Kind::Unknown }, &problem)
        }
    }
}

/// What a JWS whose header did not hold says it is.
fn kind_of_broken(text: &str) -> Kind {
    let header = text.split('.').next().and_then(|header| super::base64::from_url(header).ok()).unwrap_or_default();
    let says = |typ: Typ| header.windows(typ.as_str().len()).any(|window| window == typ.as_str().as_bytes());
    match Typ::ALL.into_iter().find(|typ| says(*typ)) {
        Some(Typ::Request) => Kind::CountersignRequest,
        Some(Typ::License) => Kind::License,
        Some(Typ::Receipt) => Kind::Receipt,
        Some(Typ::Mirror) => Kind::Mirror,
        None => Kind::Unknown,
    }
}

/// What a person may see of a key: its last group.
fn shown_key(key: &crate::licensing::ActivationKey) -> String {
    alloc::format!("…{}", key.last_group())
}

/// How a file's own clock stands to `now`: the warning, if there is one.
fn clock(made_at: Timestamp, now: Timestamp) -> Option<Problem> {
    /// Before this, no device with this software had a working clock: a dead battery, not an old file.
    const PLAUSIBLE: Timestamp = Timestamp::from_seconds(1_577_836_800);
    const DAY_SECONDS: i64 = 86_400;
    let ahead = made_at.since(now) / 1000;
    if ahead > DAY_SECONDS || made_at < PLAUSIBLE {
        return Some(Problem::new(Code::ClockOff).amount(ahead));
    }
    (ahead < -7 * DAY_SECONDS).then(|| Problem::new(Code::Stale).amount(-ahead))
}

/// The words of rows that passed.
mod passed {
    pub(super) const COMPLETE: (&str, &str) = ("complete", "The file is complete and in a format known here.");
    pub(super) const CLOCK: (&str, &str) = ("clock_right", "The clock of the machine that made it is right.");
    pub(super) const KEY: (&str, &str) = ("key_well_formed", "The activation key is well-formed.");
    pub(super) const BY_DEVICE: (&str, &str) =
        ("signed_by_device", "It is signed by the machine that made it, and unchanged since.");
    pub(super) const BY_VENDOR: (&str, &str) = ("signed_by_vendor", "It is signed by the vendor, and unchanged since.");
    pub(super) const HMAC: (&str, &str) = ("hmac_valid", "It is signed by an app of this vendor, and unchanged since.");
    pub(super) const HMAC_PART: (&str, &str) = (
        "hmac_valid_in_part",
        "It is signed by an app of this vendor; the signature covers key or user, computer id and date, and nothing else.",
    );
    pub(super) const REQUEST: (&str, &str) = ("answers_request", "It answers this request.");
    pub(super) const LASTS: (&str, &str) = ("not_expired", "The license has not ended.");
}

/// What the inspector says where no keys were given.
fn unchecked_signature(kid: &str) -> Check {
    let shown: String = kid.chars().take(8).collect();
    let message = alloc::format!(
        "It is signed with key {shown}…; whether that is the vendor's could not be checked without the vendor's keys."
    );
    Check { code: Code::UnknownSigningKey.as_str(), verdict: Verdict::Note, message }
}

fn note(code: Code) -> Check {
    Check { code: code.as_str(), verdict: Verdict::Note, message: words::sentence(code, &Default::default()).to_string() }
}

#[cfg(test)]
mod tests;
