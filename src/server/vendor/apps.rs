//! Apps made for LicenseSpring: API keys and OAuth clients. A secret is shown on the answer to the form that made it, and nowhere else.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::common::{draw, event, of, refuse, typed_number};
use crate::{
    app::{
        ui::FormState,
        vendor::{ApiKeyRow, AppsPage, AppsView, ClientRow, MadePage, MadeView},
    },
    desk::{ActError, Area, ENTRIES_SHOWN, GRACE_HOURS, MadeClient, OauthRow, Visitor},
    licensing::{ActivationKey, Email, ProductCode, Timestamp, scope::Scope, seal::SealUse},
    server::{
        AppState,
        forms::{form, pairs},
        once::EndsAt,
        page::{act_problem, see_other},
        path::Path,
        session::Staff,
    },
    vault::public,
};

/// Where a form that made a secret leads when it is sent again.
const SHOWN_BEFORE: &str = "/vendor/apps?said=shown-before";

pub async fn show(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    draw_apps(&state, StatusCode::OK, &visitor, of(&query, "said"), None, None).await
}

async fn draw_apps(
    state: &AppState,
    status: StatusCode,
    visitor: &Visitor,
    said: &str,
    key_form: Option<FormState>,
    client_form: Option<FormState>,
) -> Response {
    match view_of(state, visitor, key_form, client_form).await {
        Ok(view) => draw(state, status, visitor, said, |vendor| view! { <AppsPage vendor=vendor view=view/> }),
        Err(error) => act_problem(state, error),
    }
}

async fn view_of(
    state: &AppState,
    visitor: &Visitor,
    key_form: Option<FormState>,
    client_form: Option<FormState>,
) -> Result<AppsView, ActError> {
    let desk = &state.desk;
    let keys = desk.api_keys(visitor).await?.into_iter().map(|key| ApiKeyRow {
        id: key.id,
        name: key.name,
        api_key: key.api_key,
        products: key.products,
        read_only: key.read_only,
        revoked: key.revoked,
        created: key.created,
    });
    let mut clients = Vec::new();
    for OauthRow { client, secret_ends, customer } in desk.oauth_clients(visitor).await? {
        let reach = match client.scope {
            Scope::Company => "every license".to_owned(),
            Scope::Account(id) => format!("licenses of {}", customer.unwrap_or_else(|| format!("account {id}"))),
            Scope::Customer(id) => format!("licenses of {}", customer.unwrap_or_else(|| format!("customer {id}"))),
            Scope::License(id) => format!("license {id}"),
        };
        clients.push(ClientRow {
            id: client.id,
            name: client.name,
            client_id: client.client_id,
            reach,
            secret_ends,
            revoked: client.revoked,
        });
    }
    let mut history = desk.history_of_kind(visitor, Area::Settings, "api_key").await?;
    history.extend(desk.history_of_kind(visitor, Area::Settings, "oauth_client").await?);
    history.sort_by_key(|entry| std::cmp::Reverse(entry.id));
    history.truncate(ENTRIES_SHOWN);
    let products = desk.products().await?;
    let signs = desk.seals().await?.into_iter().find(|seal| seal.purpose == SealUse::LicenseSpring && seal.signs());
    Ok(AppsView {
        keys: keys.collect(),
        clients,
        key_form: key_form.unwrap_or_default().scoped("key"),
        client_form: client_form.unwrap_or_default().scoped("client"),
        products: products.into_iter().map(|product| (product.code.to_string(), product.name)).collect(),
        address: format!("{}/api/v4", state.config.public_url.trim_end_matches('/')),
        public_key: signs.as_ref().map(public::pem),
        history: history.iter().map(|entry| event(entry, None)).collect(),
        now: desk.now(),
    })
}

/// The page that shows a secret. Sent again, the form leads to where it is no longer shown.
fn made(state: &AppState, visitor: &Visitor, view: MadeView) -> Response {
    let mut response = draw(state, StatusCode::OK, visitor, "", |vendor| view! { <MadePage vendor=vendor view=view/> });
    response.extensions_mut().insert(EndsAt(SHOWN_BEFORE));
    response
}

pub async fn add_key(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    let products = match state.desk.products().await {
        Ok(products) => products,
        Err(error) => return act_problem(&state, error),
    };
    let codes = products.into_iter().map(|product| product.code.to_string());
    let only: Vec<String> = codes.filter(|code| typed.ticked(&format!("product-{code}"))).collect();
    let only = Some(only).filter(|only| !only.is_empty());
    let name = typed.value("name").to_owned();
    match state.desk.add_api_key(&visitor, &name, only, typed.ticked("read_only"), None).await {
        Ok(key) => {
            let facts = vec![("API key", key.api_key, true), ("Shared key", key.shared_key, true)];
            made(&state, &visitor, MadeView { title: "API key added", facts, note: None })
        }
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_apps(&state, status, &visitor, "", Some(typed), None).await,
            Err(response) => response,
        },
    }
}

