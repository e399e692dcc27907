//! The inspector: any file, read where it is.

use core::cell::Cell;

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

use super::{
    browser::{bytes_of, receive},
    dom,
    keys::{KeyShelf, Keys},
    reading::{RSA_UNCHECKED, facts, report, rsa, too_large, unreadable},
};
use crate::{
    app::{
        said::{self, Row},
        signs::Tone,
    },
    licensing::files::text::MAX_BYTES,
};

struct Inspector {
    place: Element,
    shelf: KeyShelf,
    /// Which file is the latest: a slower one before it is not shown any more.
    latest: Cell<u32>,
}

#[wasm_bindgen(js_name = Inspector)]
pub fn wake_inspector() {
    let Some(root) = dom::find(".bench") else { return };
    let place = dom::el("div", "stack");
    dom::set(&place, "aria-live", "polite");
    dom::put(&root, &[&place]);
    let inspector: &'static Inspector =
        Box::leak(Box::new(Inspector { place, shelf: KeyShelf::default(), latest: Cell::new(0) }));
    spawn_local(async move {
        inspector.shelf.fetch().await;
    });
    let take = Closure::wrap(Box::new(move |name: JsValue, size: JsValue, file: JsValue| {
        if let Some(name) = name.as_string() {
            spawn_local(read(inspector, name, size.as_f64().unwrap_or_default() as usize, file));
        }
    }) as Box<dyn FnMut(JsValue, JsValue, JsValue)>);
    receive(&root, &take);
    take.forget();
    dom::set(&root, "data-live", "");
}

async fn read(inspector: &'static Inspector, name: String, size: usize, file: JsValue) {
    let turn = inspector.latest.get() + 1;
    inspector.latest.set(turn);
    let bytes = if size > MAX_BYTES { Err(too_large(size)) } else { bytes_of(file).await.map_err(|_| unreadable()) };
    let keys = inspector.shelf.for_reading().await;
    let (state, hint, rows, facts) = match bytes {
        Ok(bytes) => told(&Uint8Array::from(bytes).to_vec(), keys).await,
        Err(row) => (dom::state(Tone::Refused, "Not as it should be"), "", vec![row], Vec::new()),
    };
    if inspector.latest.get() != turn {
        return;
    }
    let (card, heading) = dom::card(&name, &state);
    if !hint.is_empty() {
        dom::put(&card, &[&dom::said("p", "hint", hint)]);
    }
    dom::put(&card, &[&dom::checks(&rows)]);
    if !facts.is_empty() {
        dom::put(&card, &[&dom::facts(&facts)]);
    }
    inspector.place.set_text_content(None);
    dom::put(&inspector.place, &[&card]);
    dom::focus(&heading);
}

/// How the file stands, what kind it is, its verdict rows, and what it says.
async fn told(bytes: &[u8], keys: Option<&Keys>) -> (Element, &'static str, Vec<Row>, Vec<(String, String)>) {
    let mut report = report(bytes, keys);
    let mut unchecked = Vec::new();
    if let Some(keys) = keys.filter(|_| !report.rsa.is_empty()) {
        match rsa(&report.rsa, keys).await {
            Some(Ok(())) => report.rsa_checked("license_signature_v2", true),
            Some(Err(failed)) => report.rsa_checked(failed, false),
            None => unchecked.push(Row::new(Tone::Info, RSA_UNCHECKED)),
        }
    }
    if keys.is_none() {
        let words = "The portal’s keys could not be fetched, so its own signatures could not be checked here.";
        unchecked.push(Row::new(Tone::Info, words));
    }
    let (tone, verdict) = said::verdict(&report);
    let rows = report.checks.iter().map(Row::from).chain(unchecked).collect();
    (dom::state(tone, verdict), said::kind(report.kind), rows, facts(&report.content, keys))
}
