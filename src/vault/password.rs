//! Passwords of vendor staff and license users: argon2id, off the async threads, a few at a time.

use std::{fmt, num::NonZero, sync::Arc, thread};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier},
};
use tokio::{
    sync::Semaphore,
    task::{JoinError, spawn_blocking},
};
use zeroize::Zeroizing;

use super::random_bytes;

const MIN_CHARS: usize = 12;
const MAX_CHARS: usize = 256;
/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A password as it was typed.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a password was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password has at least {MIN_CHARS} characters")]
    TooShort,
    #[error("a password has at most {MAX_CHARS} characters")]
    TooLong,
}

/// Hashes and checks passwords; as many at once as there are cores, the others wait their turn.
#[derive(Clone, Debug)]
pub struct Passwords {
    slots: Arc<Semaphore>,
    /// Of a password no one knows: checked when there is no such user, so that both answers take the same time.
    dummy: Arc<str>,
}

impl Password {
    /// A password someone chooses. Refuses a short one and one that only costs time.
    pub fn choose(text: &str) -> Result<Self, PasswordError> {
        if text.chars().count() < MIN_CHARS {
            return Err(PasswordError::TooShort);
        }
        if text.chars().count() > MAX_CHARS {
            return Err(PasswordError::TooLong);
        }
        Ok(Self::given(text))
    }

    /// A password someone claims to be theirs: whatever it is, it is checked.
    #[must_use]
    pub fn given(text: &str) -> Self {
        Self(Zeroizing::new(text.chars().take(MAX_CHARS + 1).collect()))
    }
}

impl PasswordError {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooShort => "password_too_short",
            Self::TooLong => "password_too_long",
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// Costs one hash.
    #[must_use]
    pub fn new() -> Self {
        let slots = thread::available_parallelism().map_or(1, NonZero::get);
        let dummy = hash_now(&Password(Zeroizing::new(super::Token::random().text())));
        Self { slots: Arc::new(Semaphore::new(slots)), dummy: dummy.into() }
    }

    /// The text to store, with a salt of its own.
    pub async fn hash(&self, password: Password) -> String {
        self.aside(move || hash_now(&password)).await
    }

    /// Whether the password is the one whose hash is stored; `None` (no such user) takes as long and is false.
    pub async fn verify(&self, password: Password, stored: Option<String>) -> bool {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.to_string());
        self.aside(move || verify_now(&password, &stored)).await && known
    }

    async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let slot = self.slots.clone().acquire_owned().await.expect("the semaphore is never closed");
        let done = spawn_blocking(move || {
            // Held until the work is done, even if no one waits for it any more.
            let _slot = slot;
            work()
        });
        done.await.unwrap_or_else(|error: JoinError| std::panic::resume_unwind(error.into_panic()))
    }
}

/// As `Passwords::hash`, for a command line without threads to spare.
#[must_use]
pub fn hash_now(password: &Password) -> String {
    let salt = random_bytes::<16>();
    let hash = hasher().hash_password_with_salt(password.0.as_bytes(), &salt);
    hash.expect("salt and output have lengths argon2 takes").to_string()
}

fn verify_now(password: &Password, stored: &str) -> bool {
    PasswordVerifier::<str>::verify_password(&hasher(), password.0.as_bytes(), stored).is_ok()
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("these are parameters argon2 takes");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[tokio::test]
    async fn the_right_password_and_no_other_is_taken() {
        let passwords = Passwords::new();
        let stored = passwords.hash(Password::choose("correct horse battery").unwrap()).await;
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.verify(Password::given("correct horse battery"), Some(stored.clone())).await);
        for wrong in ["", "Correct horse battery", "correct horse battery ", "correct horse batter"] {
            assert!(!passwords.verify(Password::given(wrong), Some(stored.clone())).await, "{wrong}");
        }
        let again = passwords.hash(Password::choose("correct horse battery").unwrap()).await;
        assert_ne!(stored, again);
    }

    #[tokio::test]
    async fn a_damaged_hash_is_no_password() {
        let passwords = Passwords::new();
        for stored in ["", "plain", "$argon2id$v=19$m=19456,t=2,p=1$", "$2b$12$abcdefghijklmnopqrstuv"] {
            assert!(!passwords.verify(Password::given(stored), Some(stored.to_owned())).await, "{stored}");
        }
    }

    #[tokio::test]
    async fn an_unknown_user_is_refused_after_the_same_work() {
        let passwords = Passwords::new();
        // The dummy is a hash of the same cost; it is never right, whatever is typed.
        let cost = |hash: &str| hash.rsplitn(3, '$').nth(2).map(str::to_owned);
        let stored = passwords.hash(Password::given("x")).await;
        assert_eq!(cost(&passwords.dummy), cost(&stored));
        assert!(!passwords.verify(Password::given("x"), None).await);
        let time = async |stored: Option<String>| {
            let start = Instant::now();
            passwords.verify(Password::given("y"), stored).await;
            start.elapsed()
        };
        let (known, unknown) = (time(Some(stored)).await, time(None).await);
        assert!(unknown > Duration::from_millis(1) && unknown * 20 > known, "{unknown:?} {known:?}");
    }

    #[test]
    fn short_and_endless_passwords_are_not_taken() {
        assert_eq!(Password::choose("12345678901").unwrap_err().code(), "password_too_short");
        assert_eq!(Password::choose(&"x".repeat(257)).unwrap_err().code(), "password_too_long");
        assert!(Password::choose("ünïcödé okay").is_ok());
    }

    #[test]
    fn a_longer_password_with_the_right_beginning_is_not_cut_to_fit() {
        let stored = hash_now(&Password::choose(&"x".repeat(256)).unwrap());
        assert!(verify_now(&Password::given(&"x".repeat(256)), &stored));
        assert!(!verify_now(&Password::given(&"x".repeat(300)), &stored));
    }

    #[test]
    fn debug_shows_only_the_name() {
        assert_eq!(format!("{:?}", Password::given("hidden")), "Password(…)");
    }
}
