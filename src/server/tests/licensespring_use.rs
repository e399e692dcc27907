//! What an app does with the license it holds, through LicenseSpring's API: counters, features, variables, versions, users, files.

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use super::{
    Reply, TestApp,
    foreign::ForeignApp,
    licensespring::{OPERATOR, code, public_key, refused, seats, signed},
};
use crate::{
    desk::{Edit, Issue, ReleaseFor, UserPassword},
    licensing::{
        DeviceId, Email, ProductCode,
        files::{
            base64,
            licensespring::{
                LicenseSpringLicense,
                hmac::{sign, string_to_sign},
            },
        },
        license::{Entitlement, Expiry, LicenseType, Limit, Maintenance, Meter, Period, Terms},
        product::{FeatureKind, Installation},
    },
    vault::verify_rsa,
};

tests! {
    both:
        a_counter_is_spent_and_no_further;
    once:
        a_counter_begins_anew_with_its_period,
        a_feature_is_checked_and_spent,
        a_machine_tells_its_variables,
        when_a_machine_called_last_is_gathered_and_written_later,
        versions_are_those_the_license_covers,
        a_user_sees_their_licenses_and_takes_a_password_of_their_own,
        a_request_file_is_answered_as_text_and_as_a_form,
        a_request_file_is_refused_by_what_it_lacks,
        a_lost_file_is_made_again_in_the_clients_own_form;
}

fn counted(max: u32, overage: u32) -> Meter {
    Meter { used: 0, max: Limit::AtMost(max), overage: Limit::AtMost(overage), period: None, negatives: false, resets_at: None }
}

