//! A check that is asked again is answered from before, unless anything it tells of has changed meanwhile.

use serde_json::json;

use super::{
    Licensed, Reply, TestApp,
    app::device,
    foreign::ForeignApp,
    licensespring::{OPERATOR, code, seats, signed},
};
use crate::{
    desk::{Edit, Issue, ProductEdit, Recalled},
    licensing::{
        Email, ProductCode,
        license::{Entitlement, Expiry, LicenseType, Limit, Meter, Period, Terms},
        product::{FeatureKind, ProductState},
        seal::SealFor,
    },
};

tests! {
    both:
        a_check_is_answered_from_before_only_while_nothing_it_tells_of_has_changed,
        what_is_answered_from_before_ends_with_the_instant_that_changes_it;
    once:
        who_asks_is_looked_at_each_time,
        what_takes_a_slot_or_needs_proof_is_never_answered_from_before;
}

/// One question, asked in two ways: as apps ask it again and again, and with a member nobody asked with before.
struct Twice {
    app: TestApp,
    foreign: ForeignApp,
    license: Licensed,
    asked: u32,
}

impl Twice {
    async fn new(app: TestApp, terms: Terms) -> Self {
        let press = app.product("press").await;
        let foreign = ForeignApp::new(&app, None, false).await;
        let customer = Some(Email::parse("ann@customer.example").unwrap());
        let license = app.issue_as(Issue { customer, ..Issue::one(press, terms) }).await;
        foreign.activate(&app, &license, "HW-1").await;
        Self { app, foreign, license, asked: 0 }
    }

    async fn ask(&self) -> Reply {
        self.foreign.check(&self.app, &self.license, "HW-1").await
    }

    async fn anew(&mut self) -> Reply {
        self.asked += 1;
        let never = self.asked.to_string();
        self.foreign.ask(&self.app, "/check_license", &self.license, "HW-1", &[("never_asked", &never)]).await
    }

    /// Asks until an answer could come from before, and says whether it does.
    async fn is_kept(&self) -> bool {
        for _ in 0..3 {
            self.ask().await;
        }
        let key = self.license.key.text();
        let query = [("product", "press"), ("hardware_id", "HW-1"), ("license_key", &*key)];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let Some(before) = self.app.desk().before(&self.foreign.api_key, &query) else { return false };
        matches!(self.app.desk().recall(&before).await.unwrap(), Recalled::Same(..))
    }

    /// After something changed: the old question is answered as the new one is.
    #[track_caller]
    fn same(&self, what: &str, again: &Reply, anew: &Reply) {
        assert_eq!((again.status, again.text()), (anew.status, anew.text()), "{what}");
        let signature = |reply: &Reply| reply.headers.get("licensesignature").cloned();
        assert_eq!(signature(again), signature(anew), "{what}");
    }

    async fn changed(&mut self, what: &str) -> Reply {
        let (again, anew) = (self.ask().await, self.anew().await);
        self.same(what, &again, &anew);
        again
    }
}

fn counted() -> Terms {
    let meter = Meter {
        used: 0,
        max: Limit::AtMost(9),
        overage: Limit::AtMost(0),
        period: Some(Period::Daily),
        negatives: false,
        resets_at: None,
    };
    let jobs = Entitlement {
        code: "jobs".to_owned(),
        name: "Jobs".to_owned(),
        kind: FeatureKind::Consumption,
        valid_until: None,
        meter: Some(meter),
        floating: None,
    };
    Terms { kind: LicenseType::Consumption, meter: Some(meter), entitlements: vec![jobs], ..seats(3) }
}

async fn a_check_is_answered_from_before_only_while_nothing_it_tells_of_has_changed(app: TestApp) {
    let mut twice = Twice::new(app, counted()).await;
    let press = ProductCode::parse("press").unwrap();
    let (id, new) = (twice.license.id, device("HW-1"));
    assert!(twice.is_kept().await);
    let mut last = twice.changed("nothing").await.text();
    // Each act, and whether the answer is another after it.
    for act in 0..14 {
        // A refusal is never kept.
        assert_eq!(twice.is_kept().await, !matches!(act, 9 | 11), "before act {act}");
        let (app, desk) = (&twice.app, twice.app.desk());
        let differs = match act {
            0 => desk.edit_license(&OPERATOR, id, Edit { seats: Some(Limit::AtMost(7)), ..Edit::default() }).await.map(|_| true),
            1 => {
                twice.foreign.activate(app, &twice.license, "HW-2").await;
                Ok(true)
            }
            2 => {
                twice.foreign.tell(app, "/add_consumption", &twice.license, "HW-1", json!({ "consumptions": 2 })).await;
                Ok(true)
            }
            3 => {
                let body = json!({ "feature": "jobs", "consumptions": 2 });
                twice.foreign.tell(app, "/add_feature_consumption", &twice.license, "HW-1", body).await;
                Ok(true)
            }
            4 => {
                app.release("press", "4.2", app.now(), "", "https://example.com/4.2").await;
                Ok(true)
            }
            5 => {
                let name = Some("Another name".to_owned());
                desk.edit_product(&OPERATOR, &press, ProductEdit { name, ..ProductEdit::default() }).await.map(|_| true)
            }
            6 => desk.rotate(&OPERATOR, SealFor::LicenseSpring, true).await.map(|_| true),
            7 => desk.set_settings(&OPERATOR, vec![("exposeCustomer".to_owned(), "true".to_owned())]).await.map(|_| false),
            8 => desk.disable_license(&OPERATOR, id, "late".to_owned()).await.map(|_| true),
            9 => desk.enable_license(&OPERATOR, id).await.map(|_| true),
            10 => desk.block_device(&OPERATOR, id, &new).await.map(|_| true),
            11 => desk.allow_device(&OPERATOR, id, &new).await.map(|_| true),
            12 => {
                let (acme, ann) = (ProductCode::parse("acme").unwrap(), Email::parse("ann@customer.example").unwrap());
                desk.add_account(&OPERATOR, &acme, "ACME Inc.").await.unwrap();
                // Told since act 7.
                desk.set_account(&OPERATOR, &ann, Some(&acme)).await.map(|()| true)
            }
            _ => {
                let state = Some(ProductState::Disabled);
                desk.edit_product(&OPERATOR, &press, ProductEdit { state, ..ProductEdit::default() }).await.map(|_| true)
            }
        };
        let differs = differs.unwrap_or_else(|error| panic!("act {act}: {error}"));
        let reply = twice.changed(&format!("act {act}")).await;
        assert_eq!(reply.text() != last, differs, "act {act}: {}", reply.text());
        last = reply.text();
        match act {
            8 => assert_eq!(code(&reply), "license_not_enabled"),
            10 => assert_eq!(code(&reply), "blacklisted"),
            13 => assert_eq!(code(&reply), "disabled_product"),
            _ => assert_eq!(reply.status, 200, "act {act}"),
        }
    }
}

