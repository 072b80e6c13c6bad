-- `amount` of an order gets the name that the API, the events and the code use: `total`. Programs of the previous version
-- still read and write `amount`, so both columns exist until 0024 to 0028 are applied and no such program is running
-- (docs/changing-schemas-and-messages.md). Then contract/order_total.sql drops `amount`.

-- Fail rather than queue behind a long transaction: every query on orders would wait behind this statement.
SET LOCAL lock_timeout = '2s';

-- Without a default and without NOT NULL, no row is read or written.
ALTER TABLE orders ADD total bigint;

-- Whichever column a program writes, the other gets the same value. An order's total never changes after its insertion.
CREATE FUNCTION orders_total_is_amount() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.total := coalesce(NEW.total, NEW.amount);
    NEW.amount := coalesce(NEW.amount, NEW.total);
    RETURN NEW;
END $$;
CREATE TRIGGER orders_total_is_amount BEFORE INSERT ON orders
    FOR EACH ROW EXECUTE FUNCTION orders_total_is_amount();
