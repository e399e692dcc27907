-- Customers that belong together: the people of one company. Credentials can be held to them, and they sign in by one provider.
create table customer_account (
    id integer primary key,
    code text not null,
    code_folded text not null,
    name text not null,
    created_at integer not null
) strict;
create unique index customer_account_code on customer_account (code_folded);

alter table customer add column account_id integer references customer_account (id);
create index customer_account_of on customer (account_id) where account_id is not null;

-- Where the people of an account sign in.
create table sso_provider (
    account_id integer primary key references customer_account (id),
    issuer text not null,
    client_id text not null,
    client_secret blob,
    redirect_uris text not null,
    trusts_addresses integer not null,
    changed_at integer not null
) strict;
