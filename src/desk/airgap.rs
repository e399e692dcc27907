//! Air-gapped machines: codes go across instead of files (`licensespring-v4.md` §9). An initialization code is given out, the app
//! answers it, and the answer is confirmed; what the license allows stands in the policy file the app was shipped with.

use zeroize::Zeroizing;

use super::{
    ActError, Area, Desk, Fault, Level, Refused, Visitor,
    activate::{Asker, Granted, Named, grant, named},
    answer::give_back,
    refusal::{About, new_reference, refuse},
};
use crate::{
    licensing::{
        ActivationKey, DeviceId, PolicyId, ProductCode, Timestamp,
        activation::{Device, How},
        airgap::{self, AirGapRefusal, CODE_DAYS, CodePurpose, CodeRefusal, CodeUse, OneTimeCode, ShownCode},
        decide::{self, ActivationAsk, ActivationRefusal, ReleaseProof, ReleaseRefusal},
        files::{base64, licensespring::policy_file},
        license::Actor,
        product::Product,
        seal::SealUse,
    },
    store::{ActivationFactsRow, Conn, NewAirGapCode, NewAudit, StoreError, Subject},
    vault::{AirGapSigner, InitializationCode, airgap::made_with},
};

/// An initialization code, as it goes to whoever types it into the app. It is shown once and kept nowhere.
pub struct AirGapCode {
    pub initialization_code: Zeroizing<String>,
    pub key: String,
    pub product: Product,
    pub policy: PolicyId,
    pub expires: Timestamp,
}

/// The codes of a machine: what the app shows, and for which computer id and key.
#[derive(Clone, Debug)]
pub struct AirGapCodes {
    pub key: ActivationKey,
    /// The key letter by letter, where it may have been typed otherwise into the app: the codes cover its letters.
    pub key_as_typed: Option<String>,
    pub product: Option<ProductCode>,
    pub device: Device,
    pub purpose: CodePurpose,
    pub shown: ShownCode,
    pub door: &'static str,
}

/// The portal's answer: what is typed into the app to end with.
#[derive(Clone, Debug)]
pub struct Confirmed {
    pub confirmation_code: String,
    pub policy: PolicyId,
    pub key: String,
    pub device_id: String,
    pub product: Product,
}

/// How an act by key ends inside its transaction.
enum Ended<T> {
    Ok(T),
    Refused(Refused),
    Several(Vec<Product>),
}

impl<T> Ended<T> {
    fn done(self) -> Result<T, ActError> {
        match self {
            Self::Ok(done) => Ok(done),
            Self::Refused(refused) => Err(ActError::Refused(Box::new(refused))),
            Self::Several(products) => Err(ActError::WhichProduct(products)),
        }
    }
}

/// What is decided about codes that were shown: which letters of the key they cover, and under which policy.
struct Settled {
    facts: ActivationFactsRow,
    key: String,
    policy: PolicyId,
}

impl Desk {
    /// Gives out an initialization code: to activate any machine, or to release this one. A release is begun by staff, unless the
    /// product trusts whoever has the key. Refuses where the license is not for air-gapped machines or can't be used, and more codes
    /// at once than a license has use for.
    pub async fn give_out_code(
        &self,
        visitor: Option<&Visitor>,
        key: &ActivationKey,
        product: Option<&ProductCode>,
        release: Option<&DeviceId>,
        door: &'static str,
    ) -> Result<AirGapCode, ActError> {
        if let Some(visitor) = visitor {
            visitor.needs(Area::Licenses, Level::Manage)?;
        }
        let actor = visitor.map_or(Actor::Customer, Visitor::actor);
        let code = InitializationCode::draw()?;
        let (now, reference, by_staff) = (self.now(), new_reference(), visitor.is_some());
        let (key, product, release, point) = (key.clone(), product.cloned(), release.cloned(), code.point.clone());
        let done = self.store.write(move |conn| {
            let (key, product, release, point) = (key.clone(), product.clone(), release.clone(), point.clone());
            let (actor, reference) = (actor.clone(), reference.clone());
            Box::pin(async move {
                let mut about = About {
                    door,
                    product_code: product.as_ref().map(ToString::to_string),
                    key_ends: Some(key.last_group()),
                    device: release.clone(),
                    ..About::default()
                };
                let device = release.clone().unwrap_or_else(no_machine);
                let facts = match named(conn, &key, product.as_ref(), &device).await? {
                    Named::One(facts) => *facts,
                    Named::Several(products) => return Ok(Ended::Several(products)),
                    Named::None(refusal) => return Ok(Ended::Refused(refuse(conn, refusal, &about, &reference, now))),
                };
                about.product(&facts.product);
                about.license = Some(facts.license.id);
                let codes = conn.airgap_codes(facts.license.id).await?;
                let asked = release.as_ref().map(|_| by_staff);
                if let Err(refusal) = may_begin(&facts, asked, &codes, now) {
                    return Ok(Ended::Refused(refuse(conn, refusal, &about, &reference, now)));
                }
                let purpose = if release.is_some() { CodePurpose::Deactivation } else { CodePurpose::Activation };
                let expires = now.plus_days(CODE_DAYS);
                let machine = facts.known.as_ref().filter(|_| release.is_some()).map(|known| known.id);
                let new = NewAirGapCode { license: facts.license.id, purpose, point, by_staff, machine, expires };
                conn.add_airgap_code(&new, now).await?;
                let entry = NewAudit {
                    at: now,
                    subject: Subject::license(facts.license.id.0),
                    act: "license.code_given_out",
                    actor,
                    before: None,
                    after: Some(serde_json::json!({
                        "for": purpose.as_str(), "device": release.as_ref().map(DeviceId::as_str), "expires": expires.to_rfc3339(),
                    })),
                };
                let head = conn.audit(&entry, facts.audit_head.as_deref());
                conn.set_audit_head(facts.license.id, &head).await?;
                Ok(Ended::Ok((facts.product.clone(), policy_of(&facts)?, key.text(), expires)))
            })
        });
        let (product, policy, key, expires) = done.await?.done()?;
        Ok(AirGapCode { initialization_code: code.text, key, product, policy, expires })
    }

