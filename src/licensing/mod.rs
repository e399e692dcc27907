//! The licensing domain: what a license is, what may be done with it, and the files that carry it.
//! Pure: it is given `now`, bytes and keys, and answers with values. It never reads a clock, draws a random number,
//! or touches a network, a database or a file system, and it compiles for the server and for the browser alike.

pub mod activation;
pub mod airgap;
pub mod authorization_code;
pub mod decide;
pub mod files;
pub mod floating;
pub mod issue;
pub mod key;
pub mod license;
pub mod meter;
pub mod product;
pub mod qlm;
pub mod scope;
pub mod seal;
pub mod shops;
pub mod sso;
pub mod template;
pub mod text;
pub mod time;
pub mod tpm;
pub mod trial;
pub mod usage;
pub mod words;

pub use authorization_code::AuthorizationCode;
pub use key::{ActivationKey, KeyError};
pub use text::*;
pub use time::{Date, Timestamp};
