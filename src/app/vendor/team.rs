//! `/vendor/team` and `/vendor/team/{id}`: who works here, and what they may do.

use leptos::prelude::*;

use super::{
    account::emptied,
    events::{EventRow, Events},
    list::{Address, ExportLink},
    settings::{SettingsTab, SettingsTabs},
};
use crate::{
    app::{
        shell::VendorShell,
        ui::{
            Button, Card, Choice, Column, Dialog, DialogLink, Field, FormState, Kind, PostButton, PostForm, Select, State, Table,
            Tone, When,
        },
        view::VendorFrame,
    },
    licensing::Timestamp,
};

#[derive(Clone, Debug)]
pub struct TeamView {
    pub rows: Vec<MemberRow>,
    /// Fields `email`, `role`, `password`; posts to `/vendor/team`.
    pub form: FormState,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct MemberRow {
    pub id: i64,
    pub email: String,
    pub role: String,
    pub enabled: bool,
    pub last_sign_in: Option<Timestamp>,
    pub is_you: bool,
}

/// How far the roles read beside what they may do.
const ROLES: &str = "Admins see the team and do not change it. Support also reads products and the audit log. Viewers read licenses, orders and products.";

/// The roles, with what each may do.
fn roles() -> Vec<Choice> {
    vec![
        Choice::new("owner", "Owner: everything"),
        Choice::new("admin", "Admin: everything but the team"),
        Choice::new("support", "Support: licenses and orders"),
        Choice::new("viewer", "Viewer: reads, changes nothing"),
    ]
}

#[component]
pub fn TeamPage(vendor: VendorFrame, view: TeamView) -> impl IntoView {
    let TeamView { rows, form, now } = view;
    let staff = vendor.staff.clone();
    let may = staff.manages_team;
    let rows = rows
        .into_iter()
        .map(|row| {
            let (tone, state) = if row.enabled { (Tone::Good, "enabled") } else { (Tone::Refused, "disabled") };
            let name = if row.is_you { format!("{} (you)", row.email) } else { row.email };
            let name = if may {
                view! { <a class="row-link" href=format!("/vendor/team/{}", row.id)><bdi>{name}</bdi></a> }.into_any()
            } else {
                view! { <bdi>{name}</bdi> }.into_any()
            };
            view! {
                <tr class:linked=may>
                    <td>{name}<span class="sub narrow"><State tone=tone text=state/></span></td>
                    <td>{row.role}</td>
                    <td class="wide"><State tone=tone text=state/></td>
                    <td class="wide">{match row.last_sign_in { Some(at) => view! { <When at=at now=now/> }.into_any(), None => "never".into_any() }}</td>
                </tr>
            }
        })
        .collect_view();
    let columns =
        vec![Column::new("Person"), Column::new("Role"), Column::new("State").wide(), Column::new("Last signed in").wide()];
    let add = may.then(|| {
        view! {
            <Card title="Add someone">
                <PostForm action="/vendor/team" form=form.clone()>
                    <Field at=form.at("email") label="E-mail address" kind="email" maxlength=254 autocomplete="off"/>
                    <Select at=form.at("role") label="Role" choices=roles() hint=ROLES/>
                    <Field at=emptied(form.at("password")) label="First password" kind="password" autocomplete="new-password" maxlength=256
                        hint="At least 12 characters. Tell it in person; they change it after signing in."/>
                    <div class="actions"><Button>"Add"</Button></div>
                </PostForm>
            </Card>
        }
    });
    view! {
        <VendorShell vendor=vendor title="Team" here="/vendor/settings">
            <div class="page-head"><h1>"Settings"</h1><div class="actions"><ExportLink address=Address::new("/vendor/team") path="/vendor/team.csv"/></div></div>
            <SettingsTabs here=SettingsTab::Team/>
            <div class="sides"><div><Table caption="Team" columns=columns>{rows}</Table></div><div>{add}</div></div>
        </VendorShell>
    }
}

#[derive(Clone, Debug)]
pub struct MemberView {
    pub id: i64,
    pub email: String,
    pub enabled: bool,
    pub is_you: bool,
    pub sessions: u64,
    /// Field `role`; posts to `…/role`.
    pub role: FormState,
    /// Field `password`; posts to `…/password`.
    pub password: FormState,
    pub history: Vec<EventRow>,
    pub now: Timestamp,
}

#[component]
pub fn MemberPage(vendor: VendorFrame, view: MemberView) -> impl IntoView {
    let path = format!("/vendor/team/{}", view.id);
    let (tone, state) = if view.enabled { (Tone::Good, "enabled") } else { (Tone::Refused, "disabled") };
    let sessions = match view.sessions {
        0 => "Not signed in anywhere.".to_owned(),
        1 => "Signed in at one place.".to_owned(),
        many => format!("Signed in at {many} places."),
    };
    let may = vendor.staff.manages_team;
    let state_act = if !may {
        ().into_any()
    } else if view.is_you {
        view! { <p class="hint">"You cannot disable yourself."</p> }.into_any()
    } else if view.enabled {
        view! {
            <DialogLink opens="disable" kind=Kind::Danger>"Disable…"</DialogLink>
            <Dialog clone:path id="disable" title=format!("Disable {}?", view.email)>
                <p>"They are signed out everywhere at once and cannot sign in until enabled again. What they did stays in the history."</p>
                <div class="actions"><PostButton action=format!("{path}/disable") kind=Kind::Danger>"Disable"</PostButton></div>
            </Dialog>
        }
        .into_any()
    } else {
        view! { <PostButton action=format!("{path}/enable")>"Enable again"</PostButton> }.into_any()
    };
    let (role, password) = (view.role, view.password);
    let acts = if may {
        view! {
            <Card title="Role" clone:path>
                <PostForm action=format!("{path}/role") form=role.clone()>
                    <Select at=role.at("role") label="Role" choices=roles() hint=ROLES/>
                    <div class="actions"><Button>"Change the role"</Button></div>
                </PostForm>
            </Card>
            <Card title="Password" clone:path>
                <PostForm action=format!("{path}/password") form=password.clone()>
                    <Field at=emptied(password.at("password")) label="New password" kind="password" autocomplete="new-password" maxlength=256
                        hint="At least 12 characters. Setting it signs them out everywhere."/>
                    <div class="actions"><Button>"Set the password"</Button></div>
                </PostForm>
            </Card>
            <Card title="Sessions">
                <p>{sessions}</p>
                <PostButton action=format!("{path}/sign-out-everywhere") kind=Kind::Plain>"Sign out everywhere"</PostButton>
            </Card>
        }
        .into_any()
    } else {
        let role = roles().into_iter().find(|choice| choice.value == role.value("role")).map(|choice| choice.label);
        view! { <Card title="Role"><p>{role}</p><p class="hint">{sessions}</p></Card> }.into_any()
    };
    view! {
        <VendorShell vendor=vendor title=view.email.clone() here="/vendor/settings">
            <p class="crumb"><a href="/vendor/team">"Team"</a></p>
            <div class="page-head"><h1><bdi>{view.email}</bdi></h1><State tone=tone text=state/><div class="actions">{state_act}</div></div>
            <div class="sides">
                <div>{acts}</div>
                <div><Card title="History"><Events events=view.history now=view.now/></Card></div>
            </div>
        </VendorShell>
    }
}
