//! OAuth clients of LicenseSpring's kind: tokens, scopes, secrets that are replaced, and files signed with them.

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use super::{
    Licensed, Reply, TestApp,
    app::urlencoded,
    foreign::ForeignApp,
    licensespring::{OPERATOR, code, seats, signed},
};
use crate::{
    desk::{Issue, MadeClient, UserPassword},
    licensing::{
        Email, ProductCode,
        files::{base64, licensespring::hmac},
        scope::Scope,
    },
};

tests! {
    both:
        a_client_shows_its_secret_and_then_a_token;
    once:
        a_token_is_worth_nothing_once_it_cannot_be_true,
        a_client_reaches_what_it_was_made_for,
        a_new_secret_leaves_the_old_one_for_a_while,
        a_file_is_signed_with_a_clients_secret,
        api_keys_can_be_switched_off,
        a_token_is_refused_in_the_words_of_oauth;
}

pub(super) async fn client(app: &TestApp, scope: Scope) -> MadeClient {
    let made = app.desk().add_oauth_client(&OPERATOR, "Sample", scope, None).await.unwrap();
    app.secret(made.client_secret.clone());
    made
}

async fn ask_token(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> Reply {
    app.send(
        Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(urlencoded(fields)).unwrap(),
    )
    .await
}

async fn token_for(app: &TestApp, id: &str, secret: &str) -> Reply {
    let fields = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    ask_token(app, "/api/v4/oauth_token", &fields).await
}

pub(super) async fn token(app: &TestApp, made: &MadeClient) -> String {
    let reply = token_for(app, &made.client_id, &made.client_secret).await;
    let token = reply.json()["access_token"].as_str().expect("a token").to_owned();
    app.secret(token.clone());
    token
}

pub(super) async fn call(app: &TestApp, token: &str, path: &str, body: Value) -> Reply {
    let request = Request::post(format!("/api/v4{path}"))
        .header(header::DATE, app.now().to_http_date())
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    app.send(request.body(Body::from(body.to_string())).unwrap()).await
}

fn about(license: &Licensed, hardware: &str) -> Value {
    json!({ "product": license.product, "hardware_id": hardware, "license_key": license.key.text() })
}

async fn a_client_shows_its_secret_and_then_a_token(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    let made = client(&app, Scope::Company).await;
    assert!(made.client_id.starts_with("auth_company_"), "{}", made.client_id);
    // Where to go is asked before anything is known.
    let place = app.get("/api/v4/oauth_url?login_type=client_credentials").await;
    let url = signed(&app, &place).await["url"].as_str().unwrap().to_owned();
    assert!(url.ends_with("/api/v4/oauth_token"), "{url}");
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", made.client_id.as_str()),
        ("client_secret", made.client_secret.as_str()),
    ];
    // Where the Node client goes unless it is told.
    for path in ["/api/v4/oauth_token", "/realms/user-portal/protocol/openid-connect/token"] {
        let reply = ask_token(&app, path, &fields).await;
        assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"), "{path}");
        let body = reply.json();
        assert_eq!((&body["expires_in"], &body["token_type"]), (&json!(480), &json!("Bearer")));
        app.secret(body["access_token"].as_str().unwrap());
    }
    let token = token(&app, &made).await;
    let body = signed(&app, &call(&app, &token, "/activate_license", about(&license, "HW-1")).await).await;
    assert_eq!(body["times_activated"], 1);
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    assert_eq!(view.activations[0].activation.api_key.as_deref(), Some(made.client_id.as_str()));
    assert_eq!(call(&app, &token, "/deactivate_license", about(&license, "HW-1")).await.text(), "license_deactivated");
}

