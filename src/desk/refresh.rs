//! A license file again, on staff's word: for a machine whose file is lost, or whose license has changed. A machine that speaks
//! LicenseSpring's dialect gets LicenseSpring's refresh file (§8.4).

use super::{
    ActError, Area, Desk, Fault, FileAnswer, Level, Visitor,
    app::{body_user, told},
    files::{self, license_file, promise},
    licenses::{Done, device_audit, finish},
};
use crate::{
    licensing::{
        ActivationKey, DeviceId, LicenseId, Timestamp,
        activation::Activation,
        decide,
        files::{
            Signer, base64,
            licensespring::{
                BodyCustomer, BodyFacts, BodyUser, Recipient, RsaSigner, check_body, refresh_file, wants_escaped_text,
            },
            mirror,
        },
        license::{Actor, TransitionError},
        product::Release,
        seal::Seal,
    },
    store::{ActivationFactsRow, Conn, StoreError},
    vault::{LicenseSigner, Purpose, SecretBytes, Subject as Secret, VaultError},
};

/// What clients of LicenseSpring call the file.
const REFRESH_NAME: &str = "license_refresh.lic";

/// What a file for LicenseSpring's client is made of, read in the act that allowed it.
struct Foreign {
    facts: ActivationFactsRow,
    known: Activation,
    /// The API key or client id it was activated under.
    caller: String,
    customer: Option<BodyCustomer>,
    user: Option<BodyUser>,
    releases: Vec<Release>,
}

/// What the act that looks decides.
enum Looked {
    Ours(FileAnswer, Option<(Seal, LicenseSigner)>),
    Foreign(Box<Foreign>),
}

impl Desk {
    /// The license file of a machine that holds a seat, made anew.
    pub async fn refresh_file(&self, visitor: &Visitor, id: LicenseId, device: &DeviceId) -> Result<FileAnswer, ActError> {
        visitor.needs(Area::Licenses, Level::Manage)?;
        let (now, desk, of_device, actor) = (self.now(), self.clone(), device.clone(), visitor.actor());
        let reference = super::refusal::new_reference();
        let done = self
            .store
            .write(move |conn| {
                let (desk, device, actor, reference) = (desk.clone(), of_device.clone(), actor.clone(), reference.clone());
                Box::pin(async move { desk.look(conn, id, &device, actor, &reference, now).await })
            })
            .await?;
        match finish(done)? {
            Looked::Ours(answer, promised) => {
                if let Some((seal, signer)) = promised {
                    signer.recorded(&seal);
                }
                Ok(answer)
            }
            Looked::Foreign(foreign) => self.give_foreign(*foreign, visitor.actor(), now).await,
        }
    }

    async fn look(
        &self,
        conn: &mut Conn,
        id: LicenseId,
        device: &DeviceId,
        actor: Actor,
        reference: &str,
        now: Timestamp,
    ) -> Result<Done<Looked>, StoreError> {
        let Some(mut facts) = conn.facts_by_license(id, device).await? else { return Ok(Done::NotFound) };
        let Some(known) = facts.known.clone().filter(|known| known.state.holds_seat()) else {
            return Ok(Done::Refused(TransitionError::NotActive.into()));
        };
        if let Err(refusal) = decide::usable(&facts.product, &facts.license, now) {
            let mut about = super::refusal::About { door: "staff", license: Some(id), ..super::refusal::About::default() };
            about.device = Some(device.clone());
            about.device_name = known.device.name.clone();
            about.product(&facts.product);
            let refused = super::refusal::refuse(conn, refusal, &about, reference, now);
            return Ok(Done::Refused(ActError::Refused(Box::new(refused))));
        }
        // Its client can read nothing else; without the key it signed with there is no telling what it would accept.
        if let Some(caller) = known.api_key.clone().filter(|_| known.device_key.is_none())
            && self.key_of_caller(conn, &caller).await?.is_some()
        {
            facts.license.turn_meters(now);
            let expose = self.settings().expose_customer;
            let customer = facts.customer.clone().map(|customer| told(customer, expose));
            let user = match &known.user {
                Some(email) => conn.user_of_license(id, email).await?,
                None => None,
            };
            let user = user.as_ref().map(body_user);
            let releases = self.kept.releases.covered(conn, &facts).await?;
            return Ok(Done::Ok(Looked::Foreign(Box::new(Foreign { facts, known, caller, customer, user, releases }))));
        }
        let signer = self.signer(conn, &facts).await?;
        let mut file = license_file(self, &facts.product, &facts.license, &known, None, now);
        // Bound to the device key where there is one: a file without it would be a way around the key.
        file.device_key = known.device_key.as_ref().map(|key| key.0.clone());
        file.id = file.device_key.as_ref().map(|_| files::new_uuid());
        let body = file.sign(&signer).map_err(StoreError::gave_up)?;
        conn.set_file_keys(known.id, signer.kid()).await?;
        device_audit(conn, &facts, "license.file_made", device, actor, now).await?;
        let promised = promise(conn, &signer, file.expires).await?.map(|seal| (seal, signer));
        let file_name = files::file_name(&facts.product, &known, "lic");
        Ok(Done::Ok(Looked::Ours(answer(&facts, &known, file_name, body), promised)))
    }

