//! How a shop's words are read, as JSON that a vendor can edit.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use crate::licensing::qlm::providers::Fields;

/// As long as a map may be, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// How a shop proves that it sent something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Signing {
    /// Nothing is signed: a password in the call, or a secret address, stands for it.
    #[default]
    None,
    /// HMAC-SHA-256 of the body under the shared key, in a header.
    Hex {
        header: String,
    },
    Base64 {
        header: String,
    },
    Stripe,
    Paddle,
    TwoCheckout,
    /// PayPal is asked whether it sent this.
    #[serde(rename = "paypal")]
    PayPal,
}

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAct {
    /// Keys are made.
    Order,
    /// A subscription is paid: keys are made the first time, and licenses extended later.
    SubscriptionPayment,
    /// Licenses are extended.
    Renew,
    /// The same where nothing is said of a payment: what was revoked stays so.
    Extend,
    /// Their maintenance is.
    Maintain,
    /// Licenses are revoked: they were given back.
    Revoke,
    /// Licenses are revoked: their subscription is over.
    End,
    /// What was given back is paid after all: licenses that were revoked for it are good again.
    Restore,
    /// What is said of a customer is kept.
    Customer,
    /// It is none of ours.
    Nothing,
}

/// A text at a path that is one of these, without case; with none named, that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
    /// An amount that is less than the one at this path, whatever their signs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub less_than: String,
}

/// What one kind of event means, and where its parts stand. Of several paths the first that has a value counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// All of them hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Condition>,
    pub act: RuleAct,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscription: Vec<String>,
    /// When it was ordered; else now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ordered: Vec<String>,
    /// Until when it is paid for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub until: Vec<String>,
    /// Where the list of what was bought is; an empty path: the payload is one item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<String>,
    /// Within an item: the names under which its product may be known here, with paths in braces, such as `shopify_{product_id}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub product: Vec<String>,
    /// Within an item: what tells it from others of its order, where a shop tells of each in an event of its own. Otherwise its place does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub item: Vec<String>,
    /// Within an item, or from the beginning with a `/` in front: the key of the license that a buyer typed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// Within an item: what may be arguments itself, such as a SKU that begins with `&`. Never what a buyer can fill in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub literal: Vec<String>,
    /// What the shop passes on from whoever made the button, and whoever changed it: arguments that the product's property leaves open, where
    /// `ignoreCustomArgument` is off. Never how many, nor for whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_on: Vec<String>,
    /// Within an item: members whose names begin with `is_` are arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Within an item: what is kept with the license as it is (`is_userdata1`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user_data: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantity: Vec<String>,
    /// Within an item: what was paid for it, and in which currency. Of what revokes: what was given back; less than was paid revokes
    /// nothing. Of what restores: how much of that is paid after all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amount: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub currency: Vec<String>,
}

/// What a shop is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShopReply {
    /// That it was taken.
    #[default]
    Taken,
    /// The keys of the order, one a line: the shop hands them to the buyer.
    Keys,
}

impl ShopReply {
    const fn is_taken(&self) -> bool {
        matches!(self, Self::Taken)
    }
}

/// How to read a shop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShopMap {
    #[serde(default)]
    pub signing: Signing,
    #[serde(default, skip_serializing_if = "ShopReply::is_taken")]
    pub answer: ShopReply,
    /// Where the list of events is, for shops that send several at once; each is read as if it had come alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub events: String,
    /// What tells one event from another, so that one that comes twice is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event: Vec<String>,
    /// An address of the shop that is asked for more, with paths in braces; the answer stands under `fetched`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fetch: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub email: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub name: Vec<String>,
    /// Of shops that send it apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_name: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub company: Vec<String>,
    /// What the shop names the parts of an order where it calls for keys itself; as its class does where none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Fields>,
    /// Said by maps of before; a shop says nobody's phone.
    #[serde(default, skip_serializing)]
    pub phone: Passed,
    /// The first that fits counts.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// A member that is read and means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed;

impl<'de> Deserialize<'de> for Passed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// Why a map is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    #[error("This is no map: {0}.")]
    Json(String),
    #[error("A map has up to 64 KB.")]
    TooLong,
    #[error("A map without rules reads nothing.")]
    NoRules,
    #[error("{0} is no name of a header.")]
    Header(String),
    #[error("The address to fetch from begins with https:// and a host that no part of a payload names.")]
    Fetch,
}

impl ShopMap {
    /// Reads a map as it was typed.
    ///
    /// # Errors
    /// Says where it is none.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        if text.len() > MOST_BYTES {
            return Err(MapError::TooLong);
        }
        // A list would be read as the members in their order.
        if !text.trim_start().starts_with('{') {
            return Err(MapError::Json("it begins with no brace".to_owned()));
        }
        let mut map: Self = serde_json::from_str(text).map_err(|error| MapError::Json(error.to_string()))?;
        map.call = map.call.map(Fields::folded);
        if map.rules.is_empty() {
            return Err(MapError::NoRules);
        }
        if let Signing::Hex { header } | Signing::Base64 { header } = &map.signing
            && (header.is_empty() || !header.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
        {
            return Err(MapError::Header(format!("{header:?}")));
        }
        // Who sends a payload must not choose whom it is sent to.
        let host = map.fetch.strip_prefix("https://").map(|rest| rest.split('/').next().unwrap_or_default().to_owned());
        if !map.fetch.is_empty() && host.is_none_or(|host| host.is_empty() || host.contains(['{', '@', '?', '#'])) {
            return Err(MapError::Fetch);
        }
        Ok(map)
    }

    /// A map that was read before, and is kept as [`ShopMap::text`].
    #[must_use]
    pub fn kept(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The map as it is edited.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_else(|error| error.to_string())
    }
}
