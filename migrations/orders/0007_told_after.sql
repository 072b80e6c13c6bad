-- The events up to here were never told: those of before the log was told at all, and of before this was remembered. An audit asks Kafka
-- for the later ones.
ALTER TABLE event_cursor ADD told_after bigint NOT NULL DEFAULT 0;
UPDATE event_cursor SET told_after = id;
