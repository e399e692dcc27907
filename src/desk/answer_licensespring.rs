//! LicenseSpring's request files at our door. The shared key ships in every app, so a right HMAC says which app wrote the file
//! and authorizes nothing by itself: what a file may do follows from what its signature covers.

use sha2::{Digest, Sha256};

use super::{
    Desk, Fault, Refused,
    activate::{Asker, Granted, grant, known_version},
    answer::{Answered, FileAnswer, FileRequest, give_back, named_version, with_key},
    app::{App, body_user, told},
    files::{self, Asked, license_file, promise, receipt},
    refusal::{About, Refusal, new_reference, refuse, unknown_product},
    usage::{Told, take_use, take_variables},
};
use crate::{
    licensing::{
        ActivationKey, DeviceName, Email, LicenseId, Timestamp,
        activation::{Activation, ActivationState, Device, How},
        decide::{self, ActivationAsk, ActivationRefusal, ReleaseProof, ReleaseRefusal},
        files::{
            Code, Problem, RequestRef, Signer, base64,
            licensespring::{
                BodyFacts, Caller, HmacVerdict, LicenseSpringAct, LicenseSpringRequest, Recipient, activation_body,
                activation_file,
            },
            mirror, text,
        },
        license::Actor,
        product::Product,
        seal::Seal,
        tpm::{TpmKey, speaks},
    },
    store::{ActivationFactsRow, Answer, Conn, LicenseUser, StoreError},
    vault::{LicenseSigner, Password, SecretBytes, VaultError, verify_p256},
};

/// Tries at one user's password by file within a quarter of an hour: more machines than anyone activates in that time.
const TRIES: i64 = 20;
pub(super) const TRY_WINDOW_SECONDS: i64 = 900;

/// A request whose signature holds, with what checking it brought to light.
#[derive(Clone)]
pub(super) struct Checked {
    /// Who wrote it.
    pub app: App,
    pub request: LicenseSpringRequest,
    pub verdict: HmacVerdict,
    /// The assignment whose password was right.
    pub user: Option<LicenseUser>,
    pub confirmed: bool,
}

pub(super) enum Outcome {
    /// The seat is taken and committed; the file is signed afterwards, away from the writer.
    Activated {
        facts: Box<ActivationFactsRow>,
        activation: Box<Activation>,
    },
    Answered(FileAnswer, Option<(Seal, LicenseSigner)>),
    Refused(Refused),
}