async fn when_a_machine_called_last_is_gathered_and_written_later(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(3)).await;
    foreign.activate(&app, &license, "HW-1").await;
    foreign.activate(&app, &license, "HW-2").await;
    let activated = app.now();
    let last_seen = async |id: &str| {
        let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
        view.activations.iter().find(|machine| machine.activation.device.id.as_str() == id).unwrap().activation.last_seen
    };
    // Within the minute nothing is written at all.
    app.pass_seconds(59);
    signed(&app, &foreign.check(&app, &license, "HW-1").await).await;
    app.desk().write_seen().await.unwrap();
    assert_eq!(last_seen("HW-1").await, activated);
    app.pass_seconds(3_600);
    for _ in 0..3 {
        app.pass_seconds(1);
        signed(&app, &foreign.check(&app, &license, "HW-1").await).await;
    }
    assert_eq!(last_seen("HW-1").await, activated, "a check writes nothing");
    app.desk().write_seen().await.unwrap();
    assert!(last_seen("HW-1").await > app.now().plus_seconds(-60));
    assert_eq!(last_seen("HW-2").await, activated);
    // What is refused is no sign of life: another app's key, and a machine whose seat was given back.
    let elsewhere = ForeignApp::new(&app, Some(vec!["cut".to_owned()]), false).await;
    foreign.deactivate(&app, &license, "HW-2").await;
    let released = last_seen("HW-2").await;
    app.pass_days(1);
    assert_eq!(code(&elsewhere.check(&app, &license, "HW-1").await), "api_key_product_not_allowed");
    assert_eq!(code(&foreign.check(&app, &license, "HW-2").await), "device_not_found");
    let before = last_seen("HW-1").await;
    app.desk().write_seen().await.unwrap();
    assert_eq!((last_seen("HW-1").await, last_seen("HW-2").await), (before, released));
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
    assert_eq!(code(&check("nothing").await), "invalid_license_feature_code");
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
    // What else is told of a file, and a file put in the place of another.
    let press = ProductCode::parse("press").unwrap();
    let at = ReleaseFor { channel: String::new(), env: "win64".to_owned() };
    let told = Installation {
        url: "https://example.com/press-4.2-mended.exe".to_owned(),
        hash: "9e107d9d372bb6826bd81d3542a419d6".to_owned(),
        size: Some(48_234_496),
        requires: "3.1".parse().ok(),
        eula: "https://example.com/eula".to_owned(),
        notes: "https://example.com/4.2".to_owned(),
    };
    let number = || "4.2".parse().unwrap();
    let add = async |number, file: &Installation, replace| {
        app.desk().add_installation(&OPERATOR, &press, number, &at, file.clone(), replace).await
    };
    assert_eq!(add(number(), &told, false).await.unwrap_err().code(), "taken");
    let refused = add("4.3".parse().unwrap(), &told, true).await.unwrap_err();
    assert!(refused.to_string().contains("no version 4.3"), "{refused}");
    for url in ["javascript:alert(1)", "ftp://example.com/x", "https://", ""] {
        let file = Installation { url: url.to_owned(), ..told.clone() };
        assert_eq!(add(number(), &file, true).await.unwrap_err().code(), "bad_field", "{url}");
    }
    assert_eq!(signed(&app, &file(&[("env", "win64")]).await).await, newest, "nothing refused has changed it");
    add(number(), &told, true).await.unwrap();
    let newest = signed(&app, &file(&[("env", "win64")]).await).await;
    for (name, value) in [
        ("installation_file", told.url.as_str()),
        ("hash_md5", &told.hash),
        ("size", "48234496"),
        ("requires_version", "3.1"),
        ("eula_link", &told.eula),
        ("release_notes_link", &told.notes),
        ("environment", "win64"),
    ] {
        assert_eq!(newest[name], value, "{name}");
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
    // Guesses end, for the right password too, however the name is spelt from one to the next.
    for number in 0..20 {
        let name = format!("BOB@customer.example|{number}");
        let body = json!({ "username": name, "password": "a guess", "new_password": "bob's own long password" });
        foreign.post(&app, "/change_password", body).await;
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

async fn a_lost_file_is_made_again_in_the_clients_own_form(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let terms = Terms { entitlements: Vec::new(), ..seats(2) };
    let license = app.issue("press", terms).await;
    let file = foreign.v2("activation", "press", "HW-ö", json!({ "license_key": license.key.text(), "request_id": "r-1" }));
    app.bring(file).await.unwrap();
    let device = DeviceId::parse("HW-ö").unwrap();
    let expiry = Expiry::on(app.now().plus_days(90));
    app.desk().edit_license(&OPERATOR, license.id, Edit { expiry: Some(expiry), ..Edit::default() }).await.unwrap();
    let made = app.desk().refresh_file(&OPERATOR, license.id, &device).await.unwrap();
    assert_eq!((made.file_name.as_str(), made.licensespring, made.receipt), ("license_refresh.lic", true, false));
    let json = base64::from_standard(&made.body).unwrap();
    let body: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(body["validity_period"], app.now().plus_days(90).to_rfc3339());
    assert_eq!((&body["hardware_id"], &body["product_details"]["short_code"]), (&json!("HW-ö"), &json!("press")));
    assert_eq!(body["license_key"], license.key.text());
    // What the client checks: its own key over the date, and both RSA signatures, the second over the first.
    let text = string_to_sign(body["date"].as_str().unwrap(), &license.key.text(), "HW-ö", &foreign.api_key);
    assert_eq!(body["offline_signature"], sign(foreign.shared_key.as_bytes(), text.as_bytes()));
    let read = LicenseSpringLicense::parse(&json).unwrap();
    let public = public_key(&app).await;
    assert_eq!(read.rsa.len(), 2);
    for check in &read.rsa {
        assert!(check.any_of.iter().any(|text| verify_rsa(&public, text, &check.signature)), "{}", check.name);
    }
    let signed = String::from_utf8(read.rsa[1].any_of[0].clone()).unwrap();
    assert!(signed.contains("license_signature") && !signed.contains("license_signature_v2"));
    // A machine of this kind is noted under both keys that signed, and what happened stands in the history.
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    assert!(view.history.iter().any(|entry| entry.act == "license.file_made"));
    assert_eq!(view.activations[0].activation.file_keys.as_deref().map(|keys| keys.split(' ').count()), Some(2));
    // A user's file names the user and no key.
    app.secret("bob@customer.example");
    app.secret("first password of bob");
    let issue = Issue::one(ProductCode::parse("press").unwrap(), seats(1));
    let users = vec![Email::parse("bob@customer.example").unwrap()];
    let user_password = UserPassword::Given("first password of bob".to_owned());
    let of_bob = app.issue_as(Issue { users, user_password, ..issue }).await;
    let body = json!({
        "product": "press", "hardware_id": "HW-2", "username": "bob@customer.example", "password": "first password of bob",
    });
    assert_eq!(foreign.post(&app, "/activate_license", body).await.status, 200);
    let made = app.desk().refresh_file(&OPERATOR, of_bob.id, &DeviceId::parse("HW-2").unwrap()).await.unwrap();
    let body: Value = serde_json::from_slice(&base64::from_standard(&made.body).unwrap()).unwrap();
    assert_eq!(body["username"], "bob@customer.example");
    assert!(body.get("license_key").is_none());
    // A disabled license has no file, and one that no app of this kind activated has ours.
    app.desk().disable_license(&OPERATOR, license.id, "asked for".to_owned()).await.unwrap();
    assert_eq!(super::app::code(app.desk().refresh_file(&OPERATOR, license.id, &device).await), "license_disabled");
    let ours = app.issue("press", seats(1)).await;
    app.activate_by_form(&ours.key, "HW-3", &[]).await.unwrap();
    let made = app.desk().refresh_file(&OPERATOR, ours.id, &DeviceId::parse("HW-3").unwrap()).await.unwrap();
    assert!(!made.licensespring && made.body.starts_with("eyJ"));
}
