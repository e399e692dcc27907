//! Issuing by hand.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::common::{draw, of, refuse, typed_day, typed_number, typed_seats, typed_transfers};
use crate::{
    app::{
        ui::FormState,
        vendor::{FeatureChoice, IssuePage, IssueProduct, IssueView},
    },
    desk::{ActError, Area, Issue, Level, ProductView, Visitor},
    licensing::{
        ActivationKey, Email, ProductCode,
        issue::Quantities,
        license::{Entitlement, Expiry, LicenseType, Limit, Maintenance, Meter, Terms},
        product::{Feature, FeatureKind},
    },
    server::{
        AppState,
        forms::{form, new_request_id, pairs},
        page::{act_problem, see_other},
        session::Staff,
    },
};

pub async fn show(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let fresh = [("type", "perpetual"), ("seats", "1"), ("quantity", "1"), ("valid_days_from", "issue"), ("offline", "1")];
    let form = FormState::filled(fresh).with_request_id(new_request_id());
    draw_form(&state, StatusCode::OK, &visitor, of(&query, "product"), form).await
}

async fn draw_form(state: &AppState, status: StatusCode, visitor: &Visitor, code: &str, form: FormState) -> Response {
    // Nobody fills in a form only to be told that it was not theirs to send.
    if let Err(forbidden) = visitor.needs(Area::Licenses, Level::Manage) {
        return act_problem(state, forbidden.into());
    }
    let products = match state.desk.products().await {
        Ok(products) => products,
        Err(error) => return act_problem(state, error),
    };
    let only = if products.len() == 1 { products.first().map(|product| product.code.clone()) } else { None };
    let chosen = match ProductCode::parse(code).ok().or(only) {
        Some(code) => match state.desk.product(&code).await {
            Ok(view) => Some(view),
            Err(error) => return act_problem(state, error),
        },
        None => None,
    };
    let product = chosen.map(|view| IssueProduct {
        code: view.product.code.to_string(),
        name: view.product.name,
        features: view
            .features
            .iter()
            .map(|feature| FeatureChoice {
                code: feature.code.clone(),
                name: feature.name.clone(),
                counted: feature.kind == FeatureKind::Consumption,
            })
            .collect(),
    });
    let products = products.into_iter().map(|product| (product.code.to_string(), product.name)).collect();
    draw(state, status, visitor, "", |vendor| {
        let view = IssueView { form, product, products };
        view! { <IssuePage vendor=vendor view=view/> }
    })
}

pub async fn post(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    let code = typed.value("product").to_owned();
    let view = match ProductCode::parse(&code) {
        Ok(parsed) => match state.desk.product(&parsed).await {
            Ok(view) => view,
            Err(error) => return act_problem(&state, error),
        },
        Err(_) => return act_problem(&state, ActError::NotFound),
    };
    let Some(issue) = read(&mut typed, &view, state.desk.now()) else {
        return draw_form(&state, StatusCode::UNPROCESSABLE_ENTITY, &visitor, &code, typed).await;
    };
    match state.desk.issue(&visitor, issue).await {
        Ok(issued) => match issued.licenses.as_slice() {
            [one] => see_other(&format!("/vendor/licenses/{}?said=issued", one.id)),
            _ => see_other(&format!("/vendor/orders/{}?said=issued", issued.order)),
        },
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_form(&state, status, &visitor, &code, typed).await,
            Err(response) => response,
        },
    }
}

