//! What every vendor page shares: its frame, the sentence about the act before it, and people's words for what is kept.

use axum::{http::StatusCode, response::Response};
use leptos::prelude::*;

use crate::{
    app::{
        ui::{FormState, Tone},
        vendor::{Address, Change, Ends, EventRow, Standing},
        view::{Frame, StaffBadge, VendorFrame},
    },
    desk::{ActError, Area, Level, Role, Visitor},
    licensing::{
        Date, TextError, Timestamp,
        license::{Actor, Expiry, Floating, License, LicenseState, Limit, TransferLimit},
        text::Line,
        usage::WentBack,
    },
    server::{
        AppState,
        page::{act_problem, page},
    },
    store::{AuditEntry, SubjectNames},
};

pub fn badge(visitor: &Visitor) -> StaffBadge {
    let (email, role) = match visitor {
        Visitor::Staff { email, role, .. } => (email.clone(), *role),
        Visitor::Operator => ("operator".to_owned(), Role::Owner),
        // It has no pages.
        Visitor::Extension { name } => (name.clone(), Role::Viewer),
    };
    StaffBadge {
        email,
        role: role.as_str().to_owned(),
        manages_licenses: role.level(Area::Licenses) == Level::Manage,
        manages_products: role.level(Area::Products) == Level::Manage,
        manages_settings: role.level(Area::Settings) == Level::Manage,
        manages_team: role.level(Area::Team) == Level::Manage,
        reads_settings: role.level(Area::Settings) >= Level::Read,
        reads_audit: role.level(Area::Audit) >= Level::Read,
    }
}

/// Draws a page for signed-in staff. `said` is the code of what the act before did, from the address.
pub fn draw<V: IntoView>(
    state: &AppState,
    status: StatusCode,
    visitor: &Visitor,
    said: &str,
    view: impl FnOnce(VendorFrame) -> V,
) -> Response {
    let staff = badge(visitor);
    let said = sentence(said).map(|(tone, text)| (tone, text.to_owned()));
    page(state, status, |frame: Frame| view(VendorFrame { frame, staff, said }))
}

/// What an act did, said on the page after it. A closed list: an address can't put words into our mouth.
fn sentence(code: &str) -> Option<(Tone, &'static str)> {
    Some(match code {
        "issued" => (Tone::Good, "Issued. “Message” has a text for the customer, with the key in it."),
        "issued-order" => (Tone::Good, "Issued. All keys stand under the licenses, to be copied at once."),
        "saved" => (Tone::Good, "Saved."),
        "renewed" => (Tone::Good, "Renewed. Machines get the new end with their next file or check."),
        "disabled" => (Tone::Good, "Disabled. Nothing new is granted; what runs stays as it is."),
        "enabled" => (Tone::Good, "Enabled again."),
        "freed" => (Tone::Good, "The machine is free, and so is its seat."),
        "revoked" => (Tone::Good, "The seat is taken back and the machine is barred."),
        "allowed" => (Tone::Good, "The machine may activate again."),
        "added" => (Tone::Good, "Added."),
        "credentials-revoked" => (Tone::Good, "Revoked. Whoever shows them is refused from now on."),
        "shown-before" => (
            Tone::Caution,
            "This form was sent before, and its secret was shown then. Nothing was made twice. If the secret is lost, revoke it and make another.",
        ),
        "removed" => (Tone::Good, "Removed."),
        "event-again" => (Tone::Good, "It was acted on again. What became of it stands above."),
        "mail-again" => (Tone::Good, "It is being tried again. Look at this page in a moment."),
        "mail-tried" => (Tone::Good, "A letter is on its way. It stands first in this list, with what became of it."),
        "paused" => (Tone::Good, "Activations are paused. Machines that run go on."),
        "resumed" => (Tone::Good, "Activations go on."),
        "signed-out" => (Tone::Good, "Signed out everywhere."),
        "password" => (Tone::Good, "The password is changed, and other sessions have ended."),
        "rotated" => (Tone::Good, "Rotated. The new key signs from now on."),
        "published" => (
            Tone::Good,
            "A new key was published. It can sign a day from now, when apps have had time to learn it: rotate again then.",
        ),
        "compromised" => {
            (Tone::Caution, "The key is believed no more, and the next one signs. The machines below need new files.")
        }
        _ => return None,
    })
}

