//! `TestApp`: the real router over a fresh database, with a clock that is moved and a log that is searched.

use std::{
    future::Future,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use futures::FutureExt;
use http_body_util::BodyExt;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use tempfile::TempDir;
use tower::ServiceExt;

use super::logs;
use crate::{
    desk::{ActError, BatchPage, BatchVerdict, Clock, Desk, Issue, ProductEdit, Role, Visitor},
    licensing::{
        ActivationKey, DeviceId, Email, LicenseId, ProductCode, Timestamp,
        files::TrustedKeys,
        license::{License, Terms},
        product::{Authorization, Installation, ProductRules, Version, VersionNumber},
        seal::SealFor,
    },
    outbound::{Outbound, Reach},
    server::{AppState, config::ServeConfig, router},
    store::{Engine, Location, NewProduct, NewRelease, Store},
    vault::{MasterKey, RsaSize, Token, Vault},
};

const URL: &str = "COUNTERSIGN_TEST_POSTGRES_URL";
pub const HERE: &str = "http://127.0.0.1:3000";
const START: i64 = 1_795_000_000_123;

/// A clock that stands still until it is moved.
pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub struct Inner {
    pub desk: Desk,
    router: Router,
    clock: Arc<TestClock>,
    location: Location,
    secrets: Mutex<Vec<String>>,
}

#[derive(Clone)]
pub struct TestApp(Arc<Inner>);

/// A license that was issued.
#[derive(Clone)]
pub struct Licensed {
    pub id: LicenseId,
    pub key: ActivationKey,
    pub product: String,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A file that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    pub file_name: String,
    pub body: String,
    pub receipt: bool,
}

/// A refusal that came back.
#[derive(Clone, Debug)]
pub struct Refused {
    pub code: String,
    pub what: String,
    pub why: String,
    pub next: String,
    pub reference: String,
    pub holders: Vec<(Option<String>, String)>,
}

/// Runs a test on an engine: a database of its own, which is dropped afterwards.
pub fn run<T: Future<Output = ()>>(engine: Engine, test: fn(TestApp) -> T) {
    let log_start = logs::collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        sqlx::any::install_default_drivers();
        let place = Place::make(engine).await;
        let app = TestApp::open(place.location()).await;
        let kept = app.clone();
        let ended = AssertUnwindSafe(test(app)).catch_unwind().await;
        kept.0.desk.store().close().await;
        place.remove().await;
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
        kept.assert_nothing_secret_was_logged(log_start);
    });
}

enum Place {
    Folder(TempDir),
    Database { server: String, name: String },
}

