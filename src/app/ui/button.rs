//! Buttons say the act. A link that looks like one leads somewhere; a button does something.

use leptos::prelude::*;

pub use crate::app::signs::Kind;

/// Sends the form it stands in. `name` and `value` tell several buttons of one form apart.
#[component]
pub fn Button(
    #[prop(optional)] kind: Kind,
    #[prop(optional, into)] name: Option<String>,
    #[prop(optional, into)] value: Option<String>,
    children: Children,
) -> impl IntoView {
    view! { <button type="submit" class=kind.class() name=name value=value>{children()}</button> }
}

#[component]
pub fn LinkButton(
    #[prop(into)] href: String,
    #[prop(optional)] kind: Kind,
    /// The name the browser saves the linked file under; with it the link is a download.
    #[prop(optional, into)]
    download: Option<String>,
    children: Children,
) -> impl IntoView {
    view! { <a class=kind.class() href=href download=download>{children()}</a> }
}
