//! Slots of floating licenses and features (§7.6): `POST /floating/release`, `/floating/borrow`, `/floating/feature_release`,
//! `/floating/feature_borrow`. A slot is taken by a check.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use super::{ask::Asked, auth::Caller, error::ApiError, reply};
use crate::{
    licensing::{Timestamp, files::licensespring::company},
    server::AppState,
};

pub async fn release(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    // A slot that ended meanwhile is given back too: an app says good-bye however long it was silent.
    state.desk.release_slot_app(&app, asked.ask()?, None).await??;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "text/plain")], "").into_response())
}

pub async fn release_feature(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let feature = asked.required("feature")?.to_owned();
    if state.desk.release_slot_app(&app, asked.ask()?, Some(feature)).await?? {
        return Ok(reply::word("feature_released"));
    }
    Err(ApiError::bad("floating_feature_device_not_in_use", "This machine has no slot of this feature."))
}

pub async fn borrow(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    borrowed(&state, &app, &asked, None).await
}

pub async fn borrow_feature(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let feature = asked.required("feature")?.to_owned();
    borrowed(&state, &app, &asked, Some(feature)).await
}

async fn borrowed(
    state: &AppState,
    app: &crate::desk::App,
    asked: &Asked,
    feature: Option<String>,
) -> Result<Response, ApiError> {
    let ask = asked.ask()?;
    let until = match asked.0.get("borrowed_until") {
        None => {
            return Err(ApiError::bad("missing_parameters", "Some parameters are missing in the request: borrowed_until"));
        }
        // As long as may be.
        Some(Value::Null) => None,
        Some(value) => {
            let wrong =
                || ApiError::bad("borrow_until_not_valid", "borrowed_until is a time in UTC, as 2026-09-27T23:30:00.000Z.");
            Some(value.as_str().and_then(|text| Timestamp::from_utc_text(text).ok()).ok_or_else(wrong)?)
        }
    };
    let borrowed = state.desk.borrow_app(app, ask, feature, until).await??;
    let mut body = Map::new();
    for (name, value) in [
        ("borrowed_until", Value::from(borrowed.until.to_rfc3339())),
        ("max_borrow_time", borrowed.borrow_hours.into()),
        ("device_id", borrowed.device_id.into()),
        ("license_id", borrowed.license_id.into()),
        ("company", company()),
    ] {
        body.insert(name.to_owned(), value);
    }
    reply::signed(state, body).await
}
