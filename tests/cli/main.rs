//! The command line as a script meets it: the built binary over temporary data folders.
#![cfg(feature = "ssr")]

mod airgap;
mod licenses;
mod records;
mod served;
mod serving;
mod support;
mod upkeep;
mod vendor;
