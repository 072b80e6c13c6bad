-- Leases due sagas, and as many waiting ones as there are free places in flight.
WITH due AS (
    SELECT id
    FROM sagas
    WHERE status IN ('running', 'compensating')
        AND next_at <= now()
        AND (lease_until IS NULL OR lease_until <= now())
    ORDER BY next_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
), admitted AS (
    SELECT id
    FROM sagas
    WHERE status = 'running'
        AND attempts = 0
        AND next_at > now()
        AND (lease_until IS NULL OR lease_until <= now())
    ORDER BY id
    LIMIT (
        SELECT greatest($3 - count(*), 0)
        FROM sagas
        WHERE status IN ('running', 'compensating') AND attempts BETWEEN 1 AND $4
    )
    FOR UPDATE SKIP LOCKED
)
UPDATE sagas
SET lease_until = now() + make_interval(secs => $2), epoch = epoch + 1
FROM (SELECT id FROM due UNION ALL SELECT id FROM admitted) AS leased
WHERE sagas.id = leased.id
RETURNING sagas.id, sagas.epoch