impl Desk {
    pub(super) async fn answer_licensespring(&self, json: &[u8], file: &FileRequest) -> Result<Answered, Fault> {
        let request = match LicenseSpringRequest::parse(json) {
            Ok(request) => request,
            Err(problem) if problem.code == Code::Truncated => {
                return Ok(Err(self.refuse_file(text::cut_off_in(&file.bytes, problem), file).await?));
            }
            Err(problem) => return Ok(Err(self.refuse_file(problem, file).await?)),
        };
        let about = about(&request, file);
        let (app, keys) = match self.keys_for(&request).await? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(self.refuse_with(refusal, about).await?)),
        };
        let checked = keys.into_iter().map(|key| (request.check(Some(key.as_slice())), key));
        let Some((verdict, shared_key)) = checked.into_iter().find(|(verdict, _)| verdict.is_valid()) else {
            return Ok(Err(self.refuse_with(Problem::new(Code::BadSignature).into(), about).await?));
        };
        let user = match self.user_of(&request).await? {
            Ok(user) => user,
            Err(refusal) => return Ok(Err(self.refuse_with(refusal, about).await?)),
        };
        let checked = Checked { app, request, verdict, user, confirmed: file.confirmed };
        self.answer_checked(checked, about, shared_key).await
    }

    /// The app that wrote the request and the keys it may have signed with, if that app may activate this product: its shared key, or
    /// the secrets of an OAuth client that are good now.
    pub(super) async fn keys_for(
        &self,
        request: &LicenseSpringRequest,
    ) -> Result<Result<(App, Vec<SecretBytes>), Refusal>, Fault> {
        let found = match &request.caller {
            Caller::ApiKey(id) => self.app(id).await?.ok().map(|(app, key)| (app, vec![key])),
            Caller::Client(id) => {
                let found = self.client_secrets(id).await?;
                found.map(|(client, secrets)| (App::from(client), secrets.into_iter().map(|(_, key)| key).collect()))
            }
        };
        Ok(found.filter(|(app, _)| app.may(&request.product, true).is_ok()).ok_or(Refusal::ApiKey))
    }

    /// The assignment a request without a key speaks for: its password must be right, and a release has none to show.
    pub(super) async fn user_of(&self, request: &LicenseSpringRequest) -> Result<Result<Option<LicenseUser>, Refusal>, Fault> {
        if request.key.is_some() {
            return Ok(Ok(None));
        }
        let name =
            request.username.as_ref().map(|name| name.0.split('|').next().unwrap_or_default().to_owned()).unwrap_or_default();
        let Some(password) = &request.password else { return Ok(Err(ActivationRefusal::UserProofRequired.into())) };
        // A shared key ships in every app, so whoever has one can write files that try passwords.
        if self.tried_too_often(&format!("{}\n{}", request.product.folded(), name.to_lowercase())).await? {
            return Ok(Err(Refusal::TooMany { seconds: TRY_WINDOW_SECONDS }));
        }
        let users = match Email::parse(&name) {
            Ok(email) => self.read().await?.users_in_product(&request.product.folded(), &email.folded()).await?,
            Err(_) => Vec::new(),
        };
        let wanted = request.license_id.map(LicenseId);
        let user = users.into_iter().find(|user| wanted.is_none_or(|wanted| user.license == wanted));
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        let right = self.passwords.verify(Password::given(&password.0), hash).await;
        Ok(match user.filter(|_| right) {
            Some(user) => Ok(Some(user)),
            None => Err(ActivationRefusal::UserCredentials.into()),
        })
    }

    /// Counts a try at a user's password, whatever comes of it.
    pub(super) async fn tried_too_often(&self, user: &str) -> Result<bool, Fault> {
        let now = self.now();
        let subject = format!("file-user:{}", base64::url(&Sha256::digest(user)));
        let tries = self.store.write(move |conn| {
            let subject = subject.clone();
            Box::pin(async move { conn.count_try(&subject, TRY_WINDOW_SECONDS, now).await })
        });
        Ok(tries.await? > TRIES)
    }

    async fn answer_checked(&self, checked: Checked, about: About, shared_key: SecretBytes) -> Result<Answered, Fault> {
        let now = self.now();
        let (reference, desk) = (new_reference(), self.clone());
        let (for_act, about_given) = (checked.clone(), about.clone());
        let outcome = self
            .store
            .write(move |conn| {
                let (desk, checked, about, reference) = (desk.clone(), for_act.clone(), about.clone(), reference.clone());
                Box::pin(async move { desk.licensespring_in(conn, &checked, about, &reference, now).await })
            })
            .await?;
        match outcome {
            Outcome::Activated { facts, activation } => {
                self.give_licensespring(checked, *facts, *activation, shared_key, about_given, now).await
            }
            Outcome::Answered(answer, promised) => {
                if let Some((seal, signer)) = promised {
                    signer.recorded(&seal);
                }
                Ok(Ok(answer))
            }
            Outcome::Refused(refused) => Ok(Err(refused)),
        }
    }

    pub(super) async fn licensespring_in(
        &self,
        conn: &mut Conn,
        checked: &Checked,
        mut about: About,
        reference: &str,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let request = &checked.request;
        macro_rules! refused {
            ($refusal:expr) => {
                return Ok(Outcome::Refused(refuse(conn, $refusal, &about, reference, now)))
            };
        }
        let Some(product) = conn.product(&request.product).await? else { refused!(unknown_product(&request.product)) };
        about.product(&product);
        let found = match (&request.key, &checked.user) {
            (Some(key), _) => with_key(conn, key, &product.code, &request.hardware_id).await?,
            (None, Some(user)) => {
                let facts = conn.facts_by_license(user.license, &request.hardware_id).await?;
                facts.filter(|facts| facts.product.id == product.id).ok_or_else(|| ActivationRefusal::UserCredentials.into())
            }
            (None, None) => Err(ActivationRefusal::UserProofRequired.into()),
        };
        let facts = match found {
            Ok(facts) => facts,
            Err(refusal) => refused!(refusal),
        };
        if request.license_id.is_some_and(|id| id != facts.license.id.0) {
            refused!(ActivationRefusal::UnknownKey);
        }
        if !checked.app.reaches(&facts.license, facts.customer.as_ref()) {
            refused!(Refusal::ApiKey);
        }
        about.license = Some(facts.license.id);

        if let Some(before) = conn.answer(product.id, &asked_by(request, &facts), &request_name(request)).await? {
            if before.request_hash != request.hash() {
                refused!(Refusal::RequestIdReused);
            }
            let Some(activation) = conn.activation(before.activation).await? else { refused!(Refusal::RequestSpent) };
            match (&activation.state, before.kind.as_str()) {
                (ActivationState::Active { since }, "ls-license")
                    if *since <= before.made && before.license_revision == facts.license.revision =>
                {
                    return Ok(Outcome::Answered(answer(&product, &activation, before.body, false), None));
                }
                (ActivationState::Active { since }, "ls-license") if *since <= before.made => {}
                (ActivationState::Released { at, .. }, "ls-receipt") if *at == before.made => {
                    return Ok(Outcome::Answered(answer(&product, &activation, before.body, true), None));
                }
                _ => refused!(Refusal::RequestSpent),
            }
        } else if !checked.verdict.covers_everything()
            && conn.answer(product.id, &signature_name(request), &signature_text(request.v1_signature())).await?.is_some()
        {
            // Neither the act nor the request's id is signed here: the same signature under another id is an old file, altered.
            refused!(Refusal::RequestSpent);
        }

        // Members that the signature does not cover are never applied.
        let covers_request = checked.verdict.covers_everything();
        let enrolled = facts.known.as_ref().and_then(|known| known.tpm_key.as_ref());
        let enrolls = request.tpm_enrollment.clone().filter(|_| covers_request);
        let signed =
            |key: &TpmKey| request.tpm_signed().map(|(message, signature)| verify_p256(&key.point(), message, signature));
        let tpm_key = match speaks(enrolled, enrolls, signed) {
            Ok(tpm_key) => tpm_key,
            Err(_) if request.act == Some(LicenseSpringAct::Activation) => refused!(ActivationRefusal::DeviceKeyRequired),
            Err(_) => refused!(ReleaseRefusal::NotThisDevice),
        };
        match request.act {
            Some(LicenseSpringAct::Activation) => {
                let device = device_of(request);
                let version = known_version(conn, &facts, named_version(request.app.as_deref())).await?;
                let ask = ActivationAsk {
                    how: How::Offline,
                    licensespring_file: true,
                    device_key: None,
                    virtual_machine: request.is_vm,
                    keeps_slot: true,
                    by_tpm: tpm_key.is_some(),
                    version,
                };
                let user = checked.user.as_ref().map(|user| user.email.to_string());
                let asker = Asker {
                    user: user.as_deref(),
                    api_key: Some(request.caller.id()),
                    tpm_key: tpm_key.as_ref(),
                    ..Asker::default()
                };
                match grant(conn, facts, &ask, &device, asker, now).await? {
                    Ok(Granted { facts, activation }) => {
                        if covers_request {
                            take_variables(conn, &activation, request.variables(), now).await?;
                        }
                        Ok(Outcome::Activated { facts: Box::new(facts), activation: Box::new(activation) })
                    }
                    Err(refusal) => refused!(refusal),
                }
            }
            // A password shows who may use a license, not that its holder wants to give the seat back.
            Some(LicenseSpringAct::Deactivation) | None if request.key.is_none() => {
                refused!(ActivationRefusal::UserProofRequired)
            }
            Some(LicenseSpringAct::Deactivation) | None => {
                let proof = ReleaseProof::LicenseSpringFile {
                    api_key: request.caller.id(),
                    covers_request,
                    confirmed: checked.confirmed,
                };
                let releasing = match decide::release(&product, facts.known.as_ref(), &proof, now) {
                    Ok(releasing) => releasing,
                    Err(refusal) => refused!(refusal),
                };
                let Some(mut known) = facts.known.clone() else { refused!(ReleaseRefusal::NotActivated) };
                let mut facts = facts;
                if covers_request {
                    take_variables(conn, &known, request.variables(), now).await?;
                    take_use(conn, &mut facts, &mut known, Told::Amounts(&request.consumed()), now).await?;
                }
                let (facts, activation) = give_back(conn, facts, known, releasing, Actor::Customer, now).await?;
                remember_signature(conn, request, &facts, &activation, now).await?;
                self.receipt_for(conn, request, &facts, &activation, now).await
            }
        }
    }

    async fn receipt_for(
        &self,
        conn: &mut Conn,
        request: &LicenseSpringRequest,
        facts: &ActivationFactsRow,
        activation: &Activation,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let signer = self.signer(conn, facts).await?;
        let body = receipt(self, &facts.product.code, activation, &asked(request, now), now)
            .sign(&signer)
            .map_err(StoreError::gave_up)?;
        let promised = promise(conn, &signer, None).await?.map(|seal| (seal, signer));
        remember(conn, request, facts, activation, "ls-receipt", &body, now).await?;
        Ok(Outcome::Answered(answer(&facts.product, activation, body, true), promised))
    }

    /// Two RSA signatures, away from the async threads and from the writer; then the answer is remembered. A crash between
    /// costs nothing: the same request finds its seat taken by itself, and is signed again.
    pub(super) async fn give_licensespring(
        &self,
        checked: Checked,
        facts: ActivationFactsRow,
        activation: Activation,
        shared_key: SecretBytes,
        about: About,
        now: Timestamp,
    ) -> Result<Answered, Fault> {
        let customer = match facts.license.customer {
            Some(id) => self.read().await?.customer(id).await?.map(|customer| told(customer, self.settings().expose_customer)),
            None => None,
        };
        // With the machine that was activated among theirs.
        let user = match &checked.user {
            Some(user) => self.read().await?.license_user(user.id).await?,
            None => None,
        };
        let signer = self.signer(&mut self.read().await?, &facts).await?;
        let claims = license_file(self, &facts.product, &facts.license, &activation, Some(&asked(&checked.request, now)), now);
        let mirrored = mirror::sign(&claims, &signer).map_err(Fault::File)?;
        let rsa_signer = self.app_signer().await?;
        let keys = format!("{} {}", rsa_signer.kid(), signer.kid());
        let (for_signing, facts_for_signing, activation_for_signing) = (checked.clone(), facts.clone(), activation.clone());
        let slot = self.vault.rsa_slot().await.map_err(Fault::Vault)?;
        let signed = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            let request = &for_signing.request;
            let user = user.as_ref().map(body_user);
            let body = activation_body(&BodyFacts {
                product: &facts_for_signing.product,
                license: &facts_for_signing.license,
                activation: Some(&activation_for_signing),
                short_code: request.product.as_str(),
                customer: customer.as_ref(),
                user: user.as_ref(),
                order: facts_for_signing.order.as_deref().unwrap_or_default(),
                now,
            });
            let rsa = |message: &[u8]| -> Result<Vec<u8>, VaultError> {
                let text = rsa_signer.sign(message)?;
                Ok(base64::from_standard(&text).unwrap_or_default())
            };
            activation_file(body, &Recipient::of(request, shared_key.as_slice()), now, Some(&mirrored), &rsa)
        });
        let signed = signed.await.map_err(|_| Fault::Kept("the signing task"))??;
        let reference = new_reference();
        let (body, for_promise, expires) = (signed.file, signer.clone(), claims.expires);
        let (outcome, promised) = self
            .store
            .write(move |conn| {
                let keys = keys.clone();
                let (checked, facts, activation, body, signer, about, reference) = (
                    checked.clone(),
                    facts.clone(),
                    activation.clone(),
                    body.clone(),
                    for_promise.clone(),
                    about.clone(),
                    reference.clone(),
                );
                Box::pin(async move {
                    let Standing { stands, answered } = standing(conn, &checked.request, &facts, &activation).await?;
                    if let Some(before) = answered {
                        return Ok((Ok(answer(&facts.product, &activation, before, false)), None));
                    }
                    if !stands {
                        return Ok((Err(refuse(conn, Refusal::RequestSpent, &about, &reference, now)), None));
                    }
                    let promised = promise(conn, &signer, expires).await?;
                    remember(conn, &checked.request, &facts, &activation, "ls-license", &body, now).await?;
                    remember_signature(conn, &checked.request, &facts, &activation, now).await?;
                    conn.set_file_keys(activation.id, &keys).await?;
                    Ok((Ok(answer(&facts.product, &activation, body, false)), promised))
                })
            })
            .await?;
        if let Some(seal) = promised {
            signer.recorded(&seal);
        }
        Ok(outcome)
    }
}

