//! The vendor's front page: what needs someone's attention.

use axum::{extract::State, http::StatusCode, response::Response};
use leptos::prelude::*;

use super::{common::draw, records};
use crate::{
    app::{
        ui::Tone,
        vendor::{Attention, HomeView, Tally, VendorHomePage},
    },
    desk::{Area, Level},
    server::{AppState, page::act_problem, session::Staff, site},
    store::AttemptFilter,
};

pub async fn show(State(state): State<AppState>, Staff(visitor): Staff) -> Response {
    let tallies = match state.desk.tallies(&visitor).await {
        Ok(tallies) => tallies,
        Err(error) => return act_problem(&state, error),
    };
    let refused = match state.desk.refusals(&visitor, &AttemptFilter { limit: 5, ..AttemptFilter::default() }).await {
        Ok(page) => page.rows,
        Err(error) => return act_problem(&state, error),
    };
    let now = state.desk.now();
    // The list stands beside the figure of the same seven days.
    let week_ago = now.plus_days(-7);
    let refused = refused.iter().filter(|found| found.what.at >= week_ago);
    let mut attention = Vec::new();
    if !site::is_built() {
        attention.push(Attention {
            tone: Tone::Caution,
            text: "The browser's part of the portal is missing from this build: pages work, but files are not checked before they are sent.".to_owned(),
            link: None,
        });
    }
    if state.desk.settings().support.is_none() {
        attention.push(Attention {
            tone: Tone::Info,
            text: "Customers who are stuck have nobody to ask: there is no support address yet.".to_owned(),
            link: visitor
                .needs(Area::Settings, Level::Manage)
                .is_ok()
                .then(|| ("Add one".to_owned(), "/vendor/settings".to_owned())),
        });
    }
    let tally = |label: &str, figure, href: &str| Tally { label: label.to_owned(), figure, href: Some(href.to_owned()) };
    let view = HomeView {
        attention,
        tallies: vec![
            tally("licenses", tallies.licenses, "/vendor/licenses"),
            Tally { label: "seats taken".to_owned(), figure: tallies.seats, href: None },
            tally("end within 30 days", tallies.ending_month, "/vendor/licenses?state=ending&sort=expires"),
            tally("refused in 7 days", tallies.refusals_week, "/vendor/refusals"),
        ],
        refusals: refused.map(records::refusal_row).collect(),
        has_products: tallies.products > 0,
        has_licenses: tallies.licenses > 0,
        now,
    };
    draw(&state, StatusCode::OK, &visitor, "", |vendor| view! { <VendorHomePage vendor=vendor view=view/> })
}

/// Every part on one page, for those who work on them.
#[cfg(debug_assertions)]
pub async fn parts(State(state): State<AppState>, Staff(visitor): Staff) -> Response {
    let now = state.desk.now();
    draw(&state, StatusCode::OK, &visitor, "", |vendor| view! { <crate::app::vendor::PartsPage vendor=vendor now=now/> })
}
