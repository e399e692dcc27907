//! The customer's pages: requests become types, one act is called, a page is drawn.

pub mod activate;
pub mod code;
pub mod foreign;
pub mod home;
pub mod inspect;
pub mod keys;
pub mod offline;
pub mod upload;
