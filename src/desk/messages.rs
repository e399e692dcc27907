//! Mail and short messages. An act writes what is to be sent beside what it changes, in one transaction; a job of whichever process comes
//! first hands it over, and tries again for a while. Where no mail server is set, staff reads here what would have been sent.

use std::{sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use super::{ActError, Area, Desk, Fault, Level, Visitor, settings::Settings, settings::mail::Sealed, sms};
use crate::{
    licensing::{Email, Timestamp, files::base64},
    outbound::{Letter, MailError, MailServer},
    store::{Channel, Conn, Message, NewAudit, NewMessage, StoreError, Subject},
    vault::{Purpose, SecretBytes, Subject as Secret, Token},
};

/// As many as one round hands over.
const AT_ONCE: i64 = 50;

/// What one process has taken, another takes over after this, in seconds: longer than any exchange lasts.
const TAKEN_SECONDS: i64 = 120;

/// How long after a try the next one comes, in minutes; after the last it is given up.
const AGAIN_MINUTES: [i64; 9] = [1, 2, 5, 15, 60, 180, 360, 720, 1_440];

/// As long as a message waits for its way, unless it is over earlier.
const WAITS_DAYS: i64 = 3;

/// Letters an address gets in an hour because somebody asks for them, and letters that may be asked for from one network address.
const SENT_HOUR: i64 = 3;
const ASKED_HOUR: i64 = 20;

/// As many as a page lists.
const LISTED: i64 = 50;

/// A message that an act sends.
pub(super) struct Outgoing<'a> {
    pub kind: &'static str,
    pub subject: &'a str,
    pub text: &'a str,
    /// None: some days.
    pub over: Option<Timestamp>,
    /// What holds a code is forgotten once it was sent.
    pub keeps_text: bool,
}

/// A message as staff sees it.
#[derive(Clone)]
pub struct MessageView {
    pub message: Message,
    pub text: Option<String>,
}

/// Tells the job that something waits.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<Notify>);

impl Desk {
    /// A letter, ready to be written by an act.
    pub(super) fn letter(&self, to: &Email, outgoing: &Outgoing<'_>) -> NewMessage {
        self.sealed_message(Channel::Mail, to.as_str(), outgoing)
    }

    /// A short message to a phone.
    pub(super) fn short_message(&self, to: &str, outgoing: &Outgoing<'_>) -> NewMessage {
        self.sealed_message(Channel::Sms, to, outgoing)
    }

    fn sealed_message(&self, channel: Channel, to: &str, outgoing: &Outgoing<'_>) -> NewMessage {
        let token = Token::random().text();
        let body = self.vault.encrypt_secret(Purpose::MESSAGE, Secret::named(&token), outgoing.text.as_bytes());
        NewMessage {
            token,
            channel,
            kind: outgoing.kind,
            recipient: to.to_owned(),
            // What others named must not begin a line of its own.
            subject: outgoing.subject.chars().filter(|c| !crate::licensing::text::is_hidden(*c)).take(200).collect(),
            body,
            keeps_text: outgoing.keeps_text,
            over: outgoing.over.unwrap_or_else(|| self.now().plus_days(WAITS_DAYS)),
        }
    }

    /// Has the job look at once: an act has written a message.
    pub(super) fn message_waits(&self) {
        self.waiting.0.notify_one();
    }

