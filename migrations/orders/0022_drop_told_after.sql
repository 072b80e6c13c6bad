-- Contract of 0021: every program reads `published_after` since the previous version.
SET LOCAL lock_timeout = '2s';
ALTER TABLE event_cursor DROP told_after;
