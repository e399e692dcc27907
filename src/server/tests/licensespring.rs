//! LicenseSpring's API through the real router, as an app written for it sees it: signed calls, signed answers, and errors that a
//! client can read.

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use super::{Licensed, Machine, Reply, TestApp, app::device, foreign::ForeignApp};
use crate::{
    desk::{Edit, Issue, UserPassword, Visitor},
    licensing::{
        Email, ProductCode, Timestamp,
        files::{base64, licensespring::hmac, licensespring::response::v1_message},
        license::{Entitlement, Expiry, LicenseType, Limit, Maintenance, Meter, Period, Terms, TransferLimit},
        product::{FeatureKind, ProductRules, ProductState},
        seal::SealUse,
    },
    vault::verify_rsa,
};

tests! {
    both:
        an_app_activates_checks_and_gives_back,
        activating_again_costs_nothing_and_moving_there_and_back_is_two_transfers,
        a_counter_is_spent_and_no_further;
    once:
        every_answer_is_signed_as_clients_check_it,
        a_call_is_refused_by_what_is_wrong_with_its_headers,
        a_license_says_no_with_the_code_clients_know,
        a_user_shows_a_password_for_a_new_seat_alone,
        an_api_key_reaches_only_what_it_may,
        what_an_app_sends_beside_is_taken_or_passed_over,
        a_machine_with_its_own_key_is_out_of_the_apps_reach,
        no_cookie_and_no_origin_matters_here,
        a_product_is_described,
        a_counter_begins_anew_with_its_period,
        a_feature_is_checked_and_spent,
        a_machine_tells_its_variables,
        versions_are_those_the_license_covers,
        a_user_sees_their_licenses_and_takes_a_password_of_their_own,
        a_request_file_is_answered_as_text_and_as_a_form,
        a_request_file_is_refused_by_what_it_lacks;
}

const OPERATOR: Visitor = Visitor::Operator;

