//! What runs by itself: noticing what other processes changed, sending mail, and sweeping what nobody can read any more.

use std::time::Duration;

use super::AppState;

/// Starts the jobs; they end with the process.
pub fn start(state: &AppState) {
    let noticing = state.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(2));
        loop {
            tick.tick().await;
            if let Err(error) = noticing.desk.notice_changes().await {
                tracing::warn!(error = ?error, "Looking for changes of other processes failed; it is tried again.");
            }
        }
    });
    let writing = state.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(30));
        loop {
            tick.tick().await;
            if let Err(error) = writing.desk.write_seen().await {
                tracing::warn!(error = ?error, "When machines called last could not be written; it is tried again in half a minute.");
            }
        }
    });
    let sending = state.clone();
    tokio::spawn(async move {
        loop {
            sending.desk.next_message(Duration::from_secs(15)).await;
            if let Err(error) = sending.desk.send_messages().await {
                tracing::warn!(error = ?error, "Mail could not be looked through; it is tried again in a quarter of a minute.");
                tokio::time::sleep(Duration::from_secs(15)).await;
            }
        }
    });
    let finishing = state.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(60));
        loop {
            tick.tick().await;
            if let Err(error) = finishing.desk.finish_shop_events().await {
                tracing::warn!(error = ?error, "What shops told could not be looked through; it is tried again in a minute.");
            }
        }
    });
    let sweeping = state.clone();
    // A name for this process among those that share the database.
    let holder = uuid::Uuid::new_v4().to_string();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(3600));
        loop {
            tick.tick().await;
            sweeping.limits.tidy();
            if let Err(error) = sweeping.desk.checkpoint_audit(&holder).await {
                tracing::warn!(error = ?error, "The audit log could not be sealed by a checkpoint; it is tried again in an hour.");
            }
            if let Err(error) = sweeping.desk.housekeeping().await {
                tracing::warn!(error = ?error, "Housekeeping failed; it is tried again in an hour.");
            }
        }
    });
}
