//! `property`: what products of shops are here, and what calls may name by `is_args`.

use clap::Subcommand;
use serde_json::json;

use super::{
    Place,
    outcome::{CliError, Done, not_found, table},
};
use crate::desk::{PropertyEdit, Visitor};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Say what a product of a shop is here: the arguments of its license
    Set {
        /// Its name at the shop, such as shopify_4711 or a SKU
        name: String,
        /// Such as is_productid=1&is_majorversion=1&is_minorversion=0
        value: String,
        /// Calls may name it as well (is_args)
        #[arg(long)]
        for_calls: bool,
    },
    /// The properties
    List,
    /// Forget one: orders of the product wait until there is one again
    Remove { name: String },
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        Command::Set { name, value, for_calls } => {
            let edit = PropertyEdit { name: name.clone(), value: value.clone(), for_calls };
            desk.put_property(&Visitor::Operator, edit).await?;
            let text = format!("{name} is {value}");
            Ok(Done::new(json!({ "name": name, "value": value, "for_calls": for_calls }), text))
        }
        Command::List => {
            let all = desk.properties(&Visitor::Operator).await?;
            let value = all.iter().map(|one| json!({ "name": one.name, "value": one.value, "for_calls": one.for_calls }));
            let value = value.collect();
            let said = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
            let rows: Vec<_> = all.into_iter().map(|one| vec![one.name, said(one.for_calls), one.value]).collect();
            Ok(Done::new(value, table(&["name", "calls", "what it is"], &rows)))
        }
        Command::Remove { name } => {
            let none = not_found("There is no property with this name. `property list` shows them.");
            desk.remove_property(&Visitor::Operator, &name).await.map_err(none)?;
            Ok(Done::new(json!({ "name": name }), format!("{name} is removed.")))
        }
    }
}
