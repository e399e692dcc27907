//! The main calls of apps (`ValidateLicenseHttp`, `ActivateKey`, §6): is this license good on this computer, and if it has none yet, may it
//! have a seat? A computer that is active is answered from what is read; nothing is written.

use super::{
    QlmCall, QlmRefused, activation_refused,
    again::{Told, may_be_kept},
    check_refused, counted,
    protect::{DAY_SECONDS, about, is_activation, limited, note_once, protected},
};
use crate::{
    desk::{
        Desk, Fault, Refusal,
        activate::{Asker, Granted, grant, known_version},
        settings::qlm::QlmSettings,
    },
    licensing::{
        ActivationKey, DeviceId, DeviceName, Email, ProductId, Timestamp,
        activation::{Activation, Device, How},
        decide::{self, ActivationAsk},
        license::{Actor, LicenseState},
        product::{DeviceDetails, VersionNumber},
        qlm::{
            Args, ErrorCode, Locale,
            document::{self, DocumentFacts, Element},
            key,
            protect::Protection,
        },
    },
    store::{ActivationFactsRow, Conn, NewAudit, StoreError, Subject},
    vault::random_bytes,
};

/// What an app says of one computer, and the name it is kept by there.
pub(super) const COMPUTER_DATA: &str = "is_alog_userdata1";

/// What a call is about.
pub(super) struct Asked {
    pub key: ActivationKey,
    pub on: Computer,
}

/// The computer a call is about, and what of.
#[derive(Clone)]
pub(super) struct Computer {
    pub device: Device,
    /// As it was spelt.
    pub id: String,
    pub product: Option<(i64, u32, u32)>,
    /// The key it shows.
    pub key: Option<String>,
    /// The language it is told in.
    pub locale: Option<Locale>,
    /// What it says of its user, which proves nothing: kept where a license has nothing of the kind, when it takes a seat.
    pub user_data: Option<String>,
    /// The same of the computer.
    pub own_data: Option<String>,
    pub email: Option<Email>,
}

impl Asked {
    fn read(args: &Args) -> Result<Self, QlmRefused> {
        let key = ActivationKey::parse(args.required("is_avkey")?).map_err(|_| unknown_key())?;
        Ok(Self { key, on: Computer::read(args)? })
    }

    /// A license whose key nobody had to show.
    pub fn of(key: ActivationKey, on: Computer) -> Self {
        Self { key, on }
    }
}

impl Computer {
    pub fn read(args: &Args) -> Result<Self, QlmRefused> {
        let computer_id = args.required("is_pcid")?.to_owned();
        let id = DeviceId::parse(&computer_id)
            .map_err(|_| QlmRefused::new(ErrorCode::MissingArgument, "is_pcid has 1 to 256 characters, all of them visible."))?;
        let said =
            |name: &str| args.text(name).filter(|text| !text.chars().any(crate::licensing::text::is_hidden)).map(str::to_owned);
        let device = Device {
            name: said("is_computer_name").and_then(|name| DeviceName::parse(&name).ok()),
            virtual_machine: args.text("is_computertype").and_then(|kind| match kind {
                "1" => Some(false),
                "2" => Some(true),
                _ => None,
            }),
            ..Device::bare(id)
        };
        Ok(Self {
            device,
            id: computer_id,
            product: args.product_if_any()?,
            key: args.text("is_pckey").map(key::plain),
            locale: args.text("is_locale").and_then(Locale::parse),
            user_data: said("is_userdata1").filter(|text| text.chars().count() <= 1_000),
            own_data: said(COMPUTER_DATA).filter(|text| text.chars().count() <= 1_000),
            email: args.text("is_email").and_then(|text| Email::parse(text).ok()),
        })
    }
}

fn unknown_key() -> QlmRefused {
    QlmRefused::new(ErrorCode::LicenseNotFound, "There is no license with this activation key. Compare it with the original.")
}

impl Desk {
    /// Whether a license is good on a computer; one that has no seat takes one, unless the call says `is_activate=false`.
    pub async fn qlm_validate(&self, call: &QlmCall) -> Result<Result<(ProductId, Element), QlmRefused>, Fault> {
        Ok(self.qlm_validate_told(call).await?.map(|told| (told.product, told.element)))
    }

