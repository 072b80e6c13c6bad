-- Copies one confirmed order souk.copies times, with its lines, its saga, the saga's log and its events.
CREATE TEMP TABLE original AS
SELECT * FROM orders WHERE status = 'confirmed' ORDER BY created_at DESC LIMIT 1;
CREATE TEMP TABLE copies AS
SELECT gen_random_uuid() AS id FROM generate_series(1, current_setting('souk.copies')::int);

INSERT INTO orders (id, user_id, status, payment_id, payment_method, payment_status, fulfilment_status, total, currency,
    shipping_address)
SELECT copies.id, gen_random_uuid(), status, gen_random_uuid(), payment_method, payment_status, fulfilment_status, total,
    currency, shipping_address
FROM original, copies;

INSERT INTO order_lines (order_id, sku, position, name, quantity, unit_price)
SELECT copies.id, line.sku, line.position, line.name, line.quantity, line.unit_price
FROM original JOIN order_lines AS line ON line.order_id = original.id, copies;

INSERT INTO sagas (id, order_id, definition, status, step_name, direction, attempts, next_at, deadline_at, data)
SELECT copies.id, copies.id, saga.definition, saga.status, saga.step_name, saga.direction, saga.attempts, saga.next_at,
    saga.deadline_at, saga.data
FROM original JOIN sagas AS saga ON saga.id = original.id, copies;

INSERT INTO saga_log (saga_id, step, direction, command_id, outcome)
SELECT copies.id, log.step, log.direction, gen_random_uuid(), log.outcome
FROM original JOIN saga_log AS log ON log.saga_id = original.id, copies;

INSERT INTO order_events (order_id, type, data)
SELECT copies.id, event.type, event.data
FROM original JOIN order_events AS event ON event.order_id = original.id, copies;

ANALYZE;
