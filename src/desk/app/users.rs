//! What a named user does through an app: looks at the licenses that are theirs, and takes a password of their own.

use super::{
    App, AppRefusal, Principal,
    lists::{customer_of, reference},
    sold,
};
use crate::{
    desk::{Desk, Fault, answer_licensespring::TRY_WINDOW_SECONDS},
    licensing::{Email, ProductCode, license::License, product::Product},
    store::{LicenseUser, NewAudit, Subject},
    vault::Password,
};

/// Licenses of one address that are looked at: each costs the check of a password.
const LICENSES_OF_A_USER: i64 = 32;

/// A license that is a user's.
pub struct UserLicense {
    pub product: Product,
    pub license: License,
    pub user: LicenseUser,
    /// What the shop calls the order it was sold in.
    pub order: String,
}

impl Desk {
    /// The licenses of a product that a user and password, or a sign-in, open. Refuses where they open none.
    pub async fn user_licenses_app(
        &self,
        app: &App,
        code: &ProductCode,
        principal: Principal,
    ) -> Result<Result<Vec<UserLicense>, AppRefusal>, Fault> {
        if let Err(refusal) = app.may(code, false) {
            return Ok(Err(refusal));
        }
        let mut conn = self.read().await?;
        let product = match sold(conn.product(code).await?) {
            Ok(product) => product,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let users = match &principal {
            Principal::User { name, password } => {
                let users = match address(name) {
                    Some(email) => conn.users_in_product(&code.folded(), &email.folded()).await?,
                    None => Vec::new(),
                };
                drop(conn);
                self.opened(users, name, password.as_deref().unwrap_or_default()).await?
            }
            Principal::Sso { account, name, proof } => {
                drop(conn);
                match self.proven(app, account, name.as_deref(), proof).await? {
                    Ok((email, account)) => {
                        Ok(self.read().await?.users_in_account(&code.folded(), &email.folded(), account).await?)
                    }
                    Err(refusal) => Err(refusal),
                }
            }
            Principal::Key(_) | Principal::Proven { .. } => Err(AppRefusal::UserCredentials),
        };
        let users = match users {
            Ok(users) if users.is_empty() => return Ok(Err(AppRefusal::LicenseNotFound)),
            Ok(users) => users,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut conn = self.read().await?;
        let mut licenses = Vec::with_capacity(users.len());
        for user in users {
            let Some((mut license, _, _)) = conn.license(user.license).await? else { continue };
            if app.reaches(&license, customer_of(&mut conn, &license).await?.as_ref()) {
                license.turn_meters(self.now());
                let order = reference(&mut conn, &license).await?;
                licenses.push(UserLicense { product: product.clone(), license, user, order });
            }
        }
        Ok(Ok(licenses))
    }

    /// Takes a password of the user's own on every license the present one opens.
    pub async fn change_password_app(
        &self,
        app: &App,
        name: &str,
        password: &str,
        chosen: &str,
    ) -> Result<Result<(), AppRefusal>, Fault> {
        if let Err(refusal) = app.may_change() {
            return Ok(Err(refusal));
        }
        let chosen = match Password::choose(chosen) {
            Ok(chosen) => chosen,
            Err(error) => return Ok(Err(error.into())),
        };
        let found = match address(name) {
            Some(email) => self.read().await?.users_with_email(&email.folded(), LICENSES_OF_A_USER).await?,
            None => Vec::new(),
        };
        let reached = found.into_iter().filter(|(_, product)| app.may(product, true).is_ok());
        let users = match self.opened(reached.map(|(user, _)| user).collect(), name, password).await? {
            Ok(users) => users,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let hash = self.passwords.hash(chosen).await;
        let (now, actor, app) = (self.now(), app.actor(), app.clone());
        let changed = self.store.write(move |conn| {
            let (users, hash, actor, app) = (users.clone(), hash.clone(), actor.clone(), app.clone());
            Box::pin(async move {
                let mut changed = false;
                for user in users {
                    let Some((license, _, head)) = conn.lock_license(user.license).await? else { continue };
                    if !app.reaches(&license, customer_of(conn, &license).await?.as_ref()) {
                        continue;
                    }
                    if !conn.set_user_password(&user, &hash).await? {
                        continue;
                    }
                    changed = true;
                    let entry = NewAudit {
                        at: now,
                        subject: Subject::license(user.license.0),
                        act: "license.user_password_changed",
                        actor: actor.clone(),
                        before: None,
                        after: Some(serde_json::json!({ "user": user.email.to_string() })),
                    };
                    let head = conn.audit(&entry, head.as_deref());
                    conn.set_audit_head(user.license, &head).await?;
                }
                Ok(changed)
            })
        });
        // Somebody who changed it meanwhile made what was shown wrong.
        Ok(if changed.await? { Ok(()) } else { Err(AppRefusal::UserCredentials) })
    }

    /// Those of a user's assignments that a password opens. Every try is counted, and one for nobody takes as long.
    async fn opened(
        &self,
        users: Vec<LicenseUser>,
        name: &str,
        password: &str,
    ) -> Result<Result<Vec<LicenseUser>, AppRefusal>, Fault> {
        // By the address it means: however a name is spelt, its tries are counted together.
        let who = address(name).map_or_else(|| name.to_lowercase(), |email| email.folded());
        if self.tried_too_often(&format!("\n{who}")).await? {
            return Ok(Err(AppRefusal::TooMany { seconds: TRY_WINDOW_SECONDS }));
        }
        let mut opened = Vec::new();
        if users.is_empty() {
            self.passwords.verify(Password::given(password), None).await;
        }
        for user in users.into_iter().take(LICENSES_OF_A_USER as usize) {
            if self.passwords.verify(Password::given(password), Some(user.password_hash.clone())).await {
                opened.push(user);
            }
        }
        Ok(if opened.is_empty() { Err(AppRefusal::UserCredentials) } else { Ok(opened) })
    }
}

/// Clients append an account's name after a bar.
pub(super) fn address(name: &str) -> Option<Email> {
    Email::parse(name.split('|').next().unwrap_or_default()).ok()
}