async fn a_token_is_worth_nothing_once_it_cannot_be_true(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    let (made, other) = (client(&app, Scope::Company).await, {
        app.pass_seconds(1);
        client(&app, Scope::Company).await
    });
    let token = token(&app, &made).await;
    let tried = async |token: &str| {
        let reply = call(&app, token, "/activate_license", about(&license, "HW-1")).await;
        (reply.status.as_u16(), if reply.status == 200 { String::new() } else { code(&reply) })
    };
    let malformed = (401, "oauth_token_malformed".to_owned());
    let (claims, mac) = token.split_once('.').unwrap();
    let read = String::from_utf8(base64::from_url(claims).unwrap()).unwrap();
    let another = base64::url(read.replace(&made.client_id, &other.client_id).as_bytes());
    let longer = base64::url(read.replace("\"until\":1", "\"until\":9").as_bytes());
    for forged in [
        String::new(),
        "x".to_owned(),
        claims.to_owned(),
        format!("{claims}."),
        format!("{claims}.{}", mac.chars().rev().collect::<String>()),
        format!("{another}.{mac}"),
        format!("{longer}.{mac}"),
        format!("{token}x"),
    ] {
        if !forged.is_empty() {
            assert_eq!(tried(&forged).await, malformed, "{forged}");
        }
    }
    assert_eq!(tried(&token).await.0, 200);
    // Without a date, or with one that is off, as with an API key.
    let request = Request::post("/api/v4/activate_license").header(header::AUTHORIZATION, format!("Bearer {token}"));
    assert_eq!(code(&app.send(request.body(Body::from("{}")).unwrap()).await), "missing_headers");
    let request = Request::post("/api/v4/activate_license")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::DATE, app.now().plus_seconds(902).to_http_date());
    assert_eq!(code(&app.send(request.body(Body::from("{}")).unwrap()).await), "date_header_diff");
    app.pass_seconds(479);
    assert_eq!(tried(&token).await.0, 200);
    app.pass_seconds(1);
    assert_eq!(tried(&token).await, (401, "oauth_token_expired".to_owned()));
    let fresh = self::token(&app, &made).await;
    assert_eq!(tried(&fresh).await.0, 200);
    app.desk().revoke_oauth_client(&OPERATOR, made.id).await.unwrap();
    // Not one of the two codes on which a client would ask again and again.
    assert_eq!(tried(&fresh).await, (401, "invalid_client".to_owned()));
    assert_eq!(token_for(&app, &made.client_id, &made.client_secret).await.status, 401);
}

async fn a_client_reaches_what_it_was_made_for(app: TestApp) {
    app.product("press").await;
    for secret in ["ann@customer.example", "bob@customer.example", "first password of bob"] {
        app.secret(secret);
    }
    let issue = || Issue::one(ProductCode::parse("press").unwrap(), seats(1));
    let customer = Email::parse("ann@customer.example").unwrap();
    let of_ann = app.issue_as(Issue { customer: Some(customer.clone()), ..issue() }).await;
    let of_bob = app
        .issue_as(Issue {
            customer: Some(Email::parse("bob@customer.example").unwrap()),
            users: vec![Email::parse("bob@customer.example").unwrap()],
            user_password: UserPassword::Given("first password of bob".to_owned()),
            ..issue()
        })
        .await;
    let ann = app.desk().customer(&OPERATOR, &customer).await.unwrap().0.id;
    let code_of = |text: &str| ProductCode::parse(text).unwrap();
    app.desk().set_settings(&OPERATOR, vec![("exposeCustomer".to_owned(), "true".to_owned())]).await.unwrap();
    let acme = app.desk().add_account(&OPERATOR, &code_of("acme"), "ACME Inc.").await.unwrap();
    app.desk().set_account(&OPERATOR, &customer, Some(&code_of("ACME"))).await.unwrap();
    let (of_customer, of_license) = (client(&app, Scope::Customer(ann)).await, client(&app, Scope::License(of_ann.id)).await);
    let of_account = client(&app, Scope::Account(acme)).await;
    assert_eq!(of_account.client_id, format!("auth_customeraccount_{}", acme.0));
    assert_eq!(of_customer.client_id, format!("auth_customer_{}", ann.0));
    assert_eq!(of_license.client_id, format!("auth_license_{}", of_ann.id));
    for made in [&of_customer, &of_license, &of_account] {
        let token = token(&app, made).await;
        let body = signed(&app, &call(&app, &token, "/activate_license", about(&of_ann, "HW-1")).await).await;
        let account = json!({ "id": acme.0, "name": "ACME Inc.", "code": "acme" });
        assert_eq!(body["customer"]["customer_account"], account);
        // Of another's license it is told what a stranger is told.
        let elsewhere = call(&app, &token, "/activate_license", about(&of_bob, "HW-1")).await;
        assert_eq!(code(&elsewhere), "license_not_found");
        let list = format!(
            "/api/v4/user_licenses?product=press&username={}&password={}",
            "bob%40customer.example", "first+password+of+bob"
        );
        let request = Request::get(list)
            .header(header::DATE, app.now().to_http_date())
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        assert_eq!(app.send(request.body(Body::empty()).unwrap()).await.json(), json!([]));
        let request = Request::get("/api/v4/trial_key?product=press&hardware_id=HW-1")
            .header(header::DATE, app.now().to_http_date())
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        assert_eq!(code(&app.send(request.body(Body::empty()).unwrap()).await), "oauth_scope_not_allowed");
        let chosen = json!({ "username": "bob@customer.example", "password": "first password of bob", "new_password": "another's choice of it" });
        assert_eq!(code(&call(&app, &token, "/change_password", chosen).await), "user_credentials_invalid");
    }
    // Out of the account, out of its reach; also what was answered from before.
    app.desk().set_account(&OPERATOR, &customer, None).await.unwrap();
    let token = token(&app, &of_account).await;
    assert_eq!(code(&call(&app, &token, "/activate_license", about(&of_ann, "HW-1")).await), "license_not_found");
    let again = app.desk().add_oauth_client(&OPERATOR, "Again", Scope::Customer(ann), None).await;
    assert_eq!(super::app::code(again), "taken");
    let nobody = app.desk().add_oauth_client(&OPERATOR, "Nobody", Scope::Account(crate::licensing::AccountId(404)), None).await;
    assert_eq!(super::app::code(nobody), "not_found");
    let nobody = app.desk().add_oauth_client(&OPERATOR, "Nobody", Scope::License(crate::licensing::LicenseId(404)), None).await;
    assert_eq!(super::app::code(nobody), "not_found");
}