    /// The same, with what of it may be kept for the next time.
    pub(super) async fn qlm_validate_told(&self, call: &QlmCall) -> Result<Result<Told, QlmRefused>, Fault> {
        let activates = match call.args.flag("is_activate") {
            Ok(flag) => flag.unwrap_or(true),
            Err(error) => return Ok(Err(error.into())),
        };
        match Asked::read(&call.args) {
            Ok(asked) => self.qlm_validate_asked(call, asked, activates).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    pub(super) async fn qlm_validate_asked(
        &self,
        call: &QlmCall,
        asked: Asked,
        activates: bool,
    ) -> Result<Result<Told, QlmRefused>, Fault> {
        let settings = self.settings();
        let protect = &settings.qlm.protect;
        if let Err(refused) = self.guesses(call, "key", false).await? {
            return Ok(Err(refused));
        }
        let mut conn = self.read().await?;
        let facts = match find(&mut conn, &asked).await? {
            Ok(facts) => facts,
            Err(refused) => {
                drop(conn);
                if refused.code == ErrorCode::LicenseNotFound {
                    drop(self.guesses(call, "key", true).await?);
                }
                return Ok(Err(refused));
            }
        };
        let holds = facts.known.as_ref().is_some_and(|known| known.state.holds_seat());
        let now = self.now();
        if let Err(refused) = covered(&mut conn, &facts, &asked, settings.qlm.rules.older_versions, now).await? {
            return Ok(Err(refused.of(&facts.product)));
        }
        let virtual_machine =
            asked.on.device.virtual_machine.or(facts.known.as_ref().and_then(|known| known.device.virtual_machine));
        let kept = match &facts.known {
            Some(known) => conn.computer_key(known.id).await?,
            None => None,
        };
        let known_as = facts.known.as_ref().and_then(|known| known.device.name.as_ref());
        let keeps_names = facts.product.rules.device_details != DeviceDetails::Id;
        let renamed = settings.qlm.rules.renames_computers
            && keeps_names
            && asked.on.device.name.as_ref().is_some_and(|name| Some(name) != known_as);
        let counts =
            activates && protect.activation_limits().counts(virtual_machine) && is_activation(holds, &asked.on, kept.as_deref());
        // What speaks for a machine with a key of its own is that key, and these calls show none: the rules refuse them.
        let has_key = facts.known.as_ref().is_some_and(|known| known.device_key.is_some() || known.tpm_key.is_some());
        if (activates && (!holds || renamed)) || (holds && has_key) || counts {
            drop(conn);
            return self.activate_for_qlm(asked, now).await;
        }
        let checked = decide::check(&facts.product, &facts.license, facts.known.as_ref(), facts.blocked, now);
        if let Err(refusal) = checked {
            let refused = check_refused(&refusal, &key_of(&facts)).of(&facts.product);
            if let Some(cause) = &refused.cause {
                drop(conn);
                self.note_refusal(about(&facts, &asked.on), cause.clone()).await?;
            }
            return Ok(Err(refused));
        }
        self.kept.seen.note(facts.known.as_ref(), now);
        drop(conn);
        // A machine that was activated by another door gets its key now.
        let Some(computer_key) = kept else { return self.activate_for_qlm(asked, now).await };
        if asked.on.key.as_ref().is_some_and(|shown| *shown != key::plain(&computer_key)) {
            let refused = protect.requires_computer_key.then(|| protected(Protection::ComputerKey).of(&facts.product));
            let cause = refused.as_ref().and_then(|refused| refused.cause.clone());
            self.note_refusal(about(&facts, &asked.on), cause.unwrap_or(Refusal::Qlm(Protection::IllegalComputer))).await?;
            if let Some(refused) = refused {
                return Ok(Err(refused));
            }
        }
        let (product, element) = self.license_document(&facts, facts.known.as_ref(), &asked, &computer_key, now);
        let of = facts.known.filter(|known| may_be_kept(&facts.license, known)).map(|known| (facts.license, known));
        Ok(Ok(Told { product, element, of, changed: false }))
    }

    async fn activate_for_qlm(&self, asked: Asked, now: Timestamp) -> Result<Result<Told, QlmRefused>, Fault> {
        let (random, settings) = (random_bytes(), self.settings());
        let asked = std::sync::Arc::new(asked);
        let in_act = (asked.clone(), settings.clone());
        let done = self.store.write(move |conn| {
            let (asked, settings) = in_act.clone();
            Box::pin(async move { seat(conn, &asked, &settings.qlm, random, now).await })
        });
        let done = match done.await {
            Err(StoreError::GaveUp(why)) => return day_is_full(why),
            done => done?,
        };
        Ok(done.map(|(facts, activation, key)| {
            let (product, element) = self.license_document(&facts, Some(&activation), &asked, &key, now);
            let of = may_be_kept(&facts.license, &activation).then(|| (facts.license.clone(), activation));
            Told { product, element, of, changed: true }
        }))
    }

    pub(super) fn license_document(
        &self,
        facts: &ActivationFactsRow,
        activation: Option<&Activation>,
        asked: &Asked,
        computer_key: &str,
        now: Timestamp,
    ) -> (ProductId, Element) {
        // Of the customer only a computer is told that shows the key it was given.
        let shows_key = asked.on.key.as_deref() == Some(key::plain(computer_key).as_str());
        let customer = facts.customer.as_ref().filter(|_| shows_key);
        let element = document::license(&DocumentFacts {
            product: &facts.product,
            license: &facts.license,
            activation,
            computer_id: &asked.on.id,
            computer_key,
            company: customer.map(|customer| customer.company.as_str()).unwrap_or_default(),
            full_name: customer.map(|customer| customer.name.as_str()).unwrap_or_default(),
            email: customer.map(|customer| customer.email.as_str()).unwrap_or_default(),
            result: asked.on.locale.map_or("The license is valid.", Locale::valid),
            now,
        });
        (facts.product.id, element)
    }
}

/// As many seats were taken today as the vendor lets be: all that was written is taken back.
#[derive(Debug, thiserror::Error)]
#[error("no more activations today")]
pub(super) struct DayIsFull(ProductId);

/// What is told then.
pub(super) fn day_is_full<T>(why: Box<dyn std::error::Error + Send + Sync>) -> Result<Result<T, QlmRefused>, Fault> {
    match why.downcast_ref::<DayIsFull>() {
        Some(DayIsFull(product)) => Ok(Err(QlmRefused { product: Some(*product), ..protected(Protection::Day) })),
        None => Err(StoreError::GaveUp(why).into()),
    }
}

/// What a seat comes with: the key the computer is called by.
type Seated = (ActivationFactsRow, Activation, String);

/// A seat for the computer that is asked about. What stands in the way is kept, for the vendor to read.
pub(super) async fn seat(
    conn: &mut Conn,
    asked: &Asked,
    settings: &QlmSettings,
    random: [u8; 16],
    now: Timestamp,
) -> Result<Result<Seated, QlmRefused>, StoreError> {
    let facts = match find(conn, asked).await? {
        Ok(facts) => facts,
        Err(refused) => return Ok(Err(refused)),
    };
    let (product, about) = (facts.product.clone(), about(&facts, &asked.on));
    let shown = asked.on.key.clone();
    let seated = seat_in(conn, facts, asked, settings, random, now).await?.map_err(|refused| refused.of(&product));
    let cause = match &seated {
        Err(refused) => refused.cause.clone(),
        Ok((.., key)) => shown.filter(|shown| *shown != key::plain(key)).map(|_| Refusal::Qlm(Protection::IllegalComputer)),
    };
    if let Some(cause) = cause {
        note_once(conn, &about, cause, now).await?;
    }
    Ok(seated)
}

async fn seat_in(
    conn: &mut Conn,
    facts: ActivationFactsRow,
    asked: &Asked,
    settings: &QlmSettings,
    random: [u8; 16],
    now: Timestamp,
) -> Result<Result<Seated, QlmRefused>, StoreError> {
    let QlmSettings { protect, rules, .. } = settings;
    if let Err(refused) = covered(conn, &facts, asked, rules.older_versions, now).await? {
        return Ok(Err(refused));
    }
    if let Err(refusal) = limited(conn, &facts, asked, protect).await? {
        return Ok(Err(protected(refusal)));
    }
    let named = asked.on.product.map(|(_, major, minor)| VersionNumber { major, minor });
    let wants = ActivationAsk {
        how: How::Online,
        licensespring_file: false,
        device_key: None,
        virtual_machine: asked.on.device.virtual_machine,
        keeps_slot: true,
        by_tpm: false,
        version: known_version(conn, &facts, named).await?,
    };
    let held = facts.known.as_ref().is_some_and(|known| known.state.holds_seat());
    let kept = match &facts.known {
        Some(known) => conn.computer_key(known.id).await?,
        None => None,
    };
    let again = facts.known.is_some() && is_activation(held, &asked.on, kept.as_deref());
    let model = document::model(&facts.license, &facts.license.terms.qlm.clone().unwrap_or_default());
    let key_text = key_of(&facts);
    // Only where nobody is known: whoever has the key must not have what is written about it sent elsewhere.
    let has_contact = facts.known.as_ref().is_some_and(|known| known.contact.is_some());
    let contact = asked.on.email.as_ref().filter(|_| !has_contact).map(Email::as_str);
    let is_another = |kept: &String| asked.on.key.as_ref().is_some_and(|shown| *shown != key::plain(kept));
    if held && protect.requires_computer_key && kept.as_ref().is_some_and(is_another) {
        return Ok(Err(protected(Protection::ComputerKey)));
    }
    let mut device = asked.on.device.clone();
    // It keeps the name it was activated under.
    if !rules.renames_computers && facts.known.as_ref().is_some_and(|known| known.device.name.is_some()) {
        device.name = None;
    }
    match grant(conn, facts, &wants, &device, Asker { contact, ..Asker::default() }, now).await? {
        Ok(Granted { mut facts, activation }) => {
            if !held {
                keep_user_data(conn, &mut facts, asked.on.user_data.as_deref(), now).await?;
                if let Some(data) = asked.on.own_data.as_ref().filter(|_| facts.product.rules.device_details != DeviceDetails::Id)
                {
                    conn.set_variables(activation.id, &[(COMPUTER_DATA.to_owned(), data.clone())], now).await?;
                }
                if let Some(email) = asked.on.email.as_ref().filter(|_| rules.creates_customers) {
                    keep_customer(conn, &mut facts, email, now).await?;
                }
            }
            if let (false, Some(most)) = (held, protect.activations.per_day)
                && conn.count_try(&counted("activations", "all"), DAY_SECONDS, now).await? > i64::from(most)
            {
                return Err(StoreError::gave_up(DayIsFull(facts.product.id)));
            }
            if again {
                conn.count_activation(activation.id).await?;
            }
            let key = kept.filter(|_| held).unwrap_or_else(|| key::from_random(key::computer_letter(model), random));
            conn.set_computer_key(activation.id, Some(&key)).await?;
            Ok(Ok((facts, activation, key)))
        }
        Err(refusal) => Ok(Err(activation_refused(&refusal, &key_text))),
    }
}

/// Keeps what an app says of its user with a license that has nothing of the kind.
async fn keep_user_data(
    conn: &mut Conn,
    facts: &mut ActivationFactsRow,
    said: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(qlm) = facts.license.terms.qlm.as_mut().filter(|qlm| qlm.user_data.is_empty()) else { return Ok(()) };
    let Some(said) = said else { return Ok(()) };
    said.clone_into(&mut qlm.user_data);
    let entry = NewAudit {
        at: now,
        subject: Subject::license(facts.license.id.0),
        act: "license.edited",
        actor: Actor::Customer,
        before: Some(serde_json::json!({ "user_data": "" })),
        after: Some(serde_json::json!({ "user_data": said })),
    };
    let head = conn.audit(&entry, facts.audit_head.as_deref());
    conn.save_license(&facts.license, Some(&head)).await?;
    facts.audit_head = Some(head);
    Ok(())
}

/// Makes the address an app says the customer of a license that has none. Not one that is known: what is known of them would be told to
/// whoever says their address.
async fn keep_customer(conn: &mut Conn, facts: &mut ActivationFactsRow, email: &Email, now: Timestamp) -> Result<(), StoreError> {
    if facts.license.customer.is_some() || conn.customer_by_email(email).await?.is_some() {
        return Ok(());
    }
    let customer = conn.customer_for(email, "", "", now).await?;
    let entry = NewAudit {
        at: now,
        subject: Subject::license(facts.license.id.0),
        act: "license.customer_set",
        actor: Actor::Customer,
        before: Some(serde_json::json!({ "customer": null })),
        after: Some(serde_json::json!({ "customer": customer.0 })),
    };
    let head = conn.audit(&entry, facts.audit_head.as_deref());
    facts.license.customer = Some(customer);
    conn.save_license(&facts.license, Some(&head)).await?;
    facts.customer = conn.customer(customer).await?;
    facts.audit_head = Some(head);
    Ok(())
}

/// The key as it is kept. Not as a call spelt it: what is refused is signed, and each spelling would be a signature of its own.
fn key_of(facts: &ActivationFactsRow) -> String {
    facts.license.key.as_ref().map(ActivationKey::text).unwrap_or_default()
}

/// The license a call names.
async fn find(conn: &mut Conn, asked: &Asked) -> Result<Result<ActivationFactsRow, QlmRefused>, StoreError> {
    let mut found = conn.facts_with_key(&asked.key.folded(), &asked.on.device.id).await?;
    if let Some((number, ..)) = asked.on.product {
        let is_known = !found.is_empty();
        found.retain(|facts| facts.product.number == Some(number));
        if found.is_empty() && is_known {
            let refused = QlmRefused::new(ErrorCode::OtherProduct, "This activation key belongs to another product.");
            // The app has the public key of the product it names.
            let named = conn.product_numbered(number).await?;
            return Ok(Err(match named {
                Some(product) => refused.of(&product),
                None => refused,
            }));
        }
    }
    if found.len() > 1 {
        let message =
            "Several products have a license with this key. Say which: is_productid, is_majorversion and is_minorversion.";
        return Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, message)));
    }
    Ok(found.pop().ok_or_else(unknown_key))
}

