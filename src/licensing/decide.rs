//! The decisions: may this device have this license, and may it give its seat back? Values in, values out.
//! Whoever asks fetches the facts and saves the answer in one transaction; no rule lives anywhere else.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    ActivationId, DeviceId, DeviceName, Timestamp,
    activation::{Activation, ActivationState, DeviceKey, How},
    floating::InUse,
    license::{License, LicenseState, LicenseType, Limit, TransferLimit},
    product::{DeviceKeyRule, Product, ProductState, Version},
};

/// A device that holds a seat, as far as a stranger with the key may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub name: Option<DeviceName>,
    /// The end of the computer id.
    pub id_ends: String,
    pub since: Timestamp,
}

impl Holder {
    #[must_use]
    pub fn new(id: &DeviceId, name: Option<DeviceName>, since: Timestamp) -> Self {
        Self { name, id_ends: id.last_part(), since }
    }
}

/// What is asked of `activate`.
#[derive(Clone, Debug)]
pub struct ActivationAsk<'a> {
    pub how: How,
    /// The request came in LicenseSpring's offline dialect, which serves fewer license types.
    pub licensespring_file: bool,
    pub device_key: Option<&'a DeviceKey>,
    pub virtual_machine: Option<bool>,
    /// The machine gives no signs of life: of a floating license it keeps a slot for as long as it is activated. An app that calls
    /// takes its slot by the calls to come.
    pub keeps_slot: bool,
    /// The key in the machine's TPM signed what is asked.
    pub by_tpm: bool,
    /// The app's version, where the request tells one that the product knows.
    pub version: Option<Version>,
}

/// What is known when `activate` is asked, read in the transaction that saves the answer.
#[derive(Clone, Debug)]
pub struct ActivationFacts<'a> {
    pub product: &'a Product,
    pub license: &'a License,
    /// This device's activation on this license, in whatever state.
    pub known: Option<&'a Activation>,
    /// The oldest seat given back by another device and not yet taken by any: taking it is a transfer.
    pub vacated: Option<ActivationId>,
    /// How many seats other devices gave back that none has taken yet.
    pub vacated_seats: u32,
    /// A block by staff that names this device.
    pub blocked: bool,
    /// The slots of a floating license that are in use.
    pub slots: InUse,
    /// Who holds the seats; needed only where `is_full` says so.
    pub holders: &'a [Holder],
    /// What the user who asks has of the license, where it does not give each user all of it.
    pub user: Option<UserSeats>,
}

/// What a license gives one of its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserSeats {
    pub most: u32,
    /// The user's machines beside the one that asks.
    pub taken: u32,
}

impl ActivationFacts<'_> {
    /// Whether a device without a seat would find none: then `holders` must be there, so that the refusal can name them.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        !self.license.terms.seats.allows_one_more(self.license.seats_taken)
    }

    /// The seat another device gave back that this one would have to take: none while it can have its own again, or one that
    /// nobody ever had.
    fn retakes(&self) -> Option<ActivationId> {
        let own = self
            .known
            .is_some_and(|known| matches!(known.state, ActivationState::Released { counted: true, replaced_by: None, .. }));
        let untouched = self.license.seats_taken.saturating_add(self.vacated_seats);
        self.vacated.filter(|_| !own && !self.license.terms.seats.allows_one_more(untouched))
    }
}

/// A granted activation: what has to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// A seat is taken now; otherwise the device had it already and nothing is used up.
    pub takes_seat: bool,
    /// The vacated seat that this device takes over, which uses up one transfer.
    pub transfer_of: Option<ActivationId>,
    /// The device shows another key than before: its old one is spent.
    pub rebind: bool,
    /// It keeps a slot of a floating license from now on.
    pub keeps_slot: bool,
}

