//! `/vendor/apps`: the credentials of apps made for LicenseSpring, and what such an app needs.

use leptos::prelude::*;

use super::{
    events::{EventRow, Events},
    settings::{SettingsTab, SettingsTabs},
};
use crate::{
    app::{
        shell::VendorShell,
        ui::{
            Button, Card, CopyButton, CopyFrom, Dialog, DialogLink, Empty, Fact, Facts, Field, FormState, Icon, Kind, LinkButton,
            Notice, PostButton, PostForm, Sign, State, Tick, Tone, When,
        },
        view::VendorFrame,
    },
    licensing::Timestamp,
};

#[derive(Clone, Debug)]
pub struct AppsView {
    pub keys: Vec<ApiKeyRow>,
    pub clients: Vec<ClientRow>,
    /// Fields `name`, `product-CODE`, `read_only`; posts to `/vendor/apps/keys`.
    pub key_form: FormState,
    /// Fields `name`, `account`, `customer`, `license`, `days`; posts to `/vendor/apps/clients`.
    pub client_form: FormState,
    /// Their codes and names.
    pub products: Vec<(String, String)>,
    /// Where an app sends its calls.
    pub address: String,
    /// The public key its answers are checked with, as PEM; none before the first was made.
    pub public_key: Option<String>,
    pub history: Vec<EventRow>,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct ApiKeyRow {
    pub id: i64,
    pub name: String,
    pub api_key: String,
    /// Codes; none is all.
    pub products: Option<Vec<String>>,
    pub read_only: bool,
    pub revoked: Option<Timestamp>,
    pub created: Timestamp,
}

#[derive(Clone, Debug)]
pub struct ClientRow {
    pub id: i64,
    pub name: String,
    pub client_id: String,
    /// "every license", "licenses of …", "license 12".
    pub reach: String,
    pub secret_ends: Option<Timestamp>,
    pub revoked: Option<Timestamp>,
}

/// Credentials that were made now, shown once.
#[derive(Clone, Debug)]
pub struct MadeView {
    pub title: &'static str,
    /// Names, values, and whether the value is one to be copied.
    pub facts: Vec<(&'static str, String, bool)>,
    /// What becomes of the secret before, if there was one.
    pub note: Option<String>,
}

#[component]
pub fn AppsPage(vendor: VendorFrame, view: AppsView) -> impl IntoView {
    let AppsView { keys, clients, key_form, client_form, products, address, public_key, history, now } = view;
    let may = vendor.staff.manages_settings;
    let keys = if keys.is_empty() {
        view! { <Empty title="No API key yet"><p>"An app made for LicenseSpring signs its calls with an API key and a shared key. Add one for each app."</p></Empty> }.into_any()
    } else {
        let rows = keys.into_iter().map(|row| view! { <KeyLine row=row may=may now=now/> }).collect_view();
        view! { <ul class="machines" role="list" aria-label="API keys">{rows}</ul> }.into_any()
    };
    let clients = if clients.is_empty() {
        view! { <Empty title="No OAuth client yet"><p>"A server, or an app that can keep a secret, can sign in as an OAuth client instead. Most apps need none."</p></Empty> }.into_any()
    } else {
        let rows = clients.into_iter().map(|row| view! { <ClientLine row=row may=may now=now/> }).collect_view();
        view! { <ul class="machines" role="list" aria-label="OAuth clients">{rows}</ul> }.into_any()
    };
    let forms = may.then(|| {
        let ticks = products
            .into_iter()
            .map(|(code, name)| view! { <Tick at=key_form.at(&format!("product-{code}")) label=name/> })
            .collect_view();
        view! {
            <Card title="Add an API key">
                <PostForm action="/vendor/apps/keys" form=key_form.clone()>
                    <Field at=key_form.at("name") label="Name" maxlength=128 autocomplete="off" hint="What it is for, as your colleagues read it."/>
                    <fieldset class="group"><legend>"Only for these products "<span class="optional">"(none ticked: for every product)"</span></legend>{ticks}</fieldset>
                    <Tick at=key_form.at("read_only") label="May only read" hint="It checks licenses, and activates none."/>
                    <div class="actions"><Button>"Add"</Button></div>
                </PostForm>
            </Card>
            <Card title="Add an OAuth client">
                <PostForm action="/vendor/apps/clients" form=client_form.clone()>
                    <Field at=client_form.at("name") label="Name" maxlength=128 autocomplete="off"/>
                    <Field at=client_form.at("account") label="Only licenses of this customer account" optional=true maxlength=64 autocomplete="off" hint="Its code, as customer-account list shows it."/>
                    <Field at=client_form.at("customer") label="Only licenses of this customer" kind="email" optional=true maxlength=254 autocomplete="off" hint="Their e-mail address."/>
                    <Field at=client_form.at("license") label="Only the license with this key" mono=true optional=true maxlength=128 autocomplete="off"/>
                    <Field at=client_form.at("days") label="Its secret ends after" suffix="days" inputmode="numeric" optional=true hint="Empty: when you replace it."/>
                    <div class="actions"><Button>"Add"</Button></div>
                </PostForm>
            </Card>
        }
    });
    let public_key = public_key.map(|pem| {
        view! {
            <details class="more"><summary>"Public key"</summary><div>
                <p class="hint">"Built into the app, to check the signature of every answer and file."</p>
                <pre class="code-box" id="public-key" tabindex="0">{pem}</pre>
                <div class="actions"><CopyFrom from="public-key" label="Copy the public key"/></div>
            </div></details>
        }
    });
    view! {
        <VendorShell vendor=vendor title="Apps" here="/vendor/settings">
            <div class="page-head"><h1>"Settings"</h1></div>
            <SettingsTabs here=SettingsTab::Apps/>
            <div class="sides">
                <div>
                    <h2>"API keys"</h2>
                    {keys}
                    <h2>"OAuth clients"</h2>
                    {clients}
                    <Card title="History"><Events events=history now=now/></Card>
                </div>
                <div>
                    <Card title="What an app needs">
                        <p class="hint">"An app made for LicenseSpring works here once three things are changed: address, API key with shared key, public key."</p>
                        <Facts><Fact name="Address"><span class="mono">{address}</span></Fact></Facts>
                        {public_key}
                    </Card>
                    {forms}
                </div>
            </div>
        </VendorShell>
    }
}

#[component]
fn KeyLine(row: ApiKeyRow, may: bool, now: Timestamp) -> impl IntoView {
    let ApiKeyRow { id, name, api_key, products, read_only, revoked, created } = row;
    let (tone, state) = match (revoked, read_only) {
        (Some(_), _) => (Tone::Refused, "revoked"),
        (None, true) => (Tone::Info, "reads only"),
        (None, false) => (Tone::Good, "active"),
    };
    let reach = products.map_or_else(|| "every product".to_owned(), |codes| codes.join(", "));
    let acts = (may && revoked.is_none()).then(|| {
        let dialog = format!("revoke-key-{id}");
        view! {
            <DialogLink opens=dialog.clone() kind=Kind::Danger>"Revoke…"</DialogLink>
            <Dialog id=dialog title=format!("Revoke {name}?") cancel="/vendor/apps">
                <p>"Every app that signs with it is refused from now on, and so are its request files. What it activated stays activated. This cannot be taken back."</p>
                <div class="actions"><PostButton action=format!("/vendor/apps/keys/{id}/revoke") kind=Kind::Danger>"Revoke it"</PostButton></div>
            </Dialog>
        }
    });
    view! {
        <li>
            <Icon sign=Sign::Key/>
            <div><strong><bdi>{name}</bdi></strong><span class="sub mono">{api_key}</span><span class="sub">{reach}</span></div>
            <div><State tone=tone text=state/><span class="sub">{match revoked { Some(at) => view! { <When at=at now=now/> }.into_any(), None => view! { "since "<When at=created now=now/> }.into_any() }}</span></div>
            <div class="actions">{acts}</div>
        </li>
    }
}

#[component]
fn ClientLine(row: ClientRow, may: bool, now: Timestamp) -> impl IntoView {
    let ClientRow { id, name, client_id, reach, secret_ends, revoked } = row;
    let ended = secret_ends.is_some_and(|ends| ends <= now);
    let (tone, state) = match (revoked, ended) {
        (Some(_), _) => (Tone::Refused, "revoked"),
        (None, true) => (Tone::Caution, "its secret has ended"),
        (None, false) => (Tone::Good, "active"),
    };
    let note = match (revoked, secret_ends) {
        (Some(at), _) => view! { <When at=at now=now/> }.into_any(),
        (None, Some(ends)) => view! { "secret ends "<When at=ends now=now/> }.into_any(),
        (None, None) => ().into_any(),
    };
    let acts = (may && revoked.is_none()).then(|| {
        let (rotate, revoke) = (format!("rotate-{id}"), format!("revoke-client-{id}"));
        view! {
            <DialogLink opens=rotate.clone()>"New secret…"</DialogLink>
            <Dialog id=rotate title=format!("A new secret for {name}?") cancel="/vendor/apps">
                <p>"It is shown once. The present one is good for three days more, so that nothing stops while you put the new one in place."</p>
                <div class="actions"><PostButton action=format!("/vendor/apps/clients/{id}/rotate")>"Make a new secret"</PostButton></div>
            </Dialog>
            <DialogLink opens=revoke.clone() kind=Kind::Danger>"Revoke…"</DialogLink>
            <Dialog id=revoke title=format!("Revoke {name}?") cancel="/vendor/apps">
                <p>"Its tokens and its request files are refused from now on. What it activated stays activated. This cannot be taken back."</p>
                <div class="actions"><PostButton action=format!("/vendor/apps/clients/{id}/revoke") kind=Kind::Danger>"Revoke it"</PostButton></div>
            </Dialog>
        }
    });
    view! {
        <li>
            <Icon sign=Sign::Key/>
            <div><strong><bdi>{name}</bdi></strong><span class="sub mono">{client_id}</span><span class="sub">{reach}</span></div>
            <div><State tone=tone text=state/><span class="sub">{note}</span></div>
            <div class="actions">{acts}</div>
        </li>
    }
}

#[component]
pub fn MadePage(vendor: VendorFrame, view: MadeView) -> impl IntoView {
    let MadeView { title, facts, note } = view;
    let rows = facts
        .into_iter()
        .map(|(name, value, secret)| {
            let copy = secret.then(|| view! { " "<CopyButton text=value.clone() label="Copy"/> });
            view! { <Fact name=name><span class="mono">{value}</span>{copy}</Fact> }
        })
        .collect_view();
    view! {
        <VendorShell vendor=vendor title=title here="/vendor/settings" narrow=true>
            <p class="crumb"><a href="/vendor/apps">"Apps"</a></p>
            <div class="page-head"><h1>{title}</h1></div>
            <Notice tone=Tone::Caution title="The secret is shown only here">
                <p>"It is kept encrypted, and nobody can look it up. Put it where the app is built, now."</p>
            </Notice>
            <Card><Facts>{rows}</Facts></Card>
            {note.map(|note| view! { <p class="hint">{note}</p> })}
            <div class="actions"><LinkButton href="/vendor/apps" kind=Kind::Plain>"Back to the apps"</LinkButton></div>
        </VendorShell>
    }
}
