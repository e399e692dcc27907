//! Quick License Manager's HTTP methods, as shops, sites and apps call them (compatible with it, not affiliated). Any prefix, any case,
//! GET and POST; the section numbers are those of `spec/qlm-http.md`.

mod methods;
pub(super) mod reply;

use std::{net::SocketAddr, panic::AssertUnwindSafe};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, FromRequest, Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use futures::FutureExt as _;

use crate::{
    api::shops,
    desk::{QlmCall, ShopCall},
    licensing::qlm::{Args, ErrorCode, strict::StrictToken},
    server::{AppState, forms::pairs, portal::foreign},
};

/// Where PayPal notifies, and where other shops do.
const PAYPAL: &str = "qlmpaypalipn.aspx";
const WEBHOOK: &str = "qlmwebhookhandler";

/// The longest body, in bytes.
const BODY_BYTES: usize = 256 * 1024;

/// Answers what is for one of these methods, and passes on everything else.
pub async fn front(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match method_of(request.uri().path()) {
        // A shop takes for a key whatever does not say that it failed.
        Some(method) => match AssertUnwindSafe(answer(&state, &method, request)).catch_unwind().await {
            Ok(response) => response,
            Err(_) => reply::panicked(),
        },
        None => match pages(request.method(), request.uri()) {
            Some(page) => page,
            // The same for what is no method at all, where methods are.
            None if is_among_methods(request.uri().path()) => {
                let message = "There is no method at this address. Write its name behind qlmservice.asmx/, such as PingHttp.";
                reply::failure(StatusCode::NOT_FOUND, ErrorCode::BadFormat, message)
            }
            None => next.run(request).await,
        },
    }
}

/// Our page for one of QLM's customer site. An address that is opened leads there; none is posted to.
fn pages(method: &Method, uri: &axum::http::Uri) -> Option<Response> {
    (*method == Method::GET).then(|| foreign::ours(uri.path(), uri.query().unwrap_or_default())).flatten()
}

/// The method a path names, in lower case (§1): what stands before `qlmservice.asmx` is any folder, as on the server that was here before.
fn method_of(path: &str) -> Option<String> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut parts = path.rsplit('/');
    let (method, place) = (parts.next()?, parts.next()?);
    let is = |part: Option<&str>, name: &str| part.is_some_and(|part| part.eq_ignore_ascii_case(name));
    let newer = |api: Option<&str>| is(api, "api");
    if place.eq_ignore_ascii_case("qlmregistration.asmx") && method.eq_ignore_ascii_case("register") {
        return Some("qlmregistration.asmx/register".to_owned());
    }
    if method.eq_ignore_ascii_case("qlmpaypalipn.aspx")
        || (place.eq_ignore_ascii_case("paypalipn") && method.eq_ignore_ascii_case("notify"))
    {
        return Some(PAYPAL.to_owned());
    }
    let ours = match place {
        _ if place.eq_ignore_ascii_case("qlmservice.asmx") => true,
        _ if place.eq_ignore_ascii_case("qlmapi") => is(parts.next(), "v1") && newer(parts.next()),
        _ if place.eq_ignore_ascii_case("webservice") => newer(parts.next()) && is(parts.next(), "qlmlicenseservernetcore"),
        _ => false,
    };
    (ours && !method.is_empty() && method.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| method.to_ascii_lowercase())
}

fn is_among_methods(path: &str) -> bool {
    path.split('/')
        .any(|part| ["qlmservice.asmx", "qlmapi", "qlmregistration.asmx"].iter().any(|name| part.eq_ignore_ascii_case(name)))
}

