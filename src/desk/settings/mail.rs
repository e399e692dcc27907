//! How mail and short messages leave this server. Passwords among them are encrypted by the vault before they are kept.

use super::{super::ActError, Known, SettingError, flag, number};
use crate::{
    licensing::{Email, files::base64, text::is_hidden},
    outbound::MailSecurity,
};

/// A password as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// Where mail and short messages are handed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// Host and port; empty: mail is shown to staff instead.
    pub server: String,
    pub security: MailSecurity,
    pub user: String,
    pub password: Option<Sealed>,
    pub from: String,
    pub sms_service: String,
    pub sms_account: String,
    pub sms_token: Option<Sealed>,
    pub sms_from: String,
    /// `activationByAuthorizationCodeEnableSMS`.
    pub code_by_sms: bool,
    /// `activationByAuthorizationCodeExpiryDuration`, in minutes.
    pub code_minutes: i64,
    /// `activationByAuthorizationCodeMaxAttempts`.
    pub code_tries: u32,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            server: String::new(),
            security: MailSecurity::Tls,
            user: String::new(),
            password: None,
            from: String::new(),
            sms_service: "https://api.twilio.com".to_owned(),
            sms_account: String::new(),
            sms_token: None,
            sms_from: String::new(),
            code_by_sms: false,
            code_minutes: 10,
            code_tries: 5,
        }
    }
}

impl MailSettings {
    /// Host and port of the server; none where there is none.
    #[must_use]
    pub fn host_and_port(&self) -> Option<(String, u16)> {
        if self.server.is_empty() {
            return None;
        }
        let plain = || (self.server.clone(), self.security.port());
        // An IPv6 address has colons of its own.
        let (host, port) = match self.server.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
                Ok(port) => (host.to_owned(), port),
                Err(_) => plain(),
            },
            _ => plain(),
        };
        Some((host.trim_matches(['[', ']']).to_owned(), port))
    }

    #[must_use]
    pub fn sends_sms(&self) -> bool {
        self.code_by_sms && !self.sms_account.is_empty() && self.sms_token.is_some() && !self.sms_from.is_empty()
    }
}

fn short(text: &str, wrong: &'static str) -> Result<String, SettingError> {
    let text = text.trim();
    if text.chars().count() > 200 || text.chars().any(is_hidden) {
        return Err(SettingError::Value(wrong));
    }
    Ok(text.to_owned())
}

/// What [`Sealed`] is written as.
pub(super) fn sealed(text: &str) -> Result<Option<Sealed>, SettingError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let bytes = base64::from_standard(text.trim()).map_err(|_| SettingError::Value("This password is not as it was kept."))?;
    Ok(Some(Sealed(bytes)))
}

pub(super) fn unsealed(sealed: Option<&Sealed>) -> String {
    sealed.map(|sealed| base64::standard(&sealed.0)).unwrap_or_default()
}

/// Refuses to show a password that is kept to another server than the one it was typed for.
pub(super) fn same_secret_for_another(before: &MailSettings, after: &MailSettings) -> Result<(), ActError> {
    let kept = |before: &Option<Sealed>, after: &Option<Sealed>| after.is_some() && before == after;
    if before.server != after.server && kept(&before.password, &after.password) {
        return Err(ActError::field(
            "smtpPassword",
            "The password is for another server. Type the one for this server, or none.",
        ));
    }
    if before.sms_service != after.sms_service && kept(&before.sms_token, &after.sms_token) {
        return Err(ActError::field(
            "smsAuthenticationToken",
            "The token is for another service. Type the one for this service.",
        ));
    }
    Ok(())
}

/// The settings whose text is encrypted before it is kept, and never shown.
pub(super) const SECRETS: [&str; 3] = ["smtpPassword", "smsAuthenticationToken", "communicationEncryptionKey"];

