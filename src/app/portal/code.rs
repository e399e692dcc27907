//! `/activate/code`: a computer activated by a code from the customer's mail; `/lost-key`: keys sent to their address; `/mail/{link}`: what
//! a customer confirms by a link in a letter.

use leptos::prelude::*;

use crate::app::{
    shell::{CustomerShell, Headline},
    ui::{Button, Choice, Field, FormState, PostForm, Select},
    view::Frame,
};

#[derive(Clone, Debug, Default)]
pub struct CodeView {
    /// Fields `email`, `device_id`, `device_name`, `product`, `vm`; posts to `/activate/code`.
    pub form: FormState,
    /// Products by code and name; one alone is not asked for.
    pub products: Vec<(String, String)>,
}

#[component]
pub fn CodePage(frame: Frame, view: CodeView) -> impl IntoView {
    let CodeView { form, products } = view;
    let told = hidden(&form, &["device_name", "vm"]);
    let product = match products.as_slice() {
        [(code, _)] => view! { <input type="hidden" name="product" value=code.clone()/> }.into_any(),
        _ => {
            // Nobody should get a code for a product they did not choose.
            let none = Choice::new("", "Choose your product");
            let choices = core::iter::once(none).chain(products.into_iter().map(|(code, name)| Choice::new(code, name)));
            view! { <Select at=form.at("product") label="Product" choices=choices.collect()/> }.into_any()
        }
    };
    view! {
        <CustomerShell frame=frame title="Activate with your e-mail address" here="/activate">
            <p class="crumb"><a href="/activate">"Activate with a key"</a></p>
            <Headline title="Activate with your e-mail address" lede="No key at hand? A code goes to the address the license was bought with."/>
            <PostForm action="/activate/code" form=form.clone()>
                {told}
                <Field at=form.at("email") label="E-mail address" kind="email" maxlength=254 autocomplete="email"
                    hint="The one the license was bought with."/>
                {product}
                <Field at=form.at("device_id") label="Computer id" mono=true autocomplete="off"
                    hint="The app shows it where it asks for a key. Copy it exactly as it stands there."/>
                <div class="actions"><Button>"Send me a code"</Button></div>
            </PostForm>
        </CustomerShell>
    }
}

#[derive(Clone, Debug, Default)]
pub struct CodeSentView {
    /// Field `code`, and what was typed before, hidden; posts to `/activate/code/confirm`; carries a request id.
    pub form: FormState,
    pub product: String,
    pub minutes: i64,
}

#[component]
pub fn CodeSentPage(frame: Frame, view: CodeSentView) -> impl IntoView {
    let CodeSentView { form, product, minutes } = view;
    let told = hidden(&form, &["email", "device_id", "device_name", "product", "vm"]);
    let (email, device) = (form.value("email").to_owned(), form.value("device_id").to_owned());
    view! {
        <CustomerShell frame=frame title="Type the code" here="/activate">
            <p class="crumb"><a href="/activate/code">"Another address or computer"</a></p>
            <Headline title="Type the code" lede=format!("It activates {product} on this computer.")/>
            <p>"If there is a license of "{product}" for "<bdi class="mono">{email}</bdi>", a code is on its way there. It is good for "{minutes}" minutes."</p>
            <p class="hint">"No mail after a minute or two? Look into the folder for spam, and whether this is the address it was bought with."</p>
            <PostForm action="/activate/code/confirm" form=form.clone()>
                {told}
                <Field at=form.at("code") label="Code from the mail" mono=true short=true inputmode="numeric" maxlength=12 autocomplete="one-time-code"
                    hint="Six digits."/>
                <p class="hint">"For the computer "<bdi class="mono">{device}</bdi></p>
                <div class="actions"><Button>"Activate this computer"</Button></div>
            </PostForm>
        </CustomerShell>
    }
}

