-- Tokens in the links of mails. The token itself is derived from the id with a secret that is in no database (see
-- contracts::MailTokens); here is its hash.
CREATE TABLE mail_tokens (
    id         uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    kind       text        NOT NULL,
    sha256     bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    -- Used, or replaced by another.
    ended_at   timestamptz,
    CONSTRAINT mail_tokens_pkey PRIMARY KEY (id),
    CONSTRAINT mail_tokens_sha256_key UNIQUE (sha256),
    CONSTRAINT mail_tokens_kind CHECK (kind IN ('verification', 'password_reset')),
    CONSTRAINT mail_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX mail_tokens_user_id ON mail_tokens (user_id, kind, created_at);

-- Links that were mailed before still work.
INSERT INTO mail_tokens (id, user_id, kind, sha256, created_at, expires_at)
SELECT gen_random_uuid(), user_id, 'verification', sha256, expires_at - interval '1 day', expires_at
FROM verification_tokens;
DROP TABLE verification_tokens;

-- Mails that someone asked for, until a worker has decided within a second whether there is an account to send one to.
-- A request does the same whether or not there is.
CREATE TABLE mail_requests (
    email       text        NOT NULL,
    kind        text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    traceparent text,
    tracestate  text,
    CONSTRAINT mail_requests_pkey PRIMARY KEY (email, kind),
    CONSTRAINT mail_requests_kind CHECK (kind IN ('verification', 'password_reset'))
);

-- No token stands in clear in a table. The event of an account that is deleted outlives it, until it is published.
UPDATE user_events SET data = data - 'verification_token' WHERE data ? 'verification_token';
ALTER TABLE user_events DROP CONSTRAINT user_events_user_id_fkey;
