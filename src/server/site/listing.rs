//! What a built site consists of: every file, its URL path and type, and its compressed twins.
//!
//! Read at compile time by `build.rs` in release builds and when the process starts in debug builds.

use std::fs;
use std::path::{Path, PathBuf};

pub struct Listed {
    /// The path in the URL, from the first slash.
    pub path: String,
    pub content_type: &'static str,
    pub plain: PathBuf,
    pub br: Option<PathBuf>,
    pub gzip: Option<PathBuf>,
}

/// All files under `root` in the order of their paths; none if there is no such folder.
pub fn list(root: &Path) -> Vec<Listed> {
    let mut listed = Vec::new();
    visit(root, "", &mut listed);
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    listed
}

fn visit(folder: &Path, above: &str, listed: &mut Vec<Listed>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{above}/{name}");
        let plain = entry.path();
        if plain.is_dir() {
            visit(&plain, &path, listed);
        } else if let Some(content_type) = content_type(&name) {
            let twin = |ending: &str| Some(PathBuf::from(format!("{}.{ending}", plain.display()))).filter(|twin| twin.is_file());
            listed.push(Listed { path, content_type, br: twin("br"), gzip: twin("gz"), plain });
        }
    }
}

/// A file of any other kind is not served: compressed twins, hidden files, the builder's notes.
fn content_type(name: &str) -> Option<&'static str> {
    let (stem, ending) = name.rsplit_once('.')?;
    if stem.is_empty() {
        return None;
    }
    Some(match ending {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}
