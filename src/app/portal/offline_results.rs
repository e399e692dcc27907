//! `/offline/{token}`: one card a file, with its license, its receipt, or what stood in the way.

use leptos::prelude::*;

use super::{
    offline::{Step, Steps, WhatNow},
    refusal::Seats,
};
use crate::{
    app::{
        shell::{CustomerShell, Headline},
        ui::{Button, Check, Checklist, Fact, Facts, FormState, Icon, Kind, LinkButton, Sign, State, Tone, When},
        view::{Frame, counted},
    },
    licensing::{Timestamp, decide::Holder, words::Words},
};

#[derive(Clone, Debug)]
pub struct OfflineResultsView {
    pub rows: Vec<OfflineRow>,
    /// Address of all answers in one archive, when there is more than one.
    pub zip: Option<String>,
    /// How long this address works.
    pub until: Timestamp,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct OfflineRow {
    /// As the customer's file is called.
    pub file_name: String,
    /// "Activate Press Designer 4"; nothing when the file could not be read.
    pub asks_to: Option<String>,
    /// What it says: "Key ending", "Machine", "Made".
    pub facts: Vec<(String, String)>,
    pub checks: Vec<Check>,
    pub outcome: Outcome,
}

#[derive(Clone, Debug)]
pub enum Outcome {
    License {
        download: String,
        file_name: String,
    },
    Receipt {
        download: String,
        file_name: String,
    },
    Refused {
        words: Words,
        holders: Vec<Holder>,
        reference: Option<String>,
    },
    /// A release that is done only after this question; posts `confirmed`, `request_id` and the file in `files` to `action`.
    Confirm {
        words: Words,
        action: String,
        form: FormState,
    },
}

#[component]
pub fn OfflineResultsPage(frame: Frame, view: OfflineResultsView) -> impl IntoView {
    let OfflineResultsView { rows, zip, until, now } = view;
    let total = rows.len();
    let answered = rows.iter().filter(|row| matches!(row.outcome, Outcome::License { .. } | Outcome::Receipt { .. })).count();
    let licenses = rows.iter().any(|row| matches!(row.outcome, Outcome::License { .. }));
    let files = counted(total as u64, "file", "files");
    let title = match (answered, total) {
        (0, 1) if rows.iter().any(|row| matches!(row.outcome, Outcome::Confirm { .. })) => "One question first".to_owned(),
        (0, _) => "Nothing could be answered".to_owned(),
        (1, 1) if licenses => "The license file is ready".to_owned(),
        (1, 1) => "The machine is released".to_owned(),
        (all, total) if all == total => format!("All {files} are answered"),
        (some, _) => format!("{some} of {files} are answered"),
    };
    let what_now = licenses.then(|| view! { <WhatNow/> });
    let cards =
        rows.into_iter().enumerate().map(|(place, row)| view! { <li><RowCard row=row place=place now=now/></li> }).collect_view();
    view! {
        <CustomerShell frame=frame title=title.clone() here="/offline" noindex=true>
            <Headline title=title/>
            <Steps step=Step::TakeBack/>
            {zip.map(|href| view! {
                <div class="actions"><LinkButton href=href download="licenses.zip"><Icon sign=Sign::Down/>"Download all as one zip"</LinkButton></div>
            })}
            <ul class="file-list" role="list">{cards}</ul>
            {what_now}
            <p class="reference">"This page can be opened again until "<When at=until/>" by whoever has its address. "<a href="/offline">"Bring more files"</a></p>
        </CustomerShell>
    }
}

#[component]
fn RowCard(row: OfflineRow, place: usize, now: Timestamp) -> impl IntoView {
    let pick = format!("again-{place}");
    let OfflineRow { file_name, asks_to, facts, checks, outcome } = row;
    let (tone, state) = match &outcome {
        Outcome::License { .. } => (Tone::Good, "License ready"),
        Outcome::Receipt { .. } => (Tone::Good, "Released"),
        Outcome::Refused { .. } => (Tone::Refused, "Not answered"),
        Outcome::Confirm { .. } => (Tone::Info, "Waits for your answer"),
    };
    let get = |download: String, file_name: String, hint: &'static str| {
        view! {
            <div class="actions">
                <LinkButton href=download download=file_name.clone()><Icon sign=Sign::Down/>{format!("Download {file_name}")}</LinkButton>
            </div>
            <p class="hint">{hint}</p>
        }
        .into_any()
    };
    let answer = match outcome {
        Outcome::License { download, file_name } => get(download, file_name, "For this computer only."),
        Outcome::Receipt { download, file_name } => get(download, file_name, "The signed receipt, for your papers. The seat is free now."),
        Outcome::Refused { words, holders, reference } => view! {
            <div class="stack">
                <p><strong class="refused-text">{format!("{}.", words.what)}</strong>" "{words.why.to_string()}</p>
                {(!holders.is_empty()).then(|| view! { <Seats holders=holders now=now/> })}
                <p>{words.next.to_string()}</p>
                {reference.map(|reference| view! { <p class="reference">"Reference "<strong class="mono">{reference}</strong></p> })}
            </div>
        }
        .into_any(),
        Outcome::Confirm { words, action, form } => view! {
            <div class="stack">
                <p><strong>{words.what.to_string()}</strong>" "{words.why.to_string()}</p>
                <form class="form" method="post" action=action enctype="multipart/form-data">
                    {form.hidden()}
                    <div class="field">
                        <label for=pick.clone()>"Choose this file once more: it was not kept"</label>
                        <input class="input" type="file" id=pick name="files" required=true/>
                    </div>
                    <div class="actions"><Button kind=Kind::Danger>"Release this machine"</Button></div>
                </form>
            </div>
        }
        .into_any(),
    };
    let facts = (asks_to.is_some() || !facts.is_empty()).then(|| {
        let facts = facts.into_iter().map(|(name, value)| view! { <Fact name=name><bdi>{value}</bdi></Fact> }).collect_view();
        view! { <Facts>{asks_to.map(|asks| view! { <Fact name="Asks to">{asks}</Fact> })}{facts}</Facts> }
    });
    view! {
        <article class="file-card">
            <header><h2><bdi>{file_name}</bdi></h2><State tone=tone text=state/></header>
            {facts}
            {(!checks.is_empty()).then(|| view! { <Checklist checks=checks/> })}
            {answer}
        </article>
    }
}
