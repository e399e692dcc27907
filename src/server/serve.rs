//! Running the portal: one process a SQLite data dir, any number on PostgreSQL; SIGTERM finishes what it has.

use std::{fs::File, net::SocketAddr, path::Path, sync::Arc};

use tokio::net::TcpListener;

use super::{
    AppState,
    clock::SystemClock,
    config::{DataConfig, ServeConfig},
    jobs, router, site,
    start::{self, Opened, StartError},
};
use crate::store::Location;

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
    Ok(Ready { opened, listener, state, _lock: lock })
}

impl Ready {
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.state.config.public_url
    }

    /// Serves until SIGTERM or Ctrl-C, then finishes what it has.
    pub async fn run(self) -> Result<(), ServeError> {
        if !site::is_built() {
            tracing::warn!("The site is not built: pages work, but plainly. Run script/build.");
        }
        jobs::start(&self.state);
        let desk = self.opened.desk.clone();
        let app = router(self.state).into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(self.listener, app).with_graceful_shutdown(asked_to_stop()).await.map_err(ServeError::Stopped)?;
        desk.store().close().await;
        tracing::info!("The portal has finished what it had and stopped.");
        Ok(())
    }
}

/// Held by the one server of a SQLite data dir.
pub(crate) fn lock(data_dir: &Path) -> Result<File, ServeError> {
    let failed = |source| StartError::DataDir { path: data_dir.display().to_string(), source };
    std::fs::create_dir_all(data_dir).map_err(failed)?;
    let file = File::options().create(true).truncate(false).write(true).open(data_dir.join("serve.lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(ServeError::AlreadyRunning(data_dir.display().to_string())),
    }
}

async fn asked_to_stop() {
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
