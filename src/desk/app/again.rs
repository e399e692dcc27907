//! The same check again. Most of what apps ask has not changed since they asked last: then the answer is the one before, and all that
//! is read is whether that is so.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use lru::LruCache;
use sha2::{Digest, Sha256};

use super::AppLicense;
use crate::{
    desk::{Desk, Fault},
    licensing::{ActivationId, Timestamp},
    store::{MarksOf, StoreError},
    vault::SecretBytes,
};

/// Some 4 KB each.
const KEPT: std::num::NonZeroUsize = std::num::NonZeroUsize::new(4_096).unwrap();

/// Nothing is answered from before this, in hours, without looking at it whole.
const LONGEST: i64 = 12;

/// A machine that goes on calling is noted so often, in seconds.
const NOTED: i64 = 60;

type Name = [u8; 32];

#[derive(Clone)]
pub(in crate::desk) struct Again(Arc<Mutex<LruCache<Name, Arc<Before>>>>);

impl Default for Again {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(KEPT))))
    }
}

/// A check that came before.
pub struct Before {
    of: MarksOf,
    activation: ActivationId,
    shared_key: SecretBytes,
    answer: Option<Kept>,
    /// When its machine was noted as seen, in seconds.
    noted: AtomicI64,
}

struct Kept {
    marks: Name,
    until: Timestamp,
    text: String,
    signature: String,
}

impl Before {
    /// What the app signs with that asked.
    pub fn shared_key(&self) -> &[u8] {
        self.shared_key.as_slice()
    }
}

/// What became of looking for an answer.
pub enum Recalled {
    /// Nothing has changed: the text and its signature.
    Same(String, String),
    /// An answer made now may be kept under these marks, which were read before it.
    Marks(Name),
    Nothing,
}

impl Desk {
    /// A check with this query by this app, if one came before.
    pub fn before(&self, api_key: &str, query: &str) -> Option<Arc<Before>> {
        let settings = self.settings();
        if settings.oauth_required {
            return None;
        }
        let name = name(settings.expose_customer, api_key, query);
        self.again().get(&name).cloned()
    }

    /// The answer from before, if everything it was made of is as it was then. The caller has seen that the app is the one it was.
    pub async fn recall(&self, before: &Before) -> Result<Recalled, Fault> {
        let now = self.now();
        let marks = match self.store.marks(before.of.clone()).await {
            Ok(marks) => marks,
            // Whoever looks at everything is told what is wrong.
            Err(StoreError::Closed) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(marks) = marks.map(|marks| Name::from(Sha256::digest(marks))) else { return Ok(Recalled::Nothing) };
        match &before.answer {
            Some(kept) if kept.marks == marks && now < kept.until => {
                if now.seconds() - before.noted.load(Ordering::Relaxed) >= NOTED {
                    before.noted.store(now.seconds(), Ordering::Relaxed);
                    self.kept.seen.put(before.activation, now);
                }
                Ok(Recalled::Same(kept.text.clone(), kept.signature.clone()))
            }
            _ => Ok(Recalled::Marks(marks)),
        }
    }

    /// Keeps what was asked for the next time; and the answer, where the marks it was made under were read before it. What takes a slot,
    /// and what a TPM or a password proves, is looked at each time.
    pub fn keep_check(
        &self,
        (api_key, shared_key): (&str, SecretBytes),
        query: &str,
        (found, asked_at): (&AppLicense, Timestamp),
        marks: Option<Name>,
        (text, signature): (&str, &str),
    ) {
        let (license, activation) = (&found.facts.license, &found.activation);
        let floats = license.terms.floating.is_some() || license.terms.entitlements.iter().any(|one| one.floating.is_some());
        if floats || found.user.is_some() || activation.tpm_key.is_some() {
            return;
        }
        let until = asked_at.plus_hours(LONGEST);
        let until = license.next_change(asked_at).map_or(until, |change| change.min(until));
        let answer = marks.map(|marks| Kept { marks, until, text: text.to_owned(), signature: signature.to_owned() });
        let last = activation.last_seen.seconds();
        let noted = if asked_at.seconds() - last >= NOTED { asked_at.seconds() } else { last };
        let before = Before {
            of: MarksOf { license: license.id, device: activation.device.id.clone(), api_key: api_key.to_owned() },
            activation: activation.id,
            shared_key,
            answer,
            noted: AtomicI64::new(noted),
        };
        let name = name(found.exposed, api_key, query);
        self.again().put(name, Arc::new(before));
    }

    fn again(&self) -> MutexGuard<'_, LruCache<Name, Arc<Before>>> {
        self.kept.again.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of the same question by the same app, under a setting that answers it alike.
fn name(exposed: bool, api_key: &str, query: &str) -> Name {
    let mut hash = Sha256::new();
    hash.update([u8::from(exposed)]);
    hash.update((api_key.len() as u64).to_le_bytes());
    hash.update(api_key);
    hash.update(query);
    hash.finalize().into()
}
