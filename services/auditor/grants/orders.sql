-- What the auditor may read of orders: of messages the envelope, and addresses only where a stored answer repeats one.
GRANT SELECT (id, status, amount, updated_at) ON orders TO orders_reader;
GRANT SELECT (order_id, sku, quantity) ON order_lines TO orders_reader;
GRANT SELECT (order_id, shipped_at) ON shipments TO orders_reader;
GRANT SELECT (id, order_id, status, needs_receipt) ON returns TO orders_reader;
GRANT SELECT (id, order_id, status, step_name, created_at, updated_at) ON sagas TO orders_reader;
GRANT SELECT (saga_id, seq, step, direction, command_id, outcome, reason, actor) ON saga_log TO orders_reader;
GRANT SELECT (message_id, queue, aggregate_id, correlation_id, created_at) ON outbox TO orders_reader;
GRANT SELECT (id, queue, correlation_id, reason, settled_at) ON dead_letters TO orders_reader;
-- The answer that a key was given names its order. It holds the whole order, and a part of it cannot be granted.
GRANT SELECT (operation, body) ON idempotency_keys TO orders_reader;
-- Of events which they are, and how far they are told; not what they say.
GRANT SELECT (id, aggregate_id, type, occurred_at) ON domain_events TO orders_reader;
GRANT SELECT (id, told_after) ON event_cursor TO orders_reader;
