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
    desk::{ActError, Desk, Turned, Visitor},
    licensing::{
        ProductCode, Timestamp,
        seal::{Seal, SealFor, SealProduct, SealUse},
    },
    vault::public,
};

#[derive(Args)]
pub(super) struct Ring {
    /// license (our own files), licensespring (replies and files for its clients) or airgap (its codes for air-gapped machines)
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
    /// Mark a key as known to others: it is believed no more, and the next one signs; lists whose files must be made again
    Compromise { key: String },
    /// The machines whose newest file a key signed
    Machines { key: String },
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
        #[arg(long, value_name = "FORMAT", value_parser = ["jwks", "pem", "raw", "xml"], default_value = "jwks")]
        format: String,
    },
}

fn purpose(text: &str) -> Result<SealUse, String> {
    SealUse::parse(text).ok_or_else(|| "a key's use is license, licensespring, airgap or qlm".to_owned())
}

const STAFF: Visitor = Visitor::Operator;

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        Command::List => list(&desk).await,
        Command::Rotate { ring, now } => {
            let rings = rings(&desk, &ring).await?;
            let mut rotated = Vec::new();
            let mut failed = None;
            for ring in rings {
                match desk.rotate(&STAFF, ring.clone(), now).await {
                    Ok(turned) => rotated.push((ring, turned)),
                    // The others are still to be turned; the first refusal is the answer, beside what was done.
                    Err(error) => failed = failed.or(Some((ring, not_rotated(error)))),
                }
            }
            if rotated.is_empty()
                && let Some((_, error)) = failed
            {
                return Err(error);
            }
            let seals = desk.seals().await?;
            let published = rotated.iter().all(|(_, turned)| *turned == Turned::Published);
            let value = rotated.into_iter().map(|(ring, turned)| {
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
                    "rotated": turned == Turned::Rotated,
                })
            });
            let value: Vec<Value> = value.collect();
            let text = match value.len() {
                _ if published => {
                    "A new key was published. It can sign a day from now, when apps have had time to learn it.".to_owned()
                }
                1 => "Rotated one key. Files signed before stay good.".to_owned(),
                several => format!("Rotated the keys of {several} products. Files signed before stay good."),
            };
            let Some((ring, error)) = failed else { return Ok(Done::new(value.into(), text)) };
            let code = ring.product().map(|product| product.code.to_string()).unwrap_or_default();
            let mut value = json!({ "rotated": value });
            value["error"] = error.value();
            Ok(Done::new(value, format!("{text}\nNot rotated: {code}. {}", error.text())).refused())
        }
        Command::Compromise { key } => {
            let kid = kid(&desk, &key).await?;
            desk.compromise(&STAFF, &kid).await?;
            machines(&desk, &kid, "The key is believed no more.").await
        }
        Command::Machines { key } => machines(&desk, &kid(&desk, &key).await?, "").await,
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

/// A rotation that is refused has a code of its own, which scripts wait for.
fn not_rotated(error: ActError) -> CliError {
    match error.into() {
        CliError::Refused { code, message, reference } if code == "keys_not_changed" => {
            CliError::Refused { code: "not_rotated".to_owned(), message, reference }
        }
        other => other,
    }
}

/// A key by its id, or by the beginning of it where only one begins so.
async fn kid(desk: &Desk, text: &str) -> Result<String, CliError> {
    let seals = desk.seals().await?;
    let mut found = seals.iter().filter(|seal| text.len() >= 6 && seal.kid.starts_with(text));
    match (found.next(), found.next()) {
        (Some(seal), None) => Ok(seal.kid.clone()),
        (Some(_), Some(_)) => Err(CliError::usage("Several keys begin with this. Type more of it.")),
        (None, _) => Err(CliError::refused("not_found", "There is no key with this id. `keys list` shows them.")),
    }
}

async fn machines(desk: &Desk, kid: &str, done: &str) -> Result<Done, CliError> {
    let (seal, found) = desk.machines_to_refresh(&STAFF, kid).await?;
    let value = found.iter().map(|found| {
        json!({
            "license": found.activation.license.0,
            "key": found.license_key,
            "device_id": found.activation.device.id.as_str(),
            "name": found.activation.device.name.as_ref().map(|name| name.as_str()),
            "how": found.activation.how.as_str(),
        })
    });
    let value = json!({ "kid": seal.kid, "state": seal.state, "machines": value.collect::<Value>() });
    let rows: Vec<_> = found
        .iter()
        .map(|found| {
            let device = &found.activation.device;
            vec![
                found.license_key.clone().unwrap_or_else(|| found.activation.license.0.to_string()),
                device.id.to_string(),
                device.name.as_ref().map(ToString::to_string).unwrap_or_default(),
            ]
        })
        .collect();
    let text = if rows.is_empty() {
        "No machine has a file this key signed.".to_owned()
    } else {
        let mend = "Each needs a new file: `license refresh-file KEY DEVICE_ID`, or a refresh request from the app.";
        format!(
            "{}\n{} machines have a file this key signed. {mend}",
            table(&["license", "computer id", "name"], &rows),
            rows.len()
        )
    };
    Ok(Done::new(value, if done.is_empty() { text } else { format!("{done} {text}") }))
}

/// The rings meant: one product's, every product's, or the one of a use that all products share.
async fn rings(desk: &Desk, ring: &Ring) -> Result<Vec<SealFor>, CliError> {
    let make: fn(SealProduct) -> SealFor = if ring.purpose == SealUse::Qlm { SealFor::Qlm } else { SealFor::License };
    let of = |product: crate::licensing::product::Product| make(SealProduct { id: product.id, code: product.code });
    match (ring.purpose, &ring.product) {
        (SealUse::LicenseSpring | SealUse::AirGap, Some(_)) => {
            Err(CliError::usage("Its key serves every product: leave --product out."))
        }
        (SealUse::LicenseSpring, None) => Ok(vec![SealFor::LicenseSpring]),
        (SealUse::AirGap, None) => Ok(vec![SealFor::AirGap]),
        (SealUse::License | SealUse::Qlm, Some(code)) => {
            let view = desk.product(code).await.map_err(not_found("There is no product with this code."))?;
            let ring = of(view.product);
            desk.ready_ring(&ring).await?;
            Ok(vec![ring])
        }
        // Only products that have signed for such clients have such a key.
        (SealUse::Qlm, None) => {
            let seals = desk.seals().await?.into_iter().filter(|seal| seal.purpose == SealUse::Qlm);
            let mut rings: Vec<SealFor> = seals.filter_map(|seal| SealFor::of(seal.purpose, seal.product)).collect();
            rings.dedup();
            Ok(rings)
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
    let print: fn(&Seal) -> String = match format {
        "pem" => public::pem,
        "xml" => |seal| public::xml(seal).unwrap_or_default(),
        _ => public::raw,
    };
    let value = seals.iter().map(|seal| json!({ "kid": seal.kid, "state": seal.state.text(), format: print(seal) }));
    let value = value.collect();
    let texts: Vec<String> = seals.iter().map(print).collect();
    Ok(Done::new(value, texts.join("\n")))
}