    /// Two RSA signatures, away from the async threads and from the writer. What they are about must still be so when they are made.
    async fn give_foreign(&self, foreign: Foreign, actor: Actor, now: Timestamp) -> Result<FileAnswer, ActError> {
        let mut conn = self.read().await?;
        let shared_key = self.key_of_caller(&mut conn, &foreign.caller).await?.ok_or(ActError::NotFound)?;
        let signer = self.signer(&mut conn, &foreign.facts).await?;
        drop(conn);
        let claims = license_file(self, &foreign.facts.product, &foreign.facts.license, &foreign.known, None, now);
        let mirrored = mirror::sign(&claims, &signer).map_err(Fault::File)?;
        let rsa_signer = self.app_signer().await?;
        let keys = format!("{} {}", rsa_signer.kid(), signer.kid());
        let slot = self.vault.rsa_slot().await?;
        let signed = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            let rsa = |message: &[u8]| -> Result<Vec<u8>, VaultError> {
                Ok(base64::from_standard(&rsa_signer.sign(message)?).unwrap_or_default())
            };
            let file = foreign.sign(shared_key.as_slice(), &mirrored, &rsa, now)?;
            Ok::<_, VaultError>((foreign, file))
        });
        let (foreign, body) = signed.await.map_err(|_| Fault::Kept("the signing task"))??;
        let Foreign { facts, known, .. } = foreign;
        let expires = claims.expires;
        let done = self.store.write(move |conn| {
            let (body, keys, actor, signer, facts, known) =
                (body.clone(), keys.clone(), actor.clone(), signer.clone(), facts.clone(), known.clone());
            Box::pin(async move {
                let device = &known.device.id;
                let Some(there) = conn.facts_by_license(facts.license.id, device).await? else { return Ok(Done::NotFound) };
                let same = there.license.revision == facts.license.revision
                    && there.known.as_ref().is_some_and(|there| there.state == known.state);
                if !same {
                    return Ok(Done::Refused(TransitionError::NotActive.into()));
                }
                conn.set_file_keys(known.id, &keys).await?;
                device_audit(conn, &there, "license.file_made", device, actor, now).await?;
                let promised = promise(conn, &signer, expires).await?.map(|seal| (seal, signer));
                let answer = FileAnswer { licensespring: true, ..answer(&facts, &known, REFRESH_NAME.to_owned(), body) };
                Ok(Done::Ok((answer, promised)))
            })
        });
        let (answer, promised) = finish(done.await?)?;
        if let Some((seal, signer)) = promised {
            signer.recorded(&seal);
        }
        Ok(answer)
    }

    /// The shared key of an API key, or the newest secret of an OAuth client, revoked or not: the machine's client still checks with it.
    async fn key_of_caller(&self, conn: &mut Conn, caller: &str) -> Result<Option<SecretBytes>, StoreError> {
        if let Some(row) = conn.api_key(caller).await? {
            let subject = Secret::named(&row.api_key);
            let key = self.vault.decrypt_secret(Purpose::SHARED_KEY, subject, &row.shared_key);
            return key.map(Some).map_err(StoreError::gave_up);
        }
        let Some(client) = conn.oauth_client(caller).await? else { return Ok(None) };
        let Some(newest) = conn.oauth_secrets(client.id).await?.into_iter().next() else { return Ok(None) };
        let subject = Secret::named(&client.client_id);
        let key = self.vault.decrypt_secret(Purpose::CLIENT_SECRET, subject, &newest.secret);
        key.map(Some).map_err(StoreError::gave_up)
    }
}

impl Foreign {
    fn sign(
        &self,
        shared_key: &[u8],
        mirrored: &str,
        rsa: RsaSigner<'_, VaultError>,
        now: Timestamp,
    ) -> Result<String, VaultError> {
        let Self { facts, known, caller, customer, user, releases } = self;
        let body = check_body(
            &BodyFacts {
                product: &facts.product,
                license: &facts.license,
                activation: Some(known),
                // What the request called it is not kept: apps are built with the code as it stands here.
                short_code: facts.product.code.as_str(),
                customer: customer.as_ref(),
                user: user.as_ref(),
                order: facts.order.as_deref().unwrap_or_default(),
                now,
            },
            false,
            releases.first(),
            None,
        );
        let key = facts.license.key.as_ref().filter(|_| known.user.is_none()).map(ActivationKey::text);
        let to = Recipient {
            hardware_id: known.device.id.as_str(),
            license_key: key.as_deref(),
            username: known.user.as_deref(),
            caller,
            shared_key,
            request_id: None,
            escaped: known.device.sdk.as_deref().is_some_and(wants_escaped_text),
        };
        Ok(refresh_file(body, &to, now, Some(mirrored), rsa)?.file)
    }
}

fn answer(facts: &ActivationFactsRow, known: &Activation, file_name: String, body: String) -> FileAnswer {
    FileAnswer {
        product_name: facts.product.name.clone(),
        device_id: known.device.id.to_string(),
        device_name: known.device.name.as_ref().map(ToString::to_string),
        file_name,
        body,
        receipt: false,
        licensespring: false,
    }
}
