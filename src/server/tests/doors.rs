//! The doors themselves: who may post, how much, how often, and what every answer carries.

use std::net::{IpAddr, SocketAddr};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Method, Request, header},
};

use super::{
    Machine, Reply, TestApp,
    app::{HERE, cookie, multipart, urlencoded},
};
use crate::{
    desk::{BatchVerdict, Role, Visitor},
    licensing::license::{Limit, Terms},
    server::config::ServeConfig,
    vault::Token,
};

tests! {
    both:
        reading_changes_nothing;
    once:
        a_post_of_another_site_is_refused,
        signing_in_gives_a_new_session_and_ends_the_old_one,
        sign_in_tries_are_limited_by_address,
        an_unknown_address_and_a_wrong_password_look_alike,
        activations_are_limited_by_network_address,
        as_many_files_as_the_form_says_fit_into_it,
        signing_in_leads_only_to_our_own_pages,
        a_body_over_its_limit_is_answered_with_a_page,
        what_is_not_there_is_said_by_a_page,
        heads_are_answered_without_a_body,
        every_page_carries_its_policy,
        results_are_never_kept_by_anyone,
        vendor_pages_are_for_staff,
        a_session_ends_when_it_should;
}

fn post(path: &str) -> axum::http::request::Builder {
    Request::post(path).header(header::HOST, "127.0.0.1:3000").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

async fn a_post_of_another_site_is_refused(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", Terms { seats: Limit::AtMost(9), ..Terms::default() }).await;
    let session = app.staff("ann@vendor.example", Role::Owner).await;
    let key = license.key.text();
    let fields = [("key", key.as_str()), ("device_id", "HW-0001")];
    let refused = [
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "none")],
        vec![("sec-fetch-site", "cross-site"), ("origin", HERE)],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
    ];
    for headers in refused {
        for with_session in [false, true] {
            for path in [
                "/activate",
                "/offline/answer",
                "/offline",
                "/inspect",
                "/vendor/sign-in",
                "/vendor/settings",
                "/vendor/sign-out",
            ] {
                let mut request = post(path);
                for (name, value) in &headers {
                    request = request.header(*name, *value);
                }
                if with_session {
                    request = request.header(header::COOKIE, cookie(&session));
                }
                let reply = app.send(request.body(urlencoded(&fields)).unwrap()).await;
                assert_eq!(reply.status, 403, "{path} {headers:?}");
            }
        }
    }
    assert_eq!(app.count("activation").await, 0);
    // A program without a browser's headers passes, unless it carries a session.
    let bare = app.send(post("/activate").body(urlencoded(&fields)).unwrap()).await;
    assert_eq!(bare.status, 303);
    app.secret(bare.location().trim_start_matches("/activations/"));
    let with_session = post("/vendor/settings").header(header::COOKIE, cookie(&session));
    assert_eq!(app.send(with_session.body(urlencoded(&[("portalName", "Evil")])).unwrap()).await.status, 403);
    assert_eq!(app.desk().settings().portal_name, "Countersign");
    let own = post("/activate").header(header::ORIGIN, HERE);
    assert_eq!(app.send(own.body(urlencoded(&fields)).unwrap()).await.status, 303);
}

fn session_of(reply: &Reply) -> Option<Token> {
    let cookie = reply.header("set-cookie");
    let value = cookie.strip_prefix("__Host-countersign=")?.split(';').next()?;
    Token::parse(value)
}

async fn signing_in_gives_a_new_session_and_ends_the_old_one(app: TestApp) {
    let planted = app.staff("mallory@vendor.example", Role::Viewer).await;
    app.staff("ann@vendor.example", Role::Owner).await;
    let fields = [("email", "ann@vendor.example"), ("password", "pass word of ann@vendor.example")];
    // Someone planted their own session in the browser before.
    let reply = app.post_as(&planted, "/vendor/sign-in", &fields).await;
    assert_eq!((reply.status.as_u16(), reply.location()), (303, "/vendor"));
    let set = reply.header("set-cookie").to_owned();
    for part in ["__Host-", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(set.contains(part), "{part}");
    }
    let session = session_of(&reply).expect("a session");
    app.secret(session.text());
    assert_ne!(session.text(), planted.text());
    assert_eq!(app.get_as(&planted, "/vendor").await.status, 303, "the planted one is over");
    assert_eq!(app.get_as(&session, "/vendor").await.status, 200);
    // Nor does a token nobody gave out become one.
    let invented = Token::random();
    let reply = app.post_as(&invented, "/vendor/sign-in", &fields).await;
    let session = session_of(&reply).expect("a session");
    app.secret(session.text());
    assert_ne!(session.text(), invented.text());
    assert_eq!(app.get_as(&invented, "/vendor").await.status, 303);
}

