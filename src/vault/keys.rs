//! Signing keys: made, opened, and signed with. The secret halves live in memory here and encrypted in rows; the rules of their
//! lives are `licensing::seal`'s.

use std::{
    collections::HashMap,
    fmt,
    num::NonZero,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread,
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa,
    signature::{self, KeyPair as _, RsaKeyPair, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};
use zeroize::Zeroizing;

use super::{
    CipherError, MasterKey, Purpose, SecretBytes, Subject, TokenKey,
    airgap::{self, AirGapSigner},
    legacy_rsa::LegacyKey,
    public, random_bytes,
};
use crate::licensing::{
    ProductId, Timestamp, files,
    seal::{KeyRing, Seal, SealFor, SealProduct, SealState, SealUse},
};

/// PKCS#8 of an Ed25519 key (RFC 8410), up to its 32 secret bytes.
const ED25519_PKCS8: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The keys in use, opened. Cheap to clone: all clones are one vault.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    master: MasterKey,
    opened: RwLock<Arc<Opened>>,
    rsa_slots: Arc<Semaphore>,
    rsa_size: RsaSize,
}

#[derive(Default)]
struct Opened {
    license: HashMap<ProductId, LicenseSigner>,
    licensespring: Option<RsaSigner>,
    airgap: Option<AirGapSigner>,
    qlm: HashMap<ProductId, RsaSigner>,
}

/// How long the RSA keys are that are made from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RsaSize {
    /// Six times as fast to sign with, and a second faster to make.
    Rsa2048,
    #[default]
    Rsa4096,
}

impl RsaSize {
    const fn for_apps(self) -> rsa::KeySize {
        match self {
            Self::Rsa2048 => rsa::KeySize::Rsa2048,
            Self::Rsa4096 => rsa::KeySize::Rsa4096,
        }
    }

    /// Of the documents of Quick License Manager's clients.
    const fn for_documents(self) -> rsa::KeySize {
        match self {
            Self::Rsa2048 => rsa::KeySize::Rsa2048,
            Self::Rsa4096 => rsa::KeySize::Rsa3072,
        }
    }
}

/// Signs our files with one product's active key. Some 20 µs a signature: may run on the async threads.
#[derive(Clone)]
pub struct LicenseSigner(Arc<LicenseKey>);

struct LicenseKey {
    kid: String,
    key: SigningKey,
    last_exp: AtomicI64,
    signed_without_exp: AtomicBool,
}

#[derive(Clone)]
struct RsaSigner {
    kid: Arc<str>,
    /// None: it is too short.
    key: Option<Arc<RsaKeyPair>>,
    /// Only of a key that was made elsewhere.
    legacy: Option<Arc<LegacyKey>>,
}

/// Signs for the clients of LicenseSpring or Quick License Manager with one RSA key: around a millisecond a signature.
#[derive(Clone)]
pub struct AppSigner(RsaSigner);

impl AppSigner {
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.0.kid
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256, in base64.
    pub fn sign(&self, message: &[u8]) -> Result<String, VaultError> {
        self.0.sign(message)
    }

    /// Whether it may sign with SHA-1: it was made elsewhere, for apps that check no other.
    #[must_use]
    pub fn is_imported(&self) -> bool {
        self.0.legacy.is_some()
    }

    /// The same with SHA-1. Refuses a key that was made here.
    pub fn sign_sha1(&self, message: &[u8]) -> Result<String, VaultError> {
        self.0.legacy.as_ref().and_then(|key| key.sign_sha1(message)).ok_or(VaultError::Fault)
    }
}

/// Why the vault can't do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error(
        "the private key {kid} does not open under this master key: its row was altered or moved, or the master key is another; restore \
         the database and master.key from one backup"
    )]
    DoesNotOpen { kid: String, source: CipherError },
    #[error(
        "the private key {kid} is not the other half of its public key: its row was altered; restore the database from a backup"
    )]
    NotAPair { kid: String },
    #[error("two keys are active for one use and product: {kid} is the second; restore the database from a backup")]
    ManyActive { kid: String },
    #[error("there is no key to sign files of this product: run `countersign doctor`")]
    NoLicenseKey { product: ProductId },
    #[error("there is no key to sign for LicenseSpring's clients: run `countersign doctor`")]
    NoLicenseSpringKey,
    #[error("there is no key to sign codes for air-gapped machines: run `countersign doctor`")]
    NoAirGapKey,
    #[error("this is not a private key of the right kind: {expected} in PKCS#8 is expected")]
    NotAKey { expected: &'static str },
    #[error("the key could not be made or used; this is a fault of ours")]
    Fault,
}

