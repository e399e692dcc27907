//! `product`, `version`, `feature`, `policy`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Place,
    open::now,
    outcome::{CliError, Done, facts, not_found, table},
    parse,
    terms::TermOptions,
};
use crate::{
    desk::{Desk, ProductEdit, ProductView, Visitor},
    licensing::{
        Date, ProductCode, Timestamp,
        license::{LicenseType, Limit, Terms},
        product::{
            Authorization, DeviceDetails, DeviceKeyRule, FeatureKind, Installation, Policy, ProductRules, ProductState, Version,
            VersionNumber,
        },
        qlm::PropertyDefinition,
    },
    store::{NewProduct, NewRelease},
};

/// What can be said of a product when it is added, and changed later.
#[derive(Args, Default)]
pub(super) struct RuleOptions {
    /// Days of a trial; 0 allows none
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=3_650))]
    trial_days: Option<u32>,
    /// Minutes without a sign after which a floating seat is free
    #[arg(long, value_name = "MIN", value_parser = clap::value_parser!(u32).range(1..=525_600))]
    floating_timeout: Option<u32>,
    /// Virtual machines: refuse or allow
    #[arg(long, value_name = "RULE", value_parser = ["refuse", "allow"])]
    vm: Option<String>,
    /// Apps of before 2016, which check SHA-1
    #[arg(long)]
    legacy_clients: bool,
    /// Keys that shops order by QLM's methods have its shape
    #[arg(long, value_name = "true|false")]
    qlm_keys: Option<bool>,
    /// A product property of QLM's kind, like `quality.rows: int = 100 # help`; `app` after the type lets apps set it; may be repeated, and
    /// replaces those there were
    #[arg(long = "property", value_name = "DEFINITION")]
    properties: Vec<String>,
    /// Have no product properties defined: calls may name any
    #[arg(long, conflicts_with = "properties")]
    no_properties: bool,
    /// Whether a machine must show a key of its own: optional or required
    #[arg(long, value_name = "RULE", value_parser = ["optional", "required"])]
    device_key: Option<String>,
    /// How often a year a machine may come with another key of its own
    #[arg(long, value_name = "N")]
    rebinds_per_year: Option<u32>,
    /// How often a year a machine may be released by file
    #[arg(long, value_name = "N")]
    offline_releases_per_year: Option<u32>,
    /// How long a seat is held at least before a file releases it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=8_784))]
    min_hold_hours: Option<u32>,
    /// License files last so many days and are then refreshed; `unlimited`: as long as the license
    #[arg(long, value_name = "N", value_parser = lease)]
    offline_lease_days: Option<Limit>,
    /// What is kept of a machine's own description: id, names or all
    #[arg(long, value_name = "WHAT", value_parser = ["id", "names", "all"])]
    device_details: Option<String>,
    /// A license type LicenseSpring's request files may activate; may be repeated
    #[arg(long = "offline-type", value_name = "TYPE", value_parser = license_type)]
    offline_types: Vec<LicenseType>,
    /// Let LicenseSpring's v1 deactivation files release, although their signature does not cover the request
    #[arg(long, value_name = "BOOL")]
    trust_v1_deactivation: Option<bool>,
    /// Let whoever has an air-gapped license's key release its machines by codes, which prove nothing of the machine
    #[arg(long, value_name = "BOOL")]
    trust_airgap_deactivation: Option<bool>,
    /// A custom field that license files carry; may be repeated
    #[arg(long = "file-field", value_name = "NAME")]
    file_fields: Vec<String>,
}

fn lease(text: &str) -> Result<Limit, String> {
    match parse::limit(text)? {
        Limit::AtMost(0) => Err("a file lasts at least a day".to_owned()),
        limit => Ok(limit),
    }
}

fn license_type(text: &str) -> Result<LicenseType, String> {
    LicenseType::parse(text).ok_or_else(|| "a type is perpetual, time-limited, subscription or consumption".to_owned())
}

