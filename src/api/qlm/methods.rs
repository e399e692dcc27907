//! The methods, by name: what each is given and how it is answered (§2.2).

use axum::{http::StatusCode, response::Response};
use serde_json::json;

use super::reply;
use crate::{
    desk::{Fault, InstallTold, KeyForm, Listed, QlmCall, QlmRefused},
    licensing::{
        ProductId, Timestamp,
        activation::Activation,
        license::License,
        qlm::{
            DateFormat, ErrorCode,
            document::{self, Element},
        },
    },
    server::AppState,
};

/// As clients know it: they ask for a version that has what they need.
const SERVER_VERSION: &str = "20.0.0.0";

/// As many characters as SWREG takes between its marks.
const SOFTSHOP_LONGEST: usize = 600;

/// Methods that answer in XML or JSON.
const READ: [&str; 4] = ["retrieveactivationkeyhttp", "getactivationloghttp", "getlicenseshttp", "getrecentordershttp"];

pub async fn run(state: &AppState, method: &str, call: QlmCall) -> Response {
    let desk = &state.desk;
    let asked = call.clone();
    let call = match desk.qlm_expanded(call).await {
        Ok(Ok(call)) => call,
        Ok(Err(refused)) => return reply::refused(state, &asked, refused).await,
        Err(fault) => return reply::failed(fault),
    };
    let call = &call;
    if let Err(error) = call.args.check() {
        return reply::refused(state, call, error.into()).await;
    }
    match desk.qlm_signed(call, method).await {
        Ok(Ok(())) => {}
        // In the form that was asked for, where the method has several.
        Ok(Err(refused)) if READ.contains(&method) => return read_refused(state, call, refused).await,
        Ok(Err(refused)) => return reply::refused(state, call, refused).await,
        Err(fault) => return reply::failed(fault),
    }
    match method {
        "pinghttp" => reply::plain(&ping(desk.now())),
        "getactivationkey" | "getactivationkeywithexpirydate" => match desk.qlm_create_keys(call).await {
            Ok(Ok(made)) if made.form == KeyForm::Xml => {
                let licenses =
                    made.keys.into_iter().map(|key| Element::holding("license", vec![Element::text("activationKey", key)]));
                let licenses = Element::holding("licenses", licenses.collect());
                reply::plain(&Element::holding(document::ROOT, vec![licenses]))
            }
            Ok(Ok(made)) => {
                let keys = made.keys.join("\n");
                match made.form {
                    KeyForm::SoftShop if keys.len() > SOFTSHOP_LONGEST => {
                        let message = "Error: the keys are issued, and more than this shop takes in one answer. Send them from the vendor’s site.";
                        reply::failure(reply::status(state, ErrorCode::License), ErrorCode::License, message)
                    }
                    KeyForm::SoftShop => reply::text(format!("<softshop>{keys}</softshop>")),
                    KeyForm::Lines | KeyForm::Xml => reply::text(keys),
                }
            }
            Ok(Err(refused)) => reply::refused(state, call, refused).await,
            Err(fault) => reply::failed(fault),
        },
        "getlatestversionhttp" => match latest(state, call).await {
            Ok(Ok(element)) => reply::plain(&element),
            Ok(Err(refused)) => reply::refused(state, call, refused).await,
            Err(fault) => reply::failed(fault),
        },
        "updateuserinformation" => changed(state, call, desk.qlm_customer(call).await).await,
        "retrieveactivationkeyhttp" => match desk.qlm_retrieve(call).await {
            Ok(Ok(licenses)) => keys_of(call, &licenses),
            Ok(Err(refused)) => read_refused(state, call, refused).await,
            Err(fault) => reply::failed(fault),
        },
        "getactivationloghttp" => match desk.qlm_activation_log(call).await {
            Ok(Ok(activations)) => log_of(call, &activations),
            Ok(Err(refused)) => read_refused(state, call, refused).await,
            Err(fault) => reply::failed(fault),
        },
        "qlmregistration.asmx/register" => changed(state, call, desk.qlm_register(call).await).await,
        "upgradelicense" => match desk.qlm_upgrade(call).await {
            Ok(Ok(upgraded)) if upgraded.as_xml => {
                let more = vec![Element::text("activationKey", upgraded.key.clone())];
                let message = format!("Successfully upgraded license information for ActivationKey={}.", upgraded.before);
                reply::plain(&document::result(&message, more))
            }
            Ok(Ok(upgraded)) => reply::text(upgraded.key),
            Ok(Err(refused)) => reply::refused(state, call, refused).await,
            Err(fault) => reply::failed(fault),
        },
        "getlicenseshttp" => match desk.qlm_licenses(call).await {
            Ok(Ok(found)) if wants_json(call) => reply::json(&json!({ "licenses": objects(found) })),
            Ok(Ok(found)) => reply::plain(&rows("licenses", "license", found)),
            Ok(Err(refused)) => read_refused(state, call, refused).await,
            Err(fault) => reply::failed(fault),
        },
        // What polls for these takes a list in JSON.
        "getrecentordershttp" => match desk.qlm_recent_orders(call).await {
            Ok(Ok(found)) if call.args.text("is_format").is_some_and(|format| format.eq_ignore_ascii_case("xml")) => {
                reply::plain(&rows("orders", "order", found))
            }
            Ok(Ok(found)) => reply::json(&objects(found)),
            Ok(Err(refused)) => read_refused(state, call, refused).await,
            Err(fault) => reply::failed(fault),
        },
        "analyticsaddinstallhttp" => installed(state, call, desk.qlm_install(call, InstallTold::Added).await).await,
        "analyticsupdateinstallhttp" => installed(state, call, desk.qlm_install(call, InstallTold::Changed).await).await,
        "analyticsupdatelastaccesseddatehttp" => installed(state, call, desk.qlm_install(call, InstallTold::Used).await).await,
        "analyticsremoveinstallhttp" => installed(state, call, desk.qlm_install(call, InstallTold::Removed).await).await,
        "renewsubscriptionhttp" => changed(state, call, desk.qlm_renew(call).await).await,
        "revokelicensehttp" => changed(state, call, desk.qlm_revoke(call).await).await,
        "updatelicensehttp" => changed(state, call, desk.qlm_update(call).await).await,
        "renewmaintenanceplan" => changed(state, call, desk.qlm_maintain(call, true).await).await,
        "enablemaintenanceplan" => changed(state, call, desk.qlm_maintain(call, false).await).await,
        "validatelicensehttp" => match desk.qlm_validated(call).await {
            Ok(Ok(text)) => reply::document(text),
            Ok(Err(refused)) => reply::refused(state, call, refused).await,
            Err(fault) => reply::failed(fault),
        },
        "activatekey" => match call.args.product() {
            Ok(_) => told(state, call, desk.qlm_validate(call).await).await,
            Err(error) => reply::refused(state, call, error.into()).await,
        },
        "requestauthorizationcodeforactivationhttp" => {
            let asked = desk.qlm_request_code(call).await;
            told(state, call, asked.map(|done| done.map(|(product, message)| (product, document::result(message, Vec::new())))))
                .await
        }
        // Letters have it as a link, which a person opens: the page it leads to has a button.
        "subscribetomaillisthttp" if call.by_get && call.args.flag("is_include") == Ok(Some(false)) => {
            reply::page("/mail/stop", &[("email", call.args.text("is_email").unwrap_or_default())])
        }
        "subscribetomaillisthttp" if call.args.flag("is_html") == Ok(Some(true)) => match desk.qlm_mail_list(call).await {
            Ok(Ok(message)) => reply::text(message),
            Ok(Err(refused)) => reply::refused(state, call, refused).await,
            Err(fault) => reply::failed(fault),
        },
        "subscribetomaillisthttp" => changed(state, call, desk.qlm_mail_list(call).await).await,
        "updateprivacyconsenthttp" if call.by_get && call.args.flag("is_consent") == Ok(Some(false)) => {
            let said = |name| call.args.text(name).unwrap_or_default();
            reply::page("/mail/withdraw", &[("email", said("is_email")), ("key", said("is_avkey"))])
        }
        "updateprivacyconsenthttp" => changed(state, call, desk.qlm_consent(call).await).await,
        "activatekeybyauthorizationcodehttp" => told(state, call, desk.qlm_activate_by_code(call).await).await,
        "releaselicensehttp" => {
            let released = desk.qlm_release(call).await;
            told(
                state,
                call,
                released.map(|done| done.map(|(product, message)| (product, document::result(&message, Vec::new())))),
            )
            .await
        }
        _ => reply::failure(StatusCode::NOT_FOUND, ErrorCode::Unknown, "There is no method with this name here."),
    }
}

