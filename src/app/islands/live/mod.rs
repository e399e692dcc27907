//! What the islands do in the browser. Each `wake` bears the name of its island, by which `start.js` finds it.

pub mod bench;
mod browser;
mod dom;
pub mod field;
pub mod inspect;
mod keys;
mod reading;
mod send;
