//! `/vendor/audit`: everything that was done, newest first.

use leptos::prelude::*;

use super::{
    events::{EventRow, Events},
    list::{Address, ExportLink, ListHead, ListPager, Paging, SearchBox},
};
use crate::{
    app::{
        shell::VendorShell,
        ui::{Card, Chip, Chips, Empty, Kind, Notice, Tone, When},
        view::{VendorFrame, count},
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
    /// What checking the whole log found, where that was asked for.
    pub checked: Option<AuditVerdict>,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct AuditVerdict {
    pub entries: u64,
    /// When the newest checkpoint was signed.
    pub sealed: Option<Timestamp>,
    /// Where the log does not hold; empty where it does.
    pub faults: Vec<String>,
}

#[component]
pub fn AuditPage(vendor: VendorFrame, view: AuditView) -> impl IntoView {
    let AuditView { address, rows, paging, kinds, checked, now } = view;
    let check = address.clone().with("check", "1").href();
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
            <ListHead title="Audit" total=paging.total clone:address><a class=Kind::Plain.class() href=check>"Check the log"</a><ExportLink address=address.clone() path="/vendor/audit.csv"/></ListHead>
            {checked.map(|checked| view! { <Verdict checked=checked now=now/> })}
            <div class="filters">
                <SearchBox address=address.clone() label="Who acted, or the number of what it is about"/>
                {(!chips.is_empty()).then(|| view! { <div class="line"><div><span class="legend">"About"</span><Chips label="About" chips=chips/></div></div> })}
            </div>
            {body}
            <ListPager address=address paging=paging rows=shown/>
        </VendorShell>
    }
}

#[component]
fn Verdict(checked: AuditVerdict, now: Timestamp) -> impl IntoView {
    let AuditVerdict { entries, sealed, faults } = checked;
    if faults.is_empty() {
        let sealed = match sealed {
            Some(at) => view! { " The newest checkpoint was signed "<When at=at now=now/>"." }.into_any(),
            None => " No checkpoint was signed yet; a running portal signs one a day.".into_any(),
        };
        return view! {
            <Notice tone=Tone::Good title="The log is whole"><p>{format!("All {} entries are there, unchanged and in their order.", count(entries))}{sealed}</p></Notice>
        }
        .into_any();
    }
    let faults = faults.into_iter().map(|fault| view! { <li>{fault}</li> }).collect_view();
    view! {
        <Notice tone=Tone::Refused title="The log was changed after it was written">
            <ul>{faults}</ul>
            <p>"Compare it with a backup from before that: "<code>"countersign audit verify"</code>" names every place."</p>
        </Notice>
    }
    .into_any()
}
