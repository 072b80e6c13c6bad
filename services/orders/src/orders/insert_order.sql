-- A new order, its lines in their order, and its first event.
WITH placed AS (
    INSERT INTO orders (id, user_id, status, payment_id, payment_method, payment_status, fulfilment_status, total, currency,
        shipping_address, trace_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    RETURNING *
), lined AS (
    INSERT INTO order_lines (order_id, sku, name, quantity, unit_price, position)
    SELECT placed.id, line.sku, line.name, line.quantity, line.unit_price, line.position
    FROM placed,
        unnest($12::text[], $13::text[], $14::int[], $15::bigint[]) WITH ORDINALITY
            AS line (sku, name, quantity, unit_price, position)
), published AS (
    INSERT INTO order_events (order_id, type, data, traceparent, tracestate)
    SELECT
        id,
        'order_placed',
        jsonb_build_object(
            'status', status,
            'payment_status', payment_status,
            'fulfilment_status', fulfilment_status,
            'total', jsonb_build_object('amount', total, 'currency', currency)),
        $16,
        $17
    FROM placed
)
SELECT created_at AS "created_at!" FROM placed
