//! Draws every page with sample data into a folder, to be looked at: `cargo run --example gallery --features ssr -- FOLDER`,
//! then serve the folder (modules do not load from `file:`). No server, no database.

use std::{env, fs, path::Path};

use countersign::app::{
    ui::colour::{Colour, brand_css},
    view::{Assets, Brand, Frame},
};
use leptos::prelude::*;

mod portal_samples;
mod vendor_samples;

fn main() -> std::io::Result<()> {
    let folder = env::args().nth(1).map_or_else(|| env::temp_dir().join("countersign-gallery"), Into::into);
    fs::create_dir_all(folder.join("style"))?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut main = String::new();
    for name in ["tokens", "base", "parts", "portal"] {
        main += &fs::read_to_string(root.join(format!("style/{name}.css")))?;
    }
    fs::write(folder.join("style/main.css"), main)?;
    fs::copy(root.join("style/vendor.css"), folder.join("style/vendor.css"))?;
    fs::copy(root.join("src/app/enhance.js"), folder.join("enhance.js"))?;
    fs::copy(root.join("public/favicon.svg"), folder.join("favicon.svg"))?;
    let accent = env::var("ACCENT").ok().and_then(|text| Colour::parse(&text).ok()).unwrap_or(Colour::new(0x0b, 0x64, 0x64));
    fs::write(folder.join("brand.css"), brand_css(accent))?;

    let mut index = String::new();
    for (name, draw) in portal_samples::pages().into_iter().chain(vendor_samples::pages()) {
        let html = Owner::new().with(|| draw(frame()).to_html());
        fs::write(folder.join(format!("{name}.html")), html)?;
        index.push_str(name);
        index.push('\n');
    }
    fs::write(folder.join("index.txt"), index)?;
    println!("{}", folder.display());
    Ok(())
}

pub type Draw = fn(Frame) -> AnyView;

fn frame() -> Frame {
    let brand = Brand { name: "ACME Presses".into(), logo_url: None, support: Some("help@acme.example".into()), revision: 1 };
    let assets = Assets {
        stylesheet: "/style/main.css".into(),
        vendor_stylesheet: "/style/vendor.css".into(),
        enhance: "/enhance.js".into(),
        ..Assets::default()
    };
    Frame { brand, assets, nonce: "sample".into() }
}
