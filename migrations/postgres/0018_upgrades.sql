-- The license that took this one's place: whoever names this one by its order or its key means that one.
alter table license add column upgraded_to bigint references license (id);

-- What was paid for an order, in hundredths, where its shop says so: a refund of less is of a part.
alter table orders add column paid bigint;
