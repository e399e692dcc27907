//! `GET /check_license` (§7.3): is this machine's license good now? One read, and a signature only where something has changed.

use axum::{
    extract::{FromRequest as _, FromRequestParts as _, Request, State},
    response::Response,
};

use super::{
    activate::{facts, principal},
    ask::Asked,
    auth::{KeyedCaller, asked_before},
    error::ApiError,
    reply,
    versions::wanted,
};
use crate::{
    desk::Recalled,
    licensing::files::licensespring::{BodySlot, check_body},
    server::AppState,
};

pub async fn check(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let marks = match asked_before(&parts.headers, &query, &state) {
        Some(before) => match state.desk.recall(&before).await? {
            Recalled::Same(text, signature) => return Ok(reply::with_header(text, &signature)),
            Recalled::Marks(marks) => Some(marks),
            Recalled::Nothing => None,
        },
        None => None,
    };
    let KeyedCaller { app, shared_key } = KeyedCaller::from_request_parts(&mut parts, &state).await?;
    let asked = Asked::from_request(Request::from_parts(parts, body), &state).await?;
    let ask = asked.ask()?;
    let began = state.desk.now();
    let found = state.desk.check_app(&app, ask).await??;
    let with_expired = asked.flag("include_expired_features").unwrap_or(false);
    let newest = wanted(&found.releases, &asked)?.next();
    let slot = found.slot.map(|(hold, in_use)| BodySlot { in_use, borrowed_until: hold.borrowed_until() });
    let body = check_body(&facts(&found, &asked, &state)?, with_expired, newest, slot);
    let hardware_id = asked.required("hardware_id")?;
    let key = found.facts.app_key.as_deref();
    let (text, signature) = reply::license_text(&state, key, body, hardware_id, principal(&asked, &found)?, []).await?;
    if let Some(shared_key) = shared_key {
        state.desk.keep_check((app.id(), shared_key), &query, (&found, began), marks, (&text, &signature));
    }
    Ok(reply::with_header(text, &signature))
}
