-- Installs that apps tell of (QLM's analytics methods): to the day, and nothing beside what they said.
create table install (
    id integer primary key,
    -- What the app is told to call it.
    token text not null,
    product_name text not null,
    version text not null,
    computer_name text not null,
    computer_id text not null,
    key_ends text not null,
    os text not null,
    trial integer not null,
    custom text not null,
    installed_on integer not null,
    last_on integer not null,
    removed_on integer
) strict;
create unique index install_token on install (token);

-- What polls for orders of late asks by.
create index license_created on license (created_at);
