//! The mirror: the facts of a license file again, as the member `countersign` of a LicenseSpring `.lic`, so that the browser can
//! verify them with the portal's own key. Never a license for apps that check `cs-lic+jwt`.

use alloc::string::String;

use super::{
    jws::{Signer, Typ},
    keyset::TrustedKeys,
    license::{LicenseFile, SignedLicense},
    problem::Problem,
};

/// Signs `facts` as the mirror inside a LicenseSpring file.
pub fn sign(facts: &LicenseFile, signer: &dyn Signer) -> Result<String, Problem> {
    facts.sign_as(Typ::Mirror, signer)
}

/// Reads a mirror: signature by a trusted key first, claims after.
pub fn verify(text: &str, keys: &TrustedKeys) -> Result<SignedLicense, Problem> {
    LicenseFile::verify_as(Typ::Mirror, text, keys)
}