/// Rows as XML: columns in their order.
fn rows(all: &'static str, one: &'static str, found: Vec<Listed>) -> Element {
    let row = |row: Listed| Element::holding(one, row.into_iter().map(|(name, value)| Element::text(name, value)).collect());
    Element::holding(document::ROOT, vec![Element::holding(all, found.into_iter().map(row).collect())])
}

fn objects(found: Vec<Listed>) -> serde_json::Value {
    let object = |row: Listed| {
        let members = row.into_iter().map(|(name, value)| (name.to_owned(), value.into()));
        serde_json::Value::Object(members.collect())
    };
    found.into_iter().map(object).collect()
}

/// What became of an install, with the name the app shows from then on.
async fn installed(state: &AppState, call: &QlmCall, outcome: Result<Result<String, QlmRefused>, Fault>) -> Response {
    match outcome {
        Ok(Ok(id)) => reply::plain(&document::result("The install is noted.", vec![Element::text("installID", id)])),
        Ok(Err(refused)) => reply::refused(state, call, refused).await,
        Err(fault) => reply::failed(fault),
    }
}

/// A document under the key of its product, or why there is none.
async fn told(state: &AppState, call: &QlmCall, outcome: Result<Result<(ProductId, Element), QlmRefused>, Fault>) -> Response {
    match outcome {
        Ok(Ok((product, element))) => reply::signed(state, product, &element).await,
        Ok(Err(refused)) => reply::refused(state, call, refused).await,
        Err(fault) => reply::failed(fault),
    }
}