/// Whether a license covers the version a call names: its own, or one that came out within its maintenance.
async fn covered(
    conn: &mut Conn,
    facts: &ActivationFactsRow,
    asked: &Asked,
    older_too: bool,
    now: Timestamp,
) -> Result<Result<(), QlmRefused>, StoreError> {
    let Some((_, major, minor)) = asked.on.product else { return Ok(Ok(())) };
    // That a license was revoked is told first, whichever version asks.
    if !matches!(facts.license.state, LicenseState::Enabled) {
        return Ok(Ok(()));
    }
    // A license that was made by other means is for no version of its own, whatever these methods have set on it since.
    let Some(qlm) = facts.license.terms.qlm.as_ref().filter(|qlm| (qlm.major, qlm.minor) != (0, 0)) else {
        // The rule of every other door: what its maintenance covers.
        let version = known_version(conn, facts, Some(VersionNumber { major, minor })).await?;
        let covers = |version| facts.license.terms.maintenance.covers(&version, facts.license.first_activated);
        let refused = || QlmRefused::new(ErrorCode::OtherVersion, "The maintenance of this license does not cover this version.");
        return Ok(if version.is_none_or(covers) { Ok(()) } else { Err(refused()) });
    };
    if (major, minor) == (qlm.major, qlm.minor) {
        return Ok(Ok(()));
    }
    let (own, wanted) = (VersionNumber { major: qlm.major, minor: qlm.minor }, VersionNumber { major, minor });
    if older_too && wanted < own {
        return Ok(Ok(()));
    }
    let refused = QlmRefused::new(
        ErrorCode::OtherVersion,
        format!("This activation key is for version {}.{}, not for another.", qlm.major, qlm.minor),
    );
    // A plan that begins with the first activation begins now.
    let since = facts.license.first_activated.or(Some(now));
    let Some(until) = facts.license.terms.maintenance.instant(since) else { return Ok(Err(refused)) };
    let releases = conn.releases(facts.product.id).await?;
    let came_out = releases.iter().map(|release| release.version).filter(|version| version.number() == wanted);
    let newer = wanted > own;
    let within = came_out.map(|version| version.released).min().is_some_and(|released| released < until);
    Ok(if newer && within { Ok(()) } else { Err(refused) })
}
