//! Many at once, through the router.

use super::{Licensed, Machine, TestApp};
use crate::{
    desk::{Role, Visitor},
    licensing::license::{Limit, Terms, TransferLimit},
};

tests! {
    both:
        sixty_four_machines_race_for_five_seats,
        a_freed_seat_is_retaken_once,
        two_owners_cannot_disable_each_other,
        a_machine_that_releases_while_it_refreshes_ends_in_one_state;
    once: ;
}

async fn license(app: &TestApp, terms: Terms) -> Licensed {
    app.product("press").await;
    app.issue("press", terms).await
}

async fn sixty_four_machines_race_for_five_seats(app: TestApp) {
    let license = license(&app, Terms { seats: Limit::AtMost(5), ..Terms::default() }).await;
    let requests: Vec<String> =
        (0..32).map(|at| Machine::named(&format!("HW-file-{at:04}"), "by file").activate(&license)).collect();
    let by_file = futures::future::join_all(requests.iter().map(|request| app.bring(request)));
    let key = license.key.text();
    let devices: Vec<String> = (0..32).map(|at| format!("HW-form-{at:04}")).collect();
    let by_form = futures::future::join_all(devices.iter().map(async |device| {
        app.post("/activate", &[("key", key.as_str()), ("device_id", device), ("device_name", "by form")]).await
    }));
    let (by_file, by_form) = tokio::join!(by_file, by_form);

    let taken =
        by_file.iter().filter(|answer| answer.is_ok()).count() + by_form.iter().filter(|reply| reply.status == 303).count();
    assert_eq!(taken, 5);
    assert_eq!(app.seats_taken(&license).await, 5);
    assert_eq!(app.ask("select cast(count(*) as text) from activation where state = 'active'").await, ["5"]);
    let view = app.desk().license_view(&Visitor::Operator, license.id).await.unwrap();
    let mut ends: Vec<String> = view.activations.iter().map(|shown| shown.activation.device.id.last_part()).collect();
    ends.sort_unstable();
    let mut refusals = 0;
    for refused in by_file.into_iter().filter_map(Result::err) {
        assert_eq!(refused.code, "seats_exhausted");
        let mut named: Vec<String> = refused.holders.into_iter().map(|(_, ends)| ends).collect();
        named.sort_unstable();
        assert_eq!(named, ends, "each names the five");
        refusals += 1;
    }
    for reply in by_form.into_iter().filter(|reply| reply.status != 303) {
        assert_eq!(reply.status, 409);
        let page = reply.text();
        assert!(ends.iter().all(|ends| page.contains(ends.trim_start_matches('…'))), "each names the five");
        refusals += 1;
    }
    assert_eq!((refusals, app.count("attempt").await), (59, 59));
    let (_, broken) = app.desk().read().await.unwrap().verify_audit().await.unwrap();
    assert!(broken.is_empty(), "{broken:?}");
}

async fn a_freed_seat_is_retaken_once(app: TestApp) {
    let terms = Terms { seats: Limit::AtMost(1), transfers: TransferLimit::AtMost(1), ..Terms::default() };
    let license = license(&app, terms).await;
    let first = Machine::new("HW-first");
    app.bring(first.activate(&license)).await.unwrap();
    app.pass_days(2);
    app.bring(first.release(&license)).await.unwrap();
    let requests: Vec<String> = (0..16).map(|at| Machine::new(&format!("HW-{at:04}")).activate(&license)).collect();
    let answers = futures::future::join_all(requests.iter().map(|request| app.bring(request))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(app.license(&license).await.transfers_used, 1);
}

async fn two_owners_cannot_disable_each_other(app: TestApp) {
    let [ann, bob] = [app.staff("ann@vendor.example", Role::Owner).await, app.staff("bob@vendor.example", Role::Owner).await];
    let [ann, bob] = [app.desk().visitor(&ann).await.unwrap().unwrap(), app.desk().visitor(&bob).await.unwrap().unwrap()];
    let id = |visitor: &Visitor| match visitor {
        Visitor::Staff { id, .. } => *id,
        Visitor::Extension { .. } | Visitor::Operator => unreachable!(),
    };
    for _ in 0..8 {
        let (one, other) =
            tokio::join!(app.desk().set_role(&ann, id(&bob), Role::Viewer), app.desk().set_member_disabled(&bob, id(&ann), true));
        assert!(one.is_ok() != other.is_ok(), "one of them comes second");
        let team = app.desk().team(&Visitor::Operator).await.unwrap();
        assert_eq!(team.iter().filter(|member| member.role == "owner" && member.disabled.is_none()).count(), 1);
        app.desk().set_role(&Visitor::Operator, id(&bob), Role::Owner).await.unwrap();
        app.desk().set_member_disabled(&Visitor::Operator, id(&ann), false).await.unwrap();
    }
}

async fn a_machine_that_releases_while_it_refreshes_ends_in_one_state(app: TestApp) {
    let license = license(&app, Terms { seats: Limit::AtMost(3), ..Terms::default() }).await;
    for round in 0..6 {
        let machine = Machine::new(&format!("HW-{round:04}"));
        let activation = machine.activate(&license);
        app.bring(&activation).await.unwrap();
        app.pass_days(2);
        let (release, refresh) = (machine.release(&license), machine.refresh(&license));
        let (released, refreshed, again) = tokio::join!(app.bring(&release), app.bring(&refresh), app.bring(&activation));
        assert!(released.unwrap().receipt);
        for late in [refreshed, again] {
            if let Err(refused) = late {
                assert!(["not_activated", "request_spent"].contains(&refused.code.as_str()), "{}", refused.code);
            }
        }
        assert_eq!(app.seats_taken(&license).await, 0);
        assert_eq!(app.bring(&activation).await.unwrap_err().code, "request_spent");
    }
}