/// Why a license was not granted to a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ActivationRefusal {
    #[error("unknown_key")]
    UnknownKey,
    #[error("wrong_product")]
    WrongProduct,
    #[error("product_disabled")]
    ProductDisabled,
    #[error("version_not_covered")]
    VersionNotCovered { maintenance_until: Timestamp },
    #[error("license_disabled")]
    Disabled,
    #[error("license_archived")]
    Archived,
    #[error("not_started")]
    NotStarted { start: Timestamp },
    #[error("license_expired")]
    Expired { since: Timestamp },
    #[error("trial_expired")]
    TrialExpired { since: Timestamp },
    #[error("seats_exhausted")]
    SeatsExhausted { seats: u32, holders: Vec<Holder> },
    #[error("user_seats_exhausted")]
    UserSeatsExhausted { seats: u32 },
    #[error("transfer_limit")]
    TransferLimit { used: u32 },
    #[error("device_blocked")]
    DeviceBlocked,
    #[error("device_revoked")]
    DeviceRevoked,
    #[error("virtual_machine")]
    VirtualMachine,
    /// The license is for virtual machines or for others.
    #[error("other_kind_of_computer")]
    OtherKind,
    #[error("offline_not_allowed")]
    OfflineNotAllowed,
    #[error("offline_not_for_this_type")]
    OfflineNotForThisType,
    #[error("air_gapped_only")]
    AirGappedOnly,
    #[error("not_air_gapped")]
    NotAirGapped,
    #[error("floating_full")]
    FloatingFull { slots: u32 },
    #[error("rebind_limit")]
    RebindLimit { times: u32 },
    #[error("device_key_required")]
    DeviceKeyRequired,
    #[error("user_proof_required")]
    UserProofRequired,
    #[error("user_credentials_invalid")]
    UserCredentials,
}

impl ActivationRefusal {
    /// One of each, for tables and tests.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let at = Timestamp::from_millis(0);
        alloc::vec![
            Self::UnknownKey,
            Self::WrongProduct,
            Self::ProductDisabled,
            Self::VersionNotCovered { maintenance_until: at },
            Self::Disabled,
            Self::Archived,
            Self::NotStarted { start: at },
            Self::Expired { since: at },
            Self::TrialExpired { since: at },
            Self::SeatsExhausted { seats: 3, holders: Vec::new() },
            Self::UserSeatsExhausted { seats: 2 },
            Self::TransferLimit { used: 2 },
            Self::DeviceBlocked,
            Self::DeviceRevoked,
            Self::VirtualMachine,
            Self::OtherKind,
            Self::OfflineNotAllowed,
            Self::OfflineNotForThisType,
            Self::AirGappedOnly,
            Self::NotAirGapped,
            Self::FloatingFull { slots: 2 },
            Self::RebindLimit { times: 3 },
            Self::DeviceKeyRequired,
            Self::UserProofRequired,
            Self::UserCredentials,
        ]
    }

    /// The stable code, the same in every answer and log.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey => "unknown_key",
            Self::WrongProduct => "wrong_product",
            Self::ProductDisabled => "product_disabled",
            Self::VersionNotCovered { .. } => "version_not_covered",
            Self::Disabled => "license_disabled",
            Self::Archived => "license_archived",
            Self::NotStarted { .. } => "not_started",
            Self::Expired { .. } => "license_expired",
            Self::TrialExpired { .. } => "trial_expired",
            Self::SeatsExhausted { .. } => "seats_exhausted",
            Self::UserSeatsExhausted { .. } => "user_seats_exhausted",
            Self::TransferLimit { .. } => "transfer_limit",
            Self::DeviceBlocked => "device_blocked",
            Self::DeviceRevoked => "device_revoked",
            Self::VirtualMachine => "virtual_machine",
            Self::OtherKind => "other_kind_of_computer",
            Self::OfflineNotAllowed => "offline_not_allowed",
            Self::OfflineNotForThisType => "offline_not_for_this_type",
            Self::AirGappedOnly => "air_gapped_only",
            Self::NotAirGapped => "not_air_gapped",
            Self::FloatingFull { .. } => "floating_full",
            Self::RebindLimit { .. } => "rebind_limit",
            Self::DeviceKeyRequired => "device_key_required",
            Self::UserProofRequired => "user_proof_required",
            Self::UserCredentials => "user_credentials_invalid",
        }
    }
}

/// Whether the license itself may be used now, whoever asks. Everything a new grant and a fresh file both need.
pub fn usable(product: &Product, license: &License, now: Timestamp) -> Result<(), ActivationRefusal> {
    use ActivationRefusal as Refusal;
    if product.id != license.product {
        return Err(Refusal::WrongProduct);
    }
    if product.state != ProductState::Enabled {
        return Err(Refusal::ProductDisabled);
    }
    match license.state {
        LicenseState::Enabled => {}
        LicenseState::Disabled { .. } => return Err(Refusal::Disabled),
        LicenseState::Archived { .. } => return Err(Refusal::Archived),
    }
    if let Some(start) = license.terms.start.filter(|start| now < *start) {
        return Err(Refusal::NotStarted { start });
    }
    if let Some(since) = license.valid_until().filter(|until| *until <= now) {
        return Err(if license.terms.trial { Refusal::TrialExpired { since } } else { Refusal::Expired { since } });
    }
    Ok(())
}

