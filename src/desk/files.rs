//! License files and receipts, put together from what is known inside the act that grants them.

use serde_json::{Map, Value};

use super::{Desk, Fault};
use crate::{
    licensing::{
        ProductCode, Timestamp,
        activation::Activation,
        files::{self, FileDevice, FileFeature, FileLicenseType, LicenseFile, Receipt, RequestRef, Signer as _},
        license::{License, LicenseType, Limit, TransferLimit},
        product::{FeatureKind, Product},
        seal::{Seal, SealUse},
    },
    store::{ActivationFactsRow, Conn, StoreError},
    vault::{AppSigner, LicenseSigner, random_bytes},
};

/// What a file answers, where it answers a request file.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub request: RequestRef,
    pub device_clock: Timestamp,
}

/// A UUID of version 4.
pub(super) fn new_uuid() -> String {
    uuid::Builder::from_random_bytes(random_bytes()).into_uuid().to_string()
}

pub(super) fn terms(license: &License, user: Option<&str>, product: &Product) -> files::Terms {
    let terms = &license.terms;
    let count = |limit: Limit| limit.most().map(u64::from);
    files::Terms {
        kind: match terms.kind {
            LicenseType::Perpetual => FileLicenseType::Perpetual,
            LicenseType::TimeLimited => FileLicenseType::TimeLimited,
            LicenseType::Subscription => FileLicenseType::Subscription,
            LicenseType::Consumption => FileLicenseType::Consumption,
        },
        trial: terms.trial,
        key_last_group: license.key.as_ref().map(crate::licensing::ActivationKey::last_group).unwrap_or_default(),
        user: user.and_then(|user| crate::licensing::Email::parse(user).ok()),
        seats: count(terms.seats),
        valid_until: license.valid_until(),
        duration_days: if license.valid_until().is_none() { terms.expiry.days_counted_by_client.map(u64::from) } else { None },
        maintenance_until: terms.maintenance.instant(license.first_activated),
        grace_hours: terms.grace_hours,
        transfers_max: match terms.transfers {
            TransferLimit::Unlimited => None,
            TransferLimit::Forbidden => Some(0),
            TransferLimit::AtMost(most) => Some(u64::from(most)),
        },
        transfers_used: u64::from(license.transfers_used),
        floating: terms.floating.map(|floating| u64::from(floating.slots)),
        features: terms
            .entitlements
            .iter()
            .map(|entitlement| FileFeature {
                code: entitlement.code.clone(),
                consumption: entitlement.kind == FeatureKind::Consumption,
                valid_until: entitlement.valid_until,
                max: entitlement.meter.and_then(|meter| count(meter.max)),
                used: entitlement.meter.and_then(|meter| u64::try_from(meter.used).ok()),
            })
            .collect(),
        fields: product
            .rules
            .file_fields
            .iter()
            .filter_map(|name| terms.fields.get(name).map(|value| (name.clone(), Value::String(value.clone()))))
            .collect(),
        meta: file_metadata(product, &terms.metadata),
    }
}

/// What may stand in a file of the metadata that the product marks: a file has room for facts an app asks for, not for documents, and
/// metadata that does not fit must not keep every machine of the license without a file.
const META_BYTES: usize = 16 * 1024;
const META_DEPTH: usize = 4;

