-- Products sold as one: a key of a bundle is the key of a license of each.
create table bundle (
    id integer primary key,
    code text not null,
    code_folded text not null,
    name text not null,
    created_at integer not null
) strict;
create unique index bundle_code on bundle (code_folded);

create table bundle_product (
    bundle_id integer not null references bundle (id),
    product_id integer not null references product (id),
    -- In which order they are listed: apps take the first for the main one.
    place integer not null,
    primary key (bundle_id, product_id)
) strict, without rowid;
