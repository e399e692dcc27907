//! Shops: who they are, what their products are here, what they told, and the bench where a payload is tried out.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::common::{draw, of, refuse};
use crate::{
    app::{
        ui::{FormState, Tone},
        vendor::{
            Address, EventsView, PropertyRow, ShopEventPage, ShopEventRow, ShopEventView, ShopEventsPage, ShopPage, ShopRow,
            ShopView, ShopsPage, ShopsView, segment,
        },
    },
    desk::{ActError, EXTENSION_CLASSES, ExtensionEdit, NewExtension, PropertyEdit, Visitor, class_label},
    server::{
        AppState,
        forms::{form, pairs},
        once::EndsAt,
        page::{act_problem, see_other},
        path::Path,
        session::Staff,
    },
    store::{EventState, Extension},
};

pub async fn show(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    draw_shops(&state, StatusCode::OK, &visitor, of(&query, "said"), None, None).await
}

async fn draw_shops(
    state: &AppState,
    status: StatusCode,
    visitor: &Visitor,
    said: &str,
    form: Option<FormState>,
    property: Option<FormState>,
) -> Response {
    match view_of(state, visitor, form, property).await {
        Ok(view) => draw(state, status, visitor, said, |vendor| view! { <ShopsPage vendor=vendor view=view/> }),
        Err(error) => act_problem(state, error),
    }
}

async fn view_of(
    state: &AppState,
    visitor: &Visitor,
    form: Option<FormState>,
    property: Option<FormState>,
) -> Result<ShopsView, ActError> {
    let desk = &state.desk;
    let mut shops = Vec::new();
    for extension in desk.extensions(visitor).await? {
        let signs = desk.extension_view(visitor, &extension.name).await?.signs;
        shops.push(ShopRow {
            proof: proof(&extension, signs),
            name: extension.name,
            class: class_label(&extension.class).to_owned(),
            enabled: extension.enabled,
        });
    }
    let properties = desk.properties(visitor).await?.into_iter();
    let properties = properties.map(|one| PropertyRow { name: one.name, value: one.value, for_calls: one.for_calls });
    Ok(ShopsView {
        shops,
        properties: properties.collect(),
        form: form.unwrap_or_default().scoped("shop"),
        classes: EXTENSION_CLASSES.iter().map(|(class, label)| ((*class).to_owned(), (*label).to_owned())).collect(),
        property: property.unwrap_or_default().scoped("property"),
        failed: desk.shop_events(visitor, None, Some("failed")).await?.0.len(),
    })
}

/// How a shop proves who it is.
fn proof(extension: &Extension, signs: bool) -> String {
    let mut ways = Vec::new();
    match (signs, extension.shared_key.is_some()) {
        (true, true) => ways.push("a signature of its webhooks"),
        (true, false) => ways.push("no signature yet: its shared key is missing"),
        _ => {}
    }
    if extension.password_mark.is_some() {
        ways.push("a password");
    }
    if extension.has_hook {
        ways.push("a secret address");
    }
    if ways.is_empty() { "nothing".to_owned() } else { ways.join(", ") }
}

fn filled(form: &FormState, name: &str) -> Option<String> {
    Some(form.value(name).trim().to_owned()).filter(|text| !text.is_empty())
}

pub async fn add(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    let new = NewExtension {
        name: typed.value("name").to_owned(),
        class: typed.value("class").to_owned(),
        user: typed.value("user").to_owned(),
        password: filled(&typed, "password"),
        api_key: filled(&typed, "api_key"),
        shared_key: filled(&typed, "shared_key"),
    };
    let path = format!("/vendor/shops/{}?said=added", segment(new.name.trim()));
    match state.desk.add_extension(&visitor, new).await {
        Ok(_) => see_other(&path),
        Err(ActError::Taken(_)) => {
            typed.refuse("name", "There is a shop with this name already. Choose another.");
            draw_shops(&state, StatusCode::CONFLICT, &visitor, "", Some(typed), None).await
        }
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_shops(&state, status, &visitor, "", Some(typed), None).await,
            Err(response) => response,
        },
    }
}

pub async fn put_property(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    let edit = PropertyEdit {
        name: typed.value("name").to_owned(),
        value: typed.value("value").to_owned(),
        for_calls: typed.ticked("for_calls"),
    };
    match state.desk.put_property(&visitor, edit).await {
        Ok(()) => see_other("/vendor/shops?said=saved"),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_shops(&state, status, &visitor, "", None, Some(typed)).await,
            Err(response) => response,
        },
    }
}

