//! The vendor's pages.

use countersign::{
    app::{
        ui::{FormState, Tone},
        vendor::*,
        view::{Frame, StaffBadge, VendorFrame},
    },
    licensing::{Date, Timestamp, decide::ActivationRefusal},
};
use leptos::prelude::*;

use super::{Draw, portal_samples::now};

fn vendor(frame: Frame) -> VendorFrame {
    let staff = StaffBadge {
        email: "ann.kent@acme.example".into(),
        role: "Owner".into(),
        manages_licenses: true,
        manages_products: true,
        manages_settings: true,
        manages_team: true,
        reads_settings: true,
        reads_audit: true,
    };
    VendorFrame { frame, staff, said: None }
}

fn date(text: &str) -> Timestamp {
    text.parse::<Date>().unwrap().end()
}

pub fn pages() -> Vec<(&'static str, Draw)> {
    vec![
        ("v-sign-in", |frame| {
            let mut form = FormState::filled([("email", "ann@acme.example")]);
            form.refuse_whole("E-mail address and password do not match.");
            view! { <SignInPage frame=frame view=SignInView { form, said: None, no_staff: false, unprotected: true }/> }
                .into_any()
        }),
        ("v-home", |frame| {
            let view = HomeView {
                attention: vec![Attention {
                    tone: Tone::Caution,
                    text: "The signing key of Plate Maker 2 stops verifying in 6 days.".into(),
                    link: Some(("See the keys".into(), "/vendor/keys".into())),
                }],
                tallies: vec![
                    Tally { label: "licenses".into(), figure: 12_408, href: Some("/vendor/licenses".into()) },
                    Tally { label: "machines with a seat".into(), figure: 30_112, href: None },
                    Tally { label: "activations this week".into(), figure: 214, href: None },
                    Tally { label: "refusals this week".into(), figure: 9, href: Some("/vendor/refusals".into()) },
                ],
                refusals: refusals(),
                has_products: true,
                has_licenses: true,
                now: now(),
            };
            view! { <VendorHomePage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-home-new", |frame| {
            let view = HomeView {
                attention: vec![],
                tallies: vec![],
                refusals: vec![],
                has_products: false,
                has_licenses: false,
                now: now(),
            };
            view! { <VendorHomePage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-licenses", |frame| {
            let view = LicenseListView {
                address: Address::new("/vendor/licenses").with("state", "enabled").with("sort", "-expires"),
                rows: licenses(),
                paging: Paging { total: Some(12_408), before: None, after: Some("c".into()) },
                products: vec![("press".into(), "Press Designer 4".into()), ("plates".into(), "Plate Maker 2".into())],
                any: true,
                now: now(),
            };
            view! { <LicensesPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-issue", |frame| view! { <IssuePage vendor=vendor(frame) view=issue()/> }.into_any()),
        ("v-issue-product", |frame| {
            view! { <IssuePage vendor=vendor(frame) view=IssueView { product: None, ..issue() }/> }.into_any()
        }),
        ("v-license", |frame| view! { <LicensePage vendor=vendor(frame) view=license(LicenseTab::Machines)/> }.into_any()),
        ("v-license-features", |frame| {
            view! { <LicensePage vendor=vendor(frame) view=license(LicenseTab::Features)/> }.into_any()
        }),
        ("v-license-edit", |frame| {
            let mut vendor = vendor(frame);
            vendor.said = Some((Tone::Good, "Saved. 3 seats became 5.".into()));
            view! { <LicensePage vendor=vendor view=license(LicenseTab::Edit)/> }.into_any()
        }),
        ("v-license-history", |frame| view! { <LicensePage vendor=vendor(frame) view=license(LicenseTab::History)/> }.into_any()),
        ("v-license-refusals", |frame| {
            view! { <LicensePage vendor=vendor(frame) view=license(LicenseTab::Refusals)/> }.into_any()
        }),
        ("v-issued", |frame| {
            let view = IssuedView {
                order: ("ACME-2026-1183".into(), 4),
                licenses: vec![(Some("7QX4A-9TJ2M-0BCDE-K07JT".into()), 7)],
                users: vec![("ann@press.example".into(), Some("qD3_x-7hTz0aB1cD".into())), ("bo@press.example".into(), None)],
                product: "Press Designer 4".into(),
            };
            view! { <IssuedPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-forbidden", |frame| {
            view! { <VendorProblemPage vendor=vendor(frame) problem=countersign::app::portal::Problem::NotAllowed/> }.into_any()
        }),
        ("v-license-message", |frame| {
            let view = LicenseView {
                standing: Standing::Disabled,
                can_activate: false,
                because: "It is disabled.".into(),
                put_away: Some((now().plus_days(-3), "ann.kent@acme.example".into(), "refunded".into())),
                ..license(LicenseTab::Message)
            };
            view! { <LicensePage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-license-refused", |frame| {
            let mut disable = FormState::default().scoped("disable").with_request_id("r");
            disable.refuse("reason", "Write the reason: the next person who asks will want it.");
            view! { <LicensePage vendor=vendor(frame) view=LicenseView { disable, ..license(LicenseTab::Machines) }/> }.into_any()
        }),
        ("v-license-air-gapped", |frame| {
            let view = LicenseView { air_gapped: true, machines: vec![], ..license(LicenseTab::Machines) };
            view! { <LicensePage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-orders", |frame| {
            let view = OrderListView {
                address: Address::new("/vendor/orders"),
                rows: vec![OrderRow {
                    id: 4,
                    reference: "ACME-2026-1183".into(),
                    provider: "by hand".into(),
                    customer: Some("ann@press.example".into()),
                    licenses: 3,
                    status: "fulfilled".into(),
                    ordered_at: now().plus_hours(-3),
                }],
                paging: Paging { total: Some(1), ..Paging::default() },
                any: true,
                now: now(),
            };
            view! { <OrdersPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-order", |frame| {
            let view = OrderView {
                id: 4,
                reference: "ACME-2026-1183".into(),
                provider: "by hand".into(),
                status: "fulfilled".into(),
                ordered_at: now().plus_hours(-3),
                customer: Some("ann@press.example".into()),
                customer_name: Some("Ann Kent".into()),
                licenses: licenses(),
                history: history(),
                keys: Some("7QX4A-9TJ2M-0BCDE-K07JT\n9TJ2M-7QX4A-0BCDE-0ABCD".into()),
                now: now(),
            };
            view! { <OrderPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-products", |frame| {
            let row = |code: &str, name: &str, enabled| ProductRow {
                code: code.into(),
                name: name.into(),
                licenses: 9_120,
                active: 21_044,
                newest_version: Some("4.2".into()),
                enabled,
            };
            let view =
                ProductListView { rows: vec![row("press", "Press Designer 4", true), row("plates", "Plate Maker 2", false)] };
            view! { <ProductsPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-product-new", |frame| {
            view! { <NewProductPage vendor=vendor(frame) form=FormState::filled([("auth", "key")]).with_request_id("r")/> }
                .into_any()
        }),
        ("v-product", |frame| view! { <ProductPage vendor=vendor(frame) view=product(ProductTab::Versions)/> }.into_any()),
        ("v-product-features", |frame| {
            view! { <ProductPage vendor=vendor(frame) view=product(ProductTab::Features)/> }.into_any()
        }),
        ("v-product-policies", |frame| {
            view! { <ProductPage vendor=vendor(frame) view=product(ProductTab::Policies)/> }.into_any()
        }),
        ("v-product-no-policies", |frame| {
            let view = ProductView { policies: vec![], ..product(ProductTab::Policies) };
            view! { <ProductPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-product-rules", |frame| view! { <ProductPage vendor=vendor(frame) view=product(ProductTab::Rules)/> }.into_any()),
        ("v-team", |frame| {
            let row = |id, email: &str, role: &str, is_you: bool| MemberRow {
                id,
                email: email.into(),
                role: role.into(),
                enabled: !email.starts_with("old"),
                last_sign_in: is_you.then(|| now().plus_hours(-1)),
                is_you,
            };
            let rows = vec![
                row(1, "ann.kent@acme.example", "Owner", true),
                row(2, "bo@acme.example", "Support", false),
                row(3, "old@acme.example", "Viewer", false),
            ];
            view! { <TeamPage vendor=vendor(frame) view=TeamView { rows, form: FormState::default(), now: now() }/> }.into_any()
        }),
        ("v-member", |frame| {
            let view = MemberView {
                id: 2,
                email: "bo@acme.example".into(),
                enabled: true,
                is_you: false,
                sessions: 2,
                role: FormState::filled([("role", "support")]).scoped("role"),
                password: FormState::default().scoped("set"),
                history: history(),
                now: now(),
            };
            view! { <MemberPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-account", |frame| {
            view! { <AccountPage vendor=vendor(frame) view=AccountView { form: FormState::default(), other_sessions: 2 }/> }
                .into_any()
        }),
        ("v-settings", |frame| {
            let limit = |name: &str, label: &str, hint: &str, unit: &str| SettingField {
                name: name.into(),
                label: label.into(),
                hint: hint.into(),
                unit: (!unit.is_empty()).then(|| unit.into()),
                switch: unit.is_empty(),
            };
            let view = SettingsView {
                form: FormState::filled([
                    ("name", "ACME Presses"),
                    ("accent", "#0b6464"),
                    ("support", "help@acme.example"),
                    ("a", "30"),
                ]),
                has_logo: true,
                limits: vec![limit(
                    "a",
                    "Activations from one address",
                    "More than this and the portal waits before it answers.",
                    "per minute",
                )],
                apps: vec![limit(
                    "b",
                    "A machine may have several trials",
                    "Whoever deletes the app and asks again begins a new one.",
                    "",
                )],
                history: history(),
                now: now(),
            };
            view! { <SettingsPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-audit", |frame| {
            let view = AuditView {
                address: Address::new("/vendor/audit"),
                rows: history(),
                paging: Paging { total: Some(4_211), before: None, after: Some("c".into()) },
                kinds: vec![("license".into(), "licenses".into()), ("product".into(), "products".into())],
                checked: None,
                now: now(),
            };
            view! { <AuditPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-refusals", |frame| {
            let view = RefusalListView {
                address: Address::new("/vendor/refusals").with("q", "R-7K"),
                rows: refusals(),
                paging: Paging { total: Some(2), ..Paging::default() },
                any: true,
                now: now(),
            };
            view! { <RefusalsPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-refusal", |frame| {
            let refusal = ActivationRefusal::SeatsExhausted { seats: 3, holders: vec![] };
            let view = RefusalRecordView {
                reference: "R-7K2M-9QXT".into(),
                at: now().plus_hours(-2),
                words: refusal.words(),
                code: "seats_exhausted".into(),
                asked: "Activate Press Designer 4".into(),
                through: "the form".into(),
                device_id: Some("4C4C4544-0042-3510-8052-B4C04F4D3732".into()),
                device_name: Some("press-9".into()),
                license: Some(("7QX4A-…-K07JT".into(), 7)),
                today: Some((Tone::Good, "It would be activated: one seat has become free.".into())),
                now: now(),
            };
            view! { <RefusalRecordPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-apps", |frame| {
            let key = |id: i64, name: &str, products: Option<Vec<String>>, read_only, revoked| ApiKeyRow {
                id,
                name: name.into(),
                api_key: "11abafc3-10b2-474a-b818-aaaf97c7512e".into(),
                products,
                read_only,
                revoked,
                created: now().plus_days(-200),
            };
            let client = |id: i64, name: &str, client_id: &str, reach: &str, secret_ends, revoked| ClientRow {
                id,
                name: name.into(),
                client_id: client_id.into(),
                reach: reach.into(),
                secret_ends,
                revoked,
            };
            let view = AppsView {
                keys: vec![
                    key(1, "Press Designer 4", None, false, None),
                    key(2, "Status page", Some(vec!["press".into(), "plates".into()]), true, None),
                    key(3, "Press Designer 3", None, false, Some(now().plus_days(-20))),
                ],
                clients: vec![
                    client(1, "Build server", "auth_company_1795657696386", "every license", None, None),
                    client(2, "ACME", "auth_customer_12", "licenses of it@acme.example", Some(now().plus_days(-1)), None),
                ],
                key_form: FormState::default().with_request_id("r").scoped("key"),
                client_form: FormState::default().with_request_id("s").scoped("client"),
                products: vec![("press".into(), "Press Designer 4".into()), ("plates".into(), "Plate Maker 2".into())],
                address: "https://activate.acme.example/api/v4".into(),
                public_key: Some(
                    "-----BEGIN PUBLIC KEY-----\nMIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA\n-----END PUBLIC KEY-----\n".into(),
                ),
                history: history(),
                now: now(),
            };
            view! { <AppsPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-apps-made", |frame| {
            let view = MadeView {
                title: "API key added",
                facts: vec![
                    ("API key", "11abafc3-10b2-474a-b818-aaaf97c7512e".into(), false),
                    ("Shared key", "kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja".into(), true),
                ],
                note: None,
            };
            view! { <MadePage vendor=vendor(frame) view=view/> }.into_any()
        }),
        ("v-keys", |frame| {
            let row = |kid: &str, state, days: i64| KeyRow {
                kid: kid.into(),
                signs: "License files".into(),
                product: Some("Press Designer 4".into()),
                state,
                since: now().plus_days(-days),
            };
            let view = KeysView {
                rows: vec![
                    row("x7daUyPRXPg_jT_rT5Ycd_XlEDY4sgoY2lVoHHZAZs2", KeyState::Active, 40),
                    row("bbdaUyPRXPg_jT_rT5Ycd_XlEDY4sgoY2lVoHHZAZs2", KeyState::Standby, 4),
                    row("ccdaUyPRXPg_jT_rT5Ycd_XlEDY4sgoY2lVoHHZAZs2", KeyState::Retiring(Some(now().plus_days(300))), 400),
                    KeyRow {
                        product: None,
                        signs: "LicenseSpring".into(),
                        ..row("ddUyPRXPg_jT_rT5Ycd_XlEDY", KeyState::Compromised, 3)
                    },
                ],
                rotatable: vec![RotateChoice { value: "press".into(), label: "Press Designer 4".into() }],
                weak: vec![("press".into(), "with SHA-1, and by a key of less than 2048 bits".into())],
                form: FormState::default().with_request_id("r"),
                history: history(),
                now: now(),
            };
            view! { <KeysPage vendor=vendor(frame) view=view/> }.into_any()
        }),
        #[cfg(debug_assertions)]
        ("v-parts", |frame| view! { <PartsPage vendor=vendor(frame) now=now()/> }.into_any()),
    ]
}

fn licenses() -> Vec<LicenseRow> {
    let row = |id: i64, key: &str, customer: Option<&str>, taken, seats, ends, standing, hours: i64| LicenseRow {
        id,
        key: Some(key.into()),
        product: "Press Designer 4".into(),
        customer: customer.map(Into::into),
        seats_taken: taken,
        seats,
        ends,
        standing,
        last_seen: (hours > 0).then(|| now().plus_hours(-hours)),
    };
    vec![
        row(7, "7QX4A-…-K07JT", Some("ann@press.example"), 2, Some(3), Ends::On(date("2027-03-12")), Standing::Enabled, 1),
        row(
            8,
            "9TJ2M-…-0ABCD",
            Some("a.rather.long.address@a-rather-long-domain.example"),
            1,
            Some(1),
            Ends::Never,
            Standing::Enabled,
            30,
        ),
        row(9, "K2M9T-…-4QX7J", None, 0, Some(5), Ends::Later("30 days after activation".into()), Standing::NotStarted, 0),
        row(10, "ZZ2M9-…-4QX7J", Some("bo@print.example"), 1_204, None, Ends::On(date("2026-03-12")), Standing::Expired, 900),
        row(11, "A02M9-…-4QX7J", Some("cy@print.example"), 1, Some(1), Ends::Never, Standing::Disabled, 4_000),
    ]
}

fn history() -> Vec<EventRow> {
    let change = |name: &str, before: Option<&str>, after: Option<&str>| Change {
        name: name.into(),
        before: before.map(Into::into),
        after: after.map(Into::into),
    };
    vec![
        EventRow {
            at: now().plus_hours(-1),
            actor: "ann.kent@acme.example".into(),
            act: "edited".into(),
            subject: Some(("…K07JT".into(), Some("/vendor/licenses/7".into()))),
            changes: vec![change("seats", Some("3"), Some("5")), change("note", None, Some("asked by phone"))],
            reason: None,
        },
        EventRow {
            at: now().plus_days(-2),
            actor: "the customer".into(),
            act: "activated press-7 with".into(),
            subject: Some(("…K07JT".into(), Some("/vendor/licenses/7".into()))),
            changes: vec![],
            reason: None,
        },
        EventRow {
            at: now().plus_days(-90),
            actor: "the command line".into(),
            act: "disabled".into(),
            subject: Some(("…0ABCD".into(), Some("/vendor/licenses/8".into()))),
            changes: vec![],
            reason: Some("refunded".into()),
        },
    ]
}

fn refusals() -> Vec<RefusalRow> {
    vec![
        RefusalRow {
            reference: "R-7K2M-9QXT".into(),
            at: now().plus_hours(-2),
            what: "All 3 seats are taken".into(),
            asked: "Activate Press Designer 4".into(),
            device: Some("press-9".into()),
            license: Some(("7QX4A-…-K07JT".into(), 7)),
        },
        RefusalRow {
            reference: "R-0ABC-DEFG".into(),
            at: now().plus_days(-3),
            what: "This activation key is not known here".into(),
            asked: "Activate Press Designer 4".into(),
            device: None,
            license: None,
        },
    ]
}

fn issue() -> IssueView {
    let form = [("type", "perpetual"), ("seats", "1"), ("quantity", "1"), ("offline", "1"), ("valid_days_from", "issue")];
    let feature = |code: &str, name: &str, counted| FeatureChoice { code: code.into(), name: name.into(), counted };
    IssueView {
        form: FormState::filled(form).with_request_id("r"),
        product: Some(IssueProduct {
            code: "press".into(),
            name: "Press Designer 4".into(),
            users: UsersAsked::Also,
            features: vec![feature("spot", "Spot colours", false), feature("export", "Exports", true)],
        }),
        products: vec![("press".into(), "Press Designer 4".into()), ("plates".into(), "Plate Maker 2".into())],
    }
}

fn license(tab: LicenseTab) -> LicenseView {
    let machine = |id: i64, name: Option<&str>, state, device_key| Machine {
        id,
        device_id: "4C4C4544-0042-3510-8052-B4C04F4D3732".into(),
        name: name.map(Into::into),
        state,
        how: "by file".into(),
        last_seen: Some(now().plus_hours(-5)),
        details: vec![("Windows".into(), "11".into()), ("app".into(), "4.2.1".into())],
        variables: if device_key { vec![("site".into(), "Hall 3".into()), ("serial".into(), "PX-7714".into())] } else { vec![] },
        device_key,
        slots: if device_key {
            vec![MachineSlot { feature: None, borrowed: true, until: Some(now().plus_hours(30)) }]
        } else {
            vec![]
        },
    };
    LicenseView {
        id: 7,
        tab,
        key: Some("7QX4A-9TJ2M-0BCDE-K07JT".into()),
        product: "Press Designer 4".into(),
        product_code: "press".into(),
        standing: Standing::Enabled,
        put_away: None,
        can_activate: true,
        because: "One seat is free, it is good through 12 Mar 2027, and files are allowed.".into(),
        kind: "time-limited".into(),
        trial: false,
        seats_taken: 2,
        seats: Some(3),
        floating: Some((1, 2, 72)),
        ends: Ends::On(date("2027-03-12")),
        grace_hours: 48,
        start: None,
        maintenance_until: Some(date("2027-03-12")),
        offline_allowed: true,
        air_gapped: false,
        transfers: "1 of 3 used".into(),
        customer: Some("ann@press.example".into()),
        order: Some(("ACME-2026-1183".into(), 4)),
        issued_at: now().plus_days(-120),
        note: Some("Asked for a fourth seat in spring.".into()),
        fields: vec![("Cost centre".into(), "4400".into())],
        qlm: Some(QlmFacts {
            model: "subscription".into(),
            version: Some("4.0".into()),
            features: Some("0:7;1:2;".into()),
            floating_seats: None,
            computer_type: None,
            reseller: Some("Nordwind".into()),
            user_data: Some("PO 4711".into()),
            old_key: Some("QL4-88213".into()),
            releases: Some("up to 3 times, counted over 30 days".into()),
            properties: vec![QlmProperty { name: "quality.rows".into(), value: "100".into(), valid_until: Some(date("2027-01-31")) }],
        }),
        machines: vec![
            machine(1, Some("press-7"), MachineState::Active { since: now().plus_hours(-5) }, true),
            machine(2, Some("Ann’s laptop"), MachineState::Active { since: now().plus_days(-80) }, false),
            machine(3, None, MachineState::Released { at: now().plus_days(-90), by: "the customer".into() }, false),
            machine(4, Some("stolen"), MachineState::Revoked { at: now().plus_days(-9), reason: "reported stolen".into() }, false),
        ],
        features: vec![
            FeatureRow { code: "spot".into(), name: "Spot colours".into(), valid_until: None, used: None, max: None, floating: Some((1, 2)) },
            FeatureRow { code: "export".into(), name: "Exports".into(), valid_until: Some(date("2026-12-31")), used: Some(120), max: Some(500), floating: None },
        ],
        users: vec![
            UserLine { email: "ann@press.example".into(), first_password: true, seats: Some(2), machines: 1 },
            UserLine { email: "bo@press.example".into(), first_password: false, seats: None, machines: 0 },
        ],
        more_machines: false,
        no_files: None,
        history: history(),
        more_history: true,
        lower_counter: Some((now().plus_days(-3), "4C4C4544-0042-3510-8052-B4C04F4D3732".into())),
        refusals: refusals(),
        more_refusals: false,
        edit: FormState::filled([("seats", "3"), ("valid_until", "2027-03-12"), ("offline", "1")]).with_request_id("r"),
        renew: FormState::filled([("valid_until", "2028-03-12")]).scoped("renew").with_request_id("r"),
        disable: FormState::default().scoped("disable").with_request_id("r"),
        revoke: None,
        message: "Your activation key for Press Designer 4:\n\n    7QX4A-9TJ2M-0BCDE-K07JT\n\nActivate at https://license.acme.example/activate".into(),
        now: now(),
    }
}

fn product(tab: ProductTab) -> ProductView {
    let rules = [
        ("name", "Press Designer 4"),
        ("device_key", "optional"),
        ("rebinds_per_year", "3"),
        ("offline_releases_per_year", "3"),
        ("min_hold_hours", "24"),
        ("device_details", "names"),
        ("trial_days", "0"),
        ("floating_timeout_minutes", "120"),
    ];
    ProductView {
        tab,
        weak: None,
        code: "press".into(),
        name: "Press Designer 4".into(),
        number: Some(4),
        enabled: true,
        licenses: 9_120,
        versions: vec![VersionLine {
            number: "4.2".into(),
            released: "2026-09-01".parse().unwrap(),
            channel: "stable".into(),
            env: "win64".into(),
            url: Some("https://acme.example/press-4.2.zip".into()),
        }],
        features: vec![FeatureLine { code: "spot".into(), name: "Spot colours".into(), counted: false, licenses: 412 }],
        policies: vec![
            PolicyLine {
                id: 3,
                code: "studio".into(),
                name: "Studio, five seats".into(),
                kind: "perpetual".into(),
                seats: "5".into(),
                ends: None,
                air_gapped: false,
            },
            PolicyLine {
                id: 998,
                code: "island".into(),
                name: "Machines in the mine".into(),
                kind: "time-limited".into(),
                seats: "1".into(),
                ends: Some("2028-12-31".parse().unwrap()),
                air_gapped: true,
            },
        ],
        history: history(),
        version: FormState::default().with_request_id("r"),
        feature: FormState::default().with_request_id("r"),
        policy: FormState::default().with_request_id("r"),
        rules: FormState::filled(rules),
        now: now(),
    }
}
