//! A fresh database for each test, and what tests need beside the store: a connection in a transaction of its own, and one that
//! tampers.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU32, Ordering},
};

use futures::FutureExt;
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Connection, Executor, Row};
use tempfile::TempDir;

use crate::store::{Conn, Engine, Location, Store, engine};

const URL: &str = "COUNTERSIGN_TEST_POSTGRES_URL";

pub struct Bench {
    pub store: Store,
    pub location: Location,
    own: AnyPool,
}

pub fn run<T: Future<Output = ()>>(engine: Engine, test: fn(Bench) -> T) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        sqlx::any::install_default_drivers();
        let place = Place::make(engine).await;
        let bench = Bench::open(place.location()).await;
        let (store, own) = (bench.store.clone(), bench.own.clone());
        let ended = AssertUnwindSafe(test(bench)).catch_unwind().await;
        own.close().await;
        store.close().await;
        place.remove().await;
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
    });
}

/// A folder, or a database on the server.
pub enum Place {
    Folder(TempDir),
    Database { server: String, name: String },
}

impl Place {
    pub async fn make(engine: Engine) -> Self {
        if engine == Engine::Sqlite {
            return Self::Folder(tempfile::tempdir().expect("a temporary folder"));
        }
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var(URL).unwrap_or_else(|_| {
            panic!("{URL} is not set: `script/postgres cargo test …` starts a private PostgreSQL and sets it for the command it runs.")
        });
        let name = format!("contract_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut admin = AnyConnection::connect(&server).await.unwrap_or_else(|error| panic!("{URL}: {error}"));
        admin.execute(AssertSqlSafe(format!("create database {name}"))).await.expect("a superuser may make databases");
        admin.close().await.expect("a connection closes");
        Self::Database { server, name }
    }

    pub fn location(&self) -> Location {
        match self {
            Self::Folder(folder) => Location::Sqlite(folder.path().join("countersign.db")),
            Self::Database { server, name } => {
                let (before, query) = server.split_once('?').map_or((server.as_str(), ""), |(before, query)| (before, query));
                let server = before.rsplit_once('/').expect("a URL ends in a database").0;
                let query = if query.is_empty() { String::new() } else { format!("?{query}") };
                Location::Postgres(format!("{server}/{name}{query}"))
            }
        }
    }

    pub async fn remove(self) {
        if let Self::Database { server, name } = self {
            let mut admin = AnyConnection::connect(&server).await.expect("the server still runs");
            admin.execute(AssertSqlSafe(format!("drop database {name} with (force)"))).await.expect("it can be dropped");
            admin.close().await.expect("a connection closes");
        }
    }
}

impl Bench {
    pub async fn open(location: Location) -> Self {
        let store = Store::open(&location).await.expect("a fresh database opens");
        let own = Store::pool(&location.url(), location.engine(), 4, engine::WRITER_SETUP).await.expect("it opens twice");
        Self { store, location, own }
    }

    pub async fn close(self) {
        self.own.close().await;
        self.store.close().await;
    }

    pub fn engine(&self) -> Engine {
        self.store.engine()
    }

    /// A connection in a transaction of its own, beside the writer: what is done with it is one act, in the test's own words.
    pub async fn begin(&self) -> Conn {
        let mut conn = Conn::new(self.own.acquire().await.expect("a connection"), self.engine());
        conn.execute(self.engine().pick("begin immediate", "begin")).await.expect("a transaction begins");
        conn
    }

    pub async fn commit(&self, mut conn: Conn) {
        conn.flush().await.expect("what was gathered is written");
        conn.execute("commit").await.expect("a transaction ends");
    }

    pub async fn read(&self) -> Conn {
        self.store.read().await.expect("a reader")
    }

    /// Someone with the database's password and no scruples.
    pub async fn tamper(&self, sql: &str) {
        let mut conn = AnyConnection::connect(&self.location.url()).await.expect("a connection");
        conn.execute(AssertSqlSafe(sql.to_owned())).await.expect("the database obeys");
        conn.close().await.expect("a connection closes");
    }

    pub async fn ask(&self, sql: &'static str) -> Vec<String> {
        let mut conn = AnyConnection::connect(&self.location.url()).await.expect("a connection");
        let rows = sqlx::query(sql).fetch_all(&mut conn).await.expect("the database answers");
        conn.close().await.expect("a connection closes");
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// `act!(bench.store, [shared], |c| expression)`: an act of the store, with what it shares cloned for each run.
macro_rules! act {
    ($store:expr, |$conn:ident| $body:expr) => {
        act!($store, [], |$conn| $body)
    };
    ($store:expr, [$($shared:ident),*], |$conn:ident| $body:expr) => {
        $store.write(move |$conn| {
            $(let $shared = $shared.clone();)*
            Box::pin(async move { $body })
        })
    };
}
pub(super) use act;
