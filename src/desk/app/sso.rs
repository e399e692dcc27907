//! Single sign-on: where the people of an account sign in, and whose licenses their provider's word opens (OpenID Connect Core 1.0).
//! What a provider says of itself is fetched when it is first needed, and kept.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use super::{App, AppAsk, AppRefusal, Principal, sold, users::address};
use crate::{
    desk::{Desk, Fault},
    licensing::{AccountId, Email, ProductCode, Timestamp, sso::TokenFault},
    outbound::OutboundError,
    store::{Account, SsoRow},
    vault::{IdTokenError, ProviderKeys, Purpose, Subject, Token},
};

/// What a provider says of itself is asked again after this, in seconds.
const FRESH: i64 = 3_600;

/// Where it cannot be asked, what it said before counts for so long, in seconds.
const STALE: i64 = 24 * FRESH;

/// A token signed by a key that is not known has the keys fetched again, but not twice within this, in seconds; nor is a provider asked
/// again that did not answer, where it has answered before.
const AGAIN: i64 = 60;

/// One that never answered is asked again after this, in seconds.
const SOON: i64 = 5;

/// A sign-in that began longer ago is over, in seconds: an hour more than any token is believed.
const NONCE: i64 = 25 * FRESH;

/// So far may the clocks of two servers be apart, in seconds.
const LEEWAY: i64 = 60;

/// What somebody shows who has signed in.
#[derive(Clone)]
pub enum SsoProof {
    /// The provider's ID token.
    Token(String),
    /// A code that the provider gives a token for, once.
    Code { code: String, redirect_uri: Option<String> },
}

/// Where somebody signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoStart {
    pub url: String,
    pub issuer: String,
    pub end_session_endpoint: String,
    pub token_endpoint: String,
    pub introspection_endpoint: String,
}

/// What providers have said of themselves, by issuer.
#[derive(Clone, Default)]
pub(in crate::desk) struct Providers(Arc<Mutex<HashMap<String, Arc<Provider>>>>);

/// As many are kept.
const KEPT: usize = 256;

#[derive(Default)]
struct Provider {
    said: Mutex<Said>,
    /// One asks, the others wait for what it hears.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct Said {
    known: Option<Arc<Known>>,
    /// Why it said nothing when it was asked last, and when that was.
    failed: Option<(Timestamp, OutboundError)>,
}

/// A provider's own description (OpenID Connect Discovery 1.0 §3) and its keys.
pub(in crate::desk) struct Known {
    fetched: Timestamp,
    authorization_endpoint: String,
    token_endpoint: String,
    end_session_endpoint: String,
    introspection_endpoint: String,
    keys: ProviderKeys,
}

impl Providers {
    fn of(&self, issuer: &str) -> Arc<Provider> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT && !all.contains_key(issuer) {
            all.clear();
        }
        all.entry(issuer.to_owned()).or_default().clone()
    }
}

impl Provider {
    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Said {
    /// What counts without asking: what is younger than `age` seconds, or, where it was asked in vain a moment ago, what it said before.
    fn without_asking(&self, age: i64, now: Timestamp) -> Option<Result<Arc<Known>, OutboundError>> {
        let old = |at: Timestamp| now.seconds() - at.seconds();
        if let Some(known) = self.known.as_ref().filter(|known| old(known.fetched) < age) {
            return Some(Ok(known.clone()));
        }
        let (failed, error) = self.failed.as_ref()?;
        match self.known.as_ref().filter(|known| old(known.fetched) < STALE) {
            Some(known) if old(*failed) < AGAIN => Some(Ok(known.clone())),
            None if old(*failed) < SOON => Some(Err(error.clone())),
            _ => None,
        }
    }
}

impl Desk {
    /// Where the people of an account sign in for a product, to come back with a token or with a code.
    pub async fn sso_url_app(
        &self,
        app: &App,
        product: &ProductCode,
        account: &str,
        with_code: bool,
        redirect_uri: Option<&str>,
    ) -> Result<Result<SsoStart, AppRefusal>, Fault> {
        if let Err(refusal) = app.may(product, false) {
            return Ok(Err(refusal));
        }
        let product = self.read().await?.product(product).await?;
        if let Err(refusal) = sold(product) {
            return Ok(Err(refusal));
        }
        let (account, SsoRow { provider, .. }) = match self.account_with_sso(app, account).await? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(back) = provider.leads_back(redirect_uri) else { return Ok(Err(AppRefusal::RedirectUri)) };
        let known = match self.provider_named(&provider.issuer, None).await {
            Ok(known) => known,
            Err(error) => return Ok(Err(error.into())),
        };
        let fields = [
            ("response_type", if with_code { "code" } else { "id_token" }),
            ("client_id", &provider.client_id),
            ("redirect_uri", &back),
            ("scope", "openid email"),
            ("nonce", &self.nonce(account.id)),
            // Nobody here asks for it again, but some providers insist.
            ("state", &Token::random().text()),
        ];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let join = if known.authorization_endpoint.contains('?') { '&' } else { '?' };
        Ok(Ok(SsoStart {
            url: format!("{}{join}{query}", known.authorization_endpoint),
            issuer: provider.issuer,
            end_session_endpoint: known.end_session_endpoint.clone(),
            token_endpoint: known.token_endpoint.clone(),
            introspection_endpoint: known.introspection_endpoint.clone(),
        }))
    }

