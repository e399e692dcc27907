//! The `Authorization` header of an API call (`licensespring-v4.md` §2.1): an API key and an HMAC over the `Date` header.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

/// Its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorization {
    pub algorithm: String,
    pub signature: String,
    pub api_key: String,
}

/// Why a header is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    #[error("malformed")]
    Malformed,
    #[error("missing")]
    Missing(Vec<&'static str>),
}

impl Authorization {
    /// Reads `algorithm="hmac-sha256",headers="date",signature="…",apiKey="…"`: names in any case and order, spaces allowed.
    /// Refuses what has no such parts, and names the one that is missing.
    pub fn parse(text: &str) -> Result<Self, AuthorizationError> {
        let mut parts = Self::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            // Base64 ends in `=`: the first one parts name and value.
            let (name, value) = pair.split_once('=').ok_or(AuthorizationError::Malformed)?;
            let value = value.trim();
            let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
            match name.trim().to_ascii_lowercase().as_str() {
                "algorithm" => parts.algorithm = bare.to_owned(),
                "signature" => parts.signature = bare.to_owned(),
                "apikey" => parts.api_key = bare.to_owned(),
                _ => {}
            }
        }
        if parts == Self::default() {
            return Err(AuthorizationError::Malformed);
        }
        let missing: Vec<&str> = [("algorithm", &parts.algorithm), ("signature", &parts.signature), ("apiKey", &parts.api_key)]
            .into_iter()
            .filter_map(|(name, value)| value.is_empty().then_some(name))
            .collect();
        if missing.is_empty() { Ok(parts) } else { Err(AuthorizationError::Missing(missing)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_every_client_writes_them() {
        let expected =
            Authorization { algorithm: "hmac-sha256".into(), signature: "UDysf/iJ+Q==".into(), api_key: "11abafc3".into() };
        for text in [
            r#"algorithm="hmac-sha256",headers="date",signature="UDysf/iJ+Q==",apiKey="11abafc3""#,
            r#"algorithm="hmac-sha256", headers="date", signature="UDysf/iJ+Q==", apikey="11abafc3""#,
            r#" APIKEY = "11abafc3" , Signature="UDysf/iJ+Q==",ALGORITHM="hmac-sha256""#,
            "algorithm=hmac-sha256,signature=UDysf/iJ+Q==,apiKey=11abafc3",
        ] {
            assert_eq!(Authorization::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for text in ["", "nonsense", "Basic dXNlcjpwYXNz"] {
            assert_eq!(Authorization::parse(text), Err(AuthorizationError::Malformed), "{text}");
        }
        for (text, missing) in [
            (r#"algorithm="hmac-sha256",apiKey="x""#, "signature"),
            (r#"signature="x",apiKey="x""#, "algorithm"),
            (r#"algorithm="hmac-sha256",signature="x",apiKey="""#, "apiKey"),
        ] {
            assert_eq!(Authorization::parse(text), Err(AuthorizationError::Missing([missing].into())), "{text}");
        }
    }
}
