//! Customer accounts: customers that belong together, as LicenseSpring knows them, and where their people sign in.

use super::{ActError, Area, Desk, Level, Visitor};
use crate::{
    licensing::{AccountId, Email, ProductCode, sso::SsoProvider},
    store::{Account, CustomerSaid, NewAudit, SsoRow, Subject},
    vault::{Purpose, Subject as Secret},
};

/// Where the people of an account are to sign in.
#[derive(Clone)]
pub struct NewSso {
    pub provider: SsoProvider,
    /// For providers that give a token only to whoever knows it.
    pub client_secret: Option<String>,
}

/// As many places may people be led back to.
const REDIRECTS: usize = 16;

impl Desk {
    /// Adds an account. Refuses a code that is taken.
    pub async fn add_account(&self, visitor: &Visitor, code: &ProductCode, name: &str) -> Result<AccountId, ActError> {
        visitor.needs(Area::Customers, Level::Manage)?;
        super::products::check_name(name)?;
        if code.folded() == "none" {
            return Err(ActError::field("code", "The code none stands for no account. Choose another."));
        }
        let (now, actor, code, name) = (self.now(), visitor.actor(), code.clone(), name.trim().to_owned());
        let added = self.store.write(move |conn| {
            let (actor, code, name) = (actor.clone(), code.clone(), name.clone());
            Box::pin(async move {
                let Some(id) = conn.add_account(&code, &name, now).await? else { return Ok(None) };
                let after = serde_json::json!({ "code": code.as_str(), "name": name });
                let subject = Subject::of("customer_account", id.0);
                let act = "customer_account.added";
                conn.audit_apart(&NewAudit { at: now, subject, act, actor, before: None, after: Some(after) }).await?;
                Ok(Some(id))
            })
        });
        added.await?.ok_or(ActError::Taken("code"))
    }

    /// Notes a customer's mobile phone, where codes may go as well; none forgets it. Staff alone says whose a phone is: what a shop
    /// relays, a buyer has typed.
    pub async fn set_customer_phone(&self, visitor: &Visitor, email: &Email, phone: Option<&str>) -> Result<(), ActError> {
        visitor.needs(Area::Customers, Level::Manage)?;
        let wrong = "A number begins with + and its country, such as +15005550006.";
        let phone = match phone {
            Some(text) => crate::licensing::phone(text).ok_or_else(|| ActError::field("phone", wrong))?,
            None => String::new(),
        };
        let (now, actor, email) = (self.now(), visitor.actor(), email.clone());
        let done = self.store.write(move |conn| {
            let (actor, email, phone) = (actor.clone(), email.clone(), phone.clone());
            Box::pin(async move {
                let Some(customer) = conn.customer_by_email(&email).await? else { return Ok(Err(ActError::NotFound)) };
                let said = CustomerSaid { phone: Some(&phone), ..CustomerSaid::default() };
                conn.update_customer(customer.id, &customer.email, &said).await?;
                let told = |phone: &str| Some(serde_json::json!({ "phone": phone }));
                let entry = NewAudit {
                    at: now,
                    subject: Subject::of("customer", customer.id.0),
                    act: "customer.phone_set",
                    actor,
                    before: told(&customer.phone),
                    after: told(&phone),
                };
                conn.audit_apart(&entry).await?;
                Ok(Ok(()))
            })
        });
        done.await?
    }

    /// Puts a customer into an account, or out of any. Refuses a customer or an account that is not there.
    pub async fn set_account(&self, visitor: &Visitor, email: &Email, account: Option<&ProductCode>) -> Result<(), ActError> {
        visitor.needs(Area::Customers, Level::Manage)?;
        let (now, actor, email, account) = (self.now(), visitor.actor(), email.clone(), account.cloned());
        let done = self.store.write(move |conn| {
            let (actor, email, account) = (actor.clone(), email.clone(), account.clone());
            Box::pin(async move {
                let Some(customer) = conn.customer_by_email(&email).await? else { return Ok(Err(ActError::NotFound)) };
                let account = match &account {
                    Some(code) => match conn.account(code).await? {
                        Some(account) => Some(account),
                        None => {
                            let told = format!("There is no customer account with the code {code}.");
                            return Ok(Err(ActError::field("account", told)));
                        }
                    },
                    None => None,
                };
                if customer.account == account {
                    return Ok(Ok(()));
                }
                conn.set_account(customer.id, account.as_ref().map(|account| account.id)).await?;
                let told = |account: Option<&Account>| serde_json::json!({ "account": account.map(|one| one.code.as_str()) });
                let entry = NewAudit {
                    at: now,
                    subject: Subject::of("customer", customer.id.0),
                    act: "customer.account_set",
                    actor,
                    before: Some(told(customer.account.as_ref())),
                    after: Some(told(account.as_ref())),
                };
                conn.audit_apart(&entry).await?;
                Ok(Ok(()))
            })
        });
        done.await?
    }

