//! What an app asks of its license while it runs: whether it is good, and a slot of it where it floats.

use super::{App, AppAsk, AppLicense, AppRefusal, Call, Seat};
use crate::{
    desk::{Desk, Fault},
    licensing::{
        Timestamp,
        activation::Activation,
        floating::{Hold, SlotRefusal},
    },
    store::{Conn, NewAudit, StoreError, Subject},
};

/// A slot taken along.
#[derive(Clone, Copy, Debug)]
pub struct Borrowed {
    pub until: Timestamp,
    /// As long as one may be borrowed.
    pub borrow_hours: u32,
    pub device_id: i64,
    pub license_id: i64,
}

impl Desk {
    /// Whether a machine's license is good. Reads only, but of a floating license it takes the machine's slot, or renews it.
    pub async fn check_app(&self, app: &App, ask: AppAsk) -> Result<Result<AppLicense, AppRefusal>, Fault> {
        self.good_app(app, ask, None).await
    }

    /// As `check_app`, of one feature: where it floats, the slot is one of the feature.
    pub async fn check_feature_app(
        &self,
        app: &App,
        ask: AppAsk,
        feature: &str,
    ) -> Result<Result<AppLicense, AppRefusal>, Fault> {
        self.good_app(app, ask, Some(feature)).await
    }

