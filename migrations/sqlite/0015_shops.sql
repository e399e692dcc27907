-- How a shop's words are read, where the vendor has changed it; null: as its class is from the start.
alter table extension add column map text;
-- A mark of the secret part of the address a shop calls that signs nothing.
alter table extension add column hook_mark blob;
create unique index extension_hook on extension (hook_mark) where hook_mark is not null;

-- The vendor's own properties: what a product of a shop is here, as arguments of a call.
create table property (
    id integer primary key,
    name text not null,
    name_folded text not null,
    value text not null,
    -- Whether calls may name it (is_args); else shops' products alone do.
    for_calls integer not null,
    created_at integer not null
) strict;
create unique index property_name on property (name_folded);

-- What shops told, as it came. It stays, so that it can be acted on again once what stood in the way is mended.
create table shop_event (
    id integer primary key,
    extension_id integer not null references extension (id),
    -- The shop's name of the event, or a hash of it.
    name text not null,
    received_at integer not null,
    -- Headers and body, encrypted: it names customers.
    content blob not null,
    -- new, running, done, ignored, failed
    state text not null,
    state_at integer not null,
    -- What became of it, in a sentence.
    said text not null,
    order_id integer references orders (id)
) strict;
create unique index shop_event_name on shop_event (extension_id, name);
-- Those that nobody came to the end of.
create index shop_event_open on shop_event (state_at) where state in ('new', 'running');
