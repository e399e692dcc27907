//! Bundles as apps see them: a license of each product under one key or user, activated, checked and given back together.

use futures::future::BoxFuture;

use super::{
    App, AppAsk, AppLicense, AppRefusal, Call, Seat,
    activate::{activate, deactivate},
    slots::check,
};
use crate::{
    desk::{Desk, Fault},
    licensing::{
        ProductCode,
        decide::{CheckRefusal, ReleaseRefusal},
    },
    store::{Conn, LicenseUser, StoreError},
};

/// A part of a bundle: what is asked of it, for which user.
type Part = (AppAsk, Option<LicenseUser>);

impl Desk {
    /// Activates the machine on every license of a bundle, or on none.
    pub async fn activate_bundle_app(&self, app: &App, ask: AppAsk) -> Result<Result<Vec<AppLicense>, AppRefusal>, Fault> {
        self.each_part(app, ask, Seat::Asked, |conn, call| Box::pin(activate(conn, call))).await
    }

    /// Whether every license of a bundle is good.
    pub async fn check_bundle_app(&self, app: &App, ask: AppAsk) -> Result<Result<Vec<AppLicense>, AppRefusal>, Fault> {
        let whole = match self.identified_in_bundle(app, ask).await? {
            Ok(ask) => ask,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let parts = match self.parts(app, &whole, Seat::Held, false).await? {
            Ok(parts) => parts,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // Read first: only where one floats there is something to write.
        let (mut conn, door) = (self.read().await?, self.door(app));
        let mut licenses = Vec::new();
        for (ask, user) in parts {
            let call = match door.call(&mut conn, ask, user).await? {
                Ok(call) => call,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if call.facts.license.pool(None, call.now).is_ok() {
                drop(conn);
                return self.each_part(app, whole, Seat::Held, |conn, call| Box::pin(check(conn, call))).await;
            }
            match check(&mut conn, call).await? {
                Ok(license) => licenses.push(license),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Ok(Ok(licenses))
    }

    /// Gives the machine's seats back on every license of a bundle. Refuses where it holds none of them.
    pub async fn deactivate_bundle_app(&self, app: &App, ask: AppAsk) -> Result<Result<(), AppRefusal>, Fault> {
        let given = self.each_part(app, ask, Seat::Held, |conn, call| {
            Box::pin(async move {
                Ok(match deactivate(conn, call).await? {
                    Ok(()) => Ok(true),
                    Err(
                        AppRefusal::Release(ReleaseRefusal::NotActivated)
                        | AppRefusal::Check(CheckRefusal::NotActive | CheckRefusal::NoDevice),
                    ) => Ok(false),
                    Err(refusal) => Err(refusal),
                })
            })
        });
        Ok(match given.await? {
            Ok(given) if given.contains(&true) => Ok(()),
            Ok(_) => Err(CheckRefusal::NotActive.into()),
            Err(refusal) => Err(refusal),
        })
    }

    /// Runs an act on each part of a bundle in one transaction: a refusal of one takes all of it back.
    async fn each_part<T, F>(&self, app: &App, ask: AppAsk, seat: Seat, act: F) -> Result<Result<Vec<T>, AppRefusal>, Fault>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Conn, Call) -> BoxFuture<'c, Result<Result<T, AppRefusal>, StoreError>>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        let ask = match self.identified_in_bundle(app, ask).await? {
            Ok(ask) => ask,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let parts = match self.parts(app, &ask, seat, true).await? {
            Ok(parts) => parts,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let door = self.door(app);
        let done = self.store.write(move |conn| {
            let (door, parts, act) = (door.clone(), parts.clone(), act.clone());
            Box::pin(async move {
                let mut all = Vec::new();
                for (ask, user) in parts {
                    let call = door.call(conn, ask, user).await?.map_err(StoreError::gave_up)?;
                    all.push(act(conn, call).await?.map_err(StoreError::gave_up)?);
                }
                Ok(all)
            })
        });
        match done.await {
            Ok(all) => Ok(Ok(all)),
            Err(StoreError::GaveUp(why)) => match why.downcast::<AppRefusal>() {
                Ok(refusal) => Ok(Err(*refusal)),
                Err(why) => Err(StoreError::GaveUp(why).into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// What is asked of each product of the bundle that a call names as its product.
    async fn parts(&self, app: &App, ask: &AppAsk, seat: Seat, change: bool) -> Result<Result<Vec<Part>, AppRefusal>, Fault> {
        let mut conn = self.read().await?;
        let Some(bundle) = conn.bundle(&ask.product).await? else { return Ok(Err(AppRefusal::UnknownProduct)) };
        let codes: Vec<ProductCode> = conn.bundle_products(bundle.id).await?.into_iter().map(|product| product.code).collect();
        drop(conn);
        let mut parts = Vec::new();
        for product in codes {
            if let Err(refusal) = app.may(&product, change) {
                return Ok(Err(refusal));
            }
            let ask = AppAsk { product, license_id: None, ..ask.clone() };
            match self.app_user(app, &ask, seat).await? {
                Ok(user) => parts.push((ask, user)),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Ok(Ok(parts))
    }
}
