//! Activation without a key: a code goes to the address of a license's customer, and whoever shows it activates a computer. Nobody is told
//! whether an address is known: asking for a code is answered alike whatever comes of it, and so is every code that does not count.

use sha2::{Digest, Sha256};

use super::{
    ActError, Activated, Desk, Fault, OnlineActivation, activate::Outcome, licenses::change_in, messages::Outgoing,
    qlm::own_terms, refusal::new_reference,
};
use crate::{
    licensing::{
        Email, LicenseId, ProductCode, ProductId, Timestamp,
        activation::Device,
        authorization_code::{self, AuthorizationCode, NoLicense},
        files::base64,
        license::{Actor, License},
        product::{Product, ProductState},
        qlm::{Property, PropertyDefinition},
        template,
    },
    store::{Conn, NewMessage, StoreError},
    vault::{Purpose, random_bytes},
};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Codes that one address may be sent, in an hour and in a day.
const SENT_HOUR: i64 = 3;
const SENT_DAY: i64 = 10;

/// Codes that may be asked for from one network address in an hour.
const ASKED_HOUR: i64 = 20;

/// Wrong codes: for one address in a day, from one network address within ten minutes.
const WRONG_DAY: i64 = 20;
const WRONG_FROM: i64 = 10;
const WRONG_FROM_SECONDS: i64 = 600;

/// Asked again so soon, in seconds, the code that is on its way is meant.
const ON_ITS_WAY: i64 = 60;

/// As many licenses of a customer as are looked at.
const LOOKED_AT: i64 = 500;

/// A code that is asked for.
#[derive(Clone)]
pub struct CodeAsk {
    pub email: Email,
    pub product: ProductCode,
    /// The computer it is for, by its id or its name.
    pub computer: Option<String>,
    /// What its app asks to set by itself, of what it may.
    pub properties: Vec<Property>,
    /// What stands for the network address it is asked from.
    pub from: Option<String>,
}

/// A code that is shown.
#[derive(Clone)]
pub struct CodeShown {
    /// None: whoever a code was sent to for this computer.
    pub email: Option<Email>,
    pub product: ProductCode,
    pub device: Device,
    /// As it was typed.
    pub code: String,
    pub from: Option<String>,
}

/// Why a code was not sent, or does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRefusal {
    /// No such product, or it is not sold.
    NoProduct,
    /// Too much of it from there, or for this address.
    TooOften { wait_minutes: i64 },
    /// Whichever it is: wrong, over, for another computer, never sent.
    Wrong,
    /// The code was right, and there is no license to be had by it any more.
    NoLicense(NoLicense),
}

/// Who showed a code, and the license it opens.
pub(super) struct Proved {
    pub email: Email,
    pub license: License,
    properties: Vec<Property>,
    /// Those of its product.
    definitions: Vec<PropertyDefinition>,
}

impl Proved {
    /// Sets what the app asked for with the code that was proved; the license with it.
    pub async fn set_properties(&self, conn: &mut Conn, now: Timestamp) -> Result<Option<License>, StoreError> {
        if self.properties.is_empty() {
            return Ok(None);
        }
        let set = |license: &mut License| {
            let qlm = own_terms(license);
            for property in &self.properties {
                property.clone().set_on(&mut qlm.properties, &self.definitions);
            }
            Ok(())
        };
        // One whose terms never change keeps them.
        change_in(conn, self.license.id, "license.edited", &Actor::Customer, &set, now).await?;
        Ok(conn.license(self.license.id).await?.map(|(license, ..)| license))
    }
}

fn counted(what: &str, whose: &str) -> String {
    format!("code-{what}:{}", base64::url(&Sha256::digest(whose)))
}

impl Desk {
    fn code_mark(&self, email: &str, product: ProductId, digits: &str) -> Vec<u8> {
        let text = format!("{email}\n{}\n{digits}", product.0);
        self.vault.token_key(Purpose::AUTHORIZATION_CODE).token_for(text.as_bytes()).hash().0.to_vec()
    }

