//! Device variables (§7.10): `POST /track_device_variables`, `GET /get_device_variables`.

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::{ask::Asked, auth::Caller, error::ApiError, reply};
use crate::server::AppState;

pub async fn track(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    if !matches!(asked.0.get("variables"), Some(Value::Object(_))) {
        return Err(ApiError::bad("missing_parameters", "Some parameters are missing in the request: variables"));
    }
    let tracked = state.desk.track_app(&app, asked.ask()?).await??;
    let rows = tracked.into_iter().map(|kept| {
        json!({ "variable": kept.name, "value": kept.value, "device_id": kept.activation.0, "created_at": kept.changed.millis() })
    });
    reply::signed_rows(&state, rows.collect()).await
}

pub async fn get(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let kept = state.desk.variables_app(&app, asked.ask()?).await??;
    let rows = kept.into_iter().map(|kept| {
        json!({
            "id": kept.id, "created_at": kept.changed.to_rfc3339(), "variable": kept.name, "value": kept.value,
            "device_id": kept.activation.0,
        })
    });
    reply::signed_rows(&state, rows.collect()).await
}