async fn sign_in_tries_are_limited_by_address(app: TestApp) {
    app.staff("ann@vendor.example", Role::Owner).await;
    app.staff("bob@vendor.example", Role::Support).await;
    let tries = vec![("signInTries".to_owned(), "4".to_owned())];
    app.desk().set_settings(&Visitor::Operator, tries).await.unwrap();
    app.pass_seconds(900);
    let sign_in = async |email: &str, password: &str| {
        app.post("/vendor/sign-in", &[("email", email), ("password", password)]).await.status.as_u16()
    };
    // Also tried at once, and in another spelling.
    let guesses = futures::future::join_all((0..8).map(|_| sign_in(" Ann@Vendor.example", "a guess of mine"))).await;
    assert_eq!(guesses.iter().filter(|status| **status == 422).count(), 4);
    assert_eq!(guesses.iter().filter(|status| **status == 429).count(), 4);
    assert_eq!(sign_in("ann@vendor.example", "pass word of ann@vendor.example").await, 429);
    assert_eq!(sign_in("bob@vendor.example", "pass word of bob@vendor.example").await, 303);
    app.pass_seconds(900);
    assert_eq!(sign_in("ann@vendor.example", "pass word of ann@vendor.example").await, 303);
}

async fn an_unknown_address_and_a_wrong_password_look_alike(app: TestApp) {
    app.staff("ann@vendor.example", Role::Owner).await;
    let try_as = async |email: &str| {
        let reply = app.post("/vendor/sign-in", &[("email", email), ("password", "not the password")]).await;
        let text = reply.text().replace(email, "…");
        let plain: String = text.split("nonce").map(|part| part.get(24..).unwrap_or_default()).collect();
        let at = plain.find("request_id").unwrap_or(0);
        (reply.status, plain[..at].to_owned())
    };
    assert_eq!(try_as("ann@vendor.example").await.0, try_as("nobody@vendor.example").await.0);
    assert!(try_as("nobody@vendor.example").await.1.len() == try_as("ann@vendor.example").await.1.len());
}

