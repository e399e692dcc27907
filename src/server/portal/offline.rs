//! `/offline`: request files in, license files out. The plain form and the workbench use the same act.

use std::io::Write;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{ConnectInfo, Path, RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;

use super::upload::{Sent, Upload, answer_name, safe_name};
use crate::{
    app::{
        portal::{OfflinePage, OfflineResultsPage, OfflineResultsView, OfflineRow, OfflineView, Outcome, Problem},
        ui::{Check, FormState, Tone},
    },
    desk::{ActError, Answered, BatchCheck, BatchPage, BatchRow, BatchVerdict, Fault, FileRequest, Refusal},
    licensing::{
        files::{check::Verdict, text::MAX_BYTES},
        words::Words,
    },
    server::{
        AppState,
        forms::{is_request_id, new_request_id, pairs},
        page::{act_problem, download, page, problem, see_other},
    },
    vault::Token,
};

/// Files at once through the plain form; the body may hold 4 MiB.
const MOST_FILES: usize = 50;
const MOST_KIB: u32 = (MAX_BYTES / 1024) as u32;
pub const BODY_KIB: u32 = 4 * 1024;
/// A single file of the workbench, with a little room so that one just too large gets the file's own refusal.
pub const ANSWER_KIB: u32 = MOST_KIB + 16;

pub async fn show(State(state): State<AppState>) -> Response {
    draw(&state, StatusCode::OK, FormState::default().with_request_id(new_request_id()))
}

fn draw(state: &AppState, status: StatusCode, form: FormState) -> Response {
    let unprotected = !state.config.is_private();
    page(state, status, |frame| {
        let view = OfflineView { form, most_files: MOST_FILES as u32, most_kib: MOST_KIB, unprotected };
        view! { <OfflinePage frame=frame view=view/> }
    })
}

/// The plain form: every file is answered by itself, then the answers are kept under one link.
pub async fn post(State(state): State<AppState>, ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request<Body>) -> Response {
    let from = state.address_of(peer, request.headers());
    let Some(upload) = Upload::read(request).await else { return problem(&state, Problem::NotUnderstood) };
    let mut form = FormState::default().with_request_id(new_request_id());
    let confirmed = upload.field("confirmed") == "1";
    let sent = is_request_id(upload.field("request_id")).then(|| upload.field("request_id").to_owned());
    let files = match brought(upload) {
        Ok(files) => files,
        Err(message) => {
            form.refuse("files", message);
            return draw(&state, StatusCode::UNPROCESSABLE_ENTITY, form);
        }
    };
    let sent = sent.map(|id| what_was_sent(&id, &files));
    let mut rows = Vec::with_capacity(files.len());
    for file in files {
        let within = state.allows_activation(from);
        if !within && rows.is_empty() {
            return problem(&state, Problem::TooOften { wait_seconds: 60 });
        }
        let answered = if within {
            state.desk.answer_file(FileRequest { bytes: file.bytes.clone(), door: "file", confirmed }).await
        } else {
            // What was answered before it stays answered, so it is this file's refusal and not the whole form's.
            state.desk.refuse_too_many("file").await.map(Err)
        };
        match answered {
            Ok(answered) => rows.push(row(&file.name, answered, checks_of(&state, &file.bytes).await)),
            Err(fault) if rows.is_empty() => return act_problem(&state, fault.into()),
            // The answers before it must reach their machines.
            Err(fault) => rows.push(failed(&file.name, &fault)),
        }
    }
    match state.desk.keep_batch(rows, sent.as_deref()).await {
        Ok(token) => see_other(&format!("/offline/{}", token.text())),
        Err(error) => act_problem(&state, error),
    }
}

/// What checking the file says beside its answer: the browser shows the same before a file is sent. What failed is the refusal's to say.
async fn checks_of(state: &AppState, bytes: &[u8]) -> Vec<BatchCheck> {
    match state.desk.inspect(bytes).await {
        Ok(report) => {
            let told = report.checks.into_iter().filter(|check| check.verdict != Verdict::Fail);
            told.map(|check| BatchCheck { verdict: check.verdict, message: check.message }).collect()
        }
        Err(fault) => {
            tracing::warn!(error = ?fault, "The checks of a file could not be told; its answer is not touched by that.");
            Vec::new()
        }
    }
}

/// The form's hidden id and a hash of each file: what a second sending of the same form shares with the first.
fn what_was_sent(request_id: &str, files: &[Sent]) -> Vec<u8> {
    let mut sent = request_id.as_bytes().to_vec();
    for file in files {
        sent.extend_from_slice(&Sha256::digest(file.name.as_bytes()));
        sent.extend_from_slice(&Sha256::digest(&file.bytes));
    }
    sent
}

/// The files of a form, and the text pasted into it. Refuses none at all and too many.
fn brought(upload: Upload) -> Result<Vec<Sent>, String> {
    let pasted = upload.field("text").trim().to_owned();
    let mut files = upload.files;
    if !pasted.is_empty() {
        files.push(Sent { name: "pasted.req".to_owned(), bytes: pasted.into_bytes() });
    }
    match files.len() {
        0 => Err("No file was chosen. Choose the request file the app saved, or paste its text.".to_owned()),
        count if count > MOST_FILES => Err(format!(
            "{count} files are more than the {MOST_FILES} that fit at once. Bring them in parts. Nothing was sent on."
        )),
        _ => Ok(files),
    }
}

fn row(sent_as: &str, answered: Answered, checks: Vec<BatchCheck>) -> BatchRow {
    match answered {
        Ok(answer) => BatchRow {
            sent_as: sent_as.to_owned(),
            product_name: Some(answer.product_name.clone()),
            device: Some(answer.device_name.clone().unwrap_or_else(|| answer.device_id.clone())),
            checks,
            verdict: BatchVerdict::Answered {
                file_name: if answer.licensespring { answer_name(sent_as, "lic") } else { answer.file_name.clone() },
                body: answer.body,
                receipt: answer.receipt,
            },
        },
        Err(refused) => {
            let words = refused.refusal.words();
            BatchRow {
                sent_as: sent_as.to_owned(),
                product_name: refused.product_name.clone(),
                device: None,
                checks,
                verdict: BatchVerdict::Refused {
                    code: refused.refusal.code().to_owned(),
                    what: words.what.into_owned(),
                    why: words.why.into_owned(),
                    next: words.next.into_owned(),
                    reference: refused.reference.clone(),
                    holders: refused.refusal.holders().to_vec(),
                },
            }
        }
    }
}

/// A file that met a fault of ours among others that did not.
fn failed(sent_as: &str, fault: &Fault) -> BatchRow {
    let reference = crate::server::page::fault_reference();
    tracing::error!(reference = %reference, error = ?fault, "A file could not be answered.");
    let verdict = BatchVerdict::Refused {
        code: "internal_error".to_owned(),
        what: "Something went wrong on our side".to_owned(),
        why: "Your file is fine; nothing was lost.".to_owned(),
        next: "Bring this file again in a minute.".to_owned(),
        reference,
        holders: Vec::new(),
    };
    BatchRow { sent_as: sent_as.to_owned(), product_name: None, device: None, checks: Vec::new(), verdict }
}

/// `/offline/{token}`: one row and one download a file.
pub async fn results(State(state): State<AppState>, Path(token): Path<String>) -> Response {
    match kept(&state, &token).await {
        Ok((token, page)) => draw_results(&state, &token, page),
        Err(response) => response,
    }
}

async fn kept(state: &AppState, token: &str) -> Result<(Token, BatchPage), Response> {
    let Some(token) = Token::parse(token) else { return Err(problem(state, Problem::ResultGone { of_files: true })) };
    match state.desk.batch_page(&token).await {
        Ok(page) => Ok((token, page)),
        Err(ActError::NotFound) => Err(problem(state, Problem::ResultGone { of_files: true })),
        Err(error) => Err(act_problem(state, error)),
    }
}

fn draw_results(state: &AppState, token: &Token, kept: BatchPage) -> Response {
    let (now, until) = (state.desk.now(), kept.made.plus_days(30));
    let answered = kept.rows.iter().filter(|row| matches!(row.verdict, BatchVerdict::Answered { .. })).count();
    let zip = (answered > 1).then(|| format!("/offline/{}/all.zip", token.text()));
    let rows = kept.rows.into_iter().enumerate().map(|(place, row)| {
        let download = format!("/offline/{}/{}", token.text(), place + 1);
        let outcome = match row.verdict {
            BatchVerdict::Answered { file_name, receipt: true, .. } => Outcome::Receipt { download, file_name },
            BatchVerdict::Answered { file_name, .. } => Outcome::License { download, file_name },
            BatchVerdict::Refused { code, what, why, next, reference, holders } => {
                let words = Words { what: what.into(), why: why.into(), next: next.into() };
                if code == "confirm_release" {
                    // Files are not kept, so the answer to the question brings the file along once more.
                    let form = FormState::default().with("confirmed", "1").with("request_id", new_request_id());
                    Outcome::Confirm { words, action: "/offline".to_owned(), form }
                } else {
                    Outcome::Refused { words, holders, reference: Some(reference) }
                }
            }
        };
        let mut facts = Vec::new();
        facts.extend(row.product_name.map(|name| ("Product".to_owned(), name)));
        facts.extend(row.device.map(|device| ("Computer".to_owned(), device)));
        let checks = row.checks.into_iter().map(|check| Check::new(tone(check.verdict), check.message)).collect();
        OfflineRow { file_name: row.sent_as, asks_to: None, facts, checks, outcome }
    });
    let rows = rows.collect();
    let mut response = page(state, StatusCode::OK, |frame| {
        let view = OfflineResultsView { rows, zip, until, now };
        view! { <OfflineResultsPage frame=frame view=view/> }
    });
    response.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex"));
    response
}

const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Note => Tone::Info,
        Verdict::Warn => Tone::Caution,
        Verdict::Fail => Tone::Refused,
    }
}

