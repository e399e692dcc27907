//! Release servers carry the built site in themselves; `script/build` makes it first.
//!
//! Debug builds read it from `target/site` when they start instead, so that a changed style needs no compiling.

#[path = "src/server/site/listing.rs"]
mod listing;

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(embedded_site)");
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_SSR").is_none() || env::var("PROFILE").as_deref() != Ok("release") {
        return;
    }
    println!("cargo::rustc-cfg=embedded_site");
    println!("cargo::rerun-if-changed=src/server/site/listing.rs");
    println!("cargo::rerun-if-changed=target/site");

    let root = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the package's folder")).join("target/site");
    let listed = listing::list(&root);
    if listed.is_empty() {
        println!(
            "cargo::warning=target/site is empty: this server will have no styles and no browser part (script/build makes it)"
        );
    }
    let mut code = String::from("&[\n");
    for file in &listed {
        let bytes = |path: &Path| format!("include_bytes!({path:?})");
        let variant =
            |path: &Option<std::path::PathBuf>| path.as_deref().map_or("None".into(), |path| format!("Some({})", bytes(path)));
        writeln!(
            code,
            "    File {{ path: {:?}, content_type: {:?}, plain: {}, br: {}, gzip: {} }},",
            file.path,
            file.content_type,
            bytes(&file.plain),
            variant(&file.br),
            variant(&file.gzip),
        )
        .expect("writing to a string does not fail");
    }
    code.push_str("]\n");
    let out = env::var_os("OUT_DIR").expect("cargo names the output folder");
    fs::write(Path::new(&out).join("site.rs"), code).expect("the output folder is writable");
}
