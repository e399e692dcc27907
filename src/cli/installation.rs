//! `installation`: what apps are told of the files that install a version.

use clap::Subcommand;
use serde_json::json;

use super::{
    Place,
    outcome::{CliError, Done, not_found, table},
    parse,
    product::{self, NO_PRODUCT},
};
use crate::{
    desk::{ActError, ReleaseFor, Visitor},
    licensing::{
        ProductCode,
        product::{Installation, VersionNumber},
    },
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Tell apps where a version's file is
    Add {
        #[arg(value_parser = parse::code)]
        product: ProductCode,
        #[arg(value_name = "X.Y", value_parser = product::version)]
        version: VersionNumber,
        /// Where it is downloaded
        #[arg(long, value_name = "URL")]
        url: String,
        /// The system it is for, as apps name it; each when not given
        #[arg(long, value_name = "E", default_value = "")]
        env: String,
        /// stable when not given
        #[arg(long, value_name = "C", default_value = "")]
        channel: String,
        /// Its MD5 (what LicenseSpring's clients compare) or SHA-256, in hexadecimal digits
        #[arg(long, value_name = "H", default_value = "")]
        hash: String,
        #[arg(long, value_name = "BYTES")]
        size: Option<u64>,
        /// The oldest version it updates
        #[arg(long, value_name = "X.Y", value_parser = product::version)]
        requires: Option<VersionNumber>,
        /// The license agreement's address
        #[arg(long, value_name = "URL", default_value = "")]
        eula: String,
        /// The address of the release notes
        #[arg(long, value_name = "URL", default_value = "")]
        notes: String,
        /// Put it in the place of the file that is told now
        #[arg(long)]
        replace: bool,
    },
    /// The files of a product, newest version first
    List {
        #[arg(value_parser = parse::code)]
        product: ProductCode,
    },
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        Command::Add { product, version, url, env, channel, hash, size, requires, eula, notes, replace } => {
            let file = Installation { url, hash: hash.to_lowercase(), size, requires, eula, notes };
            let at = ReleaseFor { channel, env };
            let id = match desk.add_installation(&Visitor::Operator, &product, version, &at, file, replace).await {
                Err(ActError::Taken(_)) => {
                    let told =
                        "This version has a file for this environment and channel. `--replace` puts the new one in its place.";
                    return Err(CliError::refused("taken", told));
                }
                other => other.map_err(not_found(NO_PRODUCT))?,
            };
            let value = json!({ "id": id, "product": product.as_str(), "version": version.to_string() });
            Ok(Done::new(value, format!("Apps are told where version {version} of {product} is.")))
        }
        Command::List { product } => {
            let view = desk.product(&product).await.map_err(not_found(NO_PRODUCT))?;
            let files = || view.releases.iter().filter(|release| !release.file.url.is_empty());
            let value = files().map(|release| {
                let file = &release.file;
                json!({
                    "id": release.id, "version": release.version.number().to_string(), "channel": release.channel,
                    "env": release.env, "url": file.url, "hash": file.hash, "size": file.size,
                    "requires": file.requires.map(|number| number.to_string()), "eula": file.eula, "notes": file.notes,
                })
            });
            let value = value.collect();
            let rows: Vec<_> = files()
                .map(|release| {
                    let number = release.version.number().to_string();
                    vec![number, release.channel.clone(), release.env.clone(), release.file.url.clone()]
                })
                .collect();
            Ok(Done::new(value, table(&["version", "channel", "environment", "address"], &rows)))
        }
    }
}
