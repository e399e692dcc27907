//! `extension`: shops and sites that call by Quick License Manager's methods, with their credentials.

use clap::Subcommand;
use serde_json::json;

use super::{
    Place,
    outcome::{CliError, Done, not_found, table},
    parse,
};
use crate::desk::{EXTENSION_CLASSES, ExtensionEdit, NewExtension, Visitor};

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
    /// Change an extension's keys, or how its words are read; a key comes by stdin
    Edit {
        name: String,
        /// Which one is read from stdin
        #[arg(long, value_name = "SECRET", value_parser = ["password", "shared-key", "api-key"])]
        stdin: Option<String>,
        /// A map in JSON, or `default` for the one its kind has from the start
        #[arg(long, value_name = "FILE")]
        map: Option<std::path::PathBuf>,
        /// The reseller it calls for (is_affiliateid), whose licenses alone it sells, sees and changes; `` for the vendor
        #[arg(long, value_name = "RESELLER")]
        affiliate: Option<String>,
    },
    /// How an extension's words are read, in JSON
    Map { name: String },
    /// Make a secret address for a shop that signs nothing; it is shown once
    Address { name: String },
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
            let class = class.unwrap_or_else(|| {
                if EXTENSION_CLASSES.iter().any(|(class, _)| *class == named) { named } else { String::new() }
            });
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
        Command::Edit { name, stdin, map, affiliate } => {
            let secret = match &stdin {
                Some(_) => Some(parse::secret("The secret")?),
                None => None,
            };
            let map = match map {
                None => None,
                Some(path) if path.as_os_str() == "default" => Some(String::new()),
                Some(path) => Some(std::fs::read_to_string(&path).map_err(|error| {
                    CliError::refused("unreadable", format!("{} could not be read: {error}.", path.display()))
                })?),
            };
            let of = |what: &str| secret.clone().filter(|_| stdin.as_deref() == Some(what));
            let edit =
                ExtensionEdit { password: of("password"), api_key: of("api-key"), shared_key: of("shared-key"), map, affiliate };
            desk.edit_extension(&Visitor::Operator, &name, edit).await.map_err(none())?;
            Ok(Done::new(json!({ "name": name }), format!("{name} is changed.")))
        }
        Command::Map { name } => {
            let view = desk.extension_view(&Visitor::Operator, &name).await.map_err(none())?;
            let value = serde_json::from_str(&view.map).unwrap_or_default();
            Ok(Done::new(value, view.map))
        }
        Command::Address { name } => {
            let token = desk.new_shop_address(&Visitor::Operator, &name).await.map_err(none())?.text();
            let path = format!("/api/shops/{token}");
            let text = format!("Its webhooks go to this path of the portal, shown once: {path}");
            Ok(Done::new(json!({ "name": name, "path": path }), text))
        }
        Command::List => {
            let all = desk.extensions(&Visitor::Operator).await?;
            let value = all.iter().map(|one| {
                json!({
                    "id": one.id, "name": one.name, "class": one.class, "user": one.user, "enabled": one.enabled,
                    "has_password": one.password_mark.is_some(), "affiliate": one.affiliate,
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
