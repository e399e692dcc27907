//! What can go wrong below the rules. None of it is a refusal, and none of its words reach a visitor.

/// A fault of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the schema could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A row that this program cannot have written.
    #[error("{table}.{column} of row {id} holds something this program did not write")]
    Inconsistent { table: &'static str, column: &'static str, id: i64 },
    /// The act's transaction could not be committed; nothing of it was saved.
    #[error("the transaction was not committed")]
    NotCommitted,
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
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
