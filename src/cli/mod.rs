//! The command line: everything an operator does by hand, on the same acts as the pages. One file a group of commands.

mod oauth_client;
mod open;
mod outcome;
mod parse;
mod terms;

mod airgap;
mod analytics;
mod answer;
mod api_key;
mod backup;
mod bundle;
mod customer_account;
mod demo;
mod device;
mod doctor;
mod extension;
mod fetch;
mod files;
mod installation;
mod keys;
mod license;
mod mail_template;
mod order;
mod product;
mod property;
mod record;
mod request;
mod serve;
mod setting;
mod team;
mod verify;

#[cfg(test)]
mod refusal_table;

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, OnceLock},
};

use clap::{Args, Parser, Subcommand};

use crate::store::Store;
use outcome::{CliError, Done};

#[derive(Parser)]
#[command(
    name = "countersign",
    bin_name = "countersign",
    version,
    about = "A self-hosted software activation portal",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

/// Where the installation is, and how its answers are printed. Every command takes these.
#[derive(Args, Clone)]
pub(super) struct Place {
    /// The folder of the data
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "COUNTERSIGN_DATA_DIR",
        default_value = "./countersign-data",
        hide_env_values = true
    )]
    data_dir: PathBuf,
    /// A PostgreSQL database instead of the SQLite file in the data folder
    #[arg(long, global = true, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Print one JSON value and nothing else
    #[arg(long, global = true)]
    json: bool,
    /// A folder of its own, for `demo`: nothing the environment says of the real data is meant for it.
    #[arg(skip)]
    apart: bool,
    /// What was opened, to be closed before the process ends.
    #[arg(skip)]
    opened: Arc<OnceLock<Store>>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the portal
    Serve(serve::Options),
    /// Run a portal with sample data in a temporary folder
    Demo(demo::Options),
    /// Vendor staff
    #[command(subcommand)]
    User(team::Command),
    /// Products and their rules
    #[command(subcommand)]
    Product(product::Command),
    /// Versions of a product
    #[command(subcommand)]
    Version(product::VersionCommand),
    /// The files that install versions
    #[command(subcommand)]
    Installation(installation::Command),
    /// Features of a product
    #[command(subcommand)]
    Feature(product::FeatureCommand),
    /// Templates for licenses of a product
    #[command(subcommand)]
    Policy(product::PolicyCommand),
    /// Templates for licenses of machines that nothing but codes reaches
    #[command(subcommand)]
    AirgapPolicy(airgap::PolicyCommand),
    /// The codes of such machines
    #[command(subcommand)]
    Airgap(airgap::Command),
    /// Licenses
    #[command(subcommand)]
    License(license::Command),
    /// Machines on a license
    #[command(subcommand)]
    Device(device::Command),
    /// Products sold as one
    #[command(subcommand)]
    Bundle(bundle::Command),
    /// Orders
    #[command(subcommand)]
    Order(order::OrderCommand),
    /// Customers
    #[command(subcommand)]
    Customer(order::CustomerCommand),
    /// Customers that belong together
    #[command(subcommand)]
    CustomerAccount(customer_account::Command),
    /// Shops and sites that call by QLM's methods
    #[command(subcommand)]
    Extension(extension::Command),
    /// Installs that apps told of
    #[command(subcommand)]
    Analytics(analytics::Command),
    /// What products of shops are here
    #[command(subcommand)]
    Property(property::Command),
    /// Letters in your own words
    #[command(subcommand)]
    MailTemplate(mail_template::Command),
    /// Answer request files, as the offline page does
    Answer(answer::Options),
    /// LicenseSpring credentials
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// LicenseSpring OAuth clients
    #[command(subcommand)]
    OauthClient(oauth_client::Command),
    /// What a customer's error page was about
    #[command(subcommand)]
    Refusal(record::RefusalCommand),
    /// The portal's settings
    #[command(subcommand)]
    Setting(setting::Command),
    /// Signing keys
    #[command(subcommand)]
    Keys(keys::Command),
    /// The audit log
    #[command(subcommand)]
    Audit(record::AuditCommand),
    /// Make a request file, as an app does
    Request(request::Options),
    /// Say what a file is and whether it is genuine
    Verify(verify::Options),
    /// Write a whole list to stdout
    Export(record::ExportOptions),
    /// Whether everything is as it should be, and how to mend it
    Doctor,
    /// Write everything into one file, beside a running server
    Backup(backup::BackupOptions),
    /// Bring a backup back, on either engine
    Restore(backup::RestoreOptions),
}

