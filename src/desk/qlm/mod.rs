//! What shops, sites and apps do through Quick License Manager's HTTP methods (compatible with it, not affiliated), one file an act. The
//! rules are those of every door; what all of them share is here: who calls, which product a call names, and how a failure is told.

mod again;
mod agree;
mod analytics;
mod change;
mod code;
mod create;
mod customer;
mod extensions;
mod info;
mod licenses;
mod protect;
mod read;
mod release;
mod sign;
mod trial;
mod upgrade;
mod validate;

pub(super) use again::Validated;
pub use analytics::Told as InstallTold;
pub(super) use change::{LicensesNamed, NewEnd, Plan, Renewal, newest_of, own_terms};
pub use create::{KeyForm, MadeKeys};
pub(super) use create::{Ordered, Planned, no_quantity};
pub(super) use customer::bought_from_others;
pub(super) use extensions::PASSWORD_LEAST;
pub use extensions::{CLASSES, NewExtension, class_label};
pub use info::{Ended as LicenseEnded, LicenseInfo};
pub use licenses::Listed;
pub use upgrade::Upgraded;
pub(super) use upgrade::{Upgrade, is_upgraded};

use sha2::{Digest, Sha256};

use super::{Desk, Fault, settings::qlm::QlmSettings};
use crate::{
    licensing::{
        ProductId,
        decide::{ActivationRefusal, CheckRefusal, ReleaseRefusal},
        files::base64,
        license::License,
        product::{Installation, Product, ProductState},
        qlm::{
            ArgError, Args, ErrorCode,
            document::{self, Element},
            providers::{self, Fields},
            strict::StrictToken,
        },
        shops::ShopMap,
    },
    store::{Conn, Extension},
};

/// Keys that nobody has, or passwords that do not fit, from one address within so many seconds, before it is answered no more.
const GUESSES: i64 = 10;
const GUESSES_WINDOW: i64 = 600;

/// A call: what it says, and where it comes from.
#[derive(Clone)]
pub struct QlmCall {
    pub args: Args,
    /// What stands for the address it comes from, where guesses are counted.
    pub from: Option<String>,
    /// By an address that was opened, which a browser may do by itself.
    pub by_get: bool,
    /// The signature over the call itself, where it has one.
    pub strict: Option<StrictToken>,
}

/// Why a call failed: its number, the words, and the product under whose key that is signed, where it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QlmRefused {
    pub code: ErrorCode,
    pub message: String,
    pub product: Option<ProductId>,
    /// What of it is kept for the vendor to read; none where it says nothing of a license.
    pub(in crate::desk) cause: Option<super::Refusal>,
}

impl QlmRefused {
    pub(in crate::desk) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), product: None, cause: None }
    }

    pub(super) fn of(self, product: &Product) -> Self {
        Self { product: Some(product.id), ..self }
    }
}

