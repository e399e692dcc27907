//! `browser.js`, as Rust calls it.

use js_sys::{Array, Date, JsString, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Element;

use crate::licensing::Timestamp;

#[wasm_bindgen(module = "/src/app/islands/browser.js")]
extern "C" {
    pub fn receive(root: &Element, take: &Closure<dyn FnMut(JsValue, JsValue, JsValue)>);
    #[wasm_bindgen(js_name = bytesOf, catch)]
    pub async fn bytes_of(file: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch)]
    pub async fn ask(path: &str, bytes: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = rsaHolds, catch)]
    pub async fn rsa_holds(pems: &Array, signature: &Uint8Array, texts: &Array) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = linkTo)]
    pub fn link_to(bytes: &Uint8Array) -> String;
    #[wasm_bindgen(js_name = canCopy)]
    pub fn can_copy() -> bool;
    pub fn copy(text: &str);
}

/// The clock of this computer.
#[expect(clippy::disallowed_methods, reason = "the browser's one place that reads a clock; licensing is handed what it says")]
pub fn now() -> Timestamp {
    Timestamp::from_millis(Date::now() as i64)
}

/// A member of an object of the portal's; `undefined` where there is none.
pub fn member(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsString::from(name)).unwrap_or(JsValue::UNDEFINED)
}

pub fn text(object: &JsValue, name: &str) -> String {
    member(object, name).as_string().unwrap_or_default()
}

pub fn number(object: &JsValue, name: &str) -> f64 {
    member(object, name).as_f64().unwrap_or_default()
}

/// The values of a list; none where it is no list.
pub fn list(object: &JsValue, name: &str) -> Vec<JsValue> {
    Array::from(&member(object, name)).to_vec()
}

/// An instant in the visitor's own time: "today 14:02", "12 Mar 2027, 14:02".
pub fn for_people(at: Timestamp, now: Timestamp) -> String {
    let local = |at: Timestamp| {
        let offset = Date::new(&JsValue::from_f64(at.millis() as f64)).get_timezone_offset();
        at.plus_seconds(if offset.is_finite() { -(offset * 60.0) as i64 } else { 0 })
    };
    let (at, now) = (local(at), local(now));
    let text = at.to_rfc3339();
    let clock = text.get(11..16).unwrap_or_default();
    if at.date() == now.date() { ["today ", clock].concat() } else { [&at.date().for_people(), ", ", clock].concat() }
}
