//! The calls as an OpenAPI 3.1 document, at `/api/v4/openapi.json`: one table, from which the document is built once.

use std::sync::OnceLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use utoipa::openapi::{
    ArrayBuilder, ComponentsBuilder, ContentBuilder, HeaderBuilder, HttpMethod, Info, ObjectBuilder, OpenApi, OpenApiBuilder,
    PathItem, PathsBuilder, Ref, RefOr, Required, ResponseBuilder, Schema, SecurityRequirement, Type,
    path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn},
    request_body::{RequestBody, RequestBodyBuilder},
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

/// What a member of a request is.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Whole,
    Flag,
    /// Plain values by name.
    Values,
    /// A text, or null.
    TextOrNull,
}

/// A member of a request: its name, what it is, whether it must be there, and what it says.
type Member = (&'static str, Kind, bool, &'static str);

/// What a call answers when all is well.
#[derive(Clone, Copy)]
enum Answer {
    Object(&'static str),
    Rows(&'static str),
    /// Bare text.
    Word(&'static str),
}

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    App,
    Anybody,
}

struct Call {
    method: HttpMethod,
    path: &'static str,
    about: &'static str,
    members: &'static [&'static [Member]],
    answer: Answer,
    asks: Asks,
}

const PRODUCT: &[Member] = &[("product", Kind::Text, true, "The product's code, in any case.")];
const HARDWARE: &[Member] = &[("hardware_id", Kind::Text, true, "The machine, 1 to 256 visible characters.")];
/// Which license, on which machine.
const IDENT: &[Member] = &[
    ("product", Kind::Text, true, "The product's code, in any case."),
    ("hardware_id", Kind::Text, true, "The machine, 1 to 256 visible characters."),
    ("license_key", Kind::Text, false, "The activation key; where a user comes too, the key counts."),
    ("username", Kind::Text, false, "The user's address, where the license is theirs."),
    ("license_id", Kind::Whole, false, "Only this license."),
    ("bundle_code", Kind::Text, false, "The bundle the license is part of."),
];
const PASSWORD: &[Member] = &[("password", Kind::Text, false, "The user's password: needed for a new seat.")];
/// Somebody who has signed in at their account's provider.
const SSO: &[Member] = &[
    ("customer_account_code", Kind::Text, false, "The customer account, beside id_token or code."),
    ("id_token", Kind::Text, false, "The ID token of the account's sign-in provider, in place of user and password."),
    ("code", Kind::Text, false, "A code to fetch it with, once."),
    ("redirect_uri", Kind::Text, false, "Where the code was sent."),
];
const SSO_URL: &[Member] = &[
    ("customer_account_code", Kind::Text, true, "The customer account."),
    ("response_type", Kind::Text, false, "token (when absent) or code."),
    ("redirect_uri", Kind::Text, false, "One of the account's; the first when absent."),
    ("bundle_code", Kind::Text, false, "The bundle the license is part of."),
];
const MACHINE: &[Member] = &[
    ("hostname", Kind::Text, false, "What the machine is called."),
    ("os_ver", Kind::Text, false, "Its operating system."),
    ("app_ver", Kind::Text, false, "The app's version: versions outside the maintenance are refused."),
    ("sdk_ver", Kind::Text, false, "The library that asks."),
    ("is_vm", Kind::Flag, false, "Whether it is a virtual machine."),
    ("variables", Kind::Values, false, "Device variables to keep."),
];
const FEATURE: &[Member] = &[("feature", Kind::Text, true, "The feature's code.")];
const AMOUNT: &[Member] = &[
    ("consumptions", Kind::Whole, false, "How much; 1 where it is absent."),
    ("max_overages", Kind::Whole, false, "Holds the call to so much overage, never to more than there is."),
    ("allow_overages", Kind::Flag, false, "False holds the call to the allowance."),
];
const UNTIL: &[Member] = &[("borrowed_until", Kind::TextOrNull, true, "A time in UTC; null for as long as may be.")];
const VARIABLES: &[Member] = &[("variables", Kind::Values, true, "Plain values by name.")];
const RELEASE: &[Member] =
    &[("env", Kind::Text, false, "Versions for this environment."), ("channel", Kind::Text, false, "Versions of this channel.")];
const VERSION: &[Member] = &[("version", Kind::Text, false, "This version.")];
const EXPIRED: &[Member] = &[("include_expired_features", Kind::Flag, false, "Features that have ended, too.")];
const TRIAL: &[Member] = &[
    ("email", Kind::Text, false, "Needed where licenses are by user."),
    ("first_name", Kind::Text, false, "Of a customer who is new."),
    ("last_name", Kind::Text, false, "Of a customer who is new."),
    ("password", Kind::Text, false, "The user's; one is made where it is absent."),
    ("license_policy", Kind::Text, false, "The policy whose terms the trial has."),
];
const DETAILS: &[Member] = &[
    ("include_latest_version", Kind::Flag, false, "The newest version, too."),
    ("include_custom_fields", Kind::Flag, false, "Custom fields, too."),
    ("env", Kind::Text, false, "The newest version for this environment."),
];
const NEW_PASSWORD: &[Member] = &[
    ("username", Kind::Text, true, "The user's address."),
    ("password", Kind::Text, true, "The present password."),
    ("new_password", Kind::Text, true, "12 to 256 characters."),
];
const USER: &[Member] = &[
    ("username", Kind::Text, false, "The user's address: needed without a sign-in."),
    ("password", Kind::Text, false, "The user's password: needed without a sign-in."),
];
const CUSTOMER: &[Member] = &[("customer", Kind::Text, true, "The customer's address.")];
const LOGIN: &[Member] = &[("login_type", Kind::Text, false, "client_credentials.")];
const GRANT: &[Member] = &[
    ("grant_type", Kind::Text, true, "client_credentials."),
    ("client_id", Kind::Text, false, "The client, unless HTTP Basic names it."),
    ("client_secret", Kind::Text, false, "Its secret."),
];

macro_rules! calls {
    ($($method:ident $path:literal $about:literal ($($members:expr),*) $answer:expr, $asks:ident;)+) => {
        const CALLS: &[Call] = &[$(Call {
            method: HttpMethod::$method, path: $path, about: $about, members: &[$($members),*], answer: $answer, asks: Asks::$asks,
        }),+];
    };
}

calls! {
    Post "/api/v4/activate_license" "Activates a machine" (IDENT, SSO, PASSWORD, MACHINE) Answer::Object("The license, as an activation answers it."), App;
    Post "/api/v4/deactivate_license" "Gives a machine's seat back" (IDENT, SSO) Answer::Word("license_deactivated"), App;
    Get "/api/v4/check_license" "Whether a machine's license is good" (IDENT, SSO, EXPIRED, RELEASE) Answer::Object("The license, as a check answers it."), App;
    Get "/api/v4/check_license_feature" "Whether a feature is there, and a slot of a floating one" (IDENT, SSO, FEATURE) Answer::Object("The feature."), App;
    Post "/api/v4/add_consumption" "Spends from the license's counter" (IDENT, SSO, AMOUNT) Answer::Object("The counter as it is then."), App;
    Post "/api/v4/add_feature_consumption" "Spends from a feature's counter" (IDENT, SSO, FEATURE, AMOUNT) Answer::Object("The counter as it is then."), App;
    Post "/api/v4/floating/release" "Gives a slot back" (IDENT, SSO) Answer::Word(""), App;
    Post "/api/v4/floating/borrow" "Takes a slot along" (IDENT, SSO, PASSWORD, UNTIL) Answer::Object("Until when."), App;
    Post "/api/v4/floating/feature_release" "Gives a feature's slot back" (IDENT, SSO, FEATURE) Answer::Word("feature_released"), App;
    Post "/api/v4/floating/feature_borrow" "Takes a feature's slot along" (IDENT, SSO, PASSWORD, FEATURE, UNTIL) Answer::Object("Until when."), App;
    Get "/api/v4/trial_key" "The machine's trial, begun now or before" (PRODUCT, HARDWARE, TRIAL) Answer::Object("The trial, and the key or user to activate with."), App;
    Get "/api/v4/product_details" "What is public of a product" (PRODUCT, DETAILS) Answer::Object("The product."), App;
    Get "/api/v4/versions" "The versions a license covers" (IDENT, SSO, RELEASE) Answer::Rows("Versions, newest first."), App;
    Get "/api/v4/installation_file" "A version to install" (IDENT, SSO, RELEASE, VERSION) Answer::Object("The version and its address."), App;
    Post "/api/v4/track_device_variables" "Keeps values of a machine" (IDENT, SSO, VARIABLES) Answer::Rows("Those named, as they stand."), App;
    Get "/api/v4/get_device_variables" "The values of a machine" (IDENT, SSO) Answer::Rows("All of them."), App;
    Post "/api/v4/change_password" "Takes a password of the user's own" (NEW_PASSWORD) Answer::Word("password_changed"), App;
    Get "/api/v4/user_licenses" "The licenses a user's password opens" (PRODUCT, USER, SSO) Answer::Rows("Licenses, each with its user."), App;
    Get "/api/v4/customer_license_users" "The users of a customer's licenses; off unless switched on" (PRODUCT, CUSTOMER) Answer::Object("Customer and users."), App;
    Get "/api/v4/device_licenses" "The licenses of a machine; off unless switched on" (HARDWARE) Answer::Rows("Licenses."), App;
    Get "/api/v4/products" "The products this app may reach" () Answer::Rows("Products."), App;
    Post "/api/v4/activate_bundle" "Activates a machine on every license of a bundle" (IDENT, SSO, PASSWORD, MACHINE) Answer::Rows("A license of each product."), App;
    Get "/api/v4/check_bundle" "Whether every license of a bundle is good" (IDENT, SSO, EXPIRED, RELEASE) Answer::Rows("A license of each product."), App;
    Post "/api/v4/deactivate_bundle" "Gives a machine's seats of a bundle back" (IDENT, SSO) Answer::Word("license_deactivated"), App;
    Get "/api/v4/sso_url" "Where the people of a customer account sign in" (PRODUCT, SSO_URL) Answer::Object("The address, and the provider."), App;
    Get "/api/v4/oauth_url" "Where a client gets its token" (LOGIN) Answer::Object("The address."), Anybody;
}

/// Request files: the body is the file's own text.
const FILES: [(&str, &str, Answer); 4] = [
    ("/api/v4/activate_offline", "Answers an activation file", Answer::Object("What a .lic carries.")),
    (
        "/api/v4/activate_bundle_offline",
        "Answers an activation file of a bundle",
        Answer::Object("What a .lic carries: licenses, and bundle_signature_v2."),
    ),
    ("/api/v4/deactivate_bundle_offline", "Answers a deactivation file of a bundle", Answer::Word("license_deactivated")),
    ("/api/v4/deactivate_offline", "Answers a deactivation file", Answer::Word("license_deactivated")),
];

/// Every path the document describes.
#[cfg(test)]
pub fn paths() -> Vec<&'static str> {
    let calls = CALLS.iter().map(|call| call.path);
    calls.chain(FILES.iter().map(|(path, ..)| *path)).chain([super::oauth::PATHS[0]]).collect()
}

