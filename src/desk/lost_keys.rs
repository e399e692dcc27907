//! Keys that a customer cannot find: they are sent to the address they were sold to. Asking is answered alike whether it is known.

use super::{Desk, Fault, messages::may_write};
use crate::licensing::{
    Email,
    license::{License, LicenseState},
    product::Product,
};

/// As many as one letter names, the newest.
const NAMED: i64 = 50;

impl Desk {
    /// Sends a customer their keys. `Ok(false)`: asked too often.
    pub async fn send_keys(&self, email: Email, from: Option<String>) -> Result<bool, Fault> {
        self.send_keys_counted(email, from, true).await
    }

    /// The same; `counts` says whether it is counted here, or was by the caller.
    pub(super) async fn send_keys_counted(&self, email: Email, from: Option<String>, counts: bool) -> Result<bool, Fault> {
        let now = self.now();
        let (to, said, found) = {
            let mut conn = self.read().await?;
            match conn.customer_by_email(&email).await? {
                // To the address as it is kept: what was typed may fold to it and be another mailbox.
                Some(customer) => {
                    let said = (customer.name, customer.company);
                    (customer.email, said, conn.newest_licenses_of(customer.id, NAMED).await?)
                }
                None => (email.clone(), (String::new(), String::new()), Vec::new()),
            }
        };
        // Made in either case, so that it takes as long.
        let letter = self.requested_letter(&to, &said, found.iter().filter(|one| is_told(one)), now).await?;
        let sends = found.iter().any(is_told);
        let done = self.store.write(move |conn| {
            let (email, letter, from) = (email.clone(), letter.clone(), from.clone());
            Box::pin(async move {
                if counts && !may_write(conn, &email, from.as_deref(), now).await? {
                    return Ok(false);
                }
                if sends {
                    conn.add_message(&letter, now).await?;
                }
                Ok(true)
            })
        });
        let done = done.await?;
        self.message_waits();
        Ok(done)
    }
}

/// Keys of licenses that were disabled are of no use to anybody.
fn is_told((license, _): &(License, Product)) -> bool {
    license.key.is_some() && matches!(license.state, LicenseState::Enabled)
}
