//! A trial that somebody asks for by a form on the vendor's site (`qlmregistration.asmx/Register`, §6). Calls carry no password: what they
//! say of terms, senders and templates is passed over, and the key goes to the address and nowhere else.

use super::{QlmCall, QlmRefused, product_numbered, protect::protected, switched};
use crate::{
    desk::{ActError, Desk, Fault, Issue, KeyShape, Refusal, Visitor, messages::may_write},
    licensing::{
        Email,
        license::License,
        qlm::{
            Args, ErrorCode,
            key::activation_letter,
            order::{KeyOrder, day_after},
        },
    },
};

/// Trials asked for from one network address in an hour.
const ASKED_HOUR: i64 = 3;

impl Desk {
    /// Sends a trial key to an address. Answers alike whether it had its trials before.
    pub async fn qlm_register(&self, call: &QlmCall) -> Result<Result<String, QlmRefused>, Fault> {
        let settings = self.settings();
        if let Err(refused) = switched(settings.qlm.register_trials, "enableTrialRegistration") {
            return Ok(Err(refused));
        }
        let args = &call.args;
        let (number, major, minor) = match args.product() {
            Ok(product) => product,
            Err(error) => return Ok(Err(error.into())),
        };
        let Some(Ok(email)) = args.first(&["is_email", "email"]).map(Email::parse) else {
            let message = "The e-mail address is missing, or is none. The trial key is sent there: is_email.";
            return Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, message)));
        };
        let product = match product_numbered(&mut self.read().await?, number).await? {
            Ok(product) if product.authorization.by_key() => product,
            Ok(product) => {
                let message = "Licenses of this product are for users, and have no keys to send.";
                return Ok(Err(QlmRefused::new(ErrorCode::NotValid, message).of(&product)));
            }
            Err(refused) => return Ok(Err(refused)),
        };
        if !self.may_register(call, &email).await? {
            let message = "Too many trials were asked for. Try again in an hour.";
            return Ok(Err(QlmRefused::new(ErrorCode::Blocked, message).of(&product)));
        }
        // Nothing of the product's name: shops take every answer that spells a failure for one.
        let told = "A trial key is on its way to this address. Look for the mail, in the folder for spam as well.".to_owned();
        let known: Vec<License> = {
            let mut conn = self.read().await?;
            match conn.customer_by_email(&email).await? {
                Some(customer) => conn.licenses_of_customer(product.id, customer.id, 200).await?,
                None => Vec::new(),
            }
        };
        let trials = known.iter().filter(|license| license.terms.trial).count();
        if trials >= settings.qlm.trials_each as usize {
            // Their keys once more, which says that the trial was begun.
            self.send_keys_counted(email, None, false).await?;
            return Ok(Ok(told));
        }
        let days = if product.rules.trial_days > 0 { product.rules.trial_days } else { settings.qlm.trial_days };
        let said = [
            ("is_productid", number.to_string()),
            ("is_majorversion", major.to_string()),
            ("is_minorversion", minor.to_string()),
            ("is_licensemodel", "trial".to_owned()),
            // A day, whatever is set for what is sold: a trial that only its app counts has no end here.
            ("is_expdate", settings.qlm.orders.dates.write(day_after(self.now().date(), days).plus_millis(-1))),
        ];
        let ours = Args::merge(said.map(|(name, value)| (name.to_owned(), value)).to_vec(), Vec::new());
        let ordered = match KeyOrder::read(&ours, &settings.qlm.orders, self.now().date(), None) {
            Ok(ordered) => ordered,
            Err(error) => return Ok(Err(error.into())),
        };
        let name = args.first(&["is_fullname", "fullname", "name"]).unwrap_or_default();
        let name: String = name.chars().filter(|c| !crate::licensing::text::is_hidden(*c)).take(200).collect();
        let model = ordered.terms.qlm.as_ref().map(|qlm| qlm.model).unwrap_or_default();
        let issue = Issue {
            quantities: ordered.quantities,
            // Whoever asks need not be who gets it, and a customer's name goes into letters: staff alone reads it.
            note: if name.is_empty() { String::new() } else { format!("Asked for in the name of {name}.") },
            provider: "trial".to_owned(),
            // The same trial asked for twice at a time is one.
            order: Some(format!("{}-{}-{}", product.code, trials + 1, self.trial_mark(&email))),
            item: Some("trial".to_owned()),
            keys: if product.rules.qlm_keys {
                KeyShape::Qlm { letter: activation_letter(model), groups: settings.qlm.groups }
            } else {
                KeyShape::Own
            },
            customer: Some(email),
            mails_keys: true,
            keys_per_day: settings.qlm.protect.keys_per_day,
            licenses_most: settings.qlm.rules.licenses,
            ..Issue::one(product.code.clone(), ordered.terms)
        };
        match self.issue(&Visitor::Extension { name: "trial".to_owned() }, issue).await {
            Ok(_) => Ok(Ok(told)),
            Err(ActError::Fault(fault)) => Err(fault),
            Err(ActError::Refused(refused)) => match refused.refusal {
                Refusal::Qlm(limit) => Ok(Err(protected(limit).of(&product))),
                other => Ok(Err(QlmRefused::new(ErrorCode::License, other.words().sentence()).of(&product))),
            },
            Err(error) => Ok(Err(QlmRefused::new(ErrorCode::License, error.to_string()).of(&product))),
        }
    }

    async fn may_register(&self, call: &QlmCall, email: &Email) -> Result<bool, Fault> {
        let (from, email, now) = (call.from.clone(), email.clone(), self.now());
        let counted = self.store.write(move |conn| {
            let (from, email) = (from.clone(), email.clone());
            Box::pin(async move {
                if let Some(from) = &from
                    && conn.count_try(&super::counted("trial", from), 3_600, now).await? > ASKED_HOUR
                {
                    return Ok(false);
                }
                may_write(conn, &email, from.as_deref(), now).await
            })
        });
        Ok(counted.await?)
    }

    /// What stands for an address in an order's number.
    fn trial_mark(&self, email: &Email) -> String {
        super::counted("", &email.folded()).chars().rev().take(12).collect()
    }
}
