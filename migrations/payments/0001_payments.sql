-- One payment an order. Names of constraints are part of the contract: the code maps them to what they mean.

CREATE TABLE payments (
    id              uuid PRIMARY KEY,
    order_id        uuid NOT NULL CONSTRAINT payments_one_an_order UNIQUE,
    user_id         uuid NOT NULL,
    status          text NOT NULL CONSTRAINT payments_status CHECK (status IN (
                        'created', 'authorizing', 'authorized', 'capturing', 'captured', 'partially_refunded',
                        'refunded', 'voiding', 'voided', 'failed', 'expired')),
    -- A void that came before its authorization: no money, no owner, but the late authorization finds it.
    tombstone       boolean NOT NULL DEFAULT false,
    amount          bigint NOT NULL,
    currency        text NOT NULL CONSTRAINT payments_currency CHECK (currency ~ '^[A-Z]{3}$'),
    payment_method  text NOT NULL,
    provider_id     text CONSTRAINT payments_provider_id UNIQUE,
    authorized      bigint NOT NULL DEFAULT 0,
    captured        bigint NOT NULL DEFAULT 0,
    refunded        bigint NOT NULL DEFAULT 0,
    -- Reserved by refunds that the provider has not answered yet.
    refunding       bigint NOT NULL DEFAULT 0,
    failure_code    text,
    failure_message text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payments_amount CHECK (CASE WHEN tombstone THEN amount = 0 AND status = 'voided' ELSE amount > 0 END),
    CONSTRAINT payments_authorized CHECK (authorized IN (0, amount)),
    CONSTRAINT payments_captured CHECK (captured BETWEEN 0 AND authorized),
    CONSTRAINT payments_refunded CHECK (refunded >= 0 AND refunding >= 0 AND refunded + refunding <= captured),
    CONSTRAINT payments_authorized_state CHECK (
        status NOT IN ('authorized', 'capturing', 'captured', 'partially_refunded', 'refunded', 'voiding', 'expired')
        OR (authorized > 0 AND provider_id IS NOT NULL)),
    CONSTRAINT payments_captured_state CHECK (
        (status IN ('captured', 'partially_refunded', 'refunded')) = (captured > 0)),
    CONSTRAINT payments_refunded_state CHECK (CASE status
        WHEN 'partially_refunded' THEN refunded BETWEEN 1 AND captured - 1
        WHEN 'refunded' THEN refunded = captured
        ELSE refunded = 0 END),
    CONSTRAINT payments_failure CHECK (status <> 'failed' OR failure_code IS NOT NULL)
);
CREATE INDEX payments_by_user ON payments (user_id, id DESC) WHERE NOT tombstone;

-- What was asked of the provider under which key. The row is committed before the call: whatever happens after, the
-- same thing is asked again under the same key, and so happens once.
CREATE TABLE provider_calls (
    key         text PRIMARY KEY,
    payment_id  uuid NOT NULL REFERENCES payments,
    operation   text NOT NULL CONSTRAINT provider_calls_operation CHECK (operation IN ('authorize', 'capture', 'void')),
    outcome     text CONSTRAINT provider_calls_outcome CHECK (outcome IN ('done', 'refused')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    answered_at timestamptz,
    CONSTRAINT provider_calls_one_each UNIQUE (payment_id, operation)
);

CREATE TABLE refunds (
    id              uuid PRIMARY KEY,
    payment_id      uuid NOT NULL REFERENCES payments,
    return_id       uuid CONSTRAINT refunds_one_a_return UNIQUE,
    amount          bigint NOT NULL CONSTRAINT refunds_amount CHECK (amount > 0),
    reason          text NOT NULL,
    status          text NOT NULL DEFAULT 'pending'
                    CONSTRAINT refunds_status CHECK (status IN ('pending', 'succeeded', 'failed')),
    provider_id     text CONSTRAINT refunds_provider_id UNIQUE,
    failure_message text,
    attempts        integer NOT NULL DEFAULT 0,
    -- When a worker takes up what the request itself did not finish.
    next_at         timestamptz NOT NULL DEFAULT now(),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT refunds_succeeded CHECK (status <> 'succeeded' OR provider_id IS NOT NULL)
);
CREATE INDEX refunds_by_payment ON refunds (payment_id, id);
CREATE INDEX refunds_pending ON refunds (next_at) WHERE status = 'pending';

-- Ids of the provider's events that were taken in.
CREATE TABLE webhook_events (
    event_id    text PRIMARY KEY,
    kind        text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
