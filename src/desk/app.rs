//! What an app does through LicenseSpring's API: activates, gives back, and asks whether its license is good. The rules are those of
//! every door; here a caller is known by an API key that ships in the app, and so proves no more than which app it is.

use futures::future::BoxFuture;
use sha2::{Digest, Sha256};

use super::{
    Desk, Fault,
    activate::{Asker, Granted, grant, known_version},
    answer::{Answered, FileRequest, give_back, named_version},
    answer_licensespring::TRY_WINDOW_SECONDS,
    app_users::address,
    usage::take_variables,
};
use crate::{
    licensing::{
        ActivationKey, LicenseId, ProductCode, Timestamp,
        activation::{Activation, Device, How},
        decide::{self, ActivationAsk, ActivationRefusal, CheckRefusal, ReleaseProof, ReleaseRefusal},
        files::licensespring::BodyUser,
        license::Actor,
        meter::SpendRefusal,
        product::{Product, ProductState, Release},
    },
    store::{ActivationFactsRow, ApiKey, Conn, LicenseUser, StoreError},
    vault::{Password, PasswordError, Purpose, SecretBytes, Subject},
};

/// An app that has shown its API key.
#[derive(Clone)]
pub struct App(ApiKey);

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
}

/// What a call found or made.
#[derive(Clone)]
pub struct AppLicense {
    pub facts: ActivationFactsRow,
    pub activation: Activation,
    pub user: Option<BodyUser>,
    pub customer: Option<String>,
    /// Of a check: the versions the license covers, newest first.
    pub releases: Vec<Release>,
}

