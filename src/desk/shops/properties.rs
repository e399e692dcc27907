//! The vendor's own properties: what a product of a shop is here, and what `is_args` of a call stands for.

use super::items::fragment_pairs;
use crate::{
    desk::{ActError, Area, Desk, Fault, Level, Visitor},
    licensing::text::is_hidden,
    store::{NewAudit, Property, Subject},
};

const LONGEST_NAME: usize = 200;
const LONGEST_VALUE: usize = 4_000;

/// A property as it is typed.
#[derive(Clone, Debug)]
pub struct PropertyEdit {
    pub name: String,
    pub value: String,
    pub for_calls: bool,
}

impl Desk {
    pub async fn properties(&self, visitor: &Visitor) -> Result<Vec<Property>, ActError> {
        visitor.needs(Area::Settings, Level::Read)?;
        Ok(self.read().await?.properties().await?)
    }

    /// Keeps a property, in place of the one with its name. Refuses a value that is no arguments, and one that says who calls.
    pub async fn put_property(&self, visitor: &Visitor, edit: PropertyEdit) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let name = edit.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(|c| is_hidden(c) || c.is_whitespace()) {
            return Err(ActError::field("name", "A name has 1 to 200 visible characters without spaces, such as shopify_4711."));
        }
        let value = edit.value.trim().to_owned();
        if value.is_empty() || value.len() > LONGEST_VALUE || value.chars().any(is_hidden) {
            return Err(ActError::field("value", "A value is such as is_productid=1&is_majorversion=1&is_minorversion=0."));
        }
        for (argument, _) in fragment_pairs(&value) {
            let argument = argument.to_ascii_lowercase();
            if ["is_user", "is_pwd", "is_vendor", "is_args"].contains(&argument.as_str()) {
                return Err(ActError::field("value", format!("{argument} says who calls, so it stands in no property.")));
            }
            if !argument.starts_with("is_") && argument != "webhook_action" {
                return Err(ActError::field("value", format!("{argument} is no argument: they begin with is_.")));
            }
        }
        let property = Property { name, value, for_calls: edit.for_calls };
        let (now, actor) = (self.now(), visitor.actor());
        let done = self.store.write(move |conn| {
            let (property, actor) = (property.clone(), actor.clone());
            Box::pin(async move {
                let before = conn.property(&property.name).await?;
                conn.put_property(&property, now).await?;
                let told = |property: &Property| {
                    serde_json::json!({ "name": property.name, "value": property.value, "for_calls": property.for_calls })
                };
                let entry = NewAudit {
                    at: now,
                    subject: Subject::of("setting", 0),
                    act: "property.set",
                    actor,
                    before: before.as_ref().map(told),
                    after: Some(told(&property)),
                };
                conn.audit_apart(&entry).await
            })
        });
        Ok(done.await?)
    }

    /// Removes a property. Refuses one that is not there.
    pub async fn remove_property(&self, visitor: &Visitor, name: &str) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let (now, actor, name) = (self.now(), visitor.actor(), name.to_owned());
        let done = self.store.write(move |conn| {
            let (actor, name) = (actor.clone(), name.clone());
            Box::pin(async move {
                let Some(before) = conn.property(&name).await? else { return Ok(false) };
                conn.remove_property(&name).await?;
                let entry = NewAudit {
                    at: now,
                    subject: Subject::of("setting", 0),
                    act: "property.removed",
                    actor,
                    before: Some(serde_json::json!({ "name": before.name, "value": before.value })),
                    after: None,
                };
                conn.audit_apart(&entry).await?;
                Ok(true)
            })
        });
        if done.await? { Ok(()) } else { Err(ActError::NotFound) }
    }

    /// What `is_args` of a call stands for; none where no call may name it.
    pub(in crate::desk) async fn arguments_named(&self, name: &str) -> Result<Option<Vec<(String, String)>>, Fault> {
        let found = self.read().await?.property(name).await?.filter(|property| property.for_calls);
        Ok(found.map(|property| fragment_pairs(&property.value)))
    }
}
