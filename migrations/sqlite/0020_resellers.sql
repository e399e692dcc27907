-- The reseller an extension calls for: it sells in that name, and sees and changes no license of another. Empty: the vendor's own.
alter table extension add column affiliate text not null default '';
