//! What an app does through LicenseSpring's API, one file an act. The rules are those of every door; what all of them share is here:
//! which license a call names, for whom, and whether the caller may ask.

mod activate;
mod api_keys;
mod bundle;
mod lists;
mod oauth;
mod refusal;
mod slots;
mod spend;
mod trial;
mod users;
mod who;

pub use api_keys::MadeApiKey;
pub use lists::{CustomerUsers, DeviceLicense};
pub use oauth::{GRACE_HOURS, MadeClient, OauthRow, TOKEN_SECONDS, TokenRefusal};
pub use refusal::AppRefusal;
pub use slots::Borrowed;
pub use spend::{Spending, Spent};
pub use trial::{Trial, TrialAsk};
pub use users::UserLicense;
pub use who::App;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::future::BoxFuture;
use sha2::{Digest, Sha256};

use self::users::address;
use super::{
    Desk, Fault,
    answer::{Answered, FileRequest},
    answer_licensespring::TRY_WINDOW_SECONDS,
};
use crate::{
    licensing::{
        ActivationKey, LicenseId, ProductCode, ProductId, Timestamp,
        activation::{Activation, Device},
        decide::{self, CheckRefusal},
        files::licensespring::{BodyCustomer, BodyUser},
        floating::Hold,
        product::{Product, ProductState, Release},
        tpm::{TpmKey, speaks},
    },
    store::{ActivationFactsRow, Conn, Customer, LicenseUser, StoreError},
    vault::Password,
};

/// For whom a call is made.
#[derive(Clone)]
pub enum Principal {
    Key(ActivationKey),
    User { name: String, password: Option<String> },
}

/// The identity of a call.
#[derive(Clone)]
pub struct AppAsk {
    pub product: ProductCode,
    pub principal: Principal,
    /// Act on this license alone.
    pub license_id: Option<i64>,
    pub device: Device,
    pub variables: Vec<(String, String)>,
    /// The key in the machine's TPM that is to speak for it from now on.
    pub enrolls: Option<TpmKey>,
}

/// What a call found or made.
#[derive(Clone)]
pub struct AppLicense {
    pub facts: ActivationFactsRow,
    pub activation: Activation,
    pub user: Option<BodyUser>,
    pub customer: Option<BodyCustomer>,
    /// Of a check: the versions the license covers, newest first.
    pub releases: Vec<Release>,
    /// Of a check of a floating license or feature: the machine's slot, and how many are in use with it.
    pub slot: Option<(Hold, u32)>,
}

impl AppLicense {
    pub(super) fn of(
        facts: ActivationFactsRow,
        activation: Activation,
        user: Option<&LicenseUser>,
        expose_customer: bool,
    ) -> Self {
        let customer = facts.customer.clone().map(|customer| told(customer, expose_customer));
        let user = user.map(|user| BodyUser {
            id: user.id,
            email: user.email.to_string(),
            is_initial_password: user.is_initial_password,
        });
        Self { facts, activation, user, customer, releases: Vec::new(), slot: None }
    }
}

/// What apps are told of a customer.
pub(super) fn told(customer: Customer, expose: bool) -> BodyCustomer {
    let shown = |text: String| if expose { text } else { String::new() };
    BodyCustomer { email: customer.email.to_string(), name: shown(customer.name), company: shown(customer.company) }
}

/// What a call asks of a seat: a new one takes the right password of a user.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    Asked,
    Held,
}

/// A call whose license was found, with its counters as they stand now.
pub(super) struct Call {
    pub app: App,
    pub ask: AppAsk,
    pub user: Option<LicenseUser>,
    pub facts: ActivationFactsRow,
    /// The key in the machine's TPM that signed the call, if it has one.
    pub tpm_key: Option<TpmKey>,
    /// The answer tells more of the customer than the address.
    pub expose_customer: bool,
    pub releases: Releases,
    pub now: Timestamp,
}

impl Call {
    /// The machine's seat on a license that is good now.
    pub fn good(&self) -> Result<Activation, AppRefusal> {
        let facts = &self.facts;
        decide::check(&facts.product, &facts.license, facts.known.as_ref(), facts.blocked, self.now)?;
        facts.known.clone().ok_or_else(|| CheckRefusal::NoDevice.into())
    }
}

