//! Forms sent twice, and acts tried too often.

use super::{Conn, StoreError, conn::Columns};
use crate::licensing::Timestamp;

impl Conn {
    /// What a form that came before under this hidden id ended in, for the same actor.
    pub async fn form_result(&mut self, id: &str, actor: &str) -> Result<Option<String>, StoreError> {
        let sql = "select result from form_request where id = $1 and actor = $2";
        let row = sqlx::query(sql).bind(id.to_owned()).bind(actor.to_owned()).fetch_optional(self.db()).await?;
        row.map(|row| row.string("result")).transpose()
    }

    /// Remembers what a form ended in. `false` when another act got there first.
    pub async fn keep_form_result(&mut self, id: &str, actor: &str, result: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "insert into form_request (id, actor, result, created_at) values ($1, $2, $3, $4) on conflict do nothing";
        let query = sqlx::query(sql).bind(id.to_owned()).bind(actor.to_owned()).bind(result.to_owned()).bind(now.millis());
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }

    /// Counts one more try by a subject in the window that runs at `now`, and returns how many that makes.
    pub async fn count_try(&mut self, subject: &str, window_seconds: i64, now: Timestamp) -> Result<i64, StoreError> {
        let window = window_seconds * 1000;
        let start = now.millis().div_euclid(window) * window;
        let sql = "insert into rate (subject, window_start, times) values ($1, $2, 1) \
                   on conflict (subject, window_start) do update set times = rate.times + 1 returning times";
        let row = sqlx::query(sql).bind(subject.to_owned()).bind(start).fetch_one(self.db()).await?;
        row.int("times")
    }

    /// How many tries a subject has made in the window that runs at `now`.
    pub async fn tries(&mut self, subject: &str, window_seconds: i64, now: Timestamp) -> Result<i64, StoreError> {
        let window = window_seconds * 1000;
        let start = now.millis().div_euclid(window) * window;
        let sql = "select times from rate where subject = $1 and window_start = $2";
        let row = sqlx::query(sql).bind(subject.to_owned()).bind(start).fetch_optional(self.db()).await?;
        row.map_or(Ok(0), |row| row.int("times"))
    }
}
