//! `api-key`: what LicenseSpring's clients sign with.

use clap::Subcommand;
use serde_json::json;

use super::{
    Place,
    outcome::{CliError, Done, facts, not_found, table},
    parse,
};
use crate::{
    desk::Visitor,
    licensing::{ProductCode, Timestamp},
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add credentials; the shared key is shown once
    Add {
        /// What they are for, as staff reads it
        name: String,
        /// Only for this product; may be repeated
        #[arg(long = "product", value_name = "CODE", value_parser = parse::code)]
        products: Vec<ProductCode>,
        /// May read, and change nothing
        #[arg(long)]
        read_only: bool,
        /// Bring an API key along; its shared key is read from stdin
        #[arg(long, value_name = "ID", requires = "shared_key_stdin")]
        api_key: Option<String>,
        #[arg(long, requires = "api_key")]
        shared_key_stdin: bool,
    },
    /// The credentials, without their shared keys
    List,
    /// Revoke credentials for good
    Revoke {
        /// The id of `api-key list`, or the API key itself
        id: String,
    },
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    match command {
        Command::Add { name, products, read_only, api_key, .. } => {
            let given = match api_key {
                Some(api_key) => Some((api_key, parse::secret("The shared key")?)),
                None => None,
            };
            let desk = place.open_or_make().await?;
            let mut codes = Vec::new();
            for code in &products {
                let view = desk.product(code).await.map_err(not_found("There is no product with this code."))?;
                codes.push(view.product.code.to_string());
            }
            let only = (!codes.is_empty()).then_some(codes);
            let made = desk.add_api_key(&Visitor::Operator, &name, only, read_only, given).await?;
            let text = facts(&[("API key", made.api_key.clone()), ("Shared key", made.shared_key.clone())]);
            let value = json!({ "id": made.id, "api_key": made.api_key, "shared_key": made.shared_key });
            Ok(Done::new(value, format!("{text}The shared key is not shown again.")))
        }
        Command::List => {
            let all = place.open().await?.api_keys(&Visitor::Operator).await?;
            let value = all.iter().map(|key| {
                json!({
                    "id": key.id,
                    "name": key.name,
                    "api_key": key.api_key,
                    "products": key.products,
                    "read_only": key.read_only,
                    "revoked": key.revoked.map(Timestamp::to_rfc3339),
                    "created": key.created.to_rfc3339(),
                })
            });
            let value = value.collect();
            let rows: Vec<_> = all
                .into_iter()
                .map(|key| {
                    let products = key.products.map_or_else(|| "all".to_owned(), |codes| codes.join(" "));
                    let state = if key.revoked.is_some() {
                        "revoked"
                    } else if key.read_only {
                        "reads only"
                    } else {
                        ""
                    };
                    vec![key.id.to_string(), key.name, key.api_key, products, state.to_owned()]
                })
                .collect();
            Ok(Done::new(value, table(&["id", "name", "API key", "products", "state"], &rows)))
        }
        Command::Revoke { id } => {
            let desk = place.open().await?;
            let all = desk.api_keys(&Visitor::Operator).await?;
            let found = all.iter().find(|key| key.api_key == id || key.id.to_string() == id);
            let none = || CliError::refused("not_found", "There are no credentials with this id. `api-key list` shows them.");
            let key = found.ok_or_else(none)?;
            if key.revoked.is_some() {
                return Err(CliError::refused("already_revoked", "These credentials are revoked already."));
            }
            desk.revoke_api_key(&Visitor::Operator, key.id).await?;
            Ok(Done::new(json!({ "id": key.id, "revoked": true }), "Apps with this API key are refused from now on."))
        }
    }
}
