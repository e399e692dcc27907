//! Settings: the brand and the limits.

use axum::{
    body::Body,
    extract::{RawQuery, Request, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::common::{draw, event, of};
use crate::{
    app::{
        portal::Problem,
        ui::FormState,
        vendor::{SettingField, SettingsPage, SettingsView},
    },
    desk::{ActError, Area, Visitor},
    licensing::files::base64,
    server::{
        AppState,
        forms::pairs,
        page::{act_problem, problem, see_other},
        portal::upload::Upload,
        session::Staff,
    },
    store::Subject,
};

/// Room for a picture that is far too large, so that it is refused beside its field; what is larger still gets a page.
pub const BODY_KIB: u32 = 1536;

/// The form's short names for settings that have longer ones.
const BRAND: [(&str, &str); 3] = [("name", "portalName"), ("accent", "accent"), ("support", "supportAddress")];
const LIMITS: [(&str, &str, &str, &str); 3] = [
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
    (
        "keepRefusalsDays",
        "Refusals are kept",
        "For so long staff can look up the reference on a customer’s page; after that it is deleted.",
        "days",
    ),
];

/// What apps of LicenseSpring's kind may ask beyond what they need: name, what it lets them, and its risk.
const APPS: [(&str, &str, &str); 5] = [
    ("severalTrials", "A machine may have several trials", "Whoever deletes the app and asks again begins a new one."),
    (
        "exposeCustomer",
        "Tell them the customer’s name and company",
        "Whoever has the app and a key can read them; otherwise it is the address alone.",
    ),
    (
        "customerLicenseUsers",
        "Let them list the users of a customer’s licenses",
        "Whoever takes the shared key out of the app can ask by any customer’s address who works there.",
    ),
    (
        "deviceLicenses",
        "Let them list every license of a machine",
        "Whoever takes the shared key out of the app and knows a computer id reads its activation keys.",
    ),
    ("oauthRequired", "Only OAuth clients, no API keys", "Every app that signs with an API key is refused at once."),
];

pub async fn show(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let settings = state.desk.settings();
    let values = settings.list();
    let value =
        |name: &str| values.iter().find(|(known, ..)| *known == name).map(|(_, value, _)| value.clone()).unwrap_or_default();
    let brand = BRAND.iter().map(|(field, name)| ((*field).to_owned(), value(name)));
    let limits = LIMITS.iter().map(|(name, ..)| ((*name).to_owned(), value(name)));
    let apps =
        APPS.iter().map(|(name, ..)| ((*name).to_owned(), if value(name) == "true" { "1".to_owned() } else { String::new() }));
    let form = FormState::filled(brand.chain(limits).chain(apps));
    draw_settings(&state, StatusCode::OK, &visitor, of(&query, "said"), form).await
}

async fn draw_settings(state: &AppState, status: StatusCode, visitor: &Visitor, said: &str, form: FormState) -> Response {
    let history = match state.desk.history(visitor, Area::Settings, Subject::of("setting", 0)).await {
        Ok(history) => history,
        Err(error) => return act_problem(state, error),
    };
    let limits = LIMITS.iter().map(|(name, label, hint, unit)| SettingField {
        name: (*name).to_owned(),
        label: (*label).to_owned(),
        hint: (*hint).to_owned(),
        unit: Some((*unit).to_owned()),
        switch: false,
    });
    let apps = APPS.iter().map(|(name, label, hint)| SettingField {
        name: (*name).to_owned(),
        label: (*label).to_owned(),
        hint: (*hint).to_owned(),
        unit: None,
        switch: true,
    });
    let view = SettingsView {
        form,
        has_logo: state.desk.settings().logo.is_some(),
        limits: limits.collect(),
        apps: apps.collect(),
        history: history.iter().map(|entry| event(entry, None)).collect(),
        now: state.desk.now(),
    };
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
    for (name, ..) in APPS {
        values.push((name.to_owned(), typed.ticked(name).to_string()));
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
            draw_settings(&state, StatusCode::UNPROCESSABLE_ENTITY, &visitor, "", typed).await
        }
        Err(error) => act_problem(&state, error),
    }
}
