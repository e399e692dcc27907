//! LicenseSpring's offline files: the requests its clients write, in every dialect, and the `.lic` they accept.
//! Facts about another product's wire format; the code is ours. Not affiliated with LicenseSpring: compatible with it.

pub mod authorization;
pub mod body;
pub mod hmac;
pub mod license;
pub mod lists;
pub mod policy;
pub mod request;
pub mod response;
pub mod trial;

use alloc::string::String;
use core::fmt;

pub use authorization::{Authorization, AuthorizationError};
pub use body::{
    BodyCustomer, BodyFacts, BodySlot, BodyUser, activation_body, check_body, company, consumption_body, feature_body,
    feature_consumption_body, release_members, user_license_body,
};
pub use hmac::HmacVerdict;
pub use license::{LicenseSpringLicense, RsaCheck};
pub use lists::{ListedUser, customer_users_body, device_license_row, product_row};
pub use policy::policy_file;
pub use request::{Caller, Dialect, LicenseSpringAct, LicenseSpringRequest, wants_escaped_text};
pub use response::{AnswerFile, Recipient, RsaSigner, activation_file, refresh_file};
pub use trial::{TrialFacts, trial_again_body, trial_body};

/// A text that may be compared and sent, and never appears in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}
