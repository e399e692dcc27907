//! The vendor's pages: what they show of what is there, what their forms refuse, and that every form is known again.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Request, header},
};

use super::{
    Licensed, Machine, Reply, TestApp,
    app::{code, cookie, device, multipart},
    qlm::{House, ParseKey as _},
};
use crate::{
    desk::{Issue, Renewal, Role, Visitor},
    licensing::{
        DeviceId, Email, ProductCode, Timestamp,
        issue::Quantities,
        license::{Expiry, Limit, Terms},
        product::Authorization,
    },
    store::{LicenseFilter, NewAttempt, NewAudit, NewProduct, Subject},
    vault::Token,
};

tests! {
    both:
        lists_are_turned_both_ways_by_their_addresses;
    once:
        every_form_of_staff_has_an_id_of_its_own,
        a_license_shows_its_refusals_its_users_and_what_the_app_keeps,
        a_license_shows_what_it_is_by_qlms_methods,
        a_shop_is_a_resellers_or_the_vendors_own,
        a_page_says_where_it_shows_only_the_first,
        a_counter_that_went_back_is_told_on_the_page,
        a_file_that_cannot_be_made_is_refused_in_words,
        the_list_says_how_a_license_ends_and_whether_it_began,
        a_product_for_users_is_issued_to_users,
        what_is_typed_is_read_at_the_border,
        a_seat_is_taken_away_for_a_reason,
        a_renewal_goes_on_from_today,
        staff_is_offered_what_their_role_includes,
        the_log_names_what_it_is_about,
        settings_show_their_history_and_name_their_range,
        every_setting_is_listed_and_no_secret_shown,
        a_setting_is_changed_under_its_own_name,
        a_setting_is_found_by_what_it_does,
        only_who_may_change_settings_sees_every_one,
        a_picture_that_is_too_large_is_called_one,
        a_new_password_is_asked_for_at_once,
        the_front_page_counts_and_lists_the_same,
        too_many_sign_ins_have_words_of_their_own;
}

const OPERATOR: Visitor = Visitor::Operator;

fn seats(count: u32) -> Terms {
    Terms { seats: Limit::AtMost(count), ..Terms::default() }
}

async fn owner(app: &TestApp) -> Token {
    app.staff("ann@vendor.example", Role::Owner).await
}

fn page_of(license: &Licensed) -> String {
    format!("/vendor/licenses/{}", license.id)
}

/// A page as its reader reads it: without its tags and Leptos's comments.
fn read(page: &str) -> String {
    let mut text = String::new();
    let mut tag = false;
    for letter in page.replace("<!>", "").chars() {
        match letter {
            '<' => tag = true,
            '>' => tag = false,
            letter if !tag => text.push(letter),
            _ => {}
        }
    }
    text
}

async fn shown(app: &TestApp, token: &Token, path: &str) -> String {
    let reply = app.get_as(token, path).await;
    assert_eq!(reply.status, 200, "{path}");
    reply.text()
}

async fn user_product(app: &TestApp, code: &str, authorization: Authorization) -> ProductCode {
    let code = ProductCode::parse(code).unwrap();
    let new = NewProduct {
        code: code.clone(),
        number: None,
        name: format!("Product {code}"),
        authorization,
        rules: Default::default(),
    };
    app.desk().add_product(&OPERATOR, new).await.unwrap();
    code
}

