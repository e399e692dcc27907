//! One line to type into, with its name, a hint, and what was wrong with what was typed.

use leptos::prelude::*;

use super::{
    form::Typed,
    icon::{Icon, Sign},
};

#[component]
pub fn Field(
    at: Typed,
    #[prop(into)] label: String,
    #[prop(optional, into)] hint: Option<String>,
    /// The input's type; `text` when not said.
    #[prop(default = "text")]
    kind: &'static str,
    /// Says so beside the label; every other field is required.
    #[prop(optional)]
    optional: bool,
    #[prop(optional, into)] prefix: Option<String>,
    #[prop(optional, into)] suffix: Option<String>,
    /// Set in the letters of keys and ids, with no help from the browser's dictionary.
    #[prop(optional)]
    mono: bool,
    #[prop(optional)] short: bool,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(optional, into)] autocomplete: Option<String>,
    #[prop(optional, into)] inputmode: Option<String>,
    #[prop(optional, into)] pattern: Option<String>,
    #[prop(optional)] maxlength: Option<u16>,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    let Typed { name, id, value, error } = at;
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = describe(hint.as_ref().map(|_| &hint_id), error.as_ref().map(|_| &error_id));
    let class = match (mono, short) {
        (true, true) => "input mono short",
        (true, false) => "input mono",
        (false, true) => "input short",
        (false, false) => "input",
    };
    let input = view! {
        <input
            class=class id=id.clone() name=name type=kind value=value required=!optional placeholder=placeholder
            autocomplete=autocomplete inputmode=inputmode pattern=pattern maxlength=maxlength.map(|max| max.to_string())
            autofocus=autofocus spellcheck=mono.then_some("false") autocapitalize=mono.then_some("off")
            aria-describedby=described aria-invalid=error.is_some().then_some("true")
        />
    };
    let affixed = prefix.is_some() || suffix.is_some();
    let input = if affixed {
        let affix = |text: String| view! { <span class="affix">{text}</span> };
        view! { <div class="with-affix">{prefix.map(affix)}{input}{suffix.map(affix)}</div> }.into_any()
    } else {
        input.into_any()
    };
    view! {
        <div class="field">
            <label for=id>{label}{optional.then(|| view! { " "<span class="optional">"(optional)"</span> })}</label>
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
            {input}
            {error.map(|error| view! { <FieldMessage id=error_id message=error/> })}
        </div>
    }
}

/// What was wrong, with its sign.
#[component]
pub fn FieldMessage(id: String, message: String) -> impl IntoView {
    view! { <p class="error" id=id><Icon sign=Sign::Cross/><span>{message}</span></p> }
}

/// The ids a reader by ear is led to, or nothing.
pub(super) fn describe(hint: Option<&String>, error: Option<&String>) -> Option<String> {
    let ids: Vec<&str> = [hint, error].into_iter().flatten().map(String::as_str).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}
