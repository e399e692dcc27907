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
        license::{Expiry, Limit, Terms, TransferLimit},
        product::{ProductRules, ProductState},
        seal::SealUse,
    },
    vault::verify_rsa,
};

tests! {
    both:
        an_app_activates_checks_and_gives_back,
        activating_again_costs_nothing_and_moving_there_and_back_is_two_transfers,
        a_user_has_as_many_machines_as_the_license_gives_them;
    once:
        every_answer_is_signed_as_clients_check_it,
        a_call_is_refused_by_what_is_wrong_with_its_headers,
        a_license_says_no_with_the_code_clients_know,
        a_user_shows_a_password_for_a_new_seat_alone,
        an_api_key_reaches_only_what_it_may,
        what_an_app_sends_beside_is_taken_or_passed_over,
        a_machine_with_its_own_key_is_out_of_the_apps_reach,
        no_cookie_and_no_origin_matters_here,
        a_product_is_described;
}

pub(super) const OPERATOR: Visitor = Visitor::Operator;

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

    pub(super) async fn activate(&self, app: &TestApp, license: &Licensed, hardware: &str) -> Reply {
        let body = json!({ "product": license.product, "hardware_id": hardware, "license_key": license.key.text() });
        self.post(app, "/activate_license", body).await
    }

    pub(super) async fn deactivate(&self, app: &TestApp, license: &Licensed, hardware: &str) -> Reply {
        let body = json!({ "product": license.product, "hardware_id": hardware, "license_key": license.key.text() });
        self.post(app, "/deactivate_license", body).await
    }

    /// A call about a machine's license, by POST, with what else it says.
    pub(super) async fn tell(&self, app: &TestApp, path: &str, license: &Licensed, hardware: &str, more: Value) -> Reply {
        let mut body = json!({ "product": license.product, "hardware_id": hardware, "license_key": license.key.text() });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post(app, path, body).await
    }

    /// The same by GET.
    pub(super) async fn ask(
        &self,
        app: &TestApp,
        path: &str,
        license: &Licensed,
        hardware: &str,
        more: &[(&str, &str)],
    ) -> Reply {
        let key = license.key.text();
        let mut query = vec![("product", license.product.as_str()), ("hardware_id", hardware), ("license_key", key.as_str())];
        query.extend(more);
        self.get(app, path, &query).await
    }

    pub(super) async fn check(&self, app: &TestApp, license: &Licensed, hardware: &str) -> Reply {
        let key = license.key.text();
        let query = [("product", license.product.as_str()), ("hardware_id", hardware), ("license_key", key.as_str())];
        self.get(app, "/check_license", &query).await
    }
}

pub(super) fn seats(count: u32) -> Terms {
    Terms { seats: Limit::AtMost(count), ..Terms::default() }
}

/// The code of an error, its body held to the three members every client reads.
pub(super) fn refused(reply: &Reply) -> (u16, String) {
    assert!(reply.status.is_client_error() || reply.status == 503, "{}: {}", reply.status, reply.text());
    let body = reply.json();
    let names: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(names, ["status", "code", "message"]);
    assert_eq!(body["status"], reply.status.as_u16());
    assert!(!body["message"].as_str().unwrap().is_empty());
    (reply.status.as_u16(), body["code"].as_str().unwrap().to_owned())
}

pub(super) fn code(reply: &Reply) -> String {
    refused(reply).1
}

pub(super) async fn public_key(app: &TestApp) -> Vec<u8> {
    let seals = app.desk().seals().await.unwrap();
    seals.into_iter().find(|seal| seal.purpose == SealUse::LicenseSpring).unwrap().public
}

/// Holds an answer to its signature, over the bytes as received and as JavaScript would write them again.
pub(super) async fn signed(app: &TestApp, reply: &Reply) -> Value {
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
    assert_eq!(code(&foreign.activate(&app, &license, "HW-B").await), "license_transferred_max_times");
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
    assert_eq!(code(&send(Some(&now), Some(&right)).await), "revoked_api_key");
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

async fn a_user_has_as_many_machines_as_the_license_gives_them(app: TestApp) {
    let press = app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let emails = ["bob@customer.example", "eve@customer.example"].map(|user| Email::parse(user).unwrap());
    let user_password = UserPassword::Given("their own password".to_owned());
    for secret in ["their own password", "bob@customer.example", "eve@customer.example"] {
        app.secret(secret);
    }
    let issue = Issue { user_seats: Some(1), user_password, users: emails.to_vec(), ..Issue::one(press, seats(3)) };
    let license = app.issue_as(issue).await;
    let activate = async |user: &str, hardware: &str| {
        let body = json!({ "product": "press", "hardware_id": hardware, "username": user, "password": "their own password" });
        foreign.post(&app, "/activate_license", body).await
    };
    // Two machines of one user at the same time: one has the seat.
    let (first, second) =
        futures::future::join(activate("bob@customer.example", "HW-1"), activate("bob@customer.example", "HW-2")).await;
    let (good, refused) = if first.status == 200 { (first, second) } else { (second, first) };
    assert_eq!(code(&refused), "license_activated_max_times");
    let body = signed(&app, &good).await;
    let told = |body: &Value| {
        let user = &body["user"];
        (user["max_activations"].clone(), user["total_activations"].clone(), user["allow_unlimited_activations"].clone())
    };
    assert_eq!(told(&body), (json!(1), json!(1), json!(false)));
    let hardware = body["hardware_id"].as_str().unwrap().to_owned();
    // Again on the same machine costs nothing, and the other user has a seat of their own.
    assert_eq!(activate("bob@customer.example", &hardware).await.status, 200);
    let body = signed(&app, &activate("eve@customer.example", "HW-3").await).await;
    assert_eq!((told(&body).1, body["times_activated"].clone()), (json!(1), json!(2)));
    // A machine of hers is not his for the asking.
    assert_eq!(code(&activate("bob@customer.example", "HW-3").await), "license_activated_max_times");
    // With room of his own he may sit down at it: then it is his, counts as his, and the license has no seat more.
    let more = |seats| app.desk().set_user_seats(&OPERATOR, license.id, &emails[0], seats);
    more(Some(2)).await.unwrap();
    let body = signed(&app, &activate("bob@customer.example", "HW-3").await).await;
    assert_eq!((told(&body), body["times_activated"].clone()), ((json!(2), json!(2), json!(false)), json!(2)));
    let by_name = async |user: &str| {
        let query = [("product", "press"), ("hardware_id", "HW-3"), ("username", user)];
        foreign.get(&app, "/check_license", &query).await
    };
    signed(&app, &by_name("bob@customer.example").await).await;
    assert_eq!(code(&by_name("eve@customer.example").await), "license_not_found");
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    assert!(view.history.iter().any(|entry| entry.act == "license.user_changed"));
    assert_eq!(code(&activate("bob@customer.example", "HW-4").await), "license_activated_max_times");
    // She has it back by her own password.
    signed(&app, &activate("eve@customer.example", "HW-3").await).await;
    signed(&app, &activate("bob@customer.example", "HW-4").await).await;
    more(None).await.unwrap();
    let query = [("product", "press"), ("hardware_id", "HW-4"), ("username", "bob@customer.example")];
    assert_eq!(told(&signed(&app, &foreign.get(&app, "/check_license", &query).await).await), (json!(3), json!(2), json!(false)));
    let nobody = Email::parse("nobody@customer.example").unwrap();
    let none = app.desk().set_user_seats(&OPERATOR, license.id, &nobody, Some(1)).await.unwrap_err();
    assert_eq!(none.code(), "not_found");
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
