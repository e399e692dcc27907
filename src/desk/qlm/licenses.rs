//! What systems of the vendor's own read: licenses by a filter (`GetLicensesHttp`), and orders of late (`GetRecentOrdersHttp`, §8).

use super::{QlmCall, QlmRefused, is_of, switched};
use crate::{
    desk::{Desk, Fault},
    licensing::{
        ActivationKey, Timestamp,
        license::LicenseState,
        qlm::{
            DateFormat, ErrorCode, QlmTerms, document,
            filter::{Filter, Value},
        },
    },
    store::LicenseListed,
};

/// As many as one answer holds.
const MOST: usize = 1_000;

/// As many as are looked through for one answer.
const LOOKED_THROUGH: usize = 200_000;
const AT_ONCE: i64 = 1_000;

/// Orders of at most so many minutes.
const LONGEST_MINUTES: i64 = 31 * 24 * 60;

/// One license, as name and value of each column.
pub type Listed = Vec<(&'static str, String)>;

fn row(listed: &LicenseListed, seconds: &DateFormat) -> Vec<(&'static str, Value)> {
    let LicenseListed { license, product, email, name, order } = listed;
    let own = QlmTerms::default();
    let qlm = license.terms.qlm.as_ref().unwrap_or(&own);
    let date = |at: Option<Timestamp>| Value::Text(at.map(|end| seconds.write(end.plus_seconds(-1))).unwrap_or_default());
    let text = |text: &str| Value::Text(text.to_owned());
    let most = license.terms.seats.most().unwrap_or(1_000_000);
    let number = |number: u32| Value::Number(i64::from(number));
    vec![
        ("activationKey", Value::Text(license.key.as_ref().map(ActivationKey::text).unwrap_or_default())),
        ("productID", Value::Number(product.number.unwrap_or_default())),
        ("productName", text(&product.name)),
        ("majorVersion", number(qlm.major)),
        ("minorVersion", number(qlm.minor)),
        ("licenseModel", text(document::model(license, qlm).as_str())),
        ("email", text(email.as_deref().unwrap_or_default())),
        ("fullName", text(name.as_deref().unwrap_or_default())),
        ("orderID", text(order.as_deref().unwrap_or_default())),
        ("subscriptionID", text(license.subscription.as_ref().map(|(_, id)| id.as_str()).unwrap_or_default())),
        ("orderDate", Value::Text(seconds.write(license.created))),
        ("numLicenses", number(most)),
        ("availableLicenses", number(most.saturating_sub(license.seats_taken))),
        ("subscriptionExpiryDate", date(license.terms.expiry.instant(license.first_activated))),
        ("maintenanceRenewalDate", date(license.terms.maintenance.instant(license.first_activated))),
        ("features", Value::Text(qlm.features.text())),
        ("affiliateID", text(&qlm.affiliate)),
        ("userData1", text(&qlm.user_data)),
        ("disabled", Value::Number(i64::from(!matches!(license.state, LicenseState::Enabled)))),
    ]
}

fn shown(row: Vec<(&'static str, Value)>) -> Listed {
    let text = |value: Value| match value {
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text,
    };
    row.into_iter().map(|(name, value)| (name, text(value))).collect()
}

impl Desk {
    /// Licenses that fit a filter, in the order they were made.
    pub async fn qlm_licenses(&self, call: &QlmCall) -> Result<Result<Vec<Listed>, QlmRefused>, Fault> {
        if let Err(refused) = switched(self.settings().qlm.licenses, "enableGetLicensesHttp") {
            return Ok(Err(refused));
        }
        let extension = match self.caller_with_password(call).await? {
            Ok(extension) => extension,
            Err(refused) => return Ok(Err(refused)),
        };
        let wrong = |message: String| Ok(Err(QlmRefused::new(ErrorCode::MissingArgument, message)));
        let filter = match Filter::parse(call.args.text("is_filter").unwrap_or_default()) {
            Ok(filter) => filter,
            Err(error) => return wrong(error.to_string()),
        };
        let (most, offset) = match (call.args.count("is_batchsize", 1), call.args.count("is_offset", 0)) {
            (Ok(most), Ok(offset)) => (most.map_or(MOST, |most| (most as usize).min(MOST)), offset.unwrap_or(0) as usize),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error.into())),
        };
        let seconds = DateFormat::parse("yyyy-MM-dd HH:mm:ss").map_err(|_| Fault::Kept("a date format"))?;
        let (mut found, mut passed, mut looked, mut after) = (Vec::new(), 0, 0, 0);
        let mut conn = self.read().await?;
        loop {
            let page = conn.licenses_listed(after, AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            after = last.license.id.0;
            looked += page.len();
            for listed in page.iter().filter(|listed| is_of(&extension, &listed.license)) {
                let row = row(listed, &seconds);
                let column =
                    |name: &str| row.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone());
                if !filter.fits(&column) {
                    continue;
                }
                if passed < offset {
                    passed += 1;
                } else {
                    found.push(shown(row));
                }
                if found.len() >= most {
                    return Ok(Ok(found));
                }
            }
            if looked >= LOOKED_THROUGH {
                return wrong(
                    "More than 200,000 licenses would be looked through. Ask for less: is_filter, is_batchsize.".to_owned(),
                );
            }
        }
        Ok(Ok(found))
    }

    /// Licenses of the last minutes, as what polls for them expects: newest first.
    pub async fn qlm_recent_orders(&self, call: &QlmCall) -> Result<Result<Vec<Listed>, QlmRefused>, Fault> {
        if let Err(refused) = switched(self.settings().qlm.recent_orders, "enableGetRecentOrders") {
            return Ok(Err(refused));
        }
        let extension = match self.caller_with_password(call).await? {
            Ok(extension) => extension,
            Err(refused) => return Ok(Err(refused)),
        };
        let minutes = match call.args.number("is_period") {
            Ok(minutes) => minutes.unwrap_or(60).clamp(1, LONGEST_MINUTES),
            Err(error) => return Ok(Err(error.into())),
        };
        let since = self.now().plus_seconds(-60 * minutes);
        let seconds = DateFormat::parse("yyyy-MM-dd HH:mm:ss").map_err(|_| Fault::Kept("a date format"))?;
        let listed = self.read().await?.licenses_since(since, MOST as i64).await?;
        Ok(Ok(listed
            .iter()
            .filter(|one| is_of(&extension, &one.license))
            .map(|one| {
                let mut row = shown(row(one, &seconds));
                // What polls tells new from old by this.
                row.insert(0, ("id", one.license.id.0.to_string()));
                row
            })
            .collect()))
    }
}
