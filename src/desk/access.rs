//! Who acts, and how far their role reaches. Checked in the act, not in the page.

use super::refusal::Forbidden;
use crate::licensing::{ActivationKey, UserId, license::Actor};

/// What a permission is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    Products,
    Orders,
    Licenses,
    Customers,
    Settings,
    Team,
    Audit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    None,
    Read,
    Manage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Owner,
    Admin,
    Support,
    Viewer,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Support, Self::Viewer];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Support => "support",
            Self::Viewer => "viewer",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// How far the role reaches in an area.
    #[must_use]
    pub const fn level(self, area: Area) -> Level {
        match (self, area) {
            (Self::Owner, _) => Level::Manage,
            (Self::Admin, Area::Team) => Level::Read,
            (Self::Admin, _) => Level::Manage,
            (Self::Support, Area::Licenses | Area::Orders | Area::Customers) => Level::Manage,
            (Self::Support, Area::Products | Area::Audit) => Level::Read,
            (Self::Support, Area::Settings | Area::Team) => Level::None,
            (Self::Viewer, Area::Settings | Area::Team | Area::Audit) => Level::None,
            (Self::Viewer, _) => Level::Read,
        }
    }
}

/// Who stands at the desk.
#[derive(Clone, Debug)]
pub enum Visitor {
    Staff {
        id: UserId,
        email: String,
        role: Role,
    },
    /// At the command line of the server: may do everything.
    Operator,
    /// A shop or site that showed its credentials: what it may order is found out before.
    Extension {
        name: String,
    },
}

impl Visitor {
    /// Refuses a visitor whose role does not reach `level` in `area`.
    pub fn needs(&self, area: Area, level: Level) -> Result<(), Forbidden> {
        match self {
            Self::Operator => Ok(()),
            Self::Staff { role, .. } if role.level(area) >= level => Ok(()),
            Self::Extension { .. } if matches!(area, Area::Licenses | Area::Orders | Area::Customers) => Ok(()),
            Self::Staff { .. } | Self::Extension { .. } => Err(Forbidden),
        }
    }

    /// An activation key as this visitor may see it: whole for who may issue and answer for licenses, else its last group, which is
    /// enough to talk about it.
    #[must_use]
    pub fn key_text(&self, key: &ActivationKey) -> String {
        if self.sees_keys() { key.text() } else { format!("…{}", key.last_group()) }
    }

    #[must_use]
    pub fn sees_keys(&self) -> bool {
        self.needs(Area::Licenses, Level::Manage).is_ok()
    }

    #[must_use]
    pub fn actor(&self) -> Actor {
        match self {
            Self::Operator => Actor::Operator,
            Self::Extension { name } => Actor::Extension { name: name.clone() },
            Self::Staff { id, email, .. } => Actor::Staff { id: id.0, email: email.clone() },
        }
    }
}
