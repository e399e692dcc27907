//! What files are checked with: the portal's products and public keys, fetched once and again when they do not fit.

use core::cell::{Cell, RefCell};

use js_sys::{Array, JSON};
use wasm_bindgen::JsValue;

use super::browser::{ask, list, member, now, number, text};
use crate::licensing::{ProductCode, Timestamp, files::TrustedKeys};

pub struct Keys {
    pub trusted: TrustedKeys,
    pub products: Vec<ProductCode>,
    names: Vec<(String, String)>,
    /// LicenseSpring's public keys, as PEM.
    pub licensespring: Array,
    /// How far the portal's clock is ahead of this computer's, in milliseconds.
    ahead: i64,
}

impl Keys {
    /// The portal's time: what its files are dated with.
    pub fn now(&self) -> Timestamp {
        now().plus_millis(self.ahead)
    }

    pub fn product_name(&self, code: &str) -> String {
        let known = self.names.iter().find(|(known, _)| known.eq_ignore_ascii_case(code));
        known.map_or(code, |(_, name)| name.as_str()).to_owned()
    }
}

#[derive(Default)]
pub struct KeyShelf {
    keys: RefCell<Option<&'static Keys>>,
    failed: Cell<bool>,
}

impl KeyShelf {
    pub fn known(&self) -> Option<&'static Keys> {
        *self.keys.borrow()
    }

    /// Fetches the keys. Nothing where the portal cannot be reached; what was known stays.
    pub async fn fetch(&self) -> Option<&'static Keys> {
        let fetched = fetch().await;
        self.failed.set(fetched.is_none());
        if let Some(keys) = fetched {
            // As long as the page, however often they are fetched: a few kilobytes each.
            self.keys.replace(Some(Box::leak(Box::new(keys))));
        }
        self.known()
    }

    /// What there is to read files with. Waits for the portal once, not for every file.
    pub async fn for_reading(&self) -> Option<&'static Keys> {
        match self.known() {
            None if !self.failed.get() => self.fetch().await,
            known => known,
        }
    }
}

async fn fetch() -> Option<Keys> {
    let answer = ask("/offline/keys.json", JsValue::UNDEFINED).await.ok()?;
    let body = member(&answer, "body");
    let jwks = String::from(JSON::stringify(&member(&body, "jwks")).ok()?);
    let named: Vec<(String, String)> =
        list(&body, "products").iter().map(|product| (text(product, "code"), text(product, "name"))).collect();
    Some(Keys {
        trusted: TrustedKeys::from_jwks(&jwks).ok()?,
        products: named.iter().filter_map(|(code, _)| ProductCode::parse(code).ok()).collect(),
        names: named,
        licensespring: Array::from(&member(&body, "licensespring")),
        ahead: number(&body, "now") as i64 - now().millis(),
    })
}
