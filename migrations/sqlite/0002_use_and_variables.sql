-- What a machine told of its use so far, read only as a whole beside `use_seq`: JSON, as terms are.
alter table activation add column use_totals text not null default '{}';

-- The keys that signed the newest file of the machine, by a space between: what must be signed again when one of them is lost.
-- Null where no file was made since this was noted.
alter table activation add column file_keys text;

-- Since when its device key is the one it shows; null where it never changed. What a machine holds it holds since then: who
-- rebinds it by knowing key and id waits as long as anybody before a file may release it.
alter table activation add column bound_at integer;

-- An address given with an activation, which nobody has proved.
alter table activation add column contact text;

-- What an app tells of its machine, name by name. A table and not JSON on the activation: each has an id and an instant that
-- LicenseSpring's clients ask for.
create table device_variable (
    id integer primary key,
    activation_id integer not null references activation (id),
    name text not null,
    value text not null,
    changed_at integer not null
) strict;
create unique index device_variable_name on device_variable (activation_id, name);

-- Old refusals are swept by their age.
create index attempt_at on attempt (at);