impl ForeignApp {
    pub fn headers(&self, date: &str) -> String {
        let text = format!("licenseSpring\ndate: {date}");
        let signature = hmac::sign(self.shared_key.as_bytes(), text.as_bytes());
        format!(r#"algorithm="hmac-sha256",headers="date",signature="{signature}",apiKey="{}""#, self.api_key)
    }

    pub async fn post(&self, app: &TestApp, path: &str, body: Value) -> Reply {
        let date = app.now().to_http_date();
        let request = Request::post(format!("/api/v4{path}"))
            .header(header::DATE, &date)
            .header(header::AUTHORIZATION, self.headers(&date))
            .header(header::CONTENT_TYPE, "application/json");
        app.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub async fn get(&self, app: &TestApp, path: &str, query: &[(&str, &str)]) -> Reply {
        let date = app.now().to_http_date();
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let request = Request::get(format!("/api/v4{path}?{query}"))
            .header(header::DATE, &date)
            .header(header::AUTHORIZATION, self.headers(&date));
        app.send(request.body(Body::empty()).unwrap()).await
    }

    async fn activate(&self, app: &TestApp, license: &Licensed, hardware: &str) -> Reply {
        let body = json!({ "product": license.product, "hardware_id": hardware, "license_key": license.key.text() });
        self.post(app, "/activate_license", body).await
    }

    async fn deactivate(&self, app: &TestApp, license: &Licensed, hardware: &str) -> Reply {
        let body = json!({ "product": license.product, "hardware_id": hardware, "license_key": license.key.text() });
        self.post(app, "/deactivate_license", body).await
    }

    /// A call about a machine's license, by POST, with what else it says.
    async fn tell(&self, app: &TestApp, path: &str, license: &Licensed, hardware: &str, more: Value) -> Reply {
        let mut body = json!({ "product": license.product, "hardware_id": hardware, "license_key": license.key.text() });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post(app, path, body).await
    }

    /// The same by GET.
    async fn ask(&self, app: &TestApp, path: &str, license: &Licensed, hardware: &str, more: &[(&str, &str)]) -> Reply {
        let key = license.key.text();
        let mut query = vec![("product", license.product.as_str()), ("hardware_id", hardware), ("license_key", key.as_str())];
        query.extend(more);
        self.get(app, path, &query).await
    }

    async fn check(&self, app: &TestApp, license: &Licensed, hardware: &str) -> Reply {
        let key = license.key.text();
        let query = [("product", license.product.as_str()), ("hardware_id", hardware), ("license_key", key.as_str())];
        self.get(app, "/check_license", &query).await
    }
}

fn seats(count: u32) -> Terms {
    Terms { seats: Limit::AtMost(count), ..Terms::default() }
}

/// The code of an error, its body held to the three members every client reads.
fn refused(reply: &Reply) -> (u16, String) {
    assert!(reply.status.is_client_error(), "{}: {}", reply.status, reply.text());
    let body = reply.json();
    let names: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(names, ["status", "code", "message"]);
    assert_eq!(body["status"], reply.status.as_u16());
    assert!(!body["message"].as_str().unwrap().is_empty());
    (reply.status.as_u16(), body["code"].as_str().unwrap().to_owned())
}

fn code(reply: &Reply) -> String {
    refused(reply).1
}

async fn public_key(app: &TestApp) -> Vec<u8> {
    let seals = app.desk().seals().await.unwrap();
    seals.into_iter().find(|seal| seal.purpose == SealUse::LicenseSpring).unwrap().public
}

/// Holds an answer to its signature, over the bytes as received and as JavaScript would write them again.
async fn signed(app: &TestApp, reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let signature = base64::from_standard(reply.header("licensesignature")).expect("a signature");
    let public = public_key(app).await;
    assert!(verify_rsa(&public, &reply.body, &signature));
    let body = reply.json();
    assert_eq!(body.to_string().as_bytes(), reply.body, "compact, and the same when it is read and written again");
    body
}

async fn an_app_activates_checks_and_gives_back(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(2)).await;
    assert_eq!(code(&foreign.check(&app, &license, "HW-1").await), "license_not_active");
    let body = signed(&app, &foreign.activate(&app, &license, "HW-1").await).await;
    assert_eq!((body["active"].clone(), body["times_activated"].clone()), (json!(true), json!(1)));
    assert_eq!((body["license_key"].clone(), body["hardware_id"].clone()), (json!(license.key.text()), json!("HW-1")));
    let check = signed(&app, &foreign.check(&app, &license, "HW-1").await).await;
    assert_eq!((check["license_active"].clone(), check["device_id"].clone()), (json!(true), body["device_id"].clone()));
    assert_eq!(code(&foreign.check(&app, &license, "HW-2").await), "device_not_found");
    let released = foreign.deactivate(&app, &license, "HW-1").await;
    assert_eq!((released.status.as_u16(), released.text().as_str()), (200, "license_deactivated"));
    assert!(released.header("content-type").starts_with("text/plain"));
    assert_eq!(app.seats_taken(&license).await, 0);
    assert_eq!(code(&foreign.deactivate(&app, &license, "HW-1").await), "license_not_active");
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    let acts: Vec<&str> = view.history.iter().map(|entry| entry.act.as_str()).collect();
    assert_eq!(acts, ["license.released", "license.activated", "license.issued"]);
}

async fn activating_again_costs_nothing_and_moving_there_and_back_is_two_transfers(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", Terms { transfers: TransferLimit::AtMost(2), ..seats(1) }).await;
    let first = signed(&app, &foreign.activate(&app, &license, "HW-A").await).await;
    let calls = (0..8).map(|_| foreign.activate(&app, &license, "HW-A"));
    for reply in futures::future::join_all(calls).await {
        assert_eq!(signed(&app, &reply).await, first);
    }
    assert_eq!(code(&foreign.activate(&app, &license, "HW-B").await), "license_activated_max_times");
    for (from, to, count) in [("HW-A", "HW-B", 1), ("HW-B", "HW-A", 2)] {
        foreign.deactivate(&app, &license, from).await;
        let body = signed(&app, &foreign.activate(&app, &license, to).await).await;
        assert_eq!((body["transfer_count"].clone(), body["times_activated"].clone()), (json!(count), json!(1)));
    }
    foreign.deactivate(&app, &license, "HW-A").await;
    assert_eq!(code(&foreign.activate(&app, &license, "HW-B").await), "license_transfer_limit_reached");
}

async fn every_answer_is_signed_as_clients_check_it(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let metadata = r#"{"10":"x","2":1.5,"a":1.0,"größe":"</script>\u2028","far":9007199254740993}"#;
    let terms = Terms {
        expiry: Expiry { on: Some(app.now().plus_days(30)), ..Expiry::NEVER },
        metadata: serde_json::from_str(metadata).unwrap(),
        ..seats(1)
    };
    let license = app.issue("press", terms).await;
    let reply = foreign.activate(&app, &license, "HW-Ö").await;
    let body = signed(&app, &reply).await;
    // As JavaScript orders and writes them: indexes first, no floats.
    let metadata: Vec<&String> = body["metadata"].as_object().unwrap().keys().collect();
    assert_eq!(metadata, ["2", "10", "a", "größe", "far"]);
    assert_eq!((body["metadata"]["a"].clone(), body["metadata"]["2"].clone()), (json!(1), json!("1.5")));
    // The signature inside: hardware id, key and end, in lower case.
    let public = public_key(&app).await;
    for body in [body, signed(&app, &foreign.check(&app, &license, "HW-Ö").await).await] {
        let validity = body["validity_period"].as_str().unwrap();
        assert!(validity.ends_with(".000Z") || validity.len() == 24, "{validity}");
        let message = v1_message("HW-Ö", &license.key.text(), validity);
        assert!(verify_rsa(
            &public,
            message.as_bytes(),
            &base64::from_standard(body["license_signature"].as_str().unwrap()).unwrap()
        ));
    }
    // The members of an activation, in their order.
    let names: Vec<String> = reply.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(names[..4], ["id", "active", "allow_grace_period", "allow_overages"]);
    assert_eq!(names[names.len() - 3..], ["license_signature", "request", "hardware_id"]);
    let check = foreign.check(&app, &license, "HW-Ö").await;
    let names: Vec<String> = check.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(names[..3], ["id", "allow_grace_period", "allow_offline_activation"]);
    let after: Vec<&str> = names.iter().skip_while(|name| *name != "is_expired").map(String::as_str).collect();
    assert_eq!(
        after,
        [
            "is_expired",
            "device_id",
            "is_borrowed",
            "borrowed_until",
            "version",
            "installation_file",
            "release_date",
            "hash_md5",
            "requires_version",
            "environment",
            "eula_link",
            "release_notes_link",
            "size",
            "channel",
            "license_signature"
        ]
    );
    // What has not changed is answered with the same bytes under the same signature.
    let again = foreign.check(&app, &license, "HW-Ö").await;
    assert_eq!((again.body, again.headers.get("licensesignature")), (check.body, check.headers.get("licensesignature")));
}

async fn a_call_is_refused_by_what_is_wrong_with_its_headers(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let now = app.now().to_http_date();
    let send = async |date: Option<&str>, authorization: Option<&str>| {
        let mut request = Request::get("/api/v4/product_details?product=press");
        if let Some(date) = date {
            request = request.header(header::DATE, date);
        }
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        app.send(request.body(Body::empty()).unwrap()).await
    };
    let right = foreign.headers(&now);
    assert_eq!(send(Some(&now), Some(&right)).await.status, 200);
    assert_eq!(
        send(Some(&now), Some(&right.replace("apiKey", "apikey").replace(",", ", "))).await.status,
        200,
        "as Node writes it"
    );
    let old = Timestamp::from_seconds(app.now().seconds() - 901).to_http_date();
    let wrong = foreign.headers("Thu, 01 Jan 1970 00:00:00 GMT");
    let unknown = right.replace(&foreign.api_key, "00000000-0000-4000-8000-000000000000");
    for (date, authorization, expected) in [
        (None, Some(right.as_str()), (400, "missing_headers")),
        (Some(now.as_str()), None, (400, "missing_headers")),
        (Some(&now), Some("nonsense"), (400, "authorization_invalid_headers")),
        (Some(&now), Some(r#"algorithm="hmac-sha256",signature="x""#), (400, "authorization_missing_params")),
        (Some(&now), Some(&right.replace("hmac-sha256", "hmac-sha1")), (400, "hmac_required")),
        (Some(&old), Some(&foreign.headers(&old)), (400, "date_header_diff")),
        (Some("soon"), Some(&foreign.headers("soon")), (400, "date_header_diff")),
        (Some(&now), Some(&unknown), (400, "invalid_api_key")),
        (Some(&now), Some(&wrong), (401, "signature_mismatch")),
    ] {
        let (status, code) = refused(&send(date, authorization).await);
        assert_eq!((status, code.as_str()), expected);
    }
    app.desk().revoke_api_key(&OPERATOR, foreign.id).await.unwrap();
    assert_eq!(code(&send(Some(&now), Some(&right)).await), "invalid_api_key");
    for path in ["/api/v4/nowhere", "/api/v4/activate_license", "/api/v4/"] {
        assert_eq!(refused(&app.get(path).await), (404, "not_found".to_owned()), "{path}");
    }
}

async fn a_license_says_no_with_the_code_clients_know(app: TestApp) {
    app.product("press").await;
    app.product("cut").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(1)).await;
    let other = app.issue("cut", seats(1)).await;
    let ask = |body: Value| async { code(&foreign.post(&app, "/activate_license", body).await) };
    let key = license.key.text();
    for (body, expected) in [
        (json!({}), "missing_parameters"),
        (json!({ "product": "press" }), "missing_hardware_id"),
        (json!({ "product": "press", "hardware_id": "H" }), "license_key_required"),
        (json!({ "product": "nothing", "hardware_id": "H", "license_key": key }), "unknown_product"),
        (json!({ "product": "press", "hardware_id": "H", "license_key": "ABCD-EFGH" }), "license_not_found"),
        (json!({ "product": "press", "hardware_id": "H", "license_key": other.key.text() }), "license_not_found"),
        (json!({ "product": "press", "hardware_id": "H", "license_key": key, "license_id": 404 }), "license_not_found"),
        (json!({ "product": "press", "hardware_id": 7, "license_key": key }), "validation_error"),
        (json!({ "product": "press", "hardware_id": "a\u{202e}b", "license_key": key }), "validation_error"),
        (json!([]), "validation_error"),
    ] {
        assert_eq!(ask(body.clone()).await, expected, "{body}");
    }
    let date = app.now().to_http_date();
    let broken = Request::post("/api/v4/activate_license")
        .header(header::DATE, &date)
        .header(header::AUTHORIZATION, foreign.headers(&date));
    assert_eq!(code(&app.send(broken.body(Body::from("{\"product\":")).unwrap()).await), "invalid_json");
    foreign.activate(&app, &license, "HW-1").await;
    assert_eq!(code(&foreign.activate(&app, &license, "HW-2").await), "license_activated_max_times");
    app.desk().revoke_device(&OPERATOR, license.id, &device("HW-1"), "lost".to_owned()).await.unwrap();
    assert_eq!(code(&foreign.check(&app, &license, "HW-1").await), "blacklisted");
    assert_eq!(code(&foreign.activate(&app, &license, "HW-1").await), "blacklisted");
    app.desk().allow_device(&OPERATOR, license.id, &device("HW-1")).await.unwrap();
    foreign.activate(&app, &license, "HW-1").await;
    app.desk().disable_license(&OPERATOR, license.id, "late".to_owned()).await.unwrap();
    assert_eq!(code(&foreign.check(&app, &license, "HW-1").await), "license_not_enabled");
    app.desk().enable_license(&OPERATOR, license.id).await.unwrap();
    // The grace after its end is still good for what runs, and grants nothing new.
    let end = Expiry { on: Some(app.now().plus_days(1)), ..Expiry::NEVER };
    let edit = Edit { expiry: Some(end), grace_hours: Some(48), ..Edit::default() };
    app.desk().edit_license(&OPERATOR, license.id, edit).await.unwrap();
    app.pass_days(2);
    let check = signed(&app, &foreign.check(&app, &license, "HW-1").await).await;
    assert_eq!(check["is_expired"], false);
    assert_eq!(code(&foreign.activate(&app, &license, "HW-9").await), "license_expired");
    app.pass_days(2);
    assert_eq!(code(&foreign.check(&app, &license, "HW-1").await), "license_expired");
    let pause = crate::desk::ProductEdit { state: Some(ProductState::Disabled), ..Default::default() };
    app.desk().edit_product(&OPERATOR, &ProductCode::parse("press").unwrap(), pause).await.unwrap();
    assert_eq!(code(&foreign.check(&app, &license, "HW-1").await), "disabled_product");
}

async fn a_user_shows_a_password_for_a_new_seat_alone(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let users = ["bob@customer.example", "eve@customer.example"].map(|user| Email::parse(user).unwrap()).to_vec();
    let user_password = UserPassword::Given("bob's own password".to_owned());
    app.secret("bob's own password");
    app.secret("bob@customer.example");
    let issue = Issue::one(ProductCode::parse("press").unwrap(), seats(2));
    app.issue_as(Issue { users, user_password, ..issue }).await;
    let ask = |user: &str, password: Option<&str>| {
        let mut body = json!({ "product": "press", "hardware_id": "HW-1", "username": user });
        if let Some(password) = password {
            body["password"] = password.into();
        }
        foreign.post(&app, "/activate_license", body)
    };
    for (user, password) in [
        ("bob@customer.example", None),
        ("bob@customer.example", Some("a guess")),
        ("nobody@customer.example", Some("a guess")),
        ("no address", Some("a guess")),
    ] {
        assert_eq!(code(&ask(user, password).await), "user_credentials_invalid", "{user}");
    }
    let reply = ask("Bob@customer.example|ACME", Some("bob's own password")).await;
    let body = signed(&app, &reply).await;
    assert_eq!(body["user"]["email"], "bob@customer.example");
    assert!(body.get("license_key").is_none());
    let names: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(names[names.len() - 4..], ["license_signature", "request", "username", "hardware_id"]);
    // The machine has its seat: a check and a release name the user, as clients do that keep no password.
    let query = [("product", "press"), ("hardware_id", "HW-1"), ("username", "bob@customer.example")];
    signed(&app, &foreign.get(&app, "/check_license", &query).await).await;
    // By name alone nobody reaches another user's machine, or learns who has a license.
    for (user, hardware) in
        [("eve@customer.example", "HW-1"), ("bob@customer.example", "HW-2"), ("nobody@customer.example", "HW-1")]
    {
        let query = [("product", "press"), ("hardware_id", hardware), ("username", user)];
        assert_eq!(code(&foreign.get(&app, "/check_license", &query).await), "license_not_found", "{user} on {hardware}");
        let body = json!({ "product": "press", "hardware_id": hardware, "username": user });
        assert_eq!(code(&foreign.post(&app, "/deactivate_license", body).await), "license_not_found", "{user} on {hardware}");
    }
    let body = json!({ "product": "press", "hardware_id": "HW-1", "username": "bob@customer.example" });
    assert_eq!(foreign.post(&app, "/deactivate_license", body).await.text(), "license_deactivated");
    for _ in 0..20 {
        ask("bob@customer.example", Some("a guess")).await;
    }
    assert_eq!(refused(&ask("bob@customer.example", Some("bob's own password")).await).0, 429);
}

async fn an_api_key_reaches_only_what_it_may(app: TestApp) {
    app.product("press").await;
    app.product("cut").await;
    let license = app.issue("press", seats(2)).await;
    let elsewhere = ForeignApp::new(&app, Some(vec!["cut".to_owned()]), false).await;
    let reader = ForeignApp::new(&app, None, true).await;
    let right = ForeignApp::new(&app, Some(vec!["PRESS".to_owned()]), false).await;
    assert_eq!(code(&elsewhere.activate(&app, &license, "HW-1").await), "api_key_product_not_allowed");
    assert_eq!(code(&elsewhere.check(&app, &license, "HW-1").await), "api_key_product_not_allowed");
    assert_eq!(code(&reader.activate(&app, &license, "HW-1").await), "read_only_api_key");
    signed(&app, &right.activate(&app, &license, "HW-1").await).await;
    signed(&app, &reader.check(&app, &license, "HW-1").await).await;
    assert_eq!(code(&reader.deactivate(&app, &license, "HW-1").await), "read_only_api_key");
    assert_eq!(app.seats_taken(&license).await, 1);
}

async fn what_an_app_sends_beside_is_taken_or_passed_over(app: TestApp) {
    app.product_with(
        "press",
        ProductRules { device_details: crate::licensing::product::DeviceDetails::All, ..Default::default() },
    )
    .await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(2)).await;
    let body = json!({
        "product": "PRESS", "hardware_id": " HW-1 ", "license_key": license.key.text().to_lowercase(), "hostname": "press-7",
        "os_ver": "Windows 11", "app_ver": "4.2", "sdk_ver": "PythonSDK 3.0.0", "is_vm": false, "vm_info": null, "ip": "10.0.0.7",
        "mac_address": "02:00:00:00:00:01", "variables": { "colour": "grün", "cores": 8 }, "never_heard_of": { "deep": [1] },
    });
    let body = signed(&app, &foreign.post(&app, "/activate_license", body).await).await;
    assert_eq!(body["product_details"]["short_code"], "PRESS", "as it was sent");
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    let kept = &view.activations[0];
    assert_eq!(kept.activation.device.name.as_ref().map(|name| name.as_str()), Some("press-7"));
    assert_eq!(kept.activation.device.os.as_deref(), Some("Windows 11"));
    assert_eq!(kept.variables.len(), 2);
}

async fn a_machine_with_its_own_key_is_out_of_the_apps_reach(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(2)).await;
    app.bring(Machine::new("HW-1").activate(&license)).await.unwrap();
    assert_eq!(code(&foreign.activate(&app, &license, "HW-1").await), "device_key_required");
    assert_eq!(code(&foreign.deactivate(&app, &license, "HW-1").await), "device_key_required");
    assert_eq!(app.seats_taken(&license).await, 1);
}

