//! `verify`: what a file says and whether it is genuine.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{
    Place, answer, fetch,
    open::now,
    outcome::{CliError, Done, say, shown},
    parse,
};
use crate::{
    desk::{Given, GivenKeys, inspect_alone},
    licensing::{
        DeviceId, ProductCode,
        files::check::{Report, Verdict},
    },
    store::Standing,
};

#[derive(Args)]
pub(super) struct Options {
    /// A request, a license or a receipt, in any dialect
    file: PathBuf,
    /// The vendor's published keys: a file, or the address they are at. Without it those of the data folder, if there is one
    #[arg(long, value_name = "FILE_OR_URL")]
    jwks: Option<String>,
    /// It must be for this product
    #[arg(long, value_name = "CODE", value_parser = parse::code)]
    product: Option<ProductCode>,
    /// It must be for this machine
    #[arg(long, value_name = "ID", value_parser = parse::device)]
    device_id: Option<DeviceId>,
}

pub(super) async fn run(place: &Place, options: Options) -> Result<Done, CliError> {
    let bytes = answer::read(&options.file)?;
    let keys = match &options.jwks {
        Some(from) => {
            let text = jwks(from)?;
            let keys = GivenKeys::from_jwks(&text);
            Some(keys.map_err(|problem| CliError::refused("bad_jwks", format!("{from} is no key set: {problem}")))?)
        }
        None => None,
    };
    let shared_key = std::env::var("COUNTERSIGN_SHARED_KEY").ok().filter(|text| !text.is_empty()).map(String::into_bytes);
    let given = Given { product: options.product, device: options.device_id, keys, shared_key };
    let opened = match place.look().await {
        Ok(Standing::Empty) => None,
        Ok(_) => Some(place.open_as_it_is().await),
        Err(error) => Some(Err(error)),
    };
    let report = match opened {
        Some(Ok(desk)) => desk.inspect_with(&bytes, given).await?,
        Some(Err(error)) => {
            say(&format!("The data folder was not used: {}", error.text()));
            inspect_alone(&bytes, &given, now())
        }
        None => inspect_alone(&bytes, &given, now()),
    };
    let mut value = serde_json::to_value(&report).map_err(|error| CliError::fault(&error))?;
    let text = for_people(&report, &value["content"]);
    Ok(match report.error() {
        Some(check) => {
            value["error"] = json!({ "code": check.code, "message": check.message });
            Done::new(value, text).refused()
        }
        None => Done::new(value, text),
    })
}

fn jwks(from: &str) -> Result<String, CliError> {
    if from.starts_with("https://") || from.starts_with("http://") {
        return fetch::text(from);
    }
    let path = PathBuf::from(from);
    std::fs::read_to_string(&path).map_err(|error| CliError::io("read", &path, &error))
}

fn for_people(report: &Report, content: &Value) -> String {
    let mut text = String::new();
    for check in &report.checks {
        let sign = match check.verdict {
            Verdict::Pass => "ok   ",
            Verdict::Note => "note ",
            Verdict::Warn => "warn ",
            Verdict::Fail => "FAIL ",
        };
        text.push_str(&format!("{sign} {}\n", shown(&check.message)));
    }
    text.push_str(match report.genuine {
        Some(true) => "It is genuine.\n",
        Some(false) => "It is NOT genuine.\n",
        None => "Whether it is genuine could not be checked here.\n",
    });
    for (name, value) in content.as_object().into_iter().flatten() {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        text.push_str(&format!("  {}: {}\n", name.replace('_', " "), shown(&value)));
    }
    text
}
