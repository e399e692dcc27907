-- The machines that use a floating license, or a floating feature of one, at this time. One that fell silent stays until another
-- one asks; one that gave its seat back is gone.
create table slot (
    license_id integer not null references license (id),
    -- The code of a feature, folded; empty for the license itself.
    feature text not null,
    activation_id integer not null references activation (id),
    kind text not null,
    -- Null for one that lasts as long as its activation.
    until integer,
    primary key (license_id, feature, activation_id)
) strict, without rowid;
create index slot_activation on slot (activation_id);

-- Machines that came by a page or a file counted as users of the license before, and still do.
insert into slot (license_id, feature, activation_id, kind, until)
select a.license_id, '', a.id, 'kept', null from activation a join license l on l.id = a.license_id
where a.state = 'active' and (a.how <> 'online' or a.api_key is null) and json_extract(l.terms, '$.floating') is not null;
