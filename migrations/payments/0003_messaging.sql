-- Tables whose form shared/messaging and shared/http prescribe.

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

CREATE TABLE inbox (
    message_id  uuid PRIMARY KEY,
    body_sha256 bytea NOT NULL,
    reply       jsonb,
    received_at timestamptz NOT NULL DEFAULT now()
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
