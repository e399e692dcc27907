//! Customer accounts: customers that belong together, as LicenseSpring knows them.

use super::{ActError, Area, Desk, Level, Visitor};
use crate::{
    licensing::{AccountId, Email, ProductCode},
    store::{Account, NewAudit, Subject},
};

impl Desk {
    /// Adds an account. Refuses a code that is taken.
    pub async fn add_account(&self, visitor: &Visitor, code: &ProductCode, name: &str) -> Result<AccountId, ActError> {
        visitor.needs(Area::Customers, Level::Manage)?;
        super::products::check_name(name)?;
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
}
