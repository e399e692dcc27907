//! `device`: keeping a machine off a license, and letting it back.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Place,
    license::{Which, find},
    outcome::{CliError, Done, not_found},
    parse,
};
use crate::{desk::Visitor, licensing::DeviceId};

#[derive(Args)]
pub(super) struct Machine {
    #[command(flatten)]
    pub which: Which,
    /// The computer id
    #[arg(value_parser = parse::device)]
    pub device_id: DeviceId,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Keep a machine off a license; a seat it holds stays until it is released
    Block(Machine),
    /// Let a blocked or revoked machine back in
    Allow(Machine),
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    let (Command::Block(machine) | Command::Allow(machine)) = &command;
    let id = find(&desk, &machine.which).await?;
    let none = not_found("This machine is not known on the license.");
    let state = match command {
        Command::Block(_) => {
            desk.block_device(&Visitor::Operator, id, &machine.device_id).await.map_err(none)?;
            "blocked"
        }
        Command::Allow(_) => {
            desk.allow_device(&Visitor::Operator, id, &machine.device_id).await.map_err(none)?;
            "allowed"
        }
    };
    let value = json!({ "license": id.0, "device_id": machine.device_id.as_str(), "state": state });
    Ok(Done::new(value, format!("The machine is {state}.")))
}
