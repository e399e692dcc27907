//! Result pages: kept under the hash of their link, which nobody but its holder has.

use super::{
    Conn, StoreError,
    conn::{Bound, Columns},
};
use crate::licensing::Timestamp;

#[derive(Clone, Debug)]
pub struct ResultPage {
    pub token_hash: Vec<u8>,
    pub kind: String,
    /// JSON, read only by the room that wrote it.
    pub content: String,
    pub created: Timestamp,
    pub expires: Timestamp,
}

impl ResultPage {
    pub(super) fn bind(&self, query: Bound) -> Bound {
        query
            .bind(self.token_hash.clone())
            .bind(self.kind.clone())
            .bind(self.content.clone())
            .bind(self.created.millis())
            .bind(self.expires.millis())
    }
}

/// Whose names in `form_request` are what events did, which is kept as long as anybody may act on one again.
pub const NAMES_OF_EVENTS: &str = "event";
const EVENT_NAMES_DAYS: i64 = 3 * 365;

impl Conn {
    /// Keeps a page, in place of one under the same link; it is written with the commit.
    pub fn keep_page(&mut self, page: ResultPage) {
        self.pages.push(page);
    }

    /// Forgets the pages of one kind whose content holds this text: what they show is good no more.
    pub async fn drop_pages_with(&mut self, kind: &str, text: &str) -> Result<(), StoreError> {
        let sql = "delete from result_page where kind = $1 and content like '%' || $2 || '%'";
        sqlx::query(sql).bind(kind.to_owned()).bind(super::conn::plain(text)).execute(self.db()).await?;
        self.pages.retain(|page| page.kind != kind || !page.content.contains(text));
        Ok(())
    }

    /// The page under this link, unless its time is over.
    pub async fn page(&mut self, token_hash: &[u8], now: Timestamp) -> Result<Option<ResultPage>, StoreError> {
        if let Some(kept) = self.pages.iter().rev().find(|page| page.token_hash == token_hash && page.expires > now) {
            return Ok(Some(kept.clone()));
        }
        let sql = "select kind, content, created_at, expires_at from result_page where token_hash = $1 and expires_at > $2";
        let row = sqlx::query(sql).bind(token_hash.to_vec()).bind(now.millis()).fetch_optional(self.db()).await?;
        row.map(|row| {
            Ok(ResultPage {
                token_hash: token_hash.to_vec(),
                kind: row.string("kind")?,
                content: row.string("content")?,
                created: Timestamp::from_millis(row.int("created_at")?),
                expires: Timestamp::from_millis(row.int("expires_at")?),
            })
        })
        .transpose()
    }

    /// Forgets what nobody can read any more: pages, form requests, sessions, rate windows and codes past their time, and refusals older
    /// than staff wants to keep them.
    pub async fn sweep(&mut self, now: Timestamp, refusals_before: Timestamp) -> Result<(), StoreError> {
        sqlx::query("delete from result_page where expires_at <= $1").bind(now.millis()).execute(self.db()).await?;
        sqlx::query("delete from session where expires_at <= $1").bind(now.millis()).execute(self.db()).await?;
        let day_ago = now.plus_days(-1).millis();
        let forms = "delete from form_request where created_at <= $1 and (actor <> $2 or created_at <= $3)";
        let forms = sqlx::query(forms).bind(day_ago).bind(NAMES_OF_EVENTS).bind(now.plus_days(-EVENT_NAMES_DAYS).millis());
        forms.execute(self.db()).await?;
        sqlx::query("delete from rate where window_end <= $1").bind(now.millis()).execute(self.db()).await?;
        sqlx::query("delete from attempt where at < $1").bind(refusals_before.millis()).execute(self.db()).await?;
        sqlx::query("delete from authorization_code where expires_at < $1").bind(day_ago).execute(self.db()).await?;
        // What nobody needs any more is forgotten, and in the end that it was ever sent.
        let over = "update message set body = null where keeps_text = 0 and over_at <= $1 and body is not null";
        sqlx::query(over).bind(now.millis()).execute(self.db()).await?;
        let quarter_ago = now.plus_days(-90).millis();
        sqlx::query("delete from message where created_at < $1").bind(quarter_ago).execute(self.db()).await?;
        // What waits for somebody to mend something is kept until it is acted on.
        let events = "delete from shop_event where received_at < $1 and state in ('done', 'ignored')";
        sqlx::query(events).bind(refusals_before.millis()).execute(self.db()).await?;
        // A code that ran out is told apart from one that never was for a while longer.
        let month_ago = now.plus_days(-30).millis();
        sqlx::query("delete from airgap_code where expires_at < $1").bind(month_ago).execute(self.db()).await?;
        Ok(())
    }
}
