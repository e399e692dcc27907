//! How an extension is set up: its keys, its secret address, and how its words are read.

use super::{shop_map, signs};
use crate::{
    desk::{ActError, Area, Desk, Level, Visitor},
    licensing::{shops::ShopMap, text::is_hidden},
    store::{Extension, NewAudit, Subject},
    vault::{Purpose, Subject as Secret, Token},
};

/// An extension as staff sees it.
#[derive(Clone)]
pub struct ExtensionView {
    pub extension: Extension,
    /// How its words are read now.
    pub map: String,
    /// The vendor has changed it.
    pub own_map: bool,
    /// Its shop signs what it sends.
    pub signs: bool,
}

/// What changes of an extension; none stays.
#[derive(Clone, Default)]
pub struct ExtensionEdit {
    pub password: Option<String>,
    pub api_key: Option<String>,
    pub shared_key: Option<String>,
    /// Empty: as its class is from the start.
    pub map: Option<String>,
    /// The reseller it calls for; empty: the vendor.
    pub affiliate: Option<String>,
}

impl Desk {
    /// An extension by its name. Refuses one that is not there.
    pub async fn extension_view(&self, visitor: &Visitor, name: &str) -> Result<ExtensionView, ActError> {
        visitor.needs(Area::Settings, Level::Read)?;
        let extension = self.read().await?.extension(name).await?.ok_or(ActError::NotFound)?;
        let map = shop_map(&extension);
        Ok(ExtensionView { map: map.text(), own_map: extension.map.is_some(), signs: signs(&map), extension })
    }

    /// Changes an extension's keys and its map. Refuses a short password and a map that is none.
    pub async fn edit_extension(&self, visitor: &Visitor, name: &str, edit: ExtensionEdit) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let extension = self.read().await?.extension(name).await?.ok_or(ActError::NotFound)?;
        if edit.password.as_ref().is_some_and(|password| password.chars().count() < crate::desk::qlm::PASSWORD_LEAST) {
            return Err(ActError::field("password", "A password has at least 12 characters: whoever guesses it makes keys."));
        }
        let affiliate = edit.affiliate.map(|text| text.trim().to_owned());
        if affiliate.as_ref().is_some_and(|text| text.chars().count() > 128 || text.chars().any(is_hidden)) {
            return Err(ActError::field("affiliate", "A reseller’s name has up to 128 characters, all of them visible."));
        }
        let map = match edit.map.as_deref().map(str::trim) {
            None => None,
            Some("") => Some(None),
            Some(text) => {
                let map = ShopMap::parse(text).map_err(|error| ActError::field("map", error.to_string()))?;
                // What it is from the start is not kept: it may become better.
                Some(Some(map.text()).filter(|_| map != crate::licensing::shops::default_map(&extension.class)))
            }
        };
        // A key is shown to the shop it was typed for, and to no other.
        let fetches = |map: &ShopMap| map.fetch.split('/').nth(2).map(str::to_owned);
        let next = map.as_ref().map(|map| map.as_deref().and_then(ShopMap::kept));
        if let Some(next) = next
            && extension.api_key.is_some()
            && edit.api_key.is_none()
        {
            let next = next.unwrap_or_else(|| crate::licensing::shops::default_map(&extension.class));
            if !next.fetch.is_empty() && fetches(&next) != fetches(&shop_map(&extension)) {
                let message =
                    "This map asks another host, and the API key is for the one before. Type the key for this one first.";
                return Err(ActError::field("map", message));
            }
        }
        let seal = |what: &str, secret: &Option<String>| {
            let subject = format!("{}/{what}", extension.name.to_lowercase());
            secret
                .as_ref()
                .map(|secret| self.vault.encrypt_secret(Purpose::EXTENSION_KEY, Secret::named(&subject), secret.as_bytes()))
        };
        let mark = edit.password.as_ref().map(|password| self.password_mark(&extension.name, password));
        let (api, shared) = (seal("api", &edit.api_key), seal("shared", &edit.shared_key));
        let after = serde_json::json!({
            "password": mark.is_some(), "api_key": api.is_some(), "shared_key": shared.is_some(), "map": map.is_some(),
            "affiliate": affiliate,
        });
        let (now, actor, id) = (self.now(), visitor.actor(), extension.id);
        let done = self.store.write(move |conn| {
            let (actor, after, map) = (actor.clone(), after.clone(), map.clone());
            let affiliate = affiliate.clone();
            let (mark, api, shared) = (mark.clone(), api.clone(), shared.clone());
            Box::pin(async move {
                conn.set_extension_secrets(id, mark.as_deref(), api.as_deref(), shared.as_deref()).await?;
                if let Some(map) = map {
                    conn.set_map(id, map.as_deref()).await?;
                }
                if let Some(affiliate) = &affiliate {
                    conn.set_extension_affiliate(id, affiliate).await?;
                }
                let subject = Subject::of("extension", id);
                let entry = NewAudit { at: now, subject, act: "extension.edited", actor, before: None, after: Some(after) };
                conn.audit_apart(&entry).await
            })
        });
        Ok(done.await?)
    }

    /// Gives an extension a new secret address, and tells its secret part; the one before is nobody's any more.
    pub async fn new_shop_address(&self, visitor: &Visitor, name: &str) -> Result<Token, ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let extension = self.read().await?.extension(name).await?.ok_or(ActError::NotFound)?;
        let token = Token::random();
        let (now, actor, id, mark) = (self.now(), visitor.actor(), extension.id, token.hash().0);
        let done = self.store.write(move |conn| {
            let actor = actor.clone();
            Box::pin(async move {
                conn.set_hook(id, Some(&mark)).await?;
                let subject = Subject::of("extension", id);
                let entry = NewAudit { at: now, subject, act: "extension.address", actor, before: None, after: None };
                conn.audit_apart(&entry).await
            })
        });
        done.await?;
        Ok(token)
    }
}
