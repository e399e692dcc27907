//! Who calls (§2): an API key and an HMAC over the date, in two headers. The shared key ships in every app, so a right HMAC says
//! which app calls and authorizes nothing by itself.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use super::error::ApiError;
use crate::{
    desk::App,
    licensing::{Timestamp, files::licensespring::hmac},
    server::AppState,
};

/// A request's date may be this far from now.
const WINDOW_SECONDS: i64 = 15 * 60;

/// The app that calls; taking it checks the headers.
pub struct Caller(pub App);

/// The parts of an `Authorization` header in LicenseSpring's form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorization {
    pub algorithm: String,
    pub signature: String,
    pub api_key: String,
}

impl Authorization {
    /// Reads `algorithm="hmac-sha256",headers="date",signature="…",apiKey="…"`: names in any case and order, spaces allowed.
    /// Refuses what has no such parts, and names the one that is missing.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let malformed = || ApiError::bad("authorization_invalid_headers", "The Authorization header cannot be read.");
        let mut parts = Self::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(malformed)?;
            let value = value.trim();
            let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
            match name.trim().to_ascii_lowercase().as_str() {
                "algorithm" => parts.algorithm = bare.to_owned(),
                "signature" => parts.signature = bare.to_owned(),
                "apikey" => parts.api_key = bare.to_owned(),
                _ => {}
            }
        }
        if parts == Self::default() {
            return Err(malformed());
        }
        let missing: Vec<&str> = [("algorithm", &parts.algorithm), ("signature", &parts.signature), ("apiKey", &parts.api_key)]
            .into_iter()
            .filter_map(|(name, value)| value.is_empty().then_some(name))
            .collect();
        if missing.is_empty() {
            Ok(parts)
        } else {
            let message = format!("Some parameters are missing in authorization: {}", missing.join(", "));
            Err(ApiError::bad("authorization_missing_params", message))
        }
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let date = header_text(&parts.headers, header::DATE);
        let authorization = header_text(&parts.headers, header::AUTHORIZATION);
        let (Some(date), Some(authorization)) = (date, authorization) else {
            let missing = [("Date", date), ("Authorization", authorization)];
            let names: Vec<&str> = missing.into_iter().filter_map(|(name, value)| value.is_none().then_some(name)).collect();
            return Err(ApiError::bad("missing_headers", format!("Some headers are missing: {}", names.join(", "))));
        };
        let authorization = Authorization::parse(authorization)?;
        if !authorization.algorithm.eq_ignore_ascii_case("hmac-sha256") {
            return Err(ApiError::bad("hmac_required", "The algorithm must be hmac-sha256."));
        }
        in_time(date, state.desk.now())?;
        let Some((app, shared_key)) = state.desk.app(&authorization.api_key).await? else {
            return Err(ApiError::bad("invalid_api_key", "This API key is unknown or was revoked."));
        };
        if !hmac::date_holds(shared_key.as_slice(), date, &authorization.signature) {
            return Err(ApiError::new(401, "signature_mismatch", "The signature does not fit the API key and the Date header."));
        }
        Ok(Self(app))
    }
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
    fn headers_are_read_as_every_client_writes_them() {
        let expected =
            Authorization { algorithm: "hmac-sha256".into(), signature: "UDysf/iJ+Q==".into(), api_key: "11abafc3".into() };
        for text in [
            r#"algorithm="hmac-sha256",headers="date",signature="UDysf/iJ+Q==",apiKey="11abafc3""#,
            r#"algorithm="hmac-sha256", headers="date", signature="UDysf/iJ+Q==", apikey="11abafc3""#,
            r#" APIKEY = "11abafc3" , Signature="UDysf/iJ+Q==",ALGORITHM="hmac-sha256""#,
            "algorithm=hmac-sha256,signature=UDysf/iJ+Q==,apiKey=11abafc3",
        ] {
            assert_eq!(Authorization::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, code) in [
            ("", "authorization_invalid_headers"),
            ("nonsense", "authorization_invalid_headers"),
            ("Basic dXNlcjpwYXNz", "authorization_invalid_headers"),
            (r#"algorithm="hmac-sha256",apiKey="x""#, "authorization_missing_params"),
            (r#"signature="x",apiKey="x""#, "authorization_missing_params"),
            (r#"algorithm="hmac-sha256",signature="x",apiKey="""#, "authorization_missing_params"),
        ] {
            assert_eq!(Authorization::parse(text).unwrap_err().code, code, "{text}");
        }
        let error = Authorization::parse(r#"algorithm="hmac-sha256",apiKey="x""#).unwrap_err();
        assert!(error.message.ends_with("authorization: signature"), "{}", error.message);
    }

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
