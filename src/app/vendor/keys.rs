//! `/vendor/keys`: the keys that sign, and their turn-over. Private halves never leave the vault.

use leptos::prelude::*;

use super::settings::{SettingsTab, SettingsTabs};
use crate::{
    app::{
        shell::VendorShell,
        ui::{
            Button, Card, Choice, Column, Dialog, DialogLink, FormState, Kind, PostForm, Select, State, Table, Tick, Tone, When,
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
    pub now: Timestamp,
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

#[component]
pub fn KeysPage(vendor: VendorFrame, view: KeysView) -> impl IntoView {
    let KeysView { rows, rotatable, form, now } = view;
    let may = vendor.staff.manages_settings;
    let rows = rows.into_iter().map(|row| view! { <KeyLine row=row may=may now=now/> }).collect_view();
    let columns = vec![
        Column::new("Key"),
        Column::new("Signs").wide(),
        Column::new("State"),
        Column::new("Since").wide(),
        Column::new("Acts").unseen(),
    ];
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
            <div class="sides">
                <div>
                    <Table caption="Signing keys" columns=columns>{rows}</Table>
                    <p class="hint">"Public halves, for apps to check with: "<a href="/.well-known/jwks.json">"jwks.json"</a>". Private halves rest encrypted and leave the portal never."</p>
                </div>
                <div>{rotate}</div>
            </div>
        </VendorShell>
    }
}

#[component]
fn KeyLine(row: KeyRow, may: bool, now: Timestamp) -> impl IntoView {
    let KeyRow { kid, signs, product, state, since } = row;
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
    let short: String = kid.chars().take(12).collect();
    let dialog = format!("compromised-{short}");
    let act = (may && !matches!(state, KeyState::Compromised | KeyState::Retired)).then(|| {
        let action = format!("/vendor/keys/{kid}/compromised");
        view! {
            <DialogLink opens=dialog.clone() kind=Kind::Quiet>"Compromised…"</DialogLink>
            <Dialog id=dialog title="Has someone else this key?">
                <p>"It leaves the published keys at once. Apps that fetch them will refuse every file it signed, and each of those machines needs a fresh file. This cannot be taken back."</p>
                <form method="post" action=action><div class="actions"><Button kind=Kind::Danger>"Mark it compromised"</Button></div></form>
            </Dialog>
        }
    });
    view! {
        <tr>
            <td><span class="mono">{format!("{short}…")}</span><span class="sub">{product.unwrap_or_else(|| "every product".to_owned())}<span class="narrow">{signs.clone()}</span></span></td>
            <td class="wide">{signs}</td>
            <td><State tone=tone text=word/><span class="sub">{note}</span></td>
            <td class="wide"><When at=since now=now/></td>
            <td>{act}</td>
        </tr>
    }
}
