//! Letters about keys: what was bought, what lasts longer now, what somebody could not find. Each in the vendor's own words, where there are
//! any.

use super::{Desk, Issue, messages::Outgoing, settings::Settings};
use crate::{
    licensing::{
        ActivationKey, Email, LicenseId, Timestamp,
        license::{Expiry, License, LicenseState},
        product::Product,
        template::{LetterKind, NEW_ORDER, RENEWED, REQUESTED, Template},
    },
    store::{Conn, Customer, NewMessage, StoreError},
};

/// A letter about renewals, before it is known what is renewed.
#[derive(Clone)]
pub(super) struct RenewalLetter {
    desk: Desk,
    /// None: our words.
    template: Option<Template>,
    /// The shop's number of the payment.
    order: String,
}

impl Desk {
    /// The letter a customer gets with what they bought, under this order.
    pub(super) async fn bought_letter(
        &self,
        to: &Email,
        issue: &Issue,
        keys: &[ActivationKey],
        order: &str,
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
        let text = format!(
            "{what} of {name} is ready.\n\n{noun}:\n\n{listed}\n{ends}Type it into the app, or activate a computer here: {}\n{}",
            self.page("/activate"),
            questions(&settings)
        );
        let last = issue.terms.expiry.on.map(|end| settings.qlm.orders.dates.write(end.plus_seconds(-1)));
        let about = [
            ("ActivationKey", lines(keys.iter().map(ActivationKey::text))),
            ("ProductName", name.clone()),
            ("ExpiryDate", last.unwrap_or_default()),
            ("OrderID", order.to_owned()),
            ("FullName", issue.customer_name.clone()),
            ("Company", issue.customer_company.clone()),
            ("Email", to.to_string()),
        ];
        // Another letter would not say the key.
        let template = issue.template.as_deref().filter(|name| LetterKind::of(name) == LetterKind::Order).unwrap_or(NEW_ORDER);
        let template = self.template_of(&[template, NEW_ORDER]).await?;
        let (subject, text) = self.worded(template.as_ref(), &about, (format!("{what} of {name}"), text));
        let outgoing = Outgoing { kind: "bought", subject: &subject, text: &text, over: None, keeps_text: true };
        Ok(self.letter(to, &outgoing))
    }

    /// A letter for whoever's licenses an act extends, in the words of this template, or of the one for all of them.
    pub(super) async fn renewal_letter(&self, named: Option<&str>, order: Option<&str>) -> Result<RenewalLetter, StoreError> {
        let fits = |name: &&str| matches!(LetterKind::of(name), LetterKind::Order | LetterKind::Renewal);
        let template = self.template_of(&[named.filter(fits).unwrap_or(RENEWED), RENEWED]).await?;
        Ok(RenewalLetter { desk: self.clone(), template, order: order.unwrap_or_default().to_owned() })
    }

    /// The letter with the keys of an address.
    pub(super) async fn requested_letter<'a>(
        &self,
        to: &Email,
        (name, company): &(String, String),
        found: impl Iterator<Item = &'a (License, Product)>,
        now: Timestamp,
    ) -> Result<NewMessage, StoreError> {
        let mut listed = String::new();
        for (license, product) in found {
            let key = license.key.as_ref().map(ActivationKey::text).unwrap_or_default();
            let ends = match license.terms.expiry.instant(license.first_activated) {
                Some(end) if end <= now => format!(" (expired on {})", end.plus_seconds(-1).date()),
                Some(end) => format!(" (good through {})", end.plus_seconds(-1).date()),
                None => String::new(),
            };
            listed.push_str(&format!("{}{ends}\n    {key}\n\n", product.name));
        }
        let settings = self.settings();
        let text = format!(
            "These activation keys belong to your address:\n\n{listed}Activate a computer with one of them: {}\n{}\n\
             If you did not ask for this, somebody typed your address; nobody but you was told anything.\n",
            self.page("/activate"),
            questions(&settings)
        );
        let about = [
            ("ActivationKey", listed.trim_end().to_owned()),
            ("FullName", name.clone()),
            ("Company", company.clone()),
            ("Email", to.to_string()),
        ];
        let template = self.template_of(&[REQUESTED]).await?;
        let (subject, text) = self.worded(template.as_ref(), &about, (format!("Your keys from {}", settings.portal_name), text));
        let outgoing = Outgoing { kind: "keys", subject: &subject, text: &text, over: None, keeps_text: false };
        Ok(self.letter(to, &outgoing))
    }

    /// The first of these templates that is there.
    pub(super) async fn template_of(&self, names: &[&str]) -> Result<Option<Template>, StoreError> {
        let mut conn = self.read().await?;
        for name in names {
            if let Some(template) = conn.template(name).await? {
                return Ok(Some(template));
            }
        }
        Ok(None)
    }

    /// A letter about this in a template's words, else in ours.
    pub(super) fn worded(
        &self,
        template: Option<&Template>,
        about: &[(&str, String)],
        ours: (String, String),
    ) -> (String, String) {
        let Some(template) = template else { return ours };
        let settings = self.settings();
        let mut values: Vec<(&str, &str)> = about.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let activate = self.page("/activate");
        values.extend([
            ("PortalName", settings.portal_name.as_str()),
            ("ActivationUrl", &activate),
            ("SupportAddress", settings.support.as_deref().unwrap_or_default()),
        ]);
        template.letter(&values)
    }

    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.trim_end_matches('/'))
    }
}

