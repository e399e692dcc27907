//! Settings: the vendor's brand and the limits, each with its default. Read often, so every process keeps them and looks for a
//! newer revision.

pub mod mail;
pub mod protect;
pub mod qlm;
pub mod rules;

use std::{collections::BTreeMap, sync::Arc};

use super::{ActError, Area, Desk, Level, Visitor};
use crate::{
    licensing::{Email, files::base64},
    store::{NewAudit, Subject},
    vault::{Purpose, Subject as Secret},
};

/// The settings as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub portal_name: String,
    /// The logo's content type and bytes; the page asks for it at `/logo`.
    pub logo: Option<(&'static str, Arc<[u8]>)>,
    /// `#rrggbb`.
    pub accent: String,
    /// Where customers can ask: an e-mail address.
    pub support: Option<String>,
    /// Sign-in tries for an address within fifteen minutes.
    pub sign_in_tries: i64,
    /// Activations from one network address within a minute.
    pub activations_per_minute: i64,
    /// How long a refusal can be looked up.
    pub keep_refusals_days: i64,
    /// Apps of LicenseSpring's kind: a machine may have several trials of a product.
    pub several_trials: bool,
    /// They are told the customer's name and company, not only the address.
    pub expose_customer: bool,
    /// They may list the users of a customer's licenses.
    pub customer_license_users: bool,
    /// They may list the licenses of a machine.
    pub device_licenses: bool,
    /// They sign in as OAuth clients; API keys are refused.
    pub oauth_required: bool,
    /// What shops and apps of Quick License Manager's kind may do.
    pub qlm: qlm::QlmSettings,
    /// How mail and short messages leave this server.
    pub mail: mail::MailSettings,
    /// Raised by every change.
    pub revision: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            portal_name: "Countersign".to_owned(),
            logo: None,
            accent: "#0b6464".to_owned(),
            support: None,
            sign_in_tries: 10,
            activations_per_minute: 600,
            keep_refusals_days: 400,
            several_trials: false,
            expose_customer: false,
            customer_license_users: false,
            device_licenses: false,
            oauth_required: false,
            qlm: qlm::QlmSettings::default(),
            mail: mail::MailSettings::default(),
            revision: 0,
        }
    }
}

/// Why a setting was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    #[error("there is no setting named {0}; `setting list` shows them all")]
    Unknown(String),
    #[error("{0}")]
    Value(&'static str),
}

/// A setting: its name, what it is for, and how its text is read and written.
struct Known {
    name: &'static str,
    about: &'static str,
    read: fn(&mut Settings, &str) -> Result<(), SettingError>,
    write: fn(&Settings) -> String,
}

