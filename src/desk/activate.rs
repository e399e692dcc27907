//! Activation by the form: an activation key and a computer id become a computer key.

use super::{
    ActError, Desk, Refused,
    files::{self, license_file, promise},
    pages::ActivationPage,
    refusal::{About, Refusal, new_reference, refuse},
};
use crate::{
    licensing::{
        ActivationId, ActivationKey, DeviceId, Email, ProductCode, Timestamp,
        activation::{Activation, ActivationState, Device, DeviceKey, How},
        decide::{self, ActivationAsk, ActivationFacts, ActivationRefusal, Grant, Holder, UserSeats},
        files::Signer,
        floating::{Hold, InUse},
        license::Actor,
        product::{DeviceDetails, Product, Version, VersionNumber},
        tpm::TpmKey,
    },
    store::{ActivationFactsRow, Conn, NewAudit, ResultPage, StoreError, Subject},
    vault::{Purpose, Token},
};

/// How many holders a refusal names.
pub(in crate::desk) const HOLDERS_NAMED: i64 = 20;
const PAGE_DAYS: i64 = 30;

/// What the form asks.
#[derive(Clone, Debug)]
pub struct OnlineActivation {
    pub key: ActivationKey,
    /// Needed only where several products have the key.
    pub product: Option<ProductCode>,
    pub device: Device,
    pub email: Option<Email>,
    pub version: Option<VersionNumber>,
    /// The form's hidden id: the same form sent twice ends on the same page.
    pub request_id: String,
    pub door: &'static str,
}

/// Where the answer is.
#[derive(Clone, Debug)]
pub struct Activated {
    /// Opens `/activations/{token}`.
    pub token: Token,
}

/// What happened inside the transaction.
pub(super) enum Outcome {
    Page { promised: Option<crate::licensing::seal::Seal>, signed_by: Option<crate::vault::LicenseSigner> },
    Refused(Refused),
    Several(Vec<Product>),
}

impl Desk {
    /// Activates a device online. Refuses with what stands in the way; a device that holds a seat already gets its key again.
    pub async fn activate_online(&self, ask: OnlineActivation) -> Result<Activated, ActError> {
        let now = self.now();
        let device_id = ask.device.id.as_str();
        let seed = [ask.request_id.as_str(), &ask.key.folded(), device_id].join("\n");
        let token = self.vault.token_key(Purpose::ACTIVATION_TOKEN).token_for(seed.as_bytes());
        let token_hash = token.hash().0.to_vec();
        let reference = new_reference();
        let desk = self.clone();
        let outcome = self
            .store
            .write(move |conn| {
                let (desk, ask, token_hash, reference) = (desk.clone(), ask.clone(), token_hash.clone(), reference.clone());
                Box::pin(async move { desk.activate_in(conn, &ask, token_hash, &reference, now).await })
            })
            .await?;
        self.activated(outcome, token)
    }

    /// What an act came to, once it is committed.
    pub(super) fn activated(&self, outcome: Outcome, token: Token) -> Result<Activated, ActError> {
        match outcome {
            Outcome::Page { promised, signed_by } => {
                if let (Some(seal), Some(signer)) = (promised, signed_by) {
                    signer.recorded(&seal);
                }
                Ok(Activated { token })
            }
            Outcome::Refused(refused) => Err(ActError::Refused(Box::new(refused))),
            Outcome::Several(products) => Err(ActError::WhichProduct(products)),
        }
    }

    pub(super) async fn activate_in(
        &self,
        conn: &mut Conn,
        ask: &OnlineActivation,
        token_hash: Vec<u8>,
        reference: &str,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let mut about = About {
            door: ask.door,
            product_code: ask.product.as_ref().map(ToString::to_string),
            key_ends: Some(ask.key.last_group()),
            device: Some(ask.device.id.clone()),
            device_name: ask.device.name.clone(),
            ..About::default()
        };
        let facts = match named(conn, &ask.key, ask.product.as_ref(), &ask.device.id).await? {
            Named::One(facts) => *facts,
            Named::Several(products) => return Ok(Outcome::Several(products)),
            Named::None(refusal) => return Ok(Outcome::Refused(refuse(conn, refusal, &about, reference, now))),
        };
        about.product(&facts.product);
        about.license = Some(facts.license.id);
        // The same form again ends on the same page, while what it shows is true.
        if let Some(ActivationState::Active { since }) = facts.known.as_ref().map(|known| &known.state)
            && conn.page(&token_hash, now).await?.is_some_and(|before| *since <= before.created)
        {
            return Ok(Outcome::Page { promised: None, signed_by: None });
        }

        let version = known_version(conn, &facts, ask.version).await?;
        let wants = ActivationAsk {
            how: How::Online,
            licensespring_file: false,
            device_key: None,
            virtual_machine: ask.device.virtual_machine,
            keeps_slot: true,
            by_tpm: false,
            version,
        };
        let signer = self.signer(conn, &facts).await?;
        let contact = ask.email.as_ref().map(Email::as_str);
        let by = Asker { file_keys: Some(signer.kid()), contact, ..Asker::default() };
        let granted = grant(conn, facts, &wants, &ask.device, by, now).await?;
        let Granted { facts, activation } = match granted {
            Ok(granted) => granted,
            Err(refusal) => return Ok(Outcome::Refused(refuse(conn, Refusal::from(refusal), &about, reference, now))),
        };
        let file = license_file(self, &facts.product, &facts.license, &activation, None, now);
        let body = file.sign(&signer).map_err(StoreError::gave_up)?;
        let promised = promise(conn, &signer, file.expires).await?;
        let page = ActivationPage {
            license: facts.license.id,
            product_name: facts.product.name.clone(),
            product_code: facts.product.code.to_string(),
            key_ends: facts.license.key.as_ref().map(ActivationKey::last_group),
            device_id: activation.device.id.to_string(),
            device_name: activation.device.name.as_ref().map(ToString::to_string),
            valid_until: facts.license.valid_until(),
            maintenance_until: facts.license.terms.maintenance.instant(facts.license.first_activated),
            seats_taken: facts.license.seats_taken,
            seats: facts.license.terms.seats.most(),
            made: now,
            file_name: files::file_name(&facts.product, &activation, "lic"),
            computer_key: body,
        };
        conn.keep_page(ResultPage {
            token_hash,
            kind: "activation".to_owned(),
            content: serde_json::to_string(&page).expect("pages are plain data"),
            created: now,
            expires: now.plus_days(PAGE_DAYS),
        });
        Ok(Outcome::Page { promised, signed_by: Some(signer) })
    }
}