/// Runs what the process was called with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    logging(&cli.command);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return CliError::fault(&error).print(cli.place.json),
    };
    let (json, opened) = (cli.place.json, cli.place.opened.clone());
    let ended = runtime.block_on(async {
        let ended = run(cli).await;
        if let Some(store) = opened.get() {
            store.close().await;
        }
        ended
    });
    match ended {
        Ok(done) => done.print(json),
        Err(error) => error.print(json),
    }
}

async fn run(cli: Cli) -> Result<Done, CliError> {
    let place = &cli.place;
    match cli.command {
        Command::Serve(options) => serve::run(place, options).await,
        Command::Demo(options) => demo::run(place, options).await,
        Command::User(command) => team::run(place, command).await,
        Command::Product(command) => product::run(place, command).await,
        Command::Version(command) => product::run_version(place, command).await,
        Command::Installation(command) => installation::run(place, command).await,
        Command::Feature(command) => product::run_feature(place, command).await,
        Command::Policy(command) => product::run_policy(place, command).await,
        Command::AirgapPolicy(command) => airgap::run_policy(place, command).await,
        Command::Airgap(command) => airgap::run(place, command).await,
        Command::License(command) => license::run(place, command).await,
        Command::Device(command) => device::run(place, command).await,
        Command::Order(command) => order::run_order(place, command).await,
        Command::Customer(command) => order::run_customer(place, command).await,
        Command::CustomerAccount(command) => customer_account::run(place, command).await,
        Command::Extension(command) => extension::run(place, command).await,
        Command::Analytics(command) => analytics::run(place, command).await,
        Command::Property(command) => property::run(place, command).await,
        Command::MailTemplate(command) => mail_template::run(place, command).await,
        Command::Answer(options) => answer::run(place, options).await,
        Command::ApiKey(command) => api_key::run(place, command).await,
        Command::Bundle(command) => bundle::run(place, command).await,
        Command::OauthClient(command) => oauth_client::run(place, command).await,
        Command::Refusal(command) => record::run_refusal(place, command).await,
        Command::Setting(command) => setting::run(place, command).await,
        Command::Keys(command) => keys::run(place, command).await,
        Command::Audit(command) => record::run_audit(place, command).await,
        Command::Request(options) => request::run(place, options).await,
        Command::Verify(options) => verify::run(place, options).await,
        Command::Export(options) => record::run_export(place, options).await,
        Command::Doctor => doctor::run(place).await,
        Command::Backup(options) => backup::backup(place, options).await,
        Command::Restore(options) => backup::restore(place, options).await,
    }
}

/// Help and version go to stdout and are no mistake; everything else is bad usage.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let as_json = std::env::args_os().any(|argument| argument == "--json");
    let text = error.render().to_string();
    let message = text.split("\n\n").next().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
    if as_json { CliError::usage(message).print(true) } else { CliError::usage(text.trim_end()).print(false) }
}

/// To stderr, filtered by `COUNTERSIGN_LOG`, else `RUST_LOG`; a server tells what it does, a command only what went wrong.
fn logging(command: &Command) {
    use tracing_subscriber::EnvFilter;
    let default = if serves(command) { "info" } else { "warn" };
    let named =
        ["COUNTERSIGN_LOG", "RUST_LOG"].into_iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    let filter = named.and_then(|text| EnvFilter::try_new(text).ok()).unwrap_or_else(|| EnvFilter::new(default));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(true).init();
}

const fn serves(command: &Command) -> bool {
    matches!(command, Command::Serve(_) | Command::Demo(_))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_commands_fit_together() {
        super::Cli::command().debug_assert();
    }
}