impl RuleOptions {
    fn apply(&self, rules: &mut ProductRules) -> Result<(), CliError> {
        rules.trial_days = self.trial_days.unwrap_or(rules.trial_days);
        rules.floating_timeout_minutes = self.floating_timeout.unwrap_or(rules.floating_timeout_minutes);
        if let Some(rule) = &self.vm {
            rules.refuse_virtual_machines = rule == "refuse";
        }
        rules.legacy_clients |= self.legacy_clients;
        rules.qlm_keys = self.qlm_keys.unwrap_or(rules.qlm_keys);
        if self.no_properties || !self.properties.is_empty() {
            rules.properties = PropertyDefinition::parse_all(&self.properties.join("\n"))
                .map_err(|error| CliError::usage(error.to_string().replacen("Line", "Property", 1)))?;
        }
        if let Some(rule) = &self.device_key {
            rules.device_key = if rule == "required" { DeviceKeyRule::Required } else { DeviceKeyRule::Optional };
        }
        rules.rebinds_per_year = self.rebinds_per_year.unwrap_or(rules.rebinds_per_year);
        rules.offline_releases_per_year = self.offline_releases_per_year.unwrap_or(rules.offline_releases_per_year);
        rules.min_hold_hours = self.min_hold_hours.unwrap_or(rules.min_hold_hours);
        if let Some(days) = self.offline_lease_days {
            rules.offline_lease_days = days.most();
        }
        rules.device_details = match self.device_details.as_deref() {
            Some("id") => DeviceDetails::Id,
            Some("names") => DeviceDetails::Names,
            Some(_) => DeviceDetails::All,
            None => rules.device_details,
        };
        if !self.offline_types.is_empty() {
            rules.offline_types.clone_from(&self.offline_types);
        }
        rules.trust_v1_deactivation = self.trust_v1_deactivation.unwrap_or(rules.trust_v1_deactivation);
        rules.trust_airgap_deactivation = self.trust_airgap_deactivation.unwrap_or(rules.trust_airgap_deactivation);
        if !self.file_fields.is_empty() {
            rules.file_fields.clone_from(&self.file_fields);
        }
        Ok(())
    }
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add a product and the signing keys of its files
    Add {
        #[arg(value_parser = parse::code)]
        code: ProductCode,
        #[arg(long, value_name = "NAME")]
        name: String,
        /// The numeric product id of Quick License Manager
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..9_007_199_254_740_992))]
        number: Option<i64>,
        /// What is shown to be granted a license: key, user or both
        #[arg(long, value_name = "WHAT", value_parser = authorization, default_value = "key")]
        auth: Authorization,
        /// The version that is out today
        #[arg(long, value_name = "MAJOR.MINOR", value_parser = version)]
        version: Option<VersionNumber>,
        #[command(flatten)]
        rules: Box<RuleOptions>,
    },
    /// The products
    List,
    /// A product with its versions, features and policies
    Show {
        #[arg(value_parser = parse::code)]
        code: ProductCode,
    },
    /// Change a product; what is not named stays, and the code stays always
    Edit {
        #[arg(value_parser = parse::code)]
        code: ProductCode,
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..9_007_199_254_740_992))]
        number: Option<i64>,
        #[arg(long, value_name = "WHAT", value_parser = authorization)]
        auth: Option<Authorization>,
        /// enabled, disabled (nothing new is granted) or archived
        #[arg(long, value_name = "STATE", value_parser = state)]
        state: Option<ProductState>,
        #[command(flatten)]
        rules: Box<RuleOptions>,
    },
}

fn authorization(text: &str) -> Result<Authorization, String> {
    Authorization::parse(text).ok_or_else(|| "this is key, user or both".to_owned())
}

fn state(text: &str) -> Result<ProductState, String> {
    ProductState::parse(text).ok_or_else(|| "a state is enabled, disabled or archived".to_owned())
}

pub(super) fn version(text: &str) -> Result<VersionNumber, String> {
    text.parse().map_err(|_| "a version is written as MAJOR.MINOR, such as 4.2".to_owned())
}

pub(super) const NO_PRODUCT: &str = "There is no product with this code.";

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let staff = &Visitor::Operator;
    match command {
        Command::Add { code, name, number, auth, version, rules: options } => {
            let desk = place.open_or_make().await?;
            let mut rules = ProductRules::default();
            options.apply(&mut rules)?;
            let new = NewProduct { code: code.clone(), number, name: name.clone(), authorization: auth, rules };
            let id = desk.add_product(staff, new).await?;
            if let Some(number) = version {
                let version = Version { major: number.major, minor: number.minor, released: now().date().midnight() };
                let release = NewRelease { version, channel: String::new(), env: String::new(), file: Installation::default() };
                desk.add_release(staff, &code, release).await?;
            }
            let text = format!("{name} is product {code}; its signing keys are made.");
            Ok(Done::new(json!({ "id": id.0, "code": code.as_str() }), text))
        }
        Command::List => {
            let products = place.open().await?.products().await?;
            let value = products.iter().map(|product| {
                json!({
                    "id": product.id.0,
                    "code": product.code.as_str(),
                    "name": product.name,
                    "number": product.number,
                    "auth": product.authorization.as_str(),
                    "state": product.state.as_str(),
                })
            });
            let value = value.collect();
            let rows: Vec<_> = products
                .into_iter()
                .map(|product| {
                    vec![
                        product.code.to_string(),
                        product.name,
                        product.number.map(|number| number.to_string()).unwrap_or_default(),
                        product.authorization.as_str().to_owned(),
                        product.state.as_str().to_owned(),
                    ]
                })
                .collect();
            Ok(Done::new(value, table(&["code", "name", "number", "by", "state"], &rows)))
        }
        Command::Show { code } => {
            let desk = place.open().await?;
            Ok(show(&desk.product(&code).await.map_err(not_found(NO_PRODUCT))?))
        }
        Command::Edit { code, name, number, auth, state, rules: options } => {
            let desk = place.open().await?;
            let mut rules = desk.product(&code).await.map_err(not_found(NO_PRODUCT))?.product.rules;
            options.apply(&mut rules)?;
            let edit = ProductEdit { name, number: number.map(Some), authorization: auth, state, rules: Some(rules) };
            desk.edit_product(staff, &code, edit).await?;
            Ok(show(&desk.product(&code).await?))
        }
    }
}

