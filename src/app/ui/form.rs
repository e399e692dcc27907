//! What a form was filled in with and what stood in the way of it, and the form around the fields.
//! A refused form comes back with everything that was typed, a summary on top, and each error beside its field.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use leptos::prelude::*;

use super::button::{Button, Kind};

/// The ids of one document's forms, by which a form that is sent twice is recognised. Whoever draws the document provides them; a form
/// takes the next one.
#[derive(Clone, Debug)]
pub struct FormIds {
    base: String,
    taken: Arc<AtomicUsize>,
}

impl FormIds {
    /// `base` is made by chance for the document.
    pub fn new(base: impl Into<String>) -> Self {
        Self { base: base.into(), taken: Arc::default() }
    }

    fn next(&self) -> String {
        format!("{}-{}", self.base, self.taken.fetch_add(1, Ordering::Relaxed))
    }
}

/// The hidden field of a form that has nothing else to say.
#[component]
pub fn RequestId(
    /// The id the form came back with; else it gets one of the document's.
    #[prop(optional_no_strip)]
    known: Option<String>,
) -> impl IntoView {
    let id = known.or_else(|| use_context::<FormIds>().map(|ids| ids.next()));
    id.map(|id| view! { <input type="hidden" name="request_id" value=id/> })
}

/// A form that is one button: it posts and is answered by a redirect.
#[component]
pub fn PostButton(#[prop(into)] action: String, #[prop(optional)] kind: Kind, children: Children) -> impl IntoView {
    view! { <form method="post" action=action><RequestId/><Button kind=kind>{children()}</Button></form> }
}

/// One field as it is drawn: its name, what was typed, what was wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    pub name: String,
    pub id: String,
    pub value: String,
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name, or empty for what concerns the whole form.
    pub field: String,
    pub message: String,
}

/// Everything typed into one form. Empty for a fresh one; several values of one name are kept in their order.
#[derive(Clone, Debug, Default)]
pub struct FormState {
    scope: String,
    request_id: Option<String>,
    values: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl FormState {
    /// A form filled with `pairs`: what was posted, or what is stored.
    pub fn filled<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let values = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { values, ..Self::default() }
    }

    /// Names the form, so that fields of two forms on one page keep different ids.
    #[must_use]
    pub fn scoped(mut self, scope: &str) -> Self {
        scope.clone_into(&mut self.scope);
        self
    }

    /// The id under which a repeated post is recognised; sent as the hidden field `request_id`.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.retain(|(known, _)| known != name);
        self.values.push((name.to_owned(), value.into()));
        self
    }

    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// Says what stood in the way of the whole form.
    pub fn refuse_whole(&mut self, message: impl Into<String>) {
        self.refuse("", message);
    }

    #[must_use]
    pub fn is_refused(&self) -> bool {
        !self.errors.is_empty()
    }

    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The value of `name`, or nothing.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box of this name is ticked.
    #[must_use]
    pub fn ticked(&self, name: &str) -> bool {
        matches!(self.value(name), "1" | "on" | "yes" | "true")
    }

    /// Everything filled in, as hidden fields: for a question that has to bring its facts back.
    #[must_use]
    pub fn hidden(&self) -> Vec<AnyView> {
        let fields = self.values.iter().cloned();
        fields.map(|(name, value)| view! { <input type="hidden" name=name value=value/> }.into_any()).collect()
    }

    /// The field `name`, ready to be drawn.
    #[must_use]
    pub fn at(&self, name: &str) -> Typed {
        let error = self.errors.iter().find(|error| error.field == name).map(|error| error.message.clone());
        Typed { name: name.to_owned(), id: self.id_of(name), value: self.value(name).to_owned(), error }
    }

    fn id_of(&self, name: &str) -> String {
        if self.scope.is_empty() { name.to_owned() } else { format!("{}-{name}", self.scope) }
    }
}

/// What stood in the way, each line leading to its field.
#[component]
pub fn ErrorSummary(form: FormState) -> impl IntoView {
    let count = form.errors.len();
    (count > 0).then(|| {
        let title = if count == 1 { "One thing to mend".to_owned() } else { format!("{count} things to mend") };
        let lines = form
            .errors
            .iter()
            .map(|error| {
                let message = error.message.clone();
                if error.field.is_empty() {
                    view! { <li>{message}</li> }.into_any()
                } else {
                    view! { <li><a href=format!("#{}", form.id_of(&error.field))>{message}</a></li> }.into_any()
                }
            })
            .collect_view();
        // One thing that concerns the whole form is its own heading.
        let alone = form.errors.first().filter(|error| count == 1 && error.field.is_empty()).map(|error| error.message.clone());
        let said = match alone {
            Some(message) => view! { <h2>{message}</h2> }.into_any(),
            None => view! { <h2>{title}</h2><ul>{lines}</ul> }.into_any(),
        };
        view! { <div class="summary" role="alert" tabindex="-1">{said}</div> }
    })
}

/// A form that posts and is answered by a redirect, or by itself with its errors.
#[component]
pub fn PostForm(
    #[prop(into)] action: String,
    form: FormState,
    /// For forms that carry files.
    #[prop(optional)]
    multipart: bool,
    children: Children,
) -> impl IntoView {
    let request_id = form.request_id.clone();
    view! {
        <form class="form" method="post" action=action enctype=multipart.then_some("multipart/form-data")>
            <RequestId known=request_id/>
            <ErrorSummary form=form/>
            {children()}
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_form_keeps_what_was_typed_beside_the_error() {
        let mut form = FormState::filled([("seats", "many"), ("note", "<b>")]);
        form.refuse("seats", "Seats are a number, or “unlimited”.");
        let seats = form.at("seats");
        assert_eq!((seats.value.as_str(), seats.error.is_some()), ("many", true));
        assert_eq!(form.at("note").error, None);
        assert_eq!(form.at("absent").value, "");
    }

    #[test]
    fn two_forms_on_a_page_do_not_share_ids() {
        let form = FormState::default().scoped("disable");
        assert_eq!(form.at("reason").id, "disable-reason");
        assert_eq!(form.at("reason").name, "reason");
    }

    #[test]
    fn several_values_of_one_name_are_kept() {
        let form = FormState::filled([("feature", "a"), ("feature", "b")]);
        assert_eq!(form.values("feature").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(form.with("feature", "c").values("feature").collect::<Vec<_>>(), ["c"]);
    }
}
