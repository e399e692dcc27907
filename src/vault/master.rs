//! The master key: 32 bytes that never enter the database. Every other secret rests encrypted under a key derived from it.

use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::hkdf;
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Cipher, Purpose, Subject, TokenKey, random_bytes};

const LENGTH: usize = 32;
const CHECK_TEXT: &[u8] = b"countersign/master-check/1";
const KEY_VARIABLE: &str = "COUNTERSIGN_MASTER_KEY";
const FILE_VARIABLE: &str = "COUNTERSIGN_MASTER_KEY_FILE";

/// The key under which every secret of the installation rests.
#[derive(Clone)]
pub struct MasterKey {
    bytes: Zeroizing<[u8; LENGTH]>,
    origin: Origin,
}

/// Where a master key came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Variable,
    File(PathBuf),
}

/// Where to look for the master key: the variable's value if it is set, else the file.
#[derive(Clone)]
pub struct MasterSource {
    pub value: Option<Zeroizing<String>>,
    pub file: PathBuf,
}

/// Why there is no master key to work with. Each says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum MasterError {
    #[error(
        "the database holds secrets that are encrypted under a master key, but there is none at {}: restore master.key from your \
         backup, or set {KEY_VARIABLE} to what the file held",
        file.display()
    )]
    Missing { file: PathBuf },
    #[error("other users of this machine can read {} (mode {mode:04o}): run `chmod 600 {}`", file.display(), file.display())]
    ReadableByOthers { file: PathBuf, mode: u32 },
    #[error(
        "{origin} holds no master key (32 bytes in base64 or hex are expected): restore it from your backup; `openssl rand -base64 32` \
         makes one for a new installation"
    )]
    Malformed { origin: Origin },
    #[error("{} cannot be read: check that it belongs to the user who runs countersign", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("a master key could not be written to {}: check that its folder can be written to, or set {KEY_VARIABLE}", file.display())]
    NotMade { file: PathBuf, source: io::Error },
    #[error(
        "the master key in {origin} is not the one this database was encrypted under: restore the master.key that belongs to this \
         database from the same backup"
    )]
    Wrong { origin: Origin },
}

impl MasterError {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "master_key_missing",
            Self::ReadableByOthers { .. } => "master_key_readable_by_others",
            Self::Malformed { .. } => "master_key_malformed",
            Self::Unreadable { .. } => "master_key_unreadable",
            Self::NotMade { .. } => "master_key_not_made",
            Self::Wrong { .. } => "master_key_wrong",
        }
    }
}

impl MasterSource {
    /// `COUNTERSIGN_MASTER_KEY`, or `COUNTERSIGN_MASTER_KEY_FILE`, or `master.key` in the data directory.
    #[must_use]
    pub fn from_env(data_dir: &Path) -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let value = variable(KEY_VARIABLE).map(|value| Zeroizing::new(value.to_string_lossy().into_owned()));
        Self { value, file: variable(FILE_VARIABLE).map_or_else(|| data_dir.join("master.key"), PathBuf::from) }
    }
}

