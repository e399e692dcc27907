//! LicenseSpring credentials: an API key that names an app, and the shared key that ships in it.

use crate::{
    desk::{ActError, Area, Desk, Level, Visitor},
    store::{ApiKey, NewApiKey, NewAudit, Subject},
    vault::{Purpose, Subject as Secret, random_bytes},
};

/// New credentials. The shared key is shown here once.
#[derive(Clone)]
pub struct MadeApiKey {
    pub id: i64,
    pub api_key: String,
    pub shared_key: String,
}

impl std::fmt::Debug for MadeApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MadeApiKey(…)")
    }
}

impl Desk {
    /// Adds credentials, made here or brought along from LicenseSpring. Refuses an API key that exists.
    pub async fn add_api_key(
        &self,
        visitor: &Visitor,
        name: &str,
        products: Option<Vec<String>>,
        read_only: bool,
        given: Option<(String, String)>,
    ) -> Result<MadeApiKey, ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        if name.trim().is_empty() || name.chars().count() > 128 || name.chars().any(crate::licensing::text::is_hidden) {
            return Err(ActError::field("name", "A name has 1 to 128 characters, all of them visible."));
        }
        let (api_key, shared_key) = given.unwrap_or_else(|| (crate::desk::files::new_uuid(), forty_symbols()));
        if api_key.is_empty() || api_key.chars().count() > 128 || shared_key.len() < 16 {
            return Err(ActError::field("api_key", "An API key has 1 to 128 characters, a shared key at least 16."));
        }
        let new = NewApiKey {
            name: name.trim().to_owned(),
            shared_key: self.vault.encrypt_secret(Purpose::SHARED_KEY, Secret::named(&api_key), shared_key.as_bytes()),
            api_key: api_key.clone(),
            products,
            read_only,
        };
        let (now, actor) = (self.now(), visitor.actor());
        let id = self
            .store
            .write(move |conn| {
                let (new, actor) = (new.clone(), actor.clone());
                Box::pin(async move {
                    let Some(id) = conn.add_api_key(&new, now).await? else { return Ok(None) };
                    let after =
                        Some(serde_json::json!({ "name": new.name, "products": new.products, "read_only": new.read_only }));
                    let subject = Subject::of("api_key", id);
                    conn.audit_apart(&NewAudit { at: now, subject, act: "api_key.added", actor, before: None, after }).await?;
                    Ok(Some(id))
                })
            })
            .await?;
        let id = id.ok_or(ActError::Taken("API key"))?;
        Ok(MadeApiKey { id, api_key, shared_key })
    }

    pub async fn api_keys(&self, visitor: &Visitor) -> Result<Vec<ApiKey>, ActError> {
        visitor.needs(Area::Settings, Level::Read)?;
        Ok(self.read().await?.api_keys().await?)
    }

    pub async fn revoke_api_key(&self, visitor: &Visitor, id: i64) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let (now, actor) = (self.now(), visitor.actor());
        let revoked = self
            .store
            .write(move |conn| {
                let actor = actor.clone();
                Box::pin(async move {
                    if !conn.revoke_api_key(id, now).await? {
                        return Ok(false);
                    }
                    let subject = Subject::of("api_key", id);
                    conn.audit_apart(&NewAudit { at: now, subject, act: "api_key.revoked", actor, before: None, after: None })
                        .await?;
                    Ok(true)
                })
            })
            .await?;
        if revoked { Ok(()) } else { Err(ActError::NotFound) }
    }
}

/// 40 letters and digits: 238 bits, in the shape LicenseSpring's are.
pub(super) fn forty_symbols() -> String {
    const SYMBOLS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(40);
    while text.len() < 40 {
        // 248 is the largest multiple of 62 in a byte: beyond it the draw is thrown away, so that each symbol is as likely.
        text.extend(
            random_bytes::<64>().into_iter().filter(|byte| *byte < 248).map(|byte| char::from(SYMBOLS[usize::from(byte) % 62])),
        );
    }
    text.truncate(40);
    text
}
