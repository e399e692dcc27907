//! Inspecting what the portal signs: licenses, computer keys, receipts, and LicenseSpring's files with our mirror inside.

use super::{
    Content, Context, Kind, LicenseContent, LicenseSpringLicenseContent, ReceiptContent, Report, Verdict, passed,
    unchecked_signature,
};
use crate::licensing::{
    DeviceId, Timestamp,
    files::{
        answer,
        jws::Jws,
        license::{LicenseFile, RequestRef, named_key},
        licensespring::LicenseSpringLicense,
        mirror,
        problem::{Code, Problem},
        receipt::Receipt,
    },
};

pub(super) fn license(jws: &Jws, kind: Kind, context: &Context<'_>) -> Report {
    let read = match context.keys {
        Some(keys) if kind == Kind::Mirror => mirror::verify(jws.text(), keys).map(|signed| signed.license),
        Some(keys) => LicenseFile::verify(jws.text(), keys).map(|signed| signed.license),
        None => LicenseFile::read_unverified(jws),
    };
    let license = match read {
        Ok(license) => license,
        Err(problem) => return Report::failed(kind, &problem),
    };
    let mut report = Report::new(kind);
    report.content = Content::License(LicenseContent::of(&license, kid(jws)));
    signed(&mut report, jws, context);
    about(&mut report, &license, context);
    report
}

pub(super) fn receipt(jws: &Jws, context: &Context<'_>) -> Report {
    let read = match context.keys {
        Some(keys) => Receipt::verify(jws.text(), keys).map(|signed| signed.receipt),
        None => Receipt::read_unverified(jws),
    };
    let receipt = match read {
        Ok(receipt) => receipt,
        Err(problem) => return Report::failed(Kind::Receipt, &problem),
    };
    let mut report = Report::new(Kind::Receipt);
    report.content = Content::Receipt(ReceiptContent::of(&receipt, kid(jws)));
    signed(&mut report, jws, context);
    report.product(&receipt.product, context);
    report.device(&receipt.device.id, context);
    request(&mut report, receipt.request.as_ref(), context);
    made(&mut report, receipt.made_at, context);
    report
}

pub(super) fn licensespring(file: LicenseSpringLicense, context: &Context<'_>) -> Report {
    let mut report = Report::new(Kind::LicensespringLicense);
    report.pass(passed::COMPLETE.0, passed::COMPLETE.1);
    let mut facts = None;
    if let Some(text) = &file.mirror {
        match Jws::parse(text, Some(crate::licensing::files::Typ::Mirror)) {
            Ok(jws) => {
                let inner = license(&jws, Kind::Mirror, context);
                // Apps read what stands outside the mirror: whether that is genuine, only the two RSA signatures can say.
                report.genuine = inner.genuine.filter(|genuine| !genuine);
                // That the mirror is complete is said once, for the file.
                report.checks.extend(inner.checks.into_iter().filter(|check| check.code != passed::COMPLETE.0));
                if let Content::License(content) = inner.content {
                    agrees(&mut report, &file, &content);
                    facts = Some(content);
                }
            }
            Err(problem) => report.fail(&problem),
        }
    } else {
        // Nothing of ours vouches for it: what it says is compared with what the caller expects, by its own words.
        if let Ok(product) = crate::licensing::ProductCode::parse(&file.product) {
            report.product(&product, context);
        }
        if let Ok(device) = DeviceId::parse(&file.hardware_id) {
            report.device(&device, context);
        }
    }
    report.content = Content::LicenseSpringLicense(LicenseSpringLicenseContent::of(&file, facts));
    report.rsa = file.rsa;
    report
}

/// Apps read the file, people are shown the mirror: they must say the same.
fn agrees(report: &mut Report, file: &LicenseSpringLicense, mirror: &LicenseContent) {
    if !file.product.eq_ignore_ascii_case(&mirror.product) {
        report.genuine = Some(false);
        report.fail(&Problem::new(Code::WrongProduct).found(&file.product).expected(&mirror.product));
    }
    if file.hardware_id.trim() != mirror.device_id {
        report.genuine = Some(false);
        report.fail(&Problem::new(Code::OtherDevice));
    }
    // What RSA covers is told apart only by whoever can check RSA: here at least the two must say the same.
    let ends = file.validity_period.as_deref().map(Timestamp::from_rfc3339);
    let same_end = match ends {
        None => mirror.valid_until.is_none(),
        Some(end) => end.is_ok_and(|end| mirror.valid_until == Some(end)),
    };
    let same_type = file.license_type.as_deref().is_none_or(|kind| kind == mirror.r#type);
    if !same_end || !same_type {
        report.genuine = Some(false);
        report.fail(&Problem::new(Code::BadSignature).naming(if same_end { "license_type" } else { "validity_period" }));
    }
    // A refresh file names no request.
    if file.request_id.as_deref().is_some_and(|id| Some(id) != mirror.request_id.as_deref()) {
        report.genuine = Some(false);
        report.fail(&Problem::new(Code::OtherRequest));
    }
}

fn kid(jws: &Jws) -> &str {
    named_key(jws).unwrap_or_default()
}

fn signed(report: &mut Report, jws: &Jws, context: &Context<'_>) {
    report.pass(passed::COMPLETE.0, passed::COMPLETE.1);
    if context.keys.is_some() {
        report.genuine = Some(true);
        report.pass(passed::BY_VENDOR.0, passed::BY_VENDOR.1);
    } else {
        report.checks.push(unchecked_signature(kid(jws)));
    }
}

fn about(report: &mut Report, license: &LicenseFile, context: &Context<'_>) {
    report.product(&license.product, context);
    report.device(&license.device.id, context);
    request(report, license.request.as_ref(), context);
    if let Some(now) = context.now {
        match answer::not_expired(license.expires, now) {
            Ok(()) => report.pass(passed::LASTS.0, passed::LASTS.1),
            Err(problem) => report.fail(&problem),
        }
        if let Some(start) = license.not_before.filter(|start| *start > now.plus_hours(answer::LEEWAY_HOURS)) {
            report.fail(&Problem::new(Code::NotStarted).found(&start.date().for_people()));
        }
    }
    made(report, license.made_at, context);
}

fn request(report: &mut Report, found: Option<&RequestRef>, context: &Context<'_>) {
    match context.request {
        Some(expected) if found != Some(expected) => report.fail(&Problem::new(Code::OtherRequest)),
        Some(_) => report.pass(passed::REQUEST.0, passed::REQUEST.1),
        None => {}
    }
}

/// A file of the portal made after `now` shows that the clock it is read with was set back.
fn made(report: &mut Report, made_at: Timestamp, context: &Context<'_>) {
    if let Some(now) = context.now
        && made_at > now.plus_hours(answer::LEEWAY_HOURS)
    {
        report.say(Verdict::Warn, &Problem::new(Code::ClockBack).amount(made_at.since(now) / 1000));
    }
}
