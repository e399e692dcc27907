//! `bundle`: products sold as one, under one key.

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
    /// Add a bundle of products
    Add {
        #[arg(value_parser = parse::code)]
        code: ProductCode,
        #[arg(long)]
        name: String,
        /// A product of it; apps take the first for the main one
        #[arg(long = "product", value_name = "CODE", value_parser = parse::code, required = true)]
        products: Vec<ProductCode>,
    },
    /// The bundles, with their products
    List,
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        Command::Add { code, name, products } => {
            let id = desk.add_bundle(&Visitor::Operator, &code, &name, &products).await?;
            let text = format!("Added. `license issue --product {code}` issues a license of each product under one key.");
            Ok(Done::new(json!({ "id": id, "code": code.as_str() }), text))
        }
        Command::List => {
            let all = desk.bundles(&Visitor::Operator).await?;
            let codes = |products: &[crate::licensing::product::Product]| -> Vec<String> {
                products.iter().map(|product| product.code.to_string()).collect()
            };
            let value = all.iter().map(|view| {
                json!({
                    "id": view.bundle.id, "code": view.bundle.code.as_str(), "name": view.bundle.name,
                    "products": codes(&view.products), "created": view.bundle.created.to_rfc3339(),
                })
            });
            let value = value.collect();
            let rows: Vec<_> = all
                .iter()
                .map(|view| vec![view.bundle.code.to_string(), view.bundle.name.clone(), codes(&view.products).join(" ")])
                .collect();
            Ok(Done::new(value, table(&["code", "name", "products"], &rows)))
        }
    }
}
