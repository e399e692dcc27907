//! `/vendor/licenses/{id}`: the first line answers "can it be activated now?"; then who has it, what it holds, what happened.

use leptos::prelude::*;

use super::{
    events::{EventRow, Events},
    licenses::{Ends, Standing, ends_view, seats_short},
    list::Address,
    refusals::{RefusalRow, RefusalTable},
};
use crate::{
    app::{
        shell::VendorShell,
        ui::{
            Button, Card, Column, CopyButton, CopyFrom, Day, Dialog, DialogLink, Empty, Fact, Facts, Field, FormState, Icon,
            Kind, Mail, Notice, PostButton, PostForm, Sign, State, Tab, Table, Tabs, Tick, Tone, When, through,
        },
        view::{VendorFrame, counted},
    },
    licensing::Timestamp,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LicenseTab {
    #[default]
    Machines,
    Features,
    Edit,
    Refusals,
    History,
    Message,
}

impl LicenseTab {
    /// From `?tab=`; anything else is the first.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "features" => Self::Features,
            "edit" => Self::Edit,
            "refusals" => Self::Refusals,
            "history" => Self::History,
            "message" => Self::Message,
            _ => Self::Machines,
        }
    }

    const fn query(self) -> &'static str {
        match self {
            Self::Machines => "",
            Self::Features => "?tab=features",
            Self::Edit => "?tab=edit",
            Self::Refusals => "?tab=refusals",
            Self::History => "?tab=history",
            Self::Message => "?tab=message",
        }
    }
}

