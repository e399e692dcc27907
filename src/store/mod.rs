//! Where things are kept: SQLite by default, PostgreSQL where one machine is not enough. SQL lives here and nowhere else, and
//! rows become domain values here. No rule is decided in this room: it fetches facts and saves answers.

mod activations;
mod answers;
mod api_keys;
mod attempts;
mod audit;
mod backup;
mod checkpoints;
mod conn;
mod counts;
mod engine;
mod error;
mod forms;
mod licenses;
mod lists;
mod orders;
mod pages;
mod products;
mod seals;
mod settings;
mod staff;
mod users;
mod variables;
mod writer;

#[cfg(test)]
mod contract;

use std::sync::Arc;

use sqlx::{AnyConnection, AnyPool, Connection, any::AnyPoolOptions};

pub use activations::{ActivationFactsRow, NewActivation};
pub use answers::Answer;
pub use api_keys::{ApiKey, NewApiKey};
pub use attempts::{Attempt, NewAttempt};
pub use audit::{AuditEntry, Broken, NewAudit, Subject};
pub use backup::{Backup, BackupError, Row};
pub use checkpoints::{Checkpoint, Heads};
pub use conn::Conn;
pub use engine::{Engine, Location};
pub use error::StoreError;
pub use forms::Claim;
pub use licenses::NewLicense;
pub use lists::{AttemptFilter, AuditFilter, LicenseFilter, LicenseRow, LicenseSort, OrderRow, Page};
pub use orders::{Customer, NewOrder, Order};
pub use pages::ResultPage;
pub use products::{NewProduct, NewRelease};
pub use staff::{Session, Staff};
pub use users::LicenseUser;
pub use variables::DeviceVariable;
use writer::Writer;

/// The store: cheap to clone, one for a process.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    readers: AnyPool,
    writer: Arc<Writer>,
}

impl Store {
    /// Connects, and brings the schema up to date. Refuses a database whose schema is newer than this program.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let engine = location.engine();
        let writers = Self::pool(location, if engine == Engine::Sqlite { 1 } else { 24 }, engine::WRITER_SETUP).await?;
        if let Err(error) = Self::migrate(engine, &writers).await {
            writers.close().await;
            return Err(error);
        }
        let readers = Self::pool(location, 6, engine::READER_SETUP).await?;
        let writer = Arc::new(Writer::start(engine, writers));
        Ok(Self { engine, readers, writer })
    }

    async fn migrate(engine: Engine, writers: &AnyPool) -> Result<(), StoreError> {
        let migrator = engine.migrator();
        let known = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
        let migrating = |error| StoreError::migrating(error, known);
        if engine == Engine::Postgres {
            return migrator.run(&mut *writers.acquire().await?).await.map_err(migrating);
        }
        // PostgreSQL's migrations take a lock of their own; on SQLite the write lock is it, when a server and a command start together.
        let mut all = writers.begin_with("begin immediate").await?;
        migrator.run(&mut *all).await.map_err(migrating)?;
        Ok(all.commit().await?)
    }

    async fn pool(location: &Location, size: u32, sqlite_setup: &'static str) -> Result<AnyPool, StoreError> {
        let sqlite = location.engine() == Engine::Sqlite;
        let options = AnyPoolOptions::new()
            .max_connections(size)
            .acquire_timeout(std::time::Duration::from_secs(10))
            .test_before_acquire(!sqlite)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |conn, _| {
                Box::pin(async move {
                    if sqlite {
                        sqlx::raw_sql(sqlite_setup).execute(conn).await?;
                    }
                    Ok(())
                })
            });
        let url = location.url();
        match options.connect(&url).await {
            Ok(pool) => Ok(pool),
            // The pool tries until its time is over, and then says only that: this says what was wrong.
            Err(sqlx::Error::PoolTimedOut) => match AnyConnection::connect(&url).await {
                Ok(_) => Err(sqlx::Error::PoolTimedOut.into()),
                Err(error) => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// A connection that only reads: what it sees is committed.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        match self.readers.acquire().await {
            Ok(conn) => Ok(Conn::new(conn, self.engine)),
            Err(sqlx::Error::PoolClosed) => Err(StoreError::Closed),
            Err(error) => Err(error.into()),
        }
    }

    /// Runs an act in one transaction and answers after the commit. On SQLite acts that come together share a transaction, each
    /// under its own savepoint, and are run again apart when what one of them gathered is refused; on PostgreSQL each has its own
    /// and is run again after a serialization failure. So an act must be repeatable: it may do nothing but read and write through
    /// the connection. Whatever error it ends in, nothing of it is saved; one that panics ends in `NotCommitted`.
    pub async fn write<T, F>(&self, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Conn) -> futures::future::BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.writer.run(act).await
    }

    /// Finishes what has been accepted and closes every connection.
    pub async fn close(&self) {
        self.writer.stop().await;
        self.readers.close().await;
    }
}
