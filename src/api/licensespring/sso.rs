//! Where the people of a customer account sign in (§7.11): `GET /sso_url`.

use axum::{extract::State, response::Response};
use serde_json::{Map, Value, json};

use super::{ask::Asked, auth::Caller, error::ApiError, reply};
use crate::server::AppState;

pub async fn url(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let (product, account) = (asked.product()?, asked.required("customer_account_code")?);
    let with_code = match asked.text("response_type")?.unwrap_or("token") {
        "token" => false,
        "code" => true,
        _ => return Err(ApiError::bad("validation_error", "response_type is token or code.")),
    };
    let back = asked.text("redirect_uri")?;
    let start = state.desk.sso_url_app(&app, &product, account, with_code, back).await??;
    let described = json!({
        "issuer": start.issuer,
        "end_session_endpoint": start.end_session_endpoint,
        "token_endpoint": start.token_endpoint,
        "introspection_endpoint": start.introspection_endpoint,
    });
    let members: [(&str, Value); 2] = [("url", start.url.into()), ("openid_configuration", described)];
    reply::signed(&state, Map::from_iter(members.map(|(name, value)| (name.to_owned(), value)))).await
}
