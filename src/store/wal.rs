//! SQLite's write-ahead log, copied back into the database beside the writer. Left to SQLite, the commit that crosses a threshold does
//! it all: some 50 ms in which every act waits.

use std::time::Duration;

use sqlx::AnyPool;
use tokio::sync::Notify;

/// How often at most: what is left for the writer's own threshold is what was committed since.
const PAUSE: Duration = Duration::from_millis(100);

/// Copies after commits, for as long as it is polled. It waits for nobody and nobody for it; what it could not copy while somebody
/// reads comes with the next.
pub(super) async fn copy_back(readers: &AnyPool, committed: &Notify) {
    loop {
        committed.notified().await;
        tokio::time::sleep(PAUSE).await;
        match readers.acquire().await {
            Ok(mut conn) => {
                if let Err(error) = sqlx::raw_sql("pragma wal_checkpoint(passive)").execute(&mut *conn).await {
                    tracing::warn!(error = %error, "The write-ahead log was not copied back; the writer will do it.");
                }
            }
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => tracing::warn!(error = %error, "No connection is free to copy the write-ahead log back."),
        }
    }
}
