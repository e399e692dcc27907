//! `/vendor/settings`: the portal's name and face, and its limits.

use leptos::prelude::*;

use super::events::{EventRow, Events};
use crate::{
    app::{
        shell::VendorShell,
        ui::{Button, Card, Field, FormState, Kind, LinkButton, PostForm, Tab, Tabs, Tick},
        view::VendorFrame,
    },
    licensing::Timestamp,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsTab {
    Portal,
    Team,
    Keys,
    Apps,
    Shops,
}

/// What stands under "Settings".
#[component]
pub fn SettingsTabs(here: SettingsTab) -> impl IntoView {
    let tabs = [
        ("Portal", "/vendor/settings", SettingsTab::Portal),
        ("Team", "/vendor/team", SettingsTab::Team),
        ("Signing keys", "/vendor/keys", SettingsTab::Keys),
        ("Apps", "/vendor/apps", SettingsTab::Apps),
        ("Shops", "/vendor/shops", SettingsTab::Shops),
    ]
    .into_iter()
    .map(|(label, href, tab)| Tab::new(label, href, tab == here))
    .collect();
    view! { <Tabs label="Settings" tabs=tabs/> }
}

#[derive(Clone, Debug)]
pub struct SettingsView {
    /// Fields `name`, `accent`, `support`, file `logo`, `remove_logo`, and every limit's; posts multipart to `/vendor/settings`.
    pub form: FormState,
    pub has_logo: bool,
    pub limits: Vec<SettingField>,
    /// What apps of LicenseSpring's kind may ask.
    pub apps: Vec<SettingField>,
    pub history: Vec<EventRow>,
    pub now: Timestamp,
}

/// A setting that is a number or a switch.
#[derive(Clone, Debug)]
pub struct SettingField {
    pub name: String,
    pub label: String,
    /// What it does, and its risk, in one sentence.
    pub hint: String,
    /// "per minute", "KB".
    pub unit: Option<String>,
    pub switch: bool,
}

#[component]
pub fn SettingsPage(vendor: VendorFrame, view: SettingsView) -> impl IntoView {
    let SettingsView { form, has_logo, limits, apps, history, now } = view;
    let may = vendor.staff.manages_settings;
    let field = |setting: SettingField| {
        let at = form.at(&setting.name);
        match (setting.switch, setting.unit) {
            (true, _) => view! { <Tick at=at label=setting.label hint=setting.hint/> }.into_any(),
            (false, Some(unit)) => {
                view! { <Field at=at label=setting.label hint=setting.hint suffix=unit inputmode="numeric"/> }.into_any()
            }
            (false, None) => {
                view! { <Field at=at label=setting.label hint=setting.hint inputmode="numeric" short=true/> }.into_any()
            }
        }
    };
    let limits = limits.into_iter().map(field).collect_view();
    let apps = apps.into_iter().map(field).collect_view();
    let logo = form.at("logo");
    view! {
        <VendorShell vendor=vendor title="Settings" here="/vendor/settings">
            <div class="page-head">
                <h1>"Settings"</h1>
                {may.then(|| view! { <div class="actions"><LinkButton href="/vendor/settings/all" kind=Kind::Plain>"Every setting"</LinkButton></div> })}
            </div>
            <SettingsTabs here=SettingsTab::Portal/>
            <div class="sides"><div>
            <PostForm action="/vendor/settings" form=form.clone() multipart=true>
                <Card title="Brand">
                    <p class="hint">"What customers see. The front page is yours; Countersign is named nowhere on it."</p>
                    <Field at=form.at("name") label="Name" maxlength=60/>
                    <Field at=form.at("accent") label="Accent colour" mono=true short=true maxlength=7 hint="Like #0b6464. Where it would be hard to read it is darkened or lightened, and its hue kept."/>
                    <div class="field">
                        <label for=logo.id.clone()>"Logo "<span class="optional">"(optional)"</span></label>
                        <p class="hint" id="logo-hint">"PNG, JPEG or WebP, up to 64 KB. Shown 28 pixels high."</p>
                        <input class="input" type="file" id=logo.id name="logo" accept="image/png,image/jpeg,image/webp" aria-describedby="logo-hint"
                            aria-invalid=logo.error.is_some().then_some("true")/>
                        {logo.error.map(|error| view! { <p class="error">{error}</p> })}
                    </div>
                    {has_logo.then(|| view! { <Tick at=form.at("remove_logo") label="Take the present logo away"/> })}
                    <Field at=form.at("support") label="Support address" optional=true maxlength=254 kind="email" hint="An e-mail address. It stands in the footer and on every refusal."/>
                </Card>
                <Card title="Limits">{limits}</Card>
                <Card title="Apps made for LicenseSpring">
                    <p class="hint">"Their shared key ships in every copy, so it proves which app asks and nothing of who asks. They need none of these."</p>
                    {apps}
                </Card>
                {may.then(|| view! { <div class="actions"><Button>"Save"</Button></div> })}
            </PostForm>
            </div><div>
                <Card title="History"><Events events=history now=now/></Card>
            </div></div>
        </VendorShell>
    }
}
