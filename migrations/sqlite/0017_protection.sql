-- How often a machine was activated by a license.
alter table activation add column activation_count integer not null default 1;

-- Seats that were given back by QLM's methods, which the vendor may limit.
create table release_log (
    id integer primary key,
    license_id integer not null references license (id),
    device_id text not null,
    at integer not null
) strict;
create index release_log_license on release_log (license_id, at);
