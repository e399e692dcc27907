//! OAuth 2.0 client credentials (§2.2, RFC 6749 §4.4): where tokens are given, and giving one.

use std::net::SocketAddr;

use axum::{
    Json,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{ask::Asked, error::ApiError, reply};
use crate::{
    desk::TOKEN_SECONDS,
    server::{AppState, forms::pairs},
};

/// Where a client asks for its token. The other path is where the Node client goes unless it is told.
pub const PATHS: [&str; 2] = ["/api/v4/oauth_token", "/realms/user-portal/protocol/openid-connect/token"];

/// `GET /oauth_url`: asked before anything is known, so without credentials.
pub async fn url(State(state): State<AppState>, asked: Asked) -> Result<Response, ApiError> {
    let kind = asked.text("login_type")?.unwrap_or("client_credentials");
    if kind != "client_credentials" {
        return Err(ApiError::bad("validation_error", "login_type is client_credentials here."));
    }
    let url = format!("{}{}", state.config.public_url.trim_end_matches('/'), PATHS[0]);
    reply::signed(&state, Map::from_iter([("url".to_owned(), url.into()), ("login_type".to_owned(), kind.into())])).await
}

/// A token for a secret. Errors are those of RFC 6749 §5.2, which clients tell apart by `error`.
pub async fn token(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let form = pairs(&body);
    let of = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default();
    let refused = |status: StatusCode, error: &str, description: &str| {
        Ok((status, no_store(), Json(json!({ "error": error, "error_description": description }))).into_response())
    };
    if of("grant_type") != "client_credentials" {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", "grant_type must be client_credentials.");
    }
    if !state.allows_sign_in(state.address_of(peer, &headers)) {
        return refused(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", "Too many tries. Try again in a minute.");
    }
    let (id, secret) = basic(&headers).unwrap_or_else(|| (of("client_id").to_owned(), of("client_secret").to_owned()));
    match state.desk.oauth_token(&id, &secret).await? {
        Some(token) => {
            let members: [(&str, Value); 6] = [
                ("access_token", token.into()),
                ("expires_in", TOKEN_SECONDS.into()),
                ("refresh_expires_in", 0.into()),
                ("token_type", "Bearer".into()),
                ("not-before-policy", 0.into()),
                ("scope", "profile email".into()),
            ];
            let body = Map::from_iter(members.map(|(name, value)| (name.to_owned(), value)));
            Ok((no_store(), Json(body)).into_response())
        }
        None => refused(StatusCode::UNAUTHORIZED, "invalid_client", "Invalid client or Invalid client credentials"),
    }
}

/// Client id and secret in the header, as RFC 6749 §2.3.1 prefers them.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = text.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    // Each part is encoded as a form's.
    let plain = |part: &str| pairs(format!("x={part}").as_bytes()).into_iter().next().map(|(_, value)| value).unwrap_or_default();
    Some((plain(id), plain(secret)))
}

fn no_store() -> [(header::HeaderName, &'static str); 2] {
    [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")]
}