impl MasterKey {
    /// Reads the master key of an installation that has one. Refuses a file that others can read.
    pub fn load(source: &MasterSource) -> Result<Self, MasterError> {
        if let Some(value) = &source.value {
            let origin = Origin::Variable;
            return match parse(value) {
                Some(bytes) => Ok(Self { bytes, origin }),
                None => Err(MasterError::Malformed { origin }),
            };
        }
        let file = source.file.clone();
        let text = match fs::read_to_string(&file).map(Zeroizing::new) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(MasterError::Missing { file }),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(MasterError::Malformed { origin: Origin::File(file) });
            }
            Err(source) => return Err(MasterError::Unreadable { file, source }),
        };
        if let Some(mode) = mode_if_readable_by_others(&file) {
            return Err(MasterError::ReadableByOthers { file, mode });
        }
        let origin = Origin::File(file);
        match parse(&text) {
            Some(bytes) => Ok(Self { bytes, origin }),
            None => Err(MasterError::Malformed { origin }),
        }
    }

    /// As `load`, and for an installation that holds nothing encrypted yet (`is_new`) makes the file where there is none.
    /// Says whether it was made.
    pub fn load_or_make(source: &MasterSource, is_new: bool) -> Result<(Self, bool), MasterError> {
        match Self::load(source) {
            Err(MasterError::Missing { file }) if is_new => {
                let made = write_new(&file).map_err(|source| MasterError::NotMade { file, source })?;
                // If another process was first, its key counts.
                Self::load(source).map(|key| (key, made))
            }
            result => result.map(|key| (key, false)),
        }
    }

    /// A key known to everyone, for tests only.
    #[must_use]
    pub fn for_testing() -> Self {
        Self { bytes: Zeroizing::new([42; LENGTH]), origin: Origin::Variable }
    }

    /// Where it came from.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What is stored beside the first secret, to tell a wrong master key from a damaged row.
    #[must_use]
    pub fn check_value(&self) -> Vec<u8> {
        self.cipher(Purpose::MASTER_CHECK).seal_bytes(Subject::none(), CHECK_TEXT)
    }

    /// Refuses when the stored check value was not made under this key.
    pub fn verify(&self, check_value: &[u8]) -> Result<(), MasterError> {
        match self.cipher(Purpose::MASTER_CHECK).open_bytes(Subject::none(), check_value) {
            Ok(text) if text.as_slice() == CHECK_TEXT => Ok(()),
            _ => Err(MasterError::Wrong { origin: self.origin.clone() }),
        }
    }

    /// The cipher for one purpose; ciphers of different purposes never open each other's bytes.
    #[must_use]
    pub fn cipher(&self, purpose: Purpose) -> Cipher {
        Cipher::new(&self.subkey("encrypt", purpose), purpose)
    }

    /// Derives unguessable tokens from ids, so that nothing needs to be stored to find them again.
    #[must_use]
    pub fn token_key(&self, purpose: Purpose) -> TokenKey {
        TokenKey::new(&self.subkey("token", purpose))
    }

    /// HKDF-SHA-256; `kind` keeps keys of different algorithms apart.
    pub(super) fn subkey(&self, kind: &str, purpose: Purpose) -> Zeroizing<[u8; LENGTH]> {
        let mut subkey = Zeroizing::new([0; LENGTH]);
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"countersign/vault/1").extract(self.bytes.as_slice());
        let info = [kind.as_bytes(), b"/", purpose.text().as_bytes()];
        let filled = secret.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(subkey.as_mut_slice()));
        filled.expect("HKDF-SHA-256 gives its own length");
        subkey
    }

    /// As it is written to a file or a backup.
    #[must_use]
    pub fn export_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes.as_slice()))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl fmt::Debug for MasterSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterSource").field("file", &self.file).finish_non_exhaustive()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable => f.write_str(KEY_VARIABLE),
            Self::File(file) => write!(f, "{}", file.display()),
        }
    }
}

/// 32 bytes as 64 hex digits or as base64 of either alphabet, padded or not.
fn parse(text: &str) -> Option<Zeroizing<[u8; LENGTH]>> {
    let text = text.trim();
    let mut bytes = Zeroizing::new([0; LENGTH]);
    if text.len() == 2 * LENGTH {
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            *byte = u8::try_from(digit(digits[0])? << 4 | digit(digits[1])?).ok()?;
        }
        return Some(bytes);
    }
    let plain: Zeroizing<String> = Zeroizing::new(text.trim_end_matches('=').replace('-', "+").replace('_', "/"));
    let decoded = Zeroizing::new(base64::engine::general_purpose::STANDARD_NO_PAD.decode(plain.as_bytes()).ok()?);
    (decoded.len() == LENGTH).then(|| bytes.copy_from_slice(&decoded))?;
    Some(bytes)
}

