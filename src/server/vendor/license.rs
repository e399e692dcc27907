//! A license's page and what is done from it.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::{
    common::{
        actor, draw, ends, event, of, refuse, shown_day, shown_floating, shown_seats, shown_transfers, standing,
        tells_of_a_lower_counter, typed_day, typed_floating, typed_line, typed_reason, typed_seats, typed_transfers,
    },
    records::refusal_row,
};
use crate::{
    app::{
        portal::Problem,
        ui::FormState,
        vendor::{
            FeatureRow, LicensePage, LicenseTab, LicenseView, Machine, MachineSlot, MachineState, UserLine,
            license::{QlmFacts, QlmProperty},
        },
        view::counted,
    },
    desk::{self, ActError, Edit, Level, Renewal, Visitor},
    licensing::{
        Date, LicenseId,
        activation::{ActivationState, How},
        decide::ActivationRefusal,
        license::{Expiry, LicenseState, Limit, Maintenance, TransferLimit},
        qlm::{ComputerType, Property, QlmTerms},
    },
    server::{
        AppState,
        forms::{form, pairs},
        page::{act_problem, download, problem, see_other},
        path::Path,
        session::Staff,
    },
    store::LicenseUser,
};

/// Which of the page's forms came back, with what stands in its way.
enum Came {
    None,
    Edit(FormState),
    Renew(FormState),
    Disable(FormState),
    /// Of this machine.
    Revoke(i64, FormState),
}

pub async fn show(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path(id): Path<i64>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let tab = LicenseTab::parse(of(&query, "tab"));
    draw_license(&state, StatusCode::OK, &visitor, LicenseId(id), tab, of(&query, "said"), Came::None).await
}

async fn draw_license(
    state: &AppState,
    status: StatusCode,
    visitor: &Visitor,
    id: LicenseId,
    tab: LicenseTab,
    said: &str,
    came: Came,
) -> Response {
    match state.desk.license_view(visitor, id).await {
        Ok(found) => {
            let view = view_of(state, visitor, found, tab, came);
            draw(state, status, visitor, said, |vendor| view! { <LicensePage vendor=vendor view=view/> })
        }
        Err(error) => act_problem(state, error),
    }
}

