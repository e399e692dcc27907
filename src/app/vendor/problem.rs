//! What stood in the way, for signed-in staff: the words of the customer's page, with ways on that staff has.

use leptos::prelude::*;

use crate::app::{
    portal::Problem,
    shell::VendorShell,
    ui::{Card, CopyButton, Kind, LinkButton},
    view::VendorFrame,
};

#[component]
pub fn VendorProblemPage(vendor: VendorFrame, problem: Problem) -> impl IntoView {
    let (title, text) = match &problem {
        Problem::TooLarge { most_kib } => (
            "This is longer than a form can be".to_owned(),
            format!(
                "Forms here hold up to {most_kib} KB. Shorten what was typed or pasted and send it again. Nothing was changed."
            ),
        ),
        other => other.words(),
    };
    let reference = match problem {
        Problem::Fault { reference } => Some(view! {
            <p>"It stands in the portal’s log under "<strong class="mono">{reference.clone()}</strong>"."</p>
            <div class="actions"><CopyButton text=reference label="Copy the reference"/></div>
        }),
        _ => None,
    };
    view! {
        <VendorShell vendor=vendor title=title.clone() narrow=true>
            <div class="page-head"><h1>{title}</h1></div>
            <Card>
                <p>{text}</p>
                {reference}
                <div class="actions"><LinkButton href="/vendor" kind=Kind::Plain>"To the home page"</LinkButton></div>
            </Card>
        </VendorShell>
    }
}
