//! Products: the list, adding one, a product with its versions, features and rules.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;

use super::{
    common::{draw, event, of, refuse, typed_day, typed_number},
    csv_file,
};
use crate::{
    app::{
        ui::FormState,
        vendor::{
            FeatureLine, NewProductPage, ProductListView, ProductPage, ProductRow, ProductTab, ProductView, ProductsPage,
            VersionLine,
        },
    },
    desk::{ActError, Area, Level, ProductEdit, Visitor},
    licensing::{
        ProductCode, TextError,
        product::{
            Authorization, DeviceDetails, DeviceKeyRule, FeatureKind, Installation, ProductRules, ProductState, Version,
            VersionNumber,
        },
        qlm::PropertyDefinition,
    },
    server::{
        AppState,
        forms::{form, pairs},
        page::{act_problem, see_other},
        path::Path,
        session::Staff,
    },
    store::{NewProduct, NewRelease, Subject},
};

pub async fn list(State(state): State<AppState>, Staff(visitor): Staff) -> Response {
    match state.desk.product_rows(&visitor).await {
        Ok(rows) => {
            let rows = rows.into_iter().map(|row| ProductRow {
                code: row.product.code.to_string(),
                name: row.product.name,
                licenses: row.licenses,
                active: row.seats,
                newest_version: row.newest.map(|version| format!("{}.{}", version.major, version.minor)),
                enabled: row.product.state == ProductState::Enabled,
            });
            let view = ProductListView { rows: rows.collect() };
            draw(&state, StatusCode::OK, &visitor, "", |vendor| view! { <ProductsPage vendor=vendor view=view/> })
        }
        Err(error) => act_problem(&state, error),
    }
}

pub async fn csv(State(state): State<AppState>, Staff(visitor): Staff) -> Response {
    match state.desk.product_rows(&visitor).await {
        Ok(rows) => {
            let rows = rows.into_iter().map(|row| {
                vec![
                    row.product.code.to_string(),
                    row.product.name,
                    row.product.number.map(|number| number.to_string()).unwrap_or_default(),
                    row.product.authorization.as_str().to_owned(),
                    row.product.state.as_str().to_owned(),
                    row.licenses.to_string(),
                    row.seats.to_string(),
                ]
            });
            let head = ["code", "name", "number", "authorization", "state", "licenses", "seats_taken"];
            csv_file::respond("products.csv", &head, rows.collect::<Vec<_>>())
        }
        Err(error) => act_problem(&state, error),
    }
}

pub async fn new(State(state): State<AppState>, Staff(visitor): Staff) -> Response {
    let form = FormState::filled([("auth", "key")]);
    draw_new(&state, StatusCode::OK, &visitor, form)
}

fn draw_new(state: &AppState, status: StatusCode, visitor: &Visitor, form: FormState) -> Response {
    if let Err(forbidden) = visitor.needs(Area::Products, Level::Manage) {
        return act_problem(state, forbidden.into());
    }
    draw(state, status, visitor, "", |vendor| view! { <NewProductPage vendor=vendor form=form/> })
}

pub async fn add(State(state): State<AppState>, Staff(visitor): Staff, body: Bytes) -> Response {
    let mut typed = form(&body);
    let code = ProductCode::parse(typed.value("code"));
    let number = typed_number(typed.value("number"), 1_000_000_000);
    if let Err(error) = &code {
        typed.refuse(
            "code",
            match error {
                TextError::Empty => "Choose a code; the app sends it with every request.",
                _ => "A code is 1 to 64 letters, digits, dashes, dots or underscores.",
            },
        );
    }
    if let Err(message) = &number {
        typed.refuse("number", message.clone());
    }
    let (Ok(code), Ok(number)) = (code, number) else {
        return draw_new(&state, StatusCode::UNPROCESSABLE_ENTITY, &visitor, typed);
    };
    let new = NewProduct {
        code: code.clone(),
        number: number.map(i64::from),
        name: typed.value("name").trim().to_owned(),
        authorization: Authorization::parse(typed.value("auth")).unwrap_or(Authorization::Key),
        rules: ProductRules::default(),
    };
    match state.desk.add_product(&visitor, new).await {
        Ok(_) => see_other(&format!("/vendor/products/{code}?said=added")),
        // The same form sent twice: the product is there.
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_new(&state, status, &visitor, typed),
            Err(response) => response,
        },
    }
}

