//! `oauth-client`: LicenseSpring's other credentials, a client id and a secret that is shown once.

use clap::Subcommand;
use serde_json::json;

use super::{
    Place,
    license::{Which, find},
    outcome::{CliError, Done, facts, not_found, table},
    parse,
};
use crate::{
    desk::{Desk, GRACE_HOURS, MadeClient, OauthRow, Visitor},
    licensing::{Email, LicenseId, ProductCode, Timestamp, scope::Scope},
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add a client; its secret is shown once
    Add {
        /// What it is for, as staff reads it
        name: String,
        /// Only the licenses of this customer
        #[arg(long, value_name = "EMAIL", value_parser = parse::email)]
        customer: Option<Email>,
        /// Only the licenses of this account's customers
        #[arg(long, value_name = "CODE", value_parser = parse::code, conflicts_with_all = ["customer", "license"])]
        account: Option<ProductCode>,
        /// Only the license with this key
        #[arg(long, value_name = "KEY", conflicts_with = "customer")]
        license: Option<String>,
        /// The license's product, where several have the key
        #[arg(long, value_name = "CODE", value_parser = parse::code, requires = "license")]
        product: Option<ProductCode>,
        /// Days until the secret ends; without, it lasts until it is replaced
        #[arg(long, value_name = "DAYS")]
        secret_days: Option<u32>,
    },
    /// The clients, without their secrets
    List,
    /// Give a client a new secret; the one before is good for a while
    Rotate {
        /// The id of `oauth-client list`, or the client id itself
        id: String,
        /// Hours for which the secret before is good
        #[arg(long, value_name = "HOURS", default_value_t = GRACE_HOURS)]
        grace_hours: u32,
        /// Days until the new secret ends
        #[arg(long, value_name = "DAYS")]
        secret_days: Option<u32>,
    },
    /// Revoke a client for good
    Revoke {
        /// The id of `oauth-client list`, or the client id itself
        id: String,
    },
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        Command::Add { name, customer, account, license, product, secret_days } => {
            let scope = match (customer, account, license) {
                (_, Some(code), _) => {
                    let none = not_found("There is no customer account with this code.");
                    Scope::Account(desk.account(&Visitor::Operator, &code).await.map_err(none)?.id)
                }
                (Some(email), ..) => {
                    let none = not_found("There is no customer with this address.");
                    Scope::Customer(desk.customer(&Visitor::Operator, &email).await.map_err(none)?.0.id)
                }
                (None, None, Some(key)) => Scope::License(license_of(&desk, key, product).await?),
                (None, None, None) => Scope::Company,
            };
            let made = desk.add_oauth_client(&Visitor::Operator, &name, scope, secret_days).await?;
            Ok(shown(&made))
        }
        Command::List => {
            let all = desk.oauth_clients(&Visitor::Operator).await?;
            let value = all.iter().map(|OauthRow { client, secret_ends, customer }| {
                json!({
                    "id": client.id, "name": client.name, "client_id": client.client_id, "scope": client.scope.as_str(),
                    "of": client.scope.id(), "customer": customer, "secret_expires": secret_ends.map(Timestamp::to_rfc3339),
                    "revoked": client.revoked.map(Timestamp::to_rfc3339), "created": client.created.to_rfc3339(),
                })
            });
            let value = value.collect();
            let rows: Vec<_> = all
                .into_iter()
                .map(|OauthRow { client, secret_ends, .. }| {
                    let ends = match (client.revoked, secret_ends) {
                        (Some(_), _) => "revoked".to_owned(),
                        (None, Some(at)) => format!("until {}", at.date()),
                        (None, None) => String::new(),
                    };
                    vec![client.id.to_string(), client.name, client.client_id, ends]
                })
                .collect();
            Ok(Done::new(value, table(&["id", "name", "client id", "secret"], &rows)))
        }
        Command::Rotate { id, grace_hours, secret_days } => {
            let id = named(&desk, &id).await?;
            let made = desk.rotate_oauth_secret(&Visitor::Operator, id, grace_hours, secret_days).await?;
            Ok(shown(&made))
        }
        Command::Revoke { id } => {
            let id = named(&desk, &id).await?;
            let gone = |_| CliError::refused("already_revoked", "This client is revoked already.");
            desk.revoke_oauth_client(&Visitor::Operator, id).await.map_err(gone)?;
            Ok(Done::new(json!({ "id": id, "revoked": true }), "Its tokens and its files are refused from now on."))
        }
    }
}

async fn license_of(desk: &Desk, key: String, product: Option<ProductCode>) -> Result<LicenseId, CliError> {
    find(desk, &Which { key, product }).await
}

async fn named(desk: &Desk, id: &str) -> Result<i64, CliError> {
    let all = desk.oauth_clients(&Visitor::Operator).await?;
    let found = all.into_iter().map(|row| row.client).find(|client| client.client_id == id || client.id.to_string() == id);
    let none = || CliError::refused("not_found", "There is no client with this id. `oauth-client list` shows them.");
    let client = found.ok_or_else(none)?;
    if client.revoked.is_some() {
        return Err(CliError::refused("already_revoked", "This client is revoked already."));
    }
    Ok(client.id)
}

fn shown(made: &MadeClient) -> Done {
    let text = facts(&[("Client id", made.client_id.clone()), ("Secret", made.client_secret.clone())]);
    let value = json!({
        "id": made.id, "client_id": made.client_id, "client_secret": made.client_secret,
        "secret_expires": made.expires.map(Timestamp::to_rfc3339),
    });
    Done::new(value, format!("{text}The secret is not shown again."))
}