fn view_of(state: &AppState, visitor: &Visitor, found: desk::LicenseView, tab: LicenseTab, came: Came) -> LicenseView {
    let now = state.desk.now();
    let desk::LicenseView {
        license,
        product,
        customer,
        order,
        users,
        activations,
        slots_in_use,
        feature_slots,
        more_machines,
        history,
        refusals,
        usable,
        availability,
    } = found;
    let terms = &license.terms;
    let [slots, borrow_hours] = shown_floating(terms.floating);
    let edit = FormState::filled([
        slots,
        borrow_hours,
        ("seats", shown_seats(terms.seats)),
        ("transfers", shown_transfers(terms.transfers)),
        ("valid_until", shown_day(terms.expiry.on)),
        ("maintenance_until", shown_day(terms.maintenance.instant(license.first_activated))),
        ("offline", if terms.offline_allowed { "1".to_owned() } else { String::new() }),
        ("note", license.note.clone()),
    ])
    .scoped("edit");
    let renew = FormState::filled([("valid_until", String::new())]).scoped("renew");
    let disable = FormState::default().scoped("disable");
    let (edit, renew, disable, revoke) = match came {
        Came::None => (edit, renew, disable, None),
        Came::Edit(form) => (form.scoped("edit"), renew, disable, None),
        Came::Renew(form) => (edit, form.scoped("renew"), disable, None),
        Came::Disable(form) => (edit, renew, form.scoped("disable"), None),
        Came::Revoke(machine, form) => (edit, renew, disable, Some((machine, form))),
    };
    let put_away = match &license.state {
        LicenseState::Enabled => None,
        LicenseState::Disabled { at, by, reason } | LicenseState::Archived { at, by, reason } => {
            Some((*at, actor(by), reason.clone()))
        }
    };
    let because = match &availability {
        Ok(()) => yes_because(&license, slots_in_use),
        Err(refusal) => {
            let words = refusal.words();
            let waits = matches!(refusal, ActivationRefusal::FloatingFull { .. });
            let apps =
                if waits { " An app that asks for its slot while it runs can be activated, and waits for one." } else { "" };
            format!("{}. {}{apps}", words.what, words.why)
        }
    };
    let key = license.key.as_ref().map(|key| visitor.key_text(key));
    let message = message(state, &product.name, key.as_deref(), &license);
    LicenseView {
        id: license.id.0,
        tab,
        key,
        product: product.name,
        product_code: product.code.to_string(),
        standing: standing(&license, now),
        put_away,
        can_activate: availability.is_ok(),
        because,
        kind: terms.kind.as_str().to_owned(),
        trial: terms.trial,
        seats_taken: u64::from(license.seats_taken),
        seats: terms.seats.most().map(u64::from),
        floating: terms.floating.map(|floating| (slots_in_use, floating.slots, floating.borrow_hours)),
        ends: ends(terms.expiry, license.valid_until()),
        grace_hours: terms.grace_hours,
        start: terms.start,
        maintenance_until: terms.maintenance.instant(license.first_activated),
        offline_allowed: terms.offline_allowed,
        air_gapped: terms.air_gapped,
        transfers: match terms.transfers {
            TransferLimit::Unlimited => format!("any number, {} used", license.transfers_used),
            TransferLimit::Forbidden => "none".to_owned(),
            TransferLimit::AtMost(most) => format!("{} of {most} used", license.transfers_used),
        },
        customer: customer.map(|customer| customer.email.to_string()),
        order: order.map(|order| (order.reference, order.id.0)),
        issued_at: license.created,
        note: Some(license.note.clone()).filter(|note| !note.is_empty()),
        fields: terms.fields.clone().into_iter().collect(),
        qlm: terms.qlm.as_ref().map(|qlm| qlm_facts(qlm, visitor)),
        users: users.into_iter().map(user_line).collect(),
        machines: activations.iter().map(machine_of).collect(),
        more_machines,
        no_files: usable.err().map(|refusal| format!("{}.", refusal.words().what)),
        features: terms
            .entitlements
            .iter()
            .map(|entitlement| FeatureRow {
                code: entitlement.code.clone(),
                name: entitlement.name.clone(),
                valid_until: entitlement.valid_until,
                used: entitlement.meter.map(|meter| meter.used),
                max: entitlement.meter.and_then(|meter| meter.max.most()).map(u64::from),
                floating: entitlement.floating.map(|slots| {
                    let in_use = feature_slots.iter().find(|(code, _)| *code == entitlement.code);
                    (in_use.map_or(0, |(_, in_use)| *in_use), slots)
                }),
            })
            .collect(),
        lower_counter: history.iter().find_map(|entry| Some((entry.at, tells_of_a_lower_counter(entry)?))),
        more_history: history.len() >= desk::ENTRIES_SHOWN,
        history: history.iter().map(|entry| event(entry, None)).collect(),
        more_refusals: refusals.len() >= desk::ENTRIES_SHOWN,
        refusals: refusals.iter().map(refusal_row).collect(),
        edit,
        renew,
        disable,
        revoke,
        message,
        now,
    }
}

fn yes_because(license: &crate::licensing::license::License, slots_in_use: u32) -> String {
    let seats = match license.terms.seats {
        Limit::Unlimited => "seats are unlimited".to_owned(),
        Limit::AtMost(most) => match most.saturating_sub(license.seats_taken) {
            1 => "one seat is free".to_owned(),
            free => format!("{free} seats are free"),
        },
    };
    let end = license.valid_until().map_or_else(
        || "it has no end".to_owned(),
        |until| format!("it is good through {}", until.plus_millis(-1).date().for_people()),
    );
    let files = match (license.terms.air_gapped, license.terms.offline_allowed) {
        (true, _) => "codes activate it",
        (false, true) => "files are allowed",
        (false, false) => "files are not allowed",
    };
    let slots = license.terms.floating.map_or_else(String::new, |floating| {
        format!(", {} of {} slots are free", floating.slots.saturating_sub(slots_in_use), floating.slots)
    });
    let mut text = format!("{seats}{slots}, {end}, {files}.");
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}

