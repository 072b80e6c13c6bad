-- Every row has `total` now. NOT VALID leaves checking the existing rows to 0028, which does not block writers.
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD CONSTRAINT orders_total_not_negative CHECK (total IS NOT NULL AND total >= 0) NOT VALID;
