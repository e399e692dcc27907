//! Answers: XML in ASCII, or keys as plain text, one a line. Failures come with 200 as well: clients of old read the body, not the status.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    desk::{Fault, QlmCall, QlmRefused},
    licensing::{
        ProductId,
        qlm::{
            ErrorCode, Locale,
            document::{self, Element},
        },
    },
    server::AppState,
};

/// Before documents that carry no signature, as the documentation prints them.
const DECLARATION: &str = "<?xml version='1.0' encoding='UTF-8'?>";

fn of(status: StatusCode, kind: &'static str, text: String) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")];
    (status, headers, text).into_response()
}

/// A document that no key of a product signs.
pub fn plain(element: &Element) -> Response {
    of(StatusCode::OK, "text/xml; charset=utf-8", format!("{DECLARATION}{}", document::ascii(&element.canonical())))
}

/// A document under a product's key.
pub async fn signed(state: &AppState, product: ProductId, element: &Element) -> Response {
    match state.desk.qlm_document(Some(product), element).await {
        Ok(text) => document(text),
        Err(fault) => failed(fault),
    }
}

/// A document as it was signed.
pub fn document(text: String) -> Response {
    of(StatusCode::OK, "text/xml; charset=utf-8", text)
}

/// Keys for a shop.
pub fn text(text: String) -> Response {
    of(StatusCode::OK, "text/plain; charset=utf-8", text)
}

/// A page of ours, with one field filled.
pub fn page(path: &str, said: &[(&str, &str)]) -> Response {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(said).finish();
    crate::server::page::see_other(&format!("{path}?{query}"))
}

pub fn json(value: &serde_json::Value) -> Response {
    of(StatusCode::OK, "application/json", value.to_string())
}

pub fn failure(status: StatusCode, code: ErrorCode, message: &str) -> Response {
    let element = document::error(code, message);
    of(status, "text/xml; charset=utf-8", format!("{DECLARATION}{}", document::ascii(&element.canonical())))
}

/// Why a call failed, signed where its product is known: some clients check the signature before they read the words.
pub async fn refused(state: &AppState, call: &QlmCall, refused: QlmRefused) -> Response {
    let told = call.args.text("is_locale").and_then(Locale::parse).and_then(|locale| locale.error(refused.code));
    let element = document::error(refused.code, told.unwrap_or(&refused.message));
    let mut response = match state.desk.qlm_refused_for(call, &refused).await {
        Ok(Some(product)) => signed(state, product, &element).await,
        Ok(None) => plain(&element),
        Err(fault) => return failed(fault),
    };
    *response.status_mut() = status(state, refused.code);
    response
}

/// The status a failure comes with: 200 unless the vendor wants others, for clients of old read the body alone (§2.3).
pub fn status(state: &AppState, code: ErrorCode) -> StatusCode {
    if !state.desk.settings().qlm.rules.failures_have_status {
        return StatusCode::OK;
    }
    match code {
        ErrorCode::AuthenticationFailed => StatusCode::UNAUTHORIZED,
        ErrorCode::Blocked => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::AddressBlocked | ErrorCode::MethodDisabled => StatusCode::FORBIDDEN,
        ErrorCode::LicenseNotFound | ErrorCode::NoProduct | ErrorCode::NoProductForKey | ErrorCode::CustomerNotFound => {
            StatusCode::NOT_FOUND
        }
        ErrorCode::BadFormat | ErrorCode::NoData | ErrorCode::NotProvided | ErrorCode::MissingArgument => StatusCode::BAD_REQUEST,
        _ => StatusCode::CONFLICT,
    }
}

/// A failure of this server, told as one.
pub fn failed(fault: Fault) -> Response {
    let reference = crate::server::page::fault_reference();
    tracing::error!(reference = %reference, error = ?fault, "A call by a QLM method failed.");
    let message = format!("Error: something failed on the server ({reference}). Try again in a moment.");
    failure(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unknown, &message)
}

/// A fault in this program, which the log tells of by itself.
pub fn panicked() -> Response {
    let reference = crate::server::page::fault_reference();
    tracing::error!(reference = %reference, "A call by a QLM method ended in a panic.");
    let message = format!("Error: something failed on the server ({reference}). Try again in a moment.");
    failure(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unknown, &message)
}

/// The same with a byte order mark in front, for those who ask for one.
pub fn with_bom(response: Response, bom: bool) -> Response {
    if !bom {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("text/plain; charset=utf-8"));
    let marked = futures::StreamExt::chain(
        futures::stream::once(std::future::ready(Ok::<_, axum::Error>(axum::body::Bytes::from_static(b"\xef\xbb\xbf")))),
        body.into_data_stream(),
    );
    Response::from_parts(parts, Body::from_stream(marked))
}
