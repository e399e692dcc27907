//! `answer`: request files to license files and receipts.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};

use super::{
    Place,
    outcome::{CliError, Done, say},
};
use crate::{
    desk::{Desk, FileAnswer, FileRequest},
    licensing::files::text::MAX_BYTES,
};

#[derive(Args)]
pub(super) struct Options {
    /// Request files, in any dialect
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where the answers are written
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// Release the machine where the page would ask for a confirming click
    #[arg(long)]
    release: bool,
}

pub(super) async fn run(place: &Place, options: Options) -> Result<Done, CliError> {
    let desk = place.open().await?;
    fs::create_dir_all(&options.output).map_err(|error| CliError::io("made", &options.output, &error))?;
    let many = options.files.len() > 1;
    let (mut values, mut lines, mut refused) = (Vec::new(), Vec::new(), false);
    for file in &options.files {
        match answer(&desk, file, &options).await {
            Ok((value, line)) => {
                values.push(value);
                lines.push(line);
            }
            Err(error @ CliError::Refused { .. }) if many => {
                refused = true;
                values.push(json!({ "request": file.to_string_lossy(), "error": error.value() }));
                if let CliError::Refused { message, .. } = &error {
                    say(&format!("{}: {message}", file.display()));
                }
            }
            Err(error) => return Err(error),
        }
    }
    let value = if many { Value::Array(values) } else { values.pop().unwrap_or_default() };
    let done = Done::new(value, lines.join("\n"));
    Ok(if refused { done.refused() } else { done })
}

async fn answer(desk: &Desk, file: &Path, options: &Options) -> Result<(Value, String), CliError> {
    let request = FileRequest { bytes: read(file)?, door: "cli", confirmed: options.release };
    let answer = match desk.answer_file(request).await? {
        Ok(answer) => answer,
        Err(refused) => {
            return Err(CliError::Refused {
                code: refused.refusal.code().to_owned(),
                message: refused.refusal.words().sentence(),
                reference: Some(refused.reference),
            });
        }
    };
    let written = write(file, &answer, &options.output)?;
    let kind = if answer.receipt { "receipt" } else { "license" };
    let value = json!({
        "request": file.to_string_lossy(),
        "kind": kind,
        "product": answer.product_name,
        "device_id": answer.device_id,
        "file": written.to_string_lossy(),
    });
    Ok((value, format!("{}: the {kind} is {}", file.display(), written.display())))
}

/// A byte more than is allowed is enough to say that it is too large.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    let opened = fs::File::open(file).and_then(|open| open.take(most).read_to_end(&mut bytes));
    opened.map_err(|error| CliError::io("read", file, &error))?;
    Ok(bytes)
}

/// Named after the request; a file with other content is never overwritten.
fn write(request: &Path, answer: &FileAnswer, folder: &Path) -> Result<PathBuf, CliError> {
    let extension = if answer.receipt { "receipt" } else { "lic" };
    let stem = request.file_stem().map_or_else(|| "license".to_owned(), |stem| stem.to_string_lossy().into_owned());
    for number in 1_u32.. {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{stem}{suffix}.{extension}"));
        match super::files::write_new(&path, answer.body.as_bytes(), false) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                if fs::read(&path).is_ok_and(|there| there == answer.body.as_bytes()) {
                    return Ok(path);
                }
            }
            Err(error) => return Err(CliError::io("written", &path, &error)),
            Ok(()) => return Ok(path),
        }
    }
    unreachable!("some number is free")
}

/// What the command says of one file: the code of its refusal, or nothing.
#[cfg(test)]
pub(super) async fn refusal_of(desk: &Desk, bytes: &[u8]) -> Option<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("activate.req");
    fs::write(&file, bytes).expect("it can be written");
    let options = Options { files: vec![file.clone()], output: folder.path().to_owned(), release: false };
    match answer(desk, &file, &options).await {
        Ok(_) => None,
        Err(CliError::Refused { code, .. }) => Some(code),
        Err(error) => panic!("{error:?}"),
    }
}
