//! `POST /activate_license`, `POST /deactivate_license` (§7.1, §7.2).

use axum::{extract::State, response::Response};
use serde_json::Value;

use super::{ask::Asked, auth::Caller, error::ApiError, reply};
use crate::{
    desk::AppLicense,
    licensing::files::licensespring::{BodyFacts, activation_body},
    server::AppState,
};

pub async fn activate(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let ask = asked.ask()?;
    let found = state.desk.activate_app(&app, ask).await??;
    let hardware_id = asked.required("hardware_id")?;
    let principal = principal(&asked, &found)?;
    let body = activation_body(&facts(&found, &asked, &state)?);
    reply::signed_license(&state, found.facts.app_key.as_deref(), body, hardware_id, principal, tail(&asked)?).await
}

/// What an activation repeats of its request, behind the license's own signature.
pub fn tail(asked: &Asked) -> Result<Vec<(&'static str, Value)>, ApiError> {
    let mut tail = vec![("request", Value::from("activation"))];
    if let (None, Some(name)) = (asked.text("license_key")?, asked.text("username")?) {
        tail.push(("username", name.into()));
    }
    tail.push(("hardware_id", asked.required("hardware_id")?.into()));
    Ok(tail)
}

pub async fn deactivate(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let ask = asked.ask()?;
    state.desk.deactivate_app(&app, ask).await??;
    Ok(reply::word("license_deactivated"))
}

/// Who the license is for, which `license_signature` covers: as the request spelt it, or whom a sign-in turned out to be.
pub fn principal<'a>(asked: &'a Asked, found: &'a AppLicense) -> Result<&'a str, ApiError> {
    let said = match asked.text("license_key")? {
        Some(key) => Some(key),
        None => asked.text("username")?,
    };
    Ok(said.unwrap_or_else(|| found.user.as_ref().map(|user| user.email.as_str()).unwrap_or_default()))
}

/// What a body is made of.
pub fn facts<'a>(found: &'a AppLicense, asked: &'a Asked, state: &AppState) -> Result<BodyFacts<'a>, ApiError> {
    // Clients compare the code to the letter.
    Ok(facts_of(found, asked.required("product")?, state))
}

pub fn facts_of<'a>(found: &'a AppLicense, short_code: &'a str, state: &AppState) -> BodyFacts<'a> {
    BodyFacts {
        product: &found.facts.product,
        license: &found.facts.license,
        activation: Some(&found.activation),
        short_code,
        customer: found.customer.as_ref(),
        user: found.user.as_ref(),
        order: found.facts.order.as_deref().unwrap_or_default(),
        now: state.desk.now(),
    }
}
