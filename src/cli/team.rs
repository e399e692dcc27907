//! `user`: vendor staff.

use clap::Subcommand;
use serde_json::json;

use super::{
    Place,
    outcome::{CliError, Done, not_found, table},
    parse,
};
use crate::{
    desk::{Desk, Role, Visitor},
    licensing::{Email, Timestamp, UserId},
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add a member; the password is read from stdin
    Add {
        #[arg(value_parser = parse::email)]
        email: Email,
        /// owner, admin, support or viewer
        #[arg(long, value_parser = role)]
        role: Role,
    },
    /// Who belongs to the team
    List,
    /// Disable a member and end their sessions
    Disable {
        #[arg(value_parser = parse::email)]
        email: Email,
    },
    /// Set a member's password, read from stdin, and end their sessions
    Password {
        #[arg(value_parser = parse::email)]
        email: Email,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "a role is owner, admin, support or viewer".to_owned())
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    match command {
        Command::Add { email, role } => {
            let password = parse::secret("The password")?;
            let desk = place.open_or_make().await?;
            let id = desk.add_member(&Visitor::Operator, &email, &password, role).await?;
            let value = json!({ "id": id.0, "email": email.as_str(), "role": role.as_str() });
            Ok(Done::new(value, format!("{email} is {} now and can sign in.", with_article(role))))
        }
        Command::List => {
            let team = place.open().await?.team(&Visitor::Operator).await?;
            let all = team.iter().map(|member| {
                json!({
                    "id": member.id.0,
                    "email": member.email.as_str(),
                    "role": member.role,
                    "disabled": member.disabled.map(Timestamp::to_rfc3339),
                    "created": member.created.to_rfc3339(),
                })
            });
            let rows: Vec<_> = team
                .iter()
                .map(|member| {
                    let state = if member.disabled.is_some() { "disabled" } else { "" };
                    vec![member.email.to_string(), member.role.clone(), state.to_owned()]
                })
                .collect();
            Ok(Done::new(all.collect(), table(&["e-mail", "role", "state"], &rows)))
        }
        Command::Disable { email } => {
            let desk = place.open().await?;
            let id = member(&desk, &email).await?;
            desk.set_member_disabled(&Visitor::Operator, id, true).await?;
            Ok(Done::new(json!({ "email": email.as_str(), "disabled": true }), format!("{email} cannot sign in any more.")))
        }
        Command::Password { email } => {
            let password = parse::secret("The password")?;
            let desk = place.open().await?;
            let id = member(&desk, &email).await?;
            desk.set_password(&Visitor::Operator, id, &password).await.map_err(not_found("There is no such member."))?;
            Ok(Done::new(json!({ "email": email.as_str() }), format!("The password of {email} is set; sign in again.")))
        }
    }
}

const fn with_article(role: Role) -> &'static str {
    match role {
        Role::Owner => "an owner",
        Role::Admin => "an admin",
        Role::Support => "in support",
        Role::Viewer => "a viewer",
    }
}

async fn member(desk: &Desk, email: &Email) -> Result<UserId, CliError> {
    let team = desk.team(&Visitor::Operator).await?;
    let member = team.iter().find(|member| member.email.folded() == email.folded());
    member.map(|member| member.id).ok_or_else(|| CliError::refused("not_found", "No member of the team has this e-mail address."))
}
