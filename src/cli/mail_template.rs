//! `mail-template`: letters in the vendor's own words.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::{
    Place,
    outcome::{CliError, Done, not_found, table},
    parse,
};
use crate::desk::Visitor;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Write a letter: NewOrder, RenewSubscription, RequestKeys, AuthorizationCode, or a name that orders call (is_emailtemplate)
    Set {
        name: String,
        #[arg(long, value_name = "TEXT")]
        subject: String,
        /// The letter's text; - reads stdin
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// The letters there are
    List,
    /// Go back to our words
    Remove { name: String },
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        Command::Set { name, subject, file } => {
            let text = if file.as_os_str() == "-" {
                parse::text_of_stdin("The letter", 64 * 1024)?
            } else {
                std::fs::read_to_string(&file)
                    .map_err(|error| CliError::refused("unreadable", format!("{} could not be read: {error}.", file.display())))?
            };
            desk.put_template(&Visitor::Operator, &name, &subject, &text).await?;
            Ok(Done::new(json!({ "name": name, "subject": subject }), format!("{name} is written.")))
        }
        Command::List => {
            let all = desk.templates(&Visitor::Operator).await?;
            let value = all.iter().map(|one| json!({ "name": one.name, "subject": one.subject, "text": one.text }));
            let value = value.collect();
            let rows: Vec<_> = all.into_iter().map(|one| vec![one.name, one.subject]).collect();
            Ok(Done::new(value, table(&["name", "subject"], &rows)))
        }
        Command::Remove { name } => {
            let none = not_found("There is no mail template with this name. `mail-template list` shows them.");
            desk.remove_template(&Visitor::Operator, &name).await.map_err(none)?;
            Ok(Done::new(json!({ "name": name }), format!("{name} is removed.")))
        }
    }
}
