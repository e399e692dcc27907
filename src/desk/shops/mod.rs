//! What shops tell: checked, kept as it came, and acted on. An event is acted on once, however often it comes; one that could not be acted
//! on stays, so that it can be once what stood in the way is mended.

mod act;
mod bench;
mod change;
mod items;
mod properties;
mod setup;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use bench::Tried;
pub use properties::PropertyEdit;
pub use setup::{ExtensionEdit, ExtensionView};

use super::{ActError, Area, Desk, Fault, Level, QlmCall, QlmRefused, Visitor, qlm::switched};
use crate::{
    licensing::{
        OrderId, Timestamp,
        files::base64,
        qlm::ErrorCode,
        shops::{Payload, ShopAct, ShopMap, ShopReply, Signing, signature},
        text::is_hidden,
    },
    store::{EventState, Extension, NewAudit, ShopEvent, Subject},
    vault::{Purpose, Subject as Secret, Token},
};

/// What is being acted on is taken over after this, in seconds.
const LOST_SECONDS: i64 = 600;

/// For so many days a shop is asked again for what it could not tell.
const LATER_DAYS: i64 = 3;

/// As many as a page lists.
const LISTED: i64 = 50;

/// As many events as one call may bring.
const MOST_EVENTS: usize = 100;

/// Headers that say something of an event. Others, such as cookies, are not kept.
const KEPT_HEADERS: [&str; 3] = ["x-", "stripe-", "paddle-"];

/// Parts of the names of headers that prove who sent an event: whoever reads it could send it once more.
const PROOFS: [&str; 4] = ["signature", "hmac", "token", "auth"];

/// A notification of PayPal's has some 2 KB.
const PAYPAL_BYTES: usize = 16 * 1024;

/// Names and values.
type Headers = Vec<(String, String)>;

/// What a shop sent.
#[derive(Clone)]
pub struct ShopCall {
    /// Who it says it is, and by which password; the body is not among the arguments.
    pub call: QlmCall,
    /// The secret part of the address it called, where it has one.
    pub hook: Option<String>,
    /// It came where PayPal notifies.
    pub from_paypal: bool,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What a shop is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShopAnswer {
    /// The keys of the order, which the shop hands to the buyer.
    Keys(Vec<String>),
    /// There are none, and why.
    NoKeys(String),
    /// Every event is kept; how many were acted on, or were none of ours, and how many wait for somebody to mend something.
    Kept { done: usize, failed: usize },
    /// The same, in the words the shop waits for.
    Receipt(String),
}

/// Why nothing was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShopRefused {
    /// It is nobody that may call, or its signature does not fit.
    Who(QlmRefused),
    /// What it sent could not be read.
    Unreadable(String),
    /// The shop could not be asked back; it may call again.
    Later(String),
}

/// An event as it came.
#[derive(Serialize, Deserialize)]
struct Content {
    headers: Vec<(String, String)>,
    /// In base64; of several events that came at once, the part that is this one.
    body: String,
}

/// An event as staff sees it.
#[derive(Clone)]
pub struct ShopEventView {
    pub event: ShopEvent,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub order_reference: Option<String>,
}

