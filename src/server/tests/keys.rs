//! Signing keys in the life of a portal: turned at the same moment, imported, lost.

use serde_json::Value;

use super::{Machine, TestApp, app::code, foreign::ForeignApp};
use crate::{
    desk::{Role, Turned, Visitor},
    licensing::{
        ProductCode,
        files::{LicenseFile, TrustedKeys},
        license::{Limit, Terms},
        seal::{SealFor, SealProduct},
    },
};

tests! {
    both:
        rotations_at_once_leave_one_key_that_signs,
        what_a_lost_key_signed_is_signed_again;
    once:
        a_key_is_imported_into_one_ring_only,
        a_lost_foreign_key_is_believed_no_more,
        another_process_signs_with_the_key_that_signs_now,
        staff_marks_a_key_and_sees_what_to_do,
        the_published_keys_may_be_kept_for_an_hour;
}

const OPERATOR: Visitor = Visitor::Operator;

fn seats(count: u32) -> Terms {
    Terms { seats: Limit::AtMost(count), ..Terms::default() }
}

async fn ring_of(app: &TestApp, code: &ProductCode) -> SealFor {
    SealFor::License(SealProduct { id: app.desk().product(code).await.unwrap().product.id, code: code.clone() })
}

async fn kids(app: &TestApp, code: &str, state: &str) -> Vec<String> {
    let rows = app.desk().seal_rows(&OPERATOR).await.unwrap();
    rows.into_iter().filter(|row| row.product_code.as_deref() == Some(code) && row.state == state).map(|row| row.kid).collect()
}

fn kid_of(file: &str, keys: &TrustedKeys) -> String {
    LicenseFile::verify(file, keys).unwrap().kid
}

async fn rotations_at_once_leave_one_key_that_signs(app: TestApp) {
    let press = app.product("press").await;
    let license = app.issue("press", seats(99)).await;
    let what = ring_of(&app, &press).await;
    let turns = (0..8).map(|_| app.desk().rotate(&OPERATOR, what.clone(), true));
    let machines: Vec<String> = (0..24).map(|number| Machine::new(&format!("HW-{number}")).activate(&license)).collect();
    let (turned, files) =
        tokio::join!(futures::future::join_all(turns), futures::future::join_all(machines.iter().map(|file| app.bring(file))));
    let done = turned.into_iter().filter(|turned| matches!(turned, Ok(Turned::Rotated))).count();
    assert_eq!(done, 8, "each waits for the one before it");
    assert_eq!((kids(&app, "press", "active").await.len(), kids(&app, "press", "standby").await.len()), (1, 1));
    let keys = app.trusted_keys().await;
    for file in files {
        LicenseFile::verify(&file.unwrap().body, &keys).expect("whichever key signed it, it verifies");
    }
}

async fn what_a_lost_key_signed_is_signed_again(app: TestApp) {
    let press = app.product("press").await;
    let other = app.product("cut").await;
    let (license, elsewhere) = (app.issue("press", seats(9)).await, app.issue("cut", seats(9)).await);
    let [one, two] = ["HW-0001", "HW-0002"].map(Machine::new);
    let (request, unrelated) = (one.activate(&license), two.activate(&elsewhere));
    let (file, kept) = (app.bring(&request).await.unwrap().body, app.bring(&unrelated).await.unwrap().body);
    let by_form = app.post("/activate", &[("key", &license.key.text()), ("device_id", "HW-0003")]).await;
    let page = by_form.location().to_owned();
    app.secret(page.trim_start_matches("/activations/"));
    let lost = kids(&app, "press", "active").await.remove(0);
    let (_, machines) = app.desk().machines_to_refresh(&OPERATOR, &lost).await.unwrap();
    assert_eq!(machines.len(), 2);
    app.desk().compromise(&OPERATOR, &lost).await.unwrap();
    assert_eq!(code(app.desk().compromise(&OPERATOR, &lost).await), "bad_field", "once");
    // It leaves the published keys at once; the next signs, and there is a next one again.
    let published = app.get("/.well-known/jwks.json").await.text();
    assert!(!published.contains(&lost));
    assert_eq!((kids(&app, "press", "active").await.len(), kids(&app, "press", "standby").await.len()), (1, 1));
    assert_eq!(LicenseFile::verify(&file, &app.trusted_keys().await).unwrap_err().code(), "key_compromised");
    // The browser is told of it too, and says the same.
    let keys: Value = app.get("/offline/keys.json").await.json();
    let told = keys["jwks"]["keys"].as_array().unwrap().iter().find(|key| key["kid"] == lost.as_str()).expect("it is told of");
    assert_eq!(told["cs_state"], "compromised");
    // The page with the computer key is gone; the same request gets a new file for the same seat.
    assert_eq!(app.get(&page).await.status, 404);
    let again = app.bring(&request).await.unwrap().body;
    assert_ne!(kid_of(&again, &app.trusted_keys().await), lost);
    assert_eq!(app.seats_taken(&license).await, 2);
    let (_, machines) = app.desk().machines_to_refresh(&OPERATOR, &lost).await.unwrap();
    assert_eq!(machines.iter().map(|found| found.activation.device.id.as_str()).collect::<Vec<_>>(), ["HW-0003"]);
    // Other products are left alone.
    assert_eq!(app.bring(&unrelated).await.unwrap().body, kept);
    let _ = (press, other);
}

