//! What fuzzing found worth keeping (`fuzz/corpus`) is tried again as ordinary tests, on any compiler.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::path::{Path, PathBuf};

use countersign::licensing::files::base64;

fn files(folder: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = read.map(|entry| entry.expect("readable").path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

#[test]
fn nothing_in_the_corpus_breaks_what_a_target_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, target) in targets::TARGETS {
        let file = root.join(format!("fuzz/corpus/{name}.txt"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(text.lines().count() > 20, "{} is nearly empty", file.display());
        for line in text.lines() {
            let bytes = base64::from_standard(line).expect("each line is one input in base64");
            assert!(std::panic::catch_unwind(|| target(&bytes)).is_ok(), "{name}: {line}");
        }
    }
}

/// Each target over each sample, whichever it was made for: the wrong file is what people bring.
#[test]
fn no_sample_breaks_a_target() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut tried = 0;
    for file in [files(&samples.join("licensespring")), files(&samples.join("broken"))].concat() {
        let bytes = std::fs::read(&file).expect("readable");
        for (name, target) in targets::TARGETS {
            assert!(std::panic::catch_unwind(|| target(&bytes)).is_ok(), "{name}: {}", file.display());
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}
