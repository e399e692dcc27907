//! `airgap-policy` and `airgap`: machines that nothing but codes reaches.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Place, files,
    outcome::{CliError, Done, facts, not_found},
    parse,
    product::{NO_PRODUCT, NewPolicy, add_policy, list_policies},
};
use crate::{
    desk::{AirGapCodes, Visitor},
    licensing::{
        DeviceId, DeviceName, ProductCode,
        activation::Device,
        airgap::{CodePurpose, ShownCode},
        words::sentence,
    },
};

#[derive(Subcommand)]
pub(super) enum PolicyCommand {
    /// Add a template for air-gapped licenses; it never changes, and neither do they
    Add(Box<NewPolicy>),
    /// The air-gapped templates of a product
    List {
        #[arg(value_parser = parse::code)]
        product: ProductCode,
    },
    /// Write a policy's file, which the app is shipped with
    File {
        #[arg(value_parser = parse::code)]
        product: ProductCode,
        code: String,
        /// Where to write it; without it the file's text is printed
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(super) struct Key {
    /// The activation key, as it is typed into the app
    key: String,
    /// The product, where several have this key
    #[arg(long, value_name = "CODE", value_parser = parse::code)]
    product: Option<ProductCode>,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Give out an initialization code, to activate a machine or to release one
    Begin {
        #[command(flatten)]
        key: Key,
        /// The machine to release, by its computer id
        #[arg(long, value_name = "DEVICE_ID", value_parser = parse::device)]
        release: Option<DeviceId>,
    },
    /// Take the code the app shows, and print the one it asks for
    Confirm {
        #[command(flatten)]
        key: Key,
        /// The computer id the app shows
        #[arg(value_parser = parse::device)]
        device_id: DeviceId,
        /// The code the app shows
        code: String,
        /// It is a code to release the machine
        #[arg(long)]
        release: bool,
        #[arg(long, value_name = "NAME")]
        device_name: Option<String>,
    },
}

const STAFF: Visitor = Visitor::Operator;

pub(super) async fn run_policy(place: &Place, command: PolicyCommand) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        PolicyCommand::Add(new) => {
            let (value, code) = add_policy(&desk, *new, true).await?;
            let product = value["product"].as_str().unwrap_or_default();
            let text =
                format!("Issue from it with --policy {code}. `airgap-policy file {product} {code}` makes its file for the app.");
            Ok(Done::new(value, text))
        }
        PolicyCommand::List { product } => {
            let view = desk.product(&product).await.map_err(not_found(NO_PRODUCT))?;
            Ok(list_policies(view.policies.iter().filter(|policy| policy.terms.air_gapped)))
        }
        PolicyCommand::File { product, code, output } => {
            let none = not_found("There is no such policy. `airgap-policy list` shows a product's.");
            let text = desk.policy_file(&STAFF, &product, &code).await.map_err(none)?;
            let Some(path) = output else {
                return Ok(Done::new(json!({ "product": product.as_str(), "code": code, "content": text }), text));
            };
            files::write_new(&path, text.as_bytes(), false).map_err(|error| CliError::io("written", &path, &error))?;
            let value = json!({ "product": product.as_str(), "code": code, "file": path.to_string_lossy() });
            Ok(Done::new(value, format!("Wrote {}. Ship it with the app.", path.display())))
        }
    }
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        Command::Begin { key: Key { key, product }, release } => {
            let key = parse::key(&key)?;
            let none = not_found("There is no license with this key.");
            let made = desk.give_out_code(Some(&STAFF), &key, product.as_ref(), release.as_ref(), "cli").await.map_err(none)?;
            let expires = made.expires.to_rfc3339();
            let value = json!({
                "license_key": made.key, "initialization_code": made.initialization_code.as_str(), "policy_id": made.policy.0,
                "product": made.product.code.as_str(), "expires": expires,
            });
            let text = facts(&[
                ("License key", made.key.clone()),
                ("Initialization code", made.initialization_code.as_str().to_owned()),
                ("Policy", made.policy.to_string()),
                ("Good until", expires),
            ]);
            Ok(Done::new(value, format!("{text}\nType key and code into the app; `airgap confirm` takes the code it shows.")))
        }
        Command::Confirm { key: Key { key: typed, product }, device_id, code, release, device_name } => {
            let name = device_name.map(|name| DeviceName::parse(&name)).transpose();
            let name = name.map_err(|error| CliError::usage(format!("A machine's name has 1 to 128 characters: {error}.")))?;
            let shown = ShownCode::parse(&code).map_err(|error| CliError::refused("not_a_code", sentence(&error)))?;
            let codes = AirGapCodes {
                key: parse::key(&typed)?,
                key_as_typed: Some(typed),
                product,
                device: Device { name, ..Device::bare(device_id) },
                purpose: if release { CodePurpose::Deactivation } else { CodePurpose::Activation },
                shown,
                door: "cli",
            };
            let done = desk.confirm_code(codes).await.map_err(not_found("There is no license with this key."))?;
            let value = json!({
                "confirmation_code": done.confirmation_code, "policy_id": done.policy.0, "license_key": done.key,
                "device_id": done.device_id, "product": done.product.code.as_str(),
            });
            let what = if release { "released" } else { "activated" };
            let text = facts(&[("Confirmation code", done.confirmation_code), ("Policy", done.policy.to_string())]);
            Ok(Done::new(value, format!("The machine is {what}. Type this into the app:\n{text}")))
        }
    }
}
