//! Public keys, for apps and for the browser.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::{
    licensing::ProductCode,
    server::{AppState, page::act_problem},
};

/// `GET /.well-known/jwks.json`: RFC 7517, all published keys.
pub async fn jwks(State(state): State<AppState>) -> Response {
    answer(&state, None).await
}

/// `GET /.well-known/countersign/{product}/jwks.json`: those of one product.
pub async fn product_jwks(State(state): State<AppState>, Path(product): Path<String>) -> Response {
    match ProductCode::parse(&product) {
        Ok(code) => answer(&state, Some(&code)).await,
        Err(_) => act_problem(&state, crate::desk::ActError::NotFound),
    }
}

async fn answer(state: &AppState, product: Option<&ProductCode>) -> Response {
    match state.desk.jwks(product).await {
        Ok(keys) => {
            let headers = [
                (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
                (header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
            ];
            (headers, Json(keys).into_response().into_body()).into_response()
        }
        Err(error) => act_problem(state, error),
    }
}
