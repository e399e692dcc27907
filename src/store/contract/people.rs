//! Customers and their orders, named users, staff and their sessions, API keys.

use super::{
    bench::Bench,
    samples::{self, NOW},
};
use crate::{
    licensing::{CustomerId, Email, LicenseId, OrderId, ProductCode, UserId, sso::SsoProvider},
    store::{NewApiKey, NewLicense, NewOrder, SsoRow},
};

fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

pub async fn a_customer_is_one_for_every_spelling_of_the_address(bench: Bench) {
    let mut conn = bench.begin().await;
    let id = conn.customer_for(&email("Jürgen@Press.Example"), "Jürgen 😀", "", NOW).await.unwrap();
    assert_eq!(conn.customer_for(&email("jürgen@press.example"), "Other", "", NOW.plus_days(1)).await.unwrap(), id);
    assert_eq!(conn.customer_for(&email("JÜRGEN@PRESS.EXAMPLE"), "Other", "", NOW.plus_days(1)).await.unwrap(), id);
    let other = conn.customer_for(&email("juergen@press.example"), "", "", NOW).await.unwrap();
    assert_ne!(other, id);
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    for found in [conn.customer(id).await.unwrap(), conn.customer_by_email(&email("JÜRGEN@press.example")).await.unwrap()] {
        let found = found.unwrap();
        assert_eq!((found.id, found.email.as_str(), found.name.as_str()), (id, "Jürgen@Press.Example", "Jürgen 😀"));
        assert_eq!((found.company.as_str(), found.created), ("", NOW));
    }
    assert!(conn.customer(CustomerId(404)).await.unwrap().is_none());
    assert!(conn.customer_by_email(&email("none@press.example")).await.unwrap().is_none());
    // Of an account or of none; its code is taken in any spelling.
    let code = |text: &str| ProductCode::parse(text).unwrap();
    let mut conn = bench.begin().await;
    let acme = conn.add_account(&code("Acme"), "ACME Inc.", NOW).await.unwrap().unwrap();
    let empty = conn.add_account(&code("empty"), "Nobody", NOW).await.unwrap().unwrap();
    assert!(conn.add_account(&code("aCME"), "Another", NOW).await.unwrap().is_none());
    conn.set_account(id, Some(acme)).await.unwrap();
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    let found = conn.account(&code("ACME")).await.unwrap().unwrap();
    assert_eq!((found.id, found.code.as_str(), found.name.as_str()), (acme, "Acme", "ACME Inc."));
    assert_eq!(conn.account_by_id(acme).await.unwrap().as_ref(), Some(&found));
    assert_eq!(conn.customer(id).await.unwrap().unwrap().account, Some(found.clone()));
    assert_eq!(conn.customer(other).await.unwrap().unwrap().account, None);
    let all = conn.accounts().await.unwrap().into_iter().map(|(account, customers)| (account.id, customers));
    assert_eq!(all.collect::<Vec<_>>(), [(acme, 1), (empty, 0)]);
    assert!(conn.account(&code("other")).await.unwrap().is_none());
    assert!(conn.sso(acme).await.unwrap().is_none());
    drop(conn);
    let mut conn = bench.begin().await;
    let provider = SsoProvider {
        issuer: "https://id.example".to_owned(),
        client_id: "press".to_owned(),
        redirect_uris: vec!["press://a \"quoted\" place".to_owned(), "https://b.example".to_owned()],
        trusts_addresses: true,
    };
    let public = SsoRow { provider: provider.clone(), client_secret: None };
    let secret = SsoRow { provider: SsoProvider { trusts_addresses: false, ..provider }, client_secret: Some(vec![0, 1, 255]) };
    for row in [&public, &secret, &public, &secret] {
        conn.set_sso(acme, row, NOW).await.unwrap();
        let found = conn.sso(acme).await.unwrap().unwrap();
        assert_eq!((&found.provider, &found.client_secret), (&row.provider, &row.client_secret));
    }
    assert!(conn.sso(empty).await.unwrap().is_none());
    assert!(conn.remove_sso(acme).await.unwrap());
    assert!(!conn.remove_sso(acme).await.unwrap());
    conn.set_account(id, None).await.unwrap();
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    assert_eq!(conn.customer(id).await.unwrap().unwrap().account, None);
    let ids = |found: Vec<crate::store::Customer>| found.into_iter().map(|customer| customer.id).collect::<Vec<_>>();
    assert_eq!(ids(conn.customers(0, 10).await.unwrap()), [id, other]);
    assert_eq!(ids(conn.customers(0, 1).await.unwrap()), [id]);
    assert_eq!(ids(conn.customers(id.0, 10).await.unwrap()), [other]);
}

