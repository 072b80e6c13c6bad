-- A relay claims rows before it publishes them, instead of holding a lock and a transaction while it does.
ALTER TABLE outbox ADD COLUMN claimed_until timestamptz NOT NULL DEFAULT '-infinity';
