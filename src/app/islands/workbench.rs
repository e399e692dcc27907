//! `/offline`, alive: request files are read and checked before anything is sent, and answers before they can be saved.

use leptos::prelude::*;

/// The children are the steps and the plain form, which stays the place where files are chosen.
#[island]
pub fn Workbench(children: Children) -> impl IntoView {
    view! { <div class="bench">{children()}</div> }
}
