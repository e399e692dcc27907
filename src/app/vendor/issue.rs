//! `/vendor/licenses/new`: first the product, then what is sold of it.

use leptos::prelude::*;

use crate::app::{
    shell::VendorShell,
    ui::{
        Button, Card, Choice, Column, CopyButton, Empty, Field, FormState, Kind, Lines, LinkButton, Mail, Notice, PostForm,
        Radios, Select, Table, Tick, Tone,
    },
    view::VendorFrame,
};

#[derive(Clone, Debug, Default)]
pub struct IssueView {
    /// Posts to `/vendor/licenses/new`; fields as in the page below; carries a request id.
    pub form: FormState,
    /// None until one is chosen by `?product=CODE`.
    pub product: Option<IssueProduct>,
    pub products: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct IssueProduct {
    pub code: String,
    pub name: String,
    /// Whether licenses of it are used by people who sign in.
    pub users: UsersAsked,
    pub features: Vec<FeatureChoice>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UsersAsked {
    /// Its licenses have keys alone.
    #[default]
    No,
    /// Beside the key.
    Also,
    /// Instead of a key.
    Only,
}

/// Licenses that were issued to users: the one page that shows their first passwords.
#[derive(Clone, Debug)]
pub struct IssuedView {
    pub order: (String, i64),
    /// Key (none: it has users alone) and id.
    pub licenses: Vec<(Option<String>, i64)>,
    /// Address and first password; none where it was shown before.
    pub users: Vec<(String, Option<String>)>,
    /// What follows is for one license; of several each has the same users.
    pub product: String,
}

#[derive(Clone, Debug)]
pub struct FeatureChoice {
    pub code: String,
    pub name: String,
    /// Counted features also ask how many: field `max-CODE`.
    pub counted: bool,
}

#[component]
pub fn IssuePage(vendor: VendorFrame, view: IssueView) -> impl IntoView {
    let IssueView { form, product, products } = view;
    let several = products.len() > 1;
    let body = match product {
        Some(product) => view! { <IssueForm form=form product=product several=several/> }.into_any(),
        None if products.is_empty() => view! {
            <Empty title="There is no product yet">
                <p>"A license belongs to a product. Add one, then come back."</p>
                <LinkButton href="/vendor/products/new">"Add a product"</LinkButton>
            </Empty>
        }
        .into_any(),
        None => {
            let links = products
                .into_iter()
                .map(|(code, name)| view! { <li><a href=format!("/vendor/licenses/new?product={code}")>{name}</a>" "<span class="mono hint">{code.clone()}</span></li> })
                .collect_view();
            view! { <Card title="Which product?"><ul class="stack" role="list">{links}</ul></Card> }.into_any()
        }
    };
    view! {
        <VendorShell vendor=vendor title="Issue a license" here="/vendor/licenses" narrow=true>
            <p class="crumb"><a href="/vendor/licenses">"Licenses"</a></p>
            <div class="page-head"><h1>"Issue a license"</h1></div>
            {body}
        </VendorShell>
    }
}

#[component]
fn IssueForm(form: FormState, product: IssueProduct, several: bool) -> impl IntoView {
    let code = product.code.clone();
    let types = vec![
        Choice::new("perpetual", "Perpetual").hint("Runs without end; new versions as long as maintenance lasts."),
        Choice::new("time-limited", "Time-limited").hint("Ends on a day, or so many days after it was first activated."),
        Choice::new("subscription", "Subscription").hint("Renewed again and again, by you or by a shop."),
        Choice::new("consumption", "Consumption").hint("Counts what is used up."),
    ];
    let features = (!product.features.is_empty()).then(|| {
        let ticks = product
            .features
            .iter()
            .map(|feature| {
                let field = format!("feature-{}", feature.code);
                let most = feature.counted.then(|| {
                    let name = format!("max-{}", feature.code);
                    view! { <Field at=form.at(&name) label=format!("{}: how many", feature.name) inputmode="numeric" optional=true short=true/> }
                });
                view! { <Tick at=form.at(&field) label=feature.name.clone()/>{most} }
            })
            .collect_view();
        view! { <fieldset class="group"><legend>"Features"</legend>{ticks}</fieldset> }
    });
    let users = match product.users {
        UsersAsked::No => None,
        UsersAsked::Also => {
            Some((true, "One e-mail address a line. Each gets a password, shown once after issuing. Empty: the key alone."))
        }
        UsersAsked::Only => {
            Some((false, "One e-mail address a line. Each gets a password, shown once after issuing; the license has no key."))
        }
    }
    .map(|(optional, hint)| {
        view! {
            <Lines at=form.at("users") label="Users" hint=hint optional=optional/>
            <Field at=form.at("user_seats") label="Machines of each user" inputmode="numeric" optional=true short=true hint="Empty: as many as the license has."/>
        }
    });
    let by_key = product.users != UsersAsked::Only;
    let rare = ["start", "transfers", "grace_hours", "max_consumption", "slots", "borrow_hours", "key"];
    let open = rare.iter().any(|name| form.at(name).error.is_some());
    view! {
        <p>"Of "<strong>{product.name}</strong>" "<span class="mono hint">{product.code}</span>
            {several.then(|| view! { " · "<a href="/vendor/licenses/new">"another product"</a> })}</p>
        <PostForm action="/vendor/licenses/new" form=form.clone()>
            <input type="hidden" name="product" value=code/>
            <Card title="What is sold" clone:form>
                <Radios at=form.at("type") legend="Type" choices=types/>
                <div class="row">
                    <Field at=form.at("seats") label="Seats" hint="Machines at once, or “unlimited”." short=true/>
                    <Field at=form.at("quantity") label="Licenses" hint=if by_key { "How many, each with its own key." } else { "How many, each for the same users." } inputmode="numeric" short=true/>
                </div>
                <div class="row">
                    <Field at=form.at("valid_until") label="Good through" kind="date" optional=true hint="The whole of that day counts."/>
                    <Field at=form.at("maintenance_until") label="New versions until" kind="date" optional=true hint="Empty: every version is covered."/>
                </div>
                <div class="row">
                    <Field at=form.at("valid_days") label="Or good for" suffix="days" inputmode="numeric" optional=true/>
                    <Select at=form.at("valid_days_from") label="Counted from" choices=vec![
                        Choice::new("issue", "today"),
                        Choice::new("activation", "the first activation"),
                        Choice::new("client", "the app’s first run"),
                    ]/>
                </div>
                {features}
                <Tick at=form.at("trial") label="This is a trial"/>
                <Tick at=form.at("offline") label="May be activated with files" hint="For machines without a network."/>
            </Card>
            <Card title="To whom" clone:form>
                {users}
                <div class="row">
                    <Field at=form.at("customer") label="Customer’s e-mail address" kind="email" optional=true maxlength=254 autocomplete="off"/>
                    <Field at=form.at("customer_name") label="Customer’s name" optional=true maxlength=128 autocomplete="off"/>
                </div>
                <Field at=form.at("order") label="Order reference" optional=true maxlength=64 autocomplete="off" hint="As it stands on the invoice. An order of this reference is found or made."/>
                <Field at=form.at("note") label="Note" optional=true maxlength=500 autocomplete="off" hint="For your colleagues; customers never see it."/>
            </Card>
            <details class="more" open=open>
                <summary>"Rarely needed"</summary>
                <Card>
                    <div class="row">
                        <Field at=form.at("start") label="Starts on" kind="date" optional=true/>
                        <Field at=form.at("grace_hours") label="Grace after its end" suffix="hours" inputmode="numeric" optional=true/>
                    </div>
                    <div class="row">
                        <Field at=form.at("transfers") label="Transfers" optional=true hint="How often a freed seat may be taken by another machine: a number, or “none”. Empty: any number." short=true/>
                        <Field at=form.at("max_consumption") label="Consumption" inputmode="numeric" optional=true hint="How much may be used up. Only for that type." short=true/>
                    </div>
                    <div class="row">
                        <Field at=form.at("slots") label="Working at once" suffix="machines" inputmode="numeric" optional=true hint="A floating license: its machines share so many slots. Empty: every seat may work at any time." short=true/>
                        <Field at=form.at("borrow_hours") label="A slot may be borrowed for" suffix="hours" inputmode="numeric" optional=true hint="To work without a network. Empty: not at all." short=true/>
                    </div>
                    {by_key.then(|| view! { <Field at=form.at("key") label="Activation key" mono=true optional=true maxlength=128 autocomplete="off" hint="Empty: a new one is made. Fill it in only to bring a key from elsewhere."/> })}
                </Card>
            </details>
            <div class="actions"><Button>"Issue"</Button></div>
        </PostForm>
    }
}

#[component]
pub fn IssuedPage(vendor: VendorFrame, view: IssuedView) -> impl IntoView {
    let IssuedView { order: (reference, order), licenses, users, product } = view;
    let shown = users.iter().any(|(_, password)| password.is_some());
    let links = licenses
        .into_iter()
        .map(|(key, id)| {
            let name = key.unwrap_or_else(|| format!("license {id}"));
            view! { <li><a class="mono" href=format!("/vendor/licenses/{id}")>{name}</a></li> }
        })
        .collect_view();
    let rows = users
        .into_iter()
        .map(|(email, password)| {
            let password = match password {
                Some(password) => view! {
                    <td><span class="mono">{password.clone()}</span></td>
                    <td><CopyButton text=password/></td>
                }
                .into_any(),
                None => view! { <td>"shown before"</td><td></td> }.into_any(),
            };
            view! { <tr><td><Mail text=email/></td>{password}</tr> }
        })
        .collect_view();
    let columns = vec![Column::new("User"), Column::new("First password"), Column::new("Copy").unseen()];
    let notice = if shown {
        view! {
            <Notice tone=Tone::Caution title="These passwords are shown only here">
                <p>"They are kept hashed, so nobody can look them up. Give each user theirs now; the app asks for address and password."</p>
            </Notice>
        }
        .into_any()
    } else {
        view! { <Notice tone=Tone::Info title="This form was sent before"><p>"Nothing was issued twice. The passwords stood on the page after the first time."</p></Notice> }.into_any()
    };
    view! {
        <VendorShell vendor=vendor title="Issued" here="/vendor/licenses" narrow=true>
            <p class="crumb"><a href="/vendor/licenses">"Licenses"</a></p>
            <div class="page-head"><h1>"Issued"</h1><span class="hint">{product}</span></div>
            {notice}
            <Table caption="Users and their first passwords" columns=columns>{rows}</Table>
            <Card title="Licenses"><ul class="stack close" role="list">{links}</ul></Card>
            <div class="actions"><LinkButton href=format!("/vendor/orders/{order}") kind=Kind::Plain>"Order "<bdi>{reference}</bdi></LinkButton></div>
        </VendorShell>
    }
}
