//! Several things, one a line.

use leptos::{prelude::*, tachys::html::InertElement};

use super::{
    field::{FieldMessage, describe},
    form::Typed,
};

#[component]
pub fn Lines(
    at: Typed,
    #[prop(into)] label: String,
    #[prop(into)] hint: String,
    #[prop(optional)] optional: bool,
    /// As high as it is drawn; 3 where nothing is said.
    #[prop(optional)]
    rows: u8,
    #[prop(optional)] mono: bool,
) -> impl IntoView {
    let Typed { name, id, value, error } = at;
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = describe(Some(&hint_id), error.as_ref().map(|_| &error_id)).unwrap_or_default();
    let attributes = [
        ("class", if mono { "input mono" } else { "input" }),
        ("id", id.as_str()),
        ("name", name.as_str()),
        ("aria-describedby", described.as_str()),
        (if optional { "" } else { "required" }, ""),
        (if error.is_some() { "aria-invalid" } else { "" }, "true"),
    ];
    view! {
        <div class="field">
            <label for=id.clone()>{label}{optional.then(|| view! { " "<span class="optional">"(optional)"</span> })}</label>
            <p class="hint" id=hint_id>{hint}</p>
            {filled(&attributes, if rows == 0 { 3 } else { rows }, &value)}
            {error.map(|error| view! { <FieldMessage id=error_id message=error/> })}
        </div>
    }
}

/// What stands in a text area is text to the browser, comments included, and Leptos sets a comment after dynamic children and
/// escapes nothing there: so it is written here, escaped by hand.
fn filled(attributes: &[(&str, &str)], rows: u8, value: &str) -> InertElement {
    let mut html = format!("<textarea rows=\"{rows}\" spellcheck=\"false\" autocomplete=\"off\"");
    for (name, value) in attributes.iter().filter(|(name, _)| !name.is_empty()) {
        html.push_str(&format!(" {name}=\""));
        escape(&mut html, value);
        html.push('"');
    }
    // A browser leaves out the first line break of a text area.
    html.push_str(">\n");
    escape(&mut html, value);
    html.push_str("</textarea>");
    InertElement::new(html)
}

fn escape(html: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            letter => html.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_cannot_end_the_field() {
        let html = filled(&[("id", "a\"b")], 3, "x</textarea><script>&").to_html();
        assert!(html.contains("id=\"a&quot;b\""), "{html}");
        assert!(html.ends_with(">\nx&lt;/textarea&gt;&lt;script&gt;&amp;</textarea>"), "{html}");
    }
}
