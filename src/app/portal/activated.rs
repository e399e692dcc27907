//! `/activations/{token}`: the computer key first, then the file, then what to do with them.

use leptos::prelude::*;

use crate::{
    app::{
        shell::{CustomerShell, Headline},
        ui::{Card, CopyFrom, Day, Fact, Facts, Icon, Kind, LinkButton, Sign, Tone, When, through},
        view::{Frame, counted},
    },
    licensing::Timestamp,
};

#[derive(Clone, Debug)]
pub struct ActivatedView {
    pub product: String,
    /// The last group of the activation key.
    pub key_ends: String,
    pub device_id: String,
    pub device_name: Option<String>,
    pub computer_key: String,
    /// Address and name of the same license as a file.
    pub download: String,
    pub file_name: String,
    pub activated_at: Timestamp,
    /// Exclusive.
    pub valid_until: Option<Timestamp>,
    pub maintenance_until: Option<Timestamp>,
    pub seats_taken: u64,
    /// None: as many as there are machines.
    pub seats: Option<u64>,
}

#[component]
pub fn ActivatedPage(frame: Frame, view: ActivatedView) -> impl IntoView {
    let machine = view.device_name.clone().unwrap_or_else(|| "this computer".to_owned());
    let seats = match view.seats {
        Some(seats) => format!("{} of {} taken", view.seats_taken, counted(seats, "seat", "seats")),
        None => format!("{} taken, no limit", counted(view.seats_taken, "seat", "seats")),
    };
    view! {
        <CustomerShell frame=frame title="Activated" here="/activate" noindex=true>
            <Headline over=Some((Tone::Good, "Activated".to_owned())) title=format!("{} is ready on {machine}", view.product)
                lede="Take the computer key below back to the app. That is all it needs."/>
            <Card title="Computer key">
                <div class="copy-box">
                    <code class="code-box" id="computer-key" tabindex="0">{view.computer_key}</code>
                    <div class="actions">
                        <CopyFrom from="computer-key" label="Copy the computer key" kind=Kind::Primary/>
                        <LinkButton href=view.download kind=Kind::Plain download=view.file_name.clone()>
                            <Icon sign=Sign::Down/>{format!("Download {}", view.file_name)}
                        </LinkButton>
                    </div>
                    <p class="hint">"The file holds the same license. Use whichever the app asks for."</p>
                </div>
            </Card>
            <section class="stack" aria-labelledby="now">
                <h2 id="now">"What now"</h2>
                <ol class="what-now">
                    <li>"Go back to the app on "{machine}"."</li>
                    <li>"Paste the computer key where it asks for one, or open the file there."</li>
                    <li>"Keep this page’s address if you may need the file again. Whoever has the address can open it."</li>
                </ol>
            </section>
            <Card title="What was granted">
                <Facts>
                    <Fact name="Product">{view.product}</Fact>
                    <Fact name="Key ending"><span class="mono">{format!("…{}", view.key_ends)}</span></Fact>
                    <Fact name="Computer id"><span class="mono">{view.device_id}</span></Fact>
                    <Fact name="Activated"><When at=view.activated_at/></Fact>
                    <Fact name="Good through">{match view.valid_until {
                        Some(end) => view! { <Day date=through(end)/> }.into_any(),
                        None => "No end".into_any(),
                    }}</Fact>
                    {view.maintenance_until.map(|end| view! { <Fact name="New versions until"><Day date=through(end)/></Fact> })}
                    <Fact name="Seats">{seats}</Fact>
                </Facts>
            </Card>
        </CustomerShell>
    }
}