/// Writes a new key beside its place and links it there, so that no one ever reads half a key and none is overwritten.
/// False when there is one already.
fn write_new(file: &Path) -> io::Result<bool> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let unique = u64::from_le_bytes(random_bytes());
    let draft = folder.join(format!(".master.key.{unique:016x}"));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let key = Zeroizing::new(random_bytes::<LENGTH>());
    let text = Zeroizing::new(format!("{}\n", STANDARD.encode(key.as_slice())));
    let written = options.open(&draft).and_then(|mut draft| draft.write_all(text.as_bytes()).and_then(|()| draft.sync_all()));
    let linked = written.and_then(|()| fs::hard_link(&draft, file));
    let removed = fs::remove_file(&draft);
    match linked {
        Ok(()) => {
            removed?;
            fs::File::open(folder)?.sync_all()?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn mode_if_readable_by_others(file: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(file).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn mode_if_readable_by_others(_: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(file: &Path) -> MasterSource {
        MasterSource { value: None, file: file.to_owned() }
    }

    fn given(value: &str) -> MasterSource {
        MasterSource { value: Some(Zeroizing::new(value.to_owned())), file: PathBuf::from("/nowhere/master.key") }
    }

    #[test]
    fn the_first_start_makes_a_key_only_its_owner_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data").join("master.key");
        let (first, made) = MasterKey::load_or_make(&source(&file), true).unwrap();
        assert!(made);
        let (again, made) = MasterKey::load_or_make(&source(&file), true).unwrap();
        assert!(!made);
        again.verify(&first.check_value()).unwrap();
        assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 1, "no draft is left");
        #[cfg(unix)]
        assert_eq!(mode_if_readable_by_others(&file), None);
    }

    #[test]
    fn no_key_is_made_where_encrypted_data_exists() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        let error = MasterKey::load_or_make(&source(&file), false).unwrap_err();
        assert_eq!(error.code(), "master_key_missing");
        assert!(error.to_string().contains("restore master.key"), "{error}");
        assert!(!file.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_others_can_read_is_refused_with_the_mend() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        MasterKey::load_or_make(&source(&file), true).unwrap();
        for mode in [0o644, 0o640, 0o604] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let error = MasterKey::load_or_make(&source(&file), true).unwrap_err();
            assert_eq!(error.code(), "master_key_readable_by_others");
            assert!(error.to_string().contains(&format!("chmod 600 {}", file.display())), "{error}");
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
        MasterKey::load(&source(&file)).unwrap();
    }

    #[test]
    fn many_processes_starting_at_once_agree_on_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        let start = || {
            std::thread::spawn({
                let source = source(&file);
                move || MasterKey::load_or_make(&source, true).unwrap()
            })
        };
        let threads: Vec<_> = (0..8).map(|_| start()).collect();
        let keys: Vec<(MasterKey, bool)> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(keys.iter().filter(|(_, made)| *made).count(), 1);
        assert!(keys.iter().all(|(key, _)| key.bytes == keys[0].0.bytes));
    }

    #[test]
    fn the_variable_is_read_in_hex_and_base64_and_goes_before_the_file() {
        let hex = "00ff".repeat(16);
        let bytes: Vec<u8> = [0x00, 0xff].repeat(16);
        let padded = STANDARD.encode(&bytes);
        let url = padded.replace('/', "_").replace('+', "-");
        for text in [hex.as_str(), &hex.to_uppercase(), &padded, padded.trim_end_matches('='), &url, &format!(" {padded}\n")] {
            let key = MasterKey::load(&given(text)).unwrap();
            assert_eq!(key.bytes.as_slice(), bytes, "{text}");
            assert_eq!(key.origin(), &Origin::Variable);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_never_repeated() {
        for text in ["correct horse battery staple", "AAAA", "zz".repeat(32).as_str(), &STANDARD.encode([1; 33])] {
            let error = MasterKey::load_or_make(&given(text), true).unwrap_err();
            assert_eq!(error.code(), "master_key_malformed");
            assert!(!error.to_string().contains(text) && !format!("{error:?} {:?}", given(text)).contains(text));
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        MasterKey::load_or_make(&source(&file), true).unwrap();
        fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
        assert_eq!(MasterKey::load(&source(&file)).unwrap_err().code(), "master_key_malformed");
    }

    #[test]
    fn another_key_is_told_by_the_check_value() {
        let right = MasterKey::for_testing();
        let wrong = MasterKey::load(&given(&"17".repeat(32))).unwrap();
        right.verify(&right.check_value()).unwrap();
        let error = wrong.verify(&right.check_value()).unwrap_err();
        assert_eq!(error.code(), "master_key_wrong");
        assert!(error.to_string().contains("COUNTERSIGN_MASTER_KEY"), "{error}");
        assert!(right.verify(b"").is_err());
    }

    #[test]
    fn debug_shows_only_the_name() {
        assert_eq!(format!("{:?}", MasterKey::for_testing()), "MasterKey(…)");
    }

    #[test]
    fn an_exported_key_reads_back() {
        let key = MasterKey::for_testing();
        assert_eq!(MasterKey::load(&given(&key.export_text())).unwrap().bytes, key.bytes);
    }
}