fn qlm_facts(terms: &QlmTerms, visitor: &Visitor) -> QlmFacts {
    let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let only = match terms.computer_type {
        ComputerType::Any => "",
        ComputerType::Physical => "physical machines only",
        ComputerType::Virtual => "virtual machines only",
    };
    QlmFacts {
        model: terms.model.as_str().replace('_', " "),
        // One that was made by other means and changed by these has none.
        version: ((terms.major, terms.minor) != (0, 0)).then(|| format!("{}.{}", terms.major, terms.minor)),
        features: said(&terms.features.text()),
        floating_seats: (terms.floating_seats > 0).then_some(terms.floating_seats),
        computer_type: said(only),
        reseller: said(&terms.affiliate),
        user_data: said(&terms.user_data),
        old_key: said(&terms.legacy_key).filter(|_| visitor.sees_keys()),
        releases: said(&own_releases(terms)),
        properties: terms.properties.iter().map(qlm_property).collect(),
    }
}

fn qlm_property(property: &Property) -> QlmProperty {
    QlmProperty { name: property.full_name(), value: property.value.clone(), valid_until: property.expires }
}

/// How often seats of a license are given back, where it has limits of its own.
fn own_releases(terms: &QlmTerms) -> String {
    let most = terms.max_releases.map(|limit| match limit {
        Limit::Unlimited => "no limit".to_owned(),
        Limit::AtMost(0) => "none".to_owned(),
        Limit::AtMost(most) => format!("up to {}", counted(most.into(), "time", "times")),
    });
    let days = terms.release_days.map(|limit| match limit {
        Limit::Unlimited => "counted from the first".to_owned(),
        Limit::AtMost(days) => format!("counted over {}", counted(days.into(), "day", "days")),
    });
    [most, days].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn machine_of(shown: &desk::ActivationView) -> Machine {
    let activation = &shown.activation;
    let device = &activation.device;
    let mut details = Vec::new();
    let mut put = |name: &str, value: Option<String>| details.extend(value.map(|value| (name.to_owned(), value)));
    put("Operating system", device.os.clone());
    put("App", device.app.clone());
    put("Library", device.sdk.clone());
    put("Virtual machine", device.virtual_machine.map(|vm| if vm { "yes" } else { "no" }.to_owned()));
    put("User", activation.user.clone());
    put("Address given, not proved:", activation.contact.clone());
    put("First activated", Some(activation.first_activated.date().for_people()));
    Machine {
        id: activation.id.0,
        device_id: device.id.to_string(),
        name: device.name.as_ref().map(ToString::to_string),
        state: match &activation.state {
            ActivationState::Active { since } => MachineState::Active { since: *since },
            ActivationState::Released { at, by, .. } => MachineState::Released { at: *at, by: actor(by) },
            ActivationState::Revoked { at, reason, .. } => MachineState::Revoked { at: *at, reason: reason.clone() },
        },
        how: match activation.how {
            How::Online => "online".to_owned(),
            How::Offline => "by file".to_owned(),
            How::AirGapped => "by code".to_owned(),
        },
        last_seen: Some(activation.last_seen),
        details,
        variables: shown.variables.iter().map(|variable| (variable.name.clone(), variable.value.clone())).collect(),
        device_key: activation.device_key.is_some(),
        slots: shown
            .slots
            .iter()
            .map(|slot| MachineSlot {
                feature: slot.feature.clone(),
                borrowed: slot.hold.borrowed_until().is_some(),
                until: slot.hold.until(),
            })
            .collect(),
    }
}

/// What to send to the customer: the key, where to use it, and how without a network.
fn message(state: &AppState, product: &str, key: Option<&str>, license: &crate::licensing::license::License) -> String {
    let url = &state.config.public_url;
    let settings = state.desk.settings();
    let mut text = format!("Your license for {product}\n\n");
    if let Some(key) = key {
        text.push_str(&format!("Activation key: {key}\n"));
    }
    match license.terms.seats {
        Limit::Unlimited => text.push_str("Machines: as many as you like\n"),
        Limit::AtMost(most) => text.push_str(&format!("Machines: {most}\n")),
    }
    if let Some(until) = license.valid_until() {
        text.push_str(&format!("Good through: {}\n", until.plus_millis(-1).date().for_people()));
    }
    if license.terms.air_gapped {
        text.push_str(
            "\nThe machine needs no connection: ask us for an initialization code, and type key and code into the app.\n",
        );
    } else {
        text.push_str(&format!("\nEnter the key in the app, or activate at {url}/activate.\n"));
    }
    if license.terms.offline_allowed && !license.terms.air_gapped {
        text.push_str(&format!("A machine without a network: make a request file in the app and bring it to {url}/offline.\n"));
    }
    if let Some(support) = &settings.support {
        text.push_str(&format!("\nQuestions: {support}\n"));
    }
    text.push_str(&format!("\n{}\n", settings.portal_name));
    text
}

pub async fn edit(State(state): State<AppState>, Staff(visitor): Staff, Path(id): Path<i64>, body: Bytes) -> Response {
    let mut typed = form(&body);
    let id = LicenseId(id);
    let before = match state.desk.license_view(&visitor, id).await {
        Ok(view) => view.license,
        Err(error) => return act_problem(&state, error),
    };
    let seats = typed_seats(typed.value("seats"));
    let transfers = typed_transfers(typed.value("transfers"));
    let valid_until = typed_day(typed.value("valid_until"));
    let maintenance = typed_day(typed.value("maintenance_until"));
    let note = typed_line::<500>(typed.value("note"));
    let floating = typed_floating(typed.value("slots"), typed.value("borrow_hours"));
    if let Err((field, message)) = &floating {
        typed.refuse(field, message.clone());
    }
    for (field, message) in [
        ("seats", seats.err().map(str::to_owned)),
        ("transfers", transfers.err().map(str::to_owned)),
        ("valid_until", valid_until.err().map(str::to_owned)),
        ("maintenance_until", maintenance.err().map(str::to_owned)),
        ("note", note.clone().err()),
    ] {
        if let Some(message) = message {
            typed.refuse(field, message);
        }
    }
    let (Ok(seats), Ok(transfers), Ok(valid_until), Ok(maintenance), Ok(note), Ok(floating)) =
        (seats, transfers, valid_until, maintenance, note, floating)
    else {
        return draw_license(&state, StatusCode::UNPROCESSABLE_ENTITY, &visitor, id, LicenseTab::Edit, "", Came::Edit(typed))
            .await;
    };
    // A day that stands as it stood keeps the instant behind it, whatever hour that is.
    let same_end = valid_until.map(|day| day.to_string()).unwrap_or_default() == shown_day(before.terms.expiry.on);
    let same_maintenance = maintenance.map(|day| day.to_string()).unwrap_or_default()
        == shown_day(before.terms.maintenance.instant(before.first_activated));
    let edit = Edit {
        seats: Some(seats),
        transfers: Some(transfers),
        expiry: (!same_end).then(|| Expiry { on: valid_until.map(Date::end), ..before.terms.expiry }),
        maintenance: (!same_maintenance).then(|| maintenance.map_or(Maintenance::None, |day| Maintenance::Until(day.end()))),
        offline_allowed: Some(typed.ticked("offline")),
        floating: Some(floating),
        note: Some(note.unwrap_or_default()),
        ..Edit::default()
    };
    match state.desk.edit_license(&visitor, id, edit).await {
        Ok(()) => see_other(&format!("/vendor/licenses/{id}?tab=edit&said=saved")),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_license(&state, status, &visitor, id, LicenseTab::Edit, "", Came::Edit(typed)).await,
            Err(response) => response,
        },
    }
}

