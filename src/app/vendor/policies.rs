//! The policies of a product: templates that licenses are issued from, and for air-gapped machines the file their app is shipped with.

use leptos::prelude::*;

use crate::{
    app::ui::{Button, Card, Column, Day, Empty, Field, FormState, Kind, PostButton, PostForm, Table, Tick},
    licensing::Date,
};

#[derive(Clone, Debug)]
pub struct PolicyLine {
    /// Part of the codes that air-gapped machines are told.
    pub id: i64,
    pub code: String,
    pub name: String,
    /// As people say it: "perpetual, trial".
    pub kind: String,
    pub seats: String,
    /// The last day, where there is one.
    pub ends: Option<Date>,
    pub air_gapped: bool,
}

#[component]
pub fn Policies(path: String, policies: Vec<PolicyLine>, form: FormState, may: bool, may_issue: bool) -> impl IntoView {
    let list = if policies.is_empty() {
        view! {
            <Empty title="No policies yet">
                <p>"A policy is a template: licenses issued from it have its terms. Machines that are never connected need one, because their app reads its license from the policy’s file."</p>
            </Empty>
        }
        .into_any()
    } else {
        let rows = policies
            .into_iter()
            .map(|line| {
                let here = format!("{path}/policies/{}", line.code);
                let file = line.air_gapped.then(|| {
                    let words = format!("{}.lic", line.code);
                    view! { <a href=format!("{here}.lic") download=words.clone() aria-label=format!("Policy file {words}")>"File"</a> }
                });
                let issue = may_issue.then(|| {
                    view! { <PostButton action=format!("{here}/issue") kind=Kind::Plain>"Issue one"</PostButton> }
                });
                let number = line.air_gapped.then(|| format!(" · air-gapped, number {}", line.id));
                let short = format!("{}, {} {}", line.kind, line.seats, if line.seats == "1" { "seat" } else { "seats" });
                view! {
                    <tr>
                        <td>{line.name}<span class="sub"><span class="mono">{line.code}</span>{number}</span>
                            <span class="sub narrow">{short}</span></td>
                        <td class="wide">{line.kind}</td>
                        <td class="wide num">{line.seats}</td>
                        <td class="wide">{line.ends.map(|date| view! { <Day date=date/> })}</td>
                        <td><div class="actions">{file}{issue}</div></td>
                    </tr>
                }
            })
            .collect_view();
        let columns = vec![
            Column::new("Policy"),
            Column::new("Type").wide(),
            Column::new("Seats").numeric().wide(),
            Column::new("Ends").wide(),
            Column::new("What can be done").unseen(),
        ];
        view! { <Table caption="Policies" columns=columns>{rows}</Table> }.into_any()
    };
    let add = may.then(|| {
        view! {
            <Card title="Add a policy">
                <PostForm action=format!("{path}/policies") form=form.clone()>
                    <Field at=form.at("name") label="Name" maxlength=128/>
                    <Field at=form.at("code") label="Code" mono=true maxlength=64 hint="Orders and the command line name the policy by it."/>
                    <div class="row">
                        <Field at=form.at("seats") label="Seats" inputmode="numeric" hint="Machines a license may be on, or “unlimited”."/>
                        <Field at=form.at("ends") label="Last day" kind="date" optional=true hint="Empty: licenses of it never end."/>
                    </div>
                    <Tick at=form.at("air_gapped") label="For machines that are never connected" hint="They are activated by codes a person types. What they have read never changes, so such a policy and its licenses can’t be edited."/>
                    <div class="actions"><Button>"Add the policy"</Button></div>
                </PostForm>
            </Card>
        }
    });
    view! { <div class="sides"><div>{list}</div><div>{add}</div></div> }
}
