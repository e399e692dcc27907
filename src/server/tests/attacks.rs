//! What an attacker tries with files, keys and the database, one test each.

use serde_json::{Map, Value, json};

use super::{
    Brought, Machine, TestApp,
    app::{code, device, only},
    foreign::ForeignApp,
};
use crate::{
    desk::{Role, Visitor},
    licensing::{
        ProductCode,
        files::{
            Act, Asked, Grounds, KeyPair, LicenseFile, Receipt, SignedRequest, Signer, TrustedKeys, base64, mirror, verify_answer,
        },
        license::{Actor, Limit, Terms},
        product::ProductRules,
        seal::{SealFor, SealProduct, SealUse},
    },
    store::{Checkpoint, NewAudit, Subject as AuditSubject},
    vault::{Purpose, Subject, Token},
};

tests! {
    both:
        a_released_machines_old_request_is_spent,
        sixty_four_rebinds_at_once_are_three,
        what_is_secret_is_not_in_the_database,
        rows_swapped_between_products_are_refused,
        a_chain_rewritten_whole_is_found_by_the_checkpoint;
    once:
        five_keys_under_one_machine_id_share_three_rebinds,
        a_release_signed_by_another_key_frees_nothing,
        no_other_door_gives_a_file_without_the_device_key,
        every_altered_header_is_refused_and_nothing_is_kept,
        no_kind_of_document_stands_for_another,
        a_rotation_is_checked_against_a_year_old_key_set,
        who_knows_only_the_key_reaches_nobodys_machine,
        who_rebinds_a_machine_cannot_release_it_at_once,
        a_machine_that_was_rebound_too_often_starts_afresh_once_staff_frees_it,
        a_machine_with_a_hostile_name_is_only_text;
}

const OPERATOR: Visitor = Visitor::Operator;

fn seats(count: u32) -> Terms {
    Terms { seats: Limit::AtMost(count), ..Terms::default() }
}

async fn a_released_machines_old_request_is_spent(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    let machine = Machine::new("HW-0001");
    let (activation, refresh) = (machine.activate(&license), machine.refresh(&license));
    app.bring(&activation).await.unwrap();
    app.bring(&refresh).await.unwrap();
    app.pass_days(2);
    app.bring(machine.release(&license)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(app.bring(&activation).await.unwrap_err().code, "request_spent");
        assert_eq!(app.bring(&refresh).await.unwrap_err().code, "request_spent");
        assert_eq!(app.seats_taken(&license).await, 0);
        app.pass_days(1);
    }
    // Not even once the machine is back by a new request.
    app.bring(machine.activate(&license)).await.unwrap();
    assert_eq!(app.bring(&activation).await.unwrap_err().code, "request_spent");
}

async fn five_keys_under_one_machine_id_share_three_rebinds(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(5)).await;
    let came: Vec<String> = {
        let mut came = Vec::new();
        for _ in 0..6 {
            let answer = app.bring(Machine::new("HW-0001").activate(&license)).await;
            came.push(answer.map_or_else(|refused| refused.code, |_| "granted".to_owned()));
        }
        came
    };
    assert_eq!(came, ["granted", "granted", "granted", "granted", "rebind_limit", "rebind_limit"]);
    assert_eq!(app.seats_taken(&license).await, 1);
    app.pass_days(366);
    app.bring(Machine::new("HW-0001").activate(&license)).await.expect("a year later");
}

async fn sixty_four_rebinds_at_once_are_three(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(5)).await;
    app.bring(Machine::new("HW-0001").activate(&license)).await.unwrap();
    let requests: Vec<String> = (0..64).map(|_| Machine::new("HW-0001").activate(&license)).collect();
    let answers = futures::future::join_all(requests.iter().map(|request| app.bring(request))).await;
    let granted = answers.iter().filter(|answer| answer.is_ok()).count();
    let refused = answers.iter().filter(|answer| matches!(answer, Err(refused) if refused.code == "rebind_limit")).count();
    assert_eq!((granted, refused), (3, 61));
    assert_eq!(app.seats_taken(&license).await, 1);
}

