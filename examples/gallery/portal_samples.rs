//! The customer's pages.

use countersign::{
    app::{
        portal::*,
        ui::{Check, FormState, Tone},
    },
    licensing::{
        DeviceId, DeviceName, Timestamp,
        decide::{ActivationRefusal, Holder},
    },
};
use leptos::prelude::*;

use super::Draw;

pub fn now() -> Timestamp {
    Timestamp::from_rfc3339("2026-11-21T14:05:00Z").unwrap()
}

pub fn pages() -> Vec<(&'static str, Draw)> {
    vec![
        ("home", |frame| view! { <HomePage frame=frame/> }.into_any()),
        ("activate", |frame| {
            let view = ActivateView { form: FormState::default().with_request_id("r1"), products: vec![] };
            view! { <ActivatePage frame=frame view=view/> }.into_any()
        }),
        ("activate-refused", |frame| {
            let mut form = FormState::filled([("key", "7QX4A-9TJ2M-BBBBB-K07JT"), ("email", "ann@"), ("device_name", "press-7")])
                .with_request_id("r1");
            form.refuse("key", "The third group has a typing mistake: BBBBB. Compare it with your order.");
            form.refuse("device_id", "The computer id is missing. The app shows it where it asks for a key.");
            form.refuse("email", "This is not a whole e-mail address. Leave it empty, or write it like ann@press.example.");
            let products = vec![("press".into(), "Press Designer 4".into()), ("plates".into(), "Plate Maker 2".into())];
            view! { <ActivatePage frame=frame view=ActivateView { form, products }/> }.into_any()
        }),
        ("activated", |frame| {
            let view = ActivatedView {
                product: "Press Designer 4".into(),
                key_ends: "K07JT".into(),
                device_id: "4C4C4544-0042-3510-8052-B4C04F4D3732".into(),
                device_name: Some("press-7".into()),
                computer_key: "eyJhbGciOiJFZERTQSIsInR5cCI6ImNzLWxpYytqd3QiLCJraWQiOiJ4N2RhVXlQUlhQZ19qVF9yVDVZY2RfWGxFRFk0c2dvWTJsVm9ISFpBWnMifQ".to_owned()
                    + &".eyJ2IjoxLCJpc3MiOiJodHRwczovL2xpY2Vuc2UuYWNtZS5leGFtcGxlIiwiYXVkIjoicHJlc3MiLCJzdWIiOiI0MjAxIn0".repeat(4),
                download: "/activations/t/license.lic".into(),
                file_name: "license.lic".into(),
                activated_at: now(),
                valid_until: Some("2027-03-12".parse::<countersign::licensing::Date>().unwrap().end()),
                maintenance_until: None,
                seats_taken: 2,
                seats: Some(3),
            };
            view! { <ActivatedPage frame=frame view=view/> }.into_any()
        }),
        ("refusal-seats", |frame| {
            let words = ActivationRefusal::SeatsExhausted { seats: 3, holders: holders() }.words();
            let view = RefusalView {
                words,
                holders: holders(),
                reference: "R-7K2M-9QXT".into(),
                back: "/activate",
                files_help: false,
                now: now(),
            };
            view! { <RefusalPage frame=frame view=view/> }.into_any()
        }),
        ("refusal-file", |frame| {
            let words = ActivationRefusal::DeviceKeyRequired.words();
            let view = RefusalView {
                words,
                holders: vec![],
                reference: "R-7K2M-9QXT".into(),
                back: "/activate",
                files_help: true,
                now: now(),
            };
            view! { <RefusalPage frame=frame view=view/> }.into_any()
        }),
        ("offline", |frame| {
            let view = OfflineView {
                form: FormState::default().with_request_id("r2"),
                most_files: 50,
                most_kib: 64,
                unprotected: false,
            };
            view! { <OfflinePage frame=frame view=view/> }.into_any()
        }),
        ("offline-refused", |frame| {
            let mut form = FormState::default();
            form.refuse("files", "No file was chosen. Choose the request file the app made, or paste its text.");
            let view = OfflineView { form, most_files: 50, most_kib: 64, unprotected: true };
            view! { <OfflinePage frame=frame view=view/> }.into_any()
        }),
        ("offline-results", |frame| view! { <OfflineResultsPage frame=frame view=results()/> }.into_any()),
        ("inspect", |frame| view! { <InspectPage frame=frame view=InspectView::default()/> }.into_any()),
        ("inspect-report", |frame| {
            let report = InspectReport {
                file_name: Some("license.lic".into()),
                kind: "License file for Press Designer 4".into(),
                tone: Tone::Good,
                verdict: "Genuine".into(),
                checks: vec![
                    Check::new(Tone::Good, "complete"),
                    Check::new(Tone::Good, "signed by ACME Presses"),
                    Check::new(Tone::Caution, "made 40 days ago")
                        .because("The license may have changed since. The app can ask for a fresh file."),
                    Check::new(Tone::Info, "the client’s own signature is not checked here"),
                ],
                facts: vec![
                    ("Product".into(), "press".into()),
                    ("Key ending".into(), "…K07JT".into()),
                    ("Computer id".into(), "4C4C4544-0042-3510-8052-B4C04F4D3732".into()),
                    ("Good through".into(), "12 Mar 2027".into()),
                ],
            };
            view! { <InspectPage frame=frame view=InspectView { report: Some(report), form: FormState::default() }/> }.into_any()
        }),
        ("not-found", |frame| view! { <ProblemPage frame=frame problem=Problem::NotFound/> }.into_any()),
        ("too-large", |frame| view! { <ProblemPage frame=frame problem=Problem::TooLarge { most_kib: 64 }/> }.into_any()),
        ("fault", |frame| {
            view! { <ProblemPage frame=frame problem=Problem::Fault { reference: "F-7K2M-9QXT".into() }/> }.into_any()
        }),
    ]
}

