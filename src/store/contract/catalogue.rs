//! Products, versions, features, policies, and the keys that sign for them.

use super::{
    bench::Bench,
    samples::{self, NOW},
};
use crate::{
    licensing::{
        ProductCode, ProductId, Timestamp,
        license::LicenseType,
        product::{Authorization, DeviceDetails, DeviceKeyRule, FeatureKind, Installation, ProductRules, ProductState, Version, VersionNumber},
        qlm::PropertyDefinition,
        seal::{Seal, SealProduct, SealState, SealUse},
    },
    store::{NewProduct, NewRelease},
};

pub async fn a_product_comes_back_as_it_was_saved(bench: Bench) {
    let rules = ProductRules {
        trial_days: u32::MAX,
        floating_timeout_minutes: 0,
        refuse_virtual_machines: true,
        device_key: DeviceKeyRule::Required,
        rebinds_per_year: 7,
        offline_releases_per_year: 8,
        min_hold_hours: 9,
        offline_lease_days: Some(30),
        device_details: DeviceDetails::All,
        offline_types: LicenseType::ALL.to_vec(),
        trust_v1_deactivation: true,
        trust_airgap_deactivation: true,
        legacy_clients: true,
        qlm_keys: true,
        properties: PropertyDefinition::parse_all("größe.rows: int app = 7 # „Zeilen“").unwrap(),
        file_metadata: vec!["größe".to_owned()],
        file_fields: vec!["Straße \"7\"".to_owned(), "😀".to_owned()],
    };
    let new = NewProduct {
        number: Some(i64::from(i32::MAX)),
        name: "Presse \u{1f5a8} „Größe“ \\ %_'\"".to_owned(),
        authorization: Authorization::Both,
        rules,
        ..samples::new_product("Press-4.x_Pro")
    };
    let mut conn = bench.begin().await;
    let id = conn.add_product(&new, NOW).await.unwrap().unwrap();
    bench.commit(conn).await;
    let mut conn = bench.read().await;
    let found = conn.product(&ProductCode::parse("PRESS-4.X_PRO").unwrap()).await.unwrap().unwrap();
    assert_eq!(found.id, id);
    assert_eq!(found.code.as_str(), "Press-4.x_Pro");
    assert_eq!((found.number, &found.name, found.authorization, &found.rules), (new.number, &new.name, new.authorization, &new.rules));
    assert_eq!((found.state, found.created, found.revision), (ProductState::Enabled, NOW, 1));
    assert_eq!(conn.product_by_id(id).await.unwrap(), Some(found.clone()));
    assert_eq!(conn.product(&ProductCode::parse("press").unwrap()).await.unwrap(), None);
    assert_eq!(conn.product_by_id(ProductId(404)).await.unwrap(), None);
    drop(conn);

    for state in [ProductState::Disabled, ProductState::Archived, ProductState::Enabled] {
        for authorization in [Authorization::Key, Authorization::User] {
            let mut edited = found.clone();
            (edited.number, edited.name, edited.state, edited.authorization) = (None, "n".to_owned(), state, authorization);
            edited.rules = ProductRules::default();
            let mut conn = bench.begin().await;
            let before = conn.product_by_id(id).await.unwrap().unwrap().revision;
            assert_eq!(conn.save_product(&edited).await.unwrap(), Some(()));
            edited.revision = before + 1;
            assert_eq!(conn.product_by_id(id).await.unwrap(), Some(edited));
            bench.commit(conn).await;
        }
    }
}

