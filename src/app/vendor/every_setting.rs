//! `/vendor/settings/all`: every setting under its own name, and one of them in a form.

use leptos::prelude::*;

use super::list::{Address, SearchBox};
use crate::app::{
    shell::VendorShell,
    ui::{Button, Card, Choice, Column, Empty, Field, FormState, Kind, LinkButton, PostForm, Select, State, Table, Tick, Tone},
    view::VendorFrame,
};

#[derive(Clone, Debug)]
pub struct EverySettingView {
    /// `/vendor/settings/all` with `q`.
    pub address: Address,
    /// The one that is changed.
    pub edited: Option<EditedSetting>,
    /// Groups by their titles; those in which nothing was found are left out.
    pub groups: Vec<(&'static str, Vec<SettingRow>)>,
}

#[derive(Clone, Debug)]
pub struct SettingRow {
    pub name: &'static str,
    /// What it does, and its risk.
    pub about: String,
    pub value: SettingValue,
    /// It is another than the default.
    pub changed: bool,
    /// Where it is changed.
    pub href: String,
}

/// What a row shows of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    Text(String),
    /// Of a password or a picture only whether there is one.
    Hidden {
        set: bool,
    },
}

#[derive(Clone, Debug)]
pub struct EditedSetting {
    pub name: &'static str,
    pub about: String,
    pub default: String,
    pub kind: SettingKind,
    /// Field `value`, and `remove` where a password is set; posts to `/vendor/settings/all`.
    pub form: FormState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    Switch,
    Text { may_be_empty: bool },
    Secret { set: bool },
}

#[component]
pub fn EverySettingPage(vendor: VendorFrame, view: EverySettingView) -> impl IntoView {
    let EverySettingView { address, edited, groups } = view;
    let edited = edited.map(|edited| {
        // Back to where one was.
        let cancel = format!("{}#{}", address.href(), edited.name);
        view! { <SettingForm edited=edited cancel=cancel/> }
    });
    let list = if groups.is_empty() {
        view! {
            <Empty title="No setting matches">
                <p>"Search finds part of a name, or of the sentence below it. Type less of it."</p>
                <LinkButton href="/vendor/settings/all" kind=Kind::Plain>"Show every setting"</LinkButton>
            </Empty>
        }
        .into_any()
    } else {
        let tables = groups
            .into_iter()
            .map(|(title, rows)| {
                let rows = rows.into_iter().map(|row| view! { <SettingLine row=row/> }).collect_view();
                let columns = vec![Column::new("Setting"), Column::new("Value")];
                view! {
                    <Card title=title>
                        <Table caption=title columns=columns>{rows}</Table>
                    </Card>
                }
            })
            .collect_view();
        tables.into_any()
    };
    view! {
        <VendorShell vendor=vendor title="Every setting" here="/vendor/settings">
            <p class="crumb"><a href="/vendor/settings">"Settings"</a></p>
            <div class="page-head"><h1>"Every setting"</h1></div>
            <p class="hint">"Choose one to change it. What it does and what it risks stands below its name."</p>
            {edited}
            <div class="filters"><SearchBox address=address label="Name or purpose"/></div>
            {list}
        </VendorShell>
    }
}

#[component]
fn SettingLine(row: SettingRow) -> impl IntoView {
    let SettingRow { name, about, value, changed, href } = row;
    let value = match value {
        SettingValue::Hidden { set: true } => view! { <span>"set"</span> }.into_any(),
        SettingValue::Hidden { set: false } => view! { <span class="sub">"not set"</span> }.into_any(),
        SettingValue::Text(text) if text.is_empty() => {
            view! { <span class="sub"><span aria-hidden="true">"—"</span><span class="unseen">"empty"</span></span> }.into_any()
        }
        SettingValue::Text(text) => {
            // A short one stays whole, however long the sentence beside it.
            let class = if text.chars().count() > 12 { "mono breaks" } else { "mono" };
            view! { <span class=class>{text}</span> }.into_any()
        }
    };
    view! {
        <tr class="linked" id=name>
            <td><a class="row-link" href=href><span class="mono breaks">{name}</span></a><span class="sub prose">{about}</span></td>
            <td>{value}" "{changed.then(|| view! { <State tone=Tone::Info text="changed"/> })}</td>
        </tr>
    }
}

#[component]
fn SettingForm(edited: EditedSetting, cancel: String) -> impl IntoView {
    let EditedSetting { name, about, default, kind, form } = edited;
    let at = form.at("value");
    let field = match kind {
        SettingKind::Switch => {
            let choices = vec![Choice::new("true", "true"), Choice::new("false", "false")];
            view! { <Select at=at label=name hint=about choices=choices/> }.into_any()
        }
        SettingKind::Text { may_be_empty } => {
            view! { <Field at=at label=name hint=about mono=true optional=may_be_empty autocomplete="off"/> }.into_any()
        }
        SettingKind::Secret { set } => {
            let hint = if set { format!("{about} Leave this empty to keep the present one.") } else { about };
            view! {
                <Field at=at label=name hint=hint kind="password" optional=true autocomplete="new-password"/>
                {set.then(|| view! { <Tick at=form.at("remove") label="Take the present one away"/> })}
            }
            .into_any()
        }
    };
    let default = if default.is_empty() {
        view! { <span>"none"</span> }.into_any()
    } else {
        view! { <span class="mono">{default}</span> }.into_any()
    };
    view! {
        <Card title="Change a setting">
            <PostForm action="/vendor/settings/all" form=form>
                <input type="hidden" name="name" value=name/>
                {field}
                <p class="hint">"Default: "{default}</p>
                <div class="actions"><Button>"Save"</Button><LinkButton href=cancel kind=Kind::Plain>"Cancel"</LinkButton></div>
            </PostForm>
        </Card>
    }
}
