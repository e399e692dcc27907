//! Counters and features (§7.4, §7.5): `POST /add_consumption`, `POST /add_feature_consumption`, `GET /check_license_feature`.

use axum::{extract::State, http::HeaderMap, response::Response};

use super::{ask::Asked, auth::Caller, error::ApiError, reply};
use crate::{
    desk::{AppRefusal, Spending},
    licensing::{
        files::licensespring::{consumption_body, feature_body, feature_consumption_body},
        license::Limit,
    },
    server::AppState,
};

/// A name for a call that comes twice is a UUID or a hash.
const NAME_BYTES: usize = 255;

pub async fn consume(
    State(state): State<AppState>,
    Caller(app): Caller,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response, ApiError> {
    let spending = spending(&asked, &headers, None)?;
    let spent = state.desk.spend_app(&app, asked.ask()?, spending).await??;
    reply::signed(&state, consumption_body(&spent.license)).await
}

pub async fn consume_feature(
    State(state): State<AppState>,
    Caller(app): Caller,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response, ApiError> {
    let code = asked.required("feature")?;
    let spending = spending(&asked, &headers, Some(code))?;
    let spent = state.desk.spend_app(&app, asked.ask()?, spending).await??;
    let body = feature_consumption_body(&spent.product, &spent.license, code).ok_or(AppRefusal::UnknownFeature)?;
    reply::signed(&state, body).await
}

pub async fn check_feature(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let code = asked.required("feature")?;
    let found = state.desk.check_feature_app(&app, asked.ask()?, code).await??;
    let metadata_string = asked.flag("include_metadata_string").unwrap_or(false);
    let body = feature_body(&found.facts.license, code, metadata_string, found.slot.map(|(_, in_use)| in_use))
        .ok_or(AppRefusal::UnknownFeature)?;
    reply::signed(&state, body).await
}

/// The amount, and how much overage the caller allows itself: `allow_overages` beside a `max_overages` of 0 is as much as there is.
fn spending(asked: &Asked, headers: &HeaderMap, feature: Option<&str>) -> Result<Spending, ApiError> {
    let amount = asked.number("consumptions")?.unwrap_or(1);
    let most = asked.number("max_overages")?;
    let most = most.map(|most| u32::try_from(most).map_err(|_| ApiError::bad("validation_error", "max_overages counts from 0.")));
    let overage = match (asked.flag("allow_overages"), most.transpose()?) {
        (Some(false), _) => Some(Limit::AtMost(0)),
        (Some(true), None | Some(0)) | (None, None) => None,
        (_, Some(most)) => Some(Limit::AtMost(most)),
    };
    let once = headers.get("idempotency-key").map(|value| value.to_str().unwrap_or_default().trim());
    if once.is_some_and(|name| name.is_empty() || name.len() > NAME_BYTES) {
        return Err(ApiError::bad("validation_error", "An Idempotency-Key has 1 to 255 visible ASCII characters."));
    }
    Ok(Spending { feature: feature.map(str::to_owned), amount, overage, once: once.map(str::to_owned) })
}
