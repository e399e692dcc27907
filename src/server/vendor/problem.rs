//! Problems met by signed-in staff: drawn among their own pages, so that the way on is in sight.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use leptos::prelude::*;

use super::common::draw;
use crate::{
    app::{portal::Problem, vendor::VendorProblemPage},
    server::{AppState, session},
};

/// Draws the page of a problem anew when a member of staff is to read it. Whoever answers with a problem need not know who asks.
pub async fn for_staff(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let token = if path.starts_with("/vendor") { session::token(request.headers()) } else { None };
    let response = next.run(request).await;
    let (Some(token), Some(problem)) = (token, response.extensions().get::<Problem>().cloned()) else { return response };
    // Without an answer about the session the page stays as it is.
    let Ok(Some(visitor)) = state.desk.visitor(&token).await else { return response };
    let problem = match problem {
        // The only file staff sends is the logo.
        Problem::TooLarge { .. } if path == "/vendor/settings" => Problem::PictureTooLarge,
        other => other,
    };
    draw(&state, response.status(), &visitor, "", |vendor| view! { <VendorProblemPage vendor=vendor problem=problem/> })
}
