//! `/activate` and its results.

use std::net::SocketAddr;

use axum::{
    body::Bytes,
    extract::{ConnectInfo, Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::Response,
};
use leptos::prelude::*;

use crate::{
    app::{
        portal::{ActivatePage, ActivateView, ActivatedPage, ActivatedView, Problem, RefusalPage, RefusalView},
        ui::FormState,
    },
    desk::{ActError, OnlineActivation, Refused},
    licensing::{
        ActivationKey, DeviceId, DeviceName, Email, KeyError, ProductCode, TextError, activation::Device, key::name_groups,
        product::VersionNumber,
    },
    server::{
        AppState,
        forms::{form, new_request_id, pairs},
        page::{act_problem, download, page, problem, see_other},
    },
    vault::Token,
};

/// The form, filled with what a link from the app brought along.
pub async fn show(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    let known = ["key", "device_id", "device_name", "email", "product", "version", "vm"];
    let given = pairs(query.unwrap_or_default().as_bytes()).into_iter().filter(|(name, _)| known.contains(&name.as_str()));
    let form = FormState::filled(given).with_request_id(new_request_id());
    draw(&state, StatusCode::OK, form, Vec::new())
}

fn draw(state: &AppState, status: StatusCode, form: FormState, products: Vec<(String, String)>) -> Response {
    page(state, status, |frame| {
        let view = ActivateView { form, products };
        view! { <ActivatePage frame=frame view=view/> }
    })
}

pub async fn post(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut typed = form(&body);
    let from = state.address_of(peer, &headers);
    if !state.allows_activation(from) {
        return problem(&state, Problem::TooOften { wait_seconds: 60 });
    }
    let Some(ask) = read(&mut typed) else { return draw(&state, StatusCode::UNPROCESSABLE_ENTITY, typed, Vec::new()) };
    match state.desk.activate_online(ask).await {
        Ok(activated) => see_other(&format!("/activations/{}", activated.token.text())),
        Err(ActError::WhichProduct(products)) => {
            typed.refuse("product", "This key is good for several products. Choose the one you want to use.");
            let products = products.into_iter().map(|product| (product.code.to_string(), product.name)).collect();
            draw(&state, StatusCode::CONFLICT, typed, products)
        }
        Err(ActError::Refused(refused)) => refusal(&state, *refused, "/activate"),
        Err(error) => act_problem(&state, error),
    }
}

/// The form as an act, or the form with what stands in the way.
fn read(form: &mut FormState) -> Option<OnlineActivation> {
    let key = ActivationKey::parse(form.value("key"));
    let device_id = DeviceId::parse(form.value("device_id"));
    let optional = |name: &str| Some(form.value(name).trim().to_owned()).filter(|text| !text.is_empty());
    let (name, email, product) = (optional("device_name"), optional("email"), optional("product"));
    let version = optional("version").and_then(|text| text.parse::<VersionNumber>().ok());
    let name = name.map(|text| DeviceName::parse(&text)).transpose();
    let email = email.map(|text| Email::parse(&text)).transpose();
    let product = product.map(|text| ProductCode::parse(&text)).transpose();
    if let Err(error) = &key {
        form.refuse("key", key_words(error));
    }
    if let Err(error) = &device_id {
        form.refuse("device_id", device_id_words(*error));
    }
    if name.is_err() {
        form.refuse("device_name", "A computer name has up to 128 characters, all of them visible. Shorten it, or leave it out.");
    }
    if email.is_err() {
        form.refuse("email", "This is not a whole e-mail address. Complete it, such as name@example.com, or leave it out.");
    }
    if product.is_err() {
        form.refuse("product", "Choose one of the products.");
    }
    // Told by the app that opened the form, and believed as far as a request file is: a person can leave it out.
    let virtual_machine = match form.value("vm") {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    };
    let request_id = form.request_id().unwrap_or_default().to_owned();
    Some(OnlineActivation {
        key: key.ok()?,
        product: product.ok()?,
        device: Device { name: name.ok()?, virtual_machine, ..Device::bare(device_id.ok()?) },
        email: email.ok()?,
        version,
        request_id,
        door: "form",
    })
}

fn key_words(error: &KeyError) -> String {
    match error {
        KeyError::Empty => "Type the activation key from the message it came in.".to_owned(),
        KeyError::TooLong => "This is longer than any key. Paste the key alone, without the text around it.".to_owned(),
        KeyError::HiddenCharacters => {
            "The key contains characters that cannot be seen. Type it instead of pasting it.".to_owned()
        }
        KeyError::Checksum { groups } => {
            let named = name_groups(groups);
            let verb = if groups.len() == 1 { "has" } else { "have" };
            format!(
                "{}{} {verb} a typing mistake. Compare it with the message the key came in.",
                named[..1].to_uppercase(),
                &named[1..]
            )
        }
    }
}

pub(super) fn device_id_words(error: TextError) -> &'static str {
    match error {
        TextError::Empty => "Copy the computer id from the app, where it asks for a key.",
        TextError::TooLong => "A computer id has up to 256 characters. Copy it alone, without the text around it.",
        TextError::HiddenCharacters | TextError::NotAllowed => {
            "The computer id contains characters that cannot be seen. Copy it again from the app."
        }
    }
}

/// The page of a refusal: 409, because the same question may be answered otherwise later.
pub fn refusal(state: &AppState, refused: Refused, back: &'static str) -> Response {
    let now = state.desk.now();
    page(state, StatusCode::CONFLICT, |frame| {
        let view = RefusalView {
            words: refused.refusal.words(),
            holders: refused.refusal.holders().to_vec(),
            reference: refused.reference,
            back,
            files_help: refused.refusal.code() == "device_key_required",
            now,
        };
        view! { <RefusalPage frame=frame view=view/> }
    })
}

/// `/activations/{token}`: the computer key, for whoever holds the link.
pub async fn result(State(state): State<AppState>, Path(token): Path<String>) -> Response {
    let Some(token) = Token::parse(&token) else { return problem(&state, Problem::ResultGone { of_files: false }) };
    let found = match state.desk.activation_page(&token).await {
        Ok(found) => found,
        Err(ActError::NotFound) => return problem(&state, Problem::ResultGone { of_files: false }),
        Err(error) => return act_problem(&state, error),
    };
    let mut response = page(&state, StatusCode::OK, |frame| {
        let view = ActivatedView {
            product: found.product_name,
            key_ends: found.key_ends.unwrap_or_default(),
            device_id: found.device_id,
            device_name: found.device_name,
            computer_key: found.computer_key,
            download: format!("/activations/{}/{}", token.text(), found.file_name),
            file_name: found.file_name,
            activated_at: found.made,
            valid_until: found.valid_until,
            maintenance_until: found.maintenance_until,
            seats_taken: u64::from(found.seats_taken),
            seats: found.seats.map(u64::from),
        };
        view! { <ActivatedPage frame=frame view=view/> }
    });
    response.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex"));
    response
}

/// The license file behind the same link.
pub async fn file(State(state): State<AppState>, Path((token, _)): Path<(String, String)>) -> Response {
    let Some(token) = Token::parse(&token) else { return problem(&state, Problem::ResultGone { of_files: false }) };
    match state.desk.activation_page(&token).await {
        Ok(found) => download(&found.file_name, "text/plain; charset=utf-8", format!("{}\n", found.computer_key)),
        Err(ActError::NotFound) => problem(&state, Problem::ResultGone { of_files: false }),
        Err(error) => act_problem(&state, error),
    }
}
