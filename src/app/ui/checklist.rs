//! The verdict rows: what was checked, and how it came out.

use leptos::prelude::*;

use super::{icon::Icon, notice::Tone};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// `Good` passed, `Info` a note, `Caution` a warning, `Refused` failed.
    pub tone: Tone,
    pub text: String,
    /// Why, and what to do, where the text alone does not say.
    pub detail: Option<String>,
}

impl Check {
    #[must_use]
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into(), detail: None }
    }

    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

#[component]
pub fn Checklist(checks: Vec<Check>, #[prop(optional)] inline: bool) -> impl IntoView {
    let rows = checks.into_iter().map(|Check { tone, text, detail }| {
        view! {
            <li class=tone.class()>
                <Icon sign=tone.sign()/>
                <span><span class="unseen">{tone.heard()}</span>{text}</span>
                {detail.map(|detail| view! { <span class="detail">{detail}</span> })}
            </li>
        }
    });
    view! { <ul class="checks" class:inline=inline role="list">{rows.collect_view()}</ul> }
}
