//! The front door, the brand's colours, health, and what is not there.

use axum::{
    extract::State,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;

use crate::{
    app::{
        portal::{HomePage, Problem},
        ui::colour::{Colour, brand_css},
    },
    server::{
        AppState,
        page::{page, problem},
    },
};

pub async fn home(State(state): State<AppState>) -> Response {
    page(&state, StatusCode::OK, |frame| view! { <HomePage frame=frame/> })
}

/// The accent, made readable on light and dark paper. Addressed by revision, so it may be kept for a while.
pub async fn brand(State(state): State<AppState>) -> Response {
    let settings = state.desk.settings();
    let colour = Colour::parse(&settings.accent).or_else(|_| Colour::parse("#0b6464"));
    let css = colour.map(brand_css).unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    (headers, css).into_response()
}

/// The vendor's logo, addressed by revision like the colours.
pub async fn logo(State(state): State<AppState>) -> Response {
    match &state.desk.settings().logo {
        Some((kind, bytes)) => {
            let headers = [(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "public, max-age=300")];
            (headers, bytes.to_vec()).into_response()
        }
        None => problem(&state, Problem::NotFound),
    }
}

/// 200 while the database answers.
pub async fn health(State(state): State<AppState>) -> Response {
    let answers = match state.desk.store().read().await {
        Ok(mut conn) => conn.setting("portalName").await.is_ok(),
        Err(_) => false,
    };
    let (status, text) =
        if answers { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n") };
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}

pub async fn not_found(State(state): State<AppState>, method: Method) -> Response {
    let response = problem(&state, Problem::NotFound);
    if method == Method::HEAD { response.status().into_response() } else { response }
}

pub async fn wrong_method(State(state): State<AppState>) -> Response {
    problem(&state, Problem::WrongMethod)
}
