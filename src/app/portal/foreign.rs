//! Pages that links made for other systems lead to: `/activate/file`, where a license file of Quick License Manager's kind is had,
//! `/release`, where a computer's seat is given back by a code of its app, and `/trial`.

use leptos::prelude::*;

use crate::app::{
    shell::{CustomerShell, Headline},
    ui::{Button, Card, Choice, Day, Fact, Facts, Field, FormState, PostForm, Select, State, Tone, When, through},
    view::{Frame, counted},
};
use crate::licensing::Timestamp;

#[component]
pub fn LicenseFilePage(
    frame: Frame,
    /// Fields `key`, `device_id`, `device_name`, `what`, and which product a link named; posts to `/activate/file`.
    form: FormState,
) -> impl IntoView {
    let fresh = form.value("key").is_empty();
    // Only links made for such apps ask for the other file.
    let files = (form.value("what") == "properties").then(|| {
        let files = vec![Choice::new("properties", "The product properties"), Choice::new("license", "The license file")];
        view! { <Select at=form.at("what") label="File" choices=files/> }
    });
    let named = ["product", "major", "minor"].map(|name| (name, form.value(name).to_owned()));
    let named = named.into_iter().filter(|(_, value)| !value.is_empty());
    let named = named.map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view();
    view! {
        <CustomerShell frame=frame title="Get a license file" here="/activate">
            <p class="crumb"><a href="/activate">"Activate with a key"</a></p>
            <Headline title="Get a license file" lede="For an app on a computer without a network: take the file there and open it in the app."/>
            <PostForm action="/activate/file" form=form.clone()>
                <Field at=form.at("key") label="Activation key" mono=true maxlength=128 autocomplete="off" autofocus=fresh/>
                <Field at=form.at("device_id") label="Computer id" mono=true maxlength=256 autocomplete="off" hint="Copy it from the app, exactly as it stands there."/>
                <Field at=form.at("device_name") label="Computer name" optional=true maxlength=128 autocomplete="off" hint="So that you can tell your computers apart later."/>
                {named}
                {files}
                <div class="actions"><Button>"Download the file"</Button></div>
            </PostForm>
            <p class="reference">"The app made a request file? "<a href="/offline">"Bring it here"</a>"."</p>
        </CustomerShell>
    }
}

#[component]
pub fn ReleasePage(
    frame: Frame,
    /// Fields `key`, `device_id`, `code`; posts to `/release`.
    form: FormState,
    /// The seat is free.
    done: bool,
    /// A code alone gives a seat back here.
    takes_codes: bool,
) -> impl IntoView {
    let body = if !takes_codes && !done {
        view! {
            <Headline title="Release a computer" lede="This portal takes no codes of apps."/>
            <p>"Make a release file in the app and "<a href="/offline">"bring it here"</a>". No app any more, or no such file? Ask support: they free the seat."</p>
        }
        .into_any()
    } else if done {
        view! {
            <Headline title="The computer is released" lede="Its seat is free for another one."/>
            <p class="reference"><a href="/activate">"Activate another computer"</a></p>
        }
        .into_any()
    } else {
        view! {
            <Headline title="Release a computer" lede="Deactivate the app on it first: it then shows a code."/>
            <PostForm action="/release" form=form.clone()>
                <Field at=form.at("key") label="Activation key" mono=true maxlength=128 autocomplete="off"/>
                <Field at=form.at("device_id") label="Computer id" mono=true maxlength=256 autocomplete="off"/>
                <Field at=form.at("code") label="Code from the app" mono=true maxlength=64 autocomplete="off" hint="It is good for the day it was made on."/>
                <div class="actions"><Button>"Release this computer"</Button></div>
            </PostForm>
            <p class="reference">"The app made a release file? "<a href="/offline">"Bring it here"</a>"."</p>
        }
        .into_any()
    };
    view! { <CustomerShell frame=frame title="Release a computer" here="">{body}</CustomerShell> }
}

/// A license as its customer may see it.
#[derive(Clone, Debug)]
pub struct LicenseView {
    /// `0:7;`; empty: none.
    pub features: String,
    /// Name and value.
    pub properties: Vec<(String, String)>,
    pub product: String,
    pub model: String,
    /// Why it is not good now, and what next.
    pub ended: Option<&'static str>,
    /// Exclusive.
    pub valid_until: Option<Timestamp>,
    pub maintenance_until: Option<Timestamp>,
    pub seats_taken: u64,
    pub seats: Option<u64>,
    pub computers: Vec<ComputerLine>,
}

/// A computer that holds a seat.
#[derive(Clone, Debug)]
pub struct ComputerLine {
    pub name: Option<String>,
    pub id_ends: String,
    pub since: Timestamp,
}

