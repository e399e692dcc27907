//! The few signs of the house, drawn as lines in the colour of the words beside them. Never the only carrier of a meaning.

use leptos::prelude::*;

pub use crate::app::signs::Sign;

#[component]
pub fn Icon(sign: Sign) -> impl IntoView {
    view! { <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=sign.path()></path></svg> }
}
