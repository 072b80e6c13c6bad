-- Accounts whose token has expired before this was told: the last event of each still has it.
INSERT INTO user_events (user_id, type, version, data)
SELECT id, 'verification_expired', 1,
    jsonb_strip_nulls(jsonb_build_object('user_id', id, 'email', email, 'name', name, 'locale', locale))
FROM (SELECT * FROM users WHERE verified_at IS NULL FOR UPDATE) AS unproved
WHERE NOT EXISTS (SELECT FROM verification_tokens t WHERE t.user_id = unproved.id AND t.expires_at > now())
    AND EXISTS (SELECT FROM user_events e WHERE e.user_id = unproved.id AND e.data ? 'verification_token');
