//! What a license file says of the license itself: the member `lic`.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use serde_json::{Map, Value};

use super::{
    claims::{Claims, put},
    license::read_list,
    problem::Problem,
};
use crate::licensing::{Email, Timestamp};

/// How a license ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileLicenseType {
    Perpetual,
    TimeLimited,
    Subscription,
    Consumption,
}

impl FileLicenseType {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Perpetual => "perpetual",
            Self::TimeLimited => "time-limited",
            Self::Subscription => "subscription",
            Self::Consumption => "consumption",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Perpetual, Self::TimeLimited, Self::Subscription, Self::Consumption].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A feature as the app finds it in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFeature {
    pub code: String,
    /// `activation` or `consumption`.
    pub consumption: bool,
    pub valid_until: Option<Timestamp>,
    pub max: Option<u64>,
    pub used: Option<u64>,
}

/// The terms of a license, as far as its product lets files show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub kind: FileLicenseType,
    pub trial: bool,
    /// The last group of the key, never more.
    pub key_last_group: String,
    pub user: Option<Email>,
    /// `None`: unlimited.
    pub seats: Option<u64>,
    pub valid_until: Option<Timestamp>,
    /// Counted by the app from its first run; never together with `valid_until`.
    pub duration_days: Option<u64>,
    pub maintenance_until: Option<Timestamp>,
    pub grace_hours: u32,
    /// `None`: unlimited.
    pub transfers_max: Option<u64>,
    pub transfers_used: u64,
    /// How many may use it at once, for a floating license.
    pub floating: Option<u64>,
    pub features: Vec<FileFeature>,
    pub fields: Map<String, Value>,
    pub meta: Map<String, Value>,
}

impl Terms {
    /// A license that never ends, for one machine: what a builder starts from.
    #[must_use]
    pub fn perpetual(key_last_group: &str) -> Self {
        Self {
            kind: FileLicenseType::Perpetual,
            trial: false,
            key_last_group: key_last_group.to_owned(),
            user: None,
            seats: Some(1),
            valid_until: None,
            duration_days: None,
            maintenance_until: None,
            grace_hours: 0,
            transfers_max: None,
            transfers_used: 0,
            floating: None,
            features: Vec::new(),
            fields: Map::new(),
            meta: Map::new(),
        }
    }

    pub(super) fn value(&self) -> Value {
        let mut map = Map::new();
        map.insert("type".into(), self.kind.as_str().into());
        map.insert("trial".into(), self.trial.into());
        map.insert("key".into(), self.key_last_group.as_str().into());
        put(&mut map, "user", self.user.as_ref().map(Email::as_str));
        map.insert("seats".into(), self.seats.into());
        put(&mut map, "valid_until", self.valid_until.map(Timestamp::to_rfc3339));
        put(&mut map, "duration_days", self.duration_days);
        put(&mut map, "maintenance_until", self.maintenance_until.map(Timestamp::to_rfc3339));
        map.insert("grace_hours".into(), self.grace_hours.into());
        let mut transfers = Map::new();
        transfers.insert("max".into(), self.transfers_max.into());
        transfers.insert("used".into(), self.transfers_used.into());
        map.insert("transfers".into(), Value::Object(transfers));
        put(&mut map, "floating", self.floating);
        map.insert("features".into(), self.features.iter().map(FileFeature::value).collect());
        map.insert("fields".into(), Value::Object(self.fields.clone()));
        map.insert("meta".into(), Value::Object(self.meta.clone()));
        Value::Object(map)
    }

    pub(super) fn read(claims: Claims<'_>) -> Result<Self, Problem> {
        let transfers = claims.object("transfers")?.ok_or_else(|| claims.wrong("transfers"))?;
        let user = claims.text("user", 254)?.map(Email::parse).transpose().map_err(|error| claims.refused("user", error))?;
        let grace = claims.count("grace_hours")?.unwrap_or(0);
        let terms = Self {
            kind: FileLicenseType::parse(claims.required("type", 16)?).ok_or_else(|| claims.wrong("type"))?,
            trial: claims.flag("trial")?.ok_or_else(|| claims.wrong("trial"))?,
            key_last_group: claims.owned("key", 16)?.unwrap_or_default(),
            user,
            seats: claims.count("seats")?,
            valid_until: claims.instant("valid_until")?,
            duration_days: claims.count("duration_days")?,
            maintenance_until: claims.instant("maintenance_until")?,
            grace_hours: u32::try_from(grace).map_err(|_| claims.wrong("grace_hours"))?,
            transfers_max: transfers.count("max")?,
            transfers_used: transfers.count("used")?.unwrap_or(0),
            floating: claims.count("floating")?,
            features: read_list(claims, "features", |feature| FileFeature::read(Claims::new(feature)))?,
            fields: claims.object("fields")?.map(|fields| fields.map().clone()).unwrap_or_default(),
            meta: claims.object("meta")?.map(|meta| meta.map().clone()).unwrap_or_default(),
        };
        if terms.valid_until.is_some() && terms.duration_days.is_some() {
            return Err(claims.wrong("duration_days"));
        }
        Ok(terms)
    }
}

impl FileFeature {
    fn value(&self) -> Value {
        let mut map = Map::new();
        map.insert("code".into(), self.code.as_str().into());
        map.insert("type".into(), if self.consumption { "consumption" } else { "activation" }.into());
        put(&mut map, "valid_until", self.valid_until.map(Timestamp::to_rfc3339));
        put(&mut map, "max", self.max);
        put(&mut map, "used", self.used);
        Value::Object(map)
    }

    fn read(claims: Claims<'_>) -> Result<Self, Problem> {
        Ok(Self {
            code: claims.required("code", 128)?.to_owned(),
            consumption: match claims.required("type", 16)? {
                "consumption" => true,
                "activation" => false,
                _ => return Err(claims.wrong("type")),
            },
            valid_until: claims.instant("valid_until")?,
            max: claims.count("max")?,
            used: claims.count("used")?,
        })
    }
}
