//! Vendor staff: signing in and out, and who belongs to the team.

use super::{ActError, Area, Desk, Level, Role, Visitor};
use crate::{
    licensing::{Email, Timestamp, UserId},
    store::{NewAudit, Staff, Subject},
    vault::{Password, Token},
};

const SESSION_DAYS: i64 = 14;
const TRY_WINDOW_SECONDS: i64 = 900;

/// A new session: its token goes into the cookie and nowhere else.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub token: Token,
    pub visitor: Visitor,
    pub expires: Timestamp,
}

impl Desk {
    /// Signs a member in. The same answer, in the same time, for an unknown address, a disabled member and a wrong password:
    /// `None`. Refuses more tries than the settings allow, counted by address in the database.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Option<SignedIn>, ActError> {
        let now = self.now();
        let subject =
            format!("sign-in:{}", crate::licensing::files::base64::url(&sha2_of(email.trim().to_lowercase().as_bytes())));
        let most = self.settings().sign_in_tries;
        let tries = self
            .store
            .write({
                let subject = subject.clone();
                move |conn| {
                    let subject = subject.clone();
                    Box::pin(async move { conn.count_try(&subject, TRY_WINDOW_SECONDS, now).await })
                }
            })
            .await?;
        if tries > most {
            return Err(self.too_many("sign-in").await?);
        }
        let member = match Email::parse(email) {
            Ok(email) => self.read().await?.staff_by_email(&email).await?,
            Err(_) => None,
        };
        let hash = member.as_ref().map(|member| member.password_hash.clone());
        let right = self.passwords.verify(Password::given(password), hash).await;
        let Some(member) = member.filter(|member| right && member.disabled.is_none()) else { return Ok(None) };
        // Who knew the password used up none of the tries.
        let (token, expires) = (Token::random(), now.plus_days(SESSION_DAYS));
        let (hash, id) = (token.hash().0.to_vec(), member.id);
        let visitor = visitor_of(&member).ok_or(super::Fault::Kept("a member's role"))?;
        let actor = visitor.actor();
        self.store
            .write(move |conn| {
                let (hash, actor, tries_of) = (hash.clone(), actor.clone(), subject.clone());
                Box::pin(async move {
                    conn.forget_tries(&tries_of).await?;
                    conn.add_session(&hash, id, now, expires).await?;
                    let subject = Subject::of("staff", id.0);
                    conn.audit_apart(&NewAudit { at: now, subject, act: "staff.signed_in", actor, before: None, after: None })
                        .await
                })
            })
            .await?;
        Ok(Some(SignedIn { token, visitor, expires }))
    }

    /// The refusal of one try too many, kept like every refusal, so that its reference is found.
    async fn too_many(&self, door: &'static str) -> Result<ActError, ActError> {
        let about = super::refusal::About { door, ..super::refusal::About::default() };
        let refused = self.refuse_with(super::Refusal::TooMany { seconds: TRY_WINDOW_SECONDS }, about).await?;
        Ok(ActError::Refused(Box::new(refused)))
    }

    /// Who a session's token belongs to.
    pub async fn visitor(&self, token: &Token) -> Result<Option<Visitor>, ActError> {
        let session = self.read().await?.session(&token.hash().0, self.now()).await?;
        Ok(session.and_then(|session| visitor_of(&session.staff)))
    }

    pub async fn sign_out(&self, token: &Token) -> Result<(), ActError> {
        let hash = token.hash().0.to_vec();
        self.store
            .write(move |conn| {
                let hash = hash.clone();
                Box::pin(async move { conn.end_session(&hash).await })
            })
            .await?;
        Ok(())
    }

    /// Ends every session of a member: of oneself, or of anyone with the right to manage the team.
    pub async fn sign_out_everywhere(&self, visitor: &Visitor, id: UserId) -> Result<u64, ActError> {
        if !matches!(visitor, Visitor::Staff { id: own, .. } if *own == id) {
            visitor.needs(Area::Team, Level::Manage)?;
        }
        let (now, actor) = (self.now(), visitor.actor());
        let ended = self.store.write(move |conn| {
            let actor = actor.clone();
            Box::pin(async move {
                let ended = conn.end_sessions_of(id).await?;
                let after = Some(serde_json::json!({ "sessions_ended": ended }));
                let subject = Subject::of("staff", id.0);
                conn.audit_apart(&NewAudit { at: now, subject, act: "staff.signed_out_everywhere", actor, before: None, after })
                    .await?;
                Ok(ended)
            })
        });
        Ok(ended.await?)
    }

    pub async fn team(&self, visitor: &Visitor) -> Result<Vec<Staff>, ActError> {
        visitor.needs(Area::Team, Level::Read)?;
        Ok(self.read().await?.all_staff().await?)
    }

    /// A member, when they last signed in, and how many sessions they have open.
    pub async fn member(&self, visitor: &Visitor, id: UserId) -> Result<(Staff, u64), ActError> {
        if !matches!(visitor, Visitor::Staff { id: own, .. } if *own == id) {
            visitor.needs(Area::Team, Level::Read)?;
        }
        let mut conn = self.read().await?;
        let member = conn.staff_member(id).await?.ok_or(ActError::NotFound)?;
        let sessions = conn.session_count(id, self.now()).await?;
        Ok((member, sessions.unsigned_abs()))
    }

    pub async fn last_sign_ins(&self, visitor: &Visitor) -> Result<std::collections::BTreeMap<i64, Timestamp>, ActError> {
        visitor.needs(Area::Team, Level::Read)?;
        Ok(self.read().await?.last_sign_ins().await?)
    }

    /// Changes one's own password, for whoever still knows the present one.
    pub async fn change_own_password(&self, visitor: &Visitor, present: &str, new: &str) -> Result<(), ActError> {
        let Visitor::Staff { id, .. } = visitor else { return Err(super::Forbidden.into()) };
        // Whoever has only the session must not find the password out here.
        let (now, subject) = (self.now(), format!("own-password:{id}"));
        let tries = self.store.write(move |conn| {
            let subject = subject.clone();
            Box::pin(async move { conn.count_try(&subject, TRY_WINDOW_SECONDS, now).await })
        });
        if tries.await? > self.settings().sign_in_tries {
            return Err(self.too_many("own password").await?);
        }
        let hash = self.read().await?.staff_member(*id).await?.map(|member| member.password_hash);
        if !self.passwords.verify(Password::given(present), hash).await {
            return Err(ActError::field("current", "This is not your present password. Type it again."));
        }
        let hash = self.chosen(new).await?;
        self.replace_password(visitor, *id, hash).await
    }

    /// Whether anyone can sign in yet.
    pub async fn has_staff(&self) -> Result<bool, ActError> {
        Ok(!self.read().await?.all_staff().await?.is_empty())
    }

    /// Adds a member. Refuses a taken address and a password that is too short.
    pub async fn add_member(&self, visitor: &Visitor, email: &Email, password: &str, role: Role) -> Result<UserId, ActError> {
        visitor.needs(Area::Team, Level::Manage)?;
        let hash = self.chosen(password).await?;
        let (now, actor, email) = (self.now(), visitor.actor(), email.clone());
        let added = self
            .store
            .write(move |conn| {
                let (actor, email, hash) = (actor.clone(), email.clone(), hash.clone());
                Box::pin(async move {
                    let Some(id) = conn.add_staff(&email, &hash, role.as_str(), now).await? else { return Ok(None) };
                    let after = Some(serde_json::json!({ "email": email.as_str(), "role": role.as_str() }));
                    let subject = Subject::of("staff", id.0);
                    conn.audit_apart(&NewAudit { at: now, subject, act: "staff.added", actor, before: None, after }).await?;
                    Ok(Some(id))
                })
            })
            .await?;
        added.ok_or(ActError::Taken("e-mail address"))
    }

    /// Changes a member's role. Refuses to leave the team without an owner who can sign in.
    pub async fn set_role(&self, visitor: &Visitor, id: UserId, role: Role) -> Result<(), ActError> {
        self.change_member(visitor, id, "staff.role_changed", move |member| member.role = role.as_str().to_owned(), false).await
    }

    /// Disables a member and ends their sessions, or lets them in again. Refuses to leave the team without an owner.
    pub async fn set_member_disabled(&self, visitor: &Visitor, id: UserId, disabled: bool) -> Result<(), ActError> {
        let now = self.now();
        let act = if disabled { "staff.disabled" } else { "staff.enabled" };
        self.change_member(visitor, id, act, move |member| member.disabled = disabled.then_some(now), disabled).await
    }

    /// Sets another member's password and ends their sessions. Refuses one's own: that takes the present one.
    pub async fn set_password(&self, visitor: &Visitor, id: UserId, password: &str) -> Result<(), ActError> {
        if matches!(visitor, Visitor::Staff { id: own, .. } if *own == id) {
            return Err(ActError::field(
                "password",
                "Change your own password on your account page; it asks for the present one.",
            ));
        }
        visitor.needs(Area::Team, Level::Manage)?;
        let hash = self.chosen(password).await?;
        self.replace_password(visitor, id, hash).await
    }

    async fn replace_password(&self, visitor: &Visitor, id: UserId, hash: String) -> Result<(), ActError> {
        self.change_member_unchecked(
            visitor,
            id,
            "staff.password_changed",
            move |member| member.password_hash = hash.clone(),
            true,
        )
        .await
    }

    async fn chosen(&self, password: &str) -> Result<String, ActError> {
        let password = Password::choose(password).map_err(|error| ActError::field("password", error.to_string()))?;
        Ok(self.passwords.hash(password).await)
    }

    async fn change_member(
        &self,
        visitor: &Visitor,
        id: UserId,
        act: &'static str,
        change: impl Fn(&mut Staff) + Clone + Send + Sync + 'static,
        ends_sessions: bool,
    ) -> Result<(), ActError> {
        visitor.needs(Area::Team, Level::Manage)?;
        self.change_member_unchecked(visitor, id, act, change, ends_sessions).await
    }

    async fn change_member_unchecked(
        &self,
        visitor: &Visitor,
        id: UserId,
        act: &'static str,
        change: impl Fn(&mut Staff) + Clone + Send + Sync + 'static,
        ends_sessions: bool,
    ) -> Result<(), ActError> {
        let (now, actor) = (self.now(), visitor.actor());
        self.store
            .write(move |conn| {
                let (actor, change) = (actor.clone(), change.clone());
                Box::pin(async move {
                    let mut all = conn.lock_staff().await?;
                    let Some(member) = all.iter_mut().find(|member| member.id == id) else { return Ok(Err(ActError::NotFound)) };
                    let before = facts_of(member);
                    change(member);
                    let member = member.clone();
                    if !all.iter().any(|member| member.role == Role::Owner.as_str() && member.disabled.is_none()) {
                        return Ok(Err(ActError::field(
                            "role",
                            "The team needs at least one owner who can sign in. Make another one first.",
                        )));
                    }
                    conn.save_staff(&member).await?;
                    if ends_sessions {
                        conn.end_sessions_of(id).await?;
                    }
                    let subject = Subject::of("staff", id.0);
                    let (before, after) = (Some(before), Some(facts_of(&member)));
                    conn.audit_apart(&NewAudit { at: now, subject, act, actor, before, after }).await?;
                    Ok(Ok(()))
                })
            })
            .await?
    }
}

fn facts_of(member: &Staff) -> serde_json::Value {
    serde_json::json!({ "email": member.email.as_str(), "role": member.role, "disabled": member.disabled.is_some() })
}

fn visitor_of(member: &Staff) -> Option<Visitor> {
    Some(Visitor::Staff { id: member.id, email: member.email.to_string(), role: Role::parse(&member.role)? })
}

fn sha2_of(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}
