//! Every act by its doors: what is granted, what it leaves behind, and what it answers the second time.

use super::{
    Brought, Machine, TestApp,
    app::{code, device, only},
};
use crate::{
    desk::{Edit, Issue, Renewal, Role, Visitor},
    licensing::{
        Date, ProductCode,
        files::{Act, Grounds, KeyProof, LicenseFile, Receipt, Signer, verify_answer},
        issue::Quantities,
        license::{Expiry, Limit, Terms, TransferLimit},
    },
};

tests! {
    both:
        the_same_request_gets_the_same_bytes,
        a_changed_license_gets_a_new_file_and_no_second_seat,
        a_released_seat_is_proved_by_a_receipt_and_can_be_taken_again,
        a_request_id_is_good_for_one_request_of_one_device,
        a_fresh_file_takes_no_seat_and_needs_the_devices_key,
        releases_by_file_wait_and_are_counted,
        a_license_goes_to_another_device_and_back,
        disabling_keeps_what_runs_and_grants_nothing_new,
        what_is_granted_is_in_the_audit_log_and_its_chain_holds,
        the_same_form_issues_once;
    once:
        a_form_sent_again_shows_what_is_true_by_then,
        a_file_holds_what_the_product_marks_for_it,
        a_key_can_be_proved_without_being_shown,
        a_lease_ends_a_file_before_its_license,
        a_file_is_bound_to_the_device_key_at_every_door,
        staff_frees_revokes_and_allows_machines,
        a_rebind_spends_what_the_old_key_had,
        orders_become_keys_and_seats,
        the_same_activation_form_ends_on_the_same_page,
        the_same_offline_form_ends_on_the_same_page,
        settings_are_taken_together_or_not_at_all;
}

const OPERATOR: Visitor = Visitor::Operator;

fn seats(count: u32) -> Terms {
    Terms { seats: Limit::AtMost(count), ..Terms::default() }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

async fn the_same_request_gets_the_same_bytes(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    let machine = Machine::named("HW-0001", "press-7");
    let request = machine.activate(&license);
    let first = app.bring(&request).await.unwrap();
    app.pass_days(3);
    assert_eq!(app.bring(&request).await.unwrap(), first);
    // The plain form says the same, and so does a file that a mail program wrapped.
    let wrapped = request.as_bytes().chunks(60).collect::<Vec<_>>().join(&b"\r\n"[..]);
    let plain = only(app.bring_plainly(&[("a.req", &wrapped)]).await.1).unwrap();
    assert_eq!(plain.body, first.body);
    assert_eq!(app.seats_taken(&license).await, 1);
    verify_answer(request.as_bytes(), first.body.as_bytes(), &app.trusted_keys().await, Some(app.now())).unwrap();
    // A seat more or less elsewhere changes nothing about this answer.
    app.bring(Machine::new("HW-0002").activate(&license)).await.unwrap();
    assert_eq!(app.bring(&request).await.unwrap(), first);
}

async fn a_changed_license_gets_a_new_file_and_no_second_seat(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    let machine = Machine::new("HW-0001");
    let request = machine.activate(&license);
    let first = app.bring(&request).await.unwrap();
    app.desk().renew_license(&OPERATOR, license.id, Renewal::Until(day("2030-05-01")), None).await.unwrap();
    let second = app.bring(&request).await.unwrap();
    assert_ne!(second.body, first.body);
    let file = LicenseFile::verify(&second.body, &app.trusted_keys().await).unwrap().license;
    assert_eq!(file.terms.valid_until, Some(day("2030-05-01").end()));
    assert_eq!(app.seats_taken(&license).await, 1);
    assert_eq!(app.bring(&request).await.unwrap(), second);
}

async fn a_released_seat_is_proved_by_a_receipt_and_can_be_taken_again(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    let (one, other) = (Machine::new("HW-0001"), Machine::new("HW-0002"));
    app.bring(one.activate(&license)).await.unwrap();
    assert_eq!(app.bring(other.activate(&license)).await.unwrap_err().code, "seats_exhausted");
    app.pass_days(2);
    let release = one.release(&license);
    let receipt: Brought = app.bring(&release).await.unwrap();
    assert!(receipt.receipt);
    Receipt::verify(&receipt.body, &app.trusted_keys().await).unwrap();
    verify_answer(release.as_bytes(), receipt.body.as_bytes(), &app.trusted_keys().await, Some(app.now())).unwrap();
    assert_eq!(app.seats_taken(&license).await, 0);
    app.pass_seconds(5);
    assert_eq!(app.bring(&release).await.unwrap(), receipt, "a second time the same receipt");
    assert_eq!(app.bring(one.release(&license)).await.unwrap_err().code, "not_activated");
    app.bring(other.activate(&license)).await.unwrap();
    app.pass_days(2);
    app.bring(other.release(&license)).await.unwrap();
    // Once the machine is back, the receipt of its former release is spent.
    app.bring(one.activate(&license)).await.unwrap();
    assert_eq!(app.bring(&release).await.unwrap_err().code, "request_spent");
    assert_eq!(app.seats_taken(&license).await, 1);
}

async fn a_request_id_is_good_for_one_request_of_one_device(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(3)).await;
    let machine = Machine::new("HW-0001");
    let request = machine.request(Act::Activate, "press", Grounds::Key(license.key.clone()));
    let first = app.bring(machine.sign(&request)).await.unwrap();
    let mut altered = request.clone();
    altered.made_at = altered.made_at.plus_seconds(1);
    assert_eq!(app.bring(machine.sign(&altered)).await.unwrap_err().code, "request_id_reused");
    // Under another device key the same number is another request.
    let stranger = Machine::new("HW-0002");
    let mut same_number = stranger.request(Act::Activate, "press", Grounds::Key(license.key.clone()));
    same_number.id = request.id.clone();
    let other = app.bring(stranger.sign(&same_number)).await.unwrap();
    assert_ne!(other.body, first.body);
    assert_eq!(app.bring(machine.sign(&request)).await.unwrap(), first);
}