    /// Takes what the app shows, activates or releases its machine, and confirms that. The same code again is confirmed again while
    /// what it did is still so. Refuses a code that no initialization code of this license made for this machine, one that came too
    /// late, and whatever stands in the way of an activation or a release.
    pub async fn confirm_code(&self, codes: AirGapCodes) -> Result<Confirmed, ActError> {
        let (now, reference, asked) = (self.now(), new_reference(), codes.clone());
        let done = self.store.write(move |conn| {
            let (codes, reference) = (codes.clone(), reference.clone());
            Box::pin(async move {
                let mut about = About {
                    door: codes.door,
                    product_code: codes.product.as_ref().map(ToString::to_string),
                    key_ends: Some(codes.key.last_group()),
                    device: Some(codes.device.id.clone()),
                    device_name: codes.device.name.clone(),
                    ..About::default()
                };
                let facts = match named(conn, &codes.key, codes.product.as_ref(), &codes.device.id).await? {
                    Named::One(facts) => *facts,
                    Named::Several(products) => return Ok(Ended::Several(products)),
                    Named::None(refusal) => return Ok(Ended::Refused(refuse(conn, refusal, &about, &reference, now))),
                };
                about.product(&facts.product);
                about.license = Some(facts.license.id);
                Ok(match settle(conn, facts, &codes, now).await? {
                    Ok(settled) => Ended::Ok(settled),
                    Err(refusal) => Ended::Refused(refuse(conn, refusal, &about, &reference, now)),
                })
            })
        });
        let Settled { facts, key, policy } = done.await?.done()?;
        let signer = self.airgap_signer().await?;
        let confirmation_code = signer.sign(&airgap::confirmed(&asked.device.id, &key, policy))?;
        Ok(Confirmed { confirmation_code, policy, key, device_id: asked.device.id.to_string(), product: facts.product })
    }

    /// The file of an air-gapped policy, to be shipped with the app. Refuses a policy of another kind.
    pub async fn policy_file(&self, visitor: &Visitor, product: &ProductCode, code: &str) -> Result<String, ActError> {
        visitor.needs(Area::Products, Level::Read)?;
        let view = self.product(product).await?;
        let policy = view.policies.into_iter().find(|policy| policy.code.eq_ignore_ascii_case(code)).ok_or(ActError::NotFound)?;
        if !policy.terms.air_gapped {
            return Err(ActError::field("code", "This policy is not for air-gapped machines: its licenses need no policy file."));
        }
        let (signer, product) = (self.app_signer().await?, view.product);
        let slot = self.vault.rsa_slot().await?;
        let made = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            let rsa = |message: &[u8]| signer.sign(message).map(|text| base64::from_standard(&text).unwrap_or_default());
            policy_file(&policy, &product, &rsa)
        });
        Ok(made.await.map_err(|_| Fault::Kept("the signing task"))??.file)
    }

    /// The P-256 key as it stands in the store.
    async fn airgap_signer(&self) -> Result<AirGapSigner, Fault> {
        let mut conn = self.read().await?;
        let current = conn.signing_key(SealUse::AirGap).await?;
        if let Some(signer) = self.vault.airgap_signer().ok().filter(|signer| current.as_deref() == Some(signer.kid())) {
            return Ok(signer);
        }
        self.vault.reload(&conn.seals().await?)?;
        Ok(self.vault.airgap_signer()?)
    }
}

