-- What is known of a version's file besides its address and hash.
alter table version add column size bigint;
alter table version add column requires text not null default '';
alter table version add column eula text not null default '';
alter table version add column notes text not null default '';
