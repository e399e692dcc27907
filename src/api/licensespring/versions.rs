//! Versions to install (§7.9): `GET /versions`, `GET /installation_file`.

use axum::{extract::State, response::Response};
use serde_json::{Map, Value, json};

use super::{ask::Asked, auth::Caller, error::ApiError, reply};
use crate::{
    desk::AppRefusal,
    licensing::{
        files::licensespring::{company, release_members},
        product::{Release, VersionNumber},
    },
    server::AppState,
};

pub async fn list(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let releases = state.desk.releases_app(&app, asked.ask()?).await??;
    let mut rows: Vec<Value> = Vec::new();
    for release in wanted(&releases, &asked)? {
        let row = json!({ "version": number(release), "release_date": release.version.released.to_rfc3339() });
        // A version for several environments is one version.
        if !rows.iter().any(|before| before["version"] == row["version"]) {
            rows.push(row);
        }
    }
    reply::signed_rows(&state, rows).await
}

pub async fn file(State(state): State<AppState>, Caller(app): Caller, asked: Asked) -> Result<Response, ApiError> {
    let version = asked.text("version")?.map(|text| text.parse::<VersionNumber>().map_err(|_| AppRefusal::VersionNotFound));
    let version = version.transpose()?;
    let releases = state.desk.releases_app(&app, asked.ask()?).await??;
    let is_meant = |release: &&Release| {
        version.is_none_or(|named| (release.version.major, release.version.minor) == (named.major, named.minor))
    };
    let release = wanted(&releases, &asked)?.find(is_meant).ok_or(AppRefusal::VersionNotFound)?;
    let mut body = Map::from_iter([("id".to_owned(), release.id.into())]);
    // A file's own order: the size and what it requires come last.
    let mut members = Map::from_iter(release_members(Some(release)).map(|(name, value)| (name.to_owned(), value)));
    for name in
        ["version", "installation_file", "release_date", "hash_md5", "environment", "eula_link", "release_notes_link", "size"]
    {
        body.extend(members.shift_remove(name).map(|value| (name.to_owned(), value)));
    }
    body.extend(members);
    body.insert("company".to_owned(), company());
    reply::signed(&state, body).await
}

/// Those for the environment and the channel a call names.
pub(super) fn wanted<'a>(releases: &'a [Release], asked: &'a Asked) -> Result<impl Iterator<Item = &'a Release>, ApiError> {
    let (env, channel) = (asked.text("env")?, asked.text("channel")?);
    Ok(releases.iter().filter(move |release| release.is_for(env, channel)))
}

fn number(release: &Release) -> String {
    format!("{}.{}", release.version.major, release.version.minor)
}