    async fn good_app(&self, app: &App, ask: AppAsk, feature: Option<&str>) -> Result<Result<AppLicense, AppRefusal>, Fault> {
        let (mut conn, call) = match self.app_reads(app, ask).await? {
            Ok(read) => read,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if call.facts.license.pool(feature, call.now).is_err() {
            return Ok(look(&mut conn, call, feature).await?);
        }
        drop(conn);
        let feature = feature.map(str::to_owned);
        self.app_acts(app, call.ask, Seat::Held, move |conn, call| {
            let feature = feature.clone();
            Box::pin(async move { take(conn, call, feature.as_deref()).await })
        })
        .await
    }

    /// Takes a slot along until an instant, or for as long as may be.
    pub async fn borrow_app(
        &self,
        app: &App,
        ask: AppAsk,
        feature: Option<String>,
        until: Option<Timestamp>,
    ) -> Result<Result<Borrowed, AppRefusal>, Fault> {
        self.app_acts(app, ask, Seat::Asked, move |conn, call| {
            let feature = feature.clone();
            Box::pin(async move { borrow(conn, call, feature.as_deref(), until).await })
        })
        .await
    }

    /// Gives a slot back, borrowed or not, and says whether the machine had one.
    pub async fn release_slot_app(
        &self,
        app: &App,
        ask: AppAsk,
        feature: Option<String>,
    ) -> Result<Result<bool, AppRefusal>, Fault> {
        self.app_acts(app, ask, Seat::Held, move |conn, call| {
            let feature = feature.clone();
            Box::pin(async move { release(conn, call, feature.as_deref()).await })
        })
        .await
    }
}

/// A check of a license: of a floating one it takes the machine's slot, or renews it.
pub(super) async fn check(conn: &mut Conn, call: Call) -> Result<Result<AppLicense, AppRefusal>, StoreError> {
    if call.facts.license.pool(None, call.now).is_ok() { take(conn, call, None).await } else { look(conn, call, None).await }
}

/// The answer to a check; versions are part of one about the license as a whole.
async fn look(conn: &mut Conn, call: Call, feature: Option<&str>) -> Result<Result<AppLicense, AppRefusal>, StoreError> {
    let activation = match call.good() {
        Ok(activation) => activation,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if feature.is_some_and(|code| call.facts.license.entitlement(code).is_none()) {
        return Ok(Err(AppRefusal::Slot { feature: true, refusal: SlotRefusal::NoSuchFeature }));
    }
    let releases = if feature.is_none() { call.kept.releases.covered(conn, &call.facts).await? } else { Vec::new() };
    let license = AppLicense::of(call.facts, activation, call.user.as_ref(), call.expose_customer);
    Ok(Ok(AppLicense { releases, ..license }))
}

/// A check that takes a slot, or renews it.
async fn take(conn: &mut Conn, call: Call, feature: Option<&str>) -> Result<Result<AppLicense, AppRefusal>, StoreError> {
    let (activation, license, now) = match call.good() {
        Ok(activation) => (activation.id, &call.facts.license, call.now),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let in_use = conn.slots_in_use(license.id, feature, Some(activation), now).await?;
    let timeout = call.facts.product.rules.floating_timeout_minutes;
    let hold = match license.pool(feature, now).and_then(|pool| pool.take(in_use, timeout, now)) {
        Ok(hold) => hold,
        Err(refusal) => return Ok(Err(AppRefusal::Slot { feature: feature.is_some(), refusal })),
    };
    if in_use.own != Some(hold) {
        conn.take_slot(license.id, feature, activation, hold, now).await?;
    }
    let seen = look(conn, call, feature).await?;
    Ok(seen.map(|seen| AppLicense { slot: Some((hold, in_use.with())), ..seen }))
}

async fn borrow(
    conn: &mut Conn,
    call: Call,
    feature: Option<&str>,
    until: Option<Timestamp>,
) -> Result<Result<Borrowed, AppRefusal>, StoreError> {
    let activation = match call.good() {
        Ok(activation) => activation,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (license, now) = (&call.facts.license, call.now);
    let in_use = conn.slots_in_use(license.id, feature, Some(activation.id), now).await?;
    let borrowed = license.pool(feature, now).and_then(|pool| Ok((pool, pool.borrow(in_use, until, license.use_ends(), now)?)));
    let (pool, until) = match borrowed {
        Ok(borrowed) => borrowed,
        Err(refusal) => return Ok(Err(AppRefusal::Slot { feature: feature.is_some(), refusal })),
    };
    // One that it keeps anyway lasts longer than any that is borrowed.
    if in_use.own != Some(Hold::Kept) {
        conn.take_slot(license.id, feature, activation.id, Hold::Borrowed { until }, now).await?;
    }
    record(conn, &call, "license.slot_borrowed", &activation, feature, Some(until)).await?;
    Ok(Ok(Borrowed { until, borrow_hours: pool.borrow_hours, device_id: activation.id.0, license_id: license.id.0 }))
}

async fn release(conn: &mut Conn, call: Call, feature: Option<&str>) -> Result<Result<bool, AppRefusal>, StoreError> {
    let activation = match call.good() {
        Ok(activation) => activation,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let license = &call.facts.license;
    if let Err(refusal) = license.pool(feature, call.now) {
        return Ok(Err(AppRefusal::Slot { feature: feature.is_some(), refusal }));
    }
    let had = conn.free_slot(license.id, feature, activation.id).await?.filter(|hold| hold.is_live(call.now));
    if matches!(had, Some(Hold::Borrowed { .. } | Hold::Kept)) {
        record(conn, &call, "license.slot_returned", &activation, feature, None).await?;
    }
    Ok(Ok(had.is_some()))
}

/// Signs of life come by the minute and are no events; what is taken along is.
async fn record(
    conn: &mut Conn,
    call: &Call,
    act: &'static str,
    activation: &Activation,
    feature: Option<&str>,
    until: Option<Timestamp>,
) -> Result<(), StoreError> {
    let license = call.facts.license.id;
    let entry = NewAudit {
        at: call.now,
        subject: Subject::license(license.0),
        act,
        actor: call.app.actor(),
        before: None,
        after: Some(serde_json::json!({
            "device": activation.device.id.as_str(), "feature": feature, "until": until.map(Timestamp::to_rfc3339),
        })),
    };
    let head = conn.audit(&entry, call.facts.audit_head.as_deref());
    conn.set_audit_head(license, &head).await
}
