//! Forms that are sent twice. The act of issuing keeps its own result inside its transaction as well; this keeps the answer of every
//! other form.

use sha2::{Digest, Sha256};

use super::{ActError, Desk, Visitor};
use crate::{licensing::files::base64, store::Claim};

/// After this long a form that was begun and never ended is taken as lost: its process died.
const LOST_AFTER_SECONDS: i64 = 60;
/// For this long a form that comes again is the same one, by a double click or a retry; later it is meant.
const SAME_FOR_SECONDS: i64 = 120;

/// What became of a form so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormClaim {
    /// Nobody acts on it yet: whoever asked does now.
    Mine,
    /// It is being acted on beside.
    Running,
    /// It was acted on, and ended at this address.
    Done(String),
}

impl Desk {
    /// Claims a form by its name for one actor. Someone else's form of the same name is another form.
    pub async fn claim_form(&self, visitor: &Visitor, name: &str) -> Result<FormClaim, ActError> {
        let (now, id, actor) = (self.now(), form_id(visitor, name), actor_of(visitor));
        let claimed = self.store.write(move |conn| {
            let (id, actor) = (id.clone(), actor.clone());
            Box::pin(async move {
                let (lost, over) = (now.plus_seconds(-LOST_AFTER_SECONDS), now.plus_seconds(-SAME_FOR_SECONDS));
                conn.claim_form(&id, &actor, now, lost, over).await
            })
        });
        Ok(match claimed.await? {
            Claim::Mine => FormClaim::Mine,
            Claim::Running => FormClaim::Running,
            Claim::Done(location) => FormClaim::Done(location),
        })
    }

    /// Whether a claimed form is still being acted on.
    pub async fn form_runs(&self, visitor: &Visitor, name: &str) -> Result<bool, ActError> {
        let result = self.read().await?.form_result(&form_id(visitor, name), &actor_of(visitor)).await?;
        Ok(result.is_some_and(|result| result.is_empty()))
    }

    /// Remembers where a form ended, or forgets that it was begun.
    pub async fn finish_form(&self, visitor: &Visitor, name: &str, location: Option<&str>) -> Result<(), ActError> {
        let (id, location) = (form_id(visitor, name), location.map(str::to_owned));
        let finished = self.store.write(move |conn| {
            let (id, location) = (id.clone(), location.clone());
            Box::pin(async move { conn.finish_form(&id, location.as_deref()).await })
        });
        Ok(finished.await?)
    }
}

fn actor_of(visitor: &Visitor) -> String {
    match visitor {
        Visitor::Staff { id, .. } => format!("staff:{id}"),
        Visitor::Operator => "operator".to_owned(),
        Visitor::Extension { name } => format!("extension:{name}"),
    }
}

fn form_id(visitor: &Visitor, name: &str) -> String {
    base64::url(&Sha256::digest(format!("form\n{}\n{name}", actor_of(visitor))))
}
