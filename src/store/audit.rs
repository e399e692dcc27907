//! The audit log. Each entry carries the hash of the one before it about the same subject, whose head stands on a row the act
//! holds locked, so that entries about one subject form a chain that breaks where it is changed.

use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Bound, Columns},
};
use crate::licensing::{Timestamp, license::Actor};

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    pub kind: &'static str,
    pub id: i64,
}

impl Subject {
    pub const KINDS: [&'static str; 12] = [
        "license",
        "product",
        "bundle",
        "order",
        "customer",
        "customer_account",
        "staff",
        "setting",
        "api_key",
        "oauth_client",
        "extension",
        "seal",
    ];

    #[must_use]
    pub const fn license(id: i64) -> Self {
        Self { kind: "license", id }
    }

    #[must_use]
    pub const fn of(kind: &'static str, id: i64) -> Self {
        Self { kind, id }
    }
}

/// An entry to be written: who did what, and how the thing looked before and after.
#[derive(Clone, Debug)]
pub struct NewAudit {
    pub at: Timestamp,
    pub subject: Subject,
    pub act: &'static str,
    pub actor: Actor,
    /// JSON of what changed, and only of that; secrets never.
    pub before: Option<serde_json::Value>,
    pub after: Option<serde_json::Value>,
}

/// An entry as it is kept.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub id: i64,
    pub at: Timestamp,
    pub subject_kind: String,
    pub subject_id: i64,
    pub act: String,
    pub actor: Actor,
    pub before: Option<String>,
    pub after: Option<String>,
    pub hash: Vec<u8>,
}

/// Where a chain breaks: at which entry, 0 where none is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub entry: i64,
    pub subject_kind: String,
    pub subject_id: i64,
    pub why: &'static str,
}

pub(super) struct AuditRow {
    at: i64,
    subject: Subject,
    act: &'static str,
    actor: String,
    before: Option<String>,
    after: Option<String>,
    prev: Option<Vec<u8>>,
    hash: Vec<u8>,
}

impl AuditRow {
    pub(super) fn bind(&self, query: Bound) -> Bound {
        query
            .bind(self.at)
            .bind(self.subject.kind)
            .bind(self.subject.id)
            .bind(self.act)
            .bind(self.actor.clone())
            .bind(self.before.clone())
            .bind(self.after.clone())
            .bind(self.prev.clone())
            .bind(self.hash.clone())
    }
}

/// What the hash of an entry is made of.
struct Link<'a> {
    prev: Option<&'a [u8]>,
    at: i64,
    kind: &'a str,
    id: i64,
    act: &'a str,
    actor: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

/// Every field with its length before it, so that no two entries share their bytes.
fn chain_hash(link: &Link<'_>) -> Vec<u8> {
    let Link { prev, at, kind, id, act, actor, before, after } = *link;
    let mut hash = Sha256::new();
    hash.update(b"countersign/audit/1");
    let (at, id) = (at.to_be_bytes(), id.to_be_bytes());
    let fields: [Option<&[u8]>; 8] = [
        prev,
        Some(&at),
        Some(kind.as_bytes()),
        Some(&id),
        Some(act.as_bytes()),
        Some(actor.as_bytes()),
        before.map(str::as_bytes),
        after.map(str::as_bytes),
    ];
    for field in fields {
        match field {
            Some(bytes) => {
                hash.update([1]);
                hash.update((bytes.len() as u64).to_be_bytes());
                hash.update(bytes);
            }
            None => hash.update([0]),
        }
    }
    hash.finalize().to_vec()
}

macro_rules! audit_columns {
    () => {
        "id, at, subject_kind, subject_id, act, actor, before, after, prev, hash"
    };
}
pub(super) use audit_columns;

pub(super) fn entry(row: &AnyRow) -> Result<AuditEntry, StoreError> {
    let id = row.int("id")?;
    Ok(AuditEntry {
        id,
        at: Timestamp::from_millis(row.int("at")?),
        subject_kind: row.string("subject_kind")?,
        subject_id: row.int("subject_id")?,
        act: row.string("act")?,
        actor: serde_json::from_str(&row.string("actor")?).map_err(|_| StoreError::inconsistent("audit", "actor", id))?,
        before: row.maybe_string("before")?,
        after: row.maybe_string("after")?,
        hash: row.bytes("hash")?,
    })
}

impl Conn {
    /// Writes an entry (with the commit) and returns the chain's new head, which the act saves on the row it holds locked.
    pub fn audit(&mut self, new: &NewAudit, head: Option<&[u8]>) -> Vec<u8> {
        let actor = serde_json::to_string(&new.actor).expect("actors are plain data");
        let before = new.before.as_ref().map(ToString::to_string);
        let after = new.after.as_ref().map(ToString::to_string);
        let at = new.at.millis();
        let hash = chain_hash(&Link {
            prev: head,
            at,
            kind: new.subject.kind,
            id: new.subject.id,
            act: new.act,
            actor: &actor,
            before: before.as_deref(),
            after: after.as_deref(),
        });
        let prev = head.map(<[u8]>::to_vec);
        self.audits.push(AuditRow { at, subject: new.subject, act: new.act, actor, before, after, prev, hash: hash.clone() });
        hash
    }

