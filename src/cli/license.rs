//! `license`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Place,
    device::Machine,
    outcome::{CliError, Done, facts, not_found, table},
    parse,
    terms::TermOptions,
};
use crate::{
    desk::{ActError, Desk, Issue, LicenseView, Renewal, UserPassword, Visitor},
    licensing::{
        ActivationKey, Date, Email, LicenseId, ProductCode, Timestamp,
        activation::ActivationState,
        issue::Quantities,
        license::{Entitlement, Floating, Limit, Maintenance, Meter, Period, Terms, TransferLimit},
    },
    store::{LicenseFilter, LicenseRow},
};

/// A license by its key, or by its id where it has none.
#[derive(Args)]
pub(super) struct Which {
    /// The activation key, in any form a person types it; or the license's id, as `12` or `#12`
    pub key: String,
    /// The product, where several have this key
    #[arg(long, value_name = "CODE", value_parser = parse::code)]
    pub product: Option<ProductCode>,
}

/// The license a command is about.
pub(super) async fn find(desk: &Desk, which: &Which) -> Result<LicenseId, CliError> {
    let text = which.key.trim();
    if let Some(id) = text.strip_prefix('#') {
        let id = id.parse().map(LicenseId).map_err(|_| CliError::usage("An id is written as #12."))?;
        return by_id(desk, id, which.product.as_ref()).await;
    }
    let key = parse::key(text)?;
    let found = match &which.product {
        Some(product) => desk.license_id_in(&key, product).await,
        None => desk.license_id(&key).await,
    };
    match (found, text.parse()) {
        // Digits alone may be a key that was brought along; only where they are none they are an id.
        (Err(ActError::NotFound), Ok(id)) => by_id(desk, LicenseId(id), which.product.as_ref()).await,
        (found, _) => found.map_err(not_found("There is no license with this key.")),
    }
}