/// Puts what stood in an act's way beside the field it is about. `Err` carries what belongs on a page of its own.
pub fn refuse(state: &AppState, form: &mut FormState, error: ActError) -> Result<StatusCode, Response> {
    match error {
        ActError::Field { field, message } => {
            form.refuse(field, message);
            Ok(StatusCode::UNPROCESSABLE_ENTITY)
        }
        ActError::Taken(what) => {
            let field = match what {
                "code or number" | "code" => "code",
                "number" => "number",
                "key" => "key",
                "e-mail address" => "email",
                "version" => "version",
                _ => "",
            };
            form.refuse(field, format!("This {what} is taken. Choose another."));
            Ok(StatusCode::CONFLICT)
        }
        ActError::Transition(transition) => {
            form.refuse_whole(format!(
                "Nothing was changed: {transition}. Someone may have been faster; look at the page again."
            ));
            Ok(StatusCode::CONFLICT)
        }
        other => Err(act_problem(state, other)),
    }
}

pub fn actor(actor: &Actor) -> String {
    match actor {
        Actor::Customer => "the customer".to_owned(),
        Actor::Staff { email, .. } => email.clone(),
        Actor::Operator => "the command line".to_owned(),
        Actor::ApiKey { name } => format!("the app {name}"),
        Actor::Extension { name } => format!("the shop {name}"),
        Actor::System => "the portal itself".to_owned(),
    }
}

/// An audit entry as a sentence, with what changed; with its subject where names are given.
pub fn event(entry: &AuditEntry, named: Option<(&SubjectNames, &Visitor)>) -> EventRow {
    let (before, after) = (kept(entry.before.as_deref()), kept(entry.after.as_deref()));
    let shown = |name: &str, value: Option<&serde_json::Value>| match (name, value?.as_i64()) {
        ("start", Some(at)) => Some(Timestamp::from_millis(at).date().for_people()),
        // An end is the instant after the last day.
        ("valid_until", None) => {
            let end = value?.as_str().and_then(|text| Timestamp::from_rfc3339(text).ok())?;
            Some(format!("through {}", end.plus_millis(-1).date().for_people()))
        }
        // What did not happen is no news.
        ("rebound", None) if value?.as_bool() == Some(false) => None,
        ("users", Some(0)) => None,
        // Since when, by whom and why stand in the entry itself.
        ("state", None) => value?.get("state").or(value).map(value_words),
        _ => Some(value_words(value?)).filter(|text| !text.is_empty()),
    };
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let changes = names.into_iter().filter(|name| !["reason", WentBack::CODE].contains(&name.as_str())).filter_map(|name| {
        let (before, after) = (shown(name, before.get(name)), shown(name, after.get(name)));
        // A signing key's id is spelt as it is.
        let name = if name.starts_with(KEY) { name.clone() } else { name.replace('_', " ") };
        (before.is_some() || after.is_some()).then_some(Change { name, before, after })
    });
    let changes = changes.chain(went_back(&after));
    // Who signed in is said already.
    let subject = named.filter(|_| entry.act != "staff.signed_in").map(|(names, reader)| subject(entry, names, reader));
    EventRow {
        at: entry.at,
        actor: actor(&entry.actor),
        act: if subject.is_some() { joined(entry, act_words(&entry.act)) } else { act_words(&entry.act) },
        subject,
        changes: changes.collect(),
        reason: after
            .get("reason")
            .or_else(|| after.get("state")?.get("reason"))
            .and_then(|reason| reason.as_str())
            .map(str::to_owned),
    }
}

/// An act with the word that joins it to its subject.
fn joined(entry: &AuditEntry, act: String) -> String {
    let by_itself = ["the license", "the product", "the order", "the customer", "the member", "an API key"];
    if by_itself.iter().any(|object| act.ends_with(object)) {
        return act;
    }
    match entry.subject_kind.as_str() {
        "license" => act + " on license",
        "product" | "staff" => act + " of",
        _ => act,
    }
}

/// The name of a change to a signing key begins so.
const KEY: &str = "key ";

