//! `keys`: what files are signed with. Only public halves are shown.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Place, answer,
    outcome::{CliError, Done, not_found, table},
    parse,
};
use crate::{
    desk::{Desk, Visitor},
    licensing::{
        ProductCode, Timestamp,
        seal::{Seal, SealFor, SealProduct, SealUse},
    },
    vault::public,
};

#[derive(Args)]
pub(super) struct Ring {
    /// license (our own files) or licensespring (replies and files for its clients)
    #[arg(long = "use", value_name = "USE", value_parser = purpose, default_value = "license")]
    purpose: SealUse,
    /// The product whose files are signed
    #[arg(long, value_name = "CODE", value_parser = parse::code)]
    product: Option<ProductCode>,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Every key and where it is in its life
    List,
    /// Let the standby key sign and publish a new one behind it; without --product for every product
    Rotate {
        #[command(flatten)]
        ring: Ring,
        /// Although the standby key was published less than a day ago
        #[arg(long)]
        now: bool,
    },
    /// Take a private key made elsewhere (PKCS#8, from stdin) as the next one
    Import {
        #[command(flatten)]
        ring: Ring,
        /// Read the key from a file instead
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// The public halves, for building them into apps
    Export {
        #[command(flatten)]
        ring: Ring,
        #[arg(long, value_name = "FORMAT", value_parser = ["jwks", "pem", "raw"], default_value = "jwks")]
        format: String,
    },
}

fn purpose(text: &str) -> Result<SealUse, String> {
    SealUse::parse(text).ok_or_else(|| "a key's use is license or licensespring".to_owned())
}

const STAFF: Visitor = Visitor::Operator;

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        Command::List => list(&desk).await,
        Command::Rotate { ring, now } => {
            let rings = rings(&desk, &ring).await?;
            let mut rotated = Vec::new();
            for ring in rings {
                desk.rotate(&STAFF, ring.clone(), now).await?;
                rotated.push(ring);
            }
            let seals = desk.seals().await?;
            let value = rotated.into_iter().map(|ring| {
                let purpose = ring.purpose();
                let product = ring.product();
                let id = product.as_ref().map(|product| product.id);
                let of = |state: &str| {
                    let found = seals
                        .iter()
                        .find(|seal| seal.purpose == purpose && seal.product_id() == id && seal.state.text() == state);
                    found.map(|seal| seal.kid.clone())
                };
                json!({
                    "use": purpose.text(),
                    "product": product.as_ref().map(|product| product.code.to_string()),
                    "active": of("active"),
                    "standby": of("standby"),
                })
            });
            let value: Vec<Value> = value.collect();
            let text =
                format!("Rotated {}. Files signed before stay good.", if value.len() == 1 { "one key" } else { "the keys" });
            Ok(Done::new(value.into(), text))
        }
        Command::Import { ring, file } => {
            let what = match rings(&desk, &ring).await?.as_slice() {
                [one] => one.clone(),
                _ => return Err(CliError::usage("Name the product the key is for with --product CODE.")),
            };
            let bytes = match file {
                Some(file) => answer::read(&file)?,
                None => parse::all_of_stdin(64 * 1024)?,
            };
            let kid = desk.import_key(&STAFF, what, &bytes).await?;
            let text =
                format!("Key {kid} is published and on standby. `keys rotate` lets it sign, a day from now or with --now.");
            Ok(Done::new(json!({ "kid": kid, "state": "standby" }), text))
        }
        Command::Export { ring, format } => export(&desk, &ring, &format).await,
    }
}

/// The rings meant: one product's, every product's, or LicenseSpring's one.
async fn rings(desk: &Desk, ring: &Ring) -> Result<Vec<SealFor>, CliError> {
    let of = |product: crate::licensing::product::Product| SealFor::License(SealProduct { id: product.id, code: product.code });
    match (ring.purpose, &ring.product) {
        (SealUse::LicenseSpring, None) => Ok(vec![SealFor::LicenseSpring]),
        (SealUse::LicenseSpring, Some(_)) => {
            Err(CliError::usage("LicenseSpring's key serves every product: leave --product out."))
        }
        (SealUse::License, Some(code)) => {
            let view = desk.product(code).await.map_err(not_found("There is no product with this code."))?;
            Ok(vec![of(view.product)])
        }
        (SealUse::License, None) => Ok(desk.products().await?.into_iter().map(of).collect()),
    }
}

async fn list(desk: &Desk) -> Result<Done, CliError> {
    let rows = desk.seal_rows(&STAFF).await?;
    let value = rows.iter().map(|row| {
        json!({
            "kid": row.kid,
            "use": row.purpose.text(),
            "product": row.product_code,
            "state": row.state,
            "since": row.since.to_rfc3339(),
            "until": row.until.map(Timestamp::to_rfc3339),
            "created": row.created.to_rfc3339(),
        })
    });
    let value = value.collect();
    let cells: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let until = row.until.map(|until| until.date().to_string()).unwrap_or_default();
            vec![
                row.kid,
                row.purpose.text().to_owned(),
                row.product_code.unwrap_or_default(),
                row.state.to_owned(),
                row.since.date().to_string(),
                until,
            ]
        })
        .collect();
    Ok(Done::new(value, table(&["key", "use", "product", "state", "since", "until"], &cells)))
}

async fn export(desk: &Desk, ring: &Ring, format: &str) -> Result<Done, CliError> {
    let wanted = rings(desk, ring).await?;
    let now = desk.now();
    let mut seals = desk.seals().await?;
    seals.retain(|seal| {
        let of = |what: &SealFor| {
            what.purpose() == seal.purpose && what.clone().product().map(|product| product.id) == seal.product_id()
        };
        seal.is_published(now) && wanted.iter().any(of)
    });
    if format == "jwks" {
        let value = public::jwks(&seals, now);
        return Ok(Done::new(value.clone(), format!("{value:#}")));
    }
    let print: fn(&Seal) -> String = if format == "pem" { public::pem } else { public::raw };
    let value = seals.iter().map(|seal| json!({ "kid": seal.kid, "state": seal.state.text(), format: print(seal) }));
    let value = value.collect();
    let texts: Vec<String> = seals.iter().map(print).collect();
    Ok(Done::new(value, texts.join("\n")))
}