/// Which of the page's forms came back, with what stands in its way.
pub(super) enum Came {
    None,
    Version(FormState),
    Feature(FormState),
    Policy(FormState),
    Rules(FormState),
}

pub async fn show(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path(code): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let tab = ProductTab::parse(of(&query, "tab"));
    draw_product(&state, StatusCode::OK, &visitor, &code, tab, of(&query, "said"), Came::None).await
}

pub(super) async fn draw_product(
    state: &AppState,
    status: StatusCode,
    visitor: &Visitor,
    code: &str,
    tab: ProductTab,
    said: &str,
    came: Came,
) -> Response {
    match read(state, visitor, code, tab, came).await {
        Ok(view) => draw(state, status, visitor, said, |vendor| view! { <ProductPage vendor=vendor view=view/> }),
        Err(error) => act_problem(state, error),
    }
}

async fn read(state: &AppState, visitor: &Visitor, code: &str, tab: ProductTab, came: Came) -> Result<ProductView, ActError> {
    let code = ProductCode::parse(code).map_err(|_| ActError::NotFound)?;
    let found = state.desk.product(&code).await?;
    let product = &found.product;
    let codes: Vec<String> = found.features.iter().map(|feature| feature.code.clone()).collect();
    let counts = state.desk.feature_counts(visitor, product.id, &codes).await?;
    let rows = state.desk.product_rows(visitor).await?;
    let licenses = rows.iter().find(|row| row.product.id == product.id).map_or(0, |row| row.licenses);
    let history = state.desk.history(visitor, Area::Products, Subject::of("product", product.id.0)).await?;
    let version = FormState::default().scoped("version");
    let feature = FormState::default().scoped("feature");
    let policy = FormState::filled([("seats", "1")]).scoped("policy");
    let rules = rules_form(product).scoped("rules");
    let weak = state.desk.weak_documents().await?.into_iter().find(|(code, _)| *code == product.code);
    let weak = weak.map(|(_, why)| why.to_owned());
    let mut view = ProductView {
        weak,
        tab,
        code: product.code.to_string(),
        name: product.name.clone(),
        number: product.number,
        enabled: product.state == ProductState::Enabled,
        licenses,
        versions: found
            .releases
            .iter()
            .map(|release| VersionLine {
                number: format!("{}.{}", release.version.major, release.version.minor),
                released: release.version.released.date(),
                channel: release.channel.clone(),
                env: release.env.clone(),
                url: Some(release.file.url.clone()).filter(|url| !url.is_empty()),
            })
            .collect(),
        features: found
            .features
            .iter()
            .zip(counts)
            .map(|(feature, licenses)| FeatureLine {
                code: feature.code.clone(),
                name: feature.name.clone(),
                counted: feature.kind == FeatureKind::Consumption,
                licenses,
            })
            .collect(),
        history: history.iter().map(|entry| event(entry, None)).collect(),
        policies: found.policies.iter().map(super::policies::line).collect(),
        version,
        feature,
        policy,
        rules,
        now: state.desk.now(),
    };
    match came {
        Came::None => {}
        Came::Version(form) => view.version = form.scoped("version"),
        Came::Feature(form) => view.feature = form.scoped("feature"),
        Came::Policy(form) => view.policy = form.scoped("policy"),
        Came::Rules(form) => view.rules = form.scoped("rules"),
    }
    Ok(view)
}

