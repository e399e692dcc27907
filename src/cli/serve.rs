//! `serve`: the portal.

use std::net::SocketAddr;

use clap::Args;

use super::{
    Place,
    outcome::{CliError, Done, print_now, say},
};
use crate::server::{
    config::ServeConfig,
    serve::{self, Ready, ServeError},
};

#[derive(Args)]
pub(super) struct Options {
    /// Where to listen
    #[arg(long, value_name = "ADDR", env = "COUNTERSIGN_ADDR", default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    /// The address customers open
    #[arg(long, value_name = "URL", env = "COUNTERSIGN_PUBLIC_URL")]
    public_url: Option<String>,
    /// Proxies whose X-Forwarded-For is believed, separated by commas
    #[arg(long, value_name = "ADDRESSES", env = "COUNTERSIGN_TRUSTED_PROXIES")]
    trusted_proxies: Option<String>,
}

impl From<ServeError> for CliError {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Start(error) => error.into(),
            ServeError::AlreadyRunning(_) => Self::refused("already_running", error.to_string()),
            ServeError::Listen { .. } => Self::refused("address_in_use", error.to_string()),
            ServeError::Stopped(_) => Self::fault(&error),
        }
    }
}

pub(super) async fn prepare(
    place: &Place,
    addr: SocketAddr,
    public_url: Option<&str>,
    trusted_proxies: Option<&str>,
) -> Result<Ready, CliError> {
    let config = ServeConfig::new(addr, public_url, trusted_proxies)?;
    Ok(serve::prepare(&place.config()?, config).await?)
}

pub(super) async fn run(place: &Place, options: Options) -> Result<Done, CliError> {
    let ready = prepare(place, options.addr, options.public_url.as_deref(), options.trusted_proxies.as_deref()).await?;
    if ready.opened.made_master_key {
        say(&format!(
            "This is a new installation. Its master key is {}: keep a copy of it apart from the database, which is worth nothing without it.",
            ready.opened.master
        ));
    }
    if !ready.opened.desk.has_staff().await? {
        say(
            "Nobody can sign in yet. Add the first vendor user, the password on stdin: countersign user add YOU@EXAMPLE.COM --role owner",
        );
    }
    let url = ready.public_url();
    print_now(&Done::new(serde_json::json!({ "url": url }), format!("Countersign is ready on {url}")), place.json);
    ready.run().await?;
    Ok(Done::silent())
}