async fn activations_are_limited_by_network_address(app: TestApp) {
    let limit = |times: &str| vec![("activationsPerMinute".to_owned(), times.to_owned())];
    app.desk().set_settings(&Visitor::Operator, limit("3")).await.unwrap();
    let from = async |app: &TestApp, peer: [u8; 4], forwarded: &str| {
        let mut request = post("/activate")
            .header("sec-fetch-site", "same-origin")
            .body(urlencoded(&[("key", "NO-SUCH-KEY"), ("device_id", "HW-1")]))
            .unwrap();
        request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((peer, 4000))));
        app.send(request).await.status.as_u16()
    };
    // Nobody's word is taken for where they come from.
    let came = [
        from(&app, [198, 51, 100, 1], "203.0.113.1").await,
        from(&app, [198, 51, 100, 1], "203.0.113.2").await,
        from(&app, [198, 51, 100, 1], "127.0.0.1").await,
        from(&app, [198, 51, 100, 1], "203.0.113.4").await,
        from(&app, [198, 51, 100, 2], "203.0.113.4").await,
    ];
    assert_eq!(came, [409, 409, 409, 429, 409]);
    // A trusted proxy is believed, but not what was in the header before it.
    let proxy: IpAddr = "10.0.0.2".parse().unwrap();
    let behind = app.behind(ServeConfig { trusted_proxies: vec![proxy], ..ServeConfig::for_testing() });
    let came = [
        from(&behind, [10, 0, 0, 2], "1.1.1.1, 203.0.113.9").await,
        from(&behind, [10, 0, 0, 2], "2.2.2.2, 203.0.113.9").await,
        from(&behind, [10, 0, 0, 2], "3.3.3.3, 203.0.113.9").await,
        from(&behind, [10, 0, 0, 2], "4.4.4.4, 203.0.113.9").await,
        from(&behind, [10, 0, 0, 2], "203.0.113.10").await,
    ];
    assert_eq!(came, [409, 409, 409, 429, 409]);
    // Files count as well, one by one.
    app.desk().set_settings(&Visitor::Operator, limit("2")).await.unwrap();
    let codes = [app.bring("x").await, app.bring("x").await, app.bring("x").await].map(|answer| answer.unwrap_err().code);
    assert_eq!(codes[2], "too_many_tries");
    let page = app.post_files("/offline", "files", &[("a.req", b"x")], &[]).await;
    assert_eq!(page.status, 429);
    // In the middle of a form the limit is one file's: the answers before it are kept.
    app.pass_seconds(3600);
    let (_, page) =
        app.behind(ServeConfig::for_testing()).bring_plainly(&[("a.req", b"x"), ("b.req", b"y"), ("c.req", b"z")]).await;
    let codes: Vec<_> = page
        .rows
        .iter()
        .map(|row| match &row.verdict {
            BatchVerdict::Refused { code, .. } => code.as_str(),
            BatchVerdict::Answered { .. } => "answered",
        })
        .collect();
    assert_eq!(codes[2], "too_many_tries", "{codes:?}");
    assert!(!codes[..2].contains(&"too_many_tries"), "{codes:?}");
}

async fn as_many_files_as_the_form_says_fit_into_it(app: TestApp) {
    let files: Vec<(String, Vec<u8>)> =
        (0..50).map(|number| (format!("{number}.req"), vec![b'a' + number % 26; 60 * 1024])).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let (_, page) = app.bring_plainly(&files).await;
    assert_eq!(page.rows.len(), 50, "three megabytes, within the four that the form takes");
    let reply = app.post_files("/offline", "files", &[("large.req", &vec![b'a'; 5 * 1024 * 1024])], &[]).await;
    assert_eq!(reply.status, 413);
}

async fn signing_in_leads_only_to_our_own_pages(app: TestApp) {
    app.staff("ann@vendor.example", Role::Owner).await;
    let lead = async |next: &str| {
        let fields = [("email", "ann@vendor.example"), ("password", "pass word of ann@vendor.example"), ("next", next)];
        let reply = app.post("/vendor/sign-in", &fields).await;
        assert_eq!(reply.status, 303);
        if let Some(session) = session_of(&reply) {
            app.secret(session.text());
        }
        app.pass_seconds(900);
        reply.location().to_owned()
    };
    assert_eq!(lead("/vendor/licenses?q=a").await, "/vendor/licenses?q=a");
    for next in [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/vendor\\@evil.example",
        "javascript:alert(1)",
        "/vendor\r\nx: y",
        "/vendor.evil.example",
    ] {
        assert_eq!(lead(next).await, "/vendor", "{next}");
    }
    let asked = app.get("/vendor/licenses?q=%22%3E%3Cscript%3E").await;
    assert_eq!(asked.status, 303);
    assert!(asked.location().starts_with("/vendor/sign-in?next="));
    assert!(!app.get(asked.location()).await.text().contains("\"><script>"));
}

async fn a_body_over_its_limit_is_answered_with_a_page(app: TestApp) {
    let same_origin = |path: &str| post(path).header("sec-fetch-site", "same-origin");
    for (path, kib) in
        [("/activate", 64), ("/offline", 4096), ("/inspect", 256), ("/offline/answer", 80), ("/vendor/sign-in", 64)]
    {
        let body = vec![b'a'; (kib + 1) * 1024];
        let declared = same_origin(path).header(header::CONTENT_LENGTH, body.len()).body(Body::from(body.clone())).unwrap();
        let reply = app.send(declared).await;
        assert_eq!(reply.status, 413, "{path}");
        assert!(reply.text().contains("<h1"), "{path}: a page");
        // Without a declared length it is counted as it comes.
        let chunks = body.chunks(8192).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect::<Vec<_>>();
        let chunked = same_origin(path).body(Body::from_stream(futures::stream::iter(chunks))).unwrap();
        assert_eq!(app.send(chunked).await.status, 413, "{path}, in chunks");
    }
    // A length that is not true does not help: what comes is counted.
    let lying = multipart("files", &[("a.req", &vec![b'a'; 70 * 1024])], &[]);
    let request = Request::post("/offline")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut-here");
    let reply = app.send(request.body(Body::from(lying)).unwrap()).await;
    assert_eq!(reply.status, 303, "one file over its own limit is that file's refusal");
    assert!(app.get(reply.location()).await.text().contains("at most 65,536"));
}

