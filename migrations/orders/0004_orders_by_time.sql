-- The figures of the last hours and days are read without all that was ever sold.

CREATE INDEX orders_by_created_at ON orders (created_at);
