//! `GET /trial_key` (§7.7): the trial of a machine, begun now or before.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, State},
    http::HeaderMap,
    response::Response,
};

use super::{ask::Asked, auth::Caller, error::ApiError, reply};
use crate::{
    desk::{AppRefusal, TrialAsk},
    licensing::{
        Email,
        files::licensespring::{TrialFacts, trial_again_body, trial_body},
    },
    server::AppState,
};

/// What makes a customer of whoever asks; the rest is passed over, because only an address and a name are kept.
const NAMES: [&str; 2] = ["first_name", "last_name"];

pub async fn key(
    State(state): State<AppState>,
    Caller(app): Caller,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response, ApiError> {
    let product = asked.product()?;
    let device = asked.hardware_id()?;
    let email = asked.text("email")?.map(Email::parse).transpose();
    let email = email.map_err(|_| ApiError::bad("validation_error", "email is no whole e-mail address."))?;
    let mut names = Vec::new();
    for name in NAMES {
        names.extend(asked.text(name)?.map(str::trim));
    }
    let customer_name: String = names.join(" ").chars().filter(|c| !crate::licensing::text::is_hidden(*c)).take(128).collect();
    let ask = TrialAsk {
        product,
        device,
        email,
        customer_name,
        password: asked.text("password")?.map(str::to_owned),
        policy: asked.text("license_policy")?.map(str::to_owned),
    };
    // Each new trial is a license that stays: nobody makes them by the thousand.
    if !state.allows_activation(state.address_of(peer, &headers)) {
        return Err(AppRefusal::TooMany { seconds: 60 }.into());
    }
    let trial = state.desk.trial_app(&app, ask).await??;
    let facts = TrialFacts {
        product: &trial.product,
        license: &trial.license,
        user: trial.user.as_ref().map(|user| (user.id, user.email.as_str())),
        initial_password: trial.initial_password.as_deref().unwrap_or_default(),
    };
    reply::signed(&state, if trial.is_new { trial_body(&facts) } else { trial_again_body(&facts) }).await
}
