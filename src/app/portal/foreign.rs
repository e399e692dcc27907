//! Pages that links made for other systems lead to: `/activate/file`, where a license file of Quick License Manager's kind is had,
//! `/release`, where a computer's seat is given back by a code of its app, and `/trial`.

use leptos::prelude::*;

use crate::app::{
    shell::{CustomerShell, Headline},
    ui::{Button, Choice, Field, FormState, PostForm, Select},
    view::Frame,
};

#[component]
pub fn LicenseFilePage(
    frame: Frame,
    /// Fields `key`, `device_id`, `device_name`; posts to `/activate/file`.
    form: FormState,
) -> impl IntoView {
    let fresh = form.value("key").is_empty();
    view! {
        <CustomerShell frame=frame title="Get a license file" here="/activate">
            <p class="crumb"><a href="/activate">"Activate with a key"</a></p>
            <Headline title="Get a license file" lede="For an app on a computer without a network: take the file there and open it in the app."/>
            <PostForm action="/activate/file" form=form.clone()>
                <Field at=form.at("key") label="Activation key" mono=true maxlength=128 autocomplete="off" autofocus=fresh/>
                <Field at=form.at("device_id") label="Computer id" mono=true maxlength=256 autocomplete="off" hint="Copy it from the app, exactly as it stands there."/>
                <Field at=form.at("device_name") label="Computer name" optional=true maxlength=128 autocomplete="off" hint="So that you can tell your computers apart later."/>
                <div class="actions"><Button>"Download LicenseFile.xml"</Button></div>
            </PostForm>
            <p class="reference">"The app made a request file? "<a href="/offline">"Bring it here"</a>"."</p>
        </CustomerShell>
    }
}

#[component]
pub fn ReleasePage(
    frame: Frame,
    /// Fields `key`, `device_id`, `code`; posts to `/release`.
    form: FormState,
    /// The seat is free.
    done: bool,
) -> impl IntoView {
    let body = if done {
        view! {
            <Headline title="The computer is released" lede="Its seat is free for another one."/>
            <p class="reference"><a href="/activate">"Activate another computer"</a></p>
        }
        .into_any()
    } else {
        view! {
            <Headline title="Release a computer" lede="Deactivate the app on it first: it then shows a code."/>
            <PostForm action="/release" form=form.clone()>
                <Field at=form.at("key") label="Activation key" mono=true maxlength=128 autocomplete="off"/>
                <Field at=form.at("device_id") label="Computer id" mono=true maxlength=256 autocomplete="off"/>
                <Field at=form.at("code") label="Code from the app" mono=true maxlength=64 autocomplete="off" hint="It is good for the day it was made on."/>
                <div class="actions"><Button>"Release this computer"</Button></div>
            </PostForm>
            <p class="reference">"The app made a release file? "<a href="/offline">"Bring it here"</a>"."</p>
        }
        .into_any()
    };
    view! { <CustomerShell frame=frame title="Release a computer" here="">{body}</CustomerShell> }
}

#[component]
pub fn TrialPage(
    frame: Frame,
    /// Fields `email`, `name`, `product`; posts to `/trial`.
    form: FormState,
    /// Numbers and names.
    products: Vec<(String, String)>,
    done: bool,
) -> impl IntoView {
    let body = if done {
        let email = form.value("email").to_owned();
        view! {
            <Headline title="Look into your mail" lede="Nothing more has to be done here."/>
            <p>"A trial key is on its way to "<bdi class="mono">{email}</bdi>"."</p>
            <p class="hint">"No mail after a minute or two? Look into the folder for spam."</p>
        }
        .into_any()
    } else {
        let none = Choice::new("", "Choose a product");
        let choices = core::iter::once(none).chain(products.into_iter().map(|(number, name)| Choice::new(number, name)));
        view! {
            <Headline title="Try it" lede="The key comes by mail."/>
            <PostForm action="/trial" form=form.clone()>
                <Select at=form.at("product") label="Product" choices=choices.collect()/>
                <Field at=form.at("email") label="E-mail address" kind="email" maxlength=254 autocomplete="email"/>
                <Field at=form.at("name") label="Name" optional=true maxlength=200 autocomplete="name"/>
                <div class="actions"><Button>"Send me a trial key"</Button></div>
            </PostForm>
        }
        .into_any()
    };
    view! { <CustomerShell frame=frame title="Try it" here="">{body}</CustomerShell> }
}