async fn a_fresh_file_takes_no_seat_and_needs_the_devices_key(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    let machine = Machine::new("HW-0001");
    assert_eq!(app.bring(machine.refresh(&license)).await.unwrap_err().code, "not_activated");
    app.bring(machine.activate(&license)).await.unwrap();
    let in_a_month = Renewal::Until(app.desk().now().plus_days(30).date());
    app.desk().renew_license(&OPERATOR, license.id, in_a_month, None).await.unwrap();
    let fresh = app.bring(machine.refresh(&license)).await.unwrap();
    let file = LicenseFile::verify(&fresh.body, &app.trusted_keys().await).unwrap().license;
    assert_eq!(file.device_key.as_deref(), Some(machine.key.kid()));
    assert_eq!(app.seats_taken(&license).await, 1);
    let thief = Machine::new("HW-0001");
    assert_eq!(app.bring(thief.refresh(&license)).await.unwrap_err().code, "not_this_device");
    app.desk().block_device(&OPERATOR, license.id, &device("HW-0001")).await.unwrap();
    assert_eq!(app.bring(machine.refresh(&license)).await.unwrap_err().code, "device_blocked");
    app.desk().allow_device(&OPERATOR, license.id, &device("HW-0001")).await.unwrap();
    app.pass_days(31);
    assert_eq!(app.bring(machine.refresh(&license)).await.unwrap_err().code, "license_expired");
}

async fn releases_by_file_wait_and_are_counted(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    let machine = Machine::new("HW-0001");
    for _ in 0..3 {
        app.bring(machine.activate(&license)).await.unwrap();
        let early = machine.release(&license);
        assert_eq!(app.bring(&early).await.unwrap_err().code, "held_too_short");
        app.pass_days(1);
        app.bring(&early).await.expect("a refusal is not remembered");
    }
    app.bring(machine.activate(&license)).await.unwrap();
    app.pass_days(2);
    assert_eq!(app.bring(machine.release(&license)).await.unwrap_err().code, "release_limit");
    app.pass_days(366);
    app.bring(machine.release(&license)).await.unwrap();
    let _ = Expiry::NEVER;
}

async fn a_license_goes_to_another_device_and_back(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", Terms { transfers: TransferLimit::AtMost(2), ..seats(1) }).await;
    let (one, other) = (Machine::new("HW-A"), Machine::new("HW-B"));
    for machine in [&one, &other] {
        app.bring(machine.activate(&license)).await.unwrap();
        app.pass_days(2);
        app.bring(machine.release(&license)).await.unwrap();
    }
    app.bring(one.activate(&license)).await.unwrap();
    assert_eq!(app.license(&license).await.transfers_used, 2);
    app.pass_days(2);
    app.bring(one.release(&license)).await.unwrap();
    assert_eq!(app.bring(other.activate(&license)).await.unwrap_err().code, "transfer_limit");
    app.bring(one.activate(&license)).await.expect("its own seat back is no transfer");
    assert_eq!(app.license(&license).await.transfers_used, 2);
}

