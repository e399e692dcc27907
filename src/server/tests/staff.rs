//! What each role may do, at the desk and through the pages.

use super::{
    TestApp,
    app::{code, device},
};
use crate::{
    desk::{Edit, Issue, Renewal, Role, Visitor},
    licensing::{
        Email, ProductCode,
        license::{Limit, Terms},
        product::FeatureKind,
        seal::SealFor,
    },
    vault::Token,
};

tests! {
    both: ;
    once:
        a_role_reaches_as_far_as_it_says,
        pages_hold_what_roles_say,
        the_team_keeps_an_owner,
        what_staff_does_is_in_the_log_with_before_and_after,
        who_may_only_look_sees_no_whole_key,
        nobody_changes_a_password_without_knowing_one,
        a_form_sent_twice_is_acted_on_once,
        a_link_to_sign_in_is_never_a_fault;
}

async fn visitor(app: &TestApp, token: &Token) -> Visitor {
    app.desk().visitor(token).await.unwrap().expect("signed in")
}

async fn a_role_reaches_as_far_as_it_says(app: TestApp) {
    let press = app.product("press").await;
    let license = app.issue("press", Terms { seats: Limit::AtMost(5), ..Terms::default() }).await;
    for role in Role::ALL {
        let token = app.staff(&format!("{}@vendor.example", role.as_str()), role).await;
        let who = visitor(&app, &token).await;
        app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap();
        let desk = app.desk();
        let (manages_licenses, manages_products, manages_settings, manages_team) = match role {
            Role::Owner => (true, true, true, true),
            Role::Admin => (true, true, true, false),
            Role::Support => (true, false, false, false),
            Role::Viewer => (false, false, false, false),
        };
        let email = Email::parse("new@vendor.example").unwrap();
        let renewal = Renewal::Until(app.desk().now().plus_days(1).date());
        let acts = [
            ("issue", manages_licenses, code(desk.issue(&who, Issue::one(press.clone(), Terms::default())).await)),
            ("edit", manages_licenses, code(desk.edit_license(&who, license.id, Edit::default()).await)),
            ("renew", manages_licenses, code(desk.renew_license(&who, license.id, renewal, None).await)),
            ("disable", manages_licenses, code(desk.disable_license(&who, license.id, "x".to_owned()).await)),
            ("enable", manages_licenses, code(desk.enable_license(&who, license.id).await)),
            ("release", manages_licenses, code(desk.release_device(&who, license.id, &device("HW-0001")).await)),
            ("revoke", manages_licenses, code(desk.revoke_device(&who, license.id, &device("HW-0001"), "x".to_owned()).await)),
            ("allow", manages_licenses, code(desk.allow_device(&who, license.id, &device("HW-0001")).await)),
            ("block", manages_licenses, code(desk.block_device(&who, license.id, &device("HW-0009")).await)),
            ("reset", manages_licenses, code(desk.reset_license(&who, license.id).await)),
            ("look", true, code(desk.license_view(&who, license.id).await)),
            ("product", manages_products, code(desk.edit_product(&who, &press, Default::default()).await)),
            (
                "feature",
                manages_products,
                code(desk.add_feature(&who, &press, &format!("f-{}", role.as_str()), "F", FeatureKind::Activation).await),
            ),
            ("setting", manages_settings, code(desk.set_settings(&who, vec![("accent".to_owned(), "#123456".to_owned())]).await)),
            ("api key", manages_settings, code(desk.add_api_key(&who, "App", None, false, None).await)),
            (
                "keys",
                manages_settings,
                match desk.rotate(&who, SealFor::LicenseSpring, false).await {
                    Err(crate::desk::ActError::Forbidden(_)) => "forbidden",
                    _ => "done",
                },
            ),
            ("audit", !matches!(role, Role::Viewer), code(desk.audit(&who, &Default::default()).await)),
            (
                "team",
                manages_team,
                match desk.add_member(&who, &email, "short", Role::Viewer).await {
                    Err(crate::desk::ActError::Forbidden(_)) => "forbidden",
                    _ => "done",
                },
            ),
        ];
        for (act, allowed, came) in acts {
            assert_eq!(came, if allowed { "done" } else { "forbidden" }, "{act} by {}", role.as_str());
        }
    }
}

