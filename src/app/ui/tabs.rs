//! Tabs are links: each has its own address.

use leptos::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    pub label: String,
    pub href: String,
    pub here: bool,
}

impl Tab {
    pub fn new(label: impl Into<String>, href: impl Into<String>, here: bool) -> Self {
        Self { label: label.into(), href: href.into(), here }
    }
}

#[component]
pub fn Tabs(#[prop(into)] label: String, tabs: Vec<Tab>) -> impl IntoView {
    let items = tabs
        .into_iter()
        .map(|tab| view! { <li><a href=tab.href aria-current=tab.here.then_some("page")>{tab.label}</a></li> })
        .collect_view();
    view! { <nav class="tabs" aria-label=label><ul role="list">{items}</ul></nav> }
}
