//! Turns a page's view into the document sent to the browser.

use std::sync::Arc;

use hydration_context::SsrSharedContext;
use leptos::nonce::Nonce;
use leptos::prelude::*;

use super::Site;

/// Renders a whole document, as a shell draws it.
///
/// The nonce is fresh for every document and belongs into its `Content-Security-Policy`. Views find it with `use_nonce`
/// and the site's URLs with `expect_context::<Site>()`. Nothing reactive outlives the call.
pub fn render<V: IntoView>(site: Site, page: impl FnOnce(Nonce) -> V) -> (String, Nonce) {
    let nonce = Nonce::new();
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    let html = owner.with(|| {
        provide_context(nonce.clone());
        provide_context(site);
        page(nonce.clone()).into_view().to_html()
    });
    owner.cleanup();
    (html, nonce)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::IslandScripts;

    const SITE: Site = Site {
        css_url: "/pkg/x/countersign.css",
        vendor_css_url: "/pkg/x/vendor.css",
        enhance_url: "/pkg/x/enhance.js",
        js_url: "/pkg/x/countersign.js",
        wasm_url: "/pkg/x/countersign.wasm",
    };

    #[test]
    fn a_document_begins_with_its_doctype_and_escapes_what_it_shows() {
        let (html, _) =
            render(SITE, |_| view! { <!DOCTYPE html><html lang="en"><body title="\"><b>">{"<script>"}</body></html> });
        assert!(html.starts_with(r#"<!DOCTYPE html><html lang="en"><body title="&quot;&gt;&lt;b&gt;">&lt;script&gt;"#), "{html}");
    }

    #[test]
    fn scripts_carry_the_nonce_of_their_own_document() {
        let page = |_| view! { <html><head><IslandScripts /></head></html> };
        let (html, nonce) = render(SITE, page);
        assert!(
            html.contains(&format!(r#"<script type="module" src="/pkg/x/countersign.js" nonce="{nonce}"></script>"#)),
            "{html}"
        );
        let (_, other) = render(SITE, page);
        assert_ne!(nonce, other, "two documents share a nonce");
    }

    #[test]
    fn nothing_reactive_outlives_its_document() {
        let mut kept = None;
        let (html, _) = render(SITE, |_| {
            let signal = RwSignal::new(7);
            kept = Some(signal);
            view! { <html>{move || signal.get()}</html> }
        });
        assert!(html.contains('7'));
        assert!(kept.expect("the page ran").try_get_untracked().is_none(), "a signal is still alive");
    }
}
