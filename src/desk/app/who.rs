//! Which app calls, and how far it reaches. A shared key ships in every copy of an app, so an API key proves no more than which app it is.

use super::{AppRefusal, lists::customer_of};
use crate::{
    desk::{Desk, Fault},
    licensing::{
        AccountId, ProductCode,
        license::{Actor, License},
        scope::Scope,
        tpm::TpmKey,
    },
    store::{ApiKey, Customer, LicenseUser, OauthClient},
    vault::{Purpose, SecretBytes, Subject, verify_p256},
};

/// What an app signs its calls with.
pub type SharedKey = SecretBytes;

/// An app that has shown who it is: by an API key, or as an OAuth client.
#[derive(Clone)]
pub struct App {
    /// The API key, or the client's id.
    id: String,
    name: String,
    /// Product codes it may act on; none is all.
    products: Option<Vec<String>>,
    read_only: bool,
    scope: Scope,
    /// What the machine's TPM signed of this call, and its signature.
    signed: Option<(Vec<u8>, [u8; 64])>,
}

impl From<ApiKey> for App {
    fn from(row: ApiKey) -> Self {
        Self {
            id: row.api_key,
            name: row.name,
            products: row.products,
            read_only: row.read_only,
            scope: Scope::Company,
            signed: None,
        }
    }
}

impl From<OauthClient> for App {
    fn from(row: OauthClient) -> Self {
        Self { id: row.client_id, name: row.name, products: None, read_only: false, scope: row.scope, signed: None }
    }
}

impl App {
    /// The same, in a call that the machine's TPM has signed.
    #[must_use]
    pub fn signing(self, message: Vec<u8>, signature: [u8; 64]) -> Self {
        Self { signed: Some((message, signature)), ..self }
    }

    /// Whether the call is signed under a key; none where it is not signed at all.
    pub(super) fn holds(&self, key: &TpmKey) -> Option<bool> {
        self.signed.as_ref().map(|(message, signature)| verify_p256(&key.point(), message, signature))
    }

    /// The API key, or the client's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it reaches a license of this customer.
    pub(in crate::desk) fn reaches(&self, license: &License, customer: Option<&Customer>) -> bool {
        self.scope.reaches(license, customer.and_then(|customer| customer.account.as_ref()).map(|account| account.id))
    }

    /// Whether all that a customer has is within its reach.
    pub(super) fn covers(&self, customer: &Customer) -> bool {
        match self.scope {
            Scope::Company => true,
            Scope::Account(id) => customer.account.as_ref().is_some_and(|account| account.id == id),
            Scope::Customer(id) => customer.id == id,
            Scope::License(_) => false,
        }
    }

    /// Whether there is no license beyond its reach.
    pub(super) fn is_companys(&self) -> bool {
        self.scope == Scope::Company
    }

    /// Whether it may speak for the people of an account: not if it is held to another.
    pub(super) fn is_for(&self, account: AccountId) -> bool {
        !matches!(self.scope, Scope::Account(held) if held != account)
    }

    /// Refuses clients that are held to a customer's or one license what is about no license that is there.
    pub(super) fn of_company(&self) -> Result<(), AppRefusal> {
        if self.is_companys() { Ok(()) } else { Err(AppRefusal::OutOfScope) }
    }

    /// Refuses a product this app has nothing to do with, and to change anything for one that may only read.
    pub(in crate::desk) fn may(&self, product: &ProductCode, change: bool) -> Result<(), AppRefusal> {
        if change {
            self.may_change()?;
        }
        let named = |codes: &Vec<String>| codes.iter().any(|code| code.eq_ignore_ascii_case(product.as_str()));
        if self.products.as_ref().is_none_or(named) { Ok(()) } else { Err(AppRefusal::ProductNotAllowed) }
    }

    pub(in crate::desk) fn may_change(&self) -> Result<(), AppRefusal> {
        if self.read_only { Err(AppRefusal::ReadOnly) } else { Ok(()) }
    }

    pub(super) fn actor(&self) -> Actor {
        Actor::ApiKey { name: self.name.clone() }
    }
}

impl Desk {
    /// Those whose licenses the app reaches: of others it learns nothing, not even whether a password is right.
    pub(super) async fn reached(&self, app: &App, users: Vec<LicenseUser>) -> Result<Vec<LicenseUser>, Fault> {
        if app.is_companys() || users.is_empty() {
            return Ok(users);
        }
        let mut conn = self.read().await?;
        let mut reached = Vec::new();
        for user in users {
            let Some((license, ..)) = conn.license(user.license).await? else { continue };
            let customer = customer_of(&mut conn, &license).await?;
            if app.reaches(&license, customer.as_ref()) {
                reached.push(user);
            }
        }
        Ok(reached)
    }

    /// The app with this API key and the key it signs with.
    pub async fn app(&self, api_key: &str) -> Result<Result<(App, SecretBytes), AppRefusal>, Fault> {
        let Some(row) = self.read().await?.api_key(api_key).await? else { return Ok(Err(AppRefusal::UnknownApiKey)) };
        if row.revoked.is_some() {
            return Ok(Err(AppRefusal::RevokedApiKey));
        }
        if self.settings().oauth_required {
            return Ok(Err(AppRefusal::OauthRequired));
        }
        let secret = self.vault.decrypt_secret(Purpose::SHARED_KEY, Subject::named(&row.api_key), &row.shared_key)?;
        Ok(Ok((App::from(row), secret)))
    }
}
