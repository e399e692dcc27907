//! Errors as LicenseSpring's clients read them (§4): `{status, code, message}`, never a 5xx for a refusal, because a client takes
//! that for an outage and lets its app run on. One table from what the desk says to what the wire says.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    desk::{ActError, AppRefusal, Fault, Refusal, TokenRefusal},
    licensing::{
        decide::{ActivationRefusal, CheckRefusal, ReleaseRefusal},
        files::Code,
        floating::SlotRefusal,
        meter::SpendRefusal,
        tpm::TpmRefusal,
        trial::TrialRefusal,
    },
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
}

impl ApiError {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// 400, as nearly every code of the table.
    pub fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    pub fn internal() -> Self {
        Self::new(500, "internal_error", "Something failed on the server. Nothing was changed; try again in a moment.")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "status": self.status, "code": self.code, "message": self.message });
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        let reference = crate::server::page::fault_reference();
        tracing::error!(reference = %reference, error = ?fault, "An API call failed.");
        Self::internal()
    }
}

impl From<ActError> for ApiError {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Fault(fault) => fault.into(),
            error => {
                tracing::error!(code = error.code(), "An API call ended in what it has no words for.");
                Self::internal()
            }
        }
    }
}

impl From<TokenRefusal> for ApiError {
    fn from(refusal: TokenRefusal) -> Self {
        match refusal {
            TokenRefusal::Malformed => {
                Self::new(401, "oauth_token_malformed", "This is no token that was given here. Ask for one.")
            }
            TokenRefusal::Expired => Self::new(401, "oauth_token_expired", "This token has ended. Ask for a new one."),
            // Neither of the two above: a client would ask for a token again and again.
            TokenRefusal::ClientGone => {
                Self::new(401, "invalid_client", "This client was revoked, or its secret is another by now.")
            }
        }
    }
}

impl From<AppRefusal> for ApiError {
    fn from(refusal: AppRefusal) -> Self {
        match refusal {
            AppRefusal::UnknownApiKey => Self::bad("invalid_api_key", "This API key is unknown."),
            AppRefusal::RevokedApiKey => Self::bad("revoked_api_key", "This API key was revoked. The app needs another one."),
            AppRefusal::OauthRequired => {
                Self::bad("oauth_required", "API keys are off here: apps sign in as OAuth clients, with client id and secret.")
            }
            AppRefusal::OutOfScope => {
                Self::bad("oauth_scope_not_allowed", "This client is held to licenses of its own, and this call is about none.")
            }
            AppRefusal::UnknownProduct => Self::bad("unknown_product", "There is no product with this code."),
            AppRefusal::DisabledProduct => Self::bad("disabled_product", "This product is paused by its vendor."),
            AppRefusal::ArchivedProduct => Self::bad("archived_product", "This product is sold no more."),
            AppRefusal::ProductNotAllowed => {
                Self::bad("api_key_product_not_allowed", "This API key may not be used for this product.")
            }
            AppRefusal::ReadOnly => Self::bad("read_only_api_key", "This API key may only read."),
            AppRefusal::UserCredentials => {
                Self::bad("user_credentials_invalid", "This user and password do not match. Type both again.")
            }
            AppRefusal::TooMany { seconds } => {
                Self::new(429, "too_many_requests", format!("Too many tries. Try again in {} minutes.", (seconds + 59) / 60))
            }
            AppRefusal::LicenseNotFound => Self::bad("license_not_found", "There is no license with this key or user."),
            AppRefusal::Activation(refusal) => activation(&refusal),
            AppRefusal::Check(refusal) => check(&refusal),
            AppRefusal::Release(refusal) => release(&refusal),
            AppRefusal::Tpm(refusal) => tpm(refusal),
            AppRefusal::Trial(refusal) => trial(refusal),
            AppRefusal::Off(setting) => Self::bad(
                "not_switched_on",
                format!(
                    "This call is off here, because the shared key that signs it ships in every app. The vendor can switch it on: {setting}."
                ),
            ),
            AppRefusal::NotByUser => {
                Self::bad("invalid_product_auth_method", "This product is licensed by key: its licenses have no users.")
            }
            AppRefusal::NoCustomer => Self::bad("customer_does_not_exist", "There is no customer with this address."),
            AppRefusal::UnknownPolicy => Self::bad("validation_error", "The product has no license policy with this code."),
            AppRefusal::Slot { feature, refusal } => slot(feature, refusal),
            AppRefusal::Spend { feature, refusal } => spend(feature, refusal),
            AppRefusal::Password(error) => Self::bad("validation_error", format!("The new password was not taken: {error}.")),
            AppRefusal::UnknownFeature => Self::bad("unsupported_product_feature", "This license has no feature with this code."),
            AppRefusal::VersionNotFound => {
                Self::bad("version_not_found", "There is no such version, or the license does not cover it.")
            }
            AppRefusal::ActiveRequired => {
                Self::bad("active_license_required", "Versions are for machines that have activated the license.")
            }
            AppRefusal::NoAccount => Self::bad("customer_account_not_found", "There is no customer account with this code."),
            AppRefusal::OtherAccount => {
                Self::bad("customer_account_id_mismatch", "This client is held to another customer account than the call names.")
            }
            AppRefusal::SsoNotEnabled => {
                Self::bad("sso_not_enabled", "This customer account has no sign-in provider. Activate with user and password.")
            }
            AppRefusal::RedirectUri => Self::bad(
                "redirect_uri_not_allowed",
                "This customer account does not lead back to this redirect_uri. The vendor can add it, or leave it out of the call.",
            ),
            AppRefusal::SsoToken(fault) => Self::bad("sso_token_invalid", fault.to_string()),
            AppRefusal::SsoCode(word) => Self::bad(
                "sso_token_invalid",
                format!("The sign-in provider gave no token for this code ({word}). A code counts once: sign in again."),
            ),
            // No refusal: nobody can say yet whose call it is.
            AppRefusal::Provider(error) => {
                let message = if error.passes() {
                    format!("The sign-in provider gives no answer now: {error}. Try again in a moment.")
                } else {
                    tracing::warn!(%error, "The sign-in provider of a customer account cannot be used.");
                    "The sign-in provider of this customer account cannot be used as it is set up. Its vendor has to look at it."
                        .to_owned()
                };
                Self::new(503, "sso_provider_unreachable", message)
            }
            AppRefusal::SsoClient => Self::new(
                503,
                "sso_provider_unreachable",
                "The sign-in provider takes neither client id nor secret of this installation. Its vendor has to look at it.",
            ),
            AppRefusal::KeyReused => Self::bad(
                "validation_error",
                "This Idempotency-Key came with another amount before. Give every consumption a key of its own.",
            ),
        }
    }
}