fn hidden(form: &FormState, names: &[&'static str]) -> Vec<AnyView> {
    let told = names.iter().map(|name| (*name, form.value(name).to_owned())).filter(|(_, value)| !value.is_empty());
    told.map(|(name, value)| view! { <input type="hidden" name=name value=value/> }.into_any()).collect()
}

#[derive(Clone, Debug, Default)]
pub struct LostKeyView {
    /// Field `email`; posts to `/lost-key`.
    pub form: FormState,
    /// The address was taken.
    pub sent: bool,
}

#[component]
pub fn LostKeyPage(frame: Frame, view: LostKeyView) -> impl IntoView {
    let LostKeyView { form, sent } = view;
    let support = frame.brand.support_link();
    let body = if sent {
        let email = form.value("email").to_owned();
        view! {
            <Headline title="Look into your mail" lede="Nothing more has to be done here."/>
            <p>"If licenses were bought with "<bdi class="mono">{email}</bdi>", their keys are on the way there."</p>
            <p class="hint">"No mail after a minute or two? Look into the folder for spam. The licenses may have been bought with another address, or by a dealer."</p>
            <p class="reference"><a href="/lost-key">"Try another address"</a>{support.map(|support| view! { " or "<a href=support.href>"ask support"</a> })}"."</p>
        }
        .into_any()
    } else {
        view! {
            <Headline title="Find your keys" lede="They are sent to the address they were bought with, and shown to nobody else."/>
            <PostForm action="/lost-key" form=form.clone()>
                <Field at=form.at("email") label="E-mail address" kind="email" maxlength=254 autocomplete="email"
                    hint="The one the licenses were bought with."/>
                <div class="actions"><Button>"Send me my keys"</Button></div>
            </PostForm>
        }
        .into_any()
    };
    view! { <CustomerShell frame=frame title="Find your keys" here="/lost-key">{body}</CustomerShell> }
}

/// What is confirmed, or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirming {
    Consent,
    News,
    NoNews,
    NoConsent,
}

#[derive(Clone, Debug)]
pub struct ConfirmView {
    /// Where the form posts to.
    pub action: String,
    pub what: Confirming,
    pub email: String,
    /// Of a license of theirs, where that is asked for.
    pub key: Option<String>,
    pub done: bool,
}

#[component]
pub fn ConfirmPage(frame: Frame, view: ConfirmView) -> impl IntoView {
    let portal = frame.brand.name.clone();
    let (title, lede, button, after) = match view.what {
        Confirming::Consent => (
            "Confirm your consent",
            format!("{portal} keeps what you told about yourself, to look after your licenses."),
            "I agree",
            "Your consent is noted. You can take it back at any time.",
        ),
        Confirming::News => (
            "Confirm that you want mail",
            format!("{portal} may then write to you about its products."),
            "Write to me",
            "You will be written to. Every such letter says how to stop it.",
        ),
        Confirming::NoNews => (
            "Stop letters about products",
            format!("{portal} then writes to you about your licenses alone."),
            "Stop them",
            "You will not be written to about products any more.",
        ),
        Confirming::NoConsent => (
            "Take your consent back",
            format!("{portal} then keeps what your licenses need, and nothing else that you told."),
            "Take it back",
            "Your consent is taken back.",
        ),
    };
    let email = view.email.clone();
    let body = if view.done {
        view! { <Headline title="Done" lede=after/><p>"For "<bdi class="mono">{email}</bdi>"."</p> }.into_any()
    } else {
        let form = FormState::filled([("email", view.email), ("key", view.key.unwrap_or_default())]);
        let told = hidden(&form, &["email", "key"]);
        view! {
            <Headline title=title lede=lede/>
            <p>"For "<bdi class="mono">{email}</bdi>"."</p>
            <PostForm action=view.action form=form>{told}<div class="actions"><Button>{button}</Button></div></PostForm>
        }
        .into_any()
    };
    view! { <CustomerShell frame=frame title=title here="">{body}</CustomerShell> }
}
