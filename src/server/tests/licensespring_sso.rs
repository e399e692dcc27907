//! Single sign-on: people of a customer account show what their own provider says of them. The provider here is a real server of this
//! test's, with keys of its own.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    Reply, TestApp,
    foreign::ForeignApp,
    licensespring::{OPERATOR, code, public_key, refused, seats, signed},
    licensespring_oauth::{call, client, token},
};
use crate::{
    desk::{Issue, NewSso, UserPassword},
    licensing::{
        Email, ProductCode,
        files::{base64, licensespring::response::v1_message},
        scope::Scope,
        sso::SsoProvider,
    },
    vault::verify_rsa,
};

tests! {
    both:
        somebody_who_has_signed_in_has_the_licenses_of_their_account;
    once:
        a_code_is_exchanged_once,
        a_token_counts_only_if_all_of_it_is_right,
        a_provider_speaks_for_its_account_alone,
        keys_are_fetched_again_when_they_change_and_kept_when_nobody_answers,
        a_provider_is_asked_what_it_is_before_it_is_believed,
        a_whole_bundle_takes_one_sign_in;
}

const SECRET: &str = "the provider's secret & more";

/// A sign-in provider, on a port of its own.
pub(super) struct Provider {
    pub issuer: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    issuer: Mutex<String>,
    keys: Mutex<Vec<(String, EcdsaKeyPair)>>,
    /// Tokens by the code they are given for.
    codes: Mutex<HashMap<String, String>>,
    asked_for_keys: AtomicU32,
    described: AtomicU32,
    silent: AtomicBool,
}

impl Inner {
    fn add_key(&self, kid: &str) {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        self.keys.lock().unwrap().insert(0, (kid.to_owned(), key));
    }
}

impl Provider {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}/tenant", listener.local_addr().unwrap());
        let inner = Arc::new(Inner::default());
        *inner.issuer.lock().unwrap() = issuer.clone();
        inner.add_key("first");
        let routes = Router::new()
            .route("/tenant/.well-known/openid-configuration", get(describe))
            .route(
                "/elsewhere/.well-known/openid-configuration",
                get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/tenant/.well-known/openid-configuration")]) }),
            )
            .route("/tenant/keys", get(keys))
            .route("/tenant/token", post(exchange))
            .with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { issuer, inner }
    }

    pub fn settings(&self) -> NewSso {
        let provider = SsoProvider {
            issuer: self.issuer.clone(),
            client_id: "press-app".to_owned(),
            redirect_uris: vec!["http://127.0.0.1/back".to_owned(), "press://back".to_owned()],
            trusts_addresses: false,
        };
        NewSso { provider, client_secret: Some(SECRET.to_owned()) }
    }

    pub fn claims(&self, app: &TestApp, email: &str, nonce: &str) -> Value {
        let now = app.now().seconds();
        json!({
            "iss": self.issuer, "aud": "press-app", "sub": "7", "iat": now, "exp": now + 300, "nonce": nonce, "email": email,
            "email_verified": true,
        })
    }

    /// A token under the newest key.
    pub fn token(&self, claims: &Value) -> String {
        let keys = self.inner.keys.lock().unwrap();
        let (kid, key) = &keys[0];
        sign(&json!({ "alg": "ES256", "typ": "JWT", "kid": kid }), claims, key)
    }

    pub fn set_silent(&self, silent: bool) {
        self.inner.silent.store(silent, Ordering::SeqCst);
    }
}

fn sign(head: &Value, claims: &Value, key: &EcdsaKeyPair) -> String {
    let text = format!("{}.{}", base64::url(head.to_string().as_bytes()), base64::url(claims.to_string().as_bytes()));
    let signature = key.sign(&aws_lc_rs::rand::SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", base64::url(signature.as_ref()))
}

async fn describe(State(inner): State<Arc<Inner>>) -> Response {
    inner.described.fetch_add(1, Ordering::SeqCst);
    if inner.silent.load(Ordering::SeqCst) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let issuer = inner.issuer.lock().unwrap().clone();
    Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize?tenant=7"), "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"), "end_session_endpoint": format!("{issuer}/end"),
    }))
    .into_response()
}