async fn pages_hold_what_roles_say(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", Terms { seats: Limit::AtMost(5), ..Terms::default() }).await;
    app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap();
    let viewer = app.staff("viewer@vendor.example", Role::Viewer).await;
    let support = app.staff("support@vendor.example", Role::Support).await;
    let admin = app.staff("admin@vendor.example", Role::Admin).await;
    app.staff("owner@vendor.example", Role::Owner).await;
    let id = license.id;
    let before = app.dump().await;
    let valid = [("reason", "because"), ("seats", "3"), ("valid_until", "2031-01-01"), ("type", "perpetual"), ("quantity", "1")];
    let license_posts = ["edit", "renew", "disable", "enable"]
        .map(|act| format!("/vendor/licenses/{id}/{act}"))
        .into_iter()
        .chain(["/vendor/licenses/new".to_owned()]);
    for path in license_posts {
        let mut fields = valid.to_vec();
        fields.push(("product", "press"));
        let reply = app.post_as(&viewer, &path, &fields).await;
        assert_eq!(reply.status, 403, "{path}: {}", reply.text());
    }
    let product_posts = [
        "/vendor/products/new",
        "/vendor/products/press/edit",
        "/vendor/products/press/pause",
        "/vendor/products/press/versions",
        "/vendor/products/press/features",
        "/vendor/products/press/policies",
    ];
    let setting_posts = ["/vendor/settings", "/vendor/keys/rotate"];
    for path in product_posts.iter().chain(&setting_posts) {
        for token in [&viewer, &support] {
            let fields = [
                ("code", "evil"),
                ("name", "Evil"),
                ("version", "9.0"),
                ("released", "2026-01-01"),
                ("kind", "activation"),
                ("seats", "1"),
                ("type", "activation"),
                ("portalName", "Evil"),
                ("portal_name", "Evil"),
                ("what", "press"),
            ];
            let reply = match *path {
                "/vendor/settings" => app.post_files_as(token, path, &fields).await,
                _ => app.post_as(token, path, &fields).await,
            };
            assert!([403, 422].contains(&reply.status.as_u16()), "{path}: {}", reply.status);
        }
    }
    let other = app.desk().team(&Visitor::Operator).await.unwrap().into_iter().find(|member| member.role == "owner").unwrap().id;
    for act in ["role", "disable", "enable", "password", "sign-out-everywhere"] {
        for token in [&viewer, &support, &admin] {
            let path = format!("/vendor/team/{other}/{act}");
            let fields = [("role", "viewer"), ("password", "a long enough password")];
            assert_eq!(app.post_as(token, &path, &fields).await.status, 403, "{path}");
        }
    }
    assert_eq!(app.dump().await, before, "nothing of it was done");
    for (token, path) in [
        (&viewer, "/vendor/team"),
        (&viewer, "/vendor/settings"),
        (&viewer, "/vendor/audit"),
        (&support, "/vendor/team"),
        (&support, "/vendor/settings"),
        (&viewer, "/vendor/audit.csv"),
        (&viewer, "/vendor/team.csv"),
    ] {
        assert_eq!(app.get_as(token, path).await.status, 403, "{path}");
    }
    let _ = ProductCode::parse("press");
}

async fn the_team_keeps_an_owner(app: TestApp) {
    let token = app.staff("ann@vendor.example", Role::Owner).await;
    let ann = visitor(&app, &token).await;
    let Visitor::Staff { id, .. } = ann else { unreachable!() };
    let desk = app.desk();
    assert_eq!(code(desk.set_role(&ann, id, Role::Admin).await), "bad_field");
    assert_eq!(code(desk.set_member_disabled(&Visitor::Operator, id, true).await), "bad_field");
    let second = app.staff("bob@vendor.example", Role::Owner).await;
    let Visitor::Staff { id: bob, .. } = visitor(&app, &second).await else { unreachable!() };
    desk.set_member_disabled(&ann, bob, true).await.unwrap();
    assert_eq!(code(desk.set_role(&ann, id, Role::Viewer).await), "bad_field", "a disabled owner is none who can sign in");
    desk.set_member_disabled(&ann, bob, false).await.unwrap();
    desk.set_role(&ann, id, Role::Viewer).await.unwrap();
    // What ann may do is asked anew each time.
    let now = visitor(&app, &token).await;
    assert_eq!(code(desk.set_role(&now, bob, Role::Viewer).await), "forbidden");
    let taken = Email::parse("ANN@vendor.example").unwrap();
    assert_eq!(code(desk.add_member(&Visitor::Operator, &taken, "a long enough password", Role::Viewer).await), "taken");
    let short = Email::parse("eve@vendor.example").unwrap();
    assert_eq!(code(desk.add_member(&Visitor::Operator, &short, "short", Role::Viewer).await), "bad_field");
}

