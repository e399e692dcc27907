//! What the operator says before the start. Each field names its variable and its default; contradictions stop the start.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use crate::{store::Location, vault::MasterSource};

/// Where the data is, for the server and for every command.
#[derive(Clone)]
pub struct DataConfig {
    /// `COUNTERSIGN_DATA_DIR`, default `./countersign-data`.
    pub data_dir: PathBuf,
    /// `DATABASE_URL`, default SQLite in the data dir.
    pub database: Location,
    /// `COUNTERSIGN_MASTER_KEY`, or `COUNTERSIGN_MASTER_KEY_FILE`, default `master.key` in the data dir.
    pub master: MasterSource,
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
        let master = MasterSource::from_env(&data_dir);
        Ok(Self { data_dir, database, master })
    }

    /// A folder that holds everything itself, whatever the environment says of the real one.
    #[must_use]
    pub fn apart(data_dir: PathBuf) -> Self {
        let database = Location::Sqlite(data_dir.join("countersign.db"));
        let master = MasterSource { value: None, file: data_dir.join("master.key") };
        Self { data_dir, database, master }
    }
}

/// An address customers open, without a slash at its end. Refuses what is none, and one with a path.
pub fn public_url(text: &str) -> Result<String, ConfigError> {
    let url = text.trim().trim_end_matches('/');
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let plain = rest.is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'))
    });
    if plain { Ok(url.to_owned()) } else { Err(ConfigError::PublicUrl(url.to_owned())) }
}

impl ServeConfig {
    pub fn new(addr: SocketAddr, public_url: Option<&str>, trusted_proxies: Option<&str>) -> Result<Self, ConfigError> {
        let public_url = match public_url.filter(|url| !url.trim().is_empty()) {
            None => format!("http://{addr}"),
            Some(url) => self::public_url(url)?,
        };
        let named = trusted_proxies.unwrap_or_default().split(',').map(str::trim).filter(|text| !text.is_empty());
        let trusted_proxies = named.map(|text| text.parse().map_err(|_| ConfigError::TrustedProxy(text.to_owned())));
        Ok(Self { addr, public_url, trusted_proxies: trusted_proxies.collect::<Result<_, _>>()? })
    }

    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// Whether the address names this machine alone: nothing leaves it, so nothing needs to be encrypted.
    #[must_use]
    pub fn is_own_machine(&self) -> bool {
        let Some(authority) = self.public_url.split("://").nth(1) else { return false };
        let host = match authority.strip_prefix('[') {
            Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        };
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether nobody on the way can read along, and browsers keep `__Host-` cookies and WebCrypto: https, or this machine itself.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.is_https() || self.is_own_machine()
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
    fn only_this_machine_is_this_machine() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 3000));
        let own = |url| ServeConfig::new(addr, Some(url), None).unwrap().is_own_machine();
        for url in ["http://localhost", "http://localhost:3000", "http://127.0.0.1:3000", "http://127.1.2.3", "http://[::1]:8080"]
        {
            assert!(own(url), "{url}");
        }
        for url in ["http://localhost.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1", "http://[fe80::1]"] {
            assert!(!own(url), "{url}");
        }
    }

    #[test]
    fn the_public_url_has_no_slash_at_its_end() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 3000));
        assert_eq!(ServeConfig::new(addr, Some("https://a.example/"), None).unwrap().public_url, "https://a.example");
        assert_eq!(ServeConfig::new(addr, None, None).unwrap().public_url, "http://127.0.0.1:3000");
    }
}
