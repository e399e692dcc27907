//! What this process keeps between the calls of apps, so that a check is one read and writes nothing.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{again::Again, sso::Providers};
use crate::{
    desk::{Desk, Fault, qlm::Validated},
    licensing::{ActivationId, ProductId, Timestamp, activation::Activation, product::Release},
    store::{ActivationFactsRow, Conn, StoreError},
};

#[derive(Clone, Default)]
pub(in crate::desk) struct Kept {
    pub releases: Releases,
    pub seen: Seen,
    pub again: Again,
    pub validated: Validated,
    pub providers: Providers,
}

/// The versions of products, kept until the product's revision is another.
#[derive(Clone, Default)]
pub(in crate::desk) struct Releases(Arc<Mutex<ByProduct>>);

type ByProduct = HashMap<ProductId, (i64, Arc<[Release]>)>;

impl Releases {
    /// The versions a license covers, newest first.
    pub async fn covered(&self, conn: &mut Conn, facts: &ActivationFactsRow) -> Result<Vec<Release>, StoreError> {
        let (product, revision) = (facts.product.id, facts.product.revision);
        let kept = open(&self.0).get(&product).filter(|kept| kept.0 == revision).map(|kept| kept.1.clone());
        let all = match kept {
            Some(all) => all,
            None => {
                let all: Arc<[Release]> = conn.releases(product).await?.into();
                // What a transaction sees may never be committed.
                if conn.reads_committed() {
                    open(&self.0).insert(product, (revision, all.clone()));
                }
                all
            }
        };
        Ok(all.iter().filter(|release| facts.license.covers(&release.version)).cloned().collect())
    }
}

/// When machines called last: gathered here, and written together by [`Desk::write_seen`].
#[derive(Clone, Default)]
pub(in crate::desk) struct Seen(Arc<Mutex<HashMap<ActivationId, Timestamp>>>);

/// A machine that was seen so lately, in seconds, is not noted again.
const EXACT_TO: i64 = 60;

/// As many machines are written by one act.
const TOGETHER: usize = 1_024;

impl Seen {
    /// A machine that holds a seat has called.
    pub fn note(&self, known: Option<&Activation>, now: Timestamp) {
        let is_news = |known: &&Activation| known.state.holds_seat() && now.seconds() - known.last_seen.seconds() >= EXACT_TO;
        if let Some(known) = known.filter(is_news) {
            self.put(known.id, now);
        }
    }

    pub fn put(&self, id: ActivationId, now: Timestamp) {
        open(&self.0).insert(id, now);
    }

    fn take(&self) -> Vec<(ActivationId, Timestamp)> {
        let mut all: Vec<_> = std::mem::take(&mut *open(&self.0)).into_iter().collect();
        // Nodes that write at the same time mostly take the rows in the same order; where they do not, one is run again.
        all.sort_unstable();
        all
    }

    fn put_back(&self, all: Vec<(ActivationId, Timestamp)>) {
        let mut kept = open(&self.0);
        for (id, at) in all {
            match kept.entry(id) {
                Entry::Vacant(place) => drop(place.insert(at)),
                // It called again meanwhile.
                Entry::Occupied(_) => {}
            }
        }
    }
}

impl Desk {
    /// Writes when machines called last. Where that fails they are kept for the next time.
    pub async fn write_seen(&self) -> Result<(), Fault> {
        let all = self.kept.seen.take();
        // Acts of other kinds come between: one of all machines would make them wait.
        for (part, seen) in all.chunks(TOGETHER).enumerate() {
            let writing: Arc<[_]> = seen.into();
            let written = self.store.write(move |conn| {
                let seen = writing.clone();
                Box::pin(async move { conn.machines_were_seen(&seen).await })
            });
            if let Err(error) = written.await {
                self.kept.seen.put_back(all[part * TOGETHER..].to_vec());
                return Err(error.into());
            }
        }
        Ok(())
    }
}

fn open<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
