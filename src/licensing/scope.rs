//! How far a program's credentials reach.

use alloc::{format, string::String};

use super::{AccountId, CustomerId, LicenseId, license::License};

/// Whose licenses an OAuth client may act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The company's own: every license.
    Company,
    /// Of the customers of one account.
    Account(AccountId),
    Customer(CustomerId),
    License(LicenseId),
}

impl Scope {
    /// Whether it reaches a license, whose customer belongs to this account.
    #[must_use]
    pub fn reaches(self, license: &License, account: Option<AccountId>) -> bool {
        match self {
            Self::Company => true,
            Self::Account(id) => account == Some(id),
            Self::Customer(customer) => license.customer == Some(customer),
            Self::License(id) => license.id == id,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Account(_) => "customeraccount",
            Self::Customer(_) => "customer",
            Self::License(_) => "license",
        }
    }

    /// The id of the account, customer or license.
    #[must_use]
    pub const fn id(self) -> Option<i64> {
        match self {
            Self::Company => None,
            Self::Account(id) => Some(id.0),
            Self::Customer(id) => Some(id.0),
            Self::License(id) => Some(id.0),
        }
    }

    #[must_use]
    pub fn of(kind: &str, id: Option<i64>) -> Option<Self> {
        match (kind, id) {
            ("company", None) => Some(Self::Company),
            ("customeraccount", Some(id)) => Some(Self::Account(AccountId(id))),
            ("customer", Some(id)) => Some(Self::Customer(CustomerId(id))),
            ("license", Some(id)) => Some(Self::License(LicenseId(id))),
            _ => None,
        }
    }

    /// The name of a client with this scope, in the form LicenseSpring's have (`licensespring-v4.md` §2.2). A company has several,
    /// told apart by `number`.
    #[must_use]
    pub fn client_id(self, number: i64) -> String {
        format!("auth_{}_{}", self.as_str(), self.id().unwrap_or(number))
    }
}
