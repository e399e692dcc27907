//! Signed answers (§3): the exact bytes of the body under RSA, in the header `LicenseSignature`. A signature of the same bytes is made
//! once: a check that nothing has changed for costs none.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use super::error::ApiError;
use crate::{
    licensing::files::licensespring::response::{canonical, v1_message},
    server::AppState,
};

/// The three words that answer an act without a body.
pub fn word(text: &'static str) -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain")], text).into_response()
}

/// A signed body whose own signature (`license_signature`, §3.3) follows what stands before it, and `tail` follows that. `key` is the
/// key that signs now, as it was read with the license.
pub async fn signed_license(
    state: &AppState,
    key: Option<&str>,
    body: Map<String, Value>,
    hardware_id: &str,
    principal: &str,
    tail: impl IntoIterator<Item = (&'static str, Value)>,
) -> Result<Response, ApiError> {
    let (text, signature) = license_text(state, key, body, hardware_id, principal, tail).await?;
    Ok(with_header(text, &signature))
}

/// Such a body as it is sent, and the signature over it.
pub async fn license_text(
    state: &AppState,
    key: Option<&str>,
    mut body: Map<String, Value>,
    hardware_id: &str,
    principal: &str,
    tail: impl IntoIterator<Item = (&'static str, Value)>,
) -> Result<(String, String), ApiError> {
    let message = inner_message(&body, hardware_id, principal);
    let tail: Vec<_> = tail.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let finish = move |signature: &str| {
        body.insert("license_signature".to_owned(), signature.into());
        body.extend(tail);
        let mut body = Value::Object(body);
        canonical(&mut body);
        body.to_string()
    };
    Ok(state.desk.sign_twice_for_apps(key, message, finish).await?)
}

fn inner_message(body: &Map<String, Value>, hardware_id: &str, principal: &str) -> Vec<u8> {
    let validity = body.get("validity_period").and_then(Value::as_str).unwrap_or_default();
    v1_message(hardware_id, principal, validity).into_bytes()
}

/// A body with its own signature.
pub async fn with_signature(
    state: &AppState,
    key: Option<&str>,
    mut body: Map<String, Value>,
    hardware_id: &str,
    principal: &str,
    tail: impl IntoIterator<Item = (&'static str, Value)>,
) -> Result<Map<String, Value>, ApiError> {
    let signature = state.desk.sign_for_apps(key, inner_message(&body, hardware_id, principal)).await?;
    body.insert("license_signature".to_owned(), signature.into());
    body.extend(tail.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Ok(body)
}

/// A JSON body under its signature.
pub async fn signed(state: &AppState, body: Map<String, Value>) -> Result<Response, ApiError> {
    signed_value(state, None, Value::Object(body)).await
}

/// Rows under one signature.
pub async fn signed_rows(state: &AppState, rows: Vec<Value>) -> Result<Response, ApiError> {
    signed_value(state, None, Value::Array(rows)).await
}

async fn signed_value(state: &AppState, key: Option<&str>, mut body: Value) -> Result<Response, ApiError> {
    canonical(&mut body);
    signed_text(state, key, body.to_string()).await
}

/// A JSON text as it stands, under its signature.
pub async fn signed_text(state: &AppState, key: Option<&str>, text: String) -> Result<Response, ApiError> {
    let signature = state.desk.sign_for_apps(key, text.clone().into_bytes()).await?;
    Ok(with_header(text, &signature))
}

/// A JSON text under a signature that was made of it.
pub fn with_header(text: String, signature: &str) -> Response {
    let mut response = (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], text).into_response();
    if let Ok(value) = HeaderValue::from_str(signature) {
        response.headers_mut().insert("licensesignature", value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