impl Place {
    async fn make(engine: Engine) -> Self {
        if engine == Engine::Sqlite {
            return Self::Folder(tempfile::tempdir().expect("a temporary folder"));
        }
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var(URL).unwrap_or_else(|_| {
            panic!("{URL} is not set: `script/postgres cargo test …` starts a private PostgreSQL and sets it for the command it runs.")
        });
        let name = format!("server_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut admin = AnyConnection::connect(&server).await.unwrap_or_else(|error| panic!("{URL}: {error}"));
        admin.execute(AssertSqlSafe(format!("create database {name}"))).await.expect("a superuser may make databases");
        admin.close().await.expect("a connection closes");
        Self::Database { server, name }
    }

    fn location(&self) -> Location {
        match self {
            Self::Folder(folder) => Location::Sqlite(folder.path().join("countersign.db")),
            Self::Database { server, name } => {
                let (before, query) = server
                    .split_once('?')
                    .map_or((server.as_str(), String::new()), |(before, query)| (before, format!("?{query}")));
                let server = before.rsplit_once('/').expect("a URL ends in a database").0;
                Location::Postgres(format!("{server}/{name}{query}"))
            }
        }
    }

    async fn remove(self) {
        if let Self::Database { server, name } = self {
            let mut admin = AnyConnection::connect(&server).await.expect("the server still runs");
            admin.execute(AssertSqlSafe(format!("drop database {name} with (force)"))).await.expect("it can be dropped");
            admin.close().await.expect("a connection closes");
        }
    }
}

impl TestApp {
    async fn open(location: Location) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(START)));
        let store = Store::open(&location).await.expect("a fresh database opens");
        let vault = Vault::open_with(MasterKey::for_testing(), &[], RsaSize::Rsa2048).expect("no keys, nothing to refuse");
        let desk = Desk::new(store, vault, clock.clone(), HERE, Outbound::new(Reach::Everywhere));
        for shared in SealFor::SHARED {
            desk.begin_ring(shared).await.expect("keys are made");
        }
        let settings = vec![("activationsPerMinute".to_owned(), "1000000".to_owned())];
        desk.set_settings(&Visitor::Operator, settings).await.expect("settings are taken");
        let router = router(AppState::new(desk.clone(), ServeConfig::for_testing()));
        Self(Arc::new(Inner { desk, router, clock, location, secrets: Mutex::default() }))
    }

    /// Another process on the same data: a vault and settings of its own.
    pub async fn other_process(&self) -> Self {
        let inner = &self.0;
        let store = Store::open(&inner.location).await.expect("the database opens twice");
        let seals = store.read().await.unwrap().seals().await.unwrap();
        let vault = Vault::open_with(MasterKey::for_testing(), &seals, RsaSize::Rsa2048).expect("the keys open");
        let desk = Desk::new(store, vault, inner.clock.clone(), HERE, Outbound::new(Reach::Everywhere));
        desk.notice_changes().await.expect("settings are read");
        let router = router(AppState::new(desk.clone(), ServeConfig::for_testing()));
        Self(Arc::new(Inner {
            desk,
            router,
            clock: inner.clock.clone(),
            location: inner.location.clone(),
            secrets: Mutex::default(),
        }))
    }

    /// The same house behind another configuration.
    pub fn behind(&self, config: ServeConfig) -> Self {
        let inner = &self.0;
        Self(Arc::new(Inner {
            desk: inner.desk.clone(),
            router: router(AppState::new(inner.desk.clone(), config)),
            clock: inner.clock.clone(),
            location: inner.location.clone(),
            secrets: Mutex::default(),
        }))
    }

    pub fn desk(&self) -> &Desk {
        &self.0.desk
    }

    pub fn location(&self) -> &Location {
        &self.0.location
    }

    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub fn pass_seconds(&self, seconds: i64) {
        self.0.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub fn pass_days(&self, days: i64) {
        self.pass_seconds(days * 86_400);
    }

    /// Something that must never be logged.
    pub fn secret(&self, text: impl Into<String>) {
        self.0.secrets.lock().unwrap().push(text.into());
    }

    fn assert_nothing_secret_was_logged(&self, start: usize) {
        let logged = logs::since(start);
        assert!(logged.contains("sqlx"), "the log is collected at trace level");
        for secret in self.0.secrets.lock().unwrap().iter() {
            if let Some(at) = logged.find(secret.as_str()) {
                let line = logged[..at].rfind('\n').map_or(0, |end| end + 1);
                let end = logged[at..].find('\n').map_or(logged.len(), |end| at + end);
                panic!("a secret was logged: {}", &logged[line..end]);
            }
        }
    }
}

/// What is there to begin with.
impl TestApp {
    pub async fn product(&self, code: &str) -> ProductCode {
        self.product_with(code, ProductRules::default()).await
    }

    pub async fn release(&self, product: &str, version: &str, released: Timestamp, env: &str, url: &str) {
        let number: VersionNumber = version.parse().unwrap();
        let version = Version { major: number.major, minor: number.minor, released };
        let file = Installation { url: url.to_owned(), ..Installation::default() };
        let new = NewRelease { version, channel: "stable".to_owned(), env: env.to_owned(), file };
        let product = ProductCode::parse(product).unwrap();
        self.desk().add_release(&Visitor::Operator, &product, new).await.expect("the version is new");
    }

    pub async fn product_with(&self, code: &str, rules: ProductRules) -> ProductCode {
        self.product_by(code, Authorization::Both, rules).await
    }

    pub async fn product_by(&self, code: &str, authorization: Authorization, rules: ProductRules) -> ProductCode {
        let code = ProductCode::parse(code).unwrap();
        let new = NewProduct { code: code.clone(), number: None, name: format!("Product {code}"), authorization, rules };
        self.desk().add_product(&Visitor::Operator, new).await.expect("the code is free");
        code
    }

    pub async fn rules(&self, code: &str, change: impl FnOnce(&mut ProductRules)) {
        let code = ProductCode::parse(code).unwrap();
        let mut rules = self.desk().product(&code).await.unwrap().product.rules;
        change(&mut rules);
        let edit = ProductEdit { rules: Some(rules), ..ProductEdit::default() };
        self.desk().edit_product(&Visitor::Operator, &code, edit).await.unwrap();
    }