impl VaultError {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DoesNotOpen { .. } => "seal_does_not_open",
            Self::NotAPair { .. } => "seal_not_a_pair",
            Self::ManyActive { .. } => "seal_many_active",
            Self::NoLicenseKey { .. } | Self::NoLicenseSpringKey | Self::NoAirGapKey => "seal_missing",
            Self::NotAKey { .. } => "seal_not_a_key",
            Self::Fault => "internal",
        }
    }
}

impl Vault {
    /// Opens every key that signs or will sign next. Refuses when one does not open or was exchanged.
    pub fn open(master: MasterKey, seals: &[Seal]) -> Result<Self, VaultError> {
        let opened = Opened::read(&master, seals, &Opened::default())?;
        // One more than there are cores: while one is handed on, every core has something to sign.
        let slots = thread::available_parallelism().map_or(1, NonZero::get) + 1;
        Ok(Self(Arc::new(Inner {
            master,
            opened: RwLock::new(Arc::new(opened)),
            rsa_slots: Arc::new(Semaphore::new(slots)),
            rsa_size: RsaSize::default(),
        })))
    }

    /// As `open`, making RSA keys of another length.
    pub fn open_with(master: MasterKey, seals: &[Seal], rsa_size: RsaSize) -> Result<Self, VaultError> {
        let Self(inner) = Self::open(master, seals)?;
        // Just made, so no one else holds it.
        let inner = Arc::into_inner(inner).ok_or(VaultError::Fault)?;
        Ok(Self(Arc::new(Inner { rsa_size, ..inner })))
    }

    /// A vault under a known master key, with fresh rings for LicenseSpring (RSA-2048, made once a process) and for these
    /// products. For tests only. The keys of a product are always the same.
    #[must_use]
    pub fn for_testing(products: &[SealProduct], now: Timestamp) -> (Self, Vec<KeyRing>) {
        static RSA: OnceLock<Vec<u8>> = OnceLock::new();
        let vault = Self::open(MasterKey::for_testing(), &[]).expect("nothing is there to refuse");
        let seal = |owner: SealFor, pkcs8: &[u8]| vault.import_seal(owner, pkcs8, now).expect("a key made here is a key");
        let rsa = RSA.get_or_init(|| rsa_pkcs8(rsa::KeySize::Rsa2048).expect("RSA keys can be made").as_slice().to_vec());
        let ring = |first, standby| KeyRing::begin(first, standby, now).expect("fresh keys make a ring");
        let mut rings: Vec<KeyRing> = Vec::new();
        for product in products {
            let tokens = vault.token_key(Purpose::new("keys for tests"));
            let own = |place: i64| {
                let seed = tokens.token(product.id.0 * 2 + place).hash().0;
                seal(SealFor::License(product.clone()), &ed25519_pkcs8(&seed))
            };
            rings.push(ring(own(0), Some(own(1))));
        }
        rings.push(ring(seal(SealFor::LicenseSpring, rsa), None));
        let seals: Vec<Seal> = rings.iter().flat_map(|ring| ring.seals().to_vec()).collect();
        vault.reload(&seals).expect("keys made here open here");
        (vault, rings)
    }

    /// Takes the keys as they are now, after some were made or rotated. On a refusal the former keys stay in use.
    pub fn reload(&self, seals: &[Seal]) -> Result<(), VaultError> {
        let opened = Opened::read(&self.0.master, seals, &self.opened())?;
        *self.0.opened.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(opened);
        Ok(())
    }

    pub(super) fn master(&self) -> &MasterKey {
        &self.0.master
    }

    /// See [`MasterKey::token_key`].
    #[must_use]
    pub fn token_key(&self, purpose: Purpose) -> TokenKey {
        self.0.master.token_key(purpose)
    }

