//! Mail and short messages that wait to be sent, or were: written beside the act that needs them.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::Timestamp;

/// How a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Mail,
    /// A short message to a mobile phone.
    Sms,
}

impl Channel {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
        }
    }
}

/// A message to be sent. Its text is encrypted by the vault.
#[derive(Clone)]
pub struct NewMessage {
    pub token: String,
    pub channel: Channel,
    pub kind: &'static str,
    pub recipient: String,
    pub subject: String,
    pub body: Vec<u8>,
    pub keeps_text: bool,
    pub over: Timestamp,
}

#[derive(Clone)]
pub struct Message {
    pub id: i64,
    pub token: String,
    pub channel: Channel,
    pub kind: String,
    pub recipient: String,
    pub subject: String,
    /// None once it is forgotten.
    pub body: Option<Vec<u8>>,
    pub keeps_text: bool,
    pub created: Timestamp,
    pub due: Timestamp,
    pub over: Timestamp,
    pub attempts: i64,
    pub sent: Option<Timestamp>,
    pub failed: Option<Timestamp>,
    /// What stood in the way last.
    pub fault: String,
}

macro_rules! message_columns {
    () => {
        "id, token, channel, kind, recipient, subject, body, keeps_text, created_at, due_at, over_at, attempts, sent_at, \
         failed_at, fault"
    };
}

fn message(row: &AnyRow) -> Result<Message, StoreError> {
    let id = row.int("id")?;
    let channel = match row.string("channel")?.as_str() {
        "mail" => Channel::Mail,
        "sms" => Channel::Sms,
        _ => return Err(StoreError::inconsistent("message", "channel", id)),
    };
    let instant = |column: &str| Ok::<_, StoreError>(Timestamp::from_millis(row.int(column)?));
    let maybe = |column: &str| Ok::<_, StoreError>(row.maybe_int(column)?.map(Timestamp::from_millis));
    Ok(Message {
        id,
        token: row.string("token")?,
        channel,
        kind: row.string("kind")?,
        recipient: row.string("recipient")?,
        subject: row.string("subject")?,
        body: row.maybe_bytes("body")?,
        keeps_text: row.int("keeps_text")? != 0,
        created: instant("created_at")?,
        due: instant("due_at")?,
        over: instant("over_at")?,
        attempts: row.int("attempts")?,
        sent: maybe("sent_at")?,
        failed: maybe("failed_at")?,
        fault: row.string("fault")?,
    })
}

impl Conn {
    /// Adds a message that is due at once.
    pub async fn add_message(&mut self, new: &NewMessage, now: Timestamp) -> Result<(), StoreError> {
        let sql = "insert into message (token, channel, kind, recipient, subject, body, keeps_text, created_at, due_at, over_at, \
                   attempts, fault) values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, 0, '')";
        let query = sqlx::query(sql).bind(plain(&new.token)).bind(new.channel.as_str()).bind(new.kind);
        let query = query.bind(plain(&new.recipient)).bind(plain(&new.subject)).bind(new.body.clone());
        let query = query.bind(i64::from(new.keeps_text)).bind(now.millis()).bind(new.over.millis());
        query.execute(self.db()).await?;
        Ok(())
    }

    /// Messages of a channel that are due, oldest first.
    pub async fn due_messages(&mut self, channel: Channel, now: Timestamp, most: i64) -> Result<Vec<Message>, StoreError> {
        let sql = concat!(
            "select ",
            message_columns!(),
            " from message where sent_at is null and failed_at is null and due_at <= $1 and over_at > $1 and channel = $2 \
             order by due_at, id limit $3"
        );
        let rows = sqlx::query(sql).bind(now.millis()).bind(channel.as_str()).bind(most).fetch_all(self.db()).await?;
        rows.iter().map(message).collect()
    }

    /// Takes a message to be sent: it is due again at `next`, should nobody say what became of it. `false` when another process was faster.
    pub async fn claim_message(&mut self, message: &Message, next: Timestamp) -> Result<bool, StoreError> {
        let sql = "update message set due_at = $3, attempts = attempts + 1 \
                   where id = $1 and due_at = $2 and sent_at is null and failed_at is null";
        let query = sqlx::query(sql).bind(message.id).bind(message.due.millis()).bind(next.millis());
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }

    /// Notes that a message was taken by the server it was handed to. A text that need not be kept is forgotten.
    pub async fn message_sent(&mut self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        let sql =
            "update message set sent_at = $2, fault = '', body = case when keeps_text = 0 then null else body end where id = $1";
        sqlx::query(sql).bind(id).bind(now.millis()).execute(self.db()).await?;
        Ok(())
    }

    /// Notes what stood in the way; with `failed` it is not tried again.
    pub async fn message_failed(&mut self, id: i64, fault: &str, failed: Option<Timestamp>) -> Result<(), StoreError> {
        let sql = "update message set fault = $2, failed_at = $3 where id = $1";
        let query = sqlx::query(sql).bind(id).bind(plain(fault)).bind(failed.map(Timestamp::millis));
        query.execute(self.db()).await?;
        Ok(())
    }

    /// When a message is tried next.
    pub async fn message_due(&mut self, id: i64, due: Timestamp) -> Result<(), StoreError> {
        sqlx::query("update message set due_at = $2 where id = $1").bind(id).bind(due.millis()).execute(self.db()).await?;
        Ok(())
    }

    /// Has a message tried once more. `false` when it was sent, or has no text any more.
    pub async fn retry_message(&mut self, token: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "update message set due_at = $2, failed_at = null, over_at = case when over_at > $3 then over_at else $3 end \
                   where token = $1 and sent_at is null and body is not null and keeps_text = 1";
        let query = sqlx::query(sql).bind(plain(token)).bind(now.millis()).bind(now.plus_days(1).millis());
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }

    pub async fn message(&mut self, token: &str) -> Result<Option<Message>, StoreError> {
        let sql = concat!("select ", message_columns!(), " from message where token = $1");
        sqlx::query(sql).bind(plain(token)).fetch_optional(self.db()).await?.as_ref().map(message).transpose()
    }

    /// Messages before this id, newest first; to one recipient, where one is named.
    pub async fn messages(&mut self, before: i64, recipient: Option<&str>, most: i64) -> Result<Vec<Message>, StoreError> {
        let sql = concat!(
            "select ",
            message_columns!(),
            " from message where id < $1 and ($2 = '' or lower(recipient) = $2) order by id desc limit $3"
        );
        let recipient = recipient.unwrap_or_default().to_lowercase();
        let rows = sqlx::query(sql).bind(before).bind(plain(&recipient)).bind(most).fetch_all(self.db()).await?;
        rows.iter().map(message).collect()
    }
}
