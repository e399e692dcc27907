-- What is known of a version's file besides its address and hash.
alter table version add column size bigint;
alter table version add column requires text not null default '';
alter table version add column eula text not null default '';
alter table version add column notes text not null default '';
-- The command line left the channel empty where none was named; apps that name one did not find such a version.
update version set channel = 'stable' where channel = '' and not exists (
    select 1 from version other where other.product_id = version.product_id and other.major = version.major
    and other.minor = version.minor and other.env = version.env and other.channel = 'stable'
);
