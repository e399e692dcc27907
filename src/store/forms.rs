//! Forms sent twice, and acts tried too often.

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::Timestamp;

/// What became of a form that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    Mine,
    Running,
    Done(String),
}

impl Conn {
    /// Claims a form; one that was begun before `lost_before` and never ended is claimed anew, and so is one that was claimed before
    /// `over_before`, whatever became of it.
    pub async fn claim_form(
        &mut self,
        id: &str,
        actor: &str,
        now: Timestamp,
        lost_before: Timestamp,
        over_before: Timestamp,
    ) -> Result<Claim, StoreError> {
        let sql = "insert into form_request (id, actor, result, created_at) values ($1, $2, '', $3) \
                   on conflict (id) do update set created_at = $3, result = '' where form_request.created_at < $5 \
                   or (form_request.result = '' and form_request.created_at < $4)";
        let query = sqlx::query(sql).bind(plain(id)).bind(plain(actor)).bind(now.millis()).bind(lost_before.millis());
        let query = query.bind(over_before.millis());
        if query.execute(self.db()).await?.rows_affected() == 1 {
            return Ok(Claim::Mine);
        }
        Ok(match self.form_result(id, actor).await? {
            Some(result) if !result.is_empty() => Claim::Done(result),
            _ => Claim::Running,
        })
    }

    /// Remembers where a claimed form ended, or gives the claim back.
    pub async fn finish_form(&mut self, id: &str, result: Option<&str>) -> Result<(), StoreError> {
        let query = match result {
            Some(result) => sqlx::query("update form_request set result = $2 where id = $1").bind(plain(id)).bind(plain(result)),
            None => sqlx::query("delete from form_request where id = $1 and result = ''").bind(plain(id)),
        };
        query.execute(self.db()).await?;
        Ok(())
    }

    /// What a form that came before under this hidden id ended in, for the same actor.
    pub async fn form_result(&mut self, id: &str, actor: &str) -> Result<Option<String>, StoreError> {
        let sql = "select result from form_request where id = $1 and actor = $2";
        let row = sqlx::query(sql).bind(plain(id)).bind(plain(actor)).fetch_optional(self.db()).await?;
        row.map(|row| row.string("result")).transpose()
    }

    /// Remembers what a form ended in. `false` when another act got there first.
    pub async fn keep_form_result(&mut self, id: &str, actor: &str, result: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "insert into form_request (id, actor, result, created_at) values ($1, $2, $3, $4) on conflict do nothing";
        let query = sqlx::query(sql).bind(plain(id)).bind(plain(actor)).bind(plain(result)).bind(now.millis());
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }

    /// Counts one more try by a subject in the window that runs at `now`, and returns how many that makes.
    pub async fn count_try(&mut self, subject: &str, window_seconds: i64, now: Timestamp) -> Result<i64, StoreError> {
        self.count_tries(subject, 1, window_seconds, now).await
    }

    /// The same for several at once.
    pub async fn count_tries(
        &mut self,
        subject: &str,
        tries: usize,
        window_seconds: i64,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let (start, end) = window(window_seconds, now);
        let sql = "insert into rate (subject, window_start, window_end, times) values ($1, $2, $3, $4) \
                   on conflict (subject, window_start, window_end) do update set times = rate.times + $4 returning times";
        let tries = i64::try_from(tries).unwrap_or(i64::MAX);
        let row = sqlx::query(sql).bind(plain(subject)).bind(start).bind(end).bind(tries).fetch_one(self.db()).await?;
        row.int("times")
    }

    /// Forgets a subject's tries: it has shown that it may.
    pub async fn forget_tries(&mut self, subject: &str) -> Result<(), StoreError> {
        sqlx::query("delete from rate where subject = $1").bind(plain(subject)).execute(self.db()).await?;
        Ok(())
    }

    /// How many tries a subject has made in the window that runs at `now`.
    pub async fn tries(&mut self, subject: &str, window_seconds: i64, now: Timestamp) -> Result<i64, StoreError> {
        let (start, end) = window(window_seconds, now);
        let sql = "select times from rate where subject = $1 and window_start = $2 and window_end = $3";
        let row = sqlx::query(sql).bind(plain(subject)).bind(start).bind(end).fetch_optional(self.db()).await?;
        row.map_or(Ok(0), |row| row.int("times"))
    }
}

/// The window of this length that runs at `now`, in milliseconds: one of no length is a second long.
fn window(seconds: i64, now: Timestamp) -> (i64, i64) {
    let length = seconds.clamp(1, 1 << 32) * 1000;
    let start = now.millis().div_euclid(length) * length;
    (start, start + length)
}
