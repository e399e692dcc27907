-- One index serves a machine on a license and a machine on any license. Ids come in no order, so that each index over them costs
-- every activation a page of its own to write.
drop index activation_device;
drop index activation_any_device;
create unique index activation_device on activation (device_id, license_id);
