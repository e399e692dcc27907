//! `/vendor/parts`, in debug builds: every part in every state, to be looked at.

use leptos::prelude::*;

use crate::{
    app::{
        shell::VendorShell,
        ui::{
            Button, Card, Check, Checklist, Chip, Chips, Choice, Column, CopyButton, Dialog, DialogLink, Empty, Fact, Facts,
            Field, FormState, KeyField, Kind, Notice, Pager, PostForm, Radios, Select, SortDirection, State, Tab, Table, Tabs,
            Tick, Tone, When,
        },
        view::VendorFrame,
    },
    licensing::Timestamp,
};

const TONES: [(Tone, &str); 4] =
    [(Tone::Good, "Good"), (Tone::Caution, "Caution"), (Tone::Refused, "Refused"), (Tone::Info, "Info")];

#[component]
pub fn PartsPage(vendor: VendorFrame, now: Timestamp) -> impl IntoView {
    let mut form = FormState::filled([("name", "Press"), ("seats", "many"), ("kind", "b"), ("tick", "1")]);
    form.refuse("seats", "Seats are a number, or “unlimited”.");
    form.refuse("key", "The third group has a typing mistake.");
    let radios = form.clone().scoped("radios").at("kind");
    let choices = || vec![Choice::new("a", "First"), Choice::new("b", "Second").hint("With a hint.")];
    let notices = TONES
        .map(|(tone, word)| view! { <Notice tone=tone title=word><p>"What happened, why, what next."</p></Notice> })
        .collect_view();
    let states = TONES.map(|(tone, word)| view! { <State tone=tone text=word/> }).collect_view();
    let checks = TONES.map(|(tone, word)| Check::new(tone, word).because("With a reason beside it.")).to_vec();
    let columns = vec![
        Column::new("Key").sort("#", Some(SortDirection::Ascending)),
        Column::new("Seats").numeric().sort("#", None),
        Column::new("Seen").wide(),
    ];
    view! {
        <VendorShell vendor=vendor title="Parts">
            <div class="page-head"><h1>"Parts "<span class="count">"of the house"</span></h1></div>
            <Card title="Buttons">
                <div class="actions">
                    <Button>"Issue"</Button><Button kind=Kind::Plain>"Search"</Button><Button kind=Kind::Quiet>"Details"</Button>
                    <Button kind=Kind::Danger>"Disable"</Button><CopyButton text="copied"/><DialogLink opens="dialog">"Ask…"</DialogLink>
                </div>
                <Dialog id="dialog" title="Free this machine?"><p>"Its seat is free at once."</p><div class="actions"><Button>"Free this machine"</Button></div></Dialog>
            </Card>
            <Card title="Form">
                <PostForm action="#" form=form.clone()>
                    <KeyField at=form.at("key")/>
                    <div class="row">
                        <Field at=form.at("name") label="Name" hint="As customers know it."/>
                        <Field at=form.at("seats") label="Seats" suffix="machines"/>
                        <Field at=form.at("price") label="Price" prefix="€" optional=true/>
                    </div>
                    <Select at=form.at("kind") label="Select" choices=choices()/>
                    <Radios at=radios legend="Radios" choices=choices()/>
                    <Tick at=form.at("tick") label="Ticked" hint="And why."/>
                </PostForm>
            </Card>
            <Card title="Notices and states">{notices}<div class="actions">{states}</div></Card>
            <Card title="Checks"><Checklist checks=checks.clone()/><Checklist checks=checks inline=true/></Card>
            <Card title="Facts"><Facts><Fact name="Product">"Press Designer 4"</Fact><Fact name="Since"><When at=now now=now/></Fact></Facts></Card>
            <Tabs label="Tabs" tabs=vec![Tab::new("Machines 2", "#", true), Tab::new("History", "#", false)]/>
            <Chips label="Chips" chips=vec![Chip::new("enabled", "#", true), Chip::new("expired", "#", false)]/>
            <Table caption="Table" columns=columns>
                <tr class="linked"><td><a class="row-link mono" href="#">"7QX4A-…-K07JT"</a></td><td class="num">"2/3"</td><td class="wide"><When at=now now=now/></td></tr>
                <tr class="linked"><td><a class="row-link mono" href="#">"9TJ2M-…-0ABCD"</a></td><td class="num">"1/1"</td><td class="wide"><When at=now.plus_days(-40) now=now/></td></tr>
            </Table>
            <Pager shown="50 of 12,408" previous=None next=Some("#".to_owned())/>
            <Empty title="Licenses will be listed here"><p>"And this is the first step to get one."</p></Empty>
        </VendorShell>
    }
}
