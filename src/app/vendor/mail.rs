//! `/vendor/mail`: every letter and short message, what became of it, and how they leave this server.

use leptos::prelude::*;

use super::list::{Address, ListHead, SearchBox};
use crate::{
    app::{
        shell::VendorShell,
        ui::{
            Button, Card, Choice, Column, Dialog, DialogLink, Empty, Fact, Facts, Field, FormState, Kind, Lines, LinkButton,
            Notice, Pager, PostButton, PostForm, Select, State, Table, Tone, When,
        },
        view::VendorFrame,
    },
    licensing::Timestamp,
};

#[derive(Clone, Debug)]
pub struct MailListView {
    /// `/vendor/mail` with `q` (a recipient) and `before`.
    pub address: Address,
    pub rows: Vec<MailRow>,
    /// Where older ones are.
    pub older: Option<String>,
    /// Mail leaves this server.
    pub has_server: bool,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct MailRow {
    /// Names it in addresses.
    pub token: String,
    pub recipient: String,
    pub subject: String,
    pub state: (Tone, String),
    pub at: Timestamp,
}

#[component]
pub fn MailListPage(vendor: VendorFrame, view: MailListView) -> impl IntoView {
    let MailListView { address, rows, older, has_server, now } = view;
    let may_set = vendor.staff.manages_settings;
    let searched = !address.value("q").is_empty() || !address.value("before").is_empty();
    let shown = format!("{} on this page", rows.len());
    let notice = (!has_server).then(|| {
        view! {
            <Notice tone=Tone::Caution title="No mail server is set">
                <p>"Nothing is sent. What would be is listed here, with its text, so that you can pass it on by other means."
                {may_set.then(|| view! { " "<a href="/vendor/mail/server">"Set a mail server"</a>"." })}</p>
            </Notice>
        }
    });
    let body = if !rows.is_empty() {
        let rows = rows
            .into_iter()
            .map(|row| {
                let (tone, state) = row.state;
                view! {
                    <tr class="linked">
                        <td><a class="row-link" href=format!("/vendor/mail/{}", row.token)>{row.subject}</a><span class="sub"><bdi>{row.recipient}</bdi></span></td>
                        <td><State tone=tone text=state/></td>
                        <td class="wide"><When at=row.at now=now/></td>
                    </tr>
                }
            })
            .collect_view();
        let columns = vec![Column::new("Mail"), Column::new("State"), Column::new("Written").wide()];
        view! { <Table caption="Mail" columns=columns>{rows}</Table> }.into_any()
    } else if searched {
        view! {
            <Empty title="No mail to this address">
                <p>"Type the whole address. Letters are listed for 90 days."</p>
                <LinkButton href="/vendor/mail" kind=Kind::Plain>"Show all mail"</LinkButton>
            </Empty>
        }
        .into_any()
    } else {
        view! { <Empty title="No mail yet"><p>"Codes for activating without a key, and keys that customers have sent to themselves, are listed here with what became of them."</p></Empty> }.into_any()
    };
    view! {
        <VendorShell vendor=vendor title="Mail" here="/vendor/mail">
            <ListHead title="Mail">{may_set.then(|| view! {
                <LinkButton href="/vendor/mail/templates" kind=Kind::Plain>"Templates"</LinkButton>
                <LinkButton href="/vendor/mail/server" kind=Kind::Plain>"Mail server"</LinkButton>
            })}</ListHead>
            {notice}
            <div class="filters"><SearchBox address=address.clone() label="Whole e-mail address or phone number"/></div>
            {body}
            {older.map(|before| view! { <Pager shown=shown previous=None next=Some(address.with("before", before).href())/> })}
        </VendorShell>
    }
}

#[derive(Clone, Debug)]
pub struct MailView {
    pub token: String,
    pub recipient: String,
    pub subject: String,
    pub by_phone: bool,
    pub state: (Tone, String),
    /// What stood in the way last.
    pub fault: String,
    pub attempts: i64,
    pub written: Timestamp,
    pub sent: Option<Timestamp>,
    pub next: Option<Timestamp>,
    /// None once it is forgotten.
    pub text: Option<String>,
    pub can_retry: bool,
    pub now: Timestamp,
}

#[component]
pub fn MailPage(vendor: VendorFrame, view: MailView) -> impl IntoView {
    let (tone, state) = view.state;
    let now = view.now;
    let text = match view.text {
        Some(text) => view! { <pre class="code-box letter" tabindex="0">{text}</pre> }.into_any(),
        None => {
            view! { <p class="hint">"Its text held a code or keys, and was forgotten once it was sent or over."</p> }.into_any()
        }
    };
    let retry = view
        .can_retry
        .then(|| view! { <PostButton action=format!("/vendor/mail/{}/again", view.token) kind=Kind::Plain>"Try again now"</PostButton> });
    view! {
        <VendorShell vendor=vendor title=view.subject.clone() here="/vendor/mail" narrow=true>
            <p class="crumb"><a href="/vendor/mail">"Mail"</a></p>
            <div class="page-head"><h1>{view.subject}</h1><State tone=tone text=state/><div class="actions">{retry}</div></div>
            {(!view.fault.is_empty()).then(|| view! { <Notice tone=Tone::Caution title="What stood in the way"><p>{view.fault}</p></Notice> })}
            <Card title="Text">{text}</Card>
            <Card title="Delivery">
                <Facts>
                    <Fact name="To"><bdi>{view.recipient}</bdi></Fact>
                    <Fact name="By">{if view.by_phone { "short message" } else { "mail" }}</Fact>
                    <Fact name="Written"><When at=view.written now=now/></Fact>
                    <Fact name="Tries">{view.attempts.to_string()}</Fact>
                    {view.sent.map(|at| view! { <Fact name="Taken by the server"><When at=at now=now/></Fact> })}
                    {view.next.map(|at| view! { <Fact name="Next try"><When at=at now=now/></Fact> })}
                </Facts>
            </Card>
        </VendorShell>
    }
}

#[derive(Clone, Debug)]
pub struct TemplatesView {
    pub rows: Vec<TemplateRow>,
    /// Fields `name`, `subject`, `text`; posts to `/vendor/mail/templates`.
    pub form: FormState,
    /// The template that is edited; none: a new one is written.
    pub edited: Option<String>,
    /// What letters may name, kind by kind.
    pub variables: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug)]
