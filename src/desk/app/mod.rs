//! What an app does through LicenseSpring's API, one file an act. The rules are those of every door; what all of them share is here:
//! which license a call names, for whom, and whether the caller may ask.

mod activate;
mod again;
mod api_keys;
mod bundle;
mod kept;
mod lists;
mod oauth;
mod refusal;
mod sign;
mod slots;
mod spend;
mod sso;
mod trial;
mod users;
mod who;

pub use again::{Before, Recalled};
pub use api_keys::MadeApiKey;
pub(in crate::desk) use kept::Kept;
pub use lists::{CustomerUsers, DeviceLicense};
pub use oauth::{GRACE_HOURS, MadeClient, OauthRow, TOKEN_SECONDS, TokenRefusal};
pub use refusal::AppRefusal;
pub use slots::Borrowed;
pub use spend::{Spending, Spent};
pub use sso::{SsoProof, SsoStart};
pub use trial::{Trial, TrialAsk};
pub use users::UserLicense;
pub use who::{App, SharedKey};

use futures::future::BoxFuture;

use self::users::address;
use super::{
    Desk, Fault,
    answer::{Answered, FileRequest},
    answer_licensespring::TRY_WINDOW_SECONDS,
};
use crate::{
    licensing::{
        AccountId, ActivationKey, Email, LicenseId, ProductCode, Timestamp,
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
    User {
        name: String,
        password: Option<String>,
    },
    /// Somebody of an account who has signed in at its provider.
    Sso {
        account: String,
        name: Option<String>,
        proof: SsoProof,
    },
    /// The same, after the provider's word was looked at.
    Proven {
        email: Email,
        account: AccountId,
    },
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
    /// More is told of the customer than the address.
    pub exposed: bool,
}

impl AppLicense {
    pub(super) fn of(
        facts: ActivationFactsRow,
        activation: Activation,
        user: Option<&LicenseUser>,
        expose_customer: bool,
    ) -> Self {
        let customer = facts.customer.clone().map(|customer| told(customer, expose_customer));
        let user = user.map(body_user);
        Self { facts, activation, user, customer, releases: Vec::new(), slot: None, exposed: expose_customer }
    }
}

/// What apps are told of a customer.
pub(super) fn told(customer: Customer, expose: bool) -> BodyCustomer {
    let shown = |text: String| if expose { text } else { String::new() };
    BodyCustomer {
        email: customer.email.to_string(),
        name: shown(customer.name),
        company: shown(customer.company),
        account: customer.account.filter(|_| expose).map(|account| (account.id.0, account.name, account.code.to_string())),
    }
}

/// What apps are told of a user.
pub(super) fn body_user(user: &LicenseUser) -> BodyUser {
    BodyUser {
        id: user.id,
        email: user.email.to_string(),
        is_initial_password: user.is_initial_password,
        seats: user.seats,
        seats_taken: user.seats_taken,
    }
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
    pub kept: Kept,
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

/// Where the calls of one app come in, at one time.
#[derive(Clone)]
pub(super) struct Door {
    app: App,
    expose_customer: bool,
    kept: Kept,
    now: Timestamp,
}

impl Door {
    /// What a call is about. The machine was seen by it.
    pub async fn call(
        &self,
        conn: &mut Conn,
        ask: AppAsk,
        user: Option<LicenseUser>,
    ) -> Result<Result<Call, AppRefusal>, StoreError> {
        let Self { app, expose_customer, kept, now } = self.clone();
        // Whoever was taken off the license meanwhile is no user of it any more.
        let user = match user {
            Some(user) => match conn.license_user(user.id).await? {
                Some(user) => Some(user),
                None => return Ok(Err(AppRefusal::LicenseNotFound)),
            },
            None => None,
        };
        let (facts, tpm_key) = match found(conn, &app, &ask, user.as_ref(), now).await? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        kept.seen.note(facts.known.as_ref(), now);
        Ok(Ok(Call { app, ask, user, facts, tpm_key, expose_customer, kept, now }))
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
    pub(super) fn door(&self, app: &App) -> Door {
        Door { app: app.clone(), expose_customer: self.settings().expose_customer, kept: self.kept.clone(), now: self.now() }
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
        let ask = match self.identified(app, ask).await? {
            Ok(ask) => ask,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let user = match self.app_user(app, &ask, Seat::Held).await? {
            Ok(user) => user,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut conn = self.read().await?;
        let call = self.door(app).call(&mut conn, ask, user).await?;
        Ok(call.map(|call| (conn, call)))
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
        let ask = match self.identified(app, ask).await? {
            Ok(ask) => ask,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let user = match self.app_user(app, &ask, seat).await? {
            Ok(user) => user,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let door = self.door(app);
        let done = self.store.write(move |conn| {
            let (door, ask, user, act) = (door.clone(), ask.clone(), user.clone(), act.clone());
            Box::pin(async move {
                match door.call(conn, ask, user).await? {
                    Ok(call) => act(conn, call).await,
                    Err(refusal) => Ok(Err(refusal)),
                }
            })
        });
        Ok(done.await?)
    }

    /// The assignment a call by user speaks for. A new seat takes the right password; for a machine that has one, the name is enough,
    /// because clients keep no password.
    async fn app_user(&self, app: &App, ask: &AppAsk, seat: Seat) -> Result<Result<Option<LicenseUser>, AppRefusal>, Fault> {
        let (name, password) = match &ask.principal {
            Principal::User { name, password } => (name, password),
            Principal::Proven { email, account } => {
                let users = self.read().await?.users_in_account(&ask.product.folded(), &email.folded(), *account).await?;
                let users = self.reached(app, users).await?;
                let user = users.into_iter().find(|user| ask.license_id.is_none_or(|wanted| user.license.0 == wanted));
                return Ok(user.map(Some).ok_or(AppRefusal::LicenseNotFound));
            }
            Principal::Key(_) | Principal::Sso { .. } => return Ok(Ok(None)),
        };
        let email = address(name);
        let users = match &email {
            Some(email) => self.read().await?.users_in_product(&ask.product.folded(), &email.folded()).await?,
            None => Vec::new(),
        };
        let users = self.reached(app, users).await?;
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
        (Principal::User { .. } | Principal::Proven { .. }, Some(user)) => {
            conn.facts_by_license(user.license, &ask.device.id).await?.into_iter().collect()
        }
        (Principal::User { .. } | Principal::Proven { .. } | Principal::Sso { .. }, _) => Vec::new(),
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
    // A provider speaks for the licenses of its account, and for no other that an address of the same spelling is a user of.
    let account = match &ask.principal {
        Principal::Proven { account, .. } => Some(*account),
        _ => None,
    };
    let is_meant = |facts: &ActivationFactsRow| {
        let of = facts.customer.as_ref().and_then(|customer| customer.account.as_ref()).map(|account| account.id);
        account.is_none_or(|account| of == Some(account))
            && app.reaches(&facts.license, facts.customer.as_ref())
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
