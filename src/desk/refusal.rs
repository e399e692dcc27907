//! Refusals as a customer meets them: what stood in the way, and the reference under which staff can find it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    licensing::{
        DeviceId, DeviceName, LicenseId, ProductCode, Timestamp,
        airgap::AirGapRefusal,
        decide::{ActivationRefusal, Holder, RefreshRefusal, ReleaseRefusal},
        files::{Code, Problem},
        product::{DeviceDetails, Product},
        qlm::protect::Protection,
        words::Words,
    },
    store::{Conn, NewAttempt},
    vault::random_bytes,
};

/// A file for a product that is not sold here: no key was looked up for it.
pub(super) fn unknown_product(code: &ProductCode) -> Refusal {
    Refusal::File(Problem::new(Code::WrongProduct).found(code.as_str()))
}

/// What stood in the way of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Activation(ActivationRefusal),
    Release(ReleaseRefusal),
    Refresh(RefreshRefusal),
    AirGap(AirGapRefusal),
    /// A limit of those that QLM's properties set.
    Qlm(Protection),
    /// The file itself.
    File(Problem),
    /// This request was answered, and what it got was given back or taken away since.
    RequestSpent,
    /// The same device used this request id for other bytes.
    RequestIdReused,
    /// The API key of a LicenseSpring request is unknown, revoked, read-only or for other products.
    ApiKey,
    /// Too much at once from one side.
    TooMany {
        seconds: i64,
    },
}

impl Refusal {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Activation(refusal) => refusal.code(),
            Self::Release(refusal) => refusal.code(),
            Self::Refresh(refusal) => refusal.code(),
            Self::AirGap(refusal) => refusal.code(),
            Self::Qlm(refusal) => refusal.code(),
            Self::File(problem) => problem.code(),
            Self::RequestSpent => "request_spent",
            Self::RequestIdReused => "request_id_reused",
            Self::ApiKey => "invalid_api_key",
            Self::TooMany { .. } => "too_many_tries",
        }
    }

    #[must_use]
    pub fn words(&self) -> Words {
        let of = |what: &'static str, why: &'static str, next: &'static str| Words {
            what: what.into(),
            why: why.into(),
            next: next.into(),
        };
        match self {
            Self::Activation(refusal) => refusal.words(),
            Self::Release(refusal) => refusal.words(),
            Self::Refresh(refusal) => refusal.words(),
            Self::AirGap(refusal) => refusal.words(),
            Self::Qlm(refusal) => refusal.words(),
            Self::File(problem) => {
                let sentence = problem.sentence();
                Words { what: Cow::Borrowed("This file cannot be used"), why: sentence.what.into(), next: sentence.next.into() }
            }
            Self::RequestSpent => of(
                "This request was used before",
                "It was answered, and the seat it got was given back or taken away since.",
                "Make a new request file in the app.",
            ),
            Self::RequestIdReused => of(
                "This request repeats the number of another",
                "The same machine has sent a different request under this number.",
                "Make a new request file in the app; each gets a number of its own.",
            ),
            Self::ApiKey => of(
                "This request names an app that is not known here",
                "Its API key does not exist, was revoked, or is for other products.",
                "Check that the app is the vendor's current version, or ask support with the reference below.",
            ),
            Self::TooMany { seconds } => Words {
                what: "Too many tries in a short time".into(),
                why: "To keep keys from being guessed, tries are limited.".into(),
                next: format!("Wait {} and try again.", wait(*seconds)).into(),
            },
        }
    }

    /// The devices that hold the seats, where that is the reason.
    #[must_use]
    pub fn holders(&self) -> &[Holder] {
        match self {
            Self::Activation(ActivationRefusal::SeatsExhausted { holders, .. })
            | Self::Refresh(RefreshRefusal::License(ActivationRefusal::SeatsExhausted { holders, .. }))
            | Self::AirGap(AirGapRefusal::License(ActivationRefusal::SeatsExhausted { holders, .. })) => holders,
            _ => &[],
        }
    }

    fn detail(&self) -> serde_json::Value {
        match self {
            Self::Activation(refusal) => serde_json::to_value(refusal).unwrap_or_default(),
            Self::Release(refusal) => serde_json::to_value(refusal).unwrap_or_default(),
            Self::Refresh(refusal) => serde_json::to_value(refusal).unwrap_or_default(),
            other => {
                let Words { what, why, next } = other.words();
                serde_json::json!({ "code": other.code(), "told": { "what": what, "why": why, "next": next } })
            }
        }
    }
}

fn wait(seconds: i64) -> String {
    match seconds {
        ..=60 => "a minute".to_owned(),
        seconds => format!("{} minutes", (seconds + 59) / 60),
    }
}

impl From<ActivationRefusal> for Refusal {
    fn from(refusal: ActivationRefusal) -> Self {
        Self::Activation(refusal)
    }
}

impl From<ReleaseRefusal> for Refusal {
    fn from(refusal: ReleaseRefusal) -> Self {
        Self::Release(refusal)
    }
}

impl From<RefreshRefusal> for Refusal {
    fn from(refusal: RefreshRefusal) -> Self {
        Self::Refresh(refusal)
    }
}

impl From<AirGapRefusal> for Refusal {
    fn from(refusal: AirGapRefusal) -> Self {
        Self::AirGap(refusal)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::File(problem)
    }
}

/// A refusal with its reference.
#[derive(Clone, Debug)]
pub struct Refused {
    pub refusal: Refusal,
    pub reference: String,
    pub product_name: Option<String>,
}

/// The visitor's role does not reach that far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("this needs more than your role allows")]
pub struct Forbidden;

/// What a refused act was about. Of the key only its last group is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    pub door: &'static str,
    pub product_code: Option<String>,
    pub product_name: Option<String>,
    pub license: Option<LicenseId>,
    pub key_ends: Option<String>,
    pub device: Option<DeviceId>,
    pub device_name: Option<DeviceName>,
}

impl About {
    /// Now that the product is known: its name, and of the device no more than it keeps.
    pub fn product(&mut self, product: &Product) {
        self.product_code = Some(product.code.to_string());
        self.product_name = Some(product.name.clone());
        if product.rules.device_details == DeviceDetails::Id {
            self.device_name = None;
        }
    }
}

/// A new reference: `R-` and eight symbols that read well over the telephone.
pub(super) fn new_reference() -> String {
    const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let random: [u8; 8] = random_bytes();
    let text: String = random.iter().map(|byte| char::from(SYMBOLS[usize::from(byte & 31)])).collect();
    format!("R-{text}")
}

/// Keeps a refusal in the act's own transaction.
pub(super) fn refuse(conn: &mut Conn, refusal: impl Into<Refusal>, about: &About, reference: &str, now: Timestamp) -> Refused {
    let refusal = refusal.into();
    let refused = Refused { refusal, reference: reference.to_owned(), product_name: about.product_name.clone() };
    // A question is none: it is asked again with its answer.
    if matches!(refused.refusal, Refusal::Release(ReleaseRefusal::ConfirmRelease)) {
        return refused;
    }
    let refusal = &refused.refusal;
    conn.note_attempt(NewAttempt {
        reference: reference.to_owned(),
        at: now,
        door: about.door.to_owned(),
        code: refusal.code().to_owned(),
        product_code: about.product_code.clone(),
        license: about.license,
        key_ends: about.key_ends.clone(),
        device_id: about.device.as_ref().map(|id| id.as_str().to_owned()),
        device_name: about.device_name.as_ref().map(|name| name.as_str().to_owned()),
        detail: refusal.detail().to_string(),
    });
    refused
}