fn rules_form(product: &crate::licensing::product::Product) -> FormState {
    let rules = &product.rules;
    let tick = |on: bool| if on { "1".to_owned() } else { String::new() };
    FormState::filled([
        ("name", product.name.clone()),
        ("number", product.number.map(|number| number.to_string()).unwrap_or_default()),
        ("device_key", if rules.device_key == DeviceKeyRule::Required { "required" } else { "optional" }.to_owned()),
        ("rebinds_per_year", rules.rebinds_per_year.to_string()),
        ("offline_releases_per_year", rules.offline_releases_per_year.to_string()),
        ("min_hold_hours", rules.min_hold_hours.to_string()),
        ("offline_lease_days", rules.offline_lease_days.map(|days| days.to_string()).unwrap_or_default()),
        (
            "device_details",
            match rules.device_details {
                DeviceDetails::Id => "id",
                DeviceDetails::Names => "names",
                DeviceDetails::All => "all",
            }
            .to_owned(),
        ),
        ("refuse_virtual_machines", tick(rules.refuse_virtual_machines)),
        ("trial_days", rules.trial_days.to_string()),
        ("floating_timeout_minutes", rules.floating_timeout_minutes.to_string()),
        ("trust_v1_deactivation", tick(rules.trust_v1_deactivation)),
        ("trust_airgap_deactivation", tick(rules.trust_airgap_deactivation)),
        ("legacy_clients", tick(rules.legacy_clients)),
        ("qlm_keys", tick(rules.qlm_keys)),
        ("properties", PropertyDefinition::text(&rules.properties)),
    ])
}

pub async fn edit(State(state): State<AppState>, Staff(visitor): Staff, Path(code): Path<String>, body: Bytes) -> Response {
    let mut typed = form(&body);
    let found = match ProductCode::parse(&code).map_err(|_| ActError::NotFound) {
        Ok(parsed) => state.desk.product(&parsed).await,
        Err(error) => Err(error),
    };
    let product = match found {
        Ok(view) => view.product,
        Err(error) => return act_problem(&state, error),
    };
    let Some(edit) = read_rules(&mut typed, product.rules) else {
        return draw_product(
            &state,
            StatusCode::UNPROCESSABLE_ENTITY,
            &visitor,
            &code,
            ProductTab::Rules,
            "",
            Came::Rules(typed),
        )
        .await;
    };
    match state.desk.edit_product(&visitor, &product.code, edit).await {
        Ok(()) => see_other(&format!("/vendor/products/{code}?tab=rules&said=saved")),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_product(&state, status, &visitor, &code, ProductTab::Rules, "", Came::Rules(typed)).await,
            Err(response) => response,
        },
    }
}

fn read_rules(form: &mut FormState, before: ProductRules) -> Option<ProductEdit> {
    let mut wrong = Vec::new();
    let mut number = |name: &'static str, most: u32| match typed_number(form.value(name), most) {
        Ok(number) => number,
        Err(message) => {
            wrong.push((name, message));
            None
        }
    };
    let properties = PropertyDefinition::parse_all(form.value("properties"));
    let rules = ProductRules {
        trial_days: number("trial_days", 3650).unwrap_or(0),
        floating_timeout_minutes: number("floating_timeout_minutes", 525_600).unwrap_or(120),
        rebinds_per_year: number("rebinds_per_year", 1000).unwrap_or(0),
        offline_releases_per_year: number("offline_releases_per_year", 1000).unwrap_or(0),
        min_hold_hours: number("min_hold_hours", 8760).unwrap_or(0),
        offline_lease_days: number("offline_lease_days", 36_500),
        refuse_virtual_machines: form.ticked("refuse_virtual_machines"),
        device_key: if form.value("device_key") == "required" { DeviceKeyRule::Required } else { DeviceKeyRule::Optional },
        device_details: match form.value("device_details") {
            "id" => DeviceDetails::Id,
            "all" => DeviceDetails::All,
            _ => DeviceDetails::Names,
        },
        trust_v1_deactivation: form.ticked("trust_v1_deactivation"),
        trust_airgap_deactivation: form.ticked("trust_airgap_deactivation"),
        legacy_clients: form.ticked("legacy_clients"),
        qlm_keys: form.ticked("qlm_keys"),
        properties: properties.clone().unwrap_or_default(),
        ..before
    };
    let product_number = number("number", 1_000_000_000).map(i64::from);
    if let Err(error) = &properties {
        wrong.push(("properties", error.to_string()));
    }
    if !wrong.is_empty() {
        for (field, message) in wrong {
            form.refuse(field, message);
        }
        return None;
    }
    Some(ProductEdit {
        name: Some(form.value("name").trim().to_owned()),
        number: Some(product_number),
        rules: Some(rules),
        ..ProductEdit::default()
    })
}

