//! The `.lic` LicenseSpring's clients accept (§8.3, §8.4 of the wire description): members in order, numbers every client prints
//! alike, three signatures. The RSA key stays with the caller.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Map, Value};

use super::{
    hmac::{sign, string_to_sign},
    request::LicenseSpringRequest,
};
use crate::licensing::{Timestamp, files::base64};

/// Signs with RSASSA-PKCS1-v1_5 and SHA-256.
pub type RsaSigner<'a, E> = &'a dyn Fn(&[u8]) -> Result<Vec<u8>, E>;

/// Whom a file is for, as the client will look for it.
#[derive(Clone, Copy)]
pub struct Recipient<'a> {
    pub hardware_id: &'a str,
    /// As the client knows it. Where both come, the key counts.
    pub license_key: Option<&'a str>,
    pub username: Option<&'a str>,
    /// API key or client id.
    pub caller: &'a str,
    pub shared_key: &'a [u8],
    pub request_id: Option<&'a str>,
    /// The Python client before version 4 verifies over `\uXXXX` escapes.
    pub escaped: bool,
}

impl<'a> Recipient<'a> {
    #[must_use]
    pub fn of(request: &'a LicenseSpringRequest, shared_key: &'a [u8]) -> Self {
        Self {
            hardware_id: &request.hardware_id_as_sent,
            license_key: request.key_as_sent.as_ref().map(|key| key.0.as_str()),
            username: request.username.as_ref().map(|name| name.0.as_str()),
            caller: request.caller.id(),
            shared_key,
            request_id: request.request_id.as_deref(),
            escaped: request.wants_escaped_text(),
        }
    }

    fn principal(&self) -> &'a str {
        self.license_key.or(self.username).unwrap_or_default()
    }
}

/// A finished file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerFile {
    /// What an API answers.
    pub json: String,
    /// What a `.lic` holds: the same in base64.
    pub file: String,
}

/// The answer to an offline activation. `body` is the activation response; what belongs to the file alone is added here, and
/// the `mirror` before the two RSA signatures.
///
/// `license_signature_v2` covers everything but the two.
pub fn activation_file<E>(
    body: Map<String, Value>,
    to: &Recipient<'_>,
    date: Timestamp,
    mirror: Option<&str>,
    rsa: RsaSigner<'_, E>,
) -> Result<AnswerFile, E> {
    let mut file = unsigned(body, to, date, true);
    put_mirror(&mut file, mirror);
    let v2 = signature_v2(&file, to.escaped, rsa)?;
    let v1 = rsa(v1_message(to.hardware_id, to.principal(), validity(&file)).as_bytes())?;
    file.insert("license_signature".to_owned(), base64::standard(&v1).into());
    file.insert("license_signature_v2".to_owned(), v2.into());
    Ok(finished(&file))
}

/// A refresh file. `body` is the answer of a license check; here `license_signature_v2` covers `license_signature` too.
pub fn refresh_file<E>(
    body: Map<String, Value>,
    to: &Recipient<'_>,
    date: Timestamp,
    mirror: Option<&str>,
    rsa: RsaSigner<'_, E>,
) -> Result<AnswerFile, E> {
    let mut file = unsigned(body, to, date, false);
    put_mirror(&mut file, mirror);
    let v1 = rsa(v1_message(to.hardware_id, to.principal(), validity(&file)).as_bytes())?;
    file.insert("license_signature".to_owned(), base64::standard(&v1).into());
    let v2 = signature_v2(&file, to.escaped, rsa)?;
    file.insert("license_signature_v2".to_owned(), v2.into());
    Ok(finished(&file))
}

