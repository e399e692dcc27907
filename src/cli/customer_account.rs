//! `customer-account`: customers that belong together.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Place,
    outcome::{CliError, Done, not_found, table},
    parse,
};
use crate::{
    desk::{ActError, NewSso, Visitor},
    licensing::{ProductCode, sso::SsoProvider},
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add an account; `customer account` puts customers into it
    Add {
        #[arg(value_parser = parse::code)]
        code: ProductCode,
        #[arg(long)]
        name: String,
    },
    /// The accounts, with how many customers each has
    List,
    /// Say where the people of an account sign in
    Sso(Sso),
}

#[derive(Args)]
pub(super) struct Sso {
    #[arg(value_parser = parse::code)]
    code: ProductCode,
    /// The OpenID Connect provider, as its own description names it
    #[arg(long, value_name = "URL", required_unless_present = "off")]
    issuer: Option<String>,
    /// What your app is called there
    #[arg(long, value_name = "ID", required_unless_present = "off")]
    client_id: Option<String>,
    /// Where people may be led back to, as the provider knows it; the first unless a call names another
    #[arg(long = "redirect-uri", value_name = "URI", required_unless_present = "off")]
    redirect_uris: Vec<String>,
    /// Read the client secret from stdin: apps that come back with a code need it
    #[arg(long)]
    secret_stdin: bool,
    /// Its addresses count although it does not say that it verified them (Entra ID, a directory of one company)
    #[arg(long)]
    trust_addresses: bool,
    /// Let nobody of this account sign in any more
    #[arg(long, conflicts_with_all = ["issuer", "client_id", "redirect_uris", "secret_stdin", "trust_addresses"])]
    off: bool,
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        Command::Add { code, name } => {
            let id = desk.add_account(&Visitor::Operator, &code, &name).await?;
            let text = format!("Added. `customer account EMAIL {code}` puts a customer into it.");
            Ok(Done::new(json!({ "id": id.0, "code": code.as_str() }), text))
        }
        Command::Sso(sso) => {
            let code = sso.code;
            let none = |error: ActError| match (sso.off, error) {
                (true, ActError::NotFound) => CliError::refused("not_found", "No account with this code has a sign-in provider."),
                (_, error) => not_found("There is no customer account with this code.")(error),
            };
            let client_secret = if sso.secret_stdin { Some(parse::secret("Client secret: ")?) } else { None };
            let new = sso.issuer.zip(sso.client_id).map(|(issuer, client_id)| NewSso {
                provider: SsoProvider {
                    issuer,
                    client_id,
                    redirect_uris: sso.redirect_uris,
                    trusts_addresses: sso.trust_addresses,
                },
                client_secret,
            });
            let on = new.is_some();
            desk.set_sso(&Visitor::Operator, &code, new).await.map_err(none)?;
            let text = match on {
                true => format!("The people of {code} can sign in. Apps ask for the address with `sso_url`."),
                false => format!("Nobody of {code} can sign in any more. Passwords go on as before."),
            };
            Ok(Done::new(json!({ "code": code.as_str(), "sso": on }), text))
        }
        Command::List => {
            let all = desk.accounts(&Visitor::Operator).await?;
            let value = all.iter().map(|(account, customers)| {
                json!({ "id": account.id.0, "code": account.code.as_str(), "name": account.name, "customers": customers })
            });
            let value = value.collect();
            let row = |(account, customers): (crate::store::Account, u64)| {
                vec![account.code.to_string(), account.name, customers.to_string()]
            };
            let rows: Vec<_> = all.into_iter().map(row).collect();
            Ok(Done::new(value, table(&["code", "name", "customers"], &rows)))
        }
    }
}
