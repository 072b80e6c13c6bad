-- One move of a saga: its row, its log, its order, the order's events, and the command that is sent next.
WITH saga AS (
    -- Only if the row is still the one that the move was decided on: nothing else happens otherwise.
    UPDATE sagas SET
        status = $3,
        step_name = $4,
        direction = $5,
        awaiting = $6,
        attempts = $7,
        next_at = CASE
            WHEN $8 AND NOT $28 THEN least(now() + make_interval(secs => $9), deadline_at)
            ELSE now() + make_interval(secs => $9)
        END,
        deadline_at = CASE WHEN $28 THEN now() + make_interval(secs => $29) ELSE deadline_at END,
        lease_until = NULL,
        epoch = epoch + 1,
        last_error = coalesce($10, last_error),
        parked_reason = $11,
        ending = $12,
        reason = $13,
        updated_at = now()
    WHERE id = $1 AND epoch = $2
    RETURNING id, order_id
), logged AS (
    INSERT INTO saga_log (saga_id, step, direction, command_id, outcome, reason, detail, actor, traceparent)
    SELECT saga.id, entry.step, entry.direction, entry.command_id, entry.outcome, entry.reason, entry.detail,
        entry.actor, $21
    FROM saga,
        unnest($14::text[], $15::text[], $16::uuid[], $17::text[], $18::text[], $19::text[], $20::uuid[])
            WITH ORDINALITY AS entry (step, direction, command_id, outcome, reason, detail, actor, place)
    ORDER BY entry.place
), changed AS (
    UPDATE orders SET
        status = coalesce($23, status),
        reason = CASE WHEN $23::text IN ('rejected', 'cancelled') THEN $13 ELSE orders.reason END,
        payment_status = CASE
            -- A refund was heard of before the capture.
            WHEN $24 = 'captured' AND refunded > 0 THEN payment_status
            -- It ended before any money was asked for.
            WHEN $23 IN ('rejected', 'cancelled') AND coalesce($24, payment_status) = 'pending' THEN 'voided'
            ELSE coalesce($24, payment_status)
        END,
        fulfilment_status = coalesce($25, fulfilment_status),
        updated_at = CASE WHEN $22 = '{saga_progressed}' THEN orders.updated_at ELSE now() END
    FROM saga
    WHERE orders.id = saga.order_id
    RETURNING orders.*
), told AS (
    INSERT INTO order_events (order_id, type, data, traceparent, tracestate)
    SELECT
        changed.id,
        event.type,
        $26::jsonb
            || jsonb_build_object(
                'status', changed.status,
                'reason', changed.reason,
                'payment_status', changed.payment_status,
                'fulfilment_status', changed.fulfilment_status)
            || CASE
                WHEN event.type = 'payment_refunded' THEN jsonb_build_object(
                    'refunded', jsonb_build_object('amount', changed.refunded, 'currency', changed.currency))
                ELSE '{}'
            END,
        $21,
        $27
    FROM changed, unnest($22::text[]) WITH ORDINALITY AS event (type, place)
    ORDER BY event.place
), sent AS (
    -- No copy when a fault switch loses the command, three when another one repeats it.
    INSERT INTO outbox (message_id, aggregate_id, kind, queue, correlation_id, reply_to, body, traceparent, tracestate)
    SELECT $6, saga.id, $30, $31, saga.id, $32, $33, $21, $27
    FROM saga, generate_series(1, $34)
)
SELECT count(*) AS "saved!" FROM saga
