-- Accounts and everything by which someone proves to be one. Secrets are stored as SHA-256 (long random tokens) or
-- argon2id (passwords); a copy of this database logs nobody in.

CREATE TABLE users (
    id            uuid        NOT NULL,
    email         text        NOT NULL,
    name          text        NOT NULL,
    password_hash text        NOT NULL,
    roles         text[]      NOT NULL DEFAULT '{customer}',
    verified_at   timestamptz,
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_email_is_lower_case CHECK (email = lower(email)),
    CONSTRAINT users_roles_are_known CHECK (roles <@ '{customer,admin}' AND cardinality(roles) > 0)
);

CREATE TABLE verification_tokens (
    sha256     bytea       NOT NULL,
    user_id    uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT verification_tokens_pkey PRIMARY KEY (sha256),
    CONSTRAINT verification_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX verification_tokens_user_id ON verification_tokens (user_id);

-- Failed logins by address, known or not: an unknown one must not be told apart by how it is throttled.
CREATE TABLE login_failures (
    email_sha256  bytea       NOT NULL,
    failures      integer     NOT NULL,
    last_at       timestamptz NOT NULL,
    blocked_until timestamptz,
    CONSTRAINT login_failures_pkey PRIMARY KEY (email_sha256)
);

-- A login; also the family of its refresh tokens and the `sid` of its access tokens.
CREATE TABLE sessions (
    id             uuid        NOT NULL,
    user_id        uuid        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    revoked_reason text,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX sessions_user_id ON sessions (user_id);

CREATE TABLE refresh_tokens (
    sha256     bytea       NOT NULL,
    session_id uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (sha256),
    CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions ON DELETE CASCADE
);
-- One live token a family, whatever races.
CREATE UNIQUE INDEX refresh_tokens_one_live ON refresh_tokens (session_id) WHERE used_at IS NULL;

CREATE TABLE addresses (
    id         uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    address    jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT addresses_pkey PRIMARY KEY (id),
    CONSTRAINT addresses_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX addresses_user_id ON addresses (user_id, id);

CREATE TABLE api_keys (
    id           uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    name         text        NOT NULL,
    prefix       text        NOT NULL,
    sha256       bytea       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_sha256_key UNIQUE (sha256),
    CONSTRAINT api_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX api_keys_user_id ON api_keys (user_id, id);

-- Keys that sign access tokens. A key is published before it signs and for a while after it has stopped, so that no
-- verifier ever meets a token whose key it cannot know. Private keys are encrypted.
CREATE TABLE signing_keys (
    kid             text        NOT NULL,
    public_key      bytea       NOT NULL,
    private_key     bytea       NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    signs_from      timestamptz NOT NULL,
    published_until timestamptz,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (kid)
);

-- What operators did to accounts.
CREATE TABLE account_changes (
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    user_id    uuid        NOT NULL,
    actor_id   uuid        NOT NULL,
    change     jsonb       NOT NULL,
    reason     text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT account_changes_pkey PRIMARY KEY (id),
    CONSTRAINT account_changes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX account_changes_user_id ON account_changes (user_id, id);
