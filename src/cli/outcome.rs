//! How a command ends: with one value, as JSON or as text for people, or with a reason why not. Exit 0 done, 1 refused, 2 bad
//! usage, 3 a fault of ours.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
};

use serde_json::{Value, json};

use crate::{desk::ActError, licensing::text::is_hidden};

/// A command that ran.
pub(super) struct Done {
    json: Value,
    text: String,
    /// Some of what was asked was refused, although there is something to show.
    refused: bool,
    /// It was printed before.
    silent: bool,
}

impl Done {
    pub(super) fn new(json: Value, text: impl Into<String>) -> Self {
        Self { json, text: text.into(), refused: false, silent: false }
    }

    pub(super) fn refused(self) -> Self {
        Self { refused: true, ..self }
    }

    /// Done, and said already.
    pub(super) fn silent() -> Self {
        Self { json: Value::Null, text: String::new(), refused: false, silent: true }
    }

    pub(super) fn print(&self, as_json: bool) -> ExitCode {
        if self.silent {
            return ExitCode::SUCCESS;
        }
        let written = if as_json {
            write_out(&format!("{}\n", self.json))
        } else if !self.text.is_empty() {
            write_out(&format!("{}{}", self.text, if self.text.ends_with('\n') { "" } else { "\n" }))
        } else {
            Ok(())
        };
        match written {
            Ok(()) => ExitCode::from(u8::from(self.refused)),
            Err(error) => unwritten(&error),
        }
    }
}

/// Says it before the command ends: a server tells where it is and goes on.
pub(super) fn print_now(done: &Done, as_json: bool) {
    done.print(as_json);
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum CliError {
    Refused {
        code: String,
        message: String,
        /// Under which staff finds the refusal.
        reference: Option<String>,
    },
    Usage(String),
    Fault(String),
}

impl CliError {
    pub(super) fn refused(code: &str, message: impl Into<String>) -> Self {
        Self::Refused { code: code.to_owned(), message: message.into(), reference: None }
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// A fault and everything that caused it, for whoever runs the server.
    pub(super) fn fault(error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let _ = write!(message, ": {error}");
            cause = error.source();
        }
        Self::Fault(message)
    }

    pub(super) fn io(what: &str, path: &std::path::Path, error: &io::Error) -> Self {
        Self::refused("file_error", format!("{} could not be {what}: {error}.", path.display()))
    }

    /// The message alone, to stand beside others.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Refused { message, .. } | Self::Usage(message) | Self::Fault(message) => message,
        }
    }

    /// The value of `error` under `--json`.
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Refused { code, message, reference: None } => json!({ "code": code, "message": message }),
            Self::Refused { code, message, reference: Some(reference) } => {
                json!({ "code": code, "message": message, "reference": reference })
            }
            Self::Usage(message) => json!({ "code": "bad_usage", "message": message }),
            Self::Fault(_) => json!({ "code": "internal_error", "message": "Something failed on our side; see the messages." }),
        }
    }

    pub(super) fn print(&self, as_json: bool) -> ExitCode {
        let written = if as_json { write_out(&format!("{}\n", json!({ "error": self.value() }))) } else { Ok(()) };
        let (message, code) = match self {
            Self::Refused { message, reference, .. } => {
                let reference = reference.as_ref().map(|reference| format!(" Reference: {reference}")).unwrap_or_default();
                (format!("{message}{reference}"), 1)
            }
            Self::Usage(message) => (message.clone(), 2),
            Self::Fault(message) => (format!("Something failed on our side: {message}"), 3),
        };
        say(&message);
        match written {
            Ok(()) => ExitCode::from(code),
            Err(error) => unwritten(&error),
        }
    }
}

impl From<ActError> for CliError {
    fn from(error: ActError) -> Self {
        let code = error.code();
        match error {
            ActError::Refused(refused) => Self::Refused {
                code: code.to_owned(),
                message: refused.refusal.words().sentence(),
                reference: Some(refused.reference.clone()),
            },
            ActError::WhichProduct(products) => {
                let codes: Vec<&str> = products.iter().map(|product| product.code.as_str()).collect();
                Self::refused(code, format!("Several products have this key: {}. Add --product CODE.", codes.join(", ")))
            }
            ActError::Forbidden(_) => Self::refused(code, "This needs more than your role allows."),
            ActError::NotFound => Self::refused(code, "There is no such thing here."),
            ActError::Taken(what) => Self::refused(code, format!("There is something with this {what} already.")),
            ActError::Field { field, message } => {
                let code = if field == "keys" { "keys_not_changed" } else { code };
                Self::refused(code, sentence(&message))
            }
            ActError::Transition(error) => Self::refused(code, sentence(&error.to_string())),
            ActError::Setting(error) => Self::refused(code, sentence(&error.to_string())),
            ActError::Fault(fault) => Self::fault(&fault),
        }
    }
}

impl From<crate::desk::Fault> for CliError {
    fn from(fault: crate::desk::Fault) -> Self {
        Self::fault(&fault)
    }
}

impl From<crate::store::StoreError> for CliError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::fault(&error)
    }
}

/// What `NotFound` means for the command at hand.
pub(super) fn not_found(message: &'static str) -> impl Fn(ActError) -> CliError {
    move |error| match error {
        ActError::NotFound => CliError::refused("not_found", message),
        other => other.into(),
    }
}

/// Begins with a capital and ends with a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", chars.as_str())
}

/// A reader that went away is no fault; a full disk is, because what was asked for is not there.
fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn unwritten(error: &io::Error) -> ExitCode {
    say(&format!("What was asked for could not be written to stdout: {error}."));
    ExitCode::from(3)
}

/// A message for people, on stderr.
pub(super) fn say(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{message}");
}

/// Text from outside, so that it cannot steer a terminal.
pub(super) fn shown(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { '·' } else { c }).collect()
}

/// Rows under their headings, in columns.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return "Nothing there.".to_owned();
    }
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| shown(cell)).collect()).collect();
    let headings: Vec<String> = headings.iter().map(|heading| heading.to_uppercase()).collect();
    let width = |column: usize| {
        rows.iter().chain([&headings]).filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let mut text = String::new();
    for row in [&headings].into_iter().chain(&rows) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// One fact a line.
pub(super) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "{name:width$}  {}", shown(value));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up_and_shows_nothing_hidden() {
        let text = table(&["code", "name"], &[vec!["a".into(), "One".into()], vec!["press".into(), "x\u{202e}\u{1b}[2J".into()]]);
        assert_eq!(text, "CODE   NAME\na      One\npress  x··[2J\n");
        assert_eq!(table(&["code"], &[]), "Nothing there.");
    }

    #[test]
    fn messages_are_sentences() {
        assert_eq!(sentence("it is enabled already"), "It is enabled already.");
        assert_eq!(sentence("Done."), "Done.");
    }
}