pub async fn renew(State(state): State<AppState>, Staff(visitor): Staff, Path(id): Path<i64>, body: Bytes) -> Response {
    let mut typed = form(&body);
    let id = LicenseId(id);
    let until = typed_day(typed.value("valid_until"));
    let maintenance = typed_day(typed.value("maintenance_until"));
    let (Ok(Some(until)), Ok(maintenance)) = (until, maintenance) else {
        if !matches!(until, Ok(Some(_))) {
            typed.refuse("valid_until", "Choose the last day the license is to be good for.");
        }
        if let Err(message) = maintenance {
            typed.refuse("maintenance_until", message);
        }
        return draw_license(
            &state,
            StatusCode::UNPROCESSABLE_ENTITY,
            &visitor,
            id,
            LicenseTab::Machines,
            "",
            Came::Renew(typed),
        )
        .await;
    };
    match state.desk.renew_license(&visitor, id, Renewal::Until(until), maintenance).await {
        Ok(_) => see_other(&format!("/vendor/licenses/{id}?said=renewed")),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_license(&state, status, &visitor, id, LicenseTab::Machines, "", Came::Renew(typed)).await,
            Err(response) => response,
        },
    }
}

pub async fn disable(State(state): State<AppState>, Staff(visitor): Staff, Path(id): Path<i64>, body: Bytes) -> Response {
    let mut typed = form(&body);
    let id = LicenseId(id);
    let reason = match typed_reason(typed.value("reason")) {
        Ok(reason) => reason,
        Err(message) => {
            typed.refuse("reason", message);
            let came = Came::Disable(typed);
            return draw_license(&state, StatusCode::UNPROCESSABLE_ENTITY, &visitor, id, LicenseTab::Machines, "", came).await;
        }
    };
    match state.desk.disable_license(&visitor, id, reason).await {
        Ok(()) => see_other(&format!("/vendor/licenses/{id}?said=disabled")),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_license(&state, status, &visitor, id, LicenseTab::Machines, "", Came::Disable(typed)).await,
            Err(response) => response,
        },
    }
}