async fn keys(State(inner): State<Arc<Inner>>) -> Json<Value> {
    inner.asked_for_keys.fetch_add(1, Ordering::SeqCst);
    let keys = inner.keys.lock().unwrap();
    let keys = keys.iter().map(|(kid, key)| {
        let point = key.public_key().as_ref();
        let (x, y) = (base64::url(&point[1..33]), base64::url(&point[33..]));
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": x, "y": y })
    });
    let others = [json!({ "kty": "quantum" }), json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "first" })];
    Json(json!({ "keys": others.into_iter().chain(keys).collect::<Vec<_>>() }))
}

async fn exchange(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let plain = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("Basic {}", base64::standard(format!("press-app:{}", plain(SECRET)).as_bytes()));
    if headers.get(header::AUTHORIZATION).is_none_or(|sent| sent.to_str().unwrap() != basic) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" })));
    }
    let right = form["grant_type"] == "authorization_code" && form["redirect_uri"] == "press://back";
    match inner.codes.lock().unwrap().remove(&form["code"]).filter(|_| right) {
        Some(token) => (StatusCode::OK, Json(json!({ "access_token": "x", "token_type": "Bearer", "id_token": token }))),
        None => (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))),
    }
}

fn parsed(code: &str) -> ProductCode {
    ProductCode::parse(code).unwrap()
}

/// ACME signs in at a provider; Ann of ACME is a user of a license that it bought.
struct House {
    app: TestApp,
    foreign: ForeignApp,
    provider: Provider,
}

impl House {
    async fn new(app: TestApp) -> Self {
        for secret in ["ann@acme.example", "bob@acme.example", "it@acme.example", SECRET] {
            app.secret(secret);
        }
        app.product("press").await;
        let (foreign, provider) = (ForeignApp::new(&app, None, false).await, Provider::start().await);
        app.desk().add_account(&OPERATOR, &parsed("acme"), "ACME Inc.").await.unwrap();
        app.desk().set_sso(&OPERATOR, &parsed("acme"), Some(provider.settings())).await.unwrap();
        let house = Self { app, foreign, provider };
        house.sold("press", "it@acme.example", "ann@acme.example").await;
        house.app.desk().set_account(&OPERATOR, &Email::parse("it@acme.example").unwrap(), Some(&parsed("acme"))).await.unwrap();
        house
    }

    async fn sold(&self, product: &str, customer: &str, user: &str) -> i64 {
        let issue = Issue {
            customer: Some(Email::parse(customer).unwrap()),
            users: vec![Email::parse(user).unwrap()],
            user_password: UserPassword::Given("a first password".to_owned()),
            ..Issue::one(parsed(product), seats(3))
        };
        self.app.desk().issue(&OPERATOR, issue).await.unwrap().licenses[0].id.0
    }

    /// What begins a sign-in: the nonce of the address that people are sent to.
    async fn begin(&self, more: &[(&str, &str)]) -> (Value, String) {
        let query = [&[("product", "press"), ("customer_account_code", "ACME")], more].concat();
        let body = signed(&self.app, &self.foreign.get(&self.app, "/sso_url", &query).await).await;
        let url = body["url"].as_str().unwrap();
        let nonce = form_urlencoded::parse(url.split_once('?').unwrap().1.as_bytes())
            .find(|(name, _)| name == "nonce")
            .unwrap()
            .1
            .into_owned();
        (body, nonce)
    }

    async fn token_of(&self, email: &str) -> String {
        let (_, nonce) = self.begin(&[]).await;
        let token = self.provider.token(&self.provider.claims(&self.app, email, &nonce));
        self.app.secret(token.clone());
        token
    }

    async fn activate(&self, hardware: &str, token: &str) -> Reply {
        let body = json!({ "product": "press", "hardware_id": hardware, "customer_account_code": "acme", "id_token": token });
        self.foreign.post(&self.app, "/activate_license", body).await
    }

    async fn faulty(&self, token: &str, expected: &str) {
        let reply = self.activate("HW-1", token).await;
        assert_eq!(code(&reply), "sso_token_invalid", "{token}");
        assert!(reply.json()["message"].as_str().unwrap().contains(expected), "{expected}: {}", reply.text());
    }
}