/// What a refusal of the request is noted with.
pub(super) fn about(request: &LicenseSpringRequest, file: &FileRequest) -> About {
    About {
        door: file.door,
        product_code: Some(request.product.to_string()),
        key_ends: request.key.as_ref().map(ActivationKey::last_group),
        device: Some(request.hardware_id.clone()),
        device_name: request.hostname.as_deref().and_then(|name| DeviceName::parse(name).ok()),
        ..About::default()
    }
}

/// How things are once an answer is signed: the seat may be gone by then, and the same request may have been answered beside.
struct Standing {
    stands: bool,
    answered: Option<String>,
}

async fn standing(
    conn: &mut Conn,
    request: &LicenseSpringRequest,
    facts: &ActivationFactsRow,
    activation: &Activation,
) -> Result<Standing, StoreError> {
    let Some(now) = conn.facts_by_license(facts.license.id, &activation.device.id).await? else {
        return Ok(Standing { stands: false, answered: None });
    };
    // A machine that showed a device key meanwhile gets no file without it.
    let same = |known: &Activation| known.state == activation.state && known.device_key == activation.device_key;
    let stands = now.known.as_ref().is_some_and(same);
    let before = conn.answer(facts.product.id, &asked_by(request, facts), &request_name(request)).await?.filter(|before| {
        stands
            && before.kind == "ls-license"
            && before.request_hash == request.hash()
            && before.license_revision == now.license.revision
            && matches!(activation.state, ActivationState::Active { since } if since <= before.made)
    });
    Ok(Standing { stands, answered: before.map(|before| before.body) })
}