/// What an entry keeps, by name. A turn of signing keys keeps a list: each key and the state it is in now.
fn kept(text: Option<&str>) -> serde_json::Map<String, serde_json::Value> {
    match text.and_then(|text| serde_json::from_str(text).ok()) {
        Some(serde_json::Value::Object(members)) => members,
        Some(serde_json::Value::Array(keys)) => keys
            .iter()
            .filter_map(|key| {
                let short: String = key.get("kid")?.as_str()?.chars().take(12).collect();
                Some((format!("{KEY}{short}…"), key.get("state")?.clone()))
            })
            .collect(),
        _ => serde_json::Map::new(),
    }
}

/// Counters of an app that are lower than they were: said as what they were and are.
fn went_back(after: &serde_json::Map<String, serde_json::Value>) -> Vec<Change> {
    let all = after.get(WentBack::CODE).and_then(|value| value.as_array()).cloned().unwrap_or_default();
    let change = |one: serde_json::Value| {
        let name = match one.get("feature").and_then(|code| code.as_str()) {
            Some(code) => format!("the counter of {code} went back"),
            None => "the counter went back".to_owned(),
        };
        let number = |name: &str| one.get(name).map(ToString::to_string);
        Change { name, before: number("was"), after: number("now") }
    };
    all.into_iter().map(change).collect()
}

/// Whether an entry tells of a counter that went back, and of which machine.
pub fn tells_of_a_lower_counter(entry: &AuditEntry) -> Option<String> {
    let after = kept(entry.after.as_deref());
    let machine = after.get("device").and_then(|device| device.as_str()).unwrap_or("a machine").to_owned();
    after.contains_key(WentBack::CODE).then_some(machine)
}

/// A kept value as people say it; nothing for what is empty.
fn value_words(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(value_words).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", "),
        Value::Object(parts) => {
            let said = parts.iter().filter_map(|(name, value)| part_words(name, value)).collect::<Vec<_>>();
            said.join(", ")
        }
    }
}

fn part_words(name: &str, value: &serde_json::Value) -> Option<String> {
    // Ends are kept as the instant after the last day.
    if matches!(name, "on" | "until")
        && let Some(end) = value.as_i64().map(Timestamp::from_millis)
    {
        return Some(format!("until {}", end.plus_millis(-1).date().for_people()));
    }
    let text = value_words(value);
    match name {
        _ if text.is_empty() => None,
        "at_most" => Some(text),
        _ => Some(format!("{} {text}", name.replace('_', " "))),
    }
}

/// What an entry is about, and where that is; no address where the reader may not go, or nothing is left.
fn subject(entry: &AuditEntry, names: &SubjectNames, reader: &Visitor) -> (String, Option<String>) {
    let id = entry.subject_id;
    let found = names.get(&(entry.subject_kind.clone(), id));
    let name = found.and_then(|found| found.name.clone());
    let reads = |area: Area| reader.needs(area, Level::Read).is_ok();
    let there = |href: String| found.is_some().then_some(href);
    match entry.subject_kind.as_str() {
        "license" => {
            let ends = name.as_deref().and_then(|key| key.rsplit('-').next()).map(|last| format!("…{last}"));
            (ends.unwrap_or_else(|| format!("license {id}")), there(format!("/vendor/licenses/{id}")))
        }
        "order" => (name.unwrap_or_else(|| format!("order {id}")), there(format!("/vendor/orders/{id}"))),
        "staff" => {
            let page = there(format!("/vendor/team/{id}")).filter(|_| reads(Area::Team));
            (name.unwrap_or_else(|| format!("member {id}")), page)
        }
        "product" => {
            let page = found.and_then(|found| found.code.as_ref()).map(|code| format!("/vendor/products/{code}"));
            (name.unwrap_or_else(|| format!("product {id}")), page)
        }
        "customer" => {
            let list = name.as_ref().map(|email| Address::new("/vendor/licenses").with("q", email.clone()).href());
            (name.unwrap_or_else(|| format!("customer {id}")), list)
        }
        "seal" => {
            let of = name.map_or_else(|| "of the whole portal".to_owned(), |product| format!("of {product}"));
            (of, reads(Area::Settings).then(|| "/vendor/keys".to_owned()))
        }
        "setting" => ("of the portal".to_owned(), reads(Area::Settings).then(|| "/vendor/settings".to_owned())),
        kind => (name.unwrap_or_else(|| format!("{} {id}", kind.replace('_', " "))), None),
    }
}

