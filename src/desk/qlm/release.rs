//! A seat given back (`ReleaseLicenseHttp`, §6).

use md5::{Digest, Md5};

use super::{
    QlmCall, QlmRefused, is_of,
    protect::{DAY_SECONDS, about, note_once, protected},
    release_refused, spoken, switched,
    validate::Computer,
};
use crate::{
    desk::{Desk, Fault, Refusal, answer::give_back},
    licensing::{
        ActivationKey, DeviceId, LicenseId, ProductId,
        activation::ActivationState,
        decide::{self, ReleaseProof},
        license::Actor,
        qlm::{ErrorCode, document, key},
    },
};

/// Wrong codes for one license in a day: whoever has an app has what they are made with.
const CODES_A_DAY: i64 = 5;

impl Desk {
    /// Whether a seat is given back by a code that an app made, and nothing else.
    #[must_use]
    pub fn takes_release_codes(&self) -> bool {
        let settings = self.settings();
        let qlm = &settings.qlm;
        qlm.release && qlm.communication_key.is_some() && !qlm.release_requires_authentication
    }

    /// Gives a computer's seat back. Refuses a caller who shows neither an extension's password nor, where the vendor lets that do, the
    /// computer's own key.
    pub async fn qlm_release(&self, call: &QlmCall) -> Result<Result<(ProductId, String), QlmRefused>, Fault> {
        let settings = self.settings();
        if let Err(refused) = switched(settings.qlm.release, "enableReleaseKeyHttp") {
            return Ok(Err(refused));
        }
        let args = &call.args;
        let (key_text, computer) = match (args.required("is_avkey"), args.required("is_pcid")) {
            (Ok(key), Ok(computer)) => (key.to_owned(), computer.to_owned()),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error.into())),
        };
        if let Err(refused) = self.guesses(call, "key", false).await? {
            return Ok(Err(refused));
        }
        let unknown = || QlmRefused::new(ErrorCode::LicenseNotFound, "There is no license with this activation key.");
        let (Ok(parsed), Ok(device)) = (ActivationKey::parse(&key_text), DeviceId::parse(&computer)) else {
            return Ok(Err(unknown()));
        };
        // An app may name the vendor it was sold by, and has no password of theirs.
        let shows_password = args.text("is_pwd").is_some();
        let extension = if shows_password || settings.qlm.release_requires_authentication {
            match self.caller(call).await? {
                Ok(extension) => extension,
                Err(refused) => return Ok(Err(refused)),
            }
        } else {
            None
        };
        let actor = extension.as_ref().map_or(Actor::Customer, |one| Actor::Extension { name: one.name.clone() });
        let proved = matches!(actor, Actor::Extension { .. }) || settings.qlm.unauthenticated;
        let shown = args.text("is_pckey").map(key::plain);
        // A reseller gives back what it sold.
        let mut found = self.read().await?.licenses_with_key(&parsed).await?;
        found.retain(|(license, _)| extension.as_ref().is_none_or(|extension| is_of(extension, license)));
        if found.is_empty() {
            return Ok(Err(self.guesses(call, "key", true).await?.err().unwrap_or_else(unknown)));
        }
        let ids: Vec<LicenseId> = found.iter().map(|(license, _)| license.id).collect();
        let code = match self.release_code(call, args.text("is_deactivation_code"), &ids, &key_text, &computer).await? {
            Ok(code) => code,
            Err(refused) => return Ok(Err(refused)),
        };
        if settings.qlm.release_requires_code && !code {
            let message = "Show the code the app made when it was deactivated: is_deactivation_code.";
            return Ok(Err(QlmRefused::new(ErrorCode::DeactivationCode, message)));
        }
        let number = match args.product_if_any() {
            Ok(product) => product.map(|(number, ..)| number),
            Err(error) => return Ok(Err(error.into())),
        };
        let logged = match args.flag("is_logrelease") {
            Ok(flag) => flag.unwrap_or(true),
            Err(error) => return Ok(Err(error.into())),
        };
        let on = match Computer::read(args) {
            Ok(on) => on,
            Err(refused) => return Ok(Err(refused)),
        };
        let now = self.now();
        let released = self.store.write(move |conn| {
            let (parsed, device, actor, shown) = (parsed.clone(), device.clone(), actor.clone(), shown.clone());
            let ids = ids.clone();
            let (limits, forgets, about_of) =
                (settings.qlm.protect.releases, settings.qlm.protect.forgets_releases, on.clone());
            Box::pin(async move {
                let mut found = conn.facts_with_key(&parsed.folded(), &device).await?;
                found.retain(|facts| ids.contains(&facts.license.id));
                let is_known = !found.is_empty();
                found.retain(|facts| number.is_none_or(|number| facts.product.number == Some(number)));
                if found.is_empty() && is_known {
                    let message = "This activation key belongs to another product.";
                    return Ok(Err(QlmRefused::new(ErrorCode::OtherProduct, message)));
                }
                if found.len() > 1 {
                    let message = "Several products have a license with this key. Say which: is_productid, is_majorversion and is_minorversion.";
                    return Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, message)));
                }
                let Some(facts) = found.pop() else { return Ok(Err(unknown())) };
                let product = facts.product.clone();
                let elsewhere = facts.known.is_none() && facts.license.seats_taken > 0;
                let own_key = match &facts.known {
                    Some(known) => conn.computer_key(known.id).await?.map(|key| key::plain(&key)),
                    None => None,
                };
                if !proved && !code && (shown.is_none() || shown != own_key) {
                    let message = "Show the computer key this computer was given (is_pckey), or the code its app made (is_deactivation_code).";
                    return Ok(Err(QlmRefused::new(ErrorCode::AuthenticationFailed, message).of(&product)));
                }
                let releasing = match decide::release(&facts.product, facts.known.as_ref(), &ReleaseProof::App, now) {
                    Ok(releasing) => releasing,
                    Err(decide::ReleaseRefusal::NotActivated) if elsewhere => {
                        let message = "This license is activated on another computer.";
                        return Ok(Err(QlmRefused::new(ErrorCode::ActivatedElsewhere, message).of(&product)));
                    }
                    Err(refusal) => return Ok(Err(release_refused(&refusal).of(&product))),
                };
                let Some(known) = facts.known.clone() else {
                    return Ok(Err(release_refused(&decide::ReleaseRefusal::NotActivated).of(&product)));
                };
                // An app that floats gives its slot back each time it ends, and says so.
                let floats = document::model(&facts.license, &facts.license.terms.qlm.clone().unwrap_or_default()).is_cloud();
                let logged = (logged || !(floats || proved)) && !forgets;
                let limits = limits.of(facts.license.terms.qlm.as_ref());
                let (of_license, of_client) = conn.releases_since(facts.license.id, &device, limits.since(now)).await?;
                if let ActivationState::Active { since } = known.state
                    && logged
                    && let Err(refusal) = limits.release(facts.license.terms.seats, since, of_license, of_client, now)
                {
                    note_once(conn, &about(&facts, &about_of), Refusal::Qlm(refusal.clone()), now).await?;
                    return Ok(Err(protected(refusal).of(&product)));
                }
                if logged {
                    conn.log_release(facts.license.id, &device, now).await?;
                }
                // What it was called is over with the seat.
                conn.set_computer_key(known.id, None).await?;
                give_back(conn, facts, known, releasing, actor, now).await?;
                Ok(Ok(product.id))
            })
        });
        let released = released.await?;
        if matches!(&released, Err(refused) if refused.code == ErrorCode::LicenseNotFound) {
            drop(self.guesses(call, "key", true).await?);
        }
        let message = match (spoken(&key_text), spoken(&computer)) {
            (Some(key), Some(computer)) => format!("Activation Key {key} has been released from computer {computer}."),
            _ => "The activation key has been released from this computer.".to_owned(),
        };
        Ok(released.map(|product| (product, message)))
    }

    /// Whether a deactivation code is right; none shown is not. Refuses a wrong one, and the sixth of a day for a license.
    async fn release_code(
        &self,
        call: &QlmCall,
        shown: Option<&str>,
        of: &[LicenseId],
        key: &str,
        computer: &str,
    ) -> Result<Result<bool, QlmRefused>, Fault> {
        let Some(shown) = shown else { return Ok(Ok(false)) };
        let wrong = |message: &str| Ok(Err(QlmRefused::new(ErrorCode::DeactivationCode, message)));
        let settings = self.settings();
        let Some(secret) = self.secret_setting("communicationEncryptionKey", settings.qlm.communication_key.as_ref())? else {
            return wrong("This server cannot check such codes yet: its vendor sets communicationEncryptionKey.");
        };
        let now = self.now();
        let right = (-1..=1).any(|days| {
            let day = now.plus_days(days).date();
            let text = format!("{}|{computer}|{secret}|{day}", key::plain(key));
            let code: String = Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
            code.eq_ignore_ascii_case(shown.trim())
        });
        // By the license, however its key was spelt.
        let name = of.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join("-");
        let subject = super::counted("release-code", &name);
        let counted = self.store.write(move |conn| {
            let subject = subject.clone();
            Box::pin(async move {
                if right {
                    return Ok(conn.tries(&subject, DAY_SECONDS, now).await? < CODES_A_DAY);
                }
                // By what the count comes to: of many at one time no more are tried than one after the other.
                Ok(conn.count_try(&subject, DAY_SECONDS, now).await? <= CODES_A_DAY)
            })
        });
        if !counted.await? {
            return wrong("Too many wrong codes were shown for this license today. Try again tomorrow.");
        }
        if right {
            return Ok(Ok(true));
        }
        drop(self.guesses(call, "key", true).await?);
        wrong("This code does not fit the key, the computer and today. Make a new one in the app.")
    }
}
