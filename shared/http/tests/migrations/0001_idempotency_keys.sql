-- The table from the documentation of souk_http::idempotency, and a table that the tests' requests write to.
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
CREATE TABLE effects (id uuid PRIMARY KEY);
