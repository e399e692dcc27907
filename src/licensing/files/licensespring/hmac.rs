//! What the HMAC of a LicenseSpring request is worth. The shared key ships in every app: a right HMAC says which app wrote the
//! file, and authorizes nothing by itself.

use alloc::{format, string::String};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::request::{Dialect, LicenseSpringRequest};
use crate::licensing::files::base64;

/// The answer of a check with a shared key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HmacVerdict {
    /// The envelope's signature holds: everything in the request is covered.
    V2Valid,
    /// The flat file's signature holds: date, key or user, hardware id and API key are covered, nothing else.
    V1Valid,
    /// The envelope's signature is wrong (a client's OAuth fault), the v1 signature inside is right: worth what v1 is.
    InnerV1Valid,
    Wrong,
    /// No shared key to check with.
    Unchecked,
}

impl HmacVerdict {
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::V2Valid | Self::V1Valid | Self::InnerV1Valid)
    }

    /// Whether `request`, `product`, consumptions and variables are covered too.
    #[must_use]
    pub const fn covers_everything(self) -> bool {
        matches!(self, Self::V2Valid)
    }
}

impl LicenseSpringRequest {
    /// Checks the signatures with the caller's shared key (or client secret).
    #[must_use]
    pub fn check(&self, shared_key: Option<&[u8]>) -> HmacVerdict {
        let Some(shared_key) = shared_key else { return HmacVerdict::Unchecked };
        if self.dialect == Dialect::V2 && holds(shared_key, self.envelope_text(), self.outer_signature.as_deref()) {
            return HmacVerdict::V2Valid;
        }
        if !self.inner_holds(shared_key) {
            return HmacVerdict::Wrong;
        }
        if self.dialect == Dialect::V2 { HmacVerdict::InnerV1Valid } else { HmacVerdict::V1Valid }
    }

    /// `licenseSpring`, the date verbatim, key or user, hardware id, API key: what a v1 signature covers.
    #[must_use]
    pub fn string_to_sign(&self, date: &str) -> String {
        string_to_sign(date, self.principal(), &self.hardware_id_as_sent, self.caller.id())
    }

    /// The Python client reads its clock twice, so its signature may be for the second before or after its `date`.
    fn inner_holds(&self, shared_key: &[u8]) -> bool {
        let signature = self.inner_signature.as_deref();
        if holds(shared_key, self.string_to_sign(&self.date).as_bytes(), signature) {
            return true;
        }
        self.made_at.is_some_and(|date| {
            date.to_http_date() == self.date
                && [-1, 1].into_iter().any(|second| {
                    holds(shared_key, self.string_to_sign(&date.plus_seconds(second).to_http_date()).as_bytes(), signature)
                })
        })
    }
}

/// The text a v1 `signature` and a response's `offline_signature` cover.
#[must_use]
pub fn string_to_sign(date: &str, principal: &str, hardware_id: &str, caller: &str) -> String {
    format!("licenseSpring\ndate: {date}\n{principal}\n{hardware_id}\n{caller}")
}

/// Whether an API call's signature over its `Date` header holds (§2.1): the header's text as it stands.
#[must_use]
pub fn date_holds(shared_key: &[u8], date: &str, signature: &str) -> bool {
    holds(shared_key, format!("licenseSpring\ndate: {date}").as_bytes(), Some(signature))
}

/// HMAC-SHA-256 in base64.
#[must_use]
pub fn sign(shared_key: &[u8], text: &[u8]) -> String {
    base64::standard(&mac(shared_key, text).finalize().into_bytes())
}

/// Compares in constant time. A signature that is missing or no base64 does not hold.
fn holds(shared_key: &[u8], text: &[u8], signature: Option<&str>) -> bool {
    let Some(Ok(signature)) = signature.map(base64::from_standard) else { return false };
    mac(shared_key, text).verify_slice(&signature).is_ok()
}

