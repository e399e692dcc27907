//! What an app does with the license it holds: spends from its counters, tells of its machine, and looks for versions.

use sha2::{Digest, Sha256};

use super::{App, AppAsk, AppRefusal, Call, Seat};
use crate::{
    desk::{Desk, Fault, usage::take_variables},
    licensing::{
        activation::kept_variables,
        files::base64,
        license::{License, Limit},
        meter::SpendRefusal,
        product::{Product, Release},
        usage::Added,
    },
    store::{Conn, DeviceVariable, NewAudit, StoreError, Subject},
};

/// An amount to be spent.
#[derive(Clone, Debug)]
pub struct Spending {
    /// None: of the license itself.
    pub feature: Option<String>,
    pub amount: i64,
    /// The caller holds itself to so much overage; never to more than there is.
    pub overage: Option<Limit>,
    /// The caller's own name for this call: the same one again spends nothing more.
    pub once: Option<String>,
}

/// The license as it is after that.
pub struct Spent {
    pub product: Product,
    pub license: License,
}

impl From<Call> for Spent {
    fn from(call: Call) -> Self {
        Self { product: call.facts.product, license: call.facts.license }
    }
}

impl Desk {
    /// Spends from a counter of the license a machine holds.
    pub async fn spend_app(&self, app: &App, ask: AppAsk, spending: Spending) -> Result<Result<Spent, AppRefusal>, Fault> {
        self.app_acts(app, ask, Seat::Held, move |conn, call| {
            let spending = spending.clone();
            Box::pin(async move { spend(conn, call, &spending).await })
        })
        .await
    }

    /// Keeps what an app tells of its machine, and returns the variables it named as they stand now.
    pub async fn track_app(&self, app: &App, ask: AppAsk) -> Result<Result<Vec<DeviceVariable>, AppRefusal>, Fault> {
        self.app_acts(app, ask, Seat::Held, |conn, call| {
            Box::pin(async move {
                let activation = match call.good() {
                    Ok(activation) => activation,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let sent = call.ask.variables;
                take_variables(conn, &activation, sent.clone(), call.now).await?;
                let names: Vec<String> = kept_variables(&[], sent).into_iter().map(|(name, _)| name).collect();
                let mut there = conn.variables(activation.id).await?;
                there.retain(|variable| names.contains(&variable.name));
                Ok(Ok(there))
            })
        })
        .await
    }

    /// What an app told of its machine.
    pub async fn variables_app(&self, app: &App, ask: AppAsk) -> Result<Result<Vec<DeviceVariable>, AppRefusal>, Fault> {
        let (mut conn, call) = match self.app_reads(app, ask).await? {
            Ok(read) => read,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match call.good() {
            Ok(activation) => Ok(Ok(conn.variables(activation.id).await?)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// The versions a machine's license covers, newest first.
    pub async fn releases_app(&self, app: &App, ask: AppAsk) -> Result<Result<Vec<Release>, AppRefusal>, Fault> {
        let (mut conn, call) = match self.app_reads(app, ask).await? {
            Ok(read) => read,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match call.good() {
            Ok(_) => {}
            Err(AppRefusal::Check(crate::licensing::decide::CheckRefusal::NotActive)) => {
                return Ok(Err(AppRefusal::ActiveRequired));
            }
            Err(refusal) => return Ok(Err(refusal)),
        }
        Ok(Ok(call.kept.releases.covered(&mut conn, &call.facts).await?))
    }
}

async fn spend(conn: &mut Conn, mut call: Call, spending: &Spending) -> Result<Result<Spent, AppRefusal>, StoreError> {
    let activation = match call.good() {
        Ok(activation) => activation,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let feature = spending.feature.as_deref();
    let content = format!("{}\n{}\n{feature:?}\n{}", activation.id, call.facts.license.id, spending.amount);
    let once = spending.once.as_ref().map(|name| format!("{}\n{name}", call.app.id()));
    let once = once.map(|name| base64::url(&Sha256::digest(format!("consumption\n{name}"))));
    if let Some(id) = &once
        && let Some(before) = conn.form_result(id, call.app.id()).await?
    {
        return Ok(if before == content { Ok(call.into()) } else { Err(AppRefusal::KeyReused) });
    }
    if feature.is_some_and(|code| call.facts.license.entitlement(code).is_none()) {
        return Ok(Err(AppRefusal::UnknownFeature));
    }
    let spent = |refusal: SpendRefusal| AppRefusal::Spend { feature: feature.is_some(), refusal };
    let meter = match call.facts.license.meter_mut(feature, call.now) {
        Ok(meter) => meter,
        Err(refusal) => return Ok(Err(spent(refusal))),
    };
    if let Err(refusal) = meter.spend(spending.amount, spending.overage) {
        return Ok(Err(spent(refusal)));
    }
    if let Some(id) = &once
        && !conn.keep_form_result(id, call.app.id(), &content, call.now).await?
    {
        return Ok(Err(AppRefusal::KeyReused));
    }
    if spending.amount != 0 {
        let added = Added { feature: spending.feature.clone(), amount: spending.amount };
        let entry = NewAudit {
            at: call.now,
            subject: Subject::license(call.facts.license.id.0),
            act: "license.used",
            actor: call.app.actor(),
            before: None,
            after: Some(serde_json::json!({ "device": activation.device.id.as_str(), "added": [added] })),
        };
        let head = conn.audit(&entry, call.facts.audit_head.as_deref());
        conn.save_use(&call.facts.license, &head).await?;
    }
    Ok(Ok(call.into()))
}
