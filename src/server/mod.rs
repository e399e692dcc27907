//! Everything between the network and the acts: configuration, router, sessions, origin check, jobs, telemetry.
//! A handler reads the request into types, calls one act, and draws a page or answers JSON. It decides nothing about a license.

pub mod clock;
pub mod config;
pub(crate) mod forms;
pub(crate) mod guard;
mod jobs;
pub mod limits;
mod once;
pub(crate) mod page;
mod path;
pub mod portal;
mod router;
pub mod serve;
mod session;
pub mod site;
pub mod start;
mod state;
mod vendor;

#[cfg(test)]
pub(crate) mod tests;

pub use router::router;
pub use state::AppState;
