-- Carts and orders. An order's lines are a snapshot: later prices and names do not change it.

CREATE TABLE cart_items (
    user_id    uuid        NOT NULL,
    sku        text        NOT NULL,
    quantity   integer     NOT NULL CONSTRAINT cart_items_quantity_1_to_99 CHECK (quantity BETWEEN 1 AND 99),
    added_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT cart_items_pkey PRIMARY KEY (user_id, sku)
);

CREATE TABLE orders (
    id                uuid        PRIMARY KEY,
    user_id           uuid        NOT NULL,
    status            text        NOT NULL CONSTRAINT orders_status_known
        CHECK (status IN ('pending', 'confirmed', 'rejected', 'cancelled', 'shipped', 'delivered', 'returned')),
    reason            text,
    payment_id        uuid        NOT NULL,
    payment_method    text        NOT NULL,
    payment_status    text        NOT NULL CONSTRAINT orders_payment_status_known
        CHECK (payment_status IN
            ('pending', 'authorized', 'captured', 'voided', 'failed', 'partially_refunded', 'refunded')),
    fulfilment_status text        NOT NULL CONSTRAINT orders_fulfilment_status_known
        CHECK (fulfilment_status IN ('unfulfilled', 'reserved', 'shipped', 'delivered', 'returned', 'cancelled')),
    amount            bigint      NOT NULL CONSTRAINT orders_amount_not_negative CHECK (amount >= 0),
    -- As far as this service knows; payments keeps the books.
    refunded          bigint      NOT NULL DEFAULT 0 CONSTRAINT orders_refunded_not_negative CHECK (refunded >= 0),
    currency          text        NOT NULL,
    shipping_address  jsonb       NOT NULL,
    trace_id          text,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);
-- Ids are UUIDv7: their order is the order of time. Lists are by owner, by status, or both.
CREATE INDEX orders_by_user ON orders (user_id, id DESC);
CREATE INDEX orders_by_user_and_status ON orders (user_id, status, id DESC);
CREATE INDEX orders_by_status ON orders (status, id DESC);

-- The code takes only these edges; this makes sure that nothing else does.
CREATE FUNCTION orders_status_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.status, NEW.status) IN (
        ('pending', 'confirmed'), ('pending', 'rejected'), ('pending', 'cancelled'),
        ('confirmed', 'shipped'), ('shipped', 'delivered'),
        ('confirmed', 'returned'), ('shipped', 'returned'), ('delivered', 'returned')) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an order that is % cannot become %', OLD.status, NEW.status
        USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_status_edge';
END $$;
CREATE TRIGGER orders_status_edge BEFORE UPDATE OF status ON orders
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION orders_status_edge();

CREATE TABLE order_lines (
    order_id   uuid     NOT NULL REFERENCES orders,
    sku        text     NOT NULL,
    position   smallint NOT NULL,
    name       text     NOT NULL,
    quantity   integer  NOT NULL CONSTRAINT order_lines_quantity_1_to_99 CHECK (quantity BETWEEN 1 AND 99),
    unit_price bigint   NOT NULL CONSTRAINT order_lines_price_not_negative CHECK (unit_price >= 0),
    CONSTRAINT order_lines_pkey PRIMARY KEY (order_id, sku)
);

CREATE TABLE shipments (
    order_id        uuid        PRIMARY KEY REFERENCES orders,
    carrier         text,
    tracking_number text,
    shipped_at      timestamptz NOT NULL DEFAULT now(),
    delivered_at    timestamptz
);

CREATE TABLE returns (
    id         uuid        PRIMARY KEY,
    order_id   uuid        NOT NULL REFERENCES orders,
    status     text        NOT NULL CONSTRAINT returns_status_known
        CHECK (status IN ('requested', 'refunded', 'completed', 'refused')),
    reason     text        NOT NULL,
    amount     bigint      NOT NULL CONSTRAINT returns_amount_not_negative CHECK (amount >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX returns_by_order ON returns (order_id);

CREATE TABLE return_lines (
    return_id uuid    NOT NULL REFERENCES returns,
    sku       text    NOT NULL,
    quantity  integer NOT NULL CONSTRAINT return_lines_quantity_1_to_99 CHECK (quantity BETWEEN 1 AND 99),
    CONSTRAINT return_lines_pkey PRIMARY KEY (return_id, sku)
);

-- What happened to an order, append-only, written in the transaction of the change. It is the log behind the live view
-- of an order (the id is the Last-Event-ID) and the source of domain events. Every writer holds the order's row, so the
-- ids of one order rise in the order of its commits.
CREATE TABLE order_events (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id   uuid        NOT NULL REFERENCES orders,
    type       text        NOT NULL,
    data       jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX order_events_by_order ON order_events (order_id, id);

-- An order as the API shows it, in one piece and one round trip.
CREATE VIEW order_documents AS
SELECT o.id, o.user_id, o.status, jsonb_build_object(
    'id', o.id,
    'user_id', o.user_id,
    'status', o.status,
    'reason', o.reason,
    'lines', (
        SELECT jsonb_agg(jsonb_build_object(
            'sku', l.sku, 'name', l.name, 'quantity', l.quantity,
            'unit_price', jsonb_build_object('amount', l.unit_price, 'currency', o.currency),
            'line_total', jsonb_build_object('amount', l.unit_price * l.quantity, 'currency', o.currency))
            ORDER BY l.position)
        FROM order_lines l WHERE l.order_id = o.id),
    'total', jsonb_build_object('amount', o.amount, 'currency', o.currency),
    'payment_id', o.payment_id,
    'payment_method', o.payment_method,
    'shipping_address', o.shipping_address,
    'payment_status', o.payment_status,
    'fulfilment_status', o.fulfilment_status,
    'shipment', (
        SELECT jsonb_build_object('carrier', s.carrier, 'tracking_number', s.tracking_number,
            'shipped_at', s.shipped_at, 'delivered_at', s.delivered_at)
        FROM shipments s WHERE s.order_id = o.id),
    'returns', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'id', r.id, 'status', r.status, 'reason', r.reason,
            'items', (
                SELECT jsonb_agg(jsonb_build_object('sku', i.sku, 'quantity', i.quantity) ORDER BY i.sku)
                FROM return_lines i WHERE i.return_id = r.id),
            'amount', jsonb_build_object('amount', r.amount, 'currency', o.currency),
            'created_at', r.created_at, 'updated_at', r.updated_at)
            ORDER BY r.id)
        FROM returns r WHERE r.order_id = o.id), '[]'),
    'trace_id', o.trace_id,
    'created_at', o.created_at,
    'updated_at', o.updated_at) AS document
FROM orders o;