pub(super) fn sold(product: Option<Product>) -> Result<Product, AppRefusal> {
    let product = product.ok_or(AppRefusal::UnknownProduct)?;
    match product.state {
        ProductState::Enabled => Ok(product),
        ProductState::Disabled => Err(AppRefusal::DisabledProduct),
        ProductState::Archived => Err(AppRefusal::ArchivedProduct),
    }
}

impl Desk {
    /// A signature under the RSA key of LicenseSpring's clients. One over the same bytes is made once. `key` is the key that signs now,
    /// where it was read with what is signed.
    pub async fn sign_for_apps(&self, key: Option<&str>, message: Vec<u8>) -> Result<String, Fault> {
        let digest: [u8; 32] = Sha256::digest(&message).into();
        let signer = match self.vault.licensespring_signer().ok().filter(|signer| key == Some(signer.kid())) {
            Some(signer) => signer,
            None => self.app_signer().await?,
        };
        let place = (signer.kid().to_owned(), digest);
        if let Some(made) = self.signatures().get(&place) {
            return Ok(made.clone());
        }
        let made = self.vault.licensespring_sign_with(signer, message).await?;
        self.signatures().put(place, made.clone());
        Ok(made)
    }

    fn signatures(&self) -> MutexGuard<'_, super::Signatures> {
        self.signatures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request file that an app carries. The file's own key must reach its product; the carrier only has to be one that may
    /// change something.
    pub async fn answer_file_app(&self, app: &App, file: FileRequest) -> Result<Result<Answered, AppRefusal>, Fault> {
        match app.may_change() {
            Ok(()) => Ok(Ok(self.answer_file(file).await?)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// What a call is about, on a connection that only reads.
    pub(super) async fn app_reads(&self, app: &App, ask: AppAsk) -> Result<Result<(Conn, Call), AppRefusal>, Fault> {
        if let Err(refusal) = app.may(&ask.product, false) {
            return Ok(Err(refusal));
        }
        let user = match self.app_user(&ask, Seat::Held).await? {
            Ok(user) => user,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (mut conn, now) = (self.read().await?, self.now());
        let facts = found(&mut conn, app, &ask, user.as_ref(), now).await?;
        let (expose_customer, releases) = (self.settings().expose_customer, self.releases.clone());
        let call = |(facts, tpm_key)| Call { app: app.clone(), ask, user, facts, tpm_key, expose_customer, releases, now };
        Ok(facts.map(|found| (conn, call(found))))
    }

    /// Runs an act about the license a call names, in one transaction.
    pub(super) async fn app_acts<T, F>(&self, app: &App, ask: AppAsk, seat: Seat, act: F) -> Result<Result<T, AppRefusal>, Fault>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Conn, Call) -> BoxFuture<'c, Result<Result<T, AppRefusal>, StoreError>>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        if let Err(refusal) = app.may(&ask.product, true) {
            return Ok(Err(refusal));
        }
        let user = match self.app_user(&ask, seat).await? {
            Ok(user) => user,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (now, app, expose_customer) = (self.now(), app.clone(), self.settings().expose_customer);
        let releases = self.releases.clone();
        let done = self.store.write(move |conn| {
            let (app, ask, user, act, releases) = (app.clone(), ask.clone(), user.clone(), act.clone(), releases.clone());
            Box::pin(async move {
                match found(conn, &app, &ask, user.as_ref(), now).await? {
                    Ok((facts, tpm_key)) => {
                        act(conn, Call { app, ask, user, facts, tpm_key, expose_customer, releases, now }).await
                    }
                    Err(refusal) => Ok(Err(refusal)),
                }
            })
        });
        Ok(done.await?)
    }

    /// The assignment a call by user speaks for. A new seat takes the right password; for a machine that has one, the name is enough,
    /// because clients keep no password.
    async fn app_user(&self, ask: &AppAsk, seat: Seat) -> Result<Result<Option<LicenseUser>, AppRefusal>, Fault> {
        let Principal::User { name, password } = &ask.principal else { return Ok(Ok(None)) };
        let email = address(name);
        let users = match &email {
            Some(email) => self.read().await?.users_in_product(&ask.product.folded(), &email.folded()).await?,
            None => Vec::new(),
        };
        let wanted = ask.license_id.map(LicenseId);
        let user = users.into_iter().find(|user| wanted.is_none_or(|wanted| user.license == wanted));
        if seat == Seat::Held && password.is_none() {
            return Ok(user.map(Some).ok_or(AppRefusal::LicenseNotFound));
        }
        let who = email.map_or_else(|| name.to_lowercase(), |email| email.folded());
        let subject = format!("{}\n{who}", ask.product.folded());
        if self.tried_too_often(&subject).await? {
            return Ok(Err(AppRefusal::TooMany { seconds: TRY_WINDOW_SECONDS }));
        }
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        let right = self.passwords.verify(Password::given(password.as_deref().unwrap_or_default()), hash).await;
        Ok(user.filter(|_| right).map(Some).ok_or(AppRefusal::UserCredentials))
    }
}

/// The versions of products, kept until the product's revision is another.
#[derive(Clone, Default)]
pub(in crate::desk) struct Releases(Arc<Mutex<ByProduct>>);

type ByProduct = HashMap<ProductId, (i64, Arc<[Release]>)>;

impl Releases {
    /// The versions a license covers, newest first.
    pub async fn covered(&self, conn: &mut Conn, facts: &ActivationFactsRow) -> Result<Vec<Release>, StoreError> {
        let (product, revision) = (facts.product.id, facts.product.revision);
        let kept = self.kept().get(&product).filter(|kept| kept.0 == revision).map(|kept| kept.1.clone());
        let all = match kept {
            Some(all) => all,
            None => {
                let all: Arc<[Release]> = conn.releases(product).await?.into();
                self.kept().insert(product, (revision, all.clone()));
                all
            }
        };
        Ok(all.iter().filter(|release| facts.license.covers(&release.version)).cloned().collect())
    }

    fn kept(&self) -> MutexGuard<'_, ByProduct> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The license a call names, with the facts about its machine and the key in its TPM that signed.
async fn found(
    conn: &mut Conn,
    app: &App,
    ask: &AppAsk,
    user: Option<&LicenseUser>,
    now: Timestamp,
) -> Result<Result<(ActivationFactsRow, Option<TpmKey>), AppRefusal>, StoreError> {
    let facts = match (&ask.principal, user) {
        (Principal::Key(key), _) => conn.facts_with_key(&key.folded(), &ask.device.id).await?,
        (Principal::User { .. }, Some(user)) => conn.facts_by_license(user.license, &ask.device.id).await?.into_iter().collect(),
        (Principal::User { .. }, None) => Vec::new(),
    };
    let facts = facts.into_iter().find(|facts| facts.product.code == ask.product);
    // The product comes with the license; where there is none, what the product is stands before that.
    let product = match &facts {
        Some(facts) => Some(facts.product.clone()),
        None => conn.product(&ask.product).await?,
    };
    if let Err(refusal) = sold(product) {
        return Ok(Err(refusal));
    }
    // A name without its password speaks for the machines that this user activated, and tells nothing of any other: no answer says
    // whether somebody else has a license.
    let by_name_alone = matches!(ask.principal, Principal::User { password: None, .. });
    let named = user.map(|user| user.email.to_string());
    let is_meant = |facts: &ActivationFactsRow| {
        app.reaches(&facts.license)
            && ask.license_id.is_none_or(|id| facts.license.id == LicenseId(id))
            && (!by_name_alone || facts.known.as_ref().is_some_and(|known| known.user.as_deref() == named.as_deref()))
    };
    let Some(mut facts) = facts.filter(is_meant) else { return Ok(Err(AppRefusal::LicenseNotFound)) };
    facts.license.turn_meters(now);
    let enrolled = facts.known.as_ref().and_then(|known| known.tpm_key.as_ref());
    Ok(match speaks(enrolled, ask.enrolls.clone(), |key| app.holds(key)) {
        Ok(tpm_key) => Ok((facts, tpm_key)),
        Err(refusal) => Err(refusal.into()),
    })
}
