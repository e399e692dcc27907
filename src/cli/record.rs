//! `audit`, `refusal` and `export`: what happened, and whole lists.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Place,
    outcome::{CliError, Done, facts, not_found, table},
};
use crate::{
    desk::{Exported, Visitor},
    licensing::{Timestamp, license::Actor},
    store::{AuditEntry, AuditFilter, Subject},
};

const STAFF: Visitor = Visitor::Operator;

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// What was done, newest first
    List {
        /// About what: a kind (`license`, `product`, …), or one thing (`license:12`)
        #[arg(long, value_name = "SUBJECT", value_parser = subject)]
        subject: Option<About>,
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// Whether every chain of entries is whole
    Verify,
}

#[derive(Clone, Debug)]
pub(super) struct About(String, Option<i64>);

fn subject(text: &str) -> Result<About, String> {
    let (kind, id) = match text.split_once(':') {
        Some((kind, id)) => (kind, Some(id.parse().map_err(|_| "this is written as KIND or KIND:NUMBER".to_owned())?)),
        None => (text, None),
    };
    if Subject::KINDS.contains(&kind) {
        Ok(About(kind.to_owned(), id))
    } else {
        Err(format!("this is one of {}", Subject::KINDS.join(", ")))
    }
}

pub(super) async fn run_audit(place: &Place, command: AuditCommand) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        AuditCommand::List { subject, limit } => {
            let subject = subject.map(|About(kind, id)| (kind, id));
            let filter = AuditFilter { subject, limit: i64::from(limit), ..AuditFilter::default() };
            let page = desk.audit(&STAFF, &filter).await?;
            let value = page.rows.iter().map(entry_value).collect();
            let rows: Vec<_> = page
                .rows
                .iter()
                .map(|entry| {
                    let about = format!("{} {}", entry.subject_kind, entry.subject_id);
                    vec![entry.at.to_rfc3339(), entry.act.clone(), about, who(&entry.actor)]
                })
                .collect();
            Ok(Done::new(value, table(&["at", "act", "about", "by"], &rows)))
        }
        AuditCommand::Verify => {
            let report = desk.verify_audit(&STAFF).await?;
            let (entries, broken) = (report.entries, &report.broken);
            let breaks = broken.iter().map(|broken| {
                json!({
                    "entry": broken.entry,
                    "subject": { "kind": broken.subject_kind, "id": broken.subject_id },
                    "why": broken.why,
                })
            });
            let checkpoints = json!({
                "count": report.checkpoints,
                "newest": report.newest.map(Timestamp::to_rfc3339),
                "fault": report.fault.as_ref().map(|fault| json!({ "at": fault.at.to_rfc3339(), "why": fault.why })),
            });
            let breaks: Value = breaks.collect();
            let mut value =
                json!({ "entries": entries, "whole": report.is_whole(), "broken": breaks, "checkpoints": checkpoints });
            if report.is_whole() {
                let sealed = report.newest.map_or_else(
                    || "No checkpoint was made yet; a running portal makes one a day.".to_owned(),
                    |newest| format!("The newest of {} checkpoints is of {}.", report.checkpoints, newest.to_rfc3339()),
                );
                return Ok(Done::new(value, format!("All {entries} entries are whole and in their order. {sealed}")));
            }
            let mut lines: Vec<String> = broken
                .iter()
                .map(|broken| {
                    format!("Entry {} about {} {}: {}.", broken.entry, broken.subject_kind, broken.subject_id, broken.why)
                })
                .collect();
            lines.extend(report.fault.map(|fault| format!("Checkpoint of {}: {}.", fault.at.to_rfc3339(), fault.why)));
            let message = "The audit log was changed. Compare it with a backup from before that.";
            value["error"] = json!({ "code": "audit_broken", "message": message });
            Ok(Done::new(value, format!("{}\n{message}", lines.join("\n"))).refused())
        }
    }
}

fn entry_value(entry: &AuditEntry) -> Value {
    let read = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    json!({
        "id": entry.id,
        "at": entry.at.to_rfc3339(),
        "subject": { "kind": entry.subject_kind, "id": entry.subject_id },
        "act": entry.act,
        "actor": entry.actor,
        "before": read(&entry.before),
        "after": read(&entry.after),
    })
}

fn who(actor: &Actor) -> String {
    match actor {
        Actor::Customer => "customer".to_owned(),
        Actor::Staff { email, .. } => email.clone(),
        Actor::Operator => "operator".to_owned(),
        Actor::ApiKey { name } => format!("API key {name}"),
        Actor::Extension { name } => format!("extension {name}"),
        Actor::System => "system".to_owned(),
    }
}

#[derive(Subcommand)]
pub(super) enum RefusalCommand {
    /// What a customer's error page was about, by its reference
    Show { reference: String },
}

pub(super) async fn run_refusal(place: &Place, command: RefusalCommand) -> Result<Done, CliError> {
    let RefusalCommand::Show { reference } = command;
    let none = not_found("There is no refusal with this reference.");
    let view = place.open().await?.refusal(&STAFF, &reference).await.map_err(none)?;
    let what = view.attempt.what;
    let detail: Value = serde_json::from_str(&what.detail).unwrap_or_default();
    let value = json!({
        "reference": what.reference,
        "at": what.at.to_rfc3339(),
        "door": what.door,
        "code": what.code,
        "product": what.product_code,
        "license": what.license.map(|id| id.0),
        "key": view.license_key,
        "key_ends": what.key_ends,
        "device_id": what.device_id,
        "device_name": what.device_name,
        "detail": detail,
    });
    let text = facts(&[
        ("Reference", what.reference),
        ("At", what.at.to_rfc3339()),
        ("Through", what.door),
        ("Refused for", what.code),
        ("Product", what.product_code.unwrap_or_default()),
        ("Key", view.license_key.or(what.key_ends.map(|ends| format!("…{ends}"))).unwrap_or_default()),
        ("Computer id", what.device_id.unwrap_or_default()),
        ("Computer name", what.device_name.unwrap_or_default()),
    ]);
    Ok(Done::new(value, text))
}

#[derive(Args)]
pub(super) struct ExportOptions {
    /// licenses, orders, customers or devices
    #[arg(value_name = "WHAT", value_parser = exported)]
    what: Exported,
    #[arg(long, value_name = "FORMAT", value_parser = ["csv", "json"], default_value = "csv")]
    format: String,
}

fn exported(text: &str) -> Result<Exported, String> {
    Exported::parse(text).ok_or_else(|| "this is licenses, orders, customers or devices".to_owned())
}

pub(super) async fn run_export(place: &Place, options: ExportOptions) -> Result<Done, CliError> {
    let table = place.open().await?.export(&STAFF, options.what).await?;
    let value = table.to_json();
    let text = if options.format == "json" { format!("{value:#}") } else { table.to_csv() };
    Ok(Done::new(value, text))
}
