//! Strict authentication (§3): the call itself is signed, with the API key of its extension, and counts for a few minutes. The
//! documentation contradicts itself in names and spellings; every one it prints is taken.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::DateFormat;
use crate::licensing::Timestamp;

/// What a caller says of its own signature.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StrictToken {
    pub token: String,
    pub timestamp: String,
    /// 1: over the address alone; 2: over the headers, too.
    pub version: u32,
    /// Further headers whose names begin so, in the order they came.
    pub extra: Vec<(String, String)>,
    /// The address as it came, under each name this server may have been called by.
    pub urls: Vec<String>,
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrictFault {
    #[error("Sign this call: its headers are X-Qlm-Authentication-Token, X-Qlm-Timestamp and X-Qlm-Authentication-Version.")]
    Missing,
    #[error("Sign this call by a newer version: X-Qlm-Authentication-Version is too low.")]
    Version,
    #[error("X-Qlm-Timestamp is not the time now, in UTC, as yyyy-MM-dd HH:mm:ss.")]
    Time,
    #[error("The token does not fit this address, its timestamp and the API key of its extension.")]
    Token,
}

impl fmt::Debug for StrictToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StrictToken(…)")
    }
}

impl StrictToken {
    /// Reads the headers, their names in lower case. None where there is no token.
    #[must_use]
    pub fn read(headers: &[(String, String)], urls: Vec<String>) -> Option<Self> {
        let name = |name: &str| name.strip_prefix("x-").unwrap_or(name).to_string();
        let of = |names: &[&str]| {
            headers.iter().find(|(header, _)| names.contains(&name(header).as_str())).map(|(_, value)| value.clone())
        };
        let token = of(&["qlm-authentication-token", "qlm-authentication"])?;
        let ours = ["qlm-authentication-token", "qlm-authentication", "qlm-timestamp", "qlm-authentication-version"];
        let extra = headers.iter().filter(|(header, _)| {
            let name = name(header);
            name.starts_with("qlm") && !ours.contains(&name.as_str())
        });
        Some(Self {
            token: token.trim().to_ascii_lowercase(),
            timestamp: of(&["qlm-timestamp"]).unwrap_or_default().trim().to_string(),
            version: of(&["qlm-authentication-version"]).and_then(|text| text.trim().parse().ok()).unwrap_or(1),
            extra: extra.cloned().collect(),
            urls,
        })
    }

    /// What it is remembered by, however it is spelt.
    #[must_use]
    pub fn mark(&self) -> Vec<u8> {
        from_hex(&self.token).unwrap_or_default()
    }

    /// Whether it counts now, under a key.
    pub fn check(&self, key: &[u8], now: Timestamp, tolerance: i64, least_version: u32) -> Result<(), StrictFault> {
        if self.version < least_version {
            return Err(StrictFault::Version);
        }
        let format = DateFormat::parse("yyyy-MM-dd HH:mm:ss").expect("this is a format");
        let at = format.read(&self.timestamp).map(|day| day.midnight()).and_then(|midnight| {
            let (_, time) = self.timestamp.split_once(' ')?;
            let mut parts = time.split(':').map(|part| part.parse::<i64>().ok());
            let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
            Some(midnight.plus_seconds(hours * 3_600 + minutes * 60 + seconds))
        });
        if at.is_none_or(|at| (now.seconds() - at.seconds()).abs() > tolerance) {
            return Err(StrictFault::Time);
        }
        let Some(token) = from_hex(&self.token) else { return Err(StrictFault::Token) };
        let fits = |text: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
            mac.update(text.as_bytes());
            mac.verify_slice(&token).is_ok()
        };
        let right = self.urls.iter().flat_map(|url| self.texts(url)).any(|text| fits(&text));
        if right { Ok(()) } else { Err(StrictFault::Token) }
    }

    /// What may have been signed: the address as it came, and decoded where that loses nothing.
    fn texts(&self, url: &str) -> Vec<String> {
        let mut urls = alloc::vec![url.to_string()];
        let upper = url.to_ascii_uppercase();
        if url.contains('%') && !["%26", "%3D", "%23", "%2B"].iter().any(|escape| upper.contains(escape)) {
            urls.extend(decoded(url));
        }
        let tails = match self.version {
            0 | 1 => alloc::vec![String::new()],
            // Names of headers come in lower case, however they were written; those that are signed were mostly written with capitals.
            version => [(":", false), (":", true), ("=", false), ("=", true)]
                .iter()
                .map(|(sign, capital)| {
                    let name = |name: &str| if *capital { capitals(name) } else { name.to_string() };
                    let extra: String = self.extra.iter().map(|(header, value)| format!("&{}:{value}", name(header))).collect();
                    format!("&X-Qlm-Timestamp:{}&X-Qlm-Authentication-Version{sign}{version}{extra}", self.timestamp)
                })
                .collect(),
        };
        urls.iter().flat_map(|url| tails.iter().map(move |tail| format!("{url}{tail}"))).collect()
    }
}

