//! A request file in either dialect: what the offline page, the command line and the answer's checker start from.

use alloc::boxed::Box;

use super::{
    licensespring::LicenseSpringRequest,
    problem::Problem,
    request::{Act, SignedRequest},
    text::{Carried, cut_off_in, unwrap},
};
use crate::licensing::{DeviceId, ProductCode, files::licensespring::LicenseSpringAct};

/// A request file, read. Ours has its signature checked; LicenseSpring's is worth what its HMAC is, which needs the shared key.
#[derive(Clone, Debug)]
pub enum Asked {
    Countersign(Box<SignedRequest>),
    LicenseSpring(Box<LicenseSpringRequest>),
}

impl Asked {
    /// Reads what a customer brought. Refuses with the code of the first thing that is wrong; a license or receipt is `wrong_kind`.
    pub fn read(bytes: &[u8]) -> Result<Self, Problem> {
        match unwrap(bytes)? {
            Carried::Jws(text) => SignedRequest::parse(&text).map(|signed| Self::Countersign(Box::new(signed))),
            Carried::Json(json) => LicenseSpringRequest::parse(&json)
                .map(|request| Self::LicenseSpring(Box::new(request)))
                .map_err(|problem| cut_off_in(bytes, problem)),
        }
    }

    #[must_use]
    pub const fn product(&self) -> &ProductCode {
        match self {
            Self::Countersign(signed) => &signed.request.product,
            Self::LicenseSpring(request) => &request.product,
        }
    }

    #[must_use]
    pub const fn device(&self) -> &DeviceId {
        match self {
            Self::Countersign(signed) => &signed.request.device.id,
            Self::LicenseSpring(request) => &request.hardware_id,
        }
    }

    /// The request's id; empty in the dialect that has none.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Countersign(signed) => &signed.request.id,
            Self::LicenseSpring(request) => request.request_id.as_deref().unwrap_or_default(),
        }
    }

    /// Which bytes were asked: what `req.h` of an answer holds.
    #[must_use]
    pub const fn hash(&self) -> [u8; 32] {
        match self {
            Self::Countersign(signed) => signed.hash,
            Self::LicenseSpring(request) => request.hash(),
        }
    }

    /// Whether the answer is a receipt, not a license. LicenseSpring's dialect without an act is a release, after asking.
    #[must_use]
    pub fn is_release(&self) -> bool {
        match self {
            Self::Countersign(signed) => signed.request.act == Act::Release,
            Self::LicenseSpring(request) => request.act != Some(LicenseSpringAct::Activation),
        }
    }
}
