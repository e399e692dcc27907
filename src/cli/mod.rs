//! The command line: everything an operator does by hand, on the same acts as the pages. One file a group of commands.

mod open;
mod outcome;
mod parse;
mod terms;

mod answer;
mod api_key;
mod device;
mod files;
mod license;
mod order;
mod product;
mod request;
mod serve;
mod team;

#[cfg(test)]
mod refusal_table;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

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
}

#[derive(Subcommand)]
enum Command {
    /// Run the portal
    Serve(serve::Options),
    /// Vendor staff
    #[command(subcommand)]
    User(team::Command),
    /// Products and their rules
    #[command(subcommand)]
    Product(product::Command),
    /// Versions of a product
    #[command(subcommand)]
    Version(product::VersionCommand),
    /// Features of a product
    #[command(subcommand)]
    Feature(product::FeatureCommand),
    /// Templates for licenses of a product
    #[command(subcommand)]
    Policy(product::PolicyCommand),
    /// Licenses
    #[command(subcommand)]
    License(license::Command),
    /// Machines on a license
    #[command(subcommand)]
    Device(device::Command),
    /// Orders
    #[command(subcommand)]
    Order(order::OrderCommand),
    /// Customers
    #[command(subcommand)]
    Customer(order::CustomerCommand),
    /// Answer request files, as the offline page does
    Answer(answer::Options),
    /// LicenseSpring credentials
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// Make a request file, as an app does
    Request(request::Options),
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
    let json = cli.place.json;
    match runtime.block_on(run(cli)) {
        Ok(done) => done.print(json),
        Err(error) => error.print(json),
    }
}

async fn run(cli: Cli) -> Result<Done, CliError> {
    let place = &cli.place;
    match cli.command {
        Command::Serve(options) => serve::run(place, options).await,
        Command::User(command) => team::run(place, command).await,
        Command::Product(command) => product::run(place, command).await,
        Command::Version(command) => product::run_version(place, command).await,
        Command::Feature(command) => product::run_feature(place, command).await,
        Command::Policy(command) => product::run_policy(place, command).await,
        Command::License(command) => license::run(place, command).await,
        Command::Device(command) => device::run(place, command).await,
        Command::Order(command) => order::run_order(place, command).await,
        Command::Customer(command) => order::run_customer(place, command).await,
        Command::Answer(options) => answer::run(place, options).await,
        Command::ApiKey(command) => api_key::run(place, command).await,
        Command::Request(options) => request::run(place, options).await,
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
    matches!(command, Command::Serve(_))
}