    /// Writes an entry about something whose head is kept in a table of its own.
    pub async fn audit_apart(&mut self, new: &NewAudit) -> Result<(), StoreError> {
        // The row must exist before it can be locked.
        let insert = "insert into audit_head (subject_kind, subject_id, hash) values ($1, $2, $3) on conflict do nothing";
        let (kind, id) = (new.subject.kind, new.subject.id);
        sqlx::query(insert).bind(kind).bind(id).bind(Vec::<u8>::new()).execute(self.db()).await?;
        let sql = self.engine().pick(
            "select hash from audit_head where subject_kind = $1 and subject_id = $2",
            "select hash from audit_head where subject_kind = $1 and subject_id = $2 for update",
        );
        let head = sqlx::query(sql).bind(kind).bind(id).fetch_one(self.db()).await?.bytes("hash")?;
        let head = self.audit(new, (!head.is_empty()).then_some(head.as_slice()));
        let update = "update audit_head set hash = $3 where subject_kind = $1 and subject_id = $2";
        sqlx::query(update).bind(kind).bind(id).bind(head).execute(self.db()).await?;
        Ok(())
    }

    /// The entries about a subject, newest first.
    pub async fn audit_of(&mut self, subject: Subject, most: i64) -> Result<Vec<AuditEntry>, StoreError> {
        let sql = concat!(
            "select ",
            audit_columns!(),
            " from audit where subject_kind = $1 and subject_id = $2 order by id desc limit $3"
        );
        let rows = sqlx::query(sql).bind(subject.kind).bind(subject.id).bind(most).fetch_all(self.db()).await?;
        rows.iter().map(entry).collect()
    }

    /// Walks every chain from its first entry to its head; says where one breaks. Entries and heads are read by one statement, so
    /// that an act which is saved meanwhile is seen whole or not at all.
    pub async fn verify_audit(&mut self) -> Result<(u64, Vec<Broken>), StoreError> {
        let sql = concat!(
            "select ",
            audit_columns!(),
            ", 0 as is_head from audit \
             union all select 0, 0, subject_kind, subject_id, '', '', null, null, null, hash, 1 from audit_head \
             union all select 0, 0, 'license', id, '', '', null, null, null, audit_head, 1 from license where audit_head is not null \
             order by 3, 4, 11, 1"
        );
        let (mut entries, mut broken) = (0, Vec::new());
        let mut chain: Option<Chain> = None;
        let mut rows = sqlx::query(sql).fetch(self.db());
        while let Some(row) = rows.try_next().await? {
            let (kind, id, hash) = (row.string("subject_kind")?, row.int("subject_id")?, row.bytes("hash")?);
            let mut now = match chain.take() {
                Some(same) if same.kind == kind && same.id == id => same,
                ended => {
                    broken.extend(ended.and_then(Chain::end));
                    Chain { kind, id, last: 0, head: None, kept: None }
                }
            };
            if row.int("is_head")? == 1 {
                now.kept = Some(hash);
            } else {
                entries += 1;
                now.step(&row, hash, &mut broken)?;
            }
            chain = Some(now);
        }
        broken.extend(chain.and_then(Chain::end));
        Ok((entries, broken))
    }
}

/// A chain while it is walked.
struct Chain {
    kind: String,
    id: i64,
    last: i64,
    head: Option<Vec<u8>>,
    kept: Option<Vec<u8>>,
}

impl Chain {
    fn step(&mut self, row: &AnyRow, hash: Vec<u8>, broken: &mut Vec<Broken>) -> Result<(), StoreError> {
        self.last = row.int("id")?;
        let prev = row.maybe_bytes("prev")?;
        if prev != self.head {
            broken.push(self.broken("an entry before it is missing or was changed"));
        }
        let expected = chain_hash(&Link {
            prev: prev.as_deref(),
            at: row.int("at")?,
            kind: &self.kind,
            id: self.id,
            act: &row.string("act")?,
            actor: &row.string("actor")?,
            before: row.maybe_string("before")?.as_deref(),
            after: row.maybe_string("after")?.as_deref(),
        });
        if hash != expected {
            broken.push(self.broken("the entry itself was changed"));
        }
        self.head = Some(hash);
        Ok(())
    }

    fn end(self) -> Option<Broken> {
        match (&self.head, &self.kept) {
            (head, kept) if head == kept => None,
            (None, _) => Some(self.broken("every entry is missing")),
            (Some(_), None) => Some(self.broken("the head of its chain is missing")),
            (Some(_), Some(_)) => Some(self.broken("entries after it are missing")),
        }
    }

    fn broken(&self, why: &'static str) -> Broken {
        Broken { entry: self.last, subject_kind: self.kind.clone(), subject_id: self.id, why }
    }
}