async fn answer(state: &AppState, method: &str, request: Request) -> Response {
    let asked = request.method().clone();
    if asked != Method::GET && asked != Method::POST {
        let mut response =
            reply::failure(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadFormat, "Methods are called by GET or by POST.");
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, POST"));
        return response;
    }
    // A browser that looks ahead asks for nothing.
    if request.headers().get("sec-purpose").is_some_and(|purpose| purpose.as_bytes().starts_with(b"prefetch")) {
        return reply::failure(StatusCode::FORBIDDEN, ErrorCode::Blocked, "This address acts, so it is not fetched ahead.");
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
    let from = peer.map(|peer| state.address_of(peer, request.headers()));
    let country = peer.and_then(|peer| state.country_of(peer, request.headers()));
    let query = pairs(request.uri().query().unwrap_or_default().as_bytes());
    if let Err(refused) = state.desk.qlm_admitted(from, country.as_deref(), method) {
        if [PAYPAL, WEBHOOK].contains(&method) {
            return reply::failure(StatusCode::FORBIDDEN, refused.code, &refused.message);
        }
        // Of a body nothing is read, so it is signed where the address names a product.
        let call = QlmCall { args: Args::merge(query, Vec::new()), from: None, by_get: asked == Method::GET, strict: None };
        return reply::refused(state, &call, refused).await;
    }
    let from = from.map(|from| crate::server::limits::counted(from).to_string());
    let strict = strict_token(state, &request);
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // Shops that say nothing of what they send, send forms.
    let is_form = kind.is_empty() || kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded");
    let tells = [PAYPAL, WEBHOOK].contains(&method);
    let headers = if tells { shops::texts(request.headers()) } else { Vec::new() };
    let (mut body, mut raw) = (Vec::new(), Bytes::new());
    if asked == Method::POST {
        let request = request.map(|body| axum::body::Body::new(http_body_util::Limited::new(body, BODY_BYTES)));
        match Bytes::from_request(request, state).await {
            // What a shop tells is read by its map.
            Ok(bytes) if tells => raw = bytes,
            Ok(bytes) if is_form => body = pairs(&bytes),
            Ok(_) => {}
            Err(_) => {
                return reply::failure(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    ErrorCode::BadFormat,
                    "The body is larger than 256 KB, or broke off.",
                );
            }
        }
    }
    let call = QlmCall { args: Args::merge(query, body), from, by_get: asked == Method::GET, strict };
    if tells {
        let told = ShopCall { call, hook: None, from_paypal: method == PAYPAL, headers, body: raw.to_vec() };
        return shops::answer(state, told).await;
    }
    let bom = call.args.flag("is_writebom").ok().flatten().unwrap_or(state.desk.settings().qlm.write_bom);
    reply::with_bom(methods::run(state, method, call).await, bom)
}

/// The signature over the call itself (§3): under the address this server is configured with, and the one it was called by.
fn strict_token(state: &AppState, request: &Request) -> Option<StrictToken> {
    let text = |value: &header::HeaderValue| value.to_str().ok().map(str::to_owned);
    let headers: Vec<(String, String)> =
        request.headers().iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?))).collect();
    let address = request.uri().path_and_query().map_or("/", |address| address.as_str());
    let own = format!("{}{address}", state.config.public_url.trim_end_matches('/'));
    let host = request.headers().get(header::HOST).and_then(text);
    let called = host.map(|host| ["https", "http"].map(|scheme| format!("{scheme}://{host}{address}"))).into_iter().flatten();
    StrictToken::read(&headers, [own].into_iter().chain(called).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_found_under_any_folder_and_in_any_case() {
        for path in [
            "/qlm/qlmservice.asmx/PingHttp",
            "/QlmService.asmx/PINGHTTP",
            "/a/b/c/d/QLMSERVICE.ASMX/pinghttp",
            "/x/QlmLicenseServerNetCore/api/v1/QlmApi/PingHttp",
            "/qlmlicenseservernetcore/API/webservice/pinghttp",
            "/qlm/qlmservice.asmx/PingHttp/",
        ] {
            assert_eq!(method_of(path).as_deref(), Some("pinghttp"), "{path}");
        }
        for path in [
            "/",
            "/qlmservice.asmx",
            "/qlmservice.asmx/",
            "/qlm/PingHttp",
            "/api/v1/other/PingHttp",
            "/api/v4/webservice/x",
            "/qlmservice.asmx/a/b",
            "/qlmservice.asmx/a%20b",
        ] {
            assert_eq!(method_of(path), None, "{path}");
        }
    }
}
