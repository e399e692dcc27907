//! Installs that apps tell of (§8): to the day. Calls carry no password, so that an address tells only so many an hour.

use super::{QlmCall, QlmRefused, counted, switched};
use crate::{
    desk::{ActError, Area, Desk, Fault, Level, Visitor},
    licensing::{ActivationKey, Timestamp, qlm::ErrorCode, text::is_hidden},
    store::{Install, SeenInstall},
};

/// Calls that one network address may make in an hour.
const TOLD_HOUR: i64 = 200;

/// As many as are listed.
const LISTED: i64 = 10_000;

/// What an app tells of its install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Added,
    Changed,
    Used,
    Removed,
}

impl Desk {
    /// Keeps what an app tells of its install. A new one is given a name, which the app shows from then on.
    pub async fn qlm_install(&self, call: &QlmCall, told: Told) -> Result<Result<String, QlmRefused>, Fault> {
        if let Err(refused) = switched(self.settings().qlm.analytics, "enablePublishAnalyticsApi") {
            return Ok(Err(refused));
        }
        let args = &call.args;
        let text = |names: &[&str]| -> String {
            let text = args.first(names).unwrap_or_default();
            text.chars().filter(|c| !is_hidden(*c)).take(200).collect()
        };
        let token = match told {
            Told::Added => uuid(crate::vault::random_bytes()),
            _ => match args.required("is_installid") {
                Ok(id) => id.to_lowercase(),
                Err(error) => return Ok(Err(error.into())),
            },
        };
        let version = text(&["is_swversion"]);
        let version = if version.is_empty() {
            [text(&["is_majorversion"]), text(&["is_minorversion"])].join(".").trim_matches('.').to_owned()
        } else {
            version
        };
        let install = Install {
            token: token.clone(),
            product_name: text(&["is_productname"]),
            version,
            computer_name: text(&["is_computer_name"]),
            computer_id: text(&["is_computerid", "is_pcid"]),
            // Enough to talk about it; a key is no business of a statistic's.
            key_ends: args
                .text("is_avkey")
                .and_then(|key| ActivationKey::parse(key).ok())
                .map(|key| key.last_group())
                .unwrap_or_default(),
            os: text(&["is_osversion"]),
            trial: args.flag("is_trial").ok().flatten().unwrap_or(false),
            custom: ["is_customdata1", "is_customdata2", "is_customdata3"].map(|name| text(&[name])).join("\n"),
        };
        let (from, now) = (call.from.clone(), self.now());
        let day: Timestamp = now.date().midnight();
        let kept = self.store.write(move |conn| {
            let (from, install) = (from.clone(), install.clone());
            Box::pin(async move {
                if let Some(from) = &from
                    && conn.count_try(&counted("install", from), 3_600, now).await? > TOLD_HOUR
                {
                    return Ok(None);
                }
                Ok(Some(match told {
                    Told::Added => conn.add_install(&install, day).await.map(|()| true)?,
                    Told::Changed => conn.update_install(&install, day).await?,
                    Told::Used => conn.install_seen(&install.token, day, false).await?,
                    Told::Removed => conn.install_seen(&install.token, day, true).await?,
                }))
            })
        });
        Ok(match kept.await? {
            Some(true) => Ok(token),
            Some(false) => Err(QlmRefused::new(ErrorCode::NoData, "There is no install with this is_installid. Add it first.")),
            None => Err(QlmRefused::new(ErrorCode::Blocked, "Too much was told from this address. Try again in an hour.")),
        })
    }

    /// Installs that apps told of, newest first.
    pub async fn installs(&self, visitor: &Visitor) -> Result<Vec<SeenInstall>, ActError> {
        visitor.needs(Area::Licenses, Level::Read)?;
        Ok(self.read().await?.installs(LISTED).await?)
    }
}

/// A random UUID (RFC 9562, version 4), as such clients expect a name.
fn uuid(random: [u8; 16]) -> String {
    uuid::Builder::from_random_bytes(random).into_uuid().to_string()
}
