//! Settings: the brand, the limits, the signing keys.

use axum::{
    body::{Body, Bytes},
    extract::{RawQuery, Request, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::common::{draw, of, refuse};
use crate::{
    app::{
        portal::Problem,
        ui::FormState,
        vendor::{KeyRow, KeyState, KeysPage, KeysView, RotateChoice, SettingField, SettingsPage, SettingsView},
    },
    desk::{ActError, Area, Level, SealRow, Visitor},
    licensing::{
        ProductCode,
        files::base64,
        seal::{SealFor, SealProduct, SealUse},
    },
    server::{
        AppState,
        forms::{form, new_request_id, pairs},
        page::{act_problem, problem, see_other},
        portal::upload::Upload,
        session::Staff,
    },
};

/// The form's short names for settings that have longer ones.
const BRAND: [(&str, &str); 3] = [("name", "portalName"), ("accent", "accent"), ("support", "supportAddress")];
const LIMITS: [(&str, &str, &str, &str); 2] = [
    (
        "signInTries",
        "Sign-in tries",
        "For one e-mail address within fifteen minutes. More lets passwords be guessed faster.",
        "tries",
    ),
    (
        "activationsPerMinute",
        "Activations",
        "From one network address within a minute. More lets keys be guessed faster; fewer may stop a classroom.",
        "per minute",
    ),
];

pub async fn show(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let settings = state.desk.settings();
    let values = settings.list();
    let value =
        |name: &str| values.iter().find(|(known, ..)| *known == name).map(|(_, value, _)| value.clone()).unwrap_or_default();
    let brand = BRAND.iter().map(|(field, name)| ((*field).to_owned(), value(name)));
    let limits = LIMITS.iter().map(|(name, ..)| ((*name).to_owned(), value(name)));
    let form = FormState::filled(brand.chain(limits));
    draw_settings(&state, StatusCode::OK, &visitor, of(&query, "said"), form)
}

fn draw_settings(state: &AppState, status: StatusCode, visitor: &Visitor, said: &str, form: FormState) -> Response {
    if let Err(forbidden) = visitor.needs(Area::Settings, Level::Read) {
        return act_problem(state, forbidden.into());
    }
    let limits = LIMITS.iter().map(|(name, label, hint, unit)| SettingField {
        name: (*name).to_owned(),
        label: (*label).to_owned(),
        hint: (*hint).to_owned(),
        unit: Some((*unit).to_owned()),
        switch: false,
    });
    let view = SettingsView { form, has_logo: state.desk.settings().logo.is_some(), limits: limits.collect() };
    draw(state, status, visitor, said, |vendor| view! { <SettingsPage vendor=vendor view=view/> })
}

pub async fn save(State(state): State<AppState>, Staff(visitor): Staff, request: Request<Body>) -> Response {
    let Some(upload) = Upload::read(request).await else { return problem(&state, Problem::NotUnderstood) };
    let mut typed = FormState::filled(upload.fields.clone());
    let mut values: Vec<(String, String)> = Vec::new();
    for (field, name) in BRAND {
        values.push((name.to_owned(), typed.value(field).to_owned()));
    }
    for (name, ..) in LIMITS {
        values.push((name.to_owned(), typed.value(name).to_owned()));
    }
    if typed.ticked("remove_logo") {
        values.push(("logo".to_owned(), String::new()));
    } else if let Some(file) = upload.files.first() {
        values.push(("logo".to_owned(), base64::standard(&file.bytes)));
    }
    match state.desk.set_settings(&visitor, values).await {
        Ok(()) => see_other("/vendor/settings?said=saved"),
        Err(ActError::Field { field, message }) => {
            let shown = BRAND.iter().find(|(_, name)| *name == field).map_or(field, |(field, _)| *field);
            typed.refuse(shown, message);
            draw_settings(&state, StatusCode::UNPROCESSABLE_ENTITY, &visitor, "", typed)
        }
        Err(error) => act_problem(&state, error),
    }
}

pub async fn keys(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    draw_keys(&state, StatusCode::OK, &visitor, of(&query, "said"), FormState::default().with_request_id(new_request_id())).await
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
    rotatable.push(RotateChoice { value: LICENSESPRING.to_owned(), label: "Files compatible with LicenseSpring".to_owned() });
    Ok(KeysView { rows: rows.iter().map(key_row).collect(), rotatable, form, now: state.desk.now() })
}

/// No product code holds a colon.
const LICENSESPRING: &str = ":licensespring";

fn key_row(row: &SealRow) -> KeyRow {
    KeyRow {
        kid: row.kid.clone(),
        signs: match row.purpose {
            SealUse::License => "License files".to_owned(),
            SealUse::LicenseSpring => "Files compatible with LicenseSpring".to_owned(),
        },
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
        Ok(()) => see_other("/vendor/keys?said=rotated"),
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