pub async fn key_act(State(state): State<AppState>, Staff(visitor): Staff, Path((id, act)): Path<(i64, String)>) -> Response {
    let done = match act.as_str() {
        "revoke" => state.desk.revoke_api_key(&visitor, id).await,
        _ => Err(ActError::NotFound),
    };
    match done {
        Ok(()) => see_other("/vendor/apps?said=credentials-revoked"),
        Err(error) => act_problem(&state, error),
    }
}

pub async fn add_client(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    let scope = match scope_of(&state, &visitor, &typed).await {
        Ok(scope) => Some(scope),
        Err((field, message)) => {
            typed.refuse(field, message);
            None
        }
    };
    let days = typed_number(typed.value("days"), 36_500);
    if let Err(message) = &days {
        typed.refuse("days", message.clone());
    }
    let (Some(scope), Ok(days)) = (scope, days) else {
        return draw_apps(&state, StatusCode::UNPROCESSABLE_ENTITY, &visitor, "", None, Some(typed)).await;
    };
    let name = typed.value("name").to_owned();
    match state.desk.add_oauth_client(&visitor, &name, scope, days.filter(|days| *days > 0)).await {
        Ok(client) => made(&state, &visitor, made_client("OAuth client added", client, None)),
        Err(ActError::Taken(_)) => {
            typed.refuse_whole("There is a client for this already. Give it a new secret, in the list.");
            draw_apps(&state, StatusCode::CONFLICT, &visitor, "", None, Some(typed)).await
        }
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_apps(&state, status, &visitor, "", None, Some(typed)).await,
            Err(response) => response,
        },
    }
}

/// What a client is to be held to, or the field that stands in the way.
async fn scope_of(state: &AppState, visitor: &Visitor, typed: &FormState) -> Result<Scope, (&'static str, String)> {
    let given = ["account", "customer", "license"].map(|name| (name, typed.value(name).trim()));
    let mut given = given.into_iter().filter(|(_, text)| !text.is_empty());
    let (field, text) = match (given.next(), given.next()) {
        (None, _) => return Ok(Scope::Company),
        (Some(one), None) => one,
        (_, Some((second, _))) => return Err((second, "Fill in one of account, customer and license, or none.".to_owned())),
    };
    let desk = &state.desk;
    let found = match field {
        "account" => {
            let wrong = |_| "This is no code of an account: they are made of letters, digits and - _ . alone.".to_owned();
            let code = ProductCode::parse(text).map_err(wrong).map_err(|message| (field, message))?;
            let none = |_| "There is no customer account with this code.".to_owned();
            desk.account(visitor, &code).await.map(|account| Scope::Account(account.id)).map_err(none)
        }
        "customer" => {
            let wrong = |_| "This is not a whole e-mail address. Complete it, such as name@example.com.".to_owned();
            let email = Email::parse(text).map_err(wrong).map_err(|message| (field, message))?;
            let none = |_| "There is no customer with this address.".to_owned();
            desk.customer(visitor, &email).await.map(|(customer, _)| Scope::Customer(customer.id)).map_err(none)
        }
        _ => {
            let wrong = |_| "This is no activation key. Compare it, or copy it from the license’s page.".to_owned();
            let key = ActivationKey::parse(text).map_err(wrong).map_err(|message| (field, message))?;
            let none = |error: ActError| match error {
                ActError::WhichProduct(_) => {
                    "Several products have a license with this key. Use the command line, which asks for the product.".to_owned()
                }
                _ => "There is no license with this key.".to_owned(),
            };
            desk.license_id(&key).await.map(Scope::License).map_err(none)
        }
    };
    found.map_err(|message| (field, message))
}

fn made_client(title: &'static str, client: MadeClient, note: Option<String>) -> MadeView {
    let mut facts = vec![("Client id", client.client_id, true), ("Secret", client.client_secret, true)];
    facts.extend(client.expires.map(|expires: Timestamp| ("Good until", expires.date().for_people(), false)));
    MadeView { title, facts, note }
}

pub async fn client_act(State(state): State<AppState>, Staff(visitor): Staff, Path((id, act)): Path<(i64, String)>) -> Response {
    match act.as_str() {
        "rotate" => match state.desk.rotate_oauth_secret(&visitor, id, GRACE_HOURS, None).await {
            Ok(client) => {
                let note = Some("The secret before is good for three days more.".to_owned());
                made(&state, &visitor, made_client("New secret", client, note))
            }
            Err(error) => act_problem(&state, error),
        },
        "revoke" => match state.desk.revoke_oauth_client(&visitor, id).await {
            Ok(()) => see_other("/vendor/apps?said=credentials-revoked"),
            Err(error) => act_problem(&state, error),
        },
        _ => act_problem(&state, ActError::NotFound),
    }
}