    /// Waits until a message was written here, or for a while: another process may have written one.
    pub async fn next_message(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.waiting.0.notified()).await;
    }

    fn message_text(&self, message: &Message) -> Result<Option<SecretBytes>, Fault> {
        let Some(body) = &message.body else { return Ok(None) };
        Ok(Some(self.vault.decrypt_secret(Purpose::MESSAGE, Secret::named(&message.token), body)?))
    }

    /// A password among the settings.
    pub(super) fn secret_setting(&self, name: &str, sealed: Option<&Sealed>) -> Result<Option<String>, Fault> {
        let Some(sealed) = sealed else { return Ok(None) };
        let bytes = self.vault.decrypt_secret(Purpose::SETTING, Secret::named(name), &sealed.0)?;
        Ok(Some(String::from_utf8_lossy(bytes.as_slice()).into_owned()))
    }

    /// The mail server of the settings; none where mail is shown to staff.
    pub fn mail_server(&self, settings: &Settings) -> Result<Option<MailServer>, Fault> {
        let mail = &settings.mail;
        let Some((host, port)) = mail.host_and_port() else { return Ok(None) };
        let password = self.secret_setting("smtpPassword", mail.password.as_ref())?.unwrap_or_default();
        let own = self.issuer.split("://").nth(1).unwrap_or_default();
        let own = own.rsplit_once(':').map_or(own, |(host, _)| host);
        Ok(Some(MailServer {
            host,
            port,
            security: mail.security,
            credentials: Some((mail.user.clone(), password)).filter(|(user, _)| !user.is_empty()),
            own_name: if own.is_empty() { "localhost".to_owned() } else { own.to_owned() },
        }))
    }

    /// The address mail comes from.
    #[must_use]
    pub fn mail_sender(settings: &Settings) -> Option<String> {
        Some(settings.mail.from.clone()).filter(|from| !from.is_empty()).or_else(|| settings.support.clone())
    }

    /// Hands over what is due. Returns how many were taken.
    pub async fn send_messages(&self) -> Result<usize, Fault> {
        let settings = self.settings();
        let mut sent = 0;
        if let (Some(server), Some(from)) = (self.mail_server(&settings)?, Self::mail_sender(&settings)) {
            for message in self.due(Channel::Mail).await? {
                let Some(text) = self.taken(&message).await? else { continue };
                let text = String::from_utf8_lossy(text.as_slice());
                let letter = Letter {
                    from: &from,
                    from_name: &settings.portal_name,
                    to: &message.recipient,
                    subject: &message.subject,
                    text: &text,
                };
                let outcome = server.send(&letter).await;
                let unreachable = matches!(outcome, Err(MailError::Unreachable { .. }));
                sent += usize::from(outcome.is_ok());
                self.note(&message, outcome.map_err(|error| (error.to_string(), error.passes()))).await?;
                // The others wait for their turn, which comes when the server is there again.
                if unreachable {
                    break;
                }
            }
        }
        if settings.mail.sends_sms() {
            for message in self.due(Channel::Sms).await? {
                let Some(text) = self.taken(&message).await? else { continue };
                let text = String::from_utf8_lossy(text.as_slice());
                let outcome = sms::send(self, &settings, &message.recipient, &text).await?;
                sent += usize::from(outcome.is_ok());
                self.note(&message, outcome).await?;
            }
        }
        Ok(sent)
    }

    async fn due(&self, channel: Channel) -> Result<Vec<Message>, Fault> {
        Ok(self.read().await?.due_messages(channel, self.now(), AT_ONCE).await?)
    }

    /// The text of a message this process may send now.
    async fn taken(&self, message: &Message) -> Result<Option<SecretBytes>, Fault> {
        let (taking, next) = (message.clone(), self.now().plus_seconds(TAKEN_SECONDS));
        let mine = self.store.write(move |conn| {
            let taking = taking.clone();
            Box::pin(async move { conn.claim_message(&taking, next).await })
        });
        if !mine.await? {
            return Ok(None);
        }
        self.message_text(message)
    }

    /// What became of a try: sent, or a fault and whether it may pass.
    async fn note(&self, message: &Message, outcome: Result<(), (String, bool)>) -> Result<(), Fault> {
        let now = self.now();
        let next = usize::try_from(message.attempts).ok().and_then(|tries| AGAIN_MINUTES.get(tries));
        let again = match (&outcome, next) {
            (Err((_, true)), Some(minutes)) => Some(now.plus_seconds(60 * *minutes)),
            _ => None,
        };
        if outcome.is_err() {
            // What the server said may name the recipient: staff reads it beside the message.
            let (kind, channel) = (&message.kind, message.channel.as_str());
            tracing::warn!(message.kind = kind, message.channel = channel, gives_up = again.is_none(), "A message was not sent.");
        }
        let id = message.id;
        let noted = self.store.write(move |conn| {
            let outcome = outcome.clone();
            Box::pin(async move {
                match outcome {
                    Ok(()) => conn.message_sent(id, now).await,
                    Err((fault, _)) => {
                        conn.message_failed(id, &fault, if again.is_none() { Some(now) } else { None }).await?;
                        match again {
                            Some(due) => conn.message_due(id, due).await,
                            None => Ok(()),
                        }
                    }
                }
            })
        });
        Ok(noted.await?)
    }

    /// Messages, newest first, before one of them; to one recipient, where one is named. Also where the next page begins.
    pub async fn messages(
        &self,
        visitor: &Visitor,
        before: Option<i64>,
        recipient: Option<&str>,
    ) -> Result<(Vec<Message>, Option<i64>), ActError> {
        visitor.needs(Area::Customers, Level::Manage)?;
        let mut found = self.read().await?.messages(before.unwrap_or(i64::MAX), recipient, LISTED + 1).await?;
        let more = found.len() as i64 > LISTED;
        found.truncate(usize::try_from(LISTED).unwrap_or_default());
        let next = found.last().filter(|_| more).map(|message| message.id);
        Ok((found, next))
    }

    /// A message with its text. Refuses where there is none, and who may not see customers' keys.
    pub async fn message(&self, visitor: &Visitor, token: &str) -> Result<MessageView, ActError> {
        visitor.needs(Area::Customers, Level::Manage)?;
        let message = self.read().await?.message(token).await?.ok_or(ActError::NotFound)?;
        let text = self.message_text(&message)?.map(|text| String::from_utf8_lossy(text.as_slice()).into_owned());
        Ok(MessageView { message, text })
    }

    /// Has a message tried once more. Refuses one that was sent, or whose time is over.
    pub async fn send_again(&self, visitor: &Visitor, token: &str) -> Result<(), ActError> {
        visitor.needs(Area::Customers, Level::Manage)?;
        let (now, token) = (self.now(), token.to_owned());
        let tried = self.store.write(move |conn| {
            let token = token.clone();
            Box::pin(async move { conn.retry_message(&token, now).await })
        });
        if !tried.await? {
            return Err(ActError::NotFound);
        }
        self.message_waits();
        Ok(())
    }

    /// Sends a letter to try the way out.
    pub async fn send_trial_letter(&self, visitor: &Visitor, to: &Email) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let settings = self.settings();
        let text = format!("This letter was sent to try out how {} sends mail. It works.\n", settings.portal_name);
        let outgoing =
            Outgoing { kind: "trial_letter", subject: "A letter to try out mail", text: &text, over: None, keeps_text: true };
        let (letter, now, actor) = (self.letter(to, &outgoing), self.now(), visitor.actor());
        let written = self.store.write(move |conn| {
            let (letter, actor) = (letter.clone(), actor.clone());
            Box::pin(async move {
                conn.add_message(&letter, now).await?;
                let subject = Subject::of("setting", 0);
                conn.audit_apart(&NewAudit { at: now, subject, act: "mail.tried", actor, before: None, after: None }).await
            })
        });
        written.await?;
        self.message_waits();
        Ok(())
    }

    /// Whether the mail server takes what this server would say to it; none where no server is set.
    pub async fn try_mail(&self) -> Result<Option<Result<String, MailError>>, Fault> {
        let settings = self.settings();
        let Some(server) = self.mail_server(&settings)? else { return Ok(None) };
        Ok(Some(server.try_out().await.map(|()| server.host)))
    }
}

/// Whether somebody may have one more letter sent to an address: what they ask for is counted, by the address and by where they ask from.
pub(super) async fn may_write(conn: &mut Conn, to: &Email, from: Option<&str>, now: Timestamp) -> Result<bool, StoreError> {
    let hashed = |text: &str| base64::url(&Sha256::digest(text));
    if let Some(from) = from
        && conn.count_try(&format!("letters-from:{}", hashed(from)), 3_600, now).await? > ASKED_HOUR
    {
        return Ok(false);
    }
    Ok(conn.count_try(&format!("letters:{}", hashed(&to.folded())), 3_600, now).await? <= SENT_HOUR)
}
