//! LicenseSpring's License API v4, as its published clients speak it (compatible with it, not affiliated): `/api/v4`. Requests are
//! signed by HMAC over their date alone, answers by RSA over their exact bytes.

mod activate;
mod ask;
mod auth;
mod bundle;
mod check;
mod error;
mod floating;
mod lists;
mod oauth;
mod offline;
mod openapi;
mod product;
mod reply;
mod sso;
mod trial;
mod usage;
mod users;
mod variables;
mod versions;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, Uri},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};

use crate::server::AppState;
use error::ApiError;

/// Bodies hold names, keys and a few variables.
const BODY_BYTES: usize = 64 * 1024;

/// Cookies mean nothing here, and another site's posts carry no key: so these routes stand beside the check of origins.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v4/activate_license", post(activate::activate))
        .route("/api/v4/deactivate_license", post(activate::deactivate))
        .route("/api/v4/check_license", get(check::check))
        .route("/api/v4/activate_offline", post(offline::activate))
        .route("/api/v4/deactivate_offline", post(offline::deactivate))
        .route("/api/v4/check_license_feature", get(usage::check_feature))
        .route("/api/v4/add_consumption", post(usage::consume))
        .route("/api/v4/add_feature_consumption", post(usage::consume_feature))
        .route("/api/v4/floating/release", post(floating::release))
        .route("/api/v4/floating/borrow", post(floating::borrow))
        .route("/api/v4/floating/feature_release", post(floating::release_feature))
        .route("/api/v4/floating/feature_borrow", post(floating::borrow_feature))
        .route("/api/v4/track_device_variables", post(variables::track))
        .route("/api/v4/get_device_variables", get(variables::get))
        .route("/api/v4/change_password", post(users::change_password))
        .route("/api/v4/user_licenses", get(users::licenses))
        .route("/api/v4/activate_bundle", post(bundle::activate))
        .route("/api/v4/check_bundle", get(bundle::check))
        .route("/api/v4/deactivate_bundle", post(bundle::deactivate))
        .route("/api/v4/activate_bundle_offline", post(offline::activate_bundle))
        .route("/api/v4/deactivate_bundle_offline", post(offline::deactivate_bundle))
        .route("/api/v4/sso_url", get(sso::url))
        .route("/api/v4/oauth_url", get(oauth::url))
        .route(oauth::PATHS[0], post(oauth::token))
        .route(oauth::PATHS[1], post(oauth::token))
        .route("/api/v4/products", get(lists::products))
        .route("/api/v4/device_licenses", get(lists::device_licenses))
        .route("/api/v4/customer_license_users", get(lists::customer_users))
        .route("/api/v4/trial_key", get(trial::key))
        .route("/api/v4/versions", get(versions::list))
        .route("/api/v4/installation_file", get(versions::file))
        .route("/api/v4/product_details", get(product::details))
        .route("/api/v4/openapi.json", get(openapi::document))
        .route("/api/v4", any(unknown))
        .route("/api/v4/", any(unknown))
        .route("/api/v4/{*rest}", any(unknown))
        .method_not_allowed_fallback(unknown)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
}

async fn unknown(method: Method, uri: Uri) -> Response {
    let message = format!("{method} {} is no endpoint of this API.", uri.path());
    ApiError::new(404, "not_found", message).into_response()
}