/// What the customer would be told on a page, as one text.
fn activation(refusal: &ActivationRefusal) -> ApiError {
    use ActivationRefusal as Refusal;
    let code = match refusal {
        Refusal::UnknownKey | Refusal::WrongProduct | Refusal::Archived => "license_not_found",
        Refusal::ProductDisabled => "disabled_product",
        Refusal::VersionNotCovered { .. } => "version_not_covered",
        Refusal::Disabled => "license_not_enabled",
        Refusal::NotStarted { .. } => "license_start_date_not_reached",
        Refusal::Expired { .. } => "license_expired",
        Refusal::TrialExpired { .. } => "trial_expired",
        Refusal::SeatsExhausted { .. } | Refusal::UserSeatsExhausted { .. } => "license_activated_max_times",
        Refusal::TransferLimit { .. } => "license_transferred_max_times",
        Refusal::DeviceBlocked | Refusal::DeviceRevoked => "blacklisted",
        Refusal::VirtualMachine | Refusal::OtherKind => "vm_not_allowed",
        Refusal::OfflineNotAllowed => "offline_activation_not_allowed",
        Refusal::OfflineNotForThisType => "offline_not_for_this_type",
        Refusal::AirGappedOnly | Refusal::NotAirGapped => "air_gapped_license",
        Refusal::FloatingFull { .. } => "floating_not_available",
        // Such a request shows no device key, so none can change.
        Refusal::RebindLimit { .. } | Refusal::DeviceKeyRequired => "device_key_required",
        Refusal::UserProofRequired | Refusal::UserCredentials => "user_credentials_invalid",
    };
    ApiError::bad(code, refusal.words().sentence())
}

/// Why a request file was not answered. Nothing here is a 401: of files every refusal is a 400 (§8.3).
pub fn file_refused(refusal: &Refusal) -> ApiError {
    let code = match refusal {
        Refusal::Activation(refusal) => return activation(refusal),
        Refusal::Release(refusal) => return release(refusal),
        Refusal::TooMany { seconds } => return AppRefusal::TooMany { seconds: *seconds }.into(),
        Refusal::ApiKey => "invalid_api_key",
        Refusal::RequestSpent => "request_spent",
        Refusal::RequestIdReused => "request_id_reused",
        Refusal::File(problem) => match problem.code {
            Code::BadSignature => "signature_mismatch",
            Code::WrongProduct => "unknown_product",
            Code::DeviceIdMissing => "missing_hardware_id",
            _ => "validation_error",
        },
        Refusal::Refresh(_) | Refusal::AirGap(_) | Refusal::Qlm(_) => "validation_error",
    };
    ApiError::bad(code, refusal.words().sentence())
}