#[derive(Clone, Debug)]
pub struct LicenseView {
    pub id: i64,
    pub tab: LicenseTab,
    /// The whole key, for those who may see it; nothing for licenses of users.
    pub key: Option<String>,
    pub product: String,
    pub product_code: String,
    pub standing: Standing,
    /// When, by whom and why it was disabled or archived.
    pub put_away: Option<(Timestamp, String, String)>,
    /// Whether a new machine would be let in now, and the reason in one sentence.
    pub can_activate: bool,
    pub because: String,
    /// "perpetual", "subscription", …
    pub kind: String,
    pub trial: bool,
    pub seats_taken: u64,
    pub seats: Option<u64>,
    /// Of a floating license: slots in use, how many there are, and for how many hours one may be borrowed.
    pub floating: Option<(u32, u32, u32)>,
    pub ends: Ends,
    pub grace_hours: u32,
    pub start: Option<Timestamp>,
    /// Exclusive; none: every version is covered.
    pub maintenance_until: Option<Timestamp>,
    pub offline_allowed: bool,
    /// Activated by codes alone, and never edited or renewed.
    pub air_gapped: bool,
    /// "2 of 3 used", "any number".
    pub transfers: String,
    pub customer: Option<String>,
    /// The order's reference and id.
    pub order: Option<(String, i64)>,
    pub issued_at: Timestamp,
    pub note: Option<String>,
    /// Custom fields.
    pub fields: Vec<(String, String)>,
    /// Of a license that was made or changed through Quick License Manager's methods.
    pub qlm: Option<QlmFacts>,
    pub users: Vec<UserLine>,
    pub machines: Vec<Machine>,
    /// There are more than those.
    pub more_machines: bool,
    /// Why no license file can be made now.
    pub no_files: Option<String>,
    pub features: Vec<FeatureRow>,
    pub history: Vec<EventRow>,
    pub more_history: bool,
    /// When a counter of an app was last lower than before, and on which machine.
    pub lower_counter: Option<(Timestamp, String)>,
    pub refusals: Vec<RefusalRow>,
    pub more_refusals: bool,
    /// Fields `seats`, `valid_until`, `maintenance_until`, `transfers`, `offline`, `note`; posts to `…/edit`.
    pub edit: FormState,
    /// Fields `valid_until`, `maintenance_until`; posts to `…/renew`.
    pub renew: FormState,
    /// Field `reason`; posts to `…/disable`.
    pub disable: FormState,
    /// Field `reason`, where revoking a machine came back: the machine, and the form.
    pub revoke: Option<(i64, FormState)>,
    /// A message to send to the customer, built from the license.
    pub message: String,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct Machine {
    /// The activation's id.
    pub id: i64,
    pub device_id: String,
    pub name: Option<String>,
    pub state: MachineState,
    /// "online", "by file".
    pub how: String,
    pub last_seen: Option<Timestamp>,
    /// What it says of itself: operating system, app, library; names and values.
    pub details: Vec<(String, String)>,
    /// What the app keeps here of its machine.
    pub variables: Vec<(String, String)>,
    /// The file is tied to a key that only this machine holds.
    pub device_key: bool,
    /// Of floating licenses and features.
    pub slots: Vec<MachineSlot>,
}

#[derive(Clone, Debug)]
pub struct MachineSlot {
    /// None: of the license itself.
    pub feature: Option<String>,
    pub borrowed: bool,
    /// None: as long as the machine is activated.
    pub until: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub enum MachineState {
    Active { since: Timestamp },
    Released { at: Timestamp, by: String },
    Revoked { at: Timestamp, reason: String },
}

#[derive(Clone, Debug)]
pub struct FeatureRow {
    pub code: String,
    pub name: String,
    /// Exclusive.
    pub valid_until: Option<Timestamp>,
    pub used: Option<i64>,
    pub max: Option<u64>,
    /// Of a floating feature: slots in use, and how many there are.
    pub floating: Option<(u32, u32)>,
}

/// What such a license holds beside its other facts; what it does not say is left out.
#[derive(Clone, Debug)]
pub struct QlmFacts {
    /// "permanent", "subscription floating", …
    pub model: String,
    /// "2.1".
    pub version: Option<String>,
    /// "0:7;1:2;".
    pub features: Option<String>,
    /// Seats that an app counts by itself; none of others.
    pub floating_seats: Option<u32>,
    /// "virtual machines only".
    pub computer_type: Option<String>,
    pub reseller: Option<String>,
    pub user_data: Option<String>,
    /// The key it had elsewhere, for those who may see keys.
    pub old_key: Option<String>,
    /// Its own limits on giving seats back: "up to 3 times, counted over 30 days".
    pub releases: Option<String>,
    pub properties: Vec<QlmProperty>,
}

#[derive(Clone, Debug)]
pub struct QlmProperty {
    /// "quality.rows".
    pub name: String,
    pub value: String,
    /// Exclusive.
    pub valid_until: Option<Timestamp>,
}

/// A named user, and what they have of the license.
#[derive(Clone, Debug)]
pub struct UserLine {
    pub email: String,
    /// Whether they still have the password that was made for them.
    pub first_password: bool,
    /// As many as the license has where none.
    pub seats: Option<u32>,
    pub machines: u32,
}

#[component]
pub fn LicensePage(vendor: VendorFrame, view: LicenseView) -> impl IntoView {
    let may = vendor.staff.manages_licenses;
    let path = format!("/vendor/licenses/{}", view.id);
    let name = view.key.clone().unwrap_or_else(|| format!("License {}", view.id));
    let copy_key = view.key.clone().map(|key| view! { <CopyButton text=key label="Copy"/> });
    let tab = view.tab;
    let label = |tab: LicenseTab, words: String| Tab::new(words, format!("{path}{}", tab.query()), tab == view.tab);
    let active = view.machines.iter().filter(|machine| matches!(machine.state, MachineState::Active { .. })).count();
    let summary = format!("{} · {} · {} seats", view.product, kind_words(&view), seats_short(view.seats_taken, view.seats));
    let mut tabs = vec![
        label(LicenseTab::Machines, format!("Machines {active}")),
        label(LicenseTab::Features, format!("Features {}", view.features.len())),
    ];
    if may && !view.air_gapped {
        tabs.push(label(LicenseTab::Edit, "Edit".to_owned()));
    }
    tabs.push(label(LicenseTab::Refusals, format!("Refusals {}", at_least(view.refusals.len(), view.more_refusals))));
    tabs.push(label(LicenseTab::History, "History".to_owned()));
    tabs.push(label(LicenseTab::Message, "Message".to_owned()));
    let body = match tab {
        LicenseTab::Machines => view! { <Machines path=path.clone() view=view.clone() may=may/> }.into_any(),
        LicenseTab::Features => view! { <Features features=view.features.clone()/> }.into_any(),
        LicenseTab::Edit if may && !view.air_gapped => view! { <EditForms path=path.clone() view=view.clone()/> }.into_any(),
        LicenseTab::Edit | LicenseTab::History => {
            let all = view.more_history.then(|| {
                let words = format!("The newest {} entries.", view.history.len());
                let href = Address::new("/vendor/audit").with("kind", "license").with("id", view.id.to_string()).href();
                let link = vendor.staff.reads_audit.then(|| view! { " "<a href=href>"All of them in the audit log"</a> });
                view! { <p class="hint">{words}{link}</p> }
            });
            let (history, now) = (view.history.clone(), view.now);
            view! { <Card title="History"><Events events=history now=now/>{all}</Card> }.into_any()
        }
        LicenseTab::Refusals => view! { <Refusals view=view.clone()/> }.into_any(),
        LicenseTab::Message => view! { <Message text=view.message.clone()/> }.into_any(),
    };
    view! {
        <VendorShell vendor=vendor title=name.clone() here="/vendor/licenses">
            <p class="crumb"><a href="/vendor/licenses">"Licenses"</a></p>
            <div class="page-head">
                <h1><span class="mono">{name}</span></h1>
                {copy_key}
                <State tone=view.standing.tone() text=view.standing.words()/>
                <span class="hint">{summary}</span>
            </div>
            <AnswerLine path=path view=view.clone() may=may/>
            <div class="sides">
                <div><Tabs label="Parts of this license" tabs=tabs/>{body}</div>
                <div><LicenseFacts view=view/></div>
            </div>
        </VendorShell>
    }
}

/// "12", or "50+" where only so many are shown.
fn at_least(shown: usize, more: bool) -> String {
    if more { format!("{shown}+") } else { shown.to_string() }
}

fn kind_words(view: &LicenseView) -> String {
    if view.trial { format!("{}, trial", view.kind) } else { view.kind.clone() }
}

#[component]
fn AnswerLine(path: String, view: LicenseView, may: bool) -> impl IntoView {
    let tone = if view.can_activate { Tone::Good } else { Tone::Refused };
    let verdict = if view.can_activate { "Yes, it can be activated now" } else { "No, it cannot be activated now" };
    let acts = may.then(|| match view.standing {
        Standing::Disabled | Standing::Archived => view! {
            <PostButton action=format!("{path}/enable")>"Enable it again"</PostButton>
        }
        .into_any(),
        Standing::Enabled | Standing::NotStarted | Standing::Expired => view! {
            {(!view.air_gapped).then(|| view! { <DialogLink opens="renew">"Renew…"</DialogLink> })}
            <DialogLink opens="disable" kind=Kind::Danger>"Disable…"</DialogLink>
        }
        .into_any(),
    });
    let put_away = view.put_away.map(|(at, by, reason)| {
        view! { <p>"Since "<When at=at now=view.now/>", by "<bdi>{by}</bdi>": "<bdi>{reason}</bdi></p> }
    });
    view! {
        <div class=format!("answer-line {}", tone.class())>
            <div>
                <p class="verdict"><Icon sign=tone.sign()/>{verdict}</p>
                <p>{view.because}</p>
                {put_away}
            </div>
            <div class="actions">{acts}</div>
        </div>
        {may.then(|| view! {
            <Dialog id="renew" title="Renew this license" open=view.renew.is_refused() cancel=path.clone() clone:path>
                <PostForm action=format!("{path}/renew") form=view.renew.clone()>
                    <Field at=view.renew.at("valid_until") label="Good through" kind="date" hint="The whole of that day counts. Its machines keep their seats."/>
                    <Field at=view.renew.at("maintenance_until") label="New versions until" kind="date" optional=true hint="Empty: stays as it is."/>
                    <div class="actions"><Button>"Renew"</Button></div>
                </PostForm>
            </Dialog>
            <Dialog id="disable" title="Disable this license" open=view.disable.is_refused() cancel=path.clone()>
                <p>"Nothing new is granted on it. Its activations stay as they are and come back when it is enabled again."</p>
                <PostForm action=format!("{path}/disable") form=view.disable.clone()>
                    <Field at=view.disable.at("reason") label="Reason" maxlength=200 hint="For your colleagues and the history; customers never see it."/>
                    <div class="actions"><Button kind=Kind::Danger>"Disable"</Button></div>
                </PostForm>
            </Dialog>
        })}
    }
}

#[component]
fn LicenseFacts(view: LicenseView) -> impl IntoView {
    let seats = match view.seats {
        Some(seats) => format!("{} of {} taken", view.seats_taken, counted(seats, "seat", "seats")),
        None => format!("{} taken, no limit", counted(view.seats_taken, "seat", "seats")),
    };
    let fields = view.fields.into_iter().map(|(name, value)| view! { <Fact name=name><bdi>{value}</bdi></Fact> }).collect_view();
    view! {
        <Card title="Facts">
            <Facts>
                <Fact name="Product"><a href=format!("/vendor/products/{}", view.product_code)>{view.product}</a></Fact>
                <Fact name="Type">{if view.trial { format!("{}, trial", view.kind) } else { view.kind }}</Fact>
                <Fact name="Seats">{seats}</Fact>
                {view.floating.map(|(in_use, slots, hours)| {
                    let borrowed = if hours == 0 { String::new() } else { format!("; borrowed for up to {}", counted(hours.into(), "hour", "hours")) };
                    view! { <Fact name="Working at once">{format!("{in_use} of {slots}{borrowed}")}</Fact> }
                })}
                <Fact name="Good through">{ends_view(view.ends)}</Fact>
                {(view.grace_hours > 0).then(|| view! { <Fact name="Grace">{counted(view.grace_hours.into(), "hour", "hours")}</Fact> })}
                {view.start.map(|start| view! { <Fact name="Starts"><Day date=start.date()/></Fact> })}
                <Fact name="New versions">{match view.maintenance_until {
                    Some(end) => view! { "until "<Day date=through(end)/> }.into_any(),
                    None => "all".into_any(),
                }}</Fact>
                <Fact name="With files">{if view.air_gapped { "no, by codes alone" } else if view.offline_allowed { "allowed" } else { "not allowed" }}</Fact>
                <Fact name="Transfers">{view.transfers}</Fact>
                <Fact name="Customer">{match view.customer {
                    Some(email) => view! { <a href=Address::new("/vendor/licenses").with("q", email.clone()).href()><Mail text=email.clone()/></a> }.into_any(),
                    None => "none".into_any(),
                }}</Fact>
                <Fact name="Order">{match view.order {
                    Some((reference, id)) => view! { <a href=format!("/vendor/orders/{id}")><bdi>{reference}</bdi></a> }.into_any(),
                    None => "none".into_any(),
                }}</Fact>
                <Fact name="Issued"><When at=view.issued_at now=view.now/></Fact>
                {fields}
                {view.note.map(|note| view! { <Fact name="Note"><bdi>{note}</bdi></Fact> })}
            </Facts>
        </Card>
        {(!view.users.is_empty()).then(|| view! { <Users users=view.users/> })}
        {view.qlm.map(|qlm| view! { <Qlm qlm=qlm/> })}
    }
}

#[component]
fn Qlm(qlm: QlmFacts) -> impl IntoView {
    let QlmFacts { model, version, features, floating_seats, computer_type, reseller, user_data, old_key, releases, properties } =
        qlm;
    let properties = (!properties.is_empty()).then(|| {
        let rows = properties
            .into_iter()
            .map(|QlmProperty { name, value, valid_until }| {
                let ends = valid_until.map(|end| view! { <span class="sub">"good through "<Day date=through(end)/></span> });
                view! { <li><bdi class="mono">{name}</bdi>": "<bdi>{value}</bdi>{ends}</li> }
            })
            .collect_view();
        view! { <Fact name="Properties"><ul class="stack close" role="list">{rows}</ul></Fact> }
    });
    view! {
        <Card title="Quick License Manager">
            <Facts>
                <Fact name="Model">{model}</Fact>
                {version.map(|version| view! { <Fact name="Version">{version}</Fact> })}
                {features.map(|features| view! { <Fact name="Features"><span class="mono">{features}</span></Fact> })}
                {floating_seats.map(|seats| view! { <Fact name="Floating seats">{seats}", counted by the app"</Fact> })}
                {computer_type.map(|kind| view! { <Fact name="Computer type">{kind}</Fact> })}
                {reseller.map(|reseller| view! { <Fact name="Reseller"><bdi>{reseller}</bdi></Fact> })}
                {user_data.map(|data| view! { <Fact name="User data"><bdi>{data}</bdi></Fact> })}
                {old_key.map(|key| view! { <Fact name="Old key"><bdi class="mono">{key}</bdi></Fact> })}
                {releases.map(|releases| view! { <Fact name="Releases">{releases}</Fact> })}
                {properties}
            </Facts>
        </Card>
    }
}

#[component]
fn Users(users: Vec<UserLine>) -> impl IntoView {
    let rows = users
        .into_iter()
        .map(|UserLine { email, first_password, seats, machines }| {
            let password = if first_password { "still the first password" } else { "a password of their own" };
            let machines = match (machines, seats) {
                (machines, Some(seats)) => format!("{machines} of {seats} {}", if seats == 1 { "machine" } else { "machines" }),
                (0, None) => "no machine yet".to_owned(),
                (1, None) => "1 machine".to_owned(),
                (machines, None) => format!("{machines} machines"),
            };
            view! { <li><Mail text=email/><span class="sub">{machines}" · "{password}</span></li> }
        })
        .collect_view();
    view! { <Card title="Users"><ul class="stack close" role="list">{rows}</ul></Card> }
}

#[component]
fn Refusals(view: LicenseView) -> impl IntoView {
    if view.refusals.is_empty() {
        return view! {
            <Empty title="Nobody was refused on this license">
                <p>"When a machine is refused, what was asked and why will be listed here, with the reference the customer reads out."</p>
            </Empty>
        }
        .into_any();
    }
    let more = view.more_refusals.then(|| {
        let words = format!("The newest {}.", view.refusals.len());
        let ends = view.key.as_deref().and_then(|key| key.rsplit('-').next()).unwrap_or_default().to_owned();
        let href = Address::new("/vendor/refusals").with("q", ends).href();
        view! { <p class="hint">{words}" "<a href=href>"All refusals of this key"</a></p> }
    });
    view! { <RefusalTable rows=view.refusals now=view.now/>{more} }.into_any()
}

#[component]
fn Machines(path: String, view: LicenseView, may: bool) -> impl IntoView {
    if view.machines.is_empty() {
        let text = if view.air_gapped {
            "It is activated by codes: “countersign airgap begin” gives out the first, “countersign airgap confirm” answers the app’s. The machine will be listed here."
        } else {
            "The first activation, in the app, in the form or by file, will be listed here with the machine’s name and id."
        };
        return view! { <Empty title="No machine has used it yet"><p>{text}</p></Empty> }.into_any();
    }
    let (path, now) = (StoredValue::new(path), view.now);
    let count = view.machines.len();
    let files = view.no_files.is_none();
    let revoke = view.revoke;
    let rows = view
        .machines
        .into_iter()
        .map(|machine| {
            let revoke = revoke.as_ref().filter(|(id, _)| *id == machine.id).map(|(_, form)| form.clone());
            view! { <MachineLine path=path.get_value() machine=machine may=may files=files revoke=revoke now=now/> }
        })
        .collect_view();
    let no_files =
        view.no_files.filter(|_| may).map(|why| view! { <p class="hint">"No license file can be made now. "{why}</p> });
    let more = view.more_machines.then(|| {
        let words = format!(
            "The first {count} machines, those with a seat before the others. The top search finds any by its computer id."
        );
        view! { <p class="hint">{words}</p> }
    });
    let lower = view.lower_counter.map(|(at, machine)| {
        view! {
            <Notice tone=Tone::Caution title="A counter went back">
                <p>"The app on "<bdi class="mono">{machine}</bdi>" told of less use "<When at=at now=now/>" than before: its disk was restored, or it runs twice. What was counted stays counted; the history has both figures."</p>
            </Notice>
        }
    });
    view! {
        {lower}
        {no_files}
        <ul class="machines" role="list" aria-label="Machines">{rows}</ul>
        {more}
    }
    .into_any()
}

#[component]
fn MachineLine(
    path: String,
    machine: Machine,
    may: bool,
    /// Whether files can be made.
    files: bool,
    /// Revoking this machine came back.
    #[prop(optional_no_strip)]
    revoke: Option<FormState>,
    now: Timestamp,
) -> impl IntoView {
    let Machine { id, device_id, name, state, how, last_seen, details, variables, device_key, slots } = machine;
    let shown = name.unwrap_or_else(|| "A machine without a name".to_owned());
    let base = format!("{path}/machines/{id}");
    let mut said = details.into_iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>();
    said.push(how);
    if device_key {
        said.push("tied to its device key".to_owned());
    }
    let state_view = match &state {
        MachineState::Active { since } => {
            view! { <State tone=Tone::Good text="active"/><span class="sub">"since "<When at=*since now=now/></span> }.into_any()
        }
        MachineState::Released { at, by } => {
            view! { <State tone=Tone::Info text="released"/><span class="sub"><When at=*at now=now/>", by "<bdi>{by.clone()}</bdi></span> }.into_any()
        }
        MachineState::Revoked { at, reason } => {
            view! { <State tone=Tone::Refused text="revoked"/><span class="sub"><When at=*at now=now/>{(!reason.is_empty()).then(|| view! { ": "<bdi>{reason.clone()}</bdi> })}</span> }.into_any()
        }
    };
    let told = (!variables.is_empty()).then(|| {
        let count = variables.len();
        let facts = variables.into_iter().map(|(name, value)| view! { <Fact name=name><bdi>{value}</bdi></Fact> }).collect_view();
        let words =
            if count == 1 { "1 value the app keeps here".to_owned() } else { format!("{count} values the app keeps here") };
        view! { <details class="more"><summary>{words}</summary><div><Facts>{facts}</Facts></div></details> }
    });
    let slots = slots
        .into_iter()
        .map(|MachineSlot { feature, borrowed, until }| {
            let of = feature.map(|code| format!("{code}: ")).unwrap_or_default();
            let slot = if borrowed { "borrowed slot" } else { "slot" };
            let ends = match until {
                Some(until) => view! { " ends "<When at=until now=now/> }.into_any(),
                None => ", as long as it is activated".into_any(),
            };
            view! { <span class="sub">{format!("{of}{slot}")}{ends}</span> }
        })
        .collect_view();
    let acts = may.then(|| match state {
        MachineState::Active { .. } => {
            let (dialog, freed) = (format!("free-{id}"), shown.clone());
            let open = revoke.is_some();
            let revoke = revoke.unwrap_or_default().scoped(&format!("revoke-{id}"));
            let file = format!("{base}/file");
            view! {
                {files.then(|| view! { <PostButton action=file kind=Kind::Plain><Icon sign=Sign::Down/>"License file"</PostButton> })}
                <DialogLink opens=dialog.clone()>"Free…"</DialogLink>
                <Dialog id=dialog title=format!("Free {freed}?") open=open cancel=path.clone()>
                    <p>"Its seat is free at once. The app there goes on until it next asks, or until its file ends; it may activate again if a seat is left."</p>
                    <div class="actions"><PostButton action=format!("{base}/free")>"Free this machine"</PostButton></div>
                    <hr/>
                    <p>"Or take its seat away and bar it until you allow it again:"</p>
                    <PostForm action=format!("{base}/revoke") form=revoke.clone()>
                        <Field at=revoke.at("reason") label="Reason" maxlength=200 hint="For your colleagues and the history; customers never see it."/>
                        <div class="actions"><Button kind=Kind::Danger>"Revoke and bar it"</Button></div>
                    </PostForm>
                </Dialog>
            }
            .into_any()
        }
        MachineState::Revoked { .. } => {
            view! { <PostButton action=format!("{base}/allow") kind=Kind::Plain>"Allow it again"</PostButton> }.into_any()
        }
        MachineState::Released { .. } => ().into_any(),
    });
    view! {
        <li>
            <Icon sign=Sign::Machine/>
            <div>
                <strong><bdi>{shown}</bdi></strong>
                <span class="sub mono"><bdi>{device_id}</bdi></span>
                <span class="sub"><bdi>{said.join(" · ")}</bdi>{last_seen.map(|at| view! { " · last seen "<When at=at now=now/> })}</span>
                {told}
            </div>
            <div>{state_view}{slots}</div>
            <div class="actions">{acts}</div>
        </li>
    }
}

#[component]
fn Features(features: Vec<FeatureRow>) -> impl IntoView {
    if features.is_empty() {
        return view! { <Empty title="No features"><p>"Features switch parts of the product on or count their use. Add them to the product, then issue licenses with them."</p></Empty> }
            .into_any();
    }
    let rows = features
        .into_iter()
        .map(|feature| {
            let used = match (feature.used, feature.max) {
                (Some(used), Some(max)) => format!("{used} of {max}"),
                (Some(used), None) => format!("{used}, no limit"),
                _ => "on".to_owned(),
            };
            let at_once = feature.floating.map(|(in_use, slots)| {
                view! { <span class="sub">{format!("{in_use} of {slots} working at once")}</span> }
            });
            view! {
                <tr>
                    <td>{feature.name}<span class="sub mono">{feature.code}</span></td>
                    <td class="num">{used}{at_once}</td>
                    <td>{match feature.valid_until { Some(end) => view! { <Day date=through(end)/> }.into_any(), None => "no end of its own".into_any() }}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![Column::new("Feature"), Column::new("Use").numeric(), Column::new("Good through")];
    view! { <Table caption="Features" columns=columns>{rows}</Table> }.into_any()
}

#[component]
fn EditForms(path: String, view: LicenseView) -> impl IntoView {
    let form = view.edit;
    view! {
        <Card title="Edit">
            <p class="hint">"What is edited here never changes whether the license is enabled, and never takes a seat from a machine that has one."</p>
            <PostForm action=format!("{path}/edit") form=form.clone()>
                <div class="row">
                    <Field at=form.at("seats") label="Seats" hint="A number, or “unlimited”. Fewer than are taken: nobody loses theirs, nobody new gets one." short=true/>
                    <Field at=form.at("transfers") label="Transfers" optional=true hint="A number, or “none”. Empty: any number." short=true/>
                </div>
                <div class="row">
                    <Field at=form.at("valid_until") label="Good through" kind="date" optional=true hint="Empty: no end."/>
                    <Field at=form.at("maintenance_until") label="New versions until" kind="date" optional=true hint="Empty: all versions."/>
                </div>
                <div class="row">
                    <Field at=form.at("slots") label="Working at once" suffix="machines" inputmode="numeric" optional=true hint="A floating license: its machines share so many slots. Empty: every seat may work at any time." short=true/>
                    <Field at=form.at("borrow_hours") label="A slot may be borrowed for" suffix="hours" inputmode="numeric" optional=true hint="To work without a network. Empty: not at all." short=true/>
                </div>
                <Tick at=form.at("offline") label="May be activated with files"/>
                <Field at=form.at("note") label="Note" optional=true maxlength=500/>
                <div class="actions"><Button>"Save"</Button></div>
            </PostForm>
        </Card>
    }
}

#[component]
fn Message(text: String) -> impl IntoView {
    view! {
        <Card title="A message for the customer">
            <p class="hint">"Copy it into your mail. It is not sent from here."</p>
            <pre class="code-box" id="message" tabindex="0">{text}</pre>
            <div class="actions"><CopyFrom from="message" label="Copy the message" kind=Kind::Primary/></div>
        </Card>
    }
}