impl From<ArgError> for QlmRefused {
    fn from(error: ArgError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// A method that is off: the property that switches it on.
pub(in crate::desk) fn switched(on: bool, property: &str) -> Result<(), QlmRefused> {
    let told = || format!("This method is switched off on this server. Its vendor can switch it on: {property}.");
    if on { Ok(()) } else { Err(QlmRefused::new(ErrorCode::MethodDisabled, told())) }
}

/// What stands in the way of a seat, by number and in the words the documentation gives.
pub(super) fn activation_refused(refusal: &ActivationRefusal, key: &str) -> QlmRefused {
    let cause = match refusal {
        ActivationRefusal::UnknownKey | ActivationRefusal::WrongProduct => None,
        refusal => Some(refusal.clone().into()),
    };
    QlmRefused { cause, ..numbered(refusal, key) }
}

fn numbered(refusal: &ActivationRefusal, key: &str) -> QlmRefused {
    use ActivationRefusal as Refusal;
    let code = match refusal {
        Refusal::UnknownKey => ErrorCode::LicenseNotFound,
        Refusal::WrongProduct => ErrorCode::OtherProduct,
        Refusal::VersionNotCovered { .. } => ErrorCode::OtherVersion,
        Refusal::Disabled => ErrorCode::Revoked,
        Refusal::Expired { .. } | Refusal::TrialExpired { .. } => ErrorCode::Expired,
        Refusal::SeatsExhausted { seats: 1, holders } => {
            let message = match holders.first() {
                Some(holder) => format!(
                    "The license {key} has already been activated on a system called {} on {} [{}].",
                    holder.name.as_ref().map_or("unknown", |name| name.as_str()),
                    holder.since.date(),
                    holder.id_ends,
                ),
                None => "All the available licenses have already been activated.".to_owned(),
            };
            return QlmRefused::new(ErrorCode::AlreadyActivated, message);
        }
        Refusal::SeatsExhausted { .. } | Refusal::UserSeatsExhausted { .. } | Refusal::FloatingFull { .. } => {
            return QlmRefused::new(ErrorCode::NoMoreActivations, "All the available licenses have already been activated.");
        }
        Refusal::DeviceBlocked | Refusal::DeviceRevoked => ErrorCode::Illegal,
        _ => ErrorCode::NotValid,
    };
    QlmRefused::new(code, refusal.words().sentence())
}

pub(super) fn check_refused(refusal: &CheckRefusal, key: &str) -> QlmRefused {
    match refusal {
        CheckRefusal::License(refusal) => activation_refused(refusal, key),
        CheckRefusal::NotActive | CheckRefusal::NoDevice => {
            QlmRefused::new(ErrorCode::NotActivatedHere, "This license is not activated on this computer.")
        }
    }
}

pub(super) fn release_refused(refusal: &ReleaseRefusal) -> QlmRefused {
    let code = match refusal {
        ReleaseRefusal::NotActivated => ErrorCode::NotActivated,
        ReleaseRefusal::NotThisDevice => ErrorCode::ActivatedElsewhere,
        ReleaseRefusal::HeldTooShort { .. } | ReleaseRefusal::ReleaseLimit { .. } => ErrorCode::TooManyReleases,
        ReleaseRefusal::ConfirmRelease | ReleaseRefusal::NotProved => ErrorCode::AuthenticationFailed,
    };
    QlmRefused::new(code, refusal.words().sentence())
}

/// Credentials say nothing of what is ordered, and neither does how the answer is wanted, nor how far the order has come.
pub(super) const NOT_ORDERED: [&str; 8] =
    ["is_user", "is_pwd", "is_vendor", "is_locale", "is_format", "is_writebom", "is_sign", "is_orderstatus"];

/// What a shop that calls names the parts of an order: as its map says, or as its class does.
pub(super) fn call_fields(extension: Option<&Extension>) -> Fields {
    let own = extension.and_then(|extension| extension.map.as_deref()).and_then(ShopMap::kept).and_then(|map| map.call);
    own.unwrap_or_else(|| providers::fields(extension.map_or("", |extension| extension.class.as_str())))
}

/// Whether an extension may see and change a license: a reseller's only what it sold.
pub(in crate::desk) fn is_of(extension: &Extension, license: &License) -> bool {
    let of = license.terms.qlm.as_ref().map_or("", |qlm| qlm.affiliate.as_str());
    extension.affiliate.is_empty() || of.eq_ignore_ascii_case(&extension.affiliate)
}

/// What others chose, for an answer that says it worked: none where shops would take it for one that says it did not.
pub(super) fn spoken(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.to_lowercase().contains("error"))
}

/// What tries of somebody are counted under.
pub(super) fn counted(what: &str, whose: &str) -> String {
    format!("qlm-{what}:{}", base64::url(&Sha256::digest(whose)))
}

/// The product with a number, if it is sold.
pub(super) async fn product_numbered(conn: &mut Conn, number: i64) -> Result<Result<Product, QlmRefused>, Fault> {
    let Some(product) = conn.product_numbered(number).await? else {
        let message = format!("There is no product with the number {number}. The vendor gives products their numbers.");
        return Ok(Err(QlmRefused::new(ErrorCode::NoProduct, message)));
    };
    Ok(match product.state {
        ProductState::Enabled => Ok(product),
        ProductState::Disabled | ProductState::Archived => {
            Err(QlmRefused::new(ErrorCode::NotValid, "This product is paused by its vendor.").of(&product))
        }
    })
}

impl Desk {
    /// Who calls, by the credentials of an extension. Refuses one that is not known, is off, or shows others; and one without any, unless
    /// the vendor lets such call.
    pub(super) async fn caller(&self, call: &QlmCall) -> Result<Result<Option<Extension>, QlmRefused>, Fault> {
        let (settings, args) = (self.settings(), &call.args);
        let QlmSettings { default_provider, unauthenticated, .. } = &settings.qlm;
        let failed = |message: &str| Ok(Err(QlmRefused::new(ErrorCode::AuthenticationFailed, message)));
        let named = args.text("is_vendor").or(Some(default_provider.as_str()).filter(|name| !name.is_empty()));
        let Some(name) = named else {
            return if *unauthenticated {
                Ok(Ok(None))
            } else {
                failed("Say who calls: is_vendor names an extension, is_user and is_pwd are its credentials.")
            };
        };
        if let Err(refused) = self.guesses(call, "password", false).await? {
            return Ok(Err(refused));
        }
        let extension = self.read().await?.extension(name).await?.filter(|extension| extension.enabled);
        if let Some(extension) = &extension
            && extension.password_mark.is_none()
        {
            return if *unauthenticated {
                Ok(Ok(Some(extension.clone())))
            } else {
                failed("This extension has no password, so it may change nothing.")
            };
        }
        let user = args.text("is_user").unwrap_or_default();
        let shown = self.password_mark(name, args.text("is_pwd").unwrap_or_default());
        let right = |extension: &Extension| {
            user.eq_ignore_ascii_case(&extension.user) && extension.password_mark.as_ref() == Some(&shown)
        };
        match extension.filter(right) {
            Some(extension) => Ok(Ok(Some(extension))),
            None => {
                // The limit is the address's: another's guesses must not keep a shop out.
                drop(self.guesses(call, "password", true).await?);
                failed("The extension, its user and its password do not fit together, or it is switched off.")
            }
        }
    }