/// `x-qlm-shop` as `X-Qlm-Shop`.
fn capitals(name: &str) -> String {
    let part = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()).collect()
}

fn decoded(url: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = url.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let (high, low) = (char::from(rest.next()?).to_digit(16)?, char::from(rest.next()?).to_digit(16)?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const KEY: &[u8] = b"the extension's API key";
    const URL: &str = "https://keys.example/qlm/qlmservice.asmx/RetrieveActivationKeyHttp?is_orderid=4711&is_vendor=a%20b";

    fn now() -> Timestamp {
        Timestamp::from_rfc3339("2026-11-26T10:00:00Z").unwrap()
    }

    fn hex(text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn token(token: String, version: &str, more: &[(&str, &str)]) -> StrictToken {
        let mut headers = vec![
            ("host".to_string(), "keys.example".to_string()),
            ("x-qlm-authentication-token".to_string(), token),
            ("x-qlm-timestamp".to_string(), "2026-11-26 09:59:00".to_string()),
            ("x-qlm-authentication-version".to_string(), version.to_string()),
        ];
        headers.extend(more.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        StrictToken::read(&headers, vec!["https://elsewhere.example/".to_string(), URL.to_string()]).unwrap()
    }

    #[test]
    fn a_call_counts_that_is_signed_as_the_documentation_says_in_any_of_its_ways() {
        let tail = "&X-Qlm-Timestamp:2026-11-26 09:59:00&X-Qlm-Authentication-Version:2";
        let plain = URL.replace("%20", " ");
        for (text, version, more) in [
            (format!("{URL}{tail}"), "2", &[][..]),
            (format!("{plain}{tail}"), "2", &[]),
            (format!("{URL}{}", tail.replace("Version:2", "Version=2")), "2", &[]),
            (format!("{URL}{tail}&x-qlmshop:7"), "2", &[("x-qlmshop", "7")]),
            (format!("{URL}{tail}&X-Qlm-Shop:7&X-Qlmuser:a"), "2", &[("x-qlm-shop", "7"), ("x-qlmuser", "a")]),
            (URL.to_string(), "1", &[]),
        ] {
            let signed = token(hex(&text), version, more);
            assert_eq!(signed.check(KEY, now(), 300, 1), Ok(()), "{text}");
            assert_eq!(signed.check(b"another key", now(), 300, 1), Err(StrictFault::Token));
        }
        let other_names = [("qlm-authentication", hex(URL)), ("qlm-timestamp", "2026-11-26 10:04:59".to_string())];
        let headers: Vec<_> = other_names.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        let signed = StrictToken::read(&headers, vec![URL.to_string()]).unwrap();
        assert_eq!(signed.check(KEY, now(), 300, 1), Ok(()));
        assert_eq!(
            signed.check(KEY, now(), 300, 2),
            Err(StrictFault::Version),
            "the least version is 2 unless the vendor says otherwise"
        );
    }

    #[test]
    fn one_that_is_old_altered_or_of_another_address_does_not() {
        let good = hex(&format!("{URL}&X-Qlm-Timestamp:2026-11-26 09:59:00&X-Qlm-Authentication-Version:2"));
        let signed = token(good.clone(), "2", &[]);
        for (seconds, expected) in [(240, Ok(())), (241, Err(StrictFault::Time)), (-360, Ok(())), (-361, Err(StrictFault::Time))]
        {
            assert_eq!(signed.check(KEY, now().plus_seconds(seconds), 300, 2), expected, "{seconds}");
        }
        let elsewhere = StrictToken { urls: vec![URL.replace("4711", "4712")], ..signed.clone() };
        assert_eq!(elsewhere.check(KEY, now(), 300, 2), Err(StrictFault::Token));
        let respelt = format!("+{}", &good[1..]);
        for broken in [String::new(), respelt, good[1..].to_string(), format!("{good}0"), "é".repeat(32)] {
            assert_eq!(token(broken.clone(), "2", &[]).check(KEY, now(), 300, 2), Err(StrictFault::Token), "{broken}");
        }
        for time in ["", "2026-11-26", "yesterday", "2026-11-26 9h"] {
            assert_eq!(
                StrictToken { timestamp: time.to_string(), ..signed.clone() }.check(KEY, now(), 300, 2),
                Err(StrictFault::Time),
                "{time}"
            );
        }
        // What an escape hides is no part of an address that was decoded.
        for (escape, sign) in [("%26", '&'), ("%3D", '='), ("%3d", '='), ("%23", '#'), ("%2B", '+')] {
            let urls = vec![alloc::format!("https://keys.example/?a=1{escape}b=2")];
            let token = hex(&alloc::format!("https://keys.example/?a=1{sign}b=2"));
            let hidden = StrictToken { urls, version: 1, token, ..signed.clone() };
            assert_eq!(hidden.check(KEY, now(), 300, 1), Err(StrictFault::Token), "{escape}");
        }
        assert_eq!(StrictToken::read(&[], vec![]), None);
    }
}