/// May this device have this license? Re-activating a device that holds a seat is the same activation: it costs
/// nothing, unless it becomes another user's.
///
/// Refuses with what stands in the way, the license's own state first, then the device, then the seats.
pub fn activate(facts: &ActivationFacts<'_>, ask: &ActivationAsk<'_>, now: Timestamp) -> Result<Grant, ActivationRefusal> {
    use ActivationRefusal as Refusal;
    let ActivationFacts { product, license, known, .. } = facts;
    usable(product, license, now)?;
    let terms = &license.terms;

    if facts.blocked {
        return Err(Refusal::DeviceBlocked);
    }
    if known.is_some_and(|known| matches!(known.state, ActivationState::Revoked { .. })) {
        return Err(Refusal::DeviceRevoked);
    }
    match (terms.air_gapped, ask.how) {
        (true, How::Online | How::Offline) => return Err(Refusal::AirGappedOnly),
        (false, How::AirGapped) => return Err(Refusal::NotAirGapped),
        _ => {}
    }
    if ask.how != How::Online {
        if !terms.offline_allowed {
            return Err(Refusal::OfflineNotAllowed);
        }
        if ask.licensespring_file && !terms.trial && !product.rules.offline_types.contains(&terms.kind) {
            return Err(Refusal::OfflineNotForThisType);
        }
    }
    if product.rules.refuse_virtual_machines && ask.virtual_machine == Some(true) {
        return Err(Refusal::VirtualMachine);
    }
    if terms.qlm.as_ref().is_some_and(|qlm| !qlm.computer_type.admits(ask.virtual_machine)) {
        return Err(Refusal::OtherKind);
    }
    if let (Some(version), Some(maintenance_until)) = (ask.version, terms.maintenance.instant(license.first_activated))
        && !terms.maintenance.covers(&version, license.first_activated)
    {
        return Err(Refusal::VersionNotCovered { maintenance_until });
    }

    // Every other door would let in whoever knows the key and the machine's id.
    if known.is_some_and(|known| known.tpm_key.is_some()) && !ask.by_tpm {
        return Err(Refusal::DeviceKeyRequired);
    }
    let rebind = match (known.and_then(|known| known.device_key.as_ref()), ask.device_key) {
        (Some(_), None) => return Err(Refusal::DeviceKeyRequired),
        (None, None) if product.rules.device_key == DeviceKeyRule::Required => return Err(Refusal::DeviceKeyRequired),
        (None, None) => false,
        (Some(held), Some(shown)) => held != shown,
        // A machine that holds no seat and has no key has nothing that another key could take over.
        (None, Some(_)) => known.is_some_and(|known| known.state.holds_seat()),
    };
    if rebind {
        let times = known.map_or(0, |known| known.rebinds.at(now));
        if times >= product.rules.rebinds_per_year {
            return Err(Refusal::RebindLimit { times });
        }
    }

    let holds_seat = known.is_some_and(|known| known.state.holds_seat());
    if let Limit::AtMost(seats) = terms.seats
        && !holds_seat
        && facts.is_full()
    {
        return Err(Refusal::SeatsExhausted { seats, holders: facts.holders.to_vec() });
    }
    // Also where the seat is another user's until now: it would be one more of this one's.
    if let Some(user) = facts.user.filter(|user| user.taken >= user.most) {
        return Err(Refusal::UserSeatsExhausted { seats: user.most });
    }
    // A seat without a slot is not enough for a machine that would never ask for one.
    let pool = license.pool(None, now).ok().filter(|_| ask.keeps_slot);
    if let Some(pool) = pool.filter(|pool| !pool.has_room(facts.slots)) {
        return Err(Refusal::FloatingFull { slots: pool.slots });
    }
    let keeps_slot = pool.is_some();
    if holds_seat {
        return Ok(Grant { takes_seat: false, transfer_of: None, rebind, keeps_slot });
    }
    let transfer_of = facts.retakes();
    if transfer_of.is_some() && !terms.transfers.allows_one_more(license.transfers_used) {
        return Err(Refusal::TransferLimit { used: license.transfers_used });
    }
    Ok(Grant { takes_seat: true, transfer_of, rebind, keeps_slot })
}

