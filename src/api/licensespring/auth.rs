//! Who calls (§2): an API key and an HMAC over the date, in two headers, or an OAuth client's token. The shared key ships in every
//! app, so a right HMAC says which app calls and authorizes nothing by itself.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use super::error::ApiError;
use crate::{
    desk::{App, Before, SharedKey},
    licensing::{
        Timestamp,
        files::licensespring::{Authorization, AuthorizationError, hmac},
        tpm::read_signature,
    },
    server::AppState,
};

/// A request's date may be this far from now.
const WINDOW_SECONDS: i64 = 15 * 60;

/// The app that calls; taking it checks the headers.
pub struct Caller(pub App);

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Ok(Self(KeyedCaller::from_request_parts(parts, state).await?.app))
    }
}

/// The app that calls, with the key it signed with, if that was a shared key.
pub struct KeyedCaller {
    pub app: App,
    pub shared_key: Option<SharedKey>,
}

impl FromRequestParts<AppState> for KeyedCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let date = header_text(&parts.headers, header::DATE);
        let authorization = header_text(&parts.headers, header::AUTHORIZATION);
        let (Some(date), Some(authorization)) = (date, authorization) else {
            let missing = [("Date", date), ("Authorization", authorization)];
            let names: Vec<&str> = missing.into_iter().filter_map(|(name, value)| value.is_none().then_some(name)).collect();
            return Err(ApiError::bad("missing_headers", format!("Some headers are missing: {}", names.join(", "))));
        };
        if let Some(token) = bearer(authorization) {
            in_time(date, state.desk.now())?;
            let app = state.desk.app_with_token(token).await??;
            let app = signed_by_tpm(app, &parts.headers, format!("{date}{token}"));
            return Ok(Self { app, shared_key: None });
        }
        let authorization = Authorization::parse(authorization).map_err(unreadable)?;
        if !authorization.algorithm.eq_ignore_ascii_case("hmac-sha256") {
            return Err(ApiError::bad("hmac_required", "The algorithm must be hmac-sha256."));
        }
        in_time(date, state.desk.now())?;
        let (app, shared_key) = state.desk.app(&authorization.api_key).await??;
        if !hmac::date_holds(shared_key.as_slice(), date, &authorization.signature) {
            return Err(ApiError::new(401, "signature_mismatch", "The signature does not fit the API key and the Date header."));
        }
        let app = signed_by_tpm(app, &parts.headers, authorization.signature);
        Ok(Self { app, shared_key: Some(shared_key) })
    }
}

/// The check that came before with this query, if it was by the app that signed these headers and they are of now. Whatever is wrong
/// with them is for [`Caller`] to say.
pub fn asked_before(headers: &HeaderMap, query: &str, state: &AppState) -> Option<Arc<Before>> {
    let (date, authorization) = (header_text(headers, header::DATE)?, header_text(headers, header::AUTHORIZATION)?);
    let authorization = Authorization::parse(authorization).ok()?;
    let before = state.desk.before(&authorization.api_key, query)?;
    let is_right = authorization.algorithm.eq_ignore_ascii_case("hmac-sha256")
        && in_time(date, state.desk.now()).is_ok()
        && hmac::date_holds(before.shared_key(), date, &authorization.signature);
    is_right.then_some(before)
}

fn unreadable(error: AuthorizationError) -> ApiError {
    match error {
        AuthorizationError::Malformed => {
            ApiError::bad("authorization_invalid_headers", "The Authorization header cannot be read.")
        }
        AuthorizationError::Missing(names) => {
            let message = format!("Some parameters are missing in authorization: {}", names.join(", "));
            ApiError::bad("authorization_missing_params", message)
        }
    }
}

/// Notes what the machine's TPM signed (§2.3): the text of the HMAC, or date and token. What cannot be read is no signature.
fn signed_by_tpm(app: App, headers: &HeaderMap, message: String) -> App {
    let shown = headers.get("licensespring-tpm-signature").and_then(|value| value.to_str().ok());
    match shown.and_then(read_signature) {
        Some(signature) => app.signing(message.into_bytes(), signature),
        None => app,
    }
}

/// The token of `Bearer …`, in any case (RFC 9110 §11.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The raw text: what was signed is the header as it stands, however its date is spelt.
fn header_text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok()).filter(|text| !text.trim().is_empty())
}

fn in_time(date: &str, now: Timestamp) -> Result<(), ApiError> {
    let at = Timestamp::from_any_client_date(date.trim());
    let near = at.is_ok_and(|at| (at.since(now) / 1000).abs() <= WINDOW_SECONDS);
    if near {
        return Ok(());
    }
    let message = format!(
        "The Date header is more than 15 minutes off, or no date. Set the machine's clock; here it is {}.",
        now.to_http_date()
    );
    Err(ApiError::bad("date_header_diff", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_good_for_a_quarter_of_an_hour_in_every_spelling() {
        let now = Timestamp::from_seconds(1_307_479_895);
        for date in ["Tue, 07 Jun 2011 20:51:35 GMT", "Tue, 7 Jun 2011 20:51:35 GMT", "Tue, 07 Jun 2011 20:36:36 GMT"] {
            assert_eq!(in_time(date, now), Ok(()), "{date}");
        }
        for date in ["Tue, 07 Jun 2011 20:36:34 GMT", "Tue, 07 Jun 2011 21:06:36 GMT", "yesterday", "2011-06-07"] {
            assert_eq!(in_time(date, now).unwrap_err().code, "date_header_diff", "{date}");
        }
    }
}
