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

    /// The country a call comes from, as a trusted proxy says it in the header the vendor named.
    #[must_use]
    pub fn country_of(&self, peer: SocketAddr, headers: &HeaderMap) -> Option<String> {
        let settings = self.desk.settings();
        let name = Some(settings.qlm.rules.country_header.as_str()).filter(|name| !name.is_empty())?;
        let trusted = self.config.trusted_proxies.contains(&peer.ip().to_canonical());
        headers.get(name).filter(|_| trusted).and_then(|code| code.to_str().ok()).map(|code| code.trim().to_owned())
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
