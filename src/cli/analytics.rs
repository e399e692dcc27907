//! `analytics`: installs that apps told of.

use clap::Subcommand;
use serde_json::json;

use super::{
    Place,
    outcome::{CliError, Done, table},
};
use crate::{desk::Visitor, store::SeenInstall};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Installs, newest first
    List,
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let Command::List = command;
    let all = place.open().await?.installs(&Visitor::Operator).await?;
    let value = all.iter().map(|one| {
        json!({
            "id": one.install.token, "product": one.install.product_name, "version": one.install.version,
            "computer_id": one.install.computer_id, "computer_name": one.install.computer_name, "os": one.install.os,
            "trial": one.install.trial, "key_ends": one.install.key_ends, "custom": one.install.custom,
            "installed": one.installed.date().to_string(), "last_used": one.last.date().to_string(),
            "removed": one.removed.map(|at| at.date().to_string()),
        })
    });
    let value = value.collect();
    let row = |one: SeenInstall| {
        let removed = one.removed.map(|at| at.date().to_string()).unwrap_or_default();
        let install = one.install;
        vec![
            install.product_name,
            install.version,
            install.computer_id,
            one.installed.date().to_string(),
            one.last.date().to_string(),
            removed,
        ]
    };
    let rows: Vec<_> = all.into_iter().map(row).collect();
    Ok(Done::new(value, table(&["product", "version", "computer", "installed", "used", "removed"], &rows)))
}
