//! Policies of a product: added, issued from, and the file of an air-gapped one.

use axum::{
    body::Bytes,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    common::{refuse, shown_seats, typed_day, typed_seats},
    products::{Came, draw_product},
};
use crate::{
    app::vendor::{PolicyLine, ProductTab},
    desk::{ActError, Issue},
    licensing::{
        Date, ProductCode,
        license::{Expiry, LicenseType, Terms},
        product::Policy,
    },
    server::{
        AppState,
        forms::form,
        page::{act_problem, see_other},
        path::Path,
        session::Staff,
    },
};

pub(super) fn line(policy: &Policy) -> PolicyLine {
    let terms = &policy.terms;
    PolicyLine {
        id: policy.id.0,
        code: policy.code.clone(),
        name: policy.name.clone(),
        kind: format!("{}{}", terms.kind.as_str(), if terms.trial { ", trial" } else { "" }),
        seats: shown_seats(terms.seats),
        ends: terms.expiry.on.map(|end| end.plus_millis(-1).date()),
        air_gapped: terms.air_gapped,
    }
}

pub async fn add(State(state): State<AppState>, Staff(visitor): Staff, Path(code): Path<String>, body: Bytes) -> Response {
    let mut typed = form(&body);
    let Ok(product) = ProductCode::parse(&code) else { return act_problem(&state, ActError::NotFound) };
    let ends = typed_day(typed.value("ends"));
    let seats = typed_seats(typed.value("seats"));
    if let Err(message) = &ends {
        typed.refuse("ends", *message);
    }
    if let Err(message) = &seats {
        typed.refuse("seats", *message);
    }
    let (Ok(ends), Ok(seats)) = (ends, seats) else {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return draw_product(&state, status, &visitor, &code, ProductTab::Policies, "", Came::Policy(typed)).await;
    };
    let terms = Terms {
        kind: if ends.is_some() { LicenseType::TimeLimited } else { LicenseType::Perpetual },
        seats,
        expiry: Expiry { on: ends.map(Date::end), ..Expiry::NEVER },
        air_gapped: typed.ticked("air_gapped"),
        ..Terms::default()
    };
    match state.desk.add_policy(&visitor, &product, typed.value("code"), typed.value("name").trim(), terms).await {
        Ok(_) => see_other(&format!("/vendor/products/{code}?tab=policies&said=added")),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_product(&state, status, &visitor, &code, ProductTab::Policies, "", Came::Policy(typed)).await,
            Err(response) => response,
        },
    }
}

/// One license with a policy's terms.
pub async fn issue(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path((code, policy)): Path<(String, String)>,
) -> Response {
    let policy = match find(&state, &code, &policy).await {
        Ok(policy) => policy,
        Err(error) => return act_problem(&state, error),
    };
    let Ok(product) = ProductCode::parse(&code) else { return act_problem(&state, ActError::NotFound) };
    let issue = Issue { policy: Some(policy.code), ..Issue::one(product, policy.terms) };
    match state.desk.issue(&visitor, issue).await {
        Ok(issued) => match issued.licenses.first() {
            Some(license) => see_other(&format!("/vendor/licenses/{}?said=issued", license.id)),
            None => see_other("/vendor/licenses"),
        },
        Err(error) => act_problem(&state, error),
    }
}

/// `{code}.lic`, for the app to be shipped with.
pub async fn file(State(state): State<AppState>, Staff(visitor): Staff, Path((code, name)): Path<(String, String)>) -> Response {
    let found = async {
        let product = ProductCode::parse(&code).map_err(|_| ActError::NotFound)?;
        let policy = name.strip_suffix(".lic").ok_or(ActError::NotFound)?;
        let policy = find(&state, &code, policy).await?;
        Ok((state.desk.policy_file(&visitor, &product, &policy.code).await?, policy.code))
    };
    match found.await {
        Ok((text, policy)) => {
            let name = format!("attachment; filename=\"{policy}.lic\"");
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)], text)
                .into_response()
        }
        // A policy of another kind has no file: there is nothing at this address.
        Err(ActError::Field { .. }) => act_problem(&state, ActError::NotFound),
        Err(error) => act_problem(&state, error),
    }
}

async fn find(state: &AppState, product: &str, policy: &str) -> Result<Policy, ActError> {
    let product = ProductCode::parse(product).map_err(|_| ActError::NotFound)?;
    let found = state.desk.product(&product).await?.policies;
    found.into_iter().find(|found| found.code.eq_ignore_ascii_case(policy)).ok_or(ActError::NotFound)
}
