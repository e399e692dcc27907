//! Trials that an app asks for: one for each machine.

use super::{App, AppRefusal, sold};
use crate::{
    desk::{
        Desk, Fault, UserPassword,
        issue::{Issue, Outcome, issue_in},
    },
    licensing::{
        DeviceId, Email, LicenseId, ProductCode,
        license::{Actor, License},
        product::{Policy, Product},
        trial::{TrialFacts, trial, trial_terms},
    },
    store::{Conn, LicenseUser, StoreError},
    vault::Password,
};

/// What is asked.
#[derive(Clone)]
pub struct TrialAsk {
    pub product: ProductCode,
    pub device: DeviceId,
    pub email: Option<Email>,
    /// Kept with a customer who is new.
    pub customer_name: String,
    /// For the user, where licenses are by user; one is made where there is none.
    pub password: Option<String>,
    pub policy: Option<String>,
}

/// A trial, begun now or before.
pub struct Trial {
    pub product: Product,
    pub license: License,
    pub user: Option<LicenseUser>,
    /// Shown once, with the trial it was made for.
    pub initial_password: Option<String>,
    pub is_new: bool,
}

impl Desk {
    /// The trial of a machine; one is made where it has had none. Refuses products without trials, and a machine that had its trial
    /// under another address.
    pub async fn trial_app(&self, app: &App, ask: TrialAsk) -> Result<Result<Trial, AppRefusal>, Fault> {
        if let Err(refusal) = app.may(&ask.product, true) {
            return Ok(Err(refusal));
        }
        if let Err(refusal) = app.of_company() {
            return Ok(Err(refusal));
        }
        let mut conn = self.read().await?;
        let product = match sold(conn.product(&ask.product).await?) {
            Ok(product) => product,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let by_user = !product.authorization.by_key();
        let policies = conn.policies(product.id).await?;
        let named = |policy: &&Policy| ask.policy.as_deref().is_some_and(|code| policy.code.eq_ignore_ascii_case(code));
        let policy = policies.iter().find(named);
        // An air-gapped machine can't call, and a machine that calls is not air-gapped.
        let policy = policy.filter(|policy| !policy.terms.air_gapped);
        if ask.policy.is_some() && policy.is_none() {
            return Ok(Err(AppRefusal::UnknownPolicy));
        }
        if let Some(Err(error)) = ask.password.as_deref().filter(|_| by_user).map(Password::choose) {
            return Ok(Err(error.into()));
        }
        let issue = Issue {
            customer: ask.email.clone(),
            customer_name: ask.customer_name.clone(),
            users: ask.email.clone().filter(|_| by_user).into_iter().collect(),
            user_password: ask.password.clone().map_or(UserPassword::Made, UserPassword::Given),
            provider: "trial".to_owned(),
            policy: policy.map(|policy| policy.code.clone()),
            ..Issue::one(product.code.clone(), trial_terms(&product, policy.map(|policy| &policy.terms)))
        };
        // A password costs time: none is made for who has a trial already.
        let several = self.settings().several_trials;
        let looked = begun(&mut conn, &product, &ask, several).await?;
        // One connection at a time: who holds one while waiting for another can wait for good.
        drop(conn);
        let begun = match looked {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(Some(license)) => Begun { license, initial_password: None, is_new: false },
            Ok(None) => match self.begin(&product, ask.clone(), issue, app.actor(), several).await? {
                Ok(begun) => begun,
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        let mut conn = self.read().await?;
        let Some((license, ..)) = conn.license(begun.license).await? else { return Ok(Err(AppRefusal::LicenseNotFound)) };
        let users = if by_user { conn.license_users(license.id).await? } else { Vec::new() };
        let user = users.into_iter().find(|user| ask.email.as_ref().is_some_and(|email| email.folded() == user.email.folded()));
        Ok(Ok(Trial { product, license, user, initial_password: begun.initial_password, is_new: begun.is_new }))
    }

    async fn begin(
        &self,
        product: &Product,
        ask: TrialAsk,
        issue: Issue,
        actor: Actor,
        several: bool,
    ) -> Result<Result<Begun, AppRefusal>, Fault> {
        let drawn = self.draw(&issue, 1).await?;
        let (now, product) = (self.now(), product.clone());
        let made = self.store.write(move |conn| {
            let (issue, drawn, actor, ask, product) = (issue.clone(), drawn.clone(), actor.clone(), ask.clone(), product.clone());
            Box::pin(async move {
                conn.lock_trials(product.id).await?;
                match begun(conn, &product, &ask, several).await? {
                    Err(refusal) => return Ok(Err(refusal)),
                    Ok(Some(license)) => return Ok(Ok(Begun { license, initial_password: None, is_new: false })),
                    Ok(None) => {}
                }
                let outcome = issue_in(conn, &issue, &drawn, issue.terms.seats, &actor, now).await?;
                let Outcome::Issued(issued) = outcome else { return Ok(Err(AppRefusal::UnknownProduct)) };
                let Some(made) = issued.licenses.into_iter().next() else { return Ok(Err(AppRefusal::UnknownProduct)) };
                let of_user = ask.email.as_ref().filter(|_| !product.authorization.by_key());
                conn.claim_trial(product.id, &ask.device, of_user, made.id, now).await?;
                let initial_password = made.users.into_iter().find_map(|user| user.initial_password);
                Ok(Ok(Begun { license: made.id, initial_password, is_new: true }))
            })
        });
        Ok(made.await?)
    }
}

#[derive(Clone)]
struct Begun {
    license: LicenseId,
    initial_password: Option<String>,
    is_new: bool,
}

/// The trial there is already, or that a new one may be made.
async fn begun(
    conn: &mut Conn,
    product: &Product,
    ask: &TrialAsk,
    several: bool,
) -> Result<Result<Option<LicenseId>, AppRefusal>, StoreError> {
    let by_user = !product.authorization.by_key();
    let email = ask.email.as_ref().filter(|_| by_user);
    let of_machine = conn.trial_of_device(product.id, &ask.device).await?;
    let of_address = match email {
        Some(email) => conn.trial_of_address(product.id, email).await?,
        None => None,
    };
    let facts =
        TrialFacts { of_machine: of_machine.map(|(license, of)| (license, of == email.map(Email::folded))), of_address, several };
    Ok(trial(product, by_user, email.is_some(), facts).map_err(AppRefusal::from))
}
