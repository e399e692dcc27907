//! `GET /product_details` (§7.8).

use axum::{extract::State, response::Response};
use serde_json::{Map, Value, json};

use super::{ask::Asked, auth::Caller, error::ApiError, reply};
use crate::{
    licensing::{Timestamp, files::licensespring::company, product::Release},
    server::AppState,
};

pub async fn details(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let code = asked.product()?;
    let view = state.desk.app_product(&app, &code).await??;
    let (product, rules) = (&view.product, &view.product.rules);
    let mut body = Map::new();
    for (name, value) in [
        ("product_id", product.id.0.into()),
        ("product_name", product.name.clone().into()),
        ("short_code", asked.required("product")?.into()),
        ("allow_trial", (rules.trial_days > 0).into()),
        ("trial_days", rules.trial_days.into()),
        ("authorization_method", if product.authorization.by_key() { "license-key" } else { "user" }.into()),
        ("floating_timeout", rules.floating_timeout_minutes.into()),
        ("allow_overages", false.into()),
        ("max_overages", 0.into()),
        ("prevent_vm", rules.refuse_virtual_machines.into()),
        ("metadata", json!({})),
        ("metadata_string", "{}".into()),
        ("company", company()),
    ] {
        body.insert(name.to_owned(), value);
    }
    if asked.flag("include_latest_version") == Some(true) {
        let env = asked.text("env")?;
        let newest = view.releases.iter().find(|release| release.is_for(env, None));
        body.insert("latest_version".to_owned(), newest.map_or(Value::Null, |release| latest(release, product.id.0)));
    }
    if asked.flag("include_custom_fields") == Some(true) {
        body.insert("custom_fields".to_owned(), json!([]));
    }
    reply::signed(&state, body).await
}

fn latest(release: &Release, product: i64) -> Value {
    let released: Timestamp = release.version.released;
    let file = &release.file;
    let requires = file.requires.map(|number| number.to_string()).unwrap_or_default();
    let size = file.size.map(|size| size.to_string()).unwrap_or_default();
    json!({
        "id": release.id, "created_at": released.to_rfc3339(), "updated_at": released.to_rfc3339(),
        "version": format!("{}.{}", release.version.major, release.version.minor), "full_link": file.url,
        "filename": file.url.rsplit('/').next().unwrap_or_default(), "release_date": released.date().to_string(), "enabled": true,
        "hash_md5": file.hash, "product_id": product, "environment": release.env, "eula_link": file.eula,
        "release_notes_link": file.notes, "size": size, "requires_version": requires, "channel": release.channel,
    })
}
