//! `/offline`: request files in, license files out. Without a script a plain form; with one the workbench stands in its place.

use leptos::prelude::*;

use super::home::Answer;
use crate::app::{
    hydration::island_scripts,
    islands::Workbench,
    shell::{CustomerShell, Headline},
    ui::{Button, ErrorSummary, FormState, Icon, Kind, Notice, Sign, Tone},
    view::Frame,
};

#[derive(Clone, Debug, Default)]
pub struct OfflineView {
    /// Field `files` (several), field `text`; posts multipart to `/offline`; carries a request id.
    pub form: FormState,
    pub most_files: u32,
    pub most_kib: u32,
    /// The page came over plain http from another machine: the browser then cannot check signatures.
    pub unprotected: bool,
}

/// Where the customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Bring = 1,
    Read = 2,
    TakeBack = 3,
}

#[component]
pub fn OfflinePage(frame: Frame, view: OfflineView) -> impl IntoView {
    let unprotected = view.unprotected.then(|| {
        view! {
            <Notice tone=Tone::Caution title="This page came without encryption">
                <p>"The browser cannot check every signature here. Open the portal by its https address; the files themselves are still checked by the server."</p>
            </Notice>
        }
    });
    view! {
        <CustomerShell frame=frame title="Activate without a network" here="/offline" scripts=island_scripts()>
            <Headline title="Activate without a network"
                lede="Bring the request file the app made, and take the license file back to it."/>
            {unprotected}
            <Workbench>
                <Steps step=Step::Bring/>
                <OfflineForm form=view.form most_files=view.most_files most_kib=view.most_kib/>
            </Workbench>
            <WhatNow hidden=true/>
            <OfflineHelp/>
        </CustomerShell>
    }
}

#[component]
pub fn Steps(step: Step) -> impl IntoView {
    let here = step as u8;
    let steps = [(1u8, "Bring the request"), (2, "Read it"), (3, "Take it back")];
    let items = steps
        .into_iter()
        .map(|(number, name)| {
            view! { <li class:done=(number < here) aria-current=(number == here).then_some("step")>{name}</li> }
        })
        .collect_view();
    view! { <ol class="steps" role="list" aria-label="Steps">{items}</ol> }
}

/// The form that works without a script.
#[component]
pub fn OfflineForm(form: FormState, most_files: u32, most_kib: u32) -> impl IntoView {
    let request_id = form.request_id().map(|id| view! { <input type="hidden" name="request_id" value=id.to_owned()/> });
    let files = form.at("files");
    view! {
        <form class="form" method="post" action="/offline" enctype="multipart/form-data">
            {request_id}
            <ErrorSummary form=form/>
            <div class="drop">
                <Icon sign=Sign::Up/>
                <label for=files.id.clone()>
                    <strong class="when-asleep">"Request files"</strong>
                    <strong class="when-awake">"Drop request files anywhere on this page, or choose them"</strong>
                </label>
                <p class="hint" id="files-hint">
                    "They end in .req and have up to "{most_kib}" KB each. "
                    <span class="when-asleep">{format!("Up to {most_files} at once.")}</span>
                    <span class="when-awake">"They are read here first; nothing is sent before you say so."</span>
                </p>
                <input class="input" type="file" id=files.id name="files" multiple=true accept=".req,.txt,text/plain,application/octet-stream"
                    aria-describedby="files-hint"/>
            </div>
            <details class="more">
                <summary>"Paste the text of a request instead"</summary>
                <div class="field">
                    <label for="text">"Text of one request file"</label>
                    <textarea class="input mono" id="text" name="text" rows="5" maxlength="65536" spellcheck="false" autocomplete="off"></textarea>
                </div>
                <div class="actions when-awake"><Button kind=Kind::Plain>"Read this text"</Button></div>
            </details>
            <div class="actions when-asleep"><Button>"Get license files"</Button></div>
        </form>
    }
}

/// What to do with license files, once there are some.
#[component]
pub fn WhatNow(#[prop(optional)] hidden: bool) -> impl IntoView {
    view! {
        <section class="stack" id="what-now" hidden=hidden aria-labelledby="now">
            <h2 id="now">"What now"</h2>
            <ol class="what-now">
                <li>"Copy each license file to the computer that made its request."</li>
                <li>"Open it there in the app’s license window."</li>
                <li>"That is all. The file fits no other computer."</li>
            </ol>
        </section>
    }
}

#[component]
fn OfflineHelp() -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="help">
            <h2 id="help">"Help"</h2>
            <div class="help">
                <Answer question="How do I make a request file?">
                    <p>"In the app on the computer without a network, open its license window, type the activation key and choose to activate offline. It writes a small file, often called "<span class="mono">"activate.req"</span>". Copy it to a stick, a shared folder or a phone."</p>
                </Answer>
                <Answer question="What do I do with the license file?">
                    <p>"Carry it to the same computer and open it in the app’s license window. It fits only the computer that made the request."</p>
                </Answer>
                <Answer question="How do I move a license to another computer?">
                    <p>"In the app, choose to release the license. It writes a release request: bring it here, and the seat is free at once. You get a receipt for your papers; the app needs nothing back."</p>
                </Answer>
                <Answer question="What is in a request, and who sees it?">
                    <p>"The product, the key or a proof that the app knows it, and the computer’s id and name. "<a href="/inspect">"Read your own file"</a>" before you send it. Request files are not kept."</p>
                </Answer>
                <Answer question="It says the file is broken">
                    <p>"Mail programs and chats sometimes change files. Copy it again from the computer, and bring the file itself rather than its text."</p>
                </Answer>
            </div>
        </section>
    }
}
