//! What a shop reads (§8): the keys of an order, the computers of a license. Both need an extension's password always, and the first a
//! signature over the call itself.

use sha2::{Digest, Sha256};

use super::{
    QlmCall, QlmRefused, call_fields, change::newest_of, is_of, protect::is_same_act, switched, validate::COMPUTER_DATA,
};
use crate::{
    desk::{Desk, Fault},
    licensing::{
        ActivationKey, Timestamp,
        activation::Activation,
        files::base64,
        license::License,
        qlm::{ErrorCode, strict::StrictFault},
    },
    store::Extension,
    vault::{Purpose, Subject},
};

/// As many machines as are listed.
const LISTED: i64 = 1_000;

impl Desk {
    /// The licenses of an order, or with some user data, for their keys; each with its order's number.
    pub async fn qlm_retrieve(&self, call: &QlmCall) -> Result<Result<Vec<(License, String)>, QlmRefused>, Fault> {
        if let Err(refused) = switched(self.settings().qlm.retrieve, "enableRetrieveActivationKeyHttp") {
            return Ok(Err(refused));
        }
        let extension = match self.caller_with_password(call).await? {
            Ok(extension) => extension,
            Err(refused) => return Ok(Err(refused)),
        };
        let fields = call_fields(Some(&extension));
        let reference = call.args.text("is_orderid").or_else(|| call.args.first_of(&fields.order));
        let mut conn = self.read().await?;
        let found = match (reference, call.args.text("is_userdata1")) {
            (Some(reference), _) => {
                // Numbers of two shops may be the same: what sells reads its own orders, what sells nothing itself reads every shop's.
                let order = match conn.order_of(&extension.name.to_lowercase(), reference).await? {
                    None if extension.class == "qlmauthenticationprovider" => conn.order_by_reference(reference).await?,
                    own => own,
                };
                match order {
                    Some(order) => conn.licenses_of_order(order.id).await?,
                    None => Vec::new(),
                }
            }
            (None, Some(data)) => conn.licenses_with_user_data(data, LISTED).await?,
            (None, None) => {
                let message = "Say which order, or which data: is_orderid, is_userdata1.";
                return Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, message)));
            }
        };
        let wanted = call.args.text("is_userdata1");
        let is_meant = |license: &License| {
            let data = license.terms.qlm.as_ref().map(|qlm| qlm.user_data.as_str());
            wanted.is_none_or(|wanted| data == Some(wanted))
        };
        let mut licenses = Vec::new();
        for (license, product) in found {
            let (license, _) = newest_of(&mut conn, license, product).await?;
            if !is_of(&extension, &license)
                || !is_meant(&license)
                || licenses.iter().any(|(known, _): &(License, String)| known.id == license.id)
            {
                continue;
            }
            let order = match license.order {
                Some(order) => conn.order(order).await?.map(|order| order.reference),
                None => None,
            };
            licenses.push((license, order.unwrap_or_default()));
        }
        if licenses.is_empty() {
            return Ok(Err(QlmRefused::new(ErrorCode::LicenseNotFound, "There is no license of this order.")));
        }
        Ok(Ok(licenses))
    }

    /// The computers that a license was activated on, newest first.
    /// Each with what its app said of it (`is_alog_userdata1`).
    pub async fn qlm_activation_log(&self, call: &QlmCall) -> Result<Result<Vec<(Activation, String)>, QlmRefused>, Fault> {
        if let Err(refused) = switched(self.settings().qlm.activation_log, "enableGetActivationLogHttp") {
            return Ok(Err(refused));
        }
        let extension = match self.caller_with_password(call).await? {
            Ok(extension) => extension,
            Err(refused) => return Ok(Err(refused)),
        };
        let key = match call.args.required("is_avkey") {
            Ok(text) => ActivationKey::parse(text).ok(),
            Err(error) => return Ok(Err(error.into())),
        };
        let mut conn = self.read().await?;
        let found = match key {
            Some(key) => conn.licenses_with_key(&key).await?,
            None => Vec::new(),
        };
        let Some((license, _)) = found.iter().find(|(license, _)| is_of(&extension, license)) else {
            return Ok(Err(QlmRefused::new(ErrorCode::LicenseNotFound, "There is no license with this activation key.")));
        };
        let mut said = conn.variables_of_license(license.id).await?;
        said.retain(|variable| variable.name == COMPUTER_DATA);
        let activations = conn.activations(license.id, LISTED).await?.into_iter().map(|one| {
            let own = said.iter().find(|variable| variable.activation == one.id);
            let data = own.map(|variable| variable.value.clone()).unwrap_or_default();
            (one, data)
        });
        Ok(Ok(activations.collect()))
    }

    /// As [`Desk::caller`], with a password whatever the vendor lets pass elsewhere.
    pub(in crate::desk) async fn caller_with_password(&self, call: &QlmCall) -> Result<Result<Extension, QlmRefused>, Fault> {
        Ok(match self.caller(call).await? {
            Ok(Some(extension)) if extension.password_mark.is_some() => Ok(extension),
            Ok(_) => Err(QlmRefused::new(ErrorCode::AuthenticationFailed, "This method needs an extension with a password.")),
            Err(refused) => Err(refused),
        })
    }

    /// Refuses a call that must be signed and is not, whichever method it is of. A signature counts once.
    pub async fn qlm_signed(&self, call: &QlmCall, method: &str) -> Result<Result<(), QlmRefused>, Fault> {
        let settings = self.settings();
        let named = settings.qlm.strict_methods.iter().any(|name| is_same_act(name, method));
        let is_strict = named || (settings.qlm.licenses_are_strict && method.eq_ignore_ascii_case("GetLicensesHttp"));
        if !is_strict {
            return Ok(Ok(()));
        }
        let extension = match self.caller_with_password(call).await? {
            Ok(extension) => extension,
            Err(refused) => return Ok(Err(refused)),
        };
        let failed = |fault: StrictFault| Ok(Err(QlmRefused::new(ErrorCode::AuthenticationFailed, fault.to_string())));
        let Some(signed) = &call.strict else { return failed(StrictFault::Missing) };
        // The address is what is signed.
        if call.args.has_body() {
            let message = "The arguments of a signed call stand in its address, none of them in its body.";
            return Ok(Err(QlmRefused::new(ErrorCode::AuthenticationFailed, message)));
        }
        let Some(sealed) = &extension.api_key else {
            let message = "This extension has no API key to sign with. Its vendor gives it one.";
            return Ok(Err(QlmRefused::new(ErrorCode::AuthenticationFailed, message)));
        };
        let subject = format!("{}/api", extension.name.to_lowercase());
        let key = self.vault.decrypt_secret(Purpose::EXTENSION_KEY, Subject::named(&subject), sealed)?;
        let (now, tolerance) = (self.now(), settings.qlm.strict_tolerance);
        if let Err(fault) = signed.check(key.as_slice(), now, tolerance, settings.qlm.strict_version) {
            return failed(fault);
        }
        if self.used_before(&signed.mark(), tolerance, now).await? { failed(StrictFault::Token) } else { Ok(Ok(())) }
    }

    async fn used_before(&self, mark: &[u8], tolerance: i64, now: Timestamp) -> Result<bool, Fault> {
        let subject = format!("qlm-token:{}", base64::url(&Sha256::digest(mark)));
        // Longer than it can count; it is noted in the window that follows as well, because one that is over is swept away.
        let window = 2 * tolerance + 1;
        let counted = self.store.write(move |conn| {
            let subject = subject.clone();
            Box::pin(async move {
                conn.count_try(&subject, window, now.plus_seconds(window)).await?;
                conn.count_try(&subject, window, now).await
            })
        });
        Ok(counted.await? > 1)
    }
}
