-- Letters in the vendor's own words, by the name that orders and settings call them.
create table mail_template (
    id integer primary key,
    name text not null,
    name_folded text not null,
    subject text not null,
    body text not null,
    created_at integer not null
) strict;
create unique index mail_template_name on mail_template (name_folded);
