//! What an event does to licenses that are there: more time, or none any more.

use super::{
    Ended,
    act::{mark, once, over, refunded},
    items::{licenses, of_extension},
};
use crate::{
    desk::{
        Desk, Fault, Visitor,
        letters::RenewalLetter,
        licenses::Once,
        qlm::{LicensesNamed, NewEnd, Plan, Renewal},
    },
    licensing::{
        LicenseId, OrderId,
        license::{Actor, LicenseState},
        qlm::Args,
        shops::{ShopOrder, cents},
    },
    store::{EventState, Extension, NAMES_OF_EVENTS, ShopEvent},
};

#[derive(Clone)]
pub(super) enum Change {
    /// `letter`: what its customer is told; `restores`: what the shop revoked before it was paid is good again.
    Renew {
        once: Option<Once>,
        letter: Option<RenewalLetter>,
        restores: bool,
    },
    Maintain,
    Revoke,
    End,
    Restore,
}

impl Desk {
    pub(super) async fn change_of(
        &self,
        extension: &Extension,
        order: &ShopOrder,
        change: Change,
        event: &ShopEvent,
    ) -> Result<Ended, Fault> {
        let (mut found, mut of) = (None, None);
        let provider = extension.name.to_lowercase();
        // A refund may name an order by another of its numbers.
        for number in order.number.iter().chain(&order.others).map(Some).chain(order.number.is_none().then_some(None)) {
            let names = LicensesNamed {
                subscription: order.subscription.as_deref(),
                order: number.map(String::as_str),
                ..LicensesNamed::default()
            };
            let these = self.licenses_of(&provider, &names).await?;
            let is_found = these.is_ok();
            found = Some(these);
            if is_found {
                // The one that is named: a license may have become another since, which has an order of its own.
                if let Some(number) = number {
                    of = self.read().await?.order_of(&provider, number).await?.map(|order| order.id);
                }
                break;
            }
        }
        let found = match found.map(|found| found.and_then(|found| of_extension(extension, found))) {
            Some(Ok(found)) => found,
            Some(Err(refused)) => return Ok(Ended::failed(refused.message)),
            None => return Ok(Ended::failed("The event names no order.".to_owned())),
        };
        let of = of.or_else(|| found.first().and_then(|(license, _)| license.order));
        let count = found.len();
        let visitor = Visitor::Extension { name: extension.name.clone() };
        let ids: Vec<_> = found.iter().map(|(license, _)| license.id).collect();
        let gives = matches!(change, Change::Renew { restores: true, .. } | Change::Restore);
        let (done, what) = match change {
            Change::Renew { once, letter, restores } => {
                let end = order.until.map_or(NewEnd::AsBefore, |until| NewEnd::NotBefore(until.date()));
                let paid = restores.then_some(event.received);
                let renewal = Renewal { end, properties: Vec::new(), once, paid, letter };
                (self.renew_licenses(&visitor, found, renewal).await?, "extended")
            }
            Change::Maintain => {
                let plan = match Plan::read(&Args::default(), &self.settings().qlm.orders, true) {
                    Ok(plan) => plan,
                    Err(refused) => return Ok(Ended::failed(refused.message)),
                };
                (self.maintain_licenses(&visitor, found, plan, Some(once(event, 0))).await?, "maintained")
            }
            Change::Restore => {
                match self.given_back(of, order, event, -1).await? {
                    Ok(Some(true)) => {
                        let said = "As much as was paid is given back all the same, so nothing changes.".to_owned();
                        return Ok(Ended { state: EventState::Ignored, said, order: of });
                    }
                    Ok(_) => {}
                    Err(said) => return Ok(Ended { order: of, ..Ended::failed(said) }),
                }
                (self.restore_licenses(&visitor, found, once(event, 0), refunded(extension)).await?, "given back")
            }
            Change::Revoke | Change::End => {
                match self.given_back(of, order, event, 1).await? {
                    Ok(Some(false)) => {
                        let said = "A part of what was paid was given back, so nothing was revoked.".to_owned();
                        return Ok(Ended { state: EventState::Ignored, said, order: of });
                    }
                    Ok(_) => {}
                    Err(said) => return Ok(Ended { order: of, ..Ended::failed(said) }),
                }
                // Counted all the same, and staff sees that it waits.
                if !self.revokes(matches!(change, Change::Revoke), order) {
                    let said = "By the settings, nothing is revoked for this. Disable the licenses, or let them be.".to_owned();
                    return Ok(Ended { order: of, ..Ended::failed(said) });
                }
                if let (Change::Revoke, Some(of)) = (&change, of)
                    && self.is_of_upgrade(of).await?
                {
                    let said = "This order upgraded a license, whose old key is disabled. Decide which of the two is good, and enable or disable them.";
                    return Ok(Ended { order: Some(of), ..Ended::failed(said.to_owned()) });
                }
                let done = match change {
                    Change::End => self.end_licenses(&visitor, found, over(extension)).await?,
                    _ => self.revoke_licenses(&visitor, found, true, refunded(extension)).await?,
                };
                (done, "revoked")
            }
        };
        Ok(match done {
            // Paid for, and of no use until somebody looks at it.
            Ok(_) if gives && self.are_disabled_by_others(&ids, &visitor.actor()).await? => {
                let said = format!(
                    "{} {what}, and disabled by somebody else. Enable what is to be good, or let it be.",
                    licenses(count)
                );
                Ended { order: of, ..Ended::failed(said) }
            }
            Ok(_) => Ended::done(format!("{} {what}.", licenses(count)), of),
            Err(refused) => Ended::failed(refused.message),
        })
    }

