//! The methods, by name: what each is given and how it is answered (§2.2).

use axum::{http::StatusCode, response::Response};

use super::reply;
use crate::{
    desk::{Fault, QlmCall, QlmChanged, QlmRefused},
    licensing::{
        ProductId, Timestamp,
        qlm::{
            DateFormat, ErrorCode,
            document::{self, Element},
        },
    },
    server::AppState,
};

/// As clients know it: they ask for a version that has what they need.
const SERVER_VERSION: &str = "20.0.0.0";

pub async fn run(state: &AppState, method: &str, call: &QlmCall) -> Response {
    let desk = &state.desk;
    match method {
        "pinghttp" => reply::plain(&ping(desk.now())),
        "getactivationkey" | "getactivationkeywithexpirydate" => match desk.qlm_create_keys(call).await {
            Ok(Ok(made)) if made.as_xml => {
                let licenses =
                    made.keys.into_iter().map(|key| Element::holding("license", vec![Element::text("activationKey", key)]));
                let licenses = Element::holding("licenses", licenses.collect());
                reply::plain(&Element::holding(document::ROOT, vec![licenses]))
            }
            Ok(Ok(made)) => reply::text(made.keys.join("\n")),
            Ok(Err(refused)) => reply::refused(state, refused).await,
            Err(fault) => reply::failed(fault),
        },
        "getlatestversionhttp" => match latest(state, call).await {
            Ok(Ok(element)) => reply::plain(&element),
            Ok(Err(refused)) => reply::refused(state, refused).await,
            Err(fault) => reply::failed(fault),
        },
        "renewsubscriptionhttp" => changed(state, desk.qlm_renew(call).await).await,
        "revokelicensehttp" => changed(state, desk.qlm_revoke(call).await).await,
        "updatelicensehttp" => changed(state, desk.qlm_update(call).await).await,
        "renewmaintenanceplan" => changed(state, desk.qlm_maintain(call, true).await).await,
        "enablemaintenanceplan" => changed(state, desk.qlm_maintain(call, false).await).await,
        "validatelicensehttp" => told(state, desk.qlm_validate(call).await).await,
        "activatekey" => match call.args.product() {
            Ok(_) => told(state, desk.qlm_validate(call).await).await,
            Err(error) => reply::refused(state, error.into()).await,
        },
        "releaselicensehttp" => {
            let released = desk.qlm_release(call).await;
            told(state, released.map(|done| done.map(|(product, message)| (product, document::result(&message, Vec::new())))))
                .await
        }
        _ => reply::failure(StatusCode::NOT_FOUND, ErrorCode::Unknown, "There is no method with this name here."),
    }
}

/// A document under the key of its product, or why there is none.
async fn told(state: &AppState, outcome: Result<Result<(ProductId, Element), QlmRefused>, Fault>) -> Response {
    match outcome {
        Ok(Ok((product, element))) => reply::signed(state, product, &element).await,
        Ok(Err(refused)) => reply::refused(state, refused).await,
        Err(fault) => reply::failed(fault),
    }
}

/// What was changed, for shops that read it as text: so it carries no signature.
async fn changed(state: &AppState, outcome: Result<Result<QlmChanged, QlmRefused>, Fault>) -> Response {
    match outcome {
        Ok(Ok((_, message))) => reply::plain(&document::result(&message, Vec::new())),
        Ok(Err(refused)) => reply::refused(state, refused).await,
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
