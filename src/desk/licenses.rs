//! What staff does with a license: edit, renew, disable, enable, archive; free, revoke, allow or block a machine; a file again.

use super::{ActError, Area, Desk, Level, Visitor, answer::give_back, letters::RenewalLetter, qlm::is_upgraded};
use crate::{
    licensing::{
        ActivationKey, Date, DeviceId, Email, LicenseId, ProductCode, Timestamp,
        activation::{Activation, ActivationState},
        decide::{self, ReleaseProof},
        license::{Actor, Expiry, Floating, License, LicenseState, LicenseType, Limit, Maintenance, Terms, TransferLimit},
    },
    store::{ActivationFactsRow, Conn, NewAudit, StoreError, Subject},
};

/// What may be edited; what is not given stays.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    pub kind: Option<LicenseType>,
    pub seats: Option<Limit>,
    pub start: Option<Option<Timestamp>>,
    pub expiry: Option<Expiry>,
    pub grace_hours: Option<u32>,
    pub maintenance: Option<Maintenance>,
    pub transfers: Option<TransferLimit>,
    pub offline_allowed: Option<bool>,
    pub floating: Option<Option<Floating>>,
    pub note: Option<String>,
    pub terms: Option<Terms>,
}

/// A new end.
#[derive(Clone, Copy, Debug)]
pub enum Renewal {
    Until(Date),
    /// Days more: from the present end, or from now where that is past.
    Days(u32),
}

const NEVER_CHANGES: &str = "The terms of an air-gapped license never change, and no other becomes one: its machines read them from a file and would not hear \
                             of it. Issue another license, and disable this one if it must not be used any more.";
const NO_END: &str = "This license has no end to count days from, so more days would shorten it. Name its last day instead.";

/// How an act on a locked license ends inside its transaction.
pub(super) enum Done<T> {
    Ok(T),
    NotFound,
    Refused(ActError),
}

impl Desk {
    /// The one license with a key, whichever product it is of. Refuses when several products have it.
    pub async fn license_id(&self, key: &ActivationKey) -> Result<LicenseId, ActError> {
        let mut found = self.read().await?.licenses_with_key(key).await?;
        match found.len() {
            0 => Err(ActError::NotFound),
            1 => Ok(found.remove(0).0.id),
            _ => Err(ActError::WhichProduct(found.into_iter().map(|(_, product)| product).collect())),
        }
    }

    /// The license with a key in one product.
    pub async fn license_id_in(&self, key: &ActivationKey, product: &ProductCode) -> Result<LicenseId, ActError> {
        let found = self.read().await?.licenses_with_key(key).await?;
        let of_product = found.into_iter().find(|(_, found)| found.code == *product);
        of_product.map(|(license, _)| license.id).ok_or(ActError::NotFound)
    }

    /// Changes limits and facts. The state stays as it is, and so do the seats that are taken.
    pub async fn edit_license(&self, visitor: &Visitor, id: LicenseId, edit: Edit) -> Result<(), ActError> {
        self.change(visitor, id, "license.edited", move |license| {
            let edit = edit.clone();
            let terms = &mut license.terms;
            if let Some(new) = edit.terms {
                *terms = new;
            }
            terms.kind = edit.kind.unwrap_or(terms.kind);
            terms.seats = edit.seats.unwrap_or(terms.seats);
            terms.start = edit.start.unwrap_or(terms.start);
            terms.expiry = edit.expiry.unwrap_or(terms.expiry);
            terms.grace_hours = edit.grace_hours.unwrap_or(terms.grace_hours);
            terms.maintenance = edit.maintenance.unwrap_or(terms.maintenance);
            terms.transfers = edit.transfers.unwrap_or(terms.transfers);
            terms.offline_allowed = edit.offline_allowed.unwrap_or(terms.offline_allowed);
            terms.floating = edit.floating.unwrap_or(terms.floating);
            if let Some(note) = edit.note {
                license.note = note;
            }
            Ok(())
        })
        .await
    }

