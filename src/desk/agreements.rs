//! What customers agree to: that what they told is kept, and that they are written to. Whoever calls says what they like, so agreeing needs
//! a link from a letter to that address; taking it back does not.

use super::{
    ActError, Desk, Fault,
    messages::{Outgoing, may_write},
};
use crate::{
    licensing::{Email, Timestamp, files::base64, license::Actor},
    store::{Agreement, NewAudit, Subject},
    vault::{Purpose, Token},
};

/// How long a link is good, in days.
const LINK_DAYS: i64 = 7;

/// What a link in a letter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementLink {
    pub email: Email,
    pub to: Agreement,
}

const NAMES: [(Agreement, &str); 2] = [(Agreement::Consent, "consent"), (Agreement::News, "news")];

fn name(to: Agreement) -> &'static str {
    NAMES.iter().find(|(known, _)| *known == to).map_or("", |(_, name)| name)
}

impl Desk {
    fn link_text(&self, email: &Email, to: Agreement, until: Timestamp) -> String {
        let payload = format!("{}\n{}\n{}", name(to), until.seconds(), email.folded());
        let mark = self.vault.token_key(Purpose::MAIL_LINK).token_for(payload.as_bytes()).text();
        format!("{}.{mark}", base64::url(payload.as_bytes()))
    }

    /// What a link says, if it is one of ours and not over.
    #[must_use]
    pub fn read_agreement_link(&self, text: &str) -> Option<AgreementLink> {
        let (payload, mark) = text.split_once('.')?;
        let payload = base64::from_url(payload).ok()?;
        let expected = self.vault.token_key(Purpose::MAIL_LINK).token_for(&payload);
        // Hashes are compared: how long it takes tells nothing of the mark.
        if Token::parse(mark)?.hash() != expected.hash() {
            return None;
        }
        let text = String::from_utf8(payload).ok()?;
        let mut parts = text.splitn(3, '\n');
        let (named, until, email) = (parts.next()?, parts.next()?.parse::<i64>().ok()?, parts.next()?);
        let to = NAMES.iter().find(|(_, name)| *name == named)?.0;
        (self.now().seconds() < until).then_some(AgreementLink { email: Email::parse(email).ok()?, to })
    }

    /// Sends a letter with a link by which a customer agrees. Answers alike whether the address is known. `Ok(false)`: asked too often.
    pub async fn ask_agreement(&self, email: Email, to: Agreement, from: Option<String>) -> Result<bool, Fault> {
        let settings = self.settings();
        let link =
            format!("{}/mail/{}", self.issuer.trim_end_matches('/'), self.link_text(&email, to, self.now().plus_days(LINK_DAYS)));
        let portal = &settings.portal_name;
        let what = match to {
            Agreement::Consent => format!("{portal} may keep what you told about yourself"),
            Agreement::News => format!("{portal} may write to you about its products"),
        };
        let text = format!(
            "Somebody, most likely you, said that {what}. If that is right, open this page and confirm it:\n\n{link}\n\n\
             If it is not, do nothing. The link is good for {LINK_DAYS} days.\n"
        );
        let subject = format!("Confirm this for {portal}");
        let outgoing = Outgoing { kind: "agreement", subject: &subject, text: &text, over: None, keeps_text: false };
        // To the address that is kept: one that only reads like it may be somebody else's.
        let known = self.read().await?.customer_by_email(&email).await?;
        let letter = known.map(|customer| self.letter(&customer.email, &outgoing));
        let now = self.now();
        let done = self.store.write(move |conn| {
            let (email, letter, from) = (email.clone(), letter.clone(), from.clone());
            Box::pin(async move {
                if !may_write(conn, &email, from.as_deref(), now).await? {
                    return Ok(false);
                }
                if let Some(letter) = &letter {
                    conn.add_message(letter, now).await?;
                }
                Ok(true)
            })
        });
        let done = done.await?;
        self.message_waits();
        Ok(done)
    }

    /// Notes that a customer agrees, or no more. Answers alike whether the address is known.
    pub async fn set_agreement(&self, email: Email, to: Agreement, agrees: bool) -> Result<(), ActError> {
        let now = self.now();
        let done = self.store.write(move |conn| {
            let email = email.clone();
            Box::pin(async move {
                let Some(customer) = conn.customer_by_email(&email).await? else { return Ok(()) };
                let before = match to {
                    Agreement::Consent => customer.consent,
                    Agreement::News => customer.news,
                };
                if before.is_some() == agrees {
                    return Ok(());
                }
                conn.customer_agrees(customer.id, to, agrees.then_some(now)).await?;
                let told = |since: Option<Timestamp>| Some(serde_json::json!({ name(to): since.map(Timestamp::to_rfc3339) }));
                let entry = NewAudit {
                    at: now,
                    subject: Subject::of("customer", customer.id.0),
                    act: if agrees { "customer.agreed" } else { "customer.withdrew" },
                    actor: Actor::Customer,
                    before: told(before),
                    after: told(agrees.then_some(now)),
                };
                conn.audit_apart(&entry).await
            })
        });
        Ok(done.await?)
    }
}
