//! A request file and its answer: a license file, a fresh one, or a receipt. The same request gets the same bytes as long as
//! what it got still stands; a refusal is not remembered, because a seat may be free by then.

use super::{
    ActError, Desk, Fault, Refused,
    activate::{Asker, Granted, grant, known_version},
    files::{self, Asked, license_file, promise, receipt},
    refusal::{About, Refusal, new_reference, refuse, unknown_product},
    usage::{Told, take_use, take_variables},
};
use crate::{
    licensing::{
        ActivationKey, LicenseId, ProductCode, Timestamp,
        activation::{Activation, ActivationState, Device, DeviceKey, How},
        decide::{self, ActivationAsk, ActivationRefusal, ReleaseProof},
        files::{Act, Grounds, Problem, RequestRef, SignedRequest, Signer, base64, text},
        license::Actor,
        product::{Product, VersionNumber},
        seal::Seal,
    },
    store::{ActivationFactsRow, Answer, Conn, NewAudit, StoreError, Subject},
    vault::LicenseSigner,
};

/// A request file as it came in.
#[derive(Clone)]
pub struct FileRequest {
    pub bytes: Vec<u8>,
    pub door: &'static str,
    /// A person answered "release this machine?".
    pub confirmed: bool,
}

/// What comes back for a file.
#[derive(Clone, Debug)]
pub struct FileAnswer {
    pub product_name: String,
    pub device_id: String,
    pub device_name: Option<String>,
    pub file_name: String,
    /// The text of the file to take back.
    pub body: String,
    /// It proves a release; else it is a license.
    pub receipt: bool,
    /// The public half (PEM) that LicenseSpring's signatures are checked with, where the answer has such.
    pub licensespring: bool,
}

/// A file's answer, or why there is none.
pub type Answered = Result<FileAnswer, Refused>;

enum Outcome {
    Answered(FileAnswer, Option<(Seal, LicenseSigner)>),
    Refused(Refused),
}

impl Desk {
    /// Answers one request file of any dialect. What is wrong with the file or in the way of the act is an answer too.
    pub async fn answer_file(&self, file: FileRequest) -> Result<Answered, Fault> {
        match text::unwrap(&file.bytes) {
            Ok(text::Carried::Jws(text)) => match SignedRequest::parse(&text) {
                Ok(request) => self.answer_request(request, &file).await,
                Err(problem) => self.refuse_file(problem, &file).await.map(Err),
            },
            Ok(text::Carried::Json(json)) => self.answer_licensespring(&json, &file).await,
            Err(problem) => self.refuse_file(problem, &file).await.map(Err),
        }
    }

    /// Refuses a file that could not even be read; of it nothing is kept but the code.
    pub(super) async fn refuse_file(&self, problem: impl Into<Refusal>, file: &FileRequest) -> Result<Refused, Fault> {
        let about = About { door: file.door, ..About::default() };
        self.refuse_with(problem.into(), about).await
    }

    /// Refuses one of too many tries, under a reference like every refusal.
    pub async fn refuse_too_many(&self, door: &'static str) -> Result<Refused, Fault> {
        self.refuse_with(Refusal::TooMany { seconds: 60 }, About { door, ..About::default() }).await
    }

    pub(super) async fn refuse_with(&self, refusal: Refusal, about: About) -> Result<Refused, Fault> {
        let (now, reference) = (self.now(), new_reference());
        let refused = self.store.write(move |conn| {
            let refused = refuse(conn, refusal.clone(), &about, &reference, now);
            Box::pin(async move { Ok(refused) })
        });
        Ok(refused.await?)
    }

    async fn answer_request(&self, request: SignedRequest, file: &FileRequest) -> Result<Answered, Fault> {
        let now = self.now();
        let (reference, desk, door) = (new_reference(), self.clone(), file.door);
        let outcome = self
            .store
            .write(move |conn| {
                let (desk, request, reference) = (desk.clone(), request.clone(), reference.clone());
                Box::pin(async move { desk.answer_in(conn, &request, door, &reference, now).await })
            })
            .await?;
        match outcome {
            Outcome::Answered(answer, promised) => {
                if let Some((seal, signer)) = promised {
                    signer.recorded(&seal);
                }
                Ok(Ok(answer))
            }
            Outcome::Refused(refused) => Ok(Err(refused)),
        }
    }

