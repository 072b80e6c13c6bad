-- What an API key may be used for, and until when. Keys from before keep what they could do, but for creating keys, and
-- expire in a year.
ALTER TABLE api_keys ADD COLUMN scopes text[], ADD COLUMN expires_at timestamptz;
UPDATE api_keys k SET
    scopes = CASE WHEN 'admin' = ANY (u.roles) THEN '{read,order,admin}'::text[] ELSE '{read,order}' END,
    expires_at = now() + interval '365 days'
FROM users u WHERE u.id = k.user_id;
ALTER TABLE api_keys
    ALTER COLUMN scopes SET NOT NULL,
    ALTER COLUMN expires_at SET NOT NULL,
    ADD CONSTRAINT api_keys_scopes_are_known CHECK (scopes <@ '{read,order,admin}' AND cardinality(scopes) > 0);
