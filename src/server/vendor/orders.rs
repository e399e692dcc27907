//! Orders: the list, one with its licenses, both as CSV.

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::{
    common::{draw, ends, event, of, standing},
    csv_file,
};
use crate::{
    app::vendor::{Address, LicenseRow, OrderListView, OrderPage, OrderRow, OrderView, OrdersPage, Paging},
    desk::{ActError, Area, Visitor},
    licensing::{OrderId, Timestamp},
    server::{AppState, forms::pairs, page::act_problem, path::Path, session::Staff},
    store::{self, OrderFilter, Subject},
};

const ROWS: i64 = 50;

pub async fn list(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let filter = OrderFilter {
        search: Some(of(&query, "q").to_owned()).filter(|text| !text.is_empty()),
        after: of(&query, "after").parse().ok(),
        before: of(&query, "before").parse().ok(),
        limit: ROWS,
    };
    match state.desk.order_page(&visitor, &filter).await {
        Ok(page) => {
            let any = !page.rows.is_empty() || filter.search.is_some() || filter.after.is_some();
            let view = OrderListView {
                address: Address::new("/vendor/orders").with("q", of(&query, "q")),
                rows: page.rows.iter().map(row).collect(),
                paging: Paging { total: None, before: page.previous, after: page.next },
                any,
                now: state.desk.now(),
            };
            draw(&state, StatusCode::OK, &visitor, "", |vendor| view! { <OrdersPage vendor=vendor view=view/> })
        }
        Err(error) => act_problem(&state, error),
    }
}

fn provider(name: &str) -> String {
    if name == "manual" { "by hand".to_owned() } else { name.to_owned() }
}

fn row(found: &store::OrderRow) -> OrderRow {
    OrderRow {
        id: found.id.0,
        reference: found.reference.clone(),
        provider: provider(&found.provider),
        customer: found.customer.clone(),
        licenses: found.licenses.unsigned_abs(),
        status: found.status.clone(),
        ordered_at: found.ordered,
    }
}

pub async fn csv(State(state): State<AppState>, Staff(visitor): Staff, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let search = Some(of(&query, "q")).filter(|text| !text.is_empty());
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        match state.desk.orders(&visitor, search, after, 1000).await {
            Ok(page) => {
                rows.extend(page.rows.iter().map(|found| {
                    vec![
                        found.id.to_string(),
                        found.reference.clone(),
                        found.provider.clone(),
                        found.status.clone(),
                        found.customer.clone().unwrap_or_default(),
                        found.licenses.to_string(),
                        found.ordered.to_rfc3339(),
                    ]
                }));
                after = page.next.and_then(|next| next.parse().ok());
                if after.is_none() || rows.len() >= 100_000 {
                    break;
                }
            }
            Err(error) => return act_problem(&state, error),
        }
    }
    csv_file::respond("orders.csv", &["id", "reference", "provider", "status", "customer", "licenses", "ordered"], rows)
}

pub async fn show(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path(id): Path<i64>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    match read(&state, &visitor, OrderId(id)).await {
        Ok(view) => {
            draw(&state, StatusCode::OK, &visitor, of(&query, "said"), |vendor| view! { <OrderPage vendor=vendor view=view/> })
        }
        Err(error) => act_problem(&state, error),
    }
}

async fn read(state: &AppState, visitor: &Visitor, id: OrderId) -> Result<OrderView, ActError> {
    let found = state.desk.order_by_id(visitor, id).await?;
    let history = state.desk.history(visitor, Area::Orders, Subject::of("order", id.0)).await?;
    let now = state.desk.now();
    let keys: Vec<String> =
        found.licenses.iter().filter_map(|(license, _)| license.key.as_ref().map(|key| visitor.key_text(key))).collect();
    let licenses = found.licenses.iter().map(|(license, product)| LicenseRow {
        id: license.id.0,
        key: license.key.as_ref().map(|key| visitor.key_text(key)),
        product: product.name.clone(),
        customer: found.customer.as_ref().map(|customer| customer.email.to_string()),
        seats_taken: u64::from(license.seats_taken),
        seats: license.terms.seats.most().map(u64::from),
        ends: ends(license.terms.expiry, license.valid_until()),
        standing: standing(license, now),
        last_seen: None,
    });
    Ok(OrderView {
        id: found.order.id.0,
        reference: found.order.reference.clone(),
        provider: provider(&found.order.provider),
        status: found.order.status.clone(),
        ordered_at: found.order.ordered,
        customer: found.customer.as_ref().map(|customer| customer.email.to_string()),
        customer_name: found.customer.as_ref().map(|customer| customer.name.clone()).filter(|name| !name.is_empty()),
        licenses: licenses.collect(),
        history: history.iter().map(|entry| event(entry, None)).collect(),
        keys: Some(keys.join("\n")).filter(|keys| !keys.is_empty()),
        now,
    })
}

pub async fn licenses_csv(State(state): State<AppState>, Staff(visitor): Staff, Path(id): Path<i64>) -> Response {
    match state.desk.order_by_id(&visitor, OrderId(id)).await {
        Ok(found) => {
            let rows = found.licenses.iter().map(|(license, product)| {
                vec![
                    license.id.to_string(),
                    license.key.as_ref().map(|key| visitor.key_text(key)).unwrap_or_default(),
                    product.code.to_string(),
                    license.terms.kind.as_str().to_owned(),
                    super::common::shown_seats(license.terms.seats),
                    license.valid_until().map(Timestamp::to_rfc3339).unwrap_or_default(),
                ]
            });
            csv_file::respond(
                "order-licenses.csv",
                &["id", "key", "product", "type", "seats", "valid_until"],
                rows.collect::<Vec<_>>(),
            )
        }
        Err(error) => act_problem(&state, error),
    }
}
