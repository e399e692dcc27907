//! `/vendor/products/{code}`: its versions, features and rules.

use leptos::prelude::*;

use super::{
    events::{EventRow, Events},
    keys::WeakDocuments,
    policies::{Policies, PolicyLine},
};
use crate::{
    app::{
        shell::VendorShell,
        ui::{
            Button, Card, Choice, Column, Day, Empty, Field, FormState, Kind, Lines, LinkButton, PostButton, PostForm, Select,
            State, Tab, Table, Tabs, Tick, Tone,
        },
        view::{VendorFrame, counted},
    },
    licensing::{Date, Timestamp},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProductTab {
    #[default]
    Versions,
    Features,
    Policies,
    Rules,
    History,
}

impl ProductTab {
    /// From `?tab=`; anything else is the first.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "features" => Self::Features,
            "policies" => Self::Policies,
            "rules" => Self::Rules,
            "history" => Self::History,
            _ => Self::Versions,
        }
    }

    const fn query(self) -> &'static str {
        match self {
            Self::Versions => "",
            Self::Features => "?tab=features",
            Self::Policies => "?tab=policies",
            Self::Rules => "?tab=rules",
            Self::History => "?tab=history",
        }
    }
}

#[derive(Clone, Debug)]
pub struct ProductView {
    pub tab: ProductTab,
    pub code: String,
    pub name: String,
    pub number: Option<i64>,
    pub enabled: bool,
    pub licenses: u64,
    pub versions: Vec<VersionLine>,
    pub features: Vec<FeatureLine>,
    pub policies: Vec<PolicyLine>,
    pub history: Vec<EventRow>,
    /// Fields `version`, `released`, `channel`, `env`, `url`, `hash`, `size`, `requires`, `eula`, `notes`; posts to `…/versions`.
    pub version: FormState,
    /// Fields `code`, `name`, `kind`; posts to `…/features`.
    pub feature: FormState,
    /// Fields `code`, `name`, `seats`, `ends`, `air_gapped`; posts to `…/policies`.
    pub policy: FormState,
    /// The rules, by the names in `ProductRules`, with `name` and `number`; posts to `…/edit`.
    pub rules: FormState,
    /// What is wrong with how its documents for clients of old are signed.
    pub weak: Option<String>,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct VersionLine {
    pub number: String,
    pub released: Date,
    pub channel: String,
    /// The system it is for, as apps name it; each when empty.
    pub env: String,
    pub url: Option<String>,
}

#[derive(Clone, Debug)]
pub struct FeatureLine {
    pub code: String,
    pub name: String,
    pub counted: bool,
    pub licenses: u64,
}

#[component]
pub fn ProductPage(vendor: VendorFrame, view: ProductView) -> impl IntoView {
    let may = vendor.staff.manages_products;
    let may_issue = vendor.staff.manages_licenses;
    let path = format!("/vendor/products/{}", view.code);
    let tab = |tab: ProductTab, words: String| Tab::new(words, format!("{path}{}", tab.query()), tab == view.tab);
    let mut tabs = vec![
        tab(ProductTab::Versions, format!("Versions {}", view.versions.len())),
        tab(ProductTab::Features, format!("Features {}", view.features.len())),
        tab(ProductTab::Policies, format!("Policies {}", view.policies.len())),
    ];
    if may {
        tabs.push(tab(ProductTab::Rules, "Rules".to_owned()));
    }
    tabs.push(tab(ProductTab::History, "History".to_owned()));
    let (tone, state) = if view.enabled { (Tone::Good, "enabled") } else { (Tone::Caution, "paused") };
    let licenses = counted(view.licenses, "license", "licenses");
    let body = match view.tab {
        ProductTab::Versions => {
            view! { <Versions path=path.clone() versions=view.versions form=view.version may=may/> }.into_any()
        }
        ProductTab::Features => {
            view! { <FeatureLines path=path.clone() features=view.features form=view.feature may=may/> }.into_any()
        }
        ProductTab::Policies => {
            view! { <Policies path=path.clone() policies=view.policies form=view.policy may=may may_issue=may_issue && view.enabled/> }.into_any()
        }
        ProductTab::Rules if may => {
            let weak = view.weak.map(|why| view! { <WeakDocuments of=vec![(view.code.clone(), why)]/> });
            view! {
                {weak}
                <Rules path=path.clone() form=view.rules enabled=view.enabled/>
            }
            .into_any()
        }
        ProductTab::Rules | ProductTab::History => {
            view! { <Card title="History"><Events events=view.history now=view.now/></Card> }.into_any()
        }
    };
    view! {
        <VendorShell vendor=vendor title=view.name.clone() here="/vendor/products">
            <p class="crumb"><a href="/vendor/products">"Products"</a></p>
            <div class="page-head">
                <h1>{view.name}</h1>
                <State tone=tone text=state/>
                <span class="hint"><span class="mono">{view.code.clone()}</span>{view.number.map(|number| format!(" · number {number}"))}" · "
                    <a href=format!("/vendor/licenses?product={}", view.code)>{licenses}</a></span>
                {may_issue.then(|| view! {
                    <div class="actions"><LinkButton href=format!("/vendor/licenses/new?product={}", view.code) kind=Kind::Plain>"Issue a license"</LinkButton></div>
                })}
            </div>
            <Tabs label="Parts of this product" tabs=tabs/>
            {body}
        </VendorShell>
    }
}

#[component]
fn Versions(path: String, versions: Vec<VersionLine>, form: FormState, may: bool) -> impl IntoView {
    let list = if versions.is_empty() {
        view! {
            <Empty title="No versions yet">
                <p>"Versions matter to licenses with maintenance: one that ends in March covers what was released until March. Without versions nothing is refused for its version."</p>
            </Empty>
        }
        .into_any()
    } else {
        let rows = versions
            .into_iter()
            .map(|line| {
                let download = line
                    .url
                    .filter(|url| url.starts_with("https://"))
                    .map(|url| view! { <a href=url.clone() rel="noreferrer">{url.clone()}</a> });
                let system = Some(line.env).filter(|env| !env.is_empty()).unwrap_or_else(|| "any".to_owned());
                view! {
                    <tr>
                        <td class="mono">{line.number}<span class="sub narrow">{line.channel.clone()}", "{system.clone()}</span></td>
                        <td><Day date=line.released/></td>
                        <td class="wide">{line.channel}</td>
                        <td class="wide">{system}</td>
                        <td class="wide">{download}</td>
                    </tr>
                }
            })
            .collect_view();
        let columns = vec![
            Column::new("Version"),
            Column::new("Released"),
            Column::new("Channel").wide(),
            Column::new("System").wide(),
            Column::new("Download").wide(),
        ];
        view! { <Table caption="Versions" columns=columns>{rows}</Table> }.into_any()
    };
    let open = ["size", "requires", "notes", "eula"].iter().any(|name| !form.value(name).is_empty());
    let add = may.then(|| {
        view! {
            <Card title="Add a version">
                <PostForm action=format!("{path}/versions") form=form.clone()>
                    <div class="row">
                        <Field at=form.at("version") label="Version" hint="Like 4.2." mono=true/>
                        <Field at=form.at("released") label="Released on" kind="date" hint="Decides which maintenance covers it."/>
                    </div>
                    <div class="row">
                        <Field at=form.at("channel") label="Channel" optional=true hint="Stable when empty."/>
                        <Field at=form.at("env") label="System" optional=true hint="As apps name it, like win64. Empty: any."/>
                    </div>
                    <Field at=form.at("url") label="Download address" kind="url" optional=true/>
                    <Field at=form.at("hash") label="MD5 or SHA-256 of the download" mono=true optional=true maxlength=64 hint="LicenseSpring’s clients compare the MD5."/>
                    <details class="more" open=open>
                        <summary>"More about the download"</summary>
                        <div class="stack">
                            <div class="row">
                                <Field at=form.at("size") label="Size" suffix="bytes" inputmode="numeric" optional=true/>
                                <Field at=form.at("requires") label="Updates from" mono=true optional=true hint="The oldest version it can update."/>
                            </div>
                            <Field at=form.at("notes") label="Address of the release notes" kind="url" optional=true/>
                            <Field at=form.at("eula") label="Address of the license agreement" kind="url" optional=true/>
                        </div>
                    </details>
                    <div class="actions"><Button>"Add the version"</Button></div>
                </PostForm>
            </Card>
        }
    });
    view! { <div class="sides"><div>{list}</div><div>{add}</div></div> }
}

#[component]
fn FeatureLines(path: String, features: Vec<FeatureLine>, form: FormState, may: bool) -> impl IntoView {
    let list = if features.is_empty() {
        view! {
            <Empty title="No features yet">
                <p>"A feature switches a part of the product on for some licenses, or counts how often it is used."</p>
            </Empty>
        }
        .into_any()
    } else {
        let rows = features
            .into_iter()
            .map(|line| {
                view! {
                    <tr>
                        <td>{line.name}<span class="sub mono">{line.code}</span></td>
                        <td>{if line.counted { "counted" } else { "on or off" }}</td>
                        <td class="num">{crate::app::view::count(line.licenses)}</td>
                    </tr>
                }
            })
            .collect_view();
        let columns = vec![Column::new("Feature"), Column::new("Kind"), Column::new("Licenses").numeric()];
        view! { <Table caption="Features" columns=columns>{rows}</Table> }.into_any()
    };
    let add = may.then(|| {
        let kinds = vec![Choice::new("activation", "On or off"), Choice::new("consumption", "Counted")];
        view! {
            <Card title="Add a feature">
                <PostForm action=format!("{path}/features") form=form.clone()>
                    <Field at=form.at("name") label="Name" maxlength=128/>
                    <Field at=form.at("code") label="Code" mono=true maxlength=64 hint="The app asks for it by this code."/>
                    <Select at=form.at("kind") label="Kind" choices=kinds/>
                    <div class="actions"><Button>"Add the feature"</Button></div>
                </PostForm>
            </Card>
        }
    });
    view! { <div class="sides"><div>{list}</div><div>{add}</div></div> }
}

#[component]
fn Rules(path: String, form: FormState, enabled: bool) -> impl IntoView {
    let (act, words, text) = if enabled {
        ("pause", "Pause activations", "Nothing new is activated while it is paused. Machines that run go on.")
    } else {
        ("resume", "Resume activations", "Nothing new is activated at present. Machines that run go on.")
    };
    let device_key = vec![
        Choice::new("optional", "Used where the app has one"),
        Choice::new("required", "Required: the web form then asks for a request file"),
    ];
    let details = vec![
        Choice::new("id", "The computer id alone"),
        Choice::new("names", "Id and name"),
        Choice::new("all", "Everything the app tells"),
    ];
    view! {
        <PostForm action=format!("{path}/edit") form=form.clone()>
            <Card title="Name" clone:form>
                <div class="row">
                    <Field at=form.at("name") label="Name" maxlength=128/>
                    <Field at=form.at("number") label="Number" inputmode="numeric" optional=true/>
                </div>
            </Card>
            <Card title="Machines" clone:form>
                <Select at=form.at("device_key") label="Device keys" choices=device_key hint="A key only the machine holds. With it nobody else can use or release the machine’s seat."/>
                <div class="row">
                    <Field at=form.at("rebinds_per_year") label="New device keys a year" inputmode="numeric" hint="How often one computer id may come with a new key, after being set up anew."/>
                    <Field at=form.at("offline_releases_per_year") label="Releases by file a year" inputmode="numeric" hint="A release by file is a promise: an app that kept its file could go on."/>
                    <Field at=form.at("min_hold_hours") label="Held at least" suffix="hours" inputmode="numeric" hint="Before a seat can be released by file."/>
                    <Field at=form.at("offline_lease_days") label="Files last" suffix="days" inputmode="numeric" optional=true hint="Then the app needs a fresh file. Empty: as long as the license."/>
                </div>
                <Select at=form.at("device_details") label="Kept of each machine" choices=details/>
                <Tick at=form.at("refuse_virtual_machines") label="Refuse virtual machines" hint="The app has to tell; one that lies is not found out."/>
                <Tick at=form.at("trust_airgap_deactivation") label="Customers release air-gapped machines by codes" hint="Whoever has the activation key can make such a code without the machine. Otherwise staff begins each release."/>
            </Card>
            <Card title="Trials and floating licenses" clone:form>
                <div class="row">
                    <Field at=form.at("trial_days") label="Trial" suffix="days" inputmode="numeric" hint="0: no trials."/>
                    <Field at=form.at("floating_timeout_minutes") label="A slot is freed after" suffix="minutes" inputmode="numeric" hint="Without a sign of life."/>
                </div>
            </Card>
            <Card title="Properties" clone:form>
                <Lines at=form.at("properties") label="Product properties" optional=true mono=true rows=4
                    hint="One a line, like “quality.rows: int = 100 # Rows of a report”. Types are int, bool, string, ipAddress, ipSubnet, csv. “app” after the type lets apps set it. Empty: calls may name any."/>
            </Card>
            <Card title="For older apps">
                <Tick at=form.at("trust_v1_deactivation") label="Old LicenseSpring files may release seats" hint="Their signature does not cover what they ask for: whoever has an older file of a machine could release it."/>
                <Tick at=form.at("legacy_clients") label="Sign for apps of before 2016" hint="Those check SHA-1, which can be forged at a price. Only where such apps are still in use, and only by a key brought along from the server they were made for."/>
                <Tick at=form.at("qlm_keys") label="Keys shaped as Quick License Manager’s" hint="What shops order by its methods gets such keys. For apps that look at a key’s first letter."/>
            </Card>
            <div class="actions"><Button>"Save the rules"</Button></div>
        </PostForm>
        <Card title="Activations">
            <p>{text}</p>
            <PostButton action=format!("{path}/{act}") kind=Kind::Plain>{words}</PostButton>
        </Card>
    }
}