async fn disabling_keeps_what_runs_and_grants_nothing_new(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    let machine = Machine::new("HW-0001");
    let request = machine.activate(&license);
    let first = app.bring(&request).await.unwrap();
    app.desk().disable_license(&OPERATOR, license.id, "late payment".to_owned()).await.unwrap();
    assert_eq!(app.bring(&request).await.unwrap_err().code, "license_disabled");
    assert_eq!(app.bring(machine.refresh(&license)).await.unwrap_err().code, "license_disabled");
    assert_eq!(code(app.desk().disable_license(&OPERATOR, license.id, "again".to_owned()).await), "already_disabled");
    // A new end gives a disabled license no way back.
    let renewal = crate::desk::Renewal::Days(400);
    let _ = app.desk().renew_license(&OPERATOR, license.id, renewal, None).await;
    assert_eq!(app.bring(&request).await.unwrap_err().code, "license_disabled");
    assert_eq!(app.seats_taken(&license).await, 1);
    app.desk().enable_license(&OPERATOR, license.id).await.unwrap();
    let second = app.bring(&request).await.expect("it came back with its license");
    assert_ne!(second.body, first.body);
    assert_eq!(app.seats_taken(&license).await, 1);
}

async fn what_is_granted_is_in_the_audit_log_and_its_chain_holds(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    let machine = Machine::new("HW-0001");
    app.bring(machine.activate(&license)).await.unwrap();
    app.desk().edit_license(&OPERATOR, license.id, Edit { seats: Some(Limit::AtMost(5)), ..Edit::default() }).await.unwrap();
    app.pass_days(2);
    app.bring(machine.release(&license)).await.unwrap();
    app.staff("ann@vendor.example", Role::Support).await;
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    let acts: Vec<&str> = view.history.iter().map(|entry| entry.act.as_str()).collect();
    assert_eq!(acts, ["license.released", "license.edited", "license.activated", "license.issued"]);
    let edited = &view.history[1];
    assert!(edited.before.as_deref().unwrap().contains('2') && edited.after.as_deref().unwrap().contains('5'));
    let (entries, broken) = app.desk().read().await.unwrap().verify_audit().await.unwrap();
    assert!(entries >= 6 && broken.is_empty(), "{entries} {broken:?}");
    app.tamper("update audit set actor = '{\"kind\":\"system\"}' where act = 'license.released'").await;
    let (_, broken) = app.desk().read().await.unwrap().verify_audit().await.unwrap();
    assert!(!broken.is_empty(), "a rewritten entry is found");
}

async fn a_key_can_be_proved_without_being_shown(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    let machine = Machine::new("HW-0001");
    let press = ProductCode::parse("press").unwrap();
    let mut request = machine.request(Act::Activate, "press", Grounds::Key(license.key.clone()));
    let proof = KeyProof::new(&license.key, machine.key.kid(), &request.id, &press);
    request.grounds = Grounds::KeyProof(proof.clone());
    let file = machine.sign(&request);
    assert!(!file.contains(&license.key.text()));
    app.bring(&file).await.unwrap();
    // The proof taken out of the file serves no other device and no other request.
    let thief = Machine::new("HW-0002");
    let mut stolen = thief.request(Act::Activate, "press", Grounds::KeyProof(proof));
    assert_eq!(app.bring(thief.sign(&stolen)).await.unwrap_err().code, "unknown_key");
    stolen.id = request.id.clone();
    assert_eq!(app.bring(thief.sign(&stolen)).await.unwrap_err().code, "unknown_key");
}

