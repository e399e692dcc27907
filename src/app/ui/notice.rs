//! A notice is something said once, in one of four tones: words, a sign and a tint, never the colour alone.

use leptos::prelude::*;

use super::icon::Icon;
pub use crate::app::signs::Tone;

#[component]
pub fn Notice(tone: Tone, #[prop(optional, into)] title: Option<String>, children: Children) -> impl IntoView {
    view! {
        <div class=format!("notice {}", tone.class()) role=matches!(tone, Tone::Good | Tone::Info).then_some("status")>
            <Icon sign=tone.sign()/>
            <div>{title.map(|title| view! { <strong>{title}</strong> })} {children()}</div>
        </div>
    }
}

/// One or two words about how a thing stands, as in a table cell.
#[component]
pub fn State(tone: Tone, #[prop(into)] text: String) -> impl IntoView {
    view! { <span class=format!("state {}", tone.class())><Icon sign=tone.sign()/>{text}</span> }
}
