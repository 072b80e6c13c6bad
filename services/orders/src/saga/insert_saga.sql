-- A new saga, which sends its first command at once if a place in flight is free, and waits for one otherwise.
WITH load AS (
    SELECT count(*) < $11 AS is_free
    FROM sagas
    WHERE status IN ('running', 'compensating') AND attempts <= $12
), saga AS (
    INSERT INTO sagas (id, order_id, definition, status, step_name, direction, awaiting, attempts, next_at, deadline_at,
        data, traceparent, tracestate)
    SELECT
        $1, $2, $3, 'running', $4, 'do', $5,
        is_free::int,
        now() + make_interval(secs => CASE WHEN is_free THEN $6::float8 ELSE $7::float8 END),
        now() + make_interval(secs => $7),
        $8, $9, $10
    FROM load
    RETURNING id, attempts
), logged AS (
    INSERT INTO saga_log (saga_id, step, direction, command_id, outcome, traceparent)
    SELECT id, $4, 'do', $5, 'sent', $9
    FROM saga
    WHERE attempts > 0
), sent AS (
    INSERT INTO outbox (message_id, aggregate_id, kind, queue, correlation_id, reply_to, body, traceparent, tracestate)
    SELECT $5, id, $13, $14, id, $15, $16, $9, $10
    FROM saga, generate_series(1, $17)
    WHERE attempts > 0
)
SELECT attempts > 0 AS "is_sent!" FROM saga
