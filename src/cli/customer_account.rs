//! `customer-account`: customers that belong together.

use clap::Subcommand;
use serde_json::json;

use super::{
    Place,
    outcome::{CliError, Done, table},
    parse,
};
use crate::{desk::Visitor, licensing::ProductCode};

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
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        Command::Add { code, name } => {
            let id = desk.add_account(&Visitor::Operator, &code, &name).await?;
            let text = format!("Added. `customer account EMAIL {code}` puts a customer into it.");
            Ok(Done::new(json!({ "id": id.0, "code": code.as_str() }), text))
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
