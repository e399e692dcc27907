-- Instants are milliseconds UTC, booleans 0 or 1, ids are given by the database. What is only ever read as a whole
-- (terms, rules, facts of a state) is JSON in one column: an activation then reads one row instead of ten, at the price
-- that such a member cannot be indexed. What lists sort and filter by has a column of its own, written in the same statement.

create table product (
    id integer primary key,
    code text not null,
    code_folded text not null,
    number integer,
    name text not null,
    authorized_by text not null,
    state text not null,
    rules text not null,
    created_at integer not null,
    revision integer not null
) strict;
create unique index product_code on product (code_folded);
create unique index product_number on product (number);

create table version (
    id integer primary key,
    product_id integer not null references product (id),
    major integer not null,
    minor integer not null,
    released_at integer not null,
    channel text not null,
    env text not null,
    url text not null,
    hash text not null
) strict;
create unique index version_number on version (product_id, major, minor, channel, env);

create table feature (
    id integer primary key,
    product_id integer not null references product (id),
    code text not null,
    name text not null,
    kind text not null,
    bit_set integer,
    bit_mask integer
) strict;
create unique index feature_code on feature (product_id, code);

create table policy (
    id integer primary key,
    product_id integer not null references product (id),
    code text not null,
    name text not null,
    terms text not null
) strict;
create unique index policy_code on policy (product_id, code);

create table customer (
    id integer primary key,
    email text not null,
    email_folded text not null,
    name text not null,
    company text not null,
    created_at integer not null
) strict;
create unique index customer_email on customer (email_folded);

create table orders (
    id integer primary key,
    provider text not null,
    reference text not null,
    customer_id integer references customer (id),
    status text not null,
    ordered_at integer not null,
    created_at integer not null
) strict;
create unique index orders_reference on orders (provider, reference);
create index orders_customer on orders (customer_id);

create table license (
    id integer primary key,
    product_id integer not null references product (id),
    key_text text,
    key_folded text,
    -- SHA-256 of the key under its own label: how a request that proves the key without showing it names it.
    key_id text,
    state text not null,
    state_facts text not null,
    terms text not null,
    kind text not null,
    trial integer not null,
    seats integer,
    seats_taken integer not null,
    transfers_used integer not null,
    first_activated_at integer,
    valid_until integer,
    customer_id integer references customer (id),
    order_id integer references orders (id),
    policy_id integer references policy (id),
    subscription_provider text,
    subscription_reference text,
    note text not null,
    created_at integer not null,
    revision integer not null,
    audit_head blob
) strict;
create unique index license_key on license (product_id, key_folded);
create index license_key_any on license (key_folded);
create index license_key_id on license (product_id, key_id);
create index license_product on license (product_id, id);
create index license_customer on license (customer_id);
create index license_order on license (order_id);
create index license_valid_until on license (valid_until, id);
create index license_subscription on license (subscription_provider, subscription_reference);

create table license_user (
    id integer primary key,
    license_id integer not null references license (id),
    email text not null,
    email_folded text not null,
    name text not null,
    password_hash text not null,
    is_initial_password integer not null,
    seats integer
) strict;
create unique index license_user_email on license_user (license_id, email_folded);
create index license_user_any on license_user (email_folded);

-- One row for a license on a device, whatever happens to it. The device's own description lives here too: a device means
-- something only on its license, and an activation then is one statement.
create table activation (
    id integer primary key,
    license_id integer not null references license (id),
    device_id text not null,
    device_name text,
    device_name_folded text,
    device_os text,
    device_app text,
    device_sdk text,
    device_vm integer,
    state text not null,
    state_at integer not null,
    state_by text,
    state_reason text,
    counted integer not null,
    replaced_by integer references activation (id),
    how text not null,
    device_key text,
    user_email text,
    first_activated_at integer not null,
    last_seen_at integer not null,
    rebinds integer not null,
    rebinds_since integer,
    offline_releases integer not null,
    offline_releases_since integer,
    use_seq integer not null,
    api_key text
) strict;
create unique index activation_device on activation (license_id, device_id);
create index activation_state on activation (license_id, state);
create index activation_any_device on activation (device_id);

