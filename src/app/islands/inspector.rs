//! `/inspect`, alive: any file is read and checked without being sent.

use leptos::prelude::*;

/// The children are the plain form, which stays the place where a file is chosen.
#[island]
pub fn Inspector(children: Children) -> impl IntoView {
    view! { <div class="bench">{children()}</div> }
}
