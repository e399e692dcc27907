//! A refusal: what stood in the way, why, the way out, and last the reference for those who can look it up.

use leptos::prelude::*;

use super::home::AskSupport;
use crate::{
    app::{
        shell::{CustomerShell, Headline},
        ui::{Card, CopyButton, Icon, Kind, LinkButton, Sign, Tone, When},
        view::{Frame, Support},
    },
    licensing::{Timestamp, decide::Holder, words::Words},
};

#[derive(Clone, Debug)]
pub struct RefusalView {
    pub words: Words,
    /// The machines that hold the seats, if that is what stood in the way.
    pub holders: Vec<Holder>,
    pub reference: String,
    /// Where the customer came from: `/activate` or `/offline`.
    pub back: &'static str,
    /// Whether a request file can do what was refused.
    pub files_help: bool,
    pub now: Timestamp,
}

#[component]
pub fn RefusalPage(frame: Frame, view: RefusalView) -> impl IntoView {
    let RefusalView { words, holders, reference, back, files_help, now } = view;
    let support = frame.brand.support_link();
    let again = if back == "/offline" { "Bring another file" } else { "Back to the form" };
    let way_out = if holders.is_empty() {
        view! {
            <Card title="What you can do">
                <p>{words.next.to_string()}</p>
                <Ways again=again back=back files_help=files_help/>
            </Card>
        }
        .into_any()
    } else {
        view! {
            <Card title="Free one of these machines">
                <Seats holders=holders now=now/>
                <p>"In the app on one of them, release the license. If it has no network, let the app make a release request and bring that file to "<a href="/offline">"the offline page"</a>"."</p>
                <p>"A machine you no longer have: support can free it, with the reference below."</p>
                <Ways again=again back=back files_help=files_help/>
            </Card>
        }
        .into_any()
    };
    view! {
        <CustomerShell frame=frame title=words.what.to_string() here=back noindex=true>
            <Headline over=Some((Tone::Refused, "Not activated".to_owned())) title=words.what.to_string() lede=words.why.to_string()/>
            {way_out}
            <Reference reference=reference support=support/>
        </CustomerShell>
    }
}

#[component]
fn Ways(again: &'static str, back: &'static str, files_help: bool) -> impl IntoView {
    view! {
        <div class="actions">
            <LinkButton href=back kind=Kind::Plain>{again}</LinkButton>
            {(files_help && back != "/offline").then(|| view! { <LinkButton href="/offline" kind=Kind::Quiet>"Use request files"</LinkButton> })}
        </div>
    }
}

/// Machines that hold seats, as much of each as a stranger with the key may see.
#[component]
pub fn Seats(holders: Vec<Holder>, now: Timestamp) -> impl IntoView {
    let rows = holders
        .into_iter()
        .map(|holder| {
            let name = holder.name.map_or_else(|| "A machine without a name".to_owned(), |name| name.as_str().to_owned());
            view! {
                <li>
                    <Icon sign=Sign::Machine/>
                    <strong><bdi>{name}</bdi></strong>
                    <span class="hint">"id ends in "<bdi class="mono">{holder.id_ends.trim_start_matches('…').to_owned()}</bdi>" · since "<When at=holder.since now=now/></span>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="seats" role="list">{rows}</ul> }
}

/// The reference support staff search for.
#[component]
pub fn Reference(reference: String, #[prop(optional_no_strip)] support: Option<Support>) -> impl IntoView {
    view! {
        <section class="stack reference" aria-label="For support">
            <p>"Reference "<strong class="mono">{reference.clone()}</strong>". Support can see with it what was asked and why it was refused."</p>
            <div class="actions"><CopyButton text=reference label="Copy the reference"/></div>
            <AskSupport support=support/>
        </section>
    }
}