    /// Makes a key, on standby. An RSA key takes seconds: use `make_seal_aside` on a server.
    pub fn make_seal(&self, owner: SealFor, now: Timestamp) -> Result<Seal, VaultError> {
        let pkcs8 = match owner.purpose() {
            SealUse::License => SecretDer::Own(ed25519_pkcs8(&Zeroizing::new(random_bytes()))),
            SealUse::LicenseSpring => rsa_pkcs8(self.0.rsa_size.for_apps())?,
            SealUse::AirGap => SecretDer::Own(airgap::pkcs8()?),
            SealUse::Qlm => rsa_pkcs8(self.0.rsa_size.for_documents())?,
        };
        Ok(Seal { imported: false, ..self.import_seal(owner, pkcs8.as_slice(), now)? })
    }

    /// Makes a key off the async threads.
    pub async fn make_seal_aside(&self, owner: SealFor, now: Timestamp) -> Result<Seal, VaultError> {
        let vault = self.clone();
        spawn_blocking(move || vault.make_seal(owner, now)).await.map_err(|_| VaultError::Fault)?
    }

    /// Makes the keys a product or an installation begins with: one that signs, and where the use keeps one, the next.
    pub fn begin_ring(&self, owner: SealFor, now: Timestamp) -> Result<KeyRing, VaultError> {
        let standby = if owner.purpose().keeps_standby() { Some(self.make_seal(owner.clone(), now)?) } else { None };
        KeyRing::begin(self.make_seal(owner, now)?, standby, now).map_err(|_| VaultError::Fault)
    }

    /// As `begin_ring`, off the async threads.
    pub async fn begin_ring_aside(&self, owner: SealFor, now: Timestamp) -> Result<KeyRing, VaultError> {
        let vault = self.clone();
        spawn_blocking(move || vault.begin_ring(owner, now)).await.map_err(|_| VaultError::Fault)?
    }

    /// Takes a key made elsewhere (PKCS#8 in DER or PEM), on standby. Refuses another kind of key and RSA under 2048 bits; for Quick License
    /// Manager's clients, who know no other key than they were built with, under 1024 bits. Theirs may be PKCS#1 or XML as well.
    pub fn import_seal(&self, owner: SealFor, pkcs8: &[u8], now: Timestamp) -> Result<Seal, VaultError> {
        let purpose = owner.purpose();
        let der = from_pem(pkcs8);
        let der = der.or_else(|| legacy_pkcs8(purpose, pkcs8));
        let der = der.as_ref().map_or(pkcs8, |der| der.as_slice());
        let public = public_half(purpose, der).ok_or(VaultError::NotAKey { expected: expected(purpose) })?;
        let kid = public::thumbprint(purpose, &public).ok_or(VaultError::Fault)?;
        let product = owner.product();
        let subject = Subject::of(product.as_ref().map(|product| product.id), &kid);
        let secret = self.0.master.encrypt_secret(cipher_purpose(purpose), subject, der);
        Ok(Seal {
            id: None,
            kid,
            purpose,
            product,
            public,
            secret,
            state: SealState::Standby { since: now },
            created_at: now,
            last_exp: None,
            signed_without_exp: false,
            imported: true,
        })
    }

    /// What signs the files of a product now. Ask anew for each act: keys rotate.
    pub fn license_signer(&self, product: ProductId) -> Result<LicenseSigner, VaultError> {
        self.opened().license.get(&product).cloned().ok_or(VaultError::NoLicenseKey { product })
    }

