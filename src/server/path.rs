//! The parts of a path as types. What they cannot be read from is an address that leads nowhere, and is answered as one.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::request::Parts,
    middleware::Next,
    response::Response,
};
use serde::de::DeserializeOwned;

use super::{AppState, page::problem};
use crate::app::portal::Problem;

/// As axum's own, which answers a number that is none with a plain text and 400.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for Path<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(read)) => Ok(Self(read)),
            Err(_) => Err(problem(state, Problem::NotFound)),
        }
    }
}

/// Ends what no handler could read: a path whose escapes make no text.
pub async fn is_text(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if decodes_to_text(request.uri().path()) { next.run(request).await } else { problem(&state, Problem::NotFound) }
}

fn decodes_to_text(path: &str) -> bool {
    if !path.contains('%') {
        return true;
    }
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = path.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    std::str::from_utf8(&decoded).is_ok()
}

#[cfg(test)]
mod tests {
    use super::decodes_to_text;

    #[test]
    fn escapes_make_a_text_or_lead_nowhere() {
        for path in ["/", "/activations/x", "/a%20b", "/%F0%9F%98%80", "/100%", "/%zz"] {
            assert!(decodes_to_text(path), "{path}");
        }
        for path in ["/activations/%FF", "/%C3", "/%c3%28", "/%ff/x"] {
            assert!(!decodes_to_text(path), "{path}");
        }
    }
}