async fn no_cookie_and_no_origin_matters_here(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(2)).await;
    let date = app.now().to_http_date();
    let body = json!({ "product": "press", "hardware_id": "HW-1", "license_key": license.key.text() }).to_string();
    let request = |authorization: Option<String>| {
        let mut request = Request::post("/api/v4/activate_license")
            .header(header::DATE, &date)
            .header(header::ORIGIN, "https://elsewhere.example")
            .header("sec-fetch-site", "cross-site")
            .header(header::COOKIE, "__Host-countersign=x");
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        request.body(Body::from(body.clone())).unwrap()
    };
    assert_eq!(code(&app.send(request(None)).await), "missing_headers");
    let reply = app.send(request(Some(foreign.headers(&date)))).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), "", "no page of another site reads the answer");
    // A body beyond what a call needs ends before it is read.
    let large = foreign.post(&app, "/activate_license", json!({ "product": "x".repeat(100_000) })).await;
    assert_eq!(refused(&large), (413, "payload_too_large".to_owned()));
}

async fn a_product_is_described(app: TestApp) {
    app.product_with("press", ProductRules { trial_days: 14, ..Default::default() }).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let body = signed(&app, &foreign.get(&app, "/product_details", &[("product", "Press")]).await).await;
    assert_eq!(
        (body["short_code"].clone(), body["allow_trial"].clone(), body["trial_days"].clone()),
        (json!("Press"), json!(true), json!(14))
    );
    assert!(body.get("latest_version").is_none());
    let query = [("product", "press"), ("include_latest_version", "true"), ("include_custom_fields", "true")];
    let body = signed(&app, &foreign.get(&app, "/product_details", &query).await).await;
    assert_eq!((body["latest_version"].clone(), body["custom_fields"].clone()), (Value::Null, json!([])));
    assert_eq!(code(&foreign.get(&app, "/product_details", &[("product", "nothing")]).await), "unknown_product");
    assert_eq!(code(&foreign.get(&app, "/product_details", &[]).await), "missing_parameters");
}

