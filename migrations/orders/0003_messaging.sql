-- Tables whose form shared/messaging and shared/http prescribe. There is no inbox: a saga takes a reply only while it
-- awaits just that command's, and notices carry totals, so a duplicate of either changes nothing.

CREATE TABLE outbox (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id     uuid NOT NULL,
    aggregate_id   uuid NOT NULL,
    kind           text NOT NULL,
    queue          text NOT NULL,
    correlation_id uuid NOT NULL,
    reply_to       text,
    body           jsonb NOT NULL,
    traceparent    text,
    tracestate     text,
    created_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE idempotency_keys (
    user_id        uuid        NOT NULL,
    operation      text        NOT NULL,
    key            text        NOT NULL,
    request_sha256 bytea       NOT NULL,
    status         integer     NOT NULL,
    location       text,
    body           text        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, operation, key)
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
