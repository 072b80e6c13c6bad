-- `told_after` gets the name that the code uses. Programs of the previous version still read the old column, so a later
-- migration drops it, once none of them is running.
ALTER TABLE event_cursor ADD published_after bigint NOT NULL DEFAULT 0;
UPDATE event_cursor SET published_after = told_after;
