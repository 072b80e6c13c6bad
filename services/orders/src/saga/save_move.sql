-- Saves one move of a saga: the saga and its log, its order and return, the order's events, and the command to send.
WITH planned_from AS (
    -- Nothing is written unless the saga and its order are still the versions that the move was planned from.
    SELECT s.id AS saga_id, s.order_id
    FROM sagas s
    JOIN orders o ON o.id = s.order_id
    WHERE s.id = $1 AND s.epoch = $2 AND o.xmin::text = $3
    FOR NO KEY UPDATE
), saga AS (
    UPDATE sagas SET
        status = $4,
        step_name = $5,
        direction = $6,
        awaiting = $7,
        attempts = $8,
        -- With a running deadline the saga is due at the deadline at the latest.
        next_at = CASE
            WHEN $10 THEN least(now() + make_interval(secs => $9), deadline_at)
            ELSE now() + make_interval(secs => $9)
        END,
        deadline_at = CASE WHEN $11 THEN now() + make_interval(secs => $12) ELSE deadline_at END,
        lease_until = NULL,
        epoch = epoch + 1,
        last_error = coalesce($13, last_error),
        parked_reason = $14,
        ending = $15,
        reason = $16,
        updated_at = now()
    FROM planned_from
    WHERE sagas.id = planned_from.saga_id
    RETURNING sagas.id
), logged AS (
    INSERT INTO saga_log (saga_id, step, direction, command_id, outcome, reason, detail, actor, traceparent)
    SELECT planned_from.saga_id, entry.*, $34
    FROM planned_from, jsonb_to_recordset($17) AS entry (
        step text, direction text, command_id uuid, outcome text, reason text, detail text, actor uuid)
), changed AS (
    UPDATE orders SET
        status = $18,
        reason = $19,
        payment_status = $20,
        fulfilment_status = $21,
        refunded = $22,
        updated_at = CASE WHEN $23 THEN now() ELSE updated_at END
    FROM planned_from
    WHERE orders.id = planned_from.order_id
    RETURNING orders.id
), returned AS (
    -- The saga of a return has the return's id.
    UPDATE returns SET status = $24, updated_at = now()
    FROM planned_from
    WHERE returns.id = planned_from.saga_id AND $24::text IS NOT NULL
), published AS (
    INSERT INTO order_events (order_id, type, data, traceparent, tracestate)
    SELECT changed.id, event.type, event.data, $34, $35
    FROM changed, jsonb_to_recordset($25) AS event (type text, data jsonb)
), sent AS (
    INSERT INTO outbox (message_id, aggregate_id, kind, queue, correlation_id, reply_to, body, traceparent, tracestate)
    SELECT $7, saga.id, $26, $27, saga.id, $28, $29, $34, $35
    FROM saga, generate_series(1, $30)
), superseded AS (
    -- A parked saga that moves on no longer needs its dead commands and replies. Another letter, such as an unread notice of
    -- a refund, still needs an operator.
    UPDATE dead_letters SET
        settled_at = now(),
        settled_as = 'superseded',
        settled_reason = 'its saga moved on without it'
    FROM planned_from
    WHERE $31
        AND correlation_id = planned_from.saga_id
        AND settled_at IS NULL
        AND (queue = ANY ($32) OR kind = $33)
)
SELECT count(*) AS "saved!" FROM saga