async fn a_release_signed_by_another_key_frees_nothing(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    let machine = Machine::new("HW-0001");
    app.bring(machine.activate(&license)).await.unwrap();
    app.activate_by_form(&license.key, "HW-0002", &[]).await.unwrap();
    app.pass_days(2);
    for id in ["HW-0001", "HW-0002"] {
        assert_eq!(app.bring(Machine::new(id).release(&license)).await.unwrap_err().code, "not_this_device");
        assert_eq!(app.bring_confirmed(Machine::new(id).release(&license)).await.unwrap_err().code, "not_this_device");
    }
    assert_eq!(app.bring(Machine::new("HW-0003").release(&license)).await.unwrap_err().code, "not_activated");
    assert_eq!(app.seats_taken(&license).await, 2);
}

async fn no_other_door_gives_a_file_without_the_device_key(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(3)).await;
    let machine = Machine::new("HW-0001");
    let own = app.bring(machine.activate(&license)).await.unwrap();
    assert_eq!(app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap_err().code, "device_key_required");
    for file in [
        foreign.v2("activation", "press", "HW-0001", json!({ "license_key": license.key.text() })),
        foreign.v1("activation", "press", "HW-0001", json!({ "license_key": license.key.text() })),
    ] {
        assert_eq!(app.bring(file).await.unwrap_err().code, "device_key_required");
    }
    let by_staff = app.desk().refresh_file(&OPERATOR, license.id, &device("HW-0001")).await.unwrap();
    // Released by itself, the machine still has its key.
    app.pass_days(2);
    app.bring(machine.release(&license)).await.unwrap();
    assert_eq!(app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap_err().code, "device_key_required");
    let keys = app.trusted_keys().await;
    for body in [own.body, by_staff.body] {
        let file = LicenseFile::verify(&body, &keys).unwrap().license;
        assert_eq!(file.device_key.as_deref(), Some(machine.key.kid()));
    }
}

fn forge(header: &Value, payload: &[u8], key: &KeyPair) -> String {
    let input = format!("{}.{}", base64::url(header.to_string().as_bytes()), base64::url(payload));
    format!("{input}.{}", base64::url(&key.sign(input.as_bytes())))
}

async fn every_altered_header_is_refused_and_nothing_is_kept(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(3)).await;
    let machine = Machine::new("HW-0001");
    let request = machine.activate(&license);
    let parts: Vec<&str> = request.split('.').collect();
    let header: Value = serde_json::from_slice(&base64::from_url(parts[0]).unwrap()).unwrap();
    let payload = base64::from_url(parts[1]).unwrap();
    let other = KeyPair::from_seed(&[9; 32]);
    let with = |name: &str, value: Value| {
        let mut altered = header.clone();
        altered[name] = value;
        altered
    };
    let within_jwk = |name: &str, value: Value| {
        let mut altered = header.clone();
        altered["jwk"][name] = value;
        altered
    };
    let altered = [
        ("unsupported_algorithm", with("alg", json!("none"))),
        ("unsupported_algorithm", with("alg", json!("HS256"))),
        ("unsupported_algorithm", with("alg", json!("RS256"))),
        ("unsupported_algorithm", with("alg", json!("eddsa"))),
        ("unsupported_algorithm", within_jwk("crv", json!("X25519"))),
        ("unsupported_algorithm", within_jwk("kty", json!("oct"))),
        ("wrong_kind", with("typ", json!("cs-lic+jwt"))),
        ("wrong_kind", with("typ", json!("cs-receipt+jwt"))),
        ("wrong_kind", with("typ", json!("cs-mirror+jwt"))),
        ("bad_signature", within_jwk("x", json!(base64::url(&other.public())))),
        ("private_key_in_file", within_jwk("d", json!(base64::url(&[1; 32])))),
        ("unexpected_header", with("kid", json!(machine.key.kid()))),
        ("unexpected_header", with("crit", json!(["exp"]))),
        ("unexpected_header", with("jku", json!("https://evil.example/jwks.json"))),
        ("unexpected_header", with("x5u", json!("https://evil.example/cert"))),
        ("unexpected_header", with("x5c", json!([]))),
        ("unexpected_header", with("b64", json!(false))),
        ("unexpected_header", with("zip", json!("DEF"))),
    ];
    for (expected, header) in &altered {
        let came =
            app.bring(forge(header, &payload, &machine.key)).await.map_or_else(|refused| refused.code, |_| "answered".into());
        assert_eq!(&came, expected, "{header}");
    }
    for small in [[0_u8; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let header = within_jwk("x", json!(base64::url(&small)));
        assert!(app.bring(forge(&header, &payload, &machine.key)).await.is_err(), "a small-order key");
    }
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    assert!(app.bring(unsigned).await.is_err());
    assert_eq!((app.count("activation").await, app.count("answer").await), (0, 0));
    assert!(app.count("attempt").await >= altered.len());
    app.bring(&request).await.expect("as it was made it is answered");
}

