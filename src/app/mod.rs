//! The pages. `ui` draws and knows no licensing; `portal` is the customer's, `vendor` the staff's; both are given plain views
//! and never fetch. What must be alive in the browser is an island; everything else is drawn once, here, by the server.

pub mod islands;
pub mod said;
pub mod signs;

#[cfg(feature = "ssr")]
mod hydration;
#[cfg(feature = "ssr")]
pub mod portal;
#[cfg(feature = "ssr")]
mod render;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
pub mod ui;
#[cfg(feature = "ssr")]
pub mod vendor;
#[cfg(feature = "ssr")]
pub mod view;

#[cfg(feature = "ssr")]
pub use hydration::{IslandScripts, Site};
#[cfg(feature = "ssr")]
pub use render::render;
