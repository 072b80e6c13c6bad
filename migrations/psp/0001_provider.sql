-- The provider's books. `payment_intents` is what it reserved and took, `balance_transactions` its append-only log of
-- money that moved, which Souk's audit compares with its own ledger.

CREATE TABLE payment_intents (
    id              text PRIMARY KEY,
    amount          bigint NOT NULL CONSTRAINT payment_intents_amount CHECK (amount > 0),
    currency        text NOT NULL CONSTRAINT payment_intents_currency CHECK (currency ~ '^[A-Z]{3}$'),
    payment_method  text NOT NULL,
    metadata        jsonb NOT NULL,
    status          text NOT NULL CONSTRAINT payment_intents_status
                    CHECK (status IN ('requires_capture', 'succeeded', 'canceled')),
    amount_captured bigint NOT NULL DEFAULT 0,
    amount_refunded bigint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payment_intents_captured CHECK (amount_captured BETWEEN 0 AND amount),
    CONSTRAINT payment_intents_refunded CHECK (amount_refunded BETWEEN 0 AND amount_captured)
);

CREATE TABLE refunds (
    id             text PRIMARY KEY,
    payment_intent text NOT NULL REFERENCES payment_intents,
    amount         bigint NOT NULL CONSTRAINT refunds_amount CHECK (amount > 0),
    metadata       jsonb NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refunds_by_intent ON refunds (payment_intent);

CREATE TABLE balance_transactions (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text NOT NULL CONSTRAINT balance_transactions_kind CHECK (kind IN ('charge', 'refund')),
    payment_intent text NOT NULL REFERENCES payment_intents,
    refund         text REFERENCES refunds,
    amount         bigint NOT NULL,
    currency       text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT balance_transactions_sign CHECK ((kind = 'charge') = (amount > 0)),
    CONSTRAINT balance_transactions_refund CHECK ((kind = 'refund') = (refund IS NOT NULL))
);
CREATE UNIQUE INDEX balance_transactions_one_charge ON balance_transactions (payment_intent) WHERE kind = 'charge';
CREATE UNIQUE INDEX balance_transactions_one_refund ON balance_transactions (refund);

-- The answer that was given under a key is given again; it commits with the effect it speaks of.
CREATE TABLE idempotency_keys (
    key          text PRIMARY KEY,
    request_hash bytea NOT NULL,
    status       smallint NOT NULL,
    body         jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- How often an authorization was tried under a key, for the method that fails twice.
CREATE TABLE flaky_calls (
    key   text PRIMARY KEY,
    calls integer NOT NULL
);

-- Deliveries still to be made; a row goes when the receiver has acknowledged it.
CREATE TABLE webhook_outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    text NOT NULL,
    body        text NOT NULL,
    traceparent text,
    tracestate  text,
    attempts    integer NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL DEFAULT now(),
    given_up_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_outbox_due ON webhook_outbox (due_at) WHERE given_up_at IS NULL;