async fn no_kind_of_document_stands_for_another(app: TestApp) {
    let press = app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(5)).await;
    let machine = Machine::new("HW-0001");
    let request = machine.activate(&license);
    let file = app.bring(&request).await.unwrap().body;
    let computer_key = app.activate_by_form(&license.key, "HW-0002", &[]).await.unwrap().body;
    let foreign_request = foreign.v2("activation", "press", "HW-3", json!({ "license_key": license.key.text() }));
    let foreign_file = app.bring(&foreign_request).await.unwrap().body;
    app.pass_days(2);
    let receipt = app.bring(machine.release(&license)).await.unwrap().body;
    let keys = app.trusted_keys().await;
    let foreign_json: Value = serde_json::from_slice(&base64::from_standard(&foreign_file).unwrap()).unwrap();
    let mirrored = foreign_json["countersign"].as_str().unwrap().to_owned();
    let jwks = app.get("/.well-known/jwks.json").await.text();
    let foreign_text = String::from_utf8(foreign_request.clone()).unwrap();
    let documents = [
        ("request", &request),
        ("license", &file),
        ("computer key", &computer_key),
        ("receipt", &receipt),
        ("mirror", &mirrored),
        ("foreign request", &foreign_text),
        ("foreign license", &foreign_file),
        ("key set", &jwks),
    ];
    for (name, document) in documents {
        assert_eq!(LicenseFile::verify(document, &keys).is_ok(), matches!(name, "license" | "computer key"), "{name} as license");
        assert_eq!(Receipt::verify(document, &keys).is_ok(), name == "receipt", "{name} as receipt");
        assert_eq!(mirror::verify(document, &keys).is_ok(), name == "mirror", "{name} as mirror");
        assert_eq!(SignedRequest::parse(document).is_ok(), name == "request", "{name} as request");
        assert_eq!(Asked::read(document.as_bytes()).is_ok(), name.ends_with("request"), "{name} at the door");
        let answers = verify_answer(request.as_bytes(), document.as_bytes(), &keys, Some(app.now())).is_ok();
        assert_eq!(answers, name == "license", "{name} as answer");
        if !name.ends_with("request") {
            let before = (app.count("activation").await, app.count("answer").await);
            let refused = app.bring(document).await.unwrap_err();
            assert!(["wrong_kind", "unknown_format"].contains(&refused.code.as_str()), "{name}: {}", refused.code);
            assert_eq!((app.count("activation").await, app.count("answer").await), before);
            let plain = only(app.bring_plainly(&[("x.req", document.as_bytes())]).await.1).unwrap_err();
            assert_eq!(plain.code, refused.code);
        }
        assert!(Token::parse(document).is_none(), "{name} as a link");
        // What it is, is said; none but our own files are called genuine.
        let page = app.post_files("/inspect", "file", &[("x.lic", document.as_bytes())], &[]).await;
        assert_eq!(page.status, 200, "{name}");
        let genuine = app.desk().inspect(document.as_bytes()).await.unwrap().genuine;
        let vouched = ["license", "computer key", "receipt", "mirror", "foreign license", "request", "foreign request"];
        assert_eq!(genuine == Some(true), vouched.contains(&name), "{name}: {genuine:?}");
        assert_eq!(page.text().contains("Genuine"), genuine == Some(true), "{name} on its page");
    }
    let _ = press;
}

