//! OAuth clients: who gets a token for a secret, and what a token is worth. A token says which client and which secret of it, under a
//! key of this installation; it ends with the secret, and with the client.

use serde::{Deserialize, Serialize};

use super::{App, api_keys::forty_symbols};
use crate::{
    desk::{ActError, Area, Desk, Fault, Level, Visitor},
    licensing::{Timestamp, files::base64, scope::Scope},
    store::{NewAudit, OauthClient, OauthSecret, Subject},
    vault::{Purpose, SecretBytes, Subject as Secret, Token},
};

/// How long a token is good: long enough for a run of calls, short enough for one that was lost.
pub const TOKEN_SECONDS: i64 = 480;
/// How long the secret before a new one is good, unless it is said otherwise.
pub const GRACE_HOURS: u32 = 72;

/// A new client, or a new secret of one. The secret is shown here once.
#[derive(Clone)]
pub struct MadeClient {
    pub id: i64,
    pub client_id: String,
    pub client_secret: String,
    pub expires: Option<Timestamp>,
}

impl std::fmt::Debug for MadeClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MadeClient(…)")
    }
}

/// A client as lists show it.
#[derive(Clone)]
pub struct OauthRow {
    pub client: OauthClient,
    /// The end of its newest secret.
    pub secret_ends: Option<Timestamp>,
    /// The address of the customer, or the name of the account, that it is held to.
    pub customer: Option<String>,
}

/// Why a bearer token is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    #[error("oauth_token_malformed")]
    Malformed,
    #[error("oauth_token_expired")]
    Expired,
    /// The client was revoked, or its secret replaced: a new token takes a secret that is good.
    #[error("invalid_client")]
    ClientGone,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    client: String,
    secret: i64,
    until: Timestamp,
}

