//! The acts and the doors, proved through the real router: what is granted, what is refused, and what an attacker tries.
//! A test is written once and listed in its file: under `both` it runs on SQLite and on PostgreSQL, under `once` on SQLite.
//! Everything that was logged while it ran, at trace level, is searched for every secret it used.

pub(crate) mod app;
mod dump;
mod logs;
mod machine;

/// Makes the tests of a file from its list.
macro_rules! tests {
    (both: $($both:ident),* $(,)?; once: $($once:ident),* $(,)?;) => {
        mod sqlite {
            $(#[test]
            fn $both() {
                crate::server::tests::app::run(crate::store::Engine::Sqlite, super::$both);
            })*
        }

        mod postgres {
            $(#[test]
            fn $both() {
                crate::server::tests::app::run(crate::store::Engine::Postgres, super::$both);
            })*
        }

        mod once {
            $(#[test]
            fn $once() {
                crate::server::tests::app::run(crate::store::Engine::Sqlite, super::$once);
            })*
        }
    };
}

pub(crate) use app::{Brought, Licensed, Refused, Reply, TestApp};
pub(crate) use machine::Machine;

mod acts;
mod airgap;
mod attacks;
mod broken;
mod doors;
pub(crate) mod foreign;
mod foreign_files;
mod keys;
mod licensespring;
mod licensespring_again;
mod licensespring_bundle;
mod licensespring_codes;
mod licensespring_floating;
mod licensespring_oauth;
mod licensespring_sso;
mod licensespring_tpm;
mod licensespring_trial;
mod licensespring_use;
mod mail;
mod post_office;
mod qlm;
mod qlm_changes;
mod qlm_clients;
mod qlm_defaults;
mod qlm_limits;
mod qlm_reach;
mod qlm_rules;
mod qlm_signed;
mod races;
mod refusals;
mod shops;
mod shops_again;
mod shops_each;
mod shops_paypal;
mod staff;
mod told;
mod vendor_pages;