fn counted(max: u32, overage: u32) -> Meter {
    Meter { used: 0, max: Limit::AtMost(max), overage: Limit::AtMost(overage), period: None, negatives: false, resets_at: None }
}

async fn a_counter_is_spent_and_no_further(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let terms = Terms { kind: LicenseType::Consumption, meter: Some(counted(10, 2)), ..seats(2) };
    let license = app.issue("press", terms).await;
    let spend = async |more: Value| foreign.tell(&app, "/add_consumption", &license, "HW-1", more).await;
    assert_eq!(code(&spend(json!({})).await), "license_not_active");
    foreign.activate(&app, &license, "HW-1").await;
    assert_eq!(
        spend(json!({})).await.text(),
        format!(
            "{{\"id\":{},\"max_consumptions\":10,\"allow_unlimited_consumptions\":false,\"allow_negative_consumptions\":false,\
             \"allow_overages\":true,\"max_overages\":2,\"reset_consumption\":false,\"consumption_period\":null,\
             \"total_consumptions\":1,\"company\":{{\"id\":1}}}}",
            license.id
        )
    );
    let body = signed(&app, &spend(json!({ "consumptions": 9 })).await).await;
    assert_eq!(body["total_consumptions"], 10);
    for (more, expected) in [
        (json!({ "consumptions": 3 }), "license_not_enough_consumptions"),
        // A caller may hold itself to less than there is, and gets no more by asking.
        (json!({ "consumptions": 1, "allow_overages": false }), "license_not_enough_consumptions"),
        (json!({ "consumptions": 3, "allow_overages": true, "max_overages": 100 }), "license_not_enough_consumptions"),
        (json!({ "consumptions": -1 }), "negative_consumptions_not_allowed"),
        (json!({ "consumptions": "many" }), "validation_error"),
        (json!({ "consumptions": 1.5 }), "validation_error"),
        (json!({ "max_overages": -1 }), "validation_error"),
    ] {
        assert_eq!(code(&spend(more.clone()).await), expected, "{more}");
    }
    assert_eq!(code(&foreign.tell(&app, "/add_consumption", &license, "HW-2", json!({})).await), "device_not_found");
    // Sixteen at once for the two that are left.
    let calls = futures::future::join_all((0..16).map(|_| spend(json!({ "event": ["consumption_add"] })))).await;
    assert_eq!(calls.iter().filter(|reply| reply.status == 200).count(), 2);
    let check = signed(&app, &foreign.check(&app, &license, "HW-1").await).await;
    assert_eq!(check["total_consumptions"], 12);
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    assert_eq!(view.history.iter().filter(|entry| entry.act == "license.used").count(), 4, "a refusal is no use");
    // A license without a counter says so.
    let plain = app.issue("press", seats(1)).await;
    foreign.activate(&app, &plain, "HW-1").await;
    assert_eq!(code(&foreign.tell(&app, "/add_consumption", &plain, "HW-1", json!({})).await), "license_not_consumption");
}

