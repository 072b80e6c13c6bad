-- The fault switches of the demo: every setting of one, with who and why. The newest of a name counts, until its end.

CREATE TABLE faults (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text        NOT NULL,
    until   timestamptz NOT NULL,
    set_by  uuid        NOT NULL,
    reason  text        NOT NULL,
    set_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX faults_by_name ON faults (name, id DESC);
