//! Running the portal: one process a SQLite data dir, any number on PostgreSQL; SIGTERM finishes what it has.

use std::{fs::File, future::Future, io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::{net::TcpListener, sync::oneshot};

use super::{
    AppState,
    clock::SystemClock,
    config::{DataConfig, ServeConfig},
    jobs, router, site,
    start::{self, Opened, StartError},
};
use crate::store::Location;

/// How long requests that were begun may take after SIGTERM. Service managers kill after 30 or 90 seconds; this ends before them.
const DRAIN: Duration = Duration::from_secs(25);

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("Another server is running on {0}. Stop it first, or give this one a data folder of its own with --data-dir.")]
    AlreadyRunning(String),
    #[error("The address {addr} cannot be listened on: {source}. Choose another with --addr.")]
    Listen { addr: SocketAddr, source: std::io::Error },
    #[error("The server stopped: {0}")]
    Stopped(std::io::Error),
}

/// A server that is open but not yet listening.
pub struct Ready {
    pub opened: Opened,
    pub listener: TcpListener,
    state: AppState,
    stop: StopSignal,
    _lock: Option<File>,
}

/// Opens the data and the port. The lock on a SQLite data dir is held as long as the process lives.
pub async fn prepare(data: &DataConfig, mut config: ServeConfig) -> Result<Ready, ServeError> {
    let lock = match &data.database {
        Location::Sqlite(_) => Some(lock(&data.data_dir)?),
        Location::Postgres(_) => None,
    };
    let opened = start::open(data, &config.public_url, Arc::new(SystemClock)).await?;
    let listener = TcpListener::bind(config.addr).await.map_err(|source| ServeError::Listen { addr: config.addr, source })?;
    // Port 0 asks the system for one: what it gave is where the portal is.
    if let Ok(addr) = listener.local_addr()
        && config.addr.port() == 0
    {
        config.public_url = config.public_url.replace(&config.addr.to_string(), &addr.to_string());
        config.addr = addr;
    }
    let state = AppState::new(opened.desk.clone(), config);
    let stop = StopSignal::listen().map_err(ServeError::Stopped)?;
    Ok(Ready { opened, listener, state, stop, _lock: lock })
}

impl Ready {
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.state.config.public_url
    }

    /// Serves until SIGTERM or Ctrl-C, then finishes what it has: for 25 seconds at most, so that a client who stalls cannot hold it.
    pub async fn run(self) -> Result<(), ServeError> {
        if !site::is_built() {
            tracing::warn!("The site is not built: pages work, but plainly. Run script/build.");
        }
        jobs::start(&self.state);
        let desk = self.opened.desk.clone();
        let app = router(self.state).into_make_service_with_connect_info::<SocketAddr>();
        let (told, stopping) = oneshot::channel();
        let mut signal = self.stop;
        let stop = async move {
            signal.comes().await;
            let _ = told.send(());
        };
        let serving = axum::serve(self.listener, app).with_graceful_shutdown(stop).into_future();
        match drained(serving, stopping, DRAIN).await {
            Some(ended) => ended.map_err(ServeError::Stopped)?,
            None => {
                tracing::warn!("Some requests were not finished {} seconds after the stop; they are dropped.", DRAIN.as_secs())
            }
        }
        if let Err(error) = desk.write_seen().await {
            tracing::warn!(error = ?error, "When machines called last, in the last half minute, could not be written.");
        }
        desk.store().close().await;
        tracing::info!("The portal has finished what it had and stopped.");
        Ok(())
    }
}

/// How serving ended; none when requests were still open `limit` after the stop was asked for.
async fn drained(
    serving: impl Future<Output = io::Result<()>>,
    stopping: oneshot::Receiver<()>,
    limit: Duration,
) -> Option<io::Result<()>> {
    let over = async {
        match stopping.await {
            Ok(()) => tokio::time::sleep(limit).await,
            // Serving ended by itself, which the other side tells.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = serving => Some(ended),
        () = over => None,
    }
}

/// Held by the one server of a SQLite data dir.
pub(crate) fn lock(data_dir: &Path) -> Result<File, ServeError> {
    let failed = |source| StartError::DataDir { path: data_dir.display().to_string(), source };
    start::make_private_dir(data_dir)?;
    let file = File::options().create(true).truncate(false).write(true).open(data_dir.join("serve.lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(ServeError::AlreadyRunning(data_dir.display().to_string())),
    }
}

/// Whoever may ask the server to stop. Listened to from before it says that it is ready: a signal that comes at once is not lost,
/// nor does it end the process as it would one that does not listen.
struct StopSignal {
    #[cfg(unix)]
    signals: [Signal; 2],
}

impl StopSignal {
    #[cfg(unix)]
    fn listen() -> io::Result<Self> {
        Ok(Self { signals: [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?] })
    }

    #[cfg(not(unix))]
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn comes(&mut self) {
        let [terminated, interrupted] = &mut self.signals;
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn comes(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_stalls_does_not_hold_the_stop() {
        let (told, stopping) = oneshot::channel();
        told.send(()).unwrap();
        assert!(drained(std::future::pending(), stopping, Duration::from_millis(20)).await.is_none());
        let (told, stopping) = oneshot::channel();
        told.send(()).unwrap();
        let soon = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(())
        };
        assert!(drained(soon, stopping, Duration::from_secs(60)).await.is_some_and(|ended| ended.is_ok()));
    }

    #[tokio::test]
    async fn nothing_is_limited_before_the_stop() {
        let (_told, stopping) = oneshot::channel();
        let serving = async {
            tokio::time::sleep(Duration::from_millis(60)).await;
            Ok(())
        };
        assert!(drained(serving, stopping, Duration::ZERO).await.is_some());
    }
}
