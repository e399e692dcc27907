//! Named users (§7.11): `POST /change_password`, `GET /user_licenses`.

use axum::{extract::State, response::Response};
use serde_json::Value;

use super::{ask::Asked, auth::Caller, error::ApiError, reply};
use crate::{
    desk::Principal,
    licensing::files::licensespring::{BodyFacts, BodyUser, user_license_body},
    server::AppState,
};

pub async fn change_password(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let [name, password, chosen] = ["username", "password", "new_password"].map(|name| asked.required(name));
    state.desk.change_password_app(&app, name?, password?, chosen?).await??;
    Ok(reply::word("password_changed"))
}

pub async fn licenses(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let (code, short_code) = (asked.product()?, asked.required("product")?);
    let found = match asked.sso()? {
        Some(signed_in) => state.desk.user_licenses_app(&app, &code, signed_in).await??,
        None => {
            let [name, password] = ["username", "password"].map(|name| asked.required(name).map(str::to_owned));
            let user = Principal::User { name: name?, password: Some(password?) };
            state.desk.user_licenses_app(&app, &code, user).await??
        }
    };
    let rows = found.iter().map(|found| {
        let user = BodyUser {
            id: found.user.id,
            email: found.user.email.to_string(),
            is_initial_password: found.user.is_initial_password,
            seats: found.user.seats,
            seats_taken: found.user.seats_taken,
        };
        Value::Object(user_license_body(&BodyFacts {
            product: &found.product,
            license: &found.license,
            activation: None,
            short_code,
            customer: None,
            user: Some(&user),
            order: &found.order,
            now: state.desk.now(),
        }))
    });
    reply::signed_rows(&state, rows.collect()).await
}