    /// An account. Refuses where there is none.
    pub async fn account(&self, visitor: &Visitor, code: &ProductCode) -> Result<Account, ActError> {
        visitor.needs(Area::Customers, Level::Read)?;
        self.read().await?.account(code).await?.ok_or(ActError::NotFound)
    }

    /// The accounts with how many customers each has.
    pub async fn accounts(&self, visitor: &Visitor) -> Result<Vec<(Account, u64)>, ActError> {
        visitor.needs(Area::Customers, Level::Read)?;
        Ok(self.read().await?.accounts().await?)
    }

    /// Says where the people of an account sign in; none: nowhere. The provider is asked what it is: one that cannot be reached, or
    /// names itself otherwise, is refused.
    pub async fn set_sso(&self, visitor: &Visitor, code: &ProductCode, sso: Option<NewSso>) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let account = self.read().await?.account(code).await?.ok_or(ActError::NotFound)?;
        let row = match sso {
            None => None,
            Some(new) => {
                self.check_sso(&new).await?;
                let of = account.id.to_string();
                let seal = |secret: String| self.vault.encrypt_secret(Purpose::SSO_SECRET, Secret::named(&of), secret.as_bytes());
                Some(SsoRow { provider: new.provider, client_secret: new.client_secret.map(seal) })
            }
        };
        let (now, actor) = (self.now(), visitor.actor());
        let changed = self.store.write(move |conn| {
            let (actor, row) = (actor.clone(), row.clone());
            Box::pin(async move {
                let told = |row: &SsoRow| {
                    let SsoProvider { issuer, client_id, redirect_uris, trusts_addresses } = &row.provider;
                    serde_json::json!({
                        "issuer": issuer, "client_id": client_id, "redirect_uris": redirect_uris, "trusts_addresses": trusts_addresses,
                        "has_secret": row.client_secret.is_some(),
                    })
                };
                let known = conn.sso(account.id).await?;
                let before = known.as_ref().map(told);
                // Said again without its secret, the client keeps the one it has.
                let same = |row: &SsoRow, known: &SsoRow| {
                    (&row.provider.issuer, &row.provider.client_id) == (&known.provider.issuer, &known.provider.client_id)
                };
                let row = row.map(|row| match &known {
                    Some(known) if row.client_secret.is_none() && same(&row, known) => {
                        SsoRow { client_secret: known.client_secret.clone(), ..row }
                    }
                    _ => row,
                });
                match &row {
                    Some(row) => conn.set_sso(account.id, row, now).await?,
                    None if before.is_none() => return Ok(false),
                    None => drop(conn.remove_sso(account.id).await?),
                }
                let (subject, after) = (Subject::of("customer_account", account.id.0), row.as_ref().map(told));
                let act = if after.is_some() { "customer_account.sso_set" } else { "customer_account.sso_removed" };
                conn.audit_apart(&NewAudit { at: now, subject, act, actor, before, after }).await?;
                Ok(true)
            })
        });
        if changed.await? { Ok(()) } else { Err(ActError::NotFound) }
    }

    async fn check_sso(&self, new: &NewSso) -> Result<(), ActError> {
        let provider = &new.provider;
        let visible = |text: &str| !text.is_empty() && text.len() <= 2_048 && text.chars().all(|c| c.is_ascii_graphic());
        if !visible(&provider.client_id) {
            return Err(ActError::field(
                "client_id",
                "The client id stands in the provider’s settings: letters, digits and signs.",
            ));
        }
        let uris = &provider.redirect_uris;
        if uris.is_empty() || uris.len() > REDIRECTS || !uris.iter().all(|uri| visible(uri) && uri.contains(':')) {
            let told = "Name one to sixteen addresses that people are led back to, as the provider knows them.";
            return Err(ActError::field("redirect_uri", told));
        }
        self.provider_named(&provider.issuer, None)
            .await
            .map(drop)
            .map_err(|error| ActError::field("issuer", format!("{error}.")))
    }
}
