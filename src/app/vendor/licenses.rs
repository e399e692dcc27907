//! `/vendor/licenses`: find a license by anything the customer can read out.

use leptos::prelude::*;

use super::list::{Address, ExportLink, ListHead, ListPager, Paging, SearchBox};
use crate::{
    app::{
        shell::VendorShell,
        ui::{Chip, Chips, Column, Day, Empty, Kind, LinkButton, State, Table, Tone, When, through},
        view::{VendorFrame, count},
    },
    licensing::Timestamp,
};

#[derive(Clone, Debug)]
pub struct LicenseListView {
    /// `/vendor/licenses` with `q`, `product` (a code), `state` (enabled, ending, expired, disabled, archived), `sort`, and a cursor.
    pub address: Address,
    pub rows: Vec<LicenseRow>,
    pub paging: Paging,
    /// Codes and names, for the filter.
    pub products: Vec<(String, String)>,
    /// Whether there is any license at all, found or not.
    pub any: bool,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct LicenseRow {
    pub id: i64,
    /// As much of the key as the reader may see; nothing for licenses of users.
    pub key: Option<String>,
    pub product: String,
    pub customer: Option<String>,
    pub seats_taken: u64,
    /// None: as many as there are machines.
    pub seats: Option<u64>,
    pub ends: Ends,
    pub standing: Standing,
    pub last_seen: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ends {
    Never,
    /// Exclusive.
    On(Timestamp),
    /// Counted from something that has not happened yet: "30 days after activation".
    Later(String),
}

/// How a license stands today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Enabled,
    NotStarted,
    Expired,
    Disabled,
    Archived,
}

impl Standing {
    #[must_use]
    pub const fn tone(self) -> Tone {
        match self {
            Self::Enabled => Tone::Good,
            Self::NotStarted => Tone::Info,
            Self::Expired => Tone::Caution,
            Self::Disabled | Self::Archived => Tone::Refused,
        }
    }

    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::NotStarted => "not started",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::Archived => "archived",
        }
    }
}

/// "2/3", or "2" where there is no limit.
#[must_use]
pub fn seats_short(taken: u64, seats: Option<u64>) -> String {
    match seats {
        Some(seats) => format!("{}/{}", count(taken), count(seats)),
        None => format!("{}/∞", count(taken)),
    }
}

#[component]
pub fn LicensesPage(vendor: VendorFrame, view: LicenseListView) -> impl IntoView {
    let LicenseListView { address, rows, paging, products, any, now } = view;
    let may_issue = vendor.staff.manages_licenses;
    let chips = |name: &str, choices: Vec<(String, String)>| -> Vec<Chip> {
        let chosen = address.value(name);
        choices
            .into_iter()
            .map(|(value, label)| {
                let on = value == chosen;
                let href = if on { address.clone().without(name) } else { address.clone().with(name, value) };
                Chip::new(label, href.href(), on)
            })
            .collect()
    };
    let states = [
        ("enabled", "enabled"),
        ("ending", "ends within 30 days"),
        ("expired", "expired"),
        ("disabled", "disabled"),
        ("archived", "archived"),
    ]
    .map(|(state, words)| (state.to_owned(), words.to_owned()))
    .to_vec();
    let (product_chips, state_chips) = (chips("product", products), chips("state", states));
    let body = if !rows.is_empty() {
        view! { <LicenseTable rows=rows.clone() address=Some(address.clone()) now=now/> }.into_any()
    } else if any {
        view! {
            <Empty title="No license matches">
                <p>"Search finds whole or part keys, e-mail addresses, order references and computer ids."</p>
                <LinkButton href="/vendor/licenses" kind=Kind::Plain>"Show all licenses"</LinkButton>
            </Empty>
        }
        .into_any()
    } else {
        view! {
            <Empty title="Licenses will be listed here">
                <p>"Each has an activation key, its seats, and the machines that hold them. Issue one by hand, or let a shop do it."</p>
                {may_issue.then(|| view! { <LinkButton href="/vendor/licenses/new">"Issue a license"</LinkButton> })}
            </Empty>
        }
        .into_any()
    };
    view! {
        <VendorShell vendor=vendor title="Licenses" here="/vendor/licenses">
            <ListHead title="Licenses" total=paging.total clone:address>
                <ExportLink address=address.clone() path="/vendor/licenses.csv"/>
                {may_issue.then(|| view! { <LinkButton href="/vendor/licenses/new">"Issue a license"</LinkButton> })}
            </ListHead>
            <div class="filters">
                <SearchBox address=address.clone() label="Key, e-mail, order or computer id"/>
                <div class="line">
                    {(product_chips.len() > 1).then(|| view! { <div><span class="legend">"Product"</span><Chips label="Product" chips=product_chips/></div> })}
                    <div><span class="legend">"State"</span><Chips label="State" chips=state_chips/></div>
                </div>
            </div>
            {body}
            <ListPager address=address paging=paging rows=rows.len()/>
        </VendorShell>
    }
}

/// Rows of licenses; sortable where an address is given.
#[component]
pub fn LicenseTable(
    rows: Vec<LicenseRow>,
    #[prop(optional_no_strip)] address: Option<Address>,
    /// Beside facts that say whose they are: without customer and last seen.
    #[prop(optional)]
    brief: bool,
    now: Timestamp,
) -> impl IntoView {
    let head = |label: &str, key: &str| address.as_ref().map_or_else(|| Column::new(label), |list| list.sort_column(label, key));
    let mut columns = vec![
        Column::new("Key"),
        head("Product", "product").wide(),
        head("Customer", "customer").wide(),
        head("Seats", "seats").numeric(),
        head("Good through", "expires").wide(),
        Column::new("State").wide(),
        head("Last seen", "seen").wide(),
    ];
    if brief {
        columns.retain(|column| !matches!(column.label.as_str(), "Customer" | "Last seen"));
    }
    let rows = rows
        .into_iter()
        .map(|row| {
            let customer = row.customer.unwrap_or_default();
            view! {
                <tr class="linked">
                    <td>
                        <a class="row-link mono" href=format!("/vendor/licenses/{}", row.id)>{row.key.unwrap_or_else(|| format!("license {}", row.id))}</a>
                        {(!brief).then(|| view! { <span class="sub narrow clip"><bdi>{customer.clone()}</bdi></span> })}
                        <span class="sub narrow"><State tone=row.standing.tone() text=row.standing.words()/></span>
                    </td>
                    <td class="wide clip">{row.product}</td>
                    {(!brief).then(|| view! { <td class="wide clip" title=customer.clone()><bdi>{customer.clone()}</bdi></td> })}
                    <td class="num">{seats_short(row.seats_taken, row.seats)}</td>
                    <td class="wide">{ends_view(row.ends)}</td>
                    <td class="wide"><State tone=row.standing.tone() text=row.standing.words()/></td>
                    {(!brief).then(|| view! { <td class="wide">{row.last_seen.map(|at| view! { <When at=at now=now/> })}</td> })}
                </tr>
            }
        })
        .collect_view();
    view! { <Table caption="Licenses" columns=columns>{rows}</Table> }
}

pub(super) fn ends_view(ends: Ends) -> AnyView {
    match ends {
        Ends::Never => "no end".into_any(),
        Ends::On(end) => view! { <Day date=through(end)/> }.into_any(),
        Ends::Later(words) => words.into_any(),
    }
}
