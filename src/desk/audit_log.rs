//! The audit log as a whole: read, checked, and sealed once a day by a checkpoint over the heads of all its chains.

use super::{ActError, Area, Desk, Level, Visitor};
use crate::{
    licensing::Timestamp,
    store::{AuditEntry, AuditFilter, Broken, Checkpoint, Page},
    vault::AuditKey,
};

const CHECKPOINT_HOURS: i64 = 24;
/// The job is late by less than this as long as it runs at all.
const LATE_HOURS: i64 = 50;

/// What checking the audit log found.
#[derive(Clone, Debug)]
pub struct AuditReport {
    pub entries: u64,
    pub broken: Vec<Broken>,
    pub checkpoints: usize,
    /// When the newest was made.
    pub newest: Option<Timestamp>,
    /// The first checkpoint that does not hold.
    pub fault: Option<CheckpointFault>,
}

/// Why a checkpoint does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointFault {
    pub at: Timestamp,
    pub why: &'static str,
}

impl AuditReport {
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.broken.is_empty() && self.fault.is_none()
    }
}

impl Desk {
    pub async fn audit(&self, visitor: &Visitor, filter: &AuditFilter) -> Result<Page<AuditEntry>, ActError> {
        visitor.needs(Area::Audit, Level::Read)?;
        Ok(self.read().await?.list_audit(filter).await?)
    }

    /// Walks every chain and holds the log to its checkpoints: says where it was changed.
    pub async fn verify_audit(&self, visitor: &Visitor) -> Result<AuditReport, ActError> {
        visitor.needs(Area::Audit, Level::Read)?;
        let mut conn = self.read().await?;
        let (entries, broken) = conn.verify_audit().await?;
        let checkpoints = conn.checkpoints().await?;
        let key = self.vault.audit_key();
        let mut fault = checkpoints.iter().find_map(|checkpoint| unsigned(&key, checkpoint));
        // The newest covers every entry the ones before it do.
        if let (None, Some(newest)) = (&fault, checkpoints.last())
            && conn.heads_at(newest.last_entry).await?.hash != newest.heads_hash
        {
            fault = Some(CheckpointFault { at: newest.at, why: "entries before it were changed, added or removed" });
        }
        let newest = checkpoints.last().map(|checkpoint| checkpoint.at);
        Ok(AuditReport { entries, broken, checkpoints: checkpoints.len(), newest, fault })
    }

    /// Signs a checkpoint when the last one is a day old. One process does it, whoever holds the lease.
    pub async fn checkpoint_audit(&self, holder: &str) -> Result<(), ActError> {
        let (now, holder, vault) = (self.now(), holder.to_owned(), self.vault.clone());
        let made = self.store.write(move |conn| {
            let (holder, vault) = (holder.clone(), vault.clone());
            Box::pin(async move {
                if !conn.take_lease("audit-checkpoint", &holder, now, now.plus_hours(1)).await? {
                    return Ok(None);
                }
                let newest = conn.checkpoints().await?.pop();
                let due = |last: &Checkpoint| now >= last.at.plus_hours(CHECKPOINT_HOURS);
                if !newest.as_ref().is_none_or(due) {
                    return Ok(None);
                }
                let heads = conn.heads_now().await?;
                let key = vault.audit_key();
                let signature = key.sign(now, heads.last_entry, &heads.hash);
                let checkpoint =
                    Checkpoint { at: now, last_entry: heads.last_entry, heads_hash: heads.hash, kid: key.kid(), signature };
                conn.add_checkpoint(&checkpoint).await?;
                Ok(Some(checkpoint))
            })
        });
        if let Some(made) = made.await? {
            // In the log of the process as well: what is removed from the database is still known there.
            tracing::info!(
                audit.last_entry = made.last_entry,
                audit.heads = %hex(&made.heads_hash),
                audit.signature = %hex(&made.signature),
                "The audit log was sealed by a checkpoint."
            );
        }
        Ok(())
    }

    /// Whether checkpoints are made: `doctor` asks. A portal that never ran for a day has none.
    pub async fn checkpoint_is_late(&self) -> Result<bool, ActError> {
        let newest = self.read().await?.checkpoints().await?.pop();
        Ok(newest.is_some_and(|newest| self.now() > newest.at.plus_hours(LATE_HOURS)))
    }
}

fn unsigned(key: &AuditKey, checkpoint: &Checkpoint) -> Option<CheckpointFault> {
    let Checkpoint { at, last_entry, heads_hash, signature, .. } = checkpoint;
    let signed = key.signed(*at, *last_entry, heads_hash, signature);
    (!signed).then_some(CheckpointFault { at: *at, why: "its signature is not this portal's" })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