#[component]
pub fn LicenseInfoPage(
    frame: Frame,
    /// Field `key`; posts to `/license`.
    form: FormState,
    found: Vec<LicenseView>,
    now: Timestamp,
) -> impl IntoView {
    let is_found = !found.is_empty();
    let found = found.into_iter().map(|view| view! { <OneLicense view=view now=now/> }).collect_view();
    view! {
        <CustomerShell frame=frame title="Look at a license" here="" noindex=is_found>
            <Headline title="Look at a license" lede="What it is good for, until when, and which computers have it. Nothing is changed."/>
            {found}
            <PostForm action="/license" form=form.clone()>
                <Field at=form.at("key") label="Activation key" mono=true maxlength=128 autocomplete="off" autofocus=!is_found/>
                <div class="actions"><Button>"Show the license"</Button></div>
            </PostForm>
            <p class="reference">"The key is lost? "<a href="/lost-key">"Have it sent again"</a>"."</p>
        </CustomerShell>
    }
}

#[component]
fn OneLicense(view: LicenseView, now: Timestamp) -> impl IntoView {
    let (tone, state) = if view.ended.is_some() { (Tone::Refused, "not good now") } else { (Tone::Good, "good") };
    let seats = match view.seats {
        Some(seats) => format!("{} of {} taken", view.seats_taken, counted(seats, "seat", "seats")),
        None => format!("{} taken, no limit", counted(view.seats_taken, "seat", "seats")),
    };
    let computers = if view.computers.is_empty() {
        view! { <p class="hint">"No computer has it yet. "<a href="/activate">"Activate one"</a>"."</p> }.into_any()
    } else {
        let lines = view
            .computers
            .into_iter()
            .map(|line| {
                view! {
                    <li>
                        {line.name.unwrap_or_else(|| "A computer without a name".to_owned())}", "
                        <span class="mono">{line.id_ends}</span>", since "<When at=line.since now=now/>
                    </li>
                }
            })
            .collect_view();
        view! { <ul class="stack" role="list">{lines}</ul> }.into_any()
    };
    let ended = view.ended.map(|why| view! { <p>{why}</p> });
    let properties = (!view.properties.is_empty()).then(|| {
        let lines = view
            .properties
            .into_iter()
            .map(|(name, value)| view! { <li><span class="mono">{name}</span>": "<bdi>{value}</bdi></li> })
            .collect_view();
        view! { <Fact name="Properties"><ul class="stack close" role="list">{lines}</ul></Fact> }
    });
    view! {
        <Card title=view.product>
            <p><State tone=tone text=state/></p>
            {ended}
            <Facts>
                <Fact name="Kind">{view.model}</Fact>
                <Fact name="Good through">{match view.valid_until {
                    Some(end) => view! { <Day date=through(end)/> }.into_any(),
                    None => "No end".into_any(),
                }}</Fact>
                {view.maintenance_until.map(|end| view! { <Fact name="New versions until"><Day date=through(end)/></Fact> })}
                <Fact name="Seats">{seats}</Fact>
                {(!view.features.is_empty()).then(|| view! { <Fact name="Features"><span class="mono">{view.features}</span></Fact> })}
                {properties}
            </Facts>
            <h3>"Computers"</h3>
            {computers}
        </Card>
    }
}

#[component]
pub fn TrialPage(
    frame: Frame,
    /// Fields `email`, `name`, `product`; posts to `/trial`.
    form: FormState,
    /// Numbers and names.
    products: Vec<(String, String)>,
    done: bool,
) -> impl IntoView {
    let body = if done {
        let email = form.value("email").to_owned();
        view! {
            <Headline title="Look into your mail" lede="Nothing more has to be done here."/>
            <p>"A trial key is on its way to "<bdi class="mono">{email}</bdi>"."</p>
            <p class="hint">"No mail after a minute or two? Look into the folder for spam."</p>
        }
        .into_any()
    } else {
        let none = Choice::new("", "Choose a product");
        let choices = core::iter::once(none).chain(products.into_iter().map(|(number, name)| Choice::new(number, name)));
        view! {
            <Headline title="Try it" lede="The key comes by mail."/>
            <PostForm action="/trial" form=form.clone()>
                <Select at=form.at("product") label="Product" choices=choices.collect()/>
                <Field at=form.at("email") label="E-mail address" kind="email" maxlength=254 autocomplete="email"/>
                <Field at=form.at("name") label="Name" optional=true maxlength=200 autocomplete="name"/>
                <div class="actions"><Button>"Send me a trial key"</Button></div>
            </PostForm>
        }
        .into_any()
    };
    view! { <CustomerShell frame=frame title="Try it" here="">{body}</CustomerShell> }
}
