//! Server properties of Quick License Manager that limit what its methods do, under its own names: who may call, from where, and how
//! much. -1 is no limit.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Known, SettingError, flag, number};
use crate::licensing::{
    DeviceId,
    qlm::protect::{ActivationLimits, ReleaseLimits},
};

/// Network addresses and blocks of them (CIDR).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses(Vec<IpNet>);

impl Addresses {
    fn parse(text: &str) -> Result<Self, SettingError> {
        let wrong =
            SettingError::Value("Name addresses or blocks such as 203.0.113.7 or 2001:db8::/32, separated by semicolons.");
        let one = |text: &str| -> Option<IpNet> {
            let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
            Some(net.trunc())
        };
        let parts: Vec<&str> = text.split([';', ',']).map(str::trim).filter(|part| !part.is_empty()).collect();
        if parts.len() > MOST {
            return Err(SettingError::Value("Name at most 1,000; a block such as 203.0.113.0/24 is one."));
        }
        parts.into_iter().map(one).collect::<Option<_>>().map(Self).ok_or(wrong)
    }

    fn text(&self) -> String {
        let one = |net: &IpNet| if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() };
        self.0.iter().map(one).collect::<Vec<_>>().join(";")
    }

    /// Whether an address is among them, also where it is IPv4 within IPv6.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// How many addresses or computers a list names, at most.
const MOST: usize = 1_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtectSettings {
    /// `blockIPAddresses`.
    pub blocked_addresses: Addresses,
    /// `httpAdminMethods`, in lower case.
    pub admin_methods: Vec<String>,
    /// `httpAdminMethodsAllowedIPAddresses`.
    pub admin_addresses: Addresses,
    /// `blockComputerIDs`. What blocks them are rows of the store, which every door reads.
    pub blocked_computers: Vec<DeviceId>,
    /// `maxNewKeysPerDay`.
    pub keys_per_day: Option<u32>,
    pub activations: ActivationLimits,
    /// `enforceMaxTrialsWhenActivating`.
    pub enforces_trials: bool,
    /// `enforceMaxTrialsMatchComputerIDOnly`.
    pub trials_by_id_only: bool,
    /// `countRevokedTrials`.
    pub counts_revoked_trials: bool,
    /// `requireComputerKeyMatchWhenValidatingOnServer`.
    pub requires_computer_key: bool,
    pub releases: ReleaseLimits,
    /// Not `historyTableLogRelease`: releases leave no trace that limits count.
    pub forgets_releases: bool,
}

impl ProtectSettings {
    /// The limits on activations, with that of trials only where it is enforced.
    #[must_use]
    pub fn activation_limits(&self) -> ActivationLimits {
        ActivationLimits { trials: self.activations.trials.filter(|_| self.enforces_trials), ..self.activations }
    }
}

pub(super) fn limit(text: &str) -> Result<Option<u32>, SettingError> {
    let wrong = "Type a whole number from 0 to 1,000,000, or -1 for no limit.";
    number(text, -1, 1_000_000, wrong).map(|most| u32::try_from(most).ok())
}

pub(super) fn limited(most: Option<u32>) -> String {
    most.map_or_else(|| "-1".to_owned(), |most| most.to_string())
}

macro_rules! limit {
    ($name:literal, $about:literal, $($field:ident).+) => {
        Known {
            name: $name,
            about: $about,
            read: |settings, text| limit(text).map(|most| settings.qlm.protect.$($field).+ = most),
            write: |settings| limited(settings.qlm.protect.$($field).+),
        }
    };
}

macro_rules! switch {
    ($name:literal, $about:literal, $($field:ident).+) => {
        Known {
            name: $name,
            about: $about,
            read: |settings, text| flag(text).map(|on| settings.qlm.protect.$($field).+ = on),
            write: |settings| settings.qlm.protect.$($field).+.to_string(),
        }
    };
}