async fn a_counter_begins_anew_with_its_period(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let meter = Meter { period: Some(Period::Weekly), negatives: true, ..counted(5, 0) };
    let license = app.issue("press", Terms { meter: Some(meter), ..seats(1) }).await;
    foreign.activate(&app, &license, "HW-1").await;
    let spend = async |amount: i64, once: Option<&str>| {
        let date = app.now().to_http_date();
        let mut request = Request::post("/api/v4/add_consumption")
            .header(header::DATE, &date)
            .header(header::AUTHORIZATION, foreign.headers(&date));
        if let Some(once) = once {
            request = request.header("idempotency-key", once);
        }
        let body =
            json!({ "product": "press", "hardware_id": "HW-1", "license_key": license.key.text(), "consumptions": amount });
        app.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let total = |reply: &Reply| reply.json()["total_consumptions"].clone();
    // The same call again, by its own name, spends nothing more; another under that name is refused.
    for _ in 0..3 {
        assert_eq!(total(&spend(4, Some("call-1")).await), 4);
    }
    assert_eq!(code(&spend(1, Some("call-1")).await), "validation_error");
    assert_eq!(code(&spend(1, Some("")).await), "validation_error");
    assert_eq!(code(&spend(2, None).await), "license_not_enough_consumptions");
    assert_eq!(total(&spend(-1, None).await), 3);
    app.pass_days(6);
    assert_eq!(total(&foreign.check(&app, &license, "HW-1").await), 3);
    app.pass_days(1);
    let check = signed(&app, &foreign.check(&app, &license, "HW-1").await).await;
    assert_eq!((check["total_consumptions"].clone(), check["consumption_period"].clone()), (json!(0), json!("weekly")));
    assert_eq!(total(&spend(5, None).await), 5);
    assert_eq!(code(&spend(1, None).await), "license_not_enough_consumptions");
}

async fn a_feature_is_checked_and_spent(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let feature = |code: &str, kind: FeatureKind, meter: Option<Meter>| Entitlement {
        code: code.to_owned(),
        name: code.to_uppercase(),
        kind,
        valid_until: None,
        meter,
        floating: None,
    };
    let entitlements = vec![
        feature("export", FeatureKind::Activation, None),
        feature("jobs", FeatureKind::Consumption, Some(counted(3, 0))),
        Entitlement {
            valid_until: Some(app.now().plus_days(1)),
            ..feature("trial", FeatureKind::Consumption, Some(counted(3, 0)))
        },
    ];
    let license = app.issue("press", Terms { entitlements, ..seats(1) }).await;
    foreign.activate(&app, &license, "HW-1").await;
    let check = async |code: &str| foreign.ask(&app, "/check_license_feature", &license, "HW-1", &[("feature", code)]).await;
    assert_eq!(
        check("Export").await.text(),
        format!(
            "{{\"id\":1,\"license_id\":{},\"code\":\"export\",\"name\":\"EXPORT\",\"feature_type\":\"activation\",\"company\":{{\"id\":1}},\
             \"metadata\":{{}},\"is_floating\":false,\"is_floating_cloud\":false,\"expiry_date\":null}}",
            license.id
        )
    );
    let spend = async |code: &str, amount: i64| {
        let more = json!({ "feature": code, "consumptions": amount });
        foreign.tell(&app, "/add_feature_consumption", &license, "HW-1", more).await
    };
    let body = signed(&app, &spend("JOBS", 2).await).await;
    let names: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "id",
            "license_id",
            "company",
            "total_consumptions",
            "max_consumptions",
            "allow_negative_consumptions",
            "allow_unlimited_consumptions",
            "allow_overages",
            "max_overages",
            "reset_consumption",
            "consumption_period",
            "is_floating",
            "is_floating_cloud",
        ]
    );
    assert_eq!((body["total_consumptions"].clone(), body["max_consumptions"].clone()), (json!(2), json!(3)));
    let body = signed(&app, &check("jobs").await).await;
    assert_eq!((body["total_consumptions"].clone(), body["max_consumption"].clone()), (json!(2), json!(3)));
    assert_eq!(code(&spend("jobs", 2).await), "feature_not_enough_consumptions");
    assert_eq!(code(&spend("jobs", -1).await), "negative_consumptions_not_allowed");
    for other in ["export", "nothing"] {
        assert_eq!(code(&spend(other, 1).await), "unsupported_product_feature", "{other}");
    }
    assert_eq!(code(&check("nothing").await), "unsupported_product_feature");
    assert_eq!(code(&foreign.ask(&app, "/check_license_feature", &license, "HW-1", &[]).await), "missing_parameters");
    // A feature whose own end is past is counted no more; that it was there is still told.
    app.pass_days(2);
    assert_eq!(code(&spend("trial", 1).await), "unsupported_product_feature");
    assert_eq!(check("trial").await.status, 200);
}