    /// A call as it counts: one by a sign-in becomes one of whom the provider names.
    pub(super) async fn identified(&self, app: &App, ask: AppAsk) -> Result<Result<AppAsk, AppRefusal>, Fault> {
        let Principal::Sso { account, name, proof } = &ask.principal else { return Ok(Ok(ask)) };
        let proven = self.proven(app, account, name.as_deref(), proof).await?;
        Ok(proven.map(|(email, account)| AppAsk { principal: Principal::Proven { email, account }, ..ask }))
    }

    /// The same of a call that names a bundle: whether the app may ask for its products is found out for each.
    pub(super) async fn identified_in_bundle(&self, app: &App, ask: AppAsk) -> Result<Result<AppAsk, AppRefusal>, Fault> {
        if matches!(ask.principal, Principal::Sso { .. }) && self.read().await?.bundle(&ask.product).await?.is_none() {
            return Ok(Err(AppRefusal::UnknownProduct));
        }
        self.identified(app, ask).await
    }

    /// Whose sign-in it was. Refuses another name beside it than the provider's.
    pub(super) async fn proven(
        &self,
        app: &App,
        account: &str,
        name: Option<&str>,
        proof: &SsoProof,
    ) -> Result<Result<(Email, AccountId), AppRefusal>, Fault> {
        let (account, sso) = match self.account_with_sso(app, account).await? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let token = match proof {
            SsoProof::Token(token) => token.clone(),
            SsoProof::Code { code, redirect_uri } => match self.token_for(&account, &sso, code, redirect_uri.as_deref()).await? {
                Ok(token) => token,
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        let email = match self.whose(&account, &sso, &token).await {
            Ok(email) => email,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if name.is_some_and(|name| address(name).is_none_or(|name| name.folded() != email.folded())) {
            return Ok(Err(AppRefusal::UserCredentials));
        }
        Ok(Ok((email, account.id)))
    }

    async fn account_with_sso(&self, app: &App, code: &str) -> Result<Result<(Account, SsoRow), AppRefusal>, Fault> {
        let Ok(code) = ProductCode::parse(code) else { return Ok(Err(AppRefusal::NoAccount)) };
        let mut conn = self.read().await?;
        let Some(account) = conn.account(&code).await? else { return Ok(Err(AppRefusal::NoAccount)) };
        if !app.is_for(account.id) {
            return Ok(Err(AppRefusal::OtherAccount));
        }
        Ok(conn.sso(account.id).await?.map(|sso| (account, sso)).ok_or(AppRefusal::SsoNotEnabled))
    }

    /// The token that a provider gives for a code (§3.1.3).
    async fn token_for(
        &self,
        account: &Account,
        sso: &SsoRow,
        code: &str,
        redirect_uri: Option<&str>,
    ) -> Result<Result<String, AppRefusal>, Fault> {
        let provider = &sso.provider;
        let Some(back) = provider.leads_back(redirect_uri) else { return Ok(Err(AppRefusal::RedirectUri)) };
        let known = match self.provider_named(&provider.issuer, None).await {
            Ok(known) => known,
            Err(error) => return Ok(Err(error.into())),
        };
        let secret = match &sso.client_secret {
            Some(sealed) => {
                let secret = self.vault.decrypt_secret(Purpose::SSO_SECRET, Subject::named(&account.id.to_string()), sealed)?;
                Some(String::from_utf8_lossy(secret.as_slice()).into_owned())
            }
            None => None,
        };
        let mut fields = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", &back)];
        if secret.is_none() {
            fields.push(("client_id", &provider.client_id));
        }
        // RFC 6749 §2.3.1: each part as a form's.
        let plain = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let credentials = secret.as_deref().map(|secret| (plain(&provider.client_id), plain(secret)));
        let credentials = credentials.as_ref().map(|(id, secret)| (id.as_str(), secret.as_str()));
        let (status, answer) = match self.outbound.post(&known.token_endpoint, &fields, credentials).await {
            Ok(answered) => answered,
            Err(error) => return Ok(Err(error.into())),
        };
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        Ok(match text("id_token") {
            Some(token) if status == 200 => Ok(token.to_owned()),
            _ if status >= 500 => Err(OutboundError::Status { host: word(&provider.issuer), status }.into()),
            _ if matches!(text("error"), Some("invalid_client" | "unauthorized_client")) => Err(AppRefusal::SsoClient),
            _ => Err(AppRefusal::SsoCode(word(text("error").unwrap_or("no id_token")))),
        })
    }

    /// Whose token it is, by its signature and by what it says.
    async fn whose(&self, account: &Account, sso: &SsoRow, token: &str) -> Result<Email, AppRefusal> {
        let provider = &sso.provider;
        let known = self.provider_named(&provider.issuer, None).await?;
        let claims = match known.keys.open(token) {
            // Its keys may have changed since they were fetched.
            Err(IdTokenError::UnknownKey | IdTokenError::Signature)
                if self.now().seconds() - known.fetched.seconds() >= AGAIN =>
            {
                self.provider_named(&provider.issuer, Some(AGAIN)).await?.keys.open(token)
            }
            opened => opened,
        };
        let claims = claims.map_err(|error| match error {
            IdTokenError::Malformed => TokenFault::Malformed,
            IdTokenError::Algorithm => TokenFault::Algorithm,
            IdTokenError::UnknownKey | IdTokenError::Signature => TokenFault::Signature,
        });
        let claims = claims.map_err(AppRefusal::SsoToken)?;
        provider.whose(&claims, self.now(), |nonce| self.began_here(account.id, nonce)).map_err(AppRefusal::SsoToken)
    }

    /// What begins a sign-in for an account: the time, chance, and a mark that nobody else can make.
    fn nonce(&self, account: AccountId) -> String {
        let begun = format!("{}.{}", self.now().seconds(), Token::random().text());
        format!("{begun}.{}", self.nonce_mark(account, &begun).text())
    }

    fn nonce_mark(&self, account: AccountId, begun: &str) -> Token {
        self.vault.token_key(Purpose::SSO_NONCE).token_for(format!("{account}.{begun}").as_bytes())
    }

    fn began_here(&self, account: AccountId, nonce: &str) -> bool {
        let Some((begun, mark)) = nonce.rsplit_once('.') else { return false };
        let at = begun.split_once('.').and_then(|(at, _)| at.parse::<i64>().ok());
        let age = at.map(|at| self.now().seconds().saturating_sub(at));
        let marked = Token::parse(mark).is_some_and(|mark| mark.hash() == self.nonce_mark(account, begun).hash());
        marked && age.is_some_and(|age| (-LEEWAY..NONCE).contains(&age))
    }

    /// What a provider says of itself, not older than `age` seconds if that is asked for. Where it cannot be asked, what it said within the
    /// last day counts.
    pub(in crate::desk) async fn provider_named(&self, issuer: &str, age: Option<i64>) -> Result<Arc<Known>, OutboundError> {
        let (age, provider) = (age.unwrap_or(FRESH), self.kept.providers.of(issuer));
        let said = provider.said().without_asking(age, self.now());
        if let Some(said) = said {
            return said;
        }
        let _asking = provider.asking.lock().await;
        // Somebody else may have asked meanwhile.
        let said = provider.said().without_asking(age, self.now());
        if let Some(said) = said {
            return said;
        }
        let fetched = self.fetch_provider(issuer).await;
        let (now, mut said) = (self.now(), provider.said());
        match fetched {
            Ok(known) => {
                let known = Arc::new(known);
                *said = Said { known: Some(known.clone()), failed: None };
                Ok(known)
            }
            Err(error) => {
                said.failed = Some((now, error.clone()));
                said.known.clone().filter(|known| now.seconds() - known.fetched.seconds() < STALE).ok_or(error)
            }
        }
    }

    async fn fetch_provider(&self, issuer: &str) -> Result<Known, OutboundError> {
        let said = self.outbound.get(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))).await?;
        let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("issuer") != issuer {
            return Err(OutboundError::OtherName { asked: issuer.to_owned(), named: word(text("issuer")) });
        }
        for member in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            match self.outbound.check(text(member)) {
                Err(OutboundError::NoAddress(_)) => return Err(OutboundError::Undescribed { of: issuer.to_owned(), member }),
                checked => checked?,
            }
        }
        let keys = self.outbound.get(text("jwks_uri")).await?;
        Ok(Known {
            fetched: self.now(),
            authorization_endpoint: text("authorization_endpoint").to_owned(),
            token_endpoint: text("token_endpoint").to_owned(),
            end_session_endpoint: text("end_session_endpoint").to_owned(),
            introspection_endpoint: text("introspection_endpoint").to_owned(),
            keys: ProviderKeys::read(&keys).ok_or_else(|| OutboundError::NotJson(issuer.to_owned()))?,
        })
    }
}

/// Another server's word, as it may be repeated.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(120).collect()
}