async fn a_rotation_is_checked_against_a_year_old_key_set(app: TestApp) {
    let press = app.product("press").await;
    let license = app.issue("press", seats(9)).await;
    let old_set = TrustedKeys::from_jwks(&app.get("/.well-known/jwks.json").await.text()).unwrap();
    let first = app.bring(Machine::new("HW-0001").activate(&license)).await.unwrap().body;
    let what = SealFor::License(SealProduct { id: app.desk().product(&press).await.unwrap().product.id, code: press.clone() });
    assert_eq!(code(app.desk().rotate(&OPERATOR, what.clone(), false).await), "bad_field", "the standby is too young");
    app.pass_days(2);
    app.desk().rotate(&OPERATOR, what.clone(), false).await.unwrap();
    // The app knew the standby: it checks files of both keys.
    let second = app.bring(Machine::new("HW-0002").activate(&license)).await.unwrap().body;
    assert_ne!(LicenseFile::verify(&first, &old_set).unwrap().kid, LicenseFile::verify(&second, &old_set).unwrap().kid);
    app.pass_days(365);
    app.desk().housekeeping().await.unwrap();
    app.desk().rotate(&OPERATOR, what, false).await.unwrap();
    let third = app.bring(Machine::new("HW-0003").activate(&license)).await.unwrap().body;
    assert_eq!(LicenseFile::verify(&third, &old_set).unwrap_err().code(), "unknown_signing_key");
    let new_set = TrustedKeys::from_jwks(&app.get("/.well-known/countersign/press/jwks.json").await.text()).unwrap();
    for file in [&first, &second, &third] {
        LicenseFile::verify(file, &new_set).expect("files without an end verify as long as their key retires");
    }
    LicenseFile::verify(&first, &old_set).expect("and with the old set");
    // Another product's keys sign nothing of this one.
    app.product("cut").await;
    let of_another = TrustedKeys::from_jwks(&app.get("/.well-known/countersign/cut/jwks.json").await.text()).unwrap();
    assert_eq!(LicenseFile::verify(&third, &of_another).unwrap_err().code(), "unknown_signing_key");
}

