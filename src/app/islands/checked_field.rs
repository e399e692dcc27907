//! Fields of `/activate` that say what is wrong while one types. The children are the plain field.

use leptos::prelude::*;

/// The activation key: names the group that was mistyped as soon as it is complete.
#[island]
pub fn CheckedKey(children: Children) -> impl IntoView {
    view! { <div class="checked checked-key">{children()}</div> }
}

/// The computer id: finds characters that cannot be seen, and texts that are too long.
#[island]
pub fn CheckedDevice(children: Children) -> impl IntoView {
    view! { <div class="checked checked-device">{children()}</div> }
}