    /// The `kid` of the key that signs for LicenseSpring's clients.
    pub fn licensespring_kid(&self) -> Result<String, VaultError> {
        self.rsa().map(|signer| signer.kid.as_ref().to_owned())
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 over `message`, in base64, as LicenseSpring's clients check it.
    /// Runs off the async threads, on hardly more threads than there are cores.
    pub async fn licensespring_sign(&self, message: Vec<u8>) -> Result<String, VaultError> {
        let signer = self.rsa()?;
        let slot = self.rsa_slot().await?;
        let signed = spawn_blocking(move || {
            // Held until the work is done, even if no one waits for it any more.
            let _slot = slot;
            signer.sign(&message)
        });
        signed.await.map_err(|_| VaultError::Fault)?
    }

    /// What signs for LicenseSpring's clients now, for several signatures by one key.
    pub fn licensespring_signer(&self) -> Result<AppSigner, VaultError> {
        self.rsa().map(AppSigner)
    }

    /// One of few places, for whoever signs several times on a thread of their own.
    pub async fn rsa_slot(&self) -> Result<OwnedSemaphorePermit, VaultError> {
        self.0.rsa_slots.clone().acquire_owned().await.map_err(|_| VaultError::Fault)
    }

    /// The same with a key that was asked for before.
    pub async fn licensespring_sign_with(&self, signer: AppSigner, message: Vec<u8>) -> Result<String, VaultError> {
        let slot = self.rsa_slot().await?;
        let signed = spawn_blocking(move || {
            let _slot = slot;
            signer.sign(&message)
        });
        signed.await.map_err(|_| VaultError::Fault)?
    }

    /// The same with SHA-1, for clients of old.
    pub async fn sign_sha1_with(&self, signer: AppSigner, message: Vec<u8>) -> Result<String, VaultError> {
        let slot = self.rsa_slot().await?;
        let signed = spawn_blocking(move || {
            let _slot = slot;
            signer.sign_sha1(&message)
        });
        signed.await.map_err(|_| VaultError::Fault)?
    }

    /// As `licensespring_sign`, on this thread: over a millisecond with RSA-4096.
    pub fn licensespring_sign_now(&self, message: &[u8]) -> Result<String, VaultError> {
        self.rsa()?.sign(message)
    }

    /// What confirms activations of air-gapped machines now. Some 30 µs a signature: may run on the async threads.
    pub fn airgap_signer(&self) -> Result<AirGapSigner, VaultError> {
        self.opened().airgap.clone().ok_or(VaultError::NoAirGapKey)
    }

    /// What signs documents for Quick License Manager's clients of a product; none before the product's first.
    #[must_use]
    pub fn document_signer(&self, product: ProductId) -> Option<AppSigner> {
        self.opened().qlm.get(&product).cloned().map(AppSigner)
    }

    fn rsa(&self) -> Result<RsaSigner, VaultError> {
        self.opened().licensespring.clone().ok_or(VaultError::NoLicenseSpringKey)
    }

    fn opened(&self) -> Arc<Opened> {
        self.0.opened.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Opened {
    /// Keys already open are not opened again: an RSA key takes milliseconds to check.
    fn read(master: &MasterKey, seals: &[Seal], before: &Self) -> Result<Self, VaultError> {
        let mut opened = Self::default();
        for seal in seals {
            let is_next = matches!(seal.state, SealState::Standby { .. });
            if !seal.signs() && !is_next {
                continue;
            }
            let secret = open_secret(master, seal)?;
            match (seal.purpose, seal.product_id()) {
                (SealUse::License, Some(product)) => {
                    let signer = LicenseSigner::read(seal, &secret)?;
                    if seal.signs() && opened.license.insert(product, signer).is_some() {
                        return Err(VaultError::ManyActive { kid: seal.kid.clone() });
                    }
                }
                (SealUse::LicenseSpring, None) => {
                    let known = before.licensespring.as_ref().filter(|signer| *signer.kid == *seal.kid);
                    let signer = known.cloned().map_or_else(|| RsaSigner::read(seal, &secret), Ok)?;
                    if seal.signs() && opened.licensespring.replace(signer).is_some() {
                        return Err(VaultError::ManyActive { kid: seal.kid.clone() });
                    }
                }
                (SealUse::AirGap, None) => {
                    let signer = AirGapSigner::read(seal, secret.as_slice()).filter(|_| is_own_kid(seal));
                    let signer = signer.ok_or_else(|| VaultError::NotAPair { kid: seal.kid.clone() })?;
                    if seal.signs() && opened.airgap.replace(signer).is_some() {
                        return Err(VaultError::ManyActive { kid: seal.kid.clone() });
                    }
                }
                (SealUse::Qlm, Some(product)) => {
                    let known = before.qlm.get(&product).filter(|signer| *signer.kid == *seal.kid);
                    let signer = known.cloned().map_or_else(|| RsaSigner::read(seal, &secret), Ok)?;
                    if seal.signs() && opened.qlm.insert(product, signer).is_some() {
                        return Err(VaultError::ManyActive { kid: seal.kid.clone() });
                    }
                }
                _ => return Err(VaultError::NotAPair { kid: seal.kid.clone() }),
            }
        }
        Ok(opened)
    }
}

impl files::Signer for LicenseSigner {
    fn kid(&self) -> &str {
        &self.0.kid
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.key.sign(message).to_bytes()
    }
}

impl LicenseSigner {
    fn read(seal: &Seal, secret: &SecretBytes) -> Result<Self, VaultError> {
        let key = ed25519_key(secret.as_slice()).filter(|key| key.verifying_key().as_bytes().as_slice() == seal.public);
        let key = key.filter(|_| is_own_kid(seal)).ok_or_else(|| VaultError::NotAPair { kid: seal.kid.clone() })?;
        let last_exp = AtomicI64::new(seal.last_exp.map_or(i64::MIN, Timestamp::millis));
        let signed_without_exp = AtomicBool::new(seal.signed_without_exp);
        Ok(Self(Arc::new(LicenseKey { kid: seal.kid.clone(), key, last_exp, signed_without_exp })))
    }

    /// Whether the stored row already covers a file that ends at `exp` (None: one without end). If not, the transaction that
    /// hands out the file must store `Seal::record_signed(exp)`, and `recorded` is called once it is committed.
    #[must_use]
    pub fn covers(&self, exp: Option<Timestamp>) -> bool {
        match exp {
            None => self.0.signed_without_exp.load(Ordering::Acquire),
            Some(exp) => self.0.last_exp.load(Ordering::Acquire) >= exp.millis(),
        }
    }

    /// Takes note of a committed row, so that it is not written again with the next file.
    pub fn recorded(&self, seal: &Seal) {
        if seal.kid == self.0.kid {
            self.0.last_exp.fetch_max(seal.last_exp.map_or(i64::MIN, Timestamp::millis), Ordering::AcqRel);
            self.0.signed_without_exp.fetch_or(seal.signed_without_exp, Ordering::AcqRel);
        }
    }
}

impl RsaSigner {
    fn read(seal: &Seal, secret: &SecretBytes) -> Result<Self, VaultError> {
        let not_a_pair = || VaultError::NotAPair { kid: seal.kid.clone() };
        let may_be_legacy = seal.imported && seal.purpose == SealUse::Qlm;
        let legacy = may_be_legacy.then(|| LegacyKey::from_pkcs8(secret.as_slice())).flatten();
        let key = RsaKeyPair::from_pkcs8(secret.as_slice()).ok();
        let public = match (&key, &legacy) {
            (Some(key), _) => rsa_spki(key),
            (None, Some(legacy)) => legacy.spki(),
            (None, None) => None,
        };
        if public.as_deref() != Some(&seal.public) || !is_own_kid(seal) {
            return Err(not_a_pair());
        }
        Ok(Self { kid: seal.kid.as_str().into(), key: key.map(Arc::new), legacy: legacy.map(Arc::new) })
    }

    fn sign(&self, message: &[u8]) -> Result<String, VaultError> {
        let Some(key) = &self.key else {
            return self.legacy.as_ref().and_then(|key| key.sign_sha256(message)).ok_or(VaultError::Fault);
        };
        let mut signature = vec![0; key.public_modulus_len()];
        let signed = key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map_err(|_| VaultError::Fault)?;
        Ok(STANDARD.encode(signature))
    }
}

/// Whether `signature` is RSASSA-PKCS1-v1_5 with SHA-256 over `message` by the holder of this key (`SubjectPublicKeyInfo` in DER,
/// 2048 to 8192 bits).
#[must_use]
pub fn verify_rsa(public_spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public_spki).verify(message, signature).is_ok()
}

/// Whether 64 bytes, r and s, are a signature over `message` with SHA-256 under a P-256 key, given as its uncompressed point
/// (FIPS 186-5, SEC 1 §2.3.3).
#[must_use]
pub fn verify_p256(point: &[u8], message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
}

impl<'a> Subject<'a> {
    const fn of(product: Option<ProductId>, name: &'a str) -> Self {
        match product {
            Some(product) => Self::of_product(product, name),
            None => Self::named(name),
        }
    }
}

/// PKCS#8, wiped by whichever library made it.
enum SecretDer {
    Own(Zeroizing<Vec<u8>>),
    Rsa(Pkcs8V1Der<'static>),
}

impl SecretDer {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Own(der) => der,
            Self::Rsa(der) => der.as_ref(),
        }
    }
}

fn open_secret(master: &MasterKey, seal: &Seal) -> Result<SecretBytes, VaultError> {
    let opened = master.decrypt_secret(cipher_purpose(seal.purpose), Subject::of(seal.product_id(), &seal.kid), &seal.secret);
    opened.map_err(|source| VaultError::DoesNotOpen { kid: seal.kid.clone(), source })
}

const fn cipher_purpose(purpose: SealUse) -> Purpose {
    match purpose {
        SealUse::License => Purpose::LICENSE_SEAL,
        SealUse::LicenseSpring => Purpose::LICENSESPRING_SEAL,
        SealUse::AirGap => Purpose::AIRGAP_SEAL,
        SealUse::Qlm => Purpose::QLM_SEAL,
    }
}

const fn expected(purpose: SealUse) -> &'static str {
    match purpose {
        SealUse::License => "Ed25519",
        SealUse::LicenseSpring => "RSA of 2048 to 8192 bits",
        SealUse::Qlm => "RSA of 1024 to 8192 bits",
        SealUse::AirGap => "P-256",
    }
}

