//! Mail: what was written, what became of it, and the server it is handed to.

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
            Address, MailListPage, MailListView, MailPage, MailRow, MailServerPage, MailServerView, MailView, TemplateRow,
            TemplatesPage, TemplatesView,
        },
    },
    desk::{ActError, Area, Level, Visitor},
    licensing::{
        Email, Timestamp,
        template::{self, LetterKind, NEW_ORDER},
    },
    server::{
        AppState,
        forms::{form, pairs},
        page::{act_problem, see_other},
        path::Path,
        session::Staff,
    },
    store::{Channel, Message},
};

/// The form's short names for the settings.
const FIELDS: [(&str, &str); 5] = [
    ("server", "smtpServer"),
    ("security", "smtpSecurity"),
    ("user", "smtpUser"),
    ("password", "smtpPassword"),
    ("from", "mailFrom"),
];

/// What a letter begins as where none is written yet.
const OUR_WORDS: &str = "Your license of %ProductName% is ready.\n\nActivation key:\n\n%ActivationKey%\n\nType it into the app, or activate a computer here: %ActivationUrl%\n";

pub async fn list(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let (wanted, before) = (of(&query, "q").trim().to_owned(), of(&query, "before").parse::<i64>().ok());
    let recipient = Some(wanted.as_str()).filter(|wanted| !wanted.is_empty());
    let (found, older) = match state.desk.messages(&visitor, before, recipient).await {
        Ok(found) => found,
        Err(error) => return act_problem(&state, error),
    };
    let (now, has_server) = (state.desk.now(), has_server(&state));
    let address = Address::new("/vendor/mail").with("q", wanted.clone());
    let address = match before {
        Some(before) if found.is_empty() => address.with("before", before.to_string()),
        _ => address,
    };
    let rows = found.into_iter().map(|message| MailRow {
        state: state_of(&message, has_server, now),
        token: message.token,
        recipient: message.recipient,
        subject: message.subject,
        at: message.created,
    });
    let view = MailListView { address, rows: rows.collect(), older: older.map(|id| id.to_string()), has_server, now };
    draw(&state, StatusCode::OK, &visitor, of(&query, "said"), |vendor| view! { <MailListPage vendor=vendor view=view/> })
}

fn has_server(state: &AppState) -> bool {
    state.desk.settings().mail.host_and_port().is_some()
}

fn state_of(message: &Message, has_server: bool, now: Timestamp) -> (Tone, String) {
    let leaves = match message.channel {
        Channel::Mail => has_server,
        Channel::Sms => true,
    };
    match message {
        Message { sent: Some(_), .. } => (Tone::Good, "Sent".to_owned()),
        Message { failed: Some(_), .. } => (Tone::Refused, "Not sent".to_owned()),
        Message { over, .. } if *over <= now => (Tone::Caution, "Over".to_owned()),
        _ if !leaves => (Tone::Info, "Kept here".to_owned()),
        Message { attempts: 0, .. } => (Tone::Info, "Waits".to_owned()),
        Message { attempts, .. } => (Tone::Caution, format!("Tried {attempts}×")),
    }
}

pub async fn show(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let found = match state.desk.message(&visitor, &token).await {
        Ok(found) => found,
        Err(error) => return act_problem(&state, error),
    };
    let (message, now) = (found.message, state.desk.now());
    let waits = message.sent.is_none() && message.failed.is_none() && message.over > now;
    let view = MailView {
        state: state_of(&message, has_server(&state), now),
        by_phone: message.channel == Channel::Sms,
        can_retry: message.sent.is_none() && message.keeps_text && found.text.is_some() && has_server(&state),
        next: (waits && message.attempts > 0).then_some(message.due),
        token: message.token,
        recipient: message.recipient,
        subject: message.subject,
        fault: message.fault,
        attempts: message.attempts,
        written: message.created,
        sent: message.sent,
        text: found.text,
        now,
    };
    let query = pairs(query.unwrap_or_default().as_bytes());
    draw(&state, StatusCode::OK, &visitor, of(&query, "said"), |vendor| view! { <MailPage vendor=vendor view=view/> })
}

pub async fn again(State(state): State<AppState>, Staff(visitor): Staff, Path(token): Path<String>) -> Response {
    match state.desk.send_again(&visitor, &token).await {
        Ok(()) => see_other(&format!("/vendor/mail/{token}?said=mail-again")),
        Err(error) => act_problem(&state, error),
    }
}

pub async fn server(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let values = state.desk.settings().list();
    let value = |name: &str| values.iter().find(|(known, ..)| *known == name).map(|(_, value, _)| value.clone());
    let form = FIELDS.map(|(field, name)| (field.to_owned(), value(name).unwrap_or_default()));
    draw_server(&state, StatusCode::OK, &visitor, of(&query, "said"), FormState::filled(form), None)
}

