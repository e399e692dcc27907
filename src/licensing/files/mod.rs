//! The files that carry licenses to machines without network, and the checker that reads them: our own (JWS, Ed25519) and
//! LicenseSpring's. The same code runs on the server, in the browser and on the command line, so that all say the same.
//! Nothing here decides about a license; nothing here knows a private key that was not handed in.

pub mod answer;
pub mod asked;
pub mod base64;
pub mod check;
mod claims;
pub mod json;
pub mod jws;
pub mod key_proof;
pub mod keyset;
pub mod license;
pub mod licensespring;
pub mod mirror;
pub mod problem;
pub mod receipt;
pub mod request;
pub mod terms;
pub mod text;
pub mod words;

pub use answer::{Verified, verify_answer};
pub use asked::Asked;
pub use check::{Check, Content, Context, Kind, Report, Verdict, inspect};
pub use jws::{KeyPair, Signer, Typ};
pub use key_proof::KeyProof;
pub use keyset::{KeyState, TrustedKey, TrustedKeys};
pub use license::{FileDevice, LicenseFile, RequestRef, SignedLicense};
pub use problem::{Code, Problem};
pub use receipt::{Receipt, SignedReceipt};
pub use request::{Act, Grounds, Request, RequestDevice, SignedRequest};
pub use terms::{FileFeature, FileLicenseType, Terms};

#[cfg(test)]
mod tests;
