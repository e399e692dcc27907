-- Mail and short messages: written by the act that needs them, in its transaction, and sent by whichever process comes first.
-- The outbox of the first schema knows no recipient and no reading by staff, so they have a table of their own.
create table message (
    id integer primary key,
    -- Names it in addresses, and binds its encrypted text to this row.
    token text not null,
    channel text not null,
    kind text not null,
    recipient text not null,
    subject text not null,
    -- Encrypted: codes and keys stand in it. Null once it is forgotten.
    body blob,
    -- Whether the text is kept after it was sent, for staff to read.
    keeps_text integer not null,
    created_at integer not null,
    -- When it is tried next; whoever moves this first sends it.
    due_at integer not null,
    -- Nobody needs it after this.
    over_at integer not null,
    attempts integer not null,
    sent_at integer,
    failed_at integer,
    fault text not null
) strict;
create unique index message_token on message (token);
create index message_due on message (due_at) where sent_at is null and failed_at is null;

-- One code an address and product, by which a computer is activated without a key.
create table authorization_code (
    email_folded text not null,
    product_id integer not null references product (id),
    -- The computer it was asked for, as its id or its name; empty: none was named.
    computer text not null,
    -- A mark under a key of the vault: six digits can be tried out against a plain hash.
    mark blob not null,
    tries integer not null,
    created_at integer not null,
    expires_at integer not null,
    primary key (email_folded, product_id)
) strict, without rowid;

alter table customer add column phone text not null default '';
-- Since when they agree that what they told is kept, and that they are written to.
alter table customer add column consent_at integer;
alter table customer add column news_at integer;
