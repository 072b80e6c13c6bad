-- Failed logins are counted twice: for an account over all addresses (login_failures), and for an account and one source,
-- which is a client address, a known device or a session (login_sources). Only a source is blocked, never an account.
ALTER TABLE login_failures DROP COLUMN blocked_until;

CREATE TABLE login_sources (
    email_sha256  bytea       NOT NULL,
    source_sha256 bytea       NOT NULL,
    failures      integer     NOT NULL,
    last_at       timestamptz NOT NULL,
    blocked_until timestamptz,
    CONSTRAINT login_sources_pkey PRIMARY KEY (email_sha256, source_sha256)
);
CREATE INDEX login_sources_last_at ON login_sources (last_at);

-- Browsers in which the owner of an account has logged in. The cookie is not a credential: it only gives the browser a
-- count of its own.
CREATE TABLE known_devices (
    sha256       bytea       NOT NULL,
    user_id      uuid        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT known_devices_pkey PRIMARY KEY (sha256),
    CONSTRAINT known_devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX known_devices_user_id ON known_devices (user_id, last_used_at);
