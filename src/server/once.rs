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
use sha2::{Digest, Sha256};

use super::{
    AppState,
    forms::{is_request_id, pairs},
    guard,
    page::{act_problem, problem, see_other},
    session,
};
use crate::{
    app::portal::Problem,
    desk::{FormClaim, Visitor},
    licensing::files::base64,
};

/// Put into a response that is no redirect by a handler whose act is done: where the form leads when it is sent again.
#[derive(Clone, Copy)]
pub struct EndsAt(pub &'static str);

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
    // The same id over another body is another form: somebody went back, changed a field, and sends it again.
    let name = format!("{}\n{id}\n{}", parts.uri.path(), base64::url(&Sha256::digest(&body)));
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        match state.desk.claim_form(&visitor, &name).await {
            Ok(FormClaim::Mine) => {
                let request = Request::from_parts(parts, Body::from(body));
                return act(state, visitor, name, next, request).await;
            }
            Ok(FormClaim::Done(location)) => return see_other(&location),
            Ok(FormClaim::Running) => {}
            Err(error) => return act_problem(&state, error),
        }
        // Looked for by reading: whoever waits must not keep the writer busy.
        while waited < PATIENCE && matches!(state.desk.form_runs(&visitor, &name).await, Ok(true)) {
            tokio::time::sleep(STEP).await;
            waited += STEP;
        }
        waited += STEP;
    }
    problem(&state, Problem::Conflict)
}

/// Runs the handler to its end, whether or not the visitor still waits: a browser that goes away must not leave a form half remembered.
async fn act(state: AppState, visitor: Visitor, name: String, next: Next, request: Request) -> Response {
    let (desk, who, form) = (state.desk.clone(), visitor.clone(), name.clone());
    let running = tokio::spawn(async move {
        let response = next.run(request).await;
        let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        // Only what was done is remembered: a form that came back with a refusal may be sent again as it is.
        let ends_at = response.extensions().get::<EndsAt>().map(|ends_at| ends_at.0);
        let done = if response.status() == StatusCode::SEE_OTHER { location } else { ends_at };
        if let Err(error) = desk.finish_form(&who, &form, done).await {
            tracing::warn!(error = ?error, "The end of a form could not be remembered; sent again it would be acted on again.");
        }
        response
    });
    match running.await {
        Ok(response) => response,
        Err(panicked) => {
            if let Err(error) = state.desk.finish_form(&visitor, &name, None).await {
                tracing::warn!(error = ?error, "The claim of a form whose handler panicked could not be given back.");
            }
            guard::panicked(panicked.try_into_panic().unwrap_or_else(|_| Box::new("cancelled")))
        }
    }
}
