-- Drops what 0023 kept for programs that use `amount`. It becomes the next numbered migration of the first release that is
-- deployed when no program of a version before 0023 is running; afterwards such a version cannot be deployed again.
SET LOCAL lock_timeout = '2s';
DROP TRIGGER orders_total_is_amount ON orders;
DROP FUNCTION orders_total_is_amount();
ALTER TABLE orders DROP amount;
