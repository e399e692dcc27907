//! A question in between. Without a script the link's address shows it; with one the link is a button that opens a modal, and is
//! made to answer the keys of one (`enhance.js`).

use leptos::prelude::*;

use super::button::Kind;

#[component]
pub fn DialogLink(
    /// The dialog's id.
    #[prop(into)]
    opens: String,
    #[prop(default = Kind::Plain)] kind: Kind,
    children: Children,
) -> impl IntoView {
    view! { <a class=kind.class() href=format!("#{opens}") data-dialog=opens>{children()}</a> }
}

/// The children end with their own buttons; "Cancel" is added after them.
#[component]
pub fn Dialog(
    #[prop(into)] id: String,
    #[prop(into)] title: String,
    /// Shown at once: what was asked in it was refused.
    #[prop(optional)]
    open: bool,
    /// Where "Cancel" leads without a script.
    #[prop(default = "#".into(), into)]
    cancel: String,
    children: Children,
) -> impl IntoView {
    let title_id = format!("{id}-title");
    view! {
        <dialog class="dialog" id=id open=open aria-labelledby=title_id>
            <div>
                <h2 id=title_id.clone()>{title}</h2>
                {children()}
                <p><a href=cancel data-close="">"Cancel"</a></p>
            </div>
        </dialog>
    }
}
