-- A requested return, its lines, and the event of its order.
WITH requested AS (
    INSERT INTO returns (id, order_id, status, reason, amount, needs_receipt)
    VALUES ($1, $2, 'requested', $3, $4, $9)
    RETURNING *
), lined AS (
    INSERT INTO return_lines (return_id, sku, quantity)
    SELECT requested.id, line.sku, line.quantity
    FROM requested, unnest($5::text[], $6::int[]) AS line (sku, quantity)
), changed AS (
    UPDATE orders SET updated_at = now()
    FROM requested
    WHERE orders.id = requested.order_id
    RETURNING orders.*
), published AS (
    INSERT INTO order_events (order_id, type, data, traceparent, tracestate)
    SELECT
        requested.order_id,
        'return_requested',
        jsonb_build_object(
            'return_id', requested.id,
            'reason', requested.reason,
            'needs_receipt', requested.needs_receipt,
            'status', changed.status,
            'payment_status', changed.payment_status,
            'fulfilment_status', changed.fulfilment_status),
        $7,
        $8
    FROM requested, changed
)
SELECT created_at AS "created_at!" FROM requested
