//! Request files carried by a program (§8.3, §8.6): `POST /activate_offline`, `POST /deactivate_offline`, as text or as a form's file.
//! What a file may do follows from what its own signature covers, as at every other door; the call's headers say which app carries it.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Multipart, Request, State},
    http::{header, request::Parts},
    response::Response,
};
use serde_json::Value;

use super::{
    auth::Caller,
    error::{ApiError, file_refused},
    reply,
};
use crate::{
    desk::{App, FileAnswer, FileRequest},
    licensing::files::{base64, licensespring::LicenseSpringAct},
    server::AppState,
};

/// The app that carries a file. Where a call of another kind would answer 401, this one answers 400 (§8.3).
pub struct Carrier(App);

impl FromRequestParts<AppState> for Carrier {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Caller(app) = Caller::from_request_parts(parts, state).await.map_err(|error| match error.status {
            401 => ApiError::bad(error.code, error.message),
            _ => error,
        })?;
        Ok(Self(app))
    }
}

/// The text of a request file, however it was sent.
pub struct Carried(Vec<u8>);

impl FromRequest<AppState> for Carried {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("multipart/") {
            return Ok(Self(part(request, state).await?));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status().as_u16() {
            413 => too_large(),
            _ => missing("file"),
        })?;
        if body.trim_ascii().is_empty() {
            return Err(missing("file"));
        }
        // Some clients wrap the text.
        let wrapped =
            serde_json::from_slice::<Value>(&body).ok().and_then(|json| json.get("Payload")?.as_str().map(str::to_owned));
        Ok(Self(wrapped.map_or_else(|| body.to_vec(), String::into_bytes)))
    }
}

async fn part(request: Request, state: &AppState) -> Result<Vec<u8>, ApiError> {
    let unreadable = |_| ApiError::bad("missing_parameters", "The form could not be read. Send one part named file.");
    let mut form = Multipart::from_request(request, state)
        .await
        .map_err(|_| ApiError::bad("missing_parameters", "The form could not be read. Send one part named file."))?;
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        if field.name() == Some("file") {
            let bytes =
                field.bytes().await.map_err(|error| if error.status() == 413 { too_large() } else { unreadable(error) })?;
            if bytes.trim_ascii().is_empty() {
                return Err(unsaid("file"));
            }
            return Ok(bytes.to_vec());
        }
    }
    Err(missing("file"))
}

pub async fn activate(State(state): State<AppState>, Carrier(app): Carrier, carried: Carried) -> Result<Response, ApiError> {
    let request = carried.act(LicenseSpringAct::Activation)?;
    let answer = state.desk.answer_file_app(&app, request).await??.map_err(|refused| file_refused(&refused.refusal))?;
    let text = base64::from_standard(answer.body.trim()).ok().and_then(|json| String::from_utf8(json).ok());
    match text {
        Some(text) => reply::signed_text(&state, None, text).await,
        None => Err(ApiError::internal()),
    }
}

pub async fn deactivate(State(state): State<AppState>, Carrier(app): Carrier, carried: Carried) -> Result<Response, ApiError> {
    let request = carried.act(LicenseSpringAct::Deactivation)?;
    state.desk.answer_file_app(&app, request).await??.map_err(|refused| file_refused(&refused.refusal))?;
    Ok(reply::word("license_deactivated"))
}

/// `POST /activate_bundle_offline` (§8.5): a license of each product, each as a single file holds it, and a signature over all of them.
pub async fn activate_bundle(
    State(state): State<AppState>,
    Carrier(app): Carrier,
    carried: Carried,
) -> Result<Response, ApiError> {
    let request = carried.act(LicenseSpringAct::Activation)?;
    let parts = state.desk.answer_bundle_app(&app, request).await??.map_err(|refused| file_refused(&refused.refusal))?;
    let read = |part: &FileAnswer| String::from_utf8(base64::from_standard(part.body.trim()).ok()?).ok();
    let texts: Option<Vec<String>> = parts.iter().map(read).collect();
    let text = format!(r#"{{"licenses":[{}]}}"#, texts.ok_or_else(ApiError::internal)?.join(","));
    let finish = |signature: &str, text: &str| format!(r#"{},"bundle_signature_v2":"{signature}"}}"#, &text[..text.len() - 1]);
    let signed = text.clone();
    let (text, signature) =
        state.desk.sign_twice_for_apps(None, text.into_bytes(), move |signature| finish(signature, &signed)).await?;
    Ok(reply::with_header(text, &signature))
}

/// `POST /deactivate_bundle_offline`: every seat the machine holds of the bundle.
pub async fn deactivate_bundle(
    State(state): State<AppState>,
    Carrier(app): Carrier,
    carried: Carried,
) -> Result<Response, ApiError> {
    let request = carried.act(LicenseSpringAct::Deactivation)?;
    state.desk.answer_bundle_app(&app, request).await??.map_err(|refused| file_refused(&refused.refusal))?;
    Ok(reply::word("license_deactivated"))
}

impl Carried {
    /// Refuses what is no request for this act, before anything is looked up. One that does not say what it is for is for its path.
    fn act(self, act: LicenseSpringAct) -> Result<FileRequest, ApiError> {
        let text = std::str::from_utf8(&self.0).map_err(|_| unsaid("a body in base64"))?;
        let json = base64::from_standard(text.trim()).map_err(|_| unsaid("a body in base64"))?;
        let outer: Value = serde_json::from_slice(&json).map_err(|_| ApiError::bad("invalid_json", "The file holds no JSON."))?;
        let inner = outer.get("request").filter(|request| request.is_object()).unwrap_or(&outer);
        let told = |names: &[&str]| {
            names.iter().any(|name| inner.get(*name).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty()))
        };
        let needed: [(&str, &[&str]); 4] = [
            ("license_key", &["license_key", "username"]),
            ("hardware_id", &["hardware_id"]),
            ("date", &["date"]),
            ("api_key", &["api_key", "client_id"]),
        ];
        let absent: Vec<&str> = needed.into_iter().filter_map(|(name, any)| (!told(any)).then_some(name)).collect();
        if !absent.is_empty() {
            return Err(unsaid(&absent.join(", ")));
        }
        let named = inner.get("request").and_then(Value::as_str);
        if named.is_some_and(|named| named != act.as_str()) {
            let message = format!("This file asks for another act than {}.", act.as_str());
            return Err(ApiError::bad("validation_error", message));
        }
        if named.is_none() && act == LicenseSpringAct::Activation {
            return Err(ApiError::bad("validation_error", "This file does not ask for an activation."));
        }
        Ok(FileRequest { bytes: self.0, door: "api", confirmed: true })
    }
}

fn too_large() -> ApiError {
    ApiError::new(413, "payload_too_large", "The body is larger than 64 KB, far more than any request file.")
}

fn missing(name: &str) -> ApiError {
    ApiError::bad("missing_parameters", format!("Some parameters are missing in the request: {name}"))
}

fn unsaid(names: &str) -> ApiError {
    ApiError::bad("authorization_missing_params", format!("Some parameters are missing in authorization: {names}"))
}