async fn somebody_who_has_signed_in_has_the_licenses_of_their_account(app: TestApp) {
    let house = House::new(app).await;
    let (app, foreign) = (&house.app, &house.foreign);
    let (body, nonce) = house.begin(&[("redirect_uri", "press://back")]).await;
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["url", "openid_configuration"]);
    let url = body["url"].as_str().unwrap();
    let expected = format!(
        "{}/authorize?tenant=7&response_type=id_token&client_id=press-app&redirect_uri=press%3A%2F%2Fback&",
        house.provider.issuer
    );
    assert!(url.starts_with(&expected) && url.contains("scope=openid+email&"), "{url}");
    let (with_code, _) = house.begin(&[("response_type", "code")]).await;
    let url = with_code["url"].as_str().unwrap();
    assert!(url.contains("response_type=code&") && url.contains("redirect_uri=http%3A%2F%2F127.0.0.1%2Fback"), "{url}");
    let described = json!({
        "issuer": house.provider.issuer, "end_session_endpoint": format!("{}/end", house.provider.issuer),
        "token_endpoint": format!("{}/token", house.provider.issuer), "introspection_endpoint": "",
    });
    assert_eq!(body["openid_configuration"], described);

    let token = house.provider.token(&house.provider.claims(app, "Ann@ACME.example", &nonce));
    app.secret(token.clone());
    let body = signed(app, &house.activate("HW-1", &token).await).await;
    assert_eq!((&body["user"]["email"], &body["times_activated"]), (&json!("ann@acme.example"), &json!(1)));
    assert!(body["customer"]["customer_account"].is_null(), "no more is told of a customer than the address");
    assert!(body.get("username").is_none() && body["request"] == "activation");
    // §3.3: the user's address stands where a key or a name would.
    let message = v1_message("HW-1", "ann@acme.example", "");
    let signature = base64::from_standard(body["license_signature"].as_str().unwrap()).unwrap();
    assert!(verify_rsa(&public_key(app).await, message.as_bytes(), &signature));

    // The machine that was activated so is checked by name, as clients do; or with the sign-in again.
    let by_name = [("product", "press"), ("hardware_id", "HW-1"), ("username", "ann@acme.example")];
    assert_eq!(foreign.get(app, "/check_license", &by_name).await.status, 200);
    let by_token = [("product", "press"), ("hardware_id", "HW-1"), ("customer_account_code", "acme"), ("id_token", &token)];
    assert_eq!(signed(app, &foreign.get(app, "/check_license", &by_token).await).await["user"]["email"], "ann@acme.example");
    let not_there = [("product", "press"), ("hardware_id", "HW-2"), ("customer_account_code", "acme"), ("id_token", &token)];
    assert_eq!(code(&foreign.get(app, "/check_license", &not_there).await), "device_not_found");
    let list = [("product", "press"), ("customer_account_code", "acme"), ("id_token", &token)];
    assert_eq!(signed(app, &foreign.get(app, "/user_licenses", &list).await).await.as_array().unwrap().len(), 1);
    // A name beside it is what the client keeps: it must be the same.
    let mut named = json!({ "product": "press", "hardware_id": "HW-2", "customer_account_code": "acme", "id_token": token, "username": "ann@acme.example|acme" });
    assert_eq!(
        signed(app, &foreign.post(app, "/activate_license", named.clone()).await).await["username"],
        "ann@acme.example|acme"
    );
    named["username"] = "bob@acme.example".into();
    assert_eq!(code(&foreign.post(app, "/activate_license", named).await), "user_credentials_invalid");
    // Nobody's license becomes theirs by a sign-in.
    assert_eq!(code(&house.activate("HW-3", &house.token_of("bob@acme.example").await).await), "license_not_found");

    for (query, expected) in [
        (vec![("product", "press")], "missing_parameters"),
        (vec![("product", "press"), ("customer_account_code", "other")], "customer_account_not_found"),
        (vec![("product", "press"), ("customer_account_code", "a/b")], "customer_account_not_found"),
        (vec![("product", "cut"), ("customer_account_code", "acme")], "unknown_product"),
        (vec![("product", "press"), ("customer_account_code", "acme"), ("response_type", "both")], "validation_error"),
        (
            vec![("product", "press"), ("customer_account_code", "acme"), ("redirect_uri", "press://back/")],
            "redirect_uri_not_allowed",
        ),
    ] {
        assert_eq!(code(&foreign.get(app, "/sso_url", &query).await), expected, "{query:?}");
    }
    let body = json!({ "product": "press", "hardware_id": "HW-1", "id_token": token });
    assert_eq!(code(&foreign.post(app, "/activate_license", body).await), "missing_parameters");
    // Where a key comes too, it counts.
    let body = json!({ "product": "press", "hardware_id": "HW-1", "id_token": "x", "license_key": "00000-00000-00000-00000" });
    assert_eq!(code(&foreign.post(app, "/activate_license", body).await), "license_not_found");

    app.desk().set_sso(&OPERATOR, &parsed("acme"), None).await.unwrap();
    assert_eq!(code(&house.activate("HW-4", &token).await), "sso_not_enabled");
    assert_eq!(super::app::code(app.desk().set_sso(&OPERATOR, &parsed("acme"), None).await), "not_found");
    assert_eq!(foreign.get(app, "/check_license", &by_name).await.status, 200, "what is activated stays so");
}