    /// Issues one license.
    pub async fn issue(&self, product: &str, terms: Terms) -> Licensed {
        let issue = Issue::one(ProductCode::parse(product).unwrap(), terms);
        self.issue_as(issue).await
    }

    pub async fn issue_as(&self, issue: Issue) -> Licensed {
        let product = issue.product.to_string();
        let issued = self.desk().issue(&Visitor::Operator, issue).await.expect("it is issued");
        let license = issued.licenses.into_iter().next().expect("one license");
        let key = license.key.expect("it has a key");
        self.secret(key.text());
        self.secret(key.folded());
        Licensed { id: license.id, key, product }
    }

    pub async fn license(&self, license: &Licensed) -> License {
        self.desk().read().await.unwrap().license(license.id).await.unwrap().expect("it is there").0
    }

    pub async fn seats_taken(&self, license: &Licensed) -> u32 {
        self.license(license).await.seats_taken
    }

    pub async fn trusted_keys(&self) -> TrustedKeys {
        self.desk().trusted_keys().await.unwrap()
    }

    /// A member of staff, signed in: the token of their session.
    pub async fn staff(&self, email: &str, role: Role) -> Token {
        let password = format!("pass word of {email}");
        let email = Email::parse(email).unwrap();
        self.secret(password.clone());
        self.secret(email.to_string());
        self.desk().add_member(&Visitor::Operator, &email, &password, role).await.expect("the address is free");
        let signed_in = self.desk().sign_in(email.as_str(), &password).await.unwrap().expect("the password is right");
        self.secret(signed_in.token.text());
        signed_in.token
    }
}

/// Through the doors.
impl TestApp {
    pub async fn send(&self, mut request: Request<Body>) -> Reply {
        if request.extensions().get::<ConnectInfo<SocketAddr>>().is_none() {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 40_000))));
        }
        let response = self.0.router.clone().oneshot(request).await.expect("the router always answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).header(header::HOST, "127.0.0.1:3000").body(Body::empty()).unwrap()).await
    }

    pub async fn get_as(&self, token: &Token, path: &str) -> Reply {
        let request = Request::get(path).header(header::HOST, "127.0.0.1:3000").header(header::COOKIE, cookie(token));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A form as a browser on this site posts it.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(form(path, fields).body(urlencoded(fields)).unwrap()).await
    }

    pub async fn post_as(&self, token: &Token, path: &str, fields: &[(&str, &str)]) -> Reply {
        let request = form(path, fields).header(header::COOKIE, cookie(token));
        self.send(request.body(urlencoded(fields)).unwrap()).await
    }

    /// `/activate`, followed to its result: the computer key, or the refusal by its reference.
    pub async fn activate_by_form(&self, key: &ActivationKey, device: &str, more: &[(&str, &str)]) -> Result<Brought, Refused> {
        let key = key.text();
        let mut fields = vec![("key", key.as_str()), ("device_id", device)];
        fields.extend_from_slice(more);
        let reply = self.post("/activate", &fields).await;
        if reply.status == StatusCode::SEE_OTHER {
            let token = reply.location().trim_start_matches("/activations/").to_owned();
            self.secret(token.clone());
            let page = self.desk().activation_page(&Token::parse(&token).expect("a link")).await.expect("it is kept");
            return Ok(Brought { file_name: page.file_name, body: page.computer_key, receipt: false });
        }
        Err(self.refusal_on(&reply).await)
    }

    /// The refusal a page tells of, as staff finds it by its reference.
    pub async fn refusal_on(&self, reply: &Reply) -> Refused {
        let page = reply.text();
        let at = page.find(">R-").unwrap_or_else(|| panic!("no reference on the page of {}: {page}", reply.status));
        let reference = page[at + 1..at + 11].to_owned();
        let found = self.desk().refusal(&Visitor::Operator, &reference).await.expect("staff finds it");
        Refused {
            code: found.attempt.what.code,
            what: String::new(),
            why: String::new(),
            next: String::new(),
            reference,
            holders: Vec::new(),
        }
    }

    /// One file through the workbench's endpoint.
    pub async fn bring(&self, file: impl AsRef<[u8]>) -> Result<Brought, Refused> {
        self.bring_with(file, "").await
    }

    pub async fn bring_confirmed(&self, file: impl AsRef<[u8]>) -> Result<Brought, Refused> {
        self.bring_with(file, "&confirmed=1").await
    }

    async fn bring_with(&self, file: impl AsRef<[u8]>, more: &str) -> Result<Brought, Refused> {
        let reply = self.answer(file.as_ref(), more).await;
        let json = reply.json();
        if let Some(answer) = json.get("answer") {
            assert_eq!(reply.status, StatusCode::OK);
            let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
            return Ok(Brought {
                file_name: text("file_name"),
                body: text("body"),
                receipt: answer["receipt"].as_bool().expect("a flag"),
            });
        }
        assert!(reply.status.is_client_error(), "{}: {json}", reply.status);
        let refusal = &json["refusal"];
        let text = |name: &str| refusal[name].as_str().unwrap_or_default().to_owned();
        let holders = refusal["holders"].as_array().expect("a list").iter();
        let holders = holders
            .map(|held| (held["name"].as_str().map(str::to_owned), held["id_ends"].as_str().unwrap_or_default().to_owned()));
        Err(Refused {
            code: text("code"),
            what: text("what"),
            why: text("why"),
            next: text("next"),
            reference: text("reference"),
            holders: holders.collect(),
        })
    }

    /// A file that is brought is in no log, whatever becomes of it.
    fn secret_file(&self, file: &[u8]) {
        if let Ok(text) = std::str::from_utf8(file)
            && (24..100_000).contains(&text.len())
        {
            self.secret(text);
        }
    }

    pub async fn answer(&self, file: &[u8], more: &str) -> Reply {
        self.secret_file(file);
        let request = Request::post(format!("/offline/answer?name=activate.req{more}"))
            .header(header::HOST, "127.0.0.1:3000")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, file.len());
        self.send(request.body(Body::from(file.to_vec())).unwrap()).await
    }

    /// Files through the plain form; followed to its result.
    pub async fn bring_plainly(&self, files: &[(&str, &[u8])]) -> (String, BatchPage) {
        let reply = self.post_files("/offline", "files", files, &[]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text());
        let token = reply.location().trim_start_matches("/offline/").to_owned();
        self.secret(token.clone());
        let page = self.desk().batch_page(&Token::parse(&token).expect("a link")).await.expect("it is kept");
        (token, page)
    }

    pub async fn post_files_as(&self, token: &Token, path: &str, fields: &[(&str, &str)]) -> Reply {
        let request = Request::post(path)
            .header(header::HOST, "127.0.0.1:3000")
            .header("sec-fetch-site", "same-origin")
            .header(header::COOKIE, cookie(token))
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut-here");
        self.send(request.body(Body::from(multipart("files", &[], fields))).unwrap()).await
    }

    pub async fn post_files(&self, path: &str, field: &str, files: &[(&str, &[u8])], fields: &[(&str, &str)]) -> Reply {
        files.iter().for_each(|(_, file)| self.secret_file(file));
        let request = Request::post(path)
            .header(header::HOST, "127.0.0.1:3000")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut-here");
        self.send(request.body(Body::from(multipart(field, files, fields))).unwrap()).await
    }
}

