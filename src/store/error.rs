//! What can go wrong below the rules. None of it is a refusal, and none of its words reach a visitor.

use std::fmt;

use sqlx::migrate::MigrateError;

/// A fault of the store.
#[derive(thiserror::Error)]
pub enum StoreError {
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// There is no talking to it at all.
    #[error("the database could not be reached")]
    Unreachable(#[source] sqlx::Error),
    #[error("the schema could not be brought up to date")]
    Migrate(#[from] MigrateError),
    #[error(
        "the database has schema {found}, made by a newer version of this program; this one knows {known}: run the newer one"
    )]
    Newer { found: i64, known: i64 },
    /// A row that this program cannot have written.
    #[error("{table}.{column} of row {id} holds something this program did not write")]
    Inconsistent { table: &'static str, column: &'static str, id: i64 },
    /// The act's transaction could not be committed; nothing of it was saved.
    #[error("the transaction was not committed")]
    NotCommitted,
    #[error("the store is closed")]
    Closed,
    /// The act itself gave up, so that nothing of it is saved.
    #[error("the act gave up: {0}")]
    GaveUp(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// After a migration: a database that has more of them than this program knows is named as such.
    pub(super) fn migrating(error: MigrateError, known: i64) -> Self {
        match error {
            MigrateError::VersionMissing(found) if found > known => Self::Newer { found, known },
            error => Self::Migrate(error),
        }
    }

    /// For an act that can't go on after it has written: its transaction is rolled back.
    pub fn gave_up(why: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::GaveUp(Box::new(why))
    }

    pub(super) const fn inconsistent(table: &'static str, column: &'static str, id: i64) -> Self {
        Self::Inconsistent { table, column, id }
    }

    /// Whether running the same act again can succeed: a serialization failure or a deadlock of PostgreSQL.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.code().is_some_and(|code| matches!(&*code, "40001" | "40P01")),
            _ => false,
        }
    }
}

impl fmt::Debug for StoreError {
    /// Without the driver's own details, which show the row that was refused: logs never contain keys or addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                write!(f, "Database({}, {})", error.code().unwrap_or_default(), error.message())
            }
            Self::Database(error) => write!(f, "Database({error})"),
            Self::Unreachable(error) => write!(f, "Unreachable({error})"),
            Self::Migrate(error) => write!(f, "Migrate({error})"),
            other => write!(f, "{other}"),
        }
    }
}
