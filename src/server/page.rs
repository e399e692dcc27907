//! A page on its way out: the document, its Content-Security-Policy, and the headers every page carries.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;

use super::{AppState, forms::new_request_id, site};
use crate::{
    app::{
        portal::{Problem, ProblemPage},
        render,
        ui::FormIds,
        view::{Assets, Brand, Frame},
    },
    desk::ActError,
};

/// Draws a page inside a frame with the vendor's brand.
pub fn page<V: IntoView>(state: &AppState, status: StatusCode, draw: impl FnOnce(Frame) -> V) -> Response {
    let settings = state.desk.settings();
    let brand = Brand {
        name: settings.portal_name.clone(),
        logo_url: settings.logo.as_ref().map(|_| format!("/logo?{}", settings.revision)),
        support: settings.support.clone(),
        revision: settings.revision,
    };
    let (html, nonce) = render(site::site(), |nonce| {
        provide_context(FormIds::new(new_request_id()));
        draw(Frame { brand, assets: Assets::from(site::site()), nonce: nonce.to_string() })
    });
    let policy = format!(
        "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The page for something that is not there, not allowed, or went wrong.
pub fn problem(state: &AppState, problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let what = problem.clone();
    let mut response = page(state, status, |frame| view! { <ProblemPage frame=frame problem=problem/> });
    // For the layer that draws it anew where staff is to read it.
    response.extensions_mut().insert(what);
    response
}

/// The page for an act that was not done, where the handler has nothing better to say. Faults of ours are logged here, once.
pub fn act_problem(state: &AppState, error: ActError) -> Response {
    let what = match error {
        ActError::NotFound => Problem::NotFound,
        ActError::Forbidden(_) => Problem::NotAllowed,
        ActError::Taken(_) | ActError::Transition(_) | ActError::WhichProduct(_) => Problem::Conflict,
        ActError::Refused(refused) => {
            let words = refused.refusal.words();
            Problem::Refused { what: words.what.into_owned(), why: words.why.into_owned() }
        }
        ActError::Field { message, .. } => Problem::Refused { what: "Nothing was changed".to_owned(), why: message },
        ActError::Setting(_) => Problem::NotUnderstood,
        ActError::Fault(fault) => {
            let reference = fault_reference();
            tracing::error!(reference = %reference, error = ?fault, "An act failed.");
            Problem::Fault { reference }
        }
    };
    problem(state, what)
}

/// What a page about a fault shows, and what stands beside the fault in the log.
pub fn fault_reference() -> String {
    let random: [u8; 4] = crate::vault::random_bytes();
    format!("F-{:08X}", u32::from_be_bytes(random))
}

/// 303: the answer to a form that was acted on is at another address.
pub fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A file to be saved under a name, which must be plain ASCII.
pub fn download(name: &str, content_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect();
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
