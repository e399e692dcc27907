//! `/vendor/refusals` and `/vendor/refusals/{reference}`: what a customer's error page was about.

use leptos::prelude::*;

use super::list::{Address, ExportLink, ListHead, ListPager, Paging, SearchBox};
use crate::{
    app::{
        shell::VendorShell,
        ui::{Card, Column, Empty, Fact, Facts, Kind, LinkButton, Table, Tone, When},
        view::VendorFrame,
    },
    licensing::{Timestamp, words::Words},
};

#[derive(Clone, Debug)]
pub struct RefusalListView {
    /// `/vendor/refusals` with `q` (a reference, a key's end, a computer id) and a cursor.
    pub address: Address,
    pub rows: Vec<RefusalRow>,
    pub paging: Paging,
    pub any: bool,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct RefusalRow {
    pub reference: String,
    pub at: Timestamp,
    /// What stood in the way, as the customer was told.
    pub what: String,
    /// "Activate Press Designer 4".
    pub asked: String,
    pub device: Option<String>,
    /// The license, if one was found: as much of its key as may be shown, and its id.
    pub license: Option<(String, i64)>,
}

#[component]
pub fn RefusalsPage(vendor: VendorFrame, view: RefusalListView) -> impl IntoView {
    let RefusalListView { address, rows, paging, any, now } = view;
    let shown = rows.len();
    let body = if !rows.is_empty() {
        view! { <RefusalTable rows=rows now=now/> }.into_any()
    } else if any {
        view! {
            <Empty title="No refusal matches">
                <p>"The reference stands at the end of the customer’s page, like R-7K2M-9QXT. Refusals are kept for a year."</p>
                <LinkButton href="/vendor/refusals" kind=Kind::Plain>"Show all refusals"</LinkButton>
            </Empty>
        }
        .into_any()
    } else {
        view! { <Empty title="Nobody has been refused yet"><p>"When a customer is refused, the page they see has a reference. Search for it here to see what was asked and why it was refused."</p></Empty> }.into_any()
    };
    view! {
        <VendorShell vendor=vendor title="Refusals" here="/vendor/refusals">
            <ListHead title="Refusals" total=paging.total clone:address><ExportLink address=address.clone() path="/vendor/refusals.csv"/></ListHead>
            <div class="filters"><SearchBox address=address.clone() label="Reference, key or computer id"/></div>
            {body}
            <ListPager address=address paging=paging rows=shown/>
        </VendorShell>
    }
}

#[component]
pub fn RefusalTable(rows: Vec<RefusalRow>, now: Timestamp) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            view! {
                <tr class="linked">
                    <td><a class="row-link" href=format!("/vendor/refusals/{}", row.reference)>{row.what}</a><span class="sub">{row.asked}<span class="narrow mono">{row.reference.clone()}</span></span></td>
                    <td class="wide"><bdi>{row.device}</bdi></td>
                    <td class="wide mono">{row.license.map(|(key, _)| key)}</td>
                    <td class="wide mono">{row.reference.clone()}</td>
                    <td><When at=row.at now=now/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![
        Column::new("Refused"),
        Column::new("Machine").wide(),
        Column::new("License").wide(),
        Column::new("Reference").wide(),
        Column::new("When"),
    ];
    view! { <Table caption="Refusals" columns=columns>{rows}</Table> }
}

#[derive(Clone, Debug)]
pub struct RefusalRecordView {
    pub reference: String,
    pub at: Timestamp,
    /// What the customer was told, word for word.
    pub words: Words,
    /// The stable code.
    pub code: String,
    /// "Activate Press Designer 4".
    pub asked: String,
    /// "the form", "a file", "the API".
    pub through: String,
    pub device_id: Option<String>,
    pub device_name: Option<String>,
    pub license: Option<(String, i64)>,
    /// Whether the same question would be answered now, in one sentence.
    pub today: Option<(Tone, String)>,
    pub now: Timestamp,
}

#[component]
pub fn RefusalRecordPage(vendor: VendorFrame, view: RefusalRecordView) -> impl IntoView {
    let today = view.today.map(|(tone, sentence)| {
        view! {
            <div class=format!("answer-line {}", tone.class())>
                <div><p class="verdict"><crate::app::ui::Icon sign=tone.sign()/>"If they ask again now"</p><p>{sentence}</p></div>
            </div>
        }
    });
    view! {
        <VendorShell vendor=vendor title=view.reference.clone() here="/vendor/refusals" narrow=true>
            <p class="crumb"><a href="/vendor/refusals">"Refusals"</a></p>
            <div class="page-head"><h1>{view.words.what.to_string()}</h1></div>
            {today}
            <Card title="What the customer was told">
                <p><strong>{view.words.what.to_string()}</strong></p>
                <p>{view.words.why.to_string()}</p>
                <p>{view.words.next.to_string()}</p>
            </Card>
            <Card title="What was asked">
                <Facts>
                    <Fact name="Reference"><span class="mono">{view.reference}</span></Fact>
                    <Fact name="When"><When at=view.at now=view.now/></Fact>
                    <Fact name="Asked">{view.asked}</Fact>
                    <Fact name="Through">{view.through}</Fact>
                    <Fact name="License">{match view.license {
                        Some((key, id)) => view! { <a class="mono" href=format!("/vendor/licenses/{id}")>{key}</a> }.into_any(),
                        None => "none was found".into_any(),
                    }}</Fact>
                    {view.device_name.map(|name| view! { <Fact name="Machine"><bdi>{name}</bdi></Fact> })}
                    {view.device_id.map(|id| view! { <Fact name="Computer id"><bdi class="mono">{id}</bdi></Fact> })}
                    <Fact name="Code"><span class="mono">{view.code}</span></Fact>
                </Facts>
            </Card>
        </VendorShell>
    }
}