static KNOWN: [Known; 12] = [
    Known {
        name: "portalName",
        about: "The name at the top of every page",
        read: |settings, text| {
            let text = text.trim();
            if text.is_empty() || text.chars().count() > 60 || text.chars().any(crate::licensing::text::is_hidden) {
                return Err(SettingError::Value("A name has 1 to 60 characters, all of them visible."));
            }
            settings.portal_name = text.to_owned();
            Ok(())
        },
        write: |settings| settings.portal_name.clone(),
    },
    Known {
        name: "logo",
        about: "A logo beside the name: a PNG, JPEG or WebP of up to 64 KB, in base64",
        read: |settings, text| {
            // As `base64` prints it: in lines.
            let text: String = text.split_whitespace().collect();
            if text.is_empty() {
                settings.logo = None;
                return Ok(());
            }
            let bytes = base64::from_standard(&text).map_err(|_| SettingError::Value("A logo is a picture in base64."))?;
            if bytes.len() > 64 * 1024 {
                return Err(SettingError::Value(
                    "This picture is larger than 64 KB. Save it smaller: it is shown 28 pixels high.",
                ));
            }
            let kind = picture_type(&bytes)
                .ok_or(SettingError::Value("This is not a PNG, JPEG or WebP picture. Save it as one of them."))?;
            settings.logo = Some((kind, bytes.into()));
            Ok(())
        },
        write: |settings| settings.logo.as_ref().map(|(_, bytes)| base64::standard(bytes)).unwrap_or_default(),
    },
    Known {
        name: "accent",
        about: "The colour of buttons and links: #rrggbb",
        read: |settings, text| {
            let text = text.trim().to_ascii_lowercase();
            if text.len() != 7 || !text.starts_with('#') || !text[1..].bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(SettingError::Value("A colour is written as #rrggbb, such as #0b6464."));
            }
            settings.accent = text;
            Ok(())
        },
        write: |settings| settings.accent.clone(),
    },
    Known {
        name: "supportAddress",
        about: "The e-mail address customers are sent to when they are stuck",
        read: |settings, text| {
            let text = text.trim();
            settings.support = if text.is_empty() {
                None
            } else {
                let email = Email::parse(text)
                    .map_err(|_| SettingError::Value("A support address is an e-mail address, such as help@example.com."))?;
                Some(email.to_string())
            };
            Ok(())
        },
        write: |settings| settings.support.clone().unwrap_or_default(),
    },
    Known {
        name: "signInTries",
        about: "Sign-in tries for one e-mail address within fifteen minutes",
        read: |settings, text| {
            let wrong = "Type a whole number from 3 to 1,000. With fewer, people lock themselves out by mistyping.";
            number(text, 3, 1000, wrong).map(|tries| settings.sign_in_tries = tries)
        },
        write: |settings| settings.sign_in_tries.to_string(),
    },
    Known {
        name: "activationsPerMinute",
        about: "Activations from one network address within a minute",
        read: |settings, text| {
            let wrong = "Type a whole number from 1 to 1,000,000.";
            number(text, 1, 1_000_000, wrong).map(|times| settings.activations_per_minute = times)
        },
        write: |settings| settings.activations_per_minute.to_string(),
    },
    Known {
        name: "keepRefusalsDays",
        about: "Days a refusal can be looked up by its reference; older ones are deleted",
        read: |settings, text| {
            let wrong =
                "Type a whole number of days from 7 to 36,500. With fewer, a customer’s reference is gone before they call.";
            number(text, 7, 36_500, wrong).map(|days| settings.keep_refusals_days = days)
        },
        write: |settings| settings.keep_refusals_days.to_string(),
    },
    Known {
        name: "severalTrials",
        about: "Apps of LicenseSpring’s kind: a machine may have several trials of a product",
        read: |settings, text| flag(text).map(|on| settings.several_trials = on),
        write: |settings| settings.several_trials.to_string(),
    },
    Known {
        name: "exposeCustomer",
        about: "Apps of LicenseSpring’s kind are told the customer’s name and company, not only the address",
        read: |settings, text| flag(text).map(|on| settings.expose_customer = on),
        write: |settings| settings.expose_customer.to_string(),
    },
    Known {
        name: "customerLicenseUsers",
        about: "Apps of LicenseSpring’s kind may list the users of a customer’s licenses",
        read: |settings, text| flag(text).map(|on| settings.customer_license_users = on),
        write: |settings| settings.customer_license_users.to_string(),
    },
    Known {
        name: "deviceLicenses",
        about: "Apps of LicenseSpring’s kind may list every license of a machine, with its key",
        read: |settings, text| flag(text).map(|on| settings.device_licenses = on),
        write: |settings| settings.device_licenses.to_string(),
    },
    Known {
        name: "oauthRequired",
        about: "Apps of LicenseSpring’s kind sign in as OAuth clients; their API keys are refused",
        read: |settings, text| flag(text).map(|on| settings.oauth_required = on),
        write: |settings| settings.oauth_required.to_string(),
    },
];

/// A setting as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub name: &'static str,
    /// What it is for, and its risk.
    pub about: &'static str,
    pub group: SettingGroup,
    /// Of a password only whether there is one.
    pub value: String,
    pub default: String,
    /// A password: encrypted before it is kept, and never shown.
    pub secret: bool,
    pub may_be_empty: bool,
}

/// What a setting belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingGroup {
    /// The portal, and the apps it serves.
    Portal,
    /// Mail and short messages.
    Mail,
    /// Server properties of Quick License Manager.
    Qlm,
}

/// What `about` of a server property of Quick License Manager begins with.
const QLM: &str = "QLM: ";