async fn what_is_secret_is_not_in_the_database(app: TestApp) {
    let press = app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(5)).await;
    let session = app.staff("ann@vendor.example", Role::Owner).await;
    let users = vec![crate::licensing::Email::parse("bob@customer.example").unwrap()];
    let user_password = crate::desk::UserPassword::Given("bob's own password".to_owned());
    app.issue_as(crate::desk::Issue { users, user_password, ..crate::desk::Issue::one(press.clone(), seats(2)) }).await;
    let with_password = json!({ "username": "bob@customer.example", "password": "bob's own password" });
    app.bring(foreign.v1("activation", "press", "HW-bob", with_password)).await.unwrap();
    let request = Machine::new("HW-0001").activate(&license);
    let (link, _) = app.bring_plainly(&[("a.req", request.as_bytes())]).await;
    let by_form = app.post("/activate", &[("key", &license.key.text()), ("device_id", "HW-0002")]).await;
    let activation_link = by_form.location().trim_start_matches("/activations/").to_owned();
    app.secret(activation_link.clone());
    app.bring(b"garbage that is no request at all!!").await.unwrap_err();

    app.assert_not_kept("the shared key", foreign.shared_key.as_bytes()).await;
    app.assert_not_kept("a staff password", b"pass word of ann@vendor.example").await;
    app.assert_not_kept("a user's password", b"bob's own password").await;
    let tokens = [("a session", session.text()), ("an offline link", link), ("an activation link", activation_link)];
    for (what, token) in tokens {
        app.assert_not_kept(what, token.as_bytes()).await;
        app.assert_not_kept(what, &base64::from_url(&token).unwrap()).await;
    }
    for part in request.split('.') {
        app.assert_not_kept("a request file", part.as_bytes()).await;
    }
    app.assert_not_kept("what could not be read", b"garbage that is no request").await;
    let master = crate::vault::MasterKey::for_testing();
    app.assert_not_kept("the master key", master.export_text().as_bytes()).await;
    for seal in app.desk().seals().await.unwrap() {
        let purpose = match seal.purpose {
            SealUse::License => Purpose::LICENSE_SEAL,
            SealUse::LicenseSpring => Purpose::LICENSESPRING_SEAL,
            SealUse::AirGap => Purpose::AIRGAP_SEAL,
            SealUse::Qlm => Purpose::QLM_SEAL,
        };
        let subject = match seal.product_id() {
            Some(product) => Subject::of_product(product, &seal.kid),
            None => Subject::named(&seal.kid),
        };
        let plain = app.desk().vault().decrypt_secret(purpose, subject, &seal.secret).unwrap();
        // The private part of each kind: an Ed25519 seed, a P-256 scalar (RFC 5915), or somewhere inside the RSA exponents.
        let bytes = plain.as_slice();
        let private = match seal.purpose {
            SealUse::License => bytes[16..48].to_vec(),
            SealUse::AirGap => bytes[36..68].to_vec(),
            SealUse::LicenseSpring | SealUse::Qlm => bytes[bytes.len() / 2..bytes.len() / 2 + 32].to_vec(),
        };
        app.assert_not_kept("a private key", &private).await;
        app.assert_not_kept("a private key, in base64", base64::standard(&private[..30]).as_bytes()).await;
    }
    // The search finds what is there.
    assert!(app.dump().await.iter().any(|line| line.contains("HW-0002")));
    let public = &app.desk().seals().await.unwrap()[0].public;
    let hex: String = public.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    assert!(app.dump().await.iter().any(|line| line.to_lowercase().contains(&hex)));
}

async fn rows_swapped_between_products_are_refused(app: TestApp) {
    app.product("press").await;
    app.product("cut").await;
    let (one, other) = (ForeignApp::new(&app, None, false).await, ForeignApp::new(&app, None, false).await);
    let license = app.issue("press", seats(5)).await;
    // Whoever can write to the database, but does not have the master key, gives one app the other's shared key.
    app.tamper(&format!(
        "create table moved as select id, shared_key from api_key; \
         update api_key set shared_key = (select m.shared_key from moved m where m.id = {}) where id = {}; \
         update api_key set shared_key = (select m.shared_key from moved m where m.id = {}) where id = {}; drop table moved;",
        other.id, one.id, one.id, other.id
    ))
    .await;
    for foreign in [&one, &other] {
        let file = foreign.v2("activation", "press", "HW-1", json!({ "license_key": license.key.text() }));
        assert_eq!(app.answer(&file, "").await.status, 500, "the vault does not open it");
    }
    assert_eq!(app.count("activation").await, 0);
    // Or has one product's files signed with another's key.
    let seals = app.desk().seals().await.unwrap();
    let of = |code: &str| {
        let seal = seals.iter().find(|seal| {
            seal.state.text() == "active" && seal.product.as_ref().is_some_and(|product| product.code.as_str() == code)
        });
        seal.unwrap().clone()
    };
    let (press, cut) = (of("press"), of("cut"));
    let swapped = |seal: &crate::licensing::seal::Seal, product| crate::licensing::seal::Seal { product, ..seal.clone() };
    let mixed = [swapped(&press, cut.product.clone()), swapped(&cut, press.product.clone())];
    assert!(app.desk().vault().reload(&mixed).is_err(), "a key of another product");
    let other_secret = crate::licensing::seal::Seal { secret: cut.secret.clone(), ..press.clone() };
    assert!(app.desk().vault().reload(&[other_secret]).is_err(), "a key under another id");
    app.bring(Machine::new("HW-0001").activate(&license)).await.expect("the former keys stay in use");
    // Swapped in the database itself, the portal does not start.
    let (one, other) = (press.id.unwrap(), cut.id.unwrap());
    app.tamper(&format!(
        "create table moved as select id, secret from seal; \
         update seal set secret = (select m.secret from moved m where m.id = {other}) where id = {one}; \
         update seal set secret = (select m.secret from moved m where m.id = {one}) where id = {other}; drop table moved;"
    ))
    .await;
    let kept = app.desk().seals().await.unwrap();
    let started = crate::vault::Vault::open(crate::vault::MasterKey::for_testing(), &kept);
    assert_eq!(started.err().map(|error| error.code()), Some("seal_does_not_open"));
}