impl Desk {
    /// Takes what a shop sent. Refuses who may not call and what cannot be read; what can be is kept, whatever comes of it.
    pub async fn shop_told(&self, told: ShopCall) -> Result<Result<ShopAnswer, ShopRefused>, Fault> {
        let (extension, by_password) = match self.shop_of(&told).await? {
            Ok(found) => found,
            Err(refused) => return Ok(Err(ShopRefused::Who(refused))),
        };
        let map = shop_map(&extension);
        let key = self.extension_secret(&extension, "shared", extension.shared_key.as_deref())?;
        // Before anything is read of it.
        if let (Some(key), true) = (&key, signs(&map))
            && let Err(fault) = signature::check(&map.signing, &told.headers, &told.body, key.as_slice(), self.now())
        {
            let refused = QlmRefused::new(ErrorCode::AuthenticationFailed, fault.to_string());
            return Ok(Err(ShopRefused::Who(refused)));
        }
        // PayPal sends forms; whoever else calls there need not have anything else read.
        let is_form = !told.body.trim_ascii_start().starts_with(b"<") && !told.body.trim_ascii_start().starts_with(b"{");
        if map.signing == Signing::PayPal && !is_form {
            return Ok(Err(ShopRefused::Unreadable("PayPal notifies by forms.".to_owned())));
        }
        let payload = match Payload::read(&told.body, told.headers.clone()) {
            Ok(payload) => payload,
            Err(error) => return Ok(Err(ShopRefused::Unreadable(error.to_string()))),
        };
        if map.signing == Signing::PayPal
            && let Err(refused) = self.paypal_sent(&extension, &payload, &told).await?
        {
            return Ok(Err(refused));
        }
        let (mut done, mut failed) = (0, 0);
        let several = !map.events.is_empty() && payload.part(&map.events).is_some();
        let Some(events) = payload.events(&map.events, MOST_EVENTS) else {
            return Ok(Err(ShopRefused::Unreadable(format!("At most {MOST_EVENTS} events are taken at once."))));
        };
        let (mut last, mut switched_off) = (None, None);
        for event in events {
            let name = map.event_name(&event).filter(|name| is_plain(name));
            let name = name.unwrap_or_else(|| base64::url(&Sha256::digest(event.body().to_string())));
            let body = if several { event.body().to_string().into_bytes() } else { told.body.clone() };
            // Before it is kept: what is kept is acted on, also by a job.
            let off = if by_password { self.password_does(&map, event).await?.err() } else { None };
            let kept = self.keep_shop_event(&extension, &name, &told.headers, &body).await?;
            // It is not lost: staff switches it on, and acts on it.
            if let Some(refused) = off {
                if matches!(kept.state, EventState::New | EventState::Failed) {
                    self.shop_event_ended(kept.id, Ended::failed(refused.message.clone())).await?;
                }
                switched_off = Some(refused.message);
                failed += 1;
                continue;
            }
            last = Some(kept.id);
            match self.run_shop_event(&extension, kept, false).await? {
                EventState::Failed => failed += 1,
                // Whoever acts on it now may not come to its end.
                EventState::New | EventState::Running => {
                    return Ok(Err(ShopRefused::Later("This event is being acted on. Send it again in a minute.".to_owned())));
                }
                _ => done += 1,
            }
        }
        if map.signing == Signing::TwoCheckout
            && let Some(key) = key
        {
            let receipt = signature::two_checkout_receipt(&told.body, key.as_slice(), self.now());
            return Ok(Ok(ShopAnswer::Receipt(receipt)));
        }
        match (map.answer, last) {
            (ShopReply::Keys, _) if switched_off.is_some() => Ok(Ok(ShopAnswer::NoKeys(switched_off.unwrap_or_default()))),
            (ShopReply::Keys, Some(event)) => Ok(Ok(self.keys_of_event(&extension, &map, event).await?)),
            _ => Ok(Ok(ShopAnswer::Kept { done, failed })),
        }
    }

    /// The keys of an event's own items, of which its order may have more; of an event without any, what became of it.
    async fn keys_of_event(&self, extension: &Extension, map: &ShopMap, id: i64) -> Result<ShopAnswer, Fault> {
        let Some(event) = self.read().await?.event(id).await? else { return Ok(ShopAnswer::NoKeys(String::new())) };
        if event.state == EventState::Failed {
            return Ok(ShopAnswer::NoKeys(event.said));
        }
        let (headers, body) = self.shop_event_content(&event)?;
        let payload = match Payload::read(&body, headers) {
            Ok(payload) => self.completed(extension, map, payload).await?,
            Err(error) => Err(error.to_string()),
        };
        let order = match payload.map(|payload| map.read(&payload)) {
            Ok(Ok(ShopAct::Order(order) | ShopAct::SubscriptionPayment(order))) => order,
            // It says something of an order, and asks for no keys.
            Ok(Ok(_)) => return Ok(ShopAnswer::Keys(vec![event.said])),
            _ => return Ok(ShopAnswer::NoKeys(event.said)),
        };
        let mut keys = Vec::new();
        for place in 0..order.items.len() {
            keys.extend(self.keys_of_item(extension, map, &order, place).await?);
        }
        Ok(if keys.is_empty() { ShopAnswer::NoKeys(event.said) } else { ShopAnswer::Keys(keys) })
    }

