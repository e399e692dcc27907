//! What is limited beside the license itself (§3, §6): who may call from where, how often a machine is activated; and what of refusals is
//! kept for the vendor to read.

use std::net::IpAddr;

use super::{
    QlmRefused, counted,
    validate::{Asked, Computer},
};
use crate::{
    desk::{
        Desk, Fault, Refusal,
        refusal::{About, new_reference, refuse},
        settings::protect::ProtectSettings,
    },
    licensing::{
        ActivationKey, Timestamp,
        qlm::{ErrorCode, key, protect::Protection},
    },
    store::{ActivationFactsRow, Conn, StoreError},
};

pub(super) const DAY_SECONDS: i64 = 86_400;
/// Refusals of a license that are kept in a day: whoever knows its key can name any computer.
const KEPT_A_DAY: i64 = 50;

/// What is not done from a country that is blocked.
const ACTIVATING: [&str; 4] =
    ["ActivateKey", "ValidateLicenseHttp", "RequestAuthorizationCodeForActivationHttp", "ActivateKeyByAuthorizationCodeHttp"];

/// Whether two methods are one act: what is limited by one name is not done by the other.
pub(super) fn is_same_act(one: &str, other: &str) -> bool {
    const TWINS: [(&str, &str); 2] =
        [("getactivationkeywithexpirydate", "getactivationkey"), ("activatekey", "validatelicensehttp")];
    let act = |name: &str| {
        let name = name.to_ascii_lowercase();
        TWINS.iter().find(|(twin, _)| *twin == name).map_or(name, |(_, act)| (*act).to_owned())
    };
    act(one) == act(other)
}

/// Such a limit, by number and in its words.
pub(super) fn protected(refusal: Protection) -> QlmRefused {
    let refused = QlmRefused::new(refusal.error(), refusal.words().sentence());
    QlmRefused { cause: Some(Refusal::Qlm(refusal)), ..refused }
}

impl Desk {
    /// Whether a method may be called from an address at all, and from a country, where that is known.
    pub fn qlm_admitted(&self, address: Option<IpAddr>, country: Option<&str>, method: &str) -> Result<(), QlmRefused> {
        let settings = self.settings();
        let ProtectSettings { blocked_addresses, admin_methods, admin_addresses, .. } = &settings.qlm.protect;
        let refused = |message: &str| Err(QlmRefused::new(ErrorCode::AddressBlocked, message));
        if address.is_some_and(|address| blocked_addresses.contain(address)) {
            return refused("This server answers nothing from this network address. Ask its vendor.");
        }
        // One of another service is listed by its own name.
        let own = method.rsplit('/').next().unwrap_or(method);
        let activates = ACTIVATING.iter().any(|name| name.eq_ignore_ascii_case(own));
        let blocked = |country: &str| settings.qlm.rules.blocked_countries.iter().any(|code| code.eq_ignore_ascii_case(country));
        if activates && country.is_some_and(blocked) {
            return refused("This server activates nothing from this country. Ask its vendor.");
        }
        let admin = admin_methods.iter().any(|name| is_same_act(name, own));
        if admin && !address.is_some_and(|address| admin_addresses.contain(address)) {
            return refused(
                "This method is not called from this network address. Its vendor can allow it: httpAdminMethodsAllowedIPAddresses.",
            );
        }
        Ok(())
    }

    /// Keeps a refusal that was found by reading; the first of a day for a license and a computer.
    pub(super) async fn note_refusal(&self, about: About, refusal: Refusal) -> Result<(), Fault> {
        let now = self.now();
        if is_noted(&mut self.read().await?, &about, now).await? {
            return Ok(());
        }
        let kept = self.store.write(move |conn| {
            let (about, refusal) = (about.clone(), refusal.clone());
            Box::pin(async move { note_once(conn, &about, refusal, now).await })
        });
        Ok(kept.await?)
    }
}

/// What a refusal is about.
pub(super) fn about(facts: &ActivationFactsRow, on: &Computer) -> About {
    let mut about = About {
        door: "qlm",
        license: Some(facts.license.id),
        key_ends: facts.license.key.as_ref().map(ActivationKey::last_group),
        device: Some(on.device.id.clone()),
        device_name: on.device.name.clone(),
        ..About::default()
    };
    about.product(&facts.product);
    about
}

fn of_computer(about: &About) -> String {
    let license = about.license.map_or(0, |license| license.0);
    counted("kept", &format!("{license}\n{}", about.device.as_ref().map_or("", |device| device.as_str())))
}

fn of_license(about: &About) -> String {
    counted("kept-license", &about.license.map_or(0, |license| license.0).to_string())
}

async fn is_noted(conn: &mut Conn, about: &About, now: Timestamp) -> Result<bool, StoreError> {
    Ok(conn.tries(&of_computer(about), DAY_SECONDS, now).await? > 0
        || conn.tries(&of_license(about), DAY_SECONDS, now).await? >= KEPT_A_DAY)
}

/// Keeps a refusal, once a day for a license and a computer.
pub(super) async fn note_once(conn: &mut Conn, about: &About, refusal: Refusal, now: Timestamp) -> Result<(), StoreError> {
    if is_noted(conn, about, now).await? {
        return Ok(());
    }
    conn.count_try(&of_computer(about), DAY_SECONDS, now).await?;
    conn.count_try(&of_license(about), DAY_SECONDS, now).await?;
    refuse(conn, refusal, about, &new_reference(), now);
    Ok(())
}

/// Whether a call is one activation more of a machine, and not a look whether it still is: it takes a seat, or shows another key than the
/// machine has.
pub(super) fn is_activation(holds: bool, on: &Computer, kept: Option<&str>) -> bool {
    !holds || on.key.is_none() || on.key != kept.map(key::plain)
}

/// Refuses a computer that had its trials, or was activated too often.
pub(super) async fn limited(
    conn: &mut Conn,
    facts: &ActivationFactsRow,
    asked: &Asked,
    protect: &ProtectSettings,
) -> Result<Result<(), Protection>, StoreError> {
    let (limits, device) = (protect.activation_limits(), &asked.on.device);
    let holds = facts.known.as_ref().is_some_and(|known| known.state.holds_seat());
    if !holds && facts.license.terms.trial && limits.trials.is_some() {
        conn.lock_trials(facts.product.id).await?;
        let name = device.name.as_ref().filter(|_| !protect.trials_by_id_only);
        let (product, license, revoked) = (facts.product.id, facts.license.id, protect.counts_revoked_trials);
        let others = conn.other_trials(product, license, &device.id, name, revoked).await?;
        if let Err(refusal) = limits.trial(others) {
            return Ok(Err(refusal));
        }
    }
    let Some(known) = &facts.known else { return Ok(limits.again(device.virtual_machine, 0)) };
    let virtual_machine = device.virtual_machine.or(known.device.virtual_machine);
    if !limits.counts(virtual_machine) {
        return Ok(Ok(()));
    }
    let kept = conn.computer_key(known.id).await?;
    if !is_activation(holds, &asked.on, kept.as_deref()) {
        return Ok(Ok(()));
    }
    Ok(limits.again(virtual_machine, conn.activation_count(known.id).await?))
}