async fn what_is_not_there_is_said_by_a_page(app: TestApp) {
    let owner = app.staff("ann@vendor.example", Role::Owner).await;
    for path in [
        "/nowhere",
        "/vendorx",
        "/activations/x",
        "/offline/x/all.zip",
        "/vendor/nowhere",
        "/.env",
        "/%2e%2e/etc/passwd",
        "/pkg/x/y.js",
        "/.well-known/countersign/none/jwks.json",
    ] {
        let reply = app.get_as(&owner, path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.text().contains("<h1"), "{path}");
    }
    for path in [
        "/vendor/licenses/999999",
        "/vendor/orders/999999",
        "/vendor/products/none",
        "/vendor/team/999999",
        "/vendor/refusals/R-00000000",
    ] {
        let reply = app.get_as(&owner, path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.text().contains("aria-label=\"Sections\""), "{path}: staff stays among their own pages");
    }
    // What cannot be read from an address leads nowhere, and is said like anything else that is not there.
    for path in [
        "/vendor/licenses/abc",
        "/vendor/licenses/99999999999999999999",
        "/vendor/licenses/%FF",
        "/vendor/orders/x",
        "/vendor/orders/x/licenses.csv",
        "/vendor/team/x",
        "/vendor/products/%C3%28",
        "/vendor/keys/%FF",
        "/activations/%FF",
        "/activations/%FF/x.lic",
        "/offline/%FF",
        "/%FF",
    ] {
        let reply = app.get_as(&owner, path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.header("content-type").starts_with("text/html") && reply.text().contains("<h1"), "{path}");
    }
    for path in ["/vendor/licenses/abc/edit", "/vendor/licenses/1/machines/x/free", "/vendor/team/x/role"] {
        let reply = app.post_as(&owner, path, &[("reason", "x")]).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.text().contains("<h1"), "{path}");
    }
    assert_eq!(app.get("/vendor/licenses/abc").await.status, 303, "a stranger is asked to sign in first");
    let status = app.get_as(&owner, "/vendor/licenses?after=%00&before=%00&state=x&sort=;drop").await.status;
    assert_eq!(status, 200);
    for (method, path) in [
        (Method::PUT, "/activate"),
        (Method::DELETE, "/offline"),
        (Method::POST, "/"),
        (Method::GET, "/offline/answer"),
        (Method::GET, "/vendor/sign-out"),
    ] {
        let request = Request::builder().method(method.clone()).uri(path).header("sec-fetch-site", "same-origin");
        let reply = app.send(request.body(Body::empty()).unwrap()).await;
        let expected: &[u16] = if path == "/offline/answer" { &[404, 405] } else { &[405] };
        assert!(expected.contains(&reply.status.as_u16()), "{method} {path}: {}", reply.status);
        assert!(reply.text().contains("<h1"), "{method} {path}");
    }
}

async fn heads_are_answered_without_a_body(app: TestApp) {
    for (path, status) in
        [("/", 200), ("/activate", 200), ("/offline", 200), ("/nowhere", 404), ("/healthz", 200), ("/vendor", 303)]
    {
        let reply = app.send(Request::head(path).body(Body::empty()).unwrap()).await;
        assert_eq!((reply.status.as_u16(), reply.body.len()), (status, 0), "{path}");
    }
}

