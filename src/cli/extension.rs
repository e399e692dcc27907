//! `extension`: shops and sites that call by Quick License Manager's methods, with their credentials.

use clap::Subcommand;
use serde_json::json;

use super::{
    Place,
    outcome::{CliError, Done, not_found, table},
    parse,
};
use crate::desk::{EXTENSION_CLASSES, NewExtension, Visitor};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add an extension: its name is what calls say as is_vendor
    Add {
        name: String,
        /// What kind of shop or site it is; the name itself where it is one
        #[arg(long, value_name = "KIND")]
        class: Option<String>,
        /// What calls say as is_user
        #[arg(long, value_name = "USER", default_value = "")]
        user: String,
        /// Read the password from stdin, which calls say as is_pwd: 12 characters at least
        #[arg(long)]
        password_stdin: bool,
        /// Make an API key to sign calls with (strict authentication); it is shown once
        #[arg(long)]
        api_key: bool,
    },
    /// The extensions
    List,
    /// Let one call again
    Enable { name: String },
    /// Refuse every call of one
    Disable { name: String },
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    let none = || not_found("There is no extension with this name. `extension list` shows them.");
    match command {
        Command::Add { name, class, user, password_stdin, api_key } => {
            let named = name.to_ascii_lowercase();
            let class = class.unwrap_or_else(|| if EXTENSION_CLASSES.contains(&named.as_str()) { named } else { String::new() });
            let password = if password_stdin { Some(parse::secret("The password")?) } else { None };
            let has_password = password.is_some();
            let api_key = api_key.then(|| crate::vault::Token::random().text());
            let made = api_key.clone();
            let new = NewExtension { name: name.clone(), class: class.clone(), user, password, api_key, shared_key: None };
            let id = desk.add_extension(&Visitor::Operator, new).await?;
            let text = if has_password {
                format!("Added. Calls say is_vendor={name} with its user and password.")
            } else {
                "Added. It has no password, so it may change nothing unless allowUnauthenticatedVendor is true.".to_owned()
            };
            let text = match &made {
                Some(key) => format!("{text}\nAPI key, shown once: {key}"),
                None => text,
            };
            let value = json!({ "id": id, "name": name, "class": class, "has_password": has_password, "api_key": made });
            Ok(Done::new(value, text))
        }
        Command::List => {
            let all = desk.extensions(&Visitor::Operator).await?;
            let value = all.iter().map(|one| {
                json!({
                    "id": one.id, "name": one.name, "class": one.class, "user": one.user, "enabled": one.enabled,
                    "has_password": one.password_mark.is_some(),
                })
            });
            let value = value.collect();
            let said = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
            let row = |one: crate::store::Extension| {
                vec![one.name, one.class, one.user, said(one.password_mark.is_some()), said(one.enabled)]
            };
            let rows: Vec<_> = all.into_iter().map(row).collect();
            Ok(Done::new(value, table(&["name", "kind", "user", "password", "on"], &rows)))
        }
        Command::Enable { name } => {
            desk.switch_extension(&Visitor::Operator, &name, true).await.map_err(none())?;
            Ok(Done::new(json!({ "name": name, "enabled": true }), format!("{name} may call again.")))
        }
        Command::Disable { name } => {
            desk.switch_extension(&Visitor::Operator, &name, false).await.map_err(none())?;
            Ok(Done::new(json!({ "name": name, "enabled": false }), format!("{name} is refused from now on.")))
        }
    }
}
