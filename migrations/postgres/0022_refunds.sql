-- What was given back of an order so far, in hundredths: refunds of parts that come to the whole revoke it.
alter table orders add column refunded bigint not null default 0;