fn is_own_kid(seal: &Seal) -> bool {
    public::thumbprint(seal.purpose, &seal.public).is_some_and(|kid| kid == seal.kid)
}

fn public_half(purpose: SealUse, pkcs8: &[u8]) -> Option<Vec<u8>> {
    match purpose {
        SealUse::License => ed25519_key(pkcs8).map(|key| key.verifying_key().as_bytes().to_vec()),
        SealUse::LicenseSpring => rsa_spki(&RsaKeyPair::from_pkcs8(pkcs8).ok()?),
        SealUse::Qlm => match RsaKeyPair::from_pkcs8(pkcs8) {
            Ok(key) => rsa_spki(&key),
            Err(_) => LegacyKey::from_pkcs8(pkcs8)?.spki(),
        },
        SealUse::AirGap => airgap::public_half(pkcs8),
    }
}

fn ed25519_pkcs8(seed: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    // At its full size from the start, so that no copy is left behind by growing.
    let mut pkcs8 = Zeroizing::new(Vec::with_capacity(ED25519_PKCS8.len() + seed.len()));
    pkcs8.extend_from_slice(&ED25519_PKCS8);
    pkcs8.extend_from_slice(seed);
    pkcs8
}

fn ed25519_key(pkcs8: &[u8]) -> Option<SigningKey> {
    let seed: &[u8; 32] = pkcs8.strip_prefix(&ED25519_PKCS8)?.try_into().ok()?;
    Some(SigningKey::from_bytes(seed))
}

