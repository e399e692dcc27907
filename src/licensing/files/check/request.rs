//! Inspecting requests: ours by the key they carry, LicenseSpring's by their HMAC where the shared key is known.

use super::{Content, Context, Kind, LicenseSpringRequestContent, Report, RequestContent, Verdict, clock, note, passed};
use crate::licensing::{
    Timestamp,
    files::{
        jws::{Jws, SignedBy},
        licensespring::{HmacVerdict, LicenseSpringRequest},
        problem::{Code, Problem},
        request::{Grounds, SignedRequest},
    },
};

pub(super) fn countersign(jws: &Jws, context: &Context<'_>) -> Report {
    let signed = match SignedRequest::parse(jws.text()) {
        Ok(signed) => signed,
        Err(problem) => return Report::failed(Kind::CountersignRequest, &problem),
    };
    debug_assert!(matches!(jws.signed_by, SignedBy::Device(_)));
    let mut report = Report::new(Kind::CountersignRequest);
    report.content = Content::CountersignRequest(RequestContent::of(&signed.request, &signed.thumbprint));
    report.genuine = Some(true);
    report.pass(passed::COMPLETE.0, passed::COMPLETE.1);
    report.pass(passed::BY_DEVICE.0, passed::BY_DEVICE.1);
    if let Grounds::Key(key) = &signed.request.grounds
        && key.is_own()
    {
        report.pass(passed::KEY.0, passed::KEY.1);
    }
    report.product(&signed.request.product, context);
    report.device(&signed.request.device.id, context);
    own_request(&mut report, signed.request.id == context.request.map_or("", |request| &request.id), signed.hash, context);
    time(&mut report, signed.request.made_at, context);
    report
}

pub(super) fn licensespring(request: &LicenseSpringRequest, context: &Context<'_>) -> Report {
    let shared_key = context.shared_key.and_then(|find| find(request.caller.id()));
    let hmac = request.check(shared_key.as_deref());
    let mut report = Report::new(Kind::LicensespringRequest);
    report.content = Content::LicenseSpringRequest(LicenseSpringRequestContent::of(request, hmac));
    report.pass(passed::COMPLETE.0, passed::COMPLETE.1);
    match hmac {
        HmacVerdict::V2Valid => report.pass(passed::HMAC.0, passed::HMAC.1),
        HmacVerdict::V1Valid | HmacVerdict::InnerV1Valid => report.pass(passed::HMAC_PART.0, passed::HMAC_PART.1),
        HmacVerdict::Wrong => report.fail(&Problem::new(Code::BadSignature)),
        HmacVerdict::Unchecked => report.checks.push(note(Code::HmacUnchecked)),
    }
    if hmac.is_valid() {
        report.genuine = Some(true);
    }
    if request.key.as_ref().is_some_and(crate::licensing::ActivationKey::is_own) {
        report.pass(passed::KEY.0, passed::KEY.1);
    }
    report.product(&request.product, context);
    report.device(&request.hardware_id, context);
    let same_id = request.request_id.as_deref().unwrap_or_default() == context.request.map_or("", |request| &request.id);
    own_request(&mut report, same_id, request.hash(), context);
    if let Some(made_at) = request.made_at {
        time(&mut report, made_at, context);
    }
    report
}

/// Whether this is the request the caller has in mind.
fn own_request(report: &mut Report, same_id: bool, hash: [u8; 32], context: &Context<'_>) {
    if let Some(expected) = context.request
        && !(same_id && expected.hash == hash)
    {
        report.fail(&Problem::new(Code::OtherRequest));
    }
}

/// A machine's clock is worth a warning, and never a refusal.
fn time(report: &mut Report, made_at: Timestamp, context: &Context<'_>) {
    let Some(now) = context.now else { return };
    match clock(made_at, now) {
        Some(problem) => report.say(Verdict::Warn, &problem),
        None => report.pass(passed::CLOCK.0, passed::CLOCK.1),
    }
}