impl Setting {
    /// What it is for, where its group is named beside it.
    #[must_use]
    pub fn purpose(&self) -> &'static str {
        self.about.strip_prefix(QLM).unwrap_or(self.about)
    }
}

impl SettingGroup {
    fn of(known: &Known) -> Self {
        if known.about.starts_with(QLM) {
            Self::Qlm
        } else if mail::KNOWN.iter().any(|mail| mail.name == known.name) {
            Self::Mail
        } else {
            Self::Portal
        }
    }
}

/// Every setting there is.
fn all() -> impl Iterator<Item = &'static Known> {
    KNOWN.iter().chain(&mail::KNOWN).chain(&qlm::KNOWN).chain(&protect::KNOWN).chain(&rules::KNOWN)
}

/// The type of a picture by its first bytes, never by what somebody calls it.
fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

fn flag(text: &str) -> Result<bool, SettingError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Ok(true),
        "false" | "0" | "off" | "no" | "" => Ok(false),
        _ => Err(SettingError::Value("Say true or false.")),
    }
}

fn number(text: &str, least: i64, most: i64, wrong: &'static str) -> Result<i64, SettingError> {
    text.trim().parse().ok().filter(|number| (least..=most).contains(number)).ok_or(SettingError::Value(wrong))
}

impl Settings {
    /// The settings in a table of texts; one that no longer reads keeps its default.
    fn from_texts(texts: &BTreeMap<String, String>, revision: i64) -> Self {
        let mut settings = Self { revision, ..Self::default() };
        for known in all() {
            if let Some(text) = texts.get(known.name) {
                let _ = (known.read)(&mut settings, text);
            }
        }
        settings
    }

    /// Each setting's name, value and purpose. Of a password only whether there is one.
    #[must_use]
    pub fn list(&self) -> Vec<(&'static str, String, &'static str)> {
        all().map(|known| (known.name, self.shown(known), known.about)).collect()
    }

    /// Each setting with all that a page says of it, in the order of [`Settings::list`].
    #[must_use]
    pub fn described(&self) -> Vec<Setting> {
        let (default, mut emptied) = (Self::default(), Self::default());
        let described = all().map(|known| Setting {
            name: known.name,
            about: known.about,
            group: SettingGroup::of(known),
            value: self.shown(known),
            default: default.shown(known),
            secret: is_secret(known.name),
            may_be_empty: (known.read)(&mut emptied, "").is_ok(),
        });
        described.collect()
    }

    fn shown(&self, known: &Known) -> String {
        let value = (known.write)(self);
        if is_secret(known.name) && !value.is_empty() { HIDDEN.to_owned() } else { value }
    }
}

impl Desk {
    /// The settings as this process last saw them.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Looks whether another process changed settings or signing keys, and takes over what it did.
    pub async fn notice_changes(&self) -> Result<(), ActError> {
        let (settings, seals) = self.read().await?.revision().await?;
        if settings != self.settings().revision {
            self.reload_settings().await?;
        }
        if self.seals_seen.load(std::sync::atomic::Ordering::Acquire) != seals {
            self.reload_seals().await?;
        }
        Ok(())
    }

    pub(super) async fn reload_settings(&self) -> Result<(), ActError> {
        let mut conn = self.read().await?;
        let revision = conn.revision().await?.0;
        let settings = Arc::new(Settings::from_texts(&conn.settings().await?, revision));
        *self.settings.write().unwrap_or_else(std::sync::PoisonError::into_inner) = settings;
        Ok(())
    }