pub(super) static KNOWN: [Known; 19] = [
    Known {
        name: "blockIPAddresses",
        about: "QLM: network addresses (and blocks of them, such as 203.0.113.0/24) that call none of its methods, tell of no order, and activate nothing by the customers’ pages; separated by semicolons. Whoever shares such an address is shut out as well",
        read: |settings, text| Addresses::parse(text).map(|all| settings.qlm.protect.blocked_addresses = all),
        write: |settings| settings.qlm.protect.blocked_addresses.text(),
    },
    Known {
        name: "httpAdminMethods",
        about: "QLM: methods that are called only from the addresses of the next setting, separated by commas. The customers’ pages do the same by ActivateKey, RequestAuthorizationCodeForActivationHttp and ActivateKeyByAuthorizationCodeHttp, and are closed with them",
        read: |settings, text| {
            settings.qlm.protect.admin_methods = super::qlm::methods(text)?.iter().map(|name| name.to_lowercase()).collect();
            Ok(())
        },
        write: |settings| settings.qlm.protect.admin_methods.join(","),
    },
    Known {
        name: "httpAdminMethodsAllowedIPAddresses",
        about: "QLM: network addresses those methods are called from, separated by semicolons. With none, nobody calls them",
        read: |settings, text| Addresses::parse(text).map(|all| settings.qlm.protect.admin_addresses = all),
        write: |settings| settings.qlm.protect.admin_addresses.text(),
    },
    Known {
        name: "blockComputerIDs",
        about: "Computers that no license is activated or checked on, through any door: their ids, separated by ||",
        read: |settings, text| {
            let parts: Vec<&str> = text.split("||").map(str::trim).filter(|part| !part.is_empty()).collect();
            if parts.len() > MOST {
                return Err(SettingError::Value("Name at most 1,000 computers."));
            }
            let ids = parts.into_iter().map(DeviceId::parse).collect::<Result<_, _>>();
            settings.qlm.protect.blocked_computers =
                ids.map_err(|_| SettingError::Value("A computer id has 1 to 256 characters, all of them visible."))?;
            Ok(())
        },
        write: |settings| {
            let ids: Vec<&str> = settings.qlm.protect.blocked_computers.iter().map(DeviceId::as_str).collect();
            ids.join("||")
        },
    },
    limit!("maxNewKeysPerDay", "QLM: keys that shops have made in a day (UTC) at most, over all products", keys_per_day),
    limit!(
        "maxActivationsPerDay",
        "QLM: seats that its methods give in a day (UTC) at most, over all licenses",
        activations.per_day
    ),
    limit!(
        "maxActivationsPerSystem",
        "QLM: how often one computer is activated by a license; a call that shows no computer key is an activation. Against cloned machines",
        activations.per_system
    ),
    switch!(
        "maxActivationsEnforcedOnVMsOnly",
        "QLM: that counts only computers that say they are virtual machines",
        activations.virtual_machines_only
    ),
    limit!(
        "numberOfTrialLicensesAllowedPerClient",
        "QLM: trial licenses of a product that one computer may have, where the next setting is on",
        activations.trials
    ),
    switch!("enforceMaxTrialsWhenActivating", "QLM: a computer that had so many trials gets no other", enforces_trials),
    switch!(
        "enforceMaxTrialsMatchComputerIDOnly",
        "QLM: it is the same computer whatever it is called; otherwise its name counts as well",
        trials_by_id_only
    ),
    switch!("countRevokedTrials", "QLM: trials that were disabled count as well", counts_revoked_trials),
    switch!(
        "requireComputerKeyMatchWhenValidatingOnServer",
        "QLM: a computer that shows another key than it was given is refused; otherwise that is only noted among the refusals",
        requires_computer_key
    ),
    limit!("maxReleaseCount", "QLM: how often its methods give back a seat of a license, for each of its seats", releases.most),
    switch!("maxReleaseCountAbsolute", "QLM: that is for the license as a whole, however many seats it has", releases.absolute),
    limit!("maxReleasePerClient", "QLM: how often one computer gives back its seat", releases.per_client),
    limit!("maxReleasePeriodInDays", "QLM: only releases of so many days count", releases.days),
    Known {
        name: "preventDeactivationPeriod",
        about: "QLM: minutes that a seat is held before its methods give it back",
        read: |settings, text| {
            let wrong = "Type a whole number of minutes from 0 to 525,600.";
            let minutes = number(text, 0, 525_600, wrong)?;
            settings.qlm.protect.releases.hold_minutes = u32::try_from(minutes).map_err(|_| SettingError::Value(wrong))?;
            Ok(())
        },
        write: |settings| settings.qlm.protect.releases.hold_minutes.to_string(),
    },
    Known {
        name: "historyTableLogRelease",
        about: "QLM: releases are counted for these limits",
        read: |settings, text| flag(text).map(|on| settings.qlm.protect.forgets_releases = !on),
        write: |settings| (!settings.qlm.protect.forgets_releases).to_string(),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_blocks_of_them_are_read_in_either_family() {
        let all = Addresses::parse("203.0.113.7; 198.51.100.9/24,2001:db8::/32;").unwrap();
        assert_eq!(all.text(), "203.0.113.7;198.51.100.0/24;2001:db8::/32");
        for (address, among) in [
            ("203.0.113.7", true),
            ("::ffff:203.0.113.7", true),
            ("203.0.113.8", false),
            ("198.51.100.250", true),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(all.contain(address.parse().unwrap()), among, "{address}");
        }
        for wrong in ["203.0.113", "203.0.113.0/33", "example.com", "203.0.113.7 203.0.113.8"] {
            assert!(Addresses::parse(wrong).is_err(), "{wrong}");
        }
        assert!(!Addresses::parse("").unwrap().contain("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn trials_are_limited_only_where_that_is_enforced() {
        let mut settings = ProtectSettings {
            activations: ActivationLimits { trials: Some(1), ..ActivationLimits::default() },
            ..ProtectSettings::default()
        };
        assert_eq!(settings.activation_limits().trials, None);
        settings.enforces_trials = true;
        assert_eq!(settings.activation_limits().trials, Some(1));
    }
}