    async fn answer_in(
        &self,
        conn: &mut Conn,
        signed: &SignedRequest,
        door: &'static str,
        reference: &str,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let request = &signed.request;
        let mut about = About {
            door,
            product_code: Some(request.product.to_string()),
            key_ends: match &request.grounds {
                Grounds::Key(key) => Some(key.last_group()),
                _ => None,
            },
            device: Some(request.device.id.clone()),
            device_name: request.device.name.clone(),
            ..About::default()
        };
        macro_rules! refused {
            ($refusal:expr) => {
                return Ok(Outcome::Refused(refuse(conn, $refusal, &about, reference, now)))
            };
        }
        let Some(product) = conn.product(&request.product).await? else { refused!(unknown_product(&request.product)) };
        about.product(&product);

        // Whatever else is wrong with it: a number that was used for other bytes is not used twice.
        let is_other = |before: &Answer| before.request_hash != signed.hash;
        if conn.answer(product.id, &signed.thumbprint, &request.id).await?.as_ref().is_some_and(is_other) {
            refused!(Refusal::RequestIdReused);
        }
        let facts = match find_license(conn, signed, &product).await? {
            Ok(facts) => facts,
            Err(refusal) => refused!(refusal),
        };
        about.license = Some(facts.license.id);
        let key = DeviceKey(signed.thumbprint.clone());

        // Asked again now that the license is locked: the same request may have been answered beside this one. The hash says whether
        // it is the same, the activation whether its answer still stands.
        let before = conn.answer(product.id, &signed.thumbprint, &request.id).await?;
        if before.as_ref().is_some_and(is_other) {
            refused!(Refusal::RequestIdReused);
        }
        if let Some(before) = before {
            match self.still_stands(conn, &before, &facts, &key).await? {
                Standing::AsItWas => {
                    let known = facts.known.as_ref();
                    let answer = remembered(&product, known, &before);
                    return Ok(Outcome::Answered(answer, None));
                }
                Standing::Spent => refused!(Refusal::RequestSpent),
                Standing::Renewed => {}
            }
        }

        let asked = Asked { request: RequestRef { id: request.id.clone(), hash: signed.hash }, device_clock: request.made_at };
        match request.act {
            Act::Activate => {
                if matches!(request.grounds, Grounds::User(_)) {
                    refused!(ActivationRefusal::UserProofRequired);
                }
                let device = device_of(signed);
                let version = known_version(conn, &facts, named_version(request.device.app.as_deref())).await?;
                let ask = ActivationAsk {
                    how: How::Offline,
                    licensespring_file: false,
                    device_key: Some(&key),
                    virtual_machine: request.device.vm,
                    keeps_slot: true,
                    by_tpm: false,
                    version,
                };
                let signer = self.signer(conn, &facts).await?;
                let asker = Asker { file_keys: Some(signer.kid()), ..Asker::default() };
                match grant(conn, facts, &ask, &device, asker, now).await? {
                    Ok(Granted { mut facts, mut activation }) => {
                        if take_told(conn, &mut facts, &mut activation, signed, now).await? {
                            conn.save_activation(&activation).await?;
                        }
                        self.give_license(conn, &facts, activation, signed, &asked, signer, now).await
                    }
                    Err(refusal) => refused!(refusal),
                }
            }
            Act::Refresh => {
                let known = facts.known.as_ref();
                if let Err(refusal) = decide::refresh(&facts.product, &facts.license, known, Some(&key), facts.blocked, now) {
                    refused!(refusal);
                }
                let Some(mut activation) = facts.known.clone() else { refused!(ActivationRefusal::UnknownKey) };
                let mut facts = facts;
                activation.last_seen = now;
                take_told(conn, &mut facts, &mut activation, signed, now).await?;
                let signer = self.signer(conn, &facts).await?;
                activation.file_keys = Some(signer.kid().to_owned());
                conn.save_activation(&activation).await?;
                self.give_license(conn, &facts, activation, signed, &asked, signer, now).await
            }
            Act::Release => {
                let releasing = match decide::release(&facts.product, facts.known.as_ref(), &ReleaseProof::DeviceKey(&key), now) {
                    Ok(releasing) => releasing,
                    Err(refusal) => refused!(refusal),
                };
                let Some(mut known) = facts.known.clone() else { refused!(decide::ReleaseRefusal::NotActivated) };
                let mut facts = facts;
                take_told(conn, &mut facts, &mut known, signed, now).await?;
                let (facts, activation) = give_back(conn, facts, known, releasing, Actor::Customer, now).await?;
                self.give_receipt(conn, &facts, activation, signed, &asked, now).await
            }
        }
    }