create table device_block (
    id integer primary key,
    device_id text not null,
    product_id integer references product (id),
    license_id integer references license (id),
    created_at integer not null
) strict;
create index device_block_device on device_block (device_id);

-- What was answered to a request file, so that the same request gets the same bytes. `asked_by` is the thumbprint of the
-- device key, or names the foreign API key, license, device and act.
create table answer (
    id integer primary key,
    product_id integer not null references product (id),
    asked_by text not null,
    request_id text not null,
    request_hash blob not null,
    activation_id integer not null references activation (id),
    license_revision integer not null,
    kind text not null,
    body text not null,
    made_at integer not null
) strict;
create unique index answer_request on answer (product_id, asked_by, request_id);
create index answer_activation on answer (activation_id);

-- Pages that only the holder of their link may read. The link is not kept, only its hash.
create table result_page (
    token_hash blob primary key,
    kind text not null,
    content text not null,
    created_at integer not null,
    expires_at integer not null
) strict, without rowid;
create index result_page_expires on result_page (expires_at);

-- Every refusal, under the reference its page shows.
create table attempt (
    id integer primary key,
    reference text not null,
    at integer not null,
    door text not null,
    code text not null,
    product_code text,
    license_id integer references license (id),
    key_ends text,
    device_id text,
    device_name text,
    detail text not null
) strict;
create unique index attempt_reference on attempt (reference);
create index attempt_license on attempt (license_id, id);

-- `prev` is the hash of the entry before about the same subject, whose head stands on the row that the act has locked:
-- the license's own, else audit_head.
create table audit (
    id integer primary key,
    at integer not null,
    subject_kind text not null,
    subject_id integer not null,
    act text not null,
    actor text not null,
    before text,
    after text,
    prev blob,
    hash blob not null
) strict;
create index audit_subject on audit (subject_kind, subject_id, id);

create table audit_head (
    subject_kind text not null,
    subject_id integer not null,
    hash blob not null,
    primary key (subject_kind, subject_id)
) strict, without rowid;

create table audit_checkpoint (
    id integer primary key,
    at integer not null,
    last_audit_id integer not null,
    heads_hash blob not null,
    kid text not null,
    signature blob not null
) strict;

create table staff (
    id integer primary key,
    email text not null,
    email_folded text not null,
    password_hash text not null,
    role text not null,
    disabled_at integer,
    created_at integer not null
) strict;
create unique index staff_email on staff (email_folded);

create table session (
    token_hash blob primary key,
    staff_id integer not null references staff (id),
    created_at integer not null,
    last_seen_at integer not null,
    expires_at integer not null
) strict, without rowid;
create index session_staff on session (staff_id);

create table api_key (
    id integer primary key,
    name text not null,
    api_key text not null,
    shared_key blob not null,
    products text,
    read_only integer not null,
    revoked_at integer,
    created_at integer not null
) strict;
create unique index api_key_key on api_key (api_key);

create table seal (
    id integer primary key,
    kid text not null,
    purpose text not null,
    product_id integer references product (id),
    public blob not null,
    secret blob not null,
    state text not null,
    since integer not null,
    until integer,
    created_at integer not null,
    last_exp integer,
    signed_without_exp integer not null
) strict;
create unique index seal_kid on seal (kid);
-- Two rotations of one ring, each read before the other was saved, must not leave two keys that sign, or two that come next.
create unique index seal_active on seal (purpose, coalesce(product_id, 0)) where state = 'active';
create unique index seal_standby on seal (purpose, coalesce(product_id, 0)) where state = 'standby';

create table setting (
    name text primary key,
    value text not null,
    changed_at integer not null
) strict, without rowid;

-- A form that was sent twice does its act once: the first result is kept under the form's hidden id.
create table form_request (
    id text primary key,
    actor text not null,
    result text not null,
    created_at integer not null
) strict, without rowid;

create table rate (
    subject text not null,
    window_start integer not null,
    window_end integer not null,
    times integer not null,
    primary key (subject, window_start, window_end)
) strict, without rowid;

create table lease (
    name text primary key,
    holder text not null,
    until integer not null
) strict, without rowid;

create table outbox (
    id integer primary key,
    kind text not null,
    payload text not null,
    due_at integer not null,
    attempts integer not null,
    done_at integer
) strict;
create index outbox_due on outbox (done_at, due_at);