pub async fn document() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| build().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}

fn build() -> OpenApi {
    let mut paths = PathsBuilder::new();
    for call in CALLS {
        paths = paths.path(call.path, PathItem::new(call.method.clone(), operation(call)));
    }
    for (path, about, answer) in FILES {
        let text = ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String).build())).build();
        let payload = ObjectBuilder::new().property("Payload", schema(Kind::Text, "The file.")).required("Payload");
        let body = RequestBodyBuilder::new()
            .description(Some("The request file: its text, a form's `file`, or as JSON."))
            .required(Some(Required::True))
            .content("text/plain", text)
            .content("application/json", ContentBuilder::new().schema(Some(payload.build())).build());
        let operation = answered(signed_in(named(path, about)).request_body(Some(body.build())), answer);
        paths = paths.path(path, PathItem::new(HttpMethod::Post, operation));
    }
    paths = paths.path(super::oauth::PATHS[0], PathItem::new(HttpMethod::Post, token_operation()));
    let licensespring = ApiKeyValue::with_description(
        "Authorization",
        "algorithm=\"hmac-sha256\",headers=\"date\",signature=\"…\",apiKey=\"…\": HMAC-SHA-256 under the shared key over \
         \"licenseSpring\", a line feed, and \"date: \" with the Date header.",
    );
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = ComponentsBuilder::new()
        .schema("Error", error_schema())
        .security_scheme("apiKey", SecurityScheme::ApiKey(ApiKey::Header(licensespring)))
        .security_scheme("oauth", SecurityScheme::Http(bearer));
    let mut info = Info::new("License API v4", env!("CARGO_PKG_VERSION"));
    info.description = Some("Compatible with LicenseSpring's License API v4; not affiliated with LicenseSpring.".to_owned());
    OpenApiBuilder::new().info(info).paths(paths.build()).components(Some(components.build())).build()
}

