//! An app activates its machine, and gives its seat back.

use super::{App, AppAsk, AppLicense, AppRefusal, Call, Seat};
use crate::{
    desk::{
        Desk, Fault,
        activate::{Asker, Granted, grant, known_version},
        answer::{give_back, named_version},
        usage::take_variables,
    },
    licensing::{
        activation::How,
        decide::{self, ActivationAsk, CheckRefusal, ReleaseProof, ReleaseRefusal},
    },
    store::{Conn, StoreError},
};

impl Desk {
    /// Activates the machine that asks. One that holds a seat has it again, at no cost.
    pub async fn activate_app(&self, app: &App, ask: AppAsk) -> Result<Result<AppLicense, AppRefusal>, Fault> {
        self.app_acts(app, ask, Seat::Asked, |conn, call| Box::pin(activate(conn, call))).await
    }

    /// Gives a machine's seat back. Refuses one with a device key: that gives it back by its own request.
    pub async fn deactivate_app(&self, app: &App, ask: AppAsk) -> Result<Result<(), AppRefusal>, Fault> {
        self.app_acts(app, ask, Seat::Held, |conn, call| Box::pin(deactivate(conn, call))).await
    }
}

pub(super) async fn activate(conn: &mut Conn, call: Call) -> Result<Result<AppLicense, AppRefusal>, StoreError> {
    let Call { app, ask, user, facts, tpm_key, expose_customer, now, .. } = call;
    let version = known_version(conn, &facts, named_version(ask.device.app.as_deref())).await?;
    let wants = ActivationAsk {
        how: How::Online,
        licensespring_file: false,
        device_key: None,
        virtual_machine: ask.device.virtual_machine,
        keeps_slot: false,
        by_tpm: tpm_key.is_some(),
        version,
    };
    let email = user.as_ref().map(|user| user.email.to_string());
    let asker = Asker { user: email.as_deref(), api_key: Some(app.id()), tpm_key: tpm_key.as_ref(), ..Asker::default() };
    match grant(conn, facts, &wants, &ask.device, asker, now).await? {
        Ok(Granted { facts, activation }) => {
            take_variables(conn, &activation, ask.variables, now).await?;
            let user = match user {
                Some(user) => conn.license_user(user.id).await?,
                None => None,
            };
            Ok(Ok(AppLicense::of(facts, activation, user.as_ref(), expose_customer)))
        }
        Err(refusal) => Ok(Err(refusal.into())),
    }
}

pub(super) async fn deactivate(conn: &mut Conn, call: Call) -> Result<Result<(), AppRefusal>, StoreError> {
    let Call { app, ask, facts, now, .. } = call;
    let releasing = match decide::release(&facts.product, facts.known.as_ref(), &ReleaseProof::App, now) {
        Ok(releasing) => releasing,
        Err(ReleaseRefusal::NotActivated) if facts.license.seats_taken == 0 => return Ok(Err(CheckRefusal::NotActive.into())),
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    let Some(known) = facts.known.clone() else { return Ok(Err(ReleaseRefusal::NotActivated.into())) };
    take_variables(conn, &known, ask.variables, now).await?;
    give_back(conn, facts, known, releasing, app.actor(), now).await?;
    Ok(Ok(()))
}
