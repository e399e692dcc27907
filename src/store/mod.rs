//! Where things are kept: SQLite by default, PostgreSQL where one machine is not enough. SQL lives here and nowhere else, and
//! rows become domain values here. No rule is decided in this room: it fetches facts and saves answers.

mod accounts;
mod activations;
mod airgap;
mod answers;
mod api_keys;
mod attempts;
mod audit;
mod backup;
mod bundles;
mod checkpoints;
mod codes;
mod conn;
mod counts;
mod engine;
mod error;
mod extensions;
mod forms;
mod installs;
mod licenses;
mod lists;
mod marks;
mod messages;
mod oauth;
mod orders;
mod pages;
mod products;
mod protect;
mod seals;
mod settings;
mod shops;
mod slots;
mod staff;
mod templates;
mod trials;
mod turns;
mod users;
mod variables;
mod wal;
mod writer;

#[cfg(test)]
mod contract;

use std::{cmp::Ordering, sync::Arc};

use sqlx::{AnyConnection, AnyPool, Connection, any::AnyPoolOptions};

pub use accounts::{Account, SsoRow};
pub use activations::ActivationFactsRow;
pub use airgap::NewAirGapCode;
pub use answers::Answer;
pub use api_keys::{ApiKey, NewApiKey};
pub use attempts::{Attempt, NewAttempt};
pub use audit::{AuditEntry, Broken, NewAudit, Subject};
pub use backup::{Backup, BackupError, Row};
pub use bundles::Bundle;
pub use checkpoints::{Checkpoint, Heads};
use conn::Columns as _;
pub use conn::Conn;
pub use engine::{Engine, Location, WRITER_SETUP};
pub use error::StoreError;
pub use extensions::{Extension, NewExtension};
pub use forms::Claim;
pub use installs::{Install, SeenInstall};
pub use licenses::{LicenseListed, NewLicense};
pub use lists::{
    AttemptFilter, AuditFilter, LicenseFilter, LicenseRow, LicenseSort, OrderFilter, OrderRow, Page, SubjectName, SubjectNames,
};
use marks::Marks;
pub use marks::MarksOf;
pub use messages::{Channel, Message, NewMessage};
pub use oauth::{OauthClient, OauthSecret};
pub use orders::{Agreement, Customer, CustomerSaid, NewOrder, Order};
pub use pages::{NAMES_OF_EVENTS, ResultPage};
pub use products::{NewProduct, NewRelease};
pub use shops::{EventState, Property, ShopEvent};
pub use staff::{Session, Staff};
pub use users::LicenseUser;
pub use variables::DeviceVariable;
use writer::Writer;

/// How a place stands to this program, found without changing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing of this program's is there.
    Empty,
    /// Its schema is the one this program knows.
    Current,
    /// Migrations are to be run.
    Behind {
        found: i64,
        known: i64,
    },
    Newer {
        found: i64,
        known: i64,
    },
}

/// The store: cheap to clone, one for a process.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    readers: AnyPool,
    marks: Arc<Marks>,
    writer: Arc<Writer>,
}

