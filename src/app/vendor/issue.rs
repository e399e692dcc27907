//! `/vendor/licenses/new`: first the product, then what is sold of it.

use leptos::prelude::*;

use crate::app::{
    shell::VendorShell,
    ui::{Button, Card, Choice, Empty, Field, FormState, LinkButton, PostForm, Radios, Select, Tick},
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
    pub features: Vec<FeatureChoice>,
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
    let rare = ["start", "transfers", "grace_hours", "max_consumption", "key"];
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
                    <Field at=form.at("quantity") label="Licenses" hint="How many, each with its own key." inputmode="numeric" short=true/>
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
                    <Field at=form.at("key") label="Activation key" mono=true optional=true maxlength=128 autocomplete="off" hint="Empty: a new one is made. Fill it in only to bring a key from elsewhere."/>
                </Card>
            </details>
            <div class="actions"><Button>"Issue"</Button></div>
        </PostForm>
    }
}
