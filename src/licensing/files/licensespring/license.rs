//! Reading a LicenseSpring `.lic`: what it says, our mirror inside it, and the exact bytes its two RSA signatures cover, for
//! whoever can check RSA (WebCrypto in the browser, the crypto library on the server).

use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};

use serde_json::{Map, Value};

use super::{
    Hidden, LicenseSpringRequest,
    response::{escape_non_ascii, has_far_letters, v1_message},
};
use crate::licensing::files::{
    base64,
    claims::Claims,
    json::{self, Limits, Member},
    jws::{Typ, wrong_kind},
    problem::{Code, Problem},
};

/// An RSASSA-PKCS1-v1_5 SHA-256 signature to check: good when it holds over any of the texts (clients differ in how they spell
/// what is not ASCII).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaCheck {
    /// `license_signature` or `license_signature_v2`.
    pub name: &'static str,
    pub any_of: Vec<Vec<u8>>,
    pub signature: Vec<u8>,
}

/// A `.lic` in LicenseSpring's form, read and not yet believed.
#[derive(Clone, Debug)]
pub struct LicenseSpringLicense {
    pub product: String,
    pub hardware_id: String,
    pub license_key: Option<Hidden>,
    pub username: Option<Hidden>,
    pub request_id: Option<String>,
    pub license_type: Option<String>,
    /// As written; `None` where it never ends.
    pub validity_period: Option<String>,
    pub date: Option<String>,
    /// Our signed facts; files of LicenseSpring's own service have none.
    pub mirror: Option<String>,
    pub rsa: Vec<RsaCheck>,
}

impl LicenseSpringLicense {
    /// Reads the JSON text a `.lic` carries. Refuses what the strict scanner refuses, and a file without its signatures.
    pub fn parse(json_text: &[u8]) -> Result<Self, Problem> {
        let (map, members) = json::object(json_text, Limits::LICENSESPRING)?;
        if !Self::is_license(&map) && LicenseSpringRequest::is_request(&map) {
            return Err(wrong_kind(Typ::License.name(), Typ::Request.name()));
        }
        if !Self::is_license(&map) {
            return Err(Code::UnknownFormat.into());
        }
        let claims = Claims::new(&map);
        let details = claims.object("product_details")?.ok_or_else(|| claims.wrong("product_details"))?;
        let hardware_id = claims.required("hardware_id", 256)?;
        let (license_key, username) = (claims.text("license_key", 128)?, claims.text("username", 254)?);
        let validity = claims.text("validity_period", 40)?;
        let user = claims.object("user")?.map(|user| user.text("email", 254)).transpose()?.flatten();
        let principal = username.or(license_key).or(user).unwrap_or_default();
        let v1 = v1_message(hardware_id, principal, validity.unwrap_or_default());
        let mut rsa = vec![
            RsaCheck {
                name: "license_signature",
                any_of: vec![v1.into_bytes()],
                signature: signature(claims, "license_signature")?,
            },
            RsaCheck {
                name: "license_signature_v2",
                any_of: v2_texts(json_text, &map, &members),
                signature: signature(claims, "license_signature_v2")?,
            },
        ];
        // The second signature covers the whole file; the first covers these two texts again, in lower case.
        if cfg!(target_arch = "wasm32") && (has_far_letters(hardware_id) || has_far_letters(principal)) {
            rsa.remove(0);
        }
        Ok(Self {
            product: details.required("short_code", 64)?.to_owned(),
            hardware_id: hardware_id.to_owned(),
            license_key: license_key.map(|key| Hidden(key.to_owned())),
            username: username.map(|name| Hidden(name.to_owned())),
            request_id: claims.owned("request_id", 64)?,
            license_type: claims.owned("license_type", 32)?,
            validity_period: validity.map(ToOwned::to_owned),
            date: claims.owned("date", 64)?,
            mirror: claims.get("countersign").and_then(Value::as_str).map(ToOwned::to_owned),
            rsa,
        })
    }

    pub(in crate::licensing::files) fn is_license(map: &Map<String, Value>) -> bool {
        map.contains_key("license_signature_v2") || map.contains_key("license_signature")
    }
}

