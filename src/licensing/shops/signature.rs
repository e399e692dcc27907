//! Whether a shop sent what came: each signs the bytes of its body with a key that both know. What is compared is compared in constant time.

use alloc::{format, string::String, vec::Vec};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Signing, payload::decoded};
use crate::licensing::{Timestamp, files::base64};

/// How far the time of a signature may be off, in seconds.
pub const TOLERANCE: i64 = 300;

/// The longest header that is looked at, in bytes.
const LONGEST_HEADER: usize = 1_024;

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    #[error("The signature is missing.")]
    Missing,
    #[error("The signature does not fit the body and the shared key.")]
    Wrong,
    #[error("The signature is more than five minutes old, or ahead.")]
    Time,
}

/// Checks the signature of a body. For shops that sign nothing there is nothing to check: whoever asks looks at passwords.
///
/// # Errors
/// Says whether it is missing, wrong or too old.
pub fn check(
    signing: &Signing,
    headers: &[(String, String)],
    body: &[u8],
    key: &[u8],
    now: Timestamp,
) -> Result<(), SignatureFault> {
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
        // No shop's is longer, and each mark in one costs time.
        found.filter(|value| !value.is_empty() && value.len() <= LONGEST_HEADER).ok_or(SignatureFault::Missing)
    };
    match signing {
        Signing::None => Ok(()),
        Signing::Hex { header: name } => {
            let shown = from_hex(header(name)?.trim_start_matches("sha256="));
            verify(key, &[body], &shown.ok_or(SignatureFault::Wrong)?)
        }
        Signing::Base64 { header: name } => {
            verify(key, &[body], &base64::from_standard(header(name)?).map_err(|_| SignatureFault::Wrong)?)
        }
        Signing::Stripe => timed(header("stripe-signature")?, ',', ("t", "v1"), b".", (body, key), now),
        Signing::Paddle => timed(header("paddle-signature")?, ';', ("ts", "h1"), b":", (body, key), now),
        Signing::TwoCheckout => {
            let pairs = form_pairs(body);
            let shown = pairs.iter().find(|(name, _)| name == "SIGNATURE_SHA2_256").map(|(_, value)| value.clone());
            let shown = shown.ok_or(SignatureFault::Missing)?;
            let signed = two_checkout(body);
            verify(key, &[signed.as_bytes()], &from_hex(&shown).ok_or(SignatureFault::Wrong)?)
        }
        // The shop is asked whether it sent this.
        Signing::PayPal => Ok(()),
    }
}

/// `t=…,v1=…`: the time is signed with the body, and of several signatures one must fit (keys are changed so).
fn timed(
    header: &str,
    between: char,
    (time, mark): (&str, &str),
    joint: &[u8],
    (body, key): (&[u8], &[u8]),
    now: Timestamp,
) -> Result<(), SignatureFault> {
    let pairs: Vec<(&str, &str)> = header.split(between).filter_map(|pair| pair.trim().split_once('=')).collect();
    let at = pairs.iter().find(|(name, _)| *name == time).map(|(_, value)| *value).ok_or(SignatureFault::Missing)?;
    // The time first: it costs nothing.
    let seconds: i64 = at.parse().map_err(|_| SignatureFault::Wrong)?;
    let off = now.seconds().checked_sub(seconds).ok_or(SignatureFault::Time)?;
    if !(-TOLERANCE..=TOLERANCE).contains(&off) {
        return Err(SignatureFault::Time);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| SignatureFault::Wrong)?;
    [at.as_bytes(), joint, body].iter().for_each(|part| mac.update(part));
    let marks = pairs.iter().filter(|(name, _)| *name == mark).filter_map(|(_, value)| from_hex(value));
    // Of several one must fit; keys are changed so.
    let fits = |shown: Vec<u8>| mac.clone().verify_slice(&shown).is_ok();
    if marks.map(fits).fold(false, |any, one| any | one) { Ok(()) } else { Err(SignatureFault::Wrong) }
}

fn verify(key: &[u8], parts: &[&[u8]], shown: &[u8]) -> Result<(), SignatureFault> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| SignatureFault::Wrong)?;
    parts.iter().for_each(|part| mac.update(part));
    mac.verify_slice(shown).map_err(|_| SignatureFault::Wrong)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.trim().chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// A form's pairs as they were sent, decoded and nothing else.
fn form_pairs(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    text.split('&').filter(|text| !text.is_empty()).map(pair).collect()
}

/// What 2Checkout signs: every value of the form but the signatures, each after its length in bytes, in their order.
#[must_use]
pub fn two_checkout(body: &[u8]) -> String {
    let is_signature = |name: &str| ["HASH", "SIGNATURE_SHA2_256", "SIGNATURE_SHA3_256"].contains(&name);
    let signed = form_pairs(body).into_iter().filter(|(name, _)| !is_signature(name));
    signed.map(|(_, value)| format!("{}{value}", value.len())).collect()
}

