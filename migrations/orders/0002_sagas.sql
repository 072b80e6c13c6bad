-- The sagas and what an operator needs to see of them.

CREATE TABLE sagas (
    id            uuid        PRIMARY KEY,
    order_id      uuid        NOT NULL REFERENCES orders,
    definition    text        NOT NULL,
    status        text        NOT NULL CONSTRAINT sagas_status_known
        CHECK (status IN ('running', 'compensating', 'completed', 'compensated', 'parked')),
    -- A name, not a number: steps can be added to the code without telling old rows.
    step_name     text        NOT NULL,
    direction     text        NOT NULL CONSTRAINT sagas_direction_known CHECK (direction IN ('do', 'undo')),
    -- The command whose answer moves the saga on.
    awaiting      uuid,
    -- How often that command was sent.
    attempts      integer     NOT NULL,
    next_at       timestamptz NOT NULL,
    deadline_at   timestamptz NOT NULL,
    lease_until   timestamptz,
    -- Raised by every update, and checked: whoever decided on an older row changes nothing.
    epoch         bigint      NOT NULL DEFAULT 0,
    last_error    text,
    parked_reason text,
    -- Why it is undone: what becomes of the order, and the order's reason.
    ending        text        CONSTRAINT sagas_ending_known CHECK (ending IN ('rejected', 'cancelled')),
    reason        text,
    data          jsonb       NOT NULL,
    traceparent   text,
    tracestate    text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sagas_parked_for_a_reason CHECK ((status = 'parked') = (parked_reason IS NOT NULL)),
    CONSTRAINT sagas_live_until_terminal
        CHECK ((status IN ('running', 'compensating', 'parked')) = (awaiting IS NOT NULL))
);
CREATE INDEX sagas_due ON sagas (next_at) WHERE status IN ('running', 'compensating');
CREATE INDEX sagas_by_status ON sagas (status, id DESC);
CREATE INDEX sagas_by_order ON sagas (order_id);

-- The timeline: append-only, written with every change of its saga.
CREATE TABLE saga_log (
    saga_id     uuid        NOT NULL REFERENCES sagas,
    seq         bigint      GENERATED ALWAYS AS IDENTITY,
    step        text        NOT NULL,
    direction   text        NOT NULL CONSTRAINT saga_log_direction_known CHECK (direction IN ('do', 'undo')),
    command_id  uuid,
    outcome     text        NOT NULL CONSTRAINT saga_log_outcome_known CHECK (outcome IN
        ('sent', 'done', 'refused', 'silent', 'parked', 'retried', 'compensated', 'resolved', 'redriven')),
    reason      text,
    detail      text,
    -- The operator, where one acted.
    actor       uuid,
    at          timestamptz NOT NULL DEFAULT now(),
    traceparent text,
    CONSTRAINT saga_log_pkey PRIMARY KEY (saga_id, seq),
    CONSTRAINT saga_log_actors_give_reasons CHECK (actor IS NULL OR reason IS NOT NULL)
);

-- Messages that no attempt could handle. They are kept after an operator dealt with them, with who and why.
CREATE TABLE dead_letters (
    id             uuid        PRIMARY KEY,
    message_id     uuid        NOT NULL,
    kind           text        NOT NULL,
    queue          text        NOT NULL,
    correlation_id uuid        NOT NULL,
    reply_to       text,
    body           bytea       NOT NULL,
    reason         text        NOT NULL,
    attempts       integer     NOT NULL,
    traceparent    text,
    tracestate     text,
    died_at        timestamptz NOT NULL DEFAULT now(),
    settled_at     timestamptz,
    settled_as     text        CONSTRAINT dead_letters_settled_as_known CHECK (settled_as IN ('redriven', 'deleted')),
    settled_by     uuid,
    settled_reason text,
    CONSTRAINT dead_letters_settled_by_someone CHECK (
        (settled_at IS NULL) = (settled_as IS NULL)
        AND (settled_at IS NULL) = (settled_by IS NULL)
        AND (settled_at IS NULL) = (settled_reason IS NULL))
);
CREATE INDEX dead_letters_open ON dead_letters (id DESC) WHERE settled_at IS NULL;
-- The broker may deliver a dead letter twice.
CREATE UNIQUE INDEX dead_letters_once ON dead_letters (message_id, queue)
    WHERE settled_at IS NULL AND message_id <> '00000000-0000-0000-0000-000000000000';
