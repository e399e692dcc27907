//! `/vendor/account`: one's own password and sessions.

use leptos::prelude::*;

use crate::app::{
    shell::VendorShell,
    ui::{Button, Card, Field, FormState, Kind, PostButton, PostForm, Typed},
    view::VendorFrame,
};

#[derive(Clone, Debug, Default)]
pub struct AccountView {
    /// Fields `current`, `password`; posts to `/vendor/account/password`.
    pub form: FormState,
    /// How many other sessions are open.
    pub other_sessions: u64,
}

/// A password's field, always drawn empty.
pub(super) fn emptied(mut field: Typed) -> Typed {
    field.value.clear();
    field
}

#[component]
pub fn AccountPage(vendor: VendorFrame, view: AccountView) -> impl IntoView {
    let AccountView { form, other_sessions } = view;
    let email = vendor.staff.email.clone();
    let elsewhere = match other_sessions {
        0 => "You are signed in here only.".to_owned(),
        1 => "You are signed in at one other place.".to_owned(),
        many => format!("You are signed in at {many} other places."),
    };
    view! {
        <VendorShell vendor=vendor title="Your account" narrow=true>
            <div class="page-head"><h1>"Your account"</h1></div>
            <p>"Signed in as "<strong>{email}</strong>"."</p>
            <Card title="Change your password">
                <PostForm action="/vendor/account/password" form=form.clone()>
                    <Field at=emptied(form.at("current")) label="Present password" kind="password" autocomplete="current-password" maxlength=256/>
                    <Field at=emptied(form.at("password")) label="New password" kind="password" autocomplete="new-password" maxlength=256
                        hint="At least 12 characters. A few unrelated words are easy to keep and hard to guess."/>
                    <div class="actions"><Button>"Change the password"</Button></div>
                </PostForm>
            </Card>
            <Card title="Sessions">
                <p>{elsewhere}</p>
                <PostButton action="/vendor/account/sign-out-everywhere" kind=Kind::Plain>"Sign out everywhere"</PostButton>
            </Card>
        </VendorShell>
    }
}