/// What a key names.
pub(super) enum Named {
    One(Box<ActivationFactsRow>),
    Several(Vec<Product>),
    None(ActivationRefusal),
}

/// The license a key names: of the product that is said, or the only one.
pub(super) async fn named(
    conn: &mut Conn,
    key: &ActivationKey,
    product: Option<&ProductCode>,
    device: &DeviceId,
) -> Result<Named, StoreError> {
    let mut found = conn.facts_with_key(&key.folded(), device).await?;
    let elsewhere = !found.is_empty();
    found.retain(|facts| product.is_none_or(|code| facts.product.code == *code));
    if found.len() > 1 {
        return Ok(Named::Several(found.into_iter().map(|facts| facts.product).collect()));
    }
    let missing = if elsewhere { ActivationRefusal::WrongProduct } else { ActivationRefusal::UnknownKey };
    Ok(found.pop().map_or(Named::None(missing), |facts| Named::One(Box::new(facts))))
}

/// What a grant leaves behind: the facts and the activation as they are now.
pub(super) struct Granted {
    pub facts: ActivationFactsRow,
    pub activation: Activation,
}

/// The version an app names, where the license's maintenance makes it matter and the product knows it.
pub(super) async fn known_version(
    conn: &mut Conn,
    facts: &ActivationFactsRow,
    named: Option<VersionNumber>,
) -> Result<Option<Version>, StoreError> {
    let Some(named) = named.filter(|_| facts.license.terms.maintenance.instant(facts.license.first_activated).is_some()) else {
        return Ok(None);
    };
    let releases = conn.releases(facts.product.id).await?;
    let same = |version: &Version| version.major == named.major && version.minor == named.minor;
    // Of several channels the first to come out counts.
    Ok(releases.iter().map(|release| release.version).filter(same).min_by_key(|version| version.released))
}

/// Who asks for a seat through which door, and whose signature will be under the answer.
#[derive(Clone, Copy, Default)]
pub(super) struct Asker<'a> {
    /// The named user the seat will belong to.
    pub user: Option<&'a str>,
    /// The LicenseSpring API key the app shows.
    pub api_key: Option<&'a str>,
    /// The key in the machine's TPM, which signed what is asked.
    pub tpm_key: Option<&'a TpmKey>,
    /// The key that will sign the file, where one is made in this act.
    pub file_keys: Option<&'a str>,
    /// An address for asking back, which proves nothing.
    pub contact: Option<&'a str>,
}