fn act_words(act: &str) -> String {
    match act {
        "license.issued" => "issued the license",
        "license.activated" => "activated a machine",
        "license.rebound" => "set a machine up anew",
        "license.released" => "released a machine",
        "license.edited" => "edited the license",
        "license.renewed" => "renewed the license",
        "license.disabled" => "disabled the license",
        "license.enabled" => "enabled the license",
        "license.archived" => "archived the license",
        "license.user_changed" => "changed whose machine it is",
        "license.user_seats" => "said how many machines a user may have",
        "license.reset" => "freed every machine and reset the counters",
        "device.revoked" => "revoked a machine and barred it",
        "device.allowed" => "allowed a machine again",
        "device.blocked" => "blocked a machine",
        "product.added" => "added the product",
        "product.edited" => "edited the product",
        "version.added" => "added a version",
        "installation.added" => "said where a version is downloaded",
        "feature.added" => "added a feature",
        "policy.added" => "added a policy",
        "staff.added" => "added the member",
        "staff.signed_in" => "signed in",
        "staff.signed_out_everywhere" => "ended every session",
        "staff.role_changed" => "changed the role",
        "staff.disabled" => "disabled the member",
        "staff.enabled" => "let the member in again",
        "staff.password_changed" => "changed the password",
        "settings.changed" => "changed settings",
        "property.set" => "mapped a product of a shop",
        "template.set" => "wrote a mail template",
        "template.removed" => "removed a mail template",
        "property.removed" => "removed a product of a shop",
        "mail.tried" => "sent a letter to try out mail",
        "keys.rotated" => "rotated signing keys",
        "keys.standby_added" => "published a new signing key",
        "keys.made" => "made the first signing keys",
        "keys.imported" => "took a signing key made elsewhere as the next one",
        "keys.retired" => "took signing keys out of use",
        "keys.compromised" => "marked a signing key as compromised",
        "license.slot_borrowed" => "took a slot along",
        "license.slot_returned" => "gave a slot back",
        "license.used" => "told of its use",
        "license.file_made" => "made a license file anew",
        "license.code_given_out" => "gave out an initialization code",
        "license.user_password_changed" => "changed a user's password",
        "license.customer_set" => "noted whose license it is",
        "order.added" => "added the order",
        "customer.added" => "added the customer",
        "api_key.added" => "added an API key",
        "api_key.revoked" => "revoked an API key",
        "bundle.added" => "added a bundle",
        "customer_account.added" => "added a customer account",
        "customer_account.sso_set" => "said where a customer account’s people sign in",
        "customer_account.sso_removed" => "let nobody of a customer account sign in any more",
        "customer.edited" => "changed what is known of the customer",
        "customer.phone_set" => "noted the customer’s phone",
        "customer.agreed" => "agreed, by a link in a letter",
        "customer.withdrew" => "took back what was agreed",
        "customer.account_set" => "said which account the customer is in",
        "extension.added" => "added an extension",
        "extension.edited" => "changed an extension’s keys or map",
        "extension.address" => "gave an extension a new secret address",
        "event.replayed" => "had an event of a shop acted on again",
        "extension.enabled" => "switched an extension on",
        "extension.disabled" => "switched an extension off",
        "oauth_client.added" => "added an OAuth client",
        "oauth_client.rotated" => "gave an OAuth client a new secret",
        "oauth_client.revoked" => "revoked an OAuth client",
        other => return other.replace(['.', '_'], " "),
    }
    .to_owned()
}

pub fn ends(expiry: Expiry, valid_until: Option<Timestamp>) -> Ends {
    match (valid_until, expiry.days_after_first_activation, expiry.days_counted_by_client) {
        (Some(end), ..) => Ends::On(end),
        (None, Some(days), _) => Ends::Later(format!("{days} days after activation")),
        (None, None, Some(days)) => Ends::Later(format!("{days} days, counted by the app")),
        (None, None, None) => Ends::Never,
    }
}

pub fn standing(license: &License, now: Timestamp) -> Standing {
    match license.state {
        LicenseState::Disabled { .. } => Standing::Disabled,
        LicenseState::Archived { .. } => Standing::Archived,
        LicenseState::Enabled if license.is_expired(now) => Standing::Expired,
        LicenseState::Enabled if license.terms.start.is_some_and(|start| now < start) => Standing::NotStarted,
        LicenseState::Enabled => Standing::Enabled,
    }
}

