//! The session cookie, and who it belongs to.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::Response,
};

use super::{
    AppState,
    page::{act_problem, see_other},
};
use crate::{
    desk::{SignedIn, Visitor},
    vault::Token,
};

/// `__Host-`: only over a secure connection (or to this machine itself), only this host, no subdomain can set it.
const COOKIE: &str = "__Host-countersign";

pub fn has_session_cookie(headers: &HeaderMap) -> bool {
    cookie(headers).is_some()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';')).find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

pub fn token(headers: &HeaderMap) -> Option<Token> {
    Token::parse(cookie(headers)?)
}

pub fn set(response: &mut Response, signed_in: &SignedIn, seconds: i64) {
    put(response, &format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}", signed_in.token.text()));
}

pub fn clear(response: &mut Response) {
    put(response, &format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"));
}

fn put(response: &mut Response, cookie: &str) {
    if let Ok(mut value) = HeaderValue::from_str(cookie) {
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// A signed-in member of the vendor's staff. Anyone else is sent to sign in, and comes back to where they wanted to go.
pub struct Staff(pub Visitor);

impl FromRequestParts<AppState> for Staff {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let visitor = match token(&parts.headers) {
            Some(token) => state.desk.visitor(&token).await.map_err(|error| act_problem(state, error))?,
            None => None,
        };
        visitor.map(Self).ok_or_else(|| {
            let wanted = parts.uri.path_and_query().map_or("/vendor", axum::http::uri::PathAndQuery::as_str);
            let read = parts.method == axum::http::Method::GET;
            let next =
                if read && wanted != "/vendor" { format!("?next={}", super::forms::encode(wanted)) } else { String::new() };
            see_other(&format!("/vendor/sign-in{next}"))
        })
    }
}
