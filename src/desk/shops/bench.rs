//! The test bench: what would come of a payload, before a map is saved or an event acted on.

use super::{
    MOST_EVENTS,
    items::{Item, licenses},
    shop_map,
};
use crate::{
    desk::{
        ActError, Area, Desk, Fault, Level, Visitor,
        qlm::{LicensesNamed, Planned},
    },
    licensing::{
        issue::batch,
        license::Limit,
        shops::{Payload, ShopAct, ShopMap, ShopOrder},
    },
    store::Extension,
};

/// What would come of a payload: a sentence for each thing that would be done, or why it would not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried(pub Vec<Result<String, String>>);

impl Desk {
    /// What would come of a payload, by a map as it is typed. Nothing is written, and no signature asked for.
    pub async fn try_shop_payload(
        &self,
        visitor: &Visitor,
        extension: &str,
        map: Option<&str>,
        headers: &[(String, String)],
        body: &str,
    ) -> Result<Tried, ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let extension = self.read().await?.extension(extension).await?.ok_or(ActError::NotFound)?;
        let map = match map {
            Some(text) => ShopMap::parse(text).map_err(|error| ActError::field("map", error.to_string()))?,
            None => shop_map(&extension),
        };
        let payload =
            Payload::read(body.as_bytes(), headers.to_vec()).map_err(|error| ActError::field("payload", error.to_string()))?;
        let mut lines = Vec::new();
        // By a map that is not saved, the shop is not asked for more: the key is for the host of the one that is.
        let mut asked = extension.clone();
        if map != shop_map(&extension) {
            asked.api_key = None;
        }
        for event in payload.events(&map.events, MOST_EVENTS).unwrap_or_default() {
            lines.extend(self.try_event(&asked, &map, event).await?);
        }
        Ok(Tried(lines))
    }

    async fn try_event(
        &self,
        extension: &Extension,
        map: &ShopMap,
        payload: Payload,
    ) -> Result<Vec<Result<String, String>>, Fault> {
        let payload = match self.completed(extension, map, payload).await? {
            Ok(payload) => payload,
            Err(message) => return Ok(vec![Err(message)]),
        };
        let mut waits = false;
        let (order, what) = match map.read(&payload) {
            Err(error) => return Ok(vec![Err(error.to_string())]),
            Ok(ShopAct::Nothing) => {
                return Ok(vec![Ok("This event is none of ours: nothing would be done.".to_owned())]);
            }
            Ok(ShopAct::Customer(customer)) => {
                let email = customer.email.unwrap_or_else(|| "nobody".to_owned());
                return Ok(vec![Ok(format!("What is known of the customer {email} would be brought up to date."))]);
            }
            Ok(ShopAct::Order(order) | ShopAct::SubscriptionPayment(order)) => (order, "order"),
            Ok(ShopAct::Renew(order) | ShopAct::Extend(order)) => (order, "extended"),
            Ok(ShopAct::Maintain(order)) => (order, "maintained"),
            Ok(ShopAct::Restore(order)) => (order, "given back, where this shop revoked them"),
            Ok(ShopAct::Revoke(order)) => {
                waits = !self.revokes(true, &order);
                (order, "revoked")
            }
            Ok(ShopAct::End(order)) => {
                waits = !self.revokes(false, &order);
                (order, "revoked")
            }
        };
        if what != "order" {
            let names = LicensesNamed {
                subscription: order.subscription.as_deref(),
                order: order.number.as_deref(),
                ..LicensesNamed::default()
            };
            let found = self.licenses_of(&extension.name.to_lowercase(), &names).await?;
            let until = order.until.map(|until| format!(" through {}", until.date())).unwrap_or_default();
            return Ok(vec![match found {
                Ok(_) if waits => Ok("Nothing would be revoked, by the settings: it would wait for staff.".to_owned()),
                Ok(found) => Ok(format!("{} would be {what}{until}.", licenses(found.len()))),
                Err(refused) => Err(refused.message),
            }]);
        }
        let mut lines = Vec::new();
        for place in 0..order.items.len() {
            lines.push(match self.plan_item(extension, map, &order, place).await? {
                Ok(Item::Keys(planned)) => Ok(told(&planned, &order)),
                Ok(Item::Maintenance) => {
                    Ok("The maintenance plan of the license with the buyer’s key would be extended.".to_owned())
                }
                Ok(Item::Upgrade) => Ok("The license with the buyer’s key would be upgraded, and have a new key.".to_owned()),
                Ok(Item::Customer) => Ok("What is known of the customer would be brought up to date.".to_owned()),
                Err(refused) => Err(refused.message),
            });
        }
        Ok(lines)
    }
}

/// What would be issued, as one sentence.
fn told(planned: &Planned, order: &ShopOrder) -> String {
    let issue = &planned.issue;
    let made = batch(issue.quantities, issue.quantity_settings).ok();
    let (keys, seats) = made.map_or((1, 1), |made| (made.keys, made.seats_each));
    let qlm = issue.terms.qlm.clone().unwrap_or_default();
    let seats = match issue.terms.seats {
        Limit::Unlimited => "any number of computers".to_owned(),
        Limit::AtMost(_) if seats == 1 => "one computer".to_owned(),
        Limit::AtMost(_) => format!("{seats} computers"),
    };
    let keys = if keys == 1 { "One key".to_owned() } else { format!("{keys} keys, each") };
    let expiry = issue.terms.expiry;
    let end = match (expiry.on, expiry.days_after_first_activation, expiry.days_counted_by_client) {
        (Some(end), ..) => format!("good through {}", end.plus_seconds(-1).date()),
        (None, Some(days), _) => format!("good for {days} days from its first activation"),
        (None, None, Some(days)) => format!("good for {days} days from its first start"),
        (None, None, None) => "without an end".to_owned(),
    };
    let features = qlm.features.text();
    let features = if features.is_empty() { String::new() } else { format!(", features {features}") };
    let whom = issue.customer.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
    let number = order.number.as_deref().unwrap_or("without a number");
    let mail = if issue.mails_keys && issue.customer.is_some() { " They would get it by mail." } else { "" };
    format!(
        "{keys} of {} {}.{}, for {seats}, {}, {end}{features}; order {number} of {whom}.{mail}",
        planned.product.name,
        qlm.major,
        qlm.minor,
        qlm.model.as_str()
    )
}
