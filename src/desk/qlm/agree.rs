//! What customers agree to (`SubscribeToMailListHttp`, `UpdatePrivacyConsentHttp`, §7). Calls carry no password, so they ask the customer,
//! by a letter with a link; to take something back, saying so is enough.

use super::{QlmCall, QlmRefused};
use crate::{
    desk::{ActError, Desk, Fault},
    licensing::{ActivationKey, Email, qlm::ErrorCode},
    store::Agreement,
};

const ASKED: &str = "If the address is known, a letter with a link to confirm this is on its way to it.";
const TOO_OFTEN: &str = "Too many letters were asked for. Try again in an hour.";

fn email(call: &QlmCall) -> Result<Email, QlmRefused> {
    let wrong = || QlmRefused::new(ErrorCode::MissingArgument, "is_email is no e-mail address. Complete it.");
    Email::parse(call.args.required("is_email")?).map_err(|_| wrong())
}

impl Desk {
    /// Puts an address on the mailing list, once its owner confirms it, or takes it off.
    pub async fn qlm_mail_list(&self, call: &QlmCall) -> Result<Result<String, QlmRefused>, Fault> {
        let read = || Ok::<_, QlmRefused>((email(call)?, call.args.flag("is_include")?.unwrap_or(true)));
        match read() {
            Ok((email, includes)) => self.qlm_agreement(call, email, Agreement::News, includes).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Notes a customer's consent, once they confirm it, or that they take it back: for whoever has a license's key and its customer's
    /// address.
    pub async fn qlm_consent(&self, call: &QlmCall) -> Result<Result<String, QlmRefused>, Fault> {
        let read = || {
            let consents = call
                .args
                .flag("is_consent")?
                .ok_or_else(|| QlmRefused::new(ErrorCode::MissingArgument, "The argument is_consent is missing: 1 or 0."))?;
            Ok::<_, QlmRefused>((email(call)?, call.args.required("is_avkey")?.to_owned(), consents))
        };
        let (email, key, consents) = match read() {
            Ok(read) => read,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Err(refused) = self.guesses(call, "key", false).await? {
            return Ok(Err(refused));
        }
        let mut conn = self.read().await?;
        let found = match ActivationKey::parse(&key) {
            Ok(key) => conn.licenses_with_key(&key).await?,
            Err(_) => Vec::new(),
        };
        let customer = conn.customer_by_email(&email).await?;
        drop(conn);
        let fits = customer.is_some_and(|customer| found.iter().any(|(license, _)| license.customer == Some(customer.id)));
        if !fits {
            drop(self.guesses(call, "key", true).await?);
            let message = "There is no license with this activation key and this address.";
            return Ok(Err(QlmRefused::new(ErrorCode::LicenseNotFound, message)));
        }
        self.qlm_agreement(call, email, Agreement::Consent, consents).await
    }

    async fn qlm_agreement(
        &self,
        call: &QlmCall,
        email: Email,
        to: Agreement,
        agrees: bool,
    ) -> Result<Result<String, QlmRefused>, Fault> {
        if agrees {
            let asked = self.ask_agreement(email, to, call.from.clone()).await?;
            return Ok(if asked { Ok(ASKED.to_owned()) } else { Err(QlmRefused::new(ErrorCode::Blocked, TOO_OFTEN)) });
        }
        match self.set_agreement(email, to, false).await {
            Ok(()) => Ok(Ok("This is taken back.".to_owned())),
            Err(ActError::Fault(fault)) => Err(fault),
            Err(error) => Ok(Err(QlmRefused::new(ErrorCode::Database, error.to_string()))),
        }
    }
}