fn file_metadata(product: &Product, metadata: &Map<String, Value>) -> Map<String, Value> {
    let mut room = META_BYTES;
    let mut marked = Map::new();
    for name in &product.rules.file_metadata {
        let Some(value) = metadata.get(name).map(plain_numbers).filter(|value| depth(value) <= META_DEPTH) else { continue };
        let bytes = name.len() + value.to_string().len();
        if bytes <= room {
            room -= bytes;
            marked.insert(name.clone(), value);
        }
    }
    marked
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Files hold whole numbers that every reader keeps; any other is written as text.
fn plain_numbers(value: &Value) -> Value {
    const MOST: i64 = (1 << 53) - 1;
    match value {
        Value::Number(number) if number.as_i64().is_none_or(|number| !(-MOST..=MOST).contains(&number)) => {
            Value::String(number.to_string())
        }
        Value::Array(values) => values.iter().map(plain_numbers).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), plain_numbers(value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// The claims of a license file for an activation as it stands after the act.
pub(super) fn license_file(
    desk: &Desk,
    product: &Product,
    license: &License,
    activation: &Activation,
    asked: Option<&Asked>,
    now: Timestamp,
) -> LicenseFile {
    let terms = terms(license, activation.user.as_deref(), product);
    let lease = product.rules.offline_lease_days.map(|days| now.plus_days(i64::from(days)));
    LicenseFile {
        issuer: desk.issuer.to_string(),
        product: product.code.clone(),
        license: license.id,
        id: asked.map(|_| new_uuid()),
        request: asked.map(|asked| asked.request.clone()),
        made_at: now,
        not_before: license.terms.start,
        expires: LicenseFile::end_of_use(lease, terms.valid_until, terms.grace_hours),
        device_clock: asked.map(|asked| asked.device_clock),
        device: FileDevice { id: activation.device.id.clone(), name: activation.device.name.clone() },
        device_key: asked.and(activation.device_key.as_ref()).map(|key| key.0.clone()),
        terms,
    }
}

pub(super) fn receipt(
    desk: &Desk,
    product: &ProductCode,
    activation: &Activation,
    asked: &Asked,
    released_at: Timestamp,
) -> Receipt {
    Receipt {
        issuer: desk.issuer.to_string(),
        product: product.clone(),
        license: activation.license,
        id: new_uuid(),
        request: Some(asked.request.clone()),
        made_at: released_at,
        device: FileDevice { id: activation.device.id.clone(), name: activation.device.name.clone() },
        device_key: activation.device_key.as_ref().map(|key| key.0.clone()),
        released_at,
    }
}

impl Desk {
    /// The key that signs a product's files as it stands in the store. Another process may have made or turned it a moment ago:
    /// then it is fetched, so that no process signs with a key that another took out of use.
    pub(super) async fn signer(&self, conn: &mut Conn, facts: &ActivationFactsRow) -> Result<LicenseSigner, StoreError> {
        let product = facts.product.id;
        let is_current = |signer: &LicenseSigner| facts.signing_key.as_deref() == Some(signer.kid());
        if let Some(signer) = self.vault.license_signer(product).ok().filter(is_current) {
            return Ok(signer);
        }
        self.vault.reload(&conn.seals().await?).map_err(StoreError::gave_up)?;
        self.vault.license_signer(product).map_err(StoreError::gave_up)
    }
}

impl Desk {
    /// The RSA key of LicenseSpring's clients as it stands in the store.
    pub(super) async fn app_signer(&self) -> Result<AppSigner, Fault> {
        let mut conn = self.read().await?;
        let current = conn.signing_key(SealUse::LicenseSpring).await?;
        let signer = self.vault.licensespring_signer()?;
        if current.as_deref() == Some(signer.kid()) {
            return Ok(signer);
        }
        self.vault.reload(&conn.seals().await?)?;
        Ok(self.vault.licensespring_signer()?)
    }
}

/// Notes on the signing key's row what it has promised by a file that ends at `expires`, where the row does not say so yet.
/// Once that is committed, `LicenseSigner::recorded` keeps the next act from asking again.
pub(super) async fn promise(
    conn: &mut Conn,
    signer: &LicenseSigner,
    expires: Option<Timestamp>,
) -> Result<Option<Seal>, StoreError> {
    if signer.covers(expires) {
        return Ok(None);
    }
    let seal = conn.seal_by_kid(signer.kid()).await?.ok_or_else(|| StoreError::gave_up(KeyGone))?;
    // A key that was given up meanwhile promises nothing, and what it signed must not go out.
    let seal = seal.record_signed(expires).map_err(StoreError::gave_up)?;
    conn.save_seal(&seal).await?;
    Ok(Some(seal))
}

/// The key that signed is not in the store any more.
#[derive(Debug, thiserror::Error)]
#[error("the signing key is gone from the database")]
struct KeyGone;

/// A file's name: the product and the machine, and nothing that could harm a file system or a header.
pub(super) fn file_name(product: &Product, activation: &Activation, extension: &str) -> String {
    let plain = |text: &str| -> String {
        let kept: String =
            text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' }).collect();
        kept.trim_matches('-').chars().take(40).collect()
    };
    let device = activation.device.name.as_ref().map_or_else(|| activation.device.id.as_str(), |name| name.as_str());
    let device = plain(device);
    let product = plain(product.code.as_str()).to_lowercase();
    if device.is_empty() { format!("{product}.{extension}") } else { format!("{product}-{device}.{extension}") }
}
