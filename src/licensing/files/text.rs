//! What kind of text a file is, told from its first bytes, before anything in it is believed.
//! People upload the wrong file far more often than a forged one: each mistake has its own code.

use alloc::{string::String, vec::Vec};

use super::{
    base64::{self, NotBase64},
    problem::{Code, Problem},
};

/// No file of any dialect is larger.
pub const MAX_BYTES: usize = 64 * 1024;

/// What a file carries, unwrapped, and not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// One of our own: a compact JWS, white space removed.
    Jws(String),
    /// JSON text, as LicenseSpring's files carry it in base64.
    Json(Vec<u8>),
}

/// Unwraps a file. Strips a BOM and ASCII white space (mail programs wrap lines); refuses what is no text of ours.
pub fn unwrap(bytes: &[u8]) -> Result<Carried, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(Problem::new(Code::TooLarge).at(bytes.len()));
    }
    let bare = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let Some(first) = bare.iter().position(|byte| !byte.is_ascii_whitespace()) else { return Err(Code::Empty.into()) };
    refuse_other_kinds(bare, &bare[first..])?;
    if bare[first] == b'{' {
        return Ok(Carried::Json(bare.trim_ascii().to_vec()));
    }
    // Whatever is not ASCII is in neither alphabet; the place is counted in characters, as an editor counts it.
    let text = core::str::from_utf8(bare).map_err(|_| Problem::new(Code::Binary))?;
    let is_jws = text.contains('.') && text[first..].starts_with('e');
    let mut packed = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        let fits = c.is_ascii_alphanumeric() || if is_jws { matches!(c, '-' | '_' | '.') } else { matches!(c, '+' | '/' | '=') };
        if fits {
            packed.push(c);
        } else if !c.is_ascii_whitespace() {
            return Err(not_base64(at, c));
        }
    }
    if is_jws {
        return Ok(Carried::Jws(packed));
    }
    match base64::from_standard(&packed) {
        Ok(json) => {
            refuse_other_kinds(&json, json.trim_ascii_start())?;
            refuse_noise(&json)?;
            Ok(Carried::Json(json))
        }
        Err(NotBase64::CutOff) => Err(Problem::new(Code::Truncated).at(packed.len())),
        Err(NotBase64::At(at)) => {
            let place = text.char_indices().filter(|(_, c)| !c.is_ascii_whitespace()).nth(at);
            let (place, found) = place.map_or((at, '='), |(byte, c)| (text[..byte].chars().count(), c));
            Err(not_base64(place, found))
        }
    }
}

/// Where the data inside a file ended too early, says how long the file itself is: that is what a person can compare.
#[must_use]
pub fn cut_off_in(bytes: &[u8], problem: Problem) -> Problem {
    if problem.code == Code::Truncated { problem.at(bytes.trim_ascii().len()) } else { problem }
}

fn not_base64(at: usize, found: char) -> Problem {
    let mut buffer = [0; 4];
    Problem::new(Code::NotBase64).at(at + 1).found(found.encode_utf8(&mut buffer))
}

fn refuse_other_kinds(whole: &[u8], start: &[u8]) -> Result<(), Problem> {
    let code = if whole.starts_with(b"\xff\xfe") || whole.starts_with(b"\xfe\xff") || is_utf16_without_bom(whole) {
        Code::Utf16Text
    } else if whole.starts_with(b"PK\x03\x04") || whole.starts_with(b"PK\x05\x06") {
        Code::ZipArchive
    } else if start.starts_with(b"%PDF-") {
        Code::PdfDocument
    } else if start.starts_with(b"<") && !start.starts_with(b"<?xml") {
        Code::HtmlPage
    } else if start.starts_with(b"<") {
        Code::UnknownFormat
    } else if whole.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
        || core::str::from_utf8(whole).is_err()
    {
        Code::Binary
    } else {
        return Ok(());
    };
    Err(code.into())
}

fn is_utf16_without_bom(bytes: &[u8]) -> bool {
    let (pairs, _) = bytes.as_chunks::<2>();
    pairs.len() >= 4
        && (pairs.iter().take(64).all(|pair| pair[0] != 0 && pair[1] == 0)
            || pairs.iter().take(64).all(|pair| pair[0] == 0 && pair[1] != 0))
}

/// Base64 that unwraps to nothing like JSON was never one of these files.
fn refuse_noise(json: &[u8]) -> Result<(), Problem> {
    match json.trim_ascii_start().first() {
        Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => Ok(()),
        Some(_) => Err(Problem::new(Code::NotJson).at(1)),
        None => Err(Code::Empty.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};

    fn code(bytes: &[u8]) -> Code {
        unwrap(bytes).unwrap_err().code
    }

    #[test]
    fn size_comes_before_everything() {
        assert_eq!(code(&vec![b' '; MAX_BYTES + 1]), Code::TooLarge);
        assert_eq!(code(&vec![b' '; MAX_BYTES]), Code::Empty);
        assert_eq!(code(b"\xef\xbb\xbf\r\n"), Code::Empty);
    }

    #[test]
    fn every_wrong_kind_of_file_has_its_own_code() {
        assert_eq!(code(b"\xfe\xff\0e\0y\0J"), Code::Utf16Text);
        assert_eq!(code(b"e\0y\0J\0x\0Z\0"), Code::Utf16Text);
        assert_eq!(code(b"PK\x03\x04\x14\0\0\0"), Code::ZipArchive);
        assert_eq!(code(b"%PDF-1.7\n\xe2\xe3"), Code::PdfDocument);
        assert_eq!(code(b"\n <!-- proxy --><html>"), Code::HtmlPage);
        assert_eq!(code(b"<?xml version=\"1.0\"?><license/>"), Code::UnknownFormat);
        assert_eq!(code(b"eyJ\x01"), Code::Binary);
        assert_eq!(code(b"\x89PNG\r\n\x1a\n"), Code::Binary);
        assert_eq!(code("лицензия".as_bytes()), Code::NotBase64);
        assert_eq!(code(b"aGVsbG8gd29ybGQ="), Code::NotJson, "text, but no JSON");
    }

    #[test]
    fn the_place_of_a_wrong_character_is_counted_in_the_file_as_it_came() {
        let problem = unwrap(b"\xef\xbb\xbfeyJy\r\nZX*1").unwrap_err();
        assert_eq!((problem.code, problem.details.position), (Code::NotBase64, Some(9)));
        let problem = unwrap("eyJö".as_bytes()).unwrap_err();
        assert_eq!((problem.details.position, problem.details.found.as_deref()), (Some(4), Some("ö")));
        assert_eq!(unwrap(b"eyJ=eyJ=").unwrap_err().details.position, Some(4), "padding in the middle");
    }

    #[test]
    fn wrapped_lines_and_a_bom_are_stripped() {
        let wrapped = format!("\u{feff} {}\r\n{}\n", "eyJhIjo", "xfQ==");
        assert_eq!(unwrap(wrapped.as_bytes()), Ok(Carried::Json(b"{\"a\":1}".to_vec())));
        assert_eq!(unwrap(b"eyJh\n.b-\r\n.c_ "), Ok(Carried::Jws("eyJh.b-.c_".into())));
        assert_eq!(unwrap(b" {\"a\":1}\n"), Ok(Carried::Json(b"{\"a\":1}".to_vec())));
    }

    #[test]
    fn a_file_that_lost_its_end_was_cut_off() {
        assert_eq!(code(b"eyJhI"), Code::Truncated);
    }
}