    /// Whether what an event does is switched on for whoever shows a password: it does no more here than by the method of that name.
    async fn password_does(&self, map: &ShopMap, mut event: Payload) -> Result<Result<(), QlmRefused>, Fault> {
        let settings = self.settings();
        let qlm = &settings.qlm;
        let (create, renew) = ((qlm.create, "enableGetActivationKey"), (qlm.renew, "enableRenewSubscriptionHttp"));
        let (update, revoke) = ((qlm.update, "enableUpgradeLicense"), (qlm.revoke, "enableRevokeLicense"));
        // As it is read when it is acted on.
        if matches!(map.signing, Signing::TwoCheckout | Signing::PayPal) {
            event.gather();
        }
        let mut needed = Vec::new();
        match map.read(&event) {
            Ok(ShopAct::Order(order)) => {
                needed.push(create);
                needed.extend(self.changes_licenses(map, &order).await?.then_some(update));
            }
            Ok(ShopAct::SubscriptionPayment(order)) => {
                needed.extend([create, renew]);
                needed.extend(self.changes_licenses(map, &order).await?.then_some(update));
            }
            Ok(ShopAct::Renew(_) | ShopAct::Extend(_)) => needed.push(renew),
            Ok(ShopAct::Maintain(_)) => needed.push(update),
            Ok(ShopAct::Revoke(_) | ShopAct::End(_) | ShopAct::Restore(_)) => needed.push(revoke),
            Ok(ShopAct::Customer(_) | ShopAct::Nothing) => {}
            // It may be an order once its shop was asked for more.
            Err(_) => needed.push(create),
        }
        Ok(needed.into_iter().try_for_each(|(on, property)| switched(on, property)))
    }

    /// The extension that calls, and whether a password is all that says so. What its shop signs is proved by the signature; else a password
    /// or a secret address has to be shown.
    async fn shop_of(&self, told: &ShopCall) -> Result<Result<(Extension, bool), QlmRefused>, Fault> {
        let failed = |message: &str| Ok(Err(QlmRefused::new(ErrorCode::AuthenticationFailed, message)));
        if let Some(hook) = &told.hook {
            let found = match Token::parse(hook) {
                Some(hook) => self.read().await?.extension_by_hook(&hook.hash().0).await?,
                None => None,
            };
            return match found.filter(|extension| extension.enabled) {
                Some(extension) => Ok(Ok((extension, false))),
                None => failed("There is no shop at this address, or it is switched off."),
            };
        }
        if told.from_paypal {
            let named = told.call.args.text("is_vendor").unwrap_or("paypal");
            let found = self.read().await?.extension(named).await?;
            return match found.filter(|extension| extension.enabled && shop_map(extension).signing == Signing::PayPal) {
                Some(extension) => Ok(Ok((extension, false))),
                None => failed("There is no extension for PayPal, or it is switched off."),
            };
        }
        let named = match told.call.args.text("is_vendor") {
            Some(name) => self.read().await?.extension(name).await?.filter(|extension| extension.enabled),
            None => None,
        };
        match named {
            // The signature is looked at with the body.
            Some(extension) if extension.shared_key.is_some() && signs(&shop_map(&extension)) => Ok(Ok((extension, false))),
            _ => Ok(self.caller_with_password(&told.call).await?.map(|extension| (extension, true))),
        }
    }

    /// Asks PayPal whether it sent this, and whether it is for this vendor.
    async fn paypal_sent(
        &self,
        extension: &Extension,
        payload: &Payload,
        told: &ShopCall,
    ) -> Result<Result<(), ShopRefused>, Fault> {
        // Whoever forges notifications has this server ask about each, and keeps those of PayPal waiting.
        if let Err(refused) = self.guesses(&told.call, "paypal", false).await? {
            return Ok(Err(ShopRefused::Later(refused.message)));
        }
        if told.body.len() > PAYPAL_BYTES || payload.text("payment_status").or_else(|| payload.text("txn_type")).is_none() {
            return Ok(Err(ShopRefused::Unreadable("This is no notification of PayPal’s.".to_owned())));
        }
        let who = |message: &str| Ok(Err(ShopRefused::Who(QlmRefused::new(ErrorCode::AuthenticationFailed, message))));
        let receiver = payload.text("receiver_email").or_else(|| payload.text("business")).unwrap_or_default();
        if extension.user.is_empty() || !receiver.eq_ignore_ascii_case(&extension.user) {
            return who("This payment is for somebody else: the extension’s user is the address it is to be paid to.");
        }
        let mut asked = b"cmd=_notify-validate&".to_vec();
        asked.extend_from_slice(&told.body);
        match self.outbound.post_for_text(&self.settings().qlm.paypal_url, asked).await {
            Ok((200, text)) if text.trim() == "VERIFIED" => Ok(Ok(())),
            Ok((200, _)) => {
                drop(self.guesses(&told.call, "paypal", true).await?);
                who("PayPal did not send this.")
            }
            Ok((status, _)) => Ok(Err(ShopRefused::Later(format!("PayPal answered {status}.")))),
            Err(error) => Ok(Err(ShopRefused::Later(format!("PayPal could not be asked: {error}.")))),
        }
    }

