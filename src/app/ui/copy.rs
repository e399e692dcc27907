//! Copy buttons. Hidden until the script that makes them work has run; the text itself can always be selected.

use leptos::prelude::*;

use super::{
    button::Kind,
    icon::{Icon, Sign},
};

/// Copies a short text that is in sight already, or is built for the purpose.
#[component]
pub fn CopyButton(#[prop(into)] text: String, #[prop(default = "Copy".into(), into)] label: String) -> impl IntoView {
    view! {
        <button type="button" class=Kind::Plain.class() data-copy=text hidden=true>
            <Icon sign=Sign::Copy/><span data-said="" aria-live="polite">{label}</span>
        </button>
    }
}

/// Copies what the element `from` says.
#[component]
pub fn CopyFrom(
    #[prop(into)] from: String,
    #[prop(default = "Copy".into(), into)] label: String,
    #[prop(default = Kind::Plain)] kind: Kind,
) -> impl IntoView {
    view! {
        <button type="button" class=kind.class() data-copy-from=from hidden=true>
            <Icon sign=Sign::Copy/><span data-said="" aria-live="polite">{label}</span>
        </button>
    }
}
