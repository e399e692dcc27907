//! Draws every page with sample data into a folder, to be looked at: `cargo run --example gallery --features ssr -- FOLDER`,
//! then serve the folder (modules do not load from `file:`). No server, no database.

use std::{env, fs, path::Path};

use countersign::app::{
    Site, render,
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
    for (name, html) in documents() {
        fs::write(folder.join(format!("{name}.html")), html)?;
        index.push_str(name);
        index.push('\n');
    }
    fs::write(folder.join("index.txt"), index)?;
    println!("{}", folder.display());
    Ok(())
}

/// Every page, drawn.
fn documents() -> impl Iterator<Item = (&'static str, String)> {
    let pages = portal_samples::pages().into_iter().chain(vendor_samples::pages());
    pages.map(|(name, draw)| {
        let (html, nonce) = render(SITE, |nonce| draw(Frame { nonce: nonce.to_string(), ..frame() }));
        // A nonce is fresh for every document; samples are compared with the ones before.
        (name, html.replace(&nonce.to_string(), "sample"))
    })
}

const SITE: Site = Site {
    css_url: "/style/main.css",
    vendor_css_url: "/style/vendor.css",
    enhance_url: "/enhance.js",
    js_url: "/countersign.js",
    wasm_url: "/countersign.wasm",
};

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::documents;

    /// The values of an attribute, wherever it stands.
    fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
        html.split(&format!(" {attribute}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn no_page_has_what_its_policy_forbids() {
        for (page, html) in documents() {
            assert!(values(&html, "style").is_empty(), "{page}: an inline style");
            assert!(!html.contains("<style"), "{page}: a style element");
            for handler in ["click", "submit", "change", "input", "load", "error", "focus", "toggle"] {
                assert!(values(&html, &format!("on{handler}")).is_empty(), "{page}: an inline handler, on{handler}");
            }
            for script in html.split("<script").skip(1).filter_map(|rest| rest.split('>').next()) {
                assert!(script.contains("nonce=\"sample\"") && script.contains("src="), "{page}: <script{script}>");
            }
        }
    }

    #[test]
    fn every_label_description_and_jump_leads_to_something_on_its_page() {
        for (page, html) in documents() {
            let ids = values(&html, "id");
            let unique: BTreeSet<&str> = ids.iter().copied().collect();
            assert_eq!(ids.len(), unique.len(), "{page}: an id is given twice: {ids:?}");
            let jumps = values(&html, "href").into_iter().filter_map(|href| href.strip_prefix('#')).filter(|id| !id.is_empty());
            let named = ["for", "aria-describedby", "aria-labelledby", "data-dialog", "data-copy-from"];
            let named = named.into_iter().flat_map(|attribute| values(&html, attribute)).flat_map(str::split_whitespace);
            for id in jumps.chain(named) {
                assert!(unique.contains(id), "{page}: nothing has the id {id}");
            }
        }
    }

    #[test]
    fn every_page_has_a_title_one_heading_and_one_main() {
        for (page, html) in documents() {
            assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{page}");
            for tag in ["<title>", "<h1>", "<main "] {
                assert_eq!(html.matches(tag).count(), 1, "{page}: {tag}");
            }
        }
    }

    #[test]
    fn passwords_are_never_sent_back() {
        for (page, html) in documents() {
            for input in html.split("<input").skip(1).filter_map(|rest| rest.split('>').next()) {
                let sent_back =
                    input.contains("type=\"password\"") && !values(input, "value").iter().all(|value| value.is_empty());
                assert!(!sent_back, "{page}: {input}");
            }
        }
    }
}
