//! Pages that links made for Quick License Manager's customer site lead to. They show a form, filled from the same arguments; nothing is
//! done by opening one.

use std::net::SocketAddr;

use axum::{
    body::Bytes,
    extract::{ConnectInfo, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use leptos::prelude::*;

use crate::{
    app::{
        portal::{ComputerLine, LicenseFilePage, LicenseInfoPage, LicenseView, Problem, ReleasePage, TrialPage},
        ui::FormState,
    },
    desk::{LicenseEnded, LicenseInfo, QlmCall, QlmRefused},
    licensing::qlm::Args,
    server::{
        AppState,
        forms::{form, pairs},
        limits::counted,
        page::{act_problem, download, page, problem, see_other},
    },
};

/// Pages of QLM's customer site, in lower case, and where they lead here.
const PAGES: [(&str, &str); 14] = [
    ("qlmwebactivation.aspx", "/activate"),
    ("qlmreleaselicense.aspx", "/release"),
    ("qlmlicenseinfo.aspx", "/license"),
    ("qlmemaillicense.aspx", "/lost-key"),
    ("qlmregistrationform.aspx", "/trial"),
    ("qlmcustomersite/default.aspx", "/"),
    ("qlmcustomersite/index.html", "/"),
    ("qlmcustomersitenetcore/default.aspx", "/"),
    ("qlmcustomersitenetcore/index.html", "/"),
    // Nobody here has a password for the customer site: keys are sent to their address.
    ("qlmresetpassword.aspx", "/lost-key"),
    ("qlmupdatepassword.aspx", "/lost-key"),
    ("qlmportal/qlmportal.aspx", "/vendor"),
    ("qlmportalnetcore/qlmportal", "/vendor"),
    ("qlmcustomerportal/qlm-portal-app", "/"),
];

/// Our page for one of QLM's, with what its address said.
pub fn ours(path: &str, query: &str) -> Option<Response> {
    let path = path.to_ascii_lowercase();
    let (_, page) = PAGES.iter().find(|(name, _)| path.strip_suffix(name).is_some_and(|before| before.ends_with('/')))?;
    let args = Args::merge(pairs(query.as_bytes()), Vec::new());
    let is = |name| args.flag(name) == Ok(Some(true));
    let page = if *page == "/activate" && (is("is_file") || is("is_pp")) { "/activate/file" } else { *page };
    let fields: &[(&str, &str)] = match page {
        "/activate" => {
            &[("key", "is_avkey"), ("device_id", "is_pcid"), ("device_name", "is_computer_name"), ("email", "is_email")]
        }
        // One key may be of several products.
        "/activate/file" => &[
            ("key", "is_avkey"),
            ("device_id", "is_pcid"),
            ("device_name", "is_computer_name"),
            ("product", "is_productid"),
            ("major", "is_majorversion"),
            ("minor", "is_minorversion"),
        ],
        "/release" => &[("key", "is_avkey"), ("device_id", "is_pcid"), ("code", "is_deactivation_code")],
        "/license" => &[("key", "is_avkey")],
        "/lost-key" => &[("email", "is_email")],
        "/trial" => &[("email", "is_email"), ("name", "is_fullname"), ("product", "is_productid")],
        _ => &[],
    };
    let filled = fields.iter().filter_map(|(field, argument)| Some((*field, args.text(argument)?)));
    let filled = filled.chain((page == "/activate/file" && is("is_pp")).then_some(("what", "properties")));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(filled).finish();
    Some(see_other(&if query.is_empty() { page.to_owned() } else { format!("{page}?{query}") }))
}

/// What a file of product properties is called.
const PROPERTIES_FILE: &str = "QlmProductProperties.xml";

fn shown(query: Option<String>, known: &[&str]) -> FormState {
    let given = pairs(query.unwrap_or_default().as_bytes());
    FormState::filled(given.into_iter().filter(|(name, _)| known.contains(&name.as_str())))
}

/// The form as a call of QLM's, where that is answered from its address at all.
fn call(
    state: &AppState,
    peer: SocketAddr,
    headers: &HeaderMap,
    method: &str,
    said: &[(&str, &str)],
) -> Result<QlmCall, QlmRefused> {
    let args = said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let from = state.address_of(peer, headers);
    state.desk.qlm_admitted(Some(from), state.country_of(peer, headers).as_deref(), method)?;
    Ok(QlmCall { args: Args::merge(args, Vec::new()), from: Some(counted(from).to_string()), by_get: false, strict: None })
}

/// Whether everything that is needed was typed; what was not has its words beside it.
fn typed_all(form: &mut FormState, needed: &[(&'static str, &'static str)]) -> bool {
    for (field, message) in needed {
        if form.value(field).trim().is_empty() {
            form.refuse(field, *message);
        }
    }
    !form.is_refused()
}

/// What the forms ask for alike.
const KEY: (&str, &str) = ("key", "Type the activation key.");
const COMPUTER: (&str, &str) = ("device_id", "Copy the computer id from the app.");

pub async fn file_form(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    draw_file(&state, StatusCode::OK, shown(query, &["key", "device_id", "device_name", "what", "product", "major", "minor"]))
}

fn draw_file(state: &AppState, status: StatusCode, form: FormState) -> Response {
    page(state, status, |frame| view! { <LicenseFilePage frame=frame form=form/> })
}

/// Activates, and gives the signed license file.
pub async fn file(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut typed = form(&body);
    if !state.allows_activation(state.address_of(peer, &headers)) {
        return problem(&state, Problem::TooOften { wait_seconds: 60 });
    }
    if !typed_all(&mut typed, &[KEY, COMPUTER]) {
        return draw_file(&state, StatusCode::UNPROCESSABLE_ENTITY, typed);
    }
    let said = [
        ("is_avkey", typed.value("key")),
        ("is_pcid", typed.value("device_id")),
        ("is_computer_name", typed.value("device_name")),
        ("is_productid", typed.value("product")),
        ("is_majorversion", typed.value("major")),
        ("is_minorversion", typed.value("minor")),
    ];
    let told = match call(&state, peer, &headers, "ValidateLicenseHttp", &said) {
        Ok(call) => state.desk.qlm_validate(&call).await,
        Err(refused) => Ok(Err(refused)),
    };
    let properties = typed.value("what") == "properties";
    let told = match told {
        Ok(Ok((product, element))) if properties => match state.desk.qlm_properties(product, &element).await {
            Ok(Some(text)) => return download(PROPERTIES_FILE, "text/xml; charset=utf-8", text),
            Ok(None) => {
                typed.refuse("what", "This license has no properties. Choose the license file.");
                return draw_file(&state, StatusCode::CONFLICT, typed);
            }
            Err(fault) => Err(fault),
        },
        Ok(Ok((product, element))) => state.desk.qlm_document(Some(product), &element).await,
        Ok(Err(refused)) => {
            typed.refuse_whole(words(&refused));
            return draw_file(&state, StatusCode::CONFLICT, typed);
        }
        Err(fault) => Err(fault),
    };
    match told {
        Ok(text) => download(&state.desk.settings().qlm.rules.license_file, "text/xml; charset=utf-8", text),
        Err(fault) => act_problem(&state, fault.into()),
    }
}

/// What a license is, for whoever has its key.
pub async fn license_form(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    draw_license(&state, StatusCode::OK, shown(query, &["key"]), Vec::new())
}

fn draw_license(state: &AppState, status: StatusCode, form: FormState, found: Vec<LicenseView>) -> Response {
    let now = state.desk.now();
    page(state, status, |frame| view! { <LicenseInfoPage frame=frame form=form found=found now=now/> })
}

/// Shows a license. A form that is posted, because a key in an address stays in logs and histories.
pub async fn license(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut typed = form(&body);
    if !typed_all(&mut typed, &[KEY]) {
        return draw_license(&state, StatusCode::UNPROCESSABLE_ENTITY, typed, Vec::new());
    }
    let told = match call(&state, peer, &headers, "", &[("is_avkey", typed.value("key"))]) {
        Ok(call) => state.desk.license_info(&call).await,
        Err(refused) => Ok(Err(refused)),
    };
    match told {
        Ok(Ok(found)) => draw_license(&state, StatusCode::OK, typed, found.into_iter().map(license_view).collect()),
        Ok(Err(refused)) => {
            typed.refuse_whole(words(&refused));
            draw_license(&state, StatusCode::CONFLICT, typed, Vec::new())
        }
        Err(fault) => act_problem(&state, fault.into()),
    }
}

fn license_view(info: LicenseInfo) -> LicenseView {
    let computers = info.computers.into_iter().map(|holder| ComputerLine {
        name: holder.name.map(|name| name.to_string()),
        id_ends: holder.id_ends,
        since: holder.since,
    });
    LicenseView {
        features: info.features,
        properties: info.properties,
        product: info.product.name,
        model: info.model.replace('_', ", "),
        ended: info.ended.map(|ended| match ended {
            LicenseEnded::Disabled => "It was disabled by its vendor. Ask support.",
            LicenseEnded::Expired => "It has expired. Renew it where you bought it.",
        }),
        valid_until: info.valid_until,
        maintenance_until: info.maintenance_until,
        seats_taken: info.seats_taken.into(),
        seats: info.seats.map(u64::from),
        computers: computers.collect(),
    }
}

/// What a call is told names arguments; a person sees fields.
fn words(refused: &QlmRefused) -> String {
    if refused.message.starts_with("Several products") {
        return "Several products have a license with this key, and this page cannot tell which is meant. Activate with the key instead: there you choose.".to_owned();
    }
    refused.message.replace("is_pcid", "The computer id").replace("is_avkey", "the activation key")
}

pub async fn release_form(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    draw_release(&state, StatusCode::OK, shown(query, &["key", "device_id", "code"]), false)
}

fn draw_release(state: &AppState, status: StatusCode, form: FormState, done: bool) -> Response {
    let takes_codes = state.desk.takes_release_codes();
    page(state, status, |frame| view! { <ReleasePage frame=frame form=form done=done takes_codes=takes_codes/> })
}

/// Gives a computer's seat back, by the code its app made.
pub async fn release(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut typed = form(&body);
    let code = ("code", "Type the code the app shows after it was deactivated.");
    if !typed_all(&mut typed, &[KEY, COMPUTER, code]) {
        return draw_release(&state, StatusCode::UNPROCESSABLE_ENTITY, typed, false);
    }
    let said =
        [("is_avkey", typed.value("key")), ("is_pcid", typed.value("device_id")), ("is_deactivation_code", typed.value("code"))];
    let told = match call(&state, peer, &headers, "ReleaseLicenseHttp", &said) {
        Ok(call) => state.desk.qlm_release(&call).await,
        Err(refused) => Ok(Err(refused)),
    };
    match told {
        Ok(Ok(_)) => draw_release(&state, StatusCode::OK, typed, true),
        Ok(Err(refused)) => {
            let words = match refused.code.number() {
                7 | 8 => "This portal takes no codes of apps. Bring the release file the app makes to the offline page, or ask support.".to_owned(),
                _ => words(&refused),
            };
            typed.refuse_whole(words);
            draw_release(&state, StatusCode::CONFLICT, typed, false)
        }
        Err(fault) => act_problem(&state, fault.into()),
    }
}

pub async fn trial_form(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    draw_trial(&state, StatusCode::OK, shown(query, &["email", "name", "product"]), false).await
}

async fn draw_trial(state: &AppState, status: StatusCode, form: FormState, done: bool) -> Response {
    if !state.desk.settings().qlm.register_trials {
        return problem(state, Problem::NotFound);
    }
    match state.desk.numbered_products().await {
        Ok(products) => page(state, status, |frame| {
            view! { <TrialPage frame=frame form=form products=products done=done/> }
        }),
        Err(fault) => act_problem(state, fault.into()),
    }
}

/// Sends a trial key to an address.
pub async fn trial(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut typed = form(&body);
    if typed.value("product").is_empty() {
        typed.refuse("product", "Choose the product you want to try.");
    }
    if crate::licensing::Email::parse(typed.value("email")).is_err() {
        typed.refuse("email", "This is not a whole e-mail address. Complete it, such as name@example.com.");
    }
    if typed.is_refused() {
        return draw_trial(&state, StatusCode::UNPROCESSABLE_ENTITY, typed, false).await;
    }
    let said = [
        ("is_productid", typed.value("product")),
        ("is_majorversion", "0"),
        ("is_minorversion", "0"),
        ("is_email", typed.value("email")),
        ("is_fullname", typed.value("name")),
    ];
    let told = match call(&state, peer, &headers, "Register", &said) {
        Ok(call) => state.desk.qlm_register(&call).await,
        Err(refused) => Ok(Err(refused)),
    };
    match told {
        Ok(Ok(_)) => draw_trial(&state, StatusCode::OK, typed, true).await,
        Ok(Err(refused)) if refused.code.number() == 1 => problem(&state, Problem::TooOften { wait_seconds: 3_600 }),
        Ok(Err(refused)) => {
            typed.refuse_whole(words(&refused));
            draw_trial(&state, StatusCode::CONFLICT, typed, false).await
        }
        Err(fault) => act_problem(&state, fault.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_another_system_lead_to_ours_with_what_they_said() {
        let to = |path: &str, query: &str| {
            ours(path, query).map(|response| response.headers()["location"].to_str().unwrap().to_owned())
        };
        assert_eq!(
            to("/x/QlmCustomerSite/QlmWebActivation.aspx", "is_avkey=A-1&is_pcid=b%20c&is_user=x").as_deref(),
            Some("/activate?key=A-1&device_id=b+c")
        );
        assert_eq!(
            to("/hackolade/qlmcustomersite/qlmwebactivation.aspx", "is_file=1&is_pcid=u-8.12.7-docker&is_avkey=K").as_deref(),
            Some("/activate/file?key=K&device_id=u-8.12.7-docker")
        );
        assert_eq!(to("/QlmWebActivation.aspx", "is_pp=1&is_avkey=K").as_deref(), Some("/activate/file?key=K&what=properties"));
        assert_eq!(to("/QlmReleaseLicense.aspx", "is_deactcode=abc").as_deref(), Some("/release?code=abc"));
        assert_eq!(to("/a/QLMEMAILLICENSE.ASPX", "is_email=a%40b.example").as_deref(), Some("/lost-key?email=a%40b.example"));
        assert_eq!(to("/a/QlmRegistrationForm.aspx", "").as_deref(), Some("/trial"));
        for path in ["/", "/qlmwebactivation.aspx/x", "/xqlmwebactivation.aspx", "/activate"] {
            assert!(ours(path, "").is_none(), "{path}");
        }
    }
}