impl Store {
    /// Connects, and brings the schema up to date. Refuses a database whose schema is newer than this program.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let engine = location.engine();
        let url = location.url();
        let writers = Self::pool(&url, engine, if engine == Engine::Sqlite { 1 } else { 24 }, engine::WRITER_SETUP).await?;
        if let Err(error) = Self::migrate(engine, &writers).await {
            writers.close().await;
            return Err(error);
        }
        let readers = Self::pool(&url, engine, 7, engine::READER_SETUP).await?;
        let writer = Arc::new(Writer::start(engine, writers, &readers));
        let marks = Arc::new(Marks::start(engine, &readers));
        Ok(Self { engine, readers, writer, marks })
    }

    /// Looks what is there. A SQLite file that is not there is not made.
    pub async fn look(location: &Location) -> Result<Standing, StoreError> {
        if let Location::Sqlite(file) = location
            && !file.exists()
        {
            return Ok(Standing::Empty);
        }
        sqlx::any::install_default_drivers();
        let engine = location.engine();
        let mut conn = AnyConnection::connect(&location.url_of_existing()).await.map_err(StoreError::Unreachable)?;
        let looked = Self::look_with(engine, &mut conn).await;
        let _ = conn.close().await;
        looked
    }

    async fn look_with(engine: Engine, conn: &mut AnyConnection) -> Result<Standing, StoreError> {
        let there = engine.pick(
            "select count(*) as found from sqlite_master where type = 'table' and name = '_sqlx_migrations'",
            "select count(*) as found from pg_catalog.pg_class where oid = to_regclass('_sqlx_migrations')",
        );
        // What is no database at all is found out by the first statement.
        let there = sqlx::query(there).fetch_one(&mut *conn).await.map_err(StoreError::Unreachable)?;
        if there.int("found")? == 0 {
            return Ok(Standing::Empty);
        }
        let newest = "select cast(coalesce(max(version), 0) as bigint) as version from _sqlx_migrations";
        let (found, known) = (sqlx::query(newest).fetch_one(conn).await?.int("version")?, Self::known_schema(engine));
        Ok(match found.cmp(&known) {
            Ordering::Equal => Standing::Current,
            Ordering::Less => Standing::Behind { found, known },
            Ordering::Greater => Standing::Newer { found, known },
        })
    }

    /// The last migration this program has.
    #[must_use]
    pub fn known_schema(engine: Engine) -> i64 {
        engine.migrator().iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// Opens what [`Store::look`] found current, to be read. Nothing is migrated and nothing is connected that could write.
    pub async fn open_to_read(location: &Location) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let engine = location.engine();
        let readers = Self::pool(&location.url_of_existing(), engine, 2, engine::READER_SETUP).await?;
        let unused = AnyPoolOptions::new().max_connections(1).connect_lazy(&location.url_of_existing())?;
        let writer = Arc::new(Writer::start(engine, unused, &readers));
        let marks = Arc::new(Marks::start(engine, &readers));
        Ok(Self { engine, readers, writer, marks })
    }

    async fn migrate(engine: Engine, writers: &AnyPool) -> Result<(), StoreError> {
        let (migrator, known) = (engine.migrator(), Self::known_schema(engine));
        let migrating = |error| StoreError::migrating(error, known);
        if engine == Engine::Postgres {
            return migrator.run(&mut *writers.acquire().await?).await.map_err(migrating);
        }
        // PostgreSQL's migrations take a lock of their own; on SQLite the write lock is it, when a server and a command start together.
        let mut all = writers.begin_with("begin immediate").await?;
        migrator.run(&mut *all).await.map_err(migrating)?;
        Ok(all.commit().await?)
    }

    async fn pool(url: &str, engine: Engine, size: u32, sqlite_setup: &'static str) -> Result<AnyPool, StoreError> {
        let sqlite = engine == Engine::Sqlite;
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
        match options.connect(url).await {
            Ok(pool) => Ok(pool),
            // The pool tries until its time is over, and then says only that: this says what was wrong.
            Err(sqlx::Error::PoolTimedOut) => match AnyConnection::connect(url).await {
                Ok(_) => Err(StoreError::Unreachable(sqlx::Error::PoolTimedOut)),
                Err(error) => Err(StoreError::Unreachable(error)),
            },
            Err(error) => Err(StoreError::Unreachable(error)),
        }
    }

    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// A connection that only reads: what it sees is committed.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        match self.readers.acquire().await {
            Ok(conn) => Ok(Conn::for_reading(conn, self.engine)),
            Err(sqlx::Error::PoolClosed) => Err(StoreError::Closed),
            Err(error) => Err(error.into()),
        }
    }

    /// Runs an act in one transaction and answers after the commit. On SQLite acts that come together share a transaction, and are
    /// run again held apart when one of them fails; on PostgreSQL each has its own and is run again after a serialization failure.
    /// So an act must be repeatable: it may do nothing but read and write through the connection. Whatever error it ends in, nothing
    /// of it is saved; one that panics ends in `NotCommitted`.
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
        self.marks.stop().await;
        self.readers.close().await;
    }

    /// Everything an answer to an app about its machine's license is made of, but for the time, as one text: another text, another
    /// answer. `None` where the machine was never on the license.
    pub async fn marks(&self, of: MarksOf) -> Result<Option<String>, StoreError> {
        self.marks.of(of).await
    }
}
