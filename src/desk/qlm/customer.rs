//! What a shop says of its customers (`UpdateUserInformation`, §7): who they are, and whose a license is.

use super::{QlmCall, QlmRefused, call_fields, change::newest_of, is_of, spoken, switched};
use crate::{
    desk::{Desk, Fault},
    licensing::{ActivationKey, CustomerId, Email, license::Actor, qlm::ErrorCode},
    store::{Conn, CustomerSaid, Extension, NewAudit, StoreError, Subject},
};

/// As many licenses of a customer as are looked at.
const MOST_LICENSES: i64 = 10_000;

/// What became of it.
enum Said {
    Added,
    Updated,
    Refused(QlmRefused),
}

impl Desk {
    /// Keeps a customer's name and company; moves them to a new address (`is_previousemail`); gives them a license (`is_avkey`). Nothing
    /// that a call leaves out is forgotten.
    pub async fn qlm_customer(&self, call: &QlmCall) -> Result<Result<String, QlmRefused>, Fault> {
        let extension = match self.caller_with_password(call).await? {
            Ok(extension) => extension,
            Err(refused) => return Ok(Err(refused)),
        };
        let fields = call_fields(Some(&extension));
        let Some(text) = call.args.first_of(&fields.email) else {
            return Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, "The customer’s e-mail address is missing.")));
        };
        let wrong = || QlmRefused::new(ErrorCode::MissingArgument, "This is no e-mail address. Nothing was changed.");
        let Ok(email) = Email::parse(text) else { return Ok(Err(wrong())) };
        let before = match call.args.text("is_previousemail").map(Email::parse) {
            Some(Ok(before)) => Some(before),
            Some(Err(_)) => return Ok(Err(wrong())),
            None => None,
        };
        let said = |names: &[String]| {
            let text = call.args.first_of(names)?;
            let fits = text.chars().count() <= 200 && !text.chars().any(crate::licensing::text::is_hidden);
            fits.then(|| text.to_owned())
        };
        let name = [said(&fields.name), said(&fields.last_name)].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let (name, company) = (Some(name).filter(|name| !name.is_empty()), said(&fields.company));
        // Whose a license is, and under which address, decides who is mailed its key.
        if (call.args.text("is_avkey").is_some() || before.is_some())
            && let Err(refused) = switched(self.settings().qlm.update, "enableUpgradeLicense")
        {
            return Ok(Err(refused));
        }
        let key = call.args.text("is_avkey").map(|text| ActivationKey::parse(text).ok());
        let actor = Actor::Extension { name: extension.name.clone() };
        let (now, shown) =
            (self.now(), spoken(name.as_deref().unwrap_or(email.as_str())).map_or_else(String::new, |name| format!(" {name}")));
        let done = self.store.write(move |conn| {
            let (email, before, name) = (email.clone(), before.clone(), name.clone());
            let company = company.clone();
            let (key, actor, extension) = (key.clone(), actor.clone(), extension.clone());
            Box::pin(async move {
                let known = match &before {
                    Some(before) => match conn.customer_by_email(before).await? {
                        Some(customer) => Some(customer),
                        None => {
                            let message = "There is no customer with the previous address.";
                            return Ok(Said::Refused(QlmRefused::new(ErrorCode::CustomerNotFound, message)));
                        }
                    },
                    None => conn.customer_by_email(&email).await?,
                };
                // A reseller says nothing of whoever bought from others.
                if let Some(customer) = &known
                    && bought_from_others(conn, &extension, customer.id).await?
                {
                    let message = "This customer has licenses that others sold. Only the vendor changes what is known of them.";
                    return Ok(Said::Refused(QlmRefused::new(ErrorCode::Customer, message)));
                }
                let licenses = match &key {
                    Some(Some(key)) => {
                        let mut found = conn.licenses_with_key(key).await?;
                        found.retain(|(license, _)| is_of(&extension, license));
                        found
                    }
                    Some(None) | None => Vec::new(),
                };
                if key.is_some() && licenses.is_empty() {
                    let message = "There is no license with this activation key.";
                    return Ok(Said::Refused(QlmRefused::new(ErrorCode::LicenseNotFound, message)));
                }
                let id = match &known {
                    Some(customer) => customer.id,
                    None => {
                        conn.customer_for(
                            &email,
                            name.as_deref().unwrap_or_default(),
                            company.as_deref().unwrap_or_default(),
                            now,
                        )
                        .await?
                    }
                };
                // A phone gets codes: no shop says whose it is.
                let said = CustomerSaid { name: name.as_deref(), company: company.as_deref(), phone: None };
                if !conn.update_customer(id, &email, &said).await? {
                    return Err(StoreError::gave_up(AddressTaken));
                }
                let entry = NewAudit {
                    at: now,
                    subject: Subject::of("customer", id.0),
                    act: if known.is_some() { "customer.edited" } else { "customer.added" },
                    actor: actor.clone(),
                    before: known.as_ref().map(|known| {
                        serde_json::json!({ "email": known.email.as_str(), "name": known.name, "company": known.company })
                    }),
                    after: Some(serde_json::json!({ "email": email.as_str(), "name": name, "company": company })),
                };
                conn.audit_apart(&entry).await?;
                for (license, product) in licenses {
                    let (license, _) = newest_of(conn, license, product).await?;
                    let Some((mut license, _, head)) = conn.lock_license(license.id).await? else { continue };
                    if license.customer == Some(id) {
                        continue;
                    }
                    let before = license.customer.replace(id);
                    let entry = NewAudit {
                        at: now,
                        subject: Subject::license(license.id.0),
                        act: "license.customer_set",
                        actor: actor.clone(),
                        before: Some(serde_json::json!({ "customer": before.map(|id| id.0) })),
                        after: Some(serde_json::json!({ "customer": id.0 })),
                    };
                    let head = conn.audit(&entry, head.as_deref());
                    conn.save_license(&license, Some(&head)).await?;
                }
                Ok(if known.is_some() { Said::Updated } else { Said::Added })
            })
        });
        match done.await {
            Ok(Said::Added) => Ok(Ok(format!("Customer{shown} was added successfully."))),
            Ok(Said::Updated) => Ok(Ok(format!("Customer{shown} was updated successfully."))),
            Ok(Said::Refused(refused)) => Ok(Err(refused)),
            Err(StoreError::GaveUp(why)) if why.is::<AddressTaken>() => Ok(Err(QlmRefused::new(
                ErrorCode::CustomerExists,
                "Another customer has this address already. Nothing was changed.",
            ))),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a customer has licenses that a reseller did not sell.
pub(in crate::desk) async fn bought_from_others(
    conn: &mut Conn,
    extension: &Extension,
    customer: CustomerId,
) -> Result<bool, StoreError> {
    if extension.affiliate.is_empty() {
        return Ok(false);
    }
    let theirs = conn.newest_licenses_of(customer, MOST_LICENSES).await?;
    Ok(theirs.iter().any(|(license, _)| !is_of(extension, license)))
}

#[derive(Debug, thiserror::Error)]
#[error("another customer has this address")]
struct AddressTaken;
