-- Reads all rows while others write. SET NOT NULL then needs only a short lock, because the constraint proves it.
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders VALIDATE CONSTRAINT orders_total_not_negative;
ALTER TABLE orders ALTER total SET NOT NULL;