fn device_of(request: &LicenseSpringRequest) -> Device {
    Device {
        id: request.hardware_id.clone(),
        name: request.hostname.as_deref().and_then(|name| DeviceName::parse(name).ok()),
        os: request.os.clone(),
        app: request.app.clone(),
        sdk: request.sdk.clone(),
        virtual_machine: request.is_vm,
    }
}

fn asked(request: &LicenseSpringRequest, now: Timestamp) -> Asked {
    Asked {
        request: RequestRef { id: request.request_id.clone().unwrap_or_default(), hash: request.hash() },
        device_clock: request.made_at.unwrap_or(now),
    }
}

/// Whose request it is: app, act, license and machine. The samples' activation and deactivation share a request id on purpose.
fn asked_by(request: &LicenseSpringRequest, facts: &ActivationFactsRow) -> String {
    let act = match request.act {
        Some(LicenseSpringAct::Activation) => "activation",
        Some(LicenseSpringAct::Deactivation) | None => "deactivation",
    };
    let device = base64::url(&Sha256::digest(request.hardware_id.as_str()));
    format!("ls:{}:{act}:{}:{device}", request.caller.id(), facts.license.id)
}

/// What the request is called: its id, or its signature where it has none.
fn request_name(request: &LicenseSpringRequest) -> String {
    request.request_id.clone().unwrap_or_else(|| signature_text(request.signature()))
}

