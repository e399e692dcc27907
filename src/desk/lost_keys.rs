//! Keys that a customer cannot find: they are sent to the address they were sold to. Asking is answered alike whether it is known.

use super::{
    Desk, Fault, Issue,
    messages::{Outgoing, may_write},
};
use crate::{
    licensing::{
        ActivationKey, Email, Timestamp,
        license::{Expiry, License, LicenseState},
        product::Product,
        template::{CODE, NEW_ORDER},
    },
    store::{NewMessage, StoreError},
};

/// As many as one letter names, the newest.
const NAMED: i64 = 50;

impl Desk {
    /// Sends a customer their keys. `Ok(false)`: asked too often.
    pub async fn send_keys(&self, email: Email, from: Option<String>) -> Result<bool, Fault> {
        self.send_keys_counted(email, from, true).await
    }

    /// The same; `counts` says whether it is counted here, or was by the caller.
    pub(super) async fn send_keys_counted(&self, email: Email, from: Option<String>, counts: bool) -> Result<bool, Fault> {
        let now = self.now();
        let (to, found) = {
            let mut conn = self.read().await?;
            match conn.customer_by_email(&email).await? {
                // To the address as it is kept: what was typed may fold to it and be another mailbox.
                Some(customer) => (customer.email, conn.newest_licenses_of(customer.id, NAMED).await?),
                None => (email.clone(), Vec::new()),
            }
        };
        let text = self.keys_text(&found, now);
        let subject = format!("Your keys from {}", self.settings().portal_name);
        let outgoing = Outgoing { kind: "keys", subject: &subject, text: &text, over: None, keeps_text: false };
        // Made in either case, so that it takes as long.
        let letter = self.letter(&to, &outgoing);
        let sends = found.iter().any(is_told);
        let done = self.store.write(move |conn| {
            let (email, letter, from) = (email.clone(), letter.clone(), from.clone());
            Box::pin(async move {
                if counts && !may_write(conn, &email, from.as_deref(), now).await? {
                    return Ok(false);
                }
                if sends {
                    conn.add_message(&letter, now).await?;
                }
                Ok(true)
            })
        });
        let done = done.await?;
        self.message_waits();
        Ok(done)
    }

    /// The letter a customer gets with what they bought.
    pub(super) async fn bought_letter(
        &self,
        to: &Email,
        issue: &Issue,
        keys: &[ActivationKey],
    ) -> Result<NewMessage, StoreError> {
        let product = self.read().await?.product(&issue.product).await?;
        let name = product.map_or_else(|| issue.product.to_string(), |product| product.name);
        let settings = self.settings();
        let what = if issue.terms.trial { "Your trial" } else { "Your license" };
        let ends = match issue.terms.expiry {
            Expiry { on: Some(end), .. } => format!("It is good through {}.\n\n", end.plus_seconds(-1).date()),
            Expiry { days_after_first_activation: Some(days), .. } => {
                format!("It is good for {days} days from its first activation.\n\n")
            }
            Expiry { days_counted_by_client: Some(days), .. } => format!("It is good for {days} days from its first start.\n\n"),
            _ => String::new(),
        };
        let listed: String = keys.iter().map(|key| format!("    {}\n", key.text())).collect();
        let noun = if keys.len() == 1 { "The activation key is" } else { "The activation keys are" };
        let help = settings.support.as_ref().map(|support| format!("Questions? Write to {support}.\n")).unwrap_or_default();
        let text = format!(
            "{what} of {name} is ready.\n\n{noun}:\n\n{listed}\n{ends}Type it into the app, or activate a computer here: {}/activate\n{help}",
            self.issuer.trim_end_matches('/')
        );
        let listed = keys.iter().map(ActivationKey::text).collect::<Vec<_>>().join("\n");
        let last = issue.terms.expiry.on.map(|end| settings.qlm.orders.dates.write(end.plus_seconds(-1)));
        let values = [
            ("ActivationKey", listed.as_str()),
            ("ProductName", &name),
            ("ExpiryDate", last.as_deref().unwrap_or_default()),
            ("OrderID", issue.order.as_deref().unwrap_or_default()),
            ("FullName", &issue.customer_name),
            ("Company", &issue.customer_company),
            ("Email", to.as_str()),
            ("PortalName", &settings.portal_name),
            ("ActivationUrl", &format!("{}/activate", self.issuer.trim_end_matches('/'))),
            ("SupportAddress", settings.support.as_deref().unwrap_or_default()),
        ];
        // The letter with a code says no key.
        let named = issue.template.as_deref().filter(|name| !name.eq_ignore_ascii_case(CODE)).unwrap_or(NEW_ORDER);
        let (subject, text) = self.words(&[named, NEW_ORDER], &values, (format!("{what} of {name}"), text)).await?;
        let outgoing = Outgoing { kind: "bought", subject: &subject, text: &text, over: None, keeps_text: true };
        Ok(self.letter(to, &outgoing))
    }

    fn keys_text(&self, found: &[(License, Product)], now: Timestamp) -> String {
        let settings = self.settings();
        let mut text = "These activation keys belong to your address:\n\n".to_owned();
        for (license, product) in found.iter().filter(|one| is_told(one)) {
            let key = license.key.as_ref().map(ActivationKey::text).unwrap_or_default();
            let ends = license.terms.expiry.instant(license.first_activated);
            let ends = match ends {
                Some(end) if end <= now => format!(" (expired on {})", end.plus_seconds(-1).date()),
                Some(end) => format!(" (good through {})", end.plus_seconds(-1).date()),
                None => String::new(),
            };
            text.push_str(&format!("{}{ends}\n    {key}\n\n", product.name));
        }
        text.push_str(&format!("Activate a computer with one of them: {}/activate\n", self.issuer.trim_end_matches('/')));
        if let Some(support) = &settings.support {
            text.push_str(&format!("Questions? Write to {support}.\n"));
        }
        text.push_str("\nIf you did not ask for this, somebody typed your address; nobody but you was told anything.\n");
        text
    }
}

/// Keys of licenses that were disabled are of no use to anybody.
fn is_told((license, _): &(License, Product)) -> bool {
    license.key.is_some() && matches!(license.state, LicenseState::Enabled)
}