pub async fn a_products_code_and_number_are_its_own(bench: Bench) {
    let mut conn = bench.begin().await;
    let first = NewProduct { number: Some(1), ..samples::new_product("press") };
    let id = conn.add_product(&first, NOW).await.unwrap().unwrap();
    assert_eq!(conn.add_product(&samples::new_product("PRESS"), NOW).await.unwrap(), None);
    assert_eq!(conn.add_product(&NewProduct { number: Some(1), ..samples::new_product("other") }, NOW).await.unwrap(), None);
    // Any number of products have none.
    let second = samples::product(&mut conn, "other").await;
    samples::product(&mut conn, "third").await;
    let mut product = conn.product_by_id(second).await.unwrap().unwrap();
    product.number = Some(1);
    assert_eq!(conn.save_product(&product).await.unwrap(), None);
    product.number = Some(2);
    assert_eq!(conn.save_product(&product).await.unwrap(), Some(()));
    let mut own = conn.product_by_id(id).await.unwrap().unwrap();
    own.name = "Same number as before".to_owned();
    assert_eq!(conn.save_product(&own).await.unwrap(), Some(()));
    bench.commit(conn).await;
}

pub async fn products_are_listed_by_name_as_people_sort(bench: Bench) {
    let mut conn = bench.begin().await;
    for (code, name) in [("a", "beta"), ("b", "Alpha"), ("c", "alpha 2"), ("d", "Älter"), ("e", "Beta"), ("f", "a-b"), ("g", "ab")] {
        conn.add_product(&NewProduct { name: name.to_owned(), ..samples::new_product(code) }, NOW).await.unwrap().unwrap();
    }
    bench.commit(conn).await;
    let names: Vec<String> = bench.read().await.products().await.unwrap().into_iter().map(|product| product.name).collect();
    assert_eq!(names, ["a-b", "ab", "Alpha", "alpha 2", "beta", "Beta", "Älter"]);
}

pub async fn versions_are_listed_newest_first(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let other = samples::product(&mut conn, "other").await;
    let new = |major, minor, channel: &str| NewRelease {
        version: Version { major, minor, released: NOW.plus_days(i64::from(minor)) },
        channel: channel.to_owned(),
        env: "win".to_owned(),
        file: Installation {
            url: "https://press.example/ü?a=1&b=%20".to_owned(),
            hash: "a".repeat(32),
            size: Some(1 << 40),
            requires: Some(VersionNumber { major: 3, minor: u32::from(u16::MAX) }),
            eula: "https://press.example/eula".to_owned(),
            notes: "https://press.example/notes".to_owned(),
        },
    };
    for (major, minor) in [(4, 9), (4, 10), (u32::MAX, 0), (3, u32::MAX)] {
        assert!(conn.add_release(product, &new(major, minor, "stable")).await.unwrap().is_some());
    }
    assert_eq!(conn.add_release(product, &new(4, 9, "stable")).await.unwrap(), None);
    assert!(conn.add_release(product, &new(4, 9, "beta")).await.unwrap().is_some());
    assert!(conn.add_release(other, &new(4, 9, "stable")).await.unwrap().is_some());
    bench.commit(conn).await;
    let found = bench.read().await.releases(product).await.unwrap();
    let numbers: Vec<_> = found.iter().map(|release| (release.version.major, release.version.minor)).collect();
    assert_eq!(numbers, [(u32::MAX, 0), (4, 10), (4, 9), (4, 9), (3, u32::MAX)]);
    let expected = new(4, 10, "stable");
    let release = &found[1];
    assert_eq!((release.product, release.version), (product, expected.version));
    assert_eq!((&release.channel, &release.env, &release.file), (&expected.channel, &expected.env, &expected.file));
    let other = Installation { url: "https://press.example/mended".to_owned(), ..Installation::default() };
    let mut conn = bench.begin().await;
    let revision = conn.product_by_id(product).await.unwrap().unwrap().revision;
    conn.set_installation(release, &other).await.unwrap();
    assert_eq!(conn.product_by_id(product).await.unwrap().unwrap().revision, revision + 1, "who keeps versions has to see it");
    bench.commit(conn).await;
    assert_eq!(bench.read().await.releases(product).await.unwrap()[1].file, other);
    assert!(bench.read().await.releases(ProductId(404)).await.unwrap().is_empty());
}

