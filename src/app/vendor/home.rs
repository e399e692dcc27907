//! `/vendor`: what needs attention, and nothing else.

use leptos::prelude::*;

use super::refusals::{RefusalRow, RefusalTable};
use crate::{
    app::{
        shell::VendorShell,
        ui::{Card, Empty, Kind, LinkButton, Notice, Tone},
        view::{VendorFrame, count},
    },
    licensing::Timestamp,
};

#[derive(Clone, Debug)]
pub struct HomeView {
    pub attention: Vec<Attention>,
    pub tallies: Vec<Tally>,
    /// The newest few of the last seven days.
    pub refusals: Vec<RefusalRow>,
    /// Nothing has been sold yet: the page then shows the first steps.
    pub has_products: bool,
    pub has_licenses: bool,
    pub now: Timestamp,
}

/// Something that will not mend itself: a key about to retire, a disk that is full.
#[derive(Clone, Debug)]
pub struct Attention {
    pub tone: Tone,
    pub text: String,
    pub link: Option<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct Tally {
    pub label: String,
    pub figure: u64,
    pub href: Option<String>,
}

#[component]
pub fn VendorHomePage(vendor: VendorFrame, view: HomeView) -> impl IntoView {
    let HomeView { attention, tallies, refusals, has_products, has_licenses, now } = view;
    let may_issue = vendor.staff.manages_licenses && has_products;
    let attention = attention
        .into_iter()
        .map(|item| {
            let link = item.link.map(|(words, href)| view! { " "<a href=href>{words}</a> });
            view! { <Notice tone=item.tone><p>{item.text}{link}</p></Notice> }
        })
        .collect_view();
    let tallies = tallies
        .into_iter()
        .map(|tally| {
            let label = match tally.href {
                Some(href) => view! { <a href=href>{tally.label}</a> }.into_any(),
                None => view! { <span>{tally.label}</span> }.into_any(),
            };
            view! { <li><span class="figure">{count(tally.figure)}</span>{label}</li> }
        })
        .collect_view();
    let ask = |may: bool| (!may).then(|| view! { <p>"An admin or owner of the team does that."</p> });
    let first_step = if !has_products {
        let may = vendor.staff.manages_products;
        Some(view! {
            <Empty title="Start with a product">
                <p>"A product is what you sell licenses of: a name, a code your app sends, and the rules for its activations."</p>
                {may.then(|| view! { <LinkButton href="/vendor/products/new">"Add a product"</LinkButton> })}
                {ask(may)}
            </Empty>
        })
    } else if !has_licenses {
        Some(view! {
            <Empty title="Issue the first license">
                <p>"Each license has an activation key. Give it to a customer, and watch it being activated here."</p>
                {may_issue.then(|| view! { <LinkButton href="/vendor/licenses/new">"Issue a license"</LinkButton> })}
            </Empty>
        })
    } else {
        None
    };
    let recent = if refusals.is_empty() {
        view! { <p>"Nobody was refused in the last seven days."</p> }.into_any()
    } else {
        view! { <RefusalTable rows=refusals now=now/> }.into_any()
    };
    let all = view! { <a href="/vendor/refusals">"All refusals"</a> }.into_any();
    view! {
        <VendorShell vendor=vendor title="Home" here="/vendor">
            <div class="page-head">
                <h1>"Home"</h1>
                {may_issue.then(|| view! { <div class="actions"><LinkButton href="/vendor/licenses/new" kind=Kind::Primary>"Issue a license"</LinkButton></div> })}
            </div>
            {attention}
            {first_step}
            {has_products.then(|| view! { <ul class="tallies" role="list">{tallies}</ul> })}
            <Card title="Refused in the last seven days" aside=Some(all)>{recent}</Card>
        </VendorShell>
    }
}
