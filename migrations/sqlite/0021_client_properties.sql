-- Properties an app asks for together with a code (JSON): they are set once the code has proved whose license it is. Empty: none.
alter table authorization_code add column properties text not null default '';
