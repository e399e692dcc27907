//! The document around every page: head, skip link, header, main, footer. One for customers, one for the vendor's staff.

use leptos::{prelude::*, tachys::html::InertElement};

use super::{
    ui::{Icon, Kind, Notice, PostButton, Sign, Tone},
    view::{Brand, Frame, StaffBadge, VendorFrame},
};

/// The customer's sections: address and name.
const CUSTOMER_NAV: [(&str, &str); 3] = [("/activate", "Activate"), ("/offline", "Offline"), ("/inspect", "Inspect a file")];

#[component]
pub fn CustomerShell(
    frame: Frame,
    #[prop(into)] title: String,
    /// The section this page belongs to, by its address.
    #[prop(optional)]
    here: &'static str,
    /// Not for search engines: results, refusals, anything about one person.
    #[prop(optional)]
    noindex: bool,
    /// What wakes the islands; a page without islands has none.
    #[prop(optional_no_strip)]
    scripts: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let brand = frame.brand.clone();
    let title = format!("{title} · {}", brand.name);
    let support = brand.support_link();
    let nav = CUSTOMER_NAV
        .into_iter()
        .map(|(href, name)| view! { <li><a href=href aria-current=(href == here).then_some("page")>{name}</a></li> })
        .collect_view();
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <Head frame=frame title=title noindex=noindex vendor=false scripts=scripts/>
            <body class="customer">
                <a class="skip" href="#main">"Skip to the page"</a>
                <header class="top"><div>
                    <BrandMark brand=brand.clone() href="/"/>
                    <nav aria-label="Portal"><ul role="list">{nav}</ul></nav>
                </div></header>
                <main id="main" tabindex="-1">{children()}</main>
                <footer class="foot"><div>
                    <span>{brand.name}</span>
                    {support.map(|to| view! { <a href=to.href>"Help: "{to.words}</a> })}
                </div></footer>
            </body>
        </html>
    }
}

/// The vendor's sections: address and name. Audit and settings are shown to those who may read them.
const VENDOR_NAV: [(&str, &str); 5] = [
    ("/vendor", "Home"),
    ("/vendor/licenses", "Licenses"),
    ("/vendor/orders", "Orders"),
    ("/vendor/products", "Products"),
    ("/vendor/refusals", "Refusals"),
];

#[component]
pub fn VendorShell(
    vendor: VendorFrame,
    #[prop(into)] title: String,
    #[prop(optional)] here: &'static str,
    /// For forms and single things: one readable column.
    #[prop(optional)]
    narrow: bool,
    #[prop(optional_no_strip)] scripts: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let VendorFrame { frame, staff, said } = vendor;
    let brand = frame.brand.clone();
    let title = format!("{title} · {}", brand.name);
    let link = move |(href, name): (&'static str, &'static str)| {
        view! { <li><a href=href aria-current=(href == here).then_some("page")>{name}</a></li> }
    };
    let sections = VENDOR_NAV.into_iter().map(link).collect_view();
    let mail = staff.manages_licenses.then(|| link(("/vendor/mail", "Mail")));
    let audit = staff.reads_audit.then(|| link(("/vendor/audit", "Audit")));
    let settings = staff.reads_settings.then(|| link(("/vendor/settings", "Settings")));
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <Head frame=frame title=title noindex=true vendor=true scripts=scripts/>
            <body class="vendor">
                <a class="skip" href="#main">"Skip to the page"</a>
                <header class="top"><div>
                    <BrandMark brand=brand href="/vendor"/>
                    <nav aria-label="Sections"><ul role="list">{sections}{mail}{audit}{settings}</ul></nav>
                    <form class="top-search end" role="search" aria-label="All licenses" method="get" action="/vendor/licenses">
                        <Icon sign=Sign::Search/>
                        <label class="unseen" for="top-q">"Search licenses by key, e-mail, order or computer id"</label>
                        <input class="input" id="top-q" type="search" name="q" placeholder="Key, e-mail, order, computer" autocomplete="off"/>
                    </form>
                    <StaffMenu staff=staff/>
                </div></header>
                <main id="main" tabindex="-1" class:narrow=narrow>
                    {said.map(|(tone, words)| view! { <Notice tone=tone><p>{words}</p></Notice> })}
                    {children()}
                </main>
            </body>
        </html>
    }
}

/// The vendor's document before anybody has signed in.
#[component]
pub fn VendorDoor(frame: Frame, #[prop(into)] title: String, children: Children) -> impl IntoView {
    let brand = frame.brand.clone();
    let title = format!("{title} · {}", brand.name);
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <Head frame=frame title=title noindex=true vendor=true scripts=None/>
            <body class="vendor">
                <header class="top"><div><BrandMark brand=brand href="/"/></div></header>
                <main id="main" tabindex="-1" class="counter">{children()}</main>
            </body>
        </html>
    }
}

#[component]
fn Head(frame: Frame, title: String, noindex: bool, vendor: bool, scripts: Option<AnyView>) -> impl IntoView {
    let Frame { brand, assets, nonce } = frame;
    view! {
        <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            {noindex.then(|| view! { <meta name="robots" content="noindex"/> })}
            {title_element(&title)}
            <link rel="icon" href=assets.icon/>
            <link rel="stylesheet" href=assets.stylesheet/>
            {vendor.then(|| view! { <link rel="stylesheet" href=assets.vendor_stylesheet/> })}
            <link rel="stylesheet" href=format!("/brand.css?{}", brand.revision)/>
            <script type="module" src=assets.enhance nonce=nonce></script>
            {scripts}
        </head>
    }
}

/// A title is text to the browser, comments included, and Leptos sets a comment after dynamic children: so it is written here,
/// escaped by hand.
fn title_element(title: &str) -> InertElement {
    let mut html = String::from("<title>");
    for letter in title.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            letter => html.push(letter),
        }
    }
    html.push_str("</title>");
    InertElement::new(html)
}

#[component]
fn BrandMark(brand: Brand, href: &'static str) -> impl IntoView {
    let logo = brand.logo_url.map(|src| view! { <img src=src alt=""/> });
    view! { <a class="brand" href=href>{logo}<span>{brand.name}</span></a> }
}

#[component]
fn StaffMenu(staff: StaffBadge) -> impl IntoView {
    let initials = staff.initials();
    view! {
        <details class="menu">
            <summary><span class="unseen">"Your account: "</span><span class="initials">{initials}</span></summary>
            <div>
                <p><strong>{staff.email}</strong><span class="sub">{staff.role}</span></p>
                <a href="/vendor/account">"Your password"</a>
                <PostButton action="/vendor/sign-out" kind=Kind::Plain>"Sign out"</PostButton>
            </div>
        </details>
    }
}

/// A page that says something once and offers a way on.
#[component]
pub fn Headline(
    #[prop(into)] title: String,
    /// A word or two above the heading, in its tone.
    #[prop(optional_no_strip)]
    over: Option<(Tone, String)>,
    #[prop(optional, into)] lede: Option<String>,
) -> impl IntoView {
    let over = over.map(|(tone, words)| {
        view! { <p class=format!("over state {}", tone.class())><Icon sign=tone.sign()/>{words}</p> }
    });
    view! { <div class="headline">{over}<h1>{title}</h1>{lede.map(|lede| view! { <p class="lede">{lede}</p> })}</div> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_end_early() {
        let html = title_element("A & B</title><script>").to_html();
        assert_eq!(html, "<title>A &amp; B&lt;/title&gt;&lt;script&gt;</title>");
    }
}
