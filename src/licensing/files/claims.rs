//! Reading claims one by one, so that each refusal can name the claim it is about.

use alloc::{borrow::ToOwned, format, string::String};

use serde_json::{Map, Value};

use super::{
    base64,
    problem::{Code, Problem},
};
use crate::licensing::{
    Timestamp,
    text::{TextError, is_hidden},
};

/// An object of claims and the name it goes by in a refusal.
#[derive(Clone, Copy)]
pub(super) struct Claims<'a> {
    map: &'a Map<String, Value>,
    prefix: &'static str,
}

impl<'a> Claims<'a> {
    pub(super) const fn new(map: &'a Map<String, Value>) -> Self {
        Self { map, prefix: "" }
    }

    /// Refuses any format version but 1.
    pub(super) fn version_1(self) -> Result<(), Problem> {
        match self.map.get("v") {
            Some(Value::Number(n)) if n.as_u64() == Some(1) => Ok(()),
            Some(Value::Number(n)) => {
                Err(Problem::new(Code::UnsupportedVersion).found(&format!("{}", n.as_i64().unwrap_or_default())))
            }
            _ => Err(self.wrong("v")),
        }
    }

    /// The claim is missing, or not of its type.
    pub(super) fn wrong(self, name: &str) -> Problem {
        Problem::new(Code::UnknownFormat).naming(&self.path(name))
    }

    fn path(self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}.{name}", self.prefix) }
    }

    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn has(self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    pub(super) fn object(self, name: &'static str) -> Result<Option<Claims<'a>>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Claims { map, prefix: name })),
            Some(_) => Err(self.wrong(name)),
        }
    }

    pub(super) const fn map(self) -> &'a Map<String, Value> {
        self.map
    }

    /// A visible text of up to `max` characters.
    pub(super) fn text(self, name: &str, max: usize) -> Result<Option<&'a str>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| self.wrong(name))?;
        check_text(text, max, false).map_err(|code| Problem::new(code).naming(&self.path(name)))?;
        Ok(Some(text))
    }

    pub(super) fn owned(self, name: &str, max: usize) -> Result<Option<String>, Problem> {
        Ok(self.text(name, max)?.map(ToOwned::to_owned))
    }

    pub(super) fn required(self, name: &str, max: usize) -> Result<&'a str, Problem> {
        self.text(name, max)?.ok_or_else(|| self.wrong(name))
    }

    pub(super) fn int(self, name: &str) -> Result<Option<i64>, Problem> {
        self.get(name).map(|value| value.as_i64().ok_or_else(|| self.wrong(name))).transpose()
    }

    pub(super) fn count(self, name: &str) -> Result<Option<u64>, Problem> {
        self.get(name).map(|value| value.as_u64().ok_or_else(|| self.wrong(name))).transpose()
    }

    pub(super) fn flag(self, name: &str) -> Result<Option<bool>, Problem> {
        self.get(name).map(|value| value.as_bool().ok_or_else(|| self.wrong(name))).transpose()
    }

    /// A NumericDate: whole seconds.
    pub(super) fn seconds(self, name: &str) -> Result<Option<Timestamp>, Problem> {
        Ok(self.int(name)?.map(Timestamp::from_seconds))
    }

    /// An instant in RFC 3339.
    pub(super) fn instant(self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.text(name, 40)? else { return Ok(None) };
        Timestamp::from_rfc3339(text).map(Some).map_err(|_| self.wrong(name))
    }

    pub(super) fn bytes32(self, name: &str) -> Result<[u8; 32], Problem> {
        base64::from_url_exact(self.required(name, 43)?).ok_or_else(|| self.wrong(name))
    }

    /// What a text type said of the claim `name`.
    pub(super) fn refused(self, name: &str, error: TextError) -> Problem {
        match error {
            TextError::TooLong => Problem::new(Code::ClaimTooLong).naming(&self.path(name)),
            TextError::HiddenCharacters => Problem::new(Code::HiddenCharacters).naming(&self.path(name)),
            TextError::Empty | TextError::NotAllowed => self.wrong(name),
        }
    }
}

/// Holds a text to a length in characters, and to characters that can be seen (line breaks and tabs only where allowed).
pub(super) fn check_text(text: &str, max: usize, lines: bool) -> Result<(), Code> {
    if text.len() > max * 4 || text.chars().count() > max {
        return Err(Code::ClaimTooLong);
    }
    if text.chars().any(|c| is_hidden(c) && !(lines && matches!(c, '\n' | '\r' | '\t'))) {
        return Err(Code::HiddenCharacters);
    }
    Ok(())
}

/// Whether a text is a UUID of version 4.
pub(super) fn is_uuid4(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => *byte == b'4',
            19 => matches!(byte.to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b'),
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Adds a claim when there is something to say.
pub(super) fn put(map: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value.into());
    }
}
