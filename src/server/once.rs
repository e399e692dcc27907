//! A form that is sent twice is acted on once: the second sending, by a double click, a retry or the browser's "back", gets the answer
//! of the first. Forms carry a hidden id for this.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::Response,
};

use super::{
    AppState,
    forms::{is_request_id, pairs},
    page::{act_problem, problem, see_other},
    session,
};
use crate::{app::portal::Problem, desk::FormClaim};

/// How long the second sending waits for the first to be answered.
const PATIENCE: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(50);

/// Stands before the forms of staff. What carries no id, or no session, is acted on as it comes. `most` is the route's limit in bytes.
pub async fn once(State((state, most)): State<(AppState, usize)>, request: Request, next: Next) -> Response {
    let urlencoded = |request: &Request| {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        kind.starts_with("application/x-www-form-urlencoded")
    };
    if request.method() != Method::POST || !urlencoded(&request) {
        return next.run(request).await;
    }
    let visitor = match session::token(request.headers()) {
        Some(token) => match state.desk.visitor(&token).await {
            Ok(visitor) => visitor,
            Err(error) => return act_problem(&state, error),
        },
        None => None,
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, most).await else { return problem(&state, Problem::NotUnderstood) };
    let id = pairs(&body).into_iter().find(|(name, value)| name == "request_id" && is_request_id(value)).map(|(_, id)| id);
    let (Some(visitor), Some(id)) = (visitor, id) else {
        return next.run(Request::from_parts(parts, Body::from(body))).await;
    };
    let name = format!("{}\n{id}", parts.uri.path());
    let mut waited = Duration::ZERO;
    loop {
        match state.desk.claim_form(&visitor, &name).await {
            Ok(FormClaim::Mine) => break,
            Ok(FormClaim::Done(location)) => return see_other(&location),
            Ok(FormClaim::Running) if waited < PATIENCE => {
                tokio::time::sleep(STEP).await;
                waited += STEP;
            }
            Ok(FormClaim::Running) => return problem(&state, Problem::Conflict),
            Err(error) => return act_problem(&state, error),
        }
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    // Only what was done is remembered: a form that came back with a refusal may be sent again as it is.
    let done = if response.status() == StatusCode::SEE_OTHER { location } else { None };
    if let Err(error) = state.desk.finish_form(&visitor, &name, done).await {
        tracing::warn!(error = ?error, "The end of a form could not be remembered; sent again it would be acted on again.");
    }
    response
}
