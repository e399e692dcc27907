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
        said,
        ui::{Check, FormState},
    },
    licensing::files::Report,
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
    let (tone, verdict) = said::verdict(report);
    let rows = report.checks.iter().map(said::Row::from);
    let style = said::Style { product: &|code| code.to_owned(), instant: &|at| at.date().for_people() };
    InspectReport {
        file_name,
        kind: said::kind(report.kind).to_owned(),
        tone,
        verdict: verdict.to_owned(),
        checks: rows.map(|row| Check::new(row.tone, row.text)).collect(),
        facts: said::facts(&report.content, &style),
    }
}
