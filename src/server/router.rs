//! Every route in one list, by who calls it. Layers once, outermost first, each with its reason.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{MethodRouter, get, post},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    AppState, guard, path,
    portal::{activate, code, foreign, home, inspect, keys, offline},
    site, vendor,
};
use crate::api::{licensespring, qlm, shops};

/// Forms hold texts.
const FORM_KIB: u32 = 64;

pub fn router(state: AppState) -> Router {
    let limited = |routes: MethodRouter<AppState>, most_kib: u32| {
        let limit = middleware::from_fn_with_state((state.clone(), most_kib), guard::body_limit);
        // The limit above is the route's own: axum's, of 2 MB, would come before it.
        routes.layer(DefaultBodyLimit::disable()).layer(limit)
    };
    let customers = Router::new()
        .route("/", get(home::home))
        .route("/brand.css", get(home::brand))
        .route("/logo", get(home::logo))
        .route("/activate", limited(get(activate::show).post(activate::post), FORM_KIB))
        .route("/activate/code", limited(get(code::show).post(code::ask), FORM_KIB))
        .route("/activate/code/confirm", limited(get(code::back).post(code::confirm), FORM_KIB))
        .route("/activate/file", limited(get(foreign::file_form).post(foreign::file), FORM_KIB))
        .route("/license", limited(get(foreign::license_form).post(foreign::license), FORM_KIB))
        .route("/release", limited(get(foreign::release_form).post(foreign::release), FORM_KIB))
        .route("/trial", limited(get(foreign::trial_form).post(foreign::trial), FORM_KIB))
        .route("/lost-key", limited(get(code::lost_key).post(code::send_keys), FORM_KIB))
        .route("/mail/stop", limited(get(code::stop).post(code::stopped), FORM_KIB))
        .route("/mail/withdraw", limited(get(code::withdraw).post(code::withdrawn), FORM_KIB))
        .route("/mail/{link}", limited(get(code::agreement).post(code::agree), FORM_KIB))
        .route("/activations/{token}", get(activate::result))
        .route("/activations/{token}/{name}", get(activate::file))
        .route("/offline", limited(get(offline::show).post(offline::post), offline::BODY_KIB))
        .route("/offline/keys.json", get(offline::keys))
        .route("/offline/answer", limited(post(offline::answer), offline::ANSWER_KIB))
        .route("/offline/{token}", get(offline::results))
        .route("/offline/{token}/{which}", get(offline::file))
        .route("/inspect", limited(get(inspect::show).post(inspect::post), 256))
        // Rules of the vendor's, before a body is read.
        .layer(middleware::from_fn_with_state(state.clone(), guard::admitted));
    let staff = vendor::routes(&state, FORM_KIB);
    let programs = Router::new()
        .route("/.well-known/jwks.json", get(keys::jwks))
        .route("/.well-known/countersign/{product}/jwks.json", get(keys::product_jwks));
    let operators = Router::new().route("/healthz", get(home::health));

    let pages = Router::new()
        .merge(customers)
        .merge(staff)
        .merge(programs)
        .merge(operators)
        .merge(site::routes())
        .fallback(home::not_found)
        .method_not_allowed_fallback(home::wrong_method)
        // Staff meets a problem among their own pages.
        .layer(middleware::from_fn_with_state(state.clone(), vendor::problem::for_staff))
        // An address that is no text is none of ours, whichever handler it would have reached.
        .layer(middleware::from_fn_with_state(state.clone(), path::is_text))
        // Posts of other sites end here, before a body is read.
        .layer(middleware::from_fn_with_state(state.clone(), guard::same_origin));
    Router::new()
        .merge(pages)
        // Programs carry their own credentials with every call, and cookies mean nothing there.
        .merge(licensespring::routes())
        .merge(shops::routes())
        // These have any folder in front, so no route can name them.
        .layer(middleware::from_fn_with_state(state.clone(), qlm::front))
        // A panic answers; it does not drop the connection.
        .layer(CatchPanicLayer::custom(guard::panicked))
        // On every answer, those of the layers inside included.
        .layer(middleware::from_fn_with_state(state.clone(), guard::headers))
        .with_state(state)
}
