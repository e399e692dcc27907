//! The receipt: the signed answer to a release. It licenses nothing.

use alloc::{borrow::ToOwned, string::String};

use serde_json::{Map, Value};

use super::{
    claims::{Claims, put},
    jws::{self, Jws, Signer, Typ},
    keyset::TrustedKeys,
    license::{FileDevice, RequestRef, confirmation, read_confirmation, read_product},
    problem::Problem,
    request::read_license_id,
};
use crate::licensing::{LicenseId, ProductCode, Timestamp};

/// The claims of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub issuer: String,
    pub product: ProductCode,
    pub license: LicenseId,
    /// This file's id.
    pub id: String,
    pub request: Option<RequestRef>,
    pub made_at: Timestamp,
    pub device: FileDevice,
    pub device_key: Option<String>,
    pub released_at: Timestamp,
}

/// A receipt whose signature holds, by a trusted key of its product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedReceipt {
    pub receipt: Receipt,
    pub kid: String,
    pub hash: [u8; 32],
}

impl Receipt {
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, Problem> {
        let claims = self.claims();
        Self::read(&claims)?;
        jws::sign_with_kid(Typ::Receipt, &claims, signer)
    }

    /// Reads a receipt's text, white space already stripped: signature by a trusted key first, claims after.
    pub fn verify(text: &str, keys: &TrustedKeys) -> Result<SignedReceipt, Problem> {
        let jws = Jws::parse(text, Some(Typ::Receipt))?;
        let key = keys.verify(&jws)?;
        let receipt = Self::read(&jws.claims()?)?;
        key.may_sign_for(&receipt.product)?;
        Ok(SignedReceipt { receipt, kid: key.kid.clone(), hash: jws.hash() })
    }

    pub fn read_unverified(jws: &Jws) -> Result<Self, Problem> {
        Self::read(&jws.claims()?)
    }

    fn claims(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("v".into(), 1.into());
        map.insert("iss".into(), self.issuer.as_str().into());
        map.insert("aud".into(), self.product.as_str().into());
        map.insert("sub".into(), alloc::format!("{}", self.license).into());
        map.insert("jti".into(), self.id.as_str().into());
        put(&mut map, "req", self.request.as_ref().map(RequestRef::value));
        map.insert("iat".into(), self.made_at.seconds().into());
        map.insert("dev".into(), self.device.value());
        put(&mut map, "cnf", self.device_key.as_deref().map(confirmation));
        map.insert("released_at".into(), self.released_at.to_rfc3339().into());
        map
    }

    fn read(map: &Map<String, Value>) -> Result<Self, Problem> {
        let claims = Claims::new(map);
        claims.version_1()?;
        Ok(Self {
            issuer: claims.required("iss", 512)?.to_owned(),
            product: read_product(claims)?,
            license: read_license_id(claims, "sub")?,
            id: claims.required("jti", 64)?.to_owned(),
            request: claims.object("req")?.map(RequestRef::read).transpose()?,
            made_at: claims.seconds("iat")?.ok_or_else(|| claims.wrong("iat"))?,
            device: FileDevice::read(claims)?,
            device_key: read_confirmation(claims)?,
            released_at: claims.instant("released_at")?.ok_or_else(|| claims.wrong("released_at"))?,
        })
    }
}
