//! What a machine tells beside what it asks: its use so far, and its variables. Taken only of a file whose signature covers it.

use super::StoreError;
use crate::{
    licensing::{
        Timestamp,
        activation::{Activation, kept_variables},
        license::Actor,
        usage::{self, Reported, Usage, WentBack},
    },
    store::{ActivationFactsRow, Conn, NewAudit, Subject},
};

/// What was told of use.
pub(super) enum Told<'a> {
    /// Running totals, as our own files tell them.
    Totals(&'a Usage),
    /// What was used since the last time, of the license (`None`) and its features, as LicenseSpring's files tell it.
    Amounts(&'a [(Option<String>, i64)]),
}

/// Adds what was used to the license's counters and records it. The activation is changed and not saved: the act that goes on with it
/// does that.
pub(super) async fn take_use(
    conn: &mut Conn,
    facts: &mut ActivationFactsRow,
    activation: &mut Activation,
    told: Told<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    facts.license.turn_meters(now);
    let terms = &mut facts.license.terms;
    let reported = match told {
        Told::Totals(usage) => usage::report(&mut activation.use_totals, &mut activation.use_seq, terms, usage),
        Told::Amounts(amounts) => usage::add(terms, amounts),
    };
    if reported.is_nothing() {
        return Ok(());
    }
    let entry = NewAudit {
        at: now,
        subject: Subject::license(facts.license.id.0),
        act: "license.used",
        actor: Actor::Customer,
        before: None,
        after: Some(recorded(activation, &reported)),
    };
    let head = conn.audit(&entry, facts.audit_head.as_deref());
    conn.save_use(&facts.license, &head).await?;
    facts.audit_head = Some(head);
    Ok(())
}

fn recorded(activation: &Activation, reported: &Reported) -> serde_json::Value {
    let mut entry = serde_json::json!({ "device": activation.device.id.as_str() });
    if !reported.added.is_empty() {
        entry["added"] = serde_json::json!(reported.added);
    }
    if !reported.went_back.is_empty() {
        entry[WentBack::CODE] = serde_json::json!(reported.went_back);
    }
    if !reported.ignored.is_empty() {
        entry["not_counted"] = serde_json::json!(reported.ignored);
    }
    entry
}

/// Keeps what an app tells of its machine.
pub(super) async fn take_variables(
    conn: &mut Conn,
    activation: &Activation,
    sent: Vec<(String, String)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if sent.is_empty() {
        return Ok(());
    }
    let there: Vec<String> = conn.variables(activation.id).await?.into_iter().map(|variable| variable.name).collect();
    conn.set_variables(activation.id, &kept_variables(&there, sent), now).await
}