/// One answer, or all as a zip.
pub async fn file(State(state): State<AppState>, Path((token, which)): Path<(String, String)>) -> Response {
    let (_, page) = match kept(&state, &token).await {
        Ok(kept) => kept,
        Err(response) => return response,
    };
    if which == "all.zip" {
        return match zip_of(&page) {
            Ok(bytes) => download("licenses.zip", "application/zip", bytes),
            Err(error) => {
                tracing::error!(error = %error, "A zip could not be made.");
                problem(&state, Problem::Busy)
            }
        };
    }
    let place = which.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    match place.and_then(|place| page.rows.into_iter().nth(place)).map(|row| row.verdict) {
        Some(BatchVerdict::Answered { file_name, body, .. }) => {
            download(&file_name, "text/plain; charset=utf-8", format!("{body}\n"))
        }
        _ => problem(&state, Problem::NotFound),
    }
}

fn zip_of(page: &BatchPage) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut names = std::collections::HashSet::new();
    for row in &page.rows {
        if let BatchVerdict::Answered { file_name, body, .. } = &row.verdict {
            zip.start_file(unique(&mut names, file_name), stored)?;
            zip.write_all(body.as_bytes())?;
            zip.write_all(b"\n")?;
        }
    }
    Ok(zip.finish()?.into_inner())
}

