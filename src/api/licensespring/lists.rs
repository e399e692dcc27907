//! Lists (§7.11, §7.13): `GET /products`, `GET /device_licenses`, `GET /customer_license_users`. The last two tell whoever has the
//! shared key more than an app needs, and are off unless the vendor switches them on.

use axum::{extract::State, response::Response};

use super::{ask::Asked, auth::Caller, error::ApiError, reply};
use crate::{
    licensing::{
        Email,
        files::licensespring::{BodyFacts, ListedUser, customer_users_body, device_license_row, product_row},
    },
    server::AppState,
};

pub async fn products(State(state): State<AppState>, Caller(app): Caller) -> Result<Response, ApiError> {
    let products = state.desk.products_app(&app).await?;
    reply::signed_rows(&state, products.iter().map(|(product, features)| product_row(product, features)).collect()).await
}

pub async fn device_licenses(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let licenses = state.desk.device_licenses_app(&app, &asked.hardware_id()?).await??;
    let now = state.desk.now();
    let rows = licenses.iter().map(|found| {
        device_license_row(&BodyFacts {
            product: &found.product,
            license: &found.license,
            activation: Some(&found.activation),
            short_code: found.product.code.as_str(),
            customer: found.customer.as_ref(),
            user: None,
            order: &found.order,
            now,
        })
    });
    reply::signed_rows(&state, rows.collect()).await
}

pub async fn customer_users(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let (product, email) = (asked.product()?, asked.required("customer")?);
    let email = Email::parse(email).map_err(|_| ApiError::bad("validation_error", "customer is no whole e-mail address."))?;
    let found = state.desk.customer_users_app(&app, &product, &email).await??;
    let users: Vec<ListedUser<'_>> = found
        .users
        .iter()
        .map(|(user, license, order_reference)| ListedUser {
            email: user.email.as_str(),
            is_initial_password: user.is_initial_password,
            seats: user.seats,
            seats_taken: user.seats_taken,
            license,
            order_reference,
        })
        .collect();
    reply::signed(&state, customer_users_body(&found.customer, &users)).await
}