async fn a_code_is_exchanged_once(app: TestApp) {
    let house = House::new(app).await;
    let (_, nonce) = house.begin(&[("response_type", "code"), ("redirect_uri", "press://back")]).await;
    let token = house.provider.token(&house.provider.claims(&house.app, "ann@acme.example", &nonce));
    house.provider.inner.codes.lock().unwrap().insert("c0de-0f-ann".to_owned(), token);
    let (_, nonce) = house.begin(&[("response_type", "code")]).await;
    let other = house.provider.token(&house.provider.claims(&house.app, "ann@acme.example", &nonce));
    house.provider.inner.codes.lock().unwrap().insert("an0ther-c0de".to_owned(), other);
    for code in ["c0de-0f-ann", "an0ther-c0de"] {
        house.app.secret(code);
    }
    let with = |code: &str, back: Option<&str>| {
        let mut body = json!({ "product": "press", "hardware_id": "HW-1", "customer_account_code": "acme", "code": code });
        if let Some(back) = back {
            body["redirect_uri"] = back.into();
        }
        body
    };
    let post = async |body: Value| house.foreign.post(&house.app, "/activate_license", body).await;
    assert_eq!(code(&post(with("c0de-0f-ann", Some("press://elsewhere"))).await), "redirect_uri_not_allowed");
    assert_eq!(post(with("c0de-0f-ann", Some("press://back"))).await.status, 200);
    let again = post(with("c0de-0f-ann", Some("press://back"))).await;
    assert_eq!(code(&again), "sso_token_invalid");
    assert!(again.text().contains("invalid_grant"), "{}", again.text());
    // Without an address the first counts, which is not where this one was sent.
    assert_eq!(code(&post(with("an0ther-c0de", None)).await), "sso_token_invalid");
    // It was taken there, in vain: nobody has it any more.
    assert_eq!(code(&post(with("an0ther-c0de", Some("press://back"))).await), "sso_token_invalid");
    // A secret that the provider does not take is nobody's mistake but the vendor's.
    let wrong = NewSso { client_secret: Some("another".to_owned()), ..house.provider.settings() };
    house.app.desk().set_sso(&OPERATOR, &parsed("acme"), Some(wrong)).await.unwrap();
    let refused = refused(&post(with("any", Some("press://back"))).await);
    assert_eq!(refused, (503, "sso_provider_unreachable".to_owned()));
    // Said again without a secret, the client keeps the one it has; codes are not tried without end.
    house.app.desk().set_sso(&OPERATOR, &parsed("acme"), Some(house.provider.settings())).await.unwrap();
    let again = NewSso { client_secret: None, ..house.provider.settings() };
    house.app.desk().set_sso(&OPERATOR, &parsed("acme"), Some(again)).await.unwrap();
    let mut last = post(with("any", Some("press://back"))).await;
    assert_eq!(code(&last), "sso_token_invalid");
    for _ in 0..200 {
        if last.status == 429 {
            return;
        }
        last = post(with("any", Some("press://back"))).await;
    }
    panic!("codes are tried without end: {}", last.text());
}