pub async fn add_version(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path(code): Path<String>,
    body: Bytes,
) -> Response {
    let mut typed = form(&body);
    let number = typed.value("version").parse::<VersionNumber>();
    let released = typed_day(typed.value("released"));
    let text = |name: &str| typed.value(name).trim().to_owned();
    let (channel, env) = (text("channel"), text("env"));
    let (size, requires) = (text("size"), text("requires"));
    let mut file = Installation {
        url: text("url"),
        hash: text("hash").to_lowercase(),
        eula: text("eula"),
        notes: text("notes"),
        ..Installation::default()
    };
    if number.is_err() {
        typed.refuse("version", "A version is one or two numbers, such as 4.2.");
    }
    if !matches!(released, Ok(Some(_))) {
        typed.refuse("released", "Choose the day it came out; maintenance is measured by it.");
    }
    if !size.is_empty() {
        file.size = size.parse().ok();
        if file.size.is_none() {
            typed.refuse("size", "A size is a number of bytes.");
        }
    }
    if !requires.is_empty() {
        file.requires = requires.parse().ok();
        if file.requires.is_none() {
            typed.refuse("requires", "A version is one or two numbers, such as 4.2.");
        }
    }
    if let Err((field, told)) = file.check() {
        typed.refuse(field, told);
    }
    let (Ok(number), Ok(Some(released)), false, Ok(product)) = (number, released, typed.is_refused(), ProductCode::parse(&code))
    else {
        return draw_product(
            &state,
            StatusCode::UNPROCESSABLE_ENTITY,
            &visitor,
            &code,
            ProductTab::Versions,
            "",
            Came::Version(typed),
        )
        .await;
    };
    let version = Version { major: number.major, minor: number.minor, released: released.midnight() };
    let new = NewRelease { version, channel, env, file };
    match state.desk.add_release(&visitor, &product, new).await {
        Ok(_) => see_other(&format!("/vendor/products/{code}?said=added")),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_product(&state, status, &visitor, &code, ProductTab::Versions, "", Came::Version(typed)).await,
            Err(response) => response,
        },
    }
}

pub async fn add_feature(
    State(state): State<AppState>,
    Staff(visitor): Staff,
    Path(code): Path<String>,
    body: Bytes,
) -> Response {
    let mut typed = form(&body);
    let kind = FeatureKind::parse(typed.value("kind")).unwrap_or(FeatureKind::Activation);
    let Ok(product) = ProductCode::parse(&code) else { return act_problem(&state, ActError::NotFound) };
    let added = state.desk.add_feature(&visitor, &product, typed.value("code"), typed.value("name").trim(), kind).await;
    match added {
        Ok(_) => see_other(&format!("/vendor/products/{code}?tab=features&said=added")),
        Err(error) => match refuse(&state, &mut typed, error) {
            Ok(status) => draw_product(&state, status, &visitor, &code, ProductTab::Features, "", Came::Feature(typed)).await,
            Err(response) => response,
        },
    }
}

pub async fn pause(State(state): State<AppState>, Staff(visitor): Staff, Path(code): Path<String>) -> Response {
    set_state(&state, &visitor, &code, ProductState::Disabled, "paused").await
}

pub async fn resume(State(state): State<AppState>, Staff(visitor): Staff, Path(code): Path<String>) -> Response {
    set_state(&state, &visitor, &code, ProductState::Enabled, "resumed").await
}

async fn set_state(state: &AppState, visitor: &Visitor, code: &str, to: ProductState, said: &str) -> Response {
    let Ok(product) = ProductCode::parse(code) else { return act_problem(state, ActError::NotFound) };
    match state.desk.edit_product(visitor, &product, ProductEdit { state: Some(to), ..ProductEdit::default() }).await {
        Ok(()) => see_other(&format!("/vendor/products/{product}?tab=rules&said={said}")),
        Err(error) => act_problem(state, error),
    }
}