pub struct TemplateRow {
    pub name: String,
    pub subject: String,
    /// What it is sent for.
    pub sent_for: &'static str,
}

#[component]
pub fn TemplatesPage(vendor: VendorFrame, view: TemplatesView) -> impl IntoView {
    let TemplatesView { rows, form, edited, variables } = view;
    let list = if rows.is_empty() {
        view! {
            <Empty title="Every letter has our words">
                <p>"Write a letter of your own, and it takes the place of ours: NewOrder goes out with what was bought, RenewSubscription when it was renewed, RequestKeys to whoever asks for their keys, AuthorizationCode with a code for activating."</p>
            </Empty>
        }
        .into_any()
    } else {
        let rows = rows
            .into_iter()
            .enumerate()
            .map(|(place, row)| {
                let dialog = format!("remove-template-{place}");
                let title = format!("Remove {}?", row.name);
                let path = format!("/vendor/mail/templates/{}/remove", row.name);
                let edit = format!("/vendor/mail/templates?edit={}", row.name);
                view! {
                    <tr>
                        <td><a class="mono" href=edit>{row.name}</a><span class="sub">{row.subject}</span><span class="sub">{row.sent_for}</span></td>
                        <td class="num">
                            <DialogLink opens=dialog.clone() kind=Kind::Quiet>"Remove…"</DialogLink>
                            <Dialog id=dialog title=title cancel="/vendor/mail/templates">
                                <p>"Letters that would be sent with it have ours from then on, or those of NewOrder where an order names it."</p>
                                <div class="actions"><PostButton action=path kind=Kind::Danger>"Remove it"</PostButton></div>
                            </Dialog>
                        </td>
                    </tr>
                }
            })
            .collect_view();
        let columns = vec![Column::new("Template"), Column::new("Remove").numeric()];
        view! { <Table caption="Mail templates" columns=columns>{rows}</Table> }.into_any()
    };
    let title = edited.as_ref().map_or_else(|| "Write a letter".to_owned(), |name| format!("Edit {name}"));
    let named =
        variables.into_iter().map(|(name, list)| view! { <li>{name}<span class="sub mono">{list}</span></li> }).collect_view();
    view! {
        <VendorShell vendor=vendor title="Mail templates" here="/vendor/mail">
            <p class="crumb"><a href="/vendor/mail">"Mail"</a></p>
            <div class="page-head"><h1>"Mail templates"</h1></div>
            <div class="sides">
                <div>
                    <Card title=title>
                        <PostForm action="/vendor/mail/templates" form=form.clone()>
                            <Field at=form.at("name") label="Name" mono=true maxlength=60 autocomplete="off" hint="NewOrder, RenewSubscription, RequestKeys, AuthorizationCode, or the name that a product’s is_emailtemplate says."/>
                            <Field at=form.at("subject") label="Subject" maxlength=200 autocomplete="off"/>
                            <Lines at=form.at("text") label="Text" rows=14 hint="Plain text. What may stand in it is under “What a letter may name”."/>
                            <div class="actions">
                                <Button>"Save"</Button>
                                {edited.is_some().then(|| view! { <LinkButton href="/vendor/mail/templates" kind=Kind::Plain>"Write another"</LinkButton> })}
                            </div>
                        </PostForm>
                    </Card>
                </div>
                <div>
                    {list}
                    <Card title="What a letter may name">
                        <ul class="stack" role="list">{named}</ul>
                    </Card>
                </div>
            </div>
        </VendorShell>
    }
}

