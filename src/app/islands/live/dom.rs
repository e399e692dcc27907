//! Nodes, built one by one. Text is always text: nothing a file says can become markup.

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement};

use crate::app::{
    said::Row,
    signs::{Kind, Sign, Tone},
};

pub fn document() -> Document {
    web_sys::window().and_then(|window| window.document()).unwrap_throw()
}

pub fn find(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

pub fn el(tag: &str, class: &str) -> Element {
    let element = document().create_element(tag).unwrap_throw();
    if !class.is_empty() {
        element.set_class_name(class);
    }
    element
}

pub fn said(tag: &str, class: &str, words: &str) -> Element {
    let element = el(tag, class);
    element.set_text_content(Some(words));
    element
}

pub fn set(element: &Element, name: &str, value: &str) {
    // Fails only for names that are no names.
    drop(element.set_attribute(name, value));
}

pub fn show(element: &Element, shown: bool) {
    if shown {
        drop(element.remove_attribute("hidden"));
    } else {
        set(element, "hidden", "");
    }
}

pub fn put(parent: &Element, children: &[&Element]) {
    for child in children {
        drop(parent.append_child(child));
    }
}

pub fn group(tag: &str, class: &str, children: &[&Element]) -> Element {
    let element = el(tag, class);
    put(&element, children);
    element
}

/// Text from outside, kept from turning the words around it.
pub fn isolated(words: &str) -> Element {
    said("bdi", "", words)
}

pub fn focus(element: &Element) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        drop(element.focus());
    }
}

pub fn listen(element: &Element, event: &str, act: Box<dyn FnMut()>) {
    let act = Closure::wrap(act).into_js_value();
    drop(element.add_event_listener_with_callback(event, act.unchecked_ref()));
}

pub fn icon(sign: Sign) -> Element {
    let svg = |tag: &str| document().create_element_ns(Some("http://www.w3.org/2000/svg"), tag).unwrap_throw();
    let (icon, path) = (svg("svg"), svg("path"));
    set(&icon, "class", "icon");
    set(&icon, "viewBox", "0 0 24 24");
    set(&icon, "aria-hidden", "true");
    set(&path, "d", sign.path());
    put(&icon, &[&path]);
    icon
}

pub fn state(tone: Tone, words: &str) -> Element {
    let class = ["state ", tone.class()].concat();
    group("span", &class, &[&icon(tone.sign()), &said("span", "", words)])
}

pub fn button(kind: Kind, words: &str, act: Box<dyn FnMut()>) -> Element {
    let button = said("button", kind.class(), words);
    set(&button, "type", "button");
    listen(&button, "click", act);
    button
}

pub fn download(bytes: &[u8], name: &str, words: &str) -> Element {
    let link = group("a", Kind::Primary.class(), &[&icon(Sign::Down), &said("span", "", words)]);
    set(&link, "href", &super::browser::link_to(&js_sys::Uint8Array::from(bytes)));
    set(&link, "download", name);
    link
}

pub fn facts(facts: &[(String, String)]) -> Element {
    let list = el("dl", "facts");
    for (name, value) in facts {
        let value = group("dd", "", &[&isolated(value)]);
        put(&list, &[&group("div", "", &[&said("dt", "", name), &value])]);
    }
    list
}

/// The verdict rows, as `ui::Checklist` draws them.
pub fn checks(rows: &[Row]) -> Element {
    let list = el("ul", "checks");
    set(&list, "role", "list");
    for row in rows {
        let words = group("span", "", &[&said("span", "unseen", row.tone.heard()), &said("span", "", &row.text)]);
        put(&list, &[&group("li", row.tone.class(), &[&icon(row.tone.sign()), &words])]);
    }
    list
}

/// A card's frame: its name as a heading that can be led to, and how it stands.
pub fn card(name: &str, state: &Element) -> (Element, Element) {
    let heading = group("h2", "", &[&isolated(name)]);
    set(&heading, "tabindex", "-1");
    let card = group("article", "file-card", &[&group("header", "", &[&heading, state])]);
    (card, heading)
}