impl RenewalLetter {
    /// Writes to whoever has these licenses, each once. Those of nobody are passed over.
    pub async fn write(&self, conn: &mut Conn, renewed: &[LicenseId], now: Timestamp) -> Result<(), StoreError> {
        let mut letters: Vec<(Customer, Vec<(License, Product)>)> = Vec::new();
        for id in renewed {
            let Some((license, product, _)) = conn.license(*id).await? else { continue };
            let Some(customer) = license.customer.filter(|_| matches!(license.state, LicenseState::Enabled)) else { continue };
            if let Some((_, theirs)) = letters.iter_mut().find(|(known, _)| known.id == customer) {
                theirs.push((license, product));
            } else if let Some(customer) = conn.customer(customer).await? {
                letters.push((customer, vec![(license, product)]));
            }
        }
        for (customer, theirs) in &letters {
            conn.add_message(&self.to(customer, theirs), now).await?;
        }
        Ok(())
    }

    fn to(&self, customer: &Customer, theirs: &[(License, Product)]) -> NewMessage {
        let settings = self.desk.settings();
        let end = |license: &License| license.terms.expiry.instant(license.first_activated).map(|end| end.plus_seconds(-1));
        let (mut names, mut ends, mut keys, mut listed) = (Vec::new(), Vec::new(), Vec::new(), String::new());
        for (license, product) in theirs {
            let key = license.key.as_ref().map(ActivationKey::text).unwrap_or_default();
            let last = end(license).map(|end| settings.qlm.orders.dates.write(end)).unwrap_or_default();
            let through = end(license).map(|end| format!(" is good through {}", end.date())).unwrap_or_default();
            listed.push_str(&format!("{}{through}.\n    {key}\n\n", product.name));
            keys.push(key);
            for (all, one) in [(&mut names, product.name.clone()), (&mut ends, last)] {
                if !all.contains(&one) {
                    all.push(one);
                }
            }
        }
        let name = names.join(", ");
        let stays = if theirs.len() == 1 { "The activation key stays the same" } else { "The activation keys stay the same" };
        let offline = self.desk.page("/offline");
        let text = format!(
            "Thank you for renewing.\n\n{listed}{stays}, and apps learn of the new date when they next ask. For a computer without network, \
             fetch its license again: {offline}\n{}",
            questions(&settings)
        );
        let about = [
            ("ActivationKey", lines(keys.into_iter())),
            ("ProductName", name.clone()),
            ("ExpiryDate", ends.join(", ")),
            ("OrderID", self.order.clone()),
            ("FullName", customer.name.clone()),
            ("Company", customer.company.clone()),
            ("Email", customer.email.to_string()),
        ];
        let ours = (format!("Your license of {name} was renewed"), text);
        let (subject, text) = self.desk.worded(self.template.as_ref(), &about, ours);
        let outgoing = Outgoing { kind: "renewed", subject: &subject, text: &text, over: None, keeps_text: true };
        self.desk.letter(&customer.email, &outgoing)
    }
}

fn lines(keys: impl Iterator<Item = String>) -> String {
    keys.collect::<Vec<_>>().join("\n")
}

fn questions(settings: &Settings) -> String {
    settings.support.as_ref().map(|support| format!("Questions? Write to {support}.\n")).unwrap_or_default()
}
