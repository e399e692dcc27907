//! What happened: the audit log, and the refusals that customers were told of.

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::{
    common::{draw, event, of},
    csv_file,
};
use crate::{
    app::{
        ui::Tone,
        vendor::{
            Address, AuditPage, AuditVerdict, AuditView, Paging, RefusalListView, RefusalRecordPage, RefusalRecordView,
            RefusalRow, RefusalsPage,
        },
    },
    desk::{ActError, AuditReport, Visitor},
    licensing::{
        decide::{ActivationRefusal, ReleaseRefusal},
        words::Words,
    },
    server::{AppState, forms::pairs, page::act_problem, path::Path, session::Staff},
    store::{Attempt, AttemptFilter, AuditFilter, Subject},
};

const ROWS: i64 = 50;

fn audit_filter(query: &[(String, String)], limit: i64) -> AuditFilter {
    let kind = Some(of(query, "kind").to_owned()).filter(|kind| Subject::KINDS.contains(&kind.as_str()));
    let id = of(query, "id").parse().ok();
    let search = Some(of(query, "q").to_owned()).filter(|text| !text.is_empty());
    let key = |name: &str| of(query, name).parse().ok();
    AuditFilter { search, subject: kind.map(|kind| (kind, id)), after: key("after"), before: key("before"), limit }
}

pub async fn audit(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    match read_audit(&state, &visitor, &query).await {
        Ok(view) => draw(&state, StatusCode::OK, &visitor, "", |vendor| view! { <AuditPage vendor=vendor view=view/> }),
        Err(error) => act_problem(&state, error),
    }
}

async fn read_audit(state: &AppState, visitor: &Visitor, query: &[(String, String)]) -> Result<AuditView, ActError> {
    let page = state.desk.audit(visitor, &audit_filter(query, ROWS)).await?;
    // The whole log is read for this, so only when it is asked for.
    let checked = if of(query, "check").is_empty() { None } else { Some(state.desk.verify_audit(visitor).await?) };
    let names = state.desk.subject_names(visitor, &page.rows).await?;
    let kinds = Subject::KINDS.iter().map(|kind| ((*kind).to_owned(), kind_words(kind).to_owned()));
    Ok(AuditView {
        address: Address::new("/vendor/audit")
            .with("q", of(query, "q"))
            .with("kind", of(query, "kind"))
            .with("id", of(query, "id")),
        rows: page.rows.iter().map(|entry| event(entry, Some((&names, visitor)))).collect(),
        paging: Paging { total: None, before: page.previous, after: page.next },
        kinds: kinds.collect(),
        checked: checked.map(|report| verdict(&report)),
        now: state.desk.now(),
    })
}