fn operation(call: &Call) -> Operation {
    let mut operation = named(call.path, call.about);
    if call.asks == Asks::App {
        operation = signed_in(operation);
    }
    let members = call.members.iter().flat_map(|members| members.iter());
    if call.method == HttpMethod::Get {
        for (name, kind, required, about) in members {
            let parameter = ParameterBuilder::new()
                .name(*name)
                .parameter_in(ParameterIn::Query)
                .required(is(*required))
                .description(Some(*about))
                .schema(Some(schema(*kind, about)));
            operation = operation.parameter(parameter);
        }
    } else {
        operation = operation.request_body(Some(body("application/json", members)));
    }
    answered(operation, call.answer)
}

fn token_operation() -> Operation {
    let token = ObjectBuilder::new()
        .property("access_token", schema(Kind::Text, "The token."))
        .property("expires_in", schema(Kind::Whole, "Seconds."))
        .required("access_token")
        .required("expires_in");
    let refused = ObjectBuilder::new()
        .property("error", schema(Kind::Text, "As RFC 6749 §5.2 names it."))
        .property("error_description", schema(Kind::Text, "What to do."))
        .required("error")
        .build();
    let refused = |what: &str| json_response(what, RefOr::T(refused.clone().into()));
    named(super::oauth::PATHS[0], "Gives an OAuth client a token")
        .request_body(Some(body("application/x-www-form-urlencoded", GRANT.iter())))
        .response("200", json_response("A token.", RefOr::T(token.build().into())))
        .response("400", refused("Another grant."))
        .response("401", refused("Id and secret do not fit."))
        .response("413", ResponseBuilder::new().description("Too large a body.").build())
        .response("429", refused("Too many tries from one address."))
        .build()
}

