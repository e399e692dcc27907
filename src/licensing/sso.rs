//! Single sign-on: whose a token of another provider is (OpenID Connect Core 1.0 §3.1.3.7). Its signature was checked before.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Map, Value};

use super::{Email, Timestamp};

/// So far may the clocks of two servers be apart, in seconds.
const LEEWAY: i64 = 60;

/// No token is believed for longer than this after it was made, in seconds, whatever it says of its end.
const LONGEST: i64 = 24 * 3_600;

/// Where the people of an account sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoProvider {
    /// As its tokens name it, to the letter.
    pub issuer: String,
    /// What the vendor's app is called there.
    pub client_id: String,
    /// Where people may be led back to; the first unless a call names another.
    pub redirect_uris: Vec<String>,
    /// Its addresses count although it does not say that it verified them: its administrators give them out.
    pub trusts_addresses: bool,
}

/// Why a token is worth nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    #[error("This is no token that can be read. Sign in again.")]
    Malformed,
    #[error(
        "This token is signed in a way that is not accepted: RS256, PS256 and ES256 are, their forms with 384 bits, RS512, PS512, EdDSA."
    )]
    Algorithm,
    #[error("This token was not signed by the account's sign-in provider. Sign in again.")]
    Signature,
    #[error("This token was made by another provider than the account's.")]
    OtherIssuer,
    #[error("This token was made for another app. Sign in at the address that sso_url gives.")]
    OtherAudience,
    #[error("This token has ended. Sign in again.")]
    Ended,
    #[error("This token begins in the future: the clock of its provider differs from the one here.")]
    NotYet,
    #[error("This sign-in did not begin here, or too long ago. Sign in at the address that sso_url gives.")]
    NotBegunHere,
    #[error("This token names no e-mail address. The provider must give the claim \"email\".")]
    NoAddress,
    #[error(
        "The provider does not say that it verified this e-mail address (claim \"email_verified\"). The vendor can say that its \
         addresses count."
    )]
    NotVerified,
}

impl SsoProvider {
    /// Whose token this is. `began_here` says whether a nonce is one that was given out for this account and is still good.
    pub fn whose(
        &self,
        claims: &Map<String, Value>,
        now: Timestamp,
        began_here: impl FnOnce(&str) -> bool,
    ) -> Result<Email, TokenFault> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(self.issuer.as_str()) {
            return Err(TokenFault::OtherIssuer);
        }
        let audiences: Vec<&str> = match claims.get("aud") {
            Some(Value::String(one)) => [one.as_str()].into(),
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let party = claims.get("azp").map(|party| party.as_str() == Some(self.client_id.as_str()));
        if !audiences.contains(&self.client_id.as_str()) || party == Some(false) || (audiences.len() > 1 && party.is_none()) {
            return Err(TokenFault::OtherAudience);
        }
        let now = now.seconds();
        let (Some(made), Some(ends)) = (seconds(claims.get("iat")), seconds(claims.get("exp"))) else {
            return Err(TokenFault::Malformed);
        };
        if ends.saturating_add(LEEWAY) <= now || made.saturating_add(LONGEST) <= now {
            return Err(TokenFault::Ended);
        }
        let begins = match claims.get("nbf") {
            None => made,
            begins => seconds(begins).ok_or(TokenFault::Malformed)?,
        };
        if made.max(begins).saturating_sub(LEEWAY) > now {
            return Err(TokenFault::NotYet);
        }
        if !text("nonce").is_some_and(began_here) {
            return Err(TokenFault::NotBegunHere);
        }
        let email = text("email").and_then(|text| Email::parse(text).ok()).ok_or(TokenFault::NoAddress)?;
        // Some say it as a text.
        let verified = match claims.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(verified)) => verified == "true",
            None => self.trusts_addresses,
            Some(_) => false,
        };
        if verified { Ok(email) } else { Err(TokenFault::NotVerified) }
    }

    /// Where people are led back to, if it may be there.
    #[must_use]
    pub fn leads_back(&self, wished: Option<&str>) -> Option<String> {
        match wished {
            None => self.redirect_uris.first().cloned(),
            Some(wished) => self.redirect_uris.iter().find(|known| *known == wished).cloned(),
        }
    }
}