/// What was changed, for shops that read it as text: so it carries no signature.
async fn changed(state: &AppState, call: &QlmCall, outcome: Result<Result<String, QlmRefused>, Fault>) -> Response {
    match outcome {
        Ok(Ok(message)) => reply::plain(&document::result(&message, Vec::new())),
        Ok(Err(refused)) => reply::refused(state, call, refused).await,
        Err(fault) => reply::failed(fault),
    }
}

async fn latest(state: &AppState, call: &QlmCall) -> Result<Result<Element, QlmRefused>, Fault> {
    Ok(state.desk.qlm_latest(call).await?.map(|(version, file)| {
        let more = vec![
            Element::text("latestVersion", version.clone()),
            Element::text("latestVersionUrl", file.url),
            Element::text("latestVersionNotes", file.notes),
        ];
        document::result(&format!("The latest version is {version}"), more)
    }))
}

fn wants_json(call: &QlmCall) -> bool {
    call.args.text("is_format").is_some_and(|format| format.eq_ignore_ascii_case("json"))
}

/// Why nothing was read, in the form the reading was asked for.
async fn read_refused(state: &AppState, call: &QlmCall, refused: QlmRefused) -> Response {
    if wants_json(call) {
        let mut response = reply::json(&json!({ "error": refused.message, "errorCode": refused.code.number() }));
        *response.status_mut() = reply::status(state, refused.code);
        return response;
    }
    reply::refused(state, call, refused).await
}

/// The keys of an order: as a list, and the first once more as old callers look for it.
fn keys_of(call: &QlmCall, licenses: &[(License, String)]) -> Response {
    let keyed = licenses.iter().filter_map(|(license, order)| Some((license.key.as_ref()?.text(), order)));
    if wants_json(call) {
        let licenses = keyed.map(|(key, order)| json!({ "activationKey": key, "orderId": order })).collect::<Vec<_>>();
        return reply::json(&json!({ "licenses": licenses }));
    }
    let keys: Vec<String> = keyed.map(|(key, _)| key).collect();
    let listed = keys.iter().map(|key| Element::holding("license", vec![Element::text("activationKey", key.clone())]));
    let first = keys.first().cloned().unwrap_or_default();
    reply::plain(&Element::holding(
        document::ROOT,
        vec![Element::holding("licenses", listed.collect()), Element::text("avkey", first)],
    ))
}

fn log_of(call: &QlmCall, activations: &[(Activation, String)]) -> Response {
    let format = DateFormat::parse("yyyy-MM-dd HH:mm:ss").expect("this is a format");
    let rows = activations.iter().map(|(one, data)| {
        [
            ("computerID", one.device.id.to_string()),
            ("computerName", one.device.name.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("state", one.state.as_str().to_owned()),
            ("activationDate", format.write(one.first_activated)),
            ("lastAccessedDate", format.write(one.last_seen)),
            ("userData1", data.clone()),
        ]
    });
    if wants_json(call) {
        let rows = rows
            .map(|row| row.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect::<serde_json::Map<_, _>>());
        return reply::json(&json!({ "activations": rows.collect::<Vec<_>>() }));
    }
    let rows =
        rows.map(|row| Element::holding("activation", row.into_iter().map(|(name, value)| Element::text(name, value)).collect()));
    reply::plain(&Element::holding(document::ROOT, vec![Element::holding("activations", rows.collect())]))
}

fn ping(now: Timestamp) -> Element {
    let format = DateFormat::parse("yyyy-MM-ddTHH:mm:ss").expect("this is a format");
    let date = format!("{}Z", format.write(now));
    let message = format!("Successfully connected to License Server at {date} UTC. QLM Version: {SERVER_VERSION}");
    // Twice, as old clients and new ones read it.
    let more = vec![
        Element::text("serverDate", date.clone()),
        Element::text("serverVersion", SERVER_VERSION),
        Element::empty("serverDate").with("date", &date),
    ];
    document::result(&message, more)
}
