//! Activation without a key (`RequestAuthorizationCodeForActivationHttp`, `ActivateKeyByAuthorizationCodeHttp`, §6): the acts are those of
//! the page where customers type their code.

use super::{
    QlmCall, QlmRefused, product_numbered,
    validate::{Asked, Computer, day_is_full, seat},
};
use crate::{
    desk::{CodeAsk, CodeRefusal, CodeShown, Desk, Fault},
    licensing::{
        DeviceId, Email, ProductId,
        authorization_code::NoLicense,
        product::Product,
        qlm::{ErrorCode, Property, document::Element, key},
    },
    store::StoreError,
    vault::random_bytes,
};

/// Told whatever comes of it.
const ON_ITS_WAY: &str = "If there is a license for this address, a code is on its way to it. Look for the mail, in the folder for spam as \
                          well.";

fn refused(refusal: CodeRefusal, product: &Product) -> QlmRefused {
    let (code, message) = match refusal {
        CodeRefusal::NoProduct => (ErrorCode::NoProduct, "This product is not sold here.".to_owned()),
        CodeRefusal::TooOften { wait_minutes } => {
            (ErrorCode::Blocked, format!("Too many codes were asked for or tried. Try again in {wait_minutes} minutes."))
        }
        CodeRefusal::Wrong => (
            ErrorCode::AuthenticationFailed,
            "This code does not count: it is mistyped, over, or for another computer. Ask for a new one.".to_owned(),
        ),
        CodeRefusal::NoLicense(NoLicense::Full) => {
            (ErrorCode::NoMoreActivations, "All the available licenses have already been activated.".to_owned())
        }
        CodeRefusal::NoLicense(_) => (ErrorCode::NotValid, "There is no license for this address any more.".to_owned()),
    };
    QlmRefused::new(code, message).of(product)
}

impl Desk {
    /// Sends a code to an address. Answers alike whether it is known.
    pub async fn qlm_request_code(&self, call: &QlmCall) -> Result<Result<(ProductId, &'static str), QlmRefused>, Fault> {
        let args = &call.args;
        let (number, email) = match (args.product(), args.required("is_email")) {
            (Ok((number, ..)), Ok(email)) => (number, email),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error.into())),
        };
        let Ok(email) = Email::parse(email) else {
            return Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, "is_email is no e-mail address. Complete it.")));
        };
        let product = match product_numbered(&mut self.read().await?, number).await? {
            Ok(product) => product,
            Err(refused) => return Ok(Err(refused)),
        };
        let properties =
            match args.text("is_pp").map(|text| Property::parse_all("is_pp", text, &self.settings().qlm.orders.dates)) {
                None => Vec::new(),
                Some(Ok(properties)) => properties,
                // Not under the product's key: it quotes the caller, and each wording would be a signature of its own.
                Some(Err(error)) => return Ok(Err(error.into())),
            };
        let ask = CodeAsk {
            email,
            product: product.code.clone(),
            properties,
            computer: args.text("is_pcid").map(|text| text.chars().take(256).collect()),
            from: call.from.clone(),
        };
        Ok(match self.request_code(ask).await? {
            Ok(()) => Ok((product.id, ON_ITS_WAY)),
            Err(refusal) => Err(refused(refusal, &product)),
        })
    }

    /// Activates a computer by a code; one that shows the key it was given since is validated.
    pub async fn qlm_activate_by_code(&self, call: &QlmCall) -> Result<Result<(ProductId, Element), QlmRefused>, Fault> {
        let args = &call.args;
        let (number, computer) = match (args.product(), args.required("is_pcid")) {
            (Ok((number, ..)), Ok(computer)) => (number, computer),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error.into())),
        };
        let product = match product_numbered(&mut self.read().await?, number).await? {
            Ok(product) => product,
            Err(refused) => return Ok(Err(refused)),
        };
        // An app may go on to send the code it was activated by.
        if let Some(shown) = args.text("is_pckey").map(key::plain) {
            let known = match DeviceId::parse(computer) {
                Ok(device) => self.read().await?.key_of_computer(product.id, &device, &shown).await?.is_some(),
                Err(_) => false,
            };
            if known || args.text("is_authcode").is_none() {
                return self.validate_by_computer_key(call, &product, computer, &shown).await;
            }
        }
        let code = match args.required("is_authcode") {
            Ok(code) => code.to_owned(),
            Err(error) => return Ok(Err(error.into())),
        };
        let email = match args.text("is_email").map(Email::parse) {
            None => None,
            Some(Ok(email)) => Some(email),
            Some(Err(_)) => {
                return Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, "is_email is no e-mail address. Complete it.")));
            }
        };
        let on = match Computer::read(args) {
            Ok(on) => on,
            Err(refused) => return Ok(Err(refused)),
        };
        let shown = CodeShown { email, product: product.code.clone(), device: on.device.clone(), code, from: call.from.clone() };
        let (now, random, desk) = (self.now(), random_bytes(), self.clone());
        let given = std::sync::Arc::new((shown, on, product, self.settings()));
        let done = self.store.write(move |conn| {
            let (desk, given) = (desk.clone(), given.clone());
            Box::pin(async move {
                let (shown, on, product, settings) = &*given;
                let proved = match desk.prove_code(conn, shown, product, now).await? {
                    Ok(proved) => proved,
                    Err(refusal) => return Ok(Err(refused(refusal, product))),
                };
                let Some(key) = proved.license.key.clone() else {
                    return Ok(Err(refused(CodeRefusal::NoLicense(NoLicense::None), product)));
                };
                let asked = Asked::of(key, on.clone());
                let mut seated = seat(conn, &asked, &settings.qlm, random, now).await?;
                if let Ok((facts, ..)) = &mut seated {
                    if let Some(license) = proved.set_properties(conn, now).await? {
                        facts.license = license;
                    }
                    conn.drop_code(&proved.email, product.id).await?;
                }
                Ok(seated.map(|(facts, activation, key)| (asked, facts, activation, key)))
            })
        });
        let done = match done.await {
            Err(StoreError::GaveUp(why)) => return day_is_full(why),
            done => done?,
        };
        Ok(done.map(|(mut asked, facts, activation, key)| {
            // Whoever has the code reads the customer's mail.
            asked.on.key = Some(key::plain(&key));
            self.license_document(&facts, Some(&activation), &asked, &key, now)
        }))
    }

    async fn validate_by_computer_key(
        &self,
        call: &QlmCall,
        product: &Product,
        computer: &str,
        shown: &str,
    ) -> Result<Result<(ProductId, Element), QlmRefused>, Fault> {
        if let Err(refused) = self.guesses(call, "key", false).await? {
            return Ok(Err(refused));
        }
        let key = match DeviceId::parse(computer) {
            Ok(device) => self.read().await?.key_of_computer(product.id, &device, shown).await?,
            Err(_) => None,
        };
        let Some(key) = key else {
            drop(self.guesses(call, "key", true).await?);
            let message = "This computer is not activated by this computer key. Ask for a code.";
            return Ok(Err(QlmRefused::new(ErrorCode::NotActivatedHere, message).of(product)));
        };
        match Computer::read(&call.args) {
            // A seat that was taken back is not taken again without a code.
            Ok(on) => {
                let told = self.qlm_validate_asked(call, Asked::of(key, on), false).await?;
                Ok(told.map(|told| (told.product, told.element)))
            }
            Err(refused) => Ok(Err(refused)),
        }
    }
}