/// The form as an act, or every field that stands in the way.
fn read(form: &mut FormState, view: &ProductView, now: crate::licensing::Timestamp) -> Option<Issue> {
    let text = |form: &FormState, name: &str| Some(form.value(name).trim().to_owned()).filter(|text| !text.is_empty());
    let mut wrong: Vec<(&str, String)> = Vec::new();
    let mut number = |form: &FormState, name: &'static str, most: u32| {
        typed_number(form.value(name), most).unwrap_or_else(|message| {
            wrong.push((name, message));
            None
        })
    };
    let quantity = number(form, "quantity", 10_000).unwrap_or(1);
    let grace_hours = number(form, "grace_hours", 87_600).unwrap_or(0);
    let valid_days = number(form, "valid_days", 36_500);
    let max_consumption = number(form, "max_consumption", u32::MAX);
    let mut day = |form: &FormState, name: &'static str| {
        typed_day(form.value(name)).unwrap_or_else(|message| {
            wrong.push((name, message.to_owned()));
            None
        })
    };
    let (valid_until, maintenance, start) = (day(form, "valid_until"), day(form, "maintenance_until"), day(form, "start"));
    let kind = LicenseType::parse(form.value("type")).unwrap_or(LicenseType::Perpetual);
    let seats = typed_seats(form.value("seats")).unwrap_or_else(|message| {
        wrong.push(("seats", message.to_owned()));
        Limit::Unlimited
    });
    let transfers = typed_transfers(form.value("transfers")).unwrap_or_else(|message| {
        wrong.push(("transfers", message.to_owned()));
        crate::licensing::license::TransferLimit::Unlimited
    });
    let customer = text(form, "customer").and_then(|text| match Email::parse(&text) {
        Ok(email) => Some(email),
        Err(_) => {
            wrong.push(("customer", "This is not a whole e-mail address. Complete it, such as name@example.com.".to_owned()));
            None
        }
    });
    let key = text(form, "key").and_then(|text| match ActivationKey::parse(&text) {
        Ok(key) => Some(key),
        Err(_) => {
            wrong.push((
                "key",
                "This looks like a key made here, but a group of it does not hold together. Compare it, or leave it out."
                    .to_owned(),
            ));
            None
        }
    });
    let mut expiry = Expiry { on: valid_until.map(crate::licensing::Date::end), ..Expiry::NEVER };
    if let Some(days) = valid_days {
        match form.value("valid_days_from") {
            "activation" => expiry.days_after_first_activation = Some(days),
            "client" => expiry.days_counted_by_client = Some(days),
            _ => {
                let end = now.plus_days(i64::from(days)).next_midnight();
                expiry.on = Some(expiry.on.map_or(end, |on| on.min(end)));
            }
        }
    }
    if matches!(kind, LicenseType::TimeLimited | LicenseType::Subscription) && expiry == Expiry::NEVER {
        wrong.push(("valid_until", "This type ends some day. Choose the last day, or a number of days.".to_owned()));
    }
    let entitlements = entitlements(form, &view.features, &mut wrong);
    if !wrong.is_empty() {
        for (field, message) in wrong {
            form.refuse(field, message);
        }
        return None;
    }
    let meter = (kind == LicenseType::Consumption || max_consumption.is_some()).then(|| Meter {
        used: 0,
        max: max_consumption.map_or(Limit::Unlimited, Limit::AtMost),
        overage: Limit::AtMost(0),
        period: None,
        negatives: false,
        resets_at: None,
    });
    let terms = Terms {
        kind,
        trial: form.ticked("trial"),
        seats,
        start: start.map(crate::licensing::Date::midnight),
        expiry,
        grace_hours,
        maintenance: maintenance.map_or(Maintenance::None, |until| Maintenance::Until(until.end())),
        transfers,
        offline_allowed: form.ticked("offline"),
        meter,
        entitlements,
        ..Terms::default()
    };
    // The form's seats are those of one license, and each license has a key of its own.
    let quantities = Quantities { quantity, separate_keys: true, activations_per_key: seats.most(), additional_activations: 0 };
    Some(Issue {
        key,
        quantities,
        customer,
        customer_name: text(form, "customer_name").unwrap_or_default().chars().take(128).collect(),
        order: text(form, "order"),
        note: text(form, "note").unwrap_or_default(),
        request_id: form.request_id().map(str::to_owned),
        ..Issue::one(view.product.code.clone(), terms)
    })
}

fn entitlements(form: &FormState, features: &[Feature], wrong: &mut Vec<(&str, String)>) -> Vec<Entitlement> {
    let mut entitlements = Vec::new();
    for feature in features.iter().filter(|feature| form.ticked(&format!("feature-{}", feature.code))) {
        let counted = feature.kind == FeatureKind::Consumption;
        let max = match typed_number(form.value(&format!("max-{}", feature.code)), u32::MAX) {
            Ok(max) => max,
            Err(message) => {
                wrong.push(("", format!("{}: {message}", feature.name)));
                None
            }
        };
        let meter = counted.then(|| Meter {
            used: 0,
            max: max.map_or(Limit::Unlimited, Limit::AtMost),
            overage: Limit::AtMost(0),
            period: None,
            negatives: false,
            resets_at: None,
        });
        entitlements.push(Entitlement {
            code: feature.code.clone(),
            name: feature.name.clone(),
            kind: feature.kind,
            valid_until: None,
            meter,
            floating: None,
        });
    }
    entitlements
}
