//! Signing in and out, and one's own password.

use std::net::SocketAddr;

use axum::{
    body::Bytes,
    extract::{ConnectInfo, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use leptos::prelude::*;

use super::common::{draw, of, refuse};
use crate::{
    app::{
        portal::Problem,
        ui::FormState,
        vendor::{AccountPage, AccountView, SignInPage, SignInView},
    },
    desk::{ActError, Refusal, Visitor},
    server::{
        AppState,
        forms::{form, pairs},
        page::{act_problem, page, problem, see_other},
        session::{self, Staff},
    },
};

pub async fn sign_in(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let form = FormState::filled([("next", own_path(of(&query, "next")).unwrap_or_default())]);
    draw_sign_in(&state, StatusCode::OK, form, said(of(&query, "said"))).await
}

/// Why someone is here to sign in again: a closed list, as on every page.
fn said(code: &str) -> Option<&'static str> {
    match code {
        "password" => Some("Your password is changed. Sign in with the new one."),
        "everywhere" => Some("You are signed out everywhere."),
        "out" => Some("You are signed out."),
        _ => None,
    }
}

async fn draw_sign_in(state: &AppState, status: StatusCode, form: FormState, said: Option<&'static str>) -> Response {
    let no_staff = match state.desk.has_staff().await {
        Ok(has) => !has,
        Err(error) => return act_problem(state, error),
    };
    let unprotected = !state.config.is_private();
    page(state, status, |frame| {
        let view = SignInView { form, said, no_staff, unprotected };
        view! { <SignInPage frame=frame view=view/> }
    })
}

/// Only a path of this portal: a link can't lead elsewhere after signing in.
fn own_path(next: &str) -> Option<&str> {
    let rest = next.strip_prefix("/vendor")?;
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') && !rest.starts_with("/sign-");
    (plain && (rest.is_empty() || rest.starts_with(['/', '?']))).then_some(next)
}

pub async fn sign_in_post(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut typed = form(&body);
    if !state.allows_sign_in(state.address_of(peer, &headers)) {
        return problem(&state, Problem::SignInTooOften { wait_seconds: 60 });
    }
    let (email, password) = (typed.value("email").to_owned(), typed.value("password").to_owned());
    match state.desk.sign_in(&email, &password).await {
        Ok(Some(signed_in)) => {
            // The session before, if any, ends here: its token is not carried over.
            if let Some(old) = session::token(&headers)
                && let Err(error) = state.desk.sign_out(&old).await
            {
                return act_problem(&state, error);
            }
            let mut response = see_other(own_path(typed.value("next")).unwrap_or("/vendor"));
            let seconds = signed_in.expires.since(state.desk.now()) / 1000;
            session::set(&mut response, &signed_in, seconds);
            response
        }
        Ok(None) => {
            typed.refuse_whole("E-mail address and password do not match. Type both again; ask an owner of the team if you have forgotten yours.");
            draw_sign_in(&state, StatusCode::UNPROCESSABLE_ENTITY, typed, None).await
        }
        Err(ActError::Refused(refused)) => too_often(&state, &refused.refusal),
        Err(error) => act_problem(&state, error),
    }
}

fn too_often(state: &AppState, refusal: &Refusal) -> Response {
    match refusal {
        Refusal::TooMany { seconds } => problem(state, Problem::SignInTooOften { wait_seconds: seconds.unsigned_abs() }),
        _ => problem(state, Problem::NotAllowed),
    }
}

pub async fn sign_out(State(state): State<AppState>, headers: HeaderMap) -> Response {
    if let Some(token) = session::token(&headers)
        && let Err(error) = state.desk.sign_out(&token).await
    {
        return act_problem(&state, error);
    }
    let mut response = see_other("/vendor/sign-in?said=out");
    session::clear(&mut response);
    response
}

pub async fn show(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    draw_account(&state, StatusCode::OK, &visitor, of(&query, "said"), FormState::default()).await
}

async fn draw_account(state: &AppState, status: StatusCode, visitor: &Visitor, said: &str, form: FormState) -> Response {
    let Visitor::Staff { id, .. } = visitor else { return problem(state, Problem::NotAllowed) };
    match state.desk.member(visitor, *id).await {
        Ok((_, sessions)) => draw(state, status, visitor, said, |vendor| {
            let view = AccountView { form, other_sessions: sessions.saturating_sub(1) };
            view! { <AccountPage vendor=vendor view=view/> }
        }),
        Err(error) => act_problem(state, error),
    }
}

pub async fn password(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    match state.desk.change_own_password(&visitor, typed.value("current"), typed.value("password")).await {
        Ok(()) => {
            let mut response = see_other("/vendor/sign-in?said=password");
            session::clear(&mut response);
            response
        }
        Err(ActError::Refused(refused)) if matches!(refused.refusal, Refusal::TooMany { .. }) => {
            too_often(&state, &refused.refusal)
        }
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_account(&state, status, &visitor, "", typed).await,
            Err(response) => response,
        },
    }
}

pub async fn sign_out_everywhere(State(state): State<AppState>, Staff(visitor): Staff) -> Response {
    let Visitor::Staff { id, .. } = &visitor else { return problem(&state, Problem::NotAllowed) };
    match state.desk.sign_out_everywhere(&visitor, *id).await {
        Ok(_) => {
            let mut response = see_other("/vendor/sign-in?said=everywhere");
            session::clear(&mut response);
            response
        }
        Err(error) => act_problem(&state, error),
    }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn signing_in_leads_only_to_our_own_pages() {
        for next in ["/vendor", "/vendor/licenses?state=enabled", "/vendor?said=saved"] {
            assert_eq!(own_path(next), Some(next));
        }
        for next in [
            "",
            "/",
            "//evil.example",
            "https://evil.example/vendor",
            "/vendor\\evil",
            "/vendorx",
            "/vendor/sign-out",
            "/vendor.evil",
            "aaaaaa€",
            "/vendor€",
            "/vendor/\u{202e}x",
        ] {
            assert_eq!(own_path(next), None, "{next}");
        }
    }
}