/// A name no other file of the zip has, whatever its case.
fn unique(names: &mut std::collections::HashSet<String>, wanted: &str) -> String {
    let plain: String =
        wanted.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect();
    let (stem, extension) = plain.rsplit_once('.').unwrap_or((&plain, "lic"));
    let mut name = plain.clone();
    let mut number = 2;
    while !names.insert(name.to_lowercase()) {
        name = format!("{stem}-{number}.{extension}");
        number += 1;
    }
    name
}

/// `GET /offline/keys.json`: what the browser checks files with.
pub async fn keys(State(state): State<AppState>) -> Response {
    match state.desk.checking().await {
        Ok(checking) => {
            let products: Vec<_> = checking.products.iter().map(|(code, name)| json!({ "code": code, "name": name })).collect();
            let body = json!({
                "now": state.desk.now().millis(), "products": products, "jwks": checking.jwks, "licensespring": checking.licensespring,
            });
            ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
        }
        Err(fault) => act_problem(&state, fault.into()),
    }
}

/// `POST /offline/answer`: one file of the workbench.
pub async fn answer(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let given = |name: &str| query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    let from = state.address_of(peer, &headers);
    if !state.allows_activation(from) {
        return json_refusal(StatusCode::TOO_MANY_REQUESTS, &Refusal::TooMany { seconds: 60 }, "");
    }
    let asked = FileRequest { bytes: body.to_vec(), door: "file", confirmed: given("confirmed") == "1" };
    let answered = match state.desk.answer_file(asked).await {
        Ok(answered) => answered,
        Err(fault) => return json_fault(&fault),
    };
    match answered {
        Ok(answer) => {
            let sent_as = safe_name(given("name"));
            let file_name = if answer.licensespring { answer_name(&sent_as, "lic") } else { answer.file_name };
            let body = json!({ "answer": {
                "file_name": file_name, "body": answer.body, "receipt": answer.receipt, "licensespring": answer.licensespring,
                "product_name": answer.product_name, "device_id": answer.device_id, "device_name": answer.device_name,
            }});
            ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
        }
        Err(refused) => {
            let status =
                if matches!(refused.refusal, Refusal::File(_)) { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::CONFLICT };
            json_refusal(status, &refused.refusal, &refused.reference)
        }
    }
}

fn json_refusal(status: StatusCode, refusal: &Refusal, reference: &str) -> Response {
    let words = refusal.words();
    let body = json!({ "refusal": {
        "code": refusal.code(), "what": words.what, "why": words.why, "next": words.next, "reference": reference,
        "holders": refusal.holders(),
    }});
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Nothing is answered from where the workbench runs.
pub fn not_from_here(why: &str) -> Response {
    let body = json!({ "refusal": {
        "code": "not_from_here", "what": "This is not done from where you are", "why": why,
        "next": "Bring the file from another network, or ask the vendor.", "reference": "", "holders": [],
    }});
    (StatusCode::FORBIDDEN, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn json_fault(fault: &Fault) -> Response {
    let reference = crate::server::page::fault_reference();
    tracing::error!(reference = %reference, error = ?fault, "A file could not be answered.");
    let body = json!({ "refusal": {
        "code": "internal_error", "what": "Something went wrong on our side", "why": "Your file is fine; nothing was lost.",
        "next": "Try again in a moment. If it stays, tell support the reference below.", "reference": reference, "holders": [],
    }});
    (StatusCode::INTERNAL_SERVER_ERROR, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_keep_apart_in_a_zip() {
        let mut names = std::collections::HashSet::new();
        let named: Vec<String> = ["a.lic", "A.lic", "a.lic", "=cmd|.lic"].iter().map(|name| unique(&mut names, name)).collect();
        assert_eq!(named, ["a.lic", "A-2.lic", "a-3.lic", "-cmd-.lic"]);
    }
}
