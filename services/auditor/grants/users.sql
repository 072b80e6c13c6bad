-- What the auditor may read of users: nothing by which anybody could log in.
GRANT SELECT (session_id, used_at) ON refresh_tokens TO users_reader;
-- Of events which they are, and how far they are told; not what they say.
GRANT SELECT (id, aggregate_id, type, occurred_at) ON domain_events TO users_reader;
GRANT SELECT (id) ON event_cursor TO users_reader;
