//! The team: who can sign in, and how far each reaches.

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
        vendor::{MemberPage, MemberRow, MemberView, TeamPage, TeamView},
    },
    desk::{ActError, Area, Role, Visitor},
    licensing::{Email, Timestamp, UserId},
    server::{
        AppState,
        forms::{form, pairs},
        page::{act_problem, see_other},
        path::Path,
        session::Staff,
    },
    store::Subject,
};

fn is_you(visitor: &Visitor, id: UserId) -> bool {
    matches!(visitor, Visitor::Staff { id: own, .. } if *own == id)
}

pub async fn list(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let form = FormState::filled([("role", "support")]);
    draw_team(&state, StatusCode::OK, &visitor, of(&query, "said"), form).await
}

async fn rows(state: &AppState, visitor: &Visitor) -> Result<Vec<MemberRow>, ActError> {
    let last = state.desk.last_sign_ins(visitor).await?;
    let rows = state.desk.team(visitor).await?.into_iter().map(|member| MemberRow {
        id: member.id.0,
        email: member.email.to_string(),
        role: member.role,
        enabled: member.disabled.is_none(),
        last_sign_in: last.get(&member.id.0).copied(),
        is_you: is_you(visitor, member.id),
    });
    Ok(rows.collect())
}

async fn draw_team(state: &AppState, status: StatusCode, visitor: &Visitor, said: &str, form: FormState) -> Response {
    match rows(state, visitor).await {
        Ok(rows) => {
            let view = TeamView { rows, form, now: state.desk.now() };
            draw(state, status, visitor, said, |vendor| view! { <TeamPage vendor=vendor view=view/> })
        }
        Err(error) => act_problem(state, error),
    }
}

pub async fn csv(State(state): State<AppState>, Staff(visitor): Staff) -> Response {
    match rows(&state, &visitor).await {
        Ok(rows) => {
            let rows = rows.into_iter().map(|row| {
                vec![
                    row.email,
                    row.role,
                    row.enabled.to_string(),
                    row.last_sign_in.map(Timestamp::to_rfc3339).unwrap_or_default(),
                ]
            });
            csv_file::respond("team.csv", &["email", "role", "enabled", "last_sign_in"], rows.collect::<Vec<_>>())
        }
        Err(error) => act_problem(&state, error),
    }
}

pub async fn add(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    let email = Email::parse(typed.value("email"));
    if email.is_err() {
        typed.refuse("email", "This is not a whole e-mail address. Complete it, such as name@example.com.");
    }
    let role = Role::parse(typed.value("role"));
    if role.is_none() {
        typed.refuse("role", "Choose a role.");
    }
    let (Ok(email), Some(role)) = (email, role) else {
        return draw_team(&state, StatusCode::UNPROCESSABLE_ENTITY, &visitor, "", typed).await;
    };
    match state.desk.add_member(&visitor, &email, typed.value("password"), role).await {
        Ok(_) => see_other("/vendor/team?said=added"),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_team(&state, status, &visitor, "", typed).await,
            Err(response) => response,
        },
    }
}

pub async fn show(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path(id): Path<i64>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    draw_member(&state, StatusCode::OK, &visitor, UserId(id), of(&query, "said"), None, None).await
}

async fn draw_member(
    state: &AppState,
    status: StatusCode,
    visitor: &Visitor,
    id: UserId,
    said: &str,
    role: Option<FormState>,
    password: Option<FormState>,
) -> Response {
    let found = match state.desk.member(visitor, id).await {
        Ok(found) => found,
        Err(error) => return act_problem(state, error),
    };
    let history = match state.desk.history(visitor, Area::Team, Subject::of("staff", id.0)).await {
        Ok(history) => history,
        Err(error) => return act_problem(state, error),
    };
    let (member, sessions) = found;
    let view = MemberView {
        id: id.0,
        email: member.email.to_string(),
        enabled: member.disabled.is_none(),
        is_you: is_you(visitor, id),
        sessions,
        role: role.unwrap_or_else(|| FormState::filled([("role", member.role.clone())])).scoped("role"),
        password: password.unwrap_or_default().scoped("password"),
        history: history.iter().map(|entry| event(entry, None)).collect(),
        now: state.desk.now(),
    };
    draw(state, status, visitor, said, |vendor| view! { <MemberPage vendor=vendor view=view/> })
}

pub async fn act(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path((id, act)): Path<(i64, String)>,
    body: Bytes,
) -> Response {
    let id = UserId(id);
    let mut typed = form(&body);
    let (done, said) = match act.as_str() {
        "role" => match Role::parse(typed.value("role")) {
            Some(role) => (state.desk.set_role(&visitor, id, role).await, "saved"),
            None => (Err(ActError::field("role", "Choose a role.")), "saved"),
        },
        "password" => (state.desk.set_password(&visitor, id, typed.value("password")).await, "password"),
        "disable" => (state.desk.set_member_disabled(&visitor, id, true).await, "saved"),
        "enable" => (state.desk.set_member_disabled(&visitor, id, false).await, "saved"),
        "sign-out-everywhere" => (state.desk.sign_out_everywhere(&visitor, id).await.map(|_| ()), "signed-out"),
        _ => (Err(ActError::NotFound), ""),
    };
    match done {
        Ok(()) => see_other(&format!("/vendor/team/{id}?said={said}")),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => {
                let (role, password) = if act == "password" { (None, Some(typed)) } else { (Some(typed), None) };
                draw_member(&state, status, &visitor, id, "", role, password).await
            }
            Err(response) => response,
        },
    }
}
