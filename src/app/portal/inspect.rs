//! `/inspect`: what a file says, and whether it is genuine.

use leptos::prelude::*;

use crate::app::{
    hydration::island_scripts,
    islands::Inspector,
    shell::{CustomerShell, Headline},
    ui::{Button, Check, Checklist, ErrorSummary, Fact, Facts, FormState, Icon, Kind, Sign, State, Tone},
    view::Frame,
};

#[derive(Clone, Debug, Default)]
pub struct InspectView {
    /// Field `file`, field `text`; posts multipart to `/inspect` and is answered on the spot.
    pub form: FormState,
    pub report: Option<InspectReport>,
}

#[derive(Clone, Debug)]
pub struct InspectReport {
    pub file_name: Option<String>,
    /// "Request file", "License file of LicenseSpring", …
    pub kind: String,
    /// `Good` genuine, `Refused` not, `Info` cannot be told here.
    pub tone: Tone,
    pub verdict: String,
    pub checks: Vec<Check>,
    pub facts: Vec<(String, String)>,
}

#[component]
pub fn InspectPage(frame: Frame, view: InspectView) -> impl IntoView {
    let InspectView { form, report } = view;
    let title = if report.is_some() { "What the file says" } else { "Read a file" };
    let bench = view! { <Inspector><InspectForm form=form/></Inspector> }.into_any();
    let (report, bench) = match report {
        Some(report) => (
            Some(view! { <ReportCard report=report/> }),
            view! { <details class="more"><summary>"Read another file"</summary><div>{bench}</div></details> }.into_any(),
        ),
        None => (None, bench),
    };
    view! {
        <CustomerShell frame=frame title=title here="/inspect" scripts=island_scripts()>
            <Headline title=title lede="A request or license file, read and checked. Nothing is changed and nothing is kept."/>
            {report}
            {bench}
        </CustomerShell>
    }
}

/// The form that works without a script.
#[component]
pub fn InspectForm(form: FormState) -> impl IntoView {
    let file = form.at("file");
    view! {
        <form class="form" method="post" action="/inspect" enctype="multipart/form-data">
            <ErrorSummary form=form/>
            <div class="drop">
                <Icon sign=Sign::Lens/>
                <label for=file.id.clone()>
                    <strong class="when-asleep">"Request or license file"</strong>
                    <strong class="when-awake">"Drop a request or license file anywhere on this page, or choose it"</strong>
                </label>
                <p class="hint" id="file-hint">"It ends in .req or .lic. Up to 64 KB."</p>
                <input class="input" type="file" id=file.id name="file" aria-describedby="file-hint"/>
            </div>
            <details class="more">
                <summary>"Paste its text instead"</summary>
                <div class="field">
                    <label for="text">"Text of the file"</label>
                    <textarea class="input mono" id="text" name="text" rows="5" maxlength="65536" spellcheck="false" autocomplete="off"></textarea>
                </div>
                <div class="actions when-awake"><Button kind=Kind::Plain>"Read this text"</Button></div>
            </details>
            <div class="actions when-asleep"><Button>"Read the file"</Button></div>
            <p class="hint when-awake">"The file is read in this browser. Nothing is sent."</p>
            <p class="hint when-asleep">"This form sends the file to the server, which reads it and forgets it."</p>
        </form>
    }
}

#[component]
pub fn ReportCard(report: InspectReport) -> impl IntoView {
    let InspectReport { file_name, kind, tone, verdict, checks, facts } = report;
    let facts = facts.into_iter().map(|(name, value)| view! { <Fact name=name><bdi>{value}</bdi></Fact> }).collect_view();
    view! {
        <article class="file-card">
            <header><h2><bdi>{file_name.unwrap_or_else(|| "Pasted text".to_owned())}</bdi></h2><State tone=tone text=verdict/></header>
            <p class="hint">{kind}</p>
            <Checklist checks=checks/>
            <Facts>{facts}</Facts>
        </article>
    }
}