fn draw_server(
    state: &AppState,
    status: StatusCode,
    visitor: &Visitor,
    said: &str,
    form: FormState,
    trial: Option<FormState>,
) -> Response {
    if let Err(forbidden) = visitor.needs(Area::Settings, Level::Manage) {
        return act_problem(state, forbidden.into());
    }
    let own = match visitor {
        Visitor::Staff { email, .. } => email.clone(),
        _ => String::new(),
    };
    let trial = trial.unwrap_or_else(|| FormState::filled([("to", own)])).scoped("trial");
    let view = MailServerView { form, trial, has_server: has_server(state) };
    draw(state, status, visitor, said, |vendor| view! { <MailServerPage vendor=vendor view=view/> })
}

pub async fn set_server(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    let values = FIELDS.map(|(field, name)| (name.to_owned(), typed.value(field).to_owned()));
    match state.desk.set_settings(&visitor, values.to_vec()).await {
        Ok(()) => see_other("/vendor/mail/server?said=saved"),
        Err(ActError::Field { field, message }) => {
            let shown = FIELDS.iter().find(|(_, name)| *name == field).map_or(field, |(field, _)| *field);
            typed.refuse(shown, message);
            draw_server(&state, StatusCode::UNPROCESSABLE_ENTITY, &visitor, "", typed, None)
        }
        Err(error) => act_problem(&state, error),
    }
}

pub async fn try_out(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    let Ok(to) = Email::parse(typed.value("to")) else {
        typed.refuse("to", "This is not a whole e-mail address. Complete it, such as name@example.com.");
        let values = state.desk.settings().list();
        let value = |name: &str| values.iter().find(|(known, ..)| *known == name).map(|(_, value, _)| value.clone());
        let form = FormState::filled(FIELDS.map(|(field, name)| (field.to_owned(), value(name).unwrap_or_default())));
        return draw_server(&state, StatusCode::UNPROCESSABLE_ENTITY, &visitor, "", form, Some(typed));
    };
    match state.desk.send_trial_letter(&visitor, &to).await {
        Ok(()) => see_other("/vendor/mail?said=mail-tried"),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(_) => see_other("/vendor/mail/server"),
            Err(response) => response,
        },
    }
}

/// Letters in the vendor's own words; one of them in the form, where the address names it.
pub async fn templates(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    draw_templates(&state, StatusCode::OK, &visitor, of(&query, "said"), of(&query, "edit"), None).await
}

async fn draw_templates(
    state: &AppState,
    status: StatusCode,
    visitor: &Visitor,
    said: &str,
    edit: &str,
    typed: Option<FormState>,
) -> Response {
    if let Err(forbidden) = visitor.needs(Area::Settings, Level::Manage) {
        return act_problem(state, forbidden.into());
    }
    let all = match state.desk.templates(visitor).await {
        Ok(all) => all,
        Err(error) => return act_problem(state, error),
    };
    let edited = all.iter().find(|one| one.name.eq_ignore_ascii_case(edit));
    // Whoever writes the first begins with our words.
    let begun = (NEW_ORDER, "Your license of %ProductName%", OUR_WORDS);
    let (name, subject, text) = match edited {
        Some(one) => (one.name.as_str(), one.subject.as_str(), one.text.as_str()),
        None if all.is_empty() => begun,
        None => ("", "", ""),
    };
    let form = typed.unwrap_or_else(|| FormState::filled([("name", name), ("subject", subject), ("text", text)]));
    let listed = |names: &[&str]| names.iter().map(|name| format!("%{name}%")).collect::<Vec<_>>().join(", ");
    let view = TemplatesView {
        edited: edited.map(|one| one.name.clone()),
        form,
        variables: LetterKind::ALL
            .map(|kind| {
                let name = match kind {
                    LetterKind::Order => "An order’s letter",
                    LetterKind::Renewal => template::RENEWED,
                    LetterKind::Requested => template::REQUESTED,
                    LetterKind::Code => template::CODE,
                };
                (name, listed(kind.variables()))
            })
            .to_vec(),
        rows: all
            .iter()
            .map(|one| TemplateRow {
                name: one.name.clone(),
                subject: one.subject.clone(),
                sent_for: match LetterKind::of(&one.name) {
                    LetterKind::Order if one.name.eq_ignore_ascii_case(NEW_ORDER) => "with every order that names no other",
                    LetterKind::Order => "with orders that name it",
                    LetterKind::Renewal => "when a subscription was renewed",
                    LetterKind::Requested => "to whoever asks for their keys",
                    LetterKind::Code => "with a code for activating",
                },
            })
            .collect(),
    };
    draw(state, status, visitor, said, |vendor| view! { <TemplatesPage vendor=vendor view=view/> })
}

pub async fn put_template(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    let (name, subject, text) = (typed.value("name"), typed.value("subject"), typed.value("text"));
    match state.desk.put_template(&visitor, name, subject, text).await {
        Ok(()) => see_other("/vendor/mail/templates?said=saved"),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_templates(&state, status, &visitor, "", "", Some(typed)).await,
            Err(response) => response,
        },
    }
}

pub async fn remove_template(State(state): State<AppState>, Staff(visitor): Staff, Path(name): Path<String>) -> Response {
    match state.desk.remove_template(&visitor, &name).await {
        Ok(()) => see_other("/vendor/mail/templates?said=removed"),
        Err(error) => act_problem(&state, error),
    }
}