pub async fn remove_property(State(state): State<AppState>, Staff(visitor): Staff, Path(name): Path<String>) -> Response {
    match state.desk.remove_property(&visitor, &name).await {
        Ok(()) => see_other("/vendor/shops?said=removed"),
        Err(error) => act_problem(&state, error),
    }
}

pub async fn shop(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    draw_shop(&state, StatusCode::OK, &visitor, &name, of(&query, "said"), Shown::default()).await
}

/// What a shop's page shows beside what is kept.
#[derive(Default)]
struct Shown {
    keys: Option<FormState>,
    reseller: Option<FormState>,
    bench: Option<FormState>,
    tried: Option<Vec<Result<String, String>>>,
    address: Option<String>,
}

async fn draw_shop(state: &AppState, status: StatusCode, visitor: &Visitor, name: &str, said: &str, shown: Shown) -> Response {
    let found = match state.desk.extension_view(visitor, name).await {
        Ok(found) => found,
        Err(error) => return act_problem(state, error),
    };
    let extension = found.extension;
    let bench = shown.bench.unwrap_or_else(|| FormState::filled([("map", found.map)]));
    let base = state.config.public_url.trim_end_matches('/');
    let view = ShopView {
        proof: proof(&extension, found.signs),
        webhook: format!("{base}/qlm/qlmservice.asmx/QlmWebHookHandler?is_vendor={}", segment(&extension.name)),
        has_address: extension.has_hook,
        address: shown.address.map(|token| format!("{base}/api/shops/{token}")),
        name: extension.name,
        class: class_label(&extension.class).to_owned(),
        enabled: extension.enabled,
        keys: shown.keys.unwrap_or_default().scoped("keys"),
        reseller: shown.reseller.unwrap_or_else(|| FormState::filled([("affiliate", extension.affiliate)])).scoped("reseller"),
        makes_no_keys: extension.password_mark.is_some() && extension.shared_key.is_none() && !state.desk.settings().qlm.create,
        bench: bench.scoped("bench"),
        own_map: found.own_map,
        tried: shown.tried,
    };
    draw(state, status, visitor, said, |vendor| view! { <ShopPage vendor=vendor view=view/> })
}

/// Tries a payload out, or saves the map.
pub async fn map(State(state): State<AppState>, Staff(visitor): Staff, Path(name): Path<String>, body: Bytes) -> Response {
    let mut typed = form(&body);
    if typed.value("act") != "save" {
        let map = typed.value("map").to_owned();
        let headers: Vec<(String, String)> = typed
            .value("headers")
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect();
        let map = Some(map.as_str()).filter(|map| !map.trim().is_empty());
        let tried = state.desk.try_shop_payload(&visitor, &name, map, &headers, typed.value("payload")).await;
        return match tried {
            Ok(tried) => {
                let shown = Shown { bench: Some(typed), tried: Some(tried.0), ..Shown::default() };
                draw_shop(&state, StatusCode::OK, &visitor, &name, "", shown).await
            }
            Err(error) => match refuse(&state, &mut typed, error) {
                Ok(status) => {
                    let shown = Shown { bench: Some(typed), ..Shown::default() };
                    draw_shop(&state, status, &visitor, &name, "", shown).await
                }
                Err(response) => response,
            },
        };
    }
    let edit = ExtensionEdit { map: Some(typed.value("map").to_owned()), ..ExtensionEdit::default() };
    match state.desk.edit_extension(&visitor, &name, edit).await {
        Ok(()) => see_other(&format!("/vendor/shops/{}?said=saved", segment(&name))),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => {
                let shown = Shown { bench: Some(typed), ..Shown::default() };
                draw_shop(&state, status, &visitor, &name, "", shown).await
            }
            Err(response) => response,
        },
    }
}

pub async fn keys(State(state): State<AppState>, Staff(visitor): Staff, Path(name): Path<String>, body: Bytes) -> Response {
    let mut typed = form(&body);
    let edit = ExtensionEdit {
        password: filled(&typed, "password"),
        api_key: filled(&typed, "api_key"),
        shared_key: filled(&typed, "shared_key"),
        map: None,
        affiliate: None,
    };
    match state.desk.edit_extension(&visitor, &name, edit).await {
        Ok(()) => see_other(&format!("/vendor/shops/{}?said=saved", segment(&name))),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => {
                let shown = Shown { keys: Some(typed), ..Shown::default() };
                draw_shop(&state, status, &visitor, &name, "", shown).await
            }
            Err(response) => response,
        },
    }
}

