-- OAuth clients of LicenseSpring's kind (client credentials): a company's, or held to one customer or one license. The secret is
-- kept encrypted and not hashed, because clients sign their offline files with it.
create table oauth_client (
    id integer primary key,
    name text not null,
    client_id text not null,
    scope text not null,
    -- The customer or the license.
    scope_id integer,
    revoked_at integer,
    created_at integer not null
) strict;
create unique index oauth_client_id on oauth_client (client_id);

-- A new secret leaves the one before it good for a while.
create table oauth_secret (
    id integer primary key,
    oauth_client_id integer not null references oauth_client (id),
    secret blob not null,
    expires_at integer,
    created_at integer not null
) strict;
create index oauth_secret_client on oauth_secret (oauth_client_id);
