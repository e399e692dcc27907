//! Reading one file: what it says and which checks it passes, before anything is sent.

use js_sys::{Array, Uint8Array};

use super::{
    browser::{for_people, now, rsa_holds},
    keys::Keys,
};
use crate::{
    app::{
        said::{self, Row, Style},
        signs::Tone,
    },
    licensing::files::{
        Context, Kind, Problem, Report,
        check::{Content, Verdict, inspect},
        licensespring::{LicenseSpringAct, RsaCheck},
        problem::Code,
        request::Act,
    },
};

/// A file, read.
pub struct Reading {
    pub facts: Vec<(String, String)>,
    pub rows: Vec<Row>,
    /// Whether it may be sent: a request, and nothing wrong with it.
    pub sendable: bool,
    pub releases: bool,
}

pub fn report(bytes: &[u8], keys: Option<&Keys>) -> Report {
    let context = Context {
        keys: keys.map(|keys| &keys.trusted),
        products: keys.map(|keys| keys.products.as_slice()),
        now: Some(keys.map_or_else(now, Keys::now)),
        ..Context::default()
    };
    inspect(bytes, &context)
}

pub fn facts(content: &Content, keys: Option<&Keys>) -> Vec<(String, String)> {
    let today = keys.map_or_else(now, Keys::now);
    let product = |code: &str| keys.map_or_else(|| code.to_owned(), |keys| keys.product_name(code));
    said::facts(content, &Style { product: &product, instant: &|at| for_people(at, today) })
}

/// Reads what should be a request.
pub fn request(bytes: &[u8], keys: Option<&Keys>) -> Reading {
    let report = report(bytes, keys);
    let releases = match &report.content {
        Content::CountersignRequest(request) => request.act == Act::Release,
        Content::LicenseSpringRequest(request) => request.act != Some(LicenseSpringAct::Activation),
        _ => false,
    };
    let is_request = matches!(report.kind, Kind::CountersignRequest | Kind::LicensespringRequest);
    let mut facts = facts(&report.content, keys);
    let mut rows: Vec<Row> = Vec::new();
    if let Some(failed) = report.error().filter(|_| facts.is_empty()) {
        // Nothing could be read: the one thing to say stands alone.
        rows.push(failed.into());
    } else if is_request {
        for check in &report.checks {
            // Said beside the time itself.
            if check.code == "clock_right"
                && let Some((_, made)) = facts.iter_mut().find(|(name, _)| name == "Made")
            {
                made.push_str(" (its clock is right)");
            } else {
                rows.push(check.into());
            }
        }
    } else {
        let found = if report.kind == Kind::Receipt { "release receipt" } else { "license file" };
        rows.push(problem(&Problem::new(Code::WrongKind).found(found).expected("request file")));
    }
    if keys.is_none() && is_request {
        let words = "Whether the product is sold here could not be checked: the portal could not be reached. It is checked when the file is sent.";
        rows.push(Row::new(Tone::Info, words));
    }
    let sendable = is_request && report.checks.iter().all(|check| check.verdict != Verdict::Fail);
    Reading { facts, rows, sendable, releases }
}

fn problem(problem: &Problem) -> Row {
    Row::new(Tone::Refused, &problem.sentence().to_string())
}

pub fn too_large(size: usize) -> Row {
    problem(&Problem::new(Code::TooLarge).at(size))
}

pub fn unreadable() -> Row {
    Row::new(Tone::Refused, "This file could not be read: it is a folder, or it was moved since. Choose the request file itself.")
}

/// Whether each RSA signature holds; `None` where this browser cannot tell. Stops at the first that does not hold.
pub async fn rsa(checks: &[RsaCheck], keys: &Keys) -> Option<Result<(), &'static str>> {
    for check in checks {
        let texts: Array = check.any_of.iter().map(|text| Uint8Array::from(text.as_slice())).collect();
        let holds = rsa_holds(&keys.licensespring, &Uint8Array::from(check.signature.as_slice()), &texts).await;
        match holds.ok().and_then(|holds| holds.as_bool()) {
            Some(true) => {}
            Some(false) => return Some(Err(check.name)),
            None => return None,
        }
    }
    Some(Ok(()))
}

pub const RSA_UNCHECKED: &str =
    "This browser cannot check the RSA signatures here, because the page came without encryption. The app checks them.";
