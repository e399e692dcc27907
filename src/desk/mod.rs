//! The acts of the house (activate, release, issue, revoke, renew, …), each one transaction, and the views pages read.
//! Every door (pages, files, APIs, the command line) comes through here, so that a rule can never differ between them.
//! An act fetches facts, asks `licensing`, saves the answer and records it; it decides nothing itself.

mod access;
mod accounts;
mod activate;
mod agreements;
mod airgap;
mod answer;
mod answer_bundle;
mod answer_licensespring;
mod app;
mod audit_log;
mod bundles;
mod codes;
mod error;
mod export;
mod files;
mod forms;
mod inspect;
mod issue;
mod keys;
mod letters;
mod licenses;
mod lost_keys;
mod messages;
mod pages;
mod products;
mod qlm;
mod refresh;
mod refusal;
mod settings;
mod shops;
mod sms;
mod team;
mod templates;
mod usage;
mod views;
mod wishes;

use std::{
    ops::Deref,
    sync::{Arc, RwLock},
};

pub use access::{Area, Level, Role, Visitor};
pub use accounts::NewSso;
pub use activate::{Activated, OnlineActivation};
pub use agreements::AgreementLink;
pub use airgap::{AirGapCode, AirGapCodes, Confirmed};
pub use answer::{Answered, FileAnswer, FileRequest};
pub use app::{
    App, AppAsk, AppLicense, AppRefusal, Before, Borrowed, CustomerUsers, DeviceLicense, GRACE_HOURS, MadeApiKey, MadeClient,
    OauthRow, Principal, Recalled, SharedKey, Spending, Spent, SsoProof, SsoStart, TOKEN_SECONDS, TokenRefusal, Trial, TrialAsk,
    UserLicense,
};
pub use audit_log::{AuditReport, CheckpointFault};
pub use bundles::BundleView;
pub use codes::{CodeAsk, CodeRefusal, CodeShown};
pub use error::{ActError, Fault};
pub use export::{Exported, Table};
pub use forms::FormClaim;
pub use inspect::{Checking, Given, GivenKeys, inspect_alone};
pub use issue::{Issue, Issued, IssuedLicense, IssuedUser, KeyShape, Password as UserPassword};
pub use keys::{SealRow, ToRefresh, Turned};
pub use licenses::{Edit, Renewal};
pub use messages::MessageView;
pub use pages::{ActivationPage, BatchCheck, BatchPage, BatchRow, BatchVerdict};
pub use products::{ProductEdit, ProductView, ReleaseFor};
pub use qlm::{
    CLASSES as EXTENSION_CLASSES, InstallTold, KeyForm, LicenseEnded, LicenseInfo, Listed, MadeKeys, NewExtension, QlmCall,
    QlmRefused, Upgraded, class_label,
};
pub use refusal::Forbidden;
pub use refusal::{Refusal, Refused};
pub use settings::{Setting, SettingError, SettingGroup, Settings};
pub use shops::{
    ExtensionEdit, ExtensionView, PropertyEdit, ShopAnswer, ShopCall, ShopEventView, ShopRefused, Tried as TriedPayload,
};
pub use team::SignedIn;
pub use views::{ActivationView, AttemptView, ENTRIES_SHOWN, LicenseView, MACHINES_SHOWN, OrderView, ProductRow, Tallies};
pub use wishes::{FeatureWish, entitlements, merge_entitlements};

use crate::{
    licensing::Timestamp,
    outbound::Outbound,
    store::{Conn, Store, StoreError},
    vault::{Passwords, Vault},
};

/// What tells the time. Tests move it.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The desk: one for a process, and cheap to clone, because every request does so more than once.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

/// What lies on it.
pub struct Inner {
    store: Store,
    vault: Vault,
    passwords: Passwords,
    clock: Arc<dyn Clock>,
    /// The portal's public URL: informative, inside files.
    issuer: Arc<str>,
    outbound: Outbound,
    settings: RwLock<Arc<Settings>>,
    /// The revision of the signing keys this process has taken over.
    seals_seen: std::sync::atomic::AtomicI64,
    /// Signatures made for apps: most of what they ask has not changed since they asked last.
    signatures: std::sync::Mutex<Signatures>,
    /// What the calls of apps leave behind for the next.
    kept: app::Kept,
    /// Mail that an act has written.
    waiting: messages::Waiting,
}

/// By the key and the hash of what was signed.
type Signatures = lru::LruCache<(String, [u8; 32]), String>;

/// Some 800 bytes each.
const SIGNATURES_KEPT: std::num::NonZeroUsize = std::num::NonZeroUsize::new(20_000).unwrap();

impl Deref for Desk {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Desk {
    #[must_use]
    pub fn new(store: Store, vault: Vault, clock: Arc<dyn Clock>, issuer: &str, outbound: Outbound) -> Self {
        Self(Arc::new(Inner {
            store,
            vault,
            passwords: Passwords::new(),
            clock,
            issuer: issuer.into(),
            outbound,
            settings: RwLock::new(Arc::new(Settings::default())),
            seals_seen: std::sync::atomic::AtomicI64::new(i64::MIN),
            signatures: std::sync::Mutex::new(lru::LruCache::new(SIGNATURES_KEPT)),
            kept: app::Kept::default(),
            waiting: messages::Waiting::default(),
        }))
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    pub(crate) async fn read(&self) -> Result<Conn, StoreError> {
        self.store.read().await
    }
}
