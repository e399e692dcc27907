//! An e-mail address that breaks where people would break it: before the `@`, and at its dots.

use leptos::prelude::*;

#[component]
pub fn Mail(#[prop(into)] text: String) -> impl IntoView {
    let mut parts = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.char_indices().skip(1).find(|(_, letter)| matches!(letter, '@' | '.')).map(|(at, _)| at) {
        let (part, after) = rest.split_at(at);
        parts.push(view! { {part.to_owned()}<wbr/> });
        rest = after;
    }
    view! { <bdi class="mail">{parts}{rest.to_owned()}</bdi> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_breaks_before_its_signs_and_says_the_same() {
        let html = view! { <Mail text="ann.lee@press.example"/> }.to_html();
        let breaks: Vec<String> = html.split("<wbr>").map(|part| part.replace("<!>", "")).collect();
        assert_eq!(breaks, ["<bdi class=\"mail\">ann", ".lee", "@press", ".example</bdi>"]);
    }
}