pub async fn an_order_is_found_by_its_reference(bench: Bench) {
    let mut conn = bench.begin().await;
    let customer = conn.customer_for(&email("ann@press.example"), "Ann", "", NOW).await.unwrap();
    let new = |provider: &str, customer| NewOrder {
        provider: provider.to_owned(),
        reference: "R-1/ü %".to_owned(),
        customer,
        ordered: NOW.plus_days(-3),
    };
    let first = conn.add_order(&new("shop", Some(customer)), NOW).await.unwrap().unwrap();
    assert_eq!(conn.add_order(&new("shop", None), NOW).await.unwrap(), None);
    let second = conn.add_order(&new("other shop", None), NOW).await.unwrap().unwrap();
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    let found = conn.order(first).await.unwrap().unwrap();
    assert_eq!((found.id, found.provider.as_str(), found.reference.as_str()), (first, "shop", "R-1/ü %"));
    assert_eq!((found.customer, found.status.as_str()), (Some(customer), "completed"));
    assert_eq!((found.ordered, found.created), (NOW.plus_days(-3), NOW));
    let newest = conn.order_by_reference("R-1/ü %").await.unwrap().unwrap();
    assert_eq!((newest.id, newest.customer), (second, None));
    assert!(conn.order_by_reference("r-1/ü %").await.unwrap().is_none());
    assert!(conn.order(OrderId(404)).await.unwrap().is_none());
}

pub async fn named_users_belong_to_a_license(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "Press").await;
    let other_product = samples::product(&mut conn, "other").await;
    let mut licenses = Vec::new();
    for (number, product) in (1..).zip([product, product, other_product]) {
        licenses.push(samples::license(&mut conn, &NewLicense { key: None, ..samples::new_license(product, number) }).await);
    }
    let mut ids = Vec::new();
    for license in &licenses {
        ids.push(conn.add_license_user(*license, &email("Ann@press.example"), "hash", None).await.unwrap().unwrap());
    }
    assert_eq!(conn.add_license_user(licenses[0], &email("ANN@press.example"), "hash 2", None).await.unwrap(), None);
    assert!(conn.add_license_user(licenses[0], &email("bob@press.example"), "hash 3", None).await.unwrap().is_some());
    bench.commit(conn).await;
    bench.tamper("update license_user set seats = 3, is_initial_password = 0, name = 'Ann' where license_id = 2").await;
    let mut conn = bench.read().await;
    let of_license = conn.license_users(licenses[0]).await.unwrap();
    assert_eq!(of_license.iter().map(|user| user.email.as_str()).collect::<Vec<_>>(), ["Ann@press.example", "bob@press.example"]);
    let first = &of_license[0];
    assert_eq!((first.id, first.license, first.password_hash.as_str()), (ids[0], licenses[0], "hash"));
    assert_eq!((first.is_initial_password, first.seats, first.name.as_str()), (true, None, ""));
    let found = conn.users_in_product("press", "ann@press.example").await.unwrap();
    assert_eq!(found.iter().map(|user| user.id).collect::<Vec<_>>(), ids[..2]);
    assert_eq!((found[1].is_initial_password, found[1].seats, found[1].name.as_str()), (false, Some(3), "Ann"));
    assert!(conn.users_in_product("press", "none@press.example").await.unwrap().is_empty());
    assert!(conn.users_in_product("none", "ann@press.example").await.unwrap().is_empty());
    assert!(conn.license_users(LicenseId(404)).await.unwrap().is_empty());
    let everywhere = conn.users_with_email("ann@press.example", 9).await.unwrap();
    let products: Vec<_> = everywhere.iter().map(|(user, product)| (user.id, product.as_str())).collect();
    assert_eq!(products, [(ids[0], "Press"), (ids[1], "Press"), (ids[2], "other")]);
    assert_eq!(conn.users_with_email("ann@press.example", 1).await.unwrap().len(), 1);
    drop(conn);
    let mut conn = bench.begin().await;
    assert!(conn.set_user_password(&of_license[0], "own").await.unwrap());
    assert!(!conn.set_user_password(&of_license[0], "late").await.unwrap(), "somebody was first");
    let user = conn.license_users(licenses[0]).await.unwrap().remove(0);
    assert_eq!((user.password_hash.as_str(), user.is_initial_password), ("own", false));
    bench.commit(conn).await;
}

