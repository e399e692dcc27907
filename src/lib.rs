#![doc = include_str!("../README.md")]
extern crate alloc;

pub mod licensing;

#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod app;

#[cfg(feature = "ssr")]
pub mod vault;
