//! `GET /check_license` (§7.3): is this machine's license good now? One read, and a signature only where something has changed.

use axum::{extract::State, response::Response};

use super::{
    activate::{facts, principal},
    ask::Asked,
    auth::Caller,
    error::ApiError,
    reply,
    versions::wanted,
};
use crate::{
    licensing::files::licensespring::{BodySlot, check_body},
    server::AppState,
};

pub async fn check(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let ask = asked.ask()?;
    let found = state.desk.check_app(&app, ask).await??;
    let with_expired = asked.flag("include_expired_features").unwrap_or(false);
    let newest = wanted(&found.releases, &asked)?.next();
    let slot = found.slot.map(|(hold, in_use)| BodySlot { in_use, borrowed_until: hold.borrowed_until() });
    let body = check_body(&facts(&found, &asked, &state)?, with_expired, newest, slot);
    let hardware_id = asked.required("hardware_id")?;
    reply::signed_license(&state, found.facts.app_key.as_deref(), body, hardware_id, principal(&asked)?, []).await
}
