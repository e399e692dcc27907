//! The vendor's pages: each handler knows who asks, calls one act, and draws a page or redirects.

use axum::Router;

use super::AppState;

pub fn routes(state: &AppState, form_kib: u32) -> Router<AppState> {
    let _ = (state, form_kib);
    Router::new()
}
