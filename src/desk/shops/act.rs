//! One event, acted on: read by the shop's map, its products found among the vendor's properties, and done by the acts of every door.

use super::{
    Ended,
    change::Change,
    items::{Item, licenses, paid},
};
use sha2::{Digest, Sha256};

use crate::{
    desk::{
        Desk, Fault, Issued, QlmRefused, Visitor,
        licenses::Once,
        qlm::{Plan, Upgrade, bought_from_others, newest_of},
    },
    licensing::{
        Email,
        files::base64,
        license::{License, LicenseState},
        product::Product,
        qlm::{Args, ErrorCode},
        shops::{Payload, ShopAct, ShopCustomer, ShopMap, ShopOrder, Signing},
        text::is_hidden,
    },
    store::{CustomerSaid, EventState, Extension, ShopEvent},
};

/// Where an order that is paid again stands among the acts of its event: behind all items.
const ORDERED_AGAIN: usize = usize::MAX;

impl Desk {
    /// Acts on an event.
    ///
    /// `done` says that it was acted on before: what would count twice is not done again. Neither is it where two act on it at one time, or
    /// one stopped before it could say that it was done.
    pub(super) async fn act_on(
        &self,
        extension: &Extension,
        map: &ShopMap,
        payload: Payload,
        event: &ShopEvent,
        done: bool,
    ) -> Result<Ended, Fault> {
        let payload = match self.completed(extension, map, payload).await? {
            Ok(payload) => payload,
            Err(message) => return Ok(Ended::later(message)),
        };
        match map.read(&payload) {
            Err(error) => Ok(Ended::failed(error.to_string())),
            Ok(ShopAct::Renew(order) | ShopAct::Extend(order) | ShopAct::SubscriptionPayment(order))
                if done && order.until.is_none() =>
            {
                Ok(Ended::done("It was acted on before, and doing it again would give more time again.".to_owned(), None))
            }
            Ok(ShopAct::Maintain(_)) if done => {
                Ok(Ended::done("It was acted on before, and doing it again would give more time again.".to_owned(), None))
            }
            Ok(ShopAct::Nothing) => {
                Ok(Ended { state: EventState::Ignored, said: "This event is none of ours.".to_owned(), order: None })
            }
            Ok(ShopAct::Customer(customer)) => self.known_customer(extension, &customer).await,
            Ok(ShopAct::Order(order)) => self.order_items(extension, map, &order, event, done).await,
            Ok(ShopAct::SubscriptionPayment(order)) => {
                if self.is_renewal(extension, &order).await? {
                    // What is paid later is looked at as what was paid first.
                    match self.all_args(map, &order).await? {
                        // Each payment has a number of its own, however often it is told.
                        Ok(args) => {
                            let number = order.number.as_ref().map(|number| format!("payment-{}\n{number}", extension.id));
                            let name = number.map(|number| Once::event(base64::url(&Sha256::digest(number))));
                            self.renewal(extension, &order, &args, (name, true), event).await
                        }
                        Err(refused) => Ok(Ended::failed(refused.message)),
                    }
                } else {
                    self.order_items(extension, map, &order, event, done).await
                }
            }
            Ok(ShopAct::Renew(order)) => self.renewal_of(extension, map, &order, true, event).await,
            // Nothing was paid: what was revoked stays so.
            Ok(ShopAct::Extend(order)) => self.renewal_of(extension, map, &order, false, event).await,
            Ok(ShopAct::Maintain(order)) => self.change_of(extension, &order, Change::Maintain, event).await,
            Ok(ShopAct::Revoke(order)) => self.change_of(extension, &order, Change::Revoke, event).await,
            Ok(ShopAct::End(order)) => self.change_of(extension, &order, Change::End, event).await,
            Ok(ShopAct::Restore(order)) => self.change_of(extension, &order, Change::Restore, event).await,
        }
    }

    /// A payload with what its form gathers and what its shop is asked for besides.
    pub(super) async fn completed(
        &self,
        extension: &Extension,
        map: &ShopMap,
        mut payload: Payload,
    ) -> Result<Result<Payload, String>, Fault> {
        if matches!(map.signing, Signing::TwoCheckout | Signing::PayPal) {
            payload.gather();
        }
        if let (Some(address), Some(key)) =
            (map.fetch_address(&payload), self.extension_secret(extension, "api", extension.api_key.as_deref())?)
        {
            match self.outbound.get_as(&address, &String::from_utf8_lossy(key.as_slice())).await {
                Ok(answer) => payload.add("fetched", answer),
                Err(error) => return Ok(Err(format!("The shop was asked for more, and {error}."))),
            }
        }
        Ok(Ok(payload))
    }

    /// Whether a subscription's payment is for licenses that are there: not the first, and not the first once more.
    async fn is_renewal(&self, extension: &Extension, order: &ShopOrder) -> Result<bool, Fault> {
        let provider = extension.name.to_lowercase();
        let mut conn = self.read().await?;
        if let Some(number) = &order.number
            && conn.order_of(&provider, number).await?.is_some()
        {
            return Ok(false);
        }
        Ok(match &order.subscription {
            Some(subscription) => !conn.licenses_of_subscription(&provider, subscription).await?.is_empty(),
            None => false,
        })
    }