/// The one way a seat is taken: asks `licensing`, and saves what it grants.
pub(super) async fn grant(
    conn: &mut Conn,
    mut facts: ActivationFactsRow,
    ask: &ActivationAsk<'_>,
    device: &Device,
    asker: Asker<'_>,
    now: Timestamp,
) -> Result<Result<Granted, ActivationRefusal>, StoreError> {
    let holds = facts.known.as_ref().is_some_and(|known| known.state.holds_seat());
    let full = !facts.license.terms.seats.allows_one_more(facts.license.seats_taken);
    let holders: Vec<Holder> = if full && !holds { conn.holders(facts.license.id, HOLDERS_NAMED).await? } else { Vec::new() };
    let slots = match facts.license.terms.floating.filter(|_| ask.keeps_slot) {
        Some(_) => conn.slots_in_use(facts.license.id, None, facts.known.as_ref().map(|known| known.id), now).await?,
        None => InUse::default(),
    };
    let user = match asker.user {
        // A machine that is this user's stays so.
        Some(user) if !(holds && facts.known.as_ref().is_some_and(|known| known.user.as_deref() == Some(user))) => {
            let seats = conn.user_seats(facts.license.id, user, &device.id).await?;
            seats.and_then(|(most, taken)| Some(UserSeats { most: most?, taken }))
        }
        _ => None,
    };
    let asked = ActivationFacts {
        product: &facts.product,
        license: &facts.license,
        known: facts.known.as_ref(),
        vacated: facts.vacated,
        vacated_seats: facts.vacated_seats,
        blocked: facts.blocked,
        slots,
        holders: &holders,
        user,
    };
    let grant = match decide::activate(&asked, ask, now) {
        Ok(grant) => grant,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let device = kept_details(&facts.product, device);
    if grant.takes_seat {
        facts.license.seats_taken += 1;
        facts.license.first_activated.get_or_insert(now);
    }
    if grant.transfer_of.is_some() {
        facts.license.transfers_used += 1;
    }
    let activation = match facts.known.take() {
        Some(known) => {
            let moves = asker.user.is_some_and(|user| known.user.as_deref() != Some(user));
            let activation = again(conn, known, &grant, ask, device, asker, now).await?;
            if grant.takes_seat || grant.rebind || moves {
                let head = record(conn, &facts, &activation, &grant, now);
                conn.save_seats(&facts.license, &head).await?;
                facts.audit_head = Some(head);
            }
            activation
        }
        None => {
            let mut activation = Activation {
                device_key: ask.device_key.cloned(),
                user: asker.user.map(str::to_owned),
                api_key: asker.api_key.map(str::to_owned),
                file_keys: asker.file_keys.map(str::to_owned),
                tpm_key: asker.tpm_key.cloned(),
                contact: asker.contact.map(str::to_owned),
                ..Activation::new(facts.license.id, device, ask.how, now)
            };
            let head = record(conn, &facts, &activation, &grant, now);
            activation.id = conn.take_seat(&activation, &facts.license, &head).await?;
            facts.audit_head = Some(head);
            activation
        }
    };
    if grant.keeps_slot {
        conn.take_slot(facts.license.id, None, activation.id, Hold::Kept, now).await?;
    }
    if let Some(vacated) = grant.transfer_of {
        conn.replace_activation(vacated, activation.id).await?;
    }
    Ok(Ok(Granted { facts, activation }))
}

async fn again(
    conn: &mut Conn,
    mut known: Activation,
    grant: &Grant,
    ask: &ActivationAsk<'_>,
    device: Device,
    asker: Asker<'_>,
    now: Timestamp,
) -> Result<Activation, StoreError> {
    known.last_seen = now;
    if device.name.is_some() {
        known.device.name = device.name;
    }
    known.device.os = device.os.or(known.device.os);
    known.device.app = device.app.or(known.device.app);
    known.device.sdk = device.sdk.or(known.device.sdk);
    known.device.virtual_machine = device.virtual_machine.or(known.device.virtual_machine);
    if grant.takes_seat {
        known.state = ActivationState::Active { since: now };
        known.how = ask.how;
        known.user = asker.user.map(str::to_owned);
        known.api_key = asker.api_key.map(str::to_owned);
    }
    // A machine is whose password it was shown last.
    if let Some(user) = asker.user {
        known.user = Some(user.to_owned());
    }
    if let Some(key) = asker.tpm_key {
        known.tpm_key = Some(key.clone());
    }
    if let Some(keys) = asker.file_keys {
        known.file_keys = Some(keys.to_owned());
    }
    if let Some(contact) = asker.contact {
        known.contact = Some(contact.to_owned());
    }
    if grant.rebind {
        known.rebind(now);
    }
    if let Some(key) = ask.device_key {
        known.device_key = Some(DeviceKey(key.0.clone()));
    }
    conn.save_activation(&known).await?;
    Ok(known)
}

/// Writes the entry and returns the chain's new head.
fn record(conn: &mut Conn, facts: &ActivationFactsRow, activation: &Activation, grant: &Grant, now: Timestamp) -> Vec<u8> {
    let entry = NewAudit {
        at: now,
        subject: Subject::license(facts.license.id.0),
        act: match grant {
            Grant { takes_seat: true, .. } => "license.activated",
            Grant { rebind: true, .. } => "license.rebound",
            _ => "license.user_changed",
        },
        actor: Actor::Customer,
        before: None,
        after: Some(serde_json::json!({
            "device": activation.device.id.as_str(),
            "name": activation.device.name.as_ref().map(|name| name.as_str()),
            "how": activation.how.as_str(),
            "user": activation.user,
            "rebound": grant.rebind,
            "device_key": activation.device_key.as_ref().map(|key| key.0.as_str()),
            "seats_taken": facts.license.seats_taken,
            "transfer_of": grant.transfer_of.map(|ActivationId(id)| id),
        })),
    };
    conn.audit(&entry, facts.audit_head.as_deref())
}

/// As much of a device's self-description as the product keeps.
fn kept_details(product: &Product, device: &Device) -> Device {
    match product.rules.device_details {
        DeviceDetails::Id => Device::bare(device.id.clone()),
        DeviceDetails::Names => Device { name: device.name.clone(), ..Device::bare(device.id.clone()) },
        DeviceDetails::All => device.clone(),
    }
}
