//! The members of each answer, in the order the description of the wire gives (§6, §7). `[a b]` come together or not at all.

pub const ACTIVATION: &str = "id active allow_grace_period allow_overages allow_unlimited_activations allow_offline_activation \
    can_borrow custom_fields customer company device_id enable_maintenance_period floating_timeout grace_period is_air_gapped \
    is_expired is_floating_cloud is_floating is_hardware_key_auth is_trial [license_key] license_type license_template_id \
    maintenance_period max_activations max_borrow_time max_overages max_transfers metadata prevent_vm product_details \
    product_features start_date times_activated transfer_count validity_period [max_consumptions allow_unlimited_consumptions \
    total_consumptions reset_consumption consumption_period allow_negative_consumptions] [max_license_users user] \
    license_signature request [username] hardware_id";

pub const CHECK: &str = "id allow_grace_period allow_offline_activation allow_overages allow_unlimited_activations can_borrow \
    enable_maintenance_period floating_timeout grace_period is_air_gapped is_floating is_floating_cloud is_hardware_key_auth \
    is_trial license_active license_enabled [license_key] license_template_id license_type maintenance_period max_activations \
    max_borrow_time max_license_users max_overages max_transfers order_store_id prevent_vm start_date times_activated \
    transfer_count validity_period metadata custom_fields product_features customer company product_details [max_consumptions \
    total_consumptions allow_unlimited_consumptions reset_consumption consumption_period allow_negative_consumptions] is_expired \
    device_id is_borrowed borrowed_until version installation_file release_date hash_md5 requires_version environment eula_link \
    release_notes_link size channel [user] license_signature";

pub const CHECK_FEATURE: &str = "id license_id code name feature_type company metadata is_floating is_floating_cloud expiry_date \
    [consumption_period allow_negative_consumptions allow_overages allow_unlimited_consumptions max_consumption max_overages \
    reset_consumption total_consumptions] [floating_in_use_devices]";

pub const CONSUMPTION: &str = "id max_consumptions allow_unlimited_consumptions allow_negative_consumptions allow_overages \
    max_overages reset_consumption consumption_period total_consumptions company";

pub const FEATURE_CONSUMPTION: &str = "id license_id company total_consumptions max_consumptions allow_negative_consumptions \
    allow_unlimited_consumptions allow_overages max_overages reset_consumption consumption_period is_floating is_floating_cloud \
    [floating_timeout floating_users]";

pub const BORROW: &str = "borrowed_until max_borrow_time device_id license_id company";

pub const TRIAL: &str = "id order_id product_id created_at updated_at times_activated is_trial active enabled is_floating \
    max_activations trial_days license_type max_transfers prevent_vm enable_maintenance_period maintenance_duration metadata \
    is_hardware_key_auth company LicenseProductFeatures LicenseCustomFields license_key allow_overages max_overages \
    max_consumptions valid_duration consumption_period reset_consumption license";

pub const PRODUCT: &str = "product_id product_name short_code allow_trial trial_days authorization_method floating_timeout \
    allow_overages max_overages prevent_vm metadata metadata_string company [latest_version] [custom_fields]";

pub const LATEST_VERSION: &str = "id created_at updated_at version full_link filename release_date enabled hash_md5 product_id \
    environment eula_link release_notes_link size requires_version channel";

pub const INSTALLATION_FILE: &str = "id version installation_file release_date hash_md5 environment eula_link release_notes_link \
    size requires_version channel company";

pub const VARIABLE_TRACKED: &str = "variable value device_id created_at";
pub const VARIABLE: &str = "id created_at variable value device_id";

pub const CUSTOMER: &str = "email company_name reference phone first_name last_name city postcode state country address \
    customer_account metadata";
pub const USER: &str = "id email first_name last_name phone_number is_initial_password max_activations \
    allow_unlimited_activations total_activations";
pub const PRODUCT_LONG: &str = "product_id product_name short_code allow_trial trial_days authorization_method allow_overages \
    max_overages prevent_vm validity_period floating_timeout company_id metadata";
pub const PRODUCT_SHORT: &str = "product_id product_name short_code authorization_method metadata";
pub const FEATURE: &str = "id code name feature_type expiry_date metadata [max_consumption allow_unlimited_consumptions \
    total_consumptions allow_overages max_overages reset_consumption consumption_period allow_negative_consumptions] is_floating \
    is_floating_cloud [floating_timeout floating_users] [floating_in_use_devices]";

pub const CUSTOMER_USERS: &str = "company customer users";
pub const CUSTOMER_USER: &str = "email is_active first_name last_name phone_number is_initial_password initial_password \
    max_activations total_activations allow_unlimited_activations license_id order_store_id order_id";
pub const CUSTOMER_OF_USERS: &str = "email first_name last_name company_name phone reference address postcode city country state \
    customer_account metadata";

/// Members the description names without a place, or that newer clients read.
const ELSEWHERE: [&str; 10] = [
    "floating_users",
    "floating_in_use_devices",
    "floating_in_use",
    "trial_days",
    "order_store_id",
    "installation_file",
    "variables",
    "is_tpm_auth",
    "tpm_signing_public_key",
    "metadata_string",
];

/// Compares the members of an answer with a list of above.
#[track_caller]
pub fn check(value: &serde_json::Value, order: &str) {
    let names: Vec<&str> = value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect();
    let mut wanted = Vec::new();
    let mut rest = order;
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let (group, after) = match rest.strip_prefix('[') {
            Some(inside) => inside.split_once(']').unwrap(),
            None => rest.split_at(rest.find('[').unwrap_or(rest.len())),
        };
        let optional = rest.starts_with('[');
        let group: Vec<&str> = group.split_whitespace().collect();
        if !optional || names.contains(&group[0]) {
            wanted.extend(group);
        }
        rest = after;
    }
    let found: Vec<&str> = names.iter().filter(|name| wanted.contains(name) || !ELSEWHERE.contains(name)).copied().collect();
    assert_eq!(found, wanted);
}
