-- Initialization codes for air-gapped machines: of a private key for one use, its public half.
create table airgap_code (
    id integer primary key,
    license_id integer not null references license (id),
    purpose text not null,
    point blob not null,
    by_staff integer not null,
    created_at integer not null,
    expires_at integer not null,
    -- The machine it was given out for, or that used it.
    activation_id integer references activation (id),
    -- Since when that activation is as the code left it; null: not used.
    used_since integer
) strict;
create index airgap_code_license on airgap_code (license_id, id);
create index airgap_code_expires on airgap_code (expires_at);