    /// Sets several settings at once: all or none. Refuses a name that is not known and a value that does not fit.
    pub async fn set_settings(&self, visitor: &Visitor, values: Vec<(String, String)>) -> Result<(), ActError> {
        visitor.needs(Area::Settings, Level::Manage)?;
        let current = self.settings();
        let mut next = (*current).clone();
        let mut changes = Vec::new();
        for (name, value) in values {
            let known = all().find(|known| known.name.eq_ignore_ascii_case(&name)).ok_or(SettingError::Unknown(name))?;
            let value = match is_secret(known.name) {
                // As it was shown: it stays.
                true if value == HIDDEN => continue,
                true if !value.trim_end_matches(['\n', '\r']).is_empty() => {
                    let value = value.trim_end_matches(['\n', '\r']);
                    let subject = Secret::named(known.name);
                    base64::standard(&self.vault.encrypt_secret(Purpose::SETTING, subject, value.as_bytes()))
                }
                _ => value,
            };
            (known.read)(&mut next, &value).map_err(|error| match error {
                SettingError::Value(message) => ActError::field(known.name, message),
                unknown @ SettingError::Unknown(_) => unknown.into(),
            })?;
            let (old, new) = ((known.write)(&current), (known.write)(&next));
            if old != new {
                changes.push((known.name, old, new));
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        mail::same_secret_for_another(&current.mail, &next.mail)?;
        let (now, actor) = (self.now(), visitor.actor());
        self.store
            .write(move |conn| {
                let (changes, actor, next) = (changes.clone(), actor.clone(), next.clone());
                Box::pin(async move {
                    let (mut before, mut after) = (serde_json::Map::new(), serde_json::Map::new());
                    for (name, old, new) in &changes {
                        conn.set(name, new, now).await?;
                        if *name == "blockComputerIDs" {
                            conn.block_everywhere(&next.qlm.protect.blocked_computers, now).await?;
                        }
                        before.insert((*name).to_owned(), shortened(name, old).into());
                        after.insert((*name).to_owned(), shortened(name, new).into());
                    }
                    let subject = Subject::of("setting", 0);
                    let (before, after) = (Some(before.into()), Some(after.into()));
                    conn.audit_apart(&NewAudit { at: now, subject, act: "settings.changed", actor, before, after }).await
                })
            })
            .await?;
        self.reload_settings().await
    }
}

/// What a password is shown as.
pub const HIDDEN: &str = "••••••••";

fn is_secret(name: &str) -> bool {
    mail::SECRETS.contains(&name)
}

/// A picture is not repeated in the audit log, and a password not told.
fn shortened(name: &str, value: &str) -> String {
    if is_secret(name) && !value.is_empty() {
        return HIDDEN.to_owned();
    }
    if value.len() > 200 { format!("{} characters", value.len()) } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_reads_what_it_writes() {
        let settings = Settings {
            portal_name: "ACME".to_owned(),
            logo: Some(("image/jpeg", vec![0xff, 0xd8, 0xff, 0xe0].into())),
            accent: "#123abc".to_owned(),
            support: Some("help@acme.example".to_owned()),
            sign_in_tries: 5,
            activations_per_minute: 9,
            keep_refusals_days: 30,
            several_trials: true,
            expose_customer: true,
            customer_license_users: true,
            device_licenses: true,
            oauth_required: true,
            qlm: qlm::QlmSettings::default(),
            // Passwords are not read from what is shown.
            mail: mail::MailSettings {
                server: "smtp.acme.example:2525".to_owned(),
                security: crate::outbound::MailSecurity::StartTls,
                user: "acme".to_owned(),
                from: "licenses@acme.example".to_owned(),
                code_by_sms: true,
                code_minutes: 5,
                code_tries: 3,
                sms_account: "AC1".to_owned(),
                sms_from: "+15005550006".to_owned(),
                sms_service: "https://sms.acme.example".to_owned(),
                ..mail::MailSettings::default()
            },
            revision: 7,
        };
        let texts = settings.list().into_iter().map(|(name, value, _)| (name.to_owned(), value)).collect();
        assert_eq!(Settings::from_texts(&texts, 7), settings);
    }

    #[test]
    fn what_could_break_a_page_or_lock_people_out_is_not_taken() {
        for (name, value) in [
            ("portalName", ""),
            ("portalName", "a\u{202e}b"),
            ("logo", "https://elsewhere.example/x.png"),
            ("logo", "PHN2Zz48c2NyaXB0Lz48L3N2Zz4="),
            ("accent", "red"),
            ("accent", "#12345g"),
            ("supportAddress", "nobody"),
            ("signInTries", "0"),
            ("activationsPerMinute", "-1"),
            ("keepRefusalsDays", "1"),
            ("severalTrials", "perhaps"),
        ] {
            let known = KNOWN.iter().find(|known| known.name == name).unwrap();
            assert!((known.read)(&mut Settings::default(), value).is_err(), "{name}={value}");
        }
    }
}