fn named(path: &str, about: &str) -> OperationBuilder {
    let id = path.trim_start_matches("/api/v4/").replace('/', "_");
    OperationBuilder::new().operation_id(Some(id)).summary(Some(about))
}

/// What every signed call carries.
fn signed_in(operation: OperationBuilder) -> OperationBuilder {
    let date = ParameterBuilder::new()
        .name("Date")
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some("An HTTP date, at most 15 minutes off: the text the HMAC covers."))
        .schema(Some(schema(Kind::Text, "")));
    let none: [&str; 0] = [];
    operation.parameter(date).security(SecurityRequirement::new("apiKey", none)).security(SecurityRequirement::new("oauth", none))
}

fn body<'a>(kind: &str, members: impl Iterator<Item = &'a Member>) -> RequestBody {
    let mut object = ObjectBuilder::new();
    for (name, kind, required, about) in members {
        object = object.property(*name, schema(*kind, about));
        if *required {
            object = object.required(*name);
        }
    }
    let content = ContentBuilder::new().schema(Some(object.build())).build();
    RequestBodyBuilder::new().required(Some(Required::True)).content(kind, content).build()
}

const fn is(required: bool) -> Required {
    if required { Required::True } else { Required::False }
}

fn schema(kind: Kind, about: &str) -> Schema {
    let object = match kind {
        Kind::Text => ObjectBuilder::new().schema_type(Type::String),
        Kind::TextOrNull => {
            ObjectBuilder::new().schema_type(utoipa::openapi::schema::SchemaType::from_iter([Type::String, Type::Null]))
        }
        Kind::Whole => ObjectBuilder::new().schema_type(Type::Integer),
        Kind::Flag => ObjectBuilder::new().schema_type(Type::Boolean),
        Kind::Values => ObjectBuilder::new().schema_type(Type::Object),
    };
    object.description(Some(about).filter(|about| !about.is_empty())).build().into()
}

