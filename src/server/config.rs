//! What the operator says before the start. Each field names its variable and its default; contradictions stop the start.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use crate::store::Location;

/// Where the data is, for the server and for every command.
#[derive(Clone, Debug)]
pub struct DataConfig {
    /// `COUNTERSIGN_DATA_DIR`, default `./countersign-data`.
    pub data_dir: PathBuf,
    /// `DATABASE_URL`, default SQLite in the data dir.
    pub database: Location,
}

/// How the server is reached.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// `COUNTERSIGN_ADDR`, default 127.0.0.1:3000.
    pub addr: SocketAddr,
    /// `COUNTERSIGN_PUBLIC_URL`, default `http://` and the address. No slash at the end.
    pub public_url: String,
    /// `COUNTERSIGN_TRUSTED_PROXIES`: addresses whose `X-Forwarded-For` is believed, separated by commas; default none.
    pub trusted_proxies: Vec<IpAddr>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "The database URL is neither postgres://… nor sqlite:…. Set DATABASE_URL to one of them, or leave it out for SQLite in the data folder."
    )]
    DatabaseUrl,
    #[error(
        "The public URL {0:?} is not an address like https://activate.example.com. Set COUNTERSIGN_PUBLIC_URL to the address customers open."
    )]
    PublicUrl(String),
    #[error("{0:?} in COUNTERSIGN_TRUSTED_PROXIES is not an IP address.")]
    TrustedProxy(String),
}

impl DataConfig {
    pub fn new(data_dir: PathBuf, database_url: Option<&str>) -> Result<Self, ConfigError> {
        let database = match database_url.map(str::trim).filter(|url| !url.is_empty()) {
            None => Location::Sqlite(data_dir.join("countersign.db")),
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => Location::Postgres(url.to_owned()),
            Some(url) => match url.strip_prefix("sqlite:") {
                Some(path) => Location::Sqlite(PathBuf::from(path.trim_start_matches("//"))),
                None => return Err(ConfigError::DatabaseUrl),
            },
        };
        Ok(Self { data_dir, database })
    }
}

impl ServeConfig {
    pub fn new(addr: SocketAddr, public_url: Option<&str>, trusted_proxies: Option<&str>) -> Result<Self, ConfigError> {
        let public_url = match public_url.map(|url| url.trim().trim_end_matches('/')).filter(|url| !url.is_empty()) {
            None => format!("http://{addr}"),
            Some(url) => {
                let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
                let plain = rest.is_some_and(|rest| {
                    !rest.is_empty()
                        && rest.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'))
                });
                if !plain {
                    return Err(ConfigError::PublicUrl(url.to_owned()));
                }
                url.to_owned()
            }
        };
        let named = trusted_proxies.unwrap_or_default().split(',').map(str::trim).filter(|text| !text.is_empty());
        let trusted_proxies = named.map(|text| text.parse().map_err(|_| ConfigError::TrustedProxy(text.to_owned())));
        Ok(Self { addr, public_url, trusted_proxies: trusted_proxies.collect::<Result<_, _>>()? })
    }

    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// Whether nobody on the way can read along, and browsers keep `__Host-` cookies and WebCrypto: https, or this machine itself.
    #[must_use]
    pub fn is_private(&self) -> bool {
        let Some(rest) = self.public_url.strip_prefix("http://") else { return true };
        let host = if let Some(v6) = rest.strip_prefix('[') { v6.split(']').next() } else { rest.split(':').next() };
        let host = host.unwrap_or_default();
        host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    #[must_use]
    pub fn for_testing() -> Self {
        let addr = SocketAddr::from(([127, 0, 0, 1], 3000));
        Self { addr, public_url: "http://127.0.0.1:3000".to_owned(), trusted_proxies: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_stops_the_start() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 3000));
        for url in ["activate.example.com", "ftp://a.b", "https://", "https://a.b/path", "https://a.b?x"] {
            assert!(ServeConfig::new(addr, Some(url), None).is_err(), "{url}");
        }
        assert!(ServeConfig::new(addr, None, Some("10.0.0.1, proxy")).is_err());
        assert!(DataConfig::new(PathBuf::from("x"), Some("mysql://a/b")).is_err());
    }

    #[test]
    fn only_https_and_this_machine_are_private() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 3000));
        let private = |url| ServeConfig::new(addr, Some(url), None).unwrap().is_private();
        for url in ["https://a.example", "http://127.0.0.1:3000", "http://localhost", "http://[::1]:3000", "http://x.localhost:8"]
        {
            assert!(private(url), "{url}");
        }
        for url in ["http://portal.lan", "http://10.0.0.7:3000", "http://localhost.example.com", "http://127.0.0.1.example"] {
            assert!(!private(url), "{url}");
        }
    }

    #[test]
    fn the_public_url_has_no_slash_at_its_end() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 3000));
        assert_eq!(ServeConfig::new(addr, Some("https://a.example/"), None).unwrap().public_url, "https://a.example");
        assert_eq!(ServeConfig::new(addr, None, None).unwrap().public_url, "http://127.0.0.1:3000");
    }
}