async fn a_new_secret_leaves_the_old_one_for_a_while(app: TestApp) {
    let made = client(&app, Scope::Company).await;
    let old_token = token(&app, &made).await;
    let rotated = app.desk().rotate_oauth_secret(&OPERATOR, made.id, 24, Some(30)).await.unwrap();
    app.secret(rotated.client_secret.clone());
    assert_eq!(rotated.client_id, made.client_id);
    for secret in [&made.client_secret, &rotated.client_secret] {
        assert_eq!(token_for(&app, &made.client_id, secret).await.status, 200);
    }
    // A third leaves the second for no time at all.
    let third = app.desk().rotate_oauth_secret(&OPERATOR, made.id, 0, None).await.unwrap();
    app.secret(third.client_secret.clone());
    for secret in [&made.client_secret, &rotated.client_secret] {
        assert_eq!(token_for(&app, &made.client_id, secret).await.status, 401);
    }
    assert_eq!(token_for(&app, &made.client_id, &third.client_secret).await.status, 200);
    // A token ends with the secret it was given for.
    assert_eq!(code(&call(&app, &old_token, "/activate_license", json!({})).await), "invalid_client");
    let short = app.desk().rotate_oauth_secret(&OPERATOR, made.id, 0, Some(1)).await.unwrap();
    app.secret(short.client_secret.clone());
    assert_eq!(token_for(&app, &made.client_id, &short.client_secret).await.status, 200);
    app.pass_days(1);
    assert_eq!(token_for(&app, &made.client_id, &short.client_secret).await.status, 401);
    app.desk().revoke_oauth_client(&OPERATOR, made.id).await.unwrap();
    assert_eq!(super::app::code(app.desk().rotate_oauth_secret(&OPERATOR, made.id, 0, None).await), "not_found");
}

