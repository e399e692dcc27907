//! Forms as they are posted, read into pairs.

use axum::body::Bytes;

use crate::{app::ui::FormState, vault::random_bytes};

/// Pairs of an urlencoded body or query, in their order. What is not UTF-8 is shown as such, never guessed.
pub fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// A form's body as the state of its page: what was typed comes back with whatever was wrong.
pub fn form(body: &Bytes) -> FormState {
    let pairs = pairs(body);
    let request_id = pairs.iter().find(|(name, _)| name == "request_id").map(|(_, value)| value.clone());
    let state = FormState::filled(pairs);
    state.with_request_id(request_id.filter(|id| is_request_id(id)).unwrap_or_else(new_request_id))
}

/// A fresh hidden id for a form.
pub fn new_request_id() -> String {
    crate::licensing::files::base64::url(&random_bytes::<16>())
}

/// What a hidden id may look like: anything else is replaced, not trusted.
pub fn is_request_id(text: &str) -> bool {
    (16..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// A text inside a query.
pub fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_as_it_was_typed() {
        let read = pairs(b"key=A%2BB+C&empty=&%C3%B6=%F0%9F%98%80&broken=%2&last");
        let read: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("key", "A+B C"), ("empty", ""), ("ö", "😀"), ("broken", "%2"), ("last", "")]);
    }

    #[test]
    fn what_is_encoded_reads_back() {
        for text in ["/vendor?a=b&c=d", "ö 😀 +%", ""] {
            assert_eq!(pairs(format!("a={}", encode(text)).as_bytes())[0].1, text);
        }
    }
}
