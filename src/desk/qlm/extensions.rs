//! Extensions: who may call, and with which credentials.

use crate::{
    desk::{ActError, Area, Desk, Level, Visitor},
    store::{Extension, NewAudit, NewExtension as NewRow, Subject},
    vault::{Purpose, Subject as Secret},
};

/// The kinds of shops and sites there are: how each names what it sends, and how it is answered; with what people call them.
pub const CLASSES: [(&str, &str); 24] = [
    ("qlmauthenticationprovider", "A site or system of your own"),
    ("avangate", "2Checkout (Avangate)"),
    ("bluesnap", "BlueSnap"),
    ("chargify", "Chargify"),
    ("cleverbridge", "Cleverbridge"),
    ("digibuy", "digibuy"),
    ("fastspring", "FastSpring"),
    ("gumroad", "Gumroad"),
    ("lemonsqueezy", "Lemon Squeezy"),
    ("magento", "Magento"),
    ("paddle", "Paddle"),
    ("paymotion", "PayMotion"),
    ("paypal", "PayPal"),
    ("plimus", "Plimus"),
    ("quickbooks", "QuickBooks"),
    ("regnow", "RegNow"),
    ("salesforce", "Salesforce"),
    ("shareit", "ShareIt, MyCommerce"),
    ("shopify", "Shopify"),
    ("stripe", "Stripe"),
    ("swreg", "SWREG"),
    ("ultracart", "UltraCart"),
    ("woocommerce", "WooCommerce"),
    ("zapier", "Zapier"),
];

/// What people call a kind.
#[must_use]
pub fn class_label(class: &str) -> &str {
    CLASSES.iter().find(|(known, _)| *known == class).map_or(class, |(_, label)| label)
}

/// The least a password has, in characters: it stands in addresses, and guessing it makes keys.
pub(in crate::desk) const PASSWORD_LEAST: usize = 12;

/// An extension to be added.
#[derive(Clone)]
pub struct NewExtension {
    pub name: String,
    pub class: String,
    pub user: String,
    pub password: Option<String>,
    pub api_key: Option<String>,
    pub shared_key: Option<String>,
}

impl Desk {
    /// Adds an extension. Refuses a name that is taken, a kind that is not known, and a short password.
    pub async fn add_extension(&self, visitor: &Visitor, new: NewExtension) -> Result<i64, ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let name = new.name.trim().to_owned();
        crate::desk::products::check_name(&name)?;
        // Whose licenses are told apart by these names already.
        if ["manual", "trial", "qlm"].contains(&name.to_lowercase().as_str()) {
            return Err(ActError::field("name", "This name stands for what staff issues. Choose another."));
        }
        let class = new.class.to_ascii_lowercase();
        if !CLASSES.iter().any(|(known, _)| *known == class) {
            let known = CLASSES.map(|(class, _)| class).join(", ");
            return Err(ActError::field("class", format!("There is no such kind of extension. The kinds are {known}.")));
        }
        if new.password.as_ref().is_some_and(|password| password.chars().count() < PASSWORD_LEAST) {
            return Err(ActError::field("password", "A password has at least 12 characters: whoever guesses it makes keys."));
        }
        let seal = |what: &str, secret: &Option<String>| {
            let subject = format!("{}/{what}", name.to_lowercase());
            secret
                .as_ref()
                .map(|secret| self.vault.encrypt_secret(Purpose::EXTENSION_KEY, Secret::named(&subject), secret.as_bytes()))
        };
        let row = NewRow {
            name: name.clone(),
            class,
            user: new.user.trim().to_owned(),
            password_mark: new.password.as_ref().map(|password| self.password_mark(&name, password)),
            api_key: seal("api", &new.api_key),
            shared_key: seal("shared", &new.shared_key),
        };
        let (now, actor) = (self.now(), visitor.actor());
        let added = self.store.write(move |conn| {
            let (row, actor) = (row.clone(), actor.clone());
            Box::pin(async move {
                let Some(id) = conn.add_extension(&row, now).await? else { return Ok(None) };
                let after = serde_json::json!({
                    "name": row.name, "class": row.class, "has_password": row.password_mark.is_some(),
                });
                let (subject, act) = (Subject::of("extension", id), "extension.added");
                conn.audit_apart(&NewAudit { at: now, subject, act, actor, before: None, after: Some(after) }).await?;
                Ok(Some(id))
            })
        });
        added.await?.ok_or(ActError::Taken("name"))
    }

    pub async fn extensions(&self, visitor: &Visitor) -> Result<Vec<Extension>, ActError> {
        visitor.needs(Area::Settings, Level::Read)?;
        Ok(self.read().await?.extensions().await?)
    }

    /// Switches an extension on or off. Refuses one that is not there.
    pub async fn switch_extension(&self, visitor: &Visitor, name: &str, on: bool) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let (now, actor, name) = (self.now(), visitor.actor(), name.to_owned());
        let done = self.store.write(move |conn| {
            let (actor, name) = (actor.clone(), name.clone());
            Box::pin(async move {
                let Some(extension) = conn.extension(&name).await? else { return Ok(false) };
                conn.switch_extension(&name, on).await?;
                let subject = Subject::of("extension", extension.id);
                let told = |on: bool| Some(serde_json::json!({ "enabled": on }));
                let act = if on { "extension.enabled" } else { "extension.disabled" };
                conn.audit_apart(&NewAudit { at: now, subject, act, actor, before: told(extension.enabled), after: told(on) })
                    .await?;
                Ok(true)
            })
        });
        if done.await? { Ok(()) } else { Err(ActError::NotFound) }
    }

    /// What is kept of a password: HMAC-SHA-256 under a key of the vault, over the extension's name and the password. Calls carry the
    /// password each time, so a slow hash would be what limits them.
    pub(in crate::desk) fn password_mark(&self, name: &str, password: &str) -> Vec<u8> {
        let text = format!("{}\n{password}", name.to_lowercase());
        self.vault.token_key(Purpose::EXTENSION_PASSWORD).token_for(text.as_bytes()).hash().0.to_vec()
    }
}
