//! Checkpoints over the audit log: a hash of the heads of all chains at one moment, signed by the vault. Whoever rewrites a chain
//! and its head as well cannot make the signature fit again.

use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;

use super::{Conn, Engine, StoreError, conn::Columns};
use crate::licensing::Timestamp;

/// A checkpoint as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub at: Timestamp,
    /// The newest entry it covers.
    pub last_entry: i64,
    pub heads_hash: Vec<u8>,
    pub kid: String,
    pub signature: Vec<u8>,
}

/// What is there to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads {
    pub last_entry: i64,
    pub hash: Vec<u8>,
}

impl Conn {
    /// The newest entry, with every one before it there: on PostgreSQL ids are given before their transactions end, so those that are
    /// under way are waited for, and new ones wait until this act ends.
    pub async fn newest_entry(&mut self) -> Result<i64, StoreError> {
        if self.engine() == Engine::Postgres {
            self.execute("lock table audit in share mode").await?;
        }
        sqlx::query("select coalesce(max(id), 0) as last from audit").fetch_one(self.db()).await?.int("last")
    }

    /// When the first entry after this one was written.
    pub async fn first_entry_after(&mut self, entry: i64) -> Result<Option<Timestamp>, StoreError> {
        let sql = "select at from audit where id > $1 order by id limit 1";
        let row = sqlx::query(sql).bind(entry).fetch_optional(self.db()).await?;
        row.map(|row| row.int("at").map(Timestamp::from_millis)).transpose()
    }

    /// The heads of all chains as they were when this entry was the newest, from the entries themselves.
    pub async fn heads_at(&mut self, last_entry: i64) -> Result<Heads, StoreError> {
        let sql = "select a.subject_kind, a.subject_id, a.hash from audit a join (select max(id) as id from audit where id <= $1 \
                   group by subject_kind, subject_id) h on h.id = a.id order by a.id";
        let mut hash = Sha256::new();
        hash.update(b"countersign/audit-heads/1");
        hash.update(last_entry.to_be_bytes());
        let mut rows = sqlx::query(sql).bind(last_entry).fetch(self.db());
        while let Some(row) = rows.try_next().await? {
            let kind = row.string("subject_kind")?;
            hash.update((kind.len() as u64).to_be_bytes());
            hash.update(kind.as_bytes());
            hash.update(row.int("subject_id")?.to_be_bytes());
            hash.update(row.bytes("hash")?);
        }
        Ok(Heads { last_entry, hash: hash.finalize().to_vec() })
    }

    pub async fn add_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        sqlx::query("insert into audit_checkpoint (at, last_audit_id, heads_hash, kid, signature) values ($1, $2, $3, $4, $5)")
            .bind(checkpoint.at.millis())
            .bind(checkpoint.last_entry)
            .bind(checkpoint.heads_hash.clone())
            .bind(checkpoint.kid.clone())
            .bind(checkpoint.signature.clone())
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// Every checkpoint, oldest first.
    pub async fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        let sql = "select at, last_audit_id, heads_hash, kid, signature from audit_checkpoint order by id";
        let rows = sqlx::query(sql).fetch_all(self.db()).await?;
        rows.iter().map(checkpoint).collect()
    }

    pub async fn newest_checkpoint(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        let sql = "select at, last_audit_id, heads_hash, kid, signature from audit_checkpoint order by id desc limit 1";
        sqlx::query(sql).fetch_optional(self.db()).await?.as_ref().map(checkpoint).transpose()
    }
}

fn checkpoint(row: &AnyRow) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint {
        at: Timestamp::from_millis(row.int("at")?),
        last_entry: row.int("last_audit_id")?,
        heads_hash: row.bytes("heads_hash")?,
        kid: row.string("kid")?,
        signature: row.bytes("signature")?,
    })
}