/// Addresses in a page that a reader may follow.
fn links(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for attribute in ["href=\"", "src=\""] {
        for (at, _) in page.match_indices(attribute) {
            let rest = &page[at + attribute.len()..];
            let link = rest[..rest.find('"').unwrap_or(0)].replace("&amp;", "&");
            let link = link.split('#').next().unwrap_or_default().to_owned();
            if link.starts_with('/') && !link.starts_with("//") {
                found.push(link);
            }
        }
    }
    found
}

/// A house with something of everything in it, and who is signed in.
async fn furnished(app: &TestApp) -> Token {
    app.product("press").await;
    let license = app.issue("press", Terms { seats: Limit::AtMost(2), ..Terms::default() }).await;
    app.activate_by_form(&license.key, "HW-0001", &[("email", "bob@customer.example")]).await.unwrap();
    app.bring(Machine::new("HW-0002").activate(&license)).await.unwrap();
    app.bring(Machine::new("HW-0003").activate(&license)).await.unwrap_err();
    app.staff("ann@vendor.example", Role::Owner).await
}

async fn crawl(app: &TestApp, session: &Token, starts: &[String]) -> std::collections::BTreeMap<String, Reply> {
    let mut seen = std::collections::BTreeMap::<String, Reply>::new();
    let mut waiting: Vec<String> = starts.to_vec();
    while let Some(path) = waiting.pop() {
        if seen.contains_key(&path) || seen.len() > 600 {
            continue;
        }
        // Of a form for each of many settings, a few stand for all.
        let alike = |other: &str| other.starts_with("/vendor/settings/all?");
        if alike(&path) && seen.keys().filter(|path| alike(path)).count() >= 5 {
            continue;
        }
        let reply = app.get_as(session, &path).await;
        if reply.header("content-type").starts_with("text/html") {
            waiting.extend(links(&reply.text()));
        }
        if reply.status == 303 {
            waiting.push(reply.location().to_owned());
        }
        seen.insert(path, reply);
    }
    seen
}

const STARTS: [&str; 14] = [
    "/",
    "/activate?key=ABCDE&device_id=x&product=press",
    "/offline",
    "/offline/keys.json",
    "/inspect",
    "/healthz",
    "/brand.css",
    "/.well-known/jwks.json",
    "/.well-known/countersign/press/jwks.json",
    "/vendor",
    "/vendor/licenses.csv",
    "/vendor/refusals.csv",
    "/vendor/audit.csv",
    "/vendor/team.csv",
];

async fn reading_changes_nothing(app: TestApp) {
    let session = furnished(&app).await;
    let license =
        app.desk().licenses(&Visitor::Operator, &crate::store::LicenseFilter { limit: 10, ..Default::default() }).await.unwrap();
    let key = license.rows[0].key.clone().unwrap();
    let result = app.post("/activate", &[("key", key.as_str()), ("device_id", "HW-0001")]).await;
    let [one, other] = ["HW-0004", "HW-0005"].map(Machine::new);
    let roomy = app.issue("press", Terms { seats: Limit::AtMost(9), ..Terms::default() }).await;
    let files = [("x.req", b"x".to_vec()), ("a.req", one.activate(&roomy).into()), ("b.req", other.activate(&roomy).into())];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let (batch, _) = app.bring_plainly(&files).await;
    let lost = app.desk().vault().licensespring_kid().unwrap();
    let mut starts: Vec<String> = STARTS.iter().map(|path| (*path).to_owned()).collect();
    starts.extend([
        result.location().to_owned(),
        format!("/offline/{batch}"),
        format!("/offline/{batch}/2"),
        format!("/vendor/keys/{lost}/machines.csv"),
        "/logo".to_owned(),
        "/vendor/audit?check=1".to_owned(),
        "/vendor/products.csv".to_owned(),
        "/vendor/orders.csv".to_owned(),
    ]);
    let before = app.dump().await;
    for round in 0..2 {
        app.pass_seconds(60);
        let seen = crawl(&app, &session, &starts).await;
        for (path, reply) in &seen {
            let fine = reply.status.is_success() || reply.status == 303;
            // The site may not be built where the tests run.
            assert!(
                fine || (path.starts_with("/pkg/") && reply.status == 404) || ["/favicon.svg", "/logo"].contains(&path.as_str()),
                "{path}: {}",
                reply.status
            );
        }
        assert!(seen.len() > 40, "round {round}: {} pages", seen.len());
        for part in ["/all.zip", "?tab=", "/vendor/settings/all?edit="] {
            assert!(seen.keys().any(|path| path.contains(part)), "round {round}: {part} of {} pages", seen.len());
        }
        assert_eq!(app.dump().await, before, "round {round}");
    }
}