pub(super) static KNOWN: [Known; 12] = [
    Known {
        name: "smtpServer",
        about: "The mail server, such as smtp.example.com or smtp.example.com:2525. Without one, staff reads on the vendor’s site what would be sent",
        read: |settings, text| {
            let wrong = "Name a host, or a host and a port, such as smtp.example.com:587.";
            let text = short(text, wrong)?;
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']' | '_');
            if !text.chars().all(allowed) || text.starts_with(':') {
                return Err(SettingError::Value(wrong));
            }
            settings.mail.server = text;
            Ok(())
        },
        write: |settings| settings.mail.server.clone(),
    },
    Known {
        name: "smtpSecurity",
        about: "tls (port 465), starttls (port 587), or none for a server on this machine",
        read: |settings, text| {
            let text = text.trim().to_ascii_lowercase();
            let found = MailSecurity::ALL.into_iter().find(|(name, _)| *name == text);
            settings.mail.security = found.ok_or(SettingError::Value("Say tls, starttls or none."))?.1;
            Ok(())
        },
        write: |settings| {
            let found = MailSecurity::ALL.into_iter().find(|(_, security)| *security == settings.mail.security);
            found.map(|(name, _)| name.to_owned()).unwrap_or_default()
        },
    },
    Known {
        name: "smtpUser",
        about: "The user this server signs in to the mail server as",
        read: |settings, text| short(text, "A user has up to 200 visible characters.").map(|text| settings.mail.user = text),
        write: |settings| settings.mail.user.clone(),
    },
    Known {
        name: "smtpPassword",
        about: "That user’s password. It is kept encrypted and never shown",
        read: |settings, text| sealed(text).map(|password| settings.mail.password = password),
        write: |settings| unsealed(settings.mail.password.as_ref()),
    },
    Known {
        name: "mailFrom",
        about: "The address mail comes from; without one, the support address",
        read: |settings, text| {
            let text = text.trim();
            let wrong = SettingError::Value("A sender is an e-mail address, such as licenses@example.com.");
            settings.mail.from = if text.is_empty() { String::new() } else { Email::parse(text).map_err(|_| wrong)?.to_string() };
            Ok(())
        },
        write: |settings| settings.mail.from.clone(),
    },
    Known {
        name: "activationByAuthorizationCodeExpiryDuration",
        about: "Minutes a code for activating without a key is good for",
        read: |settings, text| {
            let wrong = "Type a whole number of minutes from 2 to 60. Mail takes a moment; whoever guesses has as long.";
            number(text, 2, 60, wrong).map(|minutes| settings.mail.code_minutes = minutes)
        },
        write: |settings| settings.mail.code_minutes.to_string(),
    },
    Known {
        name: "activationByAuthorizationCodeMaxAttempts",
        about: "Wrong tries after which such a code is over",
        read: |settings, text| {
            let wrong = "Type a whole number from 1 to 10. A code has a million values.";
            let mut tries = 0;
            number(text, 1, 10, wrong).map(|number| tries = number)?;
            settings.mail.code_tries = u32::try_from(tries).map_err(|_| SettingError::Value(wrong))?;
            Ok(())
        },
        write: |settings| settings.mail.code_tries.to_string(),
    },
    Known {
        name: "activationByAuthorizationCodeEnableSMS",
        about: "Such codes also go to the customer’s mobile phone, where its number is known. Whoever has the phone then has the code",
        read: |settings, text| flag(text).map(|on| settings.mail.code_by_sms = on),
        write: |settings| settings.mail.code_by_sms.to_string(),
    },
    Known {
        name: "smsAccountNumber",
        about: "The account at the service that sends short messages (Twilio’s account SID)",
        read: |settings, text| {
            let wrong = "An account has letters and digits only.";
            let text = short(text, wrong)?;
            if !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(SettingError::Value(wrong));
            }
            settings.mail.sms_account = text;
            Ok(())
        },
        write: |settings| settings.mail.sms_account.clone(),
    },
    Known {
        name: "smsAuthenticationToken",
        about: "That account’s token. It is kept encrypted and never shown",
        read: |settings, text| sealed(text).map(|token| settings.mail.sms_token = token),
        write: |settings| unsealed(settings.mail.sms_token.as_ref()),
    },
    Known {
        name: "smsPhoneNumber",
        about: "The number short messages come from, such as +15005550006",
        read: |settings, text| {
            let wrong = "A number begins with + and its country, such as +15005550006.";
            let text = short(text, wrong)?;
            if !text.is_empty() && crate::licensing::phone(&text).is_none() {
                return Err(SettingError::Value(wrong));
            }
            settings.mail.sms_from = text;
            Ok(())
        },
        write: |settings| settings.mail.sms_from.clone(),
    },
    Known {
        name: "smsServiceUrl",
        about: "Where Twilio’s HTTP API, or one like it, is",
        read: |settings, text| {
            let wrong = "Type an address such as https://api.twilio.com.";
            let text = short(text, wrong)?;
            if !text.starts_with("https://") && !text.starts_with("http://") {
                return Err(SettingError::Value(wrong));
            }
            text.trim_end_matches('/').clone_into(&mut settings.mail.sms_service);
            Ok(())
        },
        write: |settings| settings.mail.sms_service.clone(),
    },
];