async fn every_form_of_staff_has_an_id_of_its_own(app: TestApp) {
    let token = owner(&app).await;
    user_product(&app, "people", Authorization::Both).await;
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap();
    app.bring(Machine::new("HW-0002").activate(&license)).await.unwrap();
    app.desk().revoke_device(&OPERATOR, license.id, &device("HW-0002"), "stolen".to_owned()).await.unwrap();
    let other = app.issue("press", seats(1)).await;
    app.desk().disable_license(&OPERATOR, other.id, "refund".to_owned()).await.unwrap();
    app.staff("bob@vendor.example", Role::Viewer).await;
    let kid = app.desk().seal_rows(&OPERATOR).await.unwrap()[0].kid.clone();
    let members = app.desk().team(&OPERATOR).await.unwrap();
    let mut paths: Vec<String> = [
        "/vendor/account",
        "/vendor/licenses/new?product=press",
        "/vendor/licenses/new?product=people",
        "/vendor/products/new",
        "/vendor/products/press",
        "/vendor/products/press?tab=features",
        "/vendor/products/press?tab=policies",
        "/vendor/products/press?tab=rules",
        "/vendor/team",
        "/vendor/settings",
        "/vendor/settings/all?edit=accent",
        "/vendor/keys",
        "/vendor/sign-in",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.push(format!("/vendor/keys/{kid}"));
    paths.extend(members.iter().map(|member| format!("/vendor/team/{}", member.id)));
    for license in [&license, &other] {
        paths.extend(["", "?tab=edit"].map(|tab| format!("{}{tab}", page_of(license))));
    }
    let (mut forms, mut acts) = (0, BTreeSet::new());
    for path in &paths {
        let page = shown(&app, &token, path).await;
        let mut ids = BTreeSet::new();
        for form in page.split("<form").skip(1).map(|rest| rest.split("</form>").next().unwrap_or_default()) {
            if !form.contains("method=\"post\"") {
                continue;
            }
            let action = form.split("action=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
            let id = form.split("name=\"request_id\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
            let id = id.unwrap_or_else(|| panic!("{path}: {action} posts no request id"));
            assert!((16..=64).contains(&id.len()), "{path}: {id}");
            assert!(ids.insert(id.to_owned()), "{path}: two forms share an id");
            acts.insert(action.to_owned());
            forms += 1;
        }
        // The same page once more is another document, with other ids.
        let again = shown(&app, &token, path).await;
        assert!(ids.iter().all(|id| !again.contains(id.as_str())), "{path}");
    }
    assert!(forms > 30 && acts.len() > 20, "{forms} forms, {acts:?}");
}

async fn a_license_shows_its_refusals_its_users_and_what_the_app_keeps(app: TestApp) {
    let token = owner(&app).await;
    user_product(&app, "people", Authorization::Both).await;
    let issue = Issue {
        users: vec![Email::parse("zoe@customer.example").unwrap()],
        ..Issue::one(ProductCode::parse("people").unwrap(), seats(1))
    };
    let license = app.issue_as(issue).await;
    app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap();
    let refused = app.activate_by_form(&license.key, "HW-0002", &[("device_name", "press-9")]).await.unwrap_err();
    app.desk()
        .store()
        .write(move |conn| {
            Box::pin(async move {
                let known = conn.activations(license.id, 9).await?.remove(0);
                conn.set_variables(known.id, &[("hall".to_owned(), "North 3".to_owned())], Timestamp::from_seconds(1)).await
            })
        })
        .await
        .unwrap();
    let page = shown(&app, &token, &page_of(&license)).await;
    assert!(read(&page).contains("Refusals 1") && page.contains("North 3") && page.contains("<details"), "{page}");
    assert!(read(&page).contains("zoe@customer.example") && page.contains("still the first password"));
    let tab = shown(&app, &token, &format!("{}?tab=refusals", page_of(&license))).await;
    assert!(tab.contains(&format!("/vendor/refusals/{}", refused.reference)) && tab.contains("press-9"));
    let none = app.issue("people", seats(1)).await;
    let tab = shown(&app, &token, &format!("{}?tab=refusals", page_of(&none))).await;
    assert!(tab.contains("Nobody was refused on this license"));
}

async fn a_license_shows_what_it_is_by_qlms_methods(app: TestApp) {
    const OLD: &str = "OF-BEFORE-0001";
    let house = House::new(app).await;
    let token = owner(&house.app).await;
    let viewer = house.app.staff("vic@vendor.example", Role::Viewer).await;
    house.app.secret(OLD);
    let page_with = async |token: &Token, key: &str| {
        let id = house.app.desk().read().await.unwrap().licenses_with_key(&key.parse_key()).await.unwrap().remove(0).0.id;
        (id, shown(&house.app, token, &format!("/vendor/licenses/{id}")).await)
    };
    let arguments = "is_features=0:7;1:2&is_pp=quality.rows::100::2030-01-31%7C%7Cplain::x&is_affiliateid=Nord%20GmbH\
                     &is_userdata1=%3Cb%3Ex%3C/b%3E&is_computertype=2&is_legacykey=";
    let key = house.keys(&format!("{arguments}{OLD}"), "1").await.remove(0).0;
    let (id, page) = page_with(&token, &key).await;
    let text = read(&page);
    for said in [
        "Quick License Manager",
        "Modelpermanent",
        "Version1.0",
        "Features0:7;1:2;",
        "Computer typevirtual machines only",
        "ResellerNord GmbH",
        "User data&lt;b&gt;x&lt;/b&gt;",
        "Old keyOF-BEFORE-0001",
        "Propertiesquality.rows: 100good through 31 Jan 2030plain: x",
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }
    assert!(!page.contains("<b>x"), "a value is text");
    assert!(!text.contains("Releases"), "as the server says");
    // Keys are for those who answer for licenses.
    let (_, seen) = page_with(&viewer, &key).await;
    assert!(seen.contains("Nord GmbH") && !seen.contains(OLD));
    let limited = house.app.desk().edit_terms(&OPERATOR, id, None, |terms| {
        let qlm = terms.qlm.as_mut().unwrap();
        (qlm.max_releases, qlm.release_days) = (Some(Limit::AtMost(3)), Some(Limit::AtMost(30)));
        Ok(())
    });
    limited.await.unwrap();
    let text = read(&page_with(&token, &key).await.1);
    assert!(text.contains("Releasesup to 3 times, counted over 30 days"), "{text}");
    // What was not ordered has no row, and what staff made no card.
    let bare = house.keys("", "2").await.remove(0).0;
    let text = read(&page_with(&token, &bare).await.1);
    assert!(text.contains("Modelpermanent") && text.contains("Version1.0"), "{text}");
    for row in ["Features0", "Computer type", "Reseller", "User data", "Old key", "Releases", "Properties"] {
        assert!(!text.contains(row), "{row} in {text}");
    }
    let by_staff = house.app.issue("press", seats(1)).await;
    assert!(!shown(&house.app, &token, &page_of(&by_staff)).await.contains("Quick License Manager"));
}

async fn a_page_says_where_it_shows_only_the_first(app: TestApp) {
    let token = owner(&app).await;
    let viewer = app.staff("vic@vendor.example", Role::Viewer).await;
    app.product("press").await;
    let license = app.issue("press", Terms { seats: Limit::Unlimited, ..Terms::default() }).await;
    let path = page_of(&license);
    let few = shown(&app, &token, &format!("{path}?tab=history")).await;
    assert!(!few.contains("The newest") && !few.contains("All of them"));
    for number in 0..201 {
        app.activate_by_form(&license.key, &format!("HW-{number:04}"), &[]).await.unwrap();
        app.pass_seconds(1);
    }
    let machines = shown(&app, &token, &path).await;
    assert!(machines.contains("The first 200 machines"));
    let history = shown(&app, &token, &format!("{path}?tab=history")).await;
    let all = format!("/vendor/audit?kind=license&amp;id={}", license.id);
    assert!(history.contains("The newest 50 entries.") && history.contains(&all), "{history}");
    assert_eq!(shown(&app, &token, &all.replace("&amp;", "&")).await.matches("activated a machine").count(), 50);
    let without = shown(&app, &viewer, &format!("{path}?tab=history")).await;
    assert!(without.contains("The newest 50 entries.") && !without.contains(&all), "a viewer may not read the log");
}

async fn a_counter_that_went_back_is_told_on_the_page(app: TestApp) {
    let token = owner(&app).await;
    app.product("press").await;
    let license = app.issue("press", seats(2)).await;
    let id = license.id.0;
    let path = page_of(&license);
    assert!(!shown(&app, &token, &path).await.contains("A counter went back"));
    app.desk()
        .store()
        .write(move |conn| {
            Box::pin(async move {
                let (_, _, head) = conn.lock_license(crate::licensing::LicenseId(id)).await?.expect("it is there");
                let after =
                    serde_json::json!({ "device": "HW-0001", "counter_went_back": [{ "feature": null, "was": 12, "now": 3 }] });
                let entry = NewAudit {
                    at: Timestamp::from_seconds(1_795_000_000),
                    subject: Subject::license(id),
                    act: "license.used",
                    actor: crate::licensing::license::Actor::Customer,
                    before: None,
                    after: Some(after),
                };
                let head = conn.audit(&entry, head.as_deref());
                conn.set_audit_head(crate::licensing::LicenseId(id), &head).await
            })
        })
        .await
        .unwrap();
    app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap();
    let page = shown(&app, &token, &path).await;
    assert!(page.contains("A counter went back") && read(&page).contains("The app on HW-0001 told of less use"));
    let history = read(&shown(&app, &token, &format!("{path}?tab=history")).await);
    assert!(history.contains("the counter went back: 12 → 3"), "{history}");
}

async fn a_file_that_cannot_be_made_is_refused_in_words(app: TestApp) {
    let token = owner(&app).await;
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap();
    let machine = app.desk().license_view(&OPERATOR, license.id).await.unwrap().activations[0].activation.id;
    let path = page_of(&license);
    let file = format!("{path}/machines/{machine}/file");
    assert_eq!(app.post_as(&token, &file, &[]).await.status, 200);
    assert!(shown(&app, &token, &path).await.contains(&file));
    app.desk().disable_license(&OPERATOR, license.id, "paid back".to_owned()).await.unwrap();
    let page = shown(&app, &token, &path).await;
    assert!(!page.contains(&file) && page.contains("No license file can be made now."), "the button would only be refused");
    let reply = app.post_as(&token, &file, &[]).await;
    assert_eq!(reply.status, 409);
    assert!(reply.text().contains("This license is disabled") && !reply.text().contains("incomplete"), "{}", reply.text());
}

async fn the_list_says_how_a_license_ends_and_whether_it_began(app: TestApp) {
    let token = owner(&app).await;
    app.product("press").await;
    let counted = Expiry { days_after_first_activation: Some(30), ..Expiry::NEVER };
    let later = app.issue("press", Terms { expiry: counted, ..seats(1) }).await;
    let start = app.now().plus_days(9);
    app.issue("press", Terms { start: Some(start), ..seats(1) }).await;
    let list = shown(&app, &token, "/vendor/licenses").await;
    assert!(list.contains("30 days after activation") && list.contains("not started"), "{list}");
    // Once it runs it is a day.
    app.activate_by_form(&later.key, "HW-0001", &[]).await.unwrap();
    assert!(!shown(&app, &token, "/vendor/licenses").await.contains("30 days after activation"));
    app.pass_days(9);
    assert!(!shown(&app, &token, "/vendor/licenses?state=enabled").await.contains("not started"));
    // What ends soon is a list of its own, and the front page leads there.
    let ending = shown(&app, &token, "/vendor/licenses?state=ending&sort=expires").await;
    assert!(ending.contains(&later.key.text()) && ending.matches("row-link").count() == 1);
    assert!(shown(&app, &token, "/vendor").await.contains("/vendor/licenses?state=ending&amp;sort=expires"));
}

async fn a_product_for_users_is_issued_to_users(app: TestApp) {
    let token = owner(&app).await;
    user_product(&app, "people", Authorization::User).await;
    user_product(&app, "press", Authorization::Key).await;
    let form = shown(&app, &token, "/vendor/licenses/new?product=people").await;
    assert!(form.contains("name=\"users\"") && !form.contains("name=\"key\""));
    let fields = |users: &'static str| {
        [
            ("product", "people"),
            ("type", "perpetual"),
            ("seats", "2"),
            ("quantity", "1"),
            ("users", users),
            ("request_id", "form-0000000000000001"),
        ]
    };
    let issue = async |users| app.post_as(&token, "/vendor/licenses/new", &fields(users)).await;
    let none = issue("  ").await;
    assert_eq!(none.status, 422);
    assert!(none.text().contains("type the e-mail address of at least one"));
    let wrong = issue("ann@customer.example\nbob</textarea>").await;
    assert!(wrong.status == 422 && wrong.text().contains("Line 2") && wrong.text().contains("bob&lt;/textarea&gt;"));
    assert_eq!(app.count("license").await, 0);
    let issued = issue("ann@customer.example\r\nbob@customer.example\r\n").await;
    assert_eq!(issued.status, 200, "{}", issued.text());
    let page = issued.text();
    assert!(page.contains("These passwords are shown only here"));
    let passwords: Vec<&str> = page.split("data-copy=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(passwords.len(), 2);
    for password in &passwords {
        app.secret(*password);
        assert!(password.len() >= 16);
    }
    assert_ne!(passwords[0], passwords[1]);
    // Sent again it issues nothing, and shows no password.
    let again = issue("ann@customer.example\r\nbob@customer.example\r\n").await;
    assert!(!passwords.iter().any(|password| again.text().contains(password)) || again.status == 303, "{}", again.text());
    assert_eq!(app.count("license").await, 1);
    let filter = LicenseFilter { limit: 9, ..LicenseFilter::default() };
    let row = app.desk().licenses(&OPERATOR, &filter).await.unwrap().rows.remove(0);
    assert_eq!(row.key, None);
    let license = read(&shown(&app, &token, &format!("/vendor/licenses/{}", row.id)).await);
    assert!(license.contains("ann@customer.example") && license.contains("bob@customer.example"));
    assert!(!shown(&app, &token, "/vendor/licenses/new?product=press").await.contains("name=\"users\""));
}

async fn what_is_typed_is_read_at_the_border(app: TestApp) {
    let token = owner(&app).await;
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    let path = page_of(&license);
    let before = app.dump().await;
    let long = "x".repeat(501);
    let hidden = "a\u{202e}b";
    let base = [("product", "press"), ("type", "perpetual"), ("seats", "1"), ("quantity", "1"), ("offline", "1")];
    for (field, value, said) in [
        ("note", long.as_str(), "At most 500 characters"),
        ("note", hidden, "cannot be seen"),
        ("order", &long[..65], "At most 64 characters"),
        ("order", hidden, "cannot be seen"),
        ("customer_name", &long[..129], "At most 128 characters"),
        ("seats", "0", "Type a number from 1 to 1,000,000"),
        ("quantity", "0", "1 or more"),
    ] {
        let mut fields = vec![(field, value)];
        fields.extend(base.iter().filter(|(name, _)| *name != field));
        let reply = app.post_as(&token, "/vendor/licenses/new", &fields).await;
        assert_eq!(reply.status, 422, "{field}");
        assert!(reply.text().contains(said), "{field}: {}", reply.text());
        assert!(reply.text().contains(&format!("id=\"{field}-error\"")), "{field}: beside its field");
    }
    for (act, field, value, said) in [
        ("edit", "note", long.as_str(), "At most 500 characters"),
        ("edit", "note", "a\nb", "cannot be seen"),
        ("edit", "seats", "0", "Type a number from 1"),
        ("disable", "reason", &long[..201], "At most 200 characters"),
        ("disable", "reason", hidden, "cannot be seen"),
        ("disable", "reason", " ", "Say in a few words why"),
    ] {
        let mut fields = vec![(field, value)];
        fields.extend([("seats", "1"), ("note", ""), ("transfers", "")].iter().filter(|(name, _)| *name != field));
        let reply = app.post_as(&token, &format!("{path}/{act}"), &fields).await;
        assert_eq!(reply.status, 422, "{act} {field}");
        assert!(reply.text().contains(said) && reply.text().contains(&format!("id=\"{act}-{field}-error\"")), "{act} {field}");
    }
    assert_eq!(app.dump().await, before, "nothing of it was kept");
}

async fn a_seat_is_taken_away_for_a_reason(app: TestApp) {
    let token = owner(&app).await;
    let viewer = app.staff("vic@vendor.example", Role::Viewer).await;
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap();
    let machine = app.desk().license_view(&OPERATOR, license.id).await.unwrap().activations[0].activation.id;
    let revoke = format!("{}/machines/{machine}/revoke", page_of(&license));
    for reason in ["", "   ", "a\u{200b}b"] {
        let reply = app.post_as(&token, &revoke, &[("reason", reason)]).await;
        assert_eq!(reply.status, 422, "{reason:?}");
        let page = reply.text();
        assert!(page.contains(&format!("id=\"revoke-{machine}-reason-error\"")), "{page}");
        assert!(page.contains(&format!("id=\"free-{machine}\" open")), "the question is still there");
    }
    assert_eq!(app.post_as(&viewer, &revoke, &[]).await.status, 403);
    assert_eq!(app.seats_taken(&license).await, 1);
    assert_eq!(app.post_as(&token, &revoke, &[("reason", "stolen")]).await.status, 303);
    assert_eq!(app.seats_taken(&license).await, 0);
    // A second time there is nothing to free, and it is said.
    let free = app.post_as(&token, &revoke.replace("revoke", "free"), &[]).await;
    assert_eq!(free.status, 409);
    assert!(free.text().contains("Someone changed this in the meantime"));
}

async fn a_renewal_goes_on_from_today(app: TestApp) {
    let token = owner(&app).await;
    app.product("press").await;
    let license = app.issue("press", seats(1)).await;
    let path = format!("{}/renew", page_of(&license));
    let yesterday = app.now().plus_days(-1).date().to_string();
    let today = app.now().date().to_string();
    let reply = app.post_as(&token, &path, &[("valid_until", &yesterday)]).await;
    assert_eq!(reply.status, 422);
    assert!(reply.text().contains("This day is past.") && reply.text().contains("id=\"renew-valid_until-error\""));
    assert_eq!(app.license(&license).await.terms.expiry, Expiry::NEVER);
    assert_eq!(app.post_as(&token, &path, &[("valid_until", &today)]).await.status, 303, "the whole of today counts");
    let past = Renewal::Until("2001-01-01".parse().unwrap());
    assert_eq!(code(app.desk().renew_license(&OPERATOR, license.id, past, None).await), "bad_field");
}

async fn staff_is_offered_what_their_role_includes(app: TestApp) {
    let settings = "href=\"/vendor/settings\"";
    for (role, sees_settings, adds_products, sees_audit) in [
        (Role::Owner, true, true, true),
        (Role::Admin, true, true, true),
        (Role::Support, false, false, true),
        (Role::Viewer, false, false, false),
    ] {
        let name = role.as_str();
        let token = app.staff(&format!("{name}@vendor.example"), role).await;
        let home = shown(&app, &token, "/vendor").await;
        assert_eq!(home.contains(settings), sees_settings, "{name}: nothing leads where the role does not");
        assert_eq!(home.contains("href=\"/vendor/products/new\""), adds_products, "{name}");
        assert_eq!(home.contains("href=\"/vendor/audit\""), sees_audit, "{name}");
        let status = app.get_as(&token, "/vendor/settings").await;
        assert_eq!(status.status, if sees_settings { 200 } else { 403 }, "{name}");
        if !sees_settings {
            let page = status.text();
            assert!(page.contains("aria-label=\"Sections\""), "{name}: among their own pages");
            assert!(page.contains("An owner of the team can do it") && !page.contains("owner or admin"), "{name}");
        }
    }
    app.product("press").await;
    for (role, issues) in [("support", true), ("viewer", false)] {
        let email = format!("{role}@vendor.example");
        let token = app.desk().sign_in(&email, &format!("pass word of {email}")).await.unwrap().unwrap().token;
        app.secret(token.text());
        assert_eq!(shown(&app, &token, "/vendor").await.contains("href=\"/vendor/licenses/new\""), issues, "{role}");
    }
    // An admin sees the team and is offered nothing they may not do.
    let admin = app.desk().sign_in("admin@vendor.example", "pass word of admin@vendor.example").await.unwrap().unwrap().token;
    app.secret(admin.text());
    let member = app.desk().team(&OPERATOR).await.unwrap().into_iter().find(|member| member.role == "owner").unwrap().id;
    let page = shown(&app, &admin, &format!("/vendor/team/{member}")).await;
    assert!(!page.contains("Set the password") && !page.contains("Disable…") && page.contains("Owner: everything"));
}

async fn the_log_names_what_it_is_about(app: TestApp) {
    let token = owner(&app).await;
    app.product("press").await;
    let issue = Issue { order: Some("CS-42".to_owned()), ..Issue::one(ProductCode::parse("press").unwrap(), seats(1)) };
    let license = app.issue_as(issue).await;
    app.staff("bob@vendor.example", Role::Support).await;
    app.desk().rotate(&OPERATOR, crate::licensing::seal::SealFor::LicenseSpring, true).await.unwrap();
    let order = app.desk().license_view(&OPERATOR, license.id).await.unwrap().order.unwrap().id;
    app.desk()
        .store()
        .write(move |conn| {
            Box::pin(async move {
                let entry = NewAudit {
                    at: Timestamp::from_seconds(1_795_000_000),
                    subject: Subject::of("order", order.0),
                    act: "order.added",
                    actor: crate::licensing::license::Actor::System,
                    before: None,
                    after: Some(serde_json::json!({ "reference": "CS-42", "licenses": 1 })),
                };
                conn.audit_apart(&entry).await
            })
        })
        .await
        .unwrap();
    let page = shown(&app, &token, "/vendor/audit").await;
    let text = read(&page);
    let last = license.key.text().rsplit('-').next().unwrap().to_owned();
    assert!(text.contains(&format!("issued the license …{last}")), "{text}");
    assert!(text.contains("added the product Product press") && page.contains("href=\"/vendor/products/press\""));
    assert!(text.contains("added the member bob@vendor.example"));
    assert!(text.contains("added the order CS-42") && page.contains(&format!("href=\"/vendor/orders/{order}\"")));
    assert!(text.contains("rotated signing keys of the whole portal") && text.contains("active") && text.contains("key "));
    assert!(
        text.contains("Who acted, or the number of what it is about")
            || page.contains("Who acted, or the number of what it is about")
    );
    // The order's own page tells it too.
    let own = read(&shown(&app, &token, &format!("/vendor/orders/{order}")).await);
    assert!(own.contains("added the order"), "{own}");
}

async fn settings_show_their_history_and_name_their_range(app: TestApp) {
    let token = owner(&app).await;
    let before = shown(&app, &token, "/vendor/settings").await;
    assert!(before.contains("maxlength=\"60\"") && !before.contains("https address"));
    let fields = [
        ("name", "ACME Presses"),
        ("accent", "#0b6464"),
        ("support", ""),
        ("signInTries", "10"),
        ("activationsPerMinute", "600"),
        ("keepRefusalsDays", "400"),
    ];
    assert_eq!(app.post_files_as(&token, "/vendor/settings", &fields).await.status, 303);
    let page = read(&shown(&app, &token, "/vendor/settings").await);
    assert!(page.contains("changed settings") && page.contains("Countersign → ACME Presses"), "{page}");
    for (name, value, said) in [
        ("signInTries", "0", "from 3 to 1,000"),
        ("activationsPerMinute", "many", "from 1 to 1,000,000"),
        ("keepRefusalsDays", "1", "from 7 to 36,500"),
        ("support", "https://acme.example/help", "e-mail address"),
    ] {
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(known, kept)| if *known == name { (name, value) } else { (*known, *kept) }).collect();
        let reply = app.post_files_as(&token, "/vendor/settings", &fields).await;
        assert_eq!(reply.status, 422, "{name}");
        assert!(reply.text().contains(said), "{name}: {}", reply.text());
    }
}

const EVERY_SETTING: &str = "/vendor/settings/all";

/// The row of a setting, as its reader reads it.
fn row_of(page: &str, name: &str) -> String {
    let row = page.split(&format!("id=\"{name}\"")).nth(1).unwrap_or_else(|| panic!("{name} is not listed"));
    read(row.split("</tr>").next().unwrap_or_default())
}

async fn set(app: &TestApp, name: &str, value: &str) {
    app.desk().set_settings(&OPERATOR, vec![(name.to_owned(), value.to_owned())]).await.unwrap();
}

async fn every_setting_is_listed_and_no_secret_shown(app: TestApp) {
    const SECRETS: [&str; 3] = ["smtpPassword", "smsAuthenticationToken", "communicationEncryptionKey"];
    let token = owner(&app).await;
    let page = shown(&app, &token, EVERY_SETTING).await;
    assert!(SECRETS.iter().all(|name| row_of(&page, name).trim_end().ends_with("not set")));
    for name in SECRETS {
        let secret = format!("the secret of {name}");
        app.secret(&secret);
        set(&app, name, &secret).await;
    }
    let stored = app.desk().read().await.unwrap().settings().await.unwrap();
    let page = shown(&app, &token, EVERY_SETTING).await;
    for (name, _, about) in app.desk().settings().list() {
        let row = row_of(&page, name);
        let about = about.trim_start_matches("QLM: ");
        assert!(row.contains(name) && row.contains(&about[1..]), "{name}: {row}");
        assert!(page.contains(&format!("/vendor/settings/all?edit={name}\"")) || name == "logo", "{name}");
    }
    assert!(!page.contains("QLM:"), "its settings stand below its name");
    assert!(page.contains("href=\"/vendor/settings#logo\""), "a picture is chosen where pictures are");
    for name in SECRETS {
        let edit = shown(&app, &token, &format!("{EVERY_SETTING}?edit={name}")).await;
        assert!(edit.contains("type=\"password\""), "{name}");
        for page in [&page, &edit] {
            let row = row_of(page, name);
            assert!(row.trim_end().ends_with("set") && !row.contains("not set"), "{name}: {row}");
            assert!(!page.contains("the secret of") && !page.contains(&stored[name]), "{name}");
        }
    }
    // Left empty it stays; it is taken away when that is asked for, and then its server may change.
    let post = async |name: &str, value: &str, remove: &str| {
        app.post_as(&token, EVERY_SETTING, &[("name", name), ("value", value), ("remove", remove)]).await
    };
    assert_eq!(post("smtpPassword", "", "").await.status, 303);
    assert!(app.desk().settings().mail.password.is_some());
    let refused = post("smtpServer", "mail.vendor.example", "").await;
    assert!(refused.status == 422 && refused.text().contains("take smtpPassword away first"), "{}", refused.text());
    assert_eq!(post("smtpPassword", "", "1").await.status, 303);
    assert!(app.desk().settings().mail.password.is_none());
    assert_eq!(post("smtpServer", "mail.vendor.example", "").await.status, 303);
    app.secret("another password of it");
    assert_eq!(post("smtpPassword", "another password of it", "").await.status, 303);
    assert!(app.desk().settings().mail.password.is_some());
}

async fn a_setting_is_changed_under_its_own_name(app: TestApp) {
    let token = owner(&app).await;
    let post = async |name: &str, value: &str| app.post_as(&token, EVERY_SETTING, &[("name", name), ("value", value)]).await;
    for (name, value, said) in [
        ("trialDuration", "4000", "from 1 to 3,650"),
        ("accent", "red", "#rrggbb"),
        ("portalName", "", "1 to 60 characters"),
        ("enableGetActivationKey", "perhaps", "Say true or false."),
        ("blockIPAddresses", "203.0.113", "separated by semicolons"),
        ("smtpSecurity", "ssl\"><b>", "Say tls, starttls or none."),
    ] {
        let before = app.desk().settings();
        let refused = post(name, value).await;
        let page = refused.text();
        assert_eq!(refused.status, 422, "{name}");
        let beside = page.split("id=\"value-error\"").nth(1).and_then(|rest| rest.split("</p>").next()).unwrap_or_default();
        assert!(beside.contains(said) && page.contains("aria-invalid=\"true\""), "{name}: {page}");
        assert_eq!(app.desk().settings(), before, "{name}");
        assert!(!row_of(&page, name).contains("changed"), "{name}");
    }
    assert!(post("trialDuration", "4000").await.text().contains("value=\"4000\""), "what was typed is still there");
    let before = shown(&app, &token, &format!("{EVERY_SETTING}?edit=trialduration")).await;
    assert!(before.contains("value=\"30\"") && read(&before).contains("Default: 30"), "{before}");
    assert_eq!(post("trialDuration", " 14 ").await.location(), "/vendor/settings/all?said=saved#trialDuration");
    assert_eq!(app.desk().settings().qlm.trial_days, 14);
    let page = shown(&app, &token, &format!("{EVERY_SETTING}?said=saved")).await;
    let row = row_of(&page, "trialDuration");
    assert!(row.contains("14") && row.contains("changed") && page.contains("Saved."), "{row}");
    let edit = shown(&app, &token, &format!("{EVERY_SETTING}?edit=trialDuration")).await;
    assert!(edit.contains("value=\"14\"") && read(&edit).contains("Default: 30"));
    // A switch has two choices; a list may be emptied, and a number may not.
    let switch = shown(&app, &token, &format!("{EVERY_SETTING}?edit=revokeLicenseOnRefund")).await;
    assert!(switch.contains("<select") && read(&switch).contains("Default: true"));
    assert_eq!(post("revokeLicenseOnRefund", "false").await.status, 303);
    assert!(!app.desk().settings().qlm.rules.revokes_refunded);
    assert_eq!(post("strictAuthenticationHttpMethods", "").await.status, 303);
    assert_eq!(post("trialDuration", "").await.status, 422);
    let history = read(&shown(&app, &token, "/vendor/settings").await);
    assert!(history.contains("trialDuration: 30 → 14"), "{history}");
}

async fn a_setting_is_found_by_what_it_does(app: TestApp) {
    let token = owner(&app).await;
    let find = async |q: &str| shown(&app, &token, &format!("{EVERY_SETTING}?q={q}")).await;
    let listed = |page: &str, name: &str| page.contains(&format!("id=\"{name}\""));
    let page = find("TWILIO").await;
    assert!(listed(&page, "smsAccountNumber") && listed(&page, "smsServiceUrl") && !listed(&page, "accent"));
    assert!(!page.contains("Quick License Manager"), "a group in which nothing was found is left out");
    assert!(page.contains("all?q=TWILIO&amp;edit=smsServiceUrl"), "whoever goes back finds what was found");
    assert!(listed(&find("signintries").await, "signInTries"));
    assert!(listed(&find("extension%27s+password+makes").await, "enableGetActivationKey"), "as a keyboard writes it");
    let none = find("nothing+is+called+this").await;
    assert!(none.contains("No setting matches") && none.contains("href=\"/vendor/settings/all\""));
    let script = find("%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert!(!script.contains("<script>alert") && script.contains("value=\"&quot;&gt;&lt;script&gt;alert(1)"), "{script}");
}

async fn only_who_may_change_settings_sees_every_one(app: TestApp) {
    for role in Role::ALL {
        let name = role.as_str();
        let token = app.staff(&format!("{name}@vendor.example"), role).await;
        let may = matches!(role, Role::Owner | Role::Admin);
        for (query, found) in [("", 200), ("?edit=accent", 200), ("?edit=logo", 303), ("?edit=none", 404)] {
            let status = app.get_as(&token, &format!("{EVERY_SETTING}{query}")).await.status;
            assert_eq!(status, if may { found } else { 403 }, "{name}: {query}");
        }
        for (setting, done) in [("accent", 303), ("none", 404), ("", 404)] {
            let fields = [("name", setting), ("value", "#123456")];
            let status = app.post_as(&token, EVERY_SETTING, &fields).await.status;
            assert_eq!(status, if may { done } else { 403 }, "{name}: {setting}");
        }
        assert_eq!(app.desk().settings().accent, if may { "#123456" } else { "#0b6464" }, "{name}");
        set(&app, "accent", "#0b6464").await;
        let offered = app.get_as(&token, "/vendor/settings").await.text().contains("href=\"/vendor/settings/all\"");
        assert_eq!(offered, may, "{name}");
    }
}

async fn picture(app: &TestApp, token: &Token, kib: usize) -> Reply {
    let fields = [
        ("name", "ACME"),
        ("accent", "#0b6464"),
        ("signInTries", "10"),
        ("activationsPerMinute", "600"),
        ("keepRefusalsDays", "400"),
    ];
    let mut bytes = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
    bytes.resize(kib * 1024, 0);
    let body = multipart("logo", &[("logo.png", &bytes)], &fields);
    let request = Request::post("/vendor/settings")
        .header(header::HOST, "127.0.0.1:3000")
        .header("sec-fetch-site", "same-origin")
        .header(header::COOKIE, cookie(token))
        .header(header::CONTENT_LENGTH, body.len())
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut-here");
    app.send(request.body(Body::from(body)).unwrap()).await
}

async fn a_picture_that_is_too_large_is_called_one(app: TestApp) {
    let token = owner(&app).await;
    for kib in [65, 300, 1200] {
        let beside = picture(&app, &token, kib).await;
        assert_eq!(beside.status, 422, "{kib} KB");
        assert!(beside.text().contains("This picture is larger than 64 KB"), "{kib} KB");
    }
    let page = picture(&app, &token, 3000).await;
    assert_eq!(page.status, 413);
    let text = page.text();
    assert!(
        text.contains("This picture is too large") && !text.contains("license files") && text.contains("aria-label=\"Sections\"")
    );
    assert!(app.desk().settings().logo.is_none());
    assert_eq!(picture(&app, &token, 60).await.status, 303);
    assert!(app.desk().settings().logo.is_some());
}

async fn a_new_password_is_asked_for_at_once(app: TestApp) {
    let token = owner(&app).await;
    app.secret("six other unlike words");
    let fields = [("current", "pass word of ann@vendor.example"), ("password", "six other unlike words")];
    let wrong = app.post_as(&token, "/vendor/account/password", &[("current", "x"), fields[1]]).await;
    assert_eq!(wrong.status, 422);
    let done = app.post_as(&token, "/vendor/account/password", &fields).await;
    assert_eq!(done.status, 303);
    assert!(app.get(done.location()).await.text().contains("Your password is changed. Sign in with the new one."));
    assert_eq!(app.get_as(&token, "/vendor").await.status, 303, "every session has ended");
    let new = app.desk().sign_in("ann@vendor.example", "six other unlike words").await.unwrap().unwrap().token;
    app.secret(new.text());
    let out = app.post_as(&new, "/vendor/account/sign-out-everywhere", &[]).await;
    assert!(app.get(out.location()).await.text().contains("You are signed out everywhere."));
    assert!(!app.get("/vendor/sign-in?said=%3Cb%3EBad").await.text().contains("Bad"));
}

async fn the_front_page_counts_and_lists_the_same(app: TestApp) {
    let token = owner(&app).await;
    app.product("press").await;
    let home = async || read(&shown(&app, &token, "/vendor").await);
    assert!(home().await.contains("Nobody was refused in the last seven days."));
    let at = app.now();
    app.desk()
        .store()
        .write(move |conn| {
            Box::pin(async move {
                conn.note_attempt(NewAttempt {
                    reference: "R-OLD00001".to_owned(),
                    at,
                    door: "form".to_owned(),
                    code: "license_disabled".to_owned(),
                    product_code: None,
                    license: None,
                    key_ends: None,
                    device_id: DeviceId::parse("HW-1").ok().map(|id| id.to_string()),
                    device_name: None,
                    detail: "{}".to_owned(),
                });
                Ok(())
            })
        })
        .await
        .unwrap();
    assert!(home().await.contains("R-OLD00001") && home().await.contains("1refused in 7 days"));
    app.pass_days(8);
    let later = home().await;
    assert!(later.contains("0refused in 7 days") && later.contains("Nobody was refused in the last seven days."), "{later}");
}

async fn too_many_sign_ins_have_words_of_their_own(app: TestApp) {
    app.desk().set_settings(&OPERATOR, vec![("signInTries".to_owned(), "3".to_owned())]).await.unwrap();
    let sign_in = async || app.post("/vendor/sign-in", &[("email", "x@vendor.example"), ("password", "a guess of mine")]).await;
    for _ in 0..3 {
        assert_eq!(sign_in().await.status, 422);
    }
    let page = sign_in().await;
    assert_eq!(page.status, 429);
    assert!(page.text().contains("To keep passwords from being guessed") && !page.text().contains("To keep keys"));
}

async fn lists_are_turned_both_ways_by_their_addresses(app: TestApp) {
    let token = owner(&app).await;
    app.product("press").await;
    for _ in 0..51 {
        let quantities = Quantities { quantity: 1, ..Quantities::default() };
        let issue = Issue { quantities, ..Issue::one(ProductCode::parse("press").unwrap(), seats(1)) };
        app.issue_as(issue).await;
    }
    for number in 0..51 {
        let unknown = crate::licensing::ActivationKey::parse(&format!("NO-SUCH-KEY-{number:04}")).unwrap();
        app.activate_by_form(&unknown, "HW-0001", &[]).await.unwrap_err();
    }
    let link = |page: &str, words: &str| {
        let page = page.replace("<!>", "");
        let at = page.find(&format!(">{words}</a>"))?;
        let start = page[..at].rfind("href=\"")? + 6;
        Some(page[start..start + page[start..].find('"')?].replace("&amp;", "&"))
    };
    for list in ["/vendor/licenses?sort=seats", "/vendor/orders", "/vendor/refusals", "/vendor/audit?kind=license"] {
        let first = shown(&app, &token, list).await;
        assert_eq!(link(&first, "Previous"), None, "{list}");
        let said = if list.contains("licenses") { "50 of 51" } else { "50 shown" };
        assert!(read(&first).contains(said), "{list}");
        let second = shown(&app, &token, &link(&first, "Next").expect("a next page")).await;
        assert_eq!(link(&second, "Next"), None, "{list}");
        assert!(!read(&second).contains("in all"), "{list}: there are more");
        let back = link(&second, "Previous").expect("a way back");
        assert!(back.contains("before=") && !back.contains("after="), "{back}");
        let again = shown(&app, &token, &back).await;
        let rows = |page: &str| page.matches("<tr class=\"linked\"").count() + page.matches("<li><time").count();
        assert_eq!((rows(&again), rows(&second)), (50, 1), "{list}");
        assert_eq!(link(&again, "Previous"), None, "{list}");
        assert!(link(&again, "Next").is_some(), "{list}");
    }
    assert!(read(&shown(&app, &token, "/vendor/orders?q=nothing-like-it").await).contains("No order matches"));
}

async fn a_shop_is_a_resellers_or_the_vendors_own(app: TestApp) {
    let house = House::new(app).await;
    let keeper = house.app.staff("ann@vendor.example", Role::Owner).await;
    let path = "/vendor/shops/WooCommerce";
    let page = async || house.app.get_as(&keeper, path).await.text();
    assert!(!page().await.contains("make no keys yet"), "they do");
    house.set("enableGetActivationKey", "false").await;
    assert!(page().await.contains("/vendor/settings/all?edit=enableGetActivationKey"));
    let refused = house.app.post_as(&keeper, &format!("{path}/reseller"), &[("affiliate", &"N".repeat(129))]).await;
    assert!(refused.status == 422 && refused.text().contains("up to 128 characters"), "{}", refused.status);
    assert_eq!(house.app.post_as(&keeper, &format!("{path}/reseller"), &[("affiliate", "Nord <b>GmbH</b>")]).await.status, 303);
    assert!(page().await.contains("value=\"Nord &lt;b&gt;GmbH&lt;/b&gt;\""), "{}", page().await);
    let kept = house.app.desk().extension_view(&crate::desk::Visitor::Operator, "woocommerce").await.unwrap().extension;
    assert_eq!(kept.affiliate, "Nord <b>GmbH</b>");
    let viewer = house.app.staff("bob@vendor.example", Role::Viewer).await;
    assert_eq!(house.app.post_as(&viewer, &format!("{path}/reseller"), &[("affiliate", "")]).await.status, 403);
    house.app.post_as(&keeper, &format!("{path}/reseller"), &[("affiliate", "")]).await;
    let kept = house.app.desk().extension_view(&crate::desk::Visitor::Operator, "woocommerce").await.unwrap().extension;
    assert_eq!(kept.affiliate, "");
}