pub fn cookie(token: &Token) -> String {
    format!("__Host-countersign={}", token.text())
}

pub fn form(path: &str, fields: &[(&str, &str)]) -> axum::http::request::Builder {
    let _ = fields;
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, "127.0.0.1:3000")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

pub fn urlencoded(fields: &[(&str, &str)]) -> Body {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(fields);
    Body::from(text.finish())
}

pub fn multipart(field: &str, files: &[(&str, &[u8])], fields: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(
            format!("--cut-here\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes(),
        );
    }
    for (name, bytes) in files {
        let head = format!(
            "--cut-here\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--cut-here--\r\n");
    body
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}: {}", self.status, self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or("?"))
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }
}

/// The one verdict of a batch of one.
pub fn only(page: BatchPage) -> Result<Brought, Refused> {
    assert_eq!(page.rows.len(), 1);
    match page.rows.into_iter().next().expect("one row").verdict {
        BatchVerdict::Answered { file_name, body, receipt } => Ok(Brought { file_name, body, receipt }),
        BatchVerdict::Refused { code, what, why, next, reference, holders } => {
            let holders = holders.into_iter().map(|held| (held.name.map(|name| name.as_str().to_owned()), held.id_ends));
            Err(Refused { code, what, why, next, reference, holders: holders.collect() })
        }
    }
}

pub fn device(id: &str) -> DeviceId {
    DeviceId::parse(id).unwrap()
}

/// The code of an act that was not done.
pub fn code<T>(result: Result<T, ActError>) -> &'static str {
    match result {
        Ok(_) => "done",
        Err(error) => error.code(),
    }
}
