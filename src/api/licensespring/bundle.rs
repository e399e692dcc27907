//! Bundles (§7.12): `POST /activate_bundle`, `GET /check_bundle`, `POST /deactivate_bundle`. The product of a call is the bundle's code;
//! the answer is a license of each of its products under one signature.

use axum::{extract::State, response::Response};
use serde_json::Value;

use super::{
    activate::{facts_of, principal, tail},
    ask::Asked,
    auth::Caller,
    error::ApiError,
    reply,
    versions::wanted,
};
use crate::{
    desk::AppLicense,
    licensing::files::licensespring::{BodySlot, activation_body, check_body},
    server::AppState,
};

pub async fn activate(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let parts = state.desk.activate_bundle_app(&app, asked.ask()?).await??;
    let mut rows = Vec::with_capacity(parts.len());
    for part in &parts {
        let body = activation_body(&facts_of(part, code(part), &state));
        let (key, device) = (part.facts.app_key.as_deref(), asked.required("hardware_id")?);
        rows.push(reply::with_signature(&state, key, body, device, principal(&asked, part)?, tail(&asked)?).await?);
    }
    reply::signed_rows(&state, rows.into_iter().map(Value::Object).collect()).await
}

pub async fn check(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let parts = state.desk.check_bundle_app(&app, asked.ask()?).await??;
    let with_expired = asked.flag("include_expired_features").unwrap_or(false);
    let mut rows = Vec::with_capacity(parts.len());
    for part in &parts {
        let newest = wanted(&part.releases, &asked)?.next();
        let slot = part.slot.map(|(hold, in_use)| BodySlot { in_use, borrowed_until: hold.borrowed_until() });
        let body = check_body(&facts_of(part, code(part), &state), with_expired, newest, slot);
        let (key, device) = (part.facts.app_key.as_deref(), asked.required("hardware_id")?);
        rows.push(reply::with_signature(&state, key, body, device, principal(&asked, part)?, []).await?);
    }
    reply::signed_rows(&state, rows.into_iter().map(Value::Object).collect()).await
}

pub async fn deactivate(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    state.desk.deactivate_bundle_app(&app, asked.ask()?).await??;
    Ok(reply::word("license_deactivated"))
}

/// Each part goes by its own product's code: a call names the bundle's.
fn code(part: &AppLicense) -> &str {
    part.facts.product.code.as_str()
}