#[derive(Clone, Debug)]
pub struct MailServerView {
    /// Fields `server`, `security`, `user`, `password`, `from`; posts to `/vendor/mail/server`.
    pub form: FormState,
    /// Field `to`; posts to `/vendor/mail/try`.
    pub trial: FormState,
    pub has_server: bool,
}

#[component]
pub fn MailServerPage(vendor: VendorFrame, view: MailServerView) -> impl IntoView {
    let MailServerView { form, trial, has_server } = view;
    let choices = vec![
        Choice::new("tls", "TLS (port 465)"),
        Choice::new("starttls", "STARTTLS (port 587)"),
        Choice::new("none", "None (port 25), for a server on this machine"),
    ];
    view! {
        <VendorShell vendor=vendor title="Mail server" here="/vendor/mail" narrow=true>
            <p class="crumb"><a href="/vendor/mail">"Mail"</a></p>
            <div class="page-head"><h1>"Mail server"</h1></div>
            <PostForm action="/vendor/mail/server" form=form.clone()>
                <Field at=form.at("server") label="Server" mono=true optional=true maxlength=200 autocomplete="off" hint="A host, and a port where it is another: smtp.example.com:2525. Empty: nothing is sent."/>
                <Select at=form.at("security") label="Encryption" choices=choices/>
                <Field at=form.at("user") label="User" optional=true maxlength=200 autocomplete="off"/>
                <Field at=form.at("password") label="Password" kind="password" optional=true maxlength=200 autocomplete="new-password" hint="Kept encrypted and never shown. Leave it as it is to keep it."/>
                <Field at=form.at("from") label="Sender" kind="email" optional=true maxlength=254 autocomplete="off" hint="The address mail comes from. Empty: the support address."/>
                <div class="actions"><Button>"Save"</Button></div>
            </PostForm>
            {has_server.then(|| view! {
                <Card title="Try it out">
                    <PostForm action="/vendor/mail/try" form=trial.clone()>
                        <Field at=trial.at("to") label="Send a letter to" kind="email" maxlength=254 autocomplete="email"/>
                        <div class="actions"><Button kind=Kind::Plain>"Send"</Button></div>
                    </PostForm>
                </Card>
            })}
        </VendorShell>
    }
}
