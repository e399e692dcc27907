//! What every handler is given.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::http::HeaderMap;

use super::{
    config::ServeConfig,
    limits::{Limits, client_address},
};
use crate::desk::Desk;

#[derive(Clone)]
pub struct AppState {
    pub desk: Desk,
    pub config: Arc<ServeConfig>,
    pub(super) limits: Arc<Limits>,
}

impl AppState {
    #[must_use]
    pub fn new(desk: Desk, config: ServeConfig) -> Self {
        Self { desk, config: Arc::new(config), limits: Arc::new(Limits::default()) }
    }

    /// The network address of whoever asks.
    #[must_use]
    pub fn address_of(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        client_address(peer, headers, &self.config)
    }

    /// Whether one more activation from there, or what costs as much, is within the limit.
    #[must_use]
    pub fn allows_activation(&self, from: IpAddr) -> bool {
        self.limits.allows_activation(from, self.desk.settings().activations_per_minute)
    }

    /// Whether one more try at a password or a secret from there is within the limit.
    #[must_use]
    pub fn allows_sign_in(&self, from: IpAddr) -> bool {
        self.limits.allows_sign_in(from)
    }
}
