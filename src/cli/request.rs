//! `request`: a request file, as an app makes it. Needs no server and no data.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    Place, answer, files,
    license::Which,
    open::now,
    outcome::{CliError, Done, say},
    parse,
};
use crate::{
    licensing::{
        ActivationKey, DeviceId, DeviceName, LicenseId, ProductCode,
        files::{Act, Content, Context, Grounds, KeyPair, KeyProof, Request, RequestDevice, Signer as _, base64, inspect},
    },
    store::Standing,
    vault::random_bytes,
};

#[derive(Args)]
pub(super) struct Options {
    #[arg(long, value_name = "CODE", value_parser = parse::code)]
    product: ProductCode,
    /// The activation key
    #[arg(long, value_name = "KEY", required_unless_present = "license")]
    key: Option<String>,
    #[arg(long, value_name = "ID", value_parser = parse::device)]
    device_id: DeviceId,
    #[arg(long, value_name = "ACT", value_parser = act, default_value = "activate")]
    act: Act,
    #[arg(long, value_name = "N", value_parser = name)]
    device_name: Option<DeviceName>,
    /// The device's own key, made if the file is not there
    #[arg(long, value_name = "FILE", default_value = "device.key")]
    device_key: PathBuf,
    /// What the app calls itself, such as "Press Designer 4.2"
    #[arg(long, value_name = "TEXT")]
    app: Option<String>,
    /// To refresh or release: the license file, or the license id inside it
    #[arg(long, value_name = "FILE_OR_ID")]
    license: Option<String>,
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn act(text: &str) -> Result<Act, String> {
    let all = [Act::Activate, Act::Refresh, Act::Release];
    all.into_iter().find(|act| act.as_str() == text).ok_or_else(|| "this is activate, refresh or release".to_owned())
}

fn name(text: &str) -> Result<DeviceName, String> {
    DeviceName::parse(text).map_err(|error| format!("a name has 1 to 128 characters: {error}"))
}

pub(super) async fn run(place: &Place, options: Options) -> Result<Done, CliError> {
    let typed = options.key.as_deref().map(parse::key).transpose()?;
    let id = uuid::Builder::from_random_bytes(random_bytes()).into_uuid().to_string();
    let pair = device_key(&options.device_key)?;
    let grounds = match (options.act, typed) {
        (Act::Activate, Some(key)) => proof(key, pair.kid(), &id, &options.product),
        (Act::Activate, None) => return Err(CliError::usage("To activate, name the activation key with --key KEY.")),
        (Act::Refresh | Act::Release, key) => Grounds::License(license(place, &options, key).await?),
    };
    let device = RequestDevice { name: options.device_name, app: options.app, ..RequestDevice::new(options.device_id) };
    let request = Request {
        act: options.act,
        product: options.product,
        id: id.clone(),
        made_at: now(),
        grounds,
        device,
        usage: None,
        variables: Default::default(),
    };
    let text = request.sign(&pair).map_err(|problem| CliError::refused(problem.code(), problem.to_string()))?;
    let mut value = json!({ "id": id, "act": options.act.as_str(), "device_key": pair.kid() });
    match options.output {
        Some(file) => {
            fs::write(&file, &text).map_err(|error| CliError::io("written", &file, &error))?;
            value["file"] = file.to_string_lossy().into();
            Ok(Done::new(value, format!("The request is {}.", file.display())))
        }
        None => {
            value["request"] = text.clone().into();
            Ok(Done::new(value, text))
        }
    }
}

/// A key made here is proved and not shown; a foreign one has many spellings and must be told.
fn proof(key: ActivationKey, jkt: &str, id: &str, product: &ProductCode) -> Grounds {
    if key.is_own() { Grounds::KeyProof(KeyProof::new(&key, jkt, id, product)) } else { Grounds::Key(key) }
}

/// What a refresh or a release answers for: told by the license file, or looked up where the data is at hand.
async fn license(place: &Place, options: &Options, key: Option<ActivationKey>) -> Result<LicenseId, CliError> {
    if let Some(named) = &options.license {
        if let Ok(id) = named.parse() {
            return Ok(LicenseId(id));
        }
        let path = Path::new(named);
        let report = inspect(&answer::read(path)?, &Context::default());
        let Content::License(file) = &report.content else {
            return Err(CliError::refused("wrong_kind", format!("{} is no license file.", path.display())));
        };
        return file.license.parse().map(LicenseId).map_err(|_| CliError::refused("wrong_kind", "The file names no license."));
    }
    let there = key.is_some() && place.look().await.is_ok_and(|standing| standing != Standing::Empty);
    let Some(key) = key.filter(|_| there) else {
        return Err(CliError::usage("To refresh or release, name the license file with --license FILE."));
    };
    let which = Which { key: key.text(), product: Some(options.product.clone()) };
    super::license::find(&place.open_as_it_is().await?, &which).await
}

/// PKCS#8 of an Ed25519 key (RFC 8410), up to its 32 secret bytes.
const PKCS8: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

fn device_key(path: &Path) -> Result<KeyPair, CliError> {
    match fs::read(path).map(Zeroizing::new) {
        Ok(bytes) => seed(&bytes).map(|seed| KeyPair::from_seed(&seed)).ok_or_else(|| {
            let what = "holds no Ed25519 key (PKCS#8, or 32 bytes in base64)";
            CliError::refused("bad_device_key", format!("{} {what}.", path.display()))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let seed = Zeroizing::new(random_bytes::<32>());
            let line = Zeroizing::new(format!("{}\n", base64::standard(seed.as_slice())));
            files::write_new(path, line.as_bytes(), true).map_err(|error| CliError::io("written", path, &error))?;
            say(&format!("The device key {} was made: keep it, requests of this machine are signed with it.", path.display()));
            Ok(KeyPair::from_seed(&seed))
        }
        Err(error) => Err(CliError::io("read", path, &error)),
    }
}

fn seed(bytes: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let der = |der: &[u8]| der.strip_prefix(&PKCS8).and_then(|seed| seed.try_into().ok()).map(Zeroizing::new);
    if let Some(seed) = der(bytes) {
        return Some(seed);
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let plain: Zeroizing<String> =
        Zeroizing::new(text.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect());
    let decoded = Zeroizing::new(base64::from_standard(&plain).or_else(|_| base64::from_url(&plain)).ok()?);
    if let Some(seed) = der(&decoded) {
        return Some(seed);
    }
    decoded.as_slice().try_into().ok().map(Zeroizing::new)
}