pub async fn enable(State(state): State<AppState>, Staff(visitor): Staff, Path(id): Path<i64>) -> Response {
    match state.desk.enable_license(&visitor, LicenseId(id)).await {
        Ok(()) => see_other(&format!("/vendor/licenses/{id}?said=enabled")),
        Err(error) => act_problem(&state, error),
    }
}

pub async fn machine(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path((id, machine, act)): Path<(i64, i64, String)>,
    body: Bytes,
) -> Response {
    let id = LicenseId(id);
    let mut typed = form(&body);
    match on_machine(&state, &visitor, id, machine, &act, &typed).await {
        Ok(response) => response,
        Err(error) => match refuse(&state, &mut typed, error) {
            // The one form of a machine that has a field.
            Ok(status) if act == "revoke" => {
                let came = Came::Revoke(machine, typed);
                draw_license(&state, status, &visitor, id, LicenseTab::Machines, "", came).await
            }
            Ok(_) => problem(&state, Problem::Conflict),
            Err(response) => response,
        },
    }
}

async fn on_machine(
    state: &AppState,
    visitor: &Visitor,
    id: LicenseId,
    machine: i64,
    act: &str,
    typed: &FormState,
) -> Result<Response, ActError> {
    visitor.needs(desk::Area::Licenses, Level::Read)?;
    let view = state.desk.license_view(visitor, id).await?;
    // The machine must be one of this license: another license's number finds nothing.
    let known =
        view.activations.iter().map(|shown| &shown.activation).find(|known| known.id.0 == machine).ok_or(ActError::NotFound)?;
    let device = known.device.id.clone();
    let said = match act {
        "free" => {
            state.desk.release_device(visitor, id, &device).await?;
            "freed"
        }
        "revoke" => {
            visitor.needs(desk::Area::Licenses, Level::Manage)?;
            let reason = typed_reason(typed.value("reason")).map_err(|message| ActError::field("reason", message))?;
            state.desk.revoke_device(visitor, id, &device, reason).await?;
            "revoked"
        }
        "allow" => {
            state.desk.allow_device(visitor, id, &device).await?;
            "allowed"
        }
        "file" => {
            let file = state.desk.refresh_file(visitor, id, &device).await?;
            return Ok(download(&file.file_name, "text/plain; charset=utf-8", format!("{}\n", file.body)));
        }
        _ => return Err(ActError::NotFound),
    };
    Ok(see_other(&format!("/vendor/licenses/{id}?said={said}")))
}

fn user_line(user: LicenseUser) -> UserLine {
    UserLine {
        email: user.email.to_string(),
        first_password: user.is_initial_password,
        seats: user.seats,
        machines: user.seats_taken,
    }
}
