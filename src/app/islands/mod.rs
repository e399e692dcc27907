//! The browser's share: the few parts of pages that are alive. An island holds no secret and decides nothing that the server does
//! not decide again.
//!
//! Each wraps a form that works by itself. The server draws it as a Leptos island: an element that names what wakes it, around
//! its children. The browser's half is in `live`, under the same name, and only adds to what is there. It is built without
//! Leptos: a first visit may load 110 KB, the code that reads and checks files takes 75 of them, and the framework would take 20
//! to hydrate forms that need no hydrating. So the words a server can write stay out of the WASM, and cards are plain nodes.

#[cfg(feature = "ssr")]
mod checked_field;
#[cfg(feature = "ssr")]
mod inspector;
#[cfg(feature = "hydrate")]
mod live;
#[cfg(feature = "ssr")]
mod workbench;
#[cfg(any(feature = "hydrate", test))]
mod zip;

#[cfg(feature = "ssr")]
pub use checked_field::{CheckedDevice, CheckedKey};
#[cfg(feature = "ssr")]
pub use inspector::Inspector;
#[cfg(feature = "ssr")]
pub use workbench::Workbench;