async fn every_page_carries_its_policy(app: TestApp) {
    let session = furnished(&app).await;
    let mut starts: Vec<String> = STARTS.iter().map(|path| (*path).to_owned()).collect();
    starts.push("/nowhere".to_owned());
    for (path, reply) in crawl(&app, &session, &starts).await {
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "same-origin", "{path}");
        if !reply.header("content-type").starts_with("text/html") {
            continue;
        }
        let policy = reply.header("content-security-policy").to_owned();
        for part in ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}");
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
        assert!(nonce.len() >= 16, "{path}");
        let page = reply.text();
        for tag in page.split("<script").skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{path}: <script{tag}>");
        }
        for inline in [" style=\"", " onclick=", " onload=", " onerror=", "javascript:", "<style"] {
            assert!(!page.contains(inline), "{path}: {inline}");
        }
        assert_ne!(app.get_as(&session, &path).await.header("content-security-policy"), policy, "{path}: a nonce is used once");
    }
}

async fn results_are_never_kept_by_anyone(app: TestApp) {
    furnished(&app).await;
    let license = app.issue("press", Terms::default()).await;
    let result = app.post("/activate", &[("key", &license.key.text()), ("device_id", "HW-7")]).await.location().to_owned();
    app.secret(result.trim_start_matches("/activations/"));
    let (batch, _) = app.bring_plainly(&[("a.req", Machine::new("HW-7").activate(&license).as_bytes())]).await;
    for path in [result.clone(), format!("{result}/x.lic"), format!("/offline/{batch}"), format!("/offline/{batch}/all.zip")] {
        let reply = app.get(&path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!((reply.header("cache-control"), reply.header("x-robots-tag")), ("no-store", "noindex"), "{path}");
    }
    let answer = app.answer(b"x", "").await;
    assert_eq!(answer.header("cache-control"), "no-store");
}

async fn vendor_pages_are_for_staff(app: TestApp) {
    let session = furnished(&app).await;
    let seen = crawl(&app, &session, &["/vendor".to_owned()]).await;
    for path in seen.keys().filter(|path| path.starts_with("/vendor") && !path.starts_with("/vendor/sign-in")) {
        let reply = app.get(path).await;
        if path.starts_with("/vendor/parts") {
            continue;
        }
        assert_eq!(reply.status, 303, "{path}");
        assert!(reply.location().starts_with("/vendor/sign-in"), "{path}");
        assert!(reply.body.is_empty(), "{path}");
    }
}

async fn a_session_ends_when_it_should(app: TestApp) {
    let session = app.staff("ann@vendor.example", Role::Owner).await;
    let other = app.staff("bob@vendor.example", Role::Owner).await;
    assert_eq!(app.get_as(&session, "/vendor").await.status, 200);
    let out = app.post_as(&session, "/vendor/sign-out", &[]).await;
    assert_eq!(out.status, 303);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(app.get_as(&session, "/vendor").await.status, 303);
    let visitor = app.desk().visitor(&other).await.unwrap().unwrap();
    let Visitor::Staff { id, .. } = visitor else { unreachable!() };
    app.staff("eve@vendor.example", Role::Owner).await;
    app.desk().set_member_disabled(&Visitor::Operator, id, true).await.unwrap();
    assert_eq!(app.get_as(&other, "/vendor").await.status, 303, "disabled");
    app.desk().set_member_disabled(&Visitor::Operator, id, false).await.unwrap();
    assert_eq!(app.get_as(&other, "/vendor").await.status, 303, "its sessions are over for good");
    let last = app.desk().sign_in("bob@vendor.example", "pass word of bob@vendor.example").await.unwrap().unwrap().token;
    app.secret(last.text());
    app.pass_days(15);
    assert_eq!(app.get_as(&last, "/vendor").await.status, 303, "after two weeks");
}
