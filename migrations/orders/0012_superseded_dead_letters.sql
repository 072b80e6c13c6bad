-- A dead letter is superseded when its saga moved on without it; no operator is involved.
ALTER TABLE dead_letters
    DROP CONSTRAINT dead_letters_settled_as_known,
    DROP CONSTRAINT dead_letters_settled_by_someone,
    ADD CONSTRAINT dead_letters_settled_as_known CHECK (settled_as IN ('redriven', 'deleted', 'superseded')),
    ADD CONSTRAINT dead_letters_settled_for_a_reason CHECK (
        (settled_at IS NULL) = (settled_as IS NULL)
        AND (settled_at IS NULL) = (settled_reason IS NULL)
        AND (settled_by IS NOT NULL) = coalesce(settled_as IN ('redriven', 'deleted'), false));
CREATE INDEX dead_letters_by_saga ON dead_letters (correlation_id) WHERE settled_at IS NULL;