/// The least a machine holds its seat after its device key became another one.
const REBOUND_HOLD_HOURS: u32 = 24;

/// Which door a release comes through, and what it proved there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseProof<'a> {
    /// Our own request file: signed by this key.
    DeviceKey(&'a DeviceKey),
    /// A LicenseSpring file, its HMAC valid under this API key.
    LicenseSpringFile {
        api_key: &'a str,
        /// The signature covers the request (v2); v1's covers neither request nor product.
        covers_request: bool,
        /// A person answered "release this device?".
        confirmed: bool,
    },
    /// A code of an air-gapped machine. Whoever asks for an initialization code can make it, so what counts is who gave that out.
    AirGap { by_staff: bool },
    /// An app through its API: it names the machine, and proves nothing of it.
    App,
    /// Staff, or an operator.
    Authority,
}

/// Why a seat was not given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ReleaseRefusal {
    #[error("not_activated")]
    NotActivated,
    #[error("not_this_device")]
    NotThisDevice,
    #[error("held_too_short")]
    HeldTooShort { until: Timestamp },
    #[error("release_limit")]
    ReleaseLimit { times: u32 },
    #[error("confirm_release")]
    ConfirmRelease,
    #[error("release_not_proved")]
    NotProved,
}

impl ReleaseRefusal {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotActivated => "not_activated",
            Self::NotThisDevice => "not_this_device",
            Self::HeldTooShort { .. } => "held_too_short",
            Self::ReleaseLimit { .. } => "release_limit",
            Self::ConfirmRelease => "confirm_release",
            Self::NotProved => "release_not_proved",
        }
    }
}

/// What a granted release saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Releasing {
    /// Another device that takes the seat uses up a transfer.
    pub counted: bool,
    /// It came by file and counts towards the year's releases.
    pub by_file: bool,
}

/// May this device give its seat back? Knowing the key, the device id or a file's name proves nothing.
///
/// Refuses when the device holds no seat, when the proof is another device's, and beyond the product's limits for files.
pub fn release(
    product: &Product,
    known: Option<&Activation>,
    proof: &ReleaseProof<'_>,
    now: Timestamp,
) -> Result<Releasing, ReleaseRefusal> {
    let known = known.ok_or(ReleaseRefusal::NotActivated)?;
    match proof {
        ReleaseProof::Authority => {}
        // A machine with a key of its own gives its seat back by that key alone.
        ReleaseProof::App => {
            if known.device_key.is_some() || known.how == How::AirGapped {
                return Err(ReleaseRefusal::NotThisDevice);
            }
        }
        ReleaseProof::AirGap { by_staff } => {
            if known.device_key.is_some() || known.how != How::AirGapped {
                return Err(ReleaseRefusal::NotThisDevice);
            }
            if !by_staff && !product.rules.trust_airgap_deactivation {
                return Err(ReleaseRefusal::NotProved);
            }
        }
        ReleaseProof::DeviceKey(shown) => {
            if known.device_key.as_ref() != Some(*shown) {
                return Err(ReleaseRefusal::NotThisDevice);
            }
        }
        ReleaseProof::LicenseSpringFile { api_key, covers_request, .. } => {
            if known.device_key.is_some() || known.api_key.as_deref().is_none_or(|made_under| made_under != *api_key) {
                return Err(ReleaseRefusal::NotThisDevice);
            }
            if !covers_request && !product.rules.trust_v1_deactivation {
                return Err(ReleaseRefusal::NotProved);
            }
        }
    }
    let ActivationState::Active { since } = known.state else {
        return Err(ReleaseRefusal::NotActivated);
    };
    let by_file = !matches!(proof, ReleaseProof::Authority | ReleaseProof::App | ReleaseProof::AirGap { by_staff: true });
    if by_file {
        let mut until = since.plus_hours(i64::from(product.rules.min_hold_hours));
        if let Some(bound) = known.bound {
            // Key and device id are enough to rebind, and a rebound key would be enough to release: not before someone had the
            // time to notice, however short a seat may be held otherwise.
            let hours = product.rules.min_hold_hours.max(REBOUND_HOLD_HOURS);
            until = until.max(bound.plus_hours(i64::from(hours)));
        }
        if now < until {
            return Err(ReleaseRefusal::HeldTooShort { until });
        }
        let times = known.offline_releases.at(now);
        if times >= product.rules.offline_releases_per_year {
            return Err(ReleaseRefusal::ReleaseLimit { times });
        }
    }
    if let ReleaseProof::LicenseSpringFile { confirmed: false, .. } = proof {
        return Err(ReleaseRefusal::ConfirmRelease);
    }
    Ok(Releasing { counted: true, by_file })
}

