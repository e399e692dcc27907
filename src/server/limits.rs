//! Limits by network address, per process. What must hold across processes is counted in the database by the acts.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::{Arc, RwLock},
};

use axum::http::HeaderMap;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::config::ServeConfig;

type ByAddress = Arc<DefaultKeyedRateLimiter<IpAddr>>;

/// Activations by address. The limit is a setting: when it changes, counting starts afresh.
pub struct Limits {
    activations: RwLock<Option<(i64, ByAddress)>>,
    sign_ins: ByAddress,
}

/// Sign-in tries from one network address within a minute, whichever accounts they name: each costs a password hash.
const SIGN_INS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();

impl Default for Limits {
    fn default() -> Self {
        Self { activations: RwLock::default(), sign_ins: Arc::new(RateLimiter::keyed(Quota::per_minute(SIGN_INS_PER_MINUTE))) }
    }
}

impl Limits {
    /// Whether one more activation from this address is within the limit.
    pub fn allows_activation(&self, from: IpAddr, per_minute: i64) -> bool {
        let limiter = self.limiter(per_minute);
        limiter.check_key(&counted(from)).is_ok()
    }

    /// Whether one more sign-in try from this address is within the limit.
    pub fn allows_sign_in(&self, from: IpAddr) -> bool {
        self.sign_ins.check_key(&counted(from)).is_ok()
    }

    /// Forgets addresses that were not seen for a while.
    pub fn tidy(&self) {
        self.sign_ins.retain_recent();
        if let Some((_, limiter)) = &*self.activations.read().unwrap_or_else(std::sync::PoisonError::into_inner) {
            limiter.retain_recent();
        }
    }

    fn limiter(&self, per_minute: i64) -> ByAddress {
        if let Some((set, limiter)) = &*self.activations.read().unwrap_or_else(std::sync::PoisonError::into_inner)
            && *set == per_minute
        {
            return limiter.clone();
        }
        let most = u32::try_from(per_minute).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let limiter: ByAddress = Arc::new(RateLimiter::keyed(Quota::per_minute(most)));
        *self.activations.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((per_minute, limiter.clone()));
        limiter
    }
}

/// The visitor's address: the peer's, or what the nearest proxy that is trusted says of it. Headers of anyone else are ignored.
pub fn client_address(peer: SocketAddr, headers: &HeaderMap, config: &ServeConfig) -> IpAddr {
    let mut address = peer.ip().to_canonical();
    let forwarded = headers.get_all("x-forwarded-for").iter().map(|value| value.to_str().unwrap_or_default());
    let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).collect();
    for hop in hops.into_iter().rev() {
        if !config.trusted_proxies.contains(&address) {
            break;
        }
        // What cannot be read is not passed over: before it stands only what the visitor wrote.
        let Some(hop) = hop_address(hop.trim()) else { break };
        address = hop.to_canonical();
    }
    address
}

/// An address as proxies write it: alone, with a port, or in brackets.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// What is counted together: an IPv4 address, or the network of an IPv6 one, whose holder has 2^64 addresses to choose from.
pub fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::from((u128::from(v6) >> 64 << 64).to_be_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_says_who_the_visitor_is() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "198.51.100.9, 203.0.113.7".parse().unwrap());
        let peer: SocketAddr = "10.0.0.2:9".parse().unwrap();
        let mut config = ServeConfig::for_testing();
        assert_eq!(client_address(peer, &headers, &config).to_string(), "10.0.0.2");
        config.trusted_proxies = vec!["10.0.0.2".parse().unwrap()];
        assert_eq!(client_address(peer, &headers, &config).to_string(), "203.0.113.7");
    }

    #[test]
    fn a_hop_with_a_port_is_read_and_one_that_is_no_address_ends_the_way() {
        let peer: SocketAddr = "10.0.0.2:9".parse().unwrap();
        let mut config = ServeConfig::for_testing();
        config.trusted_proxies = vec!["10.0.0.2".parse().unwrap(), "10.0.0.3".parse().unwrap()];
        for (forwarded, expected) in [
            ("9.9.9.9, 203.0.113.7:5123", "203.0.113.7"),
            ("9.9.9.9, [2001:db8::7]:5123", "2001:db8::7"),
            ("9.9.9.9, [2001:db8::7]", "2001:db8::7"),
            ("9.9.9.9, 203.0.113.7, 10.0.0.3", "203.0.113.7"),
            ("9.9.9.9, unknown", "10.0.0.2"),
            ("9.9.9.9, _hidden, 10.0.0.3", "10.0.0.3"),
            ("", "10.0.0.2"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            assert_eq!(client_address(peer, &headers, &config).to_string(), expected, "{forwarded}");
        }
    }

    #[test]
    fn an_ipv6_network_is_one_visitor() {
        let limits = Limits::default();
        let [one, other, elsewhere] = ["2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"].map(|text| text.parse().unwrap());
        assert!(limits.allows_activation(one, 1));
        assert!(!limits.allows_activation(other, 1));
        assert!(limits.allows_activation(elsewhere, 1));
    }

    #[test]
    fn the_limit_holds_for_each_address_by_itself() {
        let limits = Limits::default();
        let [one, other] = [IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])];
        assert!(limits.allows_activation(one, 2) && limits.allows_activation(one, 2));
        assert!(!limits.allows_activation(one, 2));
        assert!(limits.allows_activation(other, 2));
    }
}