/// Who sells by it.
pub async fn reseller(State(state): State<AppState>, Staff(visitor): Staff, Path(name): Path<String>, body: Bytes) -> Response {
    let mut typed = form(&body);
    let edit = ExtensionEdit { affiliate: Some(typed.value("affiliate").to_owned()), ..ExtensionEdit::default() };
    match state.desk.edit_extension(&visitor, &name, edit).await {
        Ok(()) => see_other(&format!("/vendor/shops/{}?said=saved", segment(&name))),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => {
                let shown = Shown { reseller: Some(typed), ..Shown::default() };
                draw_shop(&state, status, &visitor, &name, "", shown).await
            }
            Err(response) => response,
        },
    }
}

pub async fn act(State(state): State<AppState>, Staff(visitor): Staff, Path((name, act)): Path<(String, String)>) -> Response {
    let switched = match act.as_str() {
        "on" => state.desk.switch_extension(&visitor, &name, true).await,
        "off" => state.desk.switch_extension(&visitor, &name, false).await,
        "address" => {
            return match state.desk.new_shop_address(&visitor, &name).await {
                Ok(token) => {
                    let shown = Shown { address: Some(token.text()), ..Shown::default() };
                    let mut response = draw_shop(&state, StatusCode::OK, &visitor, &name, "", shown).await;
                    // A secret is shown on the answer to the form that made it, and nowhere else.
                    response.extensions_mut().insert(EndsAt("/vendor/shops?said=shown-before"));
                    response
                }
                Err(error) => act_problem(&state, error),
            };
        }
        _ => Err(ActError::NotFound),
    };
    match switched {
        Ok(()) => see_other(&format!("/vendor/shops/{}?said=saved", segment(&name))),
        Err(error) => act_problem(&state, error),
    }
}

const fn state_of(state: EventState) -> (Tone, &'static str) {
    match state {
        EventState::New => (Tone::Info, "new"),
        EventState::Running => (Tone::Info, "being acted on"),
        EventState::Done => (Tone::Good, "done"),
        EventState::Ignored => (Tone::Info, "none of ours"),
        EventState::Failed => (Tone::Refused, "waits for you"),
    }
}

fn said(said: &str) -> String {
    if said.is_empty() { "Not acted on yet".to_owned() } else { said.to_owned() }
}

pub async fn events(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let (wanted, before) = (of(&query, "state").to_owned(), of(&query, "before").parse::<i64>().ok());
    let only = Some(wanted.as_str()).filter(|wanted| !wanted.is_empty());
    let (found, older) = match state.desk.shop_events(&visitor, before, only).await {
        Ok(found) => found,
        Err(error) => return act_problem(&state, error),
    };
    let rows = found.into_iter().map(|event| ShopEventRow {
        id: event.id,
        shop: event.extension_name,
        said: said(&event.said),
        state: state_of(event.state),
        at: event.received,
    });
    let view = EventsView {
        address: Address::new("/vendor/shops/events").with("state", wanted),
        rows: rows.collect(),
        older: older.map(|id| id.to_string()),
        now: state.desk.now(),
    };
    draw(&state, StatusCode::OK, &visitor, of(&query, "said"), |vendor| view! { <ShopEventsPage vendor=vendor view=view/> })
}

pub async fn event(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path(id): Path<i64>,
    RawQuery(query): RawQuery,
) -> Response {
    let found = match state.desk.shop_event(&visitor, id).await {
        Ok(found) => found,
        Err(error) => return act_problem(&state, error),
    };
    let event = found.event;
    let view = ShopEventView {
        id,
        shop: event.extension_name,
        name: event.name,
        said: said(&event.said),
        state: state_of(event.state),
        received: event.received,
        acted: event.state_at,
        order: event.order.map(|order| order.0).zip(found.order_reference),
        headers: found.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n"),
        body: found.body,
        now: state.desk.now(),
    };
    let query = pairs(query.unwrap_or_default().as_bytes());
    draw(&state, StatusCode::OK, &visitor, of(&query, "said"), |vendor| view! { <ShopEventPage vendor=vendor view=view/> })
}

pub async fn again(State(state): State<AppState>, Staff(visitor): Staff, Path(id): Path<i64>) -> Response {
    match state.desk.replay_shop_event(&visitor, id).await {
        Ok(_) => see_other(&format!("/vendor/shops/events/{id}?said=event-again")),
        Err(error) => act_problem(&state, error),
    }
}