pub async fn features_and_policies_belong_to_their_product(bench: Bench) {
    let terms = samples::full_terms();
    let mut conn = bench.begin().await;
    let product = samples::product(&mut conn, "press").await;
    let other = samples::product(&mut conn, "other").await;
    for (code, kind) in [("print", FeatureKind::Activation), ("B", FeatureKind::Consumption), ("a-b", FeatureKind::Activation)] {
        assert!(conn.add_feature(product, code, "Name ü", kind).await.unwrap().is_some());
    }
    assert_eq!(conn.add_feature(product, "print", "Again", FeatureKind::Activation).await.unwrap(), None);
    assert!(conn.add_feature(other, "print", "Other", FeatureKind::Consumption).await.unwrap().is_some());
    let policy = conn.add_policy(product, "standard", "Standard", &terms).await.unwrap().unwrap();
    assert_eq!(conn.add_policy(product, "standard", "Again", &terms).await.unwrap(), None);
    assert!(conn.add_policy(other, "standard", "Other", &terms).await.unwrap().is_some());
    bench.commit(conn).await;
    bench.tamper("update feature set bit_set = 3, bit_mask = 255 where code = 'B'").await;
    let mut conn = bench.read().await;
    let features = conn.features(product).await.unwrap();
    let shown: Vec<_> = features.iter().map(|feature| (feature.code.as_str(), feature.kind, feature.bit)).collect();
    assert_eq!(
        shown,
        [("B", FeatureKind::Consumption, Some((3, 255))), ("a-b", FeatureKind::Activation, None), ("print", FeatureKind::Activation, None)]
    );
    assert!(features.iter().all(|feature| feature.product == product && feature.name == "Name ü"));
    let policies = conn.policies(product).await.unwrap();
    assert_eq!(policies.len(), 1);
    assert_eq!((policies[0].id, policies[0].name.as_str(), &policies[0].terms), (policy, "Standard", &terms));
    assert!(conn.policies(ProductId(404)).await.unwrap().is_empty());
}

fn seal(kid: &str, product: Option<(ProductId, &str)>, state: SealState) -> Seal {
    Seal {
        id: None,
        kid: kid.to_owned(),
        purpose: if product.is_some() { SealUse::License } else { SealUse::LicenseSpring },
        product: product.map(|(id, code)| SealProduct { id, code: ProductCode::parse(code).unwrap() }),
        public: (0..=255).collect(),
        secret: vec![0, 255, 7],
        state,
        created_at: NOW,
        last_exp: None,
        signed_without_exp: false,
        imported: false,
    }
}

pub async fn a_signing_key_comes_back_in_every_state(bench: Bench) {
    let mut conn = bench.begin().await;
    let product = Some((samples::product(&mut conn, "press").await, "press"));
    let (since, at) = (NOW, NOW);
    let states = [
        SealState::Retired { at },
        SealState::Compromised { at: Timestamp::from_millis(0) },
        SealState::Retiring { since, until: None },
        SealState::Retiring { since, until: Some(NOW.plus_days(9999)) },
        SealState::Active { since },
        SealState::Standby { since },
    ];
    let mut kept: Vec<Seal> = states.into_iter().enumerate().map(|(number, state)| seal(&format!("k{number}"), product, state)).collect();
    kept[0].secret.clear();
    kept.push(Seal { last_exp: Some(NOW.plus_days(1)), signed_without_exp: true, ..seal("springs", None, SealState::Active { since }) });
    for seal in &kept {
        conn.save_seal(seal).await.unwrap();
        assert!(conn.seal_by_kid(&seal.kid).await.unwrap().is_some());
    }
    assert!(conn.seal_by_kid("none").await.unwrap().is_none());
    bench.commit(conn).await;
    let found = bench.read().await.seals().await.unwrap();
    assert_eq!(found.len(), kept.len());
    for (found, kept) in found.into_iter().zip(kept) {
        let id = found.id;
        assert!(id.is_some());
        assert!(found == Seal { id, ..kept }, "{found:?}");
    }
}

