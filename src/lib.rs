//! Countersign, a self-hosted software activation portal. `docs/ARCHITECTURE.md` is the map of this house.
//!
//! Without features this is [`licensing`] alone: the shared domain, for the server and for the browser.

extern crate alloc;

pub mod licensing;

#[cfg(feature = "ssr")]
pub mod cli;
#[cfg(feature = "ssr")]
pub mod desk;

#[cfg(feature = "ssr")]
pub mod api;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod app;
#[cfg(feature = "ssr")]
pub mod outbound;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod store;
#[cfg(feature = "ssr")]
pub mod vault;
