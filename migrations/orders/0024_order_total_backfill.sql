-- no-transaction
-- Sets `total` of the orders from before 0023, in batches that each lock few rows for a short time. May run again.
DO $$
DECLARE
    previous uuid := '00000000-0000-0000-0000-000000000000';
    batch    uuid[];
BEGIN
    LOOP
        SELECT array_agg(id ORDER BY id) INTO batch
        FROM (SELECT id FROM orders WHERE id > previous ORDER BY id LIMIT 1000) AS next_orders;
        EXIT WHEN batch IS NULL;
        UPDATE orders SET total = amount WHERE id = ANY (batch) AND total IS NULL;
        COMMIT;
        previous := batch[cardinality(batch)];
    END LOOP;
END $$;