async fn a_lease_ends_a_file_before_its_license(app: TestApp) {
    app.product("press").await;
    let forever = app.issue("press", seats(2)).await;
    let machine = Machine::new("HW-0001");
    let expires = |body: &str, keys: &_| LicenseFile::verify(body, keys).unwrap().license.expires;
    let keys = app.trusted_keys().await;
    assert_eq!(expires(&app.bring(machine.activate(&forever)).await.unwrap().body, &keys), None);
    app.rules("press", |rules| rules.offline_lease_days = Some(30)).await;
    let lease = Some(app.now().plus_days(30).seconds());
    let body = app.bring(machine.refresh(&forever)).await.unwrap().body;
    assert_eq!(expires(&body, &keys).map(|at| at.seconds()), lease);
    let short = Terms { expiry: Expiry::on(app.now().plus_days(3)), grace_hours: 24, ..seats(1) };
    let short = app.issue("press", short).await;
    let body = app.bring(Machine::new("HW-0002").activate(&short)).await.unwrap().body;
    assert_eq!(expires(&body, &keys).map(|at| at.seconds()), Some(app.now().plus_days(4).seconds()));
    let by_form = app.activate_by_form(&short.key, "HW-0002", &[]).await;
    assert_eq!(by_form.unwrap_err().code, "device_key_required");
}

async fn a_file_is_bound_to_the_device_key_at_every_door(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(3)).await;
    let keys = app.trusted_keys().await;
    let machine = Machine::new("HW-0001");
    app.bring(machine.activate(&license)).await.unwrap();
    let by_staff = app.desk().refresh_file(&OPERATOR, license.id, &device("HW-0001")).await.unwrap();
    let file = LicenseFile::verify(&by_staff.body, &keys).unwrap().license;
    assert_eq!(file.device_key.as_deref(), Some(machine.key.kid()));
    // A machine without a key gets a computer key: no request, no device key, no id.
    let plain = app.activate_by_form(&license.key, "HW-0002", &[]).await.unwrap();
    let file = LicenseFile::verify(&plain.body, &keys).unwrap().license;
    assert_eq!((file.device_key, file.id, file.request), (None, None, None));
    // Its first key is a rebind; from then on the form is closed to it.
    let later = Machine::new("HW-0002");
    app.bring(later.activate(&license)).await.unwrap();
    assert_eq!(app.activate_by_form(&license.key, "HW-0002", &[]).await.unwrap_err().code, "device_key_required");
    assert_eq!(app.seats_taken(&license).await, 2);
}

async fn staff_frees_revokes_and_allows_machines(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    let machine = Machine::new("HW-0001");
    let id = device("HW-0001");
    let request = machine.activate(&license);
    app.bring(&request).await.unwrap();
    app.desk().release_device(&OPERATOR, license.id, &id).await.unwrap();
    assert_eq!(app.seats_taken(&license).await, 0);
    assert_eq!(app.bring(&request).await.unwrap_err().code, "request_spent");
    assert_eq!(code(app.desk().release_device(&OPERATOR, license.id, &id).await), "not_active");
    app.pass_seconds(1);
    app.activate_by_form(&license.key, "HW-0001", &[]).await.expect("freed by staff, it may come through any door");
    app.desk().revoke_device(&OPERATOR, license.id, &id, "stolen".to_owned()).await.unwrap();
    assert_eq!(app.seats_taken(&license).await, 0);
    assert_eq!(app.bring(machine.activate(&license)).await.unwrap_err().code, "device_revoked");
    assert_eq!(code(app.desk().refresh_file(&OPERATOR, license.id, &id).await), "not_active");
    app.desk().allow_device(&OPERATOR, license.id, &id).await.unwrap();
    assert_eq!(code(app.desk().allow_device(&OPERATOR, license.id, &id).await), "not_revoked");
    app.bring(machine.activate(&license)).await.unwrap();
    assert_eq!(code(app.desk().release_device(&OPERATOR, license.id, &device("HW-none")).await), "not_found");
    assert_eq!(app.desk().reset_license(&OPERATOR, license.id).await.unwrap(), 1);
    assert_eq!(app.seats_taken(&license).await, 0);
}

async fn a_rebind_spends_what_the_old_key_had(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    let (old, new) = (Machine::new("HW-0001"), Machine::new("HW-0001"));
    let request = old.activate(&license);
    app.bring(&request).await.unwrap();
    app.bring(new.activate(&license)).await.unwrap();
    assert_eq!(app.bring(&request).await.unwrap_err().code, "request_spent");
    app.pass_days(2);
    assert_eq!(app.bring(old.release(&license)).await.unwrap_err().code, "not_this_device");
    assert_eq!(app.bring(old.refresh(&license)).await.unwrap_err().code, "not_this_device");
    app.bring(new.release(&license)).await.unwrap();
    let view = app.desk().license_view(&OPERATOR, license.id).await.unwrap();
    assert!(view.history.iter().any(|entry| entry.act == "license.rebound"));
}

