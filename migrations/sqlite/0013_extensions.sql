-- Shops and sites that call by Quick License Manager's methods, each with its credentials.
create table extension (
    id integer primary key,
    name text not null,
    name_folded text not null,
    class text not null,
    enabled integer not null,
    user_name text not null,
    -- A mark of the password under a key of the vault, not a slow hash: every call carries the password, and whoever reads this column
    -- without the master key cannot try any.
    password_mark blob,
    api_key blob,
    shared_key blob,
    created_at integer not null
) strict;
create unique index extension_name on extension (name_folded);

-- What a shop ordered by one call: the same call again finds the licenses it made.
alter table license add column order_item text;
create index license_order_item on license (order_id, order_item) where order_item is not null;

-- What a machine was told to be activated by, for clients that keep such a key.
alter table activation add column computer_key text;
