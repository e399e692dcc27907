//! Why a call of an app was refused: one closed list, which each wire translates once.

use crate::{
    licensing::{
        decide::{ActivationRefusal, CheckRefusal, ReleaseRefusal},
        floating::SlotRefusal,
        meter::SpendRefusal,
        sso::TokenFault,
        tpm::TpmRefusal,
        trial::TrialRefusal,
    },
    outbound::OutboundError,
    vault::PasswordError,
};

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppRefusal {
    #[error("invalid_api_key")]
    UnknownApiKey,
    #[error("revoked_api_key")]
    RevokedApiKey,
    #[error("oauth_required")]
    OauthRequired,
    #[error("out_of_scope")]
    OutOfScope,
    #[error("unknown_product")]
    UnknownProduct,
    #[error("disabled_product")]
    DisabledProduct,
    #[error("archived_product")]
    ArchivedProduct,
    #[error("api_key_product_not_allowed")]
    ProductNotAllowed,
    #[error("read_only_api_key")]
    ReadOnly,
    #[error("user_credentials_invalid")]
    UserCredentials,
    #[error("too_many_tries")]
    TooMany { seconds: i64 },
    #[error("license_not_found")]
    LicenseNotFound,
    #[error(transparent)]
    Activation(#[from] ActivationRefusal),
    #[error(transparent)]
    Check(#[from] CheckRefusal),
    #[error(transparent)]
    Release(#[from] ReleaseRefusal),
    #[error(transparent)]
    Tpm(#[from] TpmRefusal),
    #[error(transparent)]
    Trial(#[from] TrialRefusal),
    /// The vendor has not switched this on: the setting's name.
    #[error("not_switched_on")]
    Off(&'static str),
    #[error("invalid_product_auth_method")]
    NotByUser,
    #[error("customer_does_not_exist")]
    NoCustomer,
    #[error("unknown_policy")]
    UnknownPolicy,
    #[error("{refusal}")]
    Slot { feature: bool, refusal: SlotRefusal },
    #[error("{refusal}")]
    Spend { feature: bool, refusal: SpendRefusal },
    #[error("{0}")]
    Password(#[from] PasswordError),
    #[error("unsupported_product_feature")]
    UnknownFeature,
    #[error("version_not_found")]
    VersionNotFound,
    #[error("active_license_required")]
    ActiveRequired,
    #[error("idempotency_key_reused")]
    KeyReused,
    #[error("customer_account_not_found")]
    NoAccount,
    /// The client is held to another account than the call names.
    #[error("customer_account_id_mismatch")]
    OtherAccount,
    #[error("sso_not_enabled")]
    SsoNotEnabled,
    #[error("redirect_uri_not_allowed")]
    RedirectUri,
    #[error("sso_token_invalid")]
    SsoToken(TokenFault),
    /// The provider gave no token for a code: its word for why.
    #[error("sso_code_refused")]
    SsoCode(String),
    /// The provider knows this installation by another id or secret.
    #[error("sso_client_refused")]
    SsoClient,
    #[error("{0}")]
    Provider(#[from] OutboundError),
}