async fn orders_become_keys_and_seats(app: TestApp) {
    let press = app.product("press").await;
    let order = |quantities| Issue { quantities, ..Issue::one(press.clone(), seats(1)) };
    let shared = Quantities { quantity: 3, activations_per_key: Some(2), additional_activations: 1, ..Quantities::default() };
    let one = app.desk().issue(&OPERATOR, order(shared)).await.unwrap();
    assert_eq!(one.licenses.iter().map(|license| license.seats).collect::<Vec<_>>(), [Limit::AtMost(7)]);
    let separate = Quantities { separate_keys: true, additional_activations: 0, ..shared };
    let three = app.desk().issue(&OPERATOR, order(separate)).await.unwrap();
    assert_eq!(three.licenses.iter().map(|license| license.seats).collect::<Vec<_>>(), [Limit::AtMost(2); 3]);
    let view = app.desk().order(&OPERATOR, &three.order_reference).await.unwrap();
    assert_eq!(view.licenses.len(), 3);
    let too_many = Quantities { quantity: 10_001, separate_keys: true, ..Quantities::default() };
    assert_eq!(code(app.desk().issue(&OPERATOR, order(too_many)).await), "bad_field");
    let key = three.licenses[0].key.clone();
    assert_eq!(code(app.desk().issue(&OPERATOR, Issue { key, ..order(Quantities::default()) }).await), "taken");
}

async fn the_same_form_issues_once(app: TestApp) {
    let press = app.product("press").await;
    let issue = Issue { request_id: Some("form-0000000000000001".to_owned()), ..Issue::one(press, seats(1)) };
    let first = app.desk().issue(&OPERATOR, issue.clone()).await.unwrap();
    let second = app.desk().issue(&OPERATOR, issue.clone()).await.unwrap();
    assert_eq!((first.order, first.licenses[0].id), (second.order, second.licenses[0].id));
    assert_eq!(app.count("license").await, 1);
    // Also when the button was pressed twice, and under someone else's name it is another form.
    let again = Issue { request_id: Some("form-0000000000000002".to_owned()), ..issue.clone() };
    let twice = futures::future::join_all((0..8).map(|_| app.desk().issue(&OPERATOR, again.clone()))).await;
    let orders: std::collections::HashSet<_> = twice.into_iter().map(|issued| issued.unwrap().order.0).collect();
    assert_eq!(orders.len(), 1);
    assert_eq!((app.count("license").await, app.count("orders").await), (2, 2));
    let ann = app.desk().visitor(&app.staff("ann@vendor.example", Role::Support).await).await.unwrap().unwrap();
    assert_ne!(app.desk().issue(&ann, issue).await.unwrap().order, first.order);
}

async fn the_same_activation_form_ends_on_the_same_page(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(3)).await;
    let key = license.key.text();
    let fields = [("key", key.as_str()), ("device_id", "HW-0001"), ("request_id", "form-0000000000000001")];
    let (one, other) = tokio::join!(app.post("/activate", &fields), app.post("/activate", &fields));
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (303, 303));
    assert_eq!(one.location(), other.location());
    app.desk().disable_license(&OPERATOR, license.id, "since then".to_owned()).await.unwrap();
    assert_eq!(app.post("/activate", &fields).await.location(), one.location());
    app.secret(one.location().trim_start_matches("/activations/"));
    // With another device or key, the hidden id opens nothing of the sort.
    let other = app.issue("press", seats(3)).await;
    let key = other.key.text();
    let fields = [("key", key.as_str()), ("device_id", "HW-0001"), ("request_id", "form-0000000000000001")];
    assert_ne!(app.post("/activate", &fields).await.location(), one.location());
}

async fn the_same_offline_form_ends_on_the_same_page(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap();
    let request = Machine::new("HW-0002").activate(&license);
    let files: [(&str, &[u8]); 1] = [("activate.req", request.as_bytes())];
    let fields = [("request_id", "form-0000000000000001")];
    let post = async || app.post_files("/offline", "files", &files, &fields).await;
    let (first, second) = (post().await, post().await);
    assert_eq!((first.status.as_u16(), first.location()), (303, second.location()));
    assert!(app.get(first.location()).await.text().contains("seat is taken"));
    // What it says is what is true now.
    app.desk().release_device(&OPERATOR, license.id, &device("HW-0001")).await.unwrap();
    assert_eq!(post().await.location(), first.location());
    let page = app.get(first.location()).await.text();
    assert!(page.contains("/1\"") && !page.contains("seat is taken"), "{page}");
    let (one, other) = tokio::join!(post(), post());
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (303, 303));
}

