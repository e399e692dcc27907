//! What happened: who did what, and what it was before and after.

use leptos::prelude::*;

use crate::{app::ui::When, licensing::Timestamp};

#[derive(Clone, Debug)]
pub struct EventRow {
    pub at: Timestamp,
    /// "ann@acme.example", "the customer", "the command line".
    pub actor: String,
    /// What was done, as a sentence without its subject: "disabled the license".
    pub act: String,
    /// The subject's name, where it is not the page's own, and its address, where there is one to go to.
    pub subject: Option<(String, Option<String>)>,
    pub changes: Vec<Change>,
    pub reason: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Change {
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[component]
pub fn Events(events: Vec<EventRow>, now: Timestamp) -> impl IntoView {
    let rows = events
        .into_iter()
        .map(|event| {
            let EventRow { at, actor, act, subject, changes, reason } = event;
            let changes = changes.into_iter().map(|change| view! { <ChangeLine change=change/> }).collect_view();
            view! {
                <li>
                    <When at=at now=now/>
                    <div>
                        <p><strong><bdi>{actor}</bdi></strong>" "{act}{subject.map(|(name, href)| match href {
                            Some(href) => view! { " "<a href=href><bdi>{name}</bdi></a> }.into_any(),
                            None => view! { " "<bdi>{name}</bdi> }.into_any(),
                        })}</p>
                        {reason.map(|reason| view! { <p class="change">"Reason: "<bdi>{reason}</bdi></p> })}
                        {changes}
                    </div>
                </li>
            }
        })
        .collect::<Vec<_>>();
    if rows.is_empty() {
        return view! { <p class="hint">"Nothing is written down here yet."</p> }.into_any();
    }
    view! { <ol class="events" role="list">{rows}</ol> }.into_any()
}

#[component]
fn ChangeLine(change: Change) -> impl IntoView {
    let Change { name, before, after } = change;
    let said = match (before, after) {
        (Some(before), Some(after)) => view! { <del>{before}</del>" → "<ins>{after}</ins> }.into_any(),
        (None, Some(after)) => view! { <ins>{after}</ins> }.into_any(),
        (Some(before), None) => view! { <del>{before}</del>" taken away" }.into_any(),
        (None, None) => "changed".into_any(),
    };
    view! { <p class="change">{name}": "{said}</p> }
}
