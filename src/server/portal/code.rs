//! `/activate/code`, `/lost-key`, `/mail/…`: what customers do by their mail. Nothing here says whether an address is known.

use std::net::SocketAddr;

use axum::{
    body::Bytes,
    extract::{ConnectInfo, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use leptos::prelude::*;

use super::activate::{device_id_words, refusal};
use crate::{
    app::{
        portal::{
            CodePage, CodeSentPage, CodeSentView, CodeView, ConfirmPage, ConfirmView, Confirming, LostKeyPage, LostKeyView,
            Problem,
        },
        ui::FormState,
    },
    desk::{ActError, CodeAsk, CodeRefusal, CodeShown, QlmCall},
    licensing::{DeviceId, DeviceName, Email, ProductCode, activation::Device, authorization_code::NoLicense, qlm::Args},
    server::{
        AppState,
        forms::{form, new_request_id, pairs},
        limits::counted,
        page::{act_problem, page, problem, see_other},
        path::Path,
    },
    store::Agreement,
};

const WHOLE_ADDRESS: &str = "This is not a whole e-mail address. Complete it, such as name@example.com.";

/// The form, filled with what a link from the app brought along.
pub async fn show(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    let known = ["device_id", "device_name", "email", "product", "vm"];
    let given = pairs(query.unwrap_or_default().as_bytes()).into_iter().filter(|(name, _)| known.contains(&name.as_str()));
    draw(&state, StatusCode::OK, FormState::filled(given)).await
}

async fn draw(state: &AppState, status: StatusCode, form: FormState) -> Response {
    match state.desk.products_by_code().await {
        Ok(products) => page(state, status, |frame| view! { <CodePage frame=frame view=CodeView { form, products }/> }),
        Err(fault) => act_problem(state, fault.into()),
    }
}

/// What both steps say of the person and the computer.
struct Read {
    email: Email,
    product: ProductCode,
    device: Device,
}

fn read(form: &mut FormState) -> Option<Read> {
    let (email, device) = (Email::parse(form.value("email")), DeviceId::parse(form.value("device_id")));
    let product = ProductCode::parse(form.value("product"));
    let name = DeviceName::parse(form.value("device_name").trim()).ok();
    if email.is_err() {
        form.refuse("email", WHOLE_ADDRESS);
    }
    if product.is_err() {
        form.refuse("product", "Choose the product the code is for.");
    }
    if let Err(error) = &device {
        form.refuse("device_id", device_id_words(*error));
    }
    let virtual_machine = match form.value("vm") {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    };
    Some(Read {
        email: email.ok()?,
        product: product.ok()?,
        device: Device { name, virtual_machine, ..Device::bare(device.ok()?) },
    })
}

/// Sends a code, and asks for it.
pub async fn ask(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut typed = form(&body);
    let Some(read) = read(&mut typed) else { return draw(&state, StatusCode::UNPROCESSABLE_ENTITY, typed).await };
    let ask = CodeAsk {
        properties: Vec::new(),
        email: read.email,
        product: read.product,
        computer: Some(read.device.id.to_string()),
        from: Some(counted(state.address_of(peer, &headers)).to_string()),
    };
    match state.desk.request_code(ask).await {
        Ok(Ok(())) => draw_sent(&state, StatusCode::OK, typed.with_request_id(new_request_id())).await,
        Ok(Err(CodeRefusal::TooOften { wait_minutes })) => {
            problem(&state, Problem::TooOften { wait_seconds: u64::try_from(60 * wait_minutes).unwrap_or(3_600) })
        }
        Ok(Err(_)) => {
            typed.refuse("product", "This product is not sold here. Choose another.");
            draw(&state, StatusCode::UNPROCESSABLE_ENTITY, typed).await
        }
        Err(fault) => act_problem(&state, fault.into()),
    }
}

async fn draw_sent(state: &AppState, status: StatusCode, form: FormState) -> Response {
    let products = match state.desk.products_by_code().await {
        Ok(products) => products,
        Err(fault) => return act_problem(state, fault.into()),
    };
    let named = products.into_iter().find(|(code, _)| code.eq_ignore_ascii_case(form.value("product")));
    let product = named.map_or_else(|| form.value("product").to_owned(), |(_, name)| name);
    let minutes = state.desk.settings().mail.code_minutes;
    page(state, status, |frame| view! { <CodeSentPage frame=frame view=CodeSentView { form, product, minutes }/> })
}

/// A reload of the second step, which is a post.
pub async fn back() -> Response {
    see_other("/activate/code")
}

/// Activates with the code.
pub async fn confirm(
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
    let Some(read) = read(&mut typed) else { return draw(&state, StatusCode::UNPROCESSABLE_ENTITY, typed).await };
    let code = typed.value("code").trim().to_owned();
    if crate::licensing::authorization_code::read(&code).is_none() {
        typed.refuse("code", "A code has six digits. Type those from the newest mail.");
        return draw_sent(&state, StatusCode::UNPROCESSABLE_ENTITY, typed).await;
    }
    let shown = CodeShown {
        email: Some(read.email),
        product: read.product,
        device: read.device,
        code,
        from: Some(counted(from).to_string()),
    };
    let request_id = typed.request_id().unwrap_or_default().to_owned();
    match state.desk.activate_by_code(shown, request_id).await {
        Ok(Ok(activated)) => see_other(&format!("/activations/{}", activated.token.text())),
        Ok(Err(CodeRefusal::TooOften { wait_minutes })) => {
            problem(&state, Problem::TooOften { wait_seconds: u64::try_from(60 * wait_minutes).unwrap_or(3_600) })
        }
        Ok(Err(CodeRefusal::Wrong)) => {
            typed.refuse(
                "code",
                "This code does not count: it is mistyped, used, too old, or for another computer. Type the one from the newest mail, or \
                 begin again to get a new one.",
            );
            draw_sent(&state, StatusCode::UNPROCESSABLE_ENTITY, typed).await
        }
        Ok(Err(CodeRefusal::NoLicense(none))) => {
            let why = match none {
                NoLicense::Full => {
                    "Every seat of your licenses is taken. Release a computer you no longer use, and try this code again."
                }
                NoLicense::Over => "Your licenses of this product have expired or were disabled.",
                NoLicense::None => "There is no license of this product for your address any more.",
            };
            typed.refuse_whole(why);
            draw_sent(&state, StatusCode::CONFLICT, typed).await
        }
        Ok(Err(CodeRefusal::NoProduct)) => {
            typed.refuse("product", "This product is not sold here. Choose another.");
            draw(&state, StatusCode::UNPROCESSABLE_ENTITY, typed).await
        }
        Err(ActError::Refused(refused)) => refusal(&state, *refused, "/activate/code"),
        Err(error) => act_problem(&state, error),
    }
}

pub async fn lost_key(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    let given = pairs(query.unwrap_or_default().as_bytes()).into_iter().filter(|(name, _)| name == "email");
    draw_lost(&state, StatusCode::OK, FormState::filled(given), false)
}

fn draw_lost(state: &AppState, status: StatusCode, form: FormState, sent: bool) -> Response {
    page(state, status, |frame| view! { <LostKeyPage frame=frame view=LostKeyView { form, sent }/> })
}

/// Sends keys to their customer.
pub async fn send_keys(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut typed = form(&body);
    let Ok(email) = Email::parse(typed.value("email")) else {
        typed.refuse("email", WHOLE_ADDRESS);
        return draw_lost(&state, StatusCode::UNPROCESSABLE_ENTITY, typed, false);
    };
    let from = counted(state.address_of(peer, &headers)).to_string();
    match state.desk.send_keys(email, Some(from)).await {
        Ok(true) => draw_lost(&state, StatusCode::OK, typed, true),
        Ok(false) => problem(&state, Problem::TooOften { wait_seconds: 3_600 }),
        Err(fault) => act_problem(&state, fault.into()),
    }
}

const fn confirming(to: Agreement) -> Confirming {
    match to {
        Agreement::Consent => Confirming::Consent,
        Agreement::News => Confirming::News,
    }
}

/// What a link in a letter asks to be confirmed. Whoever looks ahead at links confirms nothing.
pub async fn agreement(State(state): State<AppState>, Path(link): Path<String>) -> Response {
    draw_agreement(&state, &link, false)
}

fn draw_agreement(state: &AppState, link: &str, done: bool) -> Response {
    let Some(found) = state.desk.read_agreement_link(link) else { return problem(state, Problem::LinkOver) };
    let view = ConfirmView {
        action: format!("/mail/{link}"),
        what: confirming(found.to),
        email: found.email.to_string(),
        key: None,
        done,
    };
    page(state, StatusCode::OK, |frame| view! { <ConfirmPage frame=frame view=view/> })
}

pub async fn agree(State(state): State<AppState>, Path(link): Path<String>) -> Response {
    let Some(found) = state.desk.read_agreement_link(&link) else { return problem(&state, Problem::LinkOver) };
    match state.desk.set_agreement(found.email, found.to, true).await {
        Ok(()) => draw_agreement(&state, &link, true),
        Err(error) => act_problem(&state, error),
    }
}

/// Where a letter's "stop" leads.
pub async fn stop(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    let given = pairs(query.unwrap_or_default().as_bytes());
    let email = given.iter().find(|(name, _)| name == "email").and_then(|(_, text)| Email::parse(text).ok());
    match email {
        Some(email) => draw_stop(&state, &email, false),
        None => problem(&state, Problem::LinkOver),
    }
}

fn draw_stop(state: &AppState, email: &Email, done: bool) -> Response {
    let view =
        ConfirmView { action: "/mail/stop".to_owned(), what: Confirming::NoNews, email: email.to_string(), key: None, done };
    page(state, StatusCode::OK, |frame| view! { <ConfirmPage frame=frame view=view/> })
}

/// Where a call that takes consent back leads when it is opened: whoever looks ahead at links takes nothing back.
pub async fn withdraw(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    let given = pairs(query.unwrap_or_default().as_bytes());
    let said = |name: &str| given.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text.as_str());
    match Email::parse(said("email")) {
        Ok(email) => draw_withdrawal(&state, &email, said("key"), false),
        Err(_) => problem(&state, Problem::LinkOver),
    }
}

fn draw_withdrawal(state: &AppState, email: &Email, key: &str, done: bool) -> Response {
    let (action, what) = ("/mail/withdraw".to_owned(), Confirming::NoConsent);
    let view = ConfirmView { action, what, email: email.to_string(), key: Some(key.to_owned()), done };
    page(state, StatusCode::OK, |frame| view! { <ConfirmPage frame=frame view=view/> })
}

/// Takes consent back, for whoever has a key of the customer's.
pub async fn withdrawn(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let typed = form(&body);
    let Ok(email) = Email::parse(typed.value("email")) else { return problem(&state, Problem::LinkOver) };
    let said = [("is_email", email.as_str()), ("is_avkey", typed.value("key")), ("is_consent", "0")];
    let said = said.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let from = Some(counted(state.address_of(peer, &headers)).to_string());
    let call = QlmCall { args: Args::merge(said, Vec::new()), from, by_get: false, strict: None };
    match state.desk.qlm_consent(&call).await {
        Ok(Ok(_)) => draw_withdrawal(&state, &email, "", true),
        Ok(Err(_)) => problem(&state, Problem::LinkOver),
        Err(fault) => act_problem(&state, fault.into()),
    }
}

pub async fn stopped(State(state): State<AppState>, body: Bytes) -> Response {
    let Ok(email) = Email::parse(form(&body).value("email")) else { return problem(&state, Problem::LinkOver) };
    match state.desk.set_agreement(email.clone(), Agreement::News, false).await {
        Ok(()) => draw_stop(&state, &email, true),
        Err(error) => act_problem(&state, error),
    }
}