fn unsigned(body: Map<String, Value>, to: &Recipient<'_>, date: Timestamp, activation: bool) -> Map<String, Value> {
    const OURS: [&str; 9] = [
        "request",
        "request_id",
        "hardware_id",
        "username",
        "date",
        "offline_signature",
        "countersign",
        "license_signature",
        "license_signature_v2",
    ];
    let mut file: Map<String, Value> = body.into_iter().filter(|(name, _)| !OURS.contains(&name.as_str())).collect();
    canonical_members(&mut file);
    if activation {
        file.insert("request".to_owned(), "activation".into());
        if let Some(id) = to.request_id {
            file.insert("request_id".to_owned(), id.into());
        }
    }
    match (to.license_key, to.username) {
        // In its place where the body has one, so that the file's own key is the one the client looks for.
        (Some(key), _) => drop(file.insert("license_key".to_owned(), key.into())),
        (None, _) => drop(file.shift_remove("license_key")),
    }
    file.insert("hardware_id".to_owned(), to.hardware_id.into());
    if let (None, Some(name)) = (to.license_key, to.username) {
        file.insert("username".to_owned(), name.into());
    }
    let date = date.to_js_date();
    let text = string_to_sign(&date, to.principal(), to.hardware_id, to.caller);
    file.insert("date".to_owned(), date.into());
    file.insert("offline_signature".to_owned(), sign(to.shared_key, text.as_bytes()).into());
    file
}

fn put_mirror(file: &mut Map<String, Value>, mirror: Option<&str>) {
    if let Some(mirror) = mirror {
        file.insert("countersign".to_owned(), mirror.into());
    }
}

pub(super) fn signature_v2<E>(file: &Map<String, Value>, escaped: bool, rsa: RsaSigner<'_, E>) -> Result<String, E> {
    let text = compact(file);
    let text = if escaped { escape_non_ascii(&text) } else { text };
    Ok(base64::standard(&rsa(text.as_bytes())?))
}

pub(super) fn finished(file: &Map<String, Value>) -> AnswerFile {
    let json = compact(file);
    AnswerFile { file: base64::standard(json.as_bytes()), json }
}

fn validity(file: &Map<String, Value>) -> &str {
    file.get("validity_period").and_then(Value::as_str).unwrap_or_default()
}

/// What `license_signature` covers: hardware id, principal (a user name up to `|`), end of validity; all in lower case.
#[must_use]
pub fn v1_message(hardware_id: &str, principal: &str, validity: &str) -> String {
    let principal = principal.split('|').next().unwrap_or_default();
    lower_case(&format!("{hardware_id}#{principal}#{validity}"))
}

#[cfg(not(target_arch = "wasm32"))]
fn lower_case(text: &str) -> String {
    text.to_lowercase()
}

/// The browser only checks what the server signed, and leaves the tables of all the world's letters at home: they weigh as much
/// as the Ed25519 code. See [`has_far_letters`].
#[cfg(target_arch = "wasm32")]
fn lower_case(text: &str) -> String {
    near_lower_case(text)
}

/// Latin (with its first extension), Greek and Cyrillic letters in lower case.
#[cfg(any(target_arch = "wasm32", test))]
fn near_lower_case(text: &str) -> String {
    let near = |c: char| match u32::from(c) {
        code @ (0x41..=0x5a | 0xc0..=0xd6 | 0xd8..=0xde | 0x391..=0x3a1 | 0x3a4..=0x3ab | 0x410..=0x42f) => code + 32,
        code @ 0x400..=0x40f => code + 80,
        code @ (0x100..=0x12e | 0x132..=0x136 | 0x14a..=0x176) => code | 1,
        code @ (0x139..=0x147 | 0x179..=0x17d) => code + (code & 1),
        0x178 => 0xff,
        code => code,
    };
    text.chars().filter_map(|c| char::from_u32(near(c))).collect()
}

/// Whether lower case needs more than [`v1_message`] knows in the browser: letters beyond Cyrillic, and three that change shape.
#[must_use]
pub fn has_far_letters(text: &str) -> bool {
    text.chars().any(|c| matches!(u32::from(c), 0x130 | 0x180..=0x390 | 0x3a3 | 0x3cf..=0x3ff | 0x450.. ))
}