/// The receipt 2Checkout waits for: the same hash over three values of what came, and the time.
#[must_use]
pub fn two_checkout_receipt(body: &[u8], key: &[u8], now: Timestamp) -> String {
    let pairs = form_pairs(body);
    let first = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone()).unwrap_or_default();
    let date: String = now.to_rfc3339().chars().filter(char::is_ascii_digit).take(14).collect();
    let values = [first("IPN_PID[]"), first("IPN_PNAME[]"), first("IPN_DATE"), date.clone()];
    let signed: String = values.iter().map(|value| format!("{}{value}", value.len())).collect();
    let mark = match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(signed.as_bytes());
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
        }
        Err(_) => String::new(),
    };
    format!("<sig algo=\"sha256\" date=\"{date}\">{mark}</sig>")
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);
    const KEY: &[u8] = b"whsec_shared";

    fn mark(parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().to_vec()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn checked(signing: &Signing, header: &str, value: &str, body: &[u8]) -> Result<(), SignatureFault> {
        check(signing, &[(header.to_string(), value.to_string())], body, KEY, NOW)
    }

    #[test]
    fn a_signature_counts_for_its_body_and_key() {
        let body = br#"{"id":1}"#;
        let hex_kind = Signing::Hex { header: "x-signature".to_string() };
        let base64_kind = Signing::Base64 { header: "x-shopify-hmac-sha256".to_string() };
        assert_eq!(checked(&hex_kind, "X-Signature", &hex(&mark(&[body])), body), Ok(()));
        assert_eq!(checked(&base64_kind, "X-Shopify-Hmac-Sha256", &base64::standard(&mark(&[body])), body), Ok(()));
        assert_eq!(checked(&hex_kind, "X-Signature", &hex(&mark(&[body])), br#"{"id":2}"#), Err(SignatureFault::Wrong));
        for broken in ["", "zz", "abc", &hex(&mark(&[body]))[2..]] {
            assert!(checked(&hex_kind, "X-Signature", broken, body).is_err(), "{broken}");
        }
        assert_eq!(checked(&hex_kind, "X-Other", "ab", body), Err(SignatureFault::Missing));
    }

    #[test]
    fn a_signature_with_a_time_counts_for_five_minutes() {
        let body = br#"{"id":"evt_1"}"#;
        let stripe =
            |at: i64| format!("t={at},v1={},v1={}", "00".repeat(32), hex(&mark(&[at.to_string().as_bytes(), b".", body])));
        let paddle = |at: i64| format!("ts={at};h1={}", hex(&mark(&[at.to_string().as_bytes(), b":", body])));
        let now = NOW.seconds();
        for (kind, header, value) in [
            (Signing::Stripe, "stripe-signature", &stripe as &dyn Fn(i64) -> String),
            (Signing::Paddle, "paddle-signature", &paddle),
        ] {
            for at in [now, now - 300, now + 300] {
                assert_eq!(checked(&kind, header, &value(at), body), Ok(()), "{at}");
            }
            for at in [now - 301, now + 301, i64::MIN] {
                assert_eq!(checked(&kind, header, &value(at), body), Err(SignatureFault::Time), "{at}");
            }
            assert_eq!(
                checked(&kind, header, &value(now).replace(&now.to_string(), &(now - 1).to_string()), body),
                Err(SignatureFault::Wrong)
            );
            assert!(checked(&kind, header, "", body).is_err());
        }
    }

    #[test]
    fn a_form_is_signed_value_by_value_and_acknowledged() {
        let signed = "REFNO=4711&IPN_PID%5B%5D=7&IPN_PNAME%5B%5D=Pr%C3%A9ss&IPN_DATE=20261126120000";
        assert_eq!(two_checkout(signed.as_bytes()), "4471117".to_string() + "6Préss" + "1420261126120000");
        let body = format!("{signed}&SIGNATURE_SHA2_256={}", hex(&mark(&[two_checkout(signed.as_bytes()).as_bytes()])));
        assert_eq!(checked(&Signing::TwoCheckout, "a", "b", body.as_bytes()), Ok(()));
        let other = body.replace("4711", "4712");
        assert_eq!(checked(&Signing::TwoCheckout, "a", "b", other.as_bytes()), Err(SignatureFault::Wrong));
        // Spaces around a value are signed as they were sent.
        assert_eq!(two_checkout(b"A=+x+&HASH=y&B="), "3 x 0");
        let receipt = two_checkout_receipt(body.as_bytes(), KEY, NOW);
        let date: String = NOW.to_rfc3339().chars().filter(char::is_ascii_digit).take(14).collect();
        let expected = hex(&mark(&[format!("176Préss142026112612000014{date}").as_bytes()]));
        assert_eq!(receipt, format!("<sig algo=\"sha256\" date=\"{date}\">{expected}</sig>"));
    }
}
