-- What the auditor may read in users: nothing that could be used to log in.
GRANT SELECT (session_id, used_at) ON refresh_tokens TO users_reader;
-- Event headers and the publishing position, but not the event data.
GRANT SELECT (id, aggregate_id, type, occurred_at) ON domain_events TO users_reader;
GRANT SELECT (id) ON event_cursor TO users_reader;
