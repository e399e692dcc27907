//! How an act ends when it is not done: refused, which is an answer, or failed, which is a fault of ours.

use super::{Refused, SettingError, refusal::Forbidden};
use crate::{
    licensing::{license::TransitionError, product::Product},
    store::StoreError,
    vault::{CipherError, VaultError},
};

/// A fault of ours. Its words go to the log, never to a visitor.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("the store failed")]
    Store(#[from] StoreError),
    #[error("the vault failed")]
    Vault(#[from] VaultError),
    #[error("a secret could not be opened")]
    Cipher(#[from] CipherError),
    /// A file of ours that a reader of ours would refuse.
    #[error("a file could not be made: {0}")]
    File(crate::licensing::files::Problem),
    #[error("something kept could not be read: {0}")]
    Kept(&'static str),
}

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    #[error("refused: {}", .0.refusal.code())]
    Refused(Box<Refused>),
    /// The key exists in several products: say which.
    #[error("several products have this key")]
    WhichProduct(Vec<Product>),
    #[error("not allowed")]
    Forbidden(#[from] Forbidden),
    #[error("there is no such thing")]
    NotFound,
    /// Something with this name, code or number exists.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// A field of the act does not hold what it should.
    #[error("{field}: {message}")]
    Field { field: &'static str, message: String },
    #[error("{0}")]
    Transition(#[from] TransitionError),
    #[error("{0}")]
    Setting(#[from] SettingError),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl ActError {
    #[must_use]
    pub fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self::Field { field, message: message.into() }
    }

    /// The stable code, for APIs and the command line.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.refusal.code(),
            Self::WhichProduct(_) => "which_product",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound => "not_found",
            Self::Taken(_) => "taken",
            Self::Field { .. } => "bad_field",
            Self::Transition(error) => error.code(),
            Self::Setting(_) => "bad_setting",
            Self::Fault(_) => "internal_error",
        }
    }
}

impl From<StoreError> for ActError {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<VaultError> for ActError {
    fn from(error: VaultError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<CipherError> for ActError {
    fn from(error: CipherError) -> Self {
        Self::Fault(error.into())
    }
}