/// Bytes that Python, JavaScript and this program write alike: compact, and `JSON.stringify(JSON.parse(text))` is the same text.
#[must_use]
pub fn compact(object: &Map<String, Value>) -> String {
    // A map of texts, numbers and nothing else cannot fail to serialise.
    serde_json::to_string(object).unwrap_or_default()
}

/// Makes an object printable by every client alike: members that look like array indexes first, ascending, as JavaScript moves
/// them; no floats (a whole one becomes an integer, another a text); integers beyond 2^53 become texts.
pub fn canonical_members(map: &mut Map<String, Value>) {
    let mut indexed: Vec<(u32, String, Value)> = Vec::new();
    let mut named: Vec<(String, Value)> = Vec::new();
    for (name, mut value) in core::mem::take(map) {
        canonical(&mut value);
        match array_index(&name) {
            Some(index) => indexed.push((index, name, value)),
            None => named.push((name, value)),
        }
    }
    indexed.sort_by_key(|(index, ..)| *index);
    map.extend(indexed.into_iter().map(|(_, name, value)| (name, value)));
    map.extend(named);
}

/// A value as JavaScript would write it again.
pub fn canonical(value: &mut Value) {
    const BEYOND: u64 = 1 << 53;
    match value {
        Value::Object(map) => canonical_members(map),
        Value::Array(all) => all.iter_mut().for_each(canonical),
        Value::Number(number) => {
            if let Some(integer) = number.as_i64() {
                if integer.unsigned_abs() >= BEYOND {
                    *value = integer.to_string().into();
                }
            } else if let Some(float) = number.as_f64() {
                let whole = float as i64;
                *value =
                    if whole as f64 == float && whole.unsigned_abs() < BEYOND { whole.into() } else { number.to_string().into() };
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Array indexes are the decimal texts of 0 to 2^32 - 2, written one way.
fn array_index(name: &str) -> Option<u32> {
    let index: u32 = name.parse().ok()?;
    (index != u32::MAX && index.to_string() == name).then_some(index)
}

/// The text as Python's `json.dumps` writes it by default: everything but printable ASCII as `\uXXXX`.
#[must_use]
pub fn escape_non_ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ' '..='~') {
            escaped.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::{cell::RefCell, convert::Infallible};
    use serde_json::json;

    fn body() -> Map<String, Value> {
        let body = json!({
            "id": 42, "customer": {"company_name": "Örebro Tryck", "metadata": {"b": 1.0, "10": "x", "2": 1.5}},
            "license_key": "FUH3-4E7A-LZJL-7JTP", "validity_period": "2026-06-18T00:00:00.000Z",
            "product_details": {"short_code": "tp"}, "license_signature": "old", "date": "old",
        });
        body.as_object().unwrap().clone()
    }

    fn to(escaped: bool) -> Recipient<'static> {
        Recipient {
            hardware_id: "HW-Ö",
            license_key: Some("FUH3-4E7A-LZJL-7JTP"),
            username: None,
            caller: "api",
            shared_key: b"shared",
            request_id: Some("r-1"),
            escaped,
        }
    }

    /// Makes a file with a signer that only keeps what it was given.
    fn made(to: &Recipient<'_>, refresh: bool) -> (Map<String, Value>, Vec<String>, AnswerFile) {
        let signed = RefCell::new(Vec::new());
        let rsa = |message: &[u8]| -> Result<Vec<u8>, Infallible> {
            signed.borrow_mut().push(String::from_utf8(message.to_vec()).unwrap());
            Ok(b"rsa".to_vec())
        };
        let date = Timestamp::from_rfc3339("2026-11-20T20:00:00Z").unwrap();
        let make = if refresh { refresh_file } else { activation_file };
        let Ok(file) = make(body(), to, date, Some("mirror"), &rsa);
        (serde_json::from_str(&file.json).unwrap(), signed.into_inner(), file)
    }

    #[test]
    fn near_letters_are_lowered_as_the_standard_library_does() {
        for c in (0..0x500).filter_map(char::from_u32) {
            let text = format!("a{c}b");
            assert!(has_far_letters(&text) || near_lower_case(&text) == text.to_lowercase(), "{c:?} {:x}", u32::from(c));
        }
        assert!(!has_far_letters("ÖREBRO-Łódź-ΑΘΗΝΑ-МОСКВА") && has_far_letters("ԵՐԵՎԱՆ") && has_far_letters("İ"));
    }

    #[test]
    fn an_activation_file_ends_as_clients_know_it() {
        let (map, signed, file) = made(&to(false), false);
        let names: Vec<&str> = map.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "id",
                "customer",
                "license_key",
                "validity_period",
                "product_details",
                "request",
                "request_id",
                "hardware_id",
                "date",
                "offline_signature",
                "countersign",
                "license_signature",
                "license_signature_v2"
            ]
        );
        assert_eq!(map["date"], "Fri Nov 20 2026 20:00:00 GMT+0000");
        let text = "licenseSpring\ndate: Fri Nov 20 2026 20:00:00 GMT+0000\nFUH3-4E7A-LZJL-7JTP\nHW-Ö\napi";
        assert_eq!(map["offline_signature"], sign(b"shared", text.as_bytes()));
        assert_eq!(base64::from_standard(&file.file).unwrap(), file.json.as_bytes());
        assert_eq!(signed[1], "hw-ö#fuh3-4e7a-lzjl-7jtp#2026-06-18t00:00:00.000z");
        let end = file.json.find(",\"license_signature\":").unwrap();
        assert_eq!(signed[0], format!("{}}}", &file.json[..end]), "v2 covers the file without the two, order kept");
    }

    #[test]
    fn a_refresh_file_signs_the_first_signature_too() {
        let (map, signed, file) = made(&to(false), true);
        assert!(!map.contains_key("request_id") && !map.contains_key("request"));
        let end = file.json.find(",\"license_signature_v2\":").unwrap();
        assert_eq!(signed[1], format!("{}}}", &file.json[..end]));
        assert_eq!(signed[0], "hw-ö#fuh3-4e7a-lzjl-7jtp#2026-06-18t00:00:00.000z");
    }

    #[test]
    fn old_python_clients_get_a_signature_over_their_own_spelling() {
        let (_, signed, file) = made(&to(true), false);
        assert!(signed[0].contains(r"\u00d6rebro Tryck") && signed[0].is_ascii());
        assert!(file.json.contains("Örebro Tryck"), "the file itself is UTF-8");
        assert_eq!(escape_non_ascii("a/\"é😀\u{7f}"), "a/\"\\u00e9\\ud83d\\ude00\\u007f");
    }

    #[test]
    fn a_users_file_carries_the_user_and_no_key() {
        let recipient = Recipient { license_key: None, username: Some("Ann@x.com|ACC"), ..to(false) };
        let (map, signed, _) = made(&recipient, false);
        assert!(!map.contains_key("license_key"));
        assert_eq!(map["username"], "Ann@x.com|ACC");
        assert_eq!(signed[1], "hw-ö#ann@x.com#2026-06-18t00:00:00.000z");
    }

    #[test]
    fn every_client_prints_our_bytes_as_they_are() {
        let (_, _, file) = made(&to(false), false);
        assert!(file.json.contains(r#""metadata":{"2":"1.5","10":"x","b":1}"#), "{}", file.json);
        let mut odd = json!({"n": [9_007_199_254_740_992_u64, -0.0, 1e300, 4_294_967_295_u64], "4294967295": 1, "01": 2, "0": 3});
        canonical_members(odd.as_object_mut().unwrap());
        assert_eq!(odd.to_string(), r#"{"0":3,"n":["9007199254740992",0,"1e+300",4294967295],"4294967295":1,"01":2}"#);
    }

    #[test]
    fn a_signer_that_fails_leaves_no_file() {
        let rsa = |_: &[u8]| -> Result<Vec<u8>, &'static str> { Err("locked") };
        assert_eq!(activation_file(body(), &to(false), Timestamp::from_seconds(0), None, &rsa), Err("locked"));
    }
}
