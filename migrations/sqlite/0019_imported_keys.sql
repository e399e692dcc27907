-- A key that was made elsewhere: apps that check SHA-1 know no other.
alter table seal add column imported integer not null default 0;
