-- A saga and its order. The last two columns matter only for returns; a checkout's id is its order's.
SELECT
    s.id,
    s.definition,
    s.status,
    s.step_name,
    s.direction,
    s.epoch,
    s.attempts,
    s.deadline_at <= now() AS "is_overdue!",
    extract(epoch FROM now() - s.updated_at)::float8 AS "awaited_seconds!",
    s.ending,
    s.reason,
    s.data AS "data: Json<Facts>",
    s.traceparent,
    s.tracestate,
    -- PostgreSQL changes xmin with every update of a row.
    o.xmin::text AS "order_version!",
    o.status AS order_status,
    o.reason AS order_reason,
    o.payment_status,
    o.fulfilment_status,
    o.total,
    o.refunded,
    CASE WHEN s.id = s.order_id THEN 0 ELSE (
        SELECT coalesce(sum(r.amount), 0)::bigint
        FROM returns r
        WHERE r.order_id = o.id AND r.id <> s.id AND r.status IN ('refunded', 'completed')
    ) END AS "refunded_by_others!",
    s.id <> s.order_id AND NOT EXISTS (
        -- A line of which more was bought than this return and the completed ones cover.
        SELECT
        FROM order_lines l
        WHERE l.order_id = o.id AND l.quantity > coalesce((
            SELECT sum(i.quantity)
            FROM returns r
            JOIN return_lines i ON i.return_id = r.id
            WHERE r.order_id = o.id AND i.sku = l.sku AND (r.status = 'completed' OR r.id = s.id)
        ), 0)
    ) AS "returns_the_rest!"
FROM sagas s
JOIN orders o ON o.id = s.order_id
WHERE s.id = $1
