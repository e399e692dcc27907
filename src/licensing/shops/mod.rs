//! What shops tell: orders, renewals, refunds, each in the shop's own words. How a shop's words are read is data (a [`ShopMap`]), so that a
//! vendor can mend it, or add a shop, without a program. Nothing here acts: a payload becomes [`ShopAct`]s.

#[cfg(test)]
mod events;
mod interpret;
mod known;
mod map;
mod payload;
pub mod signature;

pub use interpret::{ShopAct, ShopCustomer, ShopItem, ShopOrder, Unread, cents};
pub use known::{KNOWN, default_map};
pub use map::{Condition, MapError, Rule, RuleAct, ShopMap, ShopReply, Signing};
pub use payload::{Payload, PayloadError};