fn holders() -> Vec<Holder> {
    let holder = |id: &str, name: Option<&str>, hours: i64| {
        Holder::new(&DeviceId::parse(id).unwrap(), name.map(|name| DeviceName::parse(name).unwrap()), now().plus_hours(-hours))
    };
    vec![
        holder("4C4C4544-0042-3510-8052-B4C04F4D3732", Some("press-7"), 5),
        holder("0D8A11F2-77C0-4B0E-9C41-EE01AA90B1C2", Some("Ann’s laptop"), 4_000),
        holder("F00DF00D-77C0-4B0E-9C41-EE01AA90B9D0", None, 12_000),
    ]
}

fn results() -> OfflineResultsView {
    let facts =
        vec![("Key ending".into(), "…K07JT".into()), ("Machine".into(), "press-7".into()), ("Made".into(), "today 14:02".into())];
    let checks = vec![
        Check::new(Tone::Good, "complete"),
        Check::new(Tone::Good, "signed by the machine"),
        Check::new(Tone::Caution, "the machine’s clock is 56 years behind")
            .because("Nothing depends on it; its battery may be empty."),
    ];
    let words = ActivationRefusal::SeatsExhausted { seats: 3, holders: holders() }.words();
    let confirm = countersign::licensing::decide::ReleaseRefusal::ConfirmRelease.words();
    OfflineResultsView {
        rows: vec![
            OfflineRow {
                file_name: "activate.req".into(),
                asks_to: Some("Activate Press Designer 4".into()),
                facts: facts.clone(),
                checks: checks.clone(),
                outcome: Outcome::License { download: "/offline/t/1".into(), file_name: "activate.lic".into() },
            },
            OfflineRow {
                file_name: "press-8.req".into(),
                asks_to: Some("Activate Press Designer 4".into()),
                facts: facts.clone(),
                checks: vec![Check::new(Tone::Good, "complete")],
                outcome: Outcome::Refused { words, holders: holders(), reference: Some("R-7K2M-9QXT".into()) },
            },
            OfflineRow {
                file_name: "deactivate.req".into(),
                asks_to: Some("Release Press Designer 4".into()),
                facts,
                checks: vec![],
                outcome: Outcome::Confirm { words: confirm, action: "/offline/t/3".into(), form: FormState::default() },
            },
            OfflineRow {
                file_name: "scan_of_the_screen_with_a_very_long_name_that_somebody_gave_it_2026.pdf".into(),
                asks_to: None,
                facts: vec![],
                checks: vec![
                    Check::new(Tone::Refused, "This is a PDF")
                        .because("A request file is a short text the app writes. Choose the file that ends in .req."),
                ],
                outcome: Outcome::Receipt { download: "/offline/t/4".into(), file_name: "receipt.jws".into() },
            },
        ],
        zip: Some("/offline/t/all.zip".into()),
        until: now().plus_days(30),
        now: now(),
    }
}