/// The answers of a call: what it gives, and the errors any of them may end in.
fn answered(operation: OperationBuilder, answer: Answer) -> Operation {
    let signature = HeaderBuilder::new().description(Some("RSASSA-PKCS1-v1_5 with SHA-256 over these bytes, in base64.")).build();
    let object = || -> RefOr<Schema> { RefOr::T(ObjectBuilder::new().schema_type(Type::Object).build().into()) };
    let good = match answer {
        Answer::Word(word) => {
            let text = ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String).build())).build();
            ResponseBuilder::new()
                .description(if word.is_empty() { "Nothing." } else { word })
                .content("text/plain", text)
                .build()
        }
        Answer::Object(what) => ResponseBuilder::new()
            .description(what)
            .header("LicenseSignature", signature)
            .content("application/json", ContentBuilder::new().schema(Some(object())).build())
            .build(),
        Answer::Rows(what) => {
            let rows = ArrayBuilder::new().items(object()).build();
            ResponseBuilder::new()
                .description(what)
                .header("LicenseSignature", signature)
                .content("application/json", ContentBuilder::new().schema(Some(rows)).build())
                .build()
        }
    };
    let refused = |what: &str| json_response(what, RefOr::Ref(Ref::from_schema_name("Error")));
    operation
        .response("200", good)
        .response("400", refused("A refusal: its code says why."))
        .response("401", refused("A signature or a token that does not hold."))
        .response("413", refused("Too large a body."))
        .response("429", refused("Too many tries."))
        .response("503", refused("The account's sign-in provider cannot be reached."))
        .build()
}

fn json_response(what: &str, schema: RefOr<Schema>) -> utoipa::openapi::Response {
    ResponseBuilder::new()
        .description(what)
        .content("application/json", ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

fn error_schema() -> Schema {
    ObjectBuilder::new()
        .property("status", schema(Kind::Whole, "The HTTP status."))
        .property("code", schema(Kind::Text, "Stable."))
        .property("message", schema(Kind::Text, "For people."))
        .required("status")
        .required("code")
        .required("message")
        .build()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_and_no_other() {
        let routes = include_str!("mod.rs");
        let mut routed: Vec<&str> = routes.split(".route(\"/api/v4/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        routed.retain(|path| !matches!(*path, "" | "{*rest}" | "openapi.json"));
        routed.sort_unstable();
        let mut described: Vec<&str> = paths().into_iter().filter_map(|path| path.strip_prefix("/api/v4/")).collect();
        // Its route is named by the constant.
        described.retain(|path| *path != "oauth_token");
        described.sort_unstable();
        assert_eq!(described, routed);
        assert!(routed.len() > 25);
    }

    #[test]
    fn the_document_is_of_the_version_it_says() {
        let document: serde_json::Value = serde_json::from_str(&build().to_json().unwrap()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let check = &document["paths"]["/api/v4/check_license"]["get"];
        let product = check["parameters"].as_array().unwrap().iter().find(|one| one["name"] == "product").unwrap();
        assert_eq!((&product["in"], &product["required"]), (&"query".into(), &true.into()));
        assert_eq!(check["responses"]["400"]["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Error");
        assert_eq!(check["security"].as_array().unwrap().len(), 2);
    }
}
