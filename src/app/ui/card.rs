//! A card holds what belongs together, on its own ground.

use leptos::prelude::*;

#[component]
pub fn Card(
    #[prop(optional, into)] title: Option<String>,
    /// Names the card for links and for readers of the page by ear.
    #[prop(optional, into)]
    id: Option<String>,
    /// What stands opposite the title: a link, a count.
    #[prop(optional_no_strip)]
    aside: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let heading = title.map(|title| view! { <header><h2>{title}</h2>{aside}</header> });
    view! { <section class="card" id=id>{heading}{children()}</section> }
}