fn signature(claims: Claims<'_>, name: &'static str) -> Result<Vec<u8>, Problem> {
    let text = claims.required(name, 2048)?;
    base64::from_standard(text).map_err(|_| Problem::new(Code::BadSignature).naming(name))
}

/// The text without its signatures, byte for byte as it stands in the file, and as Python before version 4 spells it.
fn v2_texts(json_text: &[u8], map: &Map<String, Value>, members: &[Member]) -> Vec<Vec<u8>> {
    // A refresh file signs its first signature too.
    let activation = map.contains_key("request") || map.contains_key("request_id");
    let left_out = |name: &str| name == "license_signature_v2" || (activation && name == "license_signature");
    let mut text = vec![b'{'];
    for member in members.iter().filter(|member| !left_out(&member.name)) {
        if text.len() > 1 {
            text.push(b',');
        }
        text.extend_from_slice(&json_text[member.whole.clone()]);
    }
    text.push(b'}');
    let escaped = escape_non_ascii(&String::from_utf8_lossy(&text)).into_bytes();
    if escaped == text { vec![text] } else { vec![text, escaped] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::{
        Timestamp,
        files::licensespring::response::{Recipient, activation_file, refresh_file},
    };
    use core::{cell::RefCell, convert::Infallible};
    use serde_json::json;

    /// What was signed is what is handed out to be checked, for both kinds of file and both spellings.
    #[test]
    fn what_was_signed_is_handed_out_to_be_checked() {
        for (refresh, escaped, username) in [
            (false, false, None),
            (false, true, None),
            (true, false, None),
            (true, true, Some("Ann@x.com|A")),
            (false, false, Some("ann@x.com")),
        ] {
            let signed = RefCell::new(Vec::new());
            let rsa = |message: &[u8]| -> Result<Vec<u8>, Infallible> {
                signed.borrow_mut().push(message.to_vec());
                Ok(message.iter().take(8).copied().collect())
            };
            let license_key = if username.is_none() { Some("K-1") } else { None };
            let to = Recipient {
                hardware_id: "HW-Ö",
                license_key,
                username,
                caller: "a",
                shared_key: b"s",
                request_id: Some("r"),
                escaped,
            };
            let body = json!({"customer": "Ö", "validity_period": null, "product_details": {"short_code": "tp"}, "metadata": {"7": 1.5}});
            let make = if refresh { refresh_file } else { activation_file };
            let Ok(file) = make(body.as_object().unwrap().clone(), &to, Timestamp::from_seconds(0), Some("m.i.r"), &rsa);
            let read = LicenseSpringLicense::parse(file.json.as_bytes()).unwrap();
            assert_eq!((read.product.as_str(), read.mirror.as_deref()), ("tp", Some("m.i.r")));
            let signed = signed.into_inner();
            for check in read.rsa {
                let covered = check.any_of.iter().find(|text| signed.contains(text)).expect(check.name);
                assert_eq!(check.signature, covered.iter().take(8).copied().collect::<Vec<u8>>(), "{}", check.name);
            }
        }
    }

    #[test]
    fn a_file_without_its_signatures_is_no_license() {
        let whole = json!({"hardware_id": "h", "license_key": "k", "product_details": {"short_code": "tp"}, "license_signature": "AA==", "license_signature_v2": "AA=="});
        assert!(LicenseSpringLicense::parse(whole.to_string().as_bytes()).is_ok());
        for gone in ["hardware_id", "product_details", "license_signature", "license_signature_v2"] {
            let mut file = whole.clone();
            file.as_object_mut().unwrap().shift_remove(gone);
            assert_eq!(LicenseSpringLicense::parse(file.to_string().as_bytes()).unwrap_err().code, Code::UnknownFormat, "{gone}");
        }
        let mut file = whole;
        file["license_signature"] = "*".into();
        assert_eq!(LicenseSpringLicense::parse(file.to_string().as_bytes()).unwrap_err().code, Code::BadSignature);
    }
}
