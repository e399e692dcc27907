//! Letters in the vendor's own words. One that is not there, or is taken away, costs nobody a letter: then it has ours.

use super::{ActError, Area, Desk, Level, Visitor};
use crate::{
    licensing::template::{Template, TemplateError},
    store::{NewAudit, Subject},
};

impl Desk {
    pub async fn templates(&self, visitor: &Visitor) -> Result<Vec<Template>, ActError> {
        visitor.needs(Area::Settings, Level::Read)?;
        Ok(self.read().await?.templates().await?)
    }

    /// Keeps a template, in place of the one with its name. Refuses one that does not say what its letter is sent for.
    pub async fn put_template(&self, visitor: &Visitor, name: &str, subject: &str, text: &str) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let template = Template::new(name, subject, text).map_err(|error| {
            let field = match error {
                TemplateError::Name => "name",
                TemplateError::Subject => "subject",
                _ => "text",
            };
            ActError::field(field, error.to_string())
        })?;
        let (now, actor) = (self.now(), visitor.actor());
        let done = self.store.write(move |conn| {
            let (template, actor) = (template.clone(), actor.clone());
            Box::pin(async move {
                let before = conn.template(&template.name).await?;
                conn.put_template(&template, now).await?;
                let entry = NewAudit {
                    at: now,
                    subject: Subject::of("setting", 0),
                    act: "template.set",
                    actor,
                    before: before.as_ref().map(told),
                    after: Some(told(&template)),
                };
                conn.audit_apart(&entry).await
            })
        });
        Ok(done.await?)
    }

    /// Removes a template. Refuses one that is not there.
    pub async fn remove_template(&self, visitor: &Visitor, name: &str) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let (now, actor, name) = (self.now(), visitor.actor(), name.to_owned());
        let done = self.store.write(move |conn| {
            let (actor, name) = (actor.clone(), name.clone());
            Box::pin(async move {
                let Some(before) = conn.template(&name).await? else { return Ok(false) };
                conn.remove_template(&name).await?;
                let subject = Subject::of("setting", 0);
                let before = Some(told(&before));
                conn.audit_apart(&NewAudit { at: now, subject, act: "template.removed", actor, before, after: None }).await?;
                Ok(true)
            })
        });
        if done.await? { Ok(()) } else { Err(ActError::NotFound) }
    }
}

fn told(template: &Template) -> serde_json::Value {
    serde_json::json!({ "name": template.name, "subject": template.subject, "text": template.text })
}
