-- Mails hold the id of a token, and no token. Those that wait with one are given up; the shopper can ask for another.
UPDATE mails SET status = 'failed', settled_at = now(), content = NULL
WHERE status = 'unsent' AND content ? 'verification_token';