/// Why a device got no fresh file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(untagged)]
pub enum RefreshRefusal {
    #[error(transparent)]
    Release(ReleaseRefusal),
    #[error(transparent)]
    License(#[from] ActivationRefusal),
}

impl RefreshRefusal {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Release(refusal) => refusal.code(),
            Self::License(refusal) => refusal.code(),
        }
    }
}

/// May this device have a fresh file for the seat it holds? Takes no seat.
///
/// Refuses when it holds none, when the key shown is not the activation's, and when the license may not be used.
pub fn refresh(
    product: &Product,
    license: &License,
    known: Option<&Activation>,
    device_key: Option<&DeviceKey>,
    blocked: bool,
    now: Timestamp,
) -> Result<(), RefreshRefusal> {
    let known = known.ok_or(RefreshRefusal::Release(ReleaseRefusal::NotActivated))?;
    if known.device_key.as_ref() != device_key {
        return Err(RefreshRefusal::Release(ReleaseRefusal::NotThisDevice));
    }
    if matches!(known.state, ActivationState::Revoked { .. }) {
        return Err(ActivationRefusal::DeviceRevoked.into());
    }
    if !known.state.holds_seat() {
        return Err(RefreshRefusal::Release(ReleaseRefusal::NotActivated));
    }
    if blocked {
        return Err(ActivationRefusal::DeviceBlocked.into());
    }
    usable(product, license, now).map_err(RefreshRefusal::License)
}

/// Why a device that asks about its license is told no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(untagged)]
pub enum CheckRefusal {
    /// No device holds a seat of it.
    #[error("license_not_active")]
    NotActive,
    /// This device holds none.
    #[error("not_activated")]
    NoDevice,
    #[error(transparent)]
    License(#[from] ActivationRefusal),
}

/// Is this device's license good now? Takes nothing and changes nothing. Other than for a new grant, the grace after an expiry counts:
/// running copies go on in it.
pub fn check(
    product: &Product,
    license: &License,
    known: Option<&Activation>,
    blocked: bool,
    now: Timestamp,
) -> Result<(), CheckRefusal> {
    match usable(product, license, now) {
        Err(ActivationRefusal::Expired { .. } | ActivationRefusal::TrialExpired { .. })
            if license.use_ends().is_some_and(|ends| now < ends) => {}
        other => other?,
    }
    if known.is_some_and(|known| matches!(known.state, ActivationState::Revoked { .. })) {
        return Err(ActivationRefusal::DeviceRevoked.into());
    }
    if blocked {
        return Err(ActivationRefusal::DeviceBlocked.into());
    }
    if known.is_some_and(|known| known.state.holds_seat()) {
        return Ok(());
    }
    Err(if license.seats_taken == 0 { CheckRefusal::NotActive } else { CheckRefusal::NoDevice })
}

/// "Can it be activated now?", as a support person asks it: by a device that is new to the license.
pub fn can_be_activated(facts: &ActivationFacts<'_>, now: Timestamp) -> Result<Grant, ActivationRefusal> {
    let ask = ActivationAsk {
        how: if facts.license.terms.air_gapped { How::AirGapped } else { How::Online },
        licensespring_file: false,
        device_key: Some(&ANY_KEY),
        virtual_machine: None,
        keeps_slot: true,
        by_tpm: false,
        version: None,
    };
    activate(facts, &ask, now)
}

static ANY_KEY: DeviceKey = DeviceKey(String::new());

/// How many transfers are left, for pages.
#[must_use]
pub const fn transfers_left(limit: TransferLimit, used: u32) -> Option<u32> {
    match limit {
        TransferLimit::Unlimited => None,
        TransferLimit::Forbidden => Some(0),
        TransferLimit::AtMost(most) => Some(most.saturating_sub(used)),
    }
}

/// Whether LicenseSpring's offline requests can serve this type by default.
#[must_use]
pub const fn is_documented_offline_type(kind: LicenseType, trial: bool) -> bool {
    trial || matches!(kind, LicenseType::Perpetual | LicenseType::Consumption)
}

#[cfg(test)]
mod tests;
