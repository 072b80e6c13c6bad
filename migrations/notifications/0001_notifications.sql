-- What is told about events, and what was learned from them. All of it but the mails, the marks and the epoch can be made
-- again from the log: `notifications rebuild`.

-- Which reading of the log this is. A rebuild begins the next, and whoever still writes for the last one is refused.
CREATE TABLE epoch (
    one        boolean     PRIMARY KEY DEFAULT true CHECK (one),
    number     integer     NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO epoch DEFAULT VALUES;

-- Ids of the events whose effect is in these tables. An offset would not do: a relay that dies before it moves its cursor
-- publishes again, and the same event then lies at two offsets.
CREATE TABLE processed_events (
    event_id     uuid        PRIMARY KEY,
    processed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX processed_events_processed_at ON processed_events (processed_at);

-- Messages that could not be taken in, for somebody to look at. They may hold personal data.
CREATE TABLE poison_events (
    topic       text        NOT NULL,
    partition   integer     NOT NULL,
    "offset"    bigint      NOT NULL,
    payload     bytea       NOT NULL,
    reason      text        NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, "offset")
);

-- The shoppers' lists. The id is the event's, so that marks stay right after a rebuild; texts are made when it is read.
CREATE TABLE notifications (
    id         uuid        PRIMARY KEY,
    user_id    uuid        NOT NULL,
    notice     jsonb       NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX notifications_user ON notifications (user_id, created_at DESC, id DESC);
CREATE INDEX notifications_created_at ON notifications (created_at);

CREATE TABLE read_marks (
    notification_id uuid        PRIMARY KEY,
    user_id         uuid        NOT NULL,
    read_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX read_marks_read_at ON read_marks (read_at);

-- Where mail goes; the only place with addresses.
CREATE TABLE recipients (
    user_id  uuid   PRIMARY KEY,
    email    text   NOT NULL,
    name     text   NOT NULL,
    locale   text,
    -- Of the event that told it; an older one changes nothing.
    sequence bigint NOT NULL
);

-- Mails to be sent. The id is derived from the event's, and makes the Message-ID. What a mail says is kept until it is sent
-- or given up, the row itself for longer, so that no replay sends it again.
CREATE TABLE mails (
    id              uuid        PRIMARY KEY,
    user_id         uuid        NOT NULL,
    kind            text        NOT NULL,
    content         jsonb,
    traceparent     text,
    tracestate      text,
    status          text        NOT NULL DEFAULT 'unsent',
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    created_at      timestamptz NOT NULL DEFAULT now(),
    settled_at      timestamptz,
    CONSTRAINT mails_status CHECK (status IN ('unsent', 'sent', 'failed')),
    CONSTRAINT mails_settled CHECK ((status = 'unsent') = (settled_at IS NULL) AND (status = 'unsent') = (content IS NOT NULL))
);
CREATE INDEX mails_due ON mails (next_attempt_at) WHERE status = 'unsent';

-- Sales. Facts, one row each, so that an event that comes twice changes nothing; sums are made when they are asked for.
CREATE TABLE sales_orders (
    order_id uuid        PRIMARY KEY,
    at       timestamptz NOT NULL,
    amount   bigint      NOT NULL,
    currency text        NOT NULL
);
CREATE INDEX sales_orders_at ON sales_orders (at);
CREATE TABLE sales_lines (
    order_id   uuid    NOT NULL REFERENCES sales_orders ON DELETE CASCADE,
    position   integer NOT NULL,
    sku        text    NOT NULL,
    name       text    NOT NULL,
    quantity   integer NOT NULL,
    unit_price bigint  NOT NULL,
    PRIMARY KEY (order_id, position)
);
CREATE TABLE sales_refunds (
    refund_id uuid        PRIMARY KEY,
    order_id  uuid        NOT NULL,
    at        timestamptz NOT NULL,
    amount    bigint      NOT NULL,
    currency  text        NOT NULL
);
CREATE INDEX sales_refunds_at ON sales_refunds (at);
-- How far each order came.
CREATE TABLE sales_steps (
    order_id uuid        NOT NULL,
    step     text        NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (order_id, step)
);
CREATE INDEX sales_steps_at ON sales_steps (step, at);
CREATE TABLE sales_rejections (
    order_id uuid        PRIMARY KEY,
    reason   text        NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX sales_rejections_at ON sales_rejections (at);
-- The catalogue as it is now, for the names and categories of what sells.
CREATE TABLE products (
    sku      text   PRIMARY KEY,
    name     text   NOT NULL,
    category text   NOT NULL,
    sequence bigint NOT NULL
);
