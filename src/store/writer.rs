//! The one way to write. On SQLite a single task gathers the acts that wait into one transaction, a savepoint each, and answers
//! them after the commit: one sync to disk serves them all. On PostgreSQL acts run side by side under row locks.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use futures::future::BoxFuture;
use sqlx::AnyPool;
use tokio::sync::{Notify, mpsc, oneshot};

use super::{Conn, Engine, StoreError};

/// Acts sharing one commit; more only makes the last ones wait longer.
const BATCH: usize = 64;
const RETRIES: u32 = 8;

type Ran = Result<(), StoreError>;

/// An act with its result type folded away: it runs, keeps its result, and hands it over once the commit is certain.
trait Job: Send {
    fn run<'a>(&'a mut self, conn: &'a mut Conn) -> BoxFuture<'a, Ran>;
    fn answer(self: Box<Self>, committed: bool);
}

struct Waiting<T, F> {
    act: F,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Waiting<T, F>
where
    T: Send + 'static,
    F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
{
    fn run<'a>(&'a mut self, conn: &'a mut Conn) -> BoxFuture<'a, Ran> {
        Box::pin(async move {
            match (self.act)(conn).await {
                Ok(value) => {
                    self.result = Some(Ok(value));
                    Ok(())
                }
                Err(error) => Err(error),
            }
        })
    }

    fn answer(mut self: Box<Self>, committed: bool) {
        let result = match self.result.take() {
            Some(Ok(_)) if !committed => Err(StoreError::NotCommitted),
            Some(result) => result,
            None => Err(StoreError::NotCommitted),
        };
        // The one who asked may be gone; what is committed stays.
        let _ = self.reply.send(result);
    }
}

/// Keeps an act's error beside the act, so that it is told even though its savepoint was rolled back.
struct Failed<J: ?Sized>(Box<J>, StoreError);

pub(super) struct Writer {
    engine: Engine,
    pool: AnyPool,
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    stopped: Arc<AtomicBool>,
    done: Arc<Notify>,
}

impl Writer {
    pub(super) fn start(engine: Engine, pool: AnyPool) -> Self {
        let stopped = Arc::new(AtomicBool::new(engine == Engine::Postgres));
        let done = Arc::new(Notify::new());
        let queue = (engine == Engine::Sqlite).then(|| {
            let (sender, receiver) = mpsc::channel(1024);
            let (pool, stopped, done) = (pool.clone(), stopped.clone(), done.clone());
            tokio::spawn(async move {
                gather(pool, receiver).await;
                stopped.store(true, Ordering::Release);
                done.notify_waiters();
            });
            sender
        });
        Self { engine, pool, queue: Mutex::new(queue), stopped, done }
    }

    pub(super) async fn run<T, F>(&self, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        if self.engine == Engine::Postgres {
            // A task of its own: a caller that goes away must not leave a transaction open on a pooled connection.
            let pool = self.pool.clone();
            return tokio::spawn(run_alone(pool, act)).await.map_err(|_| StoreError::NotCommitted)?;
        }
        let queue = self.queue.lock().expect("no holder of this lock panics").clone().ok_or(StoreError::Closed)?;
        let (reply, answer) = oneshot::channel();
        queue.send(Box::new(Waiting { act, result: None, reply })).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::NotCommitted)?
    }

    /// Lets the gathering task finish what it has accepted.
    pub(super) async fn stop(&self) {
        let waiting = self.done.notified();
        self.queue.lock().expect("no holder of this lock panics").take();
        if !self.stopped.load(Ordering::Acquire) {
            waiting.await;
        }
        self.pool.close().await;
    }
}

async fn run_alone<T, F>(pool: AnyPool, act: F) -> Result<T, StoreError>
where
    F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send,
{
    let mut attempt = 0;
    loop {
        let mut conn = Conn::new(pool.acquire().await?, Engine::Postgres);
        conn.execute("begin").await?;
        let result = match act(&mut conn).await {
            Ok(value) => match conn.flush().await {
                Ok(()) => conn.execute("commit").await.map(|()| value),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        match result {
            Ok(value) => return Ok(value),
            Err(error) => {
                if conn.execute("rollback").await.is_err() {
                    conn.discard().await;
                }
                attempt += 1;
                if !error.is_transient() || attempt == RETRIES {
                    return Err(error);
                }
                tokio::time::sleep(std::time::Duration::from_millis(5 << attempt)).await;
            }
        }
    }
}

async fn gather(pool: AnyPool, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut waiting, BATCH).await > 0 {
        let jobs = std::mem::take(&mut waiting);
        match pool.acquire().await {
            Ok(conn) => commit_together(Conn::new(conn, Engine::Sqlite), jobs).await,
            Err(error) => {
                tracing::error!(error = %error, "The writer could not reach the database.");
                jobs.into_iter().for_each(|job| job.answer(false));
            }
        }
    }
}

/// One transaction for all: an act that fails takes back only its own savepoint.
async fn commit_together(mut conn: Conn, jobs: Vec<Box<dyn Job>>) {
    let mut kept = Vec::with_capacity(jobs.len());
    let mut failed: Vec<Failed<dyn Job>> = Vec::new();
    let mut broken = conn.execute("begin immediate").await.err();
    let mut open = false;
    for mut job in jobs {
        if broken.is_some() {
            kept.push(job);
            continue;
        }
        let mark = conn.mark();
        // The savepoint before is released in the same trip to the database that sets the next one.
        if let Err(error) = conn.execute(if open { "release act; savepoint act" } else { "savepoint act" }).await {
            broken = Some(error);
            kept.push(job);
            continue;
        }
        open = true;
        match job.run(&mut conn).await {
            Ok(()) => kept.push(job),
            Err(error) => {
                conn.forget_after(mark);
                if let Err(error) = conn.execute("rollback to act").await {
                    broken = Some(error);
                }
                failed.push(Failed(job, error));
            }
        }
    }
    if broken.is_none() {
        broken = conn.flush().await.err();
    }
    if broken.is_none() {
        broken = conn.execute("commit").await.err();
    }
    let committed = broken.is_none();
    if let Some(error) = broken {
        tracing::error!(error = ?error, "A transaction was not committed; its acts are answered as failed.");
        if conn.execute("rollback").await.is_err() {
            conn.discard().await;
        }
    }
    kept.into_iter().for_each(|job| job.answer(committed));
    for Failed(job, error) in failed {
        tracing::error!(error = ?error, "An act failed in the store.");
        job.answer(false);
    }
}
