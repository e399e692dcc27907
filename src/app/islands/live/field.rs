//! The two fields of `/activate` that are checked while one types. What is typed is never changed under the fingers.

use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlInputElement};

use super::dom::{el, find, icon, listen, put, said, set, show};
use crate::{
    app::signs::Sign,
    licensing::{
        ActivationKey, DeviceId, KeyError, TextError,
        key::{name_groups, wrong_groups_so_far},
    },
};

/// What is to be said of a text: whether it is good, and the words. Nothing to say while it may still become right.
type Said = Option<(bool, String)>;

#[wasm_bindgen(js_name = CheckedKey)]
pub fn wake_key() {
    wake(".checked-key", key_so_far, |text| match ActivationKey::parse(text) {
        Ok(_) | Err(KeyError::Empty) => None,
        Err(KeyError::TooLong) => Some("This is longer than an activation key.".to_owned()),
        Err(KeyError::HiddenCharacters) => Some(hidden("key")),
        Err(KeyError::Checksum { groups }) => Some(mistyped(&groups)),
    });
}

#[wasm_bindgen(js_name = CheckedDevice)]
pub fn wake_device() {
    wake(".checked-device", |text| device_problem(text).map(|words| (false, words)), device_problem);
}

fn key_so_far(text: &str) -> Said {
    let groups = wrong_groups_so_far(text);
    if !groups.is_empty() {
        return Some((false, mistyped(&groups)));
    }
    match ActivationKey::parse(text) {
        Ok(key) if key.is_own() => Some((true, "No typing mistake in this key.".to_owned())),
        Ok(_) | Err(KeyError::Empty) => None,
        Err(KeyError::TooLong) => Some((false, "This is longer than an activation key.".to_owned())),
        Err(KeyError::HiddenCharacters) => Some((false, hidden("key"))),
        Err(KeyError::Checksum { groups }) => Some((false, mistyped(&groups))),
    }
}

fn device_problem(text: &str) -> Option<String> {
    match DeviceId::parse(text) {
        Ok(_) | Err(TextError::Empty) => None,
        Err(TextError::TooLong) => Some("A computer id has at most 256 characters. Copy only the id itself.".to_owned()),
        Err(_) => Some(hidden("id")),
    }
}

fn mistyped(groups: &[u8]) -> String {
    let is_one = groups.len() == 1;
    let (verb, them) =
        if is_one { (" has a typing mistake. Compare ", "it") } else { (" have typing mistakes. Compare ", "them") };
    let names = name_groups(groups);
    let (first, rest) = names.split_at(1);
    [&first.to_ascii_uppercase(), rest, verb, them, " with the message the key came in."].concat()
}

fn hidden(what: &str) -> String {
    ["This ", what, " contains characters that cannot be seen. Type it, or copy it from another place."].concat()
}

/// `so_far` speaks while one types; `wrong` holds the form back, in the words the browser shows beside the field.
fn wake(island: &str, so_far: fn(&str) -> Said, wrong: fn(&str) -> Option<String>) {
    let Some(root) = find(island) else { return };
    let Some(input) = root.query_selector("input").ok().flatten() else { return };
    let Ok(input) = input.dyn_into::<HtmlInputElement>() else { return };
    let line = el("p", "said");
    let id = [&input.id(), "-said"].concat();
    set(&line, "id", &id);
    set(&line, "aria-live", "polite");
    if let Some(field) = input.parent_element() {
        put(&field, &[&line]);
    }
    let described = input.get_attribute("aria-describedby").unwrap_or_default();
    set(&input, "aria-describedby", [&described, " ", &id].concat().trim());
    // What the server said was about another text, once this one changes.
    let answered = root.query_selector(".error").ok().flatten();
    let (field, typed) = (input.clone(), input);
    let check = move || {
        let text = typed.value();
        tell(&line, &typed, so_far(&text));
        typed.set_custom_validity(&wrong(&text).unwrap_or_default());
    };
    // A browser may have filled the field before this ran.
    if answered.is_none() && !field.value().is_empty() {
        check();
    }
    listen(
        &field,
        "input",
        Box::new(move || {
            if let Some(answered) = &answered {
                show(answered, false);
            }
            check();
        }),
    );
}

fn tell(line: &Element, input: &Element, words: Said) {
    let (tone, good, words) = match &words {
        Some((true, words)) => ("said good", true, words.as_str()),
        Some((false, words)) => ("said refused", false, words.as_str()),
        None => ("said", true, ""),
    };
    if good {
        drop(input.remove_attribute("aria-invalid"));
    } else {
        set(input, "aria-invalid", "true");
    }
    // Said again only when it is something else, for those who listen.
    if line.text_content().as_deref() == Some(words) && line.class_name() == tone {
        return;
    }
    line.set_class_name(tone);
    line.set_text_content(None);
    if !words.is_empty() {
        put(line, &[&icon(if good { Sign::Tick } else { Sign::Cross }), &said("span", "", words)]);
    }
}