    async fn keep_shop_event(
        &self,
        extension: &Extension,
        name: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<ShopEvent, Fault> {
        let kept = |name: &str| {
            KEPT_HEADERS.iter().any(|begin| name.starts_with(begin)) && !PROOFS.iter().any(|part| name.contains(part))
        };
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .filter(|(name, _)| kept(name))
            .collect();
        let content = Content { headers, body: base64::standard(&without_secret(body)) };
        let content = serde_json::to_vec(&content).map_err(|_| Fault::Kept("an event"))?;
        let content = self.vault.encrypt_secret(Purpose::SHOP_EVENT, Secret::named(&secret_name(extension.id, name)), &content);
        let (id, name, now) = (extension.id, name.to_owned(), self.now());
        let kept = self.store.write(move |conn| {
            let (name, content) = (name.clone(), content.clone());
            Box::pin(async move { conn.keep_event(id, &name, &content, now).await })
        });
        Ok(kept.await?)
    }

    /// Acts on an event that is kept, unless another does so now or it is done. Its state after that.
    async fn run_shop_event(&self, extension: &Extension, event: ShopEvent, again: bool) -> Result<EventState, Fault> {
        let (id, now, done) = (event.id, self.now(), event.state == EventState::Done);
        let claimed = self
            .store
            .write(move |conn| Box::pin(async move { conn.claim_event(id, again, now, now.plus_seconds(-LOST_SECONDS)).await }));
        if !claimed.await? {
            // Of two deliveries at one time the other acts on it; how it stands now is read again.
            let stands = self.read().await?.event(id).await?;
            return Ok(stands.map_or(event.state, |event| event.state));
        }
        let (headers, body) = self.shop_event_content(&event)?;
        let ended = match Payload::read(&body, headers) {
            Ok(payload) => self.act_on(extension, &shop_map(extension), payload, &event, done).await,
            Err(error) => Ok(Ended::failed(error.to_string())),
        };
        let ended = match ended {
            Ok(ended) => ended,
            Err(fault) => {
                // It is acted on when it comes again; until then staff sees why it was not.
                self.shop_event_ended(id, Ended::failed("Something went wrong here. It can be tried again.".to_owned())).await?;
                return Err(fault);
            }
        };
        let ended = match ended.state {
            // A shop that cannot be asked for days cannot be asked.
            EventState::New if event.received.plus_days(LATER_DAYS) < self.now() => Ended::failed(ended.said),
            _ => ended,
        };
        let state = ended.state;
        self.shop_event_ended(id, ended).await?;
        Ok(state)
    }

    async fn shop_event_ended(&self, id: i64, ended: Ended) -> Result<(), Fault> {
        let now = self.now();
        let noted = self.store.write(move |conn| {
            let ended = ended.clone();
            Box::pin(async move { conn.event_ended(id, ended.state, &ended.said, ended.order, now).await })
        });
        Ok(noted.await?)
    }

    /// The headers and the body of an event.
    fn shop_event_content(&self, event: &ShopEvent) -> Result<(Headers, Vec<u8>), Fault> {
        let subject = secret_name(event.extension, &event.name);
        let bytes = self.vault.decrypt_secret(Purpose::SHOP_EVENT, Secret::named(&subject), &event.content)?;
        let content: Content = serde_json::from_slice(bytes.as_slice()).map_err(|_| Fault::Kept("an event"))?;
        Ok((content.headers, base64::from_standard(&content.body).map_err(|_| Fault::Kept("an event"))?))
    }

    /// Acts on events that nobody came to the end of: a process that stopped while it acted on one.
    pub async fn finish_shop_events(&self) -> Result<(), Fault> {
        let lost = self.now().plus_seconds(-LOST_SECONDS);
        let mut conn = self.read().await?;
        let left = conn.events_left(lost, LISTED).await?;
        if left.is_empty() {
            return Ok(());
        }
        let extensions = conn.extensions().await?;
        drop(conn);
        for event in left {
            if let Some(extension) = extensions.iter().find(|one| one.id == event.extension) {
                let id = event.id;
                // What one of them is stopped by stops none of the others.
                if let Err(fault) = self.run_shop_event(extension, event, false).await {
                    tracing::error!(event.id = id, error = %fault, "An event of a shop was not acted on.");
                }
            }
        }
        Ok(())
    }

    /// Events, newest first, before one of them; of one state, where one is named. Also where the next page begins.
    pub async fn shop_events(
        &self,
        visitor: &Visitor,
        before: Option<i64>,
        state: Option<&str>,
    ) -> Result<(Vec<ShopEvent>, Option<i64>), ActError> {
        visitor.needs(Area::Orders, Level::Manage)?;
        let mut found = self.read().await?.events(before.unwrap_or(i64::MAX), state, LISTED + 1).await?;
        let more = found.len() as i64 > LISTED;
        found.truncate(usize::try_from(LISTED).unwrap_or_default());
        let next = found.last().filter(|_| more).map(|event| event.id);
        Ok((found, next))
    }

    pub async fn shop_event(&self, visitor: &Visitor, id: i64) -> Result<ShopEventView, ActError> {
        visitor.needs(Area::Orders, Level::Manage)?;
        let mut conn = self.read().await?;
        let event = conn.event(id).await?.ok_or(ActError::NotFound)?;
        let order_reference = match event.order {
            Some(order) => conn.order(order).await?.map(|order| order.reference),
            None => None,
        };
        drop(conn);
        let (headers, body) = self.shop_event_content(&event)?;
        Ok(ShopEventView { event, headers, body: String::from_utf8_lossy(&body).into_owned(), order_reference })
    }

    /// Acts on an event once more, by the map and the properties as they are now.
    pub async fn replay_shop_event(&self, visitor: &Visitor, id: i64) -> Result<EventState, ActError> {
        visitor.needs(Area::Orders, Level::Manage)?;
        let mut conn = self.read().await?;
        let event = conn.event(id).await?.ok_or(ActError::NotFound)?;
        let extensions = conn.extensions().await?;
        drop(conn);
        let extension = extensions.into_iter().find(|one| one.id == event.extension).ok_or(ActError::NotFound)?;
        let (now, actor, subject) = (self.now(), visitor.actor(), Subject::of("extension", extension.id));
        let after = serde_json::json!({ "event": event.name });
        let noted = self.store.write(move |conn| {
            let (actor, after) = (actor.clone(), after.clone());
            Box::pin(async move {
                let entry = NewAudit { at: now, subject, act: "event.replayed", actor, before: None, after: Some(after) };
                conn.audit_apart(&entry).await
            })
        });
        noted.await?;
        Ok(self.run_shop_event(&extension, event, true).await?)
    }

    /// A key of an extension.
    fn extension_secret(
        &self,
        extension: &Extension,
        what: &str,
        sealed: Option<&[u8]>,
    ) -> Result<Option<crate::vault::SecretBytes>, Fault> {
        let Some(sealed) = sealed else { return Ok(None) };
        let subject = format!("{}/{what}", extension.name.to_lowercase());
        Ok(Some(self.vault.decrypt_secret(Purpose::EXTENSION_KEY, Secret::named(&subject), sealed)?))
    }
}

/// What became of an event.
#[derive(Clone)]
struct Ended {
    state: EventState,
    said: String,
    order: Option<OrderId>,
}

impl Ended {
    fn done(said: String, order: Option<OrderId>) -> Self {
        Self { state: EventState::Done, said, order }
    }

