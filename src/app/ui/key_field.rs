//! The activation key's field: large letters to compare with paper, any spacing taken. The island that checks while one types
//! draws the same markup; without it this is an ordinary field.

use leptos::prelude::*;

use super::{
    field::{FieldMessage, describe},
    form::Typed,
};

#[component]
pub fn KeyField(
    at: Typed,
    #[prop(default = "Activation key".into(), into)] label: String,
    #[prop(default = "From your order or its e-mail. Spaces, dashes and small letters are fine.".into(), into)] hint: String,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    let Typed { name, id, value, error } = at;
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = describe(Some(&hint_id), error.as_ref().map(|_| &error_id));
    view! {
        <div class="field key-field">
            <label for=id.clone()>{label}</label>
            <p class="hint" id=hint_id>{hint}</p>
            <input
                class="input" id=id name=name type="text" value=value required=true maxlength="128" autofocus=autofocus
                placeholder="XXXXX-XXXXX-XXXXX-XXXXX" autocomplete="off" autocapitalize="characters" spellcheck="false"
                aria-describedby=described aria-invalid=error.is_some().then_some("true")
            />
            {error.map(|error| view! { <FieldMessage id=error_id message=error/> })}
        </div>
    }
}
