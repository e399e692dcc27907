//! `/activate`: an activation key and a computer id, turned into a computer key.

use leptos::prelude::*;

use crate::app::{
    hydration::island_scripts,
    islands::{CheckedDevice, CheckedKey},
    shell::{CustomerShell, Headline},
    ui::{Button, Choice, Field, FormState, KeyField, PostForm, Select},
    view::Frame,
};

#[derive(Clone, Debug, Default)]
pub struct ActivateView {
    /// Fields `key`, `device_id`, `device_name`, `email`, `product`; posts to `/activate`; carries a request id, and what only an
    /// app's link tells: `version`, `vm`, and `product` where nobody has to choose.
    pub form: FormState,
    /// Asked only when the key typed belongs to several products: their codes and names.
    pub products: Vec<(String, String)>,
}

#[component]
pub fn ActivatePage(frame: Frame, view: ActivateView) -> impl IntoView {
    let ActivateView { form, products } = view;
    let (key, device_id) = (form.at("key"), form.at("device_id"));
    let fresh = !form.is_refused();
    let told = ["product", "version", "vm"].into_iter().filter(|name| *name != "product" || products.is_empty());
    let told: Vec<_> = told
        .map(|name| (name, form.value(name).to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect();
    let product = (!products.is_empty()).then(|| {
        let choices = products.into_iter().map(|(code, name)| Choice::new(code, name)).collect();
        view! { <Select at=form.at("product") label="Product" choices=choices hint="This key is good for several."/> }
    });
    let more = !form.value("device_name").is_empty() || !form.value("email").is_empty() || form.at("email").error.is_some();
    view! {
        <CustomerShell frame=frame title="Activate" here="/activate" scripts=island_scripts()>
            <Headline title="Activate with a key" lede="The app shows its computer id where it asks for a key."/>
            <PostForm action="/activate" form=form.clone()>
                {told}
                <CheckedKey><KeyField at=key autofocus=fresh/></CheckedKey>
                {product}
                <CheckedDevice>
                    <Field at=device_id label="Computer id" mono=true autocomplete="off"
                        hint="Copy it from the app, exactly as it stands there."/>
                </CheckedDevice>
                <details class="more" open=more>
                    <summary>"Add a name or an e-mail address"</summary>
                    <div class="form">
                        <Field at=form.at("device_name") label="Computer name" optional=true maxlength=128 autocomplete="off"
                            hint="So that you can tell your computers apart later."/>
                        <Field at=form.at("email") label="E-mail address" kind="email" optional=true maxlength=254 autocomplete="email"
                            hint="Kept with this activation; nothing is sent to it now."/>
                    </div>
                </details>
                <div class="actions"><Button>"Activate this computer"</Button></div>
            </PostForm>
            <p class="reference">"No key at hand? "<a href="/activate/code">"Activate with your e-mail address"</a>" or "<a href="/lost-key">"find your keys"</a>". No network on that computer? "<a href="/offline">"Activate it with files"</a>"."</p>
        </CustomerShell>
    }
}