impl Desk {
    /// Adds a client with a secret. Refuses a customer or license that is not there, and a second client for one: it is given a new
    /// secret instead.
    pub async fn add_oauth_client(
        &self,
        visitor: &Visitor,
        name: &str,
        scope: Scope,
        secret_days: Option<u32>,
    ) -> Result<MadeClient, ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        if name.trim().is_empty() || name.chars().count() > 128 || name.chars().any(crate::licensing::text::is_hidden) {
            return Err(ActError::field("name", "A name has 1 to 128 characters, all of them visible."));
        }
        let name = name.trim().to_owned();
        let (now, actor) = (self.now(), visitor.actor());
        // A company's clients are told apart by the moment they were made.
        let client_id = scope.client_id(now.millis());
        let client_secret = forty_symbols();
        let sealed = self.vault.encrypt_secret(Purpose::CLIENT_SECRET, Secret::named(&client_id), client_secret.as_bytes());
        let expires = secret_days.map(|days| now.plus_days(i64::from(days)));
        let named = client_id.clone();
        let made = self.store.write(move |conn| {
            let (name, client_id, sealed, actor) = (name.clone(), named.clone(), sealed.clone(), actor.clone());
            Box::pin(async move {
                let there = match scope {
                    Scope::Company => true,
                    Scope::Account(id) => conn.account_by_id(id).await?.is_some(),
                    Scope::Customer(id) => conn.customer(id).await?.is_some(),
                    Scope::License(id) => conn.license(id).await?.is_some(),
                };
                if !there {
                    return Ok(Err(ActError::NotFound));
                }
                let Some(id) = conn.add_oauth_client(&name, &client_id, scope, now).await? else {
                    return Ok(Err(ActError::Taken("client")));
                };
                conn.add_oauth_secret(id, &sealed, expires, now, now).await?;
                let after =
                    serde_json::json!({ "name": name, "client_id": client_id, "scope": scope.as_str(), "of": scope.id() });
                let subject = Subject::of("oauth_client", id);
                let act = "oauth_client.added";
                conn.audit_apart(&NewAudit { at: now, subject, act, actor, before: None, after: Some(after) }).await?;
                Ok(Ok(id))
            })
        });
        let id = made.await??;
        Ok(MadeClient { id, client_id, client_secret, expires })
    }

    /// Gives a client a new secret; the one before is good for so many hours more.
    pub async fn rotate_oauth_secret(
        &self,
        visitor: &Visitor,
        id: i64,
        grace_hours: u32,
        secret_days: Option<u32>,
    ) -> Result<MadeClient, ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let client = self.read().await?.oauth_clients().await?.into_iter().find(|client| client.id == id);
        let client = client.filter(|client| client.revoked.is_none()).ok_or(ActError::NotFound)?;
        let (now, actor) = (self.now(), visitor.actor());
        let client_secret = forty_symbols();
        let sealed =
            self.vault.encrypt_secret(Purpose::CLIENT_SECRET, Secret::named(&client.client_id), client_secret.as_bytes());
        let expires = secret_days.map(|days| now.plus_days(i64::from(days)));
        let others_end = now.plus_hours(i64::from(grace_hours));
        self.store
            .write(move |conn| {
                let (sealed, actor) = (sealed.clone(), actor.clone());
                Box::pin(async move {
                    conn.add_oauth_secret(id, &sealed, expires, others_end, now).await?;
                    let after = serde_json::json!({
                        "others_end": others_end.to_rfc3339(), "expires": expires.map(Timestamp::to_rfc3339),
                    });
                    let subject = Subject::of("oauth_client", id);
                    let act = "oauth_client.rotated";
                    conn.audit_apart(&NewAudit { at: now, subject, act, actor, before: None, after: Some(after) }).await
                })
            })
            .await?;
        Ok(MadeClient { id, client_id: client.client_id, client_secret, expires })
    }

    pub async fn oauth_clients(&self, visitor: &Visitor) -> Result<Vec<OauthRow>, ActError> {
        visitor.needs(Area::Settings, Level::Read)?;
        let mut conn = self.read().await?;
        let mut all = Vec::new();
        for client in conn.oauth_clients().await? {
            let newest = conn.oauth_secrets(client.id).await?.into_iter().next();
            let customer = match client.scope {
                Scope::Customer(id) => conn.customer(id).await?.map(|customer| customer.email.to_string()),
                Scope::Account(id) => conn.account_by_id(id).await?.map(|account| account.name),
                Scope::Company | Scope::License(_) => None,
            };
            all.push(OauthRow { client, secret_ends: newest.and_then(|secret| secret.expires), customer });
        }
        Ok(all)
    }

    pub async fn revoke_oauth_client(&self, visitor: &Visitor, id: i64) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let (now, actor) = (self.now(), visitor.actor());
        let revoked = self
            .store
            .write(move |conn| {
                let actor = actor.clone();
                Box::pin(async move {
                    if !conn.revoke_oauth_client(id, now).await? {
                        return Ok(false);
                    }
                    let subject = Subject::of("oauth_client", id);
                    let act = "oauth_client.revoked";
                    conn.audit_apart(&NewAudit { at: now, subject, act, actor, before: None, after: None }).await?;
                    Ok(true)
                })
            })
            .await?;
        if revoked { Ok(()) } else { Err(ActError::NotFound) }
    }

    /// A token for a client that shows its secret; none where it does not.
    pub async fn oauth_token(&self, client_id: &str, client_secret: &str) -> Result<Option<String>, Fault> {
        let Some((client, secrets)) = self.client_secrets(client_id).await? else { return Ok(None) };
        let shown = blind(client_secret.as_bytes());
        let right = secrets.iter().find(|(_, secret)| blind(secret.as_slice()) == shown);
        let Some((secret, _)) = right else { return Ok(None) };
        let until = self.now().plus_seconds(TOKEN_SECONDS);
        let claims = Claims { client: client.client_id, secret: secret.id, until };
        let claims = base64::url(serde_json::to_string(&claims).expect("claims are plain data").as_bytes());
        let mac = self.vault.token_key(Purpose::CLIENT_TOKEN).token_for(claims.as_bytes());
        Ok(Some(format!("{claims}.{}", mac.text())))
    }

    /// The app that shows a token.
    pub async fn app_with_token(&self, token: &str) -> Result<Result<App, TokenRefusal>, Fault> {
        let Some(claims) = self.read_token(token) else { return Ok(Err(TokenRefusal::Malformed)) };
        if claims.until <= self.now() {
            return Ok(Err(TokenRefusal::Expired));
        }
        let Some((client, secrets)) = self.client_secrets(&claims.client).await? else {
            return Ok(Err(TokenRefusal::ClientGone));
        };
        if !secrets.iter().any(|(secret, _)| secret.id == claims.secret) {
            return Ok(Err(TokenRefusal::ClientGone));
        }
        Ok(Ok(App::from(client)))
    }

    fn read_token(&self, token: &str) -> Option<Claims> {
        let (claims, mac) = token.split_once('.')?;
        let expected = self.vault.token_key(Purpose::CLIENT_TOKEN).token_for(claims.as_bytes());
        if Token::parse(mac)?.hash() != expected.hash() {
            return None;
        }
        serde_json::from_slice(&base64::from_url(claims).ok()?).ok()
    }

    /// A client that is not revoked, with those of its secrets that are good now.
    pub(in crate::desk) async fn client_secrets(
        &self,
        client_id: &str,
    ) -> Result<Option<(OauthClient, Vec<(OauthSecret, SecretBytes)>)>, Fault> {
        let mut conn = self.read().await?;
        let Some(client) = conn.oauth_client(client_id).await?.filter(|client| client.revoked.is_none()) else { return Ok(None) };
        let now = self.now();
        let mut secrets = Vec::new();
        for secret in conn.oauth_secrets(client.id).await? {
            if secret.is_live(now) {
                let subject = Secret::named(&client.client_id);
                let open = self.vault.decrypt_secret(Purpose::CLIENT_SECRET, subject, &secret.secret)?;
                secrets.push((secret, open));
            }
        }
        Ok(Some((client, secrets)))
    }
}

/// What is compared in place of a secret: how far two hashes agree tells nothing of it.
fn blind(secret: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(secret).into()
}