/// A NumericDate (RFC 7519 §2), which may have a fraction.
fn seconds(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| value.to_string().split_once('.').and_then(|(whole, _)| whole.parse().ok()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_780_000_000_000);

    fn provider() -> SsoProvider {
        SsoProvider {
            issuer: "https://id.acme.example".into(),
            client_id: "press".into(),
            redirect_uris: ["http://127.0.0.1/back".into(), "press://back".into()].into(),
            trusts_addresses: false,
        }
    }

    fn claims() -> Value {
        json!({
            "iss": "https://id.acme.example", "aud": "press", "sub": "7", "iat": 1_780_000_000, "exp": 1_780_000_300, "nonce": "n",
            "email": "Ann@acme.example", "email_verified": true,
        })
    }

    fn whose(claims: &Value) -> Result<String, TokenFault> {
        provider().whose(claims.as_object().unwrap(), NOW, |nonce| nonce == "n").map(|email| email.to_string())
    }

    #[test]
    fn a_token_is_worth_what_all_its_claims_are() {
        assert_eq!(whose(&claims()).unwrap(), "Ann@acme.example");
        let good = [
            ("aud", json!(["press"])),
            ("azp", json!("press")),
            ("email_verified", json!("true")),
            ("exp", json!(1_780_000_000 - 59)),
            ("iat", json!(1_780_000_060)),
            ("iat", json!(1_780_000_000.25)),
            ("nbf", json!(1_780_000_060)),
        ];
        for (name, value) in good {
            let mut claims = claims();
            claims[name] = value;
            assert!(whose(&claims).is_ok(), "{claims}");
        }
        use TokenFault::*;
        let bad = [
            ("iss", json!("https://id.acme.example/"), OtherIssuer),
            ("iss", json!(null), OtherIssuer),
            ("aud", json!("other"), OtherAudience),
            ("aud", json!([]), OtherAudience),
            ("aud", json!({ "press": 1 }), OtherAudience),
            ("aud", json!(["press", "other"]), OtherAudience),
            ("azp", json!("other"), OtherAudience),
            ("azp", json!(1), OtherAudience),
            ("exp", json!(1_780_000_000 - 60), Ended),
            ("exp", json!(i64::MAX), Ended),
            ("exp", json!("soon"), Malformed),
            ("iat", json!(null), Malformed),
            ("iat", json!(1_780_000_061), NotYet),
            ("nbf", json!(1_780_000_061), NotYet),
            ("nbf", json!("x"), Malformed),
            ("nonce", json!("m"), NotBegunHere),
            ("nonce", json!(null), NotBegunHere),
            ("email", json!("ann"), NoAddress),
            ("email", json!(null), NoAddress),
            ("email_verified", json!(false), NotVerified),
            ("email_verified", json!("yes"), NotVerified),
            ("email_verified", json!(null), NotVerified),
        ];
        for (name, value, fault) in bad {
            let mut claims = claims();
            claims[name] = value;
            if (name, fault) == ("exp", Ended) && claims["exp"] == i64::MAX {
                claims["iat"] = json!(1_780_000_000 - LONGEST);
            }
            assert_eq!(whose(&claims), Err(fault), "{claims}");
        }
    }

    #[test]
    fn addresses_count_unverified_only_by_the_vendors_word() {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove("email_verified");
        assert_eq!(whose(&claims), Err(TokenFault::NotVerified));
        let provider = SsoProvider { trusts_addresses: true, ..provider() };
        assert!(provider.whose(claims.as_object().unwrap(), NOW, |_| true).is_ok());
        // But not against the provider's own.
        claims["email_verified"] = json!(false);
        assert_eq!(provider.whose(claims.as_object().unwrap(), NOW, |_| true), Err(TokenFault::NotVerified));
    }

    #[test]
    fn people_are_led_back_to_known_places_alone() {
        let provider = provider();
        assert_eq!(provider.leads_back(None).as_deref(), Some("http://127.0.0.1/back"));
        assert_eq!(provider.leads_back(Some("press://back")).as_deref(), Some("press://back"));
        assert_eq!(provider.leads_back(Some("press://back/")), None);
    }
}