async fn by_id(desk: &Desk, id: LicenseId, product: Option<&ProductCode>) -> Result<LicenseId, CliError> {
    let view = desk.license_view(&Visitor::Operator, id).await.map_err(not_found("There is no license with this id."))?;
    if product.is_some_and(|code| *code != view.product.code) {
        return Err(CliError::refused("not_found", "There is no license with this id in this product."));
    }
    Ok(view.license.id)
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Issue one or many licenses
    Issue(Box<IssueOptions>),
    /// A license and the machines on it
    Show(Which),
    /// Licenses, newest first
    List {
        /// A key or part of it, an e-mail address, an order reference, a computer id
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[arg(long, value_name = "CODE", value_parser = parse::code)]
        product: Option<ProductCode>,
        #[arg(long, value_name = "STATE", value_parser = ["enabled", "disabled", "archived", "expired"])]
        state: Option<String>,
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Where the page before ended: its `next`
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
    },
    /// Change the terms; what is not named stays
    Edit(Box<EditOptions>),
    /// Grant nothing new on a license; what runs goes on
    Disable {
        #[command(flatten)]
        which: Which,
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Back to use, from disabled or archived
    Enable(Which),
    /// Put a license away
    Archive {
        #[command(flatten)]
        which: Which,
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Give a license a new end
    Renew {
        #[command(flatten)]
        which: Which,
        #[arg(long, value_name = "DATE", value_parser = parse::date, required_unless_present = "valid_days", conflicts_with = "valid_days")]
        valid_until: Option<Date>,
        /// So many days more: from the present end, or from today where that is past
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        valid_days: Option<u32>,
        #[arg(long, value_name = "DATE", value_parser = parse::date)]
        maintenance_until: Option<Date>,
    },
    /// Say how many of its machines a user may have
    User {
        #[command(flatten)]
        which: Which,
        #[arg(value_name = "EMAIL", value_parser = parse::email)]
        email: Email,
        /// A number, or unlimited: as many as the license has
        #[arg(long, value_name = "N", value_parser = parse::limit)]
        seats: Limit,
    },
    /// Release every machine and set consumption to zero
    Reset(Which),
    /// Release a machine; it may come back through any door
    Release(Machine),
    /// Make the license file of a machine anew
    RefreshFile {
        #[command(flatten)]
        machine: Machine,
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(super) struct IssueOptions {
    #[arg(long, value_name = "CODE", value_parser = parse::code)]
    product: ProductCode,
    /// A key of your own; only for one license
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A license id of your own; only for one license
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..9_007_199_254_740_992))]
    id: Option<i64>,
    #[command(flatten)]
    terms: TermOptions,
    /// Machines a license may be on: a number or `unlimited`
    #[arg(long, value_name = "N", value_parser = parse::seats, conflicts_with = "activations_per_key")]
    seats: Option<Limit>,
    #[arg(long, value_name = "EMAIL", value_parser = parse::email)]
    customer: Option<Email>,
    /// A named user; may be repeated
    #[arg(long = "user", value_name = "EMAIL", value_parser = parse::email)]
    users: Vec<Email>,
    /// How many of its machines each user may have; as many as the license has when not given
    #[arg(long, value_name = "N", requires = "users")]
    user_seats: Option<u32>,
    /// Read the users' first password from stdin instead of making one
    #[arg(long, requires = "users")]
    user_password_stdin: bool,
    /// Your own order number
    #[arg(long, value_name = "REF")]
    order: Option<String>,
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    quantity: u32,
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    activations_per_key: Option<u32>,
    #[arg(long, value_name = "N", default_value_t = 0)]
    additional_activations: u32,
    /// One key a unit instead of one key for all
    #[arg(long)]
    separate_keys: bool,
    /// The template to start from
    #[arg(long, value_name = "CODE")]
    policy: Option<String>,
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

#[derive(Args)]
pub(super) struct EditOptions {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    terms: TermOptions,
    #[arg(long, value_name = "N", value_parser = parse::seats)]
    seats: Option<Limit>,
    /// Allow activation by file again
    #[arg(long, conflicts_with = "no_offline")]
    offline: bool,
    /// Take a feature away; may be repeated
    #[arg(long = "without-feature", value_name = "CODE")]
    without_features: Vec<String>,
    /// It is no trial any more
    #[arg(long, conflicts_with = "trial")]
    no_trial: bool,
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub(super) async fn run(place: &Place, command: Command) -> Result<Done, CliError> {
    let desk = place.open().await?;
    let staff = &Visitor::Operator;
    match command {
        Command::Issue(options) => issue(&desk, *options).await,
        Command::Show(which) => {
            let id = find(&desk, &which).await?;
            show(&desk.license_view(staff, id).await?)
        }
        Command::List { search, product, state, limit, after } => {
            let none = not_found("There is no product with this code.");
            let product = match &product {
                Some(code) => Some(desk.product(code).await.map_err(none)?.product.id),
                None => None,
            };
            let filter = LicenseFilter { search, product, state, limit: i64::from(limit), after, ..LicenseFilter::default() };
            let page = desk.licenses(staff, &filter).await?;
            let value = json!({ "licenses": page.rows.iter().map(row_value).collect::<Value>(), "next": page.next });
            let rows: Vec<_> = page.rows.iter().map(row_cells).collect();
            let mut text = table(&["id", "key", "product", "state", "seats", "valid until", "customer"], &rows);
            if let Some(next) = page.next {
                text.push_str(&format!("More with --after {next}\n"));
            }
            Ok(Done::new(value, text))
        }
        Command::Edit(options) => edit(&desk, *options).await,
        Command::Disable { which, reason } => {
            let id = find(&desk, &which).await?;
            desk.disable_license(staff, id, reason).await?;
            Ok(state(id, "disabled"))
        }
        Command::Enable(which) => {
            let id = find(&desk, &which).await?;
            desk.enable_license(staff, id).await?;
            Ok(state(id, "enabled"))
        }
        Command::Archive { which, reason } => {
            let id = find(&desk, &which).await?;
            desk.archive_license(staff, id, reason).await?;
            Ok(state(id, "archived"))
        }
        Command::Renew { which, valid_until, valid_days, maintenance_until } => {
            let id = find(&desk, &which).await?;
            let renewal = match (valid_until, valid_days) {
                (Some(date), _) => Renewal::Until(date),
                (None, days) => Renewal::Days(days.unwrap_or(0)),
            };
            let until = desk.renew_license(staff, id, renewal, maintenance_until).await?;
            let text = format!("The license is good through {} now.", until.plus_millis(-1).date().for_people());
            Ok(Done::new(json!({ "id": id.0, "valid_until": until.to_rfc3339() }), text))
        }
        Command::User { which, email, seats } => {
            let id = find(&desk, &which).await?;
            let none = not_found("The license has no such user.");
            desk.set_user_seats(staff, id, &email, seats.most()).await.map_err(none)?;
            let text = match seats.most() {
                Some(1) => format!("{email} may have one machine of it."),
                Some(most) => format!("{email} may have {most} machines of it."),
                None => format!("{email} may have every machine of it."),
            };
            Ok(Done::new(json!({ "id": id.0, "user": email.as_str(), "seats": seats.most() }), text))
        }
        Command::Reset(which) => {
            let id = find(&desk, &which).await?;
            let released = desk.reset_license(staff, id).await?;
            let machines = if released == 1 { "machine was" } else { "machines were" };
            Ok(Done::new(json!({ "id": id.0, "released": released }), format!("{released} {machines} released.")))
        }
        Command::Release(machine) => {
            let id = find(&desk, &machine.which).await?;
            let none = not_found("This machine is not known on the license.");
            desk.release_device(staff, id, &machine.device_id).await.map_err(none)?;
            let value = json!({ "id": id.0, "device_id": machine.device_id.as_str(), "state": "released" });
            Ok(Done::new(value, "The machine is released; its seat is free."))
        }
        Command::RefreshFile { machine, output } => {
            let id = find(&desk, &machine.which).await?;
            let none = not_found("This machine is not known on the license.");
            let answer = desk.refresh_file(staff, id, &machine.device_id).await.map_err(none)?;
            let mut value = json!({ "id": id.0, "device_id": answer.device_id, "file_name": answer.file_name });
            match output {
                Some(file) => {
                    std::fs::write(&file, &answer.body).map_err(|error| CliError::io("written", &file, &error))?;
                    value["file"] = file.to_string_lossy().into();
                    Ok(Done::new(value, format!("The license file is {}.", file.display())))
                }
                None => {
                    value["license"] = answer.body.clone().into();
                    Ok(Done::new(value, answer.body))
                }
            }
        }
    }
}

fn state(id: LicenseId, state: &str) -> Done {
    Done::new(json!({ "id": id.0, "state": state }), format!("The license is {state}."))
}

async fn issue(desk: &Desk, options: IssueOptions) -> Result<Done, CliError> {
    let (code, features, policies) = match desk.product(&options.product).await {
        Ok(view) => (view.product.code, view.features, view.policies),
        // Features and policies belong to a product: the licenses of a bundle are edited one by one.
        Err(ActError::NotFound) => {
            let none = not_found("There is no product or bundle with this code.");
            (desk.bundle(&options.product).await.map_err(none)?.bundle.code, Vec::new(), Vec::new())
        }
        Err(error) => return Err(error.into()),
    };
    let key = options.key.as_deref().map(parse::key).transpose()?;
    let user_password = match options.user_password_stdin {
        true => UserPassword::Given(parse::secret("The users' password")?),
        false => UserPassword::Made,
    };
    let policy = match &options.policy {
        Some(code) => match policies.iter().find(|policy| policy.code.eq_ignore_ascii_case(code)) {
            Some(policy) => Some(policy),
            None => return Err(CliError::refused("not_found", "The product has no policy with this code.")),
        },
        None => None,
    };
    let mut terms = policy.map_or_else(Terms::default, |policy| policy.terms.clone());
    options.terms.apply(&mut terms, &features)?;
    terms.seats = options.seats.unwrap_or(terms.seats);
    let quantities = Quantities {
        quantity: options.quantity,
        separate_keys: options.separate_keys,
        activations_per_key: options.activations_per_key.or(terms.seats.most()),
        additional_activations: options.additional_activations,
    };
    let issue = Issue {
        key,
        id: options.id.map(LicenseId),
        quantities,
        customer: options.customer,
        users: options.users,
        user_password,
        user_seats: options.user_seats,
        order: options.order,
        policy: policy.map(|policy| policy.code.clone()),
        note: options.note,
        ..Issue::one(code, terms)
    };
    let issued = desk.issue(&Visitor::Operator, issue).await?;
    let licenses = issued.licenses.iter().map(|license| {
        let users = license.users.iter().map(|user| {
            let mut value = json!({ "email": user.email.as_str() });
            if let Some(password) = &user.initial_password {
                value["initial_password"] = password.as_str().into();
            }
            value
        });
        json!({
            "id": license.id.0,
            "key": license.key.as_ref().map(ActivationKey::text),
            "seats": license.seats.most(),
            "users": users.collect::<Value>(),
        })
    });
    let value = json!({ "order": issued.order_reference, "licenses": licenses.collect::<Value>() });
    let mut text = format!("Order {}\n", issued.order_reference);
    for license in &issued.licenses {
        let key = license.key.as_ref().map(ActivationKey::text).unwrap_or_else(|| format!("license {}", license.id));
        text.push_str(&format!("{key}  {}\n", counted(license.seats)));
        for user in &license.users {
            let password = user.initial_password.as_ref().map(|password| format!("  first password {password}"));
            text.push_str(&format!("  {}{}\n", user.email, password.unwrap_or_default()));
        }
    }
    Ok(Done::new(value, text))
}

fn counted(seats: Limit) -> String {
    match seats {
        Limit::Unlimited => "any number of seats".to_owned(),
        Limit::AtMost(1) => "1 seat".to_owned(),
        Limit::AtMost(count) => format!("{count} seats"),
    }
}

async fn edit(desk: &Desk, options: EditOptions) -> Result<Done, CliError> {
    let id = find(desk, &options.which).await?;
    let features = if options.terms.names_features() {
        let view = desk.license_view(&Visitor::Operator, id).await?;
        desk.product(&view.product.code).await?.features
    } else {
        Vec::new()
    };
    let (terms, seats, offline, no_trial) = (options.terms, options.seats, options.offline, options.no_trial);
    let without = options.without_features;
    let change = move |license: &mut Terms| {
        license.trial &= !no_trial;
        license.offline_allowed |= offline;
        license.seats = seats.unwrap_or(license.seats);
        for code in &without {
            let before = license.entitlements.len();
            license.entitlements.retain(|feature| !feature.code.eq_ignore_ascii_case(code));
            if license.entitlements.len() == before {
                return Err(ActError::field("feature", format!("{code} is no feature of this license.")));
            }
        }
        terms.apply(license, &features)
    };
    desk.edit_terms(&Visitor::Operator, id, options.note, change).await?;
    show(&desk.license_view(&Visitor::Operator, id).await?)
}

fn show(view: &LicenseView) -> Result<Done, CliError> {
    let license = &view.license;
    let terms = &license.terms;
    let maintenance = terms.maintenance.instant(license.first_activated);
    let maintenance_days = match terms.maintenance {
        Maintenance::DaysAfterFirstActivation(days) | Maintenance::WholeDaysAfterFirstActivation(days) => Some(days),
        Maintenance::None | Maintenance::Until(_) => None,
    };
    let features = terms.entitlements.iter().map(|feature| {
        json!({
            "code": feature.code,
            "name": feature.name,
            "type": feature.kind.as_str(),
            "valid_until": feature.valid_until.map(Timestamp::to_rfc3339),
            "max": feature.meter.and_then(|meter| meter.max.most()),
            "used": feature.meter.map(|meter| meter.used),
            "floating": feature.floating,
            "overage": feature.meter.map(|meter| limit(meter.overage)),
            "period": feature.meter.and_then(|meter| meter.period).map(Period::as_str),
        })
    });
    let activations = view.activations.iter().map(|shown| {
        let activation = &shown.activation;
        json!({
            "device_id": activation.device.id.as_str(),
            "name": activation.device.name.as_ref().map(ToString::to_string),
            "how": activation.how.as_str(),
            "since": since(&activation.state).to_rfc3339(),
            "state": activation.state.as_str(),
            "last_seen": activation.last_seen.to_rfc3339(),
        })
    });
    let availability = match &view.availability {
        Ok(()) => json!({ "code": Value::Null, "message": "It can be activated on another machine." }),
        Err(refusal) => json!({ "code": refusal.code(), "message": refusal.words().sentence() }),
    };
    let order = view.order.as_ref().map(|order| order.reference.clone());
    let customer = view.customer.as_ref().map(|customer| customer.email.to_string());
    let value = json!({
        "id": license.id.0,
        "key": license.key.as_ref().map(ActivationKey::text),
        "product": view.product.code.as_str(),
        "type": terms.kind.as_str(),
        "trial": terms.trial,
        "state": license.state.as_str(),
        "seats": terms.seats.most(),
        "seats_taken": license.seats_taken,
        "transfers_used": license.transfers_used,
        "total_consumption": terms.meter.map_or(0, |meter| meter.used),
        "valid_until": license.valid_until().map(Timestamp::to_rfc3339),
        "maintenance_until": maintenance.map(Timestamp::to_rfc3339),
        "start": terms.start.map(Timestamp::to_rfc3339),
        "floating": terms.floating.map(|floating| floating.slots),
        "features": features.collect::<Value>(),
        "users": view.users.iter().map(|user| json!({ "email": user.email.as_str(), "name": user.name, "seats": user.seats, "seats_taken": user.seats_taken })).collect::<Value>(),
        "order": order,
        "customer": customer,
        "note": license.note,
        "availability": availability,
        "activations": activations.collect::<Value>(),
        "valid_days_from_activation": terms.expiry.days_after_first_activation,
        "valid_days_from_client": terms.expiry.days_counted_by_client,
        "grace_hours": terms.grace_hours,
        "maintenance_days_from_activation": maintenance_days,
        "transfers": transfers(terms.transfers),
        "offline": terms.offline_allowed,
        "borrow_hours": terms.floating.map(|floating| floating.borrow_hours),
        "max_consumption": terms.meter.map(|meter| limit(meter.max)),
        "overage": terms.meter.map(|meter| limit(meter.overage)),
        "consumption_period": terms.meter.and_then(|meter| meter.period).map(Period::as_str),
        "consumption_resets": terms.meter.and_then(|meter| meter.resets_at).map(Timestamp::to_rfc3339),
        "negative_consumption": terms.meter.map(|meter| meter.negatives),
        "fields": terms.fields,
        "metadata": terms.metadata,
        "created": license.created.to_rfc3339(),
    });
    let last_day = |end: Option<Timestamp>| end.map(|end| end.plus_millis(-1).date().for_people()).unwrap_or_default();
    let head = facts(&[
        ("Key", license.key.as_ref().map(ActivationKey::text).unwrap_or_default()),
        ("Id", license.id.to_string()),
        ("Product", format!("{} ({})", view.product.name, view.product.code)),
        ("Type", format!("{}{}", terms.kind.as_str(), if terms.trial { ", trial" } else { "" })),
        ("State", license.state.as_str().to_owned()),
        (
            "Seats",
            format!("{} of {} taken", license.seats_taken, terms.seats.most().map_or("any number".into(), |n| n.to_string())),
        ),
        ("Good through", last_day(license.valid_until())),
        ("Good for", good_for(terms)),
        ("Grace", if terms.grace_hours == 0 { String::new() } else { format!("{} hours", terms.grace_hours) }),
        ("Maintenance through", last_day(maintenance)),
        ("Maintenance for", maintenance_days.map(|days| format!("{days} days from the first activation")).unwrap_or_default()),
        ("Starts", terms.start.map(|start| start.date().for_people()).unwrap_or_default()),
        ("Transfers", format!("{} used of {}", license.transfers_used, transfers_text(terms.transfers))),
        ("By file", if terms.offline_allowed { "allowed".to_owned() } else { "not allowed".to_owned() }),
        ("Floating", terms.floating.map(floating_text).unwrap_or_default()),
        ("Consumption", terms.meter.map(meter_text).unwrap_or_default()),
        ("Features", terms.entitlements.iter().map(feature_text).collect::<Vec<_>>().join("; ")),
        ("Users", view.users.iter().map(|user| user.email.as_str()).collect::<Vec<_>>().join(", ")),
        ("Fields", terms.fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")),
        ("Metadata", if terms.metadata.is_empty() { String::new() } else { Value::from(terms.metadata.clone()).to_string() }),
        ("Customer", customer.unwrap_or_default()),
        ("Order", order.unwrap_or_default()),
        ("Note", license.note.clone()),
        (
            "Now",
            view.availability.as_ref().map_or_else(|refusal| refusal.words().sentence(), |()| "Can be activated.".to_owned()),
        ),
    ]);
    let rows: Vec<_> = view
        .activations
        .iter()
        .map(|shown| {
            let activation = &shown.activation;
            vec![
                activation.device.id.to_string(),
                activation.device.name.as_ref().map(ToString::to_string).unwrap_or_default(),
                activation.state.as_str().to_owned(),
                activation.how.as_str().to_owned(),
                since(&activation.state).to_rfc3339(),
            ]
        })
        .collect();
    let machines = if rows.is_empty() {
        "No machine has used it.".to_owned()
    } else {
        table(&["computer id", "name", "state", "how", "since"], &rows)
    };
    Ok(Done::new(value, format!("{head}\n{machines}")))
}

/// A limit as the options write it.
fn limit(limit: Limit) -> Value {
    limit.most().map_or_else(|| "unlimited".into(), Value::from)
}

fn transfers(limit: TransferLimit) -> Value {
    match limit {
        TransferLimit::Unlimited => "unlimited".into(),
        TransferLimit::Forbidden => "none".into(),
        TransferLimit::AtMost(most) => most.into(),
    }
}

fn transfers_text(limit: TransferLimit) -> String {
    match limit {
        TransferLimit::Unlimited => "any number".to_owned(),
        TransferLimit::Forbidden => "none".to_owned(),
        TransferLimit::AtMost(most) => most.to_string(),
    }
}

fn amount(limit: Limit) -> String {
    limit.most().map_or_else(|| "any amount".to_owned(), |most| most.to_string())
}

/// The days that count from something still to come.
fn good_for(terms: &Terms) -> String {
    let counted = [
        (terms.expiry.days_after_first_activation, "from the first activation"),
        (terms.expiry.days_counted_by_client, "from the app's first run"),
    ];
    let named = counted.into_iter().filter_map(|(days, from)| Some(format!("{} days {from}", days?)));
    named.collect::<Vec<_>>().join("; ")
}

fn floating_text(floating: Floating) -> String {
    let borrowed =
        if floating.borrow_hours == 0 { String::new() } else { format!(", borrowed for {} hours", floating.borrow_hours) };
    format!("{} at once{borrowed}", floating.slots)
}

fn meter_text(meter: Meter) -> String {
    let mut text = format!("{} of {}", meter.used, amount(meter.max));
    if meter.overage != Limit::AtMost(0) {
        text.push_str(&format!(" and {} more", amount(meter.overage)));
    }
    if let Some(period) = meter.period {
        text.push_str(&format!(", {}", period.as_str()));
    }
    if meter.negatives {
        text.push_str(", may be given back");
    }
    text
}

fn feature_text(feature: &Entitlement) -> String {
    let mut text = feature.code.clone();
    if let Some(meter) = feature.meter {
        text.push_str(&format!(" {}", meter_text(meter)));
    }
    if let Some(slots) = feature.floating {
        text.push_str(&format!(", {slots} at once"));
    }
    if let Some(until) = feature.valid_until {
        text.push_str(&format!(", through {}", until.plus_millis(-1).date().for_people()));
    }
    text
}

const fn since(state: &ActivationState) -> Timestamp {
    match state {
        ActivationState::Active { since } => *since,
        ActivationState::Released { at, .. } | ActivationState::Revoked { at, .. } => *at,
    }
}

pub(super) fn row_value(row: &LicenseRow) -> Value {
    json!({
        "id": row.id.0,
        "key": row.key,
        "product": row.product_code,
        "type": row.kind,
        "trial": row.trial,
        "state": row.state,
        "seats": row.seats,
        "seats_taken": row.seats_taken,
        "valid_until": row.valid_until.map(Timestamp::to_rfc3339),
        "customer": row.customer,
        "order": row.order,
        "created": row.created.to_rfc3339(),
    })
}

fn row_cells(row: &LicenseRow) -> Vec<String> {
    vec![
        row.id.to_string(),
        row.key.clone().unwrap_or_default(),
        row.product_code.clone(),
        row.state.clone(),
        format!("{}/{}", row.seats_taken, row.seats.map_or("∞".to_owned(), |seats| seats.to_string())),
        row.valid_until.map(|until| until.plus_millis(-1).date().to_string()).unwrap_or_default(),
        row.customer.clone().unwrap_or_default(),
    ]
}
