//! What an app asks (§7): who it is asked for, on which machine, and what the machine says of itself. Query and JSON carry the same
//! names; what is not known is passed over, because clients send more than is written down anywhere.

use std::net::SocketAddr;

use axum::{
    body::Bytes,
    extract::{ConnectInfo, FromRequest, Request},
    http::Method,
};
use serde_json::{Map, Value};

use super::error::ApiError;
use crate::{
    desk::{AppAsk, Principal, SsoProof},
    licensing::{ActivationKey, DeviceId, DeviceName, ProductCode, activation::Device, tpm::TpmKey},
    server::{AppState, forms::pairs},
};

/// The members of a request, wherever they stood.
pub struct Asked(pub Map<String, Value>);

impl FromRequest<AppState> for Asked {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| state.address_of(peer.0, request.headers()));
        let asked = Self::read(request, state).await?;
        // For each code a provider is asked, with the vendor's secret: nobody is to try out many.
        if asked.0.contains_key("code") && from.is_some_and(|from| !state.allows_sign_in(from)) {
            return Err(ApiError::new(429, "too_many_requests", "Too many sign-ins from this address. Try again in a minute."));
        }
        Ok(asked)
    }
}

impl Asked {
    async fn read(request: Request, state: &AppState) -> Result<Self, ApiError> {
        if request.method() == Method::GET {
            let members = pairs(request.uri().query().unwrap_or_default().as_bytes());
            return Ok(Self(members.into_iter().map(|(name, value)| (name, Value::String(value))).collect()));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status().as_u16() {
            413 => ApiError::new(413, "payload_too_large", "The body is larger than 64 KB, far more than any call needs."),
            _ => ApiError::bad("invalid_json", "The body could not be read."),
        })?;
        match serde_json::from_slice(&body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(ApiError::bad("validation_error", "The body must be a JSON object.")),
            Err(error) => Err(ApiError::bad(
                "invalid_json",
                format!("The body is no JSON: line {}, column {}.", error.line(), error.column()),
            )),
        }
    }

    /// A text; absent where it is empty or null. Refuses what is no text.
    pub fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.trim().is_empty())),
            Some(_) => Err(ApiError::bad("validation_error", format!("{name} must be a text."))),
        }
    }

    pub fn required(&self, name: &'static str) -> Result<&str, ApiError> {
        self.text(name)?
            .ok_or_else(|| ApiError::bad("missing_parameters", format!("Some parameters are missing in the request: {name}")))
    }

    /// A flag, as JSON or as the text of a query.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.to_ascii_lowercase().parse().ok(),
            _ => None,
        }
    }

    /// A whole number, as JSON or as the text of a query. Refuses what is none.
    pub fn number(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let wrong = || ApiError::bad("validation_error", format!("{name} must be a whole number."));
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => number.as_i64().map(Some).ok_or_else(wrong),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }

    pub fn product(&self) -> Result<ProductCode, ApiError> {
        let code = self.required("product")?;
        ProductCode::parse(code).map_err(|_| ApiError::bad("unknown_product", "There is no product with this code."))
    }

    pub fn hardware_id(&self) -> Result<DeviceId, ApiError> {
        let id = self.text("hardware_id")?.ok_or_else(|| ApiError::bad("missing_hardware_id", "hardware_id is missing."))?;
        DeviceId::parse(id)
            .map_err(|_| ApiError::bad("validation_error", "hardware_id has 1 to 256 characters, all of them visible."))
    }

    /// The identity of a call: product, machine, and the key or the user.
    pub fn ask(&self) -> Result<AppAsk, ApiError> {
        let product = self.product()?;
        let id = self.hardware_id()?;
        let key = self.text("license_key")?;
        let sso = if key.is_none() { self.sso()? } else { None };
        let principal = match (key, sso, self.text("username")?) {
            // Where both come, the key counts.
            (Some(key), ..) => Principal::Key(
                ActivationKey::parse(key)
                    .map_err(|_| ApiError::bad("license_not_found", "There is no license with this key."))?,
            ),
            (None, Some(sso), _) => sso,
            (None, None, Some(user)) => {
                Principal::User { name: user.to_owned(), password: self.text("password")?.map(str::to_owned) }
            }
            (None, None, None) => {
                return Err(ApiError::bad("license_key_required", "Say for which license: license_key, or username."));
            }
        };
        // What a machine says of itself is shown, never trusted, and no reason to refuse a call.
        let said = |names: &[&str]| {
            let text = names.iter().find_map(|name| self.0.get(*name).and_then(Value::as_str));
            text.filter(|text| text.chars().count() <= 256 && !text.chars().any(crate::licensing::text::is_hidden))
                .map(str::to_owned)
        };
        let device = Device {
            id,
            name: said(&["hostname", "os_hostname"]).and_then(|name| DeviceName::parse(&name).ok()),
            os: said(&["os_ver"]),
            app: match (said(&["app_name"]), said(&["app_ver"])) {
                (Some(name), Some(version)) => Some(format!("{name} {version}")),
                (name, version) => name.or(version),
            },
            sdk: said(&["sdk_ver"]),
            virtual_machine: self.flag("is_vm"),
        };
        Ok(AppAsk {
            product,
            principal,
            license_id: self.number("license_id")?,
            device,
            variables: self.variables("variables"),
            enrolls: self.enrolls()?,
        })
    }

    /// Somebody who has signed in at their account's provider, if a call says so; a name beside it must be theirs.
    pub fn sso(&self) -> Result<Option<Principal>, ApiError> {
        let proof = match (self.text("code")?, self.text("id_token")?) {
            (Some(code), _) => {
                let redirect_uri = self.text("redirect_uri")?.map(str::to_owned);
                SsoProof::Code { code: code.to_owned(), redirect_uri }
            }
            (None, Some(token)) => SsoProof::Token(token.to_owned()),
            (None, None) => return Ok(None),
        };
        let account = self.required("customer_account_code")?.to_owned();
        Ok(Some(Principal::Sso { account, name: self.text("username")?.map(str::to_owned), proof }))
    }

    /// The key in the machine's TPM that is to speak for it (§2.3).
    fn enrolls(&self) -> Result<Option<TpmKey>, ApiError> {
        let Some(enrollment) = self.0.get("tpm_enrollment").filter(|value| !value.is_null()) else { return Ok(None) };
        let key = enrollment.get("signing_public_key").and_then(Value::as_str).and_then(|text| TpmKey::parse(text).ok());
        let wrong = "tpm_enrollment.signing_public_key is a P-256 key in base64 of its DER form.";
        key.map(Some).ok_or_else(|| ApiError::bad("validation_error", wrong))
    }

    /// Plain values by name, as texts; what is none, too long or hidden is left out.
    pub fn variables(&self, name: &str) -> Vec<(String, String)> {
        let members = self.0.get(name).and_then(Value::as_object);
        members.map(crate::licensing::files::licensespring::request::plain_variables).unwrap_or_default()
    }
}
