//! The one way to write. On SQLite a single thread gathers the acts that wait into one transaction and answers
//! them after the commit: one sync to disk serves them all. On PostgreSQL acts run side by side under row locks.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::{FutureExt, future::BoxFuture};
use sqlx::AnyPool;
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc, oneshot},
    task::JoinSet,
};

use super::{Conn, Engine, StoreError, turns, wal};

/// Acts sharing one commit; more only makes the last ones wait longer.
const BATCH: usize = 64;
const RETRIES: u32 = 8;

type Ran = Result<(), StoreError>;

/// An act with its result type folded away: it runs, keeps its result, and hands it over once the commit is certain.
trait Job: Send {
    fn run<'a>(&'a mut self, conn: &'a mut Conn) -> BoxFuture<'a, Ran>;
    /// Tells what the act returned, or why it was not saved.
    fn answer(self: Box<Self>, saved: Ran);
}

struct Waiting<T, F> {
    act: F,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Waiting<T, F>
where
    T: Send + 'static,
    F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
{
    fn run<'a>(&'a mut self, conn: &'a mut Conn) -> BoxFuture<'a, Ran> {
        Box::pin(async move {
            self.result = None;
            // An act that panics takes neither the writer nor the acts beside it along; nothing of it is saved.
            let begun = {
                let act = &self.act;
                let begin = move || {
                    let moved = conn;
                    act(moved)
                };
                catch_unwind(AssertUnwindSafe(begin)).map_err(|_| StoreError::NotCommitted)?
            };
            let ran = AssertUnwindSafe(begun).catch_unwind().await;
            self.result = Some(ran.map_err(|_| StoreError::NotCommitted)??);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, saved: Ran) {
        let Self { result, reply, .. } = *self;
        // The one who asked may be gone; what is committed stays.
        let _ = reply.send(saved.and_then(|()| result.ok_or(StoreError::NotCommitted)));
    }
}

pub(super) struct Writer {
    pool: AnyPool,
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    stopped: Arc<AtomicBool>,
    done: Arc<Notify>,
}

impl Writer {
    pub(super) fn start(engine: Engine, pool: AnyPool, readers: &AnyPool) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let done = Arc::new(Notify::new());
        let (sender, receiver) = mpsc::channel(1024);
        let writing = {
            let (pool, readers, stopped, done) = (pool.clone(), readers.clone(), stopped.clone(), done.clone());
            async move {
                match engine {
                    Engine::Sqlite => {
                        let committed = Arc::new(Notify::new());
                        let woken = committed.clone();
                        let copying = tokio::spawn(async move { wal::copy_back(&readers, &woken).await });
                        gather(pool, receiver, &committed).await;
                        copying.abort();
                    }
                    Engine::Postgres => spread(pool, receiver).await,
                }
                stopped.store(true, Ordering::Release);
                done.notify_waiters();
            }
        };
        match engine {
            // Every statement is a trip to the connection's thread and back. A thread that waits for nothing else is woken at once;
            // a task of the runtime would queue behind the requests each time.
            Engine::Sqlite => {
                let runtime = Handle::current();
                let thread = std::thread::Builder::new().name("sqlite-writer".to_owned());
                let start = move || {
                    turns::stay_here();
                    runtime.block_on(writing);
                };
                thread.spawn(start).expect("a process that just started can have a thread more");
            }
            Engine::Postgres => drop(tokio::spawn(writing)),
        }
        Self { pool, queue: Mutex::new(Some(sender)), stopped, done }
    }

    pub(super) async fn run<T, F>(&self, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let queue = self.queue.lock().expect("no holder of this lock panics").clone().ok_or(StoreError::Closed)?;
        let (reply, answer) = oneshot::channel();
        queue.send(Box::new(Waiting { act, result: None, reply })).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::NotCommitted)?
    }

    /// Finishes what was accepted, and takes nothing more.
    pub(super) async fn stop(&self) {
        let waiting = self.done.notified();
        self.queue.lock().expect("no holder of this lock panics").take();
        if !self.stopped.load(Ordering::Acquire) {
            waiting.await;
        }
        self.pool.close().await;
    }
}

/// PostgreSQL: a task for each act, so that a caller who goes away leaves no transaction open on a pooled connection.
async fn spread(pool: AnyPool, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut running = JoinSet::new();
    while let Some(job) = queue.recv().await {
        while running.try_join_next().is_some() {}
        running.spawn(run_alone(pool.clone(), job));
    }
    while running.join_next().await.is_some() {}
}

async fn run_alone(pool: AnyPool, mut job: Box<dyn Job>) {
    let mut attempt = 0;
    let saved = loop {
        let mut conn = match pool.acquire().await {
            Ok(conn) => Conn::new(conn, Engine::Postgres),
            Err(error) => break Err(error.into()),
        };
        let saved = run_once(&mut conn, &mut *job).await;
        if saved.is_err() && conn.execute("rollback").await.is_err() {
            conn.discard().await;
        }
        attempt += 1;
        match saved {
            Err(error) if error.is_transient() && attempt < RETRIES => {
                tokio::time::sleep(std::time::Duration::from_millis(5 << attempt)).await;
            }
            saved => break saved,
        }
    };
    job.answer(saved);
}

async fn run_once(conn: &mut Conn, job: &mut dyn Job) -> Ran {
    conn.execute("begin").await?;
    job.run(conn).await?;
    conn.flush().await?;
    // `commit` alone rolls a failed transaction back without a word, when an act went on after an error; this fails instead.
    conn.execute("select 1; commit").await
}

async fn gather(pool: AnyPool, mut queue: mpsc::Receiver<Box<dyn Job>>, committed: &Notify) {
    let mut waiting = Vec::with_capacity(BATCH);
    let mut is_near = false;
    while queue.recv_many(&mut waiting, BATCH).await > 0 {
        // The connection that brought the schema up to date has a thread elsewhere; one that is opened here has it beside this one.
        if !std::mem::replace(&mut is_near, true)
            && let Ok(conn) = pool.acquire().await
        {
            let _ = conn.close().await;
        }
        let mut again = commit_together(&pool, std::mem::take(&mut waiting), Apart::No).await;
        if !again.is_empty() {
            again = commit_together(&pool, again, Apart::BySavepoints).await;
        }
        for job in again {
            commit_together(&pool, vec![job], Apart::No).await;
        }
        committed.notify_one();
    }
}

/// What keeps an act that fails from taking the acts beside it along.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Apart {
    /// Nothing: nearly always none fails, and a savepoint costs each act a trip and a copy of every page it changes.
    No,
    BySavepoints,
}

