//! The vendor's pages: each handler knows who asks, calls one act, and draws a page or redirects.

mod account;
mod apps;
mod common;
mod csv_file;
mod every_setting;
mod home;
mod issue;
mod keys;
mod license;
mod licenses;
mod mail;
mod orders;
mod policies;
pub mod problem;
mod products;
mod records;
mod settings;
mod shops;
mod team;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{MethodRouter, get, post},
};

use super::{AppState, guard, once};

/// A map and a payload to try out.
const SHOP_KIB: u32 = 512;

pub fn routes(state: &AppState, form_kib: u32) -> Router<AppState> {
    let sized = |routes: MethodRouter<AppState>, most_kib: u32| {
        let limit = middleware::from_fn_with_state((state.clone(), most_kib), guard::body_limit);
        // The limit above is the route's own: axum's, of 2 MB, would come before it.
        routes.layer(DefaultBodyLimit::disable()).layer(limit)
    };
    let form = |routes: MethodRouter<AppState>| {
        let most = form_kib as usize * 1024;
        sized(routes.layer(middleware::from_fn_with_state((state.clone(), most), once::once)), form_kib)
    };
    let mut routes = Router::new()
        .route("/vendor", get(home::show))
        .route("/vendor/sign-in", form(get(account::sign_in).post(account::sign_in_post)))
        .route("/vendor/sign-out", form(post(account::sign_out)))
        .route("/vendor/account", get(account::show))
        .route("/vendor/account/password", form(post(account::password)))
        .route("/vendor/account/sign-out-everywhere", form(post(account::sign_out_everywhere)))
        .route("/vendor/licenses", get(licenses::list))
        .route("/vendor/licenses.csv", get(licenses::csv))
        .route("/vendor/licenses/new", form(get(issue::show).post(issue::post)))
        .route("/vendor/licenses/{id}", get(license::show))
        .route("/vendor/licenses/{id}/edit", form(post(license::edit)))
        .route("/vendor/licenses/{id}/renew", form(post(license::renew)))
        .route("/vendor/licenses/{id}/disable", form(post(license::disable)))
        .route("/vendor/licenses/{id}/enable", form(post(license::enable)))
        .route("/vendor/licenses/{id}/machines/{machine}/{act}", form(post(license::machine)))
        .route("/vendor/orders", get(orders::list))
        .route("/vendor/orders.csv", get(orders::csv))
        .route("/vendor/orders/{id}", get(orders::show))
        .route("/vendor/orders/{id}/licenses.csv", get(orders::licenses_csv))
        .route("/vendor/products", get(products::list))
        .route("/vendor/products.csv", get(products::csv))
        .route("/vendor/products/new", form(get(products::new).post(products::add)))
        .route("/vendor/products/{code}", get(products::show))
        .route("/vendor/products/{code}/edit", form(post(products::edit)))
        .route("/vendor/products/{code}/versions", form(post(products::add_version)))
        .route("/vendor/products/{code}/features", form(post(products::add_feature)))
        .route("/vendor/products/{code}/policies", form(post(policies::add)))
        .route("/vendor/products/{code}/policies/{policy}", get(policies::file))
        .route("/vendor/products/{code}/policies/{policy}/issue", form(post(policies::issue)))
        .route("/vendor/products/{code}/pause", form(post(products::pause)))
        .route("/vendor/products/{code}/resume", form(post(products::resume)))
        .route("/vendor/team", form(get(team::list).post(team::add)))
        .route("/vendor/team.csv", get(team::csv))
        .route("/vendor/team/{id}", get(team::show))
        .route("/vendor/team/{id}/{act}", form(post(team::act)))
        .route("/vendor/settings", sized(get(settings::show).post(settings::save), settings::BODY_KIB))
        .route("/vendor/settings/all", form(get(every_setting::show).post(every_setting::save)))
        .route("/vendor/apps", get(apps::show))
        .route("/vendor/apps/keys", form(post(apps::add_key)))
        .route("/vendor/apps/keys/{id}/{act}", form(post(apps::key_act)))
        .route("/vendor/apps/clients", form(post(apps::add_client)))
        .route("/vendor/apps/clients/{id}/{act}", form(post(apps::client_act)))
        .route("/vendor/shops", form(get(shops::show).post(shops::add)))
        .route("/vendor/shops/properties", form(post(shops::put_property)))
        .route("/vendor/shops/properties/{name}/remove", form(post(shops::remove_property)))
        .route("/vendor/shops/events", get(shops::events))
        .route("/vendor/shops/events/{id}", get(shops::event))
        .route("/vendor/shops/events/{id}/again", form(post(shops::again)))
        .route("/vendor/shops/{name}", get(shops::shop))
        .route("/vendor/shops/{name}/map", sized(post(shops::map), SHOP_KIB))
        .route("/vendor/shops/{name}/keys", form(post(shops::keys)))
        .route("/vendor/shops/{name}/reseller", form(post(shops::reseller)))
        .route("/vendor/shops/{name}/{act}", form(post(shops::act)))
        .route("/vendor/mail", get(mail::list))
        .route("/vendor/mail/server", form(get(mail::server).post(mail::set_server)))
        .route("/vendor/mail/try", form(post(mail::try_out)))
        .route("/vendor/mail/templates", form(get(mail::templates).post(mail::put_template)))
        .route("/vendor/mail/templates/{name}/remove", form(post(mail::remove_template)))
        .route("/vendor/mail/{token}", get(mail::show))
        .route("/vendor/mail/{token}/again", form(post(mail::again)))
        .route("/vendor/keys", get(keys::list))
        .route("/vendor/keys/rotate", form(post(keys::rotate)))
        .route("/vendor/keys/{kid}", get(keys::show))
        .route("/vendor/keys/{kid}/machines.csv", get(keys::csv))
        .route("/vendor/keys/{kid}/compromised", form(post(keys::compromised)))
        .route("/vendor/audit", get(records::audit))
        .route("/vendor/audit.csv", get(records::audit_csv))
        .route("/vendor/refusals", get(records::refusals))
        .route("/vendor/refusals.csv", get(records::refusals_csv))
        .route("/vendor/refusals/{reference}", get(records::refusal));
    if cfg!(debug_assertions) {
        routes = routes.merge(parts_route());
    }
    routes
}

#[cfg(debug_assertions)]
fn parts_route() -> Router<AppState> {
    Router::new().route("/vendor/parts", get(home::parts))
}

#[cfg(not(debug_assertions))]
fn parts_route() -> Router<AppState> {
    Router::new()
}