// What people type into forms.

pub fn typed_seats(text: &str) -> Result<Limit, &'static str> {
    match text.trim() {
        "unlimited" | "∞" => Ok(Limit::Unlimited),
        text => text
            .parse()
            .ok()
            .filter(|seats| (1..=1_000_000).contains(seats))
            .map(Limit::AtMost)
            .ok_or("Type a number from 1 to 1,000,000, or “unlimited”."),
    }
}

/// Slots and the hours for which one may be borrowed, or which field is in the way.
pub fn typed_floating(slots: &str, borrow_hours: &str) -> Result<Option<Floating>, (&'static str, String)> {
    let slots = typed_number(slots, 1_000_000).map_err(|message| ("slots", message))?;
    let hours = typed_number(borrow_hours, 87_600).map_err(|message| ("borrow_hours", message))?;
    match (slots, hours) {
        (Some(0), _) => {
            Err(("slots", "Nobody could work. Type 1 or more, or nothing where every seat may work at any time.".to_owned()))
        }
        (Some(slots), hours) => Ok(Some(Floating { slots, borrow_hours: hours.unwrap_or(0) })),
        (None, Some(1..)) => Err(("slots", "Only a slot can be borrowed. Type how many machines may work at once.".to_owned())),
        (None, _) => Ok(None),
    }
}

/// As the two fields show them.
pub fn shown_floating(floating: Option<Floating>) -> [(&'static str, String); 2] {
    let hours = floating.map(|floating| floating.borrow_hours).filter(|hours| *hours > 0);
    [
        ("slots", floating.map(|floating| floating.slots.to_string()).unwrap_or_default()),
        ("borrow_hours", hours.map(|hours| hours.to_string()).unwrap_or_default()),
    ]
}

/// A line that may be left out.
pub fn typed_line<const MOST: usize>(text: &str) -> Result<Option<String>, String> {
    match Line::<MOST>::parse(text) {
        Ok(line) => Ok(Some(line.into())),
        Err(TextError::Empty) => Ok(None),
        Err(TextError::TooLong) => Err(format!("At most {MOST} characters fit here. Shorten it.")),
        Err(TextError::HiddenCharacters | TextError::NotAllowed) => {
            Err("This contains characters that cannot be seen, or a line break. Type it instead of pasting it.".to_owned())
        }
    }
}

/// A reason, which has to be given.
pub fn typed_reason(text: &str) -> Result<String, String> {
    let needed = "Say in a few words why: the next person who is asked about it will need it.";
    typed_line::<200>(text)?.ok_or_else(|| needed.to_owned())
}

pub fn typed_transfers(text: &str) -> Result<TransferLimit, &'static str> {
    match text.trim() {
        "" | "unlimited" => Ok(TransferLimit::Unlimited),
        "none" | "0" => Ok(TransferLimit::Forbidden),
        text => text.parse().map(TransferLimit::AtMost).map_err(|_| "Type a number, “none”, or nothing for any number."),
    }
}

pub fn typed_day(text: &str) -> Result<Option<Date>, &'static str> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| "Type a day as 2027-03-12."),
    }
}

pub fn typed_number(text: &str, most: u32) -> Result<Option<u32>, String> {
    match text.trim() {
        "" => Ok(None),
        text => text
            .parse()
            .ok()
            .filter(|number| *number <= most)
            .map(Some)
            .ok_or_else(|| format!("Type a whole number up to {most}.")),
    }
}

pub fn shown_seats(seats: Limit) -> String {
    seats.most().map_or_else(|| "unlimited".to_owned(), |most| most.to_string())
}

pub fn shown_transfers(transfers: TransferLimit) -> String {
    match transfers {
        TransferLimit::Unlimited => String::new(),
        TransferLimit::Forbidden => "none".to_owned(),
        TransferLimit::AtMost(most) => most.to_string(),
    }
}

/// The last day of something that ends at `end`, as a date field holds it.
pub fn shown_day(end: Option<Timestamp>) -> String {
    end.map(|end| end.plus_millis(-1).date().to_string()).unwrap_or_default()
}

