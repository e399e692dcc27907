//! What the browser checks before it offers a download: that the answer is genuine, and that it answers what was asked.

use super::{
    asked::Asked,
    jws::{Typ, wrong_kind},
    keyset::TrustedKeys,
    license::{FileDevice, LicenseFile, RequestRef, SignedLicense},
    licensespring::{LicenseSpringLicense, LicenseSpringRequest, RsaCheck},
    mirror,
    problem::{Code, Problem},
    receipt::{Receipt, SignedReceipt},
    text::{Carried, unwrap},
};
use crate::licensing::{ProductCode, Timestamp};
use alloc::vec::Vec;

/// Checkers forgive a clock this much.
pub const LEEWAY_HOURS: i64 = 24;

/// An answer whose Ed25519 signature holds and which answers the request it was checked against.
#[derive(Clone, Debug)]
pub enum Verified {
    License(SignedLicense),
    Receipt(SignedReceipt),
    /// The mirror holds and says the same as the file around it. Still to be checked: the two RSA signatures.
    LicenseSpring {
        mirror: SignedLicense,
        rsa: Vec<RsaCheck>,
    },
}

/// Checks an answer against the request it should answer.
///
/// Refuses with the code of whatever does not hold: `wrong_kind`, the codes of the signature, `wrong_product`, `other_device`,
/// `not_this_device` (another device key, or none), `other_request`, `expired` (24 hours forgiven, where `now` is given).
pub fn verify_answer(request: &[u8], answer: &[u8], keys: &TrustedKeys, now: Option<Timestamp>) -> Result<Verified, Problem> {
    let asked = Asked::read(request)?;
    match (&asked, unwrap(answer)?) {
        (_, Carried::Jws(text)) if asked.is_release() => {
            let signed = Receipt::verify(&text, keys)?;
            let receipt = &signed.receipt;
            same(&asked, &receipt.product, &receipt.device, receipt.device_key.as_deref(), receipt.request.as_ref())?;
            Ok(Verified::Receipt(signed))
        }
        (Asked::Countersign(_), Carried::Jws(text)) => {
            let signed = LicenseFile::verify(&text, keys)?;
            license_answers(&asked, &signed.license, now)?;
            Ok(Verified::License(signed))
        }
        (Asked::LicenseSpring(request), Carried::Json(json)) if !asked.is_release() => {
            let file = LicenseSpringLicense::parse(&json)?;
            let text = file.mirror.as_deref().ok_or_else(|| Problem::new(Code::UnknownFormat).naming("countersign"))?;
            let mirror = mirror::verify(text, keys)?;
            license_answers(&asked, &mirror.license, now)?;
            file_agrees(request, &file)?;
            Ok(Verified::LicenseSpring { mirror, rsa: file.rsa })
        }
        (_, carried) => {
            let expected = if asked.is_release() { Typ::Receipt } else { Typ::License };
            let found =
                if matches!(carried, Carried::Jws(_)) { "file for apps of another kind" } else { "file in LicenseSpring's form" };
            Err(wrong_kind(expected.name(), found))
        }
    }
}

/// The problem of an RSA signature that does not hold.
#[must_use]
pub fn rsa_problem(name: &str) -> Problem {
    Problem::new(Code::BadSignature).naming(name)
}

fn license_answers(asked: &Asked, license: &LicenseFile, now: Option<Timestamp>) -> Result<(), Problem> {
    same(asked, &license.product, &license.device, license.device_key.as_deref(), license.request.as_ref())?;
    now.map_or(Ok(()), |now| not_expired(license.expires, now))
}

pub(super) fn not_expired(expires: Option<Timestamp>, now: Timestamp) -> Result<(), Problem> {
    match expires {
        Some(end) if now > end.plus_hours(LEEWAY_HOURS) => Err(Problem::new(Code::Expired).found(&end.date().for_people())),
        _ => Ok(()),
    }
}

fn same(
    asked: &Asked,
    product: &ProductCode,
    device: &FileDevice,
    device_key: Option<&str>,
    request: Option<&RequestRef>,
) -> Result<(), Problem> {
    same_product(product.as_str(), asked.product())?;
    if device.id != *asked.device() {
        return Err(other_device(&device.id.last_part(), &asked.device().last_part()));
    }
    let expected = match asked {
        Asked::Countersign(signed) => Some(signed.thumbprint.as_str()),
        Asked::LicenseSpring(_) => None,
    };
    if device_key != expected {
        return Err(Code::NotThisDevice.into());
    }
    if request.is_none_or(|request| request.id != asked.id() || request.hash != asked.hash()) {
        return Err(Code::OtherRequest.into());
    }
    Ok(())
}

pub(super) fn same_product(found: &str, expected: &ProductCode) -> Result<(), Problem> {
    if found.eq_ignore_ascii_case(expected.as_str()) {
        Ok(())
    } else {
        Err(Problem::new(Code::WrongProduct).found(found).expected(expected.as_str()))
    }
}

pub(super) fn other_device(found: &str, expected: &str) -> Problem {
    Problem::new(Code::OtherDevice).found(found).expected(expected)
}

/// What apps read is the file around the mirror: it must say the same.
fn file_agrees(request: &LicenseSpringRequest, file: &LicenseSpringLicense) -> Result<(), Problem> {
    same_product(&file.product, &request.product)?;
    if file.hardware_id != request.hardware_id_as_sent {
        return Err(Problem::new(Code::OtherDevice));
    }
    let principal = if request.key_as_sent.is_some() { &file.license_key } else { &file.username };
    if file.request_id != request.request_id || principal.as_ref().is_none_or(|principal| principal.0 != request.principal()) {
        return Err(Code::OtherRequest.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