fn check(refusal: &CheckRefusal) -> ApiError {
    match refusal {
        CheckRefusal::NotActive => ApiError::bad("license_not_active", "No machine has activated this license."),
        CheckRefusal::NoDevice => {
            ApiError::bad("device_not_found", "This machine has not activated this license, or was released.")
        }
        CheckRefusal::License(refusal) => activation(refusal),
    }
}

fn spend(feature: bool, refusal: SpendRefusal) -> ApiError {
    match (refusal, feature) {
        (SpendRefusal::NotCounted, true) => {
            ApiError::bad("unsupported_product_feature", "This feature is not counted, or has ended.")
        }
        (SpendRefusal::NotCounted, false) => ApiError::bad("license_not_consumption", "This license counts no consumption."),
        (SpendRefusal::NotEnough, true) => {
            ApiError::bad("feature_not_enough_consumptions", "So much of this feature is not left. Nothing was taken.")
        }
        (SpendRefusal::NotEnough, false) => {
            ApiError::bad("license_not_enough_consumptions", "So much is not left on this license. Nothing was taken.")
        }
        (SpendRefusal::NegativesNotAllowed, _) => {
            ApiError::bad("negative_consumptions_not_allowed", "This counter only goes up.")
        }
    }
}

fn tpm(refusal: TpmRefusal) -> ApiError {
    match refusal {
        TpmRefusal::SignatureRequired => ApiError::bad(
            "tpm_signature_required",
            "A key in this machine's TPM speaks for it: the header licensespring-tpm-signature is missing or cannot be read.",
        ),
        TpmRefusal::SignatureInvalid => {
            ApiError::bad("tpm_signature_invalid", "The signature is not one of the key in this machine's TPM.")
        }
        TpmRefusal::OtherKey => ApiError::bad(
            "tpm_key_differs",
            "Another TPM key speaks for this machine. If it was replaced, its vendor can set the machine free.",
        ),
    }
}

fn trial(refusal: TrialRefusal) -> ApiError {
    match refusal {
        TrialRefusal::NotAllowed => ApiError::bad("trial_not_allowed", "This product has no trials."),
        TrialRefusal::OfAnotherUser => {
            ApiError::bad("trial_not_allowed", "This machine has had its trial, under another address. Sign in with that one.")
        }
        TrialRefusal::EmailMissing => ApiError::bad("email_missing", "A trial of this product is for a user: email is missing."),
    }
}

fn slot(feature: bool, refusal: SlotRefusal) -> ApiError {
    match refusal {
        SlotRefusal::NoSuchFeature => {
            ApiError::bad("invalid_license_feature_code", "This license has no feature with this code, or it has ended.")
        }
        SlotRefusal::NotFloating if feature => ApiError::bad("feature_not_floating", "This feature does not float."),
        SlotRefusal::NotFloating => ApiError::bad("floating_not_available", "This license does not float."),
        SlotRefusal::Full { slots } => ApiError::bad(
            "floating_not_available",
            format!(
                "All slots are in use: {slots}. Close the app on another machine, or try again when one has been silent long enough."
            ),
        ),
        SlotRefusal::BorrowingNotAllowed if feature => {
            ApiError::bad("feature_borrow_not_allowed", "This feature cannot be borrowed.")
        }
        SlotRefusal::BorrowingNotAllowed => ApiError::bad("license_borrow_not_allowed", "This license cannot be borrowed."),
        SlotRefusal::BorrowTime { most } => ApiError::bad(
            "borrow_until_not_valid",
            format!("A slot can be borrowed until {} at the most, and not into the past.", most.to_rfc3339()),
        ),
    }
}

fn release(refusal: &ReleaseRefusal) -> ApiError {
    let code = match refusal {
        ReleaseRefusal::NotActivated => "device_not_found",
        ReleaseRefusal::NotThisDevice => "device_key_required",
        ReleaseRefusal::HeldTooShort { .. } => "held_too_short",
        ReleaseRefusal::ReleaseLimit { .. } => "release_limit",
        ReleaseRefusal::ConfirmRelease | ReleaseRefusal::NotProved => "release_not_proved",
    };
    ApiError::bad(code, refusal.words().sentence())
}