pub async fn a_key_that_can_never_sign_again_loses_its_secret(bench: Bench) {
    let mut conn = bench.begin().await;
    let mut lost = seal("lost", None, SealState::Active { since: NOW });
    conn.save_seal(&lost).await.unwrap();
    lost = conn.seal_by_kid("lost").await.unwrap().unwrap();
    assert_eq!(lost.secret, [0, 255, 7]);
    (lost.state, lost.secret) = (SealState::Compromised { at: NOW.plus_days(1) }, Vec::new());
    conn.save_seal(&lost).await.unwrap();
    bench.commit(conn).await;
    assert_eq!(bench.ask("select cast(octet_length(secret) as text) from seal").await, ["0"]);
    let mut conn = bench.begin().await;
    // Whoever read it before saves it again: it stays compromised.
    conn.save_seal(&seal("lost", None, SealState::Active { since: NOW })).await.unwrap();
    let found = conn.lock_seals().await.unwrap().remove(0);
    assert_eq!((found.state, found.secret.len()), (SealState::Compromised { at: NOW.plus_days(1) }, 0));
    bench.commit(conn).await;
}

pub async fn what_a_key_has_promised_is_only_raised(bench: Bench) {
    let mut conn = bench.begin().await;
    let read_before = seal("key", None, SealState::Active { since: NOW });
    conn.save_seal(&read_before).await.unwrap();
    let promised = Seal { last_exp: Some(NOW.plus_days(30)), signed_without_exp: true, ..read_before.clone() };
    conn.save_seal(&promised).await.unwrap();
    for last_exp in [None, Some(NOW.plus_days(29))] {
        conn.save_seal(&Seal { last_exp, ..read_before.clone() }).await.unwrap();
        let found = conn.seal_by_kid("key").await.unwrap().unwrap();
        assert_eq!((found.last_exp, found.signed_without_exp), (promised.last_exp, true));
    }
    conn.save_seal(&Seal { last_exp: Some(NOW.plus_days(31)), ..read_before }).await.unwrap();
    assert_eq!(conn.seal_by_kid("key").await.unwrap().unwrap().last_exp, Some(NOW.plus_days(31)));
    bench.commit(conn).await;
}

pub async fn a_ring_has_one_active_key_and_one_on_standby(bench: Bench) {
    let mut conn = bench.begin().await;
    let press = samples::product(&mut conn, "press").await;
    let other = samples::product(&mut conn, "other").await;
    for (number, ring) in [Some((press, "press")), Some((other, "other")), None].into_iter().enumerate() {
        conn.save_seal(&seal(&format!("active-{number}"), ring, SealState::Active { since: NOW })).await.unwrap();
        conn.save_seal(&seal(&format!("standby-{number}"), ring, SealState::Standby { since: NOW })).await.unwrap();
    }
    bench.commit(conn).await;
    // Two rotations at once, of rings that were read before either was saved.
    for state in [SealState::Active { since: NOW }, SealState::Standby { since: NOW }] {
        for ring in [Some((press, "press")), None] {
            let mut conn = bench.begin().await;
            assert!(conn.save_seal(&seal("second", ring, state)).await.is_err(), "{state:?}");
            conn.execute("rollback").await.unwrap();
        }
    }
    let mut conn = bench.begin().await;
    let ring = Some((press, "press"));
    conn.save_seal(&seal("active-0", ring, SealState::Retiring { since: NOW, until: None })).await.unwrap();
    conn.save_seal(&seal("standby-0", ring, SealState::Active { since: NOW })).await.unwrap();
    conn.save_seal(&seal("fresh-0", ring, SealState::Standby { since: NOW })).await.unwrap();
    bench.commit(conn).await;
}