    /// Refuses an address that has guessed too often at something; `again` counts one more.
    pub(super) async fn guesses(&self, call: &QlmCall, what: &str, again: bool) -> Result<Result<(), QlmRefused>, Fault> {
        let Some(from) = &call.from else { return Ok(Ok(())) };
        let subject = counted(what, from);
        let now = self.now();
        if again {
            let counted = self.store.write(move |conn| {
                let subject = subject.clone();
                Box::pin(async move { conn.count_try(&subject, GUESSES_WINDOW, now).await })
            });
            counted.await?;
            return Ok(Ok(()));
        }
        let tries = self.read().await?.tries(&subject, GUESSES_WINDOW, now).await?;
        let message = "Too much that fits nothing came from this address. Try again in ten minutes.";
        Ok(if tries >= GUESSES { Err(QlmRefused::new(ErrorCode::Blocked, message)) } else { Ok(()) })
    }

    /// A call with what `is_args` stands for. Where the vendor lets no call name properties, one that names such a property is refused,
    /// because something would be made that was not meant; any other name is a shop's own, and says nothing.
    pub async fn qlm_expanded(&self, mut call: QlmCall) -> Result<Result<QlmCall, QlmRefused>, Fault> {
        // SWREG has one field for all of it; this says nothing that the call could not have said itself.
        if let (None, Some(packed)) = (call.args.text("is_vendor"), call.args.text("t")) {
            let said = providers::unpacked(packed);
            call.args.add_all(said);
        }
        let Some(name) = call.args.text("is_args") else { return Ok(Ok(call)) };
        let Some(arguments) = self.arguments_named(name).await? else { return Ok(Ok(call)) };
        if let Err(refused) = switched(self.settings().qlm.custom_args, "enableCustomUrlArgs") {
            return Ok(Err(refused));
        }
        call.args.expand(arguments, |name| !["is_user", "is_pwd", "is_vendor", "is_args"].contains(&name));
        Ok(Ok(call))
    }

    /// A document as it is sent: signed where a product is known, and plain where none is.
    pub async fn qlm_document(&self, product: Option<ProductId>, element: &Element) -> Result<String, Fault> {
        let canonical = element.canonical();
        match product {
            Some(product) => self.sign_document(product, canonical).await,
            None => Ok(crate::licensing::qlm::document::ascii(&canonical)),
        }
    }

    /// The properties that a license document tells of, as a signed document of their own; none where it has none.
    pub async fn qlm_properties(&self, product: ProductId, license: &Element) -> Result<Option<String>, Fault> {
        match document::properties_file(license) {
            Some(properties) => Ok(Some(self.sign_document(product, properties).await?)),
            None => Ok(None),
        }
    }

    /// Under which product's key a refusal is told that has none of its own: that of the product the call names. Only words that are few: each
    /// of them is one signature, however often it is told.
    pub async fn qlm_refused_for(&self, call: &QlmCall, refused: &QlmRefused) -> Result<Option<ProductId>, Fault> {
        let is_one_of_few = match refused.code {
            ErrorCode::Blocked
            | ErrorCode::AddressBlocked
            | ErrorCode::MethodDisabled
            | ErrorCode::AuthenticationFailed
            | ErrorCode::LicenseNotFound
            | ErrorCode::OtherProduct
            | ErrorCode::DeactivationCode => true,
            ErrorCode::MissingArgument => refused.message.ends_with(" is missing."),
            _ => false,
        };
        let number = call.args.text("is_productid").and_then(|text| text.parse().ok());
        match number.filter(|_| refused.product.is_none() && is_one_of_few) {
            Some(number) => Ok(self.read().await?.product_numbered(number).await?.map(|product| product.id)),
            None => Ok(refused.product),
        }
    }

    /// The newest version of a product that came out already.
    pub async fn qlm_latest(&self, call: &QlmCall) -> Result<Result<(String, Installation), QlmRefused>, Fault> {
        if let Err(refused) = switched(self.settings().qlm.latest_version, "enableGetLatestVersionHttp") {
            return Ok(Err(refused));
        }
        let number = match call.args.product() {
            Ok((number, ..)) => number,
            Err(error) => return Ok(Err(error.into())),
        };
        let mut conn = self.read().await?;
        let product = match product_numbered(&mut conn, number).await? {
            Ok(product) => product,
            Err(refused) => return Ok(Err(refused)),
        };
        let now = self.now();
        let mut out = conn.releases(product.id).await?;
        out.retain(|release| release.version.released <= now);
        // What is tried out in a channel of its own is not told to everybody.
        let for_all = |channel: &str| channel.is_empty() || channel.eq_ignore_ascii_case("stable");
        if out.iter().any(|release| for_all(&release.channel)) {
            out.retain(|release| for_all(&release.channel));
        }
        let newest = out.into_iter().max_by_key(|release| (release.version.number(), release.env.is_empty()));
        let none =
            || QlmRefused::new(ErrorCode::NoProduct, format!("No version of {} has come out yet.", product.name)).of(&product);
        Ok(newest.map(|release| (release.version.number().to_string(), release.file)).ok_or_else(none))
    }
}