    /// It is tried again, by the shop or by a job.
    fn later(said: String) -> Self {
        Self { state: EventState::New, said, order: None }
    }

    fn failed(said: String) -> Self {
        Self { state: EventState::Failed, said, order: None }
    }
}

fn secret_name(extension: i64, name: &str) -> String {
    format!("{extension}/{name}")
}

/// How an extension's words are read: as the vendor says, or as its class is from the start.
fn shop_map(extension: &Extension) -> ShopMap {
    let default = || crate::licensing::shops::default_map(&extension.class);
    match extension.map.as_deref().map(ShopMap::kept) {
        None => default(),
        Some(Some(own)) => own,
        // One that no longer reads is not another: what comes is kept, and waits until it is mended.
        Some(None) => ShopMap { rules: Vec::new(), ..default() },
    }
}

/// Whether a name is one that the database keeps as it is.
fn is_plain(name: &str) -> bool {
    name.len() <= 200 && !name.chars().any(is_hidden)
}

/// A body without the secret that UltraCart sends along: staff reads bodies.
fn without_secret(body: &[u8]) -> Vec<u8> {
    const NAME: &str = "md5secret>";
    let text = String::from_utf8_lossy(body);
    let folded = text.to_ascii_lowercase();
    let (Some(begin), Some(end)) = (folded.find(&format!("<{NAME}")), folded.find(&format!("</{NAME}"))) else {
        return body.to_vec();
    };
    let begin = begin + 1 + NAME.len();
    if begin > end { body.to_vec() } else { format!("{}…{}", &text[..begin], &text[end..]).into_bytes() }
}

/// Whether a shop signs what it sends, by a key that both know.
fn signs(map: &ShopMap) -> bool {
    !matches!(map.signing, Signing::None | Signing::PayPal)
}

/// When a call came, for what is counted by the day.
fn day_of(at: Option<Timestamp>, now: Timestamp) -> crate::licensing::Date {
    at.filter(|at| *at <= now).unwrap_or(now).date()
}