    /// As `edit_license`, for terms that are changed in place. Refuses what `edit` refuses.
    pub async fn edit_terms(
        &self,
        visitor: &Visitor,
        id: LicenseId,
        note: Option<String>,
        edit: impl Fn(&mut Terms) -> Result<(), ActError> + Clone + Send + Sync + 'static,
    ) -> Result<(), ActError> {
        self.change(visitor, id, "license.edited", move |license| {
            edit(&mut license.terms)?;
            if let Some(note) = &note {
                license.note.clone_from(note);
            }
            Ok(())
        })
        .await
    }

    /// Gives the license a new end. It stays disabled if it is. Refuses an end that is past.
    pub async fn renew_license(
        &self,
        visitor: &Visitor,
        id: LicenseId,
        renewal: Renewal,
        maintenance: Option<Date>,
    ) -> Result<Timestamp, ActError> {
        let now = self.now();
        self.change(visitor, id, "license.renewed", move |license| {
            let until = match renewal {
                Renewal::Until(date) => date.end(),
                Renewal::Days(days) => license.renewed_end(days, now).ok_or_else(|| ActError::field("valid_days", NO_END))?,
            };
            license.renew(until, maintenance.map(Date::end), now).map_err(|past| ActError::field("valid_until", past.to_string()))
        })
        .await?;
        let license = self.read().await?.license(id).await?.ok_or(ActError::NotFound)?.0;
        Ok(license.valid_until().unwrap_or(now))
    }

    pub async fn disable_license(&self, visitor: &Visitor, id: LicenseId, reason: String) -> Result<(), ActError> {
        let (now, by) = (self.now(), visitor.actor());
        self.state(visitor, id, "license.disabled", move |state| state.disable(by.clone(), reason.clone(), now)).await
    }

    pub async fn enable_license(&self, visitor: &Visitor, id: LicenseId) -> Result<(), ActError> {
        self.state(visitor, id, "license.enabled", LicenseState::enable).await
    }

    pub async fn archive_license(&self, visitor: &Visitor, id: LicenseId, reason: String) -> Result<(), ActError> {
        let (now, by) = (self.now(), visitor.actor());
        self.state(visitor, id, "license.archived", move |state| state.archive(by.clone(), reason.clone(), now)).await
    }

    async fn state(
        &self,
        visitor: &Visitor,
        id: LicenseId,
        act: &'static str,
        step: impl Fn(LicenseState) -> Result<LicenseState, crate::licensing::license::TransitionError>
        + Clone
        + Send
        + Sync
        + 'static,
    ) -> Result<(), ActError> {
        self.change(visitor, id, act, move |license| {
            license.state = step(license.state.clone())?;
            Ok(())
        })
        .await
    }

    /// Locks a license, changes it, and records what is different.
    async fn change(
        &self,
        visitor: &Visitor,
        id: LicenseId,
        act: &'static str,
        edit: impl Fn(&mut License) -> Result<(), ActError> + Clone + Send + Sync + 'static,
    ) -> Result<(), ActError> {
        self.change_all(visitor, vec![id], act, edit).await
    }

    /// The same of several licenses: all of them or, where one is refused, none.
    pub(super) async fn change_all(
        &self,
        visitor: &Visitor,
        ids: Vec<LicenseId>,
        act: &'static str,
        edit: impl Fn(&mut License) -> Result<(), ActError> + Clone + Send + Sync + 'static,
    ) -> Result<(), ActError> {
        self.change_these(visitor, Change::of(act), false, ids, edit).await
    }

    /// The same for shops, of licenses that nothing took the place of meanwhile. An act with a name is done once.
    pub(super) async fn change_all_once(
        &self,
        visitor: &Visitor,
        change: Change,
        ids: Vec<LicenseId>,
        edit: impl Fn(&mut License) -> Result<(), ActError> + Clone + Send + Sync + 'static,
    ) -> Result<(), ActError> {
        self.change_these(visitor, change, true, ids, edit).await
    }

