-- What the auditor may read of users: nothing by which anybody could log in.
GRANT SELECT (session_id, used_at) ON refresh_tokens TO users_reader;
