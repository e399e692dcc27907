//! `setting`: the portal's name, colour, addresses and limits.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    Place,
    outcome::{CliError, Done, table},
    parse,
};
use crate::desk::{Desk, SettingError, Visitor};

/// Room for the largest logo in base64, in lines of any length.
const VALUE_MOST: u64 = 128 * 1024;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Set a setting; `-` reads the value from stdin
    Set {
        name: String,
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// One setting's value
    Get { name: String },
    /// All settings, their values and what they are for
    List,
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    match command {
        Command::Set { name, value } => {
            let value = if value == "-" { parse::text_of_stdin("The value", VALUE_MOST)? } else { value };
            let desk = place.open_or_make().await?;
            desk.set_settings(&Visitor::Operator, vec![(name.clone(), value)]).await?;
            get(&desk, &name)
        }
        Command::Get { name } => get(&place.open().await?, &name),
        Command::List => {
            let all = place.open().await?.settings().list();
            let value = all.iter().map(|(name, value, about)| json!({ "name": name, "value": value, "about": about }));
            let value: Value = value.collect();
            let rows: Vec<_> =
                all.into_iter().map(|(name, value, about)| vec![name.to_owned(), value, about.to_owned()]).collect();
            Ok(Done::new(value, table(&["name", "value", "what it is for"], &rows)))
        }
    }
}

fn get(desk: &Desk, name: &str) -> Result<Done, CliError> {
    let all = desk.settings().list();
    let found = all.into_iter().find(|(known, ..)| known.eq_ignore_ascii_case(name));
    let (name, value, _) = found.ok_or_else(|| crate::desk::ActError::from(SettingError::Unknown(name.to_owned())))?;
    Ok(Done::new(json!({ "name": name, "value": value }), value))
}
