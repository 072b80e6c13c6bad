-- The log of orders is told on Kafka by the relay of shared/events, as the events of the contract.

ALTER TABLE order_events ADD traceparent text, ADD tracestate text;

-- Up to where they are told. It starts at the newest event: nobody should get mails about what happened before. The lock
-- of ALTER TABLE has waited for everyone who was writing, so no older number is still to come.
CREATE TABLE event_cursor (
    one      boolean     PRIMARY KEY DEFAULT true CONSTRAINT event_cursor_is_one_row CHECK (one),
    id       bigint      NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO event_cursor (id) SELECT coalesce(max(id), 0) FROM order_events;

-- What a saga does meanwhile (saga_progressed) is nobody else's business. All that is told of an event never changes, so
-- that a repetition is the same event: it is the event's own data, or what an order is from its first to its last day.
-- A left join, because it costs nothing where only numbers are asked for.
CREATE VIEW domain_events AS
SELECT e.id, e.order_id::text AS aggregate_id, e.type, 1 AS version,
    jsonb_build_object('order_id', e.order_id, 'user_id', o.user_id) || CASE
        WHEN e.type IN ('order_placed', 'order_confirmed') THEN
            jsonb_build_object('total', o.total, 'lines', (
                SELECT jsonb_agg(jsonb_build_object(
                    'sku', l.sku, 'name', l.name, 'quantity', l.quantity,
                    'unit_price', jsonb_build_object('amount', l.unit_price, 'currency', o.currency))
                    ORDER BY l.position)
                FROM order_lines l WHERE l.order_id = e.order_id))
        WHEN e.type IN ('order_rejected', 'order_cancelled') THEN
            jsonb_build_object('reason', e.data -> 'reason', 'total', o.total)
        WHEN e.type = 'order_shipped' THEN
            jsonb_strip_nulls(jsonb_build_object(
                'carrier', e.data -> 'carrier', 'tracking_number', e.data -> 'tracking_number'))
        WHEN e.type = 'return_requested' THEN
            jsonb_build_object('return_id', e.data -> 'return_id', 'reason', e.data -> 'reason')
        WHEN e.type IN ('return_refused', 'return_completed', 'order_returned') THEN
            -- The saga of a return has its id.
            jsonb_build_object('return_id', e.data -> 'saga_id')
        WHEN e.type = 'payment_refunded' THEN
            -- A version that does not yet write it may still run.
            jsonb_build_object('total', o.total, 'refunded', coalesce(e.data -> 'refunded',
                jsonb_build_object('amount', o.refunded, 'currency', o.currency)))
        ELSE '{}'
    END AS data,
    e.created_at AS occurred_at, e.traceparent, e.tracestate
FROM order_events e LEFT JOIN (
    SELECT id, user_id, currency, refunded, jsonb_build_object('amount', amount, 'currency', currency) AS total
    FROM orders) o ON o.id = e.order_id
WHERE e.type IN (
    'order_placed', 'stock_reserved', 'stock_released', 'payment_authorized', 'payment_failed', 'payment_captured',
    'payment_voided', 'order_confirmed', 'order_rejected', 'order_cancelled', 'order_shipped', 'order_delivered',
    'return_requested', 'return_refused', 'return_completed', 'order_returned', 'payment_refunded');