    /// A renewal that names its licenses: it is known which they are, whatever is said of their products.
    async fn renewal_of(
        &self,
        extension: &Extension,
        map: &ShopMap,
        order: &ShopOrder,
        restores: bool,
        event: &ShopEvent,
    ) -> Result<Ended, Fault> {
        let args = self.some_args(map, order).await?;
        self.renewal(extension, order, &args, (None, restores), event).await
    }

    /// More time, and a letter that says so where the products' arguments or the settings say that there is one.
    async fn renewal(
        &self,
        extension: &Extension,
        order: &ShopOrder,
        args: &[Args],
        (name, restores): (Option<Once>, bool),
        event: &ShopEvent,
    ) -> Result<Ended, Fault> {
        let template = args.iter().find_map(|args| args.first(&["is_renewal_emailtemplate", "is_emailtemplate_renew"]));
        let said = args.iter().find_map(|args| args.flag("is_send_renewal_mail").ok().flatten());
        let letter = if said.unwrap_or(template.is_some() || self.settings().qlm.rules.mails_renewals) {
            Some(self.renewal_letter(template, order.number.as_deref()).await?)
        } else {
            None
        };
        // A day that is said is the same however often it is set.
        let once = order.until.is_none().then(|| name.unwrap_or_else(|| once(event, 0)));
        self.change_of(extension, order, Change::Renew { once, letter, restores }, event).await
    }

    async fn order_items(
        &self,
        extension: &Extension,
        map: &ShopMap,
        order: &ShopOrder,
        event: &ShopEvent,
        done: bool,
    ) -> Result<Ended, Fault> {
        // All are looked at before any is made: half an order is worse than none.
        let (mut planned, mut others) = (Vec::new(), Vec::new());
        for place in 0..order.items.len() {
            match self.plan_item(extension, map, order, place).await? {
                Ok(Item::Keys(plan)) => planned.push(*plan),
                Ok(other) => others.push((place, other)),
                Err(refused) => return Ok(Ended::failed(refused.message)),
            }
        }
        let (mut made, mut of, mut disabled) = (0, None, Vec::new());
        for plan in planned {
            match self.make_keys(plan).await? {
                Ok(issued) => {
                    made += issued.licenses.len();
                    of = Some(issued.order);
                    if issued.before {
                        disabled.extend(self.disabled_of(&issued).await?);
                    }
                }
                Err(refused) => return Ok(Ended::failed(refused.message)),
            }
        }
        let mut said = if made > 0 { vec![format!("{} issued.", licenses(made))] } else { Vec::new() };
        if !disabled.is_empty() {
            match self.paid_again(extension, disabled, event).await? {
                Ok(message) => said.push(message),
                Err(message) => return Ok(Ended { order: of, ..Ended::failed(message) }),
            }
        }
        for (place, item) in others {
            let done = match item {
                Item::Keys(_) => continue,
                // It would give more time again.
                Item::Maintenance if done => continue,
                Item::Maintenance => self.maintain_item(extension, map, order, place, event).await?,
                Item::Upgrade => self.upgrade_item(extension, map, order, place).await?,
                Item::Customer => Ok(self.known_customer(extension, &order.customer).await?.said),
            };
            match done {
                Ok(message) => said.push(message),
                Err(refused) => return Ok(Ended::failed(refused.message)),
            }
        }
        Ok(Ended::done(said.join(" "), of))
    }

    /// Those of an order that was acted on before which are not good any more.
    async fn disabled_of(&self, issued: &Issued) -> Result<Vec<(License, Product)>, Fault> {
        let mut conn = self.read().await?;
        let mut disabled = Vec::new();
        for license in &issued.licenses {
            let Some((license, product, _)) = conn.license(license.id).await? else { continue };
            let (license, product) = newest_of(&mut conn, license, product).await?;
            if !matches!(license.state, LicenseState::Enabled) {
                disabled.push((license, product));
            }
        }
        Ok(disabled)
    }

    /// An order is told as paid whose licenses were disabled since: what this shop revoked before it said so is good again. What it revoked
    /// later stays; what somebody else disabled waits for staff.
    async fn paid_again(
        &self,
        extension: &Extension,
        disabled: Vec<(License, Product)>,
        event: &ShopEvent,
    ) -> Result<Result<String, String>, Fault> {
        let visitor = Visitor::Extension { name: extension.name.clone() };
        let actor = visitor.actor();
        let by_shop = |license: &License| matches!(&license.state, LicenseState::Disabled { by, .. } if *by == actor);
        if disabled.iter().any(|(license, _)| !by_shop(license)) {
            let message = "It was issued before, and is disabled. Enable the licenses, or let them be.";
            return Ok(Err(message.to_owned()));
        }
        let reason = refunded(extension);
        let before = |license: &License| match &license.state {
            LicenseState::Disabled { at, reason: why, .. } => *at <= event.received && *why == reason,
            _ => false,
        };
        let over = over(extension);
        let unclear = disabled.iter().any(|(license, _)| match &license.state {
            LicenseState::Disabled { at, reason: why, .. } => *at <= event.received && *why != reason && *why != over,
            _ => false,
        });
        let again: Vec<_> = disabled.into_iter().filter(|(license, _)| before(license)).collect();
        let count = again.len();
        if count == 0 {
            // By a call of the shop's, for a reason of its own, and paid after that.
            return Ok(if unclear {
                Err("It was issued before, and is disabled. Enable the licenses, or let them be.".to_owned())
            } else {
                Ok("It was revoked since, and stays so.".to_owned())
            });
        }
        let restored = self.restore_licenses(&visitor, again, once(event, ORDERED_AGAIN), refunded(extension)).await?;
        Ok(restored.map(|_| format!("{} given back.", licenses(count))).map_err(|refused| refused.message))
    }