fn signature_name(request: &LicenseSpringRequest) -> String {
    format!("ls-signature:{}", request.caller.id())
}

/// A signature by its bytes: base64 can spell them in several ways. The date is not asked: the Python client's signature holds
/// for the second before and after it too.
fn signature_text(signature: Option<&str>) -> String {
    let text = signature.unwrap_or_default();
    base64::url(&Sha256::digest(base64::from_standard(text).unwrap_or_else(|_| text.as_bytes().to_vec())))
}

async fn remember(
    conn: &mut Conn,
    request: &LicenseSpringRequest,
    facts: &ActivationFactsRow,
    activation: &Activation,
    kind: &str,
    body: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    conn.remember(&Answer {
        product: facts.product.id,
        asked_by: asked_by(request, facts),
        request_id: request_name(request),
        request_hash: request.hash().to_vec(),
        activation: activation.id,
        license_revision: facts.license.revision,
        kind: kind.to_owned(),
        body: body.to_owned(),
        made: now,
    })
    .await
}

/// A v1 signature does not cover the act: one that was seen once, also inside an envelope, opens nothing a second time.
async fn remember_signature(
    conn: &mut Conn,
    request: &LicenseSpringRequest,
    facts: &ActivationFactsRow,
    activation: &Activation,
    now: Timestamp,
) -> Result<(), StoreError> {
    if request.v1_signature().is_none() {
        return Ok(());
    }
    conn.remember(&Answer {
        product: facts.product.id,
        asked_by: signature_name(request),
        request_id: signature_text(request.v1_signature()),
        request_hash: request.hash().to_vec(),
        activation: activation.id,
        license_revision: facts.license.revision,
        kind: "ls-signature".to_owned(),
        body: String::new(),
        made: now,
    })
    .await
}

fn answer(product: &Product, activation: &Activation, body: String, receipt: bool) -> FileAnswer {
    FileAnswer {
        product_name: product.name.clone(),
        device_id: activation.device.id.to_string(),
        device_name: activation.device.name.as_ref().map(ToString::to_string),
        file_name: files::file_name(product, activation, if receipt { "receipt" } else { "lic" }),
        body,
        receipt,
        licensespring: !receipt,
    }
}
