//! Signing keys: listed, rotated, and marked as known to others.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::{
    common::{draw, event, of, refuse},
    csv_file,
};
use crate::{
    app::{
        ui::FormState,
        vendor::{KeyPage, KeyRow, KeyState, KeyView, KeysPage, KeysView, MachineToRefresh, RotateChoice},
    },
    desk::{ActError, Area, SealRow, ToRefresh, Turned, Visitor},
    licensing::{
        ProductCode,
        seal::{SealFor, SealProduct, SealUse},
    },
    server::{
        AppState,
        forms::{form, pairs},
        page::{act_problem, see_other},
        path::Path,
        session::Staff,
    },
};

/// No product code holds a colon.
const LICENSESPRING: &str = ":licensespring";
const AIRGAP: &str = ":airgap";

pub async fn list(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    draw_keys(&state, StatusCode::OK, &visitor, of(&query, "said"), FormState::default()).await
}

async fn draw_keys(state: &AppState, status: StatusCode, visitor: &Visitor, said: &str, form: FormState) -> Response {
    match read_keys(state, visitor, form).await {
        Ok(view) => draw(state, status, visitor, said, |vendor| view! { <KeysPage vendor=vendor view=view/> }),
        Err(error) => act_problem(state, error),
    }
}

async fn read_keys(state: &AppState, visitor: &Visitor, form: FormState) -> Result<KeysView, ActError> {
    let rows = state.desk.seal_rows(visitor).await?;
    let products = state.desk.products().await?;
    let mut rotatable: Vec<RotateChoice> =
        products.iter().map(|product| RotateChoice { value: product.code.to_string(), label: product.name.clone() }).collect();
    for (value, purpose) in [(LICENSESPRING, SealUse::LicenseSpring), (AIRGAP, SealUse::AirGap)] {
        rotatable.push(RotateChoice { value: value.to_owned(), label: signs(purpose).to_owned() });
    }
    let weak = state.desk.weak_documents().await?.into_iter().map(|(code, why)| (code.to_string(), why.to_owned()));
    let history = state.desk.history_of_kind(visitor, Area::Settings, "seal").await?;
    Ok(KeysView {
        rows: rows.iter().map(key_row).collect(),
        rotatable,
        form,
        weak: weak.collect(),
        history: history.iter().map(|entry| event(entry, None)).collect(),
        now: state.desk.now(),
    })
}

const fn signs(purpose: SealUse) -> &'static str {
    match purpose {
        SealUse::License => "License files",
        SealUse::LicenseSpring => "Files compatible with LicenseSpring",
        SealUse::AirGap => "Codes for air-gapped machines",
        SealUse::Qlm => "Documents compatible with Quick License Manager",
    }
}

fn key_row(row: &SealRow) -> KeyRow {
    KeyRow {
        kid: row.kid.clone(),
        signs: signs(row.purpose).to_owned(),
        product: row.product_code.clone(),
        state: match row.state {
            "standby" => KeyState::Standby,
            "active" => KeyState::Active,
            "retiring" => KeyState::Retiring(row.until),
            "compromised" => KeyState::Compromised,
            _ => KeyState::Retired,
        },
        since: row.since,
    }
}

pub async fn rotate(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    let what = match typed.value("what") {
        LICENSESPRING => Ok(SealFor::LicenseSpring),
        AIRGAP => Ok(SealFor::AirGap),
        code => match ProductCode::parse(code).map_err(|_| ActError::NotFound) {
            Ok(code) => state
                .desk
                .product(&code)
                .await
                .map(|view| SealFor::License(SealProduct { id: view.product.id, code: view.product.code })),
            Err(error) => Err(error),
        },
    };
    let done = match what {
        Ok(what) => state.desk.rotate(&visitor, what, typed.ticked("now")).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(Turned::Rotated) => see_other("/vendor/keys?said=rotated"),
        Ok(Turned::Published) => see_other("/vendor/keys?said=published"),
        Err(ActError::Field { message, .. }) => {
            typed.refuse("what", message);
            draw_keys(&state, StatusCode::CONFLICT, &visitor, "", typed).await
        }
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_keys(&state, status, &visitor, "", typed).await,
            Err(response) => response,
        },
    }
}

/// A key and the machines whose newest file it signed.
pub async fn show(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path(kid): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    draw_key(&state, StatusCode::OK, &visitor, &kid, of(&query, "said"), FormState::default()).await
}

async fn draw_key(state: &AppState, status: StatusCode, visitor: &Visitor, kid: &str, said: &str, form: FormState) -> Response {
    match state.desk.machines_to_refresh(visitor, kid).await {
        Ok((seal, machines)) => {
            let view =
                KeyView { key: key_row(&seal), machines: machines.iter().map(machine).collect(), form, now: state.desk.now() };
            draw(state, status, visitor, said, |vendor| view! { <KeyPage vendor=vendor view=view/> })
        }
        Err(error) => act_problem(state, error),
    }
}

fn machine(found: &ToRefresh) -> MachineToRefresh {
    let activation = &found.activation;
    MachineToRefresh {
        license: activation.license.0,
        key: found.license_key.clone(),
        device_id: activation.device.id.to_string(),
        name: activation.device.name.as_ref().map(ToString::to_string),
        last_seen: activation.last_seen,
    }
}

pub async fn csv(State(state): State<AppState>, Staff(visitor): Staff, Path(kid): Path<String>) -> Response {
    match state.desk.machines_to_refresh(&visitor, &kid).await {
        Ok((_, machines)) => {
            let rows = machines.iter().map(machine).map(|found| {
                vec![
                    found.license.to_string(),
                    found.key.unwrap_or_default(),
                    found.device_id,
                    found.name.unwrap_or_default(),
                    found.last_seen.to_rfc3339(),
                ]
            });
            csv_file::respond("machines-to-refresh.csv", &["license", "key", "computer_id", "name", "last_seen"], rows)
        }
        Err(error) => act_problem(&state, error),
    }
}

pub async fn compromised(State(state): State<AppState>, Staff(visitor): Staff, Path(kid): Path<String>) -> Response {
    match state.desk.compromise(&visitor, &kid).await {
        Ok(()) => see_other(&format!("/vendor/keys/{kid}?said=compromised")),
        Err(ActError::Field { message, .. }) => {
            let mut form = FormState::default();
            form.refuse_whole(message);
            draw_key(&state, StatusCode::CONFLICT, &visitor, &kid, "", form).await
        }
        Err(error) => act_problem(&state, error),
    }
}