fn show(view: &ProductView) -> Done {
    let product = &view.product;
    let rules = &product.rules;
    let versions = view.releases.iter().map(|release| {
        json!({
            "version": format!("{}.{}", release.version.major, release.version.minor),
            "released": release.version.released.date().to_string(),
            "channel": release.channel,
            "env": release.env,
            "url": release.file.url,
            "hash": release.file.hash,
        })
    });
    let features =
        view.features.iter().map(|feature| json!({ "code": feature.code, "name": feature.name, "type": feature.kind.as_str() }));
    let policies = view.policies.iter().map(|policy| json!({ "code": policy.code, "name": policy.name }));
    let mut value = json!({
        "id": product.id.0,
        "code": product.code.as_str(),
        "name": product.name,
        "number": product.number,
        "auth": product.authorization.as_str(),
        "state": product.state.as_str(),
        "vm": if rules.refuse_virtual_machines { "refuse" } else { "allow" },
    });
    if let (Some(members), Ok(Value::Object(rules))) = (value.as_object_mut(), serde_json::to_value(rules)) {
        members.extend(rules.into_iter().filter(|(name, _)| name != "refuse_virtual_machines"));
        members.insert("versions".to_owned(), versions.collect());
        members.insert("features".to_owned(), features.collect());
        members.insert("policies".to_owned(), policies.collect());
        members.insert("created".to_owned(), product.created.to_rfc3339().into());
    }
    let named = |names: Vec<String>| names.join(", ");
    let text = facts(&[
        ("Product", format!("{} ({})", product.name, product.code)),
        ("State", product.state.as_str().to_owned()),
        ("Number", product.number.map(|number| number.to_string()).unwrap_or_default()),
        ("Granted by", product.authorization.as_str().to_owned()),
        ("Trial", if rules.trial_days == 0 { "none".to_owned() } else { format!("{} days", rules.trial_days) }),
        (
            "Versions",
            named(view.releases.iter().map(|release| format!("{}.{}", release.version.major, release.version.minor)).collect()),
        ),
        ("Features", named(view.features.iter().map(|feature| feature.code.clone()).collect())),
        ("Policies", named(view.policies.iter().map(|policy| policy.code.clone()).collect())),
    ]);
    Done::new(value, text)
}

#[derive(Subcommand)]
pub(super) enum VersionCommand {
    /// Add a version; licenses with maintenance cover it by its date
    Add {
        #[arg(value_parser = parse::code)]
        product: ProductCode,
        #[arg(value_name = "X.Y", value_parser = version)]
        version: VersionNumber,
        #[arg(long, value_name = "DATE", value_parser = parse::date)]
        released: Date,
        #[arg(long, value_name = "C", default_value = "")]
        channel: String,
        #[arg(long, value_name = "E", default_value = "")]
        env: String,
        #[arg(long, value_name = "U", default_value = "")]
        url: String,
        #[arg(long, value_name = "H", default_value = "")]
        hash: String,
    },
}

pub(super) async fn run_version(place: &Place, command: VersionCommand) -> Result<Done, CliError> {
    let VersionCommand::Add { product, version: number, released, channel, env, url, hash } = command;
    let desk = place.open().await?;
    let version = Version { major: number.major, minor: number.minor, released: released.midnight() };
    let new = NewRelease { version, channel, env, file: Installation { url, hash, ..Installation::default() } };
    let id = desk.add_release(&Visitor::Operator, &product, new).await.map_err(not_found(NO_PRODUCT))?;
    let value = json!({ "id": id, "product": product.as_str(), "version": number.to_string(), "released": released.to_string() });
    Ok(Done::new(value, format!("Version {number} of {product} is known, released {}.", released.for_people())))
}