async fn what_staff_does_is_in_the_log_with_before_and_after(app: TestApp) {
    app.product("press").await;
    let token = app.staff("ann@vendor.example", Role::Owner).await;
    let license = app.issue("press", Terms::default()).await;
    let edit = [("seats", "7"), ("transfers", "2"), ("valid_until", "2031-01-01"), ("offline", "1"), ("note", "for the lab")];
    let reply = app.post_as(&token, &format!("/vendor/licenses/{}/edit", license.id), &edit).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    let reply = app.post_as(&token, &format!("/vendor/licenses/{}/disable", license.id), &[("reason", "refund")]).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    let view = app.desk().license_view(&Visitor::Operator, license.id).await.unwrap();
    let disabled = &view.history[0];
    assert_eq!(disabled.act, "license.disabled");
    assert!(disabled.after.as_deref().unwrap().contains("refund"));
    let edited = &view.history[1];
    assert!(edited.before.as_deref().unwrap().contains("note") && edited.after.as_deref().unwrap().contains("for the lab"));
    let crate::licensing::license::Actor::Staff { email, .. } = &edited.actor else { panic!("{:?}", edited.actor) };
    assert_eq!(email, "ann@vendor.example");
    let page = app.get_as(&token, "/vendor/audit").await.text();
    assert!(page.contains("refund") && page.contains("ann@vendor.example"));
}

async fn nobody_changes_a_password_without_knowing_one(app: TestApp) {
    app.staff("ann@vendor.example", Role::Owner).await;
    for role in Role::ALL {
        let token = app.staff(&format!("{}@vendor.example", role.as_str()), role).await;
        let Visitor::Staff { id, email, .. } = visitor(&app, &token).await else { unreachable!() };
        let stolen = [("password", "whatever the thief likes")];
        let reply = app.post_as(&token, &format!("/vendor/team/{id}/password"), &stolen).await;
        assert!([403, 422].contains(&reply.status.as_u16()), "{email}: {}", reply.status);
        let wrong = [("current", "not this one"), ("password", "whatever the thief likes")];
        assert_eq!(app.post_as(&token, "/vendor/account/password", &wrong).await.status, 422);
        assert!(app.desk().sign_in(&email, "whatever the thief likes").await.unwrap().is_none(), "{email}");
        // Trying is limited as signing in is.
        for _ in 0..10 {
            app.post_as(&token, "/vendor/account/password", &wrong).await;
        }
        let right = [("current", format!("pass word of {email}")), ("password", "whatever the thief likes".to_owned())];
        let right: Vec<(&str, &str)> = right.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(app.post_as(&token, "/vendor/account/password", &right).await.status, 429, "{email}");
        app.pass_seconds(901);
        assert_eq!(app.post_as(&token, "/vendor/account/password", &right).await.status, 303, "{email}");
    }
}