    async fn are_disabled_by_others(&self, ids: &[LicenseId], actor: &Actor) -> Result<bool, Fault> {
        let mut conn = self.read().await?;
        for id in ids {
            let Some((license, ..)) = conn.license(*id).await? else { continue };
            let by_others = match &license.state {
                LicenseState::Enabled => false,
                // What this shop says is over stays so.
                LicenseState::Disabled { by, .. } => by != actor,
                LicenseState::Archived { .. } => true,
            };
            if by_others {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether an order made licenses by taking the place of others.
    async fn is_of_upgrade(&self, order: OrderId) -> Result<bool, Fault> {
        let mut conn = self.read().await?;
        for (license, _) in conn.licenses_of_order(order).await? {
            if conn.took_a_place(license.id).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether what is refunded, or what is over, loses its licenses.
    pub(super) fn revokes(&self, refunded: bool, order: &ShopOrder) -> bool {
        let settings = self.settings();
        let rules = &settings.qlm.rules;
        // What names its subscription alone is over, and was not given back.
        if refunded && order.number.is_some() { rules.revokes_refunded } else { rules.revokes_canceled }
    }

    /// Adds what an event gives back of an order (with the sign −1: what is paid after all), and says whether it comes to all that was
    /// paid; none where one of both is not known. Says what is no amount.
    async fn given_back(
        &self,
        of: Option<OrderId>,
        order: &ShopOrder,
        event: &ShopEvent,
        sign: i64,
    ) -> Result<Result<Option<bool>, String>, Fault> {
        let (Some(refunded), Some(of)) = (order.refunded.as_deref(), of) else { return Ok(Ok(None)) };
        let Some(refunded) = cents(refunded.trim_start_matches('-')) else {
            let text: String = refunded.chars().take(40).collect();
            return Ok(Err(format!(
                "What was given back is no amount: {text:?}. Revoke the licenses, or mend the map’s amount."
            )));
        };
        let Some(paid) = self.read().await?.order_paid(of).await? else { return Ok(Ok(None)) };
        let (name, now) = (format!("refund-{}", mark(event)), self.now());
        let so_far = self.store.write(move |conn| {
            let name = name.clone();
            Box::pin(async move {
                // An event counts once, however often it is acted on.
                let more = if conn.keep_form_result(&name, NAMES_OF_EVENTS, "", now).await? { sign * refunded } else { 0 };
                conn.add_refund(of, more).await
            })
        });
        Ok(Ok(Some(so_far.await? >= paid)))
    }
}