fn mac(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::files::text::{Carried, unwrap};
    use alloc::vec::Vec;

    const SHARED_KEY: &[u8] = b"kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja";

    /// The documented vector.
    #[test]
    fn a_date_is_signed_as_documented() {
        let date = "Tue, 07 Jun 2011 20:51:35 GMT";
        assert!(date_holds(SHARED_KEY, date, "UDysfR6MndUZReo07Y9r+vErn8vSxrnQ5ulit18iJ/Q="));
        assert!(!date_holds(SHARED_KEY, "Tue, 07 Jun 2011 20:51:36 GMT", "UDysfR6MndUZReo07Y9r+vErn8vSxrnQ5ulit18iJ/Q="));
        for wrong in ["", "UDysfR6MndUZReo07Y9r+vErn8vSxrnQ5ulit18iJ/A=", "not base64", "UDysfR6MndUZReo07Y9r"] {
            assert!(!date_holds(SHARED_KEY, date, wrong), "{wrong}");
        }
    }

    fn json(name: &str) -> Vec<u8> {
        let path = format!("{}/tests/samples/{name}", env!("CARGO_MANIFEST_DIR"));
        match unwrap(&std::fs::read(path).unwrap()).unwrap() {
            Carried::Json(json) => json,
            Carried::Jws(_) => panic!("not a JWS"),
        }
    }

    fn verdict(json: &[u8]) -> HmacVerdict {
        LicenseSpringRequest::parse(json).unwrap().check(Some(SHARED_KEY))
    }

    #[test]
    fn the_documented_header_vector_holds() {
        let text = "licenseSpring\ndate: Tue, 07 Jun 2011 20:51:35 GMT";
        assert_eq!(sign(SHARED_KEY, text.as_bytes()), "UDysfR6MndUZReo07Y9r+vErn8vSxrnQ5ulit18iJ/Q=");
    }

    #[test]
    fn every_sample_verifies_but_the_documented_one() {
        for (name, expected) in [
            ("v1_activation_key", HmacVerdict::V1Valid),
            ("v1_activation_user", HmacVerdict::V1Valid),
            ("v1_deactivation_key", HmacVerdict::V1Valid),
            ("v2_activation_compact", HmacVerdict::V2Valid),
            ("v2_activation_spaced_escaped", HmacVerdict::V2Valid),
            ("v2_deactivation_spaced_utf8", HmacVerdict::V2Valid),
            ("deactivate_offline", HmacVerdict::V2Valid),
            ("documented_payload", HmacVerdict::Wrong),
        ] {
            let json = json(&format!("licensespring/{name}.req"));
            assert_eq!(verdict(&json), expected, "{name}");
            assert_eq!(LicenseSpringRequest::parse(&json).unwrap().check(None), HmacVerdict::Unchecked);
            assert_eq!(LicenseSpringRequest::parse(&json).unwrap().check(Some(b"another")), HmacVerdict::Wrong);
        }
        assert_eq!(verdict(&json("broken/tampered_hardware_id.req")), HmacVerdict::Wrong);
    }

    #[test]
    fn an_envelope_changed_in_any_way_falls_back_to_what_v1_covers() {
        let text = String::from_utf8(json("licensespring/v2_deactivation_spaced_utf8.req")).unwrap();
        assert_eq!(verdict(text.replace("\"consumptions\": 3", "\"consumptions\": 4").as_bytes()), HmacVerdict::InnerV1Valid);
        assert_eq!(
            verdict(text.replace("\"request\": \"deactivation\"", "\"request\":  \"deactivation\"").as_bytes()),
            HmacVerdict::InnerV1Valid
        );
        assert_eq!(verdict(text.replace("HW-v2", "HW-v3").as_bytes()), HmacVerdict::Wrong);
    }

    #[test]
    fn v1_covers_neither_act_nor_product_nor_consumptions() {
        let text = String::from_utf8(json("licensespring/v1_activation_key.req")).unwrap();
        let turned = text.replace("\"activation\"", "\"deactivation\"").replace("\"tp\"", "\"other\"");
        assert_eq!(verdict(turned.as_bytes()), HmacVerdict::V1Valid);
        assert!(!HmacVerdict::V1Valid.covers_everything() && !HmacVerdict::InnerV1Valid.covers_everything());
    }

    #[test]
    fn a_signature_of_the_second_before_or_after_is_taken_and_no_other() {
        let mut request = LicenseSpringRequest::parse(&json("licensespring/v1_activation_key.req")).unwrap();
        let date = request.made_at.unwrap();
        for (shift, expected) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let text = request.string_to_sign(&date.plus_seconds(shift).to_http_date());
            request.inner_signature = Some(sign(SHARED_KEY, text.as_bytes()));
            assert_eq!(request.check(Some(SHARED_KEY)).is_valid(), expected, "{shift}");
        }
        request.inner_signature = None;
        assert_eq!(request.check(Some(SHARED_KEY)), HmacVerdict::Wrong);
    }
}
