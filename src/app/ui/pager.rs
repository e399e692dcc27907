//! Pages of a long list, by key: from here on, and back.

use leptos::prelude::*;

use super::button::{Kind, LinkButton};

#[component]
pub fn Pager(
    /// What is in sight: "1–50 of 12,408".
    #[prop(into)]
    shown: String,
    #[prop(optional_no_strip)] previous: Option<String>,
    #[prop(optional_no_strip)] next: Option<String>,
) -> impl IntoView {
    view! {
        <nav class="pager" aria-label="Pages">
            <span class="number">{shown}</span>
            <span class="actions">
                {previous.map(|href| view! { <LinkButton href=href kind=Kind::Plain>"Previous"</LinkButton> })}
                {next.map(|href| view! { <LinkButton href=href kind=Kind::Plain>"Next"</LinkButton> })}
            </span>
        </nav>
    }
}
