//! Every setting under its own name, one changed at a time.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::common::{draw, of};
use crate::{
    app::{
        ui::FormState,
        vendor::{Address, EditedSetting, EverySettingPage, EverySettingView, SettingKind, SettingRow, SettingValue},
    },
    desk::{ActError, Area, Level, Setting, SettingGroup, Visitor},
    server::{
        AppState,
        forms::{form, pairs},
        page::{act_problem, see_other},
        session::Staff,
    },
};

const PAGE: &str = "/vendor/settings/all";

/// A picture is chosen there; here it would be tens of thousands of letters.
const LOGO: &str = "logo";
const LOGO_FIELD: &str = "/vendor/settings#logo";

/// The groups in their order, and their titles.
const GROUPS: [(SettingGroup, &str); 3] = [
    (SettingGroup::Portal, "Portal and apps"),
    (SettingGroup::Mail, "Mail and messages"),
    (SettingGroup::Qlm, "Quick License Manager"),
];

/// As much of a value as a row has room for.
const ROOM: usize = 160;

pub async fn show(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let (said, wanted, edit) = (of(&query, "said"), of(&query, "q"), of(&query, "edit"));
    let all = match all(&state, &visitor) {
        Ok(all) => all,
        Err(error) => return act_problem(&state, error),
    };
    let edited = match (edit, named(&all, edit)) {
        ("", _) => None,
        (_, None) => return act_problem(&state, ActError::NotFound),
        (_, Some(setting)) if setting.name == LOGO => return see_other(LOGO_FIELD),
        (_, Some(setting)) => Some(edited(setting, None)),
    };
    draw_all(&state, StatusCode::OK, &visitor, said, view_of(&all, wanted.trim(), edited))
}

pub async fn save(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    let all = match all(&state, &visitor) {
        Ok(all) => all,
        Err(error) => return act_problem(&state, error),
    };
    let Some(setting) = named(&all, typed.value("name")) else { return act_problem(&state, ActError::NotFound) };
    let value = match (setting.secret, typed.value("value")) {
        (true, _) if typed.ticked("remove") => Some(""),
        // It was not shown, so nothing typed is no wish to have none.
        (true, "") => None,
        (_, value) => Some(value),
    };
    let values = value.map(|value| (setting.name.to_owned(), value.to_owned())).into_iter().collect();
    match state.desk.set_settings(&visitor, values).await {
        Ok(()) => see_other(&format!("{PAGE}?said=saved#{}", setting.name)),
        Err(ActError::Field { field, message }) => {
            let message = if field == setting.name {
                message
            } else {
                // A password that was typed for the present value.
                format!("{message} Here one setting is changed at a time: take {field} away first, and type it anew after this.")
            };
            typed.refuse("value", message);
            let view = view_of(&all, "", Some(edited(setting, Some(typed))));
            draw_all(&state, StatusCode::UNPROCESSABLE_ENTITY, &visitor, "", view)
        }
        Err(error) => act_problem(&state, error),
    }
}

fn draw_all(state: &AppState, status: StatusCode, visitor: &Visitor, said: &str, view: EverySettingView) -> Response {
    draw(state, status, visitor, said, |vendor| view! { <EverySettingPage vendor=vendor view=view/> })
}

/// Every setting, for whoever may change them.
fn all(state: &AppState, visitor: &Visitor) -> Result<Vec<Setting>, ActError> {
    visitor.needs(Area::Settings, Level::Manage)?;
    Ok(state.desk.settings().described())
}

fn named<'a>(all: &'a [Setting], name: &str) -> Option<&'a Setting> {
    all.iter().find(|setting| setting.name.eq_ignore_ascii_case(name))
}