async fn a_machine_tells_its_variables(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(2)).await;
    let track = async |more: Value| foreign.tell(&app, "/track_device_variables", &license, "HW-1", more).await;
    assert_eq!(code(&track(json!({ "variables": { "a": "1" } })).await), "license_not_active");
    let device = signed(&app, &foreign.activate(&app, &license, "HW-1").await).await["device_id"].clone();
    let rows = signed(&app, &track(json!({ "variables": { "cores": 8, "colour": "grün" } })).await).await;
    let now = app.now().millis();
    let row = |name: &str, value: &str| json!({ "variable": name, "value": value, "device_id": device, "created_at": now });
    assert_eq!(rows, json!([row("colour", "grün"), row("cores", "8")]));
    // Those that are named are answered; those that are not stay.
    let rows = signed(&app, &track(json!({ "variables": { "cores": 16 } })).await).await;
    assert_eq!(rows, json!([row("cores", "16")]));
    let kept = signed(&app, &foreign.ask(&app, "/get_device_variables", &license, "HW-1", &[]).await).await;
    assert_eq!((kept.as_array().unwrap().len(), kept[0]["created_at"].clone()), (2, json!(app.now().to_rfc3339())));
    assert_eq!((kept[1]["variable"].clone(), kept[1]["value"].clone()), (json!("cores"), json!("16")));
    assert_eq!(code(&track(json!({})).await), "missing_parameters");
    assert_eq!(code(&track(json!({ "variables": "cores" })).await), "missing_parameters");
    foreign.activate(&app, &license, "HW-2").await;
    let other = signed(&app, &foreign.ask(&app, "/get_device_variables", &license, "HW-2", &[]).await).await;
    assert_eq!(other, json!([]), "each machine has its own");
    foreign.deactivate(&app, &license, "HW-1").await;
    assert_eq!(code(&track(json!({ "variables": { "cores": 4 } })).await), "device_not_found");
}

async fn versions_are_those_the_license_covers(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let now = app.now();
    for (version, days, env, url) in [
        ("4.1", -40, "win64", "https://example.com/press-4.1.exe"),
        ("4.1", -40, "mac", "https://example.com/press-4.1.dmg"),
        ("4.2", -10, "win64", "https://example.com/press-4.2.exe"),
        ("5.0", 20, "win64", "https://example.com/press-5.0.exe"),
    ] {
        app.release("press", version, now.plus_days(days), env, url).await;
    }
    let terms = Terms { maintenance: Maintenance::Until(now.plus_days(10)), ..seats(1) };
    let license = app.issue("press", terms).await;
    let versions = async |more: &[(&str, &str)]| foreign.ask(&app, "/versions", &license, "HW-1", more).await;
    let file = async |more: &[(&str, &str)]| foreign.ask(&app, "/installation_file", &license, "HW-1", more).await;
    assert_eq!(code(&versions(&[]).await), "active_license_required");
    assert_eq!(code(&file(&[]).await), "active_license_required");
    foreign.activate(&app, &license, "HW-1").await;
    let row = |version: &str, days: i64| json!({ "version": version, "release_date": now.plus_days(days).to_rfc3339() });
    assert_eq!(signed(&app, &versions(&[]).await).await, json!([row("4.2", -10), row("4.1", -40)]));
    assert_eq!(signed(&app, &versions(&[("env", "mac")]).await).await, json!([row("4.1", -40)]));
    let newest = signed(&app, &file(&[("env", "win64")]).await).await;
    let names: Vec<&String> = newest.as_object().unwrap().keys().collect();
    assert_eq!(names[..5], ["id", "version", "installation_file", "release_date", "hash_md5"]);
    assert_eq!(names[5..], ["environment", "eula_link", "release_notes_link", "size", "requires_version", "channel", "company"]);
    assert_eq!(newest["installation_file"], "https://example.com/press-4.2.exe");
    let older = signed(&app, &file(&[("version", "4.1"), ("env", "mac")]).await).await;
    assert_eq!(older["installation_file"], "https://example.com/press-4.1.dmg");
    for named in [&[("version", "5.0")][..], &[("version", "9.9")], &[("version", "new")], &[("env", "linux")]] {
        assert_eq!(code(&file(named).await), "version_not_found", "{named:?}");
    }
    // A check names the same file.
    let check = signed(&app, &foreign.ask(&app, "/check_license", &license, "HW-1", &[("env", "win64")]).await).await;
    assert_eq!(
        (check["version"].clone(), check["installation_file"].clone()),
        (json!("4.2"), newest["installation_file"].clone())
    );
}

