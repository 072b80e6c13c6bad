-- The language in which the owner is written to, BCP 47, if it is known.
ALTER TABLE users ADD COLUMN locale text CONSTRAINT users_locale_is_spoken CHECK (locale IN ('en', 'de'));

-- What happened to accounts: append-only, written in the transaction of the change, told on Kafka by the relay of
-- shared/events. Every writer holds the account's row, so the ids of one account rise in the order of its commits.
-- A registration has the token of the mail that proves the address, until both are forgotten: it logs nobody in.
CREATE TABLE user_events (
    id          bigint      GENERATED ALWAYS AS IDENTITY,
    user_id     uuid        NOT NULL,
    type        text        NOT NULL,
    version     integer     NOT NULL,
    data        jsonb       NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    traceparent text,
    tracestate  text,
    CONSTRAINT user_events_pkey PRIMARY KEY (id),
    CONSTRAINT user_events_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
);

CREATE VIEW domain_events AS
SELECT id, user_id::text AS aggregate_id, type, version, data, created_at AS occurred_at, traceparent, tracestate
FROM user_events;

-- Up to where they are told.
CREATE TABLE event_cursor (
    one      boolean     NOT NULL DEFAULT true,
    id       bigint      NOT NULL DEFAULT 0,
    moved_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT event_cursor_pkey PRIMARY KEY (one),
    CONSTRAINT event_cursor_is_one_row CHECK (one)
);
INSERT INTO event_cursor DEFAULT VALUES;

-- The accounts that are there already: each event has the whole of one, so this is all that a reader needs.
INSERT INTO user_events (user_id, type, version, data)
SELECT id, 'user_changed', 1, jsonb_build_object('user_id', id, 'email', email, 'name', name)
FROM users ORDER BY id;
