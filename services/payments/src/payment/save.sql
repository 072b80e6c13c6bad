-- Saves the status, amounts and failure of a locked payment, and the domain event of the change if it has one.
WITH changed AS (
    UPDATE payments SET
        status = $2,
        provider_id = $3,
        authorized = $4,
        captured = $5,
        refunded = $6,
        refunding = $7,
        failure_code = $8,
        failure_message = $9,
        updated_at = now()
    WHERE id = $1
    RETURNING id
)
INSERT INTO payment_events (payment_id, type, version, data, traceparent, tracestate)
SELECT id, $10, $11, $12, $13, $14
FROM changed
WHERE $10::text IS NOT NULL