async fn a_user_sees_their_licenses_and_takes_a_password_of_their_own(app: TestApp) {
    app.product("press").await;
    app.product("cut").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    for secret in ["first password of bob", "bob's own long password", "another long password", "bob@customer.example"] {
        app.secret(secret);
    }
    let bob = || vec![Email::parse("bob@customer.example").unwrap()];
    for (product, password) in
        [("press", "first password of bob"), ("press", "another long password"), ("cut", "first password of bob")]
    {
        let issue = Issue::one(ProductCode::parse(product).unwrap(), seats(2));
        let user_password = UserPassword::Given(password.to_owned());
        app.issue_as(Issue { users: bob(), user_password, ..issue }).await;
    }
    let licenses = async |product: &str, password: &str| {
        let query = [("product", product), ("username", "Bob@customer.example"), ("password", password)];
        foreign.get(&app, "/user_licenses", &query).await
    };
    let change = async |by: &ForeignApp, password: &str, new: &str| {
        by.post(
            &app,
            "/change_password",
            json!({ "username": "bob@customer.example", "password": password, "new_password": new }),
        )
        .await
    };
    // Those that the password opens, and no other.
    let rows = signed(&app, &licenses("press", "first password of bob").await).await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(
        (rows[0]["user"]["email"].clone(), rows[0]["user"]["is_initial_password"].clone()),
        (json!("bob@customer.example"), json!(true))
    );
    let names: Vec<&String> = rows[0]["license"].as_object().unwrap().keys().collect();
    assert_eq!(names[..3], ["id", "allow_grace_period", "allow_offline_activation"]);
    for hidden in ["license_key", "device_id", "installation_file"] {
        assert!(!names.iter().any(|name| *name == hidden), "{hidden}");
    }
    assert_eq!(code(&licenses("press", "a guess").await), "user_credentials_invalid");
    // An app that may not reach a product changes nothing of it, and one that only reads nothing at all.
    let reader = ForeignApp::new(&app, None, true).await;
    assert_eq!(code(&change(&reader, "first password of bob", "bob's own long password").await), "read_only_api_key");
    let pressing = ForeignApp::new(&app, Some(vec!["press".to_owned()]), false).await;
    assert_eq!(code(&change(&pressing, "a guess", "bob's own long password").await), "user_credentials_invalid");
    assert_eq!(code(&change(&pressing, "first password of bob", "short").await), "validation_error");
    let changed = change(&pressing, "first password of bob", "bob's own long password").await;
    assert_eq!((changed.status.as_u16(), changed.text().as_str()), (200, "password_changed"));
    assert_eq!(code(&licenses("press", "first password of bob").await), "user_credentials_invalid");
    let rows = signed(&app, &licenses("press", "bob's own long password").await).await;
    assert_eq!(rows[0]["user"]["is_initial_password"], false);
    for untouched in [licenses("cut", "first password of bob").await, licenses("press", "another long password").await] {
        assert_eq!(signed(&app, &untouched).await.as_array().unwrap().len(), 1);
    }
    // Guesses end, for the right password too.
    for _ in 0..20 {
        change(&foreign, "a guess", "bob's own long password").await;
    }
    assert_eq!(refused(&change(&foreign, "bob's own long password", "another long password").await).0, 429);
    assert_eq!(refused(&licenses("press", "bob's own long password").await).0, 429);
}

impl ForeignApp {
    async fn carry(&self, app: &TestApp, path: &str, kind: &str, body: Vec<u8>) -> Reply {
        let date = app.now().to_http_date();
        let request = Request::post(format!("/api/v4{path}"))
            .header(header::DATE, &date)
            .header(header::AUTHORIZATION, self.headers(&date))
            .header(header::CONTENT_TYPE, kind);
        app.send(request.body(Body::from(body)).unwrap()).await
    }
}

const PLAIN: &str = "text/plain";
const FORM: &str = "multipart/form-data; boundary=cut";

fn form(part: &str, file: &[u8]) -> Vec<u8> {
    let head = format!("--cut\r\ncontent-disposition: form-data; name=\"{part}\"; filename=\"a.req\"\r\n\r\n");
    [head.as_bytes(), file, b"\r\n--cut--\r\n"].concat()
}

