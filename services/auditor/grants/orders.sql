-- What the auditor may read in orders: message envelopes without bodies, and no addresses except those inside a
-- stored response.
GRANT SELECT (id, status, total, updated_at) ON orders TO orders_reader;
GRANT SELECT (order_id, sku, quantity) ON order_lines TO orders_reader;
GRANT SELECT (order_id, shipped_at) ON shipments TO orders_reader;
GRANT SELECT (id, order_id, status, needs_receipt) ON returns TO orders_reader;
GRANT SELECT (id, order_id, status, step_name, created_at, updated_at) ON sagas TO orders_reader;
GRANT SELECT (saga_id, seq, step, direction, command_id, outcome, reason, actor) ON saga_log TO orders_reader;
GRANT SELECT (message_id, queue, aggregate_id, correlation_id, created_at) ON outbox TO orders_reader;
GRANT SELECT (id, queue, correlation_id, reason, settled_at) ON dead_letters TO orders_reader;
-- The response stored for a key contains the order id. A grant covers the whole column, so it exposes the whole response.
GRANT SELECT (operation, body) ON idempotency_keys TO orders_reader;
-- Event headers and the publishing position, but not the event data.
GRANT SELECT (id, aggregate_id, type, occurred_at) ON domain_events TO orders_reader;
GRANT SELECT (id, published_after) ON event_cursor TO orders_reader;