fn kind_words(kind: &'static str) -> &'static str {
    match kind {
        "license" => "licenses",
        "product" => "products",
        "bundle" => "bundles",
        "extension" => "extensions",
        "customer_account" => "customer accounts",
        "order" => "orders",
        "customer" => "customers",
        "staff" => "team",
        "setting" => "settings",
        "api_key" => "API keys",
        "oauth_client" => "OAuth clients",
        "seal" => "signing keys",
        other => other,
    }
}

fn verdict(report: &AuditReport) -> AuditVerdict {
    let broken = report.broken.iter().take(20).map(|found| {
        format!("The log of {} {} breaks at entry {}: {}.", found.subject_kind, found.subject_id, found.entry, found.why)
    });
    let fault =
        report.fault.as_ref().map(|fault| format!("The checkpoint of {} does not hold: {}.", fault.at.to_rfc3339(), fault.why));
    AuditVerdict { entries: report.entries, sealed: report.newest, faults: broken.chain(fault).collect() }
}

pub async fn audit_csv(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let mut filter = AuditFilter { after: None, before: None, ..audit_filter(&query, 1000) };
    let mut rows = Vec::new();
    loop {
        match state.desk.audit(&visitor, &filter).await {
            Ok(page) => {
                rows.extend(page.rows.iter().map(|entry| {
                    vec![
                        entry.id.to_string(),
                        entry.at.to_rfc3339(),
                        super::common::actor(&entry.actor),
                        entry.act.clone(),
                        entry.subject_kind.clone(),
                        entry.subject_id.to_string(),
                        entry.before.clone().unwrap_or_default(),
                        entry.after.clone().unwrap_or_default(),
                    ]
                }));
                filter.after = page.next.and_then(|next| next.parse().ok());
                if filter.after.is_none() || rows.len() >= 100_000 {
                    break;
                }
            }
            Err(error) => return act_problem(&state, error),
        }
    }
    csv_file::respond("audit.csv", &["id", "at", "actor", "act", "subject", "subject_id", "before", "after"], rows)
}

fn attempt_filter(query: &[(String, String)], limit: i64) -> AttemptFilter {
    let search = Some(of(query, "q").to_owned()).filter(|text| !text.is_empty());
    let key = |name: &str| of(query, name).parse().ok();
    AttemptFilter { search, after: key("after"), before: key("before"), limit }
}

pub async fn refusals(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let filter = attempt_filter(&query, ROWS);
    match state.desk.refusals(&visitor, &filter).await {
        Ok(page) => {
            let any = !page.rows.is_empty() || filter.search.is_some() || filter.after.is_some();
            let view = RefusalListView {
                address: Address::new("/vendor/refusals").with("q", of(&query, "q")),
                rows: page.rows.iter().map(refusal_row).collect(),
                paging: Paging { total: None, before: page.previous, after: page.next },
                any,
                now: state.desk.now(),
            };
            draw(&state, StatusCode::OK, &visitor, "", |vendor| view! { <RefusalsPage vendor=vendor view=view/> })
        }
        Err(error) => act_problem(&state, error),
    }
}

pub async fn refusals_csv(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let mut filter = AttemptFilter { after: None, before: None, ..attempt_filter(&query, 1000) };
    let mut rows = Vec::new();
    loop {
        match state.desk.refusals(&visitor, &filter).await {
            Ok(page) => {
                rows.extend(page.rows.iter().map(|found| {
                    let what = &found.what;
                    vec![
                        what.reference.clone(),
                        what.at.to_rfc3339(),
                        what.door.clone(),
                        what.code.clone(),
                        what.product_code.clone().unwrap_or_default(),
                        what.license.map(|id| id.to_string()).unwrap_or_default(),
                        what.key_ends.clone().unwrap_or_default(),
                        what.device_id.clone().unwrap_or_default(),
                        what.device_name.clone().unwrap_or_default(),
                    ]
                }));
                filter.after = page.next.and_then(|next| next.parse().ok());
                if filter.after.is_none() || rows.len() >= 100_000 {
                    break;
                }
            }
            Err(error) => return act_problem(&state, error),
        }
    }
    let head = ["reference", "at", "door", "code", "product", "license", "key_ends", "computer_id", "computer_name"];
    csv_file::respond("refusals.csv", &head, rows)
}

/// The words themselves, where no facts say them again.
#[derive(serde::Deserialize)]
struct Kept {
    told: Told,
}

#[derive(serde::Deserialize)]
struct Told {
    what: String,
    why: String,
    next: String,
}

impl From<Told> for Words {
    fn from(told: Told) -> Self {
        Self { what: told.what.into(), why: told.why.into(), next: told.next.into() }
    }
}

/// What the customer was told, as far as the kept facts say it again.
fn words_of(found: &Attempt) -> Option<Words> {
    let detail = &found.what.detail;
    serde_json::from_str::<ActivationRefusal>(detail)
        .map(|refusal| refusal.words())
        .or_else(|_| serde_json::from_str::<ReleaseRefusal>(detail).map(|refusal| refusal.words()))
        .or_else(|_| serde_json::from_str::<Kept>(detail).map(|kept| kept.told.into()))
        .ok()
}

pub fn refusal_row(found: &Attempt) -> RefusalRow {
    let what = &found.what;
    RefusalRow {
        reference: what.reference.clone(),
        at: what.at,
        what: words_of(found).map_or_else(|| plain(&what.code), |words| words.what.into_owned()),
        asked: asked(found),
        device: what.device_name.clone().or_else(|| what.device_id.clone()),
        license: what
            .license
            .map(|id| (what.key_ends.clone().map_or_else(|| format!("license {id}"), |ends| format!("…{ends}")), id.0)),
    }
}

fn asked(found: &Attempt) -> String {
    match &found.what.product_code {
        Some(product) => format!("for {product}, through {}", door(&found.what.door)),
        None => format!("through {}", door(&found.what.door)),
    }
}

fn door(door: &str) -> &'static str {
    match door {
        "form" => "the form",
        "file" => "a file",
        "cli" => "the command line",
        "api" => "the API",
        "qlm" => "QLM’s methods",
        "code" => "an authorization code",
        "staff" => "the license’s page",
        "sign-in" => "the sign-in page",
        "own password" => "the account page",
        _ => "another door",
    }
}

/// A code for people: `request_spent` becomes "Request spent".
fn plain(code: &str) -> String {
    let mut text = code.replace('_', " ");
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}

pub async fn refusal(State(state): State<AppState>, Staff(visitor): Staff, Path(reference): Path<String>) -> Response {
    match read_refusal(&state, &visitor, &reference).await {
        Ok(view) => draw(&state, StatusCode::OK, &visitor, "", |vendor| view! { <RefusalRecordPage vendor=vendor view=view/> }),
        Err(error) => act_problem(&state, error),
    }
}

async fn read_refusal(state: &AppState, visitor: &Visitor, reference: &str) -> Result<RefusalRecordView, ActError> {
    let found = state.desk.refusal(visitor, reference).await?;
    let what = &found.attempt.what;
    let today = match what.license {
        Some(id) => Some(match state.desk.license_view(visitor, id).await?.availability {
            Ok(()) => (Tone::Good, "A new machine would be let in now.".to_owned()),
            Err(refusal) => (Tone::Caution, format!("A new machine would still be refused: {}.", lower(&refusal.words().what))),
        }),
        None => None,
    };
    let words = words_of(&found.attempt).unwrap_or_else(|| Words {
        what: plain(&what.code).into(),
        why: "The file or the request itself stood in the way.".into(),
        next: "The customer was told what to do with the file.".into(),
    });
    Ok(RefusalRecordView {
        reference: what.reference.clone(),
        at: what.at,
        words,
        code: what.code.clone(),
        asked: asked(&found.attempt),
        through: door(&what.door).to_owned(),
        device_id: what.device_id.clone(),
        device_name: what.device_name.clone(),
        license: what.license.map(|id| (found.license_key.clone().unwrap_or_else(|| format!("license {id}")), id.0)),
        today,
        now: state.desk.now(),
    })
}

fn lower(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_lowercase();
    }
    text
}