async fn a_token_counts_only_if_all_of_it_is_right(app: TestApp) {
    let house = House::new(app).await;
    let (_, nonce) = house.begin(&[]).await;
    let right = house.provider.claims(&house.app, "ann@acme.example", &nonce);
    for (name, value, expected) in [
        ("iss", json!("http://127.0.0.1/other"), "another provider"),
        ("aud", json!("other-app"), "another app"),
        ("exp", json!(house.app.now().seconds() - 60), "has ended"),
        ("nbf", json!(house.app.now().seconds() + 100), "in the future"),
        ("nonce", json!("x"), "did not begin here"),
        ("nonce", json!(format!("{nonce}x")), "did not begin here"),
        ("nonce", json!(nonce.replacen('.', "1.", 1)), "did not begin here"),
        ("email", json!("ann"), "no e-mail address"),
        ("email_verified", json!(false), "email_verified"),
    ] {
        let mut claims = right.clone();
        claims[name] = value;
        house.faulty(&house.provider.token(&claims), expected).await;
    }
    let good = house.provider.token(&right);
    let (text, _) = good.rsplit_once('.').unwrap();
    let claims = text.split_once('.').unwrap().1;
    let stranger = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let none = base64::url(br#"{"alg":"none"}"#);
    let head = json!({ "alg": "HS256", "kid": "first" });
    let hmac = format!("{}.{claims}", base64::url(head.to_string().as_bytes()));
    // Of the public set's own secret: what signs with it is not the provider.
    let hmac = format!(
        "{hmac}.{}",
        crate::licensing::files::licensespring::hmac::sign(b"secret", hmac.as_bytes())
            .replace('+', "-")
            .replace('/', "_")
            .replace('=', "")
    );
    for (token, expected) in [
        (format!("{text}."), "not signed by"),
        (sign(&json!({ "alg": "ES256", "kid": "first" }), &right, &stranger), "not signed by"),
        (sign(&json!({ "alg": "ES256", "kid": "unknown" }), &right, &stranger), "not signed by"),
        (sign(&json!({ "alg": "ES256" }), &right, &stranger), "not signed by"),
        (sign(&json!({ "alg": "RS256", "kid": "first" }), &right, &stranger), "not signed by"),
        (format!("{none}.{claims}."), "no token that can be read"),
        (hmac, "signed in a way"),
        (text.to_owned(), "no token that can be read"),
        ("x".repeat(20_000), "no token that can be read"),
        ("x".to_owned(), "no token that can be read"),
    ] {
        house.faulty(&token, expected).await;
    }
    assert_eq!(house.activate("HW-1", &good).await.status, 200);
    // A sign-in that began too long ago is over, whatever the token says.
    house.app.pass_seconds(25 * 3_600);
    let late = house.provider.token(&house.provider.claims(&house.app, "ann@acme.example", &nonce));
    house.faulty(&late, "did not begin here").await;
}

async fn a_provider_speaks_for_its_account_alone(app: TestApp) {
    let house = House::new(app).await;
    let app = &house.app;
    // Another account, whose provider says that somebody there is called Ann of ACME.
    let other = Provider::start().await;
    app.desk().add_account(&OPERATOR, &parsed("rival"), "Rival").await.unwrap();
    app.desk().set_sso(&OPERATOR, &parsed("rival"), Some(other.settings())).await.unwrap();
    let query = [("product", "press"), ("customer_account_code", "rival")];
    let start = signed(app, &house.foreign.get(app, "/sso_url", &query).await).await;
    let url = start["url"].as_str().unwrap().to_owned();
    let nonce = url.split_once("nonce=").unwrap().1.split_once('&').unwrap().0.to_owned();
    let theirs = other.token(&other.claims(app, "ann@acme.example", &nonce));
    let body = |account: &str, token: &str| json!({ "product": "press", "hardware_id": "HW-1", "customer_account_code": account, "id_token": token });
    let post = async |body: Value| house.foreign.post(app, "/activate_license", body).await;
    assert_eq!(code(&post(body("rival", &theirs)).await), "license_not_found");
    assert_eq!(code(&post(body("acme", &theirs)).await), "sso_token_invalid");
    // What began for one account does not end at another, even where both sign in at one provider.
    app.desk().set_sso(&OPERATOR, &parsed("rival"), Some(house.provider.settings())).await.unwrap();
    let crossed = house.provider.token(&house.provider.claims(app, "ann@acme.example", &nonce));
    house.faulty(&crossed, "did not begin here").await;
    // A license of the same user that another customer bought is not the account's; nor is one of the account out of it.
    let elsewhere = house.sold("press", "it@rival.example", "ann@acme.example").await;
    let token = house.token_of("ann@acme.example").await;
    let mut only = body("acme", &token);
    only["license_id"] = elsewhere.into();
    assert_eq!(code(&post(only).await), "license_not_found");
    let list = [("product", "press"), ("customer_account_code", "acme"), ("id_token", &token)];
    assert_eq!(signed(app, &house.foreign.get(app, "/user_licenses", &list).await).await.as_array().unwrap().len(), 1);
    assert_eq!(post(body("acme", &token)).await.status, 200);
    // A client that is held to an account asks for no other.
    let acme = app.desk().account(&OPERATOR, &parsed("acme")).await.unwrap().id;
    let rival = app.desk().account(&OPERATOR, &parsed("rival")).await.unwrap().id;
    let [of_acme, of_rival] = [token_of(app, acme).await, token_of(app, rival).await];
    for (bearer, expected) in [(&of_acme, None), (&of_rival, Some("customer_account_id_mismatch"))] {
        let reply = call(app, bearer, "/activate_license", body("acme", &token)).await;
        assert_eq!((reply.status != 200).then(|| code(&reply)).as_deref(), expected);
    }
    // Of two licenses of one user a client is given the one that it reaches, and tries no passwords at the other.
    let first = house.sold("press", "it@rival.example", "carl@acme.example").await;
    let second = house.sold("press", "it@acme.example", "carl@acme.example").await;
    assert!(first < second);
    let bearer = of_acme;
    let by_password =
        json!({ "product": "press", "hardware_id": "HW-5", "username": "carl@acme.example", "password": "a first password" });
    assert_eq!(call(app, &bearer, "/activate_license", by_password).await.json()["id"], second);
    app.desk().set_settings(&OPERATOR, vec![("customerLicenseUsers".to_owned(), "true".to_owned())]).await.unwrap();
    for (customer, expected) in [("it@acme.example", None), ("it@rival.example", Some("customer_does_not_exist"))] {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("product", "press")
            .append_pair("customer", customer)
            .finish();
        let request = axum::http::Request::get(format!("/api/v4/customer_license_users?{query}"))
            .header(header::DATE, app.now().to_http_date())
            .header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        let reply = app.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!((reply.status != 200).then(|| code(&reply)).as_deref(), expected, "{customer}");
    }
    app.desk().set_account(&OPERATOR, &Email::parse("it@acme.example").unwrap(), None).await.unwrap();
    assert_eq!(code(&post(body("acme", &token)).await), "license_not_found");
}

async fn token_of(app: &TestApp, account: crate::licensing::AccountId) -> String {
    token(app, &client(app, Scope::Account(account)).await).await
}

async fn keys_are_fetched_again_when_they_change_and_kept_when_nobody_answers(app: TestApp) {
    let house = House::new(app).await;
    let asked = || house.provider.inner.asked_for_keys.load(Ordering::SeqCst);
    assert_eq!(house.activate("HW-1", &house.token_of("ann@acme.example").await).await.status, 200);
    assert_eq!(asked(), 1, "once, when the provider was named");
    house.provider.inner.add_key("second");
    // Fetched a moment ago: a stranger's tokens do not make this server ask again and again.
    let token = house.token_of("ann@acme.example").await;
    house.faulty(&token, "not signed by").await;
    assert_eq!(asked(), 1);
    house.app.pass_seconds(60);
    assert_eq!(house.activate("HW-1", &token).await.status, 200);
    assert_eq!(asked(), 2);
    house.provider.set_silent(true);
    house.app.pass_seconds(2 * 3_600);
    let described = || house.provider.inner.described.load(Ordering::SeqCst);
    let before = described();
    assert_eq!(house.activate("HW-1", &house.token_of("ann@acme.example").await).await.status, 200, "an outage passes");
    // Nor is one who does not answer asked with every call.
    assert_eq!(house.activate("HW-1", &house.token_of("ann@acme.example").await).await.status, 200);
    assert_eq!(described(), before + 1);
    house.app.pass_days(1);
    let query = [("product", "press"), ("customer_account_code", "acme")];
    let reply = house.foreign.get(&house.app, "/sso_url", &query).await;
    assert_eq!(refused(&reply), (503, "sso_provider_unreachable".to_owned()));
    assert!(reply.text().contains("127.0.0.1 answered 502"), "{}", reply.text());
    house.provider.set_silent(false);
    house.app.pass_seconds(5);
    assert_eq!(house.activate("HW-1", &house.token_of("ann@acme.example").await).await.status, 200);
}

async fn a_provider_is_asked_what_it_is_before_it_is_believed(app: TestApp) {
    let house = House::new(app).await;
    let desk = house.app.desk();
    let with = |change: &dyn Fn(&mut SsoProvider)| {
        let mut new = house.provider.settings();
        change(&mut new.provider);
        new
    };
    let issuer = house.provider.issuer.clone();
    for (new, field, expected) in [
        (with(&|one| one.issuer.push('/')), "issuer", "calls itself"),
        (with(&|one| one.issuer = issuer.replace("tenant", "elsewhere")), "issuer", "answered 302"),
        (with(&|one| one.issuer = issuer.replace("tenant", "nowhere")), "issuer", "answered 404"),
        (with(&|one| one.issuer = "http://127.0.0.1:1".to_owned()), "issuer", "could not be reached"),
        (with(&|one| one.issuer = "acme".to_owned()), "issuer", "begins with https"),
        (with(&|one| one.client_id = " ".to_owned()), "client_id", "settings"),
        (with(&|one| one.redirect_uris.clear()), "redirect_uri", "Name one"),
        (with(&|one| one.redirect_uris.push("back".to_owned())), "redirect_uri", "Name one"),
    ] {
        let error = desk.set_sso(&OPERATOR, &parsed("acme"), Some(new)).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert!(matches!(&error, crate::desk::ActError::Field { field: at, .. } if *at == field), "{error:?}");
    }
    let nobody = desk.set_sso(&OPERATOR, &parsed("other"), Some(house.provider.settings())).await;
    assert_eq!(super::app::code(nobody), "not_found");
    let mut conn = desk.read().await.unwrap();
    let acme = conn.account(&parsed("acme")).await.unwrap().unwrap();
    let row = conn.sso(acme.id).await.unwrap().unwrap();
    assert_eq!(row.provider, house.provider.settings().provider);
    let sealed = row.client_secret.unwrap();
    assert!(!sealed.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
}

async fn a_whole_bundle_takes_one_sign_in(app: TestApp) {
    let house = House::new(app).await;
    let app = &house.app;
    app.product("cut").await;
    app.desk().add_bundle(&OPERATOR, &parsed("office"), "Office", &[parsed("press"), parsed("cut")]).await.unwrap();
    house.sold("office", "it@acme.example", "bob@acme.example").await;
    let (_, nonce) = house.begin(&[("response_type", "code"), ("redirect_uri", "press://back")]).await;
    let token = house.provider.token(&house.provider.claims(app, "bob@acme.example", &nonce));
    house.provider.inner.codes.lock().unwrap().insert("c0de".to_owned(), token.clone());
    let mut body = json!({
        "product": "office", "hardware_id": "HW-1", "customer_account_code": "acme", "code": "c0de", "redirect_uri": "press://back",
    });
    let rows = signed(app, &house.foreign.post(app, "/activate_bundle", body.clone()).await).await;
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert!(rows.as_array().unwrap().iter().all(|row| row["user"]["email"] == "bob@acme.example"));
    let query = [("product", "office"), ("hardware_id", "HW-1"), ("customer_account_code", "acme"), ("id_token", &token)];
    assert_eq!(signed(app, &house.foreign.get(app, "/check_bundle", &query).await).await.as_array().unwrap().len(), 2);
    body["product"] = "press".into();
    assert_eq!(code(&house.foreign.post(app, "/activate_bundle", body).await), "unknown_product");
}
