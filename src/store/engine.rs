//! The two engines: where their data lives and how a connection is set up.

use std::path::PathBuf;

use sqlx::migrate::Migrator;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// FULL: an answer is given only after its commit is on the disk. The busy timeout lets the command line work beside a server. The
/// log is copied back beside the writer (`wal`), which does it itself only to begin the log anew: after 64 MB.
/// Public for `examples/rows`, the yardstick that has to write as the store does.
pub const WRITER_SETUP: &str = "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
     pragma busy_timeout = 10000; pragma cache_size = -16000; pragma temp_store = memory; pragma wal_autocheckpoint = 16000;";
/// FULL here too: who copies the log back answers for it being on the disk.
pub(super) const READER_SETUP: &str = "pragma synchronous = full; pragma foreign_keys = on; pragma busy_timeout = 10000; \
     pragma query_only = on; pragma cache_size = -4000;";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    pub(super) fn migrator(self) -> &'static Migrator {
        match self {
            Self::Sqlite => &SQLITE,
            Self::Postgres => &POSTGRES,
        }
    }

    /// The first text on SQLite, the second on PostgreSQL: where the two differ, as for row locks.
    pub(super) const fn pick(self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }
}

/// Where the data is.
#[derive(Clone)]
pub enum Location {
    /// A file; made if it is not there.
    Sqlite(PathBuf),
    /// A `postgres://` URL. It may hold a password, so it is never shown.
    Postgres(String),
}

impl Location {
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url_with("rwc")
    }

    /// For a database that is there: a SQLite file is not made.
    pub(super) fn url_of_existing(&self) -> String {
        self.url_with("rw")
    }

    fn url_with(&self, mode: &str) -> String {
        match self {
            Self::Sqlite(path) => {
                let mut escaped = String::new();
                for byte in path.to_string_lossy().bytes() {
                    match byte {
                        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => escaped.push(char::from(byte)),
                        other => escaped.push_str(&format!("%{other:02X}")),
                    }
                }
                format!("sqlite:{escaped}?mode={mode}")
            }
            Self::Postgres(url) => url.clone(),
        }
    }
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Self::Postgres(_) => write!(f, "Postgres(…)"),
        }
    }
}
