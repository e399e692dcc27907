//! `/vendor/orders` and `/vendor/orders/{id}`.

use leptos::prelude::*;

use super::{
    events::{EventRow, Events},
    licenses::{LicenseRow, LicenseTable},
    list::{Address, ExportLink, ListHead, ListPager, Paging, SearchBox},
};
use crate::{
    app::{
        shell::VendorShell,
        ui::{Card, Column, CopyFrom, Empty, Fact, Facts, Kind, LinkButton, Mail, Table, When},
        view::{VendorFrame, count},
    },
    licensing::Timestamp,
};

#[derive(Clone, Debug)]
pub struct OrderListView {
    /// `/vendor/orders` with `q` and a cursor. Newest first.
    pub address: Address,
    pub rows: Vec<OrderRow>,
    pub paging: Paging,
    pub any: bool,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct OrderRow {
    pub id: i64,
    pub reference: String,
    /// "by hand", "fastspring".
    pub provider: String,
    pub customer: Option<String>,
    pub licenses: u64,
    pub status: String,
    pub ordered_at: Timestamp,
}

#[component]
pub fn OrdersPage(vendor: VendorFrame, view: OrderListView) -> impl IntoView {
    let OrderListView { address, rows, paging, any, now } = view;
    let shown = rows.len();
    let body = if rows.is_empty() {
        let (title, text) = if any {
            ("No order matches", "Search finds order references and e-mail addresses.")
        } else {
            (
                "Orders will be listed here",
                "An order gathers the licenses that were bought together. Issuing a license with an order reference makes one; so does a shop.",
            )
        };
        view! { <Empty title=title><p>{text}</p></Empty> }.into_any()
    } else {
        let columns = vec![
            Column::new("Order"),
            Column::new("From").wide(),
            Column::new("Customer"),
            Column::new("Licenses").numeric().wide(),
            Column::new("Status").wide(),
            Column::new("Ordered"),
        ];
        let rows = rows
            .into_iter()
            .map(|row| {
                view! {
                    <tr class="linked">
                        <td><a class="row-link" href=format!("/vendor/orders/{}", row.id)>{row.reference}</a></td>
                        <td class="wide">{row.provider}</td>
                        <td class="clip"><bdi>{row.customer}</bdi></td>
                        <td class="num wide">{count(row.licenses)}</td>
                        <td class="wide">{row.status}</td>
                        <td><When at=row.ordered_at now=now/></td>
                    </tr>
                }
            })
            .collect_view();
        view! { <Table caption="Orders" columns=columns>{rows}</Table> }.into_any()
    };
    view! {
        <VendorShell vendor=vendor title="Orders" here="/vendor/orders">
            <ListHead title="Orders" total=paging.total clone:address><ExportLink address=address.clone() path="/vendor/orders.csv"/></ListHead>
            <div class="filters"><SearchBox address=address.clone() label="Order reference or e-mail"/></div>
            {body}
            <ListPager address=address paging=paging rows=shown/>
        </VendorShell>
    }
}

#[derive(Clone, Debug)]
pub struct OrderView {
    pub id: i64,
    pub reference: String,
    pub provider: String,
    pub status: String,
    pub ordered_at: Timestamp,
    pub customer: Option<String>,
    pub customer_name: Option<String>,
    pub licenses: Vec<LicenseRow>,
    pub history: Vec<EventRow>,
    /// The keys, one a line, for those who may see them.
    pub keys: Option<String>,
    pub now: Timestamp,
}

#[component]
pub fn OrderPage(vendor: VendorFrame, view: OrderView) -> impl IntoView {
    let OrderView { id, reference, provider, status, ordered_at, customer, customer_name, licenses, history, keys, now } = view;
    let keys = keys.map(|keys| {
        view! {
            <Card title="All keys">
                <pre class="code-box" id="keys" tabindex="0">{keys}</pre>
                <div class="actions"><CopyFrom from="keys" label="Copy all keys"/></div>
            </Card>
        }
    });
    let table = if licenses.is_empty() {
        view! { <Empty title="No licenses"><p>"Nothing was issued for this order."</p></Empty> }.into_any()
    } else {
        view! { <LicenseTable rows=licenses address=None brief=true now=now/> }.into_any()
    };
    view! {
        <VendorShell vendor=vendor title=format!("Order {reference}") here="/vendor/orders">
            <p class="crumb"><a href="/vendor/orders">"Orders"</a></p>
            <div class="page-head">
                <h1>"Order "<bdi>{reference.clone()}</bdi></h1>
                <div class="actions"><LinkButton href=format!("/vendor/orders/{id}/licenses.csv") kind=Kind::Plain download="">"Export CSV"</LinkButton></div>
            </div>
            <div class="sides">
                <div>{table}{keys}</div>
                <div>
                    <Card title="Facts">
                        <Facts>
                            <Fact name="Reference"><bdi>{reference}</bdi></Fact>
                            <Fact name="From">{provider}</Fact>
                            <Fact name="Status">{status}</Fact>
                            <Fact name="Ordered"><When at=ordered_at now=now/></Fact>
                            <Fact name="Customer">{match customer {
                                Some(email) => view! { <a href=Address::new("/vendor/licenses").with("q", email.clone()).href()><Mail text=email.clone()/></a> }.into_any(),
                                None => "none".into_any(),
                            }}</Fact>
                            {customer_name.map(|name| view! { <Fact name="Name"><bdi>{name}</bdi></Fact> })}
                        </Facts>
                    </Card>
                    <Card title="History"><Events events=history now=now/></Card>
                </div>
            </div>
        </VendorShell>
    }
}
