//! What every handler is given.

use std::sync::Arc;

use super::{config::ServeConfig, limits::Limits};
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
}