async fn a_form_sent_twice_is_acted_on_once(app: TestApp) {
    app.product("press").await;
    let token = app.staff("ann@vendor.example", Role::Owner).await;
    let other = app.staff("bob@vendor.example", Role::Owner).await;
    let keys = || async { app.desk().seals().await.unwrap().len() };
    let before = keys().await;
    let rotate = [("what", "press"), ("now", "1"), ("request_id", "AAAAAAAAAAAAAAAAAAAAAA")];
    let sent = (0..4).map(|_| app.post_as(&token, "/vendor/keys/rotate", &rotate));
    for reply in futures::future::join_all(sent).await {
        assert_eq!((reply.status.as_u16(), reply.location()), (303, "/vendor/keys?said=rotated"));
    }
    assert_eq!(keys().await, before + 1, "four sendings, one rotation");
    // Under another id, or from somebody else, it is another form.
    app.post_as(&token, "/vendor/keys/rotate", &[("what", "press"), ("now", "1"), ("request_id", "BAAAAAAAAAAAAAAAAAAAAA")])
        .await;
    app.post_as(&other, "/vendor/keys/rotate", &rotate).await;
    assert_eq!(keys().await, before + 3);
    // What was refused may be mended and sent again under the same id.
    let add = |code: &'static str| [("code", code), ("name", "Cut"), ("auth", "key"), ("request_id", "CAAAAAAAAAAAAAAAAAAAAA")];
    assert_eq!(app.post_as(&token, "/vendor/products/new", &add("press")).await.status, 409);
    let first = app.post_as(&token, "/vendor/products/new", &add("cut")).await;
    assert_eq!(first.status, 303, "{}", first.text());
    assert_eq!(app.post_as(&token, "/vendor/products/new", &add("cut")).await.location(), first.location());
}

async fn a_link_to_sign_in_is_never_a_fault(app: TestApp) {
    for next in ["aaaaaa%E2%82%AC", "/vendor%E2%82%AC", "%FF%FE", "/vendor/licenses?q=%C3%B6", ""] {
        assert_eq!(app.get(&format!("/vendor/sign-in?next={next}")).await.status, 200, "{next}");
    }
}

async fn who_may_only_look_sees_no_whole_key(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", Terms { seats: Limit::AtMost(1), ..Terms::default() }).await;
    app.activate_by_form(&license.key, "HW-0001", &[]).await.unwrap();
    let refused = app.activate_by_form(&license.key, "HW-0002", &[]).await.unwrap_err();
    let order = app.license(&license).await.order.unwrap().0;
    let viewer = app.staff("viewer@vendor.example", Role::Viewer).await;
    let support = app.staff("support@vendor.example", Role::Support).await;
    let id = license.id;
    let key = license.key.text();
    for path in [
        "/vendor/licenses".to_owned(),
        format!("/vendor/licenses?q={key}"),
        "/vendor/licenses.csv".to_owned(),
        format!("/vendor/licenses/{id}"),
        format!("/vendor/licenses/{id}?tab=message"),
        format!("/vendor/licenses/{id}?tab=history"),
        format!("/vendor/orders/{order}"),
        format!("/vendor/orders/{order}/licenses.csv"),
        format!("/vendor/refusals/{}", refused.reference),
    ] {
        let reply = app.get_as(&viewer, &path).await;
        assert_eq!(reply.status, 200, "{path}");
        // What was searched for stands in the search box.
        let page = reply.text().replace(&format!("value=\"{key}\""), "").replace(&format!("q={key}"), "");
        assert!(!page.contains(&key), "{path}");
        assert!(page.contains(&license.key.last_group()), "{path}: its end is enough to talk about it");
        assert_eq!(app.get_as(&support, &path).await.status, 200, "{path}");
    }
    for path in [format!("/vendor/licenses/{id}"), format!("/vendor/orders/{order}/licenses.csv")] {
        assert!(app.get_as(&support, &path).await.text().contains(&key), "{path}");
    }
    // Nor does a search spell one out.
    let (first, ends) = (key.replace('-', "")[..6].to_owned(), license.key.last_group());
    for (search, found) in [(key.as_str(), 1), (&ends[1..], 1), (&first, 0), (&first[1..4], 0), (&ends[..3], 0)] {
        let who = visitor(&app, &viewer).await;
        let filter = crate::store::LicenseFilter { search: Some(search.to_owned()), limit: 9, ..Default::default() };
        assert_eq!(app.desk().licenses(&who, &filter).await.unwrap().rows.len(), found, "{search}");
        assert_eq!(app.desk().count_licenses(&who, &filter).await.unwrap(), found as i64, "{search}");
    }
    let history =
        app.desk().history(&Visitor::Operator, crate::desk::Area::Orders, crate::store::Subject::of("order", order)).await;
    assert_eq!(history.unwrap()[0].act, "order.added");
}