/// Whoever may write to the database can make a chain that holds by itself, head and all; but not the checkpoint's signature.
async fn a_chain_rewritten_whole_is_found_by_the_checkpoint(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap();
    app.desk().checkpoint_audit("a process").await.unwrap();
    assert!(app.desk().verify_audit(&OPERATOR).await.unwrap().is_whole());
    let id = license.id;
    let first =
        app.ask(&format!("select cast(min(id) as text) from audit where subject_kind = 'license' and subject_id = {id}")).await;
    app.tamper(&format!("delete from audit where subject_kind = 'license' and subject_id = {id}")).await;
    let now = app.desk().now();
    let rewritten = app.desk().store().write(move |conn| {
        Box::pin(async move {
            let (subject, actor) = (AuditSubject::license(id.0), Actor::Operator);
            let entry = NewAudit { at: now, subject, act: "license.issued", actor, before: None, after: None };
            let head = conn.audit(&entry, None);
            conn.set_audit_head(id, &head).await
        })
    });
    rewritten.await.unwrap();
    let report = app.desk().verify_audit(&OPERATOR).await.unwrap();
    assert!(report.broken.is_empty(), "the chain holds by itself: {:?}", report.broken);
    assert!(report.fault.is_some() && !report.is_whole());
    // Nor under the number of the entry that was there.
    app.tamper(&format!("update audit set id = {} where subject_kind = 'license' and subject_id = {id}", first[0])).await;
    let report = app.desk().verify_audit(&OPERATOR).await.unwrap();
    assert!(report.broken.is_empty() && report.fault.is_some(), "{report:?}");
    // A checkpoint over what is there now would have to be signed by the portal.
    let heads = app.desk().store().read().await.unwrap().heads_at(first[0].parse().unwrap()).await.unwrap();
    assert_eq!(heads.hash.len(), 32);
    app.tamper("delete from audit_checkpoint").await;
    let forged =
        Checkpoint { at: now, last_entry: heads.last_entry, heads_hash: heads.hash, kid: "x".to_owned(), signature: vec![7; 64] };
    let put = app.desk().store().write(move |conn| {
        let forged = forged.clone();
        Box::pin(async move { conn.add_checkpoint(&forged).await })
    });
    put.await.unwrap();
    let fault = app.desk().verify_audit(&OPERATOR).await.unwrap().fault.expect("not signed here");
    assert!(fault.why.contains("signature"), "{fault:?}");
}

