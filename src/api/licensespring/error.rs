//! Errors as LicenseSpring's clients read them (§4): `{status, code, message}`, never a 5xx for a refusal, because a client takes
//! that for an outage and lets its app run on. One table from what the desk says to what the wire says.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    desk::{ActError, AppRefusal, Fault, Refusal},
    licensing::{
        decide::{ActivationRefusal, CheckRefusal, ReleaseRefusal},
        files::Code,
        meter::SpendRefusal,
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

impl From<AppRefusal> for ApiError {
    fn from(refusal: AppRefusal) -> Self {
        match refusal {
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
            AppRefusal::Spend { feature, refusal } => spend(feature, refusal),
            AppRefusal::Password(error) => Self::bad("validation_error", format!("The new password was not taken: {error}.")),
            AppRefusal::UnknownFeature => Self::bad("unsupported_product_feature", "This license has no feature with this code."),
            AppRefusal::VersionNotFound => {
                Self::bad("version_not_found", "There is no such version, or the license does not cover it.")
            }
            AppRefusal::ActiveRequired => {
                Self::bad("active_license_required", "Versions are for machines that have activated the license.")
            }
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
        Refusal::SeatsExhausted { .. } => "license_activated_max_times",
        Refusal::TransferLimit { .. } => "license_transfer_limit_reached",
        Refusal::DeviceBlocked | Refusal::DeviceRevoked => "blacklisted",
        Refusal::VirtualMachine => "vm_not_allowed",
        Refusal::OfflineNotAllowed => "offline_activation_not_allowed",
        Refusal::OfflineNotForThisType => "offline_not_for_this_type",
        Refusal::FloatingFull { .. } => "floating_not_available",
        Refusal::RebindLimit { .. } => "rebind_limit",
        Refusal::DeviceKeyRequired => "device_key_required",
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
        Refusal::Refresh(_) => "validation_error",
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