/// Stands where no machine is named. Whatever has this id is not looked at.
fn no_machine() -> DeviceId {
    DeviceId::parse("-").expect("a dash is an id")
}

/// Whether a code may be given out; `release` says whether staff asks for one to release a machine.
fn may_begin(
    facts: &ActivationFactsRow,
    release: Option<bool>,
    codes: &[OneTimeCode],
    now: Timestamp,
) -> Result<(), AirGapRefusal> {
    if !facts.license.terms.air_gapped {
        return Err(ActivationRefusal::NotAirGapped.into());
    }
    match release {
        None => decide::usable(&facts.product, &facts.license, now)?,
        Some(by_staff) => {
            decide::release(&facts.product, facts.known.as_ref(), &ReleaseProof::AirGap { by_staff }, now)?;
        }
    }
    Ok(airgap::may_give_out(codes, now)?)
}

fn policy_of(facts: &ActivationFactsRow) -> Result<PolicyId, StoreError> {
    facts.license.policy.ok_or_else(|| StoreError::Inconsistent { table: "license", column: "policy_id", id: facts.license.id.0 })
}

/// Finds the initialization code an app's code answers, and does what it was given out for.
async fn settle(
    conn: &mut Conn,
    facts: ActivationFactsRow,
    asked: &AirGapCodes,
    now: Timestamp,
) -> Result<Result<Settled, AirGapRefusal>, StoreError> {
    if !facts.license.terms.air_gapped {
        return Ok(Err(ActivationRefusal::NotAirGapped.into()));
    }
    let policy = policy_of(&facts)?;
    let codes = conn.airgap_codes(facts.license.id).await?;
    let (code, key) = match found(&codes, &facts, asked, now) {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    if code.used.is_some() {
        return Ok(match airgap::again(code, facts.known.as_ref()) {
            Ok(()) => Ok(Settled { facts, key, policy }),
            Err(refusal) => Err(refusal.into()),
        });
    }
    let (facts, activation) = match code.purpose {
        CodePurpose::Activation => {
            let wants = ActivationAsk {
                how: How::AirGapped,
                licensespring_file: false,
                device_key: None,
                virtual_machine: asked.device.virtual_machine,
                keeps_slot: false,
                by_tpm: false,
                version: None,
            };
            match grant(conn, facts, &wants, &asked.device, Asker::default(), now).await? {
                Ok(Granted { facts, activation }) => (facts, activation),
                Err(refusal) => return Ok(Err(refusal.into())),
            }
        }
        CodePurpose::Deactivation => {
            let proof = ReleaseProof::AirGap { by_staff: code.by_staff };
            let releasing = match decide::release(&facts.product, facts.known.as_ref(), &proof, now) {
                Ok(releasing) => releasing,
                Err(refusal) => return Ok(Err(refusal.into())),
            };
            let Some(known) = facts.known.clone() else { return Ok(Err(ReleaseRefusal::NotActivated.into())) };
            give_back(conn, facts, known, releasing, Actor::Customer, now).await?
        }
    };
    let used = CodeUse { activation: activation.id, since: activation.state.since() };
    conn.use_airgap_code(code.id, &used).await?;
    Ok(Ok(Settled { facts, key, policy }))
}

/// The code that was answered, and the letters of the key that the answer covers.
fn found<'c>(
    codes: &'c [OneTimeCode],
    facts: &ActivationFactsRow,
    asked: &AirGapCodes,
    now: Timestamp,
) -> Result<(&'c OneTimeCode, String), CodeRefusal> {
    let machine = facts.known.as_ref().map(|known| known.id);
    let kept = facts.license.key.as_ref().map(ActivationKey::text);
    let mut letters: Vec<String> =
        kept.into_iter().chain(asked.key_as_typed.as_deref().map(|key| key.trim().to_owned())).collect();
    letters.dedup();
    for key in letters {
        let message = airgap::asked(&asked.device.id, &key);
        let by = |code: &OneTimeCode| made_with(&code.point, &message, &asked.shown.0);
        match airgap::answered(codes, asked.purpose, machine, by, now) {
            Err(CodeRefusal::DoesNotFit) => {}
            Ok(code) => return Ok((code, key)),
            Err(refusal) => return Err(refusal),
        }
    }
    Err(CodeRefusal::DoesNotFit)
}
