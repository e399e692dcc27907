//! What is asked of other servers: over TLS, of public addresses, for a short while and in small answers. Who names the address may be
//! a vendor's customer, and this server stands where they do not.

mod mail;

pub use mail::{Letter, MailError, MailSecurity, MailServer};

use std::{
    collections::HashMap,
    error::Error,
    iter::successors,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use reqwest::{
    Client, RequestBuilder, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header,
    redirect::Policy,
};
use serde_json::Value;
use tokio::sync::Semaphore;

/// The longest a whole exchange takes.
const PATIENCE: Duration = Duration::from_secs(8);

/// The largest answer that is read, in bytes.
const MOST: usize = 256 * 1024;

/// So many are asked at once; whoever comes then is told to come again.
const AT_ONCE: usize = 32;

/// And so many of one host.
const OF_ONE_HOST: usize = 6;

/// Which addresses may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses, over TLS.
    Public,
    /// Those of private networks and of this machine as well, without TLS too: the operator's word.
    Everywhere,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    #[error("{0} is no address that begins with https:// and names a host")]
    NoAddress(String),
    #[error(
        "{0} is in a private network, which this server does not ask unless its operator sets COUNTERSIGN_PRIVATE_NETWORKS=allow"
    )]
    Private(String),
    #[error("{0} could not be reached")]
    Unreachable(String),
    #[error("{host} answered {status}")]
    Status { host: String, status: u16 },
    #[error("the answer of {0} is too long, or no JSON object")]
    NotJson(String),
    #[error("the description of {of} names no {member}, or one that is no address")]
    Undescribed { of: String, member: &'static str },
    #[error("{asked} calls itself {named:?}: write the issuer as its own description does")]
    OtherName { asked: String, named: String },
    #[error("too much is being asked of other servers at this moment")]
    Busy,
}

impl OutboundError {
    /// Whether the same may do in a moment: nobody has to change anything.
    #[must_use]
    pub const fn passes(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Busy => true,
            Self::Status { status, .. } => *status >= 500 || *status == 429,
            _ => false,
        }
    }
}

/// The way to other servers. What it needs is made when it is first used.
pub struct Outbound {
    reach: Reach,
    client: OnceLock<Option<Client>>,
    gate: Semaphore,
    /// What is being asked of each host.
    asking: Mutex<HashMap<String, usize>>,
}

/// A place among those who ask one host.
struct Place<'a> {
    of: &'a Outbound,
    host: &'a str,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut asking = self.of.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = asking.get_mut(self.host) {
            *count -= 1;
            if *count == 0 {
                asking.remove(self.host);
            }
        }
    }
}

impl Outbound {
    #[must_use]
    pub fn new(reach: Reach) -> Self {
        Self { reach, client: OnceLock::new(), gate: Semaphore::new(AT_ONCE), asking: Mutex::default() }
    }