pub async fn staff_are_found_by_address_and_id(bench: Bench) {
    let mut conn = bench.begin().await;
    let id = conn.add_staff(&email("Ann@Press.Example"), "hash", "owner", NOW).await.unwrap().unwrap();
    assert_eq!(conn.add_staff(&email("ann@press.example"), "other", "support", NOW).await.unwrap(), None);
    let bob = conn.add_staff(&email("bob@press.example"), "hash", "support", NOW).await.unwrap().unwrap();
    bench.commit(conn).await;
    let mut conn = bench.begin().await;
    for found in [conn.staff_member(id).await.unwrap(), conn.staff_by_email(&email("ANN@press.example")).await.unwrap()] {
        let found = found.unwrap();
        assert_eq!((found.id, found.email.as_str(), found.password_hash.as_str()), (id, "Ann@Press.Example", "hash"));
        assert_eq!((found.role.as_str(), found.disabled, found.created), ("owner", None, NOW));
    }
    let mut changed = conn.staff_member(bob).await.unwrap().unwrap();
    (changed.password_hash, changed.role, changed.disabled) = ("new".to_owned(), "sales".to_owned(), Some(NOW));
    conn.save_staff(&changed).await.unwrap();
    let found = conn.staff_member(bob).await.unwrap().unwrap();
    assert_eq!((found.password_hash.as_str(), found.role.as_str(), found.disabled), ("new", "sales", Some(NOW)));
    changed.disabled = None;
    conn.save_staff(&changed).await.unwrap();
    assert_eq!(conn.staff_member(bob).await.unwrap().unwrap().disabled, None);
    for all in [conn.all_staff().await.unwrap(), conn.lock_staff().await.unwrap()] {
        assert_eq!(all.iter().map(|member| member.id).collect::<Vec<_>>(), [id, bob]);
    }
    assert!(conn.staff_member(UserId(404)).await.unwrap().is_none());
    assert!(conn.staff_by_email(&email("none@press.example")).await.unwrap().is_none());
    bench.commit(conn).await;
}

pub async fn a_session_lasts_until_its_end_and_not_for_the_disabled(bench: Bench) {
    let mut conn = bench.begin().await;
    let ann = conn.add_staff(&email("ann@press.example"), "hash", "owner", NOW).await.unwrap().unwrap();
    let bob = conn.add_staff(&email("bob@press.example"), "hash", "owner", NOW).await.unwrap().unwrap();
    let end = NOW.plus_hours(8);
    for (token, who) in [([0, 255], ann), ([1, 0], ann), ([2, 0], bob)] {
        conn.add_session(&token, who, NOW, end).await.unwrap();
    }
    let found = conn.session(&[0, 255], end.plus_millis(-1)).await.unwrap().unwrap();
    assert_eq!((found.staff.id, found.created, found.expires), (ann, NOW, end));
    assert!(conn.session(&[0, 255], end).await.unwrap().is_none());
    assert!(conn.session(&[0], NOW).await.unwrap().is_none());

    let mut disabled = conn.staff_member(bob).await.unwrap().unwrap();
    disabled.disabled = Some(NOW);
    conn.save_staff(&disabled).await.unwrap();
    assert!(conn.session(&[2, 0], NOW).await.unwrap().is_none());

    conn.end_session(&[1, 0]).await.unwrap();
    conn.end_session(&[1, 0]).await.unwrap();
    assert!(conn.session(&[1, 0], NOW).await.unwrap().is_none());
    assert!(conn.session(&[0, 255], NOW).await.unwrap().is_some());
    assert_eq!(conn.end_sessions_of(ann).await.unwrap(), 1);
    assert_eq!(conn.end_sessions_of(ann).await.unwrap(), 0);
    assert!(conn.session(&[0, 255], NOW).await.unwrap().is_none());
    bench.commit(conn).await;
}

pub async fn an_api_key_is_kept_and_revoked_once(bench: Bench) {
    let new = |key: &str, products: Option<Vec<String>>, read_only| NewApiKey {
        name: "App „ü“".to_owned(),
        api_key: key.to_owned(),
        shared_key: (0..=255).collect(),
        products,
        read_only,
    };
    let mut conn = bench.begin().await;
    let some = Some(vec!["press".to_owned(), "a\"b,c".to_owned()]);
    let first = conn.add_api_key(&new("one", some.clone(), true), NOW).await.unwrap().unwrap();
    assert_eq!(conn.add_api_key(&new("one", None, false), NOW).await.unwrap(), None);
    let second = conn.add_api_key(&new("One", None, false), NOW).await.unwrap().unwrap();
    conn.add_api_key(&new("three", Some(Vec::new()), false), NOW).await.unwrap().unwrap();
    bench.commit(conn).await;
    let mut conn = bench.begin().await;
    let found = conn.api_key("one").await.unwrap().unwrap();
    assert_eq!((found.id, found.name.as_str(), found.api_key.as_str()), (first, "App „ü“", "one"));
    assert_eq!((found.shared_key.len(), &found.products, found.read_only), (256, &some, true));
    assert_eq!((found.revoked, found.created), (None, NOW));
    let found = conn.api_key("One").await.unwrap().unwrap();
    assert_eq!((found.id, found.products, found.read_only), (second, None, false));
    assert_eq!(conn.api_key("three").await.unwrap().unwrap().products, Some(Vec::new()));
    assert!(conn.api_key("none").await.unwrap().is_none());
    assert!(conn.revoke_api_key(first, NOW.plus_days(1)).await.unwrap());
    assert!(!conn.revoke_api_key(first, NOW.plus_days(2)).await.unwrap());
    assert!(!conn.revoke_api_key(404, NOW).await.unwrap());
    let revoked: Vec<_> = conn.api_keys().await.unwrap().into_iter().map(|key| key.revoked).collect();
    assert_eq!(revoked, [Some(NOW.plus_days(1)), None, None]);
    bench.commit(conn).await;
}