    async fn change_these(
        &self,
        visitor: &Visitor,
        change: Change,
        only_newest: bool,
        mut ids: Vec<LicenseId>,
        edit: impl Fn(&mut License) -> Result<(), ActError> + Clone + Send + Sync + 'static,
    ) -> Result<(), ActError> {
        visitor.needs(Area::Licenses, Level::Manage)?;
        // In one order, so that no two such acts wait for each other.
        ids.sort_by_key(|id| id.0);
        ids.dedup();
        let (now, actor, mails) = (self.now(), visitor.actor(), change.letter.is_some());
        let done = self.store.write(move |conn| {
            let (actor, edit, ids, change) = (actor.clone(), edit.clone(), ids.clone(), change.clone());
            Box::pin(async move {
                let Change { act, once, letter } = change;
                let mut renewed = Vec::new();
                if let Some(Once { name, whose }) = &once
                    && !conn.keep_form_result(name, whose, "", now).await?
                {
                    return Ok(());
                }
                for id in ids {
                    // Read before the act began, and upgraded since: the time would be given to what nobody has any more.
                    let locked = if only_newest { conn.lock_license(id).await? } else { None };
                    if locked.is_some_and(|(license, ..)| is_upgraded(&license)) && conn.upgraded_to(id).await?.is_some() {
                        let message = "This license was upgraded at the same moment. Send it again.";
                        return Err(StoreError::gave_up(NotChanged(ActError::field("is_avkey", message))));
                    }
                    let before = if letter.is_some() { end_of(conn, id).await? } else { None };
                    match change_in(conn, id, act, &actor, &edit, now).await? {
                        Done::Ok(()) => {}
                        Done::NotFound => return Err(StoreError::gave_up(NotChanged(ActError::NotFound))),
                        Done::Refused(error) => return Err(StoreError::gave_up(NotChanged(error))),
                    }
                    // A day more or less is no renewal: shops count months as they like.
                    let after = if letter.is_some() { end_of(conn, id).await? } else { None };
                    if after.is_some_and(|after| before.is_none_or(|before| after >= before.plus_days(2))) {
                        renewed.push(id);
                    }
                }
                if let Some(letter) = letter {
                    letter.write(conn, &renewed, now).await?;
                }
                Ok(())
            })
        });
        match done.await {
            Ok(()) => {
                if mails {
                    self.message_waits();
                }
                Ok(())
            }
            Err(StoreError::GaveUp(why)) => match why.downcast::<NotChanged>() {
                Ok(refused) => Err(refused.0),
                Err(why) => Err(StoreError::GaveUp(why).into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Frees a machine's seat on staff's word. It may come back through any door.
    pub async fn release_device(&self, visitor: &Visitor, id: LicenseId, device: &DeviceId) -> Result<(), ActError> {
        self.with_device(visitor, id, device, |conn, facts, known, actor, now| {
            Box::pin(async move {
                match decide::release(&facts.product, Some(&known), &ReleaseProof::Authority, now) {
                    Ok(releasing) => {
                        conn.forget_activations(known.id).await?;
                        give_back(conn, facts, known, releasing, actor, now).await?;
                        Ok(Done::Ok(()))
                    }
                    Err(_) => Ok(Done::Refused(crate::licensing::license::TransitionError::NotActive.into())),
                }
            })
        })
        .await
    }

    /// Frees the seat and bars the machine until it is allowed again.
    pub async fn revoke_device(
        &self,
        visitor: &Visitor,
        id: LicenseId,
        device: &DeviceId,
        reason: String,
    ) -> Result<(), ActError> {
        self.with_device(visitor, id, device, move |conn, mut facts, mut known, actor, now| {
            let reason = reason.clone();
            Box::pin(async move {
                if known.state.holds_seat() {
                    facts.license.seats_taken = facts.license.seats_taken.saturating_sub(1);
                }
                known.state = known.state.clone().revoke(actor.clone(), reason.clone(), now);
                conn.save_activation(&known).await?;
                seats_changed(conn, &facts, "device.revoked", &known, Some(&reason), actor, now).await?;
                Ok(Done::Ok(()))
            })
        })
        .await
    }

    /// Lets a barred or blocked machine back in; it holds no seat until it activates.
    pub async fn allow_device(&self, visitor: &Visitor, id: LicenseId, device: &DeviceId) -> Result<(), ActError> {
        visitor.needs(Area::Licenses, Level::Manage)?;
        let (now, actor, device) = (self.now(), visitor.actor(), device.clone());
        let done = self
            .store
            .write(move |conn| {
                let (actor, device) = (actor.clone(), device.clone());
                Box::pin(async move {
                    let Some(facts) = conn.facts_by_license(id, &device).await? else { return Ok(Done::NotFound) };
                    let lifted = conn.allow_device(id, &device).await?;
                    let mut known = facts.known.clone();
                    let mut allowed = false;
                    if let Some(known) = known.as_mut().filter(|known| matches!(known.state, ActivationState::Revoked { .. })) {
                        known.state = known.state.clone().allow(actor.clone(), now).unwrap_or_else(|_| known.state.clone());
                        known.unbind();
                        conn.save_activation(known).await?;
                        allowed = true;
                    }
                    if !lifted && !allowed {
                        return Ok(Done::Refused(crate::licensing::license::TransitionError::NotRevoked.into()));
                    }
                    device_audit(conn, &facts, "device.allowed", &device, actor, now).await?;
                    Ok(Done::Ok(()))
                })
            })
            .await?;
        finish(done)
    }

    /// Keeps a machine off a license, whether it was ever on it or not. A seat it holds stays until it is revoked.
    pub async fn block_device(&self, visitor: &Visitor, id: LicenseId, device: &DeviceId) -> Result<(), ActError> {
        visitor.needs(Area::Licenses, Level::Manage)?;
        let (now, actor, device) = (self.now(), visitor.actor(), device.clone());
        let done = self
            .store
            .write(move |conn| {
                let (actor, device) = (actor.clone(), device.clone());
                Box::pin(async move {
                    let Some(facts) = conn.facts_by_license(id, &device).await? else { return Ok(Done::NotFound) };
                    if !facts.blocked {
                        conn.block_device(id, &device, now).await?;
                        device_audit(conn, &facts, "device.blocked", &device, actor, now).await?;
                    }
                    Ok(Done::Ok(()))
                })
            })
            .await?;
        finish(done)
    }

    /// Allows a user of a license so many of its machines; as many as it has where `seats` is none. Nothing that runs is touched.
    pub async fn set_user_seats(
        &self,
        visitor: &Visitor,
        id: LicenseId,
        email: &Email,
        seats: Option<u32>,
    ) -> Result<(), ActError> {
        visitor.needs(Area::Licenses, Level::Manage)?;
        let (now, actor, email) = (self.now(), visitor.actor(), email.clone());
        let done = self
            .store
            .write(move |conn| {
                let (actor, email) = (actor.clone(), email.clone());
                Box::pin(async move {
                    let Some((_, _, head)) = conn.lock_license(id).await? else { return Ok(Done::NotFound) };
                    let Some(user) = conn.user_of_license(id, &email.folded()).await? else { return Ok(Done::NotFound) };
                    if user.seats == seats {
                        return Ok(Done::Ok(()));
                    }
                    conn.set_user_seats(id, &email, seats).await?;
                    let told = |seats: Option<u32>| serde_json::json!({ "user": email.as_str(), "seats": seats });
                    let entry = NewAudit {
                        at: now,
                        subject: Subject::license(id.0),
                        act: "license.user_seats",
                        actor,
                        before: Some(told(user.seats)),
                        after: Some(told(seats)),
                    };
                    let head = conn.audit(&entry, head.as_deref());
                    conn.set_audit_head(id, &head).await?;
                    Ok(Done::Ok(()))
                })
            })
            .await?;
        finish(done)
    }

    /// Frees every machine and sets consumption to zero.
    pub async fn reset_license(&self, visitor: &Visitor, id: LicenseId) -> Result<u32, ActError> {
        visitor.needs(Area::Licenses, Level::Manage)?;
        let (now, actor) = (self.now(), visitor.actor());
        let done = self
            .store
            .write(move |conn| {
                let actor = actor.clone();
                Box::pin(async move {
                    let Some((mut license, _, head)) = conn.lock_license(id).await? else { return Ok(Done::NotFound) };
                    let taken = license.seats_taken;
                    for mut activation in conn.activations(id, i64::MAX).await? {
                        if let Ok(state) = activation.state.clone().release(actor.clone(), false, now) {
                            activation.state = state;
                            activation.unbind();
                            conn.save_activation(&activation).await?;
                        }
                    }
                    license.seats_taken = 0;
                    if let Some(meter) = &mut license.terms.meter {
                        meter.used = 0;
                    }
                    for meter in license.terms.entitlements.iter_mut().filter_map(|entitlement| entitlement.meter.as_mut()) {
                        meter.used = 0;
                    }
                    let entry = NewAudit {
                        at: now,
                        subject: Subject::license(id.0),
                        act: "license.reset",
                        actor,
                        before: Some(serde_json::json!({ "seats_taken": taken })),
                        after: Some(serde_json::json!({ "seats_taken": 0 })),
                    };
                    let head = conn.audit(&entry, head.as_deref());
                    conn.save_license(&license, Some(&head)).await?;
                    Ok(Done::Ok(taken))
                })
            })
            .await?;
        finish(done)
    }

    async fn with_device(
        &self,
        visitor: &Visitor,
        id: LicenseId,
        device: &DeviceId,
        act: impl for<'c> Fn(
            &'c mut Conn,
            ActivationFactsRow,
            Activation,
            Actor,
            Timestamp,
        ) -> futures::future::BoxFuture<'c, Result<Done<()>, StoreError>>
        + Clone
        + Send
        + Sync
        + 'static,
    ) -> Result<(), ActError> {
        visitor.needs(Area::Licenses, Level::Manage)?;
        let (now, actor, device) = (self.now(), visitor.actor(), device.clone());
        let done = self
            .store
            .write(move |conn| {
                let (actor, device, act) = (actor.clone(), device.clone(), act.clone());
                Box::pin(async move {
                    let Some(facts) = conn.facts_by_license(id, &device).await? else { return Ok(Done::NotFound) };
                    let Some(known) = facts.known.clone() else { return Ok(Done::NotFound) };
                    act(conn, facts, known, actor, now).await
                })
            })
            .await?;
        finish(done)
    }
}

pub(super) fn finish<T>(done: Done<T>) -> Result<T, ActError> {
    match done {
        Done::Ok(value) => Ok(value),
        Done::NotFound => Err(ActError::NotFound),
        Done::Refused(error) => Err(error),
    }
}

async fn seats_changed(
    conn: &mut Conn,
    facts: &ActivationFactsRow,
    act: &'static str,
    known: &Activation,
    reason: Option<&str>,
    actor: Actor,
    now: Timestamp,
) -> Result<(), StoreError> {
    let entry = NewAudit {
        at: now,
        subject: Subject::license(facts.license.id.0),
        act,
        actor,
        before: Some(serde_json::json!({ "device": known.device.id.as_str() })),
        after: Some(serde_json::json!({ "seats_taken": facts.license.seats_taken, "reason": reason })),
    };
    let head = conn.audit(&entry, facts.audit_head.as_deref());
    conn.save_seats(&facts.license, &head).await
}

pub(super) async fn device_audit(
    conn: &mut Conn,
    facts: &ActivationFactsRow,
    act: &'static str,
    device: &DeviceId,
    actor: Actor,
    now: Timestamp,
) -> Result<(), StoreError> {
    let after = Some(serde_json::json!({ "device": device.as_str() }));
    let entry = NewAudit { at: now, subject: Subject::license(facts.license.id.0), act, actor, before: None, after };
    let head = conn.audit(&entry, facts.audit_head.as_deref());
    conn.save_seats(&facts.license, &head).await
}

/// Why a license was not changed; for taking the transaction back.
#[derive(Debug, thiserror::Error)]
#[error("a license was not changed")]
struct NotChanged(ActError);

/// An act on several licenses.
#[derive(Clone)]
pub(super) struct Change {
    pub act: &'static str,
    /// By this name it is done once.
    pub once: Option<Once>,
    /// Goes to whoever has those that end later for it, and are good.
    pub letter: Option<RenewalLetter>,
}

impl Change {
    pub const fn of(act: &'static str) -> Self {
        Self { act, once: None, letter: None }
    }

    pub fn once(self, once: Option<Once>) -> Self {
        Self { once, ..self }
    }
}

async fn end_of(conn: &mut Conn, id: LicenseId) -> Result<Option<Timestamp>, StoreError> {
    Ok(conn.license(id).await?.and_then(|(license, ..)| license.terms.expiry.instant(license.first_activated)))
}

/// The name of an act that is done once.
#[derive(Clone)]
pub(super) struct Once {
    name: String,
    whose: &'static str,
}

impl Once {
    /// By a call, which may mean another a day later.
    pub fn call(name: String) -> Self {
        Self { name, whose: "call" }
    }

    /// By an event that a shop told, which is the same for ever.
    pub fn event(name: String) -> Self {
        Self { name, whose: crate::store::NAMES_OF_EVENTS }
    }
}

pub(super) async fn change_in(
    conn: &mut Conn,
    id: LicenseId,
    act: &'static str,
    actor: &Actor,
    edit: &(impl Fn(&mut License) -> Result<(), ActError> + Send + Sync),
    now: Timestamp,
) -> Result<Done<()>, StoreError> {
    let Some((before, _, head)) = conn.lock_license(id).await? else { return Ok(Done::NotFound) };
    let mut license = before.clone();
    if let Err(error) = edit(&mut license) {
        return Ok(Done::Refused(error));
    }
    if (before.terms.air_gapped || license.terms.air_gapped) && license.terms != before.terms {
        return Ok(Done::Refused(ActError::field("terms", NEVER_CHANGES)));
    }
    // Days from the issue count from when it was, whenever they are given.
    license.terms.expiry = license.terms.expiry.issued(license.created);
    let (old, new) = difference(&facts_of(&before), &facts_of(&license));
    if old == new {
        return Ok(Done::Ok(()));
    }
    let subject = Subject::license(id.0);
    let entry = NewAudit { at: now, subject, act, actor: actor.clone(), before: Some(old), after: Some(new) };
    let head = conn.audit(&entry, head.as_deref());
    conn.save_license(&license, Some(&head)).await?;
    if before.terms.floating.is_none() && license.terms.floating.is_some() {
        conn.keep_slots_of_silent(id).await?;
    }
    Ok(Done::Ok(()))
}

/// A license as the audit log shows it: what staff can change.
fn facts_of(license: &License) -> serde_json::Value {
    let mut facts = serde_json::to_value(&license.terms).unwrap_or_default();
    if let Some(members) = facts.as_object_mut() {
        members.insert("state".to_owned(), serde_json::to_value(&license.state).unwrap_or_default());
        members.insert("note".to_owned(), license.note.clone().into());
    }
    facts
}

/// Only the members that differ.
pub(super) fn difference(before: &serde_json::Value, after: &serde_json::Value) -> (serde_json::Value, serde_json::Value) {
    let (mut old, mut new) = (serde_json::Map::new(), serde_json::Map::new());
    if let (Some(before), Some(after)) = (before.as_object(), after.as_object()) {
        for (name, value) in before {
            if after.get(name) != Some(value) {
                old.insert(name.clone(), value.clone());
            }
        }
        for (name, value) in after {
            if before.get(name) != Some(value) {
                new.insert(name.clone(), value.clone());
            }
        }
    }
    (old.into(), new.into())
}