async fn who_knows_only_the_key_reaches_nobodys_machine(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    let (victim, plain) = (Machine::named("A53F-0CBC-15FC-7E81", "press-7"), "B64A-1DCD-26AD-8F92");
    let request = victim.activate(&license);
    app.bring(&request).await.unwrap();
    app.activate_by_form(&license.key, plain, &[("request_id", "the-victims-own-form-id")]).await.unwrap();
    app.pass_days(2);
    // They see that it is full, and no more of a machine than the end of its id.
    let stranger = Machine::new("HW-stranger");
    let refused = app.bring(stranger.activate(&license)).await.unwrap_err();
    let ends: Vec<&str> = refused.holders.iter().map(|(_, ends)| ends.as_str()).collect();
    assert_eq!(ends, ["…C-7E81", "…D-8F92"]);
    // With the license's number guessed and an id they saw the end of, they release and refresh nothing.
    for id in ["…C-7E81", "C-7E81", "A53F-0CBC-15FC-7E81", plain] {
        let thief = Machine::new(id);
        for file in [thief.release(&license), thief.refresh(&license)] {
            let came = app.bring_confirmed(file).await.unwrap_err().code;
            assert!(["not_activated", "not_this_device"].contains(&came.as_str()), "{came}");
        }
    }
    // Links are not guessed, nor made from what they know.
    for path in ["/activations/the-victims-own-form-id", "/offline/the-victims-own-form-id", "/activations/1", "/offline/1"] {
        assert_eq!(app.get(path).await.status, 404, "{path}");
    }
    let guess = Token::random().text();
    for path in [format!("/activations/{guess}"), format!("/activations/{guess}/x.lic"), format!("/offline/{guess}/all.zip")] {
        assert_eq!(app.get(&path).await.status, 404, "{path}");
    }
    // One kind of link does not open another kind of page.
    let (link, _) = app.bring_plainly(&[("a.req", request.as_bytes())]).await;
    assert_eq!(app.get(&format!("/offline/{link}")).await.status, 200);
    assert_eq!(app.get(&format!("/activations/{link}")).await.status, 404);
    app.pass_days(31);
    assert_eq!(app.get(&format!("/offline/{link}")).await.status, 404, "after thirty days");
    assert_eq!(app.seats_taken(&license).await, 2);
}

async fn a_machine_with_a_hostile_name_is_only_text(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    let owner = app.staff("ann@vendor.example", Role::Owner).await;
    // What hides is refused at every door.
    for hidden in ["a\u{202e}b", "a\u{0}b", "a\nb", "a\u{200b}b"] {
        let by_form =
            app.post("/activate", &[("key", &license.key.text()), ("device_id", "HW-1"), ("device_name", hidden)]).await;
        assert_eq!(by_form.status, 422, "{hidden:?}");
        let machine = Machine::new("HW-1");
        let mut claims: Map<String, Value> = {
            let request = machine.request(Act::Activate, "press", Grounds::Key(license.key.clone()));
            serde_json::from_slice(&base64::from_url(machine.sign(&request).split('.').nth(1).unwrap()).unwrap()).unwrap()
        };
        claims["dev"]["name"] = hidden.into();
        let signed = machine.activate(&license);
        let header: Value = serde_json::from_slice(&base64::from_url(signed.split('.').next().unwrap()).unwrap()).unwrap();
        let file = forge(&header, json!(claims).to_string().as_bytes(), &machine.key);
        assert_eq!(app.bring(file).await.unwrap_err().code, "hidden_characters", "{hidden:?}");
    }
    // What looks like markup, a formula, a path or a header is kept, and stays text.
    let name = "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)>\"; filename=\"../../x.exe";
    // What a machine calls itself is in no log: neither as a line of its own nor within one.
    app.secret("=cmd|' /C calc'!A0");
    app.secret("=HW<script>");
    let machine = Machine::named("=HW<script>\"'", name);
    let answer: Brought = app.bring(machine.activate(&license)).await.unwrap();
    let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    assert!(plain(&answer.file_name) && !answer.file_name.contains(".."), "{}", answer.file_name);
    let second = app.issue("press", seats(1)).await;
    let files = [machine.activate(&license), Machine::named("=HW2", name).activate(&second)];
    let sent = [("../../<b>.req", files[0].as_bytes()), ("=cmd|.req", files[1].as_bytes())];
    let (link, _) = app.bring_plainly(&sent).await;
    let refused = app.bring(Machine::named("=HW3", name).activate(&license)).await.unwrap_err();

    for path in [format!("/offline/{link}"), format!("/offline/{link}/1"), format!("/offline/{link}/all.zip")] {
        let reply = app.get(&path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(!reply.text().contains("<img src=x"), "{path}");
        let disposition = reply.header("content-disposition");
        assert!(disposition.matches('"').count() <= 2 && !disposition.contains(".."), "{disposition}");
    }
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(app.get(&format!("/offline/{link}/all.zip")).await.body)).unwrap();
    assert_eq!(zip.len(), 2);
    for at in 0..zip.len() {
        let inside = zip.by_index(at).unwrap().name().unwrap().into_owned();
        assert!(plain(&inside) && !inside.starts_with(['=', '.']), "{inside}");
    }
    let pages = [
        format!("/vendor/licenses/{}?tab=machines", license.id),
        format!("/vendor/licenses/{}", license.id),
        format!("/vendor/refusals/{}", refused.reference),
        "/vendor/refusals".to_owned(),
        "/vendor/audit".to_owned(),
        format!("/vendor/licenses?q={}", "%3DHW%3Cscript%3E"),
    ];
    for path in &pages {
        let reply = app.get_as(&owner, path).await;
        assert_eq!(reply.status, 200, "{path}");
        let text = reply.text();
        assert!(!text.contains("<img src=x") && !text.contains("HW<script>"), "{path}");
    }
    assert!(app.get_as(&owner, &pages[0]).await.text().contains("&lt;img src=x"), "it is shown, as text");
    for path in ["/vendor/licenses.csv", "/vendor/refusals.csv", "/vendor/audit.csv", "/vendor/orders.csv"] {
        let reply = app.get_as(&owner, path).await;
        assert_eq!(reply.status, 200, "{path}");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(reply.body.as_slice());
        for record in reader.records() {
            for cell in &record.unwrap() {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{path}: {cell}");
            }
        }
    }
    assert!(app.get_as(&owner, "/vendor/refusals.csv").await.text().contains("'=cmd|"), "the name is in it");
    let page = app.post("/activate", &[("key", &license.key.text()), ("device_id", "HW-9")]).await.text();
    assert!(page.contains("&lt;img src=x") && !page.contains("<img src=x"), "the refusal names the holder, as text");
    let _ = ProductCode::parse("press");
}

