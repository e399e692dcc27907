//! The tags that load the browser's part. Only pages with islands ask for it; the others ship no script at all.

use leptos::prelude::*;

use super::view::Assets;

/// Where the built site's files are found: content-hashed paths, the same for as long as the process lives.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    pub css_url: &'static str,
    pub vendor_css_url: &'static str,
    pub enhance_url: &'static str,
    pub js_url: &'static str,
    pub wasm_url: &'static str,
}

impl From<Site> for Assets {
    fn from(site: Site) -> Self {
        Self {
            stylesheet: site.css_url.to_owned(),
            vendor_stylesheet: site.vendor_css_url.to_owned(),
            enhance: site.enhance_url.to_owned(),
            ..Self::default()
        }
    }
}

/// What pages with islands give their shell. Nothing where no built site is known, as in a test.
pub fn island_scripts() -> Option<AnyView> {
    use_context::<Site>().map(|_| view! { <IslandScripts/> }.into_any())
}

/// For the `<head>` of a page with islands. The script carries the nonce the policy asks for; the WASM is announced
/// beside it, so that both arrive in one round trip.
#[component]
pub fn IslandScripts() -> impl IntoView {
    let Site { js_url, wasm_url, .. } = expect_context::<Site>();
    view! {
        <link rel="preload" href=wasm_url r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
        <script type="module" src=js_url nonce=leptos::nonce::use_nonce()></script>
    }
}
