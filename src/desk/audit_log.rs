//! The audit log as a whole: read, checked, and sealed once a day by a checkpoint over the heads of all its chains.

use super::{ActError, Area, Desk, Level, Visitor};
use crate::{
    licensing::Timestamp,
    store::{AuditEntry, AuditFilter, Broken, Checkpoint, Conn, Page},
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
        // Whoever rewrites the log may take the checkpoints away with it: then old entries stand that none covers.
        if fault.is_none()
            && let Some(since) = self.uncovered_since(&mut conn, checkpoints.last()).await?
        {
            fault = Some(CheckpointFault {
                at: since,
                why: "no checkpoint covers the entries since then, though a running portal signs one a day",
            });
        }
        let newest = checkpoints.last().map(|checkpoint| checkpoint.at);
        Ok(AuditReport { entries, broken, checkpoints: checkpoints.len(), newest, fault })
    }

    /// Signs a checkpoint when the last one is a day old. One process does it, whoever holds the lease.
    pub async fn checkpoint_audit(&self, holder: &str) -> Result<(), ActError> {
        let (now, holder) = (self.now(), holder.to_owned());
        let due = self.store.write(move |conn| {
            let holder = holder.clone();
            Box::pin(async move {
                if !conn.take_lease("audit-checkpoint", &holder, now, now.plus_hours(1)).await? {
                    return Ok(None);
                }
                let newest = conn.newest_checkpoint().await?;
                if newest.is_some_and(|last| now < last.at.plus_hours(CHECKPOINT_HOURS)) {
                    return Ok(None);
                }
                Ok(Some(conn.newest_entry().await?))
            })
        });
        let Some(last_entry) = due.await? else { return Ok(()) };
        // Entries up to that one never change, so they are read without keeping anyone from writing.
        let heads = self.read().await?.heads_at(last_entry).await?;
        let key = self.vault.audit_key();
        let signature = key.sign(now, last_entry, &heads.hash);
        let made = Checkpoint { at: now, last_entry, heads_hash: heads.hash, kid: key.kid(), signature };
        let kept = made.clone();
        self.store
            .write(move |conn| {
                let kept = kept.clone();
                Box::pin(async move { conn.add_checkpoint(&kept).await })
            })
            .await?;
        // In the log of the process as well: what is removed from the database is still known there.
        tracing::info!(
            audit.last_entry = made.last_entry,
            audit.heads = %hex(&made.heads_hash),
            audit.signature = %hex(&made.signature),
            "The audit log was sealed by a checkpoint."
        );
        Ok(())
    }

    /// Whether entries stand longer than they should without a checkpoint over them: `doctor` asks.
    pub async fn checkpoint_is_late(&self) -> Result<bool, ActError> {
        let mut conn = self.read().await?;
        let newest = conn.newest_checkpoint().await?;
        Ok(self.uncovered_since(&mut conn, newest.as_ref()).await?.is_some())
    }

    /// The oldest entry that no checkpoint covers, where one should by now.
    async fn uncovered_since(&self, conn: &mut Conn, newest: Option<&Checkpoint>) -> Result<Option<Timestamp>, ActError> {
        let oldest = conn.first_entry_after(newest.map_or(0, |newest| newest.last_entry)).await?;
        Ok(oldest.filter(|at| self.now() > at.plus_hours(LATE_HOURS)))
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