async fn what_is_answered_from_before_ends_with_the_instant_that_changes_it(app: TestApp) {
    let now = app.now();
    let feature = |code: &str, seconds: i64| Entitlement {
        code: code.to_owned(),
        name: code.to_owned(),
        kind: FeatureKind::Activation,
        valid_until: Some(now.plus_seconds(seconds)),
        meter: None,
        floating: None,
    };
    let expiry = Expiry { on: Some(now.plus_seconds(40)), ..Expiry::NEVER };
    let terms = Terms { expiry, grace_hours: 1, entitlements: vec![feature("first", 20), feature("second", 30)], ..seats(2) };
    let mut twice = Twice::new(app, terms).await;
    let features = |reply: &Reply| reply.json()["product_features"].as_array().map_or(0, Vec::len);
    for (passes, expected) in [(0, 2), (19, 2), (1, 1), (9, 1), (1, 0), (9, 0)] {
        twice.app.pass_seconds(passes);
        let recalled = twice.ask().await;
        assert_eq!(features(&recalled), expected, "{passes}");
        let anew = twice.anew().await;
        twice.same(&format!("{passes} seconds later"), &recalled, &anew);
        assert!(twice.is_kept().await);
    }
    // Its end, and the end of the grace.
    twice.app.pass_seconds(1);
    let reply = twice.changed("in the grace").await;
    signed(&twice.app, &reply).await;
    assert!(twice.is_kept().await);
    twice.app.pass_seconds(3_600);
    assert_eq!(code(&twice.changed("after the grace").await), "license_expired");
}

async fn who_asks_is_looked_at_each_time(app: TestApp) {
    let mut twice = Twice::new(app, seats(2)).await;
    assert!(twice.is_kept().await);
    let signed_before = twice.ask().await;
    // The right question under a wrong signature, and under a date that is over.
    let key = twice.foreign.shared_key.clone();
    twice.foreign.shared_key = "another shared key, of the right length.".to_owned();
    assert_eq!(code(&twice.ask().await), "signature_mismatch");
    twice.foreign.shared_key = key;
    let other = ForeignApp::new(&twice.app, None, false).await;
    assert_eq!(other.check(&twice.app, &twice.license, "HW-1").await.text(), signed_before.text());
    let old = twice.app.now().to_http_date();
    twice.app.pass_seconds(901);
    let key = twice.license.key.text();
    let query = [("product", "press"), ("hardware_id", "HW-1"), ("license_key", &*key)];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let request = axum::http::Request::get(format!("/api/v4/check_license?{query}"))
        .header("date", &old)
        .header("authorization", twice.foreign.headers(&old));
    assert_eq!(code(&twice.app.send(request.body(axum::body::Body::empty()).unwrap()).await), "date_header_diff");
    assert!(twice.is_kept().await);
    twice.app.desk().revoke_api_key(&OPERATOR, twice.foreign.id).await.unwrap();
    assert_eq!(code(&twice.ask().await), "revoked_api_key");
    assert_eq!(code(&twice.anew().await), "revoked_api_key");
    signed(&twice.app, &other.check(&twice.app, &twice.license, "HW-1").await).await;
}

async fn what_takes_a_slot_or_needs_proof_is_never_answered_from_before(app: TestApp) {
    let floating = Some(crate::licensing::license::Floating { slots: 1, borrow_hours: 0 });
    let twice = Twice::new(app, Terms { floating, ..seats(3) }).await;
    assert!(!twice.is_kept().await);
    let feature = Entitlement {
        code: "render".to_owned(),
        name: "Render".to_owned(),
        kind: FeatureKind::Activation,
        valid_until: None,
        meter: None,
        floating: Some(1),
    };
    let terms = Terms { entitlements: vec![feature], ..seats(3) };
    let press = ProductCode::parse("press").unwrap();
    let license = twice.app.issue_as(Issue::one(press, terms)).await;
    twice.foreign.activate(&twice.app, &license, "HW-1").await;
    let twice = Twice { license, ..twice };
    assert!(!twice.is_kept().await);
}
