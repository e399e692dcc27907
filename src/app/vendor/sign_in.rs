//! `/vendor/sign-in`.

use leptos::prelude::*;

use crate::app::{
    shell::VendorDoor,
    ui::{Button, Field, FormState, Notice, PostForm, Tone},
    view::Frame,
};

#[derive(Clone, Debug, Default)]
pub struct SignInView {
    /// Fields `email`, `password`, hidden `next`; posts to `/vendor/sign-in`. The password is never sent back.
    pub form: FormState,
    /// What happened before, said once.
    pub said: Option<&'static str>,
    /// Nobody can sign in yet.
    pub no_staff: bool,
    /// The page came over plain http from another machine: the browser will drop the session's cookie.
    pub unprotected: bool,
}

#[component]
pub fn SignInPage(frame: Frame, view: SignInView) -> impl IntoView {
    let SignInView { form, said, no_staff, unprotected } = view;
    let said = said.map(|words| view! { <Notice tone=Tone::Good><p>{words}</p></Notice> });
    let next = form.value("next").to_owned();
    let unprotected = unprotected.then(|| {
        view! {
            <Notice tone=Tone::Caution title="This page came without encryption">
                <p>"The browser will not keep the sign-in. Open the portal by its https address, or on the server itself by 127.0.0.1."</p>
            </Notice>
        }
    });
    let no_staff = no_staff.then(|| {
        view! {
            <Notice tone=Tone::Info title="Nobody can sign in yet">
                <p>"On the server, run "<code>"countersign user add you@example.com --role owner"</code>" and type a password."</p>
            </Notice>
        }
    });
    let mut password = form.at("password");
    password.value.clear();
    view! {
        <VendorDoor frame=frame title="Sign in">
            <div class="sign-in form">
                <h1>"Sign in"</h1>
                {said}
                {unprotected}
                {no_staff}
                <PostForm action="/vendor/sign-in" form=form.clone()>
                    {(!next.is_empty()).then(|| view! { <input type="hidden" name="next" value=next/> })}
                    <Field at=form.at("email") label="E-mail address" kind="email" autocomplete="username" maxlength=254 autofocus=true/>
                    <Field at=password label="Password" kind="password" autocomplete="current-password" maxlength=256/>
                    <div class="actions"><Button>"Sign in"</Button></div>
                </PostForm>
            </div>
        </VendorDoor>
    }
}