fn rsa_pkcs8(size: rsa::KeySize) -> Result<SecretDer, VaultError> {
    let der = RsaKeyPair::generate(size).and_then(|key| key.as_der());
    der.map(SecretDer::Rsa).map_err(|_| VaultError::Fault)
}

fn rsa_spki(key: &RsaKeyPair) -> Option<Vec<u8>> {
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().ok()?;
    Some(der.as_ref().to_vec())
}

/// PKCS#8 of a key that another system keeps otherwise.
fn legacy_pkcs8(purpose: SealUse, text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if purpose != SealUse::Qlm {
        return None;
    }
    LegacyKey::from_text(std::str::from_utf8(text).ok()?)?.pkcs8()
}

/// The DER inside a PEM of a private key; None for anything else.
fn from_pem(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let body = text.strip_prefix("-----BEGIN PRIVATE KEY-----")?.strip_suffix("-----END PRIVATE KEY-----")?;
    let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    STANDARD.decode(body.as_bytes()).ok().map(Zeroizing::new)
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl fmt::Debug for LicenseSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LicenseSigner({})", self.0.kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::{ProductCode, files::Signer as _};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const LATER: Timestamp = Timestamp::from_seconds(1_800_200_000);

    fn product(id: i64, code: &str) -> SealProduct {
        SealProduct { id: ProductId(id), code: ProductCode::parse(code).unwrap() }
    }

    fn two_products() -> (Vault, Vec<KeyRing>) {
        Vault::for_testing(&[product(1, "PRESS"), product(2, "LATHE")], NOW)
    }

    fn all(rings: &[KeyRing]) -> Vec<Seal> {
        rings.iter().flat_map(|ring| ring.seals().to_vec()).collect()
    }

    fn reopened(seals: &[Seal]) -> Result<Vault, VaultError> {
        Vault::open(MasterKey::for_testing(), seals)
    }

    fn verifies(seal: &Seal, message: &[u8], signature: &[u8; 64]) -> bool {
        let key = ed25519_dalek::VerifyingKey::from_bytes(seal.public.as_slice().try_into().unwrap()).unwrap();
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }

    #[test]
    fn keys_are_as_long_as_they_are_said_to_be() {
        // Documents of QLM's clients, then answers to apps: what a server makes unless it is told otherwise.
        let made = RsaSize::default();
        assert_eq!((made.for_documents().len(), made.for_apps().len()), (3_072 / 8, 4_096 / 8));
    }

    #[test]
    fn a_signature_is_the_active_keys_of_its_product() {
        let (vault, rings) = two_products();
        for ring in &rings[..2] {
            let signer = vault.license_signer(ring.active().product_id().unwrap()).unwrap();
            assert_eq!(signer.kid(), ring.active().kid);
            let signature = signer.sign(b"message");
            assert!(verifies(ring.active(), b"message", &signature));
            assert!(!verifies(ring.standby().unwrap(), b"message", &signature));
        }
        assert!(matches!(vault.license_signer(ProductId(3)), Err(VaultError::NoLicenseKey { .. })));
    }

    #[test]
    fn keys_open_again_after_a_restart() {
        let (vault, rings) = two_products();
        let again = reopened(&all(&rings)).unwrap();
        let sign = |vault: &Vault| vault.license_signer(ProductId(1)).unwrap().sign(b"message");
        assert_eq!(sign(&vault), sign(&again));
        assert_eq!(vault.licensespring_sign_now(b"m"), again.licensespring_sign_now(b"m"));
    }

    #[test]
    fn made_keys_differ_and_are_pairs() {
        let vault = reopened(&[]).unwrap();
        let ring = vault.begin_ring(SealFor::License(product(1, "PRESS")), NOW).unwrap();
        assert_ne!(ring.active().kid, ring.standby().unwrap().kid);
        vault.reload(ring.seals()).unwrap();
        let signature = vault.license_signer(ProductId(1)).unwrap().sign(b"message");
        assert!(verifies(ring.active(), b"message", &signature));
        assert!(!ring.active().secret.windows(16).any(|part| part == ED25519_PKCS8), "the secret half is encrypted");
    }

    #[test]
    fn rows_swapped_between_products_are_noticed() {
        let (_, rings) = two_products();
        let mut swapped = all(&rings);
        let (one, two) = (swapped[0].product.clone(), swapped[2].product.clone());
        (swapped[0].product, swapped[2].product) = (two, one);
        assert_eq!(reopened(&swapped).unwrap_err().code(), "seal_does_not_open");

        let mut secrets = all(&rings);
        (secrets[0].secret, secrets[2].secret) = (secrets[2].secret.clone(), secrets[0].secret.clone());
        assert_eq!(reopened(&secrets).unwrap_err().code(), "seal_does_not_open");

        let mut publics = all(&rings);
        publics[0].public = publics[2].public.clone();
        assert_eq!(reopened(&publics).unwrap_err().code(), "seal_not_a_pair");

        let mut uses = all(&rings);
        uses[0].purpose = SealUse::LicenseSpring;
        assert_eq!(reopened(&uses).unwrap_err().code(), "seal_does_not_open");

        // The next key too: it must not come out as broken on the day it is needed.
        let mut standby = all(&rings);
        standby[1].secret[20] ^= 1;
        assert_eq!(reopened(&standby).unwrap_err().code(), "seal_does_not_open");
    }

    #[test]
    fn another_master_key_opens_nothing() {
        let (_, rings) = two_products();
        let source = crate::vault::MasterSource { value: Some(Zeroizing::new("17".repeat(32))), file: "unused".into() };
        let error = Vault::open(MasterKey::load(&source).unwrap(), &all(&rings)).unwrap_err();
        assert_eq!(error.code(), "seal_does_not_open");
        assert!(error.to_string().contains("restore"), "{error}");
    }

    #[test]
    fn two_active_keys_are_refused() {
        let (_, rings) = two_products();
        let mut seals = all(&rings);
        seals[1].state = SealState::Active { since: NOW };
        assert_eq!(reopened(&seals).unwrap_err().code(), "seal_many_active");
    }

    #[test]
    fn rotation_while_running_changes_who_signs_and_a_bad_reload_does_not() {
        let (vault, rings) = two_products();
        let held = vault.license_signer(ProductId(1)).unwrap();
        let fresh = vault.make_seal(SealFor::License(product(1, "PRESS")), LATER).unwrap();
        let rotated = rings[0].clone().rotate(Some(fresh), LATER, false).unwrap().ring;
        let seals: Vec<Seal> = [rotated.clone()].iter().chain(&rings[1..]).flat_map(|ring| ring.seals().to_vec()).collect();
        vault.reload(&seals).unwrap();
        let signer = vault.license_signer(ProductId(1)).unwrap();
        assert_eq!(signer.kid(), rings[0].standby().unwrap().kid);
        assert_ne!(signer.kid(), held.kid());

        let mut broken = seals;
        broken.iter_mut().for_each(|seal| seal.secret = vec![1; 80]);
        assert!(vault.reload(&broken).is_err());
        assert_eq!(vault.license_signer(ProductId(1)).unwrap().kid(), signer.kid());
    }

    #[test]
    fn retired_and_compromised_keys_are_not_even_opened() {
        let (_, rings) = two_products();
        let mut seals = all(&rings);
        seals[0].state = SealState::Compromised { at: NOW };
        seals[0].secret = Vec::new();
        let vault = reopened(&seals).unwrap();
        assert!(vault.license_signer(ProductId(1)).is_err());
        seals[0].state = SealState::Retiring { since: NOW, until: None };
        assert!(reopened(&seals).unwrap().license_signer(ProductId(1)).is_err());
    }

    #[test]
    fn the_row_is_written_only_for_what_it_does_not_cover() {
        let (vault, rings) = two_products();
        let signer = vault.license_signer(ProductId(1)).unwrap();
        let exp = Some(NOW.plus_days(90));
        assert!(!signer.covers(exp) && !signer.covers(None));
        let row = rings[0].active().clone().record_signed(exp).unwrap();
        signer.recorded(rings[1].active());
        assert!(!signer.covers(exp), "another key's row says nothing");
        signer.recorded(&row);
        assert!(signer.covers(exp) && !signer.covers(None) && !signer.covers(Some(NOW.plus_days(900))));
        let again = reopened(&[row.record_signed(None).unwrap()]).unwrap();
        assert!(again.license_signer(ProductId(1)).unwrap().covers(None));
    }

    #[tokio::test]
    async fn licensespring_signatures_verify_and_altered_ones_do_not() {
        let (vault, rings) = two_products();
        let seal = rings[2].active();
        let text = vault.licensespring_sign(b"reply".to_vec()).await.unwrap();
        assert_eq!(text, vault.licensespring_sign_now(b"reply").unwrap());
        let mut signature = STANDARD.decode(text).unwrap();
        assert!(verify_rsa(&seal.public, b"reply", &signature));
        assert!(!verify_rsa(&seal.public, b"reply ", &signature));
        assert!(!verify_rsa(&seal.public[1..], b"reply", &signature));
        assert!(!verify_rsa(&rings[0].active().public, b"reply", &signature));
        signature[10] ^= 1;
        assert!(!verify_rsa(&seal.public, b"reply", &signature));
        assert_eq!(vault.licensespring_kid().unwrap(), seal.kid);
        assert_eq!(reopened(&[]).unwrap().licensespring_sign_now(b"x"), Err(VaultError::NoLicenseSpringKey));
    }

    #[test]
    fn a_key_made_elsewhere_is_taken_as_der_and_pem_and_no_other_kind() {
        let vault = reopened(&[]).unwrap();
        let der = ed25519_pkcs8(&[7; 32]);
        let text = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&*der));
        let owner = || SealFor::License(product(1, "PRESS"));
        let one = vault.import_seal(owner(), &der, NOW).unwrap();
        let two = vault.import_seal(owner(), text.as_bytes(), NOW).unwrap();
        assert_eq!(one.kid, two.kid);
        assert_eq!(vault.import_seal(SealFor::LicenseSpring, &der, NOW).unwrap_err().code(), "seal_not_a_key");
        assert_eq!(vault.import_seal(owner(), &[7; 32], NOW).unwrap_err().code(), "seal_not_a_key");
        assert_eq!(vault.import_seal(owner(), b"", NOW).unwrap_err().code(), "seal_not_a_key");
    }

    #[test]
    fn debug_shows_no_key() {
        let (vault, rings) = two_products();
        let signer = vault.license_signer(ProductId(1)).unwrap();
        assert_eq!(format!("{vault:?} {signer:?}"), format!("Vault(…) LicenseSigner({})", rings[0].active().kid));
    }
}
