//! `/inspect` for those without a script: the file is read here, and not kept.

use axum::{
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::upload::Upload;
use crate::{
    app::{
        portal::{InspectPage, InspectReport, InspectView, Problem},
        ui::{Check, FormState, Tone},
    },
    licensing::files::check::{Content, Kind, Report, Verdict},
    server::{
        AppState,
        page::{act_problem, page, problem},
    },
};

pub async fn show(State(state): State<AppState>) -> Response {
    draw(&state, StatusCode::OK, InspectView::default())
}

fn draw(state: &AppState, status: StatusCode, view: InspectView) -> Response {
    page(state, status, |frame| view! { <InspectPage frame=frame view=view/> })
}

pub async fn post(State(state): State<AppState>, request: Request<Body>) -> Response {
    let Some(upload) = Upload::read(request).await else { return problem(&state, Problem::NotUnderstood) };
    let pasted = upload.field("text").trim().to_owned();
    let (name, bytes) = match upload.files.into_iter().next() {
        Some(file) => (Some(file.name), file.bytes),
        None if !pasted.is_empty() => (None, pasted.into_bytes()),
        None => {
            let mut form = FormState::default();
            form.refuse("file", "No file was chosen. Choose a request or license file, or paste its text.");
            return draw(&state, StatusCode::UNPROCESSABLE_ENTITY, InspectView { form, report: None });
        }
    };
    match state.desk.inspect(&bytes).await {
        Ok(report) => {
            draw(&state, StatusCode::OK, InspectView { form: FormState::default(), report: Some(shown(name, &report)) })
        }
        Err(fault) => act_problem(&state, fault.into()),
    }
}

fn shown(file_name: Option<String>, report: &Report) -> InspectReport {
    let kind = match report.kind {
        Kind::CountersignRequest => "Request file",
        Kind::License => "License file",
        Kind::Receipt => "Receipt of a release",
        Kind::Mirror => "The portal’s own part of a license file",
        Kind::LicensespringRequest => "Request file, compatible with LicenseSpring",
        Kind::LicensespringLicense => "License file, compatible with LicenseSpring",
        Kind::Unknown => "Not a request or license file",
    };
    let failed = report.error().is_some();
    let (tone, verdict) = match (report.genuine, failed) {
        (_, true) => (Tone::Refused, "Not as it should be"),
        (Some(true), false) => (Tone::Good, "Genuine"),
        (Some(false), false) => (Tone::Refused, "Not genuine"),
        (None, false) => (Tone::Info, "Cannot be said here"),
    };
    let checks = report.checks.iter().map(|check| {
        let tone = match check.verdict {
            Verdict::Pass => Tone::Good,
            Verdict::Note => Tone::Info,
            Verdict::Warn => Tone::Caution,
            Verdict::Fail => Tone::Refused,
        };
        Check::new(tone, check.message.clone())
    });
    InspectReport {
        file_name,
        kind: kind.to_owned(),
        tone,
        verdict: verdict.to_owned(),
        checks: checks.collect(),
        facts: facts(&report.content),
    }
}

/// What the file says, as pairs for people.
fn facts(content: &Content) -> Vec<(String, String)> {
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: Option<String>| facts.extend(value.map(|value| (name.to_owned(), value)));
    let ends = |key: &str| if key.is_empty() { None } else { Some(format!("…{key}")) };
    match content {
        Content::CountersignRequest(request) => {
            put("Asks to", Some(request.act.as_str().to_owned()));
            put("Product", Some(request.product.clone()));
            put("Key ending", request.key.as_deref().and_then(ends));
            put("License", request.license.clone());
            put("User", request.user.clone());
            put("Computer", request.device_name.clone());
            put("Computer id", Some(request.device_id.clone()));
            put("Made", Some(request.made_at.date().for_people()));
        }
        Content::License(license) => {
            put("Product", Some(license.product.clone()));
            put("Key ending", ends(&license.key));
            put("Type", Some(license.r#type.to_owned()));
            put("Seats", license.seats.map(|seats| seats.to_string()));
            put("Good through", license.valid_until.map(|until| until.plus_millis(-1).date().for_people()));
            put("Computer", license.device_name.clone());
            put("Computer id", Some(license.device_id.clone()));
            put("From", Some(license.issuer.clone()));
        }
        Content::Receipt(receipt) => {
            put("Product", Some(receipt.product.clone()));
            put("License", Some(receipt.license.clone()));
            put("Computer", receipt.device_name.clone());
            put("Computer id", Some(receipt.device_id.clone()));
            put("Released", Some(receipt.released_at.date().for_people()));
            put("From", Some(receipt.issuer.clone()));
        }
        Content::LicenseSpringRequest(request) => {
            put("Product", Some(request.product.clone()));
            put("Key ending", request.key.as_deref().and_then(ends));
            put("User", request.user.clone());
            put("Computer", request.device_name.clone());
            put("Computer id", Some(request.device_id.clone()));
            put("Made", request.made_at.map(|at| at.date().for_people()));
        }
        Content::LicenseSpringLicense(license) => {
            put("Product", Some(license.product.clone()));
            put("Key ending", license.key.as_deref().and_then(ends));
            put("User", license.user.clone());
            put("Type", license.r#type.clone());
            put("Computer id", Some(license.device_id.clone()));
            put("Valid until", license.valid_until.clone());
        }
        Content::Unknown {} => {}
    }
    facts
}