    /// Sends a code to an address, if a license of it can be had by one. Refuses what is asked too often.
    pub async fn request_code(&self, ask: CodeAsk) -> Result<Result<(), CodeRefusal>, Fault> {
        let product = self.read().await?.product(&ask.product).await?.filter(|product| product.state == ProductState::Enabled);
        let Some(product) = product else { return Ok(Err(CodeRefusal::NoProduct)) };
        let now = self.now();
        let digits = authorization_code::digits(random_bytes());
        let letters = std::sync::Arc::new(self.code_letters(&ask.email, &product, &digits).await?);
        let mark = self.code_mark(&ask.email.folded(), product.id, &digits);
        let code = AuthorizationCode {
            computer: ask.computer.as_deref().unwrap_or_default().to_lowercase(),
            // A code for any computer is for whoever asked last, who need not be whoever gets it.
            properties: match &ask.computer {
                Some(_) => PropertyDefinition::of_client(&product.rules.properties, ask.properties.clone()),
                None => Vec::new(),
            },
            tries: 0,
            made: now,
            expires: now.plus_seconds(60 * self.settings().mail.code_minutes),
        };
        let (desk, product, ask) = (self.clone(), std::sync::Arc::new(product), std::sync::Arc::new(ask));
        let done = self.store.write(move |conn| {
            let (desk, product, ask, letters) = (desk.clone(), product.clone(), ask.clone(), letters.clone());
            let (code, mark) = (code.clone(), mark.clone());
            Box::pin(async move { desk.request_in(conn, &ask, &product, (&code, &mark), &letters, now).await })
        });
        let done = done.await?;
        self.message_waits();
        Ok(done)
    }

    async fn request_in(
        &self,
        conn: &mut Conn,
        ask: &CodeAsk,
        product: &Product,
        (code, mark): (&AuthorizationCode, &[u8]),
        letters: &CodeLetters,
        now: Timestamp,
    ) -> Result<Result<(), CodeRefusal>, StoreError> {
        if let Some(from) = &ask.from
            && conn.count_try(&counted("asked", from), HOUR, now).await? > ASKED_HOUR
        {
            return Ok(Err(CodeRefusal::TooOften { wait_minutes: 60 }));
        }
        // Two clicks are one: the mail that comes first would not count any more. Counted for every address, known or not.
        let way = [ask.email.folded(), product.id.to_string(), code.computer.clone()].join("\n");
        if conn.count_try(&counted("way", &way), ON_ITS_WAY, now).await? > 1 {
            return Ok(Ok(()));
        }
        let whose = ask.email.folded();
        let hour = conn.count_try(&counted("hour", &whose), HOUR, now).await?;
        let day = conn.count_try(&counted("day", &whose), DAY, now).await?;
        if hour > SENT_HOUR || day > SENT_DAY {
            return Ok(Err(CodeRefusal::TooOften { wait_minutes: if day > SENT_DAY { 24 * 60 } else { 60 } }));
        }
        let Some(customer) = conn.customer_by_email(&ask.email).await? else { return Ok(Ok(())) };
        // To the address as it is kept: what was typed may fold to it and be another mailbox.
        let to = |letter: &NewMessage| NewMessage { recipient: customer.email.to_string(), ..letter.clone() };
        match self.license_of(conn, &ask.email, product, ask.computer.as_deref(), ask.computer.as_deref(), now).await? {
            Ok(_) => {
                conn.keep_code(&ask.email, product.id, code, mark).await?;
                conn.add_message(&to(&letters.code), now).await?;
                if let (Some(phone), true) = (crate::licensing::phone(&customer.phone), self.settings().mail.sends_sms()) {
                    conn.add_message(&NewMessage { recipient: phone, ..letters.short.clone() }, now).await?;
                }
            }
            // Who reads this mail is the customer, who may know.
            Err(NoLicense::Over) => conn.add_message(&to(&letters.over), now).await?,
            Err(NoLicense::Full) => conn.add_message(&to(&letters.full), now).await?,
            Err(NoLicense::None) => {}
        }
        Ok(Ok(()))
    }

