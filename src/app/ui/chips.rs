//! Filters as links: the address is the state, and a chosen one leads back out.

use leptos::prelude::*;

use super::icon::{Icon, Sign};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    pub label: String,
    /// With the filter on: this list without it. With it off: this list with it.
    pub href: String,
    pub on: bool,
}

impl Chip {
    pub fn new(label: impl Into<String>, href: impl Into<String>, on: bool) -> Self {
        Self { label: label.into(), href: href.into(), on }
    }
}

#[component]
pub fn Chips(#[prop(into)] label: String, chips: Vec<Chip>) -> impl IntoView {
    let items = chips
        .into_iter()
        .map(|chip| {
            let remove = chip.on.then(|| view! { <Icon sign=Sign::Cross/><span class="unseen">", remove this filter"</span> });
            view! { <li><a class="chip" href=chip.href aria-current=chip.on.then_some("true")>{chip.label}{remove}</a></li> }
        })
        .collect_view();
    view! { <ul class="chips" role="list" aria-label=label>{items}</ul> }
}
