//! The list of licenses, and the list as CSV.

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::{
    common::{draw, ends, of},
    csv_file,
};
use crate::{
    app::vendor::{Address, LicenseListView, LicenseRow, LicensesPage, Paging, Standing},
    desk::{ActError, Visitor},
    licensing::{ProductCode, Timestamp},
    server::{AppState, forms::pairs, page::act_problem, session::Staff},
    store::{self, LicenseFilter, LicenseSort},
};

const ROWS: i64 = 50;
/// A CSV holds at most this many rows; filters make it smaller.
const EXPORTED: i64 = 100_000;

async fn filter(state: &AppState, query: &[(String, String)], limit: i64) -> Result<LicenseFilter, ActError> {
    let product = match ProductCode::parse(of(query, "product")) {
        Ok(code) => Some(state.desk.product(&code).await?.product.id),
        Err(_) => None,
    };
    let known = |state: &&str| ["enabled", "ending", "expired", "disabled", "archived"].contains(state);
    let text = |name: &str| Some(of(query, name).to_owned()).filter(|text| !text.is_empty());
    Ok(LicenseFilter {
        search: text("q"),
        by_whole_key: false,
        product,
        state: Some(of(query, "state")).filter(known).map(str::to_owned),
        sort: LicenseSort::parse(of(query, "sort")).unwrap_or_default(),
        after: text("after"),
        before: text("before"),
        limit,
    })
}

pub async fn list(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    match read(&state, &visitor, &query).await {
        Ok(view) => {
            draw(&state, StatusCode::OK, &visitor, of(&query, "said"), |vendor| view! { <LicensesPage vendor=vendor view=view/> })
        }
        Err(error) => act_problem(&state, error),
    }
}

async fn read(state: &AppState, visitor: &Visitor, query: &[(String, String)]) -> Result<LicenseListView, ActError> {
    let filter = filter(state, query, ROWS).await?;
    let now = state.desk.now();
    let total = state.desk.count_licenses(visitor, &filter).await?.unsigned_abs();
    let page = state.desk.licenses(visitor, &filter).await?;
    let any = total > 0 || state.desk.count_licenses(visitor, &LicenseFilter::default()).await? > 0;
    let mut address = Address::new("/vendor/licenses");
    for name in ["q", "product", "state", "sort"] {
        address = address.with(name, of(query, name));
    }
    let products = state.desk.products().await?.into_iter().map(|product| (product.code.to_string(), product.name)).collect();
    Ok(LicenseListView {
        address,
        rows: page.rows.iter().map(|found| row(found, now)).collect(),
        paging: Paging { total: Some(total), before: page.previous, after: page.next },
        products,
        any,
        now,
    })
}

fn row(found: &store::LicenseRow, now: Timestamp) -> LicenseRow {
    let standing = match found.state.as_str() {
        "disabled" => Standing::Disabled,
        "archived" => Standing::Archived,
        _ if found.valid_until.is_some_and(|until| until <= now) => Standing::Expired,
        _ if found.start.is_some_and(|start| now < start) => Standing::NotStarted,
        _ => Standing::Enabled,
    };
    LicenseRow {
        id: found.id.0,
        key: found.key.clone(),
        product: found.product_name.clone(),
        customer: found.customer.clone(),
        seats_taken: found.seats_taken.unsigned_abs(),
        seats: found.seats.map(i64::unsigned_abs),
        ends: ends(found.expiry, found.valid_until),
        standing,
        last_seen: found.last_seen,
    }
}

pub async fn csv(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let mut filter = match filter(&state, &query, 1000).await {
        Ok(filter) => filter,
        Err(error) => return act_problem(&state, error),
    };
    (filter.after, filter.before) = (None, None);
    let mut rows = Vec::new();
    while (rows.len() as i64) < EXPORTED {
        match state.desk.licenses(&visitor, &filter).await {
            Ok(page) => {
                rows.extend(page.rows.iter().map(csv_row));
                match page.next {
                    Some(next) => filter.after = Some(next),
                    None => break,
                }
            }
            Err(error) => return act_problem(&state, error),
        }
    }
    csv_file::respond("licenses.csv", &CSV_HEAD, rows)
}

pub const CSV_HEAD: [&str; 12] =
    ["id", "key", "product", "type", "trial", "state", "seats", "seats_taken", "valid_until", "customer", "order", "created"];

pub fn csv_row(found: &store::LicenseRow) -> Vec<String> {
    vec![
        found.id.to_string(),
        found.key.clone().unwrap_or_default(),
        found.product_code.clone(),
        found.kind.clone(),
        found.trial.to_string(),
        found.state.clone(),
        found.seats.map_or_else(|| "unlimited".to_owned(), |seats| seats.to_string()),
        found.seats_taken.to_string(),
        found.valid_until.map(Timestamp::to_rfc3339).unwrap_or_default(),
        found.customer.clone().unwrap_or_default(),
        found.order.clone().unwrap_or_default(),
        found.created.to_rfc3339(),
    ]
}
