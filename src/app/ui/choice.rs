//! One of several, or yes and no.

use leptos::prelude::*;

use super::{
    field::{FieldMessage, describe},
    form::Typed,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub hint: Option<String>,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), hint: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A list that folds away; for more than four choices, or dense forms.
#[component]
pub fn Select(
    at: Typed,
    #[prop(into)] label: String,
    choices: Vec<Choice>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] optional: bool,
) -> impl IntoView {
    let Typed { name, id, value, error } = at;
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = describe(hint.as_ref().map(|_| &hint_id), error.as_ref().map(|_| &error_id));
    let options = choices
        .into_iter()
        .map(|choice| {
            let selected = choice.value == value;
            view! { <option value=choice.value selected=selected>{choice.label}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=id.clone()>{label}{optional.then(|| view! { " "<span class="optional">"(optional)"</span> })}</label>
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
            <select class="input" id=id name=name required=!optional aria-describedby=described
                aria-invalid=error.is_some().then_some("true")>{options}</select>
            {error.map(|error| view! { <FieldMessage id=error_id message=error/> })}
        </div>
    }
}

/// A few choices, all in sight. The group carries the field's id, so that an error leads here.
#[component]
pub fn Radios(at: Typed, #[prop(into)] legend: String, choices: Vec<Choice>) -> impl IntoView {
    let Typed { name, id, value, error } = at;
    let error_id = format!("{id}-error");
    let described = error.as_ref().map(|_| error_id.clone());
    let rows = choices
        .into_iter()
        .enumerate()
        .map(|(place, choice)| {
            let id = if place == 0 { id.clone() } else { format!("{id}-{place}") };
            let checked = choice.value == value;
            view! {
                <div class="choice">
                    <input type="radio" id=id.clone() name=name.clone() value=choice.value checked=checked required=true/>
                    <label for=id>{choice.label}</label>
                    {choice.hint.map(|hint| view! { <p class="hint">{hint}</p> })}
                </div>
            }
        })
        .collect_view();
    view! {
        <fieldset class="group" aria-describedby=described>
            <legend>{legend}</legend>
            {error.map(|error| view! { <FieldMessage id=error_id message=error/> })}
            {rows}
        </fieldset>
    }
}

/// Yes or no. Sends `1` when ticked, nothing otherwise.
#[component]
pub fn Tick(at: Typed, #[prop(into)] label: String, #[prop(optional, into)] hint: Option<String>) -> impl IntoView {
    let checked = matches!(at.value.as_str(), "1" | "on" | "yes" | "true");
    let hint_id = format!("{}-hint", at.id);
    view! {
        <div class="choice">
            <input type="checkbox" id=at.id.clone() name=at.name value="1" checked=checked
                aria-describedby=hint.as_ref().map(|_| hint_id.clone())/>
            <label for=at.id>{label}</label>
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
        </div>
    }
}