/// Key and computer id are enough to be taken for a reinstalled machine, and must not be enough to take its seat away.
async fn who_rebinds_a_machine_cannot_release_it_at_once(app: TestApp) {
    for (number, hours) in [(1, 24), (2, 0), (3, 72)] {
        let code = format!("press-{number}");
        app.product_with(&code, ProductRules { min_hold_hours: hours, ..ProductRules::default() }).await;
        let license = app.issue(&code, seats(2)).await;
        let owner = Machine::new("HW-0001");
        app.bring(owner.activate(&license)).await.unwrap();
        app.activate_by_form(&license.key, "HW-0002", &[]).await.unwrap();
        app.pass_days(30);
        for id in ["HW-0001", "HW-0002"] {
            let thief = Machine::new(id);
            app.bring(thief.activate(&license)).await.unwrap();
            assert_eq!(app.bring(thief.release(&license)).await.unwrap_err().code, "held_too_short", "{hours} hours, {id}");
        }
        assert_eq!(app.seats_taken(&license).await, 2);
        // The owner notices, and takes the machine back by a new request.
        app.bring(owner.activate(&license)).await.unwrap();
        assert_eq!(app.bring(Machine::new("HW-0001").release(&license)).await.unwrap_err().code, "not_this_device");
    }
}

async fn a_machine_that_was_rebound_too_often_starts_afresh_once_staff_frees_it(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    for _ in 0..4 {
        app.bring(Machine::new("HW-0001").activate(&license)).await.unwrap();
    }
    assert_eq!(app.bring(Machine::new("HW-0001").activate(&license)).await.unwrap_err().code, "rebind_limit");
    app.desk().release_device(&OPERATOR, license.id, &device("HW-0001")).await.unwrap();
    for _ in 0..4 {
        app.bring(Machine::new("HW-0001").activate(&license)).await.expect("what the refusal names as the way out is one");
    }
    app.desk().revoke_device(&OPERATOR, license.id, &device("HW-0001"), "lost".to_owned()).await.unwrap();
    app.desk().allow_device(&OPERATOR, license.id, &device("HW-0001")).await.unwrap();
    app.bring(Machine::new("HW-0001").activate(&license)).await.expect("after it was allowed again too");
}
