//! Issuing by hand.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::common::{draw, of, refuse, typed_day, typed_floating, typed_line, typed_number, typed_seats, typed_transfers};
use crate::{
    app::{
        ui::FormState,
        vendor::{FeatureChoice, IssuePage, IssueProduct, IssueView, IssuedPage, IssuedView, UsersAsked},
    },
    desk::{ActError, Area, Issue, Issued, Level, ProductView, Visitor},
    licensing::{
        ActivationKey, Email, ProductCode,
        issue::Quantities,
        license::{Entitlement, Expiry, LicenseType, Limit, Maintenance, Meter, Terms},
        product::{Authorization, Feature, FeatureKind},
    },
    server::{
        AppState,
        forms::{form, pairs},
        page::{act_problem, see_other},
        session::Staff,
    },
};

pub async fn show(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let fresh = [("type", "perpetual"), ("seats", "1"), ("quantity", "1"), ("valid_days_from", "issue"), ("offline", "1")];
    let form = FormState::filled(fresh);
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
        users: users_asked(view.product.authorization),
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
        // First passwords are kept hashed: the answer to the form is the one page that can show them.
        Ok(issued) if issued.licenses.iter().any(|license| !license.users.is_empty()) => {
            let view = issued_view(&view.product.name, issued);
            draw(&state, StatusCode::OK, &visitor, "", |vendor| view! { <IssuedPage vendor=vendor view=view/> })
        }
        Ok(issued) => match issued.licenses.as_slice() {
            [one] => see_other(&format!("/vendor/licenses/{}?said=issued", one.id)),
            _ => see_other(&format!("/vendor/orders/{}?said=issued-order", issued.order)),
        },
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_form(&state, status, &visitor, &code, typed).await,
            Err(response) => response,
        },
    }
}

fn users_asked(authorization: Authorization) -> UsersAsked {
    match authorization {
        Authorization::Key => UsersAsked::No,
        Authorization::User => UsersAsked::Only,
        Authorization::Both => UsersAsked::Also,
    }
}

/// Every license of an order has the same users, so they are told once.
fn issued_view(product: &str, issued: Issued) -> IssuedView {
    let users = issued.licenses.first().map(|license| license.users.clone()).unwrap_or_default();
    IssuedView {
        order: (issued.order_reference, issued.order.0),
        licenses: issued.licenses.iter().map(|license| (license.key.as_ref().map(|key| key.text()), license.id.0)).collect(),
        users: users.into_iter().map(|user| (user.email.to_string(), user.initial_password)).collect(),
        product: product.to_owned(),
    }
}

/// As many as one types by hand; shops and scripts issue through other doors.
const MOST_USERS: usize = 100;

/// Addresses, one a line, each once.
fn typed_users(text: &str, asked: UsersAsked) -> Result<Vec<Email>, String> {
    let mut users: Vec<Email> = Vec::new();
    if asked == UsersAsked::No {
        return Ok(users);
    }
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let Ok(email) = Email::parse(line) else {
            return Err(format!("Line {} is not a whole e-mail address. Complete it, such as name@example.com.", place + 1));
        };
        if !users.iter().any(|known| known.folded() == email.folded()) {
            users.push(email);
        }
    }
    match users.len() {
        0 if asked == UsersAsked::Only => {
            Err("This product is licensed to users: type the e-mail address of at least one.".to_owned())
        }
        count if count > MOST_USERS => {
            Err(format!("{count} users are more than the {MOST_USERS} that fit in one form. Issue in parts."))
        }
        _ => Ok(users),
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
    let quantity = number(form, "quantity", 10_000);
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
    let floating = typed_floating(form.value("slots"), form.value("borrow_hours")).unwrap_or_else(|(field, message)| {
        wrong.push((field, message));
        None
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
    if quantity == Some(0) {
        wrong.push(("quantity", "Type how many licenses to issue: 1 or more.".to_owned()));
    }
    if matches!((kind, max_consumption), (LicenseType::Consumption, Some(0))) {
        wrong.push(("max_consumption", "Nothing could be used up of it. Type 1 or more, or nothing for no limit.".to_owned()));
    }
    let asked = users_asked(view.product.authorization);
    let users = typed_users(form.value("users"), asked).unwrap_or_else(|message| {
        wrong.push(("users", message));
        Vec::new()
    });
    let user_seats = typed_number(form.value("user_seats"), 1_000_000).unwrap_or_else(|message| {
        wrong.push(("user_seats", message));
        None
    });
    let mut line = |name: &'static str, read: fn(&str) -> Result<Option<String>, String>| {
        read(form.value(name)).unwrap_or_else(|message| {
            wrong.push((name, message));
            None
        })
    };
    let order = line("order", typed_line::<64>);
    let note = line("note", typed_line::<500>);
    let customer_name = line("customer_name", typed_line::<128>);
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
        floating,
        meter,
        entitlements,
        ..Terms::default()
    };
    // The form's seats are those of one license, and each license has a key of its own.
    let quantities = Quantities {
        quantity: quantity.unwrap_or(1),
        separate_keys: true,
        activations_per_key: seats.most(),
        additional_activations: 0,
    };
    Some(Issue {
        key,
        quantities,
        customer,
        customer_name: customer_name.unwrap_or_default(),
        user_seats: user_seats.filter(|_| !users.is_empty()),
        users,
        order,
        note: note.unwrap_or_default(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_typed_one_a_line_and_each_counts_once() {
        let read = |text: &str, asked| typed_users(text, asked).map(|users| users.len());
        assert_eq!(read("ann@a.example\r\n\n Bob@a.example \nANN@a.example", UsersAsked::Only), Ok(2));
        assert_eq!(read("anything", UsersAsked::No), Ok(0));
        assert_eq!(read(" \n", UsersAsked::Also), Ok(0));
        assert!(read("", UsersAsked::Only).unwrap_err().contains("at least one"));
        assert!(read("ann@a.example\nbob", UsersAsked::Also).unwrap_err().starts_with("Line 2"));
        let many: String = (0..101).map(|number| format!("u{number}@a.example\n")).collect();
        assert!(read(&many, UsersAsked::Also).unwrap_err().starts_with("101 users"));
    }
}
