//! `/vendor/keys`: the keys that sign, and their turn-over. Private halves never leave the vault.

use leptos::prelude::*;

use super::{
    events::{EventRow, Events},
    list::ExportLink,
    settings::{SettingsTab, SettingsTabs},
};
use crate::{
    app::{
        shell::VendorShell,
        ui::{
            Button, Card, Choice, Column, Dialog, DialogLink, Empty, Fact, Facts, FormState, Kind, Notice, PostForm, Select,
            State, Table, Tick, Tone, When,
        },
        view::VendorFrame,
    },
    licensing::Timestamp,
};

#[derive(Clone, Debug)]
pub struct KeysView {
    pub rows: Vec<KeyRow>,
    /// What can be rotated: each product, and the installation's own keys.
    pub rotatable: Vec<RotateChoice>,
    /// Fields `what`, `now`; posts to `/vendor/keys/rotate`; carries a request id.
    pub form: FormState,
    pub history: Vec<EventRow>,
    /// Products whose documents are signed in a way of old, each with what is wrong with it.
    pub weak: Vec<(String, String)>,
    pub now: Timestamp,
}

/// A key and the machines whose newest file it signed.
#[derive(Clone, Debug)]
pub struct KeyView {
    pub key: KeyRow,
    pub machines: Vec<MachineToRefresh>,
    /// No fields; posts to `/vendor/keys/{kid}/compromised`; carries a request id.
    pub form: FormState,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct MachineToRefresh {
    pub license: i64,
    pub key: Option<String>,
    pub device_id: String,
    pub name: Option<String>,
    pub last_seen: Timestamp,
}

#[derive(Clone, Debug)]
pub struct RotateChoice {
    pub value: String,
    pub label: String,
}

#[derive(Clone, Debug)]
pub struct KeyRow {
    pub kid: String,
    /// "License files", "LicenseSpring".
    pub signs: String,
    /// None: for the whole installation.
    pub product: Option<String>,
    pub state: KeyState,
    pub since: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    Standby,
    Active,
    /// Until when it still verifies; none: for good.
    Retiring(Option<Timestamp>),
    Retired,
    Compromised,
}

/// That whoever pays for it could forge what is signed for clients of old.
#[component]
pub fn WeakDocuments(of: Vec<(String, String)>) -> impl IntoView {
    let lines = of
        .into_iter()
        .map(|(product, why)| view! { <li><span class="mono">{product}</span>" is signed "{why}"."</li> })
        .collect_view();
    view! {
        <Notice tone=Tone::Caution title="Some documents are signed in a way of old">
            <ul>{lines}</ul>
            <p>"Apps compatible with Quick License Manager were built to check this. Whoever spends enough on computers can forge such a license. When no such app is in use any more, rotate the product’s key and clear “Sign for apps of before 2016”."</p>
        </Notice>
    }
}

#[component]
pub fn KeysPage(vendor: VendorFrame, view: KeysView) -> impl IntoView {
    let KeysView { rows, rotatable, form, history, weak, now } = view;
    let weak = (!weak.is_empty()).then(|| view! { <WeakDocuments of=weak/> });
    let may = vendor.staff.manages_settings;
    let rows = rows.into_iter().map(|row| view! { <KeyLine row=row now=now/> }).collect_view();
    let columns = vec![Column::new("Key"), Column::new("Signs").wide(), Column::new("State"), Column::new("Since").wide()];
    let rotate = may.then(|| {
        let choices = rotatable.into_iter().map(|choice| Choice::new(choice.value, choice.label)).collect();
        view! {
            <Card title="Rotate">
                <p>"The key on standby begins to sign, the active one goes on verifying what it signed, and a new one goes on standby. Apps that fetch the public keys need nothing; apps that were built with them need the standby key built in before."</p>
                <PostForm action="/vendor/keys/rotate" form=form.clone()>
                    <Select at=form.at("what") label="Keys of" choices=choices/>
                    <Tick at=form.at("now") label="Even if the standby key is younger than a day" hint="Apps that fetched the keys before may not know it yet and would refuse new files."/>
                    <div class="actions"><Button>"Rotate"</Button></div>
                </PostForm>
            </Card>
        }
    });
    view! {
        <VendorShell vendor=vendor title="Signing keys" here="/vendor/settings">
            <div class="page-head"><h1>"Settings"</h1></div>
            <SettingsTabs here=SettingsTab::Keys/>
            {weak}
            <div class="sides">
                <div>
                    <Table caption="Signing keys" columns=columns>{rows}</Table>
                    <p class="hint">"Public halves, for apps to check with: "<a href="/.well-known/jwks.json">"jwks.json"</a>". Private halves rest encrypted and leave the portal never."</p>
                </div>
                <div>
                    {rotate}
                    <Card title="History"><Events events=history now=now/></Card>
                </div>
            </div>
        </VendorShell>
    }
}

#[component]
fn KeyLine(row: KeyRow, now: Timestamp) -> impl IntoView {
    let short = short(&row.kid);
    let KeyRow { kid, signs, product, state, since } = row;
    view! {
        <tr>
            <td><a class="mono" href=format!("/vendor/keys/{kid}")>{short}</a><span class="sub">{product.unwrap_or_else(|| "every product".to_owned())}<span class="narrow">{signs.clone()}</span></span></td>
            <td class="wide">{signs}</td>
            <td><KeyStateWords state=state now=now/></td>
            <td class="wide"><When at=since now=now/></td>
        </tr>
    }
}

/// The beginning of a key's id: enough to tell a handful of keys apart.
fn short(kid: &str) -> String {
    format!("{}…", kid.chars().take(12).collect::<String>())
}

#[component]
fn KeyStateWords(state: KeyState, now: Timestamp) -> impl IntoView {
    let (tone, word) = match state {
        KeyState::Standby => (Tone::Info, "standby"),
        KeyState::Active => (Tone::Good, "active"),
        KeyState::Retiring(_) => (Tone::Info, "retiring"),
        KeyState::Retired => (Tone::Info, "retired"),
        KeyState::Compromised => (Tone::Refused, "compromised"),
    };
    let note = match state {
        KeyState::Standby => view! { "published, signs nothing yet" }.into_any(),
        KeyState::Active => view! { "signs" }.into_any(),
        KeyState::Retiring(Some(until)) => view! { "verifies until "<When at=until now=now/> }.into_any(),
        KeyState::Retiring(None) => view! { "verifies for good: it signed files without an end" }.into_any(),
        KeyState::Retired => view! { "no longer published" }.into_any(),
        KeyState::Compromised => view! { "what it signed must be signed again" }.into_any(),
    };
    view! { <State tone=tone text=word/><span class="sub">{note}</span> }
}

#[component]
pub fn KeyPage(vendor: VendorFrame, view: KeyView) -> impl IntoView {
    let KeyView { key, machines, form, now } = view;
    let title = short(&key.kid);
    let lost = matches!(key.state, KeyState::Compromised);
    let may = vendor.staff.manages_settings && !lost && !matches!(key.state, KeyState::Retired);
    let count = machines.len();
    let address = super::list::Address::new(format!("/vendor/keys/{}", key.kid));
    let rows = machines
        .into_iter()
        .map(|machine| {
            let MachineToRefresh { license, key, device_id, name, last_seen } = machine;
            view! {
                <tr>
                    <td><a href=format!("/vendor/licenses/{license}")><bdi>{name.unwrap_or_else(|| "A machine without a name".to_owned())}</bdi></a><span class="sub mono"><bdi>{device_id}</bdi></span></td>
                    <td class="mono">{key.unwrap_or_else(|| format!("license {license}"))}</td>
                    <td class="wide"><When at=last_seen now=now/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![Column::new("Machine"), Column::new("License"), Column::new("Last seen").wide()];
    let list = if count == 0 {
        view! { <Empty title="No machine has a file of this key"><p>"Files it signs from now on will be listed here with the machines they are for."</p></Empty> }.into_any()
    } else {
        let what = if lost {
            "Each needs a new file: the app makes a refresh request, or you take the file from the license’s page. A machine leaves this list when it has one."
        } else {
            "These would need a new file if somebody else had this key."
        };
        view! {
            <p class="hint">{what}</p>
            <Table caption="Machines with a file this key signed" columns=columns>{rows}</Table>
        }
        .into_any()
    };
    let act = may.then(|| {
        let action = format!("/vendor/keys/{}/compromised", key.kid);
        view! {
            <DialogLink opens="compromised" kind=Kind::Danger>"Somebody else has it…"</DialogLink>
            <Dialog id="compromised" title="Has somebody else this key?" open=form.is_refused() cancel=format!("/vendor/keys/{}", key.kid)>
                <p>"It leaves the published keys at once, and the next key signs. Apps that fetch the keys will refuse every file it signed, and each of those machines needs a new one. This cannot be taken back."</p>
                <PostForm action=action form=form><div class="actions"><Button kind=Kind::Danger>"Mark it compromised"</Button></div></PostForm>
            </Dialog>
        }
    });
    view! {
        <VendorShell vendor=vendor title=format!("Key {title}") here="/vendor/settings">
            <p class="crumb"><a href="/vendor/keys">"Signing keys"</a></p>
            <div class="page-head"><h1>"Key "<span class="mono">{title}</span></h1><div class="actions">{(count > 0).then(|| view! { <ExportLink address=address path=format!("/vendor/keys/{}/machines.csv", key.kid)/> })}{act}</div></div>
            <div class="sides">
                <div>{list}</div>
                <div>
                    <Card title="Facts">
                        <Facts>
                            <Fact name="Id"><span class="mono">{key.kid}</span></Fact>
                            <Fact name="Signs">{key.signs}</Fact>
                            <Fact name="Product">{key.product.unwrap_or_else(|| "every product".to_owned())}</Fact>
                            <Fact name="State"><KeyStateWords state=key.state now=now/></Fact>
                            <Fact name="Since"><When at=key.since now=now/></Fact>
                        </Facts>
                    </Card>
                </div>
            </div>
        </VendorShell>
    }
}