async fn a_key_is_imported_into_one_ring_only(app: TestApp) {
    let (press, cut) = (app.product("press").await, app.product("cut").await);
    let pkcs8 = [
        &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20][..],
        &crate::vault::random_bytes::<32>(),
    ]
    .concat();
    let (into_press, into_cut) = (ring_of(&app, &press).await, ring_of(&app, &cut).await);
    let kid = app.desk().import_key(&OPERATOR, into_press.clone(), &pkcs8).await.unwrap();
    assert_eq!(code(app.desk().import_key(&OPERATOR, into_press, &pkcs8).await), "taken");
    assert_eq!(code(app.desk().import_key(&OPERATOR, into_cut, &pkcs8).await), "taken");
    assert_eq!(kids(&app, "press", "standby").await, [kid]);
    assert_eq!(kids(&app, "cut", "standby").await.len(), 1);
    // Whatever comes, the keys still open as a start would open them.
    let seals = app.desk().seals().await.unwrap();
    app.desk().vault().reload(&seals).expect("every secret opens where it is");
}

async fn a_lost_foreign_key_is_believed_no_more(app: TestApp) {
    app.product("press").await;
    let foreign = ForeignApp::new(&app, None, false).await;
    let license = app.issue("press", seats(9)).await;
    let request = foreign.v2("activation", "press", "HW-1", serde_json::json!({ "license_key": license.key.text() }));
    let file = app.bring(&request).await.unwrap().body;
    let genuine = |file: String| {
        let desk = app.desk().clone();
        async move { desk.inspect(file.as_bytes()).await.unwrap().genuine }
    };
    assert_eq!(genuine(file.clone()).await, Some(true));
    let lost = app.desk().vault().licensespring_kid().unwrap();
    app.desk().compromise(&OPERATOR, &lost).await.unwrap();
    assert_ne!(genuine(file.clone()).await, Some(true));
    let again = app.bring(&request).await.unwrap().body;
    assert_ne!(again, file);
    assert_eq!(genuine(again).await, Some(true));
    assert_eq!(app.seats_taken(&license).await, 1);
}

/// Two processes on one database: what one turns, the other signs with, without having looked.
async fn another_process_signs_with_the_key_that_signs_now(app: TestApp) {
    let press = app.product("press").await;
    let license = app.issue("press", seats(9)).await;
    let other = app.other_process().await;
    other.bring(Machine::new("HW-0001").activate(&license)).await.unwrap();
    let lost = kids(&app, "press", "active").await.remove(0);
    app.desk().compromise(&OPERATOR, &lost).await.unwrap();
    let file = other.bring(Machine::new("HW-0002").activate(&license)).await.unwrap().body;
    assert_ne!(kid_of(&file, &app.trusted_keys().await), lost);
    let by_form = other.activate_by_form(&license.key, "HW-0003", &[]).await.unwrap().body;
    assert_ne!(kid_of(&by_form, &app.trusted_keys().await), lost);
    other.desk().store().close().await;
    let _ = press;
}

async fn staff_marks_a_key_and_sees_what_to_do(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(9)).await;
    app.bring(Machine::named("HW-0001", "press-7").activate(&license)).await.unwrap();
    let (owner, support) =
        (app.staff("ann@vendor.example", Role::Owner).await, app.staff("sue@vendor.example", Role::Support).await);
    let lost = kids(&app, "press", "active").await.remove(0);
    let path = format!("/vendor/keys/{lost}/compromised");
    assert_eq!(app.post_as(&support, &path, &[]).await.status, 403);
    let reply = app.post_as(&owner, &path, &[]).await;
    assert_eq!((reply.status.as_u16(), reply.location()), (303, format!("/vendor/keys/{lost}?said=compromised").as_str()));
    let page = app.get_as(&owner, reply.location()).await.text();
    assert!(page.contains("press-7") && page.contains("believed no more"));
    let csv = app.get_as(&owner, &format!("/vendor/keys/{lost}/machines.csv")).await.text();
    assert!(csv.contains("HW-0001") && csv.contains(&license.key.text()));
    assert_eq!(app.post_as(&owner, &path, &[]).await.status, 409);
    assert_eq!(app.post_as(&owner, "/vendor/keys/nobody/compromised", &[]).await.status, 404);
    let list = app.get_as(&owner, "/vendor/keys").await.text();
    assert!(list.contains("marked a signing key as compromised"));
}

async fn the_published_keys_may_be_kept_for_an_hour(app: TestApp) {
    app.product("press").await;
    for path in ["/.well-known/jwks.json", "/.well-known/countersign/press/jwks.json"] {
        assert!(app.get(path).await.header("cache-control").contains("max-age=3600"), "{path}");
    }
}
