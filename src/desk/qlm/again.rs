//! The same validation again. Apps ask on every start, and most of what they are told has not changed within the minute that stands in a
//! document: then the answer is the one before, and all that is read is whether that is so.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use lru::LruCache;
use sha2::{Digest, Sha256};

use super::{QlmCall, QlmRefused};
use crate::{
    desk::{Desk, Fault},
    licensing::{ActivationId, ProductId, Timestamp, activation::Activation, license::License, qlm::document::Element},
    store::{MarksOf, StoreError},
};

/// Some 4 KB each.
const KEPT: std::num::NonZeroUsize = std::num::NonZeroUsize::new(4_096).unwrap();

/// A machine that goes on calling is noted so often, in seconds.
const NOTED: i64 = 60;

type Name = [u8; 32];

#[derive(Clone)]
pub(in crate::desk) struct Validated(Arc<Mutex<LruCache<Name, Arc<Before>>>>);

impl Default for Validated {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(KEPT))))
    }
}

/// A validation that came before.
struct Before {
    of: MarksOf,
    activation: ActivationId,
    /// None until it was made under marks that were read before it.
    answer: Option<Answer>,
    noted: AtomicI64,
}

struct Answer {
    marks: Name,
    until: Timestamp,
    text: String,
}

/// A license that was told of, and what may be kept of it.
pub(in crate::desk) struct Told {
    pub product: ProductId,
    pub element: Element,
    /// The license, and the machine it is active on; none where it is told anew each time.
    pub of: Option<(License, Activation)>,
    /// Telling it changed something, so what was read before it is another state than what is told.
    pub changed: bool,
}

impl Desk {
    /// A validation's answer as it is sent: from before, where nothing has changed, else made now.
    pub async fn qlm_validated(&self, call: &QlmCall) -> Result<Result<String, QlmRefused>, Fault> {
        let name = self.validation_name(call);
        let before = self.validated().get(&name).cloned();
        let now = self.now();
        let mut marks = None;
        if let Some(before) = before {
            let read = match self.store.marks(before.of.clone()).await {
                Ok(marks) => marks,
                // Whoever looks at everything is told what is wrong.
                Err(StoreError::Closed) => None,
                Err(error) => return Err(error.into()),
            };
            marks = read.map(|marks| Name::from(Sha256::digest(marks)));
            if let (Some(answer), Some(marks)) = (&before.answer, marks)
                && answer.marks == marks
                && now < answer.until
            {
                if now.seconds() - before.noted.load(Ordering::Relaxed) >= NOTED {
                    before.noted.store(now.seconds(), Ordering::Relaxed);
                    self.kept.seen.put(before.activation, now);
                }
                return Ok(Ok(answer.text.clone()));
            }
        }
        let told = match self.qlm_validate_told(call).await? {
            Ok(told) => told,
            Err(refused) => return Ok(Err(refused)),
        };
        let text = self.qlm_document(Some(told.product), &told.element).await?;
        if let Some((license, activation)) = told.of {
            // The document holds the minute it was made in.
            let minute = Timestamp::from_millis((now.millis() / 60_000 + 1) * 60_000);
            let until = license.next_change(now).map_or(minute, |change| change.min(minute));
            let of = MarksOf { license: license.id, device: activation.device.id.clone(), api_key: String::new() };
            let answer = marks.filter(|_| !told.changed).map(|marks| Answer { marks, until, text: text.clone() });
            let noted = AtomicI64::new(now.seconds());
            self.validated().put(name, Arc::new(Before { of, activation: activation.id, answer, noted }));
        }
        Ok(Ok(text))
    }

    /// Of the same question, under the same settings.
    fn validation_name(&self, call: &QlmCall) -> Name {
        let mut hash = Sha256::new();
        hash.update(self.settings().revision.to_le_bytes());
        hash.update(call.args.fingerprint(&[], &[]));
        hash.finalize().into()
    }

    fn validated(&self) -> MutexGuard<'_, LruCache<Name, Arc<Before>>> {
        self.kept.validated.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is told anew each time: what takes a slot, and what a key of the machine's own speaks for.
pub(super) fn may_be_kept(license: &License, activation: &Activation) -> bool {
    let floats = license.terms.floating.is_some() || license.terms.entitlements.iter().any(|one| one.floating.is_some());
    !floats && activation.device_key.is_none() && activation.tpm_key.is_none() && activation.state.holds_seat()
}