/// The value of a name in a query.
pub fn of<'a>(query: &'a [(String, String)], name: &str) -> &'a str {
    query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SubjectName;

    #[test]
    fn an_address_cannot_put_words_into_our_mouth() {
        assert_eq!(sentence("Your account was closed, call +1 555"), None);
        assert!(sentence("saved").is_some());
    }

    fn entry(kind: &str, act: &str, after: serde_json::Value) -> AuditEntry {
        AuditEntry {
            id: 1,
            at: Timestamp::from_seconds(1_790_000_000),
            subject_kind: kind.to_owned(),
            subject_id: 7,
            act: act.to_owned(),
            actor: Actor::Customer,
            before: None,
            after: Some(after.to_string()),
            hash: Vec::new(),
        }
    }

    #[test]
    fn a_turn_of_keys_names_each_key_and_its_state() {
        let after = serde_json::json!([{ "kid": "x7da_yPRXPg_jT_rT5Ycd", "state": "active" }]);
        let row = event(&entry("seal", "keys.rotated", after), None);
        let changes: Vec<_> = row.changes.iter().map(|change| (change.name.as_str(), change.after.as_deref())).collect();
        assert_eq!(changes, [("key x7da_yPRXPg_…", Some("active"))]);
    }

    #[test]
    fn a_counter_that_went_back_is_told_in_words() {
        let after = serde_json::json!({ "device": "HW-1", "counter_went_back": [{ "feature": "export", "was": 12, "now": 3 }] });
        let entry = entry("license", "license.used", after);
        assert_eq!(tells_of_a_lower_counter(&entry).as_deref(), Some("HW-1"));
        let row = event(&entry, None);
        let told = row.changes.iter().find(|change| change.name == "the counter of export went back").expect("it is told");
        assert_eq!((told.before.as_deref(), told.after.as_deref()), (Some("12"), Some("3")));
        assert_eq!(row.changes.len(), 2, "the device, and the counter once");
    }

    #[test]
    fn a_subject_is_named_and_linked_as_far_as_its_reader_may_go() {
        let named = |name: &str| SubjectName { name: Some(name.to_owned()), code: None };
        let names = SubjectNames::from([
            (("license".to_owned(), 7), named("7QX4A-9TJ2M-0BCDE-K07JT")),
            (("staff".to_owned(), 7), named("bob@vendor.example")),
        ]);
        let reader = |role| Visitor::Staff { id: crate::licensing::UserId(1), email: "x@y.example".to_owned(), role };
        let of =
            |kind: &str, role| event(&entry(kind, "x", serde_json::json!({})), Some((&names, &reader(role)))).subject.unwrap();
        assert_eq!(of("license", Role::Support), ("…K07JT".to_owned(), Some("/vendor/licenses/7".to_owned())));
        assert_eq!(of("staff", Role::Support), ("bob@vendor.example".to_owned(), None));
        assert_eq!(of("staff", Role::Admin).1.as_deref(), Some("/vendor/team/7"));
        assert_eq!(of("order", Role::Owner), ("order 7".to_owned(), None), "it is gone");
    }

    #[test]
    fn what_was_kept_is_said_as_people_say_it() {
        let said = |json: serde_json::Value| value_words(&json);
        assert_eq!(said(serde_json::json!({ "at_most": 2 })), "2");
        assert_eq!(said(serde_json::json!("press_7")), "press_7");
        assert_eq!(
            said(serde_json::json!({ "on": 1_580_515_200_000_i64, "days_after_first_activation": null })),
            "until 31 Jan 2020"
        );
        assert_eq!(said(serde_json::json!(["a", null, true])), "a, yes");
        assert_eq!(said(serde_json::json!("")), "");
    }

    #[test]
    fn limits_are_typed_as_people_write_them() {
        assert_eq!(typed_seats(" 3 "), Ok(Limit::AtMost(3)));
        assert_eq!(typed_seats("unlimited"), Ok(Limit::Unlimited));
        assert_eq!(typed_transfers(""), Ok(TransferLimit::Unlimited));
        assert_eq!(typed_transfers("none"), Ok(TransferLimit::Forbidden));
        for wrong in ["", "0", "-1", "3.5", "many", "99999999999"] {
            assert!(typed_seats(wrong).is_err(), "{wrong}");
        }
        assert!(typed_day("12.03.2027").is_err());
        assert!(typed_number("-1", 9).is_err());
    }
}