    async fn license_of(
        &self,
        conn: &mut Conn,
        email: &Email,
        product: &Product,
        computer: Option<&str>,
        named: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<License, NoLicense>, StoreError> {
        let Some(customer) = conn.customer_by_email(email).await? else { return Ok(Err(NoLicense::None)) };
        let mut licenses = conn.licenses_of_customer(product.id, customer.id, LOOKED_AT).await?;
        // What has no key is a user's, who has a password.
        licenses.retain(|license| license.key.is_some());
        let held: Vec<LicenseId> = match computer.and_then(|text| crate::licensing::DeviceId::parse(text).ok()) {
            Some(device) => {
                let activations = conn.activations_of_device(&device, LOOKED_AT).await?;
                activations.into_iter().filter(|one| one.state.holds_seat()).map(|one| one.license).collect()
            }
            None => Vec::new(),
        };
        let all = licenses.len();
        // Without a computer's name, which anybody can leave out, a code is for licenses that are on computers already: on one of them it was
        // asked for.
        if named.is_none() {
            let mut known = Vec::with_capacity(all);
            for license in licenses {
                if !conn.activations(license.id, 1).await?.is_empty() {
                    known.push(license);
                }
            }
            licenses = known;
        }
        let chosen = authorization_code::license_for(product, &licenses, |id| held.contains(&id), now);
        // What is said of some is not said where there are others.
        let chosen = if licenses.len() < all { chosen.map_err(|_| NoLicense::None) } else { chosen };
        Ok(chosen.and_then(|id| licenses.into_iter().find(|license| license.id == id).ok_or(NoLicense::None)))
    }

    /// Whether a code counts, and for which license. A wrong one is counted, so the caller commits whatever comes of it.
    pub(super) async fn prove_code(
        &self,
        conn: &mut Conn,
        shown: &CodeShown,
        product: &Product,
        now: Timestamp,
    ) -> Result<Result<Proved, CodeRefusal>, StoreError> {
        let id = shown.device.id.as_str();
        let name = shown.device.name.as_ref().map(|name| name.as_str());
        if let Some(from) = &shown.from
            && conn.tries(&counted("wrong", from), WRONG_FROM_SECONDS, now).await? >= WRONG_FROM
        {
            return Ok(Err(CodeRefusal::TooOften { wait_minutes: 10 }));
        }
        let mut emails: Vec<Email> = match &shown.email {
            Some(email) => vec![email.clone()],
            None => {
                let mut found = conn.addresses_with_code(product.id, &id.to_lowercase()).await?;
                if let Some(name) = name {
                    found.extend(conn.addresses_with_code(product.id, &name.to_lowercase()).await?);
                }
                found.iter().filter_map(|text| Email::parse(text).ok()).collect()
            }
        };
        emails.dedup();
        let digits = authorization_code::read(&shown.code);
        let (tries, computers) = (self.settings().mail.code_tries, [Some(id), name].into_iter().flatten().collect::<Vec<_>>());
        let mut proved = None;
        for email in emails {
            let whose = email.folded();
            let Some((code, mark)) = conn.lock_code(&email, product.id).await? else { continue };
            if conn.tries(&counted("email", &whose), DAY, now).await? >= WRONG_DAY {
                continue;
            }
            let matches = digits.as_ref().is_some_and(|digits| self.code_mark(&whose, product.id, digits) == mark);
            if code.prove(matches, &computers, tries, now).is_ok() {
                proved = Some((email, !code.computer.is_empty(), code.properties));
                break;
            }
            conn.count_code_try(&email, product.id).await?;
            conn.count_try(&counted("email", &whose), DAY, now).await?;
        }
        let Some((email, named, properties)) = proved else {
            if let Some(from) = &shown.from {
                conn.count_try(&counted("wrong", from), WRONG_FROM_SECONDS, now).await?;
            }
            return Ok(Err(CodeRefusal::Wrong));
        };
        match self.license_of(conn, &email, product, Some(id), named.then_some(id), now).await? {
            Ok(license) => {
                let definitions = product.rules.properties.clone();
                Ok(Ok(Proved { email, license, properties, definitions }))
            }
            Err(none) => Ok(Err(CodeRefusal::NoLicense(none))),
        }
    }

    /// Activates a computer by a code, as the form with a key does. The code is used up with the seat, and with nothing else.
    pub async fn activate_by_code(
        &self,
        shown: CodeShown,
        request_id: String,
    ) -> Result<Result<Activated, CodeRefusal>, ActError> {
        let product = self.read().await?.product(&shown.product).await?;
        let Some(product) = product.filter(|product| product.state == ProductState::Enabled) else {
            return Ok(Err(CodeRefusal::NoProduct));
        };
        let now = self.now();
        let whose = shown.email.as_ref().map(Email::folded).unwrap_or_default();
        let seed = [request_id.as_str(), &whose, shown.device.id.as_str(), &shown.code].join("\n");
        let token = self.vault.token_key(Purpose::ACTIVATION_TOKEN).token_for(seed.as_bytes());
        let (hash, reference, desk) = (token.hash().0.to_vec(), new_reference(), self.clone());
        let (shown, product) = (std::sync::Arc::new(shown), std::sync::Arc::new(product));
        let outcome = self.store.write(move |conn| {
            let (desk, shown, product, hash) = (desk.clone(), shown.clone(), product.clone(), hash.clone());
            let (request_id, reference) = (request_id.clone(), reference.clone());
            Box::pin(async move {
                // The same form sent twice: the code is used up, and its page is there.
                if conn.page(&hash, now).await?.is_some() {
                    return Ok(Ok(Outcome::Page { promised: None, signed_by: None }));
                }
                let proved = match desk.prove_code(conn, &shown, &product, now).await? {
                    Ok(proved) => proved,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let Some(key) = proved.license.key.clone() else {
                    return Ok(Err(CodeRefusal::NoLicense(NoLicense::None)));
                };
                let ask = OnlineActivation {
                    key,
                    product: Some(product.code.clone()),
                    device: shown.device.clone(),
                    email: Some(proved.email.clone()),
                    version: None,
                    request_id,
                    door: "code",
                };
                let outcome = desk.activate_in(conn, &ask, hash, &reference, now).await?;
                if matches!(outcome, Outcome::Page { .. }) {
                    proved.set_properties(conn, now).await?;
                    conn.drop_code(&proved.email, product.id).await?;
                }
                Ok(Ok(outcome))
            })
        });
        match outcome.await? {
            Ok(outcome) => self.activated(outcome, token).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// The products a code can be asked for: their codes and names.
    pub async fn products_by_code(&self) -> Result<Vec<(String, String)>, Fault> {
        let products = self.read().await?.products().await?.into_iter();
        let sold = products.filter(|product| product.state == ProductState::Enabled && product.authorization.by_key());
        Ok(sold.map(|product| (product.code.to_string(), product.name)).collect())
    }

    /// Products that can be asked for by number: numbers and names.
    pub async fn numbered_products(&self) -> Result<Vec<(String, String)>, Fault> {
        let products = self.read().await?.products().await?.into_iter();
        let sold = products.filter(|product| product.state == ProductState::Enabled && product.authorization.by_key());
        Ok(sold.filter_map(|product| Some((product.number?.to_string(), product.name))).collect())
    }

    async fn code_letters(&self, to: &Email, product: &Product, digits: &str) -> Result<CodeLetters, Fault> {
        let settings = self.settings();
        let (name, portal, minutes) = (&product.name, &settings.portal_name, settings.mail.code_minutes);
        let over = Some(self.now().plus_seconds(60 * minutes));
        let subject = format!("Your code for {name}");
        // What the computer is called stands in none of them: whoever asks for a code chooses it.
        let text = format!(
            "Your code is {digits}\n\nType it where {name} or {portal} asks for it. It is good for {minutes} minutes and works once.\n\n\
             Nobody from {portal} will ask you for it. If you did not ask for a code yourself, do nothing: without it nothing happens.\n"
        );
        let about = [(template::CODE, digits.to_owned()), ("ProductName", name.clone()), ("Minutes", minutes.to_string())];
        let template = self.template_of(&[template::CODE]).await?;
        let (subject, text) = self.worded(template.as_ref(), &about, (subject, text));
        let code = Outgoing { kind: "authorization_code", subject: &subject, text: &text, over, keeps_text: false };
        let short = format!("{digits} is your code for {name}. It is good for {minutes} minutes.");
        let short = Outgoing { text: &short, ..code };
        let help = settings.support.as_ref().map(|support| format!("Questions? Write to {support}.\n")).unwrap_or_default();
        let about = format!("About your license of {name}");
        let why = |why: &str| format!("A code was asked for to activate {name}, and none was sent: {why}\n\n{help}");
        let expired = why("your licenses of it have expired or were disabled.");
        let full = why("every seat of your licenses is taken. Release a computer you no longer use, and ask for a code again.");
        let none = |text| Outgoing { kind: "no_code", subject: &about, text, over: None, keeps_text: true };
        Ok(CodeLetters {
            code: self.letter(to, &code),
            short: self.short_message("", &short),
            over: self.letter(to, &none(&expired)),
            full: self.letter(to, &none(&full)),
        })
    }
}

/// What may be sent when a code is asked for.
struct CodeLetters {
    code: NewMessage,
    short: NewMessage,
    over: NewMessage,
    full: NewMessage,
}