async fn settings_are_taken_together_or_not_at_all(app: TestApp) {
    let set = async |values: &[(&str, &str)]| {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        app.desk().set_settings(&OPERATOR, values).await
    };
    set(&[("portalName", "ACME"), ("accent", "#aa0000")]).await.unwrap();
    assert_eq!(code(set(&[("portalName", "Other"), ("accent", "red")]).await), "bad_field");
    assert_eq!(code(set(&[("noSuchThing", "1")]).await), "bad_setting");
    assert_eq!(app.desk().settings().portal_name, "ACME");
    assert!(app.get("/").await.text().contains("ACME"));
    assert!(app.get("/brand.css").await.status.is_success());
}

async fn a_form_sent_again_shows_what_is_true_by_then(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    let key = license.key.text();
    let form = [("key", key.as_str()), ("device_id", "HW-1"), ("request_id", "a-form-of-one-customer")];
    let send = async || {
        let reply = app.post("/activate", &form).await;
        if let Some(token) = reply.location().strip_prefix("/activations/") {
            app.secret(token);
        }
        (reply.status.as_u16(), reply.location().to_owned())
    };
    let shown = async |page: &str| {
        let token = crate::vault::Token::parse(page.trim_start_matches("/activations/")).unwrap();
        app.desk().activation_page(&token).await.unwrap().computer_key
    };
    let (_, page) = send().await;
    let first = shown(&page).await;
    app.pass_seconds(5);
    assert_eq!((send().await.1, shown(&page).await), (page.clone(), first.clone()), "the same page with the same key");
    app.desk().release_device(&OPERATOR, license.id, &super::app::device("HW-1")).await.unwrap();
    let other = app.activate_by_form(&license.key, "HW-2", &[]).await.unwrap();
    assert_eq!(send().await.0, 409, "the seat is another's now");
    app.desk().release_device(&OPERATOR, license.id, &super::app::device("HW-2")).await.unwrap();
    assert_eq!(send().await, (303, page.clone()));
    assert_ne!(shown(&page).await, first, "a new activation has a new key");
    let _ = other;
}

async fn a_file_holds_what_the_product_marks_for_it(app: TestApp) {
    let rules = crate::licensing::product::ProductRules {
        file_fields: vec!["site".to_owned(), "absent".to_owned()],
        file_metadata: ["rack", "deep", "long"].map(str::to_owned).to_vec(),
        ..Default::default()
    };
    app.product_with("press", rules).await;
    let start = app.now().plus_days(-3);
    let terms = Terms {
        fields: [("site", "Örebro"), ("secret", "internal")].map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        // What is too deep or too long for a file stays out of it, and the file is made.
        metadata: serde_json::from_str(&format!(
            r#"{{"rack":{{"row":7,"height":1.5,"far":9007199254740993}},"margin":0.3,"deep":[[[[[[[[[1]]]]]]]]],"long":"{}"}}"#,
            "x".repeat(70_000)
        ))
        .unwrap(),
        start: Some(start),
        ..seats(1)
    };
    let license = app.issue("press", terms).await;
    let machine = Machine::new("HW-1");
    let mut request = machine.request(Act::Activate, "press", Grounds::Key(license.key.clone()));
    // A dead clock battery is no reason to refuse, and the app learns how wrong it is.
    request.made_at = crate::licensing::Timestamp::from_seconds(60);
    let body = app.bring(machine.sign(&request)).await.unwrap().body;
    let claims: serde_json::Value =
        serde_json::from_slice(&crate::licensing::files::base64::from_url(body.split('.').nth(1).unwrap()).unwrap()).unwrap();
    assert_eq!(claims["lic"]["fields"], serde_json::json!({ "site": "Örebro" }));
    let rack = serde_json::json!({ "rack": { "row": 7, "height": "1.5", "far": "9007199254740993" } });
    assert_eq!(claims["lic"]["meta"], rack);
    assert_eq!((claims["clk"].as_i64(), claims["nbf"].as_i64()), (Some(60), Some(start.seconds())));
    LicenseFile::verify(&body, &app.trusted_keys().await).expect("our own reader takes it");
}