    /// A maintenance plan that was bought for the license whose key the buyer typed.
    async fn maintain_item(
        &self,
        extension: &Extension,
        map: &ShopMap,
        order: &ShopOrder,
        place: usize,
        event: &ShopEvent,
    ) -> Result<Result<String, QlmRefused>, Fault> {
        let item = &order.items[place];
        let args = match self.item_args(map, item).await? {
            Ok(args) => args,
            Err(refused) => return Ok(Err(refused)),
        };
        let found = match self.license_of_item(extension, order, item, false).await? {
            Ok(found) => found,
            Err(refused) => return Ok(Err(refused)),
        };
        let plan = match Plan::read(&args, &self.settings().qlm.orders, true) {
            Ok(plan) => plan,
            Err(refused) => return Ok(Err(refused)),
        };
        let visitor = Visitor::Extension { name: extension.name.clone() };
        self.maintain_licenses(&visitor, found, plan, Some(once(event, place))).await
    }

    /// An upgrade of the license whose key the buyer typed.
    async fn upgrade_item(
        &self,
        extension: &Extension,
        map: &ShopMap,
        order: &ShopOrder,
        place: usize,
    ) -> Result<Result<String, QlmRefused>, Fault> {
        let item = &order.items[place];
        let args = match self.item_args(map, item).await? {
            Ok(args) => args,
            Err(refused) => return Ok(Err(refused)),
        };
        let Some(key) = item.key.clone() else {
            let message = "The buyer typed no key of the license to be upgraded, where the map looks for it.";
            return Ok(Err(QlmRefused::new(ErrorCode::NotProvided, message)));
        };
        let mails_keys = self.mails_order(map, &args);
        let wish = Upgrade {
            key,
            args,
            order: order.number.clone(),
            item: format!("upgrade {place}"),
            mails_keys,
            email: order.customer.email.clone(),
            paid: paid(order),
        };
        let upgraded = self.upgrade_license(Some(extension), wish).await?;
        Ok(upgraded.map(|_| "One license upgraded.".to_owned()))
    }

    /// What a shop says of somebody who is a customer already.
    async fn known_customer(&self, extension: &Extension, said: &ShopCustomer) -> Result<Ended, Fault> {
        let Some(Ok(email)) = said.email.as_deref().map(Email::parse) else {
            return Ok(Ended::failed("The event names no customer’s address.".to_owned()));
        };
        let (said, extension) = (said.clone(), extension.clone());
        let known = self.store.write(move |conn| {
            let (email, said, extension) = (email.clone(), said.clone(), extension.clone());
            Box::pin(async move {
                let Some(customer) = conn.customer_by_email(&email).await? else { return Ok(false) };
                // A reseller says nothing of whoever bought from others.
                if bought_from_others(conn, &extension, customer.id).await? {
                    return Ok(false);
                }
                let fits = |text: &String| text.chars().count() <= 200 && !text.chars().any(is_hidden);
                let plain = |text: &Option<String>| text.clone().filter(fits);
                let (name, company) = (plain(&said.name), plain(&said.company));
                // A phone gets codes: no shop says whose it is.
                let said = CustomerSaid { name: name.as_deref(), company: company.as_deref(), phone: None };
                conn.update_customer(customer.id, &customer.email, &said).await
            })
        });
        Ok(if known.await? {
            Ended::done("The customer’s name and company were brought up to date.".to_owned(), None)
        } else {
            Ended { state: EventState::Ignored, said: "They are no customer of this shop.".to_owned(), order: None }
        })
    }
}

/// Why a license is disabled that was given back, and one whose subscription is over.
pub(super) fn refunded(extension: &Extension) -> String {
    format!("Refunded or cancelled at {}.", extension.name)
}

pub(super) fn over(extension: &Extension) -> String {
    format!("Its subscription ended at {}.", extension.name)
}

/// The name of what an event does to what is there already.
pub(super) fn once(event: &ShopEvent, place: usize) -> Once {
    Once::event(format!("event-{}/{place}", mark(event)))
}

/// What stands for an event in the names of what it does. Not its row's number, which another may have once this one is swept away.
pub(super) fn mark(event: &ShopEvent) -> String {
    base64::url(&Sha256::digest(format!("{}\n{}", event.extension, event.name)))
}