    async fn still_stands(
        &self,
        conn: &mut Conn,
        before: &Answer,
        facts: &ActivationFactsRow,
        key: &DeviceKey,
    ) -> Result<Standing, StoreError> {
        let Some(activation) = conn.activation(before.activation).await? else { return Ok(Standing::Spent) };
        let own_key = activation.device_key.as_ref() == Some(key);
        Ok(match (&activation.state, before.kind.as_str()) {
            (ActivationState::Released { at, .. }, "receipt") if *at == before.made => Standing::AsItWas,
            (ActivationState::Active { since }, "license") if own_key && *since <= before.made => {
                if facts.license.revision == before.license_revision && facts.license.id == activation.license {
                    Standing::AsItWas
                } else {
                    Standing::Renewed
                }
            }
            _ => Standing::Spent,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the end of an act, which has gathered all of them")]
    async fn give_license(
        &self,
        conn: &mut Conn,
        facts: &ActivationFactsRow,
        activation: Activation,
        signed: &SignedRequest,
        asked: &Asked,
        signer: LicenseSigner,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let file = license_file(self, &facts.product, &facts.license, &activation, Some(asked), now);
        let body = file.sign(&signer).map_err(StoreError::gave_up)?;
        let promised = promise(conn, &signer, file.expires).await?.map(|seal| (seal, signer));
        remember(conn, facts, &activation, signed, "license", &body, now).await?;
        let file_name = files::file_name(&facts.product, &activation, "lic");
        Ok(Outcome::Answered(file_answer(&facts.product, &activation, file_name, body, false), promised))
    }

    async fn give_receipt(
        &self,
        conn: &mut Conn,
        facts: &ActivationFactsRow,
        activation: Activation,
        signed: &SignedRequest,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let signer = self.signer(conn, facts).await?;
        let body = receipt(self, &facts.product.code, &activation, asked, now).sign(&signer).map_err(StoreError::gave_up)?;
        // A receipt has no end: its key must verify for good.
        let promised = promise(conn, &signer, None).await?.map(|seal| (seal, signer));
        remember(conn, facts, &activation, signed, "receipt", &body, now).await?;
        let file_name = files::file_name(&facts.product, &activation, "receipt");
        Ok(Outcome::Answered(file_answer(&facts.product, &activation, file_name, body, true), promised))
    }
}

/// Takes what the request tells of use and of the machine. Whether the activation is to be saved because of it.
async fn take_told(
    conn: &mut Conn,
    facts: &mut ActivationFactsRow,
    activation: &mut Activation,
    signed: &SignedRequest,
    now: Timestamp,
) -> Result<bool, StoreError> {
    take_variables(conn, activation, signed.request.variables.clone(), now).await?;
    let Some(usage) = &signed.request.usage else { return Ok(false) };
    let before = activation.use_seq;
    activation.use_totals.turn_to(&mut activation.use_seq, &signed.thumbprint);
    take_use(conn, facts, activation, Told::Totals(usage), now).await?;
    Ok(activation.use_seq != before || !activation.use_totals.others.is_empty())
}

enum Standing {
    AsItWas,
    /// The license changed since: a new file for the same activation.
    Renewed,
    Spent,
}

/// The license a request is about, with the facts about its device.
async fn find_license(
    conn: &mut Conn,
    signed: &SignedRequest,
    product: &Product,
) -> Result<Result<ActivationFactsRow, Refusal>, StoreError> {
    let request = &signed.request;
    let device = &request.device.id;
    match &request.grounds {
        Grounds::Key(key) => with_key(conn, key, &product.code, device).await,
        Grounds::KeyProof(proof) => {
            let Some((license, key)) = conn.license_by_key_id(product.id, &base64::url(&proof.id)).await? else {
                return Ok(Err(ActivationRefusal::UnknownKey.into()));
            };
            if !proof.proves(&key, &signed.thumbprint, &request.id, &request.product) {
                return Ok(Err(ActivationRefusal::UnknownKey.into()));
            }
            let facts = conn.facts_by_license(license, device).await?;
            Ok(facts.ok_or_else(|| ActivationRefusal::UnknownKey.into()))
        }
        Grounds::User(_) => Ok(Err(ActivationRefusal::UserProofRequired.into())),
        Grounds::License(id) => {
            let facts = conn.facts_by_license(LicenseId(id.0), device).await?;
            // A license of another product answers as one that is not there.
            Ok(facts.filter(|facts| facts.product.id == product.id).ok_or_else(|| decide::ReleaseRefusal::NotActivated.into()))
        }
    }
}

/// The license with a key in a product; where the key is another product's, the refusal says so.
pub(super) async fn with_key(
    conn: &mut Conn,
    key: &ActivationKey,
    product: &ProductCode,
    device: &crate::licensing::DeviceId,
) -> Result<Result<ActivationFactsRow, Refusal>, StoreError> {
    let found = conn.facts_with_key(&key.folded(), device).await?;
    let elsewhere = !found.is_empty();
    Ok(found
        .into_iter()
        .find(|facts| facts.product.code == *product)
        .ok_or_else(|| if elsewhere { ActivationRefusal::WrongProduct.into() } else { ActivationRefusal::UnknownKey.into() }))
}

/// The one way a seat is given back.
pub(super) async fn give_back(
    conn: &mut Conn,
    mut facts: ActivationFactsRow,
    mut activation: Activation,
    releasing: decide::Releasing,
    by: Actor,
    now: Timestamp,
) -> Result<(ActivationFactsRow, Activation), StoreError> {
    let Ok(state) = activation.state.clone().release(by.clone(), releasing.counted, now) else {
        return Err(StoreError::Inconsistent { table: "activation", column: "state", id: activation.id.0 });
    };
    activation.state = state;
    activation.last_seen = now;
    if releasing.by_file {
        activation.offline_releases = activation.offline_releases.once_more(now);
    } else if matches!(by, Actor::Staff { .. } | Actor::Operator) {
        // Staff sets the machine free for good: it may come back through any door.
        activation.unbind();
    }
    conn.save_activation(&activation).await?;
    facts.license.seats_taken = facts.license.seats_taken.saturating_sub(1);
    let entry = NewAudit {
        at: now,
        subject: Subject::license(facts.license.id.0),
        act: "license.released",
        actor: by,
        before: Some(serde_json::json!({ "device": activation.device.id.as_str() })),
        after: Some(serde_json::json!({ "seats_taken": facts.license.seats_taken, "by_file": releasing.by_file })),
    };
    let head = conn.audit(&entry, facts.audit_head.as_deref());
    conn.save_seats(&facts.license, &head).await?;
    facts.audit_head = Some(head);
    facts.known = Some(activation.clone());
    Ok((facts, activation))
}

async fn remember(
    conn: &mut Conn,
    facts: &ActivationFactsRow,
    activation: &Activation,
    signed: &SignedRequest,
    kind: &str,
    body: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    conn.remember(&Answer {
        product: facts.product.id,
        asked_by: signed.thumbprint.clone(),
        request_id: signed.request.id.clone(),
        request_hash: signed.hash.to_vec(),
        activation: activation.id,
        license_revision: facts.license.revision,
        kind: kind.to_owned(),
        body: body.to_owned(),
        made: now,
    })
    .await
}

fn remembered(product: &Product, known: Option<&Activation>, before: &Answer) -> FileAnswer {
    let is_receipt = before.kind == "receipt";
    let extension = if is_receipt { "receipt" } else { "lic" };
    FileAnswer {
        product_name: product.name.clone(),
        device_id: known.map(|known| known.device.id.to_string()).unwrap_or_default(),
        device_name: known.and_then(|known| known.device.name.as_ref().map(ToString::to_string)),
        file_name: known.map_or_else(|| format!("license.{extension}"), |known| files::file_name(product, known, extension)),
        body: before.body.clone(),
        receipt: is_receipt,
        licensespring: false,
    }
}

fn file_answer(product: &Product, activation: &Activation, file_name: String, body: String, receipt: bool) -> FileAnswer {
    FileAnswer {
        product_name: product.name.clone(),
        device_id: activation.device.id.to_string(),
        device_name: activation.device.name.as_ref().map(ToString::to_string),
        file_name,
        body,
        receipt,
        licensespring: false,
    }
}

fn device_of(signed: &SignedRequest) -> Device {
    let device = &signed.request.device;
    Device {
        id: device.id.clone(),
        name: device.name.clone(),
        os: device.os.clone(),
        app: device.app.clone(),
        sdk: device.sdk.clone(),
        virtual_machine: device.vm,
    }
}

/// The version number in what an app calls itself, `Press Designer 4.2.1 for Windows 11`: the first that is written with a dot,
/// else the last number there is.
pub(super) fn named_version(app: Option<&str>) -> Option<VersionNumber> {
    let number = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).trim_start_matches(['v', 'V']);
        let mut parts = word.split('.');
        match (parts.next()?, parts.next()) {
            (major, Some(minor)) => format!("{major}.{minor}").parse().ok(),
            (major, None) => major.parse().ok(),
        }
    };
    let words = || app.unwrap_or_default().split_whitespace();
    words().filter(|word| word.contains('.')).find_map(number).or_else(|| words().rev().find_map(number))
}

impl From<Problem> for ActError {
    fn from(problem: Problem) -> Self {
        Self::Fault(Fault::File(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::named_version;

    #[test]
    fn an_apps_version_is_found_in_its_name() {
        for (app, version) in [
            ("Press Designer 4.2", "4.2"),
            ("Press Designer 4.2.1", "4.2"),
            ("Press 5.0 for Windows 11", "5.0"),
            ("press/v3.1.0-beta (x64)", ""),
            ("Press v3.1.0", "3.1"),
            ("Press 7", "7.0"),
            ("Press", ""),
            ("", ""),
        ] {
            let found = named_version(Some(app)).map(|version| version.to_string()).unwrap_or_default();
            assert_eq!(found, version, "{app}");
        }
        assert_eq!(named_version(None), None);
    }
}
