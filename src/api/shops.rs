//! What shops tell: by `QlmWebHookHandler`, where PayPal notifies, and at a secret address for shops that sign nothing. Failures have honest
//! statuses here, because shops send again what was not taken.

use std::net::SocketAddr;

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::post,
};

use super::qlm::reply;
use crate::{
    desk::{QlmCall, ShopAnswer, ShopCall, ShopRefused},
    licensing::qlm::{Args, ErrorCode},
    server::{AppState, limits::counted},
};

/// The longest body, in bytes.
const BODY_BYTES: usize = 256 * 1024;

pub fn routes() -> Router<AppState> {
    Router::new().route("/api/shops/{token}", post(by_address).layer(DefaultBodyLimit::max(BODY_BYTES)))
}

/// Headers that are text.
pub fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &axum::http::HeaderValue| value.to_str().ok().map(str::to_owned);
    headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?))).collect()
}

async fn by_address(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let from = state.address_of(peer, &headers);
    if let Err(refused) = state.desk.qlm_admitted(Some(from), None, "QlmWebHookHandler") {
        return reply::failure(StatusCode::FORBIDDEN, refused.code, &refused.message);
    }
    let from = Some(counted(from).to_string());
    let call = QlmCall { args: Args::default(), from, by_get: false, strict: None };
    let told = ShopCall { call, hook: Some(token), from_paypal: false, headers: texts(&headers), body: body.to_vec() };
    answer(&state, told).await
}

pub async fn answer(state: &AppState, told: ShopCall) -> Response {
    match state.desk.shop_told(told).await {
        Ok(Ok(ShopAnswer::Kept { failed: 0, .. })) => reply::text("Taken.".to_owned()),
        // It is kept, so it need not come again.
        Ok(Ok(ShopAnswer::Kept { .. })) => {
            reply::text("Kept. The vendor has to mend something before it can be acted on.".to_owned())
        }
        Ok(Ok(ShopAnswer::Receipt(text))) => reply::text(text),
        Ok(Ok(ShopAnswer::Keys(keys))) => reply::text(keys.join("\n")),
        // With the status of a success: the shop would ask again, and somebody has to mend something first.
        Ok(Ok(ShopAnswer::NoKeys(said))) => reply::text(format!("Error: {said}")),
        Ok(Err(ShopRefused::Who(refused))) => reply::failure(StatusCode::UNAUTHORIZED, refused.code, &refused.message),
        Ok(Err(ShopRefused::Unreadable(message))) => reply::failure(StatusCode::BAD_REQUEST, ErrorCode::BadFormat, &message),
        Ok(Err(ShopRefused::Later(message))) => reply::failure(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Blocked, &message),
        Err(fault) => {
            let mut response = reply::failed(fault);
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}