impl AppLicense {
    async fn read(
        conn: &mut Conn,
        facts: ActivationFactsRow,
        activation: Activation,
        user: Option<&LicenseUser>,
    ) -> Result<Self, StoreError> {
        let customer = match facts.license.customer {
            Some(id) => conn.customer(id).await?.map(|customer| customer.email.to_string()),
            None => None,
        };
        let user = user.map(|user| BodyUser {
            id: user.id,
            email: user.email.to_string(),
            is_initial_password: user.is_initial_password,
        });
        Ok(Self { facts, activation, user, customer, releases: Vec::new() })
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

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppRefusal {
    #[error("unknown_product")]
    UnknownProduct,
    #[error("disabled_product")]
    DisabledProduct,
    #[error("archived_product")]
    ArchivedProduct,
    #[error("api_key_product_not_allowed")]
    ProductNotAllowed,
    #[error("read_only_api_key")]
    ReadOnly,
    #[error("user_credentials_invalid")]
    UserCredentials,
    #[error("too_many_tries")]
    TooMany { seconds: i64 },
    #[error("license_not_found")]
    LicenseNotFound,
    #[error(transparent)]
    Activation(#[from] ActivationRefusal),
    #[error(transparent)]
    Check(#[from] CheckRefusal),
    #[error(transparent)]
    Release(#[from] ReleaseRefusal),
    #[error("{refusal}")]
    Spend { feature: bool, refusal: SpendRefusal },
    #[error("{0}")]
    Password(#[from] PasswordError),
    #[error("unsupported_product_feature")]
    UnknownFeature,
    #[error("version_not_found")]
    VersionNotFound,
    #[error("active_license_required")]
    ActiveRequired,
    #[error("idempotency_key_reused")]
    KeyReused,
}

impl App {
    pub(super) fn api_key(&self) -> &str {
        &self.0.api_key
    }

    /// Refuses a product this app has nothing to do with, and to change anything for one that may only read.
    pub(super) fn may(&self, product: &ProductCode, change: bool) -> Result<(), AppRefusal> {
        if change {
            self.may_change()?;
        }
        let named = |codes: &Vec<String>| codes.iter().any(|code| code.eq_ignore_ascii_case(product.as_str()));
        if self.0.products.as_ref().is_none_or(named) { Ok(()) } else { Err(AppRefusal::ProductNotAllowed) }
    }

    pub(super) fn may_change(&self) -> Result<(), AppRefusal> {
        if self.0.read_only { Err(AppRefusal::ReadOnly) } else { Ok(()) }
    }

    pub(super) fn actor(&self) -> Actor {
        Actor::ApiKey { name: self.0.name.clone() }
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
    /// The app with this API key and the key it signs with; none where it is unknown or revoked.
    pub async fn app(&self, api_key: &str) -> Result<Option<(App, SecretBytes)>, Fault> {
        let Some(row) = self.read().await?.api_key(api_key).await?.filter(|row| row.revoked.is_none()) else { return Ok(None) };
        let secret = self.vault.decrypt_secret(Purpose::SHARED_KEY, Subject::named(&row.api_key), &row.shared_key)?;
        Ok(Some((App(row), secret)))
    }

    /// A signature under the RSA key of LicenseSpring's clients. One over the same bytes is made once.
    pub async fn sign_for_apps(&self, message: Vec<u8>) -> Result<String, Fault> {
        let digest: [u8; 32] = Sha256::digest(&message).into();
        let signer = self.app_signer().await?;
        let place = (signer.kid().to_owned(), digest);
        if let Some(made) = self.signatures().get(&place) {
            return Ok(made.clone());
        }
        let made = self.vault.licensespring_sign_with(signer, message).await?;
        self.signatures().put(place, made.clone());
        Ok(made)
    }

    fn signatures(&self) -> std::sync::MutexGuard<'_, super::Signatures> {
        self.signatures.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What is public of a product.
    pub async fn app_product(&self, app: &App, code: &ProductCode) -> Result<Result<super::ProductView, AppRefusal>, Fault> {
        if let Err(refusal) = app.may(code, false) {
            return Ok(Err(refusal));
        }
        let mut conn = self.read().await?;
        let product = match sold(conn.product(code).await?) {
            Ok(product) => product,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let releases = conn.releases(product.id).await?;
        Ok(Ok(super::ProductView { product, releases, features: Vec::new(), policies: Vec::new() }))
    }

    /// Answers a request file that an app carries. The file's own key must reach its product; the carrier only has to be one that may
    /// change something.
    pub async fn answer_file_app(&self, app: &App, file: FileRequest) -> Result<Result<Answered, AppRefusal>, Fault> {
        match app.may_change() {
            Ok(()) => Ok(Ok(self.answer_file(file).await?)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Activates the machine that asks. One that holds a seat has it again, at no cost.
    pub async fn activate_app(&self, app: &App, ask: AppAsk) -> Result<Result<AppLicense, AppRefusal>, Fault> {
        self.app_acts(app, ask, Seat::Asked, |conn, call| {
            Box::pin(async move {
                let Call { app, ask, user, facts, now } = call;
                let version = known_version(conn, &facts, named_version(ask.device.app.as_deref())).await?;
                let wants = ActivationAsk {
                    how: How::Online,
                    licensespring_file: false,
                    device_key: None,
                    virtual_machine: ask.device.virtual_machine,
                    version,
                };
                let email = user.as_ref().map(|user| user.email.to_string());
                let asker = Asker { user: email.as_deref(), api_key: Some(&app.0.api_key), ..Asker::default() };
                match grant(conn, facts, &wants, &ask.device, asker, now).await? {
                    Ok(Granted { facts, activation }) => {
                        take_variables(conn, &activation, ask.variables.clone(), now).await?;
                        Ok(Ok(AppLicense::read(conn, facts, activation, user.as_ref()).await?))
                    }
                    Err(refusal) => Ok(Err(refusal.into())),
                }
            })
        })
        .await
    }

    /// Gives a machine's seat back. Refuses one with a device key: that gives it back by its own request.
    pub async fn deactivate_app(&self, app: &App, ask: AppAsk) -> Result<Result<(), AppRefusal>, Fault> {
        self.app_acts(app, ask, Seat::Held, |conn, call| {
            Box::pin(async move {
                let Call { app, ask, facts, now, .. } = call;
                let releasing = match decide::release(&facts.product, facts.known.as_ref(), &ReleaseProof::App, now) {
                    Ok(releasing) => releasing,
                    Err(ReleaseRefusal::NotActivated) if facts.license.seats_taken == 0 => {
                        return Ok(Err(CheckRefusal::NotActive.into()));
                    }
                    Err(refusal) => return Ok(Err(refusal.into())),
                };
                let Some(known) = facts.known.clone() else { return Ok(Err(ReleaseRefusal::NotActivated.into())) };
                take_variables(conn, &known, ask.variables.clone(), now).await?;
                give_back(conn, facts, known, releasing, app.actor(), now).await?;
                Ok(Ok(()))
            })
        })
        .await
    }

    /// Whether a machine's license is good. Reads only.
    pub async fn check_app(&self, app: &App, ask: AppAsk) -> Result<Result<AppLicense, AppRefusal>, Fault> {
        let (mut conn, call) = match self.app_reads(app, ask).await? {
            Ok(read) => read,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let activation = match call.good() {
            Ok(activation) => activation,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let releases = covered(&mut conn, &call.facts).await?;
        let license = AppLicense::read(&mut conn, call.facts, activation, call.user.as_ref()).await?;
        Ok(Ok(AppLicense { releases, ..license }))
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
        let facts = found(&mut conn, &ask, user.as_ref(), now).await?;
        Ok(facts.map(|facts| (conn, Call { app: app.clone(), ask, user, facts, now })))
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
        let (now, app) = (self.now(), app.clone());
        let done = self.store.write(move |conn| {
            let (app, ask, user, act) = (app.clone(), ask.clone(), user.clone(), act.clone());
            Box::pin(async move {
                match found(conn, &ask, user.as_ref(), now).await? {
                    Ok(facts) => act(conn, Call { app, ask, user, facts, now }).await,
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

/// The versions a license covers, newest first.
pub(super) async fn covered(conn: &mut Conn, facts: &ActivationFactsRow) -> Result<Vec<Release>, StoreError> {
    let mut releases = conn.releases(facts.product.id).await?;
    releases.retain(|release| facts.license.covers(&release.version));
    Ok(releases)
}

/// The license a call names, with the facts about its machine.
async fn found(
    conn: &mut Conn,
    ask: &AppAsk,
    user: Option<&LicenseUser>,
    now: Timestamp,
) -> Result<Result<ActivationFactsRow, AppRefusal>, StoreError> {
    let product = match sold(conn.product(&ask.product).await?) {
        Ok(product) => product,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let facts = match (&ask.principal, user) {
        (Principal::Key(key), _) => {
            let found = conn.facts_with_key(&key.folded(), &ask.device.id).await?;
            found.into_iter().find(|facts| facts.product.id == product.id)
        }
        (Principal::User { .. }, Some(user)) => conn.facts_by_license(user.license, &ask.device.id).await?,
        (Principal::User { .. }, None) => None,
    };
    // A name without its password speaks for the machines that this user activated, and tells nothing of any other: no answer says
    // whether somebody else has a license.
    let by_name_alone = matches!(ask.principal, Principal::User { password: None, .. });
    let named = user.map(|user| user.email.to_string());
    let is_meant = |facts: &ActivationFactsRow| {
        facts.product.id == product.id
            && ask.license_id.is_none_or(|id| facts.license.id == LicenseId(id))
            && (!by_name_alone || facts.known.as_ref().is_some_and(|known| known.user.as_deref() == named.as_deref()))
    };
    Ok(facts.filter(is_meant).ok_or(AppRefusal::LicenseNotFound).map(|mut facts| {
        facts.license.turn_meters(now);
        facts
    }))
}