async fn a_file_is_signed_with_a_clients_secret(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    let elsewhere = app.issue("press", seats(2)).await;
    let made = client(&app, Scope::License(license.id)).await;
    let file = |license: &Licensed, id: &str, hardware: &str, secret: &str| {
        let text = json!({
            "request": "activation", "product": "press", "hardware_id": hardware, "license_key": license.key.text(),
            "client_id": made.client_id, "date": "Sat, 21 Nov 2026 00:02:03 GMT", "request_id": id,
        })
        .to_string();
        let signature = hmac::sign(secret.as_bytes(), text.as_bytes());
        base64::standard(format!("{{\"request\":{text},\"signature\":\"{signature}\"}}").as_bytes()).into_bytes()
    };
    app.bring(file(&license, "r-1", "HW-1", &made.client_secret)).await.unwrap();
    let rotated = app.desk().rotate_oauth_secret(&OPERATOR, made.id, 24, None).await.unwrap();
    app.secret(rotated.client_secret.clone());
    app.bring(file(&license, "r-2", "HW-2", &rotated.client_secret)).await.unwrap();
    app.bring(file(&license, "r-3", "HW-1", &made.client_secret)).await.unwrap();
    for (license, secret, expected) in [
        (&license, "not the secret of this client", "bad_signature"),
        // Anybody knows the client's name; a client in Python signs with it by mistake.
        (&license, made.client_id.as_str(), "bad_signature"),
        (&elsewhere, rotated.client_secret.as_str(), "invalid_api_key"),
    ] {
        assert_eq!(app.bring(file(license, "r-9", "HW-1", secret)).await.unwrap_err().code, expected, "{secret}");
    }
    // Through the API: the carrier is one thing, who signed the file another.
    let carrier = ForeignApp::new(&app, None, false).await;
    let text = String::from_utf8(file(&license, "r-4", "HW-1", &rotated.client_secret)).unwrap();
    assert_eq!(carrier.post(&app, "/activate_offline", json!({ "Payload": text })).await.status, 200);
    app.desk().revoke_oauth_client(&OPERATOR, made.id).await.unwrap();
    assert_eq!(app.bring(file(&license, "r-5", "HW-1", &rotated.client_secret)).await.unwrap_err().code, "invalid_api_key");
}

async fn api_keys_can_be_switched_off(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let made = client(&app, Scope::Company).await;
    app.desk().set_settings(&OPERATOR, vec![("oauthRequired".to_owned(), "true".to_owned())]).await.unwrap();
    assert_eq!(code(&foreign.activate(&app, &license, "HW-1").await), "oauth_required");
    let file = foreign.v2("activation", "press", "HW-1", json!({ "license_key": license.key.text(), "request_id": "r-1" }));
    assert_eq!(app.bring(file).await.unwrap_err().code, "invalid_api_key");
    let token = token(&app, &made).await;
    assert_eq!(call(&app, &token, "/activate_license", about(&license, "HW-1")).await.status, 200);
}

async fn a_token_is_refused_in_the_words_of_oauth(app: TestApp) {
    let made = client(&app, Scope::Company).await;
    let (id, secret) = (made.client_id.as_str(), made.client_secret.as_str());
    let grant = ("grant_type", "client_credentials");
    for (fields, status, error) in [
        (vec![], 400, "unsupported_grant_type"),
        (vec![("grant_type", "password"), ("client_id", id), ("client_secret", secret)], 400, "unsupported_grant_type"),
        (vec![grant], 401, "invalid_client"),
        (vec![grant, ("client_id", id)], 401, "invalid_client"),
        (vec![grant, ("client_id", id), ("client_secret", "a guess")], 401, "invalid_client"),
        (vec![grant, ("client_id", "auth_company_1"), ("client_secret", secret)], 401, "invalid_client"),
    ] {
        let reply = ask_token(&app, "/api/v4/oauth_token", &fields).await;
        assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (status, Some(error)), "{fields:?}");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    // As RFC 6749 §2.3.1 prefers it.
    let basic = format!("Basic {}", base64::standard(format!("{id}:{secret}").as_bytes()));
    let request = Request::post("/api/v4/oauth_token").header(header::AUTHORIZATION, basic);
    let reply = app.send(request.body(urlencoded(&[grant])).unwrap()).await;
    assert_eq!(reply.status, 200);
    app.secret(reply.json()["access_token"].as_str().unwrap());
    assert_eq!(code(&app.get("/api/v4/oauth_url?login_type=sso").await), "validation_error");
    let many = futures::future::join_all((0..80).map(|_| token_for(&app, id, "a guess"))).await;
    assert!(many.iter().any(|reply| reply.status == 429), "one address guesses without end");
}
