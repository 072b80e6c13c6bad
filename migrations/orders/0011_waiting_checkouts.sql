-- Checkouts that wait for a free place: their saga exists, its first command has not been sent (attempts = 0). Ids are
-- UUIDv7, so their order is the order in which the orders were placed.
CREATE INDEX sagas_waiting ON sagas (id) WHERE status = 'running' AND attempts = 0;
