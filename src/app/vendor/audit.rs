//! `/vendor/audit`: everything that was done, newest first.

use leptos::prelude::*;

use super::{
    events::{EventRow, Events},
    list::{Address, ExportLink, ListHead, ListPager, Paging, SearchBox},
};
use crate::{
    app::{
        shell::VendorShell,
        ui::{Card, Chip, Chips, Empty, Notice, Tone},
        view::VendorFrame,
    },
    licensing::Timestamp,
};

#[derive(Clone, Debug)]
pub struct AuditView {
    /// `/vendor/audit` with `q` (a person or a subject), `kind`, and a cursor.
    pub address: Address,
    pub rows: Vec<EventRow>,
    pub paging: Paging,
    /// Kinds of subject to filter by: value and label.
    pub kinds: Vec<(String, String)>,
    /// Where the chain of entries breaks, if it does.
    pub broken: Option<String>,
    pub now: Timestamp,
}

#[component]
pub fn AuditPage(vendor: VendorFrame, view: AuditView) -> impl IntoView {
    let AuditView { address, rows, paging, kinds, broken, now } = view;
    let shown = rows.len();
    let chosen = address.value("kind").to_owned();
    let chips: Vec<Chip> = kinds
        .into_iter()
        .map(|(value, label)| {
            let on = value == chosen;
            let href = if on { address.clone().without("kind") } else { address.clone().with("kind", value) };
            Chip::new(label, href.href(), on)
        })
        .collect();
    let body = if rows.is_empty() {
        view! { <Empty title="Nothing to show"><p>"Every act of staff, customers and programs is written down here, with what was before and after."</p></Empty> }.into_any()
    } else {
        view! { <Card><Events events=rows now=now/></Card> }.into_any()
    };
    view! {
        <VendorShell vendor=vendor title="Audit" here="/vendor/audit">
            <ListHead title="Audit" total=paging.total clone:address><ExportLink address=address.clone() path="/vendor/audit.csv"/></ListHead>
            {broken.map(|place| view! {
                <Notice tone=Tone::Refused title="An entry was changed after it was written"><p>{place}</p></Notice>
            })}
            <div class="filters">
                <SearchBox address=address.clone() label="Person, license or order"/>
                {(!chips.is_empty()).then(|| view! { <div class="line"><div><span class="legend">"About"</span><Chips label="About" chips=chips/></div></div> })}
            </div>
            {body}
            <ListPager address=address paging=paging rows=shown/>
        </VendorShell>
    }
}