async fn a_request_file_is_answered_as_text_and_as_a_form(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(2)).await;
    let key = license.key.text();
    let activation = |hardware: &str, id: &str| {
        foreign.v2(
            "activation",
            "press",
            hardware,
            json!({ "license_key": key, "request_id": id, "sdk_ver": "JavascriptSDK 1.4.17" }),
        )
    };
    let public = public_key(&app).await;
    let (first, second) = (activation("HW-1", "id-1"), activation("HW-2", "id-2"));
    for (kind, body, hardware, id) in [
        (PLAIN, [first.as_slice(), b"\n"].concat(), "HW-1", "id-1"),
        (FORM, form("file", &second), "HW-2", "id-2"),
        (
            "application/json",
            json!({ "Payload": String::from_utf8(second.clone()).unwrap() }).to_string().into_bytes(),
            "HW-2",
            "id-2",
        ),
    ] {
        let reply = foreign.carry(&app, "/activate_offline", kind, body).await;
        let mut body = signed(&app, &reply).await;
        assert_eq!((body["hardware_id"].clone(), body["request_id"].clone()), (json!(hardware), json!(id)));
        // What a client checks before it believes the file: the object without its own signatures, as it came.
        let members = body.as_object_mut().unwrap();
        let signature = members.shift_remove("license_signature_v2").unwrap();
        members.shift_remove("license_signature").unwrap();
        let signature = base64::from_standard(signature.as_str().unwrap()).unwrap();
        assert!(verify_rsa(&public, body.to_string().as_bytes(), &signature));
    }
    assert_eq!(app.seats_taken(&license).await, 2);
    // The same machine is found by a call.
    signed(&app, &foreign.check(&app, &license, "HW-1").await).await;
    app.pass_days(2);
    let release =
        |hardware: &str, id: &str| foreign.v2("deactivation", "press", hardware, json!({ "license_key": key, "request_id": id }));
    for (kind, body) in [(PLAIN, release("HW-1", "id-3")), (FORM, form("file", &release("HW-2", "id-4")))] {
        let reply = foreign.carry(&app, "/deactivate_offline", kind, body).await;
        assert_eq!((reply.status.as_u16(), reply.text().as_str()), (200, "license_deactivated"), "{kind}");
    }
    assert_eq!(app.seats_taken(&license).await, 0);
    // An answered request whose seat is gone takes no other.
    assert_eq!(code(&foreign.carry(&app, "/activate_offline", PLAIN, first).await), "request_spent");
    assert_eq!(app.seats_taken(&license).await, 0);
}

async fn a_request_file_is_refused_by_what_it_lacks(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let reader = ForeignApp::new(&app, None, true).await;
    let license = app.issue("press", seats(1)).await;
    let key = license.key.text();
    let file = |more: Value| foreign.v2("activation", "press", "HW-1", more);
    let good = file(json!({ "license_key": key, "request_id": "id-1" }));
    let flat = |leave: &str| {
        let mut members = foreign.v1_members("activation", "press", "HW-1", json!({ "license_key": key, "request_id": "id-1" }));
        members.shift_remove(leave).unwrap();
        base64::standard(Value::Object(members).to_string().as_bytes()).into_bytes()
    };
    let altered =
        String::from_utf8(base64::from_standard(std::str::from_utf8(&good).unwrap()).unwrap()).unwrap().replace("HW-1", "HW-2");
    let altered = base64::standard(altered.as_bytes()).into_bytes();
    for (path, kind, body, expected) in [
        ("/activate_offline", PLAIN, Vec::new(), "missing_parameters"),
        ("/activate_offline", PLAIN, b" \n".to_vec(), "missing_parameters"),
        ("/activate_offline", FORM, form("other", &good), "missing_parameters"),
        ("/activate_offline", FORM, b"no form".to_vec(), "missing_parameters"),
        ("/activate_offline", FORM, form("file", b""), "authorization_missing_params"),
        ("/activate_offline", PLAIN, b"not base64!".to_vec(), "authorization_missing_params"),
        ("/activate_offline", PLAIN, vec![0xff, 0xfe], "authorization_missing_params"),
        ("/activate_offline", PLAIN, file(json!({ "request_id": "id-1" })), "authorization_missing_params"),
        ("/activate_offline", PLAIN, flat("hardware_id"), "authorization_missing_params"),
        ("/activate_offline", PLAIN, flat("date"), "authorization_missing_params"),
        ("/activate_offline", PLAIN, flat("api_key"), "authorization_missing_params"),
        ("/activate_offline", PLAIN, flat("signature"), "signature_mismatch"),
        ("/activate_offline", PLAIN, base64::standard(b"{").into_bytes(), "invalid_json"),
        ("/activate_offline", PLAIN, altered, "signature_mismatch"),
        ("/deactivate_offline", PLAIN, good.clone(), "validation_error"),
        (
            "/activate_offline",
            PLAIN,
            foreign.v2("deactivation", "press", "HW-1", json!({ "license_key": key })),
            "validation_error",
        ),
        ("/activate_offline", PLAIN, foreign.v2("activation", "none", "HW-1", json!({ "license_key": key })), "unknown_product"),
        ("/activate_offline", PLAIN, file(json!({ "license_key": "ABCD-EFGH-JKLM-NPQR" })), "license_not_found"),
    ] {
        let reply = foreign.carry(&app, path, kind, body).await;
        assert_eq!(refused(&reply), (400, expected.to_owned()), "{path} {kind}: {}", reply.text());
    }
    assert_eq!(code(&reader.carry(&app, "/activate_offline", PLAIN, good.clone()).await), "read_only_api_key");
    let large = foreign.carry(&app, "/activate_offline", PLAIN, vec![b'A'; 100_000]).await;
    assert_eq!(refused(&large), (413, "payload_too_large".to_owned()));
    // The headers are asked for first, and a wrong one is a 400 here.
    let date = app.now().to_http_date();
    let send = async |authorization: Option<String>| {
        let mut request = Request::post("/api/v4/activate_offline").header(header::DATE, &date);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        refused(&app.send(request.body(Body::from(good.clone())).unwrap()).await)
    };
    assert_eq!(send(None).await, (400, "missing_headers".to_owned()));
    let wrong = foreign.headers("Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(send(Some(wrong)).await, (400, "signature_mismatch".to_owned()));
    assert_eq!(app.seats_taken(&license).await, 0, "nothing was taken by any of them");
}
