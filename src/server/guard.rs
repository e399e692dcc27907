//! What stands before every handler: headers, the origin of posts, the size of bodies, panics.

use std::net::SocketAddr;

use axum::{
    body::{Body, HttpBody},
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use http_body_util::BodyExt;

use super::{AppState, page::problem, portal::offline, session::has_session_cookie};
use crate::app::portal::Problem;

/// Headers of every answer. `same-origin` keeps the Referer that plain forms of the same site need, and gives it to nobody else.
pub async fn headers(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("permissions-policy", HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"));
    if state.config.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}

/// Refuses a post that another site sent. Browsers say where it comes from; a program without a browser's headers passes only
/// while it carries no session.
pub async fn same_origin(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || comes_from_here(request.headers(), &state.config.public_url) {
        return next.run(request).await;
    }
    // The route and not the path: some paths are secrets.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    tracing::info!(route, "A post from another site was refused.");
    problem(&state, Problem::OtherSite)
}

/// What a customer's form does, by the name the vendor's rules know it by. Forms that are not named here ask for themselves.
const DOES: [(&str, &str); 6] = [
    ("/activate", "ActivateKey"),
    ("/activate/code", "RequestAuthorizationCodeForActivationHttp"),
    ("/activate/code/confirm", "ActivateKeyByAuthorizationCodeHttp"),
    ("/offline", "ActivateKey"),
    ("/offline/answer", "ActivateKey"),
    // By no method: what is blocked altogether is blocked here as well.
    ("/lost-key", ""),
];

/// Refuses what a customer sends from an address or a country that the vendor blocks. Pages are shown to anybody.
pub async fn admitted(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let done = DOES.iter().find(|(path, _)| *path == request.uri().path());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
    if let (Some((_, act)), Some(peer), &Method::POST) = (done, peer, request.method()) {
        let country = state.country_of(peer, request.headers());
        let from = state.address_of(peer, request.headers());
        if let Err(refused) = state.desk.qlm_admitted(Some(from), country.as_deref(), act) {
            // The workbench reads its answer.
            if request.uri().path() == "/offline/answer" {
                return offline::not_from_here(&refused.message);
            }
            return problem(&state, Problem::FromHere { why: refused.message });
        }
    }
    next.run(request).await
}

fn comes_from_here(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    match text(header::ORIGIN) {
        Some(origin) => {
            let host = text(header::HOST).unwrap_or_default();
            let (scheme, origin_host) = origin.split_once("://").unwrap_or_default();
            // Where the portal is served over https, the same host over http is another site: anyone on the way can speak as it.
            let weaker = scheme != "https" && public_url.starts_with("https://");
            origin == public_url || (!weaker && !host.is_empty() && origin_host.eq_ignore_ascii_case(host))
        }
        None => !has_session_cookie(headers),
    }
}

/// How much of an oversized body is read and thrown away, so that the browser gets to see the answer instead of a broken connection.
const DRAINED: u64 = 64 * 1024 * 1024;

/// Refuses a body over its route's limit with a page, before anything of it is kept.
pub async fn body_limit(State((state, most_kib)): State<(AppState, u32)>, request: Request, next: Next) -> Response {
    let most = u64::from(most_kib) * 1024;
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > most) {
        drain(request.into_body()).await;
        return problem(&state, Problem::TooLarge { most_kib });
    }
    let (parts, body) = request.into_parts();
    let request = if declared.is_some() || body.is_end_stream() {
        Request::from_parts(parts, body)
    } else {
        // Without a declared length it is counted as it comes.
        let mut body = body;
        let mut kept = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return problem(&state, Problem::NotUnderstood) };
            if let Ok(data) = frame.into_data() {
                if (kept.len() + data.len()) as u64 > most {
                    drain(body).await;
                    return problem(&state, Problem::TooLarge { most_kib });
                }
                kept.extend_from_slice(&data);
            }
        }
        Request::from_parts(parts, Body::from(kept))
    };
    next.run(request).await
}

async fn drain(mut body: Body) {
    let reading = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, |data| data.len() as u64);
            if seen > DRAINED {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(std::time::Duration::from_secs(20), reading).await;
}

/// A panic is a fault page and a log line, not a dropped connection.
pub fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let reference = super::page::fault_reference();
    tracing::error!(reference = %reference, "A handler panicked.");
    let text = format!("Something went wrong on our side. Nothing was lost. Tell support this reference: {reference}\n");
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_post_of_another_site_is_refused_however_it_is_dressed() {
        let here = "https://portal.example";
        for pairs in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://portal.example")],
            &[("origin", "https://evil.example"), ("host", "portal.example")],
            &[("origin", "null"), ("host", "portal.example")],
            &[("origin", "http://portal.example"), ("host", "portal.example")],
            &[("cookie", "__Host-countersign=x"), ("host", "portal.example")],
        ] {
            assert!(!comes_from_here(&headers(pairs), here), "{pairs:?}");
        }
        for pairs in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("origin", "https://portal.example"), ("host", "elsewhere")],
            &[("origin", "https://portal.internal"), ("host", "portal.internal")],
            &[("host", "portal.example")],
        ] {
            assert!(comes_from_here(&headers(pairs), here), "{pairs:?}");
        }
    }
}
