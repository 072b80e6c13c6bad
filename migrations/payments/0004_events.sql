-- What happened to payments: append-only, written in the transaction of the change, told on Kafka by the relay of
-- shared/events. Every writer holds the payment's row, so the ids of one payment rise in the order of its commits.
CREATE TABLE payment_events (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id  uuid        NOT NULL REFERENCES payments,
    type        text        NOT NULL,
    version     integer     NOT NULL,
    data        jsonb       NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    traceparent text,
    tracestate  text
);

CREATE VIEW domain_events AS
SELECT id, payment_id::text AS aggregate_id, type, version, data, created_at AS occurred_at, traceparent, tracestate
FROM payment_events;

-- Up to where they are told.
CREATE TABLE event_cursor (
    one      boolean     PRIMARY KEY DEFAULT true CONSTRAINT event_cursor_is_one_row CHECK (one),
    id       bigint      NOT NULL DEFAULT 0,
    moved_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO event_cursor DEFAULT VALUES;