    /// One that hangs must not keep others from being asked.
    fn place<'a>(&'a self, host: &'a str) -> Result<Place<'a>, OutboundError> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let count = asking.entry(host.to_owned()).or_insert(0);
        if *count >= OF_ONE_HOST {
            return Err(OutboundError::Busy);
        }
        *count += 1;
        Ok(Place { of: self, host })
    }

    /// Whether an address is one that may be asked, as far as it can be told without asking: scheme, host, and no name or password.
    pub fn check(&self, address: &str) -> Result<(), OutboundError> {
        self.url(address).map(|_| ())
    }

    /// The JSON object at an address.
    pub async fn get(&self, address: &str) -> Result<Value, OutboundError> {
        let url = self.url(address)?;
        let host = host(&url);
        let (status, answer) = self.send(&host, self.client(&host)?.get(url)).await?;
        if status == 200 { Ok(answer) } else { Err(OutboundError::Status { host, status }) }
    }

    /// The same, for whoever shows a key.
    pub async fn get_as(&self, address: &str, key: &str) -> Result<Value, OutboundError> {
        let url = self.url(address)?;
        let host = host(&url);
        let (status, answer) = self.send(&host, self.client(&host)?.get(url).bearer_auth(key)).await?;
        if status == 200 { Ok(answer) } else { Err(OutboundError::Status { host, status }) }
    }

    /// What a form is answered, as text, whatever the status.
    pub async fn post_for_text(&self, address: &str, form: Vec<u8>) -> Result<(u16, String), OutboundError> {
        let url = self.url(address)?;
        let host = host(&url);
        let kind = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = self.client(&host)?.post(url).header(kind.0, kind.1).body(form);
        let (status, body) = self.exchange(&host, request).await?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// What a form is answered, whatever the status: its number and the JSON object.
    pub async fn post(
        &self,
        address: &str,
        fields: &[(&str, &str)],
        credentials: Option<(&str, &str)>,
    ) -> Result<(u16, Value), OutboundError> {
        let url = self.url(address)?;
        let host = host(&url);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let form = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let mut request = self.client(&host)?.post(url).header(form.0, form.1).body(body);
        if let Some((name, secret)) = credentials {
            request = request.basic_auth(name, Some(secret));
        }
        self.send(&host, request).await
    }

    fn url(&self, address: &str) -> Result<Url, OutboundError> {
        let none = || OutboundError::NoAddress(address.chars().take(200).collect());
        let url = Url::parse(address).map_err(|_| none())?;
        let scheme = url.scheme() == "https" || (self.reach == Reach::Everywhere && url.scheme() == "http");
        if !scheme || !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(none());
        }
        let Some(host) = url.host_str() else { return Err(none()) };
        // A name is looked at when it has been resolved; what is a number is never resolved.
        let number: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        if self.reach == Reach::Public && number.is_some_and(|number| !is_public(number)) {
            return Err(OutboundError::Private(host.to_owned()));
        }
        Ok(url)
    }

    fn client(&self, host: &str) -> Result<&Client, OutboundError> {
        let client = self.client.get_or_init(|| {
            let builder = Client::builder()
                .dns_resolver(Resolver(self.reach))
                // A redirect would lead past what was checked.
                .redirect(Policy::none())
                // So would a proxy that the environment names: it would resolve names itself.
                .no_proxy()
                .timeout(PATIENCE)
                .user_agent(concat!("Countersign/", env!("CARGO_PKG_VERSION")));
            let made = builder.build();
            made.inspect_err(|error| tracing::error!(%error, "Other servers cannot be asked: TLS could not be set up.")).ok()
        });
        client.as_ref().ok_or_else(|| OutboundError::Unreachable(host.to_owned()))
    }

    async fn send(&self, host: &str, request: RequestBuilder) -> Result<(u16, Value), OutboundError> {
        let (status, body) = self.exchange(host, request.header(header::ACCEPT, "application/json")).await?;
        match serde_json::from_slice(&body) {
            Ok(answer @ Value::Object(_)) => Ok((status, answer)),
            _ if status != 200 => Err(OutboundError::Status { host: host.to_owned(), status }),
            _ => Err(OutboundError::NotJson(host.to_owned())),
        }
    }

    async fn exchange(&self, host: &str, request: RequestBuilder) -> Result<(u16, Vec<u8>), OutboundError> {
        let _place = self.place(host)?;
        let _any = self.gate.try_acquire().map_err(|_| OutboundError::Busy)?;
        let failed = |error: reqwest::Error| {
            // The address may hold a code: its host alone is told.
            let error = error.without_url();
            let causes: Vec<&(dyn Error + 'static)> =
                successors(error.source(), |cause: &&'_ (dyn Error + 'static)| (*cause).source()).collect();
            if let Some(ours) = causes.iter().find_map(|cause| cause.downcast_ref::<OutboundError>()) {
                return ours.clone();
            }
            let why = causes.last().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(host, error = %error, why, "Another server could not be asked.");
            OutboundError::Unreachable(host.to_owned())
        };
        let mut response = request.send().await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MOST {
                return Err(OutboundError::NotJson(host.to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((response.status().as_u16(), body))
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// Resolves names, and leaves out what may not be asked: what is connected to is what was looked at.
struct Resolver(Reach);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = |address: &SocketAddr| reach == Reach::Everywhere || is_public(address.ip());
            let found: Vec<SocketAddr> = found.filter(allowed).collect();
            if found.is_empty() {
                return Err(OutboundError::Private(name).into());
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

/// Networks that are not the internet's (IANA's registries of special-purpose addresses, RFC 6890): first address and length.
const APART_4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// Whether an address is one of the internet's.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let bits = u32::from(address);
            !APART_4.iter().any(|(first, length)| (bits ^ u32::from(Ipv4Addr::from(*first))) >> (32 - length) == 0)
        }
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(inner) => is_public(IpAddr::V4(inner)),
            None => is_public_6(address),
        },
    }
}

/// Of IPv6 only 2000::/3 is given out, and of that some is apart: Teredo and its like, documentation, 6to4 (which holds an IPv4 address).
fn is_public_6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let apart = (first == 0x2001 && (second < 0x200 || second == 0xdb8)) || matches!(first, 0x2002 | 0x3fff);
    first & 0xe000 == 0x2000 && !apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for text in
            ["1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.255.255", "198.17.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]
        {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_address_is_looked_at_before_it_is_asked() {
        let outbound = Outbound::new(Reach::Public);
        assert!(outbound.check("https://id.example.com/tenant").is_ok());
        let none = |text: &str| matches!(outbound.check(text), Err(OutboundError::NoAddress(_)));
        for text in [
            "",
            "id.example.com",
            "http://id.example.com",
            "file:///etc/passwd",
            "https://a:b@id.example.com",
            "https://id.example.com/#x",
        ] {
            assert!(none(text), "{text}");
        }
        // Numbers in every spelling a URL knows.
        for text in
            ["https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/"]
        {
            assert!(matches!(outbound.check(text), Err(OutboundError::Private(_))), "{text}");
        }
        assert!(Outbound::new(Reach::Everywhere).check("http://127.0.0.1:9/").is_ok());
    }

    #[tokio::test]
    async fn a_name_of_a_private_address_is_not_asked() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let reached = tokio::spawn(async move { listener.accept().await.is_ok() });
        let error = Outbound::new(Reach::Public).get(&address).await.unwrap_err();
        assert_eq!(error, OutboundError::Private("localhost".to_owned()));
        assert!(!reached.is_finished(), "nothing was connected to");
        let error = Outbound::new(Reach::Everywhere).get(&address).await.unwrap_err();
        assert_eq!(error, OutboundError::Unreachable("localhost".to_owned()), "there, nobody speaks TLS");
        assert!(reached.await.unwrap());
    }

    #[tokio::test]
    async fn one_host_does_not_take_every_place() {
        let outbound = Outbound::new(Reach::Everywhere);
        let places: Vec<_> = (0..OF_ONE_HOST).map(|_| outbound.place("a.example").unwrap()).collect();
        assert!(outbound.place("a.example").is_err() && outbound.place("b.example").is_ok());
        drop(places);
        assert!(outbound.place("a.example").is_ok());
    }
}
