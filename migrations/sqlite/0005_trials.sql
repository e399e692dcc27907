-- Which machine had its trial of a product, and for which address: a machine has one, and so has an address.
create table trial_claim (
    id integer primary key,
    product_id integer not null references product (id),
    device_id text not null,
    -- Null where the product is licensed by key.
    email_folded text,
    license_id integer not null references license (id),
    created_at integer not null
) strict;
create index trial_claim_device on trial_claim (product_id, device_id);
create index trial_claim_email on trial_claim (product_id, email_folded);