/// One transaction for all. Returns the acts to be run again, more carefully, where one stood in the others' way and nothing is
/// saved. What an act gathered is written at the end, where it has no savepoint any more.
async fn commit_together(pool: &AnyPool, mut jobs: Vec<Box<dyn Job>>, apart: Apart) -> Vec<Box<dyn Job>> {
    let mut conn = match pool.acquire().await {
        Ok(conn) => Conn::new(conn, Engine::Sqlite),
        Err(error) => {
            tracing::error!(error = %error, "The writer could not reach the database.");
            jobs.into_iter().for_each(|job| job.answer(Err(StoreError::NotCommitted)));
            return Vec::new();
        }
    };
    let mut results = Vec::with_capacity(jobs.len());
    let mut broken = run_all(&mut conn, &mut jobs, apart, &mut results).await.err();
    let failed = apart == Apart::No && results.iter().any(Result::is_err);
    let mut refused = None;
    if broken.is_none() && !failed {
        refused = conn.flush().await.err();
    }
    if broken.is_none() && !failed && refused.is_none() {
        broken = conn.execute("commit").await.err();
    }
    if (broken.is_some() || failed || refused.is_some()) && conn.execute("rollback").await.is_err() {
        conn.discard().await;
    }
    if (failed || refused.is_some()) && jobs.len() > 1 {
        return jobs;
    }
    if let (Some(error), Some(result)) = (refused, results.first_mut()) {
        *result = Err(error);
    }
    if let Some(error) = &broken {
        tracing::error!(error = ?error, "A transaction was not committed; its acts are answered as failed.");
    }
    let mut results = results.into_iter();
    for job in jobs {
        let saved = match (results.next(), &broken) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(())), None) => Ok(()),
            (Some(Ok(())) | None, _) => Err(StoreError::NotCommitted),
        };
        job.answer(saved);
    }
    Vec::new()
}

/// Runs the acts until one fails that cannot be taken back alone.
async fn run_all(conn: &mut Conn, jobs: &mut [Box<dyn Job>], apart: Apart, results: &mut Vec<Ran>) -> Ran {
    conn.execute("begin immediate").await?;
    for job in jobs {
        let mark = conn.mark();
        if apart == Apart::BySavepoints {
            // The savepoint before is released in the same trip to the database that sets the next one.
            conn.execute(if results.is_empty() { "savepoint act" } else { "release act; savepoint act" }).await?;
        }
        let ran = job.run(conn).await;
        let failed = ran.is_err();
        results.push(ran);
        match (failed, apart) {
            (false, _) => {}
            (true, Apart::No) => break,
            (true, Apart::BySavepoints) => {
                conn.forget_after(mark);
                conn.execute("rollback to act").await?;
            }
        }
    }
    Ok(())
}