#[derive(Subcommand)]
pub(super) enum FeatureCommand {
    /// Add a feature that licenses of the product can include
    Add {
        #[arg(value_parser = parse::code)]
        product: ProductCode,
        code: String,
        #[arg(long, value_name = "NAME")]
        name: String,
        /// activation (there or not) or consumption (counted)
        #[arg(long = "type", value_name = "TYPE", value_parser = feature_kind)]
        kind: FeatureKind,
    },
}

fn feature_kind(text: &str) -> Result<FeatureKind, String> {
    FeatureKind::parse(text).ok_or_else(|| "a feature is of type activation or consumption".to_owned())
}

pub(super) async fn run_feature(place: &Place, command: FeatureCommand) -> Result<Done, CliError> {
    let FeatureCommand::Add { product, code, name, kind } = command;
    let desk = place.open().await?;
    let id = desk.add_feature(&Visitor::Operator, &product, &code, &name, kind).await.map_err(not_found(NO_PRODUCT))?;
    let value = json!({ "id": id.0, "product": product.as_str(), "code": code, "type": kind.as_str() });
    Ok(Done::new(value, format!("Licenses of {product} can include {code} now.")))
}

/// A template for licenses.
#[derive(Args)]
pub(super) struct NewPolicy {
    #[arg(value_parser = parse::code)]
    product: ProductCode,
    code: String,
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
    #[command(flatten)]
    terms: TermOptions,
    /// Machines a license may be on: a number or `unlimited`
    #[arg(long, value_name = "N", value_parser = parse::seats)]
    seats: Option<Limit>,
}

#[derive(Subcommand)]
pub(super) enum PolicyCommand {
    /// Add a template: the options of `license issue` that say what a license is
    Add(Box<NewPolicy>),
    /// The templates of a product
    List {
        #[arg(value_parser = parse::code)]
        product: ProductCode,
    },
}

pub(super) async fn run_policy(place: &Place, command: PolicyCommand) -> Result<Done, CliError> {
    let desk: Desk = place.open().await?;
    match command {
        PolicyCommand::Add(new) => {
            let (value, code) = add_policy(&desk, *new, false).await?;
            Ok(Done::new(value, format!("Issue from it with --policy {code}.")))
        }
        PolicyCommand::List { product } => {
            let view = desk.product(&product).await.map_err(not_found(NO_PRODUCT))?;
            Ok(list_policies(view.policies.iter()))
        }
    }
}

/// Adds a policy; what is said of it, and its code.
pub(super) async fn add_policy(desk: &Desk, new: NewPolicy, air_gapped: bool) -> Result<(Value, String), CliError> {
    let NewPolicy { product, code, name, terms: options, seats } = new;
    let view = desk.product(&product).await.map_err(not_found(NO_PRODUCT))?;
    let mut terms = Terms { air_gapped, ..Terms::default() };
    options.apply(&mut terms, &view.features)?;
    terms.seats = seats.unwrap_or(terms.seats);
    let id = desk.add_policy(&Visitor::Operator, &product, &code, &name, terms).await?;
    Ok((json!({ "id": id.0, "product": view.product.code.as_str(), "code": code }), code))
}

pub(super) fn list_policies<'a>(policies: impl Iterator<Item = &'a Policy> + Clone) -> Done {
    let value = policies.clone().map(|policy| {
        json!({
            "id": policy.id.0,
            "code": policy.code,
            "name": policy.name,
            "type": policy.terms.kind.as_str(),
            "trial": policy.terms.trial,
            "air_gapped": policy.terms.air_gapped,
            "seats": policy.terms.seats.most(),
            "valid_until": policy.terms.expiry.on.map(Timestamp::to_rfc3339),
            "terms": policy.terms,
        })
    });
    let value = value.collect();
    let rows: Vec<_> = policies
        .map(|policy| {
            let seats = policy.terms.seats.most().map_or("unlimited".to_owned(), |seats| seats.to_string());
            let air_gapped = if policy.terms.air_gapped { ", air-gapped" } else { "" };
            let kind = format!("{}{air_gapped}", policy.terms.kind.as_str());
            vec![policy.id.to_string(), policy.code.clone(), policy.name.clone(), kind, seats]
        })
        .collect();
    Done::new(value, table(&["id", "code", "name", "type", "seats"], &rows))
}
