//! The built site, served from memory: style sheet, scripts, WASM, and the public files.
//!
//! `script/build` writes it to `target/site`. Release builds carry it in the binary, debug builds read it when they start.
//! Everything under `/pkg/<content hash>/` may be kept for ever; public files are asked for again by their `ETag`.

#[cfg(not(embedded_site))]
mod listing;

use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::Site;

struct File {
    path: &'static str,
    content_type: &'static str,
    plain: &'static [u8],
    br: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

#[cfg(embedded_site)]
static FILES: LazyLock<&'static [File]> = LazyLock::new(|| include!(concat!(env!("OUT_DIR"), "/site.rs")));

#[cfg(not(embedded_site))]
static FILES: LazyLock<&'static [File]> = LazyLock::new(|| {
    // Read once and kept as long as the process lives, like the embedded ones.
    let read = |path: std::path::PathBuf| std::fs::read(path).ok().map(|bytes| &*bytes.leak());
    let files = listing::list(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/target/site"))).into_iter();
    let files = files.filter_map(|file| {
        Some(File {
            path: file.path.leak(),
            content_type: file.content_type,
            plain: read(file.plain)?,
            br: file.br.and_then(read),
            gzip: file.gzip.and_then(read),
        })
    });
    files.collect::<Vec<_>>().leak()
});

static SITE: LazyLock<Site> = LazyLock::new(|| Site {
    css_url: url("/countersign.css"),
    vendor_css_url: url("/vendor.css"),
    enhance_url: url("/enhance.js"),
    js_url: url("/countersign.js"),
    wasm_url: url("/countersign.wasm"),
});

/// Where pages find their style sheet and the browser's part.
pub fn site() -> Site {
    *SITE
}

/// Whether there is a site at all. Without one pages work, but plainly: the server says so when it starts.
pub fn is_built() -> bool {
    FILES.iter().any(|file| file.path == SITE.css_url)
}

/// One route per file, so that any other path reaches the router's own answer for unknown pages.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, file| {
        let etag = etag(file.plain);
        router.route(file.path, get(move |headers: HeaderMap| async move { answer(file, etag, &headers) }))
    })
}

fn url(name: &str) -> &'static str {
    let file = FILES.iter().find(|file| file.path.starts_with("/pkg/") && file.path.ends_with(name));
    file.map_or("/pkg/not-built", |file| file.path)
}

/// Tells versions of a public file apart; nothing depends on its being hard to forge.
fn etag(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn answer(file: &File, etag: u64, asked: &HeaderMap) -> Response {
    let (encoding, body) = match (file.br, file.gzip) {
        (Some(br), _) if accepts(asked, "br") => (Some("br"), br),
        (_, Some(gzip)) if accepts(asked, "gzip") => (Some("gzip"), gzip),
        _ => (None, file.plain),
    };
    let etag = format!("\"{etag:016x}{}\"", encoding.map(|name| format!("-{name}")).unwrap_or_default());
    let unchanged = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
    });
    let keep = if file.path.starts_with("/pkg/") { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };

    let mut response = if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { body.into_response() };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::ETAG, HeaderValue::from_str(&etag).expect("hexadecimal digits and a name fit a header"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if unchanged {
        return response;
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn accepts(asked: &HeaderMap, encoding: &str) -> bool {
    let offers = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    offers.flat_map(|value| value.split(',')).any(|offer| {
        let (name, parameters) = offer.split_once(';').unwrap_or((offer, ""));
        let quality = parameters.trim().strip_prefix("q=").map_or(Ok(1.0), |quality| quality.trim().parse::<f32>());
        name.trim().eq_ignore_ascii_case(encoding) && quality.is_ok_and(|quality| quality > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: File = File {
        path: "/pkg/0123456789abcdef/countersign.css",
        content_type: "text/css; charset=utf-8",
        plain: b"body{}",
        br: Some(b"brotli"),
        gzip: Some(b"gzip"),
    };

    fn asked(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("a test's own header"))])
    }

    fn encoding(accept: &str) -> Option<String> {
        let response = answer(&STYLE, 7, &asked(header::ACCEPT_ENCODING, accept));
        response.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().expect("ASCII").to_owned())
    }

    #[test]
    fn the_smallest_accepted_variant_is_sent() {
        assert_eq!(encoding("gzip, deflate, br").as_deref(), Some("br"));
        assert_eq!(encoding("gzip").as_deref(), Some("gzip"));
        assert_eq!(encoding("br;q=0, gzip;q=0.5").as_deref(), Some("gzip"));
        assert_eq!(encoding("brown, br;q=no"), None);
        assert_eq!(encoding("identity"), None);
    }

    #[test]
    fn hashed_files_are_kept_for_ever_and_public_ones_for_an_hour() {
        let kept =
            |file: &File| answer(file, 7, &HeaderMap::new()).headers()[header::CACHE_CONTROL].to_str().expect("ASCII").to_owned();
        assert_eq!(kept(&STYLE), "public, max-age=31536000, immutable");
        assert_eq!(kept(&File { path: "/favicon.svg", ..STYLE }), "public, max-age=3600");
    }

    #[test]
    fn an_unchanged_file_is_not_sent_again() {
        let first = answer(&STYLE, 7, &HeaderMap::new());
        let tag = first.headers()[header::ETAG].to_str().expect("ASCII").to_owned();
        assert_eq!(answer(&STYLE, 7, &asked(header::IF_NONE_MATCH, &tag)).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(
            answer(&STYLE, 7, &asked(header::IF_NONE_MATCH, &format!("\"x\", W/{tag}"))).status(),
            StatusCode::NOT_MODIFIED
        );
        assert_eq!(answer(&STYLE, 8, &asked(header::IF_NONE_MATCH, &tag)).status(), StatusCode::OK);
    }

    #[test]
    fn every_answer_forbids_guessing_its_type() {
        let response = answer(&STYLE, 7, &HeaderMap::new());
        assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
        assert_eq!(response.headers()[header::VARY], "accept-encoding");
    }
}