fn view_of(all: &[Setting], wanted: &str, edited: Option<EditedSetting>) -> EverySettingView {
    let address = Address::new(PAGE).with("q", wanted);
    let wanted = plain(wanted);
    let rows = |group: SettingGroup| -> Vec<SettingRow> {
        let found = all.iter().filter(|setting| setting.group == group && matches(setting, &wanted));
        found.map(|setting| row(setting, &address)).collect()
    };
    let groups = GROUPS.map(|(group, title)| (title, rows(group)));
    let groups = groups.into_iter().filter(|(_, rows)| !rows.is_empty()).collect();
    EverySettingView { address, edited, groups }
}

fn matches(setting: &Setting, wanted: &str) -> bool {
    plain(setting.name).contains(wanted) || plain(setting.about).contains(wanted)
}

/// As people type it into a search.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('’', "'")
}

fn row(setting: &Setting, address: &Address) -> SettingRow {
    let is_logo = setting.name == LOGO;
    let hidden = setting.secret || is_logo;
    let value = if hidden {
        SettingValue::Hidden { set: !setting.value.is_empty() }
    } else {
        SettingValue::Text(shortened(&setting.value))
    };
    let href = if is_logo { LOGO_FIELD.to_owned() } else { address.clone().with("edit", setting.name).href() };
    SettingRow { name: setting.name, about: sentence(setting), value, changed: !hidden && setting.value != setting.default, href }
}

/// The form of one setting: as it stands, or as it was sent and refused.
fn edited(setting: &Setting, typed: Option<FormState>) -> EditedSetting {
    let kind = match setting.default.as_str() {
        _ if setting.secret => SettingKind::Secret { set: !setting.value.is_empty() },
        "true" | "false" => SettingKind::Switch,
        _ => SettingKind::Text { may_be_empty: setting.may_be_empty },
    };
    let form = match (typed, setting.secret) {
        (Some(typed), false) => typed,
        // A password is not repeated.
        (Some(typed), true) => typed.with("value", ""),
        (None, false) => FormState::filled([("value", setting.value.as_str())]),
        (None, true) => FormState::default(),
    };
    EditedSetting { name: setting.name, about: sentence(setting), default: setting.default.clone(), kind, form }
}

/// What it is for. Those of a group begin small behind its name, which stands above them here; an argument's own name stays as it is.
fn sentence(setting: &Setting) -> String {
    let text = setting.purpose();
    let is_name = text.split(' ').next().is_some_and(|word| word.contains('_'));
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if setting.group == SettingGroup::Qlm && !is_name => {
            format!("{}{}.", first.to_uppercase(), letters.as_str())
        }
        _ => format!("{text}."),
    }
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Settings;

    #[test]
    fn what_a_setting_is_for_reads_as_a_sentence() {
        let all = Settings::default().described();
        let said = |name: &str| sentence(named(&all, name).unwrap());
        assert!(said("enableGetActivationKey").starts_with("Shops may have keys made (GetActivationKey). Whoever"));
        assert!(said("numberOfActivationsAppliesToMultiKey").starts_with("is_numberofactivationsperkey also"));
        assert_eq!(said("smtpSecurity"), "tls (port 465), starttls (port 587), or none for a server on this machine.");
        assert!(all.iter().all(|setting| !sentence(setting).contains("QLM:") && !sentence(setting).ends_with("..")));
    }

    #[test]
    fn every_setting_is_in_a_group_with_others_of_its_kind() {
        let all = Settings::default().described();
        let group = |name: &str| named(&all, name).unwrap().group;
        assert_eq!(group("accent"), SettingGroup::Portal);
        assert_eq!(group("smsServiceUrl"), SettingGroup::Mail);
        assert_eq!(group("communicationEncryptionKey"), SettingGroup::Qlm);
        assert_eq!(group("blockComputerIDs"), SettingGroup::Portal, "it counts at every door");
        let shown: usize = view_of(&all, "", None).groups.iter().map(|(_, rows)| rows.len()).sum();
        assert_eq!(shown, all.len());
    }

    #[test]
    fn a_long_value_ends_where_the_row_does() {
        assert_eq!(shortened("true"), "true");
        assert_eq!(shortened(&"ö".repeat(161)), format!("{}…", "ö".repeat(160)));
    }
}
